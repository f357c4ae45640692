/*-------------------------------------------------------------------------
 *
 * trial_internal.h
 *	  What explain_analyze() and compare() are made of.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TRIAL_INTERNAL_H
#define MS_TRIAL_INTERNAL_H

#include "compat.h"
#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/elog.h"

MS_INSIDE_BEGIN

/*
 * query.c: a text that holds one statement.
 */
typedef struct MSQuery
{
	const char *text;
	RawStmt    *raw;
	Oid		   *types;			/* of the parameters */
	int			ntypes;
	ParamListInfo params;		/* NULL: there are none */
	bool		generic;		/* planned without their values */
	List	   *queries;		/* analysed and rewritten: Query */
	ErrorContextCallback callback;
} MSQuery;

extern void ms_query_parse(MSQuery *query, const char *what,
							const char *text);
extern void ms_query_analyze(MSQuery *query, ArrayType *params);
extern void ms_query_rewrite(MSQuery *query);
extern List *ms_query_volatile(MSQuery *query, bool harmless);

/* in between, errors are those of the text */
extern void ms_query_enter(MSQuery *query);
extern void ms_query_leave(MSQuery *query);

/*
 * setup.c: CREATE INDEX and SET, for explain() and for a side of compare().
 */
typedef struct MSSide
{
	List	   *sets;			/* of VariableSetStmt */
	List	   *indexes;		/* of Oid */
} MSSide;

extern List *ms_setup_parse(const char *text, const char *of);
extern bool ms_index_is_unusable(Oid indexid);
extern void ms_side_make(MSSide *side, const char *setup);
extern void ms_side_set(const MSSide *side);

/*
 * traces.c: what a rollback does not undo.
 */
typedef struct MSTraces
{
	MemoryContext context;
	List	   *locks;
	List	   *sequences;
	List	   *advisory;
	List	   *copies;
	List	   *commands;		/* of String */
	SubTransactionId subid;
	struct MSTraces *outer;
} MSTraces;

extern void ms_traces_begin(MSTraces *traces);
extern void ms_traces_stop(MSTraces *traces);
extern List *ms_traces_end(MSTraces *traces);

extern List *ms_written_relations(void);
extern char *ms_relation_name(Oid relid);

/*
 * rows.c: what a query returns, thrown away or summed up.
 */
#define MS_ROWS_BUCKETS	256

typedef struct MSRows
{
	MemoryContext context;		/* of what it points to */
	TupleDesc	desc;			/* NULL: it returns no rows */
	int64		counts[MS_ROWS_BUCKETS];
	uint64		sums[MS_ROWS_BUCKETS];
	const bool *wanted;			/* buckets whose rows are kept, or NULL */
	List	   *kept;
} MSRows;

extern DestReceiver *ms_rows_receiver(MSRows *result);
extern List *ms_rows_columns(const MSRows *a, const MSRows *b);
extern bool ms_rows_same_rows(const MSRows *a, const MSRows *b);
extern bool ms_rows_choose(const MSRows *a, const MSRows *b,
							 bool *wanted);
extern List *ms_rows_examples(MSRows *a, MSRows *b, int limit);

MS_INSIDE_END

#endif							/* MS_TRIAL_INTERNAL_H */
