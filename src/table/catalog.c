/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  What belongs to the extension: its schema, and tables in it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "table/table.h"

/* The schema of everything the extension creates. */
Oid
ms_schema(void)
{
	return get_namespace_oid("missing_symbol", false);
}

/* Is there a table of the extension?  The objects of a release before may lack it. */
bool
ms_own_table_exists(const char *name)
{
	return OidIsValid(get_relname_relid(name, ms_schema()));
}

/* Open a table of the extension. */
Relation
ms_open_own_table(const char *name, LOCKMODE lockmode)
{
	Oid			relid = get_relname_relid(name, ms_schema());

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table missing_symbol.%s does not exist", name),
				 errhint("The extension is damaged: DROP EXTENSION missing_symbol and create it again.")));
	return table_open(relid, lockmode);
}
