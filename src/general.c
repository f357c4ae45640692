/*-------------------------------------------------------------------------
 *
 * general.c
 *	  Increments of any table, through SQL plans: partitions, row security,
 *	  statement triggers and whatever else the fast path leaves to core.
 *
 * One increment: UPDATE; if no row was reached, INSERT ... ON CONFLICT DO
 * UPDATE, which core makes atomic, so there is no loop that could go on
 * forever over a row that row security or a trigger hides.
 *
 * - The UPDATE joins the row to itself FOR NO KEY UPDATE, so that the new
 *   values, and the clock among them, are computed after the row is locked.
 * - missing_symbol.reached(condition) notes that an existing row was reached
 *   and locked, and whether the condition (the throttle) held.  That tells
 *   inserted from incremented, and a throttled row from one that a BEFORE
 *   trigger kept as it was, on every version and for partitions too, where
 *   xmax does not.
 * - Core computes a new row before it waits for another one's insertion.  So
 *   that the clock is read after the wait, we wait first.  (Not for
 *   partitions: which one gets the row is core's knowledge.)
 * - Operators are the key index's own, schema-qualified; ONLY, except for a
 *   partitioned table, because an inheritance child's row is not the key's.
 * - With spill the rows are locked with SKIP LOCKED, and a key is inserted
 *   only where nobody else is about to (probe.c).  Only an INSERT of the same
 *   key that does not come from here, in the moment between probe and
 *   insertion, is waited for.
 * - Generic plans, made with enable_seqscan off: a plan made while the table
 *   was tiny would stay a sequential scan.
 *
 * Plans are kept in the target, one set for each set of given columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

typedef struct MSPlans
{
	Bitmapset  *given;			/* NULL: an increment that gives only the key */
	SPIPlanPtr	read;			/* the row as it is, for the throttle */
	SPIPlanPtr	update;
	SPIPlanPtr	update_aside;	/* the same without waiting for the row */
	SPIPlanPtr	insert;
} MSPlans;

/* What reached() saw during the statement that is running. */
typedef struct Reached
{
	bool		seen;			/* a row was seen, before locking it */
	bool		row;			/* an existing row was reached and locked */
	bool		condition;		/* and the condition held */
} Reached;

static Reached *current_reached = NULL;

PG_FUNCTION_INFO_V1(ms_reached);
PG_FUNCTION_INFO_V1(ms_seen);
PG_FUNCTION_INFO_V1(ms_counted);

/* reached(condition) -> condition */
Datum
ms_reached(PG_FUNCTION_ARGS)
{
	bool		condition = PG_GETARG_BOOL(0);

	if (current_reached != NULL)
	{
		current_reached->row = true;
		current_reached->condition = condition;
	}
	PG_RETURN_BOOL(condition);
}

/* seen() -> true */
Datum
ms_seen(PG_FUNCTION_ARGS)
{
	if (current_reached != NULL)
		current_reached->seen = true;
	PG_RETURN_BOOL(true);
}

/*
 * counted(counter, by, first, last) -> counter: a column of type counter after
 * an increment; a null counter is a new one, null times mean now.
 */
Datum
ms_counted(PG_FUNCTION_ARGS)
{
	MSCounter  *result = palloc(sizeof(MSCounter));
	int64		by = PG_GETARG_INT64(1);
	TimestampTz last = PG_ARGISNULL(3) ? ms_clock() : PG_GETARG_TIMESTAMPTZ(3);

	if (PG_ARGISNULL(0))
	{
		ms_counter_init(result, by, last);
		if (!PG_ARGISNULL(2))
			result->first_seen = PG_GETARG_TIMESTAMPTZ(2);
	}
	else
		ms_counter_add(result, PG_GETARG_MSCOUNTER_P(0), by, last);
	ms_counter_check(result);	/* anybody can call this */
	PG_RETURN_MSCOUNTER_P(result);
}

/* Numbers of a plan's parameters: the key's come first. */
static int
by_param(const MSTarget *target)
{
	return target->nkeys + 1;
}

static int
first_param(const MSTarget *target)
{
	return target->nkeys + 2;
}

static int
last_param(const MSTarget *target)
{
	return target->nkeys + 3;
}

static const char *
column(Relation rel, AttrNumber attno)
{
	return quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(rel),
												  attno - 1)->attname));
}

/* "t.k OPERATOR(pg_catalog.=) $1 AND ..." */
void
ms_append_key_condition(StringInfo sql, MSTarget *target, Relation rel)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		HeapTuple	tuple = SearchSysCache1(OPEROID,
											ObjectIdGetDatum(target->keys[i].eqop));
		Form_pg_operator op;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator %u",
				 target->keys[i].eqop);
		op = (Form_pg_operator) GETSTRUCT(tuple);
		appendStringInfo(sql, "%st.%s OPERATOR(%s.%s) $%d",
						 i > 0 ? " AND " : "",
						 column(rel, target->keys[i].column.attno),
						 quote_identifier(get_namespace_name(op->oprnamespace)),
						 NameStr(op->oprname), i + 1);
		ReleaseSysCache(tuple);
	}
}

/* "ONLY schema.table AS t" */
void
ms_append_table(StringInfo sql, MSTarget *target, Relation rel)
{
	appendStringInfo(sql, "%s%s AS t",
					 rel->rd_rel->relkind == RELKIND_RELATION ? "ONLY " : "",
					 target->name);
}

/*
 * The columns that tell a row's counter: always three, NULL where there is no
 * such column.
 */
static void
append_counter_columns(StringInfo sql, MSTarget *target, Relation rel)
{
	AttrNumber	atts[3] = {target->count, target->first_seen, target->last_seen};

	for (int i = 0; i < lengthof(atts); i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		if (atts[i] == InvalidAttrNumber)
			appendStringInfoString(sql, "NULL::pg_catalog.timestamptz");
		else
			appendStringInfo(sql, "t.%s", column(rel, atts[i]));
	}
}

/*
 * What an existing row becomes.
 */
static void
append_assignments(StringInfo sql, MSTarget *target, Relation rel,
				   Bitmapset *given)
{
	int			by = by_param(target);
	int			attno = -1;
	int			param = last_param(target);
	const char *count = column(rel, target->count);

	switch (target->kind)
	{
		case MS_COUNT_COUNTER:
			appendStringInfo(sql, "%s = missing_symbol.counted(t.%s, $%d, $%d, $%d)",
							 count, count, by, first_param(target),
							 last_param(target));
			break;
		case MS_COUNT_NUMERIC:
			appendStringInfo(sql, "%s = COALESCE(t.%s, 0) OPERATOR(pg_catalog.+) $%d::pg_catalog.numeric",
							 count, count, by);
			break;
		default:
			appendStringInfo(sql, "%s = COALESCE(t.%s, 0::pg_catalog.int2) OPERATOR(pg_catalog.+) $%d",
							 count, count, by);
			break;
	}
	if (target->last_seen != InvalidAttrNumber)
		appendStringInfo(sql, ", %s = GREATEST(t.%s, COALESCE($%d, missing_symbol.clock()))",
						 column(rel, target->last_seen),
						 column(rel, target->last_seen), last_param(target));
	while ((attno = bms_next_member(given, attno)) >= 0)
	{
		param++;
		if (bms_is_member(attno, target->fill))
			appendStringInfo(sql, ", %s = COALESCE(t.%s, $%d)",
							 column(rel, attno), column(rel, attno), param);
	}
}

/*
 * The condition under which an existing row is counted: not for what was
 * counted before, at a time that is given.
 */
static void
append_throttle_condition(StringInfo sql, MSTarget *target, Relation rel)
{
	if (target->throttle == 0)
	{
		appendStringInfoString(sql, "true");
		return;
	}
	appendStringInfo(sql, "($%d IS NOT NULL OR COALESCE(",
					 last_param(target));
	if (target->kind == MS_COUNT_COUNTER)
		appendStringInfo(sql, "missing_symbol.last_seen(t.%s)",
						 column(rel, target->count));
	else
		appendStringInfo(sql, "t.%s", column(rel, target->last_seen));

	/* as hours and so on: before 15 each number must fit an int */
	appendStringInfo(sql, " OPERATOR(pg_catalog.<=) (missing_symbol.clock()"
					 " OPERATOR(pg_catalog.-) '%d:%02d:%02d.%06d'::pg_catalog.interval), true))",
					 (int) (target->throttle / USECS_PER_HOUR),
					 (int) (target->throttle / USECS_PER_MINUTE % MINS_PER_HOUR),
					 (int) (target->throttle / USECS_PER_SEC % SECS_PER_MINUTE),
					 (int) (target->throttle % USECS_PER_SEC));
}

static char *
update_sql(MSTarget *target, Relation rel, Bitmapset *given, bool aside)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "WITH l AS MATERIALIZED (SELECT true AS locked FROM ");
	ms_append_table(&sql, target, rel);
	appendStringInfoString(&sql, " WHERE ");
	ms_append_key_condition(&sql, target, rel);
	if (aside)
		appendStringInfoString(&sql, " AND missing_symbol.seen()");
	appendStringInfo(&sql, " FOR NO KEY UPDATE%s) UPDATE ",
					 aside ? " SKIP LOCKED" : "");
	ms_append_table(&sql, target, rel);
	appendStringInfoString(&sql, " SET ");
	append_assignments(&sql, target, rel, given);
	appendStringInfoString(&sql, " FROM l WHERE ");
	ms_append_key_condition(&sql, target, rel);

	/* with a column of l, so that it is evaluated after the lock */
	appendStringInfoString(&sql, " AND missing_symbol.reached(l.locked AND ");
	append_throttle_condition(&sql, target, rel);
	appendStringInfoString(&sql, ") RETURNING ");
	append_counter_columns(&sql, target, rel);
	return sql.data;
}

static char *
insert_sql(MSTarget *target, Relation rel, Bitmapset *given)
{
	StringInfoData sql;
	StringInfoData values;
	int			param = last_param(target);
	int			attno = -1;

	initStringInfo(&sql);
	initStringInfo(&values);
	appendStringInfoString(&sql, "INSERT INTO ");
	appendStringInfo(&sql, "%s AS t (", target->name);
	for (int i = 0; i < target->nkeys; i++)
	{
		appendStringInfo(&sql, "%s, ", column(rel, target->keys[i].column.attno));
		appendStringInfo(&values, "$%d, ", i + 1);
	}
	appendStringInfoString(&sql, column(rel, target->count));
	if (target->kind == MS_COUNT_COUNTER)
		appendStringInfo(&values, "missing_symbol.counted(NULL, $%d, $%d, $%d)",
						 by_param(target), first_param(target),
						 last_param(target));
	else
		appendStringInfo(&values, "$%d", by_param(target));
	if (target->first_seen != InvalidAttrNumber)
		appendStringInfo(&sql, ", %s", column(rel, target->first_seen));
	if (target->last_seen != InvalidAttrNumber)
		appendStringInfo(&sql, ", %s", column(rel, target->last_seen));
	/* one reading of the clock for both */
	if (target->first_seen != InvalidAttrNumber)
		appendStringInfo(&values, ", COALESCE($%d, c.now)",
						 first_param(target));
	if (target->last_seen != InvalidAttrNumber)
		appendStringInfo(&values, ", COALESCE($%d, c.now)",
						 last_param(target));
	while ((attno = bms_next_member(given, attno)) >= 0)
	{
		appendStringInfo(&sql, ", %s", column(rel, attno));
		appendStringInfo(&values, ", $%d", ++param);
	}
	appendStringInfo(&sql, ") SELECT %s FROM (SELECT missing_symbol.clock() AS now OFFSET 0) AS c ON CONFLICT (",
					 values.data);
	for (int i = 0; i < target->nkeys; i++)
	{
		/* not an index on the same column that finds other values equal */
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "",
						 column(rel, target->keys[i].column.attno));
		if (OidIsValid(target->keys[i].collation))
			appendStringInfo(&sql, " COLLATE %s",
							 generate_collation_name(target->keys[i].collation));
	}
	appendStringInfoString(&sql, ") DO UPDATE SET ");
	append_assignments(&sql, target, rel, given);
	appendStringInfoString(&sql, " WHERE missing_symbol.reached(");
	append_throttle_condition(&sql, target, rel);
	appendStringInfoString(&sql, ") RETURNING ");
	append_counter_columns(&sql, target, rel);
	appendStringInfoString(&sql, ", pg_catalog.num_nulls(");
	for (int i = 0; i < target->nkeys; i++)
		appendStringInfo(&sql, "%st.%s", i > 0 ? ", " : "",
						 column(rel, target->keys[i].column.attno));
	appendStringInfoString(&sql, ")");
	return sql.data;
}

static char *
read_sql(MSTarget *target, Relation rel)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_counter_columns(&sql, target, rel);
	appendStringInfoString(&sql, " FROM ");
	ms_append_table(&sql, target, rel);
	appendStringInfoString(&sql, " WHERE ");
	ms_append_key_condition(&sql, target, rel);
	return sql.data;
}

/* Will core use the plan as it is?  As RevalidateCachedQuery decides. */
static bool
plan_is_current(CachedPlanSource *source)
{
	return CachedPlanIsValid(source) && source->gplan != NULL &&
		SearchPathMatchesCurrentEnvironment(source->search_path) &&
		(!source->dependsOnRLS ||
		 (source->rewriteRoleId == GetUserId() &&
		  source->rewriteRowSecurity == row_security));
}

/* Plan with enable_seqscan off. */
static void
make_plan(SPIPlanPtr plan)
{
	int			nestlevel = NewGUCNestLevel();
	CachedPlan *cached;

	(void) set_config_option("enable_seqscan", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	cached = SPI_plan_get_cached_plan(plan);
	if (cached != NULL)
		ReleaseCachedPlan(cached, CurrentResourceOwner);
	AtEOXact_GUC(true, nestlevel);
}

/*
 * To parse a text is to look up its names: where schemas have been renamed
 * since the call began, it may name another table.
 */
void
ms_check_plan(const MSTarget *target, SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	if (!list_member_oid(source->relationOids, target->relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has got another name meanwhile",
						target->name),
				 errhint("Repeat the call.")));
}

/* Plan what is not planned, or not any more, which parses the text anew. */
void
ms_make_generic_plan(MSTarget *target, SPIPlanPtr plan)
{
	if (!plan_is_current(linitial(SPI_plan_get_plan_sources(plan))))
		make_plan(plan);
	ms_check_plan(target, plan);
}

static SPIPlanPtr
prepare(const char *sql, int nargs, Oid *argtypes)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, nargs, argtypes,
										  CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", sql,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	return plan;
}

/*
 * Parameters of a plan: the key, the amount, the times (null: now), and the
 * columns that are given beside the key, in the order of their numbers.
 */
static int
plan_arguments(MSTarget *target, Relation rel, const MSRow *row,
			   Bitmapset *others, Oid *types, Datum *values, char *nulls)
{
	int			n = 0;
	int			attno = -1;

	for (int i = 0; i < target->nkeys; i++)
	{
		types[n] = target->keys[i].column.typid;
		values[n] = row->values[target->keys[i].column.attno - 1];
		nulls[n++] = ' ';
	}
	types[n] = INT8OID;
	values[n] = Int64GetDatum(row->by);
	nulls[n++] = ' ';
	types[n] = TIMESTAMPTZOID;
	values[n] = TimestampTzGetDatum(row->first_seen);
	nulls[n++] = row->timed ? ' ' : 'n';
	types[n] = TIMESTAMPTZOID;
	values[n] = TimestampTzGetDatum(row->last_seen);
	nulls[n++] = row->timed ? ' ' : 'n';
	while ((attno = bms_next_member(others, attno)) >= 0)
	{
		types[n] = TupleDescAttr(RelationGetDescr(rel), attno - 1)->atttypid;
		values[n] = row->values[attno - 1];
		nulls[n++] = row->isnull[attno - 1] ? 'n' : ' ';
	}
	return n;
}

static MSPlans *
find_plans(MSTarget *target, Bitmapset *others)
{
	ListCell   *lc;
	MSPlans    *plans;
	MemoryContext oldcxt;

	foreach(lc, target->general_plans)
	{
		plans = lfirst(lc);
		if (bms_equal(plans->given, others))
			return plans;
	}

	/* in the list before it is filled: an error must not leak a kept plan */
	oldcxt = MemoryContextSwitchTo(target->cxt);
	plans = palloc0(sizeof(MSPlans));
	plans->given = bms_copy(others);
	target->general_plans = lappend(target->general_plans, plans);
	MemoryContextSwitchTo(oldcxt);
	return plans;
}

/* Give back the plans of a target that is going away. */
void
ms_general_free(MSTarget *target)
{
	ListCell   *lc;

	foreach(lc, target->general_plans)
	{
		MSPlans    *plans = lfirst(lc);

		if (plans->read != NULL)
			SPI_freeplan(plans->read);
		if (plans->update != NULL)
			SPI_freeplan(plans->update);
		if (plans->update_aside != NULL)
			SPI_freeplan(plans->update_aside);
		if (plans->insert != NULL)
			SPI_freeplan(plans->insert);
	}
	target->general_plans = NIL;
	if (target->value_plan != NULL)
		SPI_freeplan(target->value_plan);
	target->value_plan = NULL;
}

/* Run a plan; true, with the row's counter in *result, where it gave a row. */
static bool
run(MSTarget *target, SPIPlanPtr plan, Datum *values, const char *nulls,
	bool read_only, MSOutcome outcome, MSResult *result, Reached *reached)
{
	Reached    *outer = current_reached;
	TimestampTz waited = get_timeout_start_time(DEADLOCK_TIMEOUT);
	volatile int rc;
	Datum		counter[3];
	bool		isnull[3];

	ms_make_generic_plan(target, plan);
	memset(reached, 0, sizeof(*reached));

	/* a statement of a trigger must not write into our note */
	PG_TRY();
	{
		current_reached = reached;
		rc = SPI_execute_plan(plan, values, nulls, read_only, 0);
	}
	PG_FINALLY();
	{
		current_reached = outer;

		/* who waits for a lock starts that timer; whatever comes of it */
		if (get_timeout_start_time(DEADLOCK_TIMEOUT) != waited)
			ms_stats_lock_wait(target->relid);
	}
	PG_END_TRY();
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(rc));
	if (SPI_processed == 0)
		return false;

	for (int i = 0; i < lengthof(counter); i++)
		counter[i] = SPI_getbinval(SPI_tuptable->vals[0],
								   SPI_tuptable->tupdesc, i + 1, &isnull[i]);
	ms_result_from_values(target, counter, isnull, result);
	result->outcome = outcome;

	/* of an INSERT: how many columns of the key a trigger has set to null */
	if (SPI_tuptable->tupdesc->natts > lengthof(counter) &&
		DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
									SPI_tuptable->tupdesc,
									lengthof(counter) + 1, &isnull[0])) > 0)
		ms_null_key_by_trigger(target);
	return true;
}

/* Wait for transactions that are inserting a row's key. */
static void
wait_for_inserters(MSTarget *target, Relation rel, const MSRow *row)
{
	Relation	index;
	ScanKey		keys;
	TupleTableSlot *slot;

	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return;
	keys = ms_make_scankeys(target);
	for (int i = 0; i < target->nkeys; i++)
		keys[i].sk_argument = row->values[target->keys[i].column.attno - 1];
	index = index_open(target->index, RowExclusiveLock);
	slot = table_slot_create(rel, NULL);
	while (ms_wait_for_inserter(rel, index, keys, target->nkeys, slot))
		CHECK_FOR_INTERRUPTS();
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
}

/* an increment, and the parameters of its plans */
typedef struct Attempt
{
	MSTarget   *target;
	Relation	rel;
	MSRow	   *row;
	Bitmapset  *others;
	MSPlans    *plans;
	int			nargs;
	Oid		   *types;
	Datum	   *values;
	char	   *nulls;
} Attempt;

/* True where an existing row was reached, whether counted or not. */
static bool
update(Attempt *attempt, bool aside, MSResult *result, Reached *reached)
{
	SPIPlanPtr *plan = aside ? &attempt->plans->update_aside :
		&attempt->plans->update;

	if (*plan == NULL)
		*plan = prepare(update_sql(attempt->target, attempt->rel,
								   attempt->others, aside),
						attempt->nargs, attempt->types);
	if (run(attempt->target, *plan, attempt->values, attempt->nulls, false,
			MS_INCREMENTED, result, reached))
		return true;
	if (!reached->row)
		return false;

	/* reached but not counted, or a trigger suppressed that */
	ms_result_none(MS_IGNORED, result);
	if (!reached->condition)
	{
		Reached		ignored;

		if (attempt->plans->read != NULL)
			(void) run(attempt->target, attempt->plans->read, attempt->values,
					   attempt->nulls, false, MS_THROTTLED, result, &ignored);
		result->outcome = MS_THROTTLED;
	}
	return true;
}

static void
insert(Attempt *attempt, MSResult *result)
{
	MSPlans    *plans = attempt->plans;
	Reached		reached;

	ms_check_required_columns(attempt->target, attempt->rel, attempt->row);
	if (plans->insert == NULL)
		plans->insert = prepare(insert_sql(attempt->target, attempt->rel,
										   attempt->others),
								attempt->nargs, attempt->types);
	wait_for_inserters(attempt->target, attempt->rel, attempt->row);
	if (run(attempt->target, plans->insert, attempt->values, attempt->nulls,
			false, MS_INSERTED, result, &reached))
	{
		if (reached.row)
			result->outcome = MS_INCREMENTED;
		return;
	}
	ms_result_none(reached.row && !reached.condition ?
				   MS_THROTTLED : MS_IGNORED, result);
	if (result->outcome == MS_THROTTLED && plans->read != NULL)
	{
		(void) run(attempt->target, plans->read, attempt->values,
				   attempt->nulls, false, MS_THROTTLED, result, &reached);
		result->outcome = MS_THROTTLED;
	}
}

/*
 * Insert a key of which the UPDATE saw no row, without waiting: nobody else
 * is inserting it, as far as we do that, while we have the right to.  False
 * where it is busy.
 */
static bool
insert_unseen(Attempt *attempt, MSResult *result)
{
	MSTarget   *target = attempt->target;
	Reached		reached;
	MSProbe		found;

	if (!ms_insertion_lock(target, attempt->row))
		return false;
	found = ms_probe(target, attempt->rel, attempt->row);

	/* with the row's lock, nothing waits; core's errors are as ever */
	if (found == MS_PROBE_ABSENT ||
		(found == MS_PROBE_LOCKED && !update(attempt, true, result, &reached)))
		insert(attempt, result);
	ms_insertion_unlock(target, attempt->row);
	return found != MS_PROBE_BUSY;
}

/*
 * Count; false where that would have to wait, or cannot be done under the
 * transaction's snapshot, and the increment may go aside.  Where row security
 * applies it may not; what is aside already stays there, but only for a row
 * that the role sees: a key that it may not count must fail as in core.
 */
static bool
count(Attempt *attempt, MSResult *result)
{
	MSTarget   *target = attempt->target;
	bool		row_security = ms_row_security_applies(target->relid);
	Reached		reached;

	if (!ms_row_goes_aside(target, attempt->row) ||
		(row_security && !attempt->row->folded))
	{
		if (!update(attempt, false, result, &reached))
			insert(attempt, result);
		return true;
	}

	if (IsolationUsesXactSnapshot() && !row_security &&
		ms_probe(target, attempt->rel, attempt->row) == MS_PROBE_BUSY)
		return false;
	if (update(attempt, true, result, &reached))
		return true;
	if (reached.seen)
		return false;
	if (!row_security)
		return insert_unseen(attempt, result);
	insert(attempt, result);
	return true;
}

/* Increment one counter, inserting it if it is not there. */
static void
increment(MSTarget *target, Relation rel, MSRow *row, MSResult *result)
{
	Bitmapset  *others = bms_copy(row->given);
	Oid			types[MaxTupleAttributeNumber + 3];
	Datum		values[MaxTupleAttributeNumber + 3];
	char		nulls[MaxTupleAttributeNumber + 3];
	int			nargs;
	MSPlans    *plans;
	Attempt		attempt;
	Reached		reached;

	for (int i = 0; i < target->nkeys; i++)
		others = bms_del_member(others, target->keys[i].column.attno);
	nargs = plan_arguments(target, rel, row, others, types, values, nulls);
	plans = find_plans(target, others);

	if (target->throttle > 0 && !row->timed)
	{
		if (plans->read == NULL)
			plans->read = prepare(read_sql(target, rel), target->nkeys, types);
		if (run(target, plans->read, values, nulls, false, MS_THROTTLED,
				result, &reached) &&
			!result->last_isnull &&
			ms_throttled(target, result->last_seen, ms_clock()))
			return;
	}

	attempt.target = target;
	attempt.rel = rel;
	attempt.row = row;
	attempt.others = others;
	attempt.plans = plans;
	attempt.nargs = nargs;
	attempt.types = types;
	attempt.values = values;
	attempt.nulls = nulls;
	if (!count(&attempt, result))
	{
		if (!row->folded)
			ms_spill_append(MS_STORE_SPILLED, target, rel, row, row->values,
							NULL, NULL);
		ms_result_none(MS_SPILLED, result);
	}
}

void
ms_general_increment(MSTarget *target, Relation rel, MSRow *row,
					 MSResult *result)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	increment(target, rel, row, result);
	SPI_finish();
}

/* Read a row's counter; false where there is no such row. */
static bool
read_counter(MSTarget *target, Relation rel, MSRow *row, bool read_only,
			 MSResult *result)
{
	Oid			types[INDEX_MAX_KEYS];
	Datum		values[INDEX_MAX_KEYS];
	char		nulls[INDEX_MAX_KEYS];
	Reached		reached;
	bool		found;

	for (int i = 0; i < target->nkeys; i++)
	{
		types[i] = target->keys[i].column.typid;
		values[i] = row->values[target->keys[i].column.attno - 1];
		nulls[i] = ' ';
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (target->value_plan == NULL)
		target->value_plan = prepare(read_sql(target, rel), target->nkeys,
									 types);
	ms_result_none(MS_IGNORED, result);
	found = run(target, target->value_plan, values, nulls, read_only,
				MS_IGNORED, result, &reached);
	SPI_finish();
	return found;
}

/*
 * The count of a key, as the active snapshot shows it; false where there is no
 * row of it, or none that the role sees.
 */
bool
ms_general_value(MSTarget *target, Relation rel, MSRow *row, bool *isnull,
				 int64 *value)
{
	MSResult	result;
	bool		found = read_counter(target, rel, row, true, &result);

	*isnull = result.count_isnull;
	*value = result.count;
	return found;
}

/* Is there a row of a key, as a new statement would see it? */
bool
ms_general_exists(MSTarget *target, Relation rel, MSRow *row)
{
	MSResult	result;

	return read_counter(target, rel, row, false, &result);
}
