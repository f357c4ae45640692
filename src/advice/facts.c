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

#include "executor/instrument.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/facts_internal.h"
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

/* an index-only scan reads so many rows of its table */
#define HEAP_FETCHES		10000

/* a statement is short below this; JIT counts from so long on, and such a share */
#define SHORT_NS			INT64CONST(1000000000)
#define JIT_MS				5
#define JIT_SHARE			(1.0 / 3)

/* an estimate is off by this factor, with so many rows */
#define ESTIMATE_FACTOR		100
#define ESTIMATE_ROWS		1000

/* of INDEX_SCAN_ROWS and FK_CHECK_ROWS that share */
StaticAssertDecl(MS_FEW_ROWS * 10 <= INDEX_SCAN_ROWS * 9 &&
				 MS_FEW_ROWS * 10 <= FK_CHECK_ROWS * 9 &&
				 MS_FEW_ROWS <= ESTIMATE_ROWS && MS_FEW_ROWS <= HEAP_FETCHES,
				 "a plan that tells something has more rows than MS_FEW_ROWS");

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
find_sibling(MSCollector *c, MSFactKind kind)
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
look_at_scan(MSCollector *c, PlanState *ps)
{
	double		discarded = ps->instrument->nfiltered1;
	double		read = ms_rows_of(ps) + discarded;
	double		loops = ms_loops_of(ps);
	double		few = c->at.append ? 1 : INDEX_SCAN_ROWS * DISCARDED_SHARE;
	MSFactKind	kind;
	MSFact	   *fact;

	/* one of many partitions may have few, the lowest threshold otherwise */
	if (discarded < few ||
		!ms_is_users_table(((ScanState *) ps)->ss_currentRelation))
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
		fact = ms_facts_add(c, kind, ps);
		fact->rows_discarded = 0;
		(void) ms_facts_describe(c, fact, ps);
		if (c->at.append != NULL)
			fact->node = c->at.append->plan_node_id;
	}
	fact->rows_read += read;
	fact->rows_discarded += discarded;
	fact->actual = loops;
}

/* of many rows in some order only the first are wanted */
static void
look_at_sorted_scan(MSCollector *c, PlanState *ps)
{
	double		read = ms_rows_of(ps);
	double		kept;
	MSFact	   *fact;

	if (c->at.sort == NULL || c->at.append != NULL || c->at.nested)
		return;
	kept = ms_rows_of(c->at.parent);
	if (!is_worth_it(MS_SORT_DISCARDS, read, read - kept))
		return;
	fact = ms_facts_add(c, MS_SORT_DISCARDS, ps);
	if (!ms_facts_describe(c, fact, ps) || fact->order == NIL)
	{
		c->facts = list_delete_ptr(c->facts, fact);
		return;
	}
	fact->rows_read = read;
	fact->rows_discarded = read - kept;
	fact->actual = ms_loops_of(ps);
}

/* an index-only scan that had to look into the table for most of its rows */
static void
look_at_heap_fetches(MSCollector *c, PlanState *ps)
{
	double		fetches = ps->instrument->ntuples2;
	MSFact	   *fact;

	if (fetches < HEAP_FETCHES || fetches < ms_rows_of(ps) / 2)
		return;
	fact = ms_facts_add(c, MS_HEAP_FETCHES, ps);
	if (ms_facts_describe(c, fact, ps))
	{
		fact->rows_read = fetches;
		fact->clauses = NIL;
		fact->nfilters = 0;
		fact->order = NIL;
	}
}

/* a nested loop that reads a whole table for each row, and compares itself */
static void
look_at_nested_loop(MSCollector *c, PlanState *ps)
{
	PlanState  *inner = innerPlanState(ps);
	double		discarded = ps->instrument->nfiltered1;
	double		read = ms_rows_of(ps) + discarded + ps->instrument->nfiltered2;
	double		loops;
	MSVarContext	context = {0};
	MSFact	   *fact;

	if (!is_worth_it(MS_NESTED_SEQ_SCAN, read, discarded) ||
		inner->instrument == NULL)
		return;
	loops = ms_loops_of(inner);
	if (IsA(inner->plan, Material))
		inner = outerPlanState(inner);
	if (loops < 2 || read < loops * NESTED_ROWS ||
		!IsA(inner->plan, SeqScan) ||
		!ms_is_users_table(((ScanState *) inner)->ss_currentRelation))
		return;

	fact = ms_facts_add(c, MS_NESTED_SEQ_SCAN, ps);
	ms_facts_set_relation(fact, ((ScanState *) inner)->ss_currentRelation);
	fact->rows_read = read;
	fact->rows_discarded = discarded;
	fact->actual = loops;
	context.scanrelid = ((Scan *) inner->plan)->scanrelid;
	context.inner_tlist = inner->plan->targetlist;
	ms_facts_set_clauses(fact, &context,
				list_concat_copy(((Join *) ps->plan)->joinqual,
								 inner->plan->qual), NIL);
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
look_at_estimate(MSCollector *c, PlanState *ps, PlanState *parent)
{
	bool		is_scan = false;
	double		loops = ms_loops_of(ps);
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
	actual = ms_rows_of(ps) / loops;
	if (c->at.workers > 0 && is_partial(ps))
	{
		actual = ms_rows_of(ps);
		expected *= processes(c->at.workers);
	}
	if (!(actual >= ESTIMATE_ROWS && actual >= expected * ESTIMATE_FACTOR) &&
		!(c->at.complete && expected >= ESTIMATE_ROWS &&
		  expected >= actual * ESTIMATE_FACTOR))
		return;
	fact = ms_facts_add(c, MS_ROW_ESTIMATE_OFF, ps);
	fact->rows_read = ms_rows_of(ps);
	fact->expected = expected;
	fact->actual = actual;
	if (!is_scan || ms_facts_describe(c, fact, ps))
		c->estimates_off++;
}

/* a join that stops at the first match */
static bool
stops_at_match(Join *join)
{
	return join->inner_unique || join->jointype == JOIN_SEMI ||
		join->jointype == JOIN_ANTI;
}

bool
ms_is_read_to_the_end(PlanState *parent, PlanState *child, bool complete)
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
			return complete && ms_rows_of(parent) > 0;
		default:
			return false;
	}
}

/*
 * The walk
 */

/* NULL where it is not the partitions of a table that it appends */
static Plan *
append_of_partitions(MSCollector *c, Plan *plan)
{
	Bitmapset  *apprelids = IsA(plan, Append) ? ((Append *) plan)->apprelids :
		IsA(plan, MergeAppend) ? ((MergeAppend *) plan)->apprelids : NULL;
	int			rti = bms_next_member(apprelids, -1);

	return rti > 0 && rt_fetch(rti, c->rtable)->relkind ==
		RELKIND_PARTITIONED_TABLE ? plan : NULL;
}

bool
ms_is_subplan(PlanState *parent, PlanState *child)
{
	return child != outerPlanState(parent) &&
		child != innerPlanState(parent) &&
		!IsA(parent->plan, Append) && !IsA(parent->plan, MergeAppend) &&
		!IsA(parent->plan, SubqueryScan);
}

static void
enter_node(MSCollector *c, PlanState *ps)
{
	PlanState  *parent = c->at.parent;
	bool		limited = c->at.limited;	/* the parent */

	if (parent == NULL)
		return;
	c->at.nested = c->at.nested || ms_is_subplan(parent, ps) ||
		(IsA(parent->plan, NestLoop) && ps == innerPlanState(parent));
	if (IsA(parent->plan, Gather))
		c->at.workers = ((Gather *) parent->plan)->num_workers;
	else if (IsA(parent->plan, GatherMerge))
		c->at.workers = ((GatherMerge *) parent->plan)->num_workers;
	c->at.append = append_of_partitions(c, parent->plan);

	/* a sort knows of no LIMIT beyond FOR UPDATE */
	c->at.limited = IsA(parent->plan, Limit) ||
		(IsA(parent->plan, LockRows) && limited);
	if (IsA(parent, SortState) && (((SortState *) parent)->bounded || limited))
		c->at.sort = (Sort *) parent->plan;
	else if (c->at.append == NULL)
		c->at.sort = NULL;
	c->at.complete = ms_is_read_to_the_end(parent, ps, c->at.complete);
}

/* what can be seen at this node, but for how many rows it gave */
static void
look_at_node(MSCollector *c, PlanState *ps)
{
	switch (nodeTag(ps->plan))
	{
		case T_BitmapHeapScan:
			ms_facts_of_bitmap(c, (BitmapHeapScanState *) ps);
			look_at_scan(c, ps);
			look_at_sorted_scan(c, ps);
			break;
		case T_IndexOnlyScan:
			look_at_heap_fetches(c, ps);
			look_at_scan(c, ps);
			look_at_sorted_scan(c, ps);
			break;
		case T_SeqScan:
		case T_IndexScan:
			look_at_scan(c, ps);
			look_at_sorted_scan(c, ps);
			break;
		case T_NestLoop:
			look_at_nested_loop(c, ps);
			break;
		case T_Sort:
			ms_facts_of_sort(c, (SortState *) ps);
			break;
		case T_IncrementalSort:
			ms_facts_of_incremental_sort(c, (IncrementalSortState *) ps);
			break;
		case T_Hash:
			ms_facts_of_hash(c, (HashState *) ps);
			break;
		case T_Agg:
			ms_facts_of_aggregate(c, (AggState *) ps);
			break;
		default:
			break;
	}
}

static bool
walk(PlanState *ps, MSCollector *c)
{
	MSPlace		saved = c->at;
	int			estimates_off;

	if (ps->instrument == NULL)
		return false;
	enter_node(c, ps);
	look_at_node(c, ps);
	ms_facts_of_kept(c, ps);

	/* where the inputs are off already, this node cannot be right */
	estimates_off = c->estimates_off;
	c->at.parent = ps;
	planstate_tree_walker(ps, walk, (void *) c);
	if (c->estimates_off == estimates_off)
		look_at_estimate(c, ps, saved.parent);

	c->at = saved;
	return false;
}

List *
ms_facts_collect(QueryDesc *queryDesc, bool is_fk_check, bool complete,
				 int64 temp_blocks)
{
	PlanState  *root = queryDesc->planstate;
	MSCollector c = {0};
	List	   *facts = NIL;
	ListCell   *lc;

	if (root == NULL || root->instrument == NULL)
		return NIL;
	c.rtable = queryDesc->plannedstmt->rtable;
	c.is_fk_check = is_fk_check;
	c.at.complete = complete;
	walk(root, &c);
	ms_facts_of_files(&c, root, temp_blocks);

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

/* JIT that takes a third of a statement that is over soon */
MSFact *
ms_fact_of_time(QueryDesc *queryDesc, int64 exec_ns)
{
	JitContext *jit = queryDesc->estate->es_jit;
	MSFact	   *fact;
	instr_time	total;

	if (jit == NULL || exec_ns >= SHORT_NS)
		return NULL;
	total = jit->instr.generation_counter;
	INSTR_TIME_ADD(total, jit->instr.inlining_counter);
	INSTR_TIME_ADD(total, jit->instr.optimization_counter);
	INSTR_TIME_ADD(total, jit->instr.emission_counter);
	if (INSTR_TIME_GET_MILLISEC(total) < JIT_MS ||
		INSTR_TIME_GET_MILLISEC(total) > exec_ns / 1e6 ||
		INSTR_TIME_GET_MILLISEC(total) < exec_ns / 1e6 * JIT_SHARE)
		return NULL;
	fact = palloc0(sizeof(MSFact));
	fact->kind = MS_JIT_COST;
	fact->times = 1;
	fact->seen = GetCurrentTimestamp();
	fact->rows_read = fact->rows_discarded = -1;
	fact->expected = INSTR_TIME_GET_MILLISEC(total);
	fact->actual = exec_ns / 1e6;
	return fact;
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

	if (fact->kind == MS_JIT_COST)
		return expected;
	return Max(expected / actual, actual / expected);
}

void
ms_fact_add(MSFact *into, const MSFact *fact)
{
	into->times += fact->times;
	into->seen = fact->seen;
	if (fact->kind != MS_JIT_COST)
	{
		into->rows_read += fact->rows_read;
		into->rows_discarded += fact->rows_discarded;
	}
	into->memory = Max(into->memory, fact->memory);
	into->newest_index = Max(into->newest_index, fact->newest_index);
	if (misestimate(fact) > misestimate(into))
	{
		into->expected = fact->expected;
		into->actual = fact->actual;
	}
}
