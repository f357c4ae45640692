/*-------------------------------------------------------------------------
 *
 * format.c
 *	  The forms that a report comes in, and its rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "compat.h"
#include "page/page.h"

static const char *const names[] = {"text", "json", "html"};

MSFormat
ms_report_format(text *name)
{
	char	   *given = text_to_cstring(name);

	for (int i = 0; i < lengthof(names); i++)
		if (pg_strcasecmp(given, names[i]) == 0)
			return (MSFormat) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized report format \"%s\"", given),
			 errhint("Available formats: text, json, html.")));
	return MS_TEXT;				/* keep compiler quiet */
}

static void
put_row(ReturnSetInfo *rsinfo, const char *row, int len)
{
	bool		null = false;
	Datum		value = PointerGetDatum(cstring_to_text_with_len(row, len));

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &null);
}

Datum
ms_report_rows(FunctionCallInfo fcinfo, MSFormat format, const char *report)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (format != MS_TEXT)
	{
		put_row(rsinfo, report, strlen(report));
		return (Datum) 0;
	}
	while (*report != '\0')
	{
		int			len = strcspn(report, "\n");

		put_row(rsinfo, report, len);
		report += len + (report[len] == '\n');
	}
	return (Datum) 0;
}
