/*-------------------------------------------------------------------------
 *
 * facts_memory.c
 *	  What of a plan did not fit into memory, and how much would have held it.
 *
 * The sizes are what a node would have needed, with what its allocator rounds
 * up: too much rather than too little, since work_mem that does not do is no
 * help.  Each process of a parallel plan has work_mem for itself.
 *
 * Files that no sort or hash has told of are put down to the nodes that keep
 * rows aside.  Where there is none (a function has written them, or a cursor
 * WITH HOLD) no size is known.
 *
 * The rules of facts.c hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_am.h"
#include "executor/hashjoin.h"
#include "executor/nodeAgg.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/rel.h"
#include "utils/tuplesort.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/facts_internal.h"

/* a BRIN index is looked at from so many rows on, and such a share rechecked */
#define BRIN_ROWS		10000
#define BRIN_RECHECKED	0.9

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
add_spill(MSCollector *c, MSFactKind kind, PlanState *ps, double rows,
		  double bytes)
{
	MSFact	   *fact = ms_facts_add(c, kind, ps);

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

/* is a single column sorted as it is, and its values are no pointers? */
static bool
sorts_values(PlanState *ps)
{
	return IsA(ps, SortState) && ms_sorts_datums((SortState *) ps) &&
		TupleDescAttr(ExecGetResultType(outerPlanState(ps)), 0)->attbyval;
}

/*
 * What a process would have needed: so many kB of tapes were rows in memory,
 * each of them also a SortTuple.
 */
static double
sort_bytes(PlanState *ps, double disk, double rows)
{
	double		width = Max(disk * 1024 / Max(rows, 1), 16);

	if (disk <= 0)
		return 0;
	if (sorts_values(ps))
		return rows * 24 * 1.2;
	return rows * (power_of_2_above(width + 16) + 16 + 2 * 24);
}

static void
add_sort(MSCollector *c, PlanState *ps, double bytes)
{
	if (bytes > 0)
		add_spill(c, MS_SORT_SPILLED, ps, ms_rows_of(outerPlanState(ps)),
				  bytes);
}

void
ms_facts_of_sort(MSCollector *c, SortState *sort)
{
	PlanState  *input = outerPlanState(&sort->ss.ps);
	MSWorkerCounts *workers;
	double		rows;
	double		bytes = 0;
	int			i;

	if (input->instrument == NULL)
		return;
	workers = input->worker_instrument;
	rows = ms_rows_of(input);
	if (sort->shared_info != NULL && workers != NULL)
		for (i = 0; i < Min(sort->shared_info->num_workers,
							workers->num_workers); i++)
		{
			double		disk = sort_disk(&sort->shared_info->sinstrument[i]);
			MSNodeCounts *of_worker = &workers->instrument[i];

			rows -= of_worker->ntuples;
			bytes = Max(bytes, sort_bytes(&sort->ss.ps, disk,
										  of_worker->ntuples /
										  Max(of_worker->nloops, 1)));
		}
	if (sort->sort_Done && sort->tuplesortstate != NULL)
	{
		TuplesortInstrumentation stats;

		tuplesort_get_stats((Tuplesortstate *) sort->tuplesortstate, &stats);
		if (workers == NULL)
			rows /= Max(ms_loops_of(&sort->ss.ps), 1);
		bytes = Max(bytes, sort_bytes(&sort->ss.ps, sort_disk(&stats), rows));
	}

	/* next time the processes share the rows otherwise */
	add_sort(c, &sort->ss.ps, workers == NULL ? bytes : bytes * 1.3);
}

void
ms_facts_of_incremental_sort(MSCollector *c, IncrementalSortState *sort)
{
	PlanState  *ps = &sort->ss.ps;
	PlanState  *input = outerPlanState(ps);

	if (input->instrument != NULL)
		add_sort(c, ps,
				 sort_bytes(ps, Max(sort->incsort_info.fullsortGroupInfo.maxDiskSpaceUsed,
								sort->incsort_info.prefixsortGroupInfo.maxDiskSpaceUsed),
							ms_rows_of(input) / Max(ms_loops_of(ps), 1)));
}

/* the table of a hash join */
void
ms_facts_of_hash(MSCollector *c, HashState *hash)
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
	rows = Max(ms_rows_of(input) / Max(ms_loops_of(&hash->ps), 1),
			   input->plan->plan_rows);
	bytes = rows * (16 + 16 + MAXALIGN(input->plan->plan_width)) +
		power_of_2_above(rows) * sizeof(void *);
	bytes = Max(bytes, peak * batches / 2);
	add_spill(c, MS_HASH_SPILLED, &hash->ps, ms_rows_of(input),
			  bytes * 1.2 / hash_mem_multiplier);
}

/*
 * DISTINCT and ORDER BY within an aggregate sort its input.  A single column is
 * sorted as it is, without a row around it.
 */
static void
note_sorted_input(MSCollector *c, AggState *agg)
{
	PlanState  *input = outerPlanState(agg);
	double		rows;
	int			i;

	if (input->instrument == NULL)
		return;
	rows = ms_rows_of(input) / Max(ms_loops_of(&agg->ss.ps), 1);
	for (i = 0; i < agg->numtrans; i++)
	{
		AggStatePerTrans trans = &agg->pertrans[i];
		double		width = trans->numInputs == 1 && trans->inputtypeByVal ?
			0 : power_of_2_above(input->plan->plan_width + 16);

		if (trans->numSortCols > 0)
			c->sorted_bytes = Max(c->sorted_bytes, rows *
								  (width + 24 +
								   (trans->numInputs == 1 ? 0 : 40)) * 1.2);
	}
}

void
ms_facts_of_aggregate(MSCollector *c, AggState *agg)
{
	uint64		disk = agg->hash_disk_used;
	double		groups;
	int			i;

	if (agg->shared_info != NULL)
		for (i = 0; i < agg->shared_info->num_workers; i++)
			disk = Max(disk, agg->shared_info->sinstrument[i].hash_disk_used);
	note_sorted_input(c, agg);
	if (disk == 0)
		return;
	groups = (ms_rows_of(&agg->ss.ps) + agg->ss.ps.instrument->nfiltered1) /
		Max(ms_loops_of(&agg->ss.ps), 1);
	add_spill(c, MS_HASH_SPILLED, &agg->ss.ps,
			  outerPlanState(agg)->instrument == NULL ? 0 :
			  ms_rows_of(outerPlanState(agg)),
			  groups * (agg->hashentrysize * 1.5 + 64) / hash_mem_multiplier);
}

/* does a BRIN index take part in a bitmap? */
static bool
has_brin(PlanState *ps)
{
	PlanState **parts = NULL;
	int			nparts = 0;
	int			i;

	if (IsA(ps, BitmapIndexScanState))
	{
		Relation	index = ((BitmapIndexScanState *) ps)->biss_RelationDesc;

		return index != NULL && index->rd_rel->relam == BRIN_AM_OID;
	}
	if (IsA(ps, BitmapAndState))
	{
		parts = ((BitmapAndState *) ps)->bitmapplans;
		nparts = ((BitmapAndState *) ps)->nplans;
	}
	else if (IsA(ps, BitmapOrState))
	{
		parts = ((BitmapOrState *) ps)->bitmapplans;
		nparts = ((BitmapOrState *) ps)->nplans;
	}
	for (i = 0; i < nparts; i++)
		if (has_brin(parts[i]))
			return true;
	return false;
}

/*
 * A page of a bitmap takes 48 bytes, and pointers to it.  BRIN knows pages
 * only, however much memory there is.
 */
void
ms_facts_of_bitmap(MSCollector *c, BitmapHeapScanState *scan)
{
	PlanState  *ps = &scan->ss.ps;
	bool		brin;
	double		read;
	MSFact	   *fact;

	if (MS_LOSSY_PAGES(scan) == 0)
		return;
	brin = has_brin(outerPlanState(ps));
	read = ms_rows_of(ps) + ps->instrument->nfiltered1 +
		ps->instrument->nfiltered2;
	if (brin && (read < BRIN_ROWS || !IsA(outerPlanState(ps), BitmapIndexScanState) ||
				 ps->instrument->nfiltered2 < read * BRIN_RECHECKED))
		return;
	fact = ms_facts_add(c, brin ? MS_BRIN_RECHECKS : MS_LOSSY_BITMAP, ps);
	fact->rows_read = read;
	fact->rows_discarded = ps->instrument->nfiltered2;
	fact->memory = memory_for((MS_LOSSY_PAGES(scan) + MS_EXACT_PAGES(scan)) *
							  1.25 * 64 / Max(ms_loops_of(ps), 1));
	(void) ms_facts_describe(c, fact, ps);
}

/* nodes that keep rows aside, in files where these are too many */
void
ms_facts_of_kept(MSCollector *c, PlanState *ps)
{
	PlanState  *of = ps;

	switch (nodeTag(ps))
	{
		case T_FunctionScanState:
		case T_TableFuncScanState:
			break;
		case T_CteScanState:
			of = ((CteScanState *) ps)->leader == (CteScanState *) ps ?
				((CteScanState *) ps)->cteplanstate : NULL;
			break;
		case T_MaterialState:
		case T_WindowAggState:
			of = outerPlanState(ps);
			break;
		default:
			return;
	}
	if (of != NULL && of->instrument != NULL)
	{
		double		rows = (ms_rows_of(of) + of->instrument->nfiltered1) /
			Max(ms_loops_of(of), 1);

		c->kept_rows += rows;
		c->kept_bytes = Max(c->kept_bytes, rows * 1.2 *
							(power_of_2_above(of->plan->plan_width + 24) + 32));
	}
}

/*
 * Files that no sort or hash has told of.  A row that is kept aside is 12 bytes
 * longer in memory than in its file, and has a pointer in an array that grows
 * by doubling.
 */
void
ms_facts_of_files(MSCollector *c, PlanState *root, int64 temp_blocks)
{
	double		disk = (double) temp_blocks * BLCKSZ;
	double		bytes = c->sorted_bytes;

	if (c->spilled && c->kept_bytes > work_mem * 1024.0)
	{
		ListCell   *lc;

		/* these, too, have to fit where a sort or a hash is to */
		foreach(lc, c->facts)
		{
			MSFact	   *fact = lfirst(lc);

			if (fact->kind == MS_SORT_SPILLED || fact->kind == MS_HASH_SPILLED)
				fact->memory = Max(fact->memory, memory_for(c->kept_bytes));
		}
	}
	if (temp_blocks <= 0 || c->spilled)
		return;
	if (c->kept_rows > 0)
		bytes = Max(bytes, c->kept_rows *
					(power_of_2_above(disk / c->kept_rows + 12) + 16 + 16));
	add_spill(c, MS_TEMP_SPILLED, root, -1, bytes);
	if (bytes == 0)
		((MSFact *) llast(c->facts))->memory = 0;
}
