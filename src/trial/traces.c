/*-------------------------------------------------------------------------
 *
 * traces.c
 *	  What a rollback does not undo, by name.
 *
 * Between ms_traces_begin() and ms_traces_end() something is run and rolled
 * back; what is left of it is seen by comparing the locks that this process
 * holds:
 *
 * - nextval() and setval() leave a lock on the sequence that belongs to the
 *	 top transaction.  Where it was held before, the sequence's state is
 *	 compared, and the session's own where values are cached.
 * - An advisory lock that is still there is one of the session, which may
 *	 have held it before, and hold it more often now.
 *
 * What COPY reads from programs or writes, and commands about the session's
 * prepared statements, cursors, sequences and libraries, are seen by a hook, put in place
 * at the first use: it looks on while somebody is between the two calls, and
 * never decides.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_sequence.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/undo.h"
#include "profile/profile.h"
#include "trial/trial_internal.h"

/* a sequence that is locked */
typedef struct MSSequence
{
	Oid			relid;
	int64		last_value;
	bool		is_called;
	int64		current;		/* of this session, where it caches values */
} MSSequence;

/* a COPY to or from something outside of the database */
typedef struct MSCopy
{
	Oid			userid;			/* who ran it */
	bool		is_program;
	char	   *name;
} MSCopy;

static ProcessUtility_hook_type prev_ProcessUtility = NULL;
static MSTraces *current = NULL;

/*
 * Locks
 */

/* what this process holds, as LockInstanceData, in this database */
static List *
own_locks(void)
{
	LockData   *data = GetLockStatusData();
	List	   *result = NIL;
	int			i;

	for (i = 0; i < data->nelements; i++)
	{
		LockInstanceData *lock = &data->locks[i];

		if (lock->pid == MyProcPid && lock->holdMask != 0 &&
			lock->locktag.locktag_field1 == MyDatabaseId)
			result = lappend(result, lock);
	}
	return result;
}

/* relations that this transaction may have changed, as Oid */
List *
ms_written_relations(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, own_locks())
	{
		LockInstanceData *lock = lfirst(lc);

		if (lock->locktag.locktag_type == LOCKTAG_RELATION &&
			lock->holdMask >= LOCKBIT_ON(RowExclusiveLock))
			result = list_append_unique_oid(result,
											lock->locktag.locktag_field2);
	}
	return result;
}

/* quoted, NULL if it is gone */
char *
ms_relation_name(Oid relid)
{
	char	   *name = get_rel_name(relid);
	Oid			schema = get_rel_namespace(relid);

	if (name == NULL)
		return NULL;
	return quote_qualified_identifier(get_namespace_name(schema), name);
}

/*
 * Sequences
 */

/* from its only row, which is never anywhere but first on its only page */
static void
read_sequence(MSSequence *sequence)
{
	Relation	rel = relation_open(sequence->relid, NoLock);
	Buffer		buffer = ReadBuffer(rel, 0);
	Page		page;
	HeapTupleHeader row;
	Form_pg_sequence_data data;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	row = (HeapTupleHeader)
		PageGetItem(page, PageGetItemId(page, FirstOffsetNumber));
	data = (Form_pg_sequence_data) ((char *) row + row->t_hoff);
	sequence->last_value = data->last_value;
	sequence->is_called = data->is_called;
	UnlockReleaseBuffer(buffer);
	relation_close(rel, NoLock);
}

static void
read_current(void *arg)
{
	MSSequence *sequence = arg;

	sequence->current =
		DatumGetInt64(DirectFunctionCall1(currval_oid,
										  ObjectIdGetDatum(sequence->relid)));
}

/* nextval() need not touch the row of a sequence whose values are cached */
static bool
is_cached(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(relid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_sequence) GETSTRUCT(tuple))->seqcache > 1;
	ReleaseSysCache(tuple);
	return result;
}

/* those whose lock we hold, as MSSequence */
static List *
locked_sequences(List *locks)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, locks)
	{
		LOCKTAG    *tag = &((LockInstanceData *) lfirst(lc))->locktag;
		MSSequence *sequence;

		if (tag->locktag_type != LOCKTAG_RELATION ||
			get_rel_relkind(tag->locktag_field2) != RELKIND_SEQUENCE)
			continue;
		sequence = palloc0(sizeof(MSSequence));
		sequence->relid = tag->locktag_field2;
		read_sequence(sequence);
		/* where the session has none, or may not ask, it stays 0 */
		if (is_cached(sequence->relid))
			(void) ms_undo_and_catch(read_current, sequence, false);
		result = lappend(result, sequence);
	}
	return result;
}

static List *
sequence_notes(List *before, List *after)
{
	List	   *notes = NIL;
	ListCell   *a;
	ListCell   *b;

	foreach(a, after)
	{
		MSSequence *now = lfirst(a);
		bool		same = false;

		foreach(b, before)
		{
			MSSequence *then = lfirst(b);

			if (then->relid == now->relid)
				same = then->last_value == now->last_value &&
					then->is_called == now->is_called &&
					then->current == now->current;
		}
		if (!same)
			notes = lappend(notes,
							psprintf("sequence %s was used: its values stay taken",
									 ms_relation_name(now->relid)));
	}
	return notes;
}

/*
 * Advisory locks
 */

/* one that the session holds, and how often */
typedef struct MSAdvisory
{
	LOCKTAG		tag;
	LOCKMODE	mode;
	int64		held;
} MSAdvisory;

/*
 * What is held already is to be had without waiting, and tells then how often
 * it is held.  A transaction's hold is none of the session's.
 */
static int64
session_holds(const LOCKTAG *tag, LOCKMODE mode)
{
	LOCALLOCK  *lock = NULL;
	int64		held = 0;
	int			i;

	if (LockAcquireExtended(tag, mode, true, true, false, &lock, false) ==
		LOCKACQUIRE_NOT_AVAIL || lock == NULL)
		return 0;
	for (i = 0; i < lock->numLockOwners; i++)
		if (lock->lockOwners[i].owner == NULL)
			held = lock->lockOwners[i].nLocks;
	LockRelease(tag, mode, true);
	return held - 1;
}

/* as MSAdvisory */
static List *
advisory_locks(List *locks)
{
	List	   *result = NIL;
	ListCell   *lc;
	LOCKMODE	mode;

	foreach(lc, locks)
	{
		LockInstanceData *lock = lfirst(lc);

		for (mode = 1; mode <= MaxLockMode; mode++)
		{
			MSAdvisory *advisory;

			if (lock->locktag.locktag_type != LOCKTAG_ADVISORY ||
				(lock->holdMask & LOCKBIT_ON(mode)) == 0)
				continue;
			advisory = palloc(sizeof(MSAdvisory));
			advisory->tag = lock->locktag;
			advisory->mode = mode;
			advisory->held = session_holds(&lock->locktag, mode);
			result = lappend(result, advisory);
		}
	}
	return result;
}

/* NULL: it does not have it */
static MSAdvisory *
find_advisory(List *locks, const MSAdvisory *wanted)
{
	ListCell   *lc;

	foreach(lc, locks)
	{
		MSAdvisory *lock = lfirst(lc);

		if (lock->mode == wanted->mode &&
			memcmp(&lock->tag, &wanted->tag, sizeof(LOCKTAG)) == 0)
			return lock;
	}
	return NULL;
}

static char *
advisory_note(const LOCKTAG *tag, int64 before, int64 after)
{
	/* as the functions make the tags */
	char	   *key = tag->locktag_field4 == 1 ?
		psprintf(INT64_FORMAT,
				 (int64) (((uint64) tag->locktag_field2 << 32) |
						  tag->locktag_field3)) :
		psprintf("%d, %d", (int32) tag->locktag_field2,
				 (int32) tag->locktag_field3);

	if (after == 0)
		return psprintf("session advisory lock (%s) was released", key);
	if (before == 0)
		return psprintf("session advisory lock (%s) is still held", key);
	return psprintf("session advisory lock (%s) is held " INT64_FORMAT " times, before it was " INT64_FORMAT,
					key, after, before);
}

static List *
advisory_notes(List *before, List *after)
{
	List	   *notes = NIL;
	ListCell   *lc;

	foreach(lc, after)
	{
		MSAdvisory *now = lfirst(lc);
		MSAdvisory *then = find_advisory(before, now);
		int64		held = then ? then->held : 0;

		if (held != now->held)
			notes = lappend(notes, advisory_note(&now->tag, held, now->held));
	}
	foreach(lc, before)
	{
		MSAdvisory *lock = lfirst(lc);

		if (lock->held > 0 && find_advisory(after, lock) == NULL)
			notes = lappend(notes, advisory_note(&lock->tag, lock->held, 0));
	}
	return notes;
}

/*
 * COPY
 */

static void
note_copy(CopyStmt *copy)
{
	MemoryContext saved;
	MSCopy	   *noted;

	if (copy->filename == NULL || (copy->is_from && !copy->is_program))
		return;
	saved = MemoryContextSwitchTo(current->context);
	noted = palloc(sizeof(MSCopy));
	noted->userid = GetUserId();
	noted->is_program = copy->is_program;
	noted->name = pstrdup(copy->filename);
	current->copies = lappend(current->copies, noted);
	MemoryContextSwitchTo(saved);
}

/*
 * Commands on what the session has
 */

/* a cursor that was there before; those opened since go with the rollback */
static bool
is_outer_cursor(const char *name)
{
	Portal		portal = GetPortalByName(name);

	return PortalIsValid(portal) && portal->createSubid <= current->subid;
}

static char *
command_on(const char *command, const char *name)
{
	return psprintf("%s %s", command, name ? quote_identifier(name) : "ALL");
}

/* what it does and a rollback does not undo, or NULL */
static char *
lasting_command(Node *node)
{
	const char *name;

	switch (nodeTag(node))
	{
		case T_PrepareStmt:
			return command_on("PREPARE", ((PrepareStmt *) node)->name);
		case T_DeallocateStmt:
			return command_on("DEALLOCATE", ((DeallocateStmt *) node)->name);
		case T_ClosePortalStmt:
			name = ((ClosePortalStmt *) node)->portalname;
			return name == NULL || is_outer_cursor(name) ?
				command_on("CLOSE", name) : NULL;
		case T_FetchStmt:
			name = ((FetchStmt *) node)->portalname;
			return is_outer_cursor(name) ?
				command_on(((FetchStmt *) node)->ismove ? "MOVE" : "FETCH",
						   name) : NULL;
		case T_LoadStmt:
			return psprintf("LOAD %s",
							quote_literal_cstr(((LoadStmt *) node)->filename));
		case T_DiscardStmt:
			/* plans are made again, temporary tables come back */
			return ((DiscardStmt *) node)->target == DISCARD_SEQUENCES ?
				pstrdup("DISCARD SEQUENCES") : NULL;
		default:
			return NULL;
	}
}

static void
note_command(const char *command)
{
	MemoryContext saved = MemoryContextSwitchTo(current->context);

	current->commands = list_append_unique(current->commands,
										   makeString(pstrdup(command)));
	MemoryContextSwitchTo(saved);
}

static void
traces_ProcessUtility(MS_UTILITY_PARAMS)
{
	char	   *command = NULL;

	if (current != NULL && IsA(pstmt->utilityStmt, CopyStmt))
		note_copy((CopyStmt *) pstmt->utilityStmt);
	else if (current != NULL)
		command = lasting_command(pstmt->utilityStmt);
	if (prev_ProcessUtility)
		prev_ProcessUtility(MS_UTILITY_ARGS);
	else
		standard_ProcessUtility(MS_UTILITY_ARGS);

	/* a COPY that fails may have written, these have done nothing then */
	if (command != NULL)
		note_command(command);
}

/* the text of a SECURITY DEFINER function is not for everybody */
static List *
copy_notes(List *copies)
{
	List	   *notes = NIL;
	ListCell   *lc;

	foreach(lc, copies)
	{
		MSCopy	   *copy = lfirst(lc);

		notes = lappend(notes,
						psprintf("COPY %s %s",
								 copy->is_program ? "ran the program" : "wrote the file",
								 ms_may_see(copy->userid) ?
								 quote_literal_cstr(copy->name) :
								 MS_INSUFFICIENT_PRIVILEGE));
	}
	return notes;
}

static List *
command_notes(List *commands)
{
	List	   *notes = NIL;
	ListCell   *lc;

	foreach(lc, commands)
		notes = lappend(notes, psprintf("%s is not undone",
										strVal(lfirst(lc))));
	return notes;
}

/*
 * Before and after
 */

void
ms_traces_begin(MSTraces *traces)
{
	static bool installed = false;

	if (!installed)
	{
		prev_ProcessUtility = ProcessUtility_hook;
		ProcessUtility_hook = traces_ProcessUtility;
		installed = true;
	}
	traces->context = CurrentMemoryContext;
	traces->locks = own_locks();
	traces->sequences = locked_sequences(traces->locks);
	traces->advisory = advisory_locks(traces->locks);
	traces->copies = NIL;
	traces->commands = NIL;
	traces->subid = GetCurrentSubTransactionId();
	traces->outer = current;
	current = traces;
}

/* in any case, also after an error */
void
ms_traces_stop(MSTraces *traces)
{
	current = traces->outer;
}

static int
by_text(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* after the rollback: the notes, as char * */
List *
ms_traces_end(MSTraces *traces)
{
	List	   *locks = own_locks();
	List	   *notes;

	notes = sequence_notes(traces->sequences, locked_sequences(locks));
	notes = list_concat(notes, advisory_notes(traces->advisory,
											  advisory_locks(locks)));
	list_sort(notes, by_text);
	notes = list_concat(notes, copy_notes(traces->copies));
	return list_concat(notes, command_notes(traces->commands));
}
