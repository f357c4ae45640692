/*-------------------------------------------------------------------------
 *
 * limits.c
 *	  The SQL functions allow(), allow_by(), allow_rate() and their kin, which
 *	  count if a limit lets it and say whether it does; and remaining(), which
 *	  only reads.
 *
 * They count now, whatever missing_symbol.apply says, all of what they are
 * given or nothing: what is counted in part would not be allowed.  The limit is
 * the call's, the window and the bucket are the target's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "counter/counter.h"
#include "target/row.h"
#include "target/target.h"
#include "target/tracked.h"

PG_FUNCTION_INFO_V1(ms_allow_any);
PG_FUNCTION_INFO_V1(ms_allow_text);
PG_FUNCTION_INFO_V1(ms_allow_by_any);
PG_FUNCTION_INFO_V1(ms_allow_by_text);
PG_FUNCTION_INFO_V1(ms_allow_row);
PG_FUNCTION_INFO_V1(ms_allow_rate_any);
PG_FUNCTION_INFO_V1(ms_allow_rate_text);
PG_FUNCTION_INFO_V1(ms_allow_rate_row);
PG_FUNCTION_INFO_V1(ms_remaining_any);
PG_FUNCTION_INFO_V1(ms_remaining_text);
PG_FUNCTION_INFO_V1(ms_remaining_row);

/* An argument that must not be null, as a bigint. */
static int64
bigint_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not be null", name)));
	return PG_GETARG_INT64(n);
}

/* The same, of 1 at least. */
static int64
positive_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	int64		result = bigint_argument(fcinfo, n, name);

	if (result < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be at least 1", name),
				 strcmp(name, "by") == 0 ?
				 errhint("increment_by() with a negative amount gives back what was allowed.") : 0));
	return result;
}

/* Whatever would be set aside, or is, is beyond any limit. */
static void
check_can_ask(const MSTarget *target)
{
	const char *conflict = ms_limits_conflict(target);
	Snapshot	snapshot;
	bool		aside;

	if (target->limits.set)
		return;					/* configure() has looked */
	if (conflict != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("calls of table %s cannot be limited", target->name),
				 errdetail("%s", conflict),
				 errhint("Count now: SELECT missing_symbol.track(%s, apply => '', throttle => '0', spill => false).",
						 quote_literal_cstr(target->name))));

	snapshot = RegisterSnapshot(GetLatestSnapshot());
	aside = ms_pending_has(target->relid) ||
		ms_spill_exists(target->relid, snapshot);
	UnregisterSnapshot(snapshot);
	if (aside)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("calls of table %s cannot be limited: increments of it are set aside",
						target->name),
				 errhint("Merge them first: SELECT missing_symbol.flush(); COMMIT what this transaction has deferred.")));
}

/* a call that asks, and what it is told */
typedef struct Allow
{
	MSAsk		ask;
	bool		allowed;
} Allow;

/* Count a row by what is asked, in the count that is limited. */
static void
allow(MSTarget *target, Relation rel, MSRow *row, void *arg)
{
	Allow	   *call = arg;
	const MSLimits *limits = &target->limits;
	MSResult	result;

	check_can_ask(target);
	if (call->ask.step > 0 && limits->bucket == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("allow_rate() needs a bucket in table %s", target->name),
				 errdetail("That is a column that says when it is full again."),
				 errhint("ALTER TABLE %s ADD COLUMN full_at timestamptz; and name it: SELECT missing_symbol.configure(%s, '{\"bucket\": \"full_at\"}').",
						 target->name, quote_literal_cstr(target->name))));
	row->ask = &call->ask;
	row->by = call->ask.n;
	if (limits->attno != target->count)
	{
		int			i = limits->attno - 1;

		if (!row->isnull[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the amount for column \"%s\" of table %s is given twice",
							limits->count.column, target->name),
					 errdetail("It is among the fields, and it is the argument \"by\"."),
					 errhint("Leave it out of the fields.")));
		row->by = 0;
		if (limits->count.kind <= MS_COUNT_INT8)
			(void) ms_add_integers(&limits->count, 0, call->ask.n);
		row->values[i] = ms_amount(limits->count.kind, call->ask.n);
		row->isnull[i] = false;
		row->given = bms_add_member(row->given, limits->attno);
	}
	call->allowed = ms_increment(target, rel, row, &result);
}

static Datum
run_allow(FunctionCallInfo fcinfo, int first, MSKeyForm form, Allow *call)
{
	ms_call_with_key(fcinfo, first, form, MS_TO_COUNT, RowExclusiveLock, allow,
					 call);
	PG_RETURN_BOOL(call->allowed);
}

/* allow(target, at_most, VARIADIC key) -> boolean */
Datum
ms_allow_any(PG_FUNCTION_ARGS)
{
	Allow		call = {.ask = {.has_most = true, .n = 1}};

	call.ask.most = bigint_argument(fcinfo, 1, "at_most");
	return run_allow(fcinfo, 2, MS_KEY_ANY, &call);
}

Datum
ms_allow_text(PG_FUNCTION_ARGS)
{
	Allow		call = {.ask = {.has_most = true, .n = 1}};

	call.ask.most = bigint_argument(fcinfo, 1, "at_most");
	return run_allow(fcinfo, 2, MS_KEY_TEXTS, &call);
}

/* allow_by(target, by, at_most, VARIADIC key) */
static Datum
allow_by(FunctionCallInfo fcinfo, MSKeyForm form)
{
	Allow		call = {.ask = {.has_most = true}};

	call.ask.n = positive_argument(fcinfo, 1, "by");
	call.ask.most = bigint_argument(fcinfo, 2, "at_most");
	return run_allow(fcinfo, 3, form, &call);
}

Datum
ms_allow_by_any(PG_FUNCTION_ARGS)
{
	return allow_by(fcinfo, MS_KEY_ANY);
}

Datum
ms_allow_by_text(PG_FUNCTION_ARGS)
{
	return allow_by(fcinfo, MS_KEY_TEXTS);
}

/* allow_row(target, fields, at_most, by) */
Datum
ms_allow_row(PG_FUNCTION_ARGS)
{
	Allow		call = {.ask = {.has_most = true}};

	call.ask.most = bigint_argument(fcinfo, 2, "at_most");
	call.ask.n = positive_argument(fcinfo, 3, "by");
	return run_allow(fcinfo, 1, MS_KEY_NAMED, &call);
}

/* The rate, per and burst of a bucket, from an argument on. */
static void
read_rate(FunctionCallInfo fcinfo, int first, MSAsk *ask)
{
	int64		rate = positive_argument(fcinfo, first, "rate");
	int64		per;
	int64		held;

	if (PG_ARGISNULL(first + 1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not be null", "per")));
	per = ms_fixed_interval(PG_GETARG_INTERVAL_P(first + 1), "\"per\"", 1);
	ask->burst = positive_argument(fcinfo, first + 2, "burst");
	ask->step = per / rate;
	if (ask->step < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a rate of " INT64_FORMAT " per " INT64_FORMAT " microseconds is no limit",
						rate, per),
				 errdetail("That is more than one in a microsecond."),
				 errhint("Give a lower rate, or a longer \"per\".")));
	if (pg_mul_s64_overflow(ask->step, ask->burst, &held) ||
		held > MS_MAX_INTERVAL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a burst of " INT64_FORMAT " takes longer than %d days to be had again",
						ask->burst, MS_MAX_INTERVAL_DAYS),
				 errhint("Give a smaller burst, or a higher rate.")));
}

/* allow_rate(target, rate, per, burst, VARIADIC key) */
static Datum
allow_rate(FunctionCallInfo fcinfo, MSKeyForm form)
{
	Allow		call = {.ask = {.n = 1}};

	read_rate(fcinfo, 1, &call.ask);
	return run_allow(fcinfo, 4, form, &call);
}

Datum
ms_allow_rate_any(PG_FUNCTION_ARGS)
{
	return allow_rate(fcinfo, MS_KEY_ANY);
}

Datum
ms_allow_rate_text(PG_FUNCTION_ARGS)
{
	return allow_rate(fcinfo, MS_KEY_TEXTS);
}

/* allow_rate_row(target, fields, rate, per, burst, by) */
Datum
ms_allow_rate_row(PG_FUNCTION_ARGS)
{
	Allow		call = {.ask = {0}};

	read_rate(fcinfo, 2, &call.ask);
	call.ask.n = positive_argument(fcinfo, 5, "by");
	return run_allow(fcinfo, 1, MS_KEY_NAMED, &call);
}

/* what remaining() is asked, and finds */
typedef struct Remaining
{
	bool		has_most;
	int64		most;
	Datum		rest;
	bool		reopens;
	TimestampTz end;
} Remaining;

static void
remaining(MSTarget *target, Relation rel, MSRow *row, void *arg)
{
	Remaining  *call = arg;
	const MSLimits *limits = &target->limits;
	bool		whole = ms_counts_whole(limits->count.kind);
	MSResult	counter;
	MSLimited	limited = {.count_isnull = true, .window_isnull = true};
	TimestampTz now = ms_clock();

	if (!call->has_most && !limits->has_most)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not be null", "at_most"),
				 errdetail("Table %s has no limit of its own.", target->name),
				 errhint("Give the limit of the call, or SELECT missing_symbol.configure(%s, '{\"at_most\": ...}').",
						 quote_literal_cstr(target->name))));
	check_can_ask(target);
	(void) ms_total_read(target, rel, row, &counter, &limited);
	call->rest = ms_limited_rest(target,
								 ms_limited_count(target, &limited, now),
								 !call->has_most ? limits->most :
								 whole ? Int64GetDatum(call->most) :
								 ms_amount(limits->count.kind, call->most));
	call->reopens = ms_limited_reopens(target, &limited, now, &call->end);
}

/* remaining(target, at_most, VARIADIC key) -> (remaining, reopens_at) */
static Datum
tell_remaining(FunctionCallInfo fcinfo, int at_most, int first, MSKeyForm form)
{
	Remaining	call = {0};
	TupleDesc	desc;
	Datum		values[2];
	bool		isnull[2] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	call.has_most = !PG_ARGISNULL(at_most);
	if (call.has_most)
		call.most = PG_GETARG_INT64(at_most);
	ms_call_with_key(fcinfo, first, form, MS_TO_READ, AccessShareLock,
					 remaining, &call);
	values[0] = call.rest;
	values[1] = TimestampTzGetDatum(call.end);
	isnull[1] = !call.reopens;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, isnull)));
}

Datum
ms_remaining_any(PG_FUNCTION_ARGS)
{
	return tell_remaining(fcinfo, 1, 2, MS_KEY_ANY);
}

Datum
ms_remaining_text(PG_FUNCTION_ARGS)
{
	return tell_remaining(fcinfo, 1, 2, MS_KEY_TEXTS);
}

/* remaining_row(target, key, at_most) */
Datum
ms_remaining_row(PG_FUNCTION_ARGS)
{
	return tell_remaining(fcinfo, 2, 1, MS_KEY_NAMED);
}
