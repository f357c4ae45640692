/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  explain_analyze(query, params, setup, format): EXPLAIN (ANALYZE, BUFFERS,
 *	  WAL, SETTINGS) that leaves no trace, and says what it could not undo.
 *
 * Setup and query run in an inner subtransaction that is rolled back; so a
 * setup is a what-if.  The plan is core's own output.  While it is made, a
 * hook at ExecutorEnd looks at the executed plan of the query's own text, and
 * at no nested one; it is put in place at the first use.
 *
 * In the formats for machines the answer is EXPLAIN's document with one more
 * element at its end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "commands/prepare.h"
#include "commands/trigger.h"
#include "executor/instrument.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/undo.h"
#include "profile/profile.h"
#include "trial/trial_internal.h"

typedef struct MSExplain
{
	MSQuery	query;
	ArrayType  *params;
	const char *setup;
	ExplainState *es;
	MemoryContext context;		/* of what outlives the run */
	const char *executed;		/* text that the plan bears; NULL: not yet */
	QueryDesc  *own;			/* of that text, from its start to its end */
	List	   *fk_checks;		/* of QueryDesc: likewise */
	MSKept		kept;			/* the query, to be planned again */
	int64		temp_blocks;	/* written before it ran */
	List	   *facts;			/* of MSFact */
	List	   *findings;		/* of MSFinding */
	List	   *notes;			/* of char * */
	bool		has_deferred;	/* constraints are waiting to be checked */
	ErrorData  *deferred;		/* what they would raise, or NULL */
	struct MSExplain *outer;
} MSExplain;

static ExecutorStart_hook_type prev_ExecutorStart = NULL;
static ExecutorEnd_hook_type prev_ExecutorEnd = NULL;
static MSExplain *current = NULL;

PG_FUNCTION_INFO_V1(ms_explain_analyze);

/*
 * The executed plan
 */

static void
note_unusable_indexes(MSExplain *x, PlannedStmt *plan)
{
	List	   *seen = NIL;
	MemoryContext saved;
	ListCell   *lc;

	saved = MemoryContextSwitchTo(x->context);
	foreach(lc, plan->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);
		Relation	rel;
		ListCell   *i;

		if (rte->rtekind != RTE_RELATION || rte->relkind == RELKIND_VIEW ||
			list_member_oid(seen, rte->relid))
			continue;
		seen = lappend_oid(seen, rte->relid);
		rel = table_open(rte->relid, AccessShareLock);
		foreach(i, RelationGetIndexList(rel))
		{
			if (ms_index_is_unusable(lfirst_oid(i)))
				x->notes = lappend(x->notes,
								   psprintf("index %s could not be used here: rows of its table had been updated in place before it was made; a transaction that begins later can use it",
											ms_relation_name(lfirst_oid(i))));
		}
		table_close(rel, AccessShareLock);
	}
	MemoryContextSwitchTo(saved);
}

/*
 * Is it the query's own, or the check of a foreign key?  To be found out as
 * it starts: EXECUTE's text goes with what it executes, which may deallocate
 * itself.  An error leaves its QueryDescs in the list, until others have the
 * same address.
 */
static void
classify(MSExplain *x, QueryDesc *queryDesc)
{
	MemoryContext saved;

	x->fk_checks = list_delete_ptr(x->fk_checks, queryDesc);
	if (x->own == NULL && queryDesc->sourceText == x->executed)
		x->own = queryDesc;
	else if (ms_is_fk_check(queryDesc->sourceText))
	{
		saved = MemoryContextSwitchTo(x->context);
		x->fk_checks = lappend(x->fk_checks, queryDesc);
		MemoryContextSwitchTo(saved);

		/* rows are counted there, too */
		queryDesc->instrument_options |= INSTRUMENT_ROWS;
	}
}

static void
explain_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	if (current != NULL && current->executed != NULL)
		classify(current, queryDesc);
	if (prev_ExecutorStart)
		prev_ExecutorStart(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);
}

/* a foreign key is checked many times: each fact once, added up */
static void
remember_fact(MSExplain *x, const MSFact *fact)
{
	MemoryContext saved;
	MSFact	   *added;
	ListCell   *lc;

	foreach(lc, x->facts)
	{
		if (ms_fact_is_same(lfirst(lc), fact))
		{
			ms_fact_add(lfirst(lc), fact);
			return;
		}
	}
	saved = MemoryContextSwitchTo(x->context);
	added = palloc(sizeof(MSFact));
	*added = *fact;
	added->clauses = copyObject(fact->clauses);
	added->order = copyObject(fact->order);
	x->facts = lappend(x->facts, added);
	MemoryContextSwitchTo(saved);
}

/* what it is to be planned again with: as who calls, with what he gave */
static void
keep_query(MSExplain *x)
{
	x->kept.userid = GetUserId();
	x->kept.search_path = pstrdup(namespace_search_path);
	x->kept.text = strlen(x->query.text) <= MS_KEPT_TEXT ? x->query.text :
		NULL;
	x->kept.nparams = x->query.ntypes;
	x->kept.types = x->query.types;
	x->kept.params = x->query.params;
	x->kept.values_known = true;
}

/* the parameters of EXECUTE are its own */
static void
keep_prepared(MSExplain *x, PreparedStatement *prepared)
{
	MemoryContext saved = MemoryContextSwitchTo(x->context);

	x->kept.text = strlen(x->executed) <= MS_KEPT_TEXT ? pstrdup(x->executed) :
		NULL;
	x->kept.nparams = prepared->plansource->num_params;
	x->kept.values_known = x->kept.nparams == 0;
	x->kept.params = NULL;
	MemoryContextSwitchTo(saved);
}

static void
look_at_plan(MSExplain *x, QueryDesc *queryDesc)
{
	bool		own = queryDesc == x->own;
	int64		temp_blocks = 0;
	ListCell   *lc;

	if (own)
	{
		temp_blocks = pgBufferUsage.temp_blks_written - x->temp_blocks;
		x->own = NULL;
	}
	else if (list_member_ptr(x->fk_checks, queryDesc))
		x->fk_checks = list_delete_ptr(x->fk_checks, queryDesc);
	else
		return;
	foreach(lc, ms_facts_collect(queryDesc, !own, own, temp_blocks))
	{
		MSFact	   *fact = lfirst(lc);

		if (own && x->kept.text != NULL)
			fact->kept = &x->kept;
		remember_fact(x, fact);
	}
	if (own && queryDesc->plannedstmt->transientPlan)
		note_unusable_indexes(x, queryDesc->plannedstmt);
}

static void
explain_ExecutorEnd(QueryDesc *queryDesc)
{
	if (current != NULL && current->executed != NULL)
		look_at_plan(current, queryDesc);
	if (prev_ExecutorEnd)
		prev_ExecutorEnd(queryDesc);
	else
		standard_ExecutorEnd(queryDesc);
}

/*
 * EXPLAIN
 */

static void
check_explainable(RawStmt *raw)
{
	switch (nodeTag(raw->stmt))
	{
		case T_SelectStmt:
		case T_InsertStmt:
		case T_UpdateStmt:
		case T_DeleteStmt:
#if MS_HAVE_MERGE
		case T_MergeStmt:
#endif
		case T_DeclareCursorStmt:
		case T_CreateTableAsStmt:
		case T_ExecuteStmt:
			return;
		case T_ExplainStmt:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot explain EXPLAIN"),
					 errhint("Give the statement without EXPLAIN.")));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot explain %s",
							GetCommandTagName(CreateCommandTag(raw->stmt))),
					 errdetail("EXPLAIN accepts SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, EXECUTE, DECLARE, CREATE TABLE AS and CREATE MATERIALIZED VIEW AS.")));
	}
}

static void
explain_utility(MSExplain *x, Query *query)
{
	ParseState *pstate = make_parsestate(NULL);
	ExecuteStmt *execute = ms_execute_stmt(query->utilityStmt);

	pstate->p_sourcetext = x->query.text;
	if (execute != NULL)
	{
		PreparedStatement *prepared = FetchPreparedStatement(execute->name,
															 true);

		x->executed = prepared->plansource->query_string;
		keep_prepared(x, prepared);
	}
	ExplainOneUtility(query->utilityStmt, NULL, x->es, pstate,
					  x->query.params);
	free_parsestate(pstate);
}

static void
explain_query(MSExplain *x, Query *query)
{
	const char *text = x->query.text;
	BufferUsage before;
	BufferUsage usage = {0};
	instr_time	start;
	instr_time	duration;
	PlannedStmt *plan;

	if (query->commandType == CMD_UTILITY)
	{
		explain_utility(x, query);
		return;
	}
	if (ExplainOneQuery_hook)
	{
		ExplainOneQuery_hook(query, CURSOR_OPT_PARALLEL_OK, NULL, x->es, text,
							 x->query.params, NULL);
		return;
	}
	before = pgBufferUsage;
	INSTR_TIME_SET_CURRENT(start);
	plan = pg_plan_query(query, text, CURSOR_OPT_PARALLEL_OK,
						 x->query.params, x->es);
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	BufferUsageAccumDiff(&usage, &pgBufferUsage, &before);
	ExplainOnePlan(plan, NULL, x->es, text, x->query.params, NULL, &duration,
				   &usage, NULL);
}

static ExplainState *
new_explain_state(const char *format)
{
	ExplainState *es = NewExplainState();

	es->analyze = true;
	es->buffers = true;
	es->wal = true;
	es->settings = true;
	es->timing = true;
	es->summary = true;
	if (pg_strcasecmp(format, "text") == 0)
		es->format = EXPLAIN_FORMAT_TEXT;
	else if (pg_strcasecmp(format, "json") == 0)
		es->format = EXPLAIN_FORMAT_JSON;
	else if (pg_strcasecmp(format, "yaml") == 0)
		es->format = EXPLAIN_FORMAT_YAML;
	else if (pg_strcasecmp(format, "xml") == 0)
		es->format = EXPLAIN_FORMAT_XML;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized format \"%s\"", format),
				 errhint("Available formats: text, json, yaml, xml.")));
	return es;
}

/*
 * Setup
 */

static void
note_once(MSExplain *x, char *note)
{
	ListCell   *lc;

	foreach(lc, x->notes)
		if (strcmp(lfirst(lc), note) == 0)
			return;
	x->notes = lappend(x->notes, note);
}

/* what no rollback would undo, of a statement that is analysed */
static void
note_volatile(MSExplain *x, MSQuery *query)
{
	MemoryContext saved = MemoryContextSwitchTo(x->context);
	List	   *names = ms_query_volatile(query, false);
	ListCell   *lc;

	foreach(lc, query->queries)
	{
		Query	   *one = lfirst_node(Query, lc);

		if (one->utilityStmt != NULL && IsA(one->utilityStmt, DoStmt))
			names = lappend(names, NULL);
	}
	foreach(lc, names)
	{
		char	   *name = lfirst(lc);

		note_once(x, psprintf("%s%s is volatile: what it does outside of the database is not undone",
							  name ? "function " : "DO", name ? name : ""));
	}
	MemoryContextSwitchTo(saved);
}

/* statement by statement, each looked at as it is about to run */
static void
run_setup(MSExplain *x)
{
	MSQuery		all = {0};
	List	   *statements;
	ListCell   *lc;

	all.text = x->setup;
	ms_query_enter(&all);
	statements = pg_parse_query(all.text);
	ms_query_leave(&all);

	SPI_connect();
	foreach(lc, statements)
	{
		RawStmt    *raw = lfirst_node(RawStmt, lc);
		const char *from = all.text + raw->stmt_location;
		MSQuery		query;
		int			rc;

		ms_query_parse(&query, "setup",
					   pnstrdup(from, raw->stmt_len > 0 ? raw->stmt_len :
								strlen(from)));
		ms_query_rewrite(&query);
		note_volatile(x, &query);
		rc = SPI_execute(query.text, false, 0);
		if (rc == SPI_ERROR_COPY || rc == SPI_ERROR_TRANSACTION)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 rc == SPI_ERROR_COPY ?
					 errmsg("setup cannot COPY to or from the client") :
					 errmsg("setup cannot control transactions")));
		if (rc < 0)
			elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(rc));
	}
	SPI_finish();
}

/*
 * Deferred constraints
 */

/* have the statement or its caller left any? */
static bool
constraints_pending(void)
{
	ListCell   *lc;

	foreach(lc, ms_written_relations())
	{
		if (AfterTriggerPendingOnRel(lfirst_oid(lc)))
			return true;
	}
	return false;
}

static void
check_constraints(void *arg)
{
	ConstraintsSetStmt *stmt = makeNode(ConstraintsSetStmt);

	AfterTriggerSetState(stmt);
}

/*
 * To check them is to fire the triggers, all that are waiting: those of the
 * caller of a SECURITY DEFINER function must not run as its owner.
 */
static bool
may_check_constraints(void)
{
	return GetUserId() == GetOuterUserId() && !InLocalUserIdChange() &&
		!InSecurityRestrictedOperation();
}

/*
 * The caller's own are among them, and may be such that they hold only as it
 * commits: that says nothing of the statement.
 */
static void
note_constraints(MSExplain *x)
{
	const char *note = "deferred constraints hold";

	if (!x->has_deferred)
		return;
	if (!may_check_constraints())
		note = "deferred constraints are not checked in a SECURITY DEFINER function";
	else if (x->deferred != NULL)
		note = ms_undo_and_catch(check_constraints, NULL, false) != NULL ?
			psprintf("deferred constraints could not be checked: those of the transaction do not hold yet without the statement: %s",
					 x->deferred->message) :
			psprintf("deferred constraints do not hold: %s",
					 x->deferred->message);
	x->notes = lappend(x->notes, pstrdup(note));
}

/*
 * The run that is undone
 */

static void
run_and_explain(void *arg)
{
	MSExplain  *x = arg;
	ListCell   *lc;

	if (x->setup != NULL)
		run_setup(x);
	PushActiveSnapshot(GetTransactionSnapshot());
	ms_query_analyze(&x->query, x->params);
	note_volatile(x, &x->query);

	keep_query(x);
	ms_query_enter(&x->query);
	x->executed = x->query.text;
	x->temp_blocks = pgBufferUsage.temp_blks_written;
	ExplainBeginOutput(x->es);
	if (x->query.queries == NIL && x->es->format == EXPLAIN_FORMAT_TEXT)
		appendStringInfoString(x->es->str, "Query rewrites to nothing\n");
	foreach(lc, x->query.queries)
	{
		explain_query(x, lfirst_node(Query, lc));
		if (lnext(x->query.queries, lc) != NULL)
			ExplainSeparatePlans(x->es);
	}
	ms_query_leave(&x->query);
	PopActiveSnapshot();

	x->has_deferred = constraints_pending();
	if (x->has_deferred && may_check_constraints())
		x->deferred = ms_undo_and_catch(check_constraints, NULL, false);
	/* here, where the catalog is still that of the run */
	x->findings = ms_findings(x->facts);
}

/* run it, undo it, whatever happens */
static void
explain_and_undo(MSExplain *x)
{
	static bool installed = false;
	MSTraces	traces;

	if (!installed)
	{
		prev_ExecutorStart = ExecutorStart_hook;
		ExecutorStart_hook = explain_ExecutorStart;
		prev_ExecutorEnd = ExecutorEnd_hook;
		ExecutorEnd_hook = explain_ExecutorEnd;
		installed = true;
	}
	ms_traces_begin(&traces);
	ms_profile_pause();
	x->context = CurrentMemoryContext;
	x->outer = current;
	current = x;
	PG_TRY();
	{
		ms_undo(run_and_explain, x);
		note_constraints(x);
	}
	PG_FINALLY();
	{
		current = x->outer;
		ms_traces_stop(&traces);
		ms_profile_resume();
	}
	PG_END_TRY();
	x->notes = list_concat(x->notes, ms_traces_end(&traces));
}

/*
 * SQL
 */

static void
append_text(MSExplain *x)
{
	StringInfo	str = x->es->str;
	ListCell   *lc;

	appendStringInfoString(str, x->findings == NIL ? "Findings: none\n" :
						   "Findings:\n");
	foreach(lc, x->findings)
	{
		MSFinding  *finding = lfirst(lc);

		appendStringInfo(str, "  %s%s%s", finding->kind,
						 finding->relation ? " on " : "",
						 finding->relation ? finding->relation : "");
		appendStringInfo(str, ": %.0f rows read", finding->rows_read);
		if (finding->rows_discarded >= 0)
			appendStringInfo(str, ", %.0f discarded", finding->rows_discarded);
		appendStringInfo(str, "; %s\n", finding->why);
		if (finding->suggestion != NULL)
			appendStringInfo(str, "    %s\n", finding->suggestion);
	}
	if (x->notes != NIL)
		appendStringInfoString(str, "Notes:\n");
	foreach(lc, x->notes)
		appendStringInfo(str, "  %s\n", (char *) lfirst(lc));
}

static void
append_finding(MSFinding *finding, ExplainState *es)
{
	ExplainOpenGroup("Finding", NULL, true, es);
	ExplainPropertyText("Kind", finding->kind, es);
	if (finding->relation != NULL)
		ExplainPropertyText("Relation", finding->relation, es);
	if (finding->columns != NIL)
		ExplainPropertyList("Columns", finding->columns, es);
	ExplainPropertyFloat("Rows Read", NULL, finding->rows_read, 0, es);
	if (finding->rows_discarded >= 0)
		ExplainPropertyFloat("Rows Discarded", NULL, finding->rows_discarded,
							 0, es);
	if (finding->ratio >= 0)
		ExplainPropertyFloat("Ratio", NULL, finding->ratio, 4, es);
	if (finding->suggestion != NULL)
		ExplainPropertyText("Suggestion", finding->suggestion, es);
	ExplainPropertyText("Why", finding->why, es);
	ExplainCloseGroup("Finding", NULL, true, es);
}

/* one more element of EXPLAIN's document */
static void
append_element(MSExplain *x)
{
	ExplainState *es = x->es;
	ListCell   *lc;

	ExplainOpenGroup("Analysis", NULL, true, es);
	ExplainOpenGroup("Findings", "Findings", false, es);
	foreach(lc, x->findings)
		append_finding(lfirst(lc), es);
	ExplainCloseGroup("Findings", "Findings", false, es);
	ExplainPropertyList("Notes", x->notes, es);
	ExplainCloseGroup("Analysis", NULL, true, es);
}

/* text: a row for each line; else one row, as EXPLAIN does */
static void
put_answer(ReturnSetInfo *rsinfo, ExplainState *es)
{
	char	   *rest = es->str->data;

	while (*rest)
	{
		int			len = es->format == EXPLAIN_FORMAT_TEXT ?
			strcspn(rest, "\n") : strlen(rest);
		Datum		value = PointerGetDatum(cstring_to_text_with_len(rest, len));
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value,
							 &isnull);
		rest += len;
		if (*rest)
			rest++;
	}
}

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* explain_analyze(query, params, setup, format) */
Datum
ms_explain_analyze(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *format = text_argument(fcinfo, 3);
	MSExplain	x = {0};

	ms_profile_own();
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("query must not be null")));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	x.es = new_explain_state(format ? format : "text");
	x.params = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);
	x.setup = text_argument(fcinfo, 2);
	ms_query_parse(&x.query, "query", text_argument(fcinfo, 0));
	check_explainable(x.query.raw);

	explain_and_undo(&x);
	if (x.es->format == EXPLAIN_FORMAT_TEXT)
		append_text(&x);
	else
		append_element(&x);
	ExplainEndOutput(x.es);
	put_answer(rsinfo, x.es);
	return (Datum) 0;
}
