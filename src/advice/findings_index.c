/*-------------------------------------------------------------------------
 *
 * findings_index.c
 *	  The index that would have served the conditions of a scan, if there is
 *	  one to be made and none that does.
 *
 * A condition serves a btree where it compares something of the table with a
 * value, by an operator of the default operator class: columns compared for
 * equality come first, then one that is compared otherwise.  Boolean columns
 * and IS [NOT] NULL become the predicate of a partial index.  Where nothing
 * serves a btree, a single condition may serve GIN or GiST.
 *
 * The caller has the table locked; indexes are read without opening them, as
 * one may be locked for long.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

typedef enum Use
{
	USE_NONE,
	USE_EQUAL,
	USE_RANGE,
	USE_PREFIX,					/* LIKE 'abc%' */
	USE_PREDICATE,				/* of a partial index */
	USE_OTHER					/* an operator of another access method */
} Use;

/* What a condition, or a column of an index to be made, is about */
typedef struct Key
{
	Use			use;
	Node	   *expr;			/* without relabeling */
	Oid			opno;			/* with expr on its left */
	Oid			collation;		/* of the comparison; invalid: of none */
	Oid			am;
	Node	   *clause;
} Key;

typedef struct Keys
{
	Relation	rel;
	List	   *equal;			/* of Key */
	Key		   *range;
	Key		   *other;
	List	   *order;			/* of Key: what rows came in the order of */
	List	   *predicates;		/* of Key */
	bool		filter_helps;	/* one of them is a filter */
	const char *reason;			/* why a condition serves no index */
} Keys;

/*
 * Conditions
 */

static Node *
strip_relabel(Node *node)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

static bool
contains_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return true;
	return expression_tree_walker(node, contains_param, context);
}

/* xmin and the like; expr is about relation 1 */
static bool
contains_system_column(Node *expr)
{
	Bitmapset  *attnos = NULL;
	int			attno;

	pull_varattnos(expr, 1, &attnos);
	attno = bms_next_member(attnos, -1);
	return attno >= 0 && attno + FirstLowInvalidHeapAttributeNumber < 0;
}

/* may it be a column of an index? */
static bool
is_indexable(Keys *keys, Node *expr)
{
	if (IsA(expr, Var))
		return ((Var *) expr)->varattno > 0;
	if (IsA(expr, FuncExpr) &&
		((FuncExpr *) expr)->funcformat == COERCE_IMPLICIT_CAST)
	{
		keys->reason = "its column is converted to the type of the value it is compared with; compare it with one of its own type";
		return false;
	}
	return !contain_mutable_functions(expr) && !contains_param(expr, NULL) &&
		!expression_returns_set(expr) && !contains_system_column(expr);
}

/* LIKE with a constant that begins with something definite */
static bool
is_prefix_match(Oid opno, Node *value)
{
	Const	   *pattern = (Const *) value;
	char	   *first;

	if (opno != OID_TEXT_LIKE_OP || !IsA(value, Const) || pattern->constisnull)
		return false;
	first = TextDatumGetCString(pattern->constvalue);
	return *first != '\0' && *first != '%' && *first != '_';
}

/* operators of types' default classes for these, in this order */
static void
match_other(Key *key)
{
	static const Oid ams[] = {GIN_AM_OID, GIST_AM_OID};
	int			i;

	for (i = 0; i < lengthof(ams); i++)
	{
		Oid			opclass = GetDefaultOpClass(exprType(key->expr), ams[i]);

		if (OidIsValid(opclass) &&
			op_in_opfamily(key->opno, get_opclass_family(opclass)))
		{
			key->use = USE_OTHER;
			key->am = ams[i];
			return;
		}
	}
}

/* key->expr is compared with value by key->opno */
static void
match_operator(Keys *keys, Key *key, Node *value, bool any)
{
	Oid			opclass;
	int			strategy = 0;

	if (contain_volatile_functions(value) || !is_indexable(keys, key->expr))
		return;
	opclass = GetDefaultOpClass(exprType(key->expr), BTREE_AM_OID);
	if (OidIsValid(opclass))
		strategy = get_op_opfamily_strategy(key->opno,
											get_opclass_family(opclass));
	key->am = BTREE_AM_OID;
	if (strategy == BTEqualStrategyNumber)
		key->use = USE_EQUAL;
	else if (strategy != 0 && !any)
		key->use = USE_RANGE;
	else if (strategy == 0 && !any)
	{
		if (is_prefix_match(key->opno, value))
			key->use = USE_PREFIX;
		else
			match_other(key);
	}
}

static void
match_op_expr(Keys *keys, Key *key, OpExpr *op)
{
	Node	   *left;
	Node	   *right;

	if (list_length(op->args) != 2)
		return;
	left = strip_relabel(linitial(op->args));
	right = strip_relabel(lsecond(op->args));
	key->opno = op->opno;
	if (!contain_var_clause(left))
	{
		Node	   *swap = left;

		left = right;
		right = swap;
		key->opno = get_commutator(op->opno);
	}
	if (!OidIsValid(key->opno) || !contain_var_clause(left) ||
		contain_var_clause(right))
		return;
	key->expr = left;
	key->collation = op->inputcollid;
	match_operator(keys, key, right, false);
}

static void
match_array_expr(Keys *keys, Key *key, ScalarArrayOpExpr *op)
{
	Node	   *left = strip_relabel(linitial(op->args));
	Node	   *right = lsecond(op->args);

	if (!op->useOr || !contain_var_clause(left) || contain_var_clause(right))
		return;
	key->opno = op->opno;
	key->expr = left;
	key->collation = op->inputcollid;
	match_operator(keys, key, right, true);
}

/* a boolean column, its negation, IS TRUE, IS NULL: of a partial index */
static void
match_predicate(Key *key, Node *clause)
{
	Node	   *arg = clause;

	if (is_notclause(arg))
		arg = (Node *) get_notclausearg((Expr *) arg);
	else if (IsA(arg, NullTest))
		arg = (Node *) ((NullTest *) arg)->arg;
	else if (IsA(arg, BooleanTest))
		arg = (Node *) ((BooleanTest *) arg)->arg;
	if (!IsA(arg, Var) || ((Var *) arg)->varattno <= 0)
		return;
	key->use = USE_PREDICATE;
	key->expr = arg;
}

static Key *
match_clause(Keys *keys, Node *clause)
{
	Key		   *key = palloc0(sizeof(Key));

	key->clause = clause;
	if (IsA(clause, OpExpr))
		match_op_expr(keys, key, (OpExpr *) clause);
	else if (IsA(clause, ScalarArrayOpExpr))
		match_array_expr(keys, key, (ScalarArrayOpExpr *) clause);
	else
		match_predicate(key, clause);
	return key;
}

static bool
has_expr(List *list, Node *expr)
{
	ListCell   *lc;

	foreach(lc, list)
		if (equal(((Key *) lfirst(lc))->expr, expr))
			return true;
	return false;
}

/* the conditions sorted by their use; true where it has one */
static bool
add_key(Keys *keys, Key *key)
{
	switch (key->use)
	{
		case USE_NONE:
			return false;
		case USE_EQUAL:
			if (!has_expr(keys->equal, key->expr))
				keys->equal = lappend(keys->equal, key);
			return true;
		case USE_RANGE:
		case USE_PREFIX:
			if (keys->range == NULL)
				keys->range = key;
			return equal(keys->range->expr, key->expr);
		case USE_PREDICATE:
			keys->predicates = lappend(keys->predicates, key);
			return true;
		case USE_OTHER:
			if (keys->other == NULL)
				keys->other = key;
			return keys->other == key;
	}
	return false;
}

/* a column that is compared with nothing; NULL where btree cannot have it */
static Key *
make_column(Node *expr)
{
	Key		   *key = palloc0(sizeof(Key));

	key->use = USE_RANGE;
	key->expr = expr;
	key->am = BTREE_AM_OID;
	return OidIsValid(GetDefaultOpClass(exprType(expr), BTREE_AM_OID)) ?
		key : NULL;
}

static void
collect_keys(Keys *keys, const MSFact *fact)
{
	int			n = 0;
	ListCell   *lc;

	/* what the index was searched for first: it has proved to serve */
	for_each_from(lc, fact->clauses, fact->nfilters)
		add_key(keys, match_clause(keys, lfirst(lc)));
	foreach(lc, fact->clauses)
	{
		if (n++ >= fact->nfilters)
			break;
		if (add_key(keys, match_clause(keys, lfirst(lc))))
			keys->filter_helps = true;
	}

	/* a range on a column that is also compared for equality */
	if (keys->range != NULL && has_expr(keys->equal, keys->range->expr))
		keys->range = NULL;
	if (keys->equal != NIL || keys->range != NULL)
		keys->other = NULL;
	else if (keys->other == NULL && keys->predicates != NIL)
	{
		/* a partial index needs some column: the one it is about */
		Key		   *predicate = linitial(keys->predicates);

		keys->range = make_column(predicate->expr);
	}
}

/*
 * An index that was read from end to end was read for its order.  Where rows
 * are to be found by equality, they can come in that order too.
 */
static void
collect_order(Keys *keys, const MSFact *fact)
{
	HeapTuple	tuple;
	Form_pg_index index;
	AttrNumber	attno;

	if (list_length(fact->clauses) > fact->nfilters || keys->equal == NIL ||
		keys->range != NULL || !OidIsValid(fact->index))
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
		Key		   *key;

		key = make_column((Node *) makeVar(1, attno, att->atttypid,
										   att->atttypmod, att->attcollation,
										   0));
		if (key != NULL && !has_expr(keys->equal, key->expr))
			keys->order = list_make1(key);
	}
	ReleaseSysCache(tuple);
}

/* the columns of the index, in order */
static List *
index_columns(Keys *keys)
{
	List	   *columns = list_copy(keys->equal);

	if (keys->range != NULL)
		columns = lappend(columns, keys->range);
	if (keys->other != NULL)
		columns = lappend(columns, keys->other);
	return list_concat(columns, keys->order);
}

/*
 * Existing indexes
 */

typedef struct Existing
{
	Oid			am;
	int			nkeys;
	Form_pg_index form;
	oidvector  *opclasses;
	oidvector  *collations;
	List	   *exprs;
	List	   *predicate;		/* implicitly ANDed */
} Existing;

static Node *
index_attribute(HeapTuple tuple, AttrNumber attno)
{
	bool		isnull;
	Datum		datum = SysCacheGetAttr(INDEXRELID, tuple, attno, &isnull);

	/* as the planner sees it: "published = true" is "published" */
	return isnull ? NULL :
		eval_const_expressions(NULL, stringToNode(TextDatumGetCString(datum)));
}

static oidvector *
index_oids(HeapTuple tuple, AttrNumber attno)
{
	bool		isnull;

	return (oidvector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple,
														 attno, &isnull));
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

/* is that column of the index what the key asks for? */
static bool
column_serves(Existing *index, int i, Key *key)
{
	AttrNumber	attno = index->form->indkey.values[i];
	Oid			family = get_opclass_family(index->opclasses->values[i]);
	int			nth = 0;
	int			j;

	if (attno != 0)
	{
		if (!IsA(key->expr, Var) || ((Var *) key->expr)->varattno != attno)
			return false;
	}
	else
	{
		for (j = 0; j < i; j++)
			if (index->form->indkey.values[j] == 0)
				nth++;
		if (!equal(strip_relabel(list_nth(index->exprs, nth)), key->expr))
			return false;
	}
	if (OidIsValid(key->collation) &&
		OidIsValid(index->collations->values[i]) &&
		key->use != USE_PREFIX &&
		index->collations->values[i] != key->collation)
		return false;
	if (key->use == USE_PREFIX)
		return family == TEXT_PATTERN_BTREE_FAM_OID ||
			ms_collate_is_c(index->collations->values[i]);
	return !OidIsValid(key->opno) || op_in_opfamily(key->opno, family);
}

/* a predicate is kept by the index's own, or by one of its columns */
static bool
predicates_served(Keys *keys, Existing *index)
{
	ListCell   *lc;

	foreach(lc, keys->predicates)
	{
		Key		   *key = lfirst(lc);
		bool		found = predicate_implied_by(list_make1(key->clause),
												 index->predicate, false);
		int			i;

		for (i = 0; i < index->nkeys && !found; i++)
			found = index->form->indkey.values[i] ==
				((Var *) key->expr)->varattno;
		if (!found)
			return false;
	}
	return true;
}

/* hash serves a single column that is compared for equality */
static bool
access_method_serves(Existing *index, List *columns, int nequal)
{
	return index->am == ((Key *) linitial(columns))->am ||
		(index->am == HASH_AM_OID && list_length(columns) == 1 && nequal == 1);
}

/* equality columns may stand in any order, the others in theirs */
static bool
index_serves(Keys *keys, Existing *index, List *columns, List *clauses)
{
	int			nequal = list_length(keys->equal);
	int			i;
	ListCell   *lc;

	if (!access_method_serves(index, columns, nequal) ||
		index->nkeys < list_length(columns) ||
		!predicate_implied_by(index->predicate, clauses, false) ||
		!predicates_served(keys, index))
		return false;
	foreach(lc, columns)
	{
		bool		found = false;
		int			n = foreach_current_index(lc);

		if (n >= nequal)
			found = column_serves(index, n, lfirst(lc));
		else
			for (i = 0; i < nequal && !found; i++)
				found = column_serves(index, i, lfirst(lc));
		if (!found)
			return false;
	}
	return true;
}

static bool
tuple_serves(Keys *keys, HeapTuple tuple, List *columns, List *clauses)
{
	Existing	index;
	Expr	   *predicate;

	index.form = (Form_pg_index) GETSTRUCT(tuple);
	if (!index.form->indisvalid || !index.form->indislive)
		return false;
	index.am = am_of_index(index.form->indexrelid);
	index.nkeys = index.form->indnkeyatts;
	index.opclasses = index_oids(tuple, Anum_pg_index_indclass);
	index.collations = index_oids(tuple, Anum_pg_index_indcollation);
	index.exprs = (List *) index_attribute(tuple, Anum_pg_index_indexprs);
	predicate = (Expr *) index_attribute(tuple, Anum_pg_index_indpred);
	index.predicate = make_ands_implicit(canonicalize_qual(predicate, false));
	return index_serves(keys, &index, columns, clauses);
}

static bool
exists(Keys *keys, List *columns, List *clauses)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(keys->rel))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(lc)));

		if (!HeapTupleIsValid(tuple))
			continue;
		found = found || tuple_serves(keys, tuple, columns, clauses);
		ReleaseSysCache(tuple);
	}
	return found;
}

/*
 * Text
 */

/* without the table's name */
static char *
deparse(Relation rel, Node *expr)
{
	return deparse_expression(expr,
							  deparse_context_for(RelationGetRelationName(rel),
												  RelationGetRelid(rel)),
							  false, false);
}

static char *
column_name(Relation rel, Node *expr)
{
	return IsA(expr, Var) ?
		get_attname(RelationGetRelid(rel), ((Var *) expr)->varattno, false) :
		deparse(rel, expr);
}

static void
append_column(StringInfo ddl, Keys *keys, Key *key)
{
	Oid			collation = exprCollation(key->expr);

	/* operators come in parentheses already */
	appendStringInfo(ddl, IsA(key->expr, Var) || IsA(key->expr, OpExpr) ?
					 "%s" : "(%s)", deparse(keys->rel, key->expr));
	if (OidIsValid(key->collation) && key->collation != collation &&
		OidIsValid(collation) &&
		SearchSysCacheExists1(COLLOID, ObjectIdGetDatum(key->collation)))
		appendStringInfo(ddl, " COLLATE %s",
						 generate_collation_name(key->collation));
	if (key->use == USE_PREFIX && key->collation != C_COLLATION_OID)
		appendStringInfoString(ddl, " text_pattern_ops");
}

static char *
make_ddl(Keys *keys, List *columns, const char *relation)
{
	StringInfoData ddl;
	Oid			am = ((Key *) linitial(columns))->am;
	const char *separator = "";
	ListCell   *lc;

	initStringInfo(&ddl);
	appendStringInfo(&ddl, "CREATE INDEX ON %s %s(", relation,
					 am == GIN_AM_OID ? "USING gin " :
					 am == GIST_AM_OID ? "USING gist " : "");
	foreach(lc, columns)
	{
		appendStringInfoString(&ddl, separator);
		append_column(&ddl, keys, lfirst(lc));
		separator = ", ";
	}
	appendStringInfoChar(&ddl, ')');
	separator = " WHERE ";
	foreach(lc, keys->predicates)
	{
		appendStringInfo(&ddl, "%s%s", separator,
						 deparse(keys->rel, ((Key *) lfirst(lc))->clause));
		separator = " AND ";
	}
	return ddl.data;
}

void
ms_index_advise(Relation rel, const MSFact *fact, const char *relation,
				MSIndexAdvice *advice)
{
	Keys		keys = {0};
	List	   *columns;
	ListCell   *lc;

	memset(advice, 0, sizeof(MSIndexAdvice));
	keys.rel = rel;
	collect_keys(&keys, fact);
	collect_order(&keys, fact);
	columns = index_columns(&keys);
	if (columns == NIL || !keys.filter_helps)
	{
		advice->reason = keys.reason;
		return;
	}
	foreach(lc, columns)
	{
		Key		   *key = lfirst(lc);

		advice->columns = lappend(advice->columns,
								  column_name(rel, key->expr));
	}
	advice->exists = exists(&keys, columns, fact->clauses);
	advice->ddl = make_ddl(&keys, columns, relation);
}
