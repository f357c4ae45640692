/*-------------------------------------------------------------------------
 *
 * increment.c
 *	  The engine's front: the SQL functions that count, the choice of the
 *	  path, ordered batches, and the outcome.
 *
 * Every function follows one course: open the target, make rows of what was
 * given (input.c), increment them on the fast path or the general one, close
 * the target.  User code (casts, triggers, constraints) can run in it and
 * fail, or count again; so the whole of it stands in a PG_TRY that gives the
 * target back.
 *
 * A batch is sorted and merged by the key before its first row is touched, so
 * that two batches never wait for each other in opposite order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rewrite/rewriteHandler.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

/* of the session's latest increment, for last_increment() */
static MSResult last_result;
static bool have_last_result = false;

static const char *const outcome_names[] = {
	"inserted", "incremented", "throttled", "ignored", "spilled",
	"deferred"
};

StaticAssertDecl(lengthof(outcome_names) == MS_OUTCOMES,
				 "every outcome has a name");

/* key values as a function received them */
typedef struct KeyValues
{
	int			n;
	Oid			types[INDEX_MAX_KEYS];
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];
} KeyValues;

PG_FUNCTION_INFO_V1(ms_increment_any);
PG_FUNCTION_INFO_V1(ms_increment_text);
PG_FUNCTION_INFO_V1(ms_increment_by_any);
PG_FUNCTION_INFO_V1(ms_increment_by_text);
PG_FUNCTION_INFO_V1(ms_increment_row);
PG_FUNCTION_INFO_V1(ms_increment_many);
PG_FUNCTION_INFO_V1(ms_increment_rows);
PG_FUNCTION_INFO_V1(ms_last_increment);
PG_FUNCTION_INFO_V1(ms_value_any);
PG_FUNCTION_INFO_V1(ms_value_text);

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

	if (attno != InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a new counter in table %s needs a value for column \"%s\"",
						target->name,
						NameStr(TupleDescAttr(RelationGetDescr(rel),
											  attno - 1)->attname)),
				 errhint("Give it with increment_row(), or give the column a default.")));
}

/* CONTEXT of every error while counting */
static void
counting_context(void *arg)
{
	errcontext("counting in table %s", ((MSTarget *) arg)->name);
}

/*
 * What must hold for any increment.  Temporary tables may be written in a
 * read-only transaction, as with plain SQL.
 */
static void
check_may_write(Relation rel)
{
	if (rel->rd_rel->relpersistence != RELPERSISTENCE_TEMP)
		PreventCommandIfReadOnly("increment");
	PreventCommandIfParallelMode("increment");
	PreventCommandDuringRecovery("increment");
}

/*
 * Whoever holds a row's lock merges what is spilled of its key, at every 16th
 * increment: this transaction has just written the row.  Not in the higher
 * isolation levels, whose snapshot may be old, and where reading what others
 * append would make the two depend on each other.
 */
static void
take_spilled(MSTarget *target, Relation rel, MSRow *row, bool fast,
			 MSResult *result)
{
	MSResult	again;
	MSRow	   *sum;
	int64		n;

	if ((result->outcome != MS_INCREMENTED && result->outcome != MS_INSERTED) ||
		++target->spill_turn % 16 != 0 || IsolationUsesXactSnapshot())
		return;
	sum = ms_spill_take(target, rel, row, &n);
	if (sum == NULL)
		return;

	if (fast)
	{
		ms_fast_refresh(target);
		ms_fast_increment(target, sum, &again);
	}
	else
		ms_general_increment(target, rel, sum, &again);

	/* a trigger may have given the row another key */
	if (again.outcome == MS_SPILLED)
	{
		ms_spill_append(target, rel, sum, sum->values,
						GetUserNameFromId(GetUserId(), false), NULL);
		return;
	}
	again.outcome = result->outcome;
	*result = again;
	ms_stats_folded(target->relid, n);
}

/* Increment rows now, in the order given. */
static void
apply_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
			   Bitmapset *given, MSResult *result, int64 *counts)
{
	bool		fast = ms_general_reason(target, rel) == NULL &&
		!ms_fast_is_busy(target);

	/* only who begins may clean up: it may be in use up the stack */
	PG_TRY();
	{
		if (fast)
			ms_fast_begin(target, rel, given);
		else
			ms_privileges_check(ms_privileges_make(target, rel), target, given);
		for (int i = 0; i < n; i++)
		{
			if (fast)
				ms_fast_increment(target, rows[i], result);
			else
				ms_general_increment(target, rel, rows[i], result);
			if (target->spill && !rows[i]->folded)
				take_spilled(target, rel, rows[i], fast, result);
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
 * Leave rows to the commit.  What can be refused is refused now: a new
 * counter that lacks a column too, unless an earlier delta may have it.
 */
static void
defer_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
			   Bitmapset *given, MSResult *result, int64 *counts)
{
	int64		sum;

	if (target->privileges == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(target->cxt);

		target->privileges = ms_privileges_make(target, rel);
		MemoryContextSwitchTo(oldcxt);
	}
	ms_privileges_check(target->privileges, target, given);
	if (rel->rd_rel->relkind == RELKIND_RELATION)
	{
		CheckCmdReplicaIdentity(rel, CMD_INSERT);
		CheckCmdReplicaIdentity(rel, CMD_UPDATE);
	}
	for (int i = 0; i < n; i++)
	{
		if (lacking_column(target, rel, rows[i]) != InvalidAttrNumber &&
			!ms_pending_sum(target, rows[i], &sum) &&
			!ms_general_exists(target, rel, rows[i]))
			ms_check_required_columns(target, rel, rows[i]);
		ms_pending_add(target, rel, rows[i]);
		counts[MS_DEFERRED]++;
	}
	ms_result_none(MS_DEFERRED, result);
}

/*
 * Increment rows in the order given; with one row, *result is its outcome.
 * counts gathers the outcomes.
 */
static void
increment_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
				   Bitmapset *given, MSResult *result, int64 *counts)
{
	check_may_write(rel);
	if (ms_pending_defers(target))
		defer_in_order(target, rel, rows, n, given, result, counts);
	else
		apply_in_order(target, rel, rows, n, given, result, counts);
}

/* Increment one counter by what was deferred or spilled. */
void
ms_apply_row(MSTarget *target, Relation rel, MSRow *row, MSResult *result)
{
	int64		counts[MS_OUTCOMES] = {0};

	check_may_write(rel);
	apply_in_order(target, rel, &row, 1, row->given, result, counts);
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

	increment_in_order(target, rel, &row, 1, row->given, &result, counts);
	ms_stats_count(target->relid, result.outcome);
	ms_set_last_increment(&result);
	*count = result.count;
	return !result.count_isnull && (result.outcome == MS_INSERTED ||
									result.outcome == MS_INCREMENTED);
}

/* The key values of a call, from argument first on. */
static void
read_key(FunctionCallInfo fcinfo, int first, bool text, KeyValues *key)
{
	if (!text && !get_fn_expr_variadic(fcinfo->flinfo))
	{
		key->n = PG_NARGS() - first;
		if (key->n > INDEX_MAX_KEYS)
			key->n = INDEX_MAX_KEYS + 1;	/* the count is checked later */
		for (int i = 0; i < Min(key->n, INDEX_MAX_KEYS); i++)
		{
			key->types[i] = get_fn_expr_argtype(fcinfo->flinfo, first + i);
			key->values[i] = PG_GETARG_DATUM(first + i);
			key->isnull[i] = PG_ARGISNULL(first + i);
		}
	}
	else
	{
		ArrayType  *array;
		Datum	   *values;
		bool	   *nulls;
		int16		typlen;
		bool		typbyval;
		char		typalign;

		if (PG_ARGISNULL(first))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the array of key values must not be null")));
		array = PG_GETARG_ARRAYTYPE_P(first);
		get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
		deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval,
						  typalign, &values, &nulls, &key->n);
		for (int i = 0; i < Min(key->n, INDEX_MAX_KEYS); i++)
		{
			key->types[i] = ARR_ELEMTYPE(array);
			key->values[i] = values[i];
			key->isnull[i] = nulls[i];
		}
	}
}

static void
check_key_count(MSTarget *target, Relation rel, int n)
{
	StringInfoData buf;

	if (n == target->nkeys)
		return;

	initStringInfo(&buf);
	for (int arg = 0; arg < target->nkeys; arg++)
	{
		for (int i = 0; i < target->nkeys; i++)
		{
			if (target->argument[i] == arg)
				appendStringInfo(&buf, "%s%s", arg > 0 ? ", " : "",
								 quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(rel),
																		target->keys[i].column.attno - 1)->attname)));
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("wrong number of key values for table %s: %d instead of %d",
					target->name, n, target->nkeys),
			 errhint("Give the values of: %s.", buf.data)));
}

static MSRow *
row_from_key(MSTarget *target, Relation rel, const KeyValues *key)
{
	MSRow	   *row = ms_row_make(rel);

	check_key_count(target, rel, key->n);
	for (int i = 0; i < key->n; i++)
		ms_row_set_key(target, rel, row, i, key->types[i], key->values[i],
					   key->isnull[i]);
	return row;
}

static Oid
target_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Name the table that holds the counters.")));
	return PG_GETARG_OID(0);
}

static int64
by_argument(FunctionCallInfo fcinfo, int n)
{
	int64		by;

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"by\" must not be null")));
	by = PG_GETARG_INT64(n);
	ms_check_by(by);
	return by;
}

/* what a call works on once its target is open */
typedef struct Call
{
	Oid			relid;
	LOCKMODE	lockmode;
	MSTarget   *target;
	Relation	rel;
	void		(*work) (struct Call *call);

	/* the caller's, for work */
	KeyValues	key;
	Datum		fields;
	const char *const *names;
	const Datum *texts;
	int64		by;
	int			nelems;			/* of a batch */
	Oid			elemtype;
	Datum	   *elems;
	bool	   *nulls;
	int64	   *amounts;		/* NULL: 1 each */
	int64		counts[MS_OUTCOMES];

	/* what work found */
	bool		isnull;
	int64		value;
} Call;

/* The course of every function. */
static void
run_call(Call *call)
{
	ErrorContextCallback errcallback;

	call->target = ms_target_open(call->relid, call->lockmode, &call->rel);
	errcallback.callback = counting_context;
	errcallback.arg = call->target;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	PG_TRY();
	{
		call->work(call);
	}
	PG_CATCH();
	{
		ms_target_unpin(call->target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	error_context_stack = errcallback.previous;
	ms_target_close(call->target, call->rel);
}

static void
work_increment(Call *call)
{
	MSRow	   *row = row_from_key(call->target, call->rel, &call->key);

	row->by = call->by;
	call->isnull = !ms_increment(call->target, call->rel, row, &call->value);
}

static void
work_increment_row(Call *call)
{
	MSRow	   *row = ms_row_make(call->rel);

	ms_row_from_jsonb(call->target, call->rel, row, call->fields);
	row->by = call->by;
	call->isnull = !ms_increment(call->target, call->rel, row, &call->value);
}

static void
work_increment_texts(Call *call)
{
	MSRow	   *row = ms_row_make(call->rel);

	ms_row_from_texts(call->target, call->rel, row, call->names, call->nelems,
					  call->texts, call->nulls);
	row->by = call->by;
	call->isnull = !ms_increment(call->target, call->rel, row, &call->value);
}

/*
 * Increment the counter of a table whose key is among n texts, columns by
 * name; names must be a constant array.  True, with the new count, where it
 * was counted.
 */
bool
ms_increment_texts(Oid relid, const char *const *names, int n,
				   const Datum *values, const bool *isnull, int64 by,
				   int64 *count)
{
	Call		call;

	call.relid = relid;
	call.lockmode = RowExclusiveLock;
	call.work = work_increment_texts;
	call.names = names;
	call.nelems = n;
	call.texts = values;
	call.nulls = (bool *) isnull;
	call.by = by;
	run_call(&call);
	*count = call.value;
	return !call.isnull;
}

static void
work_value(Call *call)
{
	MSRow	   *row = row_from_key(call->target, call->rel, &call->key);

	ms_general_value(call->target, call->rel, row, &call->isnull, &call->value);
	ms_total_value(call->target, call->rel, row, &call->isnull, &call->value);
}

/* increment() and increment_by(): by NULL pointer means 1 */
static Datum
increment_by_key(FunctionCallInfo fcinfo, bool has_by, bool text)
{
	Call		call;

	call.relid = target_argument(fcinfo);
	call.lockmode = RowExclusiveLock;
	call.work = work_increment;
	call.by = has_by ? by_argument(fcinfo, 1) : 1;
	read_key(fcinfo, has_by ? 2 : 1, text, &call.key);
	run_call(&call);
	if (call.isnull)
		PG_RETURN_NULL();
	PG_RETURN_INT64(call.value);
}

Datum
ms_increment_any(PG_FUNCTION_ARGS)
{
	return increment_by_key(fcinfo, false, false);
}

Datum
ms_increment_text(PG_FUNCTION_ARGS)
{
	return increment_by_key(fcinfo, false, true);
}

Datum
ms_increment_by_any(PG_FUNCTION_ARGS)
{
	return increment_by_key(fcinfo, true, false);
}

Datum
ms_increment_by_text(PG_FUNCTION_ARGS)
{
	return increment_by_key(fcinfo, true, true);
}

/* increment_row(target, fields, by) */
Datum
ms_increment_row(PG_FUNCTION_ARGS)
{
	Call		call;

	call.relid = target_argument(fcinfo);
	call.lockmode = RowExclusiveLock;
	call.work = work_increment_row;
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("fields must not be null")));
	call.fields = PG_GETARG_DATUM(1);
	call.by = by_argument(fcinfo, 2);
	run_call(&call);
	if (call.isnull)
		PG_RETURN_NULL();
	PG_RETURN_INT64(call.value);
}

static Datum
value(FunctionCallInfo fcinfo, bool text)
{
	Call		call;

	call.relid = target_argument(fcinfo);
	call.lockmode = AccessShareLock;
	call.work = work_value;
	read_key(fcinfo, 1, text, &call.key);
	run_call(&call);
	if (call.isnull)
		PG_RETURN_NULL();
	PG_RETURN_INT64(call.value);
}

Datum
ms_value_any(PG_FUNCTION_ARGS)
{
	return value(fcinfo, false);
}

Datum
ms_value_text(PG_FUNCTION_ARGS)
{
	return value(fcinfo, true);
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

/*
 * Batches
 */

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

		if (into->isnull[i] && !from->isnull[i] &&
			(bms_is_member(attno, into->given) ||
			 !TupleDescAttr(RelationGetDescr(rel), i)->atthasdef))
		{
			into->values[i] = from->values[i];
			into->isnull[i] = false;
			into->given = bms_add_member(into->given, attno);
		}
	}
}

/*
 * Sort rows by key and merge equal ones; the number that is left.  Under a
 * throttle only the first counts, as if they had come one by one.
 */
static int
sort_and_merge(MSTarget *target, Relation rel, MSRow **rows, int n)
{
	int			left = 0;
	bool	   *duplicate;

	if (n < 2)
		return n;
	duplicate = palloc(n);
	ms_sort_rows(target, rows, n, duplicate);
	for (int i = 1; i < n; i++)
	{
		if (!duplicate[i])
			rows[++left] = rows[i];
		else if (target->throttle == 0)
			ms_merge_row(target, rel, rows[left], rows[i]);
	}
	return left + 1;
}

static void
run_batch(Call *call, MSRow **rows)
{
	Bitmapset  *given = NULL;
	MSResult	result;
	int			n;

	for (int i = 0; i < call->nelems; i++)
	{
		rows[i]->ordinal = i;
		rows[i]->by = call->amounts != NULL ? call->amounts[i] : 1;
	}
	n = sort_and_merge(call->target, call->rel, rows, call->nelems);
	for (int i = 0; i < n; i++)
	{
		if (rows[i]->given != NULL)
			given = bms_add_members(given, rows[i]->given);
	}
	if (n > 0)
	{
		increment_in_order(call->target, call->rel, rows, n, given, &result,
						   call->counts);
		ms_stats_count_many(call->relid, call->counts);
	}
}

static MSRow **
allocate_rows(int n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext,
								  sizeof(MSRow *) * Max(n, 1));
}

static void
work_many(Call *call)
{
	MSRow	  **rows = allocate_rows(call->nelems);

	if (call->target->nkeys != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key of table %s has %d columns",
						call->target->name, call->target->nkeys),
				 errhint("Use increment_rows() with an array of JSON objects.")));
	for (int i = 0; i < call->nelems; i++)
	{
		rows[i] = ms_row_make(call->rel);
		ms_row_set_key(call->target, call->rel, rows[i], 0, call->elemtype,
					   call->elems[i], call->nulls[i]);
	}
	run_batch(call, rows);
}

static void
work_rows(Call *call)
{
	Jsonb	   *json = DatumGetJsonbP(call->fields);
	MSRow	  **rows = allocate_rows(call->nelems);

	for (int i = 0; i < call->nelems; i++)
	{
		JsonbValue *v = getIthJsonbValueFromContainer(&json->root, i);

		CHECK_FOR_INTERRUPTS();
		rows[i] = ms_row_make(call->rel);
		ms_row_from_jsonb(call->target, call->rel, rows[i],
						  JsonbPGetDatum(JsonbValueToJsonb(v)));
	}
	run_batch(call, rows);
}

/* The amounts of a batch; NULL means 1 for each. */
static int64 *
read_amounts(FunctionCallInfo fcinfo, int arg, int nelems)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int64	   *result;

	if (PG_ARGISNULL(arg))
		return NULL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), INT8OID, sizeof(int64),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	if (n != nelems)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("wrong number of amounts: %d for %d keys", n, nelems),
				 errhint("\"by\" must have one element for each key, or be null for 1 each.")));
	result = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("\"by\" must not contain null")));
		result[i] = DatumGetInt64(values[i]);
		ms_check_by(result[i]);
	}
	return result;
}

/* (inserted, incremented, throttled, spilled, deferred, ignored) */
static Datum
batch_result(FunctionCallInfo fcinfo, const int64 *counts)
{
	TupleDesc	desc;
	Datum		values[6];
	bool		isnull[6] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(counts[MS_INSERTED]);
	values[1] = Int64GetDatum(counts[MS_INCREMENTED]);
	values[2] = Int64GetDatum(counts[MS_THROTTLED]);
	values[3] = Int64GetDatum(counts[MS_SPILLED]);
	values[4] = Int64GetDatum(counts[MS_DEFERRED]);
	values[5] = Int64GetDatum(counts[MS_IGNORED]);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 isnull));
}

/* increment_many(target, keys anyarray, by bigint[]) */
Datum
ms_increment_many(PG_FUNCTION_ARGS)
{
	Call		call = {0};
	ArrayType  *array;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	call.relid = target_argument(fcinfo);
	call.lockmode = RowExclusiveLock;
	call.work = work_many;
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("keys must not be null")));
	array = PG_GETARG_ARRAYTYPE_P(1);
	call.elemtype = ARR_ELEMTYPE(array);
	get_typlenbyvalalign(call.elemtype, &typlen, &typbyval, &typalign);
	deconstruct_array(array, call.elemtype, typlen, typbyval, typalign,
					  &call.elems, &call.nulls, &call.nelems);
	call.amounts = read_amounts(fcinfo, 2, call.nelems);
	run_call(&call);
	return batch_result(fcinfo, call.counts);
}

/* increment_rows(target, rows jsonb, by bigint[]) */
Datum
ms_increment_rows(PG_FUNCTION_ARGS)
{
	Call		call = {0};
	Jsonb	   *json;

	call.relid = target_argument(fcinfo);
	call.lockmode = RowExclusiveLock;
	call.work = work_rows;
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("rows must not be null")));
	json = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows must be a JSON array of objects"),
				 errhint("increment_row() takes a single object.")));
	call.fields = JsonbPGetDatum(json);
	call.nelems = JB_ROOT_COUNT(json);
	call.amounts = read_amounts(fcinfo, 2, call.nelems);
	run_call(&call);
	return batch_result(fcinfo, call.counts);
}
