/*-------------------------------------------------------------------------
 *
 * utility.c
 *	  The profiler and utility commands.
 *
 * A command that runs one query of its own, as EXECUTE and CREATE TABLE AS
 * do, adopts it: the two are one statement.  What is needed of a command is
 * copied before it runs; its tree may be gone after.  The rules of
 * level.c hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/prepare.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"

#include "compat.h"
#include "profile/level_internal.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "profile/statement_internal.h"
#include "shape/shape.h"

static ProcessUtility_hook_type prev_ProcessUtility = NULL;

/* PREPARE name (types) AS query: the query; another text as it is */
static const char *
skip_prepare(const char *text, int *len)
{
	MSLexer		lex;
	int			parens = 0;

	lex.pos = (const unsigned char *) text;
	lex.end = lex.pos + *len;
	lex.kind = MST_START;
	if (!ms_lex(&lex, lex.kind) || lex.word != MSW_PREPARE)
		return text;
	while (ms_lex(&lex, lex.kind))
	{
		if (lex.kind == MST_OPEN || lex.kind == MST_SUBSCRIPT)
			parens++;
		else if (lex.kind == MST_CLOSE)
			parens--;
		else if (parens == 0 && lex.word == MSW_AS)
		{
			*len -= (const char *) lex.pos - text;
			return (const char *) lex.pos;
		}
	}
	return text;
}

/*
 * A query that is executed has the text that was prepared.  It may deallocate
 * itself, so that is copied.
 */
static PreparedStatement *
adopt_prepared(MSUtility *u, ExecuteStmt *stmt)
{
	PreparedStatement *entry = FetchPreparedStatement(stmt->name, false);

	if (entry != NULL)
		u->source = pstrdup(entry->plansource->query_string);
	return entry;
}

/*
 * The EXECUTE that a utility command is, explains, or makes a table of; after
 * parse analysis.  NULL: none.
 */
pg_noinline ExecuteStmt *
ms_execute_stmt(Node *node)
{
	while (node != NULL && !IsA(node, ExecuteStmt))
	{
		if (IsA(node, ExplainStmt))
			node = ((ExplainStmt *) node)->query;
		else if (IsA(node, CreateTableAsStmt))
			node = ((CreateTableAsStmt *) node)->query;
		else if (IsA(node, Query))
			node = ((Query *) node)->utilityStmt;
		else
			node = NULL;
	}
	return (ExecuteStmt *) node;
}

/* EXECUTE is shown as sent, and counted as what it executes */
static void
describe_execute(MSUtility *u, ExecuteStmt *stmt)
{
	PreparedStatement *entry = adopt_prepared(u, stmt);
	RawStmt    *raw;
	MSStatement prepared;

	if (entry == NULL)
		return;
	raw = entry->plansource->raw_parse_tree;
	ms_statement_init(&prepared, u->source,
					  raw ? raw->stmt_location : -1,
					  raw ? raw->stmt_len : 0);
	u->s.shape_len = prepared.len;
	u->s.shape_text = skip_prepare(prepared.text, &u->s.shape_len);
	u->adopts = true;
}

/* what a driver sends for itself, or a client around its queries */
static MSClass
utility_class(Node *node)
{
	switch (nodeTag(node))
	{
		case T_TransactionStmt:
		case T_VariableSetStmt:
			return MS_CLASS_CONTROL;
		case T_PrepareStmt:
		case T_DeallocateStmt:
		case T_VariableShowStmt:
		case T_ListenStmt:
		case T_UnlistenStmt:
		case T_FetchStmt:
		case T_ClosePortalStmt:
			return MS_CLASS_DRIVER;
		case T_DiscardStmt:
			return ((DiscardStmt *) node)->target == DISCARD_PLANS ?
				MS_CLASS_DRIVER : MS_CLASS_QUERY;
		default:
			return MS_CLASS_QUERY;
	}
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
	ExecuteStmt *execute;
	MSText		text;

	ms_text_locate(&text, source, pstmt->stmt_location, pstmt->stmt_len,
				   level);
	if (level == 0)
		ms_note_top_level(&text);
	ms_statement_init(&u->s, text.source, text.location, text.len);
	u->s.level = level;
	u->s.class = utility_class(node);
	u->s.transaction = u->s.class == MS_CLASS_CONTROL;
	u->s.operation = CMD_UTILITY;
	u->s.tag = level == 0 && pstmt->stmt_location < 0 ?
		ActivePortal->commandTag : CreateCommandTag(node);
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
		case T_ExplainStmt:
			u->adopts = true;
			execute = ms_execute_stmt(node);
			if (execute != NULL)
				(void) adopt_prepared(u, execute);
			break;
		case T_DeclareCursorStmt:
		case T_CopyStmt:
		case T_RefreshMatViewStmt:
			u->adopts = true;
			break;
		default:
			break;
	}
}

/* a command that is not the only one that rules have made of a statement */
static bool
is_beside_others(PlannedStmt *pstmt)
{
	return list_length(ActivePortal->stmts) > 1 &&
		list_member_ptr(ActivePortal->stmts, pstmt) &&
		(ms_portal_query(false) != NULL ||
		 linitial(ActivePortal->stmts) != (void *) pstmt);
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
	MSPlace		was = ms_enter_statement(u->s.level + 1, &u->s);

	u->outer = ms_hooks.utility;
	ms_hooks.utility = u;
	ms_statement_begin(&u->s);
	PG_TRY();
	{
		run_ProcessUtility(MS_UTILITY_ARGS);
	}
	PG_CATCH();
	{
		ms_hooks.at = was;
		ms_hooks.utility = u->outer;
		ms_statement_end(&u->s);
		ms_statement_close(&u->s, MS_ERROR, geterrcode());
		ms_error_listed(u->s.level);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_hooks.at = was;
	ms_hooks.utility = u->outer;
	ms_statement_end(&u->s);
}

/*
 * Rows of a command that the client asks for in parts, as EXECUTE and FETCH
 * may be, wait in its portal, and only those count that it has taken as the
 * portal goes.
 */
typedef struct MSWaiting
{
	MemoryContextCallback callback;
	Portal		portal;
	uint64		rows;
	MSStatement s;
} MSWaiting;

static void
portal_goes(void *arg)
{
	MSWaiting  *waiting = arg;

	if (waiting->portal->portalPos < waiting->rows)
		ms_statement_rows(&waiting->s, waiting->rows,
						  waiting->portal->portalPos);
}

static void
watch_portal(const MSStatement *s)
{
	Portal		portal = ActivePortal;
	MSWaiting  *waiting;

	if (portal->strategy != PORTAL_UTIL_SELECT || s->rows == 0 ||
		portal->portalContext == NULL)
		return;
	waiting = MemoryContextAlloc(portal->portalContext, sizeof(MSWaiting));
	waiting->portal = portal;
	waiting->rows = s->rows;
	waiting->s = *s;
	waiting->callback.func = portal_goes;
	waiting->callback.arg = waiting;
	MemoryContextRegisterResetCallback(portal->portalContext,
									   &waiting->callback);
}

static void
ms_ProcessUtility(MS_UTILITY_PARAMS)
{
	Node	   *node = pstmt->utilityStmt;
	bool		discard_all;
	bool		ends_xact;
	bool		has_failed;
	int			level;
	MSUtility	u;

	discard_all = IsA(node, DiscardStmt) &&
		((DiscardStmt *) node)->target == DISCARD_ALL;

	if (ms_profiling == MS_TRACK_OFF || !ms_profile_ready())
	{
		if (unlikely(ms_session_unlogged))
			ms_session_log_failed();
		run_ProcessUtility(MS_UTILITY_ARGS);
		if (discard_all)
			ms_profile_discard();
		return;
	}

	/* what is part of a command, a rule's NOTIFY, or not asked for */
	level = ms_statement_level(queryString);
	if (context == PROCESS_UTILITY_SUBCOMMAND || !ms_level_is_tracked(level) ||
		(level == 0 && is_beside_others(pstmt)))
	{
		run_ProcessUtility(MS_UTILITY_ARGS);
		return;
	}

	ends_xact = level == 0 && utility_ends_xact(node);
	if (ends_xact && ((TransactionStmt *) node)->kind == TRANS_STMT_ROLLBACK)
		ms_profile_rolls_back();
	has_failed = IsAbortedTransactionBlockState();
	describe_utility(&u, pstmt, queryString, level);
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
	if (level == 0)
		watch_portal(&u.s);

	/* of a transaction that has failed there is no end to come */
	if (ends_xact)
		ms_hooks.blame = has_failed ? MS_BLAME_TEXT : MS_BLAME_END;
}

void
ms_utility_install(void)
{
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = ms_ProcessUtility;
}
