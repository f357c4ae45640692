/*-------------------------------------------------------------------------
 *
 * install.c
 *	  The profiler put together: the pieces of the session's memory, what is
 *	  registered with it, and the hooks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/ipc.h"

#include "profile/level_internal.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "profile/statement_internal.h"

static const MSPiece pieces[] = {
	{25, ms_shapes_attach, ms_shapes_reset, NULL},
	{4, ms_runs_attach, ms_runs_reset, ms_runs_boundary},
	{3, ms_facts_attach, ms_facts_reset, NULL}
};

static void
profile_exit(int code, Datum arg)
{
	ms_profile_log("session end");
}

static void
enroll(void)
{
	ms_failure_register();
	before_shmem_exit(profile_exit, (Datum) 0);
}

void
ms_profile_assemble(void)
{
	ms_session_init(pieces, lengthof(pieces), ms_statement_calibrate, enroll);
}

/* put the hooks in place, once; allocates nothing, never fails */
void
ms_profile_install(void)
{
	static bool installed = false;

	if (installed)
		return;
	installed = true;

	ms_planner_install();
	ms_exec_install();
	ms_utility_install();
	ms_failure_install();
}
