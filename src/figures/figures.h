/*-------------------------------------------------------------------------
 *
 * figures.h
 *	  Durations: what is read off a clock, and what many of them come to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_FIGURES_H
#define MS_FIGURES_H

#include "portability/instr_time.h"

#include "compat.h"

MS_INSIDE_BEGIN

/*
 * The clock.
 *
 * Not an instr_time: a session may change what clock these are of, with times
 * of the other one in its hands.
 */
static inline int64
ms_now_ns(void)
{
	/* static: no guard of the stack is needed at every call */
	static struct timespec now;

	clock_gettime(PG_INSTR_SYSTEM_CLOCK, &now);
	return (int64) now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

static inline int64
ms_now_ms(void)
{
	return ms_now_ns() / 1000000;
}

/*
 * histogram.c: durations of one shape.  A plain struct of 2.7 kB that may be
 * copied with memcpy; all times are nanoseconds.
 */
#define MS_HISTOGRAM_EXACT		64	/* so many samples are kept as they are */
#define MS_HISTOGRAM_OCTAVES	41	/* from 62.5 ns to 38 hours */
#define MS_HISTOGRAM_BUCKETS	(MS_HISTOGRAM_OCTAVES * 16 + 2)

typedef struct MSHistogram
{
	int64		count;
	int64		sum;			/* stops at the largest int64 */
	int64		min;			/* 0 while count is 0, as max is */
	int64		max;
	double		mean;
	double		m2;				/* sum of squared differences from mean */
	union
	{
		int64		samples[MS_HISTOGRAM_EXACT];	/* count <= EXACT */
		uint32		buckets[MS_HISTOGRAM_BUCKETS];	/* count > EXACT */
	}			u;
} MSHistogram;

extern void ms_histogram_init(MSHistogram *h);

/* a duration; a negative one counts as 0 */
extern void ms_histogram_add(MSHistogram *h, int64 ns);

/* into becomes what it were had it seen from's durations too */
extern void ms_histogram_merge(MSHistogram *into, const MSHistogram *from);

/*
 * As percentile_disc: the smallest duration whose cumulative share is at
 * least fraction, 0 .. 1.  Exact while count <= MS_HISTOGRAM_EXACT, then
 * within 3.125 % or 31.25 ns of it below 38 hours.  0 where count is 0.
 */
extern double ms_histogram_percentile(const MSHistogram *h, double fraction);

/* mean and, of the population as in pg_stat_statements, stddev; 0 if empty */
extern double ms_histogram_mean(const MSHistogram *h);
extern double ms_histogram_stddev(const MSHistogram *h);

/* how many durations fell into each bucket */
extern void ms_histogram_counts(const MSHistogram *h,
								uint32 counts[MS_HISTOGRAM_BUCKETS]);

/* bucket i holds lo <= ns < hi; the last one's hi is infinite */
extern void ms_histogram_bucket_bounds(int i, double *lo, double *hi);

/*
 * ratio.c: what can be said of pairs of durations.
 */
typedef struct MSTimes
{
	double		median;			/* milliseconds, as the others */
	double		mean;
	double		stddev;
	double		p95;
} MSTimes;

typedef struct MSRatio
{
	int			rounds;
	double		median;
	bool		has_interval;
	double		low;			/* the interval of 99 % */
	double		high;
} MSRatio;

/* the median of durations, with the interval of 99 %, in nanoseconds */
typedef struct MSMedian
{
	int			n;
	double		median;
	double		low;
	double		high;
} MSMedian;

/* false: there are too few, less than 8 */
extern bool ms_median(const int64 *ns, int n, MSMedian *median);

extern void ms_times_describe(const int64 *ns, int n, MSTimes *times);
extern int	ms_interval_margin(int n);
extern void ms_ratio(const int64 *a, const int64 *b, int n, MSRatio *ratio);
extern char *ms_ratio_verdict(const MSRatio *ratio);

MS_INSIDE_END

#endif							/* MS_FIGURES_H */
