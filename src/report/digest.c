/*-------------------------------------------------------------------------
 *
 * digest.c
 *	  What every form of the report tells, as the user may see it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "figures/figures.h"
#include "profile/profile.h"
#include "report/report_internal.h"
#include "shape/shape.h"

#define RECORD_TEXT		400		/* bytes of a statement of which no shape is kept */

double
ms_report_ms(const MSTotals *t)
{
	return (t->plan_ns + t->exec_ns + t->commit_ns) / 1e6;
}

const char *
ms_report_slowest(const MSTotals *t, bool everything)
{
	return everything || ms_may_see(t->slowest_user) ? t->slowest_text :
		MS_INSUFFICIENT_PRIVILEGE;
}

List *
ms_report_shapes(void)
{
	List	   *list = NIL;
	MSShape    *shape;
	int			position = 0;

	while ((shape = ms_shapes_next(&position)) != NULL)
		list = lappend(list, shape);
	return list;
}

int
ms_report_by_total(const ListCell *a, const ListCell *b)
{
	int64		x = ((MSShape *) lfirst(a))->histogram.sum;
	int64		y = ((MSShape *) lfirst(b))->histogram.sum;

	return x > y ? -1 : x < y ? 1 : 0;
}

const char *
ms_report_shape_text(const MSShape *shape)
{
	if (!ms_shape_is_others(shape) && !ms_may_see(shape->userid))
		return pstrdup(MS_INSUFFICIENT_PRIVILEGE);
	return pnstrdup(shape->text, shape->text_len);
}

List *
ms_report_failures(void)
{
	List	   *list = NIL;
	MSRecord   *r;
	uint64		seq;

	for (seq = ms_profile.tail_seq; (r = ms_profile_record(seq)) != NULL; seq++)
		if (!r->hidden && r->status == MS_ERROR)
			list = lappend(list, r);
	return list;
}

/* as normalised as everything else here */
const char *
ms_report_record_text(const MSRecord *r)
{
	static char buf[RECORD_TEXT];
	uint64		literals;

	if (!ms_may_see(r->userid))
		return MS_INSUFFICIENT_PRIVILEGE;
	ms_shape(ms_record_text(r), r->text_len, buf, sizeof(buf), &literals);
	return buf;
}

