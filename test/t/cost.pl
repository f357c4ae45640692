# What an increment leaves alone: sequences, INSERT triggers, indexes (HOT),
# and WAL; what a throttled one leaves alone: everything.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $node = new_node('cost',
	conf => [ 'full_page_writes = off', 'wal_level = replica', 'bgwriter_lru_maxpages = 0',
			  'checkpoint_timeout = 1h', 'max_prepared_transactions = 2', 'wal_writer_delay = 10s', 'max_wal_size = 4GB' ]);

sub sql { return $node->safe_psql('postgres', join("\n", @_)); }

sub setup_sql
{
	my ($path) = @_;
	return "SET missing_symbol.fast_path = " . ($path eq 'fast' ? 'on' : 'off') . ';';
}

# Counts one key of a table n times, in as many transactions.
sub pgbench
{
	my ($path, $n, $table) = @_;

	local $ENV{PGOPTIONS} = '-c missing_symbol.fast_path=' . ($path eq 'fast' ? 'on' : 'off');
	pgbench_ok($node, "$path, $table: $n transactions",
		[ '--client', 1, '--transactions', $n, '--protocol', 'prepared' ],
		"SELECT missing_symbol.increment('$table', 'k');\n");
}

# One row, counted 10,000 times: one value of the sequence, one INSERT.
foreach my $path ('fast', 'general')
{
	sql(q{
DROP TABLE IF EXISTS hits, fired;
CREATE TABLE hits (id serial UNIQUE, k text PRIMARY KEY, hits bigint NOT NULL,
                   first_seen timestamptz, last_seen timestamptz) WITH (fillfactor = 50);
CREATE TABLE fired (what text);
CREATE OR REPLACE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO fired VALUES (TG_WHEN || ' ' || TG_OP); RETURN new; END $$;
CREATE TRIGGER before_insert BEFORE INSERT ON hits FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER after_insert AFTER INSERT ON hits FOR EACH ROW EXECUTE FUNCTION fire();
});
	is(sql(setup_sql($path), q{
SELECT max(n) FROM (SELECT missing_symbol.increment('hits', 'k') AS n FROM generate_series(1, 5000)) AS s}),
		5000, "$path: 5,000 in a statement");
	pgbench($path, 5000, 'hits');
	is(sql('SELECT id, hits FROM hits'), '1|10000', "$path: counted");
	is(sql('SELECT last_value, is_called FROM hits_id_seq'), '1|t', "$path: one value of the sequence");
	is(sql('SELECT what, count(*) FROM fired GROUP BY what ORDER BY what'),
		"AFTER INSERT|1\nBEFORE INSERT|1", "$path: the INSERT triggers fired once");
	is(sql(setup_sql($path), q{
SELECT incremented FROM missing_symbol.increment_many('hits', ARRAY['k', 'k', 'new']);
SELECT last_value FROM hits_id_seq}), "1\n2", "$path: a batch uses one value for a new key");
}

# EXPLAIN of a query, and the transaction id it took
sub explained
{
	my ($path, $query) = @_;
	return sql(setup_sql($path), qq{
SET lock_timeout = '10s';
BEGIN;
EXPLAIN (ANALYZE, WAL, COSTS OFF, TIMING OFF, SUMMARY OFF) $query;
SELECT 'xid ' || coalesce(pg_current_xact_id_if_assigned()::text, 'none');
COMMIT});
}

# Throttled: no WAL, no transaction id, no lock.
sql(q{
CREATE TABLE throttled (k text PRIMARY KEY, hits bigint NOT NULL, last_seen timestamptz) WITH (fillfactor = 50);
SELECT missing_symbol.track('throttled', throttle => '24 hours');
CREATE TABLE typed (k text PRIMARY KEY, c missing_symbol.counter) WITH (fillfactor = 50);
SELECT missing_symbol.track('typed', throttle => '24 hours');
});
foreach my $path ('fast', 'general')
{
	foreach my $table ('throttled', 'typed')
	{
		my %calls = (
			increment => "SELECT missing_symbol.increment('$table', 'k')",
			increment_by => "SELECT missing_symbol.increment_by('$table', 7, 'k')",
			increment_row => qq{SELECT missing_symbol.increment_row('$table', '{"k": "k"}')},
			increment_many => "SELECT * FROM missing_symbol.increment_many('$table', ARRAY['k', 'k'])");

		sql("TRUNCATE $table");
		like(explained($path, "SELECT missing_symbol.increment('$table', 'k')"),
			qr/WAL: .*xid \d/s, "$path, $table: the first writes WAL and has a transaction id");
		sql("VACUUM $table; CHECKPOINT");

		# the row is locked meanwhile, and nobody waits for it
		sql("BEGIN; SELECT k FROM $table FOR UPDATE; PREPARE TRANSACTION 'holder'");
		my $before = sql("SELECT to_jsonb(t) || jsonb_build_object('xmin', xmin, 'xmax', xmax) FROM $table AS t");
		foreach my $call (sort keys %calls)
		{
			my $plan = explained($path, $calls{$call});

			unlike($plan, qr/WAL/, "$path, $table: a throttled $call writes no WAL");
			like($plan, qr/xid none/, "$path, $table: a throttled $call takes no transaction id");
		}
		is(sql("SELECT to_jsonb(t) || jsonb_build_object('xmin', xmin, 'xmax', xmax) FROM $table AS t"),
			$before, "$path, $table: the row is untouched, its xmax too");
		is(answer($node, setup_sql($path) . qq{
SELECT missing_symbol.increment('$table', 'k') IS NULL, (missing_symbol.last_increment()).outcome}),
			"t|throttled", "$path, $table: outcome");
		sql("COMMIT PREPARED 'holder'");
	}
}

# HOT: every update is, where no index has the counter's columns and pages
# have room; none is where an index on the time forbids it.
sub updates
{
	my ($table) = @_;

	# 15 has no queue between a backend and this function; before, its reports
	# are on their way for a while
	my $relid = "'$table'::regclass";
	$node->poll_query_until('postgres',
		"SELECT pg_stat_get_tuples_updated($relid) >= 1999") or return 'no statistics';
	return sql("SELECT pg_stat_get_tuples_updated($relid), pg_stat_get_tuples_hot_updated($relid)");
}
foreach my $path ('fast', 'general')
{
	sql(q{
DROP TABLE IF EXISTS hot, cold;
CREATE TABLE hot (id serial PRIMARY KEY, k text UNIQUE, note text, hits bigint NOT NULL,
                  first_seen timestamptz, last_seen timestamptz) WITH (fillfactor = 50);
CREATE INDEX ON hot (note);
CREATE TABLE cold (LIKE hot INCLUDING ALL);
CREATE INDEX ON cold (last_seen);
});
	foreach my $table ('hot', 'cold')
	{
		pgbench($path, 2000, $table);
	}
	is(updates('hot'), '1999|1999', "$path: every increment is HOT");
	is(updates('cold'), '1999|0', "$path: none is with an index on the time");
}

# WAL: not more than the statement it replaces, on the same table, for
# existing keys and for new ones.  Bytes of one session alone are exact but
# for what the server logs now and then (a snapshot of running transactions),
# hence the smallest of three, and the allowance of 1 in 100.
sub wal_bytes
{
	my ($prepare, $statement) = @_;
	my $least;

	foreach my $try (1 .. 3)
	{
		my $bytes = sql($prepare, q{
SELECT pg_current_wal_insert_lsn() AS before \gset}, $statement, q{
SELECT pg_current_wal_insert_lsn() - :'before';});
		$bytes =~ s/.*\n//s;
		$least = $bytes if !defined $least || $bytes < $least;
	}
	return $least;
}

my $original = q{
INSERT INTO TABLE (hash, hits, first_seen, last_seen) VALUES ('KEY', 1, clock_timestamp(), clock_timestamp())
ON CONFLICT (hash) DO UPDATE SET hits = TABLE.hits + 1, last_seen = clock_timestamp();
};
my $ours = q{SELECT missing_symbol.increment('TABLE', 'KEY') \g /dev/null
};

sql(q{
CREATE TABLE wal_hot (id serial PRIMARY KEY, hash varchar(32) NOT NULL UNIQUE, hits int NOT NULL,
                      first_seen timestamptz, last_seen timestamptz) WITH (fillfactor = 50);
CREATE TABLE wal_cold (LIKE wal_hot INCLUDING ALL);
CREATE INDEX ON wal_cold (last_seen);
});
foreach my $table ('wal_hot', 'wal_cold')
{
	foreach my $keys ('existing', 'new')
	{
		my %bytes;

		foreach my $variant ('original', 'fast', 'general')
		{
			my $statement = $variant eq 'original' ? $original : $ours;
			my $all = '';

			$statement =~ s/TABLE/$table/g;
			foreach my $i (1 .. 300)
			{
				# not in the order of the index
				my $key = sprintf('%02d', $i * 7 % ($keys eq 'existing' ? 20 : 10007));

				$all .= $statement =~ s/KEY/$key/r;
			}
			$bytes{$variant} = wal_bytes(
				"TRUNCATE $table RESTART IDENTITY;"
				  . ($keys eq 'existing' ? qq{
INSERT INTO $table (hash, hits, first_seen, last_seen)
SELECT to_char(n, 'FM00'), 1, now(), now() FROM generate_series(0, 19) AS n; VACUUM $table;} : '')
				  . setup_sql($variant) . "SELECT 1 FROM missing_symbol.describe('$table');",
				$all);
		}
		foreach my $path ('fast', 'general')
		{
			my $ratio = $bytes{$path} / $bytes{original};

			note(sprintf('%s, %s keys: %s %d bytes of WAL, the original statement %d: %.2f',
				$table, $keys, $path, $bytes{$path}, $bytes{original}, $ratio));
			cmp_ok($ratio, '<=', 1.01, "$table, $keys keys, $path: not more WAL than the original statement");
		}
	}
}

$node->stop;
clean_log_ok($node);
done_testing();
