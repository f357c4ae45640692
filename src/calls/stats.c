/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  Views counter_stats, of what this session's increments came to
 *	  (tally.c), and buffer_stats, of what is set aside in this database.
 *
 * buffer_stats shows what is there, and what core's statistics of the tables
 * say of what was.
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
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "aside/aside.h"
#include "calls/calls.h"
#include "counter/counter.h"
#include "target/stored.h"
#include "target/target.h"
#include "target/tracked.h"

/* columns of missing_symbol.counter_stats() */
enum
{
	STATS_TARGET,
	STATS_CALLS,
	STATS_INSERTED,
	STATS_INCREMENTED,
	STATS_THROTTLED,
	STATS_SPILLED,
	STATS_DEFERRED,
	STATS_BUFFERED,
	STATS_IGNORED,
	STATS_FALLBACKS,
	STATS_LOCK_WAITS,
	STATS_EARLY_APPLIES,
	STATS_FOLDED,
	STATS_HINT,
	STATS_ABSENT,				/* which the objects of release 1.1 lack, as */
	STATS_DUPLICATE,			/* they do this */
	STATS_REFUSED,				/* and this */
	STATS_NATTS
};

/* hints need so many events, and these to be a tenth of all calls */
#define HINT_EVENTS		10
#define HINT_SHARE		10

/* columns of missing_symbol.buffer_stats() */
enum
{
	WAITING_BUFFERED,
	WAITING_OLDEST,
	WAITING_SPILLED,
	WAITING_ERRORS,
	WAITING_FALLBACKS,
	WAITING_FOLDS,
	WAITING_FOLDED,
	WAITING_ROWS_WRITTEN,
	WAITING_SINCE,
	WAITING_ABSENT,				/* which the objects of release 1.1 lack */
	WAITING_NATTS
};

/* what a table of set-aside deltas has */
typedef struct Waiting
{
	int64		deltas;
	int64		errors;
	TimestampTz oldest;
	int64		deleted;		/* by whoever: merged, as a rule */
	int64		absent;			/* of them: had no row (ms_note_absent) */
} Waiting;

PG_FUNCTION_INFO_V1(ms_counter_stats);
PG_FUNCTION_INFO_V1(ms_buffer_stats);

static bool
is_often(int64 events, int64 calls)
{
	return events >= HINT_EVENTS && events >= calls / HINT_SHARE;
}

int64
ms_tally_calls(const MSTally *entry)
{
	int64		calls = 0;

	for (int i = 0; i < MS_OUTCOMES; i++)
		calls += entry->counts[i];
	return calls;
}

char *
ms_stats_hint(const MSTally *entry, const char *name)
{
	int64		calls = ms_tally_calls(entry);
	MSTracked	tracked;

	ms_tracked_read(entry->relid, &tracked);
	if (is_often(entry->lock_waits, calls) && !tracked.spill)
	{
		if (get_rel_relkind(entry->relid) == RELKIND_VIEW)
			return psprintf("%s waits for locks, and a view does not go with spill: count in the table behind it, or keep transactions short",
							name);
		if (tracked.throttle > 0)
			return psprintf("%s waits for locks, and a throttle does not go with spill: give each writer a key of its own, or keep transactions short",
							name);
		if (ms_has_limits(&tracked))
			return psprintf("%s waits for locks, and a limit does not go with spill: keep transactions short",
							name);
		return psprintf("SELECT missing_symbol.track(%s, spill => true);",
						quote_literal_cstr(name));
	}
	if (is_often(entry->early_applies, calls))
		return pstrdup("raise missing_symbol.pending_limit, or commit more often");
	if (tracked.spill && is_often(entry->counts[MS_SPILLED], calls) &&
		entry->counts[MS_SPILLED] > entry->folded)
		return psprintf("SELECT missing_symbol.fold(%s);",
						quote_literal_cstr(name));
	return NULL;
}

/* counter_stats(): a row for each target that still exists */
Datum
ms_counter_stats(PG_FUNCTION_ARGS)
{
	static const struct
	{
		int			column;
		MSOutcome	outcome;
	}			outcomes[] = {
		{STATS_INSERTED, MS_INSERTED},
		{STATS_INCREMENTED, MS_INCREMENTED},
		{STATS_THROTTLED, MS_THROTTLED},
		{STATS_SPILLED, MS_SPILLED},
		{STATS_DEFERRED, MS_DEFERRED},
		{STATS_BUFFERED, MS_BUFFERED},
		{STATS_IGNORED, MS_IGNORED},
		{STATS_ABSENT, MS_ABSENT},
		{STATS_DUPLICATE, MS_DUPLICATE},
		{STATS_REFUSED, MS_REFUSED}
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	HTAB	   *tallies = ms_tally_all();
	HASH_SEQ_STATUS status;
	MSTally    *entry;

	InitMaterializedSRF(fcinfo, 0);
	if (tallies == NULL)
		return (Datum) 0;

	hash_seq_init(&status, tallies);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		Datum		values[STATS_NATTS] = {0};
		bool		isnull[STATS_NATTS] = {false};
		char	   *relname = get_rel_name(entry->relid);
		char	   *hint_text;

		if (relname == NULL)
			continue;			/* dropped meanwhile */
		hint_text = ms_stats_hint(entry,
								  quote_qualified_identifier(get_namespace_name(get_rel_namespace(entry->relid)),
															 relname));
		values[STATS_TARGET] = ObjectIdGetDatum(entry->relid);
		values[STATS_CALLS] = Int64GetDatum(ms_tally_calls(entry));
		for (int i = 0; i < lengthof(outcomes); i++)
			values[outcomes[i].column] =
				Int64GetDatum(entry->counts[outcomes[i].outcome]);
		values[STATS_FALLBACKS] = Int64GetDatum(entry->fallbacks);
		values[STATS_LOCK_WAITS] = Int64GetDatum(entry->lock_waits);
		values[STATS_EARLY_APPLIES] = Int64GetDatum(entry->early_applies);
		values[STATS_FOLDED] = Int64GetDatum(entry->folded);
		isnull[STATS_HINT] = hint_text == NULL;
		if (hint_text != NULL)
			values[STATS_HINT] = CStringGetTextDatum(hint_text);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 isnull);
	}
	return (Datum) 0;
}

/*
 * View buffer_stats
 */

/* Of all targets: how many could not wait as they should have. */
static int64
all_fallbacks(void)
{
	HTAB	   *tallies = ms_tally_all();
	HASH_SEQ_STATUS status;
	MSTally    *entry;
	int64		n = 0;

	if (tallies == NULL)
		return 0;
	hash_seq_init(&status, tallies);
	while ((entry = hash_seq_search(&status)) != NULL)
		n += entry->fallbacks;
	return n;
}

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
	waiting->absent =
		DatumGetInt64(DirectFunctionCall1(pg_stat_get_tuples_updated,
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
	Datum		values[WAITING_NATTS] = {0};
	bool		isnull[WAITING_NATTS] = {false};
	Waiting		buffered = {0};
	Waiting		spilled = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	count_waiting(MS_STORE_SPILLED, &spilled);

	/* a standby has no unlogged tables */
	if (!RecoveryInProgress())
		count_waiting(MS_STORE_BUFFERED, &buffered);
	values[WAITING_BUFFERED] = Int64GetDatum(buffered.deltas);
	values[WAITING_OLDEST] = TimestampTzGetDatum(buffered.oldest);
	isnull[WAITING_OLDEST] = buffered.deltas == 0;
	values[WAITING_SPILLED] = Int64GetDatum(spilled.deltas);
	values[WAITING_ERRORS] = Int64GetDatum(spilled.errors);
	values[WAITING_FALLBACKS] = Int64GetDatum(all_fallbacks());
	isnull[WAITING_FOLDS] = true;
	values[WAITING_FOLDED] = Int64GetDatum(buffered.deleted + spilled.deleted);
	isnull[WAITING_ROWS_WRITTEN] = true;
	isnull[WAITING_SINCE] = !stats_reset(&values[WAITING_SINCE]);
	values[WAITING_ABSENT] = Int64GetDatum(spilled.absent);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, isnull)));
}
