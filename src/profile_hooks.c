/*-------------------------------------------------------------------------
 *
 * profile_hooks.c
 *	  The profiler's hooks: executor, planner, utility commands, ends of
 *	  transactions, error reports.  They measure and never decide.
 *
 * The rules:
 *
 * - Each hook calls the previous one or the standard function, never both,
 *	 never neither; while profiling is off it does nothing else.
 * - One nesting level for all.  A hook that raises it keeps the old value in
 *	 a local, and restores that value whether or not there is an error.  It is
 *	 not touched at the end of a transaction: a COMMIT inside a procedure is
 *	 inside a statement.
 * - What belongs to a QueryDesc is kept by QueryDesc, in the memory of its
 *	 own execution: cursors, portals and SPI interleave.  One not seen at
 *	 ExecutorStart is ignored.
 * - A utility command that runs one query of its own, as EXECUTE and CREATE
 *	 TABLE AS do, adopts it: the two are one statement.
 * - A statement is listed when it first runs, not when it is bound.
 * - The emit_log hook copies two things into memory that exists.  No lock, no
 *	 palloc, no ereport, no catalog there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/xact.h"
#include "commands/prepare.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "parser/scansup.h"
#include "storage/ipc.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

/* A statement in the executor; lives in its es_query_cxt. */
typedef struct MSExec
{
	MSStatement s;
	QueryDesc  *desc;
	bool		adopted;		/* part of a utility command: s has no record */
	struct MSExec *next;		/* in its bucket */
	struct MSExec **prev;		/* what points here; NULL: not in a bucket */
	MemoryContextCallback callback;
} MSExec;

#define LIVE_BUCKETS	64

/* The utility command under way, if it adopts the query that it runs. */
typedef struct MSUtility
{
	MSStatement s;
	bool		tracked;
	bool		adopts;
	bool		executes;		/* EXECUTE: what it adopts is what it is */
	const char *source;			/* text of the query to be adopted */
	struct MSUtility *outer;
} MSUtility;

static int	nesting_level = 0;
static MSExec *live[LIVE_BUCKETS];
static int	nlive = 0;
static MSUtility *utility = NULL;

/*
 * The statement whose own expressions are being evaluated, and where the
 * error context stood as it began.  PL/pgSQL, SQL functions and SPI push
 * theirs, so a function called with an unchanged stack is called directly.
 */
static MSStatement *current = NULL;
static ErrorContextCallback *current_context = NULL;

/* The portal of the statement in progress as profiling was switched on */
static struct
{
	Portal		portal;
	TimestampTz message;
	int			location;
}			in_flight;

/* The latest top-level statement: where its text ends, and its portal */
static struct
{
	const char *source;
	TimestampTz message;
	int			end;			/* offset in source, -1: nothing follows */
	Portal		portal;
	char		name[NAMEDATALEN];
}			latest;

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

/* A top-level row has the error that is about to be reported */
static bool error_listed = false;

/* COMMIT and the like have returned, the transaction's end has not */
static bool end_pending = false;

/* the latest top-level statement is of the current transaction */
static bool latest_in_xact = false;

static int64 commit_from_ns = 0;

static planner_hook_type prev_planner = NULL;
static ExecutorStart_hook_type prev_ExecutorStart = NULL;
static ExecutorRun_hook_type prev_ExecutorRun = NULL;
static ExecutorFinish_hook_type prev_ExecutorFinish = NULL;
static ExecutorEnd_hook_type prev_ExecutorEnd = NULL;
static ProcessUtility_hook_type prev_ProcessUtility = NULL;
static emit_log_hook_type prev_emit_log = NULL;

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

static bool
is_in_flight(void)
{
	if (likely(in_flight.portal == NULL))
		return false;
	if (in_flight.portal == ActivePortal &&
		in_flight.message == GetCurrentStatementStartTimestamp() &&
		in_flight.location == portal_location(ActivePortal))
		return true;
	in_flight.portal = NULL;
	return false;
}

/*
 * The level of a statement that starts now.  Level 0 is what the client
 * sent: it runs in a portal, which deferred triggers at COMMIT do not, and
 * has the client's text, which a portal made by an extension has not.
 */
static int
statement_level(const char *source)
{
	if (nesting_level > 0)
		return nesting_level;
	if (ActivePortal == NULL || debug_query_string == NULL ||
		is_in_flight())
		return 1;
	if (source != debug_query_string &&
		strcmp(source, debug_query_string) != 0)
		return 1;
	return 0;
}

static inline bool
level_is_tracked(int level)
{
	return level == 0 || ms_profiling == MS_TRACK_ALL;
}

/* is a query that starts now, at that text, the utility command's own? */
static bool
is_adopted(const char *source)
{
	return utility != NULL && utility->adopts &&
		nesting_level == utility->s.level + 1 &&
		(utility->source == source ||
		 strcmp(utility->source, source) == 0);
}

/*
 * A query that rules have added to a statement is no statement: it belongs
 * to the one whose portal it runs in.
 */
static bool
is_added_by_rule(PlannedStmt *stmt)
{
	return ActivePortal != NULL &&
		list_length(ActivePortal->stmts) > 1 &&
		linitial(ActivePortal->stmts) != (void *) stmt &&
		list_member_ptr(ActivePortal->stmts, stmt) &&
		latest.portal == ActivePortal;
}

/*
 * Where rules have made several queries of a statement, the one that is the
 * statement's own, if any is.
 */
static PlannedStmt *
primary_stmt(PlannedStmt *stmt, int level)
{
	PlannedStmt *primary;

	if (level > 0 || list_length(ActivePortal->stmts) <= 1 ||
		linitial(ActivePortal->stmts) != (void *) stmt)
		return stmt;
	primary = PortalGetPrimaryStmt(ActivePortal);
	return primary ? primary : stmt;
}

/* remember the latest top-level statement, for errors that no hook sees */
static void
note_top_level(const char *source, PlannedStmt *stmt)
{
	latest.source = source == debug_query_string ? source : NULL;
	latest.message = GetCurrentStatementStartTimestamp();
	latest.end = stmt->stmt_len > 0 ?
		Max(stmt->stmt_location, 0) + stmt->stmt_len : -1;
	latest.portal = ActivePortal;
	if (ActivePortal->name[0] == '\0')
		latest.name[0] = '\0';	/* as most are */
	else
		strlcpy(latest.name, ActivePortal->name, NAMEDATALEN);
	latest_in_xact = true;
	end_pending = false;
	error_listed = false;
}

/*
 * QueryDescs that are known
 */

static inline uint32
live_bucket(QueryDesc *desc)
{
	return (uint32) (((uintptr_t) desc) >> 5) % LIVE_BUCKETS;
}

static inline MSExec *
live_find(QueryDesc *desc)
{
	MSExec	   *x;

	for (x = live[live_bucket(desc)]; x != NULL; x = x->next)
		if (x->desc == desc)
			return x;
	return NULL;
}

static void
live_remove(MSExec *x)
{
	if (x->prev == NULL)
		return;
	*x->prev = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	x->prev = NULL;
	nlive--;
}

/*
 * es_query_cxt goes away.  If ExecutorEnd has not been here, the statement
 * was dropped with its portal: closed, whatever the reason.
 */
static void
live_callback(void *arg)
{
	MSExec	   *x = arg;

	if (x->prev == NULL)
		return;
	live_remove(x);
	if (!x->adopted && x->s.opened)
		ms_statement_close(&x->s, MS_CLOSED, 0);
}

static void
live_add(MSExec *x)
{
	MSExec	  **bucket = &live[live_bucket(x->desc)];

	x->next = *bucket;
	if (x->next != NULL)
		x->next->prev = &x->next;
	x->prev = bucket;
	*bucket = x;
	nlive++;

	x->callback.func = live_callback;
	x->callback.arg = x;
	MemoryContextRegisterResetCallback(x->desc->estate->es_query_cxt,
									   &x->callback);
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
static int64
plan_consume(int level, PlannedStmt *stmt)
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

static CommandTag
operation_tag(CmdType operation)
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
static void
list_failure(const char *source, int location, int len, int level,
			 CmdType operation, int64 plan_ns, int sqlerrcode)
{
	MSStatement s;

	ms_statement_init(&s, source, location, len);
	s.level = level;
	s.operation = operation;
	s.tag = operation_tag(operation);
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
	int			saved_level = nesting_level;
	CmdType		operation = parse->commandType;
	int			location = parse->stmt_location;
	int			len = parse->stmt_len;
	int64		from_ns = ms_now_ns();

	nesting_level = level + 1;
	PG_TRY();
	{
		result = run_planner(MS_PLANNER_ARGS);
	}
	PG_CATCH();
	{
		nesting_level = saved_level;
		if (!adopted && ms_profile.ready)
		{
			list_failure(query_string, location, len, level, operation,
						 ms_now_ns() - from_ns, geterrcode());
			error_listed = error_listed || level == 0;
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	nesting_level = saved_level;
	plan_remember(level, query_string, result, ms_now_ns() - from_ns);
	return result;
}

static PlannedStmt *
ms_planner(MS_PLANNER_PARAMS)
{
	int			level = nesting_level;
	bool		adopted;

	if (ms_profiling == MS_TRACK_OFF || query_string == NULL ||
		!ms_profile_ready())
		return run_planner(MS_PLANNER_ARGS);

	/* only what the client sent is planned outside of any statement */
	if (level == 0 && (query_string != debug_query_string || is_in_flight()))
		level = 1;
	adopted = is_adopted(query_string);
	if (!level_is_tracked(level) && !adopted)
		return run_planner(MS_PLANNER_ARGS);
	return measure_planner(level, adopted, MS_PLANNER_ARGS);
}

/*
 * Executor
 */

static uint64
hash_parameters(ParamListInfo params)
{
	uint64		hash = 0;
	int			i;

	if (params == NULL || params->paramFetch != NULL)
		return 0;
	for (i = 0; i < params->numParams; i++)
	{
		ParamExternData *p = &params->params[i];
		uint64		h = 0;

		if (!p->isnull && OidIsValid(p->ptype))
			h = ms_hash_parameter(p);
		hash = ms_hash_combine(hash, h);
	}
	return hash;
}

static void
describe_plan(MSStatement *s, QueryDesc *desc)
{
	PlannedStmt *stmt = desc->plannedstmt;

	s->kind = MS_QUERY;
	s->operation = desc->operation;
	s->queryid = stmt->queryId;
	if (IsA(stmt->planTree, Limit))
	{
		s->has_limit = true;
		s->has_offset = ((Limit *) stmt->planTree)->limitOffset != NULL;
	}
}

static void
fill_statement(MSStatement *s, QueryDesc *desc, int level)
{
	PlannedStmt *stmt = primary_stmt(desc->plannedstmt, level);

	ms_statement_init(s, desc->sourceText, stmt->stmt_location,
					  stmt->stmt_len);
	s->level = level;
	s->tag = level == 0 ? ActivePortal->commandTag :
		operation_tag(desc->operation);
	s->executed = true;
	describe_plan(s, desc);
	s->params = hash_parameters(desc->params);
}

static void
run_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	if (prev_ExecutorStart)
		prev_ExecutorStart(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);
}

/* a query that its utility command speaks for */
static void
adopt_query(QueryDesc *desc, int64 plan_ns)
{
	MSStatement *into = &utility->s;

	into->plan_ns += plan_ns;
	into->params = ms_hash_combine(into->params,
								   hash_parameters(desc->params));
	if (utility->executes)
		describe_plan(into, desc);
	if (into->queryid == 0)
		into->queryid = desc->plannedstmt->queryId;
}

/* start it one level deeper; what it took, in nanoseconds */
static pg_noinline int64
measure_start(int level, bool speaks, int64 plan_ns, QueryDesc *queryDesc,
			  int eflags)
{
	int			saved_level = nesting_level;
	int64		from_ns = ms_now_ns();

	nesting_level = level + 1;
	PG_TRY();
	{
		run_ExecutorStart(queryDesc, eflags);
	}
	PG_CATCH();
	{
		nesting_level = saved_level;
		if (speaks && ms_profile.ready)
		{
			MSStatement s;

			fill_statement(&s, queryDesc, level);
			s.plan_ns = plan_ns;
			s.exec_ns = ms_now_ns() - from_ns;
			ms_statement_open(&s, NULL);
			ms_statement_close(&s, MS_ERROR, geterrcode());
			error_listed = error_listed || level == 0;
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	nesting_level = saved_level;
	return ms_now_ns() - from_ns;
}

static void
ms_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	int			level;
	bool		adopted;
	bool		by_rule;
	int64		plan_ns;
	int64		start_ns;
	MSExec	   *x;

	if (ms_profiling == MS_TRACK_OFF || !ms_profile_ready())
	{
		run_ExecutorStart(queryDesc, eflags);
		return;
	}
	level = statement_level(queryDesc->sourceText);
	adopted = is_adopted(queryDesc->sourceText);
	if (!level_is_tracked(level) && !adopted)
	{
		run_ExecutorStart(queryDesc, eflags);
		return;
	}

	plan_ns = plan_consume(level, queryDesc->plannedstmt);
	by_rule = level == 0 && is_added_by_rule(queryDesc->plannedstmt);
	if (adopted)
		adopt_query(queryDesc, plan_ns);
	else if (level == 0 && !by_rule)
		note_top_level(queryDesc->sourceText,
					   primary_stmt(queryDesc->plannedstmt, level));
	start_ns = measure_start(level, !adopted && !by_rule, plan_ns, queryDesc,
							 eflags);

	x = MemoryContextAlloc(queryDesc->estate->es_query_cxt, sizeof(MSExec));
	x->desc = queryDesc;
	x->adopted = adopted || by_rule;
	if (x->adopted)
	{
		memset(&x->s, 0, sizeof(MSStatement));
		x->s.level = adopted ? utility->s.level : level;
		x->s.seq = by_rule ? ms_profile.last_top : 0;
	}
	else
	{
		fill_statement(&x->s, queryDesc, level);
		x->s.plan_ns = plan_ns;
		x->s.exec_ns = start_ns;
	}
	live_add(x);
}

static void
run_ExecutorRun(MS_RUN_PARAMS)
{
	if (prev_ExecutorRun)
		prev_ExecutorRun(MS_RUN_ARGS);
	else
		standard_ExecutorRun(MS_RUN_ARGS);
}

/* the first run: the statement gets its line */
static void
open_statement(MSExec *x)
{
	QueryDesc  *desc = x->desc;
	char	   *params = NULL;

	if (desc->params != NULL && ms_profile_params() &&
		desc->params->paramFetch == NULL)
		params = BuildParamLogString(desc->params, NULL, -1);
	ms_statement_open(&x->s, params);
	if (params != NULL)
		pfree(params);
}

/*
 * A query that a rule added runs in the row of its portal's statement.
 */
static void
add_to_record(MSExec *x, uint64 rows)
{
	MSRecord   *r = ms_profile_record(x->s.seq);

	if (r != NULL)
	{
		r->exec_ns += x->s.exec_ns;
		if (x->desc->plannedstmt->canSetTag)
			r->rows += rows;
	}
	x->s.exec_ns = 0;
}

static bool
is_complete(QueryDesc *desc, ScanDirection direction, uint64 count)
{
	return desc->operation == CMD_SELECT &&
		!desc->plannedstmt->hasModifyingCTE &&
		ScanDirectionIsForward(direction) &&
		(count == 0 || desc->estate->es_processed < count);
}

/* an executor hook has caught an error */
static void
fail_exec(MSExec *x)
{
	if (x == NULL || x->adopted)
		return;
	ms_statement_end(&x->s);
	ms_statement_close(&x->s, MS_ERROR, geterrcode());
	error_listed = error_listed || x->s.level == 0;
}

/* run it one level deeper; x: NULL if it was not seen at its start */
static pg_noinline void
measure_run(MSExec *x, MS_RUN_PARAMS)
{
	int			saved_level = nesting_level;
	MSStatement *saved_current = current;
	ErrorContextCallback *saved_context = current_context;

	current_context = error_context_stack;
	if (x == NULL)
	{
		nesting_level++;
		current = NULL;
	}
	else
	{
		nesting_level = x->adopted ? Max(saved_level, x->s.level + 1) :
			Max(saved_level, x->s.level) + 1;
		current = x->adopted && utility != NULL ? &utility->s : &x->s;
		ms_statement_begin(&x->s);
	}
	PG_TRY();
	{
		run_ExecutorRun(MS_RUN_ARGS);
	}
	PG_CATCH();
	{
		nesting_level = saved_level;
		current = saved_current;
		current_context = saved_context;
		fail_exec(x);
		PG_RE_THROW();
	}
	PG_END_TRY();
	nesting_level = saved_level;
	current = saved_current;
	current_context = saved_context;
	if (x != NULL)
		ms_statement_end(&x->s);
}

static void
ms_ExecutorRun(MS_RUN_PARAMS)
{
	MSExec	   *x;

	if (ms_profiling == MS_TRACK_OFF && nlive == 0)
	{
		run_ExecutorRun(MS_RUN_ARGS);
		return;
	}
	x = live_find(queryDesc);
	if (x == NULL && nesting_level > 0)
	{
		run_ExecutorRun(MS_RUN_ARGS);
		return;
	}

	if (x != NULL && !x->adopted && !x->s.opened)
		open_statement(x);
	measure_run(x, MS_RUN_ARGS);
	if (x == NULL)
		return;
	if (x->adopted)
	{
		add_to_record(x, queryDesc->estate->es_processed);
		return;
	}
	if (queryDesc->plannedstmt->canSetTag)
		x->s.rows += queryDesc->estate->es_processed;
	if (is_complete(queryDesc, direction, count))
		ms_statement_close(&x->s, MS_OK, 0);
	else
		ms_statement_update(&x->s);
}

static void
run_ExecutorFinish(QueryDesc *queryDesc)
{
	if (prev_ExecutorFinish)
		prev_ExecutorFinish(queryDesc);
	else
		standard_ExecutorFinish(queryDesc);
}

static pg_noinline void
measure_finish(MSExec *x, QueryDesc *queryDesc)
{
	int			saved_level = nesting_level;

	nesting_level = Max(saved_level, x->s.level + 1);
	ms_statement_begin(&x->s);
	PG_TRY();
	{
		run_ExecutorFinish(queryDesc);
	}
	PG_CATCH();
	{
		nesting_level = saved_level;
		fail_exec(x);
		PG_RE_THROW();
	}
	PG_END_TRY();
	nesting_level = saved_level;
	ms_statement_end(&x->s);
	if (x->adopted)
		add_to_record(x, 0);
}

static void
ms_ExecutorFinish(QueryDesc *queryDesc)
{
	MSExec	   *x = nlive > 0 ? live_find(queryDesc) : NULL;

	if (x == NULL || x->s.closed)
		run_ExecutorFinish(queryDesc);
	else
		measure_finish(x, queryDesc);
}

static void
ms_ExecutorEnd(QueryDesc *queryDesc)
{
	MSExec	   *x = nlive > 0 ? live_find(queryDesc) : NULL;

	if (x != NULL)
	{
		live_remove(x);
		if (!x->adopted && x->s.opened)
			ms_statement_close(&x->s, MS_OK, 0);
	}
	if (prev_ExecutorEnd)
		prev_ExecutorEnd(queryDesc);
	else
		standard_ExecutorEnd(queryDesc);
}

/*
 * Utility commands
 */

/*
 * PREPARE name (types) AS query: the query.  The name may be quoted.
 */
static const char *
skip_prepare(const char *text, int *len)
{
	const char *end = text + *len;
	const char *p = text;
	int			parens = 0;

	if (*len < 7 || pg_strncasecmp(p, "prepare", 7) != 0)
		return text;
	for (p += 7; p < end; p++)
	{
		if (*p == '"')
		{
			for (p++; p < end && *p != '"'; p++)
				 /* the rest of a quoted name */ ;
		}
		else if (*p == '(')
			parens++;
		else if (*p == ')')
			parens--;
		else if (parens == 0 && end - p > 3 && scanner_isspace(p[-1]) &&
				 pg_strncasecmp(p, "as", 2) == 0 && scanner_isspace(p[2]))
		{
			*len = end - (p + 3);
			return p + 3;
		}
		else if (parens == 0 && end - p > 3 && p[-1] == ')' &&
				 pg_strncasecmp(p, "as", 2) == 0 && scanner_isspace(p[2]))
		{
			*len = end - (p + 3);
			return p + 3;
		}
	}
	return text;
}

/* EXECUTE is shown as sent, and counted as what it executes */
static void
describe_execute(MSUtility *u, ExecuteStmt *stmt)
{
	PreparedStatement *entry = FetchPreparedStatement(stmt->name, false);
	RawStmt    *raw;
	MSStatement prepared;

	if (entry == NULL)
		return;
	raw = entry->plansource->raw_parse_tree;
	u->source = entry->plansource->query_string;
	ms_statement_init(&prepared, u->source,
					  raw ? raw->stmt_location : -1,
					  raw ? raw->stmt_len : 0);
	u->s.shape_len = prepared.len;
	u->s.shape_text = skip_prepare(prepared.text, &u->s.shape_len);
	u->adopts = true;
}

static bool
utility_is_control(Node *node)
{
	return IsA(node, TransactionStmt) || IsA(node, VariableSetStmt);
}

/* the transaction ends after it, not in it */
static bool
utility_ends_xact(Node *node)
{
	if (!IsA(node, TransactionStmt))
		return false;
	switch (((TransactionStmt *) node)->kind)
	{
		case TRANS_STMT_COMMIT:
		case TRANS_STMT_ROLLBACK:
		case TRANS_STMT_PREPARE:
			return true;
		default:
			return false;
	}
}

/* everything that is needed of the statement, before it may go away */
static void
describe_utility(MSUtility *u, PlannedStmt *pstmt, const char *source,
				 int level)
{
	Node	   *node = pstmt->utilityStmt;

	ms_statement_init(&u->s, source, pstmt->stmt_location, pstmt->stmt_len);
	u->s.level = level;
	u->s.kind = utility_is_control(node) ? MS_CONTROL : MS_UTILITY;
	u->s.operation = CMD_UTILITY;
	u->s.tag = CreateCommandTag(node);
	u->s.queryid = pstmt->queryId;
	u->s.executed = true;
	u->source = source;
	u->adopts = false;
	u->executes = false;

	switch (nodeTag(node))
	{
		case T_ExecuteStmt:
			describe_execute(u, (ExecuteStmt *) node);
			u->executes = u->adopts;
			break;
		case T_CreateTableAsStmt:
		case T_DeclareCursorStmt:
		case T_ExplainStmt:
		case T_CopyStmt:
		case T_RefreshMatViewStmt:
			u->adopts = true;
			break;
		default:
			break;
	}
}

static void
run_ProcessUtility(MS_UTILITY_PARAMS)
{
	if (prev_ProcessUtility)
		prev_ProcessUtility(MS_UTILITY_ARGS);
	else
		standard_ProcessUtility(MS_UTILITY_ARGS);
}

static uint64
utility_rows(QueryCompletion *qc)
{
	return qc == NULL ? 0 : qc->nprocessed;
}

/* run it one level deeper, with its measurements in *u */
static pg_noinline void
measure_utility(MSUtility *u, MS_UTILITY_PARAMS)
{
	int			saved_level = nesting_level;
	MSStatement *saved_current = current;
	ErrorContextCallback *saved_context = current_context;

	u->outer = utility;
	utility = u;
	nesting_level = u->s.level + 1;
	current = &u->s;
	current_context = error_context_stack;
	ms_statement_begin(&u->s);
	PG_TRY();
	{
		run_ProcessUtility(MS_UTILITY_ARGS);
	}
	PG_CATCH();
	{
		utility = u->outer;
		nesting_level = saved_level;
		current = saved_current;
		current_context = saved_context;
		if (u->tracked)
		{
			ms_statement_end(&u->s);
			ms_statement_close(&u->s, MS_ERROR, geterrcode());
			error_listed = error_listed || u->s.level == 0;
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	utility = u->outer;
	nesting_level = saved_level;
	current = saved_current;
	current_context = saved_context;
	ms_statement_end(&u->s);
}

static void
ms_ProcessUtility(MS_UTILITY_PARAMS)
{
	Node	   *node = pstmt->utilityStmt;
	bool		discard_all;
	bool		ends_xact;
	int			level;
	MSUtility	u;

	discard_all = IsA(node, DiscardStmt) &&
		((DiscardStmt *) node)->target == DISCARD_ALL;

	if (ms_profiling == MS_TRACK_OFF || !ms_profile_ready())
	{
		run_ProcessUtility(MS_UTILITY_ARGS);
		if (discard_all)
			ms_profile_discard();
		return;
	}

	/* what is part of a command, a rule's NOTIFY, or not asked for */
	level = statement_level(queryString);
	if (context == PROCESS_UTILITY_SUBCOMMAND || !level_is_tracked(level) ||
		(level == 0 && is_added_by_rule(pstmt)))
	{
		run_ProcessUtility(MS_UTILITY_ARGS);
		return;
	}

	ends_xact = level == 0 && utility_ends_xact(node);
	if (level == 0)
		note_top_level(queryString, pstmt);
	describe_utility(&u, pstmt, queryString, level);
	u.tracked = true;
	ms_statement_open(&u.s, NULL);
	measure_utility(&u, MS_UTILITY_ARGS);

	/* pstmt may be gone */
	if (discard_all)
	{
		ms_profile_discard();
		return;
	}
	if (qc != NULL && qc->commandTag != CMDTAG_UNKNOWN)
		u.s.tag = qc->commandTag;
	u.s.rows = utility_rows(qc);
	u.s.exec_ns = Max(u.s.exec_ns - u.s.plan_ns, 0);
	ms_statement_close(&u.s, MS_OK, 0);
	end_pending = ends_xact;
}

/*
 * Ends of transactions
 */

static void
xact_over(MSXactEnd end)
{
	int64		commit_ns = 0;

	if (end == MS_XACT_COMMITTED && commit_from_ns != 0)
		commit_ns = ms_now_ns() - commit_from_ns;
	commit_from_ns = 0;
	end_pending = false;

	/* a COMMIT inside a statement does not end the statement */
	latest_in_xact = nesting_level > 0;
	ms_profile_xact_end(end, commit_ns);
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (!ms_profile.ready)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (ms_profiling != MS_TRACK_OFF &&
				TransactionIdIsValid(GetTopTransactionIdIfAny()))
				commit_from_ns = ms_now_ns();
			break;
		case XACT_EVENT_COMMIT:
			xact_over(MS_XACT_COMMITTED);
			break;
		case XACT_EVENT_ABORT:
			xact_over(MS_XACT_ABORTED);
			break;
		case XACT_EVENT_PREPARE:
			xact_over(MS_XACT_PREPARED);
			break;
		default:
			break;
	}
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

	if (r == NULL || r->status == MS_ERROR || !latest_in_xact)
		return false;

	/* while its result was sent */
	portal = GetPortalByName(latest.name);
	if (PortalIsValid(portal) && portal == latest.portal &&
		portal->status == PORTAL_FAILED)
		return true;

	/* at COMMIT: its own, that of its message, or that of Sync */
	if (end_pending)
		return true;
	return !IsTransactionBlock() &&
		(debug_query_string == NULL ||
		 (latest.source == debug_query_string &&
		  latest.message == GetCurrentStatementStartTimestamp()));
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
	if (in_flight.portal != NULL &&
		in_flight.message == GetCurrentStatementStartTimestamp())
		return;
	if (latest.source == text && latest.end > 0 &&
		latest.message == GetCurrentStatementStartTimestamp())
	{
		start = latest.end;
		while (text[start] == ';' || scanner_isspace(text[start]))
			start++;
	}

	/* a syntax error is one of the whole string: nothing of it has run */
	list_failure(text, start,
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
		if (!error_listed)
			list_error(edata->sqlerrcode);
		error_listed = false;
	}
	if (prev_emit_log)
		prev_emit_log(edata);
}

/*
 * The profiler's own statements
 */
void
ms_profile_own(void)
{
	if (current == NULL || current_context != error_context_stack)
		return;
	current->own = true;
	if (current->opened)
		ms_statement_forget(current);
}

static void
profile_exit(int code, Datum arg)
{
	ms_profile_log("session end");
}

void
ms_profile_register(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
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
	prev_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = ms_ExecutorStart;
	prev_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = ms_ExecutorRun;
	prev_ExecutorFinish = ExecutorFinish_hook;
	ExecutorFinish_hook = ms_ExecutorFinish;
	prev_ExecutorEnd = ExecutorEnd_hook;
	ExecutorEnd_hook = ms_ExecutorEnd;
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = ms_ProcessUtility;
	prev_emit_log = emit_log_hook;
	emit_log_hook = ms_emit_log;
}
