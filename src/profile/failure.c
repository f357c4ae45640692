/*-------------------------------------------------------------------------
 *
 * failure.c
 *	  Ends of transactions, and the failures that no other hook sees.
 *
 * An error while a statement is parsed, analysed or bound, in an aborted
 * transaction, or at COMMIT reaches us as the server reports it.  There is
 * no lock, palloc, ereport or catalog here, only memory that exists: other
 * profilers that did more have recursed.  Where log_min_messages is above
 * error the server does not ask.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "figures/figures.h"
#include "profile/level_internal.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "profile/statement_internal.h"
#include "shape/shape.h"

static emit_log_hook_type prev_emit_log = NULL;
static int64 commit_from_ns = 0;
static uint32 commit_generation;	/* of the profile */

/*
 * Ends of transactions
 */

/* what it took from PRE_COMMIT on, where that was measured */
static pg_noinline int64
take_commit_ns(MSXactEnd end)
{
	int64		from_ns = commit_from_ns;

	commit_from_ns = 0;
	return end == MS_XACT_COMMITTED &&
		commit_generation == ms_profile.generation ?
		ms_now_ns() - from_ns : 0;
}

static inline void
xact_over(MSXactEnd end)
{
	int64		commit_ns = 0;

	/* a COMMIT inside a statement does not end the statement */
	if (ms_hooks.at.level == 0)
		ms_hooks.blame = MS_BLAME_TEXT;
	if (!ms_profile.ready)
		return;
	if (unlikely(commit_from_ns != 0))
		commit_ns = take_commit_ns(end);
	ms_profile_xact_end(end, commit_ns);
}

static pg_noinline void
pre_commit(void)
{
	/* the deferred triggers are through */
	if (ms_hooks.at.level == 0 && ms_hooks.blame == MS_BLAME_LATEST)
		ms_hooks.blame = MS_BLAME_END;
	if (ms_profiling != MS_TRACK_OFF &&
		TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		commit_from_ns = ms_now_ns();
		commit_generation = ms_profile.generation;
	}
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT)
		pre_commit();
	else if (event == XACT_EVENT_COMMIT)
		xact_over(MS_XACT_COMMITTED);
	else if (event == XACT_EVENT_ABORT)
		xact_over(MS_XACT_ABORTED);
	else if (event == XACT_EVENT_PREPARE)
		xact_over(MS_XACT_PREPARED);
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid,
				 SubTransactionId parentSubid, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && ms_profile.ready)
		ms_profile_subxact_abort(mySubid);
}

/*
 * Failures that no other hook sees: parse, analysis, bind, an aborted
 * transaction, COMMIT.
 */

/* has the latest top-level statement failed after it was through? */
static bool
latest_has_failed(void)
{
	const char *text = debug_query_string;
	Portal		portal;

	if (ms_hooks.blame == MS_BLAME_END)
		return true;
	if (ms_hooks.blame != MS_BLAME_LATEST)
		return false;

	/* while its result was sent */
	portal = GetPortalByName(ms_hooks.latest.name);
	if (PortalIsValid(portal) && portal == ms_hooks.latest.portal &&
		portal->status == PORTAL_FAILED)
		return true;

	/*
	 * At the end of its transaction, by its own message or by Sync: deferred
	 * triggers have a snapshot, what is wrong with a message has none.
	 */
	if (text == NULL)
		return !IsTransactionBlock() && ActiveSnapshotSet();
	if (ms_hooks.latest.source != text ||
		ms_hooks.latest.message != GetCurrentStatementStartTimestamp())
		return false;
	return !IsTransactionBlock() || text[ms_next_location(text)] == '\0';
}

/*
 * Which statement has failed, from there on: the one that the error points
 * into, else the first.
 */
static void
find_failing(MSText *text, ErrorData *edata)
{
	const char *source = text->source;
	int			at = edata->cursorpos <= 0 ? 0 :
		pg_mbcharcliplen(source, strlen(source), edata->cursorpos - 1);

	for (;;)
	{
		int			end;

		text->len = ms_first_statement(source + text->location);
		end = text->location + text->len;
		if (end >= at || source[end] == '\0')
			break;
		text->location = end + 1;
	}
}

static void
list_error(ErrorData *edata)
{
	MSText		text = {debug_query_string, 0, 0, NULL};

	if (latest_has_failed())
	{
		MSRecord   *r = ms_profile_record(ms_profile.last_top);

		if (r != NULL && !ms_exec_fail(ms_profile.last_top, edata->sqlerrcode))
			ms_record_fail(r, edata->sqlerrcode);
		return;
	}
	if (text.source == NULL || ms_in_flight_message())
		return;

	/*
	 * A syntax error is one of the whole string: nothing of it has run.
	 * Analysis calls some of its errors so, too, but has a snapshot; one that
	 * is left of a transaction that has failed is not its.
	 */
	text.location = ms_next_location(text.source);
	if (text.location > 0 || edata->sqlerrcode != ERRCODE_SYNTAX_ERROR ||
		(ActiveSnapshotSet() && !IsAbortedTransactionBlockState()))
		find_failing(&text, edata);
	ms_list_failure(&text, 0, CMD_UNKNOWN, 0, edata->sqlerrcode);
}

static void
ms_emit_log(ErrorData *edata)
{
	/* what is reported inside of a statement is not what ends it */
	if (edata->elevel == ERROR && ms_hooks.at.level == 0 &&
		ms_profiling != MS_TRACK_OFF && ms_profile.ready)
	{
		if (ms_hooks.blame != MS_BLAME_NONE)
			list_error(edata);
		ms_hooks.blame = MS_BLAME_TEXT;
	}
	if (prev_emit_log)
		prev_emit_log(edata);
}

/* allocates */
void
ms_failure_register(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

void
ms_failure_install(void)
{
	prev_emit_log = emit_log_hook;
	emit_log_hook = ms_emit_log;
}
