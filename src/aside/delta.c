/*-------------------------------------------------------------------------
 *
 * delta.c
 *	  One delta: what one role has deferred for one key.
 *
 * It is a copy of what the first call gave, in a single chunk of memory, with
 * the sums of the calls since.  A later delta of the same key that brings
 * values for columns that are filled, or whose values merge, is kept as its
 * donor: as a subtransaction commits nothing may fail, and a sum can.  Whoever
 * adds the next one makes those that merge one, where they are many.  At the
 * end it becomes a row again, of the table as it is then: a column that was dropped
 * meanwhile is left out, one that has changed its type is an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "aside/aside_internal.h"
#include "target/row.h"
#include "target/target.h"

/* so many donors, and those are made one */
#define MAX_DONORS	8

/* Columns are none; texts are those of the same expression. */
static bool
same_expression(const MSKeyColumn *a, const MSKeyColumn *b)
{
	if (a->expr == NULL || b->expr == NULL)
		return a->expr == b->expr;
	return strcmp(a->expr, b->expr) == 0;
}

/* Is the key that of when the first delta was deferred? */
static bool
same_key(const MSTarget *a, const MSTarget *b)
{
	bool		same = a->nkeys == b->nkeys && a->nulls == b->nulls &&
		equal(a->predicate, b->predicate);

	for (int i = 0; same && i < a->nkeys; i++)
		same = a->keys[i].column.attno == b->keys[i].column.attno &&
			a->keys[i].column.typid == b->keys[i].column.typid &&
			a->keys[i].collation == b->keys[i].collation &&
			a->keys[i].eqop == b->keys[i].eqop &&
			same_expression(&a->keys[i], &b->keys[i]);
	return same;
}

static void
counts_no_more(const MSTarget *target, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of table %s is not counted any more, for which this transaction has deferred increments",
					column, target->name),
			 errhint("Change what is counted before the transaction's first increment or in a transaction of its own.")));
}

/* Is the target, with its key and its count, that of when it was deferred? */
void
ms_delta_check_target(const MSTarget *then, const MSTarget *now)
{
	HeapTuple	count = then->count == now->count ? NULL :
		SearchSysCacheAttNum(now->relid, then->count);

	if (HeapTupleIsValid(count))
		counts_no_more(now,
					   pstrdup(NameStr(((Form_pg_attribute) GETSTRUCT(count))->attname)));

	if (then != now && !same_key(then, now))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the key of table %s has changed since this transaction deferred increments of it",
						now->name),
				 errhint("Change the key before the transaction's first increment or in a transaction of its own, or SET missing_symbol.apply = 'now' (track(..., apply => 'now')).")));
}

/* The key of a row, in the order of the index; returns a bit for each null. */
uint32
ms_delta_key(const MSTarget *target, const MSRow *row, Datum *values)
{
	uint32		nulls = 0;

	for (int i = 0; i < target->nkeys; i++)
	{
		int			place = target->keys[i].column.attno - 1;

		values[i] = row->values[place];
		if (target->nulls && row->isnull[place])
			nulls |= (uint32) 1 << i;
	}
	return nulls;
}

/* Has a delta a value for a column? */
bool
ms_delta_has_value(const MSDelta *delta, AttrNumber attno)
{
	for (; delta != NULL; delta = delta->donor)
	{
		for (int i = 0; i < delta->nfields; i++)
		{
			if (delta->fields[i].attno == attno && !delta->fields[i].isnull)
				return true;
		}
	}
	return false;
}

/* Let a delta's values fill and merge, after those of another. */
void
ms_delta_add_donor(MSDelta *delta, MSDelta *donor)
{
	delta->ndonors += 1 + donor->ndonors;
	while (delta->donor != NULL)
		delta = delta->donor;
	delta->donor = donor;
}

/*
 * Has a delta, or one of its donors, values that merge, or that fill what
 * another lacks?
 */
bool
ms_delta_brings_values(const MSDelta *delta, const MSDelta *into)
{
	for (; delta != NULL; delta = delta->donor)
	{
		for (int i = 0; i < delta->nfields; i++)
		{
			const MSField *field = &delta->fields[i];

			if (!field->isnull &&
				(field->merges ||
				 (field->fills && !ms_delta_has_value(into, field->attno))))
				return true;
		}
	}
	return false;
}

/* a value, and the space that it takes behind its delta */
typedef struct Sized
{
	AttrNumber	attno;
	Oid			typid;
	bool		byval;
	Datum		value;
	bool		isnull;
	Size		size;
} Sized;

/* Look at a value of a row; the space that it takes. */
static Size
measure(const MSRow *row, const MSColumn *column, int16 typlen, bool byval,
		Sized *sized)
{
	sized->attno = column->attno;
	sized->typid = column->typid;
	sized->byval = byval;
	sized->value = row->values[column->attno - 1];
	sized->isnull = row->isnull[column->attno - 1];
	if (sized->isnull || byval)
		return 0;
	if (typlen == -1)
		sized->value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(sized->value));
	sized->size = datumGetSize(sized->value, false, typlen);
	return MAXALIGN(sized->size);
}

static Size
measure_column(Relation rel, const MSRow *row, AttrNumber attno, Sized *sized)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
	MSColumn	column = {.attno = attno, .typid = att->atttypid};

	return measure(row, &column, att->attlen, att->attbyval, sized);
}

static Datum
move_value(const Sized *sized, char **space)
{
	char	   *result = *space;

	if (sized->isnull)
		return (Datum) 0;
	if (sized->byval)
		return sized->value;
	memcpy(result, DatumGetPointer(sized->value), sized->size);
	*space += MAXALIGN(sized->size);
	return PointerGetDatum(result);
}

/* for so many no memory has to be allocated */
#define FEW_COLUMNS 16

/* Copy a row that was counted now by the current role; linked to nothing. */
MSDelta *
ms_delta_make(MemoryContext cxt, const MSTarget *target, Relation rel,
			  const MSRow *row, TimestampTz now)
{
	Bitmapset  *columns = row->isnull[target->count - 1] ?
		bms_union(row->given, row->defaulted) :
		bms_add_member(bms_union(row->given, row->defaulted), target->count);
	int			most = target->nkeys + bms_num_members(columns);
	Sized		few[FEW_COLUMNS];
	Sized	   *sized = most <= FEW_COLUMNS ? few : palloc(sizeof(Sized) * most);
	int			n = 0;
	Size		fields_at = MAXALIGN(offsetof(MSDelta, values) +
									 sizeof(Datum) * target->nkeys);
	Size		given_size = row->given == NULL ? 0 :
		offsetof(Bitmapset, words) + sizeof(bitmapword) * row->given->nwords;
	Size		fixed;
	Size		size = 0;
	MSDelta    *delta;
	char	   *space;
	bool		plain = row->defaulted == NULL && target->fill == NULL &&
		target->nmerged == 0;
	int			attno = -1;
	uint32		nulls = 0;

	for (; n < target->nkeys; n++)
	{
		const MSKeyColumn *key = &target->keys[n];

		size += measure(row, &key->column, key->typlen, key->typbyval,
						&sized[n]);
		if (sized[n].isnull)
			nulls |= (uint32) 1 << n;
	}
	while ((attno = bms_next_member(columns, attno)) >= 0)
	{
		if (!ms_is_key_column(target, attno))
			size += measure_column(rel, row, attno, &sized[n++]);
	}
	fixed = fields_at + MAXALIGN(sizeof(MSField) * (n - target->nkeys));
	size += fixed + MAXALIGN(given_size);

	delta = MemoryContextAllocHuge(cxt, size);
	memset(delta, 0, fixed);
	delta->role = GetUserId();
	delta->by = row->by;
	delta->first_seen = now;
	delta->last_seen = now;
	delta->counted = now;
	delta->size = size;
	delta->nulls = nulls;
	delta->nfields = n - target->nkeys;
	delta->fields = (MSField *) ((char *) delta + fields_at);
	space = (char *) delta + fixed;
	if (row->given != NULL)
	{
		delta->given = (Bitmapset *) space;
		memcpy(delta->given, row->given, given_size);
		space += MAXALIGN(given_size);
	}
	for (int i = 0; i < target->nkeys; i++)
		delta->values[i] = move_value(&sized[i], &space);
	for (int i = 0; i < delta->nfields; i++)
	{
		const Sized *from = &sized[target->nkeys + i];
		MSField    *field = &delta->fields[i];

		field->attno = from->attno;
		field->isnull = from->isnull;
		if (!plain)
		{
			const MSMerged *merged;

			field->defaulted = bms_is_member(field->attno, row->defaulted);
			field->fills = !field->defaulted &&
				bms_is_member(field->attno, target->fill);
			merged = field->defaulted ? NULL :
				ms_merged_column(target, field->attno);
			field->merges = merged != NULL;
			if (merged != NULL)
				field->role = merged->role;
		}
		field->typid = from->typid;
		field->value = move_value(from, &space);
	}
	if (sized != few)
		pfree(sized);
	bms_free(columns);
	return delta;
}

/* Make a row of a key without fields. */
static MSRow *
row_of_delta(const MSTarget *target, const MSDelta *delta)
{
	MSRow	   *row = ms_row_make(target);

	for (int i = 0; i < target->nkeys; i++)
	{
		AttrNumber	attno = target->keys[i].column.attno;

		row->values[attno - 1] = delta->values[i];
		row->isnull[attno - 1] = (delta->nulls >> i) & 1;
	}
	row->given = bms_copy(delta->given);
	row->by = delta->by;
	row->origin = MS_FROM_MEMORY;
	row->first_seen = delta->first_seen;
	row->last_seen = delta->last_seen;
	return row;
}

/*
 * A column that was dropped after it was given goes without a word; and where
 * nobody gave it, one of another type has its default again.
 */
static bool
field_is_there(const MSTarget *target, Relation rel, const MSField *field)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
										  field->attno - 1);
	const MSMerged *merged;

	if (att->attisdropped ||
		(field->defaulted && att->atttypid != field->typid))
		return false;

	/* what was a detail then is no amount */
	merged = ms_merged_column(target, field->attno);
	if (!field->merges && !field->defaulted && merged != NULL &&
		merged->role == MS_ROLE_COUNT)
		return false;
	if (field->merges && (merged == NULL || merged->role != field->role) &&
		!(field->role == MS_ROLE_COUNT && field->attno == target->count))
		counts_no_more(target, NameStr(att->attname));
	if (att->atttypid != field->typid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the type of column \"%s\" of table %s has changed since this transaction deferred increments with a value for it",
						NameStr(att->attname), target->name),
				 errhint("Change the column before the transaction's first increment or in a transaction of its own, or SET missing_symbol.apply = 'now' (track(..., apply => 'now')).")));
	return true;
}

static void
set_field(MSRow *row, const MSField *field)
{
	row->values[field->attno - 1] = field->value;
	row->isnull[field->attno - 1] = field->isnull;
}

/* Fill a row from a delta; all: it is no new counter that has defaults. */
static void
fill(const MSTarget *target, Relation rel, MSRow *row, const MSDelta *delta,
	 bool all)
{
	for (int i = 0; i < delta->nfields; i++)
	{
		const MSField *field = &delta->fields[i];
		AttrNumber	attno = field->attno;

		if (field->fills && !field->isnull && row->isnull[attno - 1] &&
			field_is_there(target, rel, field) &&
			(all || bms_is_member(attno, row->given) ||
			 !bms_is_member(attno, target->defaults)))
		{
			set_field(row, field);
			row->given = bms_add_member(row->given, attno);
		}
	}
}

/*
 * Fill a row from a delta and its donors; as in a batch, what a new counter
 * would get from a default is not filled.
 */
void
ms_delta_fill(const MSTarget *target, Relation rel, MSRow *row,
			const MSDelta *delta)
{
	for (; delta != NULL; delta = delta->donor)
		fill(target, rel, row, delta, false);
}

/* Set a row's fields to what a delta has without its donors. */
static void
set_fields(const MSTarget *target, Relation rel, MSRow *row,
		   const MSDelta *delta)
{
	for (int i = 0; i < delta->nfields; i++)
	{
		const MSField *field = &delta->fields[i];
		bool		is_there = field_is_there(target, rel, field);

		if (is_there)
			set_field(row, field);
		if (is_there && field->defaulted)
			row->defaulted = bms_add_member(row->defaulted, field->attno);
		else if (!is_there)
			row->given = bms_del_member(row->given, field->attno);
	}
}

/* Let what merges of a donor be that of a row, too. */
static void
merge_donor(const MSTarget *target, Relation rel, MSRow *row,
			const MSDelta *donor)
{
	MSRow	   *from = NULL;

	for (int i = 0; i < donor->nfields; i++)
	{
		const MSField *field = &donor->fields[i];

		if (!field->merges || field->isnull ||
			!field_is_there(target, rel, field))
			continue;
		if (from == NULL)
			from = ms_row_make(target);
		set_field(from, field);
	}
	if (from == NULL)
		return;
	from->last_seen = donor->counted;
	ms_merge_columns(target, row, from);
	row->last_seen = Max(row->last_seen, donor->counted);
}

/*
 * A delta as a row of the target, which is open.  Error where the target has
 * changed so that it cannot be one.
 */
MSRow *
ms_delta_row(const MSDelta *delta, const MSTarget *target, Relation rel)
{
	MSRow	   *row;

	ms_delta_check_target(delta->target, target);
	row = row_of_delta(target, delta);
	set_fields(target, rel, row, delta);
	row->last_seen = delta->counted;
	for (const MSDelta *donor = delta->donor; donor != NULL;
		 donor = donor->donor)
		merge_donor(target, rel, row, donor);
	row->last_seen = delta->last_seen;
	ms_delta_fill(target, rel, row, delta->donor);
	return row;
}

/*
 * Make the donors of a delta one, where they are so many that they take time and
 * memory.  Returns what they were, to be freed, linked by donor; *size: what the
 * one takes.
 */
MSDelta *
ms_delta_join_donors(MemoryContext cxt, MSDelta *delta, const MSTarget *target,
					 Relation rel, bool short_of_memory, Size *size)
{
	MSDelta	   *donors = delta->donor;
	MSRow	   *row;

	if (delta->ndonors < (short_of_memory ? 2 : MAX_DONORS))
		return NULL;
	row = row_of_delta(target, donors);
	set_fields(target, rel, row, donors);
	row->last_seen = donors->counted;
	for (const MSDelta *donor = donors->donor; donor != NULL;
		 donor = donor->donor)
	{
		merge_donor(target, rel, row, donor);
		fill(target, rel, row, donor, true);
	}
	delta->donor = ms_delta_make(cxt, target, rel, row, row->last_seen);
	delta->ndonors = 1;
	*size = delta->donor->size;
	return donors;
}

