/*-------------------------------------------------------------------------
 *
 * apply_internal.h
 *	  What only the files of apply/ use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_APPLY_INTERNAL_H
#define MS_APPLY_INTERNAL_H

#include "access/tupconvert.h"
#include "executor/execdesc.h"
#include "lib/ilist.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"

#include "apply/apply.h"

MS_INSIDE_BEGIN

/*
 * outcome.c: what came of an increment.
 */
extern bool ms_throttled(const MSTarget *target, TimestampTz last_seen,
						 TimestampTz now);
extern void ms_result_from_values(const MSTarget *target, Datum *values,
								  bool *isnull, MSResult *result);
extern void ms_result_from_slot(const MSTarget *target,
								struct TupleTableSlot *slot,
								MSOutcome outcome, MSResult *result);
extern void ms_null_key_by_trigger(const MSTarget *target);
extern void ms_not_found(const MSTarget *target);

/*
 * key.c: the key of a new row.
 */
extern bool ms_index_values(struct IndexInfo *index, EState *estate,
							struct TupleTableSlot *slot, Datum *values,
							bool *isnull);

/*
 * fast_state.c: the executor state that increments of an ordinary table, or of
 * a leaf of a partitioned one, keep.  Slots have a row as the named table has
 * it, but for found and stored.
 */
typedef struct MSFast
{
	MemoryContext cxt;			/* holds all of it */
	bool		busy;			/* a call is under way */

	/* kept */
	EState	   *estate;
	MSPrivileges *privileges;
	ResultRelInfo *insert_rri;
	ResultRelInfo *update_rri;
	bool		is_leaf;
	bool		has_row_triggers;
	bool		has_before_insert;
	bool		has_before_update;
	bool		generates;		/* columns, as rows are stored */
	TupleConversionMap *to_leaf;	/* of a leaf whose columns are arranged in
									 * another way; or NULL */
	TupleConversionMap *to_named;
	TupleTableSlot *found;		/* the row as its table has it */
	TupleTableSlot *seen;		/* the same as the named table has it */
	TupleTableSlot *updated;	/* as it will be */
	TupleTableSlot *inserted;	/* a new one */
	TupleTableSlot *stored;		/* the one or the other as a leaf has it */
	int			nindexes;
	Oid		   *index_oids;
	int			key_index;		/* which of them is the key's */
	List	   *arbiters;
	ScanKey		scankeys;
	Bitmapset  *has_default;	/* columns that get something if not given ... */
	ExprState **defaults;		/* ... by attribute number - 1; or NULL */
	MemoryContext policies_cxt; /* holds what row security asks: */
	Oid			policies_role;	/* of whom */
	bool		policies_builtin;	/* or else for one call */
	ExprState  *visible;		/* of a row; of its new version update_rri has
								 * it */

	/* of the call under way */
	Relation	named;			/* the table that was named */
	Relation	rel;			/* the one that has the rows */
	Snapshot	snapshot;		/* the active one */
	bool		pushed;			/* by us */
	bool		secured;		/* row security applies */
	bool		latest;			/* no increment has been made since */
	IndexScanDesc scan;
	CommandId	trigger_cid;	/* BEFORE INSERT triggers' commands are later */
	bool		triggered;		/* BEFORE triggers have run since it was taken */
} MSFast;

extern MSFast *ms_fast_make(MSTarget *target, Relation named, Relation rel,
							struct MSLeaves *leaves);
extern void ms_fast_open(MSFast *fast, MSTarget *target, Relation named,
						 Relation rel, bool fresh);
extern void ms_fast_close(MSFast *fast);
extern void ms_fast_open_indexes(MSFast *fast);
extern void ms_fast_refresh(MSFast *fast, MSTarget *target);

/*
 * fast.c: one increment of such a table.
 */
extern const Datum *ms_fast_increment(MSFast *fast, MSTarget *target,
									  MSRow *row, MSResult *result);

/*
 * leaves.c: which leaf of a partitioned table has a row.
 */
typedef struct MSLeaves
{
	MemoryContext cxt;			/* holds all of it */
	dlist_node	node;			/* of all that the session has */
	Oid			relid;			/* the table that was named */
	MSPrivileges *privileges;
	ResultRelInfo *root;		/* for messages */
	HTAB	   *tables;			/* leaves and what is between, by OID ... */
	dlist_head	latest;			/* ... and the latest first */
	uint64		changes;		/* invalidations of what decides the route */

	/* of the call under way */
	bool		busy;
	bool		fresh;			/* the active snapshot has just been taken */
	struct MSLeaf *open;		/* the leaf that has the latest row */
} MSLeaves;

extern MSLeaves *ms_leaves_of(MSTarget *target, Relation rel);
extern void ms_leaves_begin(MSLeaves *leaves, Relation rel, bool fresh);
extern MSFast *ms_leaves_open(MSTarget *target, Relation rel,
							  const MSRow *row);
extern void ms_leaves_close(MSLeaves *leaves);
extern void ms_leaves_end(MSLeaves *leaves);
extern Relation ms_open_leaf(MSTarget *target, Relation rel, const MSRow *row);

/*
 * general.c: increments of any other table, through SQL plans.
 */
extern bool ms_general_increment(MSTarget *target, Relation rel, MSRow *row,
								 MSResult *result);

/*
 * general_sql.c: the texts of its statements.
 */

/* what limits write with an increment */
typedef enum MSJudged
{
	MS_NOT_JUDGED,
	MS_JUDGED,					/* the count, and its window if it has one */
	MS_JUDGED_RATE				/* and the bucket */
} MSJudged;

extern char *ms_read_sql(MSTarget *target, Relation rel, uint32 nulls,
						 const char *condition, const char *locking);
extern char *ms_update_sql(MSTarget *target, Relation rel, uint32 nulls,
						   const Bitmapset *others, const Bitmapset *defaulted,
						   MSJudged judged, const char *condition);
extern char *ms_insert_sql(MSTarget *target, Relation rel, uint32 nulls,
						   const Bitmapset *others, const Bitmapset *defaulted,
						   MSJudged judged);

/*
 * plans.c: plans of statements that name a target.
 */
typedef struct MSPlans
{
	Bitmapset  *others;			/* NULL: an increment that gives only the key */
	Bitmapset  *defaulted;		/* those of them that are for a new row only */
	Oid			role;			/* whose they are; invalid: everybody's */
	uint32		nulls;			/* of the key, a bit each */
	MSJudged	judged;
	MSParams	params;
	struct _SPI_plan *update;
	struct _SPI_plan *update_at;		/* where the row is known */
	struct _SPI_plan *insert;
} MSPlans;

/* those that find a row; columns that are given make no difference to them */
typedef struct MSReads
{
	uint32		nulls;			/* of the key, a bit each */
	Oid			role;			/* whose they are; invalid: everybody's */
	MSParams	params;
	struct _SPI_plan *read;
	struct _SPI_plan *lock;
	struct _SPI_plan *lock_aside;
} MSReads;

extern MSPlans *ms_find_plans(MSTarget *target, const Bitmapset *others,
							  const Bitmapset *defaulted, uint32 nulls,
							  MSJudged judged);
extern MSReads *ms_find_reads(MSTarget *target, uint32 nulls);
extern void ms_allow_defaulted(MSTarget *target, struct _SPI_plan *plan,
							   const Bitmapset *defaulted);

/*
 * search.c: what to search a key's row by.
 */
extern struct ScanKeyData *ms_make_scankeys(const MSTarget *target);
extern void ms_set_scankeys(const MSTarget *target, struct ScanKeyData *keys,
							const MSRow *row);
extern void ms_set_scankey(struct ScanKeyData *key, Datum value, bool isnull);
extern void ms_set_scankey_copy(struct ScanKeyData *key, Datum value,
								bool isnull, Form_pg_attribute column,
								EState *estate);
extern void ms_wait_for_inserters(MSTarget *target, Relation rel,
								  const MSRow *row);
extern bool ms_wait_for_inserter(Relation rel, Relation index,
								 struct ScanKeyData *keys, int nkeys,
								 struct TupleTableSlot *slot);

/*
 * probe.c: can a counter be had without waiting?
 */
typedef enum MSProbe
{
	MS_PROBE_ABSENT,			/* there is no row */
	MS_PROBE_LOCKED,			/* there is, and we have its lock */
	MS_PROBE_BUSY				/* somebody else has it, or has changed it */
} MSProbe;

extern MSProbe ms_probe(MSTarget *target, Relation rel, const MSRow *row,
						ItemPointer tid);

/*
 * insertion.c: the right to insert a key.
 */
extern bool ms_insertion_lock(MSTarget *target, const MSRow *row);
extern void ms_insertion_unlock(MSTarget *target, const MSRow *row);

/*
 * judge.c: whether a limit lets an increment.
 */
typedef struct MSJudgement
{
	bool		idle;			/* it does not touch the count that is limited */
	bool		refused;
	bool		partial;		/* only a part of it fits */
	Datum		amount;			/* how much is counted; of integers bigint */
	bool		restart;		/* its window is over: a new one begins ... */
	TimestampTz window;			/* ... here */
	bool		rated;			/* the bucket is asked, ... */
	TimestampTz bucket;			/* ... and full again then */
	int64		retry_after;	/* as in MSResult */
} MSJudgement;

extern void ms_limited_none(MSLimited *limited);
extern void ms_limited_from_values(const MSTarget *target,
								   const Datum *values, const bool *isnull,
								   MSLimited *limited);
extern void ms_limited_from_slot(const MSTarget *target,
								 struct TupleTableSlot *slot,
								 MSLimited *limited);
extern void ms_judge(const MSTarget *target, const MSRow *row,
					 const MSLimited *limited, TimestampTz now,
					 MSJudgement *judgement);
extern MSRow *ms_judged_row(const MSTarget *target, MSRow *row,
							const MSJudgement *judgement);
extern void ms_begin_judged(const MSTarget *target,
							const MSJudgement *judgement, Datum *values,
							bool *isnull);
extern void ms_set_judged(const MSTarget *target, const MSJudgement *judgement,
						  Datum *values, bool *isnull);
extern void ms_result_judged(const MSTarget *target,
							 const MSJudgement *judgement, MSResult *result);

/*
 * count.c: the time of an increment, and its amount.
 */
extern TimestampTz ms_row_time(const MSRow *row);
extern void ms_set_new_counter_at(const MSTarget *target, const MSRow *row,
								  TimestampTz last_seen, Datum *values,
								  bool *isnull);
extern Datum ms_row_amount(const MSTarget *target, const MSRow *row);

MS_INSIDE_END

#endif							/* MS_APPLY_INTERNAL_H */
