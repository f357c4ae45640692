# A random stream of statements of every kind, by every way of the protocol:
# what the profiler lists is what the client has sent and the server has
# answered, in order, with texts, rows, SQLSTATEs; and its sums are those of
# pg_stat_statements.
#
# MS_SEED: of the stream; MS_STREAM_SECONDS: how long it goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use MissingSymbolTest;
use RawClient;
use Test::More;
use Time::HiRes qw(time);

my $seconds = $ENV{MS_STREAM_SECONDS} // 20;
my $seed = $ENV{MS_SEED} // int(rand(1_000_000_000));
my $has_pgss = -e pg_config('--pkglibdir') . '/pg_stat_statements.so';

my $node = new_node('stream',
	conf => [
		'max_prepared_transactions = 5', q{deadlock_timeout = '10ms'}, q{lock_timeout = '500ms'}, q{log_statement = 'none'},
		q{log_min_error_statement = 'panic'},
		$has_pgss ? (q{shared_preload_libraries = 'pg_stat_statements'}, q{pg_stat_statements.track = 'top'}) : () ]);
my $major = major_version($node);
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements') if $has_pgss;
$node->safe_psql('postgres', q{
CREATE TABLE t (id int PRIMARY KEY, v int, s text);
INSERT INTO t SELECT i, i, 's' || i FROM generate_series(1, 40) i;
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent VALUES (1), (2), (3);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE log (id int, what text);
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no' USING ERRCODE = 'ZZ001';
END$$;
CREATE TABLE late (id int);
CREATE CONSTRAINT TRIGGER raises AFTER INSERT ON late
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raises();
CREATE FUNCTION logs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log VALUES (NEW.id, TG_OP);
    RETURN NEW;
END$$;
CREATE TABLE triggered (id int);
CREATE TRIGGER logs BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION logs();

CREATE TABLE ruled (id int, v int);
INSERT INTO ruled VALUES (1, 1), (2, 2);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO log VALUES (new.id, 'also');
CREATE RULE before AS ON UPDATE TO ruled DO ALSO (DELETE FROM log WHERE id = old.id; NOTIFY ruled);
CREATE RULE deleted AS ON DELETE TO ruled WHERE old.id > 5 DO INSTEAD UPDATE log SET what = 'd';
CREATE VIEW instead AS SELECT * FROM log;
CREATE RULE inserts AS ON INSERT TO instead DO INSTEAD INSERT INTO log VALUES (new.id, 'instead') RETURNING *;
CREATE RULE updates AS ON UPDATE TO instead DO INSTEAD NOTHING;
CREATE RULE deletes AS ON DELETE TO instead DO INSTEAD
    (DELETE FROM log WHERE id = old.id; INSERT INTO triggered VALUES (old.id));
CREATE TABLE notified (id int);
CREATE RULE notifies AS ON INSERT TO notified DO INSTEAD NOTIFY notified;

CREATE FUNCTION catches(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    PERFORM v / (v - n) FROM t WHERE id = n;
    RETURN 0;
EXCEPTION WHEN division_by_zero THEN
    RETURN n;
END$$;
CREATE FUNCTION loops(n int) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. n LOOP
        RETURN NEXT (SELECT v FROM t WHERE id = i);
    END LOOP;
END$$;
CREATE FUNCTION in_sql(n int) RETURNS bigint LANGUAGE sql AS
    'UPDATE t SET v = v WHERE id = n; SELECT count(*) FROM t WHERE id <= n';
CREATE FUNCTION opens() RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE
    c refcursor = 'opened';
BEGIN
    OPEN c FOR SELECT * FROM t;
    RETURN c;
END$$;
CREATE PROCEDURE commits(n int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 2 LOOP
        UPDATE t SET v = v WHERE id = i;
        COMMIT;
    END LOOP;
    PERFORM 1 / n;
    ROLLBACK;
    INSERT INTO child VALUES (n);
END$$;
CREATE PROCEDURE plain(n int, INOUT m int) LANGUAGE plpgsql AS $$
BEGIN
    m = 10 / n;
END$$;
});
$node->safe_psql('postgres', q{
CREATE FUNCTION atomic(n int) RETURNS int LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO log VALUES (n, 'atomic');
    SELECT 10 / n;
END}) if $major >= 14;

note "seed $seed";
diag "profile_stream: MS_SEED=$seed, $seconds s";
srand($seed);

my $client = RawClient->new($node);
my $other = RawClient->new($node);

# What the client has sent and got, a statement each: text; rows or undef;
# sqlstate; status, or part of a portal
my @log;

sub between { my ($from, $to) = @_; return $from + int(rand($to - $from + 1)); }
sub one_of { return $_[ int(rand(@_)) ]; }

my $next_id = 1000;
my $n_name = 0;

# Statements that may be sent anywhere.  Many fail, always or at times.
my @kinds = (
	sub { 'SELECT * FROM t WHERE id <= ' . between(0, 45) },
	sub { 'SELECT ' . between(0, 9) . ' AS n' },
	sub { 'SELECT' },
	sub { 'VALUES (1), (' . between(0, 9) . ')' },
	sub { 'TABLE parent' },
	sub { 'SELECT v / (id - ' . between(1, 60) . ') FROM t' },
	sub { 'SELECT 1 / ' . between(0, 2) },
	sub { 'SELECT no_such_column_' . between(0, 9) . ' FROM t' },
	sub { 'SELECT * FROM no_such_table' },
	sub { 'SELECT no_such_function(1)' },
	sub { "SELECT 'a' || 1 + 1" },
	sub { "SELECT 'x'::int" },
	sub { "SELECT " . between(50, 150) . "::small" },
	sub { 'SELEC 1' },
	sub { 'SELECT /* open' },
	sub { 'INSERT INTO t VALUES (' . $next_id++ . ', 1)' },
	sub { 'INSERT INTO t VALUES (' . $next_id++ . ', 1), (' . $next_id++ . ', 2) RETURNING id' },
	sub { 'INSERT INTO t VALUES (' . between(1, 50) . ', 1) ON CONFLICT DO NOTHING' },
	sub { 'INSERT INTO t VALUES (' . between(1, 50) . ', 1) ON CONFLICT (id) DO UPDATE SET v = 1 RETURNING *' },
	sub { 'INSERT INTO t VALUES (1, 2, NULL, 4)' },
	sub { 'INSERT INTO t SELECT id + 100000, v FROM t WHERE id < ' . between(0, 3) },
	sub { 'UPDATE t SET v = v + 1 WHERE id <= ' . between(0, 9) },
	sub { 'UPDATE t SET id = id + 1' },
	sub { 'UPDATE t SET v = v WHERE id = ' . between(1, 50) . ' RETURNING v' },
	sub { 'DELETE FROM t WHERE id >= ' . between(900, 1500) },
	sub { 'WITH d AS (DELETE FROM log RETURNING *) SELECT count(*) FROM d' },
	sub { 'WITH i AS (INSERT INTO log VALUES (1) RETURNING 1) UPDATE t SET v = 1 WHERE id = 2' },
	sub { 'INSERT INTO child VALUES (' . between(1, 6) . ')' },
	sub { 'INSERT INTO late VALUES (1)' },
	sub { 'INSERT INTO triggered VALUES (' . between(1, 9) . ')' },
	sub { 'INSERT INTO ruled VALUES (' . between(1, 9) . ', 1), (2, 2)' },
	sub { 'UPDATE ruled SET v = v + ' . between(0, 9) },
	sub { 'DELETE FROM ruled WHERE id > ' . between(0, 9) },
	sub { 'INSERT INTO ruled VALUES (1 / ' . between(0, 2) . ', 1)' },
	sub { 'INSERT INTO instead VALUES (' . between(0, 9) . ')' },
	sub { 'INSERT INTO instead VALUES (1) RETURNING id' },
	sub { [ 'UPDATE instead SET id = 1' ] },
	sub { 'DELETE FROM instead WHERE id = ' . between(0, 3) },
	sub { 'INSERT INTO notified VALUES (1)' },
	sub { 'SELECT catches(' . between(1, 9) . ')' },
	sub { 'SELECT * FROM loops(' . between(0, 5) . ')' },
	sub { 'SELECT in_sql(' . between(0, 9) . ')' },
	sub { 'SELECT count(*) FROM t, LATERAL loops(2)' },
	sub { 'DO $$BEGIN PERFORM 1 / ' . between(0, 1) . '; END$$' },
	sub { 'DO $$BEGIN COMMIT; UPDATE t SET v = v; ROLLBACK; END$$' },
	sub { 'CALL commits(' . between(0, 4) . ')' },
	sub { 'CALL plain(' . between(0, 2) . ', 1)' },
	sub { 'BEGIN' },
	sub { 'START TRANSACTION ISOLATION LEVEL SERIALIZABLE' },
	sub { 'BEGIN READ ONLY' },
	sub { 'COMMIT' },
	sub { 'END' },
	sub { 'ROLLBACK' },
	sub { 'COMMIT AND CHAIN' },
	sub { 'ROLLBACK AND CHAIN' },
	sub { 'SAVEPOINT ' . one_of('a', 'b') },
	sub { 'ROLLBACK TO ' . one_of('a', 'b') },
	sub { 'RELEASE ' . one_of('a', 'b') },
	sub { "PREPARE TRANSACTION 'p" . $n_name++ . "'" },
	sub { "ROLLBACK PREPARED 'p" . between(0, $n_name) . "'" },
	sub { 'SET CONSTRAINTS ALL IMMEDIATE' },
	sub { "SET work_mem = '1MB'" },
	sub { "SET LOCAL work_mem = '" . between(0, 100) . "'" },
	sub { 'SHOW work_mem' },
	sub { 'RESET work_mem' },
	sub { 'PREPARE ' . one_of('p', 'q') . ' AS ' . one_of('SELECT * FROM t WHERE id < $1', 'UPDATE t SET v = $1 WHERE id = 3', 'SELECT 1 / (0 + $1)') },
	sub { 'EXECUTE ' . one_of('p', 'q') . '(' . between(0, 9) . ')' },
	sub { 'DEALLOCATE ' . one_of('p', 'q', 'ALL') },
	sub { 'DECLARE ' . one_of('c', 'd') . one_of('', ' SCROLL') . ' CURSOR' . one_of('', '', ' WITH HOLD') . ' FOR SELECT * FROM t' },
	sub { 'DECLARE c CURSOR WITH HOLD FOR SELECT v / (id - ' . between(1, 60) . ') FROM t' },
	sub { 'FETCH ' . between(1, 9) . ' FROM ' . one_of('c', 'd') },
	sub { 'FETCH ALL FROM c' },
	sub { 'MOVE ' . between(1, 9) . ' FROM ' . one_of('c', 'd') },
	sub { 'CLOSE ' . one_of('c', 'd', 'ALL') },
	sub { 'SELECT opens()' },
	sub { 'FETCH 3 FROM opened' },
	sub { 'UPDATE t SET v = 1 WHERE CURRENT OF c' },
	sub { 'EXPLAIN SELECT * FROM t' },
	sub { 'EXPLAIN (ANALYZE, TIMING OFF) ' . one_of('SELECT * FROM t', 'UPDATE t SET v = v', 'EXECUTE p(1)', 'SELECT 1 / 0') },
	sub { 'COPY (SELECT * FROM t WHERE id < ' . between(0, 9) . ') TO STDOUT' },
	sub { 'COPY log FROM STDIN' },
	sub { 'COPY t TO STDOUT' },
	sub { 'CREATE TABLE ' . one_of('made', 'other') . ' AS SELECT * FROM t WHERE id < ' . between(0, 9) },
	sub { 'CREATE TEMP TABLE made_temp AS EXECUTE p(3)' },
	sub { 'DROP TABLE ' . one_of('made', 'other') },
	sub { 'SELECT * INTO made FROM t WHERE id < 5' },
	sub { 'ALTER TABLE made ADD COLUMN c' . between(0, 3) . ' int' },
	sub { 'TRUNCATE log' },
	sub { 'ANALYZE parent' },
	sub { 'VACUUM parent' },
	sub { 'LOCK TABLE log IN SHARE MODE' },
	sub { 'LISTEN something' },
	sub { "NOTIFY something, '" . between(0, 9) . "'" },
	sub { 'DISCARD PLANS' },
	sub { 'CHECKPOINT' },
	sub { 'SELECT $q$;$q$, \';\' AS ";" /* ; /* ; */ */ -- ;' . "\n" },
	sub { "SELECT 'a' LIKE 'a\\'" },
	sub { "SELECT E'\\';' AS e" },
	sub { "  SELECT\t1 AS blanks \n " },
	sub { 'SELECT pg_sleep(0.001)' },
	sub { 'SELECT * FROM t ORDER BY v, id LIMIT 3 OFFSET 2' },
	sub { 'SELECT count(*) FROM t WHERE id IN (1, 2, ' . between(0, 9) . ')' },
	sub { 'SELECT id FROM t FOR UPDATE' },
	sub { 'MERGE INTO log USING parent p ON log.id = p.id WHEN MATCHED THEN UPDATE SET what = \'m\' WHEN NOT MATCHED THEN INSERT VALUES (p.id)' },
	sub { 'SELECT atomic(' . between(0, 3) . ')' },
	sub { 'CREATE FUNCTION made() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT no_column; END' },
	sub { 'REFRESH MATERIALIZED VIEW nothing' },
	sub { 'CREATE VIEW made_view AS SELECT * FROM t' },
	sub { 'DROP VIEW made_view' },
);

# text, and whether it is one that leaves nothing to run
sub any_statement
{
	my $made = $kinds[ int(rand(@kinds)) ]->();
	return ref $made ? ($made->[0], 1) : ($made, 0);
}

sub trimmed { my ($text) = @_; $text =~ s/^\s+|\s+$//g; return $text; }

# what the parser refuses: nothing of the string is run then
sub is_syntax_error
{
	my ($string) = @_;

	return $string =~ m{SELEC 1|/\* open}
	  || ($major < 15 && $string =~ /MERGE/)
	  || ($major < 14 && $string =~ /ATOMIC/);
}

# an answer to a statement
sub note_result
{
	my ($text, $message, $nothing) = @_;

	if ($message->{type} eq 'E')
	{
		push @log, { text => trimmed($text), sqlstate => $message->{sqlstate} };
	}
	elsif (!$nothing)
	{
		push @log, { text => trimmed($text), rows => $message->{rows} // 0 };
	}
	return $log[-1];
}

# what follows Sync or a string is the end of a transaction
sub note_end
{
	my ($first, $message) = @_;

	return if @log == $first;
	$log[-1]{sqlstate} = $message->{sqlstate};
	delete $log[-1]{rows};
}

#
# Ways to send them
#

# one string of one or more
sub send_simple
{
	my @statements = @_;    # [text, nothing]
	my $string = join(one_of(';', '; ', ";\n"), map { $_->[0] } @statements);
	my $first = @log;
	my $i = 0;

	foreach my $message ($client->query($string)->run)
	{
		my $type = $message->{type};

		next if $type !~ /^[CEI]$/;
		if ($type eq 'E' && $i == 0 && is_syntax_error($string))
		{
			note_result($string, $message);
		}
		elsif ($i > $#statements
			|| ($type eq 'E' && $i == $#statements && $statements[$i][1]
				&& $message->{sqlstate} =~ /^(23503|ZZ001|40001|22012)$/))
		{
			# where nothing ran last, its end is that of what ran before: deferred
			# checks and triggers, and what a cursor WITH HOLD reads there
			note_end($first, $message);
		}
		else
		{
			note_result($statements[$i][0], $message, $statements[$i][1]);
		}
		$i++;
	}
}

sub simple
{
	send_simple(map { [ any_statement() ] } 1 .. one_of(1, 1, 1, 2, 3, 5));
}

# a batch of strings only
my $only_simple;
my $suspended;     # what @log has of portal r
my %named;         # statements that the server should have
my $in_parts = 'SELECT id AS part FROM t WHERE id <= 9';
my @with_values = ('SELECT id AS part, * FROM t WHERE id < $1', 'SELECT $1::small',
	'SELECT 1 / $1::int', 'INSERT INTO child VALUES ($1)', 'INSERT INTO ruled VALUES ($1, 3)',
	'UPDATE t SET v = $1 WHERE id = 7');

# Some messages, up to Sync.  Each is answered, up to the first error.
sub extended
{
	my @sent;    # { type, text, nothing, portal, name }
	my $made = defined $suspended;

	foreach (1 .. one_of(1, 1, 1, 2, 4))
	{
		my ($text, $nothing) = any_statement();
		my $way = int(rand(15));

		# COPY FROM reads what follows it
		redo if $text =~ /FROM STDIN/;
		if ($way == 0)
		{
			# never executed
			$client->parse('', $text);
			push @sent, { type => 'P', text => $text };
			next if rand(2) < 1;
			$client->bind('', '');
			push @sent, { type => 'B', text => $text };
		}
		elsif ($way <= 2)
		{
			my $value = one_of('1', '0', 'x', '', undef, '12345678901');

			$text = one_of(@with_values);
			$client->parse('', $text)->bind('', '', $value);
			$client->describe('') if rand(2) < 1;
			$client->execute('', one_of(0, 0, 1));
			push @sent, { type => 'P', text => $text }, { type => 'B', text => $text },
			  { type => 'X', text => $text };
		}
		elsif ($way == 9)
		{
			# rows that wait in the portal of a command
			$text = one_of('EXECUTE p(7)', 'FETCH ALL FROM c', 'FETCH 5 FROM d', 'EXECUTE q(9)');
			$client->parse('', $text)->bind('', '')->execute('', between(1, 4));
			push @sent, { type => 'P', text => $text }, { type => 'B', text => $text },
			  { type => 'X', text => $text };
		}
		elsif ($way <= 4)
		{
			# a portal read in parts, beside others
			if (!$made)
			{
				$client->parse('', $in_parts)->bind('r', '');
				push @sent, { type => 'P', text => $in_parts }, { type => 'B', text => $in_parts };
				$made = 1;
			}
			$client->execute('r', between(1, 4));
			push @sent, { type => 'X', text => $in_parts, portal => 'r' };
		}
		elsif ($way == 5)
		{
			# names that are not there
			if (rand(2) < 1) { $client->bind('', 'none'); }
			else { $client->execute('none', 0); }
			push @sent, { type => 'B', name => 'none' };
		}
		elsif ($way == 6)
		{
			$text = 'SELECT 1; SELECT 2';
			$client->parse('', $text);
			push @sent, { type => 'P', text => $text };
		}
		elsif ($way <= 8)
		{
			# prepared once, by name
			my $i = int(rand(@with_values));

			$text = $with_values[$i];
			if (!$named{"s$i"})
			{
				$client->parse("s$i", $text);
				push @sent, { type => 'P', text => $text, name => "s$i" };
			}
			$client->bind('', "s$i", between(0, 3))->execute('', 0);
			push @sent, { type => 'B', text => $text, name => "s$i" }, { type => 'X', text => $text };
		}
		else
		{
			$client->parse('', $text)->bind('', '');
			$client->describe('') if rand(2) < 1;
			$client->execute('', 0);
			push @sent, { type => 'P', text => $text }, { type => 'B', text => $text },
			  { type => 'X', text => $text, nothing => $nothing };
		}
	}

	my $first = @log;
	my $at = 0;
	my $rows = 0;
	foreach my $message ($client->sync->run)
	{
		my $type = $message->{type};
		my $sent = $sent[$at];

		$rows++ if $type eq 'D';
		next if $type !~ /^[12CEIs]$/;
		if (!defined $sent)
		{
			note_end($first, $message);
			next;
		}
		$at++;
		if ($type eq '1')
		{
			$named{ $sent->{name} } = 1 if $sent->{name};
		}
		elsif ($type eq 'E')
		{
			# there is no text of a name that is not there
			my $gone = $sent->{portal} && $message->{sqlstate} eq '34000'
			  || $sent->{name} && $message->{sqlstate} eq '26000'
			  || ($sent->{name} // '') eq 'none';

			$suspended = undef if $sent->{portal};
			delete $named{ $sent->{name} } if $sent->{name};
			note_result($sent->{text}, $message) if !$gone;
			$at = @sent;
		}
		elsif ($type =~ /^[CIs]$/)
		{
			# of a part only the rows themselves tell
			$message->{rows} = $rows if $type eq 's' || $sent->{portal};
			$rows = 0;
			if ($sent->{portal} && defined $suspended)
			{
				$suspended->{rows} += $message->{rows};
			}
			else
			{
				my $noted = note_result($sent->{text}, $message, $sent->{nothing});

				$suspended = $noted if $sent->{portal};
				$noted->{part} = 1 if $type eq 's';
			}
		}
	}
}

sub cancelled
{
	my $text = 'SELECT pg_sleep(' . between(60, 90) . ')';

	return if $client->{state} eq 'E';
	$client->query($text)->flush;
	wait_for_event($node, $client->{pid}, 'PgSleep');
	$client->cancel;
	foreach my $message ($client->read_until('Z'))
	{
		note_result($text, $message) if $message->{type} =~ /^[CE]$/;
		$client->{state} = $message->{body} if $message->{type} eq 'Z';
	}
}

# The limit is over with the transaction: one that ran out at the end of a RESET
# would come between two statements, and be of neither.
sub timed_out
{
	send_simple([ 'BEGIN', 0 ]);
	send_simple([ "SET LOCAL statement_timeout = '20ms'", 0 ]);
	send_simple([ one_of('SELECT pg_sleep(60)', 'DO $$BEGIN PERFORM pg_sleep(60); END$$', 'CALL plain(pg_sleep(60)::text::int, 1)'), 0 ]);
	send_simple([ 'ROLLBACK', 0 ]);
}

sub locked
{
	my ($got) = grep { $_->{type} eq 'E' } $other->query('BEGIN; LOCK TABLE log NOWAIT')->run;

	if (!$got)
	{
		send_simple([ "SET lock_timeout = '5ms'", 0 ]);
		send_simple([ one_of('SELECT * FROM log', 'INSERT INTO ruled VALUES (1, 1)', 'TRUNCATE log'), 0 ]);
		send_simple([ 'RESET lock_timeout', 0 ]);
	}
	$other->query('ROLLBACK')->run;
}

sub empty
{
	$client->query(one_of('', ' ; ', '-- nothing'))->run;
	$client->sync->run if rand(2) < 1;
}

# a transaction of its own
sub transaction
{
	send_simple([ one_of('BEGIN', 'BEGIN ISOLATION LEVEL REPEATABLE READ'), 0 ]);
	foreach (1 .. between(1, 5))
	{
		if ($only_simple || rand(2) < 1) { simple() } else { extended() }
	}
	send_simple([ one_of('COMMIT', 'ROLLBACK'), 0 ]);
}

#
# What the profiler has listed
#

my ($batches, $statements, $errors) = (0, 0, 0);

sub shown { return join(' | ', map { $_ // '-' } @_); }

sub verify
{
	send_simple([ 'ROLLBACK', 0 ]) if $client->{state} ne 'I';
	$suspended = undef;
	$batches++;

	my @listed = $client->rows(q{
SELECT text, status, sqlstate, rows, number FROM missing_symbol.queries
WHERE level = 0 ORDER BY number});
	my $wrong;

	foreach my $i (0 .. ($#log > $#listed ? $#log : $#listed))
	{
		my ($sent, $listed) = ($log[$i], $listed[$i]);
		my ($text, $status, $sqlstate, $rows) = @{ $listed // [] };
		my $expected = !$sent ? '' : !$sent->{sqlstate} ? 'ok' :
		  $sent->{sqlstate} eq '57014' ? 'cancelled' : 'error';

		$errors++ if $sent && $sent->{sqlstate};
		next if $sent && $listed && $sent->{text} eq $text
		  && ($sent->{sqlstate} // '') eq ($sqlstate // '')
		  && ($expected eq $status || ($sent->{part} && $status =~ /^(ok|closed|running)$/))
		  && (!defined $sent->{rows} || $sent->{rows} == $rows);
		$wrong = $i;
		last;
	}
	if (defined $wrong)
	{
		foreach my $i (($wrong > 6 ? $wrong - 6 : 0) .. $wrong + 2)
		{
			my $sent = $log[$i] // {};

			diag "$i sent:   ", shown(@$sent{qw(text sqlstate rows)});
			diag "$i listed: ", shown(@{ $listed[$i] // [] }[ 0, 2, 3, 1 ]);
		}
		fail("batch $batches of seed $seed");
		return 0;
	}
	$statements += @log;
	return 1;
}

# Where both know the query, and it is one query, read to its end, that did
# not fail later, calls and rows are the same.  pg_stat_statements sees a query
# as its portal is closed, so not what an error in a later message has dropped.
sub same_sums
{
	my @differ = $client->rows(q{
SELECT m.text, m.calls, p.calls, m.rows, p.rows
FROM (SELECT queryid, min(text) AS text, sum(calls - errors) AS calls, sum(rows) AS rows
      FROM missing_symbol.query_stats
      WHERE toplevel AND queryid IS NOT NULL
        AND text ~ '^(select|values|table|insert|update|delete|merge|with)'
        AND text !~ '(part|ruled|instead|notified|child|late|pg_sleep|opens|current of)'
      GROUP BY queryid HAVING sum(errors) = 0) m
JOIN (SELECT queryid, sum(calls) AS calls, sum(rows) AS rows
      FROM pg_stat_statements GROUP BY queryid) p USING (queryid)
WHERE (m.calls, m.rows) IS DISTINCT FROM (p.calls, p.rows)});

	diag "pg_stat_statements: ", shown(@$_) foreach @differ;
	return !@differ;
}

my @ways = ((\&simple) x 8, (\&extended) x 8, (\&transaction) x 4,
	\&empty, \&timed_out, \&locked);
my $until = time + $seconds;
my $good = 1;
my $same = 1;

# what was prepared holds its locks
sub finish_prepared
{
	$other->query("ROLLBACK PREPARED '$_->[0]'")->run
	  foreach $other->rows('SELECT gid FROM pg_prepared_xacts');
}

while ($good && $same && time < $until)
{
	$other->rows('SELECT pg_stat_statements_reset()') if $has_pgss;
	$client->rows(sprintf(q{SELECT missing_symbol.profile_start('%s', plans => %s, params => %s), missing_symbol.profile_reset()},
			one_of('top', 'all'), one_of('true', 'false'), one_of('true', 'false')));
	@log = ();
	$only_simple = rand(3) < 1;
	foreach (1 .. 60)
	{
		my $way = $ways[ int(rand(@ways)) ];

		redo if $only_simple && $way == \&extended;
		$way->();
		finish_prepared();
	}
	cancelled() if rand(4) < 1;
	$good = verify();
	$same = same_sums() if $good && $only_simple && $has_pgss && $major >= 14;
	$client->query('RESET ALL')->run;
}
ok($good, "$statements statements in $batches batches, $errors of them failed: as they were answered");
ok($same, 'the sums are those of pg_stat_statements');
cmp_ok($errors, '>', 20, 'errors were among them');
$client->disconnect;
$other->disconnect;
done_testing();
