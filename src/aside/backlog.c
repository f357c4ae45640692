/*-------------------------------------------------------------------------
 *
 * backlog.c
 *	  What a worker knows of the tables that have something to merge: whose
 *	  turn it is, and what is left alone for a while.
 *
 * A backlog is what a store has of a target.  One where code of the table has
 * taken too long, or where little was merged in its time, is slow.  So is one
 * by which all those of its owner together have come to little in a round for
 * the time that they have taken: many that take a little each are in the way
 * of others, too.  Slow ones come last, and before them the others of their
 * owners, who may have more of that kind; the tables of everybody else come
 * first.  Both get some time in a round, those first that were served the
 * longest ago.  Keys of a table where not all was come to are merged one by
 * one, and from anywhere on: one that takes long is not in the way of the
 * others then.
 *
 * One where nothing could be merged pauses, longer each time.  That some of
 * its keys wait for a lock is no reason for that, but from then on hardly any
 * lock is waited for there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "compat.h"
#include "aside/aside.h"
#include "aside/aside_internal.h"
#include "figures/figures.h"
#include "target/stored.h"

/* a table where so few are merged in that time is slow */
#define SLOW_DELTAS		100

/* so are the tables of an owner in a round, once they have taken so long ... */
#define OWNER_MS		250

/* ... with less than this for each ms */
#define OWNER_DELTAS	0.2

/* a store of a target that cannot be folded is left alone for a while */
#define SLOW_PAUSE_MS	1000
#define MAX_PAUSE_MS	10000

/* the log tells of a target so often */
#define LOG_MS		3600000

int			ms_flush_interval = 1000;

static List *backlogs = NIL;

/* That of a store of a target, which has this owner now. */
MSBacklog *
ms_backlog_get(Oid relid, MSStore store, Oid owner)
{
	MemoryContext oldcxt;
	MSBacklog  *backlog;
	ListCell   *lc;

	foreach(lc, backlogs)
	{
		backlog = lfirst(lc);
		if (backlog->relid == relid && backlog->store == store)
		{
			backlog->owner = owner;
			return backlog;
		}
	}
	oldcxt = MemoryContextSwitchTo(TopMemoryContext);
	backlog = palloc0(sizeof(MSBacklog));
	backlog->relid = relid;
	backlog->store = store;
	backlog->owner = owner;
	backlog->after = PG_INT64_MIN;
	backlogs = lappend(backlogs, backlog);
	MemoryContextSwitchTo(oldcxt);
	return backlog;
}

/* Its table is gone. */
void
ms_backlog_forget(MSBacklog *backlog)
{
	backlogs = list_delete_ptr(backlogs, backlog);
	pfree(backlog);
}

/* A slice of its time is over. */
void
ms_backlog_served(MSBacklog *backlog, int64 round, int64 began,
				  const MSFolded *sum)
{
	backlog->round = round;
	backlog->served = ms_now_ms();
	backlog->taken = backlog->served - began;
	backlog->deltas = sum->deltas;
}

static bool
is_little(int64 deltas, int64 taken)
{
	return deltas < taken * OWNER_DELTAS;
}

/*
 * Has it, with the others of its owner, been in the way of others in a round,
 * and has it a part in that?
 */
static bool
owner_is_slow(const MSBacklog *backlog)
{
	int64		taken = 0;
	int64		deltas = 0;
	ListCell   *lc;

	if (!is_little(backlog->deltas, backlog->taken))
		return false;

	foreach(lc, backlogs)
	{
		const MSBacklog *other = lfirst(lc);

		if (other->owner != backlog->owner || other->round != backlog->round)
			continue;
		taken += other->taken;
		deltas += other->deltas;
	}
	return taken > OWNER_MS && is_little(deltas, taken);
}

/* When is it its turn in a round? */
MSTurn
ms_backlog_turn(const MSBacklog *backlog)
{
	MSTurn		turn = MS_TURN_PLAIN;
	ListCell   *lc;

	if (backlog->slow)
		return MS_TURN_SLOW;
	foreach(lc, backlogs)
	{
		const MSBacklog *other = lfirst(lc);

		if (other->slow && other->owner == backlog->owner)
			turn = MS_TURN_SUSPECT;
	}
	return turn;
}

/*
 * Leave it alone for a while, longer each time.  locked: nothing has failed,
 * but rows are locked.
 */
void
ms_backlog_pause(MSBacklog *backlog, bool locked)
{
	backlog->locked = locked;
	backlog->pause = Max(backlog->pause * 2, ms_flush_interval);
	if (!locked)
		backlog->pause = Max(backlog->pause, SLOW_PAUSE_MS);
	backlog->pause = Min(backlog->pause, MAX_PAUSE_MS);
	backlog->until = ms_now_ms() + backlog->pause;
}

static void
resume(MSBacklog *backlog)
{
	backlog->pause = 0;
	backlog->until = 0;
}

/* The log tells of a target now and then. */
void
ms_backlog_log_failure(MSBacklog *backlog, const char *name, const char *error)
{
	MSBacklog  *both = ms_backlog_get(backlog->relid, MS_STORE_BUFFERED,
									backlog->owner);
	int64		now = ms_now_ms();

	if (both->logged != 0 && now - both->logged < LOG_MS)
		return;
	both->logged = now;
	ereport(LOG,
			(errmsg("could not merge increments of table \"%s\"", name),
			 errdetail_internal("%s", error),
			 errhint("They are kept in missing_symbol.spilled, where errors are shown, or missing_symbol.buffered, and are tried again; missing_symbol.discard() and discard_all() throw away what can never be merged.")));
}

/*
 * What a slice of time has come to says how it goes on; true: at once, because
 * there is more that can be done.
 */
bool
ms_backlog_judge(MSBacklog *backlog, const MSFolded *sum)
{
	bool		slow = sum->overdue ||
		(sum->cut && sum->deltas < SLOW_DELTAS) || owner_is_slow(backlog);

	backlog->slow = slow;
	backlog->one_by_one = sum->cut || sum->overdue;
	backlog->hurry = sum->waiting > 0;
	if (!sum->cut && !sum->overdue)
		backlog->after = PG_INT64_MIN;
	if (sum->overdue || sum->ended)
		ms_backlog_pause(backlog, false);
	else if (backlog->store == MS_STORE_BUFFERED || sum->deltas > 0)
		resume(backlog);
	else
		ms_backlog_pause(backlog, sum->failed == 0);
	if (slow)
		backlog->until = Max(backlog->until, ms_now_ms() + SLOW_PAUSE_MS);
	return sum->cut && !slow;
}
