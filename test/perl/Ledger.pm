# A ledger: what a transaction counts it also notes there, by a plain INSERT.
# Both are committed, or neither, whatever the client was told when the server
# died; so after any end of anything each key has the count that the ledger
# says.  What clients only tell of themselves is noted when it is known what
# became of it.

package Ledger;

use strict;
use warnings;

use MissingSymbolTest;
use Test::More import => ['is'];
use Time::HiRes qw(usleep);

# In a database, by default postgres
sub new
{
	my ($class, $node, $database) = @_;
	my $self = bless { node => $node, database => $database || 'postgres' }, $class;

	$self->query('CREATE TABLE ledger (target text, k text, n bigint)');
	return $self;
}

sub query
{
	my ($self, $sql) = @_;

	return $self->{node}->safe_psql($self->{database}, $sql);
}

# Notes what has been counted: [target, key, amount] each.
sub note
{
	my ($self, @counted) = @_;
	my %sum;

	$sum{ $_->[0] }{ $_->[1] } += $_->[2] foreach @counted;
	my @rows = map { my $target = $_; map { "('$target', '$_', $sum{$target}{$_})" } sort keys %{ $sum{$target} } } sort keys %sum;
	$self->query('INSERT INTO ledger VALUES ' . join(', ', @rows)) if @rows;
	return;
}

sub rows
{
	my ($self) = @_;

	return $self->query('SELECT count(*) FROM ledger');
}

# Until so many more rows are noted, so that others are at work; or those that
# are given have come to their end.
sub wait_for_rows
{
	my ($self, $more, @pgbench) = @_;
	my $rows = $self->rows + $more;

	for (1 .. 1800)
	{
		return if $self->rows >= $rows;
		$_->{run}->pump_nb foreach grep { $_->{run}->pumpable } @pgbench;
		return if @pgbench && !grep { $_->{run}->pumpable } @pgbench;
		usleep(100_000);
	}
	die 'nobody counts';
}

# Keys of a target that have another count than the ledger says, each in a line
# with both.  Options: source, what has the counts, by default the target;
# count, an expression for them; bound, where they need not be the same: '>='
# or '<='; ledger, another table with columns target, k and n.
sub differences
{
	my ($self, $target, %options) = @_;
	my $source = $options{source} || $target;
	my $count = $options{count} || 'count';
	my $ledger = $options{ledger} || 'ledger';
	my $right = $options{bound} ? "coalesce(count, 0) $options{bound} coalesce(n, 0)" : 'count IS NOT DISTINCT FROM n';

	return $self->query(qq{
SELECT k, count, n FROM (SELECT k::text, $count AS count FROM $source AS s) AS counted
FULL JOIN (SELECT k::text, sum(n) AS n FROM $ledger AS l WHERE target = '$target' GROUP BY 1) AS noted USING (k)
WHERE NOT ($right) ORDER BY k});
}

# ---------------------------------------------------------------------------
# Two targets, hot and parted, and clients that count in them
# ---------------------------------------------------------------------------

my @targets = ('hot', 'parted');

# track: how they are tracked
sub create_targets
{
	my ($self, $track) = @_;

	$self->query(qq{
CREATE TABLE hot (k text PRIMARY KEY, hits bigint NOT NULL, seen timestamptz) WITH (fillfactor = 50);
CREATE TABLE parted (k text PRIMARY KEY, hits bigint NOT NULL) PARTITION BY HASH (k);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT missing_symbol.track('hot', $track), missing_symbol.track('parted', $track);
CREATE FUNCTION count_and_note(target regclass, k text, by bigint) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
    PERFORM missing_symbol.increment_by(target, by, k);
    INSERT INTO ledger VALUES (target::text, k, by);
END \$\$;
CREATE FUNCTION batch_and_note(target regclass, n int) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
    keys text[] := ARRAY(SELECT 'k' || (random() * 50)::int FROM generate_series(1, n));
BEGIN
    PERFORM missing_symbol.increment_many(target, keys);
    INSERT INTO ledger SELECT target::text, k, 1 FROM unnest(keys) k;
END \$\$;
});
	return;
}

# What clients do: total is told where a total goes backwards.
our %script = (
	single => q{
\set k random(1, 50)
\set t random(0, 1)
SELECT count_and_note((ARRAY['hot', 'parted'])[:t + 1]::regclass, 'k' || :k, 1 + :k % 3);
},
	batch => q{
\set n random(1, 20)
\set t random(0, 1)
SELECT batch_and_note((ARRAY['hot', 'parted'])[:t + 1]::regclass, :n);
},
	two_batches => q{
\set n random(1, 20)
SELECT batch_and_note('hot', :n), batch_and_note('parted', 1);
},
	savepoints => q{
\set a random(1, 50)
\set b random(1, 50)
\set c random(1, 50)
\set t random(0, 1)
\set u random(0, 9)
BEGIN;
SELECT count_and_note((ARRAY['hot', 'parted'])[:t + 1]::regclass, 'k' || :a, 1);
SAVEPOINT s;
SELECT count_and_note('hot', 'k' || :b, 5);
SELECT batch_and_note('parted', 3);
ROLLBACK TO s;
SELECT count_and_note('parted', 'k' || :c, 2);
SAVEPOINT s2;
SELECT count_and_note('hot', 'k' || :b, 1);
RELEASE s2;
\if :u = 0
ROLLBACK;
\else
COMMIT;
\endif
},
	snapshot => q{
\set k random(1, 50)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count_and_note('hot', 'k' || :k, 1), count_and_note('parted', 'k' || :k, 1);
COMMIT;
},
	undone => q{
\set k random(51, 60)
BEGIN;
SELECT missing_symbol.increment('hot', 'k' || :k), missing_symbol.increment('parted', 'k' || :k);
SELECT pg_sleep(0.01);
ROLLBACK;
},
	holder => q{
\set k random(1, 50)
BEGIN;
SELECT k FROM hot WHERE k = 'k' || :k FOR UPDATE;
SELECT pg_sleep(0.02);
COMMIT;
},
	fold => q{
SELECT missing_symbol.fold();
\sleep 20 ms
},
	flush => q{
SELECT missing_symbol.flush();
\sleep 100 ms
},
	total => q{
SELECT coalesce(sum(hits), 0) AS hot FROM missing_symbol.total(NULL::hot) \gset
SELECT coalesce(sum(hits), 0) AS parted FROM missing_symbol.total(NULL::parted) \gset
\if :hot < :prev_hot
SELECT 'hot went backwards'::int;
\endif
\if :parted < :prev_parted
SELECT 'parted went backwards'::int;
\endif
\set prev_hot :hot
\set prev_parted :parted
});

# Starts a pgbench with scripts of these names, or name@weight.
sub start_clients
{
	my ($self, $seconds, $clients, @names) = @_;

	return start_pgbench($self->{node},
		[ '-T', $seconds, '-c', $clients, '-j', 2, '-D', 'prev_hot=0', '-D', 'prev_parted=0', $self->{database} ],
		map { my ($name, $weight) = split /@/; [ $script{$name}, $weight || 1 ] } @names);
}

# Each key of both has what was committed: in its total, as value(), and in its
# row, after statements that merge; and then nothing waits.
sub exact_ok
{
	my ($self, $when, $merge) = @_;

	foreach my $target (@targets)
	{
		is($self->differences($target, count => 'hits', source => "missing_symbol.total(NULL::$target)"), '',
			"$when: $target: total is what was committed");
		is($self->differences($target, source => "(SELECT DISTINCT k, missing_symbol.value('$target', k) AS count FROM ledger WHERE target = '$target')"),
			'', "$when: $target: value is what was committed");
	}
	$self->query($merge);
	is($self->differences($_, count => 'hits'), '', "$when: $_: so are the rows, once all is merged") foreach @targets;
	is($self->query('SELECT (SELECT count(*) FROM missing_symbol.buffered) + (SELECT count(*) FROM missing_symbol.spilled)'),
		'0', "$when: nothing is left over");
	return;
}

1;
