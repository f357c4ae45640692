# Runs statements.tsv through DBD::Pg: client.pl MODE.  See client.py.
use strict;
use warnings;

use DBI;
use FindBin;

my $dbh = DBI->connect('dbi:Pg:', $ENV{PGUSER}, '', { RaiseError => 1, PrintError => 0, pg_server_prepare => $ARGV[0] eq 'dbd-pg' });

sub parameter
{
	my ($kind, $value) = split(/:/, $_[0], 2);

	return undef if $value eq '\N';
	return [ split(/\|/, $value) ] if $kind eq 'texts';
	return $kind =~ /int/ ? $value + 0 : $value;
}

sub all_of
{
	my ($sql, @values) = @_;
	my $value;

	foreach my $text (split(/; /, $sql))
	{
		my $statement = $dbh->prepare($text);
		my ($n) = sort { $b <=> $a } $text =~ /\$(\d+)/g;

		$statement->execute(@values[0 .. ($n // 0) - 1]);
		($value) = $statement->{NUM_OF_FIELDS} ? $statement->fetchrow_array : ();
		$statement->finish;
	}
	return $value // '';
}

print join("\t", 'version', "DBD::Pg $DBD::Pg::VERSION"), "\n";
open(my $in, '<', "$FindBin::RealBin/statements.tsv") or die $!;
while (<$in>)
{
	next if /^#/;
	chomp;
	my ($name, $expected, $sql, $cast, @parameters) = split(/\t/);
	my @values = map { parameter($_) } @parameters;
	my $value = eval { all_of($sql, @values) };
	my ($state, $message) = ($DBI::state || 'refused', split(/\n/, $@));

	if (defined $value)
	{
		print join("\t", $name, 'ok', $value), "\n";
	}
	elsif ($cast ne '' && $expected !~ /^error $state/ && defined($value = eval { all_of($cast, @values) }))
	{
		print join("\t", $name, 'cast', $value, $state, $message), "\n";
	}
	else
	{
		print join("\t", $name, 'error', $state, $message), "\n";
	}
}
