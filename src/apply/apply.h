/*-------------------------------------------------------------------------
 *
 * apply.h
 *	  One increment reaches its row now, or cannot have it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_APPLY_H
#define MS_APPLY_H

#include "counter/counter.h"
#include "target/acting.h"
#include "target/row.h"

MS_INSIDE_BEGIN

/* the settings */
extern void ms_apply_init(void);

/*
 * outcome.c: what came of an increment.
 */
typedef struct MSResult
{
	MSOutcome	outcome;
	bool		count_isnull;	/* or it is none that bigint can hold */
	int64		count;
	Datum		numeric;		/* of a numeric count column, or one of floats,
								 * what it has, in the caller's memory; or 0 */
	bool		first_isnull;
	TimestampTz first_seen;
	bool		last_isnull;
	TimestampTz last_seen;
	Datum	   *counts;			/* of several counts all, in the caller's memory;
								 * NULL: not known, or there is one */
	bool	   *counts_isnull;

	/* of what was judged by a limit: judge.c */
	bool		judged;
	int64		applied_whole;	/* the amount that was counted, ... */
	Datum		applied;		/* ... of numeric and floats a numeric, in the
								 * caller's memory; or 0 */
	int64		retry_after;	/* microseconds until the rest could be; negative:
								 * not known, or never */
} MSResult;

extern void ms_result_none(MSOutcome outcome, MSResult *result);
extern AttrNumber ms_lacking_column(const MSTarget *target, Relation rel,
									const MSRow *row);
extern void ms_check_required_columns(const MSTarget *target, Relation rel,
									  const MSRow *row);
extern void ms_check_key_fits(const MSTarget *target, const Datum *values,
							  const bool *isnull);

/*
 * key.c: the key of a row, where that is computed.
 */
extern void ms_key_compute(MSTarget *target, Relation rel, MSRow *row,
						   bool search);
extern bool ms_key_of_row(MSTarget *target, Relation rel, Datum *values,
						  bool *isnull);
extern bool ms_is_outside(MSTarget *target, Relation rel, const MSRow *row);
extern void ms_outside(const MSTarget *target);
extern void ms_null_key(const MSTarget *target, Relation rel, int i);

/*
 * apply.c: the path, and increments on it, whatever it is.
 */
extern const char *ms_general_reason(const MSTarget *target, Relation rel);
extern bool ms_takes_fast_path(const MSTarget *target, Relation rel);
extern void ms_check_may_write(Relation rel);
extern void ms_apply_begin(MSTarget *target, Relation rel, Bitmapset *given,
						   bool fast, bool permitted, bool fresh);
extern const Datum *ms_apply_next(MSTarget *target, Relation rel, MSRow *row,
								  bool fast, MSResult *result);
extern void ms_apply_row(MSTarget *target, Relation rel, MSRow *row,
						 MSResult *result);

/* a statement on the fast path */
extern void ms_fast_begin(MSTarget *target, Relation rel, Bitmapset *given,
						  bool permitted, bool fresh);
extern Bitmapset *ms_fast_given(const MSTarget *target);
extern void ms_fast_end(MSTarget *target);
extern void ms_fast_abort(MSTarget *target);

/*
 * leaves.c: which leaves of a partitioned table the fast path can have.
 */
extern const char *ms_leaf_reason(const MSTarget *target, Relation named,
								  Relation leaf);

/*
 * general.c: reading on the general path, and its plans.
 */
struct MSLimited;
extern bool ms_general_value(MSTarget *target, Relation rel, MSRow *row,
							 MSResult *result, struct MSLimited *limited);
extern bool ms_general_exists(MSTarget *target, Relation rel, MSRow *row);

extern struct _SPI_plan *ms_prepare(const char *sql, int nargs, Oid *argtypes);
extern void ms_check_plan(const MSTarget *target, struct _SPI_plan *plan);
extern void ms_make_generic_plan(MSTarget *target, struct _SPI_plan *plan);

/*
 * general_sql.c: parts of statements over a target, whose alias is t.
 */

/* what the parser is told of a statement's parameters */
typedef struct MSParams
{
	MSTarget   *target;
	int			nargs;
	Oid		   *types;
} MSParams;

/* Are there trees among the parameters of a target's statements? */
static inline bool
ms_has_trees(const MSTarget *target)
{
	return target->exprs != NIL || target->predicate != NULL;
}

struct ParseState;
extern void ms_params_setup(struct ParseState *pstate, void *params);
extern void ms_append_counters(struct StringInfoData *sql, MSTarget *target,
							   Relation rel);
extern void ms_append_key_condition(struct StringInfoData *sql,
									MSTarget *target, Relation rel,
									uint32 nulls);
extern void ms_append_local_time(struct StringInfoData *sql,
								 const MSTarget *target, const char *time);
extern void ms_append_table(struct StringInfoData *sql, MSTarget *target,
							Relation rel);

/*
 * count.c: the counter's columns of a row.
 */
extern void ms_count_in_row(const MSTarget *target, const MSRow *row,
							TimestampTz now, Datum *values, bool *isnull);
extern void ms_set_new_counter(const MSTarget *target, const MSRow *row,
							   Datum *values, bool *isnull);
extern void ms_check_count(const MSTarget *target, int64 count);

/*
 * judge.c: whether a limit lets an increment.
 */

/* what a row has that limits look at */
typedef struct MSLimited
{
	bool		found;			/* there is a row */
	bool		count_isnull;
	Datum		count;			/* of integers bigint */
	bool		window_isnull;
	TimestampTz window;
	bool		bucket_isnull;
	TimestampTz bucket;
} MSLimited;

extern TimestampTz ms_window_start(const MSLimits *limits, TimestampTz now);
extern Datum ms_limited_count(const MSTarget *target, const MSLimited *limited,
							  TimestampTz now);
extern Datum ms_limited_rest(const MSTarget *target, Datum count, Datum most);
extern bool ms_limited_reopens(const MSTarget *target,
							   const MSLimited *limited, TimestampTz now,
							   TimestampTz *end);

/*
 * Advisory locks of ours, by the last field of their tag; SQL functions use 1
 * and 2.  pg_advisory_unlock_all() does not release them, because they are of
 * a transaction; one that a process keeps must not be an advisory lock.
 */
#define MS_LOCK_INSERTION	3	/* of a key: insertion.c */
#define MS_LOCK_FLUSH		4	/* of a target: aside/flush_lock.c */

MS_INSIDE_END

#endif							/* MS_APPLY_H */
