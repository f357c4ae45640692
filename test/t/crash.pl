# The server dies under load, by kill -9 of a backend, by kill -9 of the
# postmaster, by an immediate stop: afterwards the counters have exactly what
# was committed.  That is what clients were told, and of the transactions that
# were in doubt those which pg_xact_status, asked for an id taken before
# COMMIT, says are committed.  Counted now, at commit and with spill, in
# batches and savepoints, prepared or rolled back, while fold() runs all the
# time; what total() says never goes backwards, not over a crash either.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $clients = 16;
my $keys = 50;
my $node = new_node('crash', conf => [ 'restart_after_crash = on', 'max_connections = 60',
	'max_prepared_transactions = 20', 'client_min_messages = error' ]);
my $dir = PostgreSQL::Test::Utils::tempdir();

# hits is counted now or at commit; what spills never waits for a row
$node->safe_psql('postgres', q{
CREATE TABLE hits (id serial, k int PRIMARY KEY, hits bigint NOT NULL,
                   first_seen timestamptz, last_seen timestamptz) WITH (fillfactor = 50);
CREATE INDEX ON hits (last_seen);
CREATE TABLE spills (LIKE hits INCLUDING ALL);
SELECT missing_symbol.track('spills', spill => true);
CREATE TABLE claimed (target text, k int, n bigint);
INSERT INTO claimed VALUES ('spills', 1, 1), ('spills', 1, 1), ('spills', 2, 1);

-- holds a row, and a key that it inserts, over all that follows
SELECT missing_symbol.increment('spills', 1);
BEGIN;
SELECT missing_symbol.increment('spills', 1), missing_symbol.increment('spills', 2);
PREPARE TRANSACTION 'holder';
});

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
	my @targets = $kind <= 3 ? ('hits', 'spills') : ('spills');

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
# Only what spills is prepared: nobody would ever wait for one that was left.
sub script
{
	my ($path) = @_;
	my $all = "SET missing_symbol.fast_path = $path;\n";

	foreach my $i (1 .. 10000)
	{
		my ($sql, @claims) = transaction();

		$all .= "BEGIN;\nSELECT 'xid ' || pg_current_xact_id();\n$sql";
		if (rand() < 0.15)
		{
			$all .= "ROLLBACK;\n\\echo gone\n";
			next;
		}
		$all .= '\\echo claim ' . join(' ', map { join(':', @$_) } @claims) . "\n" if @claims;
		if (rand() < 0.1 && !grep { $_->[0] ne 'spills' } @claims)
		{
			$all .= "\\set gid :client '-' $i\nPREPARE TRANSACTION :'gid';\n";
			$all .= rand() < 0.3 ? "ROLLBACK PREPARED :'gid';\n\\echo gone\n"
			  : "COMMIT PREPARED :'gid';\n\\echo done\n";
		}
		else { $all .= "COMMIT;\n\\echo done\n"; }
	}
	PostgreSQL::Test::Utils::append_to_file("$dir/$path.sql", $all);
}
script('on');
script('off');

PostgreSQL::Test::Utils::append_to_file("$dir/fold.sql", "SELECT missing_symbol.fold() \\g /dev/null\n" x 20000);
PostgreSQL::Test::Utils::append_to_file("$dir/total.sql",
	"SELECT coalesce(sum(hits), 0) FROM missing_symbol.total(NULL::spills);\n" x 20000);

# What the clients said: [target, k, n] of what was committed or is in doubt,
# by xid.
sub read_claims
{
	my ($out, $told, $doubt) = @_;
	my ($xid, @claim);

	foreach my $line (split /\n/, $out)
	{
		if ($line =~ /^xid (\d+)$/) { $xid = $1; @claim = (); }
		elsif ($line =~ /^claim (.*)$/) { @claim = map { [ split /:/ ] } split / /, $1; }
		elsif ($line eq 'done') { push @$told, @claim; $xid = undef; @claim = (); }
		elsif ($line eq 'gone') { $xid = undef; }
	}
	# without a claim COMMIT was not sent
	$doubt->{$xid} = [@claim] if defined $xid && @claim;
	return;
}

# The processes of a postmaster that was killed end by themselves.  A process
# that nobody has waited for yet is gone too.
sub wait_until_gone
{
	foreach my $pid (@_)
	{
		foreach my $try (1 .. 1800)
		{
			last if !kill 0, $pid;
			last if -e "/proc/$pid/stat"
			  && PostgreSQL::Test::Utils::slurp_file("/proc/$pid/stat") =~ /\) Z /;
			usleep(100_000);
		}
	}
}

my ($total, $in_doubt, $prepared, $spilled, $looks, $before) = (0) x 6;

foreach my $round (1 .. 6)
{
	my $how = ('a backend', 'the postmaster', 'immediate')[ $round % 3 ];
	my (@handles, @server);

	# those that count, one that folds, one that looks on
	foreach my $client (0 .. $clients - 1, 'fold', 'total')
	{
		my $script = $client =~ /\d/ ? ('off', 'on')[ $client % 2 ] : $client;

		push @handles, IPC::Run::start(
			[ 'psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-v', "client=$client",
			  '-d', $node->connstr('postgres'), '-f', "$dir/$script.sql" ],
			'<', \undef, '>', "$dir/out.$round.$client", '2>', "$dir/err.$round.$client");
	}

	# at some moment when all are at work
	$node->poll_query_until('postgres',
		"SELECT count(*) >= $clients + 2 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND query <> ''");
	usleep(200_000 + rand(400_000));
	if ($how eq 'a backend')
	{
		my $pid = $node->safe_psql('postgres', q{
SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' LIMIT 1});
		kill 9, $pid;
	}
	elsif ($how eq 'the postmaster')
	{
		@server = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
		push @server, (split /\n/, PostgreSQL::Test::Utils::slurp_file($node->data_dir . '/postmaster.pid'))[0];
		$node->kill9;
	}
	else
	{
		$node->stop('immediate');
	}

	# every client meets the end of the server
	$_->finish foreach @handles;
	$node->start if $how eq 'immediate';
	if ($how eq 'the postmaster')
	{
		wait_until_gone(@server);
		# where init leaves the dead unburied, their lock files seem in use
		unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';

		# a backend that started meanwhile may hold the shared memory a little
		my $started = 0;
		foreach (1 .. 60)
		{
			last if $started = $node->start(fail_ok => 1);
			sleep 1;
		}
		die 'the server does not start again' unless $started;
	}
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');

	# what is left prepared is decided now, one way or the other
	foreach my $gid (split /\n/, $node->safe_psql('postgres', "SELECT gid FROM pg_prepared_xacts WHERE gid <> 'holder'"))
	{
		$prepared++;
		$node->safe_psql('postgres', (rand() < 0.5 ? 'COMMIT' : 'ROLLBACK') . " PREPARED '$gid'");
	}

	my (@told, %doubt);
	foreach my $client (0 .. $clients - 1, 'fold', 'total')
	{
		read_claims(PostgreSQL::Test::Utils::slurp_file("$dir/out.$round.$client"), \@told, \%doubt)
		  if $client =~ /\d/;
		like(PostgreSQL::Test::Utils::slurp_file("$dir/err.$round.$client"),
			qr/server closed the connection|connection to server was lost|terminating connection|57P0/,
			"$how: client $client was cut off");
	}
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
	$node->safe_psql('postgres', 'INSERT INTO claimed VALUES '
		  . join(', ', map { "('$_->[0]', $_->[1], $_->[2])" } @told)) if @told;

	my $wrong = q{
SELECT k, hits, n FROM SOURCE AS t
FULL JOIN (SELECT k, sum(n) AS n FROM claimed WHERE target = 'TARGET' GROUP BY k) AS c USING (k)
WHERE hits + CASE WHEN 'TARGET' = 'spills' AND k <= 2 THEN 1 ELSE 0 END IS DISTINCT FROM n ORDER BY k};

	is($node->safe_psql('postgres', $wrong =~ s/SOURCE/hits/r =~ s/TARGET/hits/gr), '', "$how: rows are exact");
	is($node->safe_psql('postgres', $wrong =~ s/SOURCE/missing_symbol.total(NULL::spills)/r =~ s/TARGET/spills/gr),
		'', "$how: rows and what is spilled are exact together");

	# seen under load, and after the crash, which starts the next round's
	my @totals = split /\n/, PostgreSQL::Test::Utils::slurp_file("$dir/out.$round.total");

	pop @totals if @totals && $totals[-1] !~ /^\d+$/;
	$looks += @totals;
	@totals = ($before, @totals,
		$node->safe_psql('postgres', 'SELECT coalesce(sum(hits), 0) FROM missing_symbol.total(NULL::spills)'));
	is(join(' ', grep { $totals[$_] < $totals[ $_ - 1 ] } 1 .. $#totals), '', "$how: no total went backwards");
	$before = $totals[-1];
	$spilled += $node->safe_psql('postgres', 'SELECT count(*) FROM missing_symbol.spilled');
}

$node->safe_psql('postgres', "COMMIT PREPARED 'holder'");
$node->safe_psql('postgres', 'SELECT missing_symbol.fold()');
is($node->safe_psql('postgres', q{
SELECT k, hits, n FROM spills FULL JOIN (SELECT k, sum(n) AS n FROM claimed WHERE target = 'spills' GROUP BY k) AS c USING (k)
WHERE hits IS DISTINCT FROM n ORDER BY k}), '', 'after the last fold the rows are exact');
is($node->safe_psql('postgres', 'SELECT count(*) FROM missing_symbol.spilled'), '0', 'and nothing is left over');
cmp_ok($looks, '>', 0, "$looks totals were read under load");
cmp_ok($spilled, '>=', 6, "$spilled spilled deltas lived through a crash");
cmp_ok($total, '>', 1000, "$total increments were committed, $in_doubt transactions were in doubt, $prepared prepared");
is($node->safe_psql('postgres', q{
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT count(*) FROM (SELECT k FROM hits ORDER BY last_seen) AS s}),
	$node->safe_psql('postgres', 'SELECT count(*) FROM hits'), 'the index has every row once');

$node->stop;
clean_log_ok($node);
done_testing();
