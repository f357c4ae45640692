# Findings on real schemas: pgbench's at scale 10, and a Django project's with
# its ORM's queries.  What fires has its suggestion followed to the letter:
# another plan must be executed and fewer blocks be read.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use Test::More;

my $node = new_node('findings', conf => [
	'missing_symbol.advice_time = 1min', 'max_parallel_workers_per_gather = 0', 'jit = off', 'shared_buffers = 256MB',
	'fsync = off', 'max_wal_size = 4GB' ]);

#
# pgbench
#

$node->command_ok([ 'pgbench', '--initialize', '--scale=10', '--foreign-keys', '--quiet', 'postgres' ],
	'pgbench at scale 10');
$node->safe_psql('postgres', q{
CREATE TABLE found (script text, kind text, shape text, suggestion text);
CREATE FUNCTION blocks(text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || $1 INTO plan;
    RETURN (SELECT sum((plan -> 0 -> 'Plan' ->> name)::bigint)
        FROM unnest('{Shared Hit Blocks,Shared Read Blocks,Temp Read Blocks,Temp Written Blocks}'::text[]) name);
END$$;
});

# its own script, in all three protocols: nothing is wrong with it
my $tpcb = q{
\set aid random(1, 100000 * :scale)
\set bid random(1, 1 * :scale)
\set tid random(1, 10 * :scale)
\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
END;
INSERT INTO found SELECT 'tpcb', kind, shape, suggestion FROM missing_symbol.findings;
};
foreach my $mode (qw(simple extended prepared))
{
	local $ENV{PGOPTIONS} = '-c missing_symbol.profile=all -c missing_symbol.profile_plans=on';
	local $ENV{PGHOST} = $node->host;

	pgbench_ok($node, "tpcb, $mode", [ '--client=2', '--transactions=100', "--protocol=$mode", '--scale=10' ],
		"SELECT missing_symbol.profile_summary();\n$tpcb");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbench_history'), 600, 'all transactions were made');
is($node->safe_psql('postgres', 'SELECT DISTINCT kind, shape, suggestion FROM found'), '',
	'nothing is wrong with what pgbench does');

# Runs a query in a profiled session, follows the suggestion, which is undone
# with the session's transaction.
sub follows
{
	my ($kind, $suggestion, $query, $settings) = @_;
	my $sql = ($settings || 'SELECT') . qq{;
\\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
$query;
\\o
SELECT string_agg(suggestion, '; ') FROM missing_symbol.findings WHERE kind = '$kind';
SELECT blocks(\$q\$$query\$q\$) AS blocks \\gset
SELECT COALESCE(max(suggestion), 'SELECT') AS suggestion FROM missing_symbol.findings WHERE kind = '$kind' \\gset
BEGIN;
:suggestion;
SELECT blocks(\$q\$$query\$q\$) < :blocks;
ROLLBACK;
};
	my ($found, $fewer) = grep { $_ ne '' } split /\n/, $node->safe_psql('postgres', $sql);

	like($found, $suggestion, "$kind: $query");
	is($fewer, 't', '... and following it reads fewer blocks');
}

follows('seq_scan_discards', qr/^CREATE INDEX ON public.pgbench_accounts \(abalance\)$/,
	'SELECT count(*) FROM pgbench_accounts WHERE abalance < -4900');
follows('seq_scan_discards', qr/^CREATE INDEX ON public.pgbench_accounts \(abalance\)$/,
	'SELECT aid FROM pgbench_accounts WHERE bid = 3 AND abalance > 4000');
follows('index_scan_discards', qr/^CREATE INDEX ON public.pgbench_accounts \(bid, aid\)$/,
	'SELECT count(*) FROM pgbench_accounts WHERE aid BETWEEN 500 AND 20500 AND bid = 2');
follows('sort_spilled', qr/^SET work_mem = '\d+MB'$/,
	'SELECT count(*) FROM (SELECT aid FROM pgbench_accounts WHERE aid < 200000 ORDER BY abalance, aid DESC OFFSET 0) a');
follows('hash_spilled', qr/^SET work_mem = '\d+MB'$/,
	'SELECT count(*) FROM pgbench_accounts a JOIN pgbench_accounts b ON a.aid = b.aid + 1 WHERE b.aid < 300000',
	'SET enable_mergejoin = off');

# a branch is closed: what refers to it is looked for
my $closed = $node->safe_psql('postgres', q{
INSERT INTO pgbench_branches VALUES (11, 0), (12, 0);
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
\o
DELETE FROM pgbench_branches WHERE bid = 11;
SELECT relation, columns, suggestion FROM missing_symbol.findings WHERE kind = 'missing_fk_index' ORDER BY 1;
SELECT suggestion FROM missing_symbol.findings WHERE kind = 'missing_fk_index' \gexec
DELETE FROM pgbench_branches WHERE bid = 12;
SELECT max(shared_blks_hit + shared_blks_read) / min(shared_blks_hit + shared_blks_read) > 100 FROM missing_symbol.queries WHERE command = 'DELETE';
});
is($closed, "public.pgbench_accounts|{bid}|CREATE INDEX ON public.pgbench_accounts (bid)\nt",
	'missing_fk_index: a branch is closed');

# What a transaction has changed before its ANALYZE is counted as changed since:
# nothing is said of that but that the server counts so, and not of statistics
# that the statement did not have.
my @why = split /\n/, $node->safe_psql('postgres', q{
CREATE TABLE same (a int, b int) WITH (autovacuum_enabled = off);
INSERT INTO same SELECT i % 1000, i % 1000 FROM generate_series(1, 2400) i;
ANALYZE same;
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SELECT count(*) FROM same WHERE a = b;
BEGIN;
UPDATE same SET a = a;
ANALYZE same;
COMMIT;
SELECT pg_sleep(1.1);
\o
DO $$
BEGIN
    WHILE pg_stat_get_mod_since_analyze('same'::regclass) < 2400 LOOP
        PERFORM pg_sleep(0.1);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END$$;
SELECT why, suggestion FROM missing_symbol.findings WHERE relation = 'public.same';
SELECT count(*) FROM same WHERE a = b \g /dev/null
SELECT why, suggestion FROM missing_symbol.findings WHERE relation = 'public.same';
DROP TABLE same;
});
is($why[0], '12 rows were expected and 2400 came; it has been analyzed since|',
	'row_estimate_off: analyzed since the statement ran');
is($why[1],
	'12 rows were expected and 2400 came; the server counts many of its rows as changed since it was analyzed|ANALYZE public.same',
	'row_estimate_off: what the server counts');

#
# Django
#

SKIP:
{
	my ($python, $why) = python_with('django', 'psycopg2');

	skip "Django's queries: $why", 1 if $why;

	my ($ok, $out, $err) = run_python($node, ['django_findings.py']);
	my %traces;

	diag $err if $err;
	foreach my $line (split /\n/, $out)
	{
		my ($expected, $right, $name) = split / /, $line, 3;

		$traces{$expected}++;
		ok($right, "Django, $expected: $name");
	}
	is_deeply(\%traces, { fire => 12, silent => 7 }, 'all of Django\'s queries have run');
}

clean_log_ok($node);
done_testing();
