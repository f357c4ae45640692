/*-------------------------------------------------------------------------
 *
 * profile_statement.c
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

#include "access/xact.h"
#include "executor/instrument.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/scansup.h"

#include "missing_symbol.h"

/* a record may take this share of the texts */
#define TEXT_PART		8

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
	memset(&r->commit_ns, 0, sizeof(MSRecord) - offsetof(MSRecord, commit_ns));
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
	memset(s, 0, sizeof(MSStatement));
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
 * The counters of this process are taken off as a measurement begins, and
 * added as it ends: what remains is the difference.
 */
#define COUNT(u, op) \
	do { \
		const BufferUsage *b_ = &pgBufferUsage; \
		(u)->shared_blks_hit op b_->shared_blks_hit; \
		(u)->shared_blks_read op b_->shared_blks_read; \
		(u)->shared_blks_dirtied op b_->shared_blks_dirtied; \
		(u)->shared_blks_written op b_->shared_blks_written; \
		(u)->local_blks_hit op b_->local_blks_hit; \
		(u)->local_blks_read op b_->local_blks_read; \
		(u)->local_blks_dirtied op b_->local_blks_dirtied; \
		(u)->local_blks_written op b_->local_blks_written; \
		(u)->temp_blks_read op b_->temp_blks_read; \
		(u)->temp_blks_written op b_->temp_blks_written; \
		(u)->wal_records op pgWalUsage.wal_records; \
		(u)->wal_fpi op pgWalUsage.wal_fpi; \
		(u)->wal_bytes op (int64) pgWalUsage.wal_bytes; \
		(u)->blk_read_ns op MS_BLK_READ_NS(b_); \
		(u)->blk_write_ns op MS_BLK_WRITE_NS(b_); \
	} while (0)

/* an MSUsage is nothing but sums: a row of int64, of which two fit a register */
static inline void
add_sums(int64 *pg_restrict to, const int64 *pg_restrict add)
{
	int			i;

	for (i = 0; i < sizeof(MSUsage) / sizeof(int64); i++)
		to[i] += add[i];
}

void
ms_usage_add(MSUsage *into, const MSUsage *from)
{
	add_sums((int64 *) into, (const int64 *) from);
}

void
ms_statement_begin(MSStatement *s)
{
	COUNT(&s->usage, -=);
	s->from_ns = ms_now_ns();
}

void
ms_statement_end(MSStatement *s)
{
	s->end_ns = ms_now_ns();
	s->exec_ns += s->end_ns - s->from_ns;
	COUNT(&s->usage, +=);
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
	r->sqlerrcode = 0;
	r->status = MS_RUNNING;
	r->committed = -1;
	r->hidden = false;
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
