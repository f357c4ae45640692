/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  Budgets that a test suite can enforce: assert_queries() and others,
 *	  which raise MS001, and check_queries() and others, which tell.
 *
 * A budget is about what the client has sent since the last profile_start,
 * profile_reset, profile_mark or DISCARD ALL; a pause of the client begins
 * nothing new.  The sums are kept as statements end, so a budget is right
 * even after the ring has dropped rows; only the list of offenders is then
 * shorter.  Only queries count, unless classes are given.
 *
 * All raise 55000 while profiling is off or paused, and where the answer was
 * forgotten, so that no suite is green because nothing is known.
 *
 * The client reads its own literals in DETAIL; the server's log has shapes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "profile/profile.h"
#include "report/report_internal.h"
#include "shape/shape.h"

/* what a budget raises */
#define MS_ERRCODE_BUDGET	MAKE_SQLSTATE('M', 'S', '0', '0', '1')

/* so many statements in DETAIL, so many bytes of each */
#define DETAIL_LINES	20
#define DETAIL_TEXT		200

PG_FUNCTION_INFO_V1(ms_assert_max_queries);
PG_FUNCTION_INFO_V1(ms_assert_max_duration);
PG_FUNCTION_INFO_V1(ms_assert_no_n_plus_one);
PG_FUNCTION_INFO_V1(ms_assert_no_errors);
PG_FUNCTION_INFO_V1(ms_assert_queries);
PG_FUNCTION_INFO_V1(ms_check_queries);
PG_FUNCTION_INFO_V1(ms_check_duration);
PG_FUNCTION_INFO_V1(ms_check_no_n_plus_one);
PG_FUNCTION_INFO_V1(ms_check_no_errors);

/* what a budget has come to */
typedef struct MSBudget
{
	const char *name;
	double		found;
	double		min;
	double		max;
	char	   *offenders;		/* as the user may see them */
	char	   *shapes;			/* likewise, without literals: for the log */
} MSBudget;

typedef enum MSChoice
{
	CHOOSE_QUERIES,
	CHOOSE_SLOW,
	CHOOSE_ERRORS
} MSChoice;

/* of which statements a budget of queries is */
typedef struct MSFilter
{
	bool		classes[MS_CLASSES];
	char	   *command;		/* NULL: any */
	Oid			relation;		/* invalid: any */
	Datum		pattern;		/* 0: any */
	Datum	   *ignore;
	int			nignore;
} MSFilter;

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
append_statement(StringInfo buf, const MSRecord *r, bool normalised)
{
	static char shape[DETAIL_TEXT * 4];
	bool		see = ms_may_see(r->userid);
	const char *text = see ? ms_record_text(r) : MS_INSUFFICIENT_PRIVILEGE;
	int			len = see ? r->text_len : strlen(text);
	int			clipped;
	uint64		literals;

	if (see && normalised)
	{
		ms_shape(text, len, shape, sizeof(shape), &literals);
		text = shape;
		len = strlen(shape);
	}
	clipped = pg_mbcliplen(text, len, DETAIL_TEXT);

	appendStringInfo(buf, "%s" UINT64_FORMAT ": %.3f ms",
					 buf->len > 0 ? "\n" : "", r->number, duration(r) / 1e6);
	if (r->status == MS_ERROR)
		appendStringInfo(buf, ", %s", ms_sqlstate(r->sqlerrcode));
	appendStringInfo(buf, ": %.*s%s", clipped, text,
					 clipped < len ? "..." : "");
}

/* the statements that a budget is about, of those that are still kept */
static char *
detail(MSChoice choice, uint64 expected, bool normalised)
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
		append_statement(&buf, lfirst(lc), normalised);
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

static bool
is_kept(const MSBudget *b)
{
	return b->found >= b->min && b->found <= b->max;
}

/* one row: name, found, min, max, ok, offenders */
static Datum
budget_row(FunctionCallInfo fcinfo, const MSBudget *b)
{
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6] = {0};
	bool		ok = is_kept(b);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(b->name);
	values[1] = Float8GetDatum(b->found);
	values[2] = Float8GetDatum(b->min);
	nulls[3] = isinf(b->max);
	values[3] = Float8GetDatum(b->max);
	values[4] = BoolGetDatum(ok);
	nulls[5] = ok || b->offenders[0] == '\0';
	values[5] = nulls[5] ? (Datum) 0 : CStringGetTextDatum(b->offenders);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

static void
cannot_tell(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot tell: %s", why),
			 errhint("Call missing_symbol.profile_mark() more often, or raise missing_symbol.profile_memory.")));
}

/*
 * Durations
 */

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

/* in milliseconds */
static void
budget_duration(MSBudget *b, Interval *allowed)
{
	MSTotals   *t = &ms_profile.in_section;

	b->name = "duration_ms";
	b->found = (t->plan_ns + t->exec_ns + t->commit_ns) / 1e6;
	b->min = 0;
	b->max = interval_ns(allowed) / 1e6;
	if (is_kept(b))
		return;
	b->offenders = detail(CHOOSE_SLOW, ms_totals_statements(t), false);
	b->shapes = detail(CHOOSE_SLOW, ms_totals_statements(t), true);
}

/* assert_max_duration(interval) */
Datum
ms_assert_max_duration(PG_FUNCTION_ARGS)
{
	MSBudget	b;

	check_limits(fcinfo);
	ms_profile_require_on();
	budget_duration(&b, PG_GETARG_INTERVAL_P(0));
	if (!is_kept(&b))
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg("queries took %.3f ms, more than the %.3f ms allowed",
						b.found, b.max),
				 errdetail_internal("%s", b.offenders),
				 errdetail_log("%s", b.shapes)));
	PG_RETURN_VOID();
}

/* check_duration(interval) */
Datum
ms_check_duration(PG_FUNCTION_ARGS)
{
	MSBudget	b;

	check_limits(fcinfo);
	ms_profile_require_on();
	budget_duration(&b, PG_GETARG_INTERVAL_P(0));
	return budget_row(fcinfo, &b);
}

/*
 * Failures
 */

static void
budget_errors(MSBudget *b)
{
	MSTotals   *t = &ms_profile.in_section;

	b->name = "errors";
	b->found = t->errors;
	b->min = 0;
	b->max = 0;
	if (is_kept(b))
		return;
	b->offenders = detail(CHOOSE_ERRORS, t->errors, false);
	b->shapes = detail(CHOOSE_ERRORS, t->errors, true);
}

/* assert_no_errors() */
Datum
ms_assert_no_errors(PG_FUNCTION_ARGS)
{
	MSBudget	b;
	uint64		errors;

	ms_profile_require_on();
	budget_errors(&b);
	errors = b.found;
	if (!is_kept(&b))
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg_plural(UINT64_FORMAT " statement has failed",
							   UINT64_FORMAT " statements have failed",
							   (unsigned long) errors, errors),
				 errdetail_internal("%s", b.offenders),
				 errdetail_log("%s", b.shapes)));
	PG_RETURN_VOID();
}

/* check_no_errors() */
Datum
ms_check_no_errors(PG_FUNCTION_ARGS)
{
	MSBudget	b;

	ms_profile_require_on();
	budget_errors(&b);
	return budget_row(fcinfo, &b);
}

/*
 * Queries
 */

/* does a text match a regular expression? */
static bool
matches(const char *text, int len, Datum pattern)
{
	return DatumGetBool(DirectFunctionCall2Coll(textregexeq, DEFAULT_COLLATION_OID,
												PointerGetDatum(cstring_to_text_with_len(text, len)),
												pattern));
}

static bool
is_ignored(const char *text, int len, const Datum *ignore, int nignore)
{
	for (int i = 0; i < nignore; i++)
		if (matches(text, len, ignore[i]))
			return true;
	return false;
}

/* elements of a text[] argument; NULL is none */
static Datum *
text_elements(FunctionCallInfo fcinfo, int arg, int *n)
{
	Datum	   *elements;
	bool	   *nulls;

	*n = 0;
	if (arg >= PG_NARGS() || PG_ARGISNULL(arg))
		return NULL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, n);
	for (int i = 0; i < *n; i++)
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("an element of an assertion's list must not be null"),
					 errhint("Give texts.")));
	return elements;
}

static void
choose_classes(MSFilter *filter, const Datum *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		char	   *name = TextDatumGetCString(names[i]);
		int			class;

		for (class = 0; class < MS_CLASS_PAUSED; class++)
			if (strcmp(name, ms_class_name(class)) == 0)
				break;
		if (class == MS_CLASS_PAUSED)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized class of statements \"%s\"", name),
					 errhint("Available classes: query, catalog, ping, driver, control.")));
		filter->classes[class] = true;
	}
}

/* DECLARE is its SELECT */
static bool
is_command(const MSShape *shape, const char *command)
{
	const char *tag = shape->tag == CMDTAG_DECLARE_CURSOR ? "SELECT" :
		GetCommandTagName(shape->tag);

	return pg_strcasecmp(tag, command) == 0;
}

static bool
reads_relation(const MSShape *shape, Oid relation)
{
	for (int i = 0; i < Min(shape->nrelations, MS_SHAPE_RELATIONS); i++)
		if (shape->relations[i] == relation)
		{
			if (shape->not_always & (1 << i))
				cannot_tell("one and the same statement reads that table or another");
			return true;
		}
	if (shape->nrelations > MS_SHAPE_RELATIONS)
		cannot_tell("a statement reads more tables than are kept of it");
	return false;
}

static bool
is_wanted(const MSShape *shape, const MSFilter *filter)
{
	if (!shape->toplevel || shape->section != ms_profile.section ||
		!filter->classes[shape->class])
		return false;
	if (filter->command != NULL && !is_command(shape, filter->command))
		return false;
	if (OidIsValid(filter->relation) &&
		!reads_relation(shape, filter->relation))
		return false;
	if (filter->pattern == (Datum) 0 && filter->nignore == 0)
		return true;
	if (!ms_may_see(shape->userid))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot tell: statements ran as a role whose texts you may not see"),
				 errhint("Leave out pattern and ignore, or ask as a member of that role or of pg_read_all_stats.")));
	return (filter->pattern == (Datum) 0 ||
			matches(shape->text, shape->text_len, filter->pattern)) &&
		!is_ignored(shape->text, shape->text_len, filter->ignore,
					filter->nignore);
}

static int
by_section_calls(const ListCell *a, const ListCell *b)
{
	uint64		x = ((MSShape *) lfirst(a))->section_calls;
	uint64		y = ((MSShape *) lfirst(b))->section_calls;

	return x > y ? -1 : x < y ? 1 : 0;
}

/* what was counted, by shape: without literals anyway */
static char *
shapes_of(List *shapes)
{
	StringInfoData buf;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&buf);
	list_sort(shapes, by_section_calls);
	foreach(lc, shapes)
	{
		MSShape    *shape = lfirst(lc);
		bool		see = ms_may_see(shape->userid);
		const char *text = see ? shape->text : MS_INSUFFICIENT_PRIVILEGE;
		int			len = see ? shape->text_len : strlen(text);
		int			clipped = pg_mbcliplen(text, len, DETAIL_TEXT);

		if (n++ == DETAIL_LINES)
		{
			appendStringInfo(&buf, "\nand %d more shapes",
							 list_length(shapes) - DETAIL_LINES);
			break;
		}
		appendStringInfo(&buf, "%s" UINT64_FORMAT " times: %.*s%s",
						 buf.len > 0 ? "\n" : "", shape->section_calls,
						 clipped, text, clipped < len ? "..." : "");
	}
	return buf.data;
}

/* shapes tell, as long as none of the section has been forgotten */
static void
count_shapes(MSBudget *b, const MSFilter *filter)
{
	List	   *wanted = NIL;
	MSShape    *shape;
	int			position = 0;

	if (ms_profile.in_section.lost_shapes > 0)
		cannot_tell("more different statements were sent than are kept");
	b->found = 0;
	while ((shape = ms_shapes_next(&position)) != NULL)
	{
		if (ms_shape_is_others(shape) || !is_wanted(shape, filter))
			continue;
		b->found += shape->section_calls;
		wanted = lappend(wanted, shape);
	}
	b->offenders = shapes_of(wanted);
	b->shapes = b->offenders;
}

static void
count_classes(MSBudget *b, const MSFilter *filter, const MSTotals *t)
{
	b->found = 0;
	for (int i = 0; i < MS_CLASSES; i++)
		if (filter->classes[i])
			b->found += t->classes[i];
	b->offenders = "";
	b->shapes = "";
}

/*
 * (min, max, command, relation, pattern, classes, ignore, label).  Everything
 * since the last mark; with a label, everything under that.
 */
static void
budget_queries(FunctionCallInfo fcinfo, MSBudget *b)
{
	MSFilter	filter = {0};
	Datum	   *classes;
	int			nclasses;
	bool		simple;

	ms_profile_own();
	for (int i = 0; i < 2; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the limit of an assertion must not be null"),
					 errhint("Give a number of queries, or an interval.")));
	ms_profile_require_on();
	classes = text_elements(fcinfo, 5, &nclasses);
	choose_classes(&filter, classes, nclasses);
	filter.command = PG_ARGISNULL(2) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(2));
	filter.relation = PG_ARGISNULL(3) ? InvalidOid : PG_GETARG_OID(3);
	filter.pattern = PG_ARGISNULL(4) ? (Datum) 0 : PG_GETARG_DATUM(4);
	filter.ignore = text_elements(fcinfo, 6, &filter.nignore);
	simple = filter.command == NULL && !OidIsValid(filter.relation) &&
		filter.pattern == (Datum) 0 && filter.nignore == 0;

	b->name = "queries";
	b->min = PG_GETARG_INT64(0);
	b->max = PG_GETARG_INT64(1) == PG_INT64_MAX ? INFINITY :
		PG_GETARG_INT64(1);
	if (!PG_ARGISNULL(7))
	{
		MSTotals	total;

		if (!simple)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("of a label only the number of statements is known, by class"),
					 errhint("Leave out command, relation, pattern and ignore, or assert before the next mark.")));
		ms_report_total_of(PG_GETARG_TEXT_PP(7), &total);
		count_classes(b, &filter, &total);
	}
	else if (!simple)
		count_shapes(b, &filter);
	else
	{
		count_classes(b, &filter, &ms_profile.in_section);
		if (!is_kept(b) && ms_profile.in_section.lost_shapes == 0)
		{
			double		found = b->found;

			count_shapes(b, &filter);
			b->found = found;
		}
	}
}

/* assert_queries(min, max, ...) */
Datum
ms_assert_queries(PG_FUNCTION_ARGS)
{
	MSBudget	b;

	budget_queries(fcinfo, &b);
	if (b.found > b.max)
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg("%.0f queries, more than the %.0f allowed",
						b.found, b.max),
				 errdetail_internal("%s", b.offenders)));
	if (b.found < b.min)
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg("%.0f queries, fewer than the %.0f expected",
						b.found, b.min),
				 errdetail_internal("%s", b.offenders)));
	PG_RETURN_VOID();
}

/* check_queries(min, max, ...) */
Datum
ms_check_queries(PG_FUNCTION_ARGS)
{
	MSBudget	b;

	budget_queries(fcinfo, &b);
	return budget_row(fcinfo, &b);
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
				 errdetail_internal("%s", detail(CHOOSE_QUERIES, queries, false)),
				 errdetail_log("%s", detail(CHOOSE_QUERIES, queries, true))));
	PG_RETURN_VOID();
}

/*
 * N+1
 */

static MSEvidence
evidence_of(text *name)
{
	char	   *evidence = text_to_cstring(name);

	for (int i = MS_STRONG; i <= MS_LOOP; i++)
		if (strcmp(evidence, ms_evidence_name(i)) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized evidence \"%s\"", evidence),
			 errhint("Available evidence: strong, burst, pipelined, loop.")));
}

static char *
candidates_text(List *candidates)
{
	StringInfoData buf;
	ListCell   *lc;

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
		if (c->comment != NULL)
			appendStringInfo(&buf, " %s", c->comment);
	}
	return buf.data;
}

static List *
without_ignored(List *candidates, const Datum *ignore, int nignore)
{
	List	   *list = NIL;
	ListCell   *lc;

	foreach(lc, candidates)
	{
		MSCandidate *c = lfirst(lc);

		if (!is_ignored(c->text, strlen(c->text), ignore, nignore))
			list = lappend(list, c);
	}
	return list;
}

/* (min_repeats, min_duration, evidence, ignore); 1.1 has the first two */
static void
budget_n_plus_one(FunctionCallInfo fcinfo, MSBudget *b)
{
	MSTotals   *t = &ms_profile.in_section;
	int64		min_repeats;
	int64		min_ns;
	MSEvidence	weakest;
	Datum	   *ignore;
	int			nignore;
	List	   *candidates;

	check_limits(fcinfo);
	ms_profile_require_on();
	min_repeats = PG_GETARG_INT32(0);
	min_ns = interval_ns(PG_GETARG_INTERVAL_P(1));
	if (min_repeats < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_repeats must be at least 2")));
	weakest = PG_NARGS() > 2 ? evidence_of(PG_GETARG_TEXT_PP(2)) : MS_BURST;
	ignore = text_elements(fcinfo, 3, &nignore);
	candidates = without_ignored(ms_candidates(ms_profile.section, min_repeats,
											   min_ns, weakest, false),
								 ignore, nignore);
	b->name = "n_plus_one";
	b->found = list_length(candidates);
	b->min = 0;
	b->max = 0;
	b->offenders = candidates_text(candidates);
	for (int i = MS_STRONG; candidates == NIL && i <= (int) weakest; i++)
		if (t->lost[i] >= min_repeats)
			cannot_tell("more repeated statements were sent than are kept");
	b->shapes = b->offenders;
}

/* assert_no_n_plus_one(...) */
Datum
ms_assert_no_n_plus_one(PG_FUNCTION_ARGS)
{
	MSBudget	b;
	int			found;

	budget_n_plus_one(fcinfo, &b);
	found = (int) b.found;
	if (!is_kept(&b))
		ereport(ERROR,
				(errcode(MS_ERRCODE_BUDGET),
				 errmsg_plural("%d N+1 candidate", "%d N+1 candidates",
							   found, found),
				 errdetail_internal("%s", b.offenders)));
	PG_RETURN_VOID();
}

/* check_no_n_plus_one(...) */
Datum
ms_check_no_n_plus_one(PG_FUNCTION_ARGS)
{
	MSBudget	b;

	budget_n_plus_one(fcinfo, &b);
	return budget_row(fcinfo, &b);
}
