# With pg_stat_statements and auto_explain, in either order of loading and at
# every level: their numbers are those without the profiler.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $workload = q{
CREATE TABLE w (id int PRIMARY KEY, v int);
INSERT INTO w SELECT i, i FROM generate_series(1, 1000) i;
ANALYZE w;
CREATE FUNCTION nested(n int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM 1 / (n - n) FROM w;
    EXCEPTION WHEN division_by_zero THEN
        NULL;
    END;
    RETURN (SELECT count(*) FROM w WHERE id <= n);
END$$;
CREATE PROCEDURE commits(n int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. n LOOP
        UPDATE w SET v = v + 1 WHERE id = i;
        COMMIT;
    END LOOP;
END$$;
SELECT nested(10);
SELECT nested(20);
CALL commits(3);
PREPARE p (int) AS SELECT v FROM w WHERE id = $1;
EXECUTE p (1);
EXECUTE p (2);
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM w ORDER BY id;
FETCH 10 FROM c;
FETCH 5 FROM c;
COMMIT;
COPY (SELECT * FROM w WHERE id < 5) TO STDOUT;
CREATE TABLE w2 AS SELECT * FROM w WHERE id < 100;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM w;
DO $$BEGIN PERFORM count(*) FROM w; END$$;
SELECT no_such_column FROM w;
SELECT 1 / 0;
SELECT v / (v - id) FROM w WHERE id > 100;
SELECT count(*) FROM w a JOIN w b USING (id);
DROP TABLE w, w2;
DROP FUNCTION nested;
DROP PROCEDURE commits;
};

my $numbers = q{
SELECT string_agg(concat_ws('|', toplevel, calls, rows, plans,
                            mean_exec_time > 0, wal_bytes > 0, query), E'\n'
                  ORDER BY query, toplevel)
FROM (SELECT calls, rows, plans, mean_exec_time, wal_bytes, query,
             to_jsonb(s) ->> 'toplevel' AS toplevel	-- from 14 on
      FROM pg_stat_statements s) AS s
WHERE query !~ 'pg_stat_statements|missing_symbol'};

# what pg_stat_statements and auto_explain say of the workload
sub observe
{
	my ($name, $preload, $profile, $plans) = @_;
	my $node = new_node($name,
		conf => [
			"shared_preload_libraries = '$preload'", q{pg_stat_statements.track = 'all'}, 'pg_stat_statements.track_planning = on',
			'auto_explain.log_min_duration = 0', 'auto_explain.log_analyze = on', 'auto_explain.log_timing = off',
			'auto_explain.log_nested_statements = on', 'auto_explain.log_buffers = off',
			"missing_symbol.profile = '$profile'", "missing_symbol.profile_plans = $plans" ]);

	$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
	if ($profile ne 'off')
	{
		is($node->safe_psql('postgres', q{
SELECT 17 AS seventeen;
SELECT count(*) FROM missing_symbol.queries q JOIN pg_stat_statements s USING (queryid)
WHERE q.text ~ 'seventeen' AND s.query ~ 'seventeen'}), "17\n1",
			"queryid: $preload, $profile, plans $plans");
	}
	$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
	my $from = -s $node->logfile;
	$node->psql('postgres', $workload, on_error_stop => 0);
	my $statements = $node->safe_psql('postgres', $numbers);
	$node->stop;

	my @plans;
	foreach my $line (split /\n/, slurp_log($node, $from))
	{
		next if $line =~ /LOG:|STATEMENT:|ERROR:/ && $line !~ /plan:/;
		$line =~ s/^.*duration: .*plan:/plan:/;
		$line =~ s/\(cost.*?\)//;
		$line =~ s/Memory: \d+kB//;
		push @plans, $line
		  if $line !~ /pg_stat_statements|missing_symbol|^\d\d\d\d-/;
	}
	return ($statements, join("\n", @plans));
}

my $contrib = 'pg_stat_statements, auto_explain';
my $libdir = pg_config('--pkglibdir');
plan(skip_all => 'pg_stat_statements or auto_explain is not installed (package postgresql-contrib)')
  unless -e "$libdir/pg_stat_statements.so" && -e "$libdir/auto_explain.so";

my ($statements, $plans) = observe('alone', $contrib, 'off', 'off');
like($statements, qr/nested/, 'pg_stat_statements has seen the workload');
like($plans, qr/plan:/, 'and auto_explain');

my $n = 0;
foreach my $preload ("missing_symbol, $contrib", "$contrib, missing_symbol",
	"auto_explain, missing_symbol, pg_stat_statements")
{
	foreach my $profile ('off', 'top', 'all')
	{
		foreach my $with_plans ($profile eq 'off' ? ('off') : ('off', 'on'))
		{
			my ($s, $p) =
			  observe('node' . $n++, $preload, $profile, $with_plans);

			is($s, $statements,
				"pg_stat_statements: $preload, $profile, plans $with_plans");
			is($p, $plans, "auto_explain: $preload, $profile, plans $with_plans");
		}
	}
}
done_testing();
