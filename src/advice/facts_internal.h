/*-------------------------------------------------------------------------
 *
 * facts_internal.h
 *	  A plan that is walked for what it tells.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_FACTS_INTERNAL_H
#define MS_FACTS_INTERNAL_H

#include "nodes/execnodes.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/counts.h"

MS_INSIDE_BEGIN

/* where a node stands in its plan */
typedef struct MSPlace
{
	PlanState  *parent;
	bool		complete;		/* run to its last row, if it was run at all */
	bool		nested;			/* repeated for each row of something else */
	int			workers;		/* that its Gather was planned for */
	Plan	   *append;			/* whose children are one table's partitions */
	bool		limited;		/* only the first rows of this node are wanted */
	Sort	   *sort;			/* that only keeps the first of its rows */
} MSPlace;

/* while a plan is walked */
typedef struct MSCollector
{
	List	   *rtable;
	bool		is_fk_check;
	List	   *facts;
	int			estimates_off;	/* so many facts about estimates */
	bool		spilled;		/* a sort or hash has written files */
	double		kept_rows;		/* in what has rows kept aside, */
	double		kept_bytes;		/* of the one that needs most, as planned */
	double		sorted_bytes;	/* or sorts them within an aggregate */
	MSPlace		at;
} MSCollector;

/* what an expression's Vars stand for */
typedef struct MSVarContext
{
	Index		scanrelid;
	List	   *inner_tlist;	/* of a join's inner side */
	List	   *index_tlist;	/* of an index-only scan */
} MSVarContext;

/*
 * facts_clauses.c: what a fact is about.
 */
extern MSFact *ms_facts_add(MSCollector *c, MSFactKind kind, PlanState *ps);
extern void ms_facts_set_clauses(MSFact *fact, MSVarContext *context,
								 List *filters, List *conditions);
extern void ms_facts_set_relation(MSFact *fact, Relation rel);

/* false, and no fact: it is of no table that somebody would want to read of */
extern bool ms_facts_describe(MSCollector *c, MSFact *fact, PlanState *ps);
extern bool ms_is_users_table(Relation rel);

/*
 * facts_memory.c: what did not fit into memory, and how much would have held
 * it.
 */
extern void ms_facts_of_sort(MSCollector *c, SortState *sort);
extern void ms_facts_of_incremental_sort(MSCollector *c,
										 IncrementalSortState *sort);
extern void ms_facts_of_hash(MSCollector *c, HashState *hash);
extern void ms_facts_of_aggregate(MSCollector *c, AggState *agg);
extern void ms_facts_of_bitmap(MSCollector *c, BitmapHeapScanState *scan);
extern void ms_facts_of_kept(MSCollector *c, PlanState *ps);
extern void ms_facts_of_files(MSCollector *c, PlanState *root,
							  int64 temp_blocks);

MS_INSIDE_END

#endif							/* MS_FACTS_INTERNAL_H */
