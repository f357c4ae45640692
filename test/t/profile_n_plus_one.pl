# The N+1 corpus: traces that must give a candidate and traces that must not,
# most of them a real Django's.  Prints precision and recall.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use RawClient;
use Test::More;
use Time::HiRes 'usleep';

my $node = new_node('corpus', conf => ['missing_symbol.unit_gap = -1']);
$node->safe_psql('postgres', q{
CREATE TABLE author (id int PRIMARY KEY, name text);
CREATE TABLE book (id int PRIMARY KEY, author int, title text);
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(1, 20) i;
INSERT INTO book SELECT i, i % 20 + 1, 'book ' || i FROM generate_series(1, 200) i;
CREATE TABLE post (id int PRIMARY KEY, title text);
INSERT INTO post SELECT i, 'post ' || i FROM generate_series(1, 20) i;
CREATE TABLE job (id int PRIMARY KEY, done bool NOT NULL DEFAULT false);
INSERT INTO job SELECT i FROM generate_series(1, 1000) i;
CREATE SEQUENCE numbers;
CREATE TABLE hits (k text PRIMARY KEY, count bigint, created_at timestamptz, modified_at timestamptz);
CREATE FUNCTION work(n int) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM post WHERE id = n); END';
CREATE FUNCTION take_job() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	job int;
BEGIN
	SELECT id INTO job FROM job WHERE NOT done ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1;
	RETURN job;
END$$;
DO $$BEGIN
	FOR i IN 1 .. 12 LOOP	-- 12 rows for each post
		EXECUTE format('CREATE TABLE r%s (id int PRIMARY KEY, post int, v text)', i);
		EXECUTE format('INSERT INTO r%s SELECT n, (n - 1) / 12 + 1, ''x'' FROM generate_series(1, 240) n', i);
	END LOOP;
END$$;
});

my %seen = (fire => {}, silent => {});

# one trace; what is expected; how many candidates there were
sub verdict
{
	my ($expected, $name, $candidates) = @_;

	$seen{$expected}{$name} = $candidates;
	if ($expected eq 'fire')
	{
		cmp_ok($candidates, '>=', 1, "fires: $name");
	}
	else
	{
		is($candidates, 0, "silent: $name");
	}
}

#
# Drivers that send what they are told
#

my $client = RawClient->new($node);
$client->rows('SELECT missing_symbol.profile_start()');

sub trace
{
	my ($expected, $name, $work) = @_;

	$client->rows('SELECT missing_symbol.profile_reset()');
	$work->();
	my ($row) = $client->rows(q{SELECT count(*) FROM missing_symbol.n_plus_one WHERE evidence <> 'loop'});
	verdict($expected, $name, $row->[0]);
}

# a stream, and each candidate that there must be: "times evidence source", the
# source as it begins; loops only where some are expected
sub stream
{
	my ($name, $work, @expected) = @_;
	my $loops = grep { / loop / } @expected;

	$client->rows('SELECT missing_symbol.profile_reset()');
	$work->();
	my @found = map { join(' ', @$_) } $client->rows(sprintf(
		q{SELECT repeats * 1, evidence || CASE WHEN shapes > 1 THEN '/' || shapes ELSE '' END, coalesce(left(source, 16), '-')
		  FROM missing_symbol.n_plus_one WHERE evidence <> 'loop' OR %s ORDER BY first_number}, $loops ? 'true' : 'false'));
	$seen{ @expected ? 'fire' : 'silent' }{$name} = @found;
	is_deeply(\@found, \@expected, "stream: $name") or diag explain \@found;
}

sub send_sql { $client->query($_)->run foreach @_; }

my $prepared = 0;

sub prepared
{
	my ($sql, @values) = @_;
	my $name = 's' . $prepared++;

	$client->parse($name, $sql)->sync->run;
	$client->bind('', $name, $_)->execute('')->sync->run foreach @values;
}

trace('fire', 'a loop of simple queries', sub {
	send_sql('SELECT * FROM book WHERE id <= 8',
		map { "SELECT name FROM author WHERE id = $_" } 1 .. 8);
});
trace('fire', 'a prepared statement in a loop', sub {
	send_sql('SELECT * FROM book WHERE id <= 8');
	prepared('SELECT name FROM author WHERE id = $1', 1 .. 8);
});
trace('fire', 'two lookups for each row', sub {
	send_sql('SELECT * FROM book WHERE id <= 6',
		map { ("SELECT name FROM author WHERE id = $_",
			"SELECT count(*) FROM book WHERE author = $_") } 1 .. 6);
});
trace('fire', 'in one transaction, with savepoints', sub {
	send_sql('BEGIN', map { ("SAVEPOINT s$_",
		"UPDATE book SET title = 'x' WHERE id = $_", "RELEASE s$_") } 1 .. 6);
	send_sql('COMMIT');
});
trace('fire', 'the same lookup again and again', sub {
	send_sql(('SELECT name FROM author WHERE id = 1') x 7);
});

# for each of a page's rows, one after the other, what five or more relations have
my $posts = 'SELECT * FROM post';
my $of_posts = 'select * from po';
foreach my $n (1, 2, 5, 6, 12)
{
	stream("$n lookups for each of 20 rows", sub {
		send_sql($posts, map { my $i = $_; map { "SELECT v FROM r$_ WHERE id = $i" } 1 .. $n } 1 .. 20);
	}, ("20 strong $of_posts") x $n);
}
stream('the same page twice in a unit', sub {
	send_sql(map { ($posts, map { my $i = $_; map { "SELECT v FROM r$_ WHERE id = $i" } 1 .. 5 } 1 .. 20) } 1, 2);
}, ("40 strong $of_posts") x 5);
stream('12 rows of nine relations for each row', sub {
	send_sql($posts, map { my $i = $_; map { "SELECT * FROM r$_ WHERE post = $i" } 1 .. 9 } 1 .. 20);
}, ("20 strong $of_posts") x 9);
stream('two lookups of one shape and four others for each row', sub {
	send_sql($posts, map { my $i = $_; ("SELECT v FROM r1 WHERE id = $i", "SELECT v FROM r1 WHERE id = 1$i",
		map { "SELECT v FROM r$_ WHERE id = $i" } 2 .. 5) } 1 .. 20);
}, "40 strong $of_posts", ("20 strong $of_posts") x 4);
stream('five relations of 7 parents, each kept once it is known', sub {
	my %known;
	send_sql($posts, map { my $i = $_ % 7; $known{$i}++ ? () : map { "SELECT v FROM r$_ WHERE id = $i + 1" } 1 .. 5 } 1 .. 20);
}, ("7 strong $of_posts") x 5);
stream('rows of five kinds, each with its table', sub {
	send_sql($posts, map { 'SELECT v FROM r' . ($_ % 5 + 1) . " WHERE id = $_" } 1 .. 20);
}, "20 strong/5 $of_posts");
stream('the authors of the comments of each post', sub {
	send_sql($posts, map { my $i = $_; ("SELECT * FROM r1 WHERE post = $i", map { "SELECT name FROM author WHERE id = $_" } 1 .. 12) } 1 .. 20);
}, "20 strong $of_posts", '240 strong select * from r1');
stream('a small catalog query between the source and its lookups', sub {
	send_sql('SELECT * FROM post WHERE id <= 5', 'SELECT attname FROM pg_attribute WHERE attrelid = 1259 AND attnum IN (1, 2)',
		map { "SELECT v FROM r1 WHERE id = $_" } 1 .. 5);
}, '5 strong select * from po');
stream('a cursor whose rows come while the lookups run', sub {
	send_sql('BEGIN', 'DECLARE c CURSOR FOR SELECT * FROM post');
	send_sql('FETCH 5 FROM c', map { my $i = $_; map { "SELECT v FROM r$_ WHERE id = $i" } 1 .. 5 } 1 .. 5) foreach 1 .. 4;
	send_sql('COMMIT');
}, ('20 strong declare ? cursor') x 5);
stream('a cursor, row by row', sub {
	send_sql('BEGIN', 'DECLARE c CURSOR FOR SELECT * FROM post');
	foreach my $i (1 .. 20) { send_sql('FETCH c', map { "SELECT v FROM r$_ WHERE id = $i" } 1 .. 5); }
	send_sql('COMMIT');
}, ('20 strong declare ? cursor') x 5);
stream('a portal that is suspended while the lookups run', sub {
	$client->query('BEGIN')->run;
	$client->parse('', $posts)->bind('rows', '')->sync->run;
	foreach my $part (0 .. 3)
	{
		$client->execute('rows', 5)->sync->run;
		send_sql(map { my $i = $_; map { "SELECT v FROM r$_ WHERE id = $i" } 1 .. 5 } $part * 5 + 1 .. $part * 5 + 5);
	}
	$client->query('COMMIT')->run;
}, ("20 strong $of_posts") x 5);
stream('a request that waits in its transaction between lookups', sub {
	$client->rows('SET missing_symbol.unit_gap = 20');
	send_sql('BEGIN', $posts);
	foreach my $i (1 .. 10)
	{
		send_sql(map { "SELECT v FROM r$_ WHERE id = $i" } 1 .. 5);
		usleep(50_000);
	}
	send_sql('COMMIT');
	$client->rows('SET missing_symbol.unit_gap = -1');
}, ("10 strong $of_posts") x 5);
foreach my $relations (1, 5)
{
	stream("a list read page by page, by key, with lookups for each row: $relations", sub {
		foreach my $page (0 .. 3)
		{
			send_sql('SELECT * FROM post ' . ($page ? 'WHERE id > ' . $page * 5 : '') . ' ORDER BY id LIMIT 5',
				map { my $i = $_; map { "SELECT v FROM r$_ WHERE id = $i" } 1 .. $relations } $page * 5 + 1 .. $page * 5 + 5);
		}
	}, ("20 strong $of_posts") x $relations);
}
stream('a catalog query that names a table, before each of its lookups', sub {
	send_sql($posts, map { my $i = $_; map { ("SELECT attname FROM pg_attribute WHERE attrelid = 'r$_'::regclass", "SELECT v FROM r$_ WHERE id = $i") } 1 .. 12 } 1 .. 20);
}, ("20 strong $of_posts") x 12);
stream('updates in a loop, of ids that came from elsewhere', sub {
	send_sql(map { "UPDATE r1 SET v = 'y' WHERE post = $_" } 1 .. 6);
}, '6 burst -');
stream('children of ids that came from elsewhere', sub {
	send_sql(map { "SELECT * FROM r1 WHERE post = $_" } 1 .. 6);
}, '6 burst -');
stream('numbers of a sequence, one by one', sub {
	send_sql(map { q{SELECT nextval('numbers')} } 1 .. 8);
}, '8 burst -');
stream('increments, one by one', sub {
	send_sql(map { "SELECT missing_symbol.increment('hits', 'k$_')" } 1 .. 8);
}, '8 burst -');
stream('a function for each row', sub {
	send_sql($posts, map { "SELECT work($_)" } 1 .. 20);
}, "20 strong $of_posts");

stream('who is logged in, then the same of each row', sub {
	send_sql('SELECT name FROM author WHERE id = 7', $posts, map { ("SELECT name FROM author WHERE id = $_", "SELECT v FROM r1 WHERE id = $_") } 1 .. 20);
}, '21 burst -', "20 strong $of_posts");
stream('rows that an UPDATE returns', sub {
	send_sql('UPDATE post SET title = title RETURNING id', map { my $i = $_; map { "SELECT v FROM r$_ WHERE id = $i" } 1 .. 5 } 1 .. 20);
}, ('20 strong update post set ') x 5);

# what is sent together is answered together
SKIP:
{
	skip 'round trips within a transaction are not known to 13', 1 if major_version($node) < 14;
	stream('a pipeline of lookups in a transaction, after a list', sub {
		send_sql('BEGIN', $posts);
		$client->parse('', "SELECT v FROM r1 WHERE id = $_")->bind('', '')->execute('') foreach 1 .. 20;
		$client->sync->run;
		send_sql('COMMIT');
	}, "20 pipelined $of_posts");
}
stream('a pipeline of lookups', sub {
	$client->parse('', "SELECT name FROM author WHERE id = $_")->bind('', '')->execute('') foreach 1 .. 9;
	$client->sync->run;
}, '9 pipelined -');
stream('lookups in one string', sub {
	send_sql(join('; ', map { "SELECT name FROM author WHERE id = $_" } 1 .. 9));
}, '9 pipelined -');
stream('a pipeline of writes', sub {
	$client->parse('', "UPDATE r1 SET v = 'w' WHERE id = $_")->bind('', '')->execute('') foreach 1 .. 9;
	$client->sync->run;
});
stream('a pipeline with a Sync after each', sub {
	$client->parse('', "SELECT name FROM author WHERE id = $_")->bind('', '')->execute('')->sync foreach 1 .. 9;
	$client->flush;
	$client->read_until('Z') foreach 1 .. 9;
}, '9 burst -');

# what is no N+1
my @statements_of_a_job = map { "UPDATE r$_ SET v = 'z' WHERE id = " } 1 .. 5;

stream('a worker, six statements a job', sub {
	foreach my $i (1 .. 30)
	{
		send_sql("SELECT * FROM job WHERE id = $i", (map { "$_$i" } @statements_of_a_job));
	}
}, map { '30 loop -' } 1 .. 6);
stream('a worker, each job reads a list of 8', sub {
	foreach my $i (1 .. 30)
	{
		send_sql("SELECT * FROM job WHERE id = $i", "SELECT * FROM r6 WHERE post = $i % 20 AND id % 12 < 8", (map { "$_$i" } @statements_of_a_job));
	}
});
stream('a loop of 7 checks', sub {
	send_sql(map { ("SELECT count(*) FROM post", map { "SELECT count(*) FROM r$_ WHERE id < 10" } 1 .. 6) } 1 .. 60);
});
stream('200 requests without a mark', sub {
	my $random = 1;
	my $below = sub { $random = ($random * 1103515245 + 12345) % 2147483648; return int($random / 65536) % $_[0]; };

	foreach my $request (1 .. 200)
	{
		my $id = $below->(20) + 1;
		my @page = (
			["SELECT * FROM post WHERE id = $id", "SELECT * FROM r1 WHERE post = $id", "SELECT count(*) FROM r2 WHERE post = $id"],
			[$posts, 'SELECT count(*) FROM post', "SELECT v FROM r3 WHERE id = $id"],
			["SELECT * FROM r4 WHERE id = $id", "SELECT * FROM r5 WHERE id = $id", "UPDATE r6 SET v = 'a' WHERE id = $id"]);
		send_sql("SELECT v FROM r7 WHERE id = $id", "SELECT name FROM author WHERE id = $id", "SELECT v FROM r8 WHERE id = $id",
			"SELECT v FROM r9 WHERE id = $id", @{ $page[$below->(3)] });
	}
});
stream('100 tests without a mark, with eight fixtures each', sub {
	foreach my $test (1 .. 100)
	{
		my $id = 1000 + $test;

		send_sql('BEGIN', (map { "INSERT INTO r$_ VALUES ($id, $id, 'x')" } 1 .. 8), "SELECT * FROM r1 WHERE id = $id",
			"SELECT count(*) FROM r2 WHERE post = $id", "UPDATE r3 SET v = 'b' WHERE id = $id", "DELETE FROM r4 WHERE id = $id", 'ROLLBACK');
	}
});
stream('a queue: each job is locked, and taken', sub {
	foreach my $i (1 .. 12)
	{
		send_sql('BEGIN', 'SELECT * FROM job WHERE NOT done ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1',
			"UPDATE job SET done = true WHERE id = $i", "SELECT v FROM r1 WHERE id = $i", 'COMMIT');
	}
});
stream('a queue whose jobs have rows, each with its lookups', sub {
	foreach my $i (1 .. 2)
	{
		send_sql('BEGIN', 'SELECT * FROM job ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 8',
			(map { "SELECT v FROM r1 WHERE id = $_" } 1 .. 8), 'COMMIT');
	}
}, ('8 strong select * from jo') x 2);
stream('a queue whose function takes the jobs', sub {
	send_sql(map { ('SELECT take_job()', "UPDATE r1 SET v = 'q' WHERE id = $_") } 1 .. 12);
});
stream('a queue with advisory locks', sub {
	send_sql(map { ('SELECT id FROM job WHERE NOT done AND pg_try_advisory_lock(id) ORDER BY id LIMIT 1',
		"UPDATE job SET done = false WHERE id = $_", "SELECT pg_advisory_unlock($_)") } 1 .. 12);
}, ('12 loop -') x 3);
stream('rows that are written, and 30 jobs of six statements', sub {
	send_sql('INSERT INTO job SELECT i FROM generate_series(2001, 2030) i',
		map { my $i = $_; ("SELECT * FROM job WHERE id = $i", map { "$_$i" } @statements_of_a_job) } 1 .. 30);
}, ('30 loop -') x 6);
stream('a purge in batches', sub {
	send_sql(map { 'DELETE FROM job WHERE id IN (SELECT id FROM job ORDER BY id LIMIT 100)' } 1 .. 8);
});
stream('ranges of keys, updated one after the other', sub {
	send_sql(map { sprintf("UPDATE r12 SET v = 'y' WHERE id >= %d AND id < %d", $_ * 20, $_ * 20 + 20) } 0 .. 7);
});
stream('lists of keys', sub {
	send_sql(map { my $n = $_; 'SELECT * FROM r12 WHERE id IN (' . join(', ', map { $n * 20 + $_ } 1 .. 20) . ')' } 0 .. 7);
	prepared('SELECT * FROM r12 WHERE id = ANY($1::int[])', map { my $n = $_; '{' . join(',', map { $n * 20 + $_ } 1 .. 20) . '}' } 0 .. 7);
});
stream('writes of several rows each: VALUES, JSON, and all of them there', sub {
	foreach my $n (0 .. 5)
	{
		my @ids = map { $n * 15 + $_ } 1 .. 15;

		send_sql('UPDATE r12 SET v = d.v FROM (VALUES ' . join(', ', map { "($_, 'x')" } @ids) . ') d (id, v) WHERE r12.id = d.id');
	}
	foreach my $n (0 .. 5)
	{
		my $json = join(', ', map { my $id = $n * 15 + $_; qq({"id": $id, "v": "x"}) } 1 .. 15);

		send_sql("UPDATE r12 SET v = d.v FROM jsonb_to_recordset('[$json]') d (id int, v text) WHERE r12.id = d.id");
	}
	foreach my $n (0 .. 5)
	{
		send_sql('INSERT INTO r12 VALUES ' . join(', ', map { '(' . ($n * 15 + $_) . ", 1, 'x')" } 1 .. 15) . ' ON CONFLICT DO NOTHING');
	}
});
stream('one row after the other, after some at once', sub {
	send_sql("INSERT INTO hits (k) VALUES ('a'), ('b')", map { "INSERT INTO hits (k) VALUES ('h$_')" } 1 .. 8);
}, '9 burst -');
stream('what a driver and a pool send for themselves', sub {
	send_sql(map { (q{SELECT set_config('work_mem', '4MB', false)}, 'SELECT 1', 'SHOW work_mem', 'SELECT version()',
		"PREPARE p$_ AS SELECT 1", "DEALLOCATE p$_", 'SELECT relname FROM pg_class WHERE oid = 1259') } 1 .. 8);
});

trace('silent', 'pages by OFFSET, with counts', sub {
	send_sql(map { ('SELECT count(*) FROM book',
		"SELECT * FROM book ORDER BY id LIMIT 20 OFFSET $_") } map { $_ * 20 } 0 .. 3);
	send_sql(map { "SELECT * FROM book ORDER BY id LIMIT 20 OFFSET $_" }
		  map { $_ * 20 } 4 .. 9);
});
trace('silent', 'pages by key', sub {
	send_sql(map { "SELECT * FROM book WHERE id > $_ ORDER BY id LIMIT 20" }
		  map { $_ * 20 } 0 .. 8);
});
trace('silent', 'a statement retried until it succeeds', sub {
	send_sql((q{SELECT 1 / (0 * length('retry'))}) x 6, 'SELECT 1');
});
trace('silent', 'a transaction retried', sub {
	send_sql(('BEGIN', 'SELECT title FROM book WHERE id = 1',
		'INSERT INTO author VALUES (1, NULL)', 'ROLLBACK') x 6);
});
trace('silent', 'batches of INSERT', sub {
	send_sql(map { my $n = $_ * 10; 'INSERT INTO author VALUES '
		  . join(', ', map { '(' . ($n + $_) . ", 'n')" } 0 .. 9) } 100 .. 107);
});
trace('silent', 'different shapes', sub {
	send_sql(map { 'SELECT title' . ", title AS t$_" x $_
		  . ' FROM book WHERE id = 1' } 1 .. 10);
});
trace('silent', 'a cursor read in parts', sub {
	send_sql('BEGIN', 'DECLARE c CURSOR FOR TABLE book',
		('FETCH 20 FROM c') x 10, 'CLOSE c', 'COMMIT');
});
trace('silent', 'four lookups are none', sub {
	send_sql('SELECT * FROM book WHERE id <= 4',
		map { "SELECT name FROM author WHERE id = $_" } 1 .. 4);
});
trace('silent', 'lookups far apart', sub {
	send_sql(map { my $i = $_; ("SELECT name FROM author WHERE id = $i",
		map { "SELECT id AS " . "x" x ($i * 4 + $_) . ' FROM author WHERE id = 1' } 1 .. 4) } 1 .. 8);
});
trace('silent', 'one for each request', sub {
	foreach (1 .. 8)
	{
		$client->rows("SELECT missing_symbol.profile_mark('request $_')");
		send_sql("SELECT name FROM author WHERE id = $_");
	}
});

#
# Round trips: at most so many
#

sub round_trips_ok
{
	my ($name, $expected, $work) = @_;

	$client->rows('SELECT missing_symbol.profile_reset()');
	$work->();
	my ($row) = $client->rows(q{SELECT (missing_symbol.profile_report('json')::json) ->> 'round_trips',
		(SELECT count(DISTINCT round_trip) FROM missing_symbol.queries)});
	is(($row->[0] // 'unknown') . ' ' . $row->[1], "$expected $expected", "round trips: $name");
}

round_trips_ok('one by one', 5, sub { send_sql(map { "SELECT name FROM author WHERE id = $_" } 1 .. 5) });
round_trips_ok('in one string', 1, sub { send_sql(join('; ', map { "SELECT name FROM author WHERE id = $_" } 1 .. 5)) });
round_trips_ok('a pipeline', 1, sub {
	$client->parse('', "SELECT name FROM author WHERE id = $_")->bind('', '')->execute('') foreach 1 .. 5;
	$client->sync->run;
});
if (major_version($node) >= 14)
{
	round_trips_ok('in a transaction', 7, sub { send_sql('BEGIN', (map { "SELECT name FROM author WHERE id = $_" } 1 .. 5), 'COMMIT') });
	round_trips_ok('a pipeline in a transaction', 3, sub {
		send_sql('BEGIN');
		$client->parse('', "SELECT name FROM author WHERE id = $_")->bind('', '')->execute('') foreach 1 .. 5;
		$client->sync->run;
		send_sql('COMMIT');
	});
}
$client->rows('SELECT missing_symbol.profile_reset()');
send_sql('BEGIN', 'SET LOCAL track_activities = off', 'TABLE author', 'COMMIT');
is(($client->rows(q{SELECT (missing_symbol.profile_report('json')::json) ->> 'round_trips'}))[0][0], undef, 'round trips: unknown, not guessed');
$client->rows('RESET track_activities');

# tags behind the final semicolon, which psql does not send
foreach my $way ('simple', 'extended')
{
	my $sql = 'SELECT name FROM author WHERE id = 1 ; /* a:1 */ ';

	$client->rows('SELECT missing_symbol.profile_reset()');
	$client->query($sql) if $way eq 'simple';
	$client->parse('', $sql)->bind('', '')->execute('')->sync if $way eq 'extended';
	$client->run;
	is_deeply([ $client->rows('SELECT tags FROM missing_symbol.queries') ], [ [ '{"a": "1"}' ] ], "tags behind a semicolon, $way");
}
$client->rows('SELECT missing_symbol.profile_reset()');
$client->query('SELECT 1; /* a:1 */ SELECT 2')->run;
is_deeply([ $client->rows('SELECT text, tags FROM missing_symbol.queries') ], [ [ 'SELECT 1', undef ], [ '/* a:1 */ SELECT 2', '{"a": "1"}' ] ],
	'tags belong to the statement that follows them');

# rows that are fetched one by one are a finding; parts of ten are none
foreach my $fetch (1, 10)
{
	$client->rows('SELECT missing_symbol.profile_reset()');
	send_sql('BEGIN', 'DECLARE c CURSOR FOR TABLE r1', ("FETCH $fetch FROM c") x 110, 'COMMIT');
	is_deeply([ $client->rows(q{SELECT kind, shape, times_seen FROM missing_symbol.findings WHERE kind = 'cursor_by_row'}) ],
		$fetch == 1 ? [ [ 'cursor_by_row', 'declare ? cursor for table r1', 110 ] ] : [], "a cursor by $fetch");
}
$client->disconnect;

#
# Django
#

SKIP:
{
	my ($python, $why) = python_with('django', 'psycopg2');

	skip "half of the corpus: $why", 1 if $why;

	my ($ok, $out, $err) = run_python($node, ['django_corpus.py']);

	diag $err if $err;
	foreach my $line (split /\n/, $out)
	{
		my ($expected, $candidates, $name) = split / /, $line, 3;
		verdict($expected, "Django: $name", $candidates);
	}
	is(scalar(grep { /Django/ } map { keys %$_ } values %seen), 24,
		'all of Django\'s traces have run');
}

# A pause is the client's: what is spent on waiting for a lock before a
# statement runs is none; nor is one within a transaction.
{
	my $client = RawClient->new($node);
	my $other = RawClient->new($node);
	my $lookup = 'SELECT name FROM author WHERE id = ';
	my $gap = 2;
	my $send = sub {
		my ($way, $n) = @_;

		return $client->query("$lookup$n") if $way !~ /^extended/;
		return $client->parse('', "$lookup$n")->bind('', '')->execute('')->sync;
	};

	$other->query("CREATE TABLE author_late_$_ (id int PRIMARY KEY, name text)")->run foreach 1, 2;
	$client->rows("SET missing_symbol.unit_gap = '${gap}s'");
	$client->rows('SELECT missing_symbol.profile_start()');
	foreach my $way ('simple', 'extended', 'in a transaction', 'extended in a transaction',
		'the client pauses', 'the client pauses in a transaction')
	{
		$client->rows('SELECT missing_symbol.profile_reset()');
		$client->query('BEGIN')->run if $way =~ /transaction/;
		$send->($way, $_)->run foreach 1, 2;
		usleep($gap * 1_200_000) if $way =~ /pauses/;
		if ($way =~ /^(simple|extended)$/)
		{
			$other->query('BEGIN; LOCK TABLE author')->run;
			$send->($way, 3)->flush;
			usleep($gap * 1_200_000);
			$other->query('COMMIT')->run;
			$client->read_until('Z');
		}
		elsif ($way =~ /^(extended )?in a transaction/)
		{
			my $late = 'SELECT name FROM author_late_' . ($way =~ /^extended/ ? 2 : 1) . ' WHERE id = 1';

			$other->query('BEGIN; LOCK TABLE author_late_1, author_late_2')->run;
			if ($way =~ /^extended/) { $client->parse('', $late)->bind('', '')->execute('')->sync->flush; }
			else { $client->query($late)->flush; }
			usleep($gap * 1_200_000);
			$other->query('COMMIT')->run;
			$client->read_until('Z');
		}
		$send->($way, $_)->run foreach 4 .. 6;
		$client->query('COMMIT')->run if $way =~ /transaction/;
		is(($client->rows('SELECT coalesce(max(repeats), 0) FROM missing_symbol.n_plus_one'))[0][0],
			$way eq 'the client pauses' ? 0 : $way =~ /transaction/ ? 5 : 6, "a wait is no pause: $way");
	}
	$client->disconnect;
	$other->disconnect;
}

my $true = grep { $_ > 0 } values %{ $seen{fire} };
my $false = grep { $_ > 0 } values %{ $seen{silent} };
my $fire = keys %{ $seen{fire} };

diag sprintf('%d traces that must fire, %d that must not: precision %.3f, recall %.3f',
	$fire, scalar keys %{ $seen{silent} },
	$true / ($true + $false || 1), $true / ($fire || 1));
done_testing();
