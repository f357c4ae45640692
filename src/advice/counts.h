/*-------------------------------------------------------------------------
 *
 * counts.h
 *	  What is counted at a node of a plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_COUNTS_H
#define MS_COUNTS_H

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
