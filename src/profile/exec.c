/*-------------------------------------------------------------------------
 *
 * exec.c
 *	  The profiler in the executor: what runs, how long, how many rows.
 *
 * What belongs to a QueryDesc is kept by QueryDesc, in the memory of its own
 * execution: cursors, portals and SPI interleave.  One not seen at
 * ExecutorStart is ignored.  A statement is listed when it first runs, not
 * when it is bound.  The rules of level.c hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "advice/advice.h"
#include "figures/figures.h"
#include "profile/level_internal.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "profile/statement_internal.h"
#include "shape/shape.h"
#include "slow/slow.h"

/*
 * A statement in the executor; lives until its es_query_cxt goes away: in
 * single, where that is free, else in that context and in a bucket.
 */
typedef struct MSExec
{
	MSStatement *s;				/* what is measured: of_rules, or own */
	MSStatement own;
	QueryDesc  *desc;			/* NULL once ExecutorEnd has been here */
	bool		adopted;		/* part of a utility command: s has no record */
	bool		cursor;			/* likewise, and it is a cursor's */
	bool		goes_on;		/* s has another query to come */
	bool		look;			/* into its plan */
	bool		unlisted;		/* here only for that: s is not set */
	bool		is_fk_check;	/* as its text said at the start */
	const char *text;			/* for the plan's facts: where sourceText may
								 * go while it runs, else NULL */
	struct MSExec *next;		/* in its bucket */
	struct MSExec **prev;		/* what points here */
	MemoryContextCallback callback;
} MSExec;

#define LIVE_BUCKETS	64

/* so much of a parameter's value is shown, or hashed at each end */
#define PARAM_BYTES		8192
#define HASHED_BYTES	32768

static MSExec *live[LIVE_BUCKETS];
static int	nin_buckets = 0;
static MSExec single;
static bool single_used = false;

/*
 * The client's statement of which rules have made several queries.  Its
 * portal runs them in a row, so there is one at a time.
 */
static MSStatement of_rules;

static ExecutorStart_hook_type prev_ExecutorStart = NULL;
static ExecutorRun_hook_type prev_ExecutorRun = NULL;
static ExecutorFinish_hook_type prev_ExecutorFinish = NULL;
static ExecutorEnd_hook_type prev_ExecutorEnd = NULL;

/*
 * QueryDescs that are known
 */

static inline uint32
live_bucket(QueryDesc *desc)
{
	return (uint32) (((uintptr_t) desc) >> 5) % LIVE_BUCKETS;
}

static pg_noinline MSExec *
find_in_bucket(QueryDesc *desc)
{
	MSExec	   *x;

	for (x = live[live_bucket(desc)]; x != NULL; x = x->next)
		if (x->desc == desc)
			return x;
	return NULL;
}

static inline MSExec *
live_find(QueryDesc *desc)
{
	if (likely(single.desc == desc))
		return &single;
	return nin_buckets == 0 ? NULL : find_in_bucket(desc);
}

/* likewise, if it has a statement, or is a part of one */
static inline MSExec *
statement_find(QueryDesc *desc)
{
	MSExec	   *x = live_find(desc);

	return x != NULL && x->unlisted ? NULL : x;
}

static pg_noinline void
put_in_bucket(MSExec *x)
{
	MSExec	  **bucket = &live[live_bucket(x->desc)];

	x->next = *bucket;
	if (x->next != NULL)
		x->next->prev = &x->next;
	x->prev = bucket;
	*bucket = x;
	nin_buckets++;
}

static pg_noinline void
remove_from_bucket(MSExec *x)
{
	*x->prev = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	nin_buckets--;
}

static inline void
live_remove(MSExec *x)
{
	if (unlikely(x != &single))
		remove_from_bucket(x);
	x->desc = NULL;
}

/* dropped with its portal: closed, whatever the reason */
static pg_noinline void
drop_exec(MSExec *x)
{
	live_remove(x);
	if (!x->adopted && !x->unlisted)
		ms_statement_close(x->s, MS_CLOSED, 0);
}

/* es_query_cxt goes away; mostly ExecutorEnd has been here */
static void
live_callback(void *arg)
{
	MSExec	   *x = arg;

	if (unlikely(x->desc != NULL))
		drop_exec(x);
	if (x == &single)
		single_used = false;
}

/* to be given to live_add() before anything can fail */
static inline MSExec *
new_exec(QueryDesc *desc)
{
	if (unlikely(single_used))
		return MemoryContextAlloc(desc->estate->es_query_cxt, sizeof(MSExec));
	single_used = true;
	return &single;
}

static inline void
live_add(MSExec *x)
{
	if (unlikely(x != &single))
		put_in_bucket(x);

	x->callback.func = live_callback;
	x->callback.arg = x;
	MemoryContextRegisterResetCallback(x->desc->estate->es_query_cxt,
									   &x->callback);
}

/*
 * Statements
 */

/* of a long value only the beginning and the end */
static uint64
hash_bytes_of(const void *value, Size len)
{
	const unsigned char *bytes = value;
	uint64		hash = 0;

	if (unlikely(len > 2 * HASHED_BYTES))
	{
		hash = ms_hash_combine(hash_bytes_extended(bytes, HASHED_BYTES, 0), len);
		bytes += len - HASHED_BYTES;
		len = HASHED_BYTES;
	}
	return hash_bytes_extended(bytes, len, hash);
}

/* of a value: its bytes, without reading the catalog for usual types */
static pg_noinline uint64
hash_parameter(ParamExternData *p)
{
	int16		typlen;
	bool		typbyval;

	switch (p->ptype)
	{
		case INT4OID:
		case BOOLOID:
		case DATEOID:
			typlen = 4;
			typbyval = true;
			break;
		case INT8OID:
		case TIMESTAMPTZOID:
			typlen = 8;
			typbyval = sizeof(Datum) == 8;
			break;
		case TEXTOID:
		case VARCHAROID:
		case NUMERICOID:
			typlen = -1;
			typbyval = false;
			break;
		default:
			get_typlenbyval(p->ptype, &typlen, &typbyval);
			break;
	}
	if (typbyval)
		return ms_hash_combine((uint64) p->value, 1);
	if (typlen == -1)
	{
		struct varlena *v = (struct varlena *) DatumGetPointer(p->value);

		if (VARATT_IS_EXTERNAL_ONDISK(v))
			return hash_bytes_of(v, VARSIZE_EXTERNAL(v));
		if (VARATT_IS_EXTERNAL(v))
		{
			/* somewhere in memory, where another may have been before */
			static uint64 unlike = 0;

			return ms_hash_combine(++unlike, 2);
		}
		return hash_bytes_of(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
	}
	return hash_bytes_of(DatumGetPointer(p->value),
						 typlen > 0 ? typlen : strlen(DatumGetCString(p->value)));
}

static inline uint64
hash_parameters(ParamListInfo params)
{
	uint64		hash = 0;
	int			i;

	if (params == NULL)
		return 0;
	for (i = 0; i < params->numParams; i++)
	{
		ParamExternData *p = &params->params[i];
		uint64		h = 0;

		if (p->ptype == INT4OID && !p->isnull)
			h = ms_hash_combine((uint64) p->value, 1);	/* as most are */
		else if (!p->isnull && OidIsValid(p->ptype))
			h = hash_parameter(p);
		hash = ms_hash_combine(hash, h);
	}
	return hash;
}

/* the size of a value that would need its memory several times, else 0 */
static Size
long_size(ParamExternData *p)
{
	int16		typlen;
	Size		size = 0;

	if (p->isnull || !OidIsValid(p->ptype))
		return 0;
	typlen = get_typlen(p->ptype);
	if (typlen == -1)
		size = toast_raw_datum_size(p->value) - VARHDRSZ;
	else if (typlen == -2)
		size = strlen(DatumGetCString(p->value));
	return size > PARAM_BYTES ? size : 0;
}

/* $1 = '...', $2 = ...; of long values, which are not detoasted, the size */
static pg_noinline char *
params_text(ParamListInfo params)
{
	char	  **known = palloc0(sizeof(char *) * params->numParams);
	char	   *text;
	int			i;

	for (i = 0; i < params->numParams; i++)
	{
		Size		size = long_size(&params->params[i]);

		if (size > 0)
			known[i] = psprintf("(%zu bytes)", size);
	}
	text = BuildParamLogString(params, known, PARAM_BYTES);
	for (i = 0; i < params->numParams; i++)
		if (known[i] != NULL)
			pfree(known[i]);
	pfree(known);
	return text;
}

static pg_attribute_always_inline void
fill_statement(MSStatement *s, QueryDesc *desc, PlannedStmt *stmt, int level,
			   const MSText *text)
{
	ms_statement_init(s, text->source, text->location, text->len);
	s->level = level;
	s->tag = level == 0 ? ActivePortal->commandTag :
		ms_operation_tag(stmt->commandType);
	s->executed = true;
	ms_statement_describe(s, stmt);
	if (unlikely(desc->params != NULL && desc->params->paramFetch != NULL))
		s->unknown_params = true;	/* a function's variables */
	else
		s->params = hash_parameters(desc->params);
}

static void
run_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	if (prev_ExecutorStart)
		prev_ExecutorStart(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);
}

/* a foreign key's check, looked into for the statement that it belongs to */
static pg_noinline void
add_unlisted(QueryDesc *desc)
{
	MSExec	   *x = new_exec(desc);

	x->desc = desc;
	x->text = NULL;
	x->adopted = false;
	x->look = true;
	x->unlisted = true;
	x->is_fk_check = true;
	live_add(x);
}

/*
 * Start it one level deeper, and return how long that took.  Where it fails,
 * failed (may be NULL) lists the error, which is its own.
 */
static inline int64
start_deeper(int level, QueryDesc *queryDesc, int eflags,
			 void (*failed) (void *arg, QueryDesc *queryDesc, int64 exec_ns),
			 void *arg)
{
	int			was = ms_enter(level + 1);
	int64		from_ns = ms_now_ns();

	PG_TRY();
	{
		run_ExecutorStart(queryDesc, eflags);
	}
	PG_CATCH();
	{
		ms_hooks.at.level = was;
		if (failed != NULL)
			failed(arg, queryDesc, ms_now_ns() - from_ns);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_hooks.at.level = was;
	return ms_now_ns() - from_ns;
}

/* a statement that starts */
typedef struct MSStarting
{
	int			level;
	int64		plan_ns;
	MSText		text;
} MSStarting;

static pg_noinline void
list_failed_start(void *arg, QueryDesc *queryDesc, int64 exec_ns)
{
	MSStarting *starting = arg;
	MSStatement s;

	if (!ms_profile.ready)
		return;
	fill_statement(&s, queryDesc, queryDesc->plannedstmt, starting->level,
				   &starting->text);
	s.plan_ns = starting->plan_ns;
	s.exec_ns = exec_ns;
	ms_statement_open(&s, NULL);
	ms_statement_close(&s, MS_ERROR, geterrcode());
	ms_error_listed(starting->level);
}

static inline MSExec *
start_statement(int level, QueryDesc *queryDesc, int eflags)
{
	MSStarting	starting;
	MSText	   *text = &starting.text;
	int64		start_ns;
	MSExec	   *x;

	starting.level = level;
	starting.plan_ns = ms_plan_consume(level, queryDesc->plannedstmt);
	ms_text_locate(text, queryDesc->sourceText,
				   queryDesc->plannedstmt->stmt_location,
				   queryDesc->plannedstmt->stmt_len, level);
	if (level == 0)
		ms_note_top_level(text);
	start_ns = start_deeper(level, queryDesc, eflags, list_failed_start,
							&starting);

	x = new_exec(queryDesc);
	x->s = &x->own;
	x->adopted = false;
	x->goes_on = false;
	if (unlikely(text->name != NULL))
		ms_text_keep(text, queryDesc->estate->es_query_cxt);
	fill_statement(x->s, queryDesc, queryDesc->plannedstmt, level, text);
	x->s->plan_ns = starting.plan_ns;
	x->s->exec_ns = start_ns;
	return x;
}

/* a query that its utility command speaks for: that one is measured */
static pg_noinline MSExec *
start_adopted(int level, QueryDesc *queryDesc, int eflags)
{
	MSStatement *into = &ms_hooks.utility->s;
	MSExec	   *x;

	into->plan_ns += ms_plan_consume(level, queryDesc->plannedstmt);
	if (queryDesc->params != NULL && queryDesc->params->paramFetch != NULL)
		into->unknown_params = true;
	else
		into->params = ms_hash_combine(into->params,
									   hash_parameters(queryDesc->params));
	if (ms_hooks.utility->executes)
		ms_statement_describe(into, queryDesc->plannedstmt);
	if (into->queryid == 0)
		into->queryid = queryDesc->plannedstmt->queryId;

	(void) start_deeper(level, queryDesc, eflags, NULL, NULL);

	x = new_exec(queryDesc);
	x->s = &x->own;
	x->adopted = true;
	x->goes_on = false;
	memset(x->s, 0, sizeof(MSStatement));
	x->s->level = into->level;

	/* where what its plan tells belongs to */
	x->s->shape = into->shape;
	x->s->userid = into->userid;
	x->s->queryid = into->queryid;
	x->s->generation = into->generation;
	x->s->seq = into->seq;
	x->s->start_ns = into->start_ns;
	x->s->plan_ns = into->plan_ns;
	x->s->params = into->params;
	x->s->unknown_params = into->unknown_params;

	/* a cursor's rows come as they are fetched */
	x->cursor = into->tag == CMDTAG_DECLARE_CURSOR && !into->own;
	x->s->returns = x->cursor;
	x->s->entry = into->entry;
	x->s->class = into->class;
	return x;
}

/* its statement gets its line */
static inline void
open_statement(MSStatement *s, QueryDesc *desc)
{
	char	   *params = NULL;

	if (desc->params != NULL && unlikely(ms_params) &&
		desc->params->paramFetch == NULL)
		params = params_text(desc->params);
	ms_statement_open(s, params);
	if (unlikely(params != NULL))
		pfree(params);
}

static pg_noinline void
fail_rules(void *arg, QueryDesc *queryDesc, int64 exec_ns)
{
	of_rules.exec_ns += exec_ns;
	ms_statement_close(&of_rules, MS_ERROR, geterrcode());
	ms_error_listed(0);
}

/*
 * One of the queries that rules have made of a statement, which is open from
 * the first to the last.
 */
static pg_noinline MSExec *
start_of_rules(QueryDesc *queryDesc, int eflags)
{
	MSStatement *s = &of_rules;
	PlannedStmt *first = ms_portal_query(false);
	PlannedStmt *last = ms_portal_query(true);
	MSExec	   *x;

	if (queryDesc->plannedstmt == first || !s->opened || s->closed)
	{
		PlannedStmt *stmt = PortalGetPrimaryStmt(ActivePortal);
		MSText		text;

		if (s->opened && !s->closed)
			ms_statement_close(s, MS_CLOSED, 0);
		if (stmt == NULL || stmt->utilityStmt != NULL)
			stmt = queryDesc->plannedstmt;
		ms_text_locate(&text, queryDesc->sourceText, stmt->stmt_location,
					   stmt->stmt_len, 0);
		ms_note_top_level(&text);
		fill_statement(s, queryDesc, stmt, 0, &text);
		s->plan_ns = ms_plan_consume(0, last);
		open_statement(s, queryDesc);
	}

	s->from_ns = ms_now_ns();
	(void) start_deeper(0, queryDesc, eflags, fail_rules, NULL);

	x = new_exec(queryDesc);
	x->s = s;
	x->adopted = false;
	x->goes_on = queryDesc->plannedstmt != last;
	return x;
}

bool
ms_exec_fail(uint64 seq, int sqlerrcode)
{
	if (of_rules.seq != seq || !of_rules.opened || of_rules.closed)
		return false;
	ms_statement_close(&of_rules, MS_ERROR, sqlerrcode);
	return true;
}

/* EXPLAIN EXECUTE has the text of a statement that may deallocate itself */
static pg_noinline const char *
copy_source(QueryDesc *desc)
{
	MemoryContext saved = MemoryContextSwitchTo(desc->estate->es_query_cxt);
	const char *text = ms_keep_source(desc);

	MemoryContextSwitchTo(saved);
	return text != NULL ? text : "";
}

static void
ms_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	int			level;
	bool		adopted;
	bool		look = false;
	bool		is_fk_check = false;
	MSExec	   *x;

	if (ms_profiling == MS_TRACK_OFF || !ms_profile_ready())
	{
		if (unlikely(ms_session_unlogged))
			ms_session_log_failed();
		run_ExecutorStart(queryDesc, eflags);
		return;
	}
	level = ms_statement_level(queryDesc->sourceText);
	adopted = ms_hooks.utility != NULL &&
		ms_is_adopted(queryDesc->sourceText);
	if (unlikely(ms_plans))
	{
		/* what the client sends is none, whatever it looks like */
		is_fk_check = level > 0 && ms_is_fk_check(queryDesc->sourceText);
		look = ms_plan_start(queryDesc, eflags, level,
							 is_fk_check || adopted ||
							 ms_level_is_tracked(level));
	}
	if (!ms_level_is_tracked(level) && !adopted)
	{
		/* the function that takes a job, and not what called it, is not listed */
		if (unlikely(queryDesc->plannedstmt->rowMarks != NIL) &&
			ms_hooks.at.current != NULL)
			ms_note_row_marks(ms_hooks.at.current,
							  queryDesc->plannedstmt->rowMarks);
		run_ExecutorStart(queryDesc, eflags);
		if (look)
			add_unlisted(queryDesc);
		return;
	}

	if (adopted)
		x = start_adopted(level, queryDesc, eflags);
	else if (level == 0 && unlikely(list_length(ActivePortal->stmts) > 1))
		x = start_of_rules(queryDesc, eflags);
	else
		x = start_statement(level, queryDesc, eflags);
	x->text = look && adopted ? copy_source(queryDesc) : NULL;
	x->look = look;
	x->unlisted = false;
	x->is_fk_check = is_fk_check;
	x->desc = queryDesc;		/* last: only now it is known */
	live_add(x);
}

static void
run_ExecutorRun(MS_RUN_PARAMS)
{
	if (prev_ExecutorRun)
		prev_ExecutorRun(MS_RUN_ARGS);
	else
		standard_ExecutorRun(MS_RUN_ARGS);
}

static bool
is_complete(QueryDesc *desc, ScanDirection direction, uint64 count)
{
	return desc->operation == CMD_SELECT &&
		!desc->plannedstmt->hasModifyingCTE &&
		ScanDirectionIsForward(direction) &&
		(count == 0 || desc->estate->es_processed < count);
}

/* an executor hook has caught an error */
static void
fail_exec(MSExec *x)
{
	if (x == NULL || x->adopted)
		return;
	ms_statement_end(x->s);
	ms_statement_close(x->s, MS_ERROR, geterrcode());
	ms_error_listed(x->s->level);
}

/* the client asks for one row, and waits for it */
static inline void
note_by_row(MSStatement *s, uint64 count)
{
	if (count == 1 && s->level == 0 && !s->own && s->entry->hash == s->shape &&
		s->generation == ms_profile.generation)
		s->entry->by_row++;
}

/* what a run has brought */
static inline void
account_run(MSExec *x, ScanDirection direction, uint64 count)
{
	QueryDesc  *desc = x->desc;

	ms_statement_end(x->s);
	if (x->adopted)
	{
		if (x->cursor)
		{
			note_by_row(x->s, count);
			x->s->rows += desc->estate->es_processed;
			ms_runs_rows(x->s);
		}
		return;
	}
	if (desc->plannedstmt->canSetTag)
		x->s->rows += desc->estate->es_processed;
	if (!x->goes_on && is_complete(desc, direction, count))
		ms_statement_close(x->s, MS_OK, 0);
	else
	{
		ms_statement_update(x->s);
		ms_runs_rows(x->s);
		note_by_row(x->s, count);
	}
}

/* run it one level deeper; x: NULL if it was not seen at its start */
static pg_noinline void
measure_run(MS_RUN_PARAMS, MSExec *x)
{
	MSPlace		was;

	if (x == NULL)
		was = ms_enter_statement(ms_hooks.at.level + 1, NULL);
	else if (x->adopted)
	{
		was = ms_enter_statement(Max(ms_hooks.at.level, x->s->level + 1),
								 ms_hooks.utility != NULL ?
								 &ms_hooks.utility->s : x->s);
		ms_statement_begin(x->s);
	}
	else
	{
		if (!x->s->opened)
			open_statement(x->s, queryDesc);
		was = ms_enter_statement(Max(ms_hooks.at.level, x->s->level) + 1, x->s);
		ms_statement_begin(x->s);
	}
	PG_TRY();
	{
		run_ExecutorRun(MS_RUN_ARGS);
	}
	PG_CATCH();
	{
		ms_hooks.at = was;
		fail_exec(x);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_hooks.at = was;
	if (x != NULL)
		account_run(x, direction, count);
}

static void
ms_ExecutorRun(MS_RUN_PARAMS)
{
	MSExec	   *x = statement_find(queryDesc);

	if (x == NULL && (ms_profiling == MS_TRACK_OFF || ms_hooks.at.level > 0))
		run_ExecutorRun(MS_RUN_ARGS);
	else
		measure_run(MS_RUN_ARGS, x);
}

static void
run_ExecutorFinish(QueryDesc *queryDesc)
{
	if (prev_ExecutorFinish)
		prev_ExecutorFinish(queryDesc);
	else
		standard_ExecutorFinish(queryDesc);
}

static pg_noinline void
measure_finish(MSExec *x, QueryDesc *queryDesc)
{
	int			was = ms_enter(Max(ms_hooks.at.level, x->s->level + 1));

	ms_statement_begin(x->s);
	PG_TRY();
	{
		run_ExecutorFinish(queryDesc);
	}
	PG_CATCH();
	{
		ms_hooks.at.level = was;
		fail_exec(x);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_hooks.at.level = was;
	ms_statement_end(x->s);
}

static void
ms_ExecutorFinish(QueryDesc *queryDesc)
{
	MSExec	   *x = statement_find(queryDesc);

	if (x == NULL || x->s->closed)
		run_ExecutorFinish(queryDesc);
	else
		measure_finish(x, queryDesc);
}

/* it ran to its last row, or is written for its effect */
static inline bool
ran_through(const MSExec *x)
{
	return x->desc->operation != CMD_SELECT ||
		(!x->unlisted && x->s->closed);
}

static void
ms_ExecutorEnd(QueryDesc *queryDesc)
{
	MSExec	   *x = live_find(queryDesc);

	if (x != NULL)
	{
		bool		complete = ran_through(x) || (x->adopted && !x->cursor);

		if (unlikely(ms_plans) && x->look)
		{
			ms_plan_end(queryDesc, x->unlisted ? NULL : x->s, x->is_fk_check,
						ran_through(x), x->text);
			if (!x->unlisted && complete && x->s != &of_rules)
				ms_plan_time(queryDesc, x->s);
		}
		live_remove(x);
		if (!x->unlisted)
		{
			if (!x->s->closed && x->s->opened && !x->adopted && !x->goes_on)
				ms_statement_close(x->s, MS_OK, 0);
			if (unlikely(x->s->plan_ns + x->s->exec_ns >= ms_slow_ns) &&
				x->s != &of_rules)
				ms_plan_end_slow(queryDesc, x->s, complete);
		}
	}
	if (prev_ExecutorEnd)
		prev_ExecutorEnd(queryDesc);
	else
		standard_ExecutorEnd(queryDesc);
}

void
ms_exec_install(void)
{
	prev_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = ms_ExecutorStart;
	prev_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = ms_ExecutorRun;
	prev_ExecutorFinish = ExecutorFinish_hook;
	ExecutorFinish_hook = ms_ExecutorFinish;
	prev_ExecutorEnd = ExecutorEnd_hook;
	ExecutorEnd_hook = ms_ExecutorEnd;
}
