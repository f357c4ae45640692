/*-------------------------------------------------------------------------
 *
 * view.c
 *	  Views that core itself inserts into and updates: the table behind one,
 *	  and the view as if it were that table.
 *
 * Who asks has locked the view.  What is behind it gets locked on the way, a
 * view before what it is of, as by any statement; and stays so to the end of
 * the transaction, so that no definition changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_inherits.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "table/table.h"

static char *
qualified_name(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
									  RelationGetRelationName(rel));
}

/* Why core does not insert into a view by itself; NULL: it does. */
static const char *
why_not(Relation rel)
{
	const char *why;

	if (rel->trigdesc != NULL &&
		(rel->trigdesc->trig_insert_instead_row ||
		 rel->trigdesc->trig_update_instead_row))
		return "It has INSTEAD OF triggers.";
	if (rel->rd_rules != NULL && rel->rd_rules->numLocks > 1)
		return "It has rules.";
	why = view_query_is_auto_updatable(get_view_query(rel), true);
	return why == NULL ? NULL : _(why);
}

/* The column of what a view is of that is its column; 0: none, it is computed. */
static AttrNumber
column_behind(Query *query, AttrNumber attno)
{
	TargetEntry *entry = get_tle_by_resno(query->targetList, attno);
	RangeTblRef *ref = linitial_node(RangeTblRef, query->jointree->fromlist);
	Var		   *var;

	if (entry == NULL || entry->resjunk || !IsA(entry->expr, Var))
		return InvalidAttrNumber;
	var = (Var *) entry->expr;
	return var->varno == ref->rtindex && var->varlevelsup == 0 ?
		Max(var->varattno, InvalidAttrNumber) : InvalidAttrNumber;
}

/*
 * What is behind a view, and the table, which is open then.  NULL, and why, for
 * a message, where core does not insert into the view by itself.
 */
MSView *
ms_view_open(Relation rel, LOCKMODE lockmode, Relation *table, const char **why)
{
	MSView	   *view = palloc0(sizeof(MSView));
	Relation	named = rel;

	view->ncolumns = RelationGetNumberOfAttributes(rel);
	view->columns = palloc(sizeof(AttrNumber) * view->ncolumns);
	for (int i = 0; i < view->ncolumns; i++)
		view->columns[i] = i + 1;
	while (rel->rd_rel->relkind == RELKIND_VIEW)
	{
		const char *reason = why_not(rel);
		Query	   *query;
		RangeTblEntry *rte;
		Relation	behind;

		if (reason != NULL)
		{
			*why = rel == named ? reason :
				psprintf("View %s is behind it. %s", qualified_name(rel),
						 reason);
			return NULL;
		}
		query = get_view_query(rel);
		rte = rt_fetch(linitial_node(RangeTblRef,
									 query->jointree->fromlist)->rtindex,
					   query->rtable);
		for (int i = 0; i < view->ncolumns; i++)
		{
			if (view->columns[i] != InvalidAttrNumber)
				view->columns[i] = column_behind(query, view->columns[i]);
		}
		if (rte->relid == RelationGetRelid(named) ||
			list_member_oid(view->relids, rte->relid))
		{
			*why = "It is a view of itself.";
			return NULL;
		}
		behind = relation_open(rte->relid, lockmode);
		view->relids = lappend_oid(view->relids, rte->relid);
		if (rte->inh && behind->rd_rel->relkind == RELKIND_RELATION &&
			find_inheritance_children(rte->relid, NoLock) != NIL)
		{
			*why = psprintf("Table %s, which is behind it, has inheritance children, and a row of theirs can have the same key. FROM ONLY leaves them out.",
							qualified_name(behind));
			return NULL;
		}
		if (rel != named)
			relation_close(rel, NoLock);
		rel = behind;
	}
	view->table = RelationGetRelid(rel);
	view->name = qualified_name(rel);
	*table = rel;
	return view;
}

/* The view's column that is one of the table's; 0: none is. */
AttrNumber
ms_view_column(const MSView *view, AttrNumber attno)
{
	for (int i = 0; i < view->ncolumns; i++)
	{
		if (view->columns[i] == attno)
			return i + 1;
	}
	return InvalidAttrNumber;
}

/* The text of a column's default; NULL: it has none. */
static char *
default_text(TupleDesc desc, AttrNumber attno)
{
	for (int i = 0; desc->constr != NULL && i < desc->constr->num_defval; i++)
	{
		if (desc->constr->defval[i].adnum == attno)
			return desc->constr->defval[i].adbin;
	}
	return NULL;
}

/*
 * A view as the table that an INSERT of it sees: with its own columns, which
 * are NOT NULL, generated and so on as those of the table; what it computes is
 * generated, too.  For who looks at columns and their defaults, nothing else.
 */
Relation
ms_view_as_table(const MSView *view, Relation rel, Relation table)
{
	Relation	result = palloc(sizeof(RelationData));
	TupleDesc	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	TupleDesc	behind = RelationGetDescr(table);
	TupleConstr *constr = palloc0(sizeof(TupleConstr));

	constr->defval = palloc0(sizeof(AttrDefault) * view->ncolumns);
	for (int i = 0; i < view->ncolumns; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		AttrNumber	attno = view->columns[i];
		char	   *text;

		att->atthasdef = false;
		if (attno == InvalidAttrNumber)
		{
			att->attgenerated = ATTRIBUTE_GENERATED_STORED;
			continue;
		}
		att->attnotnull = TupleDescAttr(behind, attno - 1)->attnotnull;
		att->attidentity = TupleDescAttr(behind, attno - 1)->attidentity;
		att->attgenerated = TupleDescAttr(behind, attno - 1)->attgenerated;
		text = default_text(RelationGetDescr(rel), i + 1);

		/* a value, to an identity, and given by the view */
		if (text != NULL && att->attidentity == ATTRIBUTE_IDENTITY_BY_DEFAULT)
			att->attidentity = '\0';
		if (att->attidentity != '\0')
			continue;
		if (text == NULL)
			text = default_text(behind, attno);
		if (text == NULL)
			continue;
		att->atthasdef = true;
		constr->defval[constr->num_defval].adnum = i + 1;
		constr->defval[constr->num_defval++].adbin = pstrdup(text);
	}
	desc->constr = constr;
	*result = *rel;
	result->rd_att = desc;
	return result;
}

/*
 * A plain index of the table as one of the view's columns, for who looks what it
 * is on; NULL where it is on others, or not on columns alone.
 */
Relation
ms_view_index(const MSView *view, Relation index)
{
	Form_pg_index form = index->rd_index;
	Size		size = offsetof(FormData_pg_index, indkey) +
		VARSIZE(&form->indkey);
	Relation	result;

	if (!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return NULL;
	form = memcpy(palloc(size), form, size);
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		AttrNumber	attno = form->indkey.values[i] == 0 ? InvalidAttrNumber :
			ms_view_column(view, form->indkey.values[i]);

		if (attno == InvalidAttrNumber)
			return NULL;
		form->indkey.values[i] = attno;
	}
	result = palloc(sizeof(RelationData));
	*result = *index;
	result->rd_index = form;
	return result;
}
