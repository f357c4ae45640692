/*-------------------------------------------------------------------------
 *
 * unit.c
 *	  Tests of the pure C parts, without a server: TAP on standard output.
 *
 *		unit				all tests
 *		unit shape SQL		shape of SQL, once: for valgrind --tool=callgrind
 *
 * What the parts take from the server is imitated at the end; the encoding is
 * UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "parser/parser.h"

#include "unit.h"

/* src/include/port.h may have replaced them by functions of libpgport */
#undef printf
#undef vprintf
#undef fprintf
#undef vfprintf

static int	tests = 0;
static int	failures = 0;
static uint64 random_state = UINT64CONST(0x2545F4914F6CDD1D);

bool
check(bool passed, const char *name,...)
{
	va_list		args;

	tests++;
	if (!passed)
		failures++;
	printf("%sok %d - ", passed ? "" : "not ", tests);
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	printf("\n");
	return passed;
}

void
diag(const char *format,...)
{
	va_list		args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* xorshift64* */
uint64
random_bits(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64CONST(0x2545F4914F6CDD1D);
}

int
random_below(int n)
{
	return (int) ((random_bits() >> 33) % n);
}

double
random_share(void)
{
	return (double) (random_bits() >> 11) / (double) (UINT64CONST(1) << 53);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "shape") == 0)
		return measure_shape(argv[2]);
	if (argc != 1)
	{
		fprintf(stderr, "usage: %s [shape SQL]\n", argv[0]);
		return 2;
	}

	test_histogram();
	test_ratio();
	test_shape();
	printf("1..%d\n", tests);
	return failures > 0;
}

/*
 * The server.
 */
#ifndef standard_conforming_strings	/* a setting until 19 */
bool		standard_conforming_strings = true;
#endif

int
pg_mbcliplen(const char *mbstr, int len, int limit)
{
	int			clipped = 0;

	while (clipped < len && mbstr[clipped] != '\0')
	{
		unsigned char c = mbstr[clipped];
		int			l = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

		if (clipped + l > limit)
			break;
		clipped += l;
	}
	return clipped;
}

/* memory of the tests is never freed, but by those who allocate much */
void *
palloc(Size size)
{
	return malloc(size);
}

void
pfree(void *pointer)
{
	free(pointer);
}

char *
pstrdup(const char *in)
{
	return strcpy(palloc(strlen(in) + 1), in);
}

char *
psprintf(const char *fmt,...)
{
	char	   *result = palloc(1024);
	va_list		args;

	va_start(args, fmt);
	vsnprintf(result, 1024, fmt, args);
	va_end(args);
	return result;
}

#ifdef USE_ASSERT_CHECKING
#if PG_VERSION_NUM >= 160000
void
ExceptionalCondition(const char *condition, const char *file, int line)
#else
void
ExceptionalCondition(const char *condition, const char *type,
					 const char *file, int line)
#endif
{
	printf("Bail out! Assert(%s) failed at %s:%d\n", condition, file, line);
	fflush(stdout);
	abort();
}
#endif
