/*-------------------------------------------------------------------------
 *
 * pending.c
 *	  apply = 'commit' and 'buffer': increments wait in memory (deltas.c) and
 *	  are applied, or appended to the buffer (buffer.c), as their transaction
 *	  commits.
 *
 * A hidden portal, made with the first delta, applies everything when core
 * drops it, which is in the loop of CommitTransaction (and of PREPARE) that
 * fires deferred triggers and closes cursors until nothing is left of either:
 * what an apply queues or opens is seen to.  XACT_EVENT_PRE_COMMIT would be
 * too late for that; it is a safety net.
 *
 * - CLOSE ALL drops the portal, too, and must apply nothing: it runs where
 *   somebody wants to close cursors, in a function of another role perhaps.
 *   It is told by its snapshot, as nothing else that drops portals has one;
 *   then another portal stands in, which it takes for an active one.
 * - All is applied in one total order, so transactions whose only row locks
 *   are deferred increments cannot deadlock; as acting.c has it.  What follows
 *   for the same table and caller is applied together with it.
 * - An apply runs user code, which can count, roll back to a savepoint or
 *   close all cursors: it finds the structure as it is, the delta under way
 *   taken out of it.
 * - Beyond pending_limit a new delta is refused, and its increment is counted
 *   now.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "aside/aside_internal.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"

/* kB; what is in force where the setting is not read */
#define DEFAULT_LIMIT	16384

static int	pending_limit = DEFAULT_LIMIT;
static int	apply_setting = MS_APPLY_NOW;	/* of targets that do not say */

static const struct config_enum_entry apply_options[] = {
	{"now", MS_APPLY_NOW, false},
	{"commit", MS_APPLY_COMMIT, false},
	{NULL, 0, false}
};

static Portal pending_portal = NULL;
static bool draining = false;	/* everything is being applied */

static void make_portal(PortalStatus status);
static void drain(void);

/*
 * The transaction's end
 */

/* What CLOSE ALL took for an active portal is none once it is over. */
static void
close_all_is_over(void *arg)
{
	if (pending_portal != NULL && pending_portal->status == PORTAL_ACTIVE)
		pending_portal->status = PORTAL_DONE;
}

/* Let another portal take the place of one that a CLOSE ALL drops. */
static void
stand_in(void)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	make_portal(PORTAL_ACTIVE);
	callback->func = close_all_is_over;
	callback->arg = NULL;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}

/* Runs as core drops the portal: at commit, abort, or CLOSE ALL. */
static void
portal_cleanup(Portal portal)
{
	if (pending_portal == portal)
		pending_portal = NULL;
	if (!IsTransactionState())
	{
		/* an abort leaves active portals alone */
		portal->status = PORTAL_DONE;
		return;
	}
	if (!ms_deltas_exist() || draining)
		return;
	if (ActiveSnapshotSet())
	{
		stand_in();
		return;
	}

	/* active, so that a CLOSE ALL of a trigger leaves it alone */
	PG_TRY();
	{
		portal->status = PORTAL_ACTIVE;
		drain();
	}
	PG_FINALLY();
	{
		portal->status = PORTAL_DONE;
	}
	PG_END_TRY();
}

/*
 * What no cursor is called, because nobody knows it; another one each time,
 * since a portal that is being dropped still has its name.
 */
static const char *
portal_name(void)
{
	static char names[2][sizeof(uint64) * 2 + 1];
	static int	turn = 0;

	if (names[0][0] == '\0')
	{
		uint64		random[2];

		if (!pg_strong_random(random, sizeof(random)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		for (int i = 0; i < 2; i++)
			snprintf(names[i], sizeof(names[i]), "%016llx",
					 (unsigned long long) random[i]);
	}
	turn = 1 - turn;
	return names[turn];
}

static void
make_portal(PortalStatus status)
{
	Portal		portal = CreatePortal(portal_name(), false, false);

	portal->visible = false;
	portal->status = status;
	portal->createSubid = TopSubTransactionId;
	portal->activeSubid = TopSubTransactionId;
	portal->createLevel = 1;
	portal->cleanup = portal_cleanup;

	/* it holds nothing: what an apply uses is the transaction's */
	ResourceOwnerDelete(portal->resowner);
	portal->resowner = NULL;
	pending_portal = portal;
}

/* What no portal has applied; what core has done already must be done again. */
static void
apply_the_rest(bool is_prepare)
{
	while (pending_portal != NULL || ms_deltas_exist())
	{
		close_all_is_over(NULL);
		drain();
		do
		{
			AfterTriggerFireDeferred();
		} while (PreCommit_Portals(is_prepare));
	}
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			apply_the_rest(false);
			break;
		case XACT_EVENT_PRE_PREPARE:
			apply_the_rest(true);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			ms_deltas_forget();
			pending_portal = NULL;
			draining = false;
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			break;
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId subid,
				 SubTransactionId parent, void *arg)
{
	switch (event)
	{
		case SUBXACT_EVENT_COMMIT_SUB:
			ms_deltas_commit_level(GetCurrentTransactionNestLevel());
			break;
		case SUBXACT_EVENT_ABORT_SUB:
			ms_deltas_abort_level(GetCurrentTransactionNestLevel());
			break;
		case SUBXACT_EVENT_START_SUB:
		case SUBXACT_EVENT_PRE_COMMIT_SUB:
			break;
	}
}

/*
 * Applying
 */

/* deltas of one target and role that are applied together */
#define MAX_RUN		64

typedef struct Applying
{
	MSDelta    *delta;
	MSRow	   *row;
	char	  **texts;			/* of the key, where they are made before */
} Applying;

typedef struct Run
{
	MSTarget   *target;
	Relation	rel;
	int			n;
	int			current;		/* the one that is being applied */
	Applying	all[MAX_RUN];
} Run;

/* The words of a key, for the context */
static char **
make_texts(MSTarget *target, const MSRow *row)
{
	char	  **texts = palloc(sizeof(char *) * target->nkeys);

	(void) ms_key_texts(target, row->values, row->isnull, texts);
	return texts;
}

static void
applying_context(void *arg)
{
	Run		   *run = arg;
	MSTarget   *target = run->target;
	const Applying *applying = &run->all[run->current];
	char	  **texts = applying->texts;
	StringInfoData columns;
	StringInfoData key;

	/* which live as long as the error */
	if (texts == NULL)
		texts = make_texts(target, applying->row);
	initStringInfo(&columns);
	initStringInfo(&key);
	for (int i = 0; i < target->nkeys; i++)
	{
		appendStringInfo(&columns, "%s%s", i > 0 ? ", " : "",
						 ms_key_name(target, run->rel, i));
		appendStringInfo(&key, "%s%s", i > 0 ? ", " : "",
						 texts[i] != NULL ? texts[i] : "NULL");
	}
	errcontext("applying a deferred increment of table %s, key (%s)=(%s)",
			   target->name, columns.data, key.data);
}

/* The rows of a run, now or, as its target has it, to the buffer. */
static void
apply_rows(Run *run, bool fast)
{
	MSTarget   *target = run->target;
	Relation	rel = run->rel;
	Bitmapset  *given;
	MSResult	result;
	ErrorContextCallback errcallback;

	for (int i = 0; i < run->n; i++)
		run->all[i].row = ms_delta_row(run->all[i].delta, target, rel);

	/* runs no user code that could fail */
	if (ms_pending_apply(target) == MS_APPLY_BUFFER)
	{
		ms_check_may_write(rel);
		for (int i = 0; i < run->n; i++)
			ms_buffer_append(target, rel, run->all[i].row);
		return;
	}
	ms_check_row_security_then(target, run->all[0].delta->role);

	given = run->all[0].row->given;
	for (int i = 0; i < run->n; i++)
	{
		if (!bms_is_subset(run->all[i].row->given, given))
			given = bms_union(given, run->all[i].row->given);

		/* for the context, before there is one: that can run user code */
		run->all[i].texts = ms_key_texts_are_plain(target) ? NULL :
			make_texts(target, run->all[i].row);
	}
	run->current = 0;
	errcallback.callback = applying_context;
	errcallback.arg = run;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	if (target != run->all[0].delta->target)
		ms_privileges_check_later(target, rel, given, InvalidOid);
	ms_apply_begin(target, rel, given, fast, true, true);
	for (; run->current < run->n; run->current++)
	{
		ms_apply_or_spill(target, rel, run->all[run->current].row, fast,
						  &result);
		if (result.outcome == MS_ABSENT)
			ms_note_absent(1);
	}
	run->current--;
	if (fast)
		ms_fast_end(target);
	error_context_stack = errcallback.previous;
}

/* Apply a run to its open target. */
static void
apply_to_target(Run *run)
{
	int			depth = 0;
	int			outer_depth;
	bool		fast = ms_takes_fast_path(run->target, run->rel);

	for (int i = 0; i < run->n; i++)
		depth = Max(depth, run->all[i].delta->depth);
	outer_depth = ms_deltas_set_depth(depth);
	PG_TRY();
	{
		apply_rows(run, fast);
	}
	PG_CATCH();
	{
		if (fast)
			ms_fast_abort(run->target);
		for (int i = 0; i < run->n; i++)
			ms_delta_free(run->all[i].delta);
		ms_deltas_set_depth(outer_depth);
		ms_target_unpin(run->target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_deltas_set_depth(outer_depth);
}

/*
 * Apply a delta, as its caller, and those that follow for the same target and
 * caller, and free them.  Where there are triggers each delta is applied by
 * itself, so that the context of what fails in one names the key.  A table
 * that was dropped since has taken its counters along.
 */
static void
apply_run(MSDelta *delta)
{
	Run			run;
	MSActing	acting;

	CHECK_FOR_INTERRUPTS();
	ms_act_as_counter(delta->role, delta->definer, delta->search_path,
					  &acting);
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	/* locked since the call, by a level that has not been undone */
	run.target = ms_target_open(delta->target->relid, NoLock, &run.rel);
	run.n = 0;
	run.all[run.n++].delta = delta;
	if (run.target != NULL)
	{
		while (run.rel->trigdesc == NULL && run.n < MAX_RUN &&
			   (delta = ms_deltas_take_first(run.all[0].delta)) != NULL)
			run.all[run.n++].delta = delta;
		apply_to_target(&run);
		ms_target_close(run.target, run.rel);
	}
	PopActiveSnapshot();
	ms_act_no_more(&acting);
	for (int i = 0; i < run.n; i++)
		ms_delta_free(run.all[i].delta);
}

/*
 * Apply everything, what triggers add meanwhile included.  COMMIT is not
 * subject to statement_timeout, so this sees to it.
 */
static void
drain(void)
{
	static MemoryContext cxt = NULL;
	MemoryContext oldcxt = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	bool		timed = StatementTimeout > 0 &&
		!get_timeout_active(STATEMENT_TIMEOUT);

	if (cxt == NULL)
		cxt = AllocSetContextCreate(TopMemoryContext, "missing_symbol apply",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(cxt);	/* an error may have left something */
	if (timed)
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	PG_TRY();
	{
		MSDelta    *delta;

		draining = true;
		CurrentResourceOwner = CurTransactionResourceOwner;
		while ((delta = ms_deltas_take_first(NULL)) != NULL)
		{
			MemoryContextSwitchTo(cxt);
			apply_run(delta);
			MemoryContextReset(cxt);
		}
	}
	PG_FINALLY();
	{
		draining = false;
		CurrentResourceOwner = oldowner;
		if (timed)
			disable_timeout(STATEMENT_TIMEOUT, false);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcxt);
}

/*
 * May an increment be left to the commit, here?  User code in a comparison of
 * what waits must not change that; and what is left by a security-restricted
 * operation would be applied outside of it.
 */
bool
ms_pending_possible(void)
{
	return !ms_deltas_comparing() && !InSecurityRestrictedOperation();
}

/* When an increment of a target is to reach its row. */
MSApply
ms_pending_wanted(const MSTarget *target)
{
	if (target->throttle > 0 || target->latest_untimed || target->limits.set)
		return MS_APPLY_NOW;
	if (target->apply != MS_APPLY_UNSET)
		return target->apply;
	return ms_in_definer() ? MS_APPLY_NOW : apply_setting;
}

/* And when it can, as things are. */
MSApply
ms_pending_apply(MSTarget *target)
{
	MSApply		apply = ms_pending_wanted(target);

	if (apply == MS_APPLY_BUFFER && !ms_buffer_serves(target))
		apply = MS_APPLY_COMMIT;
	if (apply == MS_APPLY_COMMIT && (!ms_pending_possible() ||
									 ms_row_security_applies(target, InvalidOid)))
		apply = MS_APPLY_NOW;
	return apply;
}

static Size
limit(void)
{
	if (draining)
		return SIZE_MAX;
	return (Size) (ms_in_definer() ? DEFAULT_LIMIT : pending_limit) * 1024;
}

/*
 * Leave a row to the commit; privileges have been checked.  False where there
 * is no room for it.
 */
bool
ms_pending_add(MSTarget *target, Relation rel, MSRow *row)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(xact_callback, NULL);
		RegisterSubXactCallback(subxact_callback, NULL);
		registered = true;
	}
	if (!ms_deltas_add(target, rel, row, limit()))
		return false;
	if (pending_portal == NULL && !draining)
		make_portal(PORTAL_DONE);
	return true;
}

void
ms_aside_init(void)
{
	DefineCustomEnumVariable("missing_symbol.apply",
							 "When an increment reaches its row.",
							 "\"now\": in its statement. \"commit\": as its "
							 "transaction commits; until then it locks no row. "
							 "What track() says of a table wins; only that can "
							 "be \"buffer\".",
							 &apply_setting,
							 MS_APPLY_NOW,
							 apply_options,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("missing_symbol.pending_limit",
							"Memory for the increments that a transaction has deferred.",
							"An increment that would go beyond it is counted now.",
							&pending_limit,
							16384,
							0,
							MAX_KILOBYTES,
							PGC_USERSET,
							GUC_UNIT_KB,
							NULL, NULL, NULL);

	ms_worker_init();
}
