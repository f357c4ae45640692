# A client of PostgreSQL's wire protocol, message by message, so that tests
# can send what no driver sends: pipelines, interleaved and suspended portals,
# binds without execute.
package RawClient;

use strict;
use warnings;

use IO::Socket::UNIX;
use Time::HiRes qw(time);

sub new
{
	my ($class, $node, %options) = @_;
	my $path = $node->host . '/.s.PGSQL.' . $node->port;
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path)
	  or die "could not connect to $path: $!";
	my $self = bless { socket => $socket, path => $path, out => '', state => 'I' }, $class;
	my %parameters = (
		user => $options{user} // $ENV{PGUSER} // scalar getpwuid($<),
		database => $options{database} // 'postgres',
		client_encoding => 'UTF8',
		application_name => 'raw',
		%{ $options{parameters} // {} });
	my $startup = pack('N', 196608);

	$startup .= "$_\0$parameters{$_}\0" for sort keys %parameters;
	$startup .= "\0";
	$socket->syswrite(pack('N', length($startup) + 4) . $startup);
	foreach my $message ($self->read_until('Z'))
	{
		die "connection refused: $message->{message}"
		  if $message->{type} eq 'E';
		($self->{pid}, $self->{key}) = unpack('NN', $message->{body})
		  if $message->{type} eq 'K';
	}
	return $self;
}

# Messages are collected, and sent by flush
sub put
{
	my ($self, $type, $body) = @_;

	$self->{out} .= $type . pack('N', length($body) + 4) . $body;
	return $self;
}

sub query { my ($self, $sql) = @_; return $self->put('Q', "$sql\0"); }
sub sync { my ($self) = @_; return $self->put('S', ''); }

# oids: types of the first parameters; 0: not said
sub parse
{
	my ($self, $name, $sql, @oids) = @_;
	return $self->put('P', "$name\0$sql\0" . pack('nN*', scalar @oids, @oids));
}

sub bind
{
	my ($self, $portal, $name, @values) = @_;
	my $body = "$portal\0$name\0" . pack('nn', 0, scalar @values);

	$body .= defined $_ ? pack('N', length $_) . $_ : pack('N', 0xFFFFFFFF)
	  foreach @values;
	return $self->put('B', $body . pack('n', 0));
}

sub describe
{
	my ($self, $portal) = @_;
	return $self->put('D', "P$portal\0");
}

sub describe_statement
{
	my ($self, $name) = @_;
	return $self->put('D', "S$name\0");
}

sub execute
{
	my ($self, $portal, $max) = @_;
	return $self->put('E', "$portal\0" . pack('N', $max // 0));
}

sub close_portal
{
	my ($self, $portal) = @_;
	return $self->put('C', "P$portal\0");
}

sub flush
{
	my ($self) = @_;
	my $out = $self->{out};

	$self->{out} = '';
	while (length $out)
	{
		my $written = $self->{socket}->syswrite($out);
		die "write: $!" unless defined $written;
		substr($out, 0, $written) = '';
	}
}

sub read_bytes
{
	my ($self, $n) = @_;
	my $data = '';

	while (length($data) < $n)
	{
		my $got = $self->{socket}->sysread($data, $n - length($data),
			length($data));
		die "connection lost\n" unless $got;
	}
	return $data;
}

sub read_message
{
	my ($self) = @_;
	my ($type, $length) = unpack('aN', $self->read_bytes(5));
	my $body = $self->read_bytes($length - 4);
	my $message = { type => $type, body => $body };

	if ($type eq 'E' || $type eq 'N')
	{
		foreach my $field (split /\0/, $body)
		{
			$message->{sqlstate} = substr($field, 1) if $field =~ /^C/;
			$message->{message} = substr($field, 1) if $field =~ /^M/;
			$message->{severity} = substr($field, 1) if $field =~ /^V/;
		}
	}
	elsif ($type eq 'C')
	{
		($message->{tag} = $body) =~ s/\0//;
		$message->{rows} = $message->{tag} =~ /(\d+)$/ ? $1 : 0;
	}
	elsif ($type eq 'D')
	{
		my $n = unpack('n', $body);
		my $pos = 2;
		my @values;

		foreach (1 .. $n)
		{
			my $len = unpack('N', substr($body, $pos, 4));
			$pos += 4;
			if ($len == 0xFFFFFFFF) { push @values, undef; next; }
			push @values, substr($body, $pos, $len);
			$pos += $len;
		}
		$message->{values} = \@values;
	}
	elsif ($type eq 't')
	{
		(undef, @{ $message->{types} }) = unpack('nN*', $body);
	}
	elsif ($type eq 'G')
	{
		# COPY FROM STDIN: nothing to send
		$self->put('c', '')->flush;
	}
	return $message;
}

# all messages up to one of that type, which is included
sub read_until
{
	my ($self, $type) = @_;
	my @messages;

	do { push @messages, $self->read_message } while
	  ($messages[-1]{type} ne $type);
	return @messages;
}

# Send what has been collected, and read what comes back up to
# ReadyForQuery; also the seconds it took
sub run
{
	my ($self) = @_;
	my $start = time;

	$self->flush;
	my @messages = $self->read_until('Z');
	$self->{elapsed} = time - $start;
	$self->{state} = $messages[-1]{body};
	return @messages;
}

# the rows of a query, as array references; dies of an error
sub rows
{
	my ($self, $sql) = @_;
	my @rows;

	foreach my $message ($self->query($sql)->run)
	{
		die "$message->{message}: $sql" if $message->{type} eq 'E';
		push @rows, $message->{values} if $message->{type} eq 'D';
	}
	return @rows;
}

# Ask the server to cancel what runs; it has been told when this returns
sub cancel
{
	my ($self) = @_;
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $self->{path})
	  or die "could not connect to $self->{path}: $!";

	$socket->syswrite(pack('NNNN', 16, 80877102, $self->{pid}, $self->{key}));
	$socket->sysread(my $nothing, 1);
	$socket->close;
}

sub disconnect
{
	my ($self) = @_;

	$self->put('X', '')->flush;
	$self->{socket}->close;
}

1;
