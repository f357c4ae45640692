/*-------------------------------------------------------------------------
 *
 * fold_calls.c
 *	  The SQL functions fold() and flush(): of which tables, in what order, and
 *	  whether the caller's transaction is one for it (fold.c, acting.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "aside/aside.h"
#include "figures/figures.h"
#include "target/acting.h"
#include "target/stored.h"
#include "tokens/tokens.h"

/*
 * ms that code of a table has for a key in fold(), of all tables; and that of
 * all tables of an owner, where no more comes of it
 */
#define KEY_MS			5000

/* blocks of tokens that fold() looks at, in the caller's transaction */
#define EXPIRE_BLOCKS	256

/* what came of the tables of an owner */
typedef struct Owner
{
	Oid			roleid;
	int64		ms;
	MSFolded	folded;
} Owner;

static const char *const owner_error =
	"Code of other tables of its owner has taken too long.";

PG_FUNCTION_INFO_V1(ms_fold);
PG_FUNCTION_INFO_V1(ms_flush);

/*
 * Is the call all that the caller's transaction does?  It comes from the
 * statement itself then, not from a function or a DO block in it, which may go
 * on; and there is nothing that code of others could replace.
 */
static bool
is_alone(FunctionCallInfo fcinfo)
{
	bool		direct = ActivePortal != NULL && fcinfo->flinfo != NULL &&
		MemoryContextGetParent(fcinfo->flinfo->fn_mcxt) == ActivePortal->portalContext;

	return !IsInTransactionBlock(direct) && !ms_in_definer() &&
		!ms_has_cursors();
}

/* May the current role count in a table, be it in some columns only? */
static bool
may_count(Oid relid)
{
	static const AclMode modes[] = {ACL_INSERT, ACL_UPDATE, ACL_SELECT};

	for (int i = 0; i < lengthof(modes); i++)
	{
		if (pg_class_aclcheck(relid, GetUserId(), modes[i]) != ACLCHECK_OK &&
			pg_attribute_aclcheck_all(relid, GetUserId(), modes[i],
									  ACLMASK_ANY) != ACLCHECK_OK)
			return false;
	}
	return true;
}

static Oid
next_target(Oid relid, Snapshot snapshot)
{
	Oid			spilled;
	Oid			buffered;

	spilled = ms_spill_next_target(MS_STORE_SPILLED, relid, snapshot);
	buffered = ms_spill_next_target(MS_STORE_BUFFERED, relid, snapshot);
	if (!OidIsValid(spilled) || !OidIsValid(buffered))
		return OidIsValid(spilled) ? spilled : buffered;
	return Min(spilled, buffered);
}

/* The tables in which the caller may count and that have something aside. */
static List *
find_targets(void)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	List	   *result = NIL;
	Oid			relid = InvalidOid;

	while (OidIsValid(relid = next_target(relid, snapshot)))
	{
		if (get_rel_name(relid) != NULL && may_count(relid))
			result = lappend_oid(result, relid);
	}
	UnregisterSnapshot(snapshot);
	return result;
}

/* What has come of the tables of a table's owner; NULL: there is no table. */
static Owner *
find_owner(Oid relid, List **owners)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Owner	   *owner;
	Oid			roleid;
	ListCell   *lc;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	roleid = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	foreach(lc, *owners)
	{
		owner = lfirst(lc);
		if (owner->roleid == roleid)
			return owner;
	}
	owner = palloc0(sizeof(Owner));
	owner->roleid = roleid;
	*owners = lappend(*owners, owner);
	return owner;
}

/* Fold one of all tables, in its owner's time; how many deltas. */
static int64
fold_one(Oid relid, bool wait, bool alone, Owner *owner)
{
	int64		began = ms_now_ms();
	MSFolded	folded;
	char	   *error;

	if (!wait && ms_is_slow(&owner->folded, owner->ms, KEY_MS))
	{
		ms_warn_left(relid, owner_error);
		return 0;
	}
	if (!ms_fold_target(relid, wait, alone, wait ? 0 : KEY_MS, &folded, &error))
		ms_warn_left(relid, ms_error_for_caller(relid, error));
	else if (folded.overdue || folded.cut || (wait && folded.failed > 0))
		ms_warn_left(relid, ms_error_for_caller(relid, folded.error));
	owner->ms += ms_now_ms() - began;
	owner->folded.deltas += folded.deltas;
	owner->folded.failed += folded.failed;
	owner->folded.waiting += folded.waiting;
	return folded.deltas;
}

/*
 * Fold them all; how many deltas.  It begins anywhere: code that ends the
 * caller's session must not be in the way of the same tables each time.
 * flush() goes by their order, so that two of them do not meet.
 */
static int64
fold_all(FunctionCallInfo fcinfo, bool wait)
{
	bool		alone = is_alone(fcinfo);
	List	   *relids = find_targets();
	int			n = list_length(relids);
	int			first = wait ? 0 : (int) (ms_random_double() * n);
	List	   *owners = NIL;
	int64		merged = 0;

	for (int i = 0; i < n; i++)
	{
		Oid			relid = list_nth_oid(relids, (first + i) % n);
		Owner	   *owner = find_owner(relid, &owners);

		/* it may have been dropped meanwhile */
		if (owner != NULL)
			merged += fold_one(relid, wait, alone, owner);
	}
	return merged;
}

static bool
may_expire(Oid relid)
{
	return get_rel_name(relid) != NULL && may_count(relid);
}

/*
 * Expire tokens of some blocks, anywhere: who calls fold() again and again, in
 * whatever sessions, comes to all of them.  Whoever claims one of them waits
 * for us, and the caller's statement may go on: only of tables in which he
 * could keep others waiting by claims as well.
 */
static void
expire_some(void)
{
	BlockNumber parts = (ms_tokens_blocks() + EXPIRE_BLOCKS - 1) / EXPIRE_BLOCKS;
	MSExpiry	expiry = {0};

	if (parts == 0)
		return;
	expiry.may = may_expire;
	expiry.next = (BlockNumber) (ms_random_double() * parts) * EXPIRE_BLOCKS;
	(void) ms_tokens_expire(&expiry, EXPIRE_BLOCKS);
}

/* In a trigger of what is being merged there is no end to merging. */
static void
check_may_fold(const char *function)
{
	if (ms_folding())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("%s cannot be called while increments are being merged",
						function),
				 errhint("Do not call it from a trigger of a table that counts; leave it to the worker or a scheduler.")));
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	PreventCommandDuringRecovery(function);
}

/* fold(target) -> number of deltas merged */
Datum
ms_fold(PG_FUNCTION_ARGS)
{
	MSFolded	folded;
	Oid			relid;
	char	   *name;

	check_may_fold("fold()");
	if (PG_ARGISNULL(0))
	{
		int64		merged = fold_all(fcinfo, false);

		if (is_alone(fcinfo) && !IsolationUsesXactSnapshot())
			expire_some();
		PG_RETURN_INT64(merged);
	}

	relid = PG_GETARG_OID(0);
	name = get_rel_name(relid);
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	if (!may_count(relid))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, name);
	(void) ms_fold_target(relid, false, is_alone(fcinfo), 0, &folded, NULL);
	PG_RETURN_INT64(folded.deltas);
}

/* flush() -> number of deltas merged, all that there was */
Datum
ms_flush(PG_FUNCTION_ARGS)
{
	check_may_fold("flush()");
	PG_RETURN_INT64(fold_all(fcinfo, true));
}
