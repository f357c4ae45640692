/*-------------------------------------------------------------------------
 *
 * again.c
 *	  A kept statement is planned again, without and with indexes that are not
 *	  there, to see what they would be good for.
 *
 * To plan is to act: PostgreSQL calls immutable and stable functions while it
 * plans, those of operators with what the statistics have, and the functions
 * by which types read constants already as it looks what a text means.  So a
 * text is only planned
 *
 *	- as the role that ran it, in a security-restricted operation, with the
 *	  search_path that it ran with, and in a subtransaction that is always
 *	  rolled back, with all settings;
 *	- where whoever reads could become that role with SET ROLE (the caller's
 *	  to check: ms_advise());
 *	- as long as nobody's function is called: whatever is not the server's own,
 *	  or written in C (which takes a superuser), ends it.  That is seen where
 *	  every function is looked up (the hooks of fmgr), so it does not matter
 *	  how it would come to be called: from a constant, a domain's CHECK, an
 *	  operator, a view, a policy, an index, or a function that is inlined;
 *	- as long as no query is planned meanwhile: a function of the server's own
 *	  may run one of its arguments (table_to_xml());
 *	- if no foreign table is read: that would be another server's business.
 *
 * What it may read is checked as executing it would, before anything is told
 * of the plan: that has numbers of rows.
 *
 * No lock is waited for longer than LOCK_TIMEOUT, and planning ends where the
 * reading's time is over.  Parse analysis and rewriting are done without their
 * hooks: to others this statement is none.  The planner is called with all
 * hooks but ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "parser/parse_param.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"
#include "advice/undo.h"
#include "figures/figures.h"

#define LOCK_TIMEOUT	"10"	/* ms */

/* so many columns more are kept in an index, of so many bytes each */
#define INCLUDED		3
#define INCLUDED_WIDTH	32

/* what is being planned again, NULL else; and its query, or NULL */
static MSAgain *guarding = NULL;
static Query *guarded_query;
static MemoryContext refused_in;

static needs_fmgr_hook_type prev_needs_fmgr = NULL;
static fmgr_hook_type prev_fmgr = NULL;
static planner_hook_type prev_planner = NULL;
static set_rel_pathlist_hook_type prev_rel_paths = NULL;
static set_join_pathlist_hook_type prev_join_paths = NULL;

static void
refuse(MSAgain *again, const char *why)
{
	again->why = why;
	elog(ERROR, "%s", why);
}

/*
 * Functions
 */

/* not even a function that somebody has defined anew */
static bool
is_trusted(Oid funcid)
{
	HeapTuple	tuple;
	Oid			language;

	if (funcid < FirstNormalObjectId)
		return true;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return false;
	language = ((Form_pg_proc) GETSTRUCT(tuple))->prolang;
	ReleaseSysCache(tuple);
	return language == INTERNALlanguageId || language == ClanguageId;
}

static void
guard(Oid funcid)
{
	MemoryContext saved;
	char	   *why;

	if (guarding == NULL || is_trusted(funcid))
		return;
	saved = MemoryContextSwitchTo(refused_in);
	why = psprintf("it calls %s", format_procedure_qualified(funcid));
	MemoryContextSwitchTo(saved);
	refuse(guarding, why);
}

/* asked whenever a function is looked up, but for what has its own settings */
static bool
needs_fmgr(Oid funcid)
{
	guard(funcid);
	return prev_needs_fmgr ? prev_needs_fmgr(funcid) : false;
}

/* which comes here before it runs */
static void
on_fmgr(FmgrHookEventType event, FmgrInfo *flinfo, Datum *private)
{
	if (event == FHET_START)
		guard(flinfo->fn_oid);
	if (prev_fmgr)
		prev_fmgr(event, flinfo, private);
}

/*
 * What the type cache has looked up before is not looked up again: the
 * function by which the selectivity of a range is judged.
 */
static void
guard_range(Oid type)
{
	Oid			elem = get_element_type(getBaseType(type));
	HeapTuple	tuple;

	type = getBaseType(OidIsValid(elem) ? elem : type);
	if (get_typtype(type) == TYPTYPE_MULTIRANGE)
		type = get_multirange_range(type);
	tuple = SearchSysCache1(RANGETYPE, ObjectIdGetDatum(type));
	if (HeapTupleIsValid(tuple))
	{
		Oid			difference = ((Form_pg_range) GETSTRUCT(tuple))->rngsubdiff;

		ReleaseSysCache(tuple);
		if (OidIsValid(difference))
			guard(difference);
	}
}

static bool
guard_ranges(Node *node, void *context)
{
	List	   *args = NIL;
	ListCell   *lc;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, guard_ranges, context, 0);
	if (IsA(node, OpExpr))
		args = ((OpExpr *) node)->args;
	else if (IsA(node, ScalarArrayOpExpr))
		args = ((ScalarArrayOpExpr *) node)->args;
	else if (IsA(node, RowCompareExpr))
		args = ((RowCompareExpr *) node)->largs;
	foreach(lc, args)
		guard_range(exprType(lfirst(lc)));
	return expression_tree_walker(node, guard_ranges, context);
}

/*
 * Queries and time
 */

static PlannedStmt *
guarded_planner(MS_PLANNER_PARAMS)
{
	if (guarding != NULL && parse != guarded_query)
		refuse(guarding, "it runs a query as it is planned");
	return prev_planner ? prev_planner(MS_PLANNER_ARGS) :
		standard_planner(MS_PLANNER_ARGS);
}

static void
check_time(void)
{
	if (guarding != NULL && ms_now_ns() > guarding->deadline)
		refuse(guarding, "missing_symbol.advice_time is over");
}

static void
on_rel_paths(PlannerInfo *root, RelOptInfo *rel, Index rti,
			 RangeTblEntry *rte)
{
	check_time();
	if (prev_rel_paths)
		prev_rel_paths(root, rel, rti, rte);
}

static void
on_join_paths(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outerrel,
			  RelOptInfo *innerrel, JoinType jointype,
			  JoinPathExtraData *extra)
{
	check_time();
	if (prev_join_paths)
		prev_join_paths(root, joinrel, outerrel, innerrel, jointype, extra);
}

static void
install(void)
{
	static bool installed = false;

	if (installed)
		return;
	prev_planner = planner_hook;
	planner_hook = guarded_planner;
	prev_rel_paths = set_rel_pathlist_hook;
	set_rel_pathlist_hook = on_rel_paths;
	prev_join_paths = set_join_pathlist_hook;
	set_join_pathlist_hook = on_join_paths;
	prev_needs_fmgr = needs_fmgr_hook;
	needs_fmgr_hook = needs_fmgr;
	prev_fmgr = fmgr_hook;
	fmgr_hook = on_fmgr;
	installed = true;
}

/*
 * The statement
 */

/* what EXPLAIN, PREPARE and the like are about; NULL: nothing to be planned */
static RawStmt *
parse(const char *text)
{
	List	   *list = pg_parse_query(text);
	RawStmt    *raw;

	if (list_length(list) != 1)
		return NULL;
	raw = linitial_node(RawStmt, list);
	for (;;)
	{
		Node	   *stmt = raw->stmt;

		switch (nodeTag(stmt))
		{
			case T_PrepareStmt:
				raw->stmt = ((PrepareStmt *) stmt)->query;
				break;
			case T_DeclareCursorStmt:
				raw->stmt = ((DeclareCursorStmt *) stmt)->query;
				break;
			case T_ExplainStmt:
				raw->stmt = ((ExplainStmt *) stmt)->query;
				break;
			case T_CreateTableAsStmt:
				raw->stmt = ((CreateTableAsStmt *) stmt)->query;
				break;
			case T_CopyStmt:
				raw->stmt = ((CopyStmt *) stmt)->query;
				break;
			case T_SelectStmt:
			case T_InsertStmt:
			case T_UpdateStmt:
			case T_DeleteStmt:
#if MS_HAVE_MERGE
			case T_MergeStmt:
#endif
				return raw;
			default:
				return NULL;
		}
		if (raw->stmt == NULL)
			return NULL;
	}
}

/* a name may be a CTE's: then nothing is lost */
static bool
lock_tables(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeVar))
	{
		Oid			relid = RangeVarGetRelid((RangeVar *) node, NoLock, true);

		if (OidIsValid(relid) &&
			!ConditionalLockRelationOid(relid, AccessShareLock))
			refuse(context, "a table is locked");
	}
	return raw_expression_tree_walker(node, lock_tables, context);
}

/* it, or a partition or a child of it */
static bool
is_foreign(Oid relid)
{
	ListCell   *lc;

	if (!has_subclass(relid))
		return get_rel_relkind(relid) == RELKIND_FOREIGN_TABLE;
	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_FOREIGN_TABLE)
			return true;
	return false;
}

static bool
has_foreign_table(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
		return ((RangeTblEntry *) node)->rtekind == RTE_RELATION &&
			is_foreign(((RangeTblEntry *) node)->relid);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_foreign_table, context,
								 QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, has_foreign_table, context);
}

static List *
analyze(MSAgain *again, RawStmt *raw)
{
	const MSKept *kept = again->kept;
	ParseState *pstate = make_parsestate(NULL);
	Query	   *query;
	List	   *queries;

	pstate->p_sourcetext = kept->text;
	if (kept->nparams > 0)
		ms_setup_parse_fixed_parameters(pstate, kept->types, kept->nparams);
	query = transformTopLevelStmt(pstate, raw);
	free_parsestate(pstate);
	query->queryId = 0;
	queries = QueryRewrite(query);
	if (has_foreign_table((Node *) queries, NULL))
		refuse(again, "it may read a foreign table");
	(void) guard_ranges((Node *) queries, NULL);
	return queries;
}

/*
 * Plans
 */

/*
 * To be told of a plan one must be allowed to execute it.  Without the hook:
 * nothing is read, and no executor is there.
 */
static void
check_permissions(MSAgain *again, PlannedStmt *stmt)
{
	ExecutorCheckPerms_hook_type hook = ExecutorCheckPerms_hook;
	bool		allowed;

	ExecutorCheckPerms_hook = NULL;
	PG_TRY();
	{
		allowed = ExecCheckPermissions(stmt->rtable, ms_stmt_permissions(stmt),
									   false);
	}
	PG_FINALLY();
	{
		ExecutorCheckPerms_hook = hook;
	}
	PG_END_TRY();
	if (!allowed)
		refuse(again, "its role may not run it any more");
}

/* is the table that it is about among those that are read? */
static bool
is_read(Oid relid, List *rtable)
{
	ListCell   *lc;

	foreach(lc, rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION &&
			ms_topmost(rte->relid) == ms_topmost(relid))
			return true;
	}
	return false;
}

/* all that rules have made of it */
static MSPlanned
plan(MSAgain *again, List *queries, List *indexes)
{
	MSPlanned	plans = {.expected = -1, .relid = again->relid, .more = 1};
	bool		is_about_it = false;
	ListCell   *lc;

	CHECK_FOR_INTERRUPTS();
	if (indexes != NIL && again->expected >= 0)
		plans.more = Max(again->came / Max(again->expected, 1), 1);
	foreach(lc, queries)
	{
		Query	   *query = copyObject(lfirst_node(Query, lc));
		PlannedStmt *stmt;

		if (query->commandType == CMD_UTILITY)
			continue;
		guarded_query = query;
		(void) ms_hypothetical_show(indexes, query);
		stmt = ms_plan_query(query, again->kept->text, CURSOR_OPT_PARALLEL_OK,
						  again->kept->params);
		guarded_query = NULL;
		if (indexes == NIL)
			check_permissions(again, stmt);
		is_about_it = is_about_it || is_read(again->relid, stmt->rtable);
		ms_look_at_plan(stmt, &plans);
	}
	if (!is_about_it)
		refuse(again, "its text means other tables now");
	return plans;
}

/* as it was planned with: without statistics of an expression */
bool
ms_is_guessed(const MSRemedy *remedy)
{
	ListCell   *lc;

	foreach(lc, remedy->indexes)
		if (((MSIndex *) lfirst(lc))->guessed)
			return true;
	return false;
}

/* much of what it costs, and of the blocks that it reads */
bool
ms_saves(const MSRemedy *remedy, const MSAgain *again)
{
	return remedy->used && remedy->cost <= again->cost * MS_PROVED_SHARE &&
		remedy->blocks <= again->blocks * MS_PROVED_SHARE;
}

static bool
uses_all(const MSPlanned *plans, List *indexes)
{
	ListCell   *lc;

	foreach(lc, indexes)
		if (!list_member_oid(plans->used, ((MSIndex *) lfirst(lc))->oid))
			return false;
	return true;
}

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* could it use an index of expressions, were it made to? */
static void
plan_usable(MSAgain *again, List *queries)
{
	ListCell   *lc;

	set_local("enable_seqscan", "off");
	foreach(lc, again->remedies)
	{
		MSRemedy   *remedy = lfirst(lc);

		if (OidIsValid(remedy->there) || !remedy->measured ||
			!ms_is_guessed(remedy))
			continue;
		remedy->usable = remedy->used;
		if (!remedy->used)
		{
			MSPlanned	plans = plan(again, queries, remedy->indexes);

			remedy->usable = uses_all(&plans, remedy->indexes);
		}
	}
}

/* could it use an index that is there, were it made to? */
static void
plan_forced(MSAgain *again, List *queries, MemoryContext context)
{
	MSPlanned	plans;
	MemoryContext saved;

	set_local("enable_seqscan", "off");
	plans = plan(again, queries, NIL);
	saved = MemoryContextSwitchTo(context);
	again->forced_used = list_copy(plans.used);
	MemoryContextSwitchTo(saved);
	if (plans.used != NIL)
		again->forced_cost = plans.cost;
}

/*
 * The columns of the table that a simple query needs, beside those of the
 * index; NIL where that cannot be told, or would be too much to keep twice.
 */
static List *
columns_to_include(MSAgain *again, List *queries, const MSIndex *index)
{
	Query	   *query = linitial_node(Query, queries);
	Index		found = 0;
	Bitmapset  *attnos = NULL;
	Bitmapset  *keys = NULL;
	List	   *included = NIL;
	int			i = -1;
	ListCell   *lc;

	if (list_length(queries) != 1 || query->commandType != CMD_SELECT ||
		query->hasSubLinks || query->setOperations != NULL)
		return NIL;
	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_SUBQUERY || rte->rtekind == RTE_CTE)
			return NIL;
		if (rte->rtekind == RTE_RELATION && rte->relid == index->relid)
		{
			if (found > 0)
				return NIL;
			found = list_cell_number(query->rtable, lc) + 1;
		}
	}
	if (found == 0)
		return NIL;
	pull_varattnos((Node *) query->targetList, found, &attnos);
	pull_varattnos((Node *) query->jointree, found, &attnos);
	pull_varattnos(query->havingQual, found, &attnos);
	foreach(lc, index->columns)
		pull_varattnos(((MSIndexColumn *) lfirst(lc))->expr, 1, &keys);
	attnos = bms_del_members(attnos, keys);
	if (bms_num_members(attnos) > INCLUDED)
		return NIL;
	while ((i = bms_next_member(attnos, i)) >= 0)
	{
		AttrNumber	attno = i + FirstLowInvalidHeapAttributeNumber;
		Oid			type;
		int32		typmod;
		Oid			collation;

		if (attno <= 0 ||
			get_attavgwidth(index->relid, attno) > INCLUDED_WIDTH)
			return NIL;
		get_atttypetypmodcoll(index->relid, attno, &type, &typmod, &collation);
		included = lappend(included, makeVar(1, attno, type, typmod,
											 collation, 0));
	}
	return included;
}

/*
 * Where nothing else helps: the first of the btrees again, so that the table
 * need not be looked into.
 */
static void
plan_covering(MSAgain *again, List *queries, MemoryContext context)
{
	MSRemedy   *best = NULL;
	MSRemedy   *covering;
	MSIndex    *index;
	List	   *included;
	MSPlanned	plans;
	MemoryContext saved;
	ListCell   *lc;

	foreach(lc, again->remedies)
	{
		MSRemedy   *remedy = lfirst(lc);

		if (ms_saves(remedy, again))
			return;
		if (best == NULL && !OidIsValid(remedy->there))
			best = remedy;
	}
	if (best == NULL || list_length(best->indexes) != 1 ||
		OidIsValid(best->invalid) || ms_now_ns() > again->deadline)
		return;
	index = linitial(best->indexes);
	if (index->am != BTREE_AM_OID)
		return;
	included = columns_to_include(again, queries, index);
	if (included == NIL)
		return;

	saved = MemoryContextSwitchTo(context);
	covering = palloc(sizeof(MSRemedy));
	*covering = *best;
	covering->covering = true;
	index = palloc(sizeof(MSIndex));
	*index = *(MSIndex *) linitial(best->indexes);
	index->included = copyObject(included);
	covering->indexes = list_make1(index);
	again->remedies = lappend(again->remedies, covering);
	MemoryContextSwitchTo(saved);
	plans = plan(again, queries, covering->indexes);
	covering->cost = plans.cost;
	covering->blocks = plans.blocks;
	covering->used = uses_all(&plans, covering->indexes);
}

static void
plan_as_role(void *arg)
{
	MSAgain    *again = arg;
	const MSKept *kept = again->kept;
	MemoryContext context = CurrentMemoryContext;
	MemoryContext garbage = AllocSetContextCreate(context, "planned again",
												  ALLOCSET_DEFAULT_SIZES);
	bool		any_there = false;
	int			sec_context;
	Oid			userid;
	RawStmt    *raw;
	List	   *queries;
	MSPlanned	plans;
	ListCell   *lc;

	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(kept->userid, sec_context |
						   SECURITY_RESTRICTED_OPERATION |
						   SECURITY_LOCAL_USERID_CHANGE);
	(void) NewGUCNestLevel();
	set_local("search_path", kept->search_path);
	set_local("lock_timeout", LOCK_TIMEOUT);
	set_local("client_min_messages", "error");
	PushActiveSnapshot(GetTransactionSnapshot());
	MemoryContextSwitchTo(garbage);

	raw = parse(kept->text);
	if (raw == NULL)
		refuse(again, "its text is no statement that can be planned");
	(void) lock_tables(raw->stmt, again);
	queries = analyze(again, raw);

	plans = plan(again, queries, NIL);
	again->cost = plans.cost;
	again->blocks = plans.blocks;
	again->expected = plans.expected;
	MemoryContextSwitchTo(context);
	again->used = list_copy(plans.used);
	MemoryContextSwitchTo(garbage);

	foreach(lc, again->remedies)
	{
		MSRemedy   *remedy = lfirst(lc);

		if (OidIsValid(remedy->there))
		{
			any_there = true;
			continue;
		}
		plans = plan(again, queries, remedy->indexes);
		remedy->cost = plans.cost;
		remedy->blocks = plans.blocks;
		remedy->used = uses_all(&plans, remedy->indexes);
	}
	plan_covering(again, queries, context);
	plan_usable(again, queries);
	if (any_there)
		plan_forced(again, queries, context);
	PopActiveSnapshot();
	MemoryContextSwitchTo(context);
	MemoryContextDelete(garbage);
}

/* why it could not be done, from the error that has ended it */
static const char *
why_not(MSAgain *again, ErrorData *error)
{
	if (again->why != NULL)
		return again->why;
	if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		return "a table is locked";
	return "its text by itself cannot be planned";
}

void
ms_plan_again(MSAgain *again)
{
	ErrorData  *volatile error = NULL;
	MSShown		before;

	install();
	before = ms_hypothetical_show(NIL, NULL);
	again->planned = false;
	again->why = NULL;
	refused_in = CurrentMemoryContext;
	guarded_query = NULL;
	Assert(guarding == NULL);
	guarding = again;
	PG_TRY();
	{
		error = ms_undo_and_catch(plan_as_role, again, true);
	}
	PG_FINALLY();
	{
		guarding = NULL;
		ms_hypothetical_restore(before);
	}
	PG_END_TRY();
	again->planned = error == NULL && again->why == NULL;
	if (error != NULL)
		again->why = why_not(again, error);
}
