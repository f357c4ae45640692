/*-------------------------------------------------------------------------
 *
 * report_internal.h
 *	  What the views and the reports share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_REPORT_INTERNAL_H
#define MS_REPORT_INTERNAL_H

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
 * report.c: what came under that label; error 55000 if that cannot be told.
 */
extern void ms_report_total_of(text *label, MSTotals *total);

/*
 * tags.c: the tags in a statement's comment as jsonb; 0 where there are none.
 */
extern Datum ms_tags(const char *text, int len);

MS_INSIDE_END

#endif							/* MS_REPORT_INTERNAL_H */
