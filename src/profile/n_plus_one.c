/*-------------------------------------------------------------------------
 *
 * n_plus_one.c
 *	  Repeated shapes: what is followed as statements end, and what a run is by
 *	  itself.  candidates.c has the rules, and says what is made of them.
 *
 * A unit is what lies between two boundaries: profile_start, profile_reset,
 * profile_mark, DISCARD ALL, a pause of the client longer than
 * missing_symbol.unit_gap outside of a transaction, or a statement that locks
 * rows with SKIP LOCKED, which takes a job.  Transactions are none: ORMs run
 * in autocommit.  Only queries count (MS_CLASS_QUERY): what a driver sends
 * between two of them is not there.
 *
 * A run is a shape that is executed more than once in a unit, from its second
 * execution there on.  What the client sends is followed by itself, and what
 * runs inside of it by itself.  A fixed number is kept; what is no candidate
 * and the shortest of a few make room.  How often it was near, with at most
 * MAX_OTHERS other statements in between, is counted as well.
 *
 * The source of a run is the statement whose rows it is executed for.  A shape
 * that returned 2 rows or more is a possible one.  A shape takes the nearest of
 * these at its first execution in the unit, with the calls and rows that each
 * had before its latest call, and notes at each further execution what they
 * have by then.  So a source may come after others, may give its rows bit by
 * bit while the lookups run, and may be executed again.  One that comes after
 * the shape's first execution is none: what each request begins with would
 * have the list of the first one as its source.
 *
 * Failed executions are not counted; nor are those of a transaction that
 * failed, as far as a later one has run them again: the parameters seen in the
 * one that failed come again in the next that has this shape.
 *
 * Nothing here allocates or fails.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "profile/n_plus_one_internal.h"
#include "profile/profile.h"
#include "profile/statement_internal.h"
#include "shape/shape.h"

#define MAX_OTHERS		3
#define PORTION_ROWS	10

#define SAYS_PORTION	(MS_SAYS_LIST | MS_SAYS_RANGE | MS_SAYS_LIMIT)

#define EVICT_LOOKS		8

/* at most so many are looked through as one is forgotten */
#define MANY_RUNS		512

/* so many shapes that gave rows are remembered */
#define RECENT			8

MSRun	   *ms_runs;
int			ms_nruns;

static int	hand;
static uint64 last_run_id = 0;

/* in this unit: of what the client sends, and of what runs inside of it */
typedef struct MSSide
{
	uint64		ordinal;
	MSPossible	recent[RECENT]; /* the latest first */
} MSSide;

static MSSide sides[2];

static inline MSSide *
side_of(const MSStatement *s)
{
	return &sides[s->level > 0 ? 1 : 0];
}

void
ms_runs_attach(char *memory, Size size)
{
	ms_runs = (MSRun *) memory;
	ms_nruns = size / sizeof(MSRun);
}

void
ms_runs_reset(void)
{
	int			i;

	for (i = 0; i < ms_nruns; i++)
		ms_runs[i].id = 0;
	hand = 0;
}

void
ms_runs_boundary(void)
{
	ms_profile.unit++;
	memset(sides, 0, sizeof(sides));
}

/*
 * What a run is, by itself
 */

/* most were sent with the one before */
bool
ms_run_is_pipelined(const MSRun *run)
{
	return run->together * 2 >= run->count;
}

/* a batch, or a page, whatever it is run for */
bool
ms_run_is_batch(const MSRun *run)
{
	if (run->operation != CMD_SELECT && ms_run_is_pipelined(run))
		return true;
	if (run->operation == CMD_INSERT)
		return run->rows >= 2 * run->count ||
			((run->words & MS_SAYS_LIST) && run->rows < run->count);
	return run->paged > 0;
}

/* likewise, if it is run for no other statement's rows */
bool
ms_run_is_portion(const MSRun *run)
{
	return ms_run_is_batch(run) ||
		((run->limited > 0 || (run->words & SAYS_PORTION)) &&
		 run->operation != CMD_INSERT &&
		 run->rows >= PORTION_ROWS * run->count);
}

static bool
explains(const MSPossible *p, const MSRun *run, int64 min_repeats)
{
	uint64		n = ms_run_repeats(run);
	uint64		rows = ms_rows_since(p);

	if ((int64) n < min_repeats || n < 2 * ms_calls_since(p))
		return false;
	if (2 * n >= rows && n <= 3 * rows)
		return true;
	return run->nseen == run->count && 4 * n >= rows && n <= rows &&
		!ms_run_is_portion(run);
}

const MSPossible *
ms_run_source(const MSRun *run, int64 min_repeats)
{
	for (int i = 0; i < MS_POSSIBLE && run->possible[i].shape != 0; i++)
		if (explains(&run->possible[i], run, min_repeats))
			return &run->possible[i];
	return NULL;
}

const MSPossible *
ms_run_possible(const MSRun *run, uint64 shape)
{
	for (int i = 0; i < MS_POSSIBLE && run->possible[i].shape != 0; i++)
		if (run->possible[i].shape == shape)
			return &run->possible[i];
	return NULL;
}

bool
ms_run_shares(const MSRun *run, const MSRun *first, uint64 source)
{
	const MSPossible *p;

	if (!ms_runs_are_together(run, first))
		return false;
	p = ms_run_possible(run, source);
	return p != NULL && ms_run_repeats(run) >= 2 &&
		(uint64) ms_run_repeats(run) >= 2 * ms_calls_since(p) &&
		!ms_run_is_portion(run);
}

/*
 * Would it be a candidate if it were alone, of that evidence or a stronger
 * one?  With how many repeats, else 0.
 */
static int64
repeats_alone(const MSRun *run, int64 min_repeats, MSEvidence weakest)
{
	int64		repeats = ms_run_repeats(run);

	if (repeats < min_repeats || ms_run_is_batch(run) ||
		(ms_run_is_pipelined(run) && weakest < MS_PIPELINED))
		return 0;
	if (ms_run_source(run, min_repeats) != NULL)
		return repeats;
	if (weakest == MS_STRONG || ms_run_is_portion(run))
		return 0;
	if (weakest == MS_LOOP && repeats >= MS_LOOP_REPEATS)
		return repeats;
	return ms_run_near(run) >= min_repeats ? ms_run_near(run) : 0;
}

/* a candidate, and more than a loop? */
static bool
counts(const MSRun *run)
{
	return repeats_alone(run, MS_MIN_REPEATS, MS_BURST) > 0;
}

/*
 * Following runs
 */

/* the repeats of all that look up rows of that source as this does, or 0 */
static int64
repeats_of_group(const MSRun *run, uint64 source)
{
	uint64		repeats = 0;
	uint64		rows = 0;
	int			n = 0;

	for (int i = 0; i < ms_nruns; i++)
	{
		const MSRun *other = &ms_runs[i];

		if (other->id == 0 || !ms_run_shares(other, run, source) ||
			ms_run_source(other, 2) != NULL)
			continue;
		n++;
		repeats += ms_run_repeats(other);
		rows = Max(rows, ms_rows_since(ms_run_possible(other, source)));
	}
	return n > 1 && 2 * repeats >= rows && repeats <= rows ? repeats : 0;
}

/*
 * With how many repeats others of its unit may explain it, as candidates.c
 * has it: by a source that it inherits, or whose other pages it is for, or as
 * one of a group.  Not fewer; that is looked up in a few hundred runs only.
 */
static int64
repeats_with_others(const MSRun *run)
{
	int64		most = ms_run_repeats(run);

	if (run->possible[0].shape == 0 || ms_run_is_batch(run))
		return 0;
	if (ms_nruns > MANY_RUNS)
		return PG_INT64_MAX;
	for (int i = 0; i < MS_POSSIBLE && run->possible[i].shape != 0; i++)
		if (ms_run_shares(run, run, run->possible[i].shape))
			most = Max(most, repeats_of_group(run, run->possible[i].shape));
	return most;
}

/*
 * What a budget will not know any more: the longest run that may have been of
 * each evidence.  One of this unit may go on, as any.
 */
static void
note_lost(const MSRun *run)
{
	int64	   *lost = ms_profile.in_section.lost;

	if (run->unit == ms_profile.unit)
	{
		lost[MS_STRONG] = PG_INT64_MAX;
		return;
	}
	for (int i = MS_STRONG; i <= MS_LOOP; i++)
		lost[i] = Max(lost[i], repeats_alone(run, 2, i));
	if (ms_run_source(run, 2) == NULL)
		lost[MS_STRONG] = Max(lost[MS_STRONG], repeats_with_others(run));
}

static void
forget_run(const MSRun *run)
{
	if (run->id == 0)
		return;
	if (counts(run))
		ms_profile.runs_lost++;
	if (run->section == ms_profile.section)
		note_lost(run);
}

/*
 * The more, the longer it is kept: what a budget asks for rather than what an
 * earlier section has left, and not what an earlier unit has left for nothing.
 */
static int64
worth(const MSRun *run)
{
	int64		its = run->unit == ms_profile.unit || counts(run) ? run->count : 0;

	return run->section == ms_profile.section ? its : its - PG_INT64_MAX / 2;
}

/* an unused one, or the one of a few that is worth least */
static MSRun *
take_run(void)
{
	MSRun	   *victim = NULL;
	int64		least = 0;
	int			i;

	for (i = 0; i < EVICT_LOOKS; i++)
	{
		MSRun	   *run = &ms_runs[hand];
		int64		its;

		hand = (hand + 1) % ms_nruns;
		if (run->id == 0)
		{
			victim = run;
			break;
		}
		its = worth(run);
		if (victim == NULL || its < least)
		{
			victim = run;
			least = its;
		}
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

	for (slot = hash % MS_PARAM_SLOTS; run->seen[slot].hash != 0;
		 slot = (slot + 1) % MS_PARAM_SLOTS)
	{
		if (run->seen[slot].hash != hash)
			continue;
		note_again(run, &run->seen[slot], xact);
		return;
	}
	if (run->nseen == MS_PARAM_LIMIT)
		return;
	run->nseen++;
	run->seen[slot].hash = hash;
	run->seen[slot].xact = xact;
}

/* the shape's second execution: the first is counted along */
static pg_noinline void
start_run(MSStatement *s, MSShape *shape)
{
	MSRun	   *run = take_run();
	MSRecord   *first = ms_profile_record(shape->first_seq);
	int			len = pg_mbcliplen(shape->text, shape->text_len,
								   MS_RUN_TEXT - 1);

	memset(run, 0, offsetof(MSRun, comment));
	run->id = ++last_run_id;
	run->unit = ms_profile.unit;
	run->section = ms_profile.section;
	run->shape = shape->hash;
	run->userid = shape->userid;
	run->operation = s->operation;
	run->words = shape->words;
	run->nested = s->level > 0;
	run->label = ms_profile.section_label;
	run->comment[0] = '\0';
	run->count = 1;
	run->streak = 1;
	run->longest = 1;
	run->total_ns = shape->first_ns;
	run->rows = shape->first_rows;
	run->first_number = shape->first_number;
	run->xacts = 1;
	run->last_xact = shape->first_xact;
	memcpy(run->possible, shape->possible, sizeof(run->possible));
	if (!s->unknown_params)
		note_params(run, shape->first_params, shape->first_xact);
	if (ms_profile.failed_xact == shape->first_xact)
	{
		/* before it was a run */
		run->failed = 1;
		run->failed_xact = shape->first_xact;
	}
	memcpy(run->text, shape->text, len);
	run->text[len] = '\0';
	if (first != NULL)
	{
		first->run = run - ms_runs;
		first->run_id = run->id;
		run->application = first->application;
		ms_record_comment(first, run->comment);
		run->commit_ns = first->commit_ns;
		run->last_commit = first->commit_ns > 0 ? first->xact : 0;
	}
	shape->run = run - ms_runs;
	shape->run_id = run->id;
}

/* what the possible sources have come to by now */
static inline void
note_sources(MSRun *run)
{
	for (int i = 0; i < MS_POSSIBLE && run->possible[i].shape != 0; i++)
	{
		MSPossible *p = &run->possible[i];

		if (p->entry->hash != p->shape ||
			p->entry->calls_unit != ms_profile.unit)
			continue;
		p->calls_now = p->entry->unit_calls;
		p->rows_now = p->entry->unit_rows;
	}
}

static void
extend_run(int index, MSStatement *s, MSRecord *r, uint64 number, bool near,
		   bool together)
{
	MSRun	   *run = &ms_runs[index];

	run->count++;
	run->streak = near ? run->streak + 1 : 1;
	run->longest = Max(run->longest, run->streak);
	run->together += together ? 1 : 0;
	if (!s->unknown_params)
		note_params(run, s->params, ms_profile.xact);
	note_sources(run);
	run->total_ns += s->plan_ns + s->exec_ns;
	run->rows += s->rows;
	run->locks |= s->locks;
	run->user_code |= s->user_code;
	run->aggregates |= s->aggregates;
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

/* the shape's first execution in this unit, or after its run was forgotten */
static void
note_first(MSStatement *s, MSShape *shape, uint64 number)
{
	const MSPossible *recent = side_of(s)->recent;
	int			n = 0;

	shape->run = -1;
	shape->first_number = number;
	shape->first_seq = s->seq;
	shape->first_params = s->params;
	shape->first_xact = ms_profile.xact;
	shape->first_rows = s->rows;
	shape->first_ns = s->plan_ns + s->exec_ns;
	for (int i = 0; i < RECENT && recent[i].shape != 0; i++)
	{
		if (recent[i].shape == shape->hash)
			continue;
		shape->possible[n++] = recent[i];
		if (n == MS_POSSIBLE)
			return;
	}
	shape->possible[n].shape = 0;
}

/* it may be the source of what follows */
static pg_noinline void
note_recent(MSStatement *s, MSShape *shape)
{
	MSPossible *recent = side_of(s)->recent;
	int			i;

	for (i = 0; i < RECENT - 1; i++)
		if (recent[i].shape == shape->hash || recent[i].shape == 0)
			break;
	memmove(&recent[1], &recent[0], sizeof(MSPossible) * i);
	recent[0].shape = shape->hash;
	recent[0].entry = shape;
	recent[0].calls = shape->unit_calls - 1;
	recent[0].rows = shape->unit_rows - s->noted_rows;
	recent[0].calls_now = shape->unit_calls;
	recent[0].rows_now = shape->unit_rows;
}

/*
 * How often it ran in this unit, and what it gave.  While it goes on there may
 * be more to come: a first row may be the source of what follows it.
 */
static inline void
note_call(MSStatement *s, MSShape *shape, bool goes_on)
{
	if (shape->calls_unit != ms_profile.unit)
	{
		shape->calls_unit = ms_profile.unit;
		shape->unit_calls = 0;
		shape->unit_rows = 0;
	}
	if (s->noted_unit != ms_profile.unit)
	{
		s->noted_unit = ms_profile.unit;
		s->noted_rows = 0;
		shape->unit_calls++;
	}
	if (!s->returns)
		return;
	if (s->rows >= 2)
	{
		shape->unit_rows += s->rows - s->noted_rows;
		s->noted_rows = s->rows;
	}
	if (s->rows >= 2 || goes_on)
		note_recent(s, shape);
}

void
ms_runs_add(MSStatement *s, MSShape *shape, MSRecord *r, MSStatus status)
{
	MSSide	   *side = side_of(s);
	uint64		number;

	if (shape->fk_check)
		return;
	if (unlikely(s->skips))
	{
		ms_runs_boundary();
		if (r != NULL)
			r->unit = ms_profile.unit;
	}
	side->ordinal++;
	if (unlikely(shape->words & MS_SAYS_TRIES))
		side->ordinal += MAX_OTHERS + 1;	/* it takes a job, or may not */
	if (s->kind != MS_QUERY || status == MS_ERROR || shape != s->entry)
		return;

	number = r ? r->number : ms_profile.next_number - 1;
	if (s->skips)
		shape->unit = 0;
	else if (shape->unit != ms_profile.unit ||
			 (shape->run >= 0 && ms_runs[shape->run].id != shape->run_id))
	{
		note_first(s, shape, number);
		shape->unit = ms_profile.unit;
	}
	else
	{
		if (shape->run < 0)
			start_run(s, shape);
		extend_run(shape->run, s, r, number,
				   side->ordinal - shape->ordinal <= MAX_OTHERS + 1,
				   s->trip == shape->last_trip && s->level == 0 &&
				   !ms_profile.trip_unknown);
	}
	shape->ordinal = side->ordinal;
	shape->last_trip = s->trip;
	note_call(s, shape, false);
}

/* a statement that goes on has given rows */
void
ms_runs_rows(MSStatement *s)
{
	MSShape    *shape = s->entry;

	if (s->generation == ms_profile.generation && !s->own &&
		s->class == MS_CLASS_QUERY && s->rows > 0 &&
		shape->hash == s->shape)
		note_call(s, shape, true);
}

static MSRun *
run_of(MSRecord *r)
{
	MSRun	   *run = &ms_runs[r->run];

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
