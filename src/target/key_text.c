/*-------------------------------------------------------------------------
 *
 * key_text.c
 *	  Keys and fields of deltas that are set aside: values as text and back.
 *
 * Values are kept as text, in the form that reads back the same in any session
 * (as postgres_fdw sends it, and in UTC).  The index of the tables does not
 * contain the key, which may be too wide for one, but a 64-bit hash of those
 * key columns whose equality is that of their texts; what a scan finds is
 * compared by the target's own index.  So citext or numeric keys are exact
 * too, only that a target whose key has no other columns has but one hash.
 *
 * The text of a regclass and its like is the name of an object, which is
 * another one's after a rename, and nobody's after a drop; its OID is another
 * one's after pg_dump and restore.  A key that has such a part is not set
 * aside at all.  Among the fields it is the OID, which can always be read.
 *
 * Who reads a table does not expect that code runs.  So values of domains are
 * read as their base types'; what is left of it, such as a domain within a
 * composite type, runs as who would merge the delta (acting.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "compat.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"
#include "target/target_internal.h"

/* how key values become text and back; kept in the target */
typedef struct MSSpillColumn
{
	FmgrInfo	output;
	FmgrInfo	input;
	Oid			ioparam;
	bool		hashed;			/* equal values have equal texts */
} MSSpillColumn;

typedef struct MSSpillFormat
{
	bool		plain;			/* no setting changes the texts */
	bool		exact;			/* equal keys have equal texts, for good */
	int		   *other_order;	/* of its columns, to be looked for; or NULL */
	FmgrInfo   *outputs;		/* of other columns, by attribute number - 1 */
	MSSpillColumn columns[FLEXIBLE_ARRAY_MEMBER];
} MSSpillFormat;

/* Is a type core's, and its text the same whatever the session's settings? */
static bool
is_plain(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case OIDOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case UUIDOID:
		case INETOID:
		case CIDROID:
		case JSONOID:
		case JSONBOID:
			return true;
		default:
			return false;
	}
}

/* Is a type an OID whose text is a name? */
static bool
is_reg(Oid type)
{
	switch (type)
	{
		case REGCLASSOID:
		case REGCOLLATIONOID:
		case REGCONFIGOID:
		case REGDATABASEOID:
		case REGDICTIONARYOID:
		case REGNAMESPACEOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGROLEOID:
		case REGTYPEOID:
			return true;
		default:
			return false;
	}
}

/* Is it, or has it such a part? */
static bool
contains_reg(Oid type)
{
	Oid			base = getBaseType(type);
	Oid			element = get_element_type(base);
	bool		result = false;

	if (OidIsValid(element))
		return contains_reg(element);
	if (get_typtype(base) == TYPTYPE_COMPOSITE)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc(base, -1);

		for (int i = 0; i < desc->natts && !result; i++)
			result = !TupleDescAttr(desc, i)->attisdropped &&
				contains_reg(TupleDescAttr(desc, i)->atttypid);
		ReleaseTupleDesc(desc);
		return result;
	}
	return is_reg(base);
}

/*
 * Settings under which texts are written and read; returns the nest level for
 * AtEOXact_GUC.  An error on the way restores the settings too.
 */
static int
begin_portable_texts(void)
{
	static const char *const settings[][2] = {
		{"DateStyle", "ISO"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "3"},
		{"bytea_output", "hex"},
		{"lc_monetary", "C"},
		{"array_nulls", "on"},
		{"xmloption", "content"},
		{"search_path", "pg_catalog"}
	};
	int			nestlevel = NewGUCNestLevel();

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1],
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return nestlevel;
}

/* begin_portable_texts() where a column needs it; 0 where none does */
static int
begin_texts_of(Relation rel, const Bitmapset *attnos)
{
	int			attno = -1;

	while ((attno = bms_next_member(attnos, attno)) >= 0)
	{
		if (!is_plain(TupleDescAttr(RelationGetDescr(rel), attno - 1)->atttypid))
			return begin_portable_texts();
	}
	return 0;
}

static void
end_texts(int nestlevel)
{
	if (nestlevel > 0)
		AtEOXact_GUC(true, nestlevel);
}

/* a delta that is being read */
typedef struct Parsing
{
	MSTarget   *target;
	Relation	rel;
	const MSSpilled *delta;
	const MSApplier *applier;	/* NULL: it is shown */
	MSRow	   *row;			/* that is made */
} Parsing;

/*
 * Read a value of a column.  A domain's value was checked at the call, and is
 * again where it is merged (ms_check_domains), so it is read as one of its
 * base type, which runs no code of a user.
 */
static Datum
read_value(const Parsing *parsing, Oid typid, FmgrInfo *input, Oid ioparam,
		   int32 typmod, char *text)
{
	Oid			base = getBaseTypeAndTypmod(typid, &typmod);
	bool		builtin;
	MSActing	acting;
	FmgrInfo	own;
	int			nestlevel;
	Datum		result;

	if (is_plain(base))
		return InputFunctionCall(input, text, ioparam, typmod);
	builtin = ms_type_is_builtin(base);
	if (!builtin)
	{
		ms_act_for_parsing(parsing->target, parsing->rel, parsing->applier,
						   parsing->delta->roleid, &acting);

		/* code of a user's, of a domain within, may read keys of this table */
		fmgr_info(input->fn_oid, &own);
		input = &own;
	}
	nestlevel = begin_portable_texts();
	result = InputFunctionCall(input, text, ioparam, typmod);
	AtEOXact_GUC(false, nestlevel);
	if (!builtin)
		ms_act_no_more(&acting);
	return result;
}

/* Check the constraints of domains among the columns of a row. */
void
ms_check_domains(const MSTarget *target, Relation rel, const MSRow *row)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && !row->isnull[i] &&
			!ms_is_counted(target, att->attnum) &&
			get_typtype(att->atttypid) == TYPTYPE_DOMAIN)
			domain_check(row->values[i], false, att->atttypid, NULL, NULL);
	}
}

/*
 * Are equal values of a key column equal in their texts, too?  Not those of
 * bpchar, with their blanks, whatever its operator class says.
 */
static bool
is_hashable(Relation index, int i)
{
	Oid			proc = get_opfamily_proc(index->rd_opfamily[i],
										 index->rd_opcintype[i],
										 index->rd_opcintype[i],
										 BTEQUALIMAGE_PROC);

	return OidIsValid(proc) && index->rd_opcintype[i] != BPCHAROID &&
		DatumGetBool(OidFunctionCall1Coll(proc, index->rd_indcollation[i],
										  ObjectIdGetDatum(index->rd_opcintype[i])));
}

/*
 * Texts are hashed in the order of the index.  The same columns may have had
 * another one before: two the reverse of it; more, most likely, that of their
 * numbers.
 */
static void
set_other_order(const MSTarget *target, MSSpillFormat *format)
{
	int		   *order = palloc(sizeof(int) * target->nkeys);
	bool		same = true;

	for (int i = 0; i < target->nkeys; i++)
	{
		int			j = i;

		for (; j > 0 && (target->nkeys == 2 ||
						 target->keys[order[j - 1]].column.attno >
						 target->keys[i].column.attno); j--)
			order[j] = order[j - 1];
		order[j] = i;
		same &= j == i;
	}
	format->other_order = same ? NULL : order;
}

static MSSpillFormat *
find_format(MSTarget *target)
{
	MSSpillFormat *format = target->spill_format;
	MemoryContext oldcxt;
	Relation	index;
	Relation	rel;

	if (format != NULL)
		return format;

	index = index_open(target->index, AccessShareLock);
	rel = relation_open(target->relid, NoLock);
	oldcxt = MemoryContextSwitchTo(target->cxt);
	format = palloc0(offsetof(MSSpillFormat, columns) +
					 sizeof(MSSpillColumn) * target->nkeys);
	format->plain = true;
	format->exact = ms_key_text_serves(target);
	format->outputs = palloc0(sizeof(FmgrInfo) * RelationGetDescr(rel)->natts);
	for (int i = 0; i < target->nkeys; i++)
	{
		MSSpillColumn *column = &format->columns[i];
		Oid			typid = target->keys[i].column.typid;
		Oid			function;
		bool		varlena;

		getTypeOutputInfo(typid, &function, &varlena);
		fmgr_info_cxt(function, &column->output, target->cxt);
		getTypeInputInfo(getBaseType(typid), &function, &column->ioparam);
		fmgr_info_cxt(function, &column->input, target->cxt);
		column->hashed = is_hashable(index, i);
		format->plain = format->plain && is_plain(typid);
		format->exact = format->exact && column->hashed;
	}
	set_other_order(target, format);
	MemoryContextSwitchTo(oldcxt);
	relation_close(rel, NoLock);
	index_close(index, AccessShareLock);
	target->spill_format = format;
	return format;
}

/* Do the texts of a target's keys stay those of the same keys? */
bool
ms_key_text_serves(MSTarget *target)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		if (contains_reg(target->keys[i].column.typid))
			return false;
	}
	return true;
}

/* Does the text of a key tell whether it equals another? */
bool
ms_key_text_exact(MSTarget *target)
{
	return find_format(target)->exact;
}

/*
 * FNV-1a, the same on every machine, because the table may be dumped and
 * restored on another.
 */
static uint64
hash_text(uint64 hash, const char *text)
{
	if (text == NULL)			/* what no text has */
		return (hash ^ 0x100) * UINT64CONST(0x100000001B3);
	for (const unsigned char *p = (const unsigned char *) text;; p++)
	{
		hash = (hash ^ *p) * UINT64CONST(0x100000001B3);
		if (*p == '\0')
			return hash;
	}
}

/* The texts of a row's key, in the order of the index; NULL: it is null. */
static void
make_texts(MSTarget *target, MSSpillFormat *format, const Datum *values,
		   const bool *isnull, char **texts)
{
	int			nestlevel = format->plain ? 0 : begin_portable_texts();

	for (int i = 0; i < target->nkeys; i++)
	{
		int			place = target->keys[i].column.attno - 1;

		texts[i] = target->nulls && isnull[place] ? NULL :
			OutputFunctionCall(&format->columns[i].output, values[place]);
	}
	end_texts(nestlevel);
}

/* Their hash, in an order; NULL: that of the index. */
static int64
hash_texts(const MSTarget *target, const MSSpillFormat *format, char **texts,
		   const int *order)
{
	uint64		hash = UINT64CONST(0xCBF29CE484222325);

	for (int i = 0; i < target->nkeys; i++)
	{
		int			column = order == NULL ? i : order[i];

		if (format->columns[column].hashed)
			hash = hash_text(hash, texts[column]);
	}
	return (int64) hash;
}

int64
ms_key_texts(MSTarget *target, const Datum *values, const bool *isnull,
			 char **texts)
{
	MSSpillFormat *format = find_format(target);

	make_texts(target, format, values, isnull, texts);
	return hash_texts(target, format, texts, NULL);
}

bool
ms_key_texts_are_plain(MSTarget *target)
{
	return find_format(target)->plain;
}

int
ms_key_hashes(MSTarget *target, const MSRow *row, int64 hashes[2])
{
	MSSpillFormat *format = find_format(target);
	char	   *texts[INDEX_MAX_KEYS];

	make_texts(target, format, row->values, row->isnull, texts);
	hashes[0] = hash_texts(target, format, texts, NULL);
	if (format->other_order == NULL)
		return 1;
	hashes[1] = hash_texts(target, format, texts, format->other_order);
	return hashes[0] == hashes[1] ? 1 : 2;
}

/* How a column's values become text. */
static FmgrInfo *
find_output(MSTarget *target, Form_pg_attribute att)
{
	FmgrInfo   *output = &find_format(target)->outputs[att->attnum - 1];
	Oid			function;
	bool		varlena;

	if (!OidIsValid(output->fn_oid))
	{
		if (is_reg(getBaseType(att->atttypid)))
			function = F_OIDOUT;
		else
			getTypeOutputInfo(att->atttypid, &function, &varlena);
		fmgr_info_cxt(function, output, target->cxt);
	}
	return output;
}

/* a column that is given, for its place among the keys of a JSON object */
typedef struct Field
{
	AttrNumber	attno;
	char	   *name;
	int			len;
} Field;

/* for so many no memory has to be allocated */
#define FEW_FIELDS 16

/* The order that jsonb keeps its keys in. */
static int
compare_fields(const void *a, const void *b)
{
	const Field *x = a;
	const Field *y = b;

	return x->len != y->len ? x->len - y->len : memcmp(x->name, y->name, x->len);
}

/* A value as text in JSON. */
static void
set_text(MSTarget *target, Form_pg_attribute att, Datum value, JsonbValue *v)
{
	v->type = jbvString;
	if (ms_is_small_count(target, att->attnum))
	{
		v->val.string.val = psprintf(INT64_FORMAT, ms_small_amount(value));
		v->val.string.len = strlen(v->val.string.val);
		return;
	}
	if (att->atttypid == TEXTOID || att->atttypid == VARCHAROID)
	{
		struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

		v->val.string.val = VARDATA_ANY(text);
		v->val.string.len = VARSIZE_ANY_EXHDR(text);
	}
	else
	{
		v->val.string.val = OutputFunctionCall(find_output(target, att), value);
		v->val.string.len = strlen(v->val.string.val);
	}
}

/*
 * Columns of a row as pairs of a JSON object, texts by name in the order of
 * jsonb; merging: by what origin.c has of it.  Behind room for one more.
 */
static JsonbPair *
make_pairs(MSTarget *target, Relation rel, const MSRow *row,
		   const Bitmapset *attnos, bool merging, int *n)
{
	JsonbPair  *pairs;
	Field		few[FEW_FIELDS];
	Field	   *fields;
	int			nestlevel;
	int			attno = -1;

	*n = bms_num_members(attnos);
	fields = *n <= FEW_FIELDS ? few : palloc(sizeof(Field) * *n);
	for (int i = 0; i < *n; i++)
	{
		attno = bms_next_member(attnos, attno);
		fields[i].attno = attno;
		fields[i].name = NameStr(TupleDescAttr(RelationGetDescr(rel),
											   attno - 1)->attname);
		if (merging)
			fields[i].name = ms_origin_merging(target, rel, attno);
		fields[i].len = strlen(fields[i].name);
	}
	qsort(fields, *n, sizeof(Field), compare_fields);

	pairs = palloc0(sizeof(JsonbPair) * (*n + 1));
	nestlevel = begin_texts_of(rel, attnos);
	for (int i = 0; i < *n; i++)
	{
		JsonbPair  *pair = &pairs[i + 1];

		attno = fields[i].attno;
		pair->key.type = jbvString;
		pair->key.val.string.val = fields[i].name;
		pair->key.val.string.len = fields[i].len;
		if (row->isnull[attno - 1])
			pair->value.type = jbvNull;
		else
			set_text(target, TupleDescAttr(RelationGetDescr(rel), attno - 1),
					 row->values[attno - 1], &pair->value);
	}
	end_texts(nestlevel);
	return pairs;
}

/* What is given beside the key, behind what the delta says of itself. */
Datum
ms_spill_fields(MSTarget *target, Relation rel, const MSRow *row, Oid role,
				uint64 system)
{
	Bitmapset  *given = bms_copy(row->given);
	Bitmapset  *merged = NULL;
	JsonbPair  *pairs;
	JsonbPair  *said[2] = {NULL, NULL};
	JsonbValue	object;
	int			n;
	int			nsaid[2] = {0, 0};

	for (int i = 0; i < target->nkeys; i++)
		given = bms_del_member(given, target->keys[i].column.attno);
	for (int i = 0; i < target->nmerged; i++)
	{
		AttrNumber	attno = target->merged[i].attno;

		given = bms_del_member(given, attno);
		if (ms_row_fills(row, attno))
			merged = bms_add_member(merged, attno);
	}
	if (given == NULL && row->defaulted == NULL && merged == NULL)
		return ms_origin_alone(target, rel, role, system);

	pairs = make_pairs(target, rel, row, given, false, &n);
	if (row->defaulted != NULL)
		said[0] = make_pairs(target, rel, row, row->defaulted, false, &nsaid[0]) + 1;
	if (merged != NULL)
		said[1] = make_pairs(target, rel, row, merged, true, &nsaid[1]) + 1;
	pairs[0] = ms_origin_pair(target, rel, role, system, said, nsaid);
	object.type = jbvObject;
	object.val.object.nPairs = n + 1;
	object.val.object.pairs = pairs;
	return JsonbPGetDatum(JsonbValueToJsonb(&object));
}

/* Set a column of a row to a text, of a value with a type's modifier. */
static void
read_column(const Parsing *parsing, AttrNumber attno, int32 typmod,
			const JsonbValue *v)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(parsing->rel),
										  attno - 1);
	FmgrInfo	input;
	Oid			function;
	Oid			ioparam;

	getTypeInputInfo(getBaseType(att->atttypid), &function, &ioparam);
	fmgr_info(function, &input);
	parsing->row->values[attno - 1] =
		read_value(parsing, att->atttypid, &input, ioparam, typmod,
				   pnstrdup(v->val.string.val, v->val.string.len));
	parsing->row->isnull[attno - 1] = false;
}

static int32
column_typmod(const Parsing *parsing, AttrNumber attno)
{
	return TupleDescAttr(RelationGetDescr(parsing->rel), attno - 1)->atttypmod;
}

/*
 * The same back: sets values of a row, and returns whose.  A column that has
 * been dropped meanwhile is left out, as is what has no column's name.
 */
static Bitmapset *
read_pairs(const Parsing *parsing, JsonbContainer *container)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	v;
	AttrNumber	attno = InvalidAttrNumber;
	Bitmapset  *result = NULL;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			attno = ms_column_number(parsing->rel,
									 pnstrdup(v.val.string.val,
											  v.val.string.len));
		else if (token == WJB_VALUE && attno != InvalidAttrNumber)
		{
			result = bms_add_member(result, attno);
			if (v.type == jbvString)
				read_column(parsing, attno, column_typmod(parsing, attno), &v);
		}
	}
	return result;
}

/* Read a value that merges. */
static void
read_merging(const Parsing *parsing, AttrNumber attno, const JsonbValue *v)
{
	MSTarget   *target = parsing->target;
	MSRow	   *row = parsing->row;
	const MSCount *count = ms_merged_count(target, attno);
	const char *text = pnstrdup(v->val.string.val, v->val.string.len);

	if (attno == target->count && ms_counts_whole(target->kind))
	{
		MSCount		first = {.kind = target->kind, .table = target->name,
		.column = ms_column_name(parsing->rel, attno)};

		/* it was given of what has become one of integers */
		ms_add_by(target, &row->by, ms_integer_amount(&first, text));
	}
	else if (count != NULL && count->kind <= MS_COUNT_INT8)
	{
		row->values[attno - 1] = ms_amount(count->kind,
										   ms_integer_amount(count, text));
		row->isnull[attno - 1] = false;
	}
	else

		/* of numerics the sum is rounded, where the scale has become less */
		read_column(parsing, attno,
					count != NULL && count->kind == MS_COUNT_NUMERIC ? -1 :
					column_typmod(parsing, attno), v);
}

/* Read the values that merge; no amount may be lost. */
static void
read_merged(const Parsing *parsing)
{
	MSTarget   *target = parsing->target;
	MSRow	   *row = parsing->row;
	JsonbIterator *it = JsonbIteratorInit(parsing->delta->merged);
	JsonbIteratorToken token;
	JsonbValue	v;
	AttrNumber	attno = InvalidAttrNumber;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			attno = ms_origin_merged(target, parsing->rel, parsing->delta,
									 pnstrdup(v.val.string.val,
											  v.val.string.len));
		else if (token == WJB_VALUE && attno != InvalidAttrNumber &&
				 v.type == jbvString)
		{
			read_merging(parsing, attno, &v);
			if (attno != target->count)
				row->given = bms_add_member(row->given, attno);
		}
	}
}

/*
 * Read what a delta has beside its key.  Columns of the key are given like the
 * others where there are others, as increment_row() has it.
 */
static void
read_fields(const Parsing *parsing)
{
	const MSSpilled *delta = parsing->delta;
	MSTarget   *target = parsing->target;
	TupleDesc	desc = RelationGetDescr(parsing->rel);
	MSRow	   *row = parsing->row;
	int			attno = -1;

	if (delta->defaults != NULL)
	{
		row->defaulted = read_pairs(parsing, delta->defaults);
		while ((attno = bms_next_member(row->defaulted, attno)) >= 0)
		{
			bool		filled = ms_is_database_filled(TupleDescAttr(desc, attno - 1));

			if (filled)
				row->isnull[attno - 1] = true;
			if (filled || ms_is_always_given(target, attno))
				row->defaulted = bms_del_member(row->defaulted, attno);
		}
	}
	if (delta->has_fields)
		row->given = read_pairs(parsing,
								&DatumGetJsonbP(delta->fields)->root);

	/* what was a detail then is no amount */
	for (int i = 0; i < target->nmerged; i++)
	{
		AttrNumber	merged = target->merged[i].attno;

		if (target->merged[i].role != MS_ROLE_COUNT)
			continue;
		row->given = bms_del_member(row->given, merged);
		if (!bms_is_member(merged, row->defaulted))
			row->isnull[merged - 1] = true;
	}
	if (delta->merged != NULL)
		read_merged(parsing);
	if (row->given != NULL)
	{
		for (int i = 0; i < target->nargs; i++)
			row->given = bms_add_member(row->given, target->args[i].attno);
	}
}

/* The amount, where it was counted in a column that is not the first any more. */
static void
set_amount(const Parsing *parsing)
{
	MSTarget   *target = parsing->target;
	MSRow	   *row = parsing->row;
	AttrNumber	attno = ms_origin_count(target, parsing->rel, parsing->delta);
	const MSCount *count;
	Datum		amount;

	if (likely(attno == target->count))
		return;
	count = ms_merged_count(target, attno);
	amount = ms_amount(count->kind, parsing->delta->by);
	row->values[attno - 1] = ms_row_fills(row, attno) ?
		ms_add_amounts(count, row->values[attno - 1], amount) : amount;
	row->isnull[attno - 1] = false;
	row->given = bms_add_member(row->given, attno);
	row->by -= parsing->delta->by;
}

/* Read a row's key values. */
static void
key_from_texts(const Parsing *parsing)
{
	MSTarget   *target = parsing->target;
	MSRow	   *row = parsing->row;
	MSSpillFormat *format = find_format(target);
	int			places[INDEX_MAX_KEYS];
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(parsing->delta->key), TEXTOID, -1,
					  false, TYPALIGN_INT, &elems, &nulls, &n);
	ms_origin_places(target, parsing->rel, parsing->delta, n, places);
	for (int i = 0; i < n; i++)
	{
		MSColumn   *column = &target->keys[places[i]].column;
		MSSpillColumn *format_column = &format->columns[places[i]];

		row->isnull[column->attno - 1] = nulls[i];
		if (nulls[i] && target->nulls)
			continue;
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the key of table %s has changed", target->name),
					 errdetail("A delta was set aside with a null in its key, which only an index with NULLS NOT DISTINCT has."),
					 errhint("Give it its former key until they are merged, or throw them away: SELECT missing_symbol.discard_all(%s).",
							 quote_literal_cstr(target->name))));
		row->values[column->attno - 1] =
			read_value(parsing, column->typid, &format_column->input,
					   format_column->ioparam, column->typmod,
					   TextDatumGetCString(elems[i]));
	}
}

static void
parsing_context(void *arg)
{
	const Parsing *parsing = arg;
	StringInfoData key;
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	initStringInfo(&key);
	deconstruct_array(DatumGetArrayTypeP(parsing->delta->key), TEXTOID, -1,
					  false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
		appendStringInfo(&key, "%s%s", i > 0 ? ", " : "",
						 nulls[i] ? "NULL" : TextDatumGetCString(elems[i]));
	errcontext("reading an increment of table %s that was set aside, key (%s)",
			   parsing->target->name, key.data);
}

/* Make the row of a delta that was read. */
void
ms_spill_parse(MSTarget *target, Relation rel, MSSpilled *delta,
			   MSReading reading, const MSApplier *applier)
{
	MSRow	   *row = ms_row_make(target);
	Parsing		parsing = {target, rel, delta, applier, row};
	ErrorContextCallback errcallback;

	errcallback.callback = parsing_context;
	errcallback.arg = &parsing;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	row->by = delta->by;
	row->first_seen = delta->first_seen;
	row->last_seen = delta->last_seen;
	row->origin = MS_FROM_STORE;
	if (reading == MS_READ_ALL ||
		(reading == MS_READ_FIRST_COUNT &&
		 ms_origin_has_amount(target, rel, delta)))
		read_fields(&parsing);
	if (reading != MS_READ_KEY && delta->by != 0)
		set_amount(&parsing);
	key_from_texts(&parsing);
	error_context_stack = errcallback.previous;
	delta->row = row;
}
