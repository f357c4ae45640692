/*-------------------------------------------------------------------------
 *
 * acting.c
 *	  As whom an increment that has waited is applied: what is deferred,
 *	  spilled or buffered.
 *
 * A waiting increment may do what it could have done at its call, as nobody
 * else and to nobody else.
 *
 * 1. In the counter's own transaction (pending.c; what a counter takes of its
 *	  own spilled deltas): as the counter, not restricted.  The search_path in
 *	  force at the call is kept with the delta and set around its apply, in a
 *	  level of settings that is rolled back after it, so that no delta sees
 *	  what another one's trigger has set.  Only COMMIT and PREPARE apply what
 *	  waits.
 *
 * 2. In a security-definer context, missing_symbol.apply and pending_limit are
 *	  not read, whoever has set them: track() decides, else the increment is
 *	  counted now.  Our own apply is such a context only where the delta's
 *	  role is not the current one, or its call was itself in one.
 *
 * 3. In another transaction (fold(), flush(), the worker), whatever the table
 *	  runs is its owner's: as the counter, where the owner could become him
 *	  with SET ROLE, else as the owner, after the counter's rights on the table
 *	  and its columns were checked.  Restricted, unless it is as if whoever
 *	  merges counted himself, in a table of his own.  (To look whether a table
 *	  runs any code at all is no way out: triggers, domains and the functions of
 *	  expressions can be seen, but so much else runs some, like the planner of a
 *	  foreign key's query.)
 *	  The settings have a level of their own.  The search_path is that of
 *	  whoever merges where he could become the role that acts, else pg_catalog,
 *	  pg_temp, and then there must be no temporary objects that could stand in
 *	  for others.  Where row security applies to the counter, or to who acts,
 *	  the delta stays.
 *
 *	  Restricted code could still replace cursors of whoever merges, or have
 *	  his deferred triggers fired: so it runs only where the merge is all that
 *	  his transaction does (fold_calls.c).
 *
 * 4. What runs while deltas are read from their texts (checks of domains within
 *	  other types) runs as the role that rule 3 would apply them as, whether
 *	  they are read to be merged or to be shown.  Functions of generated columns
 *	  run as the table's owner in the same way.
 *
 * Where row security applies to a role, its increments do not wait at all:
 * only at the call are the settings there that policies look at.  For the same
 * reason defaults are asked at the call (defaults.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "compat.h"
#include "target/acting.h"
#include "target/row.h"
#include "target/target.h"
#include "target/target_internal.h"

bool		ms_in_worker = false;

/*
 * Contexts
 */

/* Is the current role one that a function or a command has switched to? */
bool
ms_in_definer(void)
{
	return InLocalUserIdChange();
}

static void
begin_acting(MSActing *acting)
{
	GetUserIdAndSecContext(&acting->userid, &acting->sec_context);
	acting->nestlevel = NewGUCNestLevel();
}

/* Be who one was, with the settings as they were. */
void
ms_act_no_more(const MSActing *acting)
{
	AtEOXact_GUC(false, acting->nestlevel);
	SetUserIdAndSecContext(acting->userid, acting->sec_context);
}

static void
set_search_path(const char *path)
{
	if (strcmp(path, namespace_search_path) != 0)
		(void) set_config_option("search_path", path, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
}

/*
 * Rule 1.  An error on the way, which ends the transaction or subtransaction,
 * restores all of it.
 */
void
ms_act_as_counter(Oid role, bool definer, const char *search_path,
				  MSActing *acting)
{
	begin_acting(acting);
	if (definer || role != acting->userid)
		SetUserIdAndSecContext(role, acting->sec_context |
							   SECURITY_LOCAL_USERID_CHANGE);
	set_search_path(search_path);
}

/* Who is about to merge. */
void
ms_get_applier(MSApplier *applier)
{
	GetUserIdAndSecContext(&applier->userid, &applier->sec_context);
	applier->search_path = pstrdup(namespace_search_path);
}

/* Could the owner's code gain something by being whoever merges? */
bool
ms_is_restricted(Relation rel, const MSApplier *applier)
{
	return !member_can_set_role(rel->rd_rel->relowner, applier->userid);
}

/*
 * Is it as if whoever merges counted in a table of his own, in a statement of
 * his?  What is on the way can be code of others still (a superuser's table has
 * somebody's trigger function), but as his plain SQL runs it.
 */
bool
ms_acts_as_applier(Relation rel, const MSApplier *applier, Oid role)
{
	return !ms_in_worker && role == applier->userid &&
		!ms_is_restricted(rel, applier);
}

/*
 * Code that names an object without its schema would find a temporary one of
 * whoever merges first, whatever the search_path.
 */
static void
refuse_temporary_objects(Relation rel)
{
	Oid			temp_namespace;
	Oid			toast_namespace;

	GetTempNamespaceState(&temp_namespace, &toast_namespace);
	if (OidIsValid(temp_namespace))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("increments of table \"%s\" cannot be merged or read in a session that has temporary tables",
						RelationGetRelationName(rel)),
				 errdetail("Code of its owner could find them in place of others."),
				 errhint("Use another session, or leave it to the worker.")));
}

/* Be a role, for code of a table's owner. */
static void
act(const MSApplier *applier, Relation rel, Oid role, MSActing *acting)
{
	bool		hides = !member_can_set_role(applier->userid, role);
	int			sec_context = applier->sec_context |
		SECURITY_LOCAL_USERID_CHANGE;

	if (hides)
		refuse_temporary_objects(rel);
	if (!ms_acts_as_applier(rel, applier, role))
		sec_context |= SECURITY_RESTRICTED_OPERATION;
	begin_acting(acting);
	SetUserIdAndSecContext(role, sec_context);
	set_search_path(hides ? "pg_catalog, pg_temp" : applier->search_path);

	/* what is said on the way is of others' data */
	if (hides)
		(void) set_config_option("client_min_messages", "error", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
}

/* Has the session a cursor but the one that runs? */
bool
ms_has_cursors(void)
{
	Oid			argtypes[] = {TEXTOID};
	Datum		values[1];
	bool		found;

	values[0] = CStringGetTextDatum(ActivePortal != NULL ?
									ActivePortal->name : "");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT FROM pg_catalog.pg_cursor() AS c"
							  " WHERE c.name OPERATOR(pg_catalog.<>) $1"
							  " AND c.name OPERATOR(pg_catalog.<>) ''",
							  1, argtypes, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the cursors");
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

/* To look at what a table has: its indexes can run code. */
void
ms_act_as_owner(const MSApplier *applier, Relation rel, MSActing *acting)
{
	act(applier, rel, rel->rd_rel->relowner, acting);
}

/*
 * Rule 4: be a role to read a value that is shown, in a session that may do
 * anything else beside it.
 */
static void
act_for_reading(Relation rel, Oid role, MSActing *acting)
{
	MSApplier	applier;

	ms_get_applier(&applier);
	if ((ms_is_restricted(rel, &applier) ||
		 !member_can_set_role(role, applier.userid)) &&
		ms_has_cursors())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("increments of table \"%s\" cannot be read in a session that has open cursors",
						RelationGetRelationName(rel)),
				 errdetail("Code of its owner could put others in their place."),
				 errhint("Close them first, or read in another session.")));
	act(&applier, rel, role, acting);
}

/* For what is generated from a row */
void
ms_act_for_reading(Relation rel, MSActing *acting)
{
	act_for_reading(rel, rel->rd_rel->relowner, acting);
}

/*
 * To look for a counter by a key whose index calls functions: core reads what
 * the caller may read, and calls them, as the table's owner.
 */
void
ms_act_for_searching(MSTarget *target, Relation rel, MSActing *acting)
{
	Oid			owner = rel->rd_rel->relowner;

	if (owner != GetUserId() && ms_row_security_applies(target, owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("value() cannot read table %s: row security applies to its owner",
						target->name),
				 errdetail("Functions of its index run as its owner."),
				 errhint("Read missing_symbol.total(NULL::%s), or ALTER TABLE %s NO FORCE ROW LEVEL SECURITY.",
						 target->name, target->name)));
	ms_privileges_check_reading(target, rel);
	act_for_reading(rel, owner, acting);
}

/*
 * What a table runs
 */

/*
 * Is something true of a table, or of a partition of it?  Which can have
 * triggers and constraints that it has not, and another owner.
 */
bool
ms_any_table(Relation rel, bool (*test) (Relation rel, void *arg), void *arg)
{
	bool		result = test(rel, arg);
	ListCell   *lc;

	if (result || rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return result;
	foreach(lc, find_all_inheritors(RelationGetRelid(rel), AccessShareLock,
									NULL))
	{
		Relation	part = table_open(lfirst_oid(lc), NoLock);

		result = result || test(part, arg);
		table_close(part, NoLock);
	}
	return result;
}

static bool
has_own_triggers(Relation rel, void *arg)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (!trigger->tgisinternal || trigger->tgfoid >= FirstNormalObjectId)
			return true;
	}
	return false;
}

/* Triggers but those of foreign keys and deferrable unique keys */
bool
ms_has_own_triggers(Relation rel)
{
	return ms_any_table(rel, has_own_triggers, NULL);
}

/* Does row security apply to a role; InvalidOid: to the current one? */
bool
ms_row_security_applies(const MSTarget *target, Oid role)
{
	return target->row_security &&
		check_enable_rls(target->relid, role, true) == RLS_ENABLED;
}

/*
 * Rule 3
 */

static void
refuse_row_security(const MSTarget *target, Oid role)
{
	if (ms_row_security_applies(target, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row security of table %s has come to apply to role \"%s\", whose increments have waited",
						target->name, GetUserNameFromId(role, true)),
				 errdetail("Its policies may depend on settings that were there when it counted."),
				 errhint("Merge them while row security is disabled for the table, or give the role BYPASSRLS until they are merged.")));
}

/* Is a function a superuser's? */
static bool
is_of_superuser(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = superuser_arg(((Form_pg_proc) GETSTRUCT(tuple))->proowner);
	ReleaseSysCache(tuple);
	return result;
}

/* Does a superuser's table, or a partition, run functions of others? */
static bool
runs_code_of_others(Relation rel, void *arg)
{
	const MSTarget *target = arg;
	bool		result = !superuser_arg(rel->rd_rel->relowner);

	if (RelationGetRelid(rel) == target->relid)
		result |= !target->builtin;
	else
		result |= !ms_table_is_builtin(NULL, rel);
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

		result |= !att->attisdropped && !ms_type_is_builtin(att->atttypid);
	}
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		result |= !trigger->tgisinternal &&
			!is_of_superuser(trigger->tgfoid);
	}
	return result;
}

/*
 * A superuser stands in for nobody where his table runs code of others: he has
 * let it run as who counts.
 */
static void
refuse_stand_in(MSTarget *target, Relation rel)
{
	if (ms_any_table(rel, runs_code_of_others, target))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the role that counted in table %s is gone, and its owner, a superuser, does not stand in for it",
						target->name),
				 errdetail("The table runs functions of others."),
				 errhint("Give the table to a role that is no superuser until they are merged.")));
}

/* Who acts for a counter; InvalidOid: he is gone. */
static Oid
who_acts(Relation rel, Oid role)
{
	Oid			owner = rel->rd_rel->relowner;

	return OidIsValid(role) && member_can_set_role(owner, role) ? role : owner;
}

/*
 * Act for a counter in another transaction than his.  applier: who merges, as
 * he was when he began.  Error 42501 where the counter may not count this any
 * more.
 */
void
ms_act_for_counter(MSTarget *target, Relation rel, const MSRow *row,
				   const MSApplier *applier, Oid role, MSActing *acting)
{
	Oid			actor = who_acts(rel, role);

	if (!OidIsValid(role) && superuser_arg(actor))
		refuse_stand_in(target, rel);
	if (OidIsValid(role) && role != actor)
	{
		refuse_row_security(target, role);
		ms_privileges_check_later(target, rel, row->given, role);
	}
	refuse_row_security(target, actor);
	ms_privileges_check_later(target, rel, row->given, actor);
	act(applier, rel, actor, acting);
}

/*
 * Rule 4: the same to read a value of a delta from its text; applier: NULL
 * where it is not to be merged, but shown.
 */
void
ms_act_for_parsing(MSTarget *target, Relation rel, const MSApplier *applier,
				   Oid role, MSActing *acting)
{
	Oid			actor = who_acts(rel, role);

	if (!OidIsValid(role) && superuser_arg(actor))
		refuse_stand_in(target, rel);
	if (applier != NULL)
		act(applier, rel, actor, acting);
	else
		act_for_reading(rel, actor, acting);
}

/* Would that hide the applier's search_path from who acts? */
bool
ms_hides_search_path(Relation rel, const MSApplier *applier, Oid role)
{
	return !member_can_set_role(applier->userid, who_acts(rel, role));
}

/* An error can tell of data: it is for those who have the owner's rights. */
const char *
ms_error_for_caller(Oid relid, const char *error)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		may_know;

	if (!HeapTupleIsValid(tuple))
		return "It has been dropped.";
	may_know = has_privs_of_role(GetUserId(),
								 ((Form_pg_class) GETSTRUCT(tuple))->relowner);
	ReleaseSysCache(tuple);
	return may_know ? error : "Its owner can see why.";
}

/* Rule 1, at the transaction's end. */
void
ms_check_row_security_then(const MSTarget *target, Oid role)
{
	refuse_row_security(target, role);
}

static bool
defers_triggers(Relation rel, void *arg)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		if (rel->trigdesc->triggers[i].tgdeferrable &&
			rel->trigdesc->triggers[i].tgenabled != TRIGGER_DISABLED)
			return true;
	}
	return false;
}

/*
 * Can a table put off triggers, or constraints, to the commit?  That cannot be
 * done in a restricted operation.  Whether it does is up to SET CONSTRAINTS,
 * which code of another table may have called.
 */
bool
ms_defers_triggers(Relation rel)
{
	return ms_any_table(rel, defers_triggers, NULL);
}
