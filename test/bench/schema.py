"""The tables of make bench, and the statements that count in them.

Statements are pgbench scripts for one of two modes.  "simple": literals in
the text, where pgbench puts variables in quotes, too.  "prepared": all values
are parameters.  Keys, in each mode (pgbench knows numbers only, so the varying
part of a key is a number):

	simple		hash of 32, debugid of 33 characters
	prepared	both of 19 digits
	client		as in real life, made by clients.py

kind is "existing" (one of the keys that are there), "hot" (always the same
key, the same row for all variants) or "new".
"""

import hashlib

CONSTANTS = {
    "symbol": "xul.pdb",
    "filename": "xul.sym",
    "code_file": "xul.dll",
    "code_id": "5CF2591C6859000",
    "hot_debugid": "44E4EC8C2F41492B9369D6B9A059577C2",
}

HASH = "a1b2c3d4e5f60718293a4b5c"		# and 8 digits
DEBUGID = "44E4EC8C2F41492B9369D6B9A"	# and 8 digits
FIRST = 10000000						# the smallest of 8 digits
FIRST_LONG = 1000000000000000000		# the smallest of 19

COLUMNS = """
    id serial PRIMARY KEY,
    hash varchar(32) NOT NULL UNIQUE,
    symbol varchar(150) NOT NULL{default},
    debugid varchar(150) NOT NULL{default},
    filename varchar(150) NOT NULL{default},
    code_file varchar(150),
    code_id varchar(150),
    count integer NOT NULL DEFAULT 1 CHECK (count >= 0),
    created_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL
"""

PAGES = ("(page text PRIMARY KEY, count bigint NOT NULL,"
         " created_at timestamptz NOT NULL,"
         " modified_at timestamptz NOT NULL) WITH (fillfactor = 80)")

PARTED = ("(page text PRIMARY KEY, count bigint NOT NULL,"
          " created_at timestamptz NOT NULL, modified_at timestamptz NOT NULL)"
          " PARTITION BY HASH (page)")
MONTHS = ("(page text, day date, count bigint NOT NULL,"
          " created_at timestamptz NOT NULL, modified_at timestamptz NOT NULL,"
          " PRIMARY KEY (page, day)) PARTITION BY RANGE (day)")
LIVING = ("(page text NOT NULL, count bigint NOT NULL,"
          " created_at timestamptz NOT NULL, modified_at timestamptz NOT NULL,"
          " deleted_at timestamptz) WITH (fillfactor = 80)")
FOLDED = ("(page text NOT NULL, count bigint NOT NULL,"
          " created_at timestamptz NOT NULL, modified_at timestamptz NOT NULL)"
          " WITH (fillfactor = 80)")
PAGE_TABLES = (PAGES, PARTED, LIVING, FOLDED)

# The original is the symbol server's; the others are without what keeps an
# update from being HOT.  The least that can be appended: a key with an index.
TABLES = {
    "download_missingsymbol":
        f"({COLUMNS.format(default='')})",
    "hot": f"({COLUMNS.format(default='')}) WITH (fillfactor = 80)",
    "throttled": f"({COLUMNS.format(default='')}) WITH (fillfactor = 80)",
    "spilling": f"({COLUMNS.format(default='')}) WITH (fillfactor = 80)",
    "deferring": f"({COLUMNS.format(default='')}) WITH (fillfactor = 80)",
    "deferring_ddl": f"({COLUMNS.format(default='')})",
    "buffering": f"({COLUMNS.format(default='')}) WITH (fillfactor = 80)",
    "page_views": PAGES,
    "once_views": PAGES,
    "seen_views": PAGES,
    "buffered_views": PAGES,
    "parted": PARTED,
    "months": MONTHS,
    "watched": PAGES,
    "limits":
        "(client text PRIMARY KEY, count bigint NOT NULL,"
        " window_start timestamptz) WITH (fillfactor = 80)",
    "secured": PAGES,
    "living": LIVING,
    "folded": FOLDED,
    "appended": "(hash text, at timestamptz)",
    "batch_ddl": f"({COLUMNS.format(default=chr(32) + 'DEFAULT' + chr(39) * 2)})",
    "daily_spend":
        "(user_id bigint, day date, model text,"
        " count bigint NOT NULL DEFAULT 0,"
        " prompt_tokens bigint NOT NULL DEFAULT 0,"
        " completion_tokens bigint NOT NULL DEFAULT 0,"
        " spend double precision NOT NULL DEFAULT 0,"
        " cost numeric NOT NULL DEFAULT 0, last_seen timestamptz NOT NULL,"
        " PRIMARY KEY (user_id, day, model)) WITH (fillfactor = 70)",
    # all rows change at once: room for as many versions again
    "batch_hot":
        f"({COLUMNS.format(default=chr(32) + 'DEFAULT' + chr(39) * 2)})"
        " WITH (fillfactor = 45)",
}
UNLOGGED = ("appended",)
HASH_INDEX = ("appended",)
MODIFIED_INDEX = ("download_missingsymbol", "deferring_ddl", "batch_ddl")
TRACK = {
    "throttled": "throttle => '24 hours'",
    "spilling": "spill => true",
    "deferring": "apply => 'commit'",
    "deferring_ddl": "apply => 'commit'",
    "buffering": "apply => 'buffer'",
    "buffered_views": "apply => 'buffer'",
}


# what else is made with a table
FURTHER = {
    "parted": [f"CREATE TABLE parted_{i} PARTITION OF parted FOR VALUES"
               f" WITH (MODULUS 8, REMAINDER {i}) WITH (fillfactor = 80)"
               for i in range(8)],
    "months": [f"CREATE TABLE months_{i} PARTITION OF months FOR VALUES"
               f" FROM ('2026-{i:02}-01') TO ('2026-{i + 1:02}-01')"
               " WITH (fillfactor = 80)" for i in range(1, 10)],
    "watched": ["CREATE OR REPLACE FUNCTION watch() RETURNS trigger"
                " LANGUAGE plpgsql AS"
                " $$ BEGIN NEW.modified_at := now(); RETURN NEW; END $$",
                "CREATE TRIGGER watch BEFORE UPDATE ON watched"
                " FOR EACH ROW EXECUTE FUNCTION watch()"],
    "secured": ["ALTER TABLE secured ENABLE ROW LEVEL SECURITY",
                "CREATE POLICY of_all ON secured USING (page <> '')",
                "GRANT SELECT, INSERT, UPDATE ON secured TO bench_counter"],
    "living": ["CREATE UNIQUE INDEX living_key ON living (page)"
               " WHERE deleted_at IS NULL"],
    "folded": ["CREATE UNIQUE INDEX folded_key ON folded (lower(page))"],
}

CONFIGURE = {
    "limits": '{"per": "1 day", "window": "window_start"}',
    "daily_spend": '{"counts": ["count", "prompt_tokens",'
                   ' "completion_tokens", "spend", "cost"]}',
    "living": '{"index": "living_key"}',
    "folded": '{"index": "folded_key"}',
}

# what ON CONFLICT arbitrates by, where that is not (page)
CONFLICT = {
    "living": "(page) WHERE deleted_at IS NULL",
    "folded": "(lower(page))",
}

TOTAL = {table: f"SELECT coalesce(sum(count), 0) FROM {table}"
         for table in TABLES}
for name in ("spilling", "buffering", "buffered_views"):
    TOTAL[name] = ("SELECT coalesce(sum(count), 0)"
                   f" FROM missing_symbol.total(NULL::{name})")
TOTAL["appended"] = "SELECT count(*) FROM appended"
TOTAL["missing_symbol.symbols"] = (
    "SELECT coalesce(sum(missing_symbol.hits(hits)), 0)"
    " FROM missing_symbol.symbols")


def create(bench, table):
    """An empty table."""
    if table == "missing_symbol.symbols":
        bench.sql("TRUNCATE missing_symbol.symbols")
        return
    bench.sql(f"DROP TABLE IF EXISTS {table}")
    unlogged = "UNLOGGED " if table in UNLOGGED else ""
    bench.sql(f"CREATE {unlogged}TABLE {table} {TABLES[table]}")
    for statement in FURTHER.get(table, ()):
        bench.sql(statement)
    if table in HASH_INDEX:
        bench.sql(f"CREATE INDEX ON {table} (hash)")
    if table in MODIFIED_INDEX:
        bench.sql(f"CREATE INDEX ON {table} (modified_at)")
    if table in TRACK:
        bench.sql(f"SELECT missing_symbol.track('{table}', {TRACK[table]})")
    if table in CONFIGURE:
        bench.sql(f"SELECT missing_symbol.configure('{table}',"
                  f" '{CONFIGURE[table]}')")


def hash_of(parts):
    return hashlib.md5(":".join(parts).encode("utf-8")).hexdigest()


def sighting(debugid):
    return (CONSTANTS["symbol"], debugid, CONSTANTS["filename"],
            CONSTANTS["code_file"], CONSTANTS["code_id"])


def first_sighting():
    """One that is there after fill() for prepared statements."""
    return sighting(str(FIRST_LONG))


CONSTANTS["hot_hash"] = hash_of(sighting(CONSTANTS["hot_debugid"]))


def fill(bench, table, mode, keys):
    """A table with the keys of both sides, counted once."""
    create(bench, table)
    if mode == "simple":
        hashes, debugids = f"'{HASH}' || {FIRST} + g", f"'{DEBUGID}' || {FIRST} + g"
    else:
        hashes = debugids = f"({FIRST_LONG} + g)::text"
    series = f"generate_series(0, {keys - 1}) g"
    if TABLES.get(table) in PAGE_TABLES:
        bench.sql(f"INSERT INTO {table} (page, count, created_at, modified_at)"
                  f" SELECT {hashes}, 1, now(), now() FROM {series}")
    elif table == "months":
        bench.sql(f"INSERT INTO months SELECT {hashes},"
                  " date '2026-01-15' + interval '1 month' * (g % 9),"
                  f" 1, now(), now() FROM {series}")
    elif table != "missing_symbol.symbols":
        bench.sql(f"INSERT INTO {table} (hash, symbol, debugid, filename,"
                  " code_file, code_id, created_at, modified_at)"
                  f" SELECT {hashes}, %s, {debugids}, %s, %s, %s, now(), now()"
                  f" FROM {series}",
                  *(CONSTANTS[name] for name in ("symbol", "filename",
                                                 "code_file", "code_id")))
    if TABLES.get(table) not in (*PAGE_TABLES, MONTHS):
        bench.sql(f"SELECT missing_symbol.record(%s, {debugids}, %s, %s, %s,"
                  f" target => %s) FROM {series}",
                  CONSTANTS["symbol"], CONSTANTS["filename"],
                  CONSTANTS["code_file"], CONSTANTS["code_id"], table)
    bench.sql(f"VACUUM ANALYZE {table}")


# ---------------------------------------------------------------------------
# Statements
# ---------------------------------------------------------------------------

def set_key(mode, kind, keys=10000):
    if kind == "hot":
        return ""
    if kind == "new":
        return f"\\set i random({FIRST_LONG}, {FIRST_LONG * 9})\n"
    first = FIRST if mode == "simple" else FIRST_LONG
    return f"\\set i {first} + random(0, {keys - 1})\n"


def values(mode, kind):
    """How a script writes hash and the parts of a sighting."""
    names = ("symbol", "filename", "code_file", "code_id")
    if mode == "simple":
        constants = {name: f"'{CONSTANTS[name]}'" for name in names}
        if kind == "hot":
            key = f"'{CONSTANTS['hot_hash']}'"
            debugid = f"'{CONSTANTS['hot_debugid']}'"
        elif kind == "new":
            key, debugid = f"'{HASH[:13]}:i'", f"'{DEBUGID[:14]}:i'"
        else:
            key, debugid = f"'{HASH}:i'", f"'{DEBUGID}:i'"
    else:
        constants = {name: f":{name}" for name in names}
        key = ":hot_hash" if kind == "hot" else ":i"
        debugid = ":hot_debugid" if kind == "hot" else ":i"
    return key, (constants["symbol"], debugid, constants["filename"],
                 constants["code_file"], constants["code_id"])


def original_sql(table, key, parts):
    return (f"INSERT INTO {table} (hash, symbol, debugid, filename, code_file,"
            " code_id, count, created_at, modified_at) VALUES"
            f" ({key}, {', '.join(parts)}, 1, CLOCK_TIMESTAMP(),"
            " CLOCK_TIMESTAMP()) ON CONFLICT (hash) DO UPDATE SET"
            f" count = {table}.count + 1, modified_at = CLOCK_TIMESTAMP()")


def record_sql(target, parts):
    into = f", target => '{target}'" if target else ""
    return f"SELECT missing_symbol.record({', '.join(parts)}{into})"


def original(table, mode, kind="existing"):
    key, parts = values(mode, kind)
    return set_key(mode, kind) + original_sql(table, key, parts) + ";\n"


def record(target, mode, kind="existing"):
    _, parts = values(mode, kind)
    return set_key(mode, kind) + record_sql(target, parts) + ";\n"


def record_all(target, mode):
    """No argument left to its default: parser and planner read the text of
    all defaults of a function when it is called with some."""
    _, parts = values(mode, "existing")
    return (f"{set_key(mode, 'existing')}SELECT missing_symbol.record("
            f"{', '.join(parts)}, 1, '{target}');\n")


# ---------------------------------------------------------------------------
# What a user of a gateway to language models has spent in a day
# ---------------------------------------------------------------------------

SPEND_VARIABLES = ("\\set user random(0, 9999)\n"
                   "\\set prompt random(1, 4000)\n"
                   "\\set completion random(1, 900)\n")
SPEND_ROWS = ("INSERT INTO daily_spend (user_id, day, model, last_seen)"
              " SELECT g, '2026-11-29', 'model-1', now()"
              " FROM generate_series(0, %s - 1) g")


def upsert_spend(mode):
    return (SPEND_VARIABLES +
            "INSERT INTO daily_spend (user_id, day, model, count,"
            " prompt_tokens, completion_tokens, spend, cost, last_seen)"
            " VALUES (:user, '2026-11-29', 'model-1', 1, :prompt,"
            " :completion, 0.0021, 0.25, clock_timestamp())"
            " ON CONFLICT (user_id, day, model) DO UPDATE SET"
            " count = daily_spend.count + excluded.count,"
            " prompt_tokens = daily_spend.prompt_tokens"
            " + excluded.prompt_tokens,"
            " completion_tokens = daily_spend.completion_tokens"
            " + excluded.completion_tokens,"
            " spend = daily_spend.spend + excluded.spend,"
            " cost = daily_spend.cost + excluded.cost,"
            " last_seen = excluded.last_seen;\n")


def spend_fields(user, prompt, completion):
    return (f'{{"user_id": {user}, "day": "2026-11-29", "model": "model-1",'
            f' "count": 1, "prompt_tokens": {prompt},'
            f' "completion_tokens": {completion}, "spend": 0.0021,'
            ' "cost": 0.25}')


def increment_spend(mode):
    """Prepared: the fields are one parameter, which pgbench cannot make; so it
    gives the user, and the text is put together around it."""
    if mode == "simple":
        fields = f"'{spend_fields(':user', ':prompt', ':completion')}'"
    else:
        head, tail = spend_fields("@", 1234, 567).split("@")
        fields = f"('{head}' || :user || '{tail}')::jsonb"
    return (SPEND_VARIABLES +
            f"SELECT missing_symbol.increment_row('daily_spend', {fields});\n")


def upsert(table, mode):
    key, _ = values(mode, "existing")
    return (f"{set_key(mode, 'existing')}INSERT INTO {table}"
            " (page, count, created_at, modified_at)"
            f" VALUES ({key}, 1, clock_timestamp(), clock_timestamp())"
            f" ON CONFLICT {CONFLICT.get(table, '(page)')} DO UPDATE"
            f" SET count = {table}.count + 1,"
            " modified_at = clock_timestamp();\n")


def set_month_key(mode):
    """A page and its month; in prepared statements a day of 2026."""
    first = FIRST if mode == "simple" else FIRST_LONG
    return (f"\\set g random(0, {9999})\n\\set i {first} + :g\n"
            "\\set m 1 + :g % 9\n")


def month_key(mode):
    key, _ = values(mode, "existing")
    return key, ("'2026-0:m-15'" if mode == "simple" else
                 "(date '2025-12-15' + interval '1 month' * :m::int)::date")


def upsert_month(mode):
    key, day = month_key(mode)
    return (f"{set_month_key(mode)}INSERT INTO months"
            " (page, day, count, created_at, modified_at)"
            f" VALUES ({key}, {day}, 1, clock_timestamp(), clock_timestamp())"
            " ON CONFLICT (page, day) DO UPDATE SET count = months.count + 1,"
            " modified_at = clock_timestamp();\n")


def increment_month(mode):
    key, day = month_key(mode)
    return (f"{set_month_key(mode)}"
            f"SELECT missing_symbol.increment('months', {key}, {day});\n")


def append(table, mode):
    key, _ = values(mode, "existing")
    return (f"{set_key(mode, 'existing')}"
            f"INSERT INTO {table} VALUES ({key}, clock_timestamp());\n")


def increment(table, mode, kind="existing"):
    key, _ = values(mode, kind)
    return (f"{set_key(mode, kind)}"
            f"SELECT missing_symbol.increment('{table}', {key});\n")


def increment_row(table, mode):
    """The row as JSON; a prepared statement has to put it together."""
    key, parts = values(mode, "existing")
    names = ("hash", "symbol", "debugid", "filename", "code_file", "code_id")
    if mode == "simple":
        fields = ", ".join(f'"{name}": "{value[1:-1]}"'
                           for name, value in zip(names, (key,) + parts))
        row = f"'{{{fields}}}'"
    else:
        fields = ", ".join(f"'{name}', {value}::text"
                           for name, value in zip(names, (key,) + parts))
        row = f"jsonb_build_object({fields})"
    return (f"{set_key(mode, 'existing')}"
            f"SELECT missing_symbol.increment_row('{table}', {row});\n")


# ---------------------------------------------------------------------------
# Batches
# ---------------------------------------------------------------------------

# Measured within the server, so that sending and parsing the keys is not.
BATCH = """
CREATE OR REPLACE FUNCTION batch_{name}(target regclass) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
    keys text[];
    begun timestamptz;
BEGIN
    SELECT array_agg(md5((g % 90000)::text) ORDER BY md5(g::text)) INTO keys
    FROM generate_series(1, 100000) g;
    begun := clock_timestamp();
    EXECUTE {statement} USING target, keys;
    RETURN extract(epoch FROM clock_timestamp() - begun) * 1000;
END $$
"""
BATCH_ORIGINAL = """format('
    INSERT INTO %s AS t (hash, count, created_at, modified_at)
    SELECT k, count(*), clock_timestamp(), clock_timestamp()
    FROM unnest($2) k GROUP BY k
    ON CONFLICT (hash) DO UPDATE
    SET count = t.count + EXCLUDED.count, modified_at = clock_timestamp()',
    target)"""
BATCH_MANY = "'SELECT * FROM missing_symbol.increment_many($1, $2)'"


def create_batch(bench):
    bench.sql(BATCH.format(name="original", statement=BATCH_ORIGINAL))
    bench.sql(BATCH.format(name="many", statement=BATCH_MANY))
    for table in ("batch_hot", "batch_ddl"):
        create(bench, table)
        bench.sql("SELECT batch_original(%s)", table)
        bench.sql(f"VACUUM ANALYZE {table}")


def install(bench):
    bench.sql("CREATE EXTENSION missing_symbol")
    bench.sql("CREATE ROLE bench_counter")
