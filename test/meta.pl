#!/usr/bin/perl
#
# test/meta.pl: is META.json what PGXN wants (https://pgxn.org/spec), and is a
# distribution what META.json says?  No network, nothing but what comes with
# perl.
#
#	meta.pl DIRECTORY		checks META.json and the files it names
#	meta.pl DIRECTORY ZIP	and an archive made by "make dist"
#
# Prints what is wrong; exit status 1 if there is anything.

use strict;
use warnings;

use IO::Uncompress::Unzip qw($UnzipError);
use JSON::PP;

my ($dir, $zip) = @ARGV;
my @wrong;
my $semver = qr/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[A-Za-z][-0-9A-Za-z]*)?$/;
my %licenses = map { $_ => 1 } qw(agpl_3 apache_1_1 apache_2_0 artistic_1
  artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0
  mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib
  open_source restricted unrestricted unknown);

sub wrong { push @wrong, join('', @_) }
sub slurp
{
	my ($file) = @_;

	local $/;
	open(my $fh, '<:raw', "$dir/$file") or do { wrong("cannot read $file: $!"); return '' };
	return scalar <$fh>;
}

sub text
{
	my ($meta, $name, $where) = @_;
	my $value = $meta->{$name};

	wrong("$where$name must be a text that is not empty") unless defined $value && !ref $value && $value =~ /\S/;
	return defined $value && !ref $value ? $value : '';
}

sub version_of
{
	my ($meta, $where) = @_;
	my $version = text($meta, 'version', $where);

	wrong("${where}version \"$version\" is not of the form 1.2.3") unless $version =~ $semver;
	return $version;
}

# one text or a list of them
sub texts
{
	my ($meta, $name) = @_;
	my $value = $meta->{$name};
	my @list = ref $value eq 'ARRAY' ? @$value : ($value);

	wrong("$name must be a text or a list of texts") if !@list || grep { !defined $_ || ref $_ || $_ !~ /\S/ } @list;
	return @list;
}

my $meta = eval { JSON::PP->new->utf8->decode(slurp('META.json')) };
if (ref $meta ne 'HASH')
{
	print "META.json is no JSON object: $@\n";
	exit 1;
}

# required
my $name = text($meta, 'name', '');
wrong("name \"$name\" has a character that PGXN refuses") if $name =~ m{[\s/\\[:cntrl:]]} || length $name < 2;
my $version = version_of($meta, '');
text($meta, 'abstract', '');
texts($meta, 'maintainer');
if (ref $meta->{license} eq 'HASH')
{
	m{^https?://} or wrong("license $_ must be a URL") foreach values %{ $meta->{license} };
}
else
{
	$licenses{$_} or wrong("PGXN does not know the license \"$_\"") foreach texts($meta, 'license');
}
my $spec = $meta->{'meta-spec'};
wrong('meta-spec must have version 1.0.0 and the url of the specification')
  unless ref $spec eq 'HASH' && ($spec->{version} || '') eq '1.0.0' && ($spec->{url} || '') =~ m{^https?://pgxn\.org/meta/spec\.txt$};
my $provides = $meta->{provides};
wrong('provides must name an extension') unless ref $provides eq 'HASH' && %$provides;
my ($control) = slurp("$name.control") =~ /^default_version = '(.*)'$/m;
foreach my $extension (sort keys %{ ref $provides eq 'HASH' ? $provides : {} })
{
	my $provided = $provides->{$extension};
	my $where = "provides.$extension.";

	foreach my $key ('file', 'docfile')
	{
		next if $key eq 'docfile' && !exists $provided->{docfile};
		my $file = text($provided, $key, $where);
		wrong("$where$key: there is no $file") unless -f "$dir/$file";
	}
	wrong("$where: the control file has version $control") if version_of($provided, $where) ne "$control.0";
}
wrong("version is $version, the control file has $control") if $version ne "$control.0";

# optional
wrong('release_status must be stable, testing or unstable')
  if exists $meta->{release_status} && $meta->{release_status} !~ /^(stable|testing|unstable)$/;
foreach my $tag (exists $meta->{tags} ? texts($meta, 'tags') : ())
{
	wrong("tag \"$tag\" has a character that PGXN refuses, or is too long") if $tag =~ m{[/\\[:cntrl:]]} || length $tag > 255;
}
foreach my $phase (sort keys %{ $meta->{prereqs} || {} })
{
	wrong("prereqs: there is no phase \"$phase\"") unless $phase =~ /^(configure|build|test|runtime|develop)$/;
	foreach my $relation (sort keys %{ $meta->{prereqs}{$phase} })
	{
		wrong("prereqs: there is no relation \"$relation\"") unless $relation =~ /^(requires|recommends|suggests|conflicts)$/;
		foreach my $what (values %{ $meta->{prereqs}{$phase}{$relation} })
		{
			wrong("prereqs: version \"$what\"") unless $what =~ $semver || $what eq '0';
		}
	}
}
my %known = map { $_ => 1 } qw(name version abstract description maintainer
  license provides prereqs release_status generated_by meta-spec tags no_index
  resources);
$known{$_} || /^x_/i or wrong("META.json: unknown \"$_\"") foreach sort keys %$meta;

# what is released is written down
wrong("CHANGELOG.md has no section for $control") unless slurp('CHANGELOG.md') =~ /^## \Q$control\E\b/m;

if (defined $zip)
{
	my $unzip = IO::Uncompress::Unzip->new($zip) or die "$zip: $UnzipError\n";
	my %files;

	do
	{
		my $file = $unzip->getHeaderInfo->{Name};
		$file =~ s{^\Q$name-$version\E/}{} or wrong("$file is not in $name-$version/");
		$files{$file} = 1;
	} while ($unzip->nextStream > 0);
	foreach my $file ('META.json', 'Makefile', "$name.control", 'README.md', 'LICENSE', 'CHANGELOG.md',
		slurp('Makefile') =~ m{^\t(doc/\w+\.md)\b}mg, map { ($_->{file}, $_->{docfile} || ()) } values %$provides)
	{
		wrong("the archive has no $file") unless $files{$file};
	}
	foreach my $listed (slurp('Makefile') =~ m{^\t(src/[\w/]+)\.o\b}mg)
	{
		wrong("the archive has no $listed.c") unless $files{"$listed.c"};
	}
	foreach my $listed (slurp('Makefile') =~ m{^\t(sql/\S+\.sql)\b}mg)
	{
		wrong("the archive has no $listed") unless $files{$listed};
	}
	foreach my $file (sort keys %files)
	{
		wrong("the archive has $file") if $file =~ m{\.(o|so|bc|zip|deb)$|^(results|tmp_check|output_\w+|debian)/|^\Q$name\E--};
	}
}

print map { "$_\n" } @wrong;
exit(@wrong ? 1 : 0);
