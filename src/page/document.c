/*-------------------------------------------------------------------------
 *
 * document.c
 *	  A page's frame, and the parts that pages have in common.
 *
 * A page is one document that loads nothing: page.css and page.js are in it,
 * the same in every page.  It allows these two alone, by their hashes, so that
 * no text that got into it could do anything; whoever sends it with a policy
 * of his own allows the same two (the manual has them).  It has no attributes
 * with style or script in them, which no hash would allow; it is complete
 * without the script.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"	/* 19: get_database_name() */
#include "utils/timestamp.h"

#include "page/page.h"

/* made of page.css and page.js: see the Makefile */
static const char style[] = ""
#include "page/page.css.inc"
;
static const char script[] = ""
#include "page/page.js.inc"
;

/* as a Content-Security-Policy names what it allows */
static char *
hash_of(const char *content)
{
	Datum		hash = DirectFunctionCall1(sha256_bytea,
										   PointerGetDatum(cstring_to_text(content)));

	return TextDatumGetCString(DirectFunctionCall2(binary_encode, hash,
												   CStringGetTextDatum("base64")));
}

void
ms_page_begin(StringInfo page, const char *title)
{
	const char *database = get_database_name(MyDatabaseId);
	const char *now = timestamptz_to_str(GetCurrentTimestamp());

	ms_page(page,
			"<!DOCTYPE html>\n"
			"<html lang=\"en\">\n"
			"<head>\n"
			"<meta charset=\"utf-8\">\n"
			"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
			"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			"<meta name=\"color-scheme\" content=\"light dark\">\n"
			"<meta name=\"referrer\" content=\"no-referrer\">\n"
			"<title>%s</title>\n",
			hash_of(style), hash_of(script), title);
	appendStringInfo(page, "<style>%s</style>\n</head>\n<body>\n", style);
	ms_page(page, "<header>\n<h1>%s</h1>\n<p>Database %s, role %s, %s</p>\n</header>\n<main>\n",
			title, database ? database : "(dropped)",
			GetUserNameFromId(GetUserId(), false),
			pnstrdup(now, strcspn(now, ".")));
}

void
ms_page_end(StringInfo page)
{
	appendStringInfo(page, "</main>\n<script>%s</script>\n</body>\n</html>",
					 script);
}

void
ms_page_tiles(StringInfo page)
{
	ms_page(page, "<section id=\"summary\">\n<h2>Summary</h2>\n<dl class=\"tiles\">\n");
}

void
ms_page_tile(StringInfo page, const char *name, const char *value,
			 const char *note, const char *kind)
{
	if (kind != NULL)
		ms_page(page, "<div class=\"%s\">", kind);
	else
		appendStringInfoString(page, "<div>");
	ms_page(page, "<dt>%s</dt><dd>%s</dd>", name, value);
	if (note != NULL)
		ms_page(page, "<dd class=\"note\">%s</dd>", note);
	appendStringInfoString(page, "</div>\n");
}

void
ms_page_tiles_end(StringInfo page)
{
	appendStringInfoString(page, "</dl>\n</section>\n");
}

void
ms_page_section(StringInfo page, const char *id, const char *title)
{
	ms_page(page, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
}

void
ms_page_section_end(StringInfo page)
{
	appendStringInfoString(page, "</section>\n");
}

void
ms_page_note(StringInfo page, const char *note)
{
	ms_page(page, "<p class=\"note\">%s</p>\n", note);
}

void
ms_page_table(StringInfo page, const char *caption, bool sortable)
{
	appendStringInfoString(page, sortable ? "<table data-sortable>\n" :
						   "<table>\n");
	ms_page(page, "<caption>%s</caption>\n<thead><tr>", caption);
}

void
ms_page_head(StringInfo page, const char *name, bool number)
{
	appendStringInfoString(page, number ? "<th scope=\"col\" class=\"n\">" :
						   "<th scope=\"col\">");
	ms_page(page, "%s</th>", name);
}

void
ms_page_rows(StringInfo page)
{
	appendStringInfoString(page, "</tr></thead>\n<tbody>\n");
}

void
ms_page_table_end(StringInfo page)
{
	appendStringInfoString(page, "</tbody>\n</table>\n");
}

/* each one's end is its line's */
void
ms_page_remedy(StringInfo page, const char *statement)
{
	ms_page(page, "<pre class=\"remedy\"><code>%s</code></pre>\n", statement);
}

/* more than some bytes only where the reader asks for it */
void
ms_page_statement(StringInfo page, const char *text, int shown)
{
	if (strlen(text) <= shown)
		ms_page(page, "<code>%s</code>", text);
	else
		ms_page(page, "<details><summary><code>%s</code></summary><code class=\"whole\">%s</code></details>",
				ms_page_clip(text, shown), text);
}
