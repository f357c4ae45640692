/*-------------------------------------------------------------------------
 *
 * times.c
 *	  How the time columns of a target hold a time.
 *
 * A time is a TimestampTz everywhere but in the row itself.  A column of type
 * timestamp holds it in UTC, which are the same microseconds, or in the zone
 * that configure() said; never in that of a session, of which those who count
 * have many.  Times are compared as the column has them: where a zone sets its
 * clocks back, a column stands still until they have come to where they were.
 *
 * Zones are looked up here, in the database of zones.  AT TIME ZONE would look
 * into the abbreviations first, which are a session's to set.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "target/target.h"

PG_FUNCTION_INFO_V1(ms_local_time);

static void
out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("timestamp out of range")));
}

/* A rule in the form of POSIX, which core takes for a name, has digits. */
static bool
is_rule(const char *name)
{
	return strpbrk(name, "0123456789") != NULL &&
		(strncmp(name, "Etc/GMT", 7) != 0 ||
		 strspn(name + 7, "+-0123456789") != strlen(name + 7));
}

/* A zone of a name with a slash, or UTC; NULL: there is none of that name. */
struct pg_tz *
ms_find_zone(const char *name)
{
	pg_tz	   *zone = strcmp(name, "UTC") == 0 ||
		(strchr(name, '/') != NULL && !is_rule(name)) ? pg_tzset(name) : NULL;

	return zone != NULL && pg_tz_acceptable(zone) ? zone : NULL;
}

/* What the clocks of a zone show at a time. */
static Timestamp
local_time(TimestampTz time, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	Timestamp	result = 0;		/* keep compiler quiet */

	if (TIMESTAMP_NOT_FINITE(time))
		return time;
	if (timestamp2tm(time, &tz, &tm, &fsec, NULL, zone) != 0 ||
		tm2timestamp(&tm, fsec, NULL, &result) != 0)
		out_of_range();
	return result;
}

/* local_time(time, zone) -> timestamp: for the general path's SQL */
Datum
ms_local_time(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	pg_tz	   *zone = ms_find_zone(name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized time zone: \"%s\"", name),
				 errhint("Use UTC or a name of pg_timezone_names with a slash, such as 'Europe/Paris'.")));
	PG_RETURN_TIMESTAMP(local_time(PG_GETARG_TIMESTAMPTZ(0), zone));
}

/* A time as a column has it that is not just the time's microseconds. */
Datum
ms_time_adjusted(const MSTarget *target, const MSTimeColumn *column,
				 TimestampTz time)
{
	Datum		result;

	if (column->local && target->zone != NULL)
		time = local_time(time, target->zone);
	result = TimestampTzGetDatum(time);
	if (column->typmod >= 0)
		result = DirectFunctionCall2(column->local ? timestamp_scale :
									 timestamptz_scale,
									 result, Int32GetDatum(column->typmod));
	return result;
}

/* The time that such a column has. */
TimestampTz
ms_time_of_zone(const MSTarget *target, const MSTimeColumn *column,
				Datum value)
{
	TimestampTz result = DatumGetTimestampTz(value);
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (!column->local || target->zone == NULL || TIMESTAMP_NOT_FINITE(result))
		return result;
	if (timestamp2tm(result, NULL, &tm, &fsec, NULL, NULL) != 0)
		out_of_range();
	tz = DetermineTimeZoneOffset(&tm, target->zone);
	if (tm2timestamp(&tm, fsec, &tz, &result) != 0 || !IS_VALID_TIMESTAMP(result))
		out_of_range();
	return result;
}
