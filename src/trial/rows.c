/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  What a query returns: thrown away, after its output functions have run
 *	  as they would for a client, or summed up so that two can be compared.
 *
 * Two results are the same if they have the same rows in any order.  One
 * pass keeps no row: rows are hashed into buckets, and each bucket has its
 * count and the sum of its hashes.  Where those differ, a second pass keeps
 * the rows of as many of the differing buckets as is little work, to find
 * some that only one of the two has.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "shape/shape.h"
#include "trial/trial_internal.h"

/* so many rows are kept at most, and so many bytes of each */
#define KEPT_ROWS	100000
#define KEPT_TEXT	200

typedef struct MSReceiver
{
	DestReceiver pub;
	MSRows   *result;			/* NULL: not wanted */
	FmgrInfo   *functions;		/* output functions of the columns */
	MemoryContext row_context;
	MemoryContext context;
} MSReceiver;

/* a row that is kept */
typedef struct MSKept
{
	uint64		hash;
	char	   *text;
} MSKept;

/*
 * Receiving
 */

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	MSReceiver *r = (MSReceiver *) self;
	int			i;

	r->functions = palloc(desc->natts * sizeof(FmgrInfo));
	for (i = 0; i < desc->natts; i++)
	{
		Oid			function;
		bool		is_varlena;

		getTypeOutputInfo(TupleDescAttr(desc, i)->atttypid, &function,
						  &is_varlena);
		fmgr_info(function, &r->functions[i]);
	}
	if (r->result != NULL)
	{
		MemoryContext saved = MemoryContextSwitchTo(r->context);

		r->result->desc = CreateTupleDescCopy(desc);
		MemoryContextSwitchTo(saved);
	}
}

static void
keep_row(MSReceiver *r, uint64 hash, StringInfo text)
{
	MemoryContext saved = MemoryContextSwitchTo(r->context);
	MSKept	   *kept = palloc(sizeof(MSKept));
	int			len = pg_mbcliplen(text->data, text->len, KEPT_TEXT);

	kept->hash = hash;
	kept->text = psprintf("(%.*s%s)", len, text->data,
						  len < text->len ? "..." : "");
	r->result->kept = lappend(r->result->kept, kept);
	MemoryContextSwitchTo(saved);
}

static void
sum_up(MSReceiver *r, char **values, int natts)
{
	MSRows   *result = r->result;
	uint64		hash = 0;
	int			bucket;
	int			i;

	for (i = 0; i < natts; i++)
	{
		if (values[i] == NULL)
			hash = ms_hash_combine(hash, 1);
		else
			hash = hash_bytes_extended((unsigned char *) values[i],
									   strlen(values[i]), hash + 2);
	}
	bucket = hash % MS_ROWS_BUCKETS;
	result->counts[bucket]++;
	result->sums[bucket] += hash;
	if (result->wanted != NULL && result->wanted[bucket])
	{
		StringInfoData text;

		initStringInfo(&text);
		for (i = 0; i < natts; i++)
			appendStringInfo(&text, "%s%s", i > 0 ? "," : "",
							 values[i] ? values[i] : "NULL");
		keep_row(r, hash, &text);
	}
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	MSReceiver *r = (MSReceiver *) self;
	int			natts = slot->tts_tupleDescriptor->natts;
	MemoryContext saved;
	char	  **values;
	int			i;

	slot_getallattrs(slot);
	saved = MemoryContextSwitchTo(r->row_context);
	values = palloc(natts * sizeof(char *));
	for (i = 0; i < natts; i++)
		values[i] = slot->tts_isnull[i] ? NULL :
			OutputFunctionCall(&r->functions[i], slot->tts_values[i]);
	if (r->result != NULL)
		sum_up(r, values, natts);
	MemoryContextSwitchTo(saved);
	MemoryContextReset(r->row_context);
	return true;
}

static void
receiver_shutdown(DestReceiver *self)
{
}

static void
receiver_destroy(DestReceiver *self)
{
	MemoryContextDelete(((MSReceiver *) self)->row_context);
	pfree(self);
}

/*
 * For one query.  result: zeroed, its rows are added; what it keeps is in
 * the memory context that it names.
 */
DestReceiver *
ms_rows_receiver(MSRows *result)
{
	MSReceiver *r = palloc0(sizeof(MSReceiver));

	r->pub.receiveSlot = receive_row;
	r->pub.rStartup = receiver_startup;
	r->pub.rShutdown = receiver_shutdown;
	r->pub.rDestroy = receiver_destroy;
	r->pub.mydest = DestNone;
	r->result = result;
	r->context = result ? result->context : CurrentMemoryContext;
	r->row_context = AllocSetContextCreate(CurrentMemoryContext,
										   "missing_symbol result",
										   ALLOCSET_DEFAULT_SIZES);
	return (DestReceiver *) r;
}

/*
 * Comparing
 */

/* the differences of their columns, as char * */
List *
ms_rows_columns(const MSRows *a, const MSRows *b)
{
	int			na = a->desc ? a->desc->natts : 0;
	int			nb = b->desc ? b->desc->natts : 0;
	List	   *notes = NIL;
	int			i;

	if (na != nb)
		return list_make1(psprintf("a has %d columns, b has %d", na, nb));
	for (i = 0; i < na; i++)
	{
		Form_pg_attribute x = TupleDescAttr(a->desc, i);
		Form_pg_attribute y = TupleDescAttr(b->desc, i);

		if (x->atttypid != y->atttypid)
			notes = lappend(notes,
							psprintf("column %d is %s in a, %s in b", i + 1,
									 format_type_be(x->atttypid),
									 format_type_be(y->atttypid)));
	}
	return notes;
}

static bool
bucket_differs(const MSRows *a, const MSRows *b, int i)
{
	return a->counts[i] != b->counts[i] || a->sums[i] != b->sums[i];
}

bool
ms_rows_same_rows(const MSRows *a, const MSRows *b)
{
	int			i;

	for (i = 0; i < MS_ROWS_BUCKETS; i++)
	{
		if (bucket_differs(a, b, i))
			return false;
	}
	return true;
}

/* choose the buckets for a second pass; false where none is small enough */
bool
ms_rows_choose(const MSRows *a, const MSRows *b, bool *wanted)
{
	int64		rows = 0;
	int			i;

	for (i = 0; i < MS_ROWS_BUCKETS; i++)
	{
		int64		more = a->counts[i] + b->counts[i];

		wanted[i] = bucket_differs(a, b, i) && rows + more <= KEPT_ROWS;
		if (wanted[i])
			rows += more;
	}
	return rows > 0;
}

static int
by_hash(const ListCell *a, const ListCell *b)
{
	const MSKept *x = lfirst(a);
	const MSKept *y = lfirst(b);

	return x->hash < y->hash ? -1 : x->hash > y->hash ? 1 :
		strcmp(x->text, y->text);
}

/* the first of the list from i on that has another hash */
static int
skip_equal(const List *kept, int i)
{
	uint64		hash = ((MSKept *) list_nth(kept, i))->hash;

	do
		i++;
	while (i < list_length(kept) &&
		   ((MSKept *) list_nth(kept, i))->hash == hash);
	return i;
}

/* up to so many rows that one of them has more often, as char * */
List *
ms_rows_examples(MSRows *a, MSRows *b, int limit)
{
	List	   *notes = NIL;
	int			i = 0;
	int			j = 0;

	list_sort(a->kept, by_hash);
	list_sort(b->kept, by_hash);
	while (list_length(notes) < limit &&
		   (i < list_length(a->kept) || j < list_length(b->kept)))
	{
		MSKept	   *x = i < list_length(a->kept) ? list_nth(a->kept, i) : NULL;
		MSKept	   *y = j < list_length(b->kept) ? list_nth(b->kept, j) : NULL;
		bool		in_a = x != NULL && (y == NULL || x->hash <= y->hash);
		bool		in_b = y != NULL && (x == NULL || y->hash <= x->hash);
		int			next_i = in_a ? skip_equal(a->kept, i) : i;
		int			next_j = in_b ? skip_equal(b->kept, j) : j;

		if (next_i - i != next_j - j)
			notes = lappend(notes,
							psprintf("%s in %s: %s",
									 in_a && in_b ? "more often" : "only",
									 next_i - i > next_j - j ? "a" : "b",
									 in_a ? x->text : y->text));
		i = next_i;
		j = next_j;
	}
	return notes;
}
