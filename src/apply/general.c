/*-------------------------------------------------------------------------
 *
 * general.c
 *	  Increments of any table, through SQL plans: statement triggers, what row
 *	  security refuses, and whatever else the fast path leaves to core.
 *
 * One increment: the row is locked, and then an UPDATE of it; if there is none,
 * INSERT ... ON CONFLICT DO UPDATE, which core makes atomic, so there is no loop
 * that could go on forever over a row that row security or a trigger hides.
 *
 * - The row is locked before the UPDATE.  That sees what the row has become,
 *   and has waited for nothing: the new values, the clock among them, and the
 *   CHECKs are those of the row that there is.  Where nobody else has it, as is
 *   most often so, that takes no statement (probe.c); else SELECT FOR NO KEY
 *   UPDATE waits for it.
 * - missing_symbol.reached(condition) notes that the INSERT has met a row, and
 *   whether the condition (the throttle) held.  That tells inserted from
 *   incremented, and a throttled row from one that a BEFORE trigger kept as it
 *   was, on every version and for partitions too, where xmax does not.
 * - Core computes a new row before it waits for another one's insertion.  So
 *   that the clock is read after the wait, we wait first.  (Not for
 *   partitions: which one gets the row is core's knowledge.)
 * - With spill the rows are locked with SKIP LOCKED, and a key is inserted
 *   only where nobody else is about to (probe.c).  Only an INSERT of the same
 *   key that does not come from here, in the moment between probe and
 *   insertion, is waited for.
 * - Generic plans, made with enable_seqscan off: a plan made while the table
 *   was tiny would stay a sequential scan.
 *
 * - Where limits judge, the INSERT never counts a row that it meets: that one
 *   is locked then, and judged as any other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "counter/counter.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

/* What reached() and seen() saw during the statement that is running. */
typedef struct Reached
{
	bool		seen;			/* a row was seen, before locking it */
	bool		row;			/* an INSERT met a row, and has locked it */
	bool		condition;		/* and the condition held */
} Reached;

static Reached *current_reached = NULL;

/* tries to meet a row that an insertion has met, and locked */
#define MAX_TRIES	3

PG_FUNCTION_INFO_V1(ms_reached);
PG_FUNCTION_INFO_V1(ms_seen);

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
 * Parameters of a plan: the key, the amount, the times (null: now), and the
 * columns that the row has beside the key, in the order of their numbers.
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
		nulls[n++] = row->isnull[target->keys[i].column.attno - 1] ? 'n' : ' ';
	}
	types[n] = target->kind == MS_COUNT_NUMERIC ? NUMERICOID :
		target->kind == MS_COUNT_FLOAT4 ? FLOAT4OID :
		target->kind == MS_COUNT_FLOAT8 ? FLOAT8OID : INT8OID;
	values[n] = ms_row_amount(target, row);
	nulls[n++] = ' ';
	types[n] = TIMESTAMPTZOID;
	values[n] = TimestampTzGetDatum(row->first_seen);
	nulls[n++] = ms_row_is_timed(row) ? ' ' : 'n';
	types[n] = TIMESTAMPTZOID;
	values[n] = TimestampTzGetDatum(row->last_seen);
	nulls[n++] = ms_row_is_timed(row) ? ' ' : 'n';
	while ((attno = bms_next_member(others, attno)) >= 0)
	{
		types[n] = TupleDescAttr(RelationGetDescr(rel), attno - 1)->atttypid;
		values[n] = row->values[attno - 1];
		if (ms_is_small_count(target, attno))
		{
			types[n] = INT8OID;
			values[n] = Int64GetDatum(ms_small_amount(values[n]));
		}
		nulls[n++] = row->isnull[attno - 1] ? 'n' : ' ';
	}
	return n;
}

/* an increment, and the parameters of its plans */
typedef struct Attempt
{
	MSTarget   *target;
	Relation	rel;
	MSRow	   *row;
	Bitmapset  *others;
	MSPlans    *plans;
	uint32		null_keys;		/* a bit each */
	int			nargs;
	Oid		   *types;
	Datum	   *values;
	char	   *nulls;
	MSLimited  *limited;		/* what limits see of the row; or NULL */
} Attempt;

/* And those that limits write, behind them. */
static void
judged_arguments(Attempt *attempt, const MSJudgement *judgement)
{
	int			n = attempt->nargs;

	if (attempt->target->limits.window != InvalidAttrNumber)
	{
		attempt->types[n] = BOOLOID;
		attempt->values[n] = BoolGetDatum(judgement->restart);
		attempt->nulls[n++] = ' ';
		attempt->types[n] = TIMESTAMPTZOID;
		attempt->values[n] = TimestampTzGetDatum(judgement->window);
		attempt->nulls[n++] = judgement->restart ? ' ' : 'n';
	}
	if (attempt->plans->judged == MS_JUDGED_RATE)
	{
		attempt->types[n] = TIMESTAMPTZOID;
		attempt->values[n] = TimestampTzGetDatum(judgement->bucket);
		attempt->nulls[n++] = judgement->rated ? ' ' : 'n';
	}
	attempt->nargs = n;
}

/* A plan for the first nargs parameters of an attempt. */
static SPIPlanPtr
prepare(const Attempt *attempt, const char *sql, int nargs, MSParams *params)
{
	MSTarget   *target = attempt->target;
	SPIPlanPtr	plan;

	if (!ms_has_trees(target))
		return ms_prepare(sql, nargs, attempt->types);
	if (params->types == NULL)
	{
		params->target = target;
		params->types = MemoryContextAlloc(target->cxt, sizeof(Oid) * nargs);
		memcpy(params->types, attempt->types, sizeof(Oid) * nargs);
		params->nargs = nargs;
	}
	plan = SPI_prepare_params(sql, ms_params_setup, params,
							  CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_params failed for \"%s\": %s", sql,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	return plan;
}

static int
execute(const Attempt *attempt, SPIPlanPtr plan, bool read_only)
{
	ParamListInfo params;

	if (!ms_has_trees(attempt->target))
		return SPI_execute_plan(plan, attempt->values, attempt->nulls,
								read_only, 0);
	params = makeParamList(attempt->nargs);
	for (int i = 0; i < attempt->nargs; i++)
	{
		ParamExternData *param = &params->params[i];

		param->value = attempt->values[i];
		param->isnull = attempt->nulls[i] == 'n';
		param->pflags = PARAM_FLAG_CONST;
		param->ptype = attempt->types[i];
	}
	return SPI_execute_plan_with_paramlist(plan, params, read_only, 0);
}

/* Does the n-th column of the row that a plan gave say true? */
static bool
says_true(int n)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0],
									  SPI_tuptable->tupdesc, n, &isnull);

	return !isnull && DatumGetBool(value);
}

/* All counts of the row that a plan gave, behind so many of its columns. */
static void
read_counts(const MSTarget *target, int behind, MSResult *result)
{
	result->counts = SPI_palloc(sizeof(Datum) * target->ncounts);
	result->counts_isnull = SPI_palloc(sizeof(bool) * target->ncounts);
	for (int i = 0; i < target->ncounts; i++)
	{
		const MSMerged *column = &target->merged[i];

		result->counts[i] = SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc,
										  behind + i + 1,
										  &result->counts_isnull[i]);
		if (!result->counts_isnull[i])
			result->counts[i] = SPI_datumTransfer(result->counts[i],
												  column->typbyval,
												  column->typlen);
	}
}

/*
 * What limits look at of the row that a plan gave, whose count is the first
 * column, and whose window and bucket stand behind so many.  For as long as
 * SPI is connected.
 */
static void
read_limited(const Attempt *attempt, Datum count, bool count_isnull,
			 const MSResult *result, int behind)
{
	const MSTarget *target = attempt->target;
	const MSLimits *limits = &target->limits;
	Datum		values[3] = {count};
	bool		isnull[3] = {count_isnull, true, true};

	for (int i = 1; limits->attno != target->count && i < target->ncounts; i++)
	{
		if (target->merged[i].attno == limits->attno)
		{
			values[0] = result->counts[i];
			isnull[0] = result->counts_isnull[i];
		}
	}
	if (limits->window != InvalidAttrNumber)
		values[1] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								  ++behind, &isnull[1]);
	if (limits->bucket != InvalidAttrNumber)
		values[2] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								  ++behind, &isnull[2]);
	ms_limited_from_values(target, values, isnull, attempt->limited);
}

/* Run a plan; true, with the row's counter in *result, where it gave a row. */
static bool
run(const Attempt *attempt, SPIPlanPtr plan, bool read_only, MSOutcome outcome,
	MSResult *result, Reached *reached)
{
	MSTarget   *target = attempt->target;
	Reached    *outer = current_reached;
	TimestampTz waited = get_timeout_start_time(DEADLOCK_TIMEOUT);
	volatile int rc;
	Datum		counter[3];
	bool		isnull[3];
	int			known = lengthof(counter);	/* columns: what follows is more */

	ms_make_generic_plan(target, plan);
	memset(reached, 0, sizeof(*reached));

	/* a statement of a trigger must not write into our note */
	PG_TRY();
	{
		current_reached = reached;
		rc = execute(attempt, plan, read_only);
	}
	PG_FINALLY();
	{
		current_reached = outer;

		/* who waits for a lock starts that timer; whatever comes of it */
		if (get_timeout_start_time(DEADLOCK_TIMEOUT) != waited)
			ms_tally_lock_wait(target->relid);
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
	if (result->numeric != (Datum) 0)
		result->numeric = SPI_datumTransfer(result->numeric, false, -1);
	if (target->ncounts > 1)
	{
		read_counts(target, lengthof(counter), result);
		known += target->ncounts;
	}
	if (attempt->limited != NULL)
		read_limited(attempt, counter[0], isnull[0], result, known);
	known += (target->limits.window != InvalidAttrNumber) +
		(target->limits.bucket != InvalidAttrNumber);
	result->outcome = outcome;

	/* of an INSERT: how many columns of the key a trigger has set to null */
	if (SPI_tuptable->tupdesc->natts > known &&
		DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
									SPI_tuptable->tupdesc,
									known + 1, &isnull[0])) > 0)
		ms_null_key_by_trigger(target);

	/* and of a special key: is the row in its index, with that key? */
	if (SPI_tuptable->tupdesc->natts > known + 1)
	{
		if (!says_true(known + 2))
			ms_outside(target);
		if (!says_true(known + 3))
			ms_not_found(target);
	}
	return true;
}

/* Read the row as it is now; false where there is none. */
static bool
read_row(Attempt *attempt, bool read_only, MSResult *result)
{
	MSTarget   *target = attempt->target;
	MSReads    *reads = ms_find_reads(target, attempt->null_keys);
	Reached		ignored;

	if (reads->read == NULL)
		reads->read = prepare(attempt,
							  ms_read_sql(target, attempt->rel,
										  attempt->null_keys, "", ""),
							  target->nkeys, &reads->params);
	return run(attempt, reads->read, read_only, MS_THROTTLED, result,
			   &ignored);
}

/*
 * Lock the row and read it, aside: if nobody else has it.  False where there
 * is none, or somebody has.
 */
static bool
lock_row(Attempt *attempt, bool aside, MSResult *result, Reached *reached)
{
	MSTarget   *target = attempt->target;
	MSReads    *reads = ms_find_reads(target, attempt->null_keys);
	SPIPlanPtr *plan = aside ? &reads->lock_aside : &reads->lock;

	if (*plan == NULL)
		*plan = prepare(attempt,
						aside ?
						ms_read_sql(target, attempt->rel, attempt->null_keys,
									" AND missing_symbol.seen()",
									" FOR NO KEY UPDATE SKIP LOCKED") :
						ms_read_sql(target, attempt->rel, attempt->null_keys,
									"", " FOR NO KEY UPDATE"),
						target->nkeys, &reads->params);
	return run(attempt, *plan, false, MS_THROTTLED, result, reached);
}

/* Is the row that was read not to be counted yet? */
static bool
is_throttled(Attempt *attempt, const MSResult *result)
{
	return !ms_row_is_timed(attempt->row) && !result->last_isnull &&
		ms_throttled(attempt->target, result->last_seen, ms_clock());
}

/*
 * Lock the row without a statement; false where that is not to be had, be it
 * that there is none.  What the row has must not matter.  Where row security
 * hides it, core's INSERT locks it, too, and fails; so not where there is none.
 */
static bool
lock_at_once(Attempt *attempt, ItemPointer tid)
{
	MSTarget   *target = attempt->target;

	return target->throttle == 0 && !target->is_distributed &&
		!(target->row_security && target->no_insert) &&
		ms_probe(target, attempt->rel, attempt->row, tid) == MS_PROBE_LOCKED;
}

/*
 * Update the row, which is locked; tid: where it is, or NULL.  To say where it
 * is takes the right to read all of the table.
 */
static bool
update_locked(Attempt *attempt, ItemPointer tid, MSResult *result)
{
	MSTarget   *target = attempt->target;
	bool		at = tid != NULL && !ms_has_trees(target) &&
		pg_class_aclcheck(target->relid, GetUserId(),
						  ACL_SELECT) == ACLCHECK_OK;
	MSPlans    *plans = attempt->plans;
	SPIPlanPtr *plan = at ? &plans->update_at : &plans->update;
	int			n = attempt->nargs;
	Reached		ignored;

	if (at)
	{
		attempt->types[n] = TIDOID;
		attempt->values[n] = PointerGetDatum(tid);
		attempt->nulls[n++] = ' ';
	}
	if (*plan == NULL)
		*plan = prepare(attempt,
						ms_update_sql(target, attempt->rel, attempt->null_keys,
									  attempt->others, attempt->row->defaulted,
									  plans->judged,
									  at ? psprintf(" AND t.ctid OPERATOR(pg_catalog.=) $%d", n) :
									  ""),
						n, &plans->params);
	return run(attempt, *plan, false, MS_INCREMENTED, result, &ignored);
}

/* True where there is a row and we have its lock, whether counted or not. */
static bool
update(Attempt *attempt, bool aside, MSResult *result, Reached *reached)
{
	MSTarget   *target = attempt->target;
	ItemPointerData tid;
	bool		at_once = lock_at_once(attempt, &tid);

	if (!at_once)
	{
		if (!lock_row(attempt, aside, result, reached))
			return false;
		if (is_throttled(attempt, result))
			return true;
	}
	if (update_locked(attempt, at_once ? &tid : NULL, result))
		return true;

	/*
	 * A trigger suppressed the update; if the row is there.  Row security may
	 * hide it, and its partition may be one no more.
	 */
	if (((at_once && target->row_security) ||
		 attempt->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) &&
		!lock_row(attempt, aside, result, reached))
		return false;
	ms_result_none(MS_IGNORED, result);
	return true;
}

/*
 * Insert the row, or meet one that is there by then, if rows are made; true
 * where one was inserted, or counted.
 */
static bool
insert_or_meet(Attempt *attempt, MSResult *result, Reached *reached)
{
	MSPlans    *plans = attempt->plans;

	ms_check_required_columns(attempt->target, attempt->rel, attempt->row);
	if (plans->insert == NULL)
		plans->insert = prepare(attempt,
								ms_insert_sql(attempt->target, attempt->rel,
											  attempt->null_keys,
											  attempt->others,
											  attempt->row->defaulted,
											  plans->judged),
								attempt->nargs, &plans->params);
	ms_wait_for_inserters(attempt->target, attempt->rel, attempt->row);
	ms_allow_defaulted(attempt->target, plans->insert,
					   attempt->row->defaulted);
	if (run(attempt, plans->insert, false, MS_INSERTED, result, reached))
		return true;
	ms_result_none(MS_IGNORED, result);
	return false;
}

/* The same, of what nobody judges. */
static void
insert(Attempt *attempt, MSResult *result)
{
	Reached		reached;

	if (attempt->target->no_insert)
		ms_result_none(MS_ABSENT, result);
	else if (insert_or_meet(attempt, result, &reached))
	{
		if (reached.row)
			result->outcome = MS_INCREMENTED;
	}
	else if (reached.row && !reached.condition)
	{
		(void) read_row(attempt, false, result);
		result->outcome = MS_THROTTLED;
	}
}

/* Judge a row that has been read, or one that is not there. */
static void
judge(Attempt *attempt, bool found, MSJudgement *judgement)
{
	MSTarget   *target = attempt->target;
	MSRow	   *row;

	if (!found)
		ms_limited_none(attempt->limited);
	ms_judge(target, attempt->row, attempt->limited, ms_clock(), judgement);
	if (judgement->refused)
		return;
	row = ms_judged_row(target, attempt->row, judgement);
	attempt->nargs = plan_arguments(target, attempt->rel, row, attempt->others,
									attempt->types, attempt->values,
									attempt->nulls);

	/* a counter's times stay as its window begins */
	if (judgement->restart && target->limits.count.kind == MS_COUNT_COUNTER &&
		!attempt->limited->count_isnull)
		attempt->values[target->nkeys] =
			Int64GetDatum(DatumGetInt64(judgement->amount) -
						  DatumGetInt64(attempt->limited->count));
	judged_arguments(attempt, judgement);
}

/*
 * A row that is not there refuses an increment: is there one that the snapshot
 * of the transaction does not show?
 */
static void
check_unseen(Attempt *attempt, MSResult *result)
{
	if (IsolationUsesXactSnapshot() &&
		ms_probe(attempt->target, attempt->rel, attempt->row,
				 NULL) == MS_PROBE_BUSY)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent %s", "update")));
	ms_result_none(MS_REFUSED, result);
}

/*
 * Count what limits judge: by what is committed, without a lock, where that
 * refuses it; else under the lock of the row, or by inserting it.
 */
static void
count_judged(Attempt *attempt, MSResult *result, MSJudgement *judgement)
{
	MSTarget   *target = attempt->target;
	Reached		reached;
	bool		found;

	if (!IsolationUsesXactSnapshot())
	{
		found = read_row(attempt, false, result);
		judge(attempt, found, judgement);
		if (judgement->refused && (found || !target->no_insert))
		{
			if (!found)
				ms_result_none(MS_REFUSED, result);
			result->outcome = MS_REFUSED;
			return;
		}
	}
	for (int tries = 0; tries < MAX_TRIES; tries++)
	{
		ms_wait_for_inserters(target, attempt->rel, attempt->row);
		found = lock_row(attempt, false, result, &reached);
		if (!found && target->no_insert)
		{
			ms_result_none(MS_ABSENT, result);
			return;
		}
		judge(attempt, found, judgement);
		if (judgement->refused)
		{
			if (!found)
				check_unseen(attempt, result);
			result->outcome = MS_REFUSED;
			return;
		}
		if (found)
		{
			/* a partition may be one no more */
			if (update_locked(attempt, NULL, result))
				return;
			if (attempt->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
				!lock_row(attempt, false, result, &reached))
				continue;
			ms_result_none(MS_IGNORED, result);
			return;
		}
		if (insert_or_meet(attempt, result, &reached) || !reached.row)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a limit of table %s cannot be judged: the row of the key is hidden",
					target->name),
			 errdetail("Row security hides it from the current role, or a trigger gives new rows another key."),
			 errhint("Count as a role that sees the row, and by the key that rows have.")));
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
	found = ms_probe(target, attempt->rel, attempt->row, NULL);

	/* with the row's lock, nothing waits; core's errors are as ever */
	if (found == MS_PROBE_ABSENT ||
		(found == MS_PROBE_LOCKED && !update(attempt, true, result, &reached)))
		insert(attempt, result);
	ms_insertion_unlock(target, attempt->row);
	return found != MS_PROBE_BUSY;
}

/*
 * Count in a view, as INSERT .. ON CONFLICT does: a row that the view does not
 * show is met, too.  Where no rows are made, as UPDATE does, which does not.
 */
static void
count_in_view(Attempt *attempt, MSResult *result)
{
	if (!attempt->target->no_insert)
		insert(attempt, result);
	else if (!update_locked(attempt, NULL, result))
		ms_result_none(read_row(attempt, false, result) ? MS_IGNORED :
					   MS_ABSENT, result);
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
	bool		row_security = ms_row_security_applies(target, InvalidOid);
	Reached		reached;

	if (target->view != NULL)
	{
		count_in_view(attempt, result);
		return true;
	}
	if (!ms_row_goes_aside(target, attempt->row) ||
		(row_security && !ms_row_is_stored(attempt->row)))
	{
		if (!update(attempt, false, result, &reached))
			insert(attempt, result);
		return true;
	}

	if (IsolationUsesXactSnapshot() && !row_security &&
		ms_probe(target, attempt->rel, attempt->row, NULL) == MS_PROBE_BUSY)
		return false;
	if (update(attempt, true, result, &reached))
		return true;
	if (reached.seen)
		return false;
	if (!row_security && !target->no_insert)
		return insert_unseen(attempt, result);
	insert(attempt, result);
	return true;
}

/* What limits write with a row. */
static MSJudged
judged_as(const MSTarget *target, const MSRow *row)
{
	if (!ms_row_is_judged(target, row))
		return MS_NOT_JUDGED;
	return row->ask != NULL && row->ask->step > 0 ? MS_JUDGED_RATE : MS_JUDGED;
}

/* The nulls of a row's key, a bit each, where they are values. */
static uint32
null_keys(const MSTarget *target, const MSRow *row)
{
	uint32		result = 0;

	for (int i = 0; target->nulls && i < target->nkeys; i++)
	{
		if (row->isnull[target->keys[i].column.attno - 1])
			result |= (uint32) 1 << i;
	}
	return result;
}

/* Increment one counter, inserting it if it is not there; false as of count. */
static bool
increment(MSTarget *target, Relation rel, MSRow *row, MSResult *result)
{
	Bitmapset  *others = bms_union(row->given, row->defaulted);
	Oid			types[MaxTupleAttributeNumber + 8];
	Datum		values[MaxTupleAttributeNumber + 8];
	char		nulls[MaxTupleAttributeNumber + 8];
	int			nargs;
	Attempt		attempt;
	MSJudged	judged = judged_as(target, row);
	MSLimited	limited;

	for (int i = 0; i < target->nkeys; i++)
		others = bms_del_member(others, target->keys[i].column.attno);
	nargs = plan_arguments(target, rel, row, others, types, values, nulls);

	attempt = (Attempt) {.target = target, .rel = rel, .row = row,
		.others = others, .null_keys = null_keys(target, row), .nargs = nargs,
		.types = types, .values = values, .nulls = nulls};
	attempt.plans = ms_find_plans(target, others, row->defaulted,
								  attempt.null_keys, judged);
	if (judged != MS_NOT_JUDGED)
	{
		MSJudgement judgement = {.idle = true};

		attempt.limited = &limited;
		count_judged(&attempt, result, &judgement);
		if (result->outcome != MS_ABSENT)
			ms_result_judged(target, &judgement, result);
		if (result->applied != (Datum) 0)
			result->applied = SPI_datumTransfer(result->applied, false, -1);
		return true;
	}

	/* without locking it */
	if (target->throttle > 0 && read_row(&attempt, false, result) &&
		is_throttled(&attempt, result))
		return true;
	if (count(&attempt, result))
		return true;
	ms_result_none(MS_SPILLED, result);
	return false;
}

/* The same, for who is not in SPI: false where the row cannot be had. */
bool
ms_general_increment(MSTarget *target, Relation rel, MSRow *row,
					 MSResult *result)
{
	bool		counted;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	counted = increment(target, rel, row, result);
	SPI_finish();
	return counted;
}

/* Read a row's counter; false where there is no such row. */
static bool
read_counter(MSTarget *target, Relation rel, MSRow *row, bool read_only,
			 MSResult *result, MSLimited *limited)
{
	Oid			types[INDEX_MAX_KEYS];
	Datum		values[INDEX_MAX_KEYS];
	char		nulls[INDEX_MAX_KEYS];
	Attempt		attempt = {.target = target, .rel = rel, .row = row,
		.null_keys = null_keys(target, row), .nargs = target->nkeys,
		.types = types, .values = values, .nulls = nulls,
		.limited = limited};
	bool		found;

	for (int i = 0; i < target->nkeys; i++)
	{
		types[i] = target->keys[i].column.typid;
		values[i] = row->values[target->keys[i].column.attno - 1];
		nulls[i] = row->isnull[target->keys[i].column.attno - 1] ? 'n' : ' ';
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	ms_result_none(MS_IGNORED, result);
	found = read_row(&attempt, read_only, result);
	if (found && limited != NULL && !limited->count_isnull &&
		target->limits.count.kind == MS_COUNT_NUMERIC)
		limited->count = SPI_datumTransfer(limited->count, false, -1);
	SPI_finish();
	return found;
}

/*
 * The count of a key, as the active snapshot shows it; false where there is no
 * row of it, or none that the role sees.
 */
bool
ms_general_value(MSTarget *target, Relation rel, MSRow *row, MSResult *result,
				 MSLimited *limited)
{
	return read_counter(target, rel, row, true, result, limited);
}

/* Is there a row of a key, as a new statement would see it? */
bool
ms_general_exists(MSTarget *target, Relation rel, MSRow *row)
{
	MSResult	result;

	return read_counter(target, rel, row, false, &result, NULL);
}
