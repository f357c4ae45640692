/*-------------------------------------------------------------------------
 *
 * tokens.h
 *	  Tokens of requests that have been counted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TOKENS_H
#define MS_TOKENS_H

#include "storage/block.h"
#include "storage/itemptr.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"

MS_INSIDE_BEGIN

/*
 * token.c: a token, and the table of those that are known.
 */

/* columns of table tokens, which the objects of release 1.1 lack */
enum
{
	TOKENS_TARGET,
	TOKENS_TOKEN,
	TOKENS_CLAIMED_AT,
	TOKENS_NATTS
};

/* the setting */
extern void ms_tokens_init(void);

extern bool ms_tokens_exist(void);
extern Relation ms_tokens_open(LOCKMODE lockmode);
extern bool ms_tokens_index_serves(Relation index);
extern int64 ms_token_life(void);
extern bool ms_token_is_expired(TimestampTz claimed_at, TimestampTz now);
extern bool ms_token_delete(Relation tokens, ItemPointer tid,
							Snapshot snapshot, bool wait);

/* a token that is given as text, uuid or bigint, or another type: false */
extern bool ms_token_make(Oid type, Datum value, pg_uuid_t *token);

/*
 * claim.c: a token belongs to this transaction, or is known.
 */

/* false: another has counted with it; *tid is for ms_token_give_back() */
extern bool ms_token_claim(Oid relid, const pg_uuid_t *token,
						   ItemPointer tid);
extern void ms_token_give_back(ItemPointer tid);

/*
 * expiry.c: tokens are deleted, because they are old or their table's owner
 * says so.
 */
typedef struct MSExpiry
{
	bool		(*may) (Oid relid); /* of which tables; NULL: of any */
	BlockNumber next;			/* the block to go on with */
	int64		deleted;		/* so far */
	TimestampTz oldest;			/* of those that stay; DT_NOEND: none */
} MSExpiry;

extern BlockNumber ms_tokens_blocks(void);
extern bool ms_tokens_expire(MSExpiry *expiry, int most);
extern int64 ms_tokens_forget(Oid relid);

MS_INSIDE_END

#endif							/* MS_TOKENS_H */
