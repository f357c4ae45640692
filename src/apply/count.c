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

#include "common/int.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "counter/counter.h"
#include "target/row.h"
#include "target/target.h"

static pg_noinline void
out_of_range(const MSTarget *target, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s out of range", type),
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

/* What a numeric count column is counted by. */
Datum
ms_row_amount(const MSRow *row)
{
	if (row->amount != (Datum) 0)
		return row->amount;
	return DirectFunctionCall1(int8_numeric, Int64GetDatum(row->by));
}

/* The count column's value, after counting a row at now. */
Datum
ms_add_count(const MSTarget *target, Datum old, bool isnull, const MSRow *row,
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
		case MS_COUNT_NUMERIC:
			{
				Datum		result = ms_row_amount(row);

				if (!isnull)
					result = DirectFunctionCall2(numeric_add, old, result);
				if (target->count_typmod >= 0)
					result = DirectFunctionCall2(numeric, result,
												 Int32GetDatum(target->count_typmod));
				return result;
			}
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
	}
	pg_unreachable();
}

/*
 * Set the counter of a new row, by attribute number - 1: counted by row->by,
 * at the row's own times, or now where it has none.
 */
void
ms_set_new_counter(const MSTarget *target, const MSRow *row, Datum *values,
				   bool *isnull)
{
	TimestampTz last_seen = ms_row_time(row);
	int			i = target->count - 1;

	values[i] = ms_add_count(target, (Datum) 0, true, row, last_seen);
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
}
