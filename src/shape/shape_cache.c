/*-------------------------------------------------------------------------
 *
 * shape_cache.c
 *	  The shapes of the last few texts, so that the lexer is spared.
 *
 * A session sends the same few statements again and again: the same bytes,
 * or the same but for its constants.  A text that differs from a known one in
 * nothing but whole numbers and strings has its shape; to see that takes a
 * comparison of what lies between them, an eighth of the lexer's work.
 *
 * That is so only for plain texts: no backslash, comment or dollar quote,
 * where a quote or a digit may be something else.  The hash of a plain
 * text's constants is that of its bytes, and the lexer's for the others;
 * within a shape, both tell the same constants from different ones.
 *
 * Direct-mapped by the beginning of the text.  Nothing allocates or fails.
 * A text sent twice in a row does not come here, see profile/statement.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "common/hashfn.h"

#include "shape/shape.h"

#define KNOWN_TEXTS		32
#define KNOWN_TEXT_MAX	1000
#define CONSTANTS_MAX	24

typedef struct KnownText
{
	int			len;			/* 0: unused */
	bool		plain;			/* and its constants are known */
	int			nconstants;
	struct
	{
		int16		start;
		int16		end;
	}			constants[CONSTANTS_MAX];
	uint64		shape;
	uint64		literals;
	char		text[KNOWN_TEXT_MAX];
} KnownText;

static KnownText *known;

Size
ms_shape_cache_size(void)
{
	return MAXALIGN(sizeof(KnownText) * KNOWN_TEXTS);
}

void
ms_shape_cache_attach(char *memory)
{
	known = (KnownText *) memory;
}

void
ms_shape_cache_reset(void)
{
	int			i;

	for (i = 0; i < KNOWN_TEXTS; i++)
		known[i].len = 0;
}

static bool
is_plain(const char *text, int len)
{
	const char *end = text + len;

	for (; text < end; text++)
	{
		char		next = text + 1 < end ? text[1] : '\0';

		if (*text == '\\' || *text == '\0' ||
			(*text == '-' && next == '-') ||
			(*text == '/' && next == '*') ||
			(*text == '$' && !(next >= '0' && next <= '9')))
			return false;
	}
	return true;
}

static inline bool
is_digit(char c)
{
	return (unsigned char) (c - '0') < 10;
}

/* may it be part of a word, or of a number that is more than digits? */
static inline bool
is_word(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '.' || c == '$' ||
		IS_HIGHBIT_SET(c);
}

/*
 * Find the constants of a plain text: whole numbers that are no part of a
 * word or decimal, and strings.  False if there are too many.
 */
static bool
find_constants(KnownText *k)
{
	const char *end = k->text + k->len;
	MSLexer		lex;

	k->nconstants = 0;
	lex.pos = (const unsigned char *) k->text;
	lex.end = (const unsigned char *) end;
	lex.kind = MST_START;
	while (ms_lex(&lex, lex.kind))
	{
		const char *start = (const char *) lex.start;
		const char *stop = (const char *) lex.pos;
		const char *p = start;

		if (lex.kind != MST_CONST)
			continue;
		if (*start == '\'' ? stop[-1] != '\'' || stop - start < 2 :
			(start > k->text && is_word(start[-1])) ||
			(stop < end && is_word(*stop)))
			continue;
		if (*start != '\'')
		{
			while (p < stop && is_digit(*p))
				p++;
			if (p < stop)
				continue;
		}
		if (k->nconstants == CONSTANTS_MAX)
			return false;
		k->constants[k->nconstants].start = start - k->text;
		k->constants[k->nconstants++].end = stop - k->text;
	}
	return true;
}

/*
 * Does a text differ from a known one in nothing but its constants, number
 * for number and string for string, and is it as plain?
 */
static bool
same_shape(const KnownText *k, const char *p, const char *end)
{
	int			done = 0;		/* of the known text */
	int			i;

	for (i = 0; i < k->nconstants; i++)
	{
		int			start = k->constants[i].start;
		const char *open;

		if (end - p <= start - done ||
			memcmp(p, k->text + done, start - done) != 0)
			return false;
		p += start - done;
		done = k->constants[i].end;
		open = p;
		if (k->text[start] == '\'')
		{
			if (*p != '\'')
				return false;
			p = memchr(open + 1, '\'', end - open - 1);
			if (p == NULL || !is_plain(open + 1, p - open - 1))
				return false;
			p++;
			if (p < end && *p == '\'')
				return false;	/* a quote in the string */
		}
		else
		{
			while (p < end && is_digit(*p))
				p++;
			if (p == open || (p < end && is_word(*p)))
				return false;
		}
	}
	return end - p == k->len - done &&
		memcmp(p, k->text + done, k->len - done) == 0;
}

static KnownText *
slot_of(const char *text, int len)
{
	uint64		head[4] = {0, 0, 0, 0};

	if (len >= 40)
	{
		memcpy(head, text, 24);
		memcpy(&head[3], text + 32, 8);
	}
	else
		memcpy(head, text, Min(len, 8));
	head[0] = (head[0] ^ (head[1] * 3) ^ (head[2] * 5) ^ (head[3] * 7)) *
		UINT64CONST(0x9E3779B97F4A7C15);
	return &known[(head[0] >> 32) % KNOWN_TEXTS];
}

static inline uint64
hash_text(const char *text, int len)
{
	return hash_bytes_extended((const unsigned char *) text, len, 0);
}

uint64
ms_shape_cached(const char *text, int len, uint64 *literals)
{
	KnownText  *k;
	char		dummy[1];

	if (len == 0 || len > KNOWN_TEXT_MAX)
		return ms_shape(text, len, dummy, sizeof(dummy), literals);

	k = slot_of(text, len);
	if (k->len > 0 && k->plain && k->nconstants > 0)
	{
		if (same_shape(k, text, text + len))
		{
			*literals = hash_text(text, len);
			return k->shape;
		}
	}
	else if (k->len == len && memcmp(k->text, text, len) == 0)
	{
		*literals = k->literals;
		return k->shape;
	}

	k->shape = ms_shape(text, len, dummy, sizeof(dummy), &k->literals);
	k->len = len;
	memcpy(k->text, text, len);
	if (is_plain(text, len))
		k->literals = hash_text(text, len);
	k->plain = is_plain(text, len) && find_constants(k);
	*literals = k->literals;
	return k->shape;
}
