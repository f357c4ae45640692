/*-------------------------------------------------------------------------
 *
 * report_internal.h
 *	  What the views and the reports share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_REPORT_INTERNAL_H
#define MS_REPORT_INTERNAL_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "compat.h"
#include "profile/profile.h"

MS_INSIDE_BEGIN

/*
 * views.c: what is wrong with what was profiled, of statements that the user
 * may see or of those that he may not.  A List of MSFinding.
 */
extern List *ms_profile_findings(bool visible);

/*
 * digest.c: what every form of the report tells, as the user may see it.
 */
extern double ms_report_ms(const MSTotals *t);

/* everything: as the server's log may see it */
extern const char *ms_report_slowest(const MSTotals *t, bool everything);

/* Lists of MSShape, in no order, and of the MSRecords of what has failed */
extern List *ms_report_shapes(void);
extern List *ms_report_failures(void);

/* an order for list_sort(): what took most time first */
extern int	ms_report_by_total(const ListCell *a, const ListCell *b);

/* normalised; that of a record is good until the next one's */
extern const char *ms_report_shape_text(const MSShape *shape);
extern const char *ms_report_record_text(const MSRecord *r);

/*
 * html.c: the report as a page; empty: nothing has been profiled.
 */
extern char *ms_report_html(bool empty);

/*
 * html_timeline.c: the section that tells which statement ran when.  shapes:
 * of MSShape, those that have an anchor, sN where they are the Nth.
 */
extern void ms_report_timeline(StringInfo page, List *shapes,
							   List *candidates);

/*
 * report.c: what came under that label; error 55000 if that cannot be told.
 */
extern void ms_report_total_of(text *label, MSTotals *total);

/*
 * slow.c: findings of statements that took long, as ms_profile_findings().
 */
extern List *ms_slow_findings(bool visible);

/*
 * tags.c: the tags in a statement's comment as jsonb; 0 where there are none.
 */
extern Datum ms_tags(const char *text, int len);

MS_INSIDE_END

#endif							/* MS_REPORT_INTERNAL_H */
