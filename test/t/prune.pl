# prune() under load: whatever it removes while others count, with every way to
# reach a row, an increment is either in what was removed or in what is there,
# never in both or neither.  A trigger keeps what was removed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Ledger;
use MissingSymbolTest;
use RawClient;
use Test::More;

my $node = new_node('prune', conf => [ 'log_statement = none', 'client_min_messages = error' ]);

my %targets = (
	waits => q{apply => 'now'},
	spills => q{spill => true},
	commits => q{apply => 'commit', spill => true},
	buffers => q{apply => 'buffer'});

$node->safe_psql('postgres', q{
CREATE TABLE removed (target name, k int, count bigint);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO removed VALUES (tg_table_name, old.k, old.count);
    RETURN NULL;
END $$});
my $ledger = Ledger->new($node);
foreach my $target (sort keys %targets)
{
	$node->safe_psql('postgres', qq{
CREATE TABLE $target (k int PRIMARY KEY, count bigint, created_at timestamptz, modified_at timestamptz) WITH (fillfactor = 50);
CREATE TRIGGER keep AFTER DELETE ON $target FOR EACH ROW EXECUTE FUNCTION keep();
SELECT missing_symbol.track('$target', $targets{$target})});
}

my $transactions = 150;
my $clients = 8;
foreach my $target (sort keys %targets)
{
	# a transaction adds 1 to one key and 2 to another, or nothing
	pgbench_ok($node, "$target: counting while prune() runs",
		[ "--client=$clients", "--transactions=$transactions" ],
		qq{\\set k random(1, 20)
BEGIN;
SELECT missing_symbol.increment('$target', :k);
SAVEPOINT s;
SELECT missing_symbol.increment_by('$target', 100, :k);
ROLLBACK TO s;
SELECT missing_symbol.increment_by('$target', 2, 21);
INSERT INTO ledger VALUES ('$target', :k, 1), ('$target', 21, 2);
END;
}, qq{BEGIN;
SELECT missing_symbol.increment('$target', 21);
ROLLBACK;
}, qq{CALL missing_symbol.prune('$target', '0', batch => 3);
}, qq{SELECT missing_symbol.fold('$target');
});
	my $removed = "SELECT k, count FROM removed WHERE target = '$target'";
	my $sums = sub { "(SELECT k, sum(count) AS count FROM ($_[0]) AS s GROUP BY k)" };

	cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM ($removed AND count > 0) AS r"), '>', 0, "$target: some was removed");
	is($ledger->differences($target, source => $sums->("$removed UNION ALL SELECT k, count FROM missing_symbol.total(NULL::$target)")),
		'', "$target: nothing is lost, nothing twice");

	# what is left goes, once it is in its row
	$node->poll_query_until('postgres', "SELECT missing_symbol.fold('$target') IS NOT NULL AND NOT EXISTS (SELECT FROM missing_symbol.buffered) AND NOT EXISTS (SELECT FROM missing_symbol.spilled)");
	$node->safe_psql('postgres', "CALL missing_symbol.prune('$target', '0')");
	is($node->safe_psql('postgres', "SELECT count(*) FROM missing_symbol.total(NULL::$target)"), 0, "$target: all of it goes");
	is($ledger->differences($target, source => $sums->($removed)), '', "$target: and is what was counted");
}

# cut short in the middle of a batch: the batches before stay, no more
$node->safe_psql('postgres', q{
TRUNCATE waits, removed;
INSERT INTO waits SELECT g, g, '2020-01-01', '2020-01-01' FROM generate_series(1, 10) g;
CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.k = 6 THEN PERFORM pg_sleep(600); END IF;
    RETURN old;
END $$;
CREATE TRIGGER hang BEFORE DELETE ON waits FOR EACH ROW EXECUTE FUNCTION hang()});
my $client = RawClient->new($node);
$client->query(q{CALL missing_symbol.prune('waits', '1 day', batch => 4)})->flush;
wait_for_event($node, $client->{pid}, 'PgSleep');
$client->cancel;
is(join(' ', map { $_->{sqlstate} } grep { $_->{type} eq 'E' } $client->read_until('Z')), '57014', 'cancelled');
$client->disconnect;
is($node->safe_psql('postgres', q{SELECT string_agg(k::text, ' ' ORDER BY k) FROM waits}), '5 6 7 8 9 10', 'what was committed is gone');
is($node->safe_psql('postgres', q{
DROP TRIGGER hang ON waits;
CALL missing_symbol.prune('waits', '1 day', batch => 4);
SELECT count(*) FROM waits}), 0, 'the rest goes the next time');

$node->stop;
clean_log_ok($node);
done_testing();
