# Many clients count the same keys on both paths, with commit, rollback,
# savepoint and rollback to: the sums are what was committed, exactly.  Each
# increment is logged by its own transaction, so the log rolls back with it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Ledger;
use MissingSymbolTest;
use Test::More;

my $node = new_node('exact', conf => ['max_connections = 50', 'deadlock_timeout = 10s']);

$node->safe_psql('postgres', q{
CREATE TABLE hits (k int PRIMARY KEY, hits bigint NOT NULL,
                   first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL)
    WITH (fillfactor = 50);
CREATE TABLE seed (LIKE hits INCLUDING ALL);
CREATE INDEX ON seed (last_seen);
CREATE TABLE churn (k int PRIMARY KEY, c missing_symbol.counter);
CREATE TABLE archive (k int, n bigint);
CREATE TABLE plain (k int PRIMARY KEY, hits bigint NOT NULL);
CREATE TABLE log (target text, k int, n bigint, result bigint, outcome text,
                  first_seen timestamptz, last_seen timestamptz);

-- count, and log that in the same transaction
CREATE FUNCTION hit(target regclass, k int, n bigint = 1) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO log
    SELECT target::text, k, n, r, (l).outcome, (l).first_seen, (l).last_seen
    FROM (SELECT r, missing_symbol.last_increment() AS l
          FROM missing_symbol.increment_by(target, n, k) AS r OFFSET 0) AS s;
$$;
CREATE FUNCTION hit_many(target regclass, keys int[]) RETURNS void
LANGUAGE sql AS $$
    SELECT missing_symbol.increment_many(target, keys);
    INSERT INTO log SELECT target::text, k, count(*) FROM unnest(keys) AS k GROUP BY k;
$$;
-- counted, and undone by an exception; then counted again
CREATE FUNCTION hit_after_error(target regclass, k int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hit(target, k, 5);
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    PERFORM hit(target, k);
END $$;
});

# Two keys in their order, as applications that lock two rows do; one kind of
# transaction after the other, on one path or the other.
my $mix = q{
\set a random(1, 50)
\set b random(1, 50)
\set lo least(:a, :b)
\set hi greatest(:a, :b)
\set c random(1, 50)
\set what random(1, 9)
\if random(0, 1) = 0
SET missing_symbol.fast_path = off;
\else
SET missing_symbol.fast_path = on;
\endif
\if :what = 1
SELECT hit('TABLE', :a);
\elif :what = 2
BEGIN;
SELECT hit('TABLE', :lo);
SELECT hit('TABLE', :hi, 2);
COMMIT;
\elif :what = 3
BEGIN;
SELECT hit('TABLE', :lo);
SELECT hit('TABLE', :hi);
ROLLBACK;
\elif :what = 4
BEGIN;
SELECT hit('TABLE', :lo);
SAVEPOINT s;
SELECT hit('TABLE', :hi);
ROLLBACK TO SAVEPOINT s;
SELECT hit('TABLE', :hi, 3);
COMMIT;
\elif :what = 5
BEGIN;
SAVEPOINT s;
SELECT hit('TABLE', :lo);
SAVEPOINT t;
SELECT hit('TABLE', :hi);
RELEASE SAVEPOINT t;
ROLLBACK TO SAVEPOINT s;
COMMIT;
\elif :what = 6
BEGIN;
SAVEPOINT s;
SELECT hit('TABLE', :lo);
RELEASE SAVEPOINT s;
SAVEPOINT t;
SELECT hit('TABLE', :hi);
RELEASE SAVEPOINT t;
COMMIT;
\elif :what = 7
SELECT hit_many('TABLE', ARRAY[:a, :b, :c, :b]::int[]);
\elif :what = 8
BEGIN;
SAVEPOINT s;
SELECT hit_many('TABLE', ARRAY[:c, :b, :a]::int[]);
ROLLBACK TO SAVEPOINT s;
SELECT hit_many('TABLE', ARRAY[:b, :a]::int[]);
COMMIT;
\else
SELECT hit_after_error('TABLE', :a);
\endif
SELECT missing_symbol.increment('plain', :a);
};

# Counters are taken away all the time, so that insertions race.
my $churn = q{
\set k random(1, 3)
\if random(0, 1) = 0
SET missing_symbol.fast_path = off;
\else
SET missing_symbol.fast_path = on;
\endif
\if random(1, 4) = 1
WITH d AS (DELETE FROM churn WHERE k = :k RETURNING k, c)
INSERT INTO archive SELECT k, missing_symbol.hits(c) FROM d;
\elif random(1, 4) = 1
BEGIN;
SELECT hit('churn', :k);
ROLLBACK;
\else
SELECT hit('churn', :k);
\endif
SELECT missing_symbol.increment('plain', :k);
};

(my $on_hits = $mix) =~ s/TABLE/hits/g;
(my $on_seed = $mix) =~ s/TABLE/seed/g;

my ($clients, $each) = (16, 400);
my $report = pgbench_ok($node, "$clients clients",
	[ '--client', $clients, '--jobs', 2, '--transactions', $each,
	  '--protocol', 'prepared' ],
	$on_hits, $on_seed, $churn);
like($report, qr{transactions actually processed: (\d+)/\g1\b},
	'every transaction was processed');

# each transaction of pgbench has counted once more in a statement of its own
is($node->safe_psql('postgres', 'SELECT sum(hits) FROM plain'),
	$clients * $each, 'as many as pgbench says');

# the log is a ledger that knows more
my $ledger = Ledger->new($node);
my @log = (ledger => 'log', count => 'hits');
foreach my $table (qw(hits seed))
{
	is($ledger->differences($table, @log), '', "$table: sums are exact");
	is($node->safe_psql('postgres', qq{
SELECT k, first_seen, last_seen, min, max
FROM $table JOIN (SELECT k, min(first_seen), max(last_seen) FROM log WHERE target = '$table' GROUP BY k) AS l USING (k)
WHERE first_seen <> min OR last_seen < max OR first_seen > last_seen}),
		'', "$table: times are what the increments said");

	# with the row's lock held until commit, no two can have the same result
	is($node->safe_psql('postgres', qq{
SELECT k, result FROM log WHERE target = '$table' AND result IS NOT NULL
GROUP BY k, result HAVING count(*) > 1}), '', "$table: no result twice");
	is($node->safe_psql('postgres', qq{
SELECT k FROM log WHERE target = '$table'
GROUP BY k HAVING count(*) FILTER (WHERE outcome = 'inserted') > 1}),
		'', "$table: no key inserted twice");
	cmp_ok($node->safe_psql('postgres', "SELECT sum(hits) FROM $table"),
		'>', 500, "$table: much was counted");
}

is($ledger->differences('churn', @log, source => q{(SELECT k, sum(n) AS hits
    FROM (SELECT k, missing_symbol.hits(c) FROM churn UNION ALL SELECT * FROM archive) AS s (k, n)
    GROUP BY k)}), '', 'deleted all the time: sums are exact');
is($node->safe_psql('postgres', q{
SELECT count(*) FILTER (WHERE outcome = 'inserted') =
       (SELECT count(*) FROM archive) + (SELECT count(*) FROM churn)
FROM log WHERE target = 'churn'}), 't', 'as many inserted as deleted and left');

# Amounts with a fraction: what each call returned is what it made of the row, so
# of what was committed no sum comes twice, and the last is the row's.
$node->safe_psql('postgres', q{
CREATE TABLE spend (k int PRIMARY KEY, count numeric NOT NULL) WITH (fillfactor = 50);
CREATE TABLE paid (k int, amount numeric, sum numeric);
});
pgbench_ok($node, "amounts: $clients clients",
	[ '--client', $clients, '--jobs', 2, '--transactions', 100, '--protocol', 'prepared' ], q{
\set k random(1, 3)
\set milli random(1, 1999)
\if random(0, 1) = 0
SET missing_symbol.fast_path = off;
\else
SET missing_symbol.fast_path = on;
\endif
BEGIN;
SAVEPOINT s;
SELECT missing_symbol.increment_amount('spend', :milli * 0.001, :k::int);
ROLLBACK TO SAVEPOINT s;
INSERT INTO paid SELECT :k, :milli * 0.001, missing_symbol.increment_amount('spend', :milli * 0.001, :k::int);
\if random(1, 4) = 1
ROLLBACK;
\else
COMMIT;
\endif
});
is($node->safe_psql('postgres', q{
SELECT k, count, amount FROM spend FULL JOIN (SELECT k, sum(amount) AS amount FROM paid GROUP BY k) AS p USING (k)
WHERE count IS DISTINCT FROM amount}), '', 'amounts: sums are exact');
is($node->safe_psql('postgres', q{
SELECT k, sum, before FROM (SELECT *, lag(sum, 1, 0.0) OVER (PARTITION BY k ORDER BY sum) AS before FROM paid) AS p
WHERE sum IS DISTINCT FROM before + amount}), '', 'amounts: each call returned the sum of those before it');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM paid WHERE amount <> trunc(amount)'), '>', 500, 'amounts: of many fractions');

# The higher levels: who loses tries again.
SKIP:
{
	skip 'pgbench before 15 cannot try again after 40001', 6
	  if major_version($node) < 15;

	foreach my $level ('repeatable read', 'serializable')
	{
		$node->safe_psql('postgres', 'TRUNCATE hits, log');
		(my $value = $level) =~ s/ /\\ /;
		local $ENV{PGOPTIONS} = "-c default_transaction_isolation=$value";
		$report = pgbench_ok($node, "$level: 8 clients",
			[ '--client', 8, '--jobs', 2, '--transactions', 50, '--max-tries', 10000 ],
			q{
\set k random(1, 2)
BEGIN;
SELECT hit('hits', :k);
COMMIT;
}, q{
\set k random(1, 2)
BEGIN;
SET LOCAL missing_symbol.fast_path = off;
SELECT hit('hits', :k);
COMMIT;
});
		is($node->safe_psql('postgres', 'SELECT sum(hits) FROM hits'), 8 * 50,
			"$level: as many as pgbench says");
		is($ledger->differences('hits', @log), '', "$level: sums are exact");
	}
}

$node->stop;
clean_log_ok($node);
done_testing();
