# Several counts of a row under load, in each mode and on both paths: commits,
# rollbacks, savepoints, batches, locked rows, fold() all the time, the worker,
# and a crash.  Each increment is noted by its own transaction, so what was
# noted is what was committed.  Amounts of floats are multiples of 1/1024: their
# sum does not depend on their order.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $node = new_node('counts',
	conf => [
		'max_connections = 60', 'max_prepared_transactions = 2', 'deadlock_timeout = 10s', 'log_statement = none', 'client_min_messages = error',
		q{missing_symbol.flush_interval = '100ms'} ]);
my %modes = (now => q{apply => 'now'}, deferred => q{apply => 'commit'}, spilled => q{spill => true}, buffered => q{apply => 'buffer'});
my @modes = sort keys %modes;

$node->safe_psql('postgres', q{
CREATE TABLE tally (target text, k int, requests bigint, tokens int, spend float8, cost numeric, took interval, ms int);
CREATE FUNCTION pick(k int, n int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('k', k, 'requests', n % 3, 'tokens', n % 500 - 10, 'spend', (n % 4096 - 100) / 1024.0, 'cost', n % 977 / 100.0,
                              'took', make_interval(secs => n % 60), 'max_ms', n % 10007, 'min_ms', n % 10009, 'ip', n::text) $$;
CREATE FUNCTION note(target regclass, f jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tally VALUES (target::text, (f->>'k')::int, (f->>'requests')::bigint, (f->>'tokens')::int, (f->>'spend')::float8,
        (f->>'cost')::numeric, (f->>'took')::interval, (f->>'max_ms')::int),
        (target::text || ' least', (f->>'k')::int, 0, 0, 0, 0, '0', (f->>'min_ms')::int) $$;
CREATE FUNCTION hit(target regclass, k int, n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    f jsonb := pick(k, n);
BEGIN
    PERFORM missing_symbol.increment_row(target, f);
    PERFORM note(target, f);
END $$;
-- some columns only
CREATE FUNCTION hit_some(target regclass, k int, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment_row(target, jsonb_build_object('k', k, 'spend', n / 1024.0, 'max_ms', n));
    PERFORM missing_symbol.increment_by(target, 2, k);
    INSERT INTO tally VALUES (target::text, k, 3, 0, n / 1024.0, 0, '0', n);
END $$;
CREATE FUNCTION hit_many(target regclass, n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    rows jsonb := (SELECT jsonb_agg(pick((random() * 20)::int, (random() * 1e6)::int)) FROM generate_series(1, n));
BEGIN
    PERFORM missing_symbol.increment_rows(target, rows);
    PERFORM note(target, f) FROM jsonb_array_elements(rows) AS f;
END $$;
CREATE FUNCTION hit_again(target regclass, k int, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hit(target, k, n + 1);
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    PERFORM hit(target, k, n);
END $$;
});
foreach my $mode (@modes)
{
	$node->safe_psql('postgres', qq{
CREATE TABLE $mode (k int PRIMARY KEY, requests bigint NOT NULL DEFAULT 0, tokens int NOT NULL, spend float8, cost numeric(14,2), took interval, max_ms int, min_ms int, ip text,
    last_seen timestamptz) WITH (fillfactor = 50);
SELECT missing_symbol.configure('$mode', '{"counts": ["requests", "tokens", "spend", "cost", "took"], "greatest": ["max_ms"], "least": ["min_ms"], "latest": ["ip"]}');
SELECT missing_symbol.track('$mode', $modes{$mode})});
}

my $path = q{
\if random(0, 1) = 0
SET missing_symbol.fast_path = off;
\else
SET missing_symbol.fast_path = on;
\endif
};
my %script = (
	single => q{
\set k random(0, 20)
\set n random(0, 1000000)
SELECT hit('TABLE', :k, :n);
},
	some => q{
\set k random(0, 20)
\set n random(0, 9000)
SELECT hit_some('TABLE', :k, :n);
},
	batch => q{
\set n random(1, 12)
SELECT hit_many('TABLE', :n);
},
	savepoints => q{
\set a random(0, 9)
\set b random(10, 20)
\set n random(0, 1000000)
\set u random(0, 4)
BEGIN;
SELECT hit('TABLE', :a, :n);
SAVEPOINT s;
SELECT hit('TABLE', :b, :n);
ROLLBACK TO s;
SELECT hit_some('TABLE', :b, 5);
SAVEPOINT t;
SELECT hit_again('TABLE', :b, :n);
RELEASE t;
\if :u = 0
ROLLBACK;
\else
COMMIT;
\endif
},
	snapshot => q{
\set k random(0, 20)
\set n random(0, 1000000)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT hit('spilled', :k, :n);
COMMIT;
},
	holder => q{
\set k random(0, 20)
BEGIN;
SELECT k FROM spilled WHERE k = :k FOR UPDATE;
SELECT pg_sleep(0.01);
COMMIT;
},
	gone => q{
\set k random(21, 25)
\set n random(0, 1000000)
BEGIN;
SELECT hit('spilled', :k, :n), hit('buffered', :k, :n);
ROLLBACK;
},
	fold => q{
SELECT missing_symbol.fold();
\sleep 20 ms
});

# Each key has what was noted; of a source, such as total().
sub exact_ok
{
	my ($mode, $source, $what) = @_;

	foreach my $column (qw(requests tokens spend cost took))
	{
		my $zero = $column eq 'took' ? "interval '0'" : '0';

		is($node->safe_psql('postgres', qq{
SELECT k, counted.n, noted.n FROM (SELECT k, $column AS n FROM $source AS s) AS counted
FULL JOIN (SELECT k, sum($column) AS n FROM tally WHERE target = '$mode' GROUP BY k) AS noted USING (k)
WHERE coalesce(counted.n, $zero) <> coalesce(noted.n, $zero)}), '', "$mode: $what: $column");
	}
	is($node->safe_psql('postgres', qq{
SELECT k, max_ms, max, min_ms, min FROM (SELECT k, max_ms, min_ms FROM $source AS s) AS counted
FULL JOIN (SELECT k, max(ms) FROM tally WHERE target = '$mode' GROUP BY k) AS g USING (k)
FULL JOIN (SELECT k, min(ms) FROM tally WHERE target = '$mode least' GROUP BY k) AS l USING (k)
WHERE (max_ms, min_ms) IS DISTINCT FROM (max, min)}), '', "$mode: $what: greatest and least");
	return;
}

# What is merged meanwhile is the same each time that it is read
sub run_clients
{
	my ($what, $clients, $seconds) = @_;
	my @scripts;

	foreach my $mode (@modes)
	{
		foreach my $name (qw(single some batch savepoints))
		{
			(my $text = $path . $script{$name}) =~ s/TABLE/$mode/g;
			push @scripts, [ $text, 3 ];
		}
	}
	push @scripts, [ $path . $script{$_}, 2 ] foreach qw(snapshot holder gone);
	my $folding = start_pgbench($node, [ '-T', $seconds, '-c', 1, 'postgres' ], $script{fold});
	my $counting = start_pgbench($node, [ '-T', $seconds, '-c', $clients, '-j', 2, 'postgres' ], @scripts);
	finish_pgbench_ok("$what: clients count", $counting);
	finish_pgbench_ok("$what: fold() meanwhile", $folding);
	return;
}

run_clients('load', 12, 15);
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM tally WHERE target = '$_'"), '>', 100, "$_: much was counted") foreach @modes;
exact_ok($_, "missing_symbol.total(NULL::$_)", 'total is what was committed') foreach @modes;
is($node->safe_psql('postgres', qq{
SELECT t.k FROM missing_symbol.total(NULL::$_) AS t WHERE missing_symbol.value('$_', t.k) IS DISTINCT FROM t.requests}), '', "$_: value()") foreach @modes;
is($node->safe_psql('postgres', "SELECT k FROM missing_symbol.total(NULL::$_) AS t WHERE ip IS NULL AND min_ms IS NOT NULL"), '', "$_: latest is there") foreach @modes;
$node->safe_psql('postgres', 'SELECT missing_symbol.flush()');
exact_ok($_, $_, 'so are the rows, once all is merged') foreach @modes;
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM missing_symbol.buffered) + (SELECT count(*) FROM missing_symbol.spilled)'),
	'0', 'nothing is left over');

# What is spilled outlives a crash, its amounts too; of what is buffered nothing
# counts twice.
my $noted = $node->safe_psql('postgres', 'SELECT count(*) FROM tally');
my $counting = start_pgbench($node, [ '-T', 60, '-c', 6, '-j', 2, 'postgres' ],
	map { (my $text = $script{savepoints}) =~ s/TABLE/$_/g; $text } @modes);
my $holding = start_pgbench($node, [ '-T', 60, '-c', 2, 'postgres' ], $script{holder});
$node->poll_query_until('postgres', "SELECT count(*) > $noted + 1000 FROM tally") or die 'nobody counts';
$node->stop('immediate');
finish_pgbench($_) foreach $counting, $holding;
$node->start;
foreach my $mode (grep { $_ ne 'buffered' } @modes)
{
	exact_ok($mode, "missing_symbol.total(NULL::$mode)", 'total after a crash');
}
is($node->safe_psql('postgres', q{
SELECT k FROM missing_symbol.total(NULL::buffered) AS t JOIN (SELECT k, sum(cost) AS n FROM tally WHERE target = 'buffered' GROUP BY k) AS noted USING (k) WHERE cost > n}),
	'', 'buffered: nothing counts twice after a crash');
$node->safe_psql('postgres', 'SELECT missing_symbol.flush()');
foreach my $mode (grep { $_ ne 'buffered' } @modes)
{
	exact_ok($mode, $mode, 'rows after a crash');
}

# Amounts come back as they were from a dump, into columns with other numbers.
$node->safe_psql('postgres', q{
CREATE TABLE moved (gone int, k int PRIMARY KEY, requests bigint NOT NULL, also int, spend numeric, last_seen timestamptz);
ALTER TABLE moved DROP gone, DROP also;
SELECT missing_symbol.configure('moved', '{"counts": ["requests", "spend"]}'), missing_symbol.track('moved', spill => true);
INSERT INTO moved VALUES (1, 0, 0)});
$node->safe_psql('postgres', q{BEGIN; SELECT k FROM moved FOR UPDATE; PREPARE TRANSACTION 'holder'});
is($node->safe_psql('postgres', q{
SELECT missing_symbol.increment_row('moved', '{"k": 1, "requests": 3, "spend": 0.125}') IS NULL; SELECT outcome FROM missing_symbol.last_increment()}), "t\nspilled",
	'moved: spilled');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'holder'});
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '--no-sync', "--file=$dump", 'postgres' ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, 'restored' ], 'restored');
is($node->safe_psql('restored', 'SELECT k, requests, spend FROM missing_symbol.total(NULL::moved)'), '1|3|0.125', 'restored: total');
is($node->safe_psql('restored', 'SELECT missing_symbol.flush(); SELECT k, requests, spend FROM moved'), "1\n1|3|0.125", 'restored: merged');

$node->stop;
clean_log_ok($node);
done_testing();
