/*-------------------------------------------------------------------------
 *
 * total.c
 *	  Reading counters exactly: value() of one key and total() of a table,
 *	  with what is spilled or buffered and what this transaction has deferred.
 *
 * The row and what is set aside are read with one and the same snapshot, the
 * calling query's: a delta that is being folded is then either in the row or
 * aside, never both or neither.
 *
 * The table itself is read by SQL as the caller, who so needs the right to
 * SELECT from it.  Where row security applies to the caller, a key whose row
 * he does not see shows only what he has counted himself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "common/int.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

/* rows that are fetched at once */
#define FETCH_ROWS	1000

/* what is to be added, one row for each key, in the order of the key */
typedef struct Deltas
{
	MSRow	  **rows;
	bool	   *matched;		/* a row of the table has this key */
	int			n;
	int			allocated;
} Deltas;

typedef struct Total
{
	MSTarget   *target;
	Relation	rel;
	ReturnSetInfo *rsinfo;
	bool		row_security;
	Deltas		all;
	Deltas		own;			/* under row security: the caller's */
} Total;

PG_FUNCTION_INFO_V1(ms_total);

static bool
has_row_security(const MSTarget *target)
{
	return check_enable_rls(target->relid, InvalidOid, true) == RLS_ENABLED;
}

static int64
add(const MSTarget *target, int64 a, int64 b)
{
	int64		sum;

	if (pg_add_s64_overflow(a, b, &sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range"),
				 errdetail("The total of a counter in table %s does not fit into a bigint.",
						   target->name)));
	return sum;
}

/* Add to a row's count what is set aside and deferred of its key. */
void
ms_total_value(MSTarget *target, Relation rel, const MSRow *row, bool *isnull,
			  int64 *value)
{
	bool		own_only = *isnull && has_row_security(target);
	char	   *role = GetUserNameFromId(GetUserId(), false);
	int64		total = *isnull ? 0 : *value;
	int64		pending;
	ListCell   *lc;

	foreach(lc, ms_spill_read_key(target, rel, row, GetActiveSnapshot(),
								  INT_MAX))
	{
		MSSpilled  *delta = lfirst(lc);

		if (own_only && strcmp(delta->role, role) != 0)
			continue;
		total = add(target, total, delta->by);
		*isnull = false;
	}
	if (ms_pending_sum(target, row, &pending))
	{
		total = add(target, total, pending);
		*isnull = false;
	}
	*value = total;
}

static void
add_row(Deltas *deltas, MSRow *row)
{
	if (deltas->n == deltas->allocated)
	{
		deltas->allocated = deltas->allocated * 2 + 64;
		if (deltas->rows == NULL)
			deltas->rows = palloc(sizeof(MSRow *) * deltas->allocated);
		else
			deltas->rows = repalloc_huge(deltas->rows,
										 sizeof(MSRow *) * deltas->allocated);
	}
	row->ordinal = deltas->n;
	deltas->rows[deltas->n++] = row;
}

static void
add_pending(MSRow *row, void *arg)
{
	Total	   *total = arg;

	add_row(&total->all, ms_row_copy(total->rel, row));
	if (total->row_security)
		add_row(&total->own, ms_row_copy(total->rel, row));
}

/* Bring deltas in the order of the key, those of one key into one row. */
static void
merge_deltas(Total *total, Deltas *deltas)
{
	bool	   *duplicate;
	int			left = 0;

	if (deltas->n == 0)
		return;
	duplicate = palloc(deltas->n);
	ms_sort_rows(total->target, deltas->rows, deltas->n, duplicate);
	for (int i = 1; i < deltas->n; i++)
	{
		if (duplicate[i])
			ms_merge_row(total->target, total->rel, deltas->rows[left],
						 deltas->rows[i]);
		else
			deltas->rows[++left] = deltas->rows[i];
	}
	deltas->n = left + 1;
	deltas->matched = palloc0(deltas->n);
}

static void
read_deltas(Total *total)
{
	char	   *role = GetUserNameFromId(GetUserId(), false);
	bool		more;
	ListCell   *lc;

	for (int store = 0; store < MS_STORES; store++)
	{
		foreach(lc, ms_spill_read(store, total->target->relid,
								  GetActiveSnapshot(), NULL, NULL, INT_MAX,
								  &more))
		{
			MSSpilled  *delta = lfirst(lc);

			ms_spill_parse(total->target, total->rel, delta);
			if (total->row_security && strcmp(delta->role, role) == 0)
				add_row(&total->own, ms_row_copy(total->rel, delta->row));
			add_row(&total->all, delta->row);
		}
	}
	ms_pending_foreach(total->target, total->rel, add_pending, total);
	merge_deltas(total, &total->all);
	merge_deltas(total, &total->own);
}

/* The place of a key; -1 where it is not there. */
static int
find_key(const MSTarget *target, const Deltas *deltas, const Datum *values)
{
	int			low = 0;
	int			high = deltas->n - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = ms_compare_rows(target, values,
											deltas->rows[middle]->values);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}

/* Add a delta to a row of the table, as the increment of it would have. */
static void
add_to_row(const MSTarget *target, const MSRow *delta, Datum *values,
		   bool *isnull)
{
	int			i = target->count - 1;
	int			attno = -1;

	values[i] = ms_add_count(target, values[i], isnull[i], delta,
							 delta->last_seen);
	isnull[i] = false;
	if (target->last_seen != InvalidAttrNumber)
	{
		i = target->last_seen - 1;
		if (isnull[i] || DatumGetTimestampTz(values[i]) < delta->last_seen)
			values[i] = TimestampTzGetDatum(delta->last_seen);
		isnull[i] = false;
	}
	while ((attno = bms_next_member(target->fill, attno)) >= 0)
	{
		i = attno - 1;
		if (isnull[i] && !delta->isnull[i])
		{
			values[i] = delta->values[i];
			isnull[i] = false;
		}
	}
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
	Datum	   *values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *isnull = palloc(sizeof(bool) * desc->natts);
	bool		is_counter = true;
	int			place = -1;

	memset(isnull, true, desc->natts);
	for (int i = 0, j = 1; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		values[i] = heap_getattr(tuple, j, from, &isnull[i]);
		j++;
	}
	for (int i = 0; i < total->target->nkeys; i++)
		is_counter &= !isnull[total->target->keys[i].column.attno - 1];

	/* what has a NULL in its key is never counted */
	if (is_counter)
		place = find_key(total->target, &total->all, values);
	if (place >= 0)
	{
		add_to_row(total->target, total->all.rows[place], values, isnull);
		total->all.matched[place] = true;
	}
	put_row(total, values, isnull);
}

/* Begin to read the table, in SPI, which checks the caller's rights. */
static Portal
open_table(const Total *total)
{
	char	   *sql = psprintf("SELECT t.* FROM %s%s AS t",
							   total->rel->rd_rel->relkind == RELKIND_RELATION ? "ONLY " : "",
							   total->target->name);
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", sql,
			 SPI_result_code_string(SPI_result));
	ms_check_plan(total->target, plan);
	return SPI_cursor_open(NULL, plan, NULL, NULL, true);
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

/* Keys that have no row yet, or none that the caller sees. */
static void
put_new_rows(Total *total)
{
	for (int i = 0; i < total->all.n; i++)
	{
		MSRow	   *row = total->all.rows[i];

		if (total->all.matched[i])
			continue;
		if (total->row_security)
		{
			int			place = find_key(total->target, &total->own,
										 row->values);

			if (place < 0)
				continue;
			row = total->own.rows[place];
		}
		ms_set_new_counter(total->target, row, row->values, row->isnull);
		put_row(total, row->values, row->isnull);
	}
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

/* total(NULL::table): its rows, with all that has been counted */
Datum
ms_total(PG_FUNCTION_ARGS)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			relid = OidIsValid(type) ? get_typ_typrelid(type) : InvalidOid;
	Total		total = {0};
	Portal		portal;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("total() wants a row of a table, not a value of type %s",
						format_type_be(type)),
				 errhint("Name the table as a type: SELECT * FROM missing_symbol.total(NULL::page_views).")));
	total.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	total.target = ms_target_open(relid, AccessShareLock, &total.rel);
	PG_TRY();
	{
		InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
		check_row_type(&total);
		total.row_security = has_row_security(total.target);
		ms_prepare_key_order(total.target);
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		portal = open_table(&total);
		read_deltas(&total);
		put_table_rows(&total, portal);
		put_new_rows(&total);
		SPI_finish();
	}
	PG_CATCH();
	{
		ms_target_unpin(total.target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_target_close(total.target, total.rel);
	return (Datum) 0;
}
