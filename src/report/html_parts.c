/*-------------------------------------------------------------------------
 *
 * html_parts.c
 *	  What the page's sections have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "page/page.h"
#include "report/report_internal.h"

#define SHOWN_TEXT		200		/* bytes of a statement; the rest is folded */
#define FULL_UNTIL		(1536 * 1024)	/* bytes of the page; then it is cut, */
#define SHOWN_UNTIL		(2304 * 1024)	/* and then more */
#define LEAST_TEXT		60

void
ms_report_statement(StringInfo page, const char *text)
{
	if (page->len > FULL_UNTIL)
		text = ms_page_clip(text, page->len > SHOWN_UNTIL ? LEAST_TEXT :
							SHOWN_TEXT);
	ms_page_statement(page, text, SHOWN_TEXT + 3);
}

void
ms_report_left_out(StringInfo page, int all, int shown, const char *what)
{
	if (all > shown)
		ms_page_note(page, psprintf("Left out: %d %s.", all - shown, what));
}
