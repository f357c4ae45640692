/*-------------------------------------------------------------------------
 *
 * trial.h
 *	  Statements that are tried and undone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TRIAL_H
#define MS_TRIAL_H

#include "compat.h"

MS_INSIDE_BEGIN

/* defines the setting */
extern void ms_trial_init(void);

MS_INSIDE_END

#endif							/* MS_TRIAL_H */
