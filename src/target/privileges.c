/*-------------------------------------------------------------------------
 *
 * privileges.c
 *	  What an increment asks of the current role.
 *
 * INSERT, UPDATE and SELECT, at every call, whether the counter is there or
 * not, as INSERT ... ON CONFLICT DO UPDATE does: on the table, or on the
 * columns that the call touches.  INSERT not, where no row is ever made.  The
 * executor's own check is used, and so its hook is called, but only where core
 * would: under an executor.  The general path needs it too: its UPDATE alone
 * would count without INSERT.
 *
 * A MSPrivileges lives in the memory context it was made in.  The sets of
 * columns in it are those of the latest check, and live as long as that
 * call's memory: the fast path's triggers and generated columns ask for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_relation.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/rel.h"

#include "compat.h"
#include "target/acting.h"
#include "target/target.h"

/* Add attribute numbers to a set of columns as privileges want it. */
static Bitmapset *
add_columns(Bitmapset *columns, const Bitmapset *attnos)
{
	int			attno = -1;

	while ((attno = bms_next_member(attnos, attno)) >= 0)
		columns = bms_add_member(columns,
								 attno - FirstLowInvalidHeapAttributeNumber);
	return columns;
}

/* The range table entry that carries the privileges an increment needs. */
MSPrivileges *
ms_privileges_make(const MSTarget *target, Relation rel)
{
	MSPrivileges *result = palloc0(sizeof(MSPrivileges));
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	Bitmapset  *updated = bms_make_singleton(target->count);
	Bitmapset  *inserted;
	Bitmapset  *selected;

	if (target->last_seen != InvalidAttrNumber)
		updated = bms_add_member(updated, target->last_seen);
	if (target->limits.window != InvalidAttrNumber)
		updated = bms_add_member(updated, target->limits.window);
	if (target->limits.bucket != InvalidAttrNumber)
		updated = bms_add_member(updated, target->limits.bucket);
	inserted = bms_copy(updated);
	for (int i = 0; i < target->nargs; i++)
		inserted = bms_add_member(inserted, target->args[i].attno);
	if (target->first_seen != InvalidAttrNumber)
		inserted = bms_add_member(inserted, target->first_seen);
	for (int i = 1; i < target->ncounts; i++)
		inserted = bms_add_member(inserted, target->merged[i].attno);

	/* of what is computed from them, core asks what the statements read */
	selected = bms_union(inserted, target->predicate_columns);
	selected = bms_add_members(selected, target->generated);

	rte->rtekind = RTE_RELATION;
	rte->relid = target->relid;
	rte->relkind = rel->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
	result->rtable = list_make1(rte);
	result->perminfo = addRTEPermissionInfo(&result->perminfos, rte);
	result->perminfo->requiredPerms = ACL_UPDATE | ACL_SELECT;
	if (!target->no_insert)
		result->perminfo->requiredPerms |= ACL_INSERT;
	result->cxt = CurrentMemoryContext;
	result->inserted = add_columns(NULL, inserted);
	result->updated = add_columns(NULL, updated);
	result->selected = add_columns(NULL, selected);
	result->perminfo->insertedCols = bms_copy(result->inserted);
	result->perminfo->updatedCols = bms_copy(result->updated);
	result->perminfo->selectedCols = bms_copy(result->selected);
	return result;
}

static void
set_columns(Bitmapset **set, Bitmapset *columns)
{
	bms_free(*set);
	*set = columns;
}

/*
 * They are for an increment that gives columns; NULL: only the key.  Most
 * often these are those of the increment before.
 */
void
ms_privileges_set(MSPrivileges *privileges, const MSTarget *target,
				  const Bitmapset *given)
{
	RTEPermissionInfo *perminfo = privileges->perminfo;
	MemoryContext oldcxt;
	Bitmapset  *filled;

	if (bms_equal(given, privileges->given))
		return;
	oldcxt = MemoryContextSwitchTo(privileges->cxt);
	filled = bms_intersect(given, target->combined);
	set_columns(&perminfo->insertedCols,
				add_columns(bms_copy(privileges->inserted), given));
	set_columns(&perminfo->updatedCols,
				add_columns(bms_copy(privileges->updated), filled));
	set_columns(&perminfo->selectedCols,
				add_columns(bms_copy(privileges->selected), filled));
	set_columns(&privileges->given, bms_copy(given));
	bms_free(filled);
	MemoryContextSwitchTo(oldcxt);
}

/*
 * Does an executor run above us, as it does where core calls the hook?  None
 * does where a commit holds a cursor, or applies what was deferred, or where a
 * client calls a function by the protocol's fast path; modules that keep a
 * stack of statements find it empty then.
 */
static bool
executor_is_above(void)
{
	return ActivePortal != NULL && ActivePortal->status == PORTAL_ACTIVE &&
		(ActivePortal->strategy != PORTAL_ONE_SELECT ||
		 ActivePortal->holdStore == NULL);
}

/* Check what has been set, for a role; InvalidOid: the current one. */
static void
check(MSPrivileges *privileges, Oid role, bool with_hook)
{
	ExecutorCheckPerms_hook_type hook = ExecutorCheckPerms_hook;

	privileges->perminfo->checkAsUser = role;
	if (with_hook || hook == NULL)
	{
		(void) ExecCheckPermissions(privileges->rtable, privileges->perminfos,
									true);
		return;
	}
	ExecutorCheckPerms_hook = NULL;
	PG_TRY();
	{
		(void) ExecCheckPermissions(privileges->rtable, privileges->perminfos,
									true);
	}
	PG_FINALLY();
	{
		ExecutorCheckPerms_hook = hook;
	}
	PG_END_TRY();
}

/* Check them for such an increment, at its call. */
void
ms_privileges_check(MSPrivileges *privileges, const MSTarget *target,
					const Bitmapset *given)
{
	ms_privileges_set(privileges, target, given);
	check(privileges, InvalidOid, executor_is_above());
}

/* The target's own, made when first needed */
MSPrivileges *
ms_privileges_of(MSTarget *target, Relation rel)
{
	if (target->privileges == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(target->cxt);

		target->privileges = ms_privileges_make(target, rel);
		MemoryContextSwitchTo(oldcxt);
	}
	return target->privileges;
}

/*
 * Check them again for a role whose increment has waited: the hook saw it at
 * its call.
 */
void
ms_privileges_check_later(MSTarget *target, Relation rel,
						  const Bitmapset *given, Oid role)
{
	MSPrivileges *privileges = ms_privileges_of(target, rel);

	ms_privileges_set(privileges, target, given);
	check(privileges, role, false);
}

/*
 * May the current role read what tells a counter whose key has expressions or
 * a predicate?  The statement that does runs as the table's owner.
 */
void
ms_privileges_check_reading(const MSTarget *target, Relation rel)
{
	AttrNumber	atts[5] = {target->count, target->first_seen,
		target->last_seen, target->limits.window, target->limits.bucket};
	Bitmapset  *columns = NULL;
	int			member = -1;

	if (pg_class_aclcheck(target->relid, GetUserId(),
						  ACL_SELECT) == ACLCHECK_OK)
		return;

	pull_varattnos((Node *) target->exprs, 1, &columns);
	pull_varattnos(target->predicate, 1, &columns);
	for (int i = 0; i < target->nkeys; i++)
	{
		if (target->keys[i].expr == NULL)
			columns = bms_add_member(columns, target->keys[i].column.attno -
									 FirstLowInvalidHeapAttributeNumber);
	}
	for (int i = 0; i < lengthof(atts); i++)
	{
		if (atts[i] != InvalidAttrNumber)
			columns = bms_add_member(columns, atts[i] -
									 FirstLowInvalidHeapAttributeNumber);
	}
	for (int i = 0; i < target->ncounts; i++)
		columns = bms_add_member(columns, target->merged[i].attno -
								 FirstLowInvalidHeapAttributeNumber);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		if (pg_attribute_aclcheck(target->relid,
								  member + FirstLowInvalidHeapAttributeNumber,
								  GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
						   RelationGetRelationName(rel));
	}
	bms_free(columns);
}
