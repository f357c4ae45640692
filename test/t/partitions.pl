# Many clients count in partitioned tables whose partitions come and go: a
# DEFAULT partition is split and put together again, one is replaced by a table
# whose columns are in another order, detached concurrently, given a trigger,
# emptied into another.  Each key's count is what was committed, exactly, in
# whichever partition it is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Ledger;
use MissingSymbolTest;
use Test::More;

my $node = new_node('partitions', conf => ['max_connections = 50', 'deadlock_timeout = 10s', 'missing_symbol.flush_interval = 100ms']);
my $ledger = Ledger->new($node);

# parted has a partition for every key, at two levels; gaps has not, at times
$node->safe_psql('postgres', q{
CREATE TABLE parted (k int PRIMARY KEY, hits bigint NOT NULL, note text DEFAULT 'note') PARTITION BY RANGE (k);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_mid PARTITION OF parted FOR VALUES FROM (10) TO (20) PARTITION BY HASH (k);
CREATE TABLE parted_mid_0 PARTITION OF parted_mid FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_mid_1 (hits bigint NOT NULL, note text, k int NOT NULL);
ALTER TABLE parted_mid ATTACH PARTITION parted_mid_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
CREATE TABLE gaps (LIKE parted INCLUDING ALL) PARTITION BY RANGE (k);
CREATE TABLE gaps_low PARTITION OF gaps FOR VALUES FROM (0) TO (20);
CREATE TABLE gaps_high PARTITION OF gaps FOR VALUES FROM (20) TO (40);
SET client_min_messages = error;
SELECT missing_symbol.track('parted', spill => true);
CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;

-- count, and note that in the same transaction; or neither
CREATE FUNCTION hit(target regclass, k int, n bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM missing_symbol.increment_by(target, n, k);
    IF (missing_symbol.last_increment()).outcome = 'ignored' THEN
        RAISE 'ignored';
    END IF;
    INSERT INTO ledger VALUES (target::text, k, n);
EXCEPTION WHEN check_violation OR serialization_failure THEN
    NULL;
END $$;
CREATE FUNCTION hit_many(target regclass, n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    keys int[] := ARRAY(SELECT (random() * 39)::int FROM generate_series(1, n));
BEGIN
    IF ignored > 0 FROM missing_symbol.increment_many(target, keys) THEN
        RAISE 'ignored';
    END IF;
    INSERT INTO ledger SELECT target::text, k, 1 FROM unnest(keys) k;
EXCEPTION WHEN check_violation OR serialization_failure THEN
    NULL;
END $$;
});

my $path = q{
\if random(0, 9) = 0
SET missing_symbol.fast_path = off;
\else
SET missing_symbol.fast_path = on;
\endif
};
my @scripts = (
	# singly, in each mode
	[ $path . q{
\set k random(0, 39)
\set n random(1, 3)
SELECT hit('parted', :k, :n);
SELECT hit('gaps', :k, :n);
}, 6 ],
	[ q{
\set k random(0, 39)
SET missing_symbol.fast_path = on;
SET missing_symbol.apply = 'commit';
BEGIN;
SELECT hit('parted', :k, 1), hit('parted', 39 - :k, 2);
COMMIT;
RESET missing_symbol.apply;
}, 2 ],
	# batches
	[ $path . q{
\set n random(1, 20)
SELECT hit_many('parted', :n);
SELECT hit_many('gaps', :n);
}, 2 ],
	# savepoints, higher levels
	[ $path . q{
\set a random(0, 39)
\set b random(0, 39)
BEGIN;
SELECT hit('parted', :a, 1);
SAVEPOINT s;
SELECT hit('parted', :b, 5);
SELECT hit_many('parted', 3);
ROLLBACK TO s;
SELECT hit('parted', :b, 2);
\if random(0, 9) = 0
ROLLBACK;
\else
COMMIT;
\endif
}, 2 ],
	[ $path . q{
\set k random(0, 39)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT hit('parted', :k, 1);
SELECT hit('gaps', :k, 1);
COMMIT;
}, 2 ],
	q{
SELECT missing_symbol.fold('parted');
\sleep 50 ms
});

# What becomes of the partitions, each as often as there is time; statements of
# one are one transaction, but where one cannot be.
my @changes = (
	split => q{
BEGIN;
LOCK TABLE parted_rest;
CREATE TABLE parted_30 (note text, hits bigint NOT NULL, k int NOT NULL);
WITH moved AS (DELETE FROM parted_rest WHERE k BETWEEN 30 AND 34 RETURNING *) INSERT INTO parted_30 (k, hits, note) SELECT k, hits, note FROM moved;
ALTER TABLE parted ATTACH PARTITION parted_30 FOR VALUES FROM (30) TO (35);
COMMIT;},
	unsplit => q{
BEGIN;
LOCK TABLE parted;
ALTER TABLE parted DETACH PARTITION parted_30;
INSERT INTO parted (k, hits, note) SELECT k, hits, note FROM parted_30;
DROP TABLE parted_30;
COMMIT;},
	reorder => q{
BEGIN;
LOCK TABLE parted;
CREATE TABLE parted_new (gone int, note text, k int NOT NULL, hits bigint NOT NULL);
ALTER TABLE parted_new DROP gone;
INSERT INTO parted_new (k, hits, note) SELECT k, hits, note FROM parted_low;
ALTER TABLE parted DETACH PARTITION parted_low;
DROP TABLE parted_low;
ALTER TABLE parted_new RENAME TO parted_low;
ALTER TABLE parted ATTACH PARTITION parted_low FOR VALUES FROM (0) TO (10);
COMMIT;},
	order => q{
BEGIN;
LOCK TABLE parted;
CREATE TABLE parted_new (LIKE parted INCLUDING DEFAULTS);
INSERT INTO parted_new SELECT k, hits, note FROM parted_low;
ALTER TABLE parted DETACH PARTITION parted_low;
DROP TABLE parted_low;
ALTER TABLE parted_new RENAME TO parted_low;
ALTER TABLE parted ATTACH PARTITION parted_low FOR VALUES FROM (0) TO (10);
COMMIT;},
	trigger => q{CREATE TRIGGER more BEFORE UPDATE ON parted_low FOR EACH ROW EXECUTE FUNCTION more();},
	untrigger => q{DROP TRIGGER more ON parted_low;},
	index => q{CREATE INDEX ON parted_mid_1 (note); VACUUM parted_mid_1; ANALYZE parted;},
	detach => (major_version($node) >= 14 ? q{ALTER TABLE gaps DETACH PARTITION gaps_high CONCURRENTLY;} :
		q{ALTER TABLE gaps DETACH PARTITION gaps_high;}),
	attach => q{ALTER TABLE gaps ATTACH PARTITION gaps_high FOR VALUES FROM (20) TO (40);},
	move => q{
WITH moved AS (UPDATE parted SET k = (SELECT greatest(max(k), 59) + 1 FROM parted) WHERE k = 15 RETURNING k, hits)
INSERT INTO ledger SELECT 'parted', 15, -hits FROM moved UNION ALL SELECT 'parted', k, hits FROM moved;});

my $clients = start_pgbench($node, [ '-T', 25, '-c', 12, '-j', 2, 'postgres' ], @scripts);
my %done;

$ledger->wait_for_rows(200, $clients);
while ($clients->{run}->pumpable)
{
	for (my $i = 0; $i < @changes && $clients->{run}->pumpable; $i += 2)
	{
		my ($name, $sql) = @changes[ $i, $i + 1 ];

		$node->psql('postgres', $sql, on_error_stop => 1, timeout => 180, stderr => \my $error);
		is($error, '', $name) if $error;
		$done{$name}++;
		$clients->{run}->pump_nb;
	}
}
finish_pgbench_ok('clients count while partitions come and go', $clients);
cmp_ok($done{$_} || 0, '>', 0, "meanwhile: $_") foreach map { $changes[ 2 * $_ ] } 0 .. $#changes / 2;

$node->psql('postgres', 'ALTER TABLE gaps ATTACH PARTITION gaps_high FOR VALUES FROM (20) TO (40)');
$node->safe_psql('postgres', q{SELECT hit('parted', 15, 1)});
is($ledger->differences('parted', count => 'hits', source => 'missing_symbol.total(NULL::parted)'), '',
	'total is what was committed, in each partition');
$node->safe_psql('postgres', 'SELECT missing_symbol.flush()');
is($ledger->differences($_, count => 'hits'), '', "$_: each key has what was committed") foreach 'parted', 'gaps';
is($ledger->query('SELECT count(*) FROM missing_symbol.spilled'), '0', 'nothing is left over');
cmp_ok($ledger->query('SELECT count(*) FROM ledger'), '>', 1000, 'and that is not little');
clean_log_ok($node);

done_testing();
