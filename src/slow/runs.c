/*-------------------------------------------------------------------------
 *
 * runs.c
 *	  The slow runs that are kept: the slowest ones, a few of a shape.
 *
 * They lie one after the other in a piece of the profile's memory.  A run that
 * finds no room takes that of the fastest ones, if it is slower.
 *
 * A statement is noted as it is closed, and its plan comes as its execution
 * ends.  Of a cursor, and of what a utility command executes, the plan's end
 * comes first: then the run is noted with it.
 *
 * But for the copy of a plan nothing here allocates or fails.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "mb/pg_wchar.h"

#include "compat.h"
#include "slow/slow.h"
#include "slow/slow_internal.h"

/* a run may take this share of the memory */
#define RUN_PART		4

#define RUNS_OF_SHAPE	4
#define MAX_RUNS		64

/* followed by its text, its parameters, and its plan */
typedef struct Entry
{
	MSSlowRun	run;
	int			size;			/* of it all, aligned */
	int			plan;			/* where in rest; 0: it has none */
	char		rest[FLEXIBLE_ARRAY_MEMBER];
} Entry;

int64		ms_slow_ns = PG_INT64_MAX;

static int	slow_threshold = 1000;

static char *entries;
static Size capacity;
static Size used;
static int	nruns;
static uint64 lost;

void
ms_slow_attach(char *memory, Size size)
{
	entries = memory;
	capacity = size;
}

void
ms_slow_reset(void)
{
	used = 0;
	nruns = 0;
	lost = 0;
}

uint64
ms_slow_lost(void)
{
	return lost;
}

static Entry *
next_entry(Entry *entry)
{
	char	   *next = entry == NULL ? entries :
		(char *) entry + entry->size;

	return next < entries + used ? (Entry *) next : NULL;
}

static int64
duration(const MSSlowRun *run)
{
	return run->plan_ns + run->exec_ns;
}

static bool
is_same_shape(const MSSlowRun *a, const MSSlowRun *b)
{
	return a->shape == b->shape && a->userid == b->userid &&
		a->toplevel == b->toplevel;
}

static Entry *
find_entry(uint64 seq)
{
	Entry	   *entry = NULL;

	while ((entry = next_entry(entry)) != NULL)
		if (entry->run.seq == seq)
			return entry;
	return NULL;
}

static void
remove_entry(Entry *entry)
{
	char	   *end = (char *) entry + entry->size;

	used -= entry->size;
	nruns--;
	lost++;
	memmove(entry, end, entries + used - (char *) entry);
}

/* the fastest of all that are kept, or of a shape; that shape's number */
static Entry *
fastest_entry(const MSSlowRun *of_shape, int *n)
{
	Entry	   *fastest = NULL;
	Entry	   *entry = NULL;

	*n = 0;
	while ((entry = next_entry(entry)) != NULL)
	{
		if (of_shape != NULL && !is_same_shape(&entry->run, of_shape))
			continue;
		++*n;
		if (fastest == NULL ||
			duration(&entry->run) < duration(&fastest->run))
			fastest = entry;
	}
	return fastest;
}

/* false: those that are kept are slower than a run that takes that long */
static bool
make_room(int64 ns, Size size, int more)
{
	int			n;

	while (used + size > capacity || nruns + more > MAX_RUNS)
	{
		Entry	   *fastest = fastest_entry(NULL, &n);

		if (fastest == NULL || duration(&fastest->run) >= ns)
			return false;
		remove_entry(fastest);
	}
	return true;
}

/* NULL: there is no room for it */
static Entry *
new_entry(const MSSlowRun *run, Size rest)
{
	Size		size = MAXALIGN(offsetof(Entry, rest) + rest);
	int			n;
	Entry	   *fastest = fastest_entry(run, &n);
	Entry	   *entry;

	if (size > capacity / RUN_PART)
		return NULL;
	if (n >= RUNS_OF_SHAPE)
	{
		if (duration(&fastest->run) >= duration(run))
			return NULL;
		remove_entry(fastest);
	}
	if (!make_room(duration(run), size, 1))
		return NULL;
	entry = (Entry *) (entries + used);
	entry->size = size;
	entry->plan = 0;
	used += size;
	nruns++;
	return entry;
}

bool
ms_slow_note(const MSSlowRun *run)
{
	Entry	   *entry = find_entry(run->seq);
	int			most = Min(MS_SLOW_TEXT, capacity / RUN_PART / 4);
	int			text_len = run->text_len;
	int			params_len = run->params_len;

	if (entry != NULL)
	{
		entry->run.plan_ns = run->plan_ns;
		entry->run.exec_ns = run->exec_ns;
		entry->run.rows = run->rows;
		entry->run.status = run->status;
		entry->run.sqlerrcode = run->sqlerrcode;
		return false;
	}
	if (text_len > most)
		text_len = pg_mbcliplen(run->text, text_len, most);
	if (params_len > most)
		params_len = pg_mbcliplen(run->params, params_len, most);
	entry = new_entry(run, text_len + Max(params_len, 0));
	if (entry == NULL)
	{
		lost++;
		return true;
	}
	entry->run = *run;
	entry->run.text_len = text_len;
	entry->run.params_len = params_len;
	memcpy(entry->rest, run->text, text_len);
	if (params_len > 0)
		memcpy(entry->rest + text_len, run->params, params_len);
	return true;
}

void
ms_slow_keep_plan(uint64 seq, QueryDesc *queryDesc, bool complete,
				  bool with_values)
{
	Entry	   *entry = find_entry(seq);
	MSSlowPlan *plan;
	MemoryContext saved;
	Size		more;
	char	   *end;

	if (entry == NULL || entry->plan != 0 || queryDesc->planstate == NULL)
		return;

	/* what is palloc'd goes with the plan, in a moment */
	saved = MemoryContextSwitchTo(queryDesc->estate->es_query_cxt);
	plan = ms_slow_copy(queryDesc, complete, with_values,
						capacity / RUN_PART - Min(entry->size, capacity / RUN_PART));
	MemoryContextSwitchTo(saved);
	if (plan == NULL)
		return;
	more = MAXALIGN(plan->size);
	if (!make_room(duration(&entry->run), more, 0))
		return;
	entry = find_entry(seq);	/* it may have been moved */
	end = (char *) entry + entry->size;
	memmove(end + more, end, entries + used - end);
	memcpy(end, plan, plan->size);
	entry->plan = end - entry->rest;
	entry->size += more;
	used += more;
}

/*
 * Reading
 */

static int
slowest_first(const ListCell *a, const ListCell *b)
{
	int64		x = duration(lfirst(a));
	int64		y = duration(lfirst(b));

	return x > y ? -1 : x < y ? 1 : 0;
}

/* what is executed while it is read may move the entries: copies */
List *
ms_slow_runs(void)
{
	List	   *runs = NIL;
	Entry	   *entry = NULL;

	while ((entry = next_entry(entry)) != NULL)
	{
		Entry	   *copy = memcpy(palloc(entry->size), entry, entry->size);
		MSSlowRun  *run = &copy->run;

		run->text = copy->rest;
		run->params = copy->rest + run->text_len;
		run->plan = copy->plan == 0 ? NULL :
			(MSSlowPlan *) (copy->rest + copy->plan);
		runs = lappend(runs, run);
	}
	list_sort(runs, slowest_first);
	return runs;
}

List *
ms_slow_shapes(void)
{
	List	   *shapes = NIL;
	ListCell   *lc;

	foreach(lc, ms_slow_runs())
	{
		bool		known = false;
		ListCell   *other;

		foreach(other, shapes)
			known |= is_same_shape(lfirst(lc), lfirst(other));
		if (!known)
			shapes = lappend(shapes, lfirst(lc));
	}
	return shapes;
}

/*
 * The setting
 */

static void
assign_threshold(int newval, void *extra)
{
	ms_slow_ns = newval < 0 ? PG_INT64_MAX : (int64) newval * 1000000;
}

void
ms_slow_init(void)
{
	DefineCustomIntVariable("missing_symbol.slow_threshold",
							"Sets how long a profiled statement takes to be kept as a slow run.",
							"Planning and execution together, with a copy of the plan: "
							"see the view slow_runs.  -1 turns it off; 0 keeps any.",
							&slow_threshold,
							1000,
							-1,
							INT_MAX,
							PGC_USERSET,
							GUC_UNIT_MS,
							NULL, assign_threshold, NULL);
}
