/*-------------------------------------------------------------------------
 *
 * privileges.c
 *	  What an increment asks of the current role.
 *
 * INSERT, UPDATE and SELECT, at every call, whether the counter is there or
 * not, as INSERT ... ON CONFLICT DO UPDATE does: on the table, or on the
 * columns that the call touches.  The executor's own check is used, and so
 * its hook is called.  The general path needs it too: its UPDATE alone would
 * count without INSERT.
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
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
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

/* The range table entry that carries the privileges an increment needs. */
MSPrivileges *
ms_privileges_make(const MSTarget *target, Relation rel)
{
	MSPrivileges *result = palloc0(sizeof(MSPrivileges));
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	Bitmapset  *updated = bms_make_singleton(target->count);
	Bitmapset  *inserted;

	if (target->last_seen != InvalidAttrNumber)
		updated = bms_add_member(updated, target->last_seen);
	inserted = bms_copy(updated);
	for (int i = 0; i < target->nkeys; i++)
		inserted = bms_add_member(inserted, target->keys[i].column.attno);
	if (target->first_seen != InvalidAttrNumber)
		inserted = bms_add_member(inserted, target->first_seen);

	rte->rtekind = RTE_RELATION;
	rte->relid = target->relid;
	rte->relkind = rel->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
	result->rtable = list_make1(rte);
	result->perminfo = addRTEPermissionInfo(&result->perminfos, rte);
	result->perminfo->requiredPerms = ACL_INSERT | ACL_UPDATE | ACL_SELECT;
	result->inserted = acl_columns(inserted);
	result->updated = acl_columns(updated);
	return result;
}

/* Check them for an increment that gives columns; NULL: only the key. */
void
ms_privileges_check(MSPrivileges *privileges, const MSTarget *target,
					const Bitmapset *given)
{
	RTEPermissionInfo *perminfo = privileges->perminfo;

	perminfo->insertedCols = privileges->inserted;
	perminfo->updatedCols = privileges->updated;
	perminfo->selectedCols = privileges->inserted;
	if (given != NULL)
	{
		Bitmapset  *filled = acl_columns(bms_intersect(given, target->fill));

		perminfo->insertedCols = bms_union(perminfo->insertedCols,
										   acl_columns(given));
		perminfo->updatedCols = bms_union(perminfo->updatedCols, filled);
		perminfo->selectedCols = bms_union(perminfo->selectedCols, filled);
	}
	(void) ExecCheckPermissions(privileges->rtable, privileges->perminfos,
								true);
}
