/*-------------------------------------------------------------------------
 *
 * changes.c
 *	  Shapes whose time has changed with their plan.
 *
 * Of a shape two plans are told apart, by their nodes, tables and indexes; of
 * each the latest executions are kept, with their parameters' hash.  A third
 * plan takes the place of the one not seen for longer.  Partitions are one
 * table: which of them a statement needs is no matter of its plan.
 *
 * The two are said to differ if the intervals of their medians do not meet,
 * by order statistics, which suppose nothing about how durations are
 * distributed; that it is the plan, if this is so for the executions with
 * parameters that ran under both.
 *
 * The rules of copy.c hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

#include "compat.h"
#include "advice/counts.h"
#include "figures/figures.h"
#include "shape/shape.h"
#include "slow/slow.h"
#include "slow/slow_internal.h"

#define EXECUTIONS	64			/* the latest of a plan */
#define MAX_PLANS	256			/* of all shapes */
#define DESCRIPTION	256

/* medians of which one is less than so much the other are alike */
#define CHANGE		1.5

/* apart from the rest, as all are looked through */
typedef struct Key
{
	uint64		shape;
	uint64		plan;
	Oid			userid;
	bool		toplevel;
} Key;

typedef struct Execution
{
	int64		ns;
	uint64		params;			/* 0: not known */
} Execution;

typedef struct Times
{
	uint64		queryid;
	uint64		last_used;
	uint64		n;				/* all that there were */
	Execution	latest[EXECUTIONS];
	char		description[DESCRIPTION];
} Times;

static Key *keys;
static Times *times;
static int	capacity;
static int	nused;
static uint64 uses;

void
ms_changes_attach(char *memory, Size size)
{
	capacity = Min(size / (sizeof(Key) + sizeof(Times)), MAX_PLANS);
	times = (Times *) memory;
	keys = (Key *) (times + capacity);
}

void
ms_changes_reset(void)
{
	nused = 0;
	uses = 0;
}

/*
 * Plans
 */

typedef struct Hashing
{
	PlannedStmt *stmt;
	Oid			relid;			/* partitions are this table's, or invalid */
	uint64		hash;
	bool		alike;			/* one of several that may be the same: */
	uint64		before;
} Hashing;

/* the table that a partition is of, as far as the statement knows */
static Oid
table_of(Hashing *h, Index rti, bool *is_part)
{
	RangeTblEntry *rte;
	int			i = list_length(h->stmt->appendRelations);

	*is_part = OidIsValid(h->relid);
	if (*is_part)
		return h->relid;

	/* parents come before their children */
	while (--i >= 0)
	{
		AppendRelInfo *info = list_nth(h->stmt->appendRelations, i);

		if (info->child_relid != rti ||
			rt_fetch(info->parent_relid, h->stmt->rtable)->relkind !=
			RELKIND_PARTITIONED_TABLE)
			continue;
		*is_part = true;
		rti = info->parent_relid;
	}
	rte = rt_fetch(rti, h->stmt->rtable);
	return rte->rtekind == RTE_RELATION ? rte->relid : InvalidOid;
}

/* of a scan, a join or an aggregate what tells it from another */
static uint64
hash_of_kind(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return ((Join *) plan)->jointype;
		case T_Agg:
			return ((Agg *) plan)->aggstrategy + 8 * ((Agg *) plan)->aggsplit;
		case T_ModifyTable:
			return ((ModifyTable *) plan)->operation;
		case T_IndexScan:
			return ((IndexScan *) plan)->indexorderdir;
		case T_IndexOnlyScan:
			return ((IndexOnlyScan *) plan)->indexorderdir;
		default:
			return 0;
	}
}

/* the partitioned table whose partitions it appends, or invalid */
static Oid
appended(Hashing *h, Plan *plan)
{
	Bitmapset  *relids = IsA(plan, Append) ? ((Append *) plan)->apprelids :
		IsA(plan, MergeAppend) ? ((MergeAppend *) plan)->apprelids : NULL;
	int			rti;
	bool		is_part;

	if (relids == NULL)
		return InvalidOid;
	rti = bms_next_member(relids, -1);
	if (rti <= 0 || rt_fetch(rti, h->stmt->rtable)->relkind !=
		RELKIND_PARTITIONED_TABLE)
		return InvalidOid;
	return table_of(h, rti, &is_part);
}

/* a node by itself, with its table and index */
static uint64
hash_of_node(Hashing *h, Plan *plan)
{
	Index		rti = ms_slow_scanned(plan);
	uint64		hash = ms_hash_combine(nodeTag(plan), hash_of_kind(plan));

	hash = ms_hash_combine(hash, plan->parallel_aware);
	if (rti > 0)
	{
		bool		is_part;

		hash = ms_hash_combine(hash, table_of(h, rti, &is_part));
		if (!is_part)
			hash = ms_hash_combine(hash, ms_slow_index(plan));
	}
	return hash;
}

static bool hash_plan(PlanState *ps, Hashing *h);

/* with what is below */
static uint64
hash_of_tree(Hashing *h, PlanState *ps)
{
	Oid			relid = appended(h, ps->plan);
	Hashing		below = {h->stmt, h->relid, 0, false, 0};

	if (OidIsValid(relid))
	{
		below.relid = relid;
		below.alike = true;
	}
	else
		below.hash = hash_of_node(h, ps->plan);
	planstate_tree_walker(ps, hash_plan, (void *) &below);
	return below.hash;
}

static bool
hash_plan(PlanState *ps, Hashing *h)
{
	uint64		hash = ms_is_plain_scan(ps) ? hash_of_node(h, ps->plan) :
		hash_of_tree(h, ps);

	if (h->alike && h->before == hash)
		return false;
	h->before = hash;
	h->hash = h->alike && h->hash == 0 ? hash : ms_hash_combine(h->hash, hash);
	return false;
}

/* a plan */
static uint64
hash_of(QueryDesc *queryDesc)
{
	PlanState  *ps = queryDesc->planstate;
	Hashing		h;

	h.stmt = queryDesc->plannedstmt;
	h.relid = InvalidOid;
	return ms_is_plain_scan(ps) ? hash_of_node(&h, ps->plan) :
		hash_of_tree(&h, ps);
}

static const char *
index_name(PlanState *ps)
{
	Relation	index = IsA(ps, IndexScanState) ?
		((IndexScanState *) ps)->iss_RelationDesc :
		IsA(ps, IndexOnlyScanState) ?
		((IndexOnlyScanState *) ps)->ioss_RelationDesc :
		IsA(ps, BitmapIndexScanState) ?
		((BitmapIndexScanState *) ps)->biss_RelationDesc : NULL;

	return index == NULL ? NULL : RelationGetRelationName(index);
}

typedef struct Describing
{
	PlannedStmt *stmt;
	StringInfoData text;
} Describing;

static bool
describe_plan(PlanState *ps, Describing *d)
{
	Index		rti = ms_slow_scanned(ps->plan);
	const char *index = index_name(ps);

	if (d->text.len >= DESCRIPTION)
		return true;
	appendStringInfo(&d->text, "%s%s", d->text.len > 0 ? ", " : "",
					 ms_slow_name(ps->plan));
	if (index != NULL)
		appendStringInfo(&d->text, " using %s", index);
	if (rti > 0 && !IsA(ps->plan, BitmapIndexScan))
		appendStringInfo(&d->text, " on %s",
						 rt_fetch(rti, d->stmt->rtable)->eref->aliasname);
	return planstate_tree_walker(ps, describe_plan, (void *) d);
}

static void
describe(char *to, QueryDesc *queryDesc)
{
	Describing	d;
	MemoryContext saved =
		MemoryContextSwitchTo(queryDesc->estate->es_query_cxt);
	int			len;

	d.stmt = queryDesc->plannedstmt;
	initStringInfo(&d.text);
	(void) describe_plan(queryDesc->planstate, &d);
	MemoryContextSwitchTo(saved);
	len = pg_mbcliplen(d.text.data, d.text.len, DESCRIPTION - 4);
	memcpy(to, d.text.data, len);
	strcpy(to + len, len < d.text.len ? "..." : "");
}

/*
 * Executions
 */

static bool
is_same_shape(const Key *a, const Key *b)
{
	return a->shape == b->shape && a->userid == b->userid &&
		a->toplevel == b->toplevel;
}

/*
 * Whose place a plan takes: of its shape's two the one not seen for longer,
 * else of all the one seen least.
 */
static int
choose_victim(const Key *key)
{
	int			of_shape = 0;
	int			oldest = -1;
	int			least = -1;

	for (int i = 0; i < nused; i++)
	{
		if (is_same_shape(&keys[i], key))
		{
			of_shape++;
			if (oldest < 0 || times[i].last_used < times[oldest].last_used)
				oldest = i;
		}
		if (least < 0 || times[i].n < times[least].n ||
			(times[i].n == times[least].n &&
			 times[i].last_used < times[least].last_used))
			least = i;
	}
	if (of_shape >= 2)
		return oldest;
	return nused < capacity ? nused++ : least;
}

static int
find(const MSExecution *e, uint64 plan)
{
	for (int i = 0; i < nused; i++)
		if (keys[i].plan == plan && keys[i].shape == e->shape &&
			keys[i].userid == e->userid && keys[i].toplevel == e->toplevel)
			return i;
	return -1;
}

/* one that is not known yet */
static pg_noinline int
add_plan(const MSExecution *e, uint64 plan, QueryDesc *queryDesc)
{
	Key			key = {e->shape, plan, e->userid, e->toplevel};
	int			i = choose_victim(&key);

	keys[i] = key;
	times[i].n = 0;
	times[i].queryid = e->queryid;
	times[i].description[0] = '\0';
	describe(times[i].description, queryDesc);
	return i;
}

void
ms_changes_note(const MSExecution *e, QueryDesc *queryDesc)
{
	Execution  *latest;
	uint64		plan;
	int			i;

	if (capacity == 0 || queryDesc->planstate == NULL)
		return;
	plan = hash_of(queryDesc);
	i = find(e, plan);
	if (i < 0)
		i = add_plan(e, plan, queryDesc);
	latest = &times[i].latest[times[i].n++ % EXECUTIONS];
	latest->ns = e->exec_ns;
	latest->params = e->params_known ? Max(e->params, 1) : 0;
	times[i].last_used = ++uses;
}

/*
 * Reading
 */

static int
executions_of(const Times *t)
{
	return Min(t->n, EXECUTIONS);
}

static bool
has_params(const Times *t, uint64 params)
{
	for (int i = 0; i < executions_of(t); i++)
		if (t->latest[i].params == params)
			return true;
	return false;
}

/* all, or those with parameters that the other has, too */
static bool
median_of(const Times *t, const Times *common, MSMedian *median)
{
	int64		ns[EXECUTIONS];
	int			n = 0;

	for (int i = 0; i < executions_of(t); i++)
		if (common == NULL ||
			(t->latest[i].params != 0 &&
			 has_params(common, t->latest[i].params)))
			ns[n++] = t->latest[i].ns;
	return ms_median(ns, n, median);
}

static bool
is_slower(const MSMedian *a, const MSMedian *b)
{
	return a->low > b->high && a->median >= b->median * CHANGE;
}

static MSPlanChange *
compare_plans(int slow, int fast)
{
	MSPlanChange *change;
	MSMedian	a;
	MSMedian	b;

	if (!median_of(&times[slow], NULL, &a) ||
		!median_of(&times[fast], NULL, &b) || !is_slower(&a, &b))
		return NULL;
	change = palloc0(sizeof(MSPlanChange));
	change->shape = keys[slow].shape;
	change->userid = keys[slow].userid;
	change->toplevel = keys[slow].toplevel;
	change->queryid = times[slow].queryid;
	change->slow = a;
	change->fast = b;
	change->slow_plan = pstrdup(times[slow].description);
	change->fast_plan = pstrdup(times[fast].description);
	change->is_latest = times[slow].last_used > times[fast].last_used;
	change->by_plan = median_of(&times[slow], &times[fast], &a) &&
		median_of(&times[fast], &times[slow], &b) && is_slower(&a, &b);
	return change;
}

List *
ms_changes(void)
{
	List	   *changes = NIL;

	for (int i = 0; i < nused; i++)
		for (int j = 0; j < nused; j++)
		{
			MSPlanChange *change = i != j && is_same_shape(&keys[i], &keys[j]) ?
				compare_plans(i, j) : NULL;

			if (change != NULL)
				changes = lappend(changes, change);
		}
	return changes;
}
