/*-------------------------------------------------------------------------
 *
 * aside_internal.h
 *	  What only the files of aside/ use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_ASIDE_INTERNAL_H
#define MS_ASIDE_INTERNAL_H

#include "lib/ilist.h"

#include "aside/aside.h"

MS_INSIDE_BEGIN

/*
 * store.c: appending to the tables, and taking out.
 */

/* of: whose delta it was; NULL: the current role's */
extern void ms_spill_append(MSStore store, MSTarget *target, Relation rel,
							const MSRow *row, const Datum *key,
							const MSSpilled *of, const char *error);

/* where a row is among those of its hash, in time */
typedef struct MSSpillPlace
{
	TimestampTz first_seen;
	ItemPointerData tid;
} MSSpillPlace;

extern MSSpillScan *ms_spill_begin_in_time(MSStore store, Oid relid,
										   Snapshot snapshot, int64 hash,
										   const MSSpillPlace *behind,
										   int most);
extern bool ms_spill_delete(Relation stored, const MSSpilled *delta,
							Snapshot snapshot, bool wait, bool ours);
extern bool ms_spill_lock(Relation stored, const MSSpilled *delta,
						  Snapshot snapshot, bool wait);
extern void ms_spill_append_again(const MSSpilled *delta, const char *error);

/*
 * spill.c: what had no row, and is dropped.
 */
extern void ms_note_absent(int64 deltas);

/*
 * attempt.c: steps that may fail, or take too long.
 */
typedef enum MSAttempt
{
	MS_DONE,
	MS_FAILED,					/* the delta is the reason */
	MS_STAYS,					/* it would have had to wait */
	MS_ENDS_FOLD,				/* no more of this table ... */
	MS_ENDS_ALL					/* ... or of any */
} MSAttempt;

extern MSAttempt ms_attempt(void (*step) (void *arg), void *arg, bool waits,
							MSAttempt passes, char **error);
extern bool ms_try(void (*step) (void *arg), void *arg, char **error);
extern void ms_limit_start(int ms);
extern bool ms_limit_end(void);
extern bool ms_is_limited(void);

/*
 * fold_groups.c: the order in which deltas come to their rows.
 */
typedef struct MSKeyDeltas		/* of one key and role */
{
	MSSpilled **deltas;
	int			n;
	Oid			roleid;
	bool		again;			/* the key of the group before it */
	Bitmapset  *filled;			/* columns that fill up and have a value here */
} MSKeyDeltas;

extern int	ms_fold_read(MSSpillScan *scan, MSSpilled **deltas, int most,
						 bool *full);
extern int	ms_before_last_hash(MSSpilled **deltas, int n);
extern int	ms_fold_groups(MSTarget *target, MSSpilled **deltas, int n,
						   MSKeyDeltas **result);

/*
 * fold.c: merging some of it.
 */
typedef struct MSFoldTerms
{
	int			limit;			/* ms for code of the table, for each key ... */
	int64		deadline;		/* ... and by ms_now_ns() for all; 0: none */
	bool		one_by_one;		/* keys are, and from anywhere on */
	bool		hurry;			/* hardly wait for any lock */
} MSFoldTerms;

/*
 * Fold what a store has of a target behind *after, about so many deltas;
 * false where that was the last of it, or it is over for now.
 */
extern bool ms_fold_some(Oid relid, MSStore store, const MSFoldTerms *terms,
						 int64 *after, int limit, MSFolded *folded);

/*
 * backlog.c: what a worker knows of tables.
 */

extern int	ms_flush_interval;	/* ms */

/* a store of a target */
typedef struct MSBacklog
{
	Oid			relid;
	MSStore		store;
	Oid			owner;
	int64		after;			/* the hash to go on behind */
	bool		slow;			/* it is in the way of others */
	bool		one_by_one;		/* not all of it was come to */
	bool		hurry;			/* something was locked */
	bool		locked;			/* nothing has failed: rows were locked */
	int			pause;			/* ms */
	int64		until;			/* of the pause */
	int64		round;			/* of the latest slice of time: the round, ... */
	int64		served;			/* when it was over, ... */
	int64		taken;			/* how many ms it was, ... */
	int64		deltas;			/* and what was merged in it */
	int64		logged;			/* of the store buffered, for both; 0: never */
} MSBacklog;

/* whose turn it is, in this order */
typedef enum MSTurn
{
	MS_TURN_PLAIN,
	MS_TURN_SUSPECT,			/* another table of this owner is slow */
	MS_TURN_SLOW
} MSTurn;

extern MSBacklog *ms_backlog_get(Oid relid, MSStore store, Oid owner);
extern void ms_backlog_forget(MSBacklog *backlog);
extern MSTurn ms_backlog_turn(const MSBacklog *backlog);
extern void ms_backlog_pause(MSBacklog *backlog, bool locked);
extern void ms_backlog_served(MSBacklog *backlog, int64 round, int64 began,
							  const MSFolded *sum);
extern bool ms_backlog_judge(MSBacklog *backlog, const MSFolded *sum);
extern void ms_backlog_log_failure(MSBacklog *backlog, const char *name,
								 const char *error);

/*
 * worker_start.c: is there a worker?
 */
extern bool ms_worker;			/* there may be one */

extern void ms_worker_start_init(void);

/* something was appended: see to it that a worker runs */
extern void ms_worker_wake(void);

/* does one run, or could it be started? */
extern bool ms_worker_possible(void);

/* what a worker that has been ended tells its successor: tables */
#define MS_KILLERS	((int) (BGW_EXTRALEN / sizeof(Oid)))

/* start one, whatever there is; killers: MS_KILLERS, or NULL */
extern bool ms_worker_start(const Oid *killers);

/* whoever has this lock is the worker, or looks whether there is one */
extern bool ms_worker_lock(Oid schema, bool session);
extern void ms_worker_unlock(Oid schema, bool session);

/*
 * worker.c: the background worker that folds.
 */
extern void ms_worker_init(void);

/*
 * buffer.c: apply = 'buffer'.
 */
extern bool ms_buffer_serves(MSTarget *target);

/*
 * delta.c: what one role has deferred for one key.
 */
typedef struct MSField
{
	AttrNumber	attno;
	bool		isnull;
	bool		defaulted;		/* not given: as MSRow.defaulted */
	bool		fills;
	bool		merges;
	MSRole		role;			/* of what merges */
	Oid			typid;
	Datum		value;
} MSField;

typedef struct MSDelta
{
	MSTarget   *target;			/* pinned */
	Oid			role;
	bool		definer;		/* counted in a security-definer context */
	const char *search_path;	/* at the call; deltas.c keeps one of each */
	int64		by;
	TimestampTz first_seen;
	TimestampTz last_seen;
	int			depth;			/* 1 + that of the delta whose trigger counted it */
	bool		discards;		/* no increment: has no values, and what is
								 * outer to it does not count */
	TimestampTz counted;		/* when its own values were */
	struct MSDelta *donor;		/* merged in; has values that fill or merge */
	int			ndonors;

	/* its place in deltas.c */
	struct MSDeltaKey *key;		/* NULL: taken out, or a donor */
	struct MSDelta *outer;		/* the key's next delta */
	struct MSDeltaLevel *level;
	dlist_node	in_level;

	Size		size;
	Bitmapset  *given;			/* columns that were given by name */
	uint32		nulls;			/* of the key, a bit each */
	int			nfields;		/* those beside the key */
	MSField    *fields;
	Datum		values[FLEXIBLE_ARRAY_MEMBER];	/* the key */
} MSDelta;

extern MSDelta *ms_delta_make(MemoryContext cxt, const MSTarget *target,
							  Relation rel, const MSRow *row, TimestampTz now);
extern uint32 ms_delta_key(const MSTarget *target, const MSRow *row,
						   Datum *values);
extern void ms_delta_check_target(const MSTarget *then, const MSTarget *now);
extern bool ms_delta_has_value(const MSDelta *delta, AttrNumber attno);
extern bool ms_delta_brings_values(const MSDelta *delta, const MSDelta *into);
extern void ms_delta_add_donor(MSDelta *delta, MSDelta *donor);
extern MSRow *ms_delta_row(const MSDelta *delta, const MSTarget *target,
						   Relation rel);
extern MSDelta *ms_delta_join_donors(MemoryContext cxt, MSDelta *delta,
									 const MSTarget *target, Relation rel,
									 bool short_of_memory, Size *size);
extern void ms_delta_fill(const MSTarget *target, Relation rel, MSRow *row,
						  const MSDelta *delta);

/*
 * deltas.c: what this transaction has deferred, merged in memory.
 */
extern bool ms_deltas_exist(void);
extern bool ms_deltas_comparing(void);

/* false: it is not added, because all deltas take limit bytes or more */
extern bool ms_deltas_add(MSTarget *target, Relation rel, const MSRow *row,
						  Size limit);
extern void ms_deltas_commit_level(int nestlevel);
extern void ms_deltas_abort_level(int nestlevel);
extern void ms_deltas_forget(void);
extern MSDelta *ms_deltas_take_first(const MSDelta *like);
extern void ms_delta_free(MSDelta *delta);
extern int	ms_deltas_set_depth(int new_depth);

MS_INSIDE_END

#endif							/* MS_ASIDE_INTERNAL_H */
