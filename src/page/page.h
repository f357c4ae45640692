/*-------------------------------------------------------------------------
 *
 * page.h
 *	  What reports are written in: HTML pages, and JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_PAGE_H
#define MS_PAGE_H

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "compat.h"

MS_INSIDE_BEGIN

/*
 * text.c: markup and text.
 */

/*
 * Appends markup.  As appendStringInfo, but that what %s stands for is text,
 * and escaped, whoever wrote it.  No other letters than s, d, u, f and g, with
 * precision or 'l' if need be.
 */
extern void ms_page(StringInfo page, const char *markup,...) pg_attribute_printf(2, 3);

/* text of the database's encoding, escaped */
extern void ms_page_text(StringInfo page, const char *text, int len);

/* a copy of a text of at most so many bytes and an ellipsis, in one line */
extern char *ms_page_clip(const char *text, int max);

/* a duration to be read: 12.3 us, 4.56 ms, 7.89 s */
extern char *ms_page_time(double ns);

/*
 * document.c: what is around it, and the parts that pages have in common.
 * Arguments are text; what a part has in it is written in between.
 */
extern void ms_page_begin(StringInfo page, const char *title);
extern void ms_page_end(StringInfo page);

/* figures at the top; note: may be NULL; kind: a class of the style, or NULL */
extern void ms_page_tiles(StringInfo page);
extern void ms_page_tile(StringInfo page, const char *name, const char *value,
						 const char *note, const char *kind);
extern void ms_page_tiles_end(StringInfo page);

/* a section with a heading; id: to be linked to */
extern void ms_page_section(StringInfo page, const char *id,
							const char *title);
extern void ms_page_section_end(StringInfo page);
extern void ms_page_note(StringInfo page, const char *note);

/* a table: its columns, then its rows */
extern void ms_page_table(StringInfo page, const char *caption, bool sortable);
extern void ms_page_head(StringInfo page, const char *name, bool number);
extern void ms_page_rows(StringInfo page);
extern void ms_page_table_end(StringInfo page);

/* a statement to be copied */
extern void ms_page_remedy(StringInfo page, const char *statement);

/* a statement to be read, folded to so many bytes */
extern void ms_page_statement(StringInfo page, const char *text, int shown);

/*
 * format.c: the forms that a report comes in, and its rows: of text one for
 * each line, else one.
 */
typedef enum MSFormat
{
	MS_TEXT,
	MS_JSON,
	MS_HTML
} MSFormat;

extern MSFormat ms_report_format(text *name);
extern Datum ms_report_rows(FunctionCallInfo fcinfo, MSFormat format,
							const char *report);

/*
 * json.c: a key, or NULL in an array, and its value
 */
extern void ms_json_key(StringInfo buf, const char *key);
extern void ms_json_int(StringInfo buf, const char *key, int64 value);
extern void ms_json_ms(StringInfo buf, const char *key, double ns);
extern void ms_json_text(StringInfo buf, const char *key, const char *text);

MS_INSIDE_END

#endif							/* MS_PAGE_H */
