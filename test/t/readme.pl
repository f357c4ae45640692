# README.md and the documents in doc/, word for word: their SQL examples run,
# from the top, without a warning, and give what they say.  A document starts
# from what README leaves: each has a copy of its database.  The first commands,
# in a shell, are run by make test-door (quickstart).  Those marked "not run by
# the tests" say why; what they do is tested elsewhere.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('readme', conf => ['missing_symbol.advice_time = 1min']);

# an example's file
append_to_file("$dir/workload.sql", "SELECT count(*) FROM book;\n");

my ($database, $examples, $results);

# psql says after each line that has "-- 42" at its end what should be there.
sub run_example
{
	my ($what, $text) = @_;
	my ($out, $err) = ('', '');

	$text =~ s/^(SELECT .*;\s+-- (\d+))$/\\echo expected $2\n$1/mg;
	open my $file, '>', "$dir/example.sql" or die $!;
	print $file $text;
	close $file;
	my $ok = IPC::Run::run(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', "$dir/example.sql" ],
		'>', \$out, '2>', \$err, init => sub { chdir $dir });
	ok($ok && $err !~ /WARNING|ERROR|FATAL/, "$what: no error, no warning") or diag($err);
	while ($out =~ /^expected (\d+)\n(.*)$/mg)
	{
		is($2, $1, "$what: the result");
		$results++;
	}
}

sub run_document
{
	my ($name) = @_;
	my ($section, $fence, $skipped, $sql) = ('', 0, 0, '');
	my $line_number = 0;

	($examples, $results) = (0, 0);
	foreach my $line (split /\n/, slurp_file("$top/$name"))
	{
		$line_number++;
		if ($line =~ /^<!-- not run by the tests: /)
		{
			$skipped = 1;
		}
		elsif (!$fence && $line =~ /^```(\w*)$/)
		{
			$fence = $line_number;
			$sql = $1 eq 'sql' ? '' : undef;
		}
		elsif ($fence && $line eq '```')
		{
			if (defined $sql && !$skipped)
			{
				run_example("$name, line $fence, $section", $sql);
				$examples++;
			}
			($fence, $skipped) = (0, 0);
		}
		elsif ($fence)
		{
			$sql .= "$line\n" if defined $sql;
		}
		elsif ($line =~ /^##+ (.*)/)
		{
			$section = $1;
		}
		elsif ($line =~ /^    \S/)
		{
			fail("$name, line $line_number: an example without a fence");
		}
	}
	is($fence, 0, "$name: every fence ends");
	return ($examples, $results);
}

$database = 'postgres';
my ($all_examples, $all_results) = run_document('README.md');
my @documents = map { s{^\Q$top\E/}{}r } sort glob("$top/doc/*.md");
cmp_ok(scalar @documents, '>', 5, 'there are documents');
foreach my $name (@documents)
{
	$database = $name =~ s{^doc/(.*)\.md$}{$1}r;
	# copied from a database where nobody is
	$node->safe_psql('template1', qq{CREATE DATABASE "$database" TEMPLATE postgres});
	my ($more_examples, $more_results) = run_document($name);
	$all_examples += $more_examples;
	$all_results += $more_results;
}
cmp_ok($all_examples, '>', 20, 'examples were run');
cmp_ok($all_results, '>', 4, 'results were compared');

done_testing();
