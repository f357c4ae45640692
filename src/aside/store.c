/*-------------------------------------------------------------------------
 *
 * store.c
 *	  Tables missing_symbol.spilled and buffered: append, read, delete.
 *
 * The tables grant nobody anything.  They are read and written here only,
 * after the caller's rights on the *target* were checked (by whoever calls
 * us).  Both have the same columns, and spilled some more behind them; those
 * of a later version, behind these, are left alone.  What is buffered is not
 * there during recovery: then it is as if it were empty.
 *
 * An append fills all indexes that are live (table/appender.c).  A read goes by
 * one that is valid and begins with target and hash, or by the whole table,
 * which it sorts, on disk where it is much.  It looks for them when it has the
 * table's lock, which whoever makes or drops an index waits for.
 *
 * An insertion of a row waits for nobody, and nothing here waits for a row
 * but where flush() says so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "compat.h"
#include "aside/aside.h"
#include "aside/aside_internal.h"
#include "counter/counter.h"
#include "table/table.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"

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

static const Oid store_types[] = {
	REGCLASSOID, INT8OID, TEXTARRAYOID, NAMEOID, INT8OID,
	TIMESTAMPTZOID, TIMESTAMPTZOID, JSONBOID, UUIDOID, TEXTOID
};

StaticAssertDecl(lengthof(store_types) == SPILLED_NATTS,
				 "every column has a type");

static const struct
{
	const char *name;
	int			natts;
}			stores[] = {
	{"spilled", SPILLED_NATTS},
	{"buffered", SPILLED_FIELDS + 1}
};

StaticAssertDecl(lengthof(stores) == MS_STORES, "every store has a name");

/* memory for a scan that sorts: as many as fold.c asks for at once have room */
#define PLACES_KB	32768

/* where a row is, for a scan that sorts */
enum
{
	PLACE_TARGET,
	PLACE_HASH,
	PLACE_FIRST_SEEN,
	PLACE_TID,
	PLACE_NATTS
};

static const Oid place_types[] = {OIDOID, INT8OID, TIMESTAMPTZOID, TIDOID};

StaticAssertDecl(lengthof(place_types) == PLACE_NATTS,
				 "every column of a place has a type");

struct MSSpillScan
{
	MSStore		store;
	MemoryContext cxt;			/* of the scan */
	Relation	stored;			/* NULL: there is nothing to be read */
	Relation	index;			/* NULL: it sorts */
	Snapshot	snapshot;
	SysScanDesc scan;

	/* sorted */
	Tuplesortstate *places;
	TupleTableSlot *place;
	TupleTableSlot *slot;
};

/* Is there anything to be read? */
static bool
is_there(MSStore store)
{
	return store == MS_STORE_SPILLED || !RecoveryInProgress();
}

/* Has a store the columns that we know, and maybe more behind them? */
static void
check_columns(MSStore store, Relation stored)
{
	TupleDesc	desc = RelationGetDescr(stored);
	bool		same = desc->natts >= stores[store].natts;

	for (int i = 0; same && i < stores[store].natts; i++)
		same = TupleDescAttr(desc, i)->atttypid == store_types[i];
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table missing_symbol.%s has other columns than this version of the library knows",
						RelationGetRelationName(stored)),
				 errhint("Connect again, so that the installed library is loaded; then: ALTER EXTENSION missing_symbol UPDATE.")));
}

Relation
ms_spill_open(MSStore store, LOCKMODE lockmode)
{
	Relation	stored = ms_open_own_table(stores[store].name, lockmode);

	check_columns(store, stored);
	return stored;
}

/*
 * Appending
 */

static Relation
open_spilled(LOCKMODE lockmode)
{
	return ms_spill_open(MS_STORE_SPILLED, lockmode);
}

static Relation
open_buffered(LOCKMODE lockmode)
{
	return ms_spill_open(MS_STORE_BUFFERED, lockmode);
}

static MSAppender appenders[] = {{.open = open_spilled}, {.open = open_buffered}};

StaticAssertDecl(lengthof(appenders) == MS_STORES,
				 "every store has an appender");

/* Append a row of a store; values has SPILLED_NATTS. */
static void
append(MSStore store, Datum *values, bool *isnull)
{
	int			natts = stores[store].natts;
	MSAppending *appending = ms_append_begin(&appenders[store]);
	TupleTableSlot *slot = appending->slot;

	memcpy(slot->tts_values, values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, isnull, sizeof(bool) * natts);
	for (int i = natts; i < slot->tts_tupleDescriptor->natts; i++)
		slot->tts_isnull[i] = true;
	ExecStoreVirtualTuple(slot);
	ms_append_row(appending);
	ms_append_end(&appenders[store], appending);
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
 * Append a delta: a row, whose it is, and why it could not be merged, if that
 * has been tried, which is for spilled only.  key has the values of the key by
 * attribute number - 1: the row's image where that is known, else what was
 * given.  The table's owner stands in for a role that its transaction has
 * dropped.
 */
void
ms_spill_append(MSStore store, MSTarget *target, Relation rel,
				const MSRow *row, const Datum *key, const MSSpilled *of,
				const char *error)
{
	char	   *texts[INDEX_MAX_KEYS];
	Datum		elems[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	int			first = 1;
	Datum		values[SPILLED_NATTS] = {0};
	bool		isnull[SPILLED_NATTS] = {false};
	TimestampTz last_seen = ms_row_is_timed(row) ? row->last_seen : ms_clock();
	TimestampTz first_seen = ms_row_is_timed(row) ? row->first_seen : last_seen;
	Oid			role = of == NULL ? GetUserId() : of->roleid;
	uint64		system = GetSystemIdentifier();
	char	   *rolename = NULL;
	NameData	name;
	int64		hash = ms_key_texts(target, key, row->isnull, texts);

	if (OidIsValid(role))
		rolename = GetUserNameFromId(role, true);
	if (rolename == NULL && of != NULL)
	{
		/* as it was: it is gone */
		role = of->stored_role;
		system = of->system;
		rolename = of->role;
	}
	else if (rolename == NULL)
	{
		role = rel->rd_rel->relowner;
		rolename = GetUserNameFromId(role, false);
	}
	for (int i = 0; i < target->nkeys; i++)
	{
		if (!(nulls[i] = texts[i] == NULL))
			elems[i] = CStringGetTextDatum(texts[i]);
	}
	namestrcpy(&name, rolename);

	values[SPILLED_TARGET] = ObjectIdGetDatum(target->relid);
	values[SPILLED_HASH] = Int64GetDatum(hash);
	values[SPILLED_KEY] =
		PointerGetDatum(construct_md_array(elems, nulls, 1, &target->nkeys, &first,
										   TEXTOID, -1, false, TYPALIGN_INT));
	values[SPILLED_ROLE] = NameGetDatum(&name);
	values[SPILLED_DELTA] = Int64GetDatum(row->by);
	values[SPILLED_FIRST_SEEN] = TimestampTzGetDatum(first_seen);
	values[SPILLED_LAST_SEEN] = TimestampTzGetDatum(last_seen);
	if (of == NULL)
		row = ms_row_with_defaults(target, rel, row);
	values[SPILLED_FIELDS] = ms_spill_fields(target, rel, row, role, system);
	if (store == MS_STORE_SPILLED)
	{
		values[SPILLED_ID] = make_id();
		isnull[SPILLED_ERROR] = error == NULL;
		if (error != NULL)
			values[SPILLED_ERROR] = CStringGetTextDatum(error);
	}
	append(store, values, isnull);
}

/*
 * Reading
 */

/* The columns of a row that we know; values has SPILLED_NATTS. */
static void
deform(MSStore store, HeapTuple tuple, TupleDesc desc, Datum *values,
	   bool *isnull)
{
	Datum	   *all_values = palloc(sizeof(Datum) * desc->natts);
	bool	   *all_isnull = palloc(sizeof(bool) * desc->natts);

	heap_deform_tuple(tuple, desc, all_values, all_isnull);
	for (int i = 0; i < SPILLED_NATTS; i++)
	{
		isnull[i] = i >= stores[store].natts || all_isnull[i];
		values[i] = isnull[i] ? (Datum) 0 : all_values[i];
	}
	pfree(all_values);
	pfree(all_isnull);
}

static MSSpilled *
read_delta(MSStore store, HeapTuple tuple, TupleDesc desc)
{
	MSSpilled  *delta = palloc0(sizeof(MSSpilled));
	HeapTuple	copy = heap_copytuple(tuple);
	Datum		values[SPILLED_NATTS];
	bool		isnull[SPILLED_NATTS];

	deform(store, copy, desc, values, isnull);
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
	ms_origin_read(delta);
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

/*
 * Does an index serve to read by?  One that REINDEX CONCURRENTLY has left
 * unfinished does not, nor does one that an administrator made for himself.
 */
static bool
serves(Relation index)
{
	Form_pg_index form = index->rd_index;

	return form->indisvalid && form->indisready && form->indislive &&
		index->rd_rel->relam == BTREE_AM_OID &&
		form->indnkeyatts >= 2 &&
		form->indkey.values[0] == SPILLED_TARGET + 1 &&
		form->indkey.values[1] == SPILLED_HASH + 1 &&
		index->rd_opfamily[0] == OID_BTREE_FAM_OID &&
		index->rd_opfamily[1] == INTEGER_BTREE_FAM_OID &&
		(index->rd_indoption[0] & INDOPTION_DESC) == 0 &&
		(index->rd_indoption[1] & INDOPTION_DESC) == 0 &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) &&
		(!form->indcheckxmin ||
		 TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
							   TransactionXmin));
}

/* Open an index of a store to read by; NULL: none serves. */
static Relation
open_index(Relation stored)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(stored))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (serves(index))
			return index;
		index_close(index, AccessShareLock);
	}
	return NULL;
}

/* Begin to sort places: by target, hash, and when each was counted. */
static void
begin_places(MSSpillScan *scan, int most)
{
	TupleDesc	desc = CreateTemplateTupleDesc(PLACE_NATTS);
	AttrNumber	attnos[PLACE_NATTS];
	Oid			operators[PLACE_NATTS];
	Oid			collations[PLACE_NATTS] = {InvalidOid};
	bool		nulls_first[PLACE_NATTS] = {false};

	for (int i = 0; i < PLACE_NATTS; i++)
	{
		attnos[i] = i + 1;
		TupleDescInitEntry(desc, attnos[i], NULL, place_types[i], -1, 0);
		operators[i] = lookup_type_cache(place_types[i],
										 TYPECACHE_LT_OPR)->lt_opr;
	}
	TupleDescFinalize(desc);
	scan->place = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	scan->slot = table_slot_create(scan->stored, NULL);
	scan->places = tuplesort_begin_heap(desc, PLACE_NATTS, attnos, operators,
										collations, nulls_first,
										Max(work_mem, PLACES_KB), NULL,
										TUPLESORT_ALLOWBOUNDED);
	if (most > 0)
		tuplesort_set_bound(scan->places, most);
}

/* Is a row behind a place?  NULL: any is. */
static bool
is_behind(HeapTuple tuple, TimestampTz first_seen, const MSSpillPlace *place)
{
	if (place == NULL || first_seen > place->first_seen)
		return true;
	return first_seen == place->first_seen &&
		ItemPointerCompare(&tuple->t_self, unconstify(ItemPointerData *, &place->tid)) > 0;
}

/*
 * Find what the keys admit behind a place, and bring it in order: the first
 * most of it, 0: all.
 */
static void
find_places(MSSpillScan *scan, Relation index, int nkeys, ScanKey keys,
			const MSSpillPlace *behind, int most)
{
	static const int columns[] = {
		SPILLED_TARGET, SPILLED_HASH, SPILLED_FIRST_SEEN
	};
	Oid			indexid = index == NULL ? InvalidOid : RelationGetRelid(index);
	SysScanDesc rows = systable_beginscan(scan->stored, indexid, index != NULL,
										  scan->snapshot, nkeys, keys);
	TupleTableSlot *place;
	HeapTuple	tuple;

	begin_places(scan, most);
	place = scan->place;
	while ((tuple = systable_getnext(rows)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		ExecClearTuple(place);
		for (int i = 0; i < lengthof(columns); i++)
			place->tts_values[i] = heap_getattr(tuple, columns[i] + 1,
												RelationGetDescr(scan->stored),
												&place->tts_isnull[i]);
		place->tts_values[PLACE_TID] = PointerGetDatum(&tuple->t_self);
		place->tts_isnull[PLACE_TID] = false;
		ExecStoreVirtualTuple(place);
		if (is_behind(tuple,
					  DatumGetTimestampTz(place->tts_values[PLACE_FIRST_SEEN]),
					  behind))
			tuplesort_puttupleslot(scan->places, place);
	}
	systable_endscan(rows);
	ExecClearTuple(place);
	tuplesort_performsort(scan->places);
}

/*
 * Begin to read rows of a store in the order of target and hash; behind, where
 * it is not NULL: and of when they were counted, the first most behind it.
 */
static MSSpillScan *
begin_scan(MSStore store, Snapshot snapshot, int nkeys, ScanKey keys,
		   const MSSpillPlace *behind, int most)
{
	MSSpillScan *scan = palloc0(sizeof(MSSpillScan));
	Relation	index;

	scan->store = store;
	scan->cxt = CurrentMemoryContext;
	scan->snapshot = snapshot;
	if (!is_there(store))
		return scan;
	scan->stored = ms_spill_open(store, AccessShareLock);
	index = open_index(scan->stored);
	if (index != NULL && behind == NULL)
	{
		scan->index = index;
		scan->scan = systable_beginscan_ordered(scan->stored, index, snapshot,
												nkeys, keys);
		return scan;
	}
	find_places(scan, index, nkeys, keys, behind, most);
	if (index != NULL)
		index_close(index, AccessShareLock);
	return scan;
}

/* The next row, good until the one after it; NULL: that was the last. */
static HeapTuple
next_row(MSSpillScan *scan)
{
	MemoryContext oldcxt;
	HeapTuple	tuple = NULL;

	CHECK_FOR_INTERRUPTS();
	if (scan->stored == NULL)
		return NULL;

	/* the scan keeps something of what it returns */
	oldcxt = MemoryContextSwitchTo(scan->cxt);
	if (scan->index != NULL)
		tuple = systable_getnext_ordered(scan->scan, ForwardScanDirection);
	else
	{
		while (tuple == NULL &&
			   tuplesort_gettupleslot(scan->places, true, false, scan->place,
									  NULL))
		{
			bool		isnull;
			Datum		tid = slot_getattr(scan->place, PLACE_TID + 1, &isnull);

			if (table_tuple_fetch_row_version(scan->stored,
											  (ItemPointer) DatumGetPointer(tid),
											  scan->snapshot, scan->slot))
				tuple = ExecFetchSlotHeapTuple(scan->slot, false, NULL);
		}
	}
	MemoryContextSwitchTo(oldcxt);
	return tuple;
}

void
ms_spill_end(MSSpillScan *scan)
{
	if (scan->stored != NULL)
	{
		if (scan->index != NULL)
		{
			systable_endscan_ordered(scan->scan);
			index_close(scan->index, AccessShareLock);
		}
		else
		{
			ExecDropSingleTupleTableSlot(scan->slot);
			ExecDropSingleTupleTableSlot(scan->place);
			tuplesort_end(scan->places);
		}
		table_close(scan->stored, AccessShareLock);
	}
	pfree(scan);
}

/*
 * Begin to read the deltas of a target that a snapshot shows, in the order of
 * their hashes: those of one hash, or those behind one, or all.
 */
MSSpillScan *
ms_spill_begin(MSStore store, Oid relid, Snapshot snapshot, const int64 *hash,
			   const int64 *after)
{
	ScanKeyData keys[2];
	int			nkeys = 1;

	ScanKeyInit(&keys[0], SPILLED_TARGET + 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	if (hash != NULL)
		ScanKeyInit(&keys[nkeys++], SPILLED_HASH + 1, BTEqualStrategyNumber,
					F_INT8EQ, Int64GetDatum(*hash));
	else if (after != NULL && *after != PG_INT64_MIN)
		ScanKeyInit(&keys[nkeys++], SPILLED_HASH + 1,
					BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(*after));
	return begin_scan(store, snapshot, nkeys, keys, NULL, 0);
}

/* The same for the first most of those of one hash, the first counted first. */
MSSpillScan *
ms_spill_begin_in_time(MSStore store, Oid relid, Snapshot snapshot, int64 hash,
					   const MSSpillPlace *behind, int most)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], SPILLED_TARGET + 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], SPILLED_HASH + 1, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(hash));
	return begin_scan(store, snapshot, lengthof(keys), keys, behind, most);
}

/* The next delta, in the current memory context; NULL: that was the last. */
MSSpilled *
ms_spill_next(MSSpillScan *scan)
{
	HeapTuple	tuple = next_row(scan);

	return tuple == NULL ? NULL :
		read_delta(scan->store, tuple, RelationGetDescr(scan->stored));
}

/*
 * Is a row there, as far as it is known now?  Not if this transaction has
 * deleted it, whatever a snapshot shows.
 */
static bool
is_left(Relation stored, ItemPointer tid)
{
	TupleTableSlot *slot = table_slot_create(stored, NULL);
	bool		left = table_tuple_fetch_row_version(stored, tid,
													 SnapshotSelf, slot);

	ExecDropSingleTupleTableSlot(slot);
	return left;
}

static bool
delete_row(Relation stored, ItemPointer tid, Snapshot snapshot, bool wait)
{
	TM_FailureData tmfd;

	return is_left(stored, tid) &&
		table_tuple_delete(stored, tid, GetCurrentCommandId(true), 0,
						   snapshot, InvalidSnapshot, wait, &tmfd) == TM_Ok;
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
	ItemPointerData tid = delta->tid;

	return delete_row(stored, &tid, snapshot, wait || ours);
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

	deform(delta->store, delta->tuple, RelationGetDescr(stored), values, isnull);
	values[SPILLED_ID] = make_id();
	isnull[SPILLED_ID] = false;
	values[SPILLED_ERROR] = CStringGetTextDatum(error);
	isnull[SPILLED_ERROR] = false;
	append(MS_STORE_SPILLED, values, isnull);
	table_close(stored, AccessShareLock);
}

static void
forget(MSStore store, Oid relid)
{
	Relation	stored = ms_spill_open(store, RowExclusiveLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	MSSpillScan *scan = ms_spill_begin(store, relid, snapshot, NULL, NULL);
	HeapTuple	tuple;

	while ((tuple = next_row(scan)) != NULL)
		(void) delete_row(stored, &tuple->t_self, snapshot, false);
	ms_spill_end(scan);
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

/* The target of a scan's first row, which ends it; 0: there is none. */
static Oid
first_target(MSSpillScan *scan)
{
	HeapTuple	tuple = next_row(scan);
	Oid			result = InvalidOid;
	bool		isnull;

	if (tuple != NULL)
		result = DatumGetObjectId(heap_getattr(tuple, SPILLED_TARGET + 1,
											   RelationGetDescr(scan->stored),
											   &isnull));
	ms_spill_end(scan);
	return result;
}

/* Is there anything set aside of a target, that a snapshot shows? */
bool
ms_spill_exists(Oid relid, Snapshot snapshot)
{
	for (int store = 0; store < MS_STORES; store++)
	{
		if (OidIsValid(first_target(ms_spill_begin(store, relid, snapshot,
												   NULL, NULL))))
			return true;
	}
	return false;
}

/* The next target behind one that has anything in a store; 0: none. */
Oid
ms_spill_next_target(MSStore store, Oid relid, Snapshot snapshot)
{
	ScanKeyData key;

	ScanKeyInit(&key, SPILLED_TARGET + 1, BTGreaterStrategyNumber, F_OIDGT,
				ObjectIdGetDatum(relid));
	return first_target(begin_scan(store, snapshot, 1, &key, NULL, 0));
}
