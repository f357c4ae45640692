/*-------------------------------------------------------------------------
 *
 * level.c
 *	  What the profiler's hooks have in common: the level, the planner's hook,
 *	  and how they are put in place.  They measure and never decide.
 *
 * The rules, also for exec.c, utility.c, failure.c:
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
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "parser/scansup.h"
#include "storage/ipc.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

MSHooks		ms_hooks;

/* The portal of the statement in progress as profiling was switched on */
static struct
{
	Portal		portal;
	TimestampTz message;
	int			location;
}			in_flight;

/* Time to plan what ExecutorStart has not seen yet; compared, not followed */
static struct
{
	int			level;
	const char *source;
	TimestampTz message;
	int			location;
	int			len;
	uint64		queryid;
	Cost		startup_cost;
	Cost		total_cost;
	int64		ns;				/* 0: nothing pending */
}			planned;

static post_parse_analyze_hook_type prev_analysed = NULL;
static planner_hook_type prev_planner = NULL;

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
	in_flight.portal = ActivePortal;
	if (ActivePortal != NULL)
	{
		in_flight.message = GetCurrentStatementStartTimestamp();
		in_flight.location = portal_location(ActivePortal);
	}
}

bool
ms_is_in_flight(void)
{
	if (in_flight.portal == NULL)
		return false;
	if (in_flight.portal == ActivePortal &&
		in_flight.message == GetCurrentStatementStartTimestamp() &&
		in_flight.location == portal_location(ActivePortal))
		return true;
	in_flight.portal = NULL;
	return false;
}

/* is it of the message that is being processed? */
bool
ms_in_flight_message(void)
{
	return in_flight.portal != NULL &&
		in_flight.message == GetCurrentStatementStartTimestamp();
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
	if (unlikely(in_flight.portal != NULL) && ms_is_in_flight())
		return 1;

	/* only Bind gives a portal the name of a prepared statement */
	if (source == debug_query_string ||
		(source == ActivePortal->sourceText &&
		 ActivePortal->prepStmtName != NULL) ||
		strcmp(source, debug_query_string) == 0)
		return 0;
	return 1;
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

/*
 * What runs in a function with a BEGIN ATOMIC body has no text.  Its error
 * context says 'SQL function "f" statement 2', in some language; the number
 * is made part of a word, or shapes would leave it out.
 */
static pg_noinline void
name_function(MSText *text)
{
	ErrorContextCallback *saved = error_context_stack;
	ErrorContextCallback top;
	char	   *number;

	if (saved == NULL)
		return;
	top = *saved;
	top.previous = NULL;
	error_context_stack = &top;
	text->name = GetErrorContextStack();
	error_context_stack = saved;

	number = strrchr(text->name, ' ');
	if (number != NULL && strspn(number + 1, "0123456789") ==
		strlen(number + 1))
		*number = '_';
	text->source = text->name;
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

/*
 * Parse analysis
 */

static void
ms_analysed(MS_ANALYZED_PARAMS)
{
	if (ms_profiling != MS_TRACK_OFF && ms_hooks.at.level == 0 &&
		pstate->p_sourcetext == debug_query_string)
	{
		ms_hooks.analysed.source = pstate->p_sourcetext;
		ms_hooks.analysed.message = GetCurrentStatementStartTimestamp();
		ms_hooks.analysed.location = query->stmt_location;
		ms_hooks.analysed.len = query->stmt_len;
	}
	if (prev_analysed)
		prev_analysed(MS_ANALYZED_ARGS);
}

/*
 * Planner
 */

static void
plan_remember(int level, const char *source, PlannedStmt *stmt, int64 ns)
{
	TimestampTz message = GetCurrentStatementStartTimestamp();

	/* the queries that rules made of one are planned in a row: add */
	if (planned.level != level || planned.source != source ||
		planned.message != message ||
		(level > 0 && planned.location != stmt->stmt_location))
		planned.ns = 0;
	planned.level = level;
	planned.source = source;
	planned.message = message;
	planned.location = stmt->stmt_location;
	planned.len = stmt->stmt_len;
	planned.queryid = stmt->queryId;
	planned.startup_cost = stmt->planTree->startup_cost;
	planned.total_cost = stmt->planTree->total_cost;
	planned.ns += Max(ns, 1);
}

/*
 * The time it took to plan this, once.  A cached plan is a copy of what the
 * planner returned, with a copy of its text, so neither pointer serves; the
 * place in the text and the exact costs do.  A generic plan gets nothing
 * when it is used again.
 */
int64
ms_plan_consume(int level, PlannedStmt *stmt)
{
	int64		ns = planned.ns;

	if (ns == 0 || planned.level != level ||
		planned.location != stmt->stmt_location ||
		planned.len != stmt->stmt_len ||
		planned.queryid != stmt->queryId ||
		planned.startup_cost != stmt->planTree->startup_cost ||
		planned.total_cost != stmt->planTree->total_cost)
		return 0;
	planned.ns = 0;
	return ns;
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

/* a statement that failed before it could be executed */
void
ms_list_failure(const MSText *text, int level, CmdType operation,
				int64 plan_ns, int sqlerrcode)
{
	MSStatement s;

	ms_statement_init(&s, text->source, text->location, text->len);
	s.level = level;
	s.operation = operation;
	s.tag = ms_operation_tag(operation);
	s.plan_ns = plan_ns;
	if (level == 0)
		s.userid = GetOuterUserId();
	ms_statement_open(&s, NULL);
	ms_statement_close(&s, MS_ERROR, sqlerrcode);
}

static PlannedStmt *
run_planner(MS_PLANNER_PARAMS)
{
	return prev_planner ? prev_planner(MS_PLANNER_ARGS) :
		standard_planner(MS_PLANNER_ARGS);
}

/* plan it one level deeper, and keep the time */
static pg_noinline PlannedStmt *
measure_planner(int level, bool adopted, MS_PLANNER_PARAMS)
{
	PlannedStmt *result;
	int			was = ms_enter(level + 1);
	CmdType		operation = parse->commandType;
	MSText		text;
	int64		from_ns = ms_now_ns();

	ms_text_locate(&text, query_string, parse->stmt_location, parse->stmt_len,
				   level);
	PG_TRY();
	{
		result = run_planner(MS_PLANNER_ARGS);
	}
	PG_CATCH();
	{
		ms_hooks.at.level = was;
		if (!adopted && ms_profile.ready)
		{
			ms_list_failure(&text, level, operation, ms_now_ns() - from_ns,
							geterrcode());
			ms_error_listed(level);
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_hooks.at.level = was;
	if (unlikely(text.name != NULL))
		pfree(text.name);
	plan_remember(level, query_string, result, ms_now_ns() - from_ns);
	return result;
}

static PlannedStmt *
ms_planner(MS_PLANNER_PARAMS)
{
	int			level = ms_hooks.at.level;
	bool		adopted;

	if (ms_profiling == MS_TRACK_OFF || query_string == NULL ||
		!ms_profile_ready())
		return run_planner(MS_PLANNER_ARGS);

	/* only what the client sent is planned outside of any statement */
	if (level == 0 && (query_string != debug_query_string ||
					   (unlikely(in_flight.portal != NULL) &&
						ms_is_in_flight())))
		level = 1;
	adopted = ms_hooks.utility != NULL && ms_is_adopted(query_string);
	if (!ms_level_is_tracked(level) && !adopted)
		return run_planner(MS_PLANNER_ARGS);
	return measure_planner(level, adopted, MS_PLANNER_ARGS);
}

/*
 * The profiler's own statements
 */
void
ms_profile_own(void)
{
	if (ms_hooks.at.current == NULL || ms_hooks.at.current_context != error_context_stack)
		return;
	ms_hooks.at.current->own = true;
	if (ms_hooks.at.current->opened)
		ms_statement_forget(ms_hooks.at.current);
}

static void
profile_exit(int code, Datum arg)
{
	ms_profile_log("session end");
}

void
ms_profile_register(void)
{
	ms_failure_register();
	before_shmem_exit(profile_exit, (Datum) 0);
}

void
ms_profile_install(void)
{
	static bool installed = false;

	if (installed)
		return;
	installed = true;

	prev_analysed = post_parse_analyze_hook;
	post_parse_analyze_hook = ms_analysed;
	prev_planner = planner_hook;
	planner_hook = ms_planner;
	ms_exec_install();
	ms_utility_install();
	ms_failure_install();
}
