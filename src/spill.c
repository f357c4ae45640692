/*-------------------------------------------------------------------------
 *
 * spill.c
 *	  Appended deltas: table missing_symbol.spilled, written and read.
 *
 * A delta whose row is locked by another transaction is appended here instead
 * of waiting: an insertion of a row with a random id waits for nobody.  Who
 * holds the row's lock takes them: deletes those that it sees and gets at
 * once, and adds their sum to the row in the same transaction, so that the
 * row and what is spilled are exact together in any one snapshot.  A delta
 * that somebody else is deleting is left alone; nothing here ever waits for a
 * row.
 *
 * The table grants nobody anything.  It is read and written here only, after
 * the caller's rights on the *target* were checked (by whoever calls us).
 *
 * Key values and fields are kept as text, in the form that reads back the
 * same in any session (as postgres_fdw sends it, and in UTC).  The index does
 * not contain the key, which may be too wide for one, but a 64-bit hash of
 * those key columns whose equality is that of their text; what a scan finds
 * is compared by the target's own index.  So citext or numeric keys are
 * exact too, only that a target whose key has no other columns is scanned as
 * a whole.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "missing_symbol.h"

/* columns of missing_symbol.spilled */
enum
{
	SPILLED_TARGET,
	SPILLED_HASH,
	SPILLED_KEY,
	SPILLED_ROLE,
	SPILLED_DELTA,
	SPILLED_FIRST_SEEN,
	SPILLED_LAST_SEEN,
	SPILLED_ID,
	SPILLED_FIELDS,
	SPILLED_ERROR,
	SPILLED_NATTS
};

/* one call takes no more than this of a key that it has just counted */
#define TAKE_LIMIT	4096

/* how key values become text and back; kept in the target */
typedef struct MSSpillColumn
{
	FmgrInfo	output;
	FmgrInfo	input;
	Oid			ioparam;
	bool		hashed;			/* equal values have equal texts */
} MSSpillColumn;

typedef struct MSSpillFormat
{
	bool		plain;			/* no setting changes the texts */
	MSSpillColumn columns[FLEXIBLE_ARRAY_MEMBER];
} MSSpillFormat;

/* Is a type's text the same whatever the session's settings? */
static bool
is_plain(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case OIDOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case UUIDOID:
		case INETOID:
		case CIDROID:
		case JSONOID:
		case JSONBOID:
			return true;
		default:
			return false;
	}
}

/*
 * Settings under which texts are written and read; returns the nest level for
 * AtEOXact_GUC.  An error on the way restores the settings too.
 */
static int
begin_portable_texts(void)
{
	static const char *const settings[][2] = {
		{"DateStyle", "ISO"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "3"},
		{"bytea_output", "hex"},
		{"lc_monetary", "C"},
		{"search_path", "pg_catalog"}
	};
	int			nestlevel = NewGUCNestLevel();

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1],
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return nestlevel;
}

/* begin_portable_texts() where a column needs it; 0 where none does */
static int
begin_texts_of(Relation rel, const Bitmapset *attnos)
{
	int			attno = -1;

	while ((attno = bms_next_member(attnos, attno)) >= 0)
	{
		if (!is_plain(TupleDescAttr(RelationGetDescr(rel), attno - 1)->atttypid))
			return begin_portable_texts();
	}
	return 0;
}

static void
end_texts(int nestlevel)
{
	if (nestlevel > 0)
		AtEOXact_GUC(true, nestlevel);
}

/* Are equal values of a key column equal in their texts, too? */
static bool
is_hashable(Relation index, int i)
{
	Oid			proc = get_opfamily_proc(index->rd_opfamily[i],
										 index->rd_opcintype[i],
										 index->rd_opcintype[i],
										 BTEQUALIMAGE_PROC);

	return OidIsValid(proc) &&
		DatumGetBool(OidFunctionCall1Coll(proc, index->rd_indcollation[i],
										  ObjectIdGetDatum(index->rd_opcintype[i])));
}

static MSSpillFormat *
find_format(MSTarget *target)
{
	MSSpillFormat *format = target->spill_format;
	MemoryContext oldcxt;
	Relation	index;

	if (format != NULL)
		return format;

	index = index_open(target->index, AccessShareLock);
	oldcxt = MemoryContextSwitchTo(target->cxt);
	format = palloc0(offsetof(MSSpillFormat, columns) +
					 sizeof(MSSpillColumn) * target->nkeys);
	format->plain = true;
	for (int i = 0; i < target->nkeys; i++)
	{
		MSSpillColumn *column = &format->columns[i];
		Oid			typid = target->keys[i].column.typid;
		Oid			function;
		bool		varlena;

		getTypeOutputInfo(typid, &function, &varlena);
		fmgr_info_cxt(function, &column->output, target->cxt);
		getTypeInputInfo(typid, &function, &column->ioparam);
		fmgr_info_cxt(function, &column->input, target->cxt);
		column->hashed = is_hashable(index, i);
		format->plain = format->plain && is_plain(typid);
	}
	MemoryContextSwitchTo(oldcxt);
	index_close(index, AccessShareLock);
	target->spill_format = format;
	return format;
}

/*
 * FNV-1a, the same on every machine, because the table may be dumped and
 * restored on another.
 */
static uint64
hash_text(uint64 hash, const char *text)
{
	for (const unsigned char *p = (const unsigned char *) text;; p++)
	{
		hash = (hash ^ *p) * UINT64CONST(0x100000001B3);
		if (*p == '\0')
			return hash;
	}
}

/* The texts of a row's key, in the order of the index, and their hash. */
static int64
key_texts(MSTarget *target, const Datum *values, char **texts)
{
	MSSpillFormat *format = find_format(target);
	uint64		hash = UINT64CONST(0xCBF29CE484222325);
	int			nestlevel = format->plain ? 0 : begin_portable_texts();

	for (int i = 0; i < target->nkeys; i++)
	{
		MSSpillColumn *column = &format->columns[i];

		texts[i] = OutputFunctionCall(&column->output,
									  values[target->keys[i].column.attno - 1]);
		if (column->hashed)
			hash = hash_text(hash, texts[i]);
	}
	end_texts(nestlevel);
	return (int64) hash;
}

/* The columns that are given beside the key. */
static Bitmapset *
other_columns(MSTarget *target, const MSRow *row)
{
	Bitmapset  *others = bms_copy(row->given);

	for (int i = 0; i < target->nkeys; i++)
		others = bms_del_member(others, target->keys[i].column.attno);
	return others;
}

/* Columns by name, as a JSON object of texts; false where there are none. */
static bool
fields_to_jsonb(MSTarget *target, Relation rel, const MSRow *row,
				Datum *result)
{
	Bitmapset  *others = other_columns(target, row);
	JsonbParseState *state = NULL;
	JsonbValue *object;
	int			nestlevel;
	int			attno = -1;

	if (bms_is_empty(others))
		return false;

	nestlevel = begin_texts_of(rel, others);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	while ((attno = bms_next_member(others, attno)) >= 0)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
		JsonbValue	v;
		Oid			function;
		bool		varlena;

		v.type = jbvString;
		v.val.string.val = NameStr(att->attname);
		v.val.string.len = strlen(v.val.string.val);
		(void) pushJsonbValue(&state, WJB_KEY, &v);
		if (row->isnull[attno - 1])
			v.type = jbvNull;
		else
		{
			getTypeOutputInfo(att->atttypid, &function, &varlena);
			v.val.string.val = OidOutputFunctionCall(function,
													 row->values[attno - 1]);
			v.val.string.len = strlen(v.val.string.val);
		}
		(void) pushJsonbValue(&state, WJB_VALUE, &v);
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	end_texts(nestlevel);
	*result = JsonbPGetDatum(JsonbValueToJsonb(object));
	return true;
}

/* The same back; a column that has been dropped meanwhile is left out. */
static void
fields_from_jsonb(Relation rel, MSRow *row, Datum fields)
{
	Jsonb	   *json = DatumGetJsonbP(fields);
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	v;
	AttrNumber	attno = InvalidAttrNumber;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			attno = ms_column_number(rel, pnstrdup(v.val.string.val,
												   v.val.string.len));
		else if (token == WJB_VALUE && attno != InvalidAttrNumber)
		{
			Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
												  attno - 1);
			Oid			function;
			Oid			ioparam;
			int			nestlevel;

			row->given = bms_add_member(row->given, attno);
			if (v.type != jbvString)
				continue;
			nestlevel = is_plain(att->atttypid) ? 0 : begin_portable_texts();
			getTypeInputInfo(att->atttypid, &function, &ioparam);
			row->values[attno - 1] =
				OidInputFunctionCall(function,
									 pnstrdup(v.val.string.val,
											  v.val.string.len),
									 ioparam, att->atttypmod);
			end_texts(nestlevel);
			row->isnull[attno - 1] = false;
		}
	}
}

/* Append a row of the table. */
static void
append(Datum *values, bool *isnull)
{
	Relation	spilled = ms_open_own_table("spilled", RowExclusiveLock);
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *rri = makeNode(ResultRelInfo);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(spilled),
													&TTSOpsVirtual);
	pg_uuid_t	id;

	/* version 4: random */
	if (!pg_strong_random(&id, sizeof(id)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	id.data[6] = (id.data[6] & 0x0F) | 0x40;
	id.data[8] = (id.data[8] & 0x3F) | 0x80;
	values[SPILLED_ID] = UUIDPGetDatum(&id);
	isnull[SPILLED_ID] = false;

	memcpy(slot->tts_values, values, sizeof(Datum) * SPILLED_NATTS);
	memcpy(slot->tts_isnull, isnull, sizeof(bool) * SPILLED_NATTS);
	ExecStoreVirtualTuple(slot);

	InitResultRelInfo(rri, spilled, 0, NULL, 0);
	ExecOpenIndices(rri, false);
	PushActiveSnapshot(GetTransactionSnapshot());
	ExecSimpleRelationInsert(rri, estate, slot);
	PopActiveSnapshot();
	ExecCloseIndices(rri);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	table_close(spilled, RowExclusiveLock);
}

/*
 * Append a delta: a row, the role it belongs to, and why it could not be
 * merged, if that has been tried.  values are those of the key by attribute
 * number - 1: the row's image where that is known, else what was given.
 */
void
ms_spill_append(MSTarget *target, Relation rel, const MSRow *row,
				const Datum *key, const char *role, const char *error)
{
	char	   *texts[INDEX_MAX_KEYS];
	Datum		elems[INDEX_MAX_KEYS];
	Datum		values[SPILLED_NATTS] = {0};
	bool		isnull[SPILLED_NATTS] = {false};
	TimestampTz last_seen = row->timed ? row->last_seen : ms_clock();
	TimestampTz first_seen = row->timed ? row->first_seen : last_seen;
	NameData	rolename;
	int64		hash = key_texts(target, key, texts);

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
	isnull[SPILLED_FIELDS] = !fields_to_jsonb(target, rel, row,
											  &values[SPILLED_FIELDS]);
	isnull[SPILLED_ERROR] = error == NULL;
	if (error != NULL)
		values[SPILLED_ERROR] = CStringGetTextDatum(error);
	append(values, isnull);
}

/* Read a row's key values. */
static void
key_from_texts(MSTarget *target, MSRow *row, Datum key)
{
	MSSpillFormat *format = find_format(target);
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	int			nestlevel;

	deconstruct_array(DatumGetArrayTypeP(key), TEXTOID, -1, false,
					  TYPALIGN_INT, &elems, &nulls, &n);
	if (n != target->nkeys)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the key of table %s has changed", target->name),
				 errdetail("A delta was set aside when it had %d columns; now it has %d.",
						   n, target->nkeys)));
	nestlevel = format->plain ? 0 : begin_portable_texts();
	for (int i = 0; i < n; i++)
	{
		MSColumn   *column = &target->keys[i].column;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a key in missing_symbol.spilled must not be null")));
		row->values[column->attno - 1] =
			InputFunctionCall(&format->columns[i].input,
							  TextDatumGetCString(elems[i]),
							  format->columns[i].ioparam, column->typmod);
		row->isnull[column->attno - 1] = false;
	}
	end_texts(nestlevel);
}

/*
 * Make the row of a delta that was read.  Columns of the key are given like
 * the others where there are others, as increment_row() has it.
 */
void
ms_spill_parse(MSTarget *target, Relation rel, MSSpilled *delta)
{
	MSRow	   *row = ms_row_make(rel);

	row->by = delta->by;
	row->timed = true;
	row->first_seen = delta->first_seen;
	row->last_seen = delta->last_seen;
	row->folded = true;
	key_from_texts(target, row, delta->key);
	if (delta->has_fields)
	{
		for (int i = 0; i < target->nkeys; i++)
			row->given = bms_add_member(row->given,
										target->keys[i].column.attno);
		fields_from_jsonb(rel, row, delta->fields);
	}
	delta->row = row;
}

static MSSpilled *
read_delta(HeapTuple tuple, TupleDesc desc)
{
	MSSpilled    *delta = palloc0(sizeof(MSSpilled));
	HeapTuple	copy = heap_copytuple(tuple);
	Datum		values[SPILLED_NATTS];
	bool		isnull[SPILLED_NATTS];

	heap_deform_tuple(copy, desc, values, isnull);
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

static int
compare_times(const ListCell *a, const ListCell *b)
{
	const MSSpilled *x = lfirst(a);
	const MSSpilled *y = lfirst(b);

	return (x->first_seen > y->first_seen) - (x->first_seen < y->first_seen);
}

/*
 * Read the deltas of a table that a snapshot shows: those of one hash, or, in
 * the order of their hashes, those behind *after, which is set to the last
 * one read.  It stops at limit, but between two hashes only; *more says
 * whether it did.  Returns a list of MSSpilled, the first counted first.
 */
List *
ms_spill_read(Oid relid, Snapshot snapshot, const int64 *hash, int64 *after,
			  int limit, bool *more)
{
	Relation	spilled = ms_open_own_table("spilled", AccessShareLock);
	Relation	index = index_open(RelationGetPrimaryKeyIndex(spilled, false),
								   AccessShareLock);
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
	scan = systable_beginscan_ordered(spilled, index, snapshot, nkeys, keys);
	while ((tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
	{
		MSSpilled    *delta = read_delta(tuple, RelationGetDescr(spilled));

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
	table_close(spilled, AccessShareLock);
	list_sort(result, compare_times);
	return result;
}

/*
 * Delete a delta, if nobody else has or is about to: it then belongs to this
 * transaction.  Never waits; ours: we have locked it.
 */
bool
ms_spill_delete(Relation spilled, const MSSpilled *delta, Snapshot snapshot,
				bool ours)
{
	TM_FailureData tmfd;
	ItemPointerData tid = delta->tid;

	return table_tuple_delete(spilled, &tid, GetCurrentCommandId(true),
							  snapshot, InvalidSnapshot, ours, &tmfd,
							  false) == TM_Ok;
}

/* Lock a delta, so that nobody else deletes it, under the same conditions. */
bool
ms_spill_lock(Relation spilled, const MSSpilled *delta, Snapshot snapshot)
{
	TupleTableSlot *slot = table_slot_create(spilled, NULL);
	ItemPointerData tid = delta->tid;
	TM_FailureData tmfd;
	TM_Result	result;

	result = table_tuple_lock(spilled, &tid, snapshot, slot,
							  GetCurrentCommandId(true), LockTupleExclusive,
							  LockWaitSkip, 0, &tmfd);
	ExecDropSingleTupleTableSlot(slot);
	return result == TM_Ok;
}

/* Append a delta that was deleted, as it was, but with an error. */
void
ms_spill_append_again(const MSSpilled *delta, const char *error)
{
	Relation	spilled = ms_open_own_table("spilled", RowExclusiveLock);
	Datum		values[SPILLED_NATTS];
	bool		isnull[SPILLED_NATTS];

	heap_deform_tuple(delta->tuple, RelationGetDescr(spilled), values, isnull);
	values[SPILLED_ERROR] = CStringGetTextDatum(error);
	isnull[SPILLED_ERROR] = false;
	append(values, isnull);
	table_close(spilled, RowExclusiveLock);
}

/* The deltas of a row's key that a snapshot shows, parsed. */
List *
ms_spill_read_key(MSTarget *target, Relation rel, const MSRow *row,
				  Snapshot snapshot, int limit)
{
	char	   *texts[INDEX_MAX_KEYS];
	int64		hash = key_texts(target, row->values, texts);
	List	   *deltas;
	List	   *result = NIL;
	ListCell   *lc;
	bool		more;

	deltas = ms_spill_read(target->relid, snapshot, &hash, NULL, limit, &more);
	ms_prepare_key_order(target);
	foreach(lc, deltas)
	{
		MSSpilled    *delta = lfirst(lc);

		ms_spill_parse(target, rel, delta);
		if (ms_compare_rows(target, delta->row->values, row->values) == 0)
			result = lappend(result, delta);
	}
	return result;
}

/*
 * Take what is spilled of a row's key and role, for one who holds the row's
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
	Relation	spilled;
	MSRow	   *sum = NULL;
	ListCell   *lc;

	*n = 0;
	if (deltas != NIL)
	{
		spilled = ms_open_own_table("spilled", RowExclusiveLock);
		foreach(lc, deltas)
		{
			MSSpilled    *delta = lfirst(lc);
			int64		ignored;

			if (delta->error != NULL || strcmp(delta->role, role) != 0 ||
				(sum != NULL &&
				 pg_add_s64_overflow(sum->by, delta->by, &ignored)) ||
				!ms_spill_delete(spilled, delta, snapshot, false))
				continue;
			(*n)++;
			if (sum == NULL)
				sum = delta->row;
			else
				ms_merge_row(target, rel, sum, delta->row);
		}
		table_close(spilled, RowExclusiveLock);
	}
	UnregisterSnapshot(snapshot);
	return sum;
}

/* Forget the deltas of a table that has been dropped. */
void
ms_spill_forget(Oid relid)
{
	Relation	spilled = ms_open_own_table("spilled", RowExclusiveLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int64		after = PG_INT64_MIN;
	bool		more = true;

	while (more)
	{
		ListCell   *lc;

		foreach(lc, ms_spill_read(relid, snapshot, NULL, &after, 10000, &more))
			(void) ms_spill_delete(spilled, lfirst(lc), snapshot, false);
	}
	UnregisterSnapshot(snapshot);
	table_close(spilled, RowExclusiveLock);
}

/* Is there anything set aside of a table, that a snapshot shows? */
bool
ms_spill_exists(Oid relid, Snapshot snapshot)
{
	bool		more;

	return ms_spill_read(relid, snapshot, NULL, NULL, 1, &more) != NIL;
}

/* The next table behind one that has anything set aside; 0: none. */
Oid
ms_spill_next_target(Oid relid, Snapshot snapshot)
{
	Relation	spilled = ms_open_own_table("spilled", AccessShareLock);
	Relation	index = index_open(RelationGetPrimaryKeyIndex(spilled, false),
								   AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;
	bool		isnull;

	ScanKeyInit(&key, SPILLED_TARGET + 1, BTGreaterStrategyNumber, F_OIDGT,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan_ordered(spilled, index, snapshot, 1, &key);
	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	if (HeapTupleIsValid(tuple))
		result = DatumGetObjectId(heap_getattr(tuple, SPILLED_TARGET + 1,
											   RelationGetDescr(spilled),
											   &isnull));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(spilled, AccessShareLock);
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
	uint64		hash = (uint64) key_texts(target, row->values, texts);

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId,
						 (uint32) (hash >> 32) ^ target->relid, (uint32) hash,
						 3);
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
