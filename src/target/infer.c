/*-------------------------------------------------------------------------
 *
 * infer.c
 *	  What a table tells of its key, and what track() said where that does not
 *	  serve.  The other columns: columns.c.
 *
 * Where a table is ambiguous the error names the candidates and the call of
 * track() that settles it.  Everything is read from the catalogs with the
 * table locked; memory is the caller's current context, the target's own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/sysattr.h"
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
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

/* Attribute number of a column; 0 where there is none of that name. */
AttrNumber
ms_column_number(Relation rel, const char *column)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), column) == 0)
			return att->attnum;
	}
	return InvalidAttrNumber;
}

/* The name of a column. */
const char *
ms_column_name(Relation rel, AttrNumber attno)
{
	return NameStr(TupleDescAttr(RelationGetDescr(rel), attno - 1)->attname);
}

/* The name of a key column, or the text of its expression. */
const char *
ms_key_name(const MSTarget *target, Relation rel, int i)
{
	const MSKeyColumn *key = &target->keys[i];

	return key->expr != NULL ? key->expr :
		ms_column_name(rel, key->column.attno);
}

/* Does the database alone fill a column, and refuse values that are given? */
bool
ms_is_database_filled(Form_pg_attribute att)
{
	return att->attgenerated != '\0' ||
		att->attidentity == ATTRIBUTE_IDENTITY_ALWAYS;
}

/* "a, b": an index's key columns, quoted */
static char *
index_columns(Relation rel, Form_pg_index form)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < form->indnkeyatts; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(ms_column_name(rel,
													  form->indkey.values[i])));
	return buf.data;
}

static bool
calls_nextval(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == F_NEXTVAL)
		return true;
	return expression_tree_walker(node, calls_nextval, context);
}

/*
 * Is a key column filled by the database rather than by the one who counts?
 * By an identity, a sequence, or any default that is new at each call, such
 * as gen_random_uuid(): then its index says nothing about what is counted.
 */
static bool
is_filled_by_default(Relation rel, AttrNumber attno)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

	if (att->attidentity != '\0' || att->attgenerated != '\0')
		return true;
	if (!att->atthasdef)
		return false;
	return contain_volatile_functions(build_column_default(rel, attno));
}

/* Is any column of an index so? */
static bool
key_is_filled_by_default(Relation rel, Form_pg_index form)
{
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (is_filled_by_default(rel, form->indkey.values[i]))
			return true;
	}
	return false;
}

/* Does a sequence fill a column? */
bool
ms_default_is_sequence(Relation rel, AttrNumber attno)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

	if (att->attidentity != '\0')
		return true;
	return att->atthasdef && att->attgenerated == '\0' &&
		calls_nextval(build_column_default(rel, attno), NULL);
}

/*
 * Is this a unique index that ON CONFLICT (columns) can arbitrate by, once it
 * is valid?  One that is deferrable is none, but is to be told apart.
 */
static bool
is_unique_index(Relation rel, Relation index)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisunique || form->indisexclusion || !form->indisready ||
		index->rd_rel->relam != BTREE_AM_OID ||
		ms_index_tree(index, Anum_pg_index_indpred) != NULL)
		return false;

	for (int i = 0; i < form->indnkeyatts; i++)
	{
		AttrNumber	attno = form->indkey.values[i];

		if (attno <= 0 ||
			index->rd_indcollation[i] !=
			TupleDescAttr(RelationGetDescr(rel), attno - 1)->attcollation)
			return false;
		for (int j = 0; j < i; j++)
		{
			if (form->indkey.values[j] == attno)
				return false;	/* a key has each column once */
		}
	}
	return true;
}

/* Do two indexes have the same key columns, in any order? */
static bool
same_key(Form_pg_index a, Form_pg_index b)
{
	if (a->indnkeyatts != b->indnkeyatts)
		return false;
	for (int i = 0; i < a->indnkeyatts; i++)
	{
		if (ms_index_position(b, a->indkey.values[i]) < 0)
			return false;
	}
	return true;
}

/* Is there an index with the same key columns in a list? */
static bool
has_same_key(List *indexes, Relation index)
{
	ListCell   *lc;

	foreach(lc, indexes)
	{
		if (same_key(((Relation) lfirst(lc))->rd_index, index->rd_index))
			return true;
	}
	return false;
}

/* Has an index operator classes other than its columns' default ones? */
static bool
has_special_class(Relation index)
{
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
	{
		Oid			type = index->rd_opcintype[i];
		Oid			opclass = GetDefaultOpClass(type, BTREE_AM_OID);

		if (!OidIsValid(opclass) ||
			get_opclass_family(opclass) != index->rd_opfamily[i])
			return true;
	}
	return false;
}

/*
 * The order in which indexes are considered, and in which errors tell them.
 * Of those on the same columns the first is the key.  REINDEX gives an index
 * another OID, so this is by what the index is: the primary key, default
 * operator classes before others, then by the columns' places in the table.
 * What is equal in all of this is the same key; the names decide so that
 * errors always tell the same.
 */
static int
compare_indexes(const ListCell *a, const ListCell *b)
{
	Relation	x = lfirst(a);
	Relation	y = lfirst(b);
	Form_pg_index fx = x->rd_index;
	Form_pg_index fy = y->rd_index;
	bool		special;

	if (fx->indisprimary != fy->indisprimary)
		return fx->indisprimary ? -1 : 1;
	special = has_special_class(x);
	if (special != has_special_class(y))
		return special ? 1 : -1;
	for (int i = 0; i < Min(fx->indnkeyatts, fy->indnkeyatts); i++)
	{
		if (fx->indkey.values[i] != fy->indkey.values[i])
			return fx->indkey.values[i] - fy->indkey.values[i];
	}
	if (fx->indnkeyatts != fy->indnkeyatts)
		return fx->indnkeyatts - fy->indnkeyatts;
	return strcmp(RelationGetRelationName(x), RelationGetRelationName(y));
}

/* Are an index's key columns just those named, each once? */
static bool
key_is_named(Relation rel, Form_pg_index form, List *names)
{
	if (form->indnkeyatts != list_length(names))
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		bool		found = false;
		ListCell   *lc;

		foreach(lc, names)
			found = found || form->indkey.values[i] ==
				ms_column_number(rel, strVal(lfirst(lc)));
		if (!found)
			return false;
	}
	return true;
}

/* A column that track() was given for a part. */
AttrNumber
ms_tracked_column(const MSTarget *target, Relation rel, const char *name,
				  const char *part)
{
	AttrNumber	attno = ms_column_number(rel, name);

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table %s does not exist",
						name, target->name),
				 errhint("track() was given it for %s. Name what exists: SELECT missing_symbol.track(%s, %s => ...).",
						 part, quote_literal_cstr(target->name), part)));
	return attno;
}

/* "('{a,b}'), ('{c}')": the candidates of an ambiguous key */
static char *
describe_candidates(Relation rel, List *indexes)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, indexes)
	{
		Relation	index = lfirst(lc);

		appendStringInfo(&buf, "%s%s (%s)", lc == list_head(indexes) ? "" : ", ",
						 quote_identifier(RelationGetRelationName(index)),
						 index_columns(rel, index->rd_index));
	}
	return buf.data;
}

/* "SELECT track(..., key => '{a}') or SELECT ...": the calls that settle it */
static char *
describe_calls(const MSTarget *target, Relation rel, List *indexes)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, indexes)
	{
		Relation	index = lfirst(lc);

		appendStringInfo(&buf, "%sSELECT missing_symbol.track(%s, key => %s)",
						 lc == list_head(indexes) ? "" : ", or ",
						 quote_literal_cstr(target->name),
						 quote_literal_cstr(psprintf("{%s}",
													 index_columns(rel, index->rd_index))));
	}
	return buf.data;
}

/*
 * Does another key qualify as well as the primary key?  Whoever counts gives
 * the values of either: nothing fills a column of the primary key, and the
 * other one has as many.
 */
static bool
has_rival(Relation rel, Relation primary, List *candidates)
{
	Form_pg_index form = primary->rd_index;
	ListCell   *lc;

	for (int i = 0; i < form->indnkeyatts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  form->indkey.values[i] - 1);

		if (att->attidentity != '\0' || att->atthasdef ||
			build_column_default(rel, att->attnum) != NULL)
			return false;
	}
	foreach(lc, candidates)
	{
		Relation	index = lfirst(lc);

		if (index != primary && index->rd_index->indnkeyatts == form->indnkeyatts)
			return true;
	}
	return false;
}

static void
deferrable_key(const MSTarget *target)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the key of table %s is deferrable", target->name),
			 errdetail("A deferrable unique constraint cannot decide whether a counter exists."),
			 errhint("Make it NOT DEFERRABLE.")));
}

/*
 * That of the first index that it can name, and that is not inferred; or NULL,
 * as for a view, of which none is named.
 */
static char *
describe_index_call(const MSTarget *target, Relation rel, List *indexes)
{
	ListCell   *lc;

	foreach(lc, target->view == NULL ? indexes : NIL)
	{
		Relation	index = lfirst(lc);

		if (ms_index_is_nameable(index) && ms_index_is_special(rel, index))
			return ms_index_call(target, RelationGetRelid(index));
	}
	return NULL;
}

/*
 * The unique index that is the key: the one whose columns track() named, else
 * the only one whose columns are given by the one who counts, else the
 * primary key if it is one of those and has no rival.
 */
static Relation
choose_key_index(MSTarget *target, Relation rel, List *indexes, List *named)
{
	List	   *candidates = NIL;
	ListCell   *lc;
	bool		deferrable_seen = false;
	char	   *call;

	foreach(lc, indexes)
	{
		Relation	index = lfirst(lc);

		if (!is_unique_index(rel, index) || !index->rd_index->indisvalid)
			continue;
		if (named != NIL ? !key_is_named(rel, index->rd_index, named) :
			key_is_filled_by_default(rel, index->rd_index))
			continue;
		if (!index->rd_index->indimmediate)
			deferrable_seen = true;
		else if (!has_same_key(candidates, index))
			candidates = lappend(candidates, index);
	}

	if (candidates == NIL)
	{
		call = describe_index_call(target, rel, indexes);
		foreach(lc, named)
			(void) ms_tracked_column(target, rel, strVal(lfirst(lc)), "key");
		if (named != NIL && !deferrable_seen)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("table %s has no unique index on the columns of its tracked key",
							target->name),
					 errdetail("The index must be a valid unique btree index on just these columns, not partial, not on expressions, with the columns' own collations."),
					 call != NULL ?
					 errhint("Create it, or name a unique index of another kind: %s.",
							 call) :
					 errhint("Create it, or name another key: SELECT missing_symbol.track(%s, key => ...).",
							 quote_literal_cstr(target->name))));
		if (deferrable_seen)
			deferrable_key(target);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("table %s has no unique key to count by",
						target->name),
				 target->view != NULL ?
				 errdetail("A key is such an index of the table behind it, %s: a valid unique btree index that is neither partial nor on expressions, has the columns' own collations, and is on columns that no sequence, identity or other volatile default fills; and the view shows all of these as they are.",
						   target->view->name) :
				 errdetail("A key is a valid unique btree index that is neither partial nor on expressions, has the columns' own collations, and is on columns that no sequence, identity or other volatile default fills."),
				 call != NULL ?
				 errhint("Name another unique index: %s.", call) :
				 errhint("Create a unique index on the columns that identify a counter.")));
	}

	if (list_length(candidates) > 1)
	{
		foreach(lc, candidates)
		{
			Relation	index = lfirst(lc);

			if (index->rd_index->indisprimary &&
				!has_rival(rel, index, candidates))
				return index;
		}
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg("the key of table %s is ambiguous", target->name),
				 errdetail("These unique indexes qualify: %s.",
						   describe_candidates(rel, candidates)),
				 errhint("Say which one counts: %s.",
						 describe_calls(target, rel, candidates))));
	}
	return linitial(candidates);
}

/* The index that configure() named. */
static Relation
find_named_index(const MSTarget *target, Relation rel, List *indexes,
				 const char *name)
{
	Relation	result = NULL;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		if (strcmp(RelationGetRelationName((Relation) lfirst(lc)), name) == 0)
			result = lfirst(lc);
	}
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table %s has no index \"%s\"", target->name, name),
				 errdetail("configure() was given it as the index of its key."),
				 errhint("Name one that exists: SELECT missing_symbol.configure(%s, '{\"index\": ...}'); null for none.",
						 quote_literal_cstr(target->name))));
	if (result->rd_index->indisunique && !result->rd_index->indimmediate)
		deferrable_key(target);
	if (!ms_index_is_nameable(result))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("index \"%s\" of table %s cannot be that of its key",
						name, target->name),
				 errdetail("It is not a valid unique btree index."),
				 errhint("Name another: SELECT missing_symbol.configure(%s, '{\"index\": ...}'); null for none.",
						 quote_literal_cstr(target->name))));
	for (int i = 0; i < result->rd_index->indnkeyatts; i++)
	{
		AttrNumber	attno = result->rd_index->indkey.values[i];

		if (ms_index_position(result->rd_index, attno) < i && attno != 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("index \"%s\" of table %s has a column twice",
							name, target->name),
					 errhint("Count by an index that has each column once.")));
		if (attno != 0 && result->rd_indcollation[i] !=
			TupleDescAttr(RelationGetDescr(rel), attno - 1)->attcollation)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("index \"%s\" of table %s has another collation than its column \"%s\"",
							name, target->name, ms_column_name(rel, attno)),
					 errhint("Count by an index that has the collation of its columns.")));
	}
	return result;
}

/*
 * The columns that a tree reads, those that a generated one is made of instead
 * of it: that is added to *generated.
 */
static Bitmapset *
add_base_columns(const MSTarget *target, Relation rel, Node *tree,
				 Bitmapset *columns, Bitmapset **generated)
{
	Bitmapset  *members = NULL;
	int			member = -1;

	pull_varattnos(tree, 1, &members);
	while ((member = bms_next_member(members, member)) >= 0)
	{
		AttrNumber	attno = member + FirstLowInvalidHeapAttributeNumber;

		if (attno <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("an index of table %s is made of whole rows or system columns",
							target->name),
					 errhint("Count by an index whose expressions name their columns.")));
		if (TupleDescAttr(RelationGetDescr(rel), attno - 1)->attgenerated != '\0')
		{
			*generated = bms_add_member(*generated, attno);
			columns = add_base_columns(target, rel,
									   build_column_default(rel, attno),
									   columns, generated);
		}
		else
			columns = bms_add_member(columns, attno);
	}
	return columns;
}

/* A column as a tree */
static Node *
column_tree(Relation rel, AttrNumber attno)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

	return (Node *) makeVar(1, attno, att->atttypid, att->atttypmod,
							att->attcollation, 0);
}

/* Set what callers give from a set of columns, in the order of the key. */
static void
set_arguments(MSTarget *target, Relation rel, Relation index,
			  Bitmapset *columns, List *named)
{
	int			attno = -1;
	int			n = 0;
	ListCell   *lc;

	target->nargs = bms_num_members(columns);
	if (target->nargs == 0 || target->nargs > INDEX_MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the key of table %s is made of %d columns",
						target->name, target->nargs),
				 errdetail("Its index is \"%s\".",
						   RelationGetRelationName(index)),
				 errhint("Count by an index that is made of one column at least, and %d at most.",
						 INDEX_MAX_KEYS)));
	target->args = palloc0(sizeof(MSColumn) * target->nargs);
	target->ordered = named != NIL || !target->computed || target->nargs == 1;
	if (named != NIL)
	{
		foreach(lc, named)
		{
			attno = ms_column_number(rel, strVal(lfirst(lc)));
			if (!bms_is_member(attno, columns) || n == target->nargs)
				break;
			target->args[n++].attno = attno;
			columns = bms_del_member(columns, attno);
		}
	}
	else if (!target->computed)
	{
		for (int i = 0; i < target->nkeys; i++)
			target->args[n++].attno = target->keys[i].column.attno;
	}
	else
	{
		while ((attno = bms_next_member(columns, attno)) >= 0)
			target->args[n++].attno = attno;
	}
	for (int i = 0; i < n; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  target->args[i].attno - 1);

		target->args[i].typid = att->atttypid;
		target->args[i].typmod = att->atttypmod;
	}
	if (n < target->nargs || n < list_length(named))
	{
		StringInfoData buf;

		initStringInfo(&buf);
		for (int i = 0; i < n; i++)
			columns = bms_add_member(columns, target->args[i].attno);
		attno = -1;
		while ((attno = bms_next_member(columns, attno)) >= 0)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? "," : "{",
							 quote_identifier(ms_column_name(rel, attno)));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("the tracked key of table %s does not have the columns of its index \"%s\"",
						target->name, RelationGetRelationName(index)),
				 errhint("Name them, in the order of key values: SELECT missing_symbol.track(%s, key => %s); '{}' for none.",
						 quote_literal_cstr(target->name),
						 quote_literal_cstr(psprintf("%s}", buf.data)))));
	}
}

/*
 * Fill in the key from its index; special: configure() has named that, and so
 * it is computed of what its columns and expressions are made of.
 */
static void
set_key(MSTarget *target, Relation rel, Relation index, List *named,
		bool special)
{
	Form_pg_index form = index->rd_index;
	Bitmapset  *arguments = NULL;

	target->index = RelationGetRelid(index);
	target->nkeys = form->indnkeyatts;
	target->keys = palloc0(sizeof(MSKeyColumn) * target->nkeys);
	target->nvalues = RelationGetNumberOfAttributes(rel);

	for (int i = 0; i < target->nkeys; i++)
	{
		MSKeyColumn *key = &target->keys[i];
		MSColumn   *column = &key->column;
		Node	   *tree = ms_index_expression(index, i);

		if (tree != NULL)
		{
			column->attno = ++target->nvalues;
			column->typid = exprType(tree);
			column->typmod = exprTypmod(tree);
			key->expr = ms_index_column_text(index, i);
			target->exprs = lappend(target->exprs, tree);
			target->computed = true;
		}
		else
		{
			Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
												  form->indkey.values[i] - 1);

			column->attno = att->attnum;
			column->typid = att->atttypid;
			column->typmod = att->atttypmod;
			if (ms_default_is_sequence(rel, att->attnum))
				target->key_filled = true;
			if (special && att->attgenerated != '\0')
				target->computed = true;
			tree = column_tree(rel, att->attnum);
		}
		get_typlenbyval(column->typid, &key->typlen, &key->typbyval);
		key->collation = index->rd_indcollation[i];
		key->subtype = index->rd_opcintype[i];
		key->eqop = ms_index_equality(index, i);
		key->eqproc = get_opcode(key->eqop);
		if (special)
			arguments = add_base_columns(target, rel, tree, arguments,
										 &target->generated);
		else
			arguments = bms_add_member(arguments, column->attno);
	}
	if (special)
	{
		target->nulls = ms_nulls_not_distinct(form);
		target->predicate = ms_index_tree(index, Anum_pg_index_indpred);
		target->predicate_mark = ms_tree_mark(target->predicate);
		target->predicate_columns =
			add_base_columns(target, rel, target->predicate, NULL,
							 &target->generated);
	}
	target->special = target->computed || target->nulls ||
		target->predicate != NULL;

	/* the key's own columns tell no order of those that it is computed of */
	if (target->computed && key_is_named(rel, form, named))
		named = NIL;

	/* the caller's order is the one track() was told, else the index's */
	set_arguments(target, rel, index, arguments, named);
	target->nrequired = target->nargs;
}

/*
 * A conflict in another index with the key's columns is one with the counter's
 * row, where all its rows are in the key's index, too.
 *
 * ON CONFLICT takes all of them whose predicate is implied by the key's.  One
 * that has more rows would have those counted.
 */
static void
add_arbiter(MSTarget *target, Relation index, Relation key)
{
	List	   *predicate = ms_index_predicate(index);
	List	   *key_predicate = ms_index_predicate(key);
	bool		inferred = predicate_implied_by(predicate, key_predicate,
												false);
	bool		narrower = predicate_implied_by(key_predicate, predicate,
												false);

	/* ON CONFLICT would take it for an arbiter, and refuse it */
	if (inferred && !index->rd_index->indimmediate &&
		index->rd_index->indisvalid)
		deferrable_key(target);
	if (inferred && !narrower)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s cannot be counted by its index \"%s\" alone: index \"%s\" has the same columns, and more rows",
						target->name, RelationGetRelationName(key),
						RelationGetRelationName(index)),
				 errdetail("ON CONFLICT takes both, and would count rows outside of the key's index."),
				 errhint("Drop index %s, or count by it: %s.",
						 quote_identifier(RelationGetRelationName(index)),
						 ms_index_call(target, RelationGetRelid(index)))));
	if (narrower && index->rd_index->indimmediate)
		target->arbiters = lappend_oid(target->arbiters,
									   RelationGetRelid(index));
}

/* Why the fast path cannot write an index; NULL if it can. */
const char *
ms_index_reason(Relation index)
{
	Oid			am = index->rd_rel->relam;

	if (am != BTREE_AM_OID && am != HASH_AM_OID)
		return "it has an index that is neither btree nor hash";
	if (index->rd_index->indisexclusion)
		return "it has an exclusion constraint";
	return NULL;
}

/*
 * Is a conflict in an index one with the counter's row, as it is in that of the
 * key?
 */
bool
ms_index_arbitrates(Relation key, Relation index)
{
	Form_pg_index form = index->rd_index;
	bool		same_class;

	return form->indisunique && !form->indisexclusion && form->indisready &&
		form->indimmediate && index->rd_rel->relam == BTREE_AM_OID &&
		ms_index_has_columns_of(index, key, &same_class) && same_class &&
		predicate_implied_by(ms_index_predicate(index),
							 ms_index_predicate(key), false);
}

/*
 * The indexes must be there to be compared with each other, so all are opened
 * first, and one that REINDEX CONCURRENTLY is still building is an arbiter, too.
 * An index on the same columns that finds other keys equal has no say: what it
 * refuses, fails.
 */
void
ms_infer_key(MSTarget *target, Relation rel, const MSTracked *tracked)
{
	List	   *oids = ms_index_oids(target, rel);
	List	   *opened = NIL;
	List	   *indexes = NIL;
	bool		special = tracked->index != NULL;
	Relation	key;
	ListCell   *lc;

	foreach(lc, oids)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		opened = lappend(opened, index);
		if (target->view != NULL)
			index = ms_view_index(target->view, index);
		if (index != NULL)
			indexes = lappend(indexes, index);
	}
	list_sort(indexes, compare_indexes);

	key = special ? find_named_index(target, rel, indexes, tracked->index) :
		choose_key_index(target, rel, indexes, tracked->key);
	set_key(target, rel, key, tracked->key, special);

	foreach(lc, indexes)
	{
		Relation	index = lfirst(lc);
		Form_pg_index form = index->rd_index;
		bool		same_class;

		if (form->indisunique && !form->indisexclusion && form->indisready &&
			index->rd_rel->relam == BTREE_AM_OID &&
			ms_index_has_columns_of(index, key, &same_class))
		{
			if (same_class)
				add_arbiter(target, index, key);
			else
				target->names_opclass = true;
		}
		if (target->general_reason == NULL)
			target->general_reason = ms_index_reason(index);
	}
	foreach(lc, opened)
		index_close(lfirst(lc), AccessShareLock);
}
