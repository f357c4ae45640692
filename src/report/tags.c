/*-------------------------------------------------------------------------
 *
 * tags.c
 *	  What a client says of a statement in a comment, as a JSON object.
 *
 * Pairs, separated by commas: key='value', both URL-encoded (sqlcommenter), or
 * key:value (Rails, Marginalia).  A comment with anything else is no tags.
 * Only read where a view is; nothing of it is done while a statement runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "report/report_internal.h"
#include "shape/shape.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* decoded, if that gives text that this database can hold; else as it is */
static char *
url_decode(const char *from, int len)
{
	char	   *decoded = palloc(len + 1);
	int			n = 0;

	for (int i = 0; i < len; i++)
	{
		int			high = i + 2 < len && from[i] == '%' ? hex_digit(from[i + 1]) : -1;
		int			low = high >= 0 ? hex_digit(from[i + 2]) : -1;

		if (low < 0)
			decoded[n++] = from[i];
		else
		{
			decoded[n++] = high * 16 + low;
			i += 2;
		}
	}
	decoded[n] = '\0';
	if (strlen(decoded) != n || !pg_verifymbstr(decoded, n, true))
		return pnstrdup(from, len);
	return decoded;
}

static void
put_pair(StringInfo json, char *key, char *value)
{
	appendStringInfoString(json, json->len > 1 ? ", " : "");
	escape_json(json, key);
	appendStringInfoString(json, ": ");
	escape_json(json, value);
}

/* one pair, to its comma or the end; false where it is none */
static bool
read_pair(StringInfo json, const char **at, const char *end)
{
	const char *key = *at;
	const char *value;
	const char *stop;
	const char *p = key;

	while (p < end && *p != '=' && *p != ':' && *p != ',' && *p != '\'')
		p++;
	if (p == key || p == end || (*p != '=' && *p != ':'))
		return false;
	value = p + 1;
	if (*p == '=' && value < end && *value == '\'')
	{
		value++;
		for (stop = value; stop < end && *stop != '\''; stop++)
			if (*stop == '\\' && stop + 1 < end)
				stop++;
		if (stop == end)
			return false;
		*at = stop + 1;
		put_pair(json, url_decode(key, p - key), url_decode(value, stop - value));
		return true;
	}
	for (stop = value; stop < end && *stop != ','; stop++)
		 /* to the next pair */ ;
	*at = stop;
	while (stop > value && stop[-1] == ' ')
		stop--;
	put_pair(json, pnstrdup(key, p - key), pnstrdup(value, stop - value));
	return true;
}

/* the tags of a comment, without its signs: jsonb, 0 where it has none */
static Datum
parse_comment(const char *at, const char *end)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (;;)
	{
		while (at < end && *at == ' ')
			at++;
		if (!read_pair(&json, &at, end))
			return (Datum) 0;
		while (at < end && *at == ' ')
			at++;
		if (at == end)
			break;
		if (*at++ != ',')
			return (Datum) 0;
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

Datum
ms_tags(const char *text, int len)
{
	int			size;
	const char *comment = ms_comment(text, len, &size);

	if (comment == NULL)
		return (Datum) 0;
	return parse_comment(comment + 2, comment + size - 2);
}
