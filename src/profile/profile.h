/*-------------------------------------------------------------------------
 *
 * profile.h
 *	  What is measured of a session, for who shows it or must not be in it.
 *
 * All of it is read only: who is above shows, profile/ measures.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_PROFILE_H
#define MS_PROFILE_H

#include "datatype/timestamp.h"
#include "nodes/nodes.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

#include "compat.h"
#include "figures/figures.h"
#include "profile/record.h"

MS_INSIDE_BEGIN

/* defines the settings, and gives the session its parts */
extern void ms_profile_init(void);

/*
 * session.c: the session's profile.
 */
#define MS_LABEL_MAX	128
#define MS_COMMENT_MAX	256

/* so many applications are told apart */
#define MS_APPLICATIONS	16

/* why a repeated statement is thought to be an N+1, the best reason first */
typedef enum MSEvidence
{
	MS_STRONG,					/* another statement's rows explain it */
	MS_BURST,					/* in a row */
	MS_PIPELINED,				/* sent together */
	MS_LOOP						/* again and again in the unit */
} MSEvidence;

/* Sums over top-level statements, right whatever the ring has dropped. */
typedef struct MSTotals
{
	uint64		classes[MS_CLASSES];
	uint64		nested;
	uint64		trips;			/* at most so many */
	bool		trips_unknown;
	uint64		last_trip;
	uint64		errors;
	uint64		rows;
	int64		plan_ns;
	int64		exec_ns;
	int64		commit_ns;
	int64		slowest_ns;
	Oid			slowest_user;
	char		slowest_text[104];	/* normalised */
	uint64		first_number;
	int64		lost[MS_LOOP + 1];	/* the longest run that had to be forgotten
									 * and may have been of that evidence */
	uint64		lost_shapes;	/* with what they came to in this section */
} MSTotals;

typedef struct MSProfile
{
	bool		ready;			/* memory is there */
	bool		failed;			/* memory could not be had */
	uint32		generation;		/* counts resets */
	MemoryContext context;
	int			memory;			/* kB allocated */

	/* the ring */
	MSRecord   *records;
	int			nrecords;
	uint64		next_seq;
	uint64		tail_seq;		/* the oldest that is kept, from 1 */
	uint64		next_number;
	char	   *texts;
	uint64		texts_size;
	uint64		text_head;
	struct MSRecord *repeatable;	/* the newest, if its text may serve again */
	uint64		text_limit;		/* it may grow so far before records go */
	uint64		dropped;
	uint64		truncated;
	uint64		runs_lost;		/* N+1 candidates that were forgotten */
	uint64		facts_lost;		/* facts of plans that were forgotten */
	uint64		labels_lost;	/* marks with labels that did not fit */

	/* where the session is */
	char		label[MS_LABEL_MAX];
	int			label_len;
	bool		paused;			/* statements are only counted */
	int			section_label;	/* its number, -1: none or too many */
	const char *application_seen;	/* compared, not followed */
	int			application;
	char		applications[MS_APPLICATIONS][NAMEDATALEN];
	uint64		xact;
	bool		xact_over;		/* the next statement starts another */
	bool		xact_failed;
	uint64		failed_xact;	/* the latest that failed, 0 for none */
	uint64		goes_on;		/* the first record that may be MS_GOES_ON */
	int			ngo_on;			/* how many are */
	uint64		trip;			/* the client's latest, and */
	TimestampTz trip_message;	/* what told it from the one before */
	int64		trip_idle;
	bool		trip_unknown;
	uint64		last_top;		/* record of the latest top-level statement */
	uint64		unit;
	uint64		section;		/* counts explicit boundaries */
	uint64		section_seq;	/* the first record after the latest */
	int64		last_end_ns;	/* 0: no statement in this unit yet */

	MSTotals	before;			/* since the last reset, without: */
	MSTotals	in_section;		/* since the last explicit boundary */

	int64		anchor_ns;
	TimestampTz anchor_time;
	int64		own_cost_ns;	/* per top-level statement, calibrated */
} MSProfile;

extern MSProfile ms_profile;

/* the record with that sequence number, or NULL if it has been dropped */
static inline MSRecord *
ms_profile_record(uint64 seq)
{
	if (seq - ms_profile.tail_seq >=
		ms_profile.next_seq - ms_profile.tail_seq)
		return NULL;
	return &ms_profile.records[seq % ms_profile.nrecords];
}

/* of all classes */
static inline uint64
ms_totals_statements(const MSTotals *t)
{
	uint64		sum = 0;

	for (int i = 0; i < MS_CLASSES; i++)
		sum += t->classes[i];
	return sum;
}

/* everything since the last reset */
extern void ms_profile_total(MSTotals *total);

/*
 * Likewise under that label; false if that cannot be told, as more labels were
 * given than are kept.
 */
extern bool ms_label_total(const char *label, int len, MSTotals *total);

/* a label by its number, cut as it is kept; NULL: none */
extern const char *ms_label_text(int label);

/* application_name, or (others) where there were too many */
extern const char *ms_application_name(int application);

/*
 * A line in the server's log about what came since the last mark; set by who
 * writes it.
 */
extern void (*ms_profile_log) (const char *why);

/* a record's text, parameters and comment, the last MS_COMMENT_MAX at most */
static inline const char *
ms_record_text(const MSRecord *r)
{
	return ms_profile.texts + r->text_pos % ms_profile.texts_size +
		r->label_len;
}

extern const char *ms_record_params(const MSRecord *r);
extern void ms_record_comment(const MSRecord *r, char *to);

/* may the current user see the text of that role's statements? */
extern bool ms_may_see(Oid userid);

/* a line of an SQLSTATE: five letters in a static buffer */
extern const char *ms_sqlstate(int sqlerrcode);
extern const char *ms_class_name(MSClass class);
extern const char *ms_status_name(MSStatus status, int sqlerrcode);

#define MS_INSUFFICIENT_PRIVILEGE	"<insufficient privilege>"

/*
 * switch.c: is it on?
 */

/* in between, nothing is listed nor measured */
extern void ms_profile_pause(void);
extern void ms_profile_resume(void);

/* error 55000 unless profiling is on, and not paused */
extern void ms_profile_require_on(void);

/*
 * statement.c: the ring.
 */
extern int	ms_record_committed(const MSRecord *r);

/* the statement that calls this function directly is not to be listed */
extern void ms_profile_own(void);

/*
 * shapes.c: statistics per shape.
 */
#define MS_SHAPE_TEXT	1536
#define MS_SHAPE_RELATIONS	8
#define MS_INSIDE		128

/* n_plus_one.c: a shape that may be the source of another's run */
typedef struct MSPossible
{
	uint64		shape;			/* 0: none */
	struct MSShape *entry;		/* while it is that shape's: */
	uint32		calls;			/* in the unit, before its latest then */
	uint32		calls_now;		/* and at the run's latest */
	uint64		rows;
	uint64		rows_now;
} MSPossible;

#define MS_POSSIBLE		4

typedef struct MSShape
{
	uint64		hash;
	uint64		queryid;
	Oid			userid;
	bool		toplevel;
	int			next;			/* in its bucket */
	uint64		calls;
	uint64		errors;
	uint64		rows;
	MSUsage		usage;
	uint64		last_used;

	/* what its first statement says */
	int			words;			/* MS_SAYS_... */
	MSClass		class;			/* the latest statement's */
	CommandTag	tag;			/* likewise */
	uint64		section;		/* the latest, and */
	uint64		section_calls;	/* its calls there */
	bool		fk_check;		/* PostgreSQL's own, of a foreign key */
	bool		in_trigger;
	bool		named;			/* it has been asked, where it is */
	char		inside[MS_INSIDE];	/* of a nested one: where it is */
	CmdType		operation;
	bool		mixed;			/* its plans do not all read the same tables */
	uint8		not_always;		/* a bit for each that not all read */
	int			nrelations;		/* -1: not known; of these are kept: */
	Oid			relations[MS_SHAPE_RELATIONS];

	int			text_len;
	char		text[MS_SHAPE_TEXT];	/* not NUL-terminated */

	/* n_plus_one.c: what it did in the latest unit, and its run there */
	uint64		unit;
	uint64		ordinal;
	uint64		calls_unit;		/* of what follows; a call may go on */
	uint32		unit_calls;
	uint64		unit_rows;		/* of calls that gave 2 or more */
	int			run;			/* index, or -1 */
	uint64		run_id;
	uint64		first_number;
	uint64		first_seq;
	uint64		first_params;
	uint64		first_xact;
	uint64		first_rows;
	int64		first_ns;
	MSPossible	possible[MS_POSSIBLE];	/* the nearest first */
	uint64		last_trip;
	uint64		by_row;			/* its rows were asked for one by one */
	uint64		slow;			/* calls that took long */

	/* of the execution that took longest */
	int			label;
	int			application;
	char		comment[MS_COMMENT_MAX];	/* "": none */

	MSHistogram histogram;
} MSShape;

extern MSShape *ms_shapes_find(uint64 hash, Oid userid, bool toplevel);
extern bool ms_shape_is_others(const MSShape *shape);

/* walk through what has been called, from *position = 0; NULL at the end */
extern MSShape *ms_shapes_next(int *position);

/*
 * n_plus_one.c: repeated shapes in a unit.
 */

/* so many executions make a candidate */
#define MS_MIN_REPEATS	5

typedef struct MSCandidate
{
	uint64		unit;
	uint64		section;
	Oid			userid;
	CmdType		operation;
	int64		repeats;
	int64		duplicates;
	int64		total_ns;
	int64		commit_ns;
	uint64		first_number;
	uint64		last_number;
	uint64		xacts;
	char	   *text;			/* as the user may see it */
	char	   *source;			/* NULL for none */
	uint64		source_rows;
	MSEvidence	evidence;
	int			shapes;			/* of so many, one for each kind of row: */
	uint64	   *hashes;
	char	   *inside;			/* the function that runs it, or NULL */
	const char *label;			/* of its first statement, or NULL */
	const char *application;
	char	   *comment;		/* likewise; as the user may see it, or NULL */
	char	   *hint;
} MSCandidate;

extern const char *ms_evidence_name(MSEvidence evidence);

/*
 * The candidates with at least that many repeats, that much time and that
 * evidence, in the order of their first statement; of one section, or of all
 * with 0.  A List of MSCandidate.  everything: as the server's log may see it.
 */
extern List *ms_candidates(uint64 section, int64 min_repeats, int64 min_ns,
						   MSEvidence weakest, bool everything);

/*
 * kept.c: the facts of the profile, those that the user may see or those
 * that he may not.  A List of MSFact.
 */
extern List *ms_profile_facts(bool visible);

/*
 * utility.c: the EXECUTE that a utility command is, explains, or makes a table
 * of; after parse analysis.  NULL: none.
 */
extern ExecuteStmt *ms_execute_stmt(Node *node);

MS_INSIDE_END

#endif							/* MS_PROFILE_H */
