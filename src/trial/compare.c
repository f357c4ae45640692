/*-------------------------------------------------------------------------
 *
 * compare.c
 *	  compare(a, b, runs, prepared, writes): which of two statements is faster,
 *	  and do they return the same?
 *
 * Each round runs both once, in random order; every run is undone by itself.
 * What is timed is what a client would wait for in the server: planning
 * (unless prepared) and execution from ExecutorStart to ExecutorEnd, with the
 * output functions.  The first run of each is not timed: it warms up, and
 * finds out whether the results are the same.
 *
 * Without "writes" the runs are read-only, whatever functions they call, so
 * that nothing grows: rows that were written and undone are dead rows, which
 * only VACUUM removes.
 *
 * All of it is one subtransaction around those of the runs, which holds the
 * locks: plans stay valid from the first run to the last.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "advice/hypothetical.h"
#include "advice/undo.h"
#include "figures/figures.h"
#include "profile/profile.h"
#include "trial/trial.h"
#include "trial/trial_internal.h"

#define COMPARE_COLUMNS	16

#define RUNS			100
#define RUNS_OF_WRITES	10
#define MAX_RUNS		1000000

#define EXAMPLES		3

/* a table that a run has written to */
typedef struct MSWritten
{
	Oid			relid;
	int64		dead;			/* before */
} MSWritten;

typedef struct MSVariant
{
	const char *name;
	MSQuery		query;
	const char *setup;			/* NULL: none */
	MSSide		side;			/* what it makes */
	List	   *unseen;			/* of Oid: indexes of the other side */
	List	   *plans;			/* of PlannedStmt, if prepared */
	int64	   *times;			/* of each round, ns */
	int64		rows;			/* of the latest run */
	int64		blocks;			/* of all rounds, as is wal */
	int64		wal;
	int64		dead;			/* of all runs */
} MSVariant;

typedef struct MSCompare
{
	MSVariant	variants[2];
	ArrayType  *params;
	bool		prepared;
	bool		writes;
	bool		read_only;		/* the caller's transaction is */
	int			runs;
	int			done;			/* rounds */
	int64		start_ns;
	MemoryContext context;		/* of what outlives a run */
	MemoryContext run_context;
	List	   *written;		/* of MSWritten */
	bool		same;
	List	   *notes;			/* of char * */
	ErrorContextCallback callback;
} MSCompare;

/* one run */
typedef struct MSOneRun
{
	MSCompare  *compare;
	MSVariant  *variant;
	MSRows   *result;			/* NULL: only the time matters */
	int64		ns;
	int64		blocks;
	int64		wal;
} MSOneRun;

static int	compare_time = 10000;	/* ms */

PG_FUNCTION_INFO_V1(ms_compare);

/*
 * What writes
 */

/* a function that writes in a run that may not */
static void
hint_at_writes(void *arg)
{
	MSCompare  *c = arg;

	if (geterrcode() == ERRCODE_READ_ONLY_SQL_TRANSACTION && !c->writes &&
		!c->read_only)
		errhint("Pass writes => true to compare statements that write; the undone runs leave dead rows behind.");
}

static void
check_query(MSCompare *c, MSVariant *v, Query *query)
{
	if (query->commandType == CMD_UTILITY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot compare %s",
						GetCommandTagName(CreateCommandTag(query->utilityStmt))),
				 errdetail("Only SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE can be compared.")));
	if (!c->writes && (query->commandType != CMD_SELECT ||
					   query->hasModifyingCTE || query->rowMarks != NIL))
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("statement %s writes", v->name),
				 errhint("Pass writes => true to compare statements that write; the undone runs leave dead rows behind.")));
}

/* before a run is undone: what it has written to, as far as it is new */
static void
note_written(MSCompare *c)
{
	ListCell   *lc;
	ListCell   *i;

	foreach(lc, ms_written_relations())
	{
		Oid			relid = lfirst_oid(lc);
		bool		known = false;

		foreach(i, c->written)
			known = known || ((MSWritten *) lfirst(i))->relid == relid;
		if (!known)
		{
			MemoryContext saved = MemoryContextSwitchTo(c->context);
			MSWritten  *written = palloc(sizeof(MSWritten));
			PgStat_TableStatus *stats = find_tabstat_entry(relid);

			written->relid = relid;
			written->dead = stats ? MS_DEAD_ROWS(stats) : 0;
			c->written = lappend(c->written, written);
			MemoryContextSwitchTo(saved);
		}
	}
}

/* how many rows are dead since then */
static int64
dead_rows(const MSWritten *written)
{
	PgStat_TableStatus *stats = find_tabstat_entry(written->relid);

	return stats ? MS_DEAD_ROWS(stats) - written->dead : 0;
}

static int64
all_dead_rows(MSCompare *c)
{
	int64		dead = 0;
	ListCell   *lc;

	foreach(lc, c->written)
		dead += dead_rows(lfirst(lc));
	return dead;
}

static void
note_dead_rows(MSCompare *c)
{
	ListCell   *lc;

	foreach(lc, c->written)
	{
		MSWritten  *written = lfirst(lc);
		int64		dead = dead_rows(written);

		if (dead > 0 && get_rel_relkind(written->relid) == RELKIND_RELATION)
			c->notes = lappend(c->notes,
							   psprintf(INT64_FORMAT " dead rows were left behind: VACUUM %s",
										dead, ms_relation_name(written->relid)));
	}
}

/*
 * One run
 */

static int64
blocks_used(void)
{
	const BufferUsage *b = &pgBufferUsage;

	return b->shared_blks_hit + b->shared_blks_read + b->local_blks_hit +
		b->local_blks_read;
}

static int64
execute(PlannedStmt *plan, MSOneRun *run)
{
	DestReceiver *receiver =
		ms_rows_receiver(plan->canSetTag ? run->result : NULL);
	QueryDesc  *desc;
	int64		rows;

	desc = CreateQueryDesc(plan, run->variant->query.text, GetActiveSnapshot(),
						   InvalidSnapshot, receiver, run->variant->query.params,
						   NULL, 0);
	ExecutorStart(desc, 0);
	ms_executor_run(desc);
	ExecutorFinish(desc);
	rows = desc->estate->es_processed;
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
	receiver->rDestroy(receiver);
	return rows;
}

static void
run_variant(void *arg)
{
	MSOneRun	   *run = arg;
	MSVariant  *v = run->variant;
	List	   *queries = copyObject(v->query.queries);
	List	   *plans = v->plans;
	ListCell   *lc;

	/* these end with the subtransaction */
	(void) NewGUCNestLevel();
	ms_side_set(&v->side);
	if (!run->compare->writes)
		XactReadOnly = true;
	ms_hypothetical_without(v->unseen);
	v->rows = 0;
	ms_query_enter(&v->query);
	PushCopiedSnapshot(GetActiveSnapshot());
	UpdateActiveSnapshotCommandId();

	run->blocks = blocks_used();
	run->wal = pgWalUsage.wal_bytes;
	run->ns = ms_now_ns();
	if (!run->compare->prepared)
		plans = pg_plan_queries(queries, v->query.text, CURSOR_OPT_PARALLEL_OK,
								v->query.params);
	foreach(lc, plans)
	{
		PlannedStmt *plan = lfirst_node(PlannedStmt, lc);
		int64		rows = execute(plan, run);

		if (plan->canSetTag)
			v->rows += rows;
		if (lnext(plans, lc) != NULL)
		{
			CommandCounterIncrement();
			UpdateActiveSnapshotCommandId();
		}
	}
	run->ns = ms_now_ns() - run->ns;
	run->wal = pgWalUsage.wal_bytes - run->wal;
	run->blocks = blocks_used() - run->blocks;

	ms_hypothetical_without(NIL);
	PopActiveSnapshot();
	ms_query_leave(&v->query);
	if (run->compare->writes && run->result != NULL)
		note_written(run->compare);
}

/* run it and undo it, with its memory */
static void
run_once(MSCompare *c, MSVariant *v, MSOneRun *run)
{
	MemoryContext saved = MemoryContextSwitchTo(c->run_context);
	int64		dead = all_dead_rows(c);

	CHECK_FOR_INTERRUPTS();
	run->compare = c;
	run->variant = v;
	ms_undo(run_variant, run);
	/* pruning what others left takes from it, but not below none */
	v->dead += Max(all_dead_rows(c) - dead, 0);
	MemoryContextSwitchTo(saved);
	MemoryContextReset(c->run_context);
}

/*
 * Are the results the same?
 */

static MSRows *
result_of(MSCompare *c, MSVariant *v, const bool *wanted)
{
	MSOneRun		run = {0};

	run.result = palloc0(sizeof(MSRows));
	run.result->context = CurrentMemoryContext;
	run.result->wanted = wanted;
	run_once(c, v, &run);
	return run.result;
}

static void
compare_results(MSCompare *c)
{
	MSVariant  *a = &c->variants[0];
	MSVariant  *b = &c->variants[1];
	MSRows   *ra = result_of(c, a, NULL);
	MSRows   *rb = result_of(c, b, NULL);
	bool		wanted[MS_ROWS_BUCKETS];
	bool		same_rows = ms_rows_same_rows(ra, rb) && a->rows == b->rows;

	c->notes = ms_rows_columns(ra, rb);
	c->same = same_rows && c->notes == NIL;
	if (a->rows != b->rows)
		c->notes = lappend(c->notes,
						   psprintf("a has " INT64_FORMAT " rows, b has "
									INT64_FORMAT, a->rows, b->rows));
	if (!same_rows && ms_rows_choose(ra, rb, wanted))
		c->notes = list_concat(c->notes,
							   ms_rows_examples(result_of(c, a, wanted),
												  result_of(c, b, wanted),
												  EXAMPLES));
}

static void
note_volatile(MSCompare *c, MSVariant *v)
{
	ListCell   *lc;

	foreach(lc, ms_query_volatile(&v->query, true))
		c->notes = lappend(c->notes,
						   psprintf("function %s in %s is volatile: each run may give another result",
									(char *) lfirst(lc), v->name));
}

/*
 * Rounds
 */

static void
time_run(MSCompare *c, MSVariant *v, int round)
{
	MSOneRun		run = {0};

	run_once(c, v, &run);
	v->times[round] = run.ns;
	v->blocks += run.blocks;
	v->wal += run.wal;
}

/* the first of a round: 0 or 1 */
static int
toss(int round)
{
	uint8		byte;

	return pg_strong_random(&byte, 1) ? byte & 1 : round & 1;
}

static void
run_rounds(MSCompare *c)
{
	int64		limit_ns = (int64) compare_time * 1000000;

	while (c->done < c->runs)
	{
		int			first = toss(c->done);

		time_run(c, &c->variants[first], c->done);
		time_run(c, &c->variants[1 - first], c->done);
		c->done++;
		if (c->done < c->runs && ms_now_ns() - c->start_ns > limit_ns)
		{
			c->notes = lappend(c->notes,
							   psprintf("stopped after %d of %d runs: missing_symbol.compare_time is %d ms",
										c->done, c->runs, compare_time));
			break;
		}
	}
}

/* with what its side has set */
static void
analyze_variant(MSCompare *c, MSVariant *v)
{
	int			nestlevel = NewGUCNestLevel();
	ListCell   *lc;

	ms_side_set(&v->side);
	ms_query_analyze(&v->query, c->params);
	foreach(lc, v->query.queries)
		check_query(c, v, lfirst_node(Query, lc));
	if (c->prepared)
	{
		ms_hypothetical_without(v->unseen);
		ms_query_enter(&v->query);
		v->plans = pg_plan_queries(copyObject(v->query.queries),
								   v->query.text, CURSOR_OPT_PARALLEL_OK,
								   NULL);
		ms_query_leave(&v->query);
		ms_hypothetical_without(NIL);
	}
	AtEOXact_GUC(false, nestlevel);
}

/* rows were updated in place before they were made */
static void
note_unusable(MSCompare *c, MSVariant *v)
{
	ListCell   *lc;

	foreach(lc, v->side.indexes)
		if (ms_index_is_unusable(lfirst_oid(lc)))
			c->notes = lappend(c->notes,
							   psprintf("the index of %s could not be used here: rows of its table had been updated in place before it was made; a transaction that begins later can use it",
										v->name));
}

/* all that is undone */
static void
compare_and_undo(void *arg)
{
	MSCompare  *c = arg;
	int			i;

	/* plans of functions must not change on the way, as "auto" would */
	(void) set_config_option("plan_cache_mode",
							 c->prepared ? "force_generic_plan" : "force_custom_plan",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
							 true, 0, false);
	PushActiveSnapshot(GetTransactionSnapshot());
	for (i = 0; i < 2; i++)
	{
		ms_side_make(&c->variants[i].side, c->variants[i].setup);
		if (c->writes && c->variants[i].side.indexes != NIL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("statements that write cannot be compared with an index on one side"),
					 errhint("Both would have to keep it: leave out writes, or the index.")));
	}
	for (i = 0; i < 2; i++)
	{
		c->variants[i].unseen = c->variants[1 - i].side.indexes;
		analyze_variant(c, &c->variants[i]);
	}
	compare_results(c);
	note_volatile(c, &c->variants[0]);
	note_volatile(c, &c->variants[1]);
	note_unusable(c, &c->variants[0]);
	note_unusable(c, &c->variants[1]);
	run_rounds(c);
	PopActiveSnapshot();
}

/*
 * SQL
 */

static Datum
notes_array(List *notes)
{
	ArrayBuildState *state = initArrayResult(TEXTOID, CurrentMemoryContext,
											 false);
	ListCell   *lc;

	foreach(lc, notes)
		state = accumArrayResult(state, CStringGetTextDatum(lfirst(lc)), false,
								 TEXTOID, CurrentMemoryContext);
	return makeArrayResult(state, CurrentMemoryContext);
}

/* no more digits than are known */
static Datum
rounded(double value, double digits)
{
	double		unit = pow(10, digits);

	return Float8GetDatum(rint(value * unit) / unit);
}

/* what is said of both is in b's row */
static void
put_variant(ReturnSetInfo *rsinfo, MSCompare *c, MSVariant *v)
{
	bool		is_b = v == &c->variants[1];
	Datum		values[COMPARE_COLUMNS] = {0};
	bool		nulls[COMPARE_COLUMNS] = {0};
	MSTimes		times;
	MSRatio		ratio;
	int			i = 0;

	ms_times_describe(v->times, c->done, &times);
	ms_ratio(c->variants[0].times, c->variants[1].times, c->done, &ratio);
	values[i++] = CStringGetTextDatum(v->name);
	values[i++] = Int32GetDatum(c->done);
	values[i++] = rounded(times.median, 6);
	values[i++] = rounded(times.mean, 6);
	values[i++] = rounded(times.stddev, 6);
	values[i++] = rounded(times.p95, 6);
	values[i++] = Int64GetDatum((v->blocks + c->done / 2) / c->done);
	values[i++] = Int64GetDatum(v->rows);
	values[i++] = Int64GetDatum((v->wal + c->done / 2) / c->done);
	nulls[i] = !c->writes || !pgstat_track_counts;
	values[i++] = Int64GetDatum(v->dead);
	nulls[i] = !is_b;
	values[i++] = rounded(ratio.median, 4);
	nulls[i] = !is_b || !ratio.has_interval;
	values[i++] = rounded(ratio.low, 4);
	nulls[i] = !is_b || !ratio.has_interval;
	values[i++] = rounded(ratio.high, 4);
	nulls[i] = !is_b;
	values[i++] = BoolGetDatum(c->same);
	nulls[i] = !is_b;
	values[i++] = CStringGetTextDatum(psprintf("%s%s",
											   c->same ? "" : "the results differ; ",
											   ms_ratio_verdict(&ratio)));
	nulls[i] = !is_b;
	values[i++] = notes_array(c->notes);
	Assert(i == COMPARE_COLUMNS);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
prepare_variant(FunctionCallInfo fcinfo, MSCompare *c, int n, const char *name)
{
	MSVariant  *v = &c->variants[n];

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	ms_query_parse(&v->query, name, text_to_cstring(PG_GETARG_TEXT_PP(n)));
	v->name = name;
	v->times = palloc(c->runs * sizeof(int64));
}

static void
read_arguments(FunctionCallInfo fcinfo, MSCompare *c)
{
	c->prepared = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	c->writes = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	c->runs = !PG_ARGISNULL(2) ? PG_GETARG_INT32(2) :
		c->writes ? RUNS_OF_WRITES : RUNS;
	if (c->runs < 1 || c->runs > MAX_RUNS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("runs must be between 1 and %d", MAX_RUNS)));
	prepare_variant(fcinfo, c, 0, "a");
	prepare_variant(fcinfo, c, 1, "b");
	if (PG_NARGS() < 8)
		return;					/* of 1.1 */
	c->params = PG_ARGISNULL(5) ? NULL : PG_GETARG_ARRAYTYPE_P(5);
	for (int i = 0; i < 2; i++)
		if (!PG_ARGISNULL(6 + i))
			c->variants[i].setup = text_to_cstring(PG_GETARG_TEXT_PP(6 + i));
}

/* compare(a, b, runs, prepared, writes, params, setup_a, setup_b) */
Datum
ms_compare(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MSCompare	c = {0};
	MSTraces	traces;

	ms_profile_own();
	InitMaterializedSRF(fcinfo, 0);
	c.start_ns = ms_now_ns();
	c.read_only = XactReadOnly;
	c.context = CurrentMemoryContext;
	c.run_context = AllocSetContextCreate(CurrentMemoryContext,
										  "missing_symbol compare",
										  ALLOCSET_DEFAULT_SIZES);
	read_arguments(fcinfo, &c);

	c.callback.callback = hint_at_writes;
	c.callback.arg = &c;
	c.callback.previous = error_context_stack;
	error_context_stack = &c.callback;
	ms_traces_begin(&traces);
	ms_profile_pause();
	PG_TRY();
	{
		ms_undo(compare_and_undo, &c);
	}
	PG_FINALLY();
	{
		ms_hypothetical_without(NIL);
		ms_traces_stop(&traces);
		ms_profile_resume();
	}
	PG_END_TRY();
	error_context_stack = c.callback.previous;
	c.notes = list_concat(c.notes, ms_traces_end(&traces));
	note_dead_rows(&c);

	put_variant(rsinfo, &c, &c.variants[0]);
	put_variant(rsinfo, &c, &c.variants[1]);
	return (Datum) 0;
}

/*
 * The setting
 */

void
ms_trial_init(void)
{
	DefineCustomIntVariable("missing_symbol.compare_time",
							"Sets the time after which compare() stops.",
							"The round in progress is finished; there is always "
							"one.",
							&compare_time,
							10000,
							1,
							INT_MAX,
							PGC_USERSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);
}
