/*-------------------------------------------------------------------------
 *
 * sums.c
 *	  Sums of deltas, one for each key.
 *
 * Deltas are read one by one, in the order of a hash of their keys' texts,
 * from both stores: what is to be kept in memory is one row for each key, not
 * one for each delta.  So they are gathered, and those of one key made one
 * whenever there are twice as many as keys, as far as known.
 *
 * It does not matter in which order they come.  The fields of a sum are those
 * of the delta that was counted first; a column that fills up has the value
 * of the first that has one; values that merge are merged.
 *
 * All is in a memory context of its own, which goes with the one that it was
 * begun in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "aside/aside.h"
#include "target/row.h"
#include "target/target.h"

/* so many are gathered at least */
#define MIN_SUMS	1024

/* the value that a column is filled up with */
typedef struct Filling
{
	bool		isnull;
	Datum		value;
	TimestampTz counted;		/* of the delta that has it */
} Filling;

typedef struct Sum
{
	MSRow	   *row;			/* of the delta counted first; sums */
	Filling    *fillings;		/* in the order of target->fill */
} Sum;

struct MSSums
{
	MSTarget   *target;
	Relation	rel;
	MemoryContext cxt;			/* of this; that of the sums is in it */
	MemoryContext sums_cxt;
	Sum		   *sums;
	int			n;
	int			limit;			/* so many, and they are merged */
};

static MemoryContext
make_context(MemoryContext parent)
{
	return AllocSetContextCreate(parent, "missing_symbol sums",
								 ALLOCSET_DEFAULT_SIZES);
}

MSSums *
ms_sums_begin(MSTarget *target, Relation rel)
{
	MemoryContext cxt = make_context(CurrentMemoryContext);
	MSSums	   *sums = MemoryContextAllocZero(cxt, sizeof(MSSums));

	ms_prepare_key_order(target);
	sums->target = target;
	sums->rel = rel;
	sums->cxt = cxt;
	sums->sums_cxt = make_context(cxt);
	sums->limit = MIN_SUMS;
	sums->sums = MemoryContextAlloc(cxt, sizeof(Sum) * sums->limit);
	return sums;
}

/* Begin a sum with a row. */
static void
init_sum(MSSums *sums, Sum *sum, const MSRow *row)
{
	int			nfillings = bms_num_members(sums->target->fill);
	int			attno = -1;

	sum->row = ms_row_copy(sums->target, sums->rel, row);
	sum->fillings = palloc(sizeof(Filling) * nfillings);
	for (int i = 0; i < nfillings; i++)
	{
		attno = bms_next_member(sums->target->fill, attno);
		sum->fillings[i].isnull = !ms_row_fills(sum->row, attno);
		sum->fillings[i].value = sum->row->values[attno - 1];
		sum->fillings[i].counted = row->first_seen;
	}
}

static void
add_amount(const MSTarget *target, MSRow *into, const MSRow *from)
{
	ms_add_by(target, &into->by, from->by);
	into->last_seen = Max(into->last_seen, from->last_seen);
}

/* Make two sums of one key one, which has the values of both. */
static void
merge(const MSTarget *target, Sum *into, const Sum *from)
{
	int			nfillings = bms_num_members(target->fill);

	if (target->nmerged > 0)
		ms_merge_columns(target, into->row, from->row);
	add_amount(target, into->row, from->row);
	if (from->row->first_seen < into->row->first_seen)
	{
		from->row->by = into->row->by;
		from->row->last_seen = into->row->last_seen;
		ms_take_merged(target, from->row, into->row);
		into->row = from->row;
	}
	for (int i = 0; i < nfillings; i++)
	{
		const Filling *filling = &from->fillings[i];

		if (!filling->isnull &&
			(into->fillings[i].isnull ||
			 filling->counted < into->fillings[i].counted))
			into->fillings[i] = *filling;
	}
}

/* Copy a sum, to leave what is not needed of the deltas behind. */
static void
copy_sum(MSSums *sums, Sum *copy, const Sum *sum)
{
	TupleDesc	desc = RelationGetDescr(sums->rel);
	int			nfillings = bms_num_members(sums->target->fill);
	int			attno = -1;

	copy->row = ms_row_copy(sums->target, sums->rel, sum->row);
	copy->fillings = palloc(sizeof(Filling) * nfillings);
	for (int i = 0; i < nfillings; i++)
	{
		Form_pg_attribute att;

		attno = bms_next_member(sums->target->fill, attno);
		att = TupleDescAttr(desc, attno - 1);
		copy->fillings[i] = sum->fillings[i];
		if (!sum->fillings[i].isnull)
			copy->fillings[i].value = datumCopy(sum->fillings[i].value,
												att->attbyval, att->attlen);
	}
}

/* Bring sums in the order of the key, and make those of one key one. */
static void
merge_all(MSSums *sums)
{
	MemoryContext old_sums_cxt = sums->sums_cxt;
	MemoryContext oldcxt;
	MSRow	  **rows;
	bool	   *duplicate;
	Sum		   *merged;
	int			n = 0;

	if (sums->n == 0)
		return;
	sums->sums_cxt = make_context(sums->cxt);
	oldcxt = MemoryContextSwitchTo(old_sums_cxt);
	rows = MemoryContextAllocHuge(old_sums_cxt, sizeof(MSRow *) * sums->n);
	duplicate = MemoryContextAllocHuge(old_sums_cxt, sums->n);
	for (int i = 0; i < sums->n; i++)
	{
		rows[i] = sums->sums[i].row;
		rows[i]->ordinal = i;
	}
	ms_sort_rows(sums->target, rows, sums->n, duplicate);

	merged = MemoryContextAllocHuge(old_sums_cxt, sizeof(Sum) * sums->n);
	for (int i = 0; i < sums->n; i++)
	{
		Sum		   *sum = &sums->sums[rows[i]->ordinal];

		if (duplicate[i])
			merge(sums->target, &merged[n - 1], sum);
		else
			merged[n++] = *sum;
	}

	MemoryContextSwitchTo(sums->sums_cxt);
	for (int i = 0; i < n; i++)
		copy_sum(sums, &sums->sums[i], &merged[i]);
	sums->n = n;
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(old_sums_cxt);
}

/* Has a row nothing for a sum but its amount, and a later time? */
static bool
is_amount_only(const MSSums *sums, const Sum *sum, const MSRow *row)
{
	int			i = 0;
	int			attno = -1;

	if (row->first_seen < sum->row->first_seen ||
		ms_row_merges(sums->target, row))
		return false;
	while ((attno = bms_next_member(sums->target->fill, attno)) >= 0)
	{
		const Filling *filling = &sum->fillings[i++];

		if (ms_row_fills(row, attno) &&
			(filling->isnull || row->first_seen < filling->counted))
			return false;
	}
	return true;
}

/* Add a row, of which nothing is needed any more then. */
void
ms_sums_add(MSSums *sums, const MSRow *row)
{
	MemoryContext oldcxt;

	if (sums->n > 0)
	{
		Sum		   *last = &sums->sums[sums->n - 1];

		if (ms_compare_rows(sums->target, last->row, row) == 0 &&
			is_amount_only(sums, last, row))
		{
			add_amount(sums->target, last->row, row);
			return;
		}
	}
	if (sums->n == sums->limit)
	{
		merge_all(sums);
		sums->limit = Max(sums->limit, 2 * sums->n);
		sums->sums = repalloc_huge(sums->sums, sizeof(Sum) * sums->limit);
	}
	oldcxt = MemoryContextSwitchTo(sums->sums_cxt);
	init_sum(sums, &sums->sums[sums->n++], row);
	MemoryContextSwitchTo(oldcxt);
}

/*
 * All that was added, as one row for each key, in the order of the key: *n of
 * them.  As each would be if its deltas came one after the other.
 */
MSRow **
ms_sums_end(MSSums *sums, int *n)
{
	MSRow	  **rows;

	merge_all(sums);
	*n = sums->n;
	rows = MemoryContextAllocHuge(sums->cxt, sizeof(MSRow *) * Max(sums->n, 1));
	for (int i = 0; i < sums->n; i++)
	{
		MSRow	   *row = sums->sums[i].row;
		const Filling *filling = sums->sums[i].fillings;
		int			attno = -1;

		while ((attno = bms_next_member(sums->target->fill, attno)) >= 0)
		{
			if (row->isnull[attno - 1] && !filling->isnull &&
				(bms_is_member(attno, row->given) ||
				 !bms_is_member(attno, sums->target->defaults)))
			{
				row->values[attno - 1] = filling->value;
				row->isnull[attno - 1] = false;
				row->given = bms_add_member(row->given, attno);
			}
			filling++;
		}
		rows[i] = row;
	}
	return rows;
}
