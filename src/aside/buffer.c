/*-------------------------------------------------------------------------
 *
 * buffer.c
 *	  apply = 'buffer': increments that are appended as their transaction
 *	  commits, and merged into their rows by a worker soon after.
 *
 * Until the commit they are in memory with those of apply = 'commit'
 * (pending.c); then they go to missing_symbol.buffered instead of to their
 * rows: no row is locked, no WAL is flushed.  The table is unlogged: a crash
 * empties it.  It never makes anything count twice, because what is merged is
 * deleted from it in the same transaction.
 *
 * A key is kept as text.  So a target whose equal keys can have different
 * texts (numeric, citext), or whose keys are names of objects (regclass), is
 * counted at the commit instead; that is a fallback, and counted.  So is one
 * where row security applies to the role, because only the row tells whether
 * it may count that key; and where no worker can be started, because nobody
 * might merge it.
 *
 * View buffer_stats shows what is there, and what core's statistics of the
 * tables say of what was.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xlog.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

/* columns of missing_symbol.buffer_stats() */
enum
{
	STATS_BUFFERED,
	STATS_OLDEST,
	STATS_SPILLED,
	STATS_ERRORS,
	STATS_FALLBACKS,
	STATS_FOLDS,
	STATS_FOLDED,
	STATS_ROWS_WRITTEN,
	STATS_SINCE,
	STATS_NATTS
};

/* what a table of set-aside deltas has */
typedef struct Waiting
{
	int64		deltas;
	int64		errors;
	TimestampTz oldest;
	int64		deleted;		/* by whoever: merged, as a rule */
} Waiting;

PG_FUNCTION_INFO_V1(ms_buffer_stats);

/* Can increments of a target be buffered, by the current role? */
bool
ms_buffer_serves(MSTarget *target)
{
	return ms_spill_exact_key(target) &&
		!ms_row_security_applies(target, InvalidOid) &&
		ms_worker_possible();
}

/* Append a row that the current role has counted. */
void
ms_buffer_append(MSTarget *target, Relation rel, const MSRow *row)
{
	ms_spill_append(MS_STORE_BUFFERED, target, rel, row, row->values, NULL,
					NULL);
	ms_worker_wake();
}

/*
 * View buffer_stats
 */

static void
count_waiting(MSStore store, Waiting *waiting)
{
	Relation	stored = ms_spill_open(store, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(stored, NULL);
	TableScanDesc scan = table_beginscan(stored, GetActiveSnapshot(), 0, NULL,
										 SO_NONE);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		TimestampTz first_seen;

		CHECK_FOR_INTERRUPTS();
		first_seen = ms_spill_first_seen(slot);
		if (waiting->deltas++ == 0 || first_seen < waiting->oldest)
			waiting->oldest = first_seen;
		if (store == MS_STORE_SPILLED && ms_spill_has_error(slot))
			waiting->errors++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	waiting->deleted =
		DatumGetInt64(DirectFunctionCall1(pg_stat_get_tuples_deleted,
										  ObjectIdGetDatum(RelationGetRelid(stored))));
	table_close(stored, AccessShareLock);
}

/* When this database's statistics were reset; false: never. */
static bool
stats_reset(Datum *result)
{
	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(MyDatabaseId);
	fcinfo->args[0].isnull = false;
	*result = pg_stat_get_db_stat_reset_time(fcinfo);
	return !fcinfo->isnull;
}

/* buffer_stats(): a row about this database */
Datum
ms_buffer_stats(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[STATS_NATTS] = {0};
	bool		isnull[STATS_NATTS] = {false};
	Waiting		buffered = {0};
	Waiting		spilled = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	count_waiting(MS_STORE_SPILLED, &spilled);

	/* a standby has no unlogged tables */
	if (!RecoveryInProgress())
		count_waiting(MS_STORE_BUFFERED, &buffered);
	values[STATS_BUFFERED] = Int64GetDatum(buffered.deltas);
	values[STATS_OLDEST] = TimestampTzGetDatum(buffered.oldest);
	isnull[STATS_OLDEST] = buffered.deltas == 0;
	values[STATS_SPILLED] = Int64GetDatum(spilled.deltas);
	values[STATS_ERRORS] = Int64GetDatum(spilled.errors);
	values[STATS_FALLBACKS] = Int64GetDatum(ms_stats_fallbacks());
	isnull[STATS_FOLDS] = true;
	values[STATS_FOLDED] = Int64GetDatum(buffered.deleted + spilled.deleted);
	isnull[STATS_ROWS_WRITTEN] = true;
	isnull[STATS_SINCE] = !stats_reset(&values[STATS_SINCE]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, isnull)));
}
