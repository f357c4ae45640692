# The pure C parts, without a server: builds test/unit, runs it, passes its
# results on; then all of it again under sanitizers, where the compiler has
# them.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

my $unit_dir = abs_path(dirname(__FILE__) . '/../unit');
my $sanitizers = '-fsanitize=address,undefined -fno-sanitize-recover=all';

# This runs below a make whose variables are not meant for ours.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES COPT PROFILE)};

# A leak is the end of the program; some containers forbid to look for it.
$ENV{ASAN_OPTIONS} = 'detect_leaks=0';

# output, exit status
sub run
{
	my ($command) = @_;
	my $output = `$command 2>&1`;
	return ($output, $?);
}

# the program, or undef
sub build
{
	my ($flags) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my ($output, $status) = run("make -s -C '$dir' -f '$unit_dir/Makefile' "
		  . "PG_CONFIG=pg_config COPT='$flags'");

	return "$dir/unit" if $status == 0;
	diag($output);
	return;
}

sub has_sanitizers
{
	my $dir = tempdir(CLEANUP => 1);
	my ($cc) = run('pg_config --cc');

	chomp $cc;
	open my $file, '>', "$dir/empty.c" or die "$dir/empty.c: $!";
	print $file "int main(void) { return 0; }\n";
	close $file;
	my ($output, $status) =
	  run("$cc $sanitizers -o '$dir/empty' '$dir/empty.c' && '$dir/empty'");
	return $status == 0;
}

my $unit = build('');
ok(defined $unit, 'the unit tests compile');
if (defined $unit)
{
	my ($output, $status) = run($unit);
	my ($planned) = $output =~ /^1\.\.(\d+)$/m;
	my $seen = 0;

	foreach my $line (split /\n/, $output)
	{
		if ($line =~ /^(not )?ok \d+ - (.*)/)
		{
			$seen++;
			ok(!defined $1, $2);
		}
		elsif ($line !~ /^1\.\./)
		{
			diag($line);
		}
	}
	is($seen, $planned, 'the unit tests came to their end');
	is($status, 0, 'and to a good one');
}

SKIP:
{
	skip "the compiler has no sanitizers ($sanitizers)", 2
	  unless has_sanitizers();

	$unit = build($sanitizers);
	ok(defined $unit, 'the unit tests compile with sanitizers');
	skip 'they do not', 1 unless defined $unit;

	my ($output, $status) = run($unit);
	is($status, 0, 'the unit tests pass with sanitizers')
	  or diag(grep { !/^ok / } split /^/, $output);
}

done_testing();
