/*-------------------------------------------------------------------------
 *
 * slow_internal.h
 *	  The copy of a plan, as it lies in memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_SLOW_INTERNAL_H
#define MS_SLOW_INTERNAL_H

#include "nodes/plannodes.h"

#include "compat.h"
#include "slow/slow.h"

MS_INSIDE_BEGIN

/* so many nodes are kept */
#define MS_SLOW_NODES	100

typedef enum MSPart
{
	MS_PART_INPUT,
	MS_PART_INITPLAN,
	MS_PART_SUBPLAN
} MSPart;

/* text: places behind the nodes, from the plan's beginning; 0: none */
typedef struct MSCopiedNode
{
	int			depth;
	int8		part;			/* an MSPart */
	bool		complete;		/* fewer rows than planned are too few */
	bool		judged;			/* its rows are what was planned for */
	Oid			relid;
	Oid			indexid;
	int			width;
	int			name;
	int			alias;
	int			conditions;		/* a List of three: of the index, a join's,
								 * filters; as nodeToString() has it */
	double		startup_cost;
	double		total_cost;
	double		estimated;
	double		rows;			/* negative: not counted */
	double		removed;
	double		loops;
} MSCopiedNode;

typedef struct MSSlowPlan
{
	int			size;			/* of it all */
	int			nnodes;
	int			left_out;
	int			relations;		/* text: what Vars stand for, a List of Lists
								 * of Strings: an alias and columns */
	double		touched;		/* rows that nodes gave or threw away */
	MSCopiedNode nodes[FLEXIBLE_ARRAY_MEMBER];
} MSSlowPlan;

/*
 * copy.c: in the current memory context, of at most so many bytes; NULL: that
 * is not enough for a node.
 */
extern MSSlowPlan *ms_slow_copy(QueryDesc *queryDesc, bool complete,
								bool with_values, Size most);

/* of a node: what EXPLAIN calls it; the entry of the range table that it scans
 * or writes, or 0; the index that it scans, or invalid */
extern const char *ms_slow_name(Plan *plan);
extern Index ms_slow_scanned(Plan *plan);
extern Oid	ms_slow_index(Plan *plan);

MS_INSIDE_END

#endif							/* MS_SLOW_INTERNAL_H */
