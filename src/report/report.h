/*-------------------------------------------------------------------------
 *
 * report.h
 *	  What is shown of a profile.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_REPORT_H
#define MS_REPORT_H

#include "compat.h"

MS_INSIDE_BEGIN

/* defines the setting, and says who writes the line in the server's log */
extern void ms_report_init(void);

MS_INSIDE_END

#endif							/* MS_REPORT_H */
