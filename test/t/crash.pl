# The server dies under load, by kill -9 of a backend, by kill -9 of the
# postmaster, by an immediate stop: afterwards the counters have exactly what
# was committed.  That is what clients were told, and of the transactions that
# were in doubt those which pg_xact_status, asked for an id taken before
# COMMIT, says are committed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $clients = 6;
my $node = new_node('crash', conf => [ 'restart_after_crash = on', 'max_connections = 40' ]);
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', q{
CREATE TABLE hits (id serial, k int PRIMARY KEY, hits bigint NOT NULL,
                   first_seen timestamptz, last_seen timestamptz) WITH (fillfactor = 50);
CREATE INDEX ON hits (last_seen);
CREATE TABLE claimed (k int, n bigint);
});

# A client's life: transactions that tell their id and what they count before
# COMMIT, and after it that it went through; among them some that roll back,
# in whole and in part.
sub script
{
	my ($path) = @_;
	my $sql = "SET missing_symbol.fast_path = $path;\n";

	foreach my $i (1 .. 20000)
	{
		my ($k, $l) = sort { $a <=> $b } (1 + int(rand(20)), 1 + int(rand(20)));
		my $by = 1 + int(rand(3));
		my $what = int(rand(4));

		$sql .= "BEGIN;\nSELECT 'xid ' || pg_current_xact_id();\n";
		$sql .= "SELECT missing_symbol.increment('hits', $k) \\g /dev/null\n";
		$sql .= "SAVEPOINT s;\nSELECT missing_symbol.increment('hits', $l) \\g /dev/null\nROLLBACK TO SAVEPOINT s;\n"
		  if $what == 0;
		if ($what == 1)
		{
			$sql .= "ROLLBACK;\n\\echo gone\n";
			next;
		}
		$sql .= "SELECT missing_symbol.increment_by('hits', $by, $l) \\g /dev/null\n";
		$sql .= "\\echo claim $k 1 $l $by\nCOMMIT;\n\\echo done\n";
	}
	PostgreSQL::Test::Utils::append_to_file("$dir/$path.sql", $sql);
}
script('on');
script('off');

# What the clients said: [k, n] of what was committed or is in doubt, by xid.
sub read_claims
{
	my ($out, $told, $doubt) = @_;
	my ($xid, @claim);

	foreach my $line (split /\n/, $out)
	{
		if ($line =~ /^xid (\d+)$/) { $xid = $1; @claim = (); }
		elsif ($line =~ /^claim (\d+) (\d+) (\d+) (\d+)$/) { @claim = ([ $1, $2 ], [ $3, $4 ]); }
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

my ($total, $in_doubt) = (0, 0);

foreach my $round (1 .. 6)
{
	my $how = ('a backend', 'the postmaster', 'immediate')[ $round % 3 ];
	my (@handles, @server);

	foreach my $client (0 .. $clients - 1)
	{
		push @handles, IPC::Run::start(
			[ 'psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
			  '-f', $dir . ($client % 2 ? '/on.sql' : '/off.sql') ],
			'<', \undef, '>', "$dir/out.$round.$client", '2>', "$dir/err.$round.$client");
	}

	# at some moment when all are at work
	$node->poll_query_until('postgres', "SELECT count(*) >= $clients FROM pg_stat_activity WHERE xact_start IS NOT NULL AND query ~ 'increment|COMMIT|BEGIN|xid|SAVEPOINT'");
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
		$node->start;
	}
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');

	my (@told, %doubt);
	foreach my $client (0 .. $clients - 1)
	{
		read_claims(PostgreSQL::Test::Utils::slurp_file("$dir/out.$round.$client"), \@told, \%doubt);
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
		  . join(', ', map { "($_->[0], $_->[1])" } @told)) if @told;

	is($node->safe_psql('postgres', q{
SELECT k, hits, n FROM hits FULL JOIN (SELECT k, sum(n) AS n FROM claimed GROUP BY k) AS c USING (k)
WHERE hits IS DISTINCT FROM n ORDER BY k}), '', "$how: sums are exact");
}

cmp_ok($total, '>', 1000, "$total increments were committed, $in_doubt transactions were in doubt");
is($node->safe_psql('postgres', q{
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT count(*) FROM (SELECT k FROM hits ORDER BY last_seen) AS s}),
	$node->safe_psql('postgres', 'SELECT count(*) FROM hits'), 'the index has every row once');

$node->stop;
clean_log_ok($node);
done_testing();
