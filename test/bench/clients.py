"""Other clients of make bench than pgbench: Django, a file of real sightings,
and the counters of instructions."""

import collections
import csv
import functools
import glob
import gzip
import hashlib
import os
import random
import re
import statistics
import subprocess
import time

import psycopg2

import schema

Call = collections.namedtuple("Call", "name call table")


# ---------------------------------------------------------------------------
# Django
# ---------------------------------------------------------------------------

def django_version():
    import django
    return django.get_version()


@functools.lru_cache(maxsize=None)		# Django wants to be set up once
def django_model():
    import django
    from django.conf import settings
    from django.db import models

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql",
                               "HOST": os.environ["PGHOST"],
                               "PORT": os.environ["PGPORT"],
                               "USER": os.environ["PGUSER"],
                               "NAME": os.environ["PGDATABASE"]}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True)
    django.setup()

    class MissingSymbol(models.Model):
        hash = models.CharField(max_length=32, unique=True)
        symbol = models.CharField(max_length=150)
        debugid = models.CharField(max_length=150)
        filename = models.CharField(max_length=150)
        code_file = models.CharField(max_length=150, null=True)
        code_id = models.CharField(max_length=150, null=True)
        count = models.PositiveIntegerField(default=1)
        created_at = models.DateTimeField(auto_now_add=True)
        modified_at = models.DateTimeField(auto_now=True, db_index=True)

        class Meta:
            app_label = "download"
            db_table = "download_missingsymbol"
            managed = False

    return MissingSymbol


def django_variants(keys, *targets):
    """Calls that count one of the sightings that fill() made.

    targets: record in these tables, too, by name.
    """
    from django.db import connection, models, transaction
    from django.utils import timezone

    model = django_model()
    chooser = random.Random(1)

    def sighting():
        return schema.sighting(
            str(schema.FIRST_LONG + chooser.randrange(keys)))

    def orm():
        symbol, debugid, filename, code_file, code_id = parts = sighting()
        key = schema.hash_of(parts)
        if model.objects.filter(hash=key).exists():
            model.objects.filter(hash=key).update(
                count=models.F("count") + 1, modified_at=timezone.now())
        else:
            model.objects.create(hash=key, symbol=symbol, debugid=debugid,
                                 filename=filename, code_file=code_file,
                                 code_id=code_id)

    def orm_atomic():
        with transaction.atomic():
            orm()

    upsert = schema.original_sql("download_missingsymbol", "%s", ["%s"] * 5)

    def raw():
        parts = sighting()
        with connection.cursor() as cursor:
            cursor.execute(upsert, (schema.hash_of(parts), *parts))

    def record(target):
        statement = schema.record_sql(target, ["%s"] * 5)

        def call():
            with connection.cursor() as cursor:
                cursor.execute(statement, sighting())
                cursor.fetchone()
        return call

    table = "download_missingsymbol"
    return [Call("ORM: atomic, exists, update or create", orm_atomic, table),
            Call("ORM: exists, update or create, no atomic", orm, table),
            Call("original statement by cursor.execute", raw, table),
            Call("record on the original DDL", record(table), table),
            Call("record into symbols", record(None),
                 "missing_symbol.symbols"),
            *(Call(f"record, {target}", record(target), target)
              for target in targets)]


def run(variant, seconds):
    """Calls for so long; how many, and the median of their microseconds."""
    times = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        variant.call()
        times.append((time.perf_counter() - begun) * 1e6)
    return len(times), statistics.median(times)


# ---------------------------------------------------------------------------
# Real sightings
# ---------------------------------------------------------------------------

def read_sightings(bench, path):
    """What record() counts of a file, and the outcomes of all of it."""
    outcomes = collections.Counter()
    counted = []
    opener = gzip.open if path.endswith(".gz") else open
    schema.create(bench, "missing_symbol.symbols")
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            # as a web view does: what is not given is empty
            parts = tuple(row.get(name) or "" for name in (
                "symbol", "debugid", "filename", "code_file", "code_id"))
            try:
                bench.sql(schema.record_sql(None, ["%s"] * 5), *parts)
                outcome = bench.value(
                    "SELECT outcome FROM missing_symbol.last_increment()")
            except psycopg2.Error:
                outcome = "refused"
            outcomes[outcome] += 1
            if outcome in ("inserted", "incremented"):
                counted.append(parts)
    return counted, ", ".join(f"{number} {outcome}" for outcome, number
                              in outcomes.most_common())


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def replay_script(sightings, table, original):
    """One script with all of them, in order, as literals."""
    lines = []
    for parts in sightings:
        literals = [literal(part) for part in parts]
        if original:
            literals[3:] = [literal(part) if part else "NULL"
                            for part in parts[3:]]
            key = hashlib.md5(":".join(parts).encode("utf-8")).hexdigest()
            lines.append(schema.original_sql(table, f"'{key}'", literals))
        else:
            lines.append(schema.record_sql(table, literals))
    return ";\n".join(lines) + ";\n"


# ---------------------------------------------------------------------------
# Instructions
# ---------------------------------------------------------------------------

class Instructions:
    """Counts what a run of pgbench makes the server do in user space.

    perf: of the postmaster and the processes that it starts meanwhile.
    callgrind: of the backend that did most of all that ended meanwhile.
    Either has some constant part, which the difference of two runs has not.
    """

    def __init__(self, method, work):
        self.method = method
        self.output = os.path.join(work, "perf")
        self.callgrind = os.path.join(work, "callgrind")
        self.at_rest = len(self.children())

    def children(self):
        """The postmaster's: with nobody but us connected, always as many."""
        with open(os.environ["BENCH_PIDFILE"], encoding="utf-8") as file:
            pid = file.readline().strip()
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            return file.read().split()

    def count(self, bench, variant, mode, calls):
        options = (variant, mode, "-t", str(calls), "--random-seed=1")
        if variant.before is not None:
            bench.sql(variant.before)
            self.rest()
        if self.method == "perf":
            with open(os.environ["BENCH_PIDFILE"], encoding="utf-8") as file:
                pid = file.readline().strip()
            bench.counted(*options, wrapper=(
                "perf", "stat", "-x,", "-o", self.output,
                "-e", "instructions:u", "-p", pid, "--"))
            with open(self.output, encoding="utf-8") as file:
                return int(re.search(r"^(\d+),", file.read(), re.M)[1])
        self.rest()
        before = set(self.ended())
        bench.counted(*options)
        self.rest()
        return max(total for path, total in self.ended().items()
                   if path not in before)

    def rest(self):
        """Until whoever has disconnected has written what it counted."""
        for _ in range(3000):
            if len(self.children()) <= self.at_rest:
                return
            time.sleep(0.1)
        raise RuntimeError("callgrind did not write what it counted")

    def ended(self):
        """Processes that have ended: what callgrind counted, by file."""
        totals = {}
        for path in glob.glob(os.path.join(self.callgrind, "*")):
            with open(path, encoding="utf-8", errors="replace") as file:
                found = re.search(r"^totals: (\d+)", file.read(), re.M)
            if found:
                totals[path] = int(found[1])
        return totals
