/*-------------------------------------------------------------------------
 *
 * general_sql.c
 *	  The texts of the statements by which the general path counts.
 *
 * The target's alias is t.  Nothing in them depends on search_path: every
 * name is qualified, operators are the key index's own.  ONLY, except for a
 * partitioned table, because an inheritance child's row is not the key's.
 *
 * Parameters, the same of all: the key's columns, in the order of the index;
 * the amount; the two times, null for now; the columns that the row has beside
 * the key, in the order of their numbers.  Where limits judge: whether a new
 * window begins, and when, if there is one; when the bucket is full, if it is
 * asked.
 *
 * An index's expressions and its predicate are no texts: what a name in these
 * means depends on search_path.  They are parameters with numbers beyond all
 * others, which the parser is given the trees of.  Who plans them reads them
 * in a condition, in a RETURNING, and in ON CONFLICT, as any other column.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "target/target.h"

/* Numbers of a plan's parameters: the key's come first. */
static int
by_param(const MSTarget *target)
{
	return target->nkeys + 1;
}

static int
first_param(const MSTarget *target)
{
	return target->nkeys + 2;
}

static int
last_param(const MSTarget *target)
{
	return target->nkeys + 3;
}

static const char *
column(Relation rel, AttrNumber attno)
{
	return quote_identifier(ms_column_name(rel, attno));
}

/* A time, of type timestamptz, as a timestamp of the target's zone. */
void
ms_append_local_time(StringInfo sql, const MSTarget *target, const char *time)
{
	if (target->zone == NULL)
		appendStringInfo(sql, "pg_catalog.timezone('0'::pg_catalog.interval, %s)",
						 time);
	else
		appendStringInfo(sql, "missing_symbol.local_time(%s, %s)", time,
						 quote_literal_cstr(target->zone_name));
}

/* A time, of type timestamptz, as a column has it: its zone, as in times.c. */
static void
append_time(StringInfo sql, const MSTarget *target,
			const MSTimeColumn *time_column, const char *time)
{
	if (!time_column->local)
		appendStringInfoString(sql, time);
	else
		ms_append_local_time(sql, target, time);
}

/* numbers of parameters that are trees: the predicate, the key's expressions */
#define PREDICATE_PARAM		10000
#define EXPRESSION_PARAM(i)	(PREDICATE_PARAM + 1 + (i))

/* A column of the index as it was stored, in a statement that names it so. */
static Node *
column_of_tree(Node *node, void *context)
{
	ParseState *pstate = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		const MSParams *params = pstate->p_ref_hook_state;
		ColumnRef  *ref = makeNode(ColumnRef);

		/* ON CONFLICT knows the table's columns alone */
		if (pstate->p_expr_kind != EXPR_KIND_INDEX_EXPRESSION &&
			pstate->p_expr_kind != EXPR_KIND_INDEX_PREDICATE)
			ref->fields = list_make1(makeString(pstrdup("t")));
		ref->fields = lappend(ref->fields,
							  makeString(get_attname(params->target->relid,
													 ((Var *) node)->varattno,
													 false)));
		ref->location = -1;
		return transformExpr(pstate, (Node *) ref, pstate->p_expr_kind);
	}
	return expression_tree_mutator(node, column_of_tree, context);
}

/* The expression of a key column. */
static Node *
key_expression(const MSTarget *target, int key)
{
	int			n = 0;

	for (int i = 0; i < key; i++)
	{
		if (target->keys[i].expr != NULL)
			n++;
	}
	return list_nth(target->exprs, n);
}

static Node *
param_of_tree(ParseState *pstate, ParamRef *ref)
{
	const MSParams *params = pstate->p_ref_hook_state;
	const MSTarget *target = params->target;
	Node	   *node;

	if (ref->number >= PREDICATE_PARAM)
	{
		int			key = ref->number - EXPRESSION_PARAM(0);

		node = column_of_tree(key < 0 ? target->predicate :
							  key_expression(target, key), pstate);

		/* as the index compares it */
		if (key >= 0 && exprCollation(node) != target->keys[key].collation &&
			OidIsValid(target->keys[key].collation))
		{
			CollateExpr *collate = makeNode(CollateExpr);

			collate->arg = (Expr *) node;
			collate->collOid = target->keys[key].collation;
			collate->location = -1;
			if (pstate->p_expr_kind != EXPR_KIND_INDEX_EXPRESSION)
				node = (Node *) collate;
		}
		return node;
	}
	else
	{
		Param	   *param = makeNode(Param);

		Assert(ref->number <= params->nargs);
		param->paramkind = PARAM_EXTERN;
		param->paramid = ref->number;
		param->paramtype = params->types[ref->number - 1];
		param->paramtypmod = -1;
		param->paramcollid = get_typcollation(param->paramtype);
		param->location = ref->location;
		return (Node *) param;
	}
}

/* The parser's setup for statements that have trees, with their MSParams. */
void
ms_params_setup(ParseState *pstate, void *params)
{
	pstate->p_ref_hook_state = params;
	pstate->p_paramref_hook = param_of_tree;
}

/* "t.k", or the parameter that is its expression */
static void
append_key(StringInfo sql, const MSTarget *target, Relation rel, int i)
{
	if (target->keys[i].expr != NULL)
		appendStringInfo(sql, "($%d)", EXPRESSION_PARAM(i));
	else
		appendStringInfo(sql, "t.%s",
						 column(rel, target->keys[i].column.attno));
}

/* "t.k OPERATOR(pg_catalog.=) $1 AND t.l IS NULL ...", by the nulls of a key */
static void
append_keys_equal(StringInfo sql, MSTarget *target, Relation rel, uint32 nulls)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		HeapTuple	tuple;
		Form_pg_operator op;

		if (i > 0)
			appendStringInfoString(sql, " AND ");
		append_key(sql, target, rel, i);
		if ((nulls >> i) & 1)
		{
			appendStringInfoString(sql, " IS NULL");
			continue;
		}
		tuple = SearchSysCache1(OPEROID,
								ObjectIdGetDatum(target->keys[i].eqop));
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator %u",
				 target->keys[i].eqop);
		op = (Form_pg_operator) GETSTRUCT(tuple);
		appendStringInfo(sql, " OPERATOR(%s.%s) $%d",
						 quote_identifier(get_namespace_name(op->oprnamespace)),
						 NameStr(op->oprname), i + 1);
		ReleaseSysCache(tuple);
	}
}

/*
 * The same, in the index: a condition for each of the nulls that a key has, as
 * the index is not searched for "IS NOT DISTINCT FROM".
 */
void
ms_append_key_condition(StringInfo sql, MSTarget *target, Relation rel,
						uint32 nulls)
{
	append_keys_equal(sql, target, rel, nulls);
	if (target->predicate != NULL)
		appendStringInfo(sql, " AND ($%d)", PREDICATE_PARAM);
}

/*
 * All rows that are counters: those of the index, without nulls in the key where
 * these are no values.
 */
void
ms_append_counters(StringInfo sql, MSTarget *target, Relation rel)
{
	appendStringInfoString(sql, target->predicate == NULL ? "true" :
						   psprintf("($%d)", PREDICATE_PARAM));
	for (int i = 0; !target->nulls && i < target->nkeys; i++)
	{
		appendStringInfoString(sql, " AND ");
		append_key(sql, target, rel, i);
		appendStringInfoString(sql, " IS NOT NULL");
	}
}

/* "ONLY schema.table AS t" */
void
ms_append_table(StringInfo sql, MSTarget *target, Relation rel)
{
	appendStringInfo(sql, "%s%s AS t",
					 rel->rd_rel->relkind == RELKIND_RELATION ? "ONLY " : "",
					 target->name);
}

/*
 * The columns that tell a row's counter: always three, NULL where there is no
 * such column; and all counts, where there are several.
 */
static void
append_counter_columns(StringInfo sql, MSTarget *target, Relation rel)
{
	AttrNumber	atts[3] = {target->count, target->first_seen, target->last_seen};

	for (int i = 0; i < lengthof(atts); i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		if (atts[i] == InvalidAttrNumber)
			appendStringInfoString(sql, "NULL::pg_catalog.timestamptz");
		else
			appendStringInfo(sql, "t.%s", column(rel, atts[i]));
	}
	for (int i = 0; target->ncounts > 1 && i < target->ncounts; i++)
		appendStringInfo(sql, ", t.%s", column(rel, target->merged[i].attno));
	if (target->limits.window != InvalidAttrNumber)
		appendStringInfo(sql, ", t.%s", column(rel, target->limits.window));
	if (target->limits.bucket != InvalidAttrNumber)
		appendStringInfo(sql, ", t.%s", column(rel, target->limits.bucket));
}

/* where limits have their parameters */
typedef struct LimitParams
{
	int			restart;		/* 0: there is none, ... */
	int			window;
	int			bucket;			/* ... as here */
} LimitParams;

static LimitParams
limit_params(const MSTarget *target, const Bitmapset *others, MSJudged judged)
{
	LimitParams params = {0};
	int			last = last_param(target) + bms_num_members(others);

	if (judged != MS_NOT_JUDGED && target->limits.window != InvalidAttrNumber)
	{
		params.restart = ++last;
		params.window = ++last;
	}
	if (judged == MS_JUDGED_RATE)
		params.bucket = ++last;
	return params;
}

/* "t.c": a count, or what it begins with as a new window does */
static const char *
counted(const MSTarget *target, Relation rel, AttrNumber attno,
		const LimitParams *params)
{
	if (params->restart == 0 || attno != target->limits.attno)
		return psprintf("t.%s", column(rel, attno));
	return psprintf("(CASE WHEN $%d THEN '0' ELSE t.%s END)", params->restart,
					column(rel, attno));
}

/*
 * "missing_symbol.added(..)": a parameter that a count column gets, in a row that
 * there is, or a new one
 */
static void
append_added(StringInfo sql, const char *stored, const MSMerged *merged,
			 int param)
{
	Oid			type = merged->typid;
	bool		is_integer = merged->count.kind <= MS_COUNT_INT8;
	const char *sum_type = format_type_extended(is_integer ? INT8OID : type, -1,
												FORMAT_TYPE_FORCE_QUALIFY);

	appendStringInfo(sql, "missing_symbol.added(%s::%s, $%d::%s, '%s'::pg_catalog.regtype, %d, %s, %s)",
					 stored, sum_type, param, sum_type,
					 format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY),
					 merged->count.typmod,
					 quote_literal_cstr(merged->count.column),
					 quote_literal_cstr(merged->count.table));
}

/* Is what is counted no older than the row? */
static void
append_is_latest(StringInfo sql, MSTarget *target, Relation rel)
{
	int			last = last_param(target);

	appendStringInfo(sql, "$%d IS NULL OR COALESCE(", last);
	if (target->kind == MS_COUNT_COUNTER)
		appendStringInfo(sql, "missing_symbol.last_seen(t.%s) OPERATOR(pg_catalog.<=) $%d",
						 column(rel, target->count), last);
	else if (target->last_seen != InvalidAttrNumber)
	{
		appendStringInfo(sql, "t.%s OPERATOR(pg_catalog.<=) CAST(",
						 column(rel, target->last_seen));
		append_time(sql, target, &target->last_time, psprintf("$%d", last));
		appendStringInfo(sql, " AS %s)",
						 format_type_extended(target->last_time.local ?
											  TIMESTAMPOID : TIMESTAMPTZOID,
											  target->last_time.typmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
	}
	else
		appendStringInfoString(sql, "NULL");
	appendStringInfoString(sql, ", true)");
}

/* ", c = ..": a column whose values merge, and the parameter given for it */
static void
append_merge(StringInfo sql, MSTarget *target, Relation rel,
			 const MSMerged *merged, int param, const LimitParams *params)
{
	const char *name = column(rel, merged->attno);

	appendStringInfo(sql, ", %s = ", name);
	switch (merged->role)
	{
		case MS_ROLE_COUNT:
			append_added(sql, counted(target, rel, merged->attno, params),
						 merged, param);
			break;
		case MS_ROLE_LATEST:
			appendStringInfo(sql, "CASE WHEN t.%s IS NULL OR ", name);
			append_is_latest(sql, target, rel);
			appendStringInfo(sql, " THEN COALESCE($%d, t.%s) ELSE t.%s END",
							 param, name, name);
			break;
		case MS_ROLE_GREATEST:
			appendStringInfo(sql, "GREATEST(t.%s, $%d)", name, param);
			break;
		case MS_ROLE_LEAST:
			appendStringInfo(sql, "LEAST(t.%s, $%d)", name, param);
			break;
	}
}

/* A column's place among those that merge, but for the count; NULL: none. */
static const MSMerged *
find_merged(const MSTarget *target, AttrNumber attno)
{
	for (int i = 1; i < target->nmerged; i++)
	{
		if (target->merged[i].attno == attno)
			return &target->merged[i];
	}
	return NULL;
}

/*
 * What an existing row becomes; others: all columns that have parameters,
 * defaulted: those of them that are for a new row only.
 */
static void
append_assignments(StringInfo sql, MSTarget *target, Relation rel,
				   const Bitmapset *others, const Bitmapset *defaulted,
				   const LimitParams *params)
{
	int			by = by_param(target);
	int			attno = -1;
	int			param = last_param(target);
	const char *count = column(rel, target->count);

	appendStringInfo(sql, "%s = ", count);
	if (target->kind == MS_COUNT_COUNTER)
		appendStringInfo(sql, "missing_symbol.counted(t.%s, $%d, $%d, $%d)",
						 count, by, first_param(target), last_param(target));
	else if (target->ncounts > 0)
		append_added(sql, counted(target, rel, target->count, params),
					 &target->merged[0], by);
	else
		appendStringInfo(sql, "COALESCE(%s, 0%s) OPERATOR(pg_catalog.+) $%d",
						 counted(target, rel, target->count, params),
						 target->kind == MS_COUNT_NUMERIC ? "" :
						 "::pg_catalog.int2", by);
	if (target->last_seen != InvalidAttrNumber)
	{
		appendStringInfo(sql, ", %s = GREATEST(t.%s, ",
						 column(rel, target->last_seen),
						 column(rel, target->last_seen));
		append_time(sql, target, &target->last_time,
					psprintf("COALESCE($%d, missing_symbol.clock())",
							 last_param(target)));
		appendStringInfoChar(sql, ')');
	}
	if (params->window != 0)
		appendStringInfo(sql, ", %s = COALESCE($%d, t.%s)",
						 column(rel, target->limits.window), params->window,
						 column(rel, target->limits.window));
	if (params->bucket != 0)
		appendStringInfo(sql, ", %s = $%d",
						 column(rel, target->limits.bucket), params->bucket);
	while ((attno = bms_next_member(others, attno)) >= 0)
	{
		const MSMerged *merged = find_merged(target, attno);

		param++;
		if (bms_is_member(attno, defaulted))
			continue;
		if (merged != NULL)
			append_merge(sql, target, rel, merged, param, params);
		else if (bms_is_member(attno, target->fill))
			appendStringInfo(sql, ", %s = COALESCE(t.%s, $%d)",
							 column(rel, attno), column(rel, attno), param);
	}
}

/*
 * The condition under which an existing row is counted: not for what was
 * counted before, at a time that is given.
 */
static void
append_throttle_condition(StringInfo sql, MSTarget *target, Relation rel)
{
	if (target->throttle == 0)
	{
		appendStringInfoString(sql, "true");
		return;
	}
	appendStringInfo(sql, "($%d IS NOT NULL OR COALESCE(",
					 last_param(target));
	if (target->kind == MS_COUNT_COUNTER)
		appendStringInfo(sql, "missing_symbol.last_seen(t.%s)",
						 column(rel, target->count));
	else
		appendStringInfo(sql, "t.%s", column(rel, target->last_seen));

	/* as hours and so on: before 15 each number must fit an int */
	appendStringInfo(sql, " OPERATOR(pg_catalog.<=) (missing_symbol.clock()"
					 " OPERATOR(pg_catalog.-) '%d:%02d:%02d.%06d'::pg_catalog.interval), true))",
					 (int) (target->throttle / USECS_PER_HOUR),
					 (int) (target->throttle / USECS_PER_MINUTE % MINS_PER_HOUR),
					 (int) (target->throttle / USECS_PER_SEC % SECS_PER_MINUTE),
					 (int) (target->throttle % USECS_PER_SEC));
}

/* The counter of a row; locking: " FOR ..." or nothing. */
char *
ms_read_sql(MSTarget *target, Relation rel, uint32 nulls,
			const char *condition, const char *locking)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_counter_columns(&sql, target, rel);
	appendStringInfoString(&sql, " FROM ");
	ms_append_table(&sql, target, rel);
	appendStringInfoString(&sql, " WHERE ");
	ms_append_key_condition(&sql, target, rel, nulls);
	appendStringInfo(&sql, "%s%s", condition, locking);
	return sql.data;
}

/* Count the row, which is locked; condition: " AND ..." or nothing. */
char *
ms_update_sql(MSTarget *target, Relation rel, uint32 nulls,
			  const Bitmapset *others, const Bitmapset *defaulted,
			  MSJudged judged, const char *condition)
{
	LimitParams params = limit_params(target, others, judged);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "UPDATE ");
	ms_append_table(&sql, target, rel);
	appendStringInfoString(&sql, " SET ");
	append_assignments(&sql, target, rel, others, defaulted, &params);
	appendStringInfoString(&sql, " WHERE ");
	ms_append_key_condition(&sql, target, rel, nulls);
	appendStringInfo(&sql, "%s RETURNING ", condition);
	append_counter_columns(&sql, target, rel);
	return sql.data;
}

/*
 * What ON CONFLICT arbitrates by: not an index on the same columns that finds
 * other keys equal, be it by its collation or by its operator class.  A class
 * is named only where there is such an index: else all are arbiters that the
 * columns have.
 */
static void
append_conflict_target(StringInfo sql, MSTarget *target, Relation rel)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		const MSKeyColumn *key = &target->keys[i];

		if (i > 0)
			appendStringInfoString(sql, ", ");
		if (key->expr != NULL)
			append_key(sql, target, rel, i);
		else
			appendStringInfoString(sql, column(rel, key->column.attno));
		if (OidIsValid(key->collation))
		{
			HeapTuple	tuple = SearchSysCache1(COLLOID,
												ObjectIdGetDatum(key->collation));
			Form_pg_collation form;

			if (!HeapTupleIsValid(tuple))
				elog(ERROR, "cache lookup failed for collation %u",
					 key->collation);
			form = (Form_pg_collation) GETSTRUCT(tuple);
			appendStringInfo(sql, " COLLATE %s",
							 quote_qualified_identifier(get_namespace_name(form->collnamespace),
														NameStr(form->collname)));
			ReleaseSysCache(tuple);
		}
		if (target->names_opclass)
		{
			Oid			opclass = get_index_column_opclass(target->index, i + 1);
			HeapTuple	tuple = SearchSysCache1(CLAOID,
												ObjectIdGetDatum(opclass));
			Form_pg_opclass form;

			if (!HeapTupleIsValid(tuple))
				elog(ERROR, "cache lookup failed for operator class %u",
					 opclass);
			form = (Form_pg_opclass) GETSTRUCT(tuple);
			appendStringInfo(sql, " %s",
							 quote_qualified_identifier(get_namespace_name(form->opcnamespace),
														NameStr(form->opcname)));
			ReleaseSysCache(tuple);
		}
	}
}

/* Is a key column one of the row that is inserted, or made of others there? */
static bool
is_inserted(const MSTarget *target, const MSKeyColumn *key)
{
	return key->expr == NULL &&
		!bms_is_member(key->column.attno, target->generated);
}

/* How many columns of the key are null, where null is none of its values. */
static void
append_null_keys(StringInfo sql, MSTarget *target, Relation rel)
{
	if (target->nulls)
	{
		appendStringInfoString(sql, "0");
		return;
	}
	appendStringInfoString(sql, "pg_catalog.num_nulls(");
	for (int i = 0; i < target->nkeys; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		append_key(sql, target, rel, i);
	}
	appendStringInfoChar(sql, ')');
}

/*
 * Is a row in the index of a special key, and has it the key that was searched?
 * Triggers, of partitions too, can give it another.
 */
static void
append_is_found(StringInfo sql, MSTarget *target, Relation rel, uint32 nulls)
{
	if (target->predicate != NULL)
		appendStringInfo(sql, ", ($%d) IS TRUE, ", PREDICATE_PARAM);
	else
		appendStringInfoString(sql, ", true, ");
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ||
		(rel->trigdesc != NULL && rel->trigdesc->trig_insert_before_row))
		appendStringInfoString(sql, "true");
	else
		append_keys_equal(sql, target, rel, nulls);
}

/*
 * Insert a row, or count the one that is met, unless limits judge: then that
 * one is locked, and stays as it is.  The last columns returned are how
 * many columns of the key a trigger has set to null; and, of a special key,
 * what append_is_found() tells.
 */
char *
ms_insert_sql(MSTarget *target, Relation rel, uint32 nulls,
			  const Bitmapset *others, const Bitmapset *defaulted,
			  MSJudged judged)
{
	LimitParams params = limit_params(target, others, judged);
	StringInfoData sql;
	StringInfoData values;
	int			param = last_param(target);
	int			attno = -1;

	initStringInfo(&sql);
	initStringInfo(&values);
	appendStringInfoString(&sql, "INSERT INTO ");
	appendStringInfo(&sql, "%s AS t (", target->name);
	for (int i = 0; i < target->nkeys; i++)
	{
		if (!is_inserted(target, &target->keys[i]))
			continue;
		appendStringInfo(&sql, "%s, ", column(rel, target->keys[i].column.attno));
		appendStringInfo(&values, "$%d, ", i + 1);
	}
	appendStringInfoString(&sql, column(rel, target->count));
	if (target->kind == MS_COUNT_COUNTER)
		appendStringInfo(&values, "missing_symbol.counted(NULL, $%d, $%d, $%d)",
						 by_param(target), first_param(target),
						 last_param(target));
	else
		appendStringInfo(&values, "$%d", by_param(target));
	if (target->first_seen != InvalidAttrNumber)
		appendStringInfo(&sql, ", %s", column(rel, target->first_seen));
	if (target->last_seen != InvalidAttrNumber)
		appendStringInfo(&sql, ", %s", column(rel, target->last_seen));
	/* one reading of the clock for both */
	if (target->first_seen != InvalidAttrNumber)
	{
		appendStringInfoString(&values, ", ");
		append_time(&values, target, &target->first_time,
					psprintf("COALESCE($%d, c.now)", first_param(target)));
	}
	if (target->last_seen != InvalidAttrNumber)
	{
		appendStringInfoString(&values, ", ");
		append_time(&values, target, &target->last_time,
					psprintf("COALESCE($%d, c.now)", last_param(target)));
	}
	if (params.window != 0)
	{
		appendStringInfo(&sql, ", %s", column(rel, target->limits.window));
		appendStringInfo(&values, ", $%d", params.window);
	}
	if (params.bucket != 0)
	{
		appendStringInfo(&sql, ", %s", column(rel, target->limits.bucket));
		appendStringInfo(&values, ", $%d", params.bucket);
	}
	while ((attno = bms_next_member(others, attno)) >= 0)
	{
		const MSMerged *merged = find_merged(target, attno);

		appendStringInfo(&sql, ", %s", column(rel, attno));
		appendStringInfoString(&values, ", ");
		param++;

		/* a sum that its type or domain has not seen */
		if (merged != NULL && merged->role == MS_ROLE_COUNT)
		{
			append_added(&values, "NULL", merged, param);
			appendStringInfo(&values, "::%s",
							 format_type_extended(merged->typid, -1,
												  FORMAT_TYPE_FORCE_QUALIFY));
		}
		else
			appendStringInfo(&values, "$%d", param);
	}
	for (int i = 1; i < target->ncounts; i++)
	{
		if (!bms_is_member(target->merged[i].attno, others))
		{
			appendStringInfo(&sql, ", %s",
							 column(rel, target->merged[i].attno));
			appendStringInfoString(&values, ", '0'");
		}
	}
	appendStringInfo(&sql, ") SELECT %s FROM (SELECT missing_symbol.clock() AS now OFFSET 0) AS c ON CONFLICT (",
					 values.data);
	append_conflict_target(&sql, target, rel);
	appendStringInfoChar(&sql, ')');
	if (target->predicate != NULL)
		appendStringInfo(&sql, " WHERE ($%d)", PREDICATE_PARAM);
	appendStringInfoString(&sql, " DO UPDATE SET ");
	append_assignments(&sql, target, rel, others, defaulted, &params);
	appendStringInfoString(&sql, " WHERE missing_symbol.reached(");
	if (judged != MS_NOT_JUDGED)
		appendStringInfoString(&sql, "false");	/* it is to be judged first */
	else
		append_throttle_condition(&sql, target, rel);
	appendStringInfoString(&sql, ") RETURNING ");
	append_counter_columns(&sql, target, rel);
	appendStringInfoString(&sql, ", ");
	append_null_keys(&sql, target, rel);
	if (target->special)
		append_is_found(&sql, target, rel, nulls);
	return sql.data;
}
