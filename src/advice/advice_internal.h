/*-------------------------------------------------------------------------
 *
 * advice_internal.h
 *	  What findings need of each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_ADVICE_INTERNAL_H
#define MS_ADVICE_INTERNAL_H

#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "utils/relcache.h"

#include "compat.h"
#include "advice/advice.h"
#include "advice/hypothetical.h"

MS_INSIDE_BEGIN

/*
 * What might help: usually one index, or one for each arm of an OR.
 */
typedef struct MSRemedy
{
	List	   *indexes;		/* of MSIndex */
	List	   *serving;		/* of Oid: valid indexes that serve it */
	Oid			there;			/* one of them, if all of it is served, or */
	Oid			invalid;		/* one that would if it were valid */
	bool		building;		/* somebody may be building that one */
	bool		covering;		/* another with all columns that are needed */
	bool		measured;		/* what came, or the statistics, say that it
								 * finds few rows */

	/* as it was planned with */
	bool		used;			/* all of it */
	double		cost;
	double		blocks;			/* that are read at worst */
	bool		passed;			/* it may be the best */
	bool		usable;			/* it could be, were the table not read as a
								 * whole; only asked of expressions */
} MSRemedy;

/*
 * conditions.c: which conditions of a scan an index may serve, and how.
 */
typedef enum MSUse
{
	USE_NONE,
	USE_EQUAL,
	USE_RANGE,
	USE_PREFIX,					/* LIKE 'abc%' */
	USE_ROW,					/* (a, b) < (...) */
	USE_PREDICATE,				/* of a partial index */
	USE_OTHER					/* an operator of another access method */
} MSUse;

/* What a condition is about */
typedef struct MSKey
{
	MSUse			use;
	Node	   *expr;			/* without relabeling */
	Oid			opno;			/* with expr on its left */
	Oid			collation;		/* of the comparison; invalid: of none */
	Node	   *clause;
	List	   *row;			/* USE_ROW: expressions */
	Oid			am;				/* an access method with an operator class */
	Oid			opclass;		/* that has the operator, or invalid */
} MSKey;

typedef struct MSKeys
{
	Relation	rel;
	const MSFact *fact;
	List	   *equal;			/* of MSKey */
	List	   *ranges;
	List	   *others;
	List	   *rows;
	List	   *arms;			/* of List of MSKey: an OR's */
	List	   *predicates;		/* of clauses */
	MSKey		   *predicate;		/* the first of them */
	List	   *order;			/* of MSIndexColumn */
	List	   *remedies;
	const char *reason;			/* why a condition serves no index */
} MSKeys;

extern void ms_match_clauses(MSKeys *keys);
extern MSKey *ms_match_clause(MSKeys *keys, Node *clause);
extern bool ms_is_indexable(MSKeys *keys, Node *expr);
extern bool ms_has_expr(List *list, Node *expr);
extern bool ms_contains_param(Node *node, void *context);
extern Node *ms_strip_relabel(Node *node);

/*
 * candidates.c: what might serve the conditions of a scan.  The table is open
 * and locked.  reason: why a condition serves no index, if that is known.
 */
extern List *ms_remedies(Relation rel, const MSFact *fact,
						 const char **reason);

/*
 * existing.c: sets there and invalid; and what there is of statistics.
 */
extern Relation ms_open_without_waiting(Oid relid);
extern void ms_remedy_look_for(MSRemedy *remedy, Relation rel,
							   const MSFact *fact);
extern bool ms_lacks_statistics(Relation rel, Bitmapset *attnos);
extern bool ms_has_grown(Relation rel);
extern bool ms_is_counted_stale(Relation rel);

/* what is to be said of them, or NULL */
extern const char *ms_statistics_are_old(Relation rel, const MSFact *fact);

/*
 * ddl.c: texts, to be run with any search_path.
 */
extern Oid	ms_topmost(Oid relid);
extern char *ms_remedy_ddl(const MSRemedy *remedy, Relation rel,
						   const char *relation);
extern List *ms_remedy_columns(const MSRemedy *remedy, Relation rel);

/* what is proved costs, and reads, so much of before, at most */
#define MS_PROVED_SHARE	0.7

/*
 * again.c: a kept statement is planned again, as the role that ran it.
 */
typedef struct MSAgain
{
	const MSKept *kept;
	Oid			relid;			/* the table that it is about */
	double		came;			/* rows of it, each time it was scanned */
	List	   *remedies;		/* of MSRemedy: how each is planned with */
	int64		deadline;		/* by ms_now_ns() */

	/* what came of it, in the memory context of the call */
	bool		planned;
	const char *why;			/* not */
	double		cost;			/* without a remedy */
	double		blocks;
	List	   *used;			/* of Oid: indexes that it uses then */
	double		expected;		/* rows of the table, as it is planned then;
								 * negative: it is not scanned by itself */
	double		forced_cost;	/* with an index, were it made to; 0: cannot be */
	List	   *forced_used;
} MSAgain;

extern void ms_plan_again(MSAgain *again);
extern bool ms_saves(const MSRemedy *remedy, const MSAgain *again);
extern bool ms_is_guessed(const MSRemedy *remedy);

/*
 * planned.c: what plans use, and how many blocks they read at worst.
 */
typedef struct MSPlanned
{
	double		cost;
	double		blocks;
	List	   *used;			/* of Oid: indexes */
	double		expected;		/* see MSAgain */
	Oid			relid;
	double		more;			/* so many times more of its rows came than
								 * were expected */
	PlannedStmt *stmt;
	Bitmapset  *seen;			/* of its subplans */
} MSPlanned;

extern void ms_look_at_plan(PlannedStmt *stmt, MSPlanned *plans);

/*
 * prove.c: which remedy is suggested.
 */
typedef struct MSAdvice
{
	const MSRemedy *remedy;		/* NULL: none */
	bool		proved;
	double		cost_before;
	double		cost_after;
	const char *why;			/* more of it, or NULL */
	bool		solved;			/* it would not happen any more */
} MSAdvice;

extern void ms_advice_begin(void);
extern void ms_advise(Relation rel, const MSFact *fact, MSAdvice *advice);

MS_INSIDE_END

#endif							/* MS_ADVICE_INTERNAL_H */
