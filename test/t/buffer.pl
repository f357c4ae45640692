# The worker that merges what is buffered: it comes, works, and goes, and gets
# out of the way; what fails, what is locked, what is dropped; where there is
# no worker; standby, dump, prepared transactions.  buffer_load.pl has the load
# and the crashes.  Beside pg_stat_statements and auto_explain.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('buffer',
	init => [ allows_streaming => 1 ],
	conf => [
		'max_prepared_transactions = 10', q{shared_preload_libraries = 'pg_stat_statements, auto_explain'},
		'auto_explain.log_min_duration = 0', 'auto_explain.log_nested_statements = on',
		q{missing_symbol.flush_interval = '50ms'}, q{missing_symbol.worker_idle = '1s'},
		'client_min_messages = error', 'log_statement = none', 'max_connections = 40' ]);

sub query { my ($sql, $database) = @_; return $node->safe_psql($database || 'postgres', $sql) }

sub configure { my ($line) = @_; $node->append_conf('postgresql.conf', $line); $node->reload; return }

my $workers = q{(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'missing_symbol worker')};
my $here = $workers =~ s/\)$/ AND datname = current_database())/r;
my $empty = 'NOT EXISTS (SELECT FROM missing_symbol.buffered)';

query(q{
CREATE EXTENSION pg_stat_statements;
CREATE TABLE views (page text PRIMARY KEY, count bigint, created_at timestamptz, modified_at timestamptz) WITH (fillfactor = 70);
CREATE TABLE others (page text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('views', apply => 'buffer'), missing_symbol.track('others', apply => 'buffer');
});

# ---------------------------------------------------------------------------
# It comes and goes
# ---------------------------------------------------------------------------

is(query("SELECT $workers; SELECT worker_pid IS NULL, worker_state FROM missing_symbol.buffer_stats"), "0\nt|none", 'no worker to begin with');
configure(q{missing_symbol.worker_idle = '1h'});
query(q{SELECT missing_symbol.increment('views', '/a') FROM generate_series(1, 3)});
poll_query_until_ok($node, 'what is buffered gets into its row', q{SELECT count = 3 AND modified_at >= created_at FROM views WHERE page = '/a'});
poll_query_until_ok($node, 'and the buffer gets empty', "SELECT $empty");
is(query("SELECT $here"), '1', 'there is one worker');
is(query(q{SELECT worker_state IN ('waiting', 'folding') AND worker_pid = (SELECT pid FROM pg_stat_activity WHERE backend_type = 'missing_symbol worker'),
spilled, errors, fallbacks, folds IS NULL AND rows_written IS NULL FROM missing_symbol.buffer_stats}), 't|0|0|0|t', 'the view knows it');
# before it has anything else to do
query(q{SELECT missing_symbol.increment('views', '/seen') FROM generate_series(1, 3)}) foreach (1 .. 3);
poll_query_until_ok($node, 'statistics tell what it has written', q{SELECT n_tup_ins = 2 FROM pg_stat_user_tables WHERE relname = 'views'});
poll_query_until_ok($node, 'and what it has folded', q{SELECT folded >= 4 FROM missing_symbol.buffer_stats});
is(query('SELECT absent FROM missing_symbol.buffer_stats'), '0', 'every one had a row');
# of what is to be counted only where it exists
is( query(q{
CREATE TABLE likes (k text PRIMARY KEY, count int);
INSERT INTO likes VALUES ('kept', 0), ('gone', 0);
SELECT missing_symbol.track('likes', apply => 'buffer') \g /dev/null
SELECT missing_symbol.configure('likes', '{"insert": false}') \g /dev/null
BEGIN;
SELECT buffered, ignored FROM missing_symbol.increment_many('likes', '{kept,gone,none}'::text[]);
DELETE FROM likes WHERE k = 'gone';
COMMIT}), '2|1', 'what is not there is told at the call');
poll_query_until_ok($node, 'the rest is counted, or dropped', "SELECT count = 1 AND $empty FROM likes");
poll_query_until_ok($node, 'and statistics tell what was dropped', 'SELECT absent = 1 FROM missing_symbol.buffer_stats');
is(query('SELECT count(*) FROM missing_symbol.spilled'), '0', 'which is no error');
query('DROP TABLE likes');
is(query(q{SELECT pg_stat_reset() IS NOT NULL; SELECT since > now() - interval '1 hour' FROM missing_symbol.buffer_stats}), "t\nt", 'since the statistics were reset');
configure(q{missing_symbol.worker_idle = '1s'});
poll_query_until_ok($node, 'it leaves when it has nothing to do', "SELECT $workers = 0");
is(query('SELECT worker_pid IS NULL, worker_state FROM missing_symbol.buffer_stats'), 't|none', 'and the view knows that');

# around the moment at which it leaves
foreach my $round (1 .. 10)
{
	query("SELECT missing_symbol.increment('views', '/round'); SELECT pg_sleep(0.9 + random() * 0.3)");
}
poll_query_until_ok($node, 'nothing is left behind', q{SELECT count = 10 FROM views WHERE page = '/round'});

# a session that has known of a worker
query(qq{
SELECT missing_symbol.increment('views', '/known');
DO \$\$ BEGIN WHILE $workers > 0 LOOP PERFORM pg_sleep(0.05), pg_stat_clear_snapshot(); END LOOP; END \$\$;
SELECT missing_symbol.increment('views', '/known');
});
poll_query_until_ok($node, 'a session looks again', q{SELECT count = 2 FROM views WHERE page = '/known'});

configure(q{missing_symbol.worker_idle = '1h'});
pgbench_ok($node, 'twenty at once',
	[ '-c', 20, '-j', 2, '-t', 10 ], q{SELECT missing_symbol.increment('views', '/many')});
poll_query_until_ok($node, 'all is counted', q{SELECT count = 200 FROM views WHERE page = '/many'});
poll_query_until_ok($node, 'by one worker', "SELECT $here = 1");
configure(q{missing_symbol.worker_idle = '1s'});

# its VACUUM may come too early
my $vacuums = q{(SELECT vacuum_count FROM pg_stat_all_tables WHERE relid = 'missing_symbol.buffered'::regclass)};
my $pages = q{pg_relation_size('missing_symbol.buffered') / current_setting('block_size')::int};
poll_query_until_ok($node, 'it gives back the room', "SELECT $workers = 0 AND $pages = 0");
query(q{BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'holds the horizon'});
my $before = query("SELECT $vacuums");
query(q{SELECT missing_symbol.increment('views', g::text) FROM generate_series(1, 1000) g});
poll_query_until_ok($node, 'it has tried', "SELECT $vacuums > $before AND $pages > 0 AND $empty");
query(q{COMMIT PREPARED 'holds the horizon'});
poll_query_until_ok($node, 'and tries again', "SELECT $workers = 0 AND $pages = 0");

configure(q{missing_symbol.worker = off});
poll_query_until_ok($node, 'it leaves when told', "SELECT $workers = 0");
query(q{SELECT missing_symbol.increment('views', '/off')});
is(query(q{SELECT worker_state, buffered, oldest_age > '0' FROM missing_symbol.buffer_stats}), 'missing|1|t', 'and does not come back');
is(query('SELECT missing_symbol.fold()'), '1', 'fold() does its work');
configure('missing_symbol.worker = on');

# whatever a database sets
query(q{CREATE DATABASE odd});
query(q{CREATE EXTENSION missing_symbol; CREATE TABLE t (k int PRIMARY KEY, count int); SELECT missing_symbol.track('t', apply => 'buffer')}, 'odd');
query("ALTER DATABASE odd SET $_") foreach (
	'default_transaction_read_only = on', q{default_transaction_isolation = 'serializable'}, q{search_path = 'nowhere'},
	q{statement_timeout = '1ms'}, q{missing_symbol.apply = 'commit'});
my $oddly = '-c statement_timeout=0 -c default_transaction_read_only=off';
{
	local $ENV{PGOPTIONS} = $oddly;
	query(q{SELECT missing_symbol.increment('public.t', 1)}, 'odd');
	poll_query_until_ok($node, 'the worker has settings of its own', q{SELECT count = 1 FROM public.t}, 'odd');
}

# ---------------------------------------------------------------------------
# It gets out of the way
# ---------------------------------------------------------------------------

query(q{SELECT missing_symbol.increment('views', '/a')});
{
	local $ENV{PGOPTIONS} = $oddly;
	query(q{SELECT missing_symbol.increment('public.t', 1)}, 'odd');
}
poll_query_until_ok($node, 'two databases, two workers', "SELECT $workers = 2");
configure(q{missing_symbol.worker_idle = '1h'});
$node->command_ok([ 'createdb', '-T', 'odd', 'copied' ], 'CREATE DATABASE with a template that has a worker');
is(query('SELECT sum(count) FROM missing_symbol.total(NULL::public.t)', 'copied'), '2', 'the copy has its counts');
{
	local $ENV{PGOPTIONS} = $oddly;
	query(q{SELECT missing_symbol.increment('public.t', 1)}, 'odd');
}
poll_query_until_ok($node, 'again two workers', "SELECT $workers = 2");
$node->command_ok([ 'dropdb', 'odd' ], 'DROP DATABASE');
is(query("SELECT $workers"), '1', 'its worker is gone');
query('DROP DATABASE copied');

query(q{SELECT missing_symbol.increment('others', '/a')});
query(q{BEGIN; SELECT missing_symbol.increment('others', '/a'); ALTER TABLE others ADD note text; COMMIT;
ALTER TABLE others ALTER page TYPE varchar(40); SELECT missing_symbol.increment('others', '/a')});
poll_query_until_ok($node, 'ALTER TABLE of its target', q{SELECT count = 3 FROM others WHERE page = '/a'});
query(q{SELECT missing_symbol.increment('others', '/b'); SELECT missing_symbol.increment('views', '/dropped'); DROP TABLE others});
poll_query_until_ok($node, 'DROP TABLE: the others go on', q{SELECT count = 1 FROM views WHERE page = '/dropped'});
poll_query_until_ok($node, 'and its deltas are gone', "SELECT $empty");

query(q{CREATE ROLE leaves; GRANT ALL ON views TO leaves});
query(q{SET missing_symbol.worker = off; SET ROLE leaves; SELECT missing_symbol.increment('views', '/leaves');
RESET ROLE; DROP OWNED BY leaves; DROP ROLE leaves; SET missing_symbol.worker = on; SELECT missing_symbol.increment('views', '/a')});
poll_query_until_ok($node, 'DROP ROLE: the owner stands in', q{SELECT count = 1 FROM views WHERE page = '/leaves'});

query(q{CREATE DATABASE gone});
query(q{CREATE EXTENSION missing_symbol; CREATE TABLE t (k int PRIMARY KEY, count int);
SELECT missing_symbol.track('t', apply => 'buffer'); SELECT missing_symbol.increment('t', 1)}, 'gone');
poll_query_until_ok($node, 'a worker is there', "SELECT $here = 1", 'gone');
query('DROP EXTENSION missing_symbol', 'gone');
poll_query_until_ok($node, 'DROP EXTENSION: it leaves', "SELECT $here = 0", 'gone');
query('DROP DATABASE gone');

# ---------------------------------------------------------------------------
# What is locked, what fails
# ---------------------------------------------------------------------------

query(q{CREATE TABLE held (page text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
INSERT INTO held VALUES ('/locked', 100), ('/free', 100);
SELECT missing_symbol.track('held', apply => 'buffer');
BEGIN; UPDATE held SET count = 1000 WHERE page = '/locked'; INSERT INTO held VALUES ('/new', 1000); PREPARE TRANSACTION 'holder'});
query(q{SELECT missing_symbol.increment('held', '/locked'), missing_symbol.increment('held', '/free'), missing_symbol.increment('held', '/new')}) foreach (1 .. 5);
poll_query_until_ok($node, 'a free row is written', q{SELECT count = 105 FROM held WHERE page = '/free'});
is(query(q{SELECT missing_symbol.value('held', '/locked'), missing_symbol.value('held', '/new')}), '105|5', 'locked ones wait');
is(answer($node, q{SET statement_timeout = '300ms'; SELECT missing_symbol.flush()}), '57014', 'flush() waits for them, until its timeout');
is(query(q{SELECT sum(count) FROM missing_symbol.total(NULL::held)}), '215', 'nothing is lost by that');
query(q{COMMIT PREPARED 'holder'});
poll_query_until_ok($node, 'unlocked, they are written', q{SELECT sum(count) = 1005 + 105 + 1005 FROM held});
poll_query_until_ok($node, 'nothing is left', "SELECT $empty AND NOT EXISTS (SELECT FROM missing_symbol.spilled)");
is( query(q{SELECT missing_symbol.increment('held', '/locked') \g /dev/null
BEGIN; UPDATE held SET count = 0 WHERE page = '/locked';
SELECT missing_symbol.flush() >= 0; SELECT pg_sleep(0.3) \g /dev/null
SELECT missing_symbol.flush() >= 0; COMMIT; SELECT missing_symbol.flush() >= 0;
SELECT count BETWEEN 0 AND 1 FROM held WHERE page = '/locked'}),
	"t\nt\nt\nt", 'flush() by one who holds the row does not hang');

my $log_end = -s $node->logfile;
query(q{
CREATE TABLE mended (page text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
CREATE TRIGGER raise BEFORE INSERT ON mended FOR EACH ROW EXECUTE FUNCTION raise();
SELECT missing_symbol.track('mended', apply => 'buffer');
});
foreach my $round (1 .. 5)
{
	query(q{SELECT missing_symbol.increment('mended', '/x'), missing_symbol.increment('mended', '/y'), missing_symbol.increment('views', '/other')});
	query('SELECT pg_sleep(0.1)');
}
poll_query_until_ok($node, 'what fails is spilled, with its error', q{SELECT count(*) FILTER (WHERE error = 'P0001: not today') >= 2 FROM missing_symbol.spilled});
poll_query_until_ok($node, 'others go on', q{SELECT count = 5 FROM views WHERE page = '/other'});
poll_query_until_ok($node, 'the buffer does not keep it', "SELECT $empty");
is(query(q{SELECT sum(count) FROM missing_symbol.total(NULL::mended); SELECT errors > 0 FROM missing_symbol.buffer_stats}), "10\nt", 'it is counted, and shown');
is(log_count($node, qr/could not merge increments of table "mended"/, $log_end), 1, 'the log tells of it once');
query('DROP TRIGGER raise ON mended');
poll_query_until_ok($node, 'mended, it is written by itself', q{SELECT sum(count) = 10 FROM mended});
poll_query_until_ok($node, 'all of it', 'SELECT NOT EXISTS (SELECT FROM missing_symbol.spilled)');

# a trigger that waits, a value that is too long, a deferred constraint, a
# trigger that would like to be the superuser
query(q{
CREATE ROLE counts; CREATE ROLE owns; GRANT ALL ON SCHEMA public TO owns;
CREATE TABLE refs (id int PRIMARY KEY); INSERT INTO refs VALUES (1);
GRANT REFERENCES ON refs TO owns;
SET ROLE owns;
CREATE TABLE tricky (id int PRIMARY KEY REFERENCES refs DEFERRABLE INITIALLY DEFERRED, count int CHECK (count < 100));
CREATE TABLE who (who name, at text);
CREATE FUNCTION who() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'evil', false);
    INSERT INTO public.who VALUES (current_user, TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE TRIGGER now AFTER INSERT OR UPDATE ON tricky FOR EACH ROW EXECUTE FUNCTION who('now');
CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE ON tricky DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION who('later');
GRANT ALL ON tricky TO counts; GRANT INSERT ON who TO counts;
SELECT missing_symbol.track('tricky', apply => 'buffer');
SET ROLE counts;
SELECT missing_symbol.increment('tricky', 1), missing_symbol.increment('tricky', 2);
RESET ROLE;
});
poll_query_until_ok($node, 'a constraint is met or not', q{SELECT (SELECT count = 1 FROM tricky WHERE id = 1) AND (SELECT error LIKE '23503:%' FROM missing_symbol.spilled)});
is(query('SELECT DISTINCT who, at FROM who ORDER BY at'), "owns|later\nowns|now", 'triggers ran as the owner, who could not become the role that counted');
query('INSERT INTO refs VALUES (2)');
poll_query_until_ok($node, 'and when it can be met', q{SELECT count = 1 FROM tricky WHERE id = 2});
query(q{SET ROLE counts; SELECT missing_symbol.increment_by('tricky', 98, 1); SELECT missing_symbol.increment_by('tricky', 2, 1)});
poll_query_until_ok($node, 'out of range: the error is there', q{SELECT error LIKE '23514:%' FROM missing_symbol.spilled});
query('ALTER TABLE tricky DROP CONSTRAINT tricky_count_check');
poll_query_until_ok($node, 'and then in the row', q{SELECT count = 101 FROM tricky WHERE id = 1});

# nor code that its look at the table runs
$log_end = -s $node->logfile;
query(q{
SET ROLE owns;
CREATE FUNCTION spy(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE LOG 'spy: %', current_user; RETURN true; END $$;
CREATE DOMAIN spied AS int CHECK (spy(VALUE));
CREATE TABLE spying (id spied PRIMARY KEY, count int);
CREATE INDEX ON spying (count) WHERE spy(1);
CREATE TRIGGER now AFTER INSERT ON spying FOR EACH ROW EXECUTE FUNCTION who('spying');
GRANT ALL ON spying TO counts;
SELECT missing_symbol.track('spying', apply => 'buffer');
SET ROLE counts;
SELECT missing_symbol.increment('spying', 1);
});
poll_query_until_ok($node, 'a row of a table that spies', 'SELECT count(*) = 1 FROM spying');
# the worker's lines have no application name
my %spies = map { /\] LOG:  spy: (\w+)/ ? ($1 => 1) : () } split /\n/, slurp_log($node, $log_end);
is(join(' ', sort keys %spies), 'owns', 'the worker never was the superuser there');

# ---------------------------------------------------------------------------
# Prepared transactions, restart, dump
# ---------------------------------------------------------------------------

query(q{BEGIN; SELECT missing_symbol.increment('views', '/prepared'); PREPARE TRANSACTION 'p1';
BEGIN; SELECT missing_symbol.increment('views', '/prepared'); PREPARE TRANSACTION 'p2'});
configure(q{missing_symbol.worker_idle = '1s'});
query(q{SET missing_symbol.worker = off; SELECT missing_symbol.increment('views', '/restart')});
$node->restart;
query(q{COMMIT PREPARED 'p1'; ROLLBACK PREPARED 'p2'});
is(query(q{SELECT missing_symbol.value('views', '/prepared')}), '1', 'a prepared transaction across a restart');
is(query(q{SELECT missing_symbol.value('views', '/restart')}), '1', 'a restart loses nothing');

query(q{SET missing_symbol.worker = off; SELECT missing_symbol.increment('views', '/dumped') FROM generate_series(1, 3)});
my $file = PostgreSQL::Test::Utils::tempdir . '/buffer.sql';
my $sums = q{SELECT page, count FROM missing_symbol.total(NULL::views) ORDER BY page};
my $expected = query($sums);
# clean_log_ok does not like what pg_dump asks about leakproof functions
configure('auto_explain.log_min_duration = -1');
$node->command_ok([ 'pg_dump', '--no-sync', '-f', $file, 'postgres' ], 'dumped');
query('CREATE DATABASE restored');
psql_file_ok($node, 'restored', $file, 'restored');
is(query($sums, 'restored'), $expected, 'a dump has what is buffered');
query(q{SELECT missing_symbol.increment('views', '/dumped')}, 'restored');
poll_query_until_ok($node, 'and the worker there finds it', q{SELECT count = 4 FROM views WHERE page = '/dumped'}, 'restored');
query('DROP DATABASE restored');

# ---------------------------------------------------------------------------
# A standby; promoted
# ---------------------------------------------------------------------------

query('SELECT missing_symbol.flush()');
my $standby = new_standby('standby', $node);
query(q{SET missing_symbol.worker = off; SELECT missing_symbol.increment('views', '/standby'); SELECT missing_symbol.fold();
SELECT missing_symbol.increment('views', '/standby')});
wait_for_replay($node, $standby);
is($standby->safe_psql('postgres', q{SELECT missing_symbol.value('views', '/standby');
SELECT count FROM missing_symbol.total(NULL::views) WHERE page = '/standby';
SELECT buffered, worker_state FROM missing_symbol.buffer_stats}), "1\n1\n0|standby", 'a standby shows what has been merged');
is(answer($standby, "SELECT missing_symbol.increment('views', '/standby')"), '25006', 'and does not count');
is(answer($standby, 'SELECT missing_symbol.flush()'), '25006', 'nor flush');
is($node->safe_psql('postgres', q{SELECT missing_symbol.value('views', '/standby')}), '2', 'the primary shows all');
$node->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT missing_symbol.value('views', '/standby'); SELECT buffered FROM missing_symbol.buffer_stats}), "1\n0", 'promoted: what was buffered is lost, nothing is doubled');
$standby->safe_psql('postgres', q{SELECT missing_symbol.increment('views', '/standby')});
poll_query_until_ok($standby, 'promoted: it counts, and a worker merges', q{SELECT count = 2 FROM views WHERE page = '/standby'});
$standby->stop;

# ---------------------------------------------------------------------------
# Where no worker can be started, increments are applied at the commit
# ---------------------------------------------------------------------------

$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->start;
is(query('SELECT buffered FROM missing_symbol.buffer_stats'), '0', 'a crash empties the buffer');
$log_end = -s $node->logfile;
is( query(q{SELECT missing_symbol.increment('views', '/alone'), missing_symbol.increment('views', '/once');
SELECT count FROM views WHERE page IN ('/alone', '/once'); TABLE missing_symbol.buffered;
SELECT outcome FROM missing_symbol.last_increment();
SELECT deferred, buffered, fallbacks FROM missing_symbol.counter_stats;
SELECT worker_state, fallbacks FROM missing_symbol.buffer_stats}),
	"|\n1\n1\ndeferred\n2|0|2\nmissing|2", 'no worker: they are in their rows, as fallbacks');
like(slurp_log($node, $log_end), qr/LOG:  no worker could be started to merge increments/, 'no worker: the log tells of it');
is(query(q{SELECT apply FROM missing_symbol.describe('views'); SELECT worker_state FROM missing_symbol.buffer_stats}), "commit\nmissing", 'no worker: describe() says so');
# many look for a worker at the same moment; none may take another for it
pgbench_ok($node, 'no worker: clients', [ '-C', '-c', 20, '-t', 20 ], q{SELECT missing_symbol.increment('views', '/alone')});
is(query(q{SELECT count FROM views WHERE page = '/alone'; SELECT buffered, worker_state FROM missing_symbol.buffer_stats}), "401\n0|none", 'no worker: nothing waits');
is( query(q{SET missing_symbol.worker = off; SELECT missing_symbol.increment('views', '/off') \g /dev/null
SELECT apply FROM missing_symbol.describe('views'); SELECT buffered, worker_state, fallbacks FROM missing_symbol.buffer_stats; SELECT missing_symbol.flush()}),
	"buffer\n1|missing|0\n1", 'none wanted: they are buffered');
# what a library of before has written there nobody needs
query('ALTER EXTENSION missing_symbol DROP TABLE missing_symbol.folds; DROP TABLE missing_symbol.folds');
is( query(q{SELECT missing_symbol.increment('views', '/once') \g /dev/null
SET missing_symbol.worker = off; SELECT missing_symbol.increment('views', '/once') \g /dev/null
SELECT missing_symbol.fold(), missing_symbol.flush(); SELECT fallbacks FROM missing_symbol.buffer_stats; SELECT count FROM views WHERE page = '/once'}),
	"1|0\n1\n3", 'without table folds');

$node->stop;
clean_log_ok($node);
clean_log_ok($standby);
done_testing();
