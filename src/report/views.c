/*-------------------------------------------------------------------------
 *
 * views.c
 *	  The view queries: the session's last statements, in order.
 *
 * Text, parameters and query id show only to who has the privileges of the
 * role that the statement ran as, or pg_read_all_stats.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "missing_symbol.h"

#define QUERIES_COLUMNS		28

PG_FUNCTION_INFO_V1(ms_queries);

static Datum
counted_text(const char *text, int len)
{
	return PointerGetDatum(cstring_to_text_with_len(text, len));
}

static void
put_record(ReturnSetInfo *rsinfo, MSRecord *r)
{
	const MSUsage *u = &r->usage;
	const char *text = ms_record_text(r);
	bool		see = ms_may_see(r->userid);
	int			committed = ms_record_committed(r);
	Datum		values[QUERIES_COLUMNS];
	bool		nulls[QUERIES_COLUMNS] = {0};
	int			i = 0;

	values[i++] = Int64GetDatum(r->number);
	nulls[i] = r->label_len == 0;
	values[i++] = counted_text(text - r->label_len, r->label_len);
	values[i++] = Int64GetDatum(r->xact);
	values[i++] = Int32GetDatum(r->level);
	values[i++] = ObjectIdGetDatum(r->userid);
	values[i++] = see ? counted_text(text, r->text_len) :
		CStringGetTextDatum(MS_INSUFFICIENT_PRIVILEGE);
	nulls[i] = r->params_len < 0;
	values[i++] = r->params_len < 0 ? (Datum) 0 :
		see ? counted_text(ms_record_params(r), r->params_len) :
		CStringGetTextDatum(MS_INSUFFICIENT_PRIVILEGE);
	nulls[i] = r->tag == CMDTAG_UNKNOWN;
	values[i++] = CStringGetTextDatum(GetCommandTagName(r->tag));
	values[i++] = Float8GetDatum(r->plan_ns / 1e6);
	values[i++] = Float8GetDatum(r->exec_ns / 1e6);
	nulls[i] = r->commit_ns == 0;
	values[i++] = Float8GetDatum(r->commit_ns / 1e6);
	values[i++] = Int64GetDatum(r->rows);
	values[i++] = Int64GetDatum(u->shared_blks_hit);
	values[i++] = Int64GetDatum(u->shared_blks_read);
	values[i++] = Int64GetDatum(u->shared_blks_dirtied);
	values[i++] = Int64GetDatum(u->shared_blks_written);
	values[i++] = Int64GetDatum(u->local_blks_hit);
	values[i++] = Int64GetDatum(u->local_blks_read);
	values[i++] = Int64GetDatum(u->local_blks_dirtied);
	values[i++] = Int64GetDatum(u->local_blks_written);
	values[i++] = Int64GetDatum(u->temp_blks_read);
	values[i++] = Int64GetDatum(u->temp_blks_written);
	values[i++] = Int64GetDatum(u->wal_bytes);
	values[i++] = TimestampTzGetDatum(ms_profile.anchor_time +
									  (r->start_ns - ms_profile.anchor_ns) / 1000);
	nulls[i] = committed < 0;
	values[i++] = BoolGetDatum(committed > 0);
	nulls[i] = r->queryid == 0 || !see;
	values[i++] = Int64GetDatum((int64) r->queryid);
	values[i++] = CStringGetTextDatum(ms_status_name(r->status,
													 r->sqlerrcode));
	nulls[i] = r->status != MS_ERROR;
	values[i++] = CStringGetTextDatum(ms_sqlstate(r->sqlerrcode));
	Assert(i == QUERIES_COLUMNS);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
ms_queries(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	uint64		seq;
	MSRecord   *r;

	ms_profile_own();
	InitMaterializedSRF(fcinfo, 0);
	if (!ms_profile.ready)
		return (Datum) 0;
	for (seq = ms_profile.tail_seq; (r = ms_profile_record(seq)) != NULL; seq++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!r->hidden)
			put_record(rsinfo, r);
	}
	return (Datum) 0;
}
