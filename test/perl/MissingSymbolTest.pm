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

our @EXPORT = qw(new_node major_version answer wait_until_up pgbench_ok clean_log_ok);

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

	for (1 .. 1800)
	{
		return
		  if IPC::Run::run([ 'pg_isready', '-q', '-h', $node->host, '-p', $node->port, '-d', 'postgres' ]);
		usleep(100_000);
	}
	die 'the server did not come back';
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
