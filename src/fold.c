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
 * Each is applied as the role that counted, or the table's owner where that
 * role is gone.  Triggers and constraints of the table then run as that role
 * in the caller's session.  A caller who could not become that role must not
 * choose what names mean to it: then search_path is pg_catalog, and the
 * operation is security-restricted.  So it is, too, where the role could not
 * become a caller who has not chosen the table: the worker, or fold() of all
 * that there is.  These look at the table as its owner, likewise.
 *
 * What fails is kept in spilled, with its error, and the rest goes on.  For
 * that the work is done in subtransactions, of many keys each; where one
 * fails, its keys are done again one by one.  What is wrong with the session
 * or the server ends the fold of a table, with nothing kept; the other tables
 * are folded all the same, unless the caller was interrupted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "missing_symbol.h"

/* deltas that are read at once */
#define FOLD_READ	10000

/* keys in one subtransaction */
#define FOLD_CHUNK	200

/* deltas of one key and role */
typedef struct KeyDeltas
{
	MSSpilled **deltas;
	int			n;
} KeyDeltas;

typedef struct Fold
{
	Oid			relid;
	bool		named;			/* by the caller */
	bool		wait;			/* flush(): for rows, and for others who fold */
	bool		missed;			/* somebody else had a delta, after a wait */
	MSFolded	folded;

	/* of the part under way */
	Oid			caller;
	MSTarget   *target;
	Relation	rel;
	Relation	stored;
	Snapshot	snapshot;
	MemoryContext cxt;

	/* of the step under way */
	MSSpilled **deltas;
	int			ndeltas;
	KeyDeltas  *groups;
	int			ngroups;
	char	   *error;
} Fold;

static bool folding = false;	/* merging, which may run triggers */

PG_FUNCTION_INFO_V1(ms_fold);
PG_FUNCTION_INFO_V1(ms_flush);

/*
 * Did a function raise an error by itself, whatever its SQLSTATE says?
 * Procedural languages have message catalogs of their own.
 */
static bool
is_raised(const ErrorData *edata)
{
	return edata->domain != NULL &&
		strncmp(edata->domain, "postgres", strlen("postgres")) != 0;
}

/*
 * Errors after which the caller's command must not go on.  A lock that is not
 * available is one where he has set a timeout, else a trigger's NOWAIT.
 */
static bool
ends_all(const ErrorData *edata)
{
	return !is_raised(edata) &&
		((edata->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE && LockTimeout > 0) ||
		 ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
		 ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK);
}

/* Errors that are not about the delta: they end the fold of its table. */
static bool
ends_fold(const ErrorData *edata)
{
	if (is_raised(edata))
		return false;
	switch (ERRCODE_TO_CATEGORY(edata->sqlerrcode))
	{
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return true;
		default:
			return edata->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
				ends_all(edata);
	}
}

/*
 * Do something in a subtransaction.  On an error undo it; return false, with
 * the error's text, or pass on what goes through.
 */
static bool
attempt(void (*step) (void *arg), void *arg,
		bool (*goes_through) (const ErrorData *edata), char **error)
{
	MemoryContext oldcxt = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	volatile bool ok = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcxt);
	PG_TRY();
	{
		step(arg);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcxt);
		CurrentResourceOwner = oldowner;
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(oldcxt);
		edata = CopyErrorData();
		FlushErrorState();

		/* whoever catches it expects the subtransaction that he left */
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcxt);
		CurrentResourceOwner = oldowner;
		if (goes_through(edata))
			ReThrowError(edata);
		*error = psprintf("%s: %s", unpack_sql_state(edata->sqlerrcode),
						  edata->message);
		ok = false;
	}
	PG_END_TRY();
	return ok;
}

/* The same where an error that is not about what was done goes through. */
bool
ms_try(void (*step) (void *arg), void *arg, char **error)
{
	return attempt(step, arg, ends_fold, error);
}

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

static bool
try_step(void (*step) (Fold *fold), Fold *fold, char **error)
{
	MSFolded	folded = fold->folded;
	Step		arg = {step, fold};

	if (ms_try(run_step, &arg, error))
		return true;
	fold->folded = folded;
	return false;
}

/* what act_as() has changed */
typedef struct Acting
{
	Oid			userid;
	int			sec_context;
	int			nestlevel;		/* of settings; 0: none */
} Acting;

/*
 * Be a role, until act_no_more() or the end of the subtransaction: user code
 * runs as it, and cannot become the caller again.
 */
static void
act_as(Oid role, bool restricted, Acting *acting)
{
	GetUserIdAndSecContext(&acting->userid, &acting->sec_context);
	acting->nestlevel = restricted ? NewGUCNestLevel() : 0;
	SetUserIdAndSecContext(role, acting->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   (restricted ? SECURITY_RESTRICTED_OPERATION : 0));
}

/* In the role that we act as, names mean what they mean to everybody. */
static void
hide_search_path(void)
{
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

static void
act_no_more(const Acting *acting)
{
	SetUserIdAndSecContext(acting->userid, acting->sec_context);
	if (acting->nestlevel > 0)
		AtEOXact_GUC(false, acting->nestlevel);
}

/* Has the caller rights that a role's code must not get hold of? */
static bool
is_above(const Fold *fold, Oid role)
{
	return !fold->named && !member_can_set_role(role, fold->caller);
}

/* Count a row as a role; the owner stands in for one that is gone. */
static void
apply_as(Fold *fold, MSRow *row, Oid role, MSResult *result)
{
	Acting		acting;
	bool		may_become;

	if (!OidIsValid(role))
		role = fold->rel->rd_rel->relowner;
	may_become = member_can_set_role(fold->caller, role);
	act_as(role, !may_become || is_above(fold, role), &acting);
	if (!may_become)
		hide_search_path();
	row->waits = fold->wait;
	ms_apply_row(fold->target, fold->rel, row, result);
	act_no_more(&acting);
}

/* Have n deltas reached their row? */
static bool
reached_row(Fold *fold, const MSResult *result, int n)
{
	if (result->outcome != MS_INSERTED &&
		result->outcome != MS_INCREMENTED && result->outcome != MS_IGNORED)
		return false;
	fold->folded.deltas += n;
	fold->folded.rows++;
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
take_group(Fold *fold, const KeyDeltas *group, int *taken)
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
			sum = ms_row_copy(fold->rel, delta->row);
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
	apply_as(fold, delta->row, delta->roleid, &result);
	if (reached_row(fold, &result, 1) &&
		!ms_spill_delete(fold->stored, delta, fold->snapshot, false, true))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("an increment of table %s was deleted while it was being merged",
						fold->target->name),
				 errhint("Leave missing_symbol.spilled and missing_symbol.buffered to the extension.")));
}

static void
apply_group(Fold *fold, const KeyDeltas *group)
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
	apply_as(fold, sum, group->deltas[0]->roleid, &result);
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
		apply_group(fold, &fold->groups[i]);
	}
}

/* Keep what has failed, n deltas as one, with the error. */
static void
keep_group(Fold *fold)
{
	KeyDeltas  *group = &fold->groups[0];
	MSRow	   *sum;
	int			taken;

	if (group->n == 1 && group->deltas[0]->error != NULL &&
		strcmp(group->deltas[0]->error, fold->error) == 0)
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
		ms_spill_parse(fold->target, fold->rel, fold->deltas[i], true);
}

static void
keep(Fold *fold, void (*how) (Fold *fold), char *error)
{
	char	   *again;

	fold->error = error;
	if (fold->folded.error == NULL)
		fold->folded.error = MemoryContextStrdup(fold->cxt, error);
	fold->folded.failed++;
	if (!try_step(how, fold, &again) && how == keep_group)
	{
		fold->deltas = fold->groups[0].deltas;
		fold->ndeltas = fold->groups[0].n;
		(void) try_step(keep_deltas, fold, &again);
	}
}

/* Parse what was read; what cannot be parsed is kept.  How many are left. */
static int
parse(Fold *fold, MSSpilled **deltas, int n)
{
	char	   *error;
	int			left = 0;

	fold->deltas = deltas;
	fold->ndeltas = n;
	if (try_step(parse_deltas, fold, &error))
		return n;

	for (int i = 0; i < n; i++)
	{
		fold->deltas = &deltas[i];
		fold->ndeltas = 1;
		if (try_step(parse_deltas, fold, &error))
			deltas[left++] = deltas[i];
		else
			keep(fold, keep_deltas, error);
	}
	return left;
}

static int
compare_deltas(const void *a, const void *b, void *arg)
{
	const MSSpilled *x = *(MSSpilled *const *) a;
	const MSSpilled *y = *(MSSpilled *const *) b;
	int			result = ms_compare_rows(arg, x->row->values, y->row->values);

	if (result == 0 && x->roleid != y->roleid)
		result = x->roleid < y->roleid ? -1 : 1;
	return result;
}

/* the first counted first: its fields make the row */
static int
compare_in_time(const void *a, const void *b, void *arg)
{
	const MSSpilled *x = *(MSSpilled *const *) a;
	const MSSpilled *y = *(MSSpilled *const *) b;
	int			result = compare_deltas(a, b, arg);

	if (result == 0)
		result = (x->first_seen > y->first_seen) - (x->first_seen < y->first_seen);
	return result;
}

/* Merge what was read, in the order of the key. */
static void
fold_deltas(Fold *fold, MSSpilled **deltas, int n)
{
	KeyDeltas  *groups;
	int			ngroups = 0;

	n = parse(fold, deltas, n);
	if (n == 0)
		return;
	ms_prepare_key_order(fold->target);
	qsort_arg(deltas, n, sizeof(MSSpilled *), compare_in_time, fold->target);

	groups = palloc(sizeof(KeyDeltas) * n);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && compare_deltas(&deltas[i - 1], &deltas[i],
									fold->target) == 0)
			groups[ngroups - 1].n++;
		else
		{
			groups[ngroups].deltas = &deltas[i];
			groups[ngroups++].n = 1;
		}
	}

	for (int i = 0; i < ngroups; i += FOLD_CHUNK)
	{
		int			end = Min(i + FOLD_CHUNK, ngroups);
		char	   *error;

		fold->groups = &groups[i];
		fold->ngroups = end - i;
		if (try_step(apply_groups, fold, &error))
			continue;
		for (int j = i; j < end; j++)
		{
			fold->groups = &groups[j];
			fold->ngroups = 1;
			if (!try_step(apply_groups, fold, &error))
				keep(fold, keep_group, error);
		}
	}
}

/*
 * Fold deltas of the open target, those behind *after: about limit of them,
 * up to the end of a hash; true where there are more.  They are read and
 * folded by FOLD_READ, whatever their keys, so that memory is no matter of how
 * many a key has.  What is appended meanwhile the snapshot does not show.
 */
static bool
fold_part(Fold *fold, MSStore store, int64 *after, int limit)
{
	MSSpillScan *scan;
	MSSpilled **deltas = palloc(sizeof(MSSpilled *) * FOLD_READ);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol deltas",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt;
	int64		total = 0;
	int			n;
	bool		more = false;

	/* one that does not come to show what we do meanwhile */
	CommandCounterIncrement();
	PushCopiedSnapshot(IsolationUsesXactSnapshot() ?
					   GetTransactionSnapshot() : GetLatestSnapshot());
	fold->snapshot = RegisterSnapshot(GetActiveSnapshot());
	PopActiveSnapshot();
	fold->stored = ms_spill_open(store, RowExclusiveLock);
	scan = ms_spill_begin(store, fold->relid, fold->snapshot, NULL, after);
	oldcxt = MemoryContextSwitchTo(cxt);
	do
	{
		for (n = 0; n < FOLD_READ && !more; n++, total++)
		{
			deltas[n] = ms_spill_next(scan);
			if (deltas[n] == NULL)
				break;
			more = total >= limit && deltas[n]->hash != *after;
			if (more)
				break;
			*after = deltas[n]->hash;
		}
		fold_deltas(fold, deltas, n);
		MemoryContextReset(cxt);
	} while (n == FOLD_READ);
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(cxt);
	ms_spill_end(scan);
	table_close(fold->stored, NoLock);
	UnregisterSnapshot(fold->snapshot);
	return more;
}

/*
 * Become the owner of the table, where he could not become a caller who has
 * not chosen it: to look at its indexes can run code, too.  False where the
 * caller could not become the owner either: then it is for that look only.
 */
static bool
act_as_owner(Fold *fold, Acting *acting)
{
	HeapTuple	tuple;
	Oid			owner = fold->caller;

	LockRelationOid(fold->relid, RowExclusiveLock);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(fold->relid));
	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	if (!is_above(fold, owner))
	{
		act_as(fold->caller, false, acting);
		return true;
	}
	act_as(owner, true, acting);
	if (member_can_set_role(fold->caller, owner))
		return true;
	hide_search_path();
	return false;
}

/* The same with the target to be opened, and in memory of its own. */
static bool
open_and_fold_part(Fold *fold, MSStore store, int64 *after, int limit)
{
	MemoryContext oldcxt;
	Acting		acting;
	bool		stays;
	volatile bool more = false;

	fold->cxt = CurrentMemoryContext;
	fold->caller = GetUserId();
	oldcxt = MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext,
														 "missing_symbol fold",
														 ALLOCSET_DEFAULT_SIZES));
	stays = act_as_owner(fold, &acting);
	fold->target = ms_target_open(fold->relid, NoLock, &fold->rel);
	if (!stays)
	{
		act_no_more(&acting);
		act_as(fold->caller, false, &acting);
	}
	if (fold->target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", fold->relid)));
	folding = true;
	PG_TRY();
	{
		more = fold_part(fold, store, after, limit);
	}
	PG_CATCH();
	{
		folding = false;
		ms_target_unpin(fold->target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	folding = false;
	ms_target_close(fold->target, fold->rel);
	act_no_more(&acting);
	MemoryContextDelete(MemoryContextSwitchTo(oldcxt));
	return more;
}

bool
ms_fold_some(Oid relid, MSStore store, int64 *after, int limit,
			 MSFolded *folded)
{
	Fold		fold = {0};
	bool		more;

	fold.relid = relid;
	more = open_and_fold_part(&fold, store, after, limit);
	*folded = fold.folded;
	return more;
}

/* One flush() of a target at a time. */
static void
lock_flush(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, relid, 0, MS_LOCK_FLUSH);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Fold all of a target. */
static void
fold_target(Fold *fold)
{
	if (fold->wait)
		lock_flush(fold->relid);
	do
	{
		fold->missed = false;
		for (int store = 0; store < MS_STORES; store++)
		{
			int64		after = PG_INT64_MIN;

			while (open_and_fold_part(fold, store, &after, FOLD_READ))
				CHECK_FOR_INTERRUPTS();
		}

		/* what somebody else had he may have put back */
	} while (fold->wait && fold->missed && !IsolationUsesXactSnapshot());
	ms_stats_folded(fold->relid, fold->folded.deltas);
	ms_buffer_log(&fold->folded);
}

/* May the current role count in a table, be it in some columns only? */
static bool
may_count(Oid relid)
{
	static const AclMode modes[] = {ACL_INSERT, ACL_UPDATE, ACL_SELECT};

	for (int i = 0; i < lengthof(modes); i++)
	{
		if (pg_class_aclcheck(relid, GetUserId(), modes[i]) != ACLCHECK_OK &&
			pg_attribute_aclcheck_all(relid, GetUserId(), modes[i],
									  ACLMASK_ANY) != ACLCHECK_OK)
			return false;
	}
	return true;
}

static Oid
next_target(Oid relid, Snapshot snapshot)
{
	Oid			spilled;
	Oid			buffered;

	spilled = ms_spill_next_target(MS_STORE_SPILLED, relid, snapshot);
	buffered = ms_spill_next_target(MS_STORE_BUFFERED, relid, snapshot);
	if (!OidIsValid(spilled) || !OidIsValid(buffered))
		return OidIsValid(spilled) ? spilled : buffered;
	return Min(spilled, buffered);
}

static void
warn_kept(const char *name, const char *error)
{
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("could not fold table \"%s\"", name),
			 errdetail_internal("%s", error),
			 errhint("Its increments are kept.")));
}

static void
run_target(void *arg)
{
	fold_target(arg);
}

/* Fold all of a target; what is wrong with that is no matter of the others. */
static bool
try_target(Fold *fold, char **error)
{
	if (attempt(run_target, fold, ends_all, error))
		return true;
	memset(&fold->folded, 0, sizeof(MSFolded));
	return false;
}

/* Fold every table in which the caller may count; how many deltas. */
static int64
fold_all(bool wait)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	Oid			relid = InvalidOid;
	int64		merged = 0;

	while (OidIsValid(relid = next_target(relid, snapshot)))
	{
		Fold		fold = {0};
		char	   *name = get_rel_name(relid);
		char	   *error;

		if (name == NULL || !may_count(relid))
			continue;
		fold.relid = relid;
		fold.wait = wait;
		if (!try_target(&fold, &error))
			warn_kept(name, error);
		else if (wait && fold.folded.failed > 0)
			warn_kept(name, fold.folded.error);
		merged += fold.folded.deltas;
	}
	UnregisterSnapshot(snapshot);
	return merged;
}

/* In a trigger of what is being merged there is no end to merging. */
static void
check_may_fold(const char *function)
{
	if (folding)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("%s cannot be called while increments are being merged",
						function),
				 errhint("Do not call it from a trigger of a table that counts; leave it to the worker or a scheduler.")));
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	PreventCommandDuringRecovery(function);
}

/* fold(target) -> number of deltas merged */
Datum
ms_fold(PG_FUNCTION_ARGS)
{
	Fold		fold = {0};
	char	   *name;

	check_may_fold("fold()");
	if (PG_ARGISNULL(0))
		PG_RETURN_INT64(fold_all(false));

	fold.relid = PG_GETARG_OID(0);
	fold.named = true;
	name = get_rel_name(fold.relid);
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", fold.relid)));
	if (!may_count(fold.relid))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, name);
	fold_target(&fold);
	PG_RETURN_INT64(fold.folded.deltas);
}

/* flush() -> number of deltas merged, all that there was */
Datum
ms_flush(PG_FUNCTION_ARGS)
{
	check_may_fold("flush()");
	PG_RETURN_INT64(fold_all(true));
}
