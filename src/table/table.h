/*-------------------------------------------------------------------------
 *
 * table.h
 *	  Tables as the executor reads and writes them; and those that are the
 *	  extension's own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TABLE_H
#define MS_TABLE_H

#include "nodes/execnodes.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "compat.h"

MS_INSIDE_BEGIN

/*
 * catalog.c: what belongs to the extension.
 */
extern Oid	ms_schema(void);
extern bool ms_own_table_exists(const char *name);
extern Relation ms_open_own_table(const char *name, LOCKMODE lockmode);

/*
 * appender.c: what adding a row to one of its tables needs.
 */

/* a table that is being written to, from begin to end */
typedef struct MSAppending
{
	Relation	rel;
	EState	   *estate;
	ResultRelInfo *rri;			/* its indexes are open */
	TupleTableSlot *slot;		/* for the new row, which is virtual */
	TupleTableSlot *found;		/* for one that is there */
} MSAppending;

/* what is kept for a table; zeroed but for open, and static */
typedef struct MSAppender
{
	Relation	(*open) (LOCKMODE lockmode);
	bool		known;			/* to appender.c */
	bool		valid;			/* no invalidation since it was made ... */
	bool		fresh;			/* ... or since that began */
	bool		plain;			/* what belongs to the indexes can be kept, too */
	bool		busy;			/* from begin to end */
	Oid			relid;
	int			nindexes;
	Oid		   *indexes;
	MemoryContext cxt;
	MSAppending kept;
	struct MSAppender *next;
} MSAppender;

extern MSAppending *ms_append_begin(MSAppender *appender);
extern void ms_append_row(MSAppending *appending);
extern void ms_append_end(MSAppender *appender, MSAppending *appending);

/*
 * speculative.c: an insertion that another of the same key undoes.
 */
extern bool ms_insert_speculatively(Relation rel, ResultRelInfo *rri,
									EState *estate, TupleTableSlot *slot,
									List *arbiters, List **recheck);

/*
 * search.c: searches of a row by a unique index.
 */
extern struct IndexScanDescData *ms_begin_search(Relation rel, Relation index,
												 int nkeys,
												 Snapshot snapshot);
extern bool ms_search(struct IndexScanDescData *scan,
					  struct ScanKeyData *keys, int nkeys,
					  TupleTableSlot *slot);
extern bool ms_search_once(Relation rel, Relation index,
						   struct ScanKeyData *keys, int nkeys,
						   Snapshot snapshot, TupleTableSlot *slot);

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
						   TupleTableSlot *slot, MSLatest *latest);
extern void ms_wait_for_latest(Relation rel, MSLatest *latest);

/*
 * view.c: views that core inserts into by itself.
 */
typedef struct MSView
{
	Oid			table;			/* the one behind it ... */
	char	   *name;			/* ... qualified and quoted */
	List	   *relids;			/* what is behind it, in the order of locks: views,
								 * and the table */
	int			ncolumns;
	AttrNumber *columns;		/* of the table, by the view's attribute number - 1;
								 * 0: none, it is computed */
	char	  **defaults;		/* of an INSERT, as trees' texts; NULL: none */
	Bitmapset  *identities;		/* columns of the view that are such */
} MSView;

extern MSView *ms_view_open(Relation rel, LOCKMODE lockmode, Relation *table,
							const char **why);
extern AttrNumber ms_view_column(const MSView *view, AttrNumber attno);
extern Relation ms_view_as_table(const MSView *view, Relation rel,
								 Relation table);
extern Relation ms_view_index(const MSView *view, Relation index);

MS_INSIDE_END

#endif							/* MS_TABLE_H */
