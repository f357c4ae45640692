/*-------------------------------------------------------------------------
 *
 * describe.c
 *	  describe(): how a table counts, and what keeps it from doing so fast.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "target/target.h"
#include "target/tracked.h"

/* by MSApply; what is not set has been decided when this is asked */
static const char *const apply_names[] = {"", "now", "commit", "buffer"};

/* columns of describe(); the objects of release 1.1 have the first 11 */
#define DESCRIBE_COLUMNS	14

/* that of 1.2 has another name: the library of 1.1 would read beyond a row */
PG_FUNCTION_INFO_V1(ms_describe);
PG_FUNCTION_INFO_V1(ms_describe_target);

Datum
ms_look_at(MSTarget *target, Relation rel,
		   Datum (*look) (MSTarget *target, Relation rel, void *arg), void *arg)
{
	Datum		result;

	PG_TRY();
	{
		result = look(target, rel, arg);
	}
	PG_CATCH();
	{
		ms_target_unpin(target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_target_close(target, rel);
	return result;
}

/* Append the attribute numbers that a change makes an index entry for. */
static Bitmapset *
index_attributes(Relation index)
{
	Form_pg_index form = index->rd_index;
	Bitmapset  *result = NULL;
	Bitmapset  *expr_attrs = NULL;
	int			member = -1;

	for (int i = 0; i < form->indnatts; i++)
	{
		if (form->indkey.values[i] > 0)
			result = bms_add_member(result, form->indkey.values[i]);
	}
	pull_varattnos(ms_index_tree(index, Anum_pg_index_indexprs), 1, &expr_attrs);
	pull_varattnos(ms_index_tree(index, Anum_pg_index_indpred), 1, &expr_attrs);
	while ((member = bms_next_member(expr_attrs, member)) >= 0)
	{
		if (member + FirstLowInvalidHeapAttributeNumber > 0)
			result = bms_add_member(result,
									member + FirstLowInvalidHeapAttributeNumber);
	}
	return result;
}

/* Add one to a list. */
List *
ms_add_obstacle(List *list, char *what, const char *consequence, char *remedy)
{
	MSObstacle *obstacle = palloc(sizeof(MSObstacle));

	obstacle->what = what;
	obstacle->consequence = consequence;
	obstacle->remedy = remedy;
	return lappend(list, obstacle);
}

/* The statement that takes an index away, with its constraint if it has one. */
static char *
without_index(Relation rel, Relation index)
{
	Oid			constraint = get_index_constraint(RelationGetRelid(index));

	if (OidIsValid(constraint))
		return psprintf("ALTER TABLE %s DROP CONSTRAINT %s;",
						quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												   RelationGetRelationName(rel)),
						quote_identifier(get_constraint_name(constraint)));
	return psprintf("DROP INDEX %s;",
					quote_qualified_identifier(get_namespace_name(RelationGetNamespace(index)),
											   RelationGetRelationName(index)));
}

/*
 * What keeps increments from being HOT: an index on a column that they
 * change, and pages without room for a second version of a row.
 */
List *
ms_hot_obstacles(MSTarget *target, Relation rel)
{
	List	   *result = NIL;
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;
	Bitmapset  *changed = bms_make_singleton(target->count);

	if (target->last_seen != InvalidAttrNumber)
		changed = bms_add_member(changed, target->last_seen);
	for (int i = 1; i < target->nmerged; i++)
		changed = bms_add_member(changed, target->merged[i].attno);
	if (target->limits.window != InvalidAttrNumber)
		changed = bms_add_member(changed, target->limits.window);
	if (target->limits.bucket != InvalidAttrNumber)
		changed = bms_add_member(changed, target->limits.bucket);

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Bitmapset  *both = bms_intersect(changed, index_attributes(index));

		if (!bms_is_empty(both) && !ms_index_is_summarizing(index))
			result = ms_add_obstacle(result,
								  psprintf("index %s contains column %s, which every increment changes",
										   quote_identifier(RelationGetRelationName(index)),
										   quote_identifier(ms_column_name(rel,
																		   bms_next_member(both, -1)))),
								  "Increments cannot be HOT: each writes to every index.",
								  without_index(rel, index));
		index_close(index, AccessShareLock);
	}

	if (rel->rd_rel->relkind == RELKIND_RELATION &&
		RelationGetFillFactor(rel, HEAP_DEFAULT_FILLFACTOR) == 100)
		result = ms_add_obstacle(result,
							  pstrdup("fillfactor is 100: pages have no room for a row's next version"),
							  "Increments are HOT only where others have left room; where a page is full, one writes to every index.",
							  psprintf("ALTER TABLE %s SET (fillfactor = 70);",
									   target->name));
	return result;
}

/* A default is a value, too, of columns of which the greatest or least stays. */
List *
ms_default_obstacles(MSTarget *target, Relation rel)
{
	List	   *result = NIL;

	for (int i = 1; i < target->nmerged; i++)
	{
		const MSMerged *column = &target->merged[i];
		bool		greatest = column->role == MS_ROLE_GREATEST;

		if ((!greatest && column->role != MS_ROLE_LEAST) ||
			!bms_is_member(column->attno, target->defaults))
			continue;
		result = ms_add_obstacle(result,
								 psprintf("column %s, of which the %s value is kept, has a default",
										  quote_identifier(column->count.column),
										  greatest ? "greatest" : "least"),
								 "A new counter that is given no value has that, and later values are compared with it.",
								 psprintf("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT;",
										  target->name,
										  quote_identifier(column->count.column)));
	}
	return result;
}

static Datum
name_array(List *names)
{
	Datum	   *elems = palloc(sizeof(Datum) * Max(list_length(names), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, names)
		elems[n++] = CStringGetDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elems, n, NAMEOID, NAMEDATALEN,
										   false, TYPALIGN_CHAR));
}

/* An array of texts, which are C strings. */
static Datum
text_array(List *texts)
{
	Datum	   *elems = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, texts)
		elems[n++] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elems, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/* What configure() said of a table, as it said it; false: nothing. */
static bool
settings_of(Oid relid, Datum *settings)
{
	Relation	table;
	Datum		values[SETTINGS_NATTS];
	bool		isnull[SETTINGS_NATTS];
	ItemPointerData tid;
	bool		found;

	if (!ms_settings_exist())
		return false;
	table = ms_settings_open(AccessShareLock);
	found = ms_tracked_row(table, relid, values, isnull, &tid);
	if (found)
		*settings = values[SETTINGS_SETTINGS];
	table_close(table, AccessShareLock);
	return found;
}

static char *
padded_name(Relation rel, AttrNumber attno)
{
	Name		name = palloc0(sizeof(NameData));

	namestrcpy(name, ms_column_name(rel, attno));
	return NameStr(*name);
}

/* partitions that the fast path cannot have */
typedef struct Leaves
{
	const MSTarget *target;
	Relation	named;
	const char *first;			/* of them, and why */
	int			n;
} Leaves;

static bool
note_leaf(Relation rel, void *arg)
{
	Leaves	   *leaves = arg;
	const char *reason;

	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return false;
	reason = ms_leaf_reason(leaves->target, leaves->named, rel);
	if (reason != NULL && leaves->n++ == 0)
		leaves->first = psprintf("not for partition %s: %s",
								 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
															RelationGetRelationName(rel)),
								 reason);
	return false;
}

/* Why some rows of a table on the fast path are not counted there; or NULL. */
static const char *
rows_reason(const MSTarget *target, Relation rel)
{
	Leaves		leaves = {target, rel, NULL, 0};

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return ms_row_security_applies(target, InvalidOid) ?
			"not for new counters: row security applies to the current role" :
			NULL;
	(void) ms_any_table(rel, note_leaf, &leaves);
	if (leaves.n > 1)
		return psprintf("%s; nor for %d more", leaves.first, leaves.n - 1);
	return leaves.first;
}

const char *
ms_apply_name(MSTarget *target)
{
	return apply_names[ms_pending_apply(target)];
}

/* The row of describe(), of that type. */
static Datum
describe(MSTarget *target, Relation rel, void *desc)
{
	Datum		values[DESCRIBE_COLUMNS];
	bool		isnull[DESCRIBE_COLUMNS] = {0};
	List	   *names = NIL;
	List	   *texts = NIL;
	int			attno = -1;
	ListCell   *lc;
	const char *reason = ms_general_reason(target, rel);

	for (int i = 0; i < target->nargs; i++)
		names = lappend(names, padded_name(rel, target->args[i].attno));
	values[0] = name_array(names);
	values[1] = CStringGetDatum(padded_name(rel, target->count));
	isnull[2] = target->first_seen == InvalidAttrNumber;
	if (!isnull[2])
		values[2] = CStringGetDatum(padded_name(rel, target->first_seen));
	isnull[3] = target->last_seen == InvalidAttrNumber;
	if (!isnull[3])
		values[3] = CStringGetDatum(padded_name(rel, target->last_seen));
	values[4] = CStringGetTextDatum(ms_apply_name(target));
	isnull[5] = target->throttle == 0;
	if (!isnull[5])
	{
		Interval   *throttle = palloc0(sizeof(Interval));

		throttle->time = target->throttle;
		values[5] = IntervalPGetDatum(throttle);
	}
	isnull[6] = bms_is_empty(target->fill);
	names = NIL;
	while ((attno = bms_next_member(target->fill, attno)) >= 0)
		names = lappend(names, padded_name(rel, attno));
	values[6] = name_array(names);
	values[7] = BoolGetDatum(target->spill);
	values[8] = CStringGetTextDatum(reason == NULL ? "fast" : "general");
	if (reason == NULL)
		reason = rows_reason(target, rel);
	isnull[9] = reason == NULL;
	if (!isnull[9])
		values[9] = CStringGetTextDatum(reason);
	foreach(lc, ms_hot_obstacles(target, rel))
		texts = lappend(texts, ((MSObstacle *) lfirst(lc))->what);
	isnull[10] = texts == NIL;
	values[10] = text_array(texts);
	isnull[11] = !settings_of(target->relid, &values[11]);
	texts = ms_left_alone(target, rel);
	isnull[12] = texts == NIL;
	values[12] = text_array(texts);
	texts = NIL;
	foreach(lc, ms_default_obstacles(target, rel))
		texts = lappend(texts, ((MSObstacle *) lfirst(lc))->what);
	isnull[13] = texts == NIL;
	values[13] = text_array(texts);

	return HeapTupleGetDatum(heap_form_tuple(desc, values, isnull));
}

static Datum
describe_target(FunctionCallInfo fcinfo)
{
	Relation	rel;
	MSTarget   *target;
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	Assert(desc->natts <= DESCRIBE_COLUMNS);
	target = ms_target_open(PG_GETARG_OID(0), AccessShareLock, &rel);
	return ms_look_at(target, rel, describe, BlessTupleDesc(desc));
}

/*
 * describe(target) -> (key, count, first_seen, last_seen, apply, throttle,
 * fill, spill, path, reason, hot_obstacles): that of release 1.1
 */
Datum
ms_describe(PG_FUNCTION_ARGS)
{
	return describe_target(fcinfo);
}

/* the same, with (settings, left_alone, warnings) */
Datum
ms_describe_target(PG_FUNCTION_ARGS)
{
	return describe_target(fcinfo);
}
