# What test/corpus/record.py has recorded of a client, to be sent again.
package Recorded;

use strict;
use warnings;

# the sections of a recording: [ name, [ [ [type, body], ... ], ... ] ], of what
# was sent at once; what comes before the first has no name
sub sections
{
	my ($file) = @_;
	my @templates;
	my @sections = ([ '', [] ]);
	my $unescape = sub { my ($text) = @_; $text =~ s/\\x([0-9a-f]{2})/chr hex $1/ge; return $text; };
	my $length = sub { return join('', map { sprintf('\\x%02x', $_) } unpack('C4', pack('N', length $unescape->($_[0])))); };

	open(my $in, '<:raw', $file) or die "cannot read $file: $!";
	while (my $line = <$in>)
	{
		chomp $line;
		if ($line =~ /^== (.*)/)
		{
			push @sections, [ $1, [] ];
		}
		elsif ($line =~ /^T(.*)/)
		{
			push @templates, [ map { [ split(/ /, $_, 2) ] } split(/\\!/, $1) ];
		}
		else
		{
			my ($number, @constants) = split(/\t/, $line, -1);
			my @messages;

			foreach (@{ $templates[$number] })
			{
				my ($type, $body) = @$_;

				$body =~ s/\\([?*])/($1 eq '*' ? $length->($constants[0]) : '') . shift @constants/ge;
				push @messages, [ $type, $unescape->($body) ];
			}
			push @{ $sections[-1][1] }, \@messages;
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
		foreach (@$_)
		{
			my ($type, $body) = @$_;

			$client->put($type, $body);
			push @errors, map { $_->{message} } grep { $_->{type} eq 'E' } $client->run if $type eq 'Q' || $type eq 'S';
		}
	}
	return @errors;
}

1;
