/*-------------------------------------------------------------------------
 *
 * fold.c
 *	  fold() and flush(): merge what is spilled or buffered into its rows.
 *
 * Deltas are read with one snapshot, some thousands at a time, and put in the
 * order of the key; those of one key and role are one update.  They are
 * deleted and added to the row in the same transaction, the caller's, so
 * nothing is ever missing or double.  Nothing waits for a row: a delta that
 * somebody else is folding is skipped; where the counter's row is locked, or
 * its key being inserted, the deltas stay, n of them as one, which is spilled.
 *
 * flush() waits, for rows and for those who fold the same: what was there as
 * it began is in its rows when it returns.  Only one at a time does that to a
 * target, because the order in which it locks rows is not that of keys.
 *
 * As whom each is applied is in acting.c.  Otherwise all is done as the
 * table's owner, because to look at the table can run code, too.
 *
 * What fails is kept in spilled, with its error, and the rest goes on.  For
 * that the work is done in attempts (attempt.c), of many keys each; where one
 * fails, its keys are done again one by one.  What goes wrong beside them, and
 * in flush() a deadlock, ends the fold of a table, with nothing kept; the other
 * tables are folded all the same, unless the caller was interrupted.
 *
 * A lock that code of the table asks for, as a check of a foreign key does, is
 * waited for LOCK_MS, and LOCK_AGAIN_MS once that was in vain: then the delta
 * stays as it was, and the others go on.  Where the caller has not chosen the
 * table, its code has limited time for each key, and for many that take long;
 * what takes longer ends the fold of the table.  flush() has no such limits, because it is to wait.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "aside/aside_internal.h"
#include "counter/counter.h"
#include "figures/figures.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"

/* deltas that are read at once; of one key, that are looked for at once */
#define FOLD_READ		10000
#define FOLD_IN_TIME	200000

/* keys in one subtransaction */
#define FOLD_CHUNK	200

/* keys that must be come to in a second, once code of a table has had its time */
#define SLOW_KEYS		200

/* ms that a lock is waited for, and after the first that was not to be had */
#define LOCK_MS			100
#define LOCK_AGAIN_MS	2

/* can a table be folded as things are? */
typedef enum MSReady
{
	MS_READY,
	MS_IMMEDIATE_FIRST,			/* not before constraints are immediate */
	MS_NOT_HERE					/* not in the caller's transaction */
} MSReady;

typedef struct Fold
{
	Oid			relid;
	bool		alone;			/* the caller's transaction does nothing else */
	bool		immediate;		/* constraints are */
	MSReady		ready;
	bool		left_some;		/* that cannot be merged here */
	bool		wait;			/* flush(): for rows, and for others who fold */
	MSFoldTerms terms;
	bool		missed;			/* somebody else had a delta, after a wait */
	int64		began;			/* ms */
	MSFolded	folded;

	/* of the part under way */
	MSApplier	caller;
	MSTarget   *target;
	Relation	rel;
	Relation	stored;
	Snapshot	snapshot;
	MemoryContext cxt;

	/* of the step under way */
	MSSpilled **deltas;
	int			ndeltas;
	MSKeyDeltas *groups;
	int			ngroups;
	char	   *error;
} Fold;

static const char *const overdue_error =
	"Code of the table has taken too long for one key.";
static const char *const slow_error =
	"Code of the table takes too long.";

static bool folding = false;	/* merging, which may run triggers */

/* a step of a fold */
typedef struct Step
{
	void		(*step) (Fold *fold);
	Fold	   *fold;
} Step;

static void
run_step(void *arg)
{
	Step	   *step = arg;

	step->step(step->fold);
}

/* Try it; where it fails, nothing has happened. */
static MSAttempt
try_step(void (*step) (Fold *fold), Fold *fold, char **error)
{
	MSFolded	folded = fold->folded;
	Step		arg = {step, fold};
	MSAttempt	result;

	ms_limit_start(fold->terms.limit);
	result = ms_attempt(run_step, &arg, fold->wait, MS_ENDS_FOLD, error);
	if (result != MS_DONE)
		fold->folded = folded;
	fold->folded.overdue |= ms_limit_end();
	return result;
}

/* Has code come to too little in ms, of which it has limit without any look? */
bool
ms_is_slow(const MSFolded *folded, int64 ms, int limit)
{
	return ms >= limit &&
		folded->deltas + folded->failed + folded->waiting < ms * SLOW_KEYS / 1000;
}

/* Is it time to end with what has been done? */
static bool
is_over(const Fold *fold)
{
	if (fold->folded.overdue || fold->folded.cut)
		return true;
	if (fold->terms.deadline > 0)
		return ms_now_ns() > fold->terms.deadline;
	return fold->terms.limit > 0 &&
		ms_is_slow(&fold->folded, ms_now_ms() - fold->began,
				   fold->terms.limit);
}

/* Wait no longer for a lock, till the end of the level of settings. */
static void
limit_locks(int ms)
{
	if (LockTimeout == 0 || LockTimeout > ms)
		(void) set_config_option("lock_timeout", psprintf("%d", ms),
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

/* Count a row as acting.c has it for the counter of a delta. */
static void
apply_for(Fold *fold, MSRow *row, const MSSpilled *delta, MSResult *result)
{
	MSActing	acting;

	ms_act_for_counter(fold->target, fold->rel, row, &fold->caller,
					   delta->roleid, &acting);
	row->origin = fold->wait ? MS_FROM_STORE_WAITING : MS_FROM_STORE;
	ms_check_domains(fold->target, fold->rel, row);
	ms_apply_row(fold->target, fold->rel, row, result);
	ms_act_no_more(&acting);
}

/* Have n deltas reached their row? */
static bool
reached_row(Fold *fold, const MSResult *result, int n)
{
	if (result->outcome == MS_ABSENT)
		ms_note_absent(n);		/* and drop them */
	else if (result->outcome != MS_INSERTED &&
			 result->outcome != MS_INCREMENTED &&
			 result->outcome != MS_IGNORED)
		return false;
	fold->folded.deltas += n;
	return true;
}

static bool
take_delta(Fold *fold, const MSSpilled *delta)
{
	if (ms_spill_delete(fold->stored, delta, fold->snapshot, fold->wait, false))
		return true;
	fold->missed = true;
	return false;
}

/* Take the deltas of a group that can be had; their sum, NULL for none. */
static MSRow *
take_group(Fold *fold, const MSKeyDeltas *group, int *taken)
{
	MSRow	   *sum = NULL;

	*taken = 0;
	for (int i = 0; i < group->n; i++)
	{
		MSSpilled  *delta = group->deltas[i];

		if (!take_delta(fold, delta))
			continue;
		(*taken)++;
		if (sum == NULL)
			sum = ms_row_copy(fold->target, fold->rel, delta->row);
		else
			ms_merge_row(fold->target, fold->rel, sum, delta->row);
	}
	return sum;
}

/*
 * A delta alone is locked, and only deleted when it is in its row: where it
 * must stay it stays as it is, instead of being written anew by every fold.
 * Triggers of the table that count leave it alone, too, because it is locked.
 */
static void
apply_single(Fold *fold, MSSpilled *delta)
{
	MSResult	result;

	if (!ms_spill_lock(fold->stored, delta, fold->snapshot, fold->wait))
	{
		fold->missed = true;
		return;
	}
	apply_for(fold, delta->row, delta, &result);
	if (reached_row(fold, &result, 1) &&
		!ms_spill_delete(fold->stored, delta, fold->snapshot, false, true))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("an increment of table %s was deleted while it was being merged",
						fold->target->name),
				 errhint("Leave missing_symbol.spilled and missing_symbol.buffered to the extension.")));
}

static void
apply_group(Fold *fold, const MSKeyDeltas *group)
{
	MSResult	result;
	MSRow	   *sum;
	int			taken;

	if (group->n == 1)
	{
		apply_single(fold, group->deltas[0]);
		return;
	}
	sum = take_group(fold, group, &taken);
	if (sum == NULL)
		return;
	apply_for(fold, sum, group->deltas[0], &result);
	if (!reached_row(fold, &result, taken))
		ms_spill_append(MS_STORE_SPILLED, fold->target, fold->rel, sum,
						sum->values, group->deltas[0], NULL);
}

static void
apply_groups(Fold *fold)
{
	for (int i = 0; i < fold->ngroups; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
		{
			if (is_over(fold))
			{
				fold->folded.cut = true;
				break;
			}
			ms_limit_start(fold->terms.limit);
		}
		apply_group(fold, &fold->groups[i]);
	}
}

/*
 * Keep what has failed, n deltas as one, with the error; but as it was where
 * the error may only say that the search_path was hidden.
 */
static void
keep_group(Fold *fold)
{
	MSKeyDeltas *group = &fold->groups[0];
	MSRow	   *sum;
	int			taken;

	if (group->n == 1 && group->deltas[0]->error != NULL &&
		strcmp(group->deltas[0]->error, fold->error) == 0)
		return;
	if (ms_hides_search_path(fold->rel, &fold->caller,
							 group->deltas[0]->roleid))
		return;
	sum = take_group(fold, group, &taken);
	if (sum != NULL)
		ms_spill_append(MS_STORE_SPILLED, fold->target, fold->rel, sum,
						sum->values, group->deltas[0], fold->error);
}

/* The same where not even the sum can be made: each for itself. */
static void
keep_deltas(Fold *fold)
{
	for (int i = 0; i < fold->ndeltas; i++)
	{
		MSSpilled  *delta = fold->deltas[i];

		if ((delta->error == NULL || strcmp(delta->error, fold->error) != 0) &&
			take_delta(fold, delta))
			ms_spill_append_again(delta, fold->error);
	}
}

static void
parse_deltas(Fold *fold)
{
	for (int i = 0; i < fold->ndeltas; i++)
		ms_spill_parse(fold->target, fold->rel, fold->deltas[i], MS_READ_ALL,
					   &fold->caller);
}

/* The first reason is told; that of what was cancelled by us is not core's. */
static void
tell(Fold *fold, const char *error)
{
	if (fold->folded.error != NULL)
		return;
	fold->folded.error =
		MemoryContextStrdup(fold->cxt, fold->folded.overdue ? overdue_error :
							error);
}

static void
keep(Fold *fold, void (*how) (Fold *fold), char *error)
{
	char	   *again;

	fold->error = error;
	tell(fold, error);
	fold->folded.failed++;
	if (try_step(how, fold, &again) != MS_DONE && how == keep_group)
	{
		fold->deltas = fold->groups[0].deltas;
		fold->ndeltas = fold->groups[0].n;
		(void) try_step(keep_deltas, fold, &again);
	}
}

/* What would have had to wait stays as it is. */
static void
leave(Fold *fold, const char *error)
{
	tell(fold, error);
	fold->folded.waiting++;
	limit_locks(LOCK_AGAIN_MS);
}

/* Parse what was read; what cannot be parsed is kept.  How many are left. */
static int
parse(Fold *fold, MSSpilled **deltas, int n)
{
	char	   *error;
	int			left = 0;

	fold->deltas = deltas;
	fold->ndeltas = n;
	if (try_step(parse_deltas, fold, &error) == MS_DONE)
		return n;

	fold->folded.overdue = false;	/* by many of them, together */
	for (int i = 0; i < n && !fold->folded.overdue; i++)
	{
		fold->deltas = &deltas[i];
		fold->ndeltas = 1;
		switch (try_step(parse_deltas, fold, &error))
		{
			case MS_DONE:
				deltas[left++] = deltas[i];
				break;
			case MS_STAYS:
				leave(fold, error);
				break;
			default:
				keep(fold, keep_deltas, error);
		}
	}
	return left;
}

/*
 * Merge some groups; where that fails, one by one.  But not what has taken too
 * long: next time it will be.
 */
static void
apply_chunk(Fold *fold, MSKeyDeltas *groups, int n)
{
	MSAttempt	result;
	char	   *error;

	fold->groups = groups;
	fold->ngroups = n;
	result = try_step(apply_groups, fold, &error);
	if (result == MS_DONE)
		return;
	if (n == 1 && result == MS_FAILED)
		keep(fold, keep_group, error);
	else if (n == 1 || fold->folded.overdue)
		leave(fold, error);
	else
	{
		for (int i = 0; i < n && !fold->folded.cut; i++)
		{
			fold->folded.cut = is_over(fold);
			if (!fold->folded.cut)
				apply_chunk(fold, &groups[i], 1);
		}
	}
}

/*
 * Merge groups, in their order; of a target that needs it one by one and from
 * anywhere on, so that none is in the way of the others for ever.
 */
static void
apply_all(Fold *fold, MSKeyDeltas *groups, int ngroups)
{
	int			chunk = fold->terms.one_by_one ? 1 : FOLD_CHUNK;
	int			at = fold->terms.one_by_one ?
		(int) (ms_random_double() * ngroups) : 0;
	int			n;

	while (at > 0 && groups[at].again)
		at--;
	for (int left = ngroups; left > 0; left -= n)
	{
		/* something is done however long it took to read it */
		if (left < ngroups && is_over(fold))
		{
			fold->folded.cut = true;
			return;
		}
		n = Min(chunk, Min(left, ngroups - at));
		apply_chunk(fold, &groups[at], n);
		at = (at + n) % ngroups;
	}
}

/* Amid a transaction of the caller only what he has counted is merged. */
static int
leave_those_of_others(Fold *fold, MSSpilled **deltas, int n)
{
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		if (ms_acts_as_applier(fold->rel, &fold->caller, deltas[i]->roleid))
			deltas[left++] = deltas[i];
	}
	fold->left_some |= left < n;
	return left;
}

/* Merge what was read, in the order of the key. */
static void
fold_deltas(Fold *fold, MSSpilled **deltas, int n)
{
	MSKeyDeltas *groups;

	if (!fold->alone)
		n = leave_those_of_others(fold, deltas, n);
	n = parse(fold, deltas, n);
	if (n == 0)
		return;
	n = ms_fold_groups(fold->target, deltas, n, &groups);
	apply_all(fold, groups, n);
}

/*
 * Fold all deltas of a hash that are too many to be read at once.  Finding the
 * first of them is no time of the table's code.
 */
static void
fold_hash(Fold *fold, MSStore store, int64 hash, MSSpilled **deltas)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol hash",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt;
	MSSpillPlace behind = {.first_seen = PG_INT64_MIN};
	bool		more;

	do
	{
		int64		began = ms_now_ns();
		MSSpillScan *scan = ms_spill_begin_in_time(store, fold->relid,
												   fold->snapshot, hash,
												   &behind, FOLD_IN_TIME);
		int			left = FOLD_IN_TIME;
		bool		full;

		if (fold->terms.deadline > 0)
			fold->terms.deadline += ms_now_ns() - began;
		fold->began += (ms_now_ns() - began) / 1000000;
		oldcxt = MemoryContextSwitchTo(cxt);
		do
		{
			int			n = ms_fold_read(scan, deltas, Min(left, FOLD_READ), &full);

			left -= n;
			if (n > 0)
			{
				behind.first_seen = deltas[n - 1]->first_seen;
				behind.tid = deltas[n - 1]->tid;
			}
			fold_deltas(fold, deltas, n);
			MemoryContextReset(cxt);
		} while (full && left > 0 && !is_over(fold));
		MemoryContextSwitchTo(oldcxt);
		ms_spill_end(scan);
		more = full;
	} while (more && !is_over(fold));
	fold->folded.cut |= more;
	MemoryContextDelete(cxt);
}

/*
 * Fold some deltas behind *after, so many at the most, or all of one hash;
 * false where these were the last.  *n: of how many that was.
 */
static bool
fold_some(Fold *fold, MSStore store, int64 *after, int most,
		  MSSpilled **deltas, int *n)
{
	MSSpillScan *scan = ms_spill_begin(store, fold->relid, fold->snapshot,
									   NULL, after);
	int64		before = *after;
	bool		full;

	*n = ms_fold_read(scan, deltas, most, &full);
	ms_spill_end(scan);
	if (*n == 0)
		return false;
	*after = deltas[*n - 1]->hash;
	if (full)
	{
		int			whole = ms_before_last_hash(deltas, *n);

		if (whole == 0)
			fold_hash(fold, store, *after, deltas);
		else
		{
			*n = whole;
			*after = deltas[whole - 1]->hash;
			fold_deltas(fold, deltas, whole);
		}
	}
	else
		fold_deltas(fold, deltas, *n);
	if (fold->folded.overdue || fold->folded.cut)
		*after = before;
	return full;
}

/*
 * Fold deltas of the open target, those behind *after: about limit of them, up
 * to the end of a hash.  They are read and folded by FOLD_READ, and fewer where
 * they have much beside the key, so that memory is no matter of how many there
 * are; those of a key are folded as they were counted.  What is appended
 * meanwhile the snapshot does not show.  False where these were the last, or
 * some were not come to.
 */
static bool
fold_part(Fold *fold, MSStore store, int64 *after, int limit)
{
	MSSpilled **deltas = palloc(sizeof(MSSpilled *) * FOLD_READ);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol deltas",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt;
	int			n;
	bool		more;

	/* one that does not come to show what we do meanwhile */
	CommandCounterIncrement();
	PushCopiedSnapshot(IsolationUsesXactSnapshot() ?
					   GetTransactionSnapshot() : GetLatestSnapshot());
	fold->snapshot = RegisterSnapshot(GetActiveSnapshot());
	PopActiveSnapshot();
	fold->stored = ms_spill_open(store, RowExclusiveLock);
	oldcxt = MemoryContextSwitchTo(cxt);
	do
	{
		more = fold_some(fold, store, after, Min(limit, FOLD_READ), deltas, &n);
		limit -= n;
		MemoryContextReset(cxt);
	} while (more && limit > 0 && !is_over(fold));
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(cxt);
	table_close(fold->stored, NoLock);
	UnregisterSnapshot(fold->snapshot);
	fold->folded.cut |= fold->folded.overdue || (more && is_over(fold));
	return more && !fold->folded.cut;
}

/*
 * Must this table be left, or constraints be made immediate first?  Code that
 * is less than the caller must not meet what else he has in his transaction:
 * his cursors, his deferred triggers.  Restricted code cannot put anything off
 * to the commit; and where it is harmless constraints are made immediate, so
 * that one delta that the commit would refuse does not end the fold of all.
 */
static MSReady
is_ready(Fold *fold)
{
	if (!fold->alone && ms_is_restricted(fold->rel, &fold->caller))
		return MS_NOT_HERE;
	if (!fold->immediate && fold->alone && ms_defers_triggers(fold->rel))
		return MS_IMMEDIATE_FIRST;
	return MS_READY;
}

/* The same with the target to be opened, and in memory of its own. */
static bool
open_and_fold_part(Fold *fold, MSStore store, int64 *after, int limit)
{
	MemoryContext oldcxt;
	MSActing	acting;
	Relation	rel;
	int			nestlevel = NewGUCNestLevel();
	int			lock_ms = fold->terms.hurry ? LOCK_AGAIN_MS : LOCK_MS;
	volatile bool more = false;

	/* to look at the table can run code, too */
	ms_limit_start(fold->terms.limit);
	if (!fold->wait && fold->terms.limit > 0)
		limit_locks(lock_ms);
	fold->cxt = CurrentMemoryContext;
	oldcxt = MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext,
														 "missing_symbol fold",
														 ALLOCSET_DEFAULT_SIZES));
	ms_get_applier(&fold->caller);
	fold->target = NULL;
	rel = relation_open(fold->relid, RowExclusiveLock);
	folding = true;
	PG_TRY();
	{
		ms_act_as_owner(&fold->caller, rel, &acting);
		fold->target = ms_target_open(fold->relid, NoLock, &fold->rel);
		relation_close(rel, NoLock);
		fold->ready = is_ready(fold);
		fold->folded.overdue |= ms_limit_end();
		/* who names a table waits for it and its partitions, for no delta */
		if (!fold->wait)
			limit_locks(lock_ms);
		if (fold->ready == MS_READY && !fold->folded.overdue)
			more = fold_part(fold, store, after, limit);
	}
	PG_CATCH();
	{
		folding = false;
		if (fold->target != NULL)
			ms_target_unpin(fold->target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	folding = false;
	ms_target_close(fold->target, fold->rel);
	ms_act_no_more(&acting);
	if (fold->folded.overdue)
		tell(fold, overdue_error);
	AtEOXact_GUC(true, nestlevel);
	MemoryContextDelete(MemoryContextSwitchTo(oldcxt));
	return more;
}

static void
make_constraints_immediate(void *arg)
{
	ConstraintsSetStmt *immediate = makeNode(ConstraintsSetStmt);

	immediate->deferred = false;
	AfterTriggerSetState(immediate);
}

/* Tell of a table that is left as it is; why: NULL where that is no secret. */
void
ms_warn_left(Oid relid, const char *why)
{
	char	   *name = get_rel_name(relid);

	ereport(WARNING,
			(errcode(why != NULL ? ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE :
					 ERRCODE_ACTIVE_SQL_TRANSACTION),
			 errmsg("could not fold table \"%s\"", name != NULL ? name : "?"),
			 why != NULL ? errdetail_internal("%s", why) :
			 errdetail("What others have counted, or in tables of others, is not merged amid what else a transaction does."),
			 why != NULL ? errhint("Its increments are kept; missing_symbol.discard() and discard_all() throw away what can never be merged.") :
			 errhint("Call fold() or flush() as a statement of its own, with no cursors open, or leave it to the worker.")));
}

static void
fold_stores(Fold *fold)
{
	fold->ready = MS_READY;
	for (int store = 0; store < MS_STORES && fold->ready == MS_READY &&
		 !fold->folded.overdue; store++)
	{
		int64		after = PG_INT64_MIN;

		while (open_and_fold_part(fold, store, &after, FOLD_READ))
			CHECK_FOR_INTERRUPTS();
	}
}

/* Fold all of a target. */
static void
fold_target(Fold *fold)
{
	char	   *error;

	/* who names a table waits for it, too */
	fold->began = ms_now_ms();
	if (fold->terms.limit == 0)
		LockRelationOid(fold->relid, RowExclusiveLock);
	if (fold->wait)
		ms_lock_flush(fold->relid);
	do
	{
		fold->missed = false;
		fold_stores(fold);
		if (fold->ready == MS_IMMEDIATE_FIRST)
		{
			/* what else the statement has put off may be in the way */
			fold->immediate = ms_try(make_constraints_immediate, NULL, &error);
			fold->alone = fold->immediate;
			fold_stores(fold);
		}
		if (fold->ready == MS_NOT_HERE || fold->left_some)
		{
			ms_warn_left(fold->relid, NULL);
			break;
		}

		/* what somebody else had he may have put back */
	} while (fold->wait && fold->missed && !IsolationUsesXactSnapshot());
	if (fold->wait)
		ms_unlock_flush(fold->relid);
	ms_tally_folded(fold->relid, fold->folded.deltas);
}

static void
run_target(void *arg)
{
	fold_target(arg);
}

/* Do it; what is wrong with that is no matter of other tables. */
static bool
try_target(void (*run) (void *arg), void *arg, Fold *fold, char **error)
{
	if (ms_attempt(run, arg, fold->wait, MS_ENDS_ALL, error) == MS_DONE)
		return true;
	memset(&fold->folded, 0, sizeof(MSFolded));
	fold->folded.overdue = ms_limit_end();
	if (fold->folded.overdue)
		*error = pstrdup(overdue_error);
	return false;
}

/* a part of a target that the worker folds */
typedef struct Part
{
	Fold		fold;
	MSStore		store;
	int64		after;
	int			limit;
	bool		more;
} Part;

static void
run_part(void *arg)
{
	Part	   *part = arg;

	part->more = open_and_fold_part(&part->fold, part->store, &part->after,
									part->limit);
}

bool
ms_fold_some(Oid relid, MSStore store, const MSFoldTerms *terms, int64 *after,
			 int limit, MSFolded *folded)
{
	Part		part = {0};
	char	   *error;
	bool		ended;

	part.fold.relid = relid;
	part.fold.alone = true;
	part.fold.immediate = true;
	part.fold.terms = *terms;
	part.store = store;
	part.after = *after;
	part.limit = limit;
	ended = !try_target(run_part, &part, &part.fold, &error);
	*folded = part.fold.folded;
	if (ended)
	{
		folded->ended = true;
		folded->error = error;
		return false;
	}
	*after = part.after;
	return part.more;
}

/*
 * Fold all of a target; limit: ms that its code has for a key, 0 where it is
 * not limited.  With an error that is no matter of other tables it returns
 * false, or raises it where it is not wanted.
 */
bool
ms_fold_target(Oid relid, bool wait, bool alone, int limit, MSFolded *folded,
			   char **error)
{
	Fold		fold = {0};
	bool		done = true;

	fold.relid = relid;
	fold.wait = wait;
	fold.alone = alone;
	fold.terms.limit = limit;
	if (error == NULL)
		fold_target(&fold);
	else
		done = try_target(run_target, &fold, &fold, error);
	if (fold.folded.cut && fold.folded.error == NULL)
		fold.folded.error = pstrdup(slow_error);
	*folded = fold.folded;
	return done;
}

/* Is something being merged, so that this is called by its code? */
bool
ms_folding(void)
{
	return folding;
}
