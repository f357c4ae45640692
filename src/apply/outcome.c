/*-------------------------------------------------------------------------
 *
 * outcome.c
 *	  What came of an increment, and what a new counter lacks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/itup.h"
#include "access/nbtree.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "counter/counter.h"
#include "target/row.h"
#include "target/target.h"

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

/*
 * A result from a row's count, first_seen and last_seen columns; a numeric is
 * not copied.
 */
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
			case MS_COUNT_FLOAT4:
			case MS_COUNT_FLOAT8:
				result->numeric = ms_amount_numeric(target->kind, values[0]);
				result->count_isnull = !ms_numeric_to_bigint(result->numeric,
															 &result->count);
				break;
			case MS_COUNT_MONEY:
			case MS_COUNT_INTERVAL:
				/* never the first */
				pg_unreachable();
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
		result->first_seen = ms_time_value(target, &target->first_time,
										   values[1]);
	}
	if (!isnull[2])
	{
		result->last_isnull = false;
		result->last_seen = ms_time_value(target, &target->last_time,
										  values[2]);
	}
}

/* And of several counts. */
static void
read_counts(const MSTarget *target, TupleTableSlot *slot, MSResult *result)
{
	result->counts = palloc(sizeof(Datum) * target->ncounts);
	result->counts_isnull = palloc(sizeof(bool) * target->ncounts);
	for (int i = 0; i < target->ncounts; i++)
	{
		const MSMerged *column = &target->merged[i];

		result->counts[i] = slot_getattr(slot, column->attno,
										 &result->counts_isnull[i]);
		if (!result->counts_isnull[i])
			result->counts[i] = datumCopy(result->counts[i], column->typbyval,
										  column->typlen);
	}
}

/* What a row says of its counter. */
void
ms_result_from_slot(const MSTarget *target, TupleTableSlot *slot,
					MSOutcome outcome, MSResult *result)
{
	AttrNumber	atts[3] = {target->count, target->first_seen, target->last_seen};
	Datum		values[3] = {0};
	bool		isnull[3] = {true, true, true};

	for (int i = 0; i < lengthof(atts); i++)
	{
		if (atts[i] != InvalidAttrNumber)
			values[i] = slot_getattr(slot, atts[i], &isnull[i]);
	}
	ms_result_from_values(target, values, isnull, result);
	if (result->numeric != (Datum) 0)
		result->numeric = datumCopy(result->numeric, false, -1);
	if (target->ncounts > 1)
		read_counts(target, slot, result);
	result->outcome = outcome;
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

/* Never insert what is not found: the next increment would do it again. */
void
ms_not_found(const MSTarget *target)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("index %s does not find the counter that is to be inserted in table %s",
					quote_identifier(get_rel_name(target->index)),
					target->name),
			 target->computed ?
			 errdetail("Its expressions, or the generated columns in it, give other values for the same columns; or it is corrupt.") :
			 errdetail("The order of its operator class and its equality operator do not agree, or it is corrupt."),
			 target->computed ?
			 errhint("Have it call functions that are immutable, and REINDEX it.") :
			 errhint("Count by an index with the default operator class, or REINDEX it.")));
}

/* A column that a new counter needs a value for and has none; 0: none. */
AttrNumber
ms_lacking_column(const MSTarget *target, Relation rel, const MSRow *row)
{
	TupleDesc	desc = RelationGetDescr(rel);

	/* a value for it would be refused, whatever a trigger makes of it */
	for (int i = 0; i < target->nargs; i++)
	{
		AttrNumber	attno = target->args[i].attno;

		if (ms_is_database_filled(TupleDescAttr(desc, attno - 1)))
			return attno;
	}

	/* a trigger may give it, of a partition too */
	if ((rel->trigdesc != NULL && rel->trigdesc->trig_insert_before_row) ||
		rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return InvalidAttrNumber;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attnotnull || att->attisdropped || !row->isnull[i] ||
			att->atthasdef || att->attidentity != '\0' ||
			ms_is_always_given(target, att->attnum) ||
			bms_is_member(att->attnum, row->given) ||
			bms_is_member(att->attnum, target->generated) ||
			att->attnum == target->limits.window ||
			att->attnum == target->limits.bucket ||
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
	AttrNumber	attno = ms_lacking_column(target, rel, row);
	Form_pg_attribute att;
	const char *times;

	if (attno == InvalidAttrNumber)
		return;
	att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
	if (ms_is_database_filled(att))
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("cannot insert a new counter in table %s: the database fills its key column \"%s\"",
						target->name, NameStr(att->attname)),
				 errdetail("It is a generated column."),
				 errhint("Insert the row first; increments count it by this key. Or have the key computed of what is given: %s.",
						 ms_index_call(target, target->index))));
	times = ms_lacking_times(target, rel, attno);
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("a new counter in table %s needs a value for column \"%s\"",
					target->name, NameStr(att->attname)),
			 times != NULL ?
			 errhint("If it is a time of the counter: SELECT missing_symbol.track(%s, %s). Else give it with increment_row(), or give the column a default.",
					 quote_literal_cstr(target->name), times) :
			 errhint("Give it with increment_row(), or give the column a default.")));
}

/* An index entry of a key has so many bytes at the most, by its values. */
static Size
most_entry_size(const MSTarget *target, const Datum *values, const bool *isnull)
{
	Size		result = sizeof(IndexTupleData) + MAXALIGN(INDEX_MAX_KEYS / 8);

	for (int i = 0; i < target->nkeys; i++)
	{
		const MSKeyColumn *key = &target->keys[i];
		int			place = key->column.attno - 1;
		Datum		value = values[place];

		if (target->nulls && isnull[place])
			continue;
		if (key->typlen == -1 &&
			VARATT_IS_EXTERNAL(DatumGetPointer(value)))
			result += MAXALIGN(toast_raw_datum_size(value));
		else
			result += MAXALIGN(datumGetSize(value, key->typbyval, key->typlen));
	}
	return result;
}

/* The size of a key's entry in its index, compressed as that has it. */
static Size
entry_size(const MSTarget *target, const Datum *values, const bool *isnull)
{
	Relation	index = index_open(target->index, AccessShareLock);
	TupleDesc	desc = CreateTupleDescTruncatedCopy(RelationGetDescr(index),
													target->nkeys);
	Datum		entry[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS] = {false};
	IndexTuple	tuple;
	Size		result;

	/* what else is in the index is not known yet */
	for (int i = 0; i < target->nkeys; i++)
	{
		entry[i] = values[target->keys[i].column.attno - 1];
		nulls[i] = target->nulls && isnull[target->keys[i].column.attno - 1];
	}
	tuple = index_form_tuple(desc, entry, nulls);
	result = MAXALIGN(IndexTupleSize(tuple));
	pfree(tuple);
	index_close(index, AccessShareLock);
	return result;
}

/*
 * A key that its index has no room for can never reach its row: what is to
 * wait is refused.  values and isnull: by attribute number - 1; isnull is asked
 * for only where null can be in a key.
 */
void
ms_check_key_fits(const MSTarget *target, const Datum *values,
				  const bool *isnull)
{
	Size		size;

	if (most_entry_size(target, values, isnull) <= MS_MAX_INDEX_ENTRY)
		return;
	size = entry_size(target, values, isnull);
	if (size > MS_MAX_INDEX_ENTRY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a key of table %s is too wide for its index: %d bytes, where %d have room",
						target->name, (int) size, (int) MS_MAX_INDEX_ENTRY),
				 errhint("Count by a hash of the value, such as md5(), and have the value beside it.")));
}
