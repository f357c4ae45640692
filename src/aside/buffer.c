/*-------------------------------------------------------------------------
 *
 * buffer.c
 *	  apply = 'buffer': increments that are appended as their transaction
 *	  commits, and merged into their rows by a worker soon after.
 *
 * Until the commit they are in memory with those of apply = 'commit'
 * (pending.c); then they go to missing_symbol.buffered instead of to their
 * rows: no row is locked, no WAL is flushed.  The table is unlogged: a crash
 * empties it.  It never makes anything count twice, because what is merged is
 * deleted from it in the same transaction.
 *
 * A key is kept as text.  So a target whose equal keys can have different
 * texts (numeric, citext), or whose keys are names of objects (regclass), is
 * counted at the commit instead; that is a fallback, and counted.  So is one
 * where row security applies to the role, because only the row tells whether
 * it may count that key; and where no worker can be started, because nobody
 * might merge it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "aside/aside.h"
#include "aside/aside_internal.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"

/* Can increments of a target be buffered, by the current role? */
bool
ms_buffer_serves(MSTarget *target)
{
	return ms_key_text_exact(target) &&
		!ms_row_security_applies(target, InvalidOid) &&
		ms_worker_possible();
}

/* Append a row that the current role has counted. */
void
ms_buffer_append(MSTarget *target, Relation rel, const MSRow *row)
{
	ms_spill_append(MS_STORE_BUFFERED, target, rel, row, row->values, NULL,
					NULL);
	ms_worker_wake();
}

/*
 * The same where it must not be lost in a crash, as what belongs to it is not:
 * a token.
 */
void
ms_buffer_append_logged(MSTarget *target, Relation rel, const MSRow *row)
{
	ms_spill_append(MS_STORE_SPILLED, target, rel, row, row->values, NULL,
					NULL);
	ms_worker_wake();
}
