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

MS_INSIDE_BEGIN

/*
 * views.c: what is wrong with what was profiled, of statements that the user
 * may see or of those that he may not.  A List of MSFinding.
 */
extern List *ms_profile_findings(bool visible);

MS_INSIDE_END

#endif							/* MS_REPORT_INTERNAL_H */
