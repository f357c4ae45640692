#!/usr/bin/perl
#
# test/documents.pl: are the documents what people can read, and do they hang
# together?  No network, nothing but what comes with perl.
#
#	documents.pl DIRECTORY
#
# - README.md and CONTRIBUTING.md are no longer than they may be.
# - No line has over 120 characters.  Only a row of a table, which cannot be
#   broken, may have more, but not in README.md.
# - Each sentence begins a line.  (CHANGELOG.md is older than that rule.)
# - Links lead to a file that is there, and to a heading in it.
# - The Makefile installs what is in doc/, but for doc/clients/.
#
# Prints what is wrong; exit status 1 if there is anything.

use strict;
use warnings;

my ($dir) = @ARGV;
my %words = ('README.md' => 2500, 'CONTRIBUTING.md' => 700);
my ($width, $row_width) = (120, 280);
my (%text, %anchors, @wrong);
my $links = 0;

sub wrong { push @wrong, join('', @_) }

# The lines of a document outside of fences, the others empty
sub prose
{
	my ($text) = @_;
	my $fence = 0;
	my @lines;

	foreach my $line (split /\n/, $text)
	{
		my $is_fence = $line =~ /^```/;

		$fence = !$fence if $is_fence;
		push @lines, $fence || $is_fence ? '' : $line;
	}
	return ($fence, @lines);
}

# A heading's anchor, as GitHub makes it
sub anchor
{
	my ($heading) = @_;

	$heading =~ s/\[([^]]*)\]\([^)]*\)/$1/g;
	$heading = lc $heading;
	$heading =~ s/[^\w\- ]//g;
	$heading =~ s/ /-/g;
	return $heading;
}

foreach my $path (glob("$dir/*.md $dir/doc/*.md $dir/doc/clients/*.md $dir/src/*.md $dir/test/*.md"))
{
	my $file = substr($path, length($dir) + 1);

	open(my $fh, '<:encoding(UTF-8)', $path) or die "$path: $!\n";
	local $/;
	$text{$file} = <$fh>;
	my %seen;
	foreach my $line ((prose($text{$file}))[ 1 .. ($text{$file} =~ tr/\n//) ])
	{
		next unless defined $line && $line =~ /^#+ (.*?)\s*$/;
		my $anchor = anchor($1);
		$anchors{$file}{ $seen{$anchor}++ ? "$anchor-" . ($seen{$anchor} - 1) : $anchor } = 1;
	}
}

foreach my $file (sort keys %words)
{
	if (!defined $text{$file})
	{
		wrong("there is no $file");
		next;
	}
	my $count = () = $text{$file} =~ /\S+/g;
	wrong("$file has $count words, and may have $words{$file}") if $count > $words{$file};
}

foreach my $file (sort keys %text)
{
	my ($open, @prose) = prose($text{$file});
	my @lines = split /\n/, $text{$file};
	my ($base) = $file =~ m{^(.*/)?};

	$base = '' unless defined $base;
	wrong("$file: a fence does not end") if $open;
	foreach my $i (0 .. $#lines)
	{
		my $where = "$file:" . ($i + 1);
		my $may = $prose[$i] =~ /^\|/ && $file ne 'README.md' ? $row_width : $width;
		my $line = $prose[$i];

		wrong("$where has ", length $lines[$i], " characters, and may have $may") if length $lines[$i] > $may;

		(my $bare = $line) =~ s/(`+).*?\1/X/g;
		while ($bare =~ /(?<!!)\[[^]]*\]\(([^)\s]+)\)/g)
		{
			my ($target, $heading) = $1 =~ /^([^#]*)(?:#(.*))?$/;

			next if $target =~ m{^[a-z]+://};
			$links++;
			my $to = $target eq '' ? $file : "$base$target";
			1 while $to =~ s{(^|/)[^/]+/\.\./}{$1};
			if (!-e "$dir/$to")
			{
				wrong("$where: there is no $to");
			}
			elsif (defined $heading && !$anchors{$to}{$heading})
			{
				wrong("$where: $to has no heading #$heading");
			}
		}

		next if $line =~ /^\||^#|^<!--/ || $file eq 'CHANGELOG.md';
		$bare =~ s/\]\([^)]*\)/]/g;
		$bare =~ s/^ *(?:-|\d+\.) //;
		wrong("$where: a sentence ends within the line: $1")
		  if $bare =~ /(\S*[\w)\]*"'][.!?](?:\*\*|[)"])? +[("\[*]*[A-Z]\S*)/;
	}
}
wrong("found $links links only") if $links < 50;

# make install
open(my $makefile, '<', "$dir/Makefile") or die "$dir/Makefile: $!\n";
my ($docs) = do { local $/; <$makefile> } =~ /^DOCS = \\\n((?:\t\S+(?: \\)?\n)+)/m;
my %installed = map { $_ => 1 } ($docs || '') =~ m{\t(\S+\.md)}g;
foreach my $file (grep { m{^doc/[^/]+$} } sort keys %text)
{
	wrong("$file is not in the Makefile's DOCS") unless delete $installed{$file};
}
wrong("there is no $_, which the Makefile's DOCS has") foreach sort keys %installed;

print map { "$_\n" } @wrong;
exit(@wrong ? 1 : 0);
