/*-------------------------------------------------------------------------
 *
 * amount.c
 *	  Amounts: what is added to columns of the types that can be counted in,
 *	  but for that of counter.c.
 *
 * A sum that a column cannot hold is an error that names it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "counter/counter.h"

/* The kind of a count of a type; false: it is none, or missing_symbol.counter. */
bool
ms_count_kind(Oid type, MSCountKind *kind)
{
	static const struct
	{
		Oid			type;
		MSCountKind kind;
	}			kinds[] = {
		{INT2OID, MS_COUNT_INT2},
		{INT4OID, MS_COUNT_INT4},
		{INT8OID, MS_COUNT_INT8},
		{NUMERICOID, MS_COUNT_NUMERIC},
		{FLOAT4OID, MS_COUNT_FLOAT4},
		{FLOAT8OID, MS_COUNT_FLOAT8},
		{MONEYOID, MS_COUNT_MONEY},
		{INTERVALOID, MS_COUNT_INTERVAL}
	};

	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (kinds[i].type == type)
		{
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

static pg_noinline void
out_of_range(const MSCount *count)
{
	const char *type = "bigint";
	const char *wider = "numeric";

	switch (count->kind)
	{
		case MS_COUNT_INT2:
			type = "smallint";
			wider = "bigint or numeric";
			break;
		case MS_COUNT_INT4:
			type = "integer";
			wider = "bigint or numeric";
			break;
		case MS_COUNT_FLOAT4:
			type = "real";
			wider = "double precision or numeric";
			break;
		case MS_COUNT_FLOAT8:
			type = "double precision";
			break;
		case MS_COUNT_MONEY:
			type = "money";
			break;
		case MS_COUNT_INTERVAL:
			type = "interval";
			wider = "numeric, and count in seconds";
			break;
		default:
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s out of range", type),
			 errdetail("Column \"%s\" of table %s cannot hold the sum.",
					   count->column, count->table),
			 errhint("Change the column's type to %s.", wider)));
}

/* Of floats: what a row has, by an UPDATE, is why there is no sum. */
static pg_noinline void
no_number(const MSCount *count)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s out of range",
					count->kind == MS_COUNT_FLOAT4 ? "real" : "double precision"),
			 errdetail("Column \"%s\" of table %s has infinity or NaN, to which nothing can be added.",
					   count->column, count->table),
			 errhint("UPDATE the row.")));
}

/* A whole number as an amount of a count. */
Datum
ms_amount(MSCountKind kind, int64 by)
{
	switch (kind)
	{
		case MS_COUNT_INT2:
		case MS_COUNT_INT4:
			return (Datum) (intptr_t) by;
		case MS_COUNT_NUMERIC:
			return DirectFunctionCall1(int8_numeric, Int64GetDatum(by));
		case MS_COUNT_FLOAT4:
			return Float4GetDatum((float4) by);
		case MS_COUNT_FLOAT8:
			return Float8GetDatum((float8) by);
		case MS_COUNT_INTERVAL:
			{
				Interval   *result = palloc0(sizeof(Interval));

				result->time = by * USECS_PER_SEC;
				return IntervalPGetDatum(result);
			}
		default:
			return Int64GetDatum(by);
	}
}

bool
ms_amount_is_zero(MSCountKind kind, Datum amount)
{
	switch (kind)
	{
		case MS_COUNT_INT2:
		case MS_COUNT_INT4:
			return ms_small_amount(amount) == 0;
		case MS_COUNT_NUMERIC:
			return DatumGetBool(DirectFunctionCall2(numeric_eq, amount,
													ms_amount(kind, 0)));
		case MS_COUNT_FLOAT4:
			return DatumGetFloat4(amount) == 0;
		case MS_COUNT_FLOAT8:
			return DatumGetFloat8(amount) == 0;
		case MS_COUNT_INTERVAL:
			{
				Interval   *interval = DatumGetIntervalP(amount);

				return interval->month == 0 && interval->day == 0 &&
					interval->time == 0;
			}
		default:
			return DatumGetInt64(amount) == 0;
	}
}

bool
ms_amount_is_finite(MSCountKind kind, Datum amount)
{
	switch (kind)
	{
		case MS_COUNT_NUMERIC:
			return !numeric_is_nan(DatumGetNumeric(amount)) &&
				!numeric_is_inf(DatumGetNumeric(amount));
		case MS_COUNT_FLOAT4:
			return isfinite(DatumGetFloat4(amount));
		case MS_COUNT_FLOAT8:
			return isfinite(DatumGetFloat8(amount));
		case MS_COUNT_INTERVAL:
			return !INTERVAL_NOT_FINITE(DatumGetIntervalP(amount));
		default:
			return true;
	}
}

/* An amount of a numeric count, or one of floats, as the numeric that it shows. */
Datum
ms_amount_numeric(MSCountKind kind, Datum amount)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (kind == MS_COUNT_NUMERIC)
		return amount;
	if (!ms_amount_is_finite(kind, amount))
		strcpy(digits, "NaN");
	else if (kind == MS_COUNT_FLOAT4)
		(void) float_to_shortest_decimal_buf(DatumGetFloat4(amount), digits);
	else
		(void) double_to_shortest_decimal_buf(DatumGetFloat8(amount), digits);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/*
 * What was set aside for a count that has come to be one of integers: a whole
 * number, however it was written.
 */
int64
ms_integer_amount(const MSCount *count, const char *text)
{
	Datum		numeric = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											  ObjectIdGetDatum(InvalidOid),
											  Int32GetDatum(-1));
	Datum		whole = DirectFunctionCall2(numeric_trunc, numeric,
											Int32GetDatum(0));

	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, numeric, whole)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" of table %s cannot count by %s",
						count->column, count->table, text),
				 errdetail("That was set aside when it was of another type."),
				 errhint("Give it its former type until it is merged, or throw that away: SELECT missing_symbol.discard_all(%s).",
						 quote_literal_cstr(count->table))));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, whole));
}

/* A numeric as a bigint; false where that cannot hold it as it is. */
bool
ms_numeric_to_bigint(Datum value, int64 *result)
{
	Datum		min = DirectFunctionCall1(int8_numeric,
										  Int64GetDatum(PG_INT64_MIN));
	Datum		max = DirectFunctionCall1(int8_numeric,
										  Int64GetDatum(PG_INT64_MAX));

	if (!DatumGetBool(DirectFunctionCall2(numeric_le, min, value)) ||
		!DatumGetBool(DirectFunctionCall2(numeric_le, value, max)))
		return false;
	*result = DatumGetInt64(DirectFunctionCall1(numeric_int8, value));
	return DatumGetBool(DirectFunctionCall2(numeric_eq, value,
											DirectFunctionCall1(int8_numeric,
																Int64GetDatum(*result))));
}

/*
 * How two amounts compare; those of integers are bigint here, those of money
 * and interval are not compared.
 */
int
ms_compare_amounts(MSCountKind kind, Datum a, Datum b)
{
	switch (kind)
	{
		case MS_COUNT_NUMERIC:
			return DatumGetInt32(DirectFunctionCall2(numeric_cmp, a, b));
		case MS_COUNT_FLOAT4:
			return DatumGetInt32(DirectFunctionCall2(btfloat4cmp, a, b));
		case MS_COUNT_FLOAT8:
			return DatumGetInt32(DirectFunctionCall2(btfloat8cmp, a, b));
		default:
			Assert(ms_counts_whole(kind));
			return DatumGetInt64(a) < DatumGetInt64(b) ? -1 :
				DatumGetInt64(a) > DatumGetInt64(b);
	}
}

/* a + b, in the range of a column of integers */
int64
ms_add_integers(const MSCount *count, int64 a, int64 b)
{
	int64		sum;

	if (pg_add_s64_overflow(a, b, &sum) ||
		(count->kind == MS_COUNT_INT4 &&
		 (sum < PG_INT32_MIN || sum > PG_INT32_MAX)) ||
		(count->kind == MS_COUNT_INT2 &&
		 (sum < PG_INT16_MIN || sum > PG_INT16_MAX)))
		out_of_range(count);
	return sum;
}

static Interval *
add_intervals(const MSCount *count, const Interval *a,
			  const Interval *b)
{
	Interval   *sum = palloc(sizeof(Interval));

	if (INTERVAL_NOT_FINITE(a) || INTERVAL_NOT_FINITE(b) ||
		pg_add_s32_overflow(a->month, b->month, &sum->month) ||
		pg_add_s32_overflow(a->day, b->day, &sum->day) ||
		pg_add_s64_overflow(a->time, b->time, &sum->time) ||
		INTERVAL_NOT_FINITE(sum))
		out_of_range(count);
	return sum;
}

static void
adding_context(void *arg)
{
	const MSCount *count = arg;

	errcontext("adding to column \"%s\"", count->column);
}

/* Core's errors about a numeric do not name its column. */
static Datum
call_numeric(const MSCount *count, PGFunction function, Datum a, Datum b)
{
	ErrorContextCallback errcallback;
	Datum		result;

	errcallback.callback = adding_context;
	errcallback.arg = unconstify(MSCount *, count);
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	result = DirectFunctionCall2(function, a, b);
	error_context_stack = errcallback.previous;
	return result;
}

/* a + b */
Datum
ms_add_amounts(const MSCount *count, Datum a, Datum b)
{
	switch (count->kind)
	{
		case MS_COUNT_INT2:
		case MS_COUNT_INT4:
			{
				int64		sum;

				if (pg_add_s64_overflow(ms_small_amount(a),
										ms_small_amount(b), &sum) ||
					sum != (intptr_t) sum)
					out_of_range(count);
				return (Datum) (intptr_t) sum;
			}
		case MS_COUNT_NUMERIC:
			return call_numeric(count, numeric_add, a, b);
		case MS_COUNT_FLOAT4:
			{
				float4		sum = DatumGetFloat4(a) + DatumGetFloat4(b);

				if (!isfinite(DatumGetFloat4(a)))
					no_number(count);
				if (!isfinite(sum))
					out_of_range(count);
				return Float4GetDatum(sum);
			}
		case MS_COUNT_FLOAT8:
			{
				float8		sum = DatumGetFloat8(a) + DatumGetFloat8(b);

				if (!isfinite(DatumGetFloat8(a)))
					no_number(count);
				if (!isfinite(sum))
					out_of_range(count);
				return Float8GetDatum(sum);
			}
		case MS_COUNT_INTERVAL:
			return IntervalPGetDatum(add_intervals(count,
												   DatumGetIntervalP(a),
												   DatumGetIntervalP(b)));
		default:
			/* of bigint and money the same bits */
			return Int64GetDatum(ms_add_integers(count,
												 DatumGetInt64(a),
												 DatumGetInt64(b)));
	}
}

/* A column's value, with an amount added. */
Datum
ms_count_amount(const MSCount *count, Datum value, bool isnull, Datum amount)
{
	switch (count->kind)
	{
		case MS_COUNT_INT2:
			return Int16GetDatum((int16) ms_add_integers(count,
														 isnull ? 0 : DatumGetInt16(value),
														 ms_small_amount(amount)));
		case MS_COUNT_INT4:
			return Int32GetDatum((int32) ms_add_integers(count,
														 isnull ? 0 : DatumGetInt32(value),
														 ms_small_amount(amount)));
		default:
			if (!isnull)
				amount = ms_add_amounts(count, value, amount);
			if (count->kind != MS_COUNT_NUMERIC || count->typmod < 0)
				return amount;
			return call_numeric(count, numeric, amount,
								Int32GetDatum(count->typmod));
	}
}

static void
fitting_context(void *arg)
{
	const MSCount *count = arg;

	errhint("Give a number that column \"%s\" of table %s can hold, or change its type to numeric.",
			count->column, count->table);
}

/* An amount of a numeric count, as the column has it. */
Datum
ms_fit_amount(const MSCount *count, Datum amount)
{
	ErrorContextCallback errcallback;
	Datum		result;

	errcallback.callback = fitting_context;
	errcallback.arg = unconstify(MSCount *, count);
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	result = ms_count_amount(count, (Datum) 0, true, amount);
	error_context_stack = errcallback.previous;
	return result;
}
