/*-------------------------------------------------------------------------
 *
 * unit_shape.c
 *	  Shapes: a table of texts and what they become, what must and must not
 *	  be one shape, and random texts that must hold the promises.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "parser/parser.h"

#include "unit.h"

/* a shape is at most twice as long as its text, and a little */
#define TEXT_MAX		1024
#define SHAPE_MAX		(3 * TEXT_MAX)

#define RANDOM_RUNS		100000

typedef struct Shape
{
	uint64		hash;
	uint64		params;
	char		text[SHAPE_MAX];
} Shape;

static Shape
shape_of(const char *sql)
{
	Shape		shape;

	shape.hash = ms_shape(sql, strlen(sql), shape.text, SHAPE_MAX,
						  &shape.params);
	return shape;
}

/* what a text becomes */
static const struct
{
	const char *sql;
	const char *shape;
}			shapes[] =
{
	{"", ""},
	{" \t\r\n\f\v ", ""},
	{"SELECT 1", "select ?"},
	{"select  *\nfrom t where id=42", "select * from t where id = ?"},
	{"SELECT count(*) FROM Foo.Bar AS B;", "select count(*) from foo.bar as b"},
	{"select a.b , c [ 1 ] from t", "select a.b, c[?] from t"},

	/* numbers */
	{"select 1, 1.5, .5, 5., 1e-3, 1E+3, 1.5e10, 0x1F, 0b101, 0o17, 1_000",
	"select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"},
	{"select 1..2", "select ?..?"},
	{"select 0x", "select ? x"},
	{"select 1e", "select ? e"},
	{"select 1.5.3", "select ? ?"},
	{"select t1.c2 from t1", "select t1.c2 from t1"},
	{"select $1, $23::int", "select ?, ?::int"},

	/* signs */
	{"select -1, +1, - 1, - -1, -/* */1", "select ?, ?, ?, ?, ?"},
	{"select a-1, a -1, a - -1, 2-1, (a)-1, a[1]-1",
	"select a - ?, a - ?, a - ?, ? - ?, (a) - ?, a[?] - ?"},
	{"where a=-1 and b>-1 and c between -1 and -2",
	"where a = ? and b > ? and c between ? and ?"},
	{"select case when a then -1 else -2 end -3",
	"select case when a then ? else ? end - ?"},
	{"select -a, - -a", "select - a, - - a"},
	{"select \"a\"-1", "select \"a\" - ?"},
	{"select @-1, a*-1", "select @- ?, a * ?"},
	{"limit -1 offset +1", "limit ? offset ?"},

	/* strings */
	{"select 'a', 'it''s', '', ''''", "select ?, ?, ?, ?"},
	{"select 'back\\', 'slash'", "select ?, ?"},
	{"select E'it\\'s', e'\\\\', E'a''b'", "select ?, ?, ?"},
	{"select B'01', x'1F', N'n', U&'\\0061', u&'x' uescape '!'",
	"select ?, ?, ?, ?, ? uescape ?"},
	{"select 'a'\n  'b'\r'c', 'd'", "select ?, ?"},
	{"select 'a' -- comment\n 'b'", "select ?"},
	{"select 'a' 'b'", "select ? ?"},
	{"select 'a' -- comment", "select ?"},
	{"select e'a'\n'\\'b'", "select ?"},
	{"select 'open", "select ?"},
	{"select e'open\\", "select ?"},
	{"select date '2020-01-01', interval '1' day",
	"select date ?, interval ? day"},
	{"select foo'x', see'x'", "select foo ?, see ?"},

	/* dollars */
	{"do $$begin null; end$$", "do ?"},
	{"select $a$ $$ $b$ $a$, $$$$", "select ?, ?"},
	{"select $a$ $a$b$c$", "select ? b$c$"},
	{"select a$1, a$b$c from t", "select a$1, a$b$c from t"},
	{"select $a$ open $a", "select ?"},
	{"select $a from t", "select $ a from t"},
	{"select $", "select $"},

	/* comments */
	{"select /* a /* nested */ b */ 1 -- rest\n, 2", "select ?, ?"},
	{"/* app:web */ select 1 /* open", "select ?"},
	{"select a--1\n-b", "select a - b"},
	{"select a/**/b", "select a b"},
	{"select 1+/* */2, 3+-- \n4", "select ? + ?, ? + ?"},

	/* names */
	{"SELECT \"Foo\".\"b\"\"B\", \"\" FROM \"T 1\"",
	"select \"Foo\".\"b\"\"B\", \"\" from \"T 1\""},
	{"select U&\"d\\0061\" uescape '!'", "select U&\"d\\0061\" uescape ?"},
	{"select u&b", "select u & b"},
	{"select \"open", "select \"open"},
	{"INSERT INTO \"T\" (\"A\") VALUES (1)",
	"insert into \"T\" (\"A\") values (?)"},
	{"select \303\204pfel, \"\303\204\", '\303\204'",
	"select \303\204pfel, \"\303\204\", ?"},
	{"select t.in, t.values (1), (1)", "select t.in, t.values(?), (?)"},
	{"select averylongfunctionname(X), ABCDEFGH, abcdefghI",
	"select averylongfunctionname(x), abcdefgh, abcdefghi"},

	/* operators */
	{"select a->>'b', a#>>'{1}', a @> b, a<=b, a<>b, !!c",
	"select a ->> ?, a #>> ?, a @> b, a <= b, a <> b, !! c"},
	{"select a::text[], 'x'::varchar(10), a :: int",
	"select a::text[], ?::varchar(?), a::int"},
	{"select a ? 'b', a ?| b, a?&b", "select a ? ?, a ?| b, a ?& b"},
	{"select f(a => 1, b := 2), c[1:2]",
	"select f(a => ?, b := ?), c[? : ?]"},
	{"select a operator(pg_catalog.+) b", "select a operator(pg_catalog.+) b"},
	{"select a=-b, a<+b", "select a = - b, a < + b"},
	{"select (a)(b), [x], {y}, \\z", "select (a) (b), [x], { y }, \\ z"},

	/* true, false and null */
	{"select true, FALSE, Null", "select ?, ?, ?"},
	{"where a is null and b is not null and c is true and d = false",
	"where a is null and b is not null and c is true and d = ?"},
	{"update t set a = null, b = true", "update t set a = ?, b = ?"},
	{"create table t (a int not null references u on delete set null)",
	"create table t(a int not null references u on delete set null)"},
	{"select t.null, 1 as true", "select t.null, ? as true"},
	{"where a is distinct from null", "where a is distinct from ?"},

	/* lists */
	{"where a IN (1, 2, 3)", "where a in (?)"},
	{"where a not in (-1, 'a', null, $1)", "where a not in (?)"},
	{"where a in ('1'::uuid, '2'::uuid)", "where a in (?::uuid)"},
	{"where a in (b, 1, 2, c, 3, d)", "where a in (b, ?, c, ?, d)"},
	{"where a in (lower('A'), lower('B'))", "where a in (lower(?))"},
	{"where (a, b) in ((1, 2), (3, 4))", "where (a, b) in ((?, ?))"},
	{"where a in (select 1, 2)", "where a in (select ?, ?)"},
	{"where a in (select b from t where c in (1, 2))",
	"where a in (select b from t where c in (?))"},
	{"where a in (values (1), (2))", "where a in (values (?))"},
	{"where a in ()", "where a in ()"},
	{"where a = any(array[1,2,3])", "where a = any(array[?])"},
	{"select ARRAY[[1, 2], [3, 4]], array[a, b], array[a[1], a[1]]",
	"select array[[?]], array[a, b], array[a[?]]"},
	{"select f(1, 2), (1, 2), row(1, 2)", "select f(?, ?), (?, ?), row(?, ?)"},
	{"where a in (1, 2", "where a in (?"},
	{"where a in (1, 2]", "where a in (?]"},
	{"insert into t values (1, 'a'), (2, 'b'), (3, 'c') returning id",
	"insert into t values (?, ?) returning id"},
	{"insert into t values (1), (2, 3), (4, 5), (6)",
	"insert into t values (?), (?, ?), (?)"},
	{"insert into t values (1, now(), array[1, 2]), (2, now(), array[3])",
	"insert into t values (?, now(), array[?])"},
	{"insert into t values (default, 1), (default, 2) on conflict (a) do "
		"update set b = excluded.b, c = 1",
		"insert into t values (?, ?) on conflict (a) do "
	"update set b = excluded.b, c = ?"},
	{"select * from (values (1, 'a'), (2, 'b')) v (a, b), (values (1)) w",
	"select * from (values (?, ?)) v(a, b), (values (?)) w"},
	{"values (1), (2); values (3), (4)", "values (?); values (?)"},

	{"insert into t values (default, 1), (2, default), (3, 4)",
	"insert into t values (?, ?)"},
	{"insert into t (a) values (default) returning a default",
	"insert into t(a) values (?) returning a default"},

	/* arms */
	{"select case when id = 1 then 'a' when id = 2 then 'b' else x end from t",
	"select case when id = ? then ? else x end from t"},
	{"update t set a = case id when 1 then 2 when 3 then 4 end - 1",
	"update t set a = case id when ? then ? end - ?"},
	{"case when a = 1 then 2 when b = 1 then 2 when b = 3 then 4 end",
	"case when a = ? then ? when b = ? then ? end"},
	{"case when a = 1 or a = 2 then case when b then 1 when b then 2 end end",
	"case when a = ? then case when b then ? end end"},
	{"select (case when a then 1 when a then 2), 3",
	"select (case when a then ?), ?"},
	{"select t.case, t.end, t.or, t.when from t",
	"select t.case, t.end, t.or, t.when from t"},
	{"merge into t using u on a = b when matched then delete when matched then "
		"do nothing",
		"merge into t using u on a = b when matched then delete when matched then "
	"do nothing"},
	{"select a from t where a = 1 or a = 2 or a = 3 order by a limit 1",
	"select a from t where a = ? order by a limit ?"},
	{"select a from t where c = 0 and ((a = 1 and b = 2) or (a = 3 and b = 4))",
	"select a from t where c = ? and ((a = ? and b = ?))"},
	{"where a = 1 or b = 2 or b = 3 or a = 4",
	"where a = ? or b = ? or a = ?"},
	{"select a = 1 or a = 2 or a = 3, b or b from t",
	"select a = ? or a = ?, b or b from t"},
	{"a join b on a.x = 1 or a.x = 2 join c on true where d or d group by e",
	"a join b on a.x = ? join c on true where d group by e"},
	{"where a in (1, 2) or a in (3) or f(x or x, y)",
	"where a in (?) or f(x or x, y)"},
	{"select 1 union all select 2 union all select 3 order by 1",
	"select ? order by ?"},
	{"insert into t select 1, 'a' union all select 2, 'b' returning id",
	"insert into t select ?, ? returning id"},
	{"(select a from t where b = 1) union all (select a from t where b = 2)",
	"(select a from t where b = ?)"},
	{"select * from ((select 1) union all (select 2) union all (select 3)) x",
	"select * from ((select ?)) x"},
	{"select 1 union select 2", "select ? union select ?"},
	{"select 1 union select 2 union all select 3 union all select 4",
	"select ? union select ? union all select ?"},
	{"select 1 union all select 2 except all select 3 union all select 4",
	"select ? except all select ? union all select ?"},
	{"select a from t where b = (select 1 union all select 2) or b = (select 3)",
	"select a from t where b = (select ?)"},
	{"select a from t union all select a from t where x or x",
	"select a from t union all select a from t where x"},

	/* statements */
	{"select 1;;; ;", "select ?"},
	{" ; select 1 ; ; select 2", "select ?; select ?"},
	{"a; -1", "a; ?"},
	{"SAVEPOINT \"s1_x2\"", "savepoint ?"},
	{"release savepoint s1; release s1", "release savepoint ?; release ?"},
	{"rollback to savepoint s1; ROLLBACK TO s1; rollback work",
	"rollback to savepoint ?; rollback to ?; rollback work"},
	{"declare \"c_1\" no scroll cursor for select a from t",
	"declare ? no scroll cursor for select a from t"},
	{"fetch forward 2000 from \"c_1\"; close \"c_1\"; close all",
	"fetch forward ? from ?; close ?; close all"},
	{"deallocate prepare x; deallocate x; deallocate all",
	"deallocate prepare ?; deallocate ?; deallocate all"},
	{"select close from t where savepoint = declare",
	"select close from t where savepoint = declare"},
	{"prepare p as select $1", "prepare ? as select ?"},
	{"prepare \"p 1\" (int, text) as select $1",
	"prepare ? (int, text) as select ?"},
	{"prepare transaction 'x'", "prepare transaction ?"},
	{"execute p1 (1, 'a'); execute p2", "execute ? (?, ?); execute ?"},
	{"fetch 5 c; fetch c1; fetch next c; move forward all in \"c\"; fetch next",
	"fetch ? ?; fetch ?; fetch next ?; move forward all in ?; fetch next"},
	{"fetch absolute 1 from c; fetch prior from c; fetch backward 2 c",
	"fetch absolute ? from ?; fetch prior from ?; fetch backward ? ?"},
	{"update t set a = 1 where current of c_17",
	"update t set a = ? where current of ?"},
	{"select a from t for update of t", "select a from t for update of t"},
	{"create temp table tmp_3f (a int)", "create temp table ? (a int)"},
	{"create local temporary table if not exists \"tmp 3f\" as select 1",
	"create local temporary table if not exists ? as select ?"},
	{"create or replace temp view v as select 1; create table t (a int)",
	"create or replace temp view ? as select ?; create table t(a int)"},
	{"drop table pg_temp.tmp_3f; select * from pg_temp.\"a\" where b.pg_temp",
	"drop table pg_temp.?; select * from pg_temp.? where b.pg_temp"},
	{"explain (analyze) select 1", "explain (analyze) select ?"},
};

/* one shape: same hash; other shapes: other hashes */
static const struct
{
	bool		same;
	bool		same_params;
	const char *a;
	const char *b;
}			pairs[] =
{
	{true, true, "select a=1", "SELECT a = 1 ;"},
	{true, true, "select 1 -- x", "select /* y */ 1"},
	{true, false, "select 1", "select 2"},
	{true, false, "select 1", "select -1"},
	{true, false, "select 1", "select '1'"},
	{true, false, "select 1, 2", "select 2, 1"},
	{true, false, "select $1, $2", "select $2, $1"},
	{true, false, "select true", "select false"},
	{true, false, "in (1, 2)", "in (1, 2, 3)"},
	{true, false, "in (1, 2)", "in (1)"},
	{true, false, "values (1, 2)", "values (1, 2), (3, 4)"},
	{true, false, "savepoint a", "savepoint \"b\""},
	{true, false, "where a = 1", "where a = 1 or a = 2"},
	{true, false, "case when a = 1 then 2 end",
	"case when a = 1 then 2 when a = 3 then 4 end"},
	{true, false, "select 1", "select 1 union all select 2"},
	{true, false, "fetch 5 c", "fetch 7 d"},
	{false, false, "select 1", "select 1 union select 2"},
	{false, false, "where a = 1", "where a = 1 or b = 2"},
	{false, true, "case when a then b end", "case when a then c end"},
	{false, true, "case when a then b else c end",
	"case when a then b when a then c end"},
	{true, true, "select a from t", "SELECT A FROM T"},
	{true, true, "f (x)", "f(x)"},
	{false, true, "select \"a\"", "select a"},
	{false, true, "select \"a\"", "select \"A\""},
	{false, true, "select a", "select b"},
	{false, true, "select a", "select aa"},
	{false, true, "select ab", "select a b"},
	{false, true, "select abcdefgh", "select abcdefg"},
	{false, true, "select abcdefghi", "select abcdefgh i"},
	{false, true, "a is null", "a is true"},
	{false, true, "a < b", "a > b"},
	{true, true, "a < - b", "a <- b"},
	{false, true, "a @ - b", "a @- b"},
	{false, true, "select a -> b", "select a ->> b"},
	{false, false, "f(1)", "f(1, 2)"},
	{false, false, "values (1)", "values (1, 2)"},
	{false, true, "a in (b, c)", "a in (b)"},
	{false, true, "in ((1, 2))", "in (1, 2)"},
	{false, true, "select 1; select 2", "select 1 select 2"},
	{false, true, "a, b", "b, a"},
	{false, true, "(a)", "a"},
	{false, true, "((a), b)", "((a, b))"},
};

static void
test_tables(void)
{
	for (int i = 0; i < lengthof(shapes); i++)
	{
		Shape		shape = shape_of(shapes[i].sql);

		if (!check(strcmp(shape.text, shapes[i].shape) == 0,
				   "becomes: %s", shapes[i].shape))
			diag("got: %s", shape.text);
	}

	for (int i = 0; i < lengthof(pairs); i++)
	{
		Shape		a = shape_of(pairs[i].a);
		Shape		b = shape_of(pairs[i].b);

		if (!check((a.hash == b.hash) == pairs[i].same &&
				   (strcmp(a.text, b.text) == 0) == pairs[i].same,
				   "%s: %s | %s", pairs[i].same ? "one shape" : "two shapes",
				   pairs[i].a, pairs[i].b))
			diag("got: %s | %s", a.text, b.text);
		check((a.params == b.params) == pairs[i].same_params,
			  "%s constants: %s | %s",
			  pairs[i].same_params ? "the same" : "other",
			  pairs[i].a, pairs[i].b);
	}

	check(shape_of("select a from t").params == 0,
		  "no constants have the hash 0");
	check(shape_of("select 1").params != 0, "a constant has another");
}

/* what the words say */
static const struct
{
	const char *sql;
	int			words;
}			sayings[] =
{
	{"select 1", MS_SAYS_PING},
	{"SELECT current_schema, now(), pg_catalog.version()", MS_SAYS_PING},
	{"select 'from'; -- from", MS_SAYS_PING},
	{"select 1 from t", 0},
	{"select f(1)", MS_SAYS_CALL},
	{"select \"F\" (1)", MS_SAYS_CALL},
	{"select set_config('a', 'b', false), set_config('c', $1, true)",
	MS_SAYS_SETTING},
	{"select set_config('a', 'b', false) from t",
	MS_SAYS_CALL | MS_SAYS_VOLATILE},
	{"select a from t where b in ($1)", 0},
	{"select a from t where b in ($1, $2)", MS_SAYS_LIST},
	{"select a from t where b in (select c, d from e)", 0},
	{"select a from t where b = any ($1)", MS_SAYS_LIST},
	{"update t set a = 1 where id >= 2 and id < $1", MS_SAYS_RANGE},
	{"select a from t where 5 > b", MS_SAYS_RANGE},
	{"select a from t where (a, b) < ($1, $2)", MS_SAYS_RANGE},
	{"select a from t where a > b", 0},
	{"select a from t where a between b and c", MS_SAYS_RANGE},
	{"select a from t fetch first 5 rows only", MS_SAYS_LIMIT},
	{"delete from t where a in (select a from t limit 5)", MS_SAYS_LIMIT},
	{"select missing_symbol.increment('t', 1)", MS_SAYS_CALL | MS_SAYS_COUNTS},
	{"select nextval('s')",
	MS_SAYS_CALL | MS_SAYS_VOLATILE | MS_SAYS_SEQUENCE},
	{"select t.nextval, t.limit, t.from from t", 0},
};

/* comments: what is found */
static const struct
{
	const char *sql;
	const char *comment;
}			comments[] =
{
	{"select 1", NULL},
	{"select 1 /* a */", "/* a */"},
	{"/* a */ select 1", "/* a */"},
	{"/* a */ select 1 /* b */", "/* b */"},
	{"/*+ hint */ select 1", NULL},
	{"select 1 /*+ hint */", NULL},
	{"/*+ hint */ select 1 /*b*/", "/*b*/"},
	{"/**/", "/**/"},
	{"/*/", NULL},
	{"select 1 */", NULL},
	{"/* open", NULL},
};

static void
test_words(void)
{
	for (int i = 0; i < lengthof(sayings); i++)
	{
		int			words = ms_shape_words(sayings[i].sql,
										   strlen(sayings[i].sql));

		if (!check(words == sayings[i].words, "says: %s", sayings[i].sql))
			diag("got: %x, not %x", words, sayings[i].words);
	}
	for (int i = 0; i < lengthof(comments); i++)
	{
		int			size = 0;
		const char *comment = ms_comment(comments[i].sql,
										 strlen(comments[i].sql), &size);

		check(comment == NULL ? comments[i].comment == NULL :
			  comments[i].comment != NULL &&
			  size == strlen(comments[i].comment) &&
			  memcmp(comment, comments[i].comment, size) == 0,
			  "comment of: %s", comments[i].sql);
	}
	{
		static const char text[] = "a; /* a */ b";
		static const char open[] = "a */ b";

		check(ms_comment_before(text, text + 11) == 8,
			  "a comment before a statement");
		check(ms_comment_before(text, text + 3) == 0, "none is there");
		check(ms_comment_before(open, open + 5) == 0, "none begins");
	}
	check(ms_comment_behind("; /* a */ ;") == 9, "a comment behind a semicolon");
	check(ms_comment_behind("; /* a */ select") == 0, "a statement is there");
	check(ms_comment_behind(";") == 0, "nothing is there");
	check(ms_comment_behind("; /* open") == 0, "an open comment is there");
}

static void
test_standard_conforming_strings(void)
{
	const char *sql = "select 'a\\'b', N'\\'', x'\\', c'";

#ifndef standard_conforming_strings
	standard_conforming_strings = false;
	check(strcmp(shape_of(sql).text, "select ?, ?, ?, c ?") == 0,
		  "standard_conforming_strings off: a backslash escapes");
	standard_conforming_strings = true;
#endif
	check(strcmp(shape_of(sql).text, "select ? b ?, x ?, c ?") != 0 &&
		  strcmp(shape_of("select 'a\\', b").text, "select ?, b") == 0,
		  "standard_conforming_strings on: it does not");
}

/*
 * The promises, for any text of len bytes.  It is copied to the end of memory
 * of its exact size, so that a sanitizer sees a read beyond it.
 */
static bool
promises_hold(const char *sql, int len)
{
	char	   *exact = malloc(len);
	char	   *cut;
	Shape		whole;
	Shape		again;
	uint64		params;
	int			size;
	int			full;
	int			cut_len;
	bool		passed;

	memcpy(exact, sql, len);
	memset(whole.text, 'x', SHAPE_MAX);
	whole.hash = ms_shape(exact, len, whole.text, SHAPE_MAX, &whole.params);
	full = strlen(whole.text);

	/* the shape of a shape is itself */
	again = shape_of(whole.text);
	passed = again.hash == whole.hash && strcmp(again.text, whole.text) == 0;

	/* a cut changes no hash, and cuts */
	size = 1 + random_below(full + 2);
	cut = malloc(size);
	passed &= ms_shape(exact, len, cut, size, &params) == whole.hash &&
		params == whole.params;
	cut_len = strlen(cut);
	passed &= strncmp(cut, whole.text, cut_len) == 0;
	if (size > full)
		passed &= cut_len == full;
	else
		passed &= cut_len < size && cut_len >= size - 4;

	if (!passed)
	{
		diag("text:  %.*s", len, sql);
		diag("shape: %s", whole.text);
		diag("again: %s", again.text);
		diag("cut:   %s", cut);
	}
	free(exact);
	free(cut);
	return passed;
}

/* bytes: any, or those that mean something */
static int
random_text(char *text)
{
	static const char signs[] =
		"''\"\"$$$(((()))[][],;::...-+*/<>=?|&@#!~%^`_ \n\teEuUbBxXnN01abA\\\303";
	int			len = random_below(80);
	bool		any = random_below(4) == 0;

	for (int i = 0; i < len; i++)
		text[i] = any ? (char) random_below(256) :
			signs[random_below(sizeof(signs) - 1)];
	return len;
}

/* words and signs in any order */
static int
random_tokens(char *text)
{
	static const char *const tokens[] = {
		"select", "in", "values", "array", "null", "true", "is", "not", "set",
		"on", "as", "savepoint", "release", "rollback", "to", "fetch", "from",
		"close", "declare", "deallocate", "prepare", "all", "with", "default",
		"a", "B", "\"q\"", "1", "-1", "'s'", "e'\\''", "$1", "$$x$$", "?",
		"(", "(", "(", ")", ")", ")", "[", "]", ",", ",", ",", ";", ".", "::",
		"case", "case", "when", "when", "then", "else", "end", "end", "or", "or",
		"union", "union all", "except", "where", "limit", "create", "temp",
		"table", "pg_temp", "current", "of", "execute", "fetch", "next",
		":", ":=", "=", "-", "+", "*", "?|", "@", "/* */", "-- \n", "u&", "\n"
	};
	int			count = random_below(40);
	int			len = 0;

	for (int i = 0; i < count; i++)
	{
		const char *token = tokens[random_below(lengthof(tokens))];

		len += sprintf(text + len, "%s%s", token,
					   random_below(3) == 0 ? "" : " ");
	}
	return len;
}

/* one of the table's texts with a few bytes changed */
static int
mutated_text(char *text)
{
	const char *sql = shapes[random_below(lengthof(shapes))].sql;
	int			len = strlen(sql);
	char		other[TEXT_MAX];
	int			other_len;

	memcpy(text, sql, len);
	for (int n = random_below(5); n > 0 && len > 0; n--)
	{
		int			at = random_below(len);
		int			more = 1 + random_below(len - at);

		switch (random_below(4))
		{
			case 0:				/* a byte changes */
				other_len = random_text(other);
				if (other_len > 0)
					text[at] = other[0];
				break;
			case 1:				/* a part goes */
				memmove(text + at, text + at + more, len - at - more);
				len -= more;
				break;
			case 2:				/* a part comes twice */
				if (len + more < TEXT_MAX)
				{
					memmove(text + at + more, text + at, len - at);
					len += more;
				}
				break;
			case 3:				/* it ends early */
				len = at;
				break;
		}
	}
	return len;
}

static void
test_random(const char *name, int (*make) (char *text))
{
	char		text[TEXT_MAX];
	int			runs = 0;

	while (runs < RANDOM_RUNS && promises_hold(text, make(text)))
		runs++;
	check(runs == RANDOM_RUNS, "%d %s: the shape of a shape is itself, "
		  "and a cut changes no hash", runs, name);
}

static char *
repeated(const char *part, int count, int *len)
{
	int			part_len = strlen(part);
	char	   *text = malloc((size_t) part_len * count);

	for (int i = 0; i < count; i++)
		memcpy(text + i * part_len, part, part_len);
	*len = part_len * count;
	return text;
}

/* long texts: would not come back if time were not linear */
static void
test_long(void)
{
	static const char *const parts[] = {
		"(", "[", "in (", "values (", "array[", "((in (1,", "- ", "/*", "'",
		"$a$ ", "$a", "\"", ";", "a.", "1,", "e'\\", "'\n", "' "
	};

	for (int i = 0; i < lengthof(parts); i++)
	{
		int			len;
		char	   *text = repeated(parts[i], 200000, &len);
		char		buf[64];
		uint64		params;

		ms_shape(text, len, buf, sizeof(buf), &params);
		check(strlen(buf) < sizeof(buf), "200,000 times: %s",
			  parts[i][1] == '\n' ? "a string and a line" : parts[i]);
		free(text);
	}
}

static void
test_cuts(void)
{
	const char *sql = "select \"\303\204\342\202\254\360\237\230\200\" from t";
	Shape		whole = shape_of(sql);
	bool		passed = true;

	for (int size = 1; size <= strlen(sql) + 1; size++)
	{
		char		buf[64];
		uint64		params;
		int			len;

		passed &= ms_shape(sql, strlen(sql), buf, size, &params) == whole.hash;
		len = strlen(buf);
		passed &= len < size && strncmp(buf, sql, len) == 0 &&
			(sql[len] & 0xC0) != 0x80;
	}
	check(passed, "a cut is between two characters, wherever it is");

	passed = true;
	for (int len = 0; len < 20; len++)
	{
		char		zero[20] = "select 1, 2, 3, 4, 5";
		char		buf[64];
		uint64		params;
		uint64		hash;

		zero[len] = '\0';
		hash = ms_shape(zero, sizeof(zero), buf, sizeof(buf), &params);
		passed &= hash == shape_of(zero).hash;
	}
	check(passed, "a zero byte ends the text");
}

/* the first statement of a string: its end is where | stands */
static const char *const first_statements[] = {
	"select 1|; select 2",
	"select 1|",
	"|",
	"|; select 1",
	"select ';', \";\", $a$;$a$ /* ; */ -- ;\n|; x",
	"select 'a' like'\\'|; select 'b'",
	"select e'\\';'|; x",
	"create rule r as on insert to t do (a; b)|; x",
	"create function f() returns int begin atomic select 1; select case when a then 1 end; end|; x",
	"CREATE OR REPLACE PROCEDURE f() BEGIN ATOMIC a; END|; x",
	"create procedure p() begin atomic select x.end, a.begin; end|; x",
	"begin|; end; x",
	"create table t (a int)|; begin; x",
};

static void
test_first_statement(void)
{
	for (int i = 0; i < lengthof(first_statements); i++)
	{
		const char *mark = strchr(first_statements[i], '|');
		int			expected = mark - first_statements[i];
		char		text[200];
		int			got;

		snprintf(text, sizeof(text), "%.*s%s", expected, first_statements[i],
				 mark + 1);
		got = ms_first_statement(text);
		if (!check(got == expected, "first statement: %s", text))
			diag("got %d for %d", got, expected);
	}
}

/*
 * The cache gives the shapes that the lexer gives, whatever it has seen
 * before: texts of the same pieces but for the constants.
 */
static void
test_cache(void)
{
	static const char *const pieces[][3] = {
		{"1", "22", "0"}, {"7", "70007", "'7'"}, {"'a'", "'bcd'", "''"},
		{"'x'", "'it''s'", "'\\'"}, {"1.5", "2", ".5"}, {"1e5", "3", "4e"},
		{"a", "a1", "a"}, {" ", " ", "\n"}, {"'p'\n'q'", "'pq'", "'p' 'q'"},
		{"select ", "select ", "select "}, {"\"q\"", "\"q\"", "\"q'\""},
		{"$1", "$2", "$a$"}, {"in (", "in (", "in ("}, {",", ",", ","},
		{")", ")", ")"}, {"values (", "values (", "values ("}, {"-", "-", "--"},
		{"E'e'", "E'f'", "E'\\''"}, {"x'1F'", "x'2F'", "b'1'"}, {"_", "_", "_"},
		{".", ".", ".."}, {"'", "'", "'"}, {"/* c */", "/* c */", "/*"},
	};
	char	   *memory = malloc(ms_shape_cache_size());
	int			wrong = 0;

	ms_shape_cache_attach(memory);
	ms_shape_cache_reset();
	for (int round = 0; round < 200000 && wrong < 3; round++)
	{
		int			n = 1 + random_below(8);
		int			chosen[8];

		for (int i = 0; i < n; i++)
			chosen[i] = random_below(lengthof(pieces));
		for (int variant = 0; variant < 3; variant++)
		{
			Shape		shape;
			uint64		literals;
			char		text[200] = "";

			for (int i = 0; i < n; i++)
				strcat(text, pieces[chosen[i]][random_below(3)]);
			shape = shape_of(text);
			if (ms_shape_cached(text, strlen(text), &literals) != shape.hash)
			{
				wrong++;
				diag("not as the lexer: %s", text);
			}
		}
	}
	free(memory);
	check(wrong == 0, "the cache gives the lexer's shapes");
}

void
test_shape(void)
{
	test_tables();
	test_words();
	test_first_statement();
	test_cache();
	test_standard_conforming_strings();
	test_cuts();
	test_random("random texts", random_text);
	test_random("random sequences of tokens", random_tokens);
	test_random("mutated statements", mutated_text);
	test_long();
}

int
measure_shape(const char *sql)
{
	Shape		shape = shape_of(sql);

	printf("%s\n", shape.text);
	return 0;
}
