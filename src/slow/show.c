/*-------------------------------------------------------------------------
 *
 * show.c
 *	  A kept plan, to be shown: names and conditions in words.
 *
 * What the plan was about may be gone by now, or changed: then names are those
 * that the statement knew, and a condition that cannot be deparsed any more is
 * left out.  Deparsing runs in a subtransaction for that.  It opens no table,
 * and calls no function but those by which the server's own types are output.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "utils/guc.h"
#include "utils/ruleutils.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/undo.h"
#include "slow/slow.h"
#include "slow/slow_internal.h"

typedef struct Showing
{
	const MSSlowPlan *plan;
	PlannedStmt *names;			/* relations, for Vars */
	List	   *aliases;		/* of char * */
	const MSCopiedNode *node;	/* whose conditions become */
	MSSlowNode *shown;			/* texts */
} Showing;

static const char *
text_at(const MSSlowPlan *plan, int place)
{
	return place == 0 ? NULL : (const char *) plan + place;
}

/* relations of which no more is known than names */
static void
make_names(Showing *s)
{
	const char *text = text_at(s->plan, s->plan->relations);
	List	   *relations = text == NULL ? NIL : stringToNode(text);
	ListCell   *lc;

	s->names = makeNode(PlannedStmt);
	foreach(lc, relations)
	{
		List	   *names = lfirst(lc);
		RangeTblEntry *rte = makeNode(RangeTblEntry);
		char	   *alias = pstrdup(strVal(linitial(names)));

		rte->rtekind = RTE_VALUES;
		rte->eref = makeAlias(alias, list_copy_tail(names, 1));
		s->names->rtable = lappend(s->names->rtable, rte);
		s->aliases = lappend(s->aliases, alias);
	}
}

static const char *
deparse(Showing *s, List *context, List *clauses)
{
	if (clauses == NIL)
		return NULL;
	return deparse_expression((Node *) make_ands_explicit(clauses), context,
							  list_length(s->aliases) > 1, false);
}

static void
deparse_conditions(void *arg)
{
	Showing    *s = arg;
	List	   *conditions = stringToNode(text_at(s->plan, s->node->conditions));
	List	   *context = deparse_context_for_plan_tree(s->names, s->aliases);

	s->shown->index_cond = deparse(s, context, linitial(conditions));
	s->shown->join_cond = deparse(s, context, lsecond(conditions));
	s->shown->filter = deparse(s, context, lthird(conditions));
}

/* without a plan run to its end there may have come fewer rows than it has */
static double
off_by(const MSCopiedNode *node)
{
	double		came;
	double		planned = Max(node->estimated, 1);

	if (node->loops <= 0 || !node->judged)
		return 0;
	came = Max(node->rows / node->loops, 1);
	return came >= planned || node->complete ? came / planned : 0;
}

static MSSlowNode *
show_node(Showing *s, const MSCopiedNode *node)
{
	MSSlowNode *shown = palloc0(sizeof(MSSlowNode));
	const MSSlowPlan *plan = s->plan;

	shown->depth = node->depth;
	shown->part = node->part == MS_PART_INITPLAN ? "InitPlan" :
		node->part == MS_PART_SUBPLAN ? "SubPlan" : NULL;
	shown->name = node->name > 0 ? text_at(plan, node->name) : "Other";
	shown->alias = text_at(plan, node->alias);
	if (OidIsValid(node->relid))
		shown->relation = ms_qualified_name(node->relid);
	if (OidIsValid(node->indexid))
		shown->index = ms_qualified_name(node->indexid);
	shown->startup_cost = node->startup_cost;
	shown->total_cost = node->total_cost;
	shown->width = node->width;
	shown->estimated = node->estimated;
	shown->rows = node->rows;
	shown->removed = node->removed;
	shown->loops = node->loops;
	shown->off = off_by(node);
	shown->share = plan->touched > 0 ?
		(node->rows + node->removed) / plan->touched : 0;
	if (node->conditions > 0)
	{
		s->node = node;
		s->shown = shown;
		(void) ms_undo_and_catch(deparse_conditions, s, true);
	}
	return shown;
}

List *
ms_slow_nodes(const MSSlowRun *run, int *left_out)
{
	Showing		s = {0};
	List	   *nodes = NIL;
	int			nestlevel;
	int			i;

	*left_out = 0;
	if (run->plan == NULL)
		return NIL;

	/* names are qualified, whatever the reader's search_path is */
	nestlevel = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	s.plan = run->plan;
	make_names(&s);
	for (i = 0; i < run->plan->nnodes; i++)
		nodes = lappend(nodes, show_node(&s, &run->plan->nodes[i]));
	AtEOXact_GUC(false, nestlevel);
	*left_out = run->plan->left_out;
	return nodes;
}
