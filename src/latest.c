/*-------------------------------------------------------------------------
 *
 * latest.c
 *	  The latest row of a key, whoever has written it.
 *
 * A dirty snapshot shows what a search with an MVCC snapshot does not: a row
 * that is being inserted, or that was committed since.  There can be only one
 * for a key, which a unique index sees to.
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

#include "missing_symbol.h"

/* Scan keys for the key's index; the caller sets their arguments. */
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

void
ms_find_latest(Relation rel, Relation index, ScanKey keys, int nkeys,
			   TupleTableSlot *slot, MSLatest *latest)
{
	SnapshotData dirty;
	IndexScanDesc scan;

	memset(latest, 0, sizeof(*latest));
	InitDirtySnapshot(dirty);
	scan = index_beginscan(rel, index, &dirty, NULL, nkeys, 0, SO_NONE);
	index_rescan(scan, keys, nkeys, NULL, 0);
	if (index_getnext_slot(scan, ForwardScanDirection, slot))
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
	ExecClearTuple(slot);
	index_endscan(scan);
}

/* Wait for the transaction that is inserting the row. */
void
ms_wait_for_latest(Relation rel, MSLatest *latest)
{
	ms_stats_lock_wait(RelationGetRelid(rel));
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
	if (!TransactionIdIsValid(latest.xmin))
		return false;
	ms_wait_for_latest(rel, &latest);
	return true;
}
