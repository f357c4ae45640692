/*-------------------------------------------------------------------------
 *
 * discard.c
 *	  The SQL functions discard(), discard_row() and discard_all(): increments
 *	  that have not reached their row, thrown away.
 *
 * What is set aside, whoever has counted it, is deleted in the caller's
 * transaction; what that has deferred is discarded at the level of its
 * savepoint.  So ROLLBACK, and ROLLBACK TO, bring back all of it.
 *
 * It takes the rights of a DELETE of the key's row: whether there is one does
 * not matter.  Policies are asked of rows; so to whom row security applies
 * discards only what is his own table's.
 *
 * discard_all() reads nothing of what it throws away, and asks nothing of the
 * table: it serves where that cannot be counted in any more, or a key cannot
 * be read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "compat.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "target/target.h"

PG_FUNCTION_INFO_V1(ms_discard_any);
PG_FUNCTION_INFO_V1(ms_discard_text);
PG_FUNCTION_INFO_V1(ms_discard_row);
PG_FUNCTION_INFO_V1(ms_discard_all);

/* May the current role read the columns of the key; target NULL: any column? */
static bool
may_select(Oid relid, const MSTarget *target)
{
	Oid			role = GetUserId();

	if (pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK)
		return true;
	if (target == NULL)
		return pg_attribute_aclcheck_all(relid, role, ACL_SELECT,
										 ACLMASK_ANY) == ACLCHECK_OK;
	for (int i = 0; i < target->nargs; i++)
	{
		if (pg_attribute_aclcheck(relid, target->args[i].attno, role,
								  ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

static void
check_may_discard(Relation rel, const MSTarget *target)
{
	Oid			relid = RelationGetRelid(rel);

	if (object_ownercheck(RelationRelationId, relid, GetUserId()))
		return;
	if (rel->rd_rel->relrowsecurity &&
		check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s to discard its increments, because row security applies to role \"%s\"",
						RelationGetRelationName(rel),
						GetUserNameFromId(GetUserId(), false)),
				 errhint("Have the table's owner discard them.")));
	if (pg_class_aclcheck(relid, GetUserId(), ACL_DELETE) != ACLCHECK_OK ||
		!may_select(relid, target))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s",
						RelationGetRelationName(rel)),
				 errhint("To discard increments takes what a DELETE of their row takes: DELETE on the table, and SELECT on the key.")));
}

/* In a trigger of what is being merged, it would be in the way of that. */
void
ms_check_may_take(const char *function)
{
	if (ms_folding())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("%s cannot be called while increments are being merged",
						function),
				 errhint("Do not call it from a trigger that increments fire.")));
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	PreventCommandDuringRecovery(function);
}

static void
discard_key(MSTarget *target, Relation rel, MSRow *row, void *arg)
{
	int64	   *n = arg;

	check_may_discard(rel, target);
	*n = ms_spill_discard(target, rel, row) + ms_pending_discard(target, row);
}

static Datum
discard(FunctionCallInfo fcinfo, MSKeyForm form, const char *function)
{
	int64		n;

	ms_check_may_take(function);
	ms_call_with_key(fcinfo, 1, form, MS_TO_FIND, RowExclusiveLock,
					 discard_key, &n);
	PG_RETURN_INT64(n);
}

/* discard(target, VARIADIC key) -> how many deltas */
Datum
ms_discard_any(PG_FUNCTION_ARGS)
{
	return discard(fcinfo, MS_KEY_ANY, "discard()");
}

Datum
ms_discard_text(PG_FUNCTION_ARGS)
{
	return discard(fcinfo, MS_KEY_TEXTS, "discard()");
}

/* discard_row(target, key jsonb): columns by name */
Datum
ms_discard_row(PG_FUNCTION_ARGS)
{
	return discard(fcinfo, MS_KEY_NAMED, "discard_row()");
}

/* discard_all(target): those of all keys */
Datum
ms_discard_all(PG_FUNCTION_ARGS)
{
	Oid			relid;
	Relation	rel;
	int64		n;

	ms_check_may_take("discard_all()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Name the table that holds the counters.")));
	relid = PG_GETARG_OID(0);
	rel = try_relation_open(relid, RowExclusiveLock);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid),
				 errhint("It may have been dropped; name an existing table.")));
	check_may_discard(rel, NULL);
	n = ms_spill_discard_all(relid) + ms_pending_discard_all(relid);
	relation_close(rel, NoLock);
	PG_RETURN_INT64(n);
}
