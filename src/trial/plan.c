/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  explain(statement, params, setup): the plan of a statement that is not
 *	  run, with indexes that are not there.
 *
 * The setup is SET, and CREATE INDEX, of which nothing is made: the planner is
 * shown it.  All of it is in a subtransaction that is rolled back.  Without
 * params, a statement that has some gets its generic plan.
 *
 * What CREATE INDEX would refuse is refused; but who does not own the table
 * may try, if he may read the columns: the cost of the index tells of their
 * statistics.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "parser/parse_utilcmd.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "advice/hypothetical.h"
#include "advice/undo.h"
#include "profile/profile.h"
#include "trial/trial_internal.h"

typedef struct MSPlanned
{
	MSQuery		query;
	ArrayType  *params;
	const char *setup;
	ExplainState *es;
	List	   *indexes;		/* of MSIndex */
} MSPlanned;

/* while a plan is shown, NULL else */
static MSPlanned *shown = NULL;

static explain_get_index_name_hook_type prev_index_name = NULL;

PG_FUNCTION_INFO_V1(ms_explain);

static const char *
index_name(Oid oid)
{
	ListCell   *lc;

	if (shown != NULL)
		foreach(lc, shown->indexes)
			if (((MSIndex *) lfirst(lc))->oid == oid)
				return psprintf("<index %d of setup>",
								list_cell_number(shown->indexes, lc) + 1);
	return prev_index_name ? prev_index_name(oid) : NULL;
}

/*
 * CREATE INDEX
 */

static void
refuse_without(bool able, Oid am, const char *what)
{
	if (!able)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("access method \"%s\" does not support %s",
						get_am_name(am), what)));
}

static void
check_statement(Relation rel, const IndexStmt *stmt, Oid am)
{
	const IndexAmRoutine *routine = GetIndexAmRoutineByAmId(am, false);
	int			nkeys = list_length(stmt->indexParams);
	ListCell   *lc;

	if (rel->rd_rel->relkind != RELKIND_RELATION &&
		rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE &&
		rel->rd_rel->relkind != RELKIND_MATVIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot create index on relation \"%s\"",
						RelationGetRelationName(rel))));
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		!stmt->relation->inh)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("an index on only \"%s\", not on its partitions, serves nothing",
						RelationGetRelationName(rel))));
	if (nkeys + list_length(stmt->indexIncludingParams) > INDEX_MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("cannot use more than %d columns in an index",
						INDEX_MAX_KEYS)));
	refuse_without(routine->amcanunique || !stmt->unique, am,
				   "unique indexes");
	refuse_without(routine->amcanmulticol || nkeys == 1, am,
				   "multicolumn indexes");
	refuse_without(routine->amcaninclude || stmt->indexIncludingParams == NIL,
				   am, "included columns");
	foreach(lc, stmt->indexParams)
	{
		IndexElem  *elem = lfirst(lc);

		refuse_without(routine->amcanorder ||
					   (elem->ordering == SORTBY_DEFAULT &&
						elem->nulls_ordering == SORTBY_NULLS_DEFAULT), am,
					   "ASC, DESC and NULLS options");
	}
	foreach(lc, stmt->indexIncludingParams)
		if (((IndexElem *) lfirst(lc))->expr != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("expressions are not supported in included columns")));
}

static void
check_readable(Relation rel, Bitmapset *attnos)
{
	Oid			relid = RelationGetRelid(rel);
	bool		allowed = pg_class_aclcheck(relid, GetUserId(),
											ACL_SELECT) == ACLCHECK_OK;
	int			i = -1;

	while (!allowed && (i = bms_next_member(attnos, i)) >= 0)
	{
		AttrNumber	attno = i + FirstLowInvalidHeapAttributeNumber;
		AclResult	result = attno == InvalidAttrNumber ?
			pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT,
									  ACLMASK_ALL) :
			pg_attribute_aclcheck(relid, attno, GetUserId(), ACL_SELECT);

		if (result != ACLCHECK_OK)
			aclcheck_error(result, get_relkind_objtype(rel->rd_rel->relkind),
						   RelationGetRelationName(rel));
	}
}

/* as the planner sees what is in the catalog, about columns that may be read */
static Node *
simplify(Relation rel, Node *expr)
{
	Bitmapset  *attnos = NULL;
	int			i = -1;

	expr = (Node *) expression_planner((Expr *) expr);
	if (contain_mutable_functions(expr))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("functions in an index must be marked IMMUTABLE")));
	pull_varattnos(expr, 1, &attnos);
	while ((i = bms_next_member(attnos, i)) >= 0)
		if (i + FirstLowInvalidHeapAttributeNumber < 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("index creation on system columns is not supported")));
	check_readable(rel, attnos);
	return expr;
}

static Node *
expression_of(Relation rel, const IndexElem *elem)
{
	Oid			relid = RelationGetRelid(rel);
	AttrNumber	attno;
	Oid			type;
	int32		typmod;
	Oid			collation;

	if (elem->expr != NULL)
		return simplify(rel, elem->expr);
	attno = get_attnum(relid, elem->name);
	if (attno <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table %s does not exist",
						elem->name, RelationGetRelationName(rel))));
	get_atttypetypmodcoll(relid, attno, &type, &typmod, &collation);
	return simplify(rel, (Node *) makeVar(1, attno, type, typmod, collation, 0));
}

static MSIndexColumn *
column_of(Relation rel, const IndexElem *elem, Oid am)
{
	MSIndexColumn *column = palloc0(sizeof(MSIndexColumn));
	Oid			type;

	column->expr = expression_of(rel, elem);
	type = exprType(column->expr);
	if (elem->collation != NIL)
	{
		column->collation = get_collation_oid(elem->collation, false);
		if (!type_is_collatable(type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("collations are not supported by type %s",
							format_type_be(type))));
	}
	column->opclass = ResolveOpClass(elem->opclass, type, get_am_name(am), am);
	column->desc = elem->ordering == SORTBY_DESC;
	column->nulls_first = elem->nulls_ordering == SORTBY_NULLS_DEFAULT ?
		column->desc : elem->nulls_ordering == SORTBY_NULLS_FIRST;
	return column;
}

static void
add_index(MSPlanned *x, IndexStmt *stmt, const char *text)
{
	Relation	rel = relation_openrv(stmt->relation, AccessShareLock);
	MSIndex    *index = palloc0(sizeof(MSIndex));
	ListCell   *lc;

	index->of = index->relid = RelationGetRelid(rel);
	index->am = get_index_am_oid(stmt->accessMethod, false);
	check_statement(rel, stmt, index->am);
	stmt = transformIndexStmt(index->relid, stmt, text);
	foreach(lc, stmt->indexParams)
		index->columns = lappend(index->columns,
								 column_of(rel, lfirst(lc), index->am));
	foreach(lc, stmt->indexIncludingParams)
		index->included = lappend(index->included,
								  expression_of(rel, lfirst(lc)));
	if (stmt->whereClause != NULL)
	{
		Expr	   *predicate = (Expr *) simplify(rel, stmt->whereClause);

		index->predicate =
			make_ands_implicit(canonicalize_qual(predicate, false));
	}
	x->indexes = lappend(x->indexes, index);
	relation_close(rel, NoLock);
}

/* what follows sees the SET before it */
static void
run_setup(MSPlanned *x)
{
	MSQuery		all = {0};
	ListCell   *lc;

	all.text = x->setup;
	ms_query_enter(&all);
	foreach(lc, ms_setup_parse(all.text, "explain"))
	{
		RawStmt    *raw = lfirst_node(RawStmt, lc);

		if (IsA(raw->stmt, IndexStmt))
			add_index(x, (IndexStmt *) raw->stmt, all.text);
		else
			ExecSetVariableStmt((VariableSetStmt *) raw->stmt, true);
	}
	ms_query_leave(&all);
}

/*
 * The plan
 */

static void
explain_query(MSPlanned *x, Query *query)
{
	const char *text = x->query.text;
	instr_time	start;
	instr_time	duration;
	PlannedStmt *plan;

	if (query->commandType == CMD_UTILITY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot explain %s",
						GetCommandTagName(CreateCommandTag(query->utilityStmt)))));
	(void) ms_hypothetical_show(x->indexes, query);
	INSTR_TIME_SET_CURRENT(start);
	plan = pg_plan_query(query, text, CURSOR_OPT_PARALLEL_OK, x->query.params,
						 x->es);
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	ExplainOnePlan(plan, NULL, x->es, text, x->query.params, NULL, &duration,
				   NULL, NULL);
}

static void
plan_and_explain(void *arg)
{
	MSPlanned  *x = arg;
	ListCell   *lc;

	PushActiveSnapshot(GetTransactionSnapshot());
	if (x->setup != NULL)
		run_setup(x);
	ms_query_analyze(&x->query, x->params);
	ms_query_enter(&x->query);
	ExplainBeginOutput(x->es);
	foreach(lc, x->query.queries)
	{
		explain_query(x, lfirst_node(Query, lc));
		if (lnext(x->query.queries, lc) != NULL)
			ExplainSeparatePlans(x->es);
	}
	ExplainEndOutput(x->es);
	ms_query_leave(&x->query);
	PopActiveSnapshot();
}

static void
plan_and_undo(MSPlanned *x)
{
	static bool installed = false;
	MSPlanned  *outer = shown;
	MSShown		before;

	if (!installed)
	{
		prev_index_name = explain_get_index_name_hook;
		explain_get_index_name_hook = index_name;
		installed = true;
	}
	ms_profile_pause();
	before = ms_hypothetical_show(NIL, NULL);
	shown = x;
	PG_TRY();
	{
		ms_undo(plan_and_explain, x);
	}
	PG_FINALLY();
	{
		shown = outer;
		ms_hypothetical_restore(before);
		ms_profile_resume();
	}
	PG_END_TRY();
}

static void
put_lines(ReturnSetInfo *rsinfo, char *rest)
{
	while (*rest)
	{
		int			len = strcspn(rest, "\n");
		Datum		value = PointerGetDatum(cstring_to_text_with_len(rest, len));
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value,
							 &isnull);
		rest += len;
		if (*rest)
			rest++;
	}
}

/* explain(statement, params, setup) */
Datum
ms_explain(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MSPlanned	x = {0};

	ms_profile_own();
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("statement must not be null")));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	x.es = NewExplainState();
	ms_query_parse(&x.query, "statement",
				   text_to_cstring(PG_GETARG_TEXT_PP(0)));
	x.params = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);
	x.query.generic = x.params == NULL;
	ms_explain_generic(x.es, x.query.generic);
	x.setup = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	plan_and_undo(&x);
	put_lines(rsinfo, x.es->str->data);
	return (Datum) 0;
}
