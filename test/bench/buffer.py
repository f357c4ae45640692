"""Counting into the buffer: apply = 'buffer', and Redis for comparison.

All with synchronous_commit = on, as what is compared with has to wait for the
disk.  With one client there is no worker, so that its work does not fall into
somebody else's slice: fold() does it after each slice, and one line of the
table has it included, as if the worker had no other CPU.  With many clients
it is there, as in life.
"""

import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

import clients
import schema
from measure import KEYS, ROUNDS, SLICE, WORK, Failed, Variant, patience, slices
from waiting import DURABLE, contended

ALONE = DURABLE + " -c missing_symbol.worker=off"
BUFFERED = "record, buffered"
INSERTED = "INSERT of the key alone, UNLOGGED, an index"
MERGED = "record, buffered, and merging it on the same CPU"


def fill(bench, table, mode):
    """schema.fill(), with everything in its row."""
    schema.fill(bench, table, mode, KEYS)
    bench.sql("SELECT missing_symbol.flush()")
    bench.sql(f"VACUUM ANALYZE {table}")


def worker(bench, setting):
    """Whether sessions of this database start a worker, from the next on."""
    database = bench.value("SELECT current_database()")
    bench.sql("LOAD 'missing_symbol'")
    bench.sql(f"ALTER DATABASE {database} SET missing_symbol.worker = {setting}")
    bench.sql(f"SET missing_symbol.worker = {setting}")
    bench.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              " WHERE backend_type = 'missing_symbol worker'")


def one_client(bench, mode, setting=None):
    """Calls in slices, each with what it takes to merge it.

    A commit that flushes nothing wakes the WAL writer all the same; before 17
    nearly every one does, which is a good part of a call.  With setting that
    is left out, and no bar applies.
    """
    fill(bench, "hot", mode)
    fill(bench, "buffering", mode)
    schema.create(bench, "appended")
    _, record, _, _ = variants = [
        Variant("original", schema.original("hot", mode)),
        Variant(BUFFERED, schema.record_all("buffering", mode), "buffering"),
        Variant(INSERTED, schema.append("appended", mode), "appended"),
        Variant("SELECT 1", "SELECT 1;\n", "hot", 0)]
    merged = []

    def run(variant, calls):
        tps = bench.counted(variant, mode, "-t", str(calls),
                            environ={"PGOPTIONS": ALONE})[1]
        if variant == record:
            begun = time.monotonic()
            bench.sql("SELECT missing_symbol.fold()")
            merged.append(calls / (calls / tps + time.monotonic() - begun))
        return tps

    def tidy():
        bench.sql("TRUNCATE appended")
        bench.sql("VACUUM hot, buffering, missing_symbol.buffered")

    with bench.cpus(1):
        calls = {variant: max(500, round(run(variant, KEYS // 5) * SLICE))
                 for variant in variants}
        merged.clear()
        results = bench.interleave(variants, lambda v: run(v, calls[v]),
                                   rounds=slices(), before_round=tidy,
                                   seconds=patience(variants))
    results[MERGED] = merged
    ratios = bench.table(f"Buffered, {setting or 'synchronous_commit = on'}, "
                         f"{KEYS} keys, {mode}", results, "tps",
                         lambda tps: f"{1000 / tps:.3f}")
    case = f"buffered record, 1 client, {mode}"
    if setting is not None:
        bench.fact(f"{case}, {setting}", "stated",
                   f"{ratios[BUFFERED] / ratios['SELECT 1']:.2f}x", True)
        return
    bench.bar(case, 3, ratios[BUFFERED])
    bench.bar(f"{case}, of SELECT 1", 0.6, ratios[BUFFERED] / ratios["SELECT 1"])
    bench.fact(f"{case}, of an unlogged INSERT", "stated",
               f"{ratios[BUFFERED] / ratios[INSERTED]:.2f}x", True)


def hot_key(bench):
    schema.create(bench, "hot")
    schema.create(bench, "buffering")
    ratios = contended(
        bench, "One hot key, synchronous_commit = on",
        [Variant("original", schema.original("hot", "prepared", "hot")),
         Variant(BUFFERED, schema.record("buffering", "prepared", "hot"),
                 "buffering")], 64, 2)
    bench.bar("buffered record, one hot key, 64 clients", 7, ratios[BUFFERED])


def django(bench):
    for table in ("download_missingsymbol", "buffering"):
        fill(bench, table, "client")
    variants = [variant for variant in clients.django_variants(KEYS, "buffering")
                if variant.name.startswith("ORM: atomic") or
                variant.table == "buffering"]

    def measure(variant):
        before = bench.total(variant.table)
        calls, microseconds = clients.run(variant, SLICE)
        if bench.total(variant.table) - before != calls:
            raise Failed(f"{variant.name}: counted wrong")
        return microseconds

    def tidy():
        bench.sql("SELECT missing_symbol.fold()")
        bench.sql("VACUUM download_missingsymbol, buffering")

    with bench.cpus(1):
        for variant in variants:
            measure(variant)
        results = bench.interleave(variants, measure, rounds=slices(),
                                   before_round=tidy,
                                   seconds=patience(variants))
    ratios = bench.table(f"Django {clients.django_version()} and psycopg2, "
                         "buffered", results, "us/call", more=False)
    bench.bar("Django: buffered record against the ORM, atomic", 6,
              ratios["record, buffering"])


def wal(bench):
    """WAL bytes for each increment, after all pages were touched."""
    for table in ("hot", "buffering"):
        fill(bench, table, "simple")
    bytes_of = {}

    def measure(name, work):
        bench.sql("VACUUM hot, buffering")
        before = bench.value("SELECT pg_current_wal_insert_lsn()")
        work()
        bytes_of[name] = float(bench.value(
            "SELECT pg_current_wal_insert_lsn() - %s::pg_lsn", before)) / KEYS

    def calls(variant):
        return lambda: bench.counted(variant, "simple", "-t", str(KEYS),
                                     environ={"PGOPTIONS": ALONE})

    variants = [Variant("original", schema.original("hot", "simple")),
                Variant(BUFFERED, schema.record("buffering", "simple"),
                        "buffering")]
    bench.sql("CHECKPOINT")
    for variant in variants:
        calls(variant)()
    bench.sql("SELECT missing_symbol.flush()")
    for variant in variants:
        measure(variant.name, calls(variant))
    measure("merging it", lambda: bench.sql("SELECT missing_symbol.flush()"))
    print(f"\nWAL bytes for each increment of {KEYS} among {KEYS} keys")
    for name, value in bytes_of.items():
        print(f"  {name:52} {value:9.1f}")
    bench.bar("buffered record, WAL", 6,
              bytes_of["original"] / bytes_of[BUFFERED], "x less")


def case_buffer(bench):
    worker(bench, "off")
    for mode in ("simple", "prepared"):
        one_client(bench, mode)
    bench.sql("ALTER SYSTEM SET wal_writer_flush_after = 0")
    bench.sql("SELECT pg_reload_conf()")
    one_client(bench, "prepared", "wal_writer_flush_after = 0")
    bench.sql("ALTER SYSTEM RESET wal_writer_flush_after")
    bench.sql("SELECT pg_reload_conf()")
    wal(bench)
    django(bench)
    worker(bench, "on")
    hot_key(bench)


# ---------------------------------------------------------------------------
# Redis
# ---------------------------------------------------------------------------

# Equal work: a count, the time of the first and of the last, in one call
SCRIPT = """
local t = redis.call('TIME')
local now = t[1] .. '.' .. t[2]
redis.call('HSETNX', 'first', KEYS[1], now)
redis.call('HSET', 'last', KEYS[1], now)
return redis.call('HINCRBY', 'count', KEYS[1], 1)
"""


class Redis:
    """A server of our own, on a socket."""

    script = SCRIPT

    def __init__(self):
        # in Debian the server is another name of this program
        program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        if program is None:
            raise Failed("there is no redis-server")
        self.directory = tempfile.mkdtemp(prefix="redis", dir=WORK)
        self.socket = os.path.join(os.environ["TMPDIR"], "redis")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket,
             "--dir", self.directory, "--appendonly", "yes",
             "--appendfsync", "everysec", "--save", ""],
            executable=program, stdout=subprocess.DEVNULL)
        for _ in range(100):
            if os.path.exists(self.socket) and self.cli("PING") == "PONG":
                break
            time.sleep(0.1)
        else:
            raise Failed("redis-server does not answer")
        self.sha = self.cli("SCRIPT", "LOAD", self.script)

    def cli(self, *command):
        return subprocess.run(["redis-cli", "-s", self.socket, *command],
                              capture_output=True, text=True).stdout.strip()

    def version(self):
        return re.search(r"redis_version:(\S+)",
                         self.cli("INFO", "server"))[1]

    def count(self):
        return sum(int(n) for n in self.cli("HVALS", "count").split())

    def run(self, calls, number):
        """Calls of so many clients; their rate."""
        before = self.count()
        done = subprocess.run(
            ["redis-benchmark", "-s", self.socket, "-c", str(number),
             "-n", str(calls), "-r", str(KEYS), "--csv", "EVALSHA", self.sha,
             "1", f"{schema.DEBUGID}__rand_int__"],
            capture_output=True, text=True)
        rates = re.findall(r'","([0-9.]+)"', done.stdout)
        if done.returncode != 0 or not rates:
            raise Failed(f"redis-benchmark failed:\n{done.stdout}{done.stderr}")
        if self.count() - before != calls:
            raise Failed("Redis counted wrong")
        return float(rates[0])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def case_redis(bench):
    """The same in Redis, with 1 and 64 clients; no bar."""
    redis = Redis()
    worker(bench, "on")
    try:
        for number in (1, 64):
            fill(bench, "buffered_views", "prepared")
            ours = Variant("increment, buffered",
                           schema.increment("buffered_views", "prepared"),
                           "buffered_views")
            select = Variant("SELECT 1", "SELECT 1;\n", "buffered_views", 0)
            theirs = Variant(f"Redis {redis.version()}, a Lua script", None, None)
            calls = {}

            def run(variant):
                if variant == theirs:
                    return redis.run(calls.get(variant, 5000), number)
                return bench.counted(
                    variant, "prepared", "-t",
                    str(max(1, calls.get(variant, 5000) // number)),
                    clients=number, environ={"PGOPTIONS": DURABLE})[1]

            variants = [theirs, ours, select]
            with bench.cpus(number):
                for variant in variants:
                    calls[variant] = max(5000, round(run(variant) * SLICE * 2))
                results = bench.interleave(
                    variants, run, rounds=ROUNDS,
                    before_round=lambda: bench.sql(
                        "SELECT missing_symbol.flush()"))
            ratios = bench.table(
                f"Redis, appendfsync everysec, {KEYS} keys, {number} "
                f"client{'s' if number > 1 else ''}", results, "calls/s",
                lambda rate: f"{1000 * number / rate:.3f}")
            bench.fact(f"increment, buffered, against Redis, {number} "
                       f"client{'s' if number > 1 else ''}", "stated",
                       f"{ratios[ours.name]:.2f}x", True)
            print(f"  of a call here {1e6 / statistics.median(results[ours.name]):.0f} us, "
                  f"a round trip with parser and executor alone is "
                  f"{1e6 / statistics.median(results[select.name]):.0f} us")
    finally:
        redis.stop()


CASES = {"buffer": case_buffer, "redis": case_redis}
