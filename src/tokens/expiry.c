/*-------------------------------------------------------------------------
 *
 * expiry.c
 *	  Tokens are deleted, because they are old or their table's owner says so.
 *
 * Expiry goes along the heap, where tokens are about in the order in which they
 * were claimed, a few blocks at a time; whoever asks for it ends his transaction
 * soon.  It waits for nobody, and deletes nothing that is not committed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/skey.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "counter/counter.h"
#include "tokens/tokens.h"

/* How many blocks there are to look at; 0 without a table, too. */
BlockNumber
ms_tokens_blocks(void)
{
	Relation	tokens;
	BlockNumber result;

	if (!ms_tokens_exist())
		return 0;
	tokens = ms_tokens_open(AccessShareLock);
	result = RelationGetNumberOfBlocks(tokens);
	table_close(tokens, AccessShareLock);
	return result;
}

/* Are the tokens of a row's table to be deleted?  *known: what is known of one. */
static bool
may_expire(const MSExpiry *expiry, TupleTableSlot *slot, Oid *known, bool *may)
{
	bool		isnull;
	Oid			relid;

	if (expiry->may == NULL)
		return true;
	relid = DatumGetObjectId(slot_getattr(slot, TOKENS_TARGET + 1, &isnull));
	if (relid != *known)
		*may = expiry->may(relid);
	*known = relid;
	return *may;
}

/*
 * Delete the expired tokens of the next blocks, so many at the most; false
 * where that was the last of them.
 */
bool
ms_tokens_expire(MSExpiry *expiry, int most)
{
	TimestampTz now = ms_clock();
	Relation	tokens = ms_tokens_open(RowExclusiveLock);
	BlockNumber nblocks = RelationGetNumberOfBlocks(tokens);
	Snapshot	snapshot;
	TableScanDesc scan;
	TupleTableSlot *slot;
	Oid			known = InvalidOid;
	bool		may = false;

	if (expiry->next >= nblocks)
	{
		table_close(tokens, NoLock);
		return false;
	}
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(tokens, NULL);
	scan = table_beginscan_strat(tokens, snapshot, 0, NULL, true, false);
	heap_setscanlimits(scan, expiry->next, Min(nblocks - expiry->next, most));
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		TimestampTz claimed_at =
			DatumGetTimestampTz(slot_getattr(slot, TOKENS_CLAIMED_AT + 1,
											 &isnull));

		if (!ms_token_is_expired(claimed_at, now))
			expiry->oldest = Min(expiry->oldest, claimed_at);
		else if (may_expire(expiry, slot, &known, &may) &&
				 ms_token_delete(tokens, &slot->tts_tid, snapshot, false))
			expiry->deleted++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	expiry->next += Min(nblocks - expiry->next, most);
	table_close(tokens, NoLock);
	return expiry->next < nblocks;
}

/* The index to find a target's tokens by; 0: none is valid. */
static Oid
find_index(Relation tokens)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(tokens))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		bool		serves = ms_tokens_index_serves(index);

		index_close(index, NoLock);
		if (serves)
			return lfirst_oid(lc);
	}
	return InvalidOid;
}

/* Forget the tokens of a table; how many. */
int64
ms_tokens_forget(Oid relid)
{
	Relation	tokens = ms_tokens_open(RowExclusiveLock);
	Oid			index = find_index(tokens);
	ScanKeyData key;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	tuple;
	int64		result = 0;

	/* this transaction's own, too */
	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyInit(&key, TOKENS_TARGET + 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(tokens, index, OidIsValid(index), snapshot, 1,
							  &key);
	while ((tuple = systable_getnext(scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (ms_token_delete(tokens, &tuple->t_self, snapshot, false))
			result++;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(tokens, NoLock);
	return result;
}
