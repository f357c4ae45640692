/*-------------------------------------------------------------------------
 *
 * count.c
 *	  The counter's columns of a row: what an increment makes of them.
 *
 * For the fast path, which writes rows, and total(), which only shows what
 * they would be.  The general path's SQL says the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "counter/counter.h"
#include "target/row.h"
#include "target/target.h"

PG_FUNCTION_INFO_V1(ms_added);
PG_FUNCTION_INFO_V1(ms_counted);

static pg_noinline void
out_of_range(const MSTarget *target, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s out of range", type),
			 target->ncounts > 0 ?
			 errdetail("Column \"%s\" of table %s cannot hold the sum.",
					   target->merged[0].count.column, target->name) :
			 errdetail("The count column of table %s cannot hold the sum.",
					   target->name),
			 errhint("Change the column's type to %s.",
					 target->kind == MS_COUNT_INT8 ? "numeric" :
					 "bigint or numeric")));
}

/* The time of an increment: its own, where it was counted before; else now. */
TimestampTz
ms_row_time(const MSRow *row)
{
	return ms_row_is_timed(row) ? row->last_seen : ms_clock();
}

/* What the count column is counted by: of a numeric one and floats its type. */
Datum
ms_row_amount(const MSTarget *target, const MSRow *row)
{
	int			i = target->count - 1;

	if (ms_counts_whole(target->kind))
		return Int64GetDatum(row->by);
	if (row->isnull[i])
		return ms_amount(target->kind, row->by);
	if (row->by == 0)
		return row->values[i];
	return ms_add_amounts(&target->merged[0].count,
						  ms_amount(target->kind, row->by), row->values[i]);
}

/* The count column's value, after counting a row at now. */
static Datum
add_count(const MSTarget *target, Datum old, bool isnull, const MSRow *row,
			 TimestampTz now)
{
	int64		by = row->by;
	int64		sum;

	switch (target->kind)
	{
		case MS_COUNT_INT2:
			if (pg_add_s64_overflow(isnull ? 0 : DatumGetInt16(old), by, &sum) ||
				sum < PG_INT16_MIN || sum > PG_INT16_MAX)
				out_of_range(target, "smallint");
			return Int16GetDatum((int16) sum);
		case MS_COUNT_INT4:
			if (pg_add_s64_overflow(isnull ? 0 : DatumGetInt32(old), by, &sum) ||
				sum < PG_INT32_MIN || sum > PG_INT32_MAX)
				out_of_range(target, "integer");
			return Int32GetDatum((int32) sum);
		case MS_COUNT_INT8:
			if (pg_add_s64_overflow(isnull ? 0 : DatumGetInt64(old), by, &sum))
				out_of_range(target, "bigint");
			return Int64GetDatum(sum);
		case MS_COUNT_COUNTER:
			{
				MSCounter  *result = palloc(sizeof(MSCounter));

				if (isnull)
				{
					ms_counter_make(result, by, now);
					result->first_seen = ms_row_is_timed(row) ? row->first_seen : now;
				}
				else
					ms_counter_add(result, DatumGetMSCounterP(old), by, now);
				return MSCounterPGetDatum(result);
			}
		default:
			return ms_count_amount(&target->merged[0].count, old, isnull,
								   ms_row_amount(target, row));
	}
	pg_unreachable();
}

/* Is a row counted after the latest increment that is in values? */
static bool
is_latest(const MSTarget *target, const MSRow *row, const Datum *values,
		  const bool *isnull)
{
	int			i = target->last_seen - 1;

	if (!ms_row_is_timed(row))
		return true;
	if (target->kind == MS_COUNT_COUNTER)
		return isnull[target->count - 1] ||
			DatumGetMSCounterP(values[target->count - 1])->last_seen <= row->last_seen;
	return i < 0 || isnull[i] ||
		DatumGetTimestampTz(values[i]) <=
		DatumGetTimestampTz(ms_time_datum(target, &target->last_time,
										  row->last_seen));
}

/* The columns beside the count that merge. */
static void
merge_columns(const MSTarget *target, const MSRow *row, Datum *values,
			  bool *isnull)
{
	bool		latest = is_latest(target, row, values, isnull);

	for (int i = 1; i < target->nmerged; i++)
	{
		const MSMerged *column = &target->merged[i];
		int			j = column->attno - 1;

		if (!ms_row_fills(row, column->attno))
			continue;
		if (column->role == MS_ROLE_COUNT)
			values[j] = ms_count_amount(&column->count, values[j], isnull[j],
										row->values[j]);
		else if (isnull[j] ||
				 ms_replaces(column, values[j], row->values[j], latest))
			values[j] = row->values[j];
		isnull[j] = false;
	}
}

/*
 * What a row that there is becomes, by attribute number - 1, as another one is
 * counted at now.
 */
void
ms_count_in_row(const MSTarget *target, const MSRow *row, TimestampTz now,
				Datum *values, bool *isnull)
{
	int			i = target->count - 1;
	int			attno = -1;

	/* as long as the row has the time of before */
	if (target->nmerged > 1)
		merge_columns(target, row, values, isnull);

	values[i] = add_count(target, values[i], isnull[i], row, now);
	isnull[i] = false;
	if (target->last_seen != InvalidAttrNumber)
	{
		Datum		time = ms_time_datum(target, &target->last_time, now);

		i = target->last_seen - 1;
		if (isnull[i] ||
			DatumGetTimestampTz(values[i]) < DatumGetTimestampTz(time))
			values[i] = time;
		isnull[i] = false;
	}
	while ((attno = bms_next_member(target->fill, attno)) >= 0)
	{
		i = attno - 1;
		if (isnull[i] && ms_row_fills(row, attno))
		{
			values[i] = row->values[i];
			isnull[i] = false;
		}
	}
}

/*
 * Set the counter of a new row, by attribute number - 1: counted by row->by,
 * at the row's own times, or now where it has none; the other counts by what it
 * has of them.
 */
void
ms_set_new_counter(const MSTarget *target, const MSRow *row, Datum *values,
				   bool *isnull)
{
	ms_set_new_counter_at(target, row, ms_row_time(row), values, isnull);
}

/* The same, at a time that has been read. */
void
ms_set_new_counter_at(const MSTarget *target, const MSRow *row,
					  TimestampTz last_seen, Datum *values, bool *isnull)
{
	int			i = target->count - 1;

	values[i] = add_count(target, (Datum) 0, true, row, last_seen);
	isnull[i] = false;
	if (target->first_seen != InvalidAttrNumber)
	{
		i = target->first_seen - 1;
		values[i] = ms_time_datum(target, &target->first_time,
								  ms_row_is_timed(row) ? row->first_seen : last_seen);
		isnull[i] = false;
	}
	if (target->last_seen != InvalidAttrNumber)
	{
		i = target->last_seen - 1;
		values[i] = ms_time_datum(target, &target->last_time, last_seen);
		isnull[i] = false;
	}
	for (int j = 1; j < target->ncounts; j++)
	{
		const MSCount *count = &target->merged[j].count;

		i = target->merged[j].attno - 1;
		values[i] = ms_count_amount(count, (Datum) 0, true,
									row->isnull[i] ? ms_amount(count->kind, 0) :
									row->values[i]);
		isnull[i] = false;
	}
}

/* Can the count column have a count? */
void
ms_check_count(const MSTarget *target, int64 count)
{
	MSRow		row = {.by = count};

	if (ms_counts_whole(target->kind))
		(void) add_count(target, (Datum) 0, true, &row, 0);
	else
		(void) ms_fit_amount(&target->merged[0].count,
							 ms_amount(target->kind, count));
}

/*
 * added(stored, amount, type, typmod, column, target): their sum, as a column of
 * that type has it; a null is 0.  The type is that of both, or one of smaller
 * integers.
 */
Datum
ms_added(PG_FUNCTION_ARGS)
{
	MSCount		count;
	Oid			type = PG_ARGISNULL(2) ? InvalidOid : PG_GETARG_OID(2);
	Oid			given = get_fn_expr_argtype(fcinfo->flinfo, 0);

	if (PG_ARGISNULL(3) || PG_ARGISNULL(4) || PG_ARGISNULL(5) ||
		!ms_count_kind(type, &count.kind) ||
		(given != type && !(count.kind <= MS_COUNT_INT8 && given == INT8OID)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot add values of type %s as %s",
						format_type_extended(given, -1,
											 FORMAT_TYPE_ALLOW_INVALID),
						format_type_extended(type, -1,
											 FORMAT_TYPE_ALLOW_INVALID)),
				 errhint("added() is for the statements of increments.")));
	count.typmod = PG_GETARG_INT32(3);
	count.column = text_to_cstring(PG_GETARG_TEXT_PP(4));
	count.table = text_to_cstring(PG_GETARG_TEXT_PP(5));
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (given == INT8OID)
		PG_RETURN_INT64(ms_add_integers(&count,
										PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0),
										PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1)));
	return ms_count_amount(&count, PG_GETARG_DATUM(0), PG_ARGISNULL(0),
						   PG_ARGISNULL(1) ? ms_amount(count.kind, 0) :
						   PG_GETARG_DATUM(1));
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
		ms_counter_make(result, by, last);
		if (!PG_ARGISNULL(2))
			result->first_seen = PG_GETARG_TIMESTAMPTZ(2);
	}
	else
		ms_counter_add(result, PG_GETARG_MSCOUNTER_P(0), by, last);
	ms_counter_check(result);	/* anybody can call this */
	PG_RETURN_MSCOUNTER_P(result);
}
