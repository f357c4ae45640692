/*-------------------------------------------------------------------------
 *
 * token.c
 *	  A token, and the table of those that are known.
 *
 * A client that repeats a request gives the token of the first attempt.  Table
 * missing_symbol.tokens has those with which something was counted: a row for
 * each target and token, which is inserted by the transaction that counts and
 * never updated.  Its primary key alone decides who counts.
 *
 * It has no token itself, but the first 128 bits of SHA-256 over its text: the
 * bytes of what anybody may choose, so no weaker hash serves.  A number or a
 * UUID is its text, too, because drivers send the same token now as one, now as
 * the other.
 *
 * The table grants nobody anything.  It is read and written in this room only,
 * after the caller's rights on the target were checked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "compat.h"
#include "table/table.h"
#include "tokens/tokens.h"

#define MOST_DAYS	36500

static int	token_days = 7;

static const Oid token_types[] = {REGCLASSOID, UUIDOID, TIMESTAMPTZOID};

StaticAssertDecl(lengthof(token_types) == TOKENS_NATTS,
				 "every column has a type");

bool
ms_tokens_exist(void)
{
	return ms_own_table_exists("tokens");
}

Relation
ms_tokens_open(LOCKMODE lockmode)
{
	Relation	tokens;
	TupleDesc	desc;
	bool		same;

	if (!ms_tokens_exist())
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table missing_symbol.tokens does not exist"),
				 errdetail("The objects of the extension are of a version before 1.2."),
				 errhint("ALTER EXTENSION missing_symbol UPDATE.")));
	tokens = ms_open_own_table("tokens", lockmode);
	desc = RelationGetDescr(tokens);
	same = desc->natts >= TOKENS_NATTS;
	for (int i = 0; same && i < TOKENS_NATTS; i++)
		same = TupleDescAttr(desc, i)->atttypid == token_types[i];
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table missing_symbol.%s has other columns than this version of the library knows",
						RelationGetRelationName(tokens)),
				 errhint("Connect again, so that the installed library is loaded; then: ALTER EXTENSION missing_symbol UPDATE.")));
	return tokens;
}

/* Is an index that of target and token, and to be read by? */
bool
ms_tokens_index_serves(Relation index)
{
	Form_pg_index form = index->rd_index;

	return form->indisunique && form->indimmediate && form->indisvalid &&
		form->indisready && form->indislive &&
		index->rd_rel->relam == BTREE_AM_OID && form->indnkeyatts == 2 &&
		form->indkey.values[0] == TOKENS_TARGET + 1 &&
		form->indkey.values[1] == TOKENS_TOKEN + 1 &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);
}

/* for how many microseconds a token is known */
int64
ms_token_life(void)
{
	return token_days * USECS_PER_DAY;
}

/* May a token count again?  One that a clock ahead has claimed may not. */
bool
ms_token_is_expired(TimestampTz claimed_at, TimestampTz now)
{
	return claimed_at < now - ms_token_life();
}

/*
 * Delete a row; false where somebody else has, or, unless we wait for him, is
 * about to.
 */
bool
ms_token_delete(Relation tokens, ItemPointer tid, Snapshot snapshot, bool wait)
{
	TM_FailureData tmfd;

	return table_tuple_delete(tokens, tid, GetCurrentCommandId(true), 0,
							  snapshot, InvalidSnapshot, wait, &tmfd) == TM_Ok;
}

/* The text of a token; NULL: it is of another type. */
static text *
token_text(Oid type, Datum value)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			return DatumGetTextPP(value);
		case UUIDOID:
			return cstring_to_text(DatumGetCString(DirectFunctionCall1(uuid_out,
																	   value)));
		case INT8OID:
			return cstring_to_text(DatumGetCString(DirectFunctionCall1(int8out,
																	   value)));
		case INT2OID:
			return cstring_to_text(DatumGetCString(DirectFunctionCall1(int2out,
																	   value)));
		case INT4OID:
			return cstring_to_text(DatumGetCString(DirectFunctionCall1(int4out,
																	   value)));
		default:
			return NULL;
	}
}

bool
ms_token_make(Oid type, Datum value, pg_uuid_t *token)
{
	text	   *given = token_text(type, value);
	bytea	   *hash;

	if (given == NULL)
		return false;

	/* a variable that was never set: all but the first would be duplicates */
	if (VARSIZE_ANY_EXHDR(given) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("token must not be empty"),
				 errhint("Make one for each request, such as a UUID, and give it again when the request is repeated.")));

	/* text and bytea are the same in memory */
	hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea,
											   PointerGetDatum(given)));
	memcpy(token->data, VARDATA_ANY(hash), UUID_LEN);
	return true;
}

void
ms_tokens_init(void)
{
	DefineCustomIntVariable("missing_symbol.token_days",
							"Days for which a token is known.",
							"A request that is repeated later may count again.",
							&token_days,
							7,
							1,
							MOST_DAYS,
							PGC_SIGHUP,
							0,
							NULL, NULL, NULL);
}
