# The server dies under load, by kill -9 of a backend, by kill -9 of the
# postmaster, by an immediate stop, or is stopped: afterwards the counters have
# exactly what was committed.  That is what clients were told, and of the
# transactions that were in doubt those which pg_xact_status, asked for an id
# taken before COMMIT, says are committed.  Counted now, at commit and with
# spill, in batches and savepoints, prepared or rolled back, while fold() and
# prune() run all the time; what total() says never goes backwards, not over a
# crash either.  What is buffered is never counted twice, and lost only where a
# crash comes before it is merged.
#
# With SOAK_MINUTES this goes on for so long, at a random pace (test-hard).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use Ledger;
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $clients = 16;
my $keys = 50;
my $node = new_node('crash', conf => [ 'restart_after_crash = on', 'max_connections = 60',
	'max_prepared_transactions = 20', 'client_min_messages = error', 'log_statement = none',
	q{missing_symbol.flush_interval = '200ms'} ]);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $soak = ($ENV{SOAK_MINUTES} || 0) * 60;

# hits is counted now or at commit; the others never wait for a row
$node->safe_psql('postgres', q{
CREATE TABLE hits (id serial, k int PRIMARY KEY, hits bigint NOT NULL,
                   first_seen timestamptz, last_seen timestamptz) WITH (fillfactor = 50);
CREATE INDEX ON hits (last_seen);
CREATE TABLE spills (LIKE hits INCLUDING ALL);
SELECT missing_symbol.track('spills', spill => true);
CREATE TABLE pruned (k int PRIMARY KEY, hits bigint NOT NULL, last_seen timestamptz) WITH (fillfactor = 50);
CREATE TABLE archive (k int, hits bigint);
CREATE FUNCTION archive() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO archive VALUES (OLD.k, OLD.hits); RETURN NULL; END';
CREATE TRIGGER archive AFTER DELETE ON pruned FOR EACH ROW EXECUTE FUNCTION archive();
SELECT missing_symbol.track('pruned', spill => true);
CREATE TABLE buffered (k int PRIMARY KEY, hits bigint NOT NULL) WITH (fillfactor = 50);
SELECT missing_symbol.track('buffered', apply => 'buffer');

-- holds a row, and a key that it inserts, over all that follows
SELECT missing_symbol.increment('spills', 1);
BEGIN;
SELECT missing_symbol.increment('spills', 1), missing_symbol.increment('spills', 2);
PREPARE TRANSACTION 'holder';
-- the clients may not come to that key; total() has a row for it from here on
SELECT missing_symbol.increment('spills', 2);
});

my $ledger = Ledger->new($node);

$ledger->note([ 'spills', 1, 2 ], [ 'spills', 2, 2 ]);

sub any_key { return 1 + int(rand($keys)) }

# Statements that count, and what they claim: [target, key, amount].  Only
# what waits for no row may count keys in any order.
sub one
{
	my ($target, $k, $by) = @_;

	return ("SELECT missing_symbol.increment_by('$target', $by, $k) \\g /dev/null\n", [ $target, $k, $by ]);
}

sub batch
{
	my ($target) = @_;
	my @batch = map { any_key() } 1 .. 1 + int(rand(8));

	return ("SELECT missing_symbol.increment_many('$target', ARRAY[" . join(', ', @batch) . "]) \\g /dev/null\n",
		map { [ $target, $_, 1 ] } @batch);
}

# A transaction of one kind
sub transaction
{
	my $kind = int(rand(6));
	my ($sql, @claims) = ('');
	my $add = sub { $sql .= shift; push @claims, @_; };
	my $undone = sub { $sql .= "SAVEPOINT s;\n" . (shift) . "ROLLBACK TO SAVEPOINT s;\n"; };

	if ($kind <= 1)
	{
		my ($k, $l) = sort { $a <=> $b } (any_key(), any_key());

		$add->(one('hits', $k, 1));
		$undone->(one('hits', $l, 1)) if rand() < 0.3;
		$add->(one('hits', $l, 1 + int(rand(3))));
		return ($sql, @claims);
	}

	# whatever the order: left to the commit, or never waiting
	my @targets = ('spills', 'pruned', 'buffered', $kind <= 3 ? 'hits' : ());

	$sql .= "SET LOCAL missing_symbol.apply = 'commit';\n" if $kind <= 4;
	$sql .= "SET LOCAL missing_symbol.pending_limit = 0;\n" if $kind == 4 && rand() < 0.5;
	foreach (1 .. 1 + int(rand(3)))
	{
		my $target = $targets[ int(rand(@targets)) ];
		my $what = int(rand(4));

		if ($what == 0) { $add->(batch($target)); }
		elsif ($what == 1) { $undone->(batch($target)); }
		elsif ($what == 2) { $sql .= "SAVEPOINT r;\n"; $add->(one($target, any_key(), 2)); $sql .= "RELEASE r;\n"; }
		else { $add->(one($target, any_key(), 1)); }
	}
	return ($sql, @claims);
}

# A client's life: transactions that tell their id and what they count before
# COMMIT, and after it that it went through; among them some that roll back.
# Only what spills is prepared: nobody would ever wait for one that was left,
# and a crash would lose what it has buffered.
sub script
{
	my ($path) = @_;
	my $all = "SET missing_symbol.fast_path = $path;\n";

	foreach my $i (1 .. 10000)
	{
		my ($sql, @claims) = transaction();

		my $done = "SELECT 'done ' || extract(epoch FROM clock_timestamp());\n";

		$all .= "BEGIN;\nSELECT 'xid ' || pg_current_xact_id();\n$sql";
		if (rand() < 0.15)
		{
			$all .= "ROLLBACK;\n\\echo gone\n";
			next;
		}
		$all .= '\\echo claim ' . join(' ', map { join(':', @$_) } @claims) . "\n" if @claims;
		if (rand() < 0.1 && !grep { $_->[0] =~ /hits|buffered/ } @claims)
		{
			$all .= "\\set gid :client '-' $i\nPREPARE TRANSACTION :'gid';\n";
			$all .= rand() < 0.3 ? "ROLLBACK PREPARED :'gid';\n\\echo gone\n"
			  : "COMMIT PREPARED :'gid';\n$done";
		}
		else { $all .= "COMMIT;\n$done"; }
	}
	PostgreSQL::Test::Utils::append_to_file("$dir/$path.sql", $all);
}
script('on');
script('off');

PostgreSQL::Test::Utils::append_to_file("$dir/fold.sql", "SELECT missing_symbol.fold() \\g /dev/null\n" x 20000);
PostgreSQL::Test::Utils::append_to_file("$dir/prune.sql",
	"CALL missing_symbol.prune('pruned', '50 milliseconds', 7);\n" x 20000);
PostgreSQL::Test::Utils::append_to_file("$dir/total.sql",
	"SELECT coalesce(sum(hits), 0) FROM missing_symbol.total(NULL::spills);\n" x 20000);

# What the clients said: [target, k, n, time] of what was committed, or is in
# doubt, by xid.
sub read_claims
{
	my ($out, $told, $doubt) = @_;
	my ($xid, @claim);

	foreach my $line (split /\n/, $out)
	{
		if ($line =~ /^xid (\d+)$/) { $xid = $1; @claim = (); }
		elsif ($line =~ /^claim (.*)$/) { @claim = map { [ split /:/ ] } split / /, $1; }
		elsif ($line =~ /^done ([0-9.]+)$/)
		{
			push @$told, map { [ @$_, $1 ] } @claim;
			$xid = undef;
			@claim = ();
		}
		elsif ($line eq 'gone') { $xid = undef; }
	}
	# without a claim COMMIT was not sent
	$doubt->{$xid} = [@claim] if defined $xid && @claim;
	return;
}

# counters by key, of a query of two columns
sub by_key { return map { /^(\d+)\|(-?\d+)$/ ? ($1 => $2) : () } split /\n/, $node->safe_psql('postgres', shift) }

# At some moment, when all are at work: the end of the server, and a new one
sub end_server
{
	my ($how) = @_;
	my @server;

	if ($how eq 'a backend')
	{
		my $pid = $node->safe_psql('postgres', q{
SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY random() LIMIT 1});
		kill 9, $pid;
	}
	elsif ($how eq 'the postmaster')
	{
		@server = kill_server($node);
	}
	else
	{
		$node->stop($how);
	}
	return @server;
}

sub start_again
{
	my ($how, @server) = @_;

	$node->start if $how eq 'immediate' || $how eq 'fast';
	start_killed($node, @server) if $how eq 'the postmaster';
	wait_until_up($node);
	return;
}

# What is buffered: within bounds, key by key; what was acknowledged before a
# moment at which the rest was younger is not lost.  Returns what is lost of all
# that was acknowledged.
my %buffered;

sub check_buffered
{
	my ($how, $merged, $told, $doubt) = @_;
	my (%low, %high, $lost);
	my %now = by_key('SELECT k, hits FROM missing_symbol.total(NULL::buffered)');

	foreach (grep { $_->[0] eq 'buffered' } @$told)
	{
		$high{ $_->[1] } += $_->[2];
		$low{ $_->[1] } += $_->[2] if $how eq 'fast' || $_->[3] < $merged;
		$lost += $_->[2];
	}
	$high{ $_->[1] } += $_->[2] foreach grep { $_->[0] eq 'buffered' } @$doubt;
	foreach my $k (1 .. $keys)
	{
		my $before = $buffered{$k} || 0;
		my $grown = ($now{$k} || 0) - $before;

		$lost -= $grown;
		$high{$k} ||= 0;
		$low{$k} ||= 0;
		push @{ $now{wrong} }, "key $k: $low{$k} <= $grown <= $high{$k}" if $grown < $low{$k} || $grown > $high{$k};
	}
	is(join("\n", @{ delete $now{wrong} || [] }), '', "$how: what is buffered is counted once, and lost only if new");
	%buffered = %now;
	return $lost > 0 ? $lost : 0;
}

my ($total, $in_doubt, $prepared, $spilled, $looks, $before, $pruned, $acknowledged, $lost, $rounds) = (0) x 10;
my @ways = ('a backend', 'the postmaster', 'immediate', 'fast');
my $until = time + $soak;

for (my $round = 1; $soak ? time < $until : $round <= 8; $round++)
{
	my $how = $ways[ $soak ? int(rand(@ways)) : $round % @ways ];
	my @all = (0 .. $clients - 1, 'fold', 'prune', 'total');
	my (@handles, @server, @told, %doubt);

	# those that count, one that folds, one that prunes, one that looks on
	foreach my $client (@all)
	{
		my $script = $client =~ /\d/ ? ('off', 'on')[ $client % 2 ] : $client;

		push @handles, IPC::Run::start(
			[ 'psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-v', "client=$client",
			  '-d', $node->connstr('postgres'), '-f', "$dir/$script.sql" ],
			'<', \undef, '>', "$dir/out.$client", '2>', "$dir/err.$client");
	}
	$node->poll_query_until('postgres', 'SELECT count(*) >= ' . @all
		  . q{ FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND query <> ''});
	usleep($soak ? rand(10_000_000) : 200_000 + rand(400_000));
	my $merged = $node->safe_psql('postgres', 'SELECT extract(epoch FROM clock_timestamp())');
	$node->poll_query_until('postgres',
		"SELECT coalesce(min(first_seen) > to_timestamp($merged), true) FROM missing_symbol.buffered WHERE target = 'buffered'::regclass")
	  or die 'the worker does not merge';
	usleep(rand(200_000));
	@server = end_server($how);
	# every client meets the end of the server
	$_->finish foreach @handles;
	start_again($how, @server);

	# what is left prepared is decided now, one way or the other
	foreach my $gid (split /\n/, $node->safe_psql('postgres', "SELECT gid FROM pg_prepared_xacts WHERE gid <> 'holder'"))
	{
		$prepared++;
		$node->safe_psql('postgres', (rand() < 0.5 ? 'COMMIT' : 'ROLLBACK') . " PREPARED '$gid'");
	}

	foreach my $client (@all)
	{
		read_claims(PostgreSQL::Test::Utils::slurp_file("$dir/out.$client"), \@told, \%doubt)
		  if $client =~ /\d/;
		like(PostgreSQL::Test::Utils::slurp_file("$dir/err.$client"),
			qr/server closed the connection|connection to server was lost|terminating connection|57P0/,
			"$how: client $client was cut off");
	}
	$lost += check_buffered($how, $merged, \@told, [ map { @$_ } values %doubt ]);
	$acknowledged += $_->[2] foreach grep { $_->[0] eq 'buffered' } @told;

	# before anything takes such an id again
	foreach my $xid (sort keys %doubt)
	{
		my $status = answer($node, "SELECT pg_xact_status('$xid')");

		# 22023: the id is in the future: all trace of the transaction is lost
		like($status, qr/^(?:committed|aborted|22023)$/, "$how: transaction in doubt is resolved");
		push @told, @{ $doubt{$xid} } if $status eq 'committed';
	}
	$in_doubt += keys %doubt;
	$total += @told;
	$ledger->note(grep { $_->[0] ne 'buffered' } @told);

	is($ledger->differences('hits', count => 'hits'), '', "$how: rows are exact");
	is($ledger->differences('spills', source => 'missing_symbol.total(NULL::spills)', count => 'hits + CASE WHEN k <= 2 THEN 1 ELSE 0 END'),
		'', "$how: rows and what is spilled are exact together");
	is($ledger->differences('pruned', source => q{(SELECT k, sum(hits) AS hits FROM
(SELECT k, hits FROM missing_symbol.total(NULL::pruned) UNION ALL SELECT k, hits FROM archive) AS a GROUP BY k)}, count => 'hits'),
		'', "$how: so are they with what was pruned");

	# seen under load, and after the crash, which starts the next round's
	my @totals = split /\n/, PostgreSQL::Test::Utils::slurp_file("$dir/out.total");

	pop @totals if @totals && $totals[-1] !~ /^\d+$/;
	$looks += @totals;
	@totals = ($before, @totals,
		$node->safe_psql('postgres', 'SELECT coalesce(sum(hits), 0) FROM missing_symbol.total(NULL::spills)'));
	is(join(' ', grep { $totals[$_] < $totals[ $_ - 1 ] } 1 .. $#totals), '', "$how: no total went backwards");
	$before = $totals[-1];
	$spilled += $node->safe_psql('postgres', 'SELECT count(*) FROM missing_symbol.spilled');
	$pruned = $node->safe_psql('postgres', 'SELECT count(*) FROM archive');
	$rounds = $round;
}

$node->safe_psql('postgres', "COMMIT PREPARED 'holder'");
$node->safe_psql('postgres', 'SELECT missing_symbol.fold(); SELECT missing_symbol.flush()');
is($ledger->differences('spills', count => 'hits'), '', 'after the last fold the rows are exact');
is($node->safe_psql('postgres', 'SELECT count(*) FROM missing_symbol.spilled'), '0', 'and nothing is left over');
my %rows = by_key('SELECT k, hits FROM buffered');
is(join(' ', map { "$_=$rows{$_}" } sort keys %rows),
	join(' ', map { "$_=$buffered{$_}" } sort keys %buffered), 'after the last flush the rows have what was buffered');
cmp_ok($looks, '>', 0, "$looks totals were read under load");
cmp_ok($spilled, '>=', 6, "$spilled spilled deltas lived through a crash");
cmp_ok($pruned, '>', 0, "$pruned counters were pruned");
note("figures: $rounds ends of the server, $total increments, $in_doubt transactions in doubt, $prepared left prepared,"
	  . " $lost of $acknowledged buffered increments lost, $pruned counters pruned, $looks totals read");
cmp_ok($total, '>', 1000, "$total increments were committed, $in_doubt transactions were in doubt, $prepared prepared");
is($node->safe_psql('postgres', q{
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT count(*) FROM (SELECT k FROM hits ORDER BY last_seen) AS s}),
	$node->safe_psql('postgres', 'SELECT count(*) FROM hits'), 'the index has every row once');

$node->stop;
clean_log_ok($node);
done_testing();
