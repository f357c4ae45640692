/*-------------------------------------------------------------------------
 *
 * unit_ratio.c
 *	  ratio.c: the interval's ranks against the binomial distribution, how
 *	  often it misses, and what is said in words.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "unit.h"

#define TRIALS	2000
#define ROUNDS	100

/* chance that fewer than k of n fair coins show heads, by Pascal's triangle */
static double
fewer_than(int k, int n)
{
	static double row[512];
	double		sum = 0;
	int			i;
	int			j;

	memset(row, 0, sizeof(row));
	row[0] = 1;
	for (i = 0; i < n; i++)
		for (j = i + 1; j >= 0; j--)
			row[j] = (row[j] + (j > 0 ? row[j - 1] : 0)) / 2;
	for (i = 0; i < k; i++)
		sum += row[i];
	return sum;
}

/* the margin is the largest that misses no more than 1 of 100 times */
static void
test_margin(void)
{
	int			wrong = 0;
	int			n;

	for (n = 1; n < 500; n++)
	{
		int			margin = ms_interval_margin(n);

		if (margin >= 0 && 2 * fewer_than(margin + 1, n) > 0.01)
			wrong++;
		if (margin + 1 < n / 2 && 2 * fewer_than(margin + 2, n) <= 0.01)
			wrong++;
	}
	check(wrong == 0, "ratio: the ranks are those of the binomial distribution");
	check(ms_interval_margin(7) == -1 && ms_interval_margin(8) == 0,
		  "ratio: 8 rounds are needed");
	check(ms_interval_margin(100) == 36, "ratio: of 100 the 37th to the 64th");
	check(ms_interval_margin(1000000) > 498000 &&
		  ms_interval_margin(1000000) < 499000, "ratio: a million rounds");
}

static void
test_median(void)
{
	int64		ns[100];
	MSMedian	m;

	for (int i = 0; i < 100; i++)
		ns[i] = (i * 37) % 100 + 1;
	check(!ms_median(ns, 0, &m) && !ms_median(ns, 7, &m),
		  "ratio: a median of less than 8 has no interval");
	check(ms_median(ns, 100, &m) && m.n == 100 && m.median == 50.5 &&
		  m.low == 37 && m.high == 64, "ratio: a median and its interval");
	for (int i = 0; i < 8; i++)
		ns[i] = 8 - i;
	check(ms_median(ns, 8, &m) && m.median == 4.5 && m.low == 1 &&
		  m.high == 8 && ns[0] == 8, "ratio: of 8 it is all of them");
}

/* durations with rare, long spikes; b's are that many times as long */
static void
draw(int64 *a, int64 *b, double ratio)
{
	int			i;

	for (i = 0; i < ROUNDS; i++)
	{
		double		load = 1 + random_share();

		a[i] = 1e5 * load * (1 + 0.05 * random_share()) *
			(random_below(20) == 0 ? 10 : 1);
		b[i] = 1e5 * load * (1 + 0.05 * random_share()) * ratio *
			(random_below(20) == 0 ? 10 : 1);
	}
}

static int
claims(double ratio, int *missed)
{
	int			claimed = 0;
	int			i;

	*missed = 0;
	for (i = 0; i < TRIALS; i++)
	{
		int64		a[ROUNDS];
		int64		b[ROUNDS];
		MSRatio		r;

		draw(a, b, ratio);
		ms_ratio(a, b, ROUNDS, &r);
		if (strcmp(ms_ratio_verdict(&r), "no difference in time shown") != 0)
			claimed++;
		if (r.low > ratio || r.high < ratio)
			(*missed)++;
	}
	return claimed;
}

static void
test_claims(void)
{
	int			missed;
	int			claimed = claims(1, &missed);

	if (!check(claimed * 100 <= TRIALS && missed * 50 <= TRIALS,
			   "ratio: equal ones are told apart in 1 %% at most"))
		diag("%d claimed, %d missed", claimed, missed);
	claimed = claims(1.2, &missed);
	if (!check(claimed == TRIALS && missed * 50 <= TRIALS,
			   "ratio: 20 %% more is always found, in spite of load and spikes"))
		diag("%d claimed, %d missed", claimed, missed);
}

static bool
says(double median, double low, double high, const char *expected)
{
	MSRatio		ratio = {100, median, true, low, high};
	const char *verdict = ms_ratio_verdict(&ratio);

	if (strcmp(verdict, expected) == 0)
		return true;
	diag("\"%s\" instead of \"%s\"", verdict, expected);
	return false;
}

static void
test_words(void)
{
	MSRatio		few = {5, 3, false, 0, 0};

	check(says(1.005, 1.001, 1.009, "no difference in time shown") &&
		  says(1.5, 0.9, 1.6, "no difference in time shown") &&
		  says(1.2, 1.1, 1.3, "b takes 20 % more time than a") &&
		  says(1.0512, 1.01, 1.1, "b takes 5.1 % more time than a") &&
		  says(0.8, 0.7, 0.9, "b takes 20 % less time than a") &&
		  says(0.1, 0.09, 0.11, "b is 10.0 times as fast as a") &&
		  says(3, 2, 4, "b takes 3.0 times as long as a"),
		  "ratio: in words");
	check(strcmp(ms_ratio_verdict(&few),
				 "too few runs: 5, where 8 are needed") == 0,
		  "ratio: too few runs");
}

static void
test_times(void)
{
	int64		ns[] = {4000000, 1000000, 3000000, 2000000};
	int64		zero[] = {0};
	MSTimes		times;
	MSRatio		ratio;

	ms_times_describe(ns, 4, &times);
	check(times.median == 2.5 && times.mean == 2.5 && times.p95 == 4 &&
		  fabs(times.stddev - sqrt(1.25)) < 1e-12, "ratio: milliseconds");
	ms_times_describe(zero, 1, &times);
	memset(&ratio, 0x7F, sizeof(ratio));
	ms_ratio(zero, zero, 1, &ratio);
	check(!ratio.has_interval && ratio.low == 0 && ratio.high == 0,
		  "ratio: nothing is left unset where there is no interval");
	check(times.median == 0 && times.p95 == 0 && ratio.median == 1,
		  "ratio: one duration of nothing");
}

void
test_ratio(void)
{
	test_margin();
	test_median();
	test_claims();
	test_words();
	test_times();
}
