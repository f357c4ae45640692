/*-------------------------------------------------------------------------
 *
 * discard.c
 *	  What has been counted, and is taken: by discard(), discard_row() and
 *	  discard_all() increments that have not reached their row; by reset(),
 *	  set_count() and reset_all() a count, which begins again.
 *
 * What is set aside, whoever has counted it, is deleted in the caller's
 * transaction; what that has deferred is discarded at the level of its
 * savepoint.  So ROLLBACK, and ROLLBACK TO, bring back all of it.
 *
 * To discard takes the rights of a DELETE of the key's row: whether there is one
 * does not matter.  Policies are asked of rows; so to whom row security applies
 * discards only what is his own table's.
 *
 * discard_all() reads nothing of what it throws away, and asks nothing of the
 * table: it serves where that cannot be counted in any more, or a key cannot
 * be read.
 *
 * A count that begins again is returned with what is set aside and deferred of
 * it.  The order of locks is that of flush(): the lock of the table's flushes,
 * the row, what is set aside; so what another transaction appends meanwhile
 * comes after.  The row is written by SQL as the caller, who needs the rights of
 * that UPDATE; triggers, constraints and policies are asked as ever.  No bound
 * is: whoever sets a count says what it is to be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "counter/counter.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

PG_FUNCTION_INFO_V1(ms_discard_any);
PG_FUNCTION_INFO_V1(ms_discard_text);
PG_FUNCTION_INFO_V1(ms_discard_row);
PG_FUNCTION_INFO_V1(ms_discard_all);
PG_FUNCTION_INFO_V1(ms_reset_any);
PG_FUNCTION_INFO_V1(ms_reset_text);
PG_FUNCTION_INFO_V1(ms_reset_row);
PG_FUNCTION_INFO_V1(ms_set_count_any);
PG_FUNCTION_INFO_V1(ms_set_count_text);
PG_FUNCTION_INFO_V1(ms_set_count_row);
PG_FUNCTION_INFO_V1(ms_reset_all);

/* May the current role read the columns of the key; target NULL: any column? */
static bool
may_select(Oid relid, const MSTarget *target)
{
	Oid			role = GetUserId();

	if (pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK)
		return true;
	if (target == NULL)
		return pg_attribute_aclcheck_all(relid, role, ACL_SELECT,
										 ACLMASK_ANY) == ACLCHECK_OK;
	for (int i = 0; i < target->nargs; i++)
	{
		if (pg_attribute_aclcheck(relid, target->args[i].attno, role,
								  ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

static void
check_may_discard(Relation rel, const MSTarget *target)
{
	Oid			relid = RelationGetRelid(rel);

	if (object_ownercheck(RelationRelationId, relid, GetUserId()))
		return;
	if (rel->rd_rel->relrowsecurity &&
		check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s to discard its increments, because row security applies to role \"%s\"",
						RelationGetRelationName(rel),
						GetUserNameFromId(GetUserId(), false)),
				 errhint("Have the table's owner discard them.")));
	if (pg_class_aclcheck(relid, GetUserId(), ACL_DELETE) != ACLCHECK_OK ||
		!may_select(relid, target))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s",
						RelationGetRelationName(rel)),
				 errhint("To discard increments takes what a DELETE of their row takes: DELETE on the table, and SELECT on the key.")));
}

/* In a trigger of what is being merged, it would be in the way of that. */
void
ms_check_may_take(const char *function)
{
	if (ms_folding())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("%s cannot be called while increments are being merged",
						function),
				 errhint("Do not call it from a trigger that increments fire.")));
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	PreventCommandDuringRecovery(function);
}

static void
discard_key(MSTarget *target, Relation rel, MSRow *row, void *arg)
{
	int64	   *n = arg;

	check_may_discard(rel, target);
	*n = ms_spill_discard(target, rel, row) + ms_pending_discard(target, row);
}

static Datum
discard(FunctionCallInfo fcinfo, MSKeyForm form, const char *function)
{
	int64		n;

	ms_check_may_take(function);
	ms_call_with_key(fcinfo, 1, form, MS_TO_FIND, RowExclusiveLock,
					 discard_key, &n);
	PG_RETURN_INT64(n);
}

/* discard(target, VARIADIC key) -> how many deltas */
Datum
ms_discard_any(PG_FUNCTION_ARGS)
{
	return discard(fcinfo, MS_KEY_ANY, "discard()");
}

Datum
ms_discard_text(PG_FUNCTION_ARGS)
{
	return discard(fcinfo, MS_KEY_TEXTS, "discard()");
}

/* discard_row(target, key jsonb): columns by name */
Datum
ms_discard_row(PG_FUNCTION_ARGS)
{
	return discard(fcinfo, MS_KEY_NAMED, "discard_row()");
}

/* discard_all(target): those of all keys */
Datum
ms_discard_all(PG_FUNCTION_ARGS)
{
	Oid			relid;
	Relation	rel;
	int64		n;

	ms_check_may_take("discard_all()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Name the table that holds the counters.")));
	relid = PG_GETARG_OID(0);
	rel = try_relation_open(relid, RowExclusiveLock);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid),
				 errhint("It may have been dropped; name an existing table.")));
	check_may_discard(rel, NULL);
	n = ms_spill_discard_all(relid) + ms_pending_discard_all(relid);
	relation_close(rel, NoLock);
	PG_RETURN_INT64(n);
}

/*
 * A count that begins again
 */

/* rows that are there as one is made, and gone as it is looked for */
#define MAX_TRIES	100

/* a call, and what the count was */
typedef struct Reset
{
	bool		sets;			/* a count; else all begins again */
	int64		count;
	bool		isnull;
	int64		old;
} Reset;

/* parameters behind those of the key */
enum
{
	PARAM_COUNT,
	PARAM_SEEN,					/* when it is seen; null: as before */
	PARAM_WINDOW,
	PARAM_BUCKET,
	PARAMS
};

/* a statement over the row of a key, or all rows that are counters */
typedef struct Statement
{
	MSTarget   *target;
	int			nargs;
	Oid			types[INDEX_MAX_KEYS + PARAMS];
	Datum		values[INDEX_MAX_KEYS + PARAMS];
	char		nulls[INDEX_MAX_KEYS + PARAMS];
} Statement;

static void
add_param(Statement *statement, Oid type, Datum value, bool isnull)
{
	statement->types[statement->nargs] = type;
	statement->values[statement->nargs] = value;
	statement->nulls[statement->nargs++] = isnull ? 'n' : ' ';
}

/* Run a statement, in SPI; how many rows. */
static uint64
run(Statement *statement, const char *sql, bool read_only)
{
	MSTarget   *target = statement->target;
	MSParams	params = {target, statement->nargs, statement->types};
	SPIPlanPtr	plan;
	ParamListInfo list = NULL;
	int			rc;

	plan = !ms_has_trees(target) ?
		SPI_prepare(sql, statement->nargs, statement->types) :
		SPI_prepare_params(sql, ms_params_setup, &params, 0);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", sql,
			 SPI_result_code_string(SPI_result));
	ms_check_plan(target, plan);
	if (!ms_has_trees(target))
		rc = SPI_execute_plan(plan, statement->values, statement->nulls,
							  read_only, 0);
	else
	{
		list = makeParamList(statement->nargs);
		for (int i = 0; i < statement->nargs; i++)
		{
			list->params[i].value = statement->values[i];
			list->params[i].isnull = statement->nulls[i] == 'n';
			list->params[i].pflags = PARAM_FLAG_CONST;
			list->params[i].ptype = statement->types[i];
		}
		rc = SPI_execute_plan_with_paramlist(plan, list, read_only, 0);
	}
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(rc));
	return SPI_processed;
}

/* Begin with the key; the nulls of it, a bit each, where they are values. */
static uint32
add_key(Statement *statement, const MSRow *row)
{
	MSTarget   *target = statement->target;
	uint32		nulls = 0;

	for (int i = 0; i < target->nkeys; i++)
	{
		int			place = target->keys[i].column.attno - 1;

		add_param(statement, target->keys[i].column.typid,
				  row->values[place], row->isnull[place]);
		if (target->nulls && row->isnull[place])
			nulls |= (uint32) 1 << i;
	}
	return nulls;
}

/*
 * What a count begins with: so long ago that a throttle lets it be counted, but
 * that a count that is set keeps its times where it can.
 */
static void
add_start(Statement *statement, const Reset *call, TimestampTz now)
{
	const MSTarget *target = statement->target;
	MSCountKind kind = target->kind;

	add_param(statement,
			  kind == MS_COUNT_NUMERIC ? NUMERICOID :
			  kind == MS_COUNT_FLOAT4 ? FLOAT4OID :
			  kind == MS_COUNT_FLOAT8 ? FLOAT8OID : INT8OID,
			  ms_counts_whole(kind) ? Int64GetDatum(call->count) :
			  ms_amount(kind, call->count), false);
	add_param(statement, TIMESTAMPTZOID,
			  TimestampTzGetDatum(now - target->throttle),
			  call->sets && target->throttle == 0);
	add_param(statement, TIMESTAMPTZOID,
			  TimestampTzGetDatum(target->limits.window == InvalidAttrNumber ?
								  now : ms_window_start(&target->limits, now)),
			  false);
	add_param(statement, TIMESTAMPTZOID, TimestampTzGetDatum(now), false);
}

/* ", c = ..": a time, of which nothing is later */
static void
append_time(StringInfo sql, const MSTarget *target, Relation rel,
			AttrNumber attno, const MSTimeColumn *column, bool sets,
			const char *seen)
{
	const char *name;

	if (attno == InvalidAttrNumber || (sets && column->local))
		return;
	name = quote_identifier(ms_column_name(rel, attno));
	appendStringInfo(sql, ", %s = ", name);
	if (sets)
		appendStringInfo(sql, "LEAST(t.%s, %s)", name, seen);
	else if (column->local)
		ms_append_local_time(sql, target, seen);
	else
		appendStringInfoString(sql, seen);
}

/* "UPDATE .. SET ..": first is the first of the parameters. */
static void
append_update(StringInfo sql, MSTarget *target, Relation rel, bool sets,
			  int first)
{
	const char *count = quote_identifier(ms_column_name(rel, target->count));
	const char *seen = psprintf("$%d", first + PARAM_SEEN);

	appendStringInfoString(sql, "UPDATE ");
	ms_append_table(sql, target, rel);
	appendStringInfo(sql, " SET %s = ", count);
	if (target->kind != MS_COUNT_COUNTER)
		appendStringInfo(sql, "$%d", first + PARAM_COUNT);
	else if (sets)
		appendStringInfo(sql, "missing_symbol.counted(NULL, $%d, LEAST(missing_symbol.first_seen(t.%s), %s), LEAST(missing_symbol.last_seen(t.%s), %s))",
						 first + PARAM_COUNT, count, seen, count, seen);
	else
		appendStringInfo(sql, "missing_symbol.counted(NULL, $%d, %s, %s)",
						 first + PARAM_COUNT, seen, seen);
	for (int i = 1; !sets && i < target->ncounts; i++)
		appendStringInfo(sql, ", %s = '0'",
						 quote_identifier(ms_column_name(rel,
														 target->merged[i].attno)));
	append_time(sql, target, rel, target->first_seen, &target->first_time,
				sets, seen);
	append_time(sql, target, rel, target->last_seen, &target->last_time,
				sets, seen);
	if (target->limits.window != InvalidAttrNumber)
		appendStringInfo(sql, ", %s = $%d",
						 quote_identifier(ms_column_name(rel,
														 target->limits.window)),
						 first + PARAM_WINDOW);
	if (target->limits.bucket != InvalidAttrNumber)
		appendStringInfo(sql, ", %s = $%d",
						 quote_identifier(ms_column_name(rel,
														 target->limits.bucket)),
						 first + PARAM_BUCKET);
	appendStringInfoString(sql, " WHERE ");
}

/* What has been taken would be lost. */
static void
kept_by_trigger(const MSTarget *target)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a row of table %s could not be set: a trigger or a policy keeps it as it is",
					target->name),
			 errhint("Do it as a role that may write the row, or without that trigger.")));
}

/* Lock the row of a key; false where there is none that the role sees. */
static bool
lock_row(MSTarget *target, Relation rel, const MSRow *row)
{
	Statement	statement = {.target = target};
	uint32		nulls = add_key(&statement, row);
	StringInfoData sql;
	bool		found;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT FROM ");
	ms_append_table(&sql, target, rel);
	appendStringInfoString(&sql, " WHERE ");
	ms_append_key_condition(&sql, target, rel, nulls);
	appendStringInfoString(&sql, " FOR NO KEY UPDATE");
	found = run(&statement, sql.data, false) > 0;
	SPI_finish();
	return found;
}

/*
 * Write the row of a key, which is locked.  Where there is none, only the rights
 * are asked: one that has come since is not ours.
 */
static void
write_row(MSTarget *target, Relation rel, const MSRow *row, const Reset *call,
		  bool found)
{
	Statement	statement = {.target = target};
	uint32		nulls = add_key(&statement, row);
	StringInfoData sql;
	uint64		n;

	add_start(&statement, call, ms_clock());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	initStringInfo(&sql);
	append_update(&sql, target, rel, call->sets, target->nkeys + 1);
	ms_append_key_condition(&sql, target, rel, nulls);
	if (!found)
		appendStringInfoString(&sql, " AND false");
	n = run(&statement, sql.data, false);
	SPI_finish();
	if (found && n == 0)
		kept_by_trigger(target);
}

/* Make the row of a count that is set; false where there is one by now. */
static bool
make_row(MSTarget *target, Relation rel, MSRow *row, const Reset *call)
{
	MSAsk		ask = {.is_new = true};
	MSResult	result;

	row->ask = &ask;
	row->by = call->count;
	ms_privileges_check(ms_privileges_of(target, rel), target, row->given);
	ms_apply_row(target, rel, row, &result);
	row->ask = NULL;
	if (result.outcome == MS_ABSENT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has no row of this key, and counting makes none",
						target->name),
				 errhint("INSERT the row, or have rows made: SELECT missing_symbol.configure(%s, '{\"insert\": null}').",
						 quote_literal_cstr(target->name))));
	return result.outcome != MS_REFUSED;
}

/* Are increments of a table set aside? */
static bool
sets_aside(const MSTarget *target)
{
	return target->spill || target->apply == MS_APPLY_BUFFER;
}

/*
 * Can anything be set aside of a table?  Where nothing can, who has locked rows
 * of it may still reset them: there is no other lock to wait for.
 */
static bool
may_be_aside(const MSTarget *target)
{
	Snapshot	snapshot;
	bool		result;

	if (sets_aside(target))
		return true;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	result = ms_spill_exists(target->relid, snapshot);
	UnregisterSnapshot(snapshot);
	return result;
}

/* Policies are asked of rows; what is set aside has none. */
static void
check_row_security(MSTarget *target, Relation rel, const MSRow *row)
{
	Snapshot	snapshot;
	bool		aside;

	if (!ms_row_security_applies(target, InvalidOid) ||
		object_ownercheck(RelationRelationId, target->relid, GetUserId()))
		return;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	aside = ms_spill_has_key(target, rel, row, snapshot);
	UnregisterSnapshot(snapshot);
	if (aside)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s to take its increments, because row security applies to role \"%s\"",
						RelationGetRelationName(rel),
						GetUserNameFromId(GetUserId(), false)),
				 errhint("Merge them first: SELECT missing_symbol.flush(). Or have the table's owner do it.")));
}

static void
add_taken(const MSRow *row, void *arg)
{
	ms_value_add(arg, row);
}

/*
 * Take all of a key that is beside its row, aside if anything can be there, and
 * read that, which is locked, if it is not a new one; how many deltas.
 */
static int64
take(MSTarget *target, Relation rel, MSRow *row, Reset *call, bool found,
	 bool aside)
{
	MSKeyValue	value;
	MSResult	counter;
	const MSRow *pending;
	int64		taken = 0;

	ms_result_none(MS_ABSENT, &counter);
	if (found)
	{
		CommandCounterIncrement();
		PushActiveSnapshot(IsolationUsesXactSnapshot() ?
						   GetTransactionSnapshot() : GetLatestSnapshot());
		(void) ms_total_read(target, rel, row, &counter, NULL);
		PopActiveSnapshot();
	}
	ms_value_begin(&value, target, &counter);
	value.taken = true;
	if (aside)
		taken = ms_spill_take_all(target, rel, row, add_taken, &value);
	if ((pending = ms_pending_row(target, rel, row)) != NULL)
	{
		ms_value_add(&value, pending);
		(void) ms_pending_discard(target, row);
	}
	call->isnull = !ms_value_end(&value, rel, &call->old);
	return taken;
}

/* There is a row wherever one is made, and none where it is looked for. */
static void
never_found(const MSTarget *target)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a count of table %s cannot be set: the row of the key is hidden",
					target->name),
			 errdetail("Row security hides it from the current role, or a trigger gives new rows another key."),
			 errhint("Set it as a role that sees the row, and by the key that rows have.")));
}

static void
reset(MSTarget *target, Relation rel, MSRow *row, void *arg)
{
	Reset	   *call = arg;
	int			tries = 0;
	bool		aside = may_be_aside(target);
	int64		taken;
	bool		found;

	check_row_security(target, rel, row);
	if (call->sets)
		ms_check_count(target, call->count);
	if (aside)
		ms_lock_flush(target->relid);
	while (!(found = lock_row(target, rel, row)) && call->sets &&
		   !make_row(target, rel, row, call))
	{
		CHECK_FOR_INTERRUPTS();
		if (++tries == MAX_TRIES)
			never_found(target);
	}
	taken = take(target, rel, row, call, found, aside);
	if (found || !call->sets)
		write_row(target, rel, row, call, found);

	/* who flushes locks rows of what is set aside: there is nothing, nor will be */
	if (aside && taken == 0 && !sets_aside(target))
		ms_unlock_flush(target->relid);
}

static Datum
run_reset(FunctionCallInfo fcinfo, const char *function, int first,
		  MSKeyForm form, Reset *call)
{
	ms_check_may_take(function);
	ms_call_with_key(fcinfo, first, form,
					 call->sets ? MS_TO_SET : MS_TO_FIND, RowExclusiveLock,
					 reset, call);
	if (call->isnull)
		PG_RETURN_NULL();
	PG_RETURN_INT64(call->old);
}

/* reset(target, VARIADIC key) -> the count that it had */
Datum
ms_reset_any(PG_FUNCTION_ARGS)
{
	Reset		call = {0};

	return run_reset(fcinfo, "reset()", 1, MS_KEY_ANY, &call);
}

Datum
ms_reset_text(PG_FUNCTION_ARGS)
{
	Reset		call = {0};

	return run_reset(fcinfo, "reset()", 1, MS_KEY_TEXTS, &call);
}

/* reset_row(target, key jsonb): columns by name */
Datum
ms_reset_row(PG_FUNCTION_ARGS)
{
	Reset		call = {0};

	return run_reset(fcinfo, "reset_row()", 1, MS_KEY_NAMED, &call);
}

/* set_count(target, n, VARIADIC key) -> the count that it had */
static Datum
set_count(FunctionCallInfo fcinfo, int n, int first, MSKeyForm form)
{
	Reset		call = {.sets = true};

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not be null", "n")));
	call.count = PG_GETARG_INT64(n);
	return run_reset(fcinfo, "set_count()", first, form, &call);
}

Datum
ms_set_count_any(PG_FUNCTION_ARGS)
{
	return set_count(fcinfo, 1, 2, MS_KEY_ANY);
}

Datum
ms_set_count_text(PG_FUNCTION_ARGS)
{
	return set_count(fcinfo, 1, 2, MS_KEY_TEXTS);
}

/* set_count_row(target, fields jsonb, n) */
Datum
ms_set_count_row(PG_FUNCTION_ARGS)
{
	return set_count(fcinfo, 2, 1, MS_KEY_NAMED);
}

/* Let all counters of a table begin again, which is locked. */
static void
reset_rows(MSTarget *target, Relation rel)
{
	Statement	statement = {.target = target};
	Reset		call = {0};
	StringInfoData sql;
	uint64		n;
	bool		isnull;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT pg_catalog.count(*) FROM ");
	ms_append_table(&sql, target, rel);
	appendStringInfoString(&sql, " WHERE ");
	ms_append_counters(&sql, target, rel);
	(void) run(&statement, sql.data, false);
	n = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
									SPI_tuptable->tupdesc, 1, &isnull));

	add_start(&statement, &call, ms_clock());
	resetStringInfo(&sql);
	append_update(&sql, target, rel, false, 1);
	ms_append_counters(&sql, target, rel);
	if (run(&statement, sql.data, false) != n)
		kept_by_trigger(target);
	SPI_finish();
	(void) ms_spill_discard_all(target->relid);
	(void) ms_pending_discard_all(target->relid);
}

/* reset_all(NULL::table): its rows as they were, with all that was counted */
Datum
ms_reset_all(PG_FUNCTION_ARGS)
{
	Oid			relid = ms_total_relid(fcinfo, "reset_all");
	AclResult	result;

	ms_check_may_take("reset_all()");

	/* before it is locked against all who count */
	result = pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE);
	if (result == ACLCHECK_OK)
		result = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);
	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_TABLE, get_rel_name(relid));
	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot reset all of table %s: row security applies to role \"%s\"",
						get_rel_name(relid),
						GetUserNameFromId(GetUserId(), false)),
				 errhint("reset() the keys that the role sees, or have the table's owner do it.")));
	ms_lock_flush(relid);
	ms_total_rows(fcinfo, relid, ShareRowExclusiveLock, reset_rows);
	return (Datum) 0;
}
