/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  What this session's increments came to: view counter_stats.
 *
 * Plain numbers for each target in the session's memory, from its start
 * to its end; nothing is shared, nothing is rolled back: a wait
 * for a lock has happened whatever became of its transaction.  An outcome is
 * counted once for each counter of a call that user code made, not again when
 * a deferred, spilled or buffered delta reaches its row.
 *
 * The entry used last is at hand, so that counting is a comparison and an
 * addition.  A new entry is made by whoever counts first, which may fail for
 * want of memory like any other allocation of an increment; at commit or
 * abort there is nothing to do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

#include "missing_symbol.h"

typedef struct MSStats
{
	Oid			relid;			/* hash key */
	int64		counts[MS_OUTCOMES];
	int64		fallbacks;
	int64		lock_waits;
	int64		early_applies;
	int64		folded;
} MSStats;

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
	STATS_NATTS
};

/* hints need so many events, and these to be a tenth of all calls */
#define HINT_EVENTS		10
#define HINT_SHARE		10

static HTAB *stats = NULL;
static MSStats *latest = NULL;	/* entries do not move */

PG_FUNCTION_INFO_V1(ms_counter_stats);

static MSStats *
find_stats(Oid relid)
{
	bool		found;
	MSStats    *entry;

	if (likely(latest != NULL && latest->relid == relid))
		return latest;

	if (stats == NULL)
	{
		HASHCTL		ctl;

		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(MSStats);
		stats = hash_create("missing_symbol counter_stats", 16, &ctl,
							HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(stats, &relid, HASH_ENTER, &found);
	if (!found)
	{
		memset(entry, 0, sizeof(*entry));
		entry->relid = relid;
	}
	latest = entry;
	return entry;
}

void
ms_stats_count(Oid relid, MSOutcome outcome)
{
	find_stats(relid)->counts[outcome]++;
}

void
ms_stats_count_many(Oid relid, const int64 *counts)
{
	MSStats    *entry = find_stats(relid);

	for (int i = 0; i < MS_OUTCOMES; i++)
		entry->counts[i] += counts[i];
}

void
ms_stats_lock_wait(Oid relid)
{
	find_stats(relid)->lock_waits++;
}

void
ms_stats_fallback(Oid relid, int64 n)
{
	find_stats(relid)->fallbacks += n;
}

/* of all targets */
int64
ms_stats_fallbacks(void)
{
	HASH_SEQ_STATUS status;
	MSStats    *entry;
	int64		n = 0;

	if (stats == NULL)
		return 0;
	hash_seq_init(&status, stats);
	while ((entry = hash_seq_search(&status)) != NULL)
		n += entry->fallbacks;
	return n;
}

void
ms_stats_early_apply(Oid relid)
{
	find_stats(relid)->early_applies++;
}

void
ms_stats_folded(Oid relid, int64 deltas)
{
	find_stats(relid)->folded += deltas;
}

static bool
is_often(int64 events, int64 calls)
{
	return events >= HINT_EVENTS && events >= calls / HINT_SHARE;
}

/* What would make a target's increments cheaper; NULL: nothing known. */
static char *
hint(const MSStats *entry, const char *name, int64 calls)
{
	MSTracked	tracked;

	ms_tracked_read(entry->relid, &tracked);
	if (is_often(entry->lock_waits, calls) && !tracked.spill)
	{
		if (tracked.throttle > 0)
			return psprintf("%s waits for locks, and a throttle does not go with spill: give each writer a key of its own, or keep transactions short",
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
		{STATS_IGNORED, MS_IGNORED}
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	HASH_SEQ_STATUS status;
	MSStats    *entry;

	InitMaterializedSRF(fcinfo, 0);
	if (stats == NULL)
		return (Datum) 0;

	hash_seq_init(&status, stats);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		Datum		values[STATS_NATTS] = {0};
		bool		isnull[STATS_NATTS] = {false};
		char	   *relname = get_rel_name(entry->relid);
		char	   *hint_text;
		int64		calls = 0;

		if (relname == NULL)
			continue;			/* dropped meanwhile */
		for (int i = 0; i < MS_OUTCOMES; i++)
			calls += entry->counts[i];
		hint_text = hint(entry,
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(entry->relid)),
													relname),
						 calls);
		values[STATS_TARGET] = ObjectIdGetDatum(entry->relid);
		values[STATS_CALLS] = Int64GetDatum(calls);
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
