/*-------------------------------------------------------------------------
 *
 * index.c
 *	  An index, as ON CONFLICT looks for it: its columns and expressions with
 *	  their collations and operator classes, and its predicate.
 *
 * Nobody else's code runs: trees are simplified only where they are built in.
 * So two of them can differ that core finds equal, but not the other way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "catalog/pg_am.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "table/table.h"
#include "target/target.h"
#include "target/target_internal.h"

/* The indexes of a table, or of that behind a view. */
List *
ms_index_oids(const MSTarget *target, Relation rel)
{
	Relation	table;
	List	   *result;

	if (target->view == NULL)
		return RelationGetIndexList(rel);
	table = relation_open(target->view->table, NoLock);
	result = RelationGetIndexList(table);
	relation_close(table, NoLock);
	return result;
}

/* The columns of all unique indexes. */
Bitmapset *
ms_unique_columns(const MSTarget *target, Relation rel)
{
	Bitmapset  *result = NULL;
	ListCell   *lc;

	foreach(lc, ms_index_oids(target, rel))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index form;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for index %u", lfirst_oid(lc));
		form = (Form_pg_index) GETSTRUCT(tuple);
		for (int i = 0; form->indisunique && i < form->indnkeyatts; i++)
		{
			AttrNumber	attno = form->indkey.values[i];

			if (attno > 0 && target->view != NULL)
				attno = ms_view_column(target->view, attno);
			if (attno > 0)
				result = bms_add_member(result, attno);
		}
		ReleaseSysCache(tuple);
	}
	return result;
}

/* The place of a column in an index's key; -1: it is not in there. */
int
ms_index_position(Form_pg_index form, AttrNumber attno)
{
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] == attno)
			return i;
	}
	return -1;
}

/* The operator by which an index finds values of a key column equal. */
Oid
ms_index_equality(Relation index, int i)
{
	Oid			type = index->rd_opcintype[i];
	Oid			operator = get_opfamily_member(index->rd_opfamily[i], type,
											   type, BTEqualStrategyNumber);

	if (!OidIsValid(operator))
		elog(ERROR, "index %u has no equality operator for column %d",
			 RelationGetRelid(index), i + 1);
	return operator;
}

/* An index's expressions or predicate, simplified where that runs no code. */
static Node *
simplified(Node *tree)
{
	if (tree == NULL || !ms_is_builtin(tree))
		return tree;
	return eval_const_expressions(NULL, tree);
}

/* The expression of an index's i-th column; NULL: it is a column. */
Node *
ms_index_expression(Relation index, int i)
{
	List	   *exprs;
	int			n = 0;

	if (index->rd_index->indkey.values[i] != 0)
		return NULL;
	exprs = (List *) ms_index_tree(index, Anum_pg_index_indexprs);
	for (int j = 0; j < i; j++)
	{
		if (index->rd_index->indkey.values[j] == 0)
			n++;
	}
	return list_nth(exprs, n);
}

/* An index's predicate, as the planner compares it. */
List *
ms_index_predicate(Relation index)
{
	Node	   *tree = ms_index_tree(index, Anum_pg_index_indpred);

	if (tree == NULL)
		return NIL;
	return make_ands_implicit(canonicalize_qual((Expr *) simplified(tree),
												false));
}

/* What tells a tree from those that are not equal to it; 0: there is none. */
uint64
ms_tree_mark(Node *tree)
{
	static const char location[] = ":location ";
	uint64		hash = UINT64CONST(0xCBF29CE484222325);
	char	   *text;

	if (tree == NULL)
		return 0;
	text = nodeToString(tree);
	for (const char *c = text; *c != '\0'; c++)
	{
		/* where it stood in a statement */
		if (strncmp(c, location, strlen(location)) == 0)
			c += strcspn(c + strlen(location), " })") + strlen(location);
		if (*c == '\0')
			break;
		hash = (hash ^ (unsigned char) *c) * UINT64CONST(0x100000001B3);
	}
	pfree(text);
	return hash == 0 ? 1 : hash;
}

/* The place in an index of the i-th column of another; -1: it is not there. */
static int
same_place(Relation index, Relation other, int i)
{
	AttrNumber	attno = other->rd_index->indkey.values[i];
	Node	   *expr;

	if (attno != 0)
		return ms_index_position(index->rd_index, attno);
	expr = simplified(ms_index_expression(other, i));
	for (int j = 0; j < index->rd_index->indnkeyatts; j++)
	{
		if (index->rd_index->indkey.values[j] == 0 &&
			equal(simplified(ms_index_expression(index, j)), expr))
			return j;
	}
	return -1;
}

/*
 * Has an index the columns, expressions and collations of another, as ON
 * CONFLICT looks for them?  *same_class: and its equality.
 */
bool
ms_index_has_columns_of(Relation index, Relation key, bool *same_class)
{
	*same_class = true;
	if (index->rd_index->indnkeyatts != key->rd_index->indnkeyatts)
		return false;
	for (int i = 0; i < key->rd_index->indnkeyatts; i++)
	{
		int			j = same_place(index, key, i);

		if (j < 0 || index->rd_indcollation[j] != key->rd_indcollation[i])
			return false;
		*same_class = *same_class && ms_index_equality(index, j) == ms_index_equality(key, i);
	}
	return true;
}

/* Is it any more than an index of columns that callers give? */
bool
ms_index_is_special(Relation rel, Relation index)
{
	Form_pg_index form = index->rd_index;

	if (ms_index_tree(index, Anum_pg_index_indpred) != NULL ||
		ms_nulls_not_distinct(form))
		return true;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		AttrNumber	attno = form->indkey.values[i];

		if (attno == 0 ||
			(attno > 0 &&
			 TupleDescAttr(RelationGetDescr(rel), attno - 1)->attgenerated != '\0'))
			return true;
	}
	return false;
}

/* Could configure() name it? */
bool
ms_index_is_nameable(Relation index)
{
	Form_pg_index form = index->rd_index;

	return form->indisunique && !form->indisexclusion && form->indisready &&
		form->indisvalid && form->indimmediate &&
		index->rd_rel->relam == BTREE_AM_OID;
}

/* "SELECT configure(..., '{"index": "name"}')" */
char *
ms_index_call(const MSTarget *target, Oid index)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"index\": ");
	escape_json(&json, get_rel_name(index));
	appendStringInfoChar(&json, '}');
	return psprintf("SELECT missing_symbol.configure(%s, %s)",
					quote_literal_cstr(target->name),
					quote_literal_cstr(json.data));
}

/* The text of an index's i-th column, with what it calls as it is named now. */
char *
ms_index_column_text(Relation index, int i)
{
	int			nestlevel = NewGUCNestLevel();
	Datum		result;

	(void) set_config_option("search_path", "pg_catalog", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = DirectFunctionCall3(pg_get_indexdef_ext,
							   ObjectIdGetDatum(RelationGetRelid(index)),
							   Int32GetDatum(i + 1), BoolGetDatum(false));
	AtEOXact_GUC(true, nestlevel);
	return TextDatumGetCString(result);
}
