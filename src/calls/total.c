/*-------------------------------------------------------------------------
 *
 * total.c
 *	  Reading counters exactly: value() of one key and total() of a table,
 *	  with what is spilled or buffered and what this transaction has deferred.
 *
 * The row and what is set aside are read with one and the same snapshot, the
 * calling query's: a delta that is being folded is then either in the row or
 * aside, never both or neither.  Who has written the table anew since that
 * snapshot, as ALTER TABLE does, has left nothing for it to see: then READ
 * COMMITTED has a newer one, and the other levels an error.
 *
 * Of a view there are only rows: nothing of it is set aside, and what is of
 * the table behind it is for those to know who may read that.
 *
 * The table itself is read by SQL as the caller, who so needs the right to
 * SELECT from it.  Where row security applies to the caller, or no rows are
 * made by counting, nothing is shown of a key whose row he does not see.
 *
 * What the database generates from a row's columns is computed anew where
 * these have changed, as the table's owner.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "common/int.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "table/table.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"

/* rows that are fetched at once */
#define FETCH_ROWS	1000

/* what generates columns */
typedef struct Generating
{
	EState	   *estate;
	TupleTableSlot *slot;
	ExprState **columns;		/* by attribute number - 1 */
} Generating;

typedef struct Total
{
	MSTarget   *target;
	Relation	rel;
	ReturnSetInfo *rsinfo;
	bool		counters;		/* not all rows: those that are counters */
	MemoryContext cxt;			/* of all that is here */
	MSRow	  **rows;			/* what is to be added, in the order of the key */
	bool	   *matched;		/* a row of the table has this key */
	int			nrows;
	Generating *generating;		/* made when first needed */
} Total;

PG_FUNCTION_INFO_V1(ms_total);

/*
 * Has a table another storage than the snapshot's?  Asked of the catalog only
 * where the table has changed since at all.
 */
static bool
is_rewritten(Oid relid, Snapshot snapshot)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	TransactionId xmin;
	Oid			filenode;
	bool		rewritten;
	Relation	pg_class;
	ScanKeyData key;
	SysScanDesc scan;

	if (!HeapTupleIsValid(tuple))
		return false;
	xmin = HeapTupleHeaderGetXmin(tuple->t_data);
	filenode = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
	ReleaseSysCache(tuple);
	if (!TransactionIdIsNormal(xmin) ||
		TransactionIdIsCurrentTransactionId(xmin) ||
		!XidInMVCCSnapshot(xmin, snapshot))
		return false;

	pg_class = table_open(RelationRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(pg_class, ClassOidIndexId, true, snapshot, 1,
							  &key);
	tuple = systable_getnext(scan);
	rewritten = !HeapTupleIsValid(tuple) ||
		((Form_pg_class) GETSTRUCT(tuple))->relfilenode != filenode;
	systable_endscan(scan);
	table_close(pg_class, AccessShareLock);
	return rewritten;
}

/*
 * Make a newer snapshot the active one, where the table, or a partition, has
 * been written anew since the active one was taken; false where it serves.
 * The partitions are locked, if they are not yet.
 */
static bool
push_newer_snapshot(const MSTarget *target, Relation rel, LOCKMODE lockmode)
{
	Snapshot	snapshot = GetActiveSnapshot();
	Oid			table = target->view != NULL ? target->view->table :
		target->relid;
	bool		rewritten = false;
	ListCell   *lc;

	if (rel->rd_rel->relkind == RELKIND_RELATION)
		rewritten = is_rewritten(table, snapshot);
	else
	{
		foreach(lc, find_all_inheritors(table, lockmode, NULL))
			rewritten = rewritten || is_rewritten(lfirst_oid(lc), snapshot);
	}
	if (!rewritten)
		return false;
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access to table %s, which has been written anew",
						target->name),
				 errdetail("What it held before is not there for the snapshot of this transaction."),
				 errhint("Repeat the transaction.")));
	PushActiveSnapshot(GetLatestSnapshot());
	return true;
}

static void
out_of_range(const MSTarget *target, Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("bigint out of range"),
			 errdetail("The total of a counter in table %s does not fit into a bigint.",
					   target->name),
			 errhint("Change the type of column \"%s\" to numeric.",
					 ms_column_name(rel, target->count))));
}

static void
add_amount(MSKeyValue *value, Datum amount)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(value->cxt);

	value->amount = value->amount == (Datum) 0 ?
		datumCopy(amount, false, -1) :
		DirectFunctionCall2(numeric_add, value->amount, amount);
	MemoryContextSwitchTo(oldcxt);
}

/* What a bigint cannot hold may be more than the sum. */
static void
add_to_value(MSKeyValue *value, int64 by)
{
	int64		sum;

	if (value->isnull)
		value->value = by;
	else if (!pg_add_s64_overflow(value->value, by, &sum))
		value->value = sum;
	else
		add_amount(value, DirectFunctionCall1(int8_numeric,
											  Int64GetDatum(by)));
	value->isnull = false;
}

/* Add what a row is counted by. */
void
ms_value_add(MSKeyValue *value, const MSRow *row)
{
	int			i = value->target->count - 1;

	add_to_value(value, row->by);
	if (!row->isnull[i])
		add_amount(value, ms_amount_numeric(value->target->kind,
											row->values[i]));
}

/* Begin with what a row has, or with nothing. */
void
ms_value_begin(MSKeyValue *value, const MSTarget *target,
			   const MSResult *counter)
{
	memset(value, 0, sizeof(*value));
	value->target = target;
	value->cxt = CurrentMemoryContext;
	value->isnull = counter->count_isnull;
	value->value = counter->count;
	value->numeric = counter->count_isnull ? counter->numeric : (Datum) 0;
}

static bool
add_delta(MSSpilled *delta, void *arg)
{
	ms_value_add(arg, delta->row);
	return true;
}

/* What is no bigint, and what is added to it, as a bigint. */
static void
add_numeric(Relation rel, MSKeyValue *value, Datum count)
{
	if (value->amount != (Datum) 0)
		count = count == (Datum) 0 ? value->amount :
			DirectFunctionCall2(numeric_add, count, value->amount);
	if (!value->isnull)
		count = DirectFunctionCall2(numeric_add, count,
									DirectFunctionCall1(int8_numeric,
														Int64GetDatum(value->value)));
	value->isnull = !ms_numeric_to_bigint(count, &value->value);
	if (value->isnull && !value->lenient &&
		ms_counts_whole(value->target->kind))
		out_of_range(value->target, rel);
	if (value->isnull && !value->lenient)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the count in column \"%s\" of table %s is not a bigint",
						ms_column_name(rel, value->target->count),
						value->target->name),
				 errdetail("It has a fraction, or is out of range."),
				 value->taken ?
				 errhint("Take it by statements of your own: SELECT .. FOR UPDATE, and UPDATE.") :
				 errhint("missing_symbol.total(NULL::%s) shows it as it is.",
						 value->target->name)));
}

/* What it comes to, which must be a bigint; false: nothing was counted. */
bool
ms_value_end(MSKeyValue *value, Relation rel, int64 *result)
{
	if (value->amount != (Datum) 0 || value->numeric != (Datum) 0)
		add_numeric(rel, value, value->numeric);
	*result = value->value;
	return !value->isnull;
}

/*
 * Read the row of a key, and what limits see of it, if that is wanted; false
 * where there is none that the role sees.
 * Whatever core finds it by, who only reads does not run the functions of its
 * index; to whom row security applies, he runs the owner's policies in any case.
 */
bool
ms_total_read(MSTarget *target, Relation rel, MSRow *row, MSResult *counter,
			  MSLimited *limited)
{
	MSActing	acting;
	bool		found;

	if (target->builtin ||
		(target->exprs == NIL && target->predicate == NULL) ||
		ms_row_security_applies(target, InvalidOid))
		return ms_general_value(target, rel, row, counter, limited);
	ms_act_for_searching(target, rel, &acting);
	found = ms_general_value(target, rel, row, counter, limited);
	ms_act_no_more(&acting);
	return found;
}

static void
total_value(MSTarget *target, Relation rel, MSRow *row, bool lenient,
			bool *isnull, int64 *result)
{
	MSKeyValue	value;
	MSResult	counter;
	bool		found;
	bool		pushed = false;
	bool		fractions = !ms_counts_whole(target->kind);
	const MSRow *pending;
	int64		sum;

	found = ms_total_read(target, rel, row, &counter, NULL);

	/* what has been written anew shows no row at all */
	if (!found && (pushed = push_newer_snapshot(target, rel, NoLock)))
		found = ms_total_read(target, rel, row, &counter, NULL);
	ms_value_begin(&value, target, &counter);
	value.lenient = lenient;
	if (target->view == NULL &&
		(found || (!target->no_insert &&
				   !ms_row_security_applies(target, InvalidOid))))
	{
		ms_spill_foreach(target, rel, row, GetActiveSnapshot(),
						 fractions ? MS_READ_ALL : MS_READ_FIRST_COUNT,
						 add_delta, &value);
		if (fractions && (pending = ms_pending_row(target, rel, row)) != NULL)
			ms_value_add(&value, pending);
		else if (!fractions && ms_pending_sum(target, row, &sum))
			add_to_value(&value, sum);
	}
	if (pushed)
		PopActiveSnapshot();
	*isnull = !ms_value_end(&value, rel, result);
}

/* The count of a row's key. */
void
ms_total_value(MSTarget *target, Relation rel, MSRow *row, bool *isnull,
			   int64 *result)
{
	total_value(target, rel, row, false, isnull, result);
}

/* The same; null where bigint cannot hold it, too. */
void
ms_total_known(MSTarget *target, Relation rel, MSRow *row, bool *isnull,
			   int64 *result)
{
	total_value(target, rel, row, true, isnull, result);
}

static void
add_pending(MSRow *row, void *arg)
{
	ms_sums_add(arg, row);
}

/* Read all deltas of a table, and add them up by key. */
static void
read_deltas(Total *total)
{
	MSTarget   *target = total->target;
	MSSums	   *sums = ms_sums_begin(target, total->rel);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol delta",
											  ALLOCSET_SMALL_SIZES);

	for (int store = 0; store < MS_STORES; store++)
	{
		MSSpillScan *scan = ms_spill_begin(store, target->relid,
										   GetActiveSnapshot(), NULL, NULL);
		MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
		MSSpilled  *delta;

		while ((delta = ms_spill_next(scan)) != NULL)
		{
			ms_spill_parse(target, total->rel, delta, MS_READ_ALL, NULL);
			ms_sums_add(sums, delta->row);
			MemoryContextReset(cxt);
		}
		MemoryContextSwitchTo(oldcxt);
		ms_spill_end(scan);
	}
	ms_pending_foreach(target, total->rel, add_pending, sums);
	total->rows = ms_sums_end(sums, &total->nrows);
	total->matched = MemoryContextAllocExtended(CurrentMemoryContext,
												Max(total->nrows, 1),
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	MemoryContextDelete(cxt);
}

/* The place of a key; -1 where it is not there. */
static int
find_key(const Total *total, const MSRow *row)
{
	int			low = 0;
	int			high = total->nrows - 1;

	while (low <= high)
	{
		int			middle = low + (high - low) / 2;
		int			order = ms_compare_rows(total->target, row,
											total->rows[middle]);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}

/* Be ready to generate columns. */
static void
begin_generating(Total *total)
{
	TupleDesc	desc = RelationGetDescr(total->rel);
	Generating *generating = palloc0(sizeof(Generating));

	generating->columns = palloc0(sizeof(ExprState *) * desc->natts);
	generating->estate = CreateExecutorState();
	generating->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(desc),
											   &TTSOpsVirtual);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attgenerated != '\0' && !att->attisdropped)
			generating->columns[i] =
				ExecPrepareExpr((Expr *) build_column_default(total->rel, i + 1),
								generating->estate);
	}
	total->generating = generating;
}

static void
end_generating(Total *total)
{
	if (total->generating == NULL)
		return;
	ExecDropSingleTupleTableSlot(total->generating->slot);
	FreeExecutorState(total->generating->estate);
}

/* Compute what is generated from a row's columns. */
static void
generate(Total *total, Datum *values, bool *isnull)
{
	TupleDesc	desc = RelationGetDescr(total->rel);
	TupleTableSlot *slot = total->generating->slot;
	ExprContext *econtext = GetPerTupleExprContext(total->generating->estate);

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, sizeof(Datum) * desc->natts);
	memcpy(slot->tts_isnull, isnull, sizeof(bool) * desc->natts);
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(total->rel);
	econtext->ecxt_scantuple = slot;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (total->generating->columns[i] == NULL)
			continue;
		values[i] = ExecEvalExprSwitchContext(total->generating->columns[i],
											  econtext, &isnull[i]);
		if (!isnull[i])
			values[i] = datumCopy(values[i], att->attbyval, att->attlen);
	}
	ExecClearTuple(slot);
	ResetExprContext(econtext);
}

/* The columns of a row that are generated from others, which have changed. */
static void
generate_columns(Total *total, Datum *values, bool *isnull)
{
	TupleConstr *constr = RelationGetDescr(total->rel)->constr;
	MSActing	acting;
	MemoryContext oldcxt;

	if (constr == NULL || !ms_has_generated(constr))
		return;
	if (!total->target->builtin)
		ms_act_for_reading(total->rel, &acting);
	if (total->generating == NULL)
	{
		oldcxt = MemoryContextSwitchTo(total->cxt);
		begin_generating(total);
		MemoryContextSwitchTo(oldcxt);
	}
	generate(total, values, isnull);
	if (!total->target->builtin)
		ms_act_no_more(&acting);
}

static void
put_row(Total *total, Datum *values, bool *isnull)
{
	tuplestore_putvalues(total->rsinfo->setResult, total->rsinfo->setDesc,
						 values, isnull);
}

/* Pass a row of the table on; SQL leaves out columns that were dropped. */
static void
put_table_row(Total *total, HeapTuple tuple, TupleDesc from)
{
	TupleDesc	desc = RelationGetDescr(total->rel);
	MSRow	   *row = ms_row_make(total->target);
	Datum	   *values = row->values;
	bool	   *isnull = row->isnull;
	bool		is_counter = total->nrows > 0;
	int			place = -1;

	for (int i = 0, j = 1; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		values[i] = heap_getattr(tuple, j, from, &isnull[i]);
		j++;
	}

	/* what has a NULL in its key is never counted, unless that is a value */
	if (is_counter && total->target->special)
		is_counter = ms_key_of_row(total->target, total->rel, values, isnull);
	for (int i = 0; is_counter && !total->target->special &&
		 i < total->target->nkeys; i++)
		is_counter = !isnull[total->target->keys[i].column.attno - 1];
	if (is_counter)
		place = find_key(total, row);
	if (place >= 0)
	{
		const MSRow *delta = total->rows[place];

		ms_count_in_row(total->target, delta, delta->last_seen, values, isnull);
		generate_columns(total, values, isnull);
		total->matched[place] = true;
	}
	put_row(total, values, isnull);
}

/*
 * Begin to read the table, in SPI, which checks the caller's rights: all its
 * rows, or those that are counters.
 */
static Portal
open_table(const Total *total)
{
	MSTarget   *target = total->target;
	bool		has_trees = total->counters && ms_has_trees(target);
	MSParams   *params = palloc0(sizeof(MSParams));
	StringInfoData sql;
	SPIPlanPtr	plan;
	Portal		portal;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT t.* FROM ");
	ms_append_table(&sql, target, total->rel);
	if (total->counters)
	{
		appendStringInfoString(&sql, " WHERE ");
		ms_append_counters(&sql, target, total->rel);
	}
	params->target = target;
	plan = has_trees ?
		SPI_prepare_params(sql.data, ms_params_setup, params, 0) :
		SPI_prepare(sql.data, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", sql.data,
			 SPI_result_code_string(SPI_result));
	ms_check_plan(target, plan);
	portal = has_trees ?
		SPI_cursor_open_with_paramlist(NULL, plan, makeParamList(0), true) :
		SPI_cursor_open(NULL, plan, NULL, NULL, true);
	portal->visible = false;	/* it is nobody's cursor */
	return portal;
}

static void
put_table_rows(Total *total, Portal portal)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol total",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt;

	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		oldcxt = MemoryContextSwitchTo(cxt);
		for (uint64 i = 0; i < SPI_processed; i++)
			put_table_row(total, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		MemoryContextSwitchTo(oldcxt);
		MemoryContextReset(cxt);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	MemoryContextDelete(cxt);
}

/* Keys that have no row yet. */
static void
put_new_rows(Total *total)
{
	for (int i = 0; i < total->nrows; i++)
	{
		MSRow	   *row = total->rows[i];

		if (total->matched[i])
			continue;
		ms_set_new_counter(total->target, row, row->values, row->isnull);
		generate_columns(total, row->values, row->isnull);
		put_row(total, row->values, row->isnull);
	}
}

/* The rows of a table that is open, in SPI. */
static void
put_rows(Total *total)
{
	bool		pushed = push_newer_snapshot(total->target, total->rel,
											 AccessShareLock);
	Portal		portal;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	total->cxt = CurrentMemoryContext;
	portal = open_table(total);
	read_deltas(total);
	put_table_rows(total, portal);
	if (!total->target->no_insert &&
		!ms_row_security_applies(total->target, InvalidOid))
		put_new_rows(total);
	end_generating(total);
	SPI_finish();
	if (pushed)
		PopActiveSnapshot();
}

/*
 * Are the rows that the query expects still those of the table?  It was
 * planned before we have locked the table, and may have waited for that.  New
 * columns are left out.
 */
static void
check_row_type(const Total *total)
{
	TupleDesc	expected = total->rsinfo->setDesc;
	TupleDesc	desc = RelationGetDescr(total->rel);
	bool		same = expected->natts <= desc->natts;

	for (int i = 0; same && i < expected->natts; i++)
	{
		Form_pg_attribute a = TupleDescAttr(expected, i);
		Form_pg_attribute b = TupleDescAttr(desc, i);

		same = a->attisdropped == b->attisdropped &&
			(a->attisdropped || a->atttypid == b->atttypid);
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has got other columns meanwhile",
						total->target->name),
				 errhint("Repeat the call.")));
}

/* The table of which a function is given a row as its type. */
Oid
ms_total_relid(FunctionCallInfo fcinfo, const char *function)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			relid = OidIsValid(type) ? get_typ_typrelid(type) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s() wants a row of a table, not a value of type %s",
						function, format_type_be(type)),
				 errhint("Name the table as a type: SELECT * FROM missing_symbol.%s(NULL::page_views).",
						 function)));
	return relid;
}

/*
 * All rows of a table; or, if after is not NULL, those that are counters: then it
 * is called, and all is as it is once the table is locked.
 */
void
ms_total_rows(FunctionCallInfo fcinfo, Oid relid, LOCKMODE lockmode,
			  void (*after) (MSTarget *target, Relation rel))
{
	Total		total = {0};

	total.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	total.counters = after != NULL;
	total.target = ms_target_open(relid, lockmode, &total.rel);
	PG_TRY();
	{
		if (after != NULL)
			ms_target_refuse_view(total.target);
		InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
		check_row_type(&total);
		if (after != NULL)
		{
			CommandCounterIncrement();
			PushActiveSnapshot(IsolationUsesXactSnapshot() ?
							   GetTransactionSnapshot() : GetLatestSnapshot());
		}
		put_rows(&total);
		if (after != NULL)
		{
			after(total.target, total.rel);
			PopActiveSnapshot();
		}
	}
	PG_CATCH();
	{
		ms_target_unpin(total.target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_target_close(total.target, total.rel);
}

/* total(NULL::table): its rows, with all that has been counted */
Datum
ms_total(PG_FUNCTION_ARGS)
{
	ms_total_rows(fcinfo, ms_total_relid(fcinfo, "total"), AccessShareLock,
				  NULL);
	return (Datum) 0;
}
