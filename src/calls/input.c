/*-------------------------------------------------------------------------
 *
 * input.c
 *	  What a caller gives becomes values of the target's columns.
 *
 * A key value of another type than its column's is converted as an INSERT
 * would convert it: by an assignment cast, made by the parser itself, so that
 * length coercions and the constraints of domains come with it.  Text (the
 * overloads for literals and drivers' untyped parameters) that no assignment
 * cast takes to the column's type goes through the type's input function, as
 * a literal does.  The last conversion of each key column is kept in the
 * target, that to a domain or by another's function for one call only.  JSON
 * goes through jsonb_populate_record.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "aside/aside.h"
#include "calls/calls_internal.h"
#include "target/row.h"
#include "target/target.h"

/* how values of one type become values of a key column */
typedef struct MSCoercion
{
	Oid			from;
	Oid			to;				/* the column's type, or what its domain is over */
	int32		typmod;
	bool		busy;			/* running user code, or an error ended it */
	bool		builtin;		/* for whoever counts next; else ... */
	uint64		call;			/* ... for this call of the target only */
	MemoryContext cxt;			/* holds what follows */

	/* a cast; expr NULL where the value can be used as it is */
	ExprState  *expr;
	ExprContext *econtext;
	ParamListInfo params;

	/* an input function; for text that has no cast, and unknown literals */
	bool		by_input;
	FmgrInfo	input;
	Oid			ioparam;
} MSCoercion;

/* a constant array of names, as columns of a target; attno 0: no such column */
typedef struct MSNamedColumns
{
	const char *const *names;
	MSColumn   *columns;
	Bitmapset  *given;
} MSNamedColumns;

/* Make the conversion; false where the types do not go together. */
static bool
make_coercion(MSCoercion *coercion)
{
	Param	   *param;
	Node	   *node = NULL;

	if (coercion->from != UNKNOWNOID)
	{
		param = makeNode(Param);
		param->paramkind = PARAM_EXTERN;
		param->paramid = 1;
		param->paramtype = coercion->from;
		param->paramtypmod = -1;
		param->paramcollid = get_typcollation(coercion->from);
		param->location = -1;
		node = coerce_to_target_type(NULL, (Node *) param, coercion->from,
									 coercion->to, coercion->typmod,
									 COERCION_ASSIGNMENT,
									 COERCE_IMPLICIT_CAST, -1);
	}

	if (node == NULL)
	{
		Oid			infunc;

		if (coercion->from != TEXTOID && coercion->from != UNKNOWNOID)
			return false;
		coercion->by_input = true;
		coercion->builtin = ms_type_is_builtin(coercion->to);
		getTypeInputInfo(coercion->to, &infunc, &coercion->ioparam);
		fmgr_info_cxt(infunc, &coercion->input, coercion->cxt);
		return true;
	}

	coercion->builtin = ms_is_builtin(node);
	while (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	if (IsA(node, Param))
		return true;

	coercion->params = makeParamList(1);
	coercion->econtext = CreateStandaloneExprContext();
	coercion->econtext->ecxt_param_list_info = coercion->params;
	coercion->expr = ExecInitExprWithParams(expression_planner((Expr *) node),
											coercion->params);
	return true;
}

/*
 * Is something of a target, which is marked busy, at work further up the
 * stack?  If we are the only call, an error has left the mark.
 */
bool
ms_is_at_work(const MSTarget *target, bool busy)
{
	return busy && target->users > 1;
}

static MSCoercion *
find_coercion(MSTarget *target, Relation rel, MSColumn *column, Oid from,
			  bool search)
{
	MemoryContext cxt;
	MemoryContext oldcxt;
	MSCoercion *coercion;
	int32		typmod = column->typmod;
	Oid			to = column->typid;
	bool		reentered;

	/*
	 * Conversions run user code, which may count in the same table: a call
	 * further up the stack must find its conversion as it left it.
	 */
	reentered = column->coercion != NULL &&
		ms_is_at_work(target, column->coercion->busy);
	if (search)
		to = getBaseTypeAndTypmod(to, &typmod);
	if (!reentered && column->coercion != NULL &&
		column->coercion->from == from && column->coercion->to == to &&
		(column->coercion->builtin || column->coercion->call == target->call))
		return column->coercion;

	cxt = AllocSetContextCreate(CurrentMemoryContext, "missing_symbol coercion",
								ALLOCSET_SMALL_SIZES);
	oldcxt = MemoryContextSwitchTo(cxt);
	coercion = palloc0(sizeof(MSCoercion));
	coercion->from = from;
	coercion->to = to;
	coercion->typmod = typmod;
	coercion->call = target->call;
	coercion->cxt = cxt;
	if (!make_coercion(coercion))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table %s is of type %s but the value given is of type %s",
						ms_column_name(rel, column->attno), target->name,
						format_type_with_typemod(column->typid, column->typmod),
						format_type_be(from)),
				 errhint("Cast the value of %s to %s.",
						 quote_identifier(ms_column_name(rel, column->attno)),
						 format_type_be(column->typid))));
	MemoryContextSwitchTo(oldcxt);

	if (reentered)
		return coercion;
	if (column->coercion != NULL)
		MemoryContextDelete(column->coercion->cxt);
	MemoryContextSetParent(cxt, target->cxt);
	column->coercion = coercion;
	return coercion;
}

void
ms_converting_context(void *arg)
{
	const MSConverting *converting = arg;

	errcontext("converting the value given for column \"%s\" of table %s",
			   ms_column_name(converting->rel, converting->attno),
			   converting->target->name);
}

/*
 * Convert a value that is not null; that may make it null.  search: it is only
 * looked for, so a domain's constraints, which are code of the table's owner,
 * do not run, as they do not in a condition of a SELECT.
 */
static Datum
coerce_value(MSTarget *target, Relation rel, MSColumn *column, bool search,
			 Oid type, Datum value, bool *isnull)
{
	MSConverting converting = {target, rel, column->attno};
	ErrorContextCallback errcallback;
	MSCoercion *coercion;

	if (type == column->typid && column->typmod < 0)
		return value;

	coercion = find_coercion(target, rel, column, type, search);
	errcallback.callback = ms_converting_context;
	errcallback.arg = &converting;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	coercion->busy = true;
	if (coercion->by_input)
	{
		char	   *str = type == UNKNOWNOID ?
			DatumGetCString(value) : TextDatumGetCString(value);

		value = InputFunctionCall(&coercion->input, str, coercion->ioparam,
								  coercion->typmod);
	}
	else if (coercion->expr != NULL)
	{
		ParamExternData *param = &coercion->params->params[0];

		param->value = value;
		param->isnull = false;
		param->ptype = type;
		param->pflags = 0;
		value = ExecEvalExpr(coercion->expr, coercion->econtext, isnull);
	}
	error_context_stack = errcallback.previous;
	coercion->busy = false;
	return value;
}

/*
 * The values of a key are given: check them, or compute the key of them.
 * search: it is only looked for.
 */
static void
finish_key(MSTarget *target, Relation rel, MSRow *row, bool search)
{
	if (unlikely(target->special))
	{
		ms_key_compute(target, rel, row, search);
		return;
	}
	for (int i = 0; i < target->nkeys; i++)
	{
		if (row->isnull[target->keys[i].column.attno - 1])
			ms_null_key(target, rel, i);
	}
}

/*
 * Set the column that takes the caller's arg-th key value; search: only to look
 * for it.
 */
void
ms_row_set_key(MSTarget *target, Relation rel, MSRow *row, int arg,
			   bool search, Oid type, Datum value, bool isnull)
{
	MSColumn   *column = &target->args[arg];

	if (!isnull)
		value = coerce_value(target, rel, column, search, type, value,
							 &isnull);
	row->values[column->attno - 1] = value;
	row->isnull[column->attno - 1] = isnull;
}

/* All n key values have been set: others get their defaults. */
void
ms_row_finish_key(MSTarget *target, Relation rel, MSRow *row, int n,
				  bool search)
{
	if (unlikely(n < target->nargs))
		ms_row_default_key(target, rel, row, n);
	finish_key(target, rel, row, search);
}

/*
 * Columns by name must include the key: least of its columns, and those that may
 * be left out have their defaults.
 */
void
ms_check_key_given(MSTarget *target, Relation rel, MSRow *row, int least,
				bool search)
{
	if (least < target->nargs)
		ms_row_default_key(target, rel, row, least);
	for (int i = 0; i < least; i++)
	{
		AttrNumber	attno = target->args[i].attno;

		if (!bms_is_member(attno, row->given))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("key column \"%s\" of table %s is not given",
							ms_column_name(rel, attno), target->name),
					 errhint("Every column of the key must be given.")));
	}
	finish_key(target, rel, row, search);
}

static MSNamedColumns *
find_named_columns(MSTarget *target, Relation rel, const char *const *names,
				   int n)
{
	MSNamedColumns *named = target->named_columns;
	MemoryContext oldcxt;

	if (named != NULL && named->names == names)
		return named;

	oldcxt = MemoryContextSwitchTo(target->cxt);
	named = palloc0(sizeof(MSNamedColumns));
	named->names = names;
	named->columns = palloc0(sizeof(MSColumn) * n);
	for (int i = 0; i < n; i++)
	{
		AttrNumber	attno = ms_column_number(rel, names[i]);
		Form_pg_attribute att;

		if (attno == InvalidAttrNumber)
			continue;
		att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
		if (ms_is_database_filled(att) && !ms_is_argument(target, attno))
			continue;
		named->columns[i].attno = attno;
		named->columns[i].typid = att->atttypid;
		named->columns[i].typmod = att->atttypmod;
		named->given = bms_add_member(named->given, attno);
	}
	MemoryContextSwitchTo(oldcxt);
	target->named_columns = named;
	return named;
}

/*
 * Fill a row from n text values; those whose name no column has are left out,
 * and those that the database fills itself.
 * names must be a constant array: what it means for a target is kept.
 */
void
ms_row_from_texts(MSTarget *target, Relation rel, MSRow *row,
				  const char *const *names, int n, const Datum *values,
				  const bool *isnull)
{
	MSNamedColumns *named = find_named_columns(target, rel, names, n);

	row->given = named->given;
	for (int i = 0; i < n; i++)
	{
		MSColumn   *column = &named->columns[i];

		if (column->attno == InvalidAttrNumber || isnull[i])
			continue;
		row->isnull[column->attno - 1] = false;
		row->values[column->attno - 1] =
			coerce_value(target, rel, column, false, TEXTOID, values[i],
						 &row->isnull[column->attno - 1]);
	}
	ms_check_key_given(target, rel, row, target->nrequired, false);
}

static char *
count_type(const MSTarget *target, Relation rel)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
										  target->count - 1);

	return format_type_with_typemod(att->atttypid, att->atttypmod);
}

/* The count column cannot take an amount, or not as it is. */
static void
report_amount(MSTarget *target, Relation rel, Datum amount, char *detail,
			  char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("column \"%s\" of table %s cannot count by %s",
					ms_column_name(rel, target->count), target->name,
					DatumGetCString(DirectFunctionCall1(numeric_out, amount))),
			 detail != NULL ? errdetail("%s", detail) : 0,
			 errhint("%s", hint)));
}

/* The decimals of a numeric's type modifier; before 15 never less than 0. */
static int
scale_of(int32 typmod)
{
	return (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
}

/* Would a numeric be rounded to be of a type modifier? */
static bool
is_rounded(Datum numeric, int32 typmod)
{
	int			scale = scale_of(typmod);

	if (typmod < 0)
		return false;
	return !DatumGetBool(DirectFunctionCall2(numeric_eq, numeric,
											 DirectFunctionCall2(numeric_round,
																 numeric,
																 Int32GetDatum(scale))));
}

static void
report_rounded(MSTarget *target, Relation rel, Datum amount)
{
	report_amount(target, rel, amount,
				  psprintf("Its type %s would round that.", count_type(target, rel)),
				  "Round the amount, or change the column's type to numeric.");
}

/* A whole number is rounded where the count has hundreds, or less. */
void
ms_check_whole(MSTarget *target, Relation rel, const MSRow *row)
{
	Datum		amount;

	if (target->kind != MS_COUNT_NUMERIC || target->count_typmod < 0 ||
		scale_of(target->count_typmod) >= 0)
		return;
	amount = DirectFunctionCall1(int8_numeric, Int64GetDatum(row->by));
	if (is_rounded(amount, target->count_typmod))
		report_rounded(target, rel, amount);
}

/* Is an amount one that a count column can hold, if it is of integers? */
static bool
fits_count(MSCountKind kind, int64 by)
{
	if (kind == MS_COUNT_INT2)
		return by >= PG_INT16_MIN && by <= PG_INT16_MAX;
	if (kind == MS_COUNT_INT4)
		return by >= PG_INT32_MIN && by <= PG_INT32_MAX;
	return true;
}

/*
 * What a row is counted by, as a numeric.  What is no bigint is for a numeric
 * column, or one of floats.
 */
void
ms_row_set_amount(MSTarget *target, Relation rel, MSRow *row, Datum amount)
{
	if (ms_numeric_to_bigint(amount, &row->by) &&
		fits_count(target->kind, row->by) &&
		!(target->kind == MS_COUNT_NUMERIC &&
		  is_rounded(amount, target->count_typmod)))
	{
		ms_check_by(row->by);
		return;
	}

	if (!ms_amount_is_finite(MS_COUNT_NUMERIC, amount))
		report_amount(target, rel, amount, NULL, "Give a number.");
	if (ms_counts_whole(target->kind))
		report_amount(target, rel, amount,
					  psprintf("It is of type %s.", count_type(target, rel)),
					  "Give a whole number that this type can hold, or change it to numeric.");
	if (is_rounded(amount, target->count_typmod))
		report_rounded(target, rel, amount);
	row->values[target->count - 1] =
		target->kind == MS_COUNT_FLOAT4 ? DirectFunctionCall1(numeric_float4, amount) :
		target->kind == MS_COUNT_FLOAT8 ? DirectFunctionCall1(numeric_float8, amount) :
		amount;
	row->isnull[target->count - 1] = false;
	row->by = 0;
}

/* The names of an object's fields must be those of the key's columns. */
static void
read_key_names(MSTarget *target, Relation rel, MSRow *row, Jsonb *json)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	v;

	(void) JsonbIteratorNext(&it, &v, false);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		char	   *field;
		AttrNumber	attno;

		if (token != WJB_KEY)
			continue;
		field = pnstrdup(v.val.string.val, v.val.string.len);
		attno = ms_column_number(rel, field);
		if (attno == InvalidAttrNumber || !ms_is_argument(target, attno))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("field \"%s\" is no column of the key of table %s",
							field, target->name),
					 errhint("Give the columns of the key, and nothing else.")));
		row->given = bms_add_member(row->given, attno);
	}
}

/*
 * A row of the key's columns: nulls, and none of them of a domain, whose
 * constraints have nothing to say of what is only looked for.
 */
static Datum
make_key_record(MSTarget *target, Relation rel)
{
	TupleDesc	desc = CreateTemplateTupleDesc(target->nargs);
	Datum		values[INDEX_MAX_KEYS] = {0};
	bool		isnull[INDEX_MAX_KEYS];

	memset(isnull, true, sizeof(isnull));
	for (int i = 0; i < target->nargs; i++)
	{
		const MSColumn *column = &target->args[i];
		int32		typmod = column->typmod;
		Oid			type = getBaseTypeAndTypmod(column->typid, &typmod);

		TupleDescInitEntry(desc, i + 1, ms_column_name(rel, column->attno),
						   type, typmod, 0);
	}
	TupleDescFinalize(desc);
	BlessTupleDesc(desc);
	return heap_copy_tuple_as_datum(heap_form_tuple(desc, values, isnull),
									desc);
}

/* Fill a row's key, which is only looked for, from a JSON object. */
void
ms_row_key_from_jsonb(MSTarget *target, Relation rel, MSRow *row, Datum key)
{
	Jsonb	   *json = DatumGetJsonbP(key);
	FmgrInfo	populate;
	HeapTupleHeader header;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key must be a JSON object"),
				 errhint("For example '{\"%s\": ...}'.",
						 ms_column_name(rel, target->args[0].attno))));
	read_key_names(target, rel, row, json);

	fmgr_info(F_JSONB_POPULATE_RECORD, &populate);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_JSONB_POPULATE_RECORD, RECORDOID,
											 list_make2(makeNullConst(RECORDOID, -1, InvalidOid),
														makeNullConst(JSONBOID, -1, InvalidOid)),
											 InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL),
					   &populate);
	header = DatumGetHeapTupleHeader(FunctionCall2(&populate,
												   make_key_record(target, rel),
												   JsonbPGetDatum(json)));
	for (int i = 0; i < target->nargs; i++)
	{
		AttrNumber	attno = target->args[i].attno;

		row->values[attno - 1] = GetAttributeByNum(header, i + 1,
												   &row->isnull[attno - 1]);
	}
	ms_check_key_given(target, rel, row, target->nargs, true);
}

/* An increment by nothing is a mistake of the caller. */
void
ms_check_by(int64 by)
{
	if (by == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot increment by zero"),
				 errhint("\"by\" must be positive or negative; value() reads a counter.")));
}

/* Nobody knows in which order an index's expressions name their columns. */
static void
no_order(const MSTarget *target, const char *columns)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("key values of table %s have no order", target->name),
			 errdetail("Its key is computed of several columns: %s.", columns),
			 errhint("Say in which order they come: SELECT missing_symbol.track(%s, key => %s). Or give them by name: increment_row().",
					 quote_literal_cstr(target->name),
					 quote_literal_cstr(psprintf("{%s}", columns)))));
}

/* Are n values of a key enough, of which least must be given? */
void
ms_check_key_count(MSTarget *target, Relation rel, int n, int least)
{
	StringInfoData buf;

	if (likely(n <= target->nargs && n >= least && target->ordered))
		return;

	initStringInfo(&buf);
	for (int i = 0; i < target->nargs; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(ms_column_name(rel,
														 target->args[i].attno)));
	if (!target->ordered)
		no_order(target, buf.data);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("wrong number of key values for table %s: %d instead of %d",
					target->name, n, target->nargs),
			 least < target->nargs ?
			 errhint("Give the values of: %s; the last %d may be left out.",
					 buf.data, target->nargs - least) :
			 errhint("Give the values of: %s.", buf.data)));
}
