/*-------------------------------------------------------------------------
 *
 * level.c
 *	  What the profiler's hooks have in common: where the session is.  They
 *	  measure and never decide.
 *
 * The rules, also for planner.c, exec.c, utility.c, failure.c:
 *
 * - Hooks are put in place as profiling is first on, never at load, and stay.
 * - Each calls the previous one or the standard function, never both, never
 *	 neither; while profiling is off it does nothing else.
 * - One place for all: the nesting level, and what runs there.  A hook that
 *	 changes it keeps the old one in a local, and puts that back whether or not
 *	 there is an error.  It is not touched at the end of a transaction: a COMMIT
 *	 inside a procedure is inside a statement.
 * - An error is caught to note its SQLSTATE and the time, and thrown again.
 * - ms_hooks.blame alone says whose an error is that was not caught so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "parser/scansup.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "profile/level_internal.h"
#include "profile/profile.h"
#include "shape/shape.h"

MSHooks		ms_hooks;
MSInFlight	ms_in_flight;

void		(*ms_profile_discard) (void) = NULL;
void		(*ms_profile_rolls_back) (void) = NULL;

/*
 * Levels
 */

static int
portal_location(Portal portal)
{
	return portal->stmts == NIL ? 0 :
		linitial_node(PlannedStmt, portal->stmts)->stmt_location;
}

void
ms_profile_in_flight(void)
{
	ms_in_flight.portal = ActivePortal;
	if (ActivePortal != NULL)
	{
		ms_in_flight.message = GetCurrentStatementStartTimestamp();
		ms_in_flight.location = portal_location(ActivePortal);
	}
}

bool
ms_is_in_flight(void)
{
	if (ms_in_flight.portal == NULL)
		return false;
	if (ms_in_flight.portal == ActivePortal &&
		ms_in_flight.message == GetCurrentStatementStartTimestamp() &&
		ms_in_flight.location == portal_location(ActivePortal))
		return true;
	ms_in_flight.portal = NULL;
	return false;
}

/* is it of the message that is being processed? */
bool
ms_in_flight_message(void)
{
	return ms_in_flight.portal != NULL &&
		ms_in_flight.message == GetCurrentStatementStartTimestamp();
}

/* is it what the client sent?  Only Bind names a portal's prepared statement. */
static pg_noinline bool
is_clients_text(const char *source)
{
	return (source == ActivePortal->sourceText &&
			ActivePortal->prepStmtName != NULL) ||
		strcmp(source, debug_query_string) == 0;
}

/*
 * The level of a statement that starts now.  Level 0 is what the client
 * sent: it runs in a portal, which deferred triggers at COMMIT do not, and
 * has the client's text, which a portal made by an extension has not.
 */
int
ms_statement_level(const char *source)
{
	if (ms_hooks.at.level > 0)
		return ms_hooks.at.level;
	if (ActivePortal == NULL || debug_query_string == NULL)
		return 1;
	if (unlikely(ms_in_flight.portal != NULL) && ms_is_in_flight())
		return 1;
	return source == debug_query_string || is_clients_text(source) ? 0 : 1;
}

/* is a query that starts now, at that text, the utility command's own? */
bool
ms_is_adopted(const char *source)
{
	return ms_hooks.utility->adopts &&
		ms_hooks.at.level == ms_hooks.utility->s.level + 1 &&
		(ms_hooks.utility->source == source ||
		 strcmp(ms_hooks.utility->source, source) == 0);
}

/*
 * The first or the last query of the portal under way, of which rules may
 * have made several; NULL where they are all utility commands.
 */
PlannedStmt *
ms_portal_query(bool last)
{
	PlannedStmt *found = NULL;
	ListCell   *lc;

	foreach(lc, ActivePortal->stmts)
	{
		PlannedStmt *stmt = lfirst_node(PlannedStmt, lc);

		if (stmt->utilityStmt != NULL)
			continue;
		found = stmt;
		if (!last)
			break;
	}
	return found;
}

/* remember the latest top-level statement, for errors that no hook sees */
void
ms_note_top_level(const MSText *text)
{
	ms_hooks.latest.source = text->source == debug_query_string ?
		text->source : NULL;
	ms_hooks.latest.message = GetCurrentStatementStartTimestamp();
	ms_hooks.latest.location = text->location;
	ms_hooks.latest.len = text->len;
	ms_hooks.latest.portal = ActivePortal;
	if (ActivePortal->name[0] == '\0')
		ms_hooks.latest.name[0] = '\0';	/* as most are */
	else
		strlcpy(ms_hooks.latest.name, ActivePortal->name, NAMEDATALEN);
	ms_hooks.blame = MS_BLAME_LATEST;
}

/*
 * Where the text begins that comes after the latest statement's, which may be
 * of the same message.
 */
int
ms_next_location(const char *source)
{
	int			start;

	if (ms_hooks.latest.source != source ||
		ms_hooks.latest.message != GetCurrentStatementStartTimestamp())
		return 0;
	if (ms_hooks.latest.len <= 0)
		return strlen(source);	/* it is the last */
	start = Max(ms_hooks.latest.location, 0) + ms_hooks.latest.len;
	while (source[start] == ';' || scanner_isspace(source[start]))
		start++;
	return start;
}

/* what one caller has to say to the context of an error; palloc'd, or NULL */
static char *
context_of(ErrorContextCallback *callback)
{
	ErrorContextCallback *saved = error_context_stack;
	ErrorContextCallback top = *callback;
	char	   *context;

	top.previous = NULL;
	error_context_stack = &top;
	context = GetErrorContextStack();
	error_context_stack = saved;
	return context;
}

/*
 * What runs in a function with a BEGIN ATOMIC body has no text.  Its error
 * context says 'SQL function "f" statement 2', in some language; the number
 * is made part of a word, or shapes would leave it out.
 */
static pg_noinline void
name_function(MSText *text)
{
	char	   *number;

	if (error_context_stack == NULL)
		return;
	text->name = context_of(error_context_stack);
	number = strrchr(text->name, ' ');
	if (number != NULL && strspn(number + 1, "0123456789") ==
		strlen(number + 1))
		*number = '_';
	text->source = text->name;
}

/*
 * Where a statement is that a function runs, as the context of an error would
 * say: the nearest caller that does not but repeat the statement's text.
 */
void
ms_name_inside(char *name, const char *text, int len)
{
	ErrorContextCallback *callback;
	char	   *statement = pnstrdup(text, len);

	name[0] = '\0';
	for (callback = error_context_stack; callback != NULL && name[0] == '\0';
		 callback = callback->previous)
	{
		char	   *context = context_of(callback);

		if (context == NULL)
			continue;
		if (strstr(context, statement) == NULL)
			strlcpy(name, context,
					pg_mbcliplen(context, strlen(context), MS_INSIDE - 1) + 1);
		pfree(context);
	}
	pfree(statement);
}

/* of what does not say where in its text it is */
void
ms_text_derive(MSText *text, int level)
{
	if (level > 0)
	{
		if (text->source[0] == '\0')
			name_function(text);
		return;
	}

	/* a rule's action, which stands for what was analysed, or bound */
	text->location = 0;
	if (ms_hooks.analysed.source == text->source &&
		ms_hooks.analysed.message == GetCurrentStatementStartTimestamp())
	{
		text->location = ms_hooks.analysed.location;
		text->len = ms_hooks.analysed.len;
	}
	else
		text->len = ms_first_statement(text->source);
}

/* it is to live as long as that */
void
ms_text_keep(MSText *text, MemoryContext context)
{
	char	   *name = text->name;

	text->source = text->name = MemoryContextStrdup(context, name);
	pfree(name);
}

CommandTag
ms_operation_tag(CmdType operation)
{
	switch (operation)
	{
		case CMD_SELECT:
			return CMDTAG_SELECT;
		case CMD_INSERT:
			return CMDTAG_INSERT;
		case CMD_UPDATE:
			return CMDTAG_UPDATE;
		case CMD_DELETE:
			return CMDTAG_DELETE;
#if MS_HAVE_MERGE
		case CMD_MERGE:
			return CMDTAG_MERGE;
#endif
		default:
			return CMDTAG_UNKNOWN;
	}
}
