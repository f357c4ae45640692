# What is buffered under load: exact, whoever folds and however the worker is
# treated, across a fast stop; after a crash nothing is double, and nothing
# lost that was in its row before.  The buffer stays small.
#
# The ledger is a logged table.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Ledger;
use MissingSymbolTest;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_node('buffer_load',
	conf => [
		'max_connections = 60', 'log_statement = none', 'client_min_messages = error',
		'restart_after_crash = on', 'max_worker_processes = 32', q{missing_symbol.flush_interval = '200ms'}, 'missing_symbol.flush_rows = 1000' ]);

sub query { return $node->safe_psql('postgres', $_[0]) }

my $ledger = Ledger->new($node);
$ledger->create_targets(q{apply => 'buffer'});
query('CREATE TABLE noted (LIKE ledger)');

sub start_load
{
	my ($seconds) = @_;

	return ($ledger->start_clients($seconds, 12, 'single@5', 'two_batches@2', 'savepoints@2', 'snapshot@1'),
		(map { $ledger->start_clients($seconds, 1, $_) } 'holder', 'fold', 'flush'),
		$ledger->start_clients($seconds, 2, 'total'));
}

my $flush = 'SELECT missing_symbol.flush()';

# ---------------------------------------------------------------------------
# Load
# ---------------------------------------------------------------------------

my @load = start_load(8);
finish_pgbench_ok('load: nobody failed', @load);
cmp_ok($ledger->rows, '>', 1000, 'there was something to count');
cmp_ok(query('SELECT folded FROM missing_symbol.buffer_stats'), '>', 0, 'it was folded');
$ledger->exact_ok('load', $flush);

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
finish_pgbench_ok('worker: nobody failed', @load);
cmp_ok($treated{$_}, '>', 0, "worker: $_") foreach (sort keys %treated);
$ledger->exact_ok('worker', $flush);

# a fast stop
@load = start_load(600);
$ledger->wait_for_rows(1000);
$node->stop('fast');
finish_pgbench(@load);
unlike($load[-1]{err}, qr/backwards/, 'fast stop: no total went backwards');
$node->start;
$ledger->exact_ok('fast stop', $flush);

# a restart with something in the buffer
query(q{SET missing_symbol.worker = off; SELECT count_and_note('hot', 'k' || i, 1) FROM generate_series(1, 50) i});
$node->restart;
is(query('SELECT count(*) FROM missing_symbol.buffered'), '50', 'restart: it is still there');
$ledger->exact_ok('restart', $flush);

# ---------------------------------------------------------------------------
# Crashes
# ---------------------------------------------------------------------------

foreach my $victim ('the worker', 'a backend', 'the postmaster', 'the checkpointer')
{
	@load = start_load(600);
	$ledger->wait_for_rows(500 + int(rand(500)));

	# what is committed now is in its rows after flush()
	query('TRUNCATE noted; INSERT INTO noted SELECT target, k, sum(n) FROM ledger GROUP BY target, k');
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
	finish_pgbench(@load);
	unlike($load[-1]{err}, qr/backwards/, "$victim dies: no total went backwards before");
	start_killed($node, @server) if $victim eq 'the postmaster';
	wait_until_up($node);
	foreach my $table ('hot', 'parted')
	{
		my @total = (source => "missing_symbol.total(NULL::$table)", count => 'hits');

		is($ledger->differences($table, @total, ledger => 'noted', bound => '>='), '', "$victim dies: $table: what was merged is not lost");
		is($ledger->differences($table, @total, bound => '<='), '', "$victim dies: $table: nothing is double");
	}
	is(query('SELECT count(*) FROM missing_symbol.buffered'), '0', "$victim dies: the buffer is empty");

	# go on from what there is
	query('SELECT missing_symbol.flush(); TRUNCATE ledger');
	query("INSERT INTO ledger SELECT '$_', k, hits FROM missing_symbol.total(NULL::$_)") foreach ('hot', 'parted');
}
@load = start_load(3);
finish_pgbench_ok('after the crashes: nobody failed', @load);
$ledger->exact_ok('after the crashes', $flush);

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
poll_query_until_ok($node, 'the room of the long keys is given back', q{SELECT pg_relation_size('missing_symbol.buffered') = 0});
my $many = start_pgbench($node, [ '-R', 5000, '-T', 60, '-c', 32, '-j', 2 ], q{
\set k random(1, 1000)
SELECT missing_symbol.increment('views', :k);
});
my $largest = 0;
while ($many->{run}->pumpable)
{
	my $size = query(q{SELECT pg_total_relation_size('missing_symbol.buffered')});

	$largest = $size if $size > $largest;
	$many->{run}->pump_nb;
	sleep 1;
}
finish_pgbench_ok('32 clients: nobody failed', $many);
my ($calls) = $many->{out} =~ /actually processed: (\d+)/;
is(query('SELECT sum(count) FROM missing_symbol.total(NULL::views)'), $calls, "32 clients: $calls counted");
# left alone, these would take more than 150 bytes each
cmp_ok($largest, '<', 6_000_000 + 60 * $calls, "32 clients: the buffer had $largest bytes at most");
poll_query_until_ok($node, '32 clients: all is merged', 'SELECT NOT EXISTS (SELECT FROM missing_symbol.buffered)');
is(query('SELECT sum(count) FROM views'), $calls, '32 clients: into the rows');
poll_query_until_ok($node, '32 clients: the room is given back', q{SELECT pg_relation_size('missing_symbol.buffered') = 0});

$node->stop;
clean_log_ok($node);
is(log_count($node, qr/deadlock detected/), 0, 'no deadlock');
done_testing();
