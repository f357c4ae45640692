/*-------------------------------------------------------------------------
 *
 * counter_report.c
 *	  counter_report(): a table's counters, to be read: as text, as JSON, or
 *	  as a page.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "calls/calls.h"
#include "overview/overview_internal.h"
#include "page/page.h"

#define BAR_WIDTH	20

PG_FUNCTION_INFO_V1(ms_counter_report);

static const char *
or_none(const char *value)
{
	return value == NULL ? "-" : value;
}

/*
 * Text
 */

static void
text_bar(StringInfo buf, double share)
{
	int			width = (int) (share * BAR_WIDTH + 0.999);

	for (int i = 0; i < BAR_WIDTH; i++)
		appendStringInfoChar(buf, i < width ? '#' : ' ');
}

static void
text_top(StringInfo buf, const MSOverview *o)
{
	ListCell   *lc;

	appendStringInfoString(buf, "\nMost counted\n");
	foreach(lc, o->top)
	{
		const MSTopCounter *top = lfirst(lc);

		appendStringInfo(buf, "  %12s ", or_none(top->count));
		text_bar(buf, top->share);
		for (int i = 0; i < o->nkeys; i++)
			appendStringInfo(buf, "%s%s", i == 0 ? "  " : ", ",
							 top->key[i] == NULL ? "(null)" :
							 ms_page_clip(top->key[i], 100));
		if (top->first != NULL || top->last != NULL)
			appendStringInfo(buf, "  %s to %s", or_none(top->first),
							 or_none(top->last));
		appendStringInfoChar(buf, '\n');
	}
	if (o->top == NIL)
		appendStringInfoString(buf, "  none\n");
}

static void
text_days(StringInfo buf, const MSOverview *o)
{
	ListCell   *lc;

	if (o->days == NIL)
		return;
	appendStringInfo(buf, "\nDays, by column %s\n", o->day_column);
	foreach(lc, o->days)
	{
		const MSDay *day = lfirst(lc);

		appendStringInfo(buf, "  %12s ", or_none(day->count));
		text_bar(buf, day->share);
		appendStringInfo(buf, "  %s\n", day->day);
	}
}

static void
text_remedies(StringInfo buf, const MSOverview *o)
{
	ListCell   *lc;

	appendStringInfoString(buf, "\nWhat would help\n");
	foreach(lc, o->remedies)
	{
		const MSObstacle *obstacle = lfirst(lc);

		appendStringInfo(buf, "  %s\n    %s\n    %s\n", obstacle->what,
						 obstacle->consequence, obstacle->remedy);
	}
	if (o->hint != NULL)
		appendStringInfo(buf, "  as this session has counted: %s\n", o->hint);
	if (o->remedies == NIL && o->hint == NULL)
		appendStringInfoString(buf, "  nothing known\n");
}

static char *
text_report(const MSOverview *o)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%s: %s %s, %s in all, first seen %s, last seen %s\n",
					 o->table, o->counters,
					 strcmp(o->counters, "1") == 0 ? "counter" : "counters",
					 or_none(o->total),
					 or_none(o->first), or_none(o->last));
	appendStringInfo(&buf, "counted: %s%s, %s path%s%s\n", o->apply,
					 o->spill ? " with spill" : "", o->path,
					 o->reason ? ": " : "", o->reason ? o->reason : "");
	text_top(&buf, o);
	text_days(&buf, o);
	if (o->waiting_known)
		appendStringInfo(&buf, "\nWaiting: " INT64_FORMAT " spilled, " INT64_FORMAT " buffered, " INT64_FORMAT " with an error\n",
						 o->spilled, o->buffered, o->errors);
	else
		appendStringInfoString(&buf, "\nWaiting: not shown, as row security applies\n");
	appendStringInfo(&buf, "Storage: %s, with indexes %s; " INT64_FORMAT " updates, " INT64_FORMAT " of them HOT; " INT64_FORMAT " dead rows beside " INT64_FORMAT "\n",
					 or_none(o->size), or_none(o->size_all), o->updates,
					 o->hot, o->dead, o->live);
	if (o->counted)
	{
		appendStringInfo(&buf, "This session: " INT64_FORMAT " calls",
						 ms_tally_calls(&o->tally));
		for (int i = 0; i < MS_OUTCOMES; i++)
			if (o->tally.counts[i] > 0)
				appendStringInfo(&buf, ", " INT64_FORMAT " %s",
								 o->tally.counts[i], ms_outcome_name(i));
		appendStringInfo(&buf, "; " INT64_FORMAT " waits for a lock, " INT64_FORMAT " fallbacks\n",
						 o->tally.lock_waits, o->tally.fallbacks);
	}
	text_remedies(&buf, o);
	return buf.data;
}

/*
 * JSON: what is counted is text, as a count need not be a number of JSON
 */

static void
json_key_of(StringInfo buf, const MSOverview *o, const MSTopCounter *top)
{
	ms_json_key(buf, "key");
	appendStringInfoChar(buf, '{');
	for (int i = 0; i < o->nkeys; i++)
		ms_json_text(buf, o->keys[i], top->key[i]);
	appendStringInfoChar(buf, '}');
}

static void
json_counters(StringInfo buf, const MSOverview *o)
{
	ListCell   *lc;

	ms_json_key(buf, "top");
	appendStringInfoChar(buf, '[');
	foreach(lc, o->top)
	{
		const MSTopCounter *top = lfirst(lc);

		ms_json_key(buf, NULL);
		appendStringInfoChar(buf, '{');
		json_key_of(buf, o, top);
		ms_json_text(buf, "count", top->count);
		ms_json_text(buf, "first_seen", top->first);
		ms_json_text(buf, "last_seen", top->last);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
	ms_json_key(buf, "days");
	appendStringInfoChar(buf, '[');
	foreach(lc, o->days)
	{
		const MSDay *day = lfirst(lc);

		ms_json_key(buf, NULL);
		appendStringInfoChar(buf, '{');
		ms_json_text(buf, "day", day->day);
		ms_json_text(buf, "count", day->count);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

static void
json_state(StringInfo buf, const MSOverview *o)
{
	ms_json_key(buf, "waiting");
	if (o->waiting_known)
	{
		appendStringInfoChar(buf, '{');
		ms_json_int(buf, "spilled", o->spilled);
		ms_json_int(buf, "buffered", o->buffered);
		ms_json_int(buf, "errors", o->errors);
		appendStringInfoChar(buf, '}');
	}
	else
		appendStringInfoString(buf, "null");
	ms_json_key(buf, "storage");
	appendStringInfoChar(buf, '{');
	ms_json_int(buf, "bytes", o->heap);
	ms_json_int(buf, "updates", o->updates);
	ms_json_int(buf, "hot_updates", o->hot);
	ms_json_int(buf, "live_rows", o->live);
	ms_json_int(buf, "dead_rows", o->dead);
	appendStringInfoChar(buf, '}');
	ms_json_key(buf, "session");
	if (o->counted)
	{
		appendStringInfoChar(buf, '{');
		for (int i = 0; i < MS_OUTCOMES; i++)
			ms_json_int(buf, ms_outcome_name(i), o->tally.counts[i]);
		ms_json_int(buf, "lock_waits", o->tally.lock_waits);
		ms_json_int(buf, "fallbacks", o->tally.fallbacks);
		ms_json_text(buf, "hint", o->hint);
		appendStringInfoChar(buf, '}');
	}
	else
		appendStringInfoString(buf, "null");
}

static char *
json_report(const MSOverview *o)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	ms_json_text(&buf, "table", o->table);
	ms_json_text(&buf, "apply", o->apply);
	ms_json_key(&buf, "spill");
	appendStringInfoString(&buf, o->spill ? "true" : "false");
	ms_json_text(&buf, "path", o->path);
	ms_json_text(&buf, "reason", o->reason);
	ms_json_key(&buf, "counters");
	appendStringInfoString(&buf, o->counters);
	ms_json_text(&buf, "total", o->total);
	ms_json_text(&buf, "first_seen", o->first);
	ms_json_text(&buf, "last_seen", o->last);
	json_counters(&buf, o);
	json_state(&buf, o);
	ms_json_key(&buf, "remedies");
	appendStringInfoChar(&buf, '[');
	foreach(lc, o->remedies)
	{
		const MSObstacle *obstacle = lfirst(lc);

		ms_json_key(&buf, NULL);
		appendStringInfoChar(&buf, '{');
		ms_json_text(&buf, "what", obstacle->what);
		ms_json_text(&buf, "consequence", obstacle->consequence);
		ms_json_text(&buf, "statement", obstacle->remedy);
		appendStringInfoChar(&buf, '}');
	}
	appendStringInfoString(&buf, "]}");
	return buf.data;
}

/* counter_report(target, format) */
Datum
ms_counter_report(PG_FUNCTION_ARGS)
{
	MSFormat	format = ms_report_format(PG_GETARG_TEXT_PP(1));
	MSOverview *o = ms_overview(PG_GETARG_OID(0));

	return ms_report_rows(fcinfo, format,
						  format == MS_HTML ? ms_overview_html(o) :
						  format == MS_JSON ? json_report(o) : text_report(o));
}
