/*-------------------------------------------------------------------------
 *
 * tracked.c
 *	  Table missing_symbol.tracked: how a target counts where what its table
 *	  tells does not serve.  Here it is read; track() writes it.
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
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "target/target.h"

/* a hundred years; no arithmetic with it overflows */
#define MAX_THROTTLE_DAYS	36525

/* Open table tracked. */
Relation
ms_tracked_open(LOCKMODE lockmode)
{
	return ms_open_own_table("tracked", lockmode);
}

/*
 * Read the row of a target into values/isnull (of TRACKED_NATTS); false where
 * there is none.  With *tid set to where the row is.
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
	int64		result;

	if (throttle->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("throttle must not contain months or years"),
				 errdetail("Their length varies."),
				 errhint("Give days, hours, minutes or seconds; a day is 24 hours.")));
	if (pg_mul_s64_overflow(throttle->day, USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, throttle->time, &result) ||
		result < 0 || result > MAX_THROTTLE_DAYS * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("throttle must be between 0 and %d days",
						MAX_THROTTLE_DAYS)));
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

/* What track() said of a table; memory is the caller's. */
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
}
