/*-------------------------------------------------------------------------
 *
 * fold_groups.c
 *	  The deltas that are read at once, and the order in which they come to
 *	  their rows (fold.c).
 *
 * Those of one key and role are a group, which is one update.  The groups are
 * in the order of the key, and those of a key in the order in which they were
 * begun, so that the row and the columns that fill up have what was given
 * first, whoever counted.  Where one group for each role cannot give that, a
 * role has more than one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "aside/aside_internal.h"
#include "target/row.h"
#include "target/stored.h"
#include "target/target.h"

/* so much is read at once, or as many deltas as fold.c says */
#define FOLD_BYTES	(8 * 1024 * 1024)

/*
 * By key; the first counted first: its fields make the row.  Of the same time,
 * one that has any.
 */
static int
compare_deltas(const void *a, const void *b, void *arg)
{
	const MSSpilled *x = *(MSSpilled *const *) a;
	const MSSpilled *y = *(MSSpilled *const *) b;
	int			result = ms_compare_rows(arg, x->row, y->row);

	if (result == 0)
		result = (x->first_seen > y->first_seen) - (x->first_seen < y->first_seen);
	if (result == 0)
		result = y->has_fields - x->has_fields;
	return result;
}

/* The columns that fill up and have a value in a row. */
static Bitmapset *
get_filled(const MSTarget *target, const MSRow *row)
{
	Bitmapset  *filled = NULL;
	int			attno = -1;

	while ((attno = bms_next_member(target->fill, attno)) >= 0)
	{
		if (ms_row_fills(row, attno))
			filled = bms_add_member(filled, attno);
	}
	return filled;
}

/*
 * The group of a delta, among those of its key, first to n - 1; n: a new one.
 * It is that of its role, but not where another role's, which comes to the row
 * later, has been given something before that this one would fill up.
 */
static int
choose_group(const MSKeyDeltas *groups, int first, int n, Oid roleid,
			 const Bitmapset *filled)
{
	Bitmapset  *later = NULL;

	for (int i = n - 1; i >= first; i--)
	{
		if (groups[i].roleid == roleid)
			return bms_is_subset(bms_intersect(filled, later),
								 groups[i].filled) ? i : n;
		later = bms_add_members(later, groups[i].filled);
	}
	return n;
}

/* Make groups of deltas, in the order in which they come to their rows. */
int
ms_fold_groups(MSTarget *target, MSSpilled **deltas, int n,
			   MSKeyDeltas **result)
{
	MSKeyDeltas *groups = palloc(sizeof(MSKeyDeltas) * n);
	int		   *chosen = palloc(sizeof(int) * n);
	MSSpilled **grouped = palloc(sizeof(MSSpilled *) * n);
	int			first = 0;
	int			ngroups = 0;

	ms_prepare_key_order(target);
	qsort_arg(deltas, n, sizeof(MSSpilled *), compare_deltas, target);
	for (int i = 0; i < n; i++)
	{
		MSRow	   *row = deltas[i]->row;
		Bitmapset  *filled = get_filled(target, row);
		MSKeyDeltas *group;

		if (i > 0 && ms_compare_rows(target, deltas[i - 1]->row, row) != 0)
			first = ngroups;
		chosen[i] = choose_group(groups, first, ngroups, deltas[i]->roleid,
								 filled);
		group = &groups[chosen[i]];
		if (chosen[i] == ngroups)
		{
			memset(group, 0, sizeof(MSKeyDeltas));
			group->roleid = deltas[i]->roleid;
			group->again = ngroups > first;
			ngroups++;
		}
		group->filled = bms_add_members(group->filled, filled);
		group->n++;
	}
	for (int i = 0; i < ngroups; i++)
	{
		groups[i].deltas = i == 0 ? grouped :
			groups[i - 1].deltas + groups[i - 1].n;
	}
	for (int i = 0; i < ngroups; i++)
		groups[i].n = 0;
	for (int i = 0; i < n; i++)
	{
		MSKeyDeltas *group = &groups[chosen[i]];

		group->deltas[group->n++] = deltas[i];
	}
	*result = groups;
	return ngroups;
}

/*
 * Reading them
 */

static Size
delta_size(const MSSpilled *delta)
{
	Pointer		fields = DatumGetPointer(delta->fields);

	return delta->tuple->t_len + (fields == NULL ? 0 : VARSIZE_ANY(fields));
}

/* Read so many deltas at the most, or FOLD_BYTES; *full: there may be more. */
int
ms_fold_read(MSSpillScan *scan, MSSpilled **deltas, int most, bool *full)
{
	Size		bytes = 0;
	int			n = 0;

	*full = true;
	while (n < most && bytes <= FOLD_BYTES)
	{
		deltas[n] = ms_spill_next(scan);
		if (deltas[n] == NULL)
		{
			*full = false;
			break;
		}
		bytes += delta_size(deltas[n++]);
	}
	return n;
}

/* How many are before those of the last hash? */
int
ms_before_last_hash(MSSpilled **deltas, int n)
{
	int64		hash = deltas[n - 1]->hash;

	while (n > 0 && deltas[n - 1]->hash == hash)
		n--;
	return n;
}
