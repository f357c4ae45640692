/*-------------------------------------------------------------------------
 *
 * track.c
 *	  track(), configure(), untrack(), and the trigger that forgets dropped
 *	  tables: who writes tables missing_symbol.tracked and settings.
 *
 * The tables grant nobody write access.  They are written here only, with the
 * table access method, after checking that the caller owns the *target*: so
 * no function need be SECURITY DEFINER, and whoever may drop a table can have
 * its row removed.  The functions lock the target against each other
 * (ShareUpdateExclusiveLock, as ALTER TABLE SET does) and send a relcache
 * invalidation for it, so that every session reads the new row at its next
 * call.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "table/table.h"
#include "target/acting.h"
#include "target/stored.h"
#include "target/target.h"
#include "target/tracked.h"
#include "tokens/tokens.h"

PG_FUNCTION_INFO_V1(ms_track);
PG_FUNCTION_INFO_V1(ms_configure);
PG_FUNCTION_INFO_V1(ms_untrack);
PG_FUNCTION_INFO_V1(ms_forget_dropped);

static void
insert_row(Relation tracked, Datum *values, bool *isnull)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *rri = makeNode(ResultRelInfo);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(tracked),
													&TTSOpsHeapTuple);

	ExecStoreHeapTuple(heap_form_tuple(RelationGetDescr(tracked), values,
									   isnull), slot, false);
	InitResultRelInfo(rri, tracked, 0, NULL, 0);
	ExecOpenIndices(rri, false);
	PushActiveSnapshot(GetLatestSnapshot());
	ExecSimpleRelationInsert(rri, estate, slot);
	PopActiveSnapshot();
	ExecCloseIndices(rri);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

static void
delete_row(Relation tracked, ItemPointer tid)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

	simple_table_tuple_delete(tracked, tid, snapshot);
	UnregisterSnapshot(snapshot);
}

static void
no_table(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("table with OID %u does not exist", relid)));
}

static void
check_owner(Oid relid)
{
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		no_table(relid);
	if (!object_ownercheck(RelationRelationId, relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
}

/* Lock a table that the caller owns. */
static Relation
open_owned(FunctionCallInfo fcinfo, const char *function)
{
	Oid			relid;
	Relation	rel;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null")));
	relid = PG_GETARG_OID(0);
	PreventCommandIfReadOnly(function);
	PreventCommandDuringRecovery(function);

	/* what another call in the same statement did must be visible */
	CommandCounterIncrement();

	/* before the lock, which keeps others out, and under it */
	check_owner(relid);
	rel = try_relation_open(relid, ShareUpdateExclusiveLock);
	if (rel == NULL)
		no_table(relid);
	check_owner(relid);
	return rel;
}

/* Refuse settings that do not go together. */
static void
check_together(Datum *values, bool *isnull)
{
	if (!isnull[TRACKED_APPLY] &&
		ms_tracked_apply(values[TRACKED_APPLY]) != MS_APPLY_NOW &&
		!isnull[TRACKED_THROTTLE])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("throttle cannot be combined with apply => '%s'",
						text_to_cstring(DatumGetTextPP(values[TRACKED_APPLY]))),
				 errdetail("Whether an increment is throttled would be known when it reaches its row only."),
				 errhint("A throttled key is written once per interval: use apply => 'now', or clear the throttle with throttle => '0'.")));
}

/* Are increments of a table set aside? */
static bool
has_deltas(Relation rel)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	bool		result = ms_spill_exists(RelationGetRelid(rel), snapshot);

	UnregisterSnapshot(snapshot);
	return result;
}

/*
 * The key of a delta that is set aside is kept as values in the order of the
 * index: of another key they would be other values.
 */
static void
check_key_change(Relation rel, List *before, List *after)
{
	if (equal(before, after))
		return;

	/* those of transactions that are not over, too */
	LockRelation(rel, ShareRowExclusiveLock);
	if (has_deltas(rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot change the key of table \"%s\": increments of it are set aside",
						RelationGetRelationName(rel)),
				 errhint("Merge them first: SELECT missing_symbol.flush(). What cannot be merged: SELECT missing_symbol.discard_all(...).")));
}

/* The index that settings name, as a list; NIL: none. */
static List *
index_of(const MSTracked *settings)
{
	return settings->index == NULL ? NIL :
		list_make1(makeString(settings->index));
}

/* New keys that are set aside would be dropped, where no rows are made. */
static void
check_insert_change(Relation rel, bool before, bool after)
{
	if (before || !after)
		return;

	/* those of transactions that are not over, too */
	LockRelation(rel, ShareRowExclusiveLock);
	if (has_deltas(rel) || ms_pending_has(RelationGetRelid(rel)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot set \"insert\" to false for table \"%s\": increments of it are set aside",
						RelationGetRelationName(rel)),
				 errhint("Merge them first: SELECT missing_symbol.flush(); COMMIT what this transaction has deferred.")));
}

/* Does a list lack a column of another one, which is there? */
static bool
lacks_one(Relation rel, List *before, List *after)
{
	ListCell   *lc;

	foreach(lc, before)
	{
		if (!list_member(after, lfirst(lc)) &&
			ms_column_number(rel, strVal(lfirst(lc))) != InvalidAttrNumber)
			return true;
	}
	return false;
}

/*
 * Does another column become the first count?  What is set aside has the first
 * one's amounts without its name, so they would go there.  A name that was not
 * there before can be the new one of the column, if its old one is gone.
 */
static bool
first_moves(Relation rel, List *before, List *after)
{
	if (before == NIL || after == NIL)
		return after != NIL;	/* the table has told which is the first */
	if (equal(linitial(before), linitial(after)))
		return false;
	return list_member(before, linitial(after)) ||
		ms_column_number(rel, strVal(linitial(before))) != InvalidAttrNumber;
}

/*
 * What is set aside has values that would not know what to do.  A column that
 * has been renamed may have its new name; and what was a detail is no amount.
 */
static void
check_merged_change(Relation rel, const MSTracked *before,
					const MSTracked *after)
{
	if (!first_moves(rel, before->counts, after->counts) &&
		!lacks_one(rel, before->counts, after->counts) &&
		!lacks_one(rel, before->latest, after->latest) &&
		!lacks_one(rel, before->greatest, after->greatest) &&
		!lacks_one(rel, before->least, after->least))
		return;

	/* those of transactions that are not over, too */
	LockRelation(rel, ShareRowExclusiveLock);
	if (has_deltas(rel) || ms_pending_has(RelationGetRelid(rel)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot change what table \"%s\" counts and compares: increments of it are set aside",
						RelationGetRelationName(rel)),
				 errhint("Merge them first: SELECT missing_symbol.flush(); COMMIT what this transaction has deferred. What cannot be merged: SELECT missing_symbol.discard_all(...).")));
}

/* What is set aside would come to its row beyond any limit. */
static void
check_limits_change(Relation rel, const MSTracked *before,
					const MSTracked *after)
{
	if (ms_has_limits(before) || !ms_has_limits(after))
		return;

	/* that of transactions that are not over, too */
	LockRelation(rel, ShareRowExclusiveLock);
	if (has_deltas(rel) || ms_pending_has(RelationGetRelid(rel)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table \"%s\" cannot have limits: increments of it are set aside",
						RelationGetRelationName(rel)),
				 errhint("Merge them first: SELECT missing_symbol.flush(); COMMIT what this transaction has deferred. What cannot be merged: SELECT missing_symbol.discard_all(...).")));
}

/* The key that a row of tracked names; NIL: it leaves that to the table. */
static List *
named_key(Datum *values, bool *isnull)
{
	return isnull[TRACKED_KEY] ? NIL : ms_tracked_names(values[TRACKED_KEY]);
}

/*
 * A delta that is set aside may later turn out to have been throttled: the
 * two do not go together, nor does a throttle with what is still set aside.
 */
static void
check_throttle(Relation rel, Datum *values, bool *isnull)
{
	if (isnull[TRACKED_THROTTLE])
		return;
	if (!isnull[TRACKED_SPILL] && DatumGetBool(values[TRACKED_SPILL]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("throttle and spill cannot both be set for table \"%s\"",
						RelationGetRelationName(rel)),
				 errdetail("Whether a spilled increment should have been throttled is not known when it is made."),
				 errhint("Clear one of them: throttle => '0', or spill => false.")));

	if (has_deltas(rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot throttle table \"%s\": increments of it are set aside",
						RelationGetRelationName(rel)),
				 errhint("Merge them first: SELECT missing_symbol.fold(...). What cannot be merged: SELECT missing_symbol.discard_all(...).")));
}

/* '' and an empty array clear a setting; NULL has left the old one. */
static void
normalize(Datum *values, bool *isnull)
{
	if (!isnull[TRACKED_KEY] && ms_tracked_names(values[TRACKED_KEY]) == NIL)
		isnull[TRACKED_KEY] = true;
	if (!isnull[TRACKED_FILL] && ms_tracked_names(values[TRACKED_FILL]) == NIL)
		isnull[TRACKED_FILL] = true;
	if (!isnull[TRACKED_COUNT] &&
		NameStr(*DatumGetName(values[TRACKED_COUNT]))[0] == '\0')
		isnull[TRACKED_COUNT] = true;
	if (!isnull[TRACKED_APPLY] &&
		VARSIZE_ANY_EXHDR(DatumGetTextPP(values[TRACKED_APPLY])) == 0)
		isnull[TRACKED_APPLY] = true;
	if (!isnull[TRACKED_THROTTLE] &&
		ms_tracked_throttle(DatumGetIntervalP(values[TRACKED_THROTTLE])) == 0)
		isnull[TRACKED_THROTTLE] = true;
}

/* fill must not name what increments write, or what cannot be written. */
static void
check_fill(MSTarget *target, Relation rel)
{
	int			attno = -1;

	while ((attno = bms_next_member(target->fill, attno)) >= 0)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

		if (ms_is_always_given(target, attno) || att->attgenerated != '\0' ||
			(target->view != NULL &&
			 (target->view->columns[attno - 1] == InvalidAttrNumber ||
			  bms_is_member(attno, target->view->identities))) ||
			att->attidentity != '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of table %s cannot be filled",
							NameStr(att->attname), target->name),
					 errdetail("It is part of the key or the counter, or the database fills it."),
					 errhint("Name detail columns in fill.")));
	}
}

/* Columns that fill up after 2,147,483,647 increments or new counters. */
static List *
narrow_columns(MSTarget *target, Relation rel)
{
	List	   *result = NIL;
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool		is_count = ms_is_counted(target, att->attnum);

		if (att->attisdropped || getBaseType(att->atttypid) != INT4OID ||
			(target->limits.has_most && att->attnum == target->limits.attno))
			continue;
		if (!is_count && att->attidentity == '\0' &&
			!ms_default_is_sequence(rel, att->attnum))
			continue;
		result = ms_add_obstacle(result,
							  psprintf("%s column %s is integer and full at 2147483647",
									   is_count ? "count" : "serial",
									   quote_identifier(NameStr(att->attname))),
							  "Then every further increment or new counter fails.",
							  psprintf("ALTER TABLE %s ALTER COLUMN %s TYPE bigint;",
									   target->name,
									   quote_identifier(NameStr(att->attname))));
	}
	return result;
}

static void
warn(const MSTarget *target, List *obstacles)
{
	ListCell   *lc;

	foreach(lc, obstacles)
	{
		MSObstacle *obstacle = lfirst(lc);

		ereport(WARNING,
				(errmsg("table %s: %s", target->name, obstacle->what),
				 errdetail("%s", obstacle->consequence),
				 errhint("%s", obstacle->remedy)));
	}
}

/* What was asked for, but cannot be done with the types of the key. */
static void
warn_fallbacks(MSTarget *target, Relation rel, bool spill)
{
	bool		serves = ms_key_text_serves(target);

	if ((target->spill || target->apply == MS_APPLY_BUFFER) &&
		ms_has_own_triggers(rel))
		ereport(WARNING,
				(errmsg("table %s: what is set aside runs its triggers as its owner where he could not become the role that counted",
						target->name),
				 errdetail("A trigger that looks at current_user sees the owner then."),
				 errhint("Use apply => 'commit' or 'now' where that matters.")));
	if (spill && !serves)
		ereport(WARNING,
				(errmsg("table %s: increments cannot be spilled, but wait for locked rows",
						target->name),
				 errdetail("Its key contains names of objects, which can be renamed or dropped meanwhile."),
				 errhint("Use a key column of type oid, text or name.")));
	if (target->apply == MS_APPLY_BUFFER && !ms_key_text_exact(target))
		ereport(WARNING,
				(errmsg("table %s: increments cannot be buffered, but are applied at the commit",
						target->name),
				 serves ?
				 errdetail("Equal keys of its key's types, or under their collations, can have different texts.") :
				 errdetail("Its key contains names of objects, which can be renamed or dropped meanwhile."),
				 errhint("Use key columns of integer, text, uuid or date types.")));
}

/* A column holds one of the times. */
static void
check_times(const MSTarget *target, Relation rel)
{
	if (target->first_seen == InvalidAttrNumber ||
		target->first_seen != target->last_seen)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of table %s cannot be both its first_seen and its last_seen column",
					ms_column_name(rel, target->first_seen), target->name),
			 errhint("Name another column for one of them, or '' for none: SELECT missing_symbol.track(%s, first_seen => '').",
					 quote_literal_cstr(target->name))));
}

/* What track() has to say of the settings that are in force now. */
static Datum
judge(MSTarget *target, Relation rel, void *spill)
{
	check_fill(target, rel);
	check_times(target, rel);
	if (target->view != NULL)
		return (Datum) 0;		/* the rest is the table's */
	warn(target, ms_hot_obstacles(target, rel));
	warn(target, narrow_columns(target, rel));
	warn(target, ms_default_obstacles(target, rel));
	warn_fallbacks(target, rel, *(bool *) spill);
	return (Datum) 0;
}

/* A row of ours would outlive a temporary table. */
static void
check_permanent(Relation rel)
{
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot track temporary table \"%s\"",
						RelationGetRelationName(rel)),
				 errdetail("Its row would outlive the table."),
				 errhint("Give it one unique key and the customary column names; then it needs no track().")));
}

static void
look(Relation rel, bool spill)
{
	Relation	again;
	MSTarget   *target = ms_target_open(RelationGetRelid(rel), NoLock, &again);

	(void) ms_look_at(target, again, judge, &spill);
}

/*
 * The same where an index has been named: track() can say nothing of such a
 * table before.  So what it is yet to name is a warning.
 */
static void
look_by_index(Relation rel, bool spill)
{
	MemoryContext oldcxt = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcxt);
	PG_TRY();
	{
		look(rel, spill);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcxt);
		CurrentResourceOwner = oldowner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(oldcxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcxt);
		CurrentResourceOwner = oldowner;
		if (error->sqlerrcode == ERRCODE_UNDEFINED_COLUMN ||
			error->sqlerrcode == ERRCODE_AMBIGUOUS_COLUMN)
			error->elevel = WARNING;
		ThrowErrorData(error);
	}
	PG_END_TRY();
}

/* An error in what was asked for shows here, and undoes the row. */
static void
finish(Relation rel, bool spill, bool names_index)
{
	CacheInvalidateRelcache(rel);
	CommandCounterIncrement();
	if (names_index)
		look_by_index(rel, spill);
	else
		look(rel, spill);
	relation_close(rel, NoLock);
}

/*
 * track(target, key, count, first_seen, last_seen, apply, throttle, fill,
 * spill): NULL leaves a setting as it is.
 */
Datum
ms_track(PG_FUNCTION_ARGS)
{
	Relation	rel = open_owned(fcinfo, "track()");
	Relation	tracked;
	Datum		values[TRACKED_NATTS] = {0};
	bool		isnull[TRACKED_NATTS];
	ItemPointerData tid;
	List	   *key;

	check_permanent(rel);
	tracked = ms_tracked_open(RowExclusiveLock);
	memset(isnull, true, sizeof(isnull));
	if (ms_tracked_row(tracked, RelationGetRelid(rel), values, isnull, &tid))
		delete_row(tracked, &tid);
	key = named_key(values, isnull);
	values[TRACKED_TARGET] = PG_GETARG_DATUM(0);
	isnull[TRACKED_TARGET] = false;
	for (int i = TRACKED_KEY; i < TRACKED_NATTS; i++)
	{
		if (!PG_ARGISNULL(i))
		{
			values[i] = PG_GETARG_DATUM(i);
			isnull[i] = false;
		}
	}
	normalize(values, isnull);
	check_together(values, isnull);
	check_throttle(rel, values, isnull);
	check_key_change(rel, key, named_key(values, isnull));
	insert_row(tracked, values, isnull);
	table_close(tracked, RowExclusiveLock);

	finish(rel, !isnull[TRACKED_SPILL] && DatumGetBool(values[TRACKED_SPILL]),
		   false);
	PG_RETURN_VOID();
}

/* The settings that a call names, each of which must be known. */
static void
check_settings(Datum settings)
{
	Jsonb	   *json = DatumGetJsonbP(settings);
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("settings must be a JSON object"),
				 errhint("Settings are: %s.", ms_settings_known())));
	it = JsonbIteratorInit(&json->root);
	(void) JsonbIteratorNext(&it, &v, false);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(v.val.string.val, v.val.string.len);
		if (!ms_settings_is_known(name))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized setting: \"%s\"", name),
					 errhint("Settings are: %s.", ms_settings_known())));
	}
}

static bool
has_setting(Datum settings, const char *name)
{
	return DatumGetBool(DirectFunctionCall2(jsonb_exists, settings,
											CStringGetTextDatum(name)));
}

static Datum
without_setting(Datum settings, const char *name)
{
	return DirectFunctionCall2(jsonb_delete, settings,
							   CStringGetTextDatum(name));
}

/* Setting fill is that of track(). */
static void
set_fill(Relation rel, List *names)
{
	Relation	tracked = ms_tracked_open(RowExclusiveLock);
	Datum		values[TRACKED_NATTS] = {0};
	bool		isnull[TRACKED_NATTS];
	ItemPointerData tid;
	Datum	   *elems = palloc(sizeof(Datum) * Max(list_length(names), 1));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, names)
	{
		Name		name = palloc0(sizeof(NameData));

		namestrcpy(name, strVal(lfirst(lc)));
		elems[n++] = NameGetDatum(name);
	}
	memset(isnull, true, sizeof(isnull));
	if (ms_tracked_row(tracked, RelationGetRelid(rel), values, isnull, &tid))
		delete_row(tracked, &tid);
	else if (n == 0)
	{
		table_close(tracked, RowExclusiveLock);
		return;
	}
	values[TRACKED_TARGET] = ObjectIdGetDatum(RelationGetRelid(rel));
	values[TRACKED_FILL] = PointerGetDatum(construct_array(elems, n, NAMEOID,
														   NAMEDATALEN, false,
														   TYPALIGN_CHAR));
	isnull[TRACKED_TARGET] = false;
	isnull[TRACKED_FILL] = n == 0;
	insert_row(tracked, values, isnull);
	table_close(tracked, RowExclusiveLock);
}

/*
 * configure(target, settings): the settings that are named; a JSON null clears
 * one.
 */
Datum
ms_configure(PG_FUNCTION_ARGS)
{
	Relation	rel = open_owned(fcinfo, "configure()");
	Relation	table;
	Datum		values[SETTINGS_NATTS];
	bool		isnull[SETTINGS_NATTS] = {0};
	ItemPointerData tid;
	Datum		settings;
	Datum		settings_given;
	MSTracked	before = {0};
	MSTracked	now;
	bool		names_index;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("settings must not be null"),
				 errhint("untrack() clears all settings of a table.")));
	settings = settings_given = PG_GETARG_DATUM(1);
	check_permanent(rel);
	check_settings(settings);

	table = ms_settings_open(RowExclusiveLock);
	if (ms_tracked_row(table, RelationGetRelid(rel), values, isnull, &tid))
	{
		ms_settings_parse(values[SETTINGS_SETTINGS], &before);
		settings = DirectFunctionCall2(jsonb_concat, values[SETTINGS_SETTINGS],
									   settings);
		delete_row(table, &tid);
	}
	settings = DirectFunctionCall1(jsonb_strip_nulls, settings);
	memset(&now, 0, sizeof(now));
	ms_settings_parse(settings, &now);
	check_insert_change(rel, before.no_insert, now.no_insert);
	check_key_change(rel, index_of(&before), index_of(&now));
	names_index = now.index != NULL;
	check_merged_change(rel, &before, &now);
	check_limits_change(rel, &before, &now);
	if (has_setting(settings_given, "fill"))
	{
		set_fill(rel, now.fill);
		settings = without_setting(settings, "fill");
	}
	values[SETTINGS_TARGET] = PG_GETARG_DATUM(0);
	values[SETTINGS_SETTINGS] = settings;
	if (JB_ROOT_COUNT(DatumGetJsonbP(settings)) > 0)
		insert_row(table, values, isnull);
	table_close(table, RowExclusiveLock);

	ms_tracked_read(RelationGetRelid(rel), &now);
	finish(rel, now.spill, names_index);
	PG_RETURN_VOID();
}

/* Forget what configure() said of a table; false: nothing. */
static bool
forget_settings(Oid relid)
{
	Relation	table;
	Datum		values[SETTINGS_NATTS];
	bool		isnull[SETTINGS_NATTS];
	ItemPointerData tid;
	bool		found;

	if (!ms_settings_exist())
		return false;
	table = ms_settings_open(RowExclusiveLock);
	found = ms_tracked_row(table, relid, values, isnull, &tid);
	if (found)
		delete_row(table, &tid);
	table_close(table, RowExclusiveLock);
	return found;
}

/* untrack(target): the table alone tells again how it counts */
Datum
ms_untrack(PG_FUNCTION_ARGS)
{
	Relation	rel = open_owned(fcinfo, "untrack()");
	Relation	tracked = ms_tracked_open(RowExclusiveLock);
	Datum		values[TRACKED_NATTS];
	bool		isnull[TRACKED_NATTS];
	ItemPointerData tid;
	MSTracked	before;
	MSTracked	after = {0};
	bool		configured;

	ms_tracked_read(RelationGetRelid(rel), &before);
	check_key_change(rel, index_of(&before), NIL);
	check_merged_change(rel, &before, &after);
	configured = forget_settings(RelationGetRelid(rel));
	if (ms_tracked_row(tracked, RelationGetRelid(rel), values, isnull, &tid))
	{
		check_key_change(rel, named_key(values, isnull), NIL);
		delete_row(tracked, &tid);
	}
	else if (!configured)
		ereport(NOTICE,
				(errmsg("table \"%s\" is not tracked",
						RelationGetRelationName(rel))));
	table_close(tracked, RowExclusiveLock);
	CacheInvalidateRelcache(rel);
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}

/*
 * The event trigger on sql_drop: a dropped table's row goes with it, whoever
 * dropped it.
 */
Datum
ms_forget_dropped(PG_FUNCTION_ARGS)
{
	Relation	tracked;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("forget_dropped() must be called by its event trigger")));

	/* DROP EXTENSION takes our own table along */
	if (!OidIsValid(get_namespace_oid("missing_symbol", true)) ||
		!ms_own_table_exists("tracked"))
		PG_RETURN_NULL();

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("SELECT objid FROM pg_catalog.pg_event_trigger_dropped_objects()"
					" WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
					" AND objsubid OPERATOR(pg_catalog.=) 0"
					" AND object_type OPERATOR(pg_catalog.=) ANY ('{table,view}')",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the dropped objects");

	tracked = ms_tracked_open(RowExclusiveLock);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[TRACKED_NATTS];
		bool		isnull[TRACKED_NATTS];
		bool		objnull;
		ItemPointerData tid;
		Datum		objid = SPI_getbinval(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1, &objnull);

		if (ms_tracked_row(tracked, DatumGetObjectId(objid), values, isnull, &tid))
			delete_row(tracked, &tid);
		(void) forget_settings(DatumGetObjectId(objid));
		ms_spill_forget(DatumGetObjectId(objid));
		if (ms_tokens_exist())
			(void) ms_tokens_forget(DatumGetObjectId(objid));
	}
	table_close(tracked, RowExclusiveLock);
	SPI_finish();
	PG_RETURN_NULL();
}
