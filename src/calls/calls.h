/*-------------------------------------------------------------------------
 *
 * calls.h
 *	  What tells how a table counts, for who shows it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_CALLS_H
#define MS_CALLS_H

#include "nodes/pg_list.h"

#include "target/target.h"

MS_INSIDE_BEGIN

/*
 * describe.c: what is in the way of counting.
 */
typedef struct MSObstacle
{
	char	   *what;
	const char *consequence;
	char	   *remedy;
} MSObstacle;

extern List *ms_add_obstacle(List *list, char *what, const char *consequence,
							 char *remedy);
extern List *ms_hot_obstacles(MSTarget *target, Relation rel);
extern List *ms_default_obstacles(MSTarget *target, Relation rel);

/* look at a target that is not to be freed meanwhile, whatever comes of it */
extern Datum ms_look_at(MSTarget *target, Relation rel,
						Datum (*look) (MSTarget *target, Relation rel,
									   void *arg),
						void *arg);

/* when increments of it reach their row: now, commit, buffer */
extern const char *ms_apply_name(MSTarget *target);

/* increment.c: as last_increment() has it */
extern const char *ms_outcome_name(MSOutcome outcome);

/*
 * stats.c: how many increments came to that; and what would make them cheaper, or
 * NULL.
 */
extern int64 ms_tally_calls(const MSTally *entry);
extern char *ms_stats_hint(const MSTally *entry, const char *name);

MS_INSIDE_END

#endif							/* MS_CALLS_H */
