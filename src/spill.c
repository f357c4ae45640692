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

/* one call takes no more than this of a key that it has just counted */
#define TAKE_LIMIT	4096

/* The deltas of a row's key that a snapshot shows, parsed. */
List *
ms_spill_read_key(MSTarget *target, Relation rel, const MSRow *row,
				  Snapshot snapshot, int limit)
{
	char	   *texts[INDEX_MAX_KEYS];
	int64		hash = ms_spill_key_texts(target, row->values, texts);
	List	   *result = NIL;
	ListCell   *lc;
	bool		more;

	for (int store = 0; store < MS_STORES; store++)
	{
		List	   *deltas = ms_spill_read(store, target->relid, snapshot,
										   &hash, NULL, limit, &more);

		if (deltas != NIL)
			ms_prepare_key_order(target);
		foreach(lc, deltas)
		{
			MSSpilled  *delta = lfirst(lc);

			ms_spill_parse(target, rel, delta);
			if (ms_compare_rows(target, delta->row->values, row->values) == 0)
				result = lappend(result, delta);
		}
	}
	return result;
}

/*
 * Take what is set aside of a row's key and role, for one who holds the row's
 * lock: the sum as one row, NULL where there is nothing.  *n: how many deltas
 * that is.  What has failed before is left to fold(), which can fail alone.
 */
MSRow *
ms_spill_take(MSTarget *target, Relation rel, const MSRow *row, int64 *n)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	List	   *deltas = ms_spill_read_key(target, rel, row, snapshot,
										   TAKE_LIMIT);
	char	   *role = GetUserNameFromId(GetUserId(), false);
	MSRow	   *sum = NULL;
	ListCell   *lc;

	*n = 0;
	foreach(lc, deltas)
	{
		MSSpilled  *delta = lfirst(lc);
		Relation	stored;
		int64		ignored;
		bool		got;

		if (delta->error != NULL || strcmp(delta->role, role) != 0 ||
			(sum != NULL &&
			 pg_add_s64_overflow(sum->by, delta->by, &ignored)))
			continue;
		stored = ms_spill_open(delta->store, RowExclusiveLock);
		got = ms_spill_delete(stored, delta, snapshot, false, false);
		table_close(stored, NoLock);
		if (!got)
			continue;
		(*n)++;
		if (sum == NULL)
			sum = delta->row;
		else
			ms_merge_row(target, rel, sum, delta->row);
	}
	UnregisterSnapshot(snapshot);
	return sum;
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
