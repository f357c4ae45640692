/*-------------------------------------------------------------------------
 *
 * speculative.c
 *	  An insertion that another one of the same key undoes, as INSERT ... ON
 *	  CONFLICT has it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "storage/lmgr.h"

#include "compat.h"
#include "table/table.h"

/*
 * Insert a row and its entries in the indexes, which are open; the arbiters,
 * or NIL: all unique ones, may meet another.  Then the row is killed, and
 * false returned: search again.  *recheck: deferred constraints.
 */
bool
ms_insert_speculatively(Relation rel, ResultRelInfo *rri, EState *estate,
						TupleTableSlot *slot, List *arbiters, List **recheck)
{
	TransactionId xid;
	uint32		token;
	bool		conflict = false;

	estate->es_output_cid = GetCurrentCommandId(true);
	xid = GetCurrentTransactionId();
	token = SpeculativeInsertionLockAcquire(xid);
	table_tuple_insert_speculative(rel, slot, estate->es_output_cid, 0, NULL,
								   token);
	*recheck = ExecInsertIndexTuples(rri, estate, EIIT_NO_DUPE_ERROR, slot,
									 arbiters, &conflict);
	table_tuple_complete_speculative(rel, slot, token, !conflict);
	SpeculativeInsertionLockRelease(xid);
	return !conflict;
}
