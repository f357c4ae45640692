/*-------------------------------------------------------------------------
 *
 * level_internal.h
 *	  Where a session is, and the hooks that have to know.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_LEVEL_INTERNAL_H
#define MS_LEVEL_INTERNAL_H

#include "datatype/timestamp.h"
#include "nodes/plannodes.h"
#include "tcop/cmdtag.h"
#include "utils/elog.h"
#include "utils/portal.h"

#include "compat.h"
#include "profile/statement_internal.h"

MS_INSIDE_BEGIN

/*
 * level.c: where a session is.
 */

/* The utility command under way */
typedef struct MSUtility
{
	MSStatement s;
	bool		adopts;			/* the query that it runs */
	bool		executes;		/* EXECUTE: what it adopts is what it is */
	const char *source;			/* text of the query to be adopted */
	struct MSUtility *outer;
} MSUtility;

/* Where a statement's text is */
typedef struct MSText
{
	const char *source;
	int			location;		/* as of a PlannedStmt */
	int			len;
	char	   *name;			/* made for want of a text, or NULL */
} MSText;

/* What a hook sets for what it calls, and puts back after */
typedef struct MSPlace
{
	int			level;			/* of the next statement */

	/*
	 * The statement whose own expressions are being evaluated, and where the
	 * error context stood as it began.  PL/pgSQL, SQL functions and SPI push
	 * theirs, so a function called with an unchanged stack is called
	 * directly.
	 */
	MSStatement *current;
	ErrorContextCallback *current_context;
} MSPlace;

/* Whose is the next error that no hook sees? */
typedef enum MSBlame
{
	MS_BLAME_TEXT,				/* the text's that the server is at */
	MS_BLAME_LATEST,			/* likewise, but the latest statement's while
								 * its result is sent, and at the end of its
								 * transaction */
	MS_BLAME_END,				/* the latest statement's: it ends its
								 * transaction, which is all that is left */
	MS_BLAME_NONE				/* the error under way has its row already */
} MSBlame;

typedef struct MSHooks
{
	MSPlace		at;
	MSUtility  *utility;		/* that runs, or NULL */
	MSBlame		blame;

	/* the latest top-level statement: where its text ends, its portal */
	struct
	{
		const char *source;		/* as debug_query_string, or NULL */
		TimestampTz message;
		int			location;	/* in source, as of a PlannedStmt */
		int			len;
		Portal		portal;
		char		name[NAMEDATALEN];
	}			latest;

	/* the latest that was analysed: likewise, whatever rules make of it */
	struct
	{
		const char *source;
		TimestampTz message;
		int			location;
		int			len;
	}			analysed;
} MSHooks;

extern MSHooks ms_hooks;

/*
 * One level deeper; what it was is to be put back whether or not there is an
 * error: ms_hooks.at.level = was.
 */
static inline int
ms_enter(int level)
{
	int			was = ms_hooks.at.level;

	ms_hooks.at.level = level;
	return was;
}

/*
 * Likewise, to run a statement whose expressions are evaluated there:
 * ms_hooks.at = was.
 */
static inline MSPlace
ms_enter_statement(int level, MSStatement *s)
{
	MSPlace		was = ms_hooks.at;

	ms_hooks.at.level = level;
	ms_hooks.at.current = s;
	ms_hooks.at.current_context = error_context_stack;
	return was;
}

/* a hook has caught an error, and a row has it */
static inline void
ms_error_listed(int level)
{
	if (level == 0)
		ms_hooks.blame = MS_BLAME_NONE;
}

/*
 * A statement of its own is in progress as profiling is switched on: its
 * portal, or NULL.
 */
typedef struct MSInFlight
{
	Portal		portal;
	TimestampTz message;
	int			location;
} MSInFlight;

extern MSInFlight ms_in_flight;

extern void ms_profile_in_flight(void);
extern bool ms_is_in_flight(void);
extern bool ms_in_flight_message(void);

/* DISCARD ALL has been run: forget the switch and everything measured */
extern void (*ms_profile_discard) (void);

/* the client's ROLLBACK is about to be run */
extern void (*ms_profile_rolls_back) (void);

extern int	ms_statement_level(const char *source);
extern bool ms_is_adopted(const char *source);
extern PlannedStmt *ms_portal_query(bool last);

/* where the text is of what starts or is planned; name: palloc'd */
extern void ms_text_derive(MSText *text, int level);
extern void ms_name_inside(char *name, const char *text, int len);
extern void ms_text_keep(MSText *text, MemoryContext context);

static inline void
ms_text_locate(MSText *text, const char *source, int location, int len,
			   int level)
{
	text->source = source;
	text->location = location;
	text->len = len;
	text->name = NULL;
	if (unlikely(location < 0))
		ms_text_derive(text, level);
}

/* the latest top-level statement, and where the text goes on after it */
extern void ms_note_top_level(const MSText *text);
extern int	ms_next_location(const char *source);

extern CommandTag ms_operation_tag(CmdType operation);

/*
 * planner.c: the planner's hook.  The time that a plan took, once.
 */
extern void ms_planner_install(void);
extern int64 ms_plan_consume(int level, PlannedStmt *stmt);

/* list a statement that failed before it could be executed */
extern void ms_list_failure(const MSText *text, int level, CmdType operation,
							int64 plan_ns, int sqlerrcode);

/*
 * exec.c: the executor's hooks.
 */
extern void ms_exec_install(void);

/* the statement that is open for several queries, if it is that one, fails */
extern bool ms_exec_fail(uint64 seq, int sqlerrcode);

/*
 * utility.c: utility commands.
 */
extern void ms_utility_install(void);

/*
 * failure.c: ends of transactions, failures that only the log sees.
 */
extern void ms_failure_install(void);
extern void ms_failure_register(void);

/*
 * install.c: what is put together.
 */

/* put the hooks in place, once; allocates nothing, never fails */
extern void ms_profile_install(void);

/* gives the session its parts; before any setting is defined */
extern void ms_profile_assemble(void);

MS_INSIDE_END

#endif							/* MS_LEVEL_INTERNAL_H */
