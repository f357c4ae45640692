/*-------------------------------------------------------------------------
 *
 * counts.h
 *	  What is counted at a node of a plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_COUNTS_H
#define MS_COUNTS_H

#include "executor/execdesc.h"
#include "executor/instrument.h"
#include "nodes/execnodes.h"

#include "compat.h"

MS_INSIDE_BEGIN

/* counts of a node; InstrEndLoop() may not have been called */
static inline double
ms_loops_of(const PlanState *ps)
{
	return ps->instrument->nloops + (ps->instrument->running ? 1 : 0);
}

static inline double
ms_rows_of(const PlanState *ps)
{
	return ps->instrument->ntuples + ps->instrument->tuplecount;
}

/* has it nothing below? */
static inline bool
ms_is_plain_scan(const PlanState *ps)
{
	return (IsA(ps, IndexScanState) || IsA(ps, SeqScanState) ||
			IsA(ps, IndexOnlyScanState)) &&
		ps->initPlan == NIL && ps->subPlan == NIL;
}

/* a plan that reads, gives and was to give less in all tells nothing */
#define MS_FEW_ROWS		900

/*
 * Such a plan, as those of most statements of most applications are, if it was
 * executed at all; it has written temp_blocks to temporary files.
 */
static inline bool
ms_facts_none(QueryDesc *queryDesc, int64 temp_blocks)
{
	const PlanState *ps = queryDesc->planstate;

	if (ps == NULL || ps->instrument == NULL)
		return true;
	return ms_is_plain_scan(ps) && temp_blocks <= 0 &&
		queryDesc->estate->es_jit == NULL &&
		ps->plan->plan_rows + ms_rows_of(ps) + ps->instrument->nfiltered1 +
		ps->instrument->ntuples2 < MS_FEW_ROWS;
}

/*
 * facts.c: does the child give all its rows, if the parent does?  It is no
 * subplan.
 */
extern bool ms_is_read_to_the_end(PlanState *parent, PlanState *child,
								  bool complete);

/*
 * facts.c: SubPlans are the only children that are neither; but for what
 * ModifyTable has before 14, which is not repeated.
 */
extern bool ms_is_subplan(PlanState *parent, PlanState *child);

MS_INSIDE_END

#endif							/* MS_COUNTS_H */
