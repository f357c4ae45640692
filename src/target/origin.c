/*-------------------------------------------------------------------------
 *
 * origin.c
 *	  What a delta that is set aside says of itself: which columns its key has,
 *	  who counted it, what defaults said then (defaults.c), and values of columns
 *	  that merge.
 *
 * It stands among the fields, under the empty name, which no column can have;
 * version 1.1 wrote none, and ignores it.  A text, with the system's identifier,
 * the role, the table, the key's columns by number and by name; and behind it
 * what defaults said, if they said anything, and what merges, by the numbers,
 * roles and names of columns:
 *
 *	  {"": "7412345678901234567 16390 16402 3,1:4 url,\"Day\""}
 *	  {"": "7412345678901234567 16390 16402 3,-1:4 tenant,\"lower(email)\""}
 *	  {"": ["7412345678901234567 16390 16402 3,1:4 url,\"Day\"", {"tenant": "a"}]}
 *	  {"": ["7412345678901234567 16390 16402 3,1:4 url,\"Day\"", {}, {"5+ spend": "0.25"}]}
 *
 * Behind the numbers of the key is that of the column that its amount is for,
 * and of an index with a predicate a mark of that, "3:4:9c1185a5c5e9fc54".
 *
 * Unlike another field, what merges is never left out as one that nobody knows,
 * or that has another role now: amounts would be lost.
 *
 * An expression of the key has the number -1 and for a name its text, or of a long
 * one the beginning and a hash: that tells whether it still is the same one.
 *
 * What a superuser may have written there instead must not fail a reader.
 *
 * On the system where that was written the numbers decide: a role or a column
 * is the same one after a rename.  After pg_dump and restore, or pg_upgrade,
 * the names do.  Where neither says anything (1.1) the key's values are in the
 * order of the key as it is, and defaults are asked as a row is inserted.
 *
 * What a session writes is made once for each target and role.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "target/stored.h"
#include "target/target.h"
#include "target/target_internal.h"

/* the number of what is no column of a key */
#define EXPRESSION	(-1)

/* made for a target, by one role */
typedef struct MSOrigin
{
	MemoryContext cxt;
	Oid			role;
	uint64		system;
	JsonbPair	pair;
	Datum		alone;			/* as the only field: jsonb */
} MSOrigin;

static void
set_string(JsonbValue *v, char *text)
{
	v->type = jbvString;
	v->val.string.val = text;
	v->val.string.len = strlen(text);
}

/* What an expression is called, in a name's length. */
static const char *
expression_name(const char *text)
{
	int			len = strlen(text);
	uint64		hash = UINT64CONST(0xCBF29CE484222325);

	if (len < NAMEDATALEN)
		return text;
	for (int i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) text[i]) * UINT64CONST(0x100000001B3);
	len = pg_mbcliplen(text, len, NAMEDATALEN - 1 - 17);
	return psprintf("%.*s~%016llx", len, text, (unsigned long long) hash);
}

/* The pair of the empty name, without defaults, in the current memory context. */
static void
make_pair(MSTarget *target, Relation rel, Oid role, uint64 system,
		  JsonbPair *pair)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, UINT64_FORMAT " %u %u", system, role,
					 target->relid);
	for (int i = 0; i < target->nkeys; i++)
		appendStringInfo(&text, "%c%d", i == 0 ? ' ' : ',',
						 target->keys[i].expr != NULL ? EXPRESSION :
						 target->keys[i].column.attno);
	appendStringInfo(&text, ":%d", target->count);
	if (target->predicate_mark != 0)
		appendStringInfo(&text, ":%016llx",
						 (unsigned long long) target->predicate_mark);
	for (int i = 0; i < target->nkeys; i++)
		appendStringInfo(&text, "%c%s", i == 0 ? ' ' : ',',
						 quote_identifier(target->keys[i].expr != NULL ?
										  expression_name(target->keys[i].expr) :
										  ms_key_name(target, rel, i)));
	memset(pair, 0, sizeof(*pair));
	set_string(&pair->key, "");
	set_string(&pair->value, text.data);
}

static MSOrigin *
find_origin(MSTarget *target, Relation rel, Oid role, uint64 system)
{
	MSOrigin   *origin = target->origin;
	MemoryContext cxt;
	MemoryContext oldcxt;
	JsonbValue	object;

	if (likely(origin != NULL && origin->role == role &&
			   origin->system == system))
		return origin;

	cxt = AllocSetContextCreate(target->cxt, "missing_symbol origin",
								ALLOCSET_SMALL_SIZES);
	oldcxt = MemoryContextSwitchTo(cxt);
	origin = palloc0(sizeof(MSOrigin));
	origin->cxt = cxt;
	origin->role = role;
	origin->system = system;
	make_pair(target, rel, role, system, &origin->pair);
	object.type = jbvObject;
	object.val.object.nPairs = 1;
	object.val.object.pairs = &origin->pair;
	origin->alone = JsonbPGetDatum(JsonbValueToJsonb(&object));
	MemoryContextSwitchTo(oldcxt);
	if (target->origin != NULL)
		MemoryContextDelete(target->origin->cxt);
	target->origin = origin;
	return origin;
}

/*
 * Of a delta of the key that a target has now, counted by a role of a system;
 * with what n[0] defaults said, and n[1] values that merge, in the order of
 * jsonb.
 */
JsonbPair
ms_origin_pair(MSTarget *target, Relation rel, Oid role, uint64 system,
			   JsonbPair *said[2], const int n[2])
{
	JsonbPair	pair = find_origin(target, rel, role, system)->pair;
	JsonbValue *elems;
	int			nobjects = n[1] > 0 ? 2 : n[0] > 0 ? 1 : 0;

	if (nobjects == 0)
		return pair;
	elems = palloc0(sizeof(JsonbValue) * (1 + nobjects));
	elems[0] = pair.value;
	for (int i = 0; i < nobjects; i++)
	{
		elems[i + 1].type = jbvObject;
		elems[i + 1].val.object.nPairs = n[i];
		elems[i + 1].val.object.pairs = said[i];
	}
	pair.value.type = jbvArray;
	pair.value.val.array.nElems = 1 + nobjects;
	pair.value.val.array.rawScalar = false;
	pair.value.val.array.elems = elems;
	return pair;
}

Datum
ms_origin_alone(MSTarget *target, Relation rel, Oid role, uint64 system)
{
	return find_origin(target, rel, role, system)->alone;
}

/*
 * Reading
 */

/* What the deltas of a target and a role say alike, read */
typedef struct MSSaid
{
	uint64		system;
	Oid			role;
	Oid			table;
	int			nattnums;		/* as many as the key has; 0: not told */
	AttrNumber	attnums[INDEX_MAX_KEYS];
	AttrNumber	count;			/* 0: not told; nor the predicate */
	uint64		predicate;
} MSSaid;

/* longer ones, of keys of many columns, are read each time */
#define SAID_BYTES	256

/* The numbers of a text's first words; returns the rest. */
static char *
read_numbers(char *text, MSSaid *said)
{
	memset(said, 0, sizeof(*said));
	said->system = strtoull(text, &text, 10);
	said->role = strtoul(text, &text, 10);
	said->table = strtoul(text, &text, 10);
	do
	{
		int			attnum = strtol(text, &text, 10);

		said->attnums[said->nattnums++] = attnum == (AttrNumber) attnum ?
			attnum : InvalidAttrNumber;
	} while (*text++ == ',' && said->nattnums < INDEX_MAX_KEYS);
	if (text[-1] == ':')
	{
		said->count = strtol(text, &text, 10);
		if (*text++ == ':')
		{
			said->predicate = strtoull(text, &text, 16);
			text++;
		}
	}
	return text[-1] == ' ' ? text : "";
}

/*
 * What a delta says of itself, but for names and defaults.  The last one is
 * kept with its text, as that of many deltas is the same: nothing else decides
 * how it is read.
 */
static const MSSaid *
read_said(const char *text, int len)
{
	static MSSaid said;
	static int	said_len = -1;
	static char bytes[SAID_BYTES];

	if (len == said_len && memcmp(bytes, text, len) == 0)
		return &said;
	said_len = -1;
	(void) read_numbers(pnstrdup(text, len), &said);
	if (len <= SAID_BYTES)
	{
		memcpy(bytes, text, len);
		said_len = len;
	}
	return &said;
}

/* The names that the columns of a delta's key had: strings, or none. */
static List *
read_names(const MSSpilled *delta)
{
	MSSaid		said;
	List	   *names = NIL;

	if (delta->origin == NULL ||
		!SplitIdentifierString(read_numbers(pnstrdup(delta->origin,
													 delta->origin_len),
											&said), ',', &names))
		return NIL;
	return names;
}

/* An object of an array; NULL: it has none there. */
static JsonbContainer *
object_of(JsonbContainer *array, int i)
{
	JsonbValue *v = getIthJsonbValueFromContainer(array, i);

	return v != NULL && v->type == jbvBinary &&
		JsonContainerIsObject(v->val.binary.data) ? v->val.binary.data : NULL;
}

/*
 * Who counted a delta that was read, and whether it has any fields beside
 * what it says of itself.
 */
void
ms_origin_read(MSSpilled *delta)
{
	delta->origin = NULL;
	delta->defaults = NULL;
	delta->merged = NULL;
	if (delta->has_fields)
	{
		Jsonb	   *json = DatumGetJsonbP(delta->fields);
		JsonbValue *v = NULL;

		delta->fields = JsonbPGetDatum(json);
		if (JB_ROOT_IS_OBJECT(json))
			v = getKeyJsonValueFromContainer(&json->root, "", 0, NULL);
		if (v != NULL)
			delta->has_fields = JB_ROOT_COUNT(json) > 1;
		if (v != NULL && v->type == jbvBinary &&
			JsonContainerIsArray(v->val.binary.data))
		{
			JsonbContainer *both = v->val.binary.data;

			delta->defaults = object_of(both, 1);
			delta->merged = object_of(both, 2);
			v = getIthJsonbValueFromContainer(both, 0);
		}
		if (v != NULL && v->type == jbvString)
		{
			const MSSaid *said = read_said(v->val.string.val,
										   v->val.string.len);

			delta->origin = v->val.string.val;
			delta->origin_len = v->val.string.len;
			delta->stored_role = said->role;
			delta->system = said->system;
		}
	}
	if (delta->origin == NULL || delta->system != GetSystemIdentifier() ||
		!OidIsValid(delta->stored_role))
		delta->roleid = get_role_oid(delta->role, true);
	else if (SearchSysCacheExists1(AUTHOID,
								   ObjectIdGetDatum(delta->stored_role)))
		delta->roleid = delta->stored_role;
}

/* The place of an expression in the key, by its name; -1: it is not there. */
static int
place_of_expression(const MSTarget *target, const char *name)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		if (target->keys[i].expr != NULL &&
			strcmp(expression_name(target->keys[i].expr), name) == 0)
			return i;
	}
	return -1;
}

/* The place of a column in the key; -1 where it is none of it. */
static int
place_of(const MSTarget *target, AttrNumber attno)
{
	for (int i = 0; i < target->nkeys; i++)
	{
		if (target->keys[i].column.attno == attno)
			return i;
	}
	return -1;
}

/* What a delta says that was written here, of this table; or NULL. */
static const MSSaid *
said_here(const MSTarget *target, const MSSpilled *delta)
{
	const MSSaid *said;

	if (delta->origin == NULL || delta->system != GetSystemIdentifier())
		return NULL;
	said = read_said(delta->origin, delta->origin_len);
	return said->table == target->relid ? said : NULL;
}

static void
key_has_changed(const MSTarget *target, const MSSpilled *delta, int n)
{
	StringInfoData columns;
	List	   *names = read_names(delta);
	ListCell   *lc;

	initStringInfo(&columns);
	foreach(lc, names)
	{
		appendStringInfo(&columns, "%s%s", columns.len > 0 ? ", " : "",
						 quote_identifier(lfirst(lc)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the key of table %s has changed", target->name),
			 list_length(names) == n ?
			 errdetail("A delta was set aside when its columns were (%s).",
					   columns.data) :
			 errdetail("A delta was set aside when it had %d columns; now it has %d.",
					   n, target->nkeys),
			 errhint("Give it its former key until they are merged, or throw them away: SELECT missing_symbol.discard_all(%s).",
					 quote_literal_cstr(target->name))));
}

static void
predicate_has_changed(const MSTarget *target)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the key of table %s has changed", target->name),
			 errdetail("A delta was set aside when its index had another predicate, or none."),
			 errhint("Give it its former key until they are merged, or throw them away: SELECT missing_symbol.discard_all(%s).",
					 quote_literal_cstr(target->name))));
}

/*
 * The place in the key, as it is now, of each of the n values that a delta's
 * key has.  A column that is neither there by its number nor by its name has
 * been renamed, or made anew under another name: then it is that which is left.
 */
void
ms_origin_places(const MSTarget *target, Relation rel, const MSSpilled *delta,
				 int n, int *places)
{
	TupleDesc	desc = RelationGetDescr(rel);
	const MSSaid *said = NULL;
	const AttrNumber *attnums = NULL;
	List	   *names = NIL;
	bool		taken[INDEX_MAX_KEYS] = {false};

	if (delta->origin != NULL)
		said = read_said(delta->origin, delta->origin_len);
	if (said != NULL && said_here(target, delta) != NULL)
	{
		if (said->nattnums == n)
			attnums = said->attnums;
		if (said->count != InvalidAttrNumber &&
			said->predicate != target->predicate_mark)
			predicate_has_changed(target);
	}
	if (n != target->nkeys)
		key_has_changed(target, delta, n);
	for (int i = 0; i < n; i++)
	{
		AttrNumber	attno = attnums == NULL ? 0 : attnums[i];

		if (said != NULL && said->nattnums == n && said->attnums[i] == EXPRESSION)
		{
			if (names == NIL)
				names = read_names(delta);
			if (list_length(names) == n)
			{
				places[i] = place_of_expression(target, list_nth(names, i));
				if (places[i] < 0 || taken[places[i]])
					key_has_changed(target, delta, n);
				taken[places[i]] = true;
				continue;
			}
		}
		if (attno <= 0 || attno > desc->natts ||
			TupleDescAttr(desc, attno - 1)->attisdropped)
		{
			if (names == NIL)
				names = read_names(delta);
			attno = list_length(names) != n ? InvalidAttrNumber :
				ms_column_number(rel, list_nth(names, i));
		}
		places[i] = -1;
		if (attno == InvalidAttrNumber)
			continue;
		places[i] = place_of(target, attno);
		if (places[i] < 0 || taken[places[i]])
			key_has_changed(target, delta, n);
		taken[places[i]] = true;
	}
	for (int i = 0, left = 0; i < n; i++)
	{
		if (places[i] >= 0)
			continue;
		while (taken[left])
			left++;
		if (target->keys[left].expr != NULL)
			key_has_changed(target, delta, n);
		places[i] = left++;
	}
}

static pg_noinline void
merges_no_more(const MSTarget *target, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of table %s is not counted or compared any more",
					name, target->name),
			 errdetail("A delta was set aside with a value for it when it was."),
			 errhint("Let it be again until they are merged, or throw them away: SELECT missing_symbol.discard_all(%s).",
					 quote_literal_cstr(target->name))));
}

/* The letter of a role, behind the number of a column. */
static const char role_letters[] = {
	[MS_ROLE_COUNT] = '+',
	[MS_ROLE_LATEST] = '=',
	[MS_ROLE_GREATEST] = '>',
	[MS_ROLE_LEAST] = '<'
};

/* The key of a value that merges. */
char *
ms_origin_merging(const MSTarget *target, Relation rel, AttrNumber attno)
{
	const MSMerged *merged = ms_merged_column(target, attno);

	return psprintf("%d%c %s", attno, role_letters[merged->role],
					ms_column_name(rel, attno));
}

/*
 * The column of a value that merges, by its key, "number, letter, name", and
 * these; *dropped: it has been.
 */
static AttrNumber
read_merging(const MSTarget *target, Relation rel, const MSSpilled *delta,
			 const char *key, char *letter, const char **name, bool *dropped)
{
	TupleDesc	desc = RelationGetDescr(rel);
	char	   *rest;
	long		number = strtol(key, &rest, 10);

	*letter = *rest;
	*name = rest[0] == '\0' || rest[1] == '\0' ? "" : rest + 2;
	*dropped = false;
	if (number <= 0 || number > desc->natts || said_here(target, delta) == NULL)
		return ms_column_number(rel, *name);
	*dropped = TupleDescAttr(desc, number - 1)->attisdropped;
	return number;
}

/* Is it one of the first count? */
static bool
is_of_first_count(const MSTarget *target, AttrNumber attno, char letter)
{
	return attno == target->count && letter == role_letters[MS_ROLE_COUNT];
}

/* The column of a value that merges, by its key; 0 where it has been dropped. */
AttrNumber
ms_origin_merged(const MSTarget *target, Relation rel, const MSSpilled *delta,
				 const char *key)
{
	char		letter;
	const char *name;
	bool		dropped;
	AttrNumber	attno = read_merging(target, rel, delta, key, &letter, &name,
									 &dropped);
	const MSMerged *merged;

	if (dropped)
		return InvalidAttrNumber;
	if (is_of_first_count(target, attno, letter))
		return attno;
	merged = ms_merged_column(target, attno);
	if (merged == NULL || letter != role_letters[merged->role])
		merges_no_more(target, name);
	return attno;
}

/*
 * The column that a delta's amount is for: the first count, or what was that
 * then and is counted still.  After a restore it is the first.
 */
AttrNumber
ms_origin_count(const MSTarget *target, Relation rel, const MSSpilled *delta)
{
	const MSSaid *said = said_here(target, delta);
	TupleDesc	desc = RelationGetDescr(rel);
	const MSCount *count;

	if (said == NULL || said->count == target->count || said->count <= 0 ||
		said->count > desc->natts ||
		TupleDescAttr(desc, said->count - 1)->attisdropped)
		return target->count;
	count = ms_merged_count(target, said->count);
	if (count == NULL || count->kind > MS_COUNT_FLOAT8)
		merges_no_more(target, ms_column_name(rel, said->count));
	return said->count;
}

/* Has a delta an amount for the first count beside its own? */
bool
ms_origin_has_amount(const MSTarget *target, Relation rel,
					 const MSSpilled *delta)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	bool		found = false;

	if (delta->merged == NULL)
		return false;
	it = JsonbIteratorInit(delta->merged);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		char		letter;
		const char *name;
		bool		dropped;
		AttrNumber	attno;

		if (token != WJB_KEY)
			continue;
		attno = read_merging(target, rel, delta,
							 pnstrdup(v.val.string.val, v.val.string.len),
							 &letter, &name, &dropped);
		found |= is_of_first_count(target, attno, letter);
	}
	return found;
}
