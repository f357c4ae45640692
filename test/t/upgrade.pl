# Versions: ALTER EXTENSION UPDATE gives what a fresh installation gives, to the
# last comment and the last column of the catalogs, and keeps settings, counters and spilled increments; and the
# library of today serves the SQL objects of a release.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $top = "$FindBin::RealBin/../..";

# regression themes that need something newer than 1.0
my %newer = map { $_ => 1 } qw(
	advice advice_trust advice_work calls changed configure contents counter_report
	counter_use counts discard explain_plan judged keys limits nulls_not_distinct once
	partitions profile_gate profile_page prune reset schemas slow_runs slow_trust views);
my @themes_of_1_0 = grep { !$newer{$_} } map { m{/([^/]+)\.sql$} && $1 !~ /--/ ? $1 : () } sort glob("$top/sql/*.sql");

my $node = new_node('upgrade', conf => ['log_statement = none']);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $current = extension_version($node);

sub database
{
	my ($name, $version) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($name, 'CREATE EXTENSION missing_symbol' . ($version ? " VERSION '$version'" : ''));
}

# The schema as pg_upgrade would carry it over: every object of the extension
# with its definition, owner, privileges and comment.  Without what numbers
# them, and in an order of its own.
sub objects
{
	my ($database) = @_;
	my $file = "$dir/$database.objects";

	$node->command_ok([ 'pg_dump', '--binary-upgrade', '--schema-only', '--no-sync', "--file=$file", $database ],
		"$database: objects");
	my $dump = PostgreSQL::Test::Utils::slurp_file($file);
	$dump =~ s/'\d+'::pg_catalog\.(oid|xid)/'N'::pg_catalog.$1/g;
	$dump =~ s/(relfrozenxid|relminmxid|oid) = '\d+'/$1 = 'N'/g;
	$dump =~ s/'\{[0-9A-F\/,]+\}'/'{N}'/g;
	# pg_dump's key against injection, since 2025
	$dump =~ s/^\\(un)?restrict .*\n//mg;
	# said before the first table
	$dump =~ s/^SET default_\w+ = .*;\n+//mg;
	return join('', sort(split(/^(?=--\n-- Name: )/m, $dump)));
}

# The same from the catalogs, and what no dump tells: for each object of the
# extension and all that comes with one (columns, indexes, rules, types of rows)
# every column of its row, with names for OIDs.  Without what counts its
# contents, and where in the script a view's text was.
sub catalogs
{
	my ($database) = @_;
	my $members = q{
CREATE TEMPORARY VIEW members AS
WITH RECURSIVE m AS (
	SELECT 'pg_extension'::regclass::oid AS classid, oid AS objid FROM pg_extension WHERE extname = 'missing_symbol'
	UNION
	SELECT d.classid, d.objid
	FROM m JOIN pg_depend d ON d.refclassid = m.classid AND d.refobjid = m.objid
	WHERE d.deptype IN ('e', 'i', 'a', 'P', 'S'))
SELECT m.*, i.type || ' ' || i.identity AS name FROM m, pg_identify_object(m.classid, m.objid, 0) i};
	my $not = q{'{oid,relfilenode,relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid}'};
	my @catalogs = (
		(map { [ $_, $_, 'oid', q{''} ] } qw(pg_amop pg_amproc pg_attrdef pg_cast pg_class pg_constraint pg_event_trigger
			pg_namespace pg_opclass pg_operator pg_opfamily pg_proc pg_rewrite pg_type)),
		[ 'pg_aggregate', 'pg_proc', 'aggfnoid', q{''} ],
		[ 'pg_attribute', 'pg_class', 'attrelid', q{' ' || r.attname} ],
		[ 'pg_index', 'pg_class', 'indexrelid', q{''} ]);
	my @queries = map {
		my ($catalog, $class, $column, $part) = @$_;
		"SELECT m.name || $part || ' $catalog.' || c.key || ' = ' || coalesce(c.value, 'NULL')
		FROM members m JOIN $catalog r ON m.classid = '$class'::regclass AND m.objid = r.$column,
		     jsonb_each_text(to_jsonb(r)) c WHERE c.key <> ALL ($not)"
	} @catalogs;
	push @queries, map {
		my ($catalog, $column) = @$_;
		"SELECT m.name || ' $catalog ' || to_jsonb(r) FROM members m JOIN $catalog r ON m.classid = r.class$column AND m.objid = r.obj$column"
	} ([ 'pg_depend', 'id' ], [ 'pg_description', 'oid' ], [ 'pg_init_privs', 'oid' ]);
	my %name = map { split(/ /, $_, 2) }
	  split(/\n/, $node->safe_psql($database, "$members; SELECT objid || ' ' || name FROM members"));
	my @lines = split(/\n/, $node->safe_psql($database, "$members; " . join("\nUNION ALL ", @queries)));

	foreach (values %name, @lines)
	{
		# a constant of type regclass, in bytes
		s/(:consttype 2205 [^{}]*:constvalue) 4 \[ ([-\d ]+) \]/"$1 " . unpack('L', pack('c4', split(' ', $2)))/ge;
		# a TOAST table's name has an OID, too
		s/(?<!\d)(\d{5,})(?!\d)/exists $name{$1} ? $name{$1} : $1/ge;
		s/ :(stmt_)?(location|len) -?\d+//g;
		# a column's version, which the back branches keep there
		s/"pg_attver=\d+"//;
	}
	return join("\n", sort @lines);
}

# two dumps are equal; if not, the lines that differ
sub same
{
	my ($got, $expected, $what) = @_;
	my %lines;

	$lines{$_}++ foreach split(/\n/, $got);
	$lines{$_}-- foreach split(/\n/, $expected);
	ok($got eq $expected, $what)
	  or diag(map { $lines{$_} ? ($lines{$_} > 0 ? '+' : '-') . "$_\n" : () } sort keys %lines);
}

sub data
{
	my ($database) = @_;
	my $file = "$dir/$database.data";

	$node->command_ok([ 'pg_dump', '--data-only', '--no-sync', "--file=$file", $database ], "$database: data");
	my $dump = PostgreSQL::Test::Utils::slurp_file($file);
	$dump =~ s/^\\(un)?restrict .*\n//mg;
	# what a delta says of itself: system, role, table
	$dump =~ s/("": \[?"\d+ \d+) \d+ /$1 OID /g;
	return $dump;
}

# A view can be dumped and made again.
sub command_restores
{
	my ($database, $view) = @_;
	my $file = "$dir/$database.$view";

	$node->command_ok([ 'pg_dump', '--no-sync', "--table=$view", '--clean', "--file=$file", $database ], "$view: dump");
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $database ], "$view: restore");
	return;
}

# as spill.c has it: FNV-1a
sub key_hash
{
	use integer;
	my ($text) = @_;
	my $hash = -3750763034362895579;

	$hash = ($hash ^ $_) * 0x100000001B3 foreach unpack('C*', "$text\0");
	return $hash;
}

# configuration, counters and spilled increments, the same each time
my $spilled = join(', ', map { sprintf("(%d, 'page %d')", key_hash("page $_"), $_) } (1, 2, 3));
my $fill = qq{
SET client_min_messages = error;
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
CREATE TABLE page_views (page text PRIMARY KEY, title text, hits bigint NOT NULL, first_seen timestamptz, last_seen timestamptz);
SELECT missing_symbol.track('page_views', spill => true, fill => '{title}');
SELECT missing_symbol.increment_by('page_views', g, 'page ' || g) FROM generate_series(1, 100) AS g;
INSERT INTO missing_symbol.spilled (target, hash, key, role, delta, first_seen, last_seen, id)
SELECT 'page_views', hash, ARRAY[key], current_user, 1000, '2026-11-21', '2026-11-22', md5(key)::uuid
FROM (VALUES $spilled) AS v (hash, key);
SET missing_symbol.worker = off;
CREATE TABLE soon (k text PRIMARY KEY, count bigint);
SELECT missing_symbol.track('soon', apply => 'buffer');
SELECT missing_symbol.increment_by('soon', g, 'key ' || g) FROM generate_series(1, 10) AS g;
CREATE TABLE typed (k int PRIMARY KEY, c missing_symbol.counter);
SELECT missing_symbol.increment('typed', g % 7) FROM generate_series(1, 50) AS g;
CREATE INDEX ON typed (c);
CREATE VIEW report AS SELECT k, missing_symbol.hits(c) FROM typed WHERE c OPERATOR(missing_symbol.>) '3 [2020-01-01,2020-01-01]';
SELECT missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym');
};

# ---------------------------------------------------------------------------
# Every released version to the current one
# ---------------------------------------------------------------------------

database('fresh');
$node->safe_psql('fresh', $fill);
my $fresh_objects = objects('fresh');
my $fresh_catalogs = catalogs('fresh');
my $fresh_data = data('fresh');
like($fresh_objects, qr/^CREATE PROCEDURE missing_symbol\.prune\(/m, 'what is compared has definitions');
like($fresh_objects, qr/^COMMENT ON PROCEDURE missing_symbol\.prune\(/m, 'and comments');
like($fresh_objects, qr/GRANT SELECT ON TABLE missing_symbol\.tracked TO PUBLIC/, 'and privileges');
like($fresh_catalogs, qr/^\Q$_\E$/m, "of the catalogs, $_") foreach (
	'function missing_symbol.describe(pg_catalog.regclass) pg_proc.proparallel = r',
	'table missing_symbol.spilled fields pg_attribute.attnum = 8',
	'index missing_symbol.buffered_target_hash_idx pg_index.indrelid = table missing_symbol.buffered');
like($fresh_catalogs, qr/^rule .* on missing_symbol\.queries pg_rewrite\.ev_action = .* :funcid function missing_symbol\.queries\(\) /m,
	'of the catalogs, what views call');
like($fresh_data, qr/^page 100\t\\N\t100\t/m, 'and data');
like($fresh_data, qr/^public\.soon\t.*\{"key 10"\}/m, 'what is buffered, too');

my $dumped = q{SELECT c::regclass || ' ' || quote_literal(w) FROM pg_extension, unnest(extconfig, extcondition) AS u (c, w) WHERE extname = 'missing_symbol' ORDER BY 1};
my @released = released_versions($node);
is($released[0], '1.0', 'from 1.0 on there is a way');

foreach my $version (@released)
{
	(my $old = "from_$version") =~ tr/./_/;

	database($old, $version);
	$node->safe_psql($old, $fill);
	isnt(objects($old), $fresh_objects, "$version is something else");
	isnt(catalogs($old), $fresh_catalogs, "$version has something else in the catalogs");
	$node->safe_psql($old, 'ALTER EXTENSION missing_symbol UPDATE');
	is(extension_version($node, $old), $current, "$version updated");
	same(objects($old), $fresh_objects, "$version updated is what a fresh installation is");
	same(catalogs($old), $fresh_catalogs, "$version updated has in the catalogs what a fresh installation has");
	same(data($old), $fresh_data, "$version updated has its data");
	is($node->safe_psql($old, $dumped), $node->safe_psql('fresh', $dumped), "$version updated: the same tables are dumped");
}

# ---------------------------------------------------------------------------
# A session that lives through it
# ---------------------------------------------------------------------------

database('alive', '1.0');
$node->safe_psql('alive', $fill);
is(answer($node, q{
SELECT missing_symbol.increment('page_views', 'page 9');
CALL missing_symbol.prune('page_views', '1 year');
}, 'alive'), '42883', '1.0 has no prune()');
# what users have made of functions that have got more columns
$node->safe_psql('alive', q{
CREATE ROLE reader;
REVOKE EXECUTE ON FUNCTION missing_symbol.describe(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION missing_symbol.describe(regclass) TO reader;
CREATE VIEW described AS SELECT * FROM missing_symbol.describe('page_views');
CREATE VIEW described_row AS SELECT to_jsonb(d) AS d FROM missing_symbol.describe('page_views') d;
REVOKE EXECUTE ON FUNCTION missing_symbol.last_increment() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION missing_symbol.last_increment() TO reader;
CREATE VIEW last AS SELECT * FROM missing_symbol.last_increment();
DO $$
DECLARE f regprocedure;
BEGIN
    FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'missing_symbol'::regnamespace AND proname IN ('compare', 'profile_start', 'assert_no_n_plus_one') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO reader', f);
    END LOOP;
END
$$;
CREATE VIEW compared AS SELECT variant, same_result FROM missing_symbol.compare('SELECT 1', 'SELECT 1', 5);
CREATE VIEW started AS SELECT 'started' AS s FROM missing_symbol.profile_start('all', false);
CREATE VIEW asserted AS SELECT 'asserted' AS s FROM missing_symbol.assert_no_n_plus_one(1000);
});
is($node->safe_psql('alive', q{
SELECT missing_symbol.increment('page_views', 'page 9');
BEGIN;
ALTER EXTENSION missing_symbol UPDATE;
SELECT missing_symbol.increment('page_views', 'page 9');
ROLLBACK;
SELECT missing_symbol.increment('page_views', 'page 9');
ALTER EXTENSION missing_symbol UPDATE;
SELECT missing_symbol.increment('page_views', 'page 9'), missing_symbol.value('page_views', 'page 1');
SET client_min_messages = warning;
UPDATE page_views SET last_seen = '2020-01-01' WHERE page IN ('page 1', 'page 4');
CALL missing_symbol.prune('page_views', '1 year');
SELECT missing_symbol.fold();
SELECT count(*), sum(hits) FROM page_views}),
	"11\n12\n12\n13|1001\n13\n99|8050", 'counting goes on, and the new procedure is there');

is($node->safe_psql('alive', q{
SELECT count, last_seen, spill FROM described;
SELECT d ->> 'count' FROM described_row;
SELECT settings IS NULL, left_alone IS NULL, warnings IS NULL FROM missing_symbol.describe('page_views');
SELECT missing_symbol.increment('page_views', 'page 9') > 0, outcome, count > 0 FROM last;
SELECT outcome, count > 0 FROM last;
SELECT counts IS NULL FROM missing_symbol.last_increment();
SELECT proname, has_function_privilege('reader', oid, 'EXECUTE'), has_function_privilege('pg_monitor', oid, 'EXECUTE')
FROM pg_proc WHERE pronamespace = 'missing_symbol'::regnamespace AND proname IN ('describe', 'last_increment', 'compare', 'profile_start', 'assert_no_n_plus_one') ORDER BY 1;
SELECT * FROM compared;
TABLE started;
TABLE asserted;
SELECT count(*) FROM pg_get_viewdef('described'::regclass) d WHERE d LIKE '%hot_obstacles%'}),
	"hits|last_seen|t\nhits\nt|t|t\nt||\nincremented|t\nt\n" .
	join('', map { "$_|t|f\n" } qw(assert_no_n_plus_one compare describe last_increment profile_start)) . "a|\nb|t\nstarted\nasserted\n1",
	'views of functions with more columns or arguments, and rights on them, are as they were');
command_restores('alive', $_) foreach qw(described last compared started asserted);

# 1.0 let a limit that is null allow everything
foreach my $call ('max_queries(NULL)', 'max_duration(NULL)', 'no_n_plus_one(NULL)', 'no_n_plus_one(5, NULL)')
{
	is(answer($node, "SELECT missing_symbol.profile_start(); SELECT missing_symbol.assert_$call", $_), '22004', "assert_$call, $_")
	  foreach ('fresh', 'alive');
}

# ---------------------------------------------------------------------------
# The library of today under the SQL objects of 1.0
# ---------------------------------------------------------------------------

SKIP:
{
	skip 'PG_REGRESS does not say where pg_regress is', 1 unless $ENV{PG_REGRESS} && -x $ENV{PG_REGRESS};

	database('released', '1.0');
	# as pg_regress has it for databases that it makes
	$node->safe_psql('postgres', "ALTER DATABASE released SET $_") foreach (
		"lc_messages TO 'C'", "lc_monetary TO 'C'", "lc_numeric TO 'C'", "lc_time TO 'C'",
		"bytea_output TO 'hex'", "timezone_abbreviations TO 'Default'");

	my $bindir = $node->safe_psql('postgres', q{SELECT setting FROM pg_config WHERE name = 'BINDIR'});
	my ($out, $err) = ('', '');
	local $ENV{PG_ABS_SRCDIR} = $top;
	my $ok = IPC::Run::run([ $ENV{PG_REGRESS}, '--use-existing', '--dbname=released',
		'--host=' . $node->host, '--port=' . $node->port, "--bindir=$bindir",
		"--inputdir=$top", "--outputdir=$dir", @themes_of_1_0 ],
		'>', \$out, '2>', \$err, init => sub { chdir $dir });
	ok($ok, 'the regression themes of 1.0, on 1.0');
	diag($out, $err, -e "$dir/regression.diffs" ? PostgreSQL::Test::Utils::slurp_file("$dir/regression.diffs") : '') unless $ok;
	is(extension_version($node, 'released'), '1.0', 'it was 1.0 to the end');
}

$node->stop;
clean_log_ok($node);
done_testing();
