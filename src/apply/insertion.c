/*-------------------------------------------------------------------------
 *
 * insertion.c
 *	  The right to insert a key, for who must not wait.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"

#include "compat.h"
#include "apply/apply.h"
#include "apply/apply_internal.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"

/*
 * The right to insert a key, for the length of an insertion: never waited
 * for.  Who holds it and then sees no insertion of the key under way is not
 * going to meet one of ours.  It is an advisory lock of a class that SQL
 * functions cannot ask for.
 */
static void
insertion_tag(MSTarget *target, const MSRow *row, LOCKTAG *tag)
{
	char	   *texts[INDEX_MAX_KEYS];
	uint64		hash = (uint64) ms_key_texts(target, row->values,
												row->isnull, texts);

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId,
						 (uint32) (hash >> 32) ^ target->relid, (uint32) hash,
						 MS_LOCK_INSERTION);
}

bool
ms_insertion_lock(MSTarget *target, const MSRow *row)
{
	LOCKTAG		tag;

	insertion_tag(target, row, &tag);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
ms_insertion_unlock(MSTarget *target, const MSRow *row)
{
	LOCKTAG		tag;

	insertion_tag(target, row, &tag);
	(void) LockRelease(&tag, ExclusiveLock, false);
}
