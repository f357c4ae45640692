/*-------------------------------------------------------------------------
 *
 * setup.c
 *	  What explain() and compare() accept as a setup: CREATE INDEX and SET; and
 *	  what a side of compare() has for itself.
 *
 * The index of a side is made once, in the subtransaction that is undone, and
 * the planner sees nothing of it as it plans the other side.  SET is of each
 * run of its side.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "trial/trial_internal.h"

/* a List of RawStmt; of: the function's name */
List *
ms_setup_parse(const char *text, const char *of)
{
	List	   *statements = pg_parse_query(text);
	ListCell   *lc;

	foreach(lc, statements)
	{
		RawStmt    *raw = lfirst_node(RawStmt, lc);

		if (!IsA(raw->stmt, IndexStmt) && !IsA(raw->stmt, VariableSetStmt))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("the setup of %s() cannot be %s", of,
							GetCommandTagName(CreateCommandTag(raw->stmt))),
					 errhint("It can be CREATE INDEX and SET; explain_analyze() runs any statement.")));
	}
	return statements;
}

/*
 * An index that was made after rows of its table were changed in place is
 * not for older snapshots, nor for the transaction that made it: the
 * planner's own rule.
 */
bool
ms_index_is_unusable(Oid indexid)
{
	HeapTuple	index = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(indexid));
	bool		result;

	if (!HeapTupleIsValid(index))
		return false;
	result = ((Form_pg_index) GETSTRUCT(index))->indcheckxmin &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->t_data),
							   TransactionXmin);
	ReleaseSysCache(index);
	return result;
}

/* those of its partitions, too */
static List *
indexes_of(RangeVar *name)
{
	Oid			relid = RangeVarGetRelid(name, AccessShareLock, false);
	List	   *indexes = NIL;
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Relation	rel = relation_open(lfirst_oid(lc), NoLock);

		indexes = list_concat(indexes, RelationGetIndexList(rel));
		relation_close(rel, NoLock);
	}
	return indexes;
}

/* make its indexes, and keep what is to be set */
void
ms_side_make(MSSide *side, const char *setup)
{
	ListCell   *lc;

	memset(side, 0, sizeof(MSSide));
	if (setup == NULL)
		return;
	foreach(lc, ms_setup_parse(setup, "compare"))
	{
		RawStmt    *raw = lfirst_node(RawStmt, lc);
		const char *from = setup + raw->stmt_location;
		List	   *before;

		if (IsA(raw->stmt, VariableSetStmt))
		{
			side->sets = lappend(side->sets, raw->stmt);
			continue;
		}
		before = indexes_of(((IndexStmt *) raw->stmt)->relation);
		SPI_connect();
		if (SPI_execute(pnstrdup(from, raw->stmt_len > 0 ? raw->stmt_len :
								 strlen(from)), false, 0) < 0)
			elog(ERROR, "could not make an index");
		SPI_finish();
		CommandCounterIncrement();
		side->indexes = list_concat(side->indexes,
									list_difference_oid(indexes_of(((IndexStmt *) raw->stmt)->relation),
														before));
	}
}

/* until the level of settings ends that the caller has begun */
void
ms_side_set(const MSSide *side)
{
	ListCell   *lc;

	foreach(lc, side->sets)
	{
		VariableSetStmt *stmt = copyObject(lfirst_node(VariableSetStmt, lc));

		/* a plain SET would outlive the level */
		stmt->is_local = true;
		ExecSetVariableStmt(stmt, true);
	}
}
