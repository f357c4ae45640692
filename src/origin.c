/*-------------------------------------------------------------------------
 *
 * origin.c
 *	  What a delta that is set aside says of itself: which columns its key has,
 *	  who counted it, and what defaults said then (defaults.c).
 *
 * It stands among the fields, under the empty name, which no column can have;
 * version 1.1 wrote none, and ignores it.  Texts, as what a superuser may have
 * written there must not fail a reader:
 *
 *	  {"": {"key": ["url", "day"], "role": "16390", "table": "16402",
 *			"system": "7412345678901234567", "attnums": ["3", "1"],
 *			"defaults": {"tenant": "a"}}}
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
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "missing_symbol.h"

/* the members, in the order that jsonb keeps them in: by length, then bytes */
enum
{
	ORIGIN_KEY,
	ORIGIN_ROLE,
	ORIGIN_TABLE,
	ORIGIN_SYSTEM,
	ORIGIN_ATTNUMS,
	ORIGIN_DEFAULTS,
	ORIGIN_MEMBERS
};

static const char *const members[] = {
	"key", "role", "table", "system", "attnums", "defaults"
};

StaticAssertDecl(lengthof(members) == ORIGIN_MEMBERS,
				 "every member has a name");

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

/* An array of texts, one for each column of the key. */
static void
set_array(JsonbValue *v, MSTarget *target, Relation rel, bool names)
{
	v->type = jbvArray;
	v->val.array.nElems = target->nkeys;
	v->val.array.rawScalar = false;
	v->val.array.elems = palloc0(sizeof(JsonbValue) * target->nkeys);
	for (int i = 0; i < target->nkeys; i++)
	{
		AttrNumber	attno = target->keys[i].column.attno;

		set_string(&v->val.array.elems[i], names ?
				   pstrdup(NameStr(TupleDescAttr(RelationGetDescr(rel),
												 attno - 1)->attname)) :
				   psprintf("%d", attno));
	}
}

static void
set_object(JsonbValue *v, JsonbPair *pairs, int n)
{
	v->type = jbvObject;
	v->val.object.nPairs = n;
	v->val.object.pairs = pairs;
}

/* The pair of the empty name, without defaults, in the current memory context. */
static void
make_pair(MSTarget *target, Relation rel, Oid role, uint64 system,
		  JsonbPair *pair)
{
	JsonbPair  *pairs = palloc0(sizeof(JsonbPair) * ORIGIN_MEMBERS);

	for (int i = 0; i < ORIGIN_MEMBERS; i++)
		set_string(&pairs[i].key, unconstify(char *, members[i]));
	set_array(&pairs[ORIGIN_KEY].value, target, rel, true);
	set_string(&pairs[ORIGIN_ROLE].value, psprintf("%u", role));
	set_string(&pairs[ORIGIN_TABLE].value, psprintf("%u", target->relid));
	set_string(&pairs[ORIGIN_SYSTEM].value, psprintf(UINT64_FORMAT, system));
	set_array(&pairs[ORIGIN_ATTNUMS].value, target, rel, false);

	memset(pair, 0, sizeof(*pair));
	set_string(&pair->key, "");
	set_object(&pair->value, pairs, ORIGIN_DEFAULTS);
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
	set_object(&object, &origin->pair, 1);
	origin->alone = JsonbPGetDatum(JsonbValueToJsonb(&object));
	MemoryContextSwitchTo(oldcxt);
	if (target->origin != NULL)
		MemoryContextDelete(target->origin->cxt);
	target->origin = origin;
	return origin;
}

/*
 * Of a delta of the key that a target has now, counted by a role of a system;
 * with what n defaults said, in the order of jsonb.
 */
JsonbPair
ms_origin_pair(MSTarget *target, Relation rel, Oid role, uint64 system,
			   JsonbPair *defaults, int n)
{
	JsonbPair	pair = find_origin(target, rel, role, system)->pair;
	JsonbPair  *pairs;

	if (n > 0)
	{
		pairs = palloc0(sizeof(JsonbPair) * ORIGIN_MEMBERS);
		memcpy(pairs, pair.value.val.object.pairs,
			   sizeof(JsonbPair) * ORIGIN_MEMBERS);
		set_object(&pairs[ORIGIN_DEFAULTS].value, defaults, n);
		set_object(&pair.value, pairs, ORIGIN_MEMBERS);
	}
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

/* A member, or an element, that is a text; NULL where it is not. */
static char *
text_of(const JsonbValue *v)
{
	if (v == NULL || v->type != jbvString)
		return NULL;
	return pnstrdup(v->val.string.val, v->val.string.len);
}

static JsonbValue *
find_member(JsonbContainer *container, int member)
{
	return getKeyJsonValueFromContainer(container, members[member],
										strlen(members[member]), NULL);
}

/* A member that is a number; 0 where it is not. */
static uint64
number_of(JsonbContainer *container, int member)
{
	char	   *text = text_of(find_member(container, member));

	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* An array that has as many elements as the key has values; else NULL. */
static JsonbContainer *
array_of(JsonbContainer *container, int member, int n)
{
	JsonbValue *v = find_member(container, member);

	if (v == NULL || v->type != jbvBinary ||
		!JsonContainerIsArray(v->val.binary.data) ||
		JsonContainerSize(v->val.binary.data) != n)
		return NULL;
	return v->val.binary.data;
}

/*
 * Who counted a delta that was read, and whether it has any fields beside
 * what it says of itself.
 */
void
ms_origin_read(MSSpilled *delta)
{
	delta->origin = NULL;
	if (delta->has_fields)
	{
		Jsonb	   *json = DatumGetJsonbP(delta->fields);
		JsonbValue *v = NULL;

		delta->fields = JsonbPGetDatum(json);
		if (JB_ROOT_IS_OBJECT(json))
			v = getKeyJsonValueFromContainer(&json->root, "", 0, NULL);
		if (v != NULL && v->type == jbvBinary &&
			JsonContainerIsObject(v->val.binary.data))
		{
			delta->origin = v->val.binary.data;
			delta->stored_role = number_of(delta->origin, ORIGIN_ROLE);
			delta->system = number_of(delta->origin, ORIGIN_SYSTEM);
			delta->has_fields = JB_ROOT_COUNT(json) > 1;
		}
	}
	if (delta->origin == NULL || delta->system != GetSystemIdentifier() ||
		!OidIsValid(delta->stored_role))
		delta->roleid = get_role_oid(delta->role, true);
	else if (SearchSysCacheExists1(AUTHOID,
								   ObjectIdGetDatum(delta->stored_role)))
		delta->roleid = delta->stored_role;
}

/* What defaults said, an object of texts; NULL: nothing. */
JsonbContainer *
ms_origin_defaults(const MSSpilled *delta)
{
	JsonbValue *v = NULL;

	if (delta->origin != NULL)
		v = find_member(delta->origin, ORIGIN_DEFAULTS);
	if (v == NULL || v->type != jbvBinary ||
		!JsonContainerIsObject(v->val.binary.data))
		return NULL;
	return v->val.binary.data;
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

static void
key_has_changed(const MSTarget *target, int n, JsonbContainer *names)
{
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; names != NULL && i < n; i++)
	{
		char	   *name = text_of(getIthJsonbValueFromContainer(names, i));

		appendStringInfo(&columns, "%s%s", i > 0 ? ", " : "",
						 name == NULL ? "?" : quote_identifier(name));
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the key of table %s has changed", target->name),
			 names != NULL ?
			 errdetail("A delta was set aside when its columns were (%s).",
					   columns.data) :
			 errdetail("A delta was set aside when it had %d columns; now it has %d.",
					   n, target->nkeys)));
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
	JsonbContainer *names = NULL;
	JsonbContainer *attnums = NULL;
	bool		taken[INDEX_MAX_KEYS] = {false};

	if (delta->origin != NULL)
	{
		names = array_of(delta->origin, ORIGIN_KEY, n);
		if (delta->system == GetSystemIdentifier() &&
			number_of(delta->origin, ORIGIN_TABLE) == target->relid)
			attnums = array_of(delta->origin, ORIGIN_ATTNUMS, n);
	}
	if (n != target->nkeys)
		key_has_changed(target, n, names);
	for (int i = 0; i < n; i++)
	{
		char	   *attnum = NULL;
		char	   *name = NULL;
		AttrNumber	attno = InvalidAttrNumber;

		if (attnums != NULL)
			attnum = text_of(getIthJsonbValueFromContainer(attnums, i));
		if (names != NULL)
			name = text_of(getIthJsonbValueFromContainer(names, i));
		if (attnum != NULL)
			attno = atoi(attnum);
		if (attno <= 0 || attno > desc->natts ||
			TupleDescAttr(desc, attno - 1)->attisdropped)
			attno = name == NULL ? InvalidAttrNumber :
				ms_column_number(rel, name);
		places[i] = -1;
		if (attno == InvalidAttrNumber)
			continue;
		places[i] = place_of(target, attno);
		if (places[i] < 0 || taken[places[i]])
			key_has_changed(target, n, names);
		taken[places[i]] = true;
	}
	for (int i = 0, left = 0; i < n; i++)
	{
		if (places[i] >= 0)
			continue;
		while (taken[left])
			left++;
		places[i] = left++;
	}
}
