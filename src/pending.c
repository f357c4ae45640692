/*-------------------------------------------------------------------------
 *
 * pending.c
 *	  apply = 'commit': deltas of this transaction, merged in memory, applied
 *	  as it commits.
 *
 * A Key is what one counter has deferred; a tree holds the keys of all targets
 * in one total order: the target's OID, then the order of the key's index.  A
 * key has an Entry for each (subtransaction level, role) that has counted it.
 * So savepoints need neither comparisons nor memory: a level that commits adds
 * its entries to its parent's or hands them over, one that aborts frees them.
 *
 * A hidden portal, made with the first delta, applies everything when core
 * drops it, which is in the loop of CommitTransaction (and of PREPARE) that
 * fires deferred triggers and closes cursors until nothing is left of either:
 * what an apply queues or opens is seen to.  XACT_EVENT_PRE_COMMIT would be
 * too late for that; it is the safety net for what a CLOSE ALL below a
 * savepoint, which drops the portal too, has left.
 *
 * - Memory is a child of TopTransactionContext; everything static is reset as
 *   the transaction ends.  Targets are pinned: the tree is in their order.
 * - User code can run in every comparison and every apply, and count, roll
 *   back or close all cursors in there.  So an entry leaves the structure
 *   before it is applied, no pointer into the structure is held meanwhile,
 *   and what a comparison counts is not deferred.
 * - Past pending_limit the deltas of the current level are applied, not those
 *   of outer ones: a ROLLBACK TO would take them back with the savepoint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "common/int.h"
#include "lib/ilist.h"
#include "lib/rbtree.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"

#include "missing_symbol.h"

typedef struct Key
{
	struct KeyNode *node;			/* where it is in the tree */
	MSTarget   *target;			/* pinned */
	Datum	   *values;			/* those of one of the entries */
	struct Entry *entries;		/* deepest level first */
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
	dlist_head	entries;
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
typedef struct Entry
{
	Key		   *key;
	struct Entry *outer;		/* the key's next entry */
	struct Entry *donor;		/* merged in; has values that fill */
	Level	   *level;
	dlist_node	in_level;
	Oid			role;
	int64		by;
	TimestampTz first_seen;
	TimestampTz last_seen;
	Size		size;
	bool		by_name;		/* columns were given by name */
	int			nfields;
	Field	   *fields;
	Datum		values[FLEXIBLE_ARRAY_MEMBER];	/* the key */
} Entry;

int			ms_pending_limit = 1024;

static MemoryContext pending_cxt = NULL;	/* holds all of it; NULL: nothing */
static RBTree *tree;
static Level *levels;			/* the deepest */
static List *pinned;
static Size pending_bytes;
static Portal pending_portal;	/* NULL also where it was dropped */
static bool draining;			/* everything is being applied */
static int	early_level;		/* of the early apply under way, or 0 */
static int	comparing_level;	/* of the comparison under way, or 0 */

static void drain(void);

/*
 * The structure
 */

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

/* Reset what belongs to a transaction that is over. */
static void
forget(void)
{
	if (pending_cxt == NULL)
		return;
	unpin_all();
	MemoryContextDelete(pending_cxt);
	pending_cxt = NULL;
	tree = NULL;
	levels = NULL;
	pending_bytes = 0;
	pending_portal = NULL;
	draining = false;
	early_level = 0;
	comparing_level = 0;
}

static bool
is_empty(void)
{
	return pending_cxt == NULL || rbt_leftmost(tree) == NULL;
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
	return MemoryContextAlloc(pending_cxt, sizeof(KeyNode));
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

/* Take an entry out; it is the caller's then. */
static void
detach(Entry *entry)
{
	Key		   *key = entry->key;
	Entry	  **link = &key->entries;

	while (*link != entry)
		link = &(*link)->outer;
	*link = entry->outer;
	dlist_delete(&entry->in_level);
	if (key->entries == NULL)
		delete_key(key);
	else
		key->values = key->entries->values;
	entry->key = NULL;
}

static void
free_entry(Entry *entry)
{
	while (entry != NULL)
	{
		Entry	   *donor = entry->donor;

		pending_bytes -= entry->size;
		pfree(entry);
		entry = donor;
	}
}

/* Has an entry a value for a column? */
static bool
has_value(const Entry *entry, AttrNumber attno)
{
	for (; entry != NULL; entry = entry->donor)
	{
		for (int i = 0; i < entry->nfields; i++)
		{
			if (entry->fields[i].attno == attno && !entry->fields[i].isnull)
				return true;
		}
	}
	return false;
}

/* Let an entry's values fill, after those of another. */
static void
add_donor(Entry *entry, Entry *donor)
{
	while (entry->donor != NULL)
		entry = entry->donor;
	entry->donor = donor;
}

/* Has an entry, or one of its donors, values that fill what another lacks? */
static bool
brings_values(const Entry *entry, const Entry *into)
{
	for (; entry != NULL; entry = entry->donor)
	{
		for (int i = 0; i < entry->nfields; i++)
		{
			if (entry->fields[i].fills && !entry->fields[i].isnull &&
				!has_value(into, entry->fields[i].attno))
				return true;
		}
	}
	return false;
}

/* Merge an entry into one of its parent's level. */
static void
merge_entry(Entry *into, Entry *entry)
{
	/* cannot overflow: check_sum looks at all sums that a merge can make */
	into->by += entry->by;
	into->first_seen = Min(into->first_seen, entry->first_seen);
	into->last_seen = Max(into->last_seen, entry->last_seen);
	detach(entry);
	if (brings_values(entry, into))
		add_donor(into, entry);
	else
		free_entry(entry);
}

/* The key's entry of a level and role. */
static Entry *
find_entry(const Key *key, const Level *level, Oid role)
{
	for (Entry *entry = key->entries; entry != NULL; entry = entry->outer)
	{
		if (entry->level == level && entry->role == role)
			return entry;
	}
	return NULL;
}

/* A level's subtransaction has committed. */
static void
commit_level(int nestlevel)
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

	dlist_foreach_modify(iter, &level->entries)
	{
		Entry	   *entry = dlist_container(Entry, in_level, iter.cur);
		Entry	   *into = find_entry(entry->key, parent, entry->role);

		if (into != NULL)
			merge_entry(into, entry);
		else
		{
			dlist_delete(&entry->in_level);
			entry->level = parent;
			dlist_push_tail(&parent->entries, &entry->in_level);
		}
	}
	levels = parent;
	pfree(level);
}

/* A subtransaction has aborted: what was deferred in it never was. */
static void
abort_level(int nestlevel)
{
	if (comparing_level >= nestlevel)
		comparing_level = 0;
	while (levels != NULL && levels->nestlevel >= nestlevel)
	{
		Level	   *level = levels;
		dlist_mutable_iter iter;

		dlist_foreach_modify(iter, &level->entries)
		{
			Entry	   *entry = dlist_container(Entry, in_level, iter.cur);

			detach(entry);
			free_entry(entry);
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
		level = MemoryContextAlloc(pending_cxt, sizeof(Level));
		level->parent = levels;
		level->nestlevel = nestlevel;
		dlist_init(&level->entries);
		levels = level;
	}
	return level;
}

/*
 * The transaction's end
 */

/* Runs as core drops the portal: at commit, abort, or CLOSE ALL. */
static void
portal_cleanup(Portal portal)
{
	if (pending_portal == portal)
		pending_portal = NULL;
	if (!IsTransactionState() || GetCurrentTransactionNestLevel() > 1 ||
		is_empty() || draining || comparing_level > 0)
		return;

	/* active, so that a CLOSE ALL of a trigger leaves it alone */
	PG_TRY();
	{
		portal->status = PORTAL_ACTIVE;
		drain();
	}
	PG_FINALLY();
	{
		portal->status = PORTAL_DONE;
	}
	PG_END_TRY();
}

static void
make_portal(void)
{
	Portal		portal = CreateNewPortal();

	portal->visible = false;
	portal->status = PORTAL_DONE;
	portal->createSubid = TopSubTransactionId;
	portal->activeSubid = TopSubTransactionId;
	portal->createLevel = 1;
	portal->cleanup = portal_cleanup;
	ResourceOwnerNewParent(portal->resowner, TopTransactionResourceOwner);
	pending_portal = portal;
}

/* What no portal has applied; what core has done already must be done again. */
static void
apply_the_rest(bool is_prepare)
{
	while (!is_empty())
	{
		drain();
		do
		{
			AfterTriggerFireDeferred();
		} while (PreCommit_Portals(is_prepare));
	}
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			apply_the_rest(false);
			break;
		case XACT_EVENT_PRE_PREPARE:
			apply_the_rest(true);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			forget();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			break;
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId subid,
				 SubTransactionId parent, void *arg)
{
	switch (event)
	{
		case SUBXACT_EVENT_COMMIT_SUB:
			commit_level(GetCurrentTransactionNestLevel());
			break;
		case SUBXACT_EVENT_ABORT_SUB:
			abort_level(GetCurrentTransactionNestLevel());
			break;
		case SUBXACT_EVENT_START_SUB:
		case SUBXACT_EVENT_PRE_COMMIT_SUB:
			/* a CLOSE ALL below a savepoint has dropped it */
			if (pending_portal == NULL && !draining && !is_empty())
				make_portal();
			break;
	}
}

/*
 * Adding
 */

/* Make what every transaction that defers needs. */
static void
begin(void)
{
	static bool registered = false;
	MemoryContext cxt;
	MemoryContext oldcxt;

	if (!registered)
	{
		RegisterXactCallback(xact_callback, NULL);
		RegisterSubXactCallback(subxact_callback, NULL);
		registered = true;
	}
	cxt = AllocSetContextCreate(TopTransactionContext,
								"missing_symbol pending",
								ALLOCSET_DEFAULT_SIZES);
	oldcxt = MemoryContextSwitchTo(cxt);
	tree = rbt_create(sizeof(KeyNode), compare_nodes, combine_nodes,
					  allocate_node, free_node, NULL);
	MemoryContextSwitchTo(oldcxt);
	pending_cxt = cxt;
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
		MemoryContext oldcxt = MemoryContextSwitchTo(pending_cxt);

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
	Key		   *key = MemoryContextAllocZero(pending_cxt, sizeof(Key));
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

/* Space that a value takes behind its entry. */
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
static Entry *
make_entry(MSTarget *target, Relation rel, const MSRow *row, TimestampTz now)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Bitmapset  *others = other_columns(target, row);
	int			nfields = bms_num_members(others);
	Datum		key[INDEX_MAX_KEYS];
	Datum	   *values = palloc(sizeof(Datum) * Max(nfields, 1));
	Size		fixed = MAXALIGN(offsetof(Entry, values) +
								 sizeof(Datum) * target->nkeys);
	Size		size;
	Entry	   *entry;
	char	   *space;
	int			attno = -1;
	int			n = 0;

	fixed += MAXALIGN(sizeof(Field) * nfields);
	size = fixed;
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

	entry = MemoryContextAllocHuge(pending_cxt, size);
	memset(entry, 0, fixed);
	space = (char *) entry + fixed;
	entry->role = GetUserId();
	entry->by = row->by;
	entry->first_seen = now;
	entry->last_seen = now;
	entry->size = size;
	entry->by_name = row->given != NULL;
	entry->nfields = nfields;
	entry->fields = (Field *) ((char *) entry + fixed -
							   MAXALIGN(sizeof(Field) * nfields));
	for (int i = 0; i < target->nkeys; i++)
		entry->values[i] = move_value(TupleDescAttr(desc, target->keys[i].column.attno - 1),
									  key[i], &space);
	n = 0;
	while ((attno = bms_next_member(others, attno)) >= 0)
	{
		Field	   *field = &entry->fields[n];

		field->attno = attno;
		field->isnull = row->isnull[attno - 1];
		field->fills = bms_is_member(attno, target->fill);
		field->typid = TupleDescAttr(desc, attno - 1)->atttypid;
		if (!field->isnull)
			field->value = move_value(TupleDescAttr(desc, attno - 1),
									  values[n], &space);
		n++;
	}
	pending_bytes += size;
	return entry;
}

/*
 * Every sum that committing subtransactions can make of a role's entries must
 * fit, the new amount included.
 */
static void
check_sum(const Key *key, Oid role, int64 by)
{
	int64		sum = by;

	for (const Entry *entry = key->entries; entry != NULL; entry = entry->outer)
	{
		if (entry->role == role &&
			pg_add_s64_overflow(sum, entry->by, &sum))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range"),
					 errdetail("The amounts that this transaction has deferred for one key of table %s do not fit into a bigint.",
							   key->target->name)));
	}
}

static void
add_to_entry(MSTarget *target, Relation rel, Entry *entry, const MSRow *row,
			 TimestampTz now)
{
	int			attno = -1;

	entry->by += row->by;
	entry->last_seen = Max(entry->last_seen, now);
	while ((attno = bms_next_member(target->fill, attno)) >= 0)
	{
		if (!row->isnull[attno - 1] && !has_value(entry, attno))
		{
			add_donor(entry, make_entry(target, rel, row, now));
			break;
		}
	}
}

/* Does an increment of a target wait for the commit? */
bool
ms_pending_defers(const MSTarget *target)
{
	int			apply = target->apply != MS_APPLY_UNSET ? target->apply : ms_apply;

	return apply == MS_APPLY_COMMIT && target->throttle == 0 &&
		comparing_level == 0 && !InSecurityRestrictedOperation();
}

static void apply_early(Level *level);

/* Add a row to the deltas; privileges have been checked. */
void
ms_pending_add(MSTarget *target, Relation rel, MSRow *row)
{
	TimestampTz now = ms_clock();
	Oid			role = GetUserId();
	MSTarget   *then;
	Datum		values[INDEX_MAX_KEYS];
	Key		   *key;
	Entry	   *entry = NULL;
	Level	   *level;

	if (pending_cxt == NULL)
		begin();
	if (pending_portal == NULL && !draining)
		make_portal();
	if (is_empty() && !draining && early_level == 0)
		unpin_all();
	then = pin(target);
	key_of_row(target, row, values);
	key = find_key(then, values);
	if (key != NULL)
		check_sum(key, role, row->by);

	level = current_level();
	if (key != NULL)
		entry = find_entry(key, level, role);
	if (entry != NULL)
		add_to_entry(target, rel, entry, row, now);
	else
	{
		entry = make_entry(target, rel, row, now);
		if (key == NULL)
			key = insert_key(then, entry->values);
		entry->key = key;
		entry->level = level;
		entry->outer = key->entries;
		key->entries = entry;
		key->values = entry->values;
		dlist_push_tail(&level->entries, &entry->in_level);
	}

	if (pending_bytes > (Size) ms_pending_limit * 1024 &&
		!(draining && level->nestlevel == 1) &&
		early_level != level->nestlevel)
	{
		ms_stats_early_apply(target->relid);
		apply_early(level);
	}
}

/*
 * Reading
 */

/* Make a row of a key without fields. */
static MSRow *
row_of_entry(const MSTarget *target, Relation rel, const Entry *entry)
{
	MSRow	   *row = ms_row_make(rel);

	for (int i = 0; i < target->nkeys; i++)
	{
		AttrNumber	attno = target->keys[i].column.attno;

		row->values[attno - 1] = entry->values[i];
		row->isnull[attno - 1] = false;
		if (entry->by_name)
			row->given = bms_add_member(row->given, attno);
	}
	row->by = entry->by;
	row->timed = true;
	row->first_seen = entry->first_seen;
	row->last_seen = entry->last_seen;
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

/* The values of an entry as those of a row. */
static void
set_fields(const MSTarget *target, Relation rel, MSRow *row,
		   const Entry *entry)
{
	for (int i = 0; i < entry->nfields; i++)
	{
		if (field_is_there(target, rel, &entry->fields[i]))
			set_field(row, &entry->fields[i]);
	}
}

/*
 * Fill a row from an entry and its donors; as in a batch, what a new counter
 * would get from a default is not filled.
 */
static void
fill_fields(const MSTarget *target, Relation rel, MSRow *row,
			const Entry *entry)
{
	for (; entry != NULL; entry = entry->donor)
	{
		for (int i = 0; i < entry->nfields; i++)
		{
			const Field *field = &entry->fields[i];
			AttrNumber	attno = field->attno;

			if (field->fills && !field->isnull && row->isnull[attno - 1] &&
				field_is_there(target, rel, field) &&
				(bms_is_member(attno, row->given) ||
				 !TupleDescAttr(RelationGetDescr(rel), attno - 1)->atthasdef))
				set_field(row, field);
		}
	}
}

/* What the key of a row has deferred in this transaction. */
bool
ms_pending_sum(MSTarget *target, const MSRow *row, int64 *sum)
{
	MSTarget   *then;
	Datum		values[INDEX_MAX_KEYS];
	Key		   *key;

	if (is_empty() || (then = find_pinned(target)) == NULL)
		return false;
	key_of_row(target, row, values);
	key = find_key(then, values);
	if (key == NULL)
		return false;
	*sum = 0;
	for (const Entry *entry = key->entries; entry != NULL; entry = entry->outer)
	{
		if (pg_add_s64_overflow(*sum, entry->by, sum))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range"),
					 errdetail("The count of a key of table %s and what this transaction has deferred do not fit into a bigint.",
							   target->name)));
	}
	return true;
}

/* All entries of a key as one row. */
static MSRow *
row_of_key(const MSTarget *target, Relation rel, const Key *key)
{
	const Entry *entry;
	List	   *outermost_first = NIL;
	MSRow	   *row = NULL;
	ListCell   *lc;

	for (entry = key->entries; entry != NULL; entry = entry->outer)
		outermost_first = lcons((void *) entry, outermost_first);
	foreach(lc, outermost_first)
	{
		entry = lfirst(lc);
		if (row == NULL)
		{
			row = row_of_entry(target, rel, entry);
			set_fields(target, rel, row, entry);
			fill_fields(target, rel, row, entry->donor);
			continue;
		}
		if (pg_add_s64_overflow(row->by, entry->by, &row->by))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range"),
					 errdetail("The amounts that this transaction has deferred for one key of table %s do not fit into a bigint.",
							   target->name)));
		row->first_seen = Min(row->first_seen, entry->first_seen);
		row->last_seen = Max(row->last_seen, entry->last_seen);
		fill_fields(target, rel, row, entry);
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

	if (is_empty() || find_pinned(target) == NULL)
		return;
	rbt_begin_iterate(tree, LeftRightWalk, &iterator);
	while ((node = (KeyNode *) rbt_iterate(&iterator)) != NULL)
	{
		if (node->key->target->relid == target->relid)
			function(row_of_key(target, rel, node->key), arg);
	}
}

/*
 * Applying
 */

typedef struct Applying
{
	const char *table;
	char	   *columns;
	char	   *key;
} Applying;

static void
applying_context(void *arg)
{
	Applying   *applying = arg;

	errcontext("applying a deferred increment of table %s, key (%s)=(%s)",
			   applying->table, applying->columns, applying->key);
}

/* Words for the context; made before, as user code makes them. */
static void
describe_entry(const MSTarget *target, Relation rel, const Entry *entry,
			   Applying *applying)
{
	StringInfoData columns;
	StringInfoData key;

	initStringInfo(&columns);
	initStringInfo(&key);
	for (int i = 0; i < target->nkeys; i++)
	{
		const MSColumn *column = &target->keys[i].column;
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  column->attno - 1);
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(column->typid, &output, &is_varlena);
		appendStringInfo(&columns, "%s%s", i > 0 ? ", " : "",
						 NameStr(att->attname));
		appendStringInfo(&key, "%s%s", i > 0 ? ", " : "",
						 OidOutputFunctionCall(output, entry->values[i]));
	}
	applying->table = target->name;
	applying->columns = columns.data;
	applying->key = key.data;
}

/* Apply an entry to the open target. */
static void
apply_to_target(const MSTarget *then, MSTarget *target, Relation rel,
				const Entry *entry)
{
	ErrorContextCallback errcallback;
	Applying	applying;
	MSRow	   *row;
	MSResult	result;

	check_same_key(then, target);
	describe_entry(target, rel, entry, &applying);
	errcallback.callback = applying_context;
	errcallback.arg = &applying;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	row = row_of_entry(target, rel, entry);
	set_fields(target, rel, row, entry);
	fill_fields(target, rel, row, entry->donor);
	ms_apply_row(target, rel, row, &result);
	error_context_stack = errcallback.previous;
}

/*
 * Apply an entry, as the role that deferred it, and free it.  A table that
 * was dropped since has taken its counters along.
 */
static void
apply_entry(Entry *entry)
{
	const MSTarget *then = entry->key->target;
	MSTarget   *target;
	Relation	rel;
	Oid			userid;
	int			sec_context;

	CHECK_FOR_INTERRUPTS();
	detach(entry);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(then->relid)))
	{
		free_entry(entry);
		return;
	}

	/* an abort sets them back itself */
	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(entry->role,
						   sec_context | SECURITY_LOCAL_USERID_CHANGE);
	PushActiveSnapshot(GetTransactionSnapshot());
	target = ms_target_open(then->relid, RowExclusiveLock, &rel);
	PG_TRY();
	{
		apply_to_target(then, target, rel, entry);
	}
	PG_CATCH();
	{
		ms_target_unpin(target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_target_close(target, rel);
	PopActiveSnapshot();
	SetUserIdAndSecContext(userid, sec_context);
	free_entry(entry);
}

/* The first entry in the total order: target, key, role. */
static Entry *
first_entry(void)
{
	KeyNode	   *node = (KeyNode *) rbt_leftmost(tree);
	Entry	   *first;

	if (node == NULL)
		return NULL;
	first = node->key->entries;
	for (Entry *entry = first->outer; entry != NULL; entry = entry->outer)
	{
		if (entry->role < first->role)
			first = entry;
	}
	return first;
}

/*
 * Apply everything, what triggers add meanwhile included.  COMMIT is not
 * subject to statement_timeout, so this sees to it.
 */
static void
drain(void)
{
	MemoryContext cxt = AllocSetContextCreate(pending_cxt,
											  "missing_symbol apply",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	bool		timed = StatementTimeout > 0 &&
		!get_timeout_active(STATEMENT_TIMEOUT);

	if (timed)
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	PG_TRY();
	{
		Entry	   *entry;

		draining = true;
		CurrentResourceOwner = CurTransactionResourceOwner;
		while ((entry = first_entry()) != NULL)
		{
			MemoryContextSwitchTo(cxt);
			apply_entry(entry);
			MemoryContextReset(cxt);
		}
	}
	PG_FINALLY();
	{
		draining = false;
		CurrentResourceOwner = oldowner;
		if (timed)
			disable_timeout(STATEMENT_TIMEOUT, false);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(cxt);
}

static int
compare_entries(const void *a, const void *b)
{
	const Entry *x = *(Entry *const *) a;
	const Entry *y = *(Entry *const *) b;

	if (x->key != y->key)
		return compare_nodes(&x->key->node->rbt, &y->key->node->rbt, NULL);
	return x->role < y->role ? -1 : 1;
}

/* Bring the entries of a level into the total order. */
static int
sort_level(Level *level)
{
	int			n = 0;
	Entry	  **entries;
	dlist_iter	iter;
	int			outer = comparing_level;

	dlist_foreach(iter, &level->entries)
		n++;
	entries = MemoryContextAllocHuge(CurrentMemoryContext,
									 sizeof(Entry *) * n);
	n = 0;
	dlist_foreach(iter, &level->entries)
		entries[n++] = dlist_container(Entry, in_level, iter.cur);
	comparing_level = level->nestlevel;
	qsort(entries, n, sizeof(Entry *), compare_entries);
	comparing_level = outer;
	dlist_init(&level->entries);
	for (int i = 0; i < n; i++)
		dlist_push_tail(&level->entries, &entries[i]->in_level);
	pfree(entries);
	return n;
}

/*
 * Apply what the current level has deferred, for want of memory.  What
 * triggers add meanwhile is behind it in the list and stays deferred.
 */
static void
apply_early(Level *level)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "missing_symbol apply",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	int			outer = early_level;
	int			n = sort_level(level);

	PG_TRY();
	{
		early_level = level->nestlevel;
		while (n-- > 0 && !dlist_is_empty(&level->entries))
		{
			apply_entry(dlist_container(Entry, in_level,
										dlist_head_node(&level->entries)));
			MemoryContextReset(cxt);
		}
	}
	PG_FINALLY();
	{
		early_level = outer;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(cxt);
}
