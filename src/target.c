/*-------------------------------------------------------------------------
 *
 * target.c
 *	  A table as a target: its key, its counter's columns, and whether the
 *	  fast path serves it.
 *
 * What is found out is kept for the session, one MSTarget for each table in a
 * memory context of its own.  It is thrown away at a relcache invalidation of
 * the table (which every ALTER of the table and its indexes, and track(),
 * send) and at a syscache invalidation of what compiled expressions depend on
 * (functions, types, operators, casts).  The callbacks only mark;
 * ms_target_open, which locks the table first and so has accepted every
 * message that matters, builds anew.
 *
 * A call that is under way keeps its MSTarget: ms_target_close of the last
 * user frees one that has been replaced meanwhile.  A caller that does not
 * reach ms_target_close because of an error calls ms_target_unpin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "missing_symbol.h"

typedef struct CacheEntry
{
	Oid			relid;			/* hash key */
	bool		valid;			/* no invalidation since the build began */
	MSTarget   *target;			/* NULL where the last build failed */
} CacheEntry;

static HTAB *targets = NULL;

/* Mark what depends on a table; all tables where relid is invalid. */
static void
relcache_callback(Datum arg, Oid relid)
{
	CacheEntry *entry;

	if (OidIsValid(relid))
	{
		entry = hash_search(targets, &relid, HASH_FIND, NULL);
		if (entry != NULL)
			entry->valid = false;
	}
	else
	{
		HASH_SEQ_STATUS status;

		hash_seq_init(&status, targets);
		while ((entry = hash_seq_search(&status)) != NULL)
			entry->valid = false;
	}
}

static void
syscache_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	relcache_callback(arg, InvalidOid);
}

/* Make the cache, at the session's first use. */
static void
make_cache(void)
{
	HASHCTL		ctl;

	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(CacheEntry);
	targets = hash_create("missing_symbol targets", 16, &ctl,
						  HASH_ELEM | HASH_BLOBS);

	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AMOPOPID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(CASTSOURCETARGET, syscache_callback,
								  (Datum) 0);
}

/* The OID of type missing_symbol.counter. */
static Oid
counter_type(void)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum("counter"),
						   ObjectIdGetDatum(ms_schema()));
}

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

static const char *
column_name(Relation rel, AttrNumber attno)
{
	return NameStr(TupleDescAttr(RelationGetDescr(rel), attno - 1)->attname);
}

/* "a, b": an index's key columns, quoted */
static char *
index_columns(Relation rel, Form_pg_index form)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < form->indnkeyatts; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(column_name(rel,
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
 * Can ON CONFLICT (columns) arbitrate by this index?  On a "no", *deferrable
 * tells whether that was for being deferrable alone.
 */
static bool
is_key_index(Relation rel, Relation index, bool *deferrable)
{
	Form_pg_index form = index->rd_index;

	*deferrable = false;
	if (!form->indisunique || form->indisexclusion ||
		!form->indisvalid || !form->indisready ||
		index->rd_rel->relam != BTREE_AM_OID ||
		RelationGetIndexPredicate(index) != NIL)
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

	*deferrable = !form->indimmediate;
	return form->indimmediate;
}

/* Do two indexes have the same key columns, in any order? */
static bool
same_key(Form_pg_index a, Form_pg_index b)
{
	if (a->indnkeyatts != b->indnkeyatts)
		return false;
	for (int i = 0; i < a->indnkeyatts; i++)
	{
		bool		found = false;

		for (int j = 0; j < b->indnkeyatts; j++)
			found = found || a->indkey.values[i] == b->indkey.values[j];
		if (!found)
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
 * primary key if it is one of those.
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
		bool		deferrable;

		if (!is_key_index(rel, index, &deferrable) && !deferrable)
			continue;
		if (named != NIL ? !key_is_named(rel, index->rd_index, named) :
			key_is_filled_by_default(rel, index->rd_index))
			continue;
		if (deferrable)
			deferrable_seen = true;
		else if (!has_same_key(candidates, index))
			candidates = lappend(candidates, index);
	}

	if (candidates == NIL)
	{
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

			if (index->rd_index->indisprimary)
				return index;
		}
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg("the key of table %s is ambiguous", target->name),
				 errdetail("These unique indexes qualify: %s.",
						   describe_candidates(rel, candidates)),
				 errhint("Say which one counts: SELECT missing_symbol.track(%s, key => '{%s}').",
						 quote_literal_cstr(target->name),
						 index_columns(rel, ((Relation) linitial(candidates))->rd_index))));
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
		key->eqop = get_opfamily_member(index->rd_opfamily[i], key->subtype,
										key->subtype, BTEqualStrategyNumber);
		if (!OidIsValid(key->eqop))
			elog(ERROR, "index %u has no equality operator for column %d",
				 target->index, i + 1);
		key->eqproc = get_opcode(key->eqop);

		/* the caller's order is the one track() was told, else the index's */
		target->argument[i] = i;
		foreach(lc, named)
		{
			if (ms_column_number(rel, strVal(lfirst(lc))) == att->attnum)
				target->argument[i] = foreach_current_index(lc);
		}
	}
}

/*
 * The indexes must be there to be compared with each other, so all are opened
 * first; ON CONFLICT (columns) arbitrates by every index on the same columns.
 */
static void
find_key(MSTarget *target, Relation rel, List *named)
{
	List	   *oids = RelationGetIndexList(rel);
	List	   *indexes = NIL;
	Relation	key;
	ListCell   *lc;

	foreach(lc, oids)
		indexes = lappend(indexes, index_open(lfirst_oid(lc), AccessShareLock));

	key = choose_key_index(target, rel, indexes, named);
	set_key(target, rel, key, named);

	foreach(lc, indexes)
	{
		Relation	index = lfirst(lc);
		bool		deferrable;

		if ((is_key_index(rel, index, &deferrable) || deferrable) &&
			same_key(index->rd_index, key->rd_index))
		{
			/* ON CONFLICT would take it for an arbiter, and refuse it */
			if (deferrable)
				deferrable_key(target);
			target->arbiters = lappend_oid(target->arbiters,
										   RelationGetRelid(index));
		}
		if (index->rd_rel->relam != BTREE_AM_OID &&
			index->rd_rel->relam != HASH_AM_OID &&
			target->general_reason == NULL)
			target->general_reason = "it has an index that is neither btree nor hash";
		if (index->rd_index->indisexclusion && target->general_reason == NULL)
			target->general_reason = "it has an exclusion constraint";
	}
	foreach(lc, indexes)
		index_close(lfirst(lc), AccessShareLock);
}

/* The kind of a count column; false where its type cannot count. */
static bool
count_kind(Oid type, MSCountKind *kind)
{
	switch (type)
	{
		case INT2OID:
			*kind = MS_COUNT_INT2;
			return true;
		case INT4OID:
			*kind = MS_COUNT_INT4;
			return true;
		case INT8OID:
			*kind = MS_COUNT_INT8;
			return true;
		case NUMERICOID:
			*kind = MS_COUNT_NUMERIC;
			return true;
		default:
			*kind = MS_COUNT_COUNTER;
			return type == counter_type();
	}
}

static bool
can_count(Oid type)
{
	MSCountKind kind;

	return count_kind(getBaseType(type), &kind);
}

static bool
is_timestamptz(Oid type)
{
	return type == TIMESTAMPTZOID;
}

/*
 * The column that plays a part: the one that track() named, else the only
 * one of the customary names that has the right type.  0 where there is none.
 */
static AttrNumber
find_column(MSTarget *target, Relation rel, const char *part,
			const char *tracked, const char *const names[],
			bool (*right_type) (Oid), const char *types)
{
	AttrNumber	found = InvalidAttrNumber;
	AttrNumber	wrong = InvalidAttrNumber;

	if (tracked != NULL && tracked[0] == '\0')
		return InvalidAttrNumber;
	if (tracked != NULL)
	{
		found = ms_column_number(rel, tracked);
		if (found == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table %s does not exist",
							tracked, target->name),
					 errhint("It is tracked as %s. Name the column that is: SELECT missing_symbol.track(%s, %s => ...).",
							 part, quote_literal_cstr(target->name), part)));
		if (!right_type(TupleDescAttr(RelationGetDescr(rel), found - 1)->atttypid))
		{
			wrong = found;
			found = InvalidAttrNumber;
		}
	}
	else
	{
		for (int i = 0; names[i] != NULL; i++)
		{
			AttrNumber	attno = ms_column_number(rel, names[i]);

			if (attno == InvalidAttrNumber)
				continue;
			if (!right_type(TupleDescAttr(RelationGetDescr(rel),
										  attno - 1)->atttypid))
				wrong = attno;
			else if (found == InvalidAttrNumber)
				found = attno;
			else
				ereport(ERROR,
						(errcode(ERRCODE_AMBIGUOUS_COLUMN),
						 errmsg("the %s column of table %s is ambiguous",
								part, target->name),
						 errdetail("Columns \"%s\" and \"%s\" qualify.",
								   column_name(rel, found), names[i]),
						 errhint("Say which one counts: SELECT missing_symbol.track(%s, %s => '%s').",
								 quote_literal_cstr(target->name), part, names[i])));
		}
	}

	if (found == InvalidAttrNumber && wrong != InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table %s cannot be its %s column: it is of type %s",
						column_name(rel, wrong), target->name, part,
						format_type_be(TupleDescAttr(RelationGetDescr(rel),
													 wrong - 1)->atttypid)),
				 errdetail("Its type must be %s.", types),
				 errhint("Change the column's type, or name another column%s: SELECT missing_symbol.track(%s, %s => ...).",
						 strcmp(part, "count") != 0 ? " (or '' for none)" : "",
						 quote_literal_cstr(target->name), part)));
	return found;
}

/* The only column of type counter, if track() has not named a count column. */
static AttrNumber
find_counter_column(MSTarget *target, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	found = InvalidAttrNumber;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || att->atttypid != counter_type())
			continue;
		if (found != InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("the count column of table %s is ambiguous",
							target->name),
					 errdetail("Columns \"%s\" and \"%s\" are of type counter.",
							   column_name(rel, found), NameStr(att->attname)),
					 errhint("Say which one counts: SELECT missing_symbol.track(%s, count => '%s').",
							 quote_literal_cstr(target->name),
							 NameStr(att->attname))));
		found = att->attnum;
	}
	return found;
}

static void
find_counter(MSTarget *target, Relation rel, const MSTracked *tracked)
{
	static const char *const counts[] = {"count", "hits", NULL};
	static const char *const firsts[] = {"created_at", "first_seen", NULL};
	static const char *const lasts[] = {"modified_at", "last_seen", NULL};
	const char *count_types = "smallint, integer, bigint, numeric or missing_symbol.counter";
	Form_pg_attribute att;

	if (tracked->count == NULL)
		target->count = find_counter_column(target, rel);
	if (target->count == InvalidAttrNumber)
		target->count = find_column(target, rel, "count", tracked->count,
									counts, can_count, count_types);
	if (target->count == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table %s has no count column", target->name),
				 errdetail("That is a column of type missing_symbol.counter, or one named count or hits of type %s.",
						   "smallint, integer, bigint or numeric"),
				 errhint("Add one, or name it: SELECT missing_symbol.track(%s, count => ...).",
						 quote_literal_cstr(target->name))));

	att = TupleDescAttr(RelationGetDescr(rel), target->count - 1);
	(void) count_kind(getBaseType(att->atttypid), &target->kind);
	target->count_typmod = att->atttypmod;
	if (getBaseType(att->atttypid) != att->atttypid &&
		target->general_reason == NULL)
		target->general_reason = "its count column is of a domain type";
	if (att->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("count column \"%s\" of table %s is a generated column",
						NameStr(att->attname), target->name),
				 errhint("Name a column that can be updated: SELECT missing_symbol.track(%s, count => ...).",
						 quote_literal_cstr(target->name))));

	/* a counter has its times inside */
	if (target->kind == MS_COUNT_COUNTER)
		return;
	target->first_seen = find_column(target, rel, "first_seen",
									 tracked->first_seen, firsts,
									 is_timestamptz,
									 "timestamp with time zone");
	target->last_seen = find_column(target, rel, "last_seen",
									tracked->last_seen, lasts,
									is_timestamptz,
									"timestamp with time zone");
}

/* A column that every increment changes, or that is its own, is no key. */
static void
check_key_is_no_counter(MSTarget *target, Relation rel)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		AttrNumber	attno = target->keys[i].column.attno;
		const char *part;

		if (attno == target->count)
			part = "count";
		else if (attno == target->first_seen)
			part = "first_seen";
		else if (attno == target->last_seen)
			part = "last_seen";
		else
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("column \"%s\" of table %s is in the key and is its %s column",
						column_name(rel, attno), target->name, part),
				 errhint("Name another key or another column: SELECT missing_symbol.track(%s, key => ..., %s => ...).",
						 quote_literal_cstr(target->name), part)));
	}
}

static void
set_fill(MSTarget *target, Relation rel, List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		const char *name = strVal(lfirst(lc));
		AttrNumber	attno = ms_column_number(rel, name);

		if (attno == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table %s does not exist",
							name, target->name),
					 errhint("It is tracked in fill. Name the columns that are: SELECT missing_symbol.track(%s, fill => ...).",
							 quote_literal_cstr(target->name))));
		target->fill = bms_add_member(target->fill, attno);
	}
}

/*
 * Is the table's data elsewhere, in the shards of a Citus distributed table?
 * Then its local shell must not be touched.
 */
static bool
is_distributed(Oid relid)
{
	Oid			catalog = get_relname_relid("pg_dist_partition",
											PG_CATALOG_NAMESPACE);
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	bool		found;

	if (!OidIsValid(catalog))
		return false;
	rel = table_open(catalog, AccessShareLock);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* Why the fast path cannot serve a table, whoever counts; NULL if it can. */
static const char *
structural_reason(Relation rel)
{
	TriggerDesc *trig = rel->trigdesc;

	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return "it is partitioned";
	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		return "its table access method is not heap";
	if (rel->rd_rel->relhassubclass)
		return "it has inheritance children";
	if (trig != NULL && trig->trig_update_before_row)
		return "it has a BEFORE UPDATE trigger";
	if (trig != NULL &&
		(trig->trig_insert_before_statement || trig->trig_insert_after_statement ||
		 trig->trig_update_before_statement || trig->trig_update_after_statement ||
		 trig->trig_insert_new_table || trig->trig_update_old_table ||
		 trig->trig_update_new_table))
		return "it has a statement trigger";
	if (is_distributed(RelationGetRelid(rel)))
		return "it is distributed by Citus";
	return NULL;
}

/* Refuse what cannot be a target at all. */
static void
check_relation(Relation rel, const char *name)
{
	switch (rel->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			break;
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot count in view %s", name),
					 errhint("Count in the table behind it.")));
			break;
		case RELKIND_FOREIGN_TABLE:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot count in foreign table %s", name),
					 errdetail("A foreign table has no unique index that could arbitrate."),
					 errhint("Count in the table on its own server.")));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot count in %s: it is not a table", name),
					 errhint("Name a table that has a unique key and a count column.")));
	}
	if (IsCatalogRelation(rel))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot count in system catalog %s", name),
				 errhint("Name a table of your own.")));
	if (rel->rd_rules != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot count in table %s: it has rules", name),
				 errdetail("ON CONFLICT does not work with rules."),
				 errhint("Replace the rules by triggers.")));
}

/* Find out everything about a table; the result lives in CacheMemoryContext. */
static MSTarget *
build_target(Relation rel)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol target",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	MSTarget   *target = palloc0(sizeof(MSTarget));
	MSTracked	tracked;

	target->relid = RelationGetRelid(rel);
	target->cxt = cxt;
	target->name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
											  RelationGetRelationName(rel));
	check_relation(rel, target->name);
	ms_tracked_read(target->relid, &tracked);

	target->general_reason = structural_reason(rel);
	find_key(target, rel, tracked.key);
	find_counter(target, rel, &tracked);
	check_key_is_no_counter(target, rel);
	set_fill(target, rel, tracked.fill);
	target->apply = tracked.apply;
	target->throttle = tracked.throttle;
	target->spill = tracked.spill && tracked.throttle == 0;

	/*
	 * Which generated columns an update has to compute is decided once for
	 * the fast path's state, but whether it fills varies from call to call.
	 */
	if (target->general_reason == NULL && target->fill != NULL &&
		RelationGetDescr(rel)->constr != NULL &&
		RelationGetDescr(rel)->constr->has_generated_stored)
		target->general_reason = "it has generated columns and fills others";
	if (target->throttle > 0 && target->kind != MS_COUNT_COUNTER &&
		target->last_seen == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("throttle of table %s needs a last_seen column",
						target->name),
				 errhint("Name one, or clear the throttle: SELECT missing_symbol.track(%s, throttle => '0').",
						 quote_literal_cstr(target->name))));

	MemoryContextSwitchTo(oldcxt);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	return target;
}

static void
free_target(MSTarget *target)
{
	ms_general_free(target);
	MemoryContextDelete(target->cxt);
}

/* Free a target that the cache has no use for, now or when its users have. */
static void
release_target(MSTarget *target)
{
	if (target->users > 0 || target->pinned)
		target->stale = true;
	else
		free_target(target);
}

/*
 * Free what invalidations have marked, so that a session that makes and drops
 * tables all day keeps nothing of them.
 */
static void
free_invalid_targets(void)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	hash_seq_init(&status, targets);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		MSTarget   *target = entry->target;

		if (entry->valid && target != NULL)
			continue;
		if (target != NULL)
			release_target(target);
		hash_search(targets, &entry->relid, HASH_REMOVE, NULL);
	}
}

/*
 * Open a table as a target; the lock is kept to the end of the transaction,
 * as any statement's.  Errors name the table and say what to do.
 */
MSTarget *
ms_target_open(Oid relid, LOCKMODE lockmode, Relation *rel)
{
	CacheEntry *entry;
	MSTarget   *target;
	bool		found;

	if (targets == NULL)
		make_cache();

	*rel = try_relation_open(relid, lockmode);
	if (*rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid),
				 errhint("It may have been dropped; name an existing table.")));

	entry = hash_search(targets, &relid, HASH_FIND, NULL);
	if (unlikely(entry == NULL || !entry->valid || entry->target == NULL))
	{
		free_invalid_targets();
		entry = hash_search(targets, &relid, HASH_ENTER, NULL);

		/* an invalidation while we read the catalogs must not be missed */
		entry->valid = true;
		entry->target = NULL;
		target = build_target(*rel);

		/*
		 * Building looks at index predicates, and so may run user code,
		 * which may count: the entry may have gone, or have a target.
		 */
		entry = hash_search(targets, &relid, HASH_ENTER, &found);
		if (!found)
			entry->valid = false;
		else if (entry->target != NULL)
			release_target(entry->target);
		entry->target = target;
	}

	entry->target->users++;
	return entry->target;
}

/* Give a target back; the table stays locked. */
void
ms_target_close(MSTarget *target, Relation rel)
{
	relation_close(rel, NoLock);
	ms_target_unpin(target);
}

/* The same but for the table, which core closes after an error. */
void
ms_target_unpin(MSTarget *target)
{
	if (--target->users == 0 && target->stale && !target->pinned)
		free_target(target);
}

/* Keep a target, stale or not, until it is released. */
void
ms_target_pin(MSTarget *target)
{
	target->pinned = true;
}

void
ms_target_release(MSTarget *target)
{
	target->pinned = false;
	if (target->users == 0 && target->stale)
		free_target(target);
}

/*
 * Why this call must take the general path; NULL where the fast path serves.
 * What depends on the role or on the session cannot be kept in the target.
 */
const char *
ms_general_reason(const MSTarget *target, Relation rel)
{
	if (target->general_reason != NULL)
		return target->general_reason;
	if (rel->rd_rel->relrowsecurity &&
		check_enable_rls(target->relid, InvalidOid, true) != RLS_NONE)
		return "row security applies to the current role";
	if (!ms_fast_path)
		return "missing_symbol.fast_path is off";
	return NULL;
}
