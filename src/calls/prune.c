/*-------------------------------------------------------------------------
 *
 * prune.c
 *	  prune(): removes counters that have not been seen for long.
 *
 * One query finds the keys of all counters that are older, in a cursor that
 * outlives transactions.  They are then looked at one by one: the row is
 * locked, unless somebody else has it, and deleted if what is seen under the
 * lock still is older and nothing of the key is waiting to be added to the
 * row.  So every key is visited once, whatever happens meanwhile, nothing is
 * waited for, and a counter that was seen again stays.  An increment that
 * comes after the lock finds the row locked, and after the delete no row: it
 * starts a new counter.
 *
 * Where columns do not tell the key (its index is partial, on expressions, or
 * has nulls as values) the query finds places of rows.  What is there by the
 * time it is looked at is asked for its key.
 *
 * After each batch the transaction is committed.  The table may be altered or
 * dropped between two batches: nothing but the cursor is kept from one to the
 * next, and what was found in the first is compared.
 *
 * All of it is SQL as the caller, so row security, triggers, privileges,
 * partitions and foreign keys are core's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
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

/* keys that are fetched at once */
#define FETCH_ROWS	1000

/* a row's place: its table and where it is there */
#define PLACE_COLUMNS	2

typedef struct Prune
{
	Oid			relid;
	Interval   *older_than;
	TimestampTz cutoff;			/* older: last seen before */
	int64		batch;			/* counters looked at in one transaction */
	bool		dry_run;

	/* the cursor, and what the table was like when it was opened */
	Portal		portal;
	bool		by_place;		/* it has places, not keys */
	int			ncolumns;		/* that it has: the key's, or PLACE_COLUMNS */
	AttrNumber	attnos[INDEX_MAX_KEYS];
	Oid			types[INDEX_MAX_KEYS + 1];	/* of these, and timestamptz */
	bool		more;

	/* of the batch under way */
	MSTarget   *target;
	Relation	rel;
	SPIPlanPtr	lock;
	SPIPlanPtr	delete;

	/* so far */
	int64		seen;
	int64		removed;
	int64		busy;			/* locked, or changed or gone meanwhile */
	int64		unmerged;		/* something waits to be added to the row */
} Prune;

PG_FUNCTION_INFO_V1(ms_prune);

/* "last_seen OPERATOR(pg_catalog.<) $n" */
static void
append_age_condition(StringInfo sql, const MSTarget *target, int param)
{
	bool		counter = target->kind == MS_COUNT_COUNTER;
	AttrNumber	attno = counter ? target->count : target->last_seen;

	char	   *time = psprintf("$%d", param);

	appendStringInfo(sql, counter ?
					 "missing_symbol.last_seen(t.%s) OPERATOR(pg_catalog.<) " :
					 "t.%s OPERATOR(pg_catalog.<) ",
					 quote_identifier(get_attname(target->relid, attno, false)));
	if (target->last_time.local)
		ms_append_local_time(sql, target, time);
	else
		appendStringInfoString(sql, time);
}

static void
check_last_seen(const MSTarget *target)
{
	if (target->kind != MS_COUNT_COUNTER &&
		target->last_seen == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot prune table %s: it has no last_seen column",
						target->name),
				 errdetail("Nothing tells how old its counters are."),
				 errhint("Name the column: SELECT missing_symbol.track(%s, last_seen => '...').",
						 quote_literal_cstr(target->name))));
}

/* Do its columns tell the key, and is there one row of it at the most? */
static bool
is_plain_key(const MSTarget *target)
{
	return target->exprs == NIL && target->predicate == NULL && !target->nulls;
}

/*
 * What cannot be pruned, or not like this.  Sets the cutoff.
 */
static void
check_target(Prune *prune)
{
	MSTarget   *target = prune->target;
	TimestampTz now = ms_clock();

	ms_target_refuse_view(target);
	check_last_seen(target);
	prune->cutoff =
		DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
												TimestampTzGetDatum(now),
												IntervalPGetDatum(prune->older_than)));
	if (prune->cutoff > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("older_than must not be negative"),
				 errhint("'90 days' means: not seen for 90 days.")));

	/* a throttled key is seen, but not counted, and last_seen stands still */
	if (target->throttle > 0 && prune->cutoff > now - target->throttle)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("older_than must not be shorter than the throttle of table %s",
						target->name),
				 errdetail("last_seen stands still while a key is throttled."),
				 errhint("Keep counters for the throttle's interval at least.")));
}

/*
 * Core checks again; this tells before there is anything to remove.  To lock
 * a row takes UPDATE, be it of some columns only.
 */
static void
check_privileges(Prune *prune)
{
	Oid			role = GetUserId();

	if (prune->dry_run)
		return;
	if (pg_class_aclcheck(prune->relid, role, ACL_DELETE) != ACLCHECK_OK ||
		(pg_class_aclcheck(prune->relid, role, ACL_UPDATE) != ACLCHECK_OK &&
		 pg_attribute_aclcheck_all(prune->relid, role, ACL_UPDATE,
								   ACLMASK_ANY) != ACLCHECK_OK))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
					   get_rel_name(prune->relid));
}

/* The columns of the cursor: a row's place, or its key. */
static void
append_columns(Prune *prune, StringInfo sql)
{
	MSTarget   *target = prune->target;

	prune->by_place = !is_plain_key(target);
	prune->ncolumns = prune->by_place ? PLACE_COLUMNS : target->nkeys;
	prune->types[prune->ncolumns] = TIMESTAMPTZOID;
	if (prune->by_place)
	{
		prune->types[0] = OIDOID;
		prune->types[1] = TIDOID;
		appendStringInfoString(sql, "t.tableoid, t.ctid");
		return;
	}
	for (int i = 0; i < target->nkeys; i++)
	{
		prune->attnos[i] = target->keys[i].column.attno;
		prune->types[i] = target->keys[i].column.typid;
		appendStringInfo(sql, "%st.%s", i > 0 ? ", " : "",
						 quote_identifier(get_attname(prune->relid,
													  prune->attnos[i],
													  false)));
	}
}

/* Open the cursor over all counters that are older. */
static void
find_candidates(Prune *prune)
{
	StringInfoData sql;
	SPIPlanPtr	plan;
	Oid			type = TIMESTAMPTZOID;
	Datum		cutoff = TimestampTzGetDatum(prune->cutoff);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_columns(prune, &sql);
	appendStringInfoString(&sql, " FROM ");
	ms_append_table(&sql, prune->target, prune->rel);
	appendStringInfoString(&sql, " WHERE ");
	append_age_condition(&sql, prune->target, 1);

	plan = SPI_prepare(sql.data, 1, &type);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", sql.data,
			 SPI_result_code_string(SPI_result));
	prune->portal = SPI_cursor_open(NULL, plan, &cutoff, NULL, false);

	/* a commit then keeps its rows */
	PinPortal(prune->portal);
}

/* Is the key still what the cursor has, and its age still to be told? */
static void
check_unchanged(Prune *prune)
{
	MSTarget   *target = prune->target;
	bool		same = target->nkeys == prune->ncolumns && is_plain_key(target);

	check_last_seen(target);
	if (prune->by_place)
		return;
	for (int i = 0; same && i < target->nkeys; i++)
		same = target->keys[i].column.attno == prune->attnos[i] &&
			target->keys[i].column.typid == prune->types[i];
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the key of table %s has changed while it was being pruned",
						target->name),
				 errhint("What has been removed is removed. Call prune() again.")));
}

static SPIPlanPtr
prepare(Prune *prune, const char *before, const char *after)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, before);
	ms_append_table(&sql, prune->target, prune->rel);
	appendStringInfoString(&sql, " WHERE ");
	if (prune->by_place)
		appendStringInfoString(&sql, "t.tableoid OPERATOR(pg_catalog.=) $1"
							   " AND t.ctid OPERATOR(pg_catalog.=) $2");
	else
		ms_append_key_condition(&sql, prune->target, prune->rel, 0);
	appendStringInfoString(&sql, " AND ");
	append_age_condition(&sql, prune->target, prune->ncolumns + 1);
	appendStringInfoString(&sql, after);

	return ms_prepare(sql.data, prune->ncolumns + 1, prune->types);
}

/* True where there is such a row, which SPI then has. */
static bool
execute(Prune *prune, SPIPlanPtr plan, Datum *values)
{
	int			rc;

	ms_make_generic_plan(prune->target, plan);
	rc = SPI_execute_plan(plan, values, NULL, false, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(rc));
	return SPI_processed > 0;
}

/* Fill a row from the one that SPI has; false where that is no counter's. */
static bool
read_row(Prune *prune, MSRow *row)
{
	MSTarget   *target = prune->target;
	TupleDesc	desc = RelationGetDescr(prune->rel);

	for (int i = 0, j = 1; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		row->values[i] = SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, j++,
									   &row->isnull[i]);
	}
	return ms_key_of_row(target, prune->rel, row->values, row->isnull);
}

/*
 * Has a key been counted without that being in its row?  What others have not
 * committed yet counts, too: had it reached the row, the row were locked.
 */
static bool
has_deltas(Prune *prune, const MSRow *row)
{
	SnapshotData dirty;
	int64		pending;

	InitDirtySnapshot(dirty);
	return ms_spill_has_key(prune->target, prune->rel, row, &dirty) ||
		ms_pending_sum(prune->target, row, &pending);
}

/* One counter; values are its key or its place, and the cutoff. */
static void
prune_counter(Prune *prune, Datum *values)
{
	MSRow	   *row = ms_row_make(prune->target);
	SPITupleTable *rows = NULL;
	bool		found = true;
	bool		is_counter = true;

	if (prune->lock != NULL)
	{
		found = execute(prune, prune->lock, values);
		rows = SPI_tuptable;
	}
	if (found && prune->by_place)
		is_counter = read_row(prune, row);
	for (int i = 0; !prune->by_place && i < prune->ncolumns; i++)
	{
		row->values[prune->attnos[i] - 1] = values[i];
		row->isnull[prune->attnos[i] - 1] = false;
	}
	if (!found)
		prune->busy++;
	else if (!is_counter)
		 /* it stays, and is nothing that was kept */ ;
	else if (has_deltas(prune, row))
		prune->unmerged++;
	else if (prune->dry_run || execute(prune, prune->delete, values))
		prune->removed++;
	else
		prune->busy++;			/* a trigger suppressed it */
	SPI_freetuptable(rows);
}

/* Look at the next n counters; false where there are no more. */
static bool
prune_some(Prune *prune, long n)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol prune",
											  ALLOCSET_DEFAULT_SIZES);
	SPITupleTable *keys;
	uint64		nkeys;

	SPI_cursor_fetch(prune->portal, true, n);
	keys = SPI_tuptable;
	nkeys = SPI_processed;
	for (uint64 i = 0; i < nkeys; i++)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
		Datum		values[INDEX_MAX_KEYS + 1];
		bool		anynull = false;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < prune->ncolumns; j++)
		{
			bool		isnull;

			values[j] = SPI_getbinval(keys->vals[i], keys->tupdesc, j + 1,
									  &isnull);
			anynull |= isnull;
		}
		values[prune->ncolumns] = TimestampTzGetDatum(prune->cutoff);

		/* a row with a null in its key is not a counter */
		if (!anynull)
			prune_counter(prune, values);
		MemoryContextSwitchTo(oldcxt);
		MemoryContextReset(cxt);
	}
	SPI_freetuptable(keys);
	MemoryContextDelete(cxt);
	prune->seen += nkeys;
	return nkeys == n;
}

/* The rows of a batch. */
static void
prune_rows(Prune *prune)
{
	int64		left = prune->batch;

	PushActiveSnapshot(GetTransactionSnapshot());
	if (prune->portal == NULL)
		find_candidates(prune);
	check_unchanged(prune);
	if (!prune->dry_run || prune->by_place)
		prune->lock = prepare(prune, prune->by_place ?
							  "SELECT t.* FROM " : "SELECT true FROM ",
							  prune->dry_run ? "" : " FOR UPDATE SKIP LOCKED");
	if (!prune->dry_run)
		prune->delete = prepare(prune, "DELETE FROM ", "");
	prune->more = true;
	while (prune->more && left > 0)
	{
		long		n = Min(left, FETCH_ROWS);

		prune->more = prune_some(prune, n);
		left -= n;
	}
	PopActiveSnapshot();
}

static void
free_plan(SPIPlanPtr *plan)
{
	if (*plan != NULL)
		SPI_freeplan(*plan);
	*plan = NULL;
}

static void
report(Prune *prune, const char *name)
{
	int64		kept = prune->busy + prune->unmerged;

	ereport(NOTICE,
			(errmsg(prune->dry_run ?
					"table %s: would remove %lld, keep %lld" :
					"table %s: removed %lld, kept %lld",
					name, (long long) prune->removed, (long long) kept),
			 kept == 0 ? 0 :
			 errdetail("Kept: %lld locked or changed meanwhile, %lld with increments that are not in their row yet.",
					   (long long) prune->busy,
					   (long long) prune->unmerged)));
}

static void
prune_batch(Prune *prune)
{
	LOCKMODE	lockmode = prune->dry_run ? AccessShareLock : RowExclusiveLock;
	bool		first = prune->portal == NULL;
	int64		seen = prune->seen;
	char	   *name;

	prune->target = ms_target_open(prune->relid, lockmode, &prune->rel);
	name = pstrdup(prune->target->name);
	PG_TRY();
	{
		prune_rows(prune);
	}
	PG_CATCH();
	{
		free_plan(&prune->lock);
		free_plan(&prune->delete);
		ms_target_unpin(prune->target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	free_plan(&prune->lock);
	free_plan(&prune->delete);
	ms_target_close(prune->target, prune->rel);
	if (first || prune->seen > seen)
		report(prune, name);
	pfree(name);
}

/*
 * A transaction for each batch.  In READ COMMITTED, or a row that has changed
 * since the transaction's snapshot would end it all.
 */
void
ms_next_transaction(void)
{
	SPI_commit();
	SPI_start_transaction();
	(void) set_config_option("transaction_isolation", "read committed",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
							 true, 0, false);
}

static void
check_arguments(FunctionCallInfo fcinfo, Prune *prune)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Name the table that holds the counters.")));
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("older_than must not be null"),
				 errhint("'90 days' means: not seen for 90 days.")));
	if (PG_ARGISNULL(2) || PG_GETARG_INT32(2) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch must be at least 1"),
				 errhint("So many counters are looked at in one transaction.")));
	if (PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("dry_run must not be null")));
	prune->relid = PG_GETARG_OID(0);
	prune->older_than = PG_GETARG_INTERVAL_P(1);
	prune->batch = PG_GETARG_INT32(2);
	prune->dry_run = PG_GETARG_BOOL(3);
}

/* prune(target, older_than, batch, dry_run) */
Datum
ms_prune(PG_FUNCTION_ARGS)
{
	Prune		prune = {0};
	CallContext *context = castNode(CallContext, fcinfo->context);

	check_arguments(fcinfo, &prune);
	if (!prune.dry_run)
	{
		PreventCommandIfReadOnly("prune()");
		PreventCommandDuringRecovery("prune()");
		if (context->atomic)
			ereport(ERROR,
					(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
					 errmsg("prune() cannot run inside a transaction block"),
					 errdetail("It commits after each batch."),
					 errhint("Call it by itself, with autocommit on. With dry_run => true it runs anywhere.")));
	}
	if (SPI_connect_ext(context->atomic ? 0 : SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	prune.target = ms_target_open(prune.relid, AccessShareLock, &prune.rel);
	PG_TRY();
	{
		check_privileges(&prune);
		check_target(&prune);
	}
	PG_CATCH();
	{
		ms_target_unpin(prune.target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_target_close(prune.target, prune.rel);

	if (prune.dry_run)
	{
		prune.batch = PG_INT64_MAX;
		prune_batch(&prune);
	}
	else
	{
		do
		{
			ms_next_transaction();
			prune_batch(&prune);
		} while (prune.more);
	}
	UnpinPortal(prune.portal);
	SPI_cursor_close(prune.portal);
	SPI_finish();
	PG_RETURN_VOID();
}
