"""A limit: allow() against the upsert that everybody writes by hand.

That one takes the row's lock, and with it a transaction id and WAL, to find
that it has to refuse.  What is allowed is compared with synchronous_commit =
off, as a client waits for the same disk otherwise; what is refused with on, as
it is by default.
"""

import re
import statistics

import buffer
import schema
from measure import KEYS, ROUNDS, SLICE, Variant

DURABLE = {"PGOPTIONS": "-c synchronous_commit=on"}
MOST = 1000000000

LUA = """
local n = tonumber(redis.call('GET', KEYS[1]) or '0')
if n >= 1000000000 then
    return 0
end
if redis.call('INCR', KEYS[1]) == 1 then
    redis.call('PEXPIRE', KEYS[1], 86400000)
end
return 1
"""


def key(mode, hot=False):
    line = f"\\set i random(1, {1 if hot else KEYS})\n"
    return line, "':i'" if mode == "simple" else ":i"


def original(mode, hot=False):
    line, name = key(mode, hot)
    return (f"{line}INSERT INTO limits AS t VALUES ({name}, 1, now())"
            " ON CONFLICT (client) DO UPDATE SET count = t.count + 1"
            f" WHERE t.count < {MOST} RETURNING count;\n")


def allow(mode, hot=False):
    line, name = key(mode, hot)
    return f"{line}SELECT missing_symbol.allow('limits', {MOST}, {name});\n"


def look(mode):
    """What anything costs that looks at a row by its key."""
    line, name = key(mode)
    return f"{line}SELECT count FROM limits WHERE client = {name};\n"


def fill(bench, count):
    schema.create(bench, "limits")
    bench.sql("INSERT INTO limits SELECT i, %s, now()"
              " FROM generate_series(1, %s) i", count, KEYS)
    bench.sql("VACUUM ANALYZE limits")


def case_limit(bench):
    """Allowed and refused; one key that many want; Redis."""
    for mode, at_least in (("simple", 1.2), ("prepared", 1.05)):
        fill(bench, 0)
        ratios = bench.compare(
            f"Allowed, {KEYS} keys, synchronous_commit = off", mode,
            [Variant("INSERT .. ON CONFLICT .. WHERE count < limit",
                     original(mode), "limits"),
             Variant("allow", allow(mode), "limits")])
        bench.bar(f"limit, allowed: allow, {mode}", at_least, ratios["allow"])

    for mode in ("simple", "prepared"):
        fill(bench, MOST)
        select = [Variant("SELECT 1", "SELECT 1;\n", "limits", 0),
                  Variant("SELECT by key", look(mode), "limits", 0)]
        refused = Variant("allow, refused", allow(mode), "limits", 0)
        ratios = bench.compare(
            f"Refused, {KEYS} keys", mode,
            [Variant("INSERT .. ON CONFLICT .. WHERE count < limit",
                     original(mode), "limits", 0), refused, *select],
            environ=DURABLE)
        bench.bar(f"limit, refused: allow, {mode}", 4,
                  ratios["allow, refused"])
        bench.bar(f"limit, refused: allow of SELECT 1, {mode}", 0.75,
                  ratios["allow, refused"] / ratios["SELECT 1"])
        bench.bar(f"limit, refused: allow of SELECT by key, {mode}", 0.95,
                  ratios["allow, refused"] / ratios["SELECT by key"])

    plan = "\n".join(row[0] for row in bench.sql(
        "EXPLAIN (ANALYZE, WAL, COSTS OFF, TIMING OFF, SUMMARY OFF) "
        f"SELECT missing_symbol.allow('limits', {MOST}, client) FROM limits"))
    fine = ("WAL:" not in plan and bench.value(
        "SELECT outcome FROM missing_symbol.last_increment()") == "refused")
    bench.fact("limit, refused: WAL", "none", "none" if fine else "some", fine)

    hot(bench)
    redis(bench)


def hot(bench):
    """One key at its limit, which 64 clients want."""
    variants = [Variant("INSERT .. ON CONFLICT .. WHERE count < limit",
                        original("prepared", True), "limits", 0),
                Variant("allow, refused", allow("prepared", True), "limits",
                        0)]

    def run(variant, seconds=2):
        return bench.counted(variant, "prepared", "-T", str(seconds),
                             clients=64, environ=DURABLE)[1]

    fill(bench, MOST)
    for variant in variants:			# catalogs, caches
        run(variant, 1)
    results = bench.interleave(variants, run, rounds=min(ROUNDS, 3))
    ratios = bench.table("Refused, one key, prepared, 64 clients", results,
                         "tps", lambda tps: f"{64000 / tps:.3f}")
    bench.bar("limit, refused, one key, 64 clients: allow", 10,
              ratios["allow, refused"])


class Limiter(buffer.Redis):
    """Decisions of a Lua script."""

    script = LUA

    def count(self):
        calls = re.search(r"cmdstat_evalsha:calls=(\d+)",
                          self.cli("INFO", "commandstats"))
        return int(calls[1]) if calls else 0


def redis(bench):
    """Decisions a second, of which all are allowed."""
    server = Limiter()
    try:
        for number in (1, 64):
            fill(bench, 0)
            ours = Variant("allow", allow("prepared"), "limits")
            theirs = Variant(f"Redis {server.version()}, a Lua script", None,
                             None)
            calls = {}

            def run(variant):
                if variant == theirs:
                    return server.run(calls.get(variant, 5000), number)
                return bench.counted(
                    variant, "prepared", "-t",
                    str(max(1, calls.get(variant, 5000) // number)),
                    clients=number, environ=DURABLE)[1]

            variants = [theirs, ours]
            with bench.cpus(number):
                for variant in variants:
                    calls[variant] = max(5000, round(run(variant) * SLICE * 2))
                results = bench.interleave(variants, run, rounds=ROUNDS)
            bench.table(
                f"Decisions, Redis, {KEYS} keys, {number} "
                f"client{'s' if number > 1 else ''}", results, "calls/s",
                lambda rate: f"{1000 * number / rate:.3f}")
            rates = ", ".join(f"{statistics.median(rate):.0f} a second"
                              for rate in results.values())
            bench.fact(f"limit, decisions: Redis and allow, {number} "
                       f"client{'s' if number > 1 else ''}", "stated", rates,
                       True)
    finally:
        server.stop()


CASES = {"limit": case_limit}
