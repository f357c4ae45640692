# Tables of every kind under eight clients, while somebody tends tables (DDL,
# REINDEX CONCURRENTLY of targets and of the stores, VACUUM FULL), cancels,
# terminates and kills: totals equal an independent ledger, key by key, and
# amcheck finds nothing (torture.py).  Autovacuum is on.
#
# A minute; with TORTURE_MINUTES so many (test-hard).  TORTURE_SEED chooses what
# is done; in which order it meets is the machine's.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my ($python, $why) = python_with('psycopg2');
plan(skip_all => $why) if $why;

my $seed = $ENV{TORTURE_SEED} || $ENV{MS_SEED} || int(rand(1_000_000_000));
my $minutes = $ENV{TORTURE_MINUTES} || 0;
my $node = new_node('torture',
	init => [ extra => [ '--encoding=UTF8', '--no-locale' ] ],
	conf => [ 'autovacuum = on', "autovacuum_naptime = '1s'", 'autovacuum_vacuum_threshold = 20', 'autovacuum_analyze_threshold = 20',
		'restart_after_crash = on', 'max_connections = 60', 'max_prepared_transactions = 30', 'deadlock_timeout = 100ms',
		q{missing_symbol.flush_interval = '200ms'}, 'log_statement = none', 'log_min_error_statement = panic' ]);
my %sum = map { $_ => 0 } ('transactions', 'cancels and terminates', 'statements beside');

my ($counted, $kills) = (0, 0);

note("TORTURE_SEED=$seed");

# Runs a part of torture.py; what it found
sub part
{
	my ($part, %environment) = @_;
	my ($ok, $out, $err) = run_python($node, [ 'torture.py', $part ], TORTURE_SEED => $seed, %environment);

	if ($out =~ /^figures: (.*)$/m)
	{
		my $figures = $1;

		note($figures);
		$sum{$2} += $1 while $figures =~ /(\d+) (transactions|cancels and terminates|statements beside)/g;
		$counted = $1 if $figures =~ /^(\d+) counted/;
	}
	return join("\n", (grep { /^FINDING/ } split(/\n/, $out)), $ok ? () : $err);
}

is(part('setup'), '', 'tables') or die 'no tables';

# seconds, and how the round ends; a calm one takes what is buffered, too
my @rounds = $minutes ? () : ([ 16, '' ], [ 7, 'a process' ], [ 7, 'the postmaster' ], [ 5, '' ]);
my $end = time + $minutes * 60;
my $round = 0;
srand($seed);
while (@rounds || time < $end)
{
	my ($seconds, $kill) = @{ shift(@rounds) || [ 10 + rand(40), ('', 'a process', 'the postmaster')[ int(rand(3)) ] ] };
	$kills++ if $kill;
	my $what = ++$round . ($kill ? ", $kill is killed" : '');
	my @environment = (TORTURE_SECONDS => $seconds, TORTURE_SEED => $seed + $round);

	if ($kill eq 'the postmaster')
	{
		# it dies under the clients, who end when they are told to
		my $killer = fork // die 'fork';
		if (!$killer)
		{
			usleep($seconds * 0.8e6);
			kill 9, (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
			POSIX::_exit(0);
		}
		is(part('load', @environment), '', "$what: no error that should not be");
		waitpid $killer, 0;
		start_killed($node);
	}
	else
	{
		is(part('load', @environment, $kill ? (TORTURE_KILL => 1) : ()), '', "$what: no error that should not be");
	}
	wait_until_up($node);
	is(part('check', @environment, $kill ? (TORTURE_CRASHED => 1) : ()), '', "$what: every key of every table, every index");
}

note("figures: $sum{transactions} transactions counted $counted, exactly, beside $sum{'statements beside'} statements of DDL and maintenance,"
	  . " $sum{'cancels and terminates'} cancels and terminates, $kills ends of the server");
is(log_count($node, qr/was terminated by signal (?!9:)/), 0, 'nobody crashed but who was killed');
$node->stop;
clean_log_ok($node);
done_testing();
