/*-------------------------------------------------------------------------
 *
 * spill.c
 *	  Deltas that are set aside: tables missing_symbol.spilled and buffered.
 *
 * A delta whose row is locked by another transaction is appended to spilled
 * instead of waiting; those of a target with apply = 'buffer' all go to its
 * unlogged twin buffered (buffer.c).  An insertion of a row waits for nobody.
 * Who holds the row's lock takes them: deletes those that it sees and gets at
 * once, and adds their sum to the row in the same transaction, so that the
 * row and what is set aside are exact together in any one snapshot.  A delta
 * that somebody else is deleting is left alone; nothing here ever waits for a
 * row.
 *
 * The tables grant nobody anything.  They are read and written here only,
 * after the caller's rights on the *target* were checked (by whoever calls
 * us).  Both have the same columns, and spilled some more behind them; each
 * has one index, which begins with target and hash.  What is buffered is not
 * there during recovery: then it is as if it were empty.
 *
 * What appending needs (slots, index infos) is kept for the session, until an
 * invalidation of the table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "missing_symbol.h"

/* columns of missing_symbol.spilled; buffered has those up to fields */
enum
{
	SPILLED_TARGET,
	SPILLED_HASH,
	SPILLED_KEY,
	SPILLED_ROLE,
	SPILLED_DELTA,
	SPILLED_FIRST_SEEN,
	SPILLED_LAST_SEEN,
	SPILLED_FIELDS,
	SPILLED_ID,
	SPILLED_ERROR,
	SPILLED_NATTS
};

#define BUFFERED_NATTS	(SPILLED_FIELDS + 1)

static const char *const store_names[] = {"spilled", "buffered"};

StaticAssertDecl(lengthof(store_names) == MS_STORES,
				 "every store has a name");

/* one call takes no more than this of a key that it has just counted */
#define TAKE_LIMIT	4096

/* what appending needs, kept for the session */
typedef struct Appender
{
	bool		valid;			/* no invalidation since it was made */
	Oid			relid;
	Oid			index;
	MemoryContext cxt;
	EState	   *estate;
	ResultRelInfo *rri;
	TupleTableSlot *slot;
} Appender;

static Appender appenders[MS_STORES];

/* Is there anything to be read? */
static bool
is_there(MSStore store)
{
	return store == MS_STORE_SPILLED || !RecoveryInProgress();
}

Relation
ms_spill_open(MSStore store, LOCKMODE lockmode)
{
	return ms_open_own_table(store_names[store], lockmode);
}

/* Its only index. */
static Oid
index_of(Relation stored)
{
	List	   *indexes = RelationGetIndexList(stored);

	if (indexes == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table missing_symbol.%s has no index",
						RelationGetRelationName(stored)),
				 errhint("The extension is damaged: DROP EXTENSION missing_symbol and create it again.")));
	return linitial_oid(indexes);
}

static void
relcache_callback(Datum arg, Oid relid)
{
	for (int i = 0; i < MS_STORES; i++)
	{
		if (!OidIsValid(relid) || relid == appenders[i].relid)
			appenders[i].valid = false;
	}
}

static void
make_appender(MSStore store)
{
	static bool registered = false;
	Appender   *appender = &appenders[store];
	Relation	stored = ms_spill_open(store, RowExclusiveLock);
	Relation	index;
	MemoryContext oldcxt;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
		registered = true;
	}
	if (appender->cxt == NULL)
		appender->cxt = AllocSetContextCreate(CacheMemoryContext,
											  "missing_symbol appender",
											  ALLOCSET_SMALL_SIZES);
	MemoryContextReset(appender->cxt);
	oldcxt = MemoryContextSwitchTo(appender->cxt);

	/* an invalidation while we read the catalogs must not be missed */
	appender->relid = RelationGetRelid(stored);
	appender->valid = true;
	appender->index = index_of(stored);
	appender->estate = CreateExecutorState();
	appender->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(stored)),
											  &TTSOpsVirtual);
	appender->rri = makeNode(ResultRelInfo);
	InitResultRelInfo(appender->rri, stored, 0, NULL, 0);
	index = index_open(appender->index, RowExclusiveLock);
	appender->rri->ri_NumIndices = 1;
	appender->rri->ri_IndexRelationDescs = palloc0(sizeof(Relation));
	appender->rri->ri_IndexRelationInfo = palloc0(sizeof(IndexInfo *));
	appender->rri->ri_IndexRelationInfo[0] = BuildIndexInfo(index);
	index_close(index, NoLock);
	MemoryContextSwitchTo(oldcxt);
	table_close(stored, NoLock);
}

/* Append a row of a table; values has SPILLED_NATTS. */
static void
append(MSStore store, Datum *values, bool *isnull)
{
	Appender   *appender = &appenders[store];
	TupleTableSlot *slot;
	Relation	stored;
	Relation	index;
	int			natts = store == MS_STORE_SPILLED ? SPILLED_NATTS : BUFFERED_NATTS;

	if (!appender->valid)
		make_appender(store);
	slot = appender->slot;
	stored = table_open(appender->relid, RowExclusiveLock);
	index = index_open(appender->index, RowExclusiveLock);

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, isnull, sizeof(bool) * natts);
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = appender->relid;
	appender->rri->ri_RelationDesc = stored;
	appender->rri->ri_IndexRelationDescs[0] = index;
	table_tuple_insert(stored, slot, GetCurrentCommandId(true), 0, NULL);
	ExecInsertIndexTuples(appender->rri, appender->estate, 0, slot, NIL, NULL);
	ExecClearTuple(slot);
	ResetPerTupleExprContext(appender->estate);

	/* the locks are kept, as any statement's */
	index_close(index, NoLock);
	table_close(stored, NoLock);
}

/*
 * A random UUID: nobody waits for the index entry of another.  To ask for the
 * bytes costs more than the bytes.
 */
static Datum
make_id(void)
{
	static pg_uuid_t ids[64];
	static int	left = 0;
	pg_uuid_t  *id;

	if (left == 0)
	{
		if (!pg_strong_random(ids, sizeof(ids)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		left = lengthof(ids);
	}
	id = palloc(sizeof(pg_uuid_t));
	*id = ids[--left];
	id->data[6] = (id->data[6] & 0x0F) | 0x40;	/* version 4: random */
	id->data[8] = (id->data[8] & 0x3F) | 0x80;
	return UUIDPGetDatum(id);
}

/*
 * Append a delta: a row, the role it belongs to, and why it could not be
 * merged, if that has been tried, which is for spilled only.  values are those
 * of the key by attribute number - 1: the row's image where that is known,
 * else what was given.
 */
void
ms_spill_append(MSStore store, MSTarget *target, Relation rel,
				const MSRow *row, const Datum *key, const char *role,
				const char *error)
{
	char	   *texts[INDEX_MAX_KEYS];
	Datum		elems[INDEX_MAX_KEYS];
	Datum		values[SPILLED_NATTS] = {0};
	bool		isnull[SPILLED_NATTS] = {false};
	TimestampTz last_seen = row->timed ? row->last_seen : ms_clock();
	TimestampTz first_seen = row->timed ? row->first_seen : last_seen;
	NameData	rolename;
	int64		hash = ms_spill_key_texts(target, key, texts);

	for (int i = 0; i < target->nkeys; i++)
		elems[i] = CStringGetTextDatum(texts[i]);
	namestrcpy(&rolename, role);

	values[SPILLED_TARGET] = ObjectIdGetDatum(target->relid);
	values[SPILLED_HASH] = Int64GetDatum(hash);
	values[SPILLED_KEY] = PointerGetDatum(construct_array(elems, target->nkeys,
														  TEXTOID, -1, false,
														  TYPALIGN_INT));
	values[SPILLED_ROLE] = NameGetDatum(&rolename);
	values[SPILLED_DELTA] = Int64GetDatum(row->by);
	values[SPILLED_FIRST_SEEN] = TimestampTzGetDatum(first_seen);
	values[SPILLED_LAST_SEEN] = TimestampTzGetDatum(last_seen);
	isnull[SPILLED_FIELDS] = !ms_spill_fields(target, rel, row,
											  &values[SPILLED_FIELDS]);
	if (store == MS_STORE_SPILLED)
	{
		values[SPILLED_ID] = make_id();
		isnull[SPILLED_ERROR] = error == NULL;
		if (error != NULL)
			values[SPILLED_ERROR] = CStringGetTextDatum(error);
	}
	append(store, values, isnull);
}

static MSSpilled *
read_delta(MSStore store, HeapTuple tuple, TupleDesc desc)
{
	MSSpilled  *delta = palloc0(sizeof(MSSpilled));
	HeapTuple	copy = heap_copytuple(tuple);
	Datum		values[SPILLED_NATTS];
	bool		isnull[SPILLED_NATTS];

	isnull[SPILLED_ERROR] = true;
	heap_deform_tuple(copy, desc, values, isnull);
	delta->store = store;
	delta->tuple = copy;
	delta->tid = copy->t_self;
	delta->hash = DatumGetInt64(values[SPILLED_HASH]);
	delta->key = values[SPILLED_KEY];
	delta->role = NameStr(*DatumGetName(values[SPILLED_ROLE]));
	delta->by = DatumGetInt64(values[SPILLED_DELTA]);
	delta->first_seen = DatumGetTimestampTz(values[SPILLED_FIRST_SEEN]);
	delta->last_seen = DatumGetTimestampTz(values[SPILLED_LAST_SEEN]);
	delta->has_fields = !isnull[SPILLED_FIELDS];
	delta->fields = values[SPILLED_FIELDS];
	if (!isnull[SPILLED_ERROR])
		delta->error = TextDatumGetCString(values[SPILLED_ERROR]);
	return delta;
}

/* Of a row of a store: when it was counted, whether it has failed. */
TimestampTz
ms_spill_first_seen(TupleTableSlot *slot)
{
	bool		isnull;

	return DatumGetTimestampTz(slot_getattr(slot, SPILLED_FIRST_SEEN + 1,
											&isnull));
}

bool
ms_spill_has_error(TupleTableSlot *slot)
{
	return !slot_attisnull(slot, SPILLED_ERROR + 1);
}

static int
compare_times(const ListCell *a, const ListCell *b)
{
	const MSSpilled *x = lfirst(a);
	const MSSpilled *y = lfirst(b);

	return (x->first_seen > y->first_seen) - (x->first_seen < y->first_seen);
}

/*
 * Read the deltas of a target that a snapshot shows: those of one hash, or, in
 * the order of their hashes, those behind *after, which is set to the last
 * one read.  It stops at limit, but between two hashes only; *more says
 * whether it did.  Returns a list of MSSpilled, the first counted first.
 */
List *
ms_spill_read(MSStore store, Oid relid, Snapshot snapshot, const int64 *hash,
			  int64 *after, int limit, bool *more)
{
	Relation	stored;
	Relation	index;
	ScanKeyData keys[2];
	int			nkeys = 1;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *result = NIL;

	ScanKeyInit(&keys[0], SPILLED_TARGET + 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	if (hash != NULL)
		ScanKeyInit(&keys[nkeys++], SPILLED_HASH + 1, BTEqualStrategyNumber,
					F_INT8EQ, Int64GetDatum(*hash));
	else if (after != NULL && *after != PG_INT64_MIN)
		ScanKeyInit(&keys[nkeys++], SPILLED_HASH + 1,
					BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(*after));

	*more = false;
	if (!is_there(store))
		return NIL;
	stored = ms_spill_open(store, AccessShareLock);
	index = index_open(index_of(stored), AccessShareLock);
	scan = systable_beginscan_ordered(stored, index, snapshot, nkeys, keys);
	while ((tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
	{
		MSSpilled  *delta = read_delta(store, tuple, RelationGetDescr(stored));

		CHECK_FOR_INTERRUPTS();
		if (list_length(result) >= limit &&
			(after == NULL || delta->hash != *after))
		{
			*more = true;
			break;
		}
		if (after != NULL)
			*after = delta->hash;
		result = lappend(result, delta);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(stored, AccessShareLock);
	list_sort(result, compare_times);
	return result;
}

/*
 * Is a delta there, as far as it is known now?  Not if this transaction has
 * deleted it, whatever a snapshot shows.
 */
static bool
is_left(Relation stored, const MSSpilled *delta)
{
	TupleTableSlot *slot = table_slot_create(stored, NULL);
	ItemPointerData tid = delta->tid;
	bool		left = table_tuple_fetch_row_version(stored, &tid,
													 SnapshotSelf, slot);

	ExecDropSingleTupleTableSlot(slot);
	return left;
}

/*
 * Delete a delta: it then belongs to this transaction.  False where somebody
 * else has deleted it, or, unless we wait for him, is about to; ours: we have
 * locked it.  False, too, where this transaction has deleted it since it was
 * read, as a trigger may that counts the same key: core would fail.
 */
bool
ms_spill_delete(Relation stored, const MSSpilled *delta, Snapshot snapshot,
				bool wait, bool ours)
{
	TM_FailureData tmfd;
	ItemPointerData tid = delta->tid;

	return is_left(stored, delta) &&
		table_tuple_delete(stored, &tid, GetCurrentCommandId(true), 0,
						   snapshot, InvalidSnapshot, wait || ours,
						   &tmfd) == TM_Ok;
}

/* Lock a delta, so that nobody else deletes it, under the same conditions. */
bool
ms_spill_lock(Relation stored, const MSSpilled *delta, Snapshot snapshot,
			  bool wait)
{
	TupleTableSlot *slot = table_slot_create(stored, NULL);
	ItemPointerData tid = delta->tid;
	TM_FailureData tmfd;
	TM_Result	result;

	result = table_tuple_lock(stored, &tid, snapshot, slot,
							  GetCurrentCommandId(true), LockTupleExclusive,
							  wait ? LockWaitBlock : LockWaitSkip, 0, &tmfd);
	ExecDropSingleTupleTableSlot(slot);
	return result == TM_Ok;
}

/* Append a delta that was deleted, as it was, but with an error. */
void
ms_spill_append_again(const MSSpilled *delta, const char *error)
{
	Relation	stored = ms_spill_open(delta->store, AccessShareLock);
	Datum		values[SPILLED_NATTS];
	bool		isnull[SPILLED_NATTS];

	heap_deform_tuple(delta->tuple, RelationGetDescr(stored), values, isnull);
	values[SPILLED_ID] = make_id();
	isnull[SPILLED_ID] = false;
	values[SPILLED_ERROR] = CStringGetTextDatum(error);
	isnull[SPILLED_ERROR] = false;
	append(MS_STORE_SPILLED, values, isnull);
	table_close(stored, AccessShareLock);
}

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

static void
forget(MSStore store, Oid relid)
{
	Relation	stored = ms_spill_open(store, RowExclusiveLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int64		after = PG_INT64_MIN;
	bool		more = true;

	while (more)
	{
		ListCell   *lc;

		foreach(lc, ms_spill_read(store, relid, snapshot, NULL, &after, 10000,
								  &more))
			(void) ms_spill_delete(stored, lfirst(lc), snapshot, false, false);
	}
	UnregisterSnapshot(snapshot);
	table_close(stored, NoLock);
}

/* Forget the deltas of a table that has been dropped. */
void
ms_spill_forget(Oid relid)
{
	for (int store = 0; store < MS_STORES; store++)
		forget(store, relid);
}

/* Is there anything set aside of a target, that a snapshot shows? */
bool
ms_spill_exists(Oid relid, Snapshot snapshot)
{
	bool		more;

	return ms_spill_read(MS_STORE_SPILLED, relid, snapshot, NULL, NULL, 1,
						 &more) != NIL ||
		ms_spill_read(MS_STORE_BUFFERED, relid, snapshot, NULL, NULL, 1,
					  &more) != NIL;
}

/* The next target behind one that has anything in a store; 0: none. */
Oid
ms_spill_next_target(MSStore store, Oid relid, Snapshot snapshot)
{
	Relation	stored;
	Relation	index;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;
	bool		isnull;

	if (!is_there(store))
		return InvalidOid;
	stored = ms_spill_open(store, AccessShareLock);
	index = index_open(index_of(stored), AccessShareLock);
	ScanKeyInit(&key, SPILLED_TARGET + 1, BTGreaterStrategyNumber, F_OIDGT,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan_ordered(stored, index, snapshot, 1, &key);
	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	if (HeapTupleIsValid(tuple))
		result = DatumGetObjectId(heap_getattr(tuple, SPILLED_TARGET + 1,
											   RelationGetDescr(stored),
											   &isnull));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(stored, AccessShareLock);
	return result;
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
