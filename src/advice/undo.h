/*-------------------------------------------------------------------------
 *
 * undo.h
 *	  Something run in a subtransaction that is always rolled back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_UNDO_H
#define MS_UNDO_H

#include "compat.h"
#include "utils/elog.h"

MS_INSIDE_BEGIN

typedef void (*MSUndone) (void *arg);

/* an error passes on after the undo */
extern void ms_undo(MSUndone run, void *arg);

/*
 * An error is returned, NULL for none; but a cancel or a timeout passes on.
 * locks: that a lock was not to be had is returned, too.
 */
extern ErrorData *ms_undo_and_catch(MSUndone run, void *arg, bool locks);

MS_INSIDE_END

#endif							/* MS_UNDO_H */
