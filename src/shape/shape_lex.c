/*-------------------------------------------------------------------------
 *
 * shape_lex.c
 *	  PostgreSQL's tokens, as far as shapes (shape.c) need them.
 *
 * The rules are those of the server's scanner: which run of characters is one
 * operator, where a string goes on behind its quote, what nests.  Where two
 * majors differ the newer one is followed (1_000 is a number).  Where the
 * server would raise an error this one goes on: what has no end ends with the
 * text, and a byte with no meaning is an operator.  So any bytes are accepted,
 * and the time is linear in their number.
 *
 * Of the grammar only what follows from the token before is known: whether a
 * sign is unary, and that any word may follow a dot.
 *
 * All server encodings keep ASCII bytes out of their multibyte characters, so
 * looking at bytes is enough.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "parser/parser.h"

#include "shape/shape.h"
#include "shape/shape_internal.h"

/* a character's class: a type and flags */
typedef enum
{
	CT_OTHER,
	CT_BLANK,
	CT_WORD,
	CT_DIGIT,
	CT_QUOTE,
	CT_DOUBLE_QUOTE,
	CT_DOLLAR,
	CT_DOT,
	CT_OPEN,
	CT_SUBSCRIPT,
	CT_CLOSE,
	CT_COMMA,
	CT_SEMICOLON,
	CT_COLON,
	CT_OPERATOR
} CharType;

#define CC_TYPE		0x0F
#define CC_SPECIAL	0x10		/* operators with one may end in + or - */
#define CC_UPPER	0x20		/* the bit that makes it lower case */
#define CC_OPERATOR 0x40
#define CC_CONT		0x80		/* may continue a word */

#define X	CT_OTHER
#define B	CT_BLANK
#define W	(CT_WORD | CC_CONT)
#define U	(CT_WORD | CC_CONT | CC_UPPER)
#define D	(CT_DIGIT | CC_CONT)
#define Q	CT_QUOTE
#define I	CT_DOUBLE_QUOTE
#define P	(CT_DOLLAR | CC_CONT)
#define F	CT_DOT
#define L	CT_OPEN
#define S	CT_SUBSCRIPT
#define R	CT_CLOSE
#define C	CT_COMMA
#define E	CT_SEMICOLON
#define T	CT_COLON
#define O	(CT_OPERATOR | CC_OPERATOR)
#define A	(CT_OPERATOR | CC_OPERATOR | CC_SPECIAL)

static const unsigned char char_class[256] = {
	X, X, X, X, X, X, X, X, X, B, B, B, B, B, X, X, /* \t \n \v \f \r */
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	B, A, I, A, P, A, A, Q, L, R, O, O, C, O, F, O, /*  !"#$%&'()*+,-./ */
	D, D, D, D, D, D, D, D, D, D, T, E, O, O, O, A, /* 0123456789:;<=>? */
	A, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* @ABC */
	U, U, U, U, U, U, U, U, U, U, U, S, X, R, A, W, /* PQR..Z[\]^_ */
	A, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* `abc */
	W, W, W, W, W, W, W, W, W, W, W, X, A, X, A, X, /* pqr..z{|}~ */
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W
};

#undef X
#undef B
#undef W
#undef U
#undef D
#undef Q
#undef I
#undef P
#undef F
#undef L
#undef S
#undef R
#undef C
#undef E
#undef T
#undef O
#undef A

#define CLASS(c)		(char_class[(unsigned char) (c)])
#define TYPE(c)			(CLASS(c) & CC_TYPE)

/* each of these moves pos behind what it is named after */
#define AT(lex, i, c) \
	((lex)->end - (lex)->pos > (i) && (lex)->pos[i] == (c))

static void
skip_line(MSLexer *lex)
{
	while (lex->pos < lex->end && *lex->pos != '\n' && *lex->pos != '\r')
		lex->pos++;
}

/* false where none begins */
static bool
skip_comment(MSLexer *lex)
{
	int			nested = 0;

	if (*lex->pos == '-' && AT(lex, 1, '-'))
	{
		skip_line(lex);
		return true;
	}
	if (*lex->pos != '/' || !AT(lex, 1, '*'))
		return false;

	do
	{
		if (AT(lex, 0, '/') && AT(lex, 1, '*'))
		{
			nested++;
			lex->pos += 2;
		}
		else if (AT(lex, 0, '*') && AT(lex, 1, '/'))
		{
			nested--;
			lex->pos += 2;
		}
		else
			lex->pos++;
	} while (nested > 0 && lex->pos < lex->end);
	return true;
}

/*
 * A string goes on behind its closing quote where the next one is on another
 * line.  Moves to that one's opening quote and is true, or stays.
 */
static bool
string_continues(MSLexer *lex)
{
	const unsigned char *back = lex->pos;
	bool		newline = false;

	for (; lex->pos < lex->end; lex->pos++)
	{
		if (*lex->pos == '-' && AT(lex, 1, '-'))
			skip_line(lex);
		if (lex->pos == lex->end || TYPE(*lex->pos) != CT_BLANK)
			break;
		newline |= (*lex->pos == '\n' || *lex->pos == '\r');
	}
	if (newline && AT(lex, 0, '\''))
		return true;
	lex->pos = back;
	return false;
}

/* from the opening quote; quote is ' or " */
static void
read_quoted(MSLexer *lex, unsigned char quote, bool backslash)
{
	do
	{
		do
		{
			const unsigned char *p = lex->pos + 1;

			if (backslash)
			{
				while (p < lex->end && *p != quote)
				{
					if (*p == '\\' && p + 1 < lex->end)
						p++;
					p++;
				}
			}
			else
				p = memchr(p, quote, lex->end - p);
			if (p == NULL || p >= lex->end)
			{
				lex->pos = lex->end;
				return;
			}
			lex->pos = p + 1;
		} while (AT(lex, 0, quote));
	} while (quote == '\'' && string_continues(lex));
}

static void
read_digits(MSLexer *lex, bool hex)
{
	for (; lex->pos < lex->end; lex->pos++)
	{
		unsigned char c = *lex->pos;

		if (c == '_' && lex->end - lex->pos > 1)
			c = lex->pos[1];
		if (TYPE(c) != CT_DIGIT &&
			!(hex && (c | CC_UPPER) >= 'a' && (c | CC_UPPER) <= 'f'))
			break;
	}
}

/* from its first digit, or the point before it */
static void
read_number(MSLexer *lex)
{
	if (*lex->pos == '0' && lex->end - lex->pos > 2)
	{
		unsigned char c = lex->pos[1] | CC_UPPER;

		if (c == 'x' || c == 'o' || c == 'b')
		{
			const unsigned char *prefix = lex->pos;

			lex->pos += 2;
			read_digits(lex, true);
			if (lex->pos > prefix + 2)
				return;
			lex->pos = prefix;
		}
	}

	read_digits(lex, false);
	/* not in 1..2, which is a range of a loop */
	if (AT(lex, 0, '.') && !AT(lex, 1, '.'))
	{
		lex->pos++;
		read_digits(lex, false);
	}
	if (AT(lex, 0, 'e') || AT(lex, 0, 'E'))
	{
		int			sign = AT(lex, 1, '+') || AT(lex, 1, '-');

		if (lex->end - lex->pos > 1 + sign &&
			TYPE(lex->pos[1 + sign]) == CT_DIGIT)
		{
			lex->pos += 1 + sign;
			read_digits(lex, false);
		}
	}
}

/* $1, $$...$$ or $tag$...$tag$; else a character of its own */
static MSTokenKind
read_dollar(MSLexer *lex)
{
	const unsigned char *p = lex->pos + 1;
	size_t		len;

	if (p < lex->end && TYPE(*p) == CT_DIGIT)
	{
		lex->pos++;
		read_digits(lex, false);
		return MST_CONST;
	}

	if (p < lex->end && TYPE(*p) == CT_WORD)
	{
		while (p < lex->end && (CLASS(*p) & CC_CONT) && *p != '$')
			p++;
	}
	if (p >= lex->end || *p != '$')
	{
		lex->pos++;
		return MST_OPERATOR;
	}

	len = p + 1 - lex->start;
	for (p++; (p = memchr(p, '$', lex->end - p)) != NULL; p++)
	{
		if ((size_t) (lex->end - p) < len)
			break;
		if (memcmp(p, lex->start, len) == 0)
		{
			lex->pos = p + len;
			return MST_CONST;
		}
	}
	lex->pos = lex->end;
	return MST_CONST;
}

/* the longest run, as PostgreSQL cuts it */
static MSTokenKind
read_operator(MSLexer *lex, MSTokenKind prev)
{
	int			special = 0;

	/* where a comment starts the first character would not be here */
	do
	{
		special |= CLASS(*lex->pos) & CC_SPECIAL;
		lex->pos++;
	} while (lex->pos < lex->end && (CLASS(*lex->pos) & CC_OPERATOR) &&
			 !(*lex->pos == '-' && AT(lex, 1, '-')) &&
			 !(*lex->pos == '/' && AT(lex, 1, '*')));

	if (!special)
	{
		while (lex->pos - lex->start > 1 &&
			   (lex->pos[-1] == '-' || lex->pos[-1] == '+'))
			lex->pos--;
	}

	if (lex->pos - lex->start == 1)
	{
		if (*lex->start == '?')
			return MST_CONST;
		if ((*lex->start == '-' || *lex->start == '+') &&
			!(MST_BIT(prev) & MST_OPERANDS))
			return MST_SIGN;
	}
	return MST_OPERATOR;
}

#define WORD	MS_WORD

static MSWordClass
classify_long(uint64 head, size_t len)
{
	if (len == 9 && head == WORD('s', 'a', 'v', 'e', 'p', 'o', 'i', 'n'))
		return MSW_SAVEPOINT;
	if (len == 9 && head == WORD('r', 'e', 't', 'u', 'r', 'n', 'i', 'n'))
		return MSW_TAIL;
	if (len == 9 && head == WORD('i', 'n', 't', 'e', 'r', 's', 'e', 'c'))
		return MSW_EXCEPT;
	if (len == 9 && head == WORD('t', 'e', 'm', 'p', 'o', 'r', 'a', 'r'))
		return MSW_TEMP;
	if (len == 9 && head == WORD('r', 'e', 'c', 'u', 'r', 's', 'i', 'v'))
		return MSW_MAKES;
	if (len == 11 && head == WORD('t', 'r', 'a', 'n', 's', 'a', 'c', 't'))
		return MSW_TRANSACTION;
	if (len == 10 && head == WORD('d', 'e', 'a', 'l', 'l', 'o', 'c', 'a'))
		return MSW_NAMES;
	return MSW_PLAIN;
}

static MSWordClass
classify(uint64 head)
{
	switch (head)
	{
		case WORD('t', 'r', 'u', 'e', 0, 0, 0, 0):
		case WORD('f', 'a', 'l', 's', 'e', 0, 0, 0):
		case WORD('n', 'u', 'l', 'l', 0, 0, 0, 0):
			return MSW_CONSTANT;

		case WORD('a', 'r', 'r', 'a', 'y', 0, 0, 0):
			return MSW_ARRAY;
		case WORD('a', 'l', 'l', 0, 0, 0, 0, 0):
			return MSW_ALL;

		case WORD('p', 'r', 'e', 'p', 'a', 'r', 'e', 0):
			return MSW_PREPARE;
		case WORD('r', 'e', 'l', 'e', 'a', 's', 'e', 0):
			return MSW_RELEASE;
		case WORD('r', 'o', 'l', 'l', 'b', 'a', 'c', 'k'):
			return MSW_ROLLBACK;
		case WORD('d', 'e', 'c', 'l', 'a', 'r', 'e', 0):
		case WORD('c', 'l', 'o', 's', 'e', 0, 0, 0):
		case WORD('e', 'x', 'e', 'c', 'u', 't', 'e', 0):
			return MSW_NAMES;
		case WORD('f', 'e', 't', 'c', 'h', 0, 0, 0):
		case WORD('m', 'o', 'v', 'e', 0, 0, 0, 0):
			return MSW_FETCH;
		case WORD('n', 'e', 'x', 't', 0, 0, 0, 0):
		case WORD('p', 'r', 'i', 'o', 'r', 0, 0, 0):
		case WORD('f', 'i', 'r', 's', 't', 0, 0, 0):
		case WORD('l', 'a', 's', 't', 0, 0, 0, 0):
		case WORD('a', 'b', 's', 'o', 'l', 'u', 't', 'e'):
		case WORD('r', 'e', 'l', 'a', 't', 'i', 'v', 'e'):
		case WORD('f', 'o', 'r', 'w', 'a', 'r', 'd', 0):
		case WORD('b', 'a', 'c', 'k', 'w', 'a', 'r', 'd'):
			return MSW_DIRECTION;
		case WORD('c', 'u', 'r', 'r', 'e', 'n', 't', 0):
			return MSW_CURRENT;
		case WORD('o', 'f', 0, 0, 0, 0, 0, 0):
			return MSW_OF;
		case WORD('c', 'r', 'e', 'a', 't', 'e', 0, 0):
			return MSW_CREATE;
		case WORD('t', 'e', 'm', 'p', 0, 0, 0, 0):
			return MSW_TEMP;
		case WORD('t', 'a', 'b', 'l', 'e', 0, 0, 0):
		case WORD('v', 'i', 'e', 'w', 0, 0, 0, 0):
		case WORD('s', 'e', 'q', 'u', 'e', 'n', 'c', 'e'):
		case WORD('i', 'f', 0, 0, 0, 0, 0, 0):
			return MSW_MAKES;
		case WORD('p', 'g', '_', 't', 'e', 'm', 'p', 0):
			return MSW_PG_TEMP;
		case WORD('e', 'n', 'd', 0, 0, 0, 0, 0):
			return MSW_END;

		case WORD('i', 's', 0, 0, 0, 0, 0, 0):
		case WORD('n', 'o', 't', 0, 0, 0, 0, 0):
		case WORD('s', 'e', 't', 0, 0, 0, 0, 0):
			return MSW_KEEPS;
		case WORD('a', 's', 0, 0, 0, 0, 0, 0):
			return MSW_AS;
		case WORD('o', 'n', 0, 0, 0, 0, 0, 0):
			return MSW_ON;
		case WORD('i', 'n', 0, 0, 0, 0, 0, 0):
			return MSW_IN;
		case WORD('f', 'r', 'o', 'm', 0, 0, 0, 0):
			return MSW_FROM;
		case WORD('t', 'o', 0, 0, 0, 0, 0, 0):
			return MSW_TO;
		case WORD('s', 'e', 'l', 'e', 'c', 't', 0, 0):
			return MSW_SELECT;
		case WORD('w', 'i', 't', 'h', 0, 0, 0, 0):
			return MSW_WITH;
		case WORD('v', 'a', 'l', 'u', 'e', 's', 0, 0):
			return MSW_VALUES;
		case WORD('d', 'e', 'f', 'a', 'u', 'l', 't', 0):
			return MSW_DEFAULT;
		case WORD('w', 'h', 'e', 'r', 'e', 0, 0, 0):
		case WORD('h', 'a', 'v', 'i', 'n', 'g', 0, 0):
			return MSW_WHERE;
		case WORD('o', 'r', 0, 0, 0, 0, 0, 0):
			return MSW_OR;
		case WORD('c', 'a', 's', 'e', 0, 0, 0, 0):
			return MSW_CASE;
		case WORD('w', 'h', 'e', 'n', 0, 0, 0, 0):
			return MSW_WHEN;
		case WORD('e', 'l', 's', 'e', 0, 0, 0, 0):
			return MSW_ELSE;
		case WORD('u', 'n', 'i', 'o', 'n', 0, 0, 0):
			return MSW_UNION;
		case WORD('e', 'x', 'c', 'e', 'p', 't', 0, 0):
			return MSW_EXCEPT;
		case WORD('e', 'x', 'i', 's', 't', 's', 0, 0):
			return MSW_EXISTS;
		case WORD('g', 'r', 'o', 'u', 'p', 0, 0, 0):
		case WORD('j', 'o', 'i', 'n', 0, 0, 0, 0):
		case WORD('t', 'h', 'e', 'n', 0, 0, 0, 0):
		case WORD('u', 's', 'i', 'n', 'g', 0, 0, 0):
			return MSW_CLAUSE;
		case WORD('f', 'o', 'r', 0, 0, 0, 0, 0):
		case WORD('l', 'i', 'm', 'i', 't', 0, 0, 0):
		case WORD('o', 'f', 'f', 's', 'e', 't', 0, 0):
		case WORD('o', 'r', 'd', 'e', 'r', 0, 0, 0):
			return MSW_TAIL;

		case WORD('a', 'n', 'd', 0, 0, 0, 0, 0):
		case WORD('b', 'e', 't', 'w', 'e', 'e', 'n', 0):
		case WORD('b', 'y', 0, 0, 0, 0, 0, 0):
		case WORD('c', 'h', 'e', 'c', 'k', 0, 0, 0):
		case WORD('c', 'o', 'n', 'f', 'l', 'i', 'c', 't'):
		case WORD('d', 'i', 's', 't', 'i', 'n', 'c', 't'):
		case WORD('e', 'x', 'p', 'l', 'a', 'i', 'n', 0):
		case WORD('f', 'i', 'l', 't', 'e', 'r', 0, 0):
		case WORD('i', 'l', 'i', 'k', 'e', 0, 0, 0):
		case WORD('k', 'e', 'y', 0, 0, 0, 0, 0):
		case WORD('l', 'a', 't', 'e', 'r', 'a', 'l', 0):
		case WORD('l', 'i', 'k', 'e', 0, 0, 0, 0):
		case WORD('o', 'v', 'e', 'r', 0, 0, 0, 0):
			return MSW_KEYWORD;
	}
	return MSW_PLAIN;
}

/* a word, or the string or quoted identifier that it is the prefix of */
static MSTokenKind
read_word(MSLexer *lex, MSTokenKind prev)
{
	const unsigned char *p = lex->pos + 1;
	uint64		h;
	size_t		len;

	while (p < lex->end && (CLASS(*p) & CC_CONT))
		p++;
	len = p - lex->start;
	lex->head = ms_fold_letters(lex->start, Min(len, 8), lex->end);

	lex->pos = p;
	if (len == 1 && p < lex->end)
	{
		unsigned char c = *lex->start | CC_UPPER;

		if (*p == '\'' && (c == 'e' || c == 'n' || c == 'b' || c == 'x'))
		{
			read_quoted(lex, '\'', c == 'e' ||
						(c == 'n' && !standard_conforming_strings));
			return MST_CONST;
		}
		if (c == 'u' && *p == '&' && (AT(lex, 1, '\'') || AT(lex, 1, '"')))
		{
			lex->pos++;
			read_quoted(lex, *lex->pos, false);
			return p[1] == '"' ? MST_NAME : MST_CONST;
		}
	}

	h = ms_hash_mix(len, lex->head);
	for (p = lex->start + 8; p < lex->pos; p += 8)
		h = ms_hash_mix(h, ms_fold_letters(p, Min(lex->pos - p, 8), lex->end));
	lex->hash = h;

	if (prev == MST_DOT)
		return MST_WORD;			/* a column may have any name */
	lex->word = len <= 8 ? classify(lex->head) : classify_long(lex->head, len);
	return lex->word >= MSW_KEYWORD ? MST_KEYWORD : MST_WORD;
}

bool
ms_lex(MSLexer *lex, MSTokenKind prev)
{
again:
	while (lex->pos < lex->end && TYPE(*lex->pos) == CT_BLANK)
		lex->pos++;
	if (lex->pos >= lex->end)
		return false;

	lex->start = lex->pos;
	lex->word = MSW_PLAIN;
	switch ((CharType) TYPE(*lex->pos))
	{
		case CT_WORD:
			lex->kind = read_word(lex, prev);
			return true;
		case CT_DIGIT:
			read_number(lex);
			lex->kind = MST_CONST;
			return true;
		case CT_QUOTE:
			read_quoted(lex, '\'', !standard_conforming_strings);
			lex->kind = MST_CONST;
			return true;
		case CT_DOUBLE_QUOTE:
			read_quoted(lex, '"', false);
			lex->kind = MST_NAME;
			return true;
		case CT_DOLLAR:
			lex->kind = read_dollar(lex);
			return true;
		case CT_OPERATOR:
			if (skip_comment(lex))
				goto again;
			lex->kind = read_operator(lex, prev);
			return true;
		case CT_DOT:
			if (lex->end - lex->pos > 1 && TYPE(lex->pos[1]) == CT_DIGIT)
			{
				read_number(lex);
				lex->kind = MST_CONST;
				return true;
			}
			if (AT(lex, 1, '.'))
				lex->pos++;
			lex->kind = MST_DOT;
			break;
		case CT_COLON:
			lex->kind = AT(lex, 1, ':') ? MST_CAST : MST_OPERATOR;
			if (AT(lex, 1, ':') || AT(lex, 1, '='))
				lex->pos++;
			break;
		case CT_OPEN:
			lex->kind = MST_OPEN;
			break;
		case CT_SUBSCRIPT:
			lex->kind = MST_SUBSCRIPT;
			break;
		case CT_CLOSE:
			lex->kind = MST_CLOSE;
			break;
		case CT_COMMA:
			lex->kind = MST_COMMA;
			break;
		case CT_SEMICOLON:
			lex->kind = MST_SEMICOLON;
			break;
		case CT_BLANK:
		case CT_OTHER:
			lex->kind = MST_OPERATOR;
			break;
	}
	lex->pos++;
	return true;
}

/*
 * Semicolons in brackets, as rules have them, and in the body of a function
 * that is BEGIN ATOMIC ... END belong to the statement.  A function is told
 * by its first words, and CASE has an END, too.
 */
int
ms_first_statement(const char *text)
{
	MSLexer		lex;
	MSTokenKind prev = MST_START;
	int			words = 0;
	int			depth = 0;		/* of brackets */
	int			blocks = 0;
	bool		creates = false;
	bool		routine = false;

	lex.pos = (const unsigned char *) text;
	lex.end = lex.pos + strlen(text);
	for (; ms_lex(&lex, prev); prev = lex.kind)
	{
		if (lex.kind == MST_OPEN)
			depth++;
		else if (lex.kind == MST_CLOSE)
			depth--;
		else if (lex.kind == MST_SEMICOLON && depth <= 0 && blocks == 0)
			return (const char *) lex.start - text;
		if ((lex.kind != MST_WORD && lex.kind != MST_KEYWORD) ||
			prev == MST_DOT)
			continue;

		/* CREATE OR REPLACE FUNCTION */
		words++;
		if (words == 1)
			creates = lex.head == WORD('c', 'r', 'e', 'a', 't', 'e', 0, 0);
		else if (words <= 4 && creates && !routine)
			routine = lex.head == WORD('f', 'u', 'n', 'c', 't', 'i', 'o', 'n') ||
				lex.head == WORD('p', 'r', 'o', 'c', 'e', 'd', 'u', 'r');
		else if (routine && lex.head == WORD('b', 'e', 'g', 'i', 'n', 0, 0, 0))
			blocks++;
		else if (blocks > 0 && lex.head == WORD('c', 'a', 's', 'e', 0, 0, 0, 0))
			blocks++;
		else if (blocks > 0 && lex.head == WORD('e', 'n', 'd', 0, 0, 0, 0, 0))
			blocks--;
	}
	return (const char *) lex.end - text;
}
