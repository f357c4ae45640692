/*-------------------------------------------------------------------------
 *
 * report.c
 *	  The profile as text: profile_summary(), profile_report(), and the line
 *	  in the server's log.
 *
 * Texts are normalised, so that no literal gets into a report or a log.  The
 * log is for the server's administrators and shows every role's; SQL shows
 * to each what it may see.
 *
 * The line in the log is about what came since the last profile_mark (or
 * profile_start, or profile_reset); summary and report are about everything
 * since the last profile_reset or DISCARD ALL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "compat.h"
#include "advice/advice.h"
#include "figures/figures.h"
#include "page/page.h"
#include "profile/profile.h"
#include "report/report.h"
#include "report/report_internal.h"
#include "slow/slow.h"

#define REPORT_LINES	5		/* of each list */
#define REPORT_TEXT		100		/* bytes of a statement */
#define BAR_WIDTH		40

typedef enum MSProfileLog
{
	MS_LOG_NONE,
	MS_LOG_SUMMARY,
	MS_LOG_JSON
} MSProfileLog;

static int	log_setting = MS_LOG_NONE;

static const struct config_enum_entry log_options[] = {
	{"none", MS_LOG_NONE, false},
	{"summary", MS_LOG_SUMMARY, false},
	{"json", MS_LOG_JSON, false},
	{NULL, 0, false}
};

PG_FUNCTION_INFO_V1(ms_profile_summary);
PG_FUNCTION_INFO_V1(ms_profile_report);
PG_FUNCTION_INFO_V1(ms_profile_summary_label);

static void
append_clipped(StringInfo buf, const char *text, int len)
{
	int			clipped = pg_mbcliplen(text, len, REPORT_TEXT);

	appendBinaryStringInfo(buf, text, clipped);
	if (clipped < len)
		appendStringInfoString(buf, "...");
}

/* 12 queries, 34.5 ms, slowest 20.1 ms (SELECT ...), 2 N+1 candidates */
static void
append_summary(StringInfo buf, const MSTotals *t, List *candidates,
			   bool everything)
{
	uint64		queries = t->classes[MS_CLASS_QUERY];

	appendStringInfo(buf, UINT64_FORMAT " %s, %.1f ms", queries,
					 queries == 1 ? "query" : "queries", ms_report_ms(t));
	if (t->slowest_ns > 0)
	{
		const char *text = ms_report_slowest(t, everything);

		appendStringInfo(buf, ", slowest %.1f ms (", t->slowest_ns / 1e6);
		append_clipped(buf, text, strlen(text));
		appendStringInfoChar(buf, ')');
	}
	appendStringInfo(buf, ", %d N+1 %s", list_length(candidates),
					 list_length(candidates) == 1 ? "candidate" : "candidates");
	if (t->errors > 0)
		appendStringInfo(buf, ", " UINT64_FORMAT " failed", t->errors);
	if (ms_profile.dropped > 0)
		appendStringInfo(buf, ", " UINT64_FORMAT " rows dropped",
						 ms_profile.dropped);
	if (ms_profile.truncated > 0)
		appendStringInfo(buf, ", " UINT64_FORMAT " texts cut",
						 ms_profile.truncated);
	if (ms_profile.runs_lost > 0)
		appendStringInfo(buf, ", " UINT64_FORMAT " candidates forgotten",
						 ms_profile.runs_lost);
	if (ms_profile.facts_lost > 0)
		appendStringInfo(buf, ", " UINT64_FORMAT " findings forgotten",
						 ms_profile.facts_lost);
	if (ms_slow_lost() > 0)
		appendStringInfo(buf, ", " UINT64_FORMAT " slow runs forgotten",
						 ms_slow_lost());
}

/*
 * JSON
 */

static void
json_totals(StringInfo buf, const MSTotals *t, bool everything)
{
	ms_json_int(buf, "queries", t->classes[MS_CLASS_QUERY]);
	ms_json_int(buf, "controls", t->classes[MS_CLASS_CONTROL]);
	ms_json_int(buf, "catalog", t->classes[MS_CLASS_CATALOG]);
	ms_json_int(buf, "pings", t->classes[MS_CLASS_PING]);
	ms_json_int(buf, "driver", t->classes[MS_CLASS_DRIVER]);
	ms_json_int(buf, "paused", t->classes[MS_CLASS_PAUSED]);
	ms_json_int(buf, "nested", t->nested);
	ms_json_key(buf, "round_trips");
	if (t->trips_unknown)
		appendStringInfoString(buf, "null");
	else
		appendStringInfo(buf, UINT64_FORMAT, t->trips);
	ms_json_int(buf, "failed", t->errors);
	ms_json_int(buf, "rows", t->rows);
	ms_json_ms(buf, "total_ms", t->plan_ns + t->exec_ns + t->commit_ns);
	ms_json_ms(buf, "plan_ms", t->plan_ns);
	ms_json_ms(buf, "exec_ms", t->exec_ns);
	ms_json_ms(buf, "commit_ms", t->commit_ns);
	ms_json_key(buf, "slowest");
	if (t->slowest_ns > 0)
	{
		appendStringInfoChar(buf, '{');
		ms_json_text(buf, "text", ms_report_slowest(t, everything));
		ms_json_ms(buf, "ms", t->slowest_ns);
		appendStringInfoChar(buf, '}');
	}
	else
		appendStringInfoString(buf, "null");
}

static void
json_candidates(StringInfo buf, List *candidates)
{
	ListCell   *lc;

	ms_json_key(buf, "n_plus_one");
	appendStringInfoChar(buf, '[');
	foreach(lc, candidates)
	{
		MSCandidate *c = lfirst(lc);

		ms_json_key(buf, NULL);
		appendStringInfoChar(buf, '{');
		ms_json_text(buf, "text", c->text);
		ms_json_int(buf, "repeats", c->repeats);
		ms_json_int(buf, "duplicate", c->duplicates);
		ms_json_ms(buf, "total_ms", c->total_ns);
		ms_json_ms(buf, "commit_ms", c->commit_ns);
		ms_json_int(buf, "first_number", c->first_number);
		ms_json_int(buf, "last_number", c->last_number);
		ms_json_int(buf, "transactions", c->xacts);
		ms_json_text(buf, "source", c->source);
		ms_json_int(buf, "source_rows", c->source_rows);
		ms_json_text(buf, "evidence", ms_evidence_name(c->evidence));
		ms_json_text(buf, "hint", c->hint);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

static void
json_findings(StringInfo buf)
{
	ListCell   *lc;

	ms_json_key(buf, "findings");
	appendStringInfoChar(buf, '[');
	foreach(lc, ms_profile_findings(true))
	{
		MSFinding  *finding = lfirst(lc);

		ms_json_key(buf, NULL);
		appendStringInfoChar(buf, '{');
		ms_json_text(buf, "kind", finding->kind);
		ms_json_text(buf, "relation", finding->relation);
		ms_json_int(buf, "times_seen", finding->times);
		ms_json_text(buf, "suggestion", finding->suggestion);
		ms_json_text(buf, "why", finding->why);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

static void
json_losses(StringInfo buf)
{
	ms_json_key(buf, "lost");
	appendStringInfoChar(buf, '{');
	ms_json_int(buf, "rows_dropped", ms_profile.dropped);
	ms_json_int(buf, "texts_cut", ms_profile.truncated);
	ms_json_int(buf, "candidates_forgotten", ms_profile.runs_lost);
	ms_json_int(buf, "findings_forgotten", ms_profile.facts_lost);
	ms_json_int(buf, "slow_runs_forgotten", ms_slow_lost());
	appendStringInfoChar(buf, '}');
}

/*
 * Orders of shapes
 */

static int
by_max(const ListCell *a, const ListCell *b)
{
	int64		x = ((MSShape *) lfirst(a))->histogram.max;
	int64		y = ((MSShape *) lfirst(b))->histogram.max;

	return x > y ? -1 : x < y ? 1 : 0;
}

/* mean / median; of few calls it says nothing */
static double
spike(const MSShape *shape)
{
	double		median = ms_histogram_percentile(&shape->histogram, 0.5);

	return median > 0 && shape->histogram.count >= MS_MIN_REPEATS ?
		ms_histogram_mean(&shape->histogram) / median : 0;
}

static int
by_spike(const ListCell *a, const ListCell *b)
{
	double		x = spike(lfirst(a));
	double		y = spike(lfirst(b));

	return x > y ? -1 : x < y ? 1 : 0;
}

/*
 * The report in JSON
 */

static void
json_shape(StringInfo buf, const MSShape *shape)
{
	const MSHistogram *h = &shape->histogram;

	ms_json_key(buf, NULL);
	appendStringInfoChar(buf, '{');
	ms_json_text(buf, "text", ms_report_shape_text(shape));
	ms_json_int(buf, "calls", shape->calls);
	ms_json_int(buf, "failed", shape->errors);
	ms_json_int(buf, "rows", shape->rows);
	ms_json_ms(buf, "total_ms", h->sum);
	ms_json_ms(buf, "mean_ms", ms_histogram_mean(h));
	ms_json_ms(buf, "median_ms", ms_histogram_percentile(h, 0.5));
	ms_json_ms(buf, "p95_ms", ms_histogram_percentile(h, 0.95));
	ms_json_ms(buf, "p99_ms", ms_histogram_percentile(h, 0.99));
	ms_json_ms(buf, "min_ms", h->min);
	ms_json_ms(buf, "max_ms", h->max);
	appendStringInfoChar(buf, '}');
}

static char *
json_report(List *candidates)
{
	MSTotals	total;
	const MSTotals *t = &total;
	List	   *shapes = ms_report_shapes();
	ListCell   *lc;
	StringInfoData buf;

	ms_profile_total(&total);
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	json_totals(&buf, t, false);
	ms_json_key(&buf, "shapes");
	appendStringInfoChar(&buf, '[');
	list_sort(shapes, ms_report_by_total);
	foreach(lc, shapes)
		json_shape(&buf, lfirst(lc));
	appendStringInfoChar(&buf, ']');
	json_candidates(&buf, candidates);
	json_findings(&buf);
	ms_json_key(&buf, "failures");
	appendStringInfoChar(&buf, '[');
	foreach(lc, ms_report_failures())
	{
		MSRecord   *r = lfirst(lc);

		ms_json_key(&buf, NULL);
		appendStringInfoChar(&buf, '{');
		ms_json_int(&buf, "number", r->number);
		ms_json_text(&buf, "sqlstate", ms_sqlstate(r->sqlerrcode));
		ms_json_text(&buf, "text", ms_report_record_text(r));
		appendStringInfoChar(&buf, '}');
	}
	appendStringInfoChar(&buf, ']');
	json_losses(&buf);
	ms_json_ms(&buf, "own_cost_ms_per_statement", ms_profile.own_cost_ns);
	ms_json_ms(&buf, "own_cost_ms",
			(double) ms_profile.own_cost_ns *
			(ms_totals_statements(t) + t->nested));
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

/*
 * The report as text
 */

static void
text_shapes(StringInfo buf, const char *title, List *shapes,
			int (*order) (const ListCell *a, const ListCell *b))
{
	ListCell   *lc;
	int			n = 0;

	appendStringInfo(buf, "\n%s\n", title);
	list_sort(shapes, order);
	foreach(lc, shapes)
	{
		MSShape    *shape = lfirst(lc);
		const MSHistogram *h = &shape->histogram;
		const char *text = ms_report_shape_text(shape);

		if (n == REPORT_LINES)
			break;
		if (h->count == 0 || (order == by_spike && spike(shape) <= 1))
			continue;
		n++;
		appendStringInfo(buf,
						 "  %10.3f ms max %10.3f ms median %6s spike %8lld calls %10.3f ms total  ",
						 h->max / 1e6,
						 ms_histogram_percentile(h, 0.5) / 1e6,
						 spike(shape) > 0 ? psprintf("%.1f", spike(shape)) : "-",
						 (long long) shape->calls, h->sum / 1e6);
		append_clipped(buf, text, strlen(text));
		appendStringInfoChar(buf, '\n');
	}
	if (n == 0)
		appendStringInfoString(buf, "  none\n");
}

static void
text_candidates(StringInfo buf, List *candidates)
{
	ListCell   *lc;

	appendStringInfoString(buf, "\nN+1 candidates\n");
	foreach(lc, candidates)
	{
		MSCandidate *c = lfirst(lc);

		appendStringInfo(buf,
						 "  " INT64_FORMAT " times (" INT64_FORMAT " with parameters seen before), %.3f ms, statements " UINT64_FORMAT " to " UINT64_FORMAT ", %s\n    ",
						 c->repeats, c->duplicates, c->total_ns / 1e6,
						 c->first_number, c->last_number,
						 ms_evidence_name(c->evidence));
		append_clipped(buf, c->text, strlen(c->text));
		if (c->source != NULL)
		{
			appendStringInfo(buf, "\n    after " UINT64_FORMAT " rows of: ",
							 c->source_rows);
			append_clipped(buf, c->source, strlen(c->source));
		}
		appendStringInfo(buf, "\n    %s\n", c->hint);
	}
	if (candidates == NIL)
		appendStringInfoString(buf, "  none\n");
}

/* only where plans were looked into */
static void
text_findings(StringInfo buf)
{
	List	   *findings = ms_profile_findings(true);
	ListCell   *lc;

	if (findings != NIL)
		appendStringInfoString(buf, "\nFindings\n");
	foreach(lc, findings)
	{
		MSFinding  *finding = lfirst(lc);

		appendStringInfo(buf, "  " INT64_FORMAT " times %s%s%s: %s\n",
						 finding->times, finding->kind,
						 finding->relation ? " of " : "",
						 finding->relation ? finding->relation : "",
						 finding->why);
		if (finding->suggestion != NULL)
			appendStringInfo(buf, "    %s;\n", finding->suggestion);
	}
}

static void
text_failures(StringInfo buf)
{
	List	   *list = ms_report_failures();
	ListCell   *lc;
	int			n = 0;

	appendStringInfoString(buf, "\nFailures\n");
	foreach(lc, list)
	{
		MSRecord   *r = lfirst(lc);
		const char *text = ms_report_record_text(r);

		if (n++ == REPORT_LINES)
		{
			appendStringInfo(buf, "  and %d more\n",
							 list_length(list) - REPORT_LINES);
			break;
		}
		appendStringInfo(buf, "  " UINT64_FORMAT ": %s  ", r->number,
						 ms_sqlstate(r->sqlerrcode));
		append_clipped(buf, text, strlen(text));
		appendStringInfoChar(buf, '\n');
	}
	if (list == NIL)
		appendStringInfoString(buf, "  none\n");
}

/* a bar for each power of two of microseconds that has calls */
static void
text_histogram(StringInfo buf, const MSShape *shape)
{
	static uint32 counts[MS_HISTOGRAM_BUCKETS];
	uint64		octaves[MS_HISTOGRAM_OCTAVES + 2] = {0};
	uint64		most = 1;
	const char *text = ms_report_shape_text(shape);
	int			i;

	ms_histogram_counts(&shape->histogram, counts);
	for (i = 0; i < MS_HISTOGRAM_BUCKETS; i++)
	{
		uint64	   *octave = &octaves[i == 0 ? 0 : 1 + (i - 1) / 16];

		*octave += counts[i];
		most = Max(most, *octave);
	}
	appendStringInfoString(buf, "  ");
	append_clipped(buf, text, strlen(text));
	appendStringInfoChar(buf, '\n');
	for (i = 0; i < MS_HISTOGRAM_OCTAVES + 2; i++)
	{
		double		lo = 0;
		double		hi;
		int			width = (octaves[i] * BAR_WIDTH + most - 1) / most;

		if (octaves[i] == 0)
			continue;
		if (i > 0)
			ms_histogram_bucket_bounds(1 + (i - 1) * 16, &lo, &hi);
		appendStringInfo(buf, "  %12.4f ms %8lld ", lo / 1e6,
						 (long long) octaves[i]);
		while (width-- > 0)
			appendStringInfoChar(buf, '#');
		appendStringInfoChar(buf, '\n');
	}
}

static char *
text_report(List *candidates)
{
	MSTotals	total;
	const MSTotals *t = &total;
	List	   *shapes = ms_report_shapes();
	ListCell   *lc;
	int			n = 0;
	StringInfoData buf;

	ms_profile_total(&total);
	initStringInfo(&buf);
	append_summary(&buf, t, candidates, false);
	appendStringInfo(&buf,
					 "\nplanning %.3f ms, execution %.3f ms, commits %.3f ms; " UINT64_FORMAT " rows; " UINT64_FORMAT " transaction commands, " UINT64_FORMAT " nested statements\n",
					 t->plan_ns / 1e6, t->exec_ns / 1e6, t->commit_ns / 1e6,
					 t->rows, t->classes[MS_CLASS_CONTROL], t->nested);
	appendStringInfo(&buf,
					 "catalog queries " UINT64_FORMAT ", pings " UINT64_FORMAT ", driver commands " UINT64_FORMAT "; round trips %s\n",
					 t->classes[MS_CLASS_CATALOG], t->classes[MS_CLASS_PING],
					 t->classes[MS_CLASS_DRIVER], t->trips_unknown ? "unknown" :
					 psprintf("at most " UINT64_FORMAT, t->trips));
	text_shapes(&buf, "Slowest", shapes, by_max);
	text_shapes(&buf, "Worst spikes (mean / median)", shapes, by_spike);
	text_shapes(&buf, "Most total time", shapes, ms_report_by_total);
	text_candidates(&buf, candidates);
	text_findings(&buf);
	text_failures(&buf);
	appendStringInfoString(&buf, "\nHistograms of what took most time\n");
	foreach(lc, shapes)
		if (n++ < REPORT_LINES)
			text_histogram(&buf, lfirst(lc));
	appendStringInfo(&buf,
					 "\nLost: " UINT64_FORMAT " rows dropped, " UINT64_FORMAT " texts cut, " UINT64_FORMAT " N+1 candidates forgotten, " UINT64_FORMAT " findings forgotten, " UINT64_FORMAT " slow runs forgotten\n",
					 ms_profile.dropped, ms_profile.truncated,
					 ms_profile.runs_lost, ms_profile.facts_lost,
					 ms_slow_lost());
	appendStringInfo(&buf,
					 "Own cost: about %.1f us a statement, %.3f ms in all\n",
					 ms_profile.own_cost_ns / 1e3,
					 ms_profile.own_cost_ns / 1e6 *
					 (ms_totals_statements(t) + t->nested));
	return buf.data;
}

/*
 * SQL
 */

static bool
is_empty(void)
{
	MSTotals	t;

	if (!ms_profile.ready)
		return true;
	ms_profile_total(&t);
	return ms_totals_statements(&t) == 0 && t.nested == 0;
}

Datum
ms_profile_summary(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	MSTotals	total;

	ms_profile_own();
	if (is_empty())
		PG_RETURN_TEXT_P(cstring_to_text("nothing has been profiled"));
	initStringInfo(&buf);
	ms_profile_total(&total);
	append_summary(&buf, &total,
				   ms_candidates(0, MS_MIN_REPEATS, 0, MS_BURST, false), false);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

void
ms_report_total_of(text *label, MSTotals *total)
{
	if (!ms_label_total(VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label), total))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot tell what came under label \"%s\": more labels were given than are kept",
						text_to_cstring(label)),
				 errhint("Call missing_symbol.profile_reset() more often, or raise missing_symbol.profile_memory.")));
}

/* profile_summary(label) */
Datum
ms_profile_summary_label(PG_FUNCTION_ARGS)
{
	text	   *label = PG_GETARG_TEXT_PP(0);
	List	   *candidates = NIL;
	StringInfoData buf;
	MSTotals	total;
	ListCell   *lc;

	ms_profile_own();
	if (!ms_profile.ready)
		PG_RETURN_TEXT_P(cstring_to_text("nothing has been profiled"));
	ms_report_total_of(label, &total);
	foreach(lc, ms_candidates(0, MS_MIN_REPEATS, 0, MS_BURST, false))
	{
		MSCandidate *c = lfirst(lc);

		if (c->label != NULL && strcmp(c->label, text_to_cstring(label)) == 0)
			candidates = lappend(candidates, c);
	}
	initStringInfo(&buf);
	append_summary(&buf, &total, candidates, false);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

static const char *
report_in(MSFormat format)
{
	bool		empty = is_empty();
	List	   *candidates;

	if (format == MS_HTML)
		return ms_report_html(empty);
	if (empty)
		return format == MS_JSON ? "{}" : "nothing has been profiled";
	candidates = ms_candidates(0, MS_MIN_REPEATS, 0, MS_BURST, false);
	return format == MS_JSON ? json_report(candidates) : text_report(candidates);
}

/* profile_report(format) */
Datum
ms_profile_report(PG_FUNCTION_ARGS)
{
	MSFormat	format = ms_report_format(PG_GETARG_TEXT_PP(0));

	ms_profile_own();
	return ms_report_rows(fcinfo, format, report_in(format));
}

/*
 * The log
 */

static char *
json_line(const char *why, List *candidates)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	ms_json_text(&buf, "reason", why);
	ms_json_text(&buf, "label", ms_profile.label_len == 0 ? NULL :
			  pnstrdup(ms_profile.label, ms_profile.label_len));
	json_totals(&buf, &ms_profile.in_section, true);
	json_candidates(&buf, candidates);
	json_losses(&buf);
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

static char *
summary_line(List *candidates)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	append_summary(&buf, &ms_profile.in_section, candidates, true);
	foreach(lc, candidates)
	{
		MSCandidate *c = lfirst(lc);

		appendStringInfo(&buf, "; " INT64_FORMAT " times %.1f ms (%s): ",
						 c->repeats, c->total_ns / 1e6,
						 ms_evidence_name(c->evidence));
		append_clipped(&buf, c->text, strlen(c->text));
	}
	return buf.data;
}

/*
 * One line about what came since the last mark.  Also called as the session
 * ends, outside of any transaction: no catalog here.  It has the texts of all
 * roles, so no client may get it, whatever its client_min_messages.
 */
static void
log_profile(const char *why)
{
	MemoryContext context;
	MemoryContext saved;
	List	   *candidates;

	if (log_setting == MS_LOG_NONE || !ms_profile.ready ||
		ms_totals_statements(&ms_profile.in_section) == 0)
		return;

	context = AllocSetContextCreate(TopMemoryContext,
									"missing_symbol profile log",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);
	candidates = ms_candidates(ms_profile.section, MS_MIN_REPEATS, 0, MS_BURST,
							   true);
	if (log_setting == MS_LOG_JSON)
		ereport(LOG_SERVER_ONLY,
				(errmsg("missing_symbol profile: %s",
						json_line(why, candidates)),
				 errhidestmt(true), errhidecontext(true)));
	else
		ereport(LOG_SERVER_ONLY,
				(errmsg("missing_symbol profile (%s%s%.*s): %s", why,
						ms_profile.label_len > 0 ? ", " : "",
						ms_profile.label_len, ms_profile.label,
						summary_line(candidates)),
				 errhidestmt(true), errhidecontext(true)));
	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}

void
ms_report_init(void)
{
	ms_profile_log = log_profile;

	DefineCustomEnumVariable("missing_symbol.profile_log",
							 "Writes a line about the profile to the server's log.",
							 "At the end of the session, at DISCARD ALL and at "
							 "profile_mark().",
							 &log_setting,
							 MS_LOG_NONE,
							 log_options,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);
}
