# Requests that are repeated until they are answered count once: eight clients
# whose connections are cut at random, most often after COMMIT was sent, and a
# server that is killed by kill -9 again and again; in every mode, singly, in
# batches and in transactions that roll back first.  Afterwards each key has
# exactly what its requests say, however often these were sent.  And tokens with
# prepared transactions, REINDEX CONCURRENTLY, dump and restore, and the worker.
#
# ONCE_REQUESTS is how many requests, ONCE_KILLS how often the server dies; with
# 100000 and 5 it takes some minutes.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use POSIX qw(_exit);
use PostgreSQL::Test::Utils;
use RawClient;
use Test::More;
use Time::HiRes qw(time usleep);

my $requests = $ENV{ONCE_REQUESTS} || 4000;
my $kills = $ENV{ONCE_KILLS} // 2;
my $clients = 8;
my $keys = 20;
my $node = new_node('once', conf => [ 'restart_after_crash = on', 'max_connections = 60', 'max_prepared_transactions = 5',
	'client_min_messages = error', 'log_statement = none', q{missing_symbol.flush_interval = '200ms'} ]);
my $dir = PostgreSQL::Test::Utils::tempdir();

my @targets = qw(now general spilling deferred buffered parted);

$node->safe_psql('postgres', q{
CREATE TABLE now (k int PRIMARY KEY, count bigint NOT NULL, last_seen timestamptz) WITH (fillfactor = 50);
CREATE TABLE general (LIKE now INCLUDING ALL);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER nothing BEFORE UPDATE ON general FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TABLE spilling (LIKE now INCLUDING ALL);
CREATE TABLE deferred (LIKE now INCLUDING ALL);
CREATE TABLE buffered (LIKE now INCLUDING ALL);
CREATE TABLE parted (k int PRIMARY KEY, count bigint) PARTITION BY HASH (k);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT missing_symbol.track('spilling', spill => true), missing_symbol.track('deferred', apply => 'commit'),
       missing_symbol.track('buffered', apply => 'buffer');
});

# What request n counts; it has the same token whenever it is sent, now as a
# number, now as text.
sub request
{
	my ($n) = @_;

	return ($targets[ $n % @targets ], 1 + int($n / @targets) % $keys, 1 + $n % 3);
}

sub call
{
	my ($n) = @_;
	my ($target, $k, $by) = request($n);
	my $token = rand() < 0.5 ? $n : "'$n'";

	return rand() < 0.5
	  ? "SELECT missing_symbol.increment_once_by('$target', $token, $by, $k)"
	  : qq{SELECT missing_symbol.increment_row_once('$target', $token, '{"k": $k}', $by)};
}

# The statements that send some requests, each a message of its own; those of a
# batch are of one target.
sub messages
{
	my (@n) = @_;
	my $kind = rand();

	return call($n[0]) if @n == 1 && $kind < 0.7;
	return ('BEGIN', (map { call($_) } @n), 'COMMIT') if $kind < 0.5;
	return ('BEGIN', 'SAVEPOINT s', (map { call($_) } @n), 'ROLLBACK TO s', (map { call($_) } reverse @n), 'COMMIT') if $kind < 0.6;
	return ('BEGIN', (map { call($_) } @n), 'ROLLBACK', 'BEGIN', (map { call($_) } @n), 'COMMIT') if $kind < 0.7;

	my %of;
	push @{ $of{ (request($_))[0] } }, $_ foreach @n;
	return ('BEGIN', (map {
		my $target = $_;
		"SELECT missing_symbol.increment_rows_once('$target', '{" . join(',', @{ $of{$target} }) . "}', '["
		  . join(',', map { '{"k": ' . (request($_))[1] . '}' } @{ $of{$target} }) . "]', '{"
		  . join(',', map { (request($_))[2] } @{ $of{$target} }) . "}')"
	} sort keys %of), 'COMMIT');
}

# A client's life: its share of the requests, some at a time, until all are
# answered.  It reports how often it was cut off, and how often it cut.
sub live
{
	my ($client, $file) = @_;
	my ($connection, $cut, $lost, $failed) = (undef, 0, 0, 0);
	my @mine = grep { $_ % $clients == $client } 1 .. $requests;

	srand($client);
	my $share = @mine;
	my $parent = getppid();
	while (@mine)
	{
		# not far ahead of the server's deaths
		my $deaths = int((0.9 - @mine / $share) * ($kills + 1));

		usleep(10_000) while $deaths > 0 && !-e "$dir/killed$deaths" && getppid() == $parent;
		my @some = @mine[ 0 .. ($#mine < 4 ? $#mine : int(rand(5))) ];
		my $answered = 0;

		while (!$answered)
		{
			die "the test is gone\n" if getppid() != $parent;
			$answered = eval {
				my @messages = messages(@some);
				my $at = rand() < 0.1 ? rand() < 0.7 ? $#messages : int(rand(@messages)) : -1;

				$connection ||= RawClient->new($node);
				foreach my $i (0 .. $#messages)
				{
					$connection->query($messages[$i])->flush;
					if ($i == $at)
					{
						usleep(rand(2000)) if rand() < 0.5;
						$cut++;
						die "cut\n";
					}
					foreach my $message ($connection->read_until('Z'))
					{
						die "failed $message->{sqlstate}: $message->{message}\n" if $message->{type} eq 'E';
					}
				}
				1;
			};
			next if $answered;
			if ($@ =~ /^failed/) { $failed++; }
			elsif ($@ !~ /^cut/) { $lost++; usleep(20_000); }
			# what cannot be repeated: the test's own fault
			if ($@ =~ /^failed (?!40|57|55P03|25|53)/) { PostgreSQL::Test::Utils::append_to_file($file, "wrong: $@"); return; }
			eval { $connection->{socket}->close } if $connection;
			$connection = undef;
		}
		splice @mine, 0, scalar @some;
	}
	PostgreSQL::Test::Utils::append_to_file($file, "$cut $lost $failed");
	return;
}

# ---------------------------------------------------------------------------
# The load
# ---------------------------------------------------------------------------

my $begin = time;
my @pids;
foreach my $client (0 .. $clients - 1)
{
	my $pid = fork() // die "fork: $!";

	if ($pid == 0)
	{
		eval { live($client, "$dir/client$client"); 1 } or PostgreSQL::Test::Utils::append_to_file("$dir/client$client", "wrong: $@");
		_exit(0);
	}
	push @pids, $pid;
}

# also while it is not yet seen that the server is about to go down
sub claimed
{
	for my $try (1 .. 600)
	{
		my $n = eval { $node->safe_psql('postgres', 'SELECT count(*) FROM missing_symbol.tokens') };

		return $n if defined $n;
		usleep(100_000);
	}
	die 'the server did not come back';
}

# another index takes the place of the one that decides
$node->safe_psql('postgres', 'REINDEX TABLE CONCURRENTLY missing_symbol.tokens');
foreach my $kill (1 .. $kills)
{
	# when so much of it is done
	my $wanted = $requests * $kill / ($kills + 1);

	for (1 .. 5000) { last if claimed() >= $wanted; usleep(20_000); }
	if ($kill % 2)
	{
		# one of the processes, so that all of them end and start again
		my ($pid) = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE application_name = 'raw' LIMIT 1}) =~ /(\d+)/;

		kill 9, $pid if $pid;
		wait_until_up($node);
	}
	else
	{
		start_killed($node, kill_server($node));
	}
	PostgreSQL::Test::Utils::append_to_file("$dir/killed$kill", '');
	note(sprintf('killed when %d of %d were counted', $wanted, $requests));
}
waitpid($_, 0) foreach @pids;

my @reports = map { PostgreSQL::Test::Utils::slurp_file("$dir/client$_") } 0 .. $clients - 1;
my ($cut, $lost, $failed) = (0, 0, 0);
foreach my $report (@reports)
{
	like($report, qr/^\d+ \d+ \d+$/, 'a client has had all its answers');
	my @n = split / /, $report;
	$cut += $n[0]; $lost += $n[1]; $failed += $n[2] if @n == 3;
}
cmp_ok($cut, '>', $requests / 100, "connections were cut $cut times by the clients");
cmp_ok($lost, '>', 0, "and $lost times by the server's death; $failed statements were refused");
note(sprintf('%.0f s', time - $begin));

# ---------------------------------------------------------------------------
# Exactly the requests, whatever was sent
# ---------------------------------------------------------------------------

my %expected;
foreach my $n (1 .. $requests)
{
	my ($target, $k, $by) = request($n);
	$expected{$target}{$k} += $by;
}
sub expected
{
	my ($target) = @_;
	return join("\n", map { "$_|$expected{$target}{$_}" } sort { $a <=> $b } keys %{ $expected{$target} });
}

is($node->safe_psql('postgres', "SELECT k, count FROM missing_symbol.total(NULL::$_) ORDER BY k"), expected($_), "$_: the total is exact") foreach @targets;
$node->safe_psql('postgres', 'SELECT missing_symbol.flush()');
is($node->safe_psql('postgres', "SELECT k, count FROM $_ ORDER BY k"), expected($_), "$_: the rows are exact") foreach @targets;
is(claimed(), $requests, 'each request has one token');
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM missing_symbol.buffered) + (SELECT count(*) FROM missing_symbol.spilled)'), '0', 'nothing waits');

# ---------------------------------------------------------------------------
# Prepared transactions, over a restart
# ---------------------------------------------------------------------------

my $once = sub { my ($token, $k, $lead) = @_; return answer($node, ($lead // '') . "SELECT missing_symbol.increment_once('now', '$token', $k), (missing_symbol.last_increment()).outcome"); };

$node->safe_psql('postgres', q{
BEGIN; SELECT missing_symbol.increment_once('now', 'prepared', 1001); PREPARE TRANSACTION 'commits';
BEGIN; SELECT missing_symbol.increment_once('now', 'undone', 1002), missing_symbol.increment_once('buffered', 'undone', 1002); PREPARE TRANSACTION 'rolls back'});
$node->restart;
is($once->('prepared', 1001, "SET lock_timeout = '10ms'; "), '55P03', 'a token of a prepared transaction is waited for');
$node->safe_psql('postgres', q{COMMIT PREPARED 'commits'});
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'rolls back'});
is($once->('prepared', 1001), '1|duplicate', 'it has counted');
is($once->('undone', 1002), '1|inserted', 'and one that is rolled back has not');

# ---------------------------------------------------------------------------
# Dump and restore
# ---------------------------------------------------------------------------

$node->command_ok([ 'pg_dump', '--no-sync', '-f', "$dir/dump", $node->connstr('postgres') ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
psql_file_ok($node, 'restore', "$dir/dump", $node->connstr('restored'));
is($node->safe_psql('restored', 'SELECT count(*) FROM missing_symbol.tokens'), claimed(), 'all tokens are there');
is(answer($node, q{SELECT missing_symbol.increment_once('now', 'prepared', 1001), missing_symbol.increment_once('now', 'restored', 1001)}, 'restored'),
	'1|2', 'for the tables of the same name');

# ---------------------------------------------------------------------------
# The worker expires tokens, as many as there are; nobody's claims
# ---------------------------------------------------------------------------

$node->safe_psql('postgres', q{
INSERT INTO missing_symbol.tokens SELECT 'now'::regclass, gen_random_uuid(), now() - interval '7 days 1 minute' FROM generate_series(1, 20000)});
my $left = claimed() - 20000;
$node->safe_psql('postgres', q{SELECT missing_symbol.increment('buffered', 1)});
poll_query_until_ok($node, 'the worker deletes what has expired', "SELECT count(*) = $left FROM missing_symbol.tokens");

# after a longer time more is known
$node->append_conf('postgresql.conf', 'missing_symbol.token_days = 30');
$node->reload;
$node->safe_psql('postgres', q{
INSERT INTO missing_symbol.tokens SELECT 'now'::regclass, encode(substring(sha256('long ago') FOR 16), 'hex')::uuid, now() - interval '29 days'});
is($once->('long ago', 1001), '1|duplicate', 'token_days is for the server');

$node->stop;
clean_log_ok($node);
done_testing();
