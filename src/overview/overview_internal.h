/*-------------------------------------------------------------------------
 *
 * overview_internal.h
 *	  What a table's counters come to, and the forms that it is told in.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_OVERVIEW_INTERNAL_H
#define MS_OVERVIEW_INTERNAL_H

#include "nodes/pg_list.h"

#include "counter/counter.h"

MS_INSIDE_BEGIN

/* so many counters, the most counted, and days, the latest */
#define MS_TOP		20
#define MS_DAYS		90

/* All that is text here is as the database shows it; NULL: null, or not there. */
typedef struct MSTopCounter
{
	char	  **key;
	char	   *count;
	double		share;			/* of the most counted, 0 to 1 */
	char	   *first;
	char	   *last;
} MSTopCounter;

typedef struct MSDay
{
	char	   *day;
	int			number;			/* days from any one */
	char	   *count;
	double		share;			/* of the day with most, 0 to 1 */
} MSDay;

typedef struct MSOverview
{
	char	   *table;			/* qualified and quoted */
	int			nkeys;
	char	  **keys;			/* names of columns */
	const char *apply;
	bool		spill;
	const char *path;			/* fast or general ... */
	const char *reason;			/* ... and why */

	char	   *counters;
	char	   *total;
	char	   *first;
	char	   *last;
	List	   *top;			/* of MSTopCounter */
	char	   *day_column;		/* of the key; NULL: it has no days */
	List	   *days;			/* of MSDay, in order */

	/* what has not reached its row, but where row security applies */
	bool		waiting_known;
	int64		spilled;
	int64		buffered;
	int64		errors;

	/* as PostgreSQL's statistics have it */
	int64		updates;
	int64		hot;
	int64		live;
	int64		dead;
	int64		heap;			/* bytes, of the table alone */
	char	   *size;			/* likewise, to be read ... */
	char	   *size_all;		/* ... and with its indexes */

	bool		counted;		/* in this session: */
	MSTally		tally;
	List	   *remedies;		/* of MSObstacle */
	char	   *hint;			/* of this session's calls; NULL: none */
} MSOverview;

/* gather.c: as the current user may see it */
extern MSOverview *ms_overview(Oid relid);

/* overview_html.c */
extern char *ms_overview_html(const MSOverview *o);

MS_INSIDE_END

#endif							/* MS_OVERVIEW_INTERNAL_H */
