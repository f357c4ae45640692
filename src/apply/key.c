/*-------------------------------------------------------------------------
 *
 * key.c
 *	  The key of a row, where that is computed: by expressions of its index, or
 *	  generated columns; and whether the row is in a partial index.
 *
 * A key is computed of what is given as soon as that is, by who counts; and of
 * a new row again, by whoever inserts it, to see that it is the key that was
 * searched.  What waits has it as it was computed: nothing runs where that is
 * read.
 *
 * Who only looks for a counter, or reads a table, has not called the functions
 * of its index: where they are not built in (builtin.c) they run as the table's
 * owner, as those of generated columns do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"

/*
 * What computes keys.  Kept in the target; for the call and the role that made
 * it only, where it is not built in.
 */
typedef struct MSKeyMaker
{
	EState	   *estate;			/* holds all of it */
	uint64		call;
	Oid			role;
	IndexInfo  *index;
	TupleTableSlot *slot;
	ExprState **generated;		/* by attribute number - 1 */
} MSKeyMaker;

/* NULL is no key, where the index finds it equal to nothing. */
void
ms_null_key(const MSTarget *target, Relation rel, int i)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID,
										ObjectIdGetDatum(target->index));
	bool		is_value = target->view == NULL && HeapTupleIsValid(tuple) &&
		ms_nulls_not_distinct((Form_pg_index) GETSTRUCT(tuple));

	if (target->keys[i].expr != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("key expression %s of table %s must not be null",
						target->keys[i].expr, target->name),
				 errdetail("A null key conflicts with nothing: every increment would be a new row."),
				 errhint("Give values that it is not null for.")));
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("key column \"%s\" of table %s must not be null",
					ms_key_name(target, rel, i), target->name),
			 errdetail("A null key conflicts with nothing: every increment would be a new row."),
			 is_value ?
			 errhint("Its index has NULLS NOT DISTINCT: name it, and null is a value: %s.",
					 ms_index_call(target, target->index)) :
			 errhint("Use a value that stands for \"unknown\", such as an empty string.")));
}

/* A row that is outside of the index would be inserted by each increment. */
void
ms_outside(const MSTarget *target)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("a counter of table %s would be outside of its index %s",
					target->name,
					quote_identifier(get_rel_name(target->index))),
			 errdetail("It would not be found again: the index is partial, and its predicate is not true for it."),
			 errhint("Give the columns of the predicate with increment_row(), or give them defaults that it is true for.")));
}

/*
 * The columns of the key's index that a row has, for a state of the executor;
 * false where it is outside of that.
 */
bool
ms_index_values(IndexInfo *index, EState *estate, TupleTableSlot *slot,
				Datum *values, bool *isnull)
{
	ExprContext *econtext = GetPerTupleExprContext(estate);

	econtext->ecxt_scantuple = slot;
	FormIndexDatum(index, slot, estate, values, isnull);
	if (index->ii_Predicate == NIL)
		return true;
	if (index->ii_PredicateState == NULL)
		index->ii_PredicateState = ExecPrepareQual(index->ii_Predicate,
												   estate);
	return ExecQual(index->ii_PredicateState, econtext);
}

static MSKeyMaker *
make_maker(MSTarget *target, Relation rel)
{
	EState	   *estate = CreateExecutorState();
	MemoryContext oldcxt = MemoryContextSwitchTo(estate->es_query_cxt);
	MSKeyMaker *result = palloc0(sizeof(MSKeyMaker));
	Relation	index = index_open(target->index, AccessShareLock);
	int			attno = -1;

	result->estate = estate;
	result->call = target->call;
	result->role = GetUserId();
	result->index = BuildIndexInfo(index);
	index_close(index, AccessShareLock);
	result->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(rel)),
											&TTSOpsVirtual);
	result->generated = palloc0(sizeof(ExprState *) *
								RelationGetNumberOfAttributes(rel));
	while ((attno = bms_next_member(target->generated, attno)) >= 0)
		result->generated[attno - 1] =
			ExecPrepareExpr((Expr *) build_column_default(rel, attno), estate);
	MemoryContextSwitchTo(oldcxt);
	return result;
}

static void
free_maker(MSKeyMaker *maker)
{
	ExecDropSingleTupleTableSlot(maker->slot);
	FreeExecutorState(maker->estate);
}

/*
 * Take the target's, or make one.  While it is in use the target has none: the
 * functions that run can count, too.
 */
static MSKeyMaker *
take_maker(MSTarget *target, Relation rel)
{
	MSKeyMaker *kept = target->key_maker;

	target->key_maker = NULL;
	if (kept != NULL && (target->builtin ||
						 (kept->call == target->call &&
						  kept->role == GetUserId())))
	{
		/* which an error gives back */
		MemoryContextSetParent(kept->estate->es_query_cxt,
							   CurrentMemoryContext);
		return kept;
	}
	if (kept != NULL)
		free_maker(kept);
	return make_maker(target, rel);
}

static void
give_maker_back(MSTarget *target, MSKeyMaker *maker)
{
	if (target->key_maker != NULL)
	{
		free_maker(maker);
		return;
	}
	MemoryContextSetParent(maker->estate->es_query_cxt, target->cxt);
	target->key_maker = maker;
}

/*
 * Compute the key of a row, by attribute number - 1; false where it is outside
 * of the index.  generate: the generated columns that it takes, too.
 */
static bool
compute(MSTarget *target, Relation rel, Datum *values, bool *isnull,
		bool generate)
{
	MSKeyMaker *maker = take_maker(target, rel);
	TupleTableSlot *slot = maker->slot;
	ExprContext *econtext = GetPerTupleExprContext(maker->estate);
	int			natts = slot->tts_tupleDescriptor->natts;
	Datum		keys[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	bool		inside;
	int			attno = -1;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, isnull, sizeof(bool) * natts);
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(rel);
	econtext->ecxt_scantuple = slot;
	while (generate &&
		   (attno = bms_next_member(target->generated, attno)) >= 0)
		slot->tts_values[attno - 1] =
			ExecEvalExprSwitchContext(maker->generated[attno - 1], econtext,
									  &slot->tts_isnull[attno - 1]);
	inside = ms_index_values(maker->index, maker->estate, slot, keys, nulls);
	for (int i = 0; i < target->nkeys; i++)
	{
		const MSKeyColumn *key = &target->keys[i];
		int			place = key->column.attno - 1;

		if (key->expr == NULL &&
			!bms_is_member(key->column.attno, target->generated))
			continue;
		isnull[place] = nulls[i];
		values[place] = nulls[i] ? (Datum) 0 :
			datumCopy(keys[i], key->typbyval, key->typlen);
	}
	ExecClearTuple(slot);
	ResetExprContext(econtext);
	give_maker_back(target, maker);
	return inside;
}

/* Are all columns given that decide whether a row is in the index? */
static bool
predicate_is_given(const MSTarget *target, const MSRow *row)
{
	int			attno = -1;

	while ((attno = bms_next_member(target->predicate_columns, attno)) >= 0)
	{
		if (!ms_is_argument(target, attno) &&
			!bms_is_member(attno, row->given))
			return false;
	}
	return target->predicate != NULL;
}

/*
 * Compute the key of a row of a special key that callers have given; search: it
 * is only looked for.
 */
void
ms_key_compute(MSTarget *target, Relation rel, MSRow *row, bool search)
{
	bool		judge = !search && predicate_is_given(target, row);

	if (target->computed || judge)
	{
		bool		as_owner = search && !target->builtin;
		MSActing	acting;
		bool		inside;

		if (as_owner)
			ms_act_for_reading(rel, &acting);
		inside = compute(target, rel, row->values, row->isnull, true);
		if (as_owner)
			ms_act_no_more(&acting);
		if (judge && !inside)
			ms_outside(target);
	}
	for (int i = 0; !target->nulls && i < target->nkeys; i++)
	{
		if (row->isnull[target->keys[i].column.attno - 1])
			ms_null_key(target, rel, i);
	}

	/* what the key is computed of is for a new row, and so it is given */
	for (int i = 0; target->computed && i < target->nargs; i++)
	{
		Bitmapset  *given = i == 0 ? bms_copy(row->given) : row->given;

		row->given = bms_add_member(given, target->args[i].attno);
	}
}

/*
 * The key of a row of the table, which is there for all its columns; false
 * where that is no counter's.
 */
bool
ms_key_of_row(MSTarget *target, Relation rel, Datum *values, bool *isnull)
{
	bool		inside = true;

	if (target->computed || target->predicate != NULL)
	{
		MSActing	acting;

		if (!target->builtin)
			ms_act_for_reading(rel, &acting);
		inside = compute(target, rel, values, isnull, false);
		if (!target->builtin)
			ms_act_no_more(&acting);
	}
	for (int i = 0; !target->nulls && i < target->nkeys; i++)
		inside = inside && !isnull[target->keys[i].column.attno - 1];
	return inside;
}

/* Set a column of a new row that nobody gives; false: it cannot be told. */
static bool
set_constant_default(Relation rel, AttrNumber attno, MSRow *row)
{
	Node	   *expr = build_column_default(rel, attno);

	if (expr == NULL)
		return true;
	if (!ms_is_builtin(expr) || contain_mutable_functions(expr))
		return false;
	expr = eval_const_expressions(NULL, expr);
	if (!IsA(expr, Const))
		return false;
	row->values[attno - 1] = ((Const *) expr)->constvalue;
	row->isnull[attno - 1] = ((Const *) expr)->constisnull;
	return true;
}

/*
 * Would a new row be outside of the index, as far as it can be told before it
 * is made?
 */
bool
ms_is_outside(MSTarget *target, Relation rel, const MSRow *row)
{
	MSRow	   *copy;
	int			attno = -1;

	if (target->predicate == NULL ||
		(rel->trigdesc != NULL && rel->trigdesc->trig_insert_before_row) ||
		rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return false;
	copy = ms_row_copy(target, rel, row);
	while ((attno = bms_next_member(target->predicate_columns, attno)) >= 0)
	{
		if (!ms_is_argument(target, attno) && !ms_row_has_column(row, attno) &&
			!set_constant_default(rel, attno, copy))
			return false;
	}
	return !compute(target, rel, copy->values, copy->isnull, true);
}
