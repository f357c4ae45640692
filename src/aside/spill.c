/*-------------------------------------------------------------------------
 *
 * spill.c
 *	  Deltas that are set aside, by their key.
 *
 * A delta whose row is locked by another transaction is appended to spilled
 * instead of waiting; those of a target with apply = 'buffer' all go to its
 * unlogged twin buffered (buffer.c).  Who holds the row's lock takes them:
 * deletes those that it sees and gets at once, and adds their sum to the row
 * in the same transaction, so that the row and what is set aside are exact
 * together in any one snapshot.  A delta that somebody else is deleting is
 * left alone; nothing here ever waits for a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "common/int.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "missing_symbol.h"

/* one call looks at no more than this of a key that it has just counted */
#define TAKE_LIMIT	4096

/*
 * Call a function with each delta of a row's key that a snapshot shows, in
 * memory that is given back after it, until it returns false.  Fields: those
 * that were given beside the key are wanted, too.
 */
void
ms_spill_foreach(MSTarget *target, Relation rel, const MSRow *row,
				 Snapshot snapshot, bool fields, MSSpillFunction function,
				 void *arg)
{
	int64		hashes[2];
	int			nhashes = ms_spill_key_hashes(target, row->values, hashes);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol delta",
											  ALLOCSET_SMALL_SIZES);
	bool		more = true;

	for (int i = 0; i < MS_STORES * nhashes && more; i++)
	{
		MSSpillScan *scan = ms_spill_begin(i / nhashes, target->relid,
										   snapshot, &hashes[i % nhashes],
										   NULL);
		MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
		MSSpilled  *delta;

		while (more && (delta = ms_spill_next(scan)) != NULL)
		{
			ms_prepare_key_order(target);
			ms_spill_parse(target, rel, delta, fields);
			if (ms_compare_rows(target, delta->row->values, row->values) == 0)
				more = function(delta, arg);
			MemoryContextReset(cxt);
		}
		MemoryContextSwitchTo(oldcxt);
		ms_spill_end(scan);
	}
	MemoryContextDelete(cxt);
}

static bool
note_delta(MSSpilled *delta, void *arg)
{
	*(bool *) arg = true;
	return false;
}

/* Is there a delta of a row's key, that a snapshot shows? */
bool
ms_spill_has_key(MSTarget *target, Relation rel, const MSRow *row,
				 Snapshot snapshot)
{
	bool		found = false;

	ms_spill_foreach(target, rel, row, snapshot, false, note_delta, &found);
	return found;
}

/*
 * May there be anything for the current role to take of a row's key?  A look
 * that reads no value, and so cannot fail.
 */
bool
ms_spill_can_take(MSTarget *target, const MSRow *row)
{
	int64		hashes[2];
	int			nhashes = ms_spill_key_hashes(target, row->values, hashes);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol delta",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	bool		found = false;

	for (int i = 0; i < MS_STORES * nhashes && !found; i++)
	{
		MSSpillScan *scan = ms_spill_begin(i / nhashes, target->relid,
										   snapshot, &hashes[i % nhashes],
										   NULL);
		MSSpilled  *delta;

		for (int n = 0; n < TAKE_LIMIT && !found; n++)
		{
			delta = ms_spill_next(scan);
			if (delta == NULL)
				break;
			found = delta->error == NULL && delta->roleid == GetUserId();
		}
		ms_spill_end(scan);
	}
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(cxt);
	UnregisterSnapshot(snapshot);
	return found;
}

/* deltas that are being taken */
typedef struct Taking
{
	Snapshot	snapshot;
	Oid			roleid;
	MSSums	   *sums;
	int			seen;
	int64		by;				/* of all taken */
	int64		n;
} Taking;

static bool
take_delta(MSSpilled *delta, void *arg)
{
	Taking	   *taking = arg;
	Relation	stored;
	int64		by;

	if (taking->seen++ == TAKE_LIMIT)
		return false;
	if (delta->error != NULL || delta->roleid != taking->roleid ||
		pg_add_s64_overflow(taking->by, delta->by, &by))
		return true;
	stored = ms_spill_open(delta->store, RowExclusiveLock);
	if (ms_spill_delete(stored, delta, taking->snapshot, false, false))
	{
		ms_sums_add(taking->sums, delta->row);
		taking->by = by;
		taking->n++;
	}
	table_close(stored, NoLock);
	return true;
}

/*
 * Take what is set aside of a row's key and role, for one who holds the row's
 * lock: the sum as one row, NULL where there is nothing.  *n: how many deltas
 * that is.  What has failed before is left to fold(), which can fail alone.
 */
MSRow *
ms_spill_take(MSTarget *target, Relation rel, const MSRow *row, int64 *n)
{
	Taking		taking = {0};
	MSRow	  **rows;
	int			nrows;

	taking.snapshot = RegisterSnapshot(GetLatestSnapshot());
	taking.roleid = GetUserId();
	taking.sums = ms_sums_begin(target, rel);
	ms_spill_foreach(target, rel, row, taking.snapshot, true, take_delta,
					 &taking);
	UnregisterSnapshot(taking.snapshot);
	*n = taking.n;
	rows = ms_sums_end(taking.sums, &nrows);
	return nrows > 0 ? rows[0] : NULL;
}

/*
 * The right to insert a key, for the length of an insertion: never waited
 * for.  Who holds it and then sees no insertion of the key under way is not
 * going to meet one of ours.  It is an advisory lock of a class that SQL
 * functions cannot ask for.
 */
static void
insertion_tag(MSTarget *target, const MSRow *row, LOCKTAG *tag)
{
	char	   *texts[INDEX_MAX_KEYS];
	uint64		hash = (uint64) ms_spill_key_texts(target, row->values, texts);

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId,
						 (uint32) (hash >> 32) ^ target->relid, (uint32) hash,
						 MS_LOCK_INSERTION);
}

bool
ms_insertion_lock(MSTarget *target, const MSRow *row)
{
	LOCKTAG		tag;

	insertion_tag(target, row, &tag);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
ms_insertion_unlock(MSTarget *target, const MSRow *row)
{
	LOCKTAG		tag;

	insertion_tag(target, row, &tag);
	(void) LockRelease(&tag, ExclusiveLock, false);
}
