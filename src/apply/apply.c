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
#include "utils/guc.h"
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
	if (rel->rd_rel->relrowsecurity &&
		check_enable_rls(target->relid, InvalidOid, true) != RLS_NONE)
		return "row security applies to the current role";
	if (!fast_path)
		return "missing_symbol.fast_path is off";
	return NULL;
}

/*
 * What must hold for any increment.  Temporary tables may be written in a
 * read-only transaction, as with plain SQL.
 */
void
ms_check_may_write(Relation rel)
{
	if (rel->rd_rel->relpersistence != RELPERSISTENCE_TEMP)
		PreventCommandIfReadOnly("increment");
	PreventCommandIfParallelMode("increment");
	PreventCommandDuringRecovery("increment");
}

/* Which path do increments take that begin now? */
bool
ms_takes_fast_path(const MSTarget *target, Relation rel)
{
	return ms_general_reason(target, rel) == NULL && !ms_fast_is_busy(target);
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
		ms_privileges_check(ms_privileges_make(target, rel), target, given);
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
	if (fast)
		return ms_fast_increment(target, row, result);
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
