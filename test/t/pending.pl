# apply = 'commit' where one server is not enough to see it: prepared
# transactions across a crash, a foreign table written by a target's trigger,
# and exactness under a load of savepoints and rollbacks.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Ledger;
use MissingSymbolTest;
use Test::More;

my $node = new_node('pending', conf => [ 'autovacuum = on', 'max_prepared_transactions = 10', q{missing_symbol.apply = 'commit'} ]);
$node->safe_psql('postgres', q{
	CREATE TABLE hits (k text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
});

#
# Prepared transactions
#
$node->safe_psql('postgres', q{
	BEGIN;
	SELECT missing_symbol.increment('hits', 'kept'), missing_symbol.increment('hits', 'kept');
	PREPARE TRANSACTION 'kept';
	BEGIN;
	SELECT missing_symbol.increment('hits', 'undone');
	PREPARE TRANSACTION 'undone';
	SELECT missing_symbol.increment('hits', 'other');
});
is($node->safe_psql('postgres', 'SELECT k, count FROM hits ORDER BY k'),
	'other|1', 'prepared increments are not there yet');
$node->stop('immediate');
$node->start;
$node->safe_psql('postgres',
	"COMMIT PREPARED 'kept'; ROLLBACK PREPARED 'undone'");
is($node->safe_psql('postgres', 'SELECT k, count FROM hits ORDER BY k'),
	"kept|2\nother|1", 'after a crash, COMMIT and ROLLBACK PREPARED decide');

# what fails at PREPARE leaves nothing behind
my ($rc, $out, $err) = $node->psql('postgres', q{
	ALTER TABLE hits ADD CHECK (count < 100);
	BEGIN;
	SELECT missing_symbol.increment_by('hits', 1000, 'kept');
	PREPARE TRANSACTION 'fails';
});
like($err, qr/violates check constraint/, 'PREPARE TRANSACTION fails');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'),
	'0', 'and prepares nothing');

#
# postgres_fdw
#
my $host = $node->host;
my $port = $node->port;
my $user = $node->safe_psql('postgres', 'SELECT current_user');

SKIP:
{
	skip 'postgres_fdw is not installed', 6
	  unless $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'");

	$node->safe_psql('postgres', 'CREATE DATABASE far');
	$node->safe_psql('far',
		'CREATE TABLE log (k text, count bigint, CHECK (k <> $$refused$$))');
	$node->safe_psql('postgres', qq{
		CREATE EXTENSION postgres_fdw;
		CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
			OPTIONS (host '$host', port '$port', dbname 'far');
		CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '$user');
		CREATE FOREIGN TABLE far_log (k text, count bigint)
			SERVER far OPTIONS (table_name 'log');
		CREATE TABLE near (k text PRIMARY KEY, count bigint);
		CREATE FUNCTION to_far() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN INSERT INTO far_log VALUES (NEW.k, NEW.count); RETURN NULL; END';
		CREATE TRIGGER to_far AFTER INSERT OR UPDATE ON near
			FOR EACH ROW EXECUTE FUNCTION to_far();
	});
	foreach my $path ('on', 'off')
	{
		my $set = "SET missing_symbol.fast_path = $path;";

		$node->safe_psql('postgres', 'TRUNCATE near');
		$node->safe_psql('far', 'TRUNCATE log');
		$node->safe_psql('postgres', qq{
			$set
			BEGIN;
			SELECT missing_symbol.increment('near', 'a'), missing_symbol.increment('near', 'b');
			SAVEPOINT s;
			SELECT missing_symbol.increment('near', 'c');
			ROLLBACK TO s;
			SELECT missing_symbol.increment('near', 'a');
			COMMIT;
		});
		is($node->safe_psql('far', 'SELECT k, count FROM log ORDER BY k'),
			"a|2\nb|1", "fast path $path: a foreign table that a trigger writes is committed");
		($rc, $out, $err) = $node->psql('postgres', qq{
			$set
			BEGIN;
			SELECT missing_symbol.increment('near', 'a'), missing_symbol.increment('near', 'refused');
			COMMIT;
		});
		like($err, qr/violates check constraint/, "fast path $path: its error is ours");
		is($node->safe_psql('far', 'SELECT k, count FROM log ORDER BY k') . '|'
			  . $node->safe_psql('postgres', 'SELECT sum(count) FROM near'),
			"a|2\nb|1|3", "fast path $path: and undoes both sides");
	}
}

#
# Exact under load, with savepoints and rollbacks
#
my $ledger = Ledger->new($node);
$node->safe_psql('postgres', 'CREATE TABLE load (k int PRIMARY KEY, count bigint) WITH (fillfactor = 70)');
my $script = q{
\set a random(1, 20)
\set b random(1, 20)
\set c random(1, 20)
\set d random(1, 20)
\set end random(1, 4)
\set limit random(0, 1)
BEGIN;
SET LOCAL missing_symbol.pending_limit = :limit;
SELECT missing_symbol.increment('load', :a);
INSERT INTO ledger VALUES ('load', :a, 1);
SAVEPOINT one;
SELECT * FROM missing_symbol.increment_many('load', ARRAY[:b, :c, :b]);
INSERT INTO ledger VALUES ('load', :b, 2), ('load', :c, 1);
SAVEPOINT two;
SELECT missing_symbol.increment_by('load', 5, :d);
INSERT INTO ledger VALUES ('load', :d, 5);
\if :end = 1
ROLLBACK TO two;
\elif :end = 2
ROLLBACK TO one;
\elif :end = 3
RELEASE one;
\endif
SELECT missing_symbol.increment('load', :d);
INSERT INTO ledger VALUES ('load', :d, 1);
\if :end = 4
ROLLBACK;
\else
COMMIT;
\endif
};

# early applies lock rows in the order of the calls, so some deadlock
$node->safe_psql('postgres', "ALTER SYSTEM SET deadlock_timeout = '50ms'");
$node->reload;

sub load_exact_ok
{
	my ($name, $sql) = @_;
	my $pgbench = start_pgbench($node, [ '-c', 8, '-j', 2, '-t', 100 ], $sql);

	finish_pgbench($pgbench);
	is($ledger->differences('load'), '', "$name: exact");
	return $pgbench;
}

load_exact_ok('early applies', $script);
cmp_ok($node->safe_psql('postgres', 'SELECT sum(count) FROM load'), '>', 0,
	'something was counted');

# without them: no deadlock, every transaction goes through
$script =~ s/^SET LOCAL.*\n//m;
my $deferred = load_exact_ok('deferred', $script);
unlike($deferred->{err}, qr/deadlock/, 'deferred: no deadlock');
like($deferred->{out}, qr{number of transactions actually processed: 800/800},
	'deferred: every transaction went through');
for my $level ('repeatable read', 'serializable')
{
	local $ENV{PGOPTIONS} =
	  '-c default_transaction_isolation=' . ($level =~ s/ /\\ /r);
	load_exact_ok($level, $script);
}

$node->stop;
done_testing();
