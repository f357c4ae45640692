/*-------------------------------------------------------------------------
 *
 * query.c
 *	  A text that holds exactly one statement becomes queries that can be
 *	  planned, with parameters of the types that the statement infers.
 *
 * Errors of the statement are its own: while it is entered, a position in
 * its text is reported as such, as SPI does.  Everything runs as the caller.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/prepare.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

#include "compat.h"
#include "trial/trial_internal.h"

/*
 * Errors
 */

static void
query_error(void *arg)
{
	MSQuery   *query = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(query->text);
	}
	else
		errcontext("SQL statement \"%s\"", query->text);
}

void
ms_query_enter(MSQuery *query)
{
	query->callback.callback = query_error;
	query->callback.arg = query;
	query->callback.previous = error_context_stack;
	error_context_stack = &query->callback;
}

void
ms_query_leave(MSQuery *query)
{
	error_context_stack = query->callback.previous;
}

/*
 * Parsing
 */

/* what: the argument's name, for messages */
void
ms_query_parse(MSQuery *query, const char *what, const char *text)
{
	List	   *raw;

	memset(query, 0, sizeof(MSQuery));
	query->text = text;
	ms_query_enter(query);
	raw = pg_parse_query(text);
	ms_query_leave(query);
	if (list_length(raw) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 raw == NIL ?
				 errmsg("%s is empty", what) :
				 errmsg("%s has %d statements", what, list_length(raw)),
				 errhint("Give exactly one statement.")));
	query->raw = linitial_node(RawStmt, raw);
}

static Datum
convert_parameter(Oid type, Datum value, bool isnull)
{
	Oid			input;
	Oid			ioparam;

	getTypeInputInfo(type, &input, &ioparam);
	return OidInputFunctionCall(input,
								isnull ? NULL : TextDatumGetCString(value),
								ioparam, -1);
}

static void
bind_parameters(MSQuery *query, ArrayType *params)
{
	Datum	   *values = NULL;
	bool	   *nulls = NULL;
	int			given = 0;
	int			i;

	if (params != NULL)
	{
		if (ARR_NDIM(params) > 1)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("params must be an array of one dimension")));
		deconstruct_array(params, TEXTOID, -1, false, TYPALIGN_INT,
						  &values, &nulls, &given);
	}
	if (query->generic)
		return;
	if (given != query->ntypes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg_plural("the statement takes %d parameter, but there are %d values",
							   "the statement takes %d parameters, but there are %d values",
							   query->ntypes, query->ntypes, given)));
	if (given == 0)
		return;
	query->params = makeParamList(given);
	for (i = 0; i < given; i++)
	{
		ParamExternData *p = &query->params->params[i];

		if (!OidIsValid(query->types[i]) || query->types[i] == UNKNOWNOID)
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_DATATYPE),
					 errmsg("could not determine data type of parameter $%d",
							i + 1)));
		p->value = convert_parameter(query->types[i], values[i], nulls[i]);
		p->isnull = nulls[i];
		p->pflags = PARAM_FLAG_CONST;
		p->ptype = query->types[i];
	}
}

/*
 * Analyse and rewrite.  A snapshot is active; locks are those of the current
 * subtransaction.  The first pass is for the types, since a parameter inside
 * of a utility command would keep the type of its first use.
 */
void
ms_query_analyze(MSQuery *query, ArrayType *params)
{
	ms_query_enter(query);
	(void) parse_analyze_varparams(copyObject(query->raw), query->text,
								   &query->types, &query->ntypes, NULL);
	bind_parameters(query, params);
	ms_query_leave(query);
	ms_query_rewrite(query);
}

/* likewise, with the parameters that are known, or none */
void
ms_query_rewrite(MSQuery *query)
{
	ms_query_enter(query);
	query->queries =
		pg_analyze_and_rewrite_fixedparams(copyObject(query->raw),
										   query->text, query->types,
										   query->ntypes, NULL);
	ms_query_leave(query);
}

/*
 * Volatile functions
 */

typedef struct MSVolatile
{
	bool		harmless;		/* also those listed below */
	List	   *functions;		/* of Oid */
} MSVolatile;

/*
 * What comes with the server and leaves nothing behind that a rollback would
 * not undo, but sequences and advisory locks, which are looked for by
 * themselves.  Names, for there are other functions in each version; a * at
 * the end stands for any.
 */
static const char *const harmless_functions[] = {
	"amvalidate", "bernoulli", "clock_timestamp", "current_query", "currtid2",
	"currval", "gen_random_uuid", "lastval", "lo_close", "lo_creat",
	"lo_create", "lo_from_bytea", "lo_get", "lo_import", "lo_lseek*",
	"lo_open", "lo_put", "lo_tell*", "lo_truncate*", "lo_unlink", "loread",
	"lowrite", "nextval", "pg_advisory_*", "pg_blocking_pids",
	"pg_collation_actual_version", "pg_control_*", "pg_current_*",
	"pg_database_collation_actual_version", "pg_database_size", "pg_get_*",
	"pg_hba_file_rules", "pg_ident_file_mappings", "pg_indexes_size",
	"pg_is_*", "pg_isolation_test_session_is_blocked", "pg_jit_available",
	"pg_last_*", "pg_lock_status", "pg_ls_*", "pg_notification_queue_usage",
	"pg_notify", "pg_partition_*", "pg_prepared_xact", "pg_read_*",
	"pg_relation_size", "pg_replication_origin_progress",
	"pg_replication_origin_session_is_setup",
	"pg_replication_origin_session_progress",
	"pg_safe_snapshot_blocking_pids", "pg_sequence_last_value", "pg_show_*",
	"pg_sleep*", "pg_stat_clear_snapshot", "pg_stat_file",
	"pg_stat_force_next_flush", "pg_stat_get_*", "pg_stat_have_stats",
	"pg_table_size", "pg_tablespace_size", "pg_total_relation_size",
	"pg_try_advisory_*", "pg_xact_*", "random*", "set_config", "setval",
	"system", "timeofday", "txid_status", "uuidv*"
};

static bool
is_harmless(Oid funcid)
{
	char	   *name;
	int			i;

	if (funcid >= FirstNormalObjectId)
		return false;
	name = get_func_name(funcid);
	for (i = 0; name != NULL && i < lengthof(harmless_functions); i++)
	{
		const char *known = harmless_functions[i];
		size_t		len = strlen(known);

		if (known[len - 1] == '*' ? strncmp(name, known, len - 1) == 0 :
			strcmp(name, known) == 0)
			return true;
	}
	return false;
}

static bool
note_if_volatile(Oid funcid, void *context)
{
	MSVolatile *v = context;

	if (func_volatile(funcid) == PROVOLATILE_VOLATILE &&
		(v->harmless || !is_harmless(funcid)))
		v->functions = list_append_unique_oid(v->functions, funcid);
	return false;
}

static bool volatile_walker(Node *node, void *context);

/* the queries that a utility command runs */
static void
walk_utility(Node *utility, MSVolatile *v)
{
	PreparedStatement *prepared;
	ListCell   *lc;

	switch (nodeTag(utility))
	{
		case T_CreateTableAsStmt:
			(void) volatile_walker(((CreateTableAsStmt *) utility)->query, v);
			break;
		case T_DeclareCursorStmt:
			(void) volatile_walker(((DeclareCursorStmt *) utility)->query, v);
			break;
		case T_ExplainStmt:
			(void) volatile_walker(((ExplainStmt *) utility)->query, v);
			break;
		case T_CallStmt:
			(void) volatile_walker((Node *) ((CallStmt *) utility)->funcexpr, v);
			break;
		case T_ExecuteStmt:
			prepared = FetchPreparedStatement(((ExecuteStmt *) utility)->name,
											  true);
			foreach(lc, prepared->plansource->query_list)
				(void) volatile_walker(lfirst(lc), v);
			break;
		default:
			break;
	}
}

static bool
volatile_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, NextValueExpr))
		(void) note_if_volatile(F_NEXTVAL, context);
	(void) check_functions_in_node(node, note_if_volatile, context);
	if (!IsA(node, Query))
		return expression_tree_walker(node, volatile_walker, context);
	if (((Query *) node)->utilityStmt != NULL)
	{
		walk_utility(((Query *) node)->utilityStmt, context);
		return false;
	}
	return query_tree_walker((Query *) node, volatile_walker, context, 0);
}

/* their names; harmless: also of those that leave nothing behind */
List *
ms_query_volatile(MSQuery *query, bool harmless)
{
	MSVolatile	v = {harmless, NIL};
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, query->queries)
		(void) volatile_walker(lfirst(lc), &v);
	foreach(lc, v.functions)
		names = lappend(names, format_procedure_qualified(lfirst_oid(lc)));
	return names;
}
