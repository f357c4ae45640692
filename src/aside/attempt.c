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
 * timeout of his.  An SQLSTATE does not tell: any user's code can raise any of
 * them, by PL/pgSQL, through a foreign server, or by what makes core fail with
 * an internal error, out of memory or out of disk space.  So only what core
 * raises at an interrupt counts as one, and whatever else is raised is the
 * delta's, but for what says that it would have had to wait.
 *
 * A step whose time is limited is cancelled after it, as if by the user, and
 * again and again while it goes on, since user code can catch that.  Then the
 * process ends, a worker or the caller's session: what catches everything must
 * not keep it.
 *
 * The cancels of others come as signals, and so do core's timeouts; ours does
 * not.  So a handler of that signal, which passes it on to the one before it,
 * knows theirs from ours.  One of theirs ends everything, even where code of the
 * table has caught it: then it is raised again at the end of the step.  Core's
 * lock_timeout alone is no such cancel, because it is ours (fold.c).
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

#include "compat.h"
#include "aside/aside_internal.h"

/* the process ends when code has gone on after so many cancels */
#define MOST_CANCELS	2

/* core signals its process group, and then itself */
#define LOCK_TIMEOUT_SIGNALS	2

static TimeoutId limit_id = MAX_TIMEOUTS;	/* not registered yet */
static int	limit_ms = 0;
static bool limited = false;

/* since the limit began: our cancels; one of others, not raised yet by us */
static volatile sig_atomic_t cancels = 0;
static volatile sig_atomic_t others_cancel = false;

/* the latest lock_timeout that signals have come from, and how many */
static TimestampTz lock_timeout = 0;
static int	lock_timeout_signals = 0;

/* what cancels without us: core's handler, or a library's that calls core's */
static struct sigaction others_handler;

static void
pass_on(int signo, siginfo_t *info, void *context)
{
	if (others_handler.sa_flags & SA_SIGINFO)
		others_handler.sa_sigaction(signo, info, context);
	else if (others_handler.sa_handler != SIG_IGN &&
			 others_handler.sa_handler != SIG_DFL)
		others_handler.sa_handler(signo);
}

/* In a signal handler: cancel what is running, and come back. */
static void
limit_handler(void)
{
	static siginfo_t nobody;

	cancels++;
	if (cancels > MOST_CANCELS)
		(void) kill(MyProcPid, SIGTERM);
	else
		pass_on(SIGINT, &nobody, NULL);
	enable_timeout_after(limit_id, limit_ms);
}

/* Is a signal of the lock_timeout that is over? */
static bool
is_lock_timeout(void)
{
	TimestampTz latest = get_timeout_finish_time(LOCK_TIMEOUT);

	if (!get_timeout_indicator(LOCK_TIMEOUT, false))
		return false;
	if (latest != lock_timeout)
		lock_timeout_signals = 0;
	lock_timeout = latest;
	return ++lock_timeout_signals <= LOCK_TIMEOUT_SIGNALS;
}

/* A cancel of others, or a timeout of core's, of which one is no cancel. */
static void
cancel_handler(int signo, siginfo_t *info, void *context)
{
	int			save_errno = errno;

	if (!is_lock_timeout())
		others_cancel = true;
	pass_on(signo, info, context);
	errno = save_errno;
}

/* Hear of cancels from now on, before those who have heard of them so far. */
static void
listen_to_cancels(void)
{
	struct sigaction ours = {0};

	ours.sa_sigaction = cancel_handler;
	sigemptyset(&ours.sa_mask);
	ours.sa_flags = SA_RESTART | SA_SIGINFO;

	/* in this order: one that comes meanwhile is passed on */
	if (sigaction(SIGINT, NULL, &others_handler) != 0 ||
		sigaction(SIGINT, &ours, NULL) != 0)
		elog(ERROR, "could not install a signal handler: %m");
}

/*
 * No cancel of ours may come later, be it one that was not noticed; one of
 * others must, unless it has been answered.
 */
static void
stop_clock(void)
{
	if (!limited)
		return;
	disable_timeout(limit_id, false);
	limited = false;

	/* in this order: one that comes meanwhile is not missed */
	if (cancels > 0)
		QueryCancelPending = false;
	if (others_cancel)
		InterruptPending = QueryCancelPending = true;
}

/* From now on there is so much time; 0: no limit. */
void
ms_limit_start(int ms)
{
	if (ms == 0)
		return;
	if (limit_id == MAX_TIMEOUTS)
	{
		listen_to_cancels();
		limit_id = RegisterTimeout(USER_TIMEOUT, limit_handler);
	}
	stop_clock();
	cancels = 0;

	/* in this order: as above */
	others_cancel = false;
	if (QueryCancelPending)
		others_cancel = true;
	limited = true;
	limit_ms = ms;
	enable_timeout_after(limit_id, limit_ms);
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

/* Does the time of a step run? */
bool
ms_is_limited(void)
{
	return limited;
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
		if (edata->sqlerrcode == ERRCODE_QUERY_CANCELED &&
			cancels > 0 && !others_cancel)
			return MS_STAYS;
		if (edata->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			return MS_ENDS_ALL;

		/* a function may have set the timeout, which is not set any more */
		if (waits && LockTimeout > 0)
			return MS_ENDS_ALL;
	}
	else if (is_raised(edata) ||
			 (ERRCODE_TO_CATEGORY(edata->sqlerrcode) != ERRCODE_TRANSACTION_ROLLBACK &&
			  edata->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE))
		return MS_FAILED;
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

		MemoryContextSwitchTo(oldcxt);
		edata = CopyErrorData();
		FlushErrorState();
		result = judge(edata, waits);
		if (result == MS_ENDS_ALL)
			others_cancel = false;
		stop_clock();

		/* whoever catches it expects the subtransaction that he left */
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcxt);
		CurrentResourceOwner = oldowner;
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
