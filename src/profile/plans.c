/*-------------------------------------------------------------------------
 *
 * plans.c
 *	  What the profiled statements' plans have told: which of them are looked
 *	  into, the facts kept of them.
 *
 * Rows are counted in the plans of those top-level statements that
 * missing_symbol.plan_sample chooses, in what is listed below them, and in
 * the queries by which foreign keys look for references, whether listed or
 * not: these belong to the statement that the client sent.
 *
 * Facts lie one after the other in a piece of the profile's memory, with
 * their conditions as text.  A fact that is known already is only added to.
 * One that finds no room takes that of those not seen for longest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "executor/instrument.h"

#include "compat.h"
#include "advice/advice.h"
#include "profile/profile.h"
#include "profile/statement_internal.h"

/* a fact may take this share of the memory */
#define FACT_PART		8

double		ms_plan_sample = 1;

typedef struct Entry
{
	MSFact		fact;			/* its clauses: NIL */
	uint64		last_used;
	int			size;			/* of it all, aligned */
	char		clauses[FLEXIBLE_ARRAY_MEMBER];
} Entry;

static char *entries;
static Size capacity;
static Size used;
static uint64 uses;

/* is the client's statement under way chosen? */
static bool chosen;
static TimestampTz chosen_at;

/*
 * Memory
 */

void
ms_facts_attach(char *memory, Size size)
{
	entries = memory;
	capacity = size;
}

void
ms_facts_reset(void)
{
	used = 0;
	uses = 0;
}

static Entry *
next_entry(Entry *entry)
{
	char	   *next = entry == NULL ? entries :
		(char *) entry + entry->size;

	return next < entries + used ? (Entry *) next : NULL;
}

static Entry *
find_entry(const MSFact *fact)
{
	Entry	   *entry = NULL;

	while ((entry = next_entry(entry)) != NULL)
		if (ms_fact_is_same(&entry->fact, fact))
			return entry;
	return NULL;
}

static void
evict_oldest(void)
{
	Entry	   *oldest = (Entry *) entries;
	Entry	   *entry = NULL;
	char	   *end;

	while ((entry = next_entry(entry)) != NULL)
		if (entry->last_used < oldest->last_used)
			oldest = entry;
	end = (char *) oldest + oldest->size;
	used -= oldest->size;
	memmove(oldest, end, entries + used - (char *) oldest);
	ms_profile.facts_lost++;
}

static void
keep_fact(const MSFact *fact)
{
	Entry	   *entry = find_entry(fact);
	char	   *clauses;
	Size		size;

	if (entry != NULL)
	{
		ms_fact_add(&entry->fact, fact);
		entry->last_used = ++uses;
		return;
	}
	clauses = nodeToString(fact->clauses);
	size = MAXALIGN(offsetof(Entry, clauses) + strlen(clauses) + 1);
	if (size > capacity / FACT_PART)
	{
		ms_profile.facts_lost++;
		return;
	}
	while (used + size > capacity)
		evict_oldest();
	entry = (Entry *) (entries + used);
	entry->fact = *fact;
	entry->fact.clauses = NIL;
	entry->last_used = ++uses;
	entry->size = size;
	strcpy(entry->clauses, clauses);
	used += size;
}

/*
 * Statements
 */

static bool
choose(int level)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();

	if (level == 0 || chosen_at != now)
	{
		chosen_at = now;
		chosen = ms_plan_sample >= 1 || ms_random_double() < ms_plan_sample;
	}
	return chosen;
}

bool
ms_plan_start(QueryDesc *queryDesc, int eflags, int level, bool wanted)
{
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0 || !wanted || !choose(level))
		return false;
	queryDesc->instrument_options |= INSTRUMENT_ROWS;
	return true;
}

/* of a query that speaks for no statement of its own: the client's latest */
static bool
belongs_to_latest(MSFact *owner)
{
	MSRecord   *r = ms_profile_record(ms_profile.last_top);

	if (r == NULL)
		return false;
	owner->shape = r->shape;
	owner->userid = r->userid;
	owner->queryid = r->queryid;
	owner->toplevel = true;
	return true;
}

static bool
belongs_to(MSFact *owner, const MSStatement *s)
{
	if (s->own || s->generation != ms_profile.generation)
		return false;
	owner->shape = s->shape;
	owner->userid = s->userid;
	owner->queryid = s->queryid;
	owner->toplevel = s->level == 0;
	return true;
}

void
ms_plan_end(QueryDesc *queryDesc, const MSStatement *s, bool is_fk_check,
			bool complete)
{
	MemoryContext saved;
	MSFact		owner;
	bool		known = false;
	ListCell   *lc;

	if (queryDesc->planstate == NULL ||
		queryDesc->planstate->instrument == NULL || !ms_profile.ready)
		return;
	if (s != NULL && s->level == 0 && s->shape != 0)
		known = belongs_to(&owner, s);
	else if (is_fk_check || (s != NULL && s->shape == 0))
		known = chosen && belongs_to_latest(&owner);
	else if (s != NULL)
		known = belongs_to(&owner, s);
	if (!known)
		return;

	/* what is palloc'd goes with the plan, in a moment */
	saved = MemoryContextSwitchTo(queryDesc->estate->es_query_cxt);
	foreach(lc, ms_facts_collect(queryDesc, is_fk_check, complete,
								 s != NULL && s->measured ?
								 s->usage.temp_blks_written : 0))
	{
		MSFact	   *fact = lfirst(lc);

		fact->shape = owner.shape;
		fact->userid = owner.userid;
		fact->queryid = owner.queryid;
		fact->toplevel = owner.toplevel;
		keep_fact(fact);
	}
	MemoryContextSwitchTo(saved);
}

/* those that the user may see, or those that he may not */
List *
ms_profile_facts(bool visible)
{
	List	   *facts = NIL;
	Entry	   *entry = NULL;

	while ((entry = next_entry(entry)) != NULL)
	{
		MSFact	   *fact;

		if (ms_may_see(entry->fact.userid) != visible)
			continue;
		fact = palloc(sizeof(MSFact));
		*fact = entry->fact;
		fact->clauses = stringToNode(entry->clauses);
		facts = lappend(facts, fact);
	}
	return facts;
}
