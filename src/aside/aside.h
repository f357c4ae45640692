/*-------------------------------------------------------------------------
 *
 * aside.h
 *	  What does not reach its row at once, and how it does later.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_ASIDE_H
#define MS_ASIDE_H

#include "utils/snapshot.h"

#include "apply/apply.h"
#include "target/stored.h"

MS_INSIDE_BEGIN

/* the settings */
extern void ms_aside_init(void);

/*
 * pending.c: apply = 'commit'.
 */

/* when an increment of a target is to reach its row, and when it can */
extern MSApply ms_pending_wanted(const MSTarget *target);
extern MSApply ms_pending_apply(MSTarget *target);

/* may an increment be left to the commit, here? */
extern bool ms_pending_possible(void);

/*
 * Leave a row to the commit; privileges have been checked.  False where there
 * is no room for it.
 */
extern bool ms_pending_add(MSTarget *target, Relation rel, MSRow *row);

/*
 * deltas.c: what this transaction has deferred.
 */

/* what the key of a row has deferred in this transaction; false: nothing */
extern bool ms_pending_sum(MSTarget *target, const MSRow *row, int64 *sum);

/* the same with all that it was given, as ms_pending_foreach has it; or NULL */
extern MSRow *ms_pending_row(MSTarget *target, Relation rel, const MSRow *row);

/*
 * What this transaction has deferred for a target, whoever deferred it: one
 * row for each key, in the order of the key, timed, with the fields that a
 * new counter would get.  The rows are the caller's, their values are good
 * until the next increment; function must not count.
 */
extern void ms_pending_foreach(MSTarget *target, Relation rel,
							   void (*function) (MSRow *row, void *arg),
							   void *arg);

/*
 * Discard what the key of a row, or a table, has deferred in this transaction,
 * until a savepoint of before is rolled back to; how many deltas.
 */
extern int64 ms_pending_discard(MSTarget *target, const MSRow *row);
extern bool ms_pending_has(Oid relid);
extern int64 ms_pending_discard_all(Oid relid);

/*
 * buffer.c: apply = 'buffer'.
 */
extern void ms_buffer_append(MSTarget *target, Relation rel,
							 const MSRow *row);
extern void ms_buffer_append_logged(MSTarget *target, Relation rel,
									const MSRow *row);

/*
 * spill.c: deltas that are set aside, by their key.
 */

/* an increment between ms_apply_begin and its end; aside, if it would wait */
extern void ms_apply_or_spill(MSTarget *target, Relation rel, MSRow *row,
							  bool fast, MSResult *result);

/* false: that was enough */
typedef bool (*MSSpillFunction) (MSSpilled *delta, void *arg);

extern void ms_spill_foreach(MSTarget *target, Relation rel, const MSRow *row,
							 Snapshot snapshot, MSReading reading,
							 MSSpillFunction function, void *arg);
extern bool ms_spill_has_key(MSTarget *target, Relation rel,
							 const MSRow *row, Snapshot snapshot);
extern int64 ms_spill_discard(MSTarget *target, Relation rel,
							  const MSRow *row);
extern int64 ms_spill_take_all(MSTarget *target, Relation rel,
							   const MSRow *row,
							   void (*taken) (const MSRow *row, void *arg),
							   void *arg);
extern int64 ms_spill_discard_all(Oid relid);

/*
 * flush_lock.c: one flush() of a target at a time, or what is like it.
 */
extern void ms_lock_flush(Oid relid);
extern void ms_unlock_flush(Oid relid);

/*
 * store.c: the tables of deltas that are set aside.
 */
extern Relation ms_spill_open(MSStore store, LOCKMODE lockmode);

/* deltas of a target, one after the other */
typedef struct MSSpillScan MSSpillScan;

extern MSSpillScan *ms_spill_begin(MSStore store, Oid relid,
								   Snapshot snapshot, const int64 *hash,
								   const int64 *after);
extern MSSpilled *ms_spill_next(MSSpillScan *scan);
extern void ms_spill_end(MSSpillScan *scan);
extern void ms_spill_forget(Oid relid);
extern bool ms_spill_exists(Oid relid, Snapshot snapshot);
extern Oid	ms_spill_next_target(MSStore store, Oid relid, Snapshot snapshot);
extern TimestampTz ms_spill_first_seen(struct TupleTableSlot *slot);
extern bool ms_spill_has_error(struct TupleTableSlot *slot);

/*
 * sums.c: sums of deltas, one for each key.
 */
typedef struct MSSums MSSums;

extern MSSums *ms_sums_begin(MSTarget *target, Relation rel);
extern void ms_sums_add(MSSums *sums, const MSRow *row);
extern MSRow **ms_sums_end(MSSums *sums, int *n);

/*
 * fold.c: merges what is set aside into its rows.
 */

/* what a fold came to */
typedef struct MSFolded
{
	int64		deltas;			/* merged into their rows */
	int64		failed;			/* what failed, by keys or deltas */
	int64		waiting;		/* keys that stay: they were waited for */
	char	   *error;			/* the first reason for one of these */
	bool		overdue;		/* code of the table has taken too long */
	bool		cut;			/* not all was come to */
	bool		ended;			/* for *error, with nothing done */
} MSFolded;

extern bool ms_is_slow(const MSFolded *folded, int64 ms, int limit);
extern bool ms_fold_target(Oid relid, bool wait, bool alone, int limit,
						   MSFolded *folded, char **error);
extern bool ms_folding(void);
extern void ms_warn_left(Oid relid, const char *why);

MS_INSIDE_END

#endif							/* MS_ASIDE_H */
