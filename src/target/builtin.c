/*-------------------------------------------------------------------------
 *
 * builtin.c
 *	  Whose code is in an expression, and in what a table has of them?
 *
 * A compiled expression has been planned under some search_path and checked
 * for one role: what a SQL function is expanded to, and whether EXECUTE is
 * granted, is settled then.  So it may only be kept, for other roles and
 * other paths, if nothing in it depends on them: if every function in it
 * comes with the server or with this extension, and everybody may call it.
 * Domains are their author's code.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "table/table.h"
#include "target/target.h"
#include "target/target_internal.h"

/* Is a function another's, or not everybody's to call? */
static bool
is_special_function(Oid function, void *context)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return true;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	result = !heap_attisnull(tuple, Anum_pg_proc_proacl, NULL) ||
		(function >= FirstNormalObjectId &&
		 (form->prolang != ClanguageId || form->pronamespace != ms_schema()));
	ReleaseSysCache(tuple);
	return result;
}

static bool
is_domain(Oid type)
{
	return getBaseType(type) != type;
}

/*
 * The type of which an expression makes values by what the type has, such as
 * checks of domains within; InvalidOid: none.
 */
static Oid
made_type(Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			return ((FuncExpr *) node)->funcresulttype;
		case T_CoerceViaIO:
			return ((CoerceViaIO *) node)->resulttype;
		case T_ArrayCoerceExpr:
			return ((ArrayCoerceExpr *) node)->resulttype;
		case T_RowExpr:
			return ((RowExpr *) node)->row_typeid;
		case T_ConvertRowtypeExpr:
			return ((ConvertRowtypeExpr *) node)->resulttype;
		default:
			return ms_json_expr_type(node);
	}
}

/* An input function that is called as such can read any type. */
static bool
makes_others(Node *node)
{
	Oid			type = IsA(node, Const) && ((Const *) node)->consttype == CSTRINGOID ?
		CSTRINGOID : made_type(node);

	return type == CSTRINGOID ||
		(OidIsValid(type) && !ms_type_is_builtin(type));
}

static bool
special_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_special_function, context))
		return true;
	if (IsA(node, CoerceToDomain))
		return true;
	if (makes_others(node))
		return true;
	/* has the comparison of its type */
	if (IsA(node, MinMaxExpr) &&
		((MinMaxExpr *) node)->minmaxtype >= FirstNormalObjectId)
		return true;
	return expression_tree_walker(node, special_walker, context);
}

/* May an expression be kept, for whoever counts next? */
bool
ms_is_builtin(Node *expr)
{
	return !special_walker(expr, NULL);
}

/* Has a range type a function of a user's that brings its values in a form? */
static bool
is_canonical(Oid range)
{
	HeapTuple	tuple = SearchSysCache1(RANGETYPE, ObjectIdGetDatum(range));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_range) GETSTRUCT(tuple))->rngcanonical >=
			FirstNormalObjectId;
		ReleaseSysCache(tuple);
	}
	return result;
}

/*
 * Does only code of the server, or C code of a superuser, read a type's values
 * from text or JSON?  Base types are made by superusers only, as are what
 * orders a range's values, and an enum has no code.  A range has that of its
 * bounds.  A composite type can have domains among its parts, and be given
 * some later.
 */
bool
ms_type_is_builtin(Oid type)
{
	Oid			element = get_element_type(type);

	if (OidIsValid(element))
		type = element;
	if (type < FirstNormalObjectId)
		return true;
	switch (get_typtype(type))
	{
		case TYPTYPE_BASE:
		case TYPTYPE_ENUM:
			return true;
		case TYPTYPE_RANGE:
			return !is_canonical(type) &&
				ms_type_is_builtin(get_range_subtype(type));
		case TYPTYPE_MULTIRANGE:
			return ms_type_is_builtin(get_multirange_range(type));
		default:
			return false;
	}
}

/*
 * An index's expressions (Anum_pg_index_indexprs) or its predicate
 * (Anum_pg_index_indpred), as they are stored; NULL: it has none.  Those of the
 * relcache are simplified, for which functions of the table's owner run.
 */
Node *
ms_index_tree(Relation index, AttrNumber which)
{
	bool		isnull;
	Datum		tree = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
									   which, &isnull);

	return isnull ? NULL : stringToNode(TextDatumGetCString(tree));
}

/* Is a column always given? */
static bool
is_given(const MSTarget *target, AttrNumber attno)
{
	return target != NULL && ms_is_always_given(target, attno);
}

/*
 * The same for all that inserting or updating a row evaluates; target: NULL for
 * a partition.
 */
bool
ms_table_is_builtin(const MSTarget *target, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	TupleConstr *constr = desc->constr;
	bool		result = true;
	ListCell   *lc;

	for (int i = 0; i < desc->natts && result; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && !is_given(target, att->attnum))
			result = !is_domain(att->atttypid);
	}
	for (int i = 0; constr != NULL && i < constr->num_defval && result; i++)
	{
		if (!is_given(target, constr->defval[i].adnum))
			result = ms_is_builtin(stringToNode(constr->defval[i].adbin));
	}
	for (int i = 0; constr != NULL && i < constr->num_check && result; i++)
		result = ms_is_builtin(stringToNode(constr->check[i].ccbin));
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers && result; i++)
	{
		if (rel->trigdesc->triggers[i].tgqual != NULL)
			result = ms_is_builtin(stringToNode(rel->trigdesc->triggers[i].tgqual));
	}
	if (rel->rd_rel->relispartition && result)
		result = ms_is_builtin((Node *) RelationGetPartitionQual(rel));
	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		result = result &&
			ms_is_builtin(ms_index_tree(index, Anum_pg_index_indexprs)) &&
			ms_is_builtin(ms_index_tree(index, Anum_pg_index_indpred));
		index_close(index, AccessShareLock);
	}
	return result;
}
