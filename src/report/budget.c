/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  Budgets that a test suite can enforce: assert_max_queries(),
 *	  assert_max_duration(), assert_no_n_plus_one(), assert_no_errors().
 *
 * A budget is about what the client has sent since the last profile_start,
 * profile_reset, profile_mark or DISCARD ALL; a pause of the client begins
 * nothing new.  The sums are kept as statements end, so a budget is right
 * even after the ring has dropped rows; only the list in DETAIL is then
 * shorter.  Transaction control and SET are no queries.
 *
 * A budget that is exceeded raises MS001.  All raise 55000 while profiling
 * is off, so that no suite is green because nothing was measured.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "profile/profile.h"

/* what a budget raises */
#define MS_ERRCODE_BUDGET	MAKE_SQLSTATE('M', 'S', '0', '0', '1')

/* so many statements in DETAIL, so many bytes of each */
#define DETAIL_LINES	20
#define DETAIL_TEXT		200

PG_FUNCTION_INFO_V1(ms_assert_max_queries);
PG_FUNCTION_INFO_V1(ms_assert_max_duration);
PG_FUNCTION_INFO_V1(ms_assert_no_n_plus_one);
PG_FUNCTION_INFO_V1(ms_assert_no_errors);

typedef enum MSChoice
{
	CHOOSE_QUERIES,
	CHOOSE_SLOW,
	CHOOSE_ERRORS
} MSChoice;

static int64
duration(const MSRecord *r)
{
	return r->plan_ns + r->exec_ns + r->commit_ns;
}

static bool
is_chosen(const MSRecord *r, MSChoice choice)
{
	if (r->hidden || r->level > 0 || r->status == MS_RUNNING ||
		r->number < ms_profile.in_section.first_number)
		return false;
	if (choice == CHOOSE_ERRORS)
		return r->status == MS_ERROR;
	if (choice == CHOOSE_SLOW)
		return true;
	return r->class == MS_CLASS_QUERY;
}

static int
by_duration(const ListCell *a, const ListCell *b)
{
	int64		an = duration(lfirst(a));
	int64		bn = duration(lfirst(b));

	return an > bn ? -1 : an < bn ? 1 : 0;
}

static void
append_statement(StringInfo buf, const MSRecord *r)
{
	bool		see = ms_may_see(r->userid);
	const char *text = see ? ms_record_text(r) : MS_INSUFFICIENT_PRIVILEGE;
	int			len = see ? r->text_len : strlen(text);
	int			clipped = pg_mbcliplen(text, len, DETAIL_TEXT);

	appendStringInfo(buf, "%s" UINT64_FORMAT ": %.3f ms",
					 buf->len > 0 ? "\n" : "", r->number, duration(r) / 1e6);
	if (r->status == MS_ERROR)
		appendStringInfo(buf, ", %s", ms_sqlstate(r->sqlerrcode));
	appendStringInfo(buf, ": %.*s%s", clipped, text,
					 clipped < len ? "..." : "");
}

/* the statements that a budget is about, of those that are still kept */
static char *
detail(MSChoice choice, uint64 expected)
{
	StringInfoData buf;
	List	   *chosen = NIL;
	ListCell   *lc;
	MSRecord   *r;
	uint64		seq;
	uint64		shown = 0;

	for (seq = ms_profile.tail_seq; (r = ms_profile_record(seq)) != NULL; seq++)
		if (is_chosen(r, choice))
			chosen = lappend(chosen, r);
	if (choice == CHOOSE_SLOW)
		list_sort(chosen, by_duration);

	initStringInfo(&buf);
	foreach(lc, chosen)
	{
		if (shown == DETAIL_LINES)
			break;
		append_statement(&buf, lfirst(lc));
		shown++;
	}
	if (expected > shown)
		appendStringInfo(&buf, "%sand " UINT64_FORMAT " more",
						 buf.len > 0 ? "\n" : "", expected - shown);
	return buf.data;
}

/* A limit that is null would allow everything. */
static void
check_limits(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the limit of an assertion must not be null"),
					 errhint("Give a number of queries, or an interval.")));
	}
}

/* assert_max_queries(n) */
Datum
ms_assert_max_queries(PG_FUNCTION_ARGS)
{
	int64		allowed;
	uint64		queries = ms_profile.in_section.classes[MS_CLASS_QUERY];

	check_limits(fcinfo);
	ms_profile_require_on();
	allowed = PG_GETARG_INT64(0);
	if ((int64) queries > allowed)
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg(UINT64_FORMAT " queries, more than the " INT64_FORMAT " allowed",
						queries, allowed),
				 errdetail_internal("%s", detail(CHOOSE_QUERIES, queries))));
	PG_RETURN_VOID();
}

/* an interval without months is a number of nanoseconds */
static int64
interval_ns(Interval *interval)
{
	double		ns = 1000.0 * (interval->time +
							   (double) USECS_PER_DAY *
							   (interval->day + 30.0 * interval->month));

	return ns >= (double) PG_INT64_MAX ? PG_INT64_MAX :
		ns < 0 ? 0 : (int64) ns;
}

/* assert_max_duration(interval) */
Datum
ms_assert_max_duration(PG_FUNCTION_ARGS)
{
	int64		allowed;
	MSTotals   *t = &ms_profile.in_section;
	int64		total;

	check_limits(fcinfo);
	ms_profile_require_on();
	allowed = interval_ns(PG_GETARG_INTERVAL_P(0));
	total = t->plan_ns + t->exec_ns + t->commit_ns;
	if (total > allowed)
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg("queries took %.3f ms, more than the %.3f ms allowed",
						total / 1e6, allowed / 1e6),
				 errdetail_internal("%s",
									detail(CHOOSE_SLOW,
										   ms_totals_statements(t)))));
	PG_RETURN_VOID();
}

/* assert_no_n_plus_one(min_repeats, min_duration) */
Datum
ms_assert_no_n_plus_one(PG_FUNCTION_ARGS)
{
	int64		min_repeats;
	int64		min_ns;
	MSTotals   *t = &ms_profile.in_section;
	List	   *candidates;
	ListCell   *lc;
	StringInfoData buf;

	check_limits(fcinfo);
	ms_profile_require_on();
	min_repeats = PG_GETARG_INT32(0);
	min_ns = interval_ns(PG_GETARG_INTERVAL_P(1));
	if (min_repeats < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_repeats must be at least 2")));
	candidates = ms_candidates(ms_profile.section, min_repeats, min_ns, MS_BURST,
							   false);
	initStringInfo(&buf);
	foreach(lc, candidates)
	{
		MSCandidate *c = lfirst(lc);
		int			len = strlen(c->text);
		int			clipped = pg_mbcliplen(c->text, len, DETAIL_TEXT);

		appendStringInfo(&buf,
						 "%s" INT64_FORMAT " times in %.3f ms (statements " UINT64_FORMAT " to " UINT64_FORMAT ", %s): %.*s%s",
						 buf.len > 0 ? "\n" : "",
						 c->repeats, c->total_ns / 1e6, c->first_number,
						 c->last_number, ms_evidence_name(c->evidence),
						 clipped, c->text, clipped < len ? "..." : "");
	}
	if (candidates == NIL && (int64) t->lost_repeats >= min_repeats &&
		t->lost_repeats_ns >= min_ns)
		appendStringInfo(&buf, UINT64_FORMAT " times: no longer kept",
						 t->lost_repeats);
	if (buf.len > 0)
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg_plural("%d N+1 candidate", "%d N+1 candidates",
							   Max(list_length(candidates), 1),
							   Max(list_length(candidates), 1)),
				 errdetail_internal("%s", buf.data)));
	PG_RETURN_VOID();
}

/* assert_no_errors() */
Datum
ms_assert_no_errors(PG_FUNCTION_ARGS)
{
	MSTotals   *t = &ms_profile.in_section;

	ms_profile_require_on();
	if (t->errors > 0)
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg_plural(UINT64_FORMAT " statement has failed",
							   UINT64_FORMAT " statements have failed",
							   (unsigned long) t->errors, t->errors),
				 errdetail_internal("%s", detail(CHOOSE_ERRORS, t->errors))));
	PG_RETURN_VOID();
}
