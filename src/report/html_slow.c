/*-------------------------------------------------------------------------
 *
 * html_slow.c
 *	  The page's section of slow runs, each with its plan as a tree.
 *
 * A line is a node of the plan, its bar as wide as the rows that it gave, on
 * one scale for the plan, and coloured by its share of the rows that all nodes
 * gave or threw away: there is no time of a node.  Where ten times as many
 * rows came as were planned for, or a tenth, it is marked, and a stroke stands
 * where the bar should have ended.
 *
 * Conditions are shown as statements are, without their constants.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "page/page.h"
#include "report/report_internal.h"
#include "shape/shape.h"
#include "slow/slow.h"

#define MAX_RUNS		20
#define MAX_NODES		500		/* of all of them */
#define OPEN_RUNS		3		/* the others are folded */
#define MAX_DEPTH		12		/* what is deeper stands no further right */
#define CONDITION_TEXT	300		/* bytes */
#define OFF				10.0	/* times */
#define LEAST_WIDTH		0.2		/* of a line, in percent */

/* classes of the style, by share from so much on */
static const struct
{
	double		from;
	const char *class;
	const char *name;
}			heats[] = {
	{0.5, "h5", "half or more of all rows"}, {0.25, "h4", "a quarter"},
	{0.1, "h3", "a tenth"}, {0.01, "h2", "a hundredth"}, {0, "h1", "less"}
};

static const char *
heat_of(double share)
{
	int			i = 0;

	while (share < heats[i].from)
		i++;
	return heats[i].class;
}

static void
put_legend(StringInfo page)
{
	appendStringInfoString(page, "<ul class=\"legend\">");
	for (int i = 0; i < lengthof(heats); i++)
		ms_page(page, "<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"%s\" x=\"1\" y=\"1\" width=\"10\" height=\"10\"/></svg>%s</li>",
				heats[i].class, heats[i].name);
	appendStringInfoString(page, "<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><path class=\"off\" d=\"M6 0v12\"/></svg>planned for, where that is off by 10 or more</li></ul>\n");
}

/*
 * Nodes
 */

static bool
is_off(const MSSlowNode *node)
{
	return node->off >= OFF || (node->off > 0 && node->off <= 1 / OFF);
}

static void
put_condition(StringInfo page, const char *name, const char *condition)
{
	char		text[CONDITION_TEXT];
	uint64		literals;

	if (condition == NULL)
		return;
	ms_shape(condition, strlen(condition), text, sizeof(text), &literals);
	ms_page(page, "<span class=\"cond\">%s <code>%s</code></span>", name, text);
}

static void
put_name(StringInfo page, const MSSlowNode *node)
{
	appendStringInfo(page, "<div class=\"p%d\">", Min(node->depth, MAX_DEPTH));
	if (node->part != NULL)
		ms_page(page, "<span class=\"soft\">%s:</span> ", node->part);
	ms_page(page, "<strong>%s</strong>", node->name);
	if (node->relation != NULL || node->alias != NULL)
		ms_page(page, " on <code>%s%s%s</code>",
				node->relation ? node->relation : "",
				node->relation && node->alias ? " " : "",
				node->alias ? node->alias : "");
	if (node->index != NULL)
		ms_page(page, " using <code>%s</code>", node->index);
	if (is_off(node))
		ms_page(page, " <span class=\"tag many\">%.0f times as %s rows as planned for</span>",
				node->off > 1 ? node->off : 1 / node->off,
				node->off > 1 ? "many" : "few");
	put_condition(page, "by", node->index_cond);
	put_condition(page, "joined by", node->join_cond);
	put_condition(page, "filter", node->filter);
	if (node->removed > 0)
		ms_page(page, "<span class=\"cond\">%.0f rows thrown away</span>",
				node->removed);
	appendStringInfoString(page, "</div>");
}

static double
width_of(double rows, double most)
{
	return most > 0 ? Min(Max(rows * 100 / most, LEAST_WIDTH), 100) : 0;
}

static void
put_bar(StringInfo page, const MSSlowNode *node, double most)
{
	double		planned = Max(node->estimated, 1) * node->loops;

	ms_page(page, "<svg role=\"img\" width=\"100%%\" height=\"16\"><title>%.0f rows, %.0f thrown away: %.1f %% of all</title><desc>%.0f planned for, in %.0f loops</desc>",
			node->rows, node->removed, node->share * 100, planned, node->loops);
	ms_page(page, "<rect class=\"%s\" x=\"0\" y=\"3\" width=\"%.2f%%\" height=\"10\"/>",
			heat_of(node->share), width_of(node->rows, most));
	if (is_off(node))
		ms_page(page, "<svg x=\"%.2f%%\"><path class=\"off\" d=\"M0 0v16\"/></svg>",
				Min(width_of(planned, most), 100 - LEAST_WIDTH));
	appendStringInfoString(page, "</svg>");
}

static void
put_node(StringInfo page, const MSSlowNode *node, double most)
{
	ms_page(page, "<li aria-level=\"%d\">", node->depth + 1);
	put_name(page, node);
	if (node->loops < 0)
		ms_page(page, "<span class=\"n\">%.0f planned</span>", node->estimated);
	else if (node->loops == 0)
		appendStringInfoString(page, "<span class=\"n\">never run</span>");
	else
	{
		ms_page(page, "<span class=\"n\">%.0f rows</span><span class=\"n\">%.0f %%</span>",
				node->rows, node->share * 100);
		put_bar(page, node, most);
	}
	appendStringInfoString(page, "</li>\n");
}

/* takes from room what it has drawn */
static void
put_plan(StringInfo page, const MSSlowRun *run, int *room)
{
	int			left_out;
	List	   *nodes = ms_slow_nodes(run, &left_out);
	double		most = 0;
	ListCell   *lc;

	if (nodes == NIL)
	{
		ms_page_note(page, "Its plan is not known.");
		return;
	}
	if (list_length(nodes) > *room)
	{
		ms_page_note(page, "Its plan finds no room on this page; the view slow_runs has it.");
		return;
	}
	*room -= list_length(nodes);
	foreach(lc, nodes)
		most = Max(most, ((MSSlowNode *) lfirst(lc))->rows);
	appendStringInfoString(page, "<ul class=\"plan\">\n");
	foreach(lc, nodes)
		put_node(page, lfirst(lc), most);
	appendStringInfoString(page, "</ul>\n");
	ms_report_left_out(page, list_length(nodes) + left_out,
					   list_length(nodes), "nodes that were not kept");
}

/*
 * Runs
 */

/* its shape, as long as that is known, else made of what is kept of it */
static const char *
text_of(const MSSlowRun *run)
{
	MSShape    *shape = ms_shapes_find(run->shape, run->userid, run->toplevel);
	char	   *text;
	uint64		literals;

	if (!ms_may_see(run->userid))
		return MS_INSUFFICIENT_PRIVILEGE;
	if (shape != NULL && !ms_shape_is_others(shape))
		return ms_report_shape_text(shape);
	text = palloc(MS_SHAPE_TEXT);
	ms_shape(run->text, run->text_len, text, MS_SHAPE_TEXT, &literals);
	return text;
}

static void
put_run(StringInfo page, const MSSlowRun *run, bool open, int *room)
{
	const char *label = ms_label_text(run->label);

	appendStringInfoString(page, open ? "<details class=\"unit\" open>" :
						   "<details class=\"unit\">");
	ms_page(page, "<summary><h3>%s</h3><span>statement " UINT64_FORMAT "</span><span>planning %s, execution %s</span><span>" UINT64_FORMAT " %s</span>",
			ms_page_time(run->plan_ns + run->exec_ns), run->number,
			ms_page_time(run->plan_ns), ms_page_time(run->exec_ns), run->rows,
			run->rows == 1 ? "row" : "rows");
	if (label != NULL)
		ms_page(page, "<span class=\"tag\">%s</span>", label);
	if (run->status == MS_ERROR)
		ms_page(page, "<span class=\"tag bad\">failed, %s</span>",
				ms_sqlstate(run->sqlerrcode));
	appendStringInfoString(page, "</summary>\n<div class=\"slow\">");
	ms_report_statement(page, text_of(run));
	if (ms_may_see(run->userid))
		put_plan(page, run, room);
	appendStringInfoString(page, "</div></details>\n");
}

void
ms_report_slow_html(StringInfo page)
{
	List	   *runs = ms_slow_runs();
	int			room = MAX_NODES;
	int			n = 0;
	ListCell   *lc;

	ms_page_section(page, "slow", "Slow runs");
	if (runs == NIL)
		ms_page_note(page, "None. The setting missing_symbol.slow_threshold says what is slow.");
	else
	{
		ms_page_note(page, "The slowest first. A bar is as wide as the rows that the node gave, all loops together. Its colour, and the percentage, is the share that it gave or threw away of the rows of all nodes.");
		put_legend(page);
	}
	foreach(lc, runs)
	{
		if (n == MAX_RUNS)
			break;
		put_run(page, lfirst(lc), n++ < OPEN_RUNS, &room);
	}
	ms_report_left_out(page, list_length(runs), n, "that were faster");
	if (ms_slow_lost() > 0)
		ms_page_note(page, psprintf("Not kept: " UINT64_FORMAT ". The slowest are, at most four of a shape.",
									ms_slow_lost()));
	ms_page_section_end(page);
}
