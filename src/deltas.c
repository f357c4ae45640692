/*-------------------------------------------------------------------------
 *
 * deltas.c
 *	  What this transaction has deferred, merged in memory.
 *
 * A Key is what one counter has deferred; a tree holds the keys of all targets
 * in one total order: the target's OID, then the order of the key's index.  A
 * key has an MSDelta for each (subtransaction level, role) that has counted
 * it.  So savepoints need neither comparisons nor memory: a level that commits
 * adds its deltas to its parent's or hands them over, one that aborts frees
 * them.
 *
 * - Memory is a child of TopTransactionContext; ms_deltas_forget resets what
 *   is static as the transaction ends.
 * - Targets are pinned, because the tree is in their order; a target whose key
 *   has changed since is refused.
 * - User code can run in comparisons.  What it counts there is not deferred
 *   (ms_deltas_comparing), so the tree does not change under our feet.  For
 *   what runs in an apply, a delta is taken out before it is applied, and no
 *   pointer into the structure is held meanwhile.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "lib/ilist.h"
#include "lib/rbtree.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "missing_symbol.h"

/*
 * A trigger that increments its own target would have a commit go on forever.
 * Applied now it would run out of stack, much earlier than this.
 */
#define MAX_DEPTH	1000

typedef struct Key
{
	struct KeyNode *node;		/* where it is in the tree */
	MSTarget   *target;			/* pinned */
	Datum	   *values;			/* those of one of the deltas */
	struct MSDelta *deltas;		/* deepest level first */
} Key;

/* The tree moves its nodes' contents when one is deleted: hold no pointers. */
typedef struct KeyNode
{
	RBTNode		rbt;
	Key		   *key;
} KeyNode;

/* a subtransaction level that has deferred something */
typedef struct Level
{
	struct Level *parent;
	int			nestlevel;
	dlist_head	deltas;
} Level;

/* a value given beside the key */
typedef struct Field
{
	AttrNumber	attno;
	bool		isnull;
	bool		fills;
	Oid			typid;
	Datum		value;
} Field;

/* what one role has deferred for a key at one level; a single chunk */
struct MSDelta
{
	MSTarget   *target;			/* pinned */
	Key		   *key;			/* NULL: taken out, or a donor */
	struct MSDelta *outer;		/* the key's next delta */
	struct MSDelta *donor;		/* merged in; has values that fill */
	Level	   *level;
	dlist_node	in_level;
	Oid			role;
	int64		by;
	TimestampTz first_seen;
	TimestampTz last_seen;
	Size		size;
	int			depth;			/* 1 + that of the delta whose trigger counted it */
	bool		by_name;		/* columns were given by name */
	int			nfields;
	Field	   *fields;
	Datum		values[FLEXIBLE_ARRAY_MEMBER];	/* the key */
};

static MemoryContext deltas_cxt = NULL; /* holds all of it; NULL: nothing */
static RBTree *tree;
static Level *levels;			/* the deepest */
static List *pinned;
static Size deltas_size;
static int	taken;				/* deltas that are being applied */
static int	depth;				/* of the delta that is being applied */
static int	comparing_level;	/* of the comparison under way, or 0 */

/* With nothing deferred, what a target was before does not matter. */
static void
unpin_all(void)
{
	ListCell   *lc;

	foreach(lc, pinned)
		ms_target_release(lfirst(lc));
	list_free(pinned);
	pinned = NIL;
}

/* The transaction is over. */
void
ms_deltas_forget(void)
{
	if (deltas_cxt == NULL)
		return;
	unpin_all();
	MemoryContextDelete(deltas_cxt);
	deltas_cxt = NULL;
	tree = NULL;
	levels = NULL;
	deltas_size = 0;
	taken = 0;
	depth = 0;
	comparing_level = 0;
}

/* Is there anything that is not applied? */
bool
ms_deltas_exist(void)
{
	return deltas_cxt != NULL && rbt_leftmost(tree) != NULL;
}

/* What the deltas take, in bytes. */
Size
ms_deltas_size(void)
{
	return deltas_size;
}

/* Are keys being compared, so that the tree must not change? */
bool
ms_deltas_comparing(void)
{
	return comparing_level > 0;
}

static int
compare_nodes(const RBTNode *a, const RBTNode *b, void *arg)
{
	const Key  *x = ((const KeyNode *) a)->key;
	const Key  *y = ((const KeyNode *) b)->key;

	if (x->target != y->target)
		return x->target->relid < y->target->relid ? -1 : 1;
	return ms_compare_keys(x->target, x->values, y->values);
}

/* Keys are searched before they are inserted: nothing to combine. */
static void
combine_nodes(RBTNode *existing, const RBTNode *newdata, void *arg)
{
	elog(ERROR, "the order of a key is not consistent");
}

static RBTNode *
allocate_node(void *arg)
{
	return MemoryContextAlloc(deltas_cxt, sizeof(KeyNode));
}

/* With two children it is not the node asked for that goes. */
static KeyNode *freed_node;

static void
free_node(RBTNode *node, void *arg)
{
	freed_node = (KeyNode *) node;
	pfree(node);
}

static void
delete_key(Key *key)
{
	KeyNode	   *node = key->node;

	rbt_delete(tree, &node->rbt);
	if (freed_node != node)
		node->key->node = node;
	pfree(key);
}

/* Take a delta out; it is the caller's then. */
static void
detach(MSDelta *delta)
{
	Key		   *key = delta->key;
	MSDelta	  **link = &key->deltas;

	while (*link != delta)
		link = &(*link)->outer;
	*link = delta->outer;
	dlist_delete(&delta->in_level);
	if (key->deltas == NULL)
		delete_key(key);
	else
		key->values = key->deltas->values;
	delta->key = NULL;
}

static void
free_delta(MSDelta *delta)
{
	while (delta != NULL)
	{
		MSDelta	   *donor = delta->donor;

		deltas_size -= delta->size;
		pfree(delta);
		delta = donor;
	}
}

/* Has a delta a value for a column? */
static bool
has_value(const MSDelta *delta, AttrNumber attno)
{
	for (; delta != NULL; delta = delta->donor)
	{
		for (int i = 0; i < delta->nfields; i++)
		{
			if (delta->fields[i].attno == attno && !delta->fields[i].isnull)
				return true;
		}
	}
	return false;
}

/* Let a delta's values fill, after those of another. */
static void
add_donor(MSDelta *delta, MSDelta *donor)
{
	while (delta->donor != NULL)
		delta = delta->donor;
	delta->donor = donor;
}

/* Has a delta, or one of its donors, values that fill what another lacks? */
static bool
brings_values(const MSDelta *delta, const MSDelta *into)
{
	for (; delta != NULL; delta = delta->donor)
	{
		for (int i = 0; i < delta->nfields; i++)
		{
			if (delta->fields[i].fills && !delta->fields[i].isnull &&
				!has_value(into, delta->fields[i].attno))
				return true;
		}
	}
	return false;
}

/* Merge a delta into one of its parent's level. */
static void
merge_delta(MSDelta *into, MSDelta *delta)
{
	/* cannot overflow: check_sum looks at all sums that a merge can make */
	into->by += delta->by;
	into->first_seen = Min(into->first_seen, delta->first_seen);
	into->last_seen = Max(into->last_seen, delta->last_seen);
	into->depth = Max(into->depth, delta->depth);
	detach(delta);
	if (brings_values(delta, into))
		add_donor(into, delta);
	else
		free_delta(delta);
}

/* The key's delta of a level and role. */
static MSDelta *
find_delta(const Key *key, const Level *level, Oid role)
{
	for (MSDelta *delta = key->deltas; delta != NULL; delta = delta->outer)
	{
		if (delta->level == level && delta->role == role)
			return delta;
	}
	return NULL;
}

/* A level's subtransaction has committed. */
void
ms_deltas_commit_level(int nestlevel)
{
	Level	   *level = levels;
	Level	   *parent;
	dlist_mutable_iter iter;

	if (level == NULL || level->nestlevel < nestlevel)
		return;
	parent = level->parent;
	if (parent == NULL || parent->nestlevel < nestlevel - 1)
	{
		level->nestlevel = nestlevel - 1;
		return;
	}

	dlist_foreach_modify(iter, &level->deltas)
	{
		MSDelta	   *delta = dlist_container(MSDelta, in_level, iter.cur);
		MSDelta	   *into = find_delta(delta->key, parent, delta->role);

		if (into != NULL)
			merge_delta(into, delta);
		else
		{
			dlist_delete(&delta->in_level);
			delta->level = parent;
			dlist_push_tail(&parent->deltas, &delta->in_level);
		}
	}
	levels = parent;
	pfree(level);
}

/* A subtransaction has aborted: what was deferred in it never was. */
void
ms_deltas_abort_level(int nestlevel)
{
	if (comparing_level >= nestlevel)
		comparing_level = 0;
	while (levels != NULL && levels->nestlevel >= nestlevel)
	{
		Level	   *level = levels;
		dlist_mutable_iter iter;

		dlist_foreach_modify(iter, &level->deltas)
		{
			MSDelta	   *delta = dlist_container(MSDelta, in_level, iter.cur);

			detach(delta);
			free_delta(delta);
		}
		levels = level->parent;
		pfree(level);
	}
}

/* The level of the current subtransaction. */
static Level *
current_level(void)
{
	int			nestlevel = GetCurrentTransactionNestLevel();
	Level	   *level = levels;

	if (level == NULL || level->nestlevel < nestlevel)
	{
		level = MemoryContextAlloc(deltas_cxt, sizeof(Level));
		level->parent = levels;
		level->nestlevel = nestlevel;
		dlist_init(&level->deltas);
		levels = level;
	}
	return level;
}

/* Make what every transaction that defers needs. */
static void
begin(void)
{
	MemoryContext cxt = AllocSetContextCreate(TopTransactionContext,
											  "missing_symbol deltas",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);

	tree = rbt_create(sizeof(KeyNode), compare_nodes, combine_nodes,
					  allocate_node, free_node, NULL);
	MemoryContextSwitchTo(oldcxt);
	deltas_cxt = cxt;
}

/* Is the key that of when the first delta was deferred? */
static bool
same_key(const MSTarget *a, const MSTarget *b)
{
	bool		same = a->nkeys == b->nkeys;

	for (int i = 0; same && i < a->nkeys; i++)
		same = a->keys[i].column.attno == b->keys[i].column.attno &&
			a->keys[i].column.typid == b->keys[i].column.typid &&
			a->keys[i].collation == b->keys[i].collation &&
			a->keys[i].eqop == b->keys[i].eqop;
	return same;
}

static void
check_same_key(const MSTarget *then, const MSTarget *now)
{
	if (then != now && !same_key(then, now))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the key of table %s has changed since this transaction deferred increments of it",
						now->name),
				 errhint("Change the key before the transaction's first increment or in a transaction of its own, or SET missing_symbol.apply = 'now' (track(..., apply => 'now')).")));
}

/* The target as it was at its first delta; NULL where nothing is deferred. */
static MSTarget *
find_pinned(MSTarget *target)
{
	ListCell   *lc;

	foreach(lc, pinned)
	{
		MSTarget   *result = lfirst(lc);

		if (result->relid == target->relid)
		{
			check_same_key(result, target);
			return result;
		}
	}
	return NULL;
}

static MSTarget *
pin(MSTarget *target)
{
	MSTarget   *result = find_pinned(target);

	if (result == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(deltas_cxt);

		/* its order, while the index is open to us */
		ms_prepare_key_order(target);
		pinned = lcons(target, pinned);
		MemoryContextSwitchTo(oldcxt);
		ms_target_pin(target);
		result = target;
	}
	return result;
}

static void
key_of_row(const MSTarget *target, const MSRow *row, Datum *values)
{
	for (int i = 0; i < target->nkeys; i++)
		values[i] = row->values[target->keys[i].column.attno - 1];
}

static Key *
find_key(MSTarget *target, Datum *values)
{
	Key			probe;
	KeyNode		node;
	KeyNode	   *found;
	int			outer = comparing_level;

	probe.target = target;
	probe.values = values;
	node.key = &probe;
	comparing_level = GetCurrentTransactionNestLevel();
	found = (KeyNode *) rbt_find(tree, &node.rbt);
	comparing_level = outer;
	return found != NULL ? found->key : NULL;
}

/* Put a key that is not there into the tree. */
static Key *
insert_key(MSTarget *target, Datum *values)
{
	Key		   *key = MemoryContextAllocZero(deltas_cxt, sizeof(Key));
	KeyNode		node;
	bool		is_new;
	int			outer = comparing_level;

	key->target = target;
	key->values = values;
	node.key = key;
	comparing_level = GetCurrentTransactionNestLevel();
	key->node = (KeyNode *) rbt_insert(tree, &node.rbt, &is_new);
	comparing_level = outer;
	return key;
}

/* Space that a value takes behind its delta. */
static Size
value_space(Form_pg_attribute att, Datum *value)
{
	if (att->attbyval)
		return 0;
	if (att->attlen == -1)
		*value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(*value));
	return MAXALIGN(datumGetSize(*value, false, att->attlen));
}

static Datum
move_value(Form_pg_attribute att, Datum value, char **space)
{
	Size		size;
	char	   *result = *space;

	if (att->attbyval)
		return value;
	size = datumGetSize(value, false, att->attlen);
	memcpy(result, DatumGetPointer(value), size);
	*space += MAXALIGN(size);
	return PointerGetDatum(result);
}

/* The columns that are given beside the key. */
static Bitmapset *
other_columns(const MSTarget *target, const MSRow *row)
{
	Bitmapset  *result;

	if (row->given == NULL)
		return NULL;
	result = bms_copy(row->given);
	for (int i = 0; i < target->nkeys; i++)
		result = bms_del_member(result, target->keys[i].column.attno);
	return result;
}

/* Copy a row; linked to nothing yet. */
static MSDelta *
make_delta(MSTarget *target, Relation rel, const MSRow *row, TimestampTz now)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Bitmapset  *others = other_columns(target, row);
	int			nfields = bms_num_members(others);
	Datum		key[INDEX_MAX_KEYS];
	Datum	   *values = palloc(sizeof(Datum) * Max(nfields, 1));
	Size		fixed = MAXALIGN(offsetof(MSDelta, values) +
								 sizeof(Datum) * target->nkeys);
	Size		size;
	MSDelta	   *delta;
	char	   *space;
	int			attno = -1;
	int			n = 0;

	fixed += MAXALIGN(sizeof(Field) * nfields);
	size = fixed + sizeof(Key) + sizeof(KeyNode);
	key_of_row(target, row, key);
	for (int i = 0; i < target->nkeys; i++)
		size += value_space(TupleDescAttr(desc, target->keys[i].column.attno - 1),
							&key[i]);
	while ((attno = bms_next_member(others, attno)) >= 0)
	{
		values[n] = row->values[attno - 1];
		if (!row->isnull[attno - 1])
			size += value_space(TupleDescAttr(desc, attno - 1), &values[n]);
		n++;
	}

	delta = MemoryContextAllocHuge(deltas_cxt, size);
	memset(delta, 0, fixed);
	space = (char *) delta + fixed;
	delta->role = GetUserId();
	delta->by = row->by;
	delta->first_seen = now;
	delta->last_seen = now;
	delta->depth = depth + 1;
	delta->size = size;
	delta->by_name = row->given != NULL;
	delta->nfields = nfields;
	delta->fields = (Field *) ((char *) delta + fixed -
							   MAXALIGN(sizeof(Field) * nfields));
	for (int i = 0; i < target->nkeys; i++)
		delta->values[i] = move_value(TupleDescAttr(desc, target->keys[i].column.attno - 1),
									  key[i], &space);
	n = 0;
	attno = -1;
	while ((attno = bms_next_member(others, attno)) >= 0)
	{
		Field	   *field = &delta->fields[n];

		field->attno = attno;
		field->isnull = row->isnull[attno - 1];
		field->fills = bms_is_member(attno, target->fill);
		field->typid = TupleDescAttr(desc, attno - 1)->atttypid;
		if (!field->isnull)
			field->value = move_value(TupleDescAttr(desc, attno - 1),
									  values[n], &space);
		n++;
	}
	deltas_size += size;
	return delta;
}

/*
 * Every sum that committing subtransactions can make of a role's deltas must
 * fit, the new amount included.
 */
static void
check_sum(const Key *key, Oid role, int64 by)
{
	int64		sum = by;

	for (const MSDelta *delta = key->deltas; delta != NULL; delta = delta->outer)
	{
		if (delta->role == role &&
			pg_add_s64_overflow(sum, delta->by, &sum))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range"),
					 errdetail("The amounts that this transaction has deferred for one key of table %s do not fit into a bigint.",
							   key->target->name)));
	}
}

static void
add_to_delta(MSTarget *target, Relation rel, MSDelta *delta, const MSRow *row,
			 TimestampTz now)
{
	int			attno = -1;

	delta->by += row->by;
	delta->last_seen = Max(delta->last_seen, now);
	delta->depth = Max(delta->depth, depth + 1);
	while ((attno = bms_next_member(target->fill, attno)) >= 0)
	{
		if (!row->isnull[attno - 1] && !has_value(delta, attno))
		{
			add_donor(delta, make_delta(target, rel, row, now));
			break;
		}
	}
}

/*
 * Add a row, counted now by the current role; privileges have been checked.
 */
void
ms_deltas_add(MSTarget *target, Relation rel, MSRow *row)
{
	TimestampTz now = ms_clock();
	Oid			role = GetUserId();
	MSTarget   *then;
	Datum		values[INDEX_MAX_KEYS];
	Key		   *key;
	Level	   *level;
	MSDelta	   *delta = NULL;

	if (depth >= MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("deferred increments go on without end"),
				 errdetail("A trigger's increment has fired a trigger that increments, %d times over, last in table %s.",
						   MAX_DEPTH, target->name)));
	if (deltas_cxt == NULL)
		begin();
	if (taken == 0 && !ms_deltas_exist())
		unpin_all();
	then = pin(target);
	key_of_row(target, row, values);
	key = find_key(then, values);
	level = current_level();
	if (key != NULL)
	{
		check_sum(key, role, row->by);
		delta = find_delta(key, level, role);
	}
	if (delta != NULL)
	{
		add_to_delta(target, rel, delta, row, now);
		return;
	}

	delta = make_delta(target, rel, row, now);
	if (key == NULL)
		key = insert_key(then, delta->values);
	delta->target = then;
	delta->key = key;
	delta->level = level;
	delta->outer = key->deltas;
	key->deltas = delta;
	key->values = delta->values;
	dlist_push_tail(&level->deltas, &delta->in_level);
}

/*
 * Reading
 */

/* Make a row of a key without fields. */
static MSRow *
row_of_delta(const MSTarget *target, Relation rel, const MSDelta *delta)
{
	MSRow	   *row = ms_row_make(rel);

	for (int i = 0; i < target->nkeys; i++)
	{
		AttrNumber	attno = target->keys[i].column.attno;

		row->values[attno - 1] = delta->values[i];
		row->isnull[attno - 1] = false;
		if (delta->by_name)
			row->given = bms_add_member(row->given, attno);
	}
	row->by = delta->by;
	row->timed = true;
	row->first_seen = delta->first_seen;
	row->last_seen = delta->last_seen;
	return row;
}

/* A column that was dropped after it was given goes without a word. */
static bool
field_is_there(const MSTarget *target, Relation rel, const Field *field)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
										  field->attno - 1);

	if (att->attisdropped)
		return false;
	if (att->atttypid != field->typid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the type of column \"%s\" of table %s has changed since this transaction deferred increments with a value for it",
						NameStr(att->attname), target->name),
				 errhint("Change the column before the transaction's first increment or in a transaction of its own, or SET missing_symbol.apply = 'now' (track(..., apply => 'now')).")));
	return true;
}

static void
set_field(MSRow *row, const Field *field)
{
	row->values[field->attno - 1] = field->value;
	row->isnull[field->attno - 1] = field->isnull;
	row->given = bms_add_member(row->given, field->attno);
}

/*
 * Fill a row from a delta and its donors; as in a batch, what a new counter
 * would get from a default is not filled.
 */
static void
fill_fields(const MSTarget *target, Relation rel, MSRow *row,
			const MSDelta *delta)
{
	for (; delta != NULL; delta = delta->donor)
	{
		for (int i = 0; i < delta->nfields; i++)
		{
			const Field *field = &delta->fields[i];
			AttrNumber	attno = field->attno;

			if (field->fills && !field->isnull && row->isnull[attno - 1] &&
				field_is_there(target, rel, field) &&
				(bms_is_member(attno, row->given) ||
				 !TupleDescAttr(RelationGetDescr(rel), attno - 1)->atthasdef))
				set_field(row, field);
		}
	}
}

/*
 * A delta as a row of the target, which is open.  Error where the target has
 * changed so that it cannot be one.
 */
MSRow *
ms_delta_row(const MSDelta *delta, const MSTarget *target, Relation rel)
{
	MSRow	   *row;

	check_same_key(delta->target, target);
	row = row_of_delta(target, rel, delta);
	for (int i = 0; i < delta->nfields; i++)
	{
		if (field_is_there(target, rel, &delta->fields[i]))
			set_field(row, &delta->fields[i]);
	}
	fill_fields(target, rel, row, delta->donor);
	return row;
}

/* What the key of a row has deferred in this transaction. */
bool
ms_pending_sum(MSTarget *target, const MSRow *row, int64 *sum)
{
	MSTarget   *then;
	Datum		values[INDEX_MAX_KEYS];
	Key		   *key;

	if (!ms_deltas_exist() || (then = find_pinned(target)) == NULL)
		return false;
	key_of_row(target, row, values);
	key = find_key(then, values);
	if (key == NULL)
		return false;
	*sum = 0;
	for (const MSDelta *delta = key->deltas; delta != NULL; delta = delta->outer)
	{
		if (pg_add_s64_overflow(*sum, delta->by, sum))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range"),
					 errdetail("The count of a key of table %s and what this transaction has deferred do not fit into a bigint.",
							   target->name)));
	}
	return true;
}

/* All deltas of a key as one row. */
static MSRow *
row_of_key(const MSTarget *target, Relation rel, const Key *key)
{
	const MSDelta *delta;
	List	   *outermost_first = NIL;
	MSRow	   *row = NULL;
	ListCell   *lc;

	for (delta = key->deltas; delta != NULL; delta = delta->outer)
		outermost_first = lcons((void *) delta, outermost_first);
	foreach(lc, outermost_first)
	{
		delta = lfirst(lc);
		if (row == NULL)
		{
			row = ms_delta_row(delta, target, rel);
			continue;
		}
		if (pg_add_s64_overflow(row->by, delta->by, &row->by))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range"),
					 errdetail("The amounts that this transaction has deferred for one key of table %s do not fit into a bigint.",
							   target->name)));
		row->first_seen = Min(row->first_seen, delta->first_seen);
		row->last_seen = Max(row->last_seen, delta->last_seen);
		fill_fields(target, rel, row, delta);
	}
	return row;
}

/* Call function for each key of a target. */
void
ms_pending_foreach(MSTarget *target, Relation rel,
				   void (*function) (MSRow *row, void *arg), void *arg)
{
	RBTreeIterator iterator;
	KeyNode	   *node;

	if (!ms_deltas_exist() || find_pinned(target) == NULL)
		return;
	rbt_begin_iterate(tree, LeftRightWalk, &iterator);
	while ((node = (KeyNode *) rbt_iterate(&iterator)) != NULL)
	{
		if (node->key->target->relid == target->relid)
			function(row_of_key(target, rel, node->key), arg);
	}
}

/*
 * Taking out
 */

static MSDelta *
take(MSDelta *delta)
{
	detach(delta);
	taken++;
	return delta;
}

/* Give back a delta that was taken out. */
void
ms_delta_free(MSDelta *delta)
{
	taken--;
	free_delta(delta);
}

/* What is added from now on is so much deeper; returns what it was. */
int
ms_deltas_set_depth(int new_depth)
{
	int			outer = depth;

	depth = new_depth;
	return outer;
}

int
ms_delta_depth(const MSDelta *delta)
{
	return delta->depth;
}

/* Whose counter a delta belongs to, and who counted it. */
void
ms_delta_identity(const MSDelta *delta, Oid *relid, Oid *role)
{
	*relid = delta->target->relid;
	*role = delta->role;
}

/*
 * Take out the first delta in the total order: target, key, role.  NULL where
 * there is none.
 */
MSDelta *
ms_deltas_take_first(void)
{
	MSDelta    *first;

	if (!ms_deltas_exist())
		return NULL;
	first = ((KeyNode *) rbt_leftmost(tree))->key->deltas;
	for (MSDelta *delta = first->outer; delta != NULL; delta = delta->outer)
	{
		if (delta->role < first->role)
			first = delta;
	}
	return take(first);
}

static int
compare_deltas(const void *a, const void *b)
{
	const MSDelta *x = *(MSDelta *const *) a;
	const MSDelta *y = *(MSDelta *const *) b;

	if (x->key != y->key)
		return compare_nodes(&x->key->node->rbt, &y->key->node->rbt, NULL);
	return x->role < y->role ? -1 : x->role > y->role;
}

/*
 * Bring the deltas of the current level into the total order; their number.
 * What is added from now on comes behind them.
 */
int
ms_deltas_sort_level(void)
{
	Level	   *level = current_level();
	int			n = 0;
	MSDelta   **deltas;
	dlist_iter	iter;
	int			outer = comparing_level;

	dlist_foreach(iter, &level->deltas)
		n++;
	deltas = MemoryContextAllocHuge(CurrentMemoryContext,
									sizeof(MSDelta *) * Max(n, 1));
	n = 0;
	dlist_foreach(iter, &level->deltas)
		deltas[n++] = dlist_container(MSDelta, in_level, iter.cur);
	comparing_level = level->nestlevel;
	qsort(deltas, n, sizeof(MSDelta *), compare_deltas);
	comparing_level = outer;
	dlist_init(&level->deltas);
	for (int i = 0; i < n; i++)
		dlist_push_tail(&level->deltas, &deltas[i]->in_level);
	pfree(deltas);
	return n;
}

/* Take out the first delta of the current level; NULL: there is none. */
MSDelta *
ms_deltas_take_of_level(void)
{
	Level	   *level = current_level();

	if (dlist_is_empty(&level->deltas))
		return NULL;
	return take(dlist_container(MSDelta, in_level,
								dlist_head_node(&level->deltas)));
}
