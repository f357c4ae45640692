# As whom a waiting increment is applied by another session: the worker, a
# scheduler's superuser, and at PREPARE TRANSACTION.  Theme acting has the rest.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use RawClient;
use Test::More;

my $node = new_node('acting', conf => ['max_prepared_transactions = 5', 'missing_symbol.flush_interval = 50']);

sub sql { return $node->safe_psql('postgres', "SET client_min_messages = error;\n$_[0]"); }

# what triggers have told since the last look
sub told { return sql(q{WITH gone AS (DELETE FROM log RETURNING n, who, what) SELECT who || ' ' || what FROM gone ORDER BY n}); }

sub merged
{
	my ($what) = @_;

	poll_query_until_ok($node, $what, 'SELECT NOT EXISTS (SELECT FROM missing_symbol.buffered)')
	  or diag(sql('TABLE missing_symbol.buffered'));
}

sql(q{
CREATE ROLE boss; CREATE ROLE mallory; CREATE ROLE web;
GRANT CREATE ON SCHEMA public TO boss, mallory;
CREATE TABLE log (n serial, who text, what text);
GRANT INSERT ON log TO PUBLIC; GRANT USAGE ON SEQUENCE log_n_seq TO PUBLIC;
CREATE FUNCTION grab() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        ALTER ROLE mallory SUPERUSER;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;
    END;
    INSERT INTO log (who, what) VALUES (CASE WHEN current_user IN ('boss', 'mallory', 'web') THEN current_user ELSE 'superuser' END,
        TG_TABLE_NAME);
    RETURN NULL;
END
$$;
CREATE FUNCTION says_who() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN current_user; END';
SET ROLE mallory;
CREATE TABLE m (k text PRIMARY KEY, count bigint);
CREATE TABLE put_off (k text PRIMARY KEY, count bigint);
CREATE TABLE held (k text PRIMARY KEY, count bigint);
CREATE TABLE first (k text PRIMARY KEY, count bigint);
CREATE TABLE parted (k text PRIMARY KEY, count bigint) PARTITION BY LIST (k);
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
SELECT missing_symbol.track('parted', apply => 'buffer');
SELECT missing_symbol.track('m', apply => 'buffer'), missing_symbol.track('put_off', apply => 'buffer'),
       missing_symbol.track('held', spill => true), missing_symbol.track('first', apply => 'commit');
SET ROLE boss;
CREATE TABLE b (k text PRIMARY KEY, count bigint, by text DEFAULT 'nobody');
GRANT SELECT, INSERT, UPDATE ON b TO web;
SELECT missing_symbol.track('b', apply => 'buffer');
});

# ---------------------------------------------------------------------------
# The worker
# ---------------------------------------------------------------------------

sql(q{SELECT missing_symbol.increment('b', 'x') FROM generate_series(1, 10)});
merged('a table without code');
is(sql('SELECT count FROM b'), 10, 'is merged');
sql(q{
CREATE TRIGGER grab AFTER INSERT OR UPDATE ON m FOR EACH ROW EXECUTE FUNCTION grab();
CREATE TRIGGER grab AFTER INSERT OR UPDATE ON b FOR EACH ROW EXECUTE FUNCTION grab();
CREATE CONSTRAINT TRIGGER grab AFTER INSERT OR UPDATE ON put_off DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION grab();
SELECT missing_symbol.increment('m', 'x');
});
merged('what a superuser has counted in a table with a trigger of its owner');
is(told(), 'mallory m', 'is merged as the owner');
sql(q{SELECT missing_symbol.increment('put_off', 'x')});
merged('and with a trigger that is put off to the commit');
is(told(), 'mallory put_off', 'as the owner, too');
sql(q{
CREATE CONSTRAINT TRIGGER grab AFTER INSERT OR UPDATE ON parted_rest DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION grab();
SELECT missing_symbol.increment('parted', 'x');
});
merged('and where only a partition has such a trigger');
is(told(), 'mallory parted_rest', 'as the owner, too');
sql(q{SET ROLE web; SELECT missing_symbol.increment('b', 'x')});
merged('what a role has counted that the owner could not become');
is(told(), 'boss b', 'is merged as the owner');
sql(q{GRANT web TO boss; SET ROLE web; SELECT missing_symbol.increment('b', 'x')});
merged('one that he could become');
is(told(), 'web b', 'is merged as that role');

# what reads a delta's values runs as who counted, or as the owner, whoever merges or reads
sql(q{
SET ROLE mallory;
CREATE FUNCTION chk(v anyelement) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.log (who, what) VALUES (CASE WHEN current_user IN ('boss', 'mallory', 'web') THEN current_user ELSE 'superuser' END, 'chk');
    RETURN true;
END
$$;
CREATE DOMAIN mail AS text CHECK (chk(VALUE));
CREATE DOMAIN num AS int CHECK (chk(VALUE));
CREATE TYPE num_range AS RANGE (subtype = num);
CREATE TABLE ranged (k num_range PRIMARY KEY, count bigint);
SELECT missing_symbol.track('ranged', spill => true);
RESET ROLE;
CREATE TABLE typed (k text PRIMARY KEY, count bigint, a mail[]);
GRANT SELECT, INSERT, UPDATE ON typed TO web;
SELECT missing_symbol.track('typed', apply => 'buffer');
});
my $count_typed = q{SET ROLE web; SELECT missing_symbol.increment_row('typed', '{"k": "x", "a": ["v"]}')};
my $told_of_chk = q{SELECT DISTINCT who FROM log WHERE what = 'chk'};
sql($count_typed);
merged("what has been counted in a superuser's table with a column of another's type");
is(sql($told_of_chk), 'web', 'is read as the role that counted');
sql(q{DELETE FROM log});

# ---------------------------------------------------------------------------
# A scheduler's superuser, and what is spilled
# ---------------------------------------------------------------------------

$node->append_conf('postgresql.conf', 'missing_symbol.worker = off');
$node->reload;
poll_query_until_ok($node, 'no worker any more',
	q{SELECT current_setting('missing_symbol.worker') = 'off' AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type LIKE '%missing_symbol%')});
sql(q{
SELECT missing_symbol.increment('put_off', 'x');
BEGIN;
SET LOCAL ROLE mallory;
SELECT missing_symbol.increment('held', 'x');
PREPARE TRANSACTION 'held';
});
is(sql(q{SELECT missing_symbol.increment('held', 'x'); SELECT (missing_symbol.last_increment()).outcome}), "\nspilled", 'a superuser spills');
sql(q{
COMMIT PREPARED 'held';
SET ROLE mallory;
CREATE TRIGGER grab AFTER INSERT OR UPDATE ON held FOR EACH ROW EXECUTE FUNCTION grab();
});
is(sql('SELECT missing_symbol.fold()'), 2, 'a superuser calls fold()');
is(join("\n", sort split /\n/, told()), "mallory held\nmallory put_off", 'all is merged as the owner');
is(sql(q{SELECT count FROM held}), 2, 'and there');

sql(q{SELECT missing_symbol.increment('parted', 'x')});
is(sql('SELECT missing_symbol.fold()'), 1, 'and where only a partition puts off its triggers');
is(told(), 'mallory parted_rest', 'as the owner, too');

# what is spilled is taken by who counts, but not where that could fail at the commit
sql(q{
SET ROLE mallory;
SELECT missing_symbol.track('parted', apply => 'now', spill => true);
BEGIN;
SELECT missing_symbol.increment('parted', 'x');
PREPARE TRANSACTION 'held';
SELECT missing_symbol.increment('parted', 'x');
});
sql(q{COMMIT PREPARED 'held'});
sql(q{SET ROLE mallory; SELECT missing_symbol.increment('parted', 'x') FROM generate_series(1, 32)});
is(sql(q{SELECT sum(delta) FROM missing_symbol.spilled}), 1, 'a spilled delta stays, whose trigger is put off by a partition');
sql(q{SELECT missing_symbol.fold()});
is(sql(q{SELECT count FROM parted}), 36, 'and is merged by fold()');
sql(q{DELETE FROM log});

# in its own transaction it is put off to the commit
sql(q{
SET ROLE mallory;
SELECT missing_symbol.track('parted', apply => 'commit', spill => false);
GRANT SELECT, INSERT, UPDATE ON parted TO web;
});
is(sql(q{
SET ROLE web;
BEGIN;
SELECT missing_symbol.increment('parted', 'x');
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
BEGIN;
SELECT missing_symbol.increment('parted', 'x');
COMMIT;
}), "\n", 'one is deferred');
is(told(), "web parted_rest\nweb parted_rest", 'as the role that counted');

# a superuser reads what was set aside with values of others' types
sql($count_typed);
sql(q{DELETE FROM log});
is(sql(q{SELECT k, count FROM missing_symbol.total(NULL::typed)}), 'x|2', 'a superuser reads a total');
is(sql($told_of_chk), 'web', 'as the role that counted');
sql(q{DELETE FROM log});
is(sql(q{SELECT missing_symbol.fold('typed')}), 1, 'and merges it');
is(sql($told_of_chk), 'web', 'as that role');
sql(q{
SET ROLE mallory;
BEGIN;
SELECT missing_symbol.increment('ranged', '[1,2)'::num_range);
PREPARE TRANSACTION 'held';
SELECT missing_symbol.increment('ranged', '[1,2)'::num_range);
});
sql(q{COMMIT PREPARED 'held'; DELETE FROM log});
is(sql(q{SELECT count FROM missing_symbol.total(NULL::ranged)}), 2, "a superuser reads the total of a key that is a range of another's domain");
is(sql($told_of_chk), 'mallory', 'as the role that counted');
sql(q{SELECT missing_symbol.fold('ranged'); DELETE FROM log});

# and stands in for nobody there
sql(q{
CREATE ROLE gone;
GRANT SELECT, INSERT, UPDATE ON typed TO gone;
GRANT INSERT ON log TO gone;
SET ROLE gone;
SELECT missing_symbol.increment_row('typed', '{"k": "x", "a": ["v"]}');
RESET ROLE;
DROP OWNED BY gone;
DROP ROLE gone;
DELETE FROM log;
});
is(answer($node, 'SELECT * FROM missing_symbol.total(NULL::typed)'), '42501', 'of a role that is gone nothing is read');
sql(q{SELECT missing_symbol.fold('typed')});
is(sql($told_of_chk), '', 'nothing of it runs as a superuser');
is(sql(q{SELECT delta, error ~ 'does not stand in' FROM missing_symbol.spilled}), '1|t', 'the increment is kept');
sql(q{DELETE FROM missing_symbol.spilled; DELETE FROM log});

# a superuser does not stand in for who is gone where a partition runs code of others
sql(q{
CREATE ROLE gone;
CREATE TABLE super (k text PRIMARY KEY, count bigint) PARTITION BY LIST (k);
CREATE TABLE super_part PARTITION OF super DEFAULT;
ALTER TABLE super_part OWNER TO mallory;
GRANT SELECT, INSERT, UPDATE ON super TO gone;
SELECT missing_symbol.track('super', apply => 'buffer');
SET ROLE mallory;
CREATE FUNCTION grab_too() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.log (who, what) VALUES (CASE WHEN current_user IN ('boss', 'mallory', 'web') THEN current_user ELSE 'superuser' END, TG_TABLE_NAME);
    RETURN NULL;
END
$$;
CREATE TRIGGER grab AFTER INSERT ON super_part FOR EACH ROW EXECUTE FUNCTION grab_too();
SET ROLE gone;
SELECT missing_symbol.increment('super', 'x');
RESET ROLE;
REVOKE ALL ON super FROM gone;
DROP ROLE gone;
SELECT missing_symbol.fold('super');
});
is(told(), '', 'nothing of it runs as a superuser');
is(sql(q{SELECT delta, error ~ 'does not stand in' FROM missing_symbol.spilled}), '1|t', 'the increment is kept');
sql(q{DELETE FROM missing_symbol.spilled; DROP TABLE super});

# a default that asks for a setting or calls a function: asked as it spills, on both paths
for my $path (qw(on off))
{
	sql(qq{
DROP TABLE IF EXISTS defaulted;
CREATE TABLE defaulted (k text PRIMARY KEY, count bigint, tenant text DEFAULT current_setting('app.tenant', true), who text DEFAULT says_who());
ALTER TABLE defaulted OWNER TO mallory;
GRANT SELECT, INSERT (k, count), UPDATE (count) ON defaulted TO web;
SET ROLE mallory;
SELECT missing_symbol.track('defaulted', spill => true, fill => '{tenant}');
INSERT INTO defaulted (k, count, tenant) VALUES ('there', 0, NULL);
BEGIN;
UPDATE defaulted SET count = 1;
INSERT INTO defaulted (k, count, tenant) VALUES ('new', 0, 'undone');
PREPARE TRANSACTION 'held';
});
	is(sql(qq{
SET missing_symbol.fast_path = $path;
SET ROLE web;
SET app.tenant = 'of the call';
SELECT missing_symbol.increment('defaulted', 'there');
SELECT missing_symbol.increment('defaulted', 'new');
SELECT (missing_symbol.last_increment()).outcome;
}), "\n\nspilled", "spilled, fast path $path");
	sql(q{ROLLBACK PREPARED 'held'});
	is(sql(qq{
SET missing_symbol.fast_path = $path;
SET app.tenant = 'of fold()';
SELECT missing_symbol.fold('defaulted');
SELECT k, count, tenant, who FROM defaulted ORDER BY k;
}), "2\nnew|1|of the call|web\nthere|1||mallory", "merged with what its defaults said at the call, which fills nothing, fast path $path")
	  or diag(sql('SELECT key, fields, error FROM missing_symbol.spilled'));
}

# ---------------------------------------------------------------------------
# In the counter's own transaction
# ---------------------------------------------------------------------------

sql(q{
CREATE FUNCTION set_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'nowhere', false), set_config('lock_timeout', '1ms', false);
    RETURN NULL;
END
$$;
CREATE TRIGGER set_more AFTER INSERT OR UPDATE ON first FOR EACH ROW EXECUTE FUNCTION set_more();
DROP TRIGGER grab ON b;
CREATE FUNCTION tell_path() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.log (who, what) VALUES (current_user, current_setting('search_path') || ' ' || current_setting('lock_timeout'));
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_path AFTER INSERT OR UPDATE ON b FOR EACH ROW EXECUTE FUNCTION tell_path();
GRANT SELECT, INSERT, UPDATE ON first TO web;
ALTER TABLE b OWNER TO mallory;
GRANT SELECT, INSERT, UPDATE ON b TO web;
SELECT missing_symbol.track('b', apply => 'commit');
});
is(sql(q{
SET ROLE web;
BEGIN;
SELECT missing_symbol.increment('first', 'x');
SELECT missing_symbol.increment('b', 'x');
SAVEPOINT s;
SELECT missing_symbol.increment('b', 'never');
CLOSE ALL;
ROLLBACK TO s;
PREPARE TRANSACTION 'ours';
SHOW search_path;
SHOW lock_timeout;
}), qq{\n\n\n"\$user", public\n0}, 'PREPARE TRANSACTION leaves the settings');
is(sql(q{SELECT count(*) FROM first}), 0, 'and applies in the prepared transaction');
sql(q{COMMIT PREPARED 'ours'});
is(sql(q{SELECT count FROM first}), 1, 'which commits it');
is(told(), 'web "$user", public 0', 'as the role that counted, with its own search_path');
is(sql(q{SELECT count(*) FROM b WHERE k = 'never'}), 0, 'without what was rolled back');

# who has deferred something keeps the owner from adding code to the table
my $counting = RawClient->new($node);
$counting->rows('BEGIN');
$counting->rows(q{SELECT missing_symbol.increment('first', 'x')});
is(answer($node, q{SET ROLE mallory; SET lock_timeout = '100ms';
CREATE TRIGGER late AFTER INSERT OR UPDATE ON first FOR EACH ROW EXECUTE FUNCTION grab()}), '55P03',
	'no trigger is added between an increment and its commit');
$counting->rows('COMMIT');
$counting->disconnect;
is(told(), '', 'so none runs as a superuser who has deferred');
is(sql(q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 'f', 'nobody has become superuser');

# ---------------------------------------------------------------------------
# What is said while another's code runs
# ---------------------------------------------------------------------------

sql(q{
CREATE FUNCTION tell_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'confidential: %', NEW.k;
    EXECUTE format('SELECT %L', 'confidential ' || NEW.k);
    RETURN NULL;
END
$$;
SET ROLE boss;
CREATE TABLE told (k text PRIMARY KEY, count bigint);
CREATE TRIGGER tell_all AFTER INSERT OR UPDATE ON told FOR EACH ROW EXECUTE FUNCTION tell_all();
SELECT missing_symbol.track('told', apply => 'buffer');
SELECT missing_symbol.increment('told', 'x');
GRANT SELECT, INSERT, UPDATE ON told TO mallory;
});
my ($rc, $merged, $said) = $node->psql('postgres', q{
SET ROLE mallory;
SET client_min_messages = debug1; SET debug_print_parse = on; SET debug_print_plan = on;
SELECT missing_symbol.fold();
});
is($merged, 1, 'whoever may count in a table merges what another has counted there');
like($said, qr/parse tree/, 'and is told what the server makes of his own statement');
unlike($said, qr/confidential/, 'but nothing of what the table runs as its owner');

$node->stop;
clean_log_ok($node);
done_testing();
