/*-------------------------------------------------------------------------
 *
 * slow.c
 *	  The view slow_runs, and the findings of what was slow.
 *
 * Of statements whose text the user may not see it tells when and how long,
 * as the view queries does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "advice/advice.h"
#include "page/page.h"
#include "profile/profile.h"
#include "report/report_internal.h"
#include "slow/slow.h"

PG_FUNCTION_INFO_V1(ms_slow_runs_view);

/*
 * A plan as text, as EXPLAIN (ANALYZE, TIMING OFF) has it
 */

static void
put_condition(StringInfo text, int indent, const char *name,
			  const char *condition)
{
	if (condition != NULL)
		appendStringInfo(text, "\n%*s%s: %s", indent, "", name, condition);
}

static void
put_node_text(StringInfo text, const MSSlowNode *node)
{
	int			indent = node->depth * 6;

	if (text->len > 0)
		appendStringInfoChar(text, '\n');
	if (node->part != NULL)
		appendStringInfo(text, "%*s%s\n", Max(indent - 4, 0), "", node->part);
	appendStringInfo(text, "%*s%s%s", Max(indent - 4, 0), "",
					 node->depth > 0 ? "->  " : "", node->name);
	if (node->index != NULL)
		appendStringInfo(text, " using %s", node->index);
	if (node->relation != NULL)
		appendStringInfo(text, " on %s", node->relation);
	if (node->alias != NULL)
		appendStringInfo(text, "%s %s", node->relation ? "" : " on",
						 quote_identifier(node->alias));
	appendStringInfo(text, "  (cost=%.2f..%.2f rows=%.0f width=%d)",
					 node->startup_cost, node->total_cost, node->estimated,
					 node->width);
	if (node->loops > 0)
		appendStringInfo(text, " (actual rows=%.0f loops=%.0f)",
						 node->rows / node->loops, node->loops);
	else if (node->loops == 0)
		appendStringInfoString(text, " (never executed)");
	indent += 2;
	put_condition(text, indent, "Index Cond", node->index_cond);
	put_condition(text, indent, "Join Cond", node->join_cond);
	put_condition(text, indent, "Filter", node->filter);
	if (node->removed > 0)
		appendStringInfo(text, "\n%*sRows Removed: %.0f", indent, "",
						 node->removed / Max(node->loops, 1));
}

static char *
plan_text(List *nodes, int left_out)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, nodes)
		put_node_text(&text, lfirst(lc));
	if (left_out > 0)
		appendStringInfo(&text, "\n(%d more nodes were not kept)", left_out);
	return text.data;
}

/*
 * A plan as jsonb: an object for each node, with its inputs
 */

static void
put_text(StringInfo json, const char *key, const char *value)
{
	if (value != NULL)
		ms_json_text(json, key, value);
}

static void
put_number(StringInfo json, const char *key, int digits, double value)
{
	ms_json_key(json, key);
	appendStringInfo(json, "%.*f", digits, value);
}

static void
put_node_json(StringInfo json, const MSSlowNode *node)
{
	appendStringInfoChar(json, '{');
	put_text(json, "node", node->name);
	put_text(json, "part", node->part);
	put_text(json, "relation", node->relation);
	put_text(json, "alias", node->alias);
	put_text(json, "index", node->index);
	put_text(json, "index_cond", node->index_cond);
	put_text(json, "join_cond", node->join_cond);
	put_text(json, "filter", node->filter);
	put_number(json, "startup_cost", 2, node->startup_cost);
	put_number(json, "total_cost", 2, node->total_cost);
	put_number(json, "width", 0, node->width);
	put_number(json, "estimated_rows", 0, node->estimated);
	if (node->loops >= 0)
	{
		put_number(json, "rows", 0, node->rows);
		put_number(json, "removed", 0, node->removed);
		put_number(json, "loops", 0, node->loops);
		put_number(json, "share", 4, node->share);
	}
	if (node->off > 0)
		put_number(json, "off", node->off < 1 ? 6 : 2, node->off);
}

static Datum
plan_json(List *nodes, int left_out)
{
	StringInfoData json;
	int			depth = -1;
	ListCell   *lc;

	initStringInfo(&json);
	foreach(lc, nodes)
	{
		const MSSlowNode *node = lfirst(lc);

		if (depth >= 0 && node->depth > depth)
		{
			ms_json_key(&json, "plans");
			appendStringInfoChar(&json, '[');
		}
		else if (depth >= 0)
		{
			for (; depth > node->depth; depth--)
				appendStringInfoString(&json, "}]");
			appendStringInfoString(&json, "}, ");
		}
		put_node_json(&json, node);
		if (node->depth == 0 && left_out > 0)
			put_number(&json, "left_out", 0, left_out);
		depth = node->depth;
	}
	for (; depth > 0; depth--)
		appendStringInfoString(&json, "}]");
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/*
 * slow_runs: the slowest first.
 */

#define SLOW_RUNS_COLUMNS	19

static Datum
text_or_null(const char *text, int len, bool *isnull)
{
	*isnull = text == NULL || len <= 0;
	return *isnull ? (Datum) 0 :
		PointerGetDatum(cstring_to_text_with_len(text, len));
}

static Datum
hidden_text(bool see, const char *text, int len, bool *isnull)
{
	if (see)
		return text_or_null(text, len, isnull);
	*isnull = false;
	return CStringGetTextDatum(MS_INSUFFICIENT_PRIVILEGE);
}

static void
put_run(ReturnSetInfo *rsinfo, const MSSlowRun *run)
{
	bool		see = ms_may_see(run->userid);
	MSShape    *shape = ms_shapes_find(run->shape, run->userid, run->toplevel);
	const char *label = ms_label_text(run->label);
	int			left_out = 0;
	List	   *nodes = see ? ms_slow_nodes(run, &left_out) : NIL;
	Datum		values[SLOW_RUNS_COLUMNS] = {0};
	bool		nulls[SLOW_RUNS_COLUMNS] = {0};
	int			i = 0;

	nulls[i] = run->number == 0;
	values[i++] = Int64GetDatum(run->number);
	values[i] = text_or_null(label, label ? strlen(label) : 0, &nulls[i]);
	i++;
	values[i] = hidden_text(see, shape ? shape->text : NULL,
							shape ? shape->text_len : 0, &nulls[i]);
	i++;
	nulls[i] = !see || run->queryid == 0;
	values[i++] = Int64GetDatum((int64) run->queryid);
	values[i++] = ObjectIdGetDatum(run->userid);
	values[i++] = BoolGetDatum(run->toplevel);
	values[i++] = TimestampTzGetDatum(ms_profile.anchor_time +
									  (run->start_ns - ms_profile.anchor_ns) / 1000);
	values[i++] = Float8GetDatum((run->plan_ns + run->exec_ns) / 1e6);
	values[i++] = Float8GetDatum(run->plan_ns / 1e6);
	values[i++] = Float8GetDatum(run->exec_ns / 1e6);
	values[i++] = Int64GetDatum(run->rows);
	values[i++] = CStringGetTextDatum(ms_status_name(run->status,
													 run->sqlerrcode));
	nulls[i] = run->status != MS_ERROR;
	values[i++] = CStringGetTextDatum(ms_sqlstate(run->sqlerrcode));
	values[i] = hidden_text(see, run->text, run->text_len, &nulls[i]);
	i++;
	if (run->params_len < 0)
		nulls[i++] = true;
	else
	{
		values[i] = hidden_text(see, run->params, run->params_len, &nulls[i]);
		i++;
	}
	values[i] = see ? ms_tags(run->text, run->text_len) : (Datum) 0;
	nulls[i] = values[i] == (Datum) 0;
	i++;
	values[i++] = CStringGetTextDatum(ms_application_name(run->application));
	nulls[i] = nodes == NIL;
	if (nodes != NIL)
		values[i] = CStringGetTextDatum(plan_text(nodes, left_out));
	i++;
	nulls[i] = nodes == NIL;
	if (nodes != NIL)
		values[i] = plan_json(nodes, left_out);
	i++;
	Assert(i == SLOW_RUNS_COLUMNS);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
ms_slow_runs_view(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	ms_profile_own();
	InitMaterializedSRF(fcinfo, 0);
	if (!ms_profile.ready)
		return (Datum) 0;
	foreach(lc, ms_slow_runs())
	{
		CHECK_FOR_INTERRUPTS();
		put_run(rsinfo, lfirst(lc));
	}
	return (Datum) 0;
}

/*
 * Findings
 */

static MSFinding *
new_finding(const char *kind, uint64 shape, Oid userid, bool toplevel,
			uint64 queryid)
{
	MSFact	   *fact = palloc0(sizeof(MSFact));
	MSFinding  *finding = palloc0(sizeof(MSFinding));

	fact->shape = shape;
	fact->userid = userid;
	fact->toplevel = toplevel;
	fact->queryid = queryid;
	finding->fact = fact;
	finding->kind = kind;
	finding->rows_read = -1;
	finding->rows_discarded = -1;
	finding->ratio = -1;
	return finding;
}

/* the table of which most rows were read, and its share */
static const MSSlowNode *
heaviest(List *nodes)
{
	const MSSlowNode *most = NULL;
	ListCell   *lc;

	foreach(lc, nodes)
	{
		const MSSlowNode *node = lfirst(lc);

		if (node->loops > 0 && (most == NULL || node->share > most->share))
			most = node;
	}
	return most;
}

static MSFinding *
slow_finding(const MSSlowRun *run)
{
	MSFinding  *finding = new_finding("slow_run", run->shape, run->userid,
									  run->toplevel, run->queryid);
	MSShape    *shape = ms_shapes_find(run->shape, run->userid, run->toplevel);
	int			left_out;
	const MSSlowNode *node = heaviest(ms_slow_nodes(run, &left_out));
	const char *most = "";

	if (node != NULL && node->share > 0)
		most = psprintf("; of the rows in its plan %.0f %% were those of %s%s%s",
						node->share * 100, node->name,
						node->relation ? " on " : "",
						node->relation ? node->relation : "");
	finding->times = shape == NULL ? 1 : shape->slow;
	if (node != NULL)
		finding->relation = unconstify(char *, node->relation);
	finding->why = psprintf("the slowest one took %.1f ms, planning %.1f ms of it: slow_runs has %s%s",
							(run->plan_ns + run->exec_ns) / 1e6,
							run->plan_ns / 1e6,
							run->plan != NULL ? "its plan" : "it", most);
	return finding;
}

static char *
median_text(const MSMedian *m)
{
	return psprintf("%.3f ms (%.3f to %.3f, %d executions)", m->median / 1e6,
					m->low / 1e6, m->high / 1e6, m->n);
}

static MSFinding *
change_finding(const MSPlanChange *change)
{
	MSFinding  *finding = new_finding("plan_changed", change->shape,
									  change->userid, change->toplevel,
									  change->queryid);

	finding->times = change->slow.n;
	finding->ratio = change->slow.median / Max(change->fast.median, 1);
	finding->why = psprintf("the median is %s with one plan, %s (%s), and %s with another, %s; %s",
							median_text(&change->slow),
							change->is_latest ? "the latest" : "an earlier one",
							change->slow_plan, median_text(&change->fast),
							change->fast_plan,
							change->by_plan ?
							"it is so for the same parameters, too: it is the plan" :
							"for the same parameters that is not shown: it may be theirs");
	return finding;
}

/* of each shape the slowest run, and two plans that take different times */
List *
ms_slow_findings(bool visible)
{
	List	   *findings = NIL;
	ListCell   *lc;

	foreach(lc, ms_slow_shapes())
	{
		const MSSlowRun *run = lfirst(lc);

		if ((run->query || run->plan != NULL) &&
			ms_may_see(run->userid) == visible)
			findings = lappend(findings, slow_finding(run));
	}
	foreach(lc, ms_changes())
	{
		const MSPlanChange *change = lfirst(lc);

		if (ms_may_see(change->userid) == visible)
			findings = lappend(findings, change_finding(change));
	}
	return findings;
}
