/*-------------------------------------------------------------------------
 *
 * ddl.c
 *	  A remedy as statements that can be run with any search_path.
 *
 * Names of tables, operator classes, functions, operators and collations are
 * qualified: the caller has set a search_path that has nothing but the
 * server's own (ms_findings()).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opclass.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

char *
ms_qualified_name(Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *schema = get_namespace_name(get_rel_namespace(relid));

	/* NULL where it is gone */
	return name != NULL && schema != NULL ?
		quote_qualified_identifier(schema, name) : NULL;
}

/* the partitioned table that a partition is of in the end, or itself */
Oid
ms_topmost(Oid relid)
{
	List	   *ancestors = get_rel_relispartition(relid) ?
		get_partition_ancestors(relid) : NIL;

	return ancestors != NIL ? llast_oid(ancestors) : relid;
}

/*
 * The planner has COLLATE as a RelabelType, which would be told as a cast, or
 * not at all.
 */
static Node *
tell_collations(Node *node, void *context)
{
	RelabelType *relabel = (RelabelType *) node;
	CollateExpr *collate;
	Oid			collation;

	if (node == NULL)
		return NULL;
	if (!IsA(node, RelabelType))
		return expression_tree_mutator(node, tell_collations, context);
	relabel = makeRelabelType((Expr *) tell_collations((Node *) relabel->arg,
													   context),
							  relabel->resulttype, relabel->resulttypmod,
							  relabel->resultcollid, relabel->relabelformat);
	collation = exprCollation((Node *) relabel->arg);
	if (!OidIsValid(collation) || !OidIsValid(relabel->resultcollid) ||
		collation == relabel->resultcollid)
		return (Node *) relabel;
	collate = makeNode(CollateExpr);
	collate->collOid = relabel->resultcollid;
	collate->location = -1;
	relabel->resultcollid = collation;
	collate->arg = exprType((Node *) relabel->arg) == relabel->resulttype ?
		relabel->arg : (Expr *) relabel;
	return (Node *) collate;
}

/* without the table's name */
static char *
deparse(Relation rel, Node *expr)
{
	return deparse_expression(tell_collations(expr, NULL),
							  deparse_context_for(RelationGetRelationName(rel),
												  RelationGetRelid(rel)),
							  false, false);
}

static void
append_opclass(StringInfo ddl, Oid oid)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(oid));
	Form_pg_opclass opclass;

	if (!HeapTupleIsValid(tuple))
		return;
	opclass = (Form_pg_opclass) GETSTRUCT(tuple);
	if (opclass->opcnamespace == PG_CATALOG_NAMESPACE)
		appendStringInfo(ddl, " %s",
						 quote_identifier(NameStr(opclass->opcname)));
	else
		appendStringInfo(ddl, " %s",
						 quote_qualified_identifier(get_namespace_name(opclass->opcnamespace),
													NameStr(opclass->opcname)));
	ReleaseSysCache(tuple);
}

static void
append_column(StringInfo ddl, Relation rel, Oid am, MSIndexColumn *column)
{
	/* operators come in parentheses already */
	appendStringInfo(ddl, IsA(column->expr, Var) ||
					 IsA(column->expr, OpExpr) ? "%s" : "(%s)",
					 deparse(rel, column->expr));
	if (OidIsValid(column->collation))
		appendStringInfo(ddl, " COLLATE %s",
						 generate_collation_name(column->collation));
	if (OidIsValid(column->opclass) &&
		column->opclass != GetDefaultOpClass(exprType(column->expr), am))
		append_opclass(ddl, column->opclass);
	if (column->desc)
		appendStringInfoString(ddl, " DESC");
	if (column->nulls_first != column->desc)
		appendStringInfoString(ddl, column->nulls_first ? " NULLS FIRST" :
							   " NULLS LAST");
}

static void
append_index(StringInfo ddl, const MSIndex *index, Relation rel,
			 const char *relation)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfo(ddl, "CREATE INDEX ON %s ", relation);
	if (index->am != BTREE_AM_OID)
		appendStringInfo(ddl, "USING %s ",
						 quote_identifier(get_am_name(index->am)));
	appendStringInfoChar(ddl, '(');
	foreach(lc, index->columns)
	{
		appendStringInfoString(ddl, separator);
		append_column(ddl, rel, index->am, lfirst(lc));
		separator = ", ";
	}
	appendStringInfoChar(ddl, ')');
	separator = " INCLUDE (";
	foreach(lc, index->included)
	{
		appendStringInfo(ddl, "%s%s", separator, deparse(rel, lfirst(lc)));
		separator = ", ";
	}
	if (index->included != NIL)
		appendStringInfoChar(ddl, ')');
	separator = " WHERE ";
	foreach(lc, index->predicate)
	{
		appendStringInfo(ddl, "%s%s", separator, deparse(rel, lfirst(lc)));
		separator = " AND ";
	}
}

/* relation: the name to be used for the table */
char *
ms_remedy_ddl(const MSRemedy *remedy, Relation rel, const char *relation)
{
	StringInfoData ddl;
	ListCell   *lc;

	if (OidIsValid(remedy->invalid))
		return psprintf("REINDEX INDEX %s", ms_qualified_name(remedy->invalid));
	initStringInfo(&ddl);
	foreach(lc, remedy->indexes)
	{
		if (lc != list_head(remedy->indexes))
			appendStringInfoString(&ddl, "; ");
		append_index(&ddl, lfirst(lc), rel, relation);
	}
	return ddl.data;
}

/* names, or expressions */
List *
ms_remedy_columns(const MSRemedy *remedy, Relation rel)
{
	List	   *names = NIL;
	ListCell   *lc;
	ListCell   *c;

	foreach(lc, remedy->indexes)
		foreach(c, ((MSIndex *) lfirst(lc))->columns)
		{
			Node	   *expr = ((MSIndexColumn *) lfirst(c))->expr;

			names = lappend(names, IsA(expr, Var) ?
							get_attname(RelationGetRelid(rel),
										((Var *) expr)->varattno, false) :
							deparse(rel, expr));
		}
	return names;
}
