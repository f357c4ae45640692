/*-------------------------------------------------------------------------
 *
 * leaves.c
 *	  A partitioned table on the fast path: its rows are counted in its leaves.
 *
 * A key decides the leaf: a unique index of a partitioned table has all columns
 * of the partition keys, of all levels.  So a row is routed by its key's
 * values, as core routes it, and counted in the leaf, with what fast_state.c
 * keeps for that.
 *
 * - What is kept are states, by the OID of their table, and what the partition
 *   keys of the tables between are in the columns of the named one.  No
 *   relation, lock, bound or partition descriptor is: they are asked for with
 *   each row.
 * - The named table is locked by the caller, then come the tables between, then
 *   the leaf.  Who gets a lock gets the messages of those he may have waited
 *   for: where one is for what has decided the route (the named table or one
 *   between), a partition may have come or gone, and the row is routed again.
 *   So what has been routed to a leaf, DEFAULT or another, belongs there for as
 *   long as its lock is held.
 * - A partition that is being detached concurrently is no partition any more,
 *   but for REPEATABLE READ and SERIALIZABLE, as for core's INSERT; its DETACH
 *   waits for those.
 * - A leaf that the fast path cannot write, and a row that has none, are the
 *   general path's, whose statements have core's errors.
 * - One leaf is open at a time.  One with triggers is closed after each row:
 *   they run then, as on the general path.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

/* tables of which something is kept, for each target; the latest */
#define MAX_TABLES	128

/* a leaf, or a partitioned table between */
typedef struct MSLeaf
{
	Oid			relid;			/* hash key */
	dlist_node	node;			/* the latest first */
	bool		valid;			/* no invalidation since it was looked at */
	AttrNumber *columns;		/* of one between: its partition key, as columns
								 * of the named table */
	const char *reason;			/* of a leaf: why the fast path cannot have it */
	MSFast	   *fast;			/* or how it does */
	bool		builtin;		/* as MSTarget.builtin */
} MSLeaf;

static dlist_head all_leaves = DLIST_STATIC_INIT(all_leaves);

/* Mark what depends on a table; on any, where relid is invalid. */
static void
relcache_callback(Datum arg, Oid relid)
{
	dlist_iter	i;
	dlist_iter	j;

	dlist_foreach(i, &all_leaves)
	{
		MSLeaves   *leaves = dlist_container(MSLeaves, node, i.cur);

		if (!OidIsValid(relid) || relid == leaves->relid)
			leaves->changes++;
		dlist_foreach(j, &leaves->latest)
		{
			MSLeaf	   *table = dlist_container(MSLeaf, node, j.cur);

			if (OidIsValid(relid) && relid != table->relid)
				continue;
			table->valid = false;
			if (table->columns != NULL)
				leaves->changes++;
		}
	}
}

static void
unlink_leaves(void *arg)
{
	dlist_delete(&((MSLeaves *) arg)->node);
}

/* What a partitioned target keeps of its leaves. */
MSLeaves *
ms_leaves_of(MSTarget *target, Relation rel)
{
	static bool registered = false;
	MemoryContext cxt;
	MemoryContext oldcxt;
	MemoryContextCallback *callback;
	MSLeaves   *leaves;
	HASHCTL		ctl;

	if (target->leaves != NULL)
		return target->leaves;
	if (!registered)
		CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	registered = true;

	cxt = AllocSetContextCreate(CurrentMemoryContext,
								"missing_symbol leaves",
								ALLOCSET_SMALL_SIZES);
	oldcxt = MemoryContextSwitchTo(cxt);
	leaves = palloc0(sizeof(MSLeaves));
	leaves->cxt = cxt;
	leaves->relid = target->relid;
	leaves->privileges = ms_privileges_make(target, rel);
	leaves->root = makeNode(ResultRelInfo);
	InitResultRelInfo(leaves->root, rel, 1, NULL, 0);
	dlist_init(&leaves->latest);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(MSLeaf);
	ctl.hcxt = cxt;
	leaves->tables = hash_create("missing_symbol leaves", 16, &ctl,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	callback = palloc0(sizeof(MemoryContextCallback));
	callback->func = unlink_leaves;
	callback->arg = leaves;
	MemoryContextSwitchTo(oldcxt);

	MemoryContextSetParent(cxt, target->cxt);
	dlist_push_head(&all_leaves, &leaves->node);
	MemoryContextRegisterResetCallback(cxt, callback);
	target->leaves = leaves;
	return leaves;
}

/* Forget what is kept of a table, but not the table. */
static void
clear_table(MSLeaf *table)
{
	if (table->columns != NULL)
		pfree(table->columns);
	if (table->fast != NULL)
		MemoryContextDelete(table->fast->cxt);
	table->columns = NULL;
	table->reason = NULL;
	table->fast = NULL;
}

/* Make room for another table. */
static void
forget_oldest(MSLeaves *leaves)
{
	MSLeaf	   *oldest;

	if (hash_get_num_entries(leaves->tables) < MAX_TABLES)
		return;
	oldest = dlist_tail_element(MSLeaf, node, &leaves->latest);
	if (oldest == leaves->open)
		return;
	clear_table(oldest);
	dlist_delete(&oldest->node);
	hash_search(leaves->tables, &oldest->relid, HASH_REMOVE, NULL);
}

/*
 * What is kept of a table that is open; empty where it is not known, or not
 * any more.
 */
static MSLeaf *
find_table(MSLeaves *leaves, Oid relid)
{
	MSLeaf	   *table = hash_search(leaves->tables, &relid, HASH_FIND, NULL);

	if (table == NULL)
	{
		forget_oldest(leaves);
		table = hash_search(leaves->tables, &relid, HASH_ENTER, NULL);
		memset(table, 0, sizeof(*table));
		table->relid = relid;
		dlist_push_head(&leaves->latest, &table->node);
	}
	else
		dlist_move_head(&leaves->latest, &table->node);
	if (!table->valid)
		clear_table(table);

	/* an invalidation from here on must not be missed */
	table->valid = true;
	return table;
}

/* The partition key of a table between, as columns of the named one. */
static const AttrNumber *
columns_of(MSLeaves *leaves, Relation named, Relation rel)
{
	MSLeaf	   *table = find_table(leaves, RelationGetRelid(rel));

	if (table->columns == NULL)
	{
		PartitionKey key = RelationGetPartitionKey(rel);
		AttrNumber *columns = MemoryContextAllocZero(leaves->cxt,
													 sizeof(AttrNumber) * key->partnatts);

		for (int i = 0; i < key->partnatts; i++)
		{
			if (key->partattrs[i] != 0)
				columns[i] = ms_column_number(named,
											  ms_column_name(rel, key->partattrs[i]));
		}
		table->columns = columns;
	}
	return table->columns;
}

/*
 * Which partition a row belongs to, by its number; -1 where there is none.  As
 * core's get_partition_for_tuple(), which is its own.
 */
static int
partition_of(PartitionKey key, PartitionDesc desc, const AttrNumber *columns,
			 const MSRow *row)
{
	PartitionBoundInfo bounds = desc->boundinfo;
	Datum		values[PARTITION_MAX_KEYS];
	bool		isnull[PARTITION_MAX_KEYS];
	bool		has_null = false;
	bool		equal = false;
	int			bound;
	int			result = -1;

	if (desc->nparts == 0)
		return -1;
	for (int i = 0; i < key->partnatts; i++)
	{
		if (columns[i] == InvalidAttrNumber)
			return -1;			/* an expression: not where a key is unique */
		values[i] = row->values[columns[i] - 1];
		isnull[i] = row->isnull[columns[i] - 1];
		has_null |= isnull[i];
	}

	switch (key->strategy)
	{
		case PARTITION_STRATEGY_HASH:
			return bounds->indexes[compute_partition_hash_value(key->partnatts,
																key->partsupfunc,
																key->partcollation,
																values, isnull) %
								   (uint64) bounds->nindexes];
		case PARTITION_STRATEGY_LIST:
			if (has_null)
			{
				if (partition_bound_accepts_nulls(bounds))
					result = bounds->null_index;
				break;
			}
			bound = partition_list_bsearch(key->partsupfunc,
										   key->partcollation, bounds,
										   values[0], &equal);
			if (bound >= 0 && equal)
				result = bounds->indexes[bound];
			break;
		case PARTITION_STRATEGY_RANGE:
			if (has_null)
				break;
			bound = partition_range_datum_bsearch(key->partsupfunc,
												  key->partcollation, bounds,
												  key->partnatts, values,
												  &equal);
			result = bounds->indexes[bound + 1];
			break;
		default:
			elog(ERROR, "unexpected partition strategy: %d",
				 (int) key->strategy);
	}
	return result < 0 ? bounds->default_index : result;
}

/*
 * The leaf that a row belongs to, as far as is known; the tables between are
 * locked, the leaf is not.  Invalid where there is none.
 */
static Oid
route(MSLeaves *leaves, Relation named, const MSRow *row)
{
	Relation	rel = named;
	const AttrNumber *columns = RelationGetPartitionKey(named)->partattrs;
	Oid			result;

	for (;;)
	{
		PartitionDesc desc = RelationGetPartitionDesc(rel,
													  !IsolationUsesXactSnapshot());
		int			i = partition_of(RelationGetPartitionKey(rel), desc,
									 columns, row);
		bool		is_leaf = i < 0 || desc->is_leaf[i];

		result = i < 0 ? InvalidOid : desc->oids[i];
		if (rel != named)
			relation_close(rel, NoLock);
		if (is_leaf)
			return result;
		rel = try_relation_open(result, RowExclusiveLock);
		if (rel == NULL)
			return InvalidOid;
		columns = columns_of(leaves, named, rel);
	}
}

/* Why the fast path cannot have a leaf; NULL where it can. */
const char *
ms_leaf_reason(const MSTarget *target, Relation named, Relation leaf)
{
	const char *reason = ms_storage_reason(leaf);
	TupleConversionMap *to_named;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(leaf))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (reason == NULL)
			reason = ms_index_reason(index);
		index_close(index, AccessShareLock);
	}
	if (reason != NULL || leaf->trigdesc == NULL)
		return reason;
	to_named = convert_tuples_by_name(RelationGetDescr(leaf),
									  RelationGetDescr(named));
	if (ms_has_foreign_actions(target, leaf,
							   to_named == NULL ? NULL : to_named->attrMap))
		return "a foreign key that refers to its counter changes another table";
	return NULL;
}

/* What is kept of a leaf that is open, made where it is not. */
static MSLeaf *
find_leaf(MSTarget *target, Relation named, Relation rel)
{
	MSLeaves   *leaves = target->leaves;
	MSLeaf	   *leaf = find_table(leaves, RelationGetRelid(rel));

	if (leaf->fast == NULL && leaf->reason == NULL)
		leaf->reason = ms_leaf_reason(target, named, rel);
	if (leaf->fast == NULL && leaf->reason == NULL)
	{
		MSFast	   *fast = ms_fast_make(target, named, rel, leaves);

		MemoryContextSetParent(fast->cxt, leaves->cxt);
		leaf->fast = fast;
		leaf->builtin = target->builtin &&
			ms_table_is_builtin(fast->to_named == NULL ? target : NULL, rel);
	}
	return leaf;
}

/* Close the leaf that is open: fire its triggers. */
void
ms_leaves_close(MSLeaves *leaves)
{
	MSLeaf	   *leaf = leaves->open;
	Relation	rel;

	if (leaf == NULL)
		return;
	rel = leaf->fast->rel;
	ms_fast_close(leaf->fast);
	relation_close(rel, NoLock);
	leaves->open = NULL;
	if (!leaf->builtin)
		clear_table(leaf);
}

/*
 * Lock and open the leaf that a row belongs to; NULL where there is none.  One
 * that is open is closed before, if it is another; if it is that one,
 * *same is set, and nothing is done.
 */
static Relation
open_leaf(MSLeaves *leaves, Relation named, const MSRow *row, bool *same)
{
	for (;;)
	{
		uint64		changes = leaves->changes;
		Oid			relid = route(leaves, named, row);
		Relation	rel = NULL;

		if (same != NULL)
		{
			*same = leaves->open != NULL && leaves->open->relid == relid;
			if (*same && leaves->changes == changes)
				return NULL;
			*same = false;
			ms_leaves_close(leaves);
		}
		if (OidIsValid(relid))
			rel = try_relation_open(relid, RowExclusiveLock);
		if (leaves->changes == changes)
			return rel;

		/* a partition has come or gone meanwhile */
		if (rel != NULL)
			relation_close(rel, RowExclusiveLock);
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Lock and open the leaf that a row belongs to, for who is not on the fast
 * path; NULL where there is none.
 */
Relation
ms_open_leaf(MSTarget *target, Relation rel, const MSRow *row)
{
	return open_leaf(ms_leaves_of(target, rel), rel, row, NULL);
}

/* Begin one statement's worth of increments; as ms_fast_begin. */
void
ms_leaves_begin(MSLeaves *leaves, Relation rel, bool fresh)
{
	leaves->busy = true;
	leaves->root->ri_RelationDesc = rel;
	leaves->fresh = fresh;
}

/*
 * Open the leaf that a row belongs to, to count there; NULL where that is for
 * the general path: then none is open.
 */
MSFast *
ms_leaves_open(MSTarget *target, Relation named, const MSRow *row)
{
	MSLeaves   *leaves = target->leaves;
	bool		fresh = leaves->fresh;
	bool		same;
	Relation	rel = open_leaf(leaves, named, row, &same);
	MSLeaf	   *leaf;

	leaves->fresh = false;
	if (same)
		return leaves->open->fast;
	if (rel == NULL)
		return NULL;
	leaf = find_leaf(target, named, rel);
	if (leaf->fast == NULL)
	{
		relation_close(rel, NoLock);
		return NULL;
	}
	ms_fast_open(leaf->fast, target, named, rel, fresh);
	leaves->open = leaf;
	return leaf->fast;
}

/* End it. */
void
ms_leaves_end(MSLeaves *leaves)
{
	ms_leaves_close(leaves);
	leaves->busy = false;
}
