/*-------------------------------------------------------------------------
 *
 * fast_state.c
 *	  What the fast path needs of the executor: made once, kept in the target.
 *
 * Executor state (compiled defaults, constraints, index infos, slots) is kept
 * in the target across transactions; relations, locks, snapshots, scans and
 * buffer pins are not: ms_fast_open gets them, for one statement's worth of
 * increments, and ms_fast_close gives them back.  The slots use an unpinned
 * copy of the row type.  Two ResultRelInfos, because before 16 the generated
 * columns of an INSERT and of an UPDATE share one array, which the first of
 * them fills.
 *
 * A partitioned table has no rows of its own: each of its leaves has a state
 * (leaves.c), whose rights, defaults and error messages are those of the table
 * that was named, as core has them.  Where the columns of a leaf are arranged
 * in another way, rows are counted as the named table has them: they are
 * converted as they are read and written.
 *
 * Row security has policies for the role that counts: what they ask is kept for
 * the latest role.
 *
 * After an error the state is worthless (its slots may think they hold
 * buffers): ms_fast_abort forgets it (apply.c).  It lasts for one statement
 * only where what is compiled is not built in (builtin.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/partition.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rowsecurity.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "table/table.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

/* They are compiled as they are needed: EXECUTE is checked there. */
static void
make_defaults(MSFast *fast, MSTarget *target, Relation named)
{
	TupleDesc	desc = RelationGetDescr(named);

	fast->defaults = palloc0(sizeof(ExprState *) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		if (!ms_is_always_given(target, i + 1) &&
			ms_has_default(named, TupleDescAttr(desc, i)))
			fast->has_default = bms_add_member(fast->has_default, i + 1);
	}
}

/* Is an index the key's, or the part of it that a leaf has? */
static bool
is_key_index(const MSTarget *target, bool leaf, Oid index)
{
	return index == target->index ||
		(leaf && list_member_oid(get_partition_ancestors(index), target->index));
}

/* What a conflict in is one with the counter's row, in a leaf. */
static List *
leaf_arbiters(MSFast *fast, Relation rel)
{
	Relation	key = index_open(fast->index_oids[fast->key_index], NoLock);
	List	   *result = NIL;

	for (int i = 0; i < fast->nindexes; i++)
	{
		Relation	index = index_open(fast->index_oids[i], NoLock);

		if (i == fast->key_index || ms_index_arbitrates(key, index))
			result = lappend_oid(result, fast->index_oids[i]);
		index_close(index, NoLock);
	}
	index_close(key, NoLock);
	return result;
}

static void
make_indexes(MSFast *fast, MSTarget *target, Relation rel)
{
	List	   *oids = RelationGetIndexList(rel);
	IndexInfo **infos;
	ListCell   *lc;
	int			n = list_length(oids);
	bool		leaf = RelationGetRelid(rel) != target->relid;
	ResultRelInfo *rris[2] = {fast->insert_rri, fast->update_rri};

	fast->nindexes = n;
	fast->key_index = -1;
	fast->index_oids = palloc(sizeof(Oid) * n);
	infos = palloc(sizeof(IndexInfo *) * n);
	n = 0;
	foreach(lc, oids)
	{
		Relation	index = index_open(lfirst_oid(lc), RowExclusiveLock);

		infos[n] = BuildIndexInfo(index);
		if (infos[n]->ii_Unique)
			BuildSpeculativeIndexInfo(index, infos[n]);
		if (is_key_index(target, leaf, lfirst_oid(lc)))
			fast->key_index = n;
		fast->index_oids[n++] = lfirst_oid(lc);
		index_close(index, NoLock);
	}
	if (fast->key_index < 0)
		elog(ERROR, "table %u has no part of index %u",
			 RelationGetRelid(rel), target->index);
	for (int i = 0; i < lengthof(rris); i++)
	{
		rris[i]->ri_NumIndices = n;
		rris[i]->ri_IndexRelationDescs = palloc0(sizeof(Relation) * n);
		rris[i]->ri_IndexRelationInfo = infos;
	}

	fast->arbiters = leaf ? leaf_arbiters(fast, rel) : target->arbiters;
	fast->scankeys = ms_make_scankeys(target);
}

/* root: of the table that was named, where this is a leaf of it */
static ResultRelInfo *
make_result_rel(MSFast *fast, Relation rel, TupleDesc desc,
				ResultRelInfo *root)
{
	ResultRelInfo *rri = makeNode(ResultRelInfo);

	InitResultRelInfo(rri, rel, root == NULL ? 1 : 0, root, 0);
	if (root != NULL)
		ms_set_root_to_leaf(rri, fast->to_leaf);
	rri->ri_TrigOldSlot = MakeSingleTupleTableSlot(desc, table_slot_callbacks(rel));
	rri->ri_TrigNewSlot = MakeSingleTupleTableSlot(desc, table_slot_callbacks(rel));

	/* looked up here, not at the first call in some short-lived context */
	for (int i = 0; rri->ri_TrigDesc != NULL && i < rri->ri_TrigDesc->numtriggers; i++)
		fmgr_info_cxt(rri->ri_TrigDesc->triggers[i].tgfoid,
					  &rri->ri_TrigFunctions[i], fast->cxt);
	return rri;
}

/*
 * The slots of rows: as the named table has them, and where a leaf has them in
 * another way, as that does.
 */
static void
make_slots(MSFast *fast, Relation rel, TupleDesc desc, TupleDesc named_desc)
{
	fast->found = MakeSingleTupleTableSlot(desc, table_slot_callbacks(rel));
	fast->seen = fast->found;
	if (fast->to_leaf != NULL)
	{
		fast->seen = MakeSingleTupleTableSlot(named_desc, &TTSOpsVirtual);
		fast->stored = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	}
	fast->updated = MakeSingleTupleTableSlot(named_desc, &TTSOpsVirtual);
	fast->inserted = MakeSingleTupleTableSlot(named_desc, &TTSOpsVirtual);
}

/*
 * Make the state that is kept, in a child of the current memory context;
 * leaves: NULL, or of the table that was named, where rel is a leaf of it.
 */
MSFast *
ms_fast_make(MSTarget *target, Relation named, Relation rel,
			 MSLeaves *leaves)
{
	ResultRelInfo *root = leaves == NULL ? NULL : leaves->root;
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol fast path",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	MSFast	   *fast = palloc0(sizeof(MSFast));
	TupleDesc	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	TupleDesc	named_desc = desc;
	TriggerDesc *trig;

	fast->cxt = cxt;
	fast->named = named;
	fast->estate = CreateExecutorState();
	fast->privileges = leaves == NULL ? ms_privileges_make(target, named) :
		leaves->privileges;
	ExecInitRangeTable(fast->estate, fast->privileges->rtable,
					   fast->privileges->perminfos, bms_make_singleton(1));
	if (leaves != NULL)
	{
		fast->is_leaf = true;
		named_desc = CreateTupleDescCopyConstr(RelationGetDescr(named));
		fast->to_leaf = convert_tuples_by_name(named_desc, desc);

		/* that of a leaf with values that no row has is there in any case */
		if (fast->to_leaf != NULL)
			fast->to_named = convert_tuples_by_name(desc, named_desc);
	}

	fast->insert_rri = make_result_rel(fast, rel, desc, root);
	fast->update_rri = make_result_rel(fast, rel, desc, root);
	ms_add_result_relation(fast->estate, fast->update_rri);

	/* our copy: the relation's own does not survive an invalidation */
	trig = fast->insert_rri->ri_TrigDesc;
	fast->has_before_insert = trig != NULL && trig->trig_insert_before_row;
	fast->has_before_update = trig != NULL && trig->trig_update_before_row;
	fast->has_row_triggers = trig != NULL &&
		(trig->trig_insert_after_row || trig->trig_update_after_row);

	fast->generates = desc->constr != NULL && desc->constr->has_generated_stored;

	make_slots(fast, rel, desc, named_desc);
	make_indexes(fast, target, rel);
	make_defaults(fast, target, named);

	MemoryContextSwitchTo(oldcxt);
	return fast;
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
	fast->triggered = false;
	fast->latest = true;
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

/* Let the next search see what has been written since. */
void
ms_fast_refresh(MSFast *fast, MSTarget *target)
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

/*
 * What row security asks of a row that an UPDATE sees, and of its new version:
 * by the table's policies that are for the current role.
 */
static void
prepare_policies(MSFast *fast)
{
	Query	   *query;
	List	   *quals;
	List	   *checks;
	List	   *exprs = NIL;
	bool		enabled;
	bool		subqueries;
	bool		builtin;
	ListCell   *lc;
	MemoryContext oldcxt;

	if (fast->policies_cxt == NULL)
		fast->policies_cxt = AllocSetContextCreate(fast->cxt,
												   "missing_symbol policies",
												   ALLOCSET_SMALL_SIZES);
	else if (fast->policies_builtin && fast->policies_role == GetUserId())
		return;
	fast->policies_builtin = false;
	MemoryContextReset(fast->policies_cxt);
	oldcxt = MemoryContextSwitchTo(fast->policies_cxt);

	query = makeNode(Query);
	query->commandType = CMD_UPDATE;
	query->resultRelation = 1;
	query->rtable = fast->privileges->rtable;
	ms_query_set_permissions(query, fast->privileges->perminfos);
	get_row_security_policies(query, linitial(query->rtable), 1, &quals,
							  &checks, &enabled, &subqueries);
	if (!enabled || subqueries) /* not where we have come */
		elog(ERROR, "unexpected policies of table %u",
			 RelationGetRelid(fast->rel));
	builtin = ms_is_builtin((Node *) quals);
	fast->visible = ExecInitQual((List *) expression_planner((Expr *) quals),
								 NULL);
	foreach(lc, checks)
	{
		WithCheckOption *check = lfirst_node(WithCheckOption, lc);
		List	   *all = make_ands_implicit((Expr *) check->qual);

		builtin = builtin && ms_is_builtin(check->qual);
		exprs = lappend(exprs,
						ExecInitQual((List *) expression_planner((Expr *) all),
									 NULL));
	}
	fast->update_rri->ri_WithCheckOptions = checks;
	fast->update_rri->ri_WithCheckOptionExprs = exprs;
	MemoryContextSwitchTo(oldcxt);
	fast->policies_role = GetUserId();
	fast->policies_builtin = builtin;
}

/* Open all indexes of the table, for who is to make entries in them. */
void
ms_fast_open_indexes(MSFast *fast)
{
	for (int i = 0; i < fast->nindexes; i++)
		open_index(fast, i);
}

/*
 * Count in a table that is open, its rows being those of the named one.  fresh:
 * the active snapshot has just been taken.
 */
void
ms_fast_open(MSFast *fast, MSTarget *target, Relation named, Relation rel,
			 bool fresh)
{
	CheckCmdReplicaIdentity(rel, CMD_INSERT);
	CheckCmdReplicaIdentity(rel, CMD_UPDATE);

	fast->busy = true;
	fast->named = named;
	fast->rel = rel;
	fast->insert_rri->ri_RelationDesc = rel;
	fast->update_rri->ri_RelationDesc = rel;
	fast->secured = !fast->is_leaf &&
		ms_row_security_applies(target, InvalidOid);
	if (unlikely(fast->secured))
		prepare_policies(fast);
	open_index(fast, fast->key_index);
	if (fast->has_row_triggers)
		AfterTriggerBeginQuery();
	push_snapshot(fast, fresh);
	begin_scan(fast, target);
}

/* Fire AFTER triggers.  They look for a table that has no root. */
static void
fire_triggers(MSFast *fast)
{
	ResultRelInfo *root = fast->update_rri->ri_RootResultRelInfo;

	fast->update_rri->ri_RootResultRelInfo = NULL;
	AfterTriggerEndQuery(fast->estate);
	fast->update_rri->ri_RootResultRelInfo = root;
}

/* End that: fire the triggers, give everything back but the table. */
void
ms_fast_close(MSFast *fast)
{
	ExecClearTuple(fast->found);
	index_endscan(fast->scan);
	fast->scan = NULL;
	if (fast->has_row_triggers)
		fire_triggers(fast);
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
	if (fast->to_leaf != NULL)
	{
		ExecClearTuple(fast->seen);
		ExecClearTuple(fast->stored);
	}
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
