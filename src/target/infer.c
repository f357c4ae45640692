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
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
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

/* Is a column part of the key? */
bool
ms_is_key_column(const MSTarget *target, AttrNumber attno)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		if (target->keys[i].column.attno == attno)
			return true;
	}
	return false;
}

/* Does an increment give a new row's value of a column, whoever makes it? */
bool
ms_is_always_given(const MSTarget *target, AttrNumber attno)
{
	return attno == target->count || attno == target->first_seen ||
		attno == target->last_seen || ms_is_key_column(target, attno);
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

/* The place of a column in an index's key; -1: it is not in there. */
static int
index_position(Form_pg_index form, AttrNumber attno)
{
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] == attno)
			return i;
	}
	return -1;
}

/* Do two indexes have the same key columns, in any order? */
static bool
same_key(Form_pg_index a, Form_pg_index b)
{
	if (a->indnkeyatts != b->indnkeyatts)
		return false;
	for (int i = 0; i < a->indnkeyatts; i++)
	{
		if (index_position(b, a->indkey.values[i]) < 0)
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

/* The operator by which an index finds values of a key column equal. */
static Oid
equality(Relation index, int i)
{
	Oid			type = index->rd_opcintype[i];
	Oid			operator = get_opfamily_member(index->rd_opfamily[i], type,
											   type, BTEqualStrategyNumber);

	if (!OidIsValid(operator))
		elog(ERROR, "index %u has no equality operator for column %d",
			 RelationGetRelid(index), i + 1);
	return operator;
}

/* Do two indexes with the same key columns find the same keys equal? */
static bool
same_equality(Relation a, Relation b)
{
	for (int i = 0; i < a->rd_index->indnkeyatts; i++)
	{
		if (equality(a, i) !=
			equality(b, index_position(b->rd_index,
									   a->rd_index->indkey.values[i])))
			return false;
	}
	return true;
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

		if (att->atthasdef || build_column_default(rel, att->attnum) != NULL)
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
		foreach(lc, named)
			(void) ms_tracked_column(target, rel, strVal(lfirst(lc)), "key");
		if (named != NIL && !deferrable_seen)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("table %s has no unique index on the columns of its tracked key",
							target->name),
					 errdetail("The index must be a valid unique btree index on just these columns, not partial, not on expressions, with the columns' own collations."),
					 errhint("Create it, or name another key: SELECT missing_symbol.track(%s, key => ...).",
							 quote_literal_cstr(target->name))));
		if (deferrable_seen)
			deferrable_key(target);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("table %s has no unique key to count by",
						target->name),
				 errdetail("A key is a valid unique btree index that is neither partial nor on expressions, has the columns' own collations, and is on columns that no sequence, identity or other volatile default fills."),
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

/* Fill in the key's columns from its index. */
static void
set_key(MSTarget *target, Relation rel, Relation index, List *named)
{
	Form_pg_index form = index->rd_index;

	target->index = RelationGetRelid(index);
	target->nkeys = form->indnkeyatts;
	target->nrequired = target->nkeys;
	target->keys = palloc0(sizeof(MSKeyColumn) * target->nkeys);
	target->argument = palloc(sizeof(int) * target->nkeys);

	for (int i = 0; i < target->nkeys; i++)
	{
		MSKeyColumn *key = &target->keys[i];
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  form->indkey.values[i] - 1);
		ListCell   *lc;

		key->column.attno = att->attnum;
		key->column.typid = att->atttypid;
		key->column.typmod = att->atttypmod;
		key->collation = index->rd_indcollation[i];
		key->subtype = index->rd_opcintype[i];
		key->eqop = equality(index, i);
		key->eqproc = get_opcode(key->eqop);
		if (ms_default_is_sequence(rel, att->attnum))
			target->key_filled = true;

		/* the caller's order is the one track() was told, else the index's */
		target->argument[i] = i;
		foreach(lc, named)
		{
			if (ms_column_number(rel, strVal(lfirst(lc))) == att->attnum)
				target->argument[i] = foreach_current_index(lc);
		}
	}
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
ms_index_arbitrates(Relation rel, Relation key, Relation index)
{
	return is_unique_index(rel, index) && index->rd_index->indimmediate &&
		same_key(index->rd_index, key->rd_index) && same_equality(key, index);
}

/*
 * The indexes must be there to be compared with each other, so all are opened
 * first.  A conflict in any index that finds the same keys equal is one with
 * the counter's row, in one that REINDEX CONCURRENTLY is still building, too.
 * An index on the same columns that finds other keys equal has no say: what it
 * refuses, fails.
 */
void
ms_infer_key(MSTarget *target, Relation rel, List *named)
{
	List	   *oids = RelationGetIndexList(rel);
	List	   *indexes = NIL;
	Relation	key;
	ListCell   *lc;

	foreach(lc, oids)
		indexes = lappend(indexes, index_open(lfirst_oid(lc), AccessShareLock));
	list_sort(indexes, compare_indexes);

	key = choose_key_index(target, rel, indexes, named);
	set_key(target, rel, key, named);

	foreach(lc, indexes)
	{
		Relation	index = lfirst(lc);
		Form_pg_index form = index->rd_index;

		if (is_unique_index(rel, index) && same_key(form, key->rd_index))
		{
			/* ON CONFLICT would take it for an arbiter, and refuse it */
			if (!form->indimmediate && form->indisvalid)
				deferrable_key(target);
			if (!same_equality(key, index))
				target->names_opclass = true;
			else if (form->indimmediate)
				target->arbiters = lappend_oid(target->arbiters,
											   RelationGetRelid(index));
		}
		if (target->general_reason == NULL)
			target->general_reason = ms_index_reason(index);
	}
	foreach(lc, indexes)
		index_close(lfirst(lc), AccessShareLock);
}
