# Every kind of failure: one row with its SQLSTATE, the level restored,
# nothing leaked; the same with nested statements profiled.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use RawClient;
use Test::More;

my $node = new_node('failures', conf => ["deadlock_timeout = '20ms'"]);
$node->safe_psql('postgres', q{
CREATE TABLE t (id int PRIMARY KEY, v int);
INSERT INTO t SELECT i, i FROM generate_series(1, 10) i;
CREATE TABLE child (id int REFERENCES t DEFERRABLE INITIALLY DEFERRED);
CREATE DOMAIN checked AS int CHECK (VALUE < 100);
CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no' USING ERRCODE = 'ZZ001';
END$$;
CREATE TABLE triggered (id int);
CREATE TRIGGER raises BEFORE INSERT ON triggered
    FOR EACH ROW EXECUTE FUNCTION raises();
CREATE TABLE triggered_late (id int);
CREATE CONSTRAINT TRIGGER raises AFTER INSERT ON triggered_late
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raises();
CREATE FUNCTION catches(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM v / (v - n) FROM t WHERE id = n;
    EXCEPTION WHEN division_by_zero THEN
        PERFORM 1 FROM t;
    END;
    BEGIN
        INSERT INTO t VALUES (1, 1);
    EXCEPTION WHEN unique_violation THEN
        RETURN n;
    END;
END$$;
CREATE PROCEDURE commits_and_fails() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE t SET v = v;
    COMMIT;
    UPDATE t SET v = v;
    COMMIT;
    PERFORM v / (v - 1) FROM t;
END$$;
CREATE PROCEDURE fails_at_commit() LANGUAGE plpgsql AS $$
BEGIN
    COMMIT;
    INSERT INTO child VALUES (-1);
    COMMIT;
END$$;
});

# top-level rows since the last reset: [text, status, sqlstate]
sub listed
{
	my ($client) = @_;
	my @rows = $client->rows(q{
SELECT text, status, sqlstate FROM missing_symbol.queries
WHERE level = 0 ORDER BY number});

	$client->rows('SELECT missing_symbol.profile_reset()');
	return [ map { join ' | ', map { $_ // '-' } @$_ } @rows ];
}

foreach my $level ('top', 'all')
{
	my $client = RawClient->new($node);
	my $other = RawClient->new($node);

	# simple queries, and what is to be listed
	my $check = sub {
		my ($what, $sql, @expected) = @_;

		$client->query($_)->run foreach ref $sql ? @$sql : $sql;
		is_deeply(listed($client), \@expected, "$level: $what");
	};

	$client->rows("SELECT missing_symbol.profile_start('$level')");

	$check->('parse', 'SELEC 1', 'SELEC 1 | error | 42601');
	$check->('parse, no statement of the string has run',
		'SELECT 1; SELEC 2', 'SELECT 1; SELEC 2 | error | 42601');
	$check->('unknown column', 'SELECT x FROM t',
		'SELECT x FROM t | error | 42703');
	$check->('unknown column, first of two', 'SELECT x FROM t; SELECT 2',
		'SELECT x FROM t | error | 42703');
	$check->('unknown column, second of two', 'SELECT 2; SELECT x FROM t;',
		'SELECT 2 | ok | -', 'SELECT x FROM t | error | 42703');
	$check->('planner', 'SELECT 1/0', 'SELECT 1/0 | error | 22012');
	$check->('planner, second of two', 'SELECT 2; SELECT 1/0',
		'SELECT 2 | ok | -', 'SELECT 1/0 | error | 22012');
	$check->('executor', 'SELECT v / (v - 1) FROM t',
		'SELECT v / (v - 1) FROM t | error | 22012');
	$check->('constraint', 'INSERT INTO t VALUES (1, 1)',
		'INSERT INTO t VALUES (1, 1) | error | 23505');
	$check->('in a trigger', 'INSERT INTO triggered VALUES (1)',
		'INSERT INTO triggered VALUES (1) | error | ZZ001');
	$check->('at COMMIT', 'INSERT INTO child VALUES (-1)',
		'INSERT INTO child VALUES (-1) | error | 23503');
	$check->('in a deferred trigger', 'INSERT INTO triggered_late VALUES (1)',
		'INSERT INTO triggered_late VALUES (1) | error | ZZ001');
	$check->('at COMMIT, with BEGIN',
		'BEGIN; INSERT INTO triggered_late VALUES (1); COMMIT',
		'BEGIN | ok | -', 'INSERT INTO triggered_late VALUES (1) | ok | -',
		'COMMIT | error | ZZ001');
	$check->('SET CONSTRAINTS',
		['BEGIN; INSERT INTO child VALUES (-1); SET CONSTRAINTS ALL IMMEDIATE',
			'SELECT 1', 'ROLLBACK'],
		'BEGIN | ok | -', 'INSERT INTO child VALUES (-1) | ok | -',
		'SET CONSTRAINTS ALL IMMEDIATE | error | 23503',
		'SELECT 1 | error | 25P02', 'ROLLBACK | ok | -');
	$check->('caught in PL/pgSQL', 'SELECT catches(1)',
		'SELECT catches(1) | ok | -');
	$check->('a procedure that commits', 'CALL commits_and_fails()',
		'CALL commits_and_fails() | error | 22012');
	$check->('a COMMIT in a procedure', 'CALL fails_at_commit()',
		'CALL fails_at_commit() | error | 23503');
	$check->('not in a transaction', ['BEGIN; VACUUM t', 'ROLLBACK'],
		'BEGIN | ok | -', 'VACUUM t | error | 25001', 'ROLLBACK | ok | -');
	$check->('DISCARD ALL in a transaction', ['BEGIN; DISCARD ALL', 'ROLLBACK'],
		'BEGIN | ok | -', 'DISCARD ALL | error | 25001', 'ROLLBACK | ok | -');
	$check->('COPY', "COPY t FROM '/nonexistent'",
		"COPY t FROM '/nonexistent' | error | 58P01");
	$check->('timeout',
		[q{SET statement_timeout = '300ms'}, 'SELECT pg_sleep(10)',
			'RESET statement_timeout'],
		q{SET statement_timeout = '300ms' | ok | -},
		'SELECT pg_sleep(10) | cancelled | 57014',
		'RESET statement_timeout | ok | -');
	$check->('after all that', 'SELECT 1', 'SELECT 1 | ok | -');

	# the end of a transaction that has failed is none of what comes after
	foreach my $end ('ROLLBACK', 'COMMIT', 'ROLLBACK AND CHAIN', 'COMMIT AND CHAIN',
		'ROLLBACK WORK')
	{
		my @chained = $end =~ /CHAIN/ ? ('ROLLBACK') : ();
		my @rest = map { "$_ | ok | -" } @chained;

		$check->("$end of what has failed, then analysis",
			[ 'BEGIN; SELECT 1/0', $end, 'SELECT nocolumn', @chained ],
			'BEGIN | ok | -', 'SELECT 1/0 | error | 22012', "$end | ok | -",
			'SELECT nocolumn | error | 42703', @rest);
		$check->("$end, in one string",
			[ 'BEGIN; SELECT 1/0', "$end; SELECT nocolumn", @chained ],
			'BEGIN | ok | -', 'SELECT 1/0 | error | 22012', "$end | ok | -",
			'SELECT nocolumn | error | 42703', @rest);
		$check->("$end, then parse",
			[ 'BEGIN; SELECT 1/0', $end, 'SELEC 1', @chained ],
			'BEGIN | ok | -', 'SELECT 1/0 | error | 22012', "$end | ok | -",
			'SELEC 1 | error | 42601', @rest);

		$client->query('BEGIN')->run;
		$client->parse('', 'SELECT nocolumn')->sync->run;
		$client->parse('', $end)->bind('', '')->execute('')->sync->run;
		$client->parse('', 'SELECT another')->sync->run;
		$client->query($_)->run foreach @chained;
		is_deeply(listed($client),
			[ 'BEGIN | ok | -', 'SELECT nocolumn | error | 42703', "$end | ok | -",
				'SELECT another | error | 42703', @rest ], "$level: $end, extended");
	}
	$client->query('BEGIN; SELECT 1/0')->run;
	$client->query('ROLLBACK')->run;
	$client->query('SELECT nocolumn')->run;
	my ($refused) = grep { $_->{type} eq 'E' }
	  $client->query('SELECT missing_symbol.assert_max_queries(1)')->run;
	is($refused->{sqlstate}, 'MS001', "$level: two queries are more than one");
	$client->rows('SELECT missing_symbol.profile_reset()');

	# a name that is not there is none of the statement before
	foreach my $missing (sub { $client->bind('', 'none') }, sub { $client->execute('none') },
		sub { $client->describe('none') })
	{
		$client->parse('', 'SELECT 1')->bind('', '')->execute('');
		$missing->();
		my ($error) = grep { $_->{type} eq 'E' } $client->sync->run;
		is_deeply(listed($client), ['SELECT 1 | ok | -'],
			"$level: $error->{sqlstate} is not the statement's");
	}

	# where a statement ends
	$check->('a backslash before a quote',
		"SELECT 'a' like'\\'; SELECT 'b' FROM nothing",
		q{SELECT 'a' like'\\' | error | 22025});
	$check->('and another statement',
		"SELECT x like'\\'; SELECT 'b'", q{SELECT x like'\\' | error | 42703});
	$check->('dollar quotes, comments, brackets',
		'SELECT 1; SELECT $a$;$a$, x /* ; /* ; */ ; */, (";") -- ;' . "\n; SELECT 2",
		'SELECT 1 | ok | -',
		'SELECT $a$;$a$, x /* ; /* ; */ ; */, (";") -- ;' . ' | error | 42703');

	# bind: a value, a domain
	foreach my $try ([ 'SELECT $1::int', 'x', '22P02' ],
		[ 'SELECT $1::checked', '1000', '23514' ])
	{
		my ($sql, $value, $sqlstate) = @$try;

		$client->parse('', $sql)->bind('', '', $value)->execute('')->sync->run;
		is_deeply(listed($client), ["$sql | error | $sqlstate"],
			"$level: bind, $sqlstate");
	}

	# the output of EXECUTE is sent after it has been executed
	$client->query(q{PREPARE p AS SELECT v / (v - 1) FROM t; EXECUTE p})->run;
	is_deeply(listed($client),
		[ 'PREPARE p AS SELECT v / (v - 1) FROM t | ok | -',
			'EXECUTE p | error | 22012' ], "$level: EXECUTE");

	# cancelled by another session
	my $sql = 'SELECT pg_sleep(60)';
	$client->query($sql)->flush;
	wait_for_event($node, $client->{pid}, 'PgSleep');
	$other->rows("SELECT pg_cancel_backend($client->{pid})");
	$client->read_until('Z');
	is_deeply(listed($client), ["$sql | cancelled | 57014"],
		"$level: cancelled");

	# deadlock
	$client->query('BEGIN; UPDATE t SET v = v WHERE id = 1')->run;
	$other->query('BEGIN; UPDATE t SET v = v WHERE id = 2')->run;
	$other->query("SET LOCAL deadlock_timeout = '1min'")->run;
	$other->query('UPDATE t SET v = v WHERE id = 1')->flush;
	wait_for_event($node, $other->{pid}, 'Lock');
	$client->query('UPDATE t SET v = v WHERE id = 2')->run;
	$client->query('ROLLBACK')->run;
	$other->read_until('Z');
	$other->query('ROLLBACK')->run;
	is_deeply(listed($client),
		[ 'BEGIN | ok | -', 'UPDATE t SET v = v WHERE id = 1 | ok | -',
			'UPDATE t SET v = v WHERE id = 2 | error | 40P01',
			'ROLLBACK | ok | -' ], "$level: deadlock");

	# a portal dropped because of another statement is closed, not failed
	$client->query('BEGIN')->run;
	$client->parse('', 'SELECT * FROM t -- suspended')->bind('p', '');
	$client->execute('p', 3)->parse('', 'SELECT 1/0')->bind('', '')->sync->run;
	$client->query('ROLLBACK')->run;
	is_deeply(listed($client),
		[ 'BEGIN | ok | -', 'SELECT * FROM t -- suspended | closed | -',
			'SELECT 1/0 | error | 22012', 'ROLLBACK | ok | -' ],
		"$level: closed");

	# while it is suspended it is running
	$client->query('BEGIN')->run;
	$client->parse('', 'SELECT * FROM t -- suspended')->bind('p', '');
	$client->execute('p', 3)->sync->run;
	my ($row) = $client->rows(q{SELECT status, rows FROM missing_symbol.queries
WHERE text ~ 'suspended'});
	is_deeply($row, [ 'running', 3 ], "$level: running");
	$client->query('COMMIT')->run;
	$client->rows('SELECT missing_symbol.profile_reset()');

	# another session's FATAL is none of ours
	my $victim = RawClient->new($node);
	$check->('FATAL of another',
		"SELECT pg_terminate_backend($victim->{pid})",
		"SELECT pg_terminate_backend($victim->{pid}) | ok | -");

	# nested rows of a failure caught, only where they were asked for
	$client->query('SELECT catches(1)')->run;
	my @nested = $client->rows(q{
SELECT level, sqlstate FROM missing_symbol.queries
WHERE level > 0 ORDER BY number});
	is_deeply(\@nested,
		$level eq 'top' ? []
		: [ [ 1, '22012' ], [ 1, undef ], [ 1, '23505' ] ],
		"$level: nested");
	$client->rows('SELECT missing_symbol.profile_reset()');

	# nothing leaked: a thousand more take no memory
	my $used = sub {
		my ($row) = $client->rows(q{
SELECT sum(total_bytes) FROM pg_backend_memory_contexts
WHERE name IN ('TopMemoryContext', 'missing_symbol profile', 'PortalContext',
               'TopPortalContext', 'ErrorContext')});
		return $row->[0];
	};
	my $fail = sub {
		foreach (1 .. $_[0])
		{
			$client->query($_)->run
			  foreach 'SELECT 1/0', 'SELECT x', 'SELECT v/(v-1) FROM t',
			  'INSERT INTO child VALUES (-1)', 'SELECT catches(1)';
		}
	};
  SKIP:
	{
		skip 'SKIPPED: this version has no pg_backend_memory_contexts', 1
		  unless ($client->rows("SELECT to_regclass('pg_backend_memory_contexts') IS NOT NULL"))[0][0] eq 't';
		$fail->(20);
		my $before = $used->();
		$fail->(200);
		is($used->(), $before, "$level: no memory taken");
	}
	$client->rows('SELECT missing_symbol.profile_reset()');
	$check->('the level is restored', 'SELECT 1', 'SELECT 1 | ok | -');
	$client->disconnect;
	$other->disconnect;
}

# what a function with a body in SQL runs bears its name
if (major_version($node) >= 14)
{
	my $client = RawClient->new($node);

	$client->query(q{
CREATE FUNCTION atomic(n int) RETURNS int LANGUAGE sql
BEGIN ATOMIC
    SELECT CASE WHEN n = 0 THEN 1 ELSE 2 END;
    INSERT INTO t VALUES (n + 1000, 1 / n);
    SELECT count(*) FROM t;
END})->run;
	$client->rows("SELECT missing_symbol.profile_start('all')");
	$client->query('SELECT atomic(1)')->run;
	$client->query('SELECT atomic(0)')->run;
	my @rows = $client->rows(q{
SELECT level, text, status FROM missing_symbol.queries ORDER BY number});
	is(join("\n", map { join ' | ', @$_ } @rows), q{0 | SELECT atomic(1) | ok
1 | SQL function "atomic" statement_1 | ok
1 | SQL function "atomic" statement_2 | ok
1 | SQL function "atomic" statement_3 | ok
0 | SELECT atomic(0) | error
1 | SQL function "atomic" statement_1 | ok
1 | SQL function "atomic" statement_2 | error}, 'BEGIN ATOMIC');
	@rows = $client->rows(q{
SELECT text, calls, errors FROM missing_symbol.query_stats WHERE NOT toplevel ORDER BY text});
	is(join("\n", map { join ' | ', @$_ } @rows), q{sql function "atomic" statement_1 | 2 | 0
sql function "atomic" statement_2 | 2 | 1
sql function "atomic" statement_3 | 1 | 0}, 'a shape for each of its statements');
	$client->rows('SELECT missing_symbol.profile_reset()');
	$client->query(q{
SELECT 1; CREATE OR REPLACE FUNCTION fails() RETURNS int
BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT nothing; END; SELECT 2})->run;
	is_deeply(listed($client),
		[ 'SELECT 1 | ok | -', q{CREATE OR REPLACE FUNCTION fails() RETURNS int
BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT nothing; END | error | 42703} ],
		'its semicolons are its own');
	$client->disconnect;
}

# what cannot be seen: errors below log_min_messages
my $client = RawClient->new($node);
$client->rows('SELECT missing_symbol.profile_start()');
$client->query(q{SET log_min_messages = 'fatal'})->run;
$client->query(q{SELECT x})->run;
$client->query(q{SELECT 1/0})->run;
is_deeply(listed($client),
	[ q{SET log_min_messages = 'fatal' | ok | -}, 'SELECT 1/0 | error | 22012' ],
	'what the log does not get, only hooks see');

done_testing();
