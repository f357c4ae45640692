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
	my ($row) = $client->rows('SELECT count(*) FROM missing_symbol.n_plus_one');
	verdict($expected, $name, $row->[0]);
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
trace('fire', 'a pipeline of lookups', sub {
	$client->parse('', "SELECT name FROM author WHERE id = $_")->bind('', '')
	  ->execute('') foreach 1 .. 9;
	$client->sync->run;
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
		map { "SELECT $i AS " . "x" x ($i * 4 + $_) } 1 .. 4) } 1 .. 8);
});
trace('silent', 'one for each request', sub {
	foreach (1 .. 8)
	{
		$client->rows("SELECT missing_symbol.profile_mark('request $_')");
		send_sql("SELECT name FROM author WHERE id = $_");
	}
});
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
# statement runs is none.
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
			$way =~ /pauses/ ? 0 : $way =~ /transaction/ ? 5 : 6, "a wait is no pause: $way");
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
