/*-------------------------------------------------------------------------
 *
 * statement_internal.h
 *	  A statement that is being measured.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_STATEMENT_INTERNAL_H
#define MS_STATEMENT_INTERNAL_H

#include "executor/execdesc.h"
#include "nodes/nodes.h"
#include "nodes/plannodes.h"
#include "tcop/cmdtag.h"

#include "compat.h"
#include "advice/counts.h"
#include "profile/record.h"

MS_INSIDE_BEGIN

typedef enum MSXactEnd
{
	MS_XACT_COMMITTED,
	MS_XACT_ABORTED,
	MS_XACT_PREPARED
} MSXactEnd;

typedef enum MSKind
{
	MS_UTILITY,					/* a command: it cannot be an N+1 */
	MS_QUERY
} MSKind;

/*
 * A statement that is being measured.  Lives where its owner lives: in the
 * executor's memory, or on the stack of the utility hook.
 */
typedef struct MSStatement
{
	/* who it is */
	const char *text;			/* valid until ms_statement_open() returns */
	int			len;
	int			shape_len;		/* of shape_text */
	int			level;
	Oid			userid;
	MSKind		kind;
	CmdType		operation;
	CommandTag	tag;

	/* from here on zero until it is known */
	bool		opened;			/* has a record, or had one: */
	bool		closed;			/* its numbers are in the statistics */
	bool		own;			/* of the profiler: not to be listed */
	bool		passed;			/* counted as paused */
	bool		begins_xact;	/* the first that is listed of a transaction */
	bool		executed;		/* reached the executor or the utility */
	bool		measured;		/* usage is set */
	bool		has_limit;
	bool		has_offset;
	bool		locks;			/* rows: FOR UPDATE and the like */
	bool		skips;			/* those that are locked: it takes a job */
	bool		returns;		/* its rows to who asked for it */
	bool		user_code;		/* calls functions that are not the server's */
	bool		aggregates;		/* gives what an aggregate makes of rows */
	bool		unknown_params; /* params has not all of them */
	bool		transaction;	/* BEGIN, COMMIT, SAVEPOINT ... or SET */
	MSClass		class;
	const List *relations;		/* OIDs, as its plan has them; as long as text */
	uint64		noted_unit;		/* where it is counted as a source, and */
	uint64		noted_rows;		/* with how many rows */
	const char *shape_text;		/* where the shape is another text's, or NULL */
	uint64		queryid;
	uint64		shape;			/* hash of the normalised text, 0 before opened */
	uint64		params;			/* hash of literals and parameters */
	int64		plan_ns;
	int64		exec_ns;
	uint64		rows;
	int64		from_ns;		/* of the measurement under way, or 0 */

	/* from here on set as it is opened */
	uint32		generation;		/* of the profile it was opened in */
	uint64		seq;			/* its record's */
	uint64		trip;
	struct MSRecord *record;	/* while the ring has that number */
	uint64		literals;		/* hash of the literals alone */
	struct MSShape *entry;		/* the shape's, if it is still the same: */
	uint64		evictions;		/* none since */
	int64		start_ns;
	int64		end_ns;

	/* as it is measured */
	MSUsage		usage;			/* what it took so far */
	MSUsage		from;			/* what it is counted from */
} MSStatement;

/* from a field on, up to another */
#define MS_STATEMENT_CLEAR(s, from, to) \
	memset(&(s)->from, 0, offsetof(MSStatement, to) - offsetof(MSStatement, from))

/*
 * statement.c: a statement from its start to the end of its transaction.
 */
extern int	ms_unit_gap;		/* ms */

extern void ms_statement_init(MSStatement *s, const char *source, int location,
							  int len);
extern void ms_statement_begin(MSStatement *s);
extern void ms_statement_end(MSStatement *s);

/* what its plan says, before it is open; of an EXECUTE also after */
extern void ms_statement_describe(MSStatement *s, PlannedStmt *stmt);

/* rows that it locks, as its plan has them, or that of a function in it */
extern void ms_note_row_marks(MSStatement *s, const List *marks);

/* none of these fails; open may be called once only, close any time */
extern void ms_statement_open(MSStatement *s, const char *params);
extern void ms_statement_update(MSStatement *s);
extern void ms_statement_close(MSStatement *s, MSStatus status,
							   int sqlerrcode);
extern void ms_statement_forget(MSStatement *s);

/* one that is over has given fewer rows than it was closed with */
extern void ms_statement_rows(MSStatement *s, uint64 from, uint64 to);

/* a statement is over, and fails after all, at COMMIT or while it is sent */
extern void ms_record_fail(MSRecord *r, int sqlerrcode);

extern void ms_profile_xact_end(MSXactEnd end, int64 commit_ns);
extern void ms_profile_subxact_abort(SubTransactionId subid);

/*
 * An MSUsage is nothing but sums: a row of 16 int64, of which two fit a
 * register.  Written out: of a loop gcc 12 makes one at -O2, which takes 7
 * instructions for two instead of 4.
 */
#define MS_USAGE_PAIRS(DO) \
	DO(0) DO(2) DO(4) DO(6) DO(8) DO(10) DO(12) DO(14)

StaticAssertDecl(sizeof(MSUsage) == 16 * sizeof(int64),
				 "MSUsage is not a row of 16");

static inline void
ms_usage_add(MSUsage *pg_restrict into, const MSUsage *pg_restrict from)
{
	int64	   *pg_restrict to = (int64 *) into;
	const int64 *pg_restrict add = (const int64 *) from;

#define ADD(i) to[i] += add[i]; to[(i) + 1] += add[(i) + 1];
	MS_USAGE_PAIRS(ADD)
#undef ADD
}

/*
 * shapes.c: statistics per shape.
 */
struct MSShape;

/* take that memory into use */
extern void ms_shapes_attach(char *memory, Size size);
extern void ms_shapes_reset(void);

/* find or make the entry of a statement that starts, by its shape */
extern void ms_shapes_open(MSStatement *s);

/* what its plan says of the shape, where that is not known yet */
extern void ms_shapes_plan(MSStatement *s);

/* add a statement that is over; the shape may be the one of all others */
extern struct MSShape *ms_shapes_add(MSStatement *s, MSStatus status);

/*
 * n_plus_one.c: repeated shapes in a unit.
 */
extern void ms_runs_attach(char *memory, Size size);
extern void ms_runs_reset(void);
extern void ms_runs_boundary(void);
extern void ms_runs_add(MSStatement *s, struct MSShape *shape, MSRecord *r,
						MSStatus status);
extern void ms_runs_rows(MSStatement *s);
extern void ms_runs_commit(MSRecord *r, int64 commit_ns);
extern void ms_runs_failed(MSRecord *r);

/*
 * kept.c: what is kept of plans.
 */
struct MSFact;

/* take that memory into use */
extern void ms_facts_attach(char *memory, Size size);
extern void ms_facts_reset(void);

extern void ms_keep_fact(const struct MSFact *fact);
extern void ms_keep_statement(const struct MSFact *owner,
							  QueryDesc *queryDesc, List *facts,
							  const char *text, int64 plan_ns, double worst);
extern char *ms_keep_source(QueryDesc *queryDesc);

/*
 * plans.c: which plans are looked into.
 */
extern double ms_plan_sample;

/*
 * A query starts, before ExecutorStart: is its plan looked into?  wanted: it
 * has a statement, is a part of one, or is a foreign key's check.  Only to be
 * called with ms_plans.
 */
extern bool ms_plan_start(QueryDesc *queryDesc, int eflags, int level,
						  bool wanted);

/*
 * A query whose plan is looked into ends, before ExecutorEnd.  s: its
 * statement; without a shape it is the client's latest, NULL: it is not
 * listed.  is_fk_check: what its text was at the start.  complete: it ran to
 * its last row.  text: of the query, where its sourceText may be gone by now
 * (empty: it was too long); else NULL.
 */
extern void ms_plan_tells(QueryDesc *queryDesc, const MSStatement *s,
						  bool is_fk_check, bool complete, const char *text);

static inline int64
ms_temp_blocks(const MSStatement *s)
{
	return s != NULL && s->measured ? s->usage.temp_blks_written : 0;
}

static inline void
ms_plan_end(QueryDesc *queryDesc, const MSStatement *s, bool is_fk_check,
			bool complete, const char *text)
{
	if (!ms_facts_none(queryDesc, ms_temp_blocks(s)))
		ms_plan_tells(queryDesc, s, is_fk_check, complete, text);
}

/* likewise, of one that is listed and ran to its last row: how long it took */
extern void ms_plan_time(QueryDesc *queryDesc, const MSStatement *s);

/*
 * A statement that took long is closed; its record may be gone (NULL).  None
 * of this fails.
 */
extern void ms_plan_slow(const MSStatement *s, const MSRecord *r,
						 MSStatus status, int sqlerrcode);

/*
 * Its query ends, before ExecutorEnd.  complete: it ran to its last row.  Where
 * it is a part of a utility command, that is not closed yet, or has been for
 * long, as DECLARE is.
 */
extern void ms_plan_end_slow(QueryDesc *queryDesc, const MSStatement *s,
							 bool complete);

MS_INSIDE_END

#endif							/* MS_STATEMENT_INTERNAL_H */
