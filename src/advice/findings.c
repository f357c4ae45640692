/*-------------------------------------------------------------------------
 *
 * findings.c
 *	  Facts of executed plans become findings: what was wrong, and the
 *	  statement that fixes it.
 *
 * The catalog is read here and not while the facts were collected, so it may
 * have changed: a finding about a table that is gone, or that has its index
 * by now, is none.  Tables are locked only where nobody has to be waited
 * for; where that fails the finding comes without a suggestion.
 *
 * A suggestion is given where there is a good reason to believe that it
 * helps; else it is NULL, and "why" says what is known.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "statistics/statistics.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/advice_internal.h"

/* more memory than this is no advice */
#define MAX_WORK_MEM_MB		1024

/* vacuumed: so many of the pages have visible rows only */
#define VISIBLE_SHARE		0.75

/* foreign keys are checked row by row: all of them count */
#define FK_CHECKS_ROWS		10000

static const char *const kind_names[] = {
	[MS_SEQ_SCAN_DISCARDS] = "seq_scan_discards",
	[MS_INDEX_SCAN_DISCARDS] = "index_scan_discards",
	[MS_SORT_SPILLED] = "sort_spilled",
	[MS_HASH_SPILLED] = "hash_spilled",
	[MS_TEMP_SPILLED] = "temp_spilled",
	[MS_ROW_ESTIMATE_OFF] = "row_estimate_off",
	[MS_NESTED_SEQ_SCAN] = "nested_seq_scan",
	[MS_LOSSY_BITMAP] = "lossy_bitmap",
	[MS_MISSING_FK_INDEX] = "missing_fk_index",
	[MS_SORT_DISCARDS] = "sort_discards",
	[MS_HEAP_FETCHES] = "heap_fetches",
	[MS_BRIN_RECHECKS] = "brin_rechecks",
	[MS_JIT_COST] = "jit_cost",
};

/*
 * Relations
 */

static bool
is_gone(int cache, Oid oid)
{
	return !SearchSysCacheExists1(cache, ObjectIdGetDatum(oid));
}

static bool
function_is_gone(Oid funcid, void *context)
{
	return is_gone(PROCOID, funcid);
}

static bool
column_has_changed(Var *var, Relation rel)
{
	Form_pg_attribute att;

	if (var->varattno <= 0)
		return false;
	if (var->varattno > RelationGetNumberOfAttributes(rel))
		return true;
	att = TupleDescAttr(RelationGetDescr(rel), var->varattno - 1);
	return att->attisdropped || att->atttypid != var->vartype ||
		att->attcollation != var->varcollid;
}

/* that by which it compares, or which it gives something */
static bool
collation_is_gone(Node *node)
{
	Oid			collation = IsA(node, RelabelType) ?
		((RelabelType *) node)->resultcollid : exprInputCollation(node);

	return OidIsValid(collation) && is_gone(COLLOID, collation);
}

/* of an enum: no command removes one of its values, but whoever owns pg_enum */
static bool
value_is_gone(const Const *value)
{
	Oid			type = value->consttype;
	Oid			elem;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	if (value->constisnull || type < FirstNormalObjectId)
		return false;
	type = getBaseType(type);
	elem = get_element_type(type);
	if (!OidIsValid(elem))
		return get_typtype(type) == TYPTYPE_ENUM &&
			is_gone(ENUMOID, DatumGetObjectId(value->constvalue));
	if (get_typtype(getBaseType(elem)) != TYPTYPE_ENUM)
		return false;
	deconstruct_array(DatumGetArrayTypeP(value->constvalue), elem,
					  sizeof(Oid), true, TYPALIGN_INT, &values, &nulls, &n);
	while (n-- > 0)
		if (!nulls[n] && is_gone(ENUMOID, DatumGetObjectId(values[n])))
			return true;
	return false;
}

/* is anything that the clauses name no longer as it was? */
static bool
has_changed(Node *node, Relation rel)
{
	if (node == NULL)
		return false;
	if (collation_is_gone(node))
		return true;
	switch (nodeTag(node))
	{
		case T_Var:
			return column_has_changed((Var *) node, rel);
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (is_gone(OPEROID, ((OpExpr *) node)->opno))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (is_gone(OPEROID, ((ScalarArrayOpExpr *) node)->opno))
				return true;
			break;
		case T_Const:
			return is_gone(TYPEOID, exprType(node)) ||
				value_is_gone((Const *) node);
		case T_Param:
		case T_FuncExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_CoerceToDomain:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_CaseExpr:
			if (is_gone(TYPEOID, exprType(node)))
				return true;
			break;
		default:
			break;
	}
	return check_functions_in_node(node, function_is_gone, NULL) ||
		expression_tree_walker(node, has_changed, (void *) rel);
}

/*
 * Scans: an index
 */

/* is there a foreign key of just these columns? */
static bool
is_foreign_key(Relation rel, const MSFact *fact)
{
	Bitmapset  *attnos = NULL;
	ListCell   *lc;

	pull_varattnos((Node *) fact->clauses, 1, &attnos);
	foreach(lc, RelationGetFKeyList(rel))
	{
		ForeignKeyCacheInfo *fk = lfirst(lc);
		Bitmapset  *key = NULL;
		int			i;

		for (i = 0; i < fk->nkeys; i++)
			key = bms_add_member(key, fk->conkey[i] -
								 FirstLowInvalidHeapAttributeNumber);
		if (bms_equal(attnos, key))
			return true;
	}
	return false;
}

static const char *
discards_why(const MSFact *fact)
{
	char	   *index;

	switch (fact->kind)
	{
		case MS_SORT_DISCARDS:
			return "many rows are read and sorted, and only the first of them wanted";
		case MS_SEQ_SCAN_DISCARDS:
			return "the whole table is read, and most of it thrown away";
		case MS_NESTED_SEQ_SCAN:
			return "the whole table is read again for each row of something else, and most of it thrown away";
		case MS_MISSING_FK_INDEX:
			return "to delete or update a row that may be referred to, the whole table is searched for references";
		default:
			index = OidIsValid(fact->index) ? get_rel_name(fact->index) : NULL;
			return index == NULL ?
				"most rows that indexes find are read and thrown away" :
				psprintf("most rows that index %s finds are read and thrown away",
						 quote_identifier(index));
	}
}

static bool
find_index(MSFinding *finding, Relation rel)
{
	const MSFact *fact = finding->fact;
	const char *why = discards_why(fact);
	MSAdvice	advice;

	if (fact->kind == MS_MISSING_FK_INDEX && !is_foreign_key(rel, fact))
		return false;
	ms_advise(rel, fact, &advice);

	/* a sort that no index spares is as it has to be */
	if (advice.solved ||
		(fact->kind == MS_SORT_DISCARDS && advice.remedy == NULL))
		return false;
	finding->why = advice.why == NULL ? pstrdup(why) :
		psprintf("%s; %s", why, advice.why);
	finding->cost_before = advice.cost_before;
	if (advice.remedy == NULL)
		return true;
	finding->columns = ms_remedy_columns(advice.remedy, rel);
	finding->suggestion = ms_remedy_ddl(advice.remedy, rel,
										finding->relation);
	finding->remedy = advice.remedy;
	finding->proved = advice.proved;
	finding->cost_after = advice.cost_after;
	return true;
}

/* pages of which all rows are visible need no look into the table */
static bool
find_heap_fetches(MSFinding *finding, Relation rel)
{
	Form_pg_class form = rel->rd_rel;

	if (form->relallvisible >= form->relpages * VISIBLE_SHARE)
		return false;
	finding->suggestion = psprintf("VACUUM %s", finding->relation);
	finding->why = pstrdup("an index-only scan looks into the table for most of its rows: only VACUUM tells which of its pages have none but visible ones");
	return true;
}

static void
find_rechecks(MSFinding *finding)
{
	char	   *index = ms_qualified_name(finding->fact->index);

	finding->why = psprintf("BRIN index%s%s finds ranges of pages, of which most rows are thrown away: a smaller pages_per_range makes them shorter where values follow the order of the rows, else it is of no use",
							index ? " " : "", index ? index : "");
}

/*
 * Memory
 */

static void
find_memory(MSFinding *finding, const char *what)
{
	const MSFact *fact = finding->fact;
	double		mb = ceil(fact->memory / 1024);

	if (mb <= 0)
		finding->why = psprintf("%s did not fit into work_mem", what);
	else if (mb <= MAX_WORK_MEM_MB)
	{
		finding->suggestion = psprintf("SET work_mem = '%.0fMB'", mb);
		finding->why = psprintf("%s did not fit into work_mem", what);
	}
	else
		finding->why = psprintf("%s did not fit into work_mem; %.0f MB would hold it, which is much for one statement",
								what, mb);
}

/*
 * Estimates
 */

static bool
contains_external_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXTERN;
	return expression_tree_walker(node, contains_external_param, context);
}

/* has ANALYZE been there since the statement ran, by itself or called? */
static bool
is_analyzed_since(Relation rel, const MSFact *fact)
{
	static const Oid times[] = {F_PG_STAT_GET_LAST_ANALYZE_TIME,
	F_PG_STAT_GET_LAST_AUTOANALYZE_TIME};

	for (int i = 0; i < lengthof(times); i++)
	{
		LOCAL_FCINFO(fcinfo, 1);
		FmgrInfo	function;
		Datum		analyzed;

		fmgr_info(times[i], &function);
		InitFunctionCallInfoData(*fcinfo, &function, 1, InvalidOid, NULL, NULL);
		fcinfo->args[0].value = ObjectIdGetDatum(RelationGetRelid(rel));
		fcinfo->args[0].isnull = false;
		analyzed = FunctionCallInvoke(fcinfo);
		if (!fcinfo->isnull && DatumGetTimestampTz(analyzed) > fact->seen)
			return true;
	}
	return false;
}

/* has somebody made statistics of these columns together? */
static bool
has_extended_statistics(Relation rel, Bitmapset *attnos)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, RelationGetStatExtList(rel))
	{
		HeapTuple	tuple = SearchSysCache1(STATEXTOID,
											ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_statistic_ext form;
		Bitmapset  *keys = NULL;
		int			i;

		if (!HeapTupleIsValid(tuple))
			continue;
		form = (Form_pg_statistic_ext) GETSTRUCT(tuple);
		for (i = 0; i < form->stxkeys.dim1; i++)
			keys = bms_add_member(keys, form->stxkeys.values[i] -
								  FirstLowInvalidHeapAttributeNumber);
		found = found || bms_is_subset(attnos, keys);
		ReleaseSysCache(tuple);
	}
	return found;
}

/* CREATE STATISTICS wants a name before 16 */
static char *
statistics_name(Relation rel, List *columns)
{
	char	   *schema = get_namespace_name(RelationGetNamespace(rel));
	char	   *name;
	List	   *list;
	char		label[32] = "stats";
	int			i = 0;

	for (;;)
	{
		name = makeObjectName(RelationGetRelationName(rel),
							  linitial(columns), label);
		list = list_make2(makeString(schema), makeString(name));
		if (!OidIsValid(get_statistics_object_oid(list, true)))
			return quote_qualified_identifier(schema, name);
		snprintf(label, sizeof(label), "stats%d", ++i);
	}
}

/* would statistics of several columns know of this condition? */
static bool
is_about_one_value(Node *clause)
{
	if (IsA(clause, OpExpr))
		return get_oprrest(((OpExpr *) clause)->opno) == F_EQSEL;
	if (IsA(clause, ScalarArrayOpExpr))
		return get_oprrest(((ScalarArrayOpExpr *) clause)->opno) == F_EQSEL;
	if (is_notclause(clause))
		clause = (Node *) get_notclausearg((Expr *) clause);
	return IsA(clause, Var) || IsA(clause, NullTest);
}

/* CREATE STATISTICS wants values that have an order */
static bool
may_have_statistics(Relation rel, AttrNumber attno)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

	return !ms_is_virtual(rel, attno) &&
		OidIsValid(lookup_type_cache(att->atttypid,
									 TYPECACHE_LT_OPR)->lt_opr);
}

static Bitmapset *
correlated_columns(Relation rel, const MSFact *fact)
{
	Bitmapset  *columns = NULL;
	ListCell   *lc;

	foreach(lc, fact->clauses)
	{
		Bitmapset  *attnos = NULL;
		int			attno;

		pull_varattnos(lfirst(lc), 1, &attnos);
		if (is_about_one_value(lfirst(lc)) &&
			bms_get_singleton_member(attnos, &attno) &&
			attno > -FirstLowInvalidHeapAttributeNumber &&
			may_have_statistics(rel, attno +
								FirstLowInvalidHeapAttributeNumber) &&
			bms_num_members(columns) < STATS_MAX_DIMENSIONS)
			columns = bms_add_members(columns, attnos);
	}
	return columns;
}

/* the names of columns */
static List *
column_names(Relation rel, Bitmapset *attnos)
{
	List	   *names = NIL;
	int			i = -1;

	while ((i = bms_next_member(attnos, i)) >= 0)
	{
		AttrNumber	attno = i + FirstLowInvalidHeapAttributeNumber;

		if (attno > 0)
			names = lappend(names, get_attname(RelationGetRelid(rel), attno,
											   false));
	}
	return names;
}

static char *
statistics_ddl(MSFinding *finding, Relation rel, Bitmapset *columns)
{
	List	   *names = column_names(rel, columns);
	const char *separator = "";
	StringInfoData ddl;
	ListCell   *lc;

	initStringInfo(&ddl);
	appendStringInfo(&ddl, "CREATE STATISTICS %s ON ",
					 statistics_name(rel, names));
	foreach(lc, names)
	{
		appendStringInfo(&ddl, "%s%s", separator, quote_identifier(lfirst(lc)));
		separator = ", ";
	}
	appendStringInfo(&ddl, " FROM %s; ANALYZE %s", finding->relation,
					 finding->relation);
	return ddl.data;
}

/* why it was off, with a suggestion; NULL where nothing is known */
static const char *
find_reason(MSFinding *finding, Relation rel)
{
	const MSFact *fact = finding->fact;
	Bitmapset  *attnos = NULL;
	Bitmapset  *correlated = correlated_columns(rel, fact);
	bool		analyzed_since = is_analyzed_since(rel, fact);

	pull_varattnos((Node *) fact->clauses, 1, &attnos);
	finding->columns = column_names(rel, attnos);
	if (ms_lacks_statistics(rel, attnos))
	{
		finding->suggestion = psprintf("ANALYZE %s", finding->relation);
		return "it has no statistics yet";
	}
	if (!analyzed_since && (ms_has_grown(rel) || fact->clauses == NIL))
	{
		finding->suggestion = psprintf("ANALYZE %s", finding->relation);
		return "it is of another size than when it was analyzed";
	}
	if (contains_external_param((Node *) fact->clauses, NULL))
	{
		finding->suggestion = pstrdup("SET plan_cache_mode = force_custom_plan");
		return "a generic plan does not know its parameters";
	}
	if (bms_num_members(correlated) > 1 &&
		!has_extended_statistics(rel, correlated))
	{
		finding->suggestion = statistics_ddl(finding, rel, correlated);
		return "columns that go together are taken for independent";
	}
	if (analyzed_since)
		return "it has been analyzed since";
	if (ms_is_counted_stale(rel))
	{
		finding->suggestion = psprintf("ANALYZE %s", finding->relation);
		return "the server counts many of its rows as changed since it was analyzed";
	}
	return NULL;
}

static void
find_estimate(MSFinding *finding, Relation rel)
{
	const MSFact *fact = finding->fact;
	const char *reason = rel != NULL ? find_reason(finding, rel) : NULL;

	finding->ratio = fact->actual / Max(fact->expected, 1);
	finding->why = psprintf("%.0f rows were expected and %.0f came%s%s",
							fact->expected, fact->actual, reason ? "; " : "",
							reason ? reason : "");
}

/*
 * Findings
 */

static const char *
spilling_node(const MSFact *fact)
{
	return fact->kind == MS_SORT_SPILLED ? "a sort" :
		fact->kind == MS_TEMP_SPILLED ?
		"what a CTE, a cursor, a window or a function keeps aside" :
		fact->tag == T_Agg ? "the groups of a hash aggregate" :
		"the table of a hash join";
}

/* false: there is nothing to be found */
static bool
make_finding(MSFinding *finding, Relation rel)
{
	switch (finding->fact->kind)
	{
		case MS_SEQ_SCAN_DISCARDS:
		case MS_INDEX_SCAN_DISCARDS:
		case MS_NESTED_SEQ_SCAN:
		case MS_MISSING_FK_INDEX:
		case MS_SORT_DISCARDS:
			return find_index(finding, rel);
		case MS_HEAP_FETCHES:
			return find_heap_fetches(finding, rel);
		case MS_BRIN_RECHECKS:
			find_rechecks(finding);
			return true;
		case MS_JIT_COST:
			finding->suggestion = pstrdup("SET jit = off");
			finding->why = psprintf("to compile it took %.1f ms of %.1f ms: jit_above_cost is too low for it",
									finding->fact->expected,
									finding->fact->actual);
			return true;
		case MS_SORT_SPILLED:
		case MS_HASH_SPILLED:
		case MS_TEMP_SPILLED:
			find_memory(finding, spilling_node(finding->fact));
			return true;
		case MS_LOSSY_BITMAP:
			find_memory(finding, "a bitmap of row places");
			return true;
		case MS_ROW_ESTIMATE_OFF:
			find_estimate(finding, rel);
			return true;
	}
	return false;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static MSFinding *
find_duplicate(List *findings, const MSFinding *finding)
{
	ListCell   *lc;

	foreach(lc, findings)
	{
		MSFinding  *other = lfirst(lc);

		if (other->fact->kind == finding->fact->kind &&
			other->fact->shape == finding->fact->shape &&
			other->fact->userid == finding->fact->userid &&
			other->fact->toplevel == finding->fact->toplevel &&
			same_text(other->relation, finding->relation) &&
			same_text(other->suggestion, finding->suggestion) &&
			same_text(other->why, finding->why))
			return other;
	}
	return NULL;
}

static List *
add_finding(List *findings, MSFinding *finding)
{
	const MSFact *fact = finding->fact;
	MSFinding  *same = find_duplicate(findings, finding);

	if (same == NULL)
	{
		finding->times = fact->times;
		finding->rows_read = fact->rows_read;
		finding->rows_discarded = fact->rows_discarded;
		return lappend(findings, finding);
	}
	same->times = Max(same->times, fact->times);
	same->rows_read += fact->rows_read;
	same->rows_discarded += Max(fact->rows_discarded, 0);
	return findings;
}

static List *
consider(List *findings, const MSFact *fact)
{
	MSFinding  *finding = palloc0(sizeof(MSFinding));
	Relation	rel = NULL;
	bool		found = true;

	finding->fact = fact;
	finding->kind = kind_names[fact->kind];
	finding->ratio = -1;
	if (OidIsValid(fact->relid))
	{
		/* an index is for all partitions, statistics are of each */
		finding->relation = ms_qualified_name(MS_DISCARDS(fact->kind) ?
											  ms_topmost(fact->relid) :
											  fact->relid);
		if (finding->relation == NULL)
			return findings;
		rel = ms_open_without_waiting(fact->relid);
	}
	if (OidIsValid(fact->relid) && rel == NULL)
		finding->why = pstrdup("its table is locked, so nothing can be said of it now");
	else
		found = !has_changed((Node *) fact->clauses, rel) &&
			!has_changed((Node *) fact->order, rel) &&
			make_finding(finding, rel);
	if (rel != NULL)
		relation_close(rel, AccessShareLock);
	return found ? add_finding(findings, finding) : findings;
}

List *
ms_findings(List *facts)
{
	List	   *findings = NIL;
	List	   *result = NIL;
	int			nestlevel;
	ListCell   *lc;

	if (facts == NIL)
		return NIL;

	/* names are qualified, so that suggestions are good for any search_path */
	nestlevel = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	ms_advice_begin();
	foreach(lc, facts)
	{
		CHECK_FOR_INTERRUPTS();
		findings = consider(findings, lfirst(lc));
	}
	AtEOXact_GUC(false, nestlevel);
	foreach(lc, findings)
	{
		MSFinding  *finding = lfirst(lc);

		if (MS_DISCARDS(finding->fact->kind) ||
			finding->fact->kind == MS_LOSSY_BITMAP)
			finding->ratio = finding->rows_read > 0 ?
				finding->rows_discarded / finding->rows_read : 0;
		if (finding->fact->kind != MS_MISSING_FK_INDEX ||
			finding->rows_read >= FK_CHECKS_ROWS)
			result = lappend(result, finding);
	}
	return result;
}
