/*-------------------------------------------------------------------------
 *
 * shape_words.c
 *	  What the words of a statement say of it, as far as that can be told
 *	  without its plan.
 *
 * Looked at once for each shape, so a flag is that of the shape's first text.
 * A function is told by its name before a bracket, whatever its schema.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shape/shape.h"
#include "shape/shape_internal.h"

/* functions that ask nothing but the server and the session */
static const char *const ping_functions[] = {
	"current_database", "current_schema", "current_schemas",
	"current_setting", "now", "pg_backend_pid", "pg_is_in_recovery",
	"txid_current", "version"
};

/* functions of core's, beside pg_..., of which no two calls are the same */
static const char *const volatile_functions[] = {
	"clock_timestamp", "currval", "gen_random_uuid", "lastval", "nextval",
	"random", "set_config", "setval", "statement_timestamp", "timeofday",
	"txid_current"
};

/* functions that make rows of one value */
static const char *const list_functions[] = {
	"json_array_elements", "json_array_elements_text", "json_populate_recordset",
	"json_table", "json_to_recordset", "jsonb_array_elements",
	"jsonb_array_elements_text", "jsonb_populate_recordset",
	"jsonb_to_recordset", "regexp_split_to_table", "string_to_table", "unnest"
};

static const char *const counting_functions[] = {
	"increment", "increment_amount", "increment_by", "increment_row"
};

/* the list is in the order of the alphabet, the word in any case */
static bool
is_one_of(const MSLexer *word, const char *const *names, int n)
{
	size_t		len = word->pos - word->start;

	for (int i = 0; i < n; i++)
		if (strlen(names[i]) == len &&
			pg_strncasecmp((const char *) word->start, names[i], len) == 0)
			return true;
	return false;
}

#define IS_ONE_OF(word, names)	is_one_of(word, names, lengthof(names))

static bool
is_operator(const MSLexer *lex, const char *name)
{
	size_t		len = lex->pos - lex->start;

	return strlen(name) == len && memcmp(lex->start, name, len) == 0;
}

/* a word before a bracket */
static int
words_of_call(const MSLexer *word)
{
	int			words = 0;

	if (word->kind == MST_KEYWORD)
		return 0;				/* IN (...), AND (...) */
	if (!IS_ONE_OF(word, ping_functions))
		words |= MS_SAYS_CALL;
	if (IS_ONE_OF(word, volatile_functions) ||
		pg_strncasecmp((const char *) word->start, "pg_", 3) == 0)
		words |= MS_SAYS_VOLATILE;
	if (IS_ONE_OF(word, counting_functions))
		words |= MS_SAYS_COUNTS;
	if (word->head == MS_WORD('n', 'e', 'x', 't', 'v', 'a', 'l', 0))
		words |= MS_SAYS_SEQUENCE;
	if (pg_strncasecmp((const char *) word->start, "pg_try_advisory_", 16) == 0)
		words |= MS_SAYS_TRIES;
	if (IS_ONE_OF(word, list_functions))
		words |= MS_SAYS_LIST;
	return words;
}

/* a statement that is nothing but SELECT and expressions */
static int
words_of_bare(int words, bool sets)
{
	if (sets)
		return words | MS_SAYS_SETTING;
	return words & MS_SAYS_CALL ? words : words | MS_SAYS_PING;
}

int
ms_shape_words(const char *text, int len)
{
	MSLexer		lex;
	MSLexer		before;			/* the token before */
	int			words = 0;
	int			depth = 0;
	int			list = -1;		/* the depth of the list that is read */
	int			rows = -1;		/* or of the rows of VALUES */
	bool		compares = false;	/* with what comes now */
	bool		bare = false;
	bool		sets = false;

	lex.pos = (const unsigned char *) text;
	lex.end = lex.pos + strnlen(text, len);
	memset(&before, 0, sizeof(before));
	for (before.kind = MST_START; ms_lex(&lex, before.kind); before = lex)
	{
		if (before.kind == MST_START)
			bare = lex.word == MSW_SELECT;
		if (lex.kind == MST_CONST && compares)
			words |= MS_SAYS_RANGE;
		if (lex.kind != MST_OPEN && lex.kind != MST_SIGN)
			compares = false;
		if (list == depth && lex.word == MSW_SELECT)
			list = -1;
		if (rows == depth && lex.kind != MST_OPEN && lex.kind != MST_CLOSE &&
			lex.kind != MST_COMMA)
			rows = -1;
		if (lex.word == MSW_VALUES)
			rows = depth;

		switch (lex.kind)
		{
			case MST_OPEN:
				depth++;
				if (before.word == MSW_IN)
					list = depth;
				else if (before.kind == MST_WORD)
				{
					if (before.head == MS_WORD('a', 'n', 'y', 0, 0, 0, 0, 0))
						words |= MS_SAYS_LIST;
					else if (IS_ONE_OF(&before, ((const char *const []) {"set_config"})))
						sets = true;
					else
						words |= words_of_call(&before);
				}
				else if (before.kind == MST_NAME)
					words |= MS_SAYS_CALL;
				break;
			case MST_CLOSE:
				if (list == depth)
					list = -1;
				depth--;
				break;
			case MST_COMMA:
				if (list == depth || rows == depth)
					words |= MS_SAYS_LIST;
				break;
			case MST_OPERATOR:
				if (is_operator(&lex, "<") || is_operator(&lex, ">") ||
					is_operator(&lex, "<=") || is_operator(&lex, ">="))
				{
					compares = true;
					if (before.kind == MST_CONST)
						words |= MS_SAYS_RANGE;
				}
				break;
			case MST_KEYWORD:
				if (lex.head == MS_WORD('b', 'e', 't', 'w', 'e', 'e', 'n', 0))
					words |= MS_SAYS_RANGE;
				else if (lex.head == MS_WORD('l', 'i', 'm', 'i', 't', 0, 0, 0))
					words |= MS_SAYS_LIMIT;
				else if (lex.word == MSW_FROM)
					bare = false;
				break;
			case MST_WORD:
				if (before.word == MSW_FETCH && lex.word == MSW_DIRECTION)
					words |= MS_SAYS_LIMIT;
				break;
			default:
				break;
		}
	}
	if (bare)
		words = words_of_bare(words, sets);
	else if (sets)
		words |= MS_SAYS_CALL | MS_SAYS_VOLATILE;
	return words;
}

/*
 * Comments
 */
const char *
ms_comment(const char *text, int len, int *size)
{
	const char *end = text + len;
	const char *p;

	if (len >= 4 && end[-1] == '/' && end[-2] == '*')
	{
		for (p = end - 4; p >= text; p--)
			if (p[0] == '/' && p[1] == '*')
				break;
		if (p >= text && p[2] != '+')
		{
			*size = end - p;
			return p;
		}
	}
	if (len < 4 || text[0] != '/' || text[1] != '*' || text[2] == '+')
		return NULL;
	for (p = text + 2; p + 1 < end; p++)
	{
		if (p[0] == '*' && p[1] == '/')
		{
			*size = p + 2 - text;
			return text;
		}
	}
	return NULL;
}

int
ms_comment_before(const char *text, const char *statement)
{
	const char *end = statement;
	const char *p;

	while (end > text && strchr(" \t\n\r", end[-1]) != NULL)
		end--;
	if (end - text < 4 || end[-1] != '/' || end[-2] != '*')
		return 0;
	for (p = end - 4; p >= text; p--)
		if (p[0] == '/' && p[1] == '*')
			return statement - p;
	return 0;
}

/* end: where the statement ends, before a semicolon */
int
ms_comment_behind(const char *end)
{
	const char *p = end + 1;

	p += strspn(p, " \t\n\r;");
	if (p[0] != '/' || p[1] != '*')
		return 0;
	p = strstr(p + 2, "*/");
	if (p == NULL)
		return 0;
	p += 2;
	return p[strspn(p, " \t\n\r;")] == '\0' ? p - end : 0;
}
