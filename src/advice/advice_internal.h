/*-------------------------------------------------------------------------
 *
 * advice_internal.h
 *	  What findings need of each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_ADVICE_INTERNAL_H
#define MS_ADVICE_INTERNAL_H

#include "utils/relcache.h"

#include "compat.h"
#include "advice/advice.h"

MS_INSIDE_BEGIN

/*
 * findings_index.c: the index that would have served a scan.
 */
typedef struct MSIndexAdvice
{
	List	   *columns;		/* of char * */
	char	   *ddl;			/* NULL: no index can be suggested ... */
	const char *reason;			/* ... for that reason, if one is known */
	bool		exists;			/* there is such an index */
} MSIndexAdvice;

/*
 * The table is open and locked; relation is the name to be used for it, that
 * of its partitioned table where it is a partition.
 */
extern void ms_index_advise(Relation rel, const MSFact *fact,
							const char *relation, MSIndexAdvice *advice);

MS_INSIDE_END

#endif							/* MS_ADVICE_INTERNAL_H */
