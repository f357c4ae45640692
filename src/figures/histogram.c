/*-------------------------------------------------------------------------
 *
 * histogram.c
 *	  The durations of one statement shape: how many, their sum, mean,
 *	  deviation, extremes and percentiles, in a fixed 2.7 kB.
 *
 * The first MS_HISTOGRAM_EXACT durations are kept as they are, so that a
 * small number of calls has an exact median.  The one that does not fit turns
 * them into a histogram of logarithmic buckets, each octave cut into 16 equal
 * parts:
 *
 *		bucket 0						0 .. 62.5 ns
 *		bucket 1 + 16 * k + s			62.5 ns * 2^k * (1 + s / 16) ..
 *		the last						38 hours .. infinity
 *
 * A bucket is as wide as a 16th of its octave's lower bound, so its middle is
 * at most 1/32 away from whatever fell into it.  62.5 ns is a 16th of a
 * microsecond: the bounds include every power of two of microseconds.
 *
 * Two histograms are merged by adding them; the result is that of one which
 * saw everything, whatever the order, but for rounding in mean and deviation.
 *
 * The rules: no allocation, no error, no logarithm.  Nanoseconds everywhere.
 * The caller owns the memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "port/pg_bitutils.h"

#include "figures/figures.h"

#define LAST_BUCKET			(MS_HISTOGRAM_BUCKETS - 1)

/* where the octaves begin, and where they end */
#define FIRST_OCTAVE		62.5
#define OCTAVES_END			(INT64CONST(125) << (MS_HISTOGRAM_OCTAVES - 1))

static inline int
bucket_of(int64 ns)
{
	uint64		sixteenths;		/* of 62.5 ns */
	int			octave;

	if (ns >= OCTAVES_END)
		return LAST_BUCKET;

	sixteenths = (uint64) ns * 32 / 125;
	if (sixteenths < 16)
		return 0;
	octave = pg_leftmost_one_pos64(sixteenths) - 4;
	return 1 + octave * 16 + (int) ((sixteenths >> octave) & 15);
}

/*
 * Add n durations to a bucket.  Before one would overflow all are halved,
 * rounded up so that a lone outlier stays: shares remain right, and from then
 * on older durations weigh half.
 */
static inline void
bucket_add(uint32 *buckets, int i, uint32 n)
{
	while (unlikely(buckets[i] > PG_UINT32_MAX - n))
	{
		for (int j = 0; j < MS_HISTOGRAM_BUCKETS; j++)
			buckets[j] -= buckets[j] / 2;
		n -= n / 2;
	}
	buckets[i] += n;
}

/* from durations as they are to buckets */
static void
leave_exact(MSHistogram *h)
{
	int64		samples[MS_HISTOGRAM_EXACT];
	int			n = (int) h->count;

	Assert(h->count <= MS_HISTOGRAM_EXACT);
	memcpy(samples, h->u.samples, n * sizeof(int64));
	memset(h->u.buckets, 0, sizeof(h->u.buckets));
	for (int i = 0; i < n; i++)
		h->u.buckets[bucket_of(samples[i])]++;
}

static void
add_to_sum(MSHistogram *h, int64 ns)
{
	if (unlikely(pg_add_s64_overflow(h->sum, ns, &h->sum)))
		h->sum = PG_INT64_MAX;
}

void
ms_histogram_init(MSHistogram *h)
{
	memset(h, 0, offsetof(MSHistogram, u));
}

void
ms_histogram_add(MSHistogram *h, int64 ns)
{
	double		delta;

	if (ns < 0)
		ns = 0;

	if (h->count < MS_HISTOGRAM_EXACT)
		h->u.samples[h->count] = ns;
	else
	{
		if (h->count == MS_HISTOGRAM_EXACT)
			leave_exact(h);
		bucket_add(h->u.buckets, bucket_of(ns), 1);
	}

	if (h->count == 0 || ns < h->min)
		h->min = ns;
	if (ns > h->max)
		h->max = ns;
	add_to_sum(h, ns);

	/* Welford's method: no cancellation, however large the mean is */
	h->count++;
	delta = (double) ns - h->mean;
	h->mean += delta / (double) h->count;
	h->m2 += delta * ((double) ns - h->mean);
}

/* the part of a merge that is about mean and deviation; counts still apart */
static void
merge_moments(MSHistogram *into, const MSHistogram *from)
{
	double		count = (double) into->count + (double) from->count;
	double		share = (double) from->count / count;
	double		delta = from->mean - into->mean;

	into->mean += delta * share;
	into->m2 += from->m2 + delta * delta * share * (double) into->count;
}

void
ms_histogram_merge(MSHistogram *into, const MSHistogram *from)
{
	if (from->count == 0)
		return;

	if (into->count + from->count <= MS_HISTOGRAM_EXACT)
		memcpy(into->u.samples + into->count, from->u.samples,
			   from->count * sizeof(int64));
	else
	{
		if (into->count <= MS_HISTOGRAM_EXACT)
			leave_exact(into);
		if (from->count <= MS_HISTOGRAM_EXACT)
		{
			for (int i = 0; i < (int) from->count; i++)
				bucket_add(into->u.buckets, bucket_of(from->u.samples[i]), 1);
		}
		else
		{
			for (int i = 0; i < MS_HISTOGRAM_BUCKETS; i++)
				bucket_add(into->u.buckets, i, from->u.buckets[i]);
		}
	}

	if (into->count == 0 || from->min < into->min)
		into->min = from->min;
	into->max = Max(into->max, from->max);
	add_to_sum(into, from->sum);
	merge_moments(into, from);
	into->count += from->count;
}

static int
compare_int64(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* percentile_disc's row number, 1 .. total */
static uint64
percentile_rank(double fraction, uint64 total)
{
	double		rank = ceil(fraction * (double) total);

	if (!(rank > 1.0))			/* NaN too */
		return 1;
	return rank < (double) total ? (uint64) rank : total;
}

double
ms_histogram_percentile(const MSHistogram *h, double fraction)
{
	uint64		total = 0;
	uint64		seen = 0;
	uint64		rank;
	double		lo;
	double		hi;
	int			i;

	if (h->count == 0)
		return 0.0;

	if (h->count <= MS_HISTOGRAM_EXACT)
	{
		int64		sorted[MS_HISTOGRAM_EXACT];

		memcpy(sorted, h->u.samples, h->count * sizeof(int64));
		qsort(sorted, h->count, sizeof(int64), compare_int64);
		return (double) sorted[percentile_rank(fraction, h->count) - 1];
	}

	/* not count: see bucket_add */
	for (i = 0; i < MS_HISTOGRAM_BUCKETS; i++)
		total += h->u.buckets[i];
	rank = percentile_rank(fraction, total);

	/* these two are known exactly */
	if (rank == 1)
		return (double) h->min;
	if (rank == total)
		return (double) h->max;

	for (i = 0; i < LAST_BUCKET; i++)
	{
		seen += h->u.buckets[i];
		if (seen >= rank)
			break;
	}
	ms_histogram_bucket_bounds(i, &lo, &hi);
	return Min(Max((lo + hi) / 2.0, (double) h->min), (double) h->max);
}

double
ms_histogram_mean(const MSHistogram *h)
{
	return h->mean;
}

double
ms_histogram_stddev(const MSHistogram *h)
{
	return h->count > 0 ? sqrt(h->m2 / (double) h->count) : 0.0;
}

void
ms_histogram_counts(const MSHistogram *h, uint32 counts[MS_HISTOGRAM_BUCKETS])
{
	if (h->count > MS_HISTOGRAM_EXACT)
	{
		memcpy(counts, h->u.buckets, sizeof(h->u.buckets));
		return;
	}

	memset(counts, 0, sizeof(h->u.buckets));
	for (int i = 0; i < (int) h->count; i++)
		counts[bucket_of(h->u.samples[i])]++;
}

void
ms_histogram_bucket_bounds(int i, double *lo, double *hi)
{
	Assert(i >= 0 && i < MS_HISTOGRAM_BUCKETS);

	if (i == 0)
	{
		*lo = 0.0;
		*hi = FIRST_OCTAVE;
	}
	else if (i == LAST_BUCKET)
	{
		*lo = (double) OCTAVES_END;
		*hi = INFINITY;
	}
	else
	{
		int			octave = (i - 1) / 16;
		int			part = (i - 1) % 16;

		*lo = ldexp(FIRST_OCTAVE * (16 + part) / 16.0, octave);
		*hi = ldexp(FIRST_OCTAVE * (17 + part) / 16.0, octave);
	}
}
