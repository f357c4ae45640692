/*-------------------------------------------------------------------------
 *
 * target.h
 *	  A table as a target, and rows of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TARGET_H
#define MS_TARGET_H

#include "access/attmap.h"
#include "access/attnum.h"
#include "catalog/pg_attribute.h"
#include "datatype/timestamp.h"
#include "nodes/bitmapset.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "counter/counter.h"

MS_INSIDE_BEGIN

/*
 * target.c: a table as a target.  Cached for each table, thrown away at any
 * invalidation that could touch it.
 */
/* how a value that is given and that of the row become one */
typedef enum MSRole
{
	MS_ROLE_COUNT,				/* added */
	MS_ROLE_LATEST,				/* the one counted last */
	MS_ROLE_GREATEST,
	MS_ROLE_LEAST
} MSRole;

/* a column whose values merge: row.c */
typedef struct MSMerged
{
	AttrNumber	attno;
	MSRole		role;
	MSCount		count;			/* of a count */
	bool		typbyval;
	int16		typlen;
	Oid			typid;			/* without its domain, if any */
	struct FmgrInfo *compare;	/* of greatest and least: of the type's btree
								 * operator class ... */
	Oid			collation;		/* ... under that of the column */
} MSMerged;

/* a column that callers give values for */
typedef struct MSColumn
{
	AttrNumber	attno;
	Oid			typid;
	int32		typmod;
	struct MSCoercion *coercion;	/* the latest conversion: calls/input.c */
} MSColumn;

/*
 * A key column: of the table, or what an expression of the index makes of some.
 * Such a value stands in a row behind those of all columns, and its attribute
 * number is that place.
 */
typedef struct MSKeyColumn
{
	MSColumn	column;
	const char *expr;			/* its text, for messages; NULL: a column */
	int16		typlen;
	bool		typbyval;
	Oid			collation;
	Oid			eqop;			/* the index's own equality operator ... */
	RegProcedure eqproc;		/* ... its function ... */
	Oid			subtype;		/* ... and that function's right-hand type */
} MSKeyColumn;

/* how a time column holds a time: times.c */
typedef struct MSTimeColumn
{
	bool		local;			/* as a timestamp, in the target's zone */
	bool		adjusted;		/* not as the microseconds of the time */
	int32		typmod;
} MSTimeColumn;

/* how a count is limited: limits.c */
typedef struct MSLimits
{
	bool		set;			/* it is, or its calls are: nothing is set aside */
	AttrNumber	attno;			/* the count */
	MSCount		count;
	bool		has_least;
	bool		has_most;
	Datum		least;			/* amounts of the count, of integers bigint */
	Datum		most;
	bool		saturate;		/* count what fits */
	AttrNumber	window;			/* its start; 0: none */
	int64		per;			/* microseconds that it lasts ... */
	bool		aligned;		/* ... and begins at multiples of */
	AttrNumber	bucket;			/* when it is full again; 0: none */
} MSLimits;

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
	struct MSView *view;		/* it is one: table/view.c; NULL: a table */

	/* the key, in the order of the index's columns */
	Oid			index;
	List	   *arbiters;		/* that index, and what has no other rows */
	bool		names_opclass;	/* other indexes on its columns find other keys
								 * equal */
	int			nkeys;
	MSKeyColumn *keys;
	bool		key_filled;		/* by an identity or a sequence */
	int			nvalues;		/* of a row: its columns, and expressions */

	/*
	 * What callers give, in the order of key values: the columns of the key,
	 * or those that it is computed of.
	 */
	int			nargs;
	MSColumn   *args;
	int			nrequired;		/* the others may be left out */

	/* a key that is more than columns without null: apply/key.c */
	bool		special;		/* any of these */
	bool		computed;		/* of other columns */
	bool		ordered;		/* or else key values have no order */
	bool		nulls;			/* null is a value of it */
	Node	   *predicate;		/* of its index, as stored; NULL: none */
	uint64		predicate_mark; /* tells it from others; 0: none */
	List	   *exprs;			/* of its index, as stored */
	Bitmapset  *generated;		/* columns that it is computed with */
	Bitmapset  *predicate_columns;	/* and those that these are made of */

	/* the counter; attribute number 0 means: no such column */
	AttrNumber	count;
	MSCountKind kind;
	int32		count_typmod;
	AttrNumber	first_seen;
	AttrNumber	last_seen;
	MSTimeColumn first_time;
	MSTimeColumn last_time;
	struct pg_tz *zone;			/* of timestamps; NULL: UTC */
	char	   *zone_name;

	/* settings of track() */
	MSApply		apply;
	int64		throttle;		/* microseconds; 0: none */
	Bitmapset  *fill;			/* attribute numbers */
	bool		spill;			/* never wait for a row: append the delta */

	/*
	 * Columns whose values merge: the count first, where values of it can be
	 * given beside the amount; then the others of configure(), counts first.
	 */
	int			nmerged;
	MSMerged   *merged;
	int			ncounts;		/* those that configure() names; 0: none */
	Bitmapset  *combined;		/* those but the count, and those to fill: what
								 * values that are given change in a row */
	MSLimits	limits;
	bool		latest_untimed;	/* no time tells which is: counted now */
	bool		no_insert;		/* count only what exists */

	/* why increments take the general path; NULL: they may take the fast one */
	const char *general_reason;
	bool		is_distributed; /* by Citus: its rows are elsewhere */
	bool		builtin;		/* nothing that is compiled depends on the role
								 * or on search_path */

	bool		row_security;	/* is enabled; whether it applies is the role's */
	const char *policies_reason;	/* why the fast path cannot count under its
									 * policies; NULL: it can */
	Bitmapset  *defaults;		/* columns that have one which is not null ... */
	Bitmapset  *call_defaults;	/* ... and that the call is asked for */

	/* made when first needed; each owned by its file */
	struct MSKeyOrder *order;
	struct MSPrivileges *privileges;
	struct MSFast *fast;
	struct MSLeaves *leaves;	/* instead, of a partitioned table */
	struct MSGeneral *general;	/* has plans, which this gives back: */
	void		(*free_general) (struct MSGeneral *general);
	struct MSSpillFormat *spill_format;
	struct MSDefaults *compiled_defaults;
	struct MSOrigin *origin;
	struct MSKeyMaker *key_maker;
	int			spill_turn;		/* increments, to take what is spilled at every
								 * 16th */
	struct MSRecordReader *record_reader;
	struct MSNamedColumns *named_columns;
} MSTarget;

/* Is a column part of the key? */
static inline bool
ms_is_key_column(const MSTarget *target, AttrNumber attno)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		if (target->keys[i].column.attno == attno)
			return true;
	}
	return false;
}

/* Is a column one that callers give values for, as the key or what makes it? */
static inline bool
ms_is_argument(const MSTarget *target, AttrNumber attno)
{
	for (int i = 0; i < target->nargs; i++)
	{
		if (target->args[i].attno == attno)
			return true;
	}
	return false;
}

/* Is a column one that amounts are added to? */
static inline bool
ms_is_counted(const MSTarget *target, AttrNumber attno)
{
	for (int i = 1; i < target->ncounts; i++)
	{
		if (target->merged[i].attno == attno)
			return true;
	}
	return attno == target->count;
}

/* Does an increment give a new row's value of a column, whoever makes it? */
static inline bool
ms_is_always_given(const MSTarget *target, AttrNumber attno)
{
	return ms_is_counted(target, attno) || attno == target->first_seen ||
		attno == target->last_seen || ms_is_argument(target, attno);
}

extern const char *ms_storage_reason(Relation rel);
extern bool ms_has_foreign_actions(const MSTarget *target, Relation rel,
								   const AttrMap *to_named);
extern MSTarget *ms_target_open(Oid relid, LOCKMODE lockmode, Relation *rel);
extern void ms_target_refuse_view(const MSTarget *target);
extern void ms_target_close(MSTarget *target, Relation rel);
extern void ms_target_unpin(MSTarget *target);
extern void ms_target_pin(MSTarget *target);
extern void ms_target_release(MSTarget *target);

/*
 * limits.c: how a count is limited.
 */
extern const char *ms_limits_conflict(const MSTarget *target);

/*
 * times.c: how the time columns hold a time.
 */
extern struct pg_tz *ms_find_zone(const char *name);
extern Datum ms_time_adjusted(const MSTarget *target,
							  const MSTimeColumn *column, TimestampTz time);
extern TimestampTz ms_time_of_zone(const MSTarget *target,
								   const MSTimeColumn *column, Datum value);

/* a time as a column has it */
static inline Datum
ms_time_datum(const MSTarget *target, const MSTimeColumn *column,
			  TimestampTz time)
{
	if (unlikely(column->adjusted))
		return ms_time_adjusted(target, column, time);
	return TimestampTzGetDatum(time);
}

/* the time that a column has */
static inline TimestampTz
ms_time_value(const MSTarget *target, const MSTimeColumn *column, Datum value)
{
	if (unlikely(column->adjusted))
		return ms_time_of_zone(target, column, value);
	return DatumGetTimestampTz(value);
}

/*
 * columns.c: what a table tells of its counter.
 */
extern const char *ms_lacking_times(const MSTarget *target, Relation rel,
									AttrNumber column);
extern List *ms_left_alone(const MSTarget *target, Relation rel);

/*
 * infer.c: what a table tells of its columns.
 */
extern AttrNumber ms_column_number(Relation rel, const char *column);
extern const char *ms_column_name(Relation rel, AttrNumber attno);
extern const char *ms_key_name(const MSTarget *target, Relation rel, int i);
extern bool ms_is_database_filled(Form_pg_attribute att);
extern bool ms_default_is_sequence(Relation rel, AttrNumber attno);
extern const char *ms_index_reason(Relation index);
extern bool ms_index_arbitrates(Relation key, Relation index);

/*
 * index.c: the call that names an index.
 */
extern char *ms_index_call(const MSTarget *target, Oid index);

/*
 * builtin.c: whose code is in an expression.
 */
extern bool ms_is_builtin(Node *expr);
extern bool ms_type_is_builtin(Oid type);
extern bool ms_table_is_builtin(const MSTarget *target, Relation rel);
extern Node *ms_index_tree(Relation index, AttrNumber which);

MS_INSIDE_END

#endif							/* MS_TARGET_H */
