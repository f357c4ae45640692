# More than one machine: PL/Proxy spreads keys over four servers by hash.
# 100,000 sightings from eight clients, while one of the servers is killed and
# comes back: what is counted is, key by key, what one server would have
# counted.  The requests are those of the file SIGHTINGS, if there is one, a
# CSV file with the columns of record(); else made up.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $sightings = 100_000;
my $clients = 8;

plan(skip_all => 'there is no PL/Proxy (postgresql-NN-plproxy) for this PostgreSQL')
  unless -e pg_config('--sharedir') . '/extension/plproxy.control';

# ---------------------------------------------------------------------------
# The requests
# ---------------------------------------------------------------------------

# lists of symbol, debugid, filename, code_file, code_id
sub read_traffic
{
	my ($file) = @_;
	my @wanted = qw(symbol debugid filename code_file code_id);
	my @traffic;

	open(my $fh, '<', $file) or die "$file: $!";
	chomp(my $header = <$fh>);
	my @names = split(/,/, $header =~ s/["\r]//gr);
	my %place = map { $names[$_] => $_ } 0 .. $#names;
	while (my $line = <$fh>)
	{
		chomp $line;
		next if $line =~ /["\\\t]/;
		my @fields = split(/,/, $line, -1);
		push @traffic, [ map { defined $place{$_} ? $fields[ $place{$_} ] : '' } @wanted ];
	}
	die "$file: there are no requests in it" unless @traffic;
	return @traffic;
}

# 5,000 files, some much more wanted than others
sub make_traffic
{
	srand(8);
	return map {
		my $k = int(5000 * rand()**3);
		my $module = ('xul', 'ntdll', 'kernel32', 'mozglue', 'lgpllibs', 'nss3')[ $k % 6 ] . ($k % 17);
		[ "$module.pdb", sprintf('%033X', $k + 1), "$module.sym", $k % 3 ? '' : "$module.dll", $k % 3 ? '' : sprintf('%x', $k) ];
	} 1 .. $sightings;
}

my @traffic = $ENV{SIGHTINGS} ? read_traffic($ENV{SIGHTINGS}) : make_traffic();
my $file = PostgreSQL::Test::Utils::tempdir() . '/traffic';

open(my $fh, '>', $file) or die "$file: $!";
foreach my $n (1 .. $sightings)
{
	# again from the start where the file is shorter
	print $fh join("\t", $n, map { $_ eq '' ? '\N' : $_ } @{ $traffic[ ($n - 1) % @traffic ] }), "\n";
}
close($fh);
note(scalar(@traffic), $ENV{SIGHTINGS} ? ' requests from a file' : ' requests made up');

# ---------------------------------------------------------------------------
# Four nodes and a proxy
# ---------------------------------------------------------------------------

my @conf = ('log_statement = none', 'max_connections = 30', 'client_min_messages = error');
my @nodes = map { new_node("node$_", conf => \@conf) } 0 .. 3;

# A client that lost its connection does not know whether it has counted.  So
# it numbers its requests: the number is the token.
$_->safe_psql('postgres', q{
CREATE FUNCTION record_once(request bigint, symbol text, debugid text, filename text, code_file text, code_id text)
RETURNS bigint LANGUAGE sql AS $$
    SELECT missing_symbol.increment_row_once('missing_symbol.symbols', request, jsonb_build_object(
        'hash', missing_symbol.hash(symbol, debugid, filename, code_file, code_id), 'symbol', symbol,
        'debugid', debugid, 'filename', filename, 'code_file', code_file, 'code_id', code_id));
$$;
}) foreach @nodes;

my $proxy = new_node('proxy', conf => \@conf);
my $partitions = join(', ', map { sprintf("p%d 'dbname=postgres host=%s port=%s'", $_, $nodes[$_]->host, $nodes[$_]->port) } 0 .. 3);
$proxy->safe_psql('postgres', qq{
CREATE EXTENSION plproxy;
CREATE SERVER counters FOREIGN DATA WRAPPER plproxy OPTIONS (connection_lifetime '60', query_timeout '30', $partitions);
CREATE USER MAPPING FOR PUBLIC SERVER counters;
} . q{
-- the same key always goes to the same node
CREATE FUNCTION record(request bigint, symbol text, debugid text, filename text, code_file text, code_id text)
RETURNS bigint LANGUAGE plproxy AS $$
    CLUSTER 'counters';
    RUN ON pg_catalog.hashtext(missing_symbol.hash(symbol, debugid, filename, code_file, code_id));
    TARGET record_once;
$$;
CREATE FUNCTION all_symbols(OUT hash text, OUT symbol text, OUT hits missing_symbol.counter)
RETURNS SETOF record LANGUAGE plproxy AS $$
    CLUSTER 'counters';
    RUN ON ALL;
    SELECT hash, symbol, hits FROM missing_symbol.symbols;
$$;
-- each node sums up what it has of a module
CREATE FUNCTION all_modules(OUT symbol text, OUT hits missing_symbol.counter)
RETURNS SETOF record LANGUAGE plproxy AS $$
    CLUSTER 'counters';
    RUN ON ALL;
    SELECT symbol, missing_symbol.sum(hits) AS hits FROM missing_symbol.symbols GROUP BY symbol;
$$;
CREATE TABLE traffic (request bigint PRIMARY KEY, symbol text, debugid text, filename text, code_file text, code_id text);
CREATE SEQUENCE failures;
-- one client's share; it insists, and tells how often it had to, and others at once
CREATE FUNCTION replay(client int, clients int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    r traffic;
    failures bigint := 0;
BEGIN
    FOR r IN SELECT * FROM traffic WHERE request % clients = client ORDER BY request LOOP
        LOOP
            BEGIN
                PERFORM record(r.request, r.symbol, r.debugid, r.filename, r.code_file, r.code_id);
                EXIT;
            EXCEPTION WHEN OTHERS THEN
                failures := failures + 1;
                PERFORM nextval('failures'), pg_sleep(0.1);
            END;
        END LOOP;
    END LOOP;
    RETURN failures;
END $$;
});
$proxy->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $proxy->connstr('postgres'),
	'-c', "\\copy traffic FROM '$file'" ], "$sightings requests");

# what one server counts: the proxy's own table; without what it ignores
$proxy->safe_psql('postgres', q{
DELETE FROM traffic WHERE missing_symbol.record(symbol, debugid, filename, code_file, code_id) IS NULL});
my $counted = $proxy->safe_psql('postgres', 'SELECT count(*) FROM traffic');
cmp_ok($counted, '>', $sightings / 2, "one server counts $counted of them");

# ---------------------------------------------------------------------------
# Replay, with a node that dies and comes back
# ---------------------------------------------------------------------------

my @out = ('') x $clients;
my @err = ('') x $clients;
my @running;
my $begin = time;
foreach my $client (0 .. $clients - 1)
{
	push @running, IPC::Run::start([ 'psql', '-XAtq', '-d', $proxy->connstr('postgres'),
		'-c', "SELECT replay($client, $clients)" ], '<', \undef, '>', \$out[$client], '2>', \$err[$client],
		IPC::Run::timeout(900));
}
poll_query_until_ok($nodes[2], 'all are counting', 'SELECT count(*) > 2000 FROM missing_symbol.tokens');
$nodes[2]->stop('immediate');
$proxy->poll_query_until('postgres', 'SELECT is_called FROM failures') or die 'nobody misses it';
$nodes[2]->start;
my $failures = 0;
foreach my $client (0 .. $clients - 1)
{
	ok($running[$client]->finish, "client $client is through") or diag($err[$client]);
	$failures += $out[$client] || 0;
}
note(time - $begin, " s, $failures failures were tried again");
cmp_ok($failures, '>', 0, 'clients have met the dead node');

# ---------------------------------------------------------------------------
# Exactly what one server has
# ---------------------------------------------------------------------------

is($proxy->safe_psql('postgres', 'SELECT missing_symbol.hits(missing_symbol.sum(hits)) FROM all_symbols()'),
	$counted, 'all sightings are counted, none twice');
my $tokens = 0;
$tokens += $_->safe_psql('postgres', 'SELECT count(*) FROM missing_symbol.tokens') foreach @nodes;
is($tokens, $counted, 'each request has one token');
is($proxy->safe_psql('postgres', q{
SELECT count(*) FROM all_symbols() a FULL JOIN missing_symbol.symbols s USING (hash)
WHERE missing_symbol.hits(a.hits) IS DISTINCT FROM missing_symbol.hits(s.hits)}), 0, 'key by key');
is($proxy->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT hash) FROM all_symbols()'), 0,
	'each key is on one node');
foreach my $node (@nodes)
{
	cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM missing_symbol.symbols'), '>', 0,
		$node->name . ' has some');
}
my $modules = $proxy->safe_psql('postgres', q{
SELECT max(n) FROM (SELECT count(*) AS n FROM all_modules() GROUP BY symbol) AS t});
cmp_ok($modules, '>', 1, "files of a module are on up to $modules nodes");

my $top = 'SELECT symbol, missing_symbol.hits(missing_symbol.sum(hits)) FROM %s GROUP BY symbol ORDER BY 2 DESC, 1 LIMIT 10';
my $merged = $proxy->safe_psql('postgres', sprintf($top, 'all_modules()'));
is($merged, $proxy->safe_psql('postgres', sprintf($top, 'missing_symbol.symbols')), 'the top ten');
note("the top ten:\n$merged");
is($proxy->safe_psql('postgres', q{
SELECT bool_and(missing_symbol.first_seen(hits) <= missing_symbol.last_seen(hits)) FROM
    (SELECT missing_symbol.sum(hits) AS hits FROM all_modules() GROUP BY symbol) AS t}), 't', 'and their times');

$_->stop foreach $proxy, @nodes;
clean_log_ok($_) foreach $proxy, @nodes;
done_testing();
