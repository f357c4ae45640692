#!/usr/bin/perl
#
# test/demo/elf.pl: this machine's own missing symbols, as CSV
#
# Every program in the usual places crashes once, in imagination; the crash
# report then asks for the symbols of the program and of each library that it
# is linked with.  As Breakpad does it, the debug id of an ELF file is the
# first 16 bytes of its build id, read as a GUID (so that the byte order of
# its first three fields is swapped), and the age 0.
#
# usage: elf.pl [MOST PROGRAMS] > requests.csv

use strict;
use warnings;

my $most = $ARGV[0] || 1000;
my @places = grep { -d && !-l } qw(/bin /sbin /lib /usr/bin /usr/sbin
  /usr/libexec /usr/lib /usr/local/bin /usr/local/lib);
my (%module, %file_of, @programs);

# "find" and "readelf" know more about file systems and ELF than we want to.
$ENV{LC_ALL} = 'C';
my $find = join ' ', 'find', @places, '-xdev -type f',
  q{\( -perm -100 -o -name '*.so' -o -name '*.so.*' \) -print0};
open my $elf, '-|', "$find 2>/dev/null | sort -z |"
  . ' xargs -0 readelf -ndW /proc/self/exe 2>/dev/null'
  or die "cannot run readelf: $!\n";

my $path;
while (<$elf>)
{
	if (/^File: (.*)$/)
	{
		$path = $1;
	}
	elsif (/\bBuild ID: ([0-9a-f]{32,})/)
	{
		$module{$path}{id} = $1;
	}
	elsif (/\(NEEDED\).*\[(.*)\]/)
	{
		push @{ $module{$path}{needed} }, $1;
	}
	elsif (/\(SONAME\).*\[(.*)\]/)
	{
		$file_of{$1} //= $path;
	}
}
close $elf;
delete $module{'/proc/self/exe'};

sub basename { return $_[0] =~ s{.*/}{}r }

sub csv
{
	return join(',',
		map { /[",\r\n]/ ? '"' . s/"/""/gr . '"' : $_ } @_) . "\n";
}

# the build id as Breakpad writes it
sub debug_id
{
	my @guid = unpack 'V v v a8', pack 'H32', $_[0];
	return sprintf '%08X%04X%04X%s0', @guid[ 0 .. 2 ],
	  uc unpack 'H*', $guid[3];
}

sub request
{
	my ($file) = @_;
	my $id = $module{$file}{id} or return;
	my $name = basename($file);
	print csv($name, debug_id($id), "$name.sym", $name, $id);
	return;
}

# a program and all that the loader would load with it
sub crash
{
	my @queue = ($_[0]);
	my %seen = ($_[0] => 1);

	while (defined(my $file = shift @queue))
	{
		request($file);
		push @queue,
		  grep { defined && !$seen{$_}++ }
		  map { $file_of{$_} } @{ $module{$file}{needed} || [] };
	}
	return;
}

print "symbol,debugid,filename,code_file,code_id\n";
@programs = grep { m{/s?bin/} && $module{$_}{id} } sort keys %module;
$#programs = $most - 1 if @programs > $most;
crash($_) foreach @programs;
