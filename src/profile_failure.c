/*-------------------------------------------------------------------------
 *
 * profile_failure.c
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

#include <ctype.h>

#include "access/xact.h"
#include "parser/scansup.h"
#include "tcop/tcopprot.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

static emit_log_hook_type prev_emit_log = NULL;
static int64 commit_from_ns = 0;

/*
 * Ends of transactions
 */

static inline void
xact_over(MSXactEnd end)
{
	int64		commit_ns = 0;

	if (!ms_profile.ready)
		return;
	if (commit_from_ns != 0)
	{
		if (end == MS_XACT_COMMITTED)
			commit_ns = ms_now_ns() - commit_from_ns;
		commit_from_ns = 0;
	}
	ms_hooks.end_pending = false;

	/* a COMMIT inside a statement does not end the statement */
	ms_hooks.latest_in_xact = ms_hooks.level > 0;
	ms_profile_xact_end(end, commit_ns);
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT)
	{
		if (ms_profiling != MS_TRACK_OFF &&
			TransactionIdIsValid(GetTopTransactionIdIfAny()))
			commit_from_ns = ms_now_ns();
	}
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

/* where the statement ends that begins here: at its semicolon */
static int
statement_length(const char *text)
{
	const char *p = text;
	int			parens = 0;

	while (*p)
	{
		if (*p == ';' && parens <= 0)
			break;
		if (*p == '\'' || *p == '"')
		{
			char		quote = *p;
			bool		escapes = quote == '\'' && p > text &&
				(p[-1] == 'e' || p[-1] == 'E');

			for (p++; *p && *p != quote; p++)
				if (escapes && *p == '\\' && p[1])
					p++;
			if (*p == '\0')
				break;
		}
		else if (*p == '-' && p[1] == '-')
			p += strcspn(p, "\n\r");
		else if (*p == '/' && p[1] == '*')
		{
			int			depth = 1;

			for (p += 2; *p && depth > 0; p++)
			{
				if (*p == '/' && p[1] == '*')
					depth++, p++;
				else if (*p == '*' && p[1] == '/')
					depth--, p++;
			}
			continue;
		}
		else if (*p == '$' && !(p > text && (isalnum((unsigned char) p[-1]) ||
											 p[-1] == '_')))
		{
			int			tag = 1;

			while (isalnum((unsigned char) p[tag]) || p[tag] == '_' ||
				   IS_HIGHBIT_SET(p[tag]))
				tag++;
			if (p[tag] == '$' && !isdigit((unsigned char) p[1]))
			{
				const char *close = p + tag + 1;

				while (*close && strncmp(close, p, tag + 1) != 0)
					close++;
				if (*close == '\0')
					return strlen(text);
				p = close + tag;
			}
		}
		else if (*p == '(')
			parens++;
		else if (*p == ')')
			parens--;
		if (*p)
			p++;
	}
	return p - text;
}

/* did the latest top-level statement fail after it had been listed as ok? */
static bool
latest_has_failed(MSRecord *r)
{
	Portal		portal;

	if (r == NULL || r->status == MS_ERROR || !ms_hooks.latest_in_xact)
		return false;

	/* while its result was sent */
	portal = GetPortalByName(ms_hooks.latest.name);
	if (PortalIsValid(portal) && portal == ms_hooks.latest.portal &&
		portal->status == PORTAL_FAILED)
		return true;

	/* at COMMIT: its own, that of its message, or that of Sync */
	if (ms_hooks.end_pending)
		return true;
	return !IsTransactionBlock() &&
		(debug_query_string == NULL ||
		 (ms_hooks.latest.source == debug_query_string &&
		  ms_hooks.latest.message == GetCurrentStatementStartTimestamp()));
}

static void
list_error(int sqlerrcode)
{
	MSRecord   *r = ms_profile_record(ms_profile.last_top);
	const char *text = debug_query_string;
	int			start = 0;

	if (latest_has_failed(r))
	{
		ms_record_fail(r, sqlerrcode);
		return;
	}
	if (text == NULL)
		return;
	if (ms_in_flight_message())
		return;
	if (ms_hooks.latest.source == text && ms_hooks.latest.len > 0 &&
		ms_hooks.latest.message == GetCurrentStatementStartTimestamp())
	{
		start = Max(ms_hooks.latest.location, 0) + ms_hooks.latest.len;
		while (text[start] == ';' || scanner_isspace(text[start]))
			start++;
	}

	/* a syntax error is one of the whole string: nothing of it has run */
	ms_list_failure(text, start,
				 start == 0 && sqlerrcode == ERRCODE_SYNTAX_ERROR ? 0 :
				 statement_length(text + start),
				 0, CMD_UNKNOWN, 0, sqlerrcode);
}

static void
ms_emit_log(ErrorData *edata)
{
	if (edata->elevel == ERROR && ms_profiling != MS_TRACK_OFF &&
		ms_profile.ready)
	{
		if (!ms_hooks.error_listed)
			list_error(edata->sqlerrcode);
		ms_hooks.error_listed = false;
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
