/*-------------------------------------------------------------------------
 *
 * gather.c
 *	  What there is to be told of a table's counters.
 *
 * Counters are read by total(), so they are exact, and as the caller, so he
 * sees what he may see.  Two statements, which name nothing but what is in
 * pg_catalog and the extension's schema: no search_path has a say.  Values
 * become text by the output functions of their types, never by casts, which
 * the owner of a type may have made.
 *
 * What is advised is a fact of the table, or of its size: 3 times what its
 * rows need, and a megabyte more.  Where row security hides rows from the
 * caller nothing is said of sizes and of what waits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "calls/calls.h"
#include "overview/overview_internal.h"
#include "target/acting.h"
#include "target/stored.h"
#include "target/target.h"

/* dead rows that are too many: more than autovacuum leaves by default */
#define MANY_DEAD		50
#define MANY_DEAD_SHARE	0.2

/* a table that is too large for its rows */
#define LARGE_TIMES		3
#define LARGE_MORE		(1024 * 1024)
#define ITEM_POINTER	4		/* of a row in its page */

/*
 * Counters
 */

static const char *
column_of(Relation rel, AttrNumber attno)
{
	return quote_identifier(ms_column_name(rel, attno));
}

/* what the count is ordered and compared by, and what it is shown as */
static void
count_expressions(const MSTarget *target, Relation rel, char **number,
				  char **shown)
{
	const char *count = column_of(rel, target->count);

	*shown = psprintf("t.%s", count);
	switch (target->kind)
	{
		case MS_COUNT_COUNTER:
			*shown = psprintf("missing_symbol.hits(t.%s)", count);
			*number = psprintf("%s::pg_catalog.numeric", *shown);
			break;
		case MS_COUNT_FLOAT4:
		case MS_COUNT_FLOAT8:
			*number = psprintf("%s::pg_catalog.float8", *shown);
			break;
		default:
			*number = psprintf("%s::pg_catalog.numeric", *shown);
	}
}

static char *
time_expression(const MSTarget *target, Relation rel, AttrNumber attno,
				const char *function)
{
	if (target->kind == MS_COUNT_COUNTER)
		return psprintf("missing_symbol.%s(t.%s)", function,
						column_of(rel, target->count));
	return attno == InvalidAttrNumber ? "NULL::pg_catalog.timestamptz" :
		psprintf("t.%s", column_of(rel, attno));
}

/* the first column of the key that is a date; 0: none */
static AttrNumber
day_column(const MSTarget *target)
{
	for (int i = 0; i < target->nargs; i++)
		if (getBaseType(target->args[i].typid) == DATEOID)
			return target->args[i].attno;
	return InvalidAttrNumber;
}

#define AS_TEXT(value) "CASE WHEN " value " IS NULL THEN NULL ELSE pg_catalog.format('%%s', " value ") END"

/*
 * Parts: 'all', one row; 'top', the most counted; 'day', the latest days.  Each
 * has: part, key, count, number to compare it by, first, last, bytes of a row.
 */
static char *
counters_sql(const MSTarget *target, Relation rel)
{
	AttrNumber	day = day_column(target);
	char	   *number;
	char	   *shown;
	StringInfoData sql;

	count_expressions(target, rel, &number, &shown);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "WITH c AS MATERIALIZED (SELECT ARRAY[");
	for (int i = 0; i < target->nargs; i++)
	{
		char	   *value = psprintf("t.%s", column_of(rel, target->args[i].attno));

		appendStringInfo(&sql, "%s" AS_TEXT("%s"), i > 0 ? ", " : "",
						 value, value);
	}
	appendStringInfo(&sql,
					 "]::pg_catalog.text[] AS key, %s AS shown, %s AS number,"
					 " %s AS first, %s AS last, %s AS day,"
					 " pg_catalog.pg_column_size(t.*) AS size"
					 " FROM missing_symbol.total($1) AS t)",
					 shown, number,
					 time_expression(target, rel, target->first_seen,
									 "first_seen"),
					 time_expression(target, rel, target->last_seen,
									 "last_seen"),
					 day == InvalidAttrNumber ? "NULL::pg_catalog.date" :
					 psprintf("t.%s::pg_catalog.date", column_of(rel, day)));
	appendStringInfo(&sql,
					 " SELECT 'all', NULL::pg_catalog.text[],"
					 " pg_catalog.format('%%s', pg_catalog.sum(c.shown)),"
					 " pg_catalog.format('%%s', pg_catalog.count(*)),"
					 " pg_catalog.format('%%s', pg_catalog.date_trunc('second', pg_catalog.min(c.first))),"
					 " pg_catalog.format('%%s', pg_catalog.date_trunc('second', pg_catalog.max(c.last))),"
					 " pg_catalog.avg(c.size)::pg_catalog.float8 FROM c"
					 " UNION ALL (SELECT 'top', c.key, " AS_TEXT("c.shown") ","
					 " pg_catalog.format('%%s', c.number),"
					 " pg_catalog.format('%%s', pg_catalog.date_trunc('second', c.first)),"
					 " pg_catalog.format('%%s', pg_catalog.date_trunc('second', c.last)),"
					 " NULL FROM c ORDER BY c.number DESC NULLS LAST,"
					 " c.key COLLATE pg_catalog.\"C\" LIMIT %d)"
					 " UNION ALL (SELECT 'day', ARRAY[pg_catalog.format('%%s', c.day)],"
					 " pg_catalog.format('%%s', pg_catalog.sum(c.shown)),"
					 " pg_catalog.format('%%s', pg_catalog.sum(c.number)),"
					 " pg_catalog.to_char(c.day, 'J'), NULL, NULL FROM c"
					 " WHERE pg_catalog.isfinite(c.day) GROUP BY c.day"
					 " ORDER BY c.day DESC LIMIT %d)",
					 MS_TOP, MS_DAYS);
	return sql.data;
}

/* a value of the latest row, copied; NULL: null, or an empty text */
static char *
value_of(uint64 row, int column, MemoryContext cxt)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row],
									 SPI_tuptable->tupdesc, column);

	return value == NULL || *value == '\0' ? NULL :
		MemoryContextStrdup(cxt, value);
}

/* the same as a number, which may be beyond all bounds or none */
static double
number_of(uint64 row, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row],
									 SPI_tuptable->tupdesc, column);

	return value == NULL ? 0 : strtod(value, NULL);
}

static double
share_of(double number, double most)
{
	double		share = most > 0 ? number / most : 0;

	return share >= 0 && share <= 1 ? share : share > 1 ? 1 : 0;
}

static char **
key_of(uint64 row, MemoryContext cxt)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	bool		isnull;
	Datum		array = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, 2, &isnull);
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	char	  **key;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &elems, &nulls, &n);
	key = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		key[i] = nulls[i] ? NULL : TextDatumGetCString(elems[i]);
	MemoryContextSwitchTo(oldcxt);
	return key;
}

static void
take_top(MSOverview *o, uint64 row, double most, MemoryContext cxt)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	MSTopCounter *top = palloc(sizeof(MSTopCounter));

	top->key = key_of(row, cxt);
	top->count = value_of(row, 3, cxt);
	top->share = share_of(number_of(row, 4), most);
	top->first = value_of(row, 5, cxt);
	top->last = value_of(row, 6, cxt);
	o->top = lappend(o->top, top);
	MemoryContextSwitchTo(oldcxt);
}

/* the latest comes first */
static void
take_day(MSOverview *o, uint64 row, double most, MemoryContext cxt)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	MSDay	   *day = palloc(sizeof(MSDay));

	day->day = key_of(row, cxt)[0];
	day->count = value_of(row, 3, cxt);
	day->share = share_of(number_of(row, 4), most);
	day->number = (int) number_of(row, 5);
	o->days = lcons(day, o->days);
	MemoryContextSwitchTo(oldcxt);
}

static char
part_of(uint64 row)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1)[0];
}

/* row_size: bytes of a row, on an average */
static void
read_counters(MSOverview *o, MSTarget *target, Relation rel, double *row_size,
			  MemoryContext cxt)
{
	Oid			type = rel->rd_rel->reltype;
	Datum		value = (Datum) 0;
	double		most[2] = {0, 0};	/* of top, of days */

	if (SPI_execute_with_args(counters_sql(target, rel), 1, &type, &value, "n",
							  true, 0) != SPI_OK_SELECT)
		elog(ERROR, "counters could not be read");
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		double	   *of = &most[part_of(row) == 'd'];

		if (part_of(row) != 'a')
			*of = Max(*of, number_of(row, 4));
	}
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		CHECK_FOR_INTERRUPTS();
		switch (part_of(row))
		{
			case 'a':
				o->total = value_of(row, 3, cxt);
				o->counters = value_of(row, 4, cxt);
				o->first = value_of(row, 5, cxt);
				o->last = value_of(row, 6, cxt);
				*row_size = number_of(row, 7);
				break;
			case 't':
				take_top(o, row, most[0], cxt);
				break;
			default:
				take_day(o, row, most[1], cxt);
		}
	}
}

/*
 * What waits
 */

static int64
count_deltas(MSStore store, Oid relid, int64 *errors)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol overview",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	MSSpillScan *scan = ms_spill_begin(store, relid, GetActiveSnapshot(), NULL,
									   NULL);
	MemoryContext each = AllocSetContextCreate(cxt,
											   "missing_symbol overview delta",
											   ALLOCSET_DEFAULT_SIZES);
	MSSpilled  *delta;
	int64		n = 0;

	MemoryContextSwitchTo(each);
	while ((delta = ms_spill_next(scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		n++;
		if (delta->error != NULL)
			(*errors)++;
		MemoryContextReset(each);
	}
	MemoryContextSwitchTo(cxt);
	ms_spill_end(scan);
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(cxt);
	return n;
}

static void
read_waiting(MSOverview *o, const MSTarget *target)
{
	o->waiting_known = true;
	o->spilled = count_deltas(MS_STORE_SPILLED, target->relid, &o->errors);
	o->buffered = count_deltas(MS_STORE_BUFFERED, target->relid, &o->errors);
}

/*
 * Storage
 */

/* those that have rows: the table, or its partitions */
static Datum
stored_tables(Oid relid)
{
	List	   *all = find_all_inheritors(relid, NoLock, NULL);
	Datum	   *elems = palloc(sizeof(Datum) * list_length(all));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, all)
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION)
			elems[n++] = ObjectIdGetDatum(lfirst_oid(lc));
	return PointerGetDatum(construct_array(elems, n, OIDOID, sizeof(Oid), true,
										   TYPALIGN_INT));
}

static void
read_storage(MSOverview *o, const MSTarget *target, MemoryContext cxt)
{
	Oid			type = OIDARRAYOID;
	Datum		tables = stored_tables(target->relid);

	if (SPI_execute_with_args("SELECT pg_catalog.sum(pg_catalog.pg_stat_get_tuples_updated(i)),"
							  " pg_catalog.sum(pg_catalog.pg_stat_get_tuples_hot_updated(i)),"
							  " pg_catalog.sum(pg_catalog.pg_stat_get_live_tuples(i)),"
							  " pg_catalog.sum(pg_catalog.pg_stat_get_dead_tuples(i)),"
							  " pg_catalog.sum(pg_catalog.pg_relation_size(i::pg_catalog.regclass, 'main')),"
							  " pg_catalog.pg_size_pretty(pg_catalog.sum(pg_catalog.pg_table_size(i::pg_catalog.regclass))),"
							  " pg_catalog.pg_size_pretty(pg_catalog.sum(pg_catalog.pg_total_relation_size(i::pg_catalog.regclass)))"
							  " FROM pg_catalog.unnest($1) AS i (i)",
							  1, &type, &tables, NULL, true, 0) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "storage could not be read");
	o->updates = (int64) number_of(0, 1);
	o->hot = (int64) number_of(0, 2);
	o->live = (int64) number_of(0, 3);
	o->dead = (int64) number_of(0, 4);
	o->heap = (int64) number_of(0, 5);
	o->size = value_of(0, 6, cxt);
	o->size_all = value_of(0, 7, cxt);
}

/* is the file much larger than its rows? */
static bool
is_bloated(const MSOverview *o, Relation rel, double row_size)
{
	double		rows = strtod(o->counters, NULL);
	double		needed = rows * (MAXALIGN((int) row_size) + ITEM_POINTER) *
		100 / RelationGetFillFactor(rel, HEAP_DEFAULT_FILLFACTOR);

	return rel->rd_rel->relkind == RELKIND_RELATION &&
		o->heap > needed * LARGE_TIMES + LARGE_MORE;
}

static void
advise(MSOverview *o, MSTarget *target, Relation rel, double row_size)
{
	o->remedies = list_concat(ms_hot_obstacles(target, rel),
							  ms_default_obstacles(target, rel));
	if (o->dead > MANY_DEAD + o->live * MANY_DEAD_SHARE)
		o->remedies = ms_add_obstacle(o->remedies,
									  psprintf(INT64_FORMAT " dead rows, beside " INT64_FORMAT " that are live",
											   o->dead, o->live),
									  "Autovacuum has not come to it: a long transaction may keep them, or its settings.",
									  psprintf("VACUUM (ANALYZE) %s;", o->table));
	else if (o->waiting_known && is_bloated(o, rel, row_size))
		o->remedies = ms_add_obstacle(o->remedies,
									  psprintf("the table has %s, and its rows need less than a third",
											   o->size),
									  "Room that nobody uses is read by every scan. To give it back locks the table while it is written anew.",
									  psprintf("VACUUM FULL %s;", o->table));
	if (o->waiting_known && o->spilled > 0)
		o->remedies = ms_add_obstacle(o->remedies,
									  psprintf(INT64_FORMAT " increments are spilled, " INT64_FORMAT " of them with an error",
											   o->spilled, o->errors),
									  "They are in no row yet; an error says why.",
									  psprintf("SELECT missing_symbol.fold(%s);",
											   quote_literal_cstr(o->table)));
}

static void
read_session(MSOverview *o, const MSTarget *target)
{
	HTAB	   *tallies = ms_tally_all();
	MSTally    *entry = tallies == NULL ? NULL :
		hash_search(tallies, &target->relid, HASH_FIND, NULL);

	if (entry == NULL)
		return;
	o->counted = true;
	o->tally = *entry;
	o->hint = ms_stats_hint(entry, target->name);
}

static Datum
gather(MSTarget *target, Relation rel, void *arg)
{
	MemoryContext cxt = CurrentMemoryContext;
	MSOverview *o = palloc0(sizeof(MSOverview));
	AttrNumber	day = day_column(target);
	double		row_size = 0;

	ms_target_refuse_view(target);
	o->table = pstrdup(target->name);
	o->nkeys = target->nargs;
	o->keys = palloc(sizeof(char *) * Max(o->nkeys, 1));
	for (int i = 0; i < o->nkeys; i++)
		o->keys[i] = pstrdup(ms_column_name(rel, target->args[i].attno));
	if (day != InvalidAttrNumber)
		o->day_column = pstrdup(ms_column_name(rel, day));
	o->apply = ms_apply_name(target);
	o->spill = target->spill;
	o->reason = ms_general_reason(target, rel);
	o->path = o->reason == NULL ? "fast" : "general";
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	read_counters(o, target, rel, &row_size, cxt);
	read_storage(o, target, cxt);
	SPI_finish();
	if (!ms_row_security_applies(target, InvalidOid))
		read_waiting(o, target);
	advise(o, target, rel, row_size);
	read_session(o, target);
	return PointerGetDatum(o);
}

MSOverview *
ms_overview(Oid relid)
{
	Relation	rel;
	MSTarget   *target = ms_target_open(relid, AccessShareLock, &rel);

	return (MSOverview *) DatumGetPointer(ms_look_at(target, rel, gather, NULL));
}
