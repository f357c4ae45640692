/*-------------------------------------------------------------------------
 *
 * missing_symbol.h
 *	  The one internal header: a section for each file.
 *
 * Counting and profiling are two wings that share nothing but the front
 * door (missing_symbol.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef MISSING_SYMBOL_H
#define MISSING_SYMBOL_H

#include "compat.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

/*
 * missing_symbol.c: module magic, _PG_init, every setting, the clock.
 */
extern bool ms_fast_path;

extern TimestampTz ms_clock(void);
extern Oid	ms_schema(void);

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
extern void ms_counter_init(MSCounter *result, int64 count, TimestampTz now);

/* c counted by more at now; error 22003 where the count overflows */
extern void ms_counter_add(MSCounter *result, const MSCounter *c, int64 by,
						   TimestampTz now);

/*
 * target.c: a table as a target.  Cached for each table, thrown away at any
 * invalidation that could touch it.
 */
typedef enum MSCountKind
{
	MS_COUNT_INT2,
	MS_COUNT_INT4,
	MS_COUNT_INT8,
	MS_COUNT_NUMERIC,
	MS_COUNT_COUNTER
} MSCountKind;

/* a key column */
typedef struct MSKeyColumn
{
	AttrNumber	attno;
	Oid			typid;
	int32		typmod;
	bool		typbyval;
	int16		typlen;
	Oid			collation;
	Oid			eqop;			/* the index's own equality operator ... */
	RegProcedure eqproc;		/* ... its function ... */
	Oid			subtype;		/* ... and that function's right-hand type */
	struct SortSupportData *sort;	/* the index's own order; lazily made */
	struct MSCoercion *coercion;	/* see input.c */
} MSKeyColumn;

typedef struct MSTarget
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	MemoryContext cxt;			/* holds all of it */
	int			users;			/* calls under way */
	bool		stale;			/* replaced in the cache: the last user frees */

	/* the key, in the order of the index's columns */
	Oid			index;
	List	   *arbiters;		/* that index and its equals */
	int			nkeys;
	MSKeyColumn *keys;
	int		   *argument;		/* keys[i] is the caller's argument[i]-th value */

	/* the counter; attribute number 0 means: no such column */
	AttrNumber	count;
	MSCountKind kind;
	int32		count_typmod;
	AttrNumber	first_seen;
	AttrNumber	last_seen;

	/* settings of track() */
	int64		throttle;		/* microseconds; 0: none */
	Bitmapset  *fill;			/* attribute numbers */

	/* why increments take the general path; NULL: they may take the fast one */
	const char *general_reason;

	/* made when first needed; each owned by its file */
	struct MSFast *fast;
	List	   *general_plans;
	struct _SPI_plan *value_plan;
	struct MSRecordReader *record_reader;
	struct MSSightingColumns *sighting_columns;
} MSTarget;

extern MSTarget *ms_target_open(Oid relid, LOCKMODE lockmode, Relation *rel);
extern void ms_target_close(MSTarget *target, Relation rel);
extern void ms_target_unpin(MSTarget *target);
extern const char *ms_general_reason(const MSTarget *target, Relation rel);
extern AttrNumber ms_column_number(Relation rel, const char *column);
extern bool ms_default_is_sequence(Relation rel, AttrNumber attno);

/*
 * tracked.c: table tracked, track, untrack, describe.
 */
typedef struct MSTracked
{
	bool		found;
	List	   *key;			/* of String; NIL: not set */
	char	   *count;			/* NULL: not set */
	char	   *first_seen;		/* NULL: not set; "": none */
	char	   *last_seen;
	int64		throttle;
	List	   *fill;
} MSTracked;

extern void ms_tracked_read(Oid relid, MSTracked *tracked);

/*
 * input.c: what a caller gives becomes values of the target's columns.
 */
typedef struct MSRow
{
	Datum	   *values;			/* by attribute number - 1 */
	bool	   *isnull;
	Bitmapset  *given;			/* columns by name: attribute numbers; NULL where
								 * only the key is given */
	int64		by;
	int			ordinal;		/* place in its batch */
} MSRow;

extern MSRow *ms_row_make(Relation rel);
extern void ms_row_set_key(MSTarget *target, Relation rel, MSRow *row, int i,
						   Oid type, Datum value, bool isnull);
extern void ms_row_from_jsonb(MSTarget *target, Relation rel, MSRow *row,
							  Datum fields);
extern void ms_check_by(int64 by);
extern void ms_prepare_compare(MSTarget *target);
extern int	ms_compare_rows(const MSTarget *target, const MSRow *a,
							const MSRow *b);

/*
 * increment.c: the engine: one increment or an ordered batch; the outcome.
 */
typedef enum MSOutcome
{
	MS_INSERTED,
	MS_INCREMENTED,
	MS_THROTTLED,
	MS_IGNORED
} MSOutcome;

#define MS_OUTCOMES (MS_IGNORED + 1)

typedef struct MSResult
{
	MSOutcome	outcome;
	bool		count_isnull;
	int64		count;
	bool		first_isnull;
	TimestampTz first_seen;
	bool		last_isnull;
	TimestampTz last_seen;
} MSResult;

extern bool ms_increment(MSTarget *target, Relation rel, MSRow *row,
						 int64 *count);
extern void ms_set_last_increment(const MSResult *result);
extern bool ms_throttled(const MSTarget *target, TimestampTz last_seen,
						 TimestampTz now);
extern void ms_result_from_values(const MSTarget *target, Datum *values,
								  bool *isnull, MSResult *result);
extern void ms_result_none(MSOutcome outcome, MSResult *result);
extern void ms_check_required_columns(const MSTarget *target, Relation rel,
									  const MSRow *row);

/*
 * fast.c: increments of an ordinary table, through the table access method.
 */
extern bool ms_fast_begin(MSTarget *target, Relation rel, Bitmapset *given);
extern void ms_fast_increment(MSTarget *target, MSRow *row, MSResult *result);
extern void ms_fast_end(MSTarget *target);
extern void ms_fast_abort(MSTarget *target);

/*
 * general.c: increments of any other table, through SQL plans.
 */
extern void ms_general_increment(MSTarget *target, Relation rel, MSRow *row,
								 MSResult *result);
extern void ms_general_value(MSTarget *target, Relation rel, MSRow *row,
							 bool *isnull, int64 *value);
extern void ms_general_free(MSTarget *target);

#endif							/* MISSING_SYMBOL_H */
