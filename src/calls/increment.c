/*-------------------------------------------------------------------------
 *
 * increment.c
 *	  Rows in: counted now, left to the commit, or buffered; the outcome.
 *
 * The caller has the target open and gives rows (input.c), those of a batch
 * sorted and merged by the key, so that two batches never wait for each other
 * in opposite order.  Rows with a token are counted once.
 *
 * User code (casts, triggers, constraints) can run in it and fail, or count
 * again: only who began to use the fast path cleans it up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "counter/counter.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"
#include "tokens/tokens.h"

/* of the session's latest increment, for last_increment() */
static MSResult last_result;
static bool have_last_result = false;

static const char *const outcome_names[] = {
	"inserted", "incremented", "throttled", "ignored", "spilled",
	"deferred", "buffered", "absent", "duplicate", "refused"
};

StaticAssertDecl(lengthof(outcome_names) == MS_OUTCOMES,
				 "every outcome has a name");

const char *
ms_outcome_name(MSOutcome outcome)
{
	return outcome_names[outcome];
}

/* that of 1.2 has another name: the library of 1.1 would read beyond a row */
PG_FUNCTION_INFO_V1(ms_last_increment);
PG_FUNCTION_INFO_V1(ms_last_increment_counts);

/* and its counts, where there are several */
typedef struct LastCount
{
	NameData	name;
	Oid			type;
	MSCountKind kind;
	bool		isnull;
	Datum		value;
} LastCount;

static MemoryContext last_cxt = NULL;
static LastCount *last_counts = NULL;
static int	last_ncounts = 0;
static Datum last_applied = (Datum) 0;	/* numeric; 0: it is whole, or none */

void
ms_set_last_increment(const MSResult *result)
{
	last_result = *result;
	have_last_result = true;
	last_ncounts = 0;
	last_applied = (Datum) 0;
}

/* What is kept beside it: several counts, and an amount that is not whole. */
static void
set_last_values(const MSTarget *target, const MSResult *result)
{
	MemoryContext oldcxt;

	if (result->counts == NULL && result->applied == (Datum) 0)
		return;
	if (last_cxt == NULL)
		last_cxt = AllocSetContextCreate(TopMemoryContext,
										 "missing_symbol last increment",
										 ALLOCSET_SMALL_SIZES);
	MemoryContextReset(last_cxt);
	oldcxt = MemoryContextSwitchTo(last_cxt);
	if (result->applied != (Datum) 0)
		last_applied = datumCopy(result->applied, false, -1);
	if (result->counts == NULL)
	{
		MemoryContextSwitchTo(oldcxt);
		return;
	}
	last_counts = palloc(sizeof(LastCount) * target->ncounts);
	for (int i = 0; i < target->ncounts; i++)
	{
		const MSMerged *column = &target->merged[i];
		LastCount  *last = &last_counts[i];

		namestrcpy(&last->name, column->count.column);
		last->type = column->typid;
		last->kind = column->count.kind;
		last->isnull = result->counts_isnull[i];

		/* what is out of line goes with its row */
		if (!last->isnull && column->typlen == -1)
			last->value = PointerGetDatum(PG_DETOAST_DATUM_COPY(result->counts[i]));
		else if (!last->isnull)
			last->value = datumCopy(result->counts[i], column->typbyval,
									column->typlen);
	}
	MemoryContextSwitchTo(oldcxt);
	last_ncounts = target->ncounts;
}

/* Increment rows now, in the order given; permitted as in ms_apply_begin. */
static void
apply_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
			   Bitmapset *given, bool permitted, MSResult *result,
			   int64 *counts)
{
	bool		fast = ms_takes_fast_path(target, rel);

	PG_TRY();
	{
		ms_apply_begin(target, rel, given, fast, permitted, false);
		for (int i = 0; i < n; i++)
		{
			ms_apply_or_spill(target, rel, rows[i], fast, result);
			counts[result->outcome]++;
			rows[i]->outcome = result->outcome;
		}
		if (fast)
			ms_fast_end(target);
	}
	PG_CATCH();
	{
		if (fast)
			ms_fast_abort(target);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * Could a new counter not be made of a row, and is there nothing that counts
 * it: the counter, or an earlier delta of it?
 */
static bool
is_lacking(MSTarget *target, Relation rel, MSRow *row)
{
	int64		sum;

	return (ms_lacking_column(target, rel, row) != InvalidAttrNumber ||
			ms_is_outside(target, rel, row)) &&
		!ms_pending_sum(target, row, &sum) &&
		!ms_general_exists(target, rel, row) &&
		!ms_spill_has_key(target, rel, row, GetActiveSnapshot());
}

/*
 * Leave a row to the commit, or count it now: where nothing may be left, or
 * there is no room, rows to be buffered are so at once.  Those with a token are
 * so in any case, in the same transaction.  MS_OUTCOMES: *result has it.
 */
static MSOutcome
defer(MSTarget *target, Relation rel, MSRow *row, MSApply apply,
	  MSResult *result, int64 *counts)
{
	bool		possible = ms_pending_possible();

	if (apply == MS_APPLY_BUFFER && row->token != NULL)
	{
		ms_buffer_append_logged(target, rel, row);
		return MS_SPILLED;
	}
	if (possible && ms_pending_add(target, rel, row))
		return apply == MS_APPLY_BUFFER ? MS_BUFFERED : MS_DEFERRED;
	if (possible)
		ms_tally_early_apply(target->relid);
	if (apply == MS_APPLY_BUFFER)
	{
		ms_buffer_append(target, rel, row);
		return MS_BUFFERED;
	}
	apply_in_order(target, rel, &row, 1, row->given, true, result, counts);
	return MS_OUTCOMES;
}

/* Is there no row to be counted, and none to be made? */
static bool
is_absent(MSTarget *target, Relation rel, MSRow *row)
{
	return target->no_insert && !ms_general_exists(target, rel, row);
}

static void
check_may_count(MSTarget *target, Relation rel, Bitmapset *given)
{
	ms_check_may_write(rel);
	ms_privileges_check(ms_privileges_of(target, rel), target, given);
}

/*
 * Leave rows to the commit, which applies or buffers them.  What can be
 * refused is refused now.
 */
static void
defer_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
			   Bitmapset *given, MSApply apply, MSResult *result,
			   int64 *counts)
{
	if (rows[0]->token == NULL)
		check_may_count(target, rel, given);
	if (rel->rd_rel->relkind == RELKIND_RELATION)
	{
		CheckCmdReplicaIdentity(rel, CMD_INSERT);
		CheckCmdReplicaIdentity(rel, CMD_UPDATE);
	}
	for (int i = 0; i < n; i++)
	{
		MSOutcome	outcome;

		if (is_absent(target, rel, rows[i]))
		{
			counts[MS_ABSENT]++;
			ms_result_none(MS_ABSENT, result);
			rows[i]->outcome = MS_ABSENT;
			continue;
		}
		if (!target->no_insert && is_lacking(target, rel, rows[i]))
		{
			ms_check_required_columns(target, rel, rows[i]);
			ms_outside(target);
		}
		ms_check_key_fits(target, rows[i]->values, rows[i]->isnull);
		outcome = defer(target, rel, rows[i], apply, result, counts);
		if (outcome == MS_OUTCOMES)
			continue;
		counts[outcome]++;
		ms_result_none(outcome, result);
		rows[i]->outcome = outcome;
	}
}

/*
 * Increment rows in the order given; with one row, *result is its outcome.
 * counts gathers the outcomes.  What may be done was checked before tokens were
 * claimed.
 */
void
ms_increment_in_order(MSTarget *target, Relation rel, MSRow **rows, int n,
					  Bitmapset *given, MSResult *result, int64 *counts)
{
	MSApply		apply = n == 1 && rows[0]->ask != NULL ? MS_APPLY_NOW :
		ms_pending_apply(target);

	for (int i = 0; unlikely(target->kind == MS_COUNT_NUMERIC) && i < n; i++)
		ms_check_whole(target, rel, rows[i]);
	if (n == 1 && rows[0]->ask != NULL)
		 /* it wants to be told now */ ;
	else if (apply != ms_pending_wanted(target))
		ms_tally_fallback(target->relid, n);
	if (apply == MS_APPLY_NOW)
		apply_in_order(target, rel, rows, n, given, rows[0]->token != NULL,
					   result, counts);
	else
		defer_in_order(target, rel, rows, n, given, apply, result, counts);
}

/*
 * Counting once
 *
 * A token is claimed before anything is counted with it, and given back where
 * nothing is: a repeated request must not be told that it was.
 */

/*
 * What is counted once, and by whom: before a token is claimed, which others
 * may then have to wait for.
 */
static void
check_may_claim(MSTarget *target, Relation rel, Bitmapset *given)
{
	ms_target_refuse_view(target);
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot count once in temporary table \"%s\"",
						RelationGetRelationName(rel)),
				 errdetail("Its tokens would outlive the table."),
				 errhint("Use a permanent table, or increment().")));
	check_may_count(target, rel, given);
}

static void
give_back(MSRow *row)
{
	const MSRow *counted = row->into != NULL ? row->into : row;

	if (!ms_outcome_counts(counted->outcome))
		ms_token_give_back(&row->claim);
}

/* What there is of a counter whose token is known. */
static void
tell_duplicate(MSTarget *target, Relation rel, MSRow *row, MSResult *result)
{
	bool		fresh = !IsolationUsesXactSnapshot();

	ms_result_none(MS_DUPLICATE, result);

	/* who was waited for has committed since the statement began */
	CommandCounterIncrement();
	PushActiveSnapshot(fresh ? GetLatestSnapshot() : GetTransactionSnapshot());
	ms_total_known(target, rel, row, &result->count_isnull, &result->count);
	PopActiveSnapshot();
}

static void
increment_once(MSTarget *target, Relation rel, MSRow *row, MSResult *result,
			   int64 *counts)
{
	check_may_claim(target, rel, row->given);
	if (!ms_token_claim(target->relid, row->token, &row->claim))
	{
		tell_duplicate(target, rel, row, result);
		return;
	}
	ms_increment_in_order(target, rel, &row, 1, row->given, result, counts);
	give_back(row);
}

static int
compare_tokens(const void *a, const void *b)
{
	const MSRow *x = *(MSRow *const *) a;
	const MSRow *y = *(MSRow *const *) b;
	int			result = memcmp(x->token, y->token, UUID_LEN);

	return result != 0 ? result : x->ordinal - y->ordinal;
}

/*
 * Claim the tokens of a batch, in their order, so that no two batches wait for
 * each other; equal ones: the first counts.  What is left of the rows, in the
 * order that they had: how many.
 */
int
ms_claim_tokens(MSTarget *target, Relation rel, MSRow **rows, int n,
				Bitmapset *given, int64 *counts)
{
	MSRow	  **sorted;
	int			left = 0;

	if (n == 0)
		return 0;
	check_may_claim(target, rel, given);
	sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(MSRow *) * n);
	memcpy(sorted, rows, sizeof(MSRow *) * n);
	qsort(sorted, n, sizeof(MSRow *), compare_tokens);
	for (int i = 0; i < n; i++)
	{
		bool		again = i > 0 &&
			memcmp(sorted[i - 1]->token, sorted[i]->token, UUID_LEN) == 0;

		CHECK_FOR_INTERRUPTS();
		sorted[i]->outcome = MS_IGNORED;	/* so far */
		if (again || !ms_token_claim(target->relid, sorted[i]->token,
									 &sorted[i]->claim))
			sorted[i]->outcome = MS_DUPLICATE;
	}
	pfree(sorted);
	for (int i = 0; i < n; i++)
	{
		if (rows[i]->outcome == MS_DUPLICATE)
			counts[MS_DUPLICATE]++;
		else
			rows[left++] = rows[i];
	}
	return left;
}

/* Give back those of the rows that were left, and are counted by now. */
void
ms_give_back_tokens(MSRow **rows, int n)
{
	for (int i = 0; i < n; i++)
		give_back(rows[i]);
}

/*
 * Increment one counter of an open target.  True where it was counted, now or
 * with the same token before, and *result has what there is now.
 */
bool
ms_increment(MSTarget *target, Relation rel, MSRow *row, MSResult *result)
{
	int64		counts[MS_OUTCOMES] = {0};

	if (unlikely(ms_row_counts_nothing(target, row)))
		ms_result_none(MS_IGNORED, result);
	else if (unlikely(row->token != NULL))
		increment_once(target, rel, row, result, counts);
	else
		ms_increment_in_order(target, rel, &row, 1, row->given, result, counts);
	ms_tally_count(target->relid, result->outcome);
	ms_set_last_increment(result);
	if (unlikely(target->ncounts > 1 || result->applied != (Datum) 0))
		set_last_values(target, result);
	return result->outcome == MS_INSERTED ||
		result->outcome == MS_INCREMENTED || result->outcome == MS_DUPLICATE;
}

/* A count as JSON: a number; of money and interval their text. */
static void
append_count(StringInfo json, const LastCount *last)
{
	bool		is_fraction = last->kind == MS_COUNT_NUMERIC ||
		last->kind == MS_COUNT_FLOAT4 || last->kind == MS_COUNT_FLOAT8;
	Oid			output;
	bool		varlena;
	char	   *text;

	if (last->isnull)
	{
		appendStringInfoString(json, "null");
		return;
	}
	getTypeOutputInfo(is_fraction ? NUMERICOID : last->type, &output, &varlena);
	text = last->kind == MS_COUNT_COUNTER ?
		psprintf(INT64_FORMAT, DatumGetMSCounterP(last->value)->count) :
		OidOutputFunctionCall(output, is_fraction ?
							  ms_amount_numeric(last->kind, last->value) :
							  last->value);
	if (strspn(text, "-0123456789.e+") == strlen(text) &&
		last->kind != MS_COUNT_MONEY && last->kind != MS_COUNT_INTERVAL)
		appendStringInfoString(json, text);
	else
		escape_json(json, text);
}

/* {"requests": 5, "spend": 0.25} */
static Datum
counts_json(void)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int i = 0; i < last_ncounts; i++)
	{
		appendStringInfoChar(&json, i == 0 ? '{' : ',');
		escape_json(&json, NameStr(last_counts[i].name));
		appendStringInfoChar(&json, ':');
		append_count(&json, &last_counts[i]);
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* What a limit let, and when it lets the rest. */
static void
tell_judged(Datum *values, bool *isnull)
{
	values[0] = last_applied != (Datum) 0 ? last_applied :
		DirectFunctionCall1(int8_numeric,
							Int64GetDatum(last_result.applied_whole));
	isnull[0] = false;
	if (last_result.retry_after >= 0)
	{
		Interval   *retry_after = palloc0(sizeof(Interval));

		retry_after->time = last_result.retry_after;
		values[1] = IntervalPGetDatum(retry_after);
		isnull[1] = false;
	}
}

static Datum
tell_last_increment(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;
	Datum		values[7] = {0};
	bool		isnull[7] = {true, true, true, true, true, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	Assert(desc->natts <= lengthof(values));
	if (have_last_result)
	{
		values[0] = CStringGetTextDatum(ms_outcome_name(last_result.outcome));
		isnull[0] = false;
		values[1] = Int64GetDatum(last_result.count);
		isnull[1] = last_result.count_isnull;
		values[2] = TimestampTzGetDatum(last_result.first_seen);
		isnull[2] = last_result.first_isnull;
		values[3] = TimestampTzGetDatum(last_result.last_seen);
		isnull[3] = last_result.last_isnull;
		isnull[4] = last_ncounts == 0 || desc->natts < 5;
		if (!isnull[4])
			values[4] = counts_json();
		if (desc->natts > 5 && last_result.judged)
			tell_judged(&values[5], &isnull[5]);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, isnull)));
}

/* last_increment() -> (outcome, count, first_seen, last_seen): release 1.1 */
Datum
ms_last_increment(PG_FUNCTION_ARGS)
{
	return tell_last_increment(fcinfo);
}

/* the same, with (counts, applied, retry_after) */
Datum
ms_last_increment_counts(PG_FUNCTION_ARGS)
{
	return tell_last_increment(fcinfo);
}
