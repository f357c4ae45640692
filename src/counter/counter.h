/*-------------------------------------------------------------------------
 *
 * counter.h
 *	  What all of counting stands on: the type, the clock, the outcomes, and
 *	  what this session's calls came to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_COUNTER_H
#define MS_COUNTER_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/hsearch.h"

#include "compat.h"

MS_INSIDE_BEGIN

/* the settings */
extern void ms_counter_init(void);

/*
 * clock.c: the time of an increment.
 */
extern TimestampTz ms_clock(void);

/*
 * counter.c: the type.  24 bytes, double aligned, passed by reference.
 */
typedef struct MSCounter
{
	int64		count;
	TimestampTz first_seen;
	TimestampTz last_seen;		/* never before first_seen */
} MSCounter;

#define DatumGetMSCounterP(d)	((MSCounter *) DatumGetPointer(d))
#define MSCounterPGetDatum(p)	PointerGetDatum(p)
#define PG_GETARG_MSCOUNTER_P(n) DatumGetMSCounterP(PG_GETARG_DATUM(n))
#define PG_RETURN_MSCOUNTER_P(p) return MSCounterPGetDatum(p)

/* set *result to a counter that has been seen at one time only */
extern void ms_counter_make(MSCounter *result, int64 count, TimestampTz now);

/* error 22008 where times are infinite, or first_seen is after last_seen */
extern void ms_counter_check(const MSCounter *c);

/* c counted by more at now; error 22003 where the count overflows */
extern void ms_counter_add(MSCounter *result, const MSCounter *c, int64 by,
						   TimestampTz now);

/*
 * amount.c: values of the types that can be counted in.
 */
typedef enum MSCountKind
{
	MS_COUNT_INT2,
	MS_COUNT_INT4,
	MS_COUNT_INT8,
	MS_COUNT_NUMERIC,
	MS_COUNT_COUNTER,

	/* those that configure() names, of which only floats are the first */
	MS_COUNT_FLOAT4,
	MS_COUNT_FLOAT8,
	MS_COUNT_MONEY,
	MS_COUNT_INTERVAL
} MSCountKind;

/* a column that is added to */
typedef struct MSCount
{
	MSCountKind kind;
	int32		typmod;			/* without its domain, if any */
	const char *column;			/* for messages ... */
	const char *table;			/* ... quoted */
} MSCount;

/*
 * An amount is of its count's type.  That of a smaller integer is wider, as
 * the sum of those that wait may be: as wide as a Datum holds by value.
 */
static inline bool
ms_is_small(MSCountKind kind)
{
	return kind == MS_COUNT_INT2 || kind == MS_COUNT_INT4;
}

static inline int64
ms_small_amount(Datum amount)
{
	return (intptr_t) amount;
}

/* is it counted by whole numbers only? */
static inline bool
ms_counts_whole(MSCountKind kind)
{
	return kind <= MS_COUNT_INT8 || kind == MS_COUNT_COUNTER;
}

extern bool ms_count_kind(Oid type, MSCountKind *kind);
extern Datum ms_amount(MSCountKind kind, int64 by);
extern bool ms_amount_is_zero(MSCountKind kind, Datum amount);
extern bool ms_amount_is_finite(MSCountKind kind, Datum amount);
extern Datum ms_amount_numeric(MSCountKind kind, Datum amount);
extern int64 ms_integer_amount(const MSCount *count, const char *text);
extern bool ms_numeric_to_bigint(Datum value, int64 *result);
extern int	ms_compare_amounts(MSCountKind kind, Datum a, Datum b);
extern int64 ms_add_integers(const MSCount *count, int64 a, int64 b);
extern Datum ms_add_amounts(const MSCount *count, Datum a, Datum b);
extern Datum ms_count_amount(const MSCount *count, Datum value, bool isnull,
							 Datum amount);
extern Datum ms_fit_amount(const MSCount *count, Datum amount);

/*
 * tally.c: what this session's increments came to.
 */
typedef enum MSOutcome
{
	MS_INSERTED,
	MS_INCREMENTED,
	MS_THROTTLED,
	MS_IGNORED,
	MS_SPILLED,
	MS_DEFERRED,
	MS_BUFFERED,
	MS_ABSENT,					/* there is no row, and none is made */
	MS_DUPLICATE,				/* the token of the call is known */
	MS_REFUSED					/* by a limit */
} MSOutcome;

#define MS_OUTCOMES (MS_REFUSED + 1)

/* is something counted, or to be counted? */
static inline bool
ms_outcome_counts(MSOutcome outcome)
{
	return outcome == MS_INSERTED || outcome == MS_INCREMENTED ||
		outcome == MS_SPILLED || outcome == MS_DEFERRED ||
		outcome == MS_BUFFERED;
}

typedef struct MSTally
{
	Oid			relid;			/* hash key */
	int64		counts[MS_OUTCOMES];
	int64		fallbacks;
	int64		lock_waits;
	int64		early_applies;
	int64		folded;
} MSTally;

/* calls of the session's user code, by outcome; counts has MS_OUTCOMES */
extern void ms_tally_count(Oid relid, MSOutcome outcome);
extern void ms_tally_count_many(Oid relid, const int64 *counts);

/* a row's lock, or a key's insertion, had to be waited for */
extern void ms_tally_lock_wait(Oid relid);

/* so many could not wait as they should have */
extern void ms_tally_fallback(Oid relid, int64 n);

/* one could not be deferred, for want of memory */
extern void ms_tally_early_apply(Oid relid);

/* so many spilled deltas were merged into their rows */
extern void ms_tally_folded(Oid relid, int64 deltas);

/* the MSTally of each target; NULL: nothing was counted yet */
extern HTAB *ms_tally_all(void);

MS_INSIDE_END

#endif							/* MS_COUNTER_H */
