/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  The engine: rows in, counted now or left to the commit; the choice of
 *	  the path; the outcome.
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

#include <limits.h>

#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/int.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

/* of the session's latest increment, for last_increment() */
static MSResult last_result;
static bool have_last_result = false;

static const char *const outcome_names[] = {
	"inserted", "incremented", "throttled", "ignored", "spilled",
	"deferred", "buffered"
};

StaticAssertDecl(lengthof(outcome_names) == MS_OUTCOMES,
				 "every outcome has a name");

PG_FUNCTION_INFO_V1(ms_last_increment);

/*
 * Is a counter that was last counted at last_seen still throttled at now?
 * Written so that no timestamp overflows.
 */
bool
ms_throttled(const MSTarget *target, TimestampTz last_seen, TimestampTz now)
{
	return target->throttle > 0 && last_seen > now - target->throttle;
}

/* A result that knows nothing of a counter. */
void
ms_result_none(MSOutcome outcome, MSResult *result)
{
	memset(result, 0, sizeof(*result));
	result->outcome = outcome;
	result->count_isnull = true;
	result->first_isnull = true;
	result->last_isnull = true;
}

/* A numeric count as a bigint; false where that cannot hold it. */
static bool
numeric_count(Datum value, int64 *count)
{
	Datum		min = DirectFunctionCall1(int8_numeric,
										  Int64GetDatum(PG_INT64_MIN));
	Datum		max = DirectFunctionCall1(int8_numeric,
										  Int64GetDatum(PG_INT64_MAX));

	if (!DatumGetBool(DirectFunctionCall2(numeric_le, min, value)) ||
		!DatumGetBool(DirectFunctionCall2(numeric_le, value, max)))
		return false;
	*count = DatumGetInt64(DirectFunctionCall1(numeric_int8, value));
	return true;
}

/* A result from a row's count, first_seen and last_seen columns. */
void
ms_result_from_values(const MSTarget *target, Datum *values, bool *isnull,
					  MSResult *result)
{
	ms_result_none(MS_IGNORED, result);
	if (!isnull[0])
	{
		result->count_isnull = false;
		switch (target->kind)
		{
			case MS_COUNT_INT2:
				result->count = DatumGetInt16(values[0]);
				break;
			case MS_COUNT_INT4:
				result->count = DatumGetInt32(values[0]);
				break;
			case MS_COUNT_INT8:
				result->count = DatumGetInt64(values[0]);
				break;
			case MS_COUNT_NUMERIC:
				result->count_isnull = !numeric_count(values[0], &result->count);
				break;
			case MS_COUNT_COUNTER:
				{
					MSCounter  *counter = DatumGetMSCounterP(values[0]);

					result->count = counter->count;
					result->first_isnull = false;
					result->first_seen = counter->first_seen;
					result->last_isnull = false;
					result->last_seen = counter->last_seen;
					return;
				}
		}
	}
	if (!isnull[1])
	{
		result->first_isnull = false;
		result->first_seen = DatumGetTimestampTz(values[1]);
	}
	if (!isnull[2])
	{
		result->last_isnull = false;
		result->last_seen = DatumGetTimestampTz(values[2]);
	}
}

void
ms_set_last_increment(const MSResult *result)
{
	last_result = *result;
	have_last_result = true;
}

/* A NULL key is refused, whoever makes it. */
void
ms_null_key_by_trigger(const MSTarget *target)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("a BEFORE INSERT trigger of table %s set a key column to null",
					target->name),
			 errdetail("A null key conflicts with nothing: every increment would be a new row.")));
}

/* A column that a new counter needs a value for and has none; 0: none. */
static AttrNumber
lacking_column(const MSTarget *target, Relation rel, const MSRow *row)
{
	TupleDesc	desc = RelationGetDescr(rel);

	/* a value for it would be refused, whatever a trigger makes of it */
	for (int i = 0; i < target->nkeys; i++)
	{
		AttrNumber	attno = target->keys[i].column.attno;

		if (ms_is_database_filled(TupleDescAttr(desc, attno - 1)))
			return attno;
	}

	/* a trigger may give it, of a partition too */
	if ((rel->trigdesc != NULL && rel->trigdesc->trig_insert_before_row) ||
		rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return InvalidAttrNumber;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attnotnull || att->attisdropped || !row->isnull[i] ||
			att->atthasdef || att->attidentity != '\0' ||
			att->attnum == target->count || att->attnum == target->first_seen ||
			att->attnum == target->last_seen ||
			bms_is_member(att->attnum, row->given) ||
			build_column_default(rel, att->attnum) != NULL)
			continue;
		return att->attnum;
	}
	return InvalidAttrNumber;
}

/*
 * A new counter needs a value for every NOT NULL column.  Said here, because
 * core's message does not know of increment_row().
 */
void
ms_check_required_columns(const MSTarget *target, Relation rel,
						  const MSRow *row)
{
	AttrNumber	attno = lacking_column(target, rel, row);
	Form_pg_attribute att;
	const char *part = NULL;

	if (attno == InvalidAttrNumber)
		return;
	att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
	if (ms_is_database_filled(att))
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("cannot insert a new counter in table %s: the database fills its key column \"%s\"",
						target->name, NameStr(att->attname)),
				 errdetail("It is a generated column, or GENERATED ALWAYS AS IDENTITY."),
				 errhint("Insert the row first; increments count it by this key.")));
	if (att->atttypid == TIMESTAMPTZOID && target->kind != MS_COUNT_COUNTER)
	{
		if (target->first_seen == InvalidAttrNumber)
			part = "first_seen";
		else if (target->last_seen == InvalidAttrNumber)
			part = "last_seen";
	}
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("a new counter in table %s needs a value for column \"%s\"",
					target->name, NameStr(att->attname)),
			 part != NULL ?
			 errhint("If it is a time of the counter: SELECT missing_symbol.track(%s, %s => %s). Else give it with increment_row(), or give the column a default.",
					 quote_literal_cstr(target->name), part,
					 quote_literal_cstr(NameStr(att->attname))) :
			 errhint("Give it with increment_row(), or give the column a default.")));
}

/*
 * What must hold for any increment.  Temporary tables may be written in a
 * read-only transaction, as with plain SQL.
 */
void
ms_check_may_write(Relation rel)
{
	if (rel->rd_rel->relpersistence != RELPERSISTENCE_TEMP)
		PreventCommandIfReadOnly("increment");
	PreventCommandIfParallelMode("increment");
	PreventCommandDuringRecovery("increment");
}

/* what is spilled of a row's key, to be merged */
typedef struct Merge
{
	MSTarget   *target;
	Relation	rel;
	MSRow	   *row;
	MSResult   *result;
} Merge;

/*
 * Merge what is spilled of a key, by a statement of its own.  Who counted it
 * had the right to; he is the current role.
 */
static void
merge_spilled(void *arg)
{
	Merge	   *merge = arg;
	MSTarget   *target = merge->target;
	MSResult	again;
	MSRow	   *sum;
	int64		n;
	bool		fast = ms_takes_fast_path(target, merge->rel);

	sum = ms_spill_take(target, merge->rel, merge->row, &n);
	if (sum == NULL)
		return;
	PG_TRY();
	{
		ms_apply_begin(target, merge->rel, sum->given, fast, true, false);
		ms_apply_next(target, merge->rel, sum, fast, &again);
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

	/* a trigger may have given the row another key */
	if (again.outcome == MS_SPILLED)
	{
		ms_spill_append(MS_STORE_SPILLED, target, merge->rel, sum, sum->values,
						NULL, NULL);
		return;
	}
	again.outcome = merge->result->outcome;
	*merge->result = again;
	ms_stats_folded(target->relid, n);
}

/*
 * Could merging a delta fail as late as the commit, where there is no
 * subtransaction of ours that it would end?  Foreign and unique keys only look
 * at columns that it fills, as the row was there before.
 */
static bool
may_fail_at_commit(Relation rel, void *arg)
{
	const MSTarget *target = arg;

	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgdeferrable && trigger->tgenabled != TRIGGER_DISABLED &&
			(!trigger->tgisinternal || target->fill != NULL))
			return true;
	}
	return false;
}

/*
 * Whoever holds a row's lock merges what is spilled of its key, at every 16th
 * increment: this transaction has just written the row.  Where that fails, or
 * could fail later, it is left to fold(): the increment has been counted.  Not
 * in the higher isolation levels, whose snapshot may be old, and where reading
 * what others append would make the two depend on each other.
 */
static void
take_spilled(MSTarget *target, Relation rel, MSRow *row, bool fast,
			 MSResult *result)
{
	Merge		merge = {target, rel, row, result};
	Bitmapset  *given = NULL;
	char	   *error;

	if ((result->outcome != MS_INCREMENTED && result->outcome != MS_INSERTED) ||
		++target->spill_turn % 16 != 0 || IsolationUsesXactSnapshot() ||
		!ms_spill_can_take(target, row) ||
		ms_any_table(rel, may_fail_at_commit, target))
		return;

	/* what the statement under way holds is no subtransaction's */
	if (fast)
	{
		given = ms_fast_given(target);
		ms_fast_end(target);
	}
	(void) ms_try(merge_spilled, &merge, &error);
	if (fast)
		ms_fast_begin(target, rel, given, true, false);
}

/* Which path do increments take that begin now? */
bool
ms_takes_fast_path(const MSTarget *target, Relation rel)
{
	return ms_general_reason(target, rel) == NULL && !ms_fast_is_busy(target);
}

/*
 * Begin to apply rows, of which some give columns by name.  permitted: the
 * current role's privileges have been checked, for this target as it is;
 * fresh: the active snapshot has just been taken.
 *
 * Who has begun on the fast path ends with ms_fast_end, or after an error, be
 * it one of this, with ms_fast_abort: only who begins may, it may be in use up
 * the stack.
 */
void
ms_apply_begin(MSTarget *target, Relation rel, Bitmapset *given, bool fast,
			   bool permitted, bool fresh)
{
	ms_check_may_write(rel);
	if (fast)
		ms_fast_begin(target, rel, given, permitted, fresh);
	else if (!permitted)
		ms_privileges_check(ms_privileges_make(target, rel), target, given);
}

/* Apply one of them. */
void
ms_apply_next(MSTarget *target, Relation rel, MSRow *row, bool fast,
			  MSResult *result)
{
	if (fast)
		ms_fast_increment(target, row, result);
	else
		ms_general_increment(target, rel, row, result);
	if (target->spill && !ms_row_is_stored(row))
		take_spilled(target, rel, row, fast, result);
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
			ms_apply_next(target, rel, rows[i], fast, result);
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
 * Does a row lack a column that a new counter needs, and is there nothing
 * that has it: the counter, or an earlier delta of it?
 */
static bool
lacks_column(MSTarget *target, Relation rel, MSRow *row)
{
	int64		sum;

	return lacking_column(target, rel, row) != InvalidAttrNumber &&
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
		ms_stats_early_apply(target->relid);
	if (apply == MS_APPLY_BUFFER)
	{
		ms_buffer_append(target, rel, row);
		return MS_BUFFERED;
	}
	apply_in_order(target, rel, &row, 1, row->given, true, result, counts);
	return result->outcome;
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

		if (lacks_column(target, rel, rows[i]))
			ms_check_required_columns(target, rel, rows[i]);
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
		ms_stats_fallback(target->relid, n);
	if (apply == MS_APPLY_NOW)
		apply_in_order(target, rel, rows, n, given, false, result, counts);
	else
		defer_in_order(target, rel, rows, n, given, apply, result, counts);
}

/*
 * Count by what was set aside, in the row.  Who does that has checked what the
 * current role may.
 */
void
ms_apply_row(MSTarget *target, Relation rel, MSRow *row, MSResult *result)
{
	int64		counts[MS_OUTCOMES] = {0};

	apply_in_order(target, rel, &row, 1, row->given, true, result, counts);
}

/*
 * Increment one counter of an open target.  True, with the new count, where
 * it was counted and the count is known.
 */
bool
ms_increment(MSTarget *target, Relation rel, MSRow *row, int64 *count)
{
	int64		counts[MS_OUTCOMES] = {0};
	MSResult	result;

	ms_increment_in_order(target, rel, &row, 1, row->given, &result, counts);
	ms_stats_count(target->relid, result.outcome);
	ms_set_last_increment(&result);
	*count = result.count;
	return !result.count_isnull && (result.outcome == MS_INSERTED ||
									result.outcome == MS_INCREMENTED);
}

/* Let a row stand for a later one with the same key, too. */
void
ms_merge_row(MSTarget *target, Relation rel, MSRow *into, const MSRow *from)
{
	int			attno = -1;

	if (pg_add_s64_overflow(into->by, from->by, &into->by))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range"),
				 errdetail("The amounts for one key of table %s do not fit into a bigint.",
						   target->name)));
	into->first_seen = Min(into->first_seen, from->first_seen);
	into->last_seen = Max(into->last_seen, from->last_seen);
	while ((attno = bms_next_member(target->fill, attno)) >= 0)
	{
		int			i = attno - 1;

		if (into->isnull[i] && ms_row_fills(from, attno) &&
			(bms_is_member(attno, into->given) ||
			 !bms_is_member(attno, target->defaults)))
		{
			into->values[i] = from->values[i];
			into->isnull[i] = false;
			into->given = bms_add_member(into->given, attno);
		}
	}
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
