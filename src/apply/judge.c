/*-------------------------------------------------------------------------
 *
 * judge.c
 *	  Whether a limit lets an increment: bounds, windows, token buckets.
 *
 * One decision, for both paths, of what the row has and of one reading of the
 * clock.  To be let, the row has to be locked, or written without having
 * changed; a refusal in READ COMMITTED needs neither: it is a read of what is
 * committed, which comes before whatever is under way.
 *
 * - A change is judged only against the bound that it moves towards.  What is
 *   not changed, because the call counts another column, is not judged.
 * - A row that is not there is a count of 0 without a window.
 * - A window is over as its time is; the count then starts again at 0.  Its
 *   start never moves backwards: a clock that is set back opens none again.
 * - The bucket is the generic cell rate algorithm: its column says when the
 *   bucket will be full.  A call takes a step of time for each that it counts,
 *   and is refused where the bucket would then be full later than all that it
 *   holds takes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "counter/counter.h"
#include "target/row.h"
#include "target/target.h"

/*
 * Windows that are aligned begin at multiples of their length from here, a
 * Monday, in UTC: 2001-01-01, as date_bin() is most often used.
 */
#define ALIGNED_FROM	(366 * USECS_PER_DAY)

/* A value of the count's column as limits compare it: of integers bigint. */
static Datum
widen(MSCountKind kind, Datum value)
{
	switch (kind)
	{
		case MS_COUNT_INT2:
			return Int64GetDatum(DatumGetInt16(value));
		case MS_COUNT_INT4:
			return Int64GetDatum(DatumGetInt32(value));
		case MS_COUNT_COUNTER:
			return Int64GetDatum(DatumGetMSCounterP(value)->count);
		default:
			return value;
	}
}

/* A whole number, likewise. */
static Datum
number(MSCountKind kind, int64 n)
{
	return ms_counts_whole(kind) ? Int64GetDatum(n) : ms_amount(kind, n);
}

/* What a row has for the count that is limited. */
static Datum
amount_of(const MSTarget *target, const MSRow *row)
{
	const MSLimits *limits = &target->limits;
	int			i = limits->attno - 1;

	if (limits->attno == target->count)
		return ms_row_amount(target, row);
	if (row->isnull[i])
		return number(limits->count.kind, 0);
	if (limits->count.kind == MS_COUNT_INT2 ||
		limits->count.kind == MS_COUNT_INT4)
		return Int64GetDatum(ms_small_amount(row->values[i]));
	return row->values[i];
}

/* Is a + b, as the column would have it, beyond a bound in a direction? */
static bool
is_beyond(const MSCount *count, Datum a, Datum b, Datum bound, int direction)
{
	int64		sum;

	if (!ms_counts_whole(count->kind))
		return ms_compare_amounts(count->kind,
								  ms_count_amount(count, a, false, b),
								  bound) * direction > 0;
	return pg_add_s64_overflow(DatumGetInt64(a), DatumGetInt64(b), &sum) ||
		ms_compare_amounts(count->kind, Int64GetDatum(sum), bound) * direction > 0;
}

/* How much there is from a count to a bound that it has not reached. */
static Datum
rest(const MSCount *count, Datum from, Datum to)
{
	switch (count->kind)
	{
		case MS_COUNT_NUMERIC:
			return DirectFunctionCall2(numeric_sub, to, from);
		case MS_COUNT_FLOAT4:
			{
				float4		result = DatumGetFloat4(to) - DatumGetFloat4(from);

				/* what is added is rounded, too */
				while (result > 0 ?
					   DatumGetFloat4(from) + result > DatumGetFloat4(to) :
					   DatumGetFloat4(from) + result < DatumGetFloat4(to))
					result = nextafterf(result, 0);
				return Float4GetDatum(result);
			}
		case MS_COUNT_FLOAT8:
			{
				float8		result = DatumGetFloat8(to) - DatumGetFloat8(from);

				while (result > 0 ?
					   DatumGetFloat8(from) + result > DatumGetFloat8(to) :
					   DatumGetFloat8(from) + result < DatumGetFloat8(to))
					result = nextafter(result, 0);
				return Float8GetDatum(result);
			}
		default:

			/*
			 * Between two that are on the same side of the amount, which is
			 * a bigint
			 */
			return Int64GetDatum((int64) ((uint64) DatumGetInt64(to) -
										  (uint64) DatumGetInt64(from)));
	}
}

/* The start of an aligned window. */
static TimestampTz
aligned_start(const MSLimits *limits, TimestampTz time)
{
	int64		since = (time - ALIGNED_FROM) % limits->per;

	return time - (since < 0 ? since + limits->per : since);
}

/* The start of a window that begins now. */
TimestampTz
ms_window_start(const MSLimits *limits, TimestampTz now)
{
	return limits->aligned ? aligned_start(limits, now) : now;
}

/*
 * When a window is over that has begun; false: never.  Written so that no
 * timestamp overflows.
 */
static bool
window_end(const MSLimits *limits, TimestampTz start, TimestampTz *end)
{
	if (TIMESTAMP_NOT_FINITE(start) || start >= END_TIMESTAMP - limits->per)
		return false;
	*end = ms_window_start(limits, start) + limits->per;
	return true;
}

/* Is the window of a row over? */
static bool
window_is_over(const MSLimits *limits, const MSLimited *limited,
			   TimestampTz now)
{
	if (limits->window == InvalidAttrNumber)
		return false;
	if (limited->window_isnull || TIMESTAMP_IS_NOBEGIN(limited->window))
		return true;
	if (limits->aligned)
		return aligned_start(limits, now) > limited->window;
	return now - limits->per >= limited->window;
}

/* What a row has that limits look at. */
void
ms_limited_from_slot(const MSTarget *target, TupleTableSlot *slot,
					 MSLimited *limited)
{
	const MSLimits *limits = &target->limits;
	Datum		values[3] = {0};
	bool		isnull[3] = {true, true, true};

	values[0] = slot_getattr(slot, limits->attno, &isnull[0]);
	if (limits->window != InvalidAttrNumber)
		values[1] = slot_getattr(slot, limits->window, &isnull[1]);
	if (limits->bucket != InvalidAttrNumber)
		values[2] = slot_getattr(slot, limits->bucket, &isnull[2]);
	ms_limited_from_values(target, values, isnull, limited);
}

/* Of its count, the start of its window, and its bucket. */
void
ms_limited_from_values(const MSTarget *target, const Datum *values,
					   const bool *isnull, MSLimited *limited)
{
	memset(limited, 0, sizeof(*limited));
	limited->found = true;
	limited->count_isnull = isnull[0];
	if (!isnull[0])
		limited->count = widen(target->limits.count.kind, values[0]);
	limited->window_isnull = isnull[1];
	if (!isnull[1])
		limited->window = DatumGetTimestampTz(values[1]);
	limited->bucket_isnull = isnull[2];
	if (!isnull[2])
		limited->bucket = DatumGetTimestampTz(values[2]);
}

/* Of a row that is not there. */
void
ms_limited_none(MSLimited *limited)
{
	memset(limited, 0, sizeof(*limited));
	limited->count_isnull = true;
	limited->window_isnull = true;
	limited->bucket_isnull = true;
}

/* What a row has of the count, at a time. */
Datum
ms_limited_count(const MSTarget *target, const MSLimited *limited,
				 TimestampTz now)
{
	if (limited->count_isnull ||
		window_is_over(&target->limits, limited, now))
		return number(target->limits.count.kind, 0);
	return limited->count;
}

/* What is left up to a bound, no less than 0, as a numeric. */
Datum
ms_limited_rest(const MSTarget *target, Datum count, Datum most)
{
	const MSCount *limited = &target->limits.count;

	if (ms_compare_amounts(limited->kind, count, most) >= 0)
		return DirectFunctionCall1(int8_numeric, Int64GetDatum(0));
	if (ms_counts_whole(limited->kind))
		return DirectFunctionCall2(numeric_sub,
								   DirectFunctionCall1(int8_numeric, most),
								   DirectFunctionCall1(int8_numeric, count));
	return ms_amount_numeric(limited->kind, rest(limited, count, most));
}

/* When the window of a row is over, at a time; false: there is none open. */
bool
ms_limited_reopens(const MSTarget *target, const MSLimited *limited,
				   TimestampTz now, TimestampTz *end)
{
	const MSLimits *limits = &target->limits;

	return limits->window != InvalidAttrNumber && !limited->window_isnull &&
		!window_is_over(limits, limited, now) &&
		window_end(limits, limited->window, end);
}

/*
 * The bucket: when it is full after so many, or how long until it has them.
 */
static void
take_from_bucket(const MSAsk *ask, const MSLimited *limited, TimestampTz now,
				 MSJudgement *judgement)
{
	TimestampTz full = limited->bucket_isnull || limited->bucket < now ? now :
		limited->bucket;
	TimestampTz latest = now + ask->burst * ask->step;

	if (ask->n > ask->burst)
		judgement->refused = true;
	else if (pg_add_s64_overflow(full, ask->n * ask->step, &judgement->bucket))
		judgement->refused = true;	/* it is infinity */
	else if (judgement->bucket > latest)
	{
		judgement->refused = true;
		judgement->retry_after = judgement->bucket - latest;
	}
}

/* The bounds; with the amount that they let. */
static void
keep_within(const MSLimits *limits, bool has_most, Datum most, bool saturate,
			Datum old, MSJudgement *judgement)
{
	MSCountKind kind = limits->count.kind;
	int			direction = ms_compare_amounts(kind, judgement->amount,
											   number(kind, 0));
	Datum		bound;

	if (direction > 0 && has_most)
		bound = most;
	else if (direction < 0 && limits->has_least)
		bound = limits->least;
	else
		return;
	if (!is_beyond(&limits->count, old, judgement->amount, bound, direction))
		return;
	judgement->partial = saturate &&
		ms_compare_amounts(kind, old, bound) * direction < 0;
	if (judgement->partial)
		judgement->amount = rest(&limits->count, old, bound);
	else
		judgement->refused = true;
}

/*
 * Judge a row that is to be counted now, by what the row of its key has.  Only
 * of one that ms_row_is_judged().
 */
void
ms_judge(const MSTarget *target, const MSRow *row, const MSLimited *limited,
		 TimestampTz now, MSJudgement *judgement)
{
	const MSLimits *limits = &target->limits;
	MSCountKind kind = limits->count.kind;
	const MSAsk *ask = row->ask;
	bool		asks_most = ask != NULL && ask->has_most;
	bool		has_most = asks_most || limits->has_most;
	Datum		most = asks_most ? number(kind, ask->most) : limits->most;
	bool		saturate = limits->saturate && ask == NULL;
	Datum		zero = number(kind, 0);
	TimestampTz end;

	memset(judgement, 0, sizeof(*judgement));
	judgement->retry_after = -1;
	judgement->amount = amount_of(target, row);
	if (ask != NULL && ask->is_new)
	{
		judgement->refused = limited->found;
		judgement->restart = limits->window != InvalidAttrNumber;
		judgement->window = ms_window_start(limits, now);
		return;
	}
	if (ms_compare_amounts(kind, judgement->amount, zero) == 0)
	{
		judgement->idle = true;
		return;
	}
	judgement->restart = window_is_over(limits, limited, now);
	if (judgement->restart)
		judgement->window = ms_window_start(limits, now);
	keep_within(limits, has_most, most, saturate,
				judgement->restart || limited->count_isnull ? zero :
				limited->count, judgement);

	/* when would a new window let the rest of it? */
	if (judgement->partial && judgement->restart ?
		window_end(limits, judgement->window, &end) :
		(judgement->refused || judgement->partial) &&
		ms_limited_reopens(target, limited, now, &end))
	{
		MSJudgement later = {.amount = amount_of(target, row)};

		if (judgement->partial)
			later.amount = rest(&limits->count, judgement->amount,
								later.amount);
		keep_within(limits, has_most, most, false, zero, &later);
		if (!later.refused)
			judgement->retry_after = end - now;
	}
	if (ask != NULL && ask->step > 0)
	{
		int64		retry_after = judgement->retry_after;
		bool		refused = judgement->refused;
		bool		never = refused && retry_after < 0;

		judgement->refused = false;
		judgement->retry_after = -1;
		take_from_bucket(ask, limited, now, judgement);
		never = never || (judgement->refused && judgement->retry_after < 0);
		judgement->rated = true;
		judgement->refused = judgement->refused || refused;
		judgement->retry_after = never ? -1 :
			Max(judgement->retry_after, retry_after);
	}
	if (judgement->refused)
		judgement->amount = zero;
}

/*
 * The row as it is counted: that one, or where only a part fits one with that.
 */
MSRow *
ms_judged_row(const MSTarget *target, MSRow *row,
			  const MSJudgement *judgement)
{
	const MSLimits *limits = &target->limits;
	MSRow	   *result;
	int			i = limits->attno - 1;

	if (likely(!judgement->partial))
		return row;
	result = palloc(sizeof(MSRow));
	*result = *row;
	result->values = palloc(sizeof(Datum) * target->nvalues);
	result->isnull = palloc(sizeof(bool) * target->nvalues);
	memcpy(result->values, row->values, sizeof(Datum) * target->nvalues);
	memcpy(result->isnull, row->isnull, sizeof(bool) * target->nvalues);
	if (limits->attno == target->count && ms_counts_whole(limits->count.kind))
		result->by = DatumGetInt64(judgement->amount);
	else
	{
		if (limits->attno == target->count)
			result->by = 0;
		result->values[i] = ms_counts_whole(limits->count.kind) ?
			ms_amount(limits->count.kind, DatumGetInt64(judgement->amount)) :
			judgement->amount;
		result->isnull[i] = false;
	}
	return result;
}

/*
 * Let a row have what it starts with, by attribute number - 1, before it is
 * counted: where its window is over, a count of 0; and its bucket.
 */
void
ms_begin_judged(const MSTarget *target, const MSJudgement *judgement,
				Datum *values, bool *isnull)
{
	const MSLimits *limits = &target->limits;
	int			i = limits->attno - 1;

	if (judgement->restart)
	{
		if (limits->count.kind == MS_COUNT_COUNTER)
		{
			if (!isnull[i])
			{
				MSCounter  *counter = palloc(sizeof(MSCounter));

				*counter = *DatumGetMSCounterP(values[i]);
				counter->count = 0;
				values[i] = MSCounterPGetDatum(counter);
			}
		}
		else
		{
			values[i] = ms_amount(limits->count.kind, 0);
			isnull[i] = false;
		}
	}
	ms_set_judged(target, judgement, values, isnull);
}

/* The start of its window, and its bucket, alone: of a new row, too. */
void
ms_set_judged(const MSTarget *target, const MSJudgement *judgement,
			  Datum *values, bool *isnull)
{
	const MSLimits *limits = &target->limits;

	if (judgement->restart)
	{
		values[limits->window - 1] = TimestampTzGetDatum(judgement->window);
		isnull[limits->window - 1] = false;
	}
	if (judgement->rated)
	{
		values[limits->bucket - 1] = TimestampTzGetDatum(judgement->bucket);
		isnull[limits->bucket - 1] = false;
	}
}

/* Have a result tell what was let. */
void
ms_result_judged(const MSTarget *target, const MSJudgement *judgement,
				 MSResult *result)
{
	MSCountKind kind = target->limits.count.kind;

	if (judgement->idle)
		return;
	result->judged = true;
	result->retry_after = judgement->retry_after;
	if (result->outcome != MS_INSERTED && result->outcome != MS_INCREMENTED)
		return;					/* by 0 */
	if (ms_counts_whole(kind))
		result->applied_whole = DatumGetInt64(judgement->amount);
	else
		result->applied = datumCopy(ms_amount_numeric(kind, judgement->amount),
									false, -1);
}
