/*-------------------------------------------------------------------------
 *
 * fast.c
 *	  Increments of an ordinary table, or of a leaf of a partitioned one, through
 *	  the table access method.
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
 * - A row that another transaction is changing is not even tried: CHECKs and
 *   the range of the count are asked of the row that there is after that.
 * - The insertion kills its own row on a conflict, and the search is repeated.
 *   Where that finds nothing, the other row is still being inserted: wait for
 *   its transaction, never spin.
 * - Under row security only a row is counted here that the role sees, as an
 *   UPDATE sees it, before anything is done to it.  What else there is to do or
 *   to say, core does and says: on the general path.
 * - The caller orders the rows of a batch by their keys, so that batches
 *   cannot deadlock with each other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "counter/counter.h"
#include "table/table.h"
#include "target/row.h"
#include "target/target.h"

/* how far an attempt to count has come */
typedef enum Progress
{
	DONE,
	SEARCH_AGAIN,				/* something has changed */
	BUSY,						/* somebody has it, and we must not wait */
	GENERAL						/* it is for the general path */
} Progress;

/* searches of a row that others keep changing, before a delta is appended */
#define MAX_SEARCHES	3

/*
 * Conflicts with a row that is gone before we look for it, one after the
 * other: so many that it is there, and the search does not find it.
 */
#define MAX_GONE	100

/* A row that has been read, as the named table has it. */
static void
see_found(MSFast *fast)
{
	if (unlikely(fast->to_named != NULL))
		execute_attr_map_slot(fast->to_named->attrMap, fast->found, fast->seen);
}

/* A new row that triggers or generated columns have changed, likewise. */
static void
see_stored(MSFast *fast)
{
	execute_attr_map_slot(fast->to_named->attrMap, fast->stored, fast->inserted);
	ExecMaterializeSlot(fast->inserted);	/* stored may be made of it again */
}

/* A row that is to be written, as its table has it. */
static TupleTableSlot *
to_stored(MSFast *fast, TupleTableSlot *slot)
{
	if (likely(fast->to_leaf == NULL))
		return slot;
	return execute_attr_map_slot(fast->to_leaf->attrMap, slot, fast->stored);
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

	if (target->throttle == 0 || ms_row_is_timed(row))
		return false;
	if (target->kind == MS_COUNT_COUNTER)
	{
		value = slot_getattr(fast->seen, target->count, &isnull);
		return !isnull &&
			ms_throttled(target, DatumGetMSCounterP(value)->last_seen, now);
	}
	value = slot_getattr(fast->seen, target->last_seen, &isnull);
	return !isnull && ms_throttled(target, DatumGetTimestampTz(value), now);
}

/* Make the new version of the row that was found; judgement: NULL, or of it. */
static void
make_updated(MSFast *fast, MSTarget *target, MSRow *row, TimestampTz now,
			 const MSJudgement *judgement)
{
	TupleTableSlot *old = fast->seen;
	TupleTableSlot *new = fast->updated;
	int			natts = old->tts_tupleDescriptor->natts;

	slot_getallattrs(old);
	ExecClearTuple(new);
	memcpy(new->tts_values, old->tts_values, sizeof(Datum) * natts);
	memcpy(new->tts_isnull, old->tts_isnull, sizeof(bool) * natts);
	if (judgement != NULL)
	{
		row = ms_judged_row(target, row, judgement);
		ms_begin_judged(target, judgement, new->tts_values, new->tts_isnull);
	}
	ms_count_in_row(target, row, now, new->tts_values, new->tts_isnull);
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
	if (unlikely(fast->secured))
		ExecWithCheckOptions(WCO_RLS_UPDATE_CHECK, rri, slot, fast->estate);
	if (constr != NULL)
		ExecConstraints(rri, slot, fast->estate);

	/* rows are routed to a leaf by its bounds, but triggers may move them */
	if (fast->rel->rd_rel->relispartition &&
		(!fast->is_leaf || (command == CMD_INSERT && fast->has_before_insert)))
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
 * The row that was found has changed meanwhile, by whom: search again.  Where
 * the snapshot must not change that is no use, unless a trigger of ours did it:
 * the increment goes aside, or fails.
 */
static Progress
row_changed(const MSTarget *target, const MSRow *row, TransactionId by,
			const char *what)
{
	if (TransactionIdIsCurrentTransactionId(by))
		return SEARCH_AGAIN;
	if (IsolationUsesXactSnapshot() && ms_row_goes_aside(target, row))
		return BUSY;
	check_serializable(what);
	return SEARCH_AGAIN;
}

/*
 * The row is not to be had: the key of the one that was found, which stays in
 * its slot, else the one given.
 */
static const Datum *
busy_key(MSFast *fast, const MSTarget *target, MSRow *row, MSResult *result)
{
	ms_result_none(MS_SPILLED, result);
	if (TTS_EMPTY(fast->found) || unlikely(target->special))
		return row->values;
	see_found(fast);
	slot_getallattrs(fast->seen);
	return fast->seen->tts_values;
}

/* Lock the row that was found; BUSY where it is locked and we do not wait. */
static Progress
lock_found(MSFast *fast, MSTarget *target, const MSRow *row, bool wait)
{
	TM_FailureData tmfd;
	ItemPointerData tid = fast->found->tts_tid;

	if (wait)
		ms_tally_lock_wait(target->relid);
	fast->estate->es_output_cid = GetCurrentCommandId(true);
	switch (table_tuple_lock(fast->rel, &tid, fast->snapshot, fast->found,
							 fast->estate->es_output_cid,
							 ExecUpdateLockMode(fast->estate, fast->update_rri),
							 wait ? LockWaitBlock : LockWaitSkip, 0, &tmfd))
	{
		case TM_Ok:
			see_found(fast);
			return DONE;
		case TM_WouldBlock:
			return BUSY;
		case TM_Updated:
			return row_changed(target, row, tmfd.xmax, "update");
		case TM_Deleted:
			return row_changed(target, row, tmfd.xmax, "delete");
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

/*
 * What the row that was found is like now: TM_BeingModified where another
 * transaction that is under way holds a lock that ours would wait for, or is
 * changing it; *xmax: who has changed it.  There are heap tables only here.
 */
static TM_Result
found_state(MSFast *fast, TransactionId *xmax)
{
	BufferHeapTupleTableSlot *slot = (BufferHeapTupleTableSlot *) fast->found;
	HeapTupleHeader header = slot->base.tuple->t_data;
	TM_Result	result;

	/* one read of memory: as it is most often, nobody has touched it */
	if (header->t_infomask & HEAP_XMAX_INVALID)
		return TM_Ok;

	LockBuffer(slot->buffer, BUFFER_LOCK_SHARE);
	result = HeapTupleSatisfiesUpdate(slot->base.tuple,
									  GetCurrentCommandId(false),
									  slot->buffer);
	if (result == TM_BeingModified &&
		HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask) &&
		!(header->t_infomask & HEAP_XMAX_IS_MULTI) &&
		(HEAP_XMAX_IS_KEYSHR_LOCKED(header->t_infomask) ||
		 TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmax(header))))
		result = TM_Ok;			/* a foreign key's lock, or our own */
	if (result == TM_Updated || result == TM_Deleted)
		*xmax = HeapTupleHeaderGetUpdateXid(header);
	LockBuffer(slot->buffer, BUFFER_LOCK_UNLOCK);
	return result;
}

/*
 * Write the new version of the row that was found, without waiting:
 * TM_BeingModified where that would.
 */
static TM_Result
write_updated(MSFast *fast, TupleTableSlot *new, bool locked,
			  TM_FailureData *tmfd, TU_UpdateIndexes *update_indexes)
{
	LockTupleMode lockmode;

	/* what BEFORE triggers have done to the row is later than its lock */
	if (!fast->has_before_update)
		fast->estate->es_output_cid = GetCurrentCommandId(true);

#ifdef USE_ASSERT_CHECKING

	/*
	 * heap_update() says so, too, but asserts that nobody asks.  A lock can
	 * be asked for.
	 */
	if (!locked)
	{
		ItemPointerData tid = fast->found->tts_tid;
		TM_Result	result;

		result = table_tuple_lock(fast->rel, &tid, fast->snapshot,
								  fast->found, fast->estate->es_output_cid,
								  ExecUpdateLockMode(fast->estate,
													 fast->update_rri),
								  LockWaitSkip, 0, tmfd);
		if (result != TM_Ok)
			return result == TM_WouldBlock ? TM_BeingModified : result;
		locked = true;
	}
#endif
	return table_tuple_update(fast->rel, &fast->found->tts_tid, new,
							  fast->estate->es_output_cid, 0, fast->snapshot,
							  InvalidSnapshot, locked, tmfd, &lockmode,
							  update_indexes);
}

/* Write the new version's index entries and queue its triggers. */
static void
finish_update(MSFast *fast, TupleTableSlot *new,
			  TU_UpdateIndexes update_indexes)
{
	List	   *recheck = NIL;

	/* there are no summarizing indexes here: target.c sees to that */
	if (update_indexes != TU_None)
	{
		ms_fast_open_indexes(fast);
		recheck = ExecInsertIndexTuples(fast->update_rri, fast->estate,
										EIIT_IS_UPDATE, new, NIL, NULL);
	}
	if (fast->has_row_triggers)
		ExecARUpdateTriggers(fast->estate, fast->update_rri, NULL, NULL,
							 &fast->found->tts_tid, NULL, new, recheck, NULL,
							 false);
	list_free(recheck);
}

/*
 * Let the BEFORE UPDATE triggers see the new version of the row that was found,
 * which is locked; false where one suppresses it.
 */
static bool
run_before_update(MSFast *fast)
{
	EPQState	never = {0};	/* the row that we have locked is the latest */
	TM_FailureData tmfd;

	fast->triggered = true;
	fast->updated->tts_tableOid = RelationGetRelid(fast->rel);
	ExecMaterializeSlot(fast->updated);
	return ms_before_update_triggers(fast->estate, &never, fast->update_rri,
									 &fast->found->tts_tid, fast->updated,
									 &tmfd);
}

/* Does the role see the row that was found, where row security applies? */
static bool
is_visible(MSFast *fast)
{
	ExprContext *econtext = GetPerTupleExprContext(fast->estate);

	econtext->ecxt_scantuple = fast->found;
	return ExecQual(fast->visible, econtext);
}

/*
 * Judge the row that was found, at now: DONE where it may be counted, or is
 * refused for good.  A refusal holds for the version that the latest snapshot
 * shows; where the snapshot must not change, it takes the row's lock.
 */
static Progress
judge_found(MSFast *fast, MSTarget *target, const MSRow *row, TimestampTz now,
			bool *locked, MSJudgement *judgement)
{
	MSLimited	limited;

	ms_limited_from_slot(target, fast->seen, &limited);
	ms_judge(target, row, &limited, now, judgement);
	if (!judgement->refused || *locked)
		return DONE;
	if (IsolationUsesXactSnapshot())
	{
		Progress	progress = lock_found(fast, target, row, true);

		*locked = progress == DONE;
		return progress;
	}
	return fast->latest ? DONE : SEARCH_AGAIN;
}

/* Increment the row that was found. */
static Progress
update_row(MSFast *fast, MSTarget *target, MSRow *row, MSResult *result)
{
	bool		locked = false;
	bool		judged = ms_row_is_judged(target, row);
	MSJudgement judgement;
	Progress	progress;

	if (unlikely(fast->secured) && !is_visible(fast))
		return GENERAL;
	for (;;)
	{
		TimestampTz now = ms_row_time(row);
		TM_Result	state = TM_Ok;
		TM_FailureData tmfd;
		TupleTableSlot *new = NULL;
		TU_UpdateIndexes update_indexes;

		if (found_is_throttled(fast, target, row, now))
		{
			ms_result_from_slot(target, fast->seen, MS_THROTTLED, result);
			return DONE;
		}
		if (unlikely(judged))
		{
			progress = judge_found(fast, target, row, now, &locked, &judgement);
			if (progress != DONE)
				return progress;
			if (judgement.refused)
			{
				ms_result_from_slot(target, fast->seen, MS_REFUSED, result);
				ms_result_judged(target, &judgement, result);
				return DONE;
			}
		}

		/*
		 * What another transaction is changing must not fail for what it is
		 * before that.
		 */
		if (!locked)
			state = found_state(fast, &tmfd.xmax);

		/* nor a BEFORE trigger see it */
		if (state == TM_Ok && !locked && fast->has_before_update)
		{
			progress = lock_found(fast, target, row, false);
			if (progress == SEARCH_AGAIN)
				return progress;
			locked = progress == DONE;
			if (locked)
				continue;
			state = TM_BeingModified;
		}
		if (state == TM_Ok)
		{
			make_updated(fast, target, row, now, judged ? &judgement : NULL);
			if (fast->has_before_update && !run_before_update(fast))
			{
				ms_result_none(MS_IGNORED, result);
				if (unlikely(judged))
					ms_result_judged(target, &judgement, result);
				return DONE;
			}
			new = to_stored(fast, fast->updated);
			check_row(fast, fast->update_rri, new, CMD_UPDATE);
			state = write_updated(fast, new, locked, &tmfd, &update_indexes);
		}

		switch (state)
		{
			case TM_Ok:
				finish_update(fast, new, update_indexes);
				ms_result_from_slot(target, fast->updated, MS_INCREMENTED, result);
				if (unlikely(judged))
					ms_result_judged(target, &judgement, result);
				return DONE;
			case TM_BeingModified:
				progress = lock_found(fast, target, row,
									  !ms_row_goes_aside(target, row));
				if (progress != DONE)
					return progress;
				locked = true;
				break;
			case TM_Updated:
				return row_changed(target, row, tmfd.xmax, "update");
			case TM_Deleted:
				return row_changed(target, row, tmfd.xmax, "delete");
			case TM_Invisible:
			case TM_SelfModified:
				changed_by_self(target);
				break;
			default:
				elog(ERROR, "unexpected result of updating a row of table %s",
					 target->name);
		}
	}
}

/* The key that a new row has, where it is special; false: it is outside. */
static bool
special_key(MSFast *fast, Datum *values, bool *isnull)
{
	return ms_index_values(fast->insert_rri->ri_IndexRelationInfo[fast->key_index],
						   fast->estate, fast->inserted, values, isnull);
}

/* Search the key that triggers have made. */
static void
search_special_key(MSFast *fast, MSTarget *target)
{
	Relation	index = fast->insert_rri->ri_IndexRelationDescs[fast->key_index];
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];

	if (target->generated != NULL)
		ExecComputeStoredGenerated(fast->insert_rri, fast->estate,
								   fast->inserted, CMD_INSERT);
	(void) special_key(fast, values, isnull);
	for (int i = 0; i < target->nkeys; i++)
	{
		if (isnull[i] && !target->nulls)
			ms_null_key_by_trigger(target);
		ms_set_scankey_copy(&fast->scankeys[i], values[i], isnull[i],
							TupleDescAttr(RelationGetDescr(index), i),
							fast->estate);
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
	TupleTableSlot *stored = to_stored(fast, slot);

	fast->trigger_cid = GetCurrentCommandId(true);
	fast->triggered = true;
	stored->tts_tableOid = RelationGetRelid(fast->rel);
	if (!ExecBRInsertTriggers(fast->estate, fast->insert_rri, stored))
		return false;
	if (stored != slot)
		see_stored(fast);

	slot_getallattrs(slot);
	if (unlikely(target->special))
	{
		search_special_key(fast, target);
		return true;
	}
	for (int i = 0; i < target->nkeys; i++)
	{
		int			j = target->keys[i].column.attno - 1;
		Form_pg_attribute column = TupleDescAttr(slot->tts_tupleDescriptor, j);

		if (!slot->tts_isnull[j])
			ms_set_scankey_copy(&fast->scankeys[i], slot->tts_values[j], false,
								column, fast->estate);
		else if (!column->attnotnull)	/* else that says so */
			ms_null_key_by_trigger(target);
	}
	return true;
}

/*
 * Does a new row belong to the partitioned table that was named, which is a
 * partition?  Core asks before it looks for the leaf.
 */
static void
check_named_partition(MSFast *fast)
{
	ResultRelInfo *root = fast->insert_rri->ri_RootResultRelInfo;

	ExecPartitionCheck(root, fast->inserted, fast->estate, true);
	root->ri_PartitionCheckExpr = NULL; /* which lives as long as a leaf */
}

/* Set the counter of the new row, and what limits keep; judgement: or NULL. */
static void
set_new_counter(MSFast *fast, MSTarget *target, MSRow *row, TimestampTz now,
				const MSJudgement *judgement)
{
	Datum	   *values = fast->inserted->tts_values;
	bool	   *isnull = fast->inserted->tts_isnull;

	if (judgement != NULL)
	{
		row = ms_judged_row(target, row, judgement);
		ms_set_judged(target, judgement, values, isnull);
	}
	ms_set_new_counter_at(target, row, now, values, isnull);
}

/*
 * Make a new row: what is given, the counter, and defaults that have not been
 * asked yet; then BEFORE triggers, which may change the key, or suppress the
 * row (false).  This is done once for an increment, however often its insertion
 * is tried.
 */
static bool
make_inserted(MSFast *fast, MSTarget *target, MSRow *row, TimestampTz now,
			  const MSJudgement *judgement)
{
	TupleTableSlot *slot = fast->inserted;
	int			natts = slot->tts_tupleDescriptor->natts;
	int			attno = -1;

	ms_check_required_columns(target, fast->named, row);

	ExecClearTuple(slot);
	memcpy(slot->tts_values, row->values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, row->isnull, sizeof(bool) * natts);
	set_new_counter(fast, target, row, now, judgement);
	while ((attno = bms_next_member(fast->has_default, attno)) >= 0)
	{
		int			i = attno - 1;

		if (!slot->tts_isnull[i] || ms_row_has_column(row, attno))
			continue;
		if (fast->defaults[i] == NULL)
			fast->defaults[i] =
				ms_compile_default(fast->named,
								   TupleDescAttr(slot->tts_tupleDescriptor, i),
								   fast->estate);
		slot->tts_values[i] = ExecEvalExpr(fast->defaults[i],
										   GetPerTupleExprContext(fast->estate),
										   &slot->tts_isnull[i]);
	}
	ExecStoreVirtualTuple(slot);
	if (fast->is_leaf && fast->named->rd_rel->relispartition)
		check_named_partition(fast);

	return !fast->has_before_insert || run_before_insert(fast, target);
}

/*
 * Has the row that is to be inserted the special key that was searched, and is
 * it in its index?
 */
static void
check_special_key(MSFast *fast, MSTarget *target)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];

	if (!special_key(fast, values, isnull))
		ms_outside(target);
	for (int i = 0; i < target->nkeys; i++)
	{
		ScanKey		key = &fast->scankeys[i];
		bool		is_null = (key->sk_flags & SK_ISNULL) != 0;

		if (isnull[i] != is_null ||
			(!is_null &&
			 !DatumGetBool(FunctionCall2Coll(&key->sk_func, key->sk_collation,
											 values[i], key->sk_argument))))
			ms_not_found(target);
	}
}

/* Has the row that is to be inserted the key that was searched? */
static void
check_inserted_key(MSFast *fast, MSTarget *target)
{
	TupleTableSlot *slot = fast->inserted;

	if (unlikely(target->special))
	{
		check_special_key(fast, target);
		return;
	}
	for (int i = 0; i < target->nkeys; i++)
	{
		int			j = target->keys[i].column.attno - 1;
		ScanKey		key = &fast->scankeys[i];

		if (slot->tts_isnull[j] ||
			!DatumGetBool(FunctionCall2Coll(&key->sk_func, key->sk_collation,
											slot->tts_values[j],
											key->sk_argument)))
			ms_not_found(target);
	}
}

/* Insert the new row; false on a conflict with another: search again. */
static bool
insert_row(MSFast *fast, MSTarget *target, MSResult *result)
{
	TupleTableSlot *slot = to_stored(fast, fast->inserted);
	bool		inserted;
	List	   *recheck;

	check_row(fast, fast->insert_rri, slot, CMD_INSERT);
	if (slot != fast->inserted && fast->generates)
		see_stored(fast);
	check_inserted_key(fast, target);
	ms_fast_open_indexes(fast);

	inserted = ms_insert_speculatively(fast->rel, fast->insert_rri,
									   fast->estate, slot, fast->arbiters,
									   &recheck);
	if (inserted)
	{
		if (fast->has_row_triggers)
			ExecARInsertTriggers(fast->estate, fast->insert_rri, slot, recheck,
								 NULL);
		ms_result_from_slot(target, fast->inserted, MS_INSERTED, result);
	}
	list_free(recheck);
	return inserted;
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
	ExecClearTuple(fast->found);
	if (!latest.found)
		return DONE;
	if (ms_row_goes_aside(target, row) && (TransactionIdIsValid(latest.xmin) ||
									TransactionIdIsValid(latest.xmax)))
		return BUSY;
	if (TransactionIdIsValid(latest.xmin))
	{
		ms_tally_lock_wait(target->relid);
		ms_wait_for_latest(fast->rel, &latest);
		return SEARCH_AGAIN;
	}
	if (!latest.own)
		return row_changed(target, row, InvalidTransactionId, "update");
	if (met && fast->has_before_insert && latest.own_cid > fast->trigger_cid)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("counter to be inserted was already inserted by an operation triggered by the current command"),
				 errdetail("The counter is in table %s.", target->name),
				 errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")));
	return SEARCH_AGAIN;
}

/* The same as judge_found(), of a row that the search does not see. */
static Progress
judge_unseen(MSFast *fast, MSTarget *target, const MSRow *row,
			 TimestampTz now, MSJudgement *judgement)
{
	MSLimited	limited;

	ms_limited_none(&limited);
	ms_judge(target, row, &limited, now, judgement);
	if (!judgement->refused)
		return DONE;
	if (IsolationUsesXactSnapshot())
		return probe_unseen(fast, target, row, false);
	return fast->latest ? DONE : SEARCH_AGAIN;
}

/*
 * Insert a row for a key that the search does not see; *made: the new row is
 * ready.  A conflict with another row kills ours; *gone: how often that row
 * was gone then.
 */
static Progress
insert_unseen(MSFast *fast, MSTarget *target, MSRow *row, bool *made,
			  int *gone, MSResult *result)
{
	bool		aside = ms_row_goes_aside(target, row);
	bool		judged = ms_row_is_judged(target, row);
	TimestampTz now = ms_row_time(row);
	MSJudgement judgement;
	Progress	progress = DONE;

	if (unlikely(judged))
	{
		progress = judge_unseen(fast, target, row, now, &judgement);
		if (progress != DONE)
			return progress;
		if (judgement.refused)
		{
			ms_result_none(MS_REFUSED, result);
			ms_result_judged(target, &judgement, result);
			return DONE;
		}
	}

	/* before triggers and sequences are asked for what goes aside */
	if (aside)
	{
		if (!ms_insertion_lock(target, row))
			return BUSY;
		progress = probe_unseen(fast, target, row, false);
	}

	if (progress == DONE)
	{
		const MSJudgement *limit = judged ? &judgement : NULL;

		if (*made && !fast->has_before_insert)
			set_new_counter(fast, target, row, now, limit);
		if (!*made && !make_inserted(fast, target, row, now, limit))
			ms_result_none(MS_IGNORED, result);
		else if (!insert_row(fast, target, result))
		{
			progress = probe_unseen(fast, target, row, true);

			/* what we met is gone again */
			if (progress == DONE)
			{
				if (++*gone == MAX_GONE)
					ms_not_found(target);
				progress = SEARCH_AGAIN;
			}
		}
		*made = true;
		if (unlikely(judged) && progress == DONE)
			ms_result_judged(target, &judgement, result);
	}
	if (aside)
		ms_insertion_unlock(target, row);
	return progress;
}

/* Increment one counter, or insert it; what is returned: see ms_apply_next. */
const Datum *
ms_fast_increment(MSFast *fast, MSTarget *target, MSRow *row,
				  MSResult *result)
{
	bool		made = false;
	int			gone = 0;
	int			searches = 0;

	/* the one before may have left it, for its key */
	if (unlikely(!TTS_EMPTY(fast->found)))
		ExecClearTuple(fast->found);
	ResetPerTupleExprContext(fast->estate);

	/*
	 * Commands that triggers, functions or the general path have run for the
	 * one before may have counted this one; triggers may have given it its
	 * key.
	 */
	if (unlikely(fast->triggered ||
				 GetCurrentCommandId(false) != fast->snapshot->curcid))
		ms_fast_refresh(fast, target);
	ms_set_scankeys(target, fast->scankeys, row);
	for (;;)
	{
		Progress	progress;

		CHECK_FOR_INTERRUPTS();
		if (unlikely(fast->secured) && ms_row_goes_aside(target, row))
			progress = GENERAL;
		else if (ms_search(fast->scan, fast->scankeys, target->nkeys, fast->found))
		{
			see_found(fast);
			progress = update_row(fast, target, row, result);
		}
		else if (target->no_insert)
		{
			ms_result_none(MS_ABSENT, result);
			progress = DONE;
		}
		else if (unlikely(fast->secured))
			progress = GENERAL;
		else
			progress = insert_unseen(fast, target, row, &made, &gone, result);

		if (progress == DONE)
			break;
		if (progress == GENERAL)
		{
			ExecClearTuple(fast->found);
			fast->latest = false;
			return ms_general_increment(target, fast->rel, row, result) ?
				NULL : row->values;
		}
		if (progress == BUSY ||
			(ms_row_goes_aside(target, row) && ++searches == MAX_SEARCHES))
			return busy_key(fast, target, row, result);
		ms_fast_refresh(fast, target);
	}
	ExecClearTuple(fast->found);
	fast->latest = false;
	return NULL;
}
