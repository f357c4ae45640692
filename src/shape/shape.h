/*-------------------------------------------------------------------------
 *
 * shape.h
 *	  A statement's shape: its text with the constants taken out.
 *
 * Pure text: nothing here allocates, fails or knows what it is for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_SHAPE_H
#define MS_SHAPE_H

#include "compat.h"

MS_INSIDE_BEGIN

/*
 * shape.c: a statement's shape, the text with its constants taken out.
 *
 * Writes the normalised form of text[0 .. len) into buf, NUL-terminated and
 * cut between two characters of the database encoding where bufsize, which
 * is at least 1, is too small.  Returns the hash of the whole normalised
 * text, not only of what fitted; *params_hash is that of the constants in
 * their order, 0 where there is none.  Neither hash is stable across
 * machines or releases.  Never fails, never allocates, whatever the bytes; a
 * zero byte ends the text.
 */
extern uint64 ms_shape(const char *text, int len, char *buf, int bufsize,
					   uint64 *params_hash);

/*
 * shape_lex.c: PostgreSQL's tokens, as far as shapes need them.
 */
typedef enum
{
	MST_START,					/* nothing before the first token */
	MST_WORD,
	MST_KEYWORD,				/* an expression may follow */
	MST_NAME,					/* a quoted identifier */
	MST_CONST,
	MST_OPERATOR,
	MST_SIGN,					/* + or - with no operand before it */
	MST_OPEN,
	MST_SUBSCRIPT,
	MST_CLOSE,
	MST_COMMA,
	MST_SEMICOLON,
	MST_DOT,
	MST_CAST
} MSTokenKind;

/* sets of kinds */
#define MST_BIT(kind)	(1 << (kind))
#define MST_OPERANDS	(MST_BIT(MST_WORD) | MST_BIT(MST_NAME) | \
						 MST_BIT(MST_CONST) | MST_BIT(MST_CLOSE))

/* words that shapes look at; from MSW_KEYWORD on they are MST_KEYWORD */
typedef enum
{
	MSW_PLAIN,
	MSW_CONSTANT,				/* true, false, null */
	MSW_ARRAY,
	MSW_ALL,
	MSW_SAVEPOINT,
	MSW_PREPARE,
	MSW_RELEASE,
	MSW_ROLLBACK,
	MSW_NAMES,					/* declare, close, deallocate, execute */
	MSW_FETCH,					/* fetch, move */
	MSW_DIRECTION,				/* first, forward ..., which FETCH may have */
	MSW_CURRENT,
	MSW_OF,
	MSW_CREATE,
	MSW_TEMP,					/* temp, temporary */
	MSW_MAKES,					/* table, view, ... before a new name */
	MSW_PG_TEMP,
	MSW_END,
	MSW_TRANSACTION,
	MSW_KEYWORD,
	MSW_KEEPS,					/* a MSW_CONSTANT after it is syntax */
	MSW_AS,						/* likewise */
	MSW_ON,						/* likewise */
	MSW_IN,
	MSW_FROM,
	MSW_TO,
	MSW_SELECT,
	MSW_WITH,
	MSW_VALUES,
	MSW_DEFAULT,
	MSW_WHERE,					/* where, having */
	MSW_OR,
	MSW_CASE,
	MSW_WHEN,
	MSW_ELSE,
	MSW_UNION,
	MSW_EXCEPT,					/* except, intersect */
	MSW_EXISTS,
	MSW_CLAUSE,					/* what ends a condition */
	MSW_TAIL					/* likewise, and a SELECT: order, limit, ... */
} MSWordClass;

typedef struct MSLexer
{
	const unsigned char *pos;	/* the token just read is start .. pos */
	const unsigned char *end;
	const unsigned char *start;
	MSTokenKind kind;
	MSWordClass word;			/* MSW_PLAIN where it is not a word */
	uint64		head;			/* of a word: its first letters, folded */
	uint64		hash;			/* of a word, folded */
} MSLexer;

/*
 * Reads the next token; prev is the kind of the one before it, as the caller
 * took it.  False at the end of the text.
 */
extern bool ms_lex(MSLexer *lex, MSTokenKind prev);

/* how far the first statement of a string goes: to its semicolon */
extern int	ms_first_statement(const char *text);

/*
 * shape_words.c: what a statement's words say of it.
 */
#define MS_SAYS_LIST		0x01	/* = ANY(...), IN or VALUES of several, unnest() */
#define MS_SAYS_RANGE		0x02	/* a comparison with a constant */
#define MS_SAYS_LIMIT		0x04
#define MS_SAYS_PING		0x08	/* a SELECT that asks for nothing */
#define MS_SAYS_SETTING		0x10	/* a SELECT of set_config() alone */
#define MS_SAYS_CALL		0x20	/* of another function */
#define MS_SAYS_VOLATILE	0x40	/* of one whose results differ */
#define MS_SAYS_COUNTS		0x80	/* increment() and the like */
#define MS_SAYS_SEQUENCE	0x100	/* nextval() */
#define MS_SAYS_TRIES		0x200	/* pg_try_advisory_lock() and the like */

extern int	ms_shape_words(const char *text, int len);

/*
 * The comment at the end of a text, else the one at its beginning, with its
 * signs; NULL where there is none.  One with hints for a planner is none.
 */
extern const char *ms_comment(const char *text, int len, int *size);

/*
 * How much of a text is a comment, and blanks, right before its statement, which
 * is there; the server counts it to the statement up to 17.
 */
extern int	ms_comment_before(const char *text, const char *statement);

/* how much of a text follows its statement's semicolon: a comment, or 0 */
extern int	ms_comment_behind(const char *end);

/*
 * shape_cache.c: the shapes of the last few texts.
 */
extern Size ms_shape_cache_size(void);
extern void ms_shape_cache_attach(char *memory);
extern void ms_shape_cache_reset(void);

/* as ms_shape(), but the hash of the constants is not the same */
extern uint64 ms_shape_cached(const char *text, int len, uint64 *literals);

/* what belongs to a shape, and other hashes of more than one thing */
static inline uint64
ms_hash_combine(uint64 a, uint64 b)
{
	a = (a ^ b) * UINT64CONST(0x9E3779B97F4A7C15);
	return a ^ (a >> 32);
}

MS_INSIDE_END

#endif							/* MS_SHAPE_H */
