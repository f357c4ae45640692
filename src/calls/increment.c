/*-------------------------------------------------------------------------
 *
 * increment.c
 *	  Rows in: counted now, left to the commit, or buffered; the outcome.
 *
 * The caller has the target open and gives rows (input.c), those of a batch
 * sorted and merged by the key, so that two batches never wait for each other
 * in opposite order.
 *
 * User code (casts, triggers, constraints) can run in it and fail, or count
 * again: only who began to use the fast path cleans it up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "counter/counter.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

/* of the session's latest increment, for last_increment() */
static MSResult last_result;
static bool have_last_result = false;

static const char *const outcome_names[] = {
	"inserted", "incremented", "throttled", "ignored", "spilled",
	"deferred", "buffered", "absent"
};

StaticAssertDecl(lengthof(outcome_names) == MS_OUTCOMES,
				 "every outcome has a name");

PG_FUNCTION_INFO_V1(ms_last_increment);

void
ms_set_last_increment(const MSResult *result)
{
	last_result = *result;
	have_last_result = true;
}

/* Increment rows now, in the order given; permitted as in ms_apply_begin. */
static void
apply_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
			   Bitmapset *given, bool permitted, MSResult *result,
			   int64 *counts)
{
	bool		fast = ms_takes_fast_path(target, rel);

	PG_TRY();
	{
		ms_apply_begin(target, rel, given, fast, permitted, false);
		for (int i = 0; i < n; i++)
		{
			ms_apply_or_spill(target, rel, rows[i], fast, result);
			counts[result->outcome]++;
		}
		if (fast)
			ms_fast_end(target);
	}
	PG_CATCH();
	{
		if (fast)
			ms_fast_abort(target);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * Could a new counter not be made of a row, and is there nothing that counts
 * it: the counter, or an earlier delta of it?
 */
static bool
is_lacking(MSTarget *target, Relation rel, MSRow *row)
{
	int64		sum;

	return (ms_lacking_column(target, rel, row) != InvalidAttrNumber ||
			ms_is_outside(target, rel, row)) &&
		!ms_pending_sum(target, row, &sum) &&
		!ms_general_exists(target, rel, row) &&
		!ms_spill_has_key(target, rel, row, GetActiveSnapshot());
}

/*
 * Leave a row to the commit, or count it now: where nothing may be left, or
 * there is no room, rows to be buffered are so at once.
 */
static MSOutcome
defer(MSTarget *target, Relation rel, MSRow *row, MSApply apply,
	  MSResult *result, int64 *counts)
{
	bool		possible = ms_pending_possible();

	if (possible && ms_pending_add(target, rel, row))
		return apply == MS_APPLY_BUFFER ? MS_BUFFERED : MS_DEFERRED;
	if (possible)
		ms_tally_early_apply(target->relid);
	if (apply == MS_APPLY_BUFFER)
	{
		ms_buffer_append(target, rel, row);
		return MS_BUFFERED;
	}
	apply_in_order(target, rel, &row, 1, row->given, true, result, counts);
	return result->outcome;
}

/* Is there no row to be counted, and none to be made? */
static bool
is_absent(MSTarget *target, Relation rel, MSRow *row)
{
	return target->no_insert && !ms_general_exists(target, rel, row);
}

/*
 * Leave rows to the commit, which applies or buffers them.  What can be
 * refused is refused now.
 */
static void
defer_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
			   Bitmapset *given, MSApply apply, MSResult *result,
			   int64 *counts)
{
	ms_check_may_write(rel);
	ms_privileges_check(ms_privileges_of(target, rel), target, given);
	if (rel->rd_rel->relkind == RELKIND_RELATION)
	{
		CheckCmdReplicaIdentity(rel, CMD_INSERT);
		CheckCmdReplicaIdentity(rel, CMD_UPDATE);
	}
	for (int i = 0; i < n; i++)
	{
		MSOutcome	outcome;

		if (is_absent(target, rel, rows[i]))
		{
			counts[MS_ABSENT]++;
			ms_result_none(MS_ABSENT, result);
			continue;
		}
		if (!target->no_insert && is_lacking(target, rel, rows[i]))
		{
			ms_check_required_columns(target, rel, rows[i]);
			ms_outside(target);
		}
		ms_check_key_fits(target, rows[i]->values, rows[i]->isnull);
		outcome = defer(target, rel, rows[i], apply, result, counts);
		if (outcome == MS_DEFERRED || outcome == MS_BUFFERED)
		{
			counts[outcome]++;
			ms_result_none(outcome, result);
		}
	}
}

/*
 * Increment rows in the order given; with one row, *result is its outcome.
 * counts gathers the outcomes.
 */
void
ms_increment_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
					  Bitmapset *given, MSResult *result, int64 *counts)
{
	MSApply		apply = ms_pending_apply(target);

	if (apply != ms_pending_wanted(target))
		ms_tally_fallback(target->relid, n);
	if (apply == MS_APPLY_NOW)
		apply_in_order(target, rel, rows, n, given, false, result, counts);
	else
		defer_in_order(target, rel, rows, n, given, apply, result, counts);
}

/*
 * Increment one counter of an open target.  True where it was counted, and
 * *result has what there is now.
 */
bool
ms_increment(MSTarget *target, Relation rel, MSRow *row, MSResult *result)
{
	int64		counts[MS_OUTCOMES] = {0};

	ms_increment_in_order(target, rel, &row, 1, row->given, result, counts);
	ms_tally_count(target->relid, result->outcome);
	ms_set_last_increment(result);
	return result->outcome == MS_INSERTED || result->outcome == MS_INCREMENTED;
}

/* last_increment() -> (outcome, count, first_seen, last_seen) */
Datum
ms_last_increment(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[4] = {0};
	bool		isnull[4] = {true, true, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (have_last_result)
	{
		values[0] = CStringGetTextDatum(outcome_names[last_result.outcome]);
		isnull[0] = false;
		values[1] = Int64GetDatum(last_result.count);
		isnull[1] = last_result.count_isnull;
		values[2] = TimestampTzGetDatum(last_result.first_seen);
		isnull[2] = last_result.first_isnull;
		values[3] = TimestampTzGetDatum(last_result.last_seen);
		isnull[3] = last_result.last_isnull;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, isnull)));
}
