/*-------------------------------------------------------------------------
 *
 * stored.h
 *	  Deltas that are set aside, as their tables have them: keys and fields
 *	  as text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TARGET_STORED_H
#define MS_TARGET_STORED_H

#include "access/htup.h"

#include "target/acting.h"
#include "target/row.h"

MS_INSIDE_BEGIN

/* the tables of deltas that are set aside */
typedef enum MSStore
{
	MS_STORE_SPILLED,			/* table spilled: their row was locked */
	MS_STORE_BUFFERED			/* its unlogged twin, of apply = 'buffer' */
} MSStore;

#define MS_STORES (MS_STORE_BUFFERED + 1)

typedef struct MSSpilled
{
	MSStore		store;
	HeapTuple	tuple;
	ItemPointerData tid;
	int64		hash;			/* of its key's text */
	Datum		key;			/* text[] */
	Oid			roleid;			/* who counted it; invalid: that role is gone */
	char	   *role;			/* its name then */
	int64		by;
	TimestampTz first_seen;
	TimestampTz last_seen;
	bool		has_fields;		/* beside what it says of itself */
	Datum		fields;			/* jsonb */
	struct JsonbContainer *defaults;	/* what they said; NULL: nothing */
	struct JsonbContainer *merged;	/* values that merge; NULL: none */
	const char *origin;			/* what it says; NULL: written by 1.1 */
	int			origin_len;
	Oid			stored_role;	/* there; 0: none ... */
	uint64		system;			/* ... of which system */
	char	   *error;			/* of the latest fold(); NULL: none yet */
	MSRow	   *row;			/* made by ms_spill_parse */
} MSSpilled;

/*
 * key_text.c: keys and fields as text, and back.
 */

/*
 * the texts of a key, in the order of the index, and their hash; NULL for what
 * is null, which isnull is asked for only where that can be in a key
 */
extern int64 ms_key_texts(MSTarget *target, const Datum *values,
						  const bool *isnull, char **texts);

/* can they be made in an error's context?  No code but core's makes them */
extern bool ms_key_texts_are_plain(MSTarget *target);

/* and the other that its deltas may have, if any: of another order */
extern int	ms_key_hashes(MSTarget *target, const MSRow *row,
						  int64 hashes[2]);

/* can keys be kept as text: does it stay that of the same key? */
extern bool ms_key_text_serves(MSTarget *target);

/* and have equal keys equal texts, so that nothing is lost by keeping one? */
extern bool ms_key_text_exact(MSTarget *target);

/* what a row has beside the key, and what a delta says of itself, as jsonb */
extern Datum ms_spill_fields(MSTarget *target, Relation rel, const MSRow *row,
							 Oid role, uint64 system);

/* how much of a delta is read */
typedef enum MSReading
{
	MS_READ_KEY,
	MS_READ_FIRST_COUNT,		/* and what it is counted by */
	MS_READ_ALL
} MSReading;

/* make a delta's row; for whoever merges it, NULL: to be shown */
extern void ms_spill_parse(MSTarget *target, Relation rel, MSSpilled *delta,
						   MSReading reading, const MSApplier *applier);

/* error where a value violates a constraint of a domain; an amount is none */
extern void ms_check_domains(const MSTarget *target, Relation rel,
							 const MSRow *row);

/* who counted a delta that was read: origin.c */
extern void ms_origin_read(MSSpilled *delta);

MS_INSIDE_END

#endif							/* MS_TARGET_STORED_H */
