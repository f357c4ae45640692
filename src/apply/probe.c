/*-------------------------------------------------------------------------
 *
 * probe.c
 *	  Can a counter be had without waiting?  For the general path, whose SQL
 *	  statements cannot ask.
 *
 * A dirty snapshot shows the latest state of a key, whoever is writing it.  A
 * row that nobody is writing gets locked on the spot, if that goes without
 * waiting: a statement that updates it then does not wait either.  Where the
 * transaction's snapshot is fixed, what has changed since cannot be had at
 * all.
 *
 * In a partitioned table this is done in the partition that the key belongs
 * to; there, a unique index contains all columns that decide it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "apply/apply_internal.h"
#include "table/table.h"
#include "target/row.h"
#include "target/target.h"

/* The partition's part of the key's index. */
static Relation
open_partition_index(MSTarget *target, Relation leaf)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(leaf))
	{
		if (list_member_oid(get_partition_ancestors(lfirst_oid(lc)),
							target->index))
			return index_open(lfirst_oid(lc), RowExclusiveLock);
	}
	elog(ERROR, "partition %u has no part of index %u",
		 RelationGetRelid(leaf), target->index);
}

/* A committed row, or one of our own: get its lock; *tid: where it is. */
static MSProbe
lock_row(Relation rel, Snapshot snapshot, TupleTableSlot *slot,
		 ItemPointer tid)
{
	TM_FailureData tmfd;

	*tid = slot->tts_tid;

	if (IsolationUsesXactSnapshot() &&
		!table_tuple_satisfies_snapshot(rel, slot, snapshot))
		return MS_PROBE_BUSY;
	switch (table_tuple_lock(rel, tid, snapshot, slot,
							 GetCurrentCommandId(true),
							 LockTupleNoKeyExclusive, LockWaitSkip, 0, &tmfd))
	{
		case TM_Ok:
		case TM_SelfModified:
		case TM_Invisible:
			return MS_PROBE_LOCKED;
		default:
			return MS_PROBE_BUSY;
	}
}

static MSProbe
probe(MSTarget *target, Relation rel, Relation index, const MSRow *row,
	  TupleTableSlot *slot, ItemPointer tid)
{
	Snapshot	snapshot = GetActiveSnapshot();
	ScanKey		keys = ms_make_scankeys(target);
	MSLatest	latest;

	ms_set_scankeys(target, keys, row);
	ms_find_latest(rel, index, keys, target->nkeys, slot, &latest);
	if (latest.found)
	{
		if (TransactionIdIsValid(latest.xmin) ||
			TransactionIdIsValid(latest.xmax))
			return MS_PROBE_BUSY;
		return lock_row(rel, snapshot, slot, tid);
	}

	/* deleted meanwhile, but our statements would still see it? */
	if (IsolationUsesXactSnapshot() &&
		ms_search_once(rel, index, keys, target->nkeys, snapshot, slot))
		return MS_PROBE_BUSY;
	return MS_PROBE_ABSENT;
}

/*
 * What is to be had of a row's key, this moment.  tid: NULL, or where the row
 * that is locked is; then only of heap tables, as others may not know how to
 * lock a row, nor have such a thing: MS_PROBE_BUSY.
 */
MSProbe
ms_probe(MSTarget *target, Relation rel, const MSRow *row, ItemPointer tid)
{
	bool		partitioned = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	Relation	table = partitioned ? ms_open_leaf(target, rel, row) : rel;
	Relation	index;
	TupleTableSlot *slot;
	ItemPointerData unused;
	MSProbe		result;

	if (table == NULL)
		return MS_PROBE_ABSENT; /* which is for core to say */
	index = partitioned ? open_partition_index(target, table) :
		index_open(target->index, RowExclusiveLock);
	slot = table_slot_create(table, NULL);
	CommandCounterIncrement();
	PushActiveSnapshot(IsolationUsesXactSnapshot() ?
					   GetTransactionSnapshot() : GetLatestSnapshot());
	result = tid != NULL && table->rd_rel->relam != HEAP_TABLE_AM_OID ?
		MS_PROBE_BUSY : probe(target, table, index, row, slot,
							  tid != NULL ? tid : &unused);
	PopActiveSnapshot();
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	if (partitioned)
		table_close(table, NoLock);
	return result;
}
