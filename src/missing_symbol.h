/*-------------------------------------------------------------------------
 *
 * missing_symbol.h
 *	  The one internal header: a section for each file.
 *
 * Counting and profiling are two wings that share nothing but the front
 * door (missing_symbol.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef MISSING_SYMBOL_H
#define MISSING_SYMBOL_H

#include "compat.h"
#include "datatype/timestamp.h"
#include "fmgr.h"

/*
 * missing_symbol.c: module magic, _PG_init, every setting, the clock.
 */
extern bool ms_fast_path;

extern TimestampTz ms_clock(void);

/*
 * counter.c: the type.  24 bytes, double aligned, passed by reference.
 */
typedef struct MSCounter
{
	int64		count;
	TimestampTz first_seen;
	TimestampTz last_seen;		/* never before first_seen */
} MSCounter;

#define DatumGetMSCounterP(d)	((MSCounter *) DatumGetPointer(d))
#define MSCounterPGetDatum(p)	PointerGetDatum(p)
#define PG_GETARG_MSCOUNTER_P(n) DatumGetMSCounterP(PG_GETARG_DATUM(n))
#define PG_RETURN_MSCOUNTER_P(p) return MSCounterPGetDatum(p)

/* set *result to a counter that has been seen at one time only */
extern void ms_counter_init(MSCounter *result, int64 count, TimestampTz now);

/* c counted by more at now; error 22003 where the count overflows */
extern void ms_counter_add(MSCounter *result, const MSCounter *c, int64 by,
						   TimestampTz now);

#endif							/* MISSING_SYMBOL_H */
