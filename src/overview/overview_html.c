/*-------------------------------------------------------------------------
 *
 * overview_html.c
 *	  counter_report(.., 'html'): a table's counters as a page.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "calls/calls.h"
#include "overview/overview_internal.h"
#include "page/page.h"

#define CHART_HEIGHT	120
#define KEY_TEXT		200		/* bytes of a key's value */

static const char *
or_none(const char *value)
{
	return value == NULL ? "-" : value;
}

static char *
percent(int64 part, int64 whole)
{
	return whole > 0 ? psprintf("%.0f %%", part * 100.0 / whole) : pstrdup("-");
}

/* the day of a time, and its time: the first is what one looks for */
static void
put_time_tile(StringInfo page, const char *name, const char *time)
{
	int			len = isdigit((unsigned char) time[0]) ? strcspn(time, " ") :
		strlen(time);

	ms_page_tile(page, name, pnstrdup(time, len),
				 time[len] == '\0' ? NULL : time + len + 1, NULL);
}

static void
put_summary(StringInfo page, const MSOverview *o)
{
	ms_page_tiles(page);
	ms_page_tile(page, "Counters", o->counters, NULL, NULL);
	ms_page_tile(page, "Counted", or_none(o->total), "with all that waits",
				 NULL);
	if (o->first != NULL)
		put_time_tile(page, "First seen", o->first);
	if (o->last != NULL)
		put_time_tile(page, "Last seen", o->last);
	if (o->waiting_known)
		ms_page_tile(page, "Waiting",
					 psprintf(INT64_FORMAT, o->spilled + o->buffered),
					 psprintf(INT64_FORMAT " spilled, " INT64_FORMAT " buffered",
							  o->spilled, o->buffered), NULL);
	if (o->errors > 0)
		ms_page_tile(page, "With an error",
					 psprintf(INT64_FORMAT, o->errors),
					 "could not be merged", "bad");
	ms_page_tile(page, "HOT updates", percent(o->hot, o->updates),
				 psprintf("of " INT64_FORMAT, o->updates), NULL);
	ms_page_tile(page, "Dead rows", percent(o->dead, o->live + o->dead),
				 psprintf(INT64_FORMAT " of " INT64_FORMAT, o->dead,
						  o->live + o->dead), NULL);
	ms_page_tile(page, "Size", or_none(o->size),
				 psprintf("with indexes %s", or_none(o->size_all)), NULL);
	ms_page_tiles_end(page);
}

static void
put_top(StringInfo page, const MSOverview *o)
{
	ListCell   *lc;

	ms_page_section(page, "top", "Most counted");
	if (o->top == NIL)
	{
		ms_page_note(page, "There is no counter.");
		ms_page_section_end(page);
		return;
	}
	ms_page_table(page, psprintf("The %d most counted of %s",
								 list_length(o->top), o->counters), true);
	for (int i = 0; i < o->nkeys; i++)
		ms_page_head(page, o->keys[i], false);
	ms_page_head(page, "Count", true);
	ms_page_head(page, "Of the most counted", false);
	if (o->first != NULL)
		ms_page_head(page, "First seen", false);
	if (o->last != NULL)
		ms_page_head(page, "Last seen", false);
	ms_page_rows(page);
	foreach(lc, o->top)
	{
		const MSTopCounter *top = lfirst(lc);

		appendStringInfoString(page, "<tr>");
		for (int i = 0; i < o->nkeys; i++)
			ms_page(page, "<td class=\"k\" data-h=\"%s\"><code>%s</code></td>",
					o->keys[i], top->key[i] == NULL ? "(null)" :
					ms_page_clip(top->key[i], KEY_TEXT));
		ms_page(page, "<td class=\"n\" data-h=\"count\">%s</td><td class=\"bars\"><svg role=\"img\" width=\"100%%\" height=\"16\"><title>%.0f %%</title><rect class=\"bar\" x=\"0\" y=\"3\" width=\"%.1f%%\" height=\"10\"/></svg></td>",
				or_none(top->count), top->share * 100, top->share * 100);
		if (o->first != NULL)
			ms_page(page, "<td class=\"time\" data-h=\"first seen\">%s</td>",
					or_none(top->first));
		if (o->last != NULL)
			ms_page(page, "<td class=\"time\" data-h=\"last seen\">%s</td>",
					or_none(top->last));
		appendStringInfoString(page, "</tr>\n");
	}
	ms_page_table_end(page);
	ms_page_section_end(page);
}

static void
put_days(StringInfo page, const MSOverview *o)
{
	const MSDay *first;
	const MSDay *last;
	double		width;
	ListCell   *lc;

	if (o->days == NIL)
		return;
	first = linitial(o->days);
	last = llast(o->days);
	width = 100.0 / (last->number - first->number + 1);
	ms_page_section(page, "days", "Days");
	ms_page_note(page, psprintf("What was counted on each day of column %s, the latest %d that have any.",
								o->day_column, MS_DAYS));
	ms_page(page, "<svg role=\"img\" class=\"days\" width=\"100%%\" height=\"%d\"><title>%s to %s</title><desc>A bar for each day; what it came to is its title</desc>",
			CHART_HEIGHT, first->day, last->day);
	foreach(lc, o->days)
	{
		const MSDay *day = lfirst(lc);
		double		height = Max(day->share * (CHART_HEIGHT - 4), 1);

		ms_page(page, "<rect class=\"bar\" x=\"%.2f%%\" y=\"%.1f\" width=\"%.2f%%\" height=\"%.1f\"><title>%s: %s</title></rect>",
				(day->number - first->number + 0.1) * width,
				CHART_HEIGHT - height, Max(width * 0.8, 0.1), height,
				day->day, or_none(day->count));
	}
	ms_page(page, "</svg>\n<p class=\"ends\"><span>%s</span><span>%s</span></p>\n",
			first->day, last->day);
	ms_page_section_end(page);
}

static void
put_remedies(StringInfo page, const MSOverview *o)
{
	ListCell   *lc;

	ms_page_section(page, "remedies", "What would help");
	if (o->remedies == NIL && o->hint == NULL)
		ms_page_note(page, "Nothing known.");
	foreach(lc, o->remedies)
	{
		const MSObstacle *obstacle = lfirst(lc);

		ms_page(page, "<div class=\"entry\"><h3>%s</h3><p>%s</p>",
				obstacle->what, obstacle->consequence);
		ms_page_remedy(page, obstacle->remedy);
		appendStringInfoString(page, "</div>\n");
	}
	if (o->hint != NULL)
		ms_page(page, "<div class=\"entry\"><h3>As this session has counted</h3><p><code>%s</code></p></div>\n",
				o->hint);
	ms_page_section_end(page);
}

static void
put_state(StringInfo page, const MSOverview *o)
{
	ms_page_section(page, "state", "How it counts");
	ms_page(page, "<dl class=\"facts\"><dt>Increments reach their row</dt><dd>%s%s</dd><dt>Path</dt><dd>%s%s%s</dd>",
			o->apply, o->spill ? ", or else are spilled" : "", o->path,
			o->reason ? ": " : "", o->reason ? o->reason : "");
	ms_page(page, "<dt>Waiting</dt><dd>%s</dd>", o->waiting_known ?
			psprintf(INT64_FORMAT " spilled, " INT64_FORMAT " buffered, " INT64_FORMAT " with an error",
					 o->spilled, o->buffered, o->errors) :
			"not shown, as row security applies");
	if (o->counted)
	{
		ms_page(page, "<dt>This session</dt><dd>" INT64_FORMAT " calls",
				ms_tally_calls(&o->tally));
		for (int i = 0; i < MS_OUTCOMES; i++)
			if (o->tally.counts[i] > 0)
				ms_page(page, ", " INT64_FORMAT " %s", o->tally.counts[i],
						ms_outcome_name(i));
		ms_page(page, "; " INT64_FORMAT " waits for a lock, " INT64_FORMAT " fallbacks</dd>",
				o->tally.lock_waits, o->tally.fallbacks);
	}
	appendStringInfoString(page, "</dl>\n");
	ms_page_section_end(page);
}

char *
ms_overview_html(const MSOverview *o)
{
	StringInfoData page;

	initStringInfo(&page);
	ms_page_begin(&page, psprintf("Counters of %s", o->table));
	put_summary(&page, o);
	put_top(&page, o);
	put_days(&page, o);
	put_remedies(&page, o);
	put_state(&page, o);
	ms_page_end(&page);
	return page.data;
}
