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
 *   are deferred increments cannot deadlock; as the role that counted.
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
#define PORTAL_NAME		"<missing_symbol pending>"

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

typedef struct Applying
{
	const MSTarget *target;
	Relation	rel;
	const MSRow *row;
	char	   *texts[INDEX_MAX_KEYS];	/* NULL: of a type with a plain_output */
} Applying;

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
key_value(const Applying *applying, int i)
{
	return applying->row->values[applying->target->keys[i].column.attno - 1];
}

/* Words for the context; other types' before, as user code may make them. */
static void
prepare_texts(Applying *applying)
{
	for (int i = 0; i < applying->target->nkeys; i++)
	{
		Oid			typid = applying->target->keys[i].column.typid;
		Oid			output;
		bool		is_varlena;

		applying->texts[i] = NULL;
		if (plain_output(typid) != NULL)
			continue;
		getTypeOutputInfo(typid, &output, &is_varlena);
		applying->texts[i] = OidOutputFunctionCall(output,
												   key_value(applying, i));
	}
}

static void
applying_context(void *arg)
{
	Applying   *applying = arg;
	const MSTarget *target = applying->target;
	StringInfoData columns;
	StringInfoData key;

	initStringInfo(&columns);
	initStringInfo(&key);
	for (int i = 0; i < target->nkeys; i++)
	{
		const MSColumn *column = &target->keys[i].column;
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(applying->rel),
											  column->attno - 1);
		const char *text = applying->texts[i];

		if (text == NULL)
			text = DatumGetCString(DirectFunctionCall1(plain_output(column->typid),
													   key_value(applying, i)));
		appendStringInfo(&columns, "%s%s", i > 0 ? ", " : "",
						 NameStr(att->attname));
		appendStringInfo(&key, "%s%s", i > 0 ? ", " : "", text);
	}
	errcontext("applying a deferred increment of table %s, key (%s)=(%s)",
			   target->name, columns.data, key.data);
}

/* Apply a delta to the open target. */
static void
apply_to_target(const MSDelta *delta, MSTarget *target, Relation rel)
{
	ErrorContextCallback errcallback;
	Applying	applying;
	MSRow	   *row = ms_delta_row(delta, target, rel);
	MSResult	result;

	/* runs no user code that could fail */
	if (ms_pending_apply(target) == MS_APPLY_BUFFER)
	{
		ms_apply_row(target, rel, row, &result);
		return;
	}

	applying.target = target;
	applying.rel = rel;
	applying.row = row;
	prepare_texts(&applying);
	errcallback.callback = applying_context;
	errcallback.arg = &applying;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	ms_apply_row(target, rel, row, &result);
	error_context_stack = errcallback.previous;
}

/*
 * Apply a delta, as the role that deferred it, and free it.  A table that was
 * dropped since has taken its counters along.
 */
static void
apply_delta(MSDelta *delta)
{
	MSTarget   *target;
	Relation	rel;
	Oid			relid = delta->target->relid;
	Oid			userid;
	int			sec_context;
	int			outer_depth;

	CHECK_FOR_INTERRUPTS();

	/* an abort sets them back itself */
	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(delta->role,
						   sec_context | SECURITY_LOCAL_USERID_CHANGE);
	PushActiveSnapshot(GetTransactionSnapshot());
	/* locked since the call, by a level that has not been undone */
	target = ms_target_open(relid, NoLock, &rel);
	if (target != NULL)
	{
		outer_depth = ms_deltas_set_depth(delta->depth);
		PG_TRY();
		{
			apply_to_target(delta, target, rel);
		}
		PG_CATCH();
		{
			ms_deltas_set_depth(outer_depth);
			ms_target_unpin(target);
			PG_RE_THROW();
		}
		PG_END_TRY();
		ms_deltas_set_depth(outer_depth);
		ms_target_close(target, rel);
	}
	PopActiveSnapshot();
	SetUserIdAndSecContext(userid, sec_context);
	ms_delta_free(delta);
}

/*
 * Apply everything, what triggers add meanwhile included.  COMMIT is not
 * subject to statement_timeout, so this sees to it.
 */
static void
drain(void)
{
	MemoryContext cxt = AllocSetContextCreate(TopTransactionContext,
											  "missing_symbol apply",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	bool		timed = StatementTimeout > 0 &&
		!get_timeout_active(STATEMENT_TIMEOUT);

	if (timed)
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	PG_TRY();
	{
		MSDelta    *delta;

		draining = true;
		CurrentResourceOwner = CurTransactionResourceOwner;
		while ((delta = ms_deltas_take_first()) != NULL)
		{
			MemoryContextSwitchTo(cxt);
			apply_delta(delta);
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
	MemoryContextDelete(cxt);
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
		while (n-- > 0 && (delta = ms_deltas_take_of_level()) != NULL)
		{
			apply_delta(delta);
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
