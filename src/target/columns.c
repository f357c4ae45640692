/*-------------------------------------------------------------------------
 *
 * columns.c
 *	  What a table tells of its counter: the column that counts, those of its
 *	  times, the columns to fill; and what track() said where that does not
 *	  serve.  What configure() said of other columns whose values merge.
 *
 * What release 1.1 could infer is inferred as it did: its names, of its types.
 * Only where it could not (it found no count column, or a customary name of
 * another type) are there more types and more names: its own names first, the
 * others where none of them serves.  So no table counts otherwise than before.
 *
 * A column of a customary name and another type is no error: it is left alone,
 * and describe() says so.  Where a table is ambiguous the error names the
 * candidates and the call of track() that settles it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "table/table.h"
#include "target/target.h"
#include "target/target_internal.h"

/* a part that a column can play, and the names that are customary for it */
typedef struct Part
{
	const char *name;			/* the argument of track() */
	const char *types;			/* for a message */
	bool		(*right_type) (Oid type);
	bool		(*type_before) (Oid type);	/* of release 1.1 */
	const char *const *names;	/* of release 1.1 */
	const char *const *more;
} Part;

static const char *const counts[] = {"count", "hits", NULL};
static const char *const firsts[] = {"created_at", "first_seen", NULL};
static const char *const lasts[] = {"modified_at", "last_seen", NULL};

/* an asterisk: any beginning */
static const char *const more_counts[] = {"views", "total", "n", "*_count", NULL};
static const char *const more_firsts[] = {"inserted_at", "first_seen_at", NULL};
static const char *const more_lasts[] = {"updated_at", "last_seen_at", NULL};

/* they tell when a row was changed, not only when it was counted */
static const char *const of_any_change[] = {"updated_at", "modified_at", NULL};

/* The OID of type missing_symbol.counter. */
static Oid
counter_type(void)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum("counter"),
						   ObjectIdGetDatum(ms_schema()));
}

/* The kind of a count column; false where its type cannot count. */
static bool
count_kind(Oid type, MSCountKind *kind)
{
	if (ms_count_kind(type, kind))
		return true;
	*kind = MS_COUNT_COUNTER;
	return type == counter_type();
}

/* What is counted alone, or inferred. */
static bool
can_count(Oid type)
{
	MSCountKind kind;

	return count_kind(getBaseType(type), &kind) && kind <= MS_COUNT_COUNTER;
}

/* The first of several, to which a bigint is added. */
static bool
can_be_first(Oid type)
{
	MSCountKind kind;

	return count_kind(getBaseType(type), &kind) && kind <= MS_COUNT_FLOAT8;
}

/* One of the others: values of it are given. */
static bool
can_be_added(Oid type)
{
	MSCountKind kind;

	return count_kind(getBaseType(type), &kind) && kind != MS_COUNT_COUNTER;
}

static bool
is_timestamptz(Oid type)
{
	return type == TIMESTAMPTZOID;
}

static bool
is_time(Oid type)
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID;
}

static const Part count_part = {
	"count", "smallint, integer, bigint, numeric or missing_symbol.counter",
	can_count, can_count, counts, more_counts
};

static const Part first_part = {
	"first_seen", "timestamp with time zone or timestamp without time zone",
	is_time, is_timestamptz, firsts, more_firsts
};

static const Part last_part = {
	"last_seen", "timestamp with time zone or timestamp without time zone",
	is_time, is_timestamptz, lasts, more_lasts
};

static Form_pg_attribute
attribute(Relation rel, AttrNumber attno)
{
	return TupleDescAttr(RelationGetDescr(rel), attno - 1);
}

/* Is a name one of a list? */
static bool
is_named(const char *name, const char *const names[])
{
	for (int i = 0; names[i] != NULL; i++)
	{
		const char *end = names[i] + 1;

		if (strcmp(name, names[i]) == 0 ||
			(names[i][0] == '*' && strlen(name) > strlen(end) &&
			 strcmp(name + strlen(name) - strlen(end), end) == 0))
			return true;
	}
	return false;
}

/* "'{a,b}'": the key as track() wants it, in the order of key values */
static const char *
key_literal(const MSTarget *target, Relation rel)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int arg = 0; arg < target->nargs; arg++)
		appendStringInfo(&buf, "%s%s", arg > 0 ? "," : "{",
						 quote_identifier(ms_column_name(rel,
														 target->args[arg].attno)));
	appendStringInfoChar(&buf, '}');
	return quote_literal_cstr(buf.data);
}

static void
ambiguous(const MSTarget *target, Relation rel, const Part *part,
		  AttrNumber a, AttrNumber b)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_COLUMN),
			 errmsg("the %s column of table %s is ambiguous",
					part->name, target->name),
			 errdetail("Columns \"%s\" and \"%s\" qualify.",
					   ms_column_name(rel, a), ms_column_name(rel, b)),
			 part == &count_part ?
			 errhint("Say which one counts: SELECT missing_symbol.track(%s, key => %s, count => %s).",
					 quote_literal_cstr(target->name), key_literal(target, rel),
					 quote_literal_cstr(ms_column_name(rel, b))) :
			 errhint("Say which one it is: SELECT missing_symbol.track(%s, %s => %s).",
					 quote_literal_cstr(target->name), part->name,
					 quote_literal_cstr(ms_column_name(rel, b)))));
}

/* The column that track() named for a part, which must be fit for it. */
static AttrNumber
named_column(const MSTarget *target, Relation rel, const Part *part,
			 const char *name)
{
	AttrNumber	attno = ms_tracked_column(target, rel, name, part->name);
	Form_pg_attribute att = attribute(rel, attno);

	if (ms_is_database_filled(att))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("column \"%s\" of table %s cannot be its %s column: the database fills it",
						name, target->name, part->name),
				 errdetail("It is a generated column, or GENERATED ALWAYS AS IDENTITY%s.",
						   target->view != NULL ? ", or an expression of the view" : ""),
				 errhint("Name a column that can be updated%s: SELECT missing_symbol.track(%s, %s => ...).",
						 part != &count_part ? " (or '' for none)" : "",
						 quote_literal_cstr(target->name), part->name)));
	if (!part->right_type(att->atttypid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table %s cannot be its %s column: it is of type %s",
						name, target->name, part->name,
						format_type_be(att->atttypid)),
				 errdetail("Its type must be %s.", part->types),
				 errhint("Change the column's type, or name another column%s: SELECT missing_symbol.track(%s, %s => ...).",
						 part != &count_part ? " (or '' for none)" : "",
						 quote_literal_cstr(target->name), part->name)));
	return attno;
}

/*
 * The only column of a list of names that has the right type; 0: none.  Those
 * of never are not taken, nor what the database fills.
 */
static AttrNumber
find_named(const MSTarget *target, Relation rel, const Part *part,
		   const char *const names[], bool (*right_type) (Oid),
		   const Bitmapset *never)
{
	AttrNumber	found = InvalidAttrNumber;

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = attribute(rel, i + 1);

		if (att->attisdropped || !is_named(NameStr(att->attname), names) ||
			ms_is_database_filled(att) || !right_type(att->atttypid) ||
			bms_is_member(att->attnum, never))
			continue;
		if (found != InvalidAttrNumber)
			ambiguous(target, rel, part, found, att->attnum);
		found = att->attnum;
	}
	return found;
}

/* Is there a column of a list of names that has another type? */
static bool
has_other_type(Relation rel, const char *const names[],
			   bool (*right_type) (Oid))
{
	for (int i = 0; names[i] != NULL; i++)
	{
		AttrNumber	attno = ms_column_number(rel, names[i]);

		if (attno != InvalidAttrNumber &&
			!ms_is_database_filled(attribute(rel, attno)) &&
			!right_type(attribute(rel, attno)->atttypid))
			return true;
	}
	return false;
}

/* The only column of type counter. */
static AttrNumber
find_counter_column(const MSTarget *target, Relation rel)
{
	AttrNumber	found = InvalidAttrNumber;

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = attribute(rel, i + 1);

		if (att->attisdropped || att->atttypid != counter_type() ||
			ms_is_database_filled(att))
			continue;
		if (found != InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("the count column of table %s is ambiguous",
							target->name),
					 errdetail("Columns \"%s\" and \"%s\" are of type counter.",
							   ms_column_name(rel, found), NameStr(att->attname)),
					 errhint("Say which one counts: SELECT missing_symbol.track(%s, count => %s).",
							 quote_literal_cstr(target->name),
							 quote_literal_cstr(NameStr(att->attname)))));
		found = att->attnum;
	}
	return found;
}

/* A column that configure() names for a role, which must be fit for it. */
static AttrNumber
configured_column(const MSTarget *target, Relation rel, const char *name,
				  const char *role)
{
	AttrNumber	attno = ms_column_number(rel, name);

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table %s does not exist",
						name, target->name),
				 errdetail("Setting \"%s\" names it.", role),
				 errhint("Name others: SELECT missing_symbol.configure(%s, '{\"%s\": [...]}'); null for none.",
						 quote_literal_cstr(target->name), role)));
	return attno;
}

static pg_noinline void
unfit_column(const MSTarget *target, Relation rel, AttrNumber attno,
			 const char *role, char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of table %s cannot be one of \"%s\"",
					ms_column_name(rel, attno), target->name, role),
			 errdetail("%s", why),
			 errhint("Name others: SELECT missing_symbol.configure(%s, '{\"%s\": [...]}'); null for none.",
					 quote_literal_cstr(target->name), role)));
}

/* The first of the counts of configure(). */
static AttrNumber
first_count(const MSTarget *target, Relation rel, const MSTracked *tracked)
{
	const char *name = strVal(linitial(tracked->counts));
	AttrNumber	attno = configured_column(target, rel, name, "counts");

	if (tracked->count != NULL && strcmp(tracked->count, name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the count column of table %s is \"%s\", and the first of \"counts\" is \"%s\"",
						target->name, tracked->count, name),
				 errhint("Name it first, or clear the other: SELECT missing_symbol.track(%s, count => '').",
						 quote_literal_cstr(target->name))));
	if (ms_is_database_filled(attribute(rel, attno)))
		unfit_column(target, rel, attno, "counts", "The database fills it.");
	if (!can_be_first(attribute(rel, attno)->atttypid))
		unfit_column(target, rel, attno, "counts",
					 psprintf("It is of type %s; the first is counted by whole numbers, too: smallint, integer, bigint, numeric, real, double precision or missing_symbol.counter.",
							  format_type_be(attribute(rel, attno)->atttypid)));
	return attno;
}

/* The count column as release 1.1 found it. */
static AttrNumber
find_count(const MSTarget *target, Relation rel, const MSTracked *tracked)
{
	AttrNumber	found;

	if (tracked->counts != NIL)
		return first_count(target, rel, tracked);
	if (tracked->count != NULL)
		return named_column(target, rel, &count_part, tracked->count);
	found = find_counter_column(target, rel);
	return found != InvalidAttrNumber ? found :
		find_named(target, rel, &count_part, counts, can_count, NULL);
}

/* Did release 1.1 refuse a table for one of its times? */
static bool
refused_before(Relation rel, const Part *part, const char *tracked)
{
	AttrNumber	attno;

	if (tracked != NULL)
		return tracked[0] != '\0' &&
			(attno = ms_column_number(rel, tracked)) != InvalidAttrNumber &&
			!is_timestamptz(attribute(rel, attno)->atttypid);
	if (!has_other_type(rel, part->names, is_timestamptz))
		return false;
	for (int i = 0; part->names[i] != NULL; i++)
	{
		attno = ms_column_number(rel, part->names[i]);
		if (attno != InvalidAttrNumber &&
			is_timestamptz(attribute(rel, attno)->atttypid) &&
			!ms_is_database_filled(attribute(rel, attno)))
			return false;
	}
	return true;
}

/* The numbers outside of keys that the database does not fill, in order. */
static List *
numbers(Relation rel, const Bitmapset *keys)
{
	List	   *result = NIL;

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = attribute(rel, i + 1);
		char		category;
		bool		preferred;

		if (att->attisdropped || ms_is_database_filled(att) ||
			bms_is_member(att->attnum, keys) ||
			ms_default_is_sequence(rel, att->attnum))
			continue;
		get_type_category_preferred(getBaseType(att->atttypid), &category,
									&preferred);
		if (category == TYPCATEGORY_NUMERIC)
			result = lappend_int(result, att->attnum);
	}
	return result;
}

/* Is a column NOT NULL DEFAULT 0?  Nobody else's code runs. */
static bool
begins_at_zero(Relation rel, Form_pg_attribute att)
{
	Node	   *expr;
	Oid			output;
	bool		isvarlena;
	char	   *value;

	if (!att->attnotnull || !att->atthasdef)
		return false;
	expr = build_column_default(rel, att->attnum);
	if (expr == NULL || !ms_is_builtin(expr) ||
		contain_mutable_functions(expr))
		return false;
	expr = eval_const_expressions(NULL, expr);
	if (!IsA(expr, Const) || ((Const *) expr)->constisnull)
		return false;
	getTypeOutputInfo(((Const *) expr)->consttype, &output, &isvarlena);
	value = OidOutputFunctionCall(output, ((Const *) expr)->constvalue);
	return strspn(value, "0.") == strlen(value);
}

/* The only number outside of keys, where it begins at zero. */
static AttrNumber
find_number(Relation rel, const Bitmapset *keys)
{
	List	   *list = numbers(rel, keys);
	Form_pg_attribute att;

	if (list_length(list) != 1)
		return InvalidAttrNumber;
	att = attribute(rel, linitial_int(list));
	return can_count(att->atttypid) && begins_at_zero(rel, att) ?
		att->attnum : InvalidAttrNumber;
}

/* " Column "count" is of type text.": what was not taken for its type */
static const char *
other_types(Relation rel)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = attribute(rel, i + 1);

		if (!att->attisdropped && is_named(NameStr(att->attname), counts) &&
			!ms_is_database_filled(att) && !can_count(att->atttypid))
			appendStringInfo(&buf, " Column \"%s\" is of type %s.",
							 NameStr(att->attname),
							 format_type_be(att->atttypid));
	}
	return buf.data;
}

/* "; several: SELECT ..": where several numbers begin at zero */
static const char *
several_counts(const MSTarget *target, Relation rel, const Bitmapset *keys)
{
	StringInfoData names;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&names);
	foreach(lc, numbers(rel, keys))
	{
		Form_pg_attribute att = attribute(rel, lfirst_int(lc));

		if (!can_be_added(att->atttypid) || !begins_at_zero(rel, att))
			continue;
		appendStringInfoString(&names, n++ > 0 ? ", " : "{\"counts\": [");
		escape_json(&names, NameStr(att->attname));
	}
	appendStringInfoString(&names, "]}");
	return n < 2 ? "" : psprintf("; several: SELECT missing_symbol.configure(%s, %s)",
								 quote_literal_cstr(target->name),
								 quote_literal_cstr(names.data));
}

/* Name a column that could be meant, if there is one. */
static void
no_count_column(const MSTarget *target, Relation rel, const Bitmapset *keys,
				bool bucket)
{
	const char *first = "...";
	ListCell   *lc;

	foreach(lc, numbers(rel, keys))
	{
		Form_pg_attribute att = attribute(rel, lfirst_int(lc));

		if (can_count(att->atttypid))
		{
			first = quote_literal_cstr(NameStr(att->attname));
			break;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("table %s has no count column", target->name),
			 errdetail("That is a column of type missing_symbol.counter, or one of type %s that the database does not fill: named count or hits, else views, total, n or ..._count, else the only number outside of keys, if it is NOT NULL DEFAULT 0.%s",
					   "smallint, integer, bigint or numeric", other_types(rel)),
			 bucket ? errhint("What a bucket lets is counted, too: ALTER TABLE %s ADD COLUMN count bigint NOT NULL DEFAULT 0.", target->name) :
			 errhint("Add one, or name it: SELECT missing_symbol.track(%s, key => %s, count => %s)%s.",
					 quote_literal_cstr(target->name),
					 key_literal(target, rel), first,
					 several_counts(target, rel, keys))));
}

/* A time's column, where release 1.1 could infer the table, or (wide) not. */
static AttrNumber
find_time(const MSTarget *target, Relation rel, const Part *part,
		  const char *tracked, bool wide, const Bitmapset *never)
{
	AttrNumber	found;

	if (tracked != NULL)
		return tracked[0] == '\0' ? InvalidAttrNumber :
			named_column(target, rel, part, tracked);
	found = find_named(target, rel, part, part->names,
					   wide ? part->right_type : part->type_before, never);
	if (found == InvalidAttrNumber && wide)
		found = find_named(target, rel, part, part->more, part->right_type,
						   never);
	return found;
}

/* Columns that are not to be taken for times. */
static Bitmapset *
no_times(const MSTarget *target, Relation rel, bool wide,
		 const MSTracked *tracked)
{
	Bitmapset  *result = NULL;

	if (wide)
	{
		for (int i = 0; i < target->nargs; i++)
			result = bms_add_member(result, target->args[i].attno);
		result = bms_add_members(result, target->predicate_columns);
	}

	result = bms_add_members(result, ms_limit_columns(rel, tracked));

	/* to count what exists is no change of it */
	if (tracked->no_insert || (wide && target->no_insert))
	{
		for (int i = 0; of_any_change[i] != NULL; i++)
		{
			AttrNumber	attno = ms_column_number(rel, of_any_change[i]);

			if (attno != InvalidAttrNumber)
				result = bms_add_member(result, attno);
		}
	}
	return result;
}

/* How a column holds its times. */
static void
set_time(const MSTarget *target, Relation rel, AttrNumber attno,
		 MSTimeColumn *column)
{
	Form_pg_attribute att;

	if (attno == InvalidAttrNumber)
		return;
	att = attribute(rel, attno);
	column->local = att->atttypid == TIMESTAMPOID;
	column->typmod = att->atttypmod;
	column->adjusted = (column->local && target->zone != NULL) ||
		(att->atttypmod >= 0 && att->atttypmod < MAX_TIMESTAMP_PRECISION);
}

void
ms_infer_counter(MSTarget *target, Relation rel, const MSTracked *tracked)
{
	Form_pg_attribute att;
	bool		wide;
	Bitmapset  *never;

	target->count = find_count(target, rel, tracked);
	wide = target->count == InvalidAttrNumber ||
		(tracked->counts != NIL &&
		 !is_named(ms_column_name(rel, target->count), counts)) ||
		refused_before(rel, &first_part, tracked->first_seen) ||
		refused_before(rel, &last_part, tracked->last_seen);
	if (target->count == InvalidAttrNumber)
	{
		Bitmapset  *keys = bms_add_members(ms_unique_columns(target, rel),
										   target->predicate_columns);

		for (int i = 0; i < target->nargs; i++)
			keys = bms_add_member(keys, target->args[i].attno);

		target->count = find_named(target, rel, &count_part, more_counts,
								   can_count, keys);
		if (target->count == InvalidAttrNumber)
			target->count = find_number(rel, keys);
		if (target->count == InvalidAttrNumber)
			no_count_column(target, rel, keys, tracked->bucket != NULL);
	}

	att = attribute(rel, target->count);
	target->count_typmod = att->atttypmod;
	(void) count_kind(getBaseTypeAndTypmod(att->atttypid, &target->count_typmod),
					  &target->kind);
	if (getBaseType(att->atttypid) != att->atttypid &&
		target->general_reason == NULL)
		target->general_reason = "its count column is of a domain type";

	/* a counter has its times inside */
	if (target->kind == MS_COUNT_COUNTER)
		return;
	never = no_times(target, rel, wide, tracked);
	target->first_seen = find_time(target, rel, &first_part,
								   tracked->first_seen, wide, never);
	target->last_seen = find_time(target, rel, &last_part,
								  tracked->last_seen, wide, never);
	if (tracked->zone != NULL)
	{
		target->zone = ms_find_zone(tracked->zone);
		target->zone_name = tracked->zone;
	}
	set_time(target, rel, target->first_seen, &target->first_time);
	set_time(target, rel, target->last_seen, &target->last_time);
}

/* The part that a column plays in a counter; NULL: none. */
static const char *
part_of(const MSTarget *target, AttrNumber attno)
{
	if (attno == target->count)
		return "count";
	if (attno == target->first_seen)
		return "first_seen";
	if (attno == target->last_seen)
		return "last_seen";
	return NULL;
}

/* A column that every increment changes, or that is its own, is no key. */
void
ms_check_key_is_no_counter(MSTarget *target, Relation rel)
{
	int			attno = -1;

	for (int i = 0; i < target->nargs; i++)
	{
		const char *part = part_of(target, target->args[i].attno);

		if (part == NULL)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("column \"%s\" of table %s is in the key and is its %s column",
						ms_column_name(rel, target->args[i].attno),
						target->name, part),
				 errhint("Name another key or another column: SELECT missing_symbol.track(%s, key => ..., %s => ...).",
						 quote_literal_cstr(target->name), part)));
	}
	while ((attno = bms_next_member(target->predicate_columns, attno)) >= 0)
	{
		const char *part = bms_is_member(attno, target->combined) ? "filled" :
			part_of(target, attno);

		if (part == NULL)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("column \"%s\" of table %s is in the predicate of its index and is its %s column",
						ms_column_name(rel, attno), target->name, part),
				 errdetail("Counting could take a row out of the index."),
				 errhint("Count by another index: SELECT missing_symbol.configure(%s, '{\"index\": ...}').",
						 quote_literal_cstr(target->name))));
	}
}

/* A column whose values merge, as the next one. */
static void
add_merged(MSTarget *target, Relation rel, AttrNumber attno, MSRole role)
{
	Form_pg_attribute att = attribute(rel, attno);
	MSMerged   *column = &target->merged[target->nmerged++];

	column->attno = attno;
	column->role = role;
	column->typbyval = att->attbyval;
	column->typlen = att->attlen;
	column->typid = getBaseType(att->atttypid);
	column->count.column = pstrdup(NameStr(att->attname));
	column->count.table = target->name;
	column->count.typmod = att->atttypmod;
	if (role == MS_ROLE_COUNT)
		(void) count_kind(getBaseTypeAndTypmod(att->atttypid,
											   &column->count.typmod),
						  &column->count.kind);
	else if (role != MS_ROLE_LATEST)
		column->compare = ms_comparison(att->atttypid);
	column->collation = att->attcollation;
	if (attno == target->count)
		return;
	target->combined = bms_add_member(target->combined, attno);
	if (getBaseType(att->atttypid) != att->atttypid &&
		target->general_reason == NULL)
		target->general_reason = "a column that it counts, compares or keeps is of a domain type";
}

/* Columns that configure() names for a role. */
static void
infer_role(MSTarget *target, Relation rel, List *names, MSRole role,
		   const char *setting)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		AttrNumber	attno = configured_column(target, rel, strVal(lfirst(lc)),
											  setting);
		Form_pg_attribute att = attribute(rel, attno);

		if (ms_is_key_column(target, attno) || ms_is_argument(target, attno) ||
			part_of(target, attno) != NULL)
			unfit_column(target, rel, attno, setting,
						 "It is in the key, or another column of the counter.");
		if (bms_is_member(attno, target->combined) ||
			bms_is_member(attno, target->fill))
			unfit_column(target, rel, attno, setting, "It is named twice.");
		if (ms_is_database_filled(att) || att->attidentity != '\0')
			unfit_column(target, rel, attno, setting, "The database fills it.");
		if (role == MS_ROLE_COUNT && !can_be_added(att->atttypid))
			unfit_column(target, rel, attno, setting,
						 psprintf("It is of type %s; that must be smallint, integer, bigint, numeric, real, double precision, money or interval.",
								  format_type_be(att->atttypid)));
		if ((role == MS_ROLE_GREATEST || role == MS_ROLE_LEAST) &&
			ms_comparison(att->atttypid) == NULL)
			unfit_column(target, rel, attno, setting,
						 psprintf("Its type %s has no default btree operator class.",
								  format_type_be(att->atttypid)));
		add_merged(target, rel, attno, role);
	}
}

/*
 * The columns whose values merge.  Of a count of integers no values are given:
 * they go into the amount.
 */
void
ms_infer_merged(MSTarget *target, Relation rel, const MSTracked *tracked)
{
	int			n = 1 + list_length(tracked->counts) +
		list_length(tracked->latest) + list_length(tracked->greatest) +
		list_length(tracked->least);

	target->ncounts = list_length(tracked->counts);
	target->merged = palloc0(sizeof(MSMerged) * n);
	if (n > 1 || target->kind == MS_COUNT_NUMERIC)
		add_merged(target, rel, target->count, MS_ROLE_COUNT);
	if (tracked->counts != NIL)
		infer_role(target, rel, list_copy_tail(tracked->counts, 1),
				   MS_ROLE_COUNT, "counts");
	infer_role(target, rel, tracked->latest, MS_ROLE_LATEST, "latest");
	infer_role(target, rel, tracked->greatest, MS_ROLE_GREATEST, "greatest");
	infer_role(target, rel, tracked->least, MS_ROLE_LEAST, "least");
	target->combined = bms_add_members(target->combined, target->fill);
}

void
ms_infer_fill(MSTarget *target, Relation rel, List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		AttrNumber	attno = ms_tracked_column(target, rel, strVal(lfirst(lc)),
											  "fill");

		target->fill = bms_add_member(target->fill, attno);
	}
}

/*
 * "first_seen => 'made', last_seen => 'seen'": what track() would take to have
 * the times that a target lacks, of columns with customary names, else of a
 * column that holds a time; NULL: nothing.
 */
const char *
ms_lacking_times(const MSTarget *target, Relation rel, AttrNumber column)
{
	const Part *const parts[] = {&first_part, &last_part};
	StringInfoData buf;
	bool		named = false;

	if (target->kind == MS_COUNT_COUNTER ||
		!is_time(attribute(rel, column)->atttypid))
		return NULL;
	initStringInfo(&buf);
	for (int i = 0; i < lengthof(parts); i++)
	{
		if ((i == 0 ? target->first_seen : target->last_seen) != InvalidAttrNumber)
			continue;
		for (int j = 0; j < RelationGetNumberOfAttributes(rel); j++)
		{
			Form_pg_attribute att = attribute(rel, j + 1);

			if (att->attisdropped || !is_time(att->atttypid) ||
				ms_is_database_filled(att) ||
				!(is_named(NameStr(att->attname), parts[i]->names) ||
				  is_named(NameStr(att->attname), parts[i]->more)))
				continue;
			appendStringInfo(&buf, "%s%s => %s", buf.len > 0 ? ", " : "",
							 parts[i]->name,
							 quote_literal_cstr(NameStr(att->attname)));
			named = named || att->attnum == column;
			break;
		}
	}
	if (!named)
	{
		if (target->first_seen != InvalidAttrNumber &&
			target->last_seen != InvalidAttrNumber)
			return NULL;
		resetStringInfo(&buf);
		appendStringInfo(&buf, "%s => %s",
						 target->first_seen == InvalidAttrNumber ?
						 "first_seen" : "last_seen",
						 quote_literal_cstr(ms_column_name(rel, column)));
	}
	return buf.data;
}

/*
 * What is left alone though it has a customary name: texts that say what would
 * have to be done.
 */
List *
ms_left_alone(const MSTarget *target, Relation rel)
{
	const Part *const parts[] = {&count_part, &first_part, &last_part};
	AttrNumber	found[] = {target->count, target->first_seen, target->last_seen};
	List	   *result = NIL;

	for (int i = 0; i < lengthof(parts); i++)
	{
		if (i > 0 && (found[i] != InvalidAttrNumber ||
					  target->kind == MS_COUNT_COUNTER))
			continue;
		for (int j = 0; j < RelationGetNumberOfAttributes(rel); j++)
		{
			Form_pg_attribute att = attribute(rel, j + 1);

			if (att->attisdropped || att->attnum == found[i] ||
				ms_is_database_filled(att) ||
				parts[i]->right_type(att->atttypid) ||
				!(is_named(NameStr(att->attname), parts[i]->names) ||
				  is_named(NameStr(att->attname), parts[i]->more)))
				continue;
			result = lappend(result,
							 psprintf("column %s is of type %s, and so not taken for %s: that would be %s",
									  quote_identifier(NameStr(att->attname)),
									  format_type_be(att->atttypid),
									  parts[i]->name, parts[i]->types));
		}
	}
	return result;
}
