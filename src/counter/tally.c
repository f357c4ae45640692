/*-------------------------------------------------------------------------
 *
 * tally.c
 *	  What this session's increments came to.
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

#include "utils/hsearch.h"

#include "compat.h"
#include "counter/counter.h"

static HTAB *tallies = NULL;
static MSTally *latest = NULL;	/* entries do not move */

static MSTally *
find_tally(Oid relid)
{
	bool		found;
	MSTally    *entry;

	if (likely(latest != NULL && latest->relid == relid))
		return latest;

	if (tallies == NULL)
	{
		HASHCTL		ctl;

		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(MSTally);
		tallies = hash_create("missing_symbol counter_stats", 16, &ctl,
							HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(tallies, &relid, HASH_ENTER, &found);
	if (!found)
	{
		memset(entry, 0, sizeof(*entry));
		entry->relid = relid;
	}
	latest = entry;
	return entry;
}

void
ms_tally_count(Oid relid, MSOutcome outcome)
{
	find_tally(relid)->counts[outcome]++;
}

void
ms_tally_count_many(Oid relid, const int64 *counts)
{
	MSTally    *entry = find_tally(relid);

	for (int i = 0; i < MS_OUTCOMES; i++)
		entry->counts[i] += counts[i];
}

void
ms_tally_lock_wait(Oid relid)
{
	find_tally(relid)->lock_waits++;
}

void
ms_tally_fallback(Oid relid, int64 n)
{
	find_tally(relid)->fallbacks += n;
}

void
ms_tally_early_apply(Oid relid)
{
	find_tally(relid)->early_applies++;
}

void
ms_tally_folded(Oid relid, int64 deltas)
{
	find_tally(relid)->folded += deltas;
}

HTAB *
ms_tally_all(void)
{
	return tallies;
}
