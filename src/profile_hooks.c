/*-------------------------------------------------------------------------
 *
 * profile_hooks.c
 *	  What the profiler's hooks have in common: the level, the planner's hook,
 *	  and how they are put in place.  They measure and never decide.
 *
 * The rules, also for profile_exec.c, profile_utility.c, profile_failure.c:
 *
 * - Hooks are put in place as profiling is first on, never at load, and stay.
 * - Each calls the previous one or the standard function, never both, never
 *	 neither; while profiling is off it does nothing else.
 * - One nesting level for all.  A hook that raises it keeps the old value in
 *	 a local, and restores that value whether or not there is an error.  It is
 *	 not touched at the end of a transaction: a COMMIT inside a procedure is
 *	 inside a statement.
 * - An error is caught to note its SQLSTATE and the time, and thrown again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
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
	int			location;
	int			len;
	uint64		queryid;
	Cost		startup_cost;
	Cost		total_cost;
	int64		ns;				/* 0: nothing pending */
}			planned;

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
	if (ms_hooks.level > 0)
		return ms_hooks.level;
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
	return ms_hooks.utility != NULL && ms_hooks.utility->adopts &&
		ms_hooks.level == ms_hooks.utility->s.level + 1 &&
		(ms_hooks.utility->source == source ||
		 strcmp(ms_hooks.utility->source, source) == 0);
}

/*
 * A query that rules have added to a statement is no statement: it belongs
 * to the one whose portal it runs in.
 */
bool
ms_is_added_by_rule(PlannedStmt *stmt)
{
	return ActivePortal != NULL &&
		list_length(ActivePortal->stmts) > 1 &&
		linitial(ActivePortal->stmts) != (void *) stmt &&
		list_member_ptr(ActivePortal->stmts, stmt) &&
		ms_hooks.latest.portal == ActivePortal;
}

/*
 * Where rules have made several queries of a statement, the one that is the
 * statement's own, if any is.
 */
PlannedStmt *
ms_primary_stmt(PlannedStmt *stmt)
{
	PlannedStmt *primary;

	if (linitial(ActivePortal->stmts) != (void *) stmt)
		return stmt;
	primary = PortalGetPrimaryStmt(ActivePortal);
	return primary ? primary : stmt;
}

/* remember the latest top-level statement, for errors that no hook sees */
void
ms_note_top_level(const char *source, PlannedStmt *stmt)
{
	ms_hooks.latest.source = source == debug_query_string ? source : NULL;
	ms_hooks.latest.message = GetCurrentStatementStartTimestamp();
	ms_hooks.latest.location = stmt->stmt_location;
	ms_hooks.latest.len = stmt->stmt_len;
	ms_hooks.latest.portal = ActivePortal;
	if (ActivePortal->name[0] == '\0')
		ms_hooks.latest.name[0] = '\0';	/* as most are */
	else
		strlcpy(ms_hooks.latest.name, ActivePortal->name, NAMEDATALEN);
	ms_hooks.latest_in_xact = true;
	ms_hooks.end_pending = false;
	ms_hooks.error_listed = false;
}

/*
 * Planner
 */

static void
plan_remember(int level, const char *source, PlannedStmt *stmt, int64 ns)
{
	/* the queries that rules made of one are planned in a row: add */
	if (planned.level != level || planned.source != source ||
		planned.location != stmt->stmt_location)
		planned.ns = 0;
	planned.level = level;
	planned.source = source;
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
ms_list_failure(const char *source, int location, int len, int level,
			 CmdType operation, int64 plan_ns, int sqlerrcode)
{
	MSStatement s;

	ms_statement_init(&s, source, location, len);
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
	int			saved_level = ms_hooks.level;
	CmdType		operation = parse->commandType;
	int			location = parse->stmt_location;
	int			len = parse->stmt_len;
	int64		from_ns = ms_now_ns();

	ms_hooks.level = level + 1;
	PG_TRY();
	{
		result = run_planner(MS_PLANNER_ARGS);
	}
	PG_CATCH();
	{
		ms_hooks.level = saved_level;
		if (!adopted && ms_profile.ready)
		{
			ms_list_failure(query_string, location, len, level, operation,
						 ms_now_ns() - from_ns, geterrcode());
			ms_hooks.error_listed = ms_hooks.error_listed || level == 0;
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_hooks.level = saved_level;
	plan_remember(level, query_string, result, ms_now_ns() - from_ns);
	return result;
}

static PlannedStmt *
ms_planner(MS_PLANNER_PARAMS)
{
	int			level = ms_hooks.level;
	bool		adopted;

	if (ms_profiling == MS_TRACK_OFF || query_string == NULL ||
		!ms_profile_ready())
		return run_planner(MS_PLANNER_ARGS);

	/* only what the client sent is planned outside of any statement */
	if (level == 0 && (query_string != debug_query_string || ms_is_in_flight()))
		level = 1;
	adopted = ms_is_adopted(query_string);
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
	if (ms_hooks.current == NULL || ms_hooks.current_context != error_context_stack)
		return;
	ms_hooks.current->own = true;
	if (ms_hooks.current->opened)
		ms_statement_forget(ms_hooks.current);
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

	prev_planner = planner_hook;
	planner_hook = ms_planner;
	ms_exec_install();
	ms_utility_install();
	ms_failure_install();
}
