# pg_dump and restore of a database that counts: counters, table tracked (by
# name: the restored tables have other OIDs), what is spilled and table
# symbols; counting goes on where it was.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $node = new_node('dump', conf => ['max_prepared_transactions = 2']);
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', 'CREATE ROLE app');
$node->safe_psql('postgres', 'CREATE DATABASE source OWNER app');
$node->safe_psql('source', q{
CREATE EXTENSION missing_symbol;
GRANT CREATE ON SCHEMA public TO app;
GRANT SELECT, INSERT, UPDATE ON missing_symbol.symbols TO app;
CREATE SCHEMA "odd ""name";
GRANT ALL ON SCHEMA "odd ""name" TO app;
SET missing_symbol.test_clock = '2026-11-21 01:00:00.000001+00';
SET ROLE app;
SET client_min_messages = error;
CREATE TABLE page_views (page text PRIMARY KEY, title text, hits bigint NOT NULL,
                         first_seen timestamptz, last_seen timestamptz) WITH (fillfactor = 70);
SELECT missing_symbol.track('page_views', throttle => '36 hours 1.5 seconds', fill => '{title}');
CREATE TABLE "odd ""name"."Hits" (b int, a text, n numeric, seen timestamptz, UNIQUE (a, b), UNIQUE (n));
SELECT missing_symbol.track('"odd ""name"."Hits"', key => '{b,a}', count => 'n', first_seen => '', last_seen => 'seen');
CREATE TABLE untracked (k int PRIMARY KEY, c missing_symbol.counter);
SELECT missing_symbol.increment('page_views', 'home');
SELECT missing_symbol.increment_by('"odd ""name"."Hits"', 7, 1, 'x'::text);
SELECT missing_symbol.increment('untracked', g % 3) FROM generate_series(1, 10) AS g;
SELECT missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym', NULL, 'deadbeef', by => 3);
CREATE TABLE hot (site int, day date, n numeric, seen timestamptz, note text, PRIMARY KEY (day, site));
SELECT missing_symbol.track('hot', count => 'n', last_seen => 'seen', apply => 'now', spill => true);
CREATE TABLE zoned (k text PRIMARY KEY, count int, created_at timestamp, updated_at timestamp);
SELECT missing_symbol.configure('zoned', '{"zone": "Europe/Paris", "insert": false}');
CREATE TABLE late (k text PRIMARY KEY, count int);
SELECT missing_symbol.track('late', apply => 'commit', spill => true);
SELECT missing_symbol.increment('hot', '2026-11-21'::date, 1);
});

# spilled: a prepared transaction has the row, and is inserting another key
$node->safe_psql('source', q{
SET ROLE app;
BEGIN;
SELECT missing_symbol.increment_by('hot', 1000, '2026-11-21'::date, 1), missing_symbol.increment('hot', '2026-11-21'::date, 2);
PREPARE TRANSACTION 'holder'});
$node->safe_psql('source', q{
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
SET ROLE app;
SELECT missing_symbol.increment_by('hot', 10, '2026-11-21'::date, 1);
SELECT missing_symbol.increment_row('hot', '{"day": "2026-11-21", "site": 2, "note": "new \"key\""}', 5);
SELECT missing_symbol.increment('late', 'x')});
$node->safe_psql('source', q{ROLLBACK PREPARED 'holder'});
is($node->safe_psql('source', 'SELECT key, delta, role FROM missing_symbol.spilled ORDER BY key'),
	"{2026-11-21,1}|10|app\n{2026-11-21,2}|5|app", 'something is spilled');

# what both databases must have, and how they count on
my $state = q{
SELECT target, key, count, first_seen, last_seen, apply, throttle, fill, spill
FROM missing_symbol.tracked ORDER BY target::text;
SELECT to_jsonb(t) FROM page_views AS t;
SELECT to_jsonb(t) FROM "odd ""name"."Hits" AS t;
SELECT k, c FROM untracked ORDER BY k;
SELECT to_jsonb(t) - 'id' FROM missing_symbol.symbols AS t;
SELECT to_jsonb(s) FROM missing_symbol.spilled AS s ORDER BY key;
SELECT to_jsonb(t) FROM hot AS t;
SELECT to_jsonb(t) FROM missing_symbol.total(NULL::hot) AS t ORDER BY site;
SELECT to_jsonb(t) FROM late AS t;
SELECT key, count, first_seen, last_seen, throttle, fill FROM missing_symbol.describe('page_views');
SELECT key, count, first_seen, last_seen, apply, throttle, fill, spill FROM missing_symbol.describe('hot');
SELECT key, count, first_seen, last_seen, throttle, fill FROM missing_symbol.describe('"odd ""name"."Hits"');
SELECT target, settings FROM missing_symbol.settings;
SELECT first_seen, last_seen, settings FROM missing_symbol.describe('zoned');
};
my $count_on = q{
SET missing_symbol.test_clock = '2026-11-22 13:00:01.500000+00';
SET ROLE app;
SELECT missing_symbol.increment('page_views', 'home'), (missing_symbol.last_increment()).outcome;
RESET ROLE;
SET missing_symbol.test_clock = '2026-11-22 13:00:01.500001+00';
SET ROLE app;
SELECT missing_symbol.increment_row('page_views', '{"page": "home", "title": "Home"}'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment('"odd ""name"."Hits"', '1', 'x');
SELECT missing_symbol.increment('untracked', 1);
SELECT missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym', NULL, 'deadbeef');
SELECT missing_symbol.record('new.pdb', 'AB', 'new.sym');
SELECT title, hits FROM page_views;
RESET ROLE;
SELECT missing_symbol.value('hot', '2026-11-21', 1), missing_symbol.value('hot', '2026-11-21', 2);
SELECT missing_symbol.fold();
SELECT site, n, seen, note FROM hot ORDER BY site;
SELECT missing_symbol.increment('late', 'x'), missing_symbol.value('late', 'x'), (missing_symbol.last_increment()).outcome;
};
my $counted = "|throttled\n2|incremented\n8\n5\n4\n1\nHome|2\n"
  . "11|5\n2\n1|11|2026-11-21 02:00:00+00|\n2|5|2026-11-21 02:00:00+00|new \"key\"\n|2|deferred";
my $expected = $node->safe_psql('source', $state);

like($expected, qr/^"odd ""name"."Hits"\|\{b,a\}\|n\|\|seen\|.*\nhot\|.*\|now\|.*\|t\nlate\|.*\|commit\|.*\|t\npage_views\|.*\|36:00:01\.5\|\{title\}\|/,
	'what is dumped');

my %dump = (
	plain => ['--format=plain'],
	inserts => ['--rows-per-insert=2'],
	custom => ['--format=custom'],
	directory => [ '--format=directory', '--jobs=2' ],
	'two steps' => ['--format=custom']);

foreach my $format (sort keys %dump)
{
	(my $target = "target_$format") =~ s/ /_/;
	my $file = "$dir/$target";

	$node->safe_psql('postgres', "CREATE DATABASE $target OWNER app");
	$node->command_ok([ 'pg_dump', '--no-sync', "--file=$file", @{ $dump{$format} }, 'source' ], "$format: dumped");
	if ($format eq 'plain' || $format eq 'inserts')
	{
		psql_file_ok($node, "$format: restored", $file, $target);
	}
	elsif ($format eq 'two steps')
	{
		$node->command_ok([ 'pg_restore', '--exit-on-error', '--section=pre-data', "--dbname=$target", $file ], "$format: schema");
		$node->command_ok([ 'pg_restore', '--exit-on-error', '--section=data', '--section=post-data', "--dbname=$target", $file ], "$format: data");
	}
	else
	{
		$node->command_ok([ 'pg_restore', '--exit-on-error', '--jobs=2', "--dbname=$target", $file ], "$format: restored");
	}
	is($node->safe_psql($target, $state), $expected, "$format: the same");
	is($node->safe_psql($target, $count_on), $counted, "$format: counts on");
}

# The restored database can be dumped in its turn, and the extension dropped.
$node->command_ok([ 'pg_dump', '--no-sync', "--file=$dir/again", 'target_plain' ], 'dumped again');
$node->safe_psql('target_plain', 'DROP TABLE untracked; DROP EXTENSION missing_symbol');
is($node->safe_psql('target_plain', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'missing_symbol'}), 0,
	'DROP EXTENSION takes the schema away');
is($node->safe_psql('target_plain', 'SELECT hits FROM page_views'), 2, 'and leaves the tables');
$node->command_ok([ 'pg_dump', '--no-sync', "--file=$dir/without", 'target_plain' ], 'dumped without the extension');

# A table that is left out of the dump is to be untracked first: COPY of
# tracked does not know its name.
$node->safe_psql('postgres', 'CREATE DATABASE partial; CREATE DATABASE complete');
$node->command_ok([ 'pg_dump', '--no-sync', '--exclude-table=page_views', "--file=$dir/partial", 'source' ], 'dumped in part');
$node->command_checks_all([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'partial', '-f', "$dir/partial" ],
	3, [], [qr/relation "public.page_views" does not exist/], 'a tracked table is missing');
$node->safe_psql('source', q{SELECT missing_symbol.untrack('page_views')});
$node->command_ok([ 'pg_dump', '--no-sync', '--exclude-table=page_views', "--file=$dir/complete", 'source' ], 'untracked and dumped in part');
psql_file_ok($node, 'then it is restored', "$dir/complete", 'complete');

# A database that has the extension and uses nothing of it
$node->safe_psql('postgres', 'CREATE DATABASE idle; CREATE DATABASE idle_restored');
$node->safe_psql('idle', 'CREATE EXTENSION missing_symbol');
$node->command_ok([ 'pg_dump', '--no-sync', "--file=$dir/idle", 'idle' ], 'an unused extension is dumped');
psql_file_ok($node, 'and restored', "$dir/idle", 'idle_restored');
is($node->safe_psql('idle_restored', 'SELECT (SELECT count(*) FROM missing_symbol.tracked), (SELECT count(*) FROM missing_symbol.symbols)'),
	'0|0', 'empty');

$node->stop;
clean_log_ok($node);
done_testing();
