/*-------------------------------------------------------------------------
 *
 * search.c
 *	  Searches of a row by a unique index.
 *
 * With an MVCC snapshot, or with a dirty one, which shows the latest row of a
 * key, whoever has written it: one that is being inserted, too, or that was
 * committed since.  There can be only one for a key, which the index sees to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "table/table.h"

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

/* Wait for the transaction that is inserting the row, or else deleting it. */
void
ms_wait_for_latest(Relation rel, MSLatest *latest)
{
	if (latest->token != 0)
		SpeculativeInsertionWait(latest->xmin, latest->token);
	else
		XactLockTableWait(TransactionIdIsValid(latest->xmin) ? latest->xmin :
						  latest->xmax,
						  rel, &latest->tid, XLTW_InsertIndex);
}
