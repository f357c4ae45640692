# Random tables, counted by these functions and by plain INSERT ... ON CONFLICT
# (differential.py): keys of every kind, generated columns, CHECKs, triggers,
# policies, partitions, defaults; random calls by random roles with random
# search_path, in every mode.  They end alike, and the rows are the same.
#
# 20 seconds; with DIFFERENTIAL_MINUTES so many (test-hard).  DIFFERENTIAL_SEED
# repeats a run, with DIFFERENTIAL_WORLD one table of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my ($python, $why) = python_with('psycopg2');
plan(skip_all => $why) if $why;

my $seed = $ENV{DIFFERENTIAL_SEED} || $ENV{MS_SEED} || int(rand(1_000_000_000));
my $node = new_node('differential',
	init => [ extra => [ '--encoding=UTF8', '--no-locale' ] ],
	conf => [ 'log_statement = none', 'log_min_error_statement = panic', 'max_connections = 30', q{missing_symbol.flush_interval = '10s'} ]);

diag("DIFFERENTIAL_SEED=$seed");
my ($ok, $out, $err) = run_python($node, ['differential.py'], DIFFERENTIAL_SEED => $seed,
	DIFFERENTIAL_SECONDS => $ENV{DIFFERENTIAL_MINUTES} ? $ENV{DIFFERENTIAL_MINUTES} * 60 : 20);
ok($ok, 'it ran to its end') or diag $err;
my ($figures) = $out =~ /^(figures: .*)$/m;
my @findings = $out =~ /^FINDING: ([^\n]*)/mg;

note($figures || 'no figures');
is(scalar(@findings), 0, 'no table is counted another way') or diag $out;
cmp_ok($figures && $figures =~ /(\d+) calls/ ? $1 : 0, '>', $ENV{DIFFERENTIAL_WORLD} ? 0 : 500, 'there were calls');
$node->stop;
clean_log_ok($node);
done_testing();
