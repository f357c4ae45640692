/*-------------------------------------------------------------------------
 *
 * html_advice.c
 *	  The page's sections of findings, and of what they suggest together.
 *
 * A finding is about one statement, a suggestion about all that it serves: who
 * creates what stands here first creates no index twice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "advice/advice.h"
#include "page/page.h"
#include "report/report_internal.h"

#define SERVED_STATEMENTS	5	/* that are named */

/*
 * Suggestions
 */

static const char *
costs(const MSFinding *finding)
{
	return psprintf("%.2f as it is planned now, %.2f with it%s",
					finding->cost_before, finding->cost_after,
					finding->proved ? ", proved" : "");
}

static void
put_served(StringInfo page, const MSServed *served)
{
	List	   *findings = served->work->findings;
	int			n = 0;
	ListCell   *lc;

	ms_page(page, "<dt>serves</dt><dd>%d %s, " INT64_FORMAT " %s</dd>",
			list_length(served->shapes),
			list_length(served->shapes) == 1 ? "statement" : "statements",
			served->calls, served->calls == 1 ? "call" : "calls");
	foreach(lc, findings)
	{
		const MSFinding *finding = lfirst(lc);
		const MSFact *fact = finding->fact;
		MSShape    *shape = ms_shapes_find(fact->shape, fact->userid,
										   fact->toplevel);

		if (n++ == SERVED_STATEMENTS)
			break;
		if (finding->cost_before > 0 && finding->cost_after > 0)
			ms_page(page, "<dt>cost</dt><dd>%s", costs(finding));
		else
			appendStringInfoString(page, "<dt>cost</dt><dd>not planned again");
		if (shape != NULL)
		{
			appendStringInfoString(page, ": ");
			ms_report_statement(page, ms_report_shape_text(shape));
		}
		appendStringInfoString(page, "</dd>");
	}
	if (list_length(findings) > SERVED_STATEMENTS)
		ms_page(page, "<dt></dt><dd>and %d more</dd>",
				list_length(findings) - SERVED_STATEMENTS);
}

static void
put_writes(StringInfo page, const MSWork *work)
{
	MSWrites	writes;
	ListCell   *lc;

	foreach(lc, work->replaces)
		ms_page(page, "<dt>%s</dt><dd><code>%s</code></dd>",
				lc == list_head(work->replaces) ?
				"not needed beside it, unless for other statements" : "",
				(char *) lfirst(lc));
	if (!OidIsValid(work->relid))
		return;
	writes = ms_report_writes(work);
	if (writes.calls == 0)
		return;
	ms_page(page, "<dt>is paid for by</dt><dd>" INT64_FORMAT " %s of the table, %s%s</dd>",
			writes.calls, writes.calls == 1 ? "write" : "writes",
			ms_page_time(writes.ms * 1e6), writes.hot_lost ?
			"; among them an update that can be HOT now, and could not any more" :
			writes.updates && !writes.known ?
			"; it is not known which columns its updates change" : "");
}

static void
put_advice(StringInfo page, const MSServed *served)
{
	const MSFinding *best = served->work->best;

	ms_page(page, "<div class=\"entry\"><h3>%s</h3>",
			best->relation ? best->relation : best->kind);
	if (served->benefit >= 0)
		ms_page(page, "<span class=\"tag\">would save about %s</span>",
				ms_page_time(served->benefit * 1e6));
	if (served->proved)
		appendStringInfoString(page, " <span class=\"tag\">proved</span>");
	ms_page_remedy(page, psprintf("%s;", best->suggestion));
	appendStringInfoString(page, "<dl>");
	put_served(page, served);
	put_writes(page, served->work);
	appendStringInfoString(page, "</dl></div>\n");
}

void
ms_report_advice_html(StringInfo page, List *findings)
{
	List	   *advice = ms_report_advice(findings);
	ListCell   *lc;
	int			n = 0;

	ms_page_section(page, "advice", "Suggestions");
	ms_page_note(page, advice == NIL ? "None. Indexes are suggested where plans are looked into." :
				 "What the findings below suggest, for all statements together; what saves most is first.");
	foreach(lc, advice)
	{
		if (n == MS_PAGE_ENTRIES)
			break;
		n++;
		put_advice(page, lfirst(lc));
	}
	ms_report_left_out(page, list_length(advice), n, "that save less");
	ms_page_section_end(page);
}

/*
 * Findings
 */

static void
put_finding(StringInfo page, const MSFinding *finding)
{
	const MSFact *fact = finding->fact;
	MSShape    *shape = ms_shapes_find(fact->shape, fact->userid,
									   fact->toplevel);

	ms_page(page, "<div class=\"entry\"><h3>%s%s%s</h3><span class=\"tag\">" INT64_FORMAT " %s</span><p>%s</p>",
			finding->kind, finding->relation ? " of " : "",
			finding->relation ? finding->relation : "", finding->times,
			finding->times == 1 ? "time" : "times", finding->why);
	if (finding->suggestion != NULL)
		ms_page_remedy(page, psprintf("%s;", finding->suggestion));
	appendStringInfoString(page, "<dl>");
	if (finding->rows_read >= 0 && finding->rows_discarded >= 0)
		ms_page(page, "<dt>rows</dt><dd>%.0f read, %.0f thrown away</dd>",
				finding->rows_read, finding->rows_discarded);
	if (finding->cost_before > 0 && finding->cost_after > 0)
		ms_page(page, "<dt>cost</dt><dd>%s</dd>", costs(finding));
	if (shape != NULL)
	{
		appendStringInfoString(page, "<dt>in</dt><dd>");
		ms_report_statement(page, ms_report_shape_text(shape));
		appendStringInfoString(page, "</dd>");
	}
	appendStringInfoString(page, "</dl></div>\n");
}

void
ms_report_findings_html(StringInfo page, List *findings)
{
	ListCell   *lc;
	int			n = 0;

	ms_page_section(page, "findings", "Findings");
	if (findings == NIL)
		ms_page_note(page, "None. Only plans of statements that ran under profile_start(plans => true) are looked into.");
	foreach(lc, findings)
	{
		if (n == MS_PAGE_ENTRIES)
			break;
		n++;
		put_finding(page, lfirst(lc));
	}
	ms_report_left_out(page, list_length(findings), n, "more");
	ms_page_section_end(page);
}

