/*-------------------------------------------------------------------------
 *
 * undo.c
 *	  Runs something in a subtransaction that is always rolled back.
 *
 * The subtransaction is one of our own, never the caller's: what the caller
 * has done and what it has pending stays, and its transaction goes on.  An
 * error passes on unchanged after the undo, since whoever catches it expects
 * to find the subtransaction that he left.
 *
 * Results are allocated in the memory context of the call, which outlives
 * the subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "advice/undo.h"

static ErrorData *
run_and_roll_back(MSUndone run, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		run(arg);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

void
ms_undo(MSUndone run, void *arg)
{
	ErrorData  *error = run_and_roll_back(run, arg);

	if (error != NULL)
		ReThrowError(error);
}

/*
 * As PL/pgSQL's EXCEPTION WHEN OTHERS: a cancel is for the whole statement,
 * and so is a timeout.
 */
ErrorData *
ms_undo_and_catch(MSUndone run, void *arg, bool locks)
{
	ErrorData  *error = run_and_roll_back(run, arg);

	if (error != NULL &&
		(error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
		 (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE && !locks) ||
		 error->sqlerrcode == ERRCODE_ASSERT_FAILURE))
		ReThrowError(error);
	return error;
}
