/*-------------------------------------------------------------------------
 *
 * unit_histogram.c
 *	  histogram.c against percentile_disc, avg and stddev_pop of the same
 *	  durations, and merged histograms against undivided ones.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "unit.h"

#define MOST_SAMPLES	20000

static const double fractions[] = {
	0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1
};

/* a standard normal value, by Box and Muller */
static double
random_normal(void)
{
	return sqrt(-2 * log(1 - random_share())) *
		cos(2 * M_PI * random_share());
}

static int64
draw_lognormal(void)
{
	return (int64) exp(11 + 2 * random_normal());
}

static int64
draw_bimodal(void)
{
	double		middle = random_below(10) < 9 ? 40e3 : 9e6;

	return (int64) (middle * (1 + 0.1 * random_normal()));
}

static int64
draw_constant(void)
{
	return 123457;
}

static int64
draw_zero(void)
{
	return 0;
}

static int64
draw_tiny(void)
{
	return random_below(300);
}

static int64
draw_every_octave(void)
{
	return (int64) (random_bits() >> (18 + random_below(46)));
}

/* from an hour to three days: some beyond the last octave */
static int64
draw_huge(void)
{
	return (int64) ((1 + 71 * random_share()) * 3600e9);
}

/* a clock that steps back */
static int64
draw_negative(void)
{
	return random_below(2000) - 1000;
}

/* a large mean with a small deviation: where the naive formula fails */
static int64
draw_far(void)
{
	return INT64CONST(60000000000) + random_below(100);
}

static const struct
{
	const char *name;
	int64		(*draw) (void);
}			distributions[] =
{
	{"lognormal", draw_lognormal},
	{"bimodal", draw_bimodal},
	{"constant", draw_constant},
	{"zero", draw_zero},
	{"tiny", draw_tiny},
	{"every octave", draw_every_octave},
	{"huge", draw_huge},
	{"negative", draw_negative},
	{"far from zero", draw_far},
};

static int
compare_samples(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static bool
close_to(double got, double expected, double tolerance)
{
	return fabs(got - expected) <= tolerance;
}

/* what SQL's aggregates say of sorted samples */
static int64
percentile_disc(const int64 *sorted, int n, double fraction)
{
	int			row = (int) ceil(fraction * n);

	return sorted[Max(row, 1) - 1];
}

static bool
agrees(const MSHistogram *h, const int64 *sorted, int n)
{
	long double sum = 0;
	long double squares = 0;
	double		mean;
	double		stddev;

	for (int i = 0; i < n; i++)
		sum += sorted[i];
	for (int i = 0; i < n; i++)
		squares += (sorted[i] - sum / n) * (sorted[i] - sum / n);
	mean = sum / n;
	stddev = sqrt(squares / n);

	if (h->count != n || h->sum != (int64) sum ||
		h->min != sorted[0] || h->max != sorted[n - 1])
	{
		diag("count " INT64_FORMAT ", sum " INT64_FORMAT ", min " INT64_FORMAT
			 ", max " INT64_FORMAT " of %d", h->count, h->sum, h->min, h->max,
			 n);
		return false;
	}
	if (!close_to(ms_histogram_mean(h), mean, 1e-12 * mean) ||
		!close_to(ms_histogram_stddev(h), stddev,
				  1e-9 * stddev + 1e-12 * mean))
	{
		diag("mean %g, not %g, stddev %g, not %g, of %d",
			 ms_histogram_mean(h), mean, ms_histogram_stddev(h), stddev, n);
		return false;
	}

	for (int i = 0; i < lengthof(fractions); i++)
	{
		double		got = ms_histogram_percentile(h, fractions[i]);
		double		exact = percentile_disc(sorted, n, fractions[i]);
		double		tolerance = Max(exact / 32, 31.25);
		double		lo;
		double		hi;

		ms_histogram_bucket_bounds(MS_HISTOGRAM_BUCKETS - 1, &lo, &hi);
		if (n <= MS_HISTOGRAM_EXACT)
			tolerance = 0;
		else if (exact >= lo)
			tolerance = h->max - lo;
		if (!close_to(got, exact, tolerance) || got < h->min || got > h->max)
		{
			diag("share %g is %f, not %f, of %d", fractions[i], got, exact, n);
			return false;
		}
	}
	return true;
}

static void
test_distribution(const char *name, int64 (*draw) (void))
{
	static const int sizes[] = {
		1, 2, 3, 10, 63, 64, 65, 100, 1000, MOST_SAMPLES
	};
	static int64 samples[MOST_SAMPLES];

	for (int i = 0; i < lengthof(sizes); i++)
	{
		int			n = sizes[i];
		bool		passed = true;

		for (int run = 0; run < 2000 / n + 1 && passed; run++)
		{
			MSHistogram h;

			ms_histogram_init(&h);
			for (int j = 0; j < n; j++)
			{
				samples[j] = draw();
				ms_histogram_add(&h, samples[j]);
				samples[j] = Max(samples[j], 0);
			}
			qsort(samples, n, sizeof(int64), compare_samples);
			passed = agrees(&h, samples, n);
		}
		check(passed, "%s: %d durations agree with percentile_disc, avg and "
			  "stddev_pop", name, n);
	}
}

static bool
same_histogram(const MSHistogram *a, const MSHistogram *b)
{
	uint32		a_counts[MS_HISTOGRAM_BUCKETS];
	uint32		b_counts[MS_HISTOGRAM_BUCKETS];
	double		mean = ms_histogram_mean(b);
	double		stddev = ms_histogram_stddev(b);

	ms_histogram_counts(a, a_counts);
	ms_histogram_counts(b, b_counts);
	if (a->count != b->count || a->sum != b->sum ||
		a->min != b->min || a->max != b->max ||
		memcmp(a_counts, b_counts, sizeof(a_counts)) != 0)
		return false;
	for (int i = 0; i < lengthof(fractions); i++)
	{
		if (ms_histogram_percentile(a, fractions[i]) !=
			ms_histogram_percentile(b, fractions[i]))
			return false;
	}
	return close_to(ms_histogram_mean(a), mean, 1e-12 * mean) &&
		close_to(ms_histogram_stddev(a), stddev,
				 1e-9 * stddev + 1e-12 * mean);
}

/* durations dealt to parts, which are merged in random order */
static bool
merge_once(int64 (*draw) (void), int n)
{
	MSHistogram whole;
	MSHistogram parts[6];
	int			count = 2 + random_below(lengthof(parts) - 1);

	ms_histogram_init(&whole);
	for (int i = 0; i < count; i++)
		ms_histogram_init(&parts[i]);
	for (int i = 0; i < n; i++)
	{
		int64		ns = draw();

		/* unevenly, so that some stay exact and some empty */
		ms_histogram_add(&whole, ns);
		ms_histogram_add(&parts[random_below(1 + random_below(count))], ns);
	}

	while (count > 1)
	{
		int			into = random_below(count);
		MSHistogram from = parts[--count];

		if (into == count)
			into = 0;
		ms_histogram_merge(&parts[into], &from);
	}
	return same_histogram(&parts[0], &whole);
}

static void
test_merge(const char *name, int64 (*draw) (void))
{
	static const int sizes[] = {0, 1, 10, 64, 65, 130, 300, 3000};

	for (int i = 0; i < lengthof(sizes); i++)
	{
		bool		passed = true;

		for (int run = 0; run < 100 && passed; run++)
			passed = merge_once(draw, sizes[i]);
		check(passed, "%s: %d durations in random parts merge to the whole",
			  name, sizes[i]);
	}
}

static int
only_bucket_of(int64 ns)
{
	MSHistogram h;
	uint32		counts[MS_HISTOGRAM_BUCKETS];
	int			found = -1;

	ms_histogram_init(&h);
	ms_histogram_add(&h, ns);
	ms_histogram_counts(&h, counts);
	for (int i = 0; i < MS_HISTOGRAM_BUCKETS; i++)
	{
		if (counts[i] == 1 && found < 0)
			found = i;
		else if (counts[i] != 0)
			return -1;
	}
	return found;
}

static void
test_buckets(void)
{
	double		last = 0;
	double		lo;
	double		hi;
	bool		contiguous = true;
	bool		narrow = true;
	bool		inside = true;
	bool		microsecond = false;

	for (int i = 0; i < MS_HISTOGRAM_BUCKETS; i++)
	{
		ms_histogram_bucket_bounds(i, &lo, &hi);
		contiguous &= lo == last && hi > lo;
		last = hi;
		microsecond |= lo == 1000;
		if (i > 0 && i < MS_HISTOGRAM_BUCKETS - 1)
			narrow &= hi - lo <= lo / 16;
		inside &= only_bucket_of((int64) ceil(lo)) == i;
		if (!isinf(hi))
			inside &= only_bucket_of((int64) ceil(hi) - 1) == i;
	}
	check(contiguous && isinf(last), "buckets cover 0 to infinity");
	check(narrow, "a bucket is a 16th of its lower bound wide at most");
	check(inside, "the first and last nanosecond of each bucket are in it");
	check(microsecond, "a bucket begins at 1 us");

	ms_histogram_bucket_bounds(0, &lo, &hi);
	check(lo == 0 && hi == 62.5, "the first bucket is 0 to 62.5 ns");
	ms_histogram_bucket_bounds(MS_HISTOGRAM_BUCKETS - 1, &lo, &hi);
	check(lo > 86400e9, "the last bucket begins after a day");
	check(only_bucket_of(PG_INT64_MAX) == MS_HISTOGRAM_BUCKETS - 1 &&
		  only_bucket_of(PG_INT64_MIN) == 0, "any int64 has a bucket");
}

static void
test_edges(void)
{
	MSHistogram h;
	MSHistogram other;

	ms_histogram_init(&h);
	check(ms_histogram_percentile(&h, 0.5) == 0 &&
		  ms_histogram_mean(&h) == 0 && ms_histogram_stddev(&h) == 0,
		  "an empty histogram is all zeros");

	ms_histogram_add(&h, 5);
	ms_histogram_add(&h, 7);
	check(ms_histogram_percentile(&h, -1) == 5 &&
		  ms_histogram_percentile(&h, NAN) == 5 &&
		  ms_histogram_percentile(&h, 2) == 7,
		  "a share out of range is the nearest one");

	ms_histogram_add(&h, PG_INT64_MAX);
	ms_histogram_add(&h, PG_INT64_MAX);
	check(h.sum == PG_INT64_MAX && h.max == PG_INT64_MAX,
		  "the sum stops at the largest integer");
	other = h;
	ms_histogram_merge(&h, &other);
	check(h.sum == PG_INT64_MAX && h.count == 8,
		  "that of merged histograms too");

	for (int i = 0; i < 1000; i++)
		ms_histogram_add(&h, PG_INT64_MAX);
	check(ms_histogram_percentile(&h, 0.5) == (double) PG_INT64_MAX,
		  "beyond the last octave a percentile is the largest duration");

	check(sizeof(MSHistogram) <= 2700, "a histogram takes %d bytes",
		  (int) sizeof(MSHistogram));
}

/* four billion durations in one bucket, made up */
static void
test_full_bucket(void)
{
	MSHistogram h;
	MSHistogram other;
	uint32		counts[MS_HISTOGRAM_BUCKETS];
	int			fast = only_bucket_of(1000);
	int			slow = only_bucket_of(1000000);

	ms_histogram_init(&h);
	for (int i = 0; i < 100; i++)
		ms_histogram_add(&h, 1000);
	ms_histogram_add(&h, 1000000);
	h.u.buckets[fast] = PG_UINT32_MAX;
	h.count = INT64CONST(1) << 32;
	other = h;

	ms_histogram_add(&h, 1000);
	ms_histogram_counts(&h, counts);
	check(counts[fast] == 0x80000000U + 1 && counts[slow] == 1,
		  "before a bucket overflows all are halved, a lone outlier stays");
	check(h.count == (INT64CONST(1) << 32) + 1, "the count goes on");

	h = other;
	ms_histogram_merge(&h, &other);
	ms_histogram_counts(&h, counts);
	check(counts[fast] >= 0x80000000U && counts[slow] >= 1,
		  "two full buckets merge");
	check(fabs(ms_histogram_percentile(&h, 0.5) - 1000) <= 1000 / 32.0,
		  "and the median stays where it was");
}

void
test_histogram(void)
{
	for (int i = 0; i < lengthof(distributions); i++)
	{
		test_distribution(distributions[i].name, distributions[i].draw);
		test_merge(distributions[i].name, distributions[i].draw);
	}
	test_buckets();
	test_edges();
	test_full_bucket();
}
