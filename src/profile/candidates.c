/*-------------------------------------------------------------------------
 *
 * candidates.c
 *	  What the runs of n_plus_one.c come to: candidates for N+1.
 *
 * With n repeats, and a possible source that since gave R rows in E calls:
 *
 * - A source explains a run of 5 or more if n >= 2 E, and R / 2 <= n <= 3 R;
 *	 or R / 4 <= n <= R if all parameters differ, as they do where the client
 *	 keeps what it has seen, and it is no batch (see below).  The nearest that
 *	 explains is the source: strong.
 * - A list that is read page by page, by key, has two shapes: the first page's
 *	 and that of the others.  Where the first alone does not explain, all are
 *	 added up.
 * - The lookups of one row may return rows, too, and so hide the source.  A
 *	 run whose nearest possible source is itself strong, and as long but for
 *	 one, has the same source.
 * - Rows of several kinds are looked up by several shapes.  Runs that share a
 *	 possible source and have none that explains, each with n >= 2 E, are added
 *	 up, and are one candidate if R / 2 <= n <= R.
 * - What is left is a burst if 5 or more were near each other; and a loop from
 *	 10 on if not, which may as well be the requests of a server.
 *
 * SELECTs that the client sent together, without waiting for the one before,
 * are pipelined, whatever they are run for: they cost no round trips.
 *
 * Not candidates:
 *
 * - writes that were sent together are a batch;
 * - INSERTs of several rows each are batches already;
 * - a query with OFFSET is reading pages;
 * - without a source, statements that state their own portion (a list, LIMIT,
 *	 a range) and come to 10 rows or more each are batches.
 *
 * Of one section or all; nothing is kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "profile/n_plus_one_internal.h"
#include "profile/profile.h"
#include "shape/shape.h"

/* what is thought of a run */
typedef struct Verdict
{
	MSRun	   *run;
	const MSPossible *source;	/* that explains it, or NULL */
	uint64		source_rows;
	bool		done;			/* part of a group, or a candidate */
} Verdict;

static int64
duplicates_of(const MSRun *run)
{
	return run->duplicates - ms_run_retried(run);
}

/*
 * Sources
 */

static bool
share_a_table(const MSShape *a, const MSShape *b)
{
	int			na = Min(a->nrelations, MS_SHAPE_RELATIONS);
	int			nb = Min(b->nrelations, MS_SHAPE_RELATIONS);

	for (int i = 0; i < na; i++)
		for (int j = 0; j < nb; j++)
			if (a->relations[i] == b->relations[j])
				return true;
	return false;
}

/* is it another page of what that first page, a possible source, has begun? */
static bool
is_next_page(const MSShape *page, const MSPossible *first, const MSRun *run)
{
	const int	keyset = MS_SAYS_LIMIT | MS_SAYS_RANGE;

	return page->operation == CMD_SELECT && (page->words & keyset) == keyset &&
		page->toplevel == !run->nested && page->userid == run->userid &&
		page->unit == run->unit && page->calls_unit == run->unit &&
		page->first_number > run->first_number &&
		page->first_number < run->last_number &&
		page->hash != run->shape && page->hash != first->shape &&
		share_a_table(page, first->entry);
}

/* a source that explains with its other pages, or NULL; and their rows */
static const MSPossible *
paged_source(const MSRun *run, int64 min_repeats, uint64 *rows)
{
	uint64		n = ms_run_repeats(run);

	for (int i = 0; i < MS_POSSIBLE && run->possible[i].shape != 0; i++)
	{
		const MSPossible *first = &run->possible[i];
		uint64		calls = ms_calls_since(first);
		MSShape    *page;
		int			position = 0;

		if (first->entry->hash != first->shape ||
			(first->entry->words & MS_SAYS_LIMIT) == 0)
			continue;
		*rows = ms_rows_since(first);
		while ((page = ms_shapes_next(&position)) != NULL)
			if (is_next_page(page, first, run))
			{
				calls += page->unit_calls;
				*rows += page->unit_rows;
			}
		if ((int64) n >= min_repeats && n >= 2 * calls && 2 * n >= *rows &&
			n <= 3 * *rows && calls > ms_calls_since(first))
			return first;
	}
	return NULL;
}

/* runs come in the order of their first statement */
static const Verdict *
inherited_source(const Verdict *verdicts, int n, int64 min_repeats)
{
	const MSRun *run = verdicts[n].run;

	if (run->possible[0].shape == 0 || ms_run_repeats(run) < min_repeats)
		return NULL;
	for (int i = n - 1; i >= 0; i--)
	{
		const MSRun *nearest = verdicts[i].run;

		if (nearest->shape == run->possible[0].shape &&
			ms_runs_are_together(nearest, run) && verdicts[i].source != NULL)
		{
			int64		more = ms_run_repeats(nearest) - ms_run_repeats(run);

			return more >= -1 && more <= 1 ? &verdicts[i] : NULL;
		}
	}
	return NULL;
}

/* may the run be one of several that look up rows of one source? */
static bool
is_of_group(const Verdict *v, const MSRun *first, uint64 source)
{
	return v->source == NULL && !v->done &&
		ms_run_shares(v->run, first, source);
}

/* the runs of such a group, from that one on; NIL where it is none */
static List *
find_group(Verdict *verdicts, int from, int n, uint64 source,
		   int64 min_repeats)
{
	List	   *group = NIL;
	uint64		repeats = 0;
	uint64		rows = 0;

	for (int i = from; i < n; i++)
	{
		const MSPossible *p;

		if (!is_of_group(&verdicts[i], verdicts[from].run, source))
			continue;
		p = ms_run_possible(verdicts[i].run, source);
		group = lappend(group, &verdicts[i]);
		repeats += ms_run_repeats(verdicts[i].run);
		rows = Max(rows, ms_rows_since(p));
	}
	return list_length(group) >= 2 && (int64) repeats >= min_repeats &&
		2 * repeats >= rows && repeats <= rows ? group : NIL;
}

/*
 * Words
 */

const char *
ms_evidence_name(MSEvidence evidence)
{
	switch (evidence)
	{
		case MS_STRONG:
			return "strong";
		case MS_BURST:
			return "burst";
		case MS_PIPELINED:
			return "pipelined";
		case MS_LOOP:
			break;
	}
	return "loop";
}

/* the whole text if the shape is still there, else its beginning */
static char *
text_of(const MSRun *run, bool everything)
{
	MSShape    *shape;

	if (!everything && !ms_may_see(run->userid))
		return pstrdup(MS_INSUFFICIENT_PRIVILEGE);
	shape = ms_shapes_find(run->shape, run->userid, !run->nested);
	return shape ? pnstrdup(shape->text, shape->text_len) : pstrdup(run->text);
}

static char *
source_text(const MSPossible *p, bool everything)
{
	if (p->entry->hash != p->shape)
		return pstrdup("(forgotten)");
	if (!everything && !ms_may_see(p->entry->userid))
		return pstrdup(MS_INSUFFICIENT_PRIVILEGE);
	return pnstrdup(p->entry->text, p->entry->text_len);
}

static char *
inside_of(const MSRun *run, bool everything)
{
	MSShape    *shape;

	if (!run->nested)
		return NULL;
	if (!everything && !ms_may_see(run->userid))
		return pstrdup(MS_INSUFFICIENT_PRIVILEGE);
	shape = ms_shapes_find(run->shape, run->userid, false);
	return shape == NULL || shape->inside[0] == '\0' ? NULL :
		pstrdup(shape->inside);
}

/* has one of its tables been written to in that unit, as far as is known? */
static bool
was_written(const MSRun *run)
{
	MSShape    *its = ms_shapes_find(run->shape, run->userid, !run->nested);
	MSShape    *shape;
	int			position = 0;

	if (its == NULL || its->nrelations > MS_SHAPE_RELATIONS)
		return true;
	while ((shape = ms_shapes_next(&position)) != NULL)
		if (shape->operation != CMD_SELECT && shape->unit == run->unit &&
			(shape->nrelations > MS_SHAPE_RELATIONS || share_a_table(its, shape)))
			return true;
	return false;
}

static bool
is_same_again(const MSRun *run)
{
	return duplicates_of(run) * 2 >= ms_run_repeats(run);
}

static const char *
select_hint(const MSRun *run)
{
	if (run->words & MS_SAYS_COUNTS)
		return is_same_again(run) ?
			"most have the same key: increment_by() adds several at once, increment_many() counts all keys" :
			"one call for all keys: increment_many() or increment_rows()";
	if (run->words & MS_SAYS_SEQUENCE)
		return "DEFAULT with RETURNING, or several values at once: a larger INCREMENT BY of the sequence, or generate_series()";
	if (run->locks)
		return "lock all rows at once: = ANY($1) with FOR UPDATE";
	if (run->user_code || (run->words & MS_SAYS_VOLATILE))
		return "one call for all: FROM unnest($1)";
	if (is_same_again(run))
		return was_written(run) ?
			"repeated: most have the same parameters, but a table was written to in between" :
			"keep the first result: most have the same parameters";
	if (run->words & MS_SAYS_LIST)
		return "it has a list already: put all keys into one";
	if (run->aggregates)
		return "one query for all keys: = ANY($1) with GROUP BY, or a join";
	return "one query for all keys: = ANY($1), or a join";
}

static const char *
hint_of(const MSRun *run, const MSShape *shape)
{
	if (shape != NULL && shape->in_trigger)
		return "a statement-level trigger with transition tables sees all rows at once";
	switch (run->operation)
	{
		case CMD_SELECT:
			return select_hint(run);
		case CMD_INSERT:
			return "one INSERT with multi-row VALUES";
		case CMD_UPDATE:
			return "one UPDATE: = ANY($1), or FROM (VALUES ...)";
		default:
			break;
	}
	return "one statement for all keys: = ANY($1)";
}

static char *
make_hint(const MSRun *run, const MSCandidate *c)
{
	double		saved_ms = c->xacts > 1 ?
		c->commit_ns * (1.0 - 1.0 / c->xacts) / 1e6 : 0;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, hint_of(run, ms_shapes_find(run->shape, run->userid,
															 !run->nested)));
	if (saved_ms >= 0.05)
		appendStringInfo(&buf,
						 "; one transaction instead of " UINT64_FORMAT " saves about %.1f ms of commits",
						 c->xacts, saved_ms);
	return buf.data;
}

/*
 * Candidates
 */

static MSCandidate *
make_candidate(const MSRun *run, MSEvidence evidence,
			   const MSPossible *source, uint64 source_rows, bool everything)
{
	MSCandidate *c = palloc0(sizeof(MSCandidate));

	c->unit = run->unit;
	c->section = run->section;
	c->userid = run->userid;
	c->operation = run->operation;
	c->repeats = ms_run_repeats(run);
	c->duplicates = duplicates_of(run);
	c->total_ns = run->total_ns;
	c->commit_ns = run->commit_ns;
	c->first_number = run->first_number;
	c->last_number = run->last_number;
	c->xacts = run->xacts;
	c->text = text_of(run, everything);
	if (source != NULL)
	{
		c->source = source_text(source, everything);
		c->source_rows = source_rows;
	}
	c->evidence = ms_run_is_pipelined(run) ? MS_PIPELINED : evidence;
	c->shapes = 1;
	c->hashes = palloc(sizeof(uint64));
	c->hashes[0] = run->shape;
	c->inside = inside_of(run, everything);
	c->label = ms_label_text(run->label);
	c->application = ms_application_name(run->application);
	if (run->comment[0] != '\0' && (everything || ms_may_see(run->userid)))
		c->comment = pstrdup(run->comment);
	c->hint = make_hint(run, c);
	return c;
}

/* one for all runs of a group: of the longest, with the sums of all */
static MSCandidate *
make_group(List *group, uint64 source, bool everything)
{
	const MSRun *longest = NULL;
	const MSPossible *p;
	MSCandidate *c;
	ListCell   *lc;

	foreach(lc, group)
	{
		Verdict    *v = lfirst(lc);

		v->done = true;
		if (longest == NULL || ms_run_repeats(v->run) > ms_run_repeats(longest))
			longest = v->run;
	}
	p = ms_run_possible(longest, source);
	c = make_candidate(longest, MS_STRONG, p, ms_rows_since(p), everything);
	c->hashes = palloc(sizeof(uint64) * list_length(group));
	c->shapes = 0;
	foreach(lc, group)
	{
		const MSRun *run = ((Verdict *) lfirst(lc))->run;

		c->hashes[c->shapes++] = run->shape;
		if (run == longest)
			continue;
		c->repeats += ms_run_repeats(run);
		c->duplicates += duplicates_of(run);
		c->total_ns += run->total_ns;
		c->commit_ns += run->commit_ns;
		c->first_number = Min(c->first_number, run->first_number);
		c->last_number = Max(c->last_number, run->last_number);
		c->xacts = Max(c->xacts, run->xacts);
	}
	return c;
}

static int
by_first_number(const ListCell *a, const ListCell *b)
{
	uint64		an = ((MSCandidate *) lfirst(a))->first_number;
	uint64		bn = ((MSCandidate *) lfirst(b))->first_number;

	return an < bn ? -1 : an > bn ? 1 : 0;
}

static int
by_first_statement(const void *a, const void *b)
{
	uint64		an = ((const Verdict *) a)->run->first_number;
	uint64		bn = ((const Verdict *) b)->run->first_number;

	return an < bn ? -1 : an > bn ? 1 : 0;
}

static Verdict *
runs_of(uint64 section, int *n)
{
	Verdict    *verdicts = palloc0(sizeof(Verdict) * ms_nruns);

	*n = 0;
	for (int i = 0; i < ms_nruns; i++)
		if (ms_runs[i].id != 0 &&
			(section == 0 || ms_runs[i].section == section))
			verdicts[(*n)++].run = &ms_runs[i];
	qsort(verdicts, *n, sizeof(Verdict), by_first_statement);
	return verdicts;
}

static void
explain(Verdict *verdicts, int n, int64 min_repeats)
{
	Verdict    *v = &verdicts[n];
	const Verdict *nearest;

	v->source = ms_run_source(v->run, min_repeats);
	if (v->source != NULL)
		v->source_rows = ms_rows_since(v->source);
	else if ((nearest = inherited_source(verdicts, n, min_repeats)) != NULL)
	{
		v->source = nearest->source;
		v->source_rows = nearest->source_rows;
	}
	else
		v->source = paged_source(v->run, min_repeats, &v->source_rows);
}

/* each with its own source, or with that of another */
static List *
explained(Verdict *verdicts, int n, int64 min_repeats, bool everything)
{
	List	   *list = NIL;

	for (int i = 0; i < n; i++)
	{
		Verdict    *v = &verdicts[i];

		explain(verdicts, i, min_repeats);
		if (v->source == NULL || ms_run_is_batch(v->run))
			continue;
		v->done = true;
		list = lappend(list, make_candidate(v->run, MS_STRONG, v->source,
											v->source_rows, everything));
	}
	return list;
}

static List *
grouped(Verdict *verdicts, int n, int64 min_repeats, bool everything)
{
	List	   *list = NIL;

	for (int k = 0; k < MS_POSSIBLE; k++)
	{
		for (int i = 0; i < n; i++)
		{
			uint64		source = verdicts[i].run->possible[k].shape;
			List	   *group;

			if (source == 0 ||
				!is_of_group(&verdicts[i], verdicts[i].run, source))
				continue;
			group = find_group(verdicts, i, n, source, min_repeats);
			if (group != NIL)
				list = lappend(list, make_group(group, source, everything));
		}
	}
	return list;
}

static List *
unexplained(Verdict *verdicts, int n, int64 min_repeats, MSEvidence weakest,
			bool everything)
{
	List	   *list = NIL;

	for (int i = 0; i < n; i++)
	{
		const MSRun *run = verdicts[i].run;

		if (verdicts[i].done || ms_run_is_portion(run))
			continue;
		if (ms_run_near(run) >= min_repeats)
			list = lappend(list, make_candidate(run, MS_BURST, NULL, 0,
												everything));
		else if (weakest == MS_LOOP &&
				 ms_run_repeats(run) >= Max(min_repeats, MS_LOOP_REPEATS))
			list = lappend(list, make_candidate(run, MS_LOOP, NULL, 0,
												everything));
	}
	return list;
}

List *
ms_candidates(uint64 section, int64 min_repeats, int64 min_ns,
			  MSEvidence weakest, bool everything)
{
	int			n;
	Verdict    *verdicts = runs_of(section, &n);
	List	   *all;
	List	   *list = NIL;
	ListCell   *lc;

	all = explained(verdicts, n, min_repeats, everything);
	all = list_concat(all, grouped(verdicts, n, min_repeats, everything));
	if (weakest >= MS_BURST)
		all = list_concat(all, unexplained(verdicts, n, min_repeats, weakest,
										   everything));
	foreach(lc, all)
	{
		MSCandidate *c = lfirst(lc);

		if (c->total_ns >= min_ns && c->evidence <= weakest)
			list = lappend(list, c);
	}
	list_sort(list, by_first_number);
	return list;
}
