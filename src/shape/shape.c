/*-------------------------------------------------------------------------
 *
 * shape.c
 *	  A statement's shape: its text with the constants taken out, so that
 *	  the calls of one place in an application count as one statement.
 *
 * - A constant becomes ?: numbers, strings of every kind, dollar quotes, $n,
 *	 the words true, false and null, and a sign that belongs to one.  The
 *	 three words stay where they are syntax: after IS, NOT, SET, ON and AS.
 *	 DEFAULT is one in a row of VALUES.
 * - What normalises to the same text as the one before it is dropped: an item
 *	 of an IN list or ARRAY[...], a row of VALUES, a WHEN of a CASE, a SELECT
 *	 of a UNION ALL, an alternative of an OR.  So IN (1, 2, 3) becomes in (?),
 *	 and a thousand rows of VALUES one.
 * - The names of savepoints, cursors and prepared statements in the commands
 *	 that make, use and end them are constants, for drivers invent a new one
 *	 each time; so are those that CREATE TEMP gives, and any in pg_temp.
 * - Comments go; blanks are put back by rule, so that a=1 is a = 1; words fold
 *	 to lower case in ASCII; quoted identifiers and operators stay as they are;
 *	 a semicolon stays only between two statements.
 *
 * One pass over the tokens (shape_lex.c), whatever they are; what is left open
 * at the end of the text ends there.  The shape of a shape is itself, hash
 * included: the ? of the output reads as a constant again, which is why a lone
 * ? in the input, the operator of jsonb, does as well.
 *
 * Dropping takes back what was written: state is saved before each item and
 * before a run of signs.  The hash over the tokens is therefore kept in parts:
 * an item has one of its own, which is compared with its predecessor's and
 * then mixed into that of the text around it.  Where an item begins and ends
 * is told by a few words; where that is missed, nothing is dropped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "shape/shape.h"
#include "shape/shape_internal.h"

/* lists are looked for in so many levels of brackets */
#define MAX_LEVELS		32

#define BIT(kind)		MST_BIT(kind)

/* what follows the index without a blank */
#define TIGHT_ANY		(BIT(MST_CLOSE) | BIT(MST_COMMA) | \
						 BIT(MST_SEMICOLON) | BIT(MST_DOT))
#define TIGHT_OPERAND	(TIGHT_ANY | BIT(MST_CAST) | BIT(MST_SUBSCRIPT))

static const int tight_after[] = {
	[MST_START] = ~0,
	[MST_WORD] = TIGHT_OPERAND | BIT(MST_OPEN),
	[MST_KEYWORD] = TIGHT_OPERAND,
	[MST_NAME] = TIGHT_OPERAND,
	[MST_CONST] = TIGHT_OPERAND,
	[MST_OPERATOR] = TIGHT_ANY,
	[MST_SIGN] = TIGHT_ANY,
	[MST_OPEN] = ~0,
	[MST_SUBSCRIPT] = ~0,
	[MST_CLOSE] = TIGHT_OPERAND,
	[MST_COMMA] = TIGHT_ANY,
	[MST_SEMICOLON] = TIGHT_ANY,
	/* without a blank these would read as one token */
	[MST_DOT] = ~BIT(MST_DOT),
	[MST_CAST] = ~(BIT(MST_OPERATOR) | BIT(MST_SIGN) | BIT(MST_CAST))
};

/* at a level of brackets, or of CASE ... END */
typedef enum
{
	LIST_NONE,
	LIST_ITEMS,					/* in an item of IN (...) or ARRAY[...] */
	LIST_ROW,					/* at the start of or in a row of VALUES */
	LIST_ROW_DONE,				/* after one */
	LIST_CASE					/* between CASE and END */
} ListState;

/* items, each of which is dropped if it is its predecessor again */
typedef struct ShapeItems
{
	bool		active;			/* in an item */
	bool		have_last;
	uint64		last_hash;		/* of the last item kept */
	uint64		outer_hash;		/* of the text around the item */
	size_t		mark_off;		/* before what separates it from the last */
	uint64		mark_hash;
} ShapeItems;

/* from the outside in: an alternative is in a SELECT, which is in an item */
typedef struct ShapeLevel
{
	ListState	list;
	bool		all;			/* the SELECT comes after UNION ALL */
	bool		both;			/* a condition began where it did */
	ShapeItems	items;			/* of the list; the WHENs of a CASE */
	ShapeItems	selects;		/* of a UNION ALL */
	ShapeItems	ors;			/* alternatives of a condition */
} ShapeLevel;

typedef struct ShapeState
{
	MSLexer		lex;			/* what is read */

	/* the token before it */
	MSTokenKind prev;
	MSWordClass prev_word;

	/* what is written; off goes on where buf is full */
	char	   *buf;
	size_t		room;
	size_t		off;
	uint64		hash;
	uint64		params;

	/* before a run of signs, while prev is MST_SIGN */
	size_t		sign_off;
	uint64		sign_hash;
	MSTokenKind sign_prev;
	uint64		sign_params;

	bool		semicolon;		/* read, not yet written */
	bool		begin;			/* at the start of a statement */
	bool		condition;		/* one begins with the next token */
	bool		united;			/* UNION, of which ALL may follow */
	bool		temporary;		/* CREATE TEMP, of which a name will follow */
	MSWordClass verb;			/* the statement's first word */

	int			depth;
	int64		excess;			/* levels beyond MAX_LEVELS */
	ShapeLevel	levels[MAX_LEVELS];
} ShapeState;

#define ITEM_SEED		UINT64CONST(0x6D697373696E675F)

static uint64
hash_bytes_of(const unsigned char *p, size_t len)
{
	uint64		h = len;
	uint64		v;

	for (; len >= 8; p += 8, len -= 8)
	{
		memcpy(&v, p, 8);
		h = ms_hash_mix(h, v);
	}
	for (v = 0; len > 0; len--)
		v = v << 8 | *p++;
	return ms_hash_mix(h, v);
}

/*
 * Writing.
 */
static inline void
put_char(ShapeState *s, char c)
{
	if (s->off < s->room)
		s->buf[s->off] = c;
	s->off++;
}

static inline void
put_blank(ShapeState *s, MSTokenKind kind)
{
	if (!(tight_after[s->prev] & BIT(kind)))
		put_char(s, ' ');
	s->prev = kind;
}

/* the token just read as it is */
static void
put_token(ShapeState *s, MSTokenKind kind)
{
	size_t		len = s->lex.pos - s->lex.start;

	put_blank(s, kind);
	if (s->off < s->room)
		memcpy(s->buf + s->off, s->lex.start, Min(len, s->room - s->off));
	s->off += len;
	s->hash = ms_hash_mix(s->hash, hash_bytes_of(s->lex.start, len));
}

/* something of one character for it */
static inline void
put_one(ShapeState *s, MSTokenKind kind, char c)
{
	put_blank(s, kind);
	put_char(s, c);
	s->hash = ms_hash_mix(s->hash, c);
}

/* a word, folded to lower case */
static void
put_word(ShapeState *s, MSTokenKind kind)
{
	const unsigned char *p = s->lex.start;
	size_t		len = s->lex.pos - p;
	uint64		letters;

	put_blank(s, kind);
	s->hash = ms_hash_mix(s->hash, s->lex.hash);
	s->off += len;
	if (s->off + 8 <= s->room)
	{
		char	   *to = s->buf + s->off - len;

		/* eight at a time; what is written too much is overwritten */
		letters = pg_ntoh64(s->lex.head);
		memcpy(to, &letters, 8);
		for (size_t i = 8; i < len; i += 8)
		{
			letters = ms_fold_letters(p + i, Min(len - i, 8), s->lex.end);
			letters = pg_ntoh64(letters);
			memcpy(to + i, &letters, 8);
		}
	}
	else
	{
		for (size_t at = s->off - len; at < Min(s->off, s->room); at++, p++)
			s->buf[at] = *p + (*p >= 'A' && *p <= 'Z' ? 'a' - 'A' : 0);
	}
}

/*
 * Items.
 */
static void
begin_item(ShapeState *s, ShapeItems *items)
{
	items->active = true;
	items->outer_hash = s->hash;
	s->hash = ITEM_SEED;
}

/* the first of its kind */
static void
begin_items(ShapeState *s, ShapeItems *items)
{
	items->have_last = false;
	begin_item(s, items);
}

/* before what separates two */
static void
mark_item(ShapeState *s, ShapeItems *items)
{
	items->mark_off = s->off;
	items->mark_hash = s->hash;
}

/* it is none after all, or is cut short */
static void
leave_item(ShapeState *s, ShapeItems *items)
{
	if (items->active)
		s->hash = ms_hash_mix(items->outer_hash, s->hash);
	items->active = false;
}

/* one is complete: take it back if it is its predecessor again, not empty */
static void
end_item(ShapeState *s, ShapeItems *items)
{
	if (!items->active)
		return;
	items->active = false;
	if (items->have_last && items->last_hash == s->hash &&
		s->hash != ITEM_SEED)
	{
		s->off = items->mark_off;
		s->hash = items->mark_hash;
		return;
	}
	items->have_last = true;
	items->last_hash = s->hash;
	s->hash = ms_hash_mix(items->outer_hash, s->hash);
}

/* a SELECT, with what is open in it: only UNION ALL makes no difference */
static void
end_select(ShapeState *s, ShapeLevel *level)
{
	end_item(s, &level->ors);
	if (!level->selects.active)
		return;
	level->selects.have_last &= level->all;
	end_item(s, &level->selects);
	level->selects.have_last = level->all;
}

static void
leave_list(ShapeState *s, ShapeLevel *level)
{
	end_select(s, level);
	leave_item(s, &level->items);
	level->list = LIST_NONE;
}

/* a level ends */
static void
end_list(ShapeState *s, ShapeLevel *level)
{
	end_select(s, level);
	if (level->list == LIST_ITEMS || level->list == LIST_CASE)
		end_item(s, &level->items);
	leave_list(s, level);
}

static ShapeLevel *
open_level(ShapeState *s, ListState list)
{
	ShapeLevel *level = &s->levels[++s->depth];

	level->list = list;
	level->items.active = false;
	level->items.have_last = false;
	level->selects.active = false;
	level->ors.active = false;
	return level;
}

/* before a token is written: does the list of its level go on? */
static void
check_list(ShapeState *s, ShapeLevel *level, MSTokenKind kind)
{
	switch (level->list)
	{
		case LIST_NONE:
		case LIST_CASE:
			break;
		case LIST_ITEMS:
			/* a subquery's commas separate columns */
			if (s->lex.word == MSW_SELECT || s->lex.word == MSW_WITH ||
				s->lex.word == MSW_VALUES)
				leave_list(s, level);
			break;
		case LIST_ROW:
			if (kind != MST_OPEN)
				leave_list(s, level);
			break;
		case LIST_ROW_DONE:
			if (kind != MST_COMMA)
				leave_list(s, level);
			break;
	}
}

/* before a token is written: what does it begin? */
static void
check_begins(ShapeState *s, ShapeLevel *level, MSTokenKind kind, bool begin)
{
	bool		query = s->lex.word == MSW_SELECT ||
		(kind == MST_OPEN && (begin || s->prev == MST_OPEN));

	if (s->united)
	{
		if (s->lex.word == MSW_ALL)
		{
			level->all = s->prev_word == MSW_UNION;
			return;
		}
		s->united = false;
		begin_item(s, &level->selects);
		s->condition = level->both;
	}
	else if (query && level->list == LIST_NONE && !level->selects.active)
	{
		level->all = true;
		level->both = s->condition;
		begin_items(s, &level->selects);
	}
	if (s->condition)
	{
		s->condition = false;
		if (!level->ors.active && kind != MST_CLOSE &&
			s->lex.word != MSW_SELECT && s->lex.word != MSW_WITH &&
			s->lex.word != MSW_VALUES)
			begin_items(s, &level->ors);
	}
}

static void
put_comma(ShapeState *s, ShapeLevel *level)
{
	if (level != NULL)
		end_item(s, &level->ors);
	if (level == NULL || level->list == LIST_NONE || level->list == LIST_CASE)
	{
		put_one(s, MST_COMMA, ',');
		return;
	}

	end_item(s, &level->items);
	if (level->list == LIST_ROW_DONE)
		level->list = LIST_ROW;
	mark_item(s, &level->items);
	put_one(s, MST_COMMA, ',');
	begin_item(s, &level->items);
	s->condition = level->list == LIST_ITEMS;
}

static void
put_open(ShapeState *s, ShapeLevel *level, MSTokenKind kind)
{
	bool		items;

	if (kind == MST_OPEN)
		items = s->prev_word == MSW_IN;
	else
		items = s->prev_word == MSW_ARRAY ||
			(level != NULL && level->list == LIST_ITEMS &&
			 (s->prev == MST_SUBSCRIPT || s->prev == MST_COMMA));

	/* arguments of a function are no condition */
	s->condition = items ||
		(kind == MST_OPEN && !(MST_BIT(s->prev) & MST_OPERANDS));
	put_one(s, kind, *s->lex.start);
	if (level == NULL || s->depth == MAX_LEVELS - 1)
	{
		s->excess++;
		return;
	}

	level = open_level(s, items ? LIST_ITEMS : LIST_NONE);
	if (items)
		begin_items(s, &level->items);
}

static void
put_close(ShapeState *s, ShapeLevel *level)
{
	s->condition = false;
	if (level == NULL)
		s->excess--;
	else
	{
		/* a CASE may be left open */
		while (level->list == LIST_CASE)
		{
			end_list(s, level);
			level = &s->levels[--s->depth];
		}
		if (s->depth > 0)
		{
			end_list(s, level);
			level = &s->levels[--s->depth];
		}
	}
	put_one(s, MST_CLOSE, *s->lex.start);

	if (level != NULL && level->list == LIST_ROW)
	{
		end_item(s, &level->items);
		level->list = LIST_ROW_DONE;
	}
}

/* a word that may end what is under way at its level, or begin something */
static void
put_word_at(ShapeState *s, ShapeLevel *level, MSTokenKind kind)
{
	bool		active = level->ors.active;

	switch (s->lex.word)
	{
		case MSW_OR:
			end_item(s, &level->ors);
			mark_item(s, &level->ors);
			put_word(s, kind);
			if (active)
				begin_item(s, &level->ors);
			else
				begin_items(s, &level->ors);
			return;
		case MSW_WHERE:
		case MSW_ON:
			end_item(s, &level->ors);
			s->condition = true;
			break;
		case MSW_CLAUSE:
			end_item(s, &level->ors);
			break;
		case MSW_TAIL:
			end_select(s, level);
			break;
		case MSW_UNION:
		case MSW_EXCEPT:
			s->united = level->selects.active;
			end_select(s, level);
			mark_item(s, &level->selects);
			level->all = false;
			break;
		case MSW_VALUES:
			end_select(s, level);
			put_word(s, kind);
			if (level->list == LIST_NONE)
			{
				level->list = LIST_ROW;
				begin_items(s, &level->items);
			}
			return;
		case MSW_CASE:
			put_word(s, kind);
			if (s->depth < MAX_LEVELS - 1)
				(void) open_level(s, LIST_CASE);
			return;
		case MSW_WHEN:
		case MSW_ELSE:
			if (level->list != LIST_CASE)
				break;
			end_select(s, level);
			end_item(s, &level->items);
			if (s->lex.word == MSW_ELSE)
				break;
			mark_item(s, &level->items);
			begin_item(s, &level->items);
			s->condition = true;
			break;
		case MSW_END:
			if (level->list != LIST_CASE)
				break;
			end_list(s, level);
			s->depth--;
			break;
		default:
			break;
	}
	put_word(s, kind);
}

/* the end of a statement, with what it left open */
static void
end_statement(ShapeState *s)
{
	for (; s->depth >= 0; s->depth--)
		end_list(s, &s->levels[s->depth]);
	s->excess = 0;
	s->condition = false;
	s->united = false;
	s->temporary = false;
	s->depth = -1;
	open_level(s, LIST_NONE);
}

/* is this word or quoted identifier the name of something short-lived? */
static bool
is_session_name(ShapeState *s)
{
	MSWordClass word = s->lex.word;

	if (s->prev_word == MSW_OF || s->prev_word == MSW_PG_TEMP)
		return true;			/* WHERE CURRENT OF c; pg_temp.t */
	if (word == MSW_SAVEPOINT || word == MSW_PREPARE || word == MSW_ALL)
		return false;

	switch (s->verb)
	{
		case MSW_SAVEPOINT:
		case MSW_RELEASE:
			return s->prev_word == s->verb || s->prev_word == MSW_SAVEPOINT;
		case MSW_ROLLBACK:
			return s->prev_word == MSW_TO || s->prev_word == MSW_SAVEPOINT;
		case MSW_NAMES:
			return s->prev_word == MSW_NAMES || s->prev_word == MSW_PREPARE;
		case MSW_PREPARE:
			return s->prev_word == MSW_PREPARE && word != MSW_TRANSACTION;
		case MSW_FETCH:
			return word != MSW_DIRECTION && word != MSW_FROM && word != MSW_IN;
		case MSW_CREATE:
			if (word == MSW_TEMP)
				s->temporary = true;
			else if (s->temporary && word != MSW_MAKES && word != MSW_KEEPS &&
					 word != MSW_EXISTS)
			{
				s->temporary = false;
				return true;
			}
			return false;
		default:
			return false;
	}
}

static void
put_constant(ShapeState *s)
{
	if (s->prev == MST_SIGN)
	{
		s->off = s->sign_off;
		s->hash = s->sign_hash;
		s->prev = s->sign_prev;
		s->params = ms_hash_mix(s->params, s->sign_params);
	}
	s->params = ms_hash_mix(s->params,
							hash_bytes_of(s->lex.start,
										  s->lex.pos - s->lex.start));
	put_one(s, MST_CONST, '?');
}

static void
put_sign(ShapeState *s)
{
	if (s->prev != MST_SIGN)
	{
		s->sign_off = s->off;
		s->sign_hash = s->hash;
		s->sign_prev = s->prev;
		s->sign_params = 0;
	}
	s->sign_params = ms_hash_mix(s->sign_params, *s->lex.start);
	put_one(s, MST_SIGN, *s->lex.start);
}

/* DEFAULT, of which a row of VALUES may have any number */
static bool
is_row_default(ShapeState *s)
{
	return s->lex.word == MSW_DEFAULT && s->depth > 0 && s->excess == 0 &&
		s->levels[s->depth - 1].list == LIST_ROW &&
		(s->prev == MST_OPEN || s->prev == MST_COMMA);
}

/* the kind of the token just read, where that depends on the statement */
static MSTokenKind
kind_in_statement(ShapeState *s)
{
	MSTokenKind kind = s->lex.kind;

	if (s->begin)
	{
		s->verb = s->lex.word;
		return kind;
	}
	if (kind == MST_DOT && s->prev_word == MSW_PG_TEMP)
		s->lex.word = MSW_PG_TEMP;	/* of what follows */
	if (kind != MST_WORD && kind != MST_KEYWORD && kind != MST_NAME)
	{
		s->temporary = false;
		return kind;
	}
	if (s->lex.word == MSW_OF && s->prev_word != MSW_CURRENT)
		s->lex.word = MSW_PLAIN;
	if ((s->lex.word == MSW_CONSTANT && s->prev_word != MSW_KEEPS &&
		 s->prev_word != MSW_AS && s->prev_word != MSW_ON) ||
		is_session_name(s) || is_row_default(s))
	{
		s->lex.word = MSW_PLAIN;
		return MST_CONST;
	}
	return kind;
}

static void
put(ShapeState *s)
{
	ShapeLevel *level;
	MSTokenKind kind;
	bool		begin;

	if (s->lex.kind == MST_SEMICOLON)
	{
		end_statement(s);
		if (s->prev != MST_START)
		{
			s->semicolon = true;
			s->prev = MST_SEMICOLON;
		}
		return;
	}
	if (s->semicolon)
	{
		put_one(s, MST_SEMICOLON, ';');
		s->semicolon = false;
		s->begin = true;
		s->prev_word = MSW_PLAIN;
	}

	kind = kind_in_statement(s);
	begin = s->begin;
	s->begin = false;
	level = s->excess > 0 ? NULL : &s->levels[s->depth];
	if (level != NULL)
	{
		check_list(s, level, kind);
		check_begins(s, level, kind, begin);
	}

	switch (kind)
	{
		case MST_CONST:
			put_constant(s);
			break;
		case MST_SIGN:
			put_sign(s);
			break;
		case MST_COMMA:
			put_comma(s, level);
			break;
		case MST_OPEN:
		case MST_SUBSCRIPT:
			put_open(s, level, kind);
			break;
		case MST_CLOSE:
			put_close(s, level);
			break;
		case MST_WORD:
		case MST_KEYWORD:
			if (level != NULL && s->lex.word > MSW_ALL)
				put_word_at(s, level, kind);
			else
				put_word(s, kind);
			break;
		default:
			put_token(s, kind);
			break;
	}
	s->prev_word = s->lex.word;
}

uint64
ms_shape(const char *text, int len, char *buf, int bufsize,
		 uint64 *params_hash)
{
	ShapeState	s;
	int			n;

	Assert(len >= 0 && bufsize > 0);

	s.lex.pos = (const unsigned char *) text;
	s.lex.end = s.lex.pos + strnlen(text, len);
	s.prev = MST_START;
	s.prev_word = MSW_PLAIN;
	s.buf = buf;
	s.room = bufsize - 1;
	s.off = 0;
	s.hash = 0;
	s.params = 0;
	s.semicolon = false;
	s.begin = true;
	s.condition = false;
	s.united = false;
	s.temporary = false;
	s.verb = MSW_PLAIN;
	s.depth = -1;
	s.excess = 0;
	(void) open_level(&s, LIST_NONE);

	while (ms_lex(&s.lex, s.prev))
		put(&s);
	end_statement(&s);

	n = (int) Min(s.off, s.room);
	if (s.off > s.room)
		n = pg_mbcliplen(buf, n, n);
	buf[n] = '\0';
	*params_hash = s.params;
	return s.hash;
}
