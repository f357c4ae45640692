"""Comparing variants of a task: what the cases of make bench have in common.

Variants are interleaved in short slices: a round runs a slice of each, in
random order, and a ratio is the median of the rounds' own ratios, so that a
machine that is busy with something else for a while slows down both sides of
a ratio.  Every slice is checked to have counted what it claims.

A single client and its backend take turns, so they share one CPU: waking an
idle one takes a virtual machine longer than an increment does, now and then,
and is no cost of either side.  Several clients have all CPUs.
"""

import collections
import contextlib
import os
import random
import re
import statistics
import subprocess
import time

import psycopg2

import schema

WORK = os.environ["BENCH_WORK"]
ROUNDS = int(os.environ["BENCH_ROUNDS"])
SECONDS = int(os.environ["BENCH_SECONDS"])

KEYS = 10000
SLICE = 0.5								# seconds
LONG_SLICE = 1							# of several clients, which begin one by one
PATIENCE = 1.6							# a slice on a busy machine, in slices

# A variant: what it is called, its pgbench script, the table it counts in,
# by how much the table's sum grows with a transaction, and what is done before
# the same transactions are counted again
Variant = collections.namedtuple("Variant", "name script table counts before",
                                 defaults=("hot", 1, None))


class Failed(Exception):
    pass


def slices(length=SLICE):
    return max(1, round(ROUNDS * SECONDS / length))


def patience(variants, length=SLICE):
    return slices(length) * len(variants) * length * PATIENCE


class Bench:
    def __init__(self):
        self.connection = psycopg2.connect("")
        self.connection.autocommit = True
        self.random = random.Random(int(os.environ["BENCH_SEED"]))
        self.bars = []

    # -- SQL ---------------------------------------------------------------

    def sql(self, text, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else None

    def value(self, text, *values):
        return self.sql(text, *values)[0][0]

    def total(self, table):
        return int(self.value(schema.TOTAL[table]))

    # -- CPUs --------------------------------------------------------------

    @contextlib.contextmanager
    def cpus(self, clients):
        """Where we, and backends and clients started meanwhile, may run."""
        with open(os.environ["BENCH_PIDFILE"], encoding="utf-8") as file:
            pids = (0, int(file.readline()))
        every = os.sched_getaffinity(0)
        if clients == 1:
            for pid in pids:
                os.sched_setaffinity(pid, {max(every)})
        try:
            yield
        finally:
            for pid in pids:
                os.sched_setaffinity(pid, every)

    # -- pgbench -----------------------------------------------------------

    def pgbench(self, script, mode, *options, clients=1, environ=None,
                wrapper=()):
        """Runs a script; transactions processed, and their rate."""
        path = os.path.join(WORK, "script")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        command = [*wrapper, "pgbench", "-n", "-M", mode, "-f", path,
                   "-c", str(clients), "-j", str(min(clients, 2)), *options]
        for name, text in schema.CONSTANTS.items():
            command += ["-D", f"{name}={text}"]
        done = subprocess.run(command, capture_output=True, text=True,
                              env={**os.environ, **(environ or {})})
        processed = re.search(r"actually processed: (\d+)", done.stdout)
        tps = re.findall(r"^tps = ([0-9.]+)", done.stdout, re.M)
        if (done.returncode != 0 or not processed or not tps or
                "aborted" in done.stderr):
            raise Failed(f"pgbench failed:\n{done.stdout}{done.stderr}")
        # 13 prints two rates, the last one without connecting
        return int(processed[1]), float(tps[-1]), done.stderr

    def counted(self, variant, mode, *options, **more):
        """The same, and whether it counted as often as it should."""
        before = self.total(variant.table)
        processed, tps, stderr = self.pgbench(variant.script, mode, *options,
                                              **more)
        grown = self.total(variant.table) - before
        if grown != processed * variant.counts:
            raise Failed(f"{variant.name}: {processed} transactions counted "
                         f"{grown}")
        return processed, tps, stderr

    # -- comparing ---------------------------------------------------------

    def interleave(self, variants, measure, rounds, before_round=None,
                   seconds=None):
        """measure(variant) for each variant in each round, by name.

        Fewer rounds, but not less than 5, where they take longer than
        seconds.
        """
        results = {variant.name: [] for variant in variants}
        end = time.monotonic() + (seconds or float("inf"))
        for done in range(rounds):
            if done >= 5 and time.monotonic() > end:
                break
            if before_round is not None:
                before_round()
            for variant in self.random.sample(variants, len(variants)):
                results[variant.name].append(measure(variant))
        return results

    def compare(self, title, mode, variants, clients=1, before_round=None,
                environ=None):
        """Prints a table of tps; the ratios to the first variant."""
        def vacuum():
            for table in sorted({variant.table for variant in variants}):
                self.sql(f"VACUUM {table}")

        def run(variant, calls):
            return self.counted(variant, mode, "-t", str(calls // clients),
                                clients=clients, environ=environ)[1]

        # Warm up, see that it works, and how many calls make a slice of each,
        # in which the first call of a session, which loads the library, is
        # as little as it is where sessions last
        length = SLICE if clients == 1 else LONG_SLICE
        calls = {}

        def reckon(variant, so_far):
            return int(max(clients, 500, run(variant, so_far) * length))

        with self.cpus(clients):
            for variant in variants:
                calls[variant.name] = reckon(variant,
                                             reckon(variant, KEYS // 5))
            results = self.interleave(variants,
                                      lambda v: run(v, calls[v.name]),
                                      rounds=slices(length),
                                      before_round=before_round or vacuum,
                                      seconds=patience(variants, length))
        many = "" if clients == 1 else f", {clients} clients"
        return self.table(f"{title}, {mode}{many}", results, "tps",
                          lambda tps: f"{1000 * clients / tps:.3f}")

    def table(self, title, results, unit, milliseconds=None, more=True):
        """Prints results of rounds, and returns the ratios of medians.

        more: more is better; the first variant is what the others are
        compared with.
        """
        first = next(iter(results.values()))
        ratios = {}
        digits = 0 if statistics.median(first) >= 100 else 3
        print(f"\n{title}; {len(first)} rounds")
        print(f"  {'':44} {unit + ':':>9}  median      mean    stddev"
              f"{'  latency ms' if milliseconds else ''}   ratio")
        for name, values in results.items():
            ratio = statistics.median(
                (ours / theirs if more else theirs / ours)
                for ours, theirs in zip(values, first))
            ratios[name] = ratio
            median = statistics.median(values)
            stddev = statistics.stdev(values) if len(values) > 1 else 0
            print(f"  {name:52} {median:9.{digits}f} "
                  f"{statistics.mean(values):9.{digits}f} "
                  f"{stddev:9.{digits}f}"
                  f"{milliseconds(median).rjust(12) if milliseconds else ''}"
                  f"{ratio:8.2f}")
        return ratios

    def bar(self, case, at_least, reached, unit="x"):
        self.bars.append({"case": case, "bar": f">= {at_least}{unit}",
                          "reached": f"{reached:.2f}{unit}",
                          "ok": reached >= at_least})

    def fact(self, case, wanted, reached, fine):
        self.bars.append({"case": case, "bar": wanted, "reached": reached,
                          "ok": fine})
