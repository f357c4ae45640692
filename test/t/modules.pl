# Beside other modules that hook into the server: what is counted is exact and
# nobody crashes, in every mode and on both paths, whatever a transaction does
# between an increment and its end.  Each module that the machine has is loaded;
# for those it does not have the package is named.  And what pgaudit's log
# shows of increments, as doc/security.md says it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use MissingSymbolTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Modules, in an order that they can be loaded in: what Debian's package is
# called after postgresql-NN-, and what they hook.  sepgsql needs SELinux.
my @modules = (
	# before all that want shared memory: it forgets their hooks
	[ 'plprofiler', 'plprofiler', 'PL/pgSQL' ],
	[ 'pg_stat_statements', '', 'planner, executor, utility' ],
	[ 'auto_explain', '', 'executor' ],
	[ 'pgaudit', 'pgaudit', 'privileges, executor, utility, access to objects' ],
	[ 'pg_stat_kcache', 'pg-stat-kcache', 'planner, executor' ],
	[ 'pg_qualstats', 'pg-qualstats', 'executor' ],
	[ 'pg_wait_sampling', 'pg-wait-sampling', 'planner, executor' ],
	[ 'hypopg', 'hypopg', 'utility, executor, indexes' ],
	[ 'set_user', 'set-user', 'utility, access to objects' ],
	[ 'pgextwlist', 'pgextwlist', 'utility' ],
	[ 'pglogical', 'pglogical', 'utility, access to objects' ]);
my %extension = map { $_ => 1 } qw(pg_stat_statements pgaudit pg_stat_kcache pg_qualstats hypopg set_user);

my $libdir = pg_config('--pkglibdir');
my ($major) = pg_config('--version') =~ /(\d+)/;
my @there;
foreach my $module (@modules)
{
	my ($name, $package, $hooks) = @$module;

	if (-e "$libdir/$name.so") { push @there, $name; }
	else
	{
	  SKIP:
		{
			skip "$name ($hooks) is not installed: "
			  . ($package ? "package postgresql-$major-$package" : "PostgreSQL's contrib"), 1;
		}
	}
}

# ---------------------------------------------------------------------------
# What sessions do, in a table T with a key K of their own; and what K then
# has, in every mode or in each
# ---------------------------------------------------------------------------

my @scenarios = (
	# what is deferred reaches its row after it
	[ 'truncate', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); TRUNCATE T; COMMIT}, { commit => 1, buffer => 1 } ],
	[ 'single', q{SELECT missing_symbol.increment('T', 'K'); SELECT missing_symbol.increment_by('T', 2, 'K')}, 3 ],
	[ 'batch', q{SELECT missing_symbol.increment_many('T', ARRAY['K', 'other', 'K'])}, 2 ],
	[ 'fields', q{SELECT missing_symbol.increment_row('T', '{"k": "K"}'); SELECT missing_symbol.increment_rows('T', '[{"k": "K"}]')}, 2 ],
	[ 'savepoint', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); SAVEPOINT s; SELECT missing_symbol.increment_by('T', 10, 'K');
ROLLBACK TO s; SELECT missing_symbol.increment('T', 'K'); COMMIT}, 2 ],
	[ 'rollback', q{SELECT missing_symbol.increment('T', 'K'); BEGIN; SELECT missing_symbol.increment('T', 'K'); ROLLBACK}, 1 ],
	[ 'exception', q{DO $$BEGIN BEGIN PERFORM missing_symbol.increment('T', 'K'); RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN PERFORM missing_symbol.increment('T', 'K'); END; END$$}, 1 ],
	[ 'procedure', q{DO $$BEGIN FOR i IN 1 .. 3 LOOP PERFORM missing_symbol.increment('T', 'K'); COMMIT;
PERFORM missing_symbol.increment('T', 'K'); ROLLBACK; END LOOP; END$$}, 3 ],
	[ 'cursor', q{BEGIN; DECLARE c CURSOR FOR SELECT missing_symbol.increment('T', 'K') FROM generate_series(1, 9); FETCH 3 FROM c; COMMIT}, 3 ],
	[ 'held', q{DECLARE c CURSOR WITH HOLD FOR SELECT missing_symbol.increment('T', 'K') FROM generate_series(1, 5); FETCH 2 FROM c; CLOSE c}, 5 ],
	[ 'held in a transaction', q{BEGIN; SELECT missing_symbol.increment('T', 'K');
DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT missing_symbol.increment('T', 'K') FROM generate_series(1, 5); FETCH 2 FROM c; COMMIT; FETCH ALL FROM c}, 6 ],
	[ 'close all', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); CLOSE ALL; SELECT missing_symbol.increment('T', 'K'); COMMIT}, 2 ],
	[ 'setting', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); ALTER TABLE T SET (fillfactor = 71); COMMIT}, 1 ],
	[ 'column', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); ALTER TABLE T ADD x int; SELECT missing_symbol.increment('T', 'K'); COMMIT;
ALTER TABLE T DROP x}, 2 ],
	[ 'index', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); CREATE INDEX i ON T (note); SELECT missing_symbol.increment('T', 'K'); DROP INDEX i; COMMIT}, 2 ],
	[ 'other table', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); CREATE TEMP TABLE x AS SELECT 1; DROP TABLE x; COMMIT}, 1 ],
	[ 'utility', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); SET LOCAL work_mem = '1MB'; LOCK TABLE T IN SHARE UPDATE EXCLUSIVE MODE; NOTIFY n; COMMIT}, 1 ],
	[ 'read', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); SELECT missing_symbol.value('T', 'K'); SELECT * FROM missing_symbol.total(NULL::T); COMMIT}, 1 ],
	[ 'copy', q{COPY (SELECT missing_symbol.increment('T', 'K')) TO STDOUT}, 1 ],
	[ 'table as', q{CREATE TEMP TABLE a AS SELECT missing_symbol.increment('T', 'K'); EXPLAIN ANALYZE SELECT missing_symbol.increment('T', 'K')}, 2 ],
	[ 'statement', q{PREPARE p (text) AS SELECT missing_symbol.increment('T', $1); EXECUTE p ('K'); BEGIN; EXECUTE p ('K'); DEALLOCATE p; COMMIT}, 2 ],
	[ 'prepared', q{BEGIN; SELECT missing_symbol.increment('T', 'K'); PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p';
BEGIN; SELECT missing_symbol.increment('T', 'K'); PREPARE TRANSACTION 'p'; ROLLBACK PREPARED 'p'}, 1 ],
	[ 'role', q{SET ROLE visitor; BEGIN; SELECT missing_symbol.increment('T', 'K'); SET LOCAL work_mem = '1MB'; COMMIT; SELECT missing_symbol.increment('T', 'K'); RESET ROLE}, 2 ],
	[ 'two roles', q{BEGIN; SET ROLE visitor; SELECT missing_symbol.increment('T', 'K'); RESET ROLE; SELECT missing_symbol.increment('T', 'K'); ALTER TABLE T SET (fillfactor = 72); COMMIT}, 2 ],
	[ 'security definer', q{SET ROLE visitor; BEGIN; SELECT definer('T', 'K'); COMMIT}, 1 ],
	# another transaction has the row: spilled where the table spills, else deferred or buffered
	[ 'locked', q{SELECT missing_symbol.increment('T', 'K'); BEGIN; SELECT k FROM T WHERE k = 'K' FOR UPDATE; PREPARE TRANSACTION 'holder';
SELECT missing_symbol.increment('T', 'K') WHERE 'T' ~ 'spill|buffer'; COMMIT PREPARED 'holder'}, { now => 1, commit => 1, spill => 2, buffer => 2 } ],
	[ 'fold', q{SELECT missing_symbol.increment('T', 'K'); SELECT missing_symbol.fold('T'); BEGIN; SELECT missing_symbol.increment('T', 'K'); SELECT missing_symbol.flush(); COMMIT}, 2 ],
	[ 'settings', q{SELECT missing_symbol.increment('T', 'K'); SELECT * FROM missing_symbol.describe('T'); SELECT * FROM missing_symbol.counter_stats;
CALL missing_symbol.prune('T', '100 years')}, 1 ]);

sub expected
{
	my ($mode) = @_;
	my @lines = ('other|1');		# of the batch

	foreach my $scenario (@scenarios)
	{
		my ($name, $sql, $n) = @$scenario;

		$n = $n->{$mode} if ref $n;
		push @lines, "$name|$n" if defined $n;
	}
	return join("\n", sort @lines);
}

sub rows
{
	my ($node, $sql) = @_;
	my ($rc, $out) = $node->psql('postgres', $sql);

	return join("\n", sort split(/\n/, $out));
}

sub target
{
	my ($node, $table, $mode) = @_;

	$node->safe_psql('postgres', "CREATE TABLE $table (k text PRIMARY KEY, count bigint, note text, last_seen timestamptz) WITH (fillfactor = 70);"
		  . "SELECT missing_symbol.track('$table', spill => " . ($mode eq 'spill' ? 'true' : 'false')
		  . ", apply => '" . ($mode eq 'spill' ? 'now' : $mode) . "')");
	return;
}

sub run_scenarios
{
	my ($node, $what, $mode, $path) = @_;
	my $table = "t_${mode}_$path";
	my ($crashes, $right) = (log_count($node, qr/was terminated by signal/), expected($mode));

	local $ENV{PGOPTIONS} = "-c missing_symbol.fast_path=$path -c client_min_messages=warning";
	target($node, $table, $mode);
	$node->safe_psql('postgres', "CREATE TRIGGER noted AFTER INSERT OR UPDATE ON $table FOR EACH ROW EXECUTE FUNCTION noted();"
		  . "GRANT SELECT, INSERT, UPDATE ON $table TO visitor, auditor");
	foreach my $scenario (@scenarios)
	{
		my ($name, $sql) = @$scenario;
		my ($rc, $out, $err) = $node->psql('postgres', $sql =~ s/'K'/'$name'/gr =~ s/"K"/"$name"/gr =~ s/\bT\b/$table/gr);

		is($rc, 0, "$what, $mode, $path: $name") or diag $err;
		wait_until_up($node) if $rc == 2 || $err =~ /closed the connection|not currently accepting/;
	}
	is(rows($node, "SELECT k, count FROM missing_symbol.total(NULL::$table)"), $right, "$what, $mode, $path: total() is exact");
	if ($mode eq 'buffer' && $path eq 'on')
	{
		poll_query_until_ok($node, "$what: the worker merges", 'SELECT NOT EXISTS (SELECT FROM missing_symbol.buffered)');
	}
	$node->psql('postgres', 'SELECT missing_symbol.flush()');
	is(rows($node, "SELECT k, count FROM $table"), $right, "$what, $mode, $path: the rows are exact");
	is(rows($node, 'SELECT * FROM missing_symbol.spilled'), '', "$what, $mode, $path: nothing is left");
	is(log_count($node, qr/was terminated by signal/), $crashes, "$what, $mode, $path: nobody has crashed");
	return;
}

# A server with those modules, and all scenarios there
sub beside
{
	my ($name, $preload, $paths, @conf) = @_;
	my $node = new_node($name,
		conf => [ "shared_preload_libraries = '$preload'", 'restart_after_crash = on', 'max_prepared_transactions = 5',
			'wal_level = logical', 'track_commit_timestamp = on', q{missing_symbol.flush_interval = '100ms'},
			'log_statement = none', 'log_error_verbosity = terse', @conf ]);

	foreach my $module (grep { $extension{$_} && $preload =~ /\b$_\b/ } @there)
	{
		$node->safe_psql('postgres', "CREATE EXTENSION $module");
	}
	$node->safe_psql('postgres', q{
CREATE ROLE visitor; CREATE ROLE auditor; CREATE TABLE seen (k text, n int);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
    'BEGIN INSERT INTO seen VALUES (NEW.k, 1); RETURN NULL; END';
CREATE FUNCTION definer(t regclass, k text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS
    'BEGIN RETURN missing_symbol.increment(t, k); END';
});
	foreach my $mode ('now', 'commit', 'spill', 'buffer')
	{
		run_scenarios($node, $name, $mode, $_) foreach @$paths;
	}
	return $node;
}

sub end
{
	my ($node) = @_;

	$node->stop;
	clean_log_ok($node);
	return;
}

# ---------------------------------------------------------------------------
# All of them, ours last; then ours first, and profiling
# ---------------------------------------------------------------------------

my $all = join(', ', @there);
my @all = ("pgaudit.log = 'all'", 'pgaudit.log_relation = on', 'pgaudit.log_parameter = on', "pgaudit.role = 'auditor'",
	'auto_explain.log_min_duration = 0', 'auto_explain.log_analyze = on', 'auto_explain.log_nested_statements = on',
	'auto_explain.log_triggers = on', "pg_stat_statements.track = 'all'", 'pg_stat_statements.track_planning = on',
	"pg_stat_kcache.track = 'all'", 'pg_stat_kcache.track_planning = on', 'pg_qualstats.sample_rate = 1',
	"extwlist.extensions = 'hypopg'", 'plprofiler.enabled = on');

my $node = beside('all', "$all, missing_symbol", [ 'on', 'off' ], @all);
if ($all =~ /pg_stat_statements/)
{
	cmp_ok(answer($node, q{SELECT sum(calls) FROM pg_stat_statements WHERE query ~ 'missing_symbol.increment'}), '>', 100,
		'pg_stat_statements has seen the calls');
}
end($node);
end(beside('profiled', "missing_symbol, $all", [ 'on', 'off' ], "missing_symbol.profile = 'all'", 'missing_symbol.profile_plans = on',
		q{missing_symbol.profile_log = 'summary'}, @all));

# ---------------------------------------------------------------------------
# pgaudit alone, with as little as makes it look; and what its log shows
# ---------------------------------------------------------------------------

SKIP:
{
	skip "what pgaudit's log shows: package postgresql-$major-pgaudit is not installed", 1 unless $all =~ /pgaudit/;
	# the one that comes with 19rc1 logs nothing where the hook is called by a
	# function; made from the sources of its release 19.0 it does
	skip "what pgaudit's log shows: it was made for a PostgreSQL that is not released yet", 1
	  if pg_config('--version') =~ /^PostgreSQL \d+(?:rc|beta|devel)/;

	end(beside('audit_role', 'pgaudit', ['on'], "pgaudit.role = 'auditor'"));
	$node = beside('audit_ddl', 'pgaudit', ['on'], "pgaudit.log = 'ddl'");
	foreach my $mode ('now', 'commit', 'spill', 'buffer')
	{
		target($node, "a_${mode}_$_", $mode) foreach ('on', 'off');
		$node->safe_psql('postgres', "GRANT INSERT ON a_${mode}_$_ TO auditor") foreach ('on', 'off');
	}

	# lines of the log that statements, and what comes after them, have written
	my $audit = sub
	{
		my ($settings, $path, $sql) = @_;
		my $from = -s $node->logfile;

		local $ENV{PGOPTIONS} = "-c missing_symbol.fast_path=$path -c client_min_messages=warning $settings";
		my ($rc, $out, $err) = $node->psql('postgres', $sql);

		is($rc, 0, "audited: $sql") or diag $err;
		wait_until_up($node) if $rc == 2;
		$node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM missing_symbol.buffered)') if $sql =~ /buffer/;
		# without the numbers of statements, and without the text
		return join("\n", map { /AUDIT: (\w+),\d+,\d+,(\w+,\w+,[^,]*,[^,]*),"?(\w*)/ ? "$1,$2,$3" : () }
			  split(/\n/, slurp_log($node, $from)));
	};

	foreach my $mode ('now', 'commit', 'spill', 'buffer')
	{
		foreach my $path ('on', 'off')
		{
			my $table = "a_${mode}_$path";
			my $call = "SELECT missing_symbol.increment('$table', 'audited')";

			is($audit->("-c pgaudit.log=function", $path, "$call; $call"),
				join("\n", ('SESSION,FUNCTION,EXECUTE,FUNCTION,missing_symbol.increment,SELECT') x 2),
				"pgaudit.log = function: $mode, $path: each call, with its statement") if $path eq 'on';
			my $lines = $audit->("-c pgaudit.role=auditor -c pgaudit.log=none", $path, "BEGIN; $call; $call; COMMIT");
			my @calls = grep { /,SELECT$/ } split /\n/, $lines;

			is(join("\n", @calls), join("\n", ("OBJECT,WRITE,INSERT,TABLE,public.$table,SELECT") x 2),
				"object audit: $mode, $path: each call, with its statement");
			is($lines, join("\n", @calls), "object audit: $mode, $path: and nothing else") if $path eq 'on';
			is($audit->("-c pgaudit.log=write -c pgaudit.log_relation=on", $path, $call) =~ s/\n.*//sr,
				"SESSION,WRITE,INSERT,TABLE,public.$table,SELECT", "pgaudit.log = write, log_relation: $mode, $path: the table by name");
			is(scalar(grep { /,SELECT$/ } split(/\n/, $audit->("-c pgaudit.log=write -c pgaudit.log_relation=on", $path,
					"SELECT missing_symbol.increment_many('$table', ARRAY['b', 'a', 'b'])"))), 1,
				"pgaudit.log = write, log_relation: $mode, $path: a batch is one line");
		}
	}
	is($audit->('-c pgaudit.log=write', 'on', "SELECT missing_symbol.increment('a_now_on', 'audited')"), '',
		'pgaudit.log = write alone shows no increment: the statement is a SELECT');
	is($audit->('-c pgaudit.log=read', 'on', "SELECT missing_symbol.increment('a_now_on', 'audited')"), 'SESSION,READ,SELECT,,,SELECT',
		'pgaudit.log = read does');
	is($audit->('-c pgaudit.log=function', 'on', "SELECT missing_symbol.fold(), missing_symbol.flush()"),
		"SESSION,FUNCTION,EXECUTE,FUNCTION,missing_symbol.fold,SELECT\nSESSION,FUNCTION,EXECUTE,FUNCTION,missing_symbol.flush,SELECT",
		'fold() and flush() are calls of functions');
	end($node);
}

done_testing();
