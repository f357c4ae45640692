# What ORMs send, recorded (test/corpus), and what is to be found in it: every
# true N+1 with its source, and nothing else.  A stream's name says what: so many
# candidates that are strong, burst or pipelined; "fire", some; "silent", none.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use RawClient;
use Recorded;
use Test::More;

my $node = new_node('corpus', conf => ['missing_symbol.unit_gap = -1']);

my $schema = PostgreSQL::Test::Utils::slurp_file("$FindBin::RealBin/../corpus/schema.sql");

foreach my $file (sort glob("$FindBin::RealBin/../corpus/*.txt"))
{
	my ($orm) = $file =~ m{([^/]+)\.txt$};

	$node->safe_psql('postgres', "CREATE DATABASE $orm");
	$node->safe_psql($orm, $schema);
	$node->safe_psql($orm, 'CREATE EXTENSION missing_symbol');

	my $client = RawClient->new($node, database => $orm);
	my ($before, @streams) = Recorded::sections($file);

	is_deeply([ Recorded::replay($client, @{ $before->[1] }) ], [], "$orm: connects");
	$client->rows('SELECT missing_symbol.profile_start()');
	cmp_ok(scalar @streams, '>', 5, "$orm: " . @streams . ' streams');
	foreach my $stream (@streams)
	{
		my ($name, $messages) = @$stream;
		my ($evidence, $n) = $name =~ /^(\w+) ?(\d*):/;

		$client->rows('SELECT missing_symbol.profile_reset()');
		my @errors = Recorded::replay($client, @$messages);
		is_deeply([ grep { $name !~ /retry/ || !/duplicate key/ } @errors ], [], "$orm: $name: is sent");
		my @found = $client->rows(q{SELECT repeats, evidence, text, source FROM missing_symbol.n_plus_one WHERE evidence <> 'loop'});
		if ($evidence eq 'fire')
		{
			cmp_ok(scalar @found, '>', 0, "$orm: $name");
			next;
		}
		my @expected = grep { $_->[1] eq $evidence } @found;
		is(scalar(@expected) . ' of ' . @found, ($n || 0) . ' of ' . ($n || 0), "$orm: $name") or diag explain \@found;
		# what is read first, and looked up for
		is(scalar(grep { ($_->[3] // '') =~ /from\W+(\w+\W+)?(sa_|pg_)?(book|note)\b/i } @expected), $n, "$orm: $name: its source")
		  or diag explain \@found if $evidence eq 'strong';
	}
	$client->disconnect;
}
done_testing();
