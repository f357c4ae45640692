/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  The engine: an increment reaches its row now; the choice of the path.
 *
 * The caller has the target open and gives rows, those of a batch in the order
 * of the key.  User code (triggers, constraints) can run in it and fail, or
 * count again: only who began to use the fast path cleans it up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "rewrite/rowsecurity.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

static bool fast_path = true;

/*
 * Why this call must take the general path; NULL where the fast path serves.
 * What depends on the role or on the session cannot be kept in the target.
 */
const char *
ms_general_reason(const MSTarget *target, Relation rel)
{
	if (target->general_reason != NULL)
		return target->general_reason;
	if (ms_row_security_applies(target, InvalidOid))
	{
		if (target->policies_reason != NULL)
			return target->policies_reason;
		if (target->spill || !fast_path)
			return "row security applies to the current role";
		if (row_security_policy_hook_permissive != NULL ||
			row_security_policy_hook_restrictive != NULL)
			return "row security applies to the current role, with policies of another module";
		if (!row_security)
			return "row_security is off";
	}
	if (!fast_path)
		return "missing_symbol.fast_path is off";
	return NULL;
}

/*
 * What must hold for any increment.  Temporary tables may be written in a
 * read-only transaction, as with plain SQL.  On a standby all are read-only:
 * there it was sent by whoever takes a SELECT for a mere question.
 */
void
ms_check_may_write(Relation rel)
{
	if (XactReadOnly && rel->rd_rel->relpersistence != RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute increment in a read-only transaction"),
				 RecoveryInProgress() ?
				 errhint("This server is a standby. Count on the primary: what sends SELECTs to a replica must be told that this one writes.") : 0));
	PreventCommandIfParallelMode("increment");
	PreventCommandDuringRecovery("increment");
}

/* Is the target's state in use further up the stack? */
static bool
is_busy(const MSTarget *target)
{
	return (target->fast != NULL && target->fast->busy) ||
		(target->leaves != NULL && target->leaves->busy);
}

/* Which path do increments take that begin now? */
bool
ms_takes_fast_path(const MSTarget *target, Relation rel)
{
	return ms_general_reason(target, rel) == NULL && !is_busy(target);
}

/* What a table that has rows of its own keeps; made when first needed. */
static MSFast *
state_of(MSTarget *target, Relation rel)
{
	if (target->fast == NULL)
	{
		MSFast	   *fast = ms_fast_make(target, rel, rel, NULL);

		MemoryContextSetParent(fast->cxt, target->cxt);
		target->fast = fast;
	}
	return target->fast;
}

/*
 * Begin one statement's worth of increments of a table that the caller has
 * opened.  The columns that are given beside the key decide, with the key's
 * and the counter's own, which privileges the current role needs; permitted:
 * it has them.  fresh: the active snapshot has just been taken.
 */
void
ms_fast_begin(MSTarget *target, Relation rel, Bitmapset *given,
			  bool permitted, bool fresh)
{
	bool		partitioned = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	MSPrivileges *privileges = partitioned ?
		ms_leaves_of(target, rel)->privileges :
		state_of(target, rel)->privileges;

	if (permitted)
		ms_privileges_set(privileges, target, given);
	else
		ms_privileges_check(privileges, target, given);
	if (partitioned)
		ms_leaves_begin(target->leaves, rel, fresh);
	else
		ms_fast_open(target->fast, target, rel, rel, fresh);
}

/* The columns that the statement under way gives. */
Bitmapset *
ms_fast_given(const MSTarget *target)
{
	return bms_copy(target->leaves != NULL ? target->leaves->privileges->given :
					target->fast->privileges->given);
}

/* End it: fire the triggers, give everything back. */
void
ms_fast_end(MSTarget *target)
{
	if (target->leaves != NULL)
	{
		ms_leaves_end(target->leaves);
		return;
	}
	ms_fast_close(target->fast);
	if (!target->builtin)
		ms_fast_abort(target);
}

/* Forget the state; after an error between begin and end, too. */
void
ms_fast_abort(MSTarget *target)
{
	if (target->fast != NULL)
		MemoryContextDelete(target->fast->cxt);
	target->fast = NULL;
	if (target->leaves != NULL)
		MemoryContextDelete(target->leaves->cxt);
	target->leaves = NULL;
}

/*
 * Begin to apply rows, of which some give columns by name.  permitted: the
 * current role's privileges have been checked, for this target as it is;
 * fresh: the active snapshot has just been taken.
 *
 * Who has begun on the fast path ends with ms_fast_end, or after an error, be
 * it one of this, with ms_fast_abort: only who begins may, it may be in use up
 * the stack.
 */
void
ms_apply_begin(MSTarget *target, Relation rel, Bitmapset *given, bool fast,
			   bool permitted, bool fresh)
{
	ms_check_may_write(rel);
	if (fast)
		ms_fast_begin(target, rel, given, permitted, fresh);
	else if (!permitted)
		ms_privileges_check(ms_privileges_of(target, rel), target, given);
}

/*
 * Apply one of them.  Where the row cannot be had now, and must not be waited
 * for, the outcome is MS_SPILLED, and returned is the key of the row that was
 * found, else the one given, by attribute number - 1; it is there until the
 * next one, or the end.  NULL where the outcome is another.
 */
const Datum *
ms_apply_next(MSTarget *target, Relation rel, MSRow *row, bool fast,
			  MSResult *result)
{
	if (fast && target->leaves != NULL)
	{
		MSFast	   *leaf = ms_leaves_open(target, rel, row);

		if (leaf != NULL)
		{
			const Datum *key = ms_fast_increment(leaf, target, row, result);

			if (key == NULL && leaf->has_row_triggers)
				ms_leaves_close(target->leaves);
			return key;
		}
	}
	else if (fast)
		return ms_fast_increment(target->fast, target, row, result);
	return ms_general_increment(target, rel, row, result) ? NULL : row->values;
}

/*
 * Count by what was set aside, in the row.  Who does that has checked what the
 * current role may.
 */
void
ms_apply_row(MSTarget *target, Relation rel, MSRow *row, MSResult *result)
{
	bool		fast = ms_takes_fast_path(target, rel);

	PG_TRY();
	{
		ms_apply_begin(target, rel, row->given, fast, true, false);
		(void) ms_apply_next(target, rel, row, fast, result);
		if (fast)
			ms_fast_end(target);
	}
	PG_CATCH();
	{
		if (fast)
			ms_fast_abort(target);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
ms_apply_init(void)
{
	DefineCustomBoolVariable("missing_symbol.fast_path",
							 "Counts ordinary tables through the table access method.",
							 "Off sends every increment through SQL plans, as for "
							 "tables with features that need them. Both give the "
							 "same result; this is for tests and for diagnosis.",
							 &fast_path,
							 true,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);
}
