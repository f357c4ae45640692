/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  A statement from its start to the end of its transaction: its record
 *	  in the ring, and its share in the statistics.
 *
 * A statement is opened as it first runs, which puts a record into the ring;
 * closed as it ends, which adds it to its shape, to the totals and to the
 * runs of n_plus_one.c; and its record learns later whether it was committed,
 * or has failed after all.  The oldest record makes room for the newest.
 *
 * Nothing here allocates, raises an error, or reads the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "executor/instrument.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "figures/figures.h"
#include "profile/level_internal.h"
#include "profile/profile.h"
#include "profile/session_internal.h"
#include "profile/statement_internal.h"
#include "shape/shape.h"
#include "slow/slow.h"

/* a record may take this share of the texts */
#define TEXT_PART		8

int			ms_unit_gap = 200;

static inline void
usage_clear(MSUsage *usage)
{
	int64	   *to = (int64 *) usage;

#define CLEAR(i) to[i] = 0; to[(i) + 1] = 0;
	MS_USAGE_PAIRS(CLEAR)
#undef CLEAR
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

/* old records make way for a text of that extent */
static pg_noinline void
drop_for_text(uint64 from, uint64 to)
{
	MSRecord   *oldest;

	while ((oldest = ms_profile_record(ms_profile.tail_seq)) != NULL &&
		   to - oldest->text_pos > ms_profile.texts_size)
		drop_oldest();
	ms_profile.text_limit = ms_profile.texts_size +
		(oldest != NULL ? oldest->text_pos : from);
}

/* room for that many bytes in one piece */
static inline uint64
reserve_text(uint64 len)
{
	uint64		pos = ms_profile.text_head;
	uint64		offset = pos % ms_profile.texts_size;

	if (unlikely(offset + len > ms_profile.texts_size))
		pos += ms_profile.texts_size - offset;
	if (unlikely(pos + len > ms_profile.text_limit))
		drop_for_text(pos, pos + len);
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

/* a statement whose text is cut keeps the comment at its end: its tags */
static pg_noinline void
keep_comment(char *to, int len, const MSStatement *s)
{
	int			size;
	const char *comment = ms_comment(s->text, s->len, &size);

	if (comment == NULL || comment == s->text || size > MS_COMMENT_MAX)
		return;
	memmove(to + len - size, comment, size);
	for (to += len - size; len > size && (to[-1] & 0x80); len--)
		*--to = ' ';			/* no part of a character */
}

/*
 * Is it word for word the statement before it, under the same label?  Then
 * the two share the text, and the shape.
 */
static inline bool
is_repeated(const MSStatement *s, const char *params)
{
	const MSRecord *r = ms_profile.repeatable;

	return r != NULL && r->text_len == s->len && params == NULL &&
		s->shape_text == NULL && memcmp(ms_record_text(r), s->text, s->len) == 0;
}

/* its shape; label, text and parameters into the ring of texts */
static pg_noinline void
push_text(MSRecord *r, MSStatement *s, const char *params)
{
	int			max = ms_profile.texts_size / TEXT_PART;
	int			label_len = ms_profile.label_len;
	int			text_len = clip(s->text, s->len, max);
	int			params_len = params ? clip(params, strlen(params), max) : -1;
	char	   *to;

	s->shape = s->shape_text == NULL ?
		ms_shape_cached(s->text, s->len, &s->literals) :
		ms_shape_cached(s->shape_text, s->shape_len, &s->literals);
	r->text_pos = reserve_text(label_len + text_len + Max(params_len, 0));
	r->label_len = label_len;
	r->text_len = text_len;
	r->params_len = params_len;
	to = ms_profile.texts + r->text_pos % ms_profile.texts_size;
	memcpy(to, ms_profile.label, label_len);
	memcpy(to + label_len, s->text, text_len);
	if (unlikely(text_len < s->len))
		keep_comment(to + label_len, text_len, s);
	if (params_len > 0)
		memcpy(to + label_len + text_len, params, params_len);
	ms_profile.repeatable =
		params == NULL && s->shape_text == NULL && text_len == s->len ?
		r : NULL;
}

static inline MSRecord *
push_record(MSStatement *s, const char *params)
{
	const MSRecord *before = ms_profile.repeatable;
	MSRecord   *r;

	if (ms_profile.next_seq - ms_profile.tail_seq >= ms_profile.nrecords)
		drop_oldest();
	s->seq = ms_profile.next_seq;
	r = &ms_profile.records[s->seq % ms_profile.nrecords];
	s->record = r;
	if (is_repeated(s, params))
	{
		s->shape = before->shape;
		s->literals = before->literals;
		r->text_pos = before->text_pos;
		r->label_len = before->label_len;
		r->text_len = before->text_len;
		r->params_len = -1;
		ms_profile.repeatable = r;
	}
	else
	{
		push_text(r, s, params);
	}
	r->shape = s->shape;
	r->literals = s->literals;
	memset(&r->sqlerrcode, 0,
		   offsetof(MSRecord, usage) - offsetof(MSRecord, sqlerrcode));
	ms_profile.next_seq++;
	return r;
}

/* its record, or NULL if that has been dropped */
static inline MSRecord *
statement_record(const MSStatement *s)
{
	return likely(s->seq >= ms_profile.tail_seq) ? s->record : NULL;
}

/*
 * Statements
 */

/* spares most calls of scanner_isspace() */
static inline bool
may_be_space(char c)
{
	return (unsigned char) c <= ' ';
}

/* one statement of a string: what PostgreSQL 14's CleanQuerytext() does */
void
ms_statement_init(MSStatement *s, const char *source, int location, int len)
{
	/* in two pieces, each short enough for gcc to spare us "rep stos" */
	MS_STATEMENT_CLEAR(s, opened, shape_text);
	MS_STATEMENT_CLEAR(s, shape_text, generation);
	if (location >= 0)
	{
		int			before = location == 0 ? 0 :
			ms_comment_before(source, source + location);

		source += location - before;
		len += len > 0 ? before : 0;
		if (len <= 0)
			len = strlen(source);
		else if (source[len] == ';' && source[len + 1] != '\0')
			len += ms_comment_behind(source + len);
	}
	else
		len = strlen(source);
	while (len > 0 && may_be_space(source[0]) && scanner_isspace(source[0]))
		source++, len--;
	while (len > 0 && may_be_space(source[len - 1]) &&
		   scanner_isspace(source[len - 1]))
		len--;
	s->text = source;
	s->len = len;
	s->userid = GetUserId();
	s->kind = MS_UTILITY;
}

/* the counters of this process; the blocks' come in our order */
static inline void
read_usage(MSUsage *u)
{
	const BufferUsage *b = &pgBufferUsage;

	StaticAssertStmt(offsetof(BufferUsage, temp_blks_written) ==
					 offsetof(MSUsage, temp_blks_written),
					 "BufferUsage does not begin with the blocks");
	StaticAssertStmt(sizeof(b->shared_blks_hit) == sizeof(int64),
					 "BufferUsage does not count in int64");
	memcpy(u, b, offsetof(MSUsage, wal_records));
	u->wal_records = pgWalUsage.wal_records;
	u->wal_fpi = pgWalUsage.wal_fpi;
	u->wal_bytes = (int64) pgWalUsage.wal_bytes;
	u->blk_read_ns = MS_BLK_READ_NS(b);
	u->blk_write_ns = MS_BLK_WRITE_NS(b);
	u->unused = 0;
}

static inline void
usage_subtract(MSUsage *pg_restrict from, const MSUsage *pg_restrict usage)
{
	int64	   *pg_restrict to = (int64 *) from;
	const int64 *pg_restrict less = (const int64 *) usage;

#define SUBTRACT(i) to[i] -= less[i]; to[(i) + 1] -= less[(i) + 1];
	MS_USAGE_PAIRS(SUBTRACT)
#undef SUBTRACT
}

/* likewise, less what they were */
static inline void
usage_since(MSUsage *pg_restrict u, const MSUsage *pg_restrict from)
{
	const BufferUsage *b = &pgBufferUsage;
	const int64 *pg_restrict now = (const int64 *) b;
	int64	   *pg_restrict to = (int64 *) u;
	const int64 *pg_restrict less = (const int64 *) from;

	StaticAssertStmt(offsetof(MSUsage, wal_records) == 10 * sizeof(int64),
					 "MSUsage does not begin with ten blocks");
#define SINCE(i) to[i] = now[i] - less[i]; to[(i) + 1] = now[(i) + 1] - less[(i) + 1];
	SINCE(0) SINCE(2) SINCE(4) SINCE(6) SINCE(8)
#undef SINCE
	u->wal_records = pgWalUsage.wal_records - from->wal_records;
	u->wal_fpi = pgWalUsage.wal_fpi - from->wal_fpi;
	u->wal_bytes = (int64) pgWalUsage.wal_bytes - from->wal_bytes;
	u->blk_read_ns = MS_BLK_READ_NS(b) - from->blk_read_ns;
	u->blk_write_ns = MS_BLK_WRITE_NS(b) - from->blk_write_ns;
	u->unused = 0;
}

/* usage goes on from what it is already */
void
ms_statement_begin(MSStatement *s)
{
	read_usage(&s->from);
	if (s->measured)
		usage_subtract(&s->from, &s->usage);
	s->measured = true;
	if (s->from_ns == 0)
		s->from_ns = ms_now_ns();
}

void
ms_statement_end(MSStatement *s)
{
	s->end_ns = ms_now_ns();
	s->exec_ns += s->end_ns - s->from_ns;
	s->from_ns = 0;
	usage_since(&s->usage, &s->from);
}

/*
 * How long the client had us wait before it sent what starts now, at most.
 * Parsing and locks come after: what counts is when its message arrived, or
 * the one that had it parsed, or the first of its transaction.  All that is
 * told by a clock that may be set, so how long ago it was is asked of the same.
 */
static pg_noinline int64
client_pause(int64 since_end_ns, int64 plan_ns)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		arrived_ns = plan_ns;
	TimestampTz arrivals[3];

	arrivals[0] = GetCurrentStatementStartTimestamp();
	arrivals[1] = ms_hooks.analysed.message;
	arrivals[2] = GetCurrentTransactionStartTimestamp();
	for (int i = 0; i < lengthof(arrivals); i++)
	{
		int64		ago_ns = (now - arrivals[i]) * 1000;

		if (ago_ns > arrived_ns && ago_ns < since_end_ns)
			arrived_ns = ago_ns;
	}
	return since_end_ns - arrived_ns;
}

/* a client that paused has begun something else */
static void
check_unit(MSStatement *s)
{
	int64		gap = (int64) ms_unit_gap * 1000000;
	int64		since_end_ns = s->start_ns - ms_profile.last_end_ns;

	if (ms_profile.last_end_ns != 0 && gap >= 0 && since_end_ns > gap &&
		client_pause(since_end_ns, s->plan_ns) > gap)
		ms_runs_boundary();
}

/*
 * What a query is, from its plan.  One of nothing but catalogs asks the
 * server's own tables.  A table whose name is a constant in it ('t'::regclass)
 * is not read, but among stmt->relationOids.
 */
static inline MSClass
class_of_plan(const PlannedStmt *stmt)
{
	MSClass		class = MS_CLASS_QUERY;
	ListCell   *lc;

	if (stmt->relationOids == NIL)
		return MS_CLASS_QUERY;
	foreach(lc, stmt->rtable)
	{
		Oid			relid = lfirst_node(RangeTblEntry, lc)->relid;

		if (relid >= FirstNormalObjectId)
			return MS_CLASS_QUERY;
		if (OidIsValid(relid))
			class = MS_CLASS_CATALOG;
	}
	return class;
}

/* rows that the statement locks itself, not for what it writes */
pg_noinline void
ms_note_row_marks(MSStatement *s, const List *marks)
{
	ListCell   *lc;

	foreach(lc, marks)
	{
		PlanRowMark *mark = lfirst_node(PlanRowMark, lc);

		if (mark->strength == LCS_NONE)
			continue;
		s->locks = true;
		s->skips |= mark->waitPolicy == LockWaitSkip;
	}
}

/* the words of what reads no table say whether it asks for anything */
static inline void
note_words(MSStatement *s)
{
	if (s->relations != NIL || s->operation != CMD_SELECT)
		return;
	if (s->entry->words & MS_SAYS_PING)
		s->class = MS_CLASS_PING;
	else if (s->entry->words & MS_SAYS_SETTING)
		s->class = MS_CLASS_CONTROL;
}

/* before it is open, or, of an EXECUTE, after */
void
ms_statement_describe(MSStatement *s, PlannedStmt *stmt)
{
	s->kind = MS_QUERY;
	s->operation = stmt->commandType;
	s->queryid = stmt->queryId;
	s->relations = stmt->relationOids;
	s->class = class_of_plan(stmt);
	s->returns = stmt->commandType == CMD_SELECT || stmt->hasReturning;
	s->user_code = stmt->invalItems != NIL;
	if (IsA(stmt->planTree, Limit))
	{
		s->has_limit = true;
		s->has_offset = ((Limit *) stmt->planTree)->limitOffset != NULL;
	}
	s->aggregates = IsA(stmt->planTree, Agg);
	if (unlikely(stmt->rowMarks != NIL))
		ms_note_row_marks(s, stmt->rowMarks);
	if (s->opened && !s->own && s->generation == ms_profile.generation)
	{
		ms_shapes_plan(s);
		note_words(s);
	}
}

/*
 * Has the client waited for an answer since its last statement?  What is in
 * one string has come at one time.  Else there was a Sync, after which the
 * server is idle: in a transaction block for some time, outside of one in no
 * transaction.  Never guessed from how long something took.
 */
static inline void
note_trip(MSStatement *s)
{
	TimestampTz message = GetCurrentStatementStartTimestamp();

	if (message != ms_profile.trip_message)
	{
		int64		idle = MS_IDLE_TIME();
		bool		in_block = !s->begins_xact && IsTransactionBlock();

		if (s->begins_xact || (in_block && idle != ms_profile.trip_idle))
			ms_profile.trip++;
		ms_profile.trip_unknown = in_block && !MS_HAVE_IDLE_TIME();
		ms_profile.trip_message = message;
		ms_profile.trip_idle = idle;
	}
	s->trip = ms_profile.trip;
}

/* where a shape is that is not the client's: of its first statement */
static pg_noinline void
name_shape(MSStatement *s)
{
	s->entry->named = true;
	s->entry->in_trigger = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) > 0;
	ms_name_inside(s->entry->inside, s->text, s->len);
}

/* while it is paused: only that there was one is kept */
static pg_noinline void
pass_over(MSStatement *s)
{
	s->own = true;
	s->seq = 0;
	s->record = NULL;
	s->entry = NULL;
	s->shape = 0;
	s->start_ns = ms_now_ns();
	s->end_ns = s->start_ns;
	s->from_ns = s->start_ns;
	if (s->level > 0)
		return;
	s->passed = true;
	ms_profile.in_section.classes[MS_CLASS_PAUSED]++;
	ms_profile.last_top = 0;
}

void
ms_statement_open(MSStatement *s, const char *params)
{
	MSRecord   *r;

	s->opened = true;
	s->generation = ms_profile.generation;
	s->trip = 0;
	if (unlikely(ms_profile.paused))
	{
		pass_over(s);
		return;
	}
	r = push_record(s, params);
	ms_shapes_open(s);
	if (s->kind == MS_QUERY)
		note_words(s);
	if (s->level > 0 && !s->entry->named)
		name_shape(s);
	r->number = ms_profile.next_number++;
	r->trip = 0;
	r->level = s->level;
	r->userid = s->userid;
	r->ends = s->transaction;
	r->class = s->class;
	r->application = ms_application_now();
	r->run = -1;
	if (!ms_profile.xact_over)
		 /* as the others of this transaction */ ;
	else if (IsAbortedTransactionBlockState())
		r->committed = MS_UNDONE;	/* of the one that has failed already */
	else
	{
		ms_profile.xact++;
		ms_profile.xact_over = false;
		ms_profile.xact_failed = false;
		s->begins_xact = true;
	}
	r->xact = ms_profile.xact;
	r->subid = r->committed == MS_UNDONE ? InvalidSubTransactionId :
		GetCurrentSubTransactionId();
	r->tag = s->tag;
	r->queryid = s->queryid;
	r->plan_ns = s->plan_ns;
	r->exec_ns = s->exec_ns;

	/* last, as the first measurement begins with it */
	s->start_ns = ms_now_ns();
	s->end_ns = s->start_ns;
	s->from_ns = s->start_ns;
	r->start_ns = s->start_ns - s->exec_ns;
	if (s->level == 0)
	{
		note_trip(s);
		r->trip = s->trip;
		if (s->begins_xact)
			check_unit(s);		/* who waits in a transaction goes on with it */
		ms_profile.last_top = s->seq;
	}
	r->unit = ms_profile.unit;
}

static inline void
update_record(MSRecord *pg_restrict r, const MSStatement *pg_restrict s)
{
	r->tag = s->tag;
	r->class = s->class;
	r->queryid = s->queryid;
	r->plan_ns = s->plan_ns;
	r->exec_ns = s->exec_ns;
	r->rows = s->rows;
	r->usage = s->usage;
	r->measured = true;
}

/* what is known so far, for who looks meanwhile */
void
ms_statement_update(MSStatement *s)
{
	MSRecord   *r = statement_record(s);

	if (r != NULL)
		update_record(r, s);
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
	t->classes[s->class]++;
	if (s->trip != t->last_trip)
	{
		t->last_trip = s->trip;
		t->trips++;
	}
	t->trips_unknown |= ms_profile.trip_unknown;
	if (status == MS_ERROR)
		t->errors++;
	t->rows += s->rows;
	t->plan_ns += s->plan_ns;
	t->exec_ns += s->exec_ns;
	note_slowest(t, s, shape, s->plan_ns + s->exec_ns);
}

/* a shape has many callers: who took longest is its example */
static pg_noinline void
note_example(MSStatement *s, MSRecord *r)
{
	MSShape    *shape = s->entry;

	if (shape->hash != s->shape)
		return;
	shape->label = ms_profile.section_label;
	shape->application = r->application;
	ms_record_comment(r, shape->comment);
}

void
ms_statement_close(MSStatement *s, MSStatus status, int sqlerrcode)
{
	MSRecord   *r;
	MSShape    *shape;

	if (!s->opened || s->generation != ms_profile.generation || s->own)
		return;
	if (!s->measured)
		usage_clear(&s->usage);
	r = statement_record(s);
	if (r != NULL)
		update_record(r, s);
	if (s->closed)
	{
		/* run again after its last row: its time counts in the list only */
		if (r != NULL && status == MS_ERROR)
			ms_record_fail(r, sqlerrcode);
		return;
	}

	s->closed = true;
	if (r != NULL && r->status == MS_ERROR)
	{
		/* so it has been told already */
		status = MS_ERROR;
		sqlerrcode = r->sqlerrcode;
	}
	if (r != NULL)
	{
		r->status = status;
		r->sqlerrcode = sqlerrcode;
		if (status == MS_ERROR)
			r->committed = MS_UNDONE;
	}
	if (status == MS_ERROR && s->level == 0)
		ms_profile.xact_failed = true;
	if (unlikely(s->exec_ns >= s->entry->histogram.max) && r != NULL)
		note_example(s, r);
	shape = ms_shapes_add(s, status);
	add_to_totals(&ms_profile.in_section, s, status, shape);
	if (s->class == MS_CLASS_QUERY)
		ms_runs_add(s, shape, r, status);
	if (s->level == 0)
		ms_profile.last_end_ns = Max(s->end_ns, ms_profile.last_end_ns);
	if (unlikely(s->plan_ns + s->exec_ns >= ms_slow_ns))
		ms_plan_slow(s, r, status, sqlerrcode);
}

void
ms_statement_rows(MSStatement *s, uint64 from, uint64 to)
{
	MSRecord   *r = statement_record(s);
	MSShape    *shape;
	MSTotals   *totals = s->seq >= ms_profile.section_seq ?
		&ms_profile.in_section : &ms_profile.before;

	if (s->generation != ms_profile.generation || s->own)
		return;
	shape = ms_shapes_find(s->shape, s->userid, s->level == 0);
	if (r != NULL)
		r->rows -= from - to;
	if (shape != NULL && shape->rows >= from - to)
		shape->rows -= from - to;
	totals->rows -= from - to;
}

/* the profiler's own: it leaves no number behind if it is the last */
void
ms_statement_forget(MSStatement *s)
{
	MSRecord   *r = statement_record(s);
	MSRecord   *before;

	if (r == NULL)
		return;
	if (ms_profile.last_top == s->seq)
		ms_profile.last_top = 0;
	if (s->seq == ms_profile.next_seq - 1)
	{
		before = ms_profile_record(s->seq - 1);
		if (before == NULL || before->text_pos != r->text_pos)
			ms_profile.text_head = r->text_pos; /* it is not shared */
		ms_profile.repeatable = NULL;
		ms_profile.next_seq--;
		ms_profile.next_number--;
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

/* the statement that calls this function directly is not to be listed */
void
ms_profile_own(void)
{
	if (ms_hooks.at.current == NULL || ms_hooks.at.current_context != error_context_stack)
		return;
	ms_hooks.at.current->own = true;
	if (ms_hooks.at.current->passed)
	{
		ms_hooks.at.current->passed = false;
		ms_profile.in_section.classes[MS_CLASS_PAUSED]--;
	}
	if (ms_hooks.at.current->opened)
		ms_statement_forget(ms_hooks.at.current);
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
	r->committed = MS_UNDONE;
}

/*
 * Ends of transactions
 */

/*
 * What its transaction came to: 1 committed, 0 not, -1 not known.  A commit
 * leaves no mark in the records, which is why it costs so little.
 */
int
ms_record_committed(const MSRecord *r)
{
	switch ((MSCommitted) r->committed)
	{
		case MS_WITH_XACT:
			return r->xact == ms_profile.xact && !ms_profile.xact_over ? -1 : 1;
		case MS_COMMITTED:
			return 1;
		case MS_UNDONE:
			return 0;
		case MS_PREPARED:
		case MS_GOES_ON:
			break;
	}
	return -1;
}

/* the transaction's records, as far as something is to be noted of them */
static void
mark_records(MSXactEnd end, int64 commit_ns)
{
	MSRecord   *r;
	uint64		seq;

	for (seq = ms_profile.next_seq - 1; (r = ms_profile_record(seq)) != NULL &&
		 r->xact == ms_profile.xact; seq--)
	{
		if (r->committed == MS_WITH_XACT && end == MS_XACT_ABORTED)
			r->committed = MS_UNDONE;
		else if (r->committed == MS_WITH_XACT && end == MS_XACT_PREPARED)
			r->committed = MS_PREPARED;
		if (r->run < 0)
			continue;
		if (end == MS_XACT_COMMITTED)
			ms_runs_commit(r, commit_ns);
		else if (end == MS_XACT_ABORTED && ms_profile.xact_failed)
			ms_runs_failed(r);
	}
}

/*
 * Of a statement that ends transactions and goes on in the next, the latest
 * that wrote something counts, and without one the latest.
 */
static void
note_end(MSRecord *r, MSCommitted outcome, bool wrote)
{
	if (wrote)
		r->wrote = outcome;
	r->committed = r->wrote != MS_WITH_XACT ? r->wrote : outcome;
}

static void
end_going_on(MSCommitted outcome)
{
	bool		wrote = TransactionIdIsValid(GetTopTransactionIdIfAny());
	MSRecord   *r;
	MSUtility  *u;
	uint64		seq = Max(ms_profile.goes_on, ms_profile.tail_seq);

	/* those around an earlier end; they may be through since */
	for (; ms_profile.ngo_on > 0 && (r = ms_profile_record(seq)) != NULL; seq++)
	{
		if (r->committed != MS_GOES_ON)
			continue;
		note_end(r, outcome, wrote);
		ms_profile.ngo_on--;
	}

	/* those around this one */
	ms_profile.ngo_on = 0;
	for (u = ms_hooks.utility; u != NULL; u = u->outer)
	{
		r = ms_profile_record(u->s.seq);
		if (r == NULL)
			continue;
		note_end(r, outcome, wrote);
		r->committed = MS_GOES_ON;
		ms_profile.goes_on = u->s.seq;
		ms_profile.ngo_on++;
	}
}

static pg_noinline void
end_xact(MSXactEnd end, int64 commit_ns)
{
	MSRecord   *last = ms_profile_record(ms_profile.last_top);

	if (commit_ns > 0)
	{
		ms_profile.in_section.commit_ns += commit_ns;
		if (last != NULL)
			last->commit_ns += commit_ns;
		ms_profile.last_end_ns = ms_now_ns();
	}
	if (!ms_profile.xact_over)
	{
		if (end == MS_XACT_ABORTED && ms_profile.xact_failed)
			ms_profile.failed_xact = ms_profile.xact;
		mark_records(end, commit_ns);
	}
	ms_profile.xact_over = true;
	end_going_on(end == MS_XACT_COMMITTED ? MS_COMMITTED :
				 end == MS_XACT_ABORTED ? MS_UNDONE : MS_PREPARED);
}

/* commit_ns: 0 where nothing was written */
void
ms_profile_xact_end(MSXactEnd end, int64 commit_ns)
{
	if (likely(end == MS_XACT_COMMITTED && commit_ns == 0 &&
			   ms_hooks.at.level == 0 && ms_profile.ngo_on == 0))
		ms_profile.xact_over = true;
	else
		end_xact(end, commit_ns);
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
		if (!r->ends && r->committed == MS_WITH_XACT)
			r->committed = MS_UNDONE;
	}
}
