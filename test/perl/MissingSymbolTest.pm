# What the TAP tests have in common.

package MissingSymbolTest;

use strict;
use warnings;

use Cwd;
use Exporter 'import';
use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'usleep';

our @EXPORT = qw(new_node new_standby wait_for_replay major_version pg_config extension_version released_versions
  answer poll_query_until_ok wait_for_event wait_until_up kill_server start_killed
  start_pgbench finish_pgbench finish_pgbench_ok pgbench_ok psql_file_ok python_with run_python
  slurp_log log_count clean_log_ok);

# A new server that runs, with the extension in database postgres.  Options:
# init => arguments of init, conf => lines of postgresql.conf.
sub new_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(@{ $options{init} || [] });
	$node->append_conf('postgresql.conf',
		join("\n", 'autovacuum = off', 'missing_symbol.slow_threshold = -1', @{ $options{conf} || [] }, ''));
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION missing_symbol');
	return $node;
}

# A standby of a node, which allows streaming
sub new_standby
{
	my ($name, $primary) = @_;
	my $standby = PostgreSQL::Test::Cluster->new($name);

	$primary->backup($name);
	$standby->init_from_backup($primary, $name, has_streaming => 1);
	$standby->start;
	return $standby;
}

# Until a standby has all that there is
sub wait_for_replay
{
	my ($primary, $standby) = @_;

	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	return;
}

sub major_version
{
	my ($node) = @_;

	return int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
}

# What pg_config says: pg_config('--pkglibdir')
sub pg_config
{
	my ($option) = @_;

	chomp(my $said = `pg_config $option`);
	return $said;
}

sub extension_version
{
	my ($node, $database) = @_;

	return $node->safe_psql($database || 'postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'missing_symbol'});
}

# The versions from which there is an update to the current one, in their order
sub released_versions
{
	my ($node) = @_;
	my $current = extension_version($node);

	return split(/\n/, $node->safe_psql('postgres', qq{
SELECT DISTINCT source FROM pg_extension_update_paths('missing_symbol')
WHERE target = '$current' AND path IS NOT NULL AND source <> target ORDER BY 1}));
}

# What statements answer, or the SQLSTATE of the first error
sub answer
{
	my ($node, $sql, $database) = @_;
	my ($rc, $out, $err) =
	  $node->psql($database || 'postgres', "\\set VERBOSITY sqlstate\n$sql");

	return $err =~ /(?:ERROR|FATAL):  (\w+)/ ? $1 : $out;
}

# Until a query says t
sub poll_query_until_ok
{
	my ($node, $what, $sql, $database) = @_;

	return ok($node->poll_query_until($database || 'postgres', $sql), $what);
}

# Until a session waits for something, as pg_stat_activity calls it or its type
sub wait_for_event
{
	my ($node, $pid, $event) = @_;

	$node->poll_query_until('postgres', "SELECT '$event' IN (wait_event, wait_event_type) FROM pg_stat_activity WHERE pid = $pid")
	  or die "session $pid does not wait for $event";
	return;
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

# Processes that have outlived their postmaster
sub kill_orphans
{
	my ($node) = @_;
	my $dir = Cwd::realpath($node->data_dir);

	foreach (glob '/proc/[0-9]*')
	{
		kill 9, /(\d+)/ if (readlink("$_/cwd") || '') eq $dir;
	}
	return;
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
	# a backend that started meanwhile may hold the shared memory a little; on 13
	# autovacuum does for minutes: it waits for a collector that is gone
	for my $try (1 .. 600)
	{
		kill_orphans($node) if $try > 20;
		# the lock files of the dead seem in use, as long as they are not buried
		unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';
		$node->{_pid} = undef;
		return if $node->start(fail_ok => 1);
		sleep 1;
	}
	die 'the server does not start again';
}

# Starts pgbench with scripts, which are texts, or [text, weight].  Its options
# may end with a database.  Returns a hash: run, which is IPC::Run's; out; err.
sub start_pgbench
{
	my ($node, $options, @scripts) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my @command = ('pgbench', '--no-vacuum');
	my %pgbench = (out => '', err => '');
	my $n = 0;

	foreach my $script (@scripts)
	{
		my ($text, $weight) = ref $script ? @$script : ($script, 1);
		my $file = "$dir/script" . $n++;

		PostgreSQL::Test::Utils::append_to_file($file, $text);
		push @command, "--file=$file\@$weight";
	}

	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	$pgbench{run} = IPC::Run::start([ @command, @$options ], '<', \undef, '>', \$pgbench{out}, '2>', \$pgbench{err});
	return \%pgbench;
}

# Until they have ended; whether all went through without an error
sub finish_pgbench
{
	my @pgbench = @_;
	my $ok = 1;

	foreach my $pgbench (@pgbench)
	{
		# before 15 a client that met an error did not make the program fail
		$ok = 0 if !$pgbench->{run}->finish || $pgbench->{err} =~ /aborted|ERROR/;
	}
	return $ok;
}

# A test for each of them
sub finish_pgbench_ok
{
	my ($what, @pgbench) = @_;

	foreach my $pgbench (@pgbench)
	{
		ok(finish_pgbench($pgbench), $what) or diag("$pgbench->{out}\n$pgbench->{err}");
	}
	return;
}

# Runs pgbench, which must go through without an error; returns its report.
sub pgbench_ok
{
	my ($node, $what, $options, @scripts) = @_;
	my $pgbench = start_pgbench($node, $options, @scripts);

	finish_pgbench_ok($what, $pgbench);
	return $pgbench->{out};
}

# Runs a file, of pg_dump perhaps, which must go through without an error.
sub psql_file_ok
{
	my ($node, $what, $file, $database) = @_;

	return $node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $database || 'postgres', '-f', $file ], $what);
}

# The Python that Debian's packages are for, with these modules; or undef, and
# why a test must be skipped.
sub python_with
{
	my @modules = @_;
	my $python = '/usr/bin/python3';
	my $imports = join(', ', @modules);

	return ($python, '') if -x $python && system("$python -c 'import $imports' 2>/dev/null") == 0;
	return (undef, "Python has no $imports (Debian: " . join(', ', map { "python3-$_" } @modules) . ')');
}

# Runs that Python with arguments, of which the first may be a file in this
# directory.  libpq connects it to database postgres.  Returns whether it has
# ended well, what it says, and its errors.
sub run_python
{
	my ($node, $arguments, %environment) = @_;
	my ($python) = python_with('sys');
	my ($file, @others) = @$arguments;
	my ($out, $err) = ('', '');

	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres',
		PYTHONDONTWRITEBYTECODE => 1, %environment);
	delete $ENV{PGUSER};
	$file = dirname(__FILE__) . "/$file" if $file =~ /\.py$/;
	my $ok = IPC::Run::run([ $python, $file, @others ], '<', \undef, '>', \$out, '2>', \$err);
	return ($ok, $out, $err);
}

# The server's log, from a place on that was its end: -s $node->logfile
sub slurp_log
{
	my ($node, $from) = @_;

	return substr(PostgreSQL::Test::Utils::slurp_file($node->logfile), $from || 0);
}

# How often something is in it
sub log_count
{
	my ($node, $pattern, $from) = @_;

	return scalar(() = slurp_log($node, $from) =~ /$pattern/g);
}

# The server's log tells of no leak and no crash.
sub clean_log_ok
{
	my ($node) = @_;
	my @bad = grep { /\bleak(?!proof)|was not closed|PANIC:|TRAP:|could not find .* in (?:cache|list)|nonzero refcount|still referenced|snapshot reference/ }
	  split(/\n/, slurp_log($node));

	is(join("\n", @bad), '', $node->name . ': nothing is leaked');
}

1;
