# A thousand statements through every way of the protocol: what the profiler
# lists is what the client has logged, in order, with texts, rows and errors;
# and it never claims more time than the client has waited.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use RawClient;
use Test::More;

my $seed = $ENV{MS_SEED} // 4;
my $node = new_node('protocol');
$node->safe_psql('postgres', q{
CREATE TABLE t (id int PRIMARY KEY, v int);
INSERT INTO t SELECT i, i FROM generate_series(1, 50) i;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
});

note "seed $seed";
srand($seed);

my $client = RawClient->new($node);
my @log;    # what the client has sent and got: [text, rows, sqlstate]
my @waits;    # [first index of @log, last, seconds]
my $statements = 0;
my $next_id = 1000;

# A statement: text, and whether it may be prepared
sub any_statement
{
	my $n = int(rand(30));
	my $kind = int(rand(14));

	return "SELECT * FROM t WHERE id <= $n" if $kind <= 2;
	return "SELECT $n AS n" if $kind <= 4;
	return 'INSERT INTO t VALUES (' . $next_id++ . ", $n)" if $kind == 5;
	return "UPDATE t SET v = v + 1 WHERE id <= $n" if $kind == 6;
	return "DELETE FROM t WHERE id = $n + 500 RETURNING *" if $kind == 7;
	return "INSERT INTO t VALUES (1, $n)" if $kind == 8;
	return "SELECT v / (id - $n) FROM t WHERE id = $n" if $kind == 9;
	return "SELECT no_such_column_$n FROM t" if $kind == 10;
	return "SELECT $n /* a; comment */ AS \";\"" if $kind == 11;
	return "VALUES ($n), (2), (3)" if $kind == 12;
	return "SELECT 1 / 0 + $n";
}

# Put messages of a result together with the texts that were sent
sub note_results
{
	my ($texts, @messages) = @_;
	my $first = @log;
	my $i = 0;

	foreach my $message (@messages)
	{
		if ($message->{type} eq 'C' || $message->{type} eq 's')
		{
			$log[$first + $i] //= [ $texts->[$i], 0, undef ];
			$log[$first + $i][1] += $message->{rows} // 0;
			$i++;
		}
		elsif ($message->{type} eq 'E')
		{
			$log[$first + $i] = [ $texts->[$i], undef, $message->{sqlstate} ];
			$i++;
		}
	}
	$statements += $i;
	push @waits, [ $first, $#log, $client->{elapsed} ];
}

sub simple
{
	my @texts = map { any_statement() } 1 .. (rand(3) < 1 ? 1 + int(rand(4)) : 1);

	note_results(\@texts, $client->query(join('; ', @texts))->run);
}

sub extended
{
	my $text = any_statement();

	$client->parse('', $text)->bind('', '')->describe('')->execute('')->sync;
	note_results([$text], $client->run);
}

my %prepared;

sub prepared
{
	my @texts = (
		'SELECT * FROM t WHERE id <= $1',
		'UPDATE t SET v = $1 WHERE id = 7',
		'SELECT $1::int + 1');
	my $i = int(rand(@texts));
	my $value = rand(10) < 1 ? 'not a number' : int(rand(20));

	$client->parse("s$i", $texts[$i]) unless $prepared{$i}++;
	$client->bind('', "s$i", $value)->execute('')->sync;
	my @messages = $client->run;
	note_results([ $texts[$i] ], @messages);
}

# several without Sync; after an error the server skips the rest
sub pipelined
{
	my @texts = map { any_statement() } 1 .. 2 + int(rand(5));

	$client->parse('', $_)->bind('', '')->execute('') foreach @texts;
	note_results(\@texts, $client->sync->run);
}

# a portal read in parts is one statement
sub in_parts
{
	my $rows = 5 + int(rand(20));
	my $text = "SELECT * FROM t WHERE id <= $rows ORDER BY id";
	my $n = 0;

	$client->parse('', $text)->bind('', '');
	$client->execute('', 3) foreach 0 .. $rows / 3 + 1;
	foreach my $message ($client->sync->run)
	{
		die $message->{message} if $message->{type} eq 'E';
		$n++ if $message->{type} eq 'D';
	}
	push @log, [ $text, $n, undef ];
	push @waits, [ $#log, $#log, $client->{elapsed} ];
	$statements++;
}

# two portals side by side, and one that is bound but never executed
sub interleaved
{
	my @texts = ('SELECT * FROM t WHERE id <= 7 -- a',
		'SELECT * FROM t WHERE id <= 5 -- b');
	my $first = @log;
	my @order = rand(2) < 1 ? (0, 1) : (1, 0);

	$client->parse("", $texts[$_])->bind("p$_", '') foreach 0, 1;
	$client->parse('', 'SELECT 3')->bind('never', '');
	$client->execute("p$order[0]", 2)->execute("p$order[1]", 2);
	$client->execute("p$order[0]", 2)->execute("p$order[1]", 0);
	$client->execute("p$order[0]", 0)->sync;
	my @messages = $client->run;
	die "interleaved: $_->{message}"
	  foreach grep { $_->{type} eq 'E' } @messages;
	push @log, [ $texts[$_], $_ ? 5 : 7, undef ] foreach @order;
	push @waits, [ $first, $#log, $client->{elapsed} ];
	$statements += 2;
}

# a deferred constraint fails at COMMIT, whoever commits
sub fails_at_commit
{
	my $text = 'INSERT INTO child VALUES (' . int(rand(100)) . ')';
	my $way = int(rand(3));

	if ($way == 0)
	{
		my ($error) = grep { $_->{type} eq 'E' } $client->query($text)->run;
		push @log, [ $text, 1, $error->{sqlstate} ];
	}
	elsif ($way == 1)
	{
		$client->parse('', $text)->bind('', '')->execute('')->sync;
		my ($error) = grep { $_->{type} eq 'E' } $client->run;
		push @log, [ $text, 1, $error->{sqlstate} ];
	}
	else
	{
		$client->query("BEGIN; $text; COMMIT");
		my ($error) = grep { $_->{type} eq 'E' } $client->run;
		push @log, [ 'BEGIN', 0, undef ], [ $text, 1, undef ],
		  [ 'COMMIT', 0, $error->{sqlstate} ];
	}
	$statements++;
}

sub transaction
{
	my @texts = ('BEGIN', 'SAVEPOINT a');

	push @texts, any_statement() foreach 1 .. 1 + int(rand(4));
	push @texts, rand(2) < 1 ? 'COMMIT' : 'ROLLBACK';
	foreach my $text (@texts)
	{
		if (rand(2) < 1)
		{
			note_results([$text], $client->query($text)->run);
		}
		else
		{
			$client->parse('', $text)->bind('', '')->execute('')->sync;
			note_results([$text], $client->run);
		}
	}
}

$client->rows('SELECT missing_symbol.profile_start()');
my @ways = (\&simple, \&simple, \&extended, \&extended, \&prepared,
	\&prepared, \&pipelined, \&in_parts, \&interleaved, \&transaction,
	\&fails_at_commit);
while ($statements < 1000)
{
	$ways[ int(rand(@ways)) ]->();
	$client->query('')->run if rand(20) < 1;
	$client->sync->run if rand(20) < 1;
}

my @listed = $client->rows(q{
SELECT number, level, text, rows, sqlstate, status,
       plan_ms + exec_ms + coalesce(commit_ms, 0)
FROM missing_symbol.queries ORDER BY number});

is(scalar @listed, scalar @log, 'as many as the client has sent');

# where they part, if they do
foreach my $i (0 .. $#log)
{
	next if $listed[$i] && $listed[$i][2] eq $log[$i][0];
	foreach my $j (($i > 3 ? $i - 3 : 0) .. $i + 2)
	{
		diag "$j sent: ", join(' | ', map { $_ // '-' } @{ $log[$j] // [] });
		diag "$j listed: ",
		  join(' | ', map { $_ // '-' } @{ $listed[$j] // [] }[ 2 .. 5 ]);
	}
	last;
}
my ($texts, $rows, $errors, $levels, $numbers, $status) = (0) x 6;
foreach my $i (0 .. ($#log < $#listed ? $#log : $#listed))
{
	my ($number, $level, $text, $n, $sqlstate, $state) = @{ $listed[$i] };
	my ($sent, $got, $error) = @{ $log[$i] };

	$levels++ if $level != 0;
	$numbers++ if $number != $i + 1;
	$texts++, diag "text: $text for $sent" if $text ne $sent && $texts < 5;
	$errors++,
	  diag("sqlstate: $sent: " . ($sqlstate // 'none') . ' for '
		  . ($error // 'none'))
	  if ($sqlstate // '') ne ($error // '');
	$status++ if $state ne (defined $error ? 'error' : 'ok');

	# what a statement had sent before it failed, no client is told
	$rows++, diag "rows: $sent: $n for $got"
	  if defined $got && $n != $got;
}
is($texts, 0, 'texts, in order');
is($rows, 0, 'rows');
is($errors, 0, 'SQLSTATEs');
is($status, 0, 'status');
is($levels, 0, 'all at top level');
is($numbers, 0, 'numbered in a row');

my $too_long = 0;
foreach my $wait (@waits)
{
	my ($first, $last, $seconds) = @$wait;
	my $ms = 0;

	$ms += $listed[$_][6] foreach $first .. $last;
	$too_long++, diag "$ms ms in $seconds s" if $ms > $seconds * 1000;
}
is($too_long, 0, 'never longer than the client has waited');
cmp_ok(scalar(grep { defined $_->[2] } @log), '>', 100, 'errors were among them');

my ($stats) = $client->rows(q{
SELECT sum(calls), sum(errors), (SELECT count(*) FROM missing_symbol.n_plus_one)
FROM missing_symbol.query_stats});
is($stats->[0], scalar @log, 'calls of all shapes');
is($stats->[1], scalar(grep { defined $_->[2] } @log), 'errors of all shapes');

# What a statement that has ended a transaction does in the next one is
# committed by Sync, or undone by an error before it.
sub committed
{
	return join ' ', map { "$_->[0] $_->[1]" } $client->rows(
		'SELECT command, committed FROM missing_symbol.queries ORDER BY number');
}

sub ended_inside
{
	my (@texts) = @_;

	$client->rows('SELECT missing_symbol.profile_reset()');
	$client->parse('', $_)->bind('', '')->execute('') foreach @texts;
	$client->sync->run;
	return committed();
}

my $goes_on = 'DO $$BEGIN ROLLBACK; INSERT INTO t VALUES (%d, 0); END$$';
is(ended_inside(sprintf($goes_on, -1)), 'DO t', 'ROLLBACK inside: Sync commits');
is(ended_inside(sprintf($goes_on, -2), 'SELECT 1'), 'DO t SELECT t', 'and commits it with what follows');
is(ended_inside(sprintf($goes_on, -3), 'SELECT 1 / 0'), 'DO f SELECT f', 'and what follows undoes it');
$client->rows('SELECT missing_symbol.profile_reset()');
$client->query(sprintf($goes_on, -4))->run;
is(committed(), 'DO t', 'likewise in a simple query');
is(join(' ', map { $_->[0] } $client->rows('SELECT id FROM t WHERE id < 0 ORDER BY id DESC')),
	'-1 -2 -4', 'so it is');

# Rows of a command that wait in its portal: those that the client has taken
sub taken
{
	my ($text, @parts) = @_;

	$client->rows('SELECT missing_symbol.profile_reset()');
	$client->query('BEGIN')->run;
	$client->query('PREPARE taken AS SELECT generate_series(1, 9)')->run;
	$client->query('DECLARE taken CURSOR FOR SELECT generate_series(1, 9)')->run;
	$client->parse('', $text)->bind('p', '');
	$client->execute('p', $_) foreach @parts;
	$client->sync->run;
	$client->query('COMMIT; DEALLOCATE taken')->run;
	my ($shown) = $client->rows("SELECT rows FROM missing_symbol.queries WHERE text = '$text'");
	my ($total) = $client->rows(q{SELECT sum(rows) FROM missing_symbol.query_stats});
	return "$shown->[0] $total->[0]";
}

is(taken('EXECUTE taken', 2), '2 2', 'EXECUTE, two rows taken');
is(taken('EXECUTE taken', 2, 3), '5 5', 'five in parts');
is(taken('EXECUTE taken', 5, 5), '9 9', 'all in parts');
is(taken('EXECUTE taken', 0), '9 9', 'all at once');
is(taken('FETCH ALL FROM taken', 1, 1), '2 2', 'FETCH');
is(taken('FETCH 3 FROM taken', 0), '3 3', 'FETCH, all of them');

# A portal that was not read to its end
sub left_early
{
	my ($end) = @_;

	$client->rows('SELECT missing_symbol.profile_reset()');
	$client->query('BEGIN')->run;
	$client->parse('', 'SELECT generate_series(1, 9)')->bind('p', '')->execute('p', 2);
	$client->close_portal('p') if $end eq 'Close';
	$client->sync->run;
	$client->query($end eq 'ROLLBACK' ? $end : $end eq 'error' ? 'SELECT 1 / 0' : 'COMMIT')->run;
	$client->query('ROLLBACK')->run if $end eq 'error';
	return ($client->rows(q{SELECT status FROM missing_symbol.queries WHERE text ~ 'generate_series'}))[0][0];
}

is(left_early('Close'), 'ok', 'left early: closed by the client');
is(left_early('COMMIT'), 'ok', 'by COMMIT');
is(left_early('ROLLBACK'), 'closed', 'by ROLLBACK');
is(left_early('error'), 'closed', 'by an error');

# What a client sends is no foreign key's check, whatever it looks like
$client->query('CREATE TABLE looks AS SELECT i AS v FROM generate_series(1, 20000) i')->run;
$client->query('ANALYZE looks')->run;
$client->rows('SELECT missing_symbol.profile_reset(), missing_symbol.profile_start(plans => true)');
foreach (1 .. 3)
{
	$client->parse('', 'SELECT 1 FROM ONLY "public"."looks" x WHERE $1 OPERATOR(pg_catalog.=) "v"');
	$client->bind('', '', $_)->execute('')->sync->run;
}
is(join(' ', map { @$_ } $client->rows(q{SELECT kind, relation FROM missing_symbol.findings})),
	'seq_scan_discards public.looks', q{a client's statement that looks like a foreign key's check});
$client->disconnect;

done_testing();
