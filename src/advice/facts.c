/*-------------------------------------------------------------------------
 *
 * facts.c
 *	  What an executed plan tells, copied before it is gone.
 *
 * At ExecutorEnd the nodes of a plan know how many rows they read, threw
 * away and were expected to give, and whether they needed temporary files.
 * Where that passes a threshold it becomes a MSFact, with a copy of the
 * conditions involved.  What it means, and what to do about it, is thought
 * about when somebody reads it (findings.c).
 *
 * This runs within the user's statement: it reads no catalog, takes no lock,
 * changes nothing in the plan, and fails only where memory is out.  A plan
 * below the thresholds costs a look at each of its nodes.
 *
 * Counts of parallel workers are in the leader's nodes by then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/transam.h"
#include "executor/hashjoin.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"

#include "compat.h"
#include "advice/advice.h"
#include "shape/shape.h"

/* a scan is looked at from so many rows on, and so great a share discarded */
#define SEQ_SCAN_ROWS		10000
#define INDEX_SCAN_ROWS		1000
#define INDEX_LOOP_ROWS		10	/* each time that it is repeated */
#define DISCARDED_SHARE		0.9

/* a check of a foreign key: several add up */
#define FK_CHECK_ROWS		1000

/* below a nested loop: rows of a scan, and how often it is repeated */
#define NESTED_ROWS			1000
#define NESTED_LOOPS		10

/* constants of more bytes are not kept */
#define LARGE_VALUE			64

/* an estimate is off by this factor, with so many rows */
#define ESTIMATE_FACTOR		100
#define ESTIMATE_ROWS		1000

/* where a node stands in its plan */
typedef struct Place
{
	PlanState  *parent;
	bool		complete;		/* run to its last row, if it was run at all */
	bool		nested;			/* repeated for each row of something else */
	int			workers;		/* that its Gather was planned for */
	Plan	   *append;			/* whose children are one table's partitions */
} Place;

/* while a plan is walked */
typedef struct Collector
{
	List	   *rtable;
	bool		is_fk_check;
	List	   *facts;
	int			estimates_off;	/* so many facts about estimates */
	bool		spilled;		/* a sort or hash has written files */
	Place		at;
} Collector;

/* what an expression's Vars stand for */
typedef struct VarContext
{
	Index		scanrelid;
	List	   *inner_tlist;	/* of a join's inner side */
	List	   *index_tlist;	/* of an index-only scan */
} VarContext;

/*
 * Counts of a node; InstrEndLoop() may not have been called
 */

static double
loops_of(const PlanState *ps)
{
	return ps->instrument->nloops + (ps->instrument->running ? 1 : 0);
}

static double
rows_of(const PlanState *ps)
{
	return ps->instrument->ntuples + ps->instrument->tuplecount;
}

/*
 * Conditions
 */

/* stands for a value that is not needed */
static Node *
opaque_value(Node *node)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXEC;
	param->paramid = 0;
	param->paramtype = exprType(node);
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
normalise(Node *node, VarContext *context)
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
			return opaque_value(node);
		var = copyObject(var);
		var->varno = 1;
		var->varnosyn = 0;
		return (Node *) var;
	}
	if (IsA(node, SubPlan) || IsA(node, AlternativeSubPlan) ||
		(IsA(node, Const) && is_large((Const *) node)))
		return opaque_value(node);
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

static MSFact *
add_fact(Collector *c, MSFactKind kind, PlanState *ps)
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

static void
set_clauses(MSFact *fact, VarContext *context, List *filters, List *conditions)
{
	fact->nfilters = list_length(filters);
	fact->clauses = (List *) normalise((Node *) list_concat_copy(filters,
																 conditions),
									   context);
	hash_structure((Node *) fact->clauses, &fact->structure);
}

/* is it a table that somebody would want to read of? */
static bool
is_users_table(Relation rel)
{
	return rel != NULL && RelationGetRelid(rel) >= FirstNormalObjectId &&
		rel->rd_rel->relpersistence != RELPERSISTENCE_TEMP;
}

/* what the index was searched for; filters come from the node itself */
static List *
conditions_of(PlanState *ps, VarContext *context, Oid *index)
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

static void
describe_scan(MSFact *fact, PlanState *ps)
{
	VarContext	context = {0};
	List	   *conditions;

	context.scanrelid = ((Scan *) ps->plan)->scanrelid;
	conditions = conditions_of(ps, &context, &fact->index);
	fact->relid = RelationGetRelid(((ScanState *) ps)->ss_currentRelation);
	set_clauses(fact, &context, ps->plan->qual, conditions);
}

/*
 * PostgreSQL's own check that no row refers to the one deleted or updated, and
 * what ON DELETE and ON UPDATE do: the value comes first.
 */
bool
ms_is_fk_check(const char *text)
{
	if (strncmp(text, "SELECT 1 FROM ", 14) != 0 &&
		strncmp(text, "DELETE FROM ", 12) != 0 &&
		strncmp(text, "UPDATE ", 7) != 0)
		return false;
	text = strstr(text, " WHERE $");
	if (text == NULL)
		return false;
	text += strlen(" WHERE $");
	text += strspn(text, "0123456789");
	return strncmp(text, " OPERATOR(", 10) == 0;
}

/*
 * Scans
 */

/* the partitions of a table are scanned one by one and count as one scan */
static MSFact *
find_sibling(Collector *c, MSFactKind kind)
{
	ListCell   *lc;

	if (c->at.append == NULL)
		return NULL;
	foreach(lc, c->facts)
	{
		MSFact	   *fact = lfirst(lc);

		if (fact->kind == kind && fact->node == c->at.append->plan_node_id)
			return fact;
	}
	return NULL;
}

static bool
is_worth_it(MSFactKind kind, double read, double discarded)
{
	double		rows = kind == MS_INDEX_SCAN_DISCARDS ? INDEX_SCAN_ROWS :
		kind == MS_MISSING_FK_INDEX ? FK_CHECK_ROWS : SEQ_SCAN_ROWS;

	return read >= rows && discarded >= read * DISCARDED_SHARE;
}

static void
look_at_scan(Collector *c, PlanState *ps)
{
	double		discarded = ps->instrument->nfiltered1;
	double		read = rows_of(ps) + discarded;
	double		loops = loops_of(ps);
	double		few = c->at.append ? 1 : INDEX_SCAN_ROWS * DISCARDED_SHARE;
	MSFactKind	kind;
	MSFact	   *fact;

	/* one of many partitions may have few, the lowest threshold otherwise */
	if (discarded < few ||
		!is_users_table(((ScanState *) ps)->ss_currentRelation))
		return;
	if (!IsA(ps->plan, SeqScan))
		kind = MS_INDEX_SCAN_DISCARDS;
	else if (c->is_fk_check)
		kind = MS_MISSING_FK_INDEX;
	else if (c->at.nested && loops >= NESTED_LOOPS)
		kind = MS_NESTED_SEQ_SCAN;
	else
		kind = MS_SEQ_SCAN_DISCARDS;
	if (c->at.append == NULL && !is_worth_it(kind, read, discarded))
		return;
	if ((kind == MS_NESTED_SEQ_SCAN && read < loops * NESTED_ROWS) ||
		(kind == MS_INDEX_SCAN_DISCARDS && read < loops * INDEX_LOOP_ROWS))
		return;

	fact = find_sibling(c, kind);
	if (fact == NULL)
	{
		fact = add_fact(c, kind, ps);
		fact->rows_discarded = 0;
		describe_scan(fact, ps);
		if (c->at.append != NULL)
			fact->node = c->at.append->plan_node_id;
	}
	fact->rows_read += read;
	fact->rows_discarded += discarded;
	fact->actual = loops;
}

/* a nested loop that reads a whole table for each row, and compares itself */
static void
look_at_nested_loop(Collector *c, PlanState *ps)
{
	PlanState  *inner = innerPlanState(ps);
	double		discarded = ps->instrument->nfiltered1;
	double		read = rows_of(ps) + discarded + ps->instrument->nfiltered2;
	double		loops;
	VarContext	context = {0};
	MSFact	   *fact;

	if (!is_worth_it(MS_NESTED_SEQ_SCAN, read, discarded) ||
		inner->instrument == NULL)
		return;
	loops = loops_of(inner);
	if (IsA(inner->plan, Material))
		inner = outerPlanState(inner);
	if (loops < 2 || read < loops * NESTED_ROWS ||
		!IsA(inner->plan, SeqScan) ||
		!is_users_table(((ScanState *) inner)->ss_currentRelation))
		return;

	fact = add_fact(c, MS_NESTED_SEQ_SCAN, ps);
	fact->relid = RelationGetRelid(((ScanState *) inner)->ss_currentRelation);
	fact->rows_read = read;
	fact->rows_discarded = discarded;
	fact->actual = loops;
	context.scanrelid = ((Scan *) inner->plan)->scanrelid;
	context.inner_tlist = inner->plan->targetlist;
	set_clauses(fact, &context,
				list_concat_copy(((Join *) ps->plan)->joinqual,
								 inner->plan->qual), NIL);
}

/*
 * Memory.  The sizes are what the node would have needed, with what its
 * allocator rounds up.
 */

static double
power_of_2_above(double x)
{
	double		p = 1;

	while (p < x)
		p *= 2;
	return p;
}

/* in kB; what is there has proved too little */
static double
memory_for(double bytes)
{
	return Max(ceil(bytes / 1024), 2.0 * work_mem);
}

static void
add_spill(Collector *c, MSFactKind kind, PlanState *ps, double rows,
		  double bytes)
{
	MSFact	   *fact = add_fact(c, kind, ps);

	fact->rows_read = rows;
	fact->memory = memory_for(bytes);
	c->spilled = true;
}

/* the kB that a sort, or one of its workers, wrote; 0: it did not */
static double
sort_disk(const TuplesortInstrumentation *stats)
{
	return stats->spaceType == SORT_SPACE_TYPE_DISK &&
		(stats->sortMethod == SORT_TYPE_EXTERNAL_SORT ||
		 stats->sortMethod == SORT_TYPE_EXTERNAL_MERGE) ?
		(double) stats->spaceUsed : 0;
}

/* so many kB of tapes were rows in memory, each of them also a SortTuple */
static void
add_sort(Collector *c, PlanState *ps, double disk)
{
	PlanState  *input = outerPlanState(ps);
	double		rows;
	double		width;

	if (disk <= 0 || input->instrument == NULL)
		return;
	rows = rows_of(input) / Max(loops_of(ps), 1);
	width = Max(disk * 1024 / Max(rows, 1), 16);
	add_spill(c, MS_SORT_SPILLED, ps, rows_of(input),
			  rows * (power_of_2_above(width + 16) + 16 + 2 * 24));
}

static void
look_at_sort(Collector *c, SortState *sort)
{
	double		disk = 0;
	int			i;

	if (sort->sort_Done && sort->tuplesortstate != NULL)
	{
		TuplesortInstrumentation stats;

		tuplesort_get_stats((Tuplesortstate *) sort->tuplesortstate, &stats);
		disk = sort_disk(&stats);
	}
	if (sort->shared_info != NULL)
		for (i = 0; i < sort->shared_info->num_workers; i++)
			disk = Max(disk, sort_disk(&sort->shared_info->sinstrument[i]));
	add_sort(c, &sort->ss.ps, disk);
}

static void
look_at_incremental_sort(Collector *c, IncrementalSortState *sort)
{
	add_sort(c, &sort->ss.ps,
			 Max(sort->incsort_info.fullsortGroupInfo.maxDiskSpaceUsed,
				 sort->incsort_info.prefixsortGroupInfo.maxDiskSpaceUsed));
}

/* the table of a hash join */
static void
look_at_hash(Collector *c, HashState *hash)
{
	PlanState  *input = outerPlanState(hash);
	int			batches = 1;
	double		peak = 0;
	double		rows;
	double		bytes;
	int			i;

	if (hash->hashtable != NULL)
	{
		batches = hash->hashtable->nbatch;
		peak = hash->hashtable->spacePeak;
	}
	if (hash->hinstrument != NULL)
	{
		batches = Max(batches, hash->hinstrument->nbatch);
		peak = Max(peak, hash->hinstrument->space_peak);
	}
	if (hash->shared_info != NULL)
		for (i = 0; i < hash->shared_info->num_workers; i++)
		{
			HashInstrumentation *worker = &hash->shared_info->hinstrument[i];

			batches = Max(batches, worker->nbatch);
			peak = Max(peak, worker->space_peak);
		}
	if (batches <= 1 || input->instrument == NULL)
		return;

	/* the planner decides by what it expects, the executor by what comes */
	rows = Max(rows_of(input) / Max(loops_of(&hash->ps), 1),
			   input->plan->plan_rows);
	bytes = rows * (16 + 16 + MAXALIGN(input->plan->plan_width)) +
		power_of_2_above(rows) * sizeof(void *);
	bytes = Max(bytes, peak * batches / 2);
	add_spill(c, MS_HASH_SPILLED, &hash->ps, rows_of(input),
			  bytes * 1.2 / hash_mem_multiplier);
}

static void
look_at_aggregate(Collector *c, AggState *agg)
{
	uint64		disk = agg->hash_disk_used;
	double		groups;
	int			i;

	if (agg->shared_info != NULL)
		for (i = 0; i < agg->shared_info->num_workers; i++)
			disk = Max(disk, agg->shared_info->sinstrument[i].hash_disk_used);
	if (disk == 0)
		return;
	groups = (rows_of(&agg->ss.ps) + agg->ss.ps.instrument->nfiltered1) /
		Max(loops_of(&agg->ss.ps), 1);
	add_spill(c, MS_HASH_SPILLED, &agg->ss.ps,
			  outerPlanState(agg)->instrument == NULL ? 0 :
			  rows_of(outerPlanState(agg)),
			  groups * (agg->hashentrysize * 1.5 + 64) / hash_mem_multiplier);
}

/* a page of a bitmap takes 48 bytes, and pointers to it */
static void
look_at_bitmap(Collector *c, BitmapHeapScanState *scan)
{
	PlanState  *ps = &scan->ss.ps;
	MSFact	   *fact;

	if (MS_LOSSY_PAGES(scan) == 0 ||
		!is_users_table(scan->ss.ss_currentRelation))
		return;
	fact = add_fact(c, MS_LOSSY_BITMAP, ps);
	fact->rows_read = rows_of(ps) + ps->instrument->nfiltered1 +
		ps->instrument->nfiltered2;
	fact->rows_discarded = ps->instrument->nfiltered2;
	fact->memory = memory_for((MS_LOSSY_PAGES(scan) + MS_EXACT_PAGES(scan)) *
							  1.25 * 64 / Max(loops_of(ps), 1));
	describe_scan(fact, ps);
}

/*
 * Estimates
 */

/* do the processes of a parallel plan share its rows? */
static bool
is_partial(PlanState *ps)
{
	for (; ps != NULL && !ps->plan->parallel_aware;)
	{
		if (IsA(ps, AppendState) && ((AppendState *) ps)->as_nplans > 0)
			ps = ((AppendState *) ps)->appendplans[0];
		else
			ps = outerPlanState(ps);
	}
	return ps != NULL;
}

/* by how many processes the planner has divided the rows: its own rule */
static double
processes(int workers)
{
	double		leader = parallel_leader_participation ?
		1.0 - 0.3 * workers : 0;

	return workers + Max(leader, 0);
}

/*
 * A node that processes share is planned for one of them, and judged by what
 * all of them were to give and gave.
 */
static void
look_at_estimate(Collector *c, PlanState *ps, PlanState *parent)
{
	bool		is_scan = false;
	double		loops = loops_of(ps);
	double		expected = ps->plan->plan_rows;
	double		actual;
	MSFact	   *fact;

	switch (nodeTag(ps->plan))
	{
		case T_SeqScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
			is_scan = true;
			break;
		case T_NestLoop:
		case T_HashJoin:
		case T_MergeJoin:
			break;
		default:
			return;
	}

	/* a merge join may read rows of its inner side again */
	if (loops == 0 || (parent != NULL && IsA(parent->plan, MergeJoin) &&
					   ps == innerPlanState(parent)))
		return;
	actual = rows_of(ps) / loops;
	if (c->at.workers > 0 && is_partial(ps))
	{
		actual = rows_of(ps);
		expected *= processes(c->at.workers);
	}
	if (!(actual >= ESTIMATE_ROWS && actual >= expected * ESTIMATE_FACTOR) &&
		!(c->at.complete && expected >= ESTIMATE_ROWS &&
		  expected >= actual * ESTIMATE_FACTOR))
		return;
	if (is_scan && !is_users_table(((ScanState *) ps)->ss_currentRelation))
		return;

	fact = add_fact(c, MS_ROW_ESTIMATE_OFF, ps);
	fact->rows_read = rows_of(ps);
	fact->expected = expected;
	fact->actual = actual;
	if (is_scan)
		describe_scan(fact, ps);
	c->estimates_off++;
}

/* a join that stops at the first match */
static bool
stops_at_match(Join *join)
{
	return join->inner_unique || join->jointype == JOIN_SEMI ||
		join->jointype == JOIN_ANTI;
}

/* does the child give all its rows, if the parent does? */
static bool
is_read_to_the_end(PlanState *parent, PlanState *child, bool complete)
{
	switch (nodeTag(parent->plan))
	{
		case T_Sort:
		case T_Hash:
		case T_ModifyTable:
			return true;
		case T_Agg:
		case T_Append:
		case T_Gather:
		case T_GatherMerge:
		case T_LockRows:
		case T_SubqueryScan:
		case T_Unique:
		case T_WindowAgg:
			return complete;
		case T_NestLoop:
			return complete && (child == outerPlanState(parent) ||
								!stops_at_match((Join *) parent->plan));
		case T_HashJoin:
			/* without rows on one side the other is not read */
			return complete && rows_of(parent) > 0;
		default:
			return false;
	}
}

/*
 * The walk
 */

/* NULL where it is not the partitions of a table that it appends */
static Plan *
append_of_partitions(Collector *c, Plan *plan)
{
	Bitmapset  *apprelids = IsA(plan, Append) ? ((Append *) plan)->apprelids :
		IsA(plan, MergeAppend) ? ((MergeAppend *) plan)->apprelids : NULL;
	int			rti = bms_next_member(apprelids, -1);

	return rti > 0 && rt_fetch(rti, c->rtable)->relkind ==
		RELKIND_PARTITIONED_TABLE ? plan : NULL;
}

/*
 * SubPlans are the only children that are neither; but for what ModifyTable
 * has before 14, which is not repeated.
 */
static bool
is_subplan(PlanState *parent, PlanState *child)
{
	return child != outerPlanState(parent) &&
		child != innerPlanState(parent) &&
		!IsA(parent->plan, Append) && !IsA(parent->plan, MergeAppend) &&
		!IsA(parent->plan, SubqueryScan);
}

static void
enter_node(Collector *c, PlanState *ps)
{
	PlanState  *parent = c->at.parent;

	if (parent == NULL)
		return;
	c->at.nested = c->at.nested || is_subplan(parent, ps) ||
		(IsA(parent->plan, NestLoop) && ps == innerPlanState(parent));
	if (IsA(parent->plan, Gather))
		c->at.workers = ((Gather *) parent->plan)->num_workers;
	else if (IsA(parent->plan, GatherMerge))
		c->at.workers = ((GatherMerge *) parent->plan)->num_workers;
	c->at.append = append_of_partitions(c, parent->plan);
	c->at.complete = is_read_to_the_end(parent, ps, c->at.complete);
}

/* what can be seen at this node, but for how many rows it gave */
static void
look_at_node(Collector *c, PlanState *ps)
{
	switch (nodeTag(ps->plan))
	{
		case T_BitmapHeapScan:
			look_at_bitmap(c, (BitmapHeapScanState *) ps);
			look_at_scan(c, ps);
			break;
		case T_SeqScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
			look_at_scan(c, ps);
			break;
		case T_NestLoop:
			look_at_nested_loop(c, ps);
			break;
		case T_Sort:
			look_at_sort(c, (SortState *) ps);
			break;
		case T_IncrementalSort:
			look_at_incremental_sort(c, (IncrementalSortState *) ps);
			break;
		case T_Hash:
			look_at_hash(c, (HashState *) ps);
			break;
		case T_Agg:
			look_at_aggregate(c, (AggState *) ps);
			break;
		default:
			break;
	}
}

static bool
walk(PlanState *ps, Collector *c)
{
	Place		saved = c->at;
	int			estimates_off;

	if (ps->instrument == NULL)
		return false;
	enter_node(c, ps);
	look_at_node(c, ps);

	/* where the inputs are off already, this node cannot be right */
	estimates_off = c->estimates_off;
	c->at.parent = ps;
	planstate_tree_walker(ps, walk, (void *) c);
	if (c->estimates_off == estimates_off)
		look_at_estimate(c, ps, saved.parent);

	c->at = saved;
	return false;
}

/* files that no sort or hash has told of: a CTE, a cursor, a function */
static void
look_at_statement(Collector *c, PlanState *root, int64 temp_blocks)
{
	/* rows of tuplestores take up to 3.5 times as much in memory */
	if (temp_blocks > 0 && !c->spilled)
		add_spill(c, MS_TEMP_SPILLED, root, -1, temp_blocks * 3.5 * BLCKSZ);
}

List *
ms_facts_collect(QueryDesc *queryDesc, bool is_fk_check, bool complete,
				 int64 temp_blocks)
{
	PlanState  *root = queryDesc->planstate;
	Collector	c = {0};
	List	   *facts = NIL;
	ListCell   *lc;

	if (root == NULL || root->instrument == NULL)
		return NIL;
	c.rtable = queryDesc->plannedstmt->rtable;
	c.is_fk_check = is_fk_check;
	c.at.complete = complete;
	walk(root, &c);
	look_at_statement(&c, root, temp_blocks);

	/* partitions may not have come to much all together */
	foreach(lc, c.facts)
	{
		MSFact	   *fact = lfirst(lc);

		if (!MS_DISCARDS(fact->kind) ||
			is_worth_it(fact->kind, fact->rows_read, fact->rows_discarded))
			facts = lappend(facts, fact);
	}
	return facts;
}

/*
 * The same fact again: added up, but for what is of the worst time.
 */

bool
ms_fact_is_same(const MSFact *a, const MSFact *b)
{
	return a->shape == b->shape && a->kind == b->kind && a->node == b->node &&
		a->tag == b->tag && a->relid == b->relid && a->index == b->index &&
		a->structure == b->structure && a->userid == b->userid &&
		a->toplevel == b->toplevel;
}

/* the worst time is the one furthest off the plan */
static double
misestimate(const MSFact *fact)
{
	double		expected = Max(fact->expected, 1);
	double		actual = Max(fact->actual, 1);

	return Max(expected / actual, actual / expected);
}

void
ms_fact_add(MSFact *into, const MSFact *fact)
{
	into->times += fact->times;
	into->seen = fact->seen;
	into->rows_read += fact->rows_read;
	into->rows_discarded += fact->rows_discarded;
	into->memory = Max(into->memory, fact->memory);
	if (misestimate(fact) > misestimate(into))
	{
		into->expected = fact->expected;
		into->actual = fact->actual;
	}
}
