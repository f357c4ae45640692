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
#include "access/htup.h"
#include "datatype/timestamp.h"
#include "executor/execdesc.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "nodes/bitmapset.h"
#include "nodes/nodes.h"
#include "nodes/params.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "port/pg_bswap.h"
#include "portability/instr_time.h"
#include "storage/itemptr.h"
#include "storage/lockdefs.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/portal.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/*
 * What is declared here stays inside the library: calls and variables go
 * without its tables of addresses.  The server makes that the default for
 * extensions as of 16.
 */
#if defined(__GNUC__)
#pragma GCC visibility push(hidden)
#endif

/*
 * missing_symbol.c: module magic, _PG_init, every setting, the clock.
 */
extern bool ms_fast_path;
extern int	ms_apply;			/* MSApply of targets that do not say */

extern TimestampTz ms_clock(void);
extern Oid	ms_schema(void);

/*
 * Not an instr_time: a session may change what clock these are of, with times
 * of the other one in its hands.
 */
static inline int64
ms_now_ns(void)
{
	/* static: no guard of the stack is needed at every call */
	static struct timespec now;

	clock_gettime(PG_INSTR_SYSTEM_CLOCK, &now);
	return (int64) now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

static inline int64
ms_now_ms(void)
{
	return ms_now_ns() / 1000000;
}

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

/* error 22008 where times are infinite, or first_seen is after last_seen */
extern void ms_counter_check(const MSCounter *c);

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
	MS_APPLY_COMMIT,
	MS_APPLY_BUFFER				/* of a target only, not of a session */
} MSApply;

typedef struct MSTarget
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	MemoryContext cxt;			/* holds all of it */
	int			users;			/* calls under way */
	uint64		call;			/* the latest call: another number each time */
	bool		pinned;			/* deltas of this transaction need it ... */
	struct MSTarget *next_pinned;	/* ... and this one */
	bool		stale;			/* replaced in the cache: the last user frees */

	/* the key, in the order of the index's columns */
	Oid			index;
	List	   *arbiters;		/* that index and its equals */
	bool		names_opclass;	/* other indexes on its columns find other keys
								 * equal */
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
	bool		builtin;		/* nothing that is compiled depends on the role
								 * or on search_path */

	bool		row_security;	/* is enabled; whether it applies is the role's */
	Bitmapset  *defaults;		/* columns that have one which is not null ... */
	Bitmapset  *call_defaults;	/* ... and that the call is asked for */

	/* made when first needed; each owned by its file */
	struct MSKeyOrder *order;
	struct MSPrivileges *privileges;
	struct MSFast *fast;
	List	   *general_plans;
	struct _SPI_plan *read_plan;
	struct _SPI_plan *lock_plan;
	struct _SPI_plan *lock_aside_plan;
	struct MSSpillFormat *spill_format;
	struct MSDefaults *compiled_defaults;
	struct MSOrigin *origin;
	int			spill_turn;		/* increments, to take what is spilled at every
								 * 16th */
	struct MSRecordReader *record_reader;
	struct MSNamedColumns *named_columns;
} MSTarget;

extern MSTarget *ms_target_open(Oid relid, LOCKMODE lockmode, Relation *rel);
extern void ms_target_close(MSTarget *target, Relation rel);
extern void ms_target_unpin(MSTarget *target);
extern void ms_target_pin(MSTarget *target);
extern void ms_target_release(MSTarget *target);
extern const char *ms_general_reason(const MSTarget *target, Relation rel);

/*
 * tracked.c: table tracked, track, untrack, describe.
 */
typedef struct MSTracked
{
	List	   *key;			/* of String; NIL: not set */
	char	   *count;			/* NULL: not set */
	char	   *first_seen;		/* NULL: not set; "": none */
	char	   *last_seen;
	MSApply		apply;
	int64		throttle;
	List	   *fill;
	bool		spill;
} MSTracked;

extern Relation ms_open_own_table(const char *name, LOCKMODE lockmode);
extern void ms_tracked_read(Oid relid, MSTracked *tracked);

/*
 * infer.c: what a table tells of its counters.
 */
extern void ms_infer_key(MSTarget *target, Relation rel, List *named);
extern void ms_infer_counter(MSTarget *target, Relation rel,
							 const MSTracked *tracked);
extern void ms_check_key_is_no_counter(MSTarget *target, Relation rel);
extern void ms_infer_fill(MSTarget *target, Relation rel, List *names);
extern Node *ms_index_tree(Relation index, AttrNumber which);
extern AttrNumber ms_column_number(Relation rel, const char *column);
extern const char *ms_column_name(Relation rel, AttrNumber attno);
extern bool ms_is_key_column(const MSTarget *target, AttrNumber attno);
extern bool ms_is_always_given(const MSTarget *target, AttrNumber attno);
extern bool ms_is_database_filled(Form_pg_attribute att);
extern bool ms_default_is_sequence(Relation rel, AttrNumber attno);

/*
 * builtin.c: whose code is in an expression.
 */
extern bool ms_is_builtin(Node *expr);
extern bool ms_type_is_builtin(Oid type);
extern bool ms_table_is_builtin(const MSTarget *target, Relation rel);

/*
 * input.c: what a caller gives becomes values of the target's columns.
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

typedef struct MSRow
{
	Datum	   *values;			/* by attribute number - 1 */
	bool	   *isnull;
	Bitmapset  *given;			/* columns by name: attribute numbers; NULL where
								 * only the key is given */
	Bitmapset  *defaulted;		/* others, with what their defaults said at the
								 * call: for a new row only (defaults.c) */
	int64		by;
	int			ordinal;		/* place in its batch */
	MSRowOrigin origin;
	TimestampTz first_seen;		/* those of a call are not set */
	TimestampTz last_seen;
} MSRow;

/* was a row counted before, at its own times? */
static inline bool
ms_row_is_timed(const MSRow *row)
{
	return row->origin != MS_FROM_CALL;
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
		(target->spill && row->origin < MS_FROM_STORE);
}

/* has a new row a value of this one for a column, if only null? */
static inline bool
ms_row_has_column(const MSRow *row, AttrNumber attno)
{
	return bms_is_member(attno, row->given) ||
		bms_is_member(attno, row->defaulted);
}

/* has it a value that fills a column of the row that there is? */
static inline bool
ms_row_fills(const MSRow *row, AttrNumber attno)
{
	return !row->isnull[attno - 1] && !bms_is_member(attno, row->defaulted);
}

extern MSRow *ms_row_make(Relation rel);
extern MSRow *ms_row_copy(Relation rel, const MSRow *row);
extern void ms_row_set_key(MSTarget *target, Relation rel, MSRow *row, int i,
						   bool search, Oid type, Datum value, bool isnull);
extern void ms_row_from_texts(MSTarget *target, Relation rel, MSRow *row,
							  const char *const *names, int n,
							  const Datum *values, const bool *isnull);
extern void ms_row_from_jsonb(MSTarget *target, Relation rel, MSRow *row,
							  Datum fields);
extern void ms_check_by(int64 by);
extern void ms_prepare_key_order(MSTarget *target);
extern int	ms_compare_keys(const MSTarget *target, const Datum *a,
							const Datum *b);
extern int	ms_compare_rows(const MSTarget *target, const Datum *a,
							const Datum *b);
extern void ms_sort_rows(MSTarget *target, MSRow **rows, int n,
						 bool *duplicate);

/*
 * defaults.c: columns of a new row that nobody gives.
 */
extern bool ms_has_default(Relation rel, Form_pg_attribute att);
extern struct ExprState *ms_compile_default(Relation rel,
											Form_pg_attribute att,
											struct EState *estate);
extern void ms_infer_defaults(MSTarget *target, Relation rel);
extern const MSRow *ms_row_with_defaults(MSTarget *target, Relation rel,
										 const MSRow *row);

/*
 * increment.c: the engine: one increment or an ordered batch, now or left to
 * the commit; the outcome.
 */
typedef enum MSOutcome
{
	MS_INSERTED,
	MS_INCREMENTED,
	MS_THROTTLED,
	MS_IGNORED,
	MS_SPILLED,
	MS_DEFERRED,
	MS_BUFFERED
} MSOutcome;

#define MS_OUTCOMES (MS_BUFFERED + 1)

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
extern void ms_increment_in_order(MSTarget *target, Relation rel,
								  MSRow **rows, int n, Bitmapset *given,
								  MSResult *result, int64 *counts);
extern void ms_merge_row(MSTarget *target, Relation rel, MSRow *into,
						 const MSRow *from);
extern bool ms_takes_fast_path(const MSTarget *target, Relation rel);
extern void ms_check_may_write(Relation rel);
extern void ms_apply_begin(MSTarget *target, Relation rel, Bitmapset *given,
						   bool fast, bool permitted, bool fresh);
extern void ms_apply_next(MSTarget *target, Relation rel, MSRow *row,
						  bool fast, MSResult *result);
extern void ms_apply_row(MSTarget *target, Relation rel, MSRow *row,
						 MSResult *result);
extern void ms_set_last_increment(const MSResult *result);
extern bool ms_throttled(const MSTarget *target, TimestampTz last_seen,
						 TimestampTz now);
extern void ms_result_from_values(const MSTarget *target, Datum *values,
								  bool *isnull, MSResult *result);
extern void ms_result_none(MSOutcome outcome, MSResult *result);
extern void ms_null_key_by_trigger(const MSTarget *target);
extern void ms_check_required_columns(const MSTarget *target, Relation rel,
									  const MSRow *row);

/*
 * calls.c: the SQL functions that count, and value().
 */
extern bool ms_increment_texts(Oid relid, const char *const *names, int n,
							   const Datum *values, const bool *isnull,
							   int64 by, int64 *count);

/*
 * count.c: the counter's columns of a row.
 */
extern TimestampTz ms_row_time(const MSRow *row);
extern Datum ms_add_count(const MSTarget *target, Datum old, bool isnull,
						  const MSRow *row, TimestampTz now);
extern void ms_set_new_counter(const MSTarget *target, const MSRow *row,
							   Datum *values, bool *isnull);

/*
 * privileges.c: what an increment asks of the current role.
 */
typedef struct MSPrivileges
{
	List	   *rtable;			/* one entry: the target */
	List	   *perminfos;
	RTEPermissionInfo *perminfo;	/* of the entry */
	MemoryContext cxt;			/* where all of it is */
	Bitmapset  *inserted;		/* columns, by an increment that gives only
								 * the key; SELECT needs the same */
	Bitmapset  *updated;
	Bitmapset  *given;			/* what perminfo is for */
} MSPrivileges;

extern MSPrivileges *ms_privileges_make(const MSTarget *target, Relation rel);
extern void ms_privileges_set(MSPrivileges *privileges, const MSTarget *target,
							  const Bitmapset *given);
extern void ms_privileges_check(MSPrivileges *privileges,
								const MSTarget *target,
								const Bitmapset *given);
extern MSPrivileges *ms_privileges_of(MSTarget *target, Relation rel);
extern void ms_privileges_check_later(MSTarget *target, Relation rel,
									  const Bitmapset *given, Oid role);

/*
 * acting.c: as whom an increment that has waited is applied.
 */
typedef struct MSActing
{
	Oid			userid;			/* who one was ... */
	int			sec_context;
	int			nestlevel;		/* ... and the level of settings since */
} MSActing;

/* who merges, as he was when he began */
typedef struct MSApplier
{
	Oid			userid;
	int			sec_context;
	char	   *search_path;
} MSApplier;

extern bool ms_in_definer(void);
extern void ms_act_as_counter(Oid role, bool definer, const char *search_path,
							  MSActing *acting);
extern void ms_get_applier(MSApplier *applier);
extern void ms_act_as_owner(const MSApplier *applier, Relation rel,
							MSActing *acting);
extern void ms_act_for_counter(MSTarget *target, Relation rel,
							   const MSRow *row, const MSApplier *applier,
							   Oid role, MSActing *acting);
extern void ms_act_for_reading(Relation rel, MSActing *acting);
extern void ms_act_no_more(const MSActing *acting);
extern bool ms_is_restricted(Relation rel, const MSApplier *applier);
extern bool ms_acts_as_applier(Relation rel, const MSApplier *applier,
							   Oid role);
extern bool ms_hides_search_path(Relation rel, const MSApplier *applier,
								 Oid role);
extern const char *ms_error_for_caller(Oid relid, const char *error);
extern bool ms_any_table(Relation rel, bool (*test) (Relation rel, void *arg),
						 void *arg);
extern bool ms_has_own_triggers(Relation rel);
extern bool ms_defers_triggers(Relation rel);
extern bool ms_row_security_applies(const MSTarget *target, Oid role);
extern void ms_check_row_security_then(const MSTarget *target, Oid role);

/*
 * fast.c: increments of an ordinary table, through the table access method.
 */
extern void ms_fast_increment(MSTarget *target, MSRow *row, MSResult *result);

/*
 * fast_state.c: the executor state that it keeps.
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
	bool		has_row_triggers;
	bool		has_before_insert;
	TupleTableSlot *found;		/* the row as it is */
	TupleTableSlot *updated;	/* as it will be */
	TupleTableSlot *inserted;	/* a new one */
	int			nindexes;
	Oid		   *index_oids;
	int			key_index;		/* which of them is the key's */
	ScanKey		scankeys;
	Bitmapset  *has_default;	/* columns that get something if not given ... */
	ExprState **defaults;		/* ... by attribute number - 1; or NULL */

	/* of the call under way */
	Relation	rel;
	Snapshot	snapshot;		/* the active one */
	bool		pushed;			/* by us */
	IndexScanDesc scan;
	CommandId	trigger_cid;	/* BEFORE INSERT triggers' commands are later */
} MSFast;

extern bool ms_fast_is_busy(const MSTarget *target);
extern void ms_fast_begin(MSTarget *target, Relation rel, Bitmapset *given,
						  bool permitted, bool fresh);
extern void ms_fast_open_indexes(MSFast *fast);
extern void ms_fast_refresh(MSTarget *target);
extern Bitmapset *ms_fast_given(const MSTarget *target);
extern void ms_fast_end(MSTarget *target);
extern void ms_fast_abort(MSTarget *target);

/*
 * general.c: increments of any other table, through SQL plans.
 */
extern void ms_general_increment(MSTarget *target, Relation rel, MSRow *row,
								 MSResult *result);
extern bool ms_general_value(MSTarget *target, Relation rel, MSRow *row,
							 bool *isnull, int64 *value);
extern bool ms_general_exists(MSTarget *target, Relation rel, MSRow *row);
extern void ms_general_free(MSTarget *target);

extern struct _SPI_plan *ms_prepare(const char *sql, int nargs, Oid *argtypes);
extern void ms_check_plan(const MSTarget *target, struct _SPI_plan *plan);
extern void ms_make_generic_plan(MSTarget *target, struct _SPI_plan *plan);

/*
 * general_sql.c: the texts of its statements.
 */
extern char *ms_read_sql(MSTarget *target, Relation rel,
						 const char *condition, const char *locking);
extern char *ms_update_sql(MSTarget *target, Relation rel,
						   const Bitmapset *others, const Bitmapset *defaulted);
extern char *ms_insert_sql(MSTarget *target, Relation rel,
						   const Bitmapset *others, const Bitmapset *defaulted);

/* parts of statements over a target, whose alias is t */
extern void ms_append_key_condition(struct StringInfoData *sql,
									MSTarget *target, Relation rel);
extern void ms_append_table(struct StringInfoData *sql, MSTarget *target,
							Relation rel);

/*
 * search.c: searches of a key's row.
 */
extern struct ScanKeyData *ms_make_scankeys(const MSTarget *target);
extern void ms_set_scankeys(const MSTarget *target, struct ScanKeyData *keys,
							const Datum *values);
extern struct IndexScanDescData *ms_begin_search(Relation rel, Relation index,
												 int nkeys,
												 Snapshot snapshot);
extern bool ms_search(struct IndexScanDescData *scan,
					  struct ScanKeyData *keys, int nkeys,
					  struct TupleTableSlot *slot);
extern bool ms_search_once(Relation rel, Relation index,
						   struct ScanKeyData *keys, int nkeys,
						   Snapshot snapshot, struct TupleTableSlot *slot);

/* the latest row of a key, whoever has written it */
typedef struct MSLatest
{
	bool		found;
	bool		own;			/* by this transaction ... */
	CommandId	own_cid;		/* ... in this command */
	TransactionId xmin;			/* of others in progress, or invalid: who */
	TransactionId xmax;			/* inserts it, who deletes or updates it */
	uint32		token;			/* of a speculative insertion */
	ItemPointerData tid;
} MSLatest;

extern void ms_find_latest(Relation rel, Relation index,
						   struct ScanKeyData *keys, int nkeys,
						   struct TupleTableSlot *slot, MSLatest *latest);
extern void ms_wait_for_latest(Relation rel, MSLatest *latest);
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

extern MSProbe ms_probe(MSTarget *target, Relation rel, const MSRow *row);

/*
 * store.c: the tables of deltas that are set aside.
 */
typedef enum MSStore
{
	MS_STORE_SPILLED,			/* table spilled: their row was locked */
	MS_STORE_BUFFERED			/* its unlogged twin, of apply = 'buffer' */
} MSStore;

#define MS_STORES (MS_STORE_BUFFERED + 1)

typedef struct MSSpilled
{
	MSStore		store;
	HeapTuple	tuple;
	ItemPointerData tid;
	int64		hash;			/* of its key's text */
	Datum		key;			/* text[] */
	Oid			roleid;			/* who counted it; invalid: that role is gone */
	char	   *role;			/* its name then */
	int64		by;
	TimestampTz first_seen;
	TimestampTz last_seen;
	bool		has_fields;		/* beside what it says of itself */
	Datum		fields;			/* jsonb */
	struct JsonbContainer *origin;	/* what it says; NULL: written by 1.1 */
	Oid			stored_role;	/* there; 0: none ... */
	uint64		system;			/* ... of which system */
	char	   *error;			/* of the latest fold(); NULL: none yet */
	MSRow	   *row;			/* made by ms_spill_parse */
} MSSpilled;

extern Relation ms_spill_open(MSStore store, LOCKMODE lockmode);

/* of: whose delta it was; NULL: the current role's */
extern void ms_spill_append(MSStore store, MSTarget *target, Relation rel,
							const MSRow *row, const Datum *key,
							const MSSpilled *of, const char *error);

/* deltas of a target, one after the other */
typedef struct MSSpillScan MSSpillScan;

extern MSSpillScan *ms_spill_begin(MSStore store, Oid relid,
								   Snapshot snapshot, const int64 *hash,
								   const int64 *after);
extern MSSpillScan *ms_spill_begin_in_time(MSStore store, Oid relid,
										   Snapshot snapshot, int64 hash);
extern MSSpilled *ms_spill_next(MSSpillScan *scan);
extern void ms_spill_end(MSSpillScan *scan);
extern bool ms_spill_delete(Relation stored, const MSSpilled *delta,
							Snapshot snapshot, bool wait, bool ours);
extern bool ms_spill_lock(Relation stored, const MSSpilled *delta,
						  Snapshot snapshot, bool wait);
extern void ms_spill_append_again(const MSSpilled *delta, const char *error);
extern void ms_spill_forget(Oid relid);
extern bool ms_spill_exists(Oid relid, Snapshot snapshot);
extern Oid	ms_spill_next_target(MSStore store, Oid relid, Snapshot snapshot);
extern TimestampTz ms_spill_first_seen(struct TupleTableSlot *slot);
extern bool ms_spill_has_error(struct TupleTableSlot *slot);

/*
 * spill.c: deltas that are set aside, by their key.
 */

/*
 * Advisory locks of ours, by the last field of their tag; SQL functions use 1
 * and 2.  pg_advisory_unlock_all() does not release them, because they are of
 * a transaction; one that a process keeps must not be an advisory lock.
 */
#define MS_LOCK_INSERTION	3	/* of a key */
#define MS_LOCK_FLUSH		4	/* of a target */

/* false: that was enough */
typedef bool (*MSSpillFunction) (MSSpilled *delta, void *arg);

extern void ms_spill_foreach(MSTarget *target, Relation rel, const MSRow *row,
							 Snapshot snapshot, bool fields,
							 MSSpillFunction function, void *arg);
extern bool ms_spill_has_key(MSTarget *target, Relation rel,
							 const MSRow *row, Snapshot snapshot);
extern bool ms_spill_can_take(MSTarget *target, const MSRow *row);
extern MSRow *ms_spill_take(MSTarget *target, Relation rel, const MSRow *row,
							int64 *n);
extern bool ms_insertion_lock(MSTarget *target, const MSRow *row);
extern void ms_insertion_unlock(MSTarget *target, const MSRow *row);

/*
 * spill_text.c: keys and fields as text and back.
 */

/* the texts of a key, in the order of the index, and their hash */
extern int64 ms_spill_key_texts(MSTarget *target, const Datum *values,
								char **texts);

/* and the other that its deltas may have, if any: of another order */
extern int	ms_spill_key_hashes(MSTarget *target, const Datum *values,
								int64 hashes[2]);

/* can keys be kept as text: does it stay that of the same key? */
extern bool ms_spill_serves(MSTarget *target);

/* and have equal keys equal texts, so that nothing is lost by keeping one? */
extern bool ms_spill_exact_key(MSTarget *target);

/* what a row has beside the key, and what a delta says of itself, as jsonb */
extern Datum ms_spill_fields(MSTarget *target, Relation rel, const MSRow *row,
							 Oid role, uint64 system);

/* make a delta's row, with the fields or without */
extern void ms_spill_parse(MSTarget *target, Relation rel, MSSpilled *delta,
						   bool fields);

/* error where a value violates a constraint of a domain */
extern void ms_check_domains(Relation rel, const MSRow *row);

/*
 * origin.c: what a delta says of itself.
 */
extern struct JsonbPair ms_origin_pair(MSTarget *target, Relation rel,
									   Oid role, uint64 system,
									   struct JsonbPair *defaults, int n);
extern struct JsonbContainer *ms_origin_defaults(const MSSpilled *delta);
extern Datum ms_origin_alone(MSTarget *target, Relation rel, Oid role,
							 uint64 system);
extern void ms_origin_read(MSSpilled *delta);
extern void ms_origin_places(const MSTarget *target, Relation rel,
							 const MSSpilled *delta, int n, int *places);

/*
 * sums.c: sums of deltas, one for each key.
 */
typedef struct MSSums MSSums;

extern MSSums *ms_sums_begin(MSTarget *target, Relation rel);
extern void ms_sums_add(MSSums *sums, const MSRow *row);
extern MSRow **ms_sums_end(MSSums *sums, int *n);

/*
 * buffer.c: apply = 'buffer'.
 */
extern bool ms_buffer_serves(MSTarget *target);
extern void ms_buffer_append(MSTarget *target, Relation rel,
							 const MSRow *row);

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

extern int	ms_fold_groups(MSTarget *target, MSSpilled **deltas, int n,
						   MSKeyDeltas **result);

/*
 * fold.c: merges what is set aside into its rows.
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
extern bool ms_is_slow(const MSFolded *folded, int64 ms, int limit);
extern bool ms_fold_target(Oid relid, bool wait, bool alone, int limit,
						   MSFolded *folded, char **error);
extern bool ms_folding(void);
extern void ms_warn_left(Oid relid, const char *why);

/*
 * fold_calls.c: the SQL functions.
 */
extern bool ms_has_cursors(void);

/*
 * backlog.c: what a worker knows of tables.
 */

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
 * worker.c: the background worker that folds.
 */
extern bool ms_worker;
extern int	ms_flush_interval;	/* ms */
extern int	ms_flush_rows;
extern int	ms_worker_idle;		/* ms */
extern bool ms_in_worker;		/* this process is one */
extern bool ms_worker_refused;	/* none could be started, at last */

/* something was appended: see to it that a worker runs */
extern void ms_worker_wake(void);

/* does one run, or could it be started? */
extern bool ms_worker_possible(void);

/*
 * delta.c: what one role has deferred for one key.
 */
typedef struct MSField
{
	AttrNumber	attno;
	bool		isnull;
	bool		defaulted;		/* not given: as MSRow.defaulted */
	bool		fills;
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
	struct MSDelta *donor;		/* merged in; has values that fill */

	/* its place in deltas.c */
	struct MSDeltaKey *key;		/* NULL: taken out, or a donor */
	struct MSDelta *outer;		/* the key's next delta */
	struct MSDeltaLevel *level;
	dlist_node	in_level;

	Size		size;
	Bitmapset  *given;			/* columns that were given by name */
	int			nfields;		/* those beside the key */
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
 * total.c: reading counters with what is spilled and deferred.
 */
extern void ms_total_value(MSTarget *target, Relation rel, MSRow *row,
						   bool *isnull, int64 *value);

/*
 * pending.c: apply = 'commit'.
 */
extern int	ms_pending_limit;	/* kB */

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
 * stats.c: what this session's increments came to; view counter_stats.
 */

/* calls of the session's user code, by outcome; counts has MS_OUTCOMES */
extern void ms_stats_count(Oid relid, MSOutcome outcome);
extern void ms_stats_count_many(Oid relid, const int64 *counts);

/* a row's lock, or a key's insertion, had to be waited for */
extern void ms_stats_lock_wait(Oid relid);

/* so many could not wait as they should have */
extern void ms_stats_fallback(Oid relid, int64 n);
extern int64 ms_stats_fallbacks(void);

/* one could not be deferred, for want of memory */
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

/* how far the first statement of a string goes: to its semicolon */
extern int	ms_first_statement(const char *text);

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

/*
 * profile_session.c: the switch, the memory, the ring of records.
 */
typedef enum MSTrack
{
	MS_TRACK_OFF,
	MS_TRACK_TOP,
	MS_TRACK_ALL				/* nested statements too */
} MSTrack;

typedef enum MSProfileLog
{
	MS_LOG_NONE,
	MS_LOG_SUMMARY,
	MS_LOG_JSON
} MSProfileLog;

typedef enum MSStatus
{
	MS_RUNNING,
	MS_OK,
	MS_ERROR,
	MS_CLOSED
} MSStatus;

typedef enum MSXactEnd
{
	MS_XACT_COMMITTED,
	MS_XACT_ABORTED,
	MS_XACT_PREPARED
} MSXactEnd;

/* Of a record: what its transaction came to, as far as it had to be noted */
typedef enum MSCommitted
{
	MS_WITH_XACT,				/* committed, if it is over */
	MS_COMMITTED,
	MS_UNDONE,
	MS_PREPARED,				/* not known here */
	MS_GOES_ON					/* ended transactions, is in another */
} MSCommitted;

typedef enum MSKind
{
	MS_CONTROL,					/* BEGIN, COMMIT, SAVEPOINT, SET: no query */
	MS_UTILITY,					/* a query that cannot be an N+1 */
	MS_QUERY
} MSKind;

#define MS_LABEL_MAX	128

/* what a budget raises */
#define MS_ERRCODE_BUDGET	MAKE_SQLSTATE('M', 'S', '0', '0', '1')

/* the settings (missing_symbol.c) */
extern int	ms_profile_setting;
extern bool ms_profile_plans_setting;
extern bool ms_profile_params_setting;
extern double ms_plan_sample;
extern int	ms_profile_memory;	/* kB */
extern int	ms_unit_gap;		/* ms */
extern int	ms_profile_log_setting;
extern int	ms_compare_time;	/* ms */

/* What a statement used: BufferUsage and WalUsage of all versions in one */
typedef struct MSUsage
{
	int64		shared_blks_hit;
	int64		shared_blks_read;
	int64		shared_blks_dirtied;
	int64		shared_blks_written;
	int64		local_blks_hit;
	int64		local_blks_read;
	int64		local_blks_dirtied;
	int64		local_blks_written;
	int64		temp_blks_read;
	int64		temp_blks_written;
	int64		wal_records;
	int64		wal_fpi;
	int64		wal_bytes;
	int64		blk_read_ns;
	int64		blk_write_ns;
	int64		unused;			/* of an even number, two are added at once */
} MSUsage;

/*
 * A statement that is being measured.  Lives where its owner lives: in the
 * executor's memory, or on the stack of the utility hook.
 */
typedef struct MSStatement
{
	/* who it is */
	const char *text;			/* valid until ms_statement_open() returns */
	int			len;
	int			shape_len;		/* of shape_text */
	int			level;
	Oid			userid;
	MSKind		kind;
	CmdType		operation;
	CommandTag	tag;

	/* from here on zero until it is known */
	bool		opened;			/* has a record, or had one: */
	bool		closed;			/* its numbers are in the statistics */
	bool		own;			/* of the profiler: not to be listed */
	bool		begins_xact;	/* the first that is listed of a transaction */
	bool		executed;		/* reached the executor or the utility */
	bool		measured;		/* usage is set */
	bool		has_limit;
	bool		has_offset;
	const char *shape_text;		/* where the shape is another text's, or NULL */
	uint64		queryid;
	uint64		shape;			/* hash of the normalised text, 0 before opened */
	uint64		params;			/* hash of literals and parameters */
	int64		plan_ns;
	int64		exec_ns;
	uint64		rows;
	int64		from_ns;		/* of the measurement under way, or 0 */

	/* from here on set as it is opened */
	uint32		generation;		/* of the profile it was opened in */
	uint64		seq;			/* its record's */
	struct MSRecord *record;	/* while the ring has that number */
	uint64		literals;		/* hash of the literals alone */
	struct MSShape *entry;		/* the shape's, if it is still the same: */
	uint64		evictions;		/* none since */
	int64		start_ns;
	int64		end_ns;

	/* as it is measured */
	MSUsage		usage;			/* what it took so far */
	MSUsage		from;			/* what it is counted from */
} MSStatement;

/* One line of the view queries. */
typedef struct MSRecord
{
	uint64		number;
	uint64		xact;
	uint64		queryid;
	uint64		shape;
	uint64		literals;		/* hash of the constants */
	uint64		text_pos;		/* label, text, parameters */
	int			label_len;
	int			text_len;
	int			params_len;		/* -1: not captured */
	SubTransactionId subid;
	int			level;
	Oid			userid;
	CommandTag	tag;
	int			run;			/* the run that counts it, or -1 */
	uint64		run_id;
	int64		start_ns;
	int64		plan_ns;
	int64		exec_ns;

	/* of a new record all from here on are zero */
	int			sqlerrcode;
	MSStatus	status;			/* MS_RUNNING */
	int8		committed;		/* an MSCommitted: MS_WITH_XACT */
	int8		wrote;			/* likewise, where it goes on: what the latest
								 * transaction came to that wrote something */
	bool		hidden;			/* the profiler's own */
	bool		control;		/* of kind MS_CONTROL */
	int64		commit_ns;
	uint64		rows;
	MSUsage		usage;
} MSRecord;

/* Sums over top-level statements, right whatever the ring has dropped. */
typedef struct MSTotals
{
	uint64		queries;
	uint64		controls;
	uint64		nested;
	uint64		errors;
	uint64		rows;
	int64		plan_ns;
	int64		exec_ns;
	int64		commit_ns;
	int64		slowest_ns;
	Oid			slowest_user;
	char		slowest_text[256];	/* normalised */
	uint64		first_number;
	uint64		lost_repeats;	/* the longest run that had to be forgotten */
	int64		lost_repeats_ns;
} MSTotals;

typedef struct MSProfile
{
	bool		ready;			/* memory is there */
	bool		failed;			/* memory could not be had */
	uint32		generation;		/* counts resets */
	MemoryContext context;
	int			memory;			/* kB allocated */

	/* the ring */
	MSRecord   *records;
	int			nrecords;
	uint64		next_seq;
	uint64		tail_seq;		/* the oldest that is kept, from 1 */
	uint64		next_number;
	char	   *texts;
	uint64		texts_size;
	uint64		text_head;
	struct MSRecord *repeatable;	/* the newest, if its text may serve again */
	uint64		text_limit;		/* it may grow so far before records go */
	uint64		dropped;
	uint64		truncated;
	uint64		runs_lost;		/* N+1 candidates that were forgotten */
	uint64		facts_lost;		/* facts of plans that were forgotten */

	/* where the session is */
	char		label[MS_LABEL_MAX];
	int			label_len;
	uint64		xact;
	bool		xact_over;		/* the next statement starts another */
	bool		xact_failed;
	uint64		failed_xact;	/* the latest that failed, 0 for none */
	uint64		goes_on;		/* the first record that may be MS_GOES_ON */
	int			ngo_on;			/* how many are */
	uint64		last_top;		/* record of the latest top-level statement */
	uint64		unit;
	uint64		section;		/* counts explicit boundaries */
	uint64		section_seq;	/* the first record after the latest */
	int64		last_end_ns;	/* 0: no statement in this unit yet */

	MSTotals	before;			/* since the last reset, without: */
	MSTotals	in_section;		/* since the last explicit boundary */

	int64		anchor_ns;
	TimestampTz anchor_time;
	int64		own_cost_ns;	/* per top-level statement, calibrated */
} MSProfile;

extern MSProfile ms_profile;

/* the record with that sequence number, or NULL if it has been dropped */
static inline MSRecord *
ms_profile_record(uint64 seq)
{
	if (seq - ms_profile.tail_seq >=
		ms_profile.next_seq - ms_profile.tail_seq)
		return NULL;
	return &ms_profile.records[seq % ms_profile.nrecords];
}

extern MSTrack ms_profiling;		/* in force: the switch, else the setting */

/* the switch or the setting has changed; allocates nothing, never fails */
extern void ms_profile_refresh(void);

/* take the memory; false, and profiling off, where it cannot be had */
extern bool ms_profile_make_ready(void);

/* on, and with memory: to be called before any of the functions below */
static inline bool
ms_profile_ready(void)
{
	return likely(ms_profile.ready) || ms_profile_make_ready();
}

/* everything since the last reset */
extern void ms_profile_total(MSTotals *total);

/* forget the switch and everything measured */
extern void ms_profile_discard(void);

extern bool ms_plans;			/* in force: count rows in plans */
extern bool ms_params;			/* in force: keep parameters */

/* in between, nothing is listed nor measured */
extern void ms_profile_pause(void);
extern void ms_profile_resume(void);

/* error 55000 unless profiling is on */
extern void ms_profile_require_on(void);

extern void ms_statement_init(MSStatement *s, const char *source, int location,
							  int len);
extern void ms_statement_begin(MSStatement *s);
extern void ms_statement_end(MSStatement *s);

/* none of these fails; open may be called once only, close any time */
extern void ms_statement_open(MSStatement *s, const char *params);
extern void ms_statement_update(MSStatement *s);
extern void ms_statement_close(MSStatement *s, MSStatus status,
							   int sqlerrcode);
extern void ms_statement_forget(MSStatement *s);

/* one that is over has given fewer rows than it was closed with */
extern void ms_statement_rows(MSStatement *s, uint64 from, uint64 to);

/* a statement is over, and fails after all, at COMMIT or while it is sent */
extern void ms_record_fail(MSRecord *r, int sqlerrcode);

/*
 * An MSUsage is nothing but sums: a row of 16 int64, of which two fit a
 * register.  Written out: of a loop gcc 12 makes one at -O2, which takes 7
 * instructions for two instead of 4.
 */
#define MS_USAGE_PAIRS(DO) \
	DO(0) DO(2) DO(4) DO(6) DO(8) DO(10) DO(12) DO(14)

StaticAssertDecl(sizeof(MSUsage) == 16 * sizeof(int64),
				 "MSUsage is not a row of 16");

static inline void
ms_usage_add(MSUsage *pg_restrict into, const MSUsage *pg_restrict from)
{
	int64	   *pg_restrict to = (int64 *) into;
	const int64 *pg_restrict add = (const int64 *) from;

#define ADD(i) to[i] += add[i]; to[(i) + 1] += add[(i) + 1];
	MS_USAGE_PAIRS(ADD)
#undef ADD
}

extern const char *ms_record_text(const MSRecord *r);
extern const char *ms_record_params(const MSRecord *r);
extern int	ms_record_committed(const MSRecord *r);

extern void ms_profile_xact_end(MSXactEnd end, int64 commit_ns);
extern void ms_profile_subxact_abort(SubTransactionId subid);


static inline uint64
ms_hash_combine(uint64 a, uint64 b)
{
	a = (a ^ b) * UINT64CONST(0x9E3779B97F4A7C15);
	return a ^ (a >> 32);
}

/* may the current user see the text of that role's statements? */
extern bool ms_may_see(Oid userid);

/* a line of an SQLSTATE: five letters in a static buffer */
extern const char *ms_sqlstate(int sqlerrcode);
extern const char *ms_status_name(MSStatus status, int sqlerrcode);

#define MS_INSUFFICIENT_PRIVILEGE	"<insufficient privilege>"

/*
 * profile_hooks.c: where a session is, the planner hook, the hooks' switch.
 * The hooks measure and never decide.
 */

/* The utility command under way */
typedef struct MSUtility
{
	MSStatement s;
	bool		adopts;			/* the query that it runs */
	bool		executes;		/* EXECUTE: what it adopts is what it is */
	const char *source;			/* text of the query to be adopted */
	struct MSUtility *outer;
} MSUtility;

/* Where a statement's text is */
typedef struct MSText
{
	const char *source;
	int			location;		/* as of a PlannedStmt */
	int			len;
	char	   *name;			/* made for want of a text, or NULL */
} MSText;

/* What a hook sets for what it calls, and puts back after */
typedef struct MSPlace
{
	int			level;			/* of the next statement */

	/*
	 * The statement whose own expressions are being evaluated, and where the
	 * error context stood as it began.  PL/pgSQL, SQL functions and SPI push
	 * theirs, so a function called with an unchanged stack is called
	 * directly.
	 */
	MSStatement *current;
	ErrorContextCallback *current_context;
} MSPlace;

/* Whose is the next error that no hook sees? */
typedef enum MSBlame
{
	MS_BLAME_TEXT,				/* the text's that the server is at */
	MS_BLAME_LATEST,			/* likewise, but the latest statement's while
								 * its result is sent, and at the end of its
								 * transaction */
	MS_BLAME_END,				/* the latest statement's: it ends its
								 * transaction, which is all that is left */
	MS_BLAME_NONE				/* the error under way has its row already */
} MSBlame;

typedef struct MSHooks
{
	MSPlace		at;
	MSUtility  *utility;		/* that runs, or NULL */
	MSBlame		blame;

	/* the latest top-level statement: where its text ends, its portal */
	struct
	{
		const char *source;		/* as debug_query_string, or NULL */
		TimestampTz message;
		int			location;	/* in source, as of a PlannedStmt */
		int			len;
		Portal		portal;
		char		name[NAMEDATALEN];
	}			latest;

	/* the latest that was analysed: likewise, whatever rules make of it */
	struct
	{
		const char *source;
		TimestampTz message;
		int			location;
		int			len;
	}			analysed;
} MSHooks;

extern MSHooks ms_hooks;

/*
 * One level deeper; what it was is to be put back whether or not there is an
 * error: ms_hooks.at.level = was.
 */
static inline int
ms_enter(int level)
{
	int			was = ms_hooks.at.level;

	ms_hooks.at.level = level;
	return was;
}

/*
 * Likewise, to run a statement whose expressions are evaluated there:
 * ms_hooks.at = was.
 */
static inline MSPlace
ms_enter_statement(int level, MSStatement *s)
{
	MSPlace		was = ms_hooks.at;

	ms_hooks.at.level = level;
	ms_hooks.at.current = s;
	ms_hooks.at.current_context = error_context_stack;
	return was;
}

/* a hook has caught an error, and a row has it */
static inline void
ms_error_listed(int level)
{
	if (level == 0)
		ms_hooks.blame = MS_BLAME_NONE;
}

/* put the hooks in place, once; allocates nothing, never fails */
extern void ms_profile_install(void);

/* what cannot be done in an assign hook: transaction callbacks, exit */
extern void ms_profile_register(void);

/* a statement of its own is in progress as profiling is switched on */
extern void ms_profile_in_flight(void);
extern bool ms_is_in_flight(void);
extern bool ms_in_flight_message(void);

/* the statement that calls this function directly is not to be listed */
extern void ms_profile_own(void);

extern int	ms_statement_level(const char *source);
extern bool ms_is_adopted(const char *source);
extern PlannedStmt *ms_portal_query(bool last);

/* where the text is of what starts or is planned; name: palloc'd */
extern void ms_text_derive(MSText *text, int level);
extern void ms_text_keep(MSText *text, MemoryContext context);

static inline void
ms_text_locate(MSText *text, const char *source, int location, int len,
			   int level)
{
	text->source = source;
	text->location = location;
	text->len = len;
	text->name = NULL;
	if (unlikely(location < 0))
		ms_text_derive(text, level);
}

/* the latest top-level statement, and where the text goes on after it */
extern void ms_note_top_level(const MSText *text);
extern int	ms_next_location(const char *source);

extern CommandTag ms_operation_tag(CmdType operation);
extern int64 ms_plan_consume(int level, PlannedStmt *stmt);

/* list a statement that failed before it could be executed */
extern void ms_list_failure(const MSText *text, int level, CmdType operation,
							int64 plan_ns, int sqlerrcode);

static inline bool
ms_level_is_tracked(int level)
{
	return level == 0 || ms_profiling == MS_TRACK_ALL;
}

/*
 * profile_exec.c: the executor's hooks.
 */
extern void ms_exec_install(void);

/* the statement that is open for several queries, if it is that one, fails */
extern bool ms_exec_fail(uint64 seq, int sqlerrcode);

/*
 * profile_utility.c: utility commands.
 */
extern void ms_utility_install(void);

/*
 * profile_failure.c: ends of transactions, failures that only the log sees.
 */
extern void ms_failure_install(void);
extern void ms_failure_register(void);

/*
 * profile_stats.c: statistics per shape.
 */
#define MS_SHAPE_TEXT	1536

typedef struct MSShape
{
	uint64		hash;
	uint64		queryid;
	Oid			userid;
	bool		toplevel;
	int			next;			/* in its bucket */
	uint64		calls;
	uint64		errors;
	uint64		rows;
	MSUsage		usage;
	uint64		last_used;
	int			text_len;
	char		text[MS_SHAPE_TEXT];	/* not NUL-terminated */

	/* n_plus_one.c: the latest top-level execution, and its run */
	uint64		unit;
	uint64		ordinal;
	int			run;			/* index, or -1 */
	uint64		run_id;
	uint64		first_number;
	uint64		first_seq;
	uint64		first_params;
	uint64		first_xact;
	uint64		first_rows;
	int64		first_ns;
	uint64		source;			/* shape hash, 0 for none */
	Oid			source_user;
	uint64		source_rows;

	MSHistogram histogram;
} MSShape;

/* take that memory into use */
extern void ms_shapes_attach(char *memory, Size size);
extern void ms_shapes_reset(void);

/* find or make the entry of a statement that starts, by its shape */
extern void ms_shapes_open(MSStatement *s);

/* add a statement that is over; the shape may be the one of all others */
extern MSShape *ms_shapes_add(MSStatement *s, MSStatus status);
extern MSShape *ms_shapes_find(uint64 hash, Oid userid, bool toplevel);
extern bool ms_shape_is_others(const MSShape *shape);

/* walk through what has been called, from *position = 0; NULL at the end */
extern MSShape *ms_shapes_next(int *position);

/*
 * shape_cache.c: the shapes of the last few texts.
 */
extern Size ms_shape_cache_size(void);
extern void ms_shape_cache_attach(char *memory);
extern void ms_shape_cache_reset(void);

/*
 * Sets a statement's shape and literals.  As ms_shape(), but the hash of the
 * constants is not the same.
 */
extern void ms_shape_cached(MSStatement *s);

/*
 * n_plus_one.c: repeated shapes in a unit.
 */

/* so many executions make a candidate */
#define MS_MIN_REPEATS	5

typedef struct MSCandidate
{
	uint64		unit;
	uint64		section;
	Oid			userid;
	CmdType		operation;
	int64		repeats;
	int64		duplicates;
	int64		total_ns;
	int64		commit_ns;
	uint64		first_number;
	uint64		last_number;
	uint64		xacts;
	char	   *text;			/* as the user may see it */
	char	   *source;			/* NULL for none */
	uint64		source_rows;
	bool		strong;
	char	   *hint;
} MSCandidate;

extern void ms_runs_attach(char *memory, Size size);
extern void ms_runs_reset(void);
extern void ms_runs_boundary(void);
extern void ms_runs_add(MSStatement *s, MSShape *shape, MSRecord *r,
						MSStatus status);
extern void ms_runs_commit(MSRecord *r, int64 commit_ns);
extern void ms_runs_failed(MSRecord *r);

/*
 * The candidates with at least that many repeats and that much time, in
 * the order of their first statement; of one section, or of all with 0.  A
 * List of MSCandidate.  everything: as the server's log may see it.
 */
extern List *ms_candidates(uint64 section, int64 min_repeats, int64 min_ns,
						   bool everything);

/*
 * profile_report.c: the summary, the report, the line in the log.
 */
extern void ms_profile_log(const char *why);

/*
 * undo.c: something run in a subtransaction that is always rolled back.
 */
typedef void (*MSUndone) (void *arg);

/* an error passes on after the undo */
extern void ms_undo(MSUndone run, void *arg);

/* an error is returned, NULL for none; but a cancel or a timeout passes on */
extern ErrorData *ms_undo_and_catch(MSUndone run, void *arg);

/*
 * query.c: a text that holds one statement.
 */
typedef struct MSQuery
{
	const char *text;
	RawStmt    *raw;
	Oid		   *types;			/* of the parameters */
	int			ntypes;
	ParamListInfo params;		/* NULL: there are none */
	List	   *queries;		/* analysed and rewritten: Query */
	ErrorContextCallback callback;
} MSQuery;

extern void ms_query_parse(MSQuery *query, const char *what,
							const char *text);
extern void ms_query_analyze(MSQuery *query, ArrayType *params);
extern void ms_query_rewrite(MSQuery *query);
extern List *ms_query_volatile(MSQuery *query, bool harmless);
extern ExecuteStmt *ms_execute_stmt(Node *node);

/* in between, errors are those of the text */
extern void ms_query_enter(MSQuery *query);
extern void ms_query_leave(MSQuery *query);

/*
 * traces.c: what a rollback does not undo.
 */
typedef struct MSTraces
{
	MemoryContext context;
	List	   *locks;
	List	   *sequences;
	List	   *advisory;
	List	   *copies;
	List	   *commands;		/* of String */
	SubTransactionId subid;
	struct MSTraces *outer;
} MSTraces;

extern void ms_traces_begin(MSTraces *traces);
extern void ms_traces_stop(MSTraces *traces);
extern List *ms_traces_end(MSTraces *traces);

extern List *ms_written_relations(void);
extern char *ms_relation_name(Oid relid);

/*
 * rows.c: what a query returns, thrown away or summed up.
 */
#define MS_ROWS_BUCKETS	256

typedef struct MSRows
{
	MemoryContext context;		/* of what it points to */
	TupleDesc	desc;			/* NULL: it returns no rows */
	int64		counts[MS_ROWS_BUCKETS];
	uint64		sums[MS_ROWS_BUCKETS];
	const bool *wanted;			/* buckets whose rows are kept, or NULL */
	List	   *kept;
} MSRows;

extern DestReceiver *ms_rows_receiver(MSRows *result);
extern List *ms_rows_columns(const MSRows *a, const MSRows *b);
extern bool ms_rows_same_rows(const MSRows *a, const MSRows *b);
extern bool ms_rows_choose(const MSRows *a, const MSRows *b,
							 bool *wanted);
extern List *ms_rows_examples(MSRows *a, MSRows *b, int limit);

/*
 * ratio.c: what can be said of pairs of durations.
 */
typedef struct MSTimes
{
	double		median;			/* milliseconds, as the others */
	double		mean;
	double		stddev;
	double		p95;
} MSTimes;

typedef struct MSRatio
{
	int			rounds;
	double		median;
	bool		has_interval;
	double		low;			/* the interval of 99 % */
	double		high;
} MSRatio;

extern void ms_times_describe(const int64 *ns, int n, MSTimes *times);
extern int	ms_interval_margin(int n);
extern void ms_ratio(const int64 *a, const int64 *b, int n, MSRatio *ratio);
extern char *ms_ratio_verdict(const MSRatio *ratio);

/*
 * facts.c: what an executed plan tells, copied before it is gone.
 */
typedef enum MSFactKind
{
	MS_SEQ_SCAN_DISCARDS,
	MS_INDEX_SCAN_DISCARDS,
	MS_SORT_SPILLED,
	MS_HASH_SPILLED,
	MS_TEMP_SPILLED,
	MS_ROW_ESTIMATE_OFF,
	MS_NESTED_SEQ_SCAN,
	MS_LOSSY_BITMAP,
	MS_MISSING_FK_INDEX
} MSFactKind;

/* scans that throw rows away */
#define MS_DISCARDS(kind) \
	((kind) == MS_SEQ_SCAN_DISCARDS || (kind) == MS_INDEX_SCAN_DISCARDS || \
	 (kind) == MS_NESTED_SEQ_SCAN || (kind) == MS_MISSING_FK_INDEX)

typedef struct MSFact
{
	/* what it is the same as when the statement runs again */
	MSFactKind	kind;
	int			node;			/* plan_node_id; 0 for the statement itself */
	NodeTag		tag;			/* of the plan's node */
	Oid			relid;			/* invalid: of no single table */
	Oid			index;			/* the index that was scanned, or invalid */
	uint64		structure;		/* hash of the clauses without constants */
	uint64		shape;			/* of its statement, 0 outside of a profile */
	Oid			userid;
	bool		toplevel;

	/* sums over its times, as are rows */
	int64		times;
	double		rows_read;
	double		rows_discarded;

	TimestampTz seen;			/* the latest time */

	/* of the worst time */
	double		expected;		/* rows per loop, as planned ... */
	double		actual;			/* ... and as executed */
	double		memory;			/* work_mem that would have held it, in kB */

	uint64		queryid;
	int			nfilters;
	List	   *clauses;		/* on relid as range table entry 1: filters,
								 * then what the index was searched for */
} MSFact;

/*
 * The facts of a plan that was executed with INSTRUMENT_ROWS at least, to be
 * called before its ExecutorEnd.  is_fk_check: see below; sourceText is not
 * read, it may be gone with a prepared statement that has deallocated itself.
 * complete: it was run to its last row.  temp_blocks: what the statement has
 * written to temporary files, 0 where that is not known.  A List of MSFact in
 * the current memory context; reads no catalog, and fails only where memory
 * is out.
 */
extern List *ms_facts_collect(QueryDesc *queryDesc, bool is_fk_check,
							  bool complete, int64 temp_blocks);

/* does it tell of the same? */
extern bool ms_fact_is_same(const MSFact *a, const MSFact *b);

/* then it is added up */
extern void ms_fact_add(MSFact *into, const MSFact *fact);

/*
 * Is it the text of a query by which a foreign key looks for references?  To
 * be asked at ExecutorStart.
 */
extern bool ms_is_fk_check(const char *text);

/*
 * findings.c: makes findings of facts, reading the catalog.
 */
typedef struct MSFinding
{
	const MSFact *fact;			/* the first one of those merged */
	const char *kind;
	char	   *relation;		/* qualified and quoted, or NULL */
	List	   *columns;		/* of char *: names or expressions */
	int64		times;
	double		rows_read;
	double		rows_discarded; /* negative: nothing is discarded there */
	double		ratio;			/* negative: none */
	char	   *suggestion;		/* statements to run; NULL: none to be given */
	char	   *why;
} MSFinding;

/*
 * A List of MSFinding, duplicates merged; facts that are no finding (an index
 * is there, the table is gone) are left out.  Raises nothing that a user
 * could bring about, and waits for no lock.
 */
extern List *ms_findings(List *facts);

/*
 * profile_findings.c: the facts of the profile.
 */

/* take that memory into use */
extern void ms_facts_attach(char *memory, Size size);
extern void ms_facts_reset(void);

/*
 * A query starts, before ExecutorStart: is its plan looked into?  wanted: it
 * has a statement, is a part of one, or is a foreign key's check.  Only to be
 * called with ms_plans.
 */
extern bool ms_plan_start(QueryDesc *queryDesc, int eflags, int level,
						  bool wanted);

/*
 * A query whose plan is looked into ends, before ExecutorEnd.  s: its
 * statement; without a shape it is the client's latest, NULL: it is not
 * listed.  is_fk_check: what its text was at the start.  complete: it ran to
 * its last row.
 */
extern void ms_plan_end(QueryDesc *queryDesc, const MSStatement *s,
						bool is_fk_check, bool complete);

/* what the user may see, a List of MSFinding */
extern List *ms_profile_findings(void);

/*
 * findings_index.c: the index that would have served a scan.
 */
typedef struct MSIndexAdvice
{
	List	   *columns;		/* of char * */
	char	   *ddl;			/* NULL: no index can be suggested ... */
	const char *reason;			/* ... for that reason, if one is known */
	bool		exists;			/* there is such an index */
} MSIndexAdvice;

/*
 * The table is open and locked; relation is the name to be used for it, that
 * of its partitioned table where it is a partition.
 */
extern void ms_index_advise(Relation rel, const MSFact *fact,
							const char *relation, MSIndexAdvice *advice);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif							/* MISSING_SYMBOL_H */
