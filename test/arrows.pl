# perl arrows.pl DIR: do the sources in DIR/src keep to the house of
# DIR/src/README.md?  Its table says what each room may use, and the list below
# it which wing a room is of.
#
# Read are the symbols that compiled objects take from each other (nm), for
# what calls what; and, since nm sees no types, enums and macros, the lines
# #include, and which headers the compiler found (its .d files).
#
# Prints what is wrong, with the symbols.  Exit status 0 where nothing is.

use strict;
use warnings;

my ($FILES, $LINES, $HEADER_LINES) = (14, 900, 400);

my ($top) = @ARGV;
die "usage: arrows.pl DIR\n" unless defined $top;
my $src = "$top/src";

my @wrong;
sub wrong { push @wrong, join('', @_); }

sub lines
{
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	my @lines = <$file>;
	return @lines;
}

# ---------------------------------------------------------------------------
# The house.  A room is named by its folder; a file directly in src/ that the
# table names is a room of its own.
# ---------------------------------------------------------------------------

my (%floor, %uses, %wing, %every);

foreach (lines("$src/README.md"))
{
	if (my ($floor, $room, $uses) = /^\| (\d+) \| `([^`]+?)\/?` \| .* \| ([^|]+) \|$/)
	{
		$floor{$room} = $floor;
		if ($uses eq 'all') { $every{$room} = 1; }
		elsif ($uses ne '-') { $uses{$room} = { map { $_ => 1 } split /, /, $uses }; }
	}
	elsif (my ($wing, $rooms) = /^- (Wing of \w+|Both wings): (.+)$/)
	{
		$wing{$_} = $wing foreach $rooms =~ /`([^`]+)`/g;
	}
}
wrong('src/README.md has no table of rooms') if keys %floor < 2;
foreach my $room (sort keys %floor)
{
	wrong("src/README.md does not say of which wing $room is") unless $every{$room} || $wing{$room};
	foreach my $other (sort keys %{ $uses{$room} })
	{
		if (!defined $floor{$other}) { wrong("src/README.md: $room may use $other, which has no row"); }
		elsif ($floor{$other} >= $floor{$room}) { wrong("src/README.md: $room may use $other, which is not on a lower floor"); }
		elsif (!same_wing($room, $other)) { wrong("src/README.md: $room may use $other, which is of the other wing"); }
	}
}

# may they know each other, whatever their floors?
sub same_wing
{
	my ($from, $to) = @_;
	return $every{$from} || $every{$to} || $wing{$from} eq $wing{$to} || $wing{$to} eq 'Both wings';
}

# compat.h is for all, and of any size
sub room_of
{
	my ($file) = @_;
	return '' if $file eq 'compat.h';
	return $1 if $file =~ m{^(\w+)/};
	return $file;
}

my (@files, %rooms);
foreach my $path (sort glob("$src/*.[ch] $src/*/*.[ch]"))
{
	my $file = substr($path, length("$src/"));
	my $room = room_of($file);
	push @files, $file;
	next if $room eq '';
	push @{ $rooms{$room} }, $file;
	wrong("$file: src/README.md has no room for it") unless defined $floor{$room};
}
if (@wrong) { print map { "$_\n" } @wrong; exit 1; }

# why is an arrow wrong?  '': it is not
sub objection
{
	my ($from, $to) = map { room_of($_) } @_;
	return '' if $from eq $to || $to eq '' || $every{$from} || $uses{$from}{$to};
	return 'to a higher floor' if $floor{$to} > $floor{$from};
	return 'to the other wing' unless same_wing($from, $to);
	return 'within a floor' if $floor{$to} == $floor{$from};
	return 'that the table does not allow';
}

# ---------------------------------------------------------------------------
# Symbols
# ---------------------------------------------------------------------------

my (%defined_in, %takes);
foreach my $file (grep { /\.c$/ } @files)
{
	my $object = "$src/$file";
	$object =~ s/\.c$/.o/;
	unless (-e $object) { wrong("$file is not compiled"); next; }
	open my $nm, '-|', 'nm', $object or die "nm: $!\n";
	while (<$nm>)
	{
		my ($kind, $symbol) = /([A-Za-z]) (\S+)$/ or next;
		if ($kind eq 'U') { $takes{$file}{$symbol} = 1; }
		elsif ($kind =~ /[A-Z]/) { $defined_in{$symbol} = $file; }
	}
	close $nm or wrong("nm $object failed");
}

# arrows: file -> file -> symbols
my %arrows;
foreach my $file (keys %takes)
{
	foreach my $symbol (sort keys %{ $takes{$file} })
	{
		my $to = $defined_in{$symbol};
		push @{ $arrows{$file}{$to} }, $symbol if defined $to && $to ne $file;
	}
}

sub arrow
{
	my ($from, $to) = @_;
	return "$from -> $to: " . join(' ', @{ $arrows{$from}{$to} });
}

foreach my $from (sort keys %arrows)
{
	foreach my $to (sort keys %{ $arrows{$from} })
	{
		my $why = objection($from, $to);
		wrong("arrow $why: ", arrow($from, $to)) if $why;
	}
}

# Circles: what can be reached from each other, by Tarjan's algorithm
my (%index, %low, %on_stack, @stack);
sub visit
{
	my ($file) = @_;

	$index{$file} = $low{$file} = keys %index;
	push @stack, $file;
	$on_stack{$file} = 1;
	foreach my $to (sort keys %{ $arrows{$file} })
	{
		visit($to) unless defined $index{$to};
		$low{$file} = $low{$to} if $on_stack{$to} && $low{$to} < $low{$file};
	}
	return if $low{$file} < $index{$file};

	my %circle;
	do { $circle{ $stack[-1] } = 1; delete $on_stack{ $stack[-1] }; } while (pop @stack) ne $file;
	return if keys %circle < 2;
	wrong('circle of ' . keys(%circle) . ' files:');
	foreach my $from (sort keys %circle)
	{
		wrong('    ', arrow($from, $_)) foreach grep { $circle{$_} } sort keys %{ $arrows{$from} };
	}
}
foreach my $file (sort keys %arrows) { visit($file) unless defined $index{$file}; }

# ---------------------------------------------------------------------------
# Sizes
# ---------------------------------------------------------------------------

foreach my $room (sort keys %rooms)
{
	my @c = grep { /\.c$/ } @{ $rooms{$room} };
	wrong("room $room has " . @c . " files, more than $FILES") if @c > $FILES;
}
foreach my $file (@files)
{
	my $lines = () = lines("$src/$file");
	my $most = $file =~ /\.h$/ ? $HEADER_LINES : $LINES;
	wrong("$file has $lines lines, more than $most")
	  if $lines > $most && $file ne 'compat.h';
}

# ---------------------------------------------------------------------------
# Headers
# ---------------------------------------------------------------------------

my %known = map { $_ => 1 } @files;
my %seen;

sub check_include
{
	my ($what, $file, $header) = @_;

	return if !$known{$header} || $seen{$file}{$header}++;
	my $why = objection($file, $header);
	$why = 'that is of another room alone' if $header =~ /_internal\.h$/ && room_of($header) ne room_of($file);
	wrong("$what $why: $file -> $header") if $why;
}

foreach my $file (@files)
{
	foreach (lines("$src/$file"))
	{
		check_include('include', $file, $1) if /^\s*#\s*include\s*"([^"]+)"/;
	}
}

# through other headers, too
foreach my $file (grep { /\.c$/ } @files)
{
	my $found = "$src/$file";
	$found =~ s/\.c$/.d/;
	unless (-e $found) { wrong("$file: the compiler has not said which headers it found"); next; }
	my ($rule) = join('', lines($found)) =~ /^[^:]+:((?:.*\\\n)*.*)/ or next;
	check_include('include, through others,', $file, $_) foreach $rule =~ m{(?:^|[\s/])src/([\w/]+\.h)\b}g;
}

print map { "$_\n" } @wrong;
exit(@wrong ? 1 : 0);
