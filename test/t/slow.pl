# Slow runs and changed plans: over the protocol, on a standby, beside locks,
# of a plan with a thousand partitions; which changes of a plan are told, and
# which are not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use RawClient;
use Test::More;

my $node = new_node('slow', init => [ 'allows_streaming' => 1 ], conf => [
	'max_parallel_workers_per_gather = 0', 'jit = off', 'enable_bitmapscan = off', 'max_prepared_transactions = 4', 'shared_buffers = 64MB',
	'max_locks_per_transaction = 1024' ]);

$node->safe_psql('postgres', q{
CREATE TABLE t AS SELECT i AS id, CASE WHEN i % 5000 = 0 THEN 2 ELSE hashint4(i) & 1 END AS k, 'name ' || i AS name FROM generate_series(1, 50000) i;
CREATE INDEX t_id ON t (id);
CREATE INDEX t_k ON t (k);
VACUUM ANALYZE t;
});

#
# plan_changed
#

# what is found after statements, each so many times; no row: nothing
sub changed
{
	my (@steps) = @_;
	my $sql = "\\o /dev/null\nSELECT missing_symbol.profile_start(plans => true);\n";

	while (@steps)
	{
		my ($times, $statement) = splice @steps, 0, 2;
		$sql .= ($statement =~ /^\\/ ? "$statement\n" : "$statement;\n") x $times;
	}
	return $node->safe_psql('postgres', $sql . q{
\o
SELECT shape, ratio >= 1.5 AS longer, suggestion,
       CASE WHEN why ~ ' with one plan, the latest' THEN 'latest' WHEN why ~ ' with one plan, an earlier one' THEN 'earlier' END,
       substring(why FROM '(?:latest|earlier one) \(([^)]*)\)') AS slow, substring(why FROM ' with another, ([^;]*);') AS fast,
       substring(why FROM '; (.*)$') FROM missing_symbol.findings WHERE kind = 'plan_changed';
});
}

my $same = 'it is so for the same parameters, too: it is the plan';
my $other = 'for the same parameters that is not shown: it may be theirs';
my $by_id = 'SELECT count(*) FROM t WHERE id = 77';
my $slow_by_id = "Aggregate, Seq Scan on t|Aggregate, Index Only Scan using t_id on t";

is(changed(12, $by_id, 1, 'DROP INDEX t_id', 12, $by_id),
	"select count(*) from t where id = ?|t||latest|$slow_by_id|$same", 'an index is dropped');
is(changed(12, $by_id, 1, 'CREATE INDEX t_id ON t (id)', 1, 'VACUUM t', 12, $by_id),
	"select count(*) from t where id = ?|t||earlier|$slow_by_id|$same", 'an index is created');
is(changed(8, $by_id, 1, 'BEGIN; DROP INDEX t_id', 8, $by_id, 1, 'ROLLBACK'),
	"select count(*) from t where id = ?|t||latest|$slow_by_id|$same", 'eight executions of each are enough');
is(changed(30, $by_id, 1, 'BEGIN; DROP INDEX t_id', 7, $by_id, 1, 'ROLLBACK'), '', 'seven of one are too few');

# statistics
$node->safe_psql('postgres', q{
CREATE TABLE stale AS SELECT i AS id, 77 AS k FROM generate_series(1, 50000) i;
CREATE INDEX stale_k ON stale (k);
ANALYZE stale;
UPDATE stale SET k = id;
VACUUM stale;
});
my $by_stale = 'SELECT count(id) FROM stale WHERE k = 77';
is(changed(12, $by_stale, 1, 'ANALYZE stale', 12, $by_stale),
	"select count(id) from stale where k = ?|t||earlier|Aggregate, Seq Scan on stale|Aggregate, Index Scan using stale_k on stale|$same",
	'statistics have changed');

# generic and custom plans
my $prepare = 'PREPARE p(int) AS SELECT count(name) FROM t WHERE k = $1';
my $by_k = 'select count(name) from t where k = ?';
is(changed(1, $prepare, 1, 'SET plan_cache_mode = force_custom_plan', 12, 'EXECUTE p(2)', 1, 'SET plan_cache_mode = force_generic_plan', 12, 'EXECUTE p(2)'),
	"$by_k|t||latest|Aggregate, Seq Scan on t|Aggregate, Index Scan using t_k on t|$same", 'generic after custom');

# other parameters, for which another plan is right
is(changed(1, $prepare, 1, 'SET plan_cache_mode = force_custom_plan', 12, 'EXECUTE p(2)', 12, 'EXECUTE p(1)'),
	"$by_k|t||latest|Aggregate, Seq Scan on t|Aggregate, Index Scan using t_k on t|$other", 'other parameters');
is(changed(1, $prepare, 1, 'SET plan_cache_mode = force_custom_plan', 12, 'EXECUTE p(2)', 12, 'EXECUTE p(1)',
		1, 'SET plan_cache_mode = force_generic_plan', 1, 'EXECUTE p(2)'),
	"$by_k|t||latest|Aggregate, Seq Scan on t|Aggregate, Index Scan using t_k on t|$other", 'the same parameters once are not enough');
# of a function's variables the values are not known
$node->safe_psql('postgres', q{
CREATE FUNCTION many(n int, v int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. n LOOP
        PERFORM count(name) FROM t WHERE k = v;
    END LOOP;
END$$});
my $all = q{
SELECT missing_symbol.profile_start('all', plans => true)};
is(changed(1, $all, 1, 'SET plan_cache_mode = force_custom_plan', 1, 'SELECT many(12, 2)', 1, 'SET plan_cache_mode = force_generic_plan', 1, 'SELECT many(12, 2)'),
	"select count(name) from t where k = v|t||latest|Aggregate, Seq Scan on t|Aggregate, Index Scan using t_k on t|$other", 'a function, listed');

# nothing to be told
is(changed(40, $by_id), '', 'one plan');
is(changed(15, 'SELECT count(*) FROM t WHERE length(name) > 0 AND id % 50000 < 5', 15, 'SELECT count(*) FROM t WHERE length(name) > 0 AND id % 5 < 5'), '',
	'one plan, whose parameters differ');
is(changed(map { (1, 'SET enable_indexscan = ' . ($_ % 2 ? 'off' : 'on'), 1, 'SET enable_bitmapscan = ' . ($_ % 2 ? 'on' : 'off'), 1, 'SELECT pg_sleep(0.02) FROM t WHERE id = 5 AND name > \'\'') } 1 .. 24), '',
	'two plans that take the same time');
is(changed(1, 'SELECT missing_symbol.profile_start(plans => false)', 12, $by_id, 1, 'BEGIN; DROP INDEX t_id', 12, $by_id, 1, 'ROLLBACK'), '',
	'plans are not looked into');
is(changed(1, 'SET missing_symbol.plan_sample = 0', 12, $by_id, 1, 'BEGIN; DROP INDEX t_id', 12, $by_id, 1, 'ROLLBACK'), '',
	'nor these');
is(changed(12, $by_id, 1, 'BEGIN; DROP INDEX t_id', map({ (1, 'SAVEPOINT s', 1, '\set ON_ERROR_STOP 0', 1, 'SELECT count(*) / 0 FROM t WHERE id = 77', 1, 'ROLLBACK TO s') } 1 .. 12), 1, 'ROLLBACK', 1, '\set ON_ERROR_STOP 1'),
	'', 'executions that failed');

# partitions: which of them are needed is no other plan
$node->safe_psql('postgres', q{
CREATE TABLE parted (k int, v int) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
INSERT INTO parted VALUES (1, 1);
INSERT INTO parted SELECT 2, i FROM generate_series(1, 50000) i;
ANALYZE parted;
});
is(changed(12, 'SELECT count(*) FROM parted WHERE k = 1 AND v > 0', 12, 'SELECT count(*) FROM parted WHERE k = 2 AND v > 0'), '', 'one partition or another');
is(changed(12, 'SELECT count(*) FROM parted WHERE k IN (1) AND v > 0', 12, 'SELECT count(*) FROM parted WHERE k IN (1, 2) AND v > 0'), '', 'one partition or several');

# a third plan takes the place of the older one
is(changed(12, $by_id, 1, 'SET enable_indexonlyscan = off', 12, $by_id, 1, 'SET enable_indexscan = off', 12, $by_id),
	"select count(*) from t where id = ?|t||latest|Aggregate, Seq Scan on t|Aggregate, Index Scan using t_id on t|$same", 'a third plan');

# who may see it
is( $node->safe_psql('postgres', "CREATE ROLE reader; GRANT SELECT ON t TO PUBLIC;\n\\o /dev/null\nSELECT missing_symbol.profile_start(plans => true);\n"
		  . "$by_id;\n" x 12 . "SET enable_indexscan = off; SET enable_indexonlyscan = off;\n" . "$by_id;\n" x 12
		  . "\\o\nSET ROLE reader;\nSELECT shape, why, suggestion, relation FROM missing_symbol.findings WHERE kind = 'plan_changed'"),
	'<insufficient privilege>|<insufficient privilege>||', 'what another role did');

#
# Over the protocol
#
my $client = RawClient->new($node);

sub rows_of
{
	my ($sql) = @_;
	return join "\n", map { join '|', map { $_ // '' } @$_ } $client->rows($sql);
}

# one statement in the extended protocol
sub extended
{
	my ($sql, $max, @values) = @_;
	my @messages = $client->parse('', $sql)->bind('', '', @values)->execute('', $max)->sync->run;
	my ($error) = map { $_->{sqlstate} } grep { $_->{type} eq 'E' } @messages;

	return $error;
}

my $own = q{text !~ 'missing_symbol' ORDER BY number};
$client->rows("SELECT missing_symbol.profile_start(plans => true, params => true)");
$client->rows('SET missing_symbol.slow_threshold = 0');
extended('SELECT count(*) FROM t WHERE id = $1::int AND name <> $2', 0, 42, "it's");
$client->rows("SELECT missing_symbol.profile_start(plans => true, params => false)");
extended('SELECT count(*) FROM t WHERE id = $1::int AND name <> $2', 0, 43, 'hers');
extended('SELECT count(*) FROM t WHERE id = 44', 0);
$client->rows('SET missing_symbol.slow_threshold = -1');
is( rows_of("SELECT text, params, plan #>> '{plans,0,index_cond}', plan #>> '{plans,0,filter}' FROM missing_symbol.slow_runs WHERE $own"),
	join("\n", q{SELECT count(*) FROM t WHERE id = $1::int AND name <> $2|$1 = '42', $2 = 'it''s'|(id = 42)|(name <> 'it''s'::text)},
		q{SELECT count(*) FROM t WHERE id = $1::int AND name <> $2||(id = $0)|(name <> $0)},
		q{SELECT count(*) FROM t WHERE id = 44||(id = 44)|}),
	'values of parameters, where they are kept');

# a portal that is read in parts
$client->rows('SELECT missing_symbol.profile_reset()');
$client->rows('SET missing_symbol.slow_threshold = 0');
$client->rows('BEGIN');
$client->parse('', 'SELECT id FROM t ORDER BY id')->bind('part', '')->execute('part', 10)->sync->run;
$client->execute('part', 5)->sync->run;
$client->close_portal('part')->sync->run;
$client->rows('COMMIT');
$client->rows('SET missing_symbol.slow_threshold = -1');
is(rows_of("SELECT rows, status, plan ->> 'node', plan ->> 'rows', plan ? 'off' FROM missing_symbol.slow_runs WHERE $own"), '15|ok|Index Only Scan|15|f', 'a portal that was not read to its end');

# cancelled by a timeout
$client->rows('SELECT missing_symbol.profile_reset()');
$client->rows("SET missing_symbol.slow_threshold = '50ms'");
$client->rows("SET statement_timeout = '500ms'");
is(extended('SELECT pg_sleep(60), count(*) FROM t', 0), '57014', 'a statement is cancelled');
$client->rows('RESET statement_timeout');
$client->rows('SET missing_symbol.slow_threshold = -1');
is(rows_of("SELECT text, status, sqlstate, duration_ms >= 50, plan IS NULL FROM missing_symbol.slow_runs WHERE $own"), 'SELECT pg_sleep(60), count(*) FROM t|cancelled|57014|t|t', 'a cancelled one');
is(rows_of("SELECT shape, why ~ 'slow_runs has it\$' FROM missing_symbol.findings WHERE kind = 'slow_run'"), 'select pg_sleep(?), count(*) from t|t', 'its finding');
$client->disconnect;

#
# A plan with a thousand partitions, in the least memory and in much
#
$node->safe_psql('postgres', q{
CREATE TABLE parts (k int, v int) PARTITION BY LIST (k);
SELECT format('CREATE TABLE parts_%s PARTITION OF parts FOR VALUES IN (%s)', i, i) FROM generate_series(1, 1000) i \gexec
INSERT INTO parts SELECT i, i FROM generate_series(1, 1000) i;
});
foreach my $memory ('512kB', '4MB', '64MB')
{
	is( $node->safe_psql('postgres', qq{
SET missing_symbol.profile_memory = '$memory';
SET missing_symbol.slow_threshold = 0;
\\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SELECT count(*) FROM parts WHERE v > 0;
SELECT count(*) FROM parts WHERE v > 1;
SET missing_symbol.slow_threshold = -1;
\\o
SELECT count(*), bool_and((plan ->> 'left_out')::int BETWEEN 900 AND 1002), bool_and(plan #>> '{plans,0,node}' = 'Append'), bool_and((plan #>> '{plans,0,rows}')::int >= 999)
FROM missing_symbol.slow_runs WHERE text ~ 'parts';
}), '2|t|t|t', "a thousand partitions in $memory");
}

#
# Gone, locked, renamed by another session meanwhile; on a standby
#
my $run = q{
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SET missing_symbol.slow_threshold = 0;
SELECT count(*) FROM doomed d JOIN t USING (id) WHERE d.k = 1 AND d.feeling <> 'sad';
SET missing_symbol.slow_threshold = -1;
\o
};
my $read = q{SELECT node ->> 'relation', node ->> 'alias', node ->> 'filter' FROM missing_symbol.slow_runs, jsonb_path_query(plan, 'strict $.** ? (@.alias == "d")') node WHERE text ~ 'doomed';};
my $make = q{
CREATE TYPE feeling AS ENUM ('fine', 'sad');
CREATE TABLE doomed (id int, k int, feeling feeling);
};
$node->safe_psql('postgres', $make);
is($node->safe_psql('postgres', $run . $read), q{public.doomed|d|((d.feeling <> $0) AND (d.k = 1))}, 'before');
is( $node->safe_psql('postgres', $run . "BEGIN; LOCK TABLE doomed; PREPARE TRANSACTION 'held';\nSET statement_timeout = '60s';\n$read\nROLLBACK PREPARED 'held';"),
	q{public.doomed|d|((d.feeling <> $0) AND (d.k = 1))}, 'a lock is not waited for');
is($node->safe_psql('postgres', $run . "ALTER TABLE doomed RENAME k TO l;\n$read"), q{public.doomed|d|((d.feeling <> $0) AND (d.k = 1))}, 'a column has another name');
is($node->safe_psql('postgres', "ALTER TABLE doomed RENAME l TO k;\n$run" . "DROP TABLE doomed; DROP TYPE feeling;\n$read"), '|d|', 'it is gone, with a type');

my $standby = new_standby('slow_standby', $node);
$node->safe_psql('postgres', $make);
wait_for_replay($node, $standby);
is($standby->safe_psql('postgres', $run . $read), q{public.doomed|d|((d.feeling <> $0) AND (d.k = 1))}, 'on a standby');
is($standby->safe_psql('postgres', "$run\nBEGIN READ ONLY; SAVEPOINT s;\n$read\nROLLBACK;"), q{public.doomed|d|((d.feeling <> $0) AND (d.k = 1))}, 'and in a transaction there');
$standby->stop;

clean_log_ok($node, 'the server');
done_testing();
