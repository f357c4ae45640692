/*-------------------------------------------------------------------------
 *
 * ratio.c
 *	  What can be said of durations, and of pairs of them.
 *
 * The ratio of two durations is judged by the median of the rounds' own
 * ratios: whatever slows a round down slows both.  Its interval comes from
 * order statistics (the sign test), which suppose nothing about how
 * durations are distributed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "figures/figures.h"

/* the interval may miss the true ratio as rarely as this */
#define ERROR_RATE		0.01

/* a difference below this share is none */
#define SMALLEST		0.01

static int
compare_double(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y ? 1 : 0;
}

/* of a sorted array */
static double
median(const double *sorted, int n)
{
	return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/* milliseconds of n durations in nanoseconds, n > 0; stddev as stddev_pop */
void
ms_times_describe(const int64 *ns, int n, MSTimes *times)
{
	double	   *sorted = palloc(n * sizeof(double));
	double		sum = 0;
	double		squares = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		sorted[i] = ns[i] / 1e6;
		sum += sorted[i];
	}
	qsort(sorted, n, sizeof(double), compare_double);
	times->mean = sum / n;
	for (i = 0; i < n; i++)
		squares += (sorted[i] - times->mean) * (sorted[i] - times->mean);
	times->median = median(sorted, n);
	times->stddev = sqrt(squares / n);
	times->p95 = sorted[Max((int) ceil(0.95 * n), 1) - 1];
	pfree(sorted);
}

/*
 * How many of n sorted values to leave out at each end, so that the median
 * of what they were drawn from lies between the rest but for ERROR_RATE;
 * -1 where there are too few.
 */
int
ms_interval_margin(int n)
{
	double		all = n * log(2);
	double		outside = 0;
	int			i;

	for (i = 0; i < n / 2; i++)
	{
		outside += 2 * exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) -
						   all);
		if (outside > ERROR_RATE)
			break;
	}
	return i - 1;
}

bool
ms_median(const int64 *ns, int n, MSMedian *m)
{
	int			margin = ms_interval_margin(n);
	double	   *sorted;

	if (margin < 0)
		return false;
	sorted = palloc(n * sizeof(double));
	for (int i = 0; i < n; i++)
		sorted[i] = (double) ns[i];
	qsort(sorted, n, sizeof(double), compare_double);
	m->n = n;
	m->median = median(sorted, n);
	m->low = sorted[margin];
	m->high = sorted[n - 1 - margin];
	pfree(sorted);
	return true;
}

/* b's durations against a's, n > 0 */
void
ms_ratio(const int64 *a, const int64 *b, int n, MSRatio *ratio)
{
	double	   *logs = palloc(n * sizeof(double));
	int			margin = ms_interval_margin(n);
	int			i;

	for (i = 0; i < n; i++)
		logs[i] = log((double) Max(b[i], 1)) - log((double) Max(a[i], 1));
	qsort(logs, n, sizeof(double), compare_double);
	ratio->rounds = n;
	ratio->median = exp(median(logs, n));
	ratio->has_interval = margin >= 0;
	ratio->low = ratio->has_interval ? exp(logs[margin]) : 0;
	ratio->high = ratio->has_interval ? exp(logs[n - 1 - margin]) : 0;
	pfree(logs);
}

/* in words */
char *
ms_ratio_verdict(const MSRatio *ratio)
{
	double		r = ratio->median;
	double		percent = fabs(r - 1) * 100;

	if (!ratio->has_interval)
		return psprintf("too few runs: %d, where 8 are needed", ratio->rounds);
	if ((ratio->low <= 1 && ratio->high >= 1) || fabs(r - 1) <= SMALLEST)
		return pstrdup("no difference in time shown");
	if (r < 0.5)
		return psprintf("b is %.1f times as fast as a", 1 / r);
	if (r > 2)
		return psprintf("b takes %.1f times as long as a", r);
	return psprintf("b takes %.*f %% %s time than a", percent < 10 ? 1 : 0,
					percent, r < 1 ? "less" : "more");
}
