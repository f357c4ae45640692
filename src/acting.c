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
 * 3. In another transaction (fold(), flush(), the worker), by what the table
 *	  would run, which is judged under its lock:
 *	  (a) no code of its users: as the counter, not restricted;
 *	  (b) else, where the owner could become the counter with SET ROLE: as the
 *		  counter, restricted;
 *	  (c) else as the owner, restricted, after the counter's rights on the
 *		  table and its columns were checked.
 *	  (b) and (c) have a level of settings of their own.  The search_path is
 *	  that of whoever merges where he could become the role that acts, else
 *	  pg_catalog, pg_temp.  Where row security applies to the counter, or to
 *	  who acts, the delta stays.
 *
 * 4. What is set aside is read as the table's owner, restricted (stored types
 *	  can have checks).
 *
 * Where row security applies to a role, its increments do not wait at all:
 * only at the call are the settings there that policies look at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "missing_symbol.h"

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

/* As a role, with a search_path that its author or its user has chosen. */
static void
act_restricted(const MSApplier *applier, Oid role, MSActing *acting)
{
	begin_acting(acting);
	SetUserIdAndSecContext(role, applier->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	set_search_path(member_can_set_role(applier->userid, role) ?
					applier->search_path : "pg_catalog, pg_temp");
}

/* Rule 4, and to look at what a table has: its indexes can run code. */
void
ms_act_as_owner(const MSApplier *applier, Oid owner, MSActing *acting)
{
	act_restricted(applier, owner, acting);
}

/*
 * What a table runs
 */

/*
 * Functions of the server that run no code of others, beside those that are
 * immutable: what defaults are made of.
 */
static bool
is_known_function(Oid function)
{
	static const char *const names[] = {
		"clock_timestamp", "gen_random_uuid", "nextval", "random",
		"timeofday", "uuidv4", "uuidv7"
	};
	char	   *name = get_func_name(function);

	for (int i = 0; i < lengthof(names); i++)
	{
		if (name != NULL && strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Can a function run code that a user has written?  What maps tables and
 * queries to XML, or runs a query given as text, can.
 */
static bool
may_run_code(Oid function, void *context)
{
	if (function >= FirstNormalObjectId)
		return !ms_is_own_function(function);
	switch (func_volatile(function))
	{
		case PROVOLATILE_IMMUTABLE:
			return false;
		case PROVOLATILE_STABLE:
			return get_func_rettype(function) == XMLOID;
		default:
			return !is_known_function(function);
	}
}

/*
 * Can values of a type be made, read or compared by code of a user?  Base
 * types are their superuser's.
 */
static bool
has_code(Oid type)
{
	Oid			element = get_element_type(type);

	if (OidIsValid(element))
		type = element;
	switch (get_typtype(type))
	{
		case TYPTYPE_BASE:
		case TYPTYPE_ENUM:
			return false;
		case TYPTYPE_RANGE:
			return type >= FirstNormalObjectId;
		default:
			return true;
	}
}

/*
 * Does an expression run code of users?  What takes any type may look for a
 * cast of it, which the owner of an enum can make.
 */
static bool
code_walker(Node *node, void *context)
{
	Oid			type;

	if (node == NULL)
		return false;
	if (IsA(node, List))
		return expression_tree_walker(node, code_walker, context);
	type = exprType(node);
	if (check_functions_in_node(node, may_run_code, context) ||
		IsA(node, XmlExpr) || has_code(type) ||
		get_typtype(getBaseType(type)) == TYPTYPE_ENUM)
		return true;
	return expression_tree_walker(node, code_walker, context);
}

static bool
runs_code(Node *expr)
{
	return code_walker(expr, NULL);
}

/* Triggers but those of foreign keys and deferrable unique keys */
bool
ms_has_own_triggers(Relation rel)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (!trigger->tgisinternal || trigger->tgfoid >= FirstNormalObjectId)
			return true;
	}
	return false;
}

/*
 * Does counting in a table run code of its users: triggers, domains,
 * expressions of their functions?  A partitioned table's partitions have
 * their own; they are not looked at.
 */
static bool
find_own_code(const MSTarget *target, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	/* those of the key and the count, too */
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && has_code(att->atttypid))
			return true;
	}
	return rel->rd_rel->relkind != RELKIND_RELATION ||
		ms_has_own_triggers(rel) ||
		ms_table_has(target, rel, has_code, runs_code);
}

/* The same, which is judged once for a target. */
bool
ms_has_own_code(MSTarget *target, Relation rel)
{
	if (target->own_code == MS_CODE_UNKNOWN)
		target->own_code = find_own_code(target, rel) ? MS_CODE_OWN : MS_CODE_NONE;
	return target->own_code == MS_CODE_OWN;
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

/*
 * Act for a counter in another transaction than his; InvalidOid: he is gone,
 * and the owner stands in.  applier: who merges, as he was when he began.
 * Error 42501 where the counter may not count this any more.
 */
void
ms_act_for_counter(MSTarget *target, Relation rel, const MSRow *row,
				   const MSApplier *applier, Oid role, MSActing *acting)
{
	Oid			owner = rel->rd_rel->relowner;

	if (!OidIsValid(role))
		role = owner;
	refuse_row_security(target, role);
	ms_privileges_check_later(target, rel, row->given, role);
	if (!ms_has_own_code(target, rel))
	{
		begin_acting(acting);
		SetUserIdAndSecContext(role, applier->sec_context |
							   SECURITY_LOCAL_USERID_CHANGE);
		return;
	}
	if (!member_can_set_role(owner, role))
	{
		refuse_row_security(target, owner);
		ms_privileges_check_later(target, rel, row->given, owner);
		role = owner;
	}
	act_restricted(applier, role, acting);
}

/* Would that hide the applier's search_path from who acts? */
bool
ms_hides_search_path(MSTarget *target, Relation rel, const MSApplier *applier,
					 Oid role)
{
	Oid			owner = rel->rd_rel->relowner;

	if (!ms_has_own_code(target, rel))
		return false;
	if (!OidIsValid(role) || !member_can_set_role(owner, role))
		role = owner;
	return !member_can_set_role(applier->userid, role);
}

/* Rule 1, at the transaction's end. */
void
ms_check_row_security_then(const MSTarget *target, Oid role)
{
	refuse_row_security(target, role);
}

/*
 * Does a table put off triggers, or constraints, to the commit?  That cannot
 * be done in a restricted operation, so rules 3 (b) and (c) need constraints
 * immediate.
 */
bool
ms_defers_triggers(Relation rel)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		if (rel->trigdesc->triggers[i].tginitdeferred &&
			rel->trigdesc->triggers[i].tgenabled != TRIGGER_DISABLED)
			return true;
	}
	return false;
}
