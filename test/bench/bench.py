"""How fast missing_symbol counts: the cases of make bench.

Each case compares variants of one task, as a rule the statement that
applications use today ("original") and a call of missing_symbol, on the same
table with the same indexes unless the case says otherwise.  measure.py says
how they are compared.

The client is pgbench: with literals in the text (simple), as drivers like
psycopg2 send them, or with prepared statements, all values as parameters
(prepared).  Keys vary; they are literals or parameters like anything else.

Where a call computes the key itself (record), it has rows of its own in the
table, as many as the original statement, for which the key is computed by the
client, before the measurement.

Started by run.sh with "timing", "instructions METHOD" and "summary"; results
are handed on in a file.
"""

import collections
import json
import os
import re
import sys

import buffer
import clients
import limit
import once
import schema
import waiting
from measure import (KEYS, ROUNDS, SECONDS, SLICE, WORK, Bench, Failed,
                     Variant, patience, slices)

CASES = os.environ["BENCH_CASES"].split()
RESULTS = os.path.join(WORK, "results.json")


# ---------------------------------------------------------------------------
# Cases
# ---------------------------------------------------------------------------

MODES = ("simple", "prepared")


def case_call(bench):
    """One call against the original statement, same table and indexes."""
    for mode, at_least in zip(MODES, (1.25, 1.05)):
        schema.fill(bench, "hot", mode, KEYS)
        ratios = bench.compare(
            f"One call, HOT table, {KEYS} keys", mode,
            [Variant("original", schema.original("hot", mode)),
             Variant("record", schema.record("hot", mode)),
             Variant("record, all arguments", schema.record_all("hot", mode)),
             Variant("increment (key only)", schema.increment("hot", mode)),
             Variant("increment_row (jsonb)",
                     schema.increment_row("hot", mode))])
        for name in ("record", "record, all arguments"):
            bench.bar(f"one call: {name}, {mode}", at_least, ratios[name])
        for name in ("increment (key only)", "increment_row (jsonb)"):
            bench.bar(f"one call: {name}, {mode}", 0.97, ratios[name])


def case_symbols(bench):
    """record into symbols against the original statement on its own DDL."""
    for mode, at_least in zip(MODES, (1.7, 1.25)):
        schema.fill(bench, "download_missingsymbol", mode, KEYS)
        schema.fill(bench, "missing_symbol.symbols", mode, KEYS)
        ratios = bench.compare(
            f"record into symbols, {KEYS} keys", mode,
            [Variant("original on its own DDL",
                     schema.original("download_missingsymbol", mode),
                     "download_missingsymbol"),
             Variant("record into symbols", schema.record(None, mode),
                     "missing_symbol.symbols")])
        bench.bar(f"record into symbols, {mode}", at_least,
                  ratios["record into symbols"])


def case_hot(bench):
    """One hot row."""
    for clients in (1, 16):
        for mode in MODES:
            schema.create(bench, "hot")
            ratios = bench.compare(
                "One hot row", mode,
                [Variant("original", schema.original("hot", mode, "hot")),
                 Variant("record", schema.record("hot", mode, "hot"))],
                clients=clients)
            bench.bar(f"hot row, {mode}, {clients} client"
                      f"{'s' if clients > 1 else ''}", 0.97,
                      ratios["record"])


def case_new(bench):
    """A new key with each call."""
    for table, name in (("hot", "HOT table"),
                        ("download_missingsymbol", "original DDL")):
        for mode in MODES:
            schema.create(bench, table)
            ratios = bench.compare(
                f"New keys singly, {name}", mode,
                [Variant("original", schema.original(table, mode, "new"),
                         table),
                 Variant("record", schema.record(table, mode, "new"), table)],
                before_round=lambda t=table: bench.sql(f"TRUNCATE {t}"))
            bench.bar(f"new keys singly, {name}, {mode}", 0.97,
                      ratios["record"])


def case_paths(bench):
    """Other tables and loads that the fast path serves, and the general one."""
    for mode in MODES:
        table = "download_missingsymbol"
        schema.fill(bench, table, mode, KEYS)
        ratios = bench.compare(
            f"Original DDL on both sides, {KEYS} keys", mode,
            [Variant("original", schema.original(table, mode), table),
             Variant("record", schema.record(table, mode), table)])
        bench.bar(f"original DDL on both sides, {mode}", 0.97,
                  ratios["record"])
    for mode in MODES:
        schema.fill(bench, "page_views", mode, KEYS)
        ratios = bench.compare(
            f"Smallest table (key, count, two times), {KEYS} keys", mode,
            [Variant("upsert", schema.upsert("page_views", mode),
                     "page_views"),
             Variant("increment", schema.increment("page_views", mode),
                     "page_views")])
        bench.bar(f"smallest table: increment, {mode}", 0.97,
                  ratios["increment"])
    for mode in MODES:
        schema.create(bench, "daily_spend")
        bench.sql(schema.SPEND_ROWS, KEYS)
        bench.sql("VACUUM ANALYZE daily_spend")
        ratios = bench.compare(
            f"Five counters in a row, {KEYS} keys", mode,
            [Variant("upsert", schema.upsert_spend(mode), "daily_spend"),
             Variant("increment_row", schema.increment_spend(mode),
                     "daily_spend")])
        bench.bar("five counters in a row by increment_row() against one"
                  f" hand-written upsert, {mode}", 1.0,
                  ratios["increment_row"])
    for mode in MODES:
        schema.fill(bench, "hot", mode, KEYS)
        ratios = bench.compare(
            f"One call, HOT table, {KEYS} keys", mode,
            [Variant("original", schema.original("hot", mode)),
             Variant("record", schema.record("hot", mode))], clients=16)
        bench.bar(f"one call, 16 clients, {mode}", 0.97, ratios["record"])
    for mode, at_least in zip(MODES, (1.15, 1.05)):
        schema.fill(bench, "parted", mode, KEYS)
        ratios = bench.compare(
            f"Partitioned by hash of 8, {KEYS} keys", mode,
            [Variant("upsert", schema.upsert("parted", mode), "parted"),
             Variant("increment", schema.increment("parted", mode), "parted")])
        bench.bar(f"partitioned by hash, {mode}", at_least,
                  ratios["increment"])
    for mode, at_least in zip(MODES, (1.15, 1.05)):
        schema.fill(bench, "months", mode, KEYS)
        ratios = bench.compare(
            f"Partitioned by month, {KEYS} keys in 9 months", mode,
            [Variant("upsert", schema.upsert_month(mode), "months"),
             Variant("increment", schema.increment_month(mode), "months")])
        bench.bar(f"partitioned by month, {mode}", at_least,
                  ratios["increment"])
    for table, name, environ in (
            ("watched", "BEFORE UPDATE trigger", None),
            ("secured", "row security",
             {"PGOPTIONS": "-c role=bench_counter"}),
            ("living", "partial index", None),
            ("folded", "index on an expression", None)):
        for mode in MODES:
            schema.fill(bench, table, mode, KEYS)
            ratios = bench.compare(
                f"{name[0].upper()}{name[1:]}, {KEYS} keys", mode,
                [Variant("upsert", schema.upsert(table, mode), table),
                 Variant("increment", schema.increment(table, mode), table)],
                environ=environ)
            bench.bar(f"{name}, {mode}", 0.97,
                      ratios["increment"])


def case_django(bench):
    """Django's ORM, the statement through its cursor, and record."""
    schema.fill(bench, "download_missingsymbol", "client", KEYS)
    schema.fill(bench, "missing_symbol.symbols", "client", KEYS)
    variants = clients.django_variants(KEYS)

    def measure(variant):
        before = bench.total(variant.table)
        calls, microseconds = clients.run(variant, SLICE)
        if bench.total(variant.table) - before != calls:
            raise Failed(f"{variant.name}: counted wrong")
        return microseconds

    def vacuum():
        bench.sql("VACUUM download_missingsymbol, missing_symbol.symbols")

    with bench.cpus(1):
        for variant in variants:
            measure(variant)
        results = bench.interleave(variants, measure, rounds=slices(),
                                   before_round=vacuum,
                                   seconds=patience(variants))
    ratios = bench.table(f"Django {clients.django_version()} and psycopg2, "
                         f"original DDL, {KEYS} keys",
                         results, "us/call", more=False)
    bench.bar("Django: record against the ORM, atomic", 4,
              ratios["record into symbols"])


def case_throttled(bench):
    """A throttled call, with synchronous_commit on."""
    environ = {"PGOPTIONS": "-c synchronous_commit=on"}
    for mode in MODES:
        schema.fill(bench, "throttled", mode, KEYS)
        throttled = Variant("record, throttled",
                            schema.record("throttled", mode), "throttled", 0)
        ratios = bench.compare(
            "Throttled, synchronous_commit = on", mode,
            [Variant("original", schema.original("throttled", mode),
                     "throttled"), throttled], environ=environ)
        bench.bar(f"throttled, {mode}", 4, ratios["record, throttled"])

    plan = "\n".join(row[0] for row in bench.sql(
        "EXPLAIN (ANALYZE, WAL, COSTS OFF, TIMING OFF, SUMMARY OFF) "
        "SELECT missing_symbol.record(symbol, debugid, filename, code_file,"
        " code_id, target => 'throttled') FROM throttled "
        "WHERE hash = missing_symbol.hash(symbol, debugid, filename,"
        " code_file, code_id)"))
    outcome = bench.value("SELECT outcome FROM missing_symbol.last_increment()")
    rows = re.search(r"rows=(\d+)", plan)[1]
    xid = bench.value(
        "SELECT pg_current_xact_id_if_assigned() FROM missing_symbol.record("
        "%s, %s, %s, %s, %s, target => 'throttled')", *schema.first_sighting())
    before = bench.value("SELECT pg_current_wal_insert_lsn()")
    bench.counted(throttled, mode, "-t", "5000")
    wal = bench.value("SELECT pg_current_wal_insert_lsn() - %s::pg_lsn",
                      before)
    print(f"\nThrottled, EXPLAIN (ANALYZE, WAL) of {rows} calls in one "
          f"statement, outcome \"{outcome}\":")
    print("".join(f"  {line}\n" for line in plan.splitlines()), end="")
    print(f"  transaction id: {xid}; 5000 statements moved the end of WAL by "
          f"{wal} bytes (the server's own included)")
    fine = "WAL:" not in plan and xid is None and outcome == "throttled"
    bench.fact("throttled: WAL and transaction id", "none",
               "none" if fine else "some", fine)


def case_batch(bench):
    """100,000 keys, 10 % of them duplicates, in one call."""
    Batch = collections.namedtuple("Batch", "name function")
    variants = [Batch("INSERT ... SELECT ... GROUP BY ... ON CONFLICT",
                      "batch_original"),
                Batch("increment_many", "batch_many")]
    kinds = (("existing keys, HOT table", "batch_hot", 1.5, False),
             ("existing keys, original DDL", "batch_ddl", 1.25, False),
             ("new keys, HOT table", "batch_hot", 1.1, True),
             ("new keys, original DDL", "batch_ddl", 1.1, True))

    schema.create_batch(bench)
    for name, table, at_least, new in kinds:
        def measure(variant):
            before = 0 if new else bench.total(table)
            if new:
                bench.sql(f"TRUNCATE {table}")
            bench.sql(f"VACUUM {table}")
            bench.sql("CHECKPOINT")
            ms = bench.value(f"SELECT {variant.function}(%s)", table)
            if bench.total(table) - before != 100000:
                raise Failed(f"{variant.name}: counted wrong")
            return ms

        for variant in variants:
            measure(variant)
        results = bench.interleave(variants, measure,
                                   rounds=max(ROUNDS, 5))
        ratios = bench.table(f"Batch of 100000 keys, 10 % duplicates, {name}",
                             results, "ms", more=False)
        bench.bar(f"increment_many, {name}", at_least,
                  ratios["increment_many"])


def case_wal(bench):
    """WAL bytes for each increment, after all pages were touched."""
    for name, theirs, ours, target in (
            ("HOT table", "hot", "hot", "hot"),
            ("symbols / original on its own DDL", "download_missingsymbol",
             "missing_symbol.symbols", None)):
        for table in {theirs, ours}:
            schema.fill(bench, table, "simple", KEYS)
        bytes_of = {}
        variants = [Variant("original", schema.original(theirs, "simple"),
                            theirs),
                    Variant("record", schema.record(target, "simple"), ours)]
        bench.sql("CHECKPOINT")
        for variant in variants:
            bench.counted(variant, "simple", "-t", str(KEYS))
        for variant in variants:
            before = bench.value("SELECT pg_current_wal_insert_lsn()")
            bench.counted(variant, "simple", "-t", str(KEYS))
            bytes_of[variant.name] = float(bench.value(
                "SELECT pg_current_wal_insert_lsn() - %s::pg_lsn",
                before)) / KEYS
        print(f"\nWAL bytes for each increment, {name}")
        for variant in variants:
            print(f"  {variant.name:52} {bytes_of[variant.name]:9.1f}")
        bench.fact(f"WAL bytes per increment, {name}",
                   f"<= {bytes_of['original']:.1f}",
                   f"{bytes_of['record']:.1f}",
                   bytes_of["record"] <= bytes_of["original"] * 1.005)


def case_replay(bench):
    """A file of real sightings, in its order."""
    path = os.environ["BENCH_SIGHTINGS"]
    if not path:
        raise Failed("replay needs SIGHTINGS=file.csv")
    sightings, outcomes = clients.read_sightings(bench, path)
    Replay = collections.namedtuple("Replay", "name script table")
    variants = [
        Replay("original on its own DDL", clients.replay_script(
            sightings, "download_missingsymbol", True),
               "download_missingsymbol"),
        Replay("record on the original DDL", clients.replay_script(
            sightings, "download_missingsymbol", False),
               "download_missingsymbol"),
        Replay("record into symbols", clients.replay_script(
            sightings, None, False), "missing_symbol.symbols")]

    def measure(variant):
        bench.sql(f"TRUNCATE {variant.table}")
        tps = bench.pgbench(variant.script, "simple", "-t", "1")[1]
        if bench.total(variant.table) != len(sightings):
            raise Failed(f"{variant.name}: counted wrong")
        return tps * len(sightings)

    schema.create(bench, "download_missingsymbol")
    results = bench.interleave(variants, measure, rounds=max(ROUNDS, 5))
    bench.table(f"Replay of {len(sightings)} sightings, "
                f"{bench.value('SELECT count(*) FROM missing_symbol.symbols')}"
                f" keys, simple; the file has: {outcomes}", results, "calls/s",
                lambda rate: f"{1000 / rate:.3f}")


def comparing_instructions(bench, method):
    """How variants are compared by the server's user instructions a call."""
    calls = 300 if method == "callgrind" else 3000
    counter = clients.Instructions(method, WORK)

    def measure(variant, mode):
        few = counter.count(bench, variant, mode, calls)
        many = counter.count(bench, variant, mode, 5 * calls)
        return (many - few) / (4 * calls)

    def compare(title, mode, variants):
        for table in sorted({variant.table for variant in variants}):
            schema.fill(bench, table, mode, KEYS)
        for variant in variants:		# catalogs, free space
            bench.counted(variant, mode, "-t", str(calls))
        results = bench.interleave(
            variants, lambda v: measure(v, mode),
            rounds=1 if method == "callgrind" else min(ROUNDS, 3))
        return bench.table(f"{title}, {mode}, user instructions of the server "
                           f"for each call by {method}", results, "instr.",
                           more=False)

    return compare


def case_instructions(bench, compare):
    """User instructions of the server for each call."""
    for mode, at_least in zip(MODES, (2.0, 1.35)):
        ratios = compare(
            f"One call, HOT table, {KEYS} keys", mode,
            [Variant("original", schema.original("hot", mode)),
             Variant("record", schema.record("hot", mode)),
             Variant("record, all arguments",
                     schema.record_all("hot", mode))])
        for name in ("record", "record, all arguments"):
            bench.bar(f"one call: {name}, {mode}, instructions", at_least,
                      ratios[name])
    for mode in MODES:
        compare(f"record into symbols, {KEYS} keys", mode,
                [Variant("original on its own DDL",
                         schema.original("download_missingsymbol", mode),
                         "download_missingsymbol"),
                 Variant("record into symbols", schema.record(None, mode),
                         "missing_symbol.symbols")])
    waiting.instructions(bench, compare)


# ---------------------------------------------------------------------------

def machine(bench):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    settings = ("shared_buffers", "work_mem", "max_wal_size",
                "synchronous_commit", "fsync", "full_page_writes",
                "autovacuum", "jit", "wal_level")
    print(bench.value("SELECT version()"))
    print(f"{os.cpu_count()} cores, {model[1] if model else 'unknown'}, "
          f"Linux {os.uname().release}, load "
          f"{' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    print(", ".join(f"{name} = {bench.value(f'SHOW {name}')}"
                    for name in settings))
    print(f"{ROUNDS} x {SECONDS} s for each variant, in slices of about "
          f"{SLICE} s, interleaved in random order;\nmedian, mean and stddev of "
          "slices; ratio: the median of the rounds' ratios to the first "
          "variant;\na single client and its backend share one CPU")


def timing():
    known = {name[5:]: case for name, case in globals().items()
             if name.startswith("case_")}
    known.update(waiting.CASES)
    known.update(buffer.CASES)
    known.update(limit.CASES)
    known.update(once.CASES)
    for name in CASES:
        if name not in known:
            raise Failed(f"there is no case \"{name}\"; there are: "
                         f"{' '.join(known)}")
    bench = Bench()
    schema.install(bench)
    machine(bench)
    for name in CASES:
        if name != "instructions":
            known[name](bench)
    save(bench)


def save(bench):
    bars = []
    if os.path.exists(RESULTS):
        with open(RESULTS, encoding="utf-8") as file:
            bars = json.load(file)
    with open(RESULTS, "w", encoding="utf-8") as file:
        json.dump(bars + bench.bars, file)


def instructions(method):
    bench = Bench()
    compare = comparing_instructions(bench, method)
    if "instructions" in CASES:
        case_instructions(bench, compare)
    if "once" in CASES:
        once.instructions(bench, compare)
    save(bench)


def summary():
    with open(RESULTS, encoding="utf-8") as file:
        bars = json.load(file)
    print(f"\n{'case':60} {'bar':>10} {'reached':>10}")
    for bar in bars:
        print(f"{bar['case']:60} {bar['bar']:>10} {bar['reached']:>10}  "
              f"{'ok' if bar['ok'] else 'below'}")
    below = sum(not bar["ok"] for bar in bars)
    print(f"{len(bars) - below} ok, {below} below")


def main():
    try:
        {"timing": timing, "instructions": instructions,
         "summary": summary}[sys.argv[1]](*sys.argv[2:])
    except Failed as failure:
        print(f"make bench: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
