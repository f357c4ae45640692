/*-------------------------------------------------------------------------
 *
 * workload.c
 *	  Suggestions for all statements of a profile together.
 *
 * Indexes of one table of which one begins as the other are one: the longer.
 * An index that is there and begins a new one is no longer needed beside it,
 * unless it is for more than to be searched: unique, of a constraint, the
 * replica identity, or what the table is clustered by.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "commands/defrem.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

/* NULL: it is not about one new index */
static const MSIndex *
index_of(const MSFinding *finding)
{
	const MSRemedy *remedy = finding->remedy;

	return remedy == NULL || OidIsValid(remedy->invalid) ||
		list_length(remedy->indexes) != 1 ? NULL : linitial(remedy->indexes);
}

static bool
same_column(const MSIndexColumn *a, const MSIndexColumn *b)
{
	return equal(a->expr, b->expr) && a->opclass == b->opclass &&
		a->collation == b->collation && a->desc == b->desc &&
		a->nulls_first == b->nulls_first;
}

static bool
has_column(const MSIndex *index, int n, const MSIndexColumn *column)
{
	ListCell   *lc;

	foreach(lc, index->columns)
		if (n-- > 0 && same_column(lfirst(lc), column))
			return true;
	return false;
}

/* would the longer one do for what the other is for? */
static bool
covers(const MSIndex *longer, const MSIndex *other)
{
	int			n = 0;
	ListCell   *lc;

	if (longer->relid != other->relid || longer->am != BTREE_AM_OID ||
		other->am != BTREE_AM_OID ||
		!equal(longer->predicate, other->predicate) ||
		(other->included != NIL && !equal(longer->included, other->included)) ||
		list_length(longer->columns) < list_length(other->columns))
		return false;

	/* what is compared for equality may stand in any order, in front */
	foreach(lc, other->columns)
	{
		bool		found = n < other->nequal ?
			has_column(longer, other->nequal, lfirst(lc)) :
			same_column(list_nth(longer->columns, n), lfirst(lc));

		if (!found)
			return false;
		n++;
	}
	return true;
}

/*
 * Indexes that are there
 */

/* what an index is for, beside being searched */
static bool
is_for_more(Form_pg_index form)
{
	return form->indisunique || form->indisprimary || form->indisexclusion ||
		form->indisclustered || form->indisreplident || !form->indisvalid;
}

/* does it begin the new one? */
static bool
begins(HeapTuple tuple, const MSIndex *index)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	bool		isnull;
	oidvector  *opclasses;
	int2vector *options;
	int			i;

	opclasses = (oidvector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indclass, &isnull));
	options = (int2vector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indoption, &isnull));
	(void) SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indpred, &isnull);
	if (!isnull || index->predicate != NIL || is_for_more(form) ||
		form->indnatts != form->indnkeyatts ||
		form->indnkeyatts > list_length(index->columns))
		return false;
	for (i = 0; i < form->indnkeyatts; i++)
	{
		MSIndexColumn *column = list_nth(index->columns, i);
		Oid			opclass;

		if (form->indkey.values[i] == 0 || !IsA(column->expr, Var) ||
			((Var *) column->expr)->varattno != form->indkey.values[i] ||
			OidIsValid(column->collation))
			return false;
		opclass = OidIsValid(column->opclass) ? column->opclass :
			GetDefaultOpClass(exprType(column->expr), index->am);
		if (opclass != opclasses->values[i] ||
			((options->values[i] & INDOPTION_DESC) != 0) != column->desc ||
			((options->values[i] & INDOPTION_NULLS_FIRST) != 0) != column->nulls_first)
			return false;
	}
	return true;
}

/* columns whose updates cannot be HOT */
static void
add_columns_of(HeapTuple tuple, Bitmapset **attnos)
{
	static const AttrNumber trees[] = {Anum_pg_index_indexprs,
	Anum_pg_index_indpred};
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	int			i;

	for (i = 0; i < form->indnatts; i++)
		if (form->indkey.values[i] != 0)
			*attnos = bms_add_member(*attnos, form->indkey.values[i] -
									 FirstLowInvalidHeapAttributeNumber);
	for (i = 0; i < lengthof(trees); i++)
	{
		bool		isnull;
		Datum		datum = SysCacheGetAttr(INDEXRELID, tuple, trees[i],
											&isnull);

		if (!isnull)
			pull_varattnos(stringToNode(TextDatumGetCString(datum)), 1,
						   attnos);
	}
}

static List *
names_of(Oid relid, Bitmapset *attnos)
{
	List	   *names = NIL;
	int			i = -1;

	while ((i = bms_next_member(attnos, i)) >= 0)
	{
		AttrNumber	attno = i + FirstLowInvalidHeapAttributeNumber;
		char	   *name = attno > 0 ? get_attname(relid, attno, true) : NULL;

		if (name != NULL)
			names = lappend(names, name);
	}
	return names;
}

static void
look_at_indexes(MSWork *work, const MSIndex *index)
{
	Relation	rel = ms_open_without_waiting(index->relid);
	Bitmapset  *attnos = NULL;
	ListCell   *lc;
	ListCell   *c;

	if (rel == NULL)
		return;
	foreach(lc, RelationGetIndexList(rel))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(lc)));
		char	   *name;

		if (!HeapTupleIsValid(tuple))
			continue;
		if (index->am == BTREE_AM_OID && !rel->rd_rel->relispartition &&
			begins(tuple, index) &&
			(name = ms_qualified_name(lfirst_oid(lc))) != NULL)
			work->replaces = lappend(work->replaces, name);
		add_columns_of(tuple, &attnos);
		ReleaseSysCache(tuple);
	}
	work->indexed = names_of(index->relid, attnos);
	attnos = NULL;
	foreach(c, index->columns)
		pull_varattnos(((MSIndexColumn *) lfirst(c))->expr, 1, &attnos);
	pull_varattnos((Node *) index->predicate, 1, &attnos);
	pull_varattnos((Node *) index->included, 1, &attnos);
	work->columns = names_of(index->relid, attnos);
	work->relid = ms_topmost(index->relid);
	relation_close(rel, AccessShareLock);
}

/*
 * All together
 */

static MSWork *
find_work(List *all, const MSFinding *finding)
{
	const MSIndex *index = index_of(finding);
	ListCell   *lc;

	foreach(lc, all)
	{
		MSWork	   *work = lfirst(lc);
		const MSIndex *other = index_of(work->best);

		if (strcmp(work->best->suggestion, finding->suggestion) == 0)
			return work;
		if (index == NULL || other == NULL)
			continue;
		if (covers(other, index))
			return work;
		if (covers(index, other))
		{
			work->best = finding;
			return work;
		}
	}
	return NULL;
}

/* of those that suggest an index */
List *
ms_workload(List *findings)
{
	List	   *all = NIL;
	ListCell   *lc;

	foreach(lc, findings)
	{
		MSFinding  *finding = lfirst(lc);
		MSWork	   *work;

		if (finding->remedy == NULL || finding->suggestion == NULL)
			continue;
		work = find_work(all, finding);
		if (work == NULL)
		{
			work = palloc0(sizeof(MSWork));
			work->best = finding;
			all = lappend(all, work);
		}
		work->findings = lappend(work->findings, finding);
	}
	foreach(lc, all)
	{
		MSWork	   *work = lfirst(lc);

		if (index_of(work->best) != NULL)
			look_at_indexes(work, index_of(work->best));
	}
	return all;
}
