/*-------------------------------------------------------------------------
 *
 * row.c
 *	  Rows that are to be counted: made, copied, compared, sorted, merged.
 *
 * They are compared, for ordering and merging a batch, by the key index's own
 * operator class and collations, never by bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "common/int.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sortsupport.h"
#include "utils/typcache.h"

#include "compat.h"
#include "target/row.h"
#include "target/target.h"
#include "target/target_internal.h"

/* An empty row: nothing is given yet. */
MSRow *
ms_row_make(const MSTarget *target)
{
	int			n = target->nvalues;
	MSRow	   *row = palloc(sizeof(MSRow) + (sizeof(Datum) + sizeof(bool)) * n);

	row->values = (Datum *) (row + 1);
	row->isnull = (bool *) (row->values + n);
	memset(row->values, 0, sizeof(Datum) * n);
	memset(row->isnull, true, sizeof(bool) * n);
	row->given = NULL;
	row->defaulted = NULL;
	row->by = 1;
	row->ask = NULL;
	row->ordinal = 0;
	row->origin = MS_FROM_CALL;
	row->first_seen = 0;
	row->last_seen = 0;
	row->token = NULL;
	row->into = NULL;
	return row;
}

/* A row of its own, with the values copied. */
MSRow *
ms_row_copy(const MSTarget *target, Relation rel, const MSRow *row)
{
	TupleDesc	desc = RelationGetDescr(rel);
	MSRow	   *copy = ms_row_make(target);
	Datum	   *values = copy->values;
	bool	   *isnull = copy->isnull;

	*copy = *row;
	copy->values = values;
	copy->isnull = isnull;
	copy->given = bms_copy(row->given);
	copy->defaulted = bms_copy(row->defaulted);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		isnull[i] = row->isnull[i];
		if (!isnull[i])
			values[i] = datumCopy(row->values[i], att->attbyval, att->attlen);
	}
	for (int i = 0; target->exprs != NIL && i < target->nkeys; i++)
	{
		const MSKeyColumn *key = &target->keys[i];
		int			place = key->column.attno - 1;

		if (key->expr == NULL)
			continue;
		isnull[place] = row->isnull[place];
		if (!isnull[place])
			values[place] = datumCopy(row->values[place], key->typbyval,
									  key->typlen);
	}
	return copy;
}

/* The comparison of a type, which lasts; NULL: it has none. */
FmgrInfo *
ms_comparison(Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(getBaseType(type),
											  TYPECACHE_CMP_PROC_FINFO);

	return OidIsValid(entry->cmp_proc_finfo.fn_oid) ? &entry->cmp_proc_finfo :
		NULL;
}

/* Does a value replace another one, which is there?  Not of a count. */
bool
ms_replaces(const MSMerged *column, Datum old, Datum new, bool later)
{
	int32		order;

	if (column->role == MS_ROLE_LATEST)
		return later;
	order = DatumGetInt32(FunctionCall2Coll(column->compare, column->collation,
											new, old));
	return column->role == MS_ROLE_GREATEST ? order > 0 : order < 0;
}

/*
 * Let a row have what merges of another one of the same key, too.  The times are
 * those of before.
 */
void
ms_merge_columns(const MSTarget *target, MSRow *into, const MSRow *from)
{
	bool		later = from->last_seen >= into->last_seen;

	for (int i = 0; i < target->nmerged; i++)
	{
		const MSMerged *column = &target->merged[i];
		int			j = column->attno - 1;

		if (!ms_row_fills(from, column->attno))
			continue;
		if (!ms_row_fills(into, column->attno))
		{
			into->values[j] = from->values[j];
			into->isnull[j] = false;
			into->defaulted = bms_del_member(into->defaulted, column->attno);
			if (column->attno != target->count)
				into->given = bms_add_member(into->given, column->attno);
		}
		else if (column->role == MS_ROLE_COUNT)
			into->values[j] = ms_add_amounts(&column->count, into->values[j],
											 from->values[j]);
		else if (ms_replaces(column, into->values[j], from->values[j], later))
			into->values[j] = from->values[j];
	}
}

/* Let a row have what merges of another one, which has its own, too. */
void
ms_take_merged(const MSTarget *target, MSRow *into, const MSRow *from)
{
	for (int i = 0; i < target->nmerged; i++)
	{
		AttrNumber	attno = target->merged[i].attno;

		if (!ms_row_fills(from, attno))
			continue;
		into->values[attno - 1] = from->values[attno - 1];
		into->isnull[attno - 1] = false;
		into->defaulted = bms_del_member(into->defaulted, attno);
		if (attno != target->count)
			into->given = bms_add_member(into->given, attno);
	}
}

/* Has a row any value that merges? */
bool
ms_row_merges(const MSTarget *target, const MSRow *row)
{
	for (int i = 0; i < target->nmerged; i++)
	{
		if (ms_row_fills(row, target->merged[i].attno))
			return true;
	}
	return false;
}

/* Are all amounts of a row 0, so that it counts nothing? */
bool
ms_row_counts_nothing(const MSTarget *target, const MSRow *row)
{
	if (likely(row->by != 0))
		return false;
	for (int i = 0; i < target->nmerged; i++)
	{
		const MSMerged *column = &target->merged[i];

		if (column->role == MS_ROLE_COUNT && !row->isnull[column->attno - 1] &&
			!ms_amount_is_zero(column->count.kind, row->values[column->attno - 1]))
			return false;
	}
	return true;
}

/* Add to a sum of amounts for one key. */
void
ms_add_by(const MSTarget *target, int64 *sum, int64 by)
{
	if (pg_add_s64_overflow(*sum, by, sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range"),
				 errdetail("The amounts for one key of table %s do not fit into a bigint.",
						   target->name)));
}

/* Let a row stand for a later one with the same key, too. */
void
ms_merge_row(MSTarget *target, Relation rel, MSRow *into, const MSRow *from)
{
	int			attno = -1;

	if (target->nmerged > 0)
		ms_merge_columns(target, into, from);
	ms_add_by(target, &into->by, from->by);
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

/*
 * The comparison of keys, one SortSupport for each column.  The first has a
 * twin that compares abbreviated keys, where its type and collation have such.
 */
typedef struct MSKeyOrder
{
	SortSupportData abbreviated;
	SortSupportData columns[FLEXIBLE_ARRAY_MEMBER];
} MSKeyOrder;

/* a row to be sorted; its first key column at hand */
typedef struct SortItem
{
	Datum		first;
	bool		isnull;
	MSRow	   *row;
} SortItem;

static void
prepare_column(MSTarget *target, Relation index, int i, bool abbreviate,
			   SortSupport sort)
{
	sort->ssup_cxt = target->cxt;
	sort->ssup_collation = target->keys[i].collation;
	sort->ssup_attno = i + 1;
	sort->abbreviate = abbreviate;
	PrepareSortSupportFromIndexRel(index, false, sort);
}

static MSKeyOrder *
key_order(MSTarget *target)
{
	if (target->order == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(target->cxt);
		Relation	index = index_open(target->index, AccessShareLock);
		MSKeyOrder *order = palloc0(offsetof(MSKeyOrder, columns) +
									sizeof(SortSupportData) * target->nkeys);

		prepare_column(target, index, 0, true, &order->abbreviated);
		for (int i = 0; i < target->nkeys; i++)
			prepare_column(target, index, i, false, &order->columns[i]);
		index_close(index, AccessShareLock);
		MemoryContextSwitchTo(oldcxt);
		target->order = order;
	}
	return target->order;
}

/* Make the order of keys, for ms_compare_keys; the table is open. */
void
ms_prepare_key_order(MSTarget *target)
{
	(void) key_order(target);
}

/*
 * Order two keys, their values in the order of the index's columns, as the
 * index does; nulls are a bit each.
 */
int
ms_compare_keys(const MSTarget *target, const Datum *a, uint32 a_nulls,
				const Datum *b, uint32 b_nulls)
{
	int			result = 0;

	for (int i = 0; i < target->nkeys && result == 0; i++)
		result = ApplySortComparator(a[i], (a_nulls >> i) & 1,
									 b[i], (b_nulls >> i) & 1,
									 &target->order->columns[i]);
	return result;
}

/* Order two rows by their keys, as the key's index does. */
int
ms_compare_rows(const MSTarget *target, const MSRow *a, const MSRow *b)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		int			j = target->keys[i].column.attno - 1;
		int			result;

		result = ApplySortComparator(a->values[j], a->isnull[j],
									 b->values[j], b->isnull[j],
									 &target->order->columns[i]);
		if (result != 0)
			return result;
	}
	return 0;
}

/* equal keys in the order given: the first decides */
static int
compare_items(const void *a, const void *b, void *arg)
{
	const SortItem *x = a;
	const SortItem *y = b;
	const MSTarget *target = arg;
	int			result;

	result = ApplySortComparator(x->first, x->isnull, y->first, y->isnull,
								 &target->order->abbreviated);
	if (result == 0 && (target->nkeys > 1 ||
						target->order->abbreviated.abbrev_converter != NULL))
		result = ms_compare_rows(target, x->row, y->row);
	if (result == 0)
		result = x->row->ordinal < y->row->ordinal ? -1 : 1;
	return result;
}

/*
 * Sort rows by the key; the same key's in the order given.  duplicate[i] says
 * whether rows[i] has the key of rows[i - 1].
 */
void
ms_sort_rows(MSTarget *target, MSRow **rows, int n, bool *duplicate)
{
	MSKeyOrder *order = key_order(target);
	SortSupport sort = &order->abbreviated;
	AttrNumber	first = target->keys[0].column.attno;
	SortItem   *items = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(SortItem) * n);

	for (int i = 0; i < n; i++)
	{
		items[i].row = rows[i];
		items[i].first = rows[i]->values[first - 1];
		items[i].isnull = rows[i]->isnull[first - 1];
		if (sort->abbrev_converter != NULL && !items[i].isnull)
			items[i].first = sort->abbrev_converter(items[i].first, sort);
	}
	qsort_arg(items, n, sizeof(SortItem), compare_items, target);
	for (int i = 0; i < n; i++)
	{
		rows[i] = items[i].row;
		duplicate[i] = i > 0 &&
			ms_compare_rows(target, rows[i - 1], rows[i]) == 0;
	}
	pfree(items);
}
