"""Counting once: a request has a token, and counts nothing when repeated.

What users write instead: a table of the requests seen, and a statement that
counts what it could insert there.  Tokens are text, each is new.
"""

import subprocess
import time

import schema
from measure import KEYS, Variant

# a table for each, so that all begin alike
ONCE = "once_views"
SEEN = "seen_views"
TOKENS = 1000000
CLAIMERS = 8


def set_token(mode):
    token = "':t'" if mode == "simple" else ":t"
    return f"\\set t random({schema.FIRST_LONG}, {schema.FIRST_LONG * 9})\n", token


def seen(mode):
    """The usual statement: insert into seen, or count nothing."""
    set_t, token = set_token(mode)
    key, _ = schema.values(mode, "existing")
    return (f"{schema.set_key(mode, 'existing')}{set_t}"
            f"WITH fresh AS (INSERT INTO seen VALUES ({token})"
            " ON CONFLICT DO NOTHING RETURNING 1)"
            f" INSERT INTO {SEEN} (page, count, created_at, modified_at)"
            f" SELECT {key}, 1, clock_timestamp(), clock_timestamp() FROM fresh"
            f" ON CONFLICT (page) DO UPDATE SET count = {SEEN}.count + 1,"
            " modified_at = clock_timestamp() RETURNING count;\n")


def increment_once(mode):
    set_t, token = set_token(mode)
    key, _ = schema.values(mode, "existing")
    return (f"{schema.set_key(mode, 'existing')}{set_t}"
            f"SELECT missing_symbol.increment_once('{ONCE}', {token}, {key});\n")


def prepare(bench, mode):
    for table in (ONCE, SEEN):
        schema.fill(bench, table, mode, KEYS)
    bench.sql("DROP TABLE IF EXISTS seen")
    bench.sql("CREATE TABLE seen (token text PRIMARY KEY)")
    bench.sql("TRUNCATE missing_symbol.tokens")


def expiry(bench):
    """A million tokens expire beside others that are claimed."""
    prepare(bench, "prepared")
    bench.sql("INSERT INTO missing_symbol.tokens"
              " SELECT %s::regclass, gen_random_uuid(), now() - interval '8 days'"
              f" FROM generate_series(1, {TOKENS})", ONCE)
    bench.sql("VACUUM ANALYZE missing_symbol.tokens")
    bench.sql("CHECKPOINT")
    before = bench.total(ONCE)
    with open("once.script", "w", encoding="utf-8") as file:
        file.write(increment_once("prepared"))
    load = subprocess.Popen(
        ["pgbench", "-n", "-M", "prepared", "-f", "once.script", "-T", "12",
         "-c", str(CLAIMERS), "-j", "1"], stdout=subprocess.DEVNULL)
    try:
        time.sleep(2)
        began = time.monotonic()
        bench.sql("CALL missing_symbol.expire_tokens()")
        seconds = time.monotonic() - began
    finally:
        load.wait()
    left = bench.value("SELECT count(*) FROM missing_symbol.tokens"
                       " WHERE claimed_at < now() - interval '7 days'")
    claimed = bench.value("SELECT count(*) FROM missing_symbol.tokens")
    fine = left == 0 and bench.total(ONCE) - before == claimed
    bench.fact(f"{TOKENS} tokens expire beside {CLAIMERS} clients",
               "<= 3 s", f"{seconds:.2f} s" if fine else "wrong",
               fine and seconds <= 3)


def size(bench):
    """Table and index after three retentions, against after the first one."""
    each = TOKENS // 7

    def day(n):
        bench.sql("INSERT INTO missing_symbol.tokens"
                  " SELECT %s::regclass, gen_random_uuid(),"
                  f" now() - interval '30 days' + {n} * interval '1 day'"
                  f" FROM generate_series(1, {each})", ONCE)

    def total():
        return bench.value("SELECT pg_total_relation_size('missing_symbol.tokens')")

    bench.sql("SET missing_symbol.test_clock = ''")
    bench.sql("TRUNCATE missing_symbol.tokens")
    sizes = []
    for n in range(28):
        bench.sql("SELECT set_config('missing_symbol.test_clock',"
                  f" (now() - interval '30 days' + {n} * interval '1 day')::text,"
                  " false)")
        bench.sql("CALL missing_symbol.expire_tokens()")
        bench.sql("VACUUM missing_symbol.tokens")
        day(n)
        if n == 7:
            sizes.append(total())
    sizes.append(total())
    bench.sql("RESET missing_symbol.test_clock")
    growth = sizes[1] / sizes[0]
    bench.fact("size of the tokens after three retentions, against one",
               "<= 1.30x", f"{growth:.2f}x", growth <= 1.3)


def case_once(bench):
    """A call with a token against the usual statement."""
    for mode in ("simple", "prepared"):
        prepare(bench, mode)
        ratios = bench.compare(
            f"Counting once, {KEYS} keys, new tokens", mode,
            [Variant("seen, then upsert", seen(mode), SEEN),
             Variant("increment_once", increment_once(mode), ONCE)])
        bench.bar(f"increment_once against insert into seen and upsert, {mode}",
                  1.4, ratios["increment_once"])
    expiry(bench)
    size(bench)


def instructions(bench, compare):
    """What a token costs."""
    for mode in ("simple", "prepared"):
        prepare(bench, mode)
        ratios = compare(
            f"Counting once, {KEYS} keys", mode,
            [Variant("increment", schema.increment("page_views", mode),
                     "page_views"),
             Variant("increment_once", increment_once(mode), ONCE,
                     before="TRUNCATE missing_symbol.tokens"),
             Variant("seen, then upsert", seen(mode), SEEN,
                     before="TRUNCATE seen")])
        more = 1 / ratios["increment_once"]
        bench.fact(f"increment_once against increment, {mode}, instructions",
                   "<= 1.60x", f"{more:.2f}x", more <= 1.6)


CASES = {"once": case_once}
