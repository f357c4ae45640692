/*-------------------------------------------------------------------------
 *
 * symbols.c
 *	  Sightings: requests for symbol files that a symbol server does not
 *	  have, counted by the rules of Mozilla's symbol server.
 *
 * A sighting is symbol, debugid, filename and, if the client knew them,
 * code_file and code_id.  Its key is one hash over what was given: a part
 * that is NULL is left out, one that is empty is not, so both hash apart;
 * both are stored as NULL.
 *
 * The rules, in the order in which that server applied them (its URL pattern,
 * its view, its store function):
 * - refused: a debugid that is not hexadecimal;
 * - ignored: files that debuggers always ask for and nobody has, a debugid of
 *   zeros, a filename of no kind of symbol file;
 * - refused: characters that no storage key should have, in symbol and
 *   filename;
 * - ignored: any part of more than 150 characters.
 *
 * Rules and hash look at UTF-8, whatever the database's encoding; what is
 * stored is what was given.  Nothing is copied where the encoding is UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/md5.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "apply/apply.h"
#include "calls/calls_internal.h"
#include "counter/counter.h"

#define MAX_CHARACTERS	150
#define HASH_LEN		32		/* hexadecimal digits of an MD5 sum */

/* what a sighting is made of; also the arguments of hash() and record() */
enum
{
	SYMBOL,
	DEBUGID,
	FILENAME,
	CODE_FILE,
	CODE_ID,
	PARTS
};

/* further arguments of record() */
enum
{
	BY = PARTS,
	TARGET
};

static const char *const argument_names[] = {
	"symbol", "debugid", "filename", "code_file", "code_id", "by", "target"
};

/* columns of a target; the parts follow the hash */
static const char *const column_names[] = {
	"hash", "symbol", "debugid", "filename", "code_file", "code_id"
};

typedef struct Part
{
	Datum		given;			/* as it will be stored */
	bool		isnull;
	const char *utf8;			/* not terminated */
	int			len;
} Part;

typedef enum SightingVerdict
{
	SIGHTING_OK,
	SIGHTING_IGNORED
} SightingVerdict;

PG_FUNCTION_INFO_V1(ms_hash);
PG_FUNCTION_INFO_V1(ms_record);

/* The parts of a sighting, from a function's first arguments. */
static void
read_parts(FunctionCallInfo fcinfo, Part *parts)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;

	for (int i = 0; i < PARTS; i++)
	{
		Part	   *part = &parts[i];
		text	   *value;

		part->isnull = PG_ARGISNULL(i);
		part->given = (Datum) 0;
		if (part->isnull)
			continue;
		value = PG_GETARG_TEXT_PP(i);
		part->given = PointerGetDatum(value);
		part->utf8 = VARDATA_ANY(value);
		part->len = VARSIZE_ANY_EXHDR(value);
		if (!utf8)
		{
			char	   *converted = pg_server_to_any(part->utf8, part->len,
													 PG_UTF8);

			/* the same pointer means: nothing to convert */
			if (converted != part->utf8)
			{
				part->utf8 = converted;
				part->len = strlen(converted);
			}
		}
	}
}

/* MD5 of the parts that are there, joined by colons, in hexadecimal. */
static void
hash_parts(const Part *parts, char *hex)
{
	char		stack[1024];
	char	   *buf = stack;
	char	   *p;
	size_t		size = 0;
	const char *separator = "";
	const char *error;

	for (int i = 0; i < PARTS; i++)
	{
		if (!parts[i].isnull)
			size += (size_t) parts[i].len + 1;
	}
	if (size > sizeof(stack))
		buf = MemoryContextAllocHuge(CurrentMemoryContext, size);

	p = buf;
	for (int i = 0; i < PARTS; i++)
	{
		if (parts[i].isnull)
			continue;
		if (*separator != '\0')
			*p++ = *separator;
		separator = ":";
		memcpy(p, parts[i].utf8, parts[i].len);
		p += parts[i].len;
	}
	if (!pg_md5_hash(buf, p - buf, hex, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute %s hash: %s", "MD5", error)));
	if (buf != stack)
		pfree(buf);
}

/*
 * hash(symbol, debugid, filename, code_file, code_id): the key of a sighting,
 * bit for bit that of the old service.
 */
Datum
ms_hash(PG_FUNCTION_ARGS)
{
	Part		parts[PARTS];
	char		hex[HASH_LEN + 1];

	read_parts(fcinfo, parts);
	hash_parts(parts, hex);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(hex, HASH_LEN));
}

/*
 * The rules
 */

static bool
equals(const Part *part, const char *str)
{
	return part->len == strlen(str) && memcmp(part->utf8, str, part->len) == 0;
}

static bool
ends_with(const Part *part, const char *suffix)
{
	int			len = strlen(suffix);

	return part->len >= len &&
		memcmp(part->utf8 + part->len - len, suffix, len) == 0;
}

static void
check_hexadecimal(const Part *part, const char *name)
{
	bool		good = part->len > 0;

	for (int i = 0; i < part->len && good; i++)
	{
		unsigned char c = part->utf8[i];

		good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
			(c >= 'A' && c <= 'F');
	}
	if (!good)
	{
		char	   *given = TextDatumGetCString(part->given);

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of a sighting is not hexadecimal: \"%.*s\"", name,
						pg_mbcliplen(given, strlen(given), 100), given),
				 errhint("A debug id has hexadecimal digits only, without hyphens: 32 and those of the age, as a rule.")));
	}
}

/*
 * Refuse control characters, U+0080 to U+00FF and the punctuation that must
 * not be in a storage key.
 */
#define BIT(c)	(UINT64CONST(1) << ((c) & 63))

static void
check_characters(const Part *part, const char *name)
{
	static const uint64 refused[2] = {
		UINT64CONST(0xffffffff) | BIT('"') | BIT('#') | BIT('%') | BIT('\'') |
		BIT('<') | BIT('>'),
		BIT('[') | BIT('\\') | BIT(']') | BIT('^') | BIT('`') | BIT('{') |
		BIT('|') | BIT('}') | BIT('~') | BIT(0x7f)
	};

	for (int i = 0; i < part->len; i++)
	{
		unsigned char c = part->utf8[i];
		bool		bad;

		/* 0xc2 and 0xc3 lead U+0080 to U+00FF, and nothing else */
		if (likely(c < 0x80))
			bad = (refused[c >> 6] >> (c & 63)) & 1;
		else
			bad = c == 0xc2 || c == 0xc3;
		if (unlikely(bad))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s of a sighting has an invalid character: U+%04X",
							name,
							utf8_to_unicode((const unsigned char *) part->utf8 + i)),
					 errdetail("Refused are control characters, U+0080 to U+00FF and \\ ^ ` > < { } [ ] # %% \" ' ~ |")));
	}
}

static bool
is_too_long(const Part *part)
{
	int			characters = 0;

	if (likely(part->len <= MAX_CHARACTERS))
		return false;
	for (int i = 0; i < part->len; i++)
		characters += (part->utf8[i] & 0xc0) != 0x80;
	return characters > MAX_CHARACTERS;
}

/* Is the file of a kind that the server has at all? */
static bool
is_symbol_file(const Part *filename)
{
	static const char *const suffixes[] = {
		".sym", ".dl_", ".ex_", ".pd_", ".dbg.gz", ".tar.bz2"
	};

	for (int i = 0; i < lengthof(suffixes); i++)
	{
		if (ends_with(filename, suffixes[i]))
			return true;
	}
	return false;
}

/* Apply the rules: an error for what is refused. */
static SightingVerdict
check_sighting(const Part *parts)
{
	check_hexadecimal(&parts[DEBUGID], argument_names[DEBUGID]);

	if (equals(&parts[FILENAME], "file.ptr") ||
		equals(&parts[DEBUGID], "000000000000000000000000000000000") ||
		!is_symbol_file(&parts[FILENAME]))
		return SIGHTING_IGNORED;

	check_characters(&parts[SYMBOL], argument_names[SYMBOL]);
	check_characters(&parts[FILENAME], argument_names[FILENAME]);

	for (int i = 0; i < PARTS; i++)
	{
		if (!parts[i].isnull && is_too_long(&parts[i]))
			return SIGHTING_IGNORED;
	}
	return SIGHTING_OK;
}

/*
 * record(symbol, debugid, filename, code_file, code_id, by, target): count a
 * sighting; the new count, or NULL where it was not counted.
 */
Datum
ms_record(PG_FUNCTION_ARGS)
{
	static const int required[] = {SYMBOL, DEBUGID, FILENAME, BY, TARGET};
	Part		parts[PARTS];
	Datum		values[lengthof(column_names)];
	bool		isnull[lengthof(column_names)];
	union
	{
		text		text;
		char		bytes[VARHDRSZ + HASH_LEN + 1];
	}			hash;
	int64		count;

	for (int i = 0; i < lengthof(required); i++)
	{
		if (PG_ARGISNULL(required[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" of record() must not be null",
							argument_names[required[i]])));
	}
	ms_check_by(PG_GETARG_INT64(BY));
	read_parts(fcinfo, parts);

	if (check_sighting(parts) == SIGHTING_IGNORED)
	{
		MSResult	result;

		ms_result_none(MS_IGNORED, &result);
		ms_set_last_increment(&result);
		PG_RETURN_NULL();
	}

	hash_parts(parts, VARDATA(&hash.text));
	SET_VARSIZE(&hash.text, VARHDRSZ + HASH_LEN);
	values[0] = PointerGetDatum(&hash.text);
	isnull[0] = false;
	for (int i = 0; i < PARTS; i++)
	{
		values[i + 1] = parts[i].given;
		isnull[i + 1] = parts[i].isnull || parts[i].len == 0;
	}
	/* only details may be missing: an empty symbol is one */
	isnull[SYMBOL + 1] = false;

	if (!ms_increment_texts(PG_GETARG_OID(TARGET), column_names,
							lengthof(column_names), values, isnull,
							PG_GETARG_INT64(BY), &count))
		PG_RETURN_NULL();
	PG_RETURN_INT64(count);
}
