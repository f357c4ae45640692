/*-------------------------------------------------------------------------
 *
 * advice.c
 *	  The view advice: what the findings suggest for all statements of the
 *	  profile together, what that would save, and what its writes would pay.
 *
 * What is saved is the time of the statements, by the share that the planner
 * expects to be saved; it is known of what is proved.
 *
 * An index costs each write; an update pays most where it is HOT now and
 * changes what the new index looks at.  Which columns an update changes, its
 * shape says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/undo.h"
#include "figures/figures.h"
#include "profile/profile.h"
#include "report/report_internal.h"

PG_FUNCTION_INFO_V1(ms_advice_view);

/*
 * Shapes that write
 */

typedef struct MSParsed
{
	const char *text;
	Node	   *stmt;			/* NULL: it cannot be parsed */
} MSParsed;

static void
parse(void *arg)
{
	MSParsed   *parsed = arg;
	List	   *list = pg_parse_query(parsed->text);

	if (list_length(list) == 1)
		parsed->stmt = linitial_node(RawStmt, list)->stmt;
}

/* a shape as a statement: NULL for each constant */
static Node *
statement_of(const MSShape *shape)
{
	StringInfoData text;
	MSParsed	parsed = {0};
	bool		quoted = false;
	int			i;

	if (shape->text_len >= MS_SHAPE_TEXT - 1)
		return NULL;
	initStringInfo(&text);
	for (i = 0; i < shape->text_len; i++)
	{
		if (shape->text[i] == '"')
			quoted = !quoted;
		if (shape->text[i] == '?' && !quoted)
			appendStringInfoString(&text, " NULL ");
		else
			appendStringInfoChar(&text, shape->text[i]);
	}
	parsed.text = text.data;
	(void) ms_undo_and_catch(parse, &parsed, false);
	return parsed.stmt;
}

static RangeVar *
target_of(Node *stmt)
{
	if (stmt == NULL)
		return NULL;
	return IsA(stmt, InsertStmt) ? ((InsertStmt *) stmt)->relation :
		IsA(stmt, UpdateStmt) ? ((UpdateStmt *) stmt)->relation :
		IsA(stmt, DeleteStmt) ? ((DeleteStmt *) stmt)->relation : NULL;
}

static bool
is_about(const MSShape *shape, Oid relid)
{
	int			i;

	for (i = 0; i < Min(shape->nrelations, MS_SHAPE_RELATIONS); i++)
		if (shape->relations[i] == relid)
			return true;
	return false;
}

static bool
has_name(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	return false;
}

static void
add_update(MSWrites *writes, UpdateStmt *stmt, const MSWork *work)
{
	bool		changes_indexed = false;
	bool		changes_new = false;
	ListCell   *lc;

	foreach(lc, stmt->targetList)
	{
		const char *name = ((ResTarget *) lfirst(lc))->name;

		changes_indexed |= has_name(work->indexed, name);
		changes_new |= has_name(work->columns, name);
	}
	writes->hot_lost |= changes_new && !changes_indexed;
}

MSWrites
ms_report_writes(const MSWork *work)
{
	MSWrites	writes = {0, 0, false, true, false};
	MSShape    *shape;
	int			position = 0;
	char	   *name = get_rel_name(work->relid);

	while (name != NULL && (shape = ms_shapes_next(&position)) != NULL)
	{
		Node	   *stmt;
		RangeVar   *target;

		if (ms_shape_is_others(shape) || !ms_may_see(shape->userid) ||
			(shape->operation != CMD_INSERT &&
			 shape->operation != CMD_UPDATE &&
			 shape->operation != CMD_DELETE) || !is_about(shape, work->relid))
			continue;
		stmt = statement_of(shape);
		target = target_of(stmt);
		if (target != NULL && strcmp(target->relname, name) != 0)
			continue;
		writes.calls += shape->calls;
		writes.ms += shape->histogram.sum / 1e6;
		if (shape->operation != CMD_UPDATE)
			continue;
		writes.updates = true;
		if (stmt != NULL && IsA(stmt, UpdateStmt))
			add_update(&writes, (UpdateStmt *) stmt, work);
		else
			writes.known = false;
	}
	return writes;
}

/*
 * What it serves
 */

static void
add_finding(MSServed *served, const MSFinding *finding)
{
	MSShape    *shape = ms_shapes_find(finding->fact->shape,
									   finding->fact->userid,
									   finding->fact->toplevel);

	served->proved &= finding->proved;
	if (shape == NULL || list_member_ptr(served->shapes, shape))
		return;
	served->shapes = lappend(served->shapes, shape);
	served->calls += shape->calls;
	if (finding->cost_before > 0 && finding->cost_after > 0)
		served->benefit = Max(served->benefit, 0) +
			shape->histogram.sum / 1e6 *
			(1 - finding->cost_after / finding->cost_before);
}

static MSServed *
served_by(const MSWork *work)
{
	MSServed   *served = palloc0(sizeof(MSServed));
	ListCell   *lc;

	served->work = work;
	served->proved = true;
	served->benefit = -1;
	foreach(lc, work->findings)
		add_finding(served, lfirst(lc));
	return served;
}

static int
most_first(const ListCell *a, const ListCell *b)
{
	const MSServed *x = lfirst(a);
	const MSServed *y = lfirst(b);

	return x->benefit < y->benefit ? 1 : x->benefit > y->benefit ? -1 :
		strcmp(x->work->best->suggestion, y->work->best->suggestion);
}

List *
ms_report_advice(List *findings)
{
	List	   *all = NIL;
	ListCell   *lc;

	foreach(lc, ms_workload(findings))
		all = lappend(all, served_by(lfirst(lc)));
	list_sort(all, most_first);
	return all;
}

/*
 * SQL
 */

static Datum
array_of(List *texts)
{
	Datum	   *elems = palloc(sizeof(Datum) * list_length(texts));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, texts)
		elems[n++] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elems, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static List *
texts_of(List *shapes)
{
	List	   *texts = NIL;
	ListCell   *lc;

	foreach(lc, shapes)
	{
		MSShape    *shape = lfirst(lc);

		texts = lappend(texts, pnstrdup(shape->text, shape->text_len));
	}
	return texts;
}

#define ADVICE_COLUMNS	11

static void
put_served(ReturnSetInfo *rsinfo, const MSServed *served)
{
	const MSWork *work = served->work;
	MSWrites	writes = {0};
	Datum		values[ADVICE_COLUMNS] = {0};
	bool		nulls[ADVICE_COLUMNS] = {0};
	int			i = 0;

	if (OidIsValid(work->relid))
		writes = ms_report_writes(work);
	values[i++] = CStringGetTextDatum(work->best->relation);
	values[i++] = CStringGetTextDatum(work->best->suggestion);
	values[i++] = BoolGetDatum(served->proved);
	nulls[i] = served->benefit < 0;
	values[i++] = Float8GetDatum(served->benefit);
	values[i++] = Int64GetDatum(list_length(served->shapes));
	values[i++] = Int64GetDatum(served->calls);
	values[i++] = array_of(texts_of(served->shapes));
	values[i++] = array_of(work->replaces);
	nulls[i] = nulls[i + 1] = !OidIsValid(work->relid);
	values[i++] = Int64GetDatum(writes.calls);
	values[i++] = Float8GetDatum(writes.ms);
	nulls[i] = !writes.updates || (!writes.known && !writes.hot_lost);
	values[i++] = BoolGetDatum(writes.hot_lost);
	Assert(i == ADVICE_COLUMNS);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
ms_advice_view(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	ms_profile_own();
	InitMaterializedSRF(fcinfo, 0);
	if (!ms_profile.ready)
		return (Datum) 0;
	foreach(lc, ms_report_advice(ms_profile_findings(true)))
	{
		CHECK_FOR_INTERRUPTS();
		put_served(rsinfo, lfirst(lc));
	}
	return (Datum) 0;
}
