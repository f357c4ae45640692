/*-------------------------------------------------------------------------
 *
 * limits.c
 *	  How a count is limited: its bounds, its window, its token bucket, as
 *	  configure() names them.
 *
 * The start of a window and the bucket are columns of their own, of type
 * timestamptz to the microsecond: never inferred, never one of the counter's
 * times.
 *
 * What is limited is counted now: an increment that waits would be judged only
 * when it reaches its row.  So nothing of a limited table is ever set aside,
 * and limits are refused with what would.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "compat.h"
#include "target/target.h"
#include "target/target_internal.h"

/* A column that a setting names. */
static AttrNumber
named_column(const MSTarget *target, Relation rel, const char *name,
			 const char *setting)
{
	AttrNumber	attno = ms_column_number(rel, name);

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table %s does not exist",
						name, target->name),
				 errdetail("Setting \"%s\" names it.", setting),
				 errhint("Name another one: SELECT missing_symbol.configure(%s, '{\"%s\": ...}'); null for none.",
						 quote_literal_cstr(target->name), setting)));
	return attno;
}

static void
unfit(const MSTarget *target, Relation rel, AttrNumber attno,
	  const char *setting, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of table %s cannot be its \"%s\"",
					ms_column_name(rel, attno), target->name, setting),
			 errdetail("%s", why),
			 errhint("Name another one: SELECT missing_symbol.configure(%s, '{\"%s\": ...}'); null for none.",
					 quote_literal_cstr(target->name), setting)));
}

/* The columns of windows and buckets, which are no times of a counter. */
Bitmapset *
ms_limit_columns(Relation rel, const MSTracked *tracked)
{
	const char *names[] = {tracked->window, tracked->bucket};
	Bitmapset  *result = NULL;

	for (int i = 0; i < lengthof(names); i++)
	{
		AttrNumber	attno = names[i] == NULL ? InvalidAttrNumber :
			ms_column_number(rel, names[i]);

		if (attno != InvalidAttrNumber)
			result = bms_add_member(result, attno);
	}
	return result;
}

/* A column of a limit's own that holds a time; 0: it is not set. */
static AttrNumber
time_column(const MSTarget *target, Relation rel, const char *name,
			const char *setting)
{
	AttrNumber	attno;
	Form_pg_attribute att;

	if (name == NULL)
		return InvalidAttrNumber;
	attno = named_column(target, rel, name, setting);
	att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
	if (att->atttypid != TIMESTAMPTZOID || att->atttypmod >= 0)
		unfit(target, rel, attno, setting,
			  psprintf("It is of type %s; that must be timestamp with time zone, without a precision.",
					   format_type_with_typemod(att->atttypid,
												att->atttypmod)));
	if (ms_is_database_filled(att))
		unfit(target, rel, attno, setting, "The database fills it.");
	if (ms_is_key_column(target, attno) ||
		bms_is_member(attno, target->predicate_columns) ||
		ms_is_always_given(target, attno) ||
		bms_is_member(attno, target->combined))
		unfit(target, rel, attno, setting,
			  "It is in the key or its predicate, or another column of the counter.");
	return attno;
}

/* The count that is limited. */
static void
infer_count(MSTarget *target, Relation rel, const char *name)
{
	MSLimits   *limits = &target->limits;
	AttrNumber	attno = name == NULL ? target->count :
		named_column(target, rel, name, "limit_on");

	if (!ms_is_counted(target, attno))
		unfit(target, rel, attno, "limit_on", "It is not counted.");
	limits->attno = attno;
	limits->count.kind = target->kind;
	limits->count.typmod = target->count_typmod;
	limits->count.column = pstrdup(ms_column_name(rel, attno));
	limits->count.table = target->name;
	for (int i = 0; i < target->nmerged; i++)
	{
		if (target->merged[i].attno == attno)
			limits->count = target->merged[i].count;
	}
}

/* A number as an amount of the count, which must have it as it is. */
static Datum
bound(const MSTarget *target, Datum number, const char *setting)
{
	const MSCount *count = &target->limits.count;
	Datum		result = (Datum) 0;
	int64		whole;
	bool		fits;

	if (ms_counts_whole(count->kind))
	{
		fits = ms_numeric_to_bigint(number, &whole) &&
			(count->kind != MS_COUNT_INT4 ||
			 (whole >= PG_INT32_MIN && whole <= PG_INT32_MAX)) &&
			(count->kind != MS_COUNT_INT2 ||
			 (whole >= PG_INT16_MIN && whole <= PG_INT16_MAX));
		if (fits)
			result = Int64GetDatum(whole);
	}
	else if (count->kind == MS_COUNT_NUMERIC)
	{
		result = ms_fit_amount(count, number);
		fits = DatumGetBool(DirectFunctionCall2(numeric_eq, result, number));
	}
	else
	{
		result = DirectFunctionCall1(count->kind == MS_COUNT_FLOAT4 ?
									 numeric_float4 : numeric_float8, number);
		fits = true;
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"%s\" of table %s is no value of column \"%s\": %s",
						setting, target->name, count->column,
						DatumGetCString(DirectFunctionCall1(numeric_out,
															number))),
				 errhint("Give one that the column's type can hold.")));
	return result;
}

static void
infer_bounds(MSTarget *target, const MSTracked *tracked)
{
	MSLimits   *limits = &target->limits;

	limits->has_least = tracked->at_least != (Datum) 0;
	limits->has_most = tracked->at_most != (Datum) 0;
	limits->saturate = tracked->saturate;
	if (limits->has_least)
		limits->least = bound(target, tracked->at_least, "at_least");
	if (limits->has_most)
		limits->most = bound(target, tracked->at_most, "at_most");
	if (limits->has_least && limits->has_most &&
		ms_compare_amounts(limits->count.kind, limits->least,
						   limits->most) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"at_least\" of table %s is above its \"at_most\"",
						target->name),
				 errhint("A count can be nowhere then; a JSON null clears one of them.")));
}

/* "started_at": a column that could be a window's start; NULL: none. */
static const char *
window_candidate(const MSTarget *target, Relation rel)
{
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

		if (!att->attisdropped && att->atttypid == TIMESTAMPTZOID &&
			att->atttypmod < 0 && !ms_is_database_filled(att) &&
			!ms_is_key_column(target, i + 1) &&
			!bms_is_member(i + 1, target->predicate_columns) &&
			!ms_is_always_given(target, i + 1) &&
			!bms_is_member(i + 1, target->combined) &&
			i + 1 != target->limits.bucket)
			return NameStr(att->attname);
	}
	return NULL;
}

/* A window is a column and a length. */
static void
check_window(const MSTarget *target, Relation rel, const MSTracked *tracked)
{
	const char *candidate;

	if (tracked->per != 0 && tracked->window == NULL)
	{
		candidate = window_candidate(target, rel);
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"per\" of table %s needs a column for the start of the window",
						target->name),
				 errdetail("Without one nothing tells when the count starts again."),
				 candidate != NULL ?
				 errhint("Name it: SELECT missing_symbol.configure(%s, '{\"window\": \"%s\", \"per\": ...}').",
						 quote_literal_cstr(target->name), candidate) :
				 errhint("ALTER TABLE %s ADD COLUMN window_start timestamptz; and name it: SELECT missing_symbol.configure(%s, '{\"window\": \"window_start\", \"per\": ...}').",
						 target->name, quote_literal_cstr(target->name))));
	}
	if (tracked->per == 0 && (tracked->window != NULL || tracked->aligned))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" of table %s needs \"per\", how long a window lasts",
						tracked->window != NULL ? "window" : "aligned",
						target->name),
				 errhint("Set both: SELECT missing_symbol.configure(%s, '{\"per\": \"1 minute\", \"window\": ...}').",
						 quote_literal_cstr(target->name))));
}

/* Why a table's calls cannot be limited; NULL if they can. */
const char *
ms_limits_conflict(const MSTarget *target)
{
	if (target->throttle > 0)
		return "It has a throttle, which keeps the count from being exact.";
	if (target->apply == MS_APPLY_COMMIT)
		return "Its increments reach their rows at the commit, where nobody can be told that they are refused.";
	if (target->apply == MS_APPLY_BUFFER)
		return "Its increments are buffered, and nobody can be told that they are refused.";
	if (target->spill)
		return "Its increments are spilled where a row is locked, and nobody can be told that they are refused.";
	return NULL;
}

void
ms_infer_limits(MSTarget *target, Relation rel, const MSTracked *tracked)
{
	MSLimits   *limits = &target->limits;
	const char *conflict;

	infer_count(target, rel, tracked->limit_on);
	limits->bucket = time_column(target, rel, tracked->bucket, "bucket");
	limits->window = time_column(target, rel, tracked->window, "window");
	if (limits->window != InvalidAttrNumber &&
		limits->window == limits->bucket)
		unfit(target, rel, limits->window, "window", "It is its \"bucket\".");
	check_window(target, rel, tracked);
	limits->per = tracked->per;
	limits->aligned = tracked->aligned;
	limits->set = ms_has_limits(tracked);
	if ((limits->set || tracked->limit_on != NULL) &&
		(limits->count.kind == MS_COUNT_MONEY ||
		 limits->count.kind == MS_COUNT_INTERVAL))
		unfit(target, rel, limits->attno, "limit_on",
			  "It is of type money or interval; a limit is a number.");
	infer_bounds(target, tracked);

	conflict = !limits->set ? NULL :
		tracked->spill ? "Its increments are to be spilled." :
		ms_limits_conflict(target);
	if (conflict != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table %s cannot have limits", target->name),
				 errdetail("%s", conflict),
				 errhint("Count now: SELECT missing_symbol.track(%s, apply => '', throttle => '0', spill => false).",
						 quote_literal_cstr(target->name))));
}
