/*-------------------------------------------------------------------------
 *
 * session.c
 *	  The session's profile: its memory, and what it has in sum.
 *
 * All memory is one block of missing_symbol.profile_memory, taken as
 * profiling is first on and cut into pieces once:
 *
 *		records		a ring of MSRecord, by sequence number
 *		texts		a ring of bytes: label, text and parameters of a record
 *					lie together, and go with their record
 *		shapes		shapes.c
 *		runs		n_plus_one.c
 *		facts		kept.c
 *		slow runs	slow/runs.c
 *		plans		slow/changes.c
 *		labels		here
 *
 * These come with their pieces (install.c); the ring is statement.c's.
 *
 * Nothing is allocated afterwards, and nothing here raises an error.  The oldest record makes room for the newest; what is
 * dropped or cut is counted.  Statistics and totals are kept as statements
 * end, so they do not depend on what the ring still holds.
 *
 * A sequence number is never used again after a reset, so a statement that
 * outlives one (a suspended portal) finds no record and leaves no trace.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "figures/figures.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "shape/shape.h"

/* shares of the memory, in 1/64; the others are in their pieces */
#define SHARE_RECORDS	14
#define SHARE_TEXTS		14

MSProfile	ms_profile;
MSTrack		ms_profiling = MS_TRACK_OFF;
bool		ms_plans = false;
bool		ms_params = false;
int			ms_profile_memory = 4096;
bool		ms_session_unlogged = false;

void		(*ms_profile_log) (const char *why) = NULL;

/* a label, and what came under it */
#define MAX_LABELS	256

typedef struct MSLabel
{
	int			len;
	char		text[MS_LABEL_MAX];
	MSTotals	totals;
} MSLabel;

static MSLabel *labels;
static int	nlabels;
static int	max_labels;

/* see ms_session_init() */
static const MSPiece *pieces;
static int	npieces;
static void (*calibrate) (void);
static void (*enroll) (void);

void
ms_session_init(const MSPiece *all, int n, void (*how_to_calibrate) (void),
				void (*how_to_enroll) (void))
{
	pieces = all;
	npieces = n;
	calibrate = how_to_calibrate;
	enroll = how_to_enroll;
}

/*
 * Small things
 */

bool
ms_may_see(Oid userid)
{
	return has_privs_of_role(GetUserId(), userid) ||
		has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

const char *
ms_sqlstate(int sqlerrcode)
{
	return unpack_sql_state(sqlerrcode);
}

const char *
ms_class_name(MSClass class)
{
	static const char *const names[MS_CLASSES] = {
		[MS_CLASS_QUERY] = "query",
		[MS_CLASS_CATALOG] = "catalog",
		[MS_CLASS_PING] = "ping",
		[MS_CLASS_DRIVER] = "driver",
		[MS_CLASS_CONTROL] = "control",
		[MS_CLASS_PAUSED] = "paused"
	};

	return names[class];
}

const char *
ms_status_name(MSStatus status, int sqlerrcode)
{
	switch (status)
	{
		case MS_RUNNING:
			return "running";
		case MS_OK:
			return "ok";
		case MS_CLOSED:
			return "closed";
		case MS_ERROR:
			break;
	}
	return sqlerrcode == ERRCODE_QUERY_CANCELED ? "cancelled" : "error";
}

/*
 * Records
 */

const char *
ms_record_params(const MSRecord *r)
{
	return ms_record_text(r) + r->text_len;
}

/* the comment of its text, MS_COMMENT_MAX with its NUL at most; "": none */
void
ms_record_comment(const MSRecord *r, char *to)
{
	int			size;
	const char *comment = ms_comment(ms_record_text(r), r->text_len, &size);

	if (comment != NULL && size < MS_COMMENT_MAX)
	{
		memcpy(to, comment, size);
		to += size;
	}
	*to = '\0';
}

/*
 * Memory
 */

static void
totals_add(MSTotals *sum, const MSTotals *more)
{
	for (int i = 0; i < MS_CLASSES; i++)
		sum->classes[i] += more->classes[i];
	sum->nested += more->nested;
	sum->trips += more->trips;
	sum->trips_unknown |= more->trips_unknown;
	sum->errors += more->errors;
	sum->rows += more->rows;
	sum->plan_ns += more->plan_ns;
	sum->exec_ns += more->exec_ns;
	sum->commit_ns += more->commit_ns;
	if (more->slowest_ns > sum->slowest_ns)
	{
		sum->slowest_ns = more->slowest_ns;
		sum->slowest_user = more->slowest_user;
		memcpy(sum->slowest_text, more->slowest_text,
			   sizeof(sum->slowest_text));
	}
}

void
ms_profile_total(MSTotals *total)
{
	*total = ms_profile.before;
	totals_add(total, &ms_profile.in_section);
}

/*
 * Labels and applications: each has a number.  A label's totals are those of
 * its sections that are over.
 */

void
ms_labels_attach(char *memory, Size size)
{
	labels = (MSLabel *) memory;
	max_labels = Min(size / sizeof(MSLabel), MAX_LABELS);
}

void
ms_labels_reset(void)
{
	nlabels = 0;
	ms_profile.labels_lost = 0;
	ms_profile.section_label = -1;
	memset(ms_profile.applications, 0, sizeof(ms_profile.applications));
	ms_profile.application = 0;
	ms_profile.application_seen = NULL;
}

static int
find_label(const char *label, int len)
{
	for (int i = 0; i < nlabels; i++)
		if (labels[i].len == len && memcmp(labels[i].text, label, len) == 0)
			return i;
	return -1;
}

/* the number of the label that is in force */
static int
take_label(void)
{
	int			found;
	MSLabel    *label;

	if (ms_profile.label_len == 0)
		return -1;
	found = find_label(ms_profile.label, ms_profile.label_len);
	if (found >= 0)
		return found;
	if (nlabels == max_labels)
	{
		ms_profile.labels_lost++;
		return -1;
	}
	label = &labels[nlabels];
	memset(label, 0, sizeof(MSLabel));
	label->len = ms_profile.label_len;
	memcpy(label->text, ms_profile.label, label->len);
	return nlabels++;
}

void
ms_session_label(const char *label, int len)
{
	ms_profile.label_len = pg_mbcliplen(label, len, MS_LABEL_MAX);
	memcpy(ms_profile.label, label, ms_profile.label_len);
}

const char *
ms_label_text(int label)
{
	return label < 0 || label >= nlabels ? NULL :
		pnstrdup(labels[label].text, labels[label].len);
}

bool
ms_label_total(const char *label, int len, MSTotals *total)
{
	int			found = find_label(label, pg_mbcliplen(label, len, MS_LABEL_MAX));

	memset(total, 0, sizeof(MSTotals));
	if (found < 0)
		return ms_profile.labels_lost == 0;
	*total = labels[found].totals;
	if (found == ms_profile.section_label)
		totals_add(total, &ms_profile.in_section);
	return true;
}

void
ms_session_application(void)
{
	int			i;

	ms_profile.application_seen = application_name;
	if (application_name == NULL)
		return;

	/* the first is empty, as the session may have none */
	for (i = 0; i < MS_APPLICATIONS; i++)
	{
		char	   *name = ms_profile.applications[i];

		if (name[0] == '\0' && i > 0)
			strlcpy(name, application_name, NAMEDATALEN);
		if (strncmp(name, application_name, NAMEDATALEN - 1) == 0)
			break;
	}
	ms_profile.application = i;
}

const char *
ms_application_name(int application)
{
	if (application == MS_APPLICATIONS)
		return "(others)";
	return ms_profile.applications[application];
}

/* a boundary that was asked for: another section of the budgets and the log */
void
ms_session_boundary(void)
{
	totals_add(&ms_profile.before, &ms_profile.in_section);
	if (ms_profile.section_label >= 0)
		totals_add(&labels[ms_profile.section_label].totals,
				   &ms_profile.in_section);
	ms_profile.section_label = take_label();
	ms_profile.paused = false;
	ms_profile.section++;
	ms_profile.section_seq = ms_profile.next_seq;
	ms_profile.repeatable = NULL;
	ms_profile.last_end_ns = 0;
	memset(&ms_profile.in_section, 0, sizeof(MSTotals));
	ms_profile.in_section.first_number = ms_profile.next_number;
	for (int i = 0; i < npieces; i++)
		if (pieces[i].boundary != NULL)
			pieces[i].boundary();
}

static void
empty_profile(void)
{
	ms_profile.generation++;
	ms_profile.tail_seq = ms_profile.next_seq;
	ms_profile.next_number = 1;
	ms_profile.text_head = 0;
	ms_profile.text_limit = ms_profile.texts_size;
	ms_profile.dropped = 0;
	ms_profile.truncated = 0;
	ms_profile.runs_lost = 0;
	ms_profile.facts_lost = 0;
	ms_profile.label_len = 0;
	ms_profile.xact = 0;
	ms_profile.xact_over = true;
	ms_profile.xact_failed = false;
	ms_profile.failed_xact = 0;
	ms_profile.goes_on = 0;
	ms_profile.ngo_on = 0;
	ms_profile.last_top = 0;
	ms_profile.trip = 0;
	ms_profile.trip_message = 0;
	ms_profile.trip_unknown = false;
	ms_profile.unit = 0;
	for (int i = 0; i < npieces; i++)
		pieces[i].reset();
	ms_profile.section_label = -1;
	memset(&ms_profile.in_section, 0, sizeof(MSTotals));
	memset(&ms_profile.before, 0, sizeof(MSTotals));
	ms_session_boundary();
}

static void
cut_memory(char *block, Size size)
{
	Size		unit = size / 64;

	ms_profile.records = (MSRecord *) block;
	ms_profile.nrecords = unit * SHARE_RECORDS / sizeof(MSRecord);
	block += MAXALIGN_DOWN(unit * SHARE_RECORDS);
	ms_profile.texts = block;
	ms_profile.texts_size = MAXALIGN_DOWN(unit * SHARE_TEXTS);
	block += ms_profile.texts_size;
	for (int i = 0; i < npieces; i++)
	{
		size = MAXALIGN_DOWN(unit * pieces[i].share);
		pieces[i].attach(block, size);
		block += size;
	}
}

/*
 * Take the memory.  Where it cannot be had, profiling stays off: that is
 * no reason for the application's statement to fail.
 */
static bool
take_memory(void)
{
	/* the context has a block of its own beside ours */
	Size		size = (Size) ms_profile_memory * 1024 - 8 * 1024;
	char	   *block;

	if (ms_profile.context == NULL)
	{
		ms_profile.context =
			AllocSetContextCreate(TopMemoryContext, "missing_symbol profile",
								  ALLOCSET_SMALL_SIZES);
		enroll();
	}
	MemoryContextReset(ms_profile.context);
	ms_profile.ready = false;
	block = MemoryContextAllocExtended(ms_profile.context, size,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (block == NULL)
		return false;

	ms_profile.memory = ms_profile_memory;
	cut_memory(block, size);
	ms_profile.next_seq = Max(ms_profile.next_seq, 1);
	ms_profile.anchor_time = GetCurrentTimestamp();
	ms_profile.anchor_ns = ms_now_ns();
	empty_profile();
	calibrate();
	empty_profile();
	ms_profile.ready = true;
	return true;
}

void
ms_session_hide(void)
{
	if (!ms_profile.ready)
		return;
	ms_profile.ready = false;
	ms_session_unlogged = true;
}

void
ms_session_log_failed(void)
{
	if (!ms_session_unlogged)
		return;
	ms_session_unlogged = false;
	ms_profile.ready = true;
	PG_TRY();
	{
		ms_profile_log("transaction failed");
	}
	PG_CATCH();
	{
		ms_session_reset();
		PG_RE_THROW();
	}
	PG_END_TRY();
	ms_session_reset();
}

bool
ms_profile_make_ready(void)
{
	ms_session_log_failed();
	if (ms_profile.ready)
		return true;
	if (ms_profile.failed)
		return false;
	if (MyBackendType != B_BACKEND)
	{
		ms_profiling = MS_TRACK_OFF;
		return false;
	}
	if (!take_memory())
	{
		ms_profile.failed = true;
		ereport(WARNING,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("profiling is off: out of memory"),
				 errhint("Lower missing_symbol.profile_memory.")));
		return false;
	}
	return true;
}

/* empty it, and follow a change of missing_symbol.profile_memory */
void
ms_session_reset(void)
{
	if (!ms_profile.ready)
		return;
	empty_profile();
	if (ms_profile.memory != ms_profile_memory)
		ms_profile.ready = false;
}
