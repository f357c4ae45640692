/*-------------------------------------------------------------------------
 *
 * search.c
 *	  Searches of a key's row by the key's index.
 *
 * With an MVCC snapshot, or with a dirty one, which shows the latest row of a
 * key, whoever has written it: one that is being inserted, too, or that was
 * committed since.  There can be only one for a key, which a unique index sees
 * to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "apply/apply_internal.h"
#include "counter/counter.h"
#include "target/target.h"

/* Scan keys for the key's index; they get their arguments later. */
ScanKey
ms_make_scankeys(const MSTarget *target)
{
	ScanKey		keys = palloc0(sizeof(ScanKeyData) * target->nkeys);

	for (int i = 0; i < target->nkeys; i++)
		ScanKeyEntryInitialize(&keys[i], 0, i + 1,
							   BTEqualStrategyNumber, target->keys[i].subtype,
							   target->keys[i].collation,
							   target->keys[i].eqproc, (Datum) 0);
	return keys;
}

/* Search a value of a key whose nulls are values. */
void
ms_set_scankey(ScanKey key, Datum value, bool isnull)
{
	key->sk_argument = isnull ? (Datum) 0 : value;
	key->sk_flags = isnull ? SK_ISNULL | SK_SEARCHNULL : 0;
}

/* Search the key that a row has. */
void
ms_set_scankeys(const MSTarget *target, ScanKey keys, const MSRow *row)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		int			place = target->keys[i].column.attno - 1;

		keys[i].sk_argument = row->values[place];
		if (unlikely(target->nulls))
			ms_set_scankey(&keys[i], row->values[place], row->isnull[place]);
	}
}

/* A scan for any number of searches; to be ended by index_endscan(). */
IndexScanDesc
ms_begin_search(Relation rel, Relation index, int nkeys, Snapshot snapshot)
{
	return index_beginscan(rel, index, snapshot, NULL, nkeys, 0, SO_NONE);
}

/* Search the row of a key; it stays in the slot. */
bool
ms_search(IndexScanDesc scan, ScanKey keys, int nkeys, TupleTableSlot *slot)
{
	index_rescan(scan, keys, nkeys, NULL, 0);
	return index_getnext_slot(scan, ForwardScanDirection, slot);
}

/* The same in a scan of its own. */
bool
ms_search_once(Relation rel, Relation index, ScanKey keys, int nkeys,
			   Snapshot snapshot, TupleTableSlot *slot)
{
	IndexScanDesc scan = ms_begin_search(rel, index, nkeys, snapshot);
	bool		found = ms_search(scan, keys, nkeys, slot);

	index_endscan(scan);
	return found;
}

/* Has this transaction inserted a row? */
static bool
is_own_row(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber,
									   &isnull);

	return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

static CommandId
inserting_command(TupleTableSlot *slot)
{
	bool		isnull;

	return DatumGetCommandId(slot_getsysattr(slot, MinCommandIdAttributeNumber,
											 &isnull));
}

/*
 * The latest row of a key stays in the slot; whose it is and where, in
 * *latest.
 */
void
ms_find_latest(Relation rel, Relation index, ScanKey keys, int nkeys,
			   TupleTableSlot *slot, MSLatest *latest)
{
	SnapshotData dirty;

	memset(latest, 0, sizeof(*latest));
	InitDirtySnapshot(dirty);
	if (ms_search_once(rel, index, keys, nkeys, &dirty, slot))
	{
		latest->found = true;
		latest->own = is_own_row(slot);
		if (latest->own)
			latest->own_cid = inserting_command(slot);
		latest->xmin = dirty.xmin;
		latest->xmax = dirty.xmax;
		latest->token = dirty.speculativeToken;
		latest->tid = slot->tts_tid;
	}
}

/* Wait for the transaction that is inserting the row. */
void
ms_wait_for_latest(Relation rel, MSLatest *latest)
{
	if (latest->token != 0)
		SpeculativeInsertionWait(latest->xmin, latest->token);
	else
		XactLockTableWait(latest->xmin, rel, &latest->tid, XLTW_InsertIndex);
}

/*
 * Wait for a transaction that is inserting a row of the key that keys hold:
 * until that is committed or is gone.  False where there was nothing to wait
 * for.  slot is for our use.
 */
bool
ms_wait_for_inserter(Relation rel, Relation index, ScanKey keys, int nkeys,
					 TupleTableSlot *slot)
{
	MSLatest	latest;

	ms_find_latest(rel, index, keys, nkeys, slot, &latest);
	ExecClearTuple(slot);
	if (!TransactionIdIsValid(latest.xmin))
		return false;
	ms_tally_lock_wait(RelationGetRelid(rel));
	ms_wait_for_latest(rel, &latest);
	return true;
}

/* Wait for transactions that are inserting a row's key. */
void
ms_wait_for_inserters(MSTarget *target, Relation rel, const MSRow *row)
{
	Relation	index;
	ScanKey		keys;
	TupleTableSlot *slot;

	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return;
	keys = ms_make_scankeys(target);
	ms_set_scankeys(target, keys, row);
	index = index_open(target->index, RowExclusiveLock);
	slot = table_slot_create(rel, NULL);
	while (ms_wait_for_inserter(rel, index, keys, target->nkeys, slot))
		CHECK_FOR_INTERRUPTS();
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
}
