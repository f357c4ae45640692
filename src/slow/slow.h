/*-------------------------------------------------------------------------
 *
 * slow.h
 *	  Statements that took long, with a copy of their plan, and shapes whose
 *	  time has changed with their plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_SLOW_H
#define MS_SLOW_H

#include "executor/execdesc.h"
#include "nodes/pg_list.h"

#include "compat.h"
#include "figures/figures.h"

MS_INSIDE_BEGIN

/* defines the setting */
extern void ms_slow_init(void);

/*
 * runs.c: the runs that are kept.
 */

/* a statement is slow from so many nanoseconds on; PG_INT64_MAX: none is */
extern int64 ms_slow_ns;

typedef struct MSSlowRun
{
	uint64		seq;			/* of its record, which may be gone */
	uint64		number;			/* in the view queries */
	uint64		shape;
	uint64		queryid;
	Oid			userid;
	bool		toplevel;
	bool		query;			/* no command that only runs others */
	int			label;			/* its number, -1: none */
	int			application;
	int			status;			/* an MSStatus */
	int			sqlerrcode;
	int64		start_ns;
	int64		plan_ns;
	int64		exec_ns;
	uint64		rows;
	int			text_len;
	int			params_len;		/* -1: not captured */
	const char *text;			/* as sent, cut to MS_SLOW_TEXT; no NUL */
	const char *params;
	const struct MSSlowPlan *plan;	/* for ms_slow_nodes(), or NULL */
} MSSlowRun;

/* so much of a text and of parameters is kept, or half of that */
#define MS_SLOW_TEXT	1024

/* take that memory into use */
extern void ms_slow_attach(char *memory, Size size);
extern void ms_slow_reset(void);

/*
 * A statement took long: it is kept, or, where it is known already, its
 * numbers are; false then.  plan is not read.  Allocates nothing, and never
 * fails.
 */
extern bool ms_slow_note(const MSSlowRun *run);

/*
 * The plan of a run that is kept, before ExecutorEnd.  complete: it was run to
 * its last row.  with_values: constants may be the values of parameters, and
 * these may be kept.  Reads no catalog, and fails only where memory is out.
 */
extern void ms_slow_keep_plan(uint64 seq, QueryDesc *queryDesc, bool complete,
							  bool with_values);

/* Lists of MSSlowRun, the slowest first; the second has one for each shape */
extern List *ms_slow_runs(void);
extern List *ms_slow_shapes(void);

/* runs that were not kept, or had to go */
extern uint64 ms_slow_lost(void);

/*
 * changes.c: how long the plans of a shape took.
 */
typedef struct MSExecution
{
	uint64		shape;
	Oid			userid;
	bool		toplevel;
	uint64		queryid;
	int64		exec_ns;
	uint64		params;			/* hash of constants and parameters */
	bool		params_known;	/* of all of them */
} MSExecution;

/* take that memory into use */
extern void ms_changes_attach(char *memory, Size size);
extern void ms_changes_reset(void);

/* one that ran to its last row, before ExecutorEnd */
extern void ms_changes_note(const MSExecution *execution,
							QueryDesc *queryDesc);

/* two plans of a shape of which one takes longer */
typedef struct MSPlanChange
{
	uint64		shape;
	Oid			userid;
	bool		toplevel;
	uint64		queryid;
	MSMedian	slow;
	MSMedian	fast;
	char	   *slow_plan;		/* its nodes */
	char	   *fast_plan;
	bool		is_latest;		/* the slow one ran last */
	bool		by_plan;		/* with the same parameters, too */
} MSPlanChange;

extern List *ms_changes(void);

/*
 * show.c: a kept plan, to be shown.
 *
 * A node of it.  Nodes come as EXPLAIN has them, each before its children,
 * which are one deeper.  Counts are sums over all loops; they are negative
 * where rows were not counted (the profile had no plans).
 */
typedef struct MSSlowNode
{
	int			depth;			/* 0: the plan's root */
	const char *part;			/* "InitPlan" or "SubPlan" of the node above,
								 * or NULL */
	const char *name;			/* "Seq Scan" */
	const char *relation;		/* qualified and quoted; NULL: of no table, or
								 * that is gone */
	const char *alias;			/* as the statement calls it, or NULL */
	const char *index;			/* qualified and quoted, or NULL */
	const char *index_cond;		/* or NULL, as the others: */
	const char *join_cond;
	const char *filter;
	double		startup_cost;
	double		total_cost;
	int			width;
	double		estimated;		/* rows in a loop, as planned */
	double		rows;			/* that it gave */
	double		removed;		/* that it read and threw away */
	double		loops;
	double		share;			/* of the rows that all nodes gave or threw
								 * away, 0 to 1 */
	double		off;			/* rows that came / rows estimated; 0: that
								 * cannot be told */
} MSSlowNode;

/*
 * The nodes of a run's plan, a List of MSSlowNode.  left_out: so many more
 * found no room.  Reads the catalog, waits for no lock, and raises nothing
 * that a user could bring about.
 */
extern List *ms_slow_nodes(const MSSlowRun *run, int *left_out);

MS_INSIDE_END

#endif							/* MS_SLOW_H */
