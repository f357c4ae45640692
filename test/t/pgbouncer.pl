# Behind pgbouncer in transaction mode, where two transactions of a client are
# two sessions of the server: counts are exact, and what a session keeps is not
# relied on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
plan(skip_all => 'there is no pgbouncer (package pgbouncer)') unless $pgbouncer;

my $node = new_node('pooled', conf => [ 'log_statement = none', 'client_min_messages = error' ]);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $short = PostgreSQL::Test::Utils::tempdir_short();
my $port = $node->port;
my $user = $node->safe_psql('postgres', 'SELECT current_user');

$node->safe_psql('postgres', q{
CREATE TABLE hits (k int PRIMARY KEY, count bigint, created_at timestamptz, modified_at timestamptz) WITH (fillfactor = 50);
CREATE TABLE later (LIKE hits INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE spilled (LIKE hits INCLUDING ALL) WITH (fillfactor = 50);
SELECT missing_symbol.track('later', apply => 'commit'), missing_symbol.track('spilled', spill => true)});

PostgreSQL::Test::Utils::append_to_file("$dir/users", qq{"$user" ""\n});
PostgreSQL::Test::Utils::append_to_file("$dir/pgbouncer.ini", join("\n",
	'[databases]',
	'postgres = host=' . $node->host . " port=$port dbname=postgres user=$user",
	'[pgbouncer]',
	'listen_addr =',
	"unix_socket_dir = $short",
	"listen_port = $port",
	'auth_type = any',
	"auth_file = $dir/users",
	"admin_users = $user",
	'pool_mode = transaction',
	'default_pool_size = 4',
	'max_client_conn = 200',
	'ignore_startup_parameters = extra_float_digits',
	"logfile = $dir/pgbouncer.log",
	"pidfile = $dir/pgbouncer.pid",
	''));
my $log = '';
my $running = IPC::Run::start([ $pgbouncer, "$dir/pgbouncer.ini" ], '<', \undef, '>&', \$log);
END { $running->kill_kill if $running }

# through the pooler
sub psql
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAtq', '-h', $short, '-p', $port, '-U', $user, '-d', 'postgres', '-f', '-' ],
		'<', \$sql, '>', \$out, '2>', \$err);
	chomp $out;
	return $err eq '' ? $out : $err;
}

my $up;
foreach (1 .. 9000)
{
	$up = psql('SELECT 1') eq '1';
	last if $up;
	select(undef, undef, undef, 0.1);
}
ok($up, 'there is a pooler') or BAIL_OUT($log);

# ---------------------------------------------------------------------------
# 40 clients on 4 sessions
# ---------------------------------------------------------------------------

my %scripts = (
	now => q{\set k random(1, 20)
SELECT missing_symbol.increment('hits', :k);
},
	block => q{\set k random(1, 20)
BEGIN;
SELECT missing_symbol.increment('later', :k);
SAVEPOINT s;
SELECT missing_symbol.increment('later', :k);
ROLLBACK TO s;
SELECT missing_symbol.increment('hits', :k);
END;
},
	rollback => q{\set k random(1, 20)
BEGIN;
SELECT missing_symbol.increment('hits', :k), missing_symbol.increment('later', :k), missing_symbol.increment('spilled', 1);
ROLLBACK;
},
	hot => q{SELECT missing_symbol.increment('spilled', 1);
},
	many => q{\set k random(1, 19)
SELECT * FROM missing_symbol.increment_many('hits', ARRAY[:k, :k + 1]);
});
my @names = sort keys %scripts;
my %ran;
foreach my $protocol ('simple', 'extended')
{
	my $out = pgbench_ok($node, "40 clients, $protocol protocol",
		[ '--client=40', '--transactions=100', "--protocol=$protocol", '-h', $short, '-p', $port, '-U', $user ], @scripts{@names});

	# pgbench reports each script in the order of the command line
	my @counts = $out =~ /^ - (\d+) transactions \(/mg;
	is(scalar(@counts), scalar(@names), 'each script has a report');
	$ran{ $names[$_] } += $counts[$_] foreach 0 .. $#names;
}
my $sessions = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
cmp_ok($sessions, '<=', 4, "on $sessions sessions");
is(psql('SELECT sum(count) FROM hits'), $ran{now} + $ran{block} + 2 * $ran{many}, 'now: exact');
is(psql('SELECT sum(count) FROM later'), $ran{block}, 'commit: exact');
is(psql(q{SELECT missing_symbol.value('spilled', 1)}), $ran{hot}, 'spill: exact');
psql('SELECT missing_symbol.fold()');
is(psql('SELECT count FROM spilled'), $ran{hot}, 'and folded');

# ---------------------------------------------------------------------------
# What belongs to a session
# ---------------------------------------------------------------------------

is(psql(q{SELECT n, (missing_symbol.last_increment()).outcome FROM missing_symbol.increment('hits', 1000) n}),
	'1|inserted', 'last_increment() in the same statement');
is(psql(q{BEGIN; SELECT missing_symbol.increment('hits', 1001); SELECT outcome, count FROM missing_symbol.last_increment(); END}),
	"1\ninserted|1", 'or in the same transaction');
is(psql(q{BEGIN; SET LOCAL missing_symbol.apply = 'commit';
SELECT missing_symbol.increment('hits', 1001); SELECT outcome FROM missing_symbol.last_increment();
SELECT missing_symbol.value('hits', '1001'); END;
SELECT count FROM hits WHERE k = 1001}), "\ndeferred\n2\n2", 'SET LOCAL goes with the transaction');
is(psql(q{BEGIN; SELECT missing_symbol.profile_start(); SELECT missing_symbol.profile_reset(); SELECT count(*) FROM hits WHERE k = 1;
SELECT missing_symbol.profile_stop(); SELECT text FROM missing_symbol.queries; END}),
	"\n\n1\n\nSELECT count(*) FROM hits WHERE k = 1", 'a profile of one transaction');

# a profile of one transaction is stopped and emptied at its end: whoever has the
# session next reads nothing of it
like(psql(q{SELECT missing_symbol.profile_start(scope => 'transaction')}), qr/only be profiled from inside/, 'a scope needs its transaction');
PostgreSQL::Test::Utils::append_to_file("$dir/look",
	"BEGIN; SELECT pg_backend_pid(), count(*), missing_symbol.profile_summary() FROM missing_symbol.queries; SELECT pg_sleep(1); END;\n");
foreach my $end ('COMMIT', 'ROLLBACK', 'SELECT 1 / 0; ROLLBACK')
{
	my $seen = psql(qq{BEGIN; SELECT missing_symbol.profile_start(scope => 'transaction'); SELECT count(*) FROM hits WHERE k = 1;
SELECT text FROM missing_symbol.queries; $end});
	like($seen, $end =~ m{/} ? qr/division by zero/ : qr/^\n1\nSELECT count\(\*\) FROM hits WHERE k = 1$/, "profiled up to $end");

	# in all sessions of the pool at once
	my @others = map {
		my $out = '';
		{ out => \$out, run => IPC::Run::start([ 'psql', '-XAtq', '-h', $short, '-p', $port, '-U', $user, '-d', 'postgres', '-f', "$dir/look" ], '>', \$out) };
	} 1 .. 4;
	$_->{run}->finish foreach @others;
	my %pids = map { /^(\d+)\|0\|nothing has been profiled$/m ? ($1 => 1) : ($_ => 0) } map { ${ $_->{out} } } @others;
	is(scalar(grep { !$_ } values %pids), 0, scalar(keys %pids) . " sessions know nothing after $end") or diag join("\n", keys %pids);
}

# a procedure that commits keeps its session
psql(q{UPDATE hits SET modified_at = '2020-01-01' WHERE k < 1000});
my $old = psql('SELECT count(*) FROM hits WHERE k < 1000');
like(psql(q{SET client_min_messages = notice; CALL missing_symbol.prune('hits', '1 year', batch => 3)}),
	qr/removed $old, kept 0/, 'prune() commits between batches');
is(psql('SELECT count(*) FROM hits WHERE k < 1000'), 0, 'and has removed them');

$running->kill_kill;
undef $running;
$node->stop;
clean_log_ok($node);
done_testing();
