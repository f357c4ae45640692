/*-------------------------------------------------------------------------
 *
 * permissions.c
 *	  The privileges an increment needs.
 *
 * They are those of INSERT ... ON CONFLICT DO UPDATE, at every call, whichever
 * of the two it turns out to be: INSERT on what a new row is given, UPDATE on
 * the counter and on fill, SELECT on the key and the counter.  Checked by the
 * executor's own function, which calls its hook too.
 *
 * The range table entry that carries them is kept in the target.  The fast
 * path's executor state uses it as well: UPDATE OF triggers, generated
 * columns and lock modes depend on its sets of columns.
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

static MSPermissions *
make_permissions(MSTarget *target, Relation rel)
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
	result->perminfo->updatedCols = acl_columns(bms_union(counter,
														  target->fill));
	result->perminfo->selectedCols = acl_columns(bms_union(selected,
														   target->fill));
	return result;
}

/* What the target's increments need, made when first asked for. */
MSPermissions *
ms_permissions(MSTarget *target, Relation rel)
{
	if (target->permissions == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(target->cxt);

		target->permissions = make_permissions(target, rel);
		MemoryContextSwitchTo(oldcxt);
	}
	return target->permissions;
}

/*
 * Error 42501 where the current role may not count in the target; given are
 * the columns that are given by name, NULL where only the key is.
 */
void
ms_check_permissions(MSTarget *target, Relation rel, Bitmapset *given)
{
	MSPermissions *permissions = ms_permissions(target, rel);
	Bitmapset  *inserted = permissions->inserted;

	if (given != NULL)
		inserted = bms_union(inserted, acl_columns(given));
	permissions->perminfo->insertedCols = inserted;
	(void) ExecCheckPermissions(permissions->rtable, permissions->perminfos,
								true);
	permissions->perminfo->insertedCols = permissions->inserted;
}
