/*-------------------------------------------------------------------------
 *
 * advice.h
 *	  What an executed plan tells, and the statement that helps.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_ADVICE_H
#define MS_ADVICE_H

#include "compat.h"
#include "executor/execdesc.h"
#include "nodes/params.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

MS_INSIDE_BEGIN

/* defines the setting */
extern void ms_advice_init(void);

/*
 * facts.c: what an executed plan tells, copied before it is gone.
 */
typedef enum MSFactKind
{
	MS_SEQ_SCAN_DISCARDS,
	MS_INDEX_SCAN_DISCARDS,
	MS_SORT_SPILLED,
	MS_HASH_SPILLED,
	MS_TEMP_SPILLED,
	MS_ROW_ESTIMATE_OFF,
	MS_NESTED_SEQ_SCAN,
	MS_LOSSY_BITMAP,
	MS_MISSING_FK_INDEX,
	MS_SORT_DISCARDS,
	MS_HEAP_FETCHES,
	MS_BRIN_RECHECKS,
	MS_JIT_COST
} MSFactKind;

/* scans whose rows are thrown away */
#define MS_DISCARDS(kind) \
	((kind) == MS_SEQ_SCAN_DISCARDS || (kind) == MS_INDEX_SCAN_DISCARDS || \
	 (kind) == MS_NESTED_SEQ_SCAN || (kind) == MS_MISSING_FK_INDEX || \
	 (kind) == MS_SORT_DISCARDS)

/* of a longer text nothing is planned again */
#define MS_KEPT_TEXT	4096

/* A statement that can be planned again: see kept.c of who keeps it. */
typedef struct MSKept
{
	const char *text;
	Oid			userid;			/* as whom it ran */
	const char *search_path;
	int64		plan_ns;		/* what it took to plan it */
	int			nparams;
	Oid		   *types;
	ParamListInfo params;		/* NULL: it has none */
	bool		values_known;	/* those of all of them */
} MSKept;

typedef struct MSFact
{
	/* what it is the same as when the statement runs again */
	MSFactKind	kind;
	int			node;			/* plan_node_id; 0 for the statement itself */
	NodeTag		tag;			/* of the plan's node */
	Oid			relid;			/* invalid: of no single table */
	Oid			index;			/* the index that was scanned, or invalid */
	uint64		structure;		/* hash of the clauses without constants */
	uint64		shape;			/* of its statement, 0 outside of a profile */
	Oid			userid;
	bool		toplevel;

	/* sums over its times, as are rows */
	int64		times;
	double		rows_read;
	double		rows_discarded;

	TimestampTz seen;			/* the latest time */

	/* of the worst time */
	double		expected;		/* rows per loop, as planned ... */
	double		actual;			/* ... and as executed; of MS_JIT_COST: ms to
								 * compile, and in all */
	double		memory;			/* work_mem that would have held it, in kB;
								 * 0: not known */
	Oid			newest_index;	/* of the table's, at the latest time */

	uint64		queryid;
	int			nfilters;
	List	   *clauses;		/* on relid as range table entry 1: filters,
								 * then what the index was searched for */
	List	   *order;			/* in which of its rows the first were wanted:
								 * expressions, each with a SortGroupClause */
	const struct MSKept *kept;	/* its statement, or NULL: not kept */
} MSFact;

/*
 * The facts of a plan that was executed with INSTRUMENT_ROWS at least, to be
 * called before its ExecutorEnd.  is_fk_check: see below; sourceText is not
 * read, it may be gone with a prepared statement that has deallocated itself.
 * complete: it was run to its last row.  temp_blocks: what the statement has
 * written to temporary files, 0 where that is not known.  A List of MSFact in
 * the current memory context; reads no catalog, and fails only where memory
 * is out.
 */
extern List *ms_facts_collect(QueryDesc *queryDesc, bool is_fk_check,
							  bool complete, int64 temp_blocks);

/* what its time tells, or NULL: it took exec_ns to execute */
extern MSFact *ms_fact_of_time(QueryDesc *queryDesc, int64 exec_ns);

/* does it tell of the same? */
extern bool ms_fact_is_same(const MSFact *a, const MSFact *b);

/* then it is added up */
extern void ms_fact_add(MSFact *into, const MSFact *fact);

/*
 * Is it the text of a query by which a foreign key looks for references?  To
 * be asked at ExecutorStart.
 */
extern bool ms_is_fk_check(const char *text);

/*
 * The size of values of a type that are kept, -1: as they say; 0: none are.
 * These are of the server's own types, and what they are never changes.
 */
extern int	ms_value_size(Oid type);

/* stands for a value that is not known, or not needed; reads no catalog */
extern Node *ms_unknown_value(Node *node, ParamKind kind);

/* a table or index, qualified and quoted; NULL: it is gone */
extern char *ms_qualified_name(Oid relid);

/*
 * findings.c: makes findings of facts, reading the catalog.
 */
typedef struct MSFinding
{
	const MSFact *fact;			/* the first one of those merged */
	const char *kind;
	char	   *relation;		/* qualified and quoted, or NULL */
	List	   *columns;		/* of char *: names or expressions */
	int64		times;
	double		rows_read;
	double		rows_discarded; /* negative: nothing is discarded there */
	double		ratio;			/* negative: none */
	char	   *suggestion;		/* statements to run; NULL: none to be given */
	char	   *why;
	bool		proved;			/* that the suggestion helps */
	double		cost_before;	/* of its statement, as planned without and */
	double		cost_after;		/* with it; 0: not planned */
	const struct MSRemedy *remedy;	/* the index suggested, or NULL */
} MSFinding;

/*
 * A List of MSFinding, duplicates merged; facts that are no finding (an index
 * is there, the table is gone) are left out.  Raises nothing that a user
 * could bring about, and waits for no lock longer than 10 ms.  Statements may
 * be planned again: not to be called while they would be listed.
 */
extern List *ms_findings(List *facts);

/*
 * workload.c: what is suggested for several statements.
 */
typedef struct MSWork
{
	const MSFinding *best;		/* whose suggestion does for all of these: */
	List	   *findings;		/* of MSFinding */
	Oid			relid;			/* the table, or invalid: no one new index */
	List	   *columns;		/* of char *: what the new index looks at */
	List	   *indexed;		/* of char *: what others look at */
	List	   *replaces;		/* of char *: indexes not needed beside it */
} MSWork;

/* a List of MSWork, of findings that suggest an index */
extern List *ms_workload(List *findings);

MS_INSIDE_END

#endif							/* MS_ADVICE_H */
