"""Clients that count in tables of every kind, while others do to the tables,
to the extension's own and to the sessions whatever is done to a database.

    torture.py setup            makes the tables
    torture.py load             TORTURE_SECONDS of it
    torture.py check            compares, key by key, when all is quiet

What a transaction counts it also writes into a ledger, by a plain INSERT: both
are committed, or neither, whatever became of the client.  So after any end of
anything the totals are what the ledger says; of what is buffered a crash may
take what came after the latest flush(), and never adds.

Prints "FINDING: ..." for what must not be, and "figures: ...".

Environment: TORTURE_SEED; TORTURE_SECONDS; TORTURE_WITHOUT, a regular expression of
statements that nobody is to give who tends tables, to find out which it takes; TORTURE_KILL=1 ends with kill -9 of
a server process; TORTURE_CRASHED=1 for a check after a crash; and what libpq
takes.
"""

import collections
import json
import multiprocessing
import multiprocessing.queues
import os
import random
import re
import signal
import sys
import time
import traceback
import uuid

import psycopg2

SEED = int(os.environ.get("TORTURE_SEED", "0"))
SECONDS = float(os.environ.get("TORTURE_SECONDS", "10"))
WITHOUT = os.environ.get("TORTURE_WITHOUT")
CLIENTS = 8
KEYS = 12								# few, so that they meet

# What may become of a statement here: cancels, timeouts, the end of a server or a
# session, conflicts, and what some of the calls do on purpose
EXPECTED = {"57014", "57P01", "57P02", "57P03", "25P03", "40001", "40P01", "55P03", "22003", "23503", "23514"}

# Where two insert one key, a unique index that is not the key's and comes before
# it in the table's list, as REINDEX makes it, tells first: core's upsert fails so
OTHER_INDEX = "_ccnew|_ccold|another|expressions_md5"

# What a statement says that was prepared when a column had another type
OTHER_TYPE = "change result type|of type record has wrong type|has got other columns meanwhile"

WORDS = ("straße", "Zebra", "zebra", "äpfel", "apple", "Apple", "a b", "", "\U0001f600", "null", "{x}", "Ärger")


class Target:
    """A table.  key makes the key of a number: values of its columns, and the
    text that a row of that key gives for the expression canon."""

    def __init__(self, name, ddl, columns, types, key, canon, count="count", settings="", role="", low=1, fields="",
                 deleted=True, total=True, lost=False, ledger=True):
        self.name, self.ddl, self.columns, self.types, self.key, self.canon = name, ddl, columns, types, key, canon
        self.count, self.settings, self.role, self.low, self.fields = count, settings, role, low, fields
        self.deleted, self.total, self.lost, self.ledger = deleted, total, lost, ledger


def number(n, choice):
    return [n], str(n)


def word(n, choice):
    return [WORDS[n]], WORDS[n]


def any_case(n, choice):
    text = f"key {n}"
    return [choice.choice((text, text.upper(), text.title()))], text


def scaled(n, choice):
    return [choice.choice((f"{n}", f"{n}.0", f"{n}.000", f"{n}.00"))], str(n)


TIMES = ", count bigint, created_at timestamptz, modified_at timestamptz"

TARGETS = [
    Target("plain", "k int PRIMARY KEY" + TIMES + ", note text", ["k"], ["int"], number, "k::text"),
    Target("untracked", "k int PRIMARY KEY, hits bigint NOT NULL DEFAULT 0, first_seen timestamptz, last_seen timestamptz",
           ["k"], ["int"], number, "k::text", count="hits"),
    Target("composite", "a int, b text, d date, PRIMARY KEY (a, b, d)" + TIMES, ["a", "b", "d"], ["int", "text", "date"],
           lambda n, choice: ([n % 3, WORDS[n], f"2026-01-{n + 1:02}"], f"{n % 3}/{WORDS[n]}/2026-01-{n + 1:02}"),
           "a || '/' || b || '/' || d"),
    Target("collated", 'k text COLLATE "und-x-icu" PRIMARY KEY' + TIMES, ["k"], ["text"], word, "k"),
    Target("any_case", "k text COLLATE torture.any_case PRIMARY KEY" + TIMES, ["k"], ["text"], any_case, "lower(k)"),
    Target("by_uuid", "k uuid PRIMARY KEY" + TIMES, ["k"], ["uuid"],
           lambda n, choice: ([str(uuid.UUID(int=n * 7919))], str(uuid.UUID(int=n * 7919))), "k::text"),
    Target("by_numeric", "k numeric PRIMARY KEY" + TIMES, ["k"], ["numeric"], scaled, "round(k)::text"),
    Target("typed", "k int PRIMARY KEY, c missing_symbol.counter", ["k"], ["int"], number, "k::text", count="missing_symbol.hits(c)"),
    Target("numeric_count", "k int PRIMARY KEY, count numeric, last_seen timestamptz", ["k"], ["int"], number, "k::text"),
    Target("small_count", "k int PRIMARY KEY, count smallint", ["k"], ["int"], number, "k::text", low=-20),
    Target("checked", "k int PRIMARY KEY, count int CHECK (count < 300000000), twice bigint GENERATED ALWAYS AS (count::bigint * 2) STORED, "
           "CHECK (twice >= -1000000)", ["k"], ["int"], number, "k::text"),
    Target("triggered", "k text PRIMARY KEY" + TIMES, ["k"], ["text"], word, "k", deleted=False),
    Target("child", "k int PRIMARY KEY REFERENCES torture.parent DEFERRABLE INITIALLY DEFERRED" + TIMES, ["k"], ["int"], number, "k::text"),
    Target("by_hash", "k text PRIMARY KEY" + TIMES + ") PARTITION BY HASH (k", ["k"], ["text"], word, "k"),
    Target("by_range", "k int, d date, PRIMARY KEY (k, d)" + TIMES + ") PARTITION BY RANGE (d", ["k", "d"], ["int", "date"],
           lambda n, choice: ([n, f"2026-{n + 1:02}-15"], f"{n}/2026-{n + 1:02}-15"), "k || '/' || d"),
    Target("secured", "tenant text, k int, PRIMARY KEY (tenant, k)" + TIMES, ["tenant", "k"], ["text", "int"],
           lambda n, choice: (["blue", n], f"blue/{n}"), "tenant || '/' || k", role="torture_app"),
    Target("unlogged", "k int PRIMARY KEY" + TIMES, ["k"], ["int"], number, "k::text", lost=True, deleted=False),
    Target("expressions", "k text PRIMARY KEY, count bigint, note text", ["k"], ["text"], word, "k"),
    Target("wide", "k text PRIMARY KEY, count bigint, title text, body text, last_seen timestamptz, "
           + ", ".join(f"x{i} text DEFAULT 'some text {i}'" for i in range(40)), ["k"], ["text"],
           lambda n, choice: (["%s %d" % ("long " * 80, n)], "%s %d" % ("long " * 80, n)), "k",
           settings=", fill => '{title,body}'", fields="title body"),
    Target("spilling", "k int PRIMARY KEY" + TIMES, ["k"], ["int"], number, "k::text", settings=", spill => true", deleted=False),
    Target("spilling_numeric", "k numeric, t text, PRIMARY KEY (k, t), count numeric, last_seen timestamptz", ["k", "t"], ["numeric", "text"],
           lambda n, choice: ([choice.choice((f"{n}", f"{n}.00")), WORDS[n]], f"{n}/{WORDS[n]}"), "round(k) || '/' || t",
           settings=", spill => true, apply => 'commit'"),
    Target("spilling_parts", "k int PRIMARY KEY" + TIMES + ") PARTITION BY HASH (k", ["k"], ["int"], number, "k::text",
           settings=", spill => true"),
    Target("deferred", "k text PRIMARY KEY" + TIMES, ["k"], ["text"], word, "k", settings=", apply => 'commit'"),
    Target("buffered", "k int PRIMARY KEY" + TIMES, ["k"], ["int"], number, "k::text", settings=", apply => 'buffer'",
           deleted=False, lost=True),
    Target("buffered_parts", "a int, b text, PRIMARY KEY (a, b)" + TIMES + ", title text) PARTITION BY HASH (b", ["a", "b"], ["int", "text"],
           lambda n, choice: ([n % 3, WORDS[n]], f"{n % 3}/{WORDS[n]}"), "a || '/' || b",
           settings=", apply => 'buffer', fill => '{title}'", fields="title", deleted=False, lost=True),
    Target("buffered_child", "k int PRIMARY KEY REFERENCES torture.parent DEFERRABLE INITIALLY DEFERRED, count bigint", ["k"], ["int"],
           lambda n, choice: ([n % (KEYS - 1)], str(n % (KEYS - 1))), "k::text", settings=", apply => 'buffer'", deleted=False, lost=True),
    Target("switching", "k int PRIMARY KEY" + TIMES, ["k"], ["int"], number, "k::text", deleted=False, lost=True),
    # how much of this is counted is a matter of time
    Target("throttled", "k int PRIMARY KEY" + TIMES, ["k"], ["int"], number, "k::text", settings=", throttle => '1 second'", ledger=False),
]

SETUP = """
CREATE SCHEMA torture;
CREATE ROLE torture_app;
GRANT USAGE ON SCHEMA torture TO torture_app;
CREATE COLLATION torture.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE torture.ledger (target text, key text, n numeric);
CREATE TABLE torture.noted (round bigint, target text, key text, n numeric);
CREATE TABLE torture.flushed (round bigint);
CREATE TABLE torture.parent (k int PRIMARY KEY);
CREATE TABLE torture.audit (k text, n numeric);
CREATE FUNCTION torture.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO torture.audit VALUES (NEW.k, NEW.count - CASE TG_OP WHEN 'UPDATE' THEN OLD.count ELSE 0 END);
    RETURN NULL;
END $$;
CREATE FUNCTION torture.before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
GRANT SELECT, INSERT ON torture.ledger, torture.audit TO torture_app;
GRANT SELECT ON torture.parent TO torture_app;
"""
# no parent has the last key: a COMMIT that counts it fails
AFTER = f"""
INSERT INTO torture.parent SELECT generate_series(0, {KEYS - 2});
CREATE TRIGGER audited AFTER INSERT OR UPDATE ON torture.triggered FOR EACH ROW EXECUTE FUNCTION torture.audit();
CREATE TRIGGER before BEFORE INSERT ON torture.triggered FOR EACH ROW EXECUTE FUNCTION torture.before();
ALTER TABLE torture.secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON torture.secured TO torture_app
    USING (tenant = current_setting('app.tenant')) WITH CHECK (tenant = current_setting('app.tenant'));
ALTER TABLE torture.unlogged SET UNLOGGED;
CREATE INDEX ON torture.expressions (lower(k));
CREATE UNIQUE INDEX ON torture.expressions (md5(k), length(k));
CREATE INDEX ON torture.expressions (note) WHERE count > 100;
CREATE INDEX by_time ON torture.plain (modified_at);
""" + "".join(f"CREATE TABLE torture.{name}_{i} PARTITION OF torture.{name} FOR VALUES WITH (MODULUS 3, REMAINDER {i});\n"
              for name in ("by_hash", "spilling_parts", "buffered_parts") for i in range(3)) + "".join(
    # the latest month has no partition
    f"CREATE TABLE torture.by_range_{m} PARTITION OF torture.by_range FOR VALUES FROM ('2026-{m:02}-01') TO ('2026-{m + 1:02}-01');\n"
    for m in range(1, 12))


OWN = ("CREATE TEMP TABLE own (k int PRIMARY KEY, count bigint)", "CREATE TEMP TABLE own_ledger (k int, n bigint)")


class Session:
    """A connection that is made again when it is gone."""

    def __init__(self, name, setup):
        self.name, self.setup = name, setup
        self.connection = None
        self.choice = random.Random(f"{SEED} {name}")
        self.generation = 0
        self.errors = collections.Counter()
        self.done = 0
        self.findings = {}

    def connect(self):
        while self.connection is None or self.connection.closed:
            try:
                self.connection = psycopg2.connect("", application_name=self.name)
                self.connection.autocommit = True
                self.prepared = set()
                with self.connection.cursor() as cursor:
                    for statement in self.setup:
                        cursor.execute(statement)
            except psycopg2.Error:
                self.connection = None
                # at the end a server that is gone is not waited for
                if STOP.is_set():
                    return False
                time.sleep(0.05)
        return True

    def run(self, statement, values=None):
        self.latest = statement, values
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def execute(self, name, types, statement, values):
        """The same as a prepared statement, half of the time."""
        if self.choice.random() < 0.5:
            return self.run(statement.format(*["%s::" + type_name for type_name in types]), values)
        name += f"_{self.generation}"
        if name not in self.prepared:
            self.run(f"PREPARE {name} ({', '.join(types)}) AS " .replace(" ()", "")
                     + statement.format(*[f"${i + 1}" for i in range(len(types))]))
            self.prepared.add(name)
        return self.run(f"EXECUTE {name} ({', '.join(['%s'] * len(types))})".replace(" ()", ""), values)

    def failed(self, error):
        code = error.pgcode
        self.errors[code or "connection"] += 1
        # no SQLSTATE: the connection is gone, as it is when the server is
        if code in ("0A000", "42804", "55000") and re.search(OTHER_TYPE, str(error)):
            self.generation += 1			# of a prepared statement
        elif code is not None and code not in EXPECTED and not (code == "23505" and re.search(OTHER_INDEX, str(error))):
            text = f"{self.name}: {code}: {str(error).strip()}"
            self.findings.setdefault((code, str(error)[:60]), f"{text} -- {str(self.latest)[:300]}")

    def try_run(self, statement, values=None):
        try:
            return self.run(statement, values)
        except psycopg2.Error as error:
            self.failed(error)
            return None


class Stop:
    """When a process is to end: at a time, or when it is told to."""

    def __init__(self):
        self.end = time.monotonic() + SECONDS
        self.told = False

    def is_set(self):
        return self.told or time.monotonic() > self.end


STOP = None


# ---------------------------------------------------------------------------
# Those who count
# ---------------------------------------------------------------------------

def placeholders(target):
    return ", ".join(f"%s::{type_name}" for type_name in target.types)


def braces(target):
    return ", ".join(["{}"] * len(target.columns))


def count(session, target, choice):
    """One statement that counts, and what that is in the ledger."""
    name = f"torture.{target.name}"
    how = choice.choice(("one", "one", "by", "row", "many", "rows", "select"))
    if how == "many" and len(target.columns) > 1:
        how = "rows"
    keys = [target.key(choice.randrange(KEYS), choice) for _ in range(1 if how in ("one", "by", "row") else choice.randint(1, 6))]
    # what can be double or lost only adds, so that it can be seen
    by = [1 if how == "one" or how == "select" else choice.randint(target.low, 20) or 1 for _ in keys]

    def fields(key):
        result = dict(zip(target.columns, key))
        for field in target.fields.split():
            if choice.random() < 0.7:
                result[field] = f"{field} {choice.random()}" * choice.choice((1, 1, 200))
        return result

    if how == "one":
        session.execute(f"one_{target.name}", target.types, f"SELECT missing_symbol.increment('{name}', {braces(target)})", keys[0][0])
    elif how == "by":
        session.run(f"SELECT missing_symbol.increment_by('{name}', %s, {placeholders(target)})", [by[0]] + keys[0][0])
    elif how == "row":
        session.run(f"SELECT missing_symbol.increment_row('{name}', %s, %s)", (json.dumps(fields(keys[0][0])), by[0]))
    elif how == "many":
        session.run(f"SELECT * FROM missing_symbol.increment_many('{name}', %s::{target.types[0]}[], %s)", ([key[0] for key, _ in keys], by))
    elif how == "rows":
        session.run(f"SELECT * FROM missing_symbol.increment_rows('{name}', %s, %s)", (json.dumps([fields(key) for key, _ in keys]), by))
    else:
        session.run(f"SELECT missing_symbol.increment('{name}', {', '.join('c%d' % i for i in range(len(target.columns)))}) FROM (VALUES "
                    + ", ".join(f"({placeholders(target)})" for _ in keys) + ") AS v ("
                    + ", ".join(f"c{i}" for i in range(len(target.columns))) + ")", [value for key, _ in keys for value in key])
    if target.ledger:
        session.run("INSERT INTO torture.ledger VALUES " + ", ".join(["(%s, %s, %s)"] * len(keys)),
                    [value for (_, text), n in zip(keys, by) for value in (target.name, text, n)])


def read(session, target, choice):
    name = f"torture.{target.name}"
    if choice.random() < 0.7:
        session.execute(f"value_{target.name}", target.types, f"SELECT missing_symbol.value('{name}', {braces(target)})",
                        target.key(choice.randrange(KEYS), choice)[0])
    else:
        session.execute(f"total_{target.name}", [], f"SELECT * FROM missing_symbol.total(NULL::{name})", [])


def delete(session, target, choice):
    """A row goes, and the ledger says so."""
    key, text = target.key(choice.randrange(KEYS), choice)
    where = " AND ".join(f"{column} = %s::{type_name}" for column, type_name in zip(target.columns, target.types))
    session.run(f"WITH d AS (DELETE FROM torture.{target.name} WHERE {where} RETURNING {target.count} AS n)"
                f" INSERT INTO torture.ledger SELECT %s, %s, -n FROM d", key + [target.name, text])


def count_own(session, choice):
    """In a temporary table, which nobody else sees or looks at later."""
    k, n = choice.randrange(KEYS), choice.randint(1, 5)
    session.own = True
    session.run("SELECT missing_symbol.increment_by('own', %s, %s)", (n, k))
    session.run("INSERT INTO own_ledger VALUES (%s, %s)", (k, n))


def check_own(session):
    for row in session.try_run("SELECT k, count, n FROM missing_symbol.total(NULL::pg_temp.own) FULL JOIN (SELECT k, sum(n) AS n FROM own_ledger GROUP BY k) AS l USING (k)"
                               " WHERE count IS DISTINCT FROM n") or []:
        session.findings["own"] = f"{session.name}: temporary table: key %s has %s, counted: %s" % row


def work(session, targets, choice, depth=0):
    """Part of a transaction: statements, and parts of it that may be rolled back."""
    for _ in range(choice.randint(1, 4)):
        dice = choice.random()
        target = choice.choice(targets)
        if dice < 0.72:
            count(session, target, choice)
        elif dice < 0.80:
            read(session, target, choice)
        elif dice < 0.82 and target.deleted and target.ledger and not target.role:
            delete(session, target, choice)
        elif dice < 0.92 and depth < 3:
            savepoint = f"s{depth}"
            session.run(f"SAVEPOINT {savepoint}")
            try:
                work(session, targets, choice, depth + 1)
            except psycopg2.Error as error:
                if session.connection.closed or choice.random() < 0.3:
                    raise
                session.failed(error)
                session.run(f"ROLLBACK TO {savepoint}")
                continue
            session.run(choice.choice((f"ROLLBACK TO {savepoint}", f"RELEASE {savepoint}", f"RELEASE {savepoint}")))
        elif dice < 0.94:
            cursor = f"c{choice.randrange(10 ** 9)}"
            key, text = target.key(choice.randrange(KEYS), choice)
            n = choice.randint(1, 4)
            session.run(f"DECLARE {cursor} CURSOR FOR SELECT missing_symbol.increment('torture.{target.name}', {placeholders(target)})"
                        " FROM generate_series(1, 5)", key)
            session.run(f"FETCH {n} FROM {cursor}")
            if target.ledger:
                session.run("INSERT INTO torture.ledger VALUES (%s, %s, %s)", (target.name, text, n))
        elif dice < 0.95:
            session.run("SELECT missing_symbol.fold()" if choice.random() < 0.8 else "SELECT missing_symbol.flush()")
        elif dice < 0.96 and depth == 0:
            session.run("CLOSE ALL")
        elif dice < 0.98 and not session.role:
            count_own(session, choice)
        else:
            session.run("SET LOCAL work_mem = '1MB'")


def transaction(session, choice):
    level = choice.choice((" ISOLATION LEVEL REPEATABLE READ", " ISOLATION LEVEL SERIALIZABLE", "", "", "", "", ""))
    session.role = role = choice.random() < 0.4
    session.own = False
    targets = [target for target in TARGETS if role or not target.role]
    targets = choice.sample(targets, choice.randint(1, 5))
    try:
        session.run("BEGIN" + level)
        if role:
            session.run("SET LOCAL ROLE torture_app")
            session.run("SET LOCAL app.tenant = 'blue'")
        for setting, odds in (("missing_symbol.apply = 'commit'", 0.3), ("missing_symbol.fast_path = off", 0.4),
                              ("missing_symbol.pending_limit = 0", 0.1), ("statement_timeout = '30ms'", 0.05),
                              ("lock_timeout = '10ms'", 0.1), ("search_path = pg_catalog", 0.2)):
            if choice.random() < odds:
                session.run("SET LOCAL " + setting)
        work(session, targets, choice)
        dice = choice.random()
        if dice < 0.15:
            session.run("ROLLBACK")
        elif dice < 0.22 and not session.own:
            gid = f"torture {choice.randrange(10 ** 12)}"
            session.run(f"PREPARE TRANSACTION '{gid}'")
            # whatever is left of it, decide() decides
            session.run(f"{choice.choice(('COMMIT', 'COMMIT', 'ROLLBACK'))} PREPARED '{gid}'")
        else:
            session.run("COMMIT")
        session.done += 1
    except psycopg2.Error as error:
        session.failed(error)
        if not session.connection.closed:
            session.try_run("ROLLBACK")


def client(session):
    choice = session.choice
    session.setup += OWN
    while not STOP.is_set() and session.connect():
        transaction(session, choice)
        if session.own and not session.connection.closed:
            check_own(session)
        if choice.random() < 0.01:
            session.connection.close()
        elif choice.random() < 0.02 and not session.connection.closed:
            session.prepared = set()
            if any(session.try_run(statement) is None for statement in ("DISCARD ALL",) + OWN):
                session.connection.close()


# ---------------------------------------------------------------------------
# Those who do not
# ---------------------------------------------------------------------------

TABLES = [target.name for target in TARGETS]
WHOLE = [name for name in TABLES if "_parts" not in name and name not in ("by_hash", "by_range")]
ATTACH = "ALTER TABLE torture.by_hash ATTACH PARTITION torture.by_hash_1 FOR VALUES WITH (MODULUS 3, REMAINDER 1)"
STORES = ["missing_symbol.spilled", "missing_symbol.buffered"]


def table_work(session, choice):
    """Statements, one after the other, of somebody who tends tables."""
    whole = f"torture.{choice.choice(WHOLE)}"
    table = f"torture.{choice.choice(TABLES)}"
    store = choice.choice(STORES)
    return choice.choice((
        [f"REINDEX TABLE CONCURRENTLY {whole}"],
        [f"REINDEX TABLE CONCURRENTLY {whole}"],
        [f"REINDEX TABLE CONCURRENTLY {store}"],
        [f"REINDEX TABLE CONCURRENTLY {store}"],
        # cut off, which leaves invalid indexes
        [f"SET statement_timeout = '{choice.randint(1, 30)}ms'", f"REINDEX TABLE CONCURRENTLY {choice.choice((whole, store))}", "RESET statement_timeout"],
        ["-- drop what is invalid"],
        [f"REINDEX TABLE {choice.choice((whole, store))}"],
        [f"VACUUM FULL {choice.choice((whole, store))}"],
        [f"VACUUM FULL {choice.choice((table, 'torture.ledger'))}"],
        [f"VACUUM {choice.choice((table, store))}"],
        [f"ANALYZE {table}"],
        [f"CLUSTER {whole} USING {whole.split('.')[1]}_pkey"],
        [f"ALTER TABLE {table} ADD added int DEFAULT 7", f"ALTER TABLE {table} ALTER added TYPE bigint", f"ALTER TABLE {table} DROP added"],
        [f"ALTER TABLE {table} ADD added text DEFAULT clock_timestamp()::text", f"ALTER TABLE {table} DROP added"],
        [f"ALTER TABLE {whole} SET (fillfactor = {choice.randint(30, 100)})"],
        [f"CREATE INDEX CONCURRENTLY extra ON {whole} ({choice.choice(('k', '(1)'))})", "DROP INDEX CONCURRENTLY IF EXISTS torture.extra"],
        # the key's index becomes another one
        ["CREATE UNIQUE INDEX CONCURRENTLY another ON torture.plain (k)",
         "ALTER TABLE torture.plain DROP CONSTRAINT plain_pkey, ADD CONSTRAINT plain_pkey PRIMARY KEY USING INDEX another",
         "DROP INDEX CONCURRENTLY IF EXISTS torture.another"],
        [f"CREATE TRIGGER before BEFORE UPDATE ON {whole} FOR EACH ROW EXECUTE FUNCTION torture.before()", f"DROP TRIGGER before ON {whole}"],
        ["ALTER TABLE torture.numeric_count ALTER count TYPE bigint", "ALTER TABLE torture.numeric_count ALTER count TYPE numeric"],
        ["ALTER TABLE torture.wide RENAME COLUMN x1 TO y1", "ALTER TABLE torture.wide RENAME COLUMN y1 TO x1"],
        ["ALTER TABLE torture.by_hash DETACH PARTITION torture.by_hash_1", ATTACH],
        [f"SELECT missing_symbol.track('torture.switching', apply => '{choice.choice(('now', 'commit', 'buffer'))}', spill => {choice.choice(('true', 'false'))})"],
        [f"SELECT missing_symbol.track('torture.{choice.choice(('spilling', 'spilling_parts'))}', spill => true)"],
        ["SELECT missing_symbol.fold()"], ["SELECT missing_symbol.flush()"],
        ["BEGIN", f"SELECT count(*) FROM (SELECT FROM torture.spilling ORDER BY k LIMIT 3 FOR UPDATE) AS s", "SELECT pg_sleep(0.1)", "COMMIT"],
        ["BEGIN", f"LOCK TABLE {table} IN SHARE MODE", "SELECT pg_sleep(0.02)", "ROLLBACK"],
        ["CHECKPOINT"]))


def drop_invalid(session):
    for (name,) in session.try_run("SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid"
                                   " WHERE NOT indisvalid AND relkind = 'r' AND indexrelid::regclass::text ~ '_cc(new|old)|extra|another'") or []:
        session.try_run(f"DROP INDEX {name}")


def tend(session):
    choice = session.choice
    session.setup += ("SET lock_timeout = '2s'",)
    while not STOP.is_set() and session.connect():
        statements = table_work(session, choice)
        if WITHOUT and re.search(WITHOUT, "; ".join(statements)):
            continue
        for statement in statements:
            if session.connection.closed:
                break
            if statement.startswith("--"):
                drop_invalid(session)
            else:
                session.try_run(statement)
            session.done += 1
        # what was cut off leaves something in the way
        for key in [key for key in session.findings if not key[0].startswith("XX")]:
            del session.findings[key]
        if not session.connection.closed:
            session.try_run("ROLLBACK")
            session.try_run("RESET statement_timeout")
            session.try_run("DROP INDEX IF EXISTS torture.extra, torture.another")
            # a DROP or an ATTACH that was cut off
            for (table,) in session.try_run("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'before' AND tgrelid <> 'torture.triggered'::regclass") or []:
                session.try_run(f"DROP TRIGGER before ON {table}")
            if session.try_run("SELECT 1 FROM pg_inherits WHERE inhrelid = 'torture.by_hash_1'::regclass") == []:
                session.try_run(ATTACH)
        time.sleep(choice.random() * 0.02)


def treat(session):
    """Cancels and terminates, clients and workers and those who tend."""
    choice = session.choice
    while not STOP.is_set() and session.connect():
        how = choice.choice(("pg_cancel_backend", "pg_cancel_backend", "pg_terminate_backend"))
        session.try_run(f"""SELECT {how}(pid) FROM (SELECT pid FROM pg_stat_activity
WHERE application_name ~ 'client|tend|missing_symbol' OR backend_type ~ 'missing_symbol|autovacuum worker' ORDER BY random() LIMIT 1) AS a""")
        session.done += 1
        time.sleep(choice.random() * 0.1)


def note(session):
    """What is committed before a flush() outlives a crash."""
    while not STOP.is_set() and session.connect():
        mark = time.monotonic_ns()
        if session.try_run("INSERT INTO torture.noted SELECT %s, target, key, sum(n) FROM torture.ledger GROUP BY target, key", (mark,)) is not None \
                and session.try_run("SELECT missing_symbol.flush()") is not None \
                and session.try_run("INSERT INTO torture.flushed VALUES (%s)", (mark,)) is not None:
            session.done += 1
        session.try_run("DELETE FROM torture.noted WHERE round < (SELECT max(round) FROM torture.flushed)")
        time.sleep(0.3)


def look(session):
    """A total of what is never deleted goes up only."""
    before = 0
    while not STOP.is_set() and session.connect():
        rows = session.try_run("SELECT coalesce(sum(count), 0) FROM missing_symbol.total(NULL::torture.spilling)")
        if rows:
            session.done += 1
            if rows[0][0] < before:
                session.findings[f"back {before}"] = f"look: total() of spilling went from {before} back to {rows[0][0]}"
            before = rows[0][0]


def run_in(function, name, queue, *arguments):
    """A process, which reports whatever becomes of it."""
    global STOP
    STOP = Stop()

    def told(*_):
        STOP.told = True
    signal.signal(signal.SIGTERM, told)
    session = Session(name, setup=("SET client_min_messages = error",))
    try:
        function(session, *arguments)
    except Exception:					# else the others would be waited for without an end
        session.findings["died"] = f"{name} died: {traceback.format_exc()}"
    queue.put((name, session.done, dict(session.errors), list(session.findings.values())))


def decide():
    """What is left prepared by a client who was cut off keeps others waiting."""
    try:
        connection = psycopg2.connect("", application_name="decide")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT gid FROM pg_prepared_xacts WHERE prepared < clock_timestamp() - interval '0.3 s'")
            for (gid,) in cursor.fetchall():
                # any half of them
                cursor.execute(f"{'COMMIT' if gid[-1] in '02468' else 'ROLLBACK'} PREPARED '{gid}'")
        connection.close()
    except psycopg2.Error:
        pass


def activity():
    connection = psycopg2.connect("")
    with connection.cursor() as cursor:
        cursor.execute("SELECT application_name, wait_event, left(query, 100), pg_blocking_pids(pid) FROM pg_stat_activity WHERE state <> 'idle'")
        return cursor.fetchall()


def load():
    end = time.monotonic() + SECONDS + 120
    queue = multiprocessing.Queue()
    tasks = [(client, f"client {n}") for n in range(CLIENTS)] + [(function, function.__name__) for function in (tend, treat, note, look)]
    processes = [multiprocessing.Process(target=run_in, args=(function, name, queue)) for function, name in tasks]
    for process in processes:
        process.start()
    if os.environ.get("TORTURE_KILL"):
        time.sleep(SECONDS * 0.8)
        choice = random.Random(f"{SEED} kill")
        connection = psycopg2.connect("")
        with connection.cursor() as cursor:
            kind = choice.choice(("client backend", "missing_symbol worker", "checkpointer", "client backend"))
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() ORDER BY backend_type <> %s, random() LIMIT 1", (kind,))
            os.kill(cursor.fetchone()[0], signal.SIGKILL)
        connection.close()
        time.sleep(0.2)
        # until it is up again they would only knock
        for process in processes:
            process.terminate()
    reports = []
    while len(reports) < len(processes):
        try:
            reports.append(queue.get(timeout=0.3))
        except multiprocessing.queues.Empty:
            decide()
            if time.monotonic() > end:
                print("FINDING: somebody waits without an end:", activity())
                os._exit(1)
    for process in processes:
        process.join()
    errors = collections.Counter()
    for _, _, some, findings in reports:
        errors.update(some)
        for finding in findings:
            print("FINDING:", finding.replace("\n", " | "))
    done = {name: n for name, n, _, _ in reports}
    print(f"figures: {sum(n for name, n in done.items() if 'client' in name)} transactions, {done['tend']} statements beside,"
          f" {done['treat']} cancels and terminates, {done['note']} flushes, {done['look']} totals, errors "
          + " ".join(f"{code}:{n}" for code, n in sorted(errors.items())))


# ---------------------------------------------------------------------------
# When all is quiet
# ---------------------------------------------------------------------------

def differences(run, target, source, ledger, how):
    """Keys whose count is not as the ledger says."""
    return run(f"""
SELECT coalesce(t.key, l.key), t.n, l.n
FROM (SELECT {target.canon} AS key, sum({target.count})::numeric AS n FROM {source} AS t GROUP BY 1) AS t
FULL JOIN (SELECT key, sum(n) AS n FROM {ledger} GROUP BY key) AS l USING (key)
WHERE NOT coalesce(t.n, 0) {how} coalesce(l.n, 0) ORDER BY 1 LIMIT 5""")


def check():
    connection = psycopg2.connect("", application_name="check")
    connection.autocommit = True
    crashed = bool(os.environ.get("TORTURE_CRASHED"))
    findings = []

    def run(statement, values=None):
        with connection.cursor() as cursor:
            try:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []
            except psycopg2.Error as error:
                findings.append(f"check: {error.pgcode}: {str(error).strip()} -- {statement.strip()[:300]}")
                return []

    run("SET client_min_messages = error")
    for (gid,) in run("SELECT gid FROM pg_prepared_xacts"):
        run(f"{'COMMIT' if gid[-1] in '02468' else 'ROLLBACK'} PREPARED '{gid}'")
    if not run("SELECT 1 FROM pg_inherits WHERE inhrelid = 'torture.by_hash_1'::regclass"):
        run(ATTACH)
    invalid = [name for (name,) in run("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")]

    # before and after what is on its way is in the rows, and after invalid
    # indexes are gone
    for when in ("total", "rows"):
        if when == "rows":
            for name in invalid:
                run(f"DROP INDEX {name}")
            run("SELECT missing_symbol.flush()")
        for target in (target for target in TARGETS if target.ledger):
            name = f"torture.{target.name}"
            source = f"missing_symbol.total(NULL::{name})" if when == "total" else name
            mine = f"torture.ledger WHERE target = '{target.name}'"
            if crashed and target.lost:
                noted = f"torture.noted WHERE target = '{target.name}' AND round = (SELECT max(round) FROM torture.flushed)"
                wrong = [("more than was counted", row) for row in differences(run, target, source, mine, "<=")]
                if target.name != "unlogged":
                    wrong += [("less than was flushed", row) for row in differences(run, target, source, noted, ">=")]
            else:
                wrong = [("not what was counted", row) for row in differences(run, target, source, mine, "=")]
            for what, (key, n, ledger) in wrong:
                findings.append(f"{when}: {target.name}: key {key!r} has {n}, {what}: {ledger}")

    for target, key, error in run("SELECT target::text, key, error FROM missing_symbol.spilled LIMIT 5"):
        findings.append(f"left over: {target} {key}: {error}")
    if run("SELECT 1 FROM missing_symbol.buffered LIMIT 1"):
        findings.append("left over in the buffer")
    for row in run("SELECT k, t.count, a.n FROM torture.triggered t FULL JOIN (SELECT k, sum(n) AS n FROM torture.audit GROUP BY k) a USING (k)"
                   " WHERE t.count IS DISTINCT FROM a.n"):
        findings.append("a trigger saw another sum: %s: %s, %s" % row)
    for target in TARGETS:
        if "created_at" in target.ddl:
            for row in run(f"SELECT {target.canon}, created_at, modified_at FROM torture.{target.name} WHERE created_at > modified_at LIMIT 3"):
                findings.append(f"{target.name}: times of {row[0]!r}: {row[1]}, {row[2]}")
    # go on from what there is
    if crashed:
        for target in (target for target in TARGETS if target.lost):
            run("DELETE FROM torture.ledger WHERE target = %s", (target.name,))
            run(f"INSERT INTO torture.ledger SELECT %s, {target.canon}, {target.count} FROM torture.{target.name} AS t", (target.name,))
    run("CREATE TEMP TABLE sums AS SELECT target, key, sum(n) FROM torture.ledger GROUP BY target, key")
    run("TRUNCATE torture.ledger, torture.noted, torture.flushed")
    run("INSERT INTO torture.ledger SELECT * FROM sums")

    indexes = run("""SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relkind = 'i' AND relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
  AND (relnamespace::regnamespace::text IN ('torture', 'missing_symbol') OR i.indrelid = ANY (ARRAY['pg_class', 'pg_attribute', 'pg_depend']::regclass[]))""")
    for index, _ in indexes:
        run("SELECT bt_index_check(%s, true)", (index,))
    heaps = 0
    if connection.server_version >= 140000:
        for (table,) in run("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('torture', 'missing_symbol')"):
            heaps += 1
            for row in run("SELECT blkno, offnum, msg FROM verify_heapam(%s)", (table,)):
                findings.append(f"heap of {table}: {row}")
    counted = run("SELECT sum(n), count(DISTINCT target) FROM torture.ledger")[0]
    for finding in findings:
        print("FINDING:", finding.replace("\n", " | "))
    print(f"figures: {counted[0]} counted in {counted[1]} tables, {len(indexes)} indexes and {heaps} heaps looked at, {len(invalid)} indexes were invalid")


def setup():
    connection = psycopg2.connect("")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET client_min_messages = error")
        cursor.execute("CREATE EXTENSION amcheck")
        cursor.execute(SETUP)
        for target in TARGETS:
            cursor.execute(f"CREATE TABLE torture.{target.name} ({target.ddl})")
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON torture.{target.name} TO torture_app")
        cursor.execute(AFTER)
        for target in TARGETS:
            if target.name != "untracked" and target.name != "switching":
                cursor.execute(f"SELECT missing_symbol.track('torture.{target.name}'{target.settings})")
    print(f"figures: {len(TARGETS)} tables")


if __name__ == "__main__":
    {"setup": setup, "load": load, "check": check}[sys.argv[1]]()
