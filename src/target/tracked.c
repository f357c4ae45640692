/*-------------------------------------------------------------------------
 *
 * tracked.c
 *	  Tables missing_symbol.tracked and missing_symbol.settings: how a target
 *	  counts where what its table tells does not serve.  Here they are read;
 *	  track() and configure() write them.
 *
 * Library and SQL objects can be of different versions.  A library reads the
 * columns of tracked into arrays of its own length, and one of before would
 * write beyond them: so tracked has the columns that it had in 1.0, and what
 * came later is in the JSON of settings, a table that the objects of before do
 * not have.  Settings that this library does not know are left to those who do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "nodes/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "table/table.h"
#include "target/target.h"
#include "target/tracked.h"

/* the settings of configure() */
static const char *const known[] = {
	"aligned", "at_least", "at_most", "bucket", "counts", "defaults", "fill",
	"greatest", "index", "insert", "latest", "least", "limit_on", "on_limit",
	"per", "window", "zone"
};

/* Open table tracked. */
Relation
ms_tracked_open(LOCKMODE lockmode)
{
	return ms_open_own_table("tracked", lockmode);
}

/* Is table settings there?  The objects of release 1.1 lack it. */
bool
ms_settings_exist(void)
{
	return ms_own_table_exists("settings");
}

Relation
ms_settings_open(LOCKMODE lockmode)
{
	return ms_open_own_table("settings", lockmode);
}

/*
 * Read the row of a target in one of the two tables into values/isnull, which
 * have room for its columns; false where there is none.  With *tid set to where
 * the row is.
 */
bool
ms_tracked_row(Relation tracked, Oid target, Datum *values, bool *isnull,
			   ItemPointer tid)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	Oid			index = RelationGetPrimaryKeyIndex(tracked, false);
	bool		found;

	ScanKeyInit(&key, TRACKED_TARGET + 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(target));
	scan = systable_beginscan(tracked, index, OidIsValid(index), snapshot, 1,
							  &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		/* a copy: the scan's buffer is given back below */
		tuple = heap_copytuple(tuple);
		heap_deform_tuple(tuple, RelationGetDescr(tracked), values, isnull);
		*tid = tuple->t_self;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return found;
}

/* Names of columns: a list of String. */
List *
ms_tracked_names(Datum array)
{
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	List	   *result = NIL;

	deconstruct_array(DatumGetArrayTypeP(array), NAMEOID, NAMEDATALEN, false,
					  TYPALIGN_CHAR, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a column name must not be null")));
		result = lappend(result,
						 makeString(pstrdup(NameStr(*DatumGetName(elems[i])))));
	}
	return result;
}

/* an interval of fixed length in microseconds */
int64
ms_tracked_throttle(Interval *throttle)
{
	return ms_fixed_interval(throttle, "throttle", 0);
}

/*
 * An interval of fixed length in microseconds, least or more of them, for what
 * has a name.
 */
int64
ms_fixed_interval(const Interval *interval, const char *name, int64 least)
{
	int64		result;

	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not contain months or years", name),
				 errdetail("Their length varies."),
				 errhint("Give days, hours, minutes or seconds; a day is 24 hours.")));
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, interval->time, &result) ||
		result < least || result > MS_MAX_INTERVAL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %s and %d days", name,
						least == 0 ? "0" : "1 microsecond",
						MS_MAX_INTERVAL_DAYS)));
	return result;
}

/* apply => 'now', 'commit' or 'buffer' */
MSApply
ms_tracked_apply(Datum value)
{
	char	   *apply = text_to_cstring(DatumGetTextPP(value));

	if (strcmp(apply, "now") == 0)
		return MS_APPLY_NOW;
	if (strcmp(apply, "commit") == 0)
		return MS_APPLY_COMMIT;
	if (strcmp(apply, "buffer") == 0)
		return MS_APPLY_BUFFER;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized value for apply: \"%s\"", apply),
			 errhint("Use apply => 'now', 'commit' or 'buffer'; '' clears the setting.")));
}

/* "zone, ...": for a message */
const char *
ms_settings_known(void)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < lengthof(known); i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", known[i]);
	return buf.data;
}

bool
ms_settings_is_known(const char *name)
{
	for (int i = 0; i < lengthof(known); i++)
	{
		if (strcmp(known[i], name) == 0)
			return true;
	}
	return false;
}

/* A setting's value, of the right JSON type; NULL: it is not set. */
static JsonbValue *
setting(Jsonb *settings, const char *name, enum jbvType type,
		const char *type_name)
{
	JsonbValue	key;
	JsonbValue *result;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	result = findJsonbValueFromContainer(&settings->root, JB_FOBJECT, &key);
	if (result != NULL && result->type != type)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"%s\" must be %s", name, type_name),
				 errhint("A JSON null clears it.")));
	return result;
}

/*
 * A zone that has one meaning, whatever a session's timezone_abbreviations: of
 * the names that are taken none is an abbreviation too, but UTC, which is the
 * same everywhere.
 */
static char *
zone_name(const JsonbValue *value)
{
	char	   *result = pnstrdup(value->val.string.val, value->val.string.len);

	if (ms_find_zone(result) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized time zone in setting \"zone\": \"%s\"",
						result),
				 errhint("Use UTC or a name of pg_timezone_names with a slash, such as 'Europe/Paris'.")));
	return result;
}

/* A setting's names of columns: a list of String; NIL: it is not set. */
static List *
column_names(Jsonb *settings, const char *name)
{
	JsonbValue *value = setting(settings, name, jbvBinary,
								"an array of names of columns");
	JsonbContainer *array;
	List	   *result = NIL;

	if (value == NULL)
		return NIL;
	array = value->val.binary.data;
	for (int i = 0; JsonContainerIsArray(array) &&
		 i < JsonContainerSize(array); i++)
	{
		JsonbValue *column = getIthJsonbValueFromContainer(array, i);

		if (column->type != jbvString)
			break;
		result = lappend(result,
						 makeString(pnstrdup(column->val.string.val,
											 column->val.string.len)));
	}
	if (!JsonContainerIsArray(array) ||
		list_length(result) != JsonContainerSize(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"%s\" must be %s", name,
						"an array of names of columns"),
				 errhint("A JSON null clears it.")));
	return result;
}

/* A setting that is a text; NULL: it is not set. */
static char *
text_setting(Jsonb *settings, const char *name, const char *type_name)
{
	JsonbValue *value = setting(settings, name, jbvString, type_name);

	return value == NULL ? NULL :
		pnstrdup(value->val.string.val, value->val.string.len);
}

/* A setting that is a number; 0: it is not set. */
static Datum
number_setting(Jsonb *settings, const char *name)
{
	JsonbValue *value = setting(settings, name, jbvNumeric, "a number");

	return value == NULL ? (Datum) 0 :
		datumCopy(NumericGetDatum(value->val.numeric), false, -1);
}

/* Those of limits; their columns and values are looked at in limits.c. */
static void
parse_limits(Jsonb *json, MSTracked *tracked)
{
	JsonbValue *value;
	char	   *text;

	tracked->at_least = number_setting(json, "at_least");
	tracked->at_most = number_setting(json, "at_most");
	tracked->limit_on = text_setting(json, "limit_on", "the name of a column");
	tracked->window = text_setting(json, "window", "the name of a column");
	tracked->bucket = text_setting(json, "bucket", "the name of a column");
	text = text_setting(json, "on_limit", "\"refuse\" or \"saturate\"");
	if (text != NULL && strcmp(text, "refuse") != 0 &&
		strcmp(text, "saturate") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"%s\" must be %s", "on_limit",
						"\"refuse\" or \"saturate\""),
				 errhint("A JSON null clears it.")));
	tracked->saturate = text != NULL && strcmp(text, "saturate") == 0;
	text = text_setting(json, "per", "an interval");
	tracked->per = 0;
	if (text != NULL)
		tracked->per =
			ms_fixed_interval(DatumGetIntervalP(DirectFunctionCall3(interval_in,
																	CStringGetDatum(text),
																	ObjectIdGetDatum(InvalidOid),
																	Int32GetDatum(-1))),
							  "\"per\"", 1);
	value = setting(json, "aligned", jbvBool, "true or false");
	tracked->aligned = value != NULL && value->val.boolean;
}

/* Read and check settings, of which null ones have been left out. */
void
ms_settings_parse(Datum settings, MSTracked *tracked)
{
	Jsonb	   *json = DatumGetJsonbP(settings);
	JsonbValue *value;

	value = setting(json, "zone", jbvString, "a string");
	if (value != NULL)
		tracked->zone = zone_name(value);
	if (tracked->zone != NULL && strcmp(tracked->zone, "UTC") == 0)
		tracked->zone = NULL;
	value = setting(json, "insert", jbvBool, "true or false");
	tracked->no_insert = value != NULL && !value->val.boolean;
	value = setting(json, "index", jbvString, "the name of an index");
	if (value != NULL)
		tracked->index = pnstrdup(value->val.string.val,
								  value->val.string.len);
	tracked->defaults = column_names(json, "defaults");
	tracked->counts = column_names(json, "counts");
	tracked->latest = column_names(json, "latest");
	tracked->greatest = column_names(json, "greatest");
	tracked->least = column_names(json, "least");
	if (column_names(json, "fill") != NIL)
		tracked->fill = column_names(json, "fill");
	parse_limits(json, tracked);
}

/* What configure() said of a table. */
static void
read_settings(Oid relid, MSTracked *result)
{
	Relation	table;
	Datum		values[SETTINGS_NATTS];
	bool		isnull[SETTINGS_NATTS];
	ItemPointerData tid;

	if (!ms_settings_exist())
		return;
	table = ms_settings_open(AccessShareLock);
	if (ms_tracked_row(table, relid, values, isnull, &tid))
		ms_settings_parse(values[SETTINGS_SETTINGS], result);
	table_close(table, AccessShareLock);
}

/* What track() and configure() said of a table; memory is the caller's. */
void
ms_tracked_read(Oid relid, MSTracked *result)
{
	Relation	tracked = ms_tracked_open(AccessShareLock);
	Datum		values[TRACKED_NATTS];
	bool		isnull[TRACKED_NATTS];
	ItemPointerData tid;

	memset(result, 0, sizeof(*result));
	if (ms_tracked_row(tracked, relid, values, isnull, &tid))
	{
		if (!isnull[TRACKED_KEY])
			result->key = ms_tracked_names(values[TRACKED_KEY]);
		if (!isnull[TRACKED_COUNT])
			result->count = NameStr(*DatumGetName(values[TRACKED_COUNT]));
		if (!isnull[TRACKED_FIRST_SEEN])
			result->first_seen = NameStr(*DatumGetName(values[TRACKED_FIRST_SEEN]));
		if (!isnull[TRACKED_LAST_SEEN])
			result->last_seen = NameStr(*DatumGetName(values[TRACKED_LAST_SEEN]));
		if (!isnull[TRACKED_APPLY])
			result->apply = ms_tracked_apply(values[TRACKED_APPLY]);
		if (!isnull[TRACKED_THROTTLE])
			result->throttle = ms_tracked_throttle(DatumGetIntervalP(values[TRACKED_THROTTLE]));
		if (!isnull[TRACKED_FILL])
			result->fill = ms_tracked_names(values[TRACKED_FILL]);
		result->spill = !isnull[TRACKED_SPILL] &&
			DatumGetBool(values[TRACKED_SPILL]);
	}
	table_close(tracked, AccessShareLock);
	read_settings(relid, result);
}
