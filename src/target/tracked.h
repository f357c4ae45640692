/*-------------------------------------------------------------------------
 *
 * tracked.h
 *	  What track() and configure() said of a table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TARGET_TRACKED_H
#define MS_TARGET_TRACKED_H

#include "target/target.h"

MS_INSIDE_BEGIN

/*
 * tracked.c: a row of table tracked: what track() said of a table.
 */

/* columns of it, and arguments of track(), in order; there may be more */
enum
{
	TRACKED_TARGET,
	TRACKED_KEY,
	TRACKED_COUNT,
	TRACKED_FIRST_SEEN,
	TRACKED_LAST_SEEN,
	TRACKED_APPLY,
	TRACKED_THROTTLE,
	TRACKED_FILL,
	TRACKED_SPILL,
	TRACKED_NATTS
};

typedef struct MSTracked
{
	List	   *key;			/* of String; NIL: not set */
	char	   *count;			/* NULL: not set */
	char	   *first_seen;		/* NULL: not set; "": none */
	char	   *last_seen;
	MSApply		apply;
	int64		throttle;
	List	   *fill;
	bool		spill;

	/* of configure() */
	char	   *zone;			/* NULL: UTC */
	bool		no_insert;
	char	   *index;			/* NULL: not set */
	List	   *defaults;		/* of String, as these: */
	List	   *counts;
	List	   *latest;
	List	   *greatest;
	List	   *least;
	Datum		at_least;		/* numeric; 0: not set */
	Datum		at_most;
	char	   *limit_on;		/* NULL: not set, as these: */
	char	   *window;
	char	   *bucket;
	bool		saturate;
	bool		aligned;
	int64		per;			/* microseconds; 0: not set */
} MSTracked;

/* is a table limited, or are its calls? */
static inline bool
ms_has_limits(const MSTracked *tracked)
{
	return tracked->at_least != (Datum) 0 || tracked->at_most != (Datum) 0 ||
		tracked->window != NULL || tracked->bucket != NULL;
}

/* no interval is longer, so that no arithmetic with it overflows */
#define MS_MAX_INTERVAL_DAYS	36525
#define MS_MAX_INTERVAL			(MS_MAX_INTERVAL_DAYS * USECS_PER_DAY)

extern Relation ms_tracked_open(LOCKMODE lockmode);
extern int64 ms_fixed_interval(const Interval *interval, const char *name,
							   int64 least);
extern bool ms_tracked_row(Relation tracked, Oid target, Datum *values,
						   bool *isnull, ItemPointer tid);
extern List *ms_tracked_names(Datum array);
extern int64 ms_tracked_throttle(Interval *throttle);
extern MSApply ms_tracked_apply(Datum value);
extern void ms_tracked_read(Oid relid, MSTracked *tracked);

/* columns of table settings, which the objects of release 1.1 lack */
enum
{
	SETTINGS_TARGET,
	SETTINGS_SETTINGS,
	SETTINGS_NATTS
};

extern bool ms_settings_exist(void);
extern Relation ms_settings_open(LOCKMODE lockmode);
extern const char *ms_settings_known(void);
extern bool ms_settings_is_known(const char *name);
extern void ms_settings_parse(Datum settings, MSTracked *tracked);

MS_INSIDE_END

#endif							/* MS_TARGET_TRACKED_H */
