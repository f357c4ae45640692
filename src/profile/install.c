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

#include "figures/figures.h"
#include "profile/level_internal.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "profile/statement_internal.h"
#include "slow/slow.h"

#define CALIBRATION_ROUNDS	64

/* with the ring's shares, 64 */
static const MSPiece pieces[] = {
	{21, ms_shapes_attach, ms_shapes_reset, NULL},
	{4, ms_runs_attach, ms_runs_reset, ms_runs_boundary},
	{2, ms_labels_attach, ms_labels_reset, NULL},
	{4, ms_facts_attach, ms_facts_reset, NULL},
	{3, ms_slow_attach, ms_slow_reset, NULL},
	{2, ms_changes_attach, ms_changes_reset, NULL}
};

/*
 * What a statement costs here: the work of one, without the hooks' calls.
 */
static void
calibrate(void)
{
	static const char text[] = "SELECT name FROM calibration WHERE id = 42";
	int64		from_ns = ms_now_ns();
	int			i;

	for (i = 0; i < CALIBRATION_ROUNDS; i++)
	{
		MSStatement s;

		ms_statement_init(&s, text, -1, 0);
		s.level = 0;
		s.kind = MS_QUERY;
		s.operation = CMD_SELECT;
		s.tag = CMDTAG_SELECT;
		s.executed = true;
		ms_statement_open(&s, NULL);
		ms_statement_begin(&s);
		ms_statement_end(&s);
		ms_statement_begin(&s);
		ms_statement_end(&s);
		ms_statement_close(&s, MS_OK, 0);
	}
	ms_profile.own_cost_ns = (ms_now_ns() - from_ns) / CALIBRATION_ROUNDS;
}

static void
profile_exit(int code, Datum arg)
{
	ms_session_log_failed();
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
	ms_session_init(pieces, lengthof(pieces), calibrate, enroll);
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
