/*-------------------------------------------------------------------------
 *
 * plans.c
 *	  Which of the profiled statements' plans are looked into, and whose what
 *	  they tell is.
 *
 * Rows are counted in the plans of those top-level statements that
 * missing_symbol.plan_sample chooses, in what is listed below them, and in
 * the queries by which foreign keys look for references, whether listed or
 * not: these belong to the statement that the client sent.
 *
 * Of what took long a copy of the plan is kept, chosen or not (slow/).
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
#include "profile/session_internal.h"
#include "profile/statement_internal.h"
#include "slow/slow.h"

double		ms_plan_sample = 1;

/* is the client's statement under way chosen? */
static bool chosen;
static TimestampTz chosen_at;

static bool
choose(int level)
{
	TimestampTz now;

	if (ms_plan_sample >= 1)
		return chosen = true;
	now = GetCurrentStatementStartTimestamp();
	if (level == 0 || chosen_at != now)
	{
		chosen_at = now;
		chosen = ms_random_double() < ms_plan_sample;
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
ms_plan_tells(QueryDesc *queryDesc, const MSStatement *s, bool is_fk_check,
			  bool complete, const char *text)
{
	MemoryContext saved;
	MSFact		owner;
	bool		known = false;
	List	   *facts;
	double		worst = 0;
	ListCell   *lc;

	if (!ms_profile.ready)
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
	facts = ms_facts_collect(queryDesc, is_fk_check, complete,
							 ms_temp_blocks(s));
	if (s != NULL && !is_fk_check && s->level == 0)
	{
		MSFact	   *fact = ms_fact_of_time(queryDesc, s->exec_ns);

		if (fact != NULL)
			facts = lappend(facts, fact);
	}
	foreach(lc, facts)
	{
		MSFact	   *fact = lfirst(lc);

		fact->shape = owner.shape;
		fact->userid = owner.userid;
		fact->queryid = owner.queryid;
		fact->toplevel = owner.toplevel;
		worst += Max(fact->rows_discarded, 0);
		ms_keep_fact(fact);
	}
	if (facts != NIL && s != NULL && !is_fk_check)
		ms_keep_statement(&owner, queryDesc, facts, text, s->plan_ns, worst);
	MemoryContextSwitchTo(saved);
}

/*
 * Those that took long, and how long the plans of a shape take
 */

void
ms_plan_time(QueryDesc *queryDesc, const MSStatement *s)
{
	MSExecution e;

	if (s->own || s->generation != ms_profile.generation ||
		!ms_profile.ready || s->shape == 0)
		return;
	e.shape = s->shape;
	e.userid = s->userid;
	e.toplevel = s->level == 0;
	e.queryid = s->queryid;
	e.exec_ns = s->exec_ns;
	e.params = s->params;
	e.params_known = !s->unknown_params;
	ms_changes_note(&e, queryDesc);
}

static void
fill_from_record(MSSlowRun *run, const MSRecord *r)
{
	run->number = r->number;
	run->application = r->application;
	run->start_ns = r->start_ns;
	run->text = ms_record_text(r);
	run->text_len = r->text_len;
	run->params = ms_record_params(r);
	run->params_len = r->params_len;
}

/* a FETCH is part of its cursor, and a COMMIT has no plan */
static bool
may_be_slow(const MSStatement *s)
{
	return s->class == MS_CLASS_QUERY || s->class == MS_CLASS_CATALOG;
}

void
ms_plan_slow(const MSStatement *s, const MSRecord *r, MSStatus status,
			 int sqlerrcode)
{
	MSSlowRun	run = {0};

	if (!may_be_slow(s))
		return;
	run.application = ms_profile.application;
	run.start_ns = s->start_ns;
	run.params_len = -1;
	if (r != NULL)
		fill_from_record(&run, r);
	run.seq = s->seq;
	run.shape = s->shape;
	run.queryid = s->queryid;
	run.userid = s->userid;
	run.toplevel = s->level == 0;
	run.query = s->kind == MS_QUERY;
	run.label = ms_profile.section_label;
	run.status = status;
	run.sqlerrcode = sqlerrcode;
	run.plan_ns = s->plan_ns;
	run.exec_ns = s->exec_ns;
	run.rows = s->rows;
	if (ms_slow_note(&run) && s->entry->hash == s->shape)
		s->entry->slow++;
}

/* may values be shown that a plan may have for parameters? */
static bool
may_keep_values(QueryDesc *queryDesc)
{
	ParamListInfo params = queryDesc->params;

	return ms_params || params == NULL ||
		(params->numParams == 0 && params->paramFetch == NULL);
}

void
ms_plan_end_slow(QueryDesc *queryDesc, const MSStatement *s, bool complete)
{
	if (s->own || s->generation != ms_profile.generation ||
		!ms_profile.ready || !may_be_slow(s))
		return;
	if (!s->closed)
	{
		/* its utility command is not through, or has been for long */
		const MSRecord *r = ms_profile_record(s->seq);

		if (r == NULL || r->hidden)
			return;
		ms_plan_slow(s, r, MS_OK, 0);
	}
	ms_slow_keep_plan(s->seq, queryDesc, complete,
					  may_keep_values(queryDesc));
}
