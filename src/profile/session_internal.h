/*-------------------------------------------------------------------------
 *
 * session_internal.h
 *	  The switch and the memory of a session's profile.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_SESSION_INTERNAL_H
#define MS_SESSION_INTERNAL_H

#include "utils/guc.h"

#include "compat.h"
#include "profile/profile.h"

MS_INSIDE_BEGIN

typedef enum MSTrack
{
	MS_TRACK_OFF,
	MS_TRACK_TOP,
	MS_TRACK_ALL				/* nested statements too */
} MSTrack;

/*
 * session.c: the memory.
 */
extern int	ms_profile_memory;	/* kB */

extern MSTrack ms_profiling;		/* in force: the switch, else the setting */
extern bool ms_plans;			/* in force: count rows in plans */
extern bool ms_params;			/* in force: keep parameters */

static inline bool
ms_level_is_tracked(int level)
{
	return level == 0 || ms_profiling == MS_TRACK_ALL;
}

/* a piece of the memory, and whose it is */
typedef struct MSPiece
{
	int			share;			/* of the memory, in 1/64 */
	void		(*attach) (char *memory, Size size);	/* take it into use */
	void		(*reset) (void);
	void		(*boundary) (void);	/* another unit begins, or NULL */
} MSPiece;

/*
 * What a session has beside its ring.  calibrate: measures what a statement
 * costs; enroll: does what cannot be done in an assign hook.
 */
extern void ms_session_init(const MSPiece *pieces, int npieces,
							void (*calibrate) (void),
							void (*enroll) (void));

/* take the memory; false, and profiling off, where it cannot be had */
extern bool ms_profile_make_ready(void);

/* on, and with memory: to be called before any of the functions below */
static inline bool
ms_profile_ready(void)
{
	return likely(ms_profile.ready) || ms_profile_make_ready();
}

/* application_name has changed */
extern void ms_session_application(void);

/*
 * As which application the session is now.  A name that is set is another
 * string than the one before.
 */
static inline int
ms_application_now(void)
{
	if (unlikely(application_name != ms_profile.application_seen))
		ms_session_application();
	return ms_profile.application;
}

/* memory for labels */
extern void ms_labels_attach(char *memory, Size size);
extern void ms_labels_reset(void);

/* a boundary that was asked for: another section of the budgets and the log */
extern void ms_session_boundary(void);

/* a label for what follows, from the next boundary on; len 0: none */
extern void ms_session_label(const char *label, int len);

/* empty it, and follow a change of missing_symbol.profile_memory */
extern void ms_session_reset(void);

/*
 * A transaction has failed of which a line is to be in the log, which takes
 * memory: nobody reads the profile any more, and what comes next writes the
 * line and empties it.
 */
extern bool ms_session_unlogged;

extern void ms_session_hide(void);	/* cannot fail */
extern void ms_session_log_failed(void);

MS_INSIDE_END

#endif							/* MS_SESSION_INTERNAL_H */
