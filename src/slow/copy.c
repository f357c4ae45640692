/*-------------------------------------------------------------------------
 *
 * copy.c
 *	  A copy of an executed plan: its nodes, what was planned and what came,
 *	  and their conditions.
 *
 * Conditions are copied so that they can be deparsed when their tables are
 * gone: what they say of a row stands for a column of a relation that has
 * nothing but a name and the names of columns, as the statement knew them.
 * What a condition compares it with is kept if it is a value of one of the
 * usual types, and not long; else it becomes a value that is not known.
 *
 * This runs within the user's statement: it reads no catalog, takes no lock,
 * changes nothing in the plan, and fails only where memory is out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/counts.h"
#include "slow/slow.h"
#include "slow/slow_internal.h"

/* a condition of more nodes is not kept, nor a longer value */
#define CONDITION_NODES		200
#define VALUE_BYTES			64

#define MAX_RELATIONS		64

/* names take this share of the memory */
#define RELATIONS_PART		8

/* what is known of a relation of the statement */
typedef struct Known
{
	Index		rti;
	const char *alias;
	List	   *columns;		/* of int: those that conditions name */
	List	   *names;			/* of String, likewise */
} Known;

typedef struct Copying
{
	PlannedStmt *stmt;
	bool		with_values;
	MSSlowPlan *plan;
	int			room;			/* for so many nodes */
	StringInfoData text;		/* what goes behind the nodes */
	int			before;			/* so many bytes */
	int			most;			/* with it */
	List	   *known;			/* of Known */
	List	   *subplans;		/* those that have been copied */
	Node	  **params;			/* what a nested loop hands to its inner side */
	int			nparams;

	/* where it is */
	PlanState  *parent;
	int			depth;
	bool		complete;
} Copying;

/* what an expression's Vars are about */
typedef struct Resolving
{
	Copying    *c;
	Plan	   *plan;
} Resolving;

/*
 * Conditions
 */

/* $0; from 17 on PARAM_EXEC is looked for in a plan, and there is none */
static Node *
unknown_value(Node *node)
{
	return ms_unknown_value(node, PARAM_EXTERN);
}

static bool
is_kept_value(Const *value)
{
	int			size = ms_value_size(value->consttype);

	if (size == 0)
		return false;
	return value->constisnull || size > 0 ||
		VARSIZE_ANY(DatumGetPointer(value->constvalue)) <= VALUE_BYTES;
}

static Known *
know(Copying *c, Index rti)
{
	Known	   *known;
	ListCell   *lc;

	foreach(lc, c->known)
	{
		known = lfirst(lc);
		if (known->rti == rti)
			return known;
	}
	if (list_length(c->known) == MAX_RELATIONS)
		return NULL;
	known = palloc0(sizeof(Known));
	known->rti = rti;
	c->known = lappend(c->known, known);
	return known;
}

static int
place_of(List *numbers, int number)
{
	ListCell   *lc;

	foreach(lc, numbers)
		if (lfirst_int(lc) == number)
			return foreach_current_index(lc);
	return -1;
}

/* a column of a relation that is known by name */
static Node *
resolve_column(Copying *c, Var *var)
{
	RangeTblEntry *rte;
	Known	   *known;
	int			column;

	if (var->varlevelsup > 0 || var->varno <= 0 ||
		var->varno > list_length(c->stmt->rtable))
		return unknown_value((Node *) var);
	rte = rt_fetch(var->varno, c->stmt->rtable);
	known = know(c, var->varno);
	if (known == NULL || rte->eref == NULL || var->varattno <= 0 ||
		var->varattno > list_length(rte->eref->colnames))
		return unknown_value((Node *) var);
	column = place_of(known->columns, var->varattno);
	if (column < 0)
	{
		column = list_length(known->columns);
		known->columns = lappend_int(known->columns, var->varattno);
		known->names = lappend(known->names,
							   list_nth(rte->eref->colnames, var->varattno - 1));
	}
	known->alias = rte->eref->aliasname;
	var = copyObject(var);
	var->varno = list_length(c->known) - 1;
	while (list_nth(c->known, var->varno) != known)
		var->varno--;
	var->varno++;
	var->varattno = column + 1;
	var->varnosyn = 0;
	var->varattnosyn = 0;
	return (Node *) var;
}

/* what a plan's Vars of its outer side are of */
static Plan *
outer_of(Plan *plan)
{
	if (IsA(plan, Append))
		return linitial(((Append *) plan)->appendplans);
	if (IsA(plan, MergeAppend))
		return linitial(((MergeAppend *) plan)->mergeplans);
	return outerPlan(plan);
}

static List *
index_tlist_of(Plan *plan)
{
	if (IsA(plan, IndexOnlyScan))
		return ((IndexOnlyScan *) plan)->indextlist;
	if (IsA(plan, ForeignScan))
		return ((ForeignScan *) plan)->fdw_scan_tlist;
	if (IsA(plan, CustomScan))
		return ((CustomScan *) plan)->custom_scan_tlist;
	return NIL;
}

static Node *resolve(Node *node, Resolving *r);

/* a column of what a plan reads from another */
static Node *
resolve_below(Var *var, Resolving *r, Plan *below, List *tlist)
{
	TargetEntry *tle = get_tle_by_resno(tlist, var->varattno);
	Resolving	there = {r->c, below};

	if (tle == NULL)
		return unknown_value((Node *) var);
	return resolve((Node *) tle->expr, &there);
}

static Node *
resolve(Node *node, Resolving *r)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;
		Plan	   *below;

		switch (var->varno)
		{
			case OUTER_VAR:
				below = outer_of(r->plan);
				return below == NULL ? unknown_value(node) :
					resolve_below(var, r, below, below->targetlist);
			case INNER_VAR:
				below = innerPlan(r->plan);
				return below == NULL ? unknown_value(node) :
					resolve_below(var, r, below, below->targetlist);
			case INDEX_VAR:
				return resolve_below(var, r, r->plan, index_tlist_of(r->plan));
			default:
				return resolve_column(r->c, var);
		}
	}
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
	{
		int			id = ((Param *) node)->paramid;

		return id < r->c->nparams && r->c->params[id] != NULL ?
			copyObject(r->c->params[id]) : unknown_value(node);
	}
	if (IsA(node, SubPlan) || IsA(node, AlternativeSubPlan) ||
		(IsA(node, Const) &&
		 !(r->c->with_values && is_kept_value((Const *) node))))
		return unknown_value(node);
	return expression_tree_mutator(node, resolve, (void *) r);
}

/* true: it has too many nodes */
static bool
is_long(Node *node, int *n)
{
	if (node == NULL)
		return false;
	if (++*n > CONDITION_NODES)
		return true;
	return expression_tree_walker(node, is_long, (void *) n);
}

static List *
copy_clauses(Copying *c, Plan *plan, List *clauses)
{
	Resolving	r = {c, plan};
	int			n = 0;

	return is_long((Node *) clauses, &n) ? NIL :
		(List *) resolve((Node *) clauses, &r);
}

/* what an inner side is given from the outer one */
static void
note_params(Copying *c, NestLoop *join)
{
	ListCell   *lc;

	foreach(lc, join->nestParams)
	{
		NestLoopParam *param = lfirst(lc);
		Resolving	r = {c, (Plan *) join};

		if (param->paramno < c->nparams)
			c->params[param->paramno] = resolve((Node *) param->paramval, &r);
	}
}

static List *
index_clauses(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_IndexScan:
			return ((IndexScan *) plan)->indexqualorig;
		case T_IndexOnlyScan:
			return ((IndexOnlyScan *) plan)->indexqual;
		case T_BitmapIndexScan:
			return ((BitmapIndexScan *) plan)->indexqualorig;
		case T_BitmapHeapScan:
			return ((BitmapHeapScan *) plan)->bitmapqualorig;
		case T_TidScan:
			return ((TidScan *) plan)->tidquals;
		default:
			return ms_is_tid_range_scan(plan) ? ms_tid_range_quals(plan) : NIL;
	}
}

static List *
join_clauses(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_NestLoop:
			return ((Join *) plan)->joinqual;
		case T_MergeJoin:
			return list_concat_copy(((MergeJoin *) plan)->mergeclauses,
									((Join *) plan)->joinqual);
		case T_HashJoin:
			return list_concat_copy(((HashJoin *) plan)->hashclauses,
									((Join *) plan)->joinqual);
		default:
			return NIL;
	}
}

/*
 * Texts behind the nodes
 */

/* its place; 0: there is no room */
static int
put_text(Copying *c, const char *text)
{
	int			place = c->before + c->text.len;
	int			len = strlen(text) + 1;

	if (place + len > c->most)
		return 0;
	appendBinaryStringInfo(&c->text, text, len);
	return place;
}

static int
put_conditions(Copying *c, Plan *plan)
{
	List	   *conditions = list_make3(copy_clauses(c, plan, index_clauses(plan)),
										copy_clauses(c, plan, join_clauses(plan)),
										copy_clauses(c, plan, plan->qual));

	if (linitial(conditions) == NULL && lsecond(conditions) == NULL &&
		lthird(conditions) == NULL)
		return 0;
	return put_text(c, nodeToString(conditions));
}

/* all that conditions name, as far as there is room */
static int
put_relations(Copying *c)
{
	List	   *relations = NIL;
	ListCell   *lc;

	foreach(lc, c->known)
	{
		Known	   *known = lfirst(lc);

		relations = lappend(relations,
							lcons(makeString(unconstify(char *, known->alias ?
														known->alias : "")),
								  known->names));
	}
	return relations == NIL ? 0 : put_text(c, nodeToString(relations));
}

/*
 * Nodes
 */

static const char *
join_name(const char *method, Join *join)
{
	const char *type;

	switch (join->jointype)
	{
		case JOIN_LEFT:
			type = " Left";
			break;
		case JOIN_FULL:
			type = " Full";
			break;
		case JOIN_RIGHT:
			type = " Right";
			break;
		case JOIN_SEMI:
			type = " Semi";
			break;
		case JOIN_ANTI:
			type = " Anti";
			break;
		default:
			type = ms_is_right_anti(join) ? " Right Anti" :
				ms_is_right_semi(join) ? " Right Semi" : "";
			break;
	}
	return psprintf("%s%s%s", method, type,
					IsA(join, NestLoop) && *type == '\0' ? "" : " Join");
}

static const char *
aggregate_name(Agg *agg)
{
	static const char *const names[] = {
		[AGG_PLAIN] = "Aggregate",
		[AGG_SORTED] = "GroupAggregate",
		[AGG_HASHED] = "HashAggregate",
		[AGG_MIXED] = "MixedAggregate"
	};

	return psprintf("%s%s", DO_AGGSPLIT_SKIPFINAL(agg->aggsplit) ? "Partial " :
					DO_AGGSPLIT_COMBINE(agg->aggsplit) ? "Finalize " : "",
					names[agg->aggstrategy]);
}

static const char *
modify_name(ModifyTable *modify)
{
	switch (modify->operation)
	{
		case CMD_INSERT:
			return "Insert";
		case CMD_UPDATE:
			return "Update";
		case CMD_DELETE:
			return "Delete";
		default:
			return "Merge";
	}
}

static const char *
index_scan_name(const char *name, ScanDirection direction)
{
	return ScanDirectionIsBackward(direction) ?
		psprintf("%s Backward", name) : name;
}

/* as EXPLAIN calls it */
static const char *
plain_name(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Result:
			return "Result";
		case T_ProjectSet:
			return "ProjectSet";
		case T_ModifyTable:
			return modify_name((ModifyTable *) plan);
		case T_Append:
			return "Append";
		case T_MergeAppend:
			return "Merge Append";
		case T_RecursiveUnion:
			return "Recursive Union";
		case T_BitmapAnd:
			return "BitmapAnd";
		case T_BitmapOr:
			return "BitmapOr";
		case T_SeqScan:
			return "Seq Scan";
		case T_SampleScan:
			return "Sample Scan";
		case T_IndexScan:
			return index_scan_name("Index Scan",
								   ((IndexScan *) plan)->indexorderdir);
		case T_IndexOnlyScan:
			return index_scan_name("Index Only Scan",
								   ((IndexOnlyScan *) plan)->indexorderdir);
		case T_BitmapIndexScan:
			return "Bitmap Index Scan";
		case T_BitmapHeapScan:
			return "Bitmap Heap Scan";
		case T_TidScan:
			return "Tid Scan";
		case T_SubqueryScan:
			return "Subquery Scan";
		case T_FunctionScan:
			return "Function Scan";
		case T_ValuesScan:
			return "Values Scan";
		case T_TableFuncScan:
			return "Table Function Scan";
		case T_CteScan:
			return "CTE Scan";
		case T_NamedTuplestoreScan:
			return "Named Tuplestore Scan";
		case T_WorkTableScan:
			return "WorkTable Scan";
		case T_ForeignScan:
			return "Foreign Scan";
		case T_CustomScan:
			return "Custom Scan";
		case T_NestLoop:
			return join_name("Nested Loop", (Join *) plan);
		case T_MergeJoin:
			return join_name("Merge", (Join *) plan);
		case T_HashJoin:
			return join_name("Hash", (Join *) plan);
		case T_Material:
			return "Materialize";
		case T_Sort:
			return "Sort";
		case T_IncrementalSort:
			return "Incremental Sort";
		case T_Group:
			return "Group";
		case T_Agg:
			return aggregate_name((Agg *) plan);
		case T_WindowAgg:
			return "WindowAgg";
		case T_Unique:
			return "Unique";
		case T_Gather:
			return "Gather";
		case T_GatherMerge:
			return "Gather Merge";
		case T_Hash:
			return "Hash";
		case T_SetOp:
			return ((SetOp *) plan)->strategy == SETOP_HASHED ?
				"HashSetOp" : "SetOp";
		case T_LockRows:
			return "LockRows";
		case T_Limit:
			return "Limit";
		default:
			return ms_is_memoize(plan) ? "Memoize" :
				ms_is_tid_range_scan(plan) ? "Tid Range Scan" : "Other";
	}
}

const char *
ms_slow_name(Plan *plan)
{
	return plan->parallel_aware ?
		psprintf("Parallel %s", plain_name(plan)) : plain_name(plan);
}

Index
ms_slow_scanned(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_ModifyTable:
			return ((ModifyTable *) plan)->nominalRelation;
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapIndexScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_ValuesScan:
		case T_TableFuncScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_ForeignScan:
		case T_CustomScan:
			return ((Scan *) plan)->scanrelid;
		default:
			return ms_is_tid_range_scan(plan) ? ((Scan *) plan)->scanrelid : 0;
	}
}

Oid
ms_slow_index(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_IndexScan:
			return ((IndexScan *) plan)->indexid;
		case T_IndexOnlyScan:
			return ((IndexOnlyScan *) plan)->indexid;
		case T_BitmapIndexScan:
			return ((BitmapIndexScan *) plan)->indexid;
		default:
			return InvalidOid;
	}
}

/* a merge join may read rows of its inner side again */
static bool
is_judged(PlanState *parent, PlanState *ps)
{
	return parent == NULL || !IsA(parent->plan, MergeJoin) ||
		ps != innerPlanState(parent);
}

static MSPart
part_of(PlanState *parent, PlanState *ps)
{
	ListCell   *lc;

	if (parent == NULL || !ms_is_subplan(parent, ps))
		return MS_PART_INPUT;
	foreach(lc, parent->initPlan)
		if (((SubPlanState *) lfirst(lc))->planstate == ps)
			return MS_PART_INITPLAN;
	foreach(lc, parent->subPlan)
		if (((SubPlanState *) lfirst(lc))->planstate == ps)
			return MS_PART_SUBPLAN;
	return MS_PART_INPUT;
}

static void
count_rows(Copying *c, MSCopiedNode *node, PlanState *ps)
{
	if (ps->instrument == NULL)
	{
		node->rows = node->removed = node->loops = -1;
		return;
	}
	node->rows = ms_rows_of(ps);
	node->removed = ps->instrument->nfiltered1 + ps->instrument->nfiltered2;
	node->loops = ms_loops_of(ps);
	c->plan->touched += node->rows + node->removed;
}

static void
copy_node(Copying *c, PlanState *ps, MSPart part)
{
	MSSlowPlan *to = c->plan;
	Plan	   *plan = ps->plan;
	Index		rti = ms_slow_scanned(plan);
	MSCopiedNode dummy;
	bool		fits = to->nnodes < c->room;
	MSCopiedNode *node = fits ? &to->nodes[to->nnodes++] : &dummy;

	memset(node, 0, sizeof(MSCopiedNode));
	count_rows(c, node, ps);
	if (IsA(plan, NestLoop))
		note_params(c, (NestLoop *) plan);
	if (!fits)
	{
		to->left_out++;
		return;
	}
	node->depth = c->depth;
	node->part = part;
	node->complete = c->complete;
	node->judged = is_judged(c->parent, ps);
	node->startup_cost = plan->startup_cost;
	node->total_cost = plan->total_cost;
	node->width = plan->plan_width;
	node->estimated = plan->plan_rows;
	node->indexid = ms_slow_index(plan);
	node->name = put_text(c, ms_slow_name(plan));
	if (rti > 0)
	{
		RangeTblEntry *rte = rt_fetch(rti, c->stmt->rtable);

		node->relid = rte->rtekind == RTE_RELATION ? rte->relid : InvalidOid;
		if (rte->eref != NULL && rte->eref->aliasname != NULL)
			node->alias = put_text(c, rte->eref->aliasname);
	}
	node->conditions = put_conditions(c, plan);
}

static bool
copy_state(PlanState *ps, Copying *c)
{
	PlanState  *parent = c->parent;
	bool		complete = c->complete;
	MSPart		part = part_of(parent, ps);

	if (part != MS_PART_INPUT)
	{
		/* several places may refer to one */
		if (list_member_ptr(c->subplans, ps))
			return false;
		c->subplans = lappend(c->subplans, ps);
		c->complete = false;
	}
	else if (parent != NULL)
		c->complete = ms_is_read_to_the_end(parent, ps, complete);
	copy_node(c, ps, part);
	c->parent = ps;
	c->depth++;
	planstate_tree_walker(ps, copy_state, (void *) c);
	c->depth--;
	c->parent = parent;
	c->complete = complete;
	return false;
}

/* how many there are, up to what may be kept */
static bool
count_states(PlanState *ps, int *n)
{
	return ++*n >= MS_SLOW_NODES ||
		planstate_tree_walker(ps, count_states, (void *) n);
}

MSSlowPlan *
ms_slow_copy(QueryDesc *queryDesc, bool complete, bool with_values, Size most)
{
	Copying		c = {0};
	int			n = 0;

	(void) count_states(queryDesc->planstate, &n);

	/* half of it for texts at least */
	n = Min(n, (int) (most / 2 / sizeof(MSCopiedNode)));
	if (n == 0)
		return NULL;
	c.stmt = queryDesc->plannedstmt;
	c.with_values = with_values;
	c.most = most - most / RELATIONS_PART;
	c.complete = complete;
	c.before = offsetof(MSSlowPlan, nodes) + n * sizeof(MSCopiedNode);
	c.plan = palloc0(c.before);
	c.nparams = list_length(c.stmt->paramExecTypes);
	c.params = palloc0(sizeof(Node *) * Max(c.nparams, 1));
	initStringInfo(&c.text);
	c.room = n;
	copy_state(queryDesc->planstate, &c);
	c.most = most;
	c.plan->relations = put_relations(&c);
	c.plan->size = c.before + c.text.len;
	c.plan = repalloc(c.plan, c.plan->size);
	memcpy((char *) c.plan + c.before, c.text.data, c.text.len);
	return c.plan;
}
