"""Counting that does not wait: spill, and apply = 'commit'.

Many clients want one row; transactions are long; transactions count the same
keys again and again.  All with synchronous_commit = on, because what others
wait for is mostly the commit of whoever holds the row.

With many clients a slice is some seconds, so that it matters little that new
sessions are slow at first.  What is left in missing_symbol.spilled is counted
like the rest; folding some of it is part of the calls, folding all of it is
done between the rounds.
"""

import schema
from measure import KEYS, ROUNDS, Variant

DURABLE = "-c synchronous_commit=on"
SLOW_DISK = DURABLE + " -c commit_delay=1000 -c commit_siblings=0"
WORK_MS = 20
ONCE = "one increment instead of 20"


def contended(bench, title, variants, clients, seconds, options=DURABLE):
    """Many clients, prepared; the ratios to the first variant."""
    environ = {"PGOPTIONS": options}

    def run(variant, seconds):
        return bench.counted(variant, "prepared", "-T", str(seconds),
                             clients=clients, environ=environ)[1]

    def tidy():
        bench.sql("SELECT missing_symbol.fold()")
        for table in ("missing_symbol.spilled",
                      *sorted({variant.table for variant in variants})):
            bench.sql(f"VACUUM {table}")

    for variant in variants:			# catalogs, caches
        run(variant, 1)
    results = bench.interleave(variants, lambda v: run(v, seconds),
                               rounds=min(ROUNDS, 3), before_round=tidy)
    return bench.table(f"{title}, prepared, {clients} clients", results, "tps",
                       lambda tps: f"{1000 * clients / tps:.3f}")


def case_spill(bench):
    """One hot key, a transaction for each increment."""
    for name, options, at_least in (
            ("synchronous_commit = on", DURABLE, 7),
            ("1 ms for a commit", SLOW_DISK, 20)):
        schema.create(bench, "hot")
        schema.create(bench, "spilling")
        ratios = contended(
            bench, f"One hot key, {name}",
            [Variant("original", schema.original("hot", "prepared", "hot")),
             Variant("record, spill",
                     schema.record("spilling", "prepared", "hot"), "spilling"),
             Variant("increment, spill",
                     schema.increment("spilling", "prepared", "hot"),
                     "spilling")],
            64, 4, options)
        for variant in ("record, spill", "increment, spill"):
            bench.bar(f"hot key, 64 clients, {name}: {variant}", at_least,
                      ratios[variant])


def in_transaction(script, *after):
    """A script whose statements become one transaction."""
    lines = script.splitlines()
    keys = [line for line in lines if line.startswith("\\")]
    statements = [line for line in lines if not line.startswith("\\")]
    return "\n".join([*keys, "BEGIN;", *statements, *after, "COMMIT;", ""])


def case_commit(bench):
    """Transactions that count first, and have other things to do then."""
    for table in ("hot", "deferring"):
        schema.create(bench, table)
    rest = f"\\sleep {WORK_MS} ms"
    ratios = contended(
        bench, f"One hot key in transactions of {WORK_MS} ms",
        [Variant("original", in_transaction(
            schema.original("hot", "prepared", "hot"), rest)),
         Variant("record, apply = commit", in_transaction(
             schema.record("deferring", "prepared", "hot"), rest),
             "deferring")],
        16, 2)
    bench.bar(f"hot key in transactions of {WORK_MS} ms, 16 clients: "
              "apply = commit", 14, ratios["record, apply = commit"])


def twenty(table, how, counting=20):
    """20 statements or result rows, of which so many count, 3 keys."""
    key = f"\\set i {schema.FIRST_LONG} + random(0, {KEYS - 3})\n"
    call = f"SELECT missing_symbol.increment('{table}', (:i::bigint + {{}})::text)"
    if how == "one statement":
        return (f"{key}{call.format('g % 3')}"
                f" FROM generate_series(1, {counting}) g;\n")
    return in_transaction(key + "".join(
        f"{call.format(i % 3) if i < counting else 'SELECT 1'};\n"
        for i in range(20)))


def case_pending(bench):
    """Transactions that count the same keys again and again.

    No way of counting beats what counts once: a round trip, a durable commit.
    """
    for name, now, commit in (("HOT table", "hot", "deferring"),
                              ("original DDL", "download_missingsymbol",
                               "deferring_ddl")):
        for how, at_least in (("one statement", 2), ("20 statements", 1.4)):
            for table in (now, commit):
                schema.fill(bench, table, "prepared", KEYS)
            ratios = bench.compare(
                f"20 increments of 3 keys in {how}, {name}", "prepared",
                [Variant("now", twenty(now, how), now, 20),
                 Variant("commit", twenty(commit, how), commit, 20),
                 Variant(ONCE, twenty(now, how, 1), now, 1)],
                environ={"PGOPTIONS": DURABLE})
            bench.bar(f"20 increments of 3 keys in {how}, {name}: commit",
                      at_least, ratios["commit"])
            bench.fact(f"the same, {ONCE}", "stated",
                       f"{ratios[ONCE]:.2f}x", True)


CASES = {"spill": case_spill, "commit": case_commit, "pending": case_pending}


def instructions(bench, compare):
    """What waiting costs where nobody is in the way."""
    for mode in ("simple", "prepared"):
        ratios = compare(
            f"Uncontended, HOT table, {KEYS} keys", mode,
            [Variant("record, apply = now", schema.record("hot", mode)),
             Variant("record, spill", schema.record("spilling", mode),
                     "spilling"),
             Variant("record, apply = commit", schema.record("deferring", mode),
                     "deferring"),
             Variant("record, apply = buffer", schema.record("buffering", mode),
                     "buffering")])
        for name, at_most in (("record, spill", 1.05),
                              ("record, apply = commit", 1.08)):
            more = 1 / ratios[name]
            bench.fact(f"uncontended: {name}, {mode}, instructions",
                       f"<= {at_most:.2f}x", f"{more:.2f}x", more <= at_most)
