/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  The only place that knows PostgreSQL's version numbers.
 *
 * The code is written to the newest signature; older majors are adapted
 * here.  Below 13 is an error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_COMPAT_H
#define MS_COMPAT_H

#if PG_VERSION_NUM < 130000
#error "missing_symbol needs PostgreSQL 13 or later"
#endif

#include "access/amapi.h"
#include "access/genam.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/plancache.h"
#include "utils/tuplestore.h"

/* 14 added what an MD5 implementation has to say of its failure */
#if PG_VERSION_NUM < 140000
#define pg_md5_hash(buff, len, hexsum, errstr) \
	(*(errstr) = "out of memory", pg_md5_hash(buff, len, hexsum))
#endif

#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix)	EmitWarningsOnPlaceholders(prefix)

/* before 15 any sort may be bounded; the argument was bool randomAccess */
#define TUPLESORT_ALLOWBOUNDED	false
#endif

#if PG_VERSION_NUM < 160000
/* before 16 a check hook's extra is malloc'ed memory */
#define guc_malloc(elevel, size)	malloc(size)

/* 16 added an argument for details of an error */
typedef int DateTimeErrorExtra;
#define DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tzp, extra) \
	((void) (extra), (DecodeDateTime) (field, ftype, nf, dtype, tm, fsec, tzp))
#define DateTimeParseError(dterr, extra, str, datatype, escontext) \
	DateTimeParseError(dterr, str, datatype)

/* 16 added soft errors; before, every error of an input function is hard */
#define ereturn(escontext, dummy_value, ...) \
	do { \
		(void) (escontext); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

/*
 * executor
 */
#if PG_VERSION_NUM < 140000
#define F_NEXTVAL	F_NEXTVAL_OID

#define ExecSimpleRelationInsert(rri, estate, slot) \
	((estate)->es_result_relation_info = (rri), \
	 ExecSimpleRelationInsert(estate, slot))
#define ExecComputeStoredGenerated(rri, estate, slot, cmdtype) \
	((estate)->es_result_relation_info = (rri), \
	 ExecComputeStoredGenerated(estate, slot, cmdtype))
#endif

/*
 * types and expressions: 14 added multiranges, 17 JSON_VALUE() and its like
 */
#if PG_VERSION_NUM < 140000
#define TYPTYPE_MULTIRANGE	'\0'
#define get_multirange_range(type)	InvalidOid
#endif
#if PG_VERSION_NUM < 170000
#define ms_json_expr_type(node)	InvalidOid
#else
#define ms_json_expr_type(node) \
	(IsA(node, JsonExpr) ? ((JsonExpr *) (node))->returning->typid : InvalidOid)
#endif

/*
 * 18 counts what an index scan does; and asks about deferrable keys.  19 takes
 * flags everywhere.
 */
#if PG_VERSION_NUM < 180000
#define RelationGetPrimaryKeyIndex(rel, deferrable_ok) \
	RelationGetPrimaryKeyIndex(rel)
#define index_beginscan(heap, index, snapshot, instrument, nkeys, norderbys, flags) \
	index_beginscan(heap, index, snapshot, nkeys, norderbys)
#elif PG_VERSION_NUM < 190000
#define index_beginscan(heap, index, snapshot, instrument, nkeys, norderbys, flags) \
	index_beginscan(heap, index, snapshot, instrument, nkeys, norderbys)
#endif
#if PG_VERSION_NUM < 190000
#define table_beginscan(rel, snapshot, nkeys, key, flags) \
	table_beginscan(rel, snapshot, nkeys, key)
#define table_tuple_delete(rel, tid, cid, options, snapshot, crosscheck, wait, tmfd) \
	table_tuple_delete(rel, tid, cid, snapshot, crosscheck, wait, tmfd, false)
#define table_tuple_update(rel, tid, slot, cid, options, snapshot, crosscheck, wait, tmfd, mode, indexes) \
	table_tuple_update(rel, tid, slot, cid, snapshot, crosscheck, wait, tmfd, mode, indexes)
#endif

/* 19 wants to be told when a tuple descriptor is complete */
#if PG_VERSION_NUM < 190000
#define TupleDescFinalize(desc) ((void) 0)
#endif

/* the most that an entry of a btree index has, which 18 says without a page */
#if PG_VERSION_NUM < 180000
#define MS_MAX_INDEX_ENTRY \
	(MAXALIGN_DOWN((BLCKSZ - MAXALIGN(SizeOfPageHeaderData + 3 * sizeof(ItemIdData)) - \
					MAXALIGN(sizeof(BTPageOpaqueData))) / 3) - \
	 MAXALIGN(sizeof(ItemPointerData)))
#else
#define MS_MAX_INDEX_ENTRY	BTMaxItemSize
#endif

/* whether an update must make index entries; 16 told summarizing ones apart */
#if PG_VERSION_NUM < 160000
typedef bool TU_UpdateIndexes;
#define TU_None	false
#define ms_index_is_summarizing(index)	false
#else
#define ms_index_is_summarizing(index)	((index)->rd_indam->amsummarizing)
#endif

/*
 * The flags of 19 were arguments; only_summarizing, which came with 16, has
 * no use here.  14 took the ResultRelInfo, and whether it is an update.
 */
#if PG_VERSION_NUM < 190000
#define EIIT_IS_UPDATE		(1 << 0)
#define EIIT_NO_DUPE_ERROR	(1 << 1)
#endif
#if PG_VERSION_NUM < 140000
#define ExecInsertIndexTuples(rri, estate, flags, slot, arbiters, conflict) \
	((estate)->es_result_relation_info = (rri), \
	 ExecInsertIndexTuples(slot, estate, \
						   ((flags) & EIIT_NO_DUPE_ERROR) != 0, \
						   conflict, arbiters))
#elif PG_VERSION_NUM < 160000
#define ExecInsertIndexTuples(rri, estate, flags, slot, arbiters, conflict) \
	ExecInsertIndexTuples(rri, slot, estate, \
						  ((flags) & EIIT_IS_UPDATE) != 0, \
						  ((flags) & EIIT_NO_DUPE_ERROR) != 0, \
						  conflict, arbiters)
#elif PG_VERSION_NUM < 190000
#define ExecInsertIndexTuples(rri, estate, flags, slot, arbiters, conflict) \
	ExecInsertIndexTuples(rri, slot, estate, \
						  ((flags) & EIIT_IS_UPDATE) != 0, \
						  ((flags) & EIIT_NO_DUPE_ERROR) != 0, \
						  conflict, arbiters, false)
#endif

/* 15 added what an update across partitions needs */
#if PG_VERSION_NUM < 150000
#define ExecARUpdateTriggers(estate, rri, src, dst, tid, fdw_tuple, slot, recheck, transition, crosspart) \
	ExecARUpdateTriggers(estate, rri, tid, fdw_tuple, slot, recheck, transition)
#endif

/* 15 tells why a row cannot be had, 16 how, and 18 is told of MERGE */
#if PG_VERSION_NUM < 150000
#define ms_before_update_triggers(estate, epq, rri, tid, slot, tmfd) \
	((void) (tmfd), ExecBRUpdateTriggers(estate, epq, rri, tid, NULL, slot))
#elif PG_VERSION_NUM < 160000
#define ms_before_update_triggers(estate, epq, rri, tid, slot, tmfd) \
	ExecBRUpdateTriggers(estate, epq, rri, tid, NULL, slot, tmfd)
#elif PG_VERSION_NUM < 180000
#define ms_before_update_triggers(estate, epq, rri, tid, slot, tmfd) \
	ExecBRUpdateTriggers(estate, epq, rri, tid, NULL, slot, NULL, tmfd)
#else
#define ms_before_update_triggers(estate, epq, rri, tid, slot, tmfd) \
	ExecBRUpdateTriggers(estate, epq, rri, tid, NULL, slot, NULL, tmfd, false)
#endif

/* 15 added unique keys of which nulls are values */
#if PG_VERSION_NUM < 150000
#define ms_nulls_not_distinct(form)	false
#else
#define ms_nulls_not_distinct(form)	((form)->indnullsnotdistinct)
#endif

/* 18 added columns that are generated as they are read */
#if PG_VERSION_NUM < 180000
#define ms_has_virtual(constr)	false
#define ms_has_generated(constr)	((constr)->has_generated_stored)
#else
#define ms_has_virtual(constr)	((constr)->has_generated_virtual)
#define ms_has_generated(constr) \
	((constr)->has_generated_stored || (constr)->has_generated_virtual)
#endif

/*
 * privileges: 16 moved them from the range table entry to a RTEPermissionInfo
 */
#if PG_VERSION_NUM < 160000
typedef RangeTblEntry RTEPermissionInfo;
#define ms_stmt_permissions(stmt)	((stmt)->rtable)
#define ms_query_set_permissions(query, perminfos)	((void) 0)
#define ExecCheckPermissions(rtable, perminfos, ereport_on_violation) \
	ExecCheckRTPerms(rtable, ereport_on_violation)
#define object_ownercheck(classid, objectid, roleid) \
	pg_class_ownercheck(objectid, roleid)
#define member_can_set_role(member, role)	is_member_of_role(member, role)
#else
#define ms_stmt_permissions(stmt)	((stmt)->permInfos)
#define ms_query_set_permissions(query, perminfos) \
	((query)->rteperminfos = (perminfos))
#endif

#if PG_VERSION_NUM < 160000
static inline RTEPermissionInfo *
addRTEPermissionInfo(List **perminfos, RangeTblEntry *rte)
{
	return rte;
}
#endif
#if PG_VERSION_NUM < 160000
#define ExecInitRangeTable(estate, rtable, perminfos, unpruned) \
	ExecInitRangeTable(estate, rtable)
#elif PG_VERSION_NUM < 180000
#define ExecInitRangeTable(estate, rtable, perminfos, unpruned) \
	ExecInitRangeTable(estate, rtable, perminfos)
#endif

/*
 * partitions: 14 tells those that are being detached from others, and its
 * executor keeps a leaf's columns beside the leaf; 16's finds them out
 */
#include "executor/execPartition.h"
#include "partitioning/partdesc.h"
#if PG_VERSION_NUM < 140000
#define RelationGetPartitionDesc(rel, omit_detached) \
	RelationGetPartitionDesc(rel)
#define ms_set_root_to_leaf(rri, map) \
	((rri)->ri_PartitionInfo = palloc0(sizeof(PartitionRoutingInfo)), \
	 (rri)->ri_PartitionInfo->pi_RootToPartitionMap = (map))
#elif PG_VERSION_NUM < 160000
#define ms_set_root_to_leaf(rri, map)	((rri)->ri_RootToPartitionMap = (map))
#else
#define ms_set_root_to_leaf(rri, map)	((void) 0)
#endif

/* where AFTER triggers look for the relation they belong to */
#if PG_VERSION_NUM < 140000
#define ms_add_result_relation(estate, rri) \
	((estate)->es_result_relations = (rri), \
	 (estate)->es_num_result_relations = 1)
#else
#define ms_add_result_relation(estate, rri) \
	((estate)->es_opened_result_relations = list_make1(rri))
#endif

/* 19 has one more type whose text is an object's name */
#include "catalog/pg_type.h"
#ifndef REGDATABASEOID
#define REGDATABASEOID	InvalidOid
#endif

/*
 * plans
 */
#if PG_VERSION_NUM < 140000
#define ReleaseCachedPlan(plan, owner)	ReleaseCachedPlan(plan, true)
#endif
#if PG_VERSION_NUM < 170000
#define SearchPathMatchesCurrentEnvironment(path) \
	OverrideSearchPathMatchesCurrent(path)
#endif

/*
 * Does text sort by its bytes?  Declared here, as utils/pg_locale.h needs the
 * headers of ICU.  18 tells it only to who has them: it is read from the
 * catalog.
 */
#if PG_VERSION_NUM < 180000
extern bool lc_collate_is_c(Oid collation);
#define ms_collate_is_c(collation)	lc_collate_is_c(collation)
#else
#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

/* 18 has the collation, but no name for it */
#ifndef POSIX_COLLATION_OID
#define POSIX_COLLATION_OID	951
#endif

static inline bool
ms_collate_is_c(Oid collation)
{
	HeapTuple	tuple;
	Form_pg_database form;
	Datum		name;
	bool		isnull;
	bool		result;

	if (collation != DEFAULT_COLLATION_OID)
		return collation == C_COLLATION_OID ||
			collation == POSIX_COLLATION_OID;
	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_database) GETSTRUCT(tuple);
	name = SysCacheGetAttr(DATABASEOID, tuple,
						   form->datlocprovider == COLLPROVIDER_LIBC ?
						   Anum_pg_database_datcollate :
						   Anum_pg_database_datlocale, &isnull);
	result = !isnull && form->datlocprovider != COLLPROVIDER_ICU &&
		(strcmp(TextDatumGetCString(name), "C") == 0 ||
		 strcmp(TextDatumGetCString(name), "POSIX") == 0);
	ReleaseSysCache(tuple);
	return result;
}
#endif

/* 15 added MERGE */
#if PG_VERSION_NUM < 150000
#define ms_tag_is_merge(tag)	false
#else
#define ms_tag_is_merge(tag)	((tag) == CMDTAG_MERGE)
#endif

/* 14 asks whether the tree may be changed */
#if PG_VERSION_NUM < 140000
#define ProcessUtility(pstmt, source, readonly, context, params, env, dest, qc) \
	ProcessUtility(pstmt, source, context, params, env, dest, qc)
#endif

/* 18 can log that a lock was not to be had */
#if PG_VERSION_NUM < 180000
#define LockAcquireExtended(tag, mode, session, dontwait, report, local, log) \
	LockAcquireExtended(tag, mode, session, dontwait, report, local)
#endif

/*
 * sorting
 */
#if PG_VERSION_NUM < 180000
#define PrepareSortSupportFromIndexRel(index, reverse, ssup) \
	PrepareSortSupportFromIndexRel(index, \
								   (reverse) ? BTGreaterStrategyNumber : BTLessStrategyNumber, \
								   ssup)
#endif

/* hooks: parameters and arguments, the newest names */
#if PG_VERSION_NUM >= 190000
#define MS_PLANNER_PARAMS \
	Query *parse, const char *query_string, int cursorOptions, \
	ParamListInfo boundParams, ExplainState *es
#define MS_PLANNER_ARGS \
	parse, query_string, cursorOptions, boundParams, es
#else
#define MS_PLANNER_PARAMS \
	Query *parse, const char *query_string, int cursorOptions, \
	ParamListInfo boundParams
#define MS_PLANNER_ARGS \
	parse, query_string, cursorOptions, boundParams
#endif

#if PG_VERSION_NUM >= 180000
#define MS_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define MS_RUN_ARGS queryDesc, direction, count
#else
#define MS_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, \
	bool execute_once
#define MS_RUN_ARGS queryDesc, direction, count, execute_once
#endif

#if PG_VERSION_NUM >= 190000
#define MS_ANALYZED_PARAMS \
	ParseState *pstate, Query *query, const JumbleState *jstate
#define MS_ANALYZED_ARGS pstate, query, jstate
#elif PG_VERSION_NUM >= 140000
#define MS_ANALYZED_PARAMS \
	ParseState *pstate, Query *query, JumbleState *jstate
#define MS_ANALYZED_ARGS pstate, query, jstate
#else
#define MS_ANALYZED_PARAMS ParseState *pstate, Query *query
#define MS_ANALYZED_ARGS pstate, query
#endif

#if PG_VERSION_NUM >= 140000
#define MS_UTILITY_PARAMS \
	PlannedStmt *pstmt, const char *queryString, bool readOnlyTree, \
	ProcessUtilityContext context, ParamListInfo params, \
	QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc
#define MS_UTILITY_ARGS \
	pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc
#else
#define MS_UTILITY_PARAMS \
	PlannedStmt *pstmt, const char *queryString, \
	ProcessUtilityContext context, ParamListInfo params, \
	QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc
#define MS_UTILITY_ARGS \
	pstmt, queryString, context, params, queryEnv, dest, qc
#endif

/* at random, from 0 to below 1 */
#if PG_VERSION_NUM >= 150000
#include "common/pg_prng.h"
#define ms_random_double()	pg_prng_double(&pg_global_prng_state)
#else
#define ms_random_double()	(random() / ((double) MAX_RANDOM_VALUE + 1))
#endif

/* 19 has no other literals */
#if PG_VERSION_NUM >= 190000
#define standard_conforming_strings	true
#endif

/* the clock that is not the processor's: until 19 the only one */
#if PG_VERSION_NUM < 190000
#define PG_INSTR_SYSTEM_CLOCK	PG_INSTR_CLOCK
#endif

#define MS_HAVE_MERGE	(PG_VERSION_NUM >= 150000)

/*
 * How long the client has been idle in transactions: it changes where the
 * server was ready for a query.  Not kept by 13, nor without track_activities.
 */
#if PG_VERSION_NUM >= 140000
#include "pgstat.h"
#include "utils/backend_status.h"
#define MS_IDLE_TIME()			pgStatTransactionIdleTime
#define MS_HAVE_IDLE_TIME()		pgstat_track_activities
#else
#define MS_IDLE_TIME()			((int64) 0)
#define MS_HAVE_IDLE_TIME()		false
#endif

#if PG_VERSION_NUM < 160000
#define pgstat_count_heap_update(rel, hot, newpage) \
	pgstat_count_heap_update(rel, hot)
#endif

/* pages of a bitmap heap scan */
#if PG_VERSION_NUM >= 180000
#define MS_EXACT_PAGES(scan)	((double) (scan)->stats.exact_pages)
#define MS_LOSSY_PAGES(scan)	((double) (scan)->stats.lossy_pages)
#else
#define MS_EXACT_PAGES(scan)	((double) (scan)->exact_pages)
#define MS_LOSSY_PAGES(scan)	((double) (scan)->lossy_pages)
#endif

/* before 16 an instr_time was a struct timespec */
#if PG_VERSION_NUM < 160000
#define INSTR_TIME_GET_NANOSEC(t) \
	((int64) (t).tv_sec * INT64CONST(1000000000) + (int64) (t).tv_nsec)
#endif

/* 14 added infinite numerics, and renamed a type's OID */
#if PG_VERSION_NUM < 140000
#define MONEYOID	CASHOID
#define numeric_is_inf(num)	false
#endif

/* 17 added infinite intervals */
#if PG_VERSION_NUM < 170000
#define INTERVAL_NOT_FINITE(i)	false
#endif

/* 17 tells shared from local; 15 and 16 tell temporary from both */
#if PG_VERSION_NUM >= 170000
#define MS_BLK_READ_NS(b) \
	(INSTR_TIME_GET_NANOSEC((b)->shared_blk_read_time) + \
	 INSTR_TIME_GET_NANOSEC((b)->local_blk_read_time))
#define MS_BLK_WRITE_NS(b) \
	(INSTR_TIME_GET_NANOSEC((b)->shared_blk_write_time) + \
	 INSTR_TIME_GET_NANOSEC((b)->local_blk_write_time))
#else
#define MS_BLK_READ_NS(b)	INSTR_TIME_GET_NANOSEC((b)->blk_read_time)
#define MS_BLK_WRITE_NS(b)	INSTR_TIME_GET_NANOSEC((b)->blk_write_time)
#endif

#if PG_VERSION_NUM < 150000
#include "miscadmin.h"
#include "utils/tuplestore.h"

#define MAT_SRF_USE_EXPECTED_DESC	0x01

/* a set-returning function that fills a tuplestore */
static inline void
InitMaterializedSRF(FunctionCallInfo fcinfo, uint32 flags)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext saved;
	TupleDesc	tupdesc;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	if (!(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("materialize mode required, but it is not allowed in this context")));
	saved = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if (flags & MAT_SRF_USE_EXPECTED_DESC)
		tupdesc = CreateTupleDescCopy(rsinfo->expectedDesc);
	else if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult =
		tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
							  false, work_mem);
	rsinfo->setDesc = tupdesc;
	MemoryContextSwitchTo(saved);
}
#endif

/*
 * explain_analyze and compare: EXPLAIN, analysis, statistics of tables
 */
#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* 19 lets the planner know of EXPLAIN */
#if PG_VERSION_NUM < 190000
#define pg_plan_query(query, text, options, params, es) \
	pg_plan_query(query, text, options, params)
#endif

/* 17 tells what memory the planner took */
#if PG_VERSION_NUM < 170000
#define ExplainOnePlan(plan, into, es, query, params, env, duration, usage, memory) \
	ExplainOnePlan(plan, into, es, query, params, env, duration, usage)
#endif
#if PG_VERSION_NUM < 180000
#define ExplainOneUtility(node, into, es, pstate, params) \
	ExplainOneUtility(node, into, es, (pstate)->p_sourcetext, params, \
					  (pstate)->p_queryEnv)
#endif

#if PG_VERSION_NUM < 150000
#define parse_analyze_varparams(raw, text, types, ntypes, env) \
	parse_analyze_varparams(raw, text, types, ntypes)
#define pg_analyze_and_rewrite_fixedparams(raw, text, types, ntypes, env) \
	pg_analyze_and_rewrite(raw, text, types, ntypes, env)
#endif

#if PG_VERSION_NUM < 160000
#define MS_DEAD_ROWS(tabstat)	((tabstat)->t_counts.t_delta_dead_tuples)
#else
#define MS_DEAD_ROWS(tabstat)	((tabstat)->counts.delta_dead_tuples)
#endif

/* before 18, what ExecutorRun was told besides */
#if PG_VERSION_NUM < 180000
#define ms_executor_run(desc)	ExecutorRun(desc, ForwardScanDirection, 0, true)
#else
#define ms_executor_run(desc)	ExecutorRun(desc, ForwardScanDirection, 0)
#endif

/* from 18 on attributes lie where the number of them says */
#if PG_VERSION_NUM < 180000
static inline TupleDesc
CreateTupleDescTruncatedCopy(TupleDesc desc, int natts)
{
	TupleDesc	copy = CreateTupleDescCopy(desc);

	copy->natts = natts;
	return copy;
}
#endif

#if PG_VERSION_NUM < 140000
#define ROLE_PG_READ_ALL_STATS	DEFAULT_ROLE_READ_ALL_STATS
#endif

/*
 * advice: planning again.  19 has a hook for relations of the planner in the
 * place of one for what the catalog has of them.
 */
#if PG_VERSION_NUM >= 190000
#define ms_relation_hook_type	build_simple_rel_hook_type
#define ms_relation_hook		build_simple_rel_hook
#define MS_RELATION_PARAMS \
	PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte
#define MS_RELATION_ARGS		root, rel, rte
#define ms_relation_is_table(root, rel) (rte->rtekind == RTE_RELATION)
#else
#define ms_relation_hook_type	get_relation_info_hook_type
#define ms_relation_hook		get_relation_info_hook
#define MS_RELATION_PARAMS \
	PlannerInfo *root, Oid oid_of_rel, bool inhparent, RelOptInfo *rel
#define MS_RELATION_ARGS		root, oid_of_rel, inhparent, rel
#define ms_relation_is_table(root, rel)	true
#endif
#if PG_VERSION_NUM >= 190000
#define ms_plan_query(query, text, options, params) \
	planner(query, text, options, params, NULL)
#else
#define ms_plan_query(query, text, options, params) \
	planner(query, text, options, params)
#endif

#if PG_VERSION_NUM < 150000
#define ms_setup_parse_fixed_parameters(pstate, types, n) \
	parse_fixed_parameters(pstate, types, n)
#else
#define ms_setup_parse_fixed_parameters(pstate, types, n) \
	setup_parse_fixed_parameters(pstate, types, n)
#endif

/* 16 executes nothing of a plan whose parameters have no values */
#if PG_VERSION_NUM < 160000
#define ms_explain_generic(es, is_generic)	((void) 0)
#else
#define ms_explain_generic(es, is_generic)	((es)->generic = (is_generic))
#endif

/* 15 sorts a single column without a row around it */
#if PG_VERSION_NUM < 150000
#define ms_sorts_datums(sort)	false
#else
#define ms_sorts_datums(sort)	((sort)->datumSort)
#endif

/* 19 renamed what is counted at a node */
#if PG_VERSION_NUM >= 190000
#define MSWorkerCounts	WorkerNodeInstrumentation
#define MSNodeCounts	NodeInstrumentation
#else
#define MSWorkerCounts	WorkerInstrumentation
#define MSNodeCounts	Instrumentation
#endif

/* 19 has a type of its own for caches' numbers */
#if PG_VERSION_NUM >= 190000
#define MS_CACHEID	SysCacheIdentifier
#else
#define MS_CACHEID	int
#endif

/* 14 has statistics of expressions */
#if PG_VERSION_NUM < 140000
#define ms_stat_expressions(info)	((void) (info), NIL)
#else
#define ms_stat_expressions(info)	(((StatisticExtInfo *) (info))->exprs)
#endif

/* 14 has what is updated or deleted below ModifyTable as any other plan */
#if PG_VERSION_NUM < 140000
#define ms_modified_plans(modify)	((modify)->plans)
#else
#define ms_modified_plans(modify)	NIL
#endif

/* nodes and joins that came later: 14 added two nodes, 16 and 18 a join each */
#if PG_VERSION_NUM < 140000
#define ms_is_memoize(plan)			false
#define ms_is_tid_range_scan(plan)	false
#define ms_tid_range_quals(plan)	NIL
#else
#define ms_is_memoize(plan)			IsA(plan, Memoize)
#define ms_is_tid_range_scan(plan)	IsA(plan, TidRangeScan)
#define ms_tid_range_quals(plan)	(((TidRangeScan *) (plan))->tidrangequals)
#endif
#if PG_VERSION_NUM < 160000
#define ms_is_right_anti(join)	false
#else
#define ms_is_right_anti(join)	((join)->jointype == JOIN_RIGHT_ANTI)
#endif
#if PG_VERSION_NUM < 180000
#define ms_is_right_semi(join)	false
#else
#define ms_is_right_semi(join)	((join)->jointype == JOIN_RIGHT_SEMI)
#endif

/* 18 added columns that are computed as they are read: they have no index */
#if PG_VERSION_NUM < 180000
#define ms_is_virtual(rel, attno)	false
#else
#include "catalog/pg_attribute.h"
#define ms_is_virtual(rel, attno) \
	(TupleDescAttr(RelationGetDescr(rel), (attno) - 1)->attgenerated == \
	 ATTRIBUTE_GENERATED_VIRTUAL)
#endif

/* 18 keeps a second, smaller form of what is often asked of an attribute */
#if PG_VERSION_NUM < 180000
#define ms_attribute_changed(desc, i)	((void) 0)
#else
#define ms_attribute_changed(desc, i)	populate_compact_attribute(desc, i)
#endif

#ifndef TextPrefixOperator
#define TextPrefixOperator	3877
#endif

/*
 * What is declared between these stays inside the library: calls and
 * variables go without its tables of addresses.  The server makes that the
 * default for extensions as of 16.
 */
#if defined(__GNUC__)
#define MS_INSIDE_BEGIN		_Pragma("GCC visibility push(hidden)")
#define MS_INSIDE_END		_Pragma("GCC visibility pop")
#else
#define MS_INSIDE_BEGIN
#define MS_INSIDE_END
#endif

#endif							/* MS_COMPAT_H */
