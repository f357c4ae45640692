/*-------------------------------------------------------------------------
 *
 * text.c
 *	  Markup, and text in it.
 *
 * All that is not markup of this library's sources is hostile: statements,
 * labels, tags, names.  It gets into a page by ms_page_text() only, which
 * ms_page() calls for each %s.
 *
 * A page is pure ASCII, so that it is the same in whatever encoding a client
 * writes it into a file; other characters are references to their numbers.
 * Characters that no document may have, and those that would have a reader see
 * another order than there is, become U+FFFD.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "page/page.h"

#define REPLACEMENT		0xFFFD

/* may a document have it, and does it stand where it is seen? */
static bool
is_shown(pg_wchar c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	if (c >= 0x7F && c < 0xA0)
		return false;
	if ((c >= 0xD800 && c <= 0xDFFF) || (c >= 0xFDD0 && c <= 0xFDEF) ||
		(c & 0xFFFE) == 0xFFFE || c > 0x10FFFF)
		return false;
	/* marks, embeddings, overrides and isolates of direction */
	return !(c == 0x061C || c == 0x200E || c == 0x200F ||
			 (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069));
}

static void
append_ascii(StringInfo page, char c)
{
	switch (c)
	{
		case '&':
			appendStringInfoString(page, "&amp;");
			break;
		case '<':
			appendStringInfoString(page, "&lt;");
			break;
		case '>':
			appendStringInfoString(page, "&gt;");
			break;
		case '"':
			appendStringInfoString(page, "&quot;");
			break;
		case '\'':
			appendStringInfoString(page, "&#39;");
			break;
		default:
			if (is_shown((unsigned char) c))
				appendStringInfoChar(page, c);
			else
				appendStringInfo(page, "&#x%X;", REPLACEMENT);
	}
}

/* how many bytes the character has; 1 where they are none */
static int
append_character(StringInfo page, const unsigned char *at, int len)
{
	int			size = pg_utf_mblen(at);
	pg_wchar	c = REPLACEMENT;

	if (size > len || !pg_utf8_islegal(at, size))
		size = 1;
	else
		c = utf8_to_unicode(at);
	appendStringInfo(page, "&#x%X;", is_shown(c) ? c : REPLACEMENT);
	return size;
}

void
ms_page_text(StringInfo page, const char *text, int len)
{
	char	   *utf8 = (char *) text;

	/* of SQL_ASCII nobody knows what it is: probably this */
	if (GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		utf8 = pg_server_to_any(text, len, PG_UTF8);
		if (utf8 != text)
			len = strlen(utf8);
	}
	for (int i = 0; i < len && utf8[i] != '\0';)
	{
		if (IS_HIGHBIT_SET(utf8[i]))
			i += append_character(page, (unsigned char *) utf8 + i, len - i);
		else
			append_ascii(page, utf8[i++]);
	}
	if (utf8 != text)
		pfree(utf8);
}

/* one value, as the directive from % to its letter says */
static void
append_value(StringInfo page, const char *from, int len, va_list *values)
{
	char		directive[16];

	if (len >= (int) sizeof(directive))
		elog(ERROR, "markup has a directive of %d characters", len);
	memcpy(directive, from, len);
	directive[len] = '\0';
	switch (from[len - 1])
	{
		case 's':
			{
				const char *text = va_arg(*values, const char *);

				ms_page_text(page, text, strlen(text));
			}
			break;
		case 'd':
		case 'u':
			if (from[len - 2] != 'l')
				appendStringInfo(page, directive, va_arg(*values, int));
			else if (len > 2 && from[len - 3] == 'l')
				appendStringInfo(page, directive, va_arg(*values, long long));
			else
				appendStringInfo(page, directive, va_arg(*values, long));
			break;
		case 'f':
		case 'g':
			appendStringInfo(page, directive, va_arg(*values, double));
			break;
		default:
			elog(ERROR, "markup has the directive \"%s\"", directive);
	}
}

void
ms_page(StringInfo page, const char *markup,...)
{
	va_list		values;

	va_start(values, markup);
	while (*markup != '\0')
	{
		int			len = strcspn(markup, "%");

		appendBinaryStringInfo(page, markup, len);
		markup += len;
		if (*markup == '\0')
			break;
		if (markup[1] == '%')
		{
			appendStringInfoChar(page, '%');
			markup += 2;
			continue;
		}
		len = 2 + strspn(markup + 1, "0123456789.l");
		append_value(page, markup, len, &values);
		markup += len;
	}
	va_end(values);
}

char *
ms_page_clip(const char *text, int max)
{
	int			len = strlen(text);
	int			clipped = len <= max ? len : pg_mbcliplen(text, len, max);
	char	   *copy = psprintf("%.*s%s", clipped, text,
								clipped < len ? "..." : "");

	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\n' || *at == '\r' || *at == '\t')
			*at = ' ';
	return copy;
}

char *
ms_page_time(double ns)
{
	static const struct
	{
		double		ns;
		const char *unit;
	}			units[] = {{1e9, "s"}, {1e6, "ms"}, {0, "us"}};
	int			i = 0;
	double		value;

	/* 999.7 ms are not 1,000 ms */
	while (ns < units[i].ns * 0.9995)
		i++;
	value = ns / (units[i].ns > 0 ? units[i].ns : 1e3);
	return psprintf("%.*f %s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0,
					value, units[i].unit);
}
