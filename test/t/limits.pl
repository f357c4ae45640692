# Limits under load: 64 clients at a limit with commits, rollbacks and a crash,
# in windows one after the other; stock that is never below 0; what a refusal
# leaves alone; token buckets against a simulation; and reset() against clients
# that count in every mode.  What a transaction is allowed it notes in a table:
# both are committed, or neither.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use Test::More;
use Time::HiRes qw(usleep);

my $seed = $ENV{MS_SEED} || int(rand(1_000_000_000));
note("MS_SEED=$seed");
srand($seed);

my $node = new_node('limits', conf => [ 'restart_after_crash = on', 'max_connections = 100', 'client_min_messages = error', 'log_statement = none',
	q{missing_symbol.flush_interval = '100ms'} ]);

sub query { return $node->safe_psql('postgres', $_[0]) }

my $path = q{
\if random(0, 1) = 0
SET missing_symbol.fast_path = off;
\else
SET missing_symbol.fast_path = on;
\endif
};

# ---------------------------------------------------------------------------
# 1,000 in a window
# ---------------------------------------------------------------------------

query(q{
CREATE TABLE quota (k text PRIMARY KEY, count bigint NOT NULL, started_at timestamptz) WITH (fillfactor = 10);
SELECT missing_symbol.configure('quota', '{"at_most": 1000, "per": "1 hour", "window": "started_at"}');
CREATE TABLE allowed (hour int, by int);
});

sub quota_scripts
{
	my ($hour, $more) = @_;
	my $clock = "SET missing_symbol.test_clock = '2026-07-01 $hour:" . ($more || '00:00') . "+00';\n";

	return ([ $path . $clock . qq{
INSERT INTO allowed SELECT $hour, 1 WHERE missing_symbol.allow('quota', 1000, 'k');
}, 3 ], [ $path . $clock . qq{
\\set by random(1, 3)
BEGIN;
INSERT INTO allowed SELECT $hour, :by WHERE missing_symbol.increment_by('quota', :by, 'k') IS NOT NULL;
SAVEPOINT s;
INSERT INTO allowed SELECT $hour, 1 WHERE missing_symbol.allow('quota', 1000, 'k');
ROLLBACK TO s;
COMMIT;
}, 2 ], [ $path . $clock . qq{
BEGIN;
SELECT missing_symbol.allow_by('quota', 5, 1000, 'k');
ROLLBACK;
}, 1 ], [ $path . $clock . qq{
SELECT sum(throttled) FROM missing_symbol.increment_many('quota', ARRAY['k', 'k'], ARRAY[1000, 1]);
}, 1 ]);
}

sub window_ok
{
	my ($hour, $want, $what) = @_;

	is(query("SELECT count, (SELECT sum(by) FROM allowed WHERE hour = $hour) FROM quota"), "$want|$want", $what);
	return;
}

foreach my $hour (10, 11)
{
	pgbench_ok($node, "hour $hour: 64 clients", [ '-n', '-t', 40, '-c', 64, '-j', 2, 'postgres' ], quota_scripts($hour, '59:59.999999'));
	window_ok($hour, 1000, "hour $hour: exactly 1,000");
}
# Killed in the middle: what is there is what was noted, and no more
my $killed = start_pgbench($node, [ '-n', '-T', 60, '-c', 64, '-j', 2, 'postgres' ], quota_scripts(13));
$node->poll_query_until('postgres', 'SELECT count(*) > 50 FROM allowed WHERE hour = 13') or die 'nothing was allowed';
my @pids = kill_server($node);
finish_pgbench($killed);
start_killed($node, @pids);
is(query('SELECT count - (SELECT sum(by) FROM allowed WHERE hour = 13), count <= 1000 FROM quota'), '0|t', 'hour 13: after a crash no more than was noted');
pgbench_ok($node, 'hour 13: again', [ '-n', '-t', 40, '-c', 64, '-j', 2, 'postgres' ], quota_scripts(13));
window_ok(13, 1000, 'hour 13: exactly 1,000');
is(query(q{SET missing_symbol.test_clock = '2026-07-01 10:30:00+00';
SELECT a, (missing_symbol.last_increment()).retry_after FROM missing_symbol.allow('quota', 1000, 'k') AS a}), 'f|03:30:00', 'a clock that is set back opens no window again');

# ---------------------------------------------------------------------------
# Stock
# ---------------------------------------------------------------------------

query(q{
CREATE TABLE stock (sku text PRIMARY KEY, count int NOT NULL) WITH (fillfactor = 10);
SELECT missing_symbol.configure('stock', '{"at_least": 0}');
SELECT missing_symbol.set_count('stock', 100, 'x');
CREATE TABLE sold (n int);
CREATE TABLE seen (count int CHECK (count >= 0));
});
pgbench_ok($node, 'stock: 64 clients', [ '-n', '-t', 5, '-c', 64, '-j', 2, 'postgres' ], [ $path . q{
\set n random(1, 3)
INSERT INTO sold SELECT :n WHERE missing_symbol.increment_by('stock', -:n, 'x') IS NOT NULL;
}, 4 ], [ $path . q{
BEGIN;
SELECT missing_symbol.increment_by('stock', -2, 'x');
ROLLBACK;
INSERT INTO seen SELECT count FROM stock;
}, 1 ]);
is(query('SELECT count BETWEEN 0 AND 2, count + (SELECT sum(n) FROM sold) FROM stock'), 't|100', 'stock: sold as far as it goes, and never below 0');

# ---------------------------------------------------------------------------
# What a refusal leaves alone
# ---------------------------------------------------------------------------

foreach my $fast ('on', 'off')
{
	my $plan = query(qq{SET missing_symbol.fast_path = $fast; SET missing_symbol.test_clock = '2026-07-01 13:30:00+00';
SELECT missing_symbol.allow('quota', 1000, 'k');
EXPLAIN (ANALYZE, WAL, COSTS OFF) SELECT missing_symbol.allow('quota', 1000, 'k'), missing_symbol.increment('quota', 'k'), missing_symbol.increment_by('quota', 1001, 'new')});

	like($plan, qr/^f\n.*Result/s, "fast_path $fast: a refused call");
	unlike($plan, qr/WAL/, "fast_path $fast: writes no WAL");
}

# ---------------------------------------------------------------------------
# Token buckets: 10,000 arrivals against a simulation that holds credit
# ---------------------------------------------------------------------------

query(q{
CREATE TABLE buckets (k int PRIMARY KEY, count bigint NOT NULL, full_at timestamptz) WITH (fillfactor = 50);
SELECT missing_symbol.configure('buckets', '{"bucket": "full_at"}');
CREATE TABLE arrivals (i int PRIMARY KEY, k int, at bigint, n int, rate int, per bigint, burst int, allowed boolean, retry bigint);
CREATE FUNCTION arrive() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a record;
    l record;
BEGIN
    FOR a IN SELECT * FROM arrivals ORDER BY i LOOP
        PERFORM set_config('missing_symbol.test_clock', ('2026-07-01 00:00:00+00'::timestamptz + a.at * interval '1 microsecond')::text, true),
                set_config('missing_symbol.fast_path', CASE WHEN a.k % 2 = 0 THEN 'on' ELSE 'off' END, true);
        IF a.n = 1 THEN
            SELECT missing_symbol.allow_rate('buckets', a.rate, a.per * interval '1 microsecond', a.burst, a.k) AS allowed INTO l;
        ELSE
            SELECT missing_symbol.allow_rate_row('buckets', jsonb_build_object('k', a.k), a.rate, a.per * interval '1 microsecond', a.burst, a.n) AS allowed INTO l;
        END IF;
        UPDATE arrivals SET allowed = l.allowed,
            retry = (SELECT extract(epoch FROM retry_after) * 1000000 FROM missing_symbol.last_increment()) WHERE i = a.i;
    END LOOP;
END $$;
});
my ($i, @arrivals, @want, %counted) = (0);
foreach my $k (1 .. 20)
{
	my $rate = 1 + int(rand(50));
	my $per = (1, 7, 60, 3600)[ int(rand(4)) ] * 1_000_000 + int(rand(1000));
	my $burst = 1 + int(rand(12));
	my $step = int($per / $rate);
	my $holds = $burst * $step;
	my ($credit, $now) = ($holds, int(rand(1_000_000)));

	foreach (1 .. 500)
	{
		my $n = rand() < 0.7 ? 1 : 1 + int(rand($burst + 1));
		# pauses of any length, and such that meet the moment to the microsecond
		my $pause = rand() < 0.3 ? $step : rand() < 0.5 ? int(rand($step)) : rand() < 0.5 ? 0 : int(rand(3 * $step));

		$now += $pause;
		$credit = $credit + $pause > $holds ? $holds : $credit + $pause;
		push @arrivals, join "\t", ++$i, $k, $now, $n, $rate, $per, $burst;
		if ($n > $burst) { push @want, 'f|'; }
		elsif ($n * $step <= $credit)
		{
			$credit -= $n * $step;
			$counted{$k} += $n;
			push @want, 't|';
		}
		else
		{
			push @want, 'f|' . ($n * $step - $credit);
			# now and then one comes back just then
			if (rand() < 0.3)
			{
				$now += $n * $step - $credit;
				push @arrivals, join "\t", ++$i, $k, $now, $n, $rate, $per, $burst;
				push @want, 't|';
				$credit = 0;
				$counted{$k} += $n;
			}
		}
	}
}
query("COPY arrivals (i, k, at, n, rate, per, burst) FROM stdin;\n" . join("\n", @arrivals) . "\n\\.\nSELECT arrive();\n");
cmp_ok(scalar @want, '>=', 10000, 'arrivals');
is(query('SELECT allowed, retry FROM arrivals ORDER BY i'), join("\n", @want), 'buckets: the same decisions, to the microsecond');
is(query('SELECT k, count FROM buckets ORDER BY k'), join("\n", map { "$_|$counted{$_}" } sort { $a <=> $b } keys %counted), 'buckets: what was allowed is counted');

# ---------------------------------------------------------------------------
# reset() against clients that count
# ---------------------------------------------------------------------------

my %modes = (now => q{apply => 'now'}, deferred => q{apply => 'commit'}, spilled => q{spill => true}, buffered => q{apply => 'buffer'});

query('CREATE TABLE noted (mode text, n bigint); CREATE TABLE taken (mode text, n bigint)');
my @scripts;
foreach my $mode (sort keys %modes)
{
	query(qq{
CREATE TABLE $mode (k int PRIMARY KEY, count bigint NOT NULL) WITH (fillfactor = 10);
SELECT missing_symbol.track('$mode', $modes{$mode})});
	push @scripts, [ $path . qq{
\\set k random(1, 3)
\\set n random(1, 9)
WITH counted AS (SELECT missing_symbol.increment_by('$mode', :n, :k)) INSERT INTO noted SELECT '$mode', :n FROM counted;
}, 6 ], [ $path . qq{
\\set k random(1, 3)
BEGIN;
@{[ $mode eq 'spilled' ? "INSERT INTO taken SELECT '$mode', missing_symbol.reset('$mode', :k);" : '' ]}
WITH counted AS (SELECT missing_symbol.increment_by('$mode', 3, :k)) INSERT INTO noted SELECT '$mode', 3 FROM counted;
SAVEPOINT s;
WITH counted AS (SELECT missing_symbol.increment_by('$mode', 5, :k)) INSERT INTO noted SELECT '$mode', 5 FROM counted;
ROLLBACK TO s;
INSERT INTO taken SELECT '$mode', missing_symbol.reset('$mode', :k);
COMMIT;
}, 2 ], [ qq{
\\set k random(1, 3)
BEGIN;
INSERT INTO taken SELECT '$mode', missing_symbol.reset('$mode', :k);
ROLLBACK;
INSERT INTO taken SELECT '$mode', coalesce(missing_symbol.set_count('$mode', 7, :k), 0) - 7;
}, 1 ];
}
push @scripts, [ q{SELECT missing_symbol.fold('spilled'); }, 1 ];

sub sums
{
	return { map { split /\|/ } split /\n/, query(join ' UNION ALL ', map { qq{
SELECT '$_', coalesce((SELECT sum(n) FROM noted WHERE mode = '$_'), 0) - coalesce((SELECT sum(n) FROM taken WHERE mode = '$_'), 0)
     - coalesce((SELECT sum(count) FROM missing_symbol.total(NULL::$_)), 0)} } sort keys %modes) };
}

pgbench_ok($node, 'reset: 16 clients', [ '-n', '-t', 60, '-c', 16, '-j', 2, 'postgres' ], @scripts);
is_deeply(sums(), { map { $_ => 0 } keys %modes }, 'reset: what was taken and what is there is what was counted');
$killed = start_pgbench($node, [ '-n', '-T', 60, '-c', 16, '-j', 2, 'postgres' ], @scripts);
usleep(1_500_000);
@pids = kill_server($node);
finish_pgbench($killed);
start_killed($node, @pids);
my $lost = sums();
my $lost_buffered = delete $lost->{buffered};
is_deeply($lost, { map { $_ => 0 } grep { $_ ne 'buffered' } keys %modes }, 'reset: the same after a crash');
cmp_ok($lost_buffered, '>=', 0, "reset: of a buffered table never more ($lost_buffered lost)");
# all of a table, while clients count
@scripts = map { [ $path . qq{
\\set k random(1, 3)
WITH counted AS (SELECT missing_symbol.increment_by('$_', 2, :k)) INSERT INTO noted SELECT '$_', 2 FROM counted;
}, 20 ], [ qq{
INSERT INTO taken SELECT '$_', sum(count) FROM missing_symbol.reset_all(NULL::$_);
}, 1 ] } sort keys %modes;
query(q{UPDATE noted SET n = n - } . $lost_buffered . q{ WHERE ctid = (SELECT min(ctid) FROM noted WHERE mode = 'buffered')});
pgbench_ok($node, 'reset_all: 16 clients', [ '-n', '-t', 40, '-c', 16, '-j', 2, 'postgres' ], @scripts);
is_deeply(sums(), { map { $_ => 0 } keys %modes }, 'reset_all: what was taken and what is there is what was counted');

clean_log_ok($node);
done_testing();
