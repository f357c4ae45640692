/*-------------------------------------------------------------------------
 *
 * n_plus_one.c
 *	  Repeated shapes.
 *
 * A unit is what lies between two boundaries: profile_start, profile_reset,
 * profile_mark, DISCARD ALL, or a pause of the client longer than
 * missing_symbol.unit_gap.  Transactions are none: ORMs run in autocommit.
 *
 * A run is a shape that the client executes again and again in a unit, with
 * at most MAX_OTHERS other statements in between (BEGIN, COMMIT, SAVEPOINT,
 * SET, FETCH and CLOSE do not count).  It is followed from its second
 * execution on, as statements end, so the verdict does not depend on what
 * the ring still holds; a fixed number is kept, the shortest of a few makes
 * room.
 *
 * A run of MS_MIN_REPEATS or more is a candidate, unless it is one of these:
 *
 * - failed executions are not counted; nor are those of a transaction that
 *	 failed, as far as a later one has run them again: the parameters seen in
 *	 the one that failed come again in the next that has this shape;
 * - INSERTs of several rows each are batches already;
 * - a query with OFFSET, or one with LIMIT that returns 10 rows or more and
 *	 is not explained by a source, is reading pages.
 *
 * The source is the nearest statement of another shape, before the run, that
 * gave 2 rows or more.  Half as many repeats as it gave rows, up to as many:
 * strong evidence.  Anything else is a burst.
 *
 * Nothing here allocates or fails but what makes candidates of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "profile/profile.h"
#include "profile/statement_internal.h"

#define MAX_OTHERS		3
#define PAGE_ROWS		10
#define EVICT_LOOKS		8

/* parameter sets that are remembered, to tell duplicates */
#define PARAM_SLOTS		128
#define PARAM_LIMIT		64

#define RUN_TEXT		256

/* one set of parameters */
typedef struct MSSeen
{
	uint32		hash;			/* 0: unused */
	uint32		xact;			/* twice the latest that had it; 1 more: as a
								 * retry of one that had failed */
} MSSeen;

typedef struct MSRun
{
	uint64		id;				/* 0: unused */
	uint64		unit;
	uint64		section;
	uint64		shape;
	Oid			userid;
	CmdType		operation;
	int64		count;
	int64		failed;			/* of these, in a transaction that failed */
	int64		retries;		/* of these, again after such a one */
	int64		duplicates;
	int64		rows;
	int64		limited;		/* of these, with LIMIT */
	int64		paged;			/* of these, with OFFSET */
	int64		total_ns;
	int64		commit_ns;
	uint64		first_number;
	uint64		last_number;
	uint64		xacts;
	uint64		last_xact;
	uint64		failed_xact;	/* the latest that failed */
	uint64		last_commit;	/* transaction whose commit has been added */
	uint64		source;			/* shape, 0 for none */
	Oid			source_user;
	uint64		source_rows;
	int			nseen;
	MSSeen		seen[PARAM_SLOTS];
	char		text[RUN_TEXT];
	char		source_text[RUN_TEXT];
} MSRun;

/* a statement that may be the source of a run */
typedef struct MSSource
{
	uint64		shape;			/* 0: none */
	Oid			userid;
	uint64		rows;
} MSSource;

static MSRun *runs;
static int	nruns;
static int	hand;
static uint64 last_run_id = 0;

/* in this unit */
static uint64 ordinal;
static MSSource sources[2];		/* the latest, and the latest of another shape */

void
ms_runs_attach(char *memory, Size size)
{
	runs = (MSRun *) memory;
	nruns = size / sizeof(MSRun);
}

void
ms_runs_reset(void)
{
	int			i;

	for (i = 0; i < nruns; i++)
		runs[i].id = 0;
	hand = 0;
}

void
ms_runs_boundary(void)
{
	ms_profile.unit++;
	ordinal = 0;
	memset(sources, 0, sizeof(sources));
}

/*
 * Following runs
 */

/* a retried transaction's statements count once */
static int64
retried(const MSRun *run)
{
	return Min(run->failed, run->retries);
}

static int64
effective_repeats(const MSRun *run)
{
	return run->count - retried(run);
}

static int64
effective_duplicates(const MSRun *run)
{
	return run->duplicates - retried(run);
}

static bool
is_strong(const MSRun *run)
{
	int64		repeats = effective_repeats(run);

	return repeats <= (int64) run->source_rows &&
		repeats * 2 >= (int64) run->source_rows;
}

static bool
is_excused(const MSRun *run)
{
	double		rows = (double) run->rows / run->count;

	if (run->operation == CMD_INSERT)
		return rows >= 2;
	if (run->paged > 0)
		return true;
	return run->limited > 0 && rows >= PAGE_ROWS && !is_strong(run);
}

static void
forget_run(MSRun *run)
{
	if (run->id == 0 || run->count < MS_MIN_REPEATS || is_excused(run))
		return;
	ms_profile.runs_lost++;
	if (run->section != ms_profile.section)
		return;
	if (effective_repeats(run) > (int64) ms_profile.in_section.lost_repeats)
		ms_profile.in_section.lost_repeats = effective_repeats(run);
	if (run->total_ns > ms_profile.in_section.lost_repeats_ns)
		ms_profile.in_section.lost_repeats_ns = run->total_ns;
}

/* an unused one, or the shortest of a few */
static MSRun *
take_run(void)
{
	MSRun	   *victim = NULL;
	int			i;

	for (i = 0; i < EVICT_LOOKS; i++)
	{
		MSRun	   *run = &runs[hand];

		hand = (hand + 1) % nruns;
		if (run->id == 0)
		{
			victim = run;
			break;
		}
		if (victim == NULL || run->count < victim->count)
			victim = run;
	}
	forget_run(victim);
	return victim;
}

/*
 * The same parameters again.  All of a transaction are retries that were in
 * the one that has failed.
 */
static inline void
note_again(MSRun *run, MSSeen *seen, uint32 xact)
{
	run->duplicates++;
	if (likely(run->failed_xact == 0))
	{
		seen->xact = xact;
		return;
	}
	if ((seen->xact & ~1) != xact)
		seen->xact = xact | (seen->xact >> 1 == (uint32) run->failed_xact);
	run->retries += seen->xact & 1;
}

/* have these parameters been seen?  As far as they are remembered. */
static inline void
note_params(MSRun *run, uint64 params, uint64 in_xact)
{
	uint32		hash = Max((uint32) (params >> 32), 1);
	uint32		xact = (uint32) in_xact << 1;
	uint32		slot;

	for (slot = hash % PARAM_SLOTS; run->seen[slot].hash != 0;
		 slot = (slot + 1) % PARAM_SLOTS)
	{
		if (run->seen[slot].hash != hash)
			continue;
		note_again(run, &run->seen[slot], xact);
		return;
	}
	if (run->nseen == PARAM_LIMIT)
		return;
	run->nseen++;
	run->seen[slot].hash = hash;
	run->seen[slot].xact = xact;
}

static void
copy_text(char *to, const MSShape *shape)
{
	int			len = pg_mbcliplen(shape->text, shape->text_len, RUN_TEXT - 1);

	memcpy(to, shape->text, len);
	to[len] = '\0';
}

/* the shape's second execution: the first is counted along */
static pg_noinline void
start_run(MSStatement *s, MSShape *shape)
{
	MSRun	   *run = take_run();
	MSRecord   *first = ms_profile_record(shape->first_seq);

	memset(run, 0, sizeof(MSRun));
	run->id = ++last_run_id;
	run->unit = ms_profile.unit;
	run->section = ms_profile.section;
	run->shape = shape->hash;
	run->userid = shape->userid;
	run->operation = s->operation;
	run->count = 1;
	run->total_ns = shape->first_ns;
	run->rows = shape->first_rows;
	run->first_number = shape->first_number;
	run->xacts = 1;
	run->last_xact = shape->first_xact;
	run->source = shape->source;
	run->source_user = shape->source_user;
	run->source_rows = shape->source_rows;
	note_params(run, shape->first_params, shape->first_xact);
	if (ms_profile.failed_xact == shape->first_xact)
	{
		/* before it was a run */
		run->failed = 1;
		run->failed_xact = shape->first_xact;
	}
	copy_text(run->text, shape);
	if (run->source != 0)
	{
		MSShape    *source = ms_shapes_find(run->source, run->source_user,
											true);

		if (source != NULL)
			copy_text(run->source_text, source);
	}
	if (first != NULL)
	{
		first->run = run - runs;
		first->run_id = run->id;
		run->commit_ns = first->commit_ns;
		run->last_commit = first->commit_ns > 0 ? first->xact : 0;
	}
	shape->run = run - runs;
	shape->run_id = run->id;
}

static void
extend_run(int index, MSStatement *s, MSRecord *r, uint64 number)
{
	MSRun	   *run = &runs[index];

	run->count++;
	note_params(run, s->params, ms_profile.xact);
	run->total_ns += s->plan_ns + s->exec_ns;
	run->rows += s->rows;
	if (s->has_limit)
	{
		run->limited++;
		run->paged += s->has_offset ? 1 : 0;
	}
	run->last_number = number;
	if (run->last_xact != ms_profile.xact)
	{
		run->xacts++;
		run->last_xact = ms_profile.xact;
	}
	if (r != NULL)
	{
		r->run = index;
		r->run_id = run->id;
	}
}

/* the shape's first execution in this unit, or after other things */
static void
note_first(MSStatement *s, MSShape *shape, uint64 number)
{
	MSSource   *source = &sources[sources[0].shape == shape->hash ? 1 : 0];

	shape->run = -1;
	shape->first_number = number;
	shape->first_seq = s->seq;
	shape->first_params = s->params;
	shape->first_xact = ms_profile.xact;
	shape->first_rows = s->rows;
	shape->first_ns = s->plan_ns + s->exec_ns;
	shape->source = source->shape;
	shape->source_user = source->userid;
	shape->source_rows = source->rows;
}

static pg_noinline void
note_source(MSStatement *s)
{
	if (sources[0].shape != s->shape)
		sources[1] = sources[0];
	sources[0].shape = s->shape;
	sources[0].userid = s->userid;
	sources[0].rows = s->rows;
}

void
ms_runs_add(MSStatement *s, MSShape *shape, MSRecord *r, MSStatus status)
{
	uint64		number;

	if (s->kind != MS_QUERY &&
		(s->tag == CMDTAG_FETCH || s->tag == CMDTAG_MOVE ||
		 s->tag == CMDTAG_CLOSE_CURSOR))
		return;
	ordinal++;
	if (s->kind != MS_QUERY || status == MS_ERROR || shape != s->entry)
		return;

	number = r ? r->number : ms_profile.next_number - 1;
	if (shape->unit != ms_profile.unit ||
		ordinal - shape->ordinal > MAX_OTHERS + 1 ||
		(shape->run >= 0 && runs[shape->run].id != shape->run_id))
		note_first(s, shape, number);
	else
	{
		if (shape->run < 0)
			start_run(s, shape);
		extend_run(shape->run, s, r, number);
	}
	shape->unit = ms_profile.unit;
	shape->ordinal = ordinal;
	if (s->rows >= 2)
		note_source(s);
}

static MSRun *
run_of(MSRecord *r)
{
	MSRun	   *run = &runs[r->run];

	return run->id == r->run_id ? run : NULL;
}

/* the transaction of that statement has been committed */
void
ms_runs_commit(MSRecord *r, int64 commit_ns)
{
	MSRun	   *run = run_of(r);

	if (run == NULL || run->last_commit == r->xact)
		return;
	run->last_commit = r->xact;
	run->commit_ns += commit_ns;
}

/* or has failed */
void
ms_runs_failed(MSRecord *r)
{
	MSRun	   *run = run_of(r);

	if (run == NULL)
		return;
	run->failed++;
	run->failed_xact = r->xact;
}

/*
 * Candidates
 */

/* the whole text if the shape is still there, else its beginning */
static char *
text_of(uint64 hash, Oid userid, const char *copy, bool everything)
{
	MSShape    *shape;

	if (!everything && !ms_may_see(userid))
		return pstrdup(MS_INSUFFICIENT_PRIVILEGE);
	shape = ms_shapes_find(hash, userid, true);
	return shape ? pnstrdup(shape->text, shape->text_len) : pstrdup(copy);
}

static char *
make_hint(const MSRun *run)
{
	int64		repeats = effective_repeats(run);
	StringInfoData buf;

	initStringInfo(&buf);
	if (effective_duplicates(run) * 2 >= repeats && run->operation == CMD_SELECT)
		appendStringInfoString(&buf, "keep the first result: most have the same parameters");
	else if (run->operation == CMD_SELECT)
		appendStringInfoString(&buf, "one query for all keys: = ANY($1), or a join");
	else if (run->operation == CMD_INSERT)
		appendStringInfoString(&buf, "one INSERT with multi-row VALUES");
	else if (run->operation == CMD_UPDATE)
		appendStringInfoString(&buf, "one UPDATE: = ANY($1), or FROM (VALUES ...)");
	else
		appendStringInfoString(&buf, "one statement for all keys: = ANY($1)");
	if (run->commit_ns > 0 && run->xacts > 1)
		appendStringInfo(&buf,
						 "; one transaction instead of " UINT64_FORMAT " saves about %.1f ms of commits",
						 run->xacts,
						 run->commit_ns * (1.0 - 1.0 / run->xacts) / 1e6);
	return buf.data;
}

static MSCandidate *
make_candidate(const MSRun *run, bool everything)
{
	MSCandidate *c = palloc0(sizeof(MSCandidate));

	c->unit = run->unit;
	c->section = run->section;
	c->userid = run->userid;
	c->operation = run->operation;
	c->repeats = effective_repeats(run);
	c->duplicates = effective_duplicates(run);
	c->total_ns = run->total_ns;
	c->commit_ns = run->commit_ns;
	c->first_number = run->first_number;
	c->last_number = run->last_number;
	c->xacts = run->xacts;
	c->text = text_of(run->shape, run->userid, run->text, everything);
	if (run->source != 0)
		c->source = text_of(run->source, run->source_user, run->source_text,
							everything);
	c->source_rows = run->source_rows;
	c->strong = is_strong(run);
	c->hint = make_hint(run);
	return c;
}

static int
by_first_number(const ListCell *a, const ListCell *b)
{
	uint64		an = ((MSCandidate *) lfirst(a))->first_number;
	uint64		bn = ((MSCandidate *) lfirst(b))->first_number;

	return an < bn ? -1 : an > bn ? 1 : 0;
}

List *
ms_candidates(uint64 section, int64 min_repeats, int64 min_ns,
			  bool everything)
{
	List	   *list = NIL;
	int			i;

	for (i = 0; i < nruns; i++)
	{
		MSRun	   *run = &runs[i];

		if (run->id == 0 || (section != 0 && run->section != section) ||
			effective_repeats(run) < min_repeats ||
			run->total_ns < min_ns || is_excused(run))
			continue;
		list = lappend(list, make_candidate(run, everything));
	}
	list_sort(list, by_first_number);
	return list;
}
