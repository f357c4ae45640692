/*-------------------------------------------------------------------------
 *
 * record.h
 *	  A line of the view queries, as the ring has it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_RECORD_H
#define MS_RECORD_H

#include "compat.h"
#include "tcop/cmdtag.h"

MS_INSIDE_BEGIN

typedef enum MSStatus
{
	MS_RUNNING,
	MS_OK,
	MS_ERROR,
	MS_CLOSED
} MSStatus;

/* What kind of statement it is; only a query is what a budget is about */
typedef enum MSClass
{
	MS_CLASS_QUERY,
	MS_CLASS_CATALOG,			/* of nothing but the server's own tables */
	MS_CLASS_PING,				/* SELECT 1, SELECT version() */
	MS_CLASS_DRIVER,			/* PREPARE, FETCH, SHOW ... */
	MS_CLASS_CONTROL,			/* BEGIN, COMMIT, SAVEPOINT, SET ... */
	MS_CLASS_PAUSED				/* of any kind, while it was paused */
} MSClass;

#define MS_CLASSES	(MS_CLASS_PAUSED + 1)

/* Of a record: what its transaction came to, as far as it had to be noted */
typedef enum MSCommitted
{
	MS_WITH_XACT,				/* committed, if it is over */
	MS_COMMITTED,
	MS_UNDONE,
	MS_PREPARED,				/* not known here */
	MS_GOES_ON					/* ended transactions, is in another */
} MSCommitted;

/* What a statement used: BufferUsage and WalUsage of all versions in one */
typedef struct MSUsage
{
	int64		shared_blks_hit;
	int64		shared_blks_read;
	int64		shared_blks_dirtied;
	int64		shared_blks_written;
	int64		local_blks_hit;
	int64		local_blks_read;
	int64		local_blks_dirtied;
	int64		local_blks_written;
	int64		temp_blks_read;
	int64		temp_blks_written;
	int64		wal_records;
	int64		wal_fpi;
	int64		wal_bytes;
	int64		blk_read_ns;
	int64		blk_write_ns;
	int64		unused;			/* of an even number, two are added at once */
} MSUsage;

/* One line of the view queries. */
typedef struct MSRecord
{
	uint64		number;
	uint64		trip;			/* what the client sent together has the same */
	uint64		xact;
	uint64		queryid;
	uint64		shape;
	uint64		literals;		/* hash of the constants */
	uint64		text_pos;		/* label, text, parameters */
	int			label_len;
	int			text_len;
	int			params_len;		/* -1: not captured */
	SubTransactionId subid;
	int			level;
	Oid			userid;
	CommandTag	tag;
	int			run;			/* the run that counts it, or -1 */
	uint64		run_id;
	int64		start_ns;
	int64		plan_ns;
	int64		exec_ns;

	/* of a new record all from here to rows are zero */
	int			sqlerrcode;
	int8		status;			/* an MSStatus: MS_RUNNING */
	bool		measured;		/* usage is set */
	int8		committed;		/* an MSCommitted: MS_WITH_XACT */
	int8		wrote;			/* likewise, where it goes on: what the latest
								 * transaction came to that wrote something */
	bool		hidden;			/* the profiler's own */
	int8		class;			/* an MSClass */
	int8		application;	/* see ms_application_name() */
	bool		ends;			/* of those that end savepoints */
	uint16		unit;			/* the last bits of its number */
	int64		commit_ns;
	uint64		rows;
	MSUsage		usage;
} MSRecord;

MS_INSIDE_END

#endif							/* MS_RECORD_H */
