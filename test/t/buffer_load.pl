# What is buffered under load: exact, whoever folds and however the worker is
# treated, across a fast stop; after a crash nothing is double, and nothing
# lost that was in its row before.  The buffer stays small.
#
# What a transaction counts it also notes in the ledger, a logged table: both
# are committed, or neither, whatever the client was told.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run qw(start);
use MissingSymbolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_node('buffer_load',
	conf => [
		'max_connections = 60', 'log_statement = none', 'client_min_messages = error',
		'restart_after_crash = on', 'max_worker_processes = 32', q{missing_symbol.flush_interval = '200ms'}, 'missing_symbol.flush_rows = 1000' ]);
my $dir = PostgreSQL::Test::Utils::tempdir();

sub query { return $node->safe_psql('postgres', $_[0]) }

query(q{
CREATE TABLE hot (k text PRIMARY KEY, hits bigint NOT NULL, seen timestamptz) WITH (fillfactor = 50);
CREATE TABLE parted (k text PRIMARY KEY, hits bigint NOT NULL) PARTITION BY HASH (k);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE ledger (target regclass, k text, by bigint);
CREATE TABLE noted (target regclass, k text, by bigint);
SELECT missing_symbol.track('hot', apply => 'buffer'), missing_symbol.track('parted', apply => 'buffer');
CREATE FUNCTION count_and_note(target regclass, k text, by bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment_by(target, by, k);
    INSERT INTO ledger VALUES (target, k, by);
END $$;
CREATE FUNCTION batch_and_note(target regclass, n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    keys text[] := ARRAY(SELECT 'k' || (random() * 50)::int FROM generate_series(1, n));
BEGIN
    PERFORM missing_symbol.increment_many(target, keys);
    INSERT INTO ledger SELECT target, k, 1 FROM unnest(keys) k;
END $$;
});

my %script = (
	single => q{
\set k random(1, 50)
\set t random(0, 1)
SELECT count_and_note((ARRAY['hot', 'parted'])[:t + 1]::regclass, 'k' || :k, 1 + :k % 3);
},
	batch => q{
\set n random(1, 20)
SELECT batch_and_note('hot', :n), batch_and_note('parted', 1);
},
	savepoints => q{
\set a random(1, 50)
\set b random(1, 50)
\set u random(0, 9)
BEGIN;
SELECT count_and_note('hot', 'k' || :a, 1);
SAVEPOINT s;
SELECT count_and_note('hot', 'k' || :b, 5);
SELECT batch_and_note('parted', 3);
ROLLBACK TO s;
SELECT count_and_note('parted', 'k' || :b, 2);
SAVEPOINT s2;
SELECT count_and_note('hot', 'k' || :b, 1);
RELEASE s2;
\if :u = 0
ROLLBACK;
\else
COMMIT;
\endif
},
	snapshot => q{
\set k random(1, 50)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count_and_note('hot', 'k' || :k, 1), count_and_note('parted', 'k' || :k, 1);
COMMIT;
},
	holder => q{
\set k random(1, 50)
BEGIN;
SELECT k FROM hot WHERE k = 'k' || :k FOR UPDATE;
SELECT pg_sleep(0.02);
COMMIT;
},
	fold => q{
SELECT missing_symbol.fold();
\sleep 20 ms
},
	flush => q{
SELECT missing_symbol.flush();
\sleep 100 ms
},
	total => q{
SELECT coalesce(sum(hits), 0) AS hot FROM missing_symbol.total(NULL::hot) \gset
SELECT coalesce(sum(hits), 0) AS parted FROM missing_symbol.total(NULL::parted) \gset
\if :hot < :prev_hot
SELECT 'hot went backwards'::int;
\endif
\if :parted < :prev_parted
SELECT 'parted went backwards'::int;
\endif
\set prev_hot :hot
\set prev_parted :parted
},
	views => q{
\set k random(1, 1000)
SELECT missing_symbol.increment('views', :k);
});
foreach my $name (keys %script)
{
	PostgreSQL::Test::Utils::append_to_file("$dir/$name", $script{$name});
}

# pgbench in the background, with options perhaps, in an array before the
# scripts: a hash with its run, and what it says
sub load
{
	my ($seconds, $clients, @scripts) = @_;
	my @options = ref $scripts[0] ? @{ shift @scripts } : ();
	my $load = { output => '' };

	$load->{run} = start(
		[ 'pgbench', '-n', @options, '-T', $seconds, '-c', $clients, '-j', 2,
			'-D', 'prev_hot=0', '-D', 'prev_parted=0',
			'-h', $node->host, '-p', $node->port,
			(map { ('-f', "$dir/$_") } @scripts), 'postgres' ],
		'<', \undef, '>&', \$load->{output});
	return $load;
}

sub start_load
{
	my ($seconds) = @_;

	return (load($seconds, 12, 'single@5', 'batch@2', 'savepoints@2', 'snapshot@1'),
		load($seconds, 1, 'holder'), load($seconds, 1, 'fold'), load($seconds, 1, 'flush'),
		load($seconds, 2, 'total'));
}

sub finish_ok
{
	my ($what, @load) = @_;

	foreach my $load (@load)
	{
		my $ok = $load->{run}->finish && $load->{output} !~ /aborted|ERROR/;

		ok($ok, "$what: nobody failed") or diag $load->{output};
	}
	return;
}

# Keys whose count is not as the ledger says; how is an operator
sub wrong
{
	my ($table, $source, $ledger, $how) = @_;

	return query(qq{SELECT count(*) FROM
    (SELECT k, sum(by) AS n FROM $ledger WHERE target = '$table'::regclass GROUP BY k) l
    FULL JOIN $source t USING (k)
WHERE NOT coalesce(t.hits, 0) $how coalesce(l.n, 0)});
}

sub exact_ok
{
	my ($when) = @_;

	foreach my $table ('hot', 'parted')
	{
		is(wrong($table, "missing_symbol.total(NULL::$table)", 'ledger', '='), '0', "$when: $table: total is what was committed");
		is(query(qq{SELECT count(*) FROM (SELECT k, sum(by) AS n FROM ledger WHERE target = '$table'::regclass GROUP BY k) l
WHERE l.n IS DISTINCT FROM missing_symbol.value('$table', k)}), '0', "$when: $table: value is what was committed");
	}
	query('SELECT missing_symbol.flush()');
	is(wrong($_, $_, 'ledger', '='), '0', "$when: $_: so are the rows after flush()") foreach ('hot', 'parted');
	is(query('SELECT (SELECT count(*) FROM missing_symbol.buffered) + (SELECT count(*) FROM missing_symbol.spilled)'), '0', "$when: nothing is left over");
	return;
}

# ---------------------------------------------------------------------------
# Load
# ---------------------------------------------------------------------------

my @load = start_load(8);
finish_ok('load', @load);
cmp_ok(query('SELECT count(*) FROM ledger'), '>', 1000, 'there was something to count');
cmp_ok(query('SELECT folded FROM missing_symbol.buffer_stats'), '>', 0, 'it was folded');
exact_ok('load');

# the worker is terminated and cancelled, again and again
@load = start_load(8);
my %treated = (pg_terminate_backend => 0, pg_cancel_backend => 0);
foreach my $round (1 .. 40)
{
	my $how = (sort keys %treated)[ $round % 2 ];

	$treated{$how} += query(qq{
SELECT count(*) FROM (SELECT $how(pid) FROM pg_stat_activity WHERE backend_type = 'missing_symbol worker') w});
	usleep(50_000 + rand(200_000));
}
finish_ok('worker', @load);
cmp_ok($treated{$_}, '>', 0, "worker: $_") foreach (sort keys %treated);
exact_ok('worker');

# a fast stop
@load = start_load(60);
sleep 3;
$node->stop('fast');
$_->{run}->finish foreach @load;
unlike($load[-1]{output}, qr/backwards/, 'fast stop: no total went backwards');
$node->start;
exact_ok('fast stop');

# a restart with something in the buffer
query(q{SET missing_symbol.worker = off; SELECT count_and_note('hot', 'k' || i, 1) FROM generate_series(1, 50) i});
$node->restart;
is(query('SELECT count(*) FROM missing_symbol.buffered'), '50', 'restart: it is still there');
exact_ok('restart');

# ---------------------------------------------------------------------------
# Crashes
# ---------------------------------------------------------------------------

my $start_at = query('SELECT count(*) FROM ledger');
foreach my $victim ('the worker', 'a backend', 'the postmaster', 'the checkpointer')
{
	@load = start_load(60);
	usleep(1_500_000 + rand(1_000_000));

	# what is committed now is in its rows after flush()
	query('TRUNCATE noted; INSERT INTO noted SELECT target, k, sum(by) FROM ledger GROUP BY target, k');
	query('SELECT missing_symbol.flush()');
	usleep(rand(500_000));
	my @server;
	if ($victim eq 'the postmaster')
	{
		@server = kill_server($node);
	}
	else
	{
		my $type = { 'the worker' => 'missing_symbol worker', 'a backend' => 'client backend', 'the checkpointer' => 'checkpointer' }->{$victim};
		my $sql = qq{SELECT min(pid) FROM pg_stat_activity WHERE backend_type = '$type' AND pid <> pg_backend_pid()};

		$node->poll_query_until('postgres', "SELECT ($sql) > 0");
		kill 9, query($sql);
	}
	$_->{run}->finish foreach @load;
	unlike($load[-1]{output}, qr/backwards/, "$victim dies: no total went backwards before");
	start_killed($node, @server) if $victim eq 'the postmaster';
	wait_until_up($node);
	foreach my $table ('hot', 'parted')
	{
		my $total = "missing_symbol.total(NULL::$table)";

		is(wrong($table, $total, 'noted', '>='), '0', "$victim dies: $table: what was merged is not lost");
		is(wrong($table, $total, 'ledger', '<='), '0', "$victim dies: $table: nothing is double");
	}
	is(query('SELECT count(*) FROM missing_symbol.buffered'), '0', "$victim dies: the buffer is empty");

	# go on from what there is
	query('SELECT missing_symbol.flush(); TRUNCATE ledger');
	query("INSERT INTO ledger SELECT '$_', k, hits FROM missing_symbol.total(NULL::$_)") foreach ('hot', 'parted');
}
@load = start_load(3);
finish_ok('after the crashes', @load);
exact_ok('after the crashes');

# ---------------------------------------------------------------------------
# Long keys, many clients
# ---------------------------------------------------------------------------

query(q{
CREATE TABLE long (k text PRIMARY KEY, hits bigint) WITH (fillfactor = 50);
SELECT missing_symbol.track('long', apply => 'buffer');
CREATE FUNCTION long_key(n int) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(md5(n::text || i), '') FROM generate_series(1, 50) i $$;
});
query('SELECT count(missing_symbol.increment(\'long\', long_key(n))) FROM generate_series(1, 10000) n');
pgbench_ok($node, 'long keys', [ '-c', 8, '-j', 2, '-t', 250 ],
	"\\set n random(1, 10000)\nSELECT missing_symbol.increment('long', long_key(:n));\n");
is(query('SELECT count(*), sum(hits) FROM missing_symbol.total(NULL::long)'), '10000|12000', '10,000 long keys: the total');
query('SELECT missing_symbol.flush()');
is(query('SELECT count(*), sum(hits), bool_and(length(k) = 1600) FROM long'), '10000|12000|t', 'and in their rows');

# a minute with 32 clients, together not faster than a worker on any machine:
# who is faster, 32 processes or one, is up to the scheduler
query(q{
CREATE TABLE views (id int PRIMARY KEY, count bigint, modified_at timestamptz) WITH (fillfactor = 50);
SELECT missing_symbol.track('views', apply => 'buffer');
});
ok($node->poll_query_until('postgres', q{SELECT pg_relation_size('missing_symbol.buffered') = 0}), 'the room of the long keys is given back');
my $many = load(60, 32, [ '-R', 5000 ], 'views');
my $largest = 0;
while ($many->{run}->pumpable)
{
	my $size = query(q{SELECT pg_total_relation_size('missing_symbol.buffered')});

	$largest = $size if $size > $largest;
	$many->{run}->pump_nb;
	sleep 1;
}
finish_ok('32 clients', $many);
my ($calls) = $many->{output} =~ /actually processed: (\d+)/;
is(query('SELECT sum(count) FROM missing_symbol.total(NULL::views)'), $calls, "32 clients: $calls counted");
# left alone, these would take more than 150 bytes each
cmp_ok($largest, '<', 6_000_000 + 60 * $calls, "32 clients: the buffer had $largest bytes at most");
ok($node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM missing_symbol.buffered)'), '32 clients: all is merged');
is(query('SELECT sum(count) FROM views'), $calls, '32 clients: into the rows');
ok($node->poll_query_until('postgres', q{SELECT pg_relation_size('missing_symbol.buffered') = 0}), '32 clients: the room is given back');

$node->stop;
clean_log_ok($node);
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/deadlock detected/, 'no deadlock');
done_testing();
