/*-------------------------------------------------------------------------
 *
 * n_plus_one_internal.h
 *	  A shape that runs again and again in a unit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_N_PLUS_ONE_INTERNAL_H
#define MS_N_PLUS_ONE_INTERNAL_H

#include "nodes/nodes.h"

#include "compat.h"
#include "profile/profile.h"

MS_INSIDE_BEGIN

/* parameter sets that are remembered, to tell duplicates */
#define MS_PARAM_SLOTS	128
#define MS_PARAM_LIMIT	64

#define MS_RUN_TEXT		256

/* so many executions that nothing explains, and that are far, are a loop */
#define MS_LOOP_REPEATS	10

/* one set of parameters */
typedef struct MSSeen
{
	uint32		hash;			/* 0: unused */
	uint32		xact;			/* twice the latest that had it; 1 more: as a
								 * retry of one that had failed */
} MSSeen;

typedef struct MSRun
{
	uint64		id;				/* 0: unused */
	uint64		unit;
	uint64		section;
	uint64		shape;
	Oid			userid;
	CmdType		operation;
	int			words;			/* MS_SAYS_... */
	bool		nested;
	bool		locks;
	bool		user_code;
	bool		aggregates;
	int64		count;
	int64		streak;			/* the latest with few others in between */
	int64		longest;
	int64		together;		/* sent with the one before, unasked */
	int64		failed;			/* of these, in a transaction that failed */
	int64		retries;		/* of these, again after such a one */
	int64		duplicates;
	int64		rows;
	int64		limited;		/* of these, with LIMIT */
	int64		paged;			/* of these, with OFFSET */
	int64		total_ns;
	int64		commit_ns;
	uint64		first_number;
	uint64		last_number;
	uint64		xacts;
	uint64		last_xact;
	uint64		failed_xact;	/* the latest that failed */
	uint64		last_commit;	/* transaction whose commit has been added */
	MSPossible	possible[MS_POSSIBLE];
	int			nseen;
	MSSeen		seen[MS_PARAM_SLOTS];
	int			label;
	int			application;
	char		comment[MS_COMMENT_MAX];
	char		text[MS_RUN_TEXT];
} MSRun;

/* n_plus_one.c */
extern MSRun *ms_runs;
extern int	ms_nruns;

/* most were sent with the one before */
extern bool ms_run_is_pipelined(const MSRun *run);

/* a batch, or a page, whatever it is run for */
extern bool ms_run_is_batch(const MSRun *run);

/* likewise, if it is run for no other statement's rows */
extern bool ms_run_is_portion(const MSRun *run);

/* the nearest that explains it, or NULL */
extern const MSPossible *ms_run_source(const MSRun *run, int64 min_repeats);

/* that shape, if it is a possible source of the run; or NULL */
extern const MSPossible *ms_run_possible(const MSRun *run, uint64 shape);

/* may these, and others, together look up the rows of that source? */
extern bool ms_run_shares(const MSRun *run, const MSRun *first, uint64 source);

/* of the same unit and section, both the client's, or neither */
static inline bool
ms_runs_are_together(const MSRun *a, const MSRun *b)
{
	return a->unit == b->unit && a->section == b->section &&
		a->nested == b->nested;
}

/* a retried transaction's statements count once */
static inline int64
ms_run_retried(const MSRun *run)
{
	return Min(run->failed, run->retries);
}

static inline int64
ms_run_repeats(const MSRun *run)
{
	return run->count - ms_run_retried(run);
}

static inline uint64
ms_rows_since(const MSPossible *p)
{
	return p->rows_now - p->rows;
}

static inline uint64
ms_calls_since(const MSPossible *p)
{
	return p->calls_now - p->calls;
}

static inline int64
ms_run_near(const MSRun *run)
{
	return run->longest - ms_run_retried(run);
}

MS_INSIDE_END

#endif							/* MS_N_PLUS_ONE_INTERNAL_H */
