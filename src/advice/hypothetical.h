/*-------------------------------------------------------------------------
 *
 * hypothetical.h
 *	  Indexes that are not there, as the planner is shown them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_HYPOTHETICAL_H
#define MS_HYPOTHETICAL_H

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

#include "compat.h"

MS_INSIDE_BEGIN

/*
 * An index that there might be
 */
typedef struct MSIndexColumn
{
	Node	   *expr;			/* on the table as range table entry 1 */
	Oid			collation;		/* invalid: expr's */
	Oid			opclass;		/* invalid: the default */
	bool		desc;
	bool		nulls_first;
} MSIndexColumn;

typedef struct MSIndex
{
	Oid			of;				/* the table it would be made on */
	Oid			relid;			/* that, or one of its partitions, whose
								 * columns these are: */
	Oid			am;
	List	   *columns;		/* of MSIndexColumn */
	int			nequal;			/* so many of the first are compared for
								 * equality: their order does not matter */
	List	   *included;		/* of Var: INCLUDE */
	List	   *predicate;		/* implicitly ANDed */
	Oid			oid;			/* while it is planned with: one that is none */
	bool		guessed;		/* as it was planned with: there are no
								 * statistics of one of its expressions */
} MSIndex;

/* what the planner is shown, and for which query */
typedef struct MSShown
{
	List	   *indexes;		/* of MSIndex */
	const Query *query;
} MSShown;

/*
 * The planner is shown them for that query; gives each an OID that no catalog
 * has.  What was shown before is to be restored, after an error, too.
 */
extern MSShown ms_hypothetical_show(List *indexes, const Query *query);
extern void ms_hypothetical_restore(MSShown before);

/*
 * What the planner expected of a search of any index, in what was planned
 * last: the most, where there were several of so many conditions.
 */
typedef struct MSSearch
{
	Oid			index;
	int			nquals;
	double		rows;			/* that are found by one of its loops */
	double		blocks;			/* of the index */
	double		correlation;	/* of its order and the table's */
} MSSearch;

extern const MSSearch *ms_search_of(Oid index, int nquals);

/* of these indexes (Oid) the planner sees nothing; NIL: it sees all again */
extern void ms_hypothetical_without(List *oids);

MS_INSIDE_END

#endif							/* MS_HYPOTHETICAL_H */
