/*-------------------------------------------------------------------------
 *
 * plans.c
 *	  Plans of statements that name a target: made once, and kept.
 *
 * They are generic, and made without sequential scans, as what is searched is
 * the row of a key.  A plan is looked at before it runs: core parses its text
 * anew after a change, and may find another table by the name.
 *
 * Those by which the general path counts are kept in the target; of those that
 * write, a few for each of the latest sets of columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "executor/spi_priv.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/rls.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "target/target.h"

/* for so many sets of columns */
#define MAX_PLANS	8

/* of a target */
typedef struct MSGeneral
{
	List	   *plans;			/* of MSPlans, the latest first */
	MSReads		reads;			/* everybody's, of keys without nulls */
	List	   *other_reads;	/* of MSReads, the latest first */
} MSGeneral;

/* Will core use the plan as it is?  As RevalidateCachedQuery decides. */
static bool
plan_is_current(CachedPlanSource *source)
{
	return CachedPlanIsValid(source) && source->gplan != NULL &&
		SearchPathMatchesCurrentEnvironment(source->search_path) &&
		(!source->dependsOnRLS ||
		 (source->rewriteRoleId == GetUserId() &&
		  source->rewriteRowSecurity == row_security));
}

/* Plan with enable_seqscan off. */
static void
make_plan(SPIPlanPtr plan)
{
	int			nestlevel = NewGUCNestLevel();
	CachedPlan *cached;

	(void) set_config_option("enable_seqscan", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	cached = SPI_plan_get_cached_plan(plan);
	if (cached != NULL)
		ReleaseCachedPlan(cached, CurrentResourceOwner);
	AtEOXact_GUC(true, nestlevel);
}

/*
 * To parse a text is to look up its names: where schemas have been renamed
 * since the call began, it may name another table.
 */
void
ms_check_plan(const MSTarget *target, SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	if (!list_member_oid(source->relationOids, target->relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has got another name meanwhile",
						target->name),
				 errhint("Repeat the call.")));
}

/* Plan what is not planned, or not any more, which parses the text anew. */
void
ms_make_generic_plan(MSTarget *target, SPIPlanPtr plan)
{
	if (!plan_is_current(linitial(SPI_plan_get_plan_sources(plan))))
		make_plan(plan);
	ms_check_plan(target, plan);
}

/* A plan that is kept. */
SPIPlanPtr
ms_prepare(const char *sql, int nargs, Oid *argtypes)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, nargs, argtypes,
										  CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", sql,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	return plan;
}

/*
 * What was answered by a default is not given, and takes no right to insert
 * the column.  (If core plans once more after this, that may want it.)
 */
void
ms_allow_defaulted(MSTarget *target, SPIPlanPtr plan,
				   const Bitmapset *defaulted)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	ListCell   *lc;
	ListCell   *lc2;

	if (defaulted == NULL)
		return;
	ms_make_generic_plan(target, plan);
	foreach(lc, source->gplan->stmt_list)
	{
		foreach(lc2, ms_stmt_permissions(lfirst_node(PlannedStmt, lc)))
		{
			RTEPermissionInfo *info = lfirst(lc2);
			int			attno = -1;

			if (info->relid != target->relid)
				continue;
			while ((attno = bms_next_member(defaulted, attno)) >= 0)
				info->insertedCols =
					bms_del_member(info->insertedCols,
								   attno - FirstLowInvalidHeapAttributeNumber);
		}
	}
}

static void
free_plan(SPIPlanPtr *plan)
{
	if (*plan != NULL)
		SPI_freeplan(*plan);
	*plan = NULL;
}

static void
free_params(MSParams *params)
{
	if (params->types != NULL)
		pfree(params->types);
	params->types = NULL;
}

static void
free_reads(MSReads *reads)
{
	free_plan(&reads->read);
	free_plan(&reads->lock);
	free_plan(&reads->lock_aside);
	free_params(&reads->params);
}

static void
free_plans(MSPlans *plans)
{
	free_plan(&plans->update);
	free_plan(&plans->update_at);
	free_plan(&plans->insert);
	free_params(&plans->params);
	bms_free(plans->others);
	bms_free(plans->defaulted);
	pfree(plans);
}

/* Give back the plans of a target that is going away. */
static void
free_general(MSGeneral *general)
{
	ListCell   *lc;

	foreach(lc, general->plans)
		free_plans(lfirst(lc));
	general->plans = NIL;
	free_reads(&general->reads);
	foreach(lc, general->other_reads)
		free_reads(lfirst(lc));
	general->other_reads = NIL;
}

static MSGeneral *
general_of(MSTarget *target)
{
	if (target->general == NULL)
	{
		target->general = MemoryContextAllocZero(target->cxt,
												 sizeof(MSGeneral));
		target->free_general = free_general;
	}
	return target->general;
}

/*
 * The plans for a set of columns, the latest first.  What is not built
 * in may have been expanded where one role's rights allowed it: such plans
 * are that role's.  (Core plans anew where search_path is another.)  The last
 * of too many go, unless a call further up the stack may be using them.
 */
MSPlans *
ms_find_plans(MSTarget *target, const Bitmapset *others,
			  const Bitmapset *defaulted, uint32 nulls, MSJudged judged)
{
	MSGeneral  *general = general_of(target);
	MSPlans    *plans = NULL;
	Oid			role = target->builtin ? InvalidOid : GetUserId();
	MemoryContext oldcxt;
	ListCell   *lc;

	foreach(lc, general->plans)
	{
		plans = lfirst(lc);
		if (plans->role == role && plans->nulls == nulls &&
			plans->judged == judged && bms_equal(plans->others, others) &&
			bms_equal(plans->defaulted, defaulted))
			break;
		plans = NULL;
	}
	if (plans != NULL && plans == linitial(general->plans))
		return plans;

	/* in the list before it is filled: an error must not leak a kept plan */
	oldcxt = MemoryContextSwitchTo(target->cxt);
	if (plans == NULL)
	{
		plans = palloc0(sizeof(MSPlans));
		plans->others = bms_copy(others);
		plans->defaulted = bms_copy(defaulted);
		plans->role = role;
		plans->nulls = nulls;
		plans->judged = judged;
	}
	else
		general->plans = list_delete_ptr(general->plans, plans);
	general->plans = lcons(plans, general->plans);
	MemoryContextSwitchTo(oldcxt);

	while (list_length(general->plans) > MAX_PLANS && target->users <= 1)
	{
		free_plans(llast(general->plans));
		general->plans = list_delete_last(general->plans);
	}
	return plans;
}

/*
 * The plans that find a row, by the nulls of its key; and by the role where an
 * index's functions are in them.  The last of too many go, as in find_plans().
 */
MSReads *
ms_find_reads(MSTarget *target, uint32 nulls)
{
	MSGeneral  *general = general_of(target);
	Oid			role = target->builtin ||
		(!ms_has_trees(target) && target->view == NULL) ? InvalidOid :
		GetUserId();
	MSReads    *reads;
	MemoryContext oldcxt;
	ListCell   *lc;

	if (nulls == 0 && !OidIsValid(role))
		return &general->reads;
	foreach(lc, general->other_reads)
	{
		reads = lfirst(lc);
		if (reads->nulls == nulls && reads->role == role)
			return reads;
	}
	oldcxt = MemoryContextSwitchTo(target->cxt);
	reads = palloc0(sizeof(MSReads));
	reads->nulls = nulls;
	reads->role = role;
	general->other_reads = lcons(reads, general->other_reads);
	MemoryContextSwitchTo(oldcxt);
	while (list_length(general->other_reads) > MAX_PLANS && target->users <= 1)
	{
		free_reads(llast(general->other_reads));
		pfree(llast(general->other_reads));
		general->other_reads = list_delete_last(general->other_reads);
	}
	return reads;
}
