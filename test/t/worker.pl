# The worker among users who mean no good: their code cannot keep it, multiply
# it, or end anybody's fold(); a lock that one increment needs is not waited
# for by the others.  A clock that is set back; an extension made anew.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RawClient;
use Test::More;

my $node = new_node('worker',
	conf => [
		'max_prepared_transactions = 10', q{missing_symbol.flush_interval = '200ms'}, q{missing_symbol.worker_idle = '1h'},
		'client_min_messages = error', 'log_statement = none', q{deadlock_timeout = '100ms'}, 'max_connections = 40' ]);

sub query { return $node->safe_psql('postgres', $_[0]) }

my $workers = q{(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'missing_symbol worker')};
my $empty = 'NOT EXISTS (SELECT FROM missing_symbol.buffered)';

query(q{
CREATE ROLE mallory; CREATE ROLE alice; GRANT ALL ON SCHEMA public TO mallory, alice;
SET ROLE alice;
CREATE TABLE zz_alice (k text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('zz_alice', apply => 'buffer');
});

# tables of mallory's, each older than alice's, so that they come first
sub hostile
{
	my ($name, $body) = @_;

	query(qq{
SET ROLE mallory;
CREATE TABLE $name (k text PRIMARY KEY, count bigint);
SELECT missing_symbol.track('$name', apply => 'buffer');
CREATE FUNCTION $name() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN $body END \$\$;
CREATE TRIGGER t BEFORE INSERT ON $name FOR EACH ROW EXECUTE FUNCTION $name();
RESET ROLE;
-- it comes before the others: targets are taken in the order of their OIDs
DROP TABLE IF EXISTS zz_alice;
SET ROLE alice;
CREATE TABLE zz_alice (k text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('zz_alice', apply => 'buffer');
});
	return;
}

# What alice counts is merged; tells after how many ms at the most, which is to
# be no more than three flush_intervals and a second.
my @slowest = (0, '');

sub alice_ok
{
	my ($what) = @_;
	my @ms;

	foreach my $round (1 .. 3)
	{
		push @ms, query(qq{
SET ROLE alice; SELECT clock_timestamp() AS began, missing_symbol.increment('zz_alice', 'a') \\gset
DO \$\$ BEGIN
    FOR i IN 1 .. 18000 LOOP
        EXIT WHEN (SELECT sum(count) = $round FROM zz_alice);
        PERFORM pg_sleep(0.01);
    END LOOP;
END \$\$;
SELECT round(extract(epoch FROM clock_timestamp() - :'began') * 1000)});
		is(query('SELECT sum(count) FROM zz_alice'), $round, "$what: alice's are merged, $round");
		@slowest = ($ms[-1], $what) if $ms[-1] > $slowest[0];
	}
	note("$what: alice's are merged after @ms ms");
	return;
}

# ---------------------------------------------------------------------------
# A trigger that does not end, one that cannot be cancelled, one that gives
# back locks, one that waits for a deadlock
# ---------------------------------------------------------------------------

hostile('sleeps', q{PERFORM pg_sleep(600); RETURN NEW;});
query(q{SET ROLE mallory; SELECT missing_symbol.increment('sleeps', 'x')});
alice_ok('one that sleeps');
cmp_ok(log_count($node, qr/could not merge increments of table "sleeps"/), '==', 1, 'the log tells of it once');
is(query('SELECT key, error FROM missing_symbol.buffered FULL JOIN missing_symbol.spilled s USING (key)'), '{x}|', 'its increment stays as it was');
is(answer($node, q{SELECT missing_symbol.value('sleeps', 'x')}), '1', 'and counts');
is(query("SELECT $workers"), '1', 'there is one worker');

hostile('unlocks', q{PERFORM pg_advisory_unlock_all(); PERFORM pg_sleep(0.05); RETURN NEW;});
my $pid = query(q{SELECT worker_pid FROM missing_symbol.buffer_stats});
foreach my $round (1 .. 8)
{
	query(qq{SET ROLE mallory; SELECT missing_symbol.increment('unlocks', '$round'); SELECT pg_sleep(0.1)});
}
poll_query_until_ok($node, 'unlock_all: it is merged', q{SELECT count(*) = 8 FROM unlocks});
is(query(qq{SELECT $workers; SELECT worker_pid = $pid FROM missing_symbol.buffer_stats}), "1\nt", 'unlock_all: the worker has its lock');
alice_ok('one that unlocks');

# a lock that it leaves
hostile('leaves', q{PERFORM pg_advisory_lock(4711); RETURN NEW;});
query(q{SET ROLE mallory; SELECT missing_symbol.increment('leaves', 'x')});
poll_query_until_ok($node, 'one that leaves a lock: merged', q{SELECT count(*) = 1 FROM leaves});
poll_query_until_ok($node, 'its lock is gone', q{SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')});

# two halves of a deadlock: mallory has 2 and wants 1, the trigger has 1 and
# wants 2
hostile('deadlocks', q{PERFORM set_config('lock_timeout', '0', true), pg_advisory_xact_lock(1), pg_advisory_xact_lock(2); RETURN NEW;});
my $mallory = RawClient->new($node);
query(q{SET ROLE mallory; SELECT missing_symbol.increment('deadlocks', 'x')});
$mallory->rows(q{SET deadlock_timeout = '1h'}); $mallory->rows('BEGIN'); $mallory->rows('SELECT pg_advisory_xact_lock(2)');
$mallory->query('SELECT pg_advisory_xact_lock(1)')->flush;
alice_ok('a staged deadlock');
is(query("SELECT $workers"), '1', 'there is one worker');

# the same for fold(): all of it, by whoever
query(q{SET missing_symbol.worker = off; SET ROLE alice; SELECT missing_symbol.increment('zz_alice', 'fold')});
my ($rc, $out, $err) = $node->psql('postgres', q{SET client_min_messages = warning; SELECT missing_symbol.fold() >= 0; SELECT count FROM zz_alice WHERE k = 'fold'});
is("$rc $out", "0 t\n1", 'fold() comes to an end, with what it can do');
# what the worker has under way just then is passed over in silence
foreach my $try (1 .. 20)
{
	last if $err =~ /could not fold table "sleeps"/;
	($rc, $out, $err) = $node->psql('postgres', q{SET client_min_messages = warning; SELECT missing_symbol.fold()});
}
like($err, qr/WARNING:  could not fold table "sleeps"/, 'fold() warns of the others');
is(query(q{SELECT missing_symbol.value('deadlocks', 'x')}), '1', 'a deadlock leaves the increment as it was');
$mallory->disconnect;
poll_query_until_ok($node, 'when it is over it is merged', q{SELECT count = 1 FROM deadlocks});

query('DROP TABLE sleeps, unlocks, leaves, deadlocks');
hostile('catches', q{LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;});
query(q{SET ROLE mallory; SELECT missing_symbol.increment('catches', 'x')});
alice_ok('one that catches cancels');
poll_query_until_ok($node, 'there is a worker again', "SELECT $workers = 1");
cmp_ok(log_count($node, qr/DETAIL:  The worker was terminated while code of the table/), '>', 0, 'the log tells why');
alice_ok_again();
query('DROP TABLE catches');

# the worker knows of it when it is a new one
sub alice_ok_again
{
	query(q{SET ROLE alice; SELECT missing_symbol.increment('zz_alice', 'again')});
	poll_query_until_ok($node, "and alice's are merged again", q{SELECT count = 1 FROM zz_alice WHERE k = 'again'});
	return;
}

note("alice's are merged after $slowest[0] ms at the most ($slowest[1]); three flush_intervals and a second are 1600");

# Many tables whose code takes a little time each, all of them older than
# somebody else's: who has so many has no more of a round.
my @many = map { "many_$_" } 1 .. 12;

query(q{
CREATE ROLE eve; GRANT ALL ON SCHEMA public TO eve; SET ROLE eve;
CREATE FUNCTION naps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN NEW; END $$;
} . join('', map { qq{
CREATE TABLE $_ (k text PRIMARY KEY, count bigint);
CREATE TRIGGER t BEFORE INSERT ON $_ FOR EACH ROW EXECUTE FUNCTION naps();
SELECT missing_symbol.track('$_', apply => 'buffer');
} } @many) . q{
RESET ROLE; SET ROLE alice; DROP TABLE zz_alice;
CREATE TABLE zz_alice (k text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('zz_alice', apply => 'buffer')});
query('BEGIN; SET LOCAL ROLE eve;' . join('', map { "SELECT missing_symbol.increment('$_', 'x');" } @many) .
	q{SET LOCAL ROLE alice; SELECT missing_symbol.increment('zz_alice', 'x'); COMMIT});
poll_query_until_ok($node, "many that take a little: alice's is merged", 'SELECT count(*) = 1 FROM zz_alice');
my $merged = '(' . join(' UNION ALL ', map { "SELECT xmin FROM $_" } @many) . ')';
poll_query_until_ok($node, 'and these come to their end', "SELECT count(*) = 12 FROM $merged AS m");
cmp_ok(query("SELECT count(*) FROM $merged AS m WHERE age(m.xmin) > (SELECT age(xmin) FROM zz_alice)"), '<', 12, 'before all of the others');
query('DROP TABLE ' . join(', ', @many));

# a table of hers where nothing is wrong is merged, if later
query(q{
SET ROLE mallory;
CREATE TABLE slow (k int PRIMARY KEY, count bigint);
CREATE TABLE plain (k int PRIMARY KEY, count bigint);
SELECT missing_symbol.track('slow', apply => 'buffer'), missing_symbol.track('plain', apply => 'buffer');
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_sleep(CASE WHEN NEW.k = 5 THEN 600 ELSE 0 END); RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION slow();
SELECT missing_symbol.increment_many('slow', ARRAY(SELECT generate_series(1, 10))), missing_symbol.increment('plain', 1);
});
poll_query_until_ok($node, 'a plain table of the same owner', q{SELECT count(*) = 1 FROM plain});
poll_query_until_ok($node, 'all keys but the one that takes long', q{SELECT count(*) = 9 FROM slow});
query('DROP TRIGGER t ON slow');
poll_query_until_ok($node, 'and this one, too', q{SELECT count(*) = 10 FROM slow});
query('DROP TABLE slow, plain');

# ---------------------------------------------------------------------------
# A foreign key that has to wait: its increment stays, the others go on
# ---------------------------------------------------------------------------

query(q{
CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents SELECT generate_series(1, 300);
CREATE TABLE children (id int PRIMARY KEY REFERENCES parents, count bigint);
SELECT missing_symbol.track('children', apply => 'buffer');
BEGIN; SELECT FROM parents WHERE id BETWEEN 2 AND 299 FOR UPDATE; PREPARE TRANSACTION 'parents';
});
query(q{SELECT missing_symbol.increment_many('children', ARRAY(SELECT generate_series(1, 300)))});
poll_query_until_ok($node, 'a foreign key waits: the others are merged', q{SELECT array_agg(id ORDER BY id) = '{1,300}' FROM children});
is(query(q{SELECT count(*), count(error) FROM (SELECT key, NULL AS error FROM missing_symbol.buffered UNION ALL SELECT key, error FROM missing_symbol.spilled) t}), '298|0', 'and it stays, which is no error');
query(q{SELECT missing_symbol.increment('children', 1)});
poll_query_until_ok($node, 'nor a reason for a pause', q{SELECT count = 2 FROM children WHERE id = 1});
is(query(q{SET missing_symbol.worker = off; SELECT missing_symbol.increment('children', 1) \g /dev/null
SELECT missing_symbol.fold('children') <= 1; SELECT missing_symbol.value('children', 1)}), "t\n3", 'fold() does not wait either');
is(answer($node, q{SET statement_timeout = '300ms'; SELECT missing_symbol.flush()}), '57014', 'flush() does');
query(q{ROLLBACK PREPARED 'parents'});
poll_query_until_ok($node, 'in the end all are merged', q{SELECT count(*) = 300 AND sum(count) = 302 FROM children});
poll_query_until_ok($node, 'and the buffer is empty', "SELECT $empty");

# ---------------------------------------------------------------------------
# flush() in an open transaction, where it has merged nothing of others
# ---------------------------------------------------------------------------

query(q{
CREATE TABLE flushed (k text PRIMARY KEY, count int CHECK (count < 10));
SELECT missing_symbol.track('flushed', spill => true);
BEGIN; INSERT INTO flushed VALUES ('a', 1); PREPARE TRANSACTION 'flushed';
SELECT missing_symbol.increment_by('flushed', 100, 'a'); ROLLBACK PREPARED 'flushed';
ALTER SYSTEM SET missing_symbol.worker = off; SELECT pg_reload_conf();
});
poll_query_until_ok($node, 'no worker', "SELECT $workers = 0");
query('SELECT missing_symbol.fold()');
is(query('SELECT error ~ \'^23514\' FROM missing_symbol.spilled'), 't', 'something that cannot be merged');
my $open = RawClient->new($node);
$open->rows('BEGIN'); $open->rows('SELECT missing_symbol.flush()');
is(answer($node, q{SET statement_timeout = '180s'; SELECT missing_symbol.flush()}), '0', 'flush() in an open transaction is in nobody\'s way');
$open->rows('ROLLBACK');
$open->disconnect;
query('DROP TABLE flushed');

# ---------------------------------------------------------------------------
# A deadlock with whoever calls fold() is the table's whose code went into it:
# mallory has 2, waits for the trigger to have 1, and wants that
# ---------------------------------------------------------------------------

hostile('stages', q{
    PERFORM set_config('lock_timeout', '0', true), pg_advisory_xact_lock(1);
    WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND NOT granted) LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    PERFORM pg_advisory_xact_lock(2);
    RETURN NEW;});
query(q{SET ROLE mallory; SELECT missing_symbol.increment('stages', 'x');
SET ROLE alice; SELECT missing_symbol.increment('zz_alice', 'staged')});
my $staged = RawClient->new($node);
$staged->rows(q{SET deadlock_timeout = '1h'}); $staged->rows('BEGIN'); $staged->rows('SELECT pg_advisory_xact_lock(2)');
$staged->query(q{DO $$ BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND granted) LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    PERFORM pg_advisory_xact_lock(1);
END $$})->flush;
is(query(q{SELECT missing_symbol.fold(); SELECT count FROM zz_alice WHERE k = 'staged'}), "1\n1", 'a deadlock with who calls fold(): the others are merged');
is(query(q{SELECT missing_symbol.value('stages', 'x')}), '1', 'and leaves the increment as it was');
$staged->disconnect;
query('DROP TABLE stages');

# ---------------------------------------------------------------------------
# Whoever calls fold() is cancelled himself, after code of a table was cancelled
# that took too long, or while that code catches cancels: it is his all the same
# ---------------------------------------------------------------------------

query(q{
CREATE TABLE cancels (k text PRIMARY KEY, count int);
SELECT missing_symbol.track('cancels', apply => 'buffer'), missing_symbol.increment('cancels', 'a');
});
foreach my $case (
	[ 'by a cancel that is caught', q{PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(600);}, 'NULL;', '' ],
	[ 'by a cancel after ours', q{PERFORM pg_sleep(600);}, q{PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(600);}, '' ],
	[ 'by statement_timeout after our cancel', q{PERFORM pg_sleep(600);}, q{PERFORM pg_sleep(600);}, q{SET statement_timeout = '8s';} ],
	[ 'by nobody but us', q{PERFORM pg_sleep(600);}, 'NULL;', '' ])
{
	my ($what, $first, $then, $set) = @$case;

	query(qq{
CREATE OR REPLACE FUNCTION cancels() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
    BEGIN $first EXCEPTION WHEN query_canceled THEN $then END;
    RETURN NEW;
END \$\$;
DROP TRIGGER IF EXISTS t ON cancels; CREATE TRIGGER t BEFORE INSERT ON cancels FOR EACH ROW EXECUTE FUNCTION cancels()});
	is(answer($node, "$set BEGIN; SELECT missing_symbol.fold(); COMMIT"), $what =~ /nobody/ ? '1' : '57014', "fold() is cancelled $what");
}
is(query('TABLE cancels'), 'a|1', 'and goes on where code catches our cancel and comes to its end');

# nothing that the code calls removes its limit: no merge of what has spilled, which fails
query(q{
CREATE TABLE taken (k text PRIMARY KEY, count int);
SELECT missing_symbol.track('taken', spill => true), missing_symbol.increment('taken', 'x');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.count - OLD.count > 100 THEN RAISE 'never'; END IF; RETURN NEW; END $$;
CREATE TRIGGER t BEFORE UPDATE ON taken FOR EACH ROW EXECUTE FUNCTION refuse();
BEGIN;
SELECT missing_symbol.increment('taken', 'x');
PREPARE TRANSACTION 'taken';
SELECT missing_symbol.increment_by('taken', 1000, 'x');
COMMIT PREPARED 'taken';
CREATE OR REPLACE FUNCTION cancels() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    FOR i IN 1 .. 20 LOOP PERFORM missing_symbol.increment('taken', 'x'); END LOOP;
    LOOP PERFORM 1; END LOOP;
END $$;
SELECT missing_symbol.increment('cancels', 'b');
});
is(query(q{SELECT delta, error IS NULL FROM missing_symbol.spilled WHERE target = 'taken'::regclass}), '1000|t', 'something has spilled');
is(answer($node, q{SET statement_timeout = '180s'; SELECT missing_symbol.fold()}), '0', 'code that calls an increment in it has its limit all the same')
  or diag(query('TABLE missing_symbol.spilled'));
query('DROP TABLE taken');
query('DROP TABLE cancels');

# tables of one owner that take long: one of them has the time of all
query(q{
SET ROLE mallory;
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
} . join('', map { qq{
CREATE TABLE sleeps_$_ (k text PRIMARY KEY, count bigint);
CREATE TRIGGER t BEFORE INSERT ON sleeps_$_ FOR EACH ROW EXECUTE FUNCTION sleep();
SELECT missing_symbol.track('sleeps_$_', apply => 'buffer'), missing_symbol.increment('sleeps_$_', 'x');
} } 1 .. 3) . q{SET ROLE alice; SELECT missing_symbol.increment('zz_alice', 'of many')});
($rc, $out, $err) = $node->psql('postgres', q{SET client_min_messages = warning; SELECT missing_symbol.fold(); SELECT count FROM zz_alice WHERE k = 'of many'});
is($out, "1\n1", 'tables of one owner that take long: those of others are merged');
is(join(' ', scalar(() = $err =~ /Code of the table has taken too long/g), scalar(() = $err =~ /Code of other tables of its owner has taken too long/g)),
	'1 2', 'they have no more time than one of them');
query('DROP TABLE sleeps_1, sleeps_2, sleeps_3');
query('ALTER SYSTEM RESET missing_symbol.worker; SELECT pg_reload_conf()');

# ---------------------------------------------------------------------------
# The extension is made anew while the session thinks that there is a worker
# ---------------------------------------------------------------------------

query(q{CREATE DATABASE again});
$node->safe_psql('again', q{
CREATE EXTENSION missing_symbol;
CREATE TABLE t (k int PRIMARY KEY, count int);
SELECT missing_symbol.track('t', apply => 'buffer');
SELECT missing_symbol.increment('t', 1);
DROP EXTENSION missing_symbol;
DO $$ BEGIN
    WHILE EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'missing_symbol worker' AND datname = current_database()) LOOP
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
    END LOOP;
END $$;
CREATE EXTENSION missing_symbol;
SELECT missing_symbol.track('t', apply => 'buffer');
SELECT missing_symbol.increment('t', 2);
});
poll_query_until_ok($node, 'a new extension has a worker at once', 'SELECT count = 1 FROM t WHERE k = 2', 'again');
is($node->safe_psql('again', q{SELECT worker_pid = (SELECT pid FROM pg_stat_activity WHERE backend_type = 'missing_symbol worker' AND datname = 'again') FROM missing_symbol.buffer_stats}), 't', 'the view knows it');

# ---------------------------------------------------------------------------
# The clock is set back by ten minutes: a library in front of libc's tells the
# server so, as long as there is a file
# ---------------------------------------------------------------------------

my $dir = PostgreSQL::Test::Utils::tempdir();
my ($source, $library, $file) = ("$dir/clock.c", "$dir/clock.so", "$dir/back");

PostgreSQL::Test::Utils::append_to_file($source, <<"END");
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int
gettimeofday(struct timeval *tv, void *tz)
{
	struct timespec now;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	tv->tv_sec = now.tv_sec - (access("$file", F_OK) == 0 ? 600 : 0);
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}
END

SKIP:
{
	my $cc = pg_config('--cc');

	skip 'needs Linux and a compiler for a clock that can be set', 3
	  if $^O ne 'linux' || system("$cc -shared -fPIC -o '$library' '$source' 2>'$dir/cc.log'") != 0;
	chmod 0755, $dir, $library;
	{
		local $ENV{LD_PRELOAD} = join ' ', grep { defined } $ENV{LD_PRELOAD}, $library;
		$node->restart;
	}
	query(q{SET ROLE alice; SELECT missing_symbol.increment('zz_alice', 'clock')});
	poll_query_until_ok($node, 'before: merged', q{SELECT count = 1 FROM zz_alice WHERE k = 'clock'});
	my $before = query('SELECT extract(epoch FROM clock_timestamp())');
	PostgreSQL::Test::Utils::append_to_file($file, '');
	cmp_ok(query('SELECT extract(epoch FROM clock_timestamp())'), '<', $before - 500, 'the clock is set back');
	query(q{SET ROLE alice; SELECT missing_symbol.increment('zz_alice', 'clock')});
	poll_query_until_ok($node, 'after: merged', q{SELECT count = 2 FROM zz_alice WHERE k = 'clock'});
}

$node->stop;
clean_log_ok($node);
done_testing();
