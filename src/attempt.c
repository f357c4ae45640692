/*-------------------------------------------------------------------------
 *
 * attempt.c
 *	  Steps that may fail: each in a subtransaction, and for a limited time.
 *
 * Merging what is set aside runs code of many users, in one transaction of
 * somebody else, or in a worker.  What goes wrong there has consequences of
 * four sizes: the delta is kept with its error; it stays as it was, because it
 * would have had to wait; the merging of its table ends; the caller's command
 * ends.  The last is for what the caller himself has asked for, a cancel or a
 * timeout of his.  An SQLSTATE alone does not tell: any user's code can raise
 * any of them, by PL/pgSQL or through a foreign server.  So only what core
 * raises at an interrupt counts as one.
 *
 * A step whose time is limited is cancelled after it, as if by the user, and
 * again and again while it goes on, since user code can catch that.  Then the
 * process ends, a worker or the caller's session: what catches everything must
 * not keep it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/resowner.h"
#include "utils/timeout.h"

#include "missing_symbol.h"

/* the process ends when code has gone on after so many cancels */
#define MOST_CANCELS	2

static TimeoutId limit_id = MAX_TIMEOUTS;	/* not registered yet */
static int	limit_ms = 0;
static volatile sig_atomic_t cancels = 0;	/* of the step under way */

/* In a signal handler: cancel what is running, and come back. */
static void
limit_handler(void)
{
	cancels++;
	(void) kill(MyProcPid,
				cancels > MOST_CANCELS ? SIGTERM : SIGINT);
	enable_timeout_after(limit_id, limit_ms);
}

/* From now on there is so much time; 0: no limit. */
void
ms_limit_start(int ms)
{
	if (ms == 0)
		return;
	limit_ms = ms;
	if (limit_id == MAX_TIMEOUTS)
		limit_id = RegisterTimeout(USER_TIMEOUT, limit_handler);
	cancels = 0;
	enable_timeout_after(limit_id, limit_ms);
}

/* No cancel of ours may come later, be it one that was not noticed. */
static void
stop_clock(void)
{
	if (limit_id == MAX_TIMEOUTS)
		return;
	disable_timeout(limit_id, false);
	if (cancels > 0)
		QueryCancelPending = false;
}

/* There is no limit any more; was it exceeded? */
bool
ms_limit_end(void)
{
	bool		exceeded = cancels > 0;

	stop_clock();
	cancels = 0;
	return exceeded;
}

/*
 * Did a function raise an error by itself, whatever its SQLSTATE says?
 * Procedural languages have message catalogs of their own.
 */
static bool
is_raised(const ErrorData *edata)
{
	return edata->domain != NULL &&
		strncmp(edata->domain, "postgres", strlen("postgres")) != 0;
}

/* Was it the answer to a signal: a cancel or a timeout? */
static bool
is_interrupt(const ErrorData *edata)
{
	return edata->funcname != NULL &&
		strcmp(edata->funcname, "ProcessInterrupts") == 0;
}

/* What becomes of a step after an error; waits: it may wait for locks. */
static MSAttempt
judge(const ErrorData *edata, bool waits)
{
	if (is_interrupt(edata))
	{
		if (edata->sqlerrcode == ERRCODE_QUERY_CANCELED && cancels > 0)
			return MS_STAYS;
		if (edata->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			return MS_ENDS_ALL;

		/* a function may have set the timeout, which is not set any more */
		if (waits && LockTimeout > 0)
			return MS_ENDS_ALL;
		return waits ? MS_ENDS_FOLD : MS_STAYS;
	}
	if (is_raised(edata))
		return MS_FAILED;
	switch (ERRCODE_TO_CATEGORY(edata->sqlerrcode))
	{
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return MS_ENDS_FOLD;
		case ERRCODE_TRANSACTION_ROLLBACK:
			if (edata->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE &&
				IsolationUsesXactSnapshot())
				return MS_ENDS_ALL;
			break;
		default:
			if (edata->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
				return MS_FAILED;
	}
	return waits ? MS_ENDS_FOLD : MS_STAYS;
}

/*
 * Do something in a subtransaction.  On an error undo it, and say with what
 * consequence, with the error's text; passes and what is above it is passed on
 * to the caller.
 */
MSAttempt
ms_attempt(void (*step) (void *arg), void *arg, bool waits, MSAttempt passes,
		   char **error)
{
	MemoryContext oldcxt = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	volatile MSAttempt result = MS_DONE;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcxt);
	PG_TRY();
	{
		step(arg);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcxt);
		CurrentResourceOwner = oldowner;
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		stop_clock();
		MemoryContextSwitchTo(oldcxt);
		edata = CopyErrorData();
		FlushErrorState();

		/* whoever catches it expects the subtransaction that he left */
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcxt);
		CurrentResourceOwner = oldowner;
		result = judge(edata, waits);
		if (result >= passes)
		{
			cancels = 0;
			ReThrowError(edata);
		}
		*error = psprintf("%s: %s", unpack_sql_state(edata->sqlerrcode),
						  edata->message);
	}
	PG_END_TRY();
	return result;
}

/* The same where an error that is not about what was done goes through. */
bool
ms_try(void (*step) (void *arg), void *arg, char **error)
{
	return ms_attempt(step, arg, false, MS_ENDS_FOLD, error) == MS_DONE;
}
