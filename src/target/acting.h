/*-------------------------------------------------------------------------
 *
 * acting.h
 *	  Who may count, and as whom what has waited is applied.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_TARGET_ACTING_H
#define MS_TARGET_ACTING_H

#include "target/row.h"

MS_INSIDE_BEGIN

/*
 * privileges.c: what an increment asks of the current role.
 */
typedef struct MSPrivileges
{
	List	   *rtable;			/* one entry: the target */
	List	   *perminfos;
	RTEPermissionInfo *perminfo;	/* of the entry */
	MemoryContext cxt;			/* where all of it is */
	Bitmapset  *inserted;		/* columns, by an increment that gives only
								 * the key */
	Bitmapset  *updated;
	Bitmapset  *selected;
	Bitmapset  *given;			/* what perminfo is for */
} MSPrivileges;

extern MSPrivileges *ms_privileges_make(const MSTarget *target, Relation rel);
extern void ms_privileges_set(MSPrivileges *privileges, const MSTarget *target,
							  const Bitmapset *given);
extern void ms_privileges_check(MSPrivileges *privileges,
								const MSTarget *target,
								const Bitmapset *given);
extern MSPrivileges *ms_privileges_of(MSTarget *target, Relation rel);
extern void ms_privileges_check_later(MSTarget *target, Relation rel,
									  const Bitmapset *given, Oid role);
extern void ms_privileges_check_reading(const MSTarget *target, Relation rel);

/*
 * acting.c: as whom an increment that has waited is applied.
 */
typedef struct MSActing
{
	Oid			userid;			/* who one was ... */
	int			sec_context;
	int			nestlevel;		/* ... and the level of settings since */
} MSActing;

/* who merges, as he was when he began */
typedef struct MSApplier
{
	Oid			userid;
	int			sec_context;
	char	   *search_path;
} MSApplier;

extern bool ms_in_worker;		/* this process merges, for all */

extern bool ms_in_definer(void);
extern bool ms_has_cursors(void);
extern void ms_act_as_counter(Oid role, bool definer, const char *search_path,
							  MSActing *acting);
extern void ms_get_applier(MSApplier *applier);
extern void ms_act_as_owner(const MSApplier *applier, Relation rel,
							MSActing *acting);
extern void ms_act_for_counter(MSTarget *target, Relation rel,
							   const MSRow *row, const MSApplier *applier,
							   Oid role, MSActing *acting);
extern void ms_act_for_reading(Relation rel, MSActing *acting);
extern void ms_act_for_searching(MSTarget *target, Relation rel,
								 MSActing *acting);
extern void ms_act_for_parsing(MSTarget *target, Relation rel,
							   const MSApplier *applier, Oid role,
							   MSActing *acting);
extern void ms_act_no_more(const MSActing *acting);
extern bool ms_is_restricted(Relation rel, const MSApplier *applier);
extern bool ms_acts_as_applier(Relation rel, const MSApplier *applier,
							   Oid role);
extern bool ms_hides_search_path(Relation rel, const MSApplier *applier,
								 Oid role);
extern const char *ms_error_for_caller(Oid relid, const char *error);
extern bool ms_any_table(Relation rel, bool (*test) (Relation rel, void *arg),
						 void *arg);
extern bool ms_has_own_triggers(Relation rel);
extern bool ms_defers_triggers(Relation rel);
extern bool ms_row_security_applies(const MSTarget *target, Oid role);
extern void ms_check_row_security_then(const MSTarget *target, Oid role);

MS_INSIDE_END

#endif							/* MS_TARGET_ACTING_H */
