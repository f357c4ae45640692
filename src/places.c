/*-------------------------------------------------------------------------
 *
 * places.c
 *	  What a worker knows of the tables that have something to merge: whose
 *	  turn it is, and what is left alone for a while.
 *
 * A place is a store of a target.  One where code of the table has taken too
 * long, or where little was merged in its time, is slow.  Slow ones come last,
 * and before them the others of their owners, who may have more of that kind;
 * the tables of everybody else come first.  Keys of a table where not all was
 * come to are merged one by one, and from anywhere on: one that takes long is
 * not in the way of the others then.
 *
 * A place where nothing could be merged pauses, longer each time.  That some
 * of its keys wait for a lock is no reason for that, but from then on hardly
 * any lock of that place is waited for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "missing_symbol.h"

/* a table where so few are merged in that time is slow */
#define SLOW_DELTAS		100

/* a store of a target that cannot be folded is left alone for a while */
#define SLOW_PAUSE_MS	1000
#define MAX_PAUSE_MS	10000

/* the log tells of a target so often */
#define LOG_MS		3600000

static List *places = NIL;

/* That of a store of a target, which has this owner now. */
MSPlace *
ms_place_get(Oid relid, MSStore store, Oid owner)
{
	MemoryContext oldcxt;
	MSPlace    *place;
	ListCell   *lc;

	foreach(lc, places)
	{
		place = lfirst(lc);
		if (place->relid == relid && place->store == store)
		{
			place->owner = owner;
			return place;
		}
	}
	oldcxt = MemoryContextSwitchTo(TopMemoryContext);
	place = palloc0(sizeof(MSPlace));
	place->relid = relid;
	place->store = store;
	place->owner = owner;
	place->after = PG_INT64_MIN;
	places = lappend(places, place);
	MemoryContextSwitchTo(oldcxt);
	return place;
}

/* Its table is gone. */
void
ms_place_forget(MSPlace *place)
{
	places = list_delete_ptr(places, place);
	pfree(place);
}

/* When is it its turn in a round? */
MSTurn
ms_place_turn(const MSPlace *place)
{
	MSTurn		turn = MS_TURN_PLAIN;
	ListCell   *lc;

	if (place->slow)
		return MS_TURN_SLOW;
	foreach(lc, places)
	{
		const MSPlace *other = lfirst(lc);

		if (other->slow && other->owner == place->owner)
			turn = MS_TURN_SUSPECT;
	}
	return turn;
}

/*
 * Leave it alone for a while, longer each time.  locked: nothing has failed,
 * but rows are locked.
 */
void
ms_place_pause(MSPlace *place, bool locked)
{
	place->locked = locked;
	place->pause = Max(place->pause * 2, ms_flush_interval);
	if (!locked)
		place->pause = Max(place->pause, SLOW_PAUSE_MS);
	place->pause = Min(place->pause, MAX_PAUSE_MS);
	place->until = ms_now_ms() + place->pause;
}

static void
resume_place(MSPlace *place)
{
	place->pause = 0;
	place->until = 0;
}

/* The log tells of a target now and then. */
void
ms_place_log_failure(MSPlace *place, const char *name, const char *error)
{
	MSPlace    *both = ms_place_get(place->relid, MS_STORE_BUFFERED,
									place->owner);
	int64		now = ms_now_ms();

	if (both->logged != 0 && now - both->logged < LOG_MS)
		return;
	both->logged = now;
	ereport(LOG,
			(errmsg("could not merge increments of table \"%s\"", name),
			 errdetail_internal("%s", error),
			 errhint("They are kept in missing_symbol.spilled, where errors are shown, or missing_symbol.buffered, and are tried again.")));
}

/*
 * What a slice of time has come to says how it goes on; true: at once, because
 * there is more that can be done.
 */
bool
ms_place_judge(MSPlace *place, const MSFolded *sum)
{
	bool		slow = sum->overdue ||
		(sum->cut && sum->deltas < SLOW_DELTAS);

	place->slow = slow;
	place->one_by_one = sum->cut || sum->overdue;
	place->hurry = sum->waiting > 0;
	if (!sum->cut && !sum->overdue)
		place->after = PG_INT64_MIN;
	if (sum->overdue || sum->ended)
		ms_place_pause(place, false);
	else if (place->store == MS_STORE_BUFFERED || sum->deltas > 0)
		resume_place(place);
	else
		ms_place_pause(place, sum->failed == 0);
	if (slow)
		place->until = Max(place->until, ms_now_ms() + SLOW_PAUSE_MS);
	return sum->cut && !slow;
}
