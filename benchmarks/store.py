"""Keeping and finding results: a batch and a query for a whole plan, beside a file and a row for each result.

`python benchmarks/store.py`. The baseline writes each result to a file of its own and its row in a
transaction of its own, with a connection opened for each, and asks for each key by itself: as build tools do
that open their database in every step.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from gendsl_runtime.store import Entry, Store

REPEATS = 3
SMALL, LARGE = 2_000, 4_000_000
PLAIN = 1_000
"""Results in the baseline, which is slow."""


def entry(number: int, size: int) -> Entry:
    payload = sha256(b"%d" % number).digest() * (size // 32)
    recipe, action = (sha256(b"%d %s" % (number, domain)).digest() for domain in (b"recipe", b"action"))
    return Entry(recipe, action, payload, kind="analysis", component="accuracy", seconds=1.0)


def ours(folder: Path, entries: list[Entry]) -> tuple[float, float, float]:
    """Seconds to commit, to look up and to read everything."""
    with Store.open(folder / "store") as store:
        start = perf_counter()
        store.commit(entries)
        committed = perf_counter()
    with Store.open(folder / "store") as store:
        begun = perf_counter()
        found = store.lookup(e.recipe_key for e in entries)
        looked_up = perf_counter()
        for digest in found.values():
            store.read(digest)
        return committed - start, looked_up - begun, perf_counter() - looked_up


def plain(folder: Path, entries: list[Entry]) -> tuple[float, float, float]:
    """The same with a connection, a transaction and a file for each result."""
    file = folder / "index.sqlite"
    with closing(sqlite3.connect(file)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE keys (key BLOB PRIMARY KEY, digest TEXT)")
    start = perf_counter()
    for one in entries:
        digest = sha256(one.payload).hexdigest()
        with (folder / f"{digest}.tmp").open("wb") as out:
            out.write(one.payload)
            out.flush()
            os.fsync(out.fileno())
        (folder / f"{digest}.tmp").rename(folder / digest)
        with closing(sqlite3.connect(file)) as index, index:
            index.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (one.recipe_key, digest))
    committed = perf_counter()
    found = []
    for one in entries:
        with closing(sqlite3.connect(file)) as index:
            query = "SELECT digest FROM keys WHERE key = ?"
            found.append(index.execute(query, (one.recipe_key,)).fetchone()[0])
    looked_up = perf_counter()
    for digest in found:
        if sha256((folder / digest).read_bytes()).hexdigest() != digest:
            raise ValueError(digest)
    return committed - start, looked_up - committed, perf_counter() - looked_up


def main() -> None:
    cases = [
        ("gendsl store", ours, 1_000, SMALL),
        ("gendsl store", ours, 10_000, SMALL),
        ("gendsl store", ours, 100_000, SMALL),
        ("gendsl store", ours, 50, LARGE),
        ("file and row each", plain, PLAIN, SMALL),
        ("file and row each", plain, 50, LARGE),
    ]
    print(f"{'us a result':<20}{'results':>10}{'bytes':>12}{'commit':>10}{'look up':>10}{'read':>10}")
    for name, way, number, size in cases:
        entries = [entry(k, size) for k in range(number)]
        runs = []
        for _ in range(REPEATS):
            with tempfile.TemporaryDirectory() as folder:
                runs.append(way(Path(folder), entries))
        cost = [statistics.median(column) / number * 1e6 for column in zip(*runs)]
        print(f"{name:<20}{number:>10,}{size:>12,}" + "".join(f"{value:>10.1f}" for value in cost))


if __name__ == "__main__":
    main()
