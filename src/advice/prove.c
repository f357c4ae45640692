/*-------------------------------------------------------------------------
 *
 * prove.c
 *	  Which remedy is suggested, if any.
 *
 * A remedy is proved where the statement's kept text, with the values that it
 * ran with, is planned to use it and to cost MS_PROVED_SHARE of before or less,
 * both planned in the same reading, and where it reads no more than that share
 * of the blocks even if the rows that it finds lie as far apart as they can, and
 * are as many as came.  Not proved is what depends on an expression without
 * statistics, which come with its index otherwise: the planner takes such an
 * index whatever it is good for.
 *
 * What cannot be proved is suggested only if the rows that it finds are known
 * to be few (MSRemedy.measured), and then said not to be proved.
 *
 * A reading takes missing_symbol.advice_time at most: a text that would need
 * more, judged by what it took to plan it, is left out.  What came of it is
 * remembered for each fact, until that has been seen twice as often or the
 * table, or some table's statistics, have changed; but not that an index is not
 * chosen, which settings decide.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_index.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"
#include "figures/figures.h"

/* what costs so little more is as good, if it is simpler */
#define AS_GOOD			1.1

/* so many verdicts are remembered */
#define MAX_VERDICTS	512

static int	advice_time = 250;	/* ms */
static int64 deadline;

/*
 * Verdicts
 */

typedef struct VerdictKey
{
	uint64		shape;
	uint64		structure;
	MSFactKind	kind;
	int			node;
	Oid			userid;
	Oid			relid;
	Oid			index;
	int			tag;
	int			toplevel;
	int			nremedies;
} VerdictKey;

typedef struct Verdict
{
	VerdictKey	key;
	bool		valid;
	int64		times;			/* that the fact had been seen */
	int			best;			/* which remedy; -1: none */
	bool		proved;
	bool		guessed;		/* it depends on an expression */
	bool		scattered;		/* blocks are not known to be saved */
	bool		solved;
	double		before;
	double		after;
	Oid			there;			/* an index that is not chosen */
	double		there_cost;
	double		expected;
} Verdict;

static HTAB *verdicts = NULL;

static void
forget_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	Verdict    *verdict;

	if (verdicts == NULL)
		return;
	hash_seq_init(&seq, verdicts);
	while ((verdict = hash_seq_search(&seq)) != NULL)
		if (!OidIsValid(relid) || verdict->key.relid == relid)
			verdict->valid = false;
}

static void
forget_statistics(Datum arg, MS_CACHEID cacheid, uint32 hash)
{
	forget_relation(arg, InvalidOid);
}

/* NULL: explain_analyze()'s facts are of no shape */
static Verdict *
verdict_of(const MSFact *fact, int nremedies)
{
	VerdictKey	key;
	bool		found;
	Verdict    *verdict;

	if (fact->shape == 0)
		return NULL;
	if (verdicts == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = sizeof(VerdictKey);
		info.entrysize = sizeof(Verdict);
		info.hcxt = TopMemoryContext;
		verdicts = hash_create("missing_symbol verdicts", 64, &info,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
		CacheRegisterSyscacheCallback(STATRELATTINH, forget_statistics,
									  (Datum) 0);
	}
	memset(&key, 0, sizeof(key));
	key.shape = fact->shape;
	key.structure = fact->structure;
	key.kind = fact->kind;
	key.node = fact->node;
	key.userid = fact->userid;
	key.relid = fact->relid;
	key.index = fact->index;
	key.tag = fact->tag;
	key.toplevel = fact->toplevel;
	key.nremedies = nremedies;
	if (hash_get_num_entries(verdicts) >= MAX_VERDICTS &&
		hash_search(verdicts, &key, HASH_FIND, NULL) == NULL)
	{
		HASH_SEQ_STATUS seq;

		hash_seq_init(&seq, verdicts);
		while ((verdict = hash_seq_search(&seq)) != NULL)
			(void) hash_search(verdicts, &verdict->key, HASH_REMOVE, NULL);
	}
	verdict = hash_search(verdicts, &key, HASH_ENTER, &found);
	if (!found || fact->times >= 2 * verdict->times)
		verdict->valid = false;
	return verdict;
}

/*
 * Planning again
 */

/* NULL: it can be */
static const char *
why_not_again(const MSFact *fact, int nremedies)
{
	const MSKept *kept = fact->kept;
	int64		left = deadline - ms_now_ns();

	if (kept == NULL)
		return "its text is not kept";
	if (!kept->values_known)
		return "not all of its parameters are kept";
	if (!member_can_set_role(GetUserId(), kept->userid))
		return "you could not become the role that ran it";
	if (IsInParallelMode())
		return "this is a parallel query";
	if (left <= 0 || kept->plan_ns * (nremedies + 1) > left)
		return "missing_symbol.advice_time is over";
	return NULL;
}

/* columns, predicates and indexes: what it costs to have it */
static int
size_of(const MSRemedy *remedy)
{
	int			size = 0;
	ListCell   *lc;

	foreach(lc, remedy->indexes)
	{
		MSIndex    *index = lfirst(lc);

		size += 2 + 2 * list_length(index->columns) +
			list_length(index->predicate);
	}
	return size;
}

/* the simplest of those that are about as good as the best; -1: none */
static int
best_of(const MSAgain *again, bool scattered)
{
	double		most = again->cost * MS_PROVED_SHARE;
	double		least = most;
	int			best = -1;
	int			n = -1;
	ListCell   *lc;

	foreach(lc, again->remedies)
	{
		MSRemedy   *remedy = lfirst(lc);

		if (!remedy->used || OidIsValid(remedy->there) ||
			(!remedy->measured && (scattered || ms_is_guessed(remedy))) ||
			(!scattered && !ms_saves(remedy, again)))
			remedy->passed = false;
		else
		{
			remedy->passed = remedy->cost <= most;
			least = Min(least, remedy->cost);
		}
	}
	foreach(lc, again->remedies)
	{
		MSRemedy   *remedy = lfirst(lc);
		MSRemedy   *so_far = best < 0 ? NULL : list_nth(again->remedies, best);

		n++;
		if (remedy->passed && remedy->cost <= least * AS_GOOD &&
			(so_far == NULL || size_of(remedy) < size_of(so_far) ||
			 (size_of(remedy) == size_of(so_far) &&
			  remedy->cost < so_far->cost)))
			best = n;
	}
	return best;
}

/*
 * An expression whose rows are taken for many, but are measured to be few; its
 * cost is not known.
 */
static int
usable_of(List *remedies)
{
	ListCell   *lc;

	foreach(lc, remedies)
		if (((MSRemedy *) lfirst(lc))->usable)
			return list_cell_number(remedies, lc);
	return -1;
}

/* rows were updated in place before it was made: later transactions use it */
static bool
is_too_new(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_index) GETSTRUCT(tuple))->indcheckxmin &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(tuple->t_data),
							   TransactionXmin);
	ReleaseSysCache(tuple);
	return result;
}

/* the index that is there and serves; of a fact that the planner can repeat */
static void
judge(Verdict *verdict, const MSAgain *again)
{
	ListCell   *lc;
	ListCell   *i;

	verdict->valid = true;
	verdict->before = again->cost;
	verdict->expected = again->expected;
	verdict->there = InvalidOid;
	verdict->there_cost = 0;
	verdict->solved = false;
	foreach(lc, again->remedies)
	{
		MSRemedy   *remedy = lfirst(lc);

		if (!OidIsValid(remedy->there))
			continue;
		foreach(i, remedy->serving)
			if (list_member_oid(again->used, lfirst_oid(i)) ||
				is_too_new(lfirst_oid(i)))
				verdict->solved = true;
		if (!OidIsValid(verdict->there))
			verdict->there = remedy->there;
	}
	if (OidIsValid(verdict->there) &&
		list_member_oid(again->forced_used, verdict->there))
		verdict->there_cost = again->forced_cost;
	verdict->best = best_of(again, false);
	verdict->scattered = verdict->best < 0;
	if (verdict->best < 0)
		verdict->best = best_of(again, true);
	if (verdict->best >= 0)
	{
		MSRemedy   *best = list_nth(again->remedies, verdict->best);

		verdict->after = best->cost;
		verdict->guessed = ms_is_guessed(best);
		verdict->proved = !verdict->scattered && !verdict->guessed;
	}
	else if (!OidIsValid(verdict->there))
	{
		verdict->best = usable_of(again->remedies);
		verdict->guessed = true;
	}
}

/*
 * Why an index that is there is not used
 */

static const char *
settings_off(void)
{
	if (!enable_indexscan && !enable_bitmapscan)
		return "enable_indexscan and enable_bitmapscan are off";
	if (!enable_indexscan)
		return "enable_indexscan is off";
	return NULL;
}

/* each time that the table was scanned */
static double
rows_that_came(const MSFact *fact)
{
	double		rows = fact->kind == MS_SORT_DISCARDS ? fact->rows_read :
		fact->rows_read - fact->rows_discarded;

	return rows / Max(fact->times, 1) / Max(fact->actual, 1);
}

static const char *
not_chosen(Relation rel, const MSFact *fact, Oid there, const Verdict *verdict)
{
	StringInfoData why;
	const char *off = settings_off();
	const char *old = ms_statistics_are_old(rel, fact);

	initStringInfo(&why);
	appendStringInfo(&why, "index %s exists and was not chosen",
					 ms_qualified_name(there));
	if (off != NULL)
		appendStringInfo(&why, "; %s", off);
	if (verdict != NULL && verdict->there_cost > 0 && off == NULL)
		appendStringInfo(&why, "; with it the planner expects a cost of %.0f, and without of %.0f",
						 verdict->there_cost, verdict->before);
	else if (verdict != NULL && off == NULL)
		appendStringInfoString(&why, "; the planner finds no use for it in this statement");
	if (verdict != NULL && verdict->expected >= 0 && fact->times > 0)
	{
		double		came = rows_that_came(fact);

		if (verdict->expected > 10 * came + 10)
			appendStringInfo(&why, "; it expects %.0f rows where %.0f came",
							 verdict->expected, came);
	}
	if (old != NULL)
		appendStringInfo(&why, "; %s", old);
	return why.data;
}

/*
 * Suggestions
 */

static void
use_verdict(MSAdvice *advice, const Verdict *verdict, List *remedies,
			Relation rel, const MSFact *fact)
{
	if (verdict->solved)
	{
		advice->solved = true;
		return;
	}
	advice->cost_before = verdict->before;
	if (verdict->best >= 0)
	{
		advice->remedy = list_nth(remedies, verdict->best);
		advice->proved = verdict->proved;
		advice->cost_after = verdict->after;
		if (verdict->guessed)
			advice->why = "not proved: an expression has no statistics before its index is there";
		else if (verdict->scattered)
			advice->why = "not proved: the rows may lie in about as many blocks as are read now";
	}
	else if (OidIsValid(verdict->there))
		advice->why = not_chosen(rel, fact, verdict->there, verdict);
	else
		advice->why = "no index was found that would make the statement much cheaper";
}

/* by what was measured: what is simplest, as more of it is not known to help */
static void
use_measured(MSAdvice *advice, List *remedies, const char *why, Relation rel,
			 const MSFact *fact)
{
	Oid			there = InvalidOid;
	ListCell   *lc;

	foreach(lc, remedies)
	{
		MSRemedy   *remedy = lfirst(lc);

		if (OidIsValid(remedy->there))
		{
			if (!OidIsValid(there))
				there = remedy->there;
		}
		else if (remedy->measured &&
				 (advice->remedy == NULL ||
				  size_of(remedy) < size_of(advice->remedy)))
			advice->remedy = remedy;
	}
	if (OidIsValid(there))
	{
		advice->remedy = NULL;
		if (there > fact->newest_index)
			advice->solved = true;
		else
			advice->why = not_chosen(rel, fact, there, NULL);
	}
	else
		advice->why = psprintf("not proved: %s", why);
}

static List *
remedies_for(Relation rel, const MSFact *fact, const char **reason)
{
	List	   *remedies = ms_remedies(rel, fact, reason);
	ListCell   *lc;

	foreach(lc, remedies)
	{
		MSRemedy   *remedy = lfirst(lc);

		ms_remedy_look_for(remedy, rel, fact);

		/* another was used for the same, and is not enough */
		if (OidIsValid(remedy->there) && OidIsValid(fact->index) &&
			remedy->there <= fact->newest_index)
			remedies = foreach_delete_current(remedies, lc);
	}
	return remedies;
}

void
ms_advise(Relation rel, const MSFact *fact, MSAdvice *advice)
{
	const char *reason;
	List	   *remedies = remedies_for(rel, fact, &reason);
	const char *why = why_not_again(fact, list_length(remedies));
	Verdict    *verdict;
	Verdict		here;
	MSAgain		again = {0};
	ListCell   *lc;

	memset(advice, 0, sizeof(MSAdvice));
	if (remedies == NIL)
	{
		advice->why = reason ? reason :
			"no suggestion is made for its condition";
		return;
	}
	foreach(lc, remedies)
	{
		MSRemedy   *remedy = lfirst(lc);

		if (remedy->building)
		{
			advice->why = psprintf("index %s is not valid, and may be about to be built",
								   ms_qualified_name(remedy->invalid));
			return;
		}
	}
	if (fact->kind == MS_MISSING_FK_INDEX)
	{
		use_measured(advice, remedies, "it is the check of a foreign key", rel, fact);
		return;
	}
	verdict = verdict_of(fact, list_length(remedies));
	if (verdict != NULL && verdict->valid && fact->kept != NULL &&
		!OidIsValid(verdict->there) &&
		member_can_set_role(GetUserId(), fact->kept->userid))
	{
		use_verdict(advice, verdict, remedies, rel, fact);
		return;
	}
	if (why == NULL)
	{
		again.kept = fact->kept;
		again.relid = fact->relid;
		again.came = rows_that_came(fact);
		again.remedies = list_copy(remedies);
		again.deadline = deadline;
		ms_plan_again(&again);
		why = again.why;
	}
	if (!again.planned)
	{
		use_measured(advice, remedies, why, rel, fact);
		if (advice->remedy == NULL && reason != NULL)
			advice->why = reason;
		return;
	}
	/*
	 * Planning may have brought invalidations, which forget.  What is not
	 * among the remedies to begin with is not remembered.
	 */
	memset(&here, 0, sizeof(here));
	judge(&here, &again);
	verdict = verdict_of(fact, list_length(remedies));
	if (verdict != NULL && here.best < list_length(remedies))
	{
		here.key = verdict->key;
		here.times = fact->times;
		*verdict = here;
	}
	use_verdict(advice, &here, again.remedies, rel, fact);
	if (advice->remedy == NULL && reason != NULL)
		advice->why = reason;
}

/* a reading of findings begins */
void
ms_advice_begin(void)
{
	deadline = ms_now_ns() + advice_time * INT64CONST(1000000);
}

void
ms_advice_init(void)
{
	DefineCustomIntVariable("missing_symbol.advice_time",
							"How long a reading of findings may plan statements again.",
							"What is not planned again is not proved. 0: nothing is.",
							&advice_time,
							250,
							0,
							INT_MAX,
							PGC_USERSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);
}
