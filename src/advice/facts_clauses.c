/*-------------------------------------------------------------------------
 *
 * facts_clauses.c
 *	  What a fact is about: its table, conditions and order.
 *
 * Conditions are copied so that they are about one relation: its Vars get
 * varno 1, and all else becomes a value that is not known.
 *
 * The rules of facts.c hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/facts_internal.h"
#include "shape/shape.h"

/* constants of more bytes are not kept */
#define LARGE_VALUE			64

int
ms_value_size(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case FLOAT4OID:
		case DATEOID:
#ifdef USE_FLOAT8_BYVAL
		case FLOAT8OID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
#endif
			return sizeof(Datum);
		case UUIDOID:
		case INTERVALOID:
			return 16;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NUMERICOID:
		case BYTEAOID:
		case JSONBOID:
		case INETOID:
		case CIDROID:
		case TEXTARRAYOID:
		case INT4ARRAYOID:
		case INT8ARRAYOID:
			return -1;
		default:
			return 0;
	}
}

/* its type, of no catalog: exprType() looks up that of an ARRAY sublink */
static Oid
type_in_memory(Node *node)
{
	if (IsA(node, AlternativeSubPlan))
		node = linitial(((AlternativeSubPlan *) node)->subplans);
	if (IsA(node, SubPlan) && ((SubPlan *) node)->subLinkType == ARRAY_SUBLINK)
		return ((SubPlan *) node)->firstColType;
	return exprType(node);
}

Node *
ms_unknown_value(Node *node, ParamKind kind)
{
	Param	   *param = makeNode(Param);

	param->paramkind = kind;
	param->paramid = 0;
	param->paramtype = type_in_memory(node);
	param->paramtypmod = exprTypmod(node);
	param->paramcollid = exprCollation(node);
	param->location = -1;
	return (Node *) param;
}

/* a value that would take much memory, as a long list does */
static bool
is_large(Const *value)
{
	return !value->constisnull && value->constlen == -1 &&
		VARSIZE_ANY(DatumGetPointer(value->constvalue)) > LARGE_VALUE;
}

/* a copy about one relation: its Vars get varno 1, all else is a value */
static Node *
normalise(Node *node, MSVarContext *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;
		List	   *tlist = var->varno == INNER_VAR ? context->inner_tlist :
			var->varno == INDEX_VAR ? context->index_tlist : NIL;
		TargetEntry *tle = get_tle_by_resno(tlist, var->varattno);

		if (tle != NULL)
			return normalise((Node *) tle->expr, context);
		if (var->varno != context->scanrelid || var->varlevelsup > 0)
			return ms_unknown_value(node, PARAM_EXEC);
		var = copyObject(var);
		var->varno = 1;
		var->varnosyn = 0;
		return (Node *) var;
	}
	if (IsA(node, SubPlan) || IsA(node, AlternativeSubPlan) ||
		(IsA(node, Const) && is_large((Const *) node)))
		return ms_unknown_value(node, PARAM_EXEC);
	return expression_tree_mutator(node, normalise, (void *) context);
}

/* tells clauses apart, whatever their constants */
static bool
hash_structure(Node *node, uint64 *hash)
{
	if (node == NULL)
		return false;
	*hash = ms_hash_combine(*hash, nodeTag(node));
	switch (nodeTag(node))
	{
		case T_Var:
			*hash = ms_hash_combine(*hash, ((Var *) node)->varattno);
			break;
		case T_OpExpr:
			*hash = ms_hash_combine(*hash, ((OpExpr *) node)->opno);
			break;
		case T_FuncExpr:
			*hash = ms_hash_combine(*hash, ((FuncExpr *) node)->funcid);
			break;
		case T_BoolExpr:
			*hash = ms_hash_combine(*hash, ((BoolExpr *) node)->boolop);
			break;
		case T_NullTest:
			*hash = ms_hash_combine(*hash, ((NullTest *) node)->nulltesttype);
			break;
		case T_BooleanTest:
			*hash = ms_hash_combine(*hash,
									((BooleanTest *) node)->booltesttype);
			break;
		default:
			break;
	}
	return expression_tree_walker(node, hash_structure, (void *) hash);
}

MSFact *
ms_facts_add(MSCollector *c, MSFactKind kind, PlanState *ps)
{
	MSFact	   *fact = palloc0(sizeof(MSFact));

	fact->kind = kind;
	fact->node = ps->plan->plan_node_id;
	fact->tag = nodeTag(ps->plan);
	fact->times = 1;
	fact->seen = GetCurrentTimestamp();
	fact->rows_discarded = -1;
	c->facts = lappend(c->facts, fact);
	return fact;
}

void
ms_facts_set_clauses(MSFact *fact, MSVarContext *context, List *filters, List *conditions)
{
	fact->nfilters = list_length(filters);
	fact->clauses = (List *) normalise((Node *) list_concat_copy(filters,
																 conditions),
									   context);
	hash_structure((Node *) fact->clauses, &fact->structure);
	hash_structure((Node *) fact->order, &fact->structure);
}

/* the newest of the table's indexes that the planner saw; a look at memory */
void
ms_facts_set_relation(MSFact *fact, Relation rel)
{
	ListCell   *lc;

	fact->relid = RelationGetRelid(rel);
	if (rel->rd_indexvalid)
		foreach(lc, rel->rd_indexlist)
			fact->newest_index = Max(fact->newest_index, lfirst_oid(lc));
}

/* is it a table that somebody would want to read of? */
bool
ms_is_users_table(Relation rel)
{
	return rel != NULL && RelationGetRelid(rel) >= FirstNormalObjectId &&
		rel->rd_rel->relpersistence != RELPERSISTENCE_TEMP;
}

/* what the index was searched for; filters come from the node itself */
static List *
conditions_of(PlanState *ps, MSVarContext *context, Oid *index)
{
	Plan	   *plan = ps->plan;

	*index = InvalidOid;
	if (IsA(plan, IndexScan))
	{
		*index = ((IndexScan *) plan)->indexid;
		return ((IndexScan *) plan)->indexqualorig;
	}
	if (IsA(plan, IndexOnlyScan))
	{
		*index = ((IndexOnlyScan *) plan)->indexid;
		context->index_tlist = ((IndexOnlyScan *) plan)->indextlist;
		return ((IndexOnlyScan *) plan)->indexqual;
	}
	if (IsA(plan, BitmapHeapScan))
	{
		if (IsA(outerPlan(plan), BitmapIndexScan))
			*index = ((BitmapIndexScan *) outerPlan(plan))->indexid;
		return ((BitmapHeapScan *) plan)->bitmapqualorig;
	}
	return NIL;
}

/*
 * In which order the first of a scan's rows are wanted: expressions, each with
 * a SortGroupClause.
 */
static List *
order_of(Sort *sort, Plan *scan, MSVarContext *context)
{
	List	   *order = NIL;
	int			i;

	for (i = 0; i < sort->numCols; i++)
	{
		TargetEntry *tle = get_tle_by_resno(scan->targetlist,
											sort->sortColIdx[i]);
		SortGroupClause *by = makeNode(SortGroupClause);
		Node	   *expr = tle == NULL ? NULL :
			normalise((Node *) tle->expr, context);

		if (expr == NULL || !contain_var_clause(expr))
			return NIL;
		by->sortop = sort->sortOperators[i];
		by->nulls_first = sort->nullsFirst[i];
		order = lappend(lappend(order, expr), by);
	}
	return order;
}

/* false: it is of no table that somebody would want to read of */
bool
ms_facts_describe(MSCollector *c, MSFact *fact, PlanState *ps)
{
	Relation	rel = ((ScanState *) ps)->ss_currentRelation;
	MSVarContext	context = {0};
	List	   *conditions;

	if (!ms_is_users_table(rel))
	{
		c->facts = list_delete_ptr(c->facts, fact);
		return false;
	}
	context.scanrelid = ((Scan *) ps->plan)->scanrelid;
	conditions = conditions_of(ps, &context, &fact->index);
	ms_facts_set_relation(fact, rel);
	if (c->at.sort != NULL)
		fact->order = order_of(c->at.sort, ps->plan, &context);
	ms_facts_set_clauses(fact, &context, ps->plan->qual, conditions);
	return true;
}
