/*-------------------------------------------------------------------------
 *
 * statistics.c
 *	  Are a table's statistics there, and what they should be?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

/* they are old when such a share of the rows has changed */
#define STALE_SHARE			0.1

bool
ms_lacks_statistics(Relation rel, Bitmapset *attnos)
{
	int			i = -1;

	if (rel->rd_rel->reltuples <= 0)
		return true;
	while ((i = bms_next_member(attnos, i)) >= 0)
	{
		AttrNumber	attno = i + FirstLowInvalidHeapAttributeNumber;

		if (attno > 0 &&
			!SearchSysCacheExists3(STATRELATTINH,
								   ObjectIdGetDatum(RelationGetRelid(rel)),
								   Int16GetDatum(attno), BoolGetDatum(false)))
			return true;
	}
	return false;
}

bool
ms_has_grown(Relation rel)
{
	return RelationGetNumberOfBlocks(rel) >
		rel->rd_rel->relpages * (1 + STALE_SHARE);
}

/*
 * Rows that have changed, as the cumulative statistics count: what was done
 * just before ANALYZE, or in its transaction, may come in after it.
 */
bool
ms_is_counted_stale(Relation rel)
{
	Datum		relid = ObjectIdGetDatum(RelationGetRelid(rel));
	Datum		changed = OidFunctionCall1(F_PG_STAT_GET_MOD_SINCE_ANALYZE,
										   relid);

	return DatumGetInt64(changed) > rel->rd_rel->reltuples * STALE_SHARE;
}

const char *
ms_statistics_are_old(Relation rel, const MSFact *fact)
{
	Bitmapset  *attnos = NULL;

	pull_varattnos((Node *) fact->clauses, 1, &attnos);
	if (ms_lacks_statistics(rel, attnos))
		return "its table has no statistics: ANALYZE it";
	if (ms_has_grown(rel) || ms_is_counted_stale(rel))
		return "many rows of its table have changed since it was analyzed: ANALYZE it";
	return NULL;
}
