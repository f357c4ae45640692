/*-------------------------------------------------------------------------
 *
 * conditions.c
 *	  Which conditions of a scan an index may serve, and how.
 *
 * A condition serves a btree where it compares something of the table with a
 * value, by an operator of the default operator class.  What is a constant,
 * like boolean columns, IS [NOT] NULL and <>, may be the predicate of a
 * partial index.  Other operators are looked for in the operator classes that
 * the database has for GIN, GiST and SP-GiST.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

/* an index has so many columns to search by, at most */
#define KEY_COLUMNS		4

Node *
ms_strip_relabel(Node *node)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

bool
ms_contains_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return true;
	return expression_tree_walker(node, ms_contains_param, context);
}

/* xmin and the like, or the row as a whole; expr is about relation 1 */
static bool
contains_system_column(Node *expr)
{
	Bitmapset  *attnos = NULL;
	int			attno;

	pull_varattnos(expr, 1, &attnos);
	attno = bms_next_member(attnos, -1);
	return attno >= 0 && attno + FirstLowInvalidHeapAttributeNumber <= 0;
}

/*
 * A constant of a row type, or of such rows, is not to be looked at any more:
 * the type may have been altered since.
 */
static bool
contains_row_value(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Const))
	{
		Oid			type = ((Const *) node)->consttype;
		Oid			elem;

		while (OidIsValid(elem = get_element_type(getBaseType(type))))
			type = elem;
		type = getBaseType(type);
		return type_is_rowtype(type) ||
			(type >= FirstNormalObjectId &&
			 (get_typtype(type) == TYPTYPE_RANGE ||
			  get_typtype(type) == TYPTYPE_MULTIRANGE));
	}
	return expression_tree_walker(node, contains_row_value, context);
}

/* may it be a column of an index? */
bool
ms_is_indexable(MSKeys *keys, Node *expr)
{
	if (IsA(expr, Var))
		return ((Var *) expr)->varattno > 0 &&
			!ms_is_virtual(keys->rel, ((Var *) expr)->varattno);
	if (IsA(expr, FuncExpr) &&
		((FuncExpr *) expr)->funcformat == COERCE_IMPLICIT_CAST)
	{
		keys->reason = "its column is converted to the type of the value it is compared with; compare it with one of its own type";
		return false;
	}
	return !contain_mutable_functions(expr) && !ms_contains_param(expr, NULL) &&
		!expression_returns_set(expr) && !contains_system_column(expr) &&
		!type_is_rowtype(exprType(expr)) && !contains_row_value(expr, NULL);
}

/* a pattern with a constant that begins with something definite */
static bool
is_prefix_match(Oid opno, Node *value)
{
	Const	   *pattern = (Const *) value;
	char	   *first;

	if (!IsA(value, Const) || pattern->constisnull)
		return false;
	if (opno != OID_TEXT_LIKE_OP && opno != OID_TEXT_REGEXEQ_OP &&
		opno != TextPrefixOperator)
		return false;
	first = TextDatumGetCString(pattern->constvalue);
	if (opno == OID_TEXT_LIKE_OP)
		return *first != '\0' && *first != '%' && *first != '_';
	if (opno == OID_TEXT_REGEXEQ_OP)
		return *first == '^' && first[1] != '\0' &&
			strchr("([.\\*?+{|$^", first[1]) == NULL;
	return *first != '\0';
}

/* an operator class of an access method that has the operator, or none */
static Oid
opclass_for(Oid am, Oid type, Oid opno)
{
	CatCList   *list = SearchSysCacheList1(CLAAMNAMENSP,
										   ObjectIdGetDatum(am));
	Oid			found = InvalidOid;
	bool		is_default = false;
	int			i;

	for (i = 0; i < list->n_members; i++)
	{
		HeapTuple	tuple = &list->members[i]->tuple;
		Form_pg_opclass opclass = (Form_pg_opclass) GETSTRUCT(tuple);

		if (!is_default && (!OidIsValid(found) || opclass->opcdefault) &&
			op_in_opfamily(opno, opclass->opcfamily) &&
			IsBinaryCoercible(type, opclass->opcintype))
		{
			found = opclass->oid;
			is_default = opclass->opcdefault;
		}
	}
	ReleaseSysCacheList(list);
	return found;
}

/* GIN first: for texts and the like it is the better one */
static void
match_other(MSKey *key)
{
	static const Oid ams[] = {GIN_AM_OID, GIST_AM_OID, SPGIST_AM_OID};
	int			i;

	for (i = 0; i < lengthof(ams) && key->use == USE_NONE; i++)
	{
		key->opclass = opclass_for(ams[i], exprType(key->expr), key->opno);
		if (OidIsValid(key->opclass))
		{
			key->am = ams[i];
			key->use = USE_OTHER;
		}
	}
}

/* key->expr is compared with value by key->opno */
static void
match_operator(MSKeys *keys, MSKey *key, Node *value, bool any)
{
	Oid			opclass;
	Oid			family = InvalidOid;
	int			strategy = 0;

	if (contain_volatile_functions(value) || !ms_is_indexable(keys, key->expr))
		return;
	opclass = GetDefaultOpClass(exprType(key->expr), BTREE_AM_OID);
	if (OidIsValid(opclass))
	{
		family = get_opclass_family(opclass);
		strategy = get_op_opfamily_strategy(key->opno, family);
	}
	if (strategy == BTEqualStrategyNumber)
		key->use = USE_EQUAL;
	else if (any)
		return;
	else if (strategy != 0)
		key->use = USE_RANGE;
	else if (OidIsValid(family) && OidIsValid(get_negator(key->opno)) &&
			 get_op_opfamily_strategy(get_negator(key->opno), family) ==
			 BTEqualStrategyNumber)
		key->use = USE_PREDICATE;
	else if (is_prefix_match(key->opno, value))
		key->use = USE_PREFIX;
	else if (key->opno == OID_INET_SUB_OP || key->opno == OID_INET_SUBEQ_OP)
	{
		/* a range of addresses for btree, too */
		match_other(key);
		key->use = USE_RANGE;
	}
	else
		match_other(key);
}

static void
match_op_expr(MSKeys *keys, MSKey *key, OpExpr *op)
{
	Node	   *left;
	Node	   *right;

	if (list_length(op->args) != 2)
		return;
	left = ms_strip_relabel(linitial(op->args));
	right = ms_strip_relabel(lsecond(op->args));
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
match_array_expr(MSKeys *keys, MSKey *key, ScalarArrayOpExpr *op)
{
	Node	   *left = ms_strip_relabel(linitial(op->args));
	Node	   *right = ms_strip_relabel(lsecond(op->args));

	if (op->useOr && !contain_var_clause(left) && IsA(right, Var) &&
		OidIsValid(get_negator(op->opno)))
		keys->reason = psprintf("%s @> ARRAY[...] instead of ... = ANY (%s) could use a GIN index",
								quote_identifier(get_attname(RelationGetRelid(keys->rel),
															 ((Var *) right)->varattno, false)),
								quote_identifier(get_attname(RelationGetRelid(keys->rel),
															 ((Var *) right)->varattno, false)));
	if (!contain_var_clause(left) || contain_var_clause(right))
		return;
	key->opno = op->opno;
	key->expr = left;
	key->collation = op->inputcollid;
	if (op->useOr)
		match_operator(keys, key, right, true);
	else if (ms_is_indexable(keys, left))
		key->use = USE_PREDICATE;
}

/* (a, b) < (1, 2) */
static void
match_row(MSKeys *keys, MSKey *key, RowCompareExpr *row)
{
	ListCell   *lc;

	foreach(lc, row->largs)
	{
		Node	   *expr = ms_strip_relabel(lfirst(lc));

		if (!contain_var_clause(expr) || !ms_is_indexable(keys, expr) ||
			!OidIsValid(GetDefaultOpClass(exprType(expr), BTREE_AM_OID)))
			return;
		key->row = lappend(key->row, expr);
	}
	if (contain_var_clause((Node *) row->rargs) ||
		list_length(key->row) > KEY_COLUMNS)
		return;
	key->expr = linitial(key->row);
	key->use = USE_ROW;
}

/* a boolean column, its negation, IS TRUE, IS NULL: of a partial index */
static void
match_predicate(MSKeys *keys, MSKey *key, Node *clause)
{
	Node	   *arg = clause;

	if (is_notclause(arg))
		arg = (Node *) get_notclausearg((Expr *) arg);
	else if (IsA(arg, NullTest))
		arg = (Node *) ((NullTest *) arg)->arg;
	else if (IsA(arg, BooleanTest))
		arg = (Node *) ((BooleanTest *) arg)->arg;
	if (!IsA(arg, Var) || !ms_is_indexable(keys, arg))
		return;
	key->use = USE_PREDICATE;
	key->expr = arg;
}

MSKey *
ms_match_clause(MSKeys *keys, Node *clause)
{
	MSKey		   *key = palloc0(sizeof(MSKey));

	key->clause = clause;
	if (IsA(clause, OpExpr))
		match_op_expr(keys, key, (OpExpr *) clause);
	else if (IsA(clause, ScalarArrayOpExpr))
		match_array_expr(keys, key, (ScalarArrayOpExpr *) clause);
	else if (IsA(clause, RowCompareExpr))
		match_row(keys, key, (RowCompareExpr *) clause);
	else
		match_predicate(keys, key, clause);
	return key;
}

/* NULL where nothing of an arm serves: then no index serves the OR */
static MSKey *
match_arm(MSKeys *keys, Node *arm)
{
	List	   *clauses = make_ands_implicit((Expr *) arm);
	MSKey		   *best = NULL;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		MSKey		   *key = ms_match_clause(keys, lfirst(lc));

		if (key->use == USE_NONE || key->use == USE_ROW)
			continue;
		if (best == NULL || key->use < best->use)
			best = key;
	}
	return best;
}

static void
match_or(MSKeys *keys, BoolExpr *clause)
{
	List	   *arms = NIL;
	ListCell   *lc;

	foreach(lc, clause->args)
	{
		MSKey		   *key = match_arm(keys, lfirst(lc));

		if (key == NULL)
			return;
		arms = lappend(arms, key);
	}
	keys->arms = lappend(keys->arms, arms);
}

bool
ms_has_expr(List *list, Node *expr)
{
	ListCell   *lc;

	foreach(lc, list)
		if (equal(((MSKey *) lfirst(lc))->expr, expr))
			return true;
	return false;
}

/* the conditions sorted by their use */
static void
add_key(MSKeys *keys, MSKey *key)
{
	switch (key->use)
	{
		case USE_NONE:
			break;
		case USE_EQUAL:
			if (!ms_has_expr(keys->equal, key->expr))
				keys->equal = lappend(keys->equal, key);
			break;
		case USE_RANGE:
		case USE_PREFIX:
			if (!ms_has_expr(keys->ranges, key->expr))
				keys->ranges = lappend(keys->ranges, key);
			if (OidIsValid(key->am))
				keys->others = lappend(keys->others, key);
			break;
		case USE_ROW:
			keys->rows = lappend(keys->rows, key);
			break;
		case USE_PREDICATE:
			if (ms_contains_param(key->clause, NULL))
				break;
			keys->predicates = lappend(keys->predicates, key->clause);
			if (keys->predicate == NULL)
				keys->predicate = key;
			break;
		case USE_OTHER:
			keys->others = lappend(keys->others, key);
			break;
	}
}

static void
match(MSKeys *keys, Node *clause)
{
	if (is_orclause(clause))
		match_or(keys, (BoolExpr *) clause);
	else
		add_key(keys, ms_match_clause(keys, clause));
}

/*
 * keys: with its rel and fact.  What the index was searched for comes first:
 * then the new one may begin as it does.
 */
void
ms_match_clauses(MSKeys *keys)
{
	const MSFact *fact = keys->fact;
	int			i;

	for (i = fact->nfilters; i < list_length(fact->clauses); i++)
		match(keys, list_nth(fact->clauses, i));
	for (i = 0; i < fact->nfilters; i++)
		match(keys, list_nth(fact->clauses, i));
}
