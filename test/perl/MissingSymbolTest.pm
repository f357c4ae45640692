# What the TAP tests have in common.

package MissingSymbolTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'usleep';

our @EXPORT = qw(new_node major_version answer wait_until_up kill_server start_killed pgbench_ok clean_log_ok);

# A new server that runs, with the extension in database postgres.  Options:
# init => arguments of init, conf => lines of postgresql.conf.
sub new_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(@{ $options{init} || [] });
	$node->append_conf('postgresql.conf',
		join("\n", 'autovacuum = off', @{ $options{conf} || [] }, ''));
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION missing_symbol');
	return $node;
}

sub major_version
{
	my ($node) = @_;

	return int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
}

# What statements answer, or the SQLSTATE of the first error
sub answer
{
	my ($node, $sql, $database) = @_;
	my ($rc, $out, $err) =
	  $node->psql($database || 'postgres', "\\set VERBOSITY sqlstate\n$sql");

	return $err =~ /(?:ERROR|FATAL):  (\w+)/ ? $1 : $out;
}

# Until a server that has crashed takes connections again.  Not with
# poll_query_until: a psql that cannot connect may be gone before it is given
# the query, which is a broken pipe, of which IPC::Run dies.
sub wait_until_up
{
	my ($node) = @_;

	for (1 .. 9000)
	{
		return
		  if IPC::Run::run([ 'pg_isready', '-q', '-h', $node->host, '-p', $node->port, '-d', 'postgres' ]);
		usleep(100_000);
	}
	die 'the server did not come back';
}

# Whether a process is there, and does more than wait to be buried: where
# nobody does that (a container's first process may not), it stays a zombie,
# which kill() finds.
sub alive
{
	my ($pid) = @_;

	return 0 if !kill 0, $pid;
	open my $stat, '<', "/proc/$pid/stat" or return -d '/proc/self' ? 0 : 1;
	return <$stat> !~ /\) [ZX] /;
}

# kill -9 for the postmaster.  Returns what start_killed() must wait for: its
# processes, which end by themselves.
sub kill_server
{
	my ($node) = @_;
	my @pids = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');

	push @pids, (split /\n/, PostgreSQL::Test::Utils::slurp_file($node->data_dir . '/postmaster.pid'))[0];
	$node->kill9;
	return @pids;
}

sub start_killed
{
	my ($node, @pids) = @_;

	foreach my $pid (@pids)
	{
		for (1 .. 9000)
		{
			last if !alive($pid);
			usleep(100_000);
		}
	}
	# the lock files of the dead seem in use, as long as they are not buried
	unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';

	# a backend that started meanwhile may hold the shared memory a little
	for (1 .. 600)
	{
		$node->{_pid} = undef;
		return if $node->start(fail_ok => 1);
		sleep 1;
	}
	die 'the server does not start again';
}

# Runs pgbench with scripts (a list of texts), which must go through without
# an error; returns its report.
sub pgbench_ok
{
	my ($node, $what, $options, @scripts) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my @command = ('pgbench', '--no-vacuum', @$options);
	my ($out, $err) = ('', '');
	my $n = 0;

	foreach my $script (@scripts)
	{
		my $file = "$dir/script" . $n++;

		PostgreSQL::Test::Utils::append_to_file($file, $script);
		push @command, "--file=$file";
	}

	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	my $ok = IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);

	# before 15 a client that met an error did not make the program fail
	$ok &&= $err !~ /aborted|ERROR/;
	ok($ok, $what) or diag("$out\n$err");
	return $out;
}

# The server's log tells of no leak and no crash.
sub clean_log_ok
{
	my ($node) = @_;
	my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
	my @bad = grep { /\bleak(?!proof)|was not closed|PANIC:|TRAP:|could not find .* in (?:cache|list)|nonzero refcount|still referenced|snapshot reference/ }
	  split(/\n/, $log);

	is(join("\n", @bad), '', $node->name . ': nothing is leaked');
}

1;
