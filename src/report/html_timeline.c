/*-------------------------------------------------------------------------
 *
 * html_timeline.c
 *	  The page's timeline: a lane for each shape of each unit, in the order of
 *	  their first statement, and in it a mark for each statement.
 *
 * It is what the ring still has.  A page holds so many marks, and no more:
 * what lies within a pixel of each other is one, so is an N+1 run, and the
 * units that took the least are only named.  What is left out is said.
 *
 * Places and widths are percentages, so that a mark is as high, and a cross as
 * square, on a narrow screen as on a wide one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "page/page.h"
#include "report/report_internal.h"

#define MAX_UNITS	200
#define MAX_MARKS	2000
#define MAX_LANES	200			/* of a unit */
#define OPEN_UNITS	5			/* that took most; the others are folded */
#define LANE_TEXT	80			/* bytes of a shape's text */
#define PIXEL		0.1			/* of a lane, in percent */

typedef struct Mark
{
	int64		from_ns;
	int64		to_ns;
	int64		busy_ns;
	uint64		first;			/* numbers of statements */
	uint64		last;
	int			statements;
	uint64		rows;
	const char *kind;			/* class of the style */
	bool		failed;
	bool		run;			/* N+1 */
} Mark;

typedef struct Lane
{
	uint64		shape;
	Oid			userid;
	bool		toplevel;
	bool		rest;			/* of all shapes that have no lane */
	char	   *text;
	int			place;			/* in the table of shapes, or 0 */
	const MSCandidate *run;		/* that it is, in part, or NULL */
	int			statements;
	int64		busy_ns;
	List	   *marks;
} Lane;

typedef struct Unit
{
	uint64		number;
	uint64		first_seq;
	uint64		last_seq;
	const char *label;
	int			label_len;
	int64		from_ns;
	int64		to_ns;
	int64		busy_ns;
	int			statements;		/* of the client */
	int			errors;
	int			runs;
	bool		drawn;
	bool		open;
	List	   *lanes;
} Unit;

static int64
busy_of(const MSRecord *r)
{
	return r->plan_ns + r->exec_ns + r->commit_ns;
}

static const char *
kind_of(const MSRecord *r)
{
	switch (r->class)
	{
		case MS_CLASS_CONTROL:
			return "t";
		case MS_CLASS_CATALOG:
		case MS_CLASS_PING:
		case MS_CLASS_DRIVER:
			return "d";
		default:
			break;
	}
	switch (r->tag)
	{
		case CMDTAG_SELECT:
			return "q";
		case CMDTAG_INSERT:
		case CMDTAG_UPDATE:
		case CMDTAG_DELETE:
			return "w";
		default:
			return ms_tag_is_merge(r->tag) ? "w" : "o";
	}
}

/*
 * Units.  Of a record the last bits of its unit's number are known, and of the
 * newest one the number: numbers are counted from the end.
 */
static List *
find_units(List *candidates)
{
	List	   *units = NIL;
	Unit	   *unit = NULL;
	MSRecord   *r;
	uint64		seq;
	uint64		number;
	uint16		bits = 0;

	for (seq = ms_profile.tail_seq; (r = ms_profile_record(seq)) != NULL; seq++)
	{
		CHECK_FOR_INTERRUPTS();
		if (r->hidden)
			continue;
		if (unit == NULL || r->unit != bits)
		{
			unit = palloc0(sizeof(Unit));
			unit->first_seq = seq;
			unit->from_ns = r->start_ns;
			unit->to_ns = r->start_ns;
			units = lappend(units, unit);
			bits = r->unit;
		}
		unit->last_seq = seq;
		unit->from_ns = Min(unit->from_ns, r->start_ns);
		unit->to_ns = Max(unit->to_ns, r->start_ns + busy_of(r));
		if (r->label_len > 0)
		{
			unit->label = ms_record_text(r) - r->label_len;
			unit->label_len = r->label_len;
		}
		if (r->level > 0)
			continue;
		unit->statements++;
		unit->busy_ns += busy_of(r);
		unit->errors += r->status == MS_ERROR;
	}

	number = ms_profile.unit;
	for (int i = list_length(units) - 1; i >= 0; i--)
	{
		ListCell   *lc;

		unit = list_nth(units, i);
		bits = ms_profile_record(unit->last_seq)->unit;
		number -= (uint16) ((uint16) number - bits);
		unit->number = number;
		foreach(lc, candidates)
			unit->runs += ((MSCandidate *) lfirst(lc))->unit == number;
	}
	return units;
}

/*
 * Lanes
 */

static const MSCandidate *
candidate_of(List *candidates, const Unit *unit, const MSRecord *r)
{
	ListCell   *lc;

	foreach(lc, candidates)
	{
		const MSCandidate *c = lfirst(lc);

		if (c->unit != unit->number || c->userid != r->userid)
			continue;
		for (int i = 0; i < c->shapes; i++)
			if (c->hashes[i] == r->shape)
				return c;
	}
	return NULL;
}

/* from 1; 0: it is none of them */
static int
place_of(List *shapes, const MSShape *shape)
{
	ListCell   *lc;
	int			place = 0;

	foreach(lc, shapes)
	{
		place++;
		if (lfirst(lc) == shape)
			return place;
	}
	return 0;
}

static Lane *
lane_of(Unit *unit, const MSRecord *r, List *shapes, List *candidates)
{
	bool		toplevel = r->level == 0;
	MSShape    *shape;
	Lane	   *lane;
	ListCell   *lc;

	foreach(lc, unit->lanes)
	{
		lane = lfirst(lc);
		if (lane->rest || (lane->shape == r->shape &&
						   lane->userid == r->userid &&
						   lane->toplevel == toplevel))
			return lane;
	}
	lane = palloc0(sizeof(Lane));
	unit->lanes = lappend(unit->lanes, lane);
	if (list_length(unit->lanes) > MAX_LANES)
	{
		lane->rest = true;
		lane->toplevel = true;
		lane->text = "(others)";
		return lane;
	}
	lane->shape = r->shape;
	lane->userid = r->userid;
	lane->toplevel = toplevel;
	shape = ms_shapes_find(r->shape, r->userid, toplevel);
	lane->text = ms_page_clip(shape != NULL ? ms_report_shape_text(shape) :
							  ms_report_record_text(r), LANE_TEXT);
	lane->place = shape != NULL ? place_of(shapes, shape) : 0;
	lane->run = candidate_of(candidates, unit, r);
	return lane;
}

static bool
is_of_run(const Lane *lane, const MSRecord *r)
{
	return lane->run != NULL && r->status != MS_ERROR &&
		r->number >= lane->run->first_number &&
		r->number <= lane->run->last_number;
}

/* the mark that a record is part of, or NULL where it is to have its own */
static Mark *
mark_for(const Lane *lane, const MSRecord *r, const char *kind, int64 pixel_ns)
{
	Mark	   *latest = lane->marks == NIL ? NULL : llast(lane->marks);
	ListCell   *lc;

	if (is_of_run(lane, r))
	{
		foreach(lc, lane->marks)
			if (((Mark *) lfirst(lc))->run)
				return lfirst(lc);
		return NULL;
	}
	if (latest == NULL || latest->run || latest->kind != kind ||
		latest->failed != (r->status == MS_ERROR) ||
		r->start_ns - Max(latest->to_ns, latest->from_ns + pixel_ns) > pixel_ns)
		return NULL;
	return latest;
}

static void
add_record(Unit *unit, MSRecord *r, List *shapes, List *candidates)
{
	Lane	   *lane = lane_of(unit, r, shapes, candidates);
	const char *kind = kind_of(r);
	Mark	   *mark = mark_for(lane, r, kind,
								(unit->to_ns - unit->from_ns) * PIXEL / 100);

	lane->statements++;
	lane->busy_ns += busy_of(r);
	if (mark == NULL)
	{
		mark = palloc0(sizeof(Mark));
		mark->from_ns = r->start_ns;
		mark->first = r->number;
		mark->kind = kind;
		mark->failed = r->status == MS_ERROR;
		mark->run = is_of_run(lane, r);
		lane->marks = lappend(lane->marks, mark);
	}
	mark->to_ns = Max(mark->to_ns, r->start_ns + busy_of(r));
	mark->busy_ns += busy_of(r);
	mark->last = r->number;
	mark->statements++;
	mark->rows += r->rows;
}

/* how many marks it takes */
static int
draw_unit(Unit *unit, List *shapes, List *candidates)
{
	MSRecord   *r;
	ListCell   *lc;
	int			marks = 0;

	for (uint64 seq = unit->first_seq; seq <= unit->last_seq; seq++)
	{
		CHECK_FOR_INTERRUPTS();
		r = ms_profile_record(seq);
		if (!r->hidden)
			add_record(unit, r, shapes, candidates);
	}
	foreach(lc, unit->lanes)
		marks += list_length(((Lane *) lfirst(lc))->marks);
	return marks;
}

static int
by_busy(const ListCell *a, const ListCell *b)
{
	int64		x = ((Unit *) lfirst(a))->busy_ns;
	int64		y = ((Unit *) lfirst(b))->busy_ns;

	return x > y ? -1 : x < y ? 1 : 0;
}

/* those that took most, as far as there is room; one mark each is its own */
static void
draw_units(List *units, List *shapes, List *candidates)
{
	List	   *sorted = list_copy(units);
	int			room = MAX_MARKS - Min(list_length(units), MAX_UNITS);
	ListCell   *lc;
	int			n = 0;

	list_sort(sorted, by_busy);
	foreach(lc, sorted)
	{
		Unit	   *unit = lfirst(lc);
		int			marks;

		if (n == MAX_UNITS)
			break;
		unit->drawn = true;
		unit->open = n++ < OPEN_UNITS;
		marks = draw_unit(unit, shapes, candidates);
		if (marks > room)
			unit->lanes = NIL;
		else
			room -= marks;
	}
}

/*
 * Writing
 */

static double
percent(int64 ns, int64 of_ns)
{
	return of_ns > 0 ? Min(Max(ns * 100.0 / of_ns, 0), 100) : 0;
}

/* what has failed is not only of another colour */
static void
put_cross(StringInfo page, double x, int y)
{
	ms_page(page, "<svg x=\"%.2f%%\" y=\"%d\"><path class=\"x\" d=\"M-4-4 4 4M-4 4 4-4\"/></svg>",
			x, y);
}

static void
put_mark(StringInfo page, const Unit *unit, const Mark *mark)
{
	int64		span_ns = unit->to_ns - unit->from_ns;
	double		width = Max(percent(mark->to_ns - mark->from_ns, span_ns),
							2 * PIXEL);
	double		x = Min(percent(mark->from_ns - unit->from_ns, span_ns),
						100 - width);
	char	   *which = mark->first == mark->last ?
		psprintf("no. " UINT64_FORMAT, mark->first) :
		psprintf("%d of nos. " UINT64_FORMAT " to " UINT64_FORMAT,
				 mark->statements, mark->first, mark->last);

	ms_page(page, "<rect class=\"%s\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" height=\"%d\"><title>%s: %s, " UINT64_FORMAT " rows%s</title></rect>",
			mark->run ? "m" : mark->failed ? "e" : mark->kind,
			x, mark->run ? 1 : 3, width, mark->run ? 14 : 10, which,
			ms_page_time(mark->busy_ns), mark->rows,
			mark->failed ? ", failed" : mark->run ? ", N+1" : "");
	if (mark->failed)
		put_cross(page, x + width / 2, 8);
	if (mark->run)
		ms_page(page, "<text class=\"mt\" x=\"%.2f%%\" y=\"12\" text-anchor=\"%s\">%d&#xD7;</text>",
				width >= 12 ? x + width / 2 : x > 80 ? x - 0.5 : x + width + 0.5,
				width >= 12 ? "middle" : x > 80 ? "end" : "start",
				mark->statements);
}

static void
put_lane(StringInfo page, const Unit *unit, const Lane *lane)
{
	const char *inner = lane->toplevel ? "" : " class=\"inner\"";
	const Mark *first = linitial(lane->marks);
	ListCell   *lc;

	appendStringInfoString(page, "<li>");
	if (lane->place > 0)
	{
		appendStringInfo(page, "<a href=\"#s%d\"%s>", lane->place, inner);
		ms_page(page, "<code>%s</code></a>", lane->text);
	}
	else
	{
		appendStringInfo(page, "<span%s>", inner);
		ms_page(page, "<code>%s</code></span>", lane->text);
	}
	if (lane->statements > 1)
		ms_page(page, "<span class=\"n\">%d&#xD7;</span>", lane->statements);
	else
		appendStringInfoString(page, "<span class=\"n\"></span>");
	ms_page(page, "<span class=\"n\">%s</span><svg role=\"img\" width=\"100%%\" height=\"16\"><title>%s after the unit's begin</title>",
			ms_page_time(lane->busy_ns),
			ms_page_time(first->from_ns - unit->from_ns));
	foreach(lc, lane->marks)
		put_mark(page, unit, lfirst(lc));
	appendStringInfoString(page, "</svg></li>\n");
}

static void
put_axis(StringInfo page, const Unit *unit)
{
	appendStringInfoString(page, "<li class=\"axis\"><span></span><span class=\"n\"></span><span class=\"n\"></span><span class=\"ticks\">");
	for (int i = 0; i < 4; i++)
		ms_page(page, "<span>%s</span>", i == 0 ? "0" :
				ms_page_time((unit->to_ns - unit->from_ns) * (double) i / 4));
	appendStringInfoString(page, "</span></li>\n");
}

static void
put_unit(StringInfo page, const Unit *unit)
{
	ListCell   *lc;

	appendStringInfoString(page, unit->open ? "<details class=\"unit\" open>" :
						   "<details class=\"unit\">");
	if (unit->label != NULL)
		ms_page(page, "<summary><h3>%s</h3><span>unit " UINT64_FORMAT "</span>",
				pnstrdup(unit->label, unit->label_len), unit->number);
	else
		ms_page(page, "<summary><h3>Unit " UINT64_FORMAT "</h3>",
				unit->number);
	ms_page(page, "<span>%d %s</span><span>%s of %s in the database</span>",
			unit->statements,
			unit->statements == 1 ? "statement" : "statements",
			ms_page_time(unit->busy_ns),
			ms_page_time(unit->to_ns - unit->from_ns));
	if (unit->runs > 0)
		ms_page(page, "<span class=\"tag many\">%d N+1</span>", unit->runs);
	if (unit->errors > 0)
		ms_page(page, "<span class=\"tag bad\">%d failed</span>",
				unit->errors);
	appendStringInfoString(page, "</summary>\n");
	if (unit->lanes == NIL)
		ms_page_note(page, "Not drawn: the page has as many marks as it may.");
	else
	{
		appendStringInfoString(page, "<ul class=\"lanes\">\n");
		foreach(lc, unit->lanes)
			put_lane(page, unit, lfirst(lc));
		put_axis(page, unit);
		appendStringInfoString(page, "</ul>\n");
	}
	appendStringInfoString(page, "</details>\n");
}

/* all units, each where the session was in it */
static void
put_session(StringInfo page, List *units)
{
	const Unit *first = linitial(units);
	const Unit *last = llast(units);
	int64		from_ns = first->from_ns;
	int64		span_ns = Max(last->to_ns, first->to_ns) - from_ns;
	ListCell   *lc;

	ms_page(page, "<svg class=\"session\" role=\"img\" width=\"100%%\" height=\"20\"><title>The session</title><desc>%d units within %s, each from its first statement to the end of its last</desc>",
			list_length(units), ms_page_time(span_ns));
	foreach(lc, units)
	{
		const Unit *unit = lfirst(lc);
		double		width = Max(percent(unit->to_ns - unit->from_ns, span_ns),
								2 * PIXEL);
		double		x = Min(percent(unit->from_ns - from_ns, span_ns),
							100 - width);

		if (!unit->drawn)
			continue;
		ms_page(page, "<rect class=\"%s\" x=\"%.2f%%\" y=\"4\" width=\"%.2f%%\" height=\"12\"><title>unit " UINT64_FORMAT "</title></rect>",
				unit->runs > 0 ? "m" : "u", x, width, unit->number);
		if (unit->errors > 0)
			put_cross(page, x + width / 2, 10);
	}
	appendStringInfoString(page, "</svg>\n");
}

static void
put_legend(StringInfo page)
{
	static const char *const kinds[][2] = {
		{"q", "reads"}, {"w", "writes"}, {"o", "other commands"},
		{"t", "transaction control"}, {"d", "catalogs, pings, the driver's own"},
		{"e", "failed (a cross)"}, {"m", "N+1: one statement again and again"}
	};

	appendStringInfoString(page, "<ul class=\"legend\">");
	for (int i = 0; i < lengthof(kinds); i++)
		ms_page(page, "<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"%s\" x=\"1\" y=\"1\" width=\"10\" height=\"10\"/></svg>%s</li>",
				kinds[i][0], kinds[i][1]);
	appendStringInfoString(page, "</ul>\n");
}

void
ms_report_timeline(StringInfo page, List *shapes, List *candidates)
{
	List	   *units = find_units(candidates);
	int			left_out = 0;
	int64		left_out_ns = 0;
	ListCell   *lc;

	ms_page_section(page, "timeline", "Timeline");
	if (units == NIL)
	{
		ms_page_note(page, "No statement is listed any more.");
		ms_page_section_end(page);
		return;
	}
	draw_units(units, shapes, candidates);
	ms_page_note(page, "A unit is what the session did between two marks or pauses. In it a line is a statement's shape, and a mark when it ran; each unit has its own scale.");
	put_legend(page);
	if (list_length(units) > 1)
		put_session(page, units);
	foreach(lc, units)
	{
		Unit	   *unit = lfirst(lc);

		if (unit->drawn)
			put_unit(page, unit);
		else
		{
			left_out++;
			left_out_ns += unit->busy_ns;
		}
	}
	if (left_out > 0)
		ms_page_note(page, psprintf("Left out: %d units that took least, %s in all.",
									left_out, ms_page_time(left_out_ns)));
	if (ms_profile.dropped > 0)
		ms_page_note(page, psprintf("Statements of before are not listed any more: " UINT64_FORMAT ".",
									ms_profile.dropped));
	ms_page_section_end(page);
}
