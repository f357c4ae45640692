/*-------------------------------------------------------------------------
 *
 * plans.c
 *	  Plans of statements that name a target: made once, and kept.
 *
 * They are generic, and made without sequential scans, as what is searched is
 * the row of a key.  A plan is looked at before it runs: core parses its text
 * anew after a change, and may find another table by the name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "executor/spi_priv.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/rls.h"

#include "compat.h"
#include "apply/apply.h"
#include "target/target.h"

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
