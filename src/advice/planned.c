/*-------------------------------------------------------------------------
 *
 * planned.c
 *	  What a plan uses, and how many blocks it reads at worst.
 *
 * Blocks are counted as EXPLAIN (BUFFERS) does: each time that one is looked
 * into, if it is not the one of just before.  How many rows an index finds, and
 * whether they lie together, the planner has said as it looked at the index
 * (ms_search_of()); if more came of the table than it expects, so much more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/relation.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

/* where a node stands */
typedef struct Place
{
	MSPlanned  *plans;
	double		loops;			/* so often it is run, */
	double		share;			/* and such a share of its rows is wanted */
	double		rows;			/* as often a SubPlan is run that it has */
} Place;

static void look_at(Plan *plan, MSPlanned *plans, double loops, double share);

static void
look_at_list(List *list, MSPlanned *plans, double loops, double share)
{
	ListCell   *lc;

	foreach(lc, list)
		look_at(lfirst(lc), plans, loops, share);
}

/* one that does not depend on a row is run once, one that is hashed, too */
static bool
look_at_subplan(Node *node, void *context)
{
	Place	   *place = context;

	if (node == NULL)
		return false;
	if (IsA(node, SubPlan))
	{
		SubPlan    *sub = (SubPlan *) node;
		bool		once = sub->useHashTable || sub->parParam == NIL;

		place->plans->seen = bms_add_member(place->plans->seen, sub->plan_id);
		look_at(list_nth(place->plans->stmt->subplans, sub->plan_id - 1),
				place->plans, once ? 1 : Max(place->loops * place->rows, 1), 1);
	}
	return expression_tree_walker(node, look_at_subplan, context);
}

/* the table is locked: it has been planned */
static void
size_of_table(Plan *scan, MSPlanned *plans, double *blocks, double *rows,
			  double *visible)
{
	RangeTblEntry *rte = rt_fetch(((Scan *) scan)->scanrelid, plans->stmt->rtable);
	Relation	rel = relation_open(rte->relid, NoLock);
	Form_pg_class form = rel->rd_rel;

	*blocks = RelationGetNumberOfBlocks(rel);
	*rows = Max(form->reltuples, 1);
	*visible = form->relpages > 0 ?
		Min((double) form->relallvisible / form->relpages, 1) : 0;
	relation_close(rel, NoLock);
	if (rte->relid == plans->relid)
		plans->expected = scan->plan_rows;
}

/*
 * Blocks of the table for the rows that an index finds.  At worst each is in
 * another one, unless it is known that they lie as the index has them.
 */
static double
blocks_of_rows(double found, double most, double blocks, double rows,
			   double correlation)
{
	double		least = Min(ceil(blocks * found / rows), most);

	return most - correlation * correlation * (most - least);
}

/* rows that come from a search of an index */
static double
search_of(Plan *scan, Oid index, List *quals, MSPlanned *plans, double *blocks,
		  double *correlation)
{
	const MSSearch *search = ms_search_of(index, list_length(quals));
	RangeTblEntry *rte = rt_fetch(((Scan *) scan)->scanrelid, plans->stmt->rtable);
	double		found = search ? search->rows : scan->plan_rows;

	*blocks = search ? search->blocks : 1;
	*correlation = search ? search->correlation : 0;
	plans->used = lappend_oid(plans->used, index);
	return Max(found, 1) * (rte->relid == plans->relid ? plans->more : 1);
}

static void
look_at_index_scan(Plan *scan, Oid index, List *quals, bool only, MSPlanned *plans,
				   double loops, double share)
{
	double		blocks;
	double		rows;
	double		visible;
	double		searched;
	double		correlation;
	double		found;

	size_of_table(scan, plans, &blocks, &rows, &visible);
	found = search_of(scan, index, quals, plans, &searched, &correlation) * share;
	found = blocks_of_rows(found, found, blocks, rows, correlation);
	plans->blocks += loops * (Max(searched * share, 1) +
							  found * (only ? 1 - visible : 1));
}

/* a bitmap has each block of the table once */
static double
look_at_bitmap(Plan *scan, Plan *plan, MSPlanned *plans, double loops,
			   double *correlation)
{
	double		found = 0;
	double		blocks;
	List	   *list;
	ListCell   *lc;

	if (IsA(plan, BitmapIndexScan))
	{
		found = search_of(scan, ((BitmapIndexScan *) plan)->indexid,
						  ((BitmapIndexScan *) plan)->indexqual, plans, &blocks,
						  correlation);
		plans->blocks += loops * blocks;
		return found;
	}
	list = IsA(plan, BitmapOr) ? ((BitmapOr *) plan)->bitmapplans :
		((BitmapAnd *) plan)->bitmapplans;
	foreach(lc, list)
		found += look_at_bitmap(scan, lfirst(lc), plans, loops, correlation);
	*correlation = 0;
	return IsA(plan, BitmapOr) ? found : Max(plan->plan_rows, 1) * plans->more;
}

static void
look_at_bitmap_scan(Plan *scan, MSPlanned *plans, double loops)
{
	double		blocks;
	double		rows;
	double		visible;
	double		correlation;
	double		found;

	size_of_table(scan, plans, &blocks, &rows, &visible);
	found = look_at_bitmap(scan, scan->lefttree, plans, loops, &correlation);
	plans->blocks += loops * blocks_of_rows(found, Min(found, blocks), blocks,
											rows, correlation);
}

/* the share of what comes to it that LIMIT takes */
static double
share_taken(Limit *limit)
{
	double		rows = limit->plan.plan_rows;

	if (limit->limitOffset != NULL)
		return 1;
	return Min(rows / Max(limit->plan.lefttree->plan_rows, 1), 1);
}

/* what is below some nodes; true: all of it */
static bool
look_below(Plan *plan, MSPlanned *plans, double loops, double share)
{
	Plan	   *outer = plan->lefttree;

	switch (nodeTag(plan))
	{
		case T_Limit:
			look_at(outer, plans, loops, share * share_taken((Limit *) plan));
			return true;
		case T_NestLoop:
			look_at(outer, plans, loops, share);
			look_at(plan->righttree, plans,
					IsA(plan->righttree, Material) ? loops :
					Max(loops * share * outer->plan_rows, 1), 1);
			return true;
		case T_Append:
			look_at_list(((Append *) plan)->appendplans, plans, loops, share);
			return false;
		case T_MergeAppend:
			look_at_list(((MergeAppend *) plan)->mergeplans, plans, loops, share);
			return false;
		case T_ModifyTable:
			look_at_list(ms_modified_plans((ModifyTable *) plan), plans, loops, 1);
			return false;
		case T_SubqueryScan:
			look_at(((SubqueryScan *) plan)->subplan, plans, loops, share);
			return false;
		case T_CustomScan:
			look_at_list(((CustomScan *) plan)->custom_plans, plans, loops, share);
			return false;
		default:
			return false;
	}
}

/* does it read all that comes to it before it gives a row? */
static bool
reads_all(Plan *plan)
{
	return IsA(plan, Sort) || IsA(plan, Hash) ||
		(IsA(plan, Agg) && ((Agg *) plan)->aggstrategy != AGG_SORTED);
}

static void
look_at(Plan *plan, MSPlanned *plans, double loops, double share)
{
	Place		place = {plans, loops, share, 1};
	double		blocks;
	double		rows;
	double		visible;

	if (plan == NULL)
		return;
	check_stack_depth();
	place.rows = plan->plan_rows * share;
	(void) look_at_subplan((Node *) plan->targetlist, &place);
	if (plan->lefttree != NULL)
		place.rows = Max(place.rows, plan->lefttree->plan_rows * share);
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
			size_of_table(plan, plans, &blocks, &rows, &visible);
			plans->blocks += loops * Max(blocks * share, 1);
			place.rows = rows * share;
			break;
		case T_IndexScan:
			look_at_index_scan(plan, ((IndexScan *) plan)->indexid,
							   ((IndexScan *) plan)->indexqual, false, plans,
							   loops, share);
			break;
		case T_IndexOnlyScan:
			look_at_index_scan(plan, ((IndexOnlyScan *) plan)->indexid,
							   ((IndexOnlyScan *) plan)->indexqual, true, plans,
							   loops, share);
			break;
		case T_BitmapHeapScan:
			look_at_bitmap_scan(plan, plans, loops);
			break;
		default:
			break;
	}
	(void) look_at_subplan((Node *) plan->qual, &place);
	if (IsA(plan, BitmapHeapScan) || look_below(plan, plans, loops, share))
		return;
	if (reads_all(plan))
		share = 1;
	look_at(plan->lefttree, plans, loops, share);
	look_at(plan->righttree, plans, loops, share);
}

/* adds to what is known of others */
void
ms_look_at_plan(PlannedStmt *stmt, MSPlanned *plans)
{
	int			id = 0;
	ListCell   *lc;

	plans->stmt = stmt;
	plans->seen = NULL;
	plans->cost += stmt->planTree->total_cost;
	look_at(stmt->planTree, plans, 1, 1);
	foreach(lc, stmt->subplans)
		if (!bms_is_member(++id, plans->seen))
			look_at(lfirst(lc), plans, 1, 1);
}
