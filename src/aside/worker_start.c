/*-------------------------------------------------------------------------
 *
 * worker_start.c
 *	  Is there a worker?  Who buffers starts one where there is none.
 *
 * One for each database that has something buffered, started by whoever
 * buffers and finds none.  It needs no shared memory of ours: the worker holds
 * a lock on our schema for as long as it lives, and who can get that lock
 * knows that there is none.  It is an object lock of a number that core does
 * not use, not an advisory one, which any trigger could release.
 *
 * Nothing is left behind by a worker that goes: who buffers appends first and
 * then looks for the lock; the worker gives the lock back first and then looks
 * whether anything was appended, be it in a transaction that is not over.  Who
 * has found a worker does not look again for a while (KNOWN_MS), which is
 * shorter than the time that a worker has nothing to do before it goes.  (One
 * that is terminated goes at once: what is left then waits for the next to
 * buffer, for fold() or flush().)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/lock.h"
#include "utils/guc.h"

#include "compat.h"
#include "aside/aside_internal.h"
#include "figures/figures.h"
#include "table/table.h"
#include "target/acting.h"
#include "target/target.h"

bool		ms_worker = true;

/* the number of the worker's lock on our schema; view buffer_stats has it */
#define WORKER_LOCK	5

/* who has looked for a worker does not look again for so long ... */
#define KNOWN_MS	500

/* ... or for so long, if none could be started, having tried so often */
#define REFUSED_MS	5000
#define START_TRIES	20
#define START_NAP_MS	10

/* what the session knows of the worker */
static Oid	known_schema = InvalidOid;
static int64 known_at;
static bool worker_refused = false;	/* none could be started, at last */

/*
 * The lock
 */

static void
worker_tag(LOCKTAG *tag, Oid schema)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, NamespaceRelationId, schema,
					   WORKER_LOCK);
}

/*
 * Get the lock, for the life of the worker; or for a moment, in a mode in which
 * nobody takes another who looks for the worker.
 */
static LOCKMODE
lock_mode(bool session)
{
	return session ? ExclusiveLock : ShareLock;
}

bool
ms_worker_lock(Oid schema, bool session)
{
	LOCKTAG		tag;

	worker_tag(&tag, schema);
	return LockAcquire(&tag, lock_mode(session), session,
					   true) != LOCKACQUIRE_NOT_AVAIL;
}

void
ms_worker_unlock(Oid schema, bool session)
{
	LOCKTAG		tag;

	worker_tag(&tag, schema);
	(void) LockRelease(&tag, lock_mode(session), session);
}

/*
 * In a session that buffers
 */

/* Start a worker; false where the server has no room for one, or is alone. */
bool
ms_worker_start(const Oid *killers)
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
	if (killers != NULL)
		memcpy(worker.bgw_extra, killers, sizeof(Oid) * MS_KILLERS);
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

/* Is what this session knows of the worker old? */
static bool
is_forgotten(void)
{
	return known_schema == InvalidOid ||
		ms_now_ms() - known_at > (worker_refused ? REFUSED_MS : KNOWN_MS);
}

static void
log_no_worker(void)
{
	static bool logged = false;

	if (logged)
		return;
	logged = true;
	ereport(LOG_SERVER_ONLY,
			(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("no worker could be started to merge increments"),
			 errdetail("Increments that should be buffered are applied at the commit."),
			 errhint("Raise max_worker_processes.")));
}

/*
 * Is there a worker, or could one be started?  Where many find at once that
 * there is none, they take all room for a moment, until one of theirs has the
 * lock.
 */
static bool
find_or_start_worker(Oid schema)
{
	for (int i = 0; i < START_TRIES; i++)
	{
		if (i > 0)
		{
			CHECK_FOR_INTERRUPTS();
			pg_usleep(START_NAP_MS * 1000L);
		}
		if (!ms_worker_lock(schema, false))
			return true;
		ms_worker_unlock(schema, false);
		if (ms_worker_start(NULL))
			return true;
	}
	log_no_worker();
	return false;
}

void
ms_worker_wake(void)
{
	Oid			schema;

	if (ms_in_worker || !ms_worker)
		return;
	schema = ms_schema();
	if (schema == known_schema && !is_forgotten())
		return;
	worker_refused = !find_or_start_worker(schema);
	known_schema = schema;
	known_at = ms_now_ms();
}

/* It is asked for each increment: the schema is looked at when appending. */
bool
ms_worker_possible(void)
{
	if (ms_in_worker || !ms_worker || RecoveryInProgress())
		return true;
	if (is_forgotten())
		ms_worker_wake();
	return !worker_refused;
}

void
ms_worker_start_init(void)
{
	DefineCustomBoolVariable("missing_symbol.worker",
							 "Starts a background worker that merges what is buffered.",
							 "One for each database that buffers. Without it "
							 "fold() has to be called now and then.",
							 &ms_worker,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	/* for view buffer_stats, which must work with any library */
	DefineCustomBoolVariable("missing_symbol.worker_refused",
							 "Shows whether this session could not start a worker, when it last tried.",
							 NULL,
							 &worker_refused,
							 false,
							 PGC_INTERNAL,
							 GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE |
							 GUC_DISALLOW_IN_FILE,
							 NULL, NULL, NULL);
}
