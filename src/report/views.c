/*-------------------------------------------------------------------------
 *
 * views.c
 *	  The views of a profile: queries, query_stats, n_plus_one, findings.
 *
 * Text, parameters and query id show only to who has the privileges of the
 * role that the statement ran as, or pg_read_all_stats.
 *
 * A version adds columns at the end only.  Its rows serve the SQL objects of
 * an earlier one, whose functions take as many of the first as they have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "advice/advice.h"
#include "figures/figures.h"
#include "profile/profile.h"
#include "report/report_internal.h"

/* with fewer columns, as the SQL objects of 1.0 and 1.1 have them */
PG_FUNCTION_INFO_V1(ms_queries);
PG_FUNCTION_INFO_V1(ms_query_stats);
PG_FUNCTION_INFO_V1(ms_n_plus_one);

PG_FUNCTION_INFO_V1(ms_queries_view);
PG_FUNCTION_INFO_V1(ms_query_stats_view);
PG_FUNCTION_INFO_V1(ms_n_plus_one_view);
PG_FUNCTION_INFO_V1(ms_findings_rows);
PG_FUNCTION_INFO_V1(ms_findings_view);

/*
 * queries: the session's last statements, in order.
 */

#define QUERIES_COLUMNS		32

static Datum
counted_text(const char *text, int len)
{
	return PointerGetDatum(cstring_to_text_with_len(text, len));
}

static void
put_record(ReturnSetInfo *rsinfo, MSRecord *r)
{
	static const MSUsage none = {0};
	const MSUsage *u = r->measured ? &r->usage : &none;
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
	values[i++] = CStringGetTextDatum(ms_class_name(r->class));
	nulls[i] = r->trip == 0;
	values[i++] = Int64GetDatum(r->trip);
	values[i] = see ? ms_tags(text, r->text_len) : (Datum) 0;
	nulls[i] = values[i] == (Datum) 0;
	i++;
	values[i++] = CStringGetTextDatum(ms_application_name(r->application));
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

Datum
ms_queries_view(PG_FUNCTION_ARGS)
{
	return ms_queries(fcinfo);
}

/*
 * query_stats.  Times in milliseconds, as in pg_stat_statements.
 */

/* {{from, to, calls}, ...} of the buckets that are not empty */
static Datum
histogram_array(const MSHistogram *h)
{
	static uint32 counts[MS_HISTOGRAM_BUCKETS];
	Datum	   *elems;
	int			n = 0;
	int			i;
	int			dims[2];
	int			lbs[2] = {1, 1};

	ms_histogram_counts(h, counts);
	elems = palloc(sizeof(Datum) * 3 * MS_HISTOGRAM_BUCKETS);
	for (i = 0; i < MS_HISTOGRAM_BUCKETS; i++)
	{
		double		lo;
		double		hi;

		if (counts[i] == 0)
			continue;
		ms_histogram_bucket_bounds(i, &lo, &hi);
		elems[n++] = Float8GetDatum(lo / 1e6);
		elems[n++] = Float8GetDatum(hi / 1e6);
		elems[n++] = Float8GetDatum(counts[i]);
	}
	if (n == 0)
		return PointerGetDatum(construct_empty_array(FLOAT8OID));
	dims[0] = n / 3;
	dims[1] = 3;
	return PointerGetDatum(construct_md_array(elems, NULL, 2, dims, lbs,
											  FLOAT8OID, sizeof(float8),
											  FLOAT8PASSBYVAL, 'd'));
}

#define QUERY_STATS_COLUMNS	36

static void
put_shape(ReturnSetInfo *rsinfo, MSShape *shape)
{
	MSHistogram *h = &shape->histogram;
	MSUsage    *u = &shape->usage;
	bool		others = ms_shape_is_others(shape);
	bool		see = others || ms_may_see(shape->userid);
	const char *label;
	double		median = ms_histogram_percentile(h, 0.5);
	double		mean = ms_histogram_mean(h);
	Datum		values[QUERY_STATS_COLUMNS];
	bool		nulls[QUERY_STATS_COLUMNS] = {0};
	int			i = 0;

	values[i++] = PointerGetDatum(see ?
								  cstring_to_text_with_len(shape->text, shape->text_len) :
								  cstring_to_text(MS_INSUFFICIENT_PRIVILEGE));
	nulls[i] = !see || shape->queryid == 0 || others;
	values[i++] = Int64GetDatum((int64) shape->queryid);
	nulls[i] = others;
	values[i++] = ObjectIdGetDatum(shape->userid);
	nulls[i] = others;
	values[i++] = BoolGetDatum(shape->toplevel);
	values[i++] = Int64GetDatum(shape->calls);
	values[i++] = Int64GetDatum(shape->errors);
	values[i++] = Float8GetDatum(h->sum / 1e6);
	values[i++] = Float8GetDatum(mean / 1e6);
	values[i++] = Float8GetDatum(median / 1e6);
	values[i++] = Float8GetDatum(ms_histogram_stddev(h) / 1e6);
	values[i++] = Float8GetDatum(h->min / 1e6);
	values[i++] = Float8GetDatum(h->max / 1e6);
	values[i++] = Float8GetDatum(ms_histogram_percentile(h, 0.95) / 1e6);
	values[i++] = Float8GetDatum(ms_histogram_percentile(h, 0.99) / 1e6);
	nulls[i] = median <= 0;
	values[i++] = Float8GetDatum(median > 0 ? mean / median : 0);
	values[i++] = Int64GetDatum(shape->rows);
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
	values[i++] = Float8GetDatum(u->blk_read_ns / 1e6);
	values[i++] = Float8GetDatum(u->blk_write_ns / 1e6);
	values[i++] = Int64GetDatum(u->wal_records);
	values[i++] = Int64GetDatum(u->wal_fpi);
	values[i++] = Int64GetDatum(u->wal_bytes);
	values[i++] = histogram_array(h);
	nulls[i] = others;
	values[i++] = CStringGetTextDatum(ms_class_name(shape->class));
	label = others ? NULL : ms_label_text(shape->label);
	nulls[i] = label == NULL;
	values[i++] = label ? CStringGetTextDatum(label) : (Datum) 0;
	values[i] = see && !others ?
		ms_tags(shape->comment, strlen(shape->comment)) : (Datum) 0;
	nulls[i] = values[i] == (Datum) 0;
	i++;
	nulls[i] = others;
	values[i++] = CStringGetTextDatum(ms_application_name(shape->application));
	Assert(i == QUERY_STATS_COLUMNS);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
ms_query_stats(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MSShape    *shape;
	int			position = 0;

	ms_profile_own();
	InitMaterializedSRF(fcinfo, 0);
	if (!ms_profile.ready)
		return (Datum) 0;
	while ((shape = ms_shapes_next(&position)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		put_shape(rsinfo, shape);
	}
	return (Datum) 0;
}

Datum
ms_query_stats_view(PG_FUNCTION_ARGS)
{
	return ms_query_stats(fcinfo);
}

/*
 * n_plus_one.
 */

#define N_PLUS_ONE_COLUMNS	20

static void
put_candidate(ReturnSetInfo *rsinfo, MSCandidate *c)
{
	Datum		values[N_PLUS_ONE_COLUMNS];
	bool		nulls[N_PLUS_ONE_COLUMNS] = {0};
	int			i = 0;

	values[i++] = Int64GetDatum(c->unit);
	values[i++] = CStringGetTextDatum(c->text);
	values[i++] = Int64GetDatum(c->repeats);
	values[i++] = Int64GetDatum(c->repeats - c->duplicates);
	values[i++] = Int64GetDatum(c->duplicates);
	values[i++] = Float8GetDatum(c->total_ns / 1e6);
	values[i++] = Float8GetDatum(c->commit_ns / 1e6);
	values[i++] = Int64GetDatum(c->first_number);
	values[i++] = Int64GetDatum(c->last_number);
	values[i++] = Int64GetDatum(c->xacts);
	nulls[i] = c->source == NULL;
	values[i++] = c->source ? CStringGetTextDatum(c->source) : (Datum) 0;
	nulls[i] = c->source == NULL;
	values[i++] = Int64GetDatum(c->source_rows);
	values[i++] = CStringGetTextDatum(ms_evidence_name(c->evidence));
	values[i++] = CStringGetTextDatum(c->hint);
	values[i++] = ObjectIdGetDatum(c->userid);
	values[i++] = Int32GetDatum(c->shapes);
	nulls[i] = c->inside == NULL;
	values[i++] = c->inside ? CStringGetTextDatum(c->inside) : (Datum) 0;
	nulls[i] = c->label == NULL;
	values[i++] = c->label ? CStringGetTextDatum(c->label) : (Datum) 0;
	values[i] = c->comment ? ms_tags(c->comment, strlen(c->comment)) :
		(Datum) 0;
	nulls[i] = values[i] == (Datum) 0;
	i++;
	values[i++] = CStringGetTextDatum(c->application);
	Assert(i == N_PLUS_ONE_COLUMNS);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
ms_n_plus_one(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	ms_profile_own();
	InitMaterializedSRF(fcinfo, 0);
	if (ms_profile.ready)
		foreach(lc, ms_candidates(0, MS_MIN_REPEATS, 0, MS_LOOP, false))
			put_candidate(rsinfo, lfirst(lc));
	return (Datum) 0;
}

Datum
ms_n_plus_one_view(PG_FUNCTION_ARGS)
{
	return ms_n_plus_one(fcinfo);
}

/*
 * findings.  One shows to who may see the text of its statement.
 */

static Datum
text_array(List *strings)
{
	Datum	   *elems = palloc(sizeof(Datum) * list_length(strings));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, strings)
		elems[n++] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elems, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static Datum
rows_datum(double rows)
{
	return Int64GetDatum(rows < (double) PG_INT64_MAX ? (int64) rint(rows) :
						 PG_INT64_MAX);
}

/* a cursor's rows that came one by one, each with a round trip */
#define BY_ROW_TIMES	100

static MSFinding *
by_row_finding(const MSShape *shape)
{
	MSFact	   *fact = palloc0(sizeof(MSFact));
	MSFinding  *finding = palloc0(sizeof(MSFinding));

	fact->shape = shape->hash;
	fact->userid = shape->userid;
	fact->toplevel = shape->toplevel;
	fact->queryid = shape->queryid;
	finding->fact = fact;
	finding->kind = "cursor_by_row";
	finding->times = shape->by_row;
	finding->rows_read = -1;
	finding->rows_discarded = -1;
	finding->ratio = -1;
	finding->why = psprintf(UINT64_FORMAT " times one row was fetched and waited for: FETCH FORWARD 100, or a fetch size of the driver, asks for many at once",
							shape->by_row);
	return finding;
}

List *
ms_profile_findings(bool visible)
{
	List	   *list;
	MSShape    *shape;
	int			position = 0;

	/* what is planned again is none of the session's statements */
	ms_profile_pause();
	PG_TRY();
	{
		list = ms_findings(ms_profile_facts(visible));
	}
	PG_FINALLY();
	{
		ms_profile_resume();
	}
	PG_END_TRY();

	while ((shape = ms_shapes_next(&position)) != NULL)
		if (shape->by_row >= BY_ROW_TIMES &&
			ms_may_see(shape->userid) == visible)
			list = lappend(list, by_row_finding(shape));
	return list_concat(list, ms_slow_findings(visible));
}

#define FINDINGS_COLUMNS	16

static void
put_finding(ReturnSetInfo *rsinfo, const MSFinding *finding, bool see)
{
	const MSFact *fact = finding->fact;
	MSShape    *shape = ms_shapes_find(fact->shape, fact->userid,
									   fact->toplevel);
	const char *label;
	Datum		values[FINDINGS_COLUMNS] = {0};
	bool		nulls[FINDINGS_COLUMNS] = {0};
	int			i = 0;

	values[i++] = CStringGetTextDatum(finding->kind);
	nulls[i] = see && shape == NULL;
	values[i++] = !see ? CStringGetTextDatum(MS_INSUFFICIENT_PRIVILEGE) :
		shape == NULL ? (Datum) 0 :
		PointerGetDatum(cstring_to_text_with_len(shape->text,
												 shape->text_len));
	nulls[i] = !see || fact->queryid == 0;
	values[i++] = Int64GetDatum((int64) fact->queryid);
	values[i++] = ObjectIdGetDatum(fact->userid);
	if (!(nulls[i] = !see || finding->relation == NULL))
		values[i] = CStringGetTextDatum(finding->relation);
	i++;
	if (!(nulls[i] = !see || finding->columns == NIL))
		values[i] = text_array(finding->columns);
	i++;
	nulls[i] = finding->rows_read < 0;
	values[i++] = rows_datum(finding->rows_read);
	nulls[i] = finding->rows_discarded < 0;
	values[i++] = rows_datum(finding->rows_discarded);
	nulls[i] = finding->ratio < 0;
	values[i++] = Float8GetDatum(finding->ratio);
	values[i++] = Int64GetDatum(finding->times);
	if (!(nulls[i] = !see || finding->suggestion == NULL))
		values[i] = CStringGetTextDatum(finding->suggestion);
	i++;
	values[i++] = CStringGetTextDatum(see ? finding->why :
									  MS_INSUFFICIENT_PRIVILEGE);
	label = shape == NULL ? NULL : ms_label_text(shape->label);
	nulls[i] = label == NULL;
	values[i++] = label ? CStringGetTextDatum(label) : (Datum) 0;
	nulls[i] = !see || finding->remedy == NULL;
	values[i++] = BoolGetDatum(finding->proved);
	nulls[i] = !see || finding->cost_before <= 0;
	values[i++] = Float8GetDatum(finding->cost_before);
	nulls[i] = !see || finding->cost_after <= 0;
	values[i++] = Float8GetDatum(finding->cost_after);
	Assert(i == FINDINGS_COLUMNS);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
ms_findings_view(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	ms_profile_own();
	InitMaterializedSRF(fcinfo, 0);
	if (!ms_profile.ready)
		return (Datum) 0;
	foreach(lc, ms_profile_findings(true))
		put_finding(rsinfo, lfirst(lc), true);
	foreach(lc, ms_profile_findings(false))
		put_finding(rsinfo, lfirst(lc), false);
	return (Datum) 0;
}

Datum
ms_findings_rows(PG_FUNCTION_ARGS)
{
	return ms_findings_view(fcinfo);
}
