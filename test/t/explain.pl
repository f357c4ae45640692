# explain_analyze where more than one session or a bigger database is needed:
# cancel and timeouts, locks, parallel plans, files, a standby, pgbench's
# tables, and a Django project's real queries.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RawClient;
use Test::More;

my $node = new_node('explain', init => [ 'allows_streaming' => 1 ]);
my $explain = 'SELECT missing_symbol.explain_analyze';

$node->run_log([ 'pgbench', '-i', '-q', '-s', 10, '-h', $node->host, '-p', $node->port, 'postgres' ]);
$node->safe_psql('postgres', q{
CREATE FUNCTION notes(query text, params text[] = NULL, setup text = NULL)
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT n FROM missing_symbol.explain_analyze(query, params, setup, 'json') d,
        json_array_elements_text(d::json -> -1 -> 'Notes') n
$$;
CREATE FUNCTION suggestions(query text, params text[] = NULL, setup text = NULL)
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT f ->> 'Suggestion' FROM missing_symbol.explain_analyze(query, params, setup, 'json') d,
        json_array_elements(d::json -> -1 -> 'Findings') f
$$;
CREATE FUNCTION blocks(query text, params text[] = NULL, setup text = NULL)
RETURNS bigint LANGUAGE sql AS $$
    SELECT (p ->> 'Shared Hit Blocks')::bigint + (p ->> 'Shared Read Blocks')::bigint
    FROM missing_symbol.explain_analyze(query, params, setup, 'json') d, json_extract_path(d::json, '0', 'Plan') p
$$;
});

# the sums of all rows, where they are and who wrote them
my $checksum = join ' UNION ALL ', map
  { "SELECT sum(hashtext(ctid::text || xmin || t::text)::bigint)::text || count(*) FROM $_ t" }
  qw(pgbench_accounts pgbench_branches pgbench_tellers pgbench_history);

#
# pgbench's statements, scale 10
#

my $before = $node->safe_psql('postgres', $checksum);
my %pgbench = (
	'an update by key' => q{'UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2', '{5,77}'},
	'an update of many rows' => q{'UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid <= 20000'},
	'a delete' => q{'DELETE FROM pgbench_tellers WHERE bid = $1', '{3}'},
	'an insert' => q{'INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)', '{1,1,1,-5}'},
	'DDL as setup' => q{'SELECT count(*) FROM pgbench_branches', NULL, 'ALTER TABLE pgbench_accounts DROP COLUMN filler; TRUNCATE pgbench_tellers; DROP TABLE pgbench_history'},
	'an update and an index' => q{'UPDATE pgbench_accounts SET bid = bid WHERE abalance = 1', NULL, 'CREATE INDEX ON pgbench_accounts (abalance)'},
);
foreach my $what (sort keys %pgbench)
{
	$node->safe_psql('postgres', "$explain($pgbench{$what})");
	is($node->safe_psql('postgres', $checksum), $before, "undone: $what");
}

# profile, finding, what-if, index: fewer blocks, as the finding says
my $slow = q{'SELECT count(*) FROM pgbench_accounts WHERE abalance = $1', '{7}'};
my $ddl = $node->safe_psql('postgres', "SELECT suggestions($slow)");
is($ddl, 'CREATE INDEX ON public.pgbench_accounts (abalance)', 'a finding suggests an index');
my $result = $node->safe_psql('postgres', "SELECT blocks($slow, '$ddl') * 100 < blocks($slow)");
is($result, 't', 'as a setup it is used, and few blocks are read');
is($node->safe_psql('postgres', "SELECT count(*) FROM suggestions($slow, '$ddl')"), 0,
	'then there is no finding');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_indexes WHERE tablename = 'pgbench_accounts'}),
	1, 'and no index stays');

# parallel plans
$result = $node->safe_psql('postgres', q{
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT string_agg(line, ' ') FROM missing_symbol.explain_analyze('SELECT count(*) FROM pgbench_accounts WHERE filler <> $1', '{x}') line;
SELECT string_agg(line, ' ') FROM missing_symbol.explain_analyze('SELECT count(*) FROM pgbench_accounts WHERE abalance = 7') line;
});
like($result, qr/Workers Launched: [12] /, 'parallel plans run inside');
like($result, qr/seq_scan_discards on public.pgbench_accounts: 1000000 rows read, 1000000 discarded/,
	'their findings count the rows of all workers');

#
# Cancel and timeouts
#

my $client = RawClient->new($node);

sub cancelled
{
	my ($sql) = @_;

	$client->query($sql)->flush;
	wait_for_event($node, $client->{pid}, 'PgSleep');
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($client->{pid})");
	return join ' ', map { $_->{sqlstate} } grep { $_->{type} eq 'E' } $client->read_until('Z');
}

sub sqlstate
{
	my ($sql) = @_;

	return join ' ', map { $_->{sqlstate} } grep { $_->{type} eq 'E' } $client->query($sql)->run;
}

sub rows
{
	return join '|', map { join ',', map { $_ // '' } @$_ } $client->rows(@_);
}

$client->rows('CREATE TABLE work (id int PRIMARY KEY)');
$client->rows('CREATE TABLE late (id int REFERENCES work DEFERRABLE INITIALLY DEFERRED)');
$client->rows(q{CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(100); RETURN NULL; END$$});
$client->rows(q{CREATE FUNCTION waiting() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN LOCK TABLE work IN SHARE MODE; RETURN NULL; END$$});
foreach my $case (
	[ 'the statement', "$explain('SELECT pg_sleep(100)')" ],
	[ 'the setup', "$explain('SELECT 1', NULL, 'SELECT pg_sleep(100)')" ],
	[ 'a comparison', "SELECT missing_symbol.compare('SELECT pg_sleep(100)', 'SELECT 1')" ])
{
	$client->rows('BEGIN');
	$client->rows('INSERT INTO work VALUES (1)');
	$client->rows('SAVEPOINT s');
	is(cancelled($case->[1]), '57014', "cancelled: $case->[0]");
	$client->rows('ROLLBACK TO s');
	is(rows('SELECT * FROM work'), '1', 'the caller\'s transaction goes on');
	$client->rows('ROLLBACK');
	$client->rows('BEGIN');
	$client->rows("SET LOCAL statement_timeout = '500ms'");
	is(sqlstate($case->[1]), '57014', "timeout: $case->[0]");
	$client->rows('ROLLBACK');
}

# a deferred constraint's outcome is a note, but a cancel is not
$client->rows('CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly()');
is(cancelled("$explain('INSERT INTO late VALUES (NULL)')"), '57014', 'cancelled: deferred constraints');
$client->rows("SET statement_timeout = '500ms'");
is(sqlstate("$explain('INSERT INTO late VALUES (NULL)')"), '57014', 'timeout: deferred constraints');
$client->rows('RESET statement_timeout');
$client->rows('DROP TRIGGER slowly ON late');

# lock_timeout
my $other = RawClient->new($node);
$other->rows('BEGIN');
$other->rows('LOCK TABLE work');
$client->rows("SET lock_timeout = '50ms'");
is(sqlstate("$explain('SELECT * FROM work')"), '55P03', 'lock_timeout holds for the statement');
is(sqlstate("$explain('SELECT 1', NULL, 'LOCK TABLE work')"), '55P03', 'for the setup');
is(sqlstate("SELECT missing_symbol.compare('SELECT * FROM work', 'SELECT 1')"), '55P03', 'for a comparison');
$client->rows('CREATE CONSTRAINT TRIGGER waiting AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION waiting()');
is(sqlstate("$explain('INSERT INTO late VALUES (NULL)')"), '55P03', 'for deferred constraints');
$client->rows('DROP TRIGGER waiting ON late');
$other->rows('ROLLBACK');
$client->rows('RESET lock_timeout');

#
# Locks: what was locked is free again while the caller's transaction is open
#

$client->rows('INSERT INTO work SELECT generate_series(1, 3)');
$client->rows('BEGIN');
$client->rows("$explain('UPDATE work SET id = id WHERE id = 1', NULL, 'LOCK TABLE late; CREATE INDEX ON work ((id + 1))')");
$client->rows("SELECT missing_symbol.compare('DELETE FROM work', 'SELECT * FROM work FOR UPDATE', writes => true)");
$other->rows("SET lock_timeout = '180s'");
is(rows('SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN (\'work\'::regclass, \'late\'::regclass)'),
	'0', 'no lock is left');
is(join(',', map { $_->[0] } $other->rows('DELETE FROM work WHERE id = 1 RETURNING id')), '1',
	'others need not wait');
$client->rows('COMMIT');

# nor does anything else: NOTIFY, prepared statements of the protocol, cursors
$other->rows('LISTEN channel');
$client->rows(q{BEGIN});
$client->rows(qq{$explain('SELECT pg_notify(''channel'', ''undone'')', NULL, 'NOTIFY channel, ''undone''; DECLARE c CURSOR WITH HOLD FOR SELECT 1')});
is(rows('SELECT count(*) FROM pg_cursors WHERE name = \'c\''), '0', 'no cursor is left');
$client->rows(q{NOTIFY channel, 'kept'});
$client->rows('COMMIT');
my @notified = map { (split /\0/, substr($_->{body}, 4))[1] }
  grep { $_->{type} eq 'A' } $other->query('SELECT 1')->run, $other->query('SELECT 1')->run;
is_deeply(\@notified, ['kept'], 'NOTIFY is undone');

# what is not undone
my $file = PostgreSQL::Test::Utils::tempdir() . '/left.txt';
$client->rows(qq{CREATE FUNCTION write_file() RETURNS void LANGUAGE plpgsql AS \$\$BEGIN COPY (SELECT 42) TO '$file'; END\$\$});
is(rows("SELECT note FROM notes('SELECT write_file()') note WHERE note ~ 'COPY'"), "COPY wrote the file '$file'",
	'a file that COPY wrote is named');
is(PostgreSQL::Test::Utils::slurp_file($file), "42\n", 'and is there');
is(rows(q{SELECT notes('SELECT pg_advisory_lock(42)')}), 'session advisory lock (42) is still held',
	'so is a session advisory lock');
is(join(',', map { $_->[0] } $other->rows('SELECT pg_try_advisory_lock(42)')), 'f', 'and is held');
$client->rows('SELECT pg_advisory_unlock(42)');

# many foreign keys to check: each finding once, in little memory
$client->rows('CREATE TABLE parent AS SELECT generate_series(1, 2000) AS id');
$client->rows('ALTER TABLE parent ADD PRIMARY KEY (id)');
$client->rows('CREATE TABLE child AS SELECT i AS id, NULL::int AS parent FROM generate_series(1, 2000) i');
$client->rows('ALTER TABLE child ADD FOREIGN KEY (parent) REFERENCES parent');
is(rows(q{SELECT suggestions('DELETE FROM parent')}), 'CREATE INDEX ON public.child (parent)',
	'a missing index of a foreign key');
is(rows(q{SELECT count(*) FROM suggestions('DELETE FROM parent', NULL, 'CREATE INDEX ON child (parent)')}), '0',
	'and with it, none');

# with another extension's hooks
is($node->safe_psql('postgres', q{
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_nested_statements = on;
SELECT suggestions('SELECT count(*) FROM pgbench_accounts WHERE abalance = 7');
}), 'CREATE INDEX ON public.pgbench_accounts (abalance)', 'with auto_explain analyzing everything');

#
# A standby
#

my $standby = new_standby('explain_standby', $node);
wait_for_replay($node, $standby);
like($standby->safe_psql('postgres', "$explain('SELECT * FROM work WHERE id = 2')"), qr/Scan.* on work.*Findings: none/s,
	'a standby explains');
is(answer($standby, "$explain('DELETE FROM work')"), '25006', 'and does not write');
is($standby->safe_psql('postgres', q{SELECT same_result FROM missing_symbol.compare('TABLE work', 'SELECT * FROM work ORDER BY id', 9) WHERE variant = 'b'}),
	't', 'and compares');
$standby->stop;

#
# Django
#

SKIP: {
	my ($python, $why) = python_with('django', 'psycopg2');

	skip "Django's queries: $why", 1 if $why;

	my ($ok, $out, $err) = run_python($node, ['django_explain.py']);
	my @lines = split /\n/, $out;

	diag $err if $err;
	foreach my $line (@lines)
	{
		my ($verdict, $name) = split / /, $line, 2;
		is($verdict, 'ok', "Django: $name");
	}
	is(scalar @lines, 15, 'all of Django\'s queries have run');
}

$client->disconnect;
$other->disconnect;
clean_log_ok($node);
done_testing();
