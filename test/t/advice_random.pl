# Advice on statements at random: pgbench's tables at scale 10 with further
# conditions, and what a Django's ORM sends.  Whatever index is proved must,
# created to the letter and analysed, be used, and have fewer blocks read.
#
# ADVICE_SEED, MS_SEED: of the statements; ADVICE_STATEMENTS: of each kind.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use Test::More;

my $seed = $ENV{ADVICE_SEED} || $ENV{MS_SEED} || int(rand(1_000_000_000));
my $count = $ENV{ADVICE_STATEMENTS} || 12;

note("ADVICE_SEED=$seed ADVICE_STATEMENTS=$count");
srand($seed);

my $node = new_node('advice_random', conf => [
	'missing_symbol.advice_time = 1min', 'max_parallel_workers_per_gather = 0', 'jit = off', 'shared_buffers = 256MB',
	'synchronize_seqscans = off', 'fsync = off', 'max_wal_size = 4GB' ]);

#
# Following what is suggested
#

my $follow = PostgreSQL::Test::Utils::slurp_file("$FindBin::RealBin/../../sql/include/follow.sql") . q{
CREATE FUNCTION pg_temp.executed_and_undone(query text, suggestion text, relation text, OUT indexes text[], OUT blocks bigint)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE suggestion;
    EXECUTE 'ANALYZE ' || relation;
    SELECT * INTO indexes, blocks FROM pg_temp.executed(query);
    RAISE EXCEPTION USING errcode = 'XX999';
EXCEPTION WHEN sqlstate 'XX999' THEN
END$$;
CREATE FUNCTION pg_temp.followed(query text, suggestion text, relation text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before record;
    after record;
BEGIN
    SELECT * INTO before FROM pg_temp.executed_and_undone(query, 'SELECT 1', relation);
    SELECT * INTO after FROM pg_temp.executed_and_undone(query, suggestion, relation);
    RETURN format('%s %s %s', (after.indexes <@ COALESCE(before.indexes, '{}')) IS FALSE, before.blocks, after.blocks);
END$$;
};

# Returns how many were proved
sub all_followed
{
	my ($what, @statements) = @_;
	my $sql = "$follow\nSELECT missing_symbol.profile_start(plans => true) \\g /dev/null\n";
	my $proved = 0;
	my $n = 0;

	foreach my $statement (@statements)
	{
		$sql .= qq{BEGIN;
SELECT missing_symbol.profile_reset() \\g /dev/null
$statement \\g /dev/null
ROLLBACK;
SELECT $n, proved, suggestion, CASE WHEN proved THEN pg_temp.followed(\$q\$$statement\$q\$, suggestion, relation) END
FROM missing_symbol.findings WHERE suggestion ~ 'INDEX';
};
		$n++;
	}
	$n = 0;
	my ($rc, $out, $err) = $node->psql('postgres', $sql, on_error_stop => 1);

	is($rc, 0, "$what: all statements have run") or diag $err;
	foreach my $line (split /\n/, $out)
	{
		my ($number, $is_proved, $suggestion, $used, $before, $after) =
		  $line =~ /^(\d+)\|(t|f)\|(.*)\|(?:(t|f) (\d+) (\d+))?$/
		  or next;

		$n++;
		next if $is_proved eq 'f';
		$proved++;
		ok($used eq 't' && $after < $before, "$what: $suggestion: $before -> $after blocks")
		  or diag "used: $used, ADVICE_SEED=$seed\n$statements[$number]";
	}
	note("$what: " . @statements . " statements, $n suggestions, $proved proved");
	return $proved;
}

#
# pgbench
#

sub pick { return $_[ int(rand(@_)) ]; }
sub between { return $_[0] + int(rand($_[1] - $_[0] + 1)); }

my %values = (
	accounts => {
		aid => sub { between(1, 1_000_000) },
		bid => sub { between(1, 10) },
		abalance => sub { rand() < 0.5 ? between(-5000, 5000) : int(5000 * rand()**4) },
	},
	history => {
		tid => sub { between(1, 100) },
		bid => sub { between(1, 10) },
		aid => sub { int(1_000_000 * rand()**3) + 1 },
		delta => sub { between(-5000, 5000) },
	});

sub text_condition
{
	my ($alias) = @_;

	return $alias . 'filler ' . pick(
		q{LIKE 'f} . between(0, 999) . q{%'}, q{ILIKE '%} . between(10, 99) . q{%'}, 'IS NULL', 'IS NOT NULL',
		q{~ '^f} . between(0, 99) . q{'}, q{= 'f} . between(0, 4999) . q{'});
}

sub time_condition
{
	my ($alias) = @_;
	my $day = sprintf("'2026-%02d-%02d'", between(1, 12), between(1, 28));

	return pick(
		"${alias}mtime > $day", "${alias}mtime < $day",
		"${alias}mtime >= $day AND ${alias}mtime < ${day}::timestamp + interval '" . between(1, 9) . q{ days'},
		"date_trunc('day', ${alias}mtime) = $day", "${alias}filler IS NOT NULL", "${alias}filler = 'odd'");
}

sub condition
{
	my ($table, $alias) = @_;

	return text_condition($alias) if $table eq 'accounts' && rand() < 0.2;
	return time_condition($alias) if $table eq 'history' && rand() < 0.25;

	my $column = pick(sort keys %{ $values{$table} });
	my $value = $values{$table}{$column};
	my $from = $value->();
	my $list = join(', ', map { $value->() } 1 .. between(2, 5));

	return "$alias$column " . pick(
		"= $from", "= $from", "< $from", "> $from", "<> $from", "% 1000 = " . between(0, 999), "IN ($list)", "NOT IN ($list)",
		"BETWEEN $from AND " . ($from + int(10**(rand() * 4))));
}

sub conditions
{
	my ($table, $alias, $most) = @_;
	my @all = map { condition($table, $alias) } 1 .. between(1, $most);

	$all[0] = "($all[0] OR " . condition($table, $alias) . ')' if rand() < 0.2;
	return join(' AND ', @all);
}

sub statement
{
	my $table = pick('accounts', 'accounts', 'history');
	my @columns = sort keys %{ $values{$table} };
	my $kind = rand();

	return 'SELECT ' . pick('count(*)', "sum($columns[0])", "max($columns[-1])", "count(DISTINCT $columns[1])") .
	  " FROM pgbench_$table WHERE " . conditions($table, '', 3)
	  if $kind < 0.4;
	return 'SELECT ' . pick('*', $columns[0], join(', ', @columns)) . " FROM pgbench_$table" .
	  (rand() < 0.8 ? ' WHERE ' . conditions($table, '', 2) : '') .
	  ' ORDER BY ' . pick(@columns) . pick('', ' DESC', ' DESC NULLS LAST') . (rand() < 0.3 ? ', ' . pick(@columns) : '') .
	  ' LIMIT ' . pick(1, 10, 100, 1000)
	  if $kind < 0.6;
	return "SELECT bid, count(*) FROM pgbench_$table WHERE " . conditions($table, '', 2) . ' GROUP BY bid ORDER BY 2 DESC LIMIT 3'
	  if $kind < 0.7;
	return 'SELECT count(*), sum(h.delta) FROM pgbench_history h JOIN pgbench_accounts a USING (aid) WHERE ' .
	  conditions('history', 'h.', 2) . (rand() < 0.5 ? ' AND ' . conditions('accounts', 'a.', 2) : '')
	  if $kind < 0.8;
	return 'SELECT count(*) FROM pgbench_accounts a WHERE ' . conditions('accounts', 'a.', 2) . ' AND ' . pick('', 'NOT ') .
	  'EXISTS (SELECT FROM pgbench_history h WHERE h.aid = a.aid AND ' . conditions('history', 'h.', 1) . ')'
	  if $kind < 0.88;
	return 'SELECT t.tid, (SELECT max(delta) FROM pgbench_history h WHERE h.tid = t.tid' .
	  (rand() < 0.5 ? ' AND ' . conditions('history', 'h.', 1) : '') . ') FROM pgbench_tellers t WHERE t.bid = ' . between(1, 10)
	  if $kind < 0.94;
	return 'DELETE FROM pgbench_accounts WHERE abalance = ' . between(-5000, 5000) . ' AND ' . conditions('accounts', '', 2);
}

$node->command_ok([ 'pgbench', '--initialize', '--init-steps=dt', '--scale=10', '--quiet', 'postgres' ], 'pgbench\'s tables');
$node->safe_psql('postgres', q{
SELECT setseed(0.5);
INSERT INTO pgbench_branches SELECT i, 0 FROM generate_series(1, 10) i;
INSERT INTO pgbench_tellers SELECT i, (i - 1) / 10 + 1, 0 FROM generate_series(1, 100) i;
INSERT INTO pgbench_accounts
SELECT i, (i - 1) / 100000 + 1,
    CASE WHEN i % 3 = 0 THEN (5000 * power(random(), 4))::int ELSE (random() * 10000 - 5000)::int END,
    CASE WHEN i % 200 <> 0 THEN 'f' || i % 5000 END
FROM generate_series(1, 1000000) i;
INSERT INTO pgbench_history
SELECT 1 + i % 100, 1 + (i % 100) / 10, 1 + (1000000 * power(random(), 3))::int % 1000000, (random() * 10000 - 5000)::int,
    '2026-01-01'::timestamp + i * interval '2 minutes', CASE WHEN i % 500 = 0 THEN 'odd' END
FROM generate_series(1, 200000) i;
});
$node->command_ok([ 'pgbench', '--initialize', '--init-steps=pv', '--scale=10', '--quiet', 'postgres' ], 'at scale 10');
cmp_ok(all_followed('pgbench', 'SELECT max(aid) FROM pgbench_accounts WHERE abalance = -77', map { statement() } 1 .. $count), '>', 0, 'pgbench: some are proved');

#
# Django
#

SKIP:
{
	my ($python, $why) = python_with('django', 'psycopg2');

	skip "Django's queries: $why", 1 if $why;

	my ($ok, $out, $err) = run_python($node, [ 'django_advice.py', $seed, $count ]);

	ok($ok, 'Django has sent its queries') or diag $err;
	cmp_ok(all_followed('Django', split(/\n/, $out)), '>', 0, 'Django: some are proved');
}

clean_log_ok($node);
done_testing();
