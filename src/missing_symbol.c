/*-------------------------------------------------------------------------
 *
 * missing_symbol.c
 *	  The front door: module magic, _PG_init, the settings of counting, the
 *	  clock.  Every other setting stands with the room that reads it.
 *
 * Nothing is installed at load but settings: loading the library must cost
 * a session that only counts nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "catalog/namespace.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"
#include "profile/profile.h"
#include "report/report.h"
#include "trial/trial.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

bool		ms_fast_path = true;
int			ms_apply = MS_APPLY_NOW;

static const struct config_enum_entry apply_options[] = {
	{"now", MS_APPLY_NOW, false},
	{"commit", MS_APPLY_COMMIT, false},
	{NULL, 0, false}
};

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

/* The schema of everything the extension creates. */
Oid
ms_schema(void)
{
	return get_namespace_oid("missing_symbol", false);
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
_PG_init(void)
{
	DefineCustomBoolVariable("missing_symbol.fast_path",
							 "Counts ordinary tables through the table access method.",
							 "Off sends every increment through SQL plans, as for "
							 "tables with features that need them. Both give the "
							 "same result; this is for tests and for diagnosis.",
							 &ms_fast_path,
							 true,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomEnumVariable("missing_symbol.apply",
							 "When an increment reaches its row.",
							 "\"now\": in its statement. \"commit\": as its "
							 "transaction commits; until then it locks no row. "
							 "What track() says of a table wins; only that can "
							 "be \"buffer\".",
							 &ms_apply,
							 MS_APPLY_NOW,
							 apply_options,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("missing_symbol.pending_limit",
							"Memory for the increments that a transaction has deferred.",
							"An increment that would go beyond it is counted now.",
							&ms_pending_limit,
							16384,
							0,
							MAX_KILOBYTES,
							PGC_USERSET,
							GUC_UNIT_KB,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("missing_symbol.worker",
							 "Starts a background worker that merges what is buffered.",
							 "One for each database that buffers. Without it "
							 "fold() has to be called now and then.",
							 &ms_worker,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	/* for view buffer_stats, which must work with any library */
	DefineCustomBoolVariable("missing_symbol.worker_refused",
							 "Shows whether this session could not start a worker, when it last tried.",
							 NULL,
							 &ms_worker_refused,
							 false,
							 PGC_INTERNAL,
							 GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE |
							 GUC_DISALLOW_IN_FILE,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("missing_symbol.flush_interval",
							"Time between two merges of what is buffered.",
							NULL,
							&ms_flush_interval,
							1000,
							10,
							3600 * 1000,
							PGC_SUSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("missing_symbol.flush_rows",
							"Increments that the worker merges in one transaction.",
							NULL,
							&ms_flush_rows,
							10000,
							1,
							10 * 1000 * 1000,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("missing_symbol.worker_idle",
							"Time without work after which the worker leaves.",
							NULL,
							&ms_worker_idle,
							5000,
							1000,
							INT_MAX,
							PGC_SUSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomStringVariable("missing_symbol.test_clock",
							   "Replaces the clock that increments read.",
							   "For tests: a timestamp with time zone, or empty "
							   "for the machine's clock.",
							   &test_clock_string,
							   "",
							   PGC_SUSET,
							   GUC_NOT_IN_SAMPLE,
							   check_test_clock, assign_test_clock, NULL);

	ms_report_init();
	ms_trial_init();
	ms_profile_init();

	MarkGUCPrefixReserved("missing_symbol");
}
