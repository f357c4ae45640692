# Increments in transactions that are prepared: committed or rolled back by
# another session, in the way of others meanwhile, over a restart and a crash.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use RawClient;
use Test::More;

my $node = new_node('twophase', conf => ['max_prepared_transactions = 10']);

foreach my $path ('on', 'off')
{
	my $set = "SET missing_symbol.fast_path = $path;";

	$node->safe_psql('postgres', q{
DROP TABLE IF EXISTS hits, parent;
CREATE TABLE parent (k text PRIMARY KEY);
INSERT INTO parent VALUES ('a'), ('b'), ('new');
CREATE TABLE hits (k text PRIMARY KEY REFERENCES parent DEFERRABLE INITIALLY DEFERRED,
                   hits bigint NOT NULL, first_seen timestamptz, last_seen timestamptz);
SELECT missing_symbol.increment('hits', 'a');
});

	# what a transaction does, and the rows after it is committed or not
	my %cases = (
		'an increment' => [ "SELECT missing_symbol.increment('hits', 'a')", 'a=2', 'a=1' ],
		'a new key' => [ "SELECT missing_symbol.increment('hits', 'new')", 'a=1 new=1', 'a=1' ],
		'a batch' => [ "SELECT missing_symbol.increment_many('hits', ARRAY['new', 'a', 'b', 'a'])", 'a=3 b=1 new=1', 'a=1' ],
		'savepoints' => [ "SELECT missing_symbol.increment('hits', 'a'); SAVEPOINT s;"
			  . " SELECT missing_symbol.increment('hits', 'b'); ROLLBACK TO SAVEPOINT s;"
			  . " SELECT missing_symbol.increment('hits', 'a')", 'a=3', 'a=1' ]);
	my $rows = q{SELECT string_agg(k || '=' || hits, ' ' ORDER BY k) FROM hits};

	foreach my $case (sort keys %cases)
	{
		my ($work, $committed, $aborted) = @{ $cases{$case} };

		foreach my $end ('COMMIT', 'ROLLBACK')
		{
			foreach my $between ('nothing', 'restart', 'immediate')
			{
				# one crash and one restart for each path are enough
				next if $between ne 'nothing' && $case ne 'a batch';

				$node->safe_psql('postgres', "DELETE FROM hits WHERE k <> 'a'; UPDATE hits SET hits = 1");
				$node->safe_psql('postgres', "$set BEGIN; $work; PREPARE TRANSACTION 'p'");
				is($node->safe_psql('postgres', $rows), 'a=1', "$path, $case: not yet visible");
				is(answer($node, "$set SET lock_timeout = '20ms'; SELECT missing_symbol.increment_many('hits', ARRAY['a', 'new'])"),
					'55P03', "$path, $case: its row is locked");
				if ($between eq 'restart') { $node->restart; }
				elsif ($between eq 'immediate') { $node->stop('immediate'); $node->start; }
				$node->safe_psql('postgres', "$end PREPARED 'p'");
				is($node->safe_psql('postgres', $rows), $end eq 'COMMIT' ? $committed : $aborted,
					"$path, $case: $end PREPARED after $between");
				$node->safe_psql('postgres', "$set SELECT missing_symbol.increment('hits', 'a')");
				my $more = $end eq 'COMMIT' ? $committed : $aborted;
				$more =~ s/a=(\d)/'a=' . ($1 + 1)/e;
				is($node->safe_psql('postgres', $rows), $more, "$path, $case: counts on after $end PREPARED");
			}
		}
	}

	# what is deferred is checked when the transaction is prepared
	is(answer($node, "$set BEGIN; SELECT missing_symbol.increment('hits', 'orphan'); PREPARE TRANSACTION 'p';"),
		'23503', "$path: a deferred foreign key is checked");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), 0, "$path: nothing is left prepared");
}

# The lock of a waiter is given away by a prepared transaction as by any other.
$node->safe_psql('postgres', "UPDATE hits SET hits = 1 WHERE k = 'a'; BEGIN; SELECT missing_symbol.increment('hits', 'a'); PREPARE TRANSACTION 'p'");
my $waiter = RawClient->new($node);
$waiter->query("SELECT missing_symbol.increment('hits', 'a')")->flush;
wait_for_event($node, $waiter->{pid}, 'Lock');
$node->safe_psql('postgres', "COMMIT PREPARED 'p'");
is_deeply([ map { $_->{values} // () } $waiter->read_until('Z') ], [ [3] ], 'a waiter counts on');
$waiter->disconnect;

# The profiler cannot know what becomes of a prepared transaction.
is($node->safe_psql('postgres', q{
SET client_min_messages = warning;
CREATE TABLE prepared (i int);
SELECT missing_symbol.profile_start(), missing_symbol.profile_reset();
BEGIN; INSERT INTO prepared VALUES (1); PREPARE TRANSACTION 'q';
BEGIN; INSERT INTO prepared VALUES (2); COMMIT;
BEGIN; INSERT INTO prepared VALUES (3); ROLLBACK;
BEGIN; INSERT INTO prepared VALUES (4);
SELECT string_agg(coalesce(committed::text, 'open'), ' ' ORDER BY number)
FROM missing_symbol.queries;
ROLLBACK; ROLLBACK PREPARED 'q'}),
	"|\nopen open open true true true false false false open open",
	'the profiler: committed is NULL where it is not known');

# What appending needs is made anew after an error in the middle of it: here a
# lock on an index of the store that is not to be had.
my (undef, $appended) = $node->psql('postgres', q{
SET client_min_messages = error;
SET missing_symbol.worker = off;
CREATE TABLE appended (k text PRIMARY KEY, count bigint);
SELECT missing_symbol.track('appended', apply => 'buffer');
BEGIN; ALTER INDEX missing_symbol.buffered_target_hash_idx SET TABLESPACE pg_default; PREPARE TRANSACTION 'index';
SET lock_timeout = '50ms';
SELECT missing_symbol.increment('appended', 'refused');
RESET lock_timeout;
ROLLBACK PREPARED 'index';
SELECT missing_symbol.increment('appended', 'x') FROM generate_series(1, 3);
SELECT string_agg(k || ': ' || count, ', ') FROM missing_symbol.total(NULL::appended)}, on_error_stop => 0);
is($appended, "\n\n\n\nx: 3", 'a session that could not append appends again');

$node->stop;
clean_log_ok($node);
done_testing();
