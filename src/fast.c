/*-------------------------------------------------------------------------
 *
 * fast.c
 *	  Increments of an ordinary table, through the table access method.
 *
 * One increment: search the key's index with an MVCC snapshot; update the row
 * found; or insert one speculatively, as INSERT ... ON CONFLICT does.  What a
 * concurrent transaction changes meanwhile sends us back to the search.
 *
 * - The snapshot is the latest in READ COMMITTED and the transaction's own in
 *   the higher levels, which so get their read locks and their 40001.
 * - The update is first tried without waiting.  If it goes through, nobody
 *   has touched the row since we read it, so a clock read just before counts
 *   as read under the row's lock, and no lock record is written.  Otherwise
 *   the row is locked, and the clock read again after that.
 * - The insertion kills its own row on a conflict, and the search is repeated.
 *   Where that finds nothing, the other row is still being inserted: wait for
 *   its transaction, never spin.
 * - The caller orders the rows of a batch by their keys, so that batches
 *   cannot deadlock with each other.
 *
 * Executor state (compiled defaults, constraints, index infos, slots) is kept
 * in the target across transactions; relations, locks, snapshots, scans and
 * buffer pins are not.  The slots use an unpinned copy of the row type.  Two
 * ResultRelInfos, because before 16 the generated columns of an INSERT and of
 * an UPDATE share one array, which the first of them fills.
 *
 * After an error the state is worthless (its slots may think they hold
 * buffers): ms_fast_abort forgets it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "common/int.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

typedef struct MSFast
{
	MemoryContext cxt;			/* holds all of it */
	bool		busy;			/* a call is under way */

	/* kept */
	EState	   *estate;
	MSPrivileges *privileges;
	ResultRelInfo *insert_rri;
	ResultRelInfo *update_rri;
	bool		has_row_triggers;
	bool		has_before_insert;
	TupleTableSlot *found;		/* the row as it is */
	TupleTableSlot *updated;	/* as it will be */
	TupleTableSlot *inserted;	/* a new one */
	int			nindexes;
	Oid		   *index_oids;
	int			key_index;		/* which of them is the key's */
	ScanKey		scankeys;
	ExprState **defaults;		/* by attribute number - 1 */

	/* of the call under way */
	Relation	rel;
	Snapshot	snapshot;		/* the active one */
	bool		pushed;			/* by us */
	IndexScanDesc scan;
	CommandId	trigger_cid;	/* BEFORE INSERT triggers' commands are later */
} MSFast;

/* how far an attempt to count has come */
typedef enum Progress
{
	DONE,
	SEARCH_AGAIN,				/* something has changed */
	BUSY						/* somebody has it, and we must not wait */
} Progress;

/* searches of a row that others keep changing, before a delta is appended */
#define MAX_SEARCHES	3

/* The value of a column that nobody gives: its default, or a checked NULL. */
static Node *
column_default(Relation rel, Form_pg_attribute att)
{
	Node	   *node;

	if (att->attisdropped || att->attgenerated != '\0')
		return NULL;
	node = build_column_default(rel, att->attnum);
	if (node == NULL && getBaseType(att->atttypid) != att->atttypid)
	{
		int32		basetypmod = att->atttypmod;
		Oid			basetype = getBaseTypeAndTypmod(att->atttypid, &basetypmod);

		node = coerce_to_domain((Node *) makeNullConst(basetype, basetypmod,
													   get_typcollation(basetype)),
								basetype, basetypmod, att->atttypid,
								COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1,
								false);
	}
	return node;
}

static void
make_defaults(MSFast *fast, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	fast->defaults = palloc0(sizeof(ExprState *) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Node	   *node = column_default(rel, TupleDescAttr(desc, i));

		if (node != NULL)
			fast->defaults[i] = ExecPrepareExpr((Expr *) node, fast->estate);
	}
}

static void
make_indexes(MSFast *fast, MSTarget *target, Relation rel)
{
	List	   *oids = RelationGetIndexList(rel);
	IndexInfo **infos;
	ListCell   *lc;
	int			n = list_length(oids);
	ResultRelInfo *rris[2] = {fast->insert_rri, fast->update_rri};

	fast->nindexes = n;
	fast->index_oids = palloc(sizeof(Oid) * n);
	infos = palloc(sizeof(IndexInfo *) * n);
	n = 0;
	foreach(lc, oids)
	{
		Relation	index = index_open(lfirst_oid(lc), RowExclusiveLock);

		infos[n] = BuildIndexInfo(index);
		if (infos[n]->ii_Unique)
			BuildSpeculativeIndexInfo(index, infos[n]);
		if (lfirst_oid(lc) == target->index)
			fast->key_index = n;
		fast->index_oids[n++] = lfirst_oid(lc);
		index_close(index, NoLock);
	}
	for (int i = 0; i < lengthof(rris); i++)
	{
		rris[i]->ri_NumIndices = n;
		rris[i]->ri_IndexRelationDescs = palloc0(sizeof(Relation) * n);
		rris[i]->ri_IndexRelationInfo = infos;
	}

	fast->scankeys = ms_make_scankeys(target);
}

static ResultRelInfo *
make_result_rel(MSFast *fast, Relation rel, TupleDesc desc)
{
	ResultRelInfo *rri = makeNode(ResultRelInfo);

	InitResultRelInfo(rri, rel, 1, NULL, 0);
	rri->ri_TrigOldSlot = MakeSingleTupleTableSlot(desc, table_slot_callbacks(rel));
	rri->ri_TrigNewSlot = MakeSingleTupleTableSlot(desc, table_slot_callbacks(rel));

	/* looked up here, not at the first call in some short-lived context */
	for (int i = 0; rri->ri_TrigDesc != NULL && i < rri->ri_TrigDesc->numtriggers; i++)
		fmgr_info_cxt(rri->ri_TrigDesc->triggers[i].tgfoid,
					  &rri->ri_TrigFunctions[i], fast->cxt);
	return rri;
}

/* Make the state that is kept. */
static MSFast *
make_fast(MSTarget *target, Relation rel)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol fast path",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	MSFast	   *fast = palloc0(sizeof(MSFast));
	TupleDesc	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	TriggerDesc *trig;

	fast->cxt = cxt;
	fast->estate = CreateExecutorState();
	fast->privileges = ms_privileges_make(target, rel);
	ExecInitRangeTable(fast->estate, fast->privileges->rtable,
					   fast->privileges->perminfos, bms_make_singleton(1));

	fast->insert_rri = make_result_rel(fast, rel, desc);
	fast->update_rri = make_result_rel(fast, rel, desc);
	ms_add_result_relation(fast->estate, fast->update_rri);

	/* our copy: the relation's own does not survive an invalidation */
	trig = fast->insert_rri->ri_TrigDesc;
	fast->has_before_insert = trig != NULL && trig->trig_insert_before_row;
	fast->has_row_triggers = trig != NULL &&
		(trig->trig_insert_after_row || trig->trig_update_after_row);

	fast->found = MakeSingleTupleTableSlot(desc, table_slot_callbacks(rel));
	fast->updated = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	fast->inserted = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	make_indexes(fast, target, rel);
	make_defaults(fast, rel);

	MemoryContextSwitchTo(oldcxt);
	MemoryContextSetParent(cxt, target->cxt);
	return fast;
}

/* Forget the state, after an error between begin and end. */
void
ms_fast_abort(MSTarget *target)
{
	if (target->fast != NULL)
		MemoryContextDelete(target->fast->cxt);
	target->fast = NULL;
}

/* Search with a new snapshot; the active one where that is fresh. */
static void
push_snapshot(MSFast *fast, bool fresh)
{
	if (!fresh)
	{
		/* our own earlier changes must be visible to the search */
		CommandCounterIncrement();
		PushActiveSnapshot(IsolationUsesXactSnapshot() ?
						   GetTransactionSnapshot() : GetLatestSnapshot());
	}
	fast->pushed = !fresh;
	fast->snapshot = GetActiveSnapshot();
	fast->estate->es_snapshot = fast->snapshot;
}

static void
begin_scan(MSFast *fast, MSTarget *target)
{
	fast->scan = index_beginscan(fast->rel,
								 fast->insert_rri->ri_IndexRelationDescs[fast->key_index],
								 fast->snapshot, NULL, target->nkeys, 0,
								 SO_NONE);
}

/* Search with a newer snapshot from now on. */
static void
refresh_snapshot(MSFast *fast, MSTarget *target)
{
	ExecClearTuple(fast->found);
	index_endscan(fast->scan);
	if (fast->pushed)
		PopActiveSnapshot();
	push_snapshot(fast, false);
	begin_scan(fast, target);
}

static void
open_index(MSFast *fast, int i)
{
	if (fast->insert_rri->ri_IndexRelationDescs[i] == NULL)
	{
		Relation	index = index_open(fast->index_oids[i], RowExclusiveLock);

		fast->insert_rri->ri_IndexRelationDescs[i] = index;
		fast->update_rri->ri_IndexRelationDescs[i] = index;
	}
}

static void
open_all_indexes(MSFast *fast)
{
	for (int i = 0; i < fast->nindexes; i++)
		open_index(fast, i);
}

/* Is the target's state in use further up the stack? */
bool
ms_fast_is_busy(const MSTarget *target)
{
	return target->fast != NULL && target->fast->busy;
}

/*
 * Begin one statement's worth of increments of a table that the caller has
 * opened.  The columns that are given beside the key decide, with the key's
 * and the counter's own, which privileges the current role needs; permitted:
 * it has them.  fresh: the active snapshot has just been taken.
 */
void
ms_fast_begin(MSTarget *target, Relation rel, Bitmapset *given,
			  bool permitted, bool fresh)
{
	MSFast	   *fast = target->fast;

	if (fast == NULL)
		fast = target->fast = make_fast(target, rel);

	if (permitted)
		ms_privileges_set(fast->privileges, target, given);
	else
		ms_privileges_check(fast->privileges, target, given);
	CheckCmdReplicaIdentity(rel, CMD_INSERT);
	CheckCmdReplicaIdentity(rel, CMD_UPDATE);

	fast->busy = true;
	fast->rel = rel;
	fast->insert_rri->ri_RelationDesc = rel;
	fast->update_rri->ri_RelationDesc = rel;
	open_index(fast, fast->key_index);
	if (fast->has_row_triggers)
		AfterTriggerBeginQuery();
	push_snapshot(fast, fresh);
	begin_scan(fast, target);
}

/* The columns that the statement under way gives. */
Bitmapset *
ms_fast_given(const MSTarget *target)
{
	return bms_copy(target->fast->privileges->given);
}

/* End it: fire the triggers, give everything back. */
void
ms_fast_end(MSTarget *target)
{
	MSFast	   *fast = target->fast;

	ExecClearTuple(fast->found);
	index_endscan(fast->scan);
	fast->scan = NULL;
	if (fast->has_row_triggers)
		AfterTriggerEndQuery(fast->estate);
	if (fast->pushed)
		PopActiveSnapshot();
	fast->snapshot = NULL;

	for (int i = 0; i < fast->nindexes; i++)
	{
		if (fast->insert_rri->ri_IndexRelationDescs[i] != NULL)
			index_close(fast->insert_rri->ri_IndexRelationDescs[i], NoLock);
		fast->insert_rri->ri_IndexRelationDescs[i] = NULL;
		fast->update_rri->ri_IndexRelationDescs[i] = NULL;
	}
	ExecClearTuple(fast->updated);
	ExecClearTuple(fast->inserted);
	if (fast->has_row_triggers)
	{
		ExecClearTuple(fast->insert_rri->ri_TrigOldSlot);
		ExecClearTuple(fast->insert_rri->ri_TrigNewSlot);
		ExecClearTuple(fast->update_rri->ri_TrigOldSlot);
		ExecClearTuple(fast->update_rri->ri_TrigNewSlot);
	}
	ResetPerTupleExprContext(fast->estate);
	fast->rel = NULL;
	fast->busy = false;
}

/* What a row says of its counter. */
static void
read_result(const MSTarget *target, TupleTableSlot *slot, MSOutcome outcome,
			MSResult *result)
{
	AttrNumber	atts[3] = {target->count, target->first_seen, target->last_seen};
	Datum		values[3] = {0};
	bool		isnull[3] = {true, true, true};

	for (int i = 0; i < lengthof(atts); i++)
	{
		if (atts[i] != InvalidAttrNumber)
			values[i] = slot_getattr(slot, atts[i], &isnull[i]);
	}
	ms_result_from_values(target, values, isnull, result);
	result->outcome = outcome;
}

/* Search the row of the key that the scan keys hold. */
static bool
find_row(MSFast *fast, MSTarget *target)
{
	index_rescan(fast->scan, fast->scankeys, target->nkeys, NULL, 0);
	return index_getnext_slot(fast->scan, ForwardScanDirection, fast->found);
}

/*
 * May the row that was found not be counted yet?  What was counted before, and
 * is only applied now, may.
 */
static bool
found_is_throttled(MSFast *fast, MSTarget *target, const MSRow *row,
				   TimestampTz now)
{
	bool		isnull;
	Datum		value;

	if (target->throttle == 0 || row->timed)
		return false;
	if (target->kind == MS_COUNT_COUNTER)
	{
		value = slot_getattr(fast->found, target->count, &isnull);
		return !isnull &&
			ms_throttled(target, DatumGetMSCounterP(value)->last_seen, now);
	}
	value = slot_getattr(fast->found, target->last_seen, &isnull);
	return !isnull && ms_throttled(target, DatumGetTimestampTz(value), now);
}

/* Make the new version of the row that was found. */
static void
make_updated(MSFast *fast, MSTarget *target, MSRow *row, TimestampTz now)
{
	TupleTableSlot *old = fast->found;
	TupleTableSlot *new = fast->updated;
	int			natts = old->tts_tupleDescriptor->natts;
	int			attno = -1;
	int			i = target->count - 1;

	slot_getallattrs(old);
	ExecClearTuple(new);
	memcpy(new->tts_values, old->tts_values, sizeof(Datum) * natts);
	memcpy(new->tts_isnull, old->tts_isnull, sizeof(bool) * natts);

	new->tts_values[i] = ms_add_count(target, old->tts_values[i],
									  old->tts_isnull[i], row, now);
	new->tts_isnull[i] = false;

	if (target->last_seen != InvalidAttrNumber)
	{
		i = target->last_seen - 1;
		if (old->tts_isnull[i] || DatumGetTimestampTz(old->tts_values[i]) < now)
			new->tts_values[i] = TimestampTzGetDatum(now);
		new->tts_isnull[i] = false;
	}

	while ((attno = bms_next_member(target->fill, attno)) >= 0)
	{
		i = attno - 1;
		if (old->tts_isnull[i] && !row->isnull[i])
		{
			new->tts_values[i] = row->values[i];
			new->tts_isnull[i] = false;
		}
	}
	ExecStoreVirtualTuple(new);
}

/* Generated columns and constraints of a row about to be written. */
static void
check_row(MSFast *fast, ResultRelInfo *rri, TupleTableSlot *slot,
		  CmdType command)
{
	TupleConstr *constr = RelationGetDescr(fast->rel)->constr;

	if (constr != NULL && constr->has_generated_stored)
		ExecComputeStoredGenerated(rri, fast->estate, slot, command);
	slot->tts_tableOid = RelationGetRelid(fast->rel);
	if (constr != NULL)
		ExecConstraints(rri, slot, fast->estate);
	if (fast->rel->rd_rel->relispartition)
		ExecPartitionCheck(rri, slot, fast->estate, true);
}

/* Someone else changed the row: an error for the higher isolation levels. */
static void
check_serializable(const char *what)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent %s", what)));
}

static pg_noinline void
changed_by_self(const MSTarget *target)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("counter to be incremented was already modified by an operation triggered by the current command"),
			 errdetail("The counter is in table %s.", target->name),
			 errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")));
}

/*
 * The row that was found has changed meanwhile: search again.  Where the
 * snapshot must not change that is no use: the increment goes aside, or
 * fails.
 */
static Progress
row_changed(const MSTarget *target, const MSRow *row, const char *what)
{
	if (IsolationUsesXactSnapshot() && ms_row_goes_aside(target, row))
		return BUSY;
	check_serializable(what);
	return SEARCH_AGAIN;
}

/*
 * Append the delta instead, with the key of the row that was found.  One that
 * comes from there just stays.
 */
static void
set_aside(MSFast *fast, MSTarget *target, MSRow *row, MSResult *result)
{
	const Datum *key = row->values;

	if (!TTS_EMPTY(fast->found))
	{
		slot_getallattrs(fast->found);
		key = fast->found->tts_values;
	}
	if (!row->folded)
		ms_spill_append(MS_STORE_SPILLED, target, fast->rel, row, key,
						NULL, NULL);
	ms_result_none(MS_SPILLED, result);
}

/* Lock the row that was found; BUSY where it is locked and we do not wait. */
static Progress
lock_found(MSFast *fast, MSTarget *target, const MSRow *row, bool wait)
{
	TM_FailureData tmfd;
	ItemPointerData tid = fast->found->tts_tid;

	if (wait)
		ms_stats_lock_wait(target->relid);
	fast->estate->es_output_cid = GetCurrentCommandId(true);
	switch (table_tuple_lock(fast->rel, &tid, fast->snapshot, fast->found,
							 fast->estate->es_output_cid,
							 ExecUpdateLockMode(fast->estate, fast->update_rri),
							 wait ? LockWaitBlock : LockWaitSkip, 0, &tmfd))
	{
		case TM_Ok:
			return DONE;
		case TM_WouldBlock:
			return BUSY;
		case TM_Updated:
			return row_changed(target, row, "update");
		case TM_Deleted:
			return row_changed(target, row, "delete");
		case TM_Invisible:
		case TM_SelfModified:
			changed_by_self(target);
			break;
		default:
			elog(ERROR, "unexpected result of locking a row of table %s",
				 target->name);
	}
	pg_unreachable();
}

/* Write the new version's index entries and queue its triggers. */
static void
finish_update(MSFast *fast, TU_UpdateIndexes update_indexes)
{
	List	   *recheck = NIL;

	/* there are no summarizing indexes here: target.c sees to that */
	if (update_indexes != TU_None)
	{
		open_all_indexes(fast);
		recheck = ExecInsertIndexTuples(fast->update_rri, fast->estate,
										EIIT_IS_UPDATE, fast->updated, NIL,
										NULL);
	}
	if (fast->has_row_triggers)
		ExecARUpdateTriggers(fast->estate, fast->update_rri, NULL, NULL,
							 &fast->found->tts_tid, NULL, fast->updated,
							 recheck, NULL, false);
	list_free(recheck);
}

/* Increment the row that was found. */
static Progress
update_row(MSFast *fast, MSTarget *target, MSRow *row, MSResult *result)
{
	bool		locked = false;
	Progress	progress;

	for (;;)
	{
		TimestampTz now = ms_row_time(row);
		TM_FailureData tmfd;
		LockTupleMode lockmode;
		TU_UpdateIndexes update_indexes;

		if (found_is_throttled(fast, target, row, now))
		{
			read_result(target, fast->found, MS_THROTTLED, result);
			return DONE;
		}

#ifdef USE_ASSERT_CHECKING

		/*
		 * heap_update() returns TM_BeingModified to one who does not wait,
		 * but asserts that there is no such caller.
		 */
		if (!locked)
		{
			progress = lock_found(fast, target, row, false);
			if (progress == BUSY && !ms_row_goes_aside(target, row))
				progress = lock_found(fast, target, row, true);
			if (progress != DONE)
				return progress;
			locked = true;
			continue;
		}
#endif
		make_updated(fast, target, row, now);
		check_row(fast, fast->update_rri, fast->updated, CMD_UPDATE);

		fast->estate->es_output_cid = GetCurrentCommandId(true);
		switch (table_tuple_update(fast->rel, &fast->found->tts_tid,
								   fast->updated, fast->estate->es_output_cid,
								   0, fast->snapshot, InvalidSnapshot, locked,
								   &tmfd, &lockmode, &update_indexes))
		{
			case TM_Ok:
				finish_update(fast, update_indexes);
				read_result(target, fast->updated, MS_INCREMENTED, result);
				return DONE;
			case TM_BeingModified:
				progress = lock_found(fast, target, row,
									  !ms_row_goes_aside(target, row));
				if (progress != DONE)
					return progress;
				locked = true;
				break;
			case TM_Updated:
				return row_changed(target, row, "update");
			case TM_Deleted:
				return row_changed(target, row, "delete");
			case TM_SelfModified:
				changed_by_self(target);
				break;
			default:
				elog(ERROR, "unexpected result of updating a row of table %s",
					 target->name);
		}
	}
}

/*
 * Let the BEFORE INSERT triggers see the new row; false where one suppresses
 * it.  From here on the key is what they have made of it.
 */
static bool
run_before_insert(MSFast *fast, MSTarget *target)
{
	TupleTableSlot *slot = fast->inserted;

	fast->trigger_cid = GetCurrentCommandId(true);
	if (!ExecBRInsertTriggers(fast->estate, fast->insert_rri, slot))
		return false;

	slot_getallattrs(slot);
	for (int i = 0; i < target->nkeys; i++)
	{
		AttrNumber	attno = target->keys[i].column.attno;

		/* where the column is NOT NULL, that says so */
		if (slot->tts_isnull[attno - 1] &&
			!TupleDescAttr(RelationGetDescr(fast->rel), attno - 1)->attnotnull)
			ms_null_key_by_trigger(target);
		fast->scankeys[i].sk_argument = slot->tts_values[attno - 1];
	}
	return true;
}

/*
 * Make a new row: what is given, the counter, and defaults; then BEFORE
 * triggers, which may change the key, or suppress the row (false).  This is
 * done once for an increment, however often its insertion is tried.
 */
static bool
make_inserted(MSFast *fast, MSTarget *target, MSRow *row)
{
	TupleTableSlot *slot = fast->inserted;
	int			natts = slot->tts_tupleDescriptor->natts;

	ms_check_required_columns(target, fast->rel, row);

	ExecClearTuple(slot);
	memcpy(slot->tts_values, row->values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, row->isnull, sizeof(bool) * natts);
	ms_set_new_counter(target, row, slot->tts_values, slot->tts_isnull);
	for (int i = 0; i < natts; i++)
	{
		if (fast->defaults[i] != NULL && slot->tts_isnull[i] &&
			!bms_is_member(i + 1, row->given))
			slot->tts_values[i] = ExecEvalExpr(fast->defaults[i],
											   GetPerTupleExprContext(fast->estate),
											   &slot->tts_isnull[i]);
	}
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(fast->rel);

	return !fast->has_before_insert || run_before_insert(fast, target);
}

/* Insert the new row; false on a conflict with another: search again. */
static bool
insert_row(MSFast *fast, MSTarget *target, MSResult *result)
{
	TupleTableSlot *slot = fast->inserted;
	TransactionId xid;
	uint32		token;
	bool		conflict = false;
	List	   *recheck;

	check_row(fast, fast->insert_rri, slot, CMD_INSERT);
	open_all_indexes(fast);

	fast->estate->es_output_cid = GetCurrentCommandId(true);
	xid = GetCurrentTransactionId();
	token = SpeculativeInsertionLockAcquire(xid);
	table_tuple_insert_speculative(fast->rel, slot,
								   fast->estate->es_output_cid, 0, NULL, token);
	recheck = ExecInsertIndexTuples(fast->insert_rri, fast->estate,
									EIIT_NO_DUPE_ERROR, slot,
									target->arbiters, &conflict);
	table_tuple_complete_speculative(fast->rel, slot, token, !conflict);
	SpeculativeInsertionLockRelease(xid);

	if (!conflict)
	{
		if (fast->has_row_triggers)
			ExecARInsertTriggers(fast->estate, fast->insert_rri, slot, recheck,
								 NULL);
		read_result(target, slot, MS_INSERTED, result);
	}
	list_free(recheck);
	return !conflict;
}

/*
 * Look for a row of the key that the search does not see; met: our insertion
 * has met one.  One that is being inserted is waited for; or BUSY, where
 * nothing is waited for.  A committed one will be seen by the next search,
 * unless the snapshot must not change.  If it is our own, that may be of an
 * earlier row of this batch, whose trigger gave it this key; the next search
 * will see it too.  But if our own trigger has inserted it since, that is an
 * error as in INSERT ... ON CONFLICT.  DONE where there is none.
 */
static Progress
probe_unseen(MSFast *fast, MSTarget *target, const MSRow *row, bool met)
{
	MSLatest	latest;

	ms_find_latest(fast->rel,
				   fast->insert_rri->ri_IndexRelationDescs[fast->key_index],
				   fast->scankeys, target->nkeys, fast->found, &latest);
	if (!latest.found)
		return DONE;
	if (ms_row_goes_aside(target, row) && (TransactionIdIsValid(latest.xmin) ||
									TransactionIdIsValid(latest.xmax)))
		return BUSY;
	if (TransactionIdIsValid(latest.xmin))
	{
		ms_wait_for_latest(fast->rel, &latest);
		return SEARCH_AGAIN;
	}
	if (!latest.own)
		return row_changed(target, row, "update");
	if (met && fast->has_before_insert && latest.own_cid > fast->trigger_cid)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("counter to be inserted was already inserted by an operation triggered by the current command"),
				 errdetail("The counter is in table %s.", target->name),
				 errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")));
	return SEARCH_AGAIN;
}

/*
 * Insert a row for a key that the search does not see; *made: the new row is
 * ready.  A conflict with another row kills ours.
 */
static Progress
insert_unseen(MSFast *fast, MSTarget *target, MSRow *row, bool *made,
			  MSResult *result)
{
	bool		aside = ms_row_goes_aside(target, row);
	Progress	progress = DONE;

	/* before triggers and sequences are asked for what goes aside */
	if (aside)
	{
		if (!ms_insertion_lock(target, row))
			return BUSY;
		progress = probe_unseen(fast, target, row, false);
	}

	if (progress == DONE)
	{
		if (*made && !fast->has_before_insert)
			ms_set_new_counter(target, row, fast->inserted->tts_values,
							   fast->inserted->tts_isnull);
		if (!*made && !make_inserted(fast, target, row))
			ms_result_none(MS_IGNORED, result);
		else if (!insert_row(fast, target, result))
		{
			progress = probe_unseen(fast, target, row, true);

			/* what we met is gone again */
			if (progress == DONE)
				progress = SEARCH_AGAIN;
		}
		*made = true;
	}
	if (aside)
		ms_insertion_unlock(target, row);
	return progress;
}

/* Increment one counter, inserting it if it is not there. */
void
ms_fast_increment(MSTarget *target, MSRow *row, MSResult *result)
{
	MSFast	   *fast = target->fast;
	bool		made = false;
	int			searches = 0;

	ResetPerTupleExprContext(fast->estate);
	for (int i = 0; i < target->nkeys; i++)
		fast->scankeys[i].sk_argument = row->values[target->keys[i].column.attno - 1];

	for (;;)
	{
		Progress	progress;

		CHECK_FOR_INTERRUPTS();
		if (find_row(fast, target))
			progress = update_row(fast, target, row, result);
		else
			progress = insert_unseen(fast, target, row, &made, result);

		if (progress == DONE)
			break;
		if (progress == BUSY ||
			(ms_row_goes_aside(target, row) && ++searches == MAX_SEARCHES))
		{
			set_aside(fast, target, row, result);
			break;
		}
		refresh_snapshot(fast, target);
	}
	ExecClearTuple(fast->found);
}
