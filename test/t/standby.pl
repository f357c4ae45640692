# A hot standby reads counters and refuses to count; promoted, it counts on.
# The same for a read-only transaction.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;

my $primary = new_node('primary', init => [ 'allows_streaming' => 1 ], conf => ['max_prepared_transactions = 2']);
my $sighting = q{'xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym'};

$primary->safe_psql('postgres', q{
CREATE TABLE hits (k text PRIMARY KEY, hits bigint NOT NULL, first_seen timestamptz, last_seen timestamptz)
    WITH (fillfactor = 50);
CREATE TABLE typed (k int PRIMARY KEY, c missing_symbol.counter) WITH (fillfactor = 50);
SELECT missing_symbol.track('typed', throttle => '1 day');
CREATE TABLE parted (LIKE hits INCLUDING ALL) PARTITION BY HASH (k);
CREATE TABLE parted0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT missing_symbol.increment_by('hits', 41, 'a');
SELECT missing_symbol.increment('typed', 1);
SELECT missing_symbol.increment('parted', 'a');
} . "SELECT missing_symbol.record($sighting);");

my $standby = new_standby('standby', $primary);
$primary->safe_psql('postgres', "SELECT missing_symbol.increment('hits', 'a')");
wait_for_replay($primary, $standby);

# What is spilled, deferred or prepared: the standby has the primary's totals.
$primary->safe_psql('postgres', q{
CREATE TABLE spills (k text PRIMARY KEY, hits bigint) WITH (fillfactor = 50);
SELECT missing_symbol.track('spills', spill => true);
SELECT missing_symbol.increment('spills', 'a');
BEGIN;
SELECT missing_symbol.increment('spills', 'a'), missing_symbol.increment('spills', 'held');
PREPARE TRANSACTION 'holder';
SELECT missing_symbol.increment_many('spills', ARRAY['a', 'b', 'held', 'a']);
SET missing_symbol.apply = 'commit';
BEGIN;
SELECT missing_symbol.increment_by('spills', 10, 'a'), missing_symbol.increment_by('spills', 10, 'c');
COMMIT;
});
my $totals = q{
SELECT k, hits, missing_symbol.value('spills', k) FROM missing_symbol.total(NULL::spills) ORDER BY k;
SELECT count(*) FROM missing_symbol.spilled;
};

is($primary->safe_psql('postgres', $totals), "a|13|13\nb|1|1\nc|10|10\nheld|1|1\n3", 'totals with spilled deltas');
wait_for_replay($primary, $standby);
is($standby->safe_psql('postgres', $totals), $primary->safe_psql('postgres', $totals),
	'a standby gives the same totals');
$primary->safe_psql('postgres', "SELECT missing_symbol.fold()");
$primary->safe_psql('postgres', "COMMIT PREPARED 'holder'; SELECT missing_symbol.increment('spills', 'b')");
wait_for_replay($primary, $standby);
is($standby->safe_psql('postgres', $totals), "a|14|14\nb|2|2\nc|10|10\nheld|2|2\n2",
	'and does so after the prepared transaction');
is(answer($standby, 'SELECT missing_symbol.fold()'), '25006', 'it does not fold');
is(answer($standby, q{SELECT missing_symbol.discard_all('spills')}), '25006', 'nor discard');
is(answer($standby, "SET missing_symbol.apply = 'commit'; SELECT missing_symbol.increment('spills', 'a')"),
	'25006', 'nor defer');

my %writers = (
	increment => "missing_symbol.increment('hits', 'a')",
	'increment of a new key' => "missing_symbol.increment('hits', 'new')",
	'increment of a throttled key' => "missing_symbol.increment('typed', 1)",
	'increment in a partitioned table' => "missing_symbol.increment('parted', 'a')",
	increment_by => "missing_symbol.increment_by('hits', 2, 'a')",
	increment_row => q{missing_symbol.increment_row('hits', '{"k": "a"}')},
	increment_many => "missing_symbol.increment_many('hits', ARRAY['a'])",
	increment_rows => q{missing_symbol.increment_rows('hits', '[{"k": "a"}]')},
	record => "missing_symbol.record($sighting)",
	track => "missing_symbol.track('hits', throttle => '1 day')",
	untrack => "missing_symbol.untrack('typed')");
my $state = q{
SELECT missing_symbol.value('hits', 'a'), missing_symbol.value('hits', 'new'),
       missing_symbol.value('typed', 1), missing_symbol.value('parted', 'a');
SELECT path, key, throttle FROM missing_symbol.describe('typed');
SELECT target, throttle FROM missing_symbol.tracked WHERE target <> 'spills'::regclass;
SELECT missing_symbol.hits(c) FROM typed;
SELECT count(*) FROM missing_symbol.missing_pdbs;
SELECT outcome IS NULL FROM missing_symbol.last_increment();
};
my $expected = "42||1|1\nfast|{k}|24:00:00\ntyped|1 day\n1\n1\nt";

is($standby->safe_psql('postgres', $state), $expected, 'a standby reads');
is($primary->safe_psql('postgres', "SET default_transaction_read_only = on; $state"),
	$expected, 'a read-only transaction reads');
foreach my $path ('on', 'off')
{
	my $set = "SET missing_symbol.fast_path = $path;";

	foreach my $what (sort keys %writers)
	{
		is(answer($standby, "$set SELECT $writers{$what}"), '25006', "fast path $path: a standby refuses: $what");
		is(answer($primary, "$set SET default_transaction_read_only = on; SELECT $writers{$what}"),
			'25006', "fast path $path: a read-only transaction refuses: $what");
	}
	like(($standby->psql('postgres', "$set SELECT missing_symbol.increment('hits', 'a')"))[2],
		qr/HINT: .*standby/, "fast path $path: and says what it is");
	# the session goes on
	is($standby->safe_psql('postgres', qq{
$set
DO \$\$ BEGIN PERFORM missing_symbol.increment('hits', 'a'); EXCEPTION WHEN read_only_sql_transaction THEN END \$\$;
SELECT missing_symbol.value('hits', 'a')}), '42', "fast path $path: a standby's session survives");
}
is($standby->safe_psql('postgres', $state), $expected, 'nothing was counted');

# What is prepared on the primary is committed where the standby took over.
$primary->safe_psql('postgres', q{BEGIN; SELECT missing_symbol.increment('hits', 'a'); PREPARE TRANSACTION 'p'});
wait_for_replay($primary, $standby);
$primary->stop;
$standby->promote;
$standby->safe_psql('postgres', "COMMIT PREPARED 'p'");
foreach my $path ('on', 'off')
{
	$standby->safe_psql('postgres', qq{
SET missing_symbol.fast_path = $path;
SELECT missing_symbol.increment('hits', 'a'), missing_symbol.increment('hits', 'new'), missing_symbol.increment('typed', 1);
SELECT missing_symbol.record($sighting)});
}
is($standby->safe_psql('postgres', q{SELECT k, hits FROM hits ORDER BY k}), "a|45\nnew|2", 'promoted, it counts');
is($standby->safe_psql('postgres', 'SELECT missing_symbol.hits(c) FROM typed'), '1', 'and throttles');
is($standby->safe_psql('postgres', q{SELECT missing_symbol.fold(); SELECT k, hits FROM spills ORDER BY k}),
	"2\na|14\nb|2\nc|10\nheld|2", 'and folds');

$standby->stop;
clean_log_ok($primary);
clean_log_ok($standby);
done_testing();
