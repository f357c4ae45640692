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

MS_INSIDE_BEGIN

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
	struct JsonbContainer *defaults;	/* what they said; NULL: nothing */
	const char *origin;			/* what it says; NULL: written by 1.1 */
	int			origin_len;
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

MS_INSIDE_END

#endif							/* MISSING_SYMBOL_H */
