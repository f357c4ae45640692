/*-------------------------------------------------------------------------
 *
 * fast_state.c
 *	  What the fast path needs of the executor: made once, kept in the target.
 *
 * Executor state (compiled defaults, constraints, index infos, slots) is kept
 * in the target across transactions; relations, locks, snapshots, scans and
 * buffer pins are not: ms_fast_begin gets them, for one statement's worth of
 * increments, and ms_fast_end gives them back.  The slots use an unpinned copy
 * of the row type.  Two ResultRelInfos, because before 16 the generated columns
 * of an INSERT and of an UPDATE share one array, which the first of them fills.
 *
 * After an error the state is worthless (its slots may think they hold
 * buffers): ms_fast_abort forgets it.  It lasts for one statement only where
 * what is compiled is not built in (builtin.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

/* They are compiled as they are needed: EXECUTE is checked there. */
static void
make_defaults(MSFast *fast, MSTarget *target, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	fast->defaults = palloc0(sizeof(ExprState *) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		if (!ms_is_always_given(target, i + 1) &&
			ms_has_default(rel, TupleDescAttr(desc, i)))
			fast->has_default = bms_add_member(fast->has_default, i + 1);
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
	make_defaults(fast, target, rel);

	MemoryContextSwitchTo(oldcxt);
	MemoryContextSetParent(cxt, target->cxt);
	return fast;
}

/* Forget the state; after an error between begin and end, too. */
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
	fast->scan = ms_begin_search(fast->rel,
								 fast->insert_rri->ri_IndexRelationDescs[fast->key_index],
								 target->nkeys, fast->snapshot);
}

/* The columns that the statement under way gives. */
Bitmapset *
ms_fast_given(const MSTarget *target)
{
	return bms_copy(target->fast->privileges->given);
}

/* Let the next search see what has been written since. */
void
ms_fast_refresh(MSTarget *target)
{
	MSFast	   *fast = target->fast;

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

/* Open all indexes of the table, for who is to make entries in them. */
void
ms_fast_open_indexes(MSFast *fast)
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
	if (!target->builtin)
		ms_fast_abort(target);
}
