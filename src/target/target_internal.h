/*-------------------------------------------------------------------------
 *
 * target_internal.h
 *	  What only the files of target/ use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TARGET_INTERNAL_H
#define MS_TARGET_INTERNAL_H

#include "catalog/pg_index.h"

#include "target/stored.h"
#include "target/tracked.h"

MS_INSIDE_BEGIN

/*
 * infer.c: the key.
 */
extern AttrNumber ms_tracked_column(const MSTarget *target, Relation rel,
									const char *name, const char *part);
extern void ms_infer_key(MSTarget *target, Relation rel,
						 const MSTracked *tracked);

/*
 * index.c: an index, as ON CONFLICT looks for it.
 */
extern List *ms_index_oids(const MSTarget *target, Relation rel);
extern Bitmapset *ms_unique_columns(const MSTarget *target, Relation rel);
extern int	ms_index_position(Form_pg_index form, AttrNumber attno);
extern Oid	ms_index_equality(Relation index, int i);
extern Node *ms_index_expression(Relation index, int i);
extern List *ms_index_predicate(Relation index);
extern uint64 ms_tree_mark(Node *tree);
extern bool ms_index_has_columns_of(Relation index, Relation key,
									bool *same_class);
extern bool ms_index_is_special(Relation rel, Relation index);
extern bool ms_index_is_nameable(Relation index);
extern char *ms_index_column_text(Relation index, int i);

/*
 * columns.c: the counter's columns, the columns to fill.
 */
extern void ms_infer_counter(MSTarget *target, Relation rel,
							 const MSTracked *tracked);
extern void ms_check_key_is_no_counter(MSTarget *target, Relation rel);
extern void ms_infer_fill(MSTarget *target, Relation rel, List *names);
extern struct FmgrInfo *ms_comparison(Oid type);
extern void ms_infer_merged(MSTarget *target, Relation rel,
							const MSTracked *tracked);

/*
 * limits.c: how a count is limited.
 */
extern Bitmapset *ms_limit_columns(Relation rel, const MSTracked *tracked);
extern void ms_infer_limits(MSTarget *target, Relation rel,
							const MSTracked *tracked);

/*
 * defaults.c: which columns have one, and when they are asked.
 */
extern void ms_infer_defaults(MSTarget *target, Relation rel);
extern void ms_infer_key_defaults(MSTarget *target, Relation rel, List *names);

/*
 * origin.c: what a delta says of itself.
 */
extern struct JsonbPair ms_origin_pair(MSTarget *target, Relation rel,
									   Oid role, uint64 system,
									   struct JsonbPair *said[2],
									   const int n[2]);
extern Datum ms_origin_alone(MSTarget *target, Relation rel, Oid role,
							 uint64 system);
extern char *ms_origin_merging(const MSTarget *target, Relation rel,
							   AttrNumber attno);
extern AttrNumber ms_origin_merged(const MSTarget *target, Relation rel,
								   const MSSpilled *delta, const char *key);
extern AttrNumber ms_origin_count(const MSTarget *target, Relation rel,
								  const MSSpilled *delta);
extern bool ms_origin_has_amount(const MSTarget *target, Relation rel,
								 const MSSpilled *delta);
extern void ms_origin_places(const MSTarget *target, Relation rel,
							 const MSSpilled *delta, int n, int *places);

MS_INSIDE_END

#endif							/* MS_TARGET_INTERNAL_H */
