/*-------------------------------------------------------------------------
 *
 * candidates.c
 *	  The indexes that might serve the conditions of a scan, or give its rows
 *	  in the order in which the first of them are wanted.
 *
 * Of a btree columns compared for equality come first, then one that is
 * compared otherwise, or the order.  Each arm of an OR has an index of its
 * own.
 *
 * Nothing here says that one of them helps: that is tried in prove.c.  Where
 * it cannot be tried, what counts is what has been measured; see is_measured().
 *
 * The caller has the table locked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_statistic.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

/* an index has so many columns to search by, at most */
#define KEY_COLUMNS		4

/* so many of a kind, and of all kinds, are tried */
#define SOME			3
#define REMEDIES		12

/* without proof, such a share of the rows is few */
#define FEW				0.1

/* values of so many bytes on average may be too long for a btree */
#define WIDE_VALUE		500

/*
 * Statistics
 */

/* how many values a column has, 0: not known; width: of one, on average */
static double
distinct_values(MSKeys *keys, Node *expr, int *width)
{
	HeapTuple	tuple;
	Form_pg_statistic stats;
	double		result;

	*width = 0;
	if (!IsA(expr, Var))
		return 0;
	tuple = SearchSysCache3(STATRELATTINH,
							ObjectIdGetDatum(RelationGetRelid(keys->rel)),
							Int16GetDatum(((Var *) expr)->varattno),
							BoolGetDatum(false));
	if (!HeapTupleIsValid(tuple))
		return 0;
	stats = (Form_pg_statistic) GETSTRUCT(tuple);
	*width = stats->stawidth;
	result = stats->stadistinct >= 0 ? stats->stadistinct :
		-stats->stadistinct * Max(keys->rel->rd_rel->reltuples, 0);
	ReleaseSysCache(tuple);
	return result;
}

/*
 * May some of its values be too long for a btree?  Only what is compared for
 * equality has a way out.
 */
static bool
is_wide(MSKeys *keys, Node *expr)
{
	int			width;

	if (get_typlen(exprType(expr)) != -1)
		return false;
	(void) distinct_values(keys, expr, &width);
	return width > WIDE_VALUE;
}

/*
 * The most selective of the columns compared for equality, in their order.
 * What is not known to be is left out where there are too many.
 */
static List *
most_selective(MSKeys *keys, List *equal)
{
	bool		too_many = list_length(equal) > KEY_COLUMNS;

	while (too_many && list_length(equal) > 1)
	{
		MSKey		   *worst = NULL;
		double		least = 0;
		ListCell   *lc;

		foreach(lc, equal)
		{
			int			width;
			double		values = distinct_values(keys,
												 ((MSKey *) lfirst(lc))->expr,
												 &width);

			if (worst == NULL || values <= least)
			{
				worst = lfirst(lc);
				least = values;
			}
		}
		if (list_length(equal) <= KEY_COLUMNS && least > 0)
			break;
		equal = list_delete_ptr(equal, worst);
	}
	return equal;
}

/*
 * Order
 */

/*
 * By columns of a btree, or NIL.  An index can be read backwards: descending
 * order as such is that of an ascending index.
 */
static void
collect_order(MSKeys *keys)
{
	List	   *order = NIL;
	bool		backward = true;
	ListCell   *lc;

	for (lc = list_head(keys->fact->order); lc != NULL;
		 lc = lnext(keys->fact->order, lnext(keys->fact->order, lc)))
	{
		MSIndexColumn *column = palloc0(sizeof(MSIndexColumn));
		SortGroupClause *by = lfirst(lnext(keys->fact->order, lc));
		Oid			opclass;
		int			strategy = 0;

		column->expr = ms_strip_relabel(lfirst(lc));
		if (!ms_is_indexable(keys, column->expr))
			return;
		opclass = GetDefaultOpClass(exprType(column->expr), BTREE_AM_OID);
		if (OidIsValid(opclass))
			strategy = get_op_opfamily_strategy(by->sortop,
												get_opclass_family(opclass));
		if (strategy != BTLessStrategyNumber &&
			strategy != BTGreaterStrategyNumber)
			return;
		column->desc = strategy == BTGreaterStrategyNumber;
		column->nulls_first = by->nulls_first;
		if (!column->desc || !column->nulls_first)
			backward = false;

		/* what is one value throughout has no order */
		if (!ms_has_expr(keys->equal, column->expr))
			order = lappend(order, column);
		if (list_length(order) > KEY_COLUMNS)
			return;
	}
	if (backward && keys->equal == NIL)
		foreach(lc, order)
		{
			MSIndexColumn *column = lfirst(lc);

			column->desc = column->nulls_first = false;
		}
	keys->order = order;
}

/*
 * An index that was read from end to end was read for its order.  Where rows
 * are to be found by equality, they can come in that order too.
 */
static void
collect_index_order(MSKeys *keys)
{
	const MSFact *fact = keys->fact;
	HeapTuple	tuple;
	Form_pg_index index;
	AttrNumber	attno;

	if (keys->order != NIL || keys->equal == NIL ||
		list_length(fact->clauses) > fact->nfilters ||
		!OidIsValid(fact->index))
		return;
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(fact->index));
	if (!HeapTupleIsValid(tuple))
		return;
	index = (Form_pg_index) GETSTRUCT(tuple);
	attno = index->indkey.values[0];
	if (index->indrelid == RelationGetRelid(keys->rel) && attno > 0)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(keys->rel),
											  attno - 1);
		MSIndexColumn *column = palloc0(sizeof(MSIndexColumn));

		column->expr = (Node *) makeVar(1, attno, att->atttypid,
										att->atttypmod, att->attcollation, 0);
		if (OidIsValid(GetDefaultOpClass(att->atttypid, BTREE_AM_OID)) &&
			!ms_has_expr(keys->equal, column->expr))
			keys->order = list_make1(column);
	}
	ReleaseSysCache(tuple);
}

/*
 * Remedies
 */

static MSIndexColumn *
column_of(MSKey *key)
{
	MSIndexColumn *column = palloc0(sizeof(MSIndexColumn));

	column->expr = key->expr;
	if (OidIsValid(key->collation) &&
		OidIsValid(exprCollation(key->expr)) &&
		key->collation != exprCollation(key->expr))
		column->collation = key->collation;
	if (key->use == USE_PREFIX && key->collation != C_COLLATION_OID)
		column->opclass = TEXT_BTREE_PATTERN_OPS_OID;
	return column;
}

/* has one of the columns that condition? */
static bool
is_about(MSKeys *keys, List *columns, Node *clause)
{
	MSKey		   *key = ms_match_clause(keys, clause);
	ListCell   *lc;

	foreach(lc, columns)
		if (equal(((MSIndexColumn *) lfirst(lc))->expr, key->expr))
			return true;
	return false;
}

/* without proof: are the rows that it finds known to be few? */
static bool
is_measured(MSKeys *keys, List *columns)
{
	const MSFact *fact = keys->fact;
	double		share = 1;
	ListCell   *lc;
	ListCell   *k;

	if (!MS_DISCARDS(fact->kind) || fact->kind == MS_SORT_DISCARDS ||
		keys->rel->rd_rel->relrowsecurity)
		return false;
	if (fact->kind == MS_MISSING_FK_INDEX ||
		(fact->nfilters == 1 && is_about(keys, columns, linitial(fact->clauses))))
		return fact->rows_read - fact->rows_discarded <=
			fact->rows_read * FEW;
	foreach(lc, columns)
	{
		MSIndexColumn *column = lfirst(lc);

		foreach(k, keys->equal)
		{
			MSKey		   *key = lfirst(k);
			int			width;
			double		values;

			if (!equal(key->expr, column->expr) ||
				!IsA(key->clause, OpExpr))
				continue;
			values = distinct_values(keys, key->expr, &width);
			if (values > 0)
				share = Min(share, 1 / values);
		}
	}
	return share < FEW;
}

static MSIndex *
make_index(MSKeys *keys, Oid am, List *columns, List *predicate)
{
	MSIndex    *index = palloc0(sizeof(MSIndex));
	ListCell   *lc;

	index->relid = RelationGetRelid(keys->rel);
	index->of = ms_topmost(index->relid);
	index->am = am;
	index->columns = columns;
	index->predicate = predicate;
	foreach(lc, columns)
	{
		if (!ms_has_expr(keys->equal, ((MSIndexColumn *) lfirst(lc))->expr))
			break;
		index->nequal++;
	}
	return index;
}

static bool
same_index(const MSIndex *a, const MSIndex *b)
{
	ListCell   *x;
	ListCell   *y;

	if (a->am != b->am || list_length(a->columns) != list_length(b->columns) ||
		!equal(a->predicate, b->predicate))
		return false;
	forboth(x, a->columns, y, b->columns)
	{
		MSIndexColumn *c = lfirst(x);
		MSIndexColumn *d = lfirst(y);

		if (!equal(c->expr, d->expr) || c->opclass != d->opclass ||
			c->desc != d->desc || c->nulls_first != d->nulls_first)
			return false;
	}
	return true;
}

static MSRemedy *
add_remedy(MSKeys *keys, List *indexes)
{
	MSRemedy   *remedy = palloc0(sizeof(MSRemedy));

	remedy->indexes = indexes;
	keys->remedies = lappend(keys->remedies, remedy);
	return remedy;
}

static void
add_index(MSKeys *keys, Oid am, List *columns, List *predicate)
{
	MSIndex    *index = make_index(keys, am, columns, predicate);
	ListCell   *lc;

	if (columns == NIL || list_length(columns) > INDEX_MAX_KEYS ||
		list_length(keys->remedies) >= REMEDIES)
		return;
	foreach(lc, keys->remedies)
	{
		MSRemedy   *other = lfirst(lc);

		if (same_index(linitial(other->indexes), index))
			return;
	}
	add_remedy(keys, list_make1(index))->measured =
		is_measured(keys, columns);
}

/* unless it is said otherwise, of what is wide there is no btree */
static void
add_btree(MSKeys *keys, List *columns, List *predicate)
{
	ListCell   *lc;

	foreach(lc, columns)
		if (is_wide(keys, ((MSIndexColumn *) lfirst(lc))->expr))
			return;
	add_index(keys, BTREE_AM_OID, columns, predicate);
}

static List *
columns_of(List *some)
{
	List	   *columns = NIL;
	ListCell   *lc;

	foreach(lc, some)
		columns = lappend(columns, column_of(lfirst(lc)));
	return columns;
}

/* the columns of a predicate serve it, too, where there is nothing better */
static List *
predicate_column(MSKeys *keys)
{
	MSKey		   *key = keys->predicate;

	if (key == NULL || !IsA(key->expr, Var) ||
		!OidIsValid(GetDefaultOpClass(exprType(key->expr), BTREE_AM_OID)))
		return NIL;
	return list_make1(column_of(key));
}

/*
 * An index that gives rows in the order of LIMIT is good as far as it gives no
 * others: the planner takes for granted that those wanted are spread over all
 * of it, and reads it to the end where they are not.
 */
static bool
order_is_enough(MSKeys *keys, List *predicate)
{
	ListCell   *lc;
	ListCell   *k;

	foreach(lc, keys->fact->clauses)
	{
		bool		found = list_member(predicate, lfirst(lc));

		foreach(k, keys->equal)
			found = found || equal(((MSKey *) lfirst(k))->clause, lfirst(lc));
		if (!found)
			return false;
	}
	return true;
}

/* with a predicate, and then all without it */
static void
add_btrees(MSKeys *keys, List *predicate)
{
	List	   *equal = columns_of(keys->equal);
	int			n = 0;
	ListCell   *lc;

	foreach(lc, keys->ranges)
		if (n++ < SOME)
			add_btree(keys, lappend(list_copy(equal), column_of(lfirst(lc))),
					  predicate);
	if (keys->order != NIL && order_is_enough(keys, predicate))
		add_btree(keys, list_concat_copy(equal, keys->order), predicate);
	foreach(lc, keys->rows)
	{
		List	   *columns = list_copy(equal);
		ListCell   *r;

		foreach(r, ((MSKey *) lfirst(lc))->row)
		{
			MSKey			part = {.expr = lfirst(r)};

			if (!ms_has_expr(keys->equal, part.expr))
				columns = lappend(columns, column_of(&part));
		}
		add_btree(keys, columns, predicate);
	}
	add_btree(keys, equal, predicate);
	n = 0;
	foreach(lc, keys->ranges)
		if (n++ < SOME)
			add_btree(keys, list_make1(column_of(lfirst(lc))), predicate);
	n = 0;
	foreach(lc, keys->equal)
		if (n++ < SOME)
			add_btree(keys, list_make1(column_of(lfirst(lc))), predicate);
	if (predicate != NIL && keys->equal == NIL && keys->ranges == NIL)
		add_btree(keys, predicate_column(keys), predicate);
}

static void
add_others(MSKeys *keys)
{
	ListCell   *lc;

	foreach(lc, keys->others)
	{
		MSKey		   *key = lfirst(lc);
		MSIndexColumn *column = column_of(key);

		column->opclass = key->opclass;
		add_index(keys, key->am, list_make1(column), keys->predicates);
		if (keys->predicates != NIL)
			add_index(keys, key->am, list_make1(column), NIL);
	}
	foreach(lc, keys->equal)
	{
		MSKey		   *key = lfirst(lc);

		if (is_wide(keys, key->expr) && IsA(key->clause, OpExpr) &&
			OidIsValid(GetDefaultOpClass(exprType(key->expr), HASH_AM_OID)))
			add_index(keys, HASH_AM_OID, list_make1(column_of(key)), NIL);
	}
}

/* one index for each arm; one for several where they are the same */
static void
add_arms(MSKeys *keys, List *arms)
{
	List	   *indexes = NIL;
	ListCell   *lc;
	ListCell   *i;

	foreach(lc, arms)
	{
		MSKey		   *key = lfirst(lc);
		MSIndexColumn *column = column_of(key);
		MSIndex    *index;
		bool		found = false;

		if (key->use == USE_OTHER)
			column->opclass = key->opclass;
		else if (is_wide(keys, key->expr) ||
				 !OidIsValid(GetDefaultOpClass(exprType(key->expr),
											   BTREE_AM_OID)))
			return;
		if (key->use == USE_PREDICATE && ms_contains_param(key->clause, NULL))
			return;
		index = make_index(keys, key->use == USE_OTHER ? key->am :
						   BTREE_AM_OID, list_make1(column),
						   key->use == USE_PREDICATE ?
						   list_make1(key->clause) : NIL);
		foreach(i, indexes)
			found = found || same_index(lfirst(i), index);
		if (!found)
			indexes = lappend(indexes, index);
	}
	if (list_length(indexes) <= KEY_COLUMNS &&
		list_length(keys->remedies) < REMEDIES)
		add_remedy(keys, indexes);
}

List *
ms_remedies(Relation rel, const MSFact *fact, const char **reason)
{
	MSKeys		keys = {0};
	ListCell   *lc;

	keys.rel = rel;
	keys.fact = fact;
	ms_match_clauses(&keys);
	keys.equal = most_selective(&keys, keys.equal);

	/* a range on a column that is also compared for equality */
	foreach(lc, keys.ranges)
		if (ms_has_expr(keys.equal, ((MSKey *) lfirst(lc))->expr))
			keys.ranges = foreach_delete_current(keys.ranges, lc);
	collect_order(&keys);
	collect_index_order(&keys);

	add_btrees(&keys, keys.predicates);
	add_others(&keys);
	foreach(lc, keys.arms)
		add_arms(&keys, lfirst(lc));
	if (keys.predicates != NIL)
		add_btrees(&keys, NIL);
	*reason = keys.reason;
	return keys.remedies;
}
