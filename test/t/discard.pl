# discard: random transactions with savepoints against a model of them; prepared
# transactions; and a server that is killed while some count and others discard:
# what is spilled is exact, what is buffered never more than was counted.
#
# What a transaction counts, or discards, it also notes in a logged table: both
# are committed, or neither, whatever the client was told.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $seed = $ENV{MS_SEED} || int(rand(1_000_000_000));
note("MS_SEED=$seed");
srand($seed);

my $node = new_node('discard', conf => [ 'restart_after_crash = on', 'max_connections = 40',
	'max_prepared_transactions = 10', 'client_min_messages = error', 'log_statement = none',
	q{missing_symbol.flush_interval = '200ms'} ]);
my $dir = PostgreSQL::Test::Utils::tempdir();

sub query { return $node->safe_psql('postgres', $_[0]) }

# ---------------------------------------------------------------------------
# Savepoints, against a model
# ---------------------------------------------------------------------------

my @keys = ('a' .. 'd');
my @roles = ('one', 'two');

query(q{
CREATE TABLE model (k text PRIMARY KEY, count bigint);
CREATE ROLE one; CREATE ROLE two;
GRANT SELECT, INSERT, UPDATE ON model TO one, two;
});

# What a key has: in its row, and what has not reached that; undef: nothing
sub value
{
	my ($row, $waits) = @_;

	return defined $row || defined $waits ? ($row || 0) + ($waits || 0) : '';
}

# A random script, and what it answers: after each step the values of all keys
sub script
{
	my ($apply, $path) = @_;
	my $sql = "SET missing_symbol.fast_path = $path; SET missing_symbol.worker = off;\n";
	my ($expected, %row, %waits) = ('');
	my $step = sub {
		$sql .= shift() . " \\g /dev/null\n"
		  . 'SELECT concat_ws(\' \', ' . join(', ', map { "coalesce(missing_symbol.value('model', '$_')::text, '-')" } @keys) . ");\n";
		$expected .= join(' ', map { my $v = value($row{$_}, $waits{$_}); $v eq '' ? '-' : $v } @keys) . "\n";
	};
	my $merge = sub {
		foreach (keys %waits) { $row{$_} += $waits{$_}; }
		%waits = ();
	};

	foreach my $transaction (1 .. 120)
	{
		my %before = %waits;
		my @savepoints;

		$sql .= "BEGIN;\n";
		foreach (1 .. 4 + int(rand(20)))
		{
			my $what = int(rand(11));
			my $k = $keys[ int(rand(@keys)) ];

			if ($what <= 3)
			{
				my $by = 1 + int(rand(9));
				my $role = $roles[ int(rand(@roles)) ];

				$waits{$k} += $by;
				$sql .= "SET ROLE $role;\nSELECT missing_symbol.increment_by('model', $by, '$k') \\g /dev/null\n";
				$step->('RESET ROLE');
			}
			elsif ($what <= 5)
			{
				delete $waits{$k};
				$step->("SELECT missing_symbol.discard('model', '$k')");
			}
			elsif ($what == 6)
			{
				%waits = ();
				$step->("SELECT missing_symbol.discard_all('model')");
			}
			elsif ($what <= 8)
			{
				push @savepoints, {%waits};
				$sql .= 'SAVEPOINT s' . @savepoints . ";\n";
			}
			elsif (@savepoints)
			{
				# an outer one takes the inner ones along
				my $n = 1 + int(rand(@savepoints));

				if ($what == 9)
				{
					$#savepoints = $n - 2;
					$step->("RELEASE s$n");
				}
				else
				{
					$#savepoints = $n - 1;
					%waits = %{ $savepoints[-1] };
					$step->("ROLLBACK TO s$n");
				}
			}
		}
		if (rand() < 0.2)
		{
			%waits = %before;
			$step->('ROLLBACK');
		}
		else
		{
			$merge->() if $apply eq 'commit';
			$step->('COMMIT');
		}
		if (rand() < 0.2)
		{
			$merge->();
			$step->("SELECT missing_symbol.fold('model')");
		}
		if (rand() < 0.1)
		{
			%row = ();
			$step->('DELETE FROM model');
		}
	}
	return ($sql, $expected);
}

foreach my $apply ('commit', 'buffer')
{
	foreach my $path ('on', 'off')
	{
		my ($sql, $expected) = script($apply, $path);
		my ($rc, $out, $err);

		query("TRUNCATE model; SELECT missing_symbol.track('model', apply => '$apply')");
		($rc, $out, $err) = $node->psql('postgres', $sql);
		is($err, '', "$apply, fast path $path: no error");
		is("$out\n", $expected, "$apply, fast path $path: as the model has it");
		query("SELECT missing_symbol.discard_all('model')");
	}
}

# ---------------------------------------------------------------------------
# Prepared transactions
# ---------------------------------------------------------------------------

query(q{
SET missing_symbol.worker = off; TRUNCATE model; SELECT missing_symbol.increment('model', k) FROM unnest('{a,b}'::text[]) k;
BEGIN; SELECT missing_symbol.discard('model', 'a'); PREPARE TRANSACTION 'discards'});
is(query(q{SET missing_symbol.worker = off; SELECT missing_symbol.fold('model'); SELECT k, count FROM missing_symbol.total(NULL::model) ORDER BY k}),
	"1\na|1\nb|1", 'prepared: not gone yet');
is(answer($node, q{SET lock_timeout = '100ms'; SELECT missing_symbol.discard('model', 'a')}), '55P03', 'and waited for');
query(q{ROLLBACK PREPARED 'discards'});
is(query(q{SELECT missing_symbol.value('model', 'a')}), '1', 'rolled back: it is there');
query(q{BEGIN; SELECT missing_symbol.discard_all('model'); PREPARE TRANSACTION 'discards'});
$node->stop('fast');
$node->start;
query(q{COMMIT PREPARED 'discards'});
is(query(q{SELECT k, count FROM missing_symbol.total(NULL::model) ORDER BY k}), 'b|1', 'committed after a restart: it is gone');

# ---------------------------------------------------------------------------
# A server that is killed
# ---------------------------------------------------------------------------

# a prepared transaction has the rows of spills: all that is counted there is spilled
query(q{
CREATE TABLE buffers (k int PRIMARY KEY, hits bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE spills (LIKE buffers INCLUDING ALL);
SELECT missing_symbol.track('buffers', apply => 'buffer'), missing_symbol.track('spills', spill => true);
CREATE TABLE counted (target text, k int, n bigint);
CREATE TABLE discarded (LIKE counted);
INSERT INTO spills SELECT k, 0 FROM generate_series(1, 5) k;
BEGIN; UPDATE spills SET hits = hits; PREPARE TRANSACTION 'holder';
});

# Counts, and discards all of a key that its snapshot shows, with a note of what
# that was.  Somebody may have merged some of it since: 40001, and nothing is noted.
my %scripts = (
	count => sub {
		my ($target, $k, $n) = (('buffers', 'spills')[ int(rand(2)) ], 1 + int(rand(5)), 1 + int(rand(3)));

		return "BEGIN; SELECT missing_symbol.increment_by('$target', $n, $k); INSERT INTO counted VALUES ('$target', $k, $n); "
		  . (rand() < 0.1 ? 'ROLLBACK' : 'COMMIT') . ";\n";
	},
	discard => sub {
		my ($target, $k) = (('buffers', 'spills')[ int(rand(2)) ], 1 + int(rand(5)));

		return "BEGIN ISOLATION LEVEL REPEATABLE READ;\n"
		  . join("\n", map { "INSERT INTO discarded SELECT '$target', $k, delta FROM missing_symbol.$_ WHERE target = '$target'::regclass AND key = '{$k}';" }
			  ('buffered', 'spilled'))
		  . "\nSELECT missing_symbol.discard('$target', $k);\n" . (rand() < 0.2 ? 'ROLLBACK' : 'COMMIT') . ";\n";
	},
	fold => sub { return "SELECT missing_symbol.fold();\nSELECT pg_sleep(0.01);\n" });
my @clients = (('count') x 6, ('discard') x 2, 'fold');

foreach my $name (keys %scripts)
{
	PostgreSQL::Test::Utils::append_to_file("$dir/$name.sql", join('', map { $scripts{$name}->() } 1 .. 20000));
}

# keys that have what they should not
sub wrong
{
	my ($target, $operator) = @_;

	return query(qq{
SELECT k, t.hits, c.n, d.n FROM missing_symbol.total(NULL::$target) t
FULL JOIN (SELECT k, sum(n) AS n FROM counted WHERE target = '$target' GROUP BY k) c USING (k)
FULL JOIN (SELECT k, sum(n) AS n FROM discarded WHERE target = '$target' GROUP BY k) d USING (k)
WHERE NOT coalesce(t.hits, 0) $operator coalesce(c.n, 0) - coalesce(d.n, 0) ORDER BY k});
}

foreach my $how ('fast', 'the postmaster', 'a backend', 'immediate')
{
	my (@handles, @server);

	foreach my $client (@clients)
	{
		push @handles, IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', '-d', $node->connstr('postgres'), '-f', "$dir/$client.sql" ],
			'<', \undef, '>', '/dev/null', '2>', '/dev/null');
	}
	$node->poll_query_until('postgres', q{SELECT count(*) > 20 FROM discarded});
	usleep(500_000 + rand(1_000_000));
	if ($how eq 'the postmaster') { @server = kill_server($node); }
	elsif ($how eq 'a backend')
	{
		# which may be between two statements that say so
		my $pid = '';

		for (1 .. 1000)
		{
			$pid = query(q{SELECT pid FROM pg_stat_activity WHERE query LIKE '%discard%' AND pid <> pg_backend_pid() LIMIT 1});
			last if $pid ne '';
		}
		kill 9, $pid;
	}
	else { $node->stop($how); }
	$_->finish foreach @handles;
	if ($how eq 'the postmaster') { start_killed($node, @server); }
	elsif ($how ne 'a backend') { $node->start; }
	wait_until_up($node);
	is(wrong('spills', '='), '', "$how: what is spilled is exact");
	is(wrong('buffers', $how eq 'fast' ? '=' : '<='), '', $how eq 'fast' ? "$how: so is what is buffered" : "$how: what is buffered is never more");
}
cmp_ok(query(q{SELECT min(n) FROM (SELECT count(*) AS n FROM discarded GROUP BY target) s}), '>', 50, 'increments of both tables were discarded');
query(q{ROLLBACK PREPARED 'holder'; SELECT missing_symbol.flush()});
is(query(q{SELECT count(*) FROM missing_symbol.spilled}), '0', 'the rest is merged');
is(wrong('spills', '='), '', 'and exact');

$node->stop;
clean_log_ok($node);
done_testing();
