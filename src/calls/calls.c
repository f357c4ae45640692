/*-------------------------------------------------------------------------
 *
 * calls.c
 *	  The SQL functions that count, and value().
 *
 * Every function follows one course: open the target, make rows of what was
 * given (input.c), have them counted (increment.c), close the target.  User
 * code can run in it and fail; so the whole of it stands in a PG_TRY that
 * gives the target back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#include "compat.h"
#include "apply/apply.h"
#include "calls/calls_internal.h"
#include "counter/counter.h"
#include "table/table.h"
#include "target/row.h"
#include "target/target.h"

/* key values as a function received them */
typedef struct KeyValues
{
	int			n;
	Oid			types[INDEX_MAX_KEYS];
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];
} KeyValues;

PG_FUNCTION_INFO_V1(ms_increment_any);
PG_FUNCTION_INFO_V1(ms_increment_text);
PG_FUNCTION_INFO_V1(ms_increment_by_any);
PG_FUNCTION_INFO_V1(ms_increment_by_text);
PG_FUNCTION_INFO_V1(ms_increment_amount_any);
PG_FUNCTION_INFO_V1(ms_increment_amount_text);
PG_FUNCTION_INFO_V1(ms_increment_amount_row);
PG_FUNCTION_INFO_V1(ms_increment_row);
PG_FUNCTION_INFO_V1(ms_increment_many);
PG_FUNCTION_INFO_V1(ms_increment_many_text);
PG_FUNCTION_INFO_V1(ms_increment_rows);
PG_FUNCTION_INFO_V1(ms_value_any);
PG_FUNCTION_INFO_V1(ms_value_text);

/*
 * The key values of a call, from argument first on.  The forms of two and three
 * arguments are no VARIADIC ones, whatever the call says.
 */
static void
read_key(FunctionCallInfo fcinfo, int first, bool text, KeyValues *key)
{
	if (!text && (PG_NARGS() - first > 1 ||
				  !get_fn_expr_variadic(fcinfo->flinfo)))
	{
		key->n = PG_NARGS() - first;
		if (key->n > INDEX_MAX_KEYS)
			key->n = INDEX_MAX_KEYS + 1;	/* the count is checked later */
		for (int i = 0; i < Min(key->n, INDEX_MAX_KEYS); i++)
		{
			key->types[i] = get_fn_expr_argtype(fcinfo->flinfo, first + i);
			key->values[i] = PG_GETARG_DATUM(first + i);
			key->isnull[i] = PG_ARGISNULL(first + i);
		}
	}
	else
	{
		ArrayType  *array;
		Datum	   *values;
		bool	   *nulls;
		int16		typlen;
		bool		typbyval;
		char		typalign;

		if (PG_ARGISNULL(first))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the array of key values must not be null")));
		array = PG_GETARG_ARRAYTYPE_P(first);
		if (text)
		{
			typlen = -1;
			typbyval = false;
			typalign = TYPALIGN_INT;
		}
		else
			get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval,
								 &typalign);
		deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval,
						  typalign, &values, &nulls, &key->n);
		for (int i = 0; i < Min(key->n, INDEX_MAX_KEYS); i++)
		{
			key->types[i] = ARR_ELEMTYPE(array);
			key->values[i] = values[i];
			key->isnull[i] = nulls[i];
		}
	}
}

static MSRow *
row_from_key(MSTarget *target, Relation rel, const KeyValues *key, bool search)
{
	MSRow	   *row = ms_row_make(target);

	ms_check_key_count(target, rel, key->n, target->nrequired);
	for (int i = 0; i < key->n; i++)
		ms_row_set_key(target, rel, row, i, search, key->types[i],
					   key->values[i], key->isnull[i]);
	ms_row_finish_key(target, rel, row, key->n, search);
	return row;
}

static Oid
target_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Name the table that holds the counters.")));
	return PG_GETARG_OID(0);
}

static int64
by_argument(FunctionCallInfo fcinfo, int n)
{
	int64		by;

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"by\" must not be null")));
	by = PG_GETARG_INT64(n);
	ms_check_by(by);
	return by;
}

static Datum
fields_argument(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("fields must not be null")));
	return PG_GETARG_DATUM(n);
}

/* what a call works on once its target is open */
typedef struct Call
{
	Oid			relid;
	LOCKMODE	lockmode;
	MSTarget   *target;
	Relation	rel;
	void		(*work) (struct Call *call);

	/* the caller's, for work */
	KeyValues	key;
	Datum		fields;
	const char *const *names;
	const Datum *texts;
	int64		by;
	const pg_uuid_t *token;		/* of what is counted once; or NULL */
	Datum		amount;			/* numeric; then the count, if it is known */
	int			nelems;			/* of a batch */
	int			reading;		/* the element that is being read, from 1; or 0 */
	Oid			elemtype;
	Datum	   *elems;
	bool	   *nulls;
	const pg_uuid_t *tokens;	/* likewise, of each element */
	ArrayType  *by_array;		/* as given ... */
	int64	   *amounts;		/* ... and read; NULL: 1 each */
	int64		counts[MS_OUTCOMES];

	/* what work found */
	bool		isnull;
	int64		value;
} Call;

/* CONTEXT of every error while counting */
static void
counting_context(void *arg)
{
	const Call *call = arg;
	const MSView *view = call->target->view;
	const char *of = view == NULL ? "" : psprintf(" of table %s", view->name);
	const char *kind = view == NULL ? "table" : "view";

	if (call->reading > 0)
		errcontext("counting in %s %s%s, element %d", kind,
				   call->target->name, of, call->reading);
	else
		errcontext("counting in %s %s%s", kind, call->target->name, of);
}

/* The course of every function. */
static void
run_call(Call *call)
{
	ErrorContextCallback errcallback;

	call->target = ms_target_open(call->relid, call->lockmode, &call->rel);
	call->reading = 0;
	errcallback.callback = counting_context;
	errcallback.arg = call;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	PG_TRY();
	{
		call->work(call);
	}
	PG_CATCH();
	{
		ms_target_unpin(call->target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	error_context_stack = errcallback.previous;
	ms_target_close(call->target, call->rel);
}

/* The same; the count, or null. */
static Datum
run_for_count(FunctionCallInfo fcinfo, Call *call)
{
	run_call(call);
	if (call->isnull)
		PG_RETURN_NULL();
	PG_RETURN_INT64(call->value);
}

/* Count a row; what the count is then. */
static void
count(Call *call, MSRow *row)
{
	MSResult	result;

	call->isnull = !ms_increment(call->target, call->rel, row, &result) ||
		result.count_isnull;
	call->value = result.count;
}

static void
work_increment(Call *call)
{
	MSRow	   *row = row_from_key(call->target, call->rel, &call->key, false);

	row->by = call->by;
	row->token = call->token;
	count(call, row);
}

static void
work_increment_row(Call *call)
{
	MSRow	   *row = ms_row_make(call->target);

	ms_row_from_jsonb(call->target, call->rel, row, call->fields, call->by,
					  call->by != 1);
	row->token = call->token;
	count(call, row);
}

static void
work_increment_texts(Call *call)
{
	MSRow	   *row = ms_row_make(call->target);

	ms_row_from_texts(call->target, call->rel, row, call->names, call->nelems,
					  call->texts, call->nulls);
	row->by = call->by;
	count(call, row);
}

/*
 * Increment the counter of a table whose key is among n texts, columns by
 * name; names must be a constant array.  True, with the new count, where it
 * was counted.
 */
bool
ms_increment_texts(Oid relid, const char *const *names, int n,
				   const Datum *values, const bool *isnull, int64 by,
				   int64 *count)
{
	Call		call;

	call.relid = relid;
	call.lockmode = RowExclusiveLock;
	call.work = work_increment_texts;
	call.names = names;
	call.nelems = n;
	call.texts = values;
	call.nulls = (bool *) isnull;
	call.by = by;
	run_call(&call);
	*count = call.value;
	return !call.isnull;
}

/* Count a row by the amount given; what the count is then, as a numeric. */
static void
count_amount(Call *call, MSRow *row)
{
	MSResult	result;

	ms_row_set_amount(call->target, call->rel, row, call->amount);
	call->isnull = true;
	if (!ms_increment(call->target, call->rel, row, &result))
		return;
	call->isnull = false;
	if (result.numeric != (Datum) 0)
		call->amount = result.numeric;
	else if (!result.count_isnull)
		call->amount = DirectFunctionCall1(int8_numeric,
										   Int64GetDatum(result.count));
	else
		call->isnull = true;
}

static void
work_amount(Call *call)
{
	count_amount(call, row_from_key(call->target, call->rel, &call->key,
									false));
}

static void
work_amount_row(Call *call)
{
	MSRow	   *row = ms_row_make(call->target);

	ms_row_from_jsonb(call->target, call->rel, row, call->fields, 0, true);
	count_amount(call, row);
}

static void
work_value(Call *call)
{
	MSRow	   *row = row_from_key(call->target, call->rel, &call->key, true);

	ms_total_value(call->target, call->rel, row, &call->isnull, &call->value);
}

/*
 * increment() and increment_by(), from argument first on, which is behind that
 * of the token, if there is one.
 */
Datum
ms_increment_key(FunctionCallInfo fcinfo, int first, const pg_uuid_t *token,
				 bool has_by, bool text)
{
	Call		call;

	call.relid = target_argument(fcinfo);
	call.lockmode = RowExclusiveLock;
	call.work = work_increment;
	call.by = has_by ? by_argument(fcinfo, first) : 1;
	call.token = token;
	read_key(fcinfo, has_by ? first + 1 : first, text, &call.key);
	return run_for_count(fcinfo, &call);
}

Datum
ms_increment_any(PG_FUNCTION_ARGS)
{
	return ms_increment_key(fcinfo, 1, NULL, false, false);
}

Datum
ms_increment_text(PG_FUNCTION_ARGS)
{
	return ms_increment_key(fcinfo, 1, NULL, false, true);
}

Datum
ms_increment_by_any(PG_FUNCTION_ARGS)
{
	return ms_increment_key(fcinfo, 1, NULL, true, false);
}

Datum
ms_increment_by_text(PG_FUNCTION_ARGS)
{
	return ms_increment_key(fcinfo, 1, NULL, true, true);
}

/* increment_amount(target, amount, key), or with columns by name */
static Datum
increment_amount(FunctionCallInfo fcinfo, void (*work) (Call *call), bool text)
{
	Call		call;

	call.relid = target_argument(fcinfo);
	call.lockmode = RowExclusiveLock;
	call.work = work;
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("amount must not be null")));
	call.amount = NumericGetDatum(PG_GETARG_NUMERIC(1));
	if (work == work_amount_row)
		call.fields = fields_argument(fcinfo, 2);
	else
		read_key(fcinfo, 2, text, &call.key);
	run_call(&call);
	if (call.isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(call.amount);
}

Datum
ms_increment_amount_any(PG_FUNCTION_ARGS)
{
	return increment_amount(fcinfo, work_amount, false);
}

Datum
ms_increment_amount_text(PG_FUNCTION_ARGS)
{
	return increment_amount(fcinfo, work_amount, true);
}

Datum
ms_increment_amount_row(PG_FUNCTION_ARGS)
{
	return increment_amount(fcinfo, work_amount_row, false);
}

/* increment_row(), likewise */
Datum
ms_increment_fields(FunctionCallInfo fcinfo, int first, const pg_uuid_t *token)
{
	Call		call;

	call.relid = target_argument(fcinfo);
	call.lockmode = RowExclusiveLock;
	call.work = work_increment_row;
	call.fields = fields_argument(fcinfo, first);
	call.by = by_argument(fcinfo, first + 1);
	call.token = token;
	return run_for_count(fcinfo, &call);
}

/* increment_row(target, fields, by) */
Datum
ms_increment_row(PG_FUNCTION_ARGS)
{
	return ms_increment_fields(fcinfo, 1, NULL);
}

static Datum
value(FunctionCallInfo fcinfo, bool text)
{
	Call		call;

	call.relid = target_argument(fcinfo);
	call.lockmode = AccessShareLock;
	call.work = work_value;
	read_key(fcinfo, 1, text, &call.key);
	return run_for_count(fcinfo, &call);
}

Datum
ms_value_any(PG_FUNCTION_ARGS)
{
	return value(fcinfo, false);
}

Datum
ms_value_text(PG_FUNCTION_ARGS)
{
	return value(fcinfo, true);
}

/*
 * A function of another file that is given a key
 */
typedef struct KeyCall
{
	Call		call;
	MSKeyUse	use;
	MSKeyWork	work;
	void	   *arg;
} KeyCall;

static void
work_key(Call *call)
{
	KeyCall    *key_call = (KeyCall *) call;

	ms_target_refuse_view(call->target);

	/* what is looked for is one key, not that of today */
	if (key_call->use == MS_TO_FIND || key_call->use == MS_TO_SET)
		ms_check_key_count(call->target, call->rel, call->key.n,
						call->target->nargs);
	key_call->work(call->target, call->rel,
				   row_from_key(call->target, call->rel, &call->key,
								key_call->use < MS_TO_COUNT),
				   key_call->arg);
}

static void
work_named_key(Call *call)
{
	KeyCall    *key_call = (KeyCall *) call;
	MSRow	   *row = ms_row_make(call->target);

	ms_target_refuse_view(call->target);
	if (key_call->use >= MS_TO_COUNT)
		ms_row_from_jsonb(call->target, call->rel, row, call->fields, 0, true);
	else
		ms_row_key_from_jsonb(call->target, call->rel, row, call->fields);
	key_call->work(call->target, call->rel, row, key_call->arg);
}

/* Call work with the row of a key, which is given from an argument on. */
void
ms_call_with_key(FunctionCallInfo fcinfo, int first, MSKeyForm form,
				 MSKeyUse use, LOCKMODE lockmode, MSKeyWork work, void *arg)
{
	KeyCall		key_call;
	Call	   *call = &key_call.call;

	call->relid = target_argument(fcinfo);
	call->lockmode = lockmode;
	key_call.use = use;
	key_call.work = work;
	key_call.arg = arg;
	if (form == MS_KEY_NAMED)
	{
		if (use >= MS_TO_COUNT)
			call->fields = fields_argument(fcinfo, first);
		else if (PG_ARGISNULL(first))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("key must not be null")));
		else
			call->fields = PG_GETARG_DATUM(first);
		call->work = work_named_key;
	}
	else
	{
		read_key(fcinfo, first, form == MS_KEY_TEXTS, &call->key);
		call->work = work_key;
	}
	run_call(call);
}

/*
 * Batches.  No keys at all are an empty batch, as an aggregate over no rows
 * gives NULL.
 */

/*
 * Sort rows by key and merge equal ones; the number that is left.  Under a
 * throttle only the first counts, as if they had come one by one.
 */
static int
sort_and_merge(MSTarget *target, Relation rel, MSRow **rows, int n)
{
	int			left = 0;
	bool	   *duplicate;

	if (n < 2)
		return n;
	duplicate = palloc(n);
	ms_sort_rows(target, rows, n, duplicate);
	for (int i = 1; i < n; i++)
	{
		if (!duplicate[i])
			rows[++left] = rows[i];
		else if (target->throttle == 0)
		{
			ms_merge_row(target, rel, rows[left], rows[i]);
			rows[i]->into = rows[left];
		}
	}
	return left + 1;
}

/* Leave out rows that count nothing; how many are left, in their order. */
static int
leave_out_nothing(Call *call, MSRow **rows)
{
	int			left = 0;

	for (int i = 0; i < call->nelems; i++)
	{
		if (ms_row_counts_nothing(call->target, rows[i]))
			call->counts[MS_IGNORED]++;
		else
			rows[left++] = rows[i];
	}
	for (int i = 0; i < left; i++)
		rows[i]->ordinal = i;
	return left;
}

static MSRow **
allocate_rows(int n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext,
								  sizeof(MSRow *) * Max(n, 1));
}

/* The columns that rows give by name. */
static Bitmapset *
columns_of(MSRow **rows, int n)
{
	Bitmapset  *given = NULL;

	for (int i = 0; i < n; i++)
	{
		if (rows[i]->given != NULL)
			given = bms_add_members(given, rows[i]->given);
	}
	return given;
}

static void
run_batch(Call *call, MSRow **rows)
{
	MSResult	result;
	MSRow	  **claimed = NULL;
	int			nclaimed = 0;
	int			n;

	n = leave_out_nothing(call, rows);
	if (call->tokens != NULL)
	{
		nclaimed = n = ms_claim_tokens(call->target, call->rel, rows, n,
									   columns_of(rows, n), call->counts);
		claimed = allocate_rows(n);
		memcpy(claimed, rows, sizeof(MSRow *) * n);
	}
	n = sort_and_merge(call->target, call->rel, rows, n);
	if (n > 0)
		ms_increment_in_order(call->target, call->rel, rows, n,
							  columns_of(rows, n), &result, call->counts);
	ms_give_back_tokens(claimed, nclaimed);
	if (call->nelems > 0)
		ms_tally_count_many(call->relid, call->counts);
}

/* The amount of a batch's element. */
static int64
amount_of(const Call *call, int i)
{
	return call->amounts != NULL ? call->amounts[i] : 1;
}

static void
work_many(Call *call)
{
	MSRow	  **rows = allocate_rows(call->nelems);

	if (call->target->nargs != 1 && call->target->nrequired > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key of table %s has %d columns",
						call->target->name, call->target->nargs),
				 errhint("Use increment_rows() with an array of JSON objects.")));
	for (int i = 0; i < call->nelems; i++)
	{
		call->reading = i + 1;
		rows[i] = ms_row_make(call->target);
		ms_row_set_key(call->target, call->rel, rows[i], 0, false,
					   call->elemtype, call->elems[i], call->nulls[i]);
		ms_row_finish_key(call->target, call->rel, rows[i], 1, false);
		rows[i]->by = amount_of(call, i);
	}
	call->reading = 0;
	run_batch(call, rows);
}

static void
work_rows(Call *call)
{
	Jsonb	   *json = call->nelems > 0 ? DatumGetJsonbP(call->fields) : NULL;
	MSRow	  **rows = allocate_rows(call->nelems);

	for (int i = 0; i < call->nelems; i++)
	{
		JsonbValue *v = getIthJsonbValueFromContainer(&json->root, i);

		CHECK_FOR_INTERRUPTS();
		call->reading = i + 1;
		rows[i] = ms_row_make(call->target);
		ms_row_from_jsonb(call->target, call->rel, rows[i],
						  JsonbPGetDatum(JsonbValueToJsonb(v)),
						  amount_of(call, i), call->amounts != NULL);
		if (call->tokens != NULL)
			rows[i]->token = &call->tokens[i];
	}
	call->reading = 0;
	run_batch(call, rows);
}

/* The amounts of a batch; NULL means 1 for each. */
static int64 *
read_amounts(ArrayType *array, int nelems)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int64	   *result;

	if (array == NULL)
		return NULL;
	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &values, &nulls, &n);
	if (n != nelems)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("wrong number of amounts: %d for %d keys", n, nelems),
				 errhint("\"by\" must have one element for each key, or be null for 1 each.")));
	result = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("\"by\" must not contain null")));
		result[i] = DatumGetInt64(values[i]);
		ms_check_by(result[i]);
	}
	return result;
}

/*
 * (inserted, incremented, throttled, spilled, deferred, buffered, ignored):
 * what is absent is ignored here, and what is refused throttled.  A column of its own would make the prepared
 * statements of whoever counts fail as the extension is updated.
 */
static Datum
batch_result(FunctionCallInfo fcinfo, const int64 *counts)
{
	TupleDesc	desc;
	Datum		values[7];
	bool		isnull[7] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(counts[MS_INSERTED]);
	values[1] = Int64GetDatum(counts[MS_INCREMENTED]);
	values[2] = Int64GetDatum(counts[MS_THROTTLED] + counts[MS_REFUSED]);
	values[3] = Int64GetDatum(counts[MS_SPILLED]);
	values[4] = Int64GetDatum(counts[MS_DEFERRED]);
	values[5] = Int64GetDatum(counts[MS_BUFFERED]);
	values[6] = Int64GetDatum(counts[MS_IGNORED] + counts[MS_ABSENT]);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 isnull));
}

/* What all batches begin with; argument by_arg is "by". */
static void
begin_batch(FunctionCallInfo fcinfo, Call *call, void (*work) (Call *call),
			int by_arg)
{
	call->relid = target_argument(fcinfo);
	call->lockmode = RowExclusiveLock;
	call->work = work;
	if (!PG_ARGISNULL(by_arg))
		call->by_array = PG_GETARG_ARRAYTYPE_P(by_arg);
}

/* The keys of a batch, and their amounts. */
static void
read_keys(Call *call, ArrayType *array)
{
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (array != NULL)
	{
		call->elemtype = ARR_ELEMTYPE(array);
		get_typlenbyvalalign(call->elemtype, &typlen, &typbyval, &typalign);
		deconstruct_array(array, call->elemtype, typlen, typbyval, typalign,
						  &call->elems, &call->nulls, &call->nelems);
	}
	call->amounts = read_amounts(call->by_array, call->nelems);
}

/* increment_many(target, keys anyarray, by bigint[]) */
Datum
ms_increment_many(PG_FUNCTION_ARGS)
{
	Call		call = {0};

	begin_batch(fcinfo, &call, work_many, 2);
	read_keys(&call, PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1));
	run_call(&call);
	return batch_result(fcinfo, call.counts);
}

static void
work_many_text(Call *call)
{
	Oid			infunc;
	Oid			ioparam;

	getTypeInputInfo(TEXTARRAYOID, &infunc, &ioparam);
	read_keys(call,
			  DatumGetArrayTypeP(OidInputFunctionCall(infunc,
													  TextDatumGetCString(call->fields),
													  ioparam, -1)));
	work_many(call);
}

/* increment_many(target, keys text, by bigint[]): the text of an array */
Datum
ms_increment_many_text(PG_FUNCTION_ARGS)
{
	Call		call = {0};

	if (PG_ARGISNULL(1))
		return ms_increment_many(fcinfo);
	begin_batch(fcinfo, &call, work_many_text, 2);
	call.fields = PG_GETARG_DATUM(1);
	run_call(&call);
	return batch_result(fcinfo, call.counts);
}

/* increment_rows(), from argument first on; tokens: NULL, or for each row */
void
ms_increment_json(FunctionCallInfo fcinfo, int first, const pg_uuid_t *tokens,
				  int ntokens, int64 *counts)
{
	Call		call = {0};
	Jsonb	   *json;

	begin_batch(fcinfo, &call, work_rows, first + 1);
	if (!PG_ARGISNULL(first))
	{
		json = PG_GETARG_JSONB_P(first);
		if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rows must be a JSON array of objects"),
					 errhint("increment_row() takes a single object.")));
		call.fields = JsonbPGetDatum(json);
		call.nelems = JB_ROOT_COUNT(json);
	}
	if (tokens != NULL && ntokens != call.nelems)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("wrong number of tokens: %d for %d rows", ntokens,
						call.nelems),
				 errhint("Give one token for each row.")));
	call.tokens = tokens;
	call.amounts = read_amounts(call.by_array, call.nelems);
	run_call(&call);
	memcpy(counts, call.counts, sizeof(call.counts));
}

/* increment_rows(target, rows jsonb, by bigint[]) */
Datum
ms_increment_rows(PG_FUNCTION_ARGS)
{
	int64		counts[MS_OUTCOMES];

	ms_increment_json(fcinfo, 1, NULL, 0, counts);
	return batch_result(fcinfo, counts);
}
