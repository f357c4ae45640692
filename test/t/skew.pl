# Library and SQL objects of different versions, under load: after a package was
# upgraded the new library serves the SQL objects of before, until ALTER
# EXTENSION UPDATE; and sessions that run on have the old library with the new
# objects.  No increment fails, nobody crashes, and the sums are exact.
#
# RELEASED is a directory with the release before this version, and its library:
# test/run.sh builds it from the repository's history, and only it sets it, since
# the library is exchanged in the PostgreSQL that is tested.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use Ledger;
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_node('skew', conf => [ 'restart_after_crash = on', 'max_connections = 60', 'client_min_messages = error',
	'log_statement = none', q{missing_symbol.flush_interval = '200ms'} ]);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $current = extension_version($node);
my $library = pg_config('--pkglibdir') . '/missing_symbol.so';

# ---------------------------------------------------------------------------
# The library on the disk.  As a package manager does it: another file, of
# which those who have loaded the old one see nothing.
# ---------------------------------------------------------------------------

my $new_library = "$dir/new.so";

sub install
{
	my ($file) = @_;

	system('cp', $file, "$library.new") == 0 && rename("$library.new", $library)
	  or die "cannot write $library";
}

END
{
	my $status = $?;

	install($new_library) if -e $new_library;
	$? = $status;
}

# ---------------------------------------------------------------------------
# A database, and the load
# ---------------------------------------------------------------------------

my @tables = qw(now typed parted spilling deferred buffered buffered_parts);
my %ledger;

sub database
{
	my ($name, $version) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, "CREATE EXTENSION missing_symbol VERSION '$version'");
	$ledger{$name} = Ledger->new($node, $name);
	$node->safe_psql($name, q{
CREATE TABLE now (k int PRIMARY KEY, count bigint NOT NULL, created_at timestamptz, modified_at timestamptz) WITH (fillfactor = 50);
CREATE TABLE typed (k int PRIMARY KEY, c missing_symbol.counter) WITH (fillfactor = 50);
CREATE TABLE parted (k int PRIMARY KEY, count bigint) PARTITION BY HASH (k);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE spilling (LIKE now INCLUDING ALL);
CREATE TABLE deferred (LIKE now INCLUDING ALL);
CREATE TABLE buffered (LIKE now INCLUDING ALL);
CREATE TABLE buffered_parts (k int PRIMARY KEY, count bigint, note text) PARTITION BY HASH (k);
CREATE TABLE buffered_parts_0 PARTITION OF buffered_parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT missing_symbol.track('spilling', spill => true), missing_symbol.track('deferred', apply => 'commit'),
       missing_symbol.track('buffered', apply => 'buffer'), missing_symbol.track('buffered_parts', apply => 'buffer', fill => '{note}');
});
	return;
}

my %script = (
	one => join('', map { qq{
\\set k random(1, 20)
BEGIN;
SELECT missing_symbol.increment('$_', :k);
INSERT INTO ledger VALUES ('$_', :k, 1);
COMMIT;
} } @tables),
	# what does not wait for rows, in one transaction
	mixed => q{
\set k random(1, 20)
\set l random(1, 20)
BEGIN;
SELECT missing_symbol.increment('spilling', :k), missing_symbol.increment_by('buffered', 3, :l), missing_symbol.increment('deferred', :k);
INSERT INTO ledger VALUES ('spilling', :k, 1), ('buffered', :l, 3), ('deferred', :k, 1);
SAVEPOINT s;
SELECT * FROM missing_symbol.increment_many('buffered', ARRAY[:k, :l]::int[]);
INSERT INTO ledger VALUES ('buffered', :k, 1), ('buffered', :l, 1);
ROLLBACK TO s;
SELECT * FROM missing_symbol.increment_rows('buffered_parts', jsonb_build_array(jsonb_build_object('k', :k::int, 'note', 'x'::text), jsonb_build_object('k', :l::int)));
INSERT INTO ledger VALUES ('buffered_parts', :k, 1), ('buffered_parts', :l, 1);
COMMIT;
},
	general => q{
\set k random(1, 20)
SET missing_symbol.fast_path = off;
BEGIN;
SELECT missing_symbol.increment('now', :k);
INSERT INTO ledger VALUES ('now', :k, 1);
COMMIT;
RESET missing_symbol.fast_path;
},
	read => q{
\set k random(1, 20)
SELECT missing_symbol.value('spilling', :k), missing_symbol.value('buffered', :k);
SELECT count(*) FROM missing_symbol.total(NULL::buffered);
SELECT count(*) FROM missing_symbol.counter_stats;
SELECT worker_state FROM missing_symbol.buffer_stats;
SELECT missing_symbol.fold();
});

# In the background: sessions that stay, and sessions that come and go.
sub start_load
{
	my ($database, $seconds) = @_;
	my @load = map { start_pgbench($node, [ '-T', $seconds, '-j', 2, @$_, $database ], @script{ sort keys %script }) }
	  ([ '-c', 6, '-M', 'prepared' ], [ '-c', 2, '-C' ]);

	$ledger{$database}->wait_for_rows(100);
	return @load;
}

sub exact_ok
{
	my ($what, $database) = @_;
	my $differences = sub {
		my ($table, $source) = @_;

		return $ledger{$database}->differences($table, source => $source, count => $table eq 'typed' ? 'missing_symbol.hits(c)' : 'count');
	};

	is($differences->($_, "missing_symbol.total(NULL::$_)"), '', "$what: total of $_ is exact") foreach @tables;
	$node->safe_psql($database, 'SELECT missing_symbol.flush()');
	is($differences->($_, $_), '', "$what: rows of $_ are exact") foreach @tables;
	is($node->safe_psql($database, 'SELECT (SELECT count(*) FROM missing_symbol.buffered) + (SELECT count(*) FROM missing_symbol.spilled)'),
		'0', "$what: nothing is left");
	is(log_count($node, qr/was terminated by signal/), 0, "$what: nobody crashed");
	return;
}

# A table of the kind that this library infers, and the columns that describe()
# has there.
sub stamped_ok
{
	my ($what, $database, $columns) = @_;

	is($node->safe_psql($database, q{
CREATE TABLE stamped (k int PRIMARY KEY, count bigint, created_at timestamp NOT NULL, updated_at timestamp NOT NULL);
SELECT missing_symbol.increment('stamped', 1);
SET missing_symbol.fast_path = off;
SELECT missing_symbol.increment('stamped', 1), missing_symbol.increment('stamped', 2);
SET TimeZone = 'Asia/Tokyo';
SELECT k, count, now() - created_at AT TIME ZONE 'UTC' < '1 minute', created_at <= updated_at FROM stamped ORDER BY k;
SELECT (SELECT count(*) FROM jsonb_object_keys(to_jsonb(d))), last_seen FROM missing_symbol.describe('stamped') d}),
		"1\n2|1\n1|2|t|t\n2|1|t|t\n$columns|updated_at", "$what: a table with timestamps");
	return;
}

# so that another library may do what it did
sub new_worker
{
	my ($database) = @_;

	$node->safe_psql($database, q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'missing_symbol worker'});
	return;
}

sub update_ok
{
	my ($what, $database, $version) = @_;

	is(answer($node, "ALTER EXTENSION missing_symbol UPDATE TO '$version'", $database), '', "$what: ALTER EXTENSION UPDATE TO '$version'");
	is(extension_version($node, $database), $version, "$what: is $version");
	return;
}

# ---------------------------------------------------------------------------
# This library under every release's SQL objects, and their update under load
# ---------------------------------------------------------------------------

my @released = released_versions($node);

is($released[0], '1.0', 'the releases begin with 1.0');
foreach my $version (@released)
{
	(my $database = "from_$version") =~ tr/./_/;

	database($database, $version);
	my @load = start_load($database, 6);
	$ledger{$database}->wait_for_rows(1000, @load);
	new_worker($database);
	update_ok("this library on $version", $database, $_) foreach ((grep { $_ gt $version } @released), $current);
	# settings that no version before has, while sessions count
	$node->safe_psql($database, q{SELECT missing_symbol.configure('now', '{"zone": "Europe/Paris"}'), missing_symbol.configure('buffered', '{"zone": "UTC"}')});
	$ledger{$database}->wait_for_rows(500, @load);
	new_worker($database);
	finish_pgbench_ok("this library on $version: no increment failed", @load);
	exact_ok("this library on $version", $database);
	stamped_ok("this library on $version, updated", $database, 14);
}

# one that is never updated
database('stays', $released[-1]);
my @load = start_load('stays', 3);
finish_pgbench_ok("this library on $released[-1], never updated: no increment failed", @load);
exact_ok("this library on $released[-1], never updated", 'stays');
stamped_ok("this library on $released[-1], never updated", 'stays', 11);
is(answer($node, q{SELECT missing_symbol.configure('now', '{}')}, 'stays'), '42883', "$released[-1] has no configure()");
is(answer($node, q{SELECT missing_symbol.increment_once('now', 'token', '1')}, 'stays'), '42883', "$released[-1] has no increment_once()");
like(($node->psql('stays', q{
CREATE FUNCTION once(regclass, text, VARIADIC text[]) RETURNS int8 LANGUAGE C AS '$libdir/missing_symbol', 'ms_increment_once_text';
SELECT once('now', 'token', '1')}))[2], qr/tokens does not exist.*HINT:  ALTER EXTENSION missing_symbol UPDATE/s, 'and no tokens: what it takes is said');
is(answer($node, q{CREATE TABLE gone (k int PRIMARY KEY, count bigint); SELECT missing_symbol.track('gone', spill => true);
SELECT missing_symbol.untrack('gone'), missing_symbol.track('gone', spill => true); DROP TABLE gone; SELECT count(*) FROM missing_symbol.tracked WHERE target::text = 'gone'}, 'stays'),
	"\n|\n0", 'tables are tracked and forgotten there');

# ---------------------------------------------------------------------------
# The library of the release before, exchanged under those who have loaded it
# ---------------------------------------------------------------------------

my $why = !$ENV{RELEASED} ? 'RELEASED is not set (make test sets it)'
  : !-e "$ENV{RELEASED}/missing_symbol.so" ? slurp_file("$ENV{RELEASED}/why")
  : '';
SKIP:
{
	skip "the library of the release before: $why", 1 if $why;

	my $released = $released[-1];

	system('cp', $library, $new_library) == 0 or die "cannot write $new_library";
	install("$ENV{RELEASED}/missing_symbol.so");
	$node->restart;
	database('upgraded', $released);
	@load = start_load('upgraded', 10);

	# a session that uses what there is before, in between and after
	my $views = join('', map { "SELECT count(*) FROM missing_symbol.$_;\n" } split(/\n/, $node->safe_psql('upgraded', q{
SELECT relname FROM pg_class WHERE relnamespace = 'missing_symbol'::regnamespace AND relkind IN ('v', 'r')
    AND relname NOT IN ('queries', 'query_stats', 'n_plus_one', 'findings') ORDER BY 1})));
	my $profile = q{SELECT count(*) FROM missing_symbol.queries; SELECT count(*) FROM missing_symbol.query_stats;
SELECT count(*) FROM missing_symbol.n_plus_one; SELECT count(*) FROM missing_symbol.findings;} . "\n";
	my $all = $views . q{
SELECT missing_symbol.increment('now', 1), missing_symbol.increment('spilling', 1), missing_symbol.increment('buffered', 1), missing_symbol.increment('deferred', 1);
INSERT INTO ledger VALUES ('now', 1, 1), ('spilling', 1, 1), ('buffered', 1, 1), ('deferred', 1, 1);
BEGIN; SELECT missing_symbol.increment('buffered', 1); SAVEPOINT s; SELECT missing_symbol.increment('deferred', 1); ROLLBACK TO s;
INSERT INTO ledger VALUES ('buffered', 1, 1); COMMIT;
SELECT count(*) FROM missing_symbol.total(NULL::spilling); SELECT missing_symbol.value('buffered', 1);
SELECT missing_symbol.track('deferred', apply => 'commit'), missing_symbol.track('other', spill => true);
SELECT missing_symbol.untrack('other');
SELECT missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym');
SELECT missing_symbol.fold(), missing_symbol.flush();
CALL missing_symbol.prune('now', '100 years');
SELECT missing_symbol.profile_start('all'); SELECT 1; SELECT missing_symbol.profile_summary(); SELECT missing_symbol.profile_stop();
SELECT count(*) FROM missing_symbol.explain_analyze('SELECT 1');
};
	my $describe = q{SELECT * FROM missing_symbol.describe('now'); SELECT * FROM missing_symbol.describe('buffered'); SELECT * FROM missing_symbol.last_increment();} . "\n";
	# of which the old library would not know all columns
	my $no_describe = "\\set ON_ERROR_STOP 0\n" . $describe . $profile . "\\set ON_ERROR_STOP 1\n";
	my $wait = sub { "\\! while ! [ -e $dir/$_[0] ]; do sleep 0.1; done\n" };
	my $script = "CREATE TEMP TABLE other (k int PRIMARY KEY, count bigint);\nDROP TABLE other;\nCREATE TABLE other (k int PRIMARY KEY, count bigint);\n"
	  . $all . $describe . $profile . "\\! touch $dir/before\n" . $wait->('installed') . $all . $describe . $profile . "\\! touch $dir/between\n" . $wait->('updated')
	  . $all . $no_describe . "\\echo the end\n";
	my $out = '';
	my $session = IPC::Run::start([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('upgraded') ], '<', \$script, '>&', \$out);
	my $until = sub {
		for (1 .. 9000) { return if -e "$dir/$_[0]"; $session->pump_nb; usleep(100_000); }
		diag "waited for $_[0]: $out";
	};

	$until->('before');
	install($new_library);
	PostgreSQL::Test::Utils::append_to_file("$dir/installed", '');
	new_worker('upgraded');
	$until->('between');
	$ledger{upgraded}->wait_for_rows(1000, @load);
	update_ok("$released to $current", 'upgraded', $current);
	$node->safe_psql('upgraded', q{SELECT missing_symbol.configure(t, '{"zone": "Europe/Paris"}') FROM unnest('{now,spilling,deferred,buffered}'::regclass[]) t});
	PostgreSQL::Test::Utils::append_to_file("$dir/updated", '');
	$ledger{upgraded}->wait_for_rows(500, @load);
	new_worker('upgraded');
	finish_pgbench_ok("$released to $current: no increment failed", @load);
	$session->finish;
	like($out, qr/the end/, 'a session with the old library uses all that there was, to the end') or diag $out;
	is(scalar(() = $out =~ /could not find function "ms_describe_target"/g), 2, 'but describe(), which has more columns');
	is(scalar(() = $out =~ /could not find function "ms_(?:queries_view|query_stats_view|n_plus_one_view|findings_rows)"/g), 4, 'and so have the views of a profile');
	is(scalar(() = $out =~ /could not find function "ms_last_increment_counts"/g), 1, 'and last_increment() likewise');
	exact_ok("$released to $current", 'upgraded');

	# what the old library has set aside, the new one merges, and without an
	# update it still does
	database('before', $released);
	install("$ENV{RELEASED}/missing_symbol.so");
	my $set_aside = q{
SET missing_symbol.worker = off;
SELECT missing_symbol.increment('buffered', k), missing_symbol.increment('buffered_parts', k) FROM generate_series(1, 20) k;
INSERT INTO ledger SELECT t, k, 1 FROM generate_series(1, 20) k, (VALUES ('buffered'), ('buffered_parts')) AS v (t);
};
	$node->safe_psql('before', $set_aside);
	install($new_library);
	$node->safe_psql('before', $set_aside);
	exact_ok("set aside by $released and by $current", 'before');

	# and the other way, which a downgrade of the package does
	$node->safe_psql('before', $set_aside);
	install("$ENV{RELEASED}/missing_symbol.so");
	$node->safe_psql('before', $set_aside);
	exact_ok("set aside by $current and by $released, merged by $released", 'before');
	install($new_library);
}

$node->stop;
clean_log_ok($node);
done_testing();
