/*-------------------------------------------------------------------------
 *
 * search.c
 *	  What to search a key's row by: its index, and the values of a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "compat.h"
#include "apply/apply_internal.h"
#include "counter/counter.h"
#include "table/table.h"
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

/*
 * Search a value that a slot of ours has, column being its attribute: the slot
 * is written again when generated columns are computed, with other memory.
 */
void
ms_set_scankey_copy(ScanKey key, Datum value, bool isnull,
					Form_pg_attribute column, EState *estate)
{
	if (!isnull && !column->attbyval)
	{
		MemoryContext old =
			MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));

		value = datumCopy(value, false, column->attlen);
		MemoryContextSwitchTo(old);
	}
	ms_set_scankey(key, value, isnull);
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
