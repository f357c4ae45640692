/*-------------------------------------------------------------------------
 *
 * html.c
 *	  profile_report('html'): the profile as a page, section by section.
 *
 * What each user sees is what the other forms of the report show him.  A page
 * has a size that people can open: lists end somewhere, long texts are cut
 * once there are too many of them, and each says so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "figures/figures.h"
#include "page/page.h"
#include "report/report_internal.h"
#include "slow/slow.h"

#define MAX_SHAPES		300		/* rows of a table */
#define SPARK_WIDTH		120
#define SPARK_HEIGHT	24

/*
 * Summary
 */

static const char *
of_all(int64 ns, const MSTotals *t)
{
	int64		all_ns = t->plan_ns + t->exec_ns + t->commit_ns;

	return psprintf("%.0f %%", all_ns > 0 ? ns * 100.0 / all_ns : 0);
}

static const MSShape *
most_time(List *shapes)
{
	ListCell   *lc;

	foreach(lc, shapes)
		if (!ms_shape_is_others(lfirst(lc)))
			return lfirst(lc);
	return NULL;
}

static void
put_summary(StringInfo page, const MSTotals *t, List *shapes,
			List *candidates, List *findings)
{
	const MSShape *most = most_time(shapes);
	uint64		statements = ms_totals_statements(t);
	uint64		queries = t->classes[MS_CLASS_QUERY];
	int64		repeats = 0;
	ListCell   *lc;

	foreach(lc, candidates)
		repeats += ((MSCandidate *) lfirst(lc))->repeats;
	ms_page_tiles(page);
	ms_page_tile(page, "Queries", psprintf(UINT64_FORMAT, queries),
				 psprintf("statements " UINT64_FORMAT ", rows " UINT64_FORMAT,
						  statements, t->rows), NULL);
	ms_page_tile(page, "Database time",
				 ms_page_time(t->plan_ns + t->exec_ns + t->commit_ns),
				 psprintf("planning %s, execution %s, commits %s",
						  of_all(t->plan_ns, t), of_all(t->exec_ns, t),
						  of_all(t->commit_ns, t)), NULL);
	if (most != NULL && most->histogram.sum > 0)
		ms_page_tile(page, "Most execution", ms_page_time(most->histogram.sum),
					 psprintf(UINT64_FORMAT " %s of %s", most->calls,
							  most->calls == 1 ? "call" : "calls",
							  ms_page_clip(ms_report_shape_text(most), 60)),
					 NULL);
	if (t->slowest_ns > 0)
		ms_page_tile(page, "Slowest", ms_page_time(t->slowest_ns),
					 ms_page_clip(ms_report_slowest(t, false), 60), NULL);
	ms_page_tile(page, "N+1", psprintf("%d", list_length(candidates)),
				 candidates == NIL ? "no candidate" :
				 psprintf(INT64_FORMAT " statements that could be few",
						  repeats), candidates != NIL ? "many" : NULL);
	ms_page_tile(page, "Findings", psprintf("%d", list_length(findings)),
				 "of plans that were looked into", NULL);
	ms_page_tile(page, "Failed", psprintf(UINT64_FORMAT, t->errors), NULL,
				 t->errors > 0 ? "bad" : NULL);
	ms_page_tile(page, "Round trips", t->trips_unknown ? "-" :
				 psprintf(UINT64_FORMAT, t->trips), t->trips_unknown ?
				 "unknown" : "at most", NULL);
	ms_page_tiles_end(page);
}

/*
 * Shapes, each with a histogram: a bar for each power of two, on one
 * logarithmic axis for all of them
 */

#define OCTAVES		(MS_HISTOGRAM_OCTAVES + 2)

typedef struct Axis
{
	int			first;			/* octaves that have something */
	int			last;
} Axis;

static void
octaves_of(const MSShape *shape, uint64 *octaves)
{
	static uint32 counts[MS_HISTOGRAM_BUCKETS];

	memset(octaves, 0, sizeof(uint64) * OCTAVES);
	ms_histogram_counts(&shape->histogram, counts);
	for (int i = 0; i < MS_HISTOGRAM_BUCKETS; i++)
		octaves[i == 0 ? 0 : 1 + (i - 1) / 16] += counts[i];
}

static void
octave_bounds(int i, double *lo, double *hi)
{
	double		unused;

	*lo = 0;
	if (i > 0)
		ms_histogram_bucket_bounds(1 + (i - 1) * 16, lo, &unused);
	ms_histogram_bucket_bounds(Min(i * 16, MS_HISTOGRAM_BUCKETS - 1), &unused,
							   hi);
}

static Axis
axis_of(List *shapes)
{
	Axis		axis = {OCTAVES - 1, 0};
	uint64		octaves[OCTAVES];
	ListCell   *lc;

	foreach(lc, shapes)
	{
		octaves_of(lfirst(lc), octaves);
		for (int i = 0; i < OCTAVES; i++)
		{
			if (octaves[i] == 0)
				continue;
			axis.first = Min(axis.first, i);
			axis.last = Max(axis.last, i);
		}
	}
	return axis;
}

static void
put_histogram(StringInfo page, const MSShape *shape, Axis axis)
{
	const MSHistogram *h = &shape->histogram;
	uint64		octaves[OCTAVES];
	uint64		most = 1;
	double		step = (double) SPARK_WIDTH / (axis.last - axis.first + 1);

	octaves_of(shape, octaves);
	for (int i = axis.first; i <= axis.last; i++)
		most = Max(most, octaves[i]);
	ms_page(page, "<svg role=\"img\" width=\"%d\" height=\"%d\"><title>%s to %s, median %s</title><path class=\"bar\" d=\"",
			SPARK_WIDTH, SPARK_HEIGHT, ms_page_time(h->min),
			ms_page_time(h->max),
			ms_page_time(ms_histogram_percentile(h, 0.5)));
	for (int i = axis.first; i <= axis.last; i++)
		if (octaves[i] > 0)
		{
			double		height = Max(octaves[i] * (SPARK_HEIGHT - 2.0) / most, 1.5);

			appendStringInfo(page, "M%.1f %dv-%.1fh%.1fv%.1fz",
							 (i - axis.first) * step + 0.5, SPARK_HEIGHT - 1,
							 height, Max(step - 1, 1), height);
		}
	ms_page(page, "\"/><path class=\"grid\" d=\"M0 %d.5h%d\"/></svg>",
			SPARK_HEIGHT - 1, SPARK_WIDTH);
}

/* of what has only failed there is none */
static void
put_ms(StringInfo page, const char *name, const MSHistogram *h, double ns)
{
	ms_page(page, "<td class=\"n\" data-h=\"%s\">%s</td>", name,
			h->count > 0 ? psprintf("%.3f", ns / 1e6) : "-");
}

static void
put_shape(StringInfo page, const MSShape *shape, int place, Axis axis)
{
	const MSHistogram *h = &shape->histogram;
	const char *label = ms_shape_is_others(shape) ? NULL :
		ms_label_text(shape->label);

	appendStringInfo(page, "<tr id=\"s%d\">", place);
	put_ms(page, "median ms", h, ms_histogram_percentile(h, 0.5));
	put_ms(page, "p95 ms", h, ms_histogram_percentile(h, 0.95));
	put_ms(page, "max ms", h, h->max);
	ms_page(page, "<td class=\"n\" data-h=\"calls\">" UINT64_FORMAT "</td>",
			shape->calls);
	put_ms(page, "total ms", h, h->sum);
	ms_page(page, "<td class=\"n\" data-h=\"rows\">" UINT64_FORMAT "</td><td class=\"h\" data-h=\"histogram\">",
			shape->rows);
	if (h->count > 0)
		put_histogram(page, shape, axis);
	appendStringInfoString(page, "</td><td class=\"most\">");
	ms_report_statement(page, ms_report_shape_text(shape));
	if (shape->errors > 0)
		ms_page(page, " <span class=\"tag bad\">" UINT64_FORMAT " failed</span>",
				shape->errors);
	if (!shape->toplevel && !ms_shape_is_others(shape))
		ms_page(page, " <span class=\"tag\">within another statement</span>");
	if (label != NULL)
		ms_page(page, " <span class=\"tag\">%s</span>", label);
	appendStringInfoString(page, "</td></tr>\n");
}

static void
put_shapes(StringInfo page, List *shapes)
{
	Axis		axis = axis_of(shapes);
	StringInfoData caption;
	ListCell   *lc;
	double		lo;
	double		hi;
	double		unused;
	int			n = 0;

	ms_page_section(page, "shapes", "Statements");
	initStringInfo(&caption);
	appendStringInfoString(&caption, "Statements by their shape, as constants are left out. Times are of execution alone.");
	if (axis.first <= axis.last)
	{
		octave_bounds(axis.first, &lo, &unused);
		octave_bounds(axis.last, &unused, &hi);
		appendStringInfo(&caption, " Histograms go from %s to %s; each step is twice the time.",
						 ms_page_time(lo), isinf(hi) ? "any time" :
						 ms_page_time(hi));
	}
	ms_page_table(page, caption.data, true);
	ms_page_head(page, "Median ms", true);
	ms_page_head(page, "p95 ms", true);
	ms_page_head(page, "Max ms", true);
	ms_page_head(page, "Calls", true);
	appendStringInfoString(page, "<th scope=\"col\" class=\"n\" aria-sort=\"descending\">Total ms</th>");
	ms_page_head(page, "Rows", true);
	ms_page_head(page, "Histogram", false);
	ms_page_head(page, "Statement", false);
	ms_page_rows(page);
	foreach(lc, shapes)
	{
		if (n == MAX_SHAPES)
			break;
		put_shape(page, lfirst(lc), ++n, axis);
	}
	ms_page_table_end(page);
	ms_report_left_out(page, list_length(shapes), n, "that took less time");
	ms_page_section_end(page);
}

/*
 * N+1
 */

static void
put_candidate(StringInfo page, const MSCandidate *c)
{
	ms_page(page, "<div class=\"entry\"><h3>" INT64_FORMAT " times</h3><span class=\"tag many\">%s</span>",
			c->repeats, ms_evidence_name(c->evidence));
	if (c->label != NULL)
		ms_page(page, " <span class=\"tag\">%s</span>", c->label);
	appendStringInfoString(page, "<p>");
	ms_report_statement(page, c->text);
	appendStringInfoString(page, "</p><dl>");
	if (c->source != NULL)
	{
		ms_page(page, "<dt>for the " UINT64_FORMAT " rows of</dt><dd>",
				c->source_rows);
		ms_report_statement(page, c->source);
		appendStringInfoString(page, "</dd>");
	}
	ms_page(page, "<dt>instead</dt><dd>%s</dd><dt>took</dt><dd>%s, statements " UINT64_FORMAT " to " UINT64_FORMAT " of unit " UINT64_FORMAT,
			c->hint, ms_page_time(c->total_ns), c->first_number,
			c->last_number, c->unit);
	if (c->duplicates > 0)
		ms_page(page, "; " INT64_FORMAT " with parameters seen before",
				c->duplicates);
	if (c->shapes > 1)
		ms_page(page, "; %d shapes", c->shapes);
	appendStringInfoString(page, "</dd>");
	if (c->inside != NULL)
		ms_page(page, "<dt>within</dt><dd>%s</dd>", c->inside);
	if (c->comment != NULL)
		ms_page(page, "<dt>comment</dt><dd><code>%s</code></dd>", c->comment);
	appendStringInfoString(page, "</dl></div>\n");
}

static void
put_candidates(StringInfo page, List *candidates)
{
	ListCell   *lc;
	int			n = 0;

	ms_page_section(page, "n-plus-one", "N+1: one statement again and again");
	if (candidates == NIL)
		ms_page_note(page, "No candidate.");
	foreach(lc, candidates)
	{
		if (n == MS_PAGE_ENTRIES)
			break;
		n++;
		put_candidate(page, lfirst(lc));
	}
	ms_report_left_out(page, list_length(candidates), n, "later ones");
	ms_page_section_end(page);
}

/*
 * Failures
 */

static void
put_failures(StringInfo page)
{
	List	   *failures = ms_report_failures();
	ListCell   *lc;
	int			n = 0;

	ms_page_section(page, "failures", "Failures");
	if (failures == NIL)
	{
		ms_page_note(page, "No statement has failed.");
		ms_page_section_end(page);
		return;
	}
	ms_page_table(page, "Statements that failed, in order", true);
	ms_page_head(page, "Number", true);
	ms_page_head(page, "SQLSTATE", false);
	ms_page_head(page, "Statement", false);
	ms_page_rows(page);
	foreach(lc, failures)
	{
		const MSRecord *r = lfirst(lc);

		if (n == MS_PAGE_ENTRIES)
			break;
		n++;
		ms_page(page, "<tr><td class=\"n\" data-h=\"number\">" UINT64_FORMAT "</td><td data-h=\"SQLSTATE\"><code>%s</code></td><td class=\"most\">",
				r->number, ms_sqlstate(r->sqlerrcode));
		ms_report_statement(page, ms_report_record_text(r));
		appendStringInfoString(page, "</td></tr>\n");
	}
	ms_page_table_end(page);
	ms_report_left_out(page, list_length(failures), n, "later ones");
	ms_page_section_end(page);
}

/*
 * What the profile is not
 */

static void
put_losses(StringInfo page, const MSTotals *t)
{
	double		all_ns = (double) ms_profile.own_cost_ns *
		(ms_totals_statements(t) + t->nested);

	ms_page_section(page, "lost", "What was lost, and what profiling cost");
	ms_page(page, "<dl class=\"facts\"><dt>Not listed any more</dt><dd>statements " UINT64_FORMAT ", N+1 candidates " UINT64_FORMAT ", findings " UINT64_FORMAT ", slow runs " UINT64_FORMAT "</dd>",
			ms_profile.dropped, ms_profile.runs_lost, ms_profile.facts_lost,
			ms_slow_lost());
	ms_page(page, "<dt>Cut</dt><dd>texts " UINT64_FORMAT "</dd><dt>Own cost</dt><dd>about %s a statement, %s in all</dd>",
			ms_profile.truncated, ms_page_time(ms_profile.own_cost_ns),
			ms_page_time(all_ns));
	ms_page(page, "<dt>Beside the queries</dt><dd>transaction commands " UINT64_FORMAT ", queries of catalogs " UINT64_FORMAT ", pings " UINT64_FORMAT ", the driver's own " UINT64_FORMAT ", while paused " UINT64_FORMAT ", nested statements " UINT64_FORMAT "</dd></dl>\n",
			t->classes[MS_CLASS_CONTROL], t->classes[MS_CLASS_CATALOG],
			t->classes[MS_CLASS_PING], t->classes[MS_CLASS_DRIVER],
			t->classes[MS_CLASS_PAUSED], t->nested);
	ms_page_section_end(page);
}

static void
put_navigation(StringInfo page)
{
	static const char *const parts[][2] = {
		{"timeline", "Timeline"}, {"shapes", "Statements"},
		{"n-plus-one", "N+1"}, {"advice", "Suggestions"},
		{"findings", "Findings"}, {"slow", "Slow runs"}, {"failures", "Failures"}, {"lost", "Lost"}
	};

	appendStringInfoString(page, "<nav aria-label=\"Sections\">");
	for (int i = 0; i < lengthof(parts); i++)
		ms_page(page, "<a href=\"#%s\">%s</a>", parts[i][0], parts[i][1]);
	appendStringInfoString(page, "</nav>\n");
}

char *
ms_report_html(bool empty)
{
	StringInfoData page;
	MSTotals	total;
	List	   *candidates;
	List	   *findings;
	List	   *shapes;

	initStringInfo(&page);
	ms_page_begin(&page, "Profile of a session");
	if (empty)
	{
		ms_page_note(&page, "Nothing has been profiled. A profile is its session's own: call profile_report() in the session that profile_start() was called in.");
		ms_page_end(&page);
		return page.data;
	}
	ms_profile_total(&total);
	candidates = ms_candidates(0, MS_MIN_REPEATS, 0, MS_BURST, false);
	findings = ms_profile_findings(true);
	shapes = ms_report_shapes();
	list_sort(shapes, ms_report_by_total);
	put_summary(&page, &total, shapes, candidates, findings);
	put_navigation(&page);
	ms_report_timeline(&page, list_truncate(list_copy(shapes), MAX_SHAPES),
					   candidates);
	put_shapes(&page, shapes);
	put_candidates(&page, candidates);
	ms_report_advice_html(&page, findings);
	ms_report_findings_html(&page, findings);
	ms_report_slow_html(&page);
	put_failures(&page);
	put_losses(&page, &total);
	ms_page_end(&page);
	return page.data;
}
