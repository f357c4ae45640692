/*-------------------------------------------------------------------------
 *
 * hypothetical.c
 *	  The planner is shown indexes that are not there.
 *
 * They have OIDs that no catalog has, and the planner knows that they are
 * hypothetical: it opens none of them.  What it would read of one that exists,
 * it is told: size and height as CREATE INDEX would make them, by the widths
 * that the statistics know.  Nothing of that is left once it has planned; the
 * plan must not be executed.
 *
 * They are shown for one query.  Functions that the planner calls meanwhile may
 * have queries of their own planned, which they execute and keep.
 *
 * No statement is to be planned with CURSOR_OPT_SCROLL meanwhile: then the
 * planner looks for the index in the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/amapi.h"
#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

/* shares of a page that entries fill */
#define BTREE_FILL		0.9
#define OTHER_FILL		0.7

/* the last of all OIDs */
#define HYPOTHETICAL_OID	((Oid) 4294967000U)

static MSShown shown = {NIL, NULL};

/* of Oid: what is kept from it */
static List *unseen = NIL;

/* searches of indexes that it looks at meanwhile; of more nothing is known */
#define SEARCHES		64

static MSSearch searches[SEARCHES];
static int	nsearches = 0;

static ms_relation_hook_type prev_hook = NULL;
static planner_hook_type prev_planner = NULL;

/*
 * Partitions have columns of the same names, maybe in other places.
 */
typedef struct Mapping
{
	Oid			from;
	Oid			to;
	Index		varno;
	bool		failed;
} Mapping;

static Node *
map_columns(Node *node, void *context)
{
	Mapping    *mapping = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = copyObject((Var *) node);

		var->varno = mapping->varno;
		var->varnosyn = mapping->varno;
		if (mapping->from != mapping->to)
		{
			char	   *name = get_attname(mapping->from, var->varattno, true);

			var->varattno = name ? get_attnum(mapping->to, name) :
				InvalidAttrNumber;
			var->varattnosyn = var->varattno;
			if (var->varattno == InvalidAttrNumber)
				mapping->failed = true;
		}
		return (Node *) var;
	}
	return expression_tree_mutator(node, map_columns, context);
}

/*
 * Sizes
 */

static int
width_of(Oid relid, Node *expr)
{
	int32		width = 0;

	if (IsA(expr, Var))
		width = get_attavgwidth(relid, ((Var *) expr)->varattno);
	return width > 0 ? width :
		get_typavgwidth(exprType(expr), exprTypmod(expr));
}

static void
set_size(IndexOptInfo *info, double width)
{
	double		entry = MAXALIGN((Size) width + sizeof(IndexTupleData)) +
		sizeof(ItemIdData);
	double		fill = info->relam == BTREE_AM_OID ? BTREE_FILL : OTHER_FILL;
	double		on_page;

	/* hash keeps four bytes of a value, GIN a value once for all its rows */
	if (info->relam == HASH_AM_OID)
		entry = MAXALIGN(sizeof(uint32) + sizeof(IndexTupleData)) +
			sizeof(ItemIdData);
	on_page = Max(floor((BLCKSZ - SizeOfPageHeaderData - 16) * fill / entry), 2);
	info->pages = (BlockNumber) Max(ceil(info->tuples / on_page), 1) + 1;
	info->tree_height = -1;
	if (info->relam == BTREE_AM_OID)
	{
		double		pages = info->pages;

		info->tree_height = 0;
		while (pages > 1 && info->tree_height < 20)
		{
			pages = ceil(pages / on_page);
			info->tree_height++;
		}
	}
}

/*
 * What the planner is told
 */

static void
set_abilities(IndexOptInfo *info, int ncolumns)
{
	const IndexAmRoutine *am = GetIndexAmRoutineByAmId(info->relam, false);

	info->amcanorderbyop = am->amcanorderbyop;
	info->amoptionalkey = am->amoptionalkey;
	info->amsearcharray = am->amsearcharray;
	info->amsearchnulls = am->amsearchnulls;
	info->amhasgettuple = am->amgettuple != NULL;
	info->amhasgetbitmap = am->amgetbitmap != NULL;
	info->amcanparallel = am->amcanparallel;
	info->amcanmarkpos = am->ammarkpos != NULL && am->amrestrpos != NULL;
	info->amcostestimate = am->amcostestimate;
	if (!am->amcanorder)
		return;
	info->sortopfamily = info->opfamily;
	info->reverse_sort = palloc0(sizeof(bool) * ncolumns);
	info->nulls_first = palloc0(sizeof(bool) * ncolumns);
}

static void
set_column(IndexOptInfo *info, int i, const MSIndexColumn *column, Node *expr)
{
	Oid			opclass = OidIsValid(column->opclass) ? column->opclass :
		GetDefaultOpClass(exprType(expr), info->relam);

	/* a row as a whole is an expression */
	info->indexkeys[i] = IsA(expr, Var) ? ((Var *) expr)->varattno : 0;
	if (info->indexkeys[i] == 0)
		info->indexprs = lappend(info->indexprs, expr);
	info->indexcollations[i] = OidIsValid(column->collation) ?
		column->collation : exprCollation(expr);
	info->opfamily[i] = get_opclass_family(opclass);
	info->opcintype[i] = get_opclass_input_type(opclass);
	info->canreturn[i] = info->relam == BTREE_AM_OID;
	if (info->reverse_sort != NULL)
	{
		info->reverse_sort[i] = column->desc;
		info->nulls_first[i] = column->nulls_first;
	}
	info->indextlist = lappend(info->indextlist,
							   makeTargetEntry((Expr *) expr, i + 1, NULL,
											   false));
}

static void
set_included(IndexOptInfo *info, int i, Node *expr)
{
	info->indexkeys[i] = ((Var *) expr)->varattno;
	info->canreturn[i] = info->relam == BTREE_AM_OID;
	info->indextlist = lappend(info->indextlist,
							   makeTargetEntry((Expr *) expr, i + 1, NULL,
											   false));
}

/* of the table's rows; the relation may not be among the planner's yet */
static double
share_of(PlannerInfo *root, RelOptInfo *rel, List *predicate)
{
	RelOptInfo *known = root->simple_rel_array[rel->relid];
	double		result;

	root->simple_rel_array[rel->relid] = rel;
	result = clauselist_selectivity(root, predicate, rel->relid, JOIN_INNER,
									NULL);
	root->simple_rel_array[rel->relid] = known;
	return result;
}

/* of an expression there are statistics where somebody has them made */
static bool
has_statistics(RelOptInfo *rel, Node *expr)
{
	ListCell   *lc;

	foreach(lc, rel->statlist)
		if (list_member(ms_stat_expressions(lfirst(lc)), expr))
			return true;
	return IsA(expr, Var);
}

/* NULL where it cannot be of that table */
static IndexOptInfo *
make_info(PlannerInfo *root, RelOptInfo *rel, Oid relid, MSIndex *index)
{
	IndexOptInfo *info = makeNode(IndexOptInfo);
	int			nkeys = list_length(index->columns);
	int			n = nkeys + list_length(index->included);
	Mapping		mapping = {index->relid, relid, rel->relid, false};
	double		width = 0;
	int			i = 0;
	ListCell   *lc;

	info->indexoid = index->oid;
	info->reltablespace = rel->reltablespace;
	info->rel = rel;
	info->ncolumns = n;
	info->nkeycolumns = nkeys;
	info->relam = index->am;
	info->indexkeys = palloc0(sizeof(int) * n);
	info->indexcollations = palloc0(sizeof(Oid) * n);
	info->opfamily = palloc0(sizeof(Oid) * n);
	info->opcintype = palloc0(sizeof(Oid) * n);
	info->canreturn = palloc0(sizeof(bool) * n);

	/* never NULL: GIN's costs look at it */
	info->opclassoptions = palloc0(sizeof(bytea *) * n);
	info->hypothetical = true;
	info->immediate = true;
	set_abilities(info, n);
	foreach(lc, index->columns)
	{
		MSIndexColumn *column = lfirst(lc);
		Node	   *expr = map_columns(column->expr, &mapping);

		if (mapping.failed)
			return NULL;
		width += width_of(relid, expr);
		set_column(info, i++, column, expr);
		if (!has_statistics(rel, expr))
			index->guessed = true;
	}
	foreach(lc, index->included)
	{
		Node	   *expr = map_columns(lfirst(lc), &mapping);

		if (mapping.failed)
			return NULL;
		width += width_of(relid, expr);
		set_included(info, i++, expr);
	}
	info->indpred = (List *) map_columns((Node *) index->predicate, &mapping);
	if (mapping.failed)
		return NULL;
	info->tuples = rel->tuples;
	if (info->indpred != NIL)
		info->tuples *= share_of(root, rel, info->indpred);
	info->tuples = Max(info->tuples, 1);
	set_size(info, width);
	return info;
}

/* would it have that index, being of that table or a partition below it? */
static bool
would_have(Oid relid, const MSIndex *index)
{
	return relid == index->of ||
		(get_rel_relispartition(relid) &&
		 list_member_oid(get_partition_ancestors(relid), index->of));
}

static void
show(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	ListCell   *lc;

	foreach(lc, shown.indexes)
	{
		MSIndex    *index = lfirst(lc);
		IndexOptInfo *info;

		if (!would_have(relid, index))
			continue;
		info = make_info(root, rel, relid, index);
		if (info != NULL)
			rel->indexlist = lappend(rel->indexlist, info);
	}
}

/*
 * Searches: no memory is taken, as the planner throws away some of its own
 */

const MSSearch *
ms_search_of(Oid index, int nquals)
{
	int			i;

	for (i = 0; i < nsearches; i++)
		if (searches[i].index == index && searches[i].nquals == nquals)
			return &searches[i];
	return NULL;
}

/* stands before amcostestimate() of the access method */
static void
estimate(PlannerInfo *root, IndexPath *path, double loops, Cost *startup,
		 Cost *total, Selectivity *selectivity, double *correlation,
		 double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	MSSearch   *search;
	int			nquals = 0;
	double		rows;
	ListCell   *lc;

	GetIndexAmRoutineByAmId(info->relam, false)->amcostestimate(root, path,
																loops, startup,
																total,
																selectivity,
																correlation,
																pages);
	foreach(lc, path->indexclauses)
		nquals += list_length(lfirst_node(IndexClause, lc)->indexquals);
	search = unconstify(MSSearch *, ms_search_of(info->indexoid, nquals));
	if (search == NULL)
	{
		if (nsearches == SEARCHES)
			return;
		search = &searches[nsearches++];
		search->rows = -1;
	}
	rows = *selectivity * info->rel->tuples;
	if (rows <= search->rows)
		return;
	search->index = info->indexoid;
	search->nquals = nquals;
	search->rows = rows;
	search->blocks = *pages + Max(info->tree_height, 0);
	search->correlation = *correlation;
}

static void
watch(RelOptInfo *rel)
{
	ListCell   *lc;

	foreach(lc, rel->indexlist)
		((IndexOptInfo *) lfirst(lc))->amcostestimate = estimate;
}

static void
conceal(RelOptInfo *rel)
{
	List	   *seen = NIL;
	ListCell   *lc;

	foreach(lc, rel->indexlist)
		if (!list_member_oid(unseen, ((IndexOptInfo *) lfirst(lc))->indexoid))
			seen = lappend(seen, lfirst(lc));
	rel->indexlist = seen;
}

static void
relation_hook(MS_RELATION_PARAMS)
{
	if (prev_hook)
		prev_hook(MS_RELATION_ARGS);
	if (unseen != NIL)
		conceal(rel);
	if (shown.indexes != NIL && ms_relation_is_table(root, rel))
		show(root, rel, planner_rt_fetch(rel->relid, root)->relid);
	if (shown.query != NULL)
		watch(rel);
}

/* a query of somebody else's sees nothing */
static PlannedStmt *
showing_planner(MS_PLANNER_PARAMS)
{
	MSShown		saved = shown;
	PlannedStmt *result;

	if (parse != shown.query)
	{
		shown.indexes = NIL;
		shown.query = NULL;
	}
	PG_TRY();
	{
		result = prev_planner ? prev_planner(MS_PLANNER_ARGS) :
			standard_planner(MS_PLANNER_ARGS);
	}
	PG_FINALLY();
	{
		shown = saved;
	}
	PG_END_TRY();
	return result;
}

static void
install(void)
{
	static bool installed = false;

	if (installed)
		return;
	prev_hook = ms_relation_hook;
	ms_relation_hook = relation_hook;
	prev_planner = planner_hook;
	planner_hook = showing_planner;
	installed = true;
}

MSShown
ms_hypothetical_show(List *indexes, const Query *query)
{
	MSShown		before = shown;
	Oid			oid = HYPOTHETICAL_OID;
	ListCell   *lc;

	install();
	foreach(lc, indexes)
	{
		while (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(oid)))
			oid--;
		((MSIndex *) lfirst(lc))->oid = oid--;
		((MSIndex *) lfirst(lc))->guessed = false;
	}
	shown.indexes = indexes;
	shown.query = query;
	nsearches = 0;
	return before;
}

void
ms_hypothetical_restore(MSShown before)
{
	shown = before;
}

void
ms_hypothetical_without(List *oids)
{
	install();
	unseen = oids;
}
