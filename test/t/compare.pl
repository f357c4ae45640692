# compare: what it says is true.  Equal statements are told from statements
# of unequal work, again and again, on pgbench's tables; nothing is left of
# the runs; and what writes leaves behind is said.
#
# These are the only checks of durations in the suite: they are what the
# function promises, and they hold on a busy machine since both statements
# of a round meet the same conditions.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('compare');

$node->run_log([ 'pgbench', '-i', '-q', '-s', 10, '-h', $node->host, '-p', $node->port, 'postgres' ]);
$node->safe_psql('postgres', q{
CREATE TABLE trials (what text, verdict text, ratio float8, low float8, high float8);
CREATE PROCEDURE try(what text, a text, b text, times int, runs int, prepared bool)
LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. times LOOP
        INSERT INTO trials SELECT what, verdict, ratio, ratio_low, ratio_high
        FROM missing_symbol.compare(a, b, runs, prepared) WHERE variant = 'b';
    END LOOP;
END$$;
});

sub verdicts
{
	my ($what, $a, $b, $times, $runs, $prepared, $pattern) = @_;

	$node->safe_psql('postgres', "CALL try('$what', \$q\$$a\$q\$, \$q\$$b\$q\$, $times, $runs, $prepared)");
	my $found = $node->safe_psql('postgres',
		"SELECT count(*) FROM trials WHERE what = '$what' AND verdict ~ '$pattern'");
	diag sprintf '%s: %d of %d, ratios %s', $what, $found, $times,
	  $node->safe_psql('postgres', "SELECT min(ratio) || ' to ' || max(ratio) FROM trials WHERE what = '$what'");
	return $found;
}

my $sum = 'SELECT sum(abalance) FROM pgbench_accounts WHERE aid';
my $key = 'SELECT abalance FROM pgbench_accounts WHERE aid = 777';
my $same = '^no difference in time shown$';
my $more = 'b takes [0-9.]+ % more time than a$';
my $less = 'b takes [0-9.]+ % less time than a$';

# a against a
cmp_ok(verdicts('a range', "$sum BETWEEN 1 AND 1000", "$sum BETWEEN 1 AND 1000", 100, 100, 'true', $same),
	'>=', 95, 'a range against itself: no difference in 95 of 100');
cmp_ok(verdicts('a key', $key, $key, 100, 100, 'false', $same),
	'>=', 95, 'a key against itself, planned each time: no difference in 95 of 100');

# 20 % more work, and less: on a machine that is busy otherwise, too
cmp_ok(verdicts('more', "$sum BETWEEN 1 AND 1000", "$sum BETWEEN 1 AND 1200", 20, 100, 'true', $more),
	'>=', 18, '20 % more rows are found, 18 of 20');
cmp_ok(verdicts('more, planned', "$sum BETWEEN 1 AND 2000", "$sum BETWEEN 1 AND 3000", 20, 100, 'false', $more),
	'>=', 18, 'half as many again, planned each time, too');
cmp_ok(verdicts('less', "$sum BETWEEN 1 AND 1200", "$sum BETWEEN 1 AND 1000", 20, 100, 'true', $less),
	'>=', 18, 'and as many fewer');
is($node->safe_psql('postgres', q{SELECT bool_and(ratio BETWEEN 1.1 AND 1.3 AND low < ratio AND ratio < high) FROM trials WHERE what = 'more'}),
	't', 'the ratio is about that');

# an index, as a what-if cannot be timed: made for real
is($node->safe_psql('postgres', qq{
CREATE INDEX accounts_index ON pgbench_accounts (abalance);
SELECT verdict ~ 'times as fast as a\$' AND same_result
FROM missing_symbol.compare('SELECT count(*) FROM pgbench_accounts WHERE abalance + 0 = 7',
                            'SELECT count(*) FROM pgbench_accounts WHERE abalance = 7', 8)
WHERE variant = 'b';
DROP INDEX accounts_index}), 't', 'a predicate that can use an index');

#
# Growth
#

my $state = q{
SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname ~ '^pgbench';
SELECT pg_snapshot_xmax(pg_current_snapshot());
SELECT sum(hashtext(ctid::text || xmin || t::text)::bigint) FROM pgbench_branches t;
};
my $before = $node->safe_psql('postgres', $state);
$node->safe_psql('postgres', qq{
BEGIN;
SELECT missing_symbol.compare('$sum < 1000', '$sum < 2000', 50);
SELECT missing_symbol.compare('TABLE pgbench_branches', 'TABLE pgbench_branches', 50, true);
COMMIT;
BEGIN;
SELECT missing_symbol.compare('$sum < 1000', '$sum < 2000', 50);
ROLLBACK;
});
is($node->safe_psql('postgres', $state), $before, 'without writes nothing grows, and no transaction id is used');

my $size = q{SELECT pg_relation_size('pgbench_accounts')};
my $rows = q{SELECT md5(string_agg(t::text, ',' ORDER BY aid)) FROM pgbench_accounts t WHERE aid <= 20000};
my ($size_before, $rows_before) = map { $node->safe_psql('postgres', $_) } $size, $rows;
my $update = 'UPDATE pgbench_accounts SET filler = filler WHERE aid <= 10000';
my $told = $node->safe_psql('postgres', qq{
SET missing_symbol.compare_time = '10min';
SELECT runs_done, dead_rows, rows, wal_bytes > 1000000, (SELECT n FROM unnest(notes) n WHERE n ~ 'VACUUM')
FROM missing_symbol.compare('$update', '$update', writes => true)});
is($told, "10|110000|10000|t|\n10|110000|10000|t|220000 dead rows were left behind: VACUUM public.pgbench_accounts",
	'what writes leave behind is told, with the remedy');
is($node->safe_psql('postgres', $rows), $rows_before, 'they are undone');
cmp_ok($node->safe_psql('postgres', $size), '>', $size_before, 'and have left dead rows');

# not counted: the same, without statistics
is($node->safe_psql('postgres', qq{
SET track_counts = off;
SELECT count(dead_rows) FROM missing_symbol.compare('$update', '$update', 1, writes => true)}),
	0, 'without track_counts dead rows are not known');

# a million rows in little memory
$node->safe_psql('postgres', q{
SELECT same_result FROM missing_symbol.compare('TABLE pgbench_accounts', 'SELECT * FROM pgbench_accounts ORDER BY aid DESC', 1) WHERE variant = 'b'});
is($node->safe_psql('postgres', q{
SELECT array_to_string(notes, ', ') FROM missing_symbol.compare('SELECT aid FROM pgbench_accounts',
    'SELECT aid FROM pgbench_accounts WHERE aid <> 500000', 1) WHERE variant = 'b'}),
	'a has 1000000 rows, b has 999999, only in a: (500000)', 'one of a million rows is found');

clean_log_ok($node);
done_testing();
