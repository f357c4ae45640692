# How applications call: literals, prepared statements and the extended
# protocol with typed and with untyped parameters, pipelines, cursors, Python's
# psycopg2; on both paths.  What needs a cast fails with the documented
# SQLSTATE, and the session goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $node = new_node('protocols');
my $major = major_version($node);

sub reset_tables
{
	$node->safe_psql('postgres', q{
DROP TABLE IF EXISTS hits, ints, pairs;
CREATE TABLE hits (k text PRIMARY KEY, note text, hits bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE ints (k int PRIMARY KEY, hits bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE pairs (a int, b text, hits bigint NOT NULL, PRIMARY KEY (a, b)) WITH (fillfactor = 50);
});
}

# a call in SQL with its parameters' types (or none) and values, and the answer
my @calls = (
	[ "increment('hits', 'x')", '', '', 1 ],
	[ "increment('hits', \$1)", '', "'x'", 2 ],
	[ "increment('hits', \$1)", 'text', "'x'", 3 ],
	[ "increment('hits', \$1)", 'varchar', "'x'", 4 ],
	[ "increment('hits', \$1)", 'unknown', "'x'", 5 ],
	[ "increment('hits', VARIADIC ARRAY[\$1])", '', "'x'", 6 ],
	[ "increment('hits', VARIADIC \$1)", 'text[]', "'{x}'", 7 ],
	[ "increment(\$1, \$2)", '', "'hits', 'x'", 8 ],
	[ "increment(\$1, \$2)", 'regclass, text', "'hits', 'x'", 9 ],
	[ "increment_by('hits', \$1, \$2)", '', "11, 'x'", 20 ],
	[ "increment_by('hits', \$1, \$2)", 'int, text', "-10, 'x'", 10 ],
	[ "increment_by('hits', by => 2, VARIADIC key => ARRAY[\$1])", '', "'x'", 12 ],
	[ "increment_row('hits', \$1)", '', q('{"k": "x", "note": "n"}'), 13 ],
	[ "increment_row('hits', \$1, \$2)", 'jsonb', q('{"k": "x"}', 7), 20 ],
	[ "increment_many('hits', \$1)", 'text[]', "'{x,y,x}'", '(1,1,0,0,0,0,0)' ],
	[ "increment_many('hits', \$1::text[], \$2)", '', "'{x,y}', '{1,2}'", '(0,2,0,0,0,0,0)' ],
	[ "increment_rows('hits', \$1)", '', q('[{"k": "x"}, {"k": "z"}]'), '(1,1,0,0,0,0,0)' ],
	[ "value('hits', \$1)", '', "'x'", 24 ],
	[ "value('hits', \$1)", 'text', "'y'", 3 ],
	[ "increment('ints', 5)", '', '', 1 ],
	[ "increment('ints', '5')", '', '', 2 ],
	[ "increment('ints', \$1)", '', "'5'", 3 ],
	[ "increment('ints', \$1)", 'int', '5', 4 ],
	[ "increment('ints', \$1)", 'bigint', '5', 5 ],
	[ "increment('ints', \$1)", 'smallint', '5', 6 ],
	[ "increment('ints', \$1)", 'numeric', '5', 7 ],
	[ "increment('ints', \$1)", 'text', "'5'", 8 ],
	[ "increment_many('ints', \$1)", 'int[]', "'{5}'", '(0,1,0,0,0,0,0)' ],
	[ "value('ints', \$1)", '', "'5'", 9 ],
	[ "increment('pairs', '1', 'x')", '', '', 1 ],
	[ "increment('pairs', 1, 'x')", '', '', 2 ],
	[ "increment('pairs', \$1, \$2)", '', "1, 'x'", 3 ],
	[ "increment('pairs', \$1, \$2)", 'int, text', "1, 'x'", 4 ],
	[ "increment('pairs', \$1::int, \$2::text)", '', "1, 'x'", 5 ],
	[ "increment('pairs', \$1, 'x')", 'int', '1', 6 ],
	[ "increment('pairs', \$1, 'x')", '', '1', 7 ],

	[ "increment('pairs', \$1::int, \$2)", '', "1, 'x'", 8 ],
	[ "increment('pairs', 1, \$1)", '', "'x'", 9 ],
	[ "increment('pairs', \$1, \$2)", 'int', "1, 'x'", 10 ],
	[ "increment('pairs', \$1, 'x'::text)", '', '1', 11 ],
	[ "value('pairs', 1, \$1)", '', "'x'", 11 ],
	[ "increment_many('hits', \$1)", '', "'{x,y,new}'", '(1,2,0,0,0,0,0)' ],
	[ "increment_many('hits', '{x}')", '', '', '(0,1,0,0,0,0,0)' ],
	[ "increment_many('ints', \$1, \$2)", '', "'{5,6}', '{2,3}'", '(1,1,0,0,0,0,0)' ],
	[ "increment_amount('hits', \$1, \$2)", '', "2.0, 'x'", 28 ],
	[ "increment_amount('pairs', \$1, \$2, \$3)", 'numeric, int, text', "3, 1, 'x'", 14 ],

	# these need a cast
	[ "increment_by('pairs', 2, \$1::int, \$2)", '', undef, '42P18' ],
	[ "increment('hits', VARIADIC \$1)", '', undef, '42725' ],

	# and these are wrong
	[ "increment('ints', \$1)", '', "'five'", '22P02' ],
	[ "increment('ints', \$1)", 'bigint', '5000000000', '22003' ],
	[ "increment('ints', \$1)", 'int', 'NULL', '22004' ],
	[ "increment('hits', \$1)", '', 'NULL', '22004' ],
	[ "increment(\$1, 'x')", '', "'nothing'", '42P01' ],
	[ "increment(\$1, 'x')", '', 'NULL', '22004' ],
	[ "increment('pairs', \$1)", '', "'1'", '22023' ]);

foreach my $path ('on', 'off')
{
	my $set = "SET missing_symbol.fast_path = $path;\n";

	# as prepared statements, executed as often as it takes to get a generic
	# plan in the end
	reset_tables();
	foreach my $call (@calls)
	{
		my ($sql, $types, $values, $expected) = @$call;
		my $declared = $types eq '' ? '' : "($types)";
		my $name = "fast path $path: $sql" . ($types eq '' ? '' : " with $types");

		if (!defined $values || $expected =~ /^[0-9A-Z]{5}$/)
		{
			my $execute = defined $values ? "EXECUTE p($values);" : '';

			is(answer($node, "$set PREPARE p$declared AS SELECT missing_symbol.$sql; $execute"), $expected, $name);
		}
		else
		{
			my $execute = $values eq '' ? 'EXECUTE p' : "EXECUTE p($values)";

			is(answer($node, "$set PREPARE p$declared AS SELECT missing_symbol.$sql;\n"
					. ("BEGIN; $execute \\g /dev/null\n ROLLBACK;\n" x 7) . "$execute;"),
				$expected, $name);
		}
	}

	# the same as messages of the extended protocol
  SKIP:
	{
		skip 'psql before 16 has no \bind', 1 if $major < 16;

		reset_tables();
		foreach my $call (@calls)
		{
			my ($sql, $types, $values, $expected) = @$call;
			my @types = $types eq 'unknown' ? () : split /, /, $types;
			my @values = defined $values ? $values =~ /('[^']*'|[^, ']+)/g : ("'1'") x ($sql =~ tr/$//);

			# a type is said by a cast; \bind has no NULL
			$sql =~ s/\$(\d)(?!::)/'$' . $1 . ($types[$1 - 1] ? "::$types[$1 - 1]" : '')/ge;
			next if "@values" =~ /NULL/;
			is(answer($node, "$set SELECT missing_symbol.$sql \\bind @values \\g\n"), $expected,
				"fast path $path, extended protocol: $sql");
		}
	}

	# pgbench: every protocol, untyped and typed
	local $ENV{PGOPTIONS} = "-c missing_symbol.fast_path=$path";
	foreach my $protocol ('simple', 'extended', 'prepared')
	{
		reset_tables();
		pgbench_ok($node, "fast path $path: pgbench -M $protocol",
			[ '--client', 2, '--transactions', 50, '--protocol', $protocol, '--define', 'x=12' ], q{
\set k random(1, 3)
SELECT missing_symbol.increment('hits', :k::text);
SELECT missing_symbol.increment('hits', :k::varchar);
SELECT missing_symbol.increment('ints', :k);
SELECT missing_symbol.increment('ints', :k::int);
SELECT missing_symbol.increment('ints', :k::bigint);
SELECT missing_symbol.increment_by('pairs', :x, :k::int, 'lit');
SELECT missing_symbol.increment_by('pairs', :x, :k::int, :x::text);
});
		is($node->safe_psql('postgres', 'SELECT (SELECT sum(hits) FROM hits), (SELECT sum(hits) FROM ints), (SELECT sum(hits) FROM pairs)'),
			'200|300|2400', "fast path $path: pgbench -M $protocol: counted");
	}

	# many statements under way at once, the last of a pipeline after an error
  SKIP:
	{
		skip 'pgbench before 14 has no pipelines', 2 if $major < 14;

		reset_tables();
		pgbench_ok($node, "fast path $path: a pipeline",
			[ '--client', 2, '--transactions', 50, '--protocol', 'extended' ], q{
\set k random(1, 3)
\startpipeline
BEGIN;
SELECT missing_symbol.increment('ints', 1);
SELECT missing_symbol.increment('ints', 1);
SELECT missing_symbol.increment('ints', 1 + :k::int);
COMMIT;
SELECT missing_symbol.increment('hits', :k::text);
SELECT missing_symbol.increment('hits', 'x');
\endpipeline
});
		is($node->safe_psql('postgres', 'SELECT (SELECT sum(hits) FROM hits), (SELECT sum(hits) FROM ints)'),
			'200|300', "fast path $path: a pipeline: counted");
	}

	# a portal that is left suspended, and counts of others between its parts
	reset_tables();
	is(answer($node, $set . q{
BEGIN;
DECLARE c CURSOR FOR SELECT missing_symbol.increment('ints', g % 2) FROM generate_series(1, 6) AS g;
FETCH 3 FROM c;
SELECT missing_symbol.increment('ints', 1);
SAVEPOINT s;
SELECT missing_symbol.increment('ints', 0);
ROLLBACK TO SAVEPOINT s;
FETCH 2 FROM c;
CLOSE c;
COMMIT;
SELECT k, hits FROM ints ORDER BY k;
}), "1\n1\n2\n3\n2\n2\n4\n0|2\n1|4", "fast path $path: a cursor");
	is(answer($node, $set . q{
BEGIN;
DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT missing_symbol.increment('ints', 7) FROM generate_series(1, 5);
FETCH 1 FROM c;
COMMIT;
SELECT hits FROM ints WHERE k = 7;
CLOSE c;
}), "1\n5", "fast path $path: a cursor that outlives its transaction");

	# dynamic SQL with typed parameters
	is(answer($node, $set . q{
DO $$
DECLARE n bigint;
BEGIN
    EXECUTE 'SELECT missing_symbol.increment($1, $2, $3)' INTO n USING 'pairs'::regclass, 9, 'x'::text;
    FOR i IN 1..10 LOOP n := missing_symbol.increment('pairs', 9, 'x'); END LOOP;
    IF n <> 11 THEN RAISE EXCEPTION 'counted %', n; END IF;
END $$;
SELECT hits FROM pairs WHERE a = 9;
}), 11, "fast path $path: PL/pgSQL");
}

# psycopg2 puts values into the statement as literals, lists as ARRAY[...].
my $program = q{
import psycopg2
import psycopg2.extras

def check(name, got, expected):
    print("ok" if got == expected else "not ok", "-", name, "" if got == expected else "got %r" % (got,))

connection = psycopg2.connect('')
cursor = connection.cursor()

def one(sql, *args):
    cursor.execute(sql, args)
    return cursor.fetchone()[0]

check("text", one("SELECT missing_symbol.increment('hits', %s)", "it's %"), 1)
check("int", one("SELECT missing_symbol.increment('ints', %s)", 5), 1)
check("int as text", one("SELECT missing_symbol.increment('ints', %s)", "5"), 2)
check("composite", one("SELECT missing_symbol.increment('pairs', %s, %s)", 1, "x"), 1)
check("target", one("SELECT missing_symbol.increment(%s, %s)", "hits", "it's %"), 2)
check("by", one("SELECT missing_symbol.increment_by('hits', %s, %s)", 10, "it's %"), 12)
check("row", one("SELECT missing_symbol.increment_row('hits', %s)", psycopg2.extras.Json({"k": "j", "note": None})), 1)
cursor.execute("SELECT inserted, incremented FROM missing_symbol.increment_many('hits', %s)", (["m", "j", "m"],))
check("many", cursor.fetchone(), (1, 1))
cursor.execute("SELECT inserted, incremented FROM missing_symbol.increment_many('ints', %s, %s)", ([5, 6], [2, 3]))
check("many by", cursor.fetchone(), (1, 1))
cursor.execute("SELECT inserted, incremented FROM missing_symbol.increment_rows('hits', %s)", (psycopg2.extras.Json([{"k": "m"}, {"k": "n"}]),))
check("rows", cursor.fetchone(), (1, 1))
cursor.execute("SELECT n, (missing_symbol.last_increment()).* FROM missing_symbol.increment('hits', %s) AS n", ("m",))
row = cursor.fetchone()
check("outcome", row[:3], (4, "incremented", 4))
connection.commit()

def fails(name, state, sql, *args):
    try:
        cursor.execute("SAVEPOINT s")
        cursor.execute(sql, args)
        check(name, "no error", state)
    except psycopg2.Error as e:
        check(name, e.pgcode, state)
    cursor.execute("ROLLBACK TO SAVEPOINT s")

fails("None", "22004", "SELECT missing_symbol.increment('hits', %s)", None)
cursor.execute("SELECT inserted, incremented FROM missing_symbol.increment_many('hits', %s)", ([],))
check("an empty list", cursor.fetchone(), (0, 0))
cursor.execute("SELECT inserted, incremented FROM missing_symbol.increment_many('hits', %s::text[])", ([],))
check("an empty list with a cast", cursor.fetchone(), (0, 0))
cursor.execute("SELECT inserted, incremented FROM missing_symbol.increment_many('ints', %s::int[])", (["5"],))
check("strings with a cast", cursor.fetchone(), (0, 1))
check("after errors", one("SELECT missing_symbol.increment('hits', %s)", "m"), 5)
connection.rollback()
check("rolled back", one("SELECT missing_symbol.value('hits', %s)", "m"), 4)

cursor.executemany("SELECT missing_symbol.increment('hits', %s)", [("e",)] * 5)
check("executemany", one("SELECT missing_symbol.value('hits', 'e')"), 5)
psycopg2.extras.execute_batch(cursor, "SELECT missing_symbol.increment('hits', %s)", [("e",)] * 5)
check("execute_batch", one("SELECT missing_symbol.value('hits', 'e')"), 10)
connection.commit()

named = connection.cursor("named")
named.itersize = 2
named.execute("SELECT missing_symbol.increment('ints', 7) FROM generate_series(1, 5)")
check("a named cursor", [r[0] for r in named], [1, 2, 3, 4, 5])
named.close()
connection.commit()
connection.set_session(readonly=True)
fails("read only", "25006", "SELECT missing_symbol.increment('hits', 'e')")
connection.rollback()
connection.set_session(readonly=False, autocommit=True)
check("autocommit", one("SELECT missing_symbol.increment('hits', 'e')"), 11)
print("done")
};

SKIP:
{
	my ($python, $why) = python_with('psycopg2');

	skip "psycopg2's calls: $why", 1 if $why;

	foreach my $path ('on', 'off')
	{
		reset_tables();
		my ($ok, $out, $err) = run_python($node, [ '-c', $program ], PGOPTIONS => "-c missing_symbol.fast_path=$path");

		foreach my $line (split /\n/, $out)
		{
			ok($line !~ /^not/, "fast path $path, psycopg2: $1") if $line =~ /^(?:not )?ok - (.*)$/;
		}
		like($out, qr/^done$/m, "fast path $path, psycopg2: to the end") or diag($err);
	}
}

$node->stop;
clean_log_ok($node);
done_testing();
