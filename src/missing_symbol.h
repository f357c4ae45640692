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
#include "lib/ilist.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "port/pg_bswap.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

/*
 * missing_symbol.c: module magic, _PG_init, every setting, the clock.
 */
extern bool ms_fast_path;
extern int	ms_apply;			/* MSApply of targets that do not say */

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

/* a column that callers give values for */
typedef struct MSColumn
{
	AttrNumber	attno;
	Oid			typid;
	int32		typmod;
	struct MSCoercion *coercion;	/* the latest conversion; see input.c */
} MSColumn;

/* a key column */
typedef struct MSKeyColumn
{
	MSColumn	column;
	Oid			collation;
	Oid			eqop;			/* the index's own equality operator ... */
	RegProcedure eqproc;		/* ... its function ... */
	Oid			subtype;		/* ... and that function's right-hand type */
} MSKeyColumn;

/* when an increment reaches its row */
typedef enum MSApply
{
	MS_APPLY_UNSET,				/* as missing_symbol.apply says */
	MS_APPLY_NOW,
	MS_APPLY_COMMIT
} MSApply;

typedef struct MSTarget
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	MemoryContext cxt;			/* holds all of it */
	int			users;			/* calls under way */
	bool		pinned;			/* deltas of this transaction need it */
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
	MSApply		apply;
	int64		throttle;		/* microseconds; 0: none */
	Bitmapset  *fill;			/* attribute numbers */
	bool		spill;			/* never wait for a row: append the delta */

	/* why increments take the general path; NULL: they may take the fast one */
	const char *general_reason;

	/* made when first needed; each owned by its file */
	struct MSKeyOrder *order;
	struct MSPermissions *permissions;
	struct MSFast *fast;
	List	   *general_plans;
	struct _SPI_plan *value_plan;
	struct MSRecordReader *record_reader;
	struct MSNamedColumns *named_columns;
} MSTarget;

extern MSTarget *ms_target_open(Oid relid, LOCKMODE lockmode, Relation *rel);
extern void ms_target_close(MSTarget *target, Relation rel);
extern void ms_target_unpin(MSTarget *target);
extern void ms_target_pin(MSTarget *target);
extern void ms_target_release(MSTarget *target);
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
	MSApply		apply;
	int64		throttle;
	List	   *fill;
	bool		spill;
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
	bool		timed;			/* counted at these times; else the clock is read */
	TimestampTz first_seen;
	TimestampTz last_seen;
} MSRow;

extern MSRow *ms_row_make(Relation rel);
extern void ms_row_set_key(MSTarget *target, Relation rel, MSRow *row, int i,
						   Oid type, Datum value, bool isnull);
extern void ms_row_from_texts(MSTarget *target, Relation rel, MSRow *row,
							  const char *const *names, int n,
							  const Datum *values, const bool *isnull);
extern void ms_row_from_jsonb(MSTarget *target, Relation rel, MSRow *row,
							  Datum fields);
extern void ms_check_by(int64 by);
extern void ms_prepare_key_order(MSTarget *target);
extern int	ms_compare_keys(const MSTarget *target, const Datum *a,
							const Datum *b);
extern void ms_sort_rows(MSTarget *target, MSRow **rows, int n,
						 bool *duplicate);

/*
 * increment.c: the engine: one increment or an ordered batch; the outcome.
 */
typedef enum MSOutcome
{
	MS_INSERTED,
	MS_INCREMENTED,
	MS_THROTTLED,
	MS_IGNORED,
	MS_SPILLED,
	MS_DEFERRED
} MSOutcome;

#define MS_OUTCOMES (MS_DEFERRED + 1)

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
extern bool ms_increment_texts(Oid relid, const char *const *names, int n,
							   const Datum *values, const bool *isnull,
							   int64 by, int64 *count);
extern void ms_apply_row(MSTarget *target, Relation rel, MSRow *row,
						 MSResult *result);
extern void ms_set_last_increment(const MSResult *result);
extern bool ms_throttled(const MSTarget *target, TimestampTz last_seen,
						 TimestampTz now);
extern void ms_result_from_values(const MSTarget *target, Datum *values,
								  bool *isnull, MSResult *result);
extern void ms_result_none(MSOutcome outcome, MSResult *result);
extern void ms_check_required_columns(const MSTarget *target, Relation rel,
									  const MSRow *row);

/*
 * permissions.c: the privileges an increment needs.
 */
typedef struct MSPermissions
{
	List	   *rtable;			/* of one entry: the target */
	List	   *perminfos;
	RTEPermissionInfo *perminfo;
	Bitmapset  *inserted;		/* by an increment that gives only the key */
	Bitmapset  *updated;		/* likewise */
	Bitmapset  *selected;
} MSPermissions;

extern MSPermissions *ms_permissions_make(const MSTarget *target,
										  Relation rel);
extern void ms_permissions_check(MSPermissions *permissions,
								 const MSTarget *target, Bitmapset *given);

/*
 * fast.c: increments of an ordinary table, through the table access method.
 */
extern bool ms_fast_is_busy(const MSTarget *target);
extern void ms_fast_begin(MSTarget *target, Relation rel, Bitmapset *given);
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
extern bool ms_general_exists(MSTarget *target, Relation rel, MSRow *row);
extern void ms_general_free(MSTarget *target);

/*
 * delta.c: what one role has deferred for one key.
 */
typedef struct MSField
{
	AttrNumber	attno;
	bool		isnull;
	bool		fills;
	Oid			typid;
	Datum		value;
} MSField;

typedef struct MSDelta
{
	MSTarget   *target;			/* pinned */
	Oid			role;
	int64		by;
	TimestampTz first_seen;
	TimestampTz last_seen;
	int			depth;			/* 1 + that of the delta whose trigger counted it */
	struct MSDelta *donor;		/* merged in; has values that fill */

	/* its place in deltas.c */
	struct MSDeltaKey *key;		/* NULL: taken out, or a donor */
	struct MSDelta *outer;		/* the key's next delta */
	struct MSDeltaLevel *level;
	dlist_node	in_level;

	Size		size;
	bool		by_name;		/* columns were given by name */
	int			nfields;		/* values given beside the key */
	MSField    *fields;
	Datum		values[FLEXIBLE_ARRAY_MEMBER];	/* the key */
} MSDelta;

extern MSDelta *ms_delta_make(MemoryContext cxt, const MSTarget *target,
							  Relation rel, const MSRow *row, TimestampTz now);
extern void ms_delta_key(const MSTarget *target, const MSRow *row,
						 Datum *values);
extern void ms_delta_check_key(const MSTarget *then, const MSTarget *now);
extern bool ms_delta_has_value(const MSDelta *delta, AttrNumber attno);
extern bool ms_delta_brings_values(const MSDelta *delta, const MSDelta *into);
extern void ms_delta_add_donor(MSDelta *delta, MSDelta *donor);
extern MSRow *ms_delta_row(const MSDelta *delta, const MSTarget *target,
						   Relation rel);
extern void ms_delta_fill(const MSTarget *target, Relation rel, MSRow *row,
						  const MSDelta *delta);

/*
 * deltas.c: what this transaction has deferred, merged in memory.
 */
extern bool ms_deltas_exist(void);
extern Size ms_deltas_size(void);
extern bool ms_deltas_comparing(void);
extern void ms_deltas_add(MSTarget *target, Relation rel, MSRow *row);
extern void ms_deltas_commit_level(int nestlevel);
extern void ms_deltas_abort_level(int nestlevel);
extern void ms_deltas_forget(void);
extern MSDelta *ms_deltas_take_first(void);
extern int	ms_deltas_sort_level(void);
extern MSDelta *ms_deltas_take_of_level(void);
extern void ms_delta_free(MSDelta *delta);
extern int	ms_deltas_set_depth(int new_depth);

/* what the key of a row has deferred in this transaction; false: nothing */
extern bool ms_pending_sum(MSTarget *target, const MSRow *row, int64 *sum);

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
 * pending.c: apply = 'commit'.
 */
extern int	ms_pending_limit;	/* kB */

/* does an increment of a target have to wait for the commit? */
extern bool ms_pending_defers(const MSTarget *target);

/* leave a row to the commit; privileges have been checked */
extern void ms_pending_add(MSTarget *target, Relation rel, MSRow *row);

/*
 * stats.c: what this session's increments came to; view counter_stats.
 */

/* calls of the session's user code, by outcome; counts has MS_OUTCOMES */
extern void ms_stats_count(Oid relid, MSOutcome outcome);
extern void ms_stats_count_many(Oid relid, const int64 *counts);

/* a row's lock, or a key's insertion, had to be waited for */
extern void ms_stats_lock_wait(Oid relid);

/* deferred deltas were applied before the commit, for want of memory */
extern void ms_stats_early_apply(Oid relid);

/* so many spilled deltas were merged into their rows */
extern void ms_stats_folded(Oid relid, int64 deltas);

/*
 * shape.c: a statement's shape, the text with its constants taken out.
 *
 * Writes the normalised form of text[0 .. len) into buf, NUL-terminated and
 * cut between two characters of the database encoding where bufsize, which
 * is at least 1, is too small.  Returns the hash of the whole normalised
 * text, not only of what fitted; *params_hash is that of the constants in
 * their order, 0 where there is none.  Neither hash is stable across
 * machines or releases.  Never fails, never allocates, whatever the bytes; a
 * zero byte ends the text.
 */
extern uint64 ms_shape(const char *text, int len, char *buf, int bufsize,
					   uint64 *params_hash);

/*
 * shape_lex.c: PostgreSQL's tokens, as far as shapes need them.
 */
typedef enum
{
	MST_START,					/* nothing before the first token */
	MST_WORD,
	MST_KEYWORD,				/* an expression may follow */
	MST_NAME,					/* a quoted identifier */
	MST_CONST,
	MST_OPERATOR,
	MST_SIGN,					/* + or - with no operand before it */
	MST_OPEN,
	MST_SUBSCRIPT,
	MST_CLOSE,
	MST_COMMA,
	MST_SEMICOLON,
	MST_DOT,
	MST_CAST
} MSTokenKind;

/* sets of kinds */
#define MST_BIT(kind)	(1 << (kind))
#define MST_OPERANDS	(MST_BIT(MST_WORD) | MST_BIT(MST_NAME) | \
						 MST_BIT(MST_CONST) | MST_BIT(MST_CLOSE))

/* words that shapes look at; from MSW_KEYWORD on they are MST_KEYWORD */
typedef enum
{
	MSW_PLAIN,
	MSW_CONSTANT,				/* true, false, null */
	MSW_ARRAY,
	MSW_ALL,
	MSW_SAVEPOINT,
	MSW_PREPARE,
	MSW_RELEASE,
	MSW_ROLLBACK,
	MSW_NAMES,					/* declare, close, deallocate */
	MSW_FETCH,					/* fetch, move */
	MSW_KEYWORD,
	MSW_KEEPS,					/* a MSW_CONSTANT after it is syntax */
	MSW_IN,
	MSW_FROM,
	MSW_TO,
	MSW_SELECT,
	MSW_VALUES
} MSWordClass;

typedef struct MSLexer
{
	const unsigned char *pos;	/* the token just read is start .. pos */
	const unsigned char *end;
	const unsigned char *start;
	MSTokenKind kind;
	MSWordClass word;			/* MSW_PLAIN where it is not a word */
	uint64		head;			/* of a word: its first letters, folded */
	uint64		hash;			/* of a word, folded */
} MSLexer;

/*
 * Reads the next token; prev is the kind of the one before it, as the caller
 * took it.  False at the end of the text.
 */
extern bool ms_lex(MSLexer *lex, MSTokenKind prev);

/*
 * The n letters at p, 1 .. 8, folded to lower case, the first one in the
 * highest byte, zeros behind the last.  Reads nothing from end on.
 */
static inline uint64
ms_fold_letters(const unsigned char *p, size_t n, const unsigned char *end)
{
	const uint64 every_byte = UINT64CONST(0x0101010101010101);
	uint64		v;
	uint64		low;
	uint64		upper;

	if (end - p >= 8)
	{
		memcpy(&v, p, 8);
		v = pg_hton64(v) & (~UINT64CONST(0) << (8 * (8 - n)));
	}
	else
	{
		v = 0;
		for (size_t i = 0; i < n; i++)
			v |= (uint64) p[i] << (8 * (7 - i));
	}

	/* in all bytes at once: bit 7 set from 'A' on, but not from '[' on */
	low = v & (every_byte * 0x7F);
	upper = (low + every_byte * (0x80 - 'A')) ^
		(low + every_byte * (0x80 - '['));
	upper &= ~v & (every_byte * 0x80);
	return v | (upper >> 2);
}

/* one step of the hashes of tokens and shapes */
static inline uint64
ms_hash_mix(uint64 h, uint64 v)
{
	h = (h ^ v) * UINT64CONST(0x9E3779B97F4A7C15);
	return h ^ (h >> 29);
}

/*
 * histogram.c: durations of one shape.  A plain struct of 2.7 kB that may be
 * copied with memcpy; all times are nanoseconds.
 */
#define MS_HISTOGRAM_EXACT		64	/* so many samples are kept as they are */
#define MS_HISTOGRAM_OCTAVES	41	/* from 62.5 ns to 38 hours */
#define MS_HISTOGRAM_BUCKETS	(MS_HISTOGRAM_OCTAVES * 16 + 2)

typedef struct MSHistogram
{
	int64		count;
	int64		sum;			/* stops at the largest int64 */
	int64		min;			/* 0 while count is 0, as max is */
	int64		max;
	double		mean;
	double		m2;				/* sum of squared differences from mean */
	union
	{
		int64		samples[MS_HISTOGRAM_EXACT];	/* count <= EXACT */
		uint32		buckets[MS_HISTOGRAM_BUCKETS];	/* count > EXACT */
	}			u;
} MSHistogram;

extern void ms_histogram_init(MSHistogram *h);

/* a duration; a negative one counts as 0 */
extern void ms_histogram_add(MSHistogram *h, int64 ns);

/* into becomes what it were had it seen from's durations too */
extern void ms_histogram_merge(MSHistogram *into, const MSHistogram *from);

/*
 * As percentile_disc: the smallest duration whose cumulative share is at
 * least fraction, 0 .. 1.  Exact while count <= MS_HISTOGRAM_EXACT, then
 * within 3.125 % or 31.25 ns of it below 38 hours.  0 where count is 0.
 */
extern double ms_histogram_percentile(const MSHistogram *h, double fraction);

/* mean and, of the population as in pg_stat_statements, stddev; 0 if empty */
extern double ms_histogram_mean(const MSHistogram *h);
extern double ms_histogram_stddev(const MSHistogram *h);

/* how many durations fell into each bucket */
extern void ms_histogram_counts(const MSHistogram *h,
								uint32 counts[MS_HISTOGRAM_BUCKETS]);

/* bucket i holds lo <= ns < hi; the last one's hi is infinite */
extern void ms_histogram_bucket_bounds(int i, double *lo, double *hi);

#endif							/* MISSING_SYMBOL_H */
