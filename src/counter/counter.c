/*-------------------------------------------------------------------------
 *
 * counter.c
 *	  The type missing_symbol.counter: a count, and when it was first and
 *	  last changed.
 *
 * A counter holds two finite times, the first not after the last; every way
 * in (text, binary, the functions here) keeps that, and all other code may
 * rely on it.  The count is any bigint: a counter may go down, and below 0.
 *
 * Text is ISO with the session's zone, whatever DateStyle: with the offset
 * written, every microsecond survives the way out and in again.
 *
 * Order: by count, then by last_seen, then by first_seen.  Two counters are
 * equal where all three are, so that equal is also identical: an index may
 * merge duplicates, and the bytes may be hashed.
 *
 * Nothing here keeps state or memory across calls.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/sortsupport.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "counter/counter.h"

StaticAssertDecl(sizeof(MSCounter) == 24,
				 "the bytes of a counter are hashed: it has no padding");

#define COUNTER_TYPE_NAME	"missing_symbol.counter"

/* UTC offsets of which the input functions can read the printed form */
#define OFFSET_IS_READABLE(tz) \
	((tz) > -(MAX_TZDISP_HOUR + 1) * SECS_PER_HOUR && \
	 (tz) < (MAX_TZDISP_HOUR + 1) * SECS_PER_HOUR)

PG_FUNCTION_INFO_V1(ms_counter_in);
PG_FUNCTION_INFO_V1(ms_counter_out);
PG_FUNCTION_INFO_V1(ms_counter_recv);
PG_FUNCTION_INFO_V1(ms_counter_send);
PG_FUNCTION_INFO_V1(ms_counter_json);
PG_FUNCTION_INFO_V1(ms_counter_jsonb);
PG_FUNCTION_INFO_V1(ms_counter_new);
PG_FUNCTION_INFO_V1(ms_counter_plus);
PG_FUNCTION_INFO_V1(ms_counter_minus);
PG_FUNCTION_INFO_V1(ms_counter_merge);
PG_FUNCTION_INFO_V1(ms_counter_hits);
PG_FUNCTION_INFO_V1(ms_counter_first_seen);
PG_FUNCTION_INFO_V1(ms_counter_last_seen);
PG_FUNCTION_INFO_V1(ms_counter_eq);
PG_FUNCTION_INFO_V1(ms_counter_ne);
PG_FUNCTION_INFO_V1(ms_counter_lt);
PG_FUNCTION_INFO_V1(ms_counter_le);
PG_FUNCTION_INFO_V1(ms_counter_gt);
PG_FUNCTION_INFO_V1(ms_counter_ge);
PG_FUNCTION_INFO_V1(ms_counter_cmp);
PG_FUNCTION_INFO_V1(ms_counter_smaller);
PG_FUNCTION_INFO_V1(ms_counter_larger);
PG_FUNCTION_INFO_V1(ms_counter_sortsupport);
PG_FUNCTION_INFO_V1(ms_counter_hash);
PG_FUNCTION_INFO_V1(ms_counter_hash_extended);

/*
 * What the engine uses
 */

static void
report_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("count of a counter is out of range"),
			 errdetail("A count is a bigint.")));
}

/* The later of what was seen and now: last_seen never goes backwards. */
static inline void
counter_set(MSCounter *result, const MSCounter *c, int64 count,
			TimestampTz now)
{
	result->count = count;
	result->first_seen = c->first_seen;
	result->last_seen = Max(c->last_seen, now);
}

void
ms_counter_make(MSCounter *result, int64 count, TimestampTz now)
{
	result->count = count;
	result->first_seen = now;
	result->last_seen = now;
}

void
ms_counter_add(MSCounter *result, const MSCounter *c, int64 by,
			   TimestampTz now)
{
	int64		count;

	if (unlikely(pg_add_s64_overflow(c->count, by, &count)))
		report_overflow();
	counter_set(result, c, count, now);
}

/*
 * Input and output
 */

/*
 * What holds of the times of every counter.  False where the error was saved
 * in escontext.
 */
static bool
check_times(const MSCounter *c, Node *escontext)
{
	if (TIMESTAMP_NOT_FINITE(c->first_seen) ||
		TIMESTAMP_NOT_FINITE(c->last_seen))
		ereturn(escontext, false,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("times of a counter must be finite")));
	if (!IS_VALID_TIMESTAMP(c->first_seen) ||
		!IS_VALID_TIMESTAMP(c->last_seen))
		ereturn(escontext, false,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	if (c->first_seen > c->last_seen)
		ereturn(escontext, false,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("first_seen of a counter must not be after last_seen")));
	return true;
}

/* Error where the times are not those that a counter can have. */
void
ms_counter_check(const MSCounter *c)
{
	(void) check_times(c, NULL);
}

/* The text as a whole is no counter; always false. */
static bool
report_syntax(const char *str, Node *escontext)
{
	ereturn(escontext, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"",
					COUNTER_TYPE_NAME, str),
			 errdetail("Expected a count and two times, as in \"42 [2026-11-21 01:00:00+00,2026-11-21 02:00:00+00]\"."),
			 errhint("For a new counter with a given count, use %s(count => 42).",
					 COUNTER_TYPE_NAME)));
}

/*
 * Only what dates, times and zones are written with: the parser below skips
 * any other punctuation.
 */
static bool
has_time_characters(const char *p)
{
	while (isalnum((unsigned char) *p) || isspace((unsigned char) *p) ||
		   (*p != '\0' && strchr("+-.:/_", *p) != NULL))
		p++;
	return *p == '\0';
}

/*
 * Does the first field of a time have the form of an ISO date?  The other
 * forms depend on DateStyle or on the clock ("now"), and have no business in
 * a stored value.
 */
static bool
is_iso_date(const char *field)
{
	size_t		digits = strspn(field, "0123456789");

	return digits >= 4 && field[digits] == '-';
}

/*
 * One of the times in str: the len bytes at part, what timestamptz reads.
 * False where the error was saved in escontext.
 */
static bool
parse_time(const char *str, const char *part, size_t len,
		   TimestampTz *result, Node *escontext)
{
	char	   *copy = pnstrdup(part, len);
	fsec_t		fsec;
	struct pg_tm tm;
	int			tz;
	int			dtype;
	int			nf;
	int			dterr;
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	char		workbuf[MAXDATELEN + MAXDATEFIELDS];
	DateTimeErrorExtra extra;
	bool		iso = false;

	if (!has_time_characters(copy))
		return report_syntax(str, escontext);

	dterr = ParseDateTime(copy, workbuf, sizeof(workbuf),
						  field, ftype, MAXDATEFIELDS, &nf);
	if (dterr == 0)
	{
		/* looked at before decoding, which cuts the fields to pieces */
		iso = nf > 0 && is_iso_date(field[0]);
		if (!iso && nf > 0 && isdigit((unsigned char) field[0][0]))
			return report_syntax(str, escontext);
		dterr = DecodeDateTime(field, ftype, nf, &dtype, &tm, &fsec, &tz,
							   &extra);
	}
	if (dterr == DTERR_BAD_FORMAT || dterr > 0)
	{
		/* greater than 0: a time without a date */
		return report_syntax(str, escontext);
	}
	if (dterr < 0)
	{
		DateTimeParseError(dterr, &extra, copy, COUNTER_TYPE_NAME, escontext);
		return false;
	}

	if (dtype == DTK_EARLY)
		TIMESTAMP_NOBEGIN(*result);
	else if (dtype == DTK_LATE)
		TIMESTAMP_NOEND(*result);
	else if (dtype != DTK_DATE || !iso)
		return report_syntax(str, escontext);
	else if (tm2timestamp(&tm, fsec, &tz, result) != 0)
		ereturn(escontext, false,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range: \"%s\"", copy)));

	pfree(copy);
	return true;
}

static const char *
skip_space(const char *p)
{
	while (isspace((unsigned char) *p))
		p++;
	return p;
}

/* counter_in(cstring): count [first_seen,last_seen] */
Datum
ms_counter_in(PG_FUNCTION_ARGS)
{
	const char *str = PG_GETARG_CSTRING(0);
	Node	   *escontext = fcinfo->context;
	MSCounter  *result = palloc(sizeof(MSCounter));
	const char *first;
	const char *comma;
	const char *close;
	char	   *end;

	errno = 0;
	result->count = strtoll(str, &end, 10);
	if (end == str)
	{
		report_syntax(str, escontext);
		PG_RETURN_NULL();
	}
	if (errno == ERANGE)
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("count \"%.*s\" is out of range for type %s",
						(int) (end - str), str, COUNTER_TYPE_NAME)));

	first = skip_space(end);
	comma = strchr(first, ',');
	close = comma ? strchr(comma, ']') : NULL;
	if (*first != '[' || close == NULL || *skip_space(close + 1) != '\0')
	{
		report_syntax(str, escontext);
		PG_RETURN_NULL();
	}
	first++;

	if (!parse_time(str, first, comma - first, &result->first_seen,
					escontext) ||
		!parse_time(str, comma + 1, close - comma - 1, &result->last_seen,
					escontext) ||
		!check_times(result, escontext))
		PG_RETURN_NULL();

	PG_RETURN_MSCOUNTER_P(result);
}

/* Prints time into buf of MAXDATELEN + 1 bytes. */
static void
print_time(TimestampTz time, char *buf)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	const char *tzn;

	if (timestamp2tm(time, &tz, &tm, &fsec, &tzn, NULL) != 0)
		elog(ERROR, "counter holds an invalid time");
	if (!OFFSET_IS_READABLE(tz))
	{
		/*
		 * A made-up zone like <X>+20: UTC is as exact, and can be read.
		 * tm_isdst must be known for the offset to be written.
		 */
		timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL);
		tm.tm_isdst = 0;
		tz = 0;
		tzn = NULL;
	}
	EncodeDateTime(&tm, fsec, true, tz, tzn, USE_ISO_DATES, buf);
}

Datum
ms_counter_out(PG_FUNCTION_ARGS)
{
	MSCounter  *c = PG_GETARG_MSCOUNTER_P(0);
	char		first_seen[MAXDATELEN + 1];
	char		last_seen[MAXDATELEN + 1];

	print_time(c->first_seen, first_seen);
	print_time(c->last_seen, last_seen);
	PG_RETURN_CSTRING(psprintf(INT64_FORMAT " [%s,%s]",
							   c->count, first_seen, last_seen));
}

Datum
ms_counter_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	MSCounter  *result = palloc(sizeof(MSCounter));

	result->count = pq_getmsgint64(buf);
	result->first_seen = pq_getmsgint64(buf);
	result->last_seen = pq_getmsgint64(buf);
	check_times(result, NULL);

	PG_RETURN_MSCOUNTER_P(result);
}

Datum
ms_counter_send(PG_FUNCTION_ARGS)
{
	MSCounter  *c = PG_GETARG_MSCOUNTER_P(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, c->count);
	pq_sendint64(&buf, c->first_seen);
	pq_sendint64(&buf, c->last_seen);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* As core writes timestamptz: ISO 8601, in the session's zone. */
static char *
counter_json(const MSCounter *c)
{
	char		first_seen[MAXDATELEN + 1];
	char		last_seen[MAXDATELEN + 1];

	JsonEncodeDateTime(first_seen, TimestampTzGetDatum(c->first_seen),
					   TIMESTAMPTZOID, NULL);
	JsonEncodeDateTime(last_seen, TimestampTzGetDatum(c->last_seen),
					   TIMESTAMPTZOID, NULL);
	return psprintf("{\"count\": " INT64_FORMAT ", \"first_seen\": \"%s\", \"last_seen\": \"%s\"}",
					c->count, first_seen, last_seen);
}

/* Casts: an object of the three parts */
Datum
ms_counter_json(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(counter_json(PG_GETARG_MSCOUNTER_P(0))));
}

Datum
ms_counter_jsonb(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(jsonb_in,
							   CStringGetDatum(counter_json(PG_GETARG_MSCOUNTER_P(0))));
}

/*
 * Counting
 */

/* counter(count bigint): seen now, and never before */
Datum
ms_counter_new(PG_FUNCTION_ARGS)
{
	MSCounter  *result = palloc(sizeof(MSCounter));

	ms_counter_make(result, PG_GETARG_INT64(0), ms_clock());
	PG_RETURN_MSCOUNTER_P(result);
}

Datum
ms_counter_plus(PG_FUNCTION_ARGS)
{
	MSCounter  *result = palloc(sizeof(MSCounter));

	ms_counter_add(result, PG_GETARG_MSCOUNTER_P(0), PG_GETARG_INT64(1),
				   ms_clock());
	PG_RETURN_MSCOUNTER_P(result);
}

/* Not counter + -by: the smallest bigint has no negation. */
Datum
ms_counter_minus(PG_FUNCTION_ARGS)
{
	MSCounter  *c = PG_GETARG_MSCOUNTER_P(0);
	MSCounter  *result;
	int64		count;

	if (unlikely(pg_sub_s64_overflow(c->count, PG_GETARG_INT64(1), &count)))
		report_overflow();

	result = palloc(sizeof(MSCounter));
	counter_set(result, c, count, ms_clock());
	PG_RETURN_MSCOUNTER_P(result);
}

/*
 * merge(counter, counter): what one counter would be that had counted both.
 * Also the transition and the combine function of sum(counter), which allow
 * it to change its first argument in place.
 */
Datum
ms_counter_merge(PG_FUNCTION_ARGS)
{
	MSCounter  *a = PG_GETARG_MSCOUNTER_P(0);
	MSCounter  *b = PG_GETARG_MSCOUNTER_P(1);
	MSCounter  *result;
	int64		count;

	if (unlikely(pg_add_s64_overflow(a->count, b->count, &count)))
		report_overflow();

	result = AggCheckCallContext(fcinfo, NULL) ? a : palloc(sizeof(MSCounter));
	result->count = count;
	result->first_seen = Min(a->first_seen, b->first_seen);
	result->last_seen = Max(a->last_seen, b->last_seen);
	PG_RETURN_MSCOUNTER_P(result);
}

/*
 * Parts
 */

Datum
ms_counter_hits(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_MSCOUNTER_P(0)->count);
}

Datum
ms_counter_first_seen(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(PG_GETARG_MSCOUNTER_P(0)->first_seen);
}

Datum
ms_counter_last_seen(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(PG_GETARG_MSCOUNTER_P(0)->last_seen);
}

/*
 * Order and hash
 */

static inline int
compare_int64(int64 a, int64 b)
{
	return (a > b) - (a < b);
}

static int
counter_compare(const MSCounter *a, const MSCounter *b)
{
	int			cmp = compare_int64(a->count, b->count);

	if (cmp == 0)
		cmp = compare_int64(a->last_seen, b->last_seen);
	if (cmp == 0)
		cmp = compare_int64(a->first_seen, b->first_seen);
	return cmp;
}

#define COUNTER_COMPARE_ARGS() \
	counter_compare(PG_GETARG_MSCOUNTER_P(0), PG_GETARG_MSCOUNTER_P(1))

Datum
ms_counter_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(COUNTER_COMPARE_ARGS() == 0);
}

Datum
ms_counter_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(COUNTER_COMPARE_ARGS() != 0);
}

Datum
ms_counter_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(COUNTER_COMPARE_ARGS() < 0);
}

Datum
ms_counter_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(COUNTER_COMPARE_ARGS() <= 0);
}

Datum
ms_counter_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(COUNTER_COMPARE_ARGS() > 0);
}

Datum
ms_counter_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(COUNTER_COMPARE_ARGS() >= 0);
}

Datum
ms_counter_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(COUNTER_COMPARE_ARGS());
}

/* Transition and combine functions of min() and max(), in this order */
Datum
ms_counter_smaller(PG_FUNCTION_ARGS)
{
	return PG_GETARG_DATUM(COUNTER_COMPARE_ARGS() <= 0 ? 0 : 1);
}

Datum
ms_counter_larger(PG_FUNCTION_ARGS)
{
	return PG_GETARG_DATUM(COUNTER_COMPARE_ARGS() >= 0 ? 0 : 1);
}

/*
 * A count compared with a number, on either side.  No members of the operator
 * family: counters that a number is equal to are not equal to each other.
 */
#define COUNTER_AND_INT8(name, op) \
PG_FUNCTION_INFO_V1(ms_counter_##name##_int8); \
PG_FUNCTION_INFO_V1(ms_int8_##name##_counter); \
\
Datum \
ms_counter_##name##_int8(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(PG_GETARG_MSCOUNTER_P(0)->count op PG_GETARG_INT64(1)); \
} \
\
Datum \
ms_int8_##name##_counter(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(PG_GETARG_INT64(0) op PG_GETARG_MSCOUNTER_P(1)->count); \
}

COUNTER_AND_INT8(eq, ==)
COUNTER_AND_INT8(ne, !=)
COUNTER_AND_INT8(lt, <)
COUNTER_AND_INT8(le, <=)
COUNTER_AND_INT8(gt, >)
COUNTER_AND_INT8(ge, >=)

static int
counter_fastcmp(Datum x, Datum y, SortSupport ssup)
{
	return counter_compare(DatumGetMSCounterP(x), DatumGetMSCounterP(y));
}

Datum
ms_counter_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->comparator = counter_fastcmp;
	PG_RETURN_VOID();
}

Datum
ms_counter_hash(PG_FUNCTION_ARGS)
{
	return hash_any((unsigned char *) PG_GETARG_MSCOUNTER_P(0),
					sizeof(MSCounter));
}

Datum
ms_counter_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended((unsigned char *) PG_GETARG_MSCOUNTER_P(0),
							 sizeof(MSCounter), PG_GETARG_INT64(1));
}
