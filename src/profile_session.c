/*-------------------------------------------------------------------------
 *
 * profile_session.c
 *	  The session's profile: the switch, its memory, the ring of statements.
 *
 * All memory is one block of missing_symbol.profile_memory, taken as
 * profiling is first on and cut into pieces once:
 *
 *		records		a ring of MSRecord, by sequence number
 *		texts		a ring of bytes: label, text and parameters of a record
 *					lie together, and go with their record
 *		shapes		profile_stats.c
 *		runs		n_plus_one.c
 *
 * Nothing is allocated afterwards, and nothing here raises an error but
 * what SQL calls.  The oldest record makes room for the newest; what is
 * dropped or cut is counted.  Statistics and totals are kept as statements
 * end, so they do not depend on what the ring still holds.
 *
 * A sequence number is never used again after a reset, so a statement that
 * outlives one (a suspended portal) finds no record and leaves no trace.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/instrument.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "portability/instr_time.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

#define CALIBRATION_ROUNDS	64

/* shares of the memory, in 1/64 */
#define SHARE_RECORDS	16
#define SHARE_TEXTS		16
#define SHARE_SHAPES	28
#define SHARE_RUNS		4

/* a record may take this share of the texts */
#define TEXT_PART		8

MSProfile	ms_profile;
MSTrack		ms_profiling = MS_TRACK_OFF;

/* profile_start() and profile_stop(): in force until DISCARD ALL */
static struct
{
	bool		given;
	MSTrack		track;
	int8		plans;			/* -1: as the setting says */
	int8		params;
}			session_switch = {false, MS_TRACK_OFF, -1, -1};

PG_FUNCTION_INFO_V1(ms_profile_start);
PG_FUNCTION_INFO_V1(ms_profile_stop);
PG_FUNCTION_INFO_V1(ms_profile_reset);
PG_FUNCTION_INFO_V1(ms_profile_mark);

/*
 * Small things
 */

int64
ms_now_ns(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return INSTR_TIME_GET_NANOSEC(now);
}

uint64
ms_hash_combine(uint64 a, uint64 b)
{
	return hash_combine64(a, b);
}

/* of a value: its bytes, without reading the catalog for usual types */
uint64
ms_hash_parameter(ParamExternData *p)
{
	int16		typlen;
	bool		typbyval;

	switch (p->ptype)
	{
		case INT4OID:
		case BOOLOID:
		case DATEOID:
			typlen = 4;
			typbyval = true;
			break;
		case INT8OID:
		case TIMESTAMPTZOID:
			typlen = 8;
			typbyval = sizeof(Datum) == 8;
			break;
		case TEXTOID:
		case VARCHAROID:
		case NUMERICOID:
			typlen = -1;
			typbyval = false;
			break;
		default:
			get_typlenbyval(p->ptype, &typlen, &typbyval);
			break;
	}
	if (typbyval)
		return ms_hash_combine((uint64) p->value, 1);
	if (typlen == -1)
	{
		struct varlena *v = (struct varlena *) DatumGetPointer(p->value);

		return hash_bytes_extended((const unsigned char *) VARDATA_ANY(v),
								   VARATT_IS_EXTERNAL(v) ? 0 :
								   VARSIZE_ANY_EXHDR(v), 0);
	}
	return hash_bytes_extended((const unsigned char *) DatumGetPointer(p->value),
							   typlen > 0 ? typlen :
							   strlen(DatumGetCString(p->value)), 0);
}

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
 * The switch
 */

bool
ms_profile_plans(void)
{
	return session_switch.given && session_switch.plans >= 0 ?
		session_switch.plans : ms_profile_plans_setting;
}

bool
ms_profile_params(void)
{
	return session_switch.given && session_switch.params >= 0 ?
		session_switch.params : ms_profile_params_setting;
}

void
ms_profile_refresh(void)
{
	MSTrack		before = ms_profiling;
	MSTrack		track = session_switch.given ? session_switch.track :
		(MSTrack) ms_profile_setting;

	/* the postmaster's children inherit the hooks; only clients use them */
	if (IsUnderPostmaster && MyBackendType != B_BACKEND)
		return;
	ms_profiling = track;
	ms_profile.failed = false;
	if (ms_profiling == MS_TRACK_OFF || before != MS_TRACK_OFF)
		return;
	if (IsUnderPostmaster)
		ms_profile_in_flight();
	ms_profile_install();
}

/*
 * Memory
 */

void
ms_profile_total(MSTotals *total)
{
	const MSTotals *section = &ms_profile.in_section;
	MSTotals	sum = ms_profile.before;

	sum.queries += section->queries;
	sum.controls += section->controls;
	sum.nested += section->nested;
	sum.errors += section->errors;
	sum.rows += section->rows;
	sum.plan_ns += section->plan_ns;
	sum.exec_ns += section->exec_ns;
	sum.commit_ns += section->commit_ns;
	if (section->slowest_ns > sum.slowest_ns)
	{
		sum.slowest_ns = section->slowest_ns;
		sum.slowest_user = section->slowest_user;
		memcpy(sum.slowest_text, section->slowest_text,
			   sizeof(sum.slowest_text));
	}
	*total = sum;
}

/* a boundary that was asked for: another section of the budgets and the log */
static void
start_section(void)
{
	ms_profile_total(&ms_profile.before);
	ms_profile.section++;
	ms_profile.last_end_ns = 0;
	memset(&ms_profile.in_section, 0, sizeof(MSTotals));
	ms_profile.in_section.first_number = ms_profile.next_number;
	ms_runs_boundary();
}

static void
empty_profile(void)
{
	ms_profile.generation++;
	ms_profile.tail_seq = ms_profile.next_seq;
	ms_profile.next_number = 1;
	ms_profile.text_head = 0;
	ms_profile.dropped = 0;
	ms_profile.truncated = 0;
	ms_profile.runs_lost = 0;
	ms_profile.label_len = 0;
	ms_profile.xact = 0;
	ms_profile.xact_over = true;
	ms_profile.xact_failed = false;
	ms_profile.last_top = 0;
	ms_profile.unit = 0;
	ms_shapes_reset();
	ms_runs_reset();
	memset(&ms_profile.in_section, 0, sizeof(MSTotals));
	memset(&ms_profile.before, 0, sizeof(MSTotals));
	start_section();
}

/*
 * What a statement costs here: the work of one, without the hooks' calls.
 */
static void
calibrate(void)
{
	static const char text[] = "SELECT name FROM calibration WHERE id = 42";
	int64		from_ns = ms_now_ns();
	int			i;

	for (i = 0; i < CALIBRATION_ROUNDS; i++)
	{
		MSStatement s;

		ms_statement_init(&s, text, -1, 0);
		s.kind = MS_QUERY;
		s.operation = CMD_SELECT;
		s.executed = true;
		ms_statement_open(&s, NULL);
		ms_statement_begin(&s);
		ms_statement_end(&s);
		ms_statement_begin(&s);
		ms_statement_end(&s);
		ms_statement_close(&s, MS_OK, 0);
	}
	ms_profile.own_cost_ns = (ms_now_ns() - from_ns) / CALIBRATION_ROUNDS;
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
	ms_shapes_attach(block, MAXALIGN_DOWN(unit * SHARE_SHAPES));
	block += MAXALIGN_DOWN(unit * SHARE_SHAPES);
	ms_runs_attach(block, MAXALIGN_DOWN(unit * SHARE_RUNS));
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
		ms_profile_register();
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

bool
ms_profile_make_ready(void)
{
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
static void
reset_profile(void)
{
	if (!ms_profile.ready)
		return;
	empty_profile();
	if (ms_profile.memory != ms_profile_memory)
		ms_profile.ready = false;
}

void
ms_profile_discard(void)
{
	ms_profile_log("DISCARD ALL");
	session_switch.given = false;
	ms_profile_refresh();
	reset_profile();
}

void
ms_profile_require_on(void)
{
	ms_profile_own();
	if (ms_profiling == MS_TRACK_OFF || !ms_profile_ready())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("profiling is off, so nothing has been measured"),
				 errhint("Call missing_symbol.profile_start() before what is to be measured, and check before profile_stop().")));
}

/*
 * The ring
 */

static void
drop_oldest(void)
{
	if (!ms_profile_record(ms_profile.tail_seq)->hidden)
		ms_profile.dropped++;
	ms_profile.tail_seq++;
}

/* room for that many bytes in one piece; old records make way */
static uint64
reserve_text(uint64 len)
{
	uint64		pos = ms_profile.text_head;
	uint64		offset = pos % ms_profile.texts_size;

	if (offset + len > ms_profile.texts_size)
		pos += ms_profile.texts_size - offset;
	while (ms_profile.tail_seq < ms_profile.next_seq &&
		   pos + len - ms_profile_record(ms_profile.tail_seq)->text_pos >
		   ms_profile.texts_size)
		drop_oldest();
	ms_profile.text_head = pos + len;
	return pos;
}

static int
clip(const char *text, int len, int max)
{
	if (len <= max)
		return len;
	ms_profile.truncated++;
	return pg_mbcliplen(text, len, max);
}

static MSRecord *
push_record(MSStatement *s, const char *params)
{
	int			max = ms_profile.texts_size / TEXT_PART;
	int			label_len = ms_profile.label_len;
	int			text_len = clip(s->text, s->len, max);
	int			params_len = -1;
	MSRecord   *r;
	char	   *to;

	if (params != NULL)
		params_len = clip(params, strlen(params), max);
	if (ms_profile.next_seq - ms_profile.tail_seq >= ms_profile.nrecords)
		drop_oldest();
	s->seq = ms_profile.next_seq;
	r = &ms_profile.records[s->seq % ms_profile.nrecords];
	memset(r, 0, sizeof(MSRecord));
	r->text_pos = reserve_text(label_len + text_len + Max(params_len, 0));
	r->label_len = label_len;
	r->text_len = text_len;
	r->params_len = params_len;
	to = ms_profile.texts + r->text_pos % ms_profile.texts_size;
	memcpy(to, ms_profile.label, label_len);
	memcpy(to + label_len, s->text, text_len);
	if (params_len > 0)
		memcpy(to + label_len + text_len, params, params_len);
	ms_profile.next_seq++;
	return r;
}

const char *
ms_record_text(const MSRecord *r)
{
	return ms_profile.texts + r->text_pos % ms_profile.texts_size +
		r->label_len;
}

const char *
ms_record_params(const MSRecord *r)
{
	return ms_record_text(r) + r->text_len;
}

/*
 * Statements
 */

/* one statement of a string: what PostgreSQL 14's CleanQuerytext() does */
void
ms_statement_init(MSStatement *s, const char *source, int location, int len)
{
	memset(s, 0, offsetof(MSStatement, from_ns));
	if (location >= 0)
	{
		source += location;
		if (len <= 0)
			len = strlen(source);
	}
	else
		len = strlen(source);
	while (len > 0 && scanner_isspace(source[0]))
		source++, len--;
	while (len > 0 && scanner_isspace(source[len - 1]))
		len--;
	s->text = source;
	s->len = len;
	s->userid = GetUserId();
	s->kind = MS_UTILITY;
}

/*
 * The counters of this process.  Times of blocks are read only where they
 * are taken: most do not.
 */
static inline void
read_usage(MSUsage *u)
{
	const BufferUsage *b = &pgBufferUsage;

	u->shared_blks_hit = b->shared_blks_hit;
	u->shared_blks_read = b->shared_blks_read;
	u->shared_blks_dirtied = b->shared_blks_dirtied;
	u->shared_blks_written = b->shared_blks_written;
	u->local_blks_hit = b->local_blks_hit;
	u->local_blks_read = b->local_blks_read;
	u->local_blks_dirtied = b->local_blks_dirtied;
	u->local_blks_written = b->local_blks_written;
	u->temp_blks_read = b->temp_blks_read;
	u->temp_blks_written = b->temp_blks_written;
	u->wal_records = pgWalUsage.wal_records;
	u->wal_fpi = pgWalUsage.wal_fpi;
	u->wal_bytes = (int64) pgWalUsage.wal_bytes;
	u->blk_read_ns = track_io_timing ? MS_BLK_READ_NS(b) : 0;
	u->blk_write_ns = track_io_timing ? MS_BLK_WRITE_NS(b) : 0;
	u->unused = 0;
}

/* an MSUsage is nothing but sums: a row of int64 */
#define USAGE_SUMS	(sizeof(MSUsage) / sizeof(int64))

void
ms_usage_add(MSUsage *into, const MSUsage *from)
{
	int64	   *to = (int64 *) into;
	const int64 *add = (const int64 *) from;
	int			i;

	for (i = 0; i < USAGE_SUMS; i++)
		to[i] += add[i];
}

void
ms_statement_begin(MSStatement *s)
{
	read_usage(&s->from);
	s->from_ns = ms_now_ns();
}

void
ms_statement_end(MSStatement *s)
{
	MSUsage		now;
	int64	   *to = (int64 *) &s->usage;
	int			i;

	s->end_ns = ms_now_ns();
	s->exec_ns += s->end_ns - s->from_ns;
	read_usage(&now);
	for (i = 0; i < USAGE_SUMS; i++)
		to[i] += ((int64 *) &now)[i] - ((int64 *) &s->from)[i];
}

/* a client that paused has begun something else */
static void
check_unit(MSStatement *s)
{
	if (ms_profile.last_end_ns != 0 && ms_unit_gap >= 0 &&
		s->start_ns - s->plan_ns - ms_profile.last_end_ns >
		(int64) ms_unit_gap * 1000000)
		ms_runs_boundary();
}

void
ms_statement_open(MSStatement *s, const char *params)
{
	MSRecord   *r;

	s->start_ns = ms_now_ns();
	s->end_ns = s->start_ns;
	s->opened = true;
	s->generation = ms_profile.generation;
	ms_shapes_open(s);
	if (s->level == 0)
		check_unit(s);

	r = push_record(s, params);
	r->number = ms_profile.next_number++;
	r->level = s->level;
	r->userid = s->userid;
	r->shape = s->shape;
	r->control = s->kind == MS_CONTROL;
	r->start_ns = s->start_ns - s->exec_ns;
	r->committed = -1;
	r->run = -1;
	if (!ms_profile.xact_over)
		 /* as the others of this transaction */ ;
	else if (IsAbortedTransactionBlockState())
		r->committed = 0;		/* of the one that has failed already */
	else
	{
		ms_profile.xact++;
		ms_profile.xact_over = false;
		ms_profile.xact_failed = false;
		s->begins_xact = true;
	}
	r->xact = ms_profile.xact;
	r->subid = r->committed == 0 ? InvalidSubTransactionId :
		GetCurrentSubTransactionId();
	r->tag = s->tag;
	r->queryid = s->queryid;
	r->plan_ns = s->plan_ns;
	r->exec_ns = s->exec_ns;
	if (s->level == 0)
		ms_profile.last_top = s->seq;
}

/* what is known so far, for who looks meanwhile */
void
ms_statement_update(MSStatement *s)
{
	MSRecord   *r = ms_profile_record(s->seq);

	if (r == NULL)
		return;
	r->tag = s->tag;
	r->queryid = s->queryid;
	r->plan_ns = s->plan_ns;
	r->exec_ns = s->exec_ns;
	r->rows = s->rows;
	r->usage = s->usage;
}

static void
note_slowest(MSTotals *t, MSStatement *s, MSShape *shape, int64 ns)
{
	int			len;

	if (ns <= t->slowest_ns)
		return;
	len = pg_mbcliplen(shape->text, shape->text_len,
					   sizeof(t->slowest_text) - 1);
	memcpy(t->slowest_text, shape->text, len);
	t->slowest_text[len] = '\0';
	t->slowest_ns = ns;
	t->slowest_user = s->userid;
}

static void
add_to_totals(MSTotals *t, MSStatement *s, MSStatus status, MSShape *shape)
{
	if (s->level > 0)
	{
		t->nested++;
		return;
	}
	if (s->kind == MS_CONTROL)
		t->controls++;
	else
		t->queries++;
	if (status == MS_ERROR)
		t->errors++;
	t->rows += s->rows;
	t->plan_ns += s->plan_ns;
	t->exec_ns += s->exec_ns;
	note_slowest(t, s, shape, s->plan_ns + s->exec_ns);
}

void
ms_statement_close(MSStatement *s, MSStatus status, int sqlerrcode)
{
	MSRecord   *r;
	MSShape    *shape;

	if (!s->opened || s->generation != ms_profile.generation || s->own)
		return;
	r = ms_profile_record(s->seq);
	ms_statement_update(s);
	if (s->closed)
	{
		/* run again after its last row: its time counts in the list only */
		if (r != NULL && status == MS_ERROR)
			ms_record_fail(r, sqlerrcode);
		return;
	}

	s->closed = true;
	if (r != NULL)
	{
		r->status = status;
		r->sqlerrcode = sqlerrcode;
		if (status == MS_ERROR)
			r->committed = 0;
	}
	if (status == MS_ERROR && s->level == 0)
		ms_profile.xact_failed = true;
	shape = ms_shapes_add(s, status);
	add_to_totals(&ms_profile.in_section, s, status, shape);
	if (s->level == 0)
	{
		if (s->kind != MS_CONTROL)
			ms_runs_add(s, shape, r, status);
		ms_profile.last_end_ns = Max(s->end_ns, ms_profile.last_end_ns);
	}
}

/* the profiler's own: it leaves no number behind if it is the last */
void
ms_statement_forget(MSStatement *s)
{
	MSRecord   *r = ms_profile_record(s->seq);

	if (r == NULL)
		return;
	if (ms_profile.last_top == s->seq)
		ms_profile.last_top = 0;
	if (s->seq == ms_profile.next_seq - 1)
	{
		ms_profile.next_seq--;
		ms_profile.next_number--;
		ms_profile.text_head = r->text_pos;
		if (s->begins_xact && !ms_profile.xact_over)
		{
			ms_profile.xact--;
			ms_profile.xact_over = true;
		}
	}
	else
		r->hidden = true;
	s->seq = 0;
}

void
ms_record_fail(MSRecord *r, int sqlerrcode)
{
	MSShape    *shape;

	if (r->status == MS_ERROR)
		return;
	if (r->status != MS_RUNNING)
	{
		shape = ms_shapes_find(r->shape, r->userid, r->level == 0);
		if (shape != NULL)
			shape->errors++;
		if (r->level == 0)
		{
			ms_profile.in_section.errors++;
			ms_profile.xact_failed = true;
		}
	}
	r->status = MS_ERROR;
	r->sqlerrcode = sqlerrcode;
	r->committed = 0;
}

/*
 * Ends of transactions
 */

void
ms_profile_xact_end(MSXactEnd end, int64 commit_ns)
{
	MSRecord   *last = ms_profile_record(ms_profile.last_top);
	uint64		seq;
	int8		committed = end == MS_XACT_COMMITTED ? 1 :
		end == MS_XACT_ABORTED ? 0 : -1;

	if (commit_ns > 0)
	{
		ms_profile.in_section.commit_ns += commit_ns;
		if (last != NULL)
			last->commit_ns += commit_ns;
		ms_profile.last_end_ns = ms_now_ns();
	}
	if (ms_profile.xact_over)
	{
		/* a statement that goes on in its next transaction */
		if (last != NULL && last->status == MS_RUNNING)
			last->committed = committed;
		return;
	}

	for (seq = ms_profile.next_seq - 1;; seq--)
	{
		MSRecord   *r = ms_profile_record(seq);

		if (r == NULL)
			break;
		if (r->xact != ms_profile.xact)
			break;
		if (r->committed == -1 || (r == last && r->status == MS_RUNNING))
			r->committed = committed;
		if (r->run >= 0)
		{
			if (end == MS_XACT_COMMITTED)
				ms_runs_commit(r, commit_ns);
			else if (end == MS_XACT_ABORTED && ms_profile.xact_failed)
				ms_runs_failed(r);
		}
	}
	if (last != NULL && last->status == MS_RUNNING)
		last->committed = committed;
	ms_profile.xact_over = true;
}

/* subids grow: what started after the savepoint has one of its own or more */
void
ms_profile_subxact_abort(SubTransactionId subid)
{
	uint64		seq;

	if (ms_profile.xact_over)
		return;
	for (seq = ms_profile.next_seq - 1;; seq--)
	{
		MSRecord   *r = ms_profile_record(seq);

		if (r == NULL || r->xact != ms_profile.xact ||
			(r->subid != InvalidSubTransactionId && r->subid < subid))
			break;
		if (!r->control && r->committed == -1)
			r->committed = 0;
	}
}

/*
 * SQL: the switch
 */

static int8
optional_bool(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? -1 : PG_GETARG_BOOL(n) ? 1 : 0;
}

/* profile_start(level, plans, params) */
Datum
ms_profile_start(PG_FUNCTION_ARGS)
{
	char	   *level = PG_ARGISNULL(0) ? "top" :
		text_to_cstring(PG_GETARG_TEXT_PP(0));
	MSTrack		track;

	if (pg_strcasecmp(level, "top") == 0)
		track = MS_TRACK_TOP;
	else if (pg_strcasecmp(level, "all") == 0)
		track = MS_TRACK_ALL;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized profiling level \"%s\"", level),
				 errhint("Available levels: top, all.")));
	if (MyBackendType != B_BACKEND)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("only a client's session can be profiled")));

	ms_profile_own();
	session_switch.given = true;
	session_switch.track = track;
	session_switch.plans = optional_bool(fcinfo, 1);
	session_switch.params = optional_bool(fcinfo, 2);
	ms_profile_refresh();
	if (ms_profile_ready())
		start_section();
	PG_RETURN_VOID();
}

Datum
ms_profile_stop(PG_FUNCTION_ARGS)
{
	ms_profile_own();
	session_switch.given = true;
	session_switch.track = MS_TRACK_OFF;
	ms_profile_refresh();
	PG_RETURN_VOID();
}

Datum
ms_profile_reset(PG_FUNCTION_ARGS)
{
	ms_profile_own();
	reset_profile();
	PG_RETURN_VOID();
}

/* profile_mark(label) */
Datum
ms_profile_mark(PG_FUNCTION_ARGS)
{
	ms_profile_own();
	if (!ms_profile.ready)
		PG_RETURN_VOID();
	ms_profile_log("profile_mark");
	ms_profile.label_len = 0;
	if (!PG_ARGISNULL(0))
	{
		text	   *label = PG_GETARG_TEXT_PP(0);

		ms_profile.label_len = pg_mbcliplen(VARDATA_ANY(label),
											VARSIZE_ANY_EXHDR(label),
											MS_LABEL_MAX);
		memcpy(ms_profile.label, VARDATA_ANY(label), ms_profile.label_len);
	}
	start_section();
	PG_RETURN_VOID();
}
