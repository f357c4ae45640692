/*-------------------------------------------------------------------------
 *
 * appender.c
 *	  What adding a row to a table of the extension needs of the executor.
 *
 * Whatever indexes the table has, as REINDEX CONCURRENTLY and administrators
 * make them, all that are live get their entries, as core does it.  They are
 * looked for under the table's lock, which whoever makes or drops an index
 * waits for.
 *
 * Slots and index infos are kept for the session, until an invalidation of the
 * table or one of its indexes; they are made anew after an error between begin
 * and end.  No user's code runs in between where they are kept; where it could,
 * in an expression of an administrator's index, nothing is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "table/table.h"

static MSAppender *appenders = NULL;	/* all of the session */

static void
relcache_callback(Datum arg, Oid relid)
{
	for (MSAppender *appender = appenders; appender != NULL;
		 appender = appender->next)
	{
		bool		ours = !OidIsValid(relid) || relid == appender->relid;

		for (int j = 0; !ours && j < appender->nindexes; j++)
			ours = relid == appender->indexes[j];
		if (ours)
			appender->valid = appender->fresh = false;
	}
}

static void
get_to_know(MSAppender *appender)
{
	if (appender->known)
		return;
	if (appenders == NULL)
		CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	appender->cxt = AllocSetContextCreate(CacheMemoryContext,
										  "missing_symbol appender",
										  ALLOCSET_SMALL_SIZES);
	appender->next = appenders;
	appenders = appender;
	appender->known = true;
}

/*
 * Can what belongs to an index be kept?  Expressions depend on functions, and
 * other access methods keep things of their own there.
 */
static bool
is_plain(Relation index, const IndexInfo *info)
{
	return index->rd_rel->relam == BTREE_AM_OID &&
		info->ii_Expressions == NIL && info->ii_Predicate == NIL &&
		info->ii_ExclusionOps == NULL;
}

/* What the executor needs, in the current memory context. */
static void
make_appending(MSAppending *appending, Relation rel)
{
	TupleDesc	desc = CreateTupleDescCopy(RelationGetDescr(rel));

	appending->estate = CreateExecutorState();
	appending->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	appending->found = MakeSingleTupleTableSlot(desc, table_slot_callbacks(rel));
	appending->rri = makeNode(ResultRelInfo);
	InitResultRelInfo(appending->rri, rel, 0, NULL, 0);
}

/* Make what is kept, for a table that is locked. */
static void
make_appender(MSAppender *appender, Relation rel)
{
	ResultRelInfo *rri;
	MemoryContext oldcxt;
	List	   *indexes;
	ListCell   *lc;
	IndexInfo **infos;
	int			n = 0;

	appender->valid = false;
	appender->nindexes = 0;
	MemoryContextReset(appender->cxt);
	oldcxt = MemoryContextSwitchTo(appender->cxt);

	/*
	 * An invalidation while we read the catalogs must not be missed; nor may
	 * an error there leave behind what is half made.
	 */
	appender->relid = RelationGetRelid(rel);
	appender->fresh = true;
	appender->plain = true;
	indexes = RelationGetIndexList(rel);
	appender->indexes = palloc(sizeof(Oid) * Max(list_length(indexes), 1));
	infos = palloc(sizeof(IndexInfo *) * Max(list_length(indexes), 1));
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), RowExclusiveLock);

		infos[n] = BuildIndexInfo(index);
		appender->plain &= is_plain(index, infos[n]);
		if (infos[n]->ii_Unique && appender->plain)
			BuildSpeculativeIndexInfo(index, infos[n]);
		appender->indexes[n++] = lfirst_oid(lc);
		appender->nindexes = n;
		index_close(index, NoLock);
	}
	make_appending(&appender->kept, rel);
	rri = appender->kept.rri;
	rri->ri_NumIndices = n;
	rri->ri_IndexRelationDescs = palloc0(sizeof(Relation) * Max(n, 1));
	rri->ri_IndexRelationInfo = infos;
	appender->valid = appender->fresh;
	MemoryContextSwitchTo(oldcxt);
}

/* Lock the table, and find what is kept for it as it is under the lock. */
static Relation
open_table(MSAppender *appender)
{
	Relation	rel = NULL;

	get_to_know(appender);
	if (appender->busy)
		appender->valid = appender->busy = false;	/* after an error */
	if (appender->valid)
		rel = try_relation_open(appender->relid, RowExclusiveLock);
	if (likely(rel != NULL && appender->valid))
		return rel;
	if (rel != NULL)
		relation_close(rel, NoLock);
	rel = appender->open(RowExclusiveLock);
	make_appender(appender, rel);
	return rel;
}

/*
 * Begin to write to a table, whose open function checks that it is one that we
 * know.
 */
MSAppending *
ms_append_begin(MSAppender *appender)
{
	Relation	rel = open_table(appender);
	MSAppending *appending;

	if (likely(appender->plain))
	{
		appending = &appender->kept;
		appender->busy = true;
		appending->rri->ri_RelationDesc = rel;
		for (int i = 0; i < appender->nindexes; i++)
			appending->rri->ri_IndexRelationDescs[i] =
				index_open(appender->indexes[i], RowExclusiveLock);
	}
	else
	{
		/* what core makes for each statement */
		appending = palloc(sizeof(MSAppending));
		make_appending(appending, rel);
		ExecOpenIndices(appending->rri, true);
	}
	appending->rel = rel;
	ExecClearTuple(appending->slot);
	return appending;
}

/* Insert the row that is in the slot, and its entries in all indexes. */
void
ms_append_row(MSAppending *appending)
{
	TupleTableSlot *slot = appending->slot;

	slot->tts_tableOid = RelationGetRelid(appending->rel);
	table_tuple_insert(appending->rel, slot, GetCurrentCommandId(true), 0,
					   NULL);
	if (appending->rri->ri_NumIndices > 0)
		ExecInsertIndexTuples(appending->rri, appending->estate, 0, slot, NIL,
							  NULL);
}

/* End it.  The locks are kept, as any statement's. */
void
ms_append_end(MSAppender *appender, MSAppending *appending)
{
	ExecClearTuple(appending->slot);
	ExecClearTuple(appending->found);
	if (likely(appending == &appender->kept))
	{
		for (int i = 0; i < appending->rri->ri_NumIndices; i++)
			index_close(appending->rri->ri_IndexRelationDescs[i], NoLock);
		ResetPerTupleExprContext(appending->estate);
		appender->busy = false;
	}
	else
	{
		ExecDropSingleTupleTableSlot(appending->slot);
		ExecDropSingleTupleTableSlot(appending->found);
		ExecCloseIndices(appending->rri);
		FreeExecutorState(appending->estate);
	}
	relation_close(appending->rel, NoLock);
}
