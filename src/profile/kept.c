/*-------------------------------------------------------------------------
 *
 * kept.c
 *	  What is kept of plans: facts, and once for each shape that has one the
 *	  statement, so that it can be planned again.
 *
 * They lie one after the other in a piece of the profile's memory.  A fact
 * that is known already is only added to.  What finds no room takes that of
 * those not seen for longest.
 *
 * Of a statement, its text is kept up to 4 kB, as whom and with which
 * search_path it ran, and the values of its parameters, if these are at most
 * 32 of 64 bytes each: those of the execution that discarded most.  Nobody is
 * shown them.
 *
 * This runs within the user's statement, as facts.c: it reads no catalog.  How
 * values of a type are stored that is not among the usual ones (an enum, one of
 * an extension, a domain) is known where a table that the statement reads has a
 * column of it, or the plan a constant.  Whoever reads looks whether the type is
 * as it was then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "advice/advice.h"
#include "profile/profile.h"
#include "profile/statement_internal.h"

/* an entry may take this share of the memory */
#define ENTRY_PART		8

#define PARAMS_MAX		32
#define VALUE_MAX		64

/* followed by the clauses and the order as text, or by a statement's parts */
typedef struct Entry
{
	MSFact		fact;			/* of a statement: whose it is */
	uint64		last_used;
	int			size;			/* of it all, aligned */
	bool		is_statement;

	/* of a statement */
	double		worst;			/* rows that it discarded */
	int64		plan_ns;
	int			nparams;		/* a KeptValue each */
	bool		values_known;
	int			path;			/* where in rest its search_path is */
	int			text;
	char		rest[FLEXIBLE_ARRAY_MEMBER];
} Entry;

typedef struct KeptValue
{
	Oid			type;
	int16		typlen;			/* as pg_type has it; 0: of
								 * ms_value_size() */
	bool		byval;			/* then it is a Datum */
	int			len;			/* -1: NULL */
	char		bytes[VALUE_MAX];
} KeptValue;

static char *entries;
static Size capacity;
static Size used;
static uint64 uses;

/*
 * Memory
 */

void
ms_facts_attach(char *memory, Size size)
{
	entries = memory;
	capacity = size;
}

void
ms_facts_reset(void)
{
	used = 0;
	uses = 0;
}

static Entry *
next_entry(Entry *entry)
{
	char	   *next = entry == NULL ? entries :
		(char *) entry + entry->size;

	return next < entries + used ? (Entry *) next : NULL;
}

static void
remove_entry(Entry *entry)
{
	char	   *end = (char *) entry + entry->size;

	used -= entry->size;
	memmove(entry, end, entries + used - (char *) entry);
}

static void
evict_oldest(void)
{
	Entry	   *oldest = (Entry *) entries;
	Entry	   *entry = NULL;

	while ((entry = next_entry(entry)) != NULL)
		if (entry->last_used < oldest->last_used)
			oldest = entry;
	remove_entry(oldest);
	ms_profile.facts_lost++;
}

/* NULL: it is too large */
static Entry *
new_entry(Size rest)
{
	Size		size = MAXALIGN(offsetof(Entry, rest) + rest);
	Entry	   *entry;

	if (size > capacity / ENTRY_PART)
	{
		ms_profile.facts_lost++;
		return NULL;
	}
	while (used + size > capacity)
		evict_oldest();
	entry = (Entry *) (entries + used);
	memset(entry, 0, offsetof(Entry, rest));
	entry->last_used = ++uses;
	entry->size = size;
	used += size;
	return entry;
}

/*
 * Facts
 */

static Entry *
find_fact(const MSFact *fact)
{
	Entry	   *entry = NULL;

	while ((entry = next_entry(entry)) != NULL)
		if (!entry->is_statement && ms_fact_is_same(&entry->fact, fact))
			return entry;
	return NULL;
}

void
ms_keep_fact(const MSFact *fact)
{
	Entry	   *entry = find_fact(fact);
	char	   *conditions;

	if (entry != NULL)
	{
		ms_fact_add(&entry->fact, fact);
		entry->last_used = ++uses;
		return;
	}
	conditions = nodeToString(list_make2(fact->clauses, fact->order));
	entry = new_entry(strlen(conditions) + 1);
	if (entry == NULL)
		return;
	entry->fact = *fact;
	entry->fact.clauses = NIL;
	entry->fact.order = NIL;
	strcpy(entry->rest, conditions);
}

/*
 * Statements
 */

static Entry *
find_statement(const MSFact *owner)
{
	Entry	   *entry = NULL;

	while ((entry = next_entry(entry)) != NULL)
		if (entry->is_statement && entry->fact.shape == owner->shape &&
			entry->fact.userid == owner->userid &&
			entry->fact.toplevel == owner->toplevel)
			return entry;
	return NULL;
}

/* its own part of the text; NULL: it is too long */
char *
ms_keep_source(QueryDesc *queryDesc)
{
	const char *text = queryDesc->sourceText;
	int			location = queryDesc->plannedstmt->stmt_location;
	int			len = queryDesc->plannedstmt->stmt_len;

	/* what was rewritten may have places in another text */
	if (location > 0 && strnlen(text, location) < location)
		return NULL;
	if (location > 0)
		text += location;
	if (location < 0 || len <= 0)
		len = strnlen(text, MS_KEPT_TEXT + 1);
	return len > MS_KEPT_TEXT ? NULL : pnstrdup(text, strnlen(text, len));
}

/* a value as the plan has it; context: of the type that is looked for */
static bool
find_constant(Node *node, void *context)
{
	KeptValue  *of = context;

	if (node == NULL)
		return false;
	if (IsA(node, Const) && ((Const *) node)->consttype == of->type)
	{
		of->typlen = ((Const *) node)->constlen;
		of->byval = ((Const *) node)->constbyval;
		return true;
	}
	return expression_tree_walker(node, find_constant, context);
}

/* a column of a table that is open */
static bool
find_column(EState *estate, KeptValue *of)
{
	Index		i;
	int			j;

	for (i = 0; i < estate->es_range_table_size; i++)
	{
		Relation	rel = estate->es_relations ? estate->es_relations[i] : NULL;

		for (j = 0; rel != NULL && j < RelationGetNumberOfAttributes(rel); j++)
		{
			Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), j);

			if (att->attisdropped || att->atttypid != of->type)
				continue;
			of->typlen = att->attlen;
			of->byval = att->attbyval;
			return true;
		}
	}
	return false;
}

static bool
find_type(QueryDesc *queryDesc, List *facts, KeptValue *of)
{
	ListCell   *lc;

	foreach(lc, facts)
		if (find_constant((Node *) ((MSFact *) lfirst(lc))->clauses, of))
			return true;
	return find_column(queryDesc->estate, of);
}

/* false: it is not one that is kept */
static bool
keep_value(KeptValue *to, const ParamExternData *from, QueryDesc *queryDesc,
		   List *facts)
{
	int			size = ms_value_size(from->ptype);
	const void *bytes = DatumGetPointer(from->value);

	to->type = from->ptype;
	to->typlen = 0;
	to->byval = size == sizeof(Datum);
	to->len = -1;
	if (from->isnull)
		return true;
	if (size == 0 && find_type(queryDesc, facts, to))
		size = to->byval ? sizeof(Datum) : to->typlen;
	if (to->byval)
		bytes = &from->value;
	else if (size == -1)
	{
		if (VARATT_IS_EXTERNAL(bytes) || VARATT_IS_COMPRESSED(bytes))
			return false;
		size = VARSIZE_ANY(bytes);
	}
	if (size <= 0 || size > VALUE_MAX)
		return false;
	memcpy(to->bytes, bytes, size);
	to->len = size;
	return true;
}

/*
 * Is the type still stored as the value is?  Rows are not kept: what they
 * consist of can be altered.
 */
static bool
is_as_it_was(const KeptValue *value)
{
	Oid			type = value->type;
	bool		same = true;
	char		kind;

	if (value->typlen == 0)
		return true;
	do
	{
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
		Form_pg_type form;

		if (!HeapTupleIsValid(tuple))
			return false;
		form = (Form_pg_type) GETSTRUCT(tuple);
		if (type == value->type)
			same = form->typlen == value->typlen &&
				form->typbyval == value->byval;
		kind = form->typtype;
		type = kind == TYPTYPE_DOMAIN ? form->typbasetype :
			kind == TYPTYPE_BASE && form->typlen == -1 ? form->typelem :
			InvalidOid;
		ReleaseSysCache(tuple);
	} while (same && OidIsValid(type));
	return same && (kind == TYPTYPE_BASE || kind == TYPTYPE_ENUM);
}

/* text: see ms_plan_end() */
void
ms_keep_statement(const MSFact *owner, QueryDesc *queryDesc, List *facts,
				  const char *text, int64 plan_ns, double worst)
{
	ParamListInfo params = queryDesc->params;
	int			nparams = params ? params->numParams : 0;
	Entry	   *entry = find_statement(owner);
	Size		path_len = strlen(namespace_search_path) + 1;
	KeptValue	   *values;
	int			i;

	if (entry != NULL && entry->worst >= worst)
	{
		entry->last_used = ++uses;
		return;
	}
	if (text == NULL)
		text = ms_keep_source(queryDesc);

	/* a function's variables are known by name to its language alone */
	if (text == NULL || *text == '\0' || nparams > PARAMS_MAX ||
		(params != NULL && params->paramFetch != NULL))
		return;
	if (entry != NULL)
		remove_entry(entry);
	entry = new_entry(sizeof(KeptValue) * nparams + path_len + strlen(text) + 1);
	if (entry == NULL)
		return;
	entry->is_statement = true;
	entry->fact = *owner;
	entry->worst = worst;
	entry->plan_ns = plan_ns;
	entry->nparams = nparams;
	entry->values_known = true;
	values = (KeptValue *) entry->rest;
	for (i = 0; i < nparams; i++)
		if (!keep_value(&values[i], &params->params[i], queryDesc, facts))
			entry->values_known = false;
	entry->path = sizeof(KeptValue) * nparams;
	entry->text = entry->path + path_len;
	strcpy(entry->rest + entry->path, namespace_search_path);
	strcpy(entry->rest + entry->text, text);
}

static MSKept *
copy_statement(const Entry *entry)
{
	MSKept	   *kept = palloc0(sizeof(MSKept));
	const KeptValue *values = (const KeptValue *) entry->rest;
	int			i;

	kept->text = pstrdup(entry->rest + entry->text);
	kept->search_path = pstrdup(entry->rest + entry->path);
	kept->userid = entry->fact.userid;
	kept->plan_ns = entry->plan_ns;
	kept->values_known = entry->values_known;
	kept->nparams = entry->nparams;
	if (entry->nparams == 0)
		return kept;
	kept->types = palloc(sizeof(Oid) * entry->nparams);
	kept->params = makeParamList(entry->nparams);
	for (i = 0; i < entry->nparams; i++)
	{
		ParamExternData *p = &kept->params->params[i];
		const KeptValue *v = &values[i];

		kept->types[i] = v->type;
		p->ptype = v->type;
		p->pflags = PARAM_FLAG_CONST;
		p->isnull = v->len < 0;
		if (!is_as_it_was(v))
			kept->values_known = false;
		if (v->len < 0)
			p->value = (Datum) 0;
		else if (v->byval)
			memcpy(&p->value, v->bytes, sizeof(Datum));
		else
			p->value = PointerGetDatum(memcpy(palloc(v->len), v->bytes,
											  v->len));
	}
	return kept;
}

/* those that the user may see, or those that he may not */
List *
ms_profile_facts(bool visible)
{
	List	   *facts = NIL;
	Entry	   *entry = NULL;

	while ((entry = next_entry(entry)) != NULL)
	{
		MSFact	   *fact;
		Entry	   *statement;
		List	   *conditions;

		if (entry->is_statement || ms_may_see(entry->fact.userid) != visible)
			continue;
		fact = palloc(sizeof(MSFact));
		*fact = entry->fact;
		conditions = stringToNode(entry->rest);
		fact->clauses = linitial(conditions);
		fact->order = lsecond(conditions);
		statement = find_statement(fact);
		if (statement != NULL)
			fact->kept = copy_statement(statement);
		facts = lappend(facts, fact);
	}
	return facts;
}
