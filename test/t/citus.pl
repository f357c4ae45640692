# A table that Citus has distributed is not counted in its local shell.  Citus
# itself is not at hand: a catalog like its own says which tables are.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $node = new_node('citus', conf => ['client_min_messages = error']);

$node->safe_psql('postgres', q{
CREATE TABLE words (word text PRIMARY KEY, hits missing_symbol.counter) WITH (fillfactor = 80);
CREATE TABLE plain (LIKE words INCLUDING ALL) WITH (fillfactor = 80);
SELECT missing_symbol.increment('words', 'a')});
my $path = q{SELECT path, reason FROM missing_symbol.describe('words')};
is($node->safe_psql('postgres', $path), 'fast|', 'an ordinary table');

$node->safe_psql('postgres', q{
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass NOT NULL, partmethod "char");
INSERT INTO pg_dist_partition VALUES ('words', 'h')});
is($node->safe_psql('postgres', $path), 'general|it is distributed by Citus', 'a distributed one');
is($node->safe_psql('postgres', q{SELECT path FROM missing_symbol.describe('plain')}), 'fast', 'another beside it');
is($node->safe_psql('postgres', q{
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
SELECT missing_symbol.increment('words', 'a'), (missing_symbol.last_increment()).outcome}), '2|incremented',
	'what it is sent is SQL');

# the statement that doc/operations.md has for Citus: nothing volatile but in VALUES
is($node->safe_psql('postgres', q{SELECT provolatile FROM pg_proc WHERE oid = 'missing_symbol.merge'::regproc}), 'i',
	'merge() is immutable');
my $upsert = q{INSERT INTO words AS t VALUES ('b', missing_symbol.counter())
ON CONFLICT (word) DO UPDATE SET hits = missing_symbol.merge(t.hits, EXCLUDED.hits);};
is($node->safe_psql('postgres', qq{
SET TimeZone = 'UTC';
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
$upsert
SET missing_symbol.test_clock = '2026-11-21 03:00:00+00';
$upsert
-- a clock that goes backwards
SET missing_symbol.test_clock = '2026-11-21 01:00:00+00';
$upsert
SELECT hits FROM words WHERE word = 'b'}), '3 [2026-11-21 01:00:00+00,2026-11-21 03:00:00+00]', 'an upsert by merge()');

$node->stop;
clean_log_ok($node);
done_testing();
