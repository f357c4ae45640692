/*-------------------------------------------------------------------------
 *
 * clock.c
 *	  The clock, which a test can replace.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "counter/counter.h"

static char *test_clock_string = NULL;
static TimestampTz test_clock = DT_NOBEGIN; /* DT_NOBEGIN: the real clock */

PG_FUNCTION_INFO_V1(ms_clock_sql);

/*
 * The time of an increment.  The machine's clock, unless a test has set
 * missing_symbol.test_clock.
 */
TimestampTz
ms_clock(void)
{
	if (unlikely(test_clock != DT_NOBEGIN))
		return test_clock;
	return GetCurrentTimestamp();
}

/* missing_symbol.clock(): the same for SQL */
Datum
ms_clock_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(ms_clock());
}

/*
 * As timestamptz_in, but false instead of an error: a check hook must not
 * throw.
 */
static bool
parse_timestamptz(const char *str, TimestampTz *result)
{
	fsec_t		fsec;
	struct pg_tm tm;
	int			tz;
	int			dtype;
	int			nf;
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	char		workbuf[MAXDATELEN + MAXDATEFIELDS];
	DateTimeErrorExtra extra;

	return ParseDateTime(str, workbuf, sizeof(workbuf),
						 field, ftype, MAXDATEFIELDS, &nf) == 0 &&
		DecodeDateTime(field, ftype, nf, &dtype, &tm, &fsec, &tz,
					   &extra) == 0 &&
		dtype == DTK_DATE &&
		tm2timestamp(&tm, fsec, &tz, result) == 0;
}

static bool
check_test_clock(char **newval, void **extra, GucSource source)
{
	TimestampTz *parsed;
	TimestampTz value = DT_NOBEGIN;

	if (*newval != NULL && (*newval)[0] != '\0' &&
		!parse_timestamptz(*newval, &value))
	{
		GUC_check_errdetail("\"%s\" is not a timestamp with time zone.",
							*newval);
		return false;
	}

	parsed = guc_malloc(LOG, sizeof(TimestampTz));
	if (parsed == NULL)
		return false;
	*parsed = value;
	*extra = parsed;
	return true;
}

static void
assign_test_clock(const char *newval, void *extra)
{
	test_clock = *(TimestampTz *) extra;
}

void
ms_counter_init(void)
{
	DefineCustomStringVariable("missing_symbol.test_clock",
							   "Replaces the clock that increments read.",
							   "For tests: a timestamp with time zone, or empty "
							   "for the machine's clock.",
							   &test_clock_string,
							   "",
							   PGC_SUSET,
							   GUC_NOT_IN_SAMPLE,
							   check_test_clock, assign_test_clock, NULL);
}
