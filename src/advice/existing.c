/*-------------------------------------------------------------------------
 *
 * existing.c
 *	  Is an index there that serves what a remedy is for?  Are a table's
 *	  statistics there, and what they should be?
 *
 * The caller has the table locked; indexes are read without opening them, as
 * one may be locked for long.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

/* they are old when such a share of the rows has changed */
#define STALE_SHARE			0.1

typedef struct Existing
{
	Oid			oid;
	Oid			am;
	int			nkeys;
	Form_pg_index form;
	oidvector  *opclasses;
	oidvector  *collations;
	int2vector *options;
	List	   *exprs;
	List	   *predicate;		/* implicitly ANDed */
} Existing;

/* NULL where somebody has it locked, or it is gone */
Relation
ms_open_without_waiting(Oid relid)
{
	Relation	rel;

	if (!ConditionalLockRelationOid(relid, AccessShareLock))
		return NULL;
	rel = try_relation_open(relid, NoLock);
	if (rel == NULL)
		UnlockRelationOid(relid, AccessShareLock);
	return rel;
}

static Node *
index_attribute(HeapTuple tuple, AttrNumber attno)
{
	bool		isnull;
	Datum		datum = SysCacheGetAttr(INDEXRELID, tuple, attno, &isnull);

	/* not to be evaluated: its functions are somebody's */
	return isnull ? NULL : stringToNode(TextDatumGetCString(datum));
}

static Datum
index_vector(HeapTuple tuple, AttrNumber attno)
{
	bool		isnull;

	return SysCacheGetAttr(INDEXRELID, tuple, attno, &isnull);
}

static Oid
am_of_index(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	Oid			am = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		am = ((Form_pg_class) GETSTRUCT(tuple))->relam;
		ReleaseSysCache(tuple);
	}
	return am;
}

/* "published = true" is "published", as the planner sees it */
static Node *
simple(Node *node)
{
	OpExpr	   *op = (OpExpr *) node;

	if (node != NULL && IsA(node, OpExpr) && list_length(op->args) == 2 &&
		op->opno == BooleanEqualOperator && IsA(lsecond(op->args), Const) &&
		!((Const *) lsecond(op->args))->constisnull)
		return DatumGetBool(((Const *) lsecond(op->args))->constvalue) ?
			linitial(op->args) :
			(Node *) makeBoolExpr(NOT_EXPR, list_make1(linitial(op->args)), -1);
	return node;
}

static List *
predicate_of(HeapTuple tuple)
{
	Node	   *node = index_attribute(tuple, Anum_pg_index_indpred);
	List	   *list;
	ListCell   *lc;

	list = make_ands_implicit(canonicalize_qual((Expr *) node, false));
	foreach(lc, list)
		lfirst(lc) = simple(lfirst(lc));
	return list;
}

/* is that column of the index what the remedy's column asks for? */
static bool
column_serves(Existing *index, int i, MSIndexColumn *column)
{
	AttrNumber	attno = index->form->indkey.values[i];
	Oid			family = get_opclass_family(index->opclasses->values[i]);
	Oid			collation = OidIsValid(column->collation) ?
		column->collation : exprCollation(column->expr);
	Oid			opclass = column->opclass;
	int			nth = 0;
	int			j;

	if (attno != 0)
	{
		if (!IsA(column->expr, Var) ||
			((Var *) column->expr)->varattno != attno)
			return false;
	}
	else
	{
		for (j = 0; j < i; j++)
			if (index->form->indkey.values[j] == 0)
				nth++;
		if (!equal(ms_strip_relabel(list_nth(index->exprs, nth)), column->expr))
			return false;
	}
	if (opclass == TEXT_BTREE_PATTERN_OPS_OID)
		return family == TEXT_PATTERN_BTREE_FAM_OID ||
			ms_collate_is_c(index->collations->values[i]);
	if (OidIsValid(collation) && OidIsValid(index->collations->values[i]) &&
		index->collations->values[i] != collation)
		return false;
	if (!OidIsValid(opclass))
		opclass = GetDefaultOpClass(exprType(column->expr), index->am);
	return OidIsValid(opclass) && get_opclass_family(opclass) == family;
}

/* a predicate is kept by the index's own, or by one of its columns */
static bool
predicate_served(MSIndex *wanted, Existing *index)
{
	ListCell   *lc;

	foreach(lc, wanted->predicate)
	{
		bool		found = predicate_implied_by(list_make1(lfirst(lc)),
												 index->predicate, false);
		Bitmapset  *attnos = NULL;
		int			i;

		pull_varattnos(lfirst(lc), 1, &attnos);
		for (i = 0; i < index->nkeys && !found; i++)
			found = bms_is_member(index->form->indkey.values[i] -
								  FirstLowInvalidHeapAttributeNumber, attnos);
		if (!found)
			return false;
	}
	return true;
}

/* hash serves a single column that is compared for equality */
static bool
access_method_serves(Existing *index, MSIndex *wanted)
{
	return index->am == wanted->am ||
		(index->am == HASH_AM_OID && wanted->am == BTREE_AM_OID &&
		 list_length(wanted->columns) == 1 && wanted->nequal == 1);
}

/* does it have the order of those columns, or the reverse? */
static bool
order_serves(Existing *index, MSIndex *wanted)
{
	int			reversed = -1;
	int			n = wanted->nequal;
	ListCell   *lc;

	if (wanted->am != BTREE_AM_OID || index->am != BTREE_AM_OID)
		return true;
	for_each_from(lc, wanted->columns, wanted->nequal)
	{
		MSIndexColumn *column = lfirst(lc);
		int			option = index->options->values[n++];
		bool		desc = (option & INDOPTION_DESC) != 0;
		bool		first = (option & INDOPTION_NULLS_FIRST) != 0;
		int			now = desc == column->desc && first == column->nulls_first ?
			0 : desc != column->desc && first != column->nulls_first ? 1 : 2;

		if (now == 2 || (reversed >= 0 && now != reversed))
			return false;
		reversed = now;
	}
	return true;
}

/* equality columns may stand in any order, the others in theirs */
static bool
index_serves(Existing *index, MSIndex *wanted, List *clauses)
{
	int			n = 0;
	int			i;
	ListCell   *lc;

	if (!access_method_serves(index, wanted) ||
		index->nkeys < list_length(wanted->columns) ||
		!predicate_implied_by(index->predicate, clauses, false) ||
		!predicate_served(wanted, index))
		return false;
	foreach(lc, wanted->columns)
	{
		bool		found = false;

		if (n >= wanted->nequal)
			found = column_serves(index, n, lfirst(lc));
		else
			for (i = 0; i < wanted->nequal && !found; i++)
				found = column_serves(index, i, lfirst(lc));
		if (!found)
			return false;
		n++;
	}
	return order_serves(index, wanted);
}

/* has somebody a lock as whoever builds an index of it has? */
static bool
is_being_built(Relation rel)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, RelationGetRelid(rel));
	return VirtualTransactionIdIsValid(GetLockConflicts(&tag,
														 ShareUpdateExclusiveLock,
														 NULL)[0]);
}

static void
look_at(Oid oid, MSIndex *wanted, List *clauses, List **serving, Oid *invalid)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(oid));
	Existing	index;

	if (!HeapTupleIsValid(tuple))
		return;
	index.oid = oid;
	index.form = (Form_pg_index) GETSTRUCT(tuple);
	index.am = am_of_index(oid);
	index.nkeys = index.form->indnkeyatts;
	index.opclasses = (oidvector *) DatumGetPointer(index_vector(tuple, Anum_pg_index_indclass));
	index.collations = (oidvector *) DatumGetPointer(index_vector(tuple, Anum_pg_index_indcollation));
	index.options = (int2vector *) DatumGetPointer(index_vector(tuple, Anum_pg_index_indoption));
	index.exprs = (List *) index_attribute(tuple, Anum_pg_index_indexprs);
	index.predicate = predicate_of(tuple);
	if (index.form->indislive && index_serves(&index, wanted, clauses))
	{
		if (!index.form->indisvalid)
			*invalid = oid;
		else
			*serving = lappend_oid(*serving, oid);
	}
	ReleaseSysCache(tuple);
}

/* all of what it takes must be there */
void
ms_remedy_look_for(MSRemedy *remedy, Relation rel, const MSFact *fact)
{
	bool		all = true;
	ListCell   *lc;
	ListCell   *i;

	foreach(lc, remedy->indexes)
	{
		List	   *serving = NIL;
		Oid			invalid = InvalidOid;

		foreach(i, RelationGetIndexList(rel))
			look_at(lfirst_oid(i), lfirst(lc), fact->clauses, &serving,
					&invalid);
		if (list_length(remedy->indexes) == 1 && OidIsValid(invalid) &&
			serving == NIL && !rel->rd_rel->relispartition)
		{
			remedy->invalid = invalid;
			remedy->building = is_being_built(rel);
		}
		if (serving == NIL)
			all = false;
		remedy->serving = list_concat(remedy->serving, serving);
	}
	if (all && remedy->serving != NIL)
		remedy->there = linitial_oid(remedy->serving);
}

/*
 * Statistics
 */

bool
ms_lacks_statistics(Relation rel, Bitmapset *attnos)
{
	int			i = -1;

	if (rel->rd_rel->reltuples <= 0)
		return true;
	while ((i = bms_next_member(attnos, i)) >= 0)
	{
		AttrNumber	attno = i + FirstLowInvalidHeapAttributeNumber;

		if (attno > 0 &&
			!SearchSysCacheExists3(STATRELATTINH,
								   ObjectIdGetDatum(RelationGetRelid(rel)),
								   Int16GetDatum(attno), BoolGetDatum(false)))
			return true;
	}
	return false;
}

bool
ms_has_grown(Relation rel)
{
	return RelationGetNumberOfBlocks(rel) >
		rel->rd_rel->relpages * (1 + STALE_SHARE);
}

/*
 * Rows that have changed, as the cumulative statistics count: what was done
 * just before ANALYZE, or in its transaction, may come in after it.
 */
bool
ms_is_counted_stale(Relation rel)
{
	Datum		relid = ObjectIdGetDatum(RelationGetRelid(rel));
	Datum		changed = OidFunctionCall1(F_PG_STAT_GET_MOD_SINCE_ANALYZE,
										   relid);

	return DatumGetInt64(changed) > rel->rd_rel->reltuples * STALE_SHARE;
}

const char *
ms_statistics_are_old(Relation rel, const MSFact *fact)
{
	Bitmapset  *attnos = NULL;

	pull_varattnos((Node *) fact->clauses, 1, &attnos);
	if (ms_lacks_statistics(rel, attnos))
		return "its table has no statistics: ANALYZE it";
	if (ms_has_grown(rel) || ms_is_counted_stale(rel))
		return "many rows of its table have changed since it was analyzed: ANALYZE it";
	return NULL;
}
