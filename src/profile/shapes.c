/*-------------------------------------------------------------------------
 *
 * shapes.c
 *	  Statistics per statement shape.
 *
 * A fixed number of shapes, hashed in chains of indexes, keyed by shape,
 * user, and whether the client sent it.  A new shape that finds the table
 * full takes the place of a little-used one of an earlier section, or of this,
 * whose numbers are added to "(others)": totals stay right, and what runs now
 * is seen by itself.
 *
 * A shape gets its entry as its first statement starts, while the text is at
 * hand; it shows from its first call's end.  Nothing here allocates or
 * fails.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "advice/advice.h"
#include "figures/figures.h"
#include "profile/profile.h"
#include "profile/statement_internal.h"
#include "shape/shape.h"

/* so many shapes are looked at to find one that may go */
#define EVICT_LOOKS		8

static int *buckets;
static int	nbuckets;			/* a power of 2 */
static MSShape *shapes;
static int	nshapes;
static int	nused;
static int	hand;				/* where the search for a victim goes on */
static uint64 uses;
static uint64 evictions;
static MSShape *others;
static MSShape *latest;			/* that was asked for, or NULL */

void
ms_shapes_attach(char *memory, Size size)
{
	char	   *end = memory + size;

	ms_shape_cache_attach(memory);
	memory += ms_shape_cache_size();
	others = (MSShape *) memory;
	memory += MAXALIGN(sizeof(MSShape));

	nshapes = (end - memory) / (sizeof(MSShape) + 2 * sizeof(int));
	for (nbuckets = 1; nbuckets * 2 <= nshapes; nbuckets *= 2)
		 /* the power of 2 that fits */ ;
	buckets = (int *) memory;
	shapes = (MSShape *) (memory + MAXALIGN(sizeof(int) * nbuckets));
	nshapes = (end - (char *) shapes) / sizeof(MSShape);
}

static void
clear_shape(MSShape *shape)
{
	memset(shape, 0, offsetof(MSShape, histogram));
	shape->run = -1;
	shape->label = -1;
	ms_histogram_init(&shape->histogram);
}

void
ms_shapes_reset(void)
{
	int			i;

	ms_shape_cache_reset();
	for (i = 0; i < nbuckets; i++)
		buckets[i] = -1;
	nused = 0;
	hand = 0;
	uses = 0;
	latest = NULL;
	clear_shape(others);
	others->text_len = strlen("(others)");
	memcpy(others->text, "(others)", others->text_len);
}

bool
ms_shape_is_others(const MSShape *shape)
{
	return shape == others;
}

static inline int *
bucket_of(uint64 hash, Oid userid)
{
	return &buckets[(hash ^ userid) & (nbuckets - 1)];
}

static inline bool
is_shape(const MSShape *shape, uint64 hash, Oid userid, bool toplevel)
{
	return shape->hash == hash && shape->userid == userid &&
		shape->toplevel == toplevel;
}

static inline MSShape *
find_shape(uint64 hash, Oid userid, bool toplevel)
{
	int			i;

	for (i = *bucket_of(hash, userid); i >= 0; i = shapes[i].next)
		if (is_shape(&shapes[i], hash, userid, toplevel))
			return &shapes[i];
	return NULL;
}

MSShape *
ms_shapes_find(uint64 hash, Oid userid, bool toplevel)
{
	return find_shape(hash, userid, toplevel);
}

static void
add_usage(MSShape *into, const MSShape *from)
{
	into->calls += from->calls;
	into->errors += from->errors;
	into->rows += from->rows;
	into->slow += from->slow;
	ms_usage_add(&into->usage, &from->usage);
	ms_histogram_merge(&into->histogram, &from->histogram);
}

static void
unlink_shape(MSShape *shape)
{
	int		   *link = bucket_of(shape->hash, shape->userid);
	int			index = shape - shapes;

	while (*link != index)
		link = &shapes[*link].next;
	*link = shape->next;
}

/* what a budget asks for stays as long as it can */
static inline int
rank(const MSShape *shape)
{
	return shape->section != ms_profile.section ? 0 :
		shape->unit != ms_profile.unit ? 1 : 2;
}

static inline bool
goes_before(const MSShape *a, const MSShape *b)
{
	int			ranks = rank(a) - rank(b);

	if (ranks != 0)
		return ranks < 0;
	return a->calls < b->calls ||
		(a->calls == b->calls && a->last_used < b->last_used);
}

/*
 * The least used of a few, of an earlier section if there is one: its numbers
 * go to the others.
 */
static MSShape *
evict_shape(void)
{
	MSShape    *victim = NULL;
	int			i;

	for (i = 0; i < EVICT_LOOKS; i++)
	{
		MSShape    *shape = &shapes[hand];

		hand = (hand + 1) % nshapes;
		if (victim == NULL || goes_before(shape, victim))
			victim = shape;
	}
	evictions++;
	if (victim->section == ms_profile.section && victim->toplevel)
		ms_profile.in_section.lost_shapes++;
	if (victim->unit == ms_profile.unit)
		ms_profile.in_section.lost[MS_STRONG] = PG_INT64_MAX;	/* or its source */
	add_usage(others, victim);
	unlink_shape(victim);
	return victim;
}

/* does that a row is there that is referred to, or that none refers to one */
static bool
is_fk_check(const char *text, int len)
{
	static const char check[] = "SELECT 1 FROM ONLY \"";
	static const char locks[] = " FOR KEY SHARE OF x";

	if (ms_is_fk_check(text))
		return true;
	return len > sizeof(check) + sizeof(locks) &&
		memcmp(text, check, strlen(check)) == 0 &&
		memcmp(text + len - strlen(locks), locks, strlen(locks)) == 0;
}

static pg_noinline MSShape *
new_shape(MSStatement *s)
{
	MSShape    *shape = nused < nshapes ? &shapes[nused++] : evict_shape();
	int		   *bucket = bucket_of(s->shape, s->userid);
	uint64		literals;

	clear_shape(shape);
	shape->hash = s->shape;
	shape->userid = s->userid;
	shape->toplevel = s->level == 0;
	shape->section = ms_profile.section;
	shape->next = *bucket;
	*bucket = shape - shapes;
	ms_shape(s->shape_text ? s->shape_text : s->text,
			 s->shape_text ? s->shape_len : s->len,
			 shape->text, MS_SHAPE_TEXT, &literals);
	shape->text_len = strlen(shape->text);
	shape->words = ms_shape_words(s->shape_text ? s->shape_text : s->text,
								  s->shape_text ? s->shape_len : s->len);
	shape->fk_check = s->level > 0 && is_fk_check(s->text, s->len);
	shape->operation = s->operation;
	shape->nrelations = -1;
	return shape;
}

/*
 * A shape whose plans do not all read the same tables, as of another
 * search_path, or of another partition: which ones all do, of those kept
 */
static pg_noinline void
add_relations(MSShape *shape, const List *relations)
{
	ListCell   *lc;

	shape->mixed = true;
	for (int i = 0; i < Min(shape->nrelations, MS_SHAPE_RELATIONS); i++)
		if (!list_member_oid(relations, shape->relations[i]))
			shape->not_always |= 1 << i;
	foreach(lc, relations)
	{
		int			n = shape->nrelations;
		int			i;

		for (i = 0; i < Min(n, MS_SHAPE_RELATIONS); i++)
			if (shape->relations[i] == lfirst_oid(lc))
				break;
		if (i < Min(n, MS_SHAPE_RELATIONS))
			continue;
		shape->nrelations = Max(n, i + 1);
		if (i == MS_SHAPE_RELATIONS)
			break;
		shape->relations[i] = lfirst_oid(lc);
		shape->not_always |= 1 << i;
	}
}

static inline bool
reads_the_same(const MSShape *shape, const List *relations)
{
	int			n = list_length(relations);

	if (n != shape->nrelations)
		return false;
	for (int i = 0; i < Min(n, MS_SHAPE_RELATIONS); i++)
		if (list_nth_oid(relations, i) != shape->relations[i])
			return false;
	return true;
}

pg_noinline void
ms_shapes_plan(MSStatement *s)
{
	MSShape    *shape = s->entry;
	ListCell   *lc;

	if (shape->hash != s->shape)
		return;
	if (shape->mixed && shape->section != ms_profile.section)
		shape->nrelations = -1;
	if (shape->nrelations >= 0)
	{
		if (!reads_the_same(shape, s->relations))
			add_relations(shape, s->relations);
		return;
	}
	shape->operation = s->operation;
	shape->mixed = false;
	shape->not_always = 0;
	shape->nrelations = list_length(s->relations);
	foreach(lc, s->relations)
	{
		if (foreach_current_index(lc) == MS_SHAPE_RELATIONS)
			break;
		shape->relations[foreach_current_index(lc)] = lfirst_oid(lc);
	}
}

void
ms_shapes_open(MSStatement *s)
{
	s->params = ms_hash_combine(s->params, s->literals);
	if (latest == NULL || !is_shape(latest, s->shape, s->userid, s->level == 0))
	{
		latest = find_shape(s->shape, s->userid, s->level == 0);
		if (latest == NULL)
			latest = new_shape(s);
	}
	s->entry = latest;
	s->entry->last_used = ++uses;
	s->evictions = evictions;
	if (s->kind == MS_QUERY && unlikely(!reads_the_same(s->entry, s->relations)))
		ms_shapes_plan(s);
}

MSShape *
ms_shapes_add(MSStatement *s, MSStatus status)
{
	MSShape    *shape = s->entry;

	/* it may have lost its place meanwhile */
	if (unlikely(evictions != s->evictions) &&
		!is_shape(shape, s->shape, s->userid, s->level == 0))
	{
		shape = others;
		ms_profile.in_section.lost_shapes++;
	}
	if (shape->queryid == 0)
		shape->queryid = s->queryid;
	shape->class = s->class;
	shape->tag = s->tag;
	if (shape->section != ms_profile.section)
	{
		shape->section = ms_profile.section;
		shape->section_calls = 0;
	}
	shape->section_calls++;
	shape->calls++;
	if (status == MS_ERROR)
		shape->errors++;
	shape->rows += s->rows;
	ms_usage_add(&shape->usage, &s->usage);
	if (s->executed)
		ms_histogram_add(&shape->histogram, s->exec_ns);
	return shape;
}

/* (others) comes last */
MSShape *
ms_shapes_next(int *position)
{
	while (*position < nused)
	{
		MSShape    *shape = &shapes[(*position)++];

		if (shape->calls > 0)
			return shape;
	}
	if (*position == nused)
	{
		(*position)++;
		if (others->calls > 0)
			return others;
	}
	return NULL;
}
