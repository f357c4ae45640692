/*-------------------------------------------------------------------------
 *
 * flush_lock.c
 *	  One flush() or discard() of a target at a time.
 *
 * What comes after it in its transaction locks no more rows of the target: the
 * next one may begin, and waits only where it meets what this one has merged.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"

#include "compat.h"
#include "apply/apply.h"
#include "aside/aside_internal.h"

void
ms_lock_flush(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, relid, 0, MS_LOCK_FLUSH);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

void
ms_unlock_flush(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, relid, 0, MS_LOCK_FLUSH);
	(void) LockRelease(&tag, ExclusiveLock, false);
}
