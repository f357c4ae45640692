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
 * too late for that; it is the safety net for what a CLOSE ALL below a
 * savepoint, which drops the portal too, has left.
 *
 * - All is applied in one total order, so transactions whose only row locks
 *   are deferred increments cannot deadlock; as the role that counted.  What
 *   follows for the same table and role is applied together with it.
 * - An apply runs user code, which can count, roll back to a savepoint or
 *   close all cursors: it finds the structure as it is, the delta under way
 *   taken out of it.
 * - Past pending_limit the deltas of the current level are applied, not those
 *   of outer ones: a ROLLBACK TO would take them back with the savepoint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "missing_symbol.h"

/* what no cursor is called, at a third of the price of CreateNewPortal's */
#define PORTAL_NAME		"<deferred>"

int			ms_pending_limit = 1024;

static Portal pending_portal = NULL;	/* NULL also where it was dropped */
static bool draining = false;	/* everything is being applied */
static int	early_level = 0;	/* of the early apply under way, or 0 */

static void drain(void);

/*
 * The transaction's end
 */

/* Runs as core drops the portal: at commit, abort, or CLOSE ALL. */
static void
portal_cleanup(Portal portal)
{
	if (pending_portal == portal)
		pending_portal = NULL;
	if (!IsTransactionState() || GetCurrentTransactionNestLevel() > 1 ||
		!ms_deltas_exist() || draining || ms_deltas_comparing())
		return;

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

static void
make_portal(void)
{
	Portal		portal = CreatePortal(PORTAL_NAME, false, false);

	portal->visible = false;
	portal->status = PORTAL_DONE;
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
	while (ms_deltas_exist())
	{
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
			early_level = 0;
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
			/* a CLOSE ALL below a savepoint has dropped it */
			if (pending_portal == NULL && !draining && ms_deltas_exist())
				make_portal();
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
	char	  **texts;			/* of the key; NULL: its types have a plain_output */
} Applying;

typedef struct Run
{
	MSTarget   *target;
	Relation	rel;
	int			n;
	int			current;		/* the one that is being applied */
	Applying	all[MAX_RUN];
} Run;

/* An output function that can be called while an error is reported. */
static PGFunction
plain_output(Oid type)
{
	switch (type)
	{
		case INT2OID:
			return int2out;
		case INT4OID:
			return int4out;
		case INT8OID:
			return int8out;
		case TEXTOID:
		case VARCHAROID:
			return textout;
		default:
			return NULL;
	}
}

static Datum
key_value(const Run *run, const Applying *applying, int i)
{
	return applying->row->values[run->target->keys[i].column.attno - 1];
}

/* Words for the context; where user code may make them, before. */
static void
prepare_texts(const Run *run, Applying *applying)
{
	int			nkeys = run->target->nkeys;
	int			plain = 0;

	while (plain < nkeys &&
		   plain_output(run->target->keys[plain].column.typid) != NULL)
		plain++;
	applying->texts = NULL;
	if (plain == nkeys)
		return;

	applying->texts = palloc(sizeof(char *) * nkeys);
	for (int i = 0; i < nkeys; i++)
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(run->target->keys[i].column.typid, &output,
						  &is_varlena);
		applying->texts[i] = OidOutputFunctionCall(output,
												   key_value(run, applying, i));
	}
}

static void
applying_context(void *arg)
{
	Run		   *run = arg;
	const MSTarget *target = run->target;
	const Applying *applying = &run->all[run->current];
	StringInfoData columns;
	StringInfoData key;

	initStringInfo(&columns);
	initStringInfo(&key);
	for (int i = 0; i < target->nkeys; i++)
	{
		const MSColumn *column = &target->keys[i].column;
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(run->rel),
											  column->attno - 1);
		const char *text = applying->texts != NULL ? applying->texts[i] :
			DatumGetCString(DirectFunctionCall1(plain_output(column->typid),
												key_value(run, applying, i)));

		appendStringInfo(&columns, "%s%s", i > 0 ? ", " : "",
						 NameStr(att->attname));
		appendStringInfo(&key, "%s%s", i > 0 ? ", " : "", text);
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
		for (int i = 0; i < run->n; i++)
			ms_apply_row(target, rel, run->all[i].row, &result);
		return;
	}

	given = run->all[0].row->given;
	for (int i = 0; i < run->n; i++)
	{
		if (!bms_is_subset(run->all[i].row->given, given))
			given = bms_union(given, run->all[i].row->given);
		prepare_texts(run, &run->all[i]);
	}
	run->current = 0;
	errcallback.callback = applying_context;
	errcallback.arg = run;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	ms_apply_begin(target, rel, given, fast,
				   target == run->all[0].delta->target, true);
	for (; run->current < run->n; run->current++)
		ms_apply_next(target, rel, run->all[run->current].row, fast, &result);
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
 * Apply a delta, as the role that deferred it, and up to limit - 1 that
 * follow for the same target and role, and free them; returns how many.
 * Where there are triggers each delta is applied by itself, so that the
 * context of what fails in one names the key.  A table that was dropped since
 * has taken its counters along.
 */
static int
apply_run(MSDelta *delta, MSDelta *(*take) (const MSDelta *like), int limit)
{
	Run			run;
	Oid			userid;
	int			sec_context;

	CHECK_FOR_INTERRUPTS();

	/* an abort sets them back itself */
	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(delta->role,
						   sec_context | SECURITY_LOCAL_USERID_CHANGE);
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	/* locked since the call, by a level that has not been undone */
	run.target = ms_target_open(delta->target->relid, NoLock, &run.rel);
	run.n = 0;
	run.all[run.n++].delta = delta;
	if (run.target != NULL)
	{
		while (run.rel->trigdesc == NULL && run.n < Min(limit, MAX_RUN) &&
			   (delta = take(run.all[0].delta)) != NULL)
			run.all[run.n++].delta = delta;
		apply_to_target(&run);
		ms_target_close(run.target, run.rel);
	}
	PopActiveSnapshot();
	SetUserIdAndSecContext(userid, sec_context);
	for (int i = 0; i < run.n; i++)
		ms_delta_free(run.all[i].delta);
	return run.n;
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
			(void) apply_run(delta, ms_deltas_take_first, MAX_RUN);
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
 * Apply what the current level has deferred, for want of memory.  What
 * triggers add meanwhile comes behind it and stays deferred.
 */
static void
apply_early(int level)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol apply",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	int			outer = early_level;
	int			n = ms_deltas_sort_level();

	PG_TRY();
	{
		MSDelta    *delta;

		early_level = level;
		while (n > 0 && (delta = ms_deltas_take_of_level(NULL)) != NULL)
		{
			n -= apply_run(delta, ms_deltas_take_of_level, n);
			MemoryContextReset(cxt);
		}
	}
	PG_FINALLY();
	{
		early_level = outer;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(cxt);
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

/* When an increment of a target reaches its row. */
MSApply
ms_pending_apply(MSTarget *target)
{
	MSApply		apply = target->apply;

	if (target->throttle > 0)
		return MS_APPLY_NOW;
	if (apply == MS_APPLY_UNSET)
		apply = ms_apply;
	if (apply == MS_APPLY_BUFFER && !ms_buffer_serves(target))
		apply = MS_APPLY_COMMIT;
	if (apply == MS_APPLY_COMMIT && !ms_pending_possible())
		apply = MS_APPLY_NOW;
	return apply;
}

/* Leave a row to the commit; privileges have been checked. */
void
ms_pending_add(MSTarget *target, Relation rel, MSRow *row)
{
	static bool registered = false;
	int			level = GetCurrentTransactionNestLevel();

	if (!registered)
	{
		RegisterXactCallback(xact_callback, NULL);
		RegisterSubXactCallback(subxact_callback, NULL);
		registered = true;
	}
	ms_deltas_add(target, rel, row);
	if (pending_portal == NULL && !draining)
		make_portal();

	/* who is applying a level already goes on with it */
	if (ms_deltas_size() > (Size) ms_pending_limit * 1024 &&
		!(draining && level == 1) && early_level != level)
	{
		ms_stats_early_apply(target->relid);
		apply_early(level);
	}
}
