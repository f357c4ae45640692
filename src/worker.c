/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker that folds what is buffered or spilled.
 *
 * One for each database that has something buffered, started by whoever
 * buffers and finds none.  It needs no shared memory of ours: the worker holds
 * an advisory lock of the database for as long as it lives, and who can get
 * that lock knows that there is none.
 *
 * Nothing is left behind by a worker that goes: who buffers appends first and
 * then looks for the lock; the worker gives the lock back first and then looks
 * whether anything was appended, be it in a transaction that is not over.  Who
 * has found a worker does not look again for a while (KNOWN_MS), which is
 * shorter than the time that a worker has nothing to do before it goes.  (One
 * that is terminated goes at once: what is left then waits for the next to
 * buffer, for fold() or flush().)
 *
 * It connects as the bootstrap superuser and folds as the roles that counted,
 * in security-restricted operations (fold.c).  Deferrable constraints are
 * checked at once: what they queue must not run as the superuser at the
 * commit.  A batch is a transaction; a target is not waited for, nor a row.
 * What fails is in spilled with its error, and tried again after a while; the
 * log tells of it once.
 *
 * It goes when there has been nothing to do for worker_idle, and at once when
 * somebody wants to drop the database or use it as a template: these wait for
 * all others to leave, while they hold a lock on the database that shows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_database.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/bufmgr.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

bool		ms_worker = true;
int			ms_flush_interval = 1000;
int			ms_flush_rows = 10000;
int			ms_worker_idle = 5000;

/* who has looked for a worker does not look again for so long */
#define KNOWN_MS	500

/* the worker looks so often whether it is in the way */
#define LOOK_MS		1000

/* deltas that are deleted from the buffer between two VACUUMs of it */
#define VACUUM_DELTAS	20000

/* VACUUMs that give room back before it goes, where others see the rows yet */
#define ROOM_TRIES	5

/* a store of a target that cannot be folded is left alone for a while */
#define MAX_PAUSE_MS	10000

/* the log tells of a target so often */
#define LOG_MS		3600000

typedef struct Trouble
{
	Oid			relid;
	MSStore		store;
	int			pause;			/* ms */
	TimestampTz until;
	bool		locked;			/* nothing has failed: rows were locked */
	TimestampTz logged;			/* of the store buffered, for both */
} Trouble;

/* of the worker's process */
static bool am_worker = false;
static bool unwanted = false;	/* somebody wants to be alone in the database */
static MemoryContext worker_cxt;
static List *troubles = NIL;
static int64 vacuum_due = 0;	/* deltas deleted since the last VACUUM */
static int	room_tries = 0;		/* to give back the room of what was deleted */
static TimestampTz next_round = 0;
static TimestampTz last_busy;

PGDLLEXPORT void ms_worker_main(Datum arg);

/*
 * The lock
 */

static void
worker_tag(LOCKTAG *tag)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, 0, 0, MS_LOCK_WORKER);
}

/* Get the lock, for a moment, or for the life of the process. */
static bool
get_worker_lock(bool session)
{
	LOCKTAG		tag;

	worker_tag(&tag);
	return LockAcquire(&tag, ExclusiveLock, session,
					   true) != LOCKACQUIRE_NOT_AVAIL;
}

static void
release_worker_lock(bool session)
{
	LOCKTAG		tag;

	worker_tag(&tag);
	(void) LockRelease(&tag, ExclusiveLock, session);
}

/*
 * In a session that buffers
 */

/* Start a worker; false where the server has no room for one, or is alone. */
static bool
start_worker(void)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "$libdir/missing_symbol",
			sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "ms_worker_main",
			sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "missing_symbol worker", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "missing_symbol worker", BGW_MAXLEN);
	worker.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

bool
ms_worker_wake(void)
{
	static TimestampTz looked = 0;
	static bool found = false;
	TimestampTz now;

	if (am_worker || !ms_worker)
		return true;
	now = GetCurrentTimestamp();
	if (now >= looked &&
		!TimestampDifferenceExceeds(looked, now, KNOWN_MS))
		return found;

	found = true;
	if (get_worker_lock(false))
	{
		release_worker_lock(false);
		found = start_worker();
	}
	looked = now;
	return found;
}

/*
 * In the worker
 */

static void
begin(void)
{
	ConstraintsSetStmt *immediate;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	immediate = makeNode(ConstraintsSetStmt);
	immediate->deferred = false;
	AfterTriggerSetState(immediate);
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(worker_cxt);
}

/* After an error: report it, and be ready for the next transaction. */
static void
recover(void)
{
	HOLD_INTERRUPTS();
	EmitErrorReport();
	AbortOutOfAnyTransaction();
	MemoryContextSwitchTo(worker_cxt);
	FlushErrorState();
	RESUME_INTERRUPTS();
}

/*
 * Does somebody want to be alone in the database?  Then he holds a lock that
 * conflicts with the one that everybody has while connecting.
 */
static bool
is_in_the_way(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, MyDatabaseId, 0);
	return LockAcquire(&tag, RowExclusiveLock, false,
					   true) == LOCKACQUIRE_NOT_AVAIL;
}

static bool
is_wanted(void)
{
	bool		wanted;

	if (!ms_worker || unwanted)
		return false;
	begin();
	wanted = !is_in_the_way() &&
		OidIsValid(get_namespace_oid("missing_symbol", true)) &&
		OidIsValid(get_relname_relid("buffered", ms_schema()));
	commit();
	return wanted;
}

static Trouble *
find_trouble(Oid relid, MSStore store)
{
	ListCell   *lc;

	foreach(lc, troubles)
	{
		Trouble    *trouble = lfirst(lc);

		if (trouble->relid == relid && trouble->store == store)
			return trouble;
	}
	return NULL;
}

static Trouble *
get_trouble(Oid relid, MSStore store)
{
	Trouble    *trouble = find_trouble(relid, store);

	if (trouble == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(worker_cxt);

		trouble = palloc0(sizeof(Trouble));
		trouble->relid = relid;
		trouble->store = store;
		troubles = lappend(troubles, trouble);
		MemoryContextSwitchTo(oldcxt);
	}
	return trouble;
}

/* Leave a store of a target alone for a while, longer each time. */
static void
pause_store(Oid relid, MSStore store, bool locked)
{
	Trouble    *trouble = get_trouble(relid, store);

	trouble->locked = locked;
	trouble->pause = Min(Max(trouble->pause * 2, ms_flush_interval),
						 MAX_PAUSE_MS);
	trouble->until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												 trouble->pause);
}

static void
resume_store(Oid relid, MSStore store)
{
	Trouble    *trouble = find_trouble(relid, store);

	if (trouble != NULL)
	{
		trouble->pause = 0;
		trouble->until = 0;
	}
}

static void
log_failure(Oid relid, const char *error)
{
	Trouble    *trouble = get_trouble(relid, MS_STORE_BUFFERED);
	TimestampTz now = GetCurrentTimestamp();

	if (trouble->logged != 0 &&
		!TimestampDifferenceExceeds(trouble->logged, now, LOG_MS))
		return;
	trouble->logged = now;
	ereport(LOG,
			(errmsg("could not merge increments of table \"%s\"",
					get_rel_name(relid)),
			 errdetail_internal("%s", error),
			 errhint("They are in missing_symbol.spilled, with their errors, and are tried again.")));
}

/*
 * Fold a batch of what a target has in a store; false where that was the last
 * of it, or where the table is not to be had.
 */
static bool
fold_batch(Oid relid, MSStore store, int64 *after, MSFolded *sum)
{
	MSFolded	folded = {0};
	bool		more = false;

	begin();
	unwanted = is_in_the_way();
	if (!unwanted && ConditionalLockRelationOid(relid, RowExclusiveLock))
	{
		if (get_rel_name(relid) == NULL)
			ms_spill_forget(relid);
		else
		{
			more = ms_fold_some(relid, store, after, ms_flush_rows, &folded);
			ms_buffer_log(&folded);
			if (folded.failed > 0)
				log_failure(relid, folded.error);
		}
	}
	commit();
	sum->deltas += folded.deltas;
	sum->failed += folded.failed;
	return more;
}

/*
 * Fold what a target has in a store; true where that came to something, or
 * may do so soon.  What is buffered does not stay there, but for single deltas
 * of rows that are locked, so only errors are a reason for a pause.
 */
static bool
fold_store(Oid relid, MSStore store)
{
	Trouble    *trouble = find_trouble(relid, store);
	int64		after = PG_INT64_MIN;
	MSFolded	sum = {0};

	if (trouble != NULL && GetCurrentTimestamp() < trouble->until)
		return trouble->locked;
	PG_TRY();
	{
		while (fold_batch(relid, store, &after, &sum))
			CHECK_FOR_INTERRUPTS();
		if (store == MS_STORE_BUFFERED)
			vacuum_due += sum.deltas + sum.failed;
		if (store == MS_STORE_BUFFERED || sum.deltas > 0)
			resume_store(relid, store);
		else
			pause_store(relid, store, sum.failed == 0);
	}
	PG_CATCH();
	{
		recover();
		pause_store(relid, store, false);
	}
	PG_END_TRY();
	return sum.deltas > 0 || (store == MS_STORE_SPILLED && sum.failed == 0);
}

static Oid
next_target(MSStore store, Oid relid)
{
	begin();
	relid = ms_spill_next_target(store, relid, GetActiveSnapshot());
	commit();
	return relid;
}

/* Fold all that there is; true where that came to something. */
static bool
fold_everything(void)
{
	bool		busy = false;

	for (int store = 0; store < MS_STORES; store++)
	{
		Oid			relid = InvalidOid;

		while (!unwanted && OidIsValid(relid = next_target(store, relid)))
			busy |= fold_store(relid, store);
	}
	return busy;
}

/* Is anything buffered, be it by a transaction that is not over? */
static bool
anything_buffered(void)
{
	Relation	buffered;
	TupleTableSlot *slot;
	TableScanDesc scan;
	SnapshotData dirty;
	bool		found;

	begin();
	InitDirtySnapshot(dirty);
	buffered = ms_spill_open(MS_STORE_BUFFERED, AccessShareLock);
	slot = table_slot_create(buffered, NULL);
	scan = table_beginscan(buffered, &dirty, 0, NULL, SO_NONE);
	found = table_scan_getnextslot(scan, ForwardScanDirection, slot);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(buffered, AccessShareLock);
	commit();
	return found;
}

/*
 * VACUUM the buffer, with all rights to wait for nobody.  At leisure, that
 * gives back what is empty at the table's end: every page, so none may keep a
 * dead row for the sake of the index.
 */
static void
vacuum_buffer(bool at_leisure)
{
	const char *sql = at_leisure ?
		"VACUUM (SKIP_LOCKED, INDEX_CLEANUP TRUE) missing_symbol.buffered" :
		"VACUUM (SKIP_LOCKED, TRUNCATE FALSE) missing_symbol.buffered";
	PlannedStmt *stmt;

	vacuum_due = 0;
	MemoryContextReset(PortalContext);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();

	/* VACUUM has transactions of its own */
	MemoryContextSwitchTo(PortalContext);
	stmt = makeNode(PlannedStmt);
	stmt->commandType = CMD_UTILITY;
	stmt->utilityStmt = linitial_node(RawStmt, pg_parse_query(sql))->stmt;
	ProcessUtility(stmt, sql, false, PROCESS_UTILITY_TOPLEVEL, NULL, NULL,
				   None_Receiver, NULL);
	CommitTransactionCommand();
	MemoryContextSwitchTo(worker_cxt);
}

/*
 * Give back the buffer's room; true when that is done, or not to be done
 * because others can see what was deleted.
 */
static bool
give_back_room(void)
{
	Relation	buffered;

	if (room_tries == 0)
		return true;
	room_tries--;
	vacuum_buffer(true);
	begin();
	buffered = ms_spill_open(MS_STORE_BUFFERED, AccessShareLock);
	if (RelationGetNumberOfBlocks(buffered) == 0)
		room_tries = 0;
	table_close(buffered, AccessShareLock);
	commit();
	return room_tries == 0;
}

/* One round of work; true where there was some, or there is some left. */
static bool
work(void)
{
	bool		busy;

	pgstat_report_activity(STATE_RUNNING, "folding");
	busy = fold_everything();
	if (vacuum_due > 0)
		room_tries = ROOM_TRIES;
	if (vacuum_due >= VACUUM_DELTAS)
		vacuum_buffer(false);
	busy = busy || anything_buffered();
	pgstat_report_activity(STATE_IDLE, NULL);
	return busy;
}

/* Give the lock back, and see whether that was right. */
static bool
may_leave(void)
{
	release_worker_lock(true);
	return !anything_buffered() || !get_worker_lock(true);
}

static void
nap(long ms)
{
	(void) WaitLatch(MyLatch,
					 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/* Sleep until there may be something to do. */
static void
sleep_until(TimestampTz next)
{
	nap(Min(TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next),
			LOOK_MS));
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

/* Work, and sleep, once; false when it is time to go. */
static bool
live(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!is_wanted())
		return false;
	if (now >= next_round)
	{
		next_round = TimestampTzPlusMilliseconds(now, ms_flush_interval);
		if (work())
			last_busy = now;
		else if (TimestampDifferenceExceeds(last_busy, now, ms_worker_idle))
		{
			if (!give_back_room())
				last_busy = now;
			else if (may_leave())
				return false;
		}
	}
	sleep_until(next_round);
	return true;
}

/* What the database or the role may have set, and a worker must not have. */
static void
set_settings(void)
{
	static const char *const settings[][2] = {
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_deferrable", "off"},
		{"statement_timeout", "0"},
		{"transaction_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"lock_timeout", "1s"}	/* of what triggers wait for */
	};

	for (int i = 0; i < lengthof(settings); i++)
	{
		/* not every version has all of them */
		if (GetConfigOption(settings[i][0], true, false) != NULL)
			SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET,
							PGC_S_OVERRIDE);
	}
}

void
ms_worker_main(Datum arg)
{
	volatile bool alive = true;
	volatile bool failed;

	am_worker = true;
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg),
											  InvalidOid, 0);
	worker_cxt = AllocSetContextCreate(TopMemoryContext,
									   "missing_symbol worker",
									   ALLOCSET_DEFAULT_SIZES);
	PortalContext = AllocSetContextCreate(TopMemoryContext,
										  "missing_symbol worker portal",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(worker_cxt);
	set_settings();
	last_busy = GetCurrentTimestamp();
	pgstat_report_activity(STATE_IDLE, NULL);

	/* another may have been started at the same moment */
	if (!get_worker_lock(true))
		proc_exit(0);
	while (alive)
	{
		failed = false;
		PG_TRY();
		{
			alive = live();
		}
		PG_CATCH();
		{
			recover();
			failed = true;
		}
		PG_END_TRY();
		if (failed)
			nap(LOOK_MS);
	}
	proc_exit(0);
}
