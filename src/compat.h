/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  The only place that knows PostgreSQL's version numbers.
 *
 * The code is written to the newest signature; older majors are adapted
 * here.  Below 13 is an error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_COMPAT_H
#define MS_COMPAT_H

#if PG_VERSION_NUM < 130000
#error "missing_symbol needs PostgreSQL 13 or later"
#endif

#include "utils/guc.h"

#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix)	EmitWarningsOnPlaceholders(prefix)
#endif

#if PG_VERSION_NUM < 160000
/* before 16 a check hook's extra is malloc'ed memory */
#define guc_malloc(elevel, size)	malloc(size)

/* 16 added an argument for details of an error */
typedef int DateTimeErrorExtra;
#define DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tzp, extra) \
	((void) (extra), DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tzp))
#define DateTimeParseError(dterr, extra, str, datatype, escontext) \
	DateTimeParseError(dterr, str, datatype)

/* 16 added soft errors; before, every error of an input function is hard */
#define ereturn(escontext, dummy_value, ...) \
	do { \
		(void) (escontext); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

#endif							/* MS_COMPAT_H */
