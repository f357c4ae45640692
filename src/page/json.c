/*-------------------------------------------------------------------------
 *
 * json.c
 *	  JSON, appended piece by piece: what begins an object or an array, and
 *	  ends it, is the caller's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"

#include "page/page.h"

void
ms_json_key(StringInfo buf, const char *key)
{
	char		last = buf->data[buf->len - 1];

	if (last != '{' && last != '[')
		appendStringInfoChar(buf, ',');
	if (key != NULL)
	{
		escape_json(buf, key);
		appendStringInfoChar(buf, ':');
	}
}

void
ms_json_int(StringInfo buf, const char *key, int64 value)
{
	ms_json_key(buf, key);
	appendStringInfo(buf, INT64_FORMAT, value);
}

void
ms_json_ms(StringInfo buf, const char *key, double ns)
{
	ms_json_key(buf, key);
	appendStringInfo(buf, "%.6f", ns / 1e6);
}

/* NULL: null */
void
ms_json_text(StringInfo buf, const char *key, const char *text)
{
	ms_json_key(buf, key);
	if (text == NULL)
		appendStringInfoString(buf, "null");
	else
		escape_json(buf, text);
}
