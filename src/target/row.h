/*-------------------------------------------------------------------------
 *
 * row.h
 *	  Rows of a target that are to be counted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TARGET_ROW_H
#define MS_TARGET_ROW_H

#include "utils/uuid.h"

#include "target/target.h"

MS_INSIDE_BEGIN

/*
 * row.c: a row that is to be counted.
 */

/* where a row comes from that is to be counted */
typedef enum MSRowOrigin
{
	MS_FROM_CALL,				/* counted now: the clock is read */

	/* counted before, at its own times */
	MS_FROM_MEMORY,				/* in this transaction, which is committing */
	MS_FROM_STORE,				/* set aside; stays where it would have to wait,
								 * and so is not appended again */
	MS_FROM_STORE_WAITING		/* likewise, but waits, whatever its target says */
} MSRowOrigin;

/* what a call asks, whatever its target is limited to */
typedef struct MSAsk
{
	bool		is_new;			/* a row is to be made, or nothing done */

	bool		has_most;		/* all of it, or nothing ... */
	int64		most;			/* ... up to this */
	int64		step;			/* of the bucket: microseconds for each; 0: it is
								 * not asked */
	int64		n;				/* so many of them are wanted, ... */
	int64		burst;			/* ... of those that it holds */
} MSAsk;

typedef struct MSRow
{
	Datum	   *values;			/* by attribute number - 1; behind them those of
								 * the key's expressions.  Of the count column
								 * what it is counted by beside "by" */
	bool	   *isnull;
	Bitmapset  *given;			/* columns by name: attribute numbers; NULL where
								 * only the key is given */
	Bitmapset  *defaulted;		/* others, with what their defaults said at the
								 * call: for a new row only (defaults.c) */
	int64		by;
	const MSAsk *ask;			/* NULL: as the target is limited */
	int			ordinal;		/* place in its batch */
	MSRowOrigin origin;
	TimestampTz first_seen;		/* those of a call are not set */
	TimestampTz last_seen;

	/* of a call that is to count once */
	const pg_uuid_t *token;		/* NULL: of any other */
	ItemPointerData claim;		/* where the token is claimed */
	struct MSRow *into;			/* of the batch, that it was merged into */
	MSOutcome	outcome;
} MSRow;

/* was a row counted before, at its own times? */
static inline bool
ms_row_is_timed(const MSRow *row)
{
	return row->origin != MS_FROM_CALL;
}

/* is it to be judged by limits? */
static inline bool
ms_row_is_judged(const MSTarget *target, const MSRow *row)
{
	return (target->limits.set || row->ask != NULL) &&
		row->origin == MS_FROM_CALL;
}

/* is it a delta that was set aside? */
static inline bool
ms_row_is_stored(const MSRow *row)
{
	return row->origin >= MS_FROM_STORE;
}

/* must an increment go aside rather than wait? */
static inline bool
ms_row_goes_aside(const MSTarget *target, const MSRow *row)
{
	return row->origin == MS_FROM_STORE ||
		(target->spill && row->origin < MS_FROM_STORE && row->ask == NULL);
}

/* has a new row a value of this one for a column, if only null? */
static inline bool
ms_row_has_column(const MSRow *row, AttrNumber attno)
{
	return bms_is_member(attno, row->given) ||
		bms_is_member(attno, row->defaulted);
}

/* has it a value for a column of the row that there is? */
static inline bool
ms_row_fills(const MSRow *row, AttrNumber attno)
{
	return !row->isnull[attno - 1] && !bms_is_member(attno, row->defaulted);
}

/* A column's place among those that merge; NULL: it is none. */
static inline const MSMerged *
ms_merged_column(const MSTarget *target, AttrNumber attno)
{
	for (int i = 0; i < target->nmerged; i++)
	{
		if (target->merged[i].attno == attno)
			return &target->merged[i];
	}
	return NULL;
}

/* The count of a column whose amounts are given by name; NULL: it is none. */
static inline const MSCount *
ms_merged_count(const MSTarget *target, AttrNumber attno)
{
	const MSMerged *merged = ms_merged_column(target, attno);

	return merged != NULL && merged->role == MS_ROLE_COUNT ?
		&merged->count : NULL;
}

/* Is what a row has for a column wider than its type: as ms_small_amount()? */
static inline bool
ms_is_small_count(const MSTarget *target, AttrNumber attno)
{
	const MSCount *count = ms_merged_count(target, attno);

	return count != NULL && ms_is_small(count->kind);
}

extern MSRow *ms_row_make(const MSTarget *target);
extern MSRow *ms_row_copy(const MSTarget *target, Relation rel,
						  const MSRow *row);
extern void ms_prepare_key_order(MSTarget *target);
extern int	ms_compare_keys(const MSTarget *target, const Datum *a,
							uint32 a_nulls, const Datum *b, uint32 b_nulls);
extern int	ms_compare_rows(const MSTarget *target, const MSRow *a,
							const MSRow *b);
extern void ms_sort_rows(MSTarget *target, MSRow **rows, int n,
						 bool *duplicate);
extern bool ms_replaces(const MSMerged *column, Datum old, Datum new,
						bool later);
extern void ms_merge_columns(const MSTarget *target, MSRow *into,
							 const MSRow *from);
extern void ms_take_merged(const MSTarget *target, MSRow *into,
						   const MSRow *from);
extern bool ms_row_merges(const MSTarget *target, const MSRow *row);
extern void ms_add_by(const MSTarget *target, int64 *sum, int64 by);
extern bool ms_row_counts_nothing(const MSTarget *target, const MSRow *row);
extern void ms_merge_row(MSTarget *target, Relation rel, MSRow *into,
						 const MSRow *from);

/*
 * defaults.c: columns of a new row that nobody gives.
 */
extern bool ms_has_default(Relation rel, Form_pg_attribute att);
extern struct ExprState *ms_compile_default(Relation rel,
											Form_pg_attribute att,
											struct EState *estate);
extern const MSRow *ms_row_with_defaults(MSTarget *target, Relation rel,
										 const MSRow *row);
extern void ms_row_default_key(MSTarget *target, Relation rel, MSRow *row,
							   int first);

MS_INSIDE_END

#endif							/* MS_TARGET_ROW_H */
