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
#include "catalog/pg_class.h"
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
 * Take the defaults of one relation of those that an INSERT passes, for columns
 * that have none so far: its own, or else a domain's, as core does.
 */
static void
take_defaults(MSView *view, Relation rel)
{
	for (int i = 0; i < view->ncolumns; i++)
	{
		Node	   *expr;

		if (view->defaults[i] != NULL ||
			view->columns[i] == InvalidAttrNumber ||
			bms_is_member(i + 1, view->identities))
			continue;
		expr = build_column_default(rel, view->columns[i]);
		if (expr != NULL)
			view->defaults[i] = nodeToString(expr);
	}
}

/*
 * The same of the table.  A column that it computes is as one that the view
 * does: its expression is of the table's columns, and these are numbered in
 * another way.  A default of a view goes before the sequence of an identity,
 * where that may be.
 */
static void
take_table(MSView *view, Relation rel)
{
	for (int i = 0; i < view->ncolumns; i++)
	{
		Form_pg_attribute att;

		if (view->columns[i] == InvalidAttrNumber)
			continue;
		att = TupleDescAttr(RelationGetDescr(rel), view->columns[i] - 1);
		if (att->attgenerated != '\0')
			view->columns[i] = InvalidAttrNumber;
		else if (att->attidentity == ATTRIBUTE_IDENTITY_ALWAYS ||
				 (att->attidentity != '\0' && view->defaults[i] == NULL))
			view->identities = bms_add_member(view->identities, i + 1);
	}
	take_defaults(view, rel);
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
	view->defaults = palloc0(sizeof(char *) * view->ncolumns);
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
		take_defaults(view, rel);
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
	take_table(view, rel);
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

/*
 * A relation of which no more is known than what it is: unlike one of the
 * relation cache, nothing in it changes or goes as that is rebuilt.
 */
static Relation
bare_relation(Relation rel, TupleDesc desc)
{
	Relation	result = palloc0(sizeof(RelationData));

	result->rd_id = RelationGetRelid(rel);
	result->rd_rel = memcpy(palloc(CLASS_TUPLE_SIZE), rel->rd_rel,
							CLASS_TUPLE_SIZE);
	result->rd_att = desc;
	return result;
}

/*
 * A view as the table that an INSERT of it sees: with its own columns, which
 * are NOT NULL, identities and so on as those of the table; what is computed is
 * generated.  For who looks at columns and their defaults, nothing else.
 */
Relation
ms_view_as_table(const MSView *view, Relation rel, Relation table)
{
	TupleDesc	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	TupleConstr *constr = palloc0(sizeof(TupleConstr));

	constr->defval = palloc0(sizeof(AttrDefault) * view->ncolumns);
	for (int i = 0; i < view->ncolumns; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Form_pg_attribute behind;

		att->atthasdef = false;
		att->attgenerated = '\0';
		if (view->columns[i] == InvalidAttrNumber)
			att->attgenerated = ATTRIBUTE_GENERATED_STORED;
		else
		{
			behind = TupleDescAttr(RelationGetDescr(table),
								   view->columns[i] - 1);
			att->attnotnull = behind->attnotnull;
			att->attidentity = bms_is_member(i + 1, view->identities) ?
				behind->attidentity : '\0';
			if (view->defaults[i] != NULL)
			{
				att->atthasdef = true;
				constr->defval[constr->num_defval].adnum = i + 1;
				constr->defval[constr->num_defval++].adbin = view->defaults[i];
			}
		}
		ms_attribute_changed(desc, i);
	}
	desc->constr = constr;
	return bare_relation(rel, desc);
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
	result = bare_relation(index, RelationGetDescr(index));
	result->rd_index = form;
	result->rd_indextuple = heap_copytuple(index->rd_indextuple);
	result->rd_opfamily = index->rd_opfamily;
	result->rd_opcintype = index->rd_opcintype;
	result->rd_indcollation = index->rd_indcollation;
	result->rd_indoption = index->rd_indoption;
	return result;
}
