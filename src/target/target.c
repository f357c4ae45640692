/*-------------------------------------------------------------------------
 *
 * target.c
 *	  A table as a target: what infer.c finds out of it, whether the fast path
 *	  serves it, and how long that holds.
 *
 * What is found out is kept for the session, one MSTarget for each table in a
 * memory context of its own.  It is thrown away at a relcache invalidation of
 * the table (which every ALTER of the table and its indexes, and track(),
 * send), at a syscache invalidation of what compiled expressions depend on
 * (functions, types, operators, casts, and who has the rights of a role that
 * policies are for), and at one of what is named in the texts of queries
 * without a message for the table (schemas, collations).
 * The callbacks only mark; ms_target_open, which locks the table first and so
 * has accepted every message that matters, builds anew.
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
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "commands/trigger.h"
#include "optimizer/optimizer.h"
#include "rewrite/rowsecurity.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "table/table.h"
#include "target/stored.h"
#include "target/target.h"
#include "target/target_internal.h"

typedef struct CacheEntry
{
	Oid			relid;			/* hash key */
	bool		valid;			/* no invalidation since the build began */
	MSTarget   *target;			/* NULL where the last build failed */
} CacheEntry;

typedef struct IndexEntry
{
	Oid			index;			/* hash key */
	Oid			relid;
} IndexEntry;

static HTAB *targets = NULL;
static HTAB *indexes = NULL;	/* of their keys: IndexEntry */
static int	nviews = 0;			/* targets that are views */
static CacheEntry *building = NULL;	/* whose target is being built */

static uint64 calls = 0;		/* of this session, so far */

/* Mark the views that have a relation behind them, or an index as their key. */
static void
mark_views(Oid relid)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	hash_seq_init(&status, targets);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->target != NULL && entry->target->view != NULL &&
			(entry->target->index == relid ||
			 list_member_oid(entry->target->view->relids, relid)))
			entry->valid = false;
	}
}

/*
 * Mark what depends on a table, or on the index of a key, which is named; all
 * tables where relid is invalid.
 */
static void
relcache_callback(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;
	IndexEntry *index;

	/* what a build reads is not known before it has */
	if (building != NULL)
		building->valid = false;
	if (OidIsValid(relid))
	{
		if (nviews > 0)
			mark_views(relid);
		index = hash_search(indexes, &relid, HASH_FIND, NULL);
		if (index != NULL)
			relid = index->relid;
		entry = hash_search(targets, &relid, HASH_FIND, NULL);
		if (entry != NULL)
			entry->valid = false;
		return;
	}
	hash_seq_init(&status, targets);
	while ((entry = hash_seq_search(&status)) != NULL)
		entry->valid = false;
}

static void
syscache_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	relcache_callback(arg, InvalidOid);
}

/*
 * Mark what has policies, which are for roles: who has another's rights has
 * changed, by a grant, an attribute of a role, or a database's owner.
 */
static void
roles_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	if (building != NULL)
		building->valid = false;
	hash_seq_init(&status, targets);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->target != NULL && entry->target->row_security)
			entry->valid = false;
	}
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
	ctl.entrysize = sizeof(IndexEntry);
	indexes = hash_create("missing_symbol keys", 16, &ctl,
						  HASH_ELEM | HASH_BLOBS);

	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AMOPOPID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(CLAOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(CASTSOURCETARGET, syscache_callback,
								  (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(COLLOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, roles_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, roles_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, roles_callback, (Datum) 0);
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

/*
 * Why the fast path cannot write rows of a table, be it a leaf of a partitioned
 * one; NULL if it can.
 */
const char *
ms_storage_reason(Relation rel)
{
	bool		partitioned = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;

	if (rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
		return "it is a foreign table";
	if (!partitioned && rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		return "its table access method is not heap";
	if (!partitioned && rel->rd_rel->relhassubclass)
		return "it has inheritance children";

	/* which may move the row to another partition */
	if ((partitioned || rel->rd_rel->relispartition) &&
		rel->trigdesc != NULL && rel->trigdesc->trig_update_before_row)
		return "it has a BEFORE UPDATE trigger";
	return NULL;
}

/* Why the fast path cannot serve a table, whoever counts; NULL if it can. */
static const char *
structural_reason(Relation rel)
{
	TriggerDesc *trig = rel->trigdesc;
	const char *reason = ms_storage_reason(rel);

	if (reason != NULL)
		return reason;
	if (trig != NULL &&
		(trig->trig_insert_before_statement || trig->trig_insert_after_statement ||
		 trig->trig_update_before_statement || trig->trig_update_after_statement ||
		 trig->trig_insert_new_table || trig->trig_update_old_table ||
		 trig->trig_update_new_table))
		return "it has a statement trigger";
	return NULL;
}

/*
 * Why the fast path cannot count under a table's policies, where they apply;
 * NULL if it can.
 */
static const char *
policies_reason(Relation rel)
{
	ListCell   *lc;

	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return "it is partitioned, and row security applies to the current role";

	/* which no row has stored */
	if (rel->rd_att->constr != NULL && ms_has_virtual(rel->rd_att->constr))
		return "it has virtual generated columns, and row security applies to the current role";
	foreach(lc, rel->rd_rsdesc == NULL ? NIL : rel->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = lfirst(lc);
		Bitmapset  *columns = NULL;

		if (policy->hassublinks)
			return "row security applies to the current role, with a policy that has a subquery";

		/* which a new version does not have yet */
		pull_varattnos((Node *) policy->qual, 1, &columns);
		pull_varattnos((Node *) policy->with_check_qual, 1, &columns);
		if (bms_next_member(columns, -1) >= 0 &&
			bms_next_member(columns, -1) < -FirstLowInvalidHeapAttributeNumber)
			return "row security applies to the current role, with a policy that has a system column";
	}
	return NULL;
}

/* A leaf's column, as the named table has it; to_named: NULL where as it is. */
static AttrNumber
named_column(const AttrMap *to_named, AttrNumber attno)
{
	for (int i = 0; to_named != NULL && i < to_named->maplen; i++)
	{
		if (to_named->attnums[i] == attno)
			return i + 1;
	}
	return attno;
}

/*
 * Does a foreign key of another table refer to a column outside the key?
 * to_named: NULL, or the columns of a leaf as the named table has them.
 */
static bool
refers_to_other_columns(const MSTarget *target, const AttrMap *to_named,
						Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(constraint));
	Datum		columns;
	ArrayType  *array;
	bool		isnull;
	bool		result = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	columns = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_confkey,
							  &isnull);
	if (isnull)
		elog(ERROR, "null confkey for constraint %u", constraint);
	array = DatumGetArrayTypeP(columns);
	for (int i = 0; i < ARR_DIMS(array)[0]; i++)
	{
		AttrNumber	attno = named_column(to_named,
										 ((int16 *) ARR_DATA_PTR(array))[i]);

		result |= !ms_is_key_column(target, attno) &&
			!ms_is_argument(target, attno);
	}
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Does a foreign key change another table where counting, or a BEFORE UPDATE
 * trigger, changes what it refers to?  The triggers that it then runs are more
 * than the fast path's statement is ready for.
 */
bool
ms_has_foreign_actions(const MSTarget *target, Relation rel,
					   const AttrMap *to_named)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if ((trigger->tgfoid == F_RI_FKEY_CASCADE_UPD ||
			 trigger->tgfoid == F_RI_FKEY_SETNULL_UPD ||
			 trigger->tgfoid == F_RI_FKEY_SETDEFAULT_UPD) &&
			(rel->trigdesc->trig_update_before_row ||
			 refers_to_other_columns(target, to_named, trigger->tgconstraint)))
			return true;
	}
	return false;
}

static void
no_target_view(const char *name, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("cannot count in view %s", name),
			 errdetail("%s", why),
			 errhint("Count in the table behind it, or in a view that INSERT .. ON CONFLICT takes: of one table, and without what the DETAIL names.")));
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
		case RELKIND_MATVIEW:
			no_target_view(name, "It is a materialized view.");
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

/* CONTEXT of what a view's columns and settings do not serve for */
static void
view_context(void *arg)
{
	const MSTarget *target = arg;

	if (target->view != NULL)
		errcontext("looking at view %s of table %s", target->name,
				   target->view->name);
}

/*
 * Find out what is behind a view: then it is a target as any other, by the
 * columns that are the table's.
 */
static Relation
look_behind(MSTarget *target, Relation rel, LOCKMODE lockmode)
{
	const char *why = NULL;
	Relation	table;
	Relation	result;

	target->view = ms_view_open(rel,
								lockmode == NoLock ? AccessShareLock : lockmode,
								&table, &why);
	if (target->view == NULL)
		no_target_view(target->name, why);
	check_relation(table, target->view->name);
	result = ms_view_as_table(target->view, rel, table);
	relation_close(table, NoLock);
	return result;
}

static void
refuse_view_setting(const MSTarget *target, const char *setting)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("view %s cannot have %s", target->name, setting),
			 errdetail("Its increments are counted at once, by INSERT .. ON CONFLICT."),
			 errhint("Clear it; or set it for the table behind the view, and count there: %s.",
					 target->view->name)));
}

/*
 * What core's ON CONFLICT alone cannot do is not done in a view.  Nor do the
 * table's settings count: whoever owns the view decides what it is.
 */
static void
check_view_settings(const MSTarget *target, const MSTracked *tracked)
{
	const char *setting = tracked->spill ? "spill" :
		tracked->apply == MS_APPLY_COMMIT ? "apply => 'commit'" :
		tracked->apply == MS_APPLY_BUFFER ? "apply => 'buffer'" :
		tracked->index != NULL ? "an \"index\"" :
		tracked->defaults != NIL ? "\"defaults\"" :
		ms_has_limits(tracked) || tracked->limit_on != NULL ? "limits" : NULL;

	if (setting != NULL)
		refuse_view_setting(target, setting);
}

/* Refuse to do with a view what only tables are for. */
void
ms_target_refuse_view(const MSTarget *target)
{
	if (target->view != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("view %s can only be counted in and read",
						target->name),
				 errdetail("Limits, tokens, reset(), discard(), prune() and counter_report() are for tables."),
				 errhint("Name the table behind it: %s.",
						 target->view->name)));
}

/*
 * Find out everything about a table; the result lives in CacheMemoryContext.
 * No user code runs in it: nobody counts meanwhile.
 */
static MSTarget *
build_target(Relation rel, LOCKMODE lockmode)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol target",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	MSTarget   *target = palloc0(sizeof(MSTarget));
	MSTracked	tracked;
	ErrorContextCallback errcallback = {error_context_stack, view_context,
		target};

	error_context_stack = &errcallback;
	target->relid = RelationGetRelid(rel);
	target->cxt = cxt;
	target->name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
											  RelationGetRelationName(rel));
	if (rel->rd_rel->relkind == RELKIND_VIEW)
		rel = look_behind(target, rel, lockmode);
	else
		check_relation(rel, target->name);
	ms_tracked_read(target->relid, &tracked);

	target->is_distributed = is_distributed(target->relid);
	target->general_reason = target->view != NULL ?
		psprintf("it is a view of %s, whose settings it does not follow",
				 target->view->name) :
		target->is_distributed ? "it is distributed by Citus" :
		structural_reason(rel);
	target->row_security = rel->rd_rel->relrowsecurity;
	target->policies_reason = policies_reason(rel);
	if (target->view != NULL)
		check_view_settings(target, &tracked);
	ms_infer_key(target, rel, &tracked);
	target->no_insert = tracked.no_insert || target->key_filled;
	if (target->view != NULL && tracked.throttle > 0 && target->no_insert)
		refuse_view_setting(target, "a throttle where no rows are made");
	ms_infer_key_defaults(target, rel, tracked.defaults);
	ms_infer_counter(target, rel, &tracked);
	ms_infer_fill(target, rel, tracked.fill);
	ms_infer_merged(target, rel, &tracked);
	ms_check_key_is_no_counter(target, rel);
	if (target->general_reason == NULL && target->special &&
		rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		target->general_reason = "it is partitioned, and its key is not just columns";
	if (target->general_reason == NULL && ms_has_foreign_actions(target, rel, NULL))
		target->general_reason = "a foreign key that refers to its counter changes another table";
	target->builtin = target->view == NULL && ms_table_is_builtin(target, rel);

	/* core's INSERT asks those of a view, and of the table behind it */
	if (target->view == NULL)
		ms_infer_defaults(target, rel);
	target->apply = target->view == NULL ? tracked.apply : MS_APPLY_NOW;
	target->throttle = tracked.throttle;
	target->spill = tracked.spill && tracked.throttle == 0 &&
		ms_key_text_serves(target);
	ms_infer_limits(target, rel, &tracked);

	/*
	 * Which generated columns an update has to compute is decided once for
	 * the fast path's state, but which others change varies from call to call.
	 */
	if (target->general_reason == NULL && target->combined != NULL &&
		RelationGetDescr(rel)->constr != NULL &&
		RelationGetDescr(rel)->constr->has_generated_stored)
		target->general_reason = bms_equal(target->combined, target->fill) ?
			"it has generated columns and fills others" :
			"it has generated columns, and several that increments change";
	if (target->throttle > 0 && target->last_time.local)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("throttle of table %s needs a last_seen column of type timestamp with time zone",
						target->name),
				 errdetail("Column \"%s\" is of type timestamp without time zone, which cannot tell how long ago a time was where a zone sets its clocks.",
						   ms_column_name(rel, target->last_seen)),
				 errhint("Change its type, or clear the throttle: SELECT missing_symbol.track(%s, throttle => '0').",
						 quote_literal_cstr(target->name))));
	if (target->throttle > 0 && target->kind != MS_COUNT_COUNTER &&
		target->last_seen == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("throttle of table %s needs a last_seen column",
						target->name),
				 errhint("Name one, or clear the throttle: SELECT missing_symbol.track(%s, throttle => '0').",
						 quote_literal_cstr(target->name))));

	target->latest_untimed = tracked.latest != NIL &&
		target->kind != MS_COUNT_COUNTER &&
		(target->last_seen == InvalidAttrNumber || target->last_time.local);
	if (target->latest_untimed &&
		(tracked.spill || tracked.apply == MS_APPLY_COMMIT ||
		 tracked.apply == MS_APPLY_BUFFER))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"latest\" of table %s needs a last_seen column of type timestamp with time zone, where increments may wait",
						target->name),
				 errdetail("What waits comes to its row after newer increments; only their times tell which is the latest."),
				 errhint("Name one, or count now: SELECT missing_symbol.track(%s, apply => '', spill => false).",
						 quote_literal_cstr(target->name))));

	error_context_stack = errcallback.previous;
	MemoryContextSwitchTo(oldcxt);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	return target;
}

static void
free_target(MSTarget *target)
{
	if (target->general != NULL)
		target->free_general(target->general);
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
		{
			if (target->view != NULL)
				nviews--;
			else
				hash_search(indexes, &target->index, HASH_REMOVE, NULL);
			release_target(target);
		}
		hash_search(targets, &entry->relid, HASH_REMOVE, NULL);
	}
}

/* Lock what is behind a view, whose target is kept and may be of before. */
static void
lock_behind(const MSView *view, LOCKMODE lockmode)
{
	ListCell   *lc;

	foreach(lc, view->relids)
		LockRelationOid(lfirst_oid(lc), lockmode);
}

/*
 * Open a table as a target; the lock is kept to the end of the transaction,
 * as any statement's.  Errors name the table and say what to do.  NULL only
 * where the caller has locked the table before (NoLock), and it has been
 * dropped since.
 */
MSTarget *
ms_target_open(Oid relid, LOCKMODE lockmode, Relation *rel)
{
	CacheEntry *entry;
	IndexEntry *index;

	if (targets == NULL)
		make_cache();

	*rel = try_relation_open(relid, lockmode);
	if (*rel == NULL && lockmode == NoLock)
		return NULL;
	if (*rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid),
				 errhint("It may have been dropped; name an existing table.")));

	entry = hash_search(targets, &relid, HASH_FIND, NULL);
	if (unlikely(entry != NULL && entry->valid && entry->target != NULL &&
				 entry->target->view != NULL && lockmode != NoLock))
		lock_behind(entry->target->view, lockmode);
	if (unlikely(entry == NULL || !entry->valid || entry->target == NULL))
	{
		free_invalid_targets();
		entry = hash_search(targets, &relid, HASH_ENTER, NULL);

		/* an invalidation while we read the catalogs must not be missed */
		entry->valid = true;
		entry->target = NULL;
		building = entry;
		PG_TRY();
		{
			MSTarget   *target = build_target(*rel, lockmode);

			if (target->view != NULL)
				nviews++;
			else
			{
				index = hash_search(indexes, &target->index, HASH_ENTER, NULL);
				index->relid = relid;
			}
			entry->target = target;
		}
		PG_FINALLY();
		{
			building = NULL;
		}
		PG_END_TRY();
	}

	entry->target->users++;
	entry->target->call = ++calls;
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
