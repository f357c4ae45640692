/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  A token belongs to this transaction, or is known.
 *
 * A claim inserts the token's row speculatively, as INSERT ... ON CONFLICT DO
 * NOTHING does, so that waits, savepoints, prepared transactions and the higher
 * isolation levels are core's:
 *
 * - A row whose transaction is not over is waited for: neither answer is
 *   certain before.  Likewise one that is being deleted.
 * - A committed one is known, unless it has expired.  Then it is deleted, which
 *   takes its lock, and the token is claimed anew: whether expiry has run does
 *   not matter.
 * - In REPEATABLE READ and SERIALIZABLE one that the snapshot does not show is
 *   40001, as in core.
 *
 * What the transaction rolls back is nobody's, and so is what it gives back
 * because nothing was counted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "counter/counter.h"
#include "table/table.h"
#include "tokens/tokens.h"

/*
 * Conflicts with a row that is gone before we look for it, one after the
 * other: so many that it is there, and the search does not find it.
 */
#define MAX_GONE	100

/* a claim under way */
typedef struct Claim
{
	MSAppending *tokens;
	Relation	index;
	ScanKeyData keys[2];
	Oid			relid;
	TimestampTz now;
} Claim;

/* how far it has come */
typedef enum Progress
{
	CLAIMED,
	KNOWN,
	FREE,						/* there is no row */
	MET							/* there is one, or was */
} Progress;

static MSAppender appender = {.open = ms_tokens_open};

/* The index that arbitrates, of those that are open. */
static Relation
find_index(const MSAppending *tokens)
{
	const ResultRelInfo *rri = tokens->rri;

	for (int i = 0; i < rri->ri_NumIndices; i++)
	{
		if (ms_tokens_index_serves(rri->ri_IndexRelationDescs[i]))
			return rri->ri_IndexRelationDescs[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table missing_symbol.tokens has no valid primary key"),
			 errdetail("It alone tells which requests have been counted."),
			 errhint("REINDEX TABLE missing_symbol.tokens.")));
	return NULL;
}

static void
begin(Claim *claim, Oid relid, const pg_uuid_t *token)
{
	TupleTableSlot *slot;

	claim->tokens = ms_append_begin(&appender);
	claim->index = find_index(claim->tokens);
	claim->relid = relid;
	claim->now = ms_clock();
	ScanKeyInit(&claim->keys[0], 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&claim->keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(token));

	slot = claim->tokens->slot;
	memset(slot->tts_isnull, true,
		   sizeof(bool) * slot->tts_tupleDescriptor->natts);
	slot->tts_values[TOKENS_TARGET] = ObjectIdGetDatum(relid);
	slot->tts_values[TOKENS_TOKEN] = UUIDPGetDatum(token);
	slot->tts_values[TOKENS_CLAIMED_AT] = TimestampTzGetDatum(claim->now);
	memset(slot->tts_isnull, false, sizeof(bool) * TOKENS_NATTS);
	ExecStoreVirtualTuple(slot);
}

/* A committed row that the snapshot of this transaction does not show. */
static void
check_serializable(const Claim *claim, bool own)
{
	if (IsolationUsesXactSnapshot() && !own &&
		!table_tuple_satisfies_snapshot(claim->tokens->rel,
										claim->tokens->found,
										GetTransactionSnapshot()))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent use of a token"),
				 errhint("Repeat the transaction, with the same token.")));
}

/* Look for the token's row, whoever has written it. */
static Progress
look(Claim *claim)
{
	Relation	rel = claim->tokens->rel;
	TupleTableSlot *found = claim->tokens->found;
	MSLatest	latest;
	TimestampTz claimed_at;
	bool		isnull;

	ms_find_latest(rel, claim->index, claim->keys, lengthof(claim->keys),
				   found, &latest);
	if (!latest.found)
		return FREE;
	if (TransactionIdIsValid(latest.xmin) || TransactionIdIsValid(latest.xmax))
	{
		ExecClearTuple(found);
		ms_tally_lock_wait(claim->relid);
		ms_wait_for_latest(rel, &latest);
		return MET;
	}
	claimed_at = DatumGetTimestampTz(slot_getattr(found, TOKENS_CLAIMED_AT + 1,
												  &isnull));
	if (ms_token_is_expired(claimed_at, claim->now))
	{
		ExecClearTuple(found);
		CommandCounterIncrement();	/* it may be our own */
		return ms_token_delete(rel, &latest.tid, GetActiveSnapshot(), true) ?
			FREE : MET;
	}
	check_serializable(claim, latest.own);
	return KNOWN;
}

static Progress
insert(Claim *claim)
{
	MSAppending *tokens = claim->tokens;
	List	   *recheck;

	tokens->slot->tts_tableOid = RelationGetRelid(tokens->rel);
	return ms_insert_speculatively(tokens->rel, tokens->rri, tokens->estate,
								   tokens->slot, NIL, &recheck) ?
		CLAIMED : MET;
}

/* Is an index one of other columns than target and token? */
static bool
keeps_other_columns(Relation index)
{
	Form_pg_index form = index->rd_index;

	return form->indisunique &&
		(form->indnkeyatts != 2 ||
		 form->indkey.values[0] != TOKENS_TARGET + 1 ||
		 form->indkey.values[1] != TOKENS_TOKEN + 1);
}

/* An insertion has met a row that is not of this token, or that is not found. */
static void
does_not_find(const Claim *claim)
{
	const ResultRelInfo *rri = claim->tokens->rri;

	for (int i = 0; i < rri->ri_NumIndices; i++)
	{
		Relation	index = rri->ri_IndexRelationDescs[i];

		if (keeps_other_columns(index))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("unique index \"%s\" of table missing_symbol.tokens keeps out a token",
							RelationGetRelationName(index)),
					 errdetail("Tokens are unique for each target, by the primary key."),
					 errhint("DROP INDEX missing_symbol.%s.",
							 quote_identifier(RelationGetRelationName(index)))));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" does not find a token that is there",
					RelationGetRelationName(claim->index)),
			 errhint("REINDEX TABLE missing_symbol.tokens.")));
}

/*
 * Claim a token for a target, on which the caller's rights were checked.  False
 * where it is known.
 */
bool
ms_token_claim(Oid relid, const pg_uuid_t *token, ItemPointer tid)
{
	Claim		claim;
	Progress	progress = FREE;
	int			gone = 0;

	begin(&claim, relid, token);

	/* most tokens are new: to look first would cost all of them a search */
	for (;;)
	{
		if (progress == FREE)
			progress = insert(&claim);
		if (progress != MET)
			break;
		do
		{
			CHECK_FOR_INTERRUPTS();
			progress = look(&claim);
		} while (progress == MET);
		if (progress == FREE && ++gone == MAX_GONE)
			does_not_find(&claim);
	}
	*tid = claim.tokens->slot->tts_tid;
	ms_append_end(&appender, claim.tokens);
	return progress == CLAIMED;
}

/* Nothing was counted: a repeated request is not to be told that it was. */
void
ms_token_give_back(ItemPointer tid)
{
	Relation	tokens = ms_tokens_open(RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(tokens, NULL);

	/* the row is of an earlier command then, unless a trigger had it forgotten */
	CommandCounterIncrement();
	if (table_tuple_fetch_row_version(tokens, tid, SnapshotSelf, slot))
		(void) ms_token_delete(tokens, tid, GetActiveSnapshot(), true);
	ExecDropSingleTupleTableSlot(slot);
	table_close(tokens, NoLock);
}
