# README.md, word for word: its SQL examples run, from the top, in one
# database, without a warning, and give what they say.  The first commands, in
# a shell, are run by make test-door (quickstart).  Those marked "not run by the tests" say
# why; what they do is tested elsewhere.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file("$FindBin::RealBin/../../README.md");
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('readme');

# an example's file
append_to_file("$dir/workload.sql", "SELECT count(*) FROM book;\n");

my ($section, $fence, $skipped, $sql, $examples, $results) = ('', 0, 0, '', 0, 0);
my $line_number = 0;

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
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', "$dir/example.sql" ],
		'>', \$out, '2>', \$err, init => sub { chdir $dir });
	ok($ok && $err !~ /WARNING|ERROR|FATAL/, "$what: no error, no warning") or diag($err);
	while ($out =~ /^expected (\d+)\n(.*)$/mg)
	{
		is($2, $1, "$what: the result");
		$results++;
	}
}

foreach my $line (split /\n/, $readme)
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
			run_example("line $fence, $section", $sql);
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
		fail("line $line_number: an example without a fence");
	}
}
is($fence, 0, 'every fence ends');
cmp_ok($examples, '>', 20, 'examples were run');
cmp_ok($results, '>', 4, 'results were compared');

done_testing();
