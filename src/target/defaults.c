/*-------------------------------------------------------------------------
 *
 * defaults.c
 *	  The columns of a new row that nobody gives: when is their default asked?
 *
 * A row that waits (deferred, spilled, buffered) is inserted at another time
 * than it was counted, by another session and as another role perhaps.  So:
 *
 * What a default says at the call is said by the call: it is evaluated there,
 * by who counts, with his rights and settings, once for what waits, whether or
 * not the counter is there by then (as INSERT ... ON CONFLICT does).  That is
 * so of every function of a user's, whatever it calls itself; and of those of
 * the server that depend on the role, a setting, the session or the time.
 * What says the same whenever it is asked is evaluated as the row is inserted:
 * constants, and sequences and random values, which an increment of a counter
 * that is there must not use up.
 *
 * A column of the key is asked at the call, too, where configure() says that it
 * may be left out: its default must be one and the same for a while, and run
 * nobody's code, because value() asks it, too.
 *
 * The answers are kept beside what was given (MSRow.defaulted): they are used
 * where the row is inserted, as its own, and nowhere else.  They fill nothing,
 * and take no right to the column.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "target/row.h"
#include "target/target.h"
#include "target/target_internal.h"

/* defaults of a target that the call is asked for, compiled */
typedef struct MSDefaults
{
	EState	   *estate;			/* holds all of it */
	ExprState **columns;		/* by attribute number - 1 */
	bool		busy;			/* a default runs, and may count here, too */
} MSDefaults;

/* A column's default; NULL where it has none, or is no such column. */
static Node *
default_of(Relation rel, Form_pg_attribute att)
{
	if (att->attisdropped || att->attgenerated != '\0')
		return NULL;
	return build_column_default(rel, att->attnum);
}

/* The value of a column that nobody gives: its default, or a checked NULL. */
static Node *
value_of(Relation rel, Form_pg_attribute att)
{
	Node	   *node = default_of(rel, att);

	if (node == NULL && !att->attisdropped && att->attgenerated == '\0' &&
		getBaseType(att->atttypid) != att->atttypid)
	{
		int32		basetypmod = att->atttypmod;
		Oid			basetype = getBaseTypeAndTypmod(att->atttypid, &basetypmod);

		node = coerce_to_domain((Node *) makeNullConst(basetype, basetypmod,
													   get_typcollation(basetype)),
								basetype, basetypmod, att->atttypid,
								COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1,
								false);
	}
	return node;
}

/* Does a column get something, where nobody gives it? */
bool
ms_has_default(Relation rel, Form_pg_attribute att)
{
	return value_of(rel, att) != NULL;
}

/* Compile that, for as long as a state of the executor lasts. */
ExprState *
ms_compile_default(Relation rel, Form_pg_attribute att, EState *estate)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(estate->es_query_cxt);
	ExprState  *result = ExecPrepareExpr((Expr *) value_of(rel, att), estate);

	MemoryContextSwitchTo(oldcxt);
	return result;
}

/* Is a default nothing but null, brought to the column's length perhaps? */
static bool
is_null(Node *expr)
{
	if (!ms_is_builtin(expr))
		return false;
	expr = eval_const_expressions(NULL, expr);
	return IsA(expr, Const) && ((Const *) expr)->constisnull;
}

/*
 * Does a function of the server depend on who calls it, or when?  Not those
 * that only make texts of what they are given.
 */
static bool
is_of_call(Oid function, void *context)
{
	static const char *const others[] = {
		"anytextcat", "array_to_json", "array_to_string", "concat",
		"concat_ws", "format", "gen_random_uuid", "json_build_array",
		"json_build_object", "jsonb_build_array", "jsonb_build_object",
		"nextval", "random", "random_normal", "row_to_json", "textanycat",
		"to_char", "to_json", "to_jsonb", "uuidv4", "uuidv7"
	};
	char	   *name;

	if (func_volatile(function) == PROVOLATILE_IMMUTABLE)
		return false;
	name = get_func_name(function);
	for (int i = 0; name != NULL && i < lengthof(others); i++)
	{
		if (strcmp(name, others[i]) == 0)
			return false;
	}
	return true;
}

static bool
of_call_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, SQLValueFunction) ||
		check_functions_in_node(node, is_of_call, context) ||
		expression_tree_walker(node, of_call_walker, context);
}

/*
 * A default that a key may leave out is asked by whoever counts or reads, so no
 * code but core's may run in it, whatever the values: what core's functions of
 * any type, of XML or of JSON do runs casts and queries of others.  And it must
 * last for a while.  So what is not known to do both is refused.
 */

/* Is a type one of core's whose values have nothing in them but themselves? */
static bool
is_simple(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case UUIDOID:
		case BYTEAOID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case INTERVALOID:
			return true;
		default:
			return false;
	}
}

/* An enum has no code, either, while no function is called with it. */
static bool
is_simple_or_enum(Oid type)
{
	return is_simple(type) || get_typtype(type) == TYPTYPE_ENUM;
}

/* Is a function's answer settled by its arguments and the clock? */
static bool
is_unsettled(Oid function, void *context)
{
	static const char *const settled[] = {
		"current_database", "current_setting", "date", "date_part", "date_trunc", "extract", "now",
		"statement_timestamp", "time", "timestamp", "timestamptz",
		"timestamptz_mi_interval", "timestamptz_pl_interval", "to_char",
		"transaction_timestamp"
	};
	const char *name;

	if (function >= FirstNormalObjectId)
		return true;
	if (func_volatile(function) == PROVOLATILE_IMMUTABLE)
		return false;
	name = get_func_name(function);
	for (int i = 0; name != NULL && i < lengthof(settled); i++)
	{
		if (strcmp(name, settled[i]) == 0)
			return false;
	}
	return true;
}

static bool
not_simple_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, List))
		return expression_tree_walker(node, not_simple_walker, context);
	switch (nodeTag(node))
	{
		case T_Const:
			return !is_simple_or_enum(exprType(node));
		case T_FuncExpr:
		case T_OpExpr:
		case T_RelabelType:
		case T_CoalesceExpr:
		case T_CaseExpr:
		case T_BoolExpr:
		case T_MinMaxExpr:
			break;
		case T_CaseWhen:
			return expression_tree_walker(node, not_simple_walker, context);
		case T_CoerceViaIO:
			/* text becomes a time by the clock ('today'), or by settings */
			return (exprType(node) != TEXTOID && exprType(node) != VARCHAROID) ||
				expression_tree_walker(node, not_simple_walker, context);
		case T_SQLValueFunction:
			break;
		default:
			return true;
	}
	return !is_simple(exprType(node)) ||
		check_functions_in_node(node, is_unsettled, context) ||
		expression_tree_walker(node, not_simple_walker, context);
}

/* Is a part of a time one that lasts? */
static bool
is_lasting_part(Node *part)
{
	static const char *const parts[] = {
		"minute", "hour", "day", "week", "month", "quarter", "year", "decade",
		"century", "millennium"
	};

	if (part == NULL || !IsA(part, Const) || ((Const *) part)->constisnull ||
		((Const *) part)->consttype != TEXTOID)
		return false;
	for (int i = 0; i < lengthof(parts); i++)
	{
		if (pg_strcasecmp(parts[i],
						  TextDatumGetCString(((Const *) part)->constvalue)) == 0)
			return true;
	}
	return false;
}

/* Is a format one of dates alone? */
static bool
is_date_format(Node *format)
{
	static const char *const others[] = {"ss", "ms", "us", "ff", "mi", "hh"};
	char	   *string;

	if (format == NULL || !IsA(format, Const) ||
		((Const *) format)->constisnull ||
		((Const *) format)->consttype != TEXTOID)
		return false;
	string = TextDatumGetCString(((Const *) format)->constvalue);
	for (char *p = string; *p != '\0'; p++)
	{
		for (int i = 0; i < lengthof(others); i++)
		{
			if (pg_strncasecmp(p, others[i], 2) == 0)
				return false;
		}
	}
	return true;
}

/*
 * Does an expression have the time of the transaction in it?  Not what makes a
 * day or another part of it that lasts for a while.
 */
static bool
tells_time_walker(Node *node, void *context)
{
	static const char *const times[] = {
		"now", "statement_timestamp", "transaction_timestamp"
	};
	FuncExpr   *func = (FuncExpr *) node;
	char	   *name;

	if (node == NULL)
		return false;
	if (IsA(node, SQLValueFunction))
		return ((SQLValueFunction *) node)->op != SVFOP_CURRENT_DATE &&
			((SQLValueFunction *) node)->op <= SVFOP_LOCALTIMESTAMP_N;
	if (IsA(node, FuncExpr) && (name = get_func_name(func->funcid)) != NULL)
	{
		for (int i = 0; i < lengthof(times); i++)
		{
			if (strcmp(name, times[i]) == 0)
				return true;
		}
		if (strcmp(name, "date") == 0 ||
			(strcmp(name, "date_trunc") == 0 &&
			 is_lasting_part(linitial(func->args))) ||
			(strcmp(name, "to_char") == 0 &&
			 is_date_format(lsecond(func->args))))
			return false;
	}
	return expression_tree_walker(node, tells_time_walker, context);
}

/* Why a key column cannot be left out; NULL: it can. */
static const char *
key_default_refused(const MSTarget *target, Relation rel,
					Form_pg_attribute att)
{
	Node	   *expr;

	if (!ms_is_argument(target, att->attnum))
		return "It is not in the key.";
	expr = default_of(rel, att);
	if (expr == NULL || is_null(expr))
		return "It has no default.";
	if (contain_volatile_functions(expr))
		return "Its default is another one at each call.";
	if (!ms_is_builtin(expr) || not_simple_walker(expr, NULL) ||
		!is_simple_or_enum(att->atttypid))
		return "Its default is more than the date and simple functions of core's: it would be asked as whoever reads a counter.";
	/* so what has a name of core's is core's, with its arguments */
	if (tells_time_walker(expr, NULL))
		return "Its default is the time, and another one in each transaction: use CURRENT_DATE, or date_trunc().";
	return NULL;
}

/* The columns of the key that configure() says may be left out. */
void
ms_infer_key_defaults(MSTarget *target, Relation rel, List *names)
{
	Bitmapset  *columns = NULL;
	ListCell   *lc;

	foreach(lc, names)
	{
		const char *name = strVal(lfirst(lc));
		AttrNumber	attno = ms_column_number(rel, name);
		const char *reason = attno == InvalidAttrNumber ?
			"There is no such column." :
			key_default_refused(target, rel,
								TupleDescAttr(RelationGetDescr(rel), attno - 1));

		if (reason != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" cannot be left out of the key of table %s",
							name, target->name),
					 errdetail("%s", reason),
					 errhint("Name others: SELECT missing_symbol.configure(%s, '{\"defaults\": [...]}'); null for none.",
							 quote_literal_cstr(target->name))));
		columns = bms_add_member(columns, attno);
	}
	target->nrequired = target->nargs - bms_num_members(columns);
	for (int i = 0; i < target->nrequired; i++)
	{
		if (bms_is_member(target->args[i].attno, columns))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" cannot be left out of the key of table %s",
							ms_column_name(rel, target->args[i].attno),
							target->name),
					 errdetail("A column behind it in the key cannot."),
					 errhint("Give the key another order: SELECT missing_symbol.track(%s, key => ...).",
							 quote_literal_cstr(target->name))));
	}
	bms_free(columns);
}

/* Find out which columns of a target have defaults, and when they are asked. */
void
ms_infer_defaults(MSTarget *target, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		AttrNumber	attno = i + 1;
		Node	   *expr;

		if (ms_is_always_given(target, attno) ||
			(expr = default_of(rel, TupleDescAttr(desc, i))) == NULL ||
			is_null(expr))
			continue;
		target->defaults = bms_add_member(target->defaults, attno);
		if (!ms_is_builtin(expr) || of_call_walker(expr, NULL))
			target->call_defaults = bms_add_member(target->call_defaults,
												   attno);
	}
}

/*
 * Where they are compiled as they are needed: EXECUTE is checked there.  Kept
 * where they are everybody's (builtin.c); not those for a call that a default
 * of the server has made, which can run any statement.
 */
static MSDefaults *
find_compiled(MSTarget *target, Relation rel)
{
	MSDefaults *result = target->compiled_defaults;
	EState	   *estate;

	if (result != NULL && !result->busy)
		return result;
	estate = CreateExecutorState();
	result = MemoryContextAllocZero(estate->es_query_cxt, sizeof(MSDefaults));
	result->estate = estate;
	result->columns = MemoryContextAllocZero(estate->es_query_cxt,
											 sizeof(ExprState *) *
											 RelationGetNumberOfAttributes(rel));
	if (target->builtin && target->compiled_defaults == NULL)
	{
		MemoryContextSetParent(estate->es_query_cxt, target->cxt);
		target->compiled_defaults = result;
	}
	return result;
}

static void
ask_columns(const Bitmapset *columns, Relation rel, MSRow *row,
			MSDefaults *compiled)
{
	ExprContext *econtext = GetPerTupleExprContext(compiled->estate);
	int			attno = -1;

	while ((attno = bms_next_member(columns, attno)) >= 0)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
		ExprState **column = &compiled->columns[attno - 1];
		Datum		value;
		bool		isnull;

		if (*column == NULL)
			*column = ms_compile_default(rel, att, compiled->estate);
		value = ExecEvalExprSwitchContext(*column, econtext, &isnull);
		row->isnull[attno - 1] = isnull;
		if (!isnull)
			row->values[attno - 1] = datumCopy(value, att->attbyval,
											   att->attlen);
	}
	ResetExprContext(econtext);
}

/* Ask the defaults of columns.  Runs user code, which may count. */
static void
evaluate(MSTarget *target, Relation rel, MSRow *row, const Bitmapset *columns,
		 MSDefaults *compiled)
{
	compiled->busy = true;
	PG_TRY();
	{
		ask_columns(columns, rel, row, compiled);
	}
	PG_FINALLY();
	{
		compiled->busy = false;
	}
	PG_END_TRY();
	if (target->compiled_defaults != compiled)
		FreeExecutorState(compiled->estate);
}

/*
 * A row that is going to wait, with what its call says; the same row where
 * nothing is to be said, or all has been.  Runs user code, which may count.
 */
const MSRow *
ms_row_with_defaults(MSTarget *target, Relation rel, const MSRow *row)
{
	MSRow	   *result;
	int			n = target->nvalues;
	Datum	   *values;
	bool	   *isnull;
	Bitmapset  *columns = NULL;
	int			attno = -1;

	while ((attno = bms_next_member(target->call_defaults, attno)) >= 0)
	{
		if (!ms_row_has_column(row, attno))
			columns = bms_add_member(columns, attno);
	}
	if (columns == NULL)
		return row;

	result = ms_row_make(target);
	values = result->values;
	isnull = result->isnull;
	*result = *row;
	result->values = memcpy(values, row->values, sizeof(Datum) * n);
	result->isnull = memcpy(isnull, row->isnull, sizeof(bool) * n);
	evaluate(target, rel, result, columns, find_compiled(target, rel));
	result->defaulted = bms_union(row->defaulted, columns);
	bms_free(columns);
	return result;
}

/*
 * The columns of the key that its caller has left out: the arguments from
 * first on, but those that are given by name.
 */
void
ms_row_default_key(MSTarget *target, Relation rel, MSRow *row, int first)
{
	Bitmapset  *columns = NULL;

	for (int i = first; i < target->nargs; i++)
	{
		AttrNumber	attno = target->args[i].attno;

		if (!bms_is_member(attno, row->given))
			columns = bms_add_member(columns, attno);
	}
	if (columns != NULL)
		evaluate(target, rel, row, columns, find_compiled(target, rel));
	bms_free(columns);
}
