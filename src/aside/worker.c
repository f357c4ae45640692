/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker that folds what is buffered or spilled.
 *
 * One for each database that has something buffered, started by whoever
 * buffers and finds none (worker_start.c).
 *
 * It connects as the bootstrap superuser and folds as the roles that counted,
 * in security-restricted operations (fold.c).  Deferrable constraints are
 * checked at once: what they queue must not run as the superuser at the
 * commit.  A batch is a transaction; a target is not waited for, nor a row.
 * What fails is in spilled with its error, and tried again after a while; the
 * log tells of it once.
 *
 * No user's code may keep it from the tables of others.  It works at a table
 * for SLICE_MS at a time, and its code has KEY_MS for a key (attempt.c).  Who
 * has exceeded that comes last from then on, with all the tables of his, after
 * growing pauses, and one in each round; so does who merges little in all the
 * time that his tables take (backlog.c).  Code that cannot be cancelled ends
 * the worker: it has a successor that knows of it.  Advisory locks that such
 * code may have left in the session go after each batch.
 *
 * It goes when there has been nothing to do for worker_idle, and at once when
 * somebody wants to drop the database or use it as a template: these wait for
 * all others to leave, while they hold a lock on the database that shows.
 * When the extension is dropped, too; one that is created then has a schema,
 * and thus a worker, of its own.
 *
 * Tokens that have expired are deleted, too, once in a while.
 *
 * All times are of a clock that nobody sets, but those of tokens.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
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
#include "utils/syscache.h"

#include "compat.h"
#include "aside/aside.h"
#include "aside/aside_internal.h"
#include "figures/figures.h"
#include "target/acting.h"
#include "target/stored.h"
#include "tokens/tokens.h"

static int	flush_rows = 10000;
static int	worker_idle = 5000; /* ms */

/* the worker looks so often whether it is in the way */
#define LOOK_MS		1000

/* it takes the lock again so often, if somebody just looks for a worker */
#define LOCK_TRIES	10

/* deltas that are deleted from the buffer between two VACUUMs of it */
#define VACUUM_DELTAS	20000

/* VACUUMs that give room back before it goes, where others see the rows yet */
#define ROOM_TRIES	5

/* for a table at a time; code of a table for a key */
#define SLICE_MS		500
#define KEY_MS			500

/* for all those of a round that may take long, but for the one under way */
#define TURN_MS			250

/*
 * Blocks of tokens for a transaction; how often all of them are looked at while
 * a token is known, at the most, and ms between that, at the most
 */
#define EXPIRE_BLOCKS	64
#define EXPIRE_TIMES	100
#define EXPIRE_MOST_MS	(3600 * 1000)

/* of the worker's process */
static Oid	worker_schema;
static bool unwanted = false;	/* somebody wants to be alone in the database */
static MemoryContext worker_cxt;
static Oid	killers[MS_KILLERS];	/* the latest first; 0: no more */
static Oid	running = InvalidOid;	/* the table whose code may run */
static char running_name[NAMEDATALEN];
static int64 vacuum_due = 0;	/* deltas deleted since the last VACUUM */
static int	room_tries = 0;		/* to give back the room of what was deleted */
static int64 round_number = 0;
static bool left_over = false;	/* more to do than time in this round */
static int64 next_round = 0;
static int64 last_busy;
static MSExpiry expiry;
static int64 expiry_due = 0;

PGDLLEXPORT void ms_worker_main(Datum arg);

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

/* Locks that code of users may have left in the session go, too. */
static void
clean_session(void)
{
	running = InvalidOid;
	LockReleaseSession(USER_LOCKMETHOD);
}

static void
commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(worker_cxt);
	clean_session();

	/* now and then; autovacuum looks at these, too */
	(void) pgstat_report_stat(false);
}

static void
nap(long ms)
{
	(void) WaitLatch(MyLatch,
					 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/*
 * Take the lock for good.  Somebody may have it for a moment, to look whether
 * there is a worker; or another worker has it.
 */
static bool
keep_worker_lock(void)
{
	for (int i = 0; i < LOCK_TRIES; i++)
	{
		if (ms_worker_lock(worker_schema, true))
			return true;
		nap(1);
	}
	return false;
}

/*
 * After an error: report it, and be ready for the next transaction.  An abort
 * releases the worker's lock.
 */
static void
recover(void)
{
	HOLD_INTERRUPTS();
	EmitErrorReport();
	AbortOutOfAnyTransaction();
	MemoryContextSwitchTo(worker_cxt);
	FlushErrorState();
	clean_session();
	RESUME_INTERRUPTS();
	if (!keep_worker_lock())
		proc_exit(0);
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
		get_namespace_oid("missing_symbol", true) == worker_schema &&
		OidIsValid(get_relname_relid("buffered", worker_schema));
	commit();
	return wanted;
}

/*
 * Code that ends a worker
 */

/*
 * At the end of the process, after an abort.  Outside of transactions core
 * releases no lock of this kind.  And where code of a table has been the end,
 * because it could not be cancelled, there must be another worker, which
 * knows.
 */
static void
leave(int code, Datum arg)
{
	LockReleaseAll(DEFAULT_LOCKMETHOD, true);
	if (!OidIsValid(running))
		return;
	memmove(&killers[1], killers, sizeof(killers) - sizeof(Oid));
	killers[0] = running;
	ereport(LOG,
			(errmsg("could not merge increments of table \"%s\"",
					running_name),
			 errdetail("The worker was terminated while code of the table may have run; code that goes on after a cancel causes that."),
			 errhint("They are kept in missing_symbol.spilled, where errors are shown, or missing_symbol.buffered, and are tried again; missing_symbol.discard() and discard_all() throw away what can never be merged.")));
	(void) ms_worker_start(killers);
}

/* Begin with what the predecessor has told. */
static void
inherit(void)
{
	memcpy(killers, MyBgworkerEntry->bgw_extra, sizeof(killers));
	for (int i = 0; i < MS_KILLERS && OidIsValid(killers[i]); i++)
	{
		HeapTuple	tuple = SearchSysCache1(RELOID,
											ObjectIdGetDatum(killers[i]));

		if (!HeapTupleIsValid(tuple))
			continue;
		for (int store = 0; store < MS_STORES; store++)
		{
			MSBacklog  *backlog = ms_backlog_get(killers[i], store,
										  ((Form_pg_class) GETSTRUCT(tuple))->relowner);

			backlog->slow = true;
			backlog->one_by_one = true;
			ms_backlog_pause(backlog, false);
		}
		ReleaseSysCache(tuple);
	}
}

/*
 * Folding
 */

/*
 * Fold a batch of what a target has in a store; false where that was the last
 * of it, or where the table is not to be had.
 */
static bool
fold_batch(MSBacklog *backlog, int64 deadline, MSFolded *sum)
{
	MSFoldTerms terms = {0};
	MSFolded	folded = {0};
	bool		more = false;

	terms.limit = KEY_MS;
	terms.deadline = deadline;
	terms.one_by_one = backlog->one_by_one;
	terms.hurry = backlog->hurry;
	begin();
	unwanted = is_in_the_way();
	if (!unwanted && ConditionalLockRelationOid(backlog->relid, RowExclusiveLock))
	{
		char	   *name = get_rel_name(backlog->relid);

		if (name == NULL)
			ms_spill_forget(backlog->relid);
		else
		{
			running = backlog->relid;
			strlcpy(running_name, name, NAMEDATALEN);
			more = ms_fold_some(backlog->relid, backlog->store, &terms,
								&backlog->after, flush_rows, &folded);
			if (folded.failed > 0 || folded.overdue || folded.ended)
				ms_backlog_log_failure(backlog, name, folded.error);
		}
	}
	commit();
	sum->deltas += folded.deltas;
	sum->failed += folded.failed;
	sum->waiting += folded.waiting;
	sum->overdue |= folded.overdue;
	sum->cut |= folded.cut;
	sum->ended |= folded.ended;
	return more;
}

/*
 * Fold what a target has in a store, for a slice of time; true where that came
 * to something, or may do so soon.  What is buffered does not stay there, but
 * for single deltas of rows that are locked, so only errors are a reason for a
 * pause.
 */
static bool
fold_store(MSBacklog *backlog)
{
	int64		began = ms_now_ms();
	int64		deadline = ms_now_ns() + SLICE_MS * INT64CONST(1000000);
	MSFolded	sum = {0};

	PG_TRY();
	{
		while (fold_batch(backlog, deadline, &sum))
			CHECK_FOR_INTERRUPTS();
		if (backlog->store == MS_STORE_BUFFERED)
			vacuum_due += sum.deltas + sum.failed;
		ms_backlog_served(backlog, round_number, began, &sum);
		left_over |= ms_backlog_judge(backlog, &sum);
	}
	PG_CATCH();
	{
		recover();
		ms_backlog_served(backlog, round_number, began, &sum);
		ms_backlog_pause(backlog, false);
	}
	PG_END_TRY();
	return sum.deltas > 0 ||
		(backlog->store == MS_STORE_SPILLED && sum.failed == 0 && !sum.ended);
}

/* The next target behind one that has something in a store; NULL: none. */
static MSBacklog *
next_backlog(MSStore store, Oid relid)
{
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	begin();
	relid = ms_spill_next_target(store, relid, GetActiveSnapshot());
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	commit();
	return OidIsValid(relid) ? ms_backlog_get(relid, store, owner) : NULL;
}

/* Fold what a target has, when it is not to be left alone. */
static bool
fold_backlog(MSBacklog *backlog)
{
	bool		busy;

	if (ms_now_ms() < backlog->until)
		return backlog->locked;
	busy = fold_store(backlog);
	if (!OidIsValid(backlog->owner))
		ms_backlog_forget(backlog);
	return busy;
}

/* Fold what is there of the targets that nothing is to be said of. */
static bool
fold_plain(void)
{
	bool		busy = false;

	for (int store = 0; store < MS_STORES; store++)
	{
		Oid			relid = InvalidOid;
		MSBacklog  *backlog;

		while (!unwanted && (backlog = next_backlog(store, relid)) != NULL)
		{
			relid = backlog->relid;
			if (ms_backlog_turn(backlog) == MS_TURN_PLAIN)
				busy |= fold_backlog(backlog);
		}
	}
	return busy;
}

/*
 * The one of those whose turn it is that was served the longest ago, not in
 * this round; NULL: none.
 */
static MSBacklog *
next_of_turn(MSTurn turn, bool *busy)
{
	MSBacklog  *result = NULL;

	for (int store = 0; store < MS_STORES; store++)
	{
		Oid			relid = InvalidOid;
		MSBacklog  *backlog;

		while (!unwanted && (backlog = next_backlog(store, relid)) != NULL)
		{
			relid = backlog->relid;
			if (ms_backlog_turn(backlog) != turn ||
				backlog->round == round_number)
				continue;
			if (ms_now_ms() < backlog->until)
				*busy |= backlog->locked;
			else if (result == NULL || backlog->served < result->served)
				result = backlog;
		}
	}
	return result;
}

/*
 * Fold some of the targets that may take long; true where that came to
 * something.  A slow one is enough.
 */
static bool
fold_turn(MSTurn turn)
{
	int64		end = ms_now_ms() + TURN_MS;
	bool		busy = false;
	MSBacklog  *backlog;

	while ((backlog = next_of_turn(turn, &busy)) != NULL)
	{
		if (ms_now_ms() >= end)
		{
			left_over = true;
			break;
		}
		busy |= fold_store(backlog);
		if (!OidIsValid(backlog->owner))
			ms_backlog_forget(backlog);
		else if (backlog->slow)
			break;
	}
	return busy;
}

/* Fold all that there is; true where that came to something. */
static bool
fold_everything(void)
{
	bool		busy = false;

	left_over = false;
	round_number++;
	busy = fold_plain();
	busy |= fold_turn(MS_TURN_SUSPECT);
	busy |= fold_turn(MS_TURN_SLOW);
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

/* When may a token have expired, of those that were seen?  Not too often. */
static int64
next_expiry(void)
{
	int64		least = ms_token_life() / 1000 / EXPIRE_TIMES;
	int64		next = least;

	if (!TIMESTAMP_NOT_FINITE(expiry.oldest))
		next = (expiry.oldest + ms_token_life() - ms_clock()) / 1000;
	return ms_now_ms() + Min(Max(next, least), EXPIRE_MOST_MS);
}

/*
 * Expire tokens for a slice of time.  A round of all blocks begins anywhere: a
 * worker may not live to see its end.
 */
static void
expire_tokens(void)
{
	static int64 left = 0;		/* blocks of a round */
	int64		end = ms_now_ms() + TURN_MS;

	if (ms_now_ms() < expiry_due)
		return;
	expiry_due = ms_now_ms() + EXPIRE_MOST_MS;	/* after an error */
	do
	{
		begin();
		if (left <= 0)
		{
			left = ms_tokens_blocks();
			expiry.next = (BlockNumber) (ms_random_double() * left);
			expiry.oldest = DT_NOEND;
		}
		if (left > 0)
		{
			BlockNumber from = expiry.next;
			bool		more = ms_tokens_expire(&expiry, EXPIRE_BLOCKS);

			left -= Max(expiry.next - from, 1);
			if (!more)
				expiry.next = 0;
		}
		commit();
	} while (left > 0 && ms_now_ms() < end);
	expiry_due = left > 0 ? 0 : next_expiry();
}

/* One round of work; true where there was some, or there is some left. */
static bool
work(void)
{
	bool		busy;

	pgstat_report_activity(STATE_RUNNING, "folding");
	busy = fold_everything();
	expire_tokens();
	if (vacuum_due > 0)
		room_tries = ROOM_TRIES;
	if (vacuum_due >= VACUUM_DELTAS)
		vacuum_buffer(false);
	(void) pgstat_report_stat(true);
	busy = busy || anything_buffered();
	pgstat_report_activity(STATE_IDLE, NULL);
	return busy;
}

/* Give the lock back, and see whether that was right. */
static bool
may_leave(void)
{
	ms_worker_unlock(worker_schema, true);
	return !anything_buffered() || !keep_worker_lock();
}

/* Sleep until there may be something to do. */
static void
sleep_until(int64 next)
{
	nap(Max(Min(next - ms_now_ms(), LOOK_MS), 0));
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
	int64		now = ms_now_ms();

	if (!is_wanted())
		return false;
	if (now >= next_round)
	{
		next_round = now + ms_flush_interval;
		if (work())
		{
			last_busy = now;
			if (left_over)
				next_round = now;
		}
		else if (now - last_busy > worker_idle)
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
		{"lock_timeout", "1s"}	/* of what is not a target */
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

	ms_in_worker = true;
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
	last_busy = ms_now_ms();
	pgstat_report_activity(STATE_IDLE, NULL);
	on_shmem_exit(leave, (Datum) 0);
	begin();
	worker_schema = get_namespace_oid("missing_symbol", true);
	inherit();
	commit();

	/* another may have been started at the same moment */
	if (!OidIsValid(worker_schema) || !keep_worker_lock())
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

void
ms_worker_init(void)
{
	ms_worker_start_init();

	DefineCustomIntVariable("missing_symbol.flush_interval",
							"Time between two merges of what is buffered.",
							NULL,
							&ms_flush_interval,
							1000,
							10,
							3600 * 1000,
							PGC_SUSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("missing_symbol.flush_rows",
							"Increments that the worker merges in one transaction.",
							NULL,
							&flush_rows,
							10000,
							1,
							10 * 1000 * 1000,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("missing_symbol.worker_idle",
							"Time without work after which the worker leaves.",
							NULL,
							&worker_idle,
							5000,
							1000,
							INT_MAX,
							PGC_SUSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);
}
