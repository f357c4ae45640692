/*-------------------------------------------------------------------------
 *
 * deltas.c
 *	  What this transaction has deferred, merged in memory.
 *
 * A Key is what one counter has deferred; a tree holds the keys of all targets
 * in one total order: the target's OID, then the order of the key's index.  A
 * key has an MSDelta for each (subtransaction level, caller) that has counted
 * it; a caller is a role with a search_path, in a security-definer context or
 * not.  So savepoints need neither comparisons nor memory: a level that
 * commits adds its deltas to its parent's or hands them over, one that aborts
 * frees them.
 *
 * - What is discarded of the current level is freed; of outer ones it comes
 *   back where this level is rolled back.  So a discard is put before them, a
 *   delta without an amount: what is behind it in its key does not count, and
 *   is freed as the discard comes to its level.  There is always something
 *   behind one; at the transaction's end none is left.
 * - All of it is in one memory context and one struct (xact), which
 *   ms_deltas_forget resets as the transaction ends.
 * - Targets are pinned, because the tree is in their order; a target whose key
 *   has changed since is refused.
 * - User code can run in comparisons of keys and of what merges.  What it counts
 *   there is not deferred (ms_deltas_comparing), so neither the tree nor a key's
 *   deltas change under our feet.  For what runs in an apply, a delta is taken
 *   out before it is applied, and no pointer into the structure is held meanwhile.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "lib/ilist.h"
#include "lib/rbtree.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "aside/aside.h"
#include "aside/aside_internal.h"
#include "counter/counter.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

/*
 * A trigger that increments its own target would have a commit go on forever.
 * Applied now it would run out of stack, much earlier than this.
 */
#define MAX_DEPTH	1000

typedef struct MSDeltaKey
{
	struct KeyNode *node;		/* where it is in the tree */
	MSTarget   *target;			/* pinned */
	Datum	   *values;			/* those of one of the deltas that has them */
	uint32		nulls;			/* of these, a bit each */
	struct MSDelta *deltas;		/* deepest level first */
} Key;

/* The tree moves its nodes' contents when one is deleted: hold no pointers. */
typedef struct KeyNode
{
	RBTNode		rbt;
	Key		   *key;
} KeyNode;

/* a search_path that something was deferred with */
typedef struct Path
{
	struct Path *next;
	char		text[FLEXIBLE_ARRAY_MEMBER];
} Path;

/* a subtransaction level that has deferred something */
typedef struct MSDeltaLevel
{
	struct MSDeltaLevel *parent;
	int			nestlevel;
	dlist_head	deltas;
} Level;

static MemoryContext deltas_cxt = NULL; /* holds all of it */

/* what this transaction has; all zero: nothing */
static struct
{
	RBTree	   *tree;			/* NULL: nothing was ever deferred */
	KeyNode    *freed;			/* what went of it last */
	Level	   *levels;			/* the deepest */
	Path	   *paths;			/* the latest */
	MSTarget   *pinned;			/* the latest */
	Size		size;			/* bytes */
	int			taken;			/* deltas that are being applied */
	int			depth;			/* of the delta that is being applied */
	int			comparing_level;	/* of the first comparison under way, or 0 */
}			xact;

/* With nothing deferred, what a target was before does not matter. */
static void
unpin_all(void)
{
	while (xact.pinned != NULL)
	{
		MSTarget   *target = xact.pinned;

		xact.pinned = target->next_pinned;
		ms_target_release(target);
	}
}

/* The transaction is over. */
void
ms_deltas_forget(void)
{
	if (xact.tree == NULL)
		return;
	unpin_all();
	MemoryContextReset(deltas_cxt);
	memset(&xact, 0, sizeof(xact));
}

/* Is there anything that is not applied? */
bool
ms_deltas_exist(void)
{
	return xact.tree != NULL && rbt_leftmost(xact.tree) != NULL;
}

/* Are keys being compared, so that the tree must not change? */
bool
ms_deltas_comparing(void)
{
	return xact.comparing_level > 0;
}

static int
compare_nodes(const RBTNode *a, const RBTNode *b, void *arg)
{
	const Key  *x = ((const KeyNode *) a)->key;
	const Key  *y = ((const KeyNode *) b)->key;

	if (x->target != y->target)
		return x->target->relid < y->target->relid ? -1 : 1;
	return ms_compare_keys(x->target, x->values, x->nulls, y->values, y->nulls);
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
static void
free_node(RBTNode *node, void *arg)
{
	xact.freed = (KeyNode *) node;
	pfree(node);
}

static void
delete_key(Key *key)
{
	KeyNode	   *node = key->node;

	rbt_delete(xact.tree, &node->rbt);
	if (xact.freed != node)
		node->key->node = node;
	pfree(key);
}

/* The same where it counts: NULL at a discard, for what is behind it. */
static MSDelta *
counts(MSDelta *delta)
{
	return delta != NULL && delta->discards ? NULL : delta;
}

/* Let a key have the values of a delta that has some. */
static void
set_key_values(Key *key)
{
	MSDelta	   *delta = key->deltas;

	while (delta->discards && delta->outer != NULL)
		delta = delta->outer;
	key->values = delta->values;
	key->nulls = delta->nulls;
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
		set_key_values(key);
	delta->key = NULL;
}

static void
free_delta(MSDelta *delta)
{
	while (delta != NULL)
	{
		MSDelta	   *donor = delta->donor;

		xact.size -= delta->size;
		pfree(delta);
		delta = donor;
	}
}

static void
remove_delta(MSDelta *delta)
{
	detach(delta);
	free_delta(delta);
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
	if (ms_delta_brings_values(delta, into))
		ms_delta_add_donor(into, delta);
	else
		free_delta(delta);
}

static bool
same_caller(const MSDelta *a, const MSDelta *b)
{
	return a->role == b->role && a->definer == b->definer &&
		a->search_path == b->search_path;
}

/* The key's delta of a level and of the same caller as another. */
static MSDelta *
find_delta(const Key *key, const Level *level, const MSDelta *like)
{
	for (MSDelta *delta = key->deltas; delta != NULL; delta = delta->outer)
	{
		if (delta->level == level && same_caller(delta, like))
			return delta;
	}
	return NULL;
}

/*
 * A discard comes to another level: what that has of the key was discarded.
 * False where nothing is left behind it, and so it is gone.
 */
static bool
discard_of_level(MSDelta *discard, const Level *level)
{
	while (discard->outer != NULL && discard->outer->level == level)
		remove_delta(discard->outer);
	if (discard->outer != NULL)
		return true;
	remove_delta(discard);
	return false;
}

/* A level's subtransaction has committed. */
void
ms_deltas_commit_level(int nestlevel)
{
	Level	   *level = xact.levels;
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
		MSDelta	   *into;

		if (delta->discards && !discard_of_level(delta, parent))
			continue;
		into = find_delta(delta->key, parent, delta);
		if (into != NULL)
			merge_delta(into, delta);
		else
		{
			dlist_delete(&delta->in_level);
			delta->level = parent;
			dlist_push_tail(&parent->deltas, &delta->in_level);
		}
	}
	xact.levels = parent;
	pfree(level);
}

/* A subtransaction has aborted: what was deferred in it never was. */
void
ms_deltas_abort_level(int nestlevel)
{
	if (xact.comparing_level >= nestlevel)
		xact.comparing_level = 0;
	while (xact.levels != NULL && xact.levels->nestlevel >= nestlevel)
	{
		Level	   *level = xact.levels;
		dlist_mutable_iter iter;

		dlist_foreach_modify(iter, &level->deltas)
			remove_delta(dlist_container(MSDelta, in_level, iter.cur));
		xact.levels = level->parent;
		pfree(level);
	}
}

/* The level of the current subtransaction. */
static Level *
current_level(void)
{
	int			nestlevel = GetCurrentTransactionNestLevel();
	Level	   *level = xact.levels;

	if (level == NULL || level->nestlevel < nestlevel)
	{
		level = MemoryContextAlloc(deltas_cxt, sizeof(Level));
		level->parent = xact.levels;
		level->nestlevel = nestlevel;
		dlist_init(&level->deltas);
		xact.levels = level;
	}
	return level;
}

/* The current search_path, the same pointer for the same one. */
static const char *
current_path(void)
{
	Path	   *path = xact.paths;
	Size		size;

	while (path != NULL && strcmp(path->text, namespace_search_path) != 0)
		path = path->next;
	if (path == NULL)
	{
		size = strlen(namespace_search_path) + 1;
		path = MemoryContextAlloc(deltas_cxt, offsetof(Path, text) + size);
		memcpy(path->text, namespace_search_path, size);
		path->next = xact.paths;
		xact.paths = path;
		xact.size += size;
	}
	return path->text;
}

/* Make what every transaction that defers needs. */
static void
begin(void)
{
	MemoryContext oldcxt;

	if (deltas_cxt == NULL)
		deltas_cxt = AllocSetContextCreate(TopMemoryContext,
										   "missing_symbol deltas",
										   ALLOCSET_DEFAULT_SIZES);
	oldcxt = MemoryContextSwitchTo(deltas_cxt);
	xact.tree = rbt_create(sizeof(KeyNode), compare_nodes, combine_nodes,
						   allocate_node, free_node, NULL);
	MemoryContextSwitchTo(oldcxt);
}

/* The target as it was at its first delta; NULL where nothing is deferred. */
static MSTarget *
find_pinned(MSTarget *target)
{
	MSTarget   *result = xact.pinned;

	while (result != NULL && result->relid != target->relid)
		result = result->next_pinned;
	if (result != NULL)
		ms_delta_check_target(result, target);
	return result;
}

static MSTarget *
pin(MSTarget *target)
{
	MSTarget   *result = find_pinned(target);

	if (result == NULL)
	{
		/* its order, while the index is open to us */
		ms_prepare_key_order(target);
		ms_target_pin(target);
		target->next_pinned = xact.pinned;
		xact.pinned = target;
		result = target;
	}
	return result;
}

/* User code may run from now on, until the level is set back to what it was. */
static int
begin_comparing(void)
{
	int			outer = xact.comparing_level;

	if (outer == 0)
		xact.comparing_level = GetCurrentTransactionNestLevel();
	return outer;
}

static Key *
find_key(MSTarget *target, Datum *values, uint32 nulls)
{
	Key			probe;
	KeyNode		node;
	KeyNode	   *found;
	int			outer = begin_comparing();

	probe.target = target;
	probe.values = values;
	probe.nulls = nulls;
	node.key = &probe;
	found = (KeyNode *) rbt_find(xact.tree, &node.rbt);
	xact.comparing_level = outer;
	return found != NULL ? found->key : NULL;
}

/* The key of a row, where it has deferred anything; or NULL. */
static Key *
key_of_row(MSTarget *target, const MSRow *row)
{
	MSTarget   *then;
	Datum		values[INDEX_MAX_KEYS];
	uint32		nulls;

	if (!ms_deltas_exist() || (then = find_pinned(target)) == NULL)
		return NULL;
	nulls = ms_delta_key(target, row, values);
	return find_key(then, values, nulls);
}

/* Put a key that is not there into the tree. */
static Key *
insert_key(MSTarget *target, const MSDelta *delta)
{
	Key		   *key = MemoryContextAllocZero(deltas_cxt, sizeof(Key));
	KeyNode		node;
	bool		is_new;
	int			outer;

	key->target = target;
	key->values = unconstify(MSDelta *, delta)->values;
	key->nulls = delta->nulls;
	node.key = key;
	outer = begin_comparing();
	key->node = (KeyNode *) rbt_insert(xact.tree, &node.rbt, &is_new);
	xact.comparing_level = outer;
	return key;
}

/*
 * Every sum that committing subtransactions can make of a role's deltas must
 * fit, the new amount included.
 */
static void
check_sum(const Key *key, Oid role, int64 by)
{
	int64		sum = by;

	for (const MSDelta *delta = counts(key->deltas); delta != NULL;
		 delta = counts(delta->outer))
	{
		if (delta->role == role)
			ms_add_by(key->target, &sum, delta->by);
	}
}

static void
add_to_delta(MSTarget *target, Relation rel, MSDelta *delta, const MSRow *row,
			 TimestampTz now)
{
	int			attno = -1;
	bool		is_donor = ms_row_merges(target, row);

	while (!is_donor && (attno = bms_next_member(target->fill, attno)) >= 0)
		is_donor = ms_row_fills(row, attno) && !ms_delta_has_value(delta, attno);
	if (is_donor)
	{
		MSDelta    *donor = ms_delta_make(deltas_cxt, target, rel, row, now);

		xact.size += donor->size;
		ms_delta_add_donor(delta, donor);
	}
	delta->by += row->by;
	delta->last_seen = Max(delta->last_seen, now);
	delta->depth = Max(delta->depth, xact.depth + 1);
}

/* What has met in the deltas of a key is made one, where it is much. */
static void
join_donors(MSTarget *target, Relation rel, Key *key, Size limit)
{
	int			outer = begin_comparing();

	for (MSDelta *delta = key->deltas; delta != NULL; delta = delta->outer)
	{
		Size		size;
		MSDelta    *donors = ms_delta_join_donors(deltas_cxt, delta, target,
												  rel, xact.size >= limit,
												  &size);

		if (donors == NULL)
			continue;
		xact.size += size;
		free_delta(donors);
	}
	xact.comparing_level = outer;
}

/*
 * Add a row, counted now by the current role; privileges have been checked.
 * False where that takes memory, and all take limit bytes already.
 */
bool
ms_deltas_add(MSTarget *target, Relation rel, const MSRow *row, Size limit)
{
	TimestampTz now = ms_clock();
	MSTarget   *then;
	Datum		values[INDEX_MAX_KEYS];
	uint32		nulls;
	Key		   *key;
	Level	   *level;
	MSDelta		caller;
	MSDelta	   *delta = NULL;
	const MSRow *with_defaults;

	if (xact.depth >= MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("deferred increments go on without end"),
				 errdetail("A trigger's increment has fired a trigger that increments, %d times over, last in table %s.",
						   MAX_DEPTH, target->name)));
	if (xact.tree == NULL)
		begin();
	if (xact.taken == 0 && !ms_deltas_exist())
		unpin_all();
	then = pin(target);
	nulls = ms_delta_key(target, row, values);
	key = find_key(then, values, nulls);
	level = current_level();
	caller.role = GetUserId();
	caller.definer = ms_in_definer();
	caller.search_path = current_path();
	if (key != NULL)
	{
		check_sum(key, caller.role, row->by);
		join_donors(target, rel, key, limit);
		delta = find_delta(key, level, &caller);
	}
	if (delta != NULL)
	{
		add_to_delta(target, rel, delta, row, now);
		return true;
	}
	if (xact.size >= limit)
		return false;

	/* what was found may be gone after that */
	with_defaults = ms_row_with_defaults(target, rel, row);
	if (with_defaults != row)
		return ms_deltas_add(target, rel, with_defaults, limit);

	delta = ms_delta_make(deltas_cxt, target, rel, row, now);
	delta->definer = caller.definer;
	delta->search_path = caller.search_path;
	delta->depth = xact.depth + 1;
	delta->size += sizeof(Key) + sizeof(KeyNode);
	xact.size += delta->size;
	if (key == NULL)
		key = insert_key(then, delta);
	delta->target = then;
	delta->key = key;
	delta->level = level;
	delta->outer = key->deltas;
	key->deltas = delta;
	key->values = delta->values;
	key->nulls = delta->nulls;
	dlist_push_tail(&level->deltas, &delta->in_level);
	return true;
}

/*
 * Reading
 */

/* What the key of a row has deferred in this transaction. */
bool
ms_pending_sum(MSTarget *target, const MSRow *row, int64 *sum)
{
	Key		   *key = key_of_row(target, row);

	if (key == NULL || counts(key->deltas) == NULL)
		return false;
	*sum = 0;
	for (const MSDelta *delta = counts(key->deltas); delta != NULL;
		 delta = counts(delta->outer))
		ms_add_by(target, sum, delta->by);
	return true;
}

/* All deltas of a key as one row; NULL where none counts. */
static MSRow *
row_of_key(const MSTarget *target, Relation rel, const Key *key)
{
	const MSDelta *delta;
	List	   *outermost_first = NIL;
	MSRow	   *row = NULL;
	ListCell   *lc;
	int			outer = begin_comparing();

	for (delta = counts(key->deltas); delta != NULL; delta = counts(delta->outer))
		outermost_first = lcons((void *) delta, outermost_first);
	foreach(lc, outermost_first)
	{
		delta = lfirst(lc);
		if (row == NULL)
		{
			row = ms_delta_row(delta, target, rel);
			continue;
		}
		if (target->nmerged > 0)
			ms_merge_columns(target, row, ms_delta_row(delta, target, rel));
		ms_add_by(target, &row->by, delta->by);
		row->first_seen = Min(row->first_seen, delta->first_seen);
		row->last_seen = Max(row->last_seen, delta->last_seen);
		ms_delta_fill(target, rel, row, delta);
	}
	xact.comparing_level = outer;
	return row;
}

/* What the key of a row has deferred, as a row; NULL: nothing. */
MSRow *
ms_pending_row(MSTarget *target, Relation rel, const MSRow *row)
{
	Key		   *key = key_of_row(target, row);

	return key == NULL ? NULL : row_of_key(target, rel, key);
}

/* Call function for each key of a target; it may compare keys. */
void
ms_pending_foreach(MSTarget *target, Relation rel,
				   void (*function) (MSRow *row, void *arg), void *arg)
{
	RBTreeIterator iterator;
	KeyNode	   *node;
	int			outer;

	if (!ms_deltas_exist() || find_pinned(target) == NULL)
		return;
	outer = begin_comparing();
	rbt_begin_iterate(xact.tree, LeftRightWalk, &iterator);
	while ((node = (KeyNode *) rbt_iterate(&iterator)) != NULL)
	{
		MSRow	   *row;

		if (node->key->target->relid != target->relid)
			continue;
		row = row_of_key(target, rel, node->key);
		if (row != NULL)
			function(row, arg);
	}
	xact.comparing_level = outer;
}

/* Has this transaction deferred any of a table? */
bool
ms_pending_has(Oid relid)
{
	RBTreeIterator iterator;
	KeyNode    *node;

	if (!ms_deltas_exist())
		return false;
	rbt_begin_iterate(xact.tree, LeftRightWalk, &iterator);
	while ((node = (KeyNode *) rbt_iterate(&iterator)) != NULL)
	{
		if (node->key->target->relid == relid &&
			counts(node->key->deltas) != NULL)
			return true;
	}
	return false;
}

/*
 * Discarding
 */

/* How many deltas that count has a key, those of a caller as one? */
static int
count_deltas(const Key *key)
{
	int			n = 0;

	for (const MSDelta *delta = counts(key->deltas); delta != NULL;
		 delta = counts(delta->outer))
	{
		const MSDelta *other = key->deltas;

		while (!same_caller(other, delta))
			other = other->outer;
		if (other == delta)
			n++;
	}
	return n;
}

/* Put a discard of a level before a key's deltas of outer ones. */
static void
add_discard(Key *key, Level *level, MSDelta **link)
{
	MSDelta	   *discard = MemoryContextAllocZero(deltas_cxt,
												 offsetof(MSDelta, values));

	discard->discards = true;
	discard->target = key->target;
	discard->size = offsetof(MSDelta, values);
	discard->key = key;
	discard->level = level;
	discard->outer = *link;
	*link = discard;
	dlist_push_tail(&level->deltas, &discard->in_level);
	xact.size += discard->size;
}

/* Discard what a key has; how many deltas that is. */
static int
discard_key(Key *key)
{
	int			n = count_deltas(key);
	Level	   *level = current_level();
	MSDelta   **link = &key->deltas;
	MSDelta	   *next;

	while (counts(*link) != NULL && (*link)->level == level)
		link = &(*link)->outer;
	if (counts(*link) != NULL)
		add_discard(key, level, link);
	for (MSDelta *delta = counts(key->deltas); delta != NULL; delta = next)
	{
		next = counts(delta->outer);	/* with the last one the key goes */
		remove_delta(delta);
	}
	return n;
}

/* The tree must not change while it is searched. */
static void
check_not_comparing(const char *name)
{
	if (ms_deltas_comparing())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("increments of table %s cannot be discarded while keys are being compared",
						name),
				 errhint("Do not discard in code of an operator class.")));
}

/* Discard what the key of a row has deferred; how many deltas. */
int64
ms_pending_discard(MSTarget *target, const MSRow *row)
{
	Key		   *key = key_of_row(target, row);

	if (key == NULL)
		return 0;
	check_not_comparing(target->name);
	return discard_key(key);
}

/* The same for all keys of a table, whatever has become of it since. */
int64
ms_pending_discard_all(Oid relid)
{
	RBTreeIterator iterator;
	KeyNode    *node;
	List	   *keys = NIL;
	ListCell   *lc;
	int64		n = 0;

	if (!ms_deltas_exist())
		return 0;
	rbt_begin_iterate(xact.tree, LeftRightWalk, &iterator);
	while ((node = (KeyNode *) rbt_iterate(&iterator)) != NULL)
	{
		if (node->key->target->relid == relid)
			keys = lappend(keys, node->key);
	}
	if (keys != NIL)
		check_not_comparing(((Key *) linitial(keys))->target->name);
	foreach(lc, keys)
		n += discard_key(lfirst(lc));
	list_free(keys);
	return n;
}

/*
 * Taking out
 */

static MSDelta *
take(MSDelta *delta)
{
	detach(delta);
	xact.taken++;
	return delta;
}

/* Give back a delta that was taken out. */
void
ms_delta_free(MSDelta *delta)
{
	xact.taken--;
	free_delta(delta);
}

/* What is added from now on is so much deeper; returns what it was. */
int
ms_deltas_set_depth(int new_depth)
{
	int			outer = xact.depth;

	xact.depth = new_depth;
	return outer;
}

/* Is a delta of the same target and caller as another? */
static bool
is_like(const MSDelta *delta, const MSDelta *other)
{
	return delta->target == other->target && same_caller(delta, other);
}

/*
 * Take out the first delta in the total order: target, key, role.  NULL where
 * there is none, or it is not of the target and caller of another.
 */
MSDelta *
ms_deltas_take_first(const MSDelta *like)
{
	MSDelta    *first;

	if (!ms_deltas_exist())
		return NULL;
	first = ((KeyNode *) rbt_leftmost(xact.tree))->key->deltas;
	Assert(!first->discards);
	for (MSDelta *delta = first->outer; delta != NULL; delta = delta->outer)
	{
		if (delta->role < first->role)
			first = delta;
	}
	return like == NULL || is_like(first, like) ? take(first) : NULL;
}
