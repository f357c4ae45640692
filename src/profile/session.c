/*-------------------------------------------------------------------------
 *
 * session.c
 *	  The session's profile: the switch, its memory, the ring of statements.
 *
 * All memory is one block of missing_symbol.profile_memory, taken as
 * profiling is first on and cut into pieces once:
 *
 *		records		a ring of MSRecord, by sequence number
 *		texts		a ring of bytes: label, text and parameters of a record
 *					lie together, and go with their record
 *		shapes		shapes.c
 *		runs		n_plus_one.c
 *		facts		plans.c
 *
 * Nothing is allocated afterwards, and nothing here raises an error but
 * what SQL calls.  The oldest record makes room for the newest; what is
 * dropped or cut is counted.  Statistics and totals are kept as statements
 * end, so they do not depend on what the ring still holds.
 *
 * A sequence number is never used again after a reset, so a statement that
 * outlives one (a suspended portal) finds no record and leaves no trace.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

#define CALIBRATION_ROUNDS	64

/* shares of the memory, in 1/64 */
#define SHARE_RECORDS	16
#define SHARE_TEXTS		16
#define SHARE_SHAPES	25
#define SHARE_RUNS		4
#define SHARE_FACTS		3

MSProfile	ms_profile;
MSTrack		ms_profiling = MS_TRACK_OFF;
bool		ms_plans = false;
bool		ms_params = false;

/* profile_start() and profile_stop(): in force until DISCARD ALL */
static struct
{
	bool		given;
	MSTrack		track;
	int8		plans;			/* -1: as the setting says */
	int8		params;
}			session_switch = {false, MS_TRACK_OFF, -1, -1};

/* how often it is paused, and what was in force before */
static int	pauses = 0;
static MSTrack paused = MS_TRACK_OFF;

PG_FUNCTION_INFO_V1(ms_profile_start);
PG_FUNCTION_INFO_V1(ms_profile_stop);
PG_FUNCTION_INFO_V1(ms_profile_reset);
PG_FUNCTION_INFO_V1(ms_profile_mark);

/*
 * Small things
 */

bool
ms_may_see(Oid userid)
{
	return has_privs_of_role(GetUserId(), userid) ||
		has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

const char *
ms_sqlstate(int sqlerrcode)
{
	return unpack_sql_state(sqlerrcode);
}

const char *
ms_status_name(MSStatus status, int sqlerrcode)
{
	switch (status)
	{
		case MS_RUNNING:
			return "running";
		case MS_OK:
			return "ok";
		case MS_CLOSED:
			return "closed";
		case MS_ERROR:
			break;
	}
	return sqlerrcode == ERRCODE_QUERY_CANCELED ? "cancelled" : "error";
}

/*
 * The switch
 */

void
ms_profile_refresh(void)
{
	MSTrack		before = ms_profiling;
	MSTrack		track = session_switch.given ? session_switch.track :
		(MSTrack) ms_profile_setting;

	/* the postmaster's children inherit the hooks; only clients use them */
	if (IsUnderPostmaster && MyBackendType != B_BACKEND)
		return;
	if (pauses > 0)
		return;
	ms_profiling = track;
	ms_plans = track != MS_TRACK_OFF &&
		(session_switch.given && session_switch.plans >= 0 ?
		 session_switch.plans : ms_profile_plans_setting);
	ms_params = session_switch.given && session_switch.params >= 0 ?
		session_switch.params : ms_profile_params_setting;
	ms_profile.failed = false;
	if (ms_profiling == MS_TRACK_OFF || before != MS_TRACK_OFF)
		return;
	if (IsUnderPostmaster)
		ms_profile_in_flight();
	ms_profile_install();
}

/*
 * explain_analyze() and compare() run statements that are the extension's
 * own.  Nothing else has changed when they are through, unless the switch or
 * the setting has.
 */
void
ms_profile_pause(void)
{
	if (pauses++ > 0)
		return;
	paused = ms_profiling;
	ms_profiling = MS_TRACK_OFF;
	ms_plans = false;
}

void
ms_profile_resume(void)
{
	if (--pauses > 0)
		return;
	ms_profiling = paused;
	ms_profile_refresh();
}

/*
 * Memory
 */

void
ms_profile_total(MSTotals *total)
{
	const MSTotals *section = &ms_profile.in_section;
	MSTotals	sum = ms_profile.before;

	sum.queries += section->queries;
	sum.controls += section->controls;
	sum.nested += section->nested;
	sum.errors += section->errors;
	sum.rows += section->rows;
	sum.plan_ns += section->plan_ns;
	sum.exec_ns += section->exec_ns;
	sum.commit_ns += section->commit_ns;
	if (section->slowest_ns > sum.slowest_ns)
	{
		sum.slowest_ns = section->slowest_ns;
		sum.slowest_user = section->slowest_user;
		memcpy(sum.slowest_text, section->slowest_text,
			   sizeof(sum.slowest_text));
	}
	*total = sum;
}

/* a boundary that was asked for: another section of the budgets and the log */
static void
start_section(void)
{
	ms_profile_total(&ms_profile.before);
	ms_profile.section++;
	ms_profile.section_seq = ms_profile.next_seq;
	ms_profile.repeatable = NULL;
	ms_profile.last_end_ns = 0;
	memset(&ms_profile.in_section, 0, sizeof(MSTotals));
	ms_profile.in_section.first_number = ms_profile.next_number;
	ms_runs_boundary();
}

static void
empty_profile(void)
{
	ms_profile.generation++;
	ms_profile.tail_seq = ms_profile.next_seq;
	ms_profile.next_number = 1;
	ms_profile.text_head = 0;
	ms_profile.text_limit = ms_profile.texts_size;
	ms_profile.dropped = 0;
	ms_profile.truncated = 0;
	ms_profile.runs_lost = 0;
	ms_profile.facts_lost = 0;
	ms_profile.label_len = 0;
	ms_profile.xact = 0;
	ms_profile.xact_over = true;
	ms_profile.xact_failed = false;
	ms_profile.failed_xact = 0;
	ms_profile.goes_on = 0;
	ms_profile.ngo_on = 0;
	ms_profile.last_top = 0;
	ms_profile.unit = 0;
	ms_shapes_reset();
	ms_runs_reset();
	ms_facts_reset();
	memset(&ms_profile.in_section, 0, sizeof(MSTotals));
	memset(&ms_profile.before, 0, sizeof(MSTotals));
	start_section();
}

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
cut_memory(char *block, Size size)
{
	Size		unit = size / 64;

	ms_profile.records = (MSRecord *) block;
	ms_profile.nrecords = unit * SHARE_RECORDS / sizeof(MSRecord);
	block += MAXALIGN_DOWN(unit * SHARE_RECORDS);
	ms_profile.texts = block;
	ms_profile.texts_size = MAXALIGN_DOWN(unit * SHARE_TEXTS);
	block += ms_profile.texts_size;
	ms_shapes_attach(block, MAXALIGN_DOWN(unit * SHARE_SHAPES));
	block += MAXALIGN_DOWN(unit * SHARE_SHAPES);
	ms_runs_attach(block, MAXALIGN_DOWN(unit * SHARE_RUNS));
	block += MAXALIGN_DOWN(unit * SHARE_RUNS);
	ms_facts_attach(block, MAXALIGN_DOWN(unit * SHARE_FACTS));
}

/*
 * Take the memory.  Where it cannot be had, profiling stays off: that is
 * no reason for the application's statement to fail.
 */
static bool
take_memory(void)
{
	/* the context has a block of its own beside ours */
	Size		size = (Size) ms_profile_memory * 1024 - 8 * 1024;
	char	   *block;

	if (ms_profile.context == NULL)
	{
		ms_profile.context =
			AllocSetContextCreate(TopMemoryContext, "missing_symbol profile",
								  ALLOCSET_SMALL_SIZES);
		ms_profile_register();
	}
	MemoryContextReset(ms_profile.context);
	ms_profile.ready = false;
	block = MemoryContextAllocExtended(ms_profile.context, size,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (block == NULL)
		return false;

	ms_profile.memory = ms_profile_memory;
	cut_memory(block, size);
	ms_profile.next_seq = Max(ms_profile.next_seq, 1);
	ms_profile.anchor_time = GetCurrentTimestamp();
	ms_profile.anchor_ns = ms_now_ns();
	empty_profile();
	calibrate();
	empty_profile();
	ms_profile.ready = true;
	return true;
}

bool
ms_profile_make_ready(void)
{
	if (ms_profile.failed)
		return false;
	if (MyBackendType != B_BACKEND)
	{
		ms_profiling = MS_TRACK_OFF;
		return false;
	}
	if (!take_memory())
	{
		ms_profile.failed = true;
		ereport(WARNING,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("profiling is off: out of memory"),
				 errhint("Lower missing_symbol.profile_memory.")));
		return false;
	}
	return true;
}

/* empty it, and follow a change of missing_symbol.profile_memory */
static void
reset_profile(void)
{
	if (!ms_profile.ready)
		return;
	empty_profile();
	if (ms_profile.memory != ms_profile_memory)
		ms_profile.ready = false;
}

void
ms_profile_discard(void)
{
	ms_profile_log("DISCARD ALL");
	session_switch.given = false;
	ms_profile_refresh();
	reset_profile();
}

void
ms_profile_require_on(void)
{
	ms_profile_own();
	if (ms_profiling == MS_TRACK_OFF || !ms_profile_ready())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("profiling is off, so nothing has been measured"),
				 errhint("Call missing_symbol.profile_start() before what is to be measured, and check before profile_stop().")));
}

/*
 * SQL: the switch
 */

static int8
optional_bool(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? -1 : PG_GETARG_BOOL(n) ? 1 : 0;
}

/* profile_start(level, plans, params) */
Datum
ms_profile_start(PG_FUNCTION_ARGS)
{
	char	   *level = PG_ARGISNULL(0) ? "top" :
		text_to_cstring(PG_GETARG_TEXT_PP(0));
	MSTrack		track;

	if (pg_strcasecmp(level, "top") == 0)
		track = MS_TRACK_TOP;
	else if (pg_strcasecmp(level, "all") == 0)
		track = MS_TRACK_ALL;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized profiling level \"%s\"", level),
				 errhint("Available levels: top, all.")));
	if (MyBackendType != B_BACKEND)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("only a client's session can be profiled")));

	ms_profile_own();
	session_switch.given = true;
	session_switch.track = track;
	session_switch.plans = optional_bool(fcinfo, 1);
	session_switch.params = optional_bool(fcinfo, 2);
	ms_profile_refresh();
	if (ms_profile_ready())
		start_section();
	PG_RETURN_VOID();
}

Datum
ms_profile_stop(PG_FUNCTION_ARGS)
{
	ms_profile_own();
	session_switch.given = true;
	session_switch.track = MS_TRACK_OFF;
	ms_profile_refresh();
	ms_profile_install();		/* to see DISCARD ALL, where it was never on */
	PG_RETURN_VOID();
}

Datum
ms_profile_reset(PG_FUNCTION_ARGS)
{
	ms_profile_own();
	reset_profile();
	PG_RETURN_VOID();
}

/* profile_mark(label) */
Datum
ms_profile_mark(PG_FUNCTION_ARGS)
{
	ms_profile_own();
	if (!ms_profile.ready)
		PG_RETURN_VOID();
	ms_profile_log("profile_mark");
	ms_profile.label_len = 0;
	if (!PG_ARGISNULL(0))
	{
		text	   *label = PG_GETARG_TEXT_PP(0);

		ms_profile.label_len = pg_mbcliplen(VARDATA_ANY(label),
											VARSIZE_ANY_EXHDR(label),
											MS_LABEL_MAX);
		memcpy(ms_profile.label, VARDATA_ANY(label), ms_profile.label_len);
	}
	start_section();
	PG_RETURN_VOID();
}
