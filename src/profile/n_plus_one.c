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
 * that gave 2 rows or more is a possible one.  A shape takes the nearest of
 * these at its first execution in the unit, with the calls and rows that each
 * had before its latest call, and notes at each further execution what they
 * have by then.  So a source may come after others, may give its rows bit by
 * bit while the lookups run, and may be executed again.
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
		return run->rows >= 2 * run->count;
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

/* would it be a candidate, and more than a loop, if it were alone? */
static bool
counts(const MSRun *run)
{
	if (ms_run_repeats(run) < MS_MIN_REPEATS || ms_run_is_batch(run) ||
		ms_run_is_pipelined(run))
		return false;
	return ms_run_source(run, MS_MIN_REPEATS) != NULL ||
		(ms_run_near(run) >= MS_MIN_REPEATS && !ms_run_is_portion(run));
}

/*
 * Following runs
 */

static void
forget_run(MSRun *run)
{
	int64		repeats = ms_run_repeats(run);

	if (run->id == 0 || !counts(run))
		return;
	ms_profile.runs_lost++;
	if (run->section != ms_profile.section)
		return;
	if (repeats > (int64) ms_profile.in_section.lost_repeats)
		ms_profile.in_section.lost_repeats = repeats;
	if (run->total_ns > ms_profile.in_section.lost_repeats_ns)
		ms_profile.in_section.lost_repeats_ns = run->total_ns;
}

/* the more, the longer it is kept: not what an earlier unit has left for nothing */
static int64
worth(const MSRun *run)
{
	if (run->unit == ms_profile.unit)
		return run->count;
	return counts(run) ? run->count : 0;
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
	if (victim->id != 0 && victim->unit == ms_profile.unit)
		ms_profile.in_section.lost_now++;
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
