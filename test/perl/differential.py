"""Random tables, counted by this extension and by plain upserts.

A world is a table, twice: a.t is counted by the extension's functions, in one of
its modes, b.t by INSERT ... ON CONFLICT.  Sessions in pairs, one for each table,
do the same calls in the same transactions, as the same roles, with the same
settings: they must end alike, by SQLSTATE, and when all is quiet the rows must be
the same: counts, details, which times there are.  One thread does it all, and
sessions that have transactions open count different keys, so that a seed
repeats everything.

Environment: DIFFERENTIAL_SEED, DIFFERENTIAL_SECONDS; DIFFERENTIAL_WORLD, the number
of the only world to do; and what libpq takes.  Prints "FINDING: ..." with the
world's DDL and its latest statements, and "figures: ...".
"""

import collections
import json
import os
import random
import sys
import time

import psycopg2

SEED = os.environ.get("DIFFERENTIAL_SEED", "0")
ENOUGH = 2000					# calls and compared rows, however long they take
SECONDS = float(os.environ.get("DIFFERENTIAL_SECONDS", "20"))
WORLD = os.environ.get("DIFFERENTIAL_WORLD")
PAIRS = 3
LATEST = 14								# statements that a finding shows

SETUP = """
CREATE SCHEMA a;
CREATE SCHEMA b;
CREATE SCHEMA evil;
CREATE ROLE diff_owner;
CREATE ROLE diff_writer;
CREATE ROLE diff_columns;
CREATE ROLE diff_reader;
GRANT USAGE ON SCHEMA a, b, evil TO PUBLIC;
GRANT CREATE ON SCHEMA a, b TO diff_owner;
CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN public.short AS text CHECK (length(VALUE) < 6);
CREATE COLLATION public.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FUNCTION public.whoami() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'public' $$;
CREATE FUNCTION evil.whoami() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'evil' $$;
CREATE FUNCTION public.small(n numeric) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN n < 1000; END $$;
CREATE FUNCTION public.label() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'by ' || current_user $$;
CREATE FUNCTION evil.plus(bigint, bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT $1 - $2 $$;
CREATE OPERATOR evil.+ (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.plus);
CREATE FUNCTION evil.same(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same);
CREATE TABLE public.audit (side text, k text, n numeric);
GRANT INSERT ON public.audit TO PUBLIC;
CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before numeric := 0;
BEGIN
    IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN before := coalesce((to_jsonb(OLD) ->> TG_ARGV[0])::numeric, 0); END IF;
    INSERT INTO public.audit VALUES (TG_TABLE_SCHEMA, NEW.k0::text, (to_jsonb(NEW) ->> TG_ARGV[0])::numeric - before);
    RETURN NULL;
END $$;
CREATE FUNCTION public.tag() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tag := whoami(); RETURN NEW; END $$;
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tag := 'touched'; RETURN NEW; END $$;
CREATE FUNCTION public.guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_catalog.length(NEW.k0::text) % 4 = 0 THEN RAISE EXCEPTION 'not that' USING ERRCODE = 'U0001'; END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.hide() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_catalog.length(NEW.k0::text) % 4 = 0 THEN RETURN NULL; END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
"""

# Types of keys: how values are written, those of one line equal
KEYS = {
    "int": [["0"], ["1"], ["-7"], ["42"], ["2147483647"], ["1000"]],
    "bigint": [["0"], ["1"], ["-9223372036854775808"], ["42"], ["9223372036854775807"]],
    "smallint": [["0"], ["1"], ["-1"], ["32767"], ["300"]],
    "text": [[""], ["a"], ["A"], ["ab"], ["it's"], ["{x,\"y\"}"], ["\\"], ["NULL"], ["ä"], ["long " * 100]],
    'text COLLATE "C"': [["a"], ["A"], ["b "], ["straße"], ["zz"]],
    "text COLLATE public.any_case": [["a", "A"], ["straße", "STRAßE"], ["x y", "X y"], ["zebra", "Zebra", "ZEBRA"]],
    "varchar(4)": [["a"], ["abcd"], [""], ["b"]],
    "char(5)": [["a", "a  "], ["abcde"], ["", "  "], ["b"]],
    "uuid": [["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"], ["00000000-0000-0000-0000-000000000000"],
             ["b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]],
    "numeric": [["1", "1.0", "1.000", "1e0"], ["0", "0.00", "-0"], ["-3.5", "-3.50"], ["1e30"], ["NaN"], ["99999.99999"]],
    "numeric(6,2)": [["1", "1.00", "1.001"], ["-3.5"], ["9999.99"], ["0"]],
    "float8": [["0", "-0"], ["1.5", "1.50"], ["NaN"], ["Infinity"], ["1e300"], ["0.1"]],
    "date": [["2026-01-01"], ["2026-12-31"], ["infinity"], ["0044-03-15 BC"]],
    "timestamptz": [["2026-01-01 00:00:00+00", "2026-01-01 01:00:00+01"], ["2026-06-01 12:00:00.123456+02"], ["-infinity"]],
    "timestamp": [["2026-01-01 00:00:00"], ["2026-06-01 12:00:00.000001"], ["infinity"]],
    "interval": [["1 day", "24 hours"], ["0"], ["1 month", "30 days"], ["-5 seconds"]],
    "boolean": [["true", "t"], ["false", "f"]],
    "inet": [["10.0.0.1", "10.0.0.1/32"], ["::1"], ["10.0.0.0/8"]],
    "bytea": [["\\x"], ["\\x00ff"], ["\\x61"]],
    "int[]": [["{}"], ["{1,2}"], ["{NULL}"], ["{{1},{2}}"]],
    "public.mood": [["sad"], ["ok"], ["happy"]],
    "public.short": [["a"], ["abc"], ["b"]],
    "time": [["00:00"], ["24:00"], ["12:30:00.5"]],
    "jsonb": [['{"a": 1}', '{"a":1}'], ["[]"], ['"x"']],
}
# Types of which equal values have several texts: several increments of such a key
# become one, with one of its texts, so nothing here looks at that
MANY_TEXTS = {"text COLLATE public.any_case", "numeric", "float8", "interval"}
# what has no such value
BAD = {"int": "x", "smallint": "40000", "uuid": "no", "varchar(4)": "abcdef", "numeric(6,2)": "12345", "public.mood": "angry",
       "public.short": "too long", "date": "2026-02-30", "boolean": "maybe"}


# Columns whose values merge: role, type; sums of floats are exact in any order
MERGED = (("counts", "bigint"), ("counts", "float8"), ("counts", "real"), ("counts", "numeric(12,2)"), ("counts", "interval"),
          ("greatest", "int"), ("greatest", "date"), ("least", "int"), ("least", "numeric"), ("latest", "text"))
MERGED_VALUES = {"bigint": ("1", "7", "-3", "5000000000"), "float8": ("0.5", "0.0009765625", "-0.25", "1000"), "real": ("0.5", "0.25", "-1"),
                 "numeric(12,2)": ("0.25", "1.50", "-2"), "interval": ("01:00:00", "2 days", "-00:00:05"), "int": ("1", "7", "-5", "300"),
                 "numeric": ("1.5", "-7", "2"), "date": ("2026-01-01", "2026-11-30"), "text": ("x", "y", "z")}


# What fails for two reasons, of which another is seen first: a new row needs a
# value for a column; and a count is too large for the column
OTHER_ORDER = [("23502", {"22003"}), ("23502", {"23514"}), ("23502", {"U0001"}),
               # whose row is there, but hidden
               ("23502", {"42501"}),
               # an amount that is no value of the column, for who may not count
               ("42501", {"22003"})]


class Side:
    """One connection of a pair."""

    def __init__(self, pair, schema):
        self.pair, self.schema = pair, schema
        self.connection = psycopg2.connect("", application_name=f"differential {schema}{pair}")
        self.connection.autocommit = True
        self.run("SET client_min_messages = error")
        self.run("SET statement_timeout = '180s'")

    def run(self, statement, values=None):
        """SQLSTATE or None, rows."""
        with self.connection.cursor() as cursor:
            try:
                cursor.execute(statement, values)
                return None, cursor.fetchall() if cursor.description and cursor.rowcount >= 0 else []
            except psycopg2.Error as error:
                if error.pgcode is None:
                    raise
                return error.pgcode, str(error).strip()


class World:
    def __init__(self, number, admin, pairs):
        self.number, self.admin, self.pairs = number, admin, pairs
        self.version = admin.connection.server_version
        self.choice = random.Random(f"{SEED} world {number}")
        self.latest = collections.deque(maxlen=LATEST)
        self.findings = []
        self.done = collections.Counter()
        self.generate()

    # -- the table ---------------------------------------------------------

    def generate(self):
        choice = self.choice
        odds = lambda p: choice.random() < p
        self.mode = choice.choice(("now", "now", "commit", "commit setting", "spill", "buffer"))
        late = self.mode in ("spill", "buffer")
        kinds = [choice.choice(list(KEYS)) for _ in range(choice.choice((1, 1, 1, 2, 2, 3)))]
        self.keys = [(f"k{i}", kind) for i, kind in enumerate(kinds)]
        count_type = choice.choice(("bigint", "bigint", "int", "smallint", "numeric", "missing_symbol.counter"))
        # what is spilled meets a limit only when it is merged
        if self.mode == "spill" and count_type in ("int", "smallint"):
            count_type = "numeric"
        self.roles = ["diff_owner", "diff_writer", "diff_writer", "diff_columns", "diff_reader", None, None]
        if late:
            # whose increments of a new key are merged first is a matter of roles
            self.roles = [choice.choice(self.roles), "diff_reader"]
        self.typed = count_type == "missing_symbol.counter"
        self.count = "c" if self.typed else choice.choice(("count", "hits", "N of"))
        # an index of another kind is the key: by expressions that make NULL the
        # first of the values, or where NULL is a value; partial; of generated columns
        self.special = choice.choice(("expressions", "nulls", "generated")) if odds(0.3) else None
        if self.special == "nulls" and self.version < 150000:
            self.special = "expressions"
        self.partial = odds(0.5) if self.special else odds(0.1)
        self.nullable = self.special in ("expressions", "nulls")
        if self.special == "generated":
            self.keys = [(name, kind if kind in ("int", "bigint", "text", "smallint", 'text COLLATE "C"') else "text") for name, kind in self.keys]
        columns = [f"{name} {kind}{'' if self.nullable else ' NOT NULL'}" for name, kind in self.keys]
        self.parts_of_key = [name for name, _ in self.keys]
        if self.special == "expressions":
            self.parts_of_key = [f"COALESCE({name}, {literal(KEYS[kind][0][0], kind)}{cast_of(kind)})" for name, kind in self.keys]
        elif self.special == "generated":
            columns.append(f"gk text GENERATED ALWAYS AS (md5(k0::text || '-')) STORED")
            self.parts_of_key[0] = "gk"
        if self.partial:
            columns.append("gone boolean NOT NULL DEFAULT false")
        columns.append(f'"{self.count}" {count_type}' + choice.choice(("", "", " NOT NULL", " DEFAULT 0" if not self.typed else "")))
        checks = []
        if not self.typed and self.mode != "spill":
            if odds(0.25):
                checks.append(f'CHECK ("{self.count}" < {choice.choice((5, 30, 100))})')
            elif odds(0.15):
                checks.append(f'CHECK (public.small("{self.count}"))')
        self.checked = bool(checks)
        self.first = self.last = None
        self.local = odds(0.3)			# times are of type timestamp, and hold UTC
        self.clock = "pg_catalog.timezone('UTC', pg_catalog.clock_timestamp())" if self.local else "pg_catalog.clock_timestamp()"
        if not self.typed and odds(0.7):
            self.first, self.last = choice.choice((("created_at", "modified_at"), ("first_seen", "last_seen"), (None, "last_seen"), ("created_at", None)))
            null = choice.choice(("", " NOT NULL", f" DEFAULT {self.clock}"))
            columns += [f"{name} {'timestamp' if self.local else 'timestamptz'}{null}" for name in (self.first, self.last) if name]
        # details: name, type, values; which are filled
        self.details = []
        self.fill = []
        self.update_first = False
        self.defaults = []
        self.skip = []					# not compared
        for i in range(choice.choice((0, 0, 1, 2, 3))):
            name = f"d{i}"
            kind, values = choice.choice((("text", ["x", "y" * 3000, "", "z"]), ("varchar(3)", ["abc", "a", "abcd"]), ("int", ["1", "7", "-1"]),
                                          ("jsonb", ["{}", "[1, 2]"]), ("numeric", ["1.50", "2"]), ("boolean", ["true"])))
            default = choice.choice(("", "", " DEFAULT 'some'" if kind == "text" else " DEFAULT NULL", "required", "label"))
            if default == "required":
                default = " NOT NULL"
                self.update_first = True
            elif default == "label":
                # who that is when it is merged by the owner is another matter
                default = " DEFAULT public.label()" if kind == "text" and not late else ""
            columns.append(f"{name} {kind}{default}")
            if "DEFAULT" in default and default != " DEFAULT NULL":
                self.defaults.append(name)
            self.details.append((name, kind, values))
            if odds(0.5):
                self.fill.append(name)
            if kind == "int" and odds(0.3):
                checks.append(f"CHECK ({name} > 0)")
                self.update_first = True
        if odds(0.2) and not late:
            columns.append("me name DEFAULT current_user")
        if odds(0.2):
            columns.append(f"g text GENERATED ALWAYS AS (k0::text || 'x') STORED" if self.keys[0][1] in ("int", "bigint", "text", "smallint") else
                           f"g boolean GENERATED ALWAYS AS (k0 IS NULL) STORED")
        if odds(0.2) and not self.typed:
            columns.append(f'twice numeric GENERATED ALWAYS AS ("{self.count}"::numeric * 2) STORED')
        if odds(0.15):
            columns.append("id bigint GENERATED BY DEFAULT AS IDENTITY")
            self.skip.append("id")
        self.merged = {}
        if odds(0.4):
            for i in range(choice.randint(1, 4)):
                role, kind = choice.choice(MERGED)
                # of what waits only times tell which is the latest
                if role == "latest" and self.mode != "now":
                    continue
                self.merged[f"m{i}"] = (role, kind)
                columns.append(f"m{i} {kind}" + choice.choice(("", " NOT NULL") if role == "counts" else ("",)))
        columns.append("tag text")
        key = ", ".join(name for name, _ in self.keys)
        constraint = choice.choice((f"PRIMARY KEY ({key})", f"PRIMARY KEY ({key})", f"UNIQUE ({key})"))
        if self.special or self.partial:
            constraint = None
        self.parent = odds(0.12) and self.keys[0][1] != "jsonb" and not self.nullable
        reference = ""
        if self.parent:
            reference = "FOREIGN KEY (k0) REFERENCES {schema}.parent" + choice.choice(("", " DEFERRABLE INITIALLY DEFERRED"))
            # a merge cannot fire a constraint that is deferred
            if late:
                reference = reference.replace(" DEFERRABLE INITIALLY DEFERRED", "")
        parts = choice.choice(("hash", "list", "range")) if odds(0.2) and not self.special else None
        if parts == "hash" and self.keys[0][1] in ("text COLLATE public.any_case",):
            parts = None
        if parts == "list" and self.keys[0][1] not in ("int", "text", "boolean", "date"):
            parts = "hash" if self.keys[0][1] != "text COLLATE public.any_case" else None
        if parts == "range" and self.keys[0][1] not in ("int", "bigint", "text", "date", "numeric"):
            parts = None
        self.parts = parts
        self.security = odds(0.12)
        ddl = []
        if self.parent:
            ddl.append("CREATE TABLE {schema}.parent (k0 %s PRIMARY KEY)" % self.keys[0][1])
            for line in KEYS[self.keys[0][1]][:-1]:
                ddl.append("INSERT INTO {schema}.parent VALUES (%s)" % literal(line[0], self.keys[0][1]))
            ddl.append("GRANT SELECT ON {schema}.parent TO diff_owner")
            ddl.append("GRANT REFERENCES ON {schema}.parent TO diff_owner")
        body = ", ".join(columns + checks + ([constraint] if constraint else []) + ([reference] if reference else []))
        ddl.append("CREATE TABLE {schema}.t (" + body + ")" + (f" PARTITION BY {parts} (k0)" if parts else choice.choice(("", " WITH (fillfactor = 50)"))))
        if parts == "hash":
            ddl += ["CREATE TABLE {schema}.t%d PARTITION OF {schema}.t FOR VALUES WITH (MODULUS 2, REMAINDER %d)" % (i, i) for i in range(2)]
        elif parts == "list":
            values = [literal(line[0], self.keys[0][1]) for line in KEYS[self.keys[0][1]]]
            ddl.append("CREATE TABLE {schema}.t0 PARTITION OF {schema}.t FOR VALUES IN (%s)" % values[0])
            if odds(0.5):
                ddl.append("CREATE TABLE {schema}.t1 PARTITION OF {schema}.t DEFAULT")
        elif parts == "range":
            value = literal(KEYS[self.keys[0][1]][1][0], self.keys[0][1])
            ddl.append("CREATE TABLE {schema}.t0 PARTITION OF {schema}.t FOR VALUES FROM (%s) TO (MAXVALUE)" % value)
            if odds(0.5):
                ddl.append("CREATE TABLE {schema}.t1 PARTITION OF {schema}.t FOR VALUES FROM (MINVALUE) TO (%s)" % value)
        if not constraint:
            ddl.append("CREATE UNIQUE INDEX the_key ON {schema}.t (%s)%s%s" % (
                ", ".join(self.parts_of_key), " NULLS NOT DISTINCT" if self.special == "nulls" else "", " WHERE NOT gone" if self.partial else ""))
        if odds(0.15):
            ddl.append('CREATE INDEX ON {schema}.t ("%s")' % self.count)
        if odds(0.1):
            ddl.append("CREATE INDEX ON {schema}.t ((k0 IS NULL)) WHERE tag IS NOT NULL")
        if odds(0.1) and not parts and any(kind == "int" for _, kind, _ in self.details):
            ddl.append("CREATE UNIQUE INDEX ON {schema}.t (%s)" % [name for name, kind, _ in self.details if kind == "int"][0])
            # in which order a batch reaches them is its own matter
            self.single = True
        else:
            self.single = False
        if odds(0.08) and not parts:
            ddl.append("CREATE TABLE {schema}.heir () INHERITS ({schema}.t)")
        self.audited = not self.typed and odds(0.2)
        trigger = choice.choice(("tag", "touch", "guard", "hide", "nothing")) if odds(0.35) else None
        many_texts = self.keys[0][1] in MANY_TEXTS or self.special == "expressions"
        if trigger in ("guard", "hide") and many_texts:
            trigger = "touch"
        self.hides = trigger == "hide"
        if trigger == "tag" and late:
            trigger = "touch"			# when it is merged there is no such path
        if trigger in ("guard", "hide", "tag"):
            self.update_first = True
        if self.audited:
            ddl.append("CREATE TRIGGER audited AFTER INSERT OR UPDATE ON {schema}.t FOR EACH ROW EXECUTE FUNCTION public.audit('%s')" % self.count)
        if trigger == "nothing":
            ddl.append("CREATE TRIGGER x AFTER INSERT OR UPDATE ON {schema}.t FOR EACH STATEMENT EXECUTE FUNCTION public.nothing()")
        elif trigger in ("tag",):
            ddl.append("CREATE TRIGGER x BEFORE INSERT ON {schema}.t FOR EACH ROW EXECUTE FUNCTION public.tag()")
        elif trigger:
            ddl.append("CREATE TRIGGER x BEFORE INSERT OR UPDATE ON {schema}.t FOR EACH ROW EXECUTE FUNCTION public.%s()" % trigger)
        if self.security:
            self.update_first = True
            ddl.append("ALTER TABLE {schema}.t ENABLE ROW LEVEL SECURITY")
            ddl.append("CREATE POLICY p ON {schema}.t USING (%s)" % choice.choice(
                ("true", "true" if many_texts else "pg_catalog.length(k0::text) % 2 = 0", "pg_catalog.current_setting('app.open', true) = 'yes'", "current_user = 'diff_writer'")))
        ddl.append("ALTER TABLE {schema}.t OWNER TO diff_owner")
        times = [name for name in (self.first, self.last) if name]
        ddl.append("GRANT SELECT, INSERT, UPDATE ON {schema}.t TO diff_writer")
        if self.partial:
            times.append("gone")
        ddl.append('GRANT SELECT ({0}{1}), INSERT ({0}) ON {{schema}}.t TO diff_columns'.format(
            ", ".join([name for name, _ in self.keys] + [f'"{self.count}"'] + times + [name for name, _, _ in self.details] + list(self.merged)), ", gk" if self.special == "generated" else ""))
        ddl.append('GRANT UPDATE (%s) ON {schema}.t TO diff_columns' % ", ".join(
            [f'"{self.count}"'] + ([self.last] if self.last else []) + self.fill + list(self.merged)))
        ddl.append("GRANT SELECT ON {schema}.t TO diff_reader")
        self.ddl = ddl
        settings = [f"key => '{{{','.join(name for name, _ in self.keys)}}}'", f"count => '{self.count}'",
                    f"first_seen => '{self.first or ''}'", f"last_seen => '{self.last or ''}'", "fill => '{%s}'" % ",".join(self.fill)]
        if self.typed:
            settings[2:4] = []
        if self.mode == "spill":
            settings.append("spill => true")
        elif self.mode in ("commit", "buffer", "now"):
            settings.append(f"apply => '{self.mode}'")
        self.track = f"SELECT missing_symbol.track('a.t', {', '.join(settings)})"
        roles = {}
        for name, (role, _) in self.merged.items():
            roles.setdefault(role, [self.count] if role == "counts" else []).append(name)
        if roles:
            self.track += f", missing_symbol.configure('a.t', '{json.dumps(roles)}')"
        self.configure = None if constraint else """SELECT missing_symbol.configure('a.t', '{"index": "the_key"}')"""

    def find(self, what, *details):
        text = [what] + [str(detail)[:700] for detail in details]
        self.findings.append((what, text + ["    -- world %s, %s%s" % (self.number, self.mode, ", update first" if self.update_first else "")]
                              + ["    " + line.replace("{schema}", "a") + ";" for line in self.ddl] + [f"    {self.track};"]
                              + [f"    {line}" for line in self.latest]))

    # -- calls -------------------------------------------------------------

    def key(self, pair):
        """Values of a key that no other pair counts, if there are enough, and what
        equal ones have in common."""
        values = []
        lines_taken = []
        for i, (_, kind) in enumerate(self.keys):
            lines = KEYS[kind]
            n = self.choice.randrange(len(lines))
            if i == 0:
                n = n - n % PAIRS + pair
                if n >= len(lines):
                    n = pair
                if n >= len(lines):
                    return None
            lines_taken.append(n)
            if n == 0 and self.nullable and self.choice.random() < 0.5:
                values.append(None)
                if self.special == "nulls":
                    lines_taken[-1] = None
            else:
                values.append(self.choice.choice(lines[n]))
        return values, tuple(lines_taken)

    def call(self, pair):
        """What both sides run: (statement, values) for a, the same for b as a list."""
        choice = self.choice
        how = choice.choice(("one", "one", "by", "row", "row", "many", "rows"))
        if self.single and how in ("many", "rows") or how == "many" and len(self.keys) > 1:
            how = "row"
        keys = [self.key(pair) for _ in range(choice.randint(1, 4) if how in ("many", "rows") else 1)]
        if None in keys:
            return None
        same = [line for _, line in keys]
        keys = [values for values, _ in keys]
        bad = how in ("one", "by", "row") and choice.random() < 0.04 and self.keys[0][1] in BAD
        if bad:
            keys[0][0] = BAD[self.keys[0][1]]
        # a sum of what is deferred may be what no single increment was
        # and one that is taken away leaves room for a proposed row that is refused
        low = -3 if not self.checked and self.mode in ("now", "spill") and how in ("by", "row") else 1
        by = [1 if how == "one" else choice.choice((1, 2, 3, choice.randint(low, 9) or 1, 40, 30000 if choice.random() < 0.05 else 1)) for _ in keys]
        # a sum of amounts that is on its way must be a bigint
        if choice.random() < 0.01 and how == "by" and self.mode == "now":
            by = [9223372036854775807]
        fields = []
        more = []						# of what merges, each a list of values
        for values in keys:
            given = {}
            more.append({})
            if how in ("row", "rows"):
                for name, _, some in self.details:
                    if choice.random() < 0.6:
                        given[name] = choice.choice(some)
                for name, (_, kind) in self.merged.items():
                    if choice.random() < 0.6:
                        more[-1][name] = [choice.choice(MERGED_VALUES[kind])]
            fields.append(given)
        if how in ("one", "by"):
            typed = choice.random() < 0.5
            holes = ", ".join(f"%s::{type_of(kind)}" if typed else "%s" for _, kind in self.keys)
            a = ("SELECT missing_symbol.increment('a.t', " + holes + ")", keys[0]) if how == "one" \
                else ("SELECT missing_symbol.increment_by('a.t', %s, " + holes + ")", [by[0]] + keys[0])
        elif how == "many":
            a = (f"SELECT missing_symbol.increment_many('a.t', ARRAY[{', '.join(['%s'] * len(keys))}]::{type_of(self.keys[0][1])}[], %s)", [values[0] for values in keys] + [by])
            if self.keys[0][1] == "int[]":
                return None
        else:
            rows = [dict({name: as_json(value, kind) for (name, kind), value in zip(self.keys, values)},
                         **{name: as_json(given[name], kind) for name, kind, _ in self.details if name in given},
                         **{name: as_json(values[0], self.merged[name][1]) for name, values in merging.items()})
                    for values, given, merging in zip(keys, fields, more)]
            a = ("SELECT missing_symbol.increment_row('a.t', %s, %s)", (json.dumps(rows[0]), by[0])) if how == "row" \
                else ("SELECT missing_symbol.increment_rows('a.t', %s, %s)", (json.dumps(rows), by))
        # a batch counts a key once, with the first row's details and what later
        # ones fill of those that it leaves out and that have no default
        merged = {}
        for line, values, given, n, merging in zip(same, keys, fields, by, more):
            if line not in merged:
                merged[line] = [values, dict(given), n, {name: list(some) for name, some in merging.items()}]
            else:
                merged[line][2] += n
                for name, some in merging.items():
                    merged[line][3].setdefault(name, []).extend(some)
                for name in given:
                    if name in self.fill and name not in self.defaults:
                        merged[line][1].setdefault(name, given[name])
        self.unmerged = [self.upsert(*one)[-1:] for one in zip(keys, fields, by, more)]
        return how, keys, a, [self.upsert(*one) for one in merged.values()]

    def merging(self, name, values):
        """An expression for values that have met, with holes, and what they take."""
        role, kind = self.merged[name]
        holes = [f"%s::{type_of(kind)}"] * len(values)
        if role == "latest":
            return holes[-1], values[-1:]
        if role == "counts":
            return "(" + " OPERATOR(pg_catalog.+) ".join(holes) + ")", values
        return f"{role.upper()}({', '.join(holes)})", values

    def becomes(self, name, new):
        """What an upsert sets such a column to."""
        role, _ = self.merged[name]
        if role == "latest":
            return f"{name} = {new}"
        if role == "counts":
            return f"{name} = COALESCE(t.{name}, '0') OPERATOR(pg_catalog.+) {new}"
        return f"{name} = {role.upper()}(t.{name}, {new})"

    def upsert(self, values, given, by, more):
        """Statements for one increment of b.t, the first that has a row being enough."""
        given = {name: given[name] for name, _, _ in self.details if name in given}
        names = [name for name, _ in self.keys] + list(given)
        holes = [f"%s::{type_of(kind)}" for _, kind in self.keys] + [f"%s::{type_of(kind)}" for name, kind, _ in self.details if name in given]
        some = list(values) + [given[name] for name in given]
        expressions = {name: self.merging(name, more[name]) for name in more}
        for name, (expression, taken) in expressions.items():
            names.append(name)
            holes.append(expression)
            some += taken
        for name, (role, kind) in self.merged.items():
            if role == "counts" and name not in more:
                names.append(name)
                holes.append(f"'0'::{type_of(kind)}")
        quoted = f'"{self.count}"'
        times = [name for name in (self.first, self.last) if name]
        new = f"missing_symbol.counter(count => {by})" if self.typed else str(by)
        zero = "missing_symbol.counter(count => 0)" if self.typed else "0"
        plus = "OPERATOR(missing_symbol.+)" if self.typed else "OPERATOR(pg_catalog.+)"
        sets = [f"{quoted} = COALESCE(t.{quoted}, {zero}) {plus} {by}::bigint" if not self.typed
                else f"{quoted} = CASE WHEN t.{quoted} IS NULL THEN {new} ELSE t.{quoted} {plus} {by}::bigint END"]
        if self.last:
            sets.append(f"{self.last} = GREATEST(t.{self.last}, {self.clock})")
        filled = [name for name in given if name in self.fill]
        returning = f"RETURNING {'missing_symbol.hits(t.c)' if self.typed else f't.{quoted}'}"
        insert = (f"INSERT INTO b.t AS t ({', '.join(names + [quoted] + times)}) VALUES ({', '.join(holes + [new] + [self.clock] * len(times))})"
                  f" ON CONFLICT ({', '.join(self.parts_of_key)}){' WHERE NOT gone' if self.partial else ''} DO UPDATE SET "
                  + ", ".join(sets + [self.becomes(name, f"EXCLUDED.{name}") for name in more]
                              + [f"{name} = COALESCE(t.{name}, EXCLUDED.{name})" for name in filled]) + " " + returning, some)
        if not self.update_first:
            return [insert]
        kinds = {name: kind for name, kind, _ in self.details}
        where = " AND ".join(self.equal(name, kind, hole if kind != "numeric(6,2)" else hole + "::" + kind, value)
                             for (name, kind), hole, value in zip(self.keys, holes, values))
        if self.partial:
            where += " AND NOT t.gone"
        update = (f"UPDATE ONLY b.t AS t SET " + ", ".join(sets + [self.becomes(name, expressions[name][0]) for name in more]
                                                           + [f"{name} = COALESCE(t.{name}, %s::{type_of(kinds[name])})" for name in filled])
                  + f" WHERE {where} {returning}", [value for name in more for value in expressions[name][1]] + [given[name] for name in filled] + self.searched(values))
        if self.parts:
            update = (update[0].replace("UPDATE ONLY", "UPDATE", 1), update[1])
        return [update, insert]

    def searched(self, values):
        """Those that a condition of equal() has."""
        return [value for value in values if value is not None or self.special != "nulls"]

    def equal(self, name, kind, hole, value):
        """Has a row of t the value of a key's column?"""
        if self.special == "expressions":
            first = literal(KEYS[kind][0][0], kind) + cast_of(kind)
            return f"COALESCE(t.{name}, {first}) OPERATOR(pg_catalog.=) COALESCE({hole}, {first})"
        if self.special == "nulls" and value is None:
            return f"t.{name} IS NULL"
        return f"t.{name} OPERATOR(pg_catalog.=) {hole}"

    # -- running -----------------------------------------------------------

    def both(self, pair, statement):
        """The same statement on both sides; must end alike."""
        a, b = self.pairs[pair]
        self.latest.append(f"{pair}: {statement}")
        ra, rb = a.run(statement)[0], b.run(statement)[0]
        if ra != rb:
            self.latest.append(f"   -> {ra}, plain: {rb}")
            self.find(f"{statement.split()[0]} ends with {ra}, plain with {rb}", self.mode)
        return ra, rb

    def count_plain(self, side, upserts):
        """On b.t, with a savepoint for all of a batch; SQLSTATEs, and the count."""
        codes = set()
        count = None
        for n, statements in enumerate(upserts):
            code, rows = None, []
            for statement, values in statements:
                code, rows = side.run(statement, values)
                if code or rows:
                    break
            if code:
                codes.add(code)
                self.message = rows
                break
            count = int(rows[0][0]) if rows and rows[0][0] is not None else None
        return codes, count

    def transaction(self, pair):
        """One pair's transaction, or part of it: whether it is still open."""
        choice = self.choice
        a, b = self.pairs[pair]
        state = self.open.get(pair)
        if state is None:
            settings = []
            role = choice.choice(self.roles)
            path = choice.choice(("public", "pg_catalog", "evil, public", "evil, pg_catalog", "b, a", '""', None))
            level = choice.choice(("", "", "", " ISOLATION LEVEL REPEATABLE READ"))
            self.both(pair, "BEGIN" + level)
            if self.mode == "commit setting":
                settings.append("missing_symbol.apply = 'commit'")
            if choice.random() < 0.4:
                settings.append("missing_symbol.fast_path = off")
            if choice.random() < 0.1:
                settings.append("missing_symbol.pending_limit = 0")
            if choice.random() < 0.5:
                settings.append("app.open = 'yes'")
            if path is not None:
                settings.append(f"search_path = {path}")
            for setting in settings:
                self.both(pair, "SET LOCAL " + setting)
            if role:
                self.both(pair, f"SET LOCAL ROLE {role}")
            self.open[pair] = state = {"depth": 0, "role": role}
        dice = choice.random()
        if dice < 0.7:
            return self.count_both(pair, state)
        if dice < 0.76:
            state["depth"] += 1
            self.both(pair, f"SAVEPOINT s{state['depth']}")
        elif dice < 0.82 and state["depth"]:
            self.both(pair, f"{choice.choice(('ROLLBACK TO', 'RELEASE'))} s{state['depth']}")
            state["depth"] -= 1
        elif dice < 0.87:
            self.end(pair, "ROLLBACK")
        else:
            if choice.random() < 0.3:
                self.both(pair, "SET LOCAL search_path = evil, pg_catalog")
            if choice.random() < 0.3 and state["role"]:
                self.both(pair, "SET LOCAL ROLE NONE")
            self.end(pair, "COMMIT")

    def end(self, pair, how):
        self.both(pair, how)
        self.open.pop(pair, None)

    def count_both(self, pair, state):
        call = self.call(pair)
        if call is None:
            return
        how, keys, (statement, values), upserts = call
        a, b = self.pairs[pair]
        self.latest.append(f"{pair}: {statement} {values}")
        self.done[how] += 1
        locked = False
        if self.mode == "spill" and not self.security and how in ("one", "by") and self.choice.random() < 0.4:
            # somebody has the row, so it is spilled
            where = " AND ".join(self.equal(name, kind, f"%s::{type_of(kind)}", value) for (name, kind), value in zip(self.keys, keys[0]))
            self.admin.run("BEGIN")
            self.admin.run("SET LOCAL lock_timeout = '1ms'")
            locked = self.admin.run(f"SELECT 1 FROM a.t AS t WHERE {where} FOR UPDATE", self.searched(keys[0]))[0] is None
        code, rows = a.run(statement, values)
        self.admin.run("ROLLBACK")
        b.run("SAVEPOINT plain")
        codes, count = self.count_plain(b, upserts)
        if code is not None and not codes:
            # of a row that is there the proposed one is not looked at by UPDATE,
            # nor what is merged away
            b.run("ROLLBACK TO plain")
            codes, count = self.count_plain(b, self.unmerged)
        if codes and code is not None and (code.startswith("22") or "domain" in rows):
            # values are converted before anything else is looked at
            codes = {code}
        elif (code, codes) in OTHER_ORDER:
            codes = {code}
        late = self.mode not in ("now", "spill")
        if code is None and not codes:
            if how in ("one", "by", "row") and rows[0][0] is not None and count is not None and rows[0][0] != count \
                    and not (self.mode == "spill"):
                self.find("another count is returned", rows[0][0], count)
            return
        if code is not None and code not in codes:
            self.latest.append(f"   -> {code}: {rows}; plain: {codes or 'fine'}")
            # a batch may meet another of several errors first
            if not (codes and how in ("many", "rows")):
                self.find(f"{code}, plain: {' '.join(sorted(codes)) or 'fine'}", rows, getattr(self, "message", ""))
        if code is None:
            # only later, or never
            if not late and not locked:
                self.latest.append(f"   -> fine; plain: {codes}")
                self.find(f"fine, plain: {' '.join(sorted(codes))}", self.message)
            elif self.mode.startswith("commit"):
                self.latest.append(f"{pair}: COMMIT of what fails plainly with {codes}")
                code, text = a.run("COMMIT")
                # of several that cannot be, another key's comes first
                if code is None or code[:2] not in ("22", "23", "42", "U0") or "collation" in text:
                    self.find(f"COMMIT ends with {code}, plain: {' '.join(sorted(codes))}", text, self.message)
                b.run("ROLLBACK")
                self.open.pop(pair, None)
                return
        for side in (a, b):
            side.run("ROLLBACK")
        self.open.pop(pair, None)

    def compare(self):
        """When no transaction is open."""
        names = [row[0] for row in self.admin.run("SELECT attname FROM pg_attribute WHERE attrelid = 'b.t'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum")[1]
                 if row[0] not in self.skip]
        keys = [name for name, _ in self.keys]

        def shown(name):
            if name == self.count and self.typed:
                return "missing_symbol.hits(c)::text"
            if name in (self.first, self.last):
                return f"({name} IS NOT NULL)::text"
            if name in keys:
                kind = dict(self.keys)[name]
                # equal values may look different
                if self.special == "expressions":
                    name = f"COALESCE({name}, {literal(KEYS[kind][0][0], kind)}{cast_of(kind)})"
                return (f"lower({name})" if "any_case" in kind else f"extract(epoch FROM {name})::text" if kind == "interval" else
                        f"trim_scale({name})::text" if kind == "numeric" else f"({name} + 0)::text" if kind == "float8" else f"{name}::text")
            return f'"{name}"::text'

        columns = ", ".join(shown(name) for name in names)
        for source in ("missing_symbol.total(NULL::a.t)", "a.t"):
            if source == "a.t":
                # once more where one role's increments are merged before another's,
                # who gave what a new row needs
                for _ in range(2):
                    code, text = self.admin.run("SELECT missing_symbol.flush()")
                    if code:
                        self.find(f"flush() ends with {code}", text)
            elif self.parts is None and self.admin.run("SELECT 1 FROM pg_inherits WHERE inhparent = 'a.t'::regclass")[1]:
                continue
            # what a row does not have yet is computed when it is made
            if source != "a.t" and self.hides and self.mode in ("spill", "buffer"):
                continue				# only when it is merged it is ignored
            few = source != "a.t" and self.mode in ("spill", "buffer")
            if few:
                columns_here = ", ".join(shown(name) for name in keys + [self.count] + list(self.merged))
            else:
                columns_here = columns
            code, rows = self.admin.run(f"""
(SELECT 'only counted', {columns_here} FROM {source} EXCEPT ALL SELECT 'only counted', {columns_here} FROM b.t) UNION ALL
(SELECT 'only plain', {columns_here} FROM b.t EXCEPT ALL SELECT 'only plain', {columns_here} FROM {source}) ORDER BY 2, 1 LIMIT 6""")
            if code:
                self.find(f"{source} cannot be read: {code}", rows)
            elif rows:
                self.find(f"{source}: other rows" , *[" | ".join(str(value)[:60] for value in row) for row in rows])
        left = self.admin.run("SELECT key, error FROM missing_symbol.spilled UNION ALL SELECT key, NULL FROM missing_symbol.buffered LIMIT 3")[1]
        if left:
            self.find("left over", left)
            self.admin.run("DELETE FROM missing_symbol.spilled")
            self.admin.run("DELETE FROM missing_symbol.buffered")
        if self.first and self.last:
            first, last = [f"timezone('UTC', {name})" if self.local else name for name in (self.first, self.last)]
            rows = self.admin.run(f"SELECT {first}, {last} FROM a.t WHERE {first} > {last} OR {first} < %s OR {last} > clock_timestamp() LIMIT 3",
                                  (self.begin,))[1]
            if rows:
                self.find("times out of bounds", rows)
        if self.audited:
            rows = self.admin.run("""SELECT k, sum(n) FILTER (WHERE side = 'a'), sum(n) FILTER (WHERE side = 'b') FROM
(SELECT lower(k) AS k, n, left(side, 1) AS side FROM public.audit) AS s GROUP BY k
HAVING coalesce(sum(n) FILTER (WHERE side = 'a'), 0) <> coalesce(sum(n) FILTER (WHERE side = 'b'), 0)""")[1]
            if rows and self.keys[0][1] not in ("numeric", "float8", "interval", "jsonb"):
                self.find("triggers saw other sums", rows)
        self.done["rows"] += len(self.admin.run("SELECT 1 AS x FROM b.t")[1])

    def run(self):
        admin = self.admin
        for statement in ("DROP TABLE IF EXISTS a.t, b.t CASCADE", "DROP TABLE IF EXISTS a.heir, b.heir, a.parent, b.parent CASCADE", "TRUNCATE public.audit"):
            code, text = admin.run(statement)
            if code:
                self.find(f"{statement}: {code}", text)
        for statement in self.ddl:
            for schema in ("a", "b"):
                code, text = admin.run(statement.replace("{schema}", schema))
                if code:
                    raise SystemExit(f"world {self.number}: {statement}: {text}")
        for statement in ([self.configure] if self.configure else []) + [self.track]:
            code, text = admin.run(statement)
            if code:
                self.find(f"{statement}: {code}", text)
                return
        self.begin = admin.run("SELECT clock_timestamp()")[1][0][0]
        self.open = {}
        for _ in range(self.choice.randint(1, 3)):
            for _ in range(30):
                # what is unique beside the key is waited for
                self.transaction(0 if self.single else self.choice.randrange(PAIRS))
            for pair in sorted(self.open):
                self.end(pair, "COMMIT")
            self.compare()
            if self.findings:
                break
            if self.partial and self.choice.random() < 0.7:
                # softly deleted, all of them, so that the keys begin anew
                for schema in ("a", "b"):
                    admin.run(f"UPDATE {schema}.t SET gone = true WHERE NOT gone")


def type_of(kind):
    """Without a length: to convert to it is the table's business, as of an
    assignment, which does not cut off."""
    return {"varchar(4)": "varchar", "varchar(3)": "varchar", "char(5)": "bpchar", "numeric(6,2)": "numeric"}.get(kind, kind.split(" COLLATE ")[0])


def cast_of(kind):
    """What brings such a literal to the column's type and collation."""
    return "::" + kind if kind in ("varchar(4)", "char(5)", "numeric(6,2)", "public.short") else ""


def literal(value, kind):
    return "'" + value.replace("'", "''") + "'::" + type_of(kind)


def as_json(value, kind):
    """A field of increment_row: some types in JSON's own way."""
    if value is None:
        return None
    if kind in ("int", "bigint", "smallint"):
        try:
            return int(value)
        except ValueError:
            return value
    if kind == "boolean":
        return {"true": True, "t": True, "false": False, "f": False}.get(value, value)
    if kind == "jsonb":
        return json.loads(value)
    if kind == "int[]":
        return value
    return value


def main():
    admin = Side("admin", "")
    admin.run("CREATE EXTENSION IF NOT EXISTS missing_symbol")
    code, text = admin.run(SETUP)
    if code:
        raise SystemExit(text)
    pairs = [(Side(n, "a"), Side(n, "b")) for n in range(PAIRS)]
    end = time.monotonic() + SECONDS
    done = collections.Counter()
    modes = collections.Counter()
    kinds = {}
    number = int(WORLD) if WORLD else 0
    worlds = 0
    # on a busy machine it takes longer to come to something
    while time.monotonic() < end or (sum(done.values()) < ENOUGH and time.monotonic() < end + 10 * SECONDS):
        world = World(number, admin, pairs)
        world.run()
        worlds += 1
        done.update(world.done)
        modes[world.mode] += 1
        for what, text in world.findings:
            # some of a kind are enough to begin with
            kinds[what] = kinds.get(what, 0) + 1
            if kinds[what] <= 3:
                print("FINDING:", "\n".join(text))
        if world.findings:
            for pair in pairs:
                for side in pair:
                    side.run("ROLLBACK")
        if WORLD or len(kinds) > 30:
            break
        number += 1
    for what, n in kinds.items():
        if n > 3:
            print(f"FINDING: {n} times: {what}")
    print(f"figures: {worlds} tables, {sum(n for how, n in done.items() if how != 'rows')} calls, {done['rows']} rows compared, "
          + " ".join(f"{mode}:{n}" for mode, n in sorted(modes.items())))


if __name__ == "__main__":
    main()
