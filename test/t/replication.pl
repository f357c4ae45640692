# Logical replication of a target and of missing_symbol.spilled and tokens: another
# server has the same totals, whatever is spilled, folded or in progress; a copy
# that starts with spilled increments; and it knows what has been counted.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = new_node('publisher', init => [ allows_streaming => 'logical' ],
	conf => [ 'max_prepared_transactions = 5', 'log_statement = none', 'client_min_messages = error' ]);
my $subscriber = new_node('subscriber', init => [ allows_streaming => 'logical' ],
	conf => ['log_statement = none', 'client_min_messages = error']);

my $tables = q{
CREATE SCHEMA stats;
CREATE TABLE stats.page_views (page text, day date, hits bigint NOT NULL, first_seen timestamptz, last_seen timestamptz, title text,
    PRIMARY KEY (page, day)) WITH (fillfactor = 50);
CREATE TABLE stats.typed (k numeric PRIMARY KEY, c missing_symbol.counter);
};
$_->safe_psql('postgres', $tables) foreach $publisher, $subscriber;
$publisher->safe_psql('postgres', q{
SELECT missing_symbol.track('stats.page_views', spill => true), missing_symbol.track('stats.typed', spill => true);
CREATE PUBLICATION counters FOR TABLE stats.page_views, stats.typed, missing_symbol.spilled, missing_symbol.tokens;
});

# Somebody has the rows, so that increments are spilled.
sub hold
{
	$publisher->safe_psql('postgres', q{
BEGIN;
SELECT missing_symbol.increment('stats.page_views', 'home', '2026-11-21'), missing_symbol.increment('stats.typed', 1.0);
PREPARE TRANSACTION 'holder'});
}

my $totals = q{
SELECT page, day, hits, first_seen, last_seen, title FROM missing_symbol.total(NULL::stats.page_views) ORDER BY 1, 2;
SELECT k, c FROM missing_symbol.total(NULL::stats.typed) ORDER BY 1;
SELECT missing_symbol.value('stats.page_views', 'home', '2026-11-21'), missing_symbol.value('stats.typed', '1.00');
};

sub same_totals
{
	my ($what) = @_;

	$publisher->wait_for_catchup('counters');
	is($subscriber->safe_psql('postgres', $totals), $publisher->safe_psql('postgres', $totals), $what);
}

sub spilled
{
	my ($node) = @_;

	return $node->safe_psql('postgres', 'SELECT count(*) FROM missing_symbol.spilled');
}

# ---------------------------------------------------------------------------
# What is there when the subscription begins
# ---------------------------------------------------------------------------

$publisher->safe_psql('postgres', q{
SELECT missing_symbol.increment_once_by('stats.page_views', 'first', 5, 'home', '2026-11-21'), missing_symbol.increment('stats.typed', 1)});
hold();
$publisher->safe_psql('postgres', q{
SELECT missing_symbol.increment_row('stats.page_views', '{"page": "home", "day": "2026-11-21", "title": "Home"}', 10);
SELECT missing_symbol.increment_by('stats.typed', 100, 1.00)});
# a subscription does not begin before all transactions at hand have ended
$publisher->safe_psql('postgres', q{ROLLBACK PREPARED 'holder'});
is(spilled($publisher), 2, 'something is spilled');

my $connstr = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION counters CONNECTION '$connstr' PUBLICATION counters");
$publisher->wait_for_catchup('counters');
$subscriber->poll_query_until('postgres',
	q{SELECT count(*) = 4 FROM pg_subscription_rel WHERE srsubstate IN ('s', 'r')})
  or die 'the tables are not copied';
is(spilled($subscriber), 2, 'it is copied');
is($subscriber->safe_psql('postgres', 'SELECT DISTINCT target::text FROM missing_symbol.spilled ORDER BY 1'),
	"stats.page_views\nstats.typed", 'for the tables of the same name');
same_totals('totals after the copy');
like($subscriber->safe_psql('postgres', $totals), qr/\|15\|.*\n.*101 \[/, 'which are what was counted');

# ---------------------------------------------------------------------------
# What comes later
# ---------------------------------------------------------------------------

hold();
$publisher->safe_psql('postgres', q{
SELECT missing_symbol.increment('stats.page_views', 'home', '2026-11-21');
SELECT missing_symbol.increment('stats.typed', 1.000);
SELECT missing_symbol.increment('stats.typed', 2)});
is(spilled($publisher), 4, 'more is spilled');
same_totals('totals while it is spilled');

$publisher->safe_psql('postgres', q{ROLLBACK PREPARED 'holder'; SELECT missing_symbol.fold()});
is(spilled($publisher), 0, 'it is folded');
same_totals('totals after fold()');
is(spilled($subscriber), 0, 'nothing is spilled there either');

# load: a hot key, savepoints, rollbacks, batches, folds
for my $round (1 .. 3)
{
	hold();
	pgbench_ok($publisher, "round $round", [ '--client=8', '--transactions=100' ],
		q{SELECT missing_symbol.increment('stats.page_views', 'home', '2026-11-21');
}, q{\set k random(1, 5)
BEGIN;
SELECT missing_symbol.increment_by('stats.typed', :k, :k::numeric);
SAVEPOINT s;
SELECT missing_symbol.increment('stats.typed', :k::numeric);
ROLLBACK TO s;
SELECT missing_symbol.increment_rows('stats.page_views', '[{"page": "a", "day": "2026-11-21"}, {"page": "home", "day": "2026-11-21"}]');
END;
}, q{BEGIN;
SELECT missing_symbol.increment('stats.page_views', 'home', '2026-11-21');
ROLLBACK;
}, q{SELECT missing_symbol.fold();
});
	cmp_ok(spilled($publisher), '>', 0, 'some of it is spilled');
	same_totals("totals after round $round, some spilled");
	$publisher->safe_psql('postgres', q{ROLLBACK PREPARED 'holder'; SELECT missing_symbol.fold()});
	same_totals("totals after round $round, folded");
}

# prune() is a DELETE like any other
$publisher->safe_psql('postgres', q{
UPDATE stats.typed SET c = '1 [2020-01-01,2020-01-01]' WHERE k = 5;
CALL missing_symbol.prune('stats.typed', '1 year')});
same_totals('totals after prune()');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM stats.typed WHERE k = 5'), 0, 'pruned there, too');

# what was counted once; a token that is given back, and one that expires
$publisher->safe_psql('postgres', q{
SELECT missing_symbol.increment_once('stats.typed', 'second', 7.0);
BEGIN; SELECT missing_symbol.increment_once('stats.typed', 'undone', 7.0); ROLLBACK;
SET missing_symbol.test_clock = '2020-01-01';
SELECT missing_symbol.increment_once('stats.typed', 'old', 7.0);
RESET missing_symbol.test_clock;
CALL missing_symbol.expire_tokens()});
same_totals('totals of what was counted once');
is($subscriber->safe_psql('postgres', 'SELECT target, count(*) FROM missing_symbol.tokens GROUP BY target ORDER BY target::text'),
	"stats.page_views|1\nstats.typed|1", 'its tokens are there');

# The copy takes over: its own counting goes on from there.
$subscriber->safe_psql('postgres', q{DROP SUBSCRIPTION counters; SELECT missing_symbol.fold()});
is($subscriber->safe_psql('postgres', q{SELECT missing_symbol.increment_once('stats.page_views', t, 'elsewhere', '2026-11-21'), (missing_symbol.last_increment()).outcome
FROM unnest('{first,third}'::text[]) t}), "|duplicate\n1|inserted", 'what was counted here is not counted again there');
my $home = $publisher->safe_psql('postgres', q{SELECT missing_symbol.value('stats.page_views', 'home', '2026-11-21')});
is($subscriber->safe_psql('postgres', q{SELECT missing_symbol.increment('stats.page_views', 'home', '2026-11-21')}),
	$home + 1, 'counting goes on there');

$_->stop foreach $subscriber, $publisher;
clean_log_ok($_) foreach $publisher, $subscriber;
done_testing();
