/*-------------------------------------------------------------------------
 *
 * planner.c
 *	  The profiler in parse analysis and the planner: where the text is, and
 *	  how long a plan took.
 *
 * The time is kept until ExecutorStart takes it.  The rules of level.c hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"

#include "compat.h"
#include "figures/figures.h"
#include "profile/level_internal.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "profile/statement_internal.h"

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
					   (unlikely(ms_in_flight.portal != NULL) &&
						ms_is_in_flight())))
		level = 1;
	adopted = ms_hooks.utility != NULL && ms_is_adopted(query_string);
	if (!ms_level_is_tracked(level) && !adopted)
		return run_planner(MS_PLANNER_ARGS);
	return measure_planner(level, adopted, MS_PLANNER_ARGS);
}

void
ms_planner_install(void)
{
	prev_analysed = post_parse_analyze_hook;
	post_parse_analyze_hook = ms_analysed;
	prev_planner = planner_hook;
	planner_hook = ms_planner;
}
