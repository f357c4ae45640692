# What test/corpus/record.py has recorded of a client, to be sent again.
package Recorded;

use strict;
use warnings;

# the sections of a recording: [ name, [ [type, body], ... ] ]; what comes before
# the first has no name
sub sections
{
	my ($file) = @_;
	my @templates;
	my @sections = ([ '', [] ]);
	my $unescape = sub { my ($text) = @_; $text =~ s/\\x([0-9a-f]{2})/chr hex $1/ge; return $text; };

	open(my $in, '<:raw', $file) or die "cannot read $file: $!";
	while (my $line = <$in>)
	{
		chomp $line;
		if ($line =~ /^== (.*)/)
		{
			push @sections, [ $1, [] ];
		}
		elsif ($line =~ /^T(.) ?(.*)/)
		{
			push @templates, [ $1, $2 ];
		}
		else
		{
			my ($number, @constants) = split(/\t/, $line);
			my ($type, $body) = @{ $templates[$number] };

			$body =~ s/\\\?/shift @constants/ge;
			push @{ $sections[-1][1] }, [ $type, $unescape->($body) ];
		}
	}
	return @sections;
}

# sends them, and reads the answer wherever the client did; the errors
sub replay
{
	my ($client, @messages) = @_;
	my @errors;

	foreach (@messages)
	{
		my ($type, $body) = @$_;

		$client->put($type, $body);
		push @errors, map { $_->{message} } grep { $_->{type} eq 'E' } $client->run if $type eq 'Q' || $type eq 'S';
	}
	return @errors;
}

1;
