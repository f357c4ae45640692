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
 * advice.c: what the findings suggest, for all statements together.
 */
typedef struct MSServed
{
	const struct MSWork *work;	/* the suggestion */
	bool		proved;			/* for all of them */
	double		benefit;		/* ms; negative: not known */
	int64		calls;
	List	   *shapes;			/* of MSShape, those that are still known */
} MSServed;

/* what a new index means for what is written */
typedef struct MSWrites
{
	int64		calls;			/* that write the table */
	double		ms;
	bool		updates;		/* some of them are updates, whose columns */
	bool		known;			/* are known, all of them */
	bool		hot_lost;		/* one that can be HOT could not any more */
} MSWrites;

/* a List of MSServed, by what is saved */
extern List *ms_report_advice(List *findings);

/* the suggestion is about one new index */
extern MSWrites ms_report_writes(const struct MSWork *work);

/*
 * html.c: the report as a page; empty: nothing has been profiled.
 */
extern char *ms_report_html(bool empty);

/*
 * html_parts.c: what its sections have in common.
 */

/* so many entries of a list are on the page, and a line says how many not */
#define MS_PAGE_ENTRIES		100

extern void ms_report_left_out(StringInfo page, int all, int shown,
							   const char *what);

/* a statement; whole, as long as the page is not too long already */
extern void ms_report_statement(StringInfo page, const char *text);

/*
 * html_advice.c: the sections of findings, and of what they suggest.
 */
extern void ms_report_advice_html(StringInfo page, List *findings);
extern void ms_report_findings_html(StringInfo page, List *findings);

/*
 * html_slow.c: the section of statements that took long, with their plans.
 */
extern void ms_report_slow_html(StringInfo page);

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
