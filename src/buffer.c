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
 * it may count that key.
 *
 * What folds came to, and fallbacks, are rows appended to the unlogged table
 * missing_symbol.folds, which nobody waits for either; who appends makes many
 * of them one.  View buffer_stats shows their sum.
 *
 * Where no worker can be had, a counter merges what is buffered of its key
 * at every 16th increment, as for spill, and fold() does the rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

/* columns of missing_symbol.folds */
enum
{
	FOLDS_SINCE,
	FOLDS_FOLDS,
	FOLDS_DELTAS,
	FOLDS_ROWS,
	FOLDS_FALLBACKS,
	FOLDS_NATTS
};

/* rows of it that are left apart */
#define FOLDS_KEPT		64

/* fallbacks of a session that may be unknown to the others, and how long */
#define UNTOLD_FALLBACKS	1000
#define UNTOLD_MS			10000

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
} Waiting;

PG_FUNCTION_INFO_V1(ms_buffer_stats);

/* Can increments of a target be buffered, by the current role? */
bool
ms_buffer_serves(MSTarget *target)
{
	return ms_spill_exact_key(target) &&
		!ms_row_security_applies(target->relid);
}

/* a key whose deltas are to be merged */
typedef struct Merge
{
	MSTarget   *target;
	Relation	rel;
	const MSRow *row;
} Merge;

/* Merge what the current role has buffered of a key, waiting for nothing. */
static void
merge_key(void *arg)
{
	Merge	   *merge = arg;
	MSTarget   *target = merge->target;
	MSResult	result;
	MSRow	   *sum;
	int64		n;

	sum = ms_spill_take(target, merge->rel, merge->row, &n);
	if (sum == NULL)
		return;
	ms_apply_row(target, merge->rel, sum, &result);
	if (result.outcome == MS_SPILLED)
		ms_spill_append(MS_STORE_SPILLED, target, merge->rel, sum,
						sum->values, NULL, NULL);
	else
		ms_stats_folded(target->relid, n);
}

/* Append a row that the current role has counted. */
void
ms_buffer_append(MSTarget *target, Relation rel, const MSRow *row)
{
	Merge		merge = {target, rel, row};
	char	   *error;

	ms_spill_append(MS_STORE_BUFFERED, target, rel, row, row->values, NULL,
					NULL);
	if (!ms_worker_wake() && ++target->spill_turn % 16 == 0 &&
		!IsolationUsesXactSnapshot())
	{
		/* what we have just appended, too; what fails just stays */
		CommandCounterIncrement();
		(void) ms_try(merge_key, &merge, &error);
	}
}

/*
 * Table folds
 */

static void
append_fold(Relation folds, const int64 *values)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(folds),
													&TTSOpsVirtual);

	for (int i = 0; i < FOLDS_NATTS; i++)
	{
		/* a timestamptz is an int64, too */
		slot->tts_values[i] = Int64GetDatum(values[i]);
		slot->tts_isnull[i] = false;
	}
	ExecStoreVirtualTuple(slot);
	table_tuple_insert(folds, slot, GetCurrentCommandId(true), 0, NULL);
	ExecDropSingleTupleTableSlot(slot);
}

/*
 * The sum of the rows that a snapshot shows, and how many these are; take
 * deletes them, all that nobody else is deleting.
 */
static int
sum_folds(Relation folds, Snapshot snapshot, bool take, int64 *sum)
{
	TupleTableSlot *slot = table_slot_create(folds, NULL);
	TableScanDesc scan = table_beginscan(folds, snapshot, 0, NULL, SO_NONE);
	int			n = 0;

	memset(sum, 0, sizeof(int64) * FOLDS_NATTS);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		TM_FailureData tmfd;
		TimestampTz since;

		if (take && table_tuple_delete(folds, &slot->tts_tid,
									   GetCurrentCommandId(true), 0, snapshot,
									   InvalidSnapshot, false,
									   &tmfd) != TM_Ok)
			continue;
		slot_getallattrs(slot);
		since = DatumGetTimestampTz(slot->tts_values[FOLDS_SINCE]);
		if (n++ == 0 || since < sum[FOLDS_SINCE])
			sum[FOLDS_SINCE] = since;
		for (int i = FOLDS_FOLDS; i < FOLDS_NATTS; i++)
			sum[i] += DatumGetInt64(slot->tts_values[i]);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return n;
}

/* Append a row; where there are many, make them one. */
static void
log_fold(const int64 *values)
{
	Relation	folds = ms_open_own_table("folds", RowExclusiveLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int64		sum[FOLDS_NATTS];

	append_fold(folds, values);
	if (!IsolationUsesXactSnapshot() &&
		sum_folds(folds, snapshot, false, sum) > FOLDS_KEPT &&
		sum_folds(folds, snapshot, true, sum) > 0)
		append_fold(folds, sum);
	UnregisterSnapshot(snapshot);
	table_close(folds, NoLock);
}

/* A fold is over. */
void
ms_buffer_log(const MSFolded *folded)
{
	int64		values[FOLDS_NATTS] = {0};

	if (folded->deltas == 0)
		return;
	values[FOLDS_SINCE] = GetCurrentTimestamp();
	values[FOLDS_FOLDS] = 1;
	values[FOLDS_DELTAS] = folded->deltas;
	values[FOLDS_ROWS] = folded->rows;
	log_fold(values);
}

/*
 * So many increments could not be buffered.  The first is told at once, the
 * others now and then.
 */
void
ms_buffer_log_fallbacks(int64 n)
{
	static int64 untold = 0;
	static TimestampTz told = 0;
	TimestampTz now = GetCurrentTimestamp();
	int64		values[FOLDS_NATTS] = {0};

	untold += n;
	if (untold < UNTOLD_FALLBACKS &&
		!TimestampDifferenceExceeds(told, now, UNTOLD_MS))
		return;
	values[FOLDS_SINCE] = now;
	values[FOLDS_FALLBACKS] = untold;
	log_fold(values);
	untold = 0;
	told = now;
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
	table_close(stored, AccessShareLock);
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
	int64		sum[FOLDS_NATTS] = {0};
	int			n = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	count_waiting(MS_STORE_SPILLED, &spilled);

	/* a standby has no unlogged tables */
	if (!RecoveryInProgress())
	{
		Relation	folds = ms_open_own_table("folds", AccessShareLock);

		count_waiting(MS_STORE_BUFFERED, &buffered);
		n = sum_folds(folds, GetActiveSnapshot(), false, sum);
		table_close(folds, AccessShareLock);
	}
	values[STATS_BUFFERED] = Int64GetDatum(buffered.deltas);
	values[STATS_OLDEST] = TimestampTzGetDatum(buffered.oldest);
	isnull[STATS_OLDEST] = buffered.deltas == 0;
	values[STATS_SPILLED] = Int64GetDatum(spilled.deltas);
	values[STATS_ERRORS] = Int64GetDatum(spilled.errors);
	values[STATS_FALLBACKS] = Int64GetDatum(sum[FOLDS_FALLBACKS]);
	values[STATS_FOLDS] = Int64GetDatum(sum[FOLDS_FOLDS]);
	values[STATS_FOLDED] = Int64GetDatum(sum[FOLDS_DELTAS]);
	values[STATS_ROWS_WRITTEN] = Int64GetDatum(sum[FOLDS_ROWS]);
	values[STATS_SINCE] = TimestampTzGetDatum(sum[FOLDS_SINCE]);
	isnull[STATS_SINCE] = n == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, isnull)));
}
