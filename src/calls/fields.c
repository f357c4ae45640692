/*-------------------------------------------------------------------------
 *
 * fields.c
 *	  A JSON object becomes a row: columns by name.
 *
 * As jsonb_populate_record makes a row of it: a string or a number goes through
 * its column's input function, as text.  Where all that is given are values of
 * base types that is done here, and what an object's names are in the table is
 * kept, as the next object has most often the same; so is its date.  Anything
 * else (domains, arrays, composites, JSON within JSON) is that function's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "calls/calls_internal.h"
#include "target/row.h"
#include "target/target.h"

/* of "2026-11-29" */
#define ISO_DATE_LEN	10

/* how a column's values are read */
typedef struct FieldInput
{
	bool		known;			/* what follows is filled */
	bool		simple;			/* or else jsonb_populate_record reads them */
	Oid			type;
	int32		typmod;
	FmgrInfo	input;
	Oid			ioparam;

	char		date[ISO_DATE_LEN]; /* the latest; or empty */
	Datum		date_value;
} FieldInput;

/* a name of the latest object */
typedef struct FieldName
{
	char		name[NAMEDATALEN];
	int			len;
	AttrNumber	attno;
} FieldName;

/*
 * What is kept for a target: of the latest object's names as many as are those
 * of columns; and jsonb_populate_record, with the row type it is to make, and a
 * row of nulls to begin with.  With no row at all it would check the columns
 * that are not given against their domains, which have nothing to say of a
 * column that gets its default, or is the engine's own.
 */
typedef struct MSRecordReader
{
	MemoryContext cxt;			/* holds all of it */
	FieldInput *inputs;			/* by attribute number - 1 */
	FieldName  *names;
	int			nnames;
	Bitmapset  *given;			/* the columns of these names */

	FmgrInfo	populate;
	Datum		base;
	bool		busy;			/* running user code, or an error ended it */
	bool		builtin;		/* for whoever counts next; else ... */
	uint64		call;			/* ... for this call of the target only */
} MSRecordReader;

static MSRecordReader *
make_record_reader(MSTarget *target, Relation rel)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol record reader",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	MSRecordReader *reader = palloc0(sizeof(MSRecordReader));
	Oid			rowtype = rel->rd_rel->reltype;
	Const	   *base = makeNullConst(rowtype, -1, InvalidOid);
	Const	   *json = makeNullConst(JSONBOID, -1, InvalidOid);
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *isnull = palloc(sizeof(bool) * desc->natts);

	memset(isnull, true, sizeof(bool) * desc->natts);
	reader->base = heap_copy_tuple_as_datum(heap_form_tuple(desc, values,
															isnull), desc);
	fmgr_info_cxt(F_JSONB_POPULATE_RECORD, &reader->populate, cxt);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_JSONB_POPULATE_RECORD, rowtype,
											 list_make2(base, json),
											 InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL),
					   &reader->populate);
	reader->cxt = cxt;
	reader->inputs = palloc0(sizeof(FieldInput) * desc->natts);
	reader->names = palloc(sizeof(FieldName) * desc->natts);
	reader->call = target->call;
	reader->builtin = true;
	for (int i = 0; i < desc->natts; i++)
		reader->builtin &= TupleDescAttr(desc, i)->attisdropped ||
			ms_type_is_builtin(TupleDescAttr(desc, i)->atttypid);
	MemoryContextSwitchTo(oldcxt);
	return reader;
}

static MSRecordReader *
find_record_reader(MSTarget *target, Relation rel)
{
	MSRecordReader *kept = target->record_reader;
	MSRecordReader *reader;
	bool		reentered = kept != NULL && ms_is_at_work(target, kept->busy);

	if (!reentered && kept != NULL &&
		(kept->builtin || kept->call == target->call))
		return kept;
	reader = make_record_reader(target, rel);
	if (reentered)
		return reader;
	if (kept != NULL)
		MemoryContextDelete(kept->cxt);
	MemoryContextSetParent(reader->cxt, target->cxt);
	target->record_reader = reader;
	return reader;
}

/* Can the first of several counts be given by name?  Not one of type counter. */
static bool
takes_first_count(const MSTarget *target)
{
	return target->ncounts > 0 && target->kind != MS_COUNT_COUNTER;
}

/* Is a column one that the engine keeps, or one that nobody can write? */
static void
check_field(MSTarget *target, Relation rel, AttrNumber attno,
			const char *field)
{
	Form_pg_attribute att;

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table %s does not exist", field,
						target->name),
				 errhint("Fields must be named as the table's columns.")));
	if (attno == target->first_seen || attno == target->last_seen ||
		attno == target->limits.window || attno == target->limits.bucket ||
		(attno == target->count && !takes_first_count(target)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("field \"%s\" belongs to the counter of table %s",
						field, target->name),
				 errhint("Leave it out; give the amount as the argument \"by\".")));
	att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
	if (ms_is_database_filled(att) && !ms_is_argument(target, attno))
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("column \"%s\" of table %s can only be filled by the database",
						field, target->name),
				 errhint("Leave it out.")));
}

/* The column of an object's i-th name. */
static AttrNumber
find_column(MSTarget *target, Relation rel, MSRecordReader *reader, int i,
			const char *name, int len)
{
	FieldName  *kept = &reader->names[i];
	char	   *field;
	AttrNumber	attno;

	if (likely(i < reader->nnames && kept->len == len &&
			   memcmp(kept->name, name, len) == 0))
		return kept->attno;

	field = pnstrdup(name, len);
	attno = ms_column_number(rel, field);
	check_field(target, rel, attno, field);
	pfree(field);

	/* so there are no more of them than columns, and their length is a name's */
	memcpy(kept->name, name, len);
	kept->len = len;
	kept->attno = attno;
	reader->nnames = i + 1;
	bms_free(reader->given);
	reader->given = NULL;
	return attno;
}

/* The columns of the latest object's names. */
static Bitmapset *
given_columns(MSRecordReader *reader)
{
	MemoryContext oldcxt;

	if (reader->given == NULL)
	{
		oldcxt = MemoryContextSwitchTo(reader->cxt);
		for (int i = 0; i < reader->nnames; i++)
			reader->given = bms_add_member(reader->given,
										   reader->names[i].attno);
		MemoryContextSwitchTo(oldcxt);
	}
	return bms_copy(reader->given);
}

static FieldInput *
find_input(MSRecordReader *reader, Relation rel, AttrNumber attno)
{
	FieldInput *input = &reader->inputs[attno - 1];
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);
	char		kind;
	Oid			function;

	if (likely(input->known))
		return input;
	input->type = att->atttypid;
	input->typmod = att->atttypmod;
	kind = get_typtype(input->type);
	input->simple = (kind == TYPTYPE_BASE || kind == TYPTYPE_ENUM) &&
		!OidIsValid(get_element_type(input->type)) &&
		input->type != JSONOID && input->type != JSONBOID;
	getTypeInputInfo(input->type, &function, &input->ioparam);
	fmgr_info_cxt(function, &input->input, reader->cxt);
	input->known = true;
	return input;
}

/* Is a text a date, whatever the session's settings? */
static bool
is_iso_date(const char *text, int len)
{
	for (int i = 0; i < ISO_DATE_LEN && len == ISO_DATE_LEN; i++)
	{
		if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
			return false;
	}
	return len == ISO_DATE_LEN;
}

static Datum
read_iso_date(FieldInput *input, const char *text)
{
	if (memcmp(input->date, text, ISO_DATE_LEN) != 0)
	{
		input->date_value = InputFunctionCall(&input->input,
											  pnstrdup(text, ISO_DATE_LEN),
											  input->ioparam, input->typmod);
		memcpy(input->date, text, ISO_DATE_LEN);
	}
	return input->date_value;
}

/*
 * A value that is neither null nor an object or an array, of a simple column:
 * where it begins and ends in the data of its object.
 */
static Datum
read_value(FieldInput *input, JEntry value, char *data, uint32 begin,
		   uint32 end)
{
	char	   *text;

	if (JBE_ISSTRING(value))
	{
		if (input->type == TEXTOID)
			return PointerGetDatum(cstring_to_text_with_len(data + begin,
															end - begin));
		if (input->type == DATEOID && is_iso_date(data + begin, end - begin))
			return read_iso_date(input, data + begin);
		text = pnstrdup(data + begin, end - begin);
	}
	else if (JBE_ISNUMERIC(value))
	{
		Datum		number = PointerGetDatum(data + INTALIGN(begin));

		if (input->type == NUMERICOID && input->typmod < 0)
			return datumCopy(number, false, -1);
		text = DatumGetCString(DirectFunctionCall1(numeric_out, number));
	}
	else
		text = pstrdup(JBE_ISBOOL_TRUE(value) ? "true" : "false");
	return InputFunctionCall(&input->input, text, input->ioparam,
							 input->typmod);
}

/*
 * Read an object's names and values; false where a value is not for us: then
 * only the names are read.  Those are before the values, in the same order.
 */
static bool
read_fields(MSTarget *target, Relation rel, MSRecordReader *reader,
			MSRow *row, Jsonb *json)
{
	JsonbContainer *object = &json->root;
	int			n = JsonContainerSize(object);
	char	   *data = (char *) &object->children[2 * n];
	uint32		name_end = 0;
	uint32		value_end = getJsonbOffset(object, n);
	MSConverting converting = {target, rel, InvalidAttrNumber};
	ErrorContextCallback errcallback;
	bool		simple = true;

	errcallback.callback = ms_converting_context;
	errcallback.arg = &converting;
	errcallback.previous = error_context_stack;
	for (int i = 0; i < n; i++)
	{
		JEntry		value = object->children[n + i];
		uint32		name_begin = name_end;
		uint32		value_begin = value_end;
		AttrNumber	attno;
		FieldInput *input;

		JBE_ADVANCE_OFFSET(name_end, object->children[i]);
		JBE_ADVANCE_OFFSET(value_end, value);
		attno = find_column(target, rel, reader, i, data + name_begin,
							name_end - name_begin);
		if (!simple)
			continue;
		input = find_input(reader, rel, attno);
		simple = input->simple && !JBE_ISCONTAINER(value);
		if (!simple || JBE_ISNULL(value))
			continue;
		converting.attno = attno;
		error_context_stack = &errcallback;
		row->values[attno - 1] = read_value(input, value, data, value_begin,
											value_end);
		row->isnull[attno - 1] = false;
		error_context_stack = errcallback.previous;
	}
	if (reader->nnames != n)
	{
		bms_free(reader->given);
		reader->given = NULL;
		reader->nnames = n;
	}
	row->given = given_columns(reader);
	return simple;
}

/* The values of all columns, by jsonb_populate_record. */
static void
populate(Relation rel, MSRecordReader *reader, MSRow *row, Jsonb *json)
{
	LOCAL_FCINFO(fcinfo, 2);
	Datum		record;
	HeapTupleHeader header;
	HeapTupleData tuple;

	InitFunctionCallInfoData(*fcinfo, &reader->populate, 2,
							 InvalidOid, NULL, NULL);
	fcinfo->args[0].value = reader->base;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = JsonbPGetDatum(json);
	fcinfo->args[1].isnull = false;
	reader->busy = true;
	record = FunctionCallInvoke(fcinfo);
	reader->busy = false;

	header = DatumGetHeapTupleHeader(record);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, RelationGetDescr(rel), row->values,
					  row->isnull);
}

/* Refuse what would make a count useless for ever. */
static void
check_amount(const MSTarget *target, const MSMerged *column, Datum amount)
{
	if (!ms_amount_is_finite(column->count.kind, amount))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" of table %s cannot count by what is not finite",
						column->count.column, target->name),
				 errdetail("NaN or infinity was given."),
				 errhint("Give a number.")));
}

/* A value of a column of integers. */
static int64
integer_value(MSCountKind kind, Datum value)
{
	return kind == MS_COUNT_INT2 ? DatumGetInt16(value) :
		kind == MS_COUNT_INT4 ? DatumGetInt32(value) : DatumGetInt64(value);
}

/* Of a first count of integers the amount is "by". */
static void
take_first_count(const MSTarget *target, MSRow *row)
{
	int			i = target->count - 1;

	row->by = 0;
	if (!ms_counts_whole(target->kind))
		return;
	row->by = integer_value(target->kind, row->values[i]);
	row->isnull[i] = true;
}

/* What is given of columns that merge: a null is not; the first count wins. */
static void
take_merged(MSTarget *target, MSRow *row, bool by_given)
{
	for (int i = 0; i < target->nmerged; i++)
	{
		const MSMerged *column = &target->merged[i];
		Datum	   *value = &row->values[column->attno - 1];

		if (row->isnull[column->attno - 1])
			row->given = bms_del_member(row->given, column->attno);
		else if (column->role == MS_ROLE_COUNT)
		{
			check_amount(target, column, *value);
			if (i > 0 && ms_is_small(column->count.kind))
				*value = ms_amount(column->count.kind,
								   integer_value(column->count.kind, *value));
		}
	}
	row->given = bms_del_member(row->given, target->count);
	if (target->nmerged == 0 || row->isnull[target->count - 1])
		return;
	if (by_given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the amount for column \"%s\" of table %s is given twice",
						target->merged[0].count.column, target->name),
				 errdetail("It is among the fields, and it is the argument \"by\" or \"amount\"."),
				 errhint("Leave one of them out.")));
	take_first_count(target, row);
}

/*
 * Fill a row from a JSON object: columns by name.  It is counted by "by" unless
 * the fields say otherwise; by_given: they must not.
 */
void
ms_row_from_jsonb(MSTarget *target, Relation rel, MSRow *row, Datum fields,
				  int64 by, bool by_given)
{
	Jsonb	   *json = DatumGetJsonbP(fields);
	MSRecordReader *reader;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("fields must be a JSON object"),
				 errhint("For example '{\"%s\": ...}'.",
						 ms_column_name(rel, target->args[0].attno))));
	reader = find_record_reader(target, rel);
	if (!read_fields(target, rel, reader, row, json))
		populate(rel, reader, row, json);

	row->by = by;
	if (target->nmerged > 0)
		take_merged(target, row, by_given);
	ms_check_key_given(target, rel, row, target->nrequired, false);
}
