/*-------------------------------------------------------------------------
 *
 * permissions.c
 *	  The privileges an increment needs.
 *
 * They are those of INSERT ... ON CONFLICT DO UPDATE, at every call, whichever
 * of the two it turns out to be: INSERT on what a new row is given, UPDATE on
 * the counter and on what is filled, SELECT on the key, the counter and what
 * is filled.  Checked by the executor's own function, which calls its hook
 * too.
 *
 * The fast path's executor state uses the range table entry that carries
 * them: UPDATE OF triggers, generated columns and lock modes depend on its
 * sets of columns, which are those of the call checked last.  So whoever
 * checks has a range table entry of his own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "missing_symbol.h"

/* Attribute numbers, as sets of columns for privileges want them. */
static Bitmapset *
acl_columns(const Bitmapset *attnos)
{
	Bitmapset  *result = NULL;
	int			attno = -1;

	while ((attno = bms_next_member(attnos, attno)) >= 0)
		result = bms_add_member(result,
								attno - FirstLowInvalidHeapAttributeNumber);
	return result;
}

/* What a target's increments need, in the current memory context. */
MSPermissions *
ms_permissions_make(const MSTarget *target, Relation rel)
{
	MSPermissions *result = palloc0(sizeof(MSPermissions));
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	Bitmapset  *key = NULL;
	Bitmapset  *counter = bms_make_singleton(target->count);
	Bitmapset  *selected;

	for (int i = 0; i < target->nkeys; i++)
		key = bms_add_member(key, target->keys[i].column.attno);
	if (target->last_seen != InvalidAttrNumber)
		counter = bms_add_member(counter, target->last_seen);
	selected = bms_union(key, counter);
	if (target->first_seen != InvalidAttrNumber)
		selected = bms_add_member(selected, target->first_seen);

	rte->rtekind = RTE_RELATION;
	rte->relid = target->relid;
	rte->relkind = rel->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
	result->rtable = list_make1(rte);
	result->perminfo = addRTEPermissionInfo(&result->perminfos, rte);
	result->perminfo->requiredPerms = ACL_INSERT | ACL_UPDATE | ACL_SELECT;
	result->inserted = acl_columns(selected);
	result->updated = acl_columns(counter);
	result->selected = result->inserted;
	return result;
}

/*
 * Check that the current role may do what columns given beside the key ask
 * for; given is NULL where only the key is.  The sets of columns are then as
 * the call under way needs them.
 */
void
ms_permissions_check(MSPermissions *permissions, const MSTarget *target,
					 Bitmapset *given)
{
	RTEPermissionInfo *perminfo = permissions->perminfo;

	perminfo->insertedCols = permissions->inserted;
	perminfo->updatedCols = permissions->updated;
	perminfo->selectedCols = permissions->selected;
	if (given != NULL)
	{
		Bitmapset  *filled = acl_columns(bms_intersect(given, target->fill));

		perminfo->insertedCols = bms_union(perminfo->insertedCols,
										   acl_columns(given));
		perminfo->updatedCols = bms_union(perminfo->updatedCols, filled);
		perminfo->selectedCols = bms_union(perminfo->selectedCols, filled);
	}
	(void) ExecCheckPermissions(permissions->rtable, permissions->perminfos,
								true);
}
