# Sightings in databases of other encodings than UTF-8, where rules and hash
# must be the same; and through pg_dump, which keeps them.
use strict;
use warnings;
use utf8;

use Digest::MD5 qw(md5_hex);
use Encode;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('sightings', init => [ extra => [ '--no-locale', '--encoding=UTF8' ] ]);

# in characters, whatever the database has
sub answer_in
{
	my ($database, $sql) = @_;

	return decode('UTF-8', answer($node, encode('UTF-8', "SET client_encoding = UTF8;\n$sql"), $database));
}

# a character beyond U+00FF of each encoding that has any
my %encodings = (
	UTF8 => '日',
	SQL_ASCII => '日',
	EUC_JP => '日',
	EUC_KR => '日',
	WIN1251 => 'Ж',
	LATIN2 => 'ł',
	LATIN1 => undef);

foreach my $encoding (sort keys %encodings)
{
	my $database = lc "in_$encoding";
	my $char = $encodings{$encoding};

	$node->safe_psql('postgres',
		"CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($database, 'CREATE EXTENSION missing_symbol');

	is(answer_in($database, q{SELECT missing_symbol.hash('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym', 'xul.dll', 'deadbeef')}),
		'f947970ce5ee745817ccdf7a3ea1c4bf', "$encoding: an old hash");
	is(answer_in($database, q{SELECT missing_symbol.record('a|.pdb', 'AB', 'a.sym')}),
		'22023', "$encoding: punctuation is refused");

	# refused in a symbol, not in what hash() and code_file take
	my $latin = $encoding =~ /^(?:UTF8|SQL_ASCII|LATIN1|LATIN2)$/ ? 'é' : '§';

	is(answer_in($database, "SELECT missing_symbol.record('a$latin.pdb', 'AB', 'a.sym')"),
		'22023', "$encoding: U+0080 to U+00FF are refused");
	is(answer_in($database, "SELECT missing_symbol.hash('$latin.pdb', 'AB', 'a.sym', '', '$latin')"),
		md5_hex(encode('UTF-8', "$latin.pdb:AB:a.sym::$latin")),
		"$encoding: the hash is over UTF-8");

	next unless defined $char;

	my $long = $char x 150;
	is(answer_in($database, "SELECT missing_symbol.hash('$char.pdb', 'AB', '$char.sym')"),
		md5_hex(encode('UTF-8', "$char.pdb:AB:$char.sym")),
		"$encoding: the hash of other characters");
	is(answer_in($database, "SELECT missing_symbol.record('$long', 'AB', '$char.sym', '$long', '$long')"),
		1, "$encoding: 150 characters are counted");
	is(answer_in($database, "SELECT missing_symbol.record('$char$long', 'AB', '$char.sym'), (missing_symbol.last_increment()).outcome"),
		'|ignored', "$encoding: 151 characters are ignored");
	is(answer_in($database, 'SELECT symbol, code_id, hash = missing_symbol.hash(symbol, debugid, filename, code_file, code_id) FROM missing_symbol.symbols'),
		"$long|$long|t", "$encoding: stored as given");
}

# what a database without encoding cannot know to be text
is(answer_in('in_sql_ascii', q{SELECT missing_symbol.record(E'\xff.pdb', 'AB', 'a.sym')}),
	'22021', 'SQL_ASCII: bytes that are not UTF-8');

# pg_dump keeps sightings, the settings of their table, and what its owner
# granted
$node->safe_psql('postgres', q{
CREATE ROLE symbol_server;
CREATE DATABASE source;
CREATE DATABASE target;
ALTER DATABASE source SET TimeZone = 'Asia/Kathmandu';
});
$node->safe_psql('source', q{
CREATE EXTENSION missing_symbol;
GRANT SELECT, INSERT, UPDATE ON missing_symbol.symbols TO symbol_server;
SELECT missing_symbol.track('missing_symbol.symbols', throttle => '24 hours');
SET missing_symbol.test_clock = '2026-11-21 01:02:03.456789+00';
SELECT missing_symbol.record('f' || n || '.pdb', to_hex(n), 'f.sym', CASE n % 3 WHEN 0 THEN 'f' || n || '.dll' WHEN 1 THEN '' END,
                             by => n)
FROM generate_series(1, 1000) AS n;
});

my $state = q{
SELECT count(*), sum(missing_symbol.hits(hits)),
       md5(string_agg(concat_ws(',', hash, symbol, debugid, filename, code_file, code_id, missing_symbol.counter_send(hits)), ';' ORDER BY hash)),
       (SELECT string_agg(t::text, ';') FROM missing_symbol.tracked AS t),
       (SELECT relacl::text FROM pg_class WHERE oid = 'missing_symbol.symbols'::regclass)
FROM missing_symbol.symbols};
my $expected = $node->safe_psql('source', $state);
like($expected, qr/^1000\|500500\|/, 'what is dumped');

my $file = PostgreSQL::Test::Utils::tempdir . '/source.sql';
$node->command_ok([ 'pg_dump', '--no-sync', "--file=$file", 'source' ], 'dumped');
psql_file_ok($node, 'reloaded', $file, 'target');
is($node->safe_psql('target', $state), $expected, 'the same sightings');

# and counting goes on where it stopped
is($node->safe_psql('target', q{
SET TimeZone = 'UTC';
SET missing_symbol.test_clock = '2026-11-22 01:02:03.456788+00';
SET SESSION AUTHORIZATION symbol_server;
SELECT missing_symbol.record('f1.pdb', '1', 'f.sym', '');
RESET SESSION AUTHORIZATION;
SET missing_symbol.test_clock = '2026-11-22 01:02:03.456789+00';
SET SESSION AUTHORIZATION symbol_server;
SELECT missing_symbol.record('f1.pdb', '1', 'f.sym', '');
SELECT outcome, count, first_seen, last_seen FROM missing_symbol.last_increment()}),
	"\n2\nincremented|2|2026-11-21 01:02:03.456789+00|2026-11-22 01:02:03.456789+00",
	'counted on, throttled to the microsecond');

$node->stop;
done_testing();
