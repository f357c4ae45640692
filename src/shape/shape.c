/*-------------------------------------------------------------------------
 *
 * shape.c
 *	  A statement's shape: its text with the constants taken out, so that
 *	  the calls of one place in an application count as one statement.
 *
 * - A constant becomes ?: numbers, strings of every kind, dollar quotes, $n,
 *	 the words true, false and null, and a sign that belongs to one.  The
 *	 three words stay where they are syntax: after IS, NOT, SET, ON and AS.
 * - An item of an IN list or ARRAY[...], or a row of VALUES, that normalises
 *	 to the same text as the item before it is dropped: IN (1, 2, 3) becomes
 *	 in (?), and a thousand rows of VALUES one.
 * - The names of savepoints, cursors and prepared statements in the commands
 *	 that make and end them are constants: drivers invent a new one each time.
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
 * then mixed into that of the text around it.
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

/* at a level of brackets */
typedef enum
{
	LIST_NONE,
	LIST_ITEMS,					/* in an item of IN (...) or ARRAY[...] */
	LIST_ROW,					/* at the start of or in a row of VALUES */
	LIST_ROW_DONE				/* after one */
} ListState;

typedef struct ShapeLevel
{
	ListState	list;
	bool		have_last;
	uint64		last_hash;		/* of the last item kept */
	uint64		outer_hash;		/* of the text around the item */
	size_t		mark_off;		/* before the comma before the item */
	uint64		mark_hash;
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
	MSWordClass verb;			/* its first word */

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
 * Lists.
 */
static void
begin_item(ShapeState *s, ShapeLevel *level)
{
	level->outer_hash = s->hash;
	s->hash = ITEM_SEED;
}

static void
open_list(ShapeState *s, ShapeLevel *level, ListState list)
{
	level->list = list;
	level->have_last = false;
	begin_item(s, level);
}

/* an item is complete: take it back if it is its predecessor again */
static void
end_item(ShapeState *s, ShapeLevel *level)
{
	if (level->have_last && level->last_hash == s->hash)
	{
		s->off = level->mark_off;
		s->hash = level->mark_hash;
		return;
	}
	level->have_last = true;
	level->last_hash = s->hash;
	s->hash = ms_hash_mix(level->outer_hash, s->hash);
}

/* it was no list after all, or is cut short */
static void
leave_list(ShapeState *s, ShapeLevel *level)
{
	if (level->list == LIST_ITEMS || level->list == LIST_ROW)
		s->hash = ms_hash_mix(level->outer_hash, s->hash);
	level->list = LIST_NONE;
}

/* before a token is written: does the list of its level go on? */
static void
check_list(ShapeState *s, ShapeLevel *level, MSTokenKind kind)
{
	switch (level->list)
	{
		case LIST_NONE:
			break;
		case LIST_ITEMS:
			/* a subquery's commas separate columns */
			if (s->lex.word == MSW_SELECT || s->lex.word == MSW_VALUES)
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

static void
put_comma(ShapeState *s, ShapeLevel *level)
{
	if (level == NULL || level->list == LIST_NONE)
	{
		put_one(s, MST_COMMA, ',');
		return;
	}

	if (level->list == LIST_ITEMS)
		end_item(s, level);
	else
		level->list = LIST_ROW;
	level->mark_off = s->off;
	level->mark_hash = s->hash;
	put_one(s, MST_COMMA, ',');
	begin_item(s, level);
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

	put_one(s, kind, *s->lex.start);
	if (level == NULL || s->depth == MAX_LEVELS - 1)
	{
		s->excess++;
		return;
	}

	level = &s->levels[++s->depth];
	level->list = LIST_NONE;
	if (items)
		open_list(s, level, LIST_ITEMS);
}

static void
put_close(ShapeState *s, ShapeLevel *level)
{
	if (level == NULL)
		s->excess--;
	else if (s->depth > 0)
	{
		if (level->list == LIST_ITEMS)
			end_item(s, level);
		else
			leave_list(s, level);
		level = &s->levels[--s->depth];
	}
	put_one(s, MST_CLOSE, *s->lex.start);

	if (level != NULL && level->list == LIST_ROW)
	{
		end_item(s, level);
		level->list = LIST_ROW_DONE;
	}
}

/* the end of a statement, with what it left open */
static void
end_statement(ShapeState *s)
{
	for (; s->depth >= 0; s->depth--)
	{
		ShapeLevel *level = &s->levels[s->depth];

		if (level->list == LIST_ITEMS)
			end_item(s, level);
		else
			leave_list(s, level);
	}
	s->depth = 0;
	s->excess = 0;
	s->levels[0].list = LIST_NONE;
}

/* is this word or quoted identifier the name of something short-lived? */
static bool
is_session_name(ShapeState *s)
{
	if (s->lex.word == MSW_SAVEPOINT || s->lex.word == MSW_PREPARE ||
		s->lex.word == MSW_ALL)
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
		case MSW_FETCH:
			return s->prev_word == MSW_FROM || s->prev_word == MSW_IN;
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

/* the kind of the token just read, where that depends on the statement */
static MSTokenKind
kind_in_statement(ShapeState *s)
{
	MSTokenKind kind = s->lex.kind;

	if (s->begin)
	{
		s->begin = false;
		s->verb = s->lex.word;
		return kind;
	}
	if (kind != MST_WORD && kind != MST_KEYWORD && kind != MST_NAME)
		return kind;
	if ((s->lex.word == MSW_CONSTANT && s->prev_word != MSW_KEEPS) ||
		(s->verb != MSW_PLAIN && is_session_name(s)))
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
	level = s->excess > 0 ? NULL : &s->levels[s->depth];
	if (level != NULL && level->list != LIST_NONE)
		check_list(s, level, kind);

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
			put_word(s, kind);
			if (s->lex.word == MSW_VALUES && level != NULL)
				open_list(s, level, LIST_ROW);
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
	s.verb = MSW_PLAIN;
	s.depth = 0;
	s.excess = 0;
	s.levels[0].list = LIST_NONE;

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
