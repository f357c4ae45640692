/*-------------------------------------------------------------------------
 *
 * switch.c
 *	  Is profiling on?  The settings, profile_start() and profile_stop(), and
 *	  the boundaries that are asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "compat.h"
#include "profile/level_internal.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "profile/statement_internal.h"

static int	profile_setting = MS_TRACK_OFF;
static bool profile_plans_setting = false;
static bool profile_params_setting = false;

static const struct config_enum_entry profile_options[] = {
	{"off", MS_TRACK_OFF, false},
	{"top", MS_TRACK_TOP, false},
	{"all", MS_TRACK_ALL, false},
	{NULL, 0, false}
};

/* profile_start() and profile_stop(): in force until DISCARD ALL */
static struct
{
	bool		given;
	MSTrack		track;
	int8		plans;			/* -1: as the setting says */
	int8		params;
}			session_switch = {false, MS_TRACK_OFF, -1, -1};

/*
 * Started for a transaction: stopped and emptied at its end, whatever that is,
 * since behind a pooler the session is another client's then.
 */
static bool for_xact = false;
static bool xact_logged;

/* how often it is paused, and what was in force before */
static int	pauses = 0;
static MSTrack paused = MS_TRACK_OFF;

PG_FUNCTION_INFO_V1(ms_profile_start);
PG_FUNCTION_INFO_V1(ms_profile_stop);
PG_FUNCTION_INFO_V1(ms_profile_reset);
PG_FUNCTION_INFO_V1(ms_profile_mark);
PG_FUNCTION_INFO_V1(ms_profile_pass_over);
PG_FUNCTION_INFO_V1(ms_profile_go_on);

/* the switch or the setting has changed; allocates nothing, never fails */
static void
refresh(void)
{
	MSTrack		before = ms_profiling;
	MSTrack		track = session_switch.given ? session_switch.track :
		(MSTrack) profile_setting;

	/* the postmaster's children inherit the hooks; only clients use them */
	if (IsUnderPostmaster && MyBackendType != B_BACKEND)
		return;
	if (pauses > 0)
		return;
	ms_profiling = track;
	ms_plans = track != MS_TRACK_OFF &&
		(session_switch.given && session_switch.plans >= 0 ?
		 session_switch.plans : profile_plans_setting);
	ms_params = session_switch.given && session_switch.params >= 0 ?
		session_switch.params : profile_params_setting;
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
	refresh();
}

/* forget the switch and everything measured */
static void
discard(void)
{
	ms_profile_log("DISCARD ALL");
	for_xact = false;
	session_switch.given = false;
	refresh();
	ms_session_reset();
}

/*
 * What a transaction did is logged while it can still fail.  If it has failed,
 * that has to wait, as memory may be asked for that is not there.
 */
static void
end_for_xact(XactEvent event, void *arg)
{
	if (!for_xact)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			ms_profile_log("transaction end");
			xact_logged = true;
			return;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	for_xact = false;
	session_switch.given = false;
	refresh();
	if (xact_logged)
		ms_session_reset();
	else
		ms_session_hide();
}

/* the client ends its transaction by ROLLBACK */
static void
roll_back(void)
{
	if (!for_xact || xact_logged)
		return;
	ms_profile_log("transaction end");
	xact_logged = true;
}

/* before anything has changed */
static void
start_for_xact(void)
{
	static bool registered = false;

	if (!IsTransactionBlock())
		ereport(ERROR,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("a transaction can only be profiled from inside of it"),
				 errhint("BEGIN first, or start with scope => 'session'.")));
	if (!registered)
		RegisterXactCallback(end_for_xact, NULL);
	registered = true;
	xact_logged = false;
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
	if (ms_profile.paused)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("profiling is paused, so not all has been measured"),
				 errhint("Call missing_symbol.profile_resume() before what is to be measured, and check after.")));
}

/*
 * SQL: the switch
 */

static int8
optional_bool(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? -1 : PG_GETARG_BOOL(n) ? 1 : 0;
}

/* is it for a transaction? */
static bool
scope_is_xact(text *name)
{
	char	   *scope = text_to_cstring(name);

	if (pg_strcasecmp(scope, "session") == 0)
		return false;
	if (pg_strcasecmp(scope, "transaction") == 0)
		return true;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized profiling scope \"%s\"", scope),
			 errhint("Available scopes: session, transaction.")));
}

/* profile_start(level, plans, params, scope); 1.1 has no scope */
Datum
ms_profile_start(PG_FUNCTION_ARGS)
{
	char	   *level = PG_ARGISNULL(0) ? "top" :
		text_to_cstring(PG_GETARG_TEXT_PP(0));
	MSTrack		track;
	bool		scope;

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

	scope = PG_NARGS() > 3 && !PG_ARGISNULL(3) &&
		scope_is_xact(PG_GETARG_TEXT_PP(3));
	if (scope)
		start_for_xact();

	ms_profile_own();
	for_xact = scope;
	session_switch.given = true;
	session_switch.track = track;
	session_switch.plans = optional_bool(fcinfo, 1);
	session_switch.params = optional_bool(fcinfo, 2);
	refresh();
	if (scope)
		ms_session_reset();		/* nothing but the transaction's is in it */
	if (ms_profile_ready())
		ms_session_boundary();
	PG_RETURN_VOID();
}

Datum
ms_profile_stop(PG_FUNCTION_ARGS)
{
	ms_profile_own();
	session_switch.given = true;
	session_switch.track = MS_TRACK_OFF;
	refresh();
	ms_profile_install();		/* to see DISCARD ALL, where it was never on */
	PG_RETURN_VOID();
}

Datum
ms_profile_reset(PG_FUNCTION_ARGS)
{
	ms_profile_own();
	ms_session_reset();
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
	if (PG_ARGISNULL(0))
		ms_session_label("", 0);
	else
	{
		text	   *label = PG_GETARG_TEXT_PP(0);

		ms_session_label(VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label));
	}
	ms_session_boundary();
	PG_RETURN_VOID();
}

/*
 * profile_pause(), profile_resume(): what comes in between is only counted, as
 * of class paused.  Any boundary that is asked for ends it.
 */
static void
set_paused(bool paused)
{
	ms_profile_own();
	if (ms_profile.ready && ms_profiling != MS_TRACK_OFF)
		ms_profile.paused = paused;
}

Datum
ms_profile_pass_over(PG_FUNCTION_ARGS)
{
	set_paused(true);
	PG_RETURN_VOID();
}

Datum
ms_profile_go_on(PG_FUNCTION_ARGS)
{
	set_paused(false);
	PG_RETURN_VOID();
}

/*
 * The settings
 */

/* the variable is assigned after its hook has run */
static void
assign_profile(int newval, void *extra)
{
	profile_setting = newval;
	refresh();
}

static void
assign_profile_plans(bool newval, void *extra)
{
	profile_plans_setting = newval;
	refresh();
}

static void
assign_profile_params(bool newval, void *extra)
{
	profile_params_setting = newval;
	refresh();
}

void
ms_profile_init(void)
{
	ms_profile_assemble();
	ms_profile_discard = discard;
	ms_profile_rolls_back = roll_back;

	DefineCustomEnumVariable("missing_symbol.profile",
							 "Profiles the session's own statements.",
							 "top: what the client sends; all: also what functions "
							 "and triggers run.",
							 &profile_setting,
							 MS_TRACK_OFF,
							 profile_options,
							 PGC_USERSET,
							 0,
							 NULL, assign_profile, NULL);

	DefineCustomBoolVariable("missing_symbol.profile_plans",
							 "Looks into the plans of profiled statements.",
							 "Rows are counted at each node of a plan; the view "
							 "findings tells what is wrong with it.",
							 &profile_plans_setting,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, assign_profile_plans, NULL);

	DefineCustomRealVariable("missing_symbol.plan_sample",
							 "Sets the share of statements whose plans are looked into.",
							 "Chosen at random for each statement that the client "
							 "sends, with what runs below it.",
							 &ms_plan_sample,
							 1.0,
							 0.0,
							 1.0,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomBoolVariable("missing_symbol.profile_params",
							 "Keeps the parameters of profiled statements.",
							 "Their output functions are called for it.",
							 &profile_params_setting,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, assign_profile_params, NULL);

	DefineCustomIntVariable("missing_symbol.profile_memory",
							"Sets the memory that a session's profile takes.",
							"It is taken whole as profiling is first on; a change "
							"takes effect at profile_reset() and DISCARD ALL.",
							&ms_profile_memory,
							4096,
							512,
							1024 * 1024,
							PGC_USERSET,
							GUC_UNIT_KB,
							NULL, NULL, NULL);

	DefineCustomIntVariable("missing_symbol.unit_gap",
							"Sets the client's pause that begins a new unit of work.",
							"N+1 candidates are looked for within a unit; -1 turns "
							"this boundary off.",
							&ms_unit_gap,
							200,
							-1,
							INT_MAX,
							PGC_USERSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);
}
