"""Every function, operator, view and setting, with any arguments.

Functions come from pg_proc, arguments from pools of values that are at the
edge of their types, or are of other types, or null.  Between them tables are
altered and dropped, settings and roles change, transactions begin and end.
The input of type counter gets mutations of what is valid, as text and as
bytes, and what it takes must come back the same.

A finding is: a server that crashes, or closes the connection; an error
without an SQLSTATE, or one of class XX, "internal error"; a counter that does
not come back.  Each is printed once, with the latest statements.  Ends with
lines "figures: ..." and "N passed, N failed", N counting what was called.

Environment: FUZZ_SECONDS, FUZZ_SEED, and what libpq takes.
"""

import collections
import io
import os
import random
import re
import struct
import sys
import time

import psycopg2

SECONDS = int(os.environ["FUZZ_SECONDS"])
CHOICE = random.Random(int(os.environ["FUZZ_SEED"]))
LATEST = 12								# statements that a finding shows

# Internal errors that are core's own way to say it: message, reason
ALLOWED = ()

TARGETS = """
CREATE SCHEMA fuzz;
GRANT USAGE, CREATE ON SCHEMA fuzz TO fuzz_low;
CREATE TABLE fuzz.page (k text PRIMARY KEY, count bigint, created_at timestamptz, modified_at timestamptz, note text);
CREATE TABLE fuzz.num (k numeric PRIMARY KEY, hits int CHECK (hits < 1000000));
CREATE TABLE fuzz.two (a int, b text, count smallint, PRIMARY KEY (a, b));
CREATE TABLE fuzz.typed (k int PRIMARY KEY, c missing_symbol.counter);
CREATE TABLE fuzz.spilling (k text PRIMARY KEY, count bigint, last_seen timestamptz);
CREATE TABLE fuzz.deferring (k text PRIMARY KEY, count numeric(20), extra jsonb);
CREATE TABLE fuzz.buffering (k text PRIMARY KEY, count bigint, last_seen timestamptz);
CREATE TABLE fuzz.throttled (k uuid PRIMARY KEY, count bigint, last_seen timestamptz);
CREATE TABLE fuzz.dates (k timestamptz PRIMARY KEY, count bigint);
CREATE TABLE fuzz.arrays (k int[] PRIMARY KEY, count bigint);
CREATE DOMAIN fuzz.short AS text CHECK (length(value) < 5);
CREATE TABLE fuzz.domains (k fuzz.short PRIMARY KEY, count bigint, must text NOT NULL);
CREATE TABLE fuzz.parted (k int PRIMARY KEY, count bigint, last_seen timestamptz) PARTITION BY RANGE (k);
CREATE TABLE fuzz.part PARTITION OF fuzz.parted FOR VALUES FROM (0) TO (100);
CREATE TABLE fuzz.secured (k text PRIMARY KEY, count bigint);
ALTER TABLE fuzz.secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON fuzz.secured USING (k <> 'x');
CREATE TABLE fuzz.parent (k int PRIMARY KEY, count int);
CREATE TABLE fuzz.child () INHERITS (fuzz.parent);
CREATE TABLE fuzz.nokey (k text, count bigint);
CREATE UNLOGGED TABLE fuzz.loose (k "char" PRIMARY KEY, count bigint);
CREATE TABLE fuzz."odd "" name" ("k ""'" text PRIMARY KEY, count bigint);
CREATE VIEW fuzz.view AS SELECT * FROM fuzz.page;
CREATE MATERIALIZED VIEW fuzz.matview AS SELECT * FROM fuzz.page;
CREATE SEQUENCE fuzz.sequence;
CREATE TABLE fuzz.counters (c missing_symbol.counter);
CREATE INDEX ON fuzz.counters (c);
SELECT missing_symbol.track('fuzz.spilling', spill => true),
       missing_symbol.track('fuzz.deferring', apply => 'commit', fill => '{extra}'),
       missing_symbol.track('fuzz.buffering', apply => 'buffer'),
       missing_symbol.track('fuzz.throttled', throttle => '1 second');
GRANT SELECT, INSERT, UPDATE ON fuzz.page, fuzz.secured, fuzz.spilling, fuzz.typed, fuzz.buffering TO fuzz_low;
GRANT SELECT ON fuzz.num TO fuzz_low;
"""

DDL = (
    "ALTER TABLE fuzz.page ADD x int DEFAULT 5",
    "ALTER TABLE fuzz.page DROP COLUMN IF EXISTS x",
    "ALTER TABLE fuzz.page DROP COLUMN IF EXISTS note",
    "ALTER TABLE fuzz.page ALTER count TYPE int",
    "ALTER TABLE fuzz.spilling ALTER k TYPE varchar(3)",
    "ALTER TABLE fuzz.deferring DROP CONSTRAINT deferring_pkey",
    "ALTER TABLE fuzz.deferring ADD PRIMARY KEY (k)",
    "ALTER TABLE fuzz.typed ADD count bigint",
    "ALTER TABLE fuzz.buffering RENAME COLUMN count TO hits",
    "CREATE INDEX ON fuzz.page (count)",
    "CREATE UNIQUE INDEX ON fuzz.page (note)",
    "DROP TABLE fuzz.two", "DROP TABLE fuzz.deferring", "DROP TABLE fuzz.buffering",
    "TRUNCATE fuzz.page, fuzz.spilling, fuzz.buffering",
    "DELETE FROM fuzz.spilling", "UPDATE fuzz.page SET count = 9223372036854775807",
    "DROP SCHEMA fuzz CASCADE", "VACUUM fuzz.page", "DISCARD ALL", "CLOSE ALL",
    "SELECT missing_symbol.untrack('fuzz.spilling')",
    "DECLARE c CURSOR WITH HOLD FOR SELECT missing_symbol.increment('fuzz.page', g::text) FROM generate_series(1, 5) g",
    "FETCH ALL FROM c", "CLOSE c",
    "SAVEPOINT s", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "PREPARE TRANSACTION 'fuzz'",
    "COMMIT PREPARED 'fuzz'", "ROLLBACK PREPARED 'fuzz'",
    "DO $$ BEGIN PERFORM missing_symbol.increment('fuzz.page', 'do'); PERFORM 1 / 0;"
    " EXCEPTION WHEN division_by_zero THEN NULL; END $$",
    "DO $$ BEGIN PERFORM missing_symbol.increment('fuzz.page', 'do'); COMMIT;"
    " PERFORM missing_symbol.increment('fuzz.deferring', 'do'); ROLLBACK; END $$",
)

# what makes sense, so that there is something for the rest to meet
SANE = (
    "SELECT missing_symbol.increment('fuzz.page', 'a'), missing_symbol.increment('fuzz.page', 'k' || (random() * 9)::int)",
    "SELECT missing_symbol.increment_by('fuzz.num', 2, 1.50), missing_symbol.increment('fuzz.two', 1, 'x'::text)",
    "SELECT missing_symbol.increment('fuzz.typed', g) FROM generate_series(1, 20) g",
    "SELECT missing_symbol.increment('fuzz.deferring', 'd' || g % 3) FROM generate_series(1, 20) g",
    "SELECT missing_symbol.increment_row('fuzz.deferring', '{\"k\": \"d1\", \"extra\": {\"x\": 1}}')",
    "SELECT missing_symbol.increment_many('fuzz.spilling', ARRAY['a', 'b', 'a'], ARRAY[1, 2, 3])",
    "SELECT missing_symbol.increment_many('fuzz.buffering', ARRAY['a', 'b', 'a'])",
    "SELECT missing_symbol.increment_rows('fuzz.page', '[{\"k\": \"a\", \"note\": \"n\"}, {\"k\": \"b\"}]')",
    "SELECT missing_symbol.increment('fuzz.parted', 7), missing_symbol.increment('fuzz.arrays', '{1,2}'::int[])",
    "SELECT missing_symbol.increment('fuzz.secured', 'x'), missing_symbol.increment('fuzz.secured', 'y')",
    "SELECT missing_symbol.increment('fuzz.domains', 'abc')",
    "SELECT missing_symbol.increment_row('fuzz.domains', '{\"k\": \"abc\", \"must\": \"x\"}')",
    "SELECT missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym')",
    "SELECT * FROM missing_symbol.last_increment()", "SELECT missing_symbol.fold()",
    "SELECT * FROM missing_symbol.total(NULL::fuzz.spilling)", "SELECT * FROM missing_symbol.total(NULL::fuzz.deferring)",
    "SELECT missing_symbol.value('fuzz.buffering', 'a'), missing_symbol.value('fuzz.two', 1, 'x'::text)",
    "CALL missing_symbol.prune('fuzz.page', '1 microsecond')", "SELECT missing_symbol.profile_start('all', true, true)",
    "SELECT missing_symbol.explain_analyze('SELECT * FROM fuzz.page WHERE k = $1', ARRAY['a'])",
    "SELECT * FROM missing_symbol.compare('SELECT 1', 'SELECT count(*) FROM fuzz.page', 3)",
    "SELECT count(*) FROM fuzz.page a JOIN fuzz.spilling b USING (k)",
    "INSERT INTO fuzz.counters SELECT missing_symbol.counter(g) FROM generate_series(1, 5) g",
)

LONG = "repeat('x', 100000)"
BIGINTS = ("0", "1", "-1", "42", "2147483647", "-2147483648", "2147483648", "9223372036854775807",
           "-9223372036854775808", "9223372036854775806")
TIMES = ("infinity", "-infinity", "epoch", "now", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00",
         "2026-01-01 00:00:00+00", "2026-02-29 12:00:00.123456+00:30")
COUNTERS = ("1 [2026-01-01 00:00:00+00,2026-01-02 00:00:00+00]", "0 [-infinity,infinity]",
            "-9223372036854775808 [4714-11-24 00:00:00+00 BC,294276-12-31 23:59:59.999999+00]",
            "9223372036854775807 [epoch,epoch]")
TEXTS = ("", "a", "x", "k1", "{a,b}", "{", "A", "1", "-7.50", "now", "commit", "buffer", "soon", "top", "all", "off",
         "text", "json", "csv", "page", "k", "count", "no such", "a\tb\nc", "%s%n%d", "'", '"', "\\", "$1", "ä€😀",
         "SELECT 1", "SELECT 1; SELECT 2", "SELECT", "COMMIT", "ROLLBACK", "SELECT $1::int", "SELECT $3, $1",
         "SELECT count(*) FROM fuzz.page WHERE k = $1", "DELETE FROM fuzz.page", "DROP TABLE fuzz.page",
         "SELECT missing_symbol.increment('fuzz.page', 'x')", "SELECT missing_symbol.profile_stop()",
         "EXPLAIN SELECT 1", "VACUUM", "SELECT 1 / 0", "SAVEPOINT s", "CALL missing_symbol.prune('fuzz.page', '1 s')",
         "COPY fuzz.page TO STDOUT", "SELECT generate_series(1, 1000)", "xul.pdb", "44E4EC8C2F41492B9369D6B9A059577C2")
JSON = ("{}", "[]", "null", "1", '"x"', '{"k": "a"}', '{"k": 1, "count": 5}', '{"k": null}', '{"a": 1, "b": "x"}',
        '[{"k": "a"}, {"k": "a"}, {"k": "b", "note": "n"}]', '[{}, 1]', '{"k": {"k": []}}', '[[[]]]',
        '{"k": "a", "no such": 1}', '{"K": 1}', '{"k": "\\u00e4", "extra": {"x": [1, null]}}',
        '{"k": 1e1000, "must": ""}')
RELATIONS = ("fuzz.page", "fuzz.num", "fuzz.two", "fuzz.typed", "fuzz.spilling", "fuzz.deferring", "fuzz.buffering",
             "fuzz.throttled", "fuzz.dates", "fuzz.arrays", "fuzz.domains", "fuzz.parted", "fuzz.part", "fuzz.secured",
             "fuzz.parent", "fuzz.child", "fuzz.nokey", "fuzz.loose", 'fuzz."odd "" name"', "fuzz.view", "fuzz.matview",
             "fuzz.sequence", "fuzz.page_pkey", "fuzz.counters", "missing_symbol.symbols", "missing_symbol.spilled",
             "missing_symbol.tracked", "missing_symbol.buffered", "missing_symbol.queries", "pg_class",
             "pg_catalog.pg_attribute", "information_schema.tables", "0", "1", "4294967295", "1259")


def quoted(text):
    return "'" + text.replace("'", "''") + "'" if "\\" not in text else \
        "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def of(type_name, *texts):
    return [f"{quoted(text)}::{type_name}" for text in texts]


POOLS = {
    "boolean": ["true", "false"],
    "smallint": of("smallint", "0", "1", "-32768", "32767"),
    "integer": of("integer", "0", "1", "-1", "7", "100", "2147483647", "-2147483648"),
    "bigint": of("bigint", *BIGINTS),
    "numeric": of("numeric", "0", "1.50", "NaN", "-1e1000", "1e-1000", "99999999999999999999"),
    "double precision": of("float8", "NaN", "Infinity", "-0", "1e308"),
    "text": of("text", *TEXTS) + [LONG, "repeat('ä', 200)"],
    "name": of("name", "k", "count", "no such", "", "created_at"),
    "name[]": of("name[]", "{}", "{k}", "{count,count}", "{a,b}", "{NULL}", "{{k}}", '{"",no}'),
    "text[]": of("text[]", "{}", "{a}", "{a,b}", "{NULL}", "{{a,b},{c,d}}", "[5:6]={a,b}", "{1,2,3}",
                 '{"","{","\\""}') + ["array_fill('a'::text, ARRAY[100])", "ARRAY(SELECT g::text FROM generate_series(1, 3000) g)"],
    "bigint[]": of("bigint[]", "{}", "{1}", "{1,2}", "{0}", "{NULL}", "{9223372036854775807,9223372036854775807}",
                   "{-1,-2}", "{{1},{2}}", "[-3:-2]={1,2}"),
    "integer[]": of("integer[]", "{1,2,2}", "{NULL}", "{}"),
    "anyarray": of("integer[]", "{1,2,1}", "{}", "{{1}}") + of("text[]", "{a,b,a}", "{NULL,a}")
        + of("uuid[]", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}") + ["ARRAY[ROW(1, 2)]", "ARRAY['1 s'::interval]"],
    "timestamp with time zone": of("timestamptz", *TIMES),
    "interval": of("interval", "0", "1 second", "-1 day", "178000000 years", "-178000000 years", "1 month 1 day",
                   "0.000001 s", "2147483647 days"),
    "jsonb": of("jsonb", *JSON) + ["jsonb_build_object('k', repeat('x', 10000))",
                                   "(SELECT jsonb_agg(jsonb_build_object('k', g::text)) FROM generate_series(1, 500) g)"],
    "regclass": of("regclass", *RELATIONS),
    "missing_symbol.counter": of("missing_symbol.counter", *COUNTERS),
    "anyelement": [f"NULL::{name}" for name in RELATIONS if "." in name and "pkey" not in name and "seq" not in name]
        + ["1", "'x'::text", "ROW(1, 'x')", "NULL::missing_symbol.counter"],
    "bytea": of("bytea", "", "\\x00ff"),
    "uuid": of("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "record": ["ROW()", "ROW(1, NULL)"],
}
POOLS['"any"'] = [value for name in ("integer", "text", "bigint", "numeric", "uuid", "timestamp with time zone",
                                     "integer[]", "jsonb", "boolean", "record") for value in POOLS[name]]
UNTYPED = ["NULL", "''", "'a'", "'1'", "'{}'", "'fuzz.page'", "1", "1.5", "true", "1e400"]

SETTINGS = ("0", "1", "-1", "on", "off", "now", "commit", "top", "all", "none", "", "1s", "10ms", "1kB", "1GB",
            "2147483647", "99999999999", "infinity", "2026-01-01 00:00:00+00", "nonsense", "summary", "json")


class Fuzz:
    def __init__(self):
        self.connection = None
        self.latest = collections.deque(maxlen=LATEST)
        self.findings = {}
        self.states = collections.Counter()
        self.succeeded = set()
        self.statements = 0
        self.crashes = 0
        self.connect()

    def connect(self):
        for _ in range(120):
            try:
                self.connection = psycopg2.connect("")
                break
            except psycopg2.OperationalError:
                time.sleep(0.5)
        else:
            raise SystemExit("the server is gone")
        self.connection.autocommit = True
        self.latest.append("-- a new connection")
        self.run("LOAD 'missing_symbol'")
        self.run("SET statement_timeout = '3s'")
        self.run("SET client_min_messages = error")

    def find(self, what, text):
        key = (what, re.sub(r"\d+", "N", text)[:200])
        if key not in self.findings:
            self.findings[key] = list(self.latest)
            print(f"FINDING {what}: {text.strip()}")
            for statement in self.latest:
                print(f"    {statement[:2000]};")

    def run(self, statement, what="statement", copy=None):
        """Runs a statement; its rows, or None after an error."""
        self.latest.append(statement)
        self.statements += 1
        try:
            with self.connection.cursor() as cursor:
                if copy is not None:
                    cursor.copy_expert(statement, copy)
                    return []
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            self.failed(error, what)
        except (ValueError, OverflowError):
            pass						# Python has no such date
        except UnicodeError:
            pass
        return None

    def failed(self, error, what):
        code, text = error.pgcode, str(error)
        self.states[code] += 1
        if self.connection.closed:
            if code is None or not code.startswith("57P"):
                self.crashes += 1
                self.find(what, "the connection was lost: " + text)
            self.connect()
        elif code is None:
            # psycopg2's own: COPY cannot be executed so
            if "COPY" not in text and "copy_expert" not in text:
                self.find(what, "an error without SQLSTATE: " + text)
        elif code.startswith("XX") and not any(re.search(pattern, text) for pattern, _ in ALLOWED):
            self.find(what, f"{code}: {text}")

    # -- arguments ---------------------------------------------------------

    def value(self, type_name):
        dice = CHOICE.random()
        if dice < 0.85:
            return CHOICE.choice(POOLS.get(type_name, UNTYPED))
        if dice < 0.91:
            return "NULL" if dice < 0.88 else CHOICE.choice(UNTYPED)
        if dice < 0.94:
            return f"NULL::{type_name}" if type_name in POOLS and "any" not in type_name else "NULL"
        return CHOICE.choice(POOLS[CHOICE.choice(tuple(POOLS))])

    def arguments(self, types, names, defaults, variadic):
        if CHOICE.random() < 0.03:
            return ", ".join(self.value(name) for name in types[:CHOICE.randrange(len(types) + 1)])
        if variadic:
            fixed = [self.value(name) for name in types[:-1]]
            dice = CHOICE.random()
            if dice < 0.15:
                return ", ".join(fixed + ["VARIADIC " + self.value(
                    types[-1] if types[-1] != '"any"' else CHOICE.choice(("integer[]", "text[]")))])
            element = types[-1].replace("[]", "")
            return ", ".join(fixed + [self.value(element) for _ in range(CHOICE.choice((1, 1, 1, 1, 2, 2, 0, 3, 40)))])
        given = len(types) - (CHOICE.randrange(defaults + 1) if defaults else 0)
        values = [self.value(name) for name in types[:given]]
        if names and len(names) >= given and CHOICE.random() < 0.3:
            start = CHOICE.randrange(given + 1)
            chosen = list(range(start, len(types)))
            CHOICE.shuffle(chosen)
            values = values[:start] + [f'"{names[i]}" => {self.value(types[i])}'
                                       for i in chosen if i < given or CHOICE.random() < 0.5]
        return ", ".join(values)

    def call(self, function):
        name, kind, types, names, defaults, variadic = function
        arguments = self.arguments(types, names, defaults, variadic)
        call = f"missing_symbol.{name}({arguments})"
        if kind == "p":
            statement = f"CALL {call}"
        elif kind == "a":
            statement = CHOICE.choice((f"SELECT {call} FROM generate_series(1, 3)", f"SELECT {call} WHERE false",
                                       f"SELECT {call} OVER () FROM generate_series(1, 3)",
                                       "SELECT missing_symbol.sum(c) FROM fuzz.counters"))
        else:
            statement = CHOICE.choice((f"SELECT {call}", f"SELECT {call}", f"SELECT * FROM {call}",
                                       f"SELECT {call} FROM generate_series(1, 3)",
                                       f"SELECT ({call}).*", f"DEALLOCATE ALL; PREPARE p AS SELECT {call}; EXECUTE p",
                                       f"EXPLAIN (ANALYZE, COSTS OFF) SELECT {call}"))
        if self.run(statement, name) is not None:
            self.succeeded.add(name)

    # -- type counter ------------------------------------------------------

    def mutated(self):
        text = list(CHOICE.choice(COUNTERS))
        for _ in range(CHOICE.randrange(5)):
            at = CHOICE.randrange(len(text) + 1)
            text[at:at + CHOICE.randrange(3)] = CHOICE.choice(
                ("", " ", "9", "-", "[", "]", ",", "0" * 30, "infinity", "+", "e", ".5", "\t", "ä", "BC", "\x01"))
            if not text:
                break
        return "".join(text)

    def counter_as_text(self):
        text = self.mutated()
        rows = self.run(f"SELECT c::text, c::text::missing_symbol.counter = c, missing_symbol.hits(c)::text,"
                        f" missing_symbol.counter_send(c) = missing_symbol.counter_send(c::text::missing_symbol.counter)"
                        f" FROM (SELECT {quoted(text)}::missing_symbol.counter AS c OFFSET 0) AS s", "input of counter")
        if rows and not (rows[0][1] and rows[0][3]):
            self.find("input of counter", f"{text!r} does not come back from {rows[0][0]!r}")

    def counter_as_bytes(self):
        length = CHOICE.choice((24, 24, 24, 24, 24, 23, 25, 0, 8, 1000))
        edge = (0, 1, -1, 2**63 - 1, -2**63, 2**63 - 2, -211813488000000000, 9223371331200000000 - 1)
        data = struct.pack("!3q", *(CHOICE.choice(edge) for _ in range(3)))
        data = (data + CHOICE.randbytes(1000))[:length] if CHOICE.random() < 0.7 else CHOICE.randbytes(length)
        file = (b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0) + struct.pack("!hi", 1, len(data)) + data
                + struct.pack("!h", -1))
        if self.run("COPY fuzz.counters FROM STDIN (FORMAT binary)", "COPY of counter", io.BytesIO(file)) is None:
            return
        rows = self.run("SELECT c::text FROM fuzz.counters WHERE c::text::missing_symbol.counter IS DISTINCT FROM c"
                        " OR missing_symbol.first_seen(c) > missing_symbol.last_seen(c)", "COPY of counter")
        if rows:
            self.find("COPY of counter", f"{data.hex()} became {rows[0][0]!r}")

    # -- the rest ----------------------------------------------------------

    def operator(self, operators):
        name, left, right = CHOICE.choice(operators)
        self.run(f"SELECT {self.value(left)} OPERATOR(missing_symbol.{name}) {self.value(right)}", f"operator {name}")
        self.run(f"SELECT {self.value('missing_symbol.counter')}::{CHOICE.choice(('bigint', 'text', 'integer', 'jsonb'))}",
                 "cast of counter")

    def setting(self, settings):
        name = CHOICE.choice(settings)
        if CHOICE.random() < 0.4:
            self.run(f"RESET {name}", name)
        else:
            self.run(f"SET {CHOICE.choice(('', 'LOCAL '))}{name} = {quoted(CHOICE.choice(SETTINGS))}", name)

    def surroundings(self, settings):
        """Now and then something that is no call."""
        dice = CHOICE.random()
        if dice < 0.03:
            self.setting(settings)
        elif dice < 0.06:
            self.run(CHOICE.choice(DDL))
        elif dice < 0.08:
            level = CHOICE.choice(("", "", " ISOLATION LEVEL REPEATABLE READ", " ISOLATION LEVEL SERIALIZABLE", " READ ONLY"))
            self.run("BEGIN" + level)
        elif dice < 0.085:
            self.run(CHOICE.choice(("SET ROLE fuzz_low", "RESET ROLE")))
        elif dice < 0.12:
            self.run(CHOICE.choice(("COMMIT", "ROLLBACK", "COMMIT")))
        elif dice < 0.5:
            self.run(CHOICE.choice(SANE))
        if self.connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_INERROR:
            self.run(CHOICE.choice(("ROLLBACK", "ROLLBACK", "COMMIT", "ROLLBACK TO s")))

    def renew(self):
        """The tables, and a session as at its start."""
        for statement in ("ROLLBACK", "RESET ROLE", "ROLLBACK PREPARED 'fuzz'", "DISCARD ALL",
                          "SET statement_timeout = '3s'", "SET client_min_messages = error",
                          "DROP SCHEMA IF EXISTS fuzz CASCADE"):
            self.run(statement)
        if self.run(TARGETS) is None:
            raise SystemExit("the tables cannot be made")
        self.latest.clear()
        self.latest.append("-- tables as at the start")


def main():
    fuzz = Fuzz()
    fuzz.run("CREATE EXTENSION missing_symbol")
    fuzz.run("CREATE ROLE fuzz_low")
    functions = fuzz.run("""
        SELECT quote_ident(proname), prokind,
               ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n),
               proargnames, pronargdefaults, provariadic <> 0
        FROM pg_proc WHERE pronamespace = 'missing_symbol'::regnamespace ORDER BY oid::regprocedure::text""")
    operators = fuzz.run("""
        SELECT oprname, format_type(oprleft, NULL), format_type(oprright, NULL)
        FROM pg_operator WHERE oprnamespace = 'missing_symbol'::regnamespace ORDER BY oid::regoperator::text""")
    views = [row[0] for row in fuzz.run("""
        SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace = 'missing_symbol'::regnamespace AND relkind IN ('v', 'r') ORDER BY 1""")]
    settings = [row[0] for row in fuzz.run("SELECT name FROM pg_settings WHERE name LIKE 'missing_symbol.%' ORDER BY 1")]
    fuzz.renew()

    calls = collections.Counter()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for function in CHOICE.sample(functions, len(functions)):
            fuzz.surroundings(settings)
            fuzz.call(function)
            calls[function[0] + "(" + ", ".join(function[2]) + ")"] += 1
            if CHOICE.random() < 0.2:
                fuzz.counter_as_text()
        fuzz.counter_as_bytes()
        fuzz.operator(operators)
        fuzz.run(f"SELECT * FROM {CHOICE.choice(views)} LIMIT 50", "a view")
        if CHOICE.random() < 0.3:
            fuzz.renew()
        if len(fuzz.findings) > 50:
            break

    failed = {what for what, _ in fuzz.findings}
    errors = sum(fuzz.states.values())
    print("figures: " + f"{fuzz.statements} statements, {errors} of them errors of {len(fuzz.states)} SQLSTATEs, "
          f"{len(calls)} functions, each at least {min(calls.values())} times, {len(operators)} operators, "
          f"{len(settings)} settings, {fuzz.crashes} crashes")
    print("never without an error: " + " ".join(sorted({function[0] for function in functions} - fuzz.succeeded)))
    print("SQLSTATEs: " + " ".join(f"{code}:{n}" for code, n in sorted(fuzz.states.items(), key=lambda item: -item[1])))
    print(f"{len(calls) + len(operators) + len(settings) + len(views) - len(failed)} passed, {len(failed)} failed")
    return 1 if fuzz.findings else 0


if __name__ == "__main__":
    sys.exit(main())
