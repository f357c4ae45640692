/*-------------------------------------------------------------------------
 *
 * once.c
 *	  The SQL functions that count once, and those that are about tokens.
 *
 * increment_once() and its kin are increment() and its kin (calls.c) with a
 * token behind the target; what it is for, and when it counts, is increment.c's
 * and claim.c's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "calls/calls_internal.h"
#include "counter/counter.h"
#include "tokens/tokens.h"

/* blocks of tokens that are looked at at a time, and deleted in a transaction */
#define EXPIRE_BLOCKS	64
#define EXPIRE_ROWS		5000

PG_FUNCTION_INFO_V1(ms_increment_once_any);
PG_FUNCTION_INFO_V1(ms_increment_once_text);
PG_FUNCTION_INFO_V1(ms_increment_once_by_any);
PG_FUNCTION_INFO_V1(ms_increment_once_by_text);
PG_FUNCTION_INFO_V1(ms_increment_row_once);
PG_FUNCTION_INFO_V1(ms_increment_rows_once);
PG_FUNCTION_INFO_V1(ms_forget_tokens);
PG_FUNCTION_INFO_V1(ms_expire_tokens);

static void
no_token(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("token must not be null"),
			 errhint("Make one for each request, such as a UUID, and give it again when the request is repeated.")));
}

static void
make_token(Oid type, Datum value, pg_uuid_t *token)
{
	if (!ms_token_make(getBaseType(type), value, token))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("tokens cannot be of type %s", format_type_be(type)),
				 errhint("Use text, uuid or bigint.")));
}

/* The token of a call, its second argument. */
static void
read_token(FunctionCallInfo fcinfo, pg_uuid_t *token)
{
	if (PG_ARGISNULL(1))
		no_token();
	make_token(get_fn_expr_argtype(fcinfo->flinfo, 1), PG_GETARG_DATUM(1),
			   token);
}

/* increment_once(target, token, key) */
Datum
ms_increment_once_any(PG_FUNCTION_ARGS)
{
	pg_uuid_t	token;

	read_token(fcinfo, &token);
	return ms_increment_key(fcinfo, 2, &token, false, false);
}

Datum
ms_increment_once_text(PG_FUNCTION_ARGS)
{
	pg_uuid_t	token;

	read_token(fcinfo, &token);
	return ms_increment_key(fcinfo, 2, &token, false, true);
}

/* increment_once_by(target, token, by, key) */
Datum
ms_increment_once_by_any(PG_FUNCTION_ARGS)
{
	pg_uuid_t	token;

	read_token(fcinfo, &token);
	return ms_increment_key(fcinfo, 2, &token, true, false);
}

Datum
ms_increment_once_by_text(PG_FUNCTION_ARGS)
{
	pg_uuid_t	token;

	read_token(fcinfo, &token);
	return ms_increment_key(fcinfo, 2, &token, true, true);
}

/* increment_row_once(target, token, fields, by) */
Datum
ms_increment_row_once(PG_FUNCTION_ARGS)
{
	pg_uuid_t	token;

	read_token(fcinfo, &token);
	return ms_increment_fields(fcinfo, 2, &token);
}

/* The tokens of a batch: an array of them, or the text of one. */
static ArrayType *
tokens_argument(FunctionCallInfo fcinfo)
{
	Oid			infunc;
	Oid			ioparam;

	if (get_fn_expr_argtype(fcinfo->flinfo, 1) != TEXTOID)
		return PG_GETARG_ARRAYTYPE_P(1);
	getTypeInputInfo(TEXTARRAYOID, &infunc, &ioparam);
	return DatumGetArrayTypeP(OidInputFunctionCall(infunc,
												   text_to_cstring(PG_GETARG_TEXT_PP(1)),
												   ioparam, -1));
}

static pg_uuid_t *
read_tokens(FunctionCallInfo fcinfo, int *n)
{
	ArrayType  *array;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *elems;
	bool	   *nulls;
	pg_uuid_t  *tokens;

	*n = 0;
	if (PG_ARGISNULL(1))
		return palloc(sizeof(pg_uuid_t));
	array = tokens_argument(fcinfo);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  &elems, &nulls, n);
	tokens = palloc(sizeof(pg_uuid_t) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			no_token();
		make_token(ARR_ELEMTYPE(array), elems[i], &tokens[i]);
	}
	return tokens;
}

/*
 * increment_rows_once(target, tokens, rows, by) -> (inserted, incremented,
 * throttled, spilled, deferred, ignored, absent, duplicate)
 */
Datum
ms_increment_rows_once(PG_FUNCTION_ARGS)
{
	static const MSOutcome outcomes[] = {
		MS_INSERTED, MS_INCREMENTED, MS_THROTTLED, MS_SPILLED, MS_DEFERRED,
		MS_IGNORED, MS_ABSENT, MS_DUPLICATE
	};
	int			n;
	pg_uuid_t  *tokens = read_tokens(fcinfo, &n);
	int64		counts[MS_OUTCOMES];
	TupleDesc	desc;
	Datum		values[lengthof(outcomes)];
	bool		isnull[lengthof(outcomes)] = {0};

	ms_increment_json(fcinfo, 2, tokens, n, counts);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	counts[MS_THROTTLED] += counts[MS_REFUSED]; /* as other batches tell it */
	for (int i = 0; i < lengthof(outcomes); i++)
		values[i] = Int64GetDatum(counts[outcomes[i]]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, isnull)));
}

static void
check_may_write(const char *function)
{
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	PreventCommandDuringRecovery(function);
}

/* forget_tokens(target) -> how many */
Datum
ms_forget_tokens(PG_FUNCTION_ARGS)
{
	Relation	rel;
	int64		n;

	check_may_write("forget_tokens()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Name the table that holds the counters.")));
	rel = try_relation_open(PG_GETARG_OID(0), RowExclusiveLock);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", PG_GETARG_OID(0)),
				 errhint("It may have been dropped; name an existing table.")));
	if (!object_ownercheck(RelationRelationId, RelationGetRelid(rel),
						   GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(rel->rd_rel->relkind),
					   RelationGetRelationName(rel));
	n = ms_tokens_forget(RelationGetRelid(rel));
	relation_close(rel, NoLock);
	PG_RETURN_INT64(n);
}

/* CALL expire_tokens(), which anybody may: they are nobody's any more */
Datum
ms_expire_tokens(PG_FUNCTION_ARGS)
{
	MSExpiry	expiry = {0};
	bool		more = true;

	check_may_write("expire_tokens()");
	if (castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("expire_tokens() cannot run inside a transaction block"),
				 errdetail("It commits after each batch."),
				 errhint("Call it by itself, with autocommit on.")));
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	while (more)
	{
		int64		before = expiry.deleted;

		ms_next_transaction();
		do
		{
			CHECK_FOR_INTERRUPTS();
			more = ms_tokens_expire(&expiry, EXPIRE_BLOCKS);
		} while (more && expiry.deleted - before < EXPIRE_ROWS);
	}
	ms_next_transaction();		/* whoever has called it may go on */
	SPI_finish();
	ereport(NOTICE,
			(errmsg("removed %lld expired tokens",
					(long long) expiry.deleted)));
	PG_RETURN_VOID();
}
