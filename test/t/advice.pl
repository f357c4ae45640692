# Advice that is proved: while tables are locked, on a standby, with operator
# classes of an extension, with JIT.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $node = new_node('advice', init => [ 'allows_streaming' => 1 ], conf => [
	'missing_symbol.advice_time = 1min', 'max_parallel_workers_per_gather = 0', 'jit = off', 'max_prepared_transactions = 4' ]);

$node->safe_psql('postgres', q{
CREATE TABLE big AS SELECT i AS id, i % 1000 AS v, 'name ' || md5(i::text) AS name FROM generate_series(1, 20000) i;
CREATE TABLE other AS SELECT i AS id FROM generate_series(1, 100) i;
ANALYZE big, other;
});
my $profiled = q{
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SELECT count(*) FROM big LEFT JOIN other USING (id) WHERE v = 7;
\o
};
my $found = q{
SELECT suggestion, proved, substring(why FROM '; (.*)') FROM missing_symbol.findings WHERE relation = 'public.big';
};

sub locked
{
	my ($lock) = @_;

	# a lock that no session holds
	return "BEGIN; $lock; PREPARE TRANSACTION 'held';\nSET statement_timeout = '60s';\n$found\nROLLBACK PREPARED 'held';";
}

#
# Locks: none is waited for
#
is($node->safe_psql('postgres', $profiled . $found), 'CREATE INDEX ON public.big (v)|t|', 'proved');
is($node->safe_psql('postgres', $profiled . locked('LOCK TABLE other')),
	'CREATE INDEX ON public.big (v)|f|not proved: a table is locked', 'another table is locked');
is($node->safe_psql('postgres', $profiled . locked('LOCK TABLE big')), '||', 'its own table is locked');
is($node->safe_psql('postgres', $profiled . locked('CREATE INDEX ON big (v)')), 'CREATE INDEX ON public.big (v)|t|',
	'an index is being made');

# one that is not valid, while somebody has a lock as whoever builds it has
$node->safe_psql('postgres', q{
CREATE INDEX big_v ON big (v);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'big_v'::regclass;
});
is($node->safe_psql('postgres', $profiled . locked('LOCK TABLE big IN SHARE UPDATE EXCLUSIVE MODE')),
	'||index public.big_v is not valid, and may be about to be built', 'an index is being built concurrently');
is($node->safe_psql('postgres', $profiled . $found), 'REINDEX INDEX public.big_v|t|', 'nobody is building it');
$node->safe_psql('postgres', 'DROP INDEX big_v');

#
# Time: a plan that would take for ever is not waited for
#
my @joins = map { "JOIN tiny t$_ ON t$_.id = big.v" } 1 .. 14;
is( $node->safe_psql('postgres', qq{
CREATE TABLE tiny AS SELECT i AS id FROM generate_series(1, 20) i;
ANALYZE tiny;
\\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SET join_collapse_limit = 1;
SELECT count(*) FROM big @joins WHERE big.id = 7;
\\o
SET join_collapse_limit = 20;
SET geqo = off;
SET missing_symbol.advice_time = '300ms';
SET statement_timeout = '60s';
$found
}),
	'CREATE INDEX ON public.big (id)|f|not proved: missing_symbol.advice_time is over', 'a reading takes as long as it may');

#
# A standby
#
my $standby = new_standby('advice_standby', $node);

wait_for_replay($node, $standby);
is($standby->safe_psql('postgres', $profiled . $found), 'CREATE INDEX ON public.big (v)|t|', 'on a standby');
is( $standby->safe_psql('postgres', $profiled . 'SELECT suggestion, proved FROM missing_symbol.advice'),
	'CREATE INDEX ON public.big (v)|t', 'the view advice');
$standby->stop;

# 13 searches no index for ^@
my $prefix = q{
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SELECT count(*) FROM big WHERE name ^@ 'name 77';
\o
SELECT suggestion, proved FROM missing_symbol.findings;
};
is( $node->safe_psql('postgres', $prefix),
	major_version($node) < 14 ? '|' : 'CREATE INDEX ON public.big (name text_pattern_ops)|t', 'a beginning of a text');

# An expression has statistics without an index, too
SKIP:
{
	skip '13 has no statistics of expressions', 2 if major_version($node) < 14;

	my $sql = q{
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SELECT count(*) FROM big WHERE upper(name) = 'NAME 7';
\o
} . $found;

	is( $node->safe_psql('postgres', $sql),
		'CREATE INDEX ON public.big ((upper(name)))|f|not proved: an expression has no statistics before its index is there',
		'an expression');
	is( $node->safe_psql('postgres', "CREATE STATISTICS big_upper ON (upper(name)) FROM big; ANALYZE big;\n$sql"),
		'CREATE INDEX ON public.big ((upper(name)))|t|', 'an expression that has statistics');
}

#
# Other modules
#
SKIP:
{
	my ($rc) = $node->psql('postgres', 'CREATE EXTENSION pg_trgm SCHEMA public');

	skip 'there is no pg_trgm (package postgresql-contrib)', 2 if $rc != 0;

	my $sql = q{
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SET search_path = pg_catalog;
SELECT count(*) FROM public.big WHERE name ILIKE '%abcd%';
\o
SELECT suggestion, proved FROM missing_symbol.findings;
SELECT suggestion FROM missing_symbol.findings \gexec
ANALYZE public.big;
EXPLAIN (COSTS off) SELECT count(*) FROM public.big WHERE name ILIKE '%abcd%';
};
	my $out = $node->safe_psql('postgres', $sql);

	like($out, qr/^CREATE INDEX ON public\.big USING gin \(name public\.gin_trgm_ops\)\|t\n/, 'an operator class of an extension');
	like($out, qr/Bitmap Index Scan on big_name_idx/, 'it is used');
}

SKIP:
{
	my ($rc) = $node->psql('postgres', 'CREATE EXTENSION citext');

	skip 'there is no citext (package postgresql-contrib)', 1 if $rc != 0;

	my $sql = q{
CREATE DOMAIN email AS citext CHECK (VALUE <> '');
CREATE TABLE person AS SELECT i AS id, ('P' || i)::citext AS name, ('P' || i)::email AS mail FROM generate_series(1, 20000) i;
ANALYZE person;
PREPARE by_name(citext) AS SELECT count(*) FROM person WHERE name = $1;
PREPARE by_mail(email) AS SELECT count(*) FROM person WHERE mail = $1;
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
EXECUTE by_name('p77');
EXECUTE by_mail('p77');
\o
SELECT suggestion, proved FROM missing_symbol.findings ORDER BY 1;
DROP TABLE person;
DROP DOMAIN email;
DROP EXTENSION citext;
SELECT count(*) FROM missing_symbol.findings;
};
	is( $node->safe_psql('postgres', $sql),
		"CREATE INDEX ON public.person (mail)|t\nCREATE INDEX ON public.person (name)|t\n0",
		'values of a type of an extension, and of a domain over it');
}

SKIP:
{
	skip 'this server has no JIT', 2 if $node->safe_psql('postgres', 'SET jit = on; SELECT pg_jit_available()') ne 't';

	my $sql = q{
SET jit_above_cost = 0;
SET jit_inline_above_cost = 0;
SET jit_optimize_above_cost = 0;
\o /dev/null
SELECT missing_symbol.profile_start(plans => true);
SELECT sum(id * 2 + v) FROM big WHERE v * 2 + id > 5;
\o
SELECT kind, times_seen, suggestion FROM missing_symbol.findings
UNION ALL SELECT 'long', NULL, NULL FROM missing_symbol.queries WHERE exec_ms >= 1000;
};
	# as slow as this machine is, it may take a second
	like($node->safe_psql('postgres', "SET jit = on;\n$sql"), qr/^(jit_cost\|1\|SET jit = off|long\|\|)$/, 'JIT takes most of a short statement');
	is($node->safe_psql('postgres', $sql), '', 'what is not compiled takes none');
}

clean_log_ok($node);
done_testing();
