/*-------------------------------------------------------------------------
 *
 * spill.c
 *	  Increments that go aside rather than wait; and deltas that are set aside,
 *	  by their key.
 *
 * A delta whose row is locked by another transaction is appended to spilled
 * instead of waiting; those of a target with apply = 'buffer' all go to its
 * unlogged twin buffered (buffer.c).  Who holds the row's lock takes them:
 * deletes those that it sees and gets at once, and adds their sum to the row
 * in the same transaction, so that the row and what is set aside are exact
 * together in any one snapshot.  A delta that somebody else is deleting is
 * left alone; nothing that counts ever waits for a row here.
 *
 * Who discards waits for those who are merging, in the order that flush() has:
 * its lock of the target, then deltas.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "common/int.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "aside/aside_internal.h"
#include "counter/counter.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"

/* one call looks at no more than this of a key that it has just counted */
#define TAKE_LIMIT	4096

/*
 * Call a function with each delta of a row's key that a snapshot shows, in
 * memory that is given back after it, until it returns false.
 */
void
ms_spill_foreach(MSTarget *target, Relation rel, const MSRow *row,
				 Snapshot snapshot, MSReading reading,
				 MSSpillFunction function, void *arg)
{
	int64		hashes[2];
	int			nhashes = ms_key_hashes(target, row, hashes);
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
			ms_spill_parse(target, rel, delta, reading, NULL);
			if (ms_compare_rows(target, delta->row, row) == 0)
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

	ms_spill_foreach(target, rel, row, snapshot, MS_READ_KEY, note_delta,
					 &found);
	return found;
}

/*
 * May there be anything for the current role to take of a row's key?  A look
 * that reads no value, and so cannot fail.
 */
static bool
can_take(MSTarget *target, const MSRow *row)
{
	int64		hashes[2];
	int			nhashes = ms_key_hashes(target, row, hashes);
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
static MSRow *
take(MSTarget *target, Relation rel, const MSRow *row, int64 *n)
{
	Taking		taking = {0};
	MSRow	  **rows;
	int			nrows;

	taking.snapshot = RegisterSnapshot(GetLatestSnapshot());
	taking.roleid = GetUserId();
	taking.sums = ms_sums_begin(target, rel);
	ms_spill_foreach(target, rel, row, taking.snapshot, MS_READ_ALL, take_delta,
					 &taking);
	UnregisterSnapshot(taking.snapshot);
	*n = taking.n;
	rows = ms_sums_end(taking.sums, &nrows);
	return nrows > 0 ? rows[0] : NULL;
}

/* what is spilled of a row's key, to be merged */
typedef struct Merge
{
	MSTarget   *target;
	Relation	rel;
	MSRow	   *row;
	MSResult   *result;
} Merge;

/*
 * Merge what is spilled of a key, by a statement of its own.  Who counted it
 * had the right to; he is the current role.
 */
static void
merge_spilled(void *arg)
{
	Merge	   *merge = arg;
	MSTarget   *target = merge->target;
	MSResult	again;
	MSRow	   *sum;
	int64		n;

	sum = take(target, merge->rel, merge->row, &n);
	if (sum == NULL)
		return;
	ms_apply_row(target, merge->rel, sum, &again);

	/* a trigger may have given the row another key */
	if (again.outcome == MS_SPILLED)
	{
		ms_spill_append(MS_STORE_SPILLED, target, merge->rel, sum, sum->values,
						NULL, NULL);
		return;
	}
	if (again.outcome == MS_ABSENT)
		ms_note_absent(n);
	again.outcome = merge->result->outcome;
	*merge->result = again;
	ms_tally_folded(target->relid, n);
}

/* deltas that are being discarded */
typedef struct Discarding
{
	Oid			relid;
	Snapshot	snapshot;
	int64		n;
	bool		missed;			/* somebody else had one, maybe to put it back */
	void		(*taken) (const MSRow *row, void *arg); /* NULL: nobody asks */
	void	   *arg;
} Discarding;

/* Delete a delta, waiting for who has deleted it; his commit is for good. */
static bool
discard_delta(MSSpilled *delta, void *arg)
{
	Discarding *discarding = arg;
	Relation	stored = ms_spill_open(delta->store, RowExclusiveLock);

	if (ms_spill_delete(stored, delta, discarding->snapshot, true, false))
	{
		discarding->n++;
		if (discarding->taken != NULL)
			discarding->taken(delta->row, discarding->arg);
	}
	else if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent delete of an increment of table \"%s\"",
						get_rel_name(discarding->relid)),
				 errdetail("It has been merged or discarded since the snapshot of this transaction."),
				 errhint("Repeat the transaction.")));
	else
		discarding->missed = true;
	table_close(stored, NoLock);
	return true;
}

/* Discard all deltas of a table that a snapshot shows; nothing is read of them. */
static void
discard_stores(Discarding *discarding)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol delta",
											  ALLOCSET_SMALL_SIZES);

	for (int store = 0; store < MS_STORES; store++)
	{
		MSSpillScan *scan = ms_spill_begin(store, discarding->relid,
										   discarding->snapshot, NULL, NULL);
		MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
		MSSpilled  *delta;

		while ((delta = ms_spill_next(scan)) != NULL)
		{
			(void) discard_delta(delta, discarding);
			MemoryContextReset(cxt);
		}
		MemoryContextSwitchTo(oldcxt);
		ms_spill_end(scan);
	}
	MemoryContextDelete(cxt);
}

/*
 * Discard what is set aside of a row's key; of all the table, whatever it is
 * by now, where row is NULL.  Until none is left of what is committed: what
 * somebody has merged or put back while he was waited for is looked at again.
 *
 * Who has discarded anything keeps flush() out to the end: it would lock rows,
 * and then wait for him.
 */
static int64
discard(Oid relid, MSTarget *target, Relation rel, const MSRow *row,
		void (*taken) (const MSRow *row, void *arg), void *arg)
{
	Discarding	discarding = {.relid = relid, .taken = taken, .arg = arg};

	ms_lock_flush(relid);
	do
	{
		discarding.missed = false;
		CommandCounterIncrement();
		discarding.snapshot = RegisterSnapshot(IsolationUsesXactSnapshot() ?
											   GetTransactionSnapshot() :
											   GetLatestSnapshot());
		if (row != NULL)
			ms_spill_foreach(target, rel, row, discarding.snapshot,
							 taken == NULL ? MS_READ_KEY :
							 ms_counts_whole(target->kind) ? MS_READ_FIRST_COUNT :
							 MS_READ_ALL,
							 discard_delta, &discarding);
		else
			discard_stores(&discarding);
		UnregisterSnapshot(discarding.snapshot);
	} while (discarding.missed);
	if (discarding.n == 0)
		ms_unlock_flush(relid);
	return discarding.n;
}

int64
ms_spill_discard(MSTarget *target, Relation rel, const MSRow *row)
{
	return discard(target->relid, target, rel, row, NULL, NULL);
}

/* The same, for one who holds the lock of the row, if there is one. */
int64
ms_spill_take_all(MSTarget *target, Relation rel, const MSRow *row,
				  void (*taken) (const MSRow *row, void *arg), void *arg)
{
	return discard(target->relid, target, rel, row, taken, arg);
}

int64
ms_spill_discard_all(Oid relid)
{
	return discard(relid, NULL, NULL, NULL, NULL, NULL);
}

/*
 * Could merging a delta fail as late as the commit, where there is no
 * subtransaction of ours that it would end?  Foreign and unique keys only look
 * at columns that it changes by what is given, as the row was there before.
 */
static bool
may_fail_at_commit(Relation rel, void *arg)
{
	const MSTarget *target = arg;

	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgdeferrable && trigger->tgenabled != TRIGGER_DISABLED &&
			(!trigger->tgisinternal || target->combined != NULL))
			return true;
	}
	return false;
}

/*
 * Whoever holds a row's lock merges what is spilled of its key, at every 16th
 * increment: this transaction has just written the row.  Where that fails, or
 * could fail later, it is left to fold(): the increment has been counted.  Not
 * in the higher isolation levels, whose snapshot may be old, and where reading
 * what others append would make the two depend on each other; nor in code of a
 * table that is merged, whose time is limited (attempt.c): an attempt within it
 * would be the end of that.
 */
static void
take_spilled(MSTarget *target, Relation rel, MSRow *row, bool fast,
			 MSResult *result)
{
	Merge		merge = {target, rel, row, result};
	Bitmapset  *given = NULL;
	char	   *error;

	if ((result->outcome != MS_INCREMENTED && result->outcome != MS_INSERTED) ||
		ms_is_limited() || ++target->spill_turn % 16 != 0 || IsolationUsesXactSnapshot() ||
		!can_take(target, row) ||
		ms_any_table(rel, may_fail_at_commit, target))
		return;

	/* what the statement under way holds is no subtransaction's */
	if (fast)
	{
		given = ms_fast_given(target);
		ms_fast_end(target);
	}
	(void) ms_try(merge_spilled, &merge, &error);
	if (fast)
		ms_fast_begin(target, rel, given, true, false);
}

/*
 * Increment a row, as ms_apply_next; where that cannot be had, append the
 * delta, with the key of the row that was found.
 */
void
ms_apply_or_spill(MSTarget *target, Relation rel, MSRow *row, bool fast,
				  MSResult *result)
{
	const Datum *key = ms_apply_next(target, rel, row, fast, result);

	if (key != NULL)
	{
		ms_check_key_fits(target, key, row->isnull);
		ms_spill_append(MS_STORE_SPILLED, target, rel, row, key, NULL, NULL);
	}
	if (target->spill)
		take_spilled(target, rel, row, fast, result);
}

/*
 * Note that so many deltas had no row to be added to, and none was to be made:
 * as updates in the statistics of our table, in which nothing is ever updated.
 */
void
ms_note_absent(int64 deltas)
{
	Relation	stored = ms_spill_open(MS_STORE_SPILLED, RowExclusiveLock);

	while (deltas-- > 0)
		pgstat_count_heap_update(stored, false, false);
	table_close(stored, NoLock);
}
