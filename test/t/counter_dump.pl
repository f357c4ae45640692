# Dump and reload of counters: exact to the microsecond, between databases of
# different time zones and date styles, in every format of pg_dump.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dump');

$node->safe_psql('postgres', q{
CREATE DATABASE source;
ALTER DATABASE source SET TimeZone = 'America/St_Johns';
ALTER DATABASE source SET DateStyle = 'German, DMY';
ALTER DATABASE source SET IntervalStyle = 'sql_standard';
});

# Times all over the calendar, none with a round microsecond; the ends of
# what a counter can hold; a column default, an index and a view that use
# the type.
$node->safe_psql('source', q{
CREATE EXTENSION missing_symbol;
CREATE TABLE counted (
    id int PRIMARY KEY,
    c missing_symbol.counter,
    made missing_symbol.counter DEFAULT missing_symbol.counter());
CREATE INDEX ON counted (c);
CREATE VIEW busy AS
    SELECT id FROM counted
    WHERE c OPERATOR(missing_symbol.>) '500 [2000-01-01 00:00:00+00,2000-01-01 00:00:00+00]';
INSERT INTO counted (id, c)
SELECT n, format('%s [%s,%s]', n - 1000,
                 to_char(first_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00" BC'),
                 to_char(last_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00" BC'))::missing_symbol.counter
FROM generate_series(1, 2000) AS n,
     LATERAL (VALUES ('1800-01-01 00:00:00+00'::timestamptz
                      + n * interval '61 days 3607.000001 seconds')) AS f (first_seen),
     LATERAL (VALUES (first_seen + n * interval '0.000001 seconds')) AS l (last_seen);
INSERT INTO counted VALUES
    (-1, '9223372036854775807 [4714-11-24 00:00:00+00 BC,294276-12-31 23:59:59.999999+00]'),
    (-2, '-9223372036854775808 [0044-03-15 00:00:00.000001+00 BC,0044-03-15 00:00:00.000002+00 BC]'),
    (-3, NULL);
});

my $state = q{
SELECT count(*), count(DISTINCT c), min(id),
       md5(string_agg(concat(id, missing_symbol.counter_send(c), missing_symbol.counter_send(made)), ',' ORDER BY id)),
       (SELECT count(*) FROM busy)
FROM counted};
my $expected = $node->safe_psql('source', $state);
like($expected, qr/^2003\|2002\|-3\|[0-9a-f]{32}\|502$/, 'what is dumped');

my $dir = PostgreSQL::Test::Utils::tempdir;
my %dump = (
	plain => [],
	inserts => ['--inserts'],
	custom => ['--format=custom'],
	quoted => [ '--column-inserts', '--quote-all-identifiers' ]);

foreach my $format (sort keys %dump)
{
	my $target = "target_$format";
	my $file = "$dir/$format.dump";

	$node->safe_psql('postgres', qq{
CREATE DATABASE $target;
ALTER DATABASE $target SET TimeZone = 'Asia/Kathmandu';
ALTER DATABASE $target SET DateStyle = 'SQL, MDY';
});
	$node->command_ok(
		[ 'pg_dump', '--no-sync', "--file=$file", @{ $dump{$format} }, 'source' ],
		"$format: dumped");
	if ($format eq 'custom')
	{
		$node->command_ok([ 'pg_restore', '--exit-on-error', "--dbname=$target", $file ], "$format: reloaded");
	}
	else
	{
		psql_file_ok($node, "$format: reloaded", $file, $target);
	}
	is($node->safe_psql($target, $state), $expected, "$format: the same counters");
}

$node->stop;
done_testing();
