/*-------------------------------------------------------------------------
 *
 * calls_internal.h
 *	  What the SQL functions share.  Nobody else is above them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_CALLS_INTERNAL_H
#define MS_CALLS_INTERNAL_H

#include "fmgr.h"
#include "utils/uuid.h"

#include "apply/apply.h"
#include "calls/calls.h"
#include "target/row.h"

MS_INSIDE_BEGIN

/*
 * calls.c: the course of every function that counts.
 */
extern bool ms_increment_texts(Oid relid, const char *const *names, int n,
							   const Datum *values, const bool *isnull,
							   int64 by, int64 *count);

extern Datum ms_increment_key(FunctionCallInfo fcinfo, int first,
							  const pg_uuid_t *token, bool has_by, bool text);
extern Datum ms_increment_fields(FunctionCallInfo fcinfo, int first,
								 const pg_uuid_t *token);
extern void ms_increment_json(FunctionCallInfo fcinfo, int first,
							  const pg_uuid_t *tokens, int ntokens,
							  int64 *counts);

/* how a function is given a key */
typedef enum MSKeyForm
{
	MS_KEY_ANY,					/* VARIADIC "any" */
	MS_KEY_TEXTS,				/* VARIADIC text[] */
	MS_KEY_NAMED				/* jsonb: columns by name */
} MSKeyForm;

/* what for */
typedef enum MSKeyUse
{
	MS_TO_FIND,					/* what there is of the whole key */
	MS_TO_READ,					/* the same; what may be left out may be */
	MS_TO_COUNT,				/* a row; by name with other columns of it */
	MS_TO_SET					/* the same, of the whole key */
} MSKeyUse;

typedef void (*MSKeyWork) (MSTarget *target, Relation rel, MSRow *row,
						   void *arg);

extern void ms_call_with_key(FunctionCallInfo fcinfo, int first,
							 MSKeyForm form, MSKeyUse use, LOCKMODE lockmode,
							 MSKeyWork work, void *arg);

/*
 * increment.c: one increment or an ordered batch, now or left to the commit.
 */
extern bool ms_increment(MSTarget *target, Relation rel, MSRow *row,
						 MSResult *result);
extern void ms_increment_in_order(MSTarget *target, Relation rel,
								  MSRow **rows, int n, Bitmapset *given,
								  MSResult *result, int64 *counts);
extern int	ms_claim_tokens(MSTarget *target, Relation rel, MSRow **rows,
							int n, Bitmapset *given, int64 *counts);
extern void ms_give_back_tokens(MSRow **rows, int n);
extern void ms_set_last_increment(const MSResult *result);

/*
 * input.c: what a caller gives becomes values of the target's columns.
 */
extern void ms_check_key_count(MSTarget *target, Relation rel, int n,
							   int least);
extern void ms_row_set_key(MSTarget *target, Relation rel, MSRow *row, int i,
						   bool search, Oid type, Datum value, bool isnull);
extern void ms_row_finish_key(MSTarget *target, Relation rel, MSRow *row,
							  int n, bool search);
extern void ms_row_from_texts(MSTarget *target, Relation rel, MSRow *row,
							  const char *const *names, int n,
							  const Datum *values, const bool *isnull);
extern void ms_row_key_from_jsonb(MSTarget *target, Relation rel, MSRow *row,
								  Datum key);
extern void ms_check_by(int64 by);
extern void ms_row_set_amount(MSTarget *target, Relation rel, MSRow *row,
							  Datum amount);
extern void ms_check_whole(MSTarget *target, Relation rel, const MSRow *row);
extern void ms_check_key_given(MSTarget *target, Relation rel, MSRow *row,
							   int least, bool search);
extern bool ms_is_at_work(const MSTarget *target, bool busy);

/* for the context of errors: which column's value is being converted */
typedef struct MSConverting
{
	const MSTarget *target;
	Relation	rel;
	AttrNumber	attno;
} MSConverting;

extern void ms_converting_context(void *arg);

/*
 * fields.c: a JSON object becomes a row.
 */
extern void ms_row_from_jsonb(MSTarget *target, Relation rel, MSRow *row,
							  Datum fields, int64 by, bool by_given);

/*
 * total.c: reading counters with what is spilled and deferred.
 */
/* a count, and what has not reached its row */
typedef struct MSKeyValue
{
	const MSTarget *target;
	bool		lenient;		/* null where it is no bigint */
	bool		taken;			/* by reset(), not only shown */
	bool		isnull;
	int64		value;
	Datum		numeric;		/* of the row, what is no bigint; or 0 */
	Datum		amount;			/* beside it, a numeric; or 0 ... */
	MemoryContext cxt;			/* ... in which it is */
} MSKeyValue;

extern void ms_value_begin(MSKeyValue *value, const MSTarget *target,
						   const MSResult *counter);
extern void ms_value_add(MSKeyValue *value, const MSRow *row);
extern bool ms_value_end(MSKeyValue *value, Relation rel, int64 *result);
extern bool ms_total_read(MSTarget *target, Relation rel, MSRow *row,
						  MSResult *counter, MSLimited *limited);
extern Oid	ms_total_relid(FunctionCallInfo fcinfo, const char *function);
extern void ms_total_rows(FunctionCallInfo fcinfo, Oid relid,
						  LOCKMODE lockmode,
						  void (*after) (MSTarget *target, Relation rel));
extern void ms_total_value(MSTarget *target, Relation rel, MSRow *row,
						   bool *isnull, int64 *value);
extern void ms_total_known(MSTarget *target, Relation rel, MSRow *row,
						   bool *isnull, int64 *value);

/*
 * prune.c: procedures that commit.
 */
extern void ms_next_transaction(void);

/*
 * discard.c: may increments be thrown away, at this moment?
 */
extern void ms_check_may_take(const char *function);

MS_INSIDE_END

#endif							/* MS_CALLS_INTERNAL_H */
