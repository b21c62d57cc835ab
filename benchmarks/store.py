"""Keeping and finding results: a batch and a query for a whole plan, beside a file and a row for each result.

`python benchmarks/store.py`: CPU seconds of whole commands where nothing or everything is to be computed, with
`--peers FOLDER` beside the same of doit, redun and Snakemake, which are installed into an environment there; then
the store alone, wall clock. `--parts store` or `--parts commands` does one of the two.

The baseline writes each result to a file of its own and its row in a
transaction of its own, with a connection opened for each, and asks for each key by itself: as build tools do
that open their database in every step.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import venv
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


STEPS = (5, 200, 1_000, 10_000)
FEW = 1_000
"""The most steps that a peer is asked for."""
SPEC = """
experiment many {{ title = "Many trivial steps" }}
seeds 0..{last}
dataset moons = two_moons(train=4, test=2)
train fit {{
    model = linear()
    dataset = moons
    optimizer = sgd(lr=0.1)
    batch = 4
    budget = 1 steps
}}
analysis size = parameter_count(fit)
"""
"""A dataset, a training of one step for each seed, and an analysis of each."""

DOIT = """
from pathlib import Path

def task_step():
    for n in range({count}):
        yield {{"name": str(n), "targets": [f"out/{{n}}"], "file_dep": ["dodo.py"],
               "actions": [(lambda n: Path(f"out/{{n}}").write_text(str(n)) and None, [n])]}}
"""
REDUN = """
from redun import task
redun_namespace = "bench"

@task()
def step(n: int) -> int:
    return n + 1

@task()
def main() -> list[int]:
    return [step(n) for n in range({count})]
"""
SNAKEMAKE = """
rule all:
    input: expand("out/{{n}}", n=range({count}))
rule step:
    output: "out/{{n}}"
    run:
        with open(output[0], "w") as file: file.write(wildcards.n)
"""


def cpu(command: list[str], folder: Path) -> float:
    """CPU seconds of a command and everything it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GENDSL_STORE": str(folder / ".gendsl")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 2):
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def gendsl(count: int, folder: Path, environment: Path | None) -> list[float]:
    """A plan with an empty store, the first run, the second one, a plan with a full store."""
    (folder / "many.gen").write_text(SPEC.format(last=max(0, (count - 1) // 2 - 1)))
    program = str(Path(sys.executable).with_name("gen"))
    plan = [program, "plan", "many.gen", "--max-runs", "100000"]
    run = [program, "run", "many.gen", "--max-runs", "100000"]
    empty, first = cpu(plan, folder), cpu(run, folder)
    second, full = (
        statistics.median(cpu(command, folder) for _ in range(REPEATS)) for command in (run, plan)
    )
    return [first, second, empty, full]


def doit(count: int, folder: Path, environment: Path | None) -> list[float]:
    (folder / "dodo.py").write_text(DOIT.format(count=count))
    (folder / "out").mkdir()
    return _peer([str(environment / "bin" / "doit"), "-v0"] if environment else [], folder)


def redun(count: int, folder: Path, environment: Path | None) -> list[float]:
    (folder / "flow.py").write_text(REDUN.format(count=count))
    return _peer(
        [str(environment / "bin" / "redun"), "run", "flow.py", "main"] if environment else [], folder
    )


def snakemake(count: int, folder: Path, environment: Path | None) -> list[float]:
    (folder / "Snakefile").write_text(SNAKEMAKE.format(count=count))
    command = [str(environment / "bin" / "snakemake"), "--cores", "1", "--quiet"] if environment else []
    # Its jobs are processes that take a second each, so its results are made by hand and taken over.
    (folder / "out").mkdir()
    for n in range(count):
        (folder / "out" / str(n)).write_text(str(n))
    cpu([*command, "--touch"], folder)
    return [float("nan"), statistics.median(cpu(command, folder) for _ in range(REPEATS))]


def _peer(command: list[str], folder: Path) -> list[float]:
    return [cpu(command, folder), statistics.median(cpu(command, folder) for _ in range(REPEATS))]


def commands(peers: Path | None, most: int) -> None:
    """Whole commands, in CPU seconds."""
    ways = [("gendsl", gendsl)]
    if peers is not None:
        if not (peers / "bin" / "doit").exists():
            venv.create(peers, with_pip=True)
            subprocess.run([peers / "bin" / "pip", "install", "-q", "doit", "redun", "snakemake"], check=True)
        ways += [("doit", doit), ("redun", redun), ("snakemake", snakemake)]
    print(
        f"{'CPU seconds':<12}{'steps':>8}{'first run':>11}{'second':>9}{'plan, empty':>13}{'plan, full':>12}"
    )
    for name, way in ways:
        firsts = {}
        for count in [count for count in STEPS if count <= (most if name == "gendsl" else min(FEW, most))]:
            with tempfile.TemporaryDirectory() as folder:
                cost = way(count, Path(folder), peers)
            firsts[count] = cost[0]
            print(
                f"{name:<12}{count:>8,}" + "".join(f"{c:>{w}.2f}" for c, w in zip(cost, (11, 9, 13, 12))),
                flush=True,
            )
        few, many = min(firsts), max(firsts)
        if many > few and firsts[many] == firsts[many]:
            print(
                f"{name:<12}{1e3 * (firsts[many] - firsts[few]) / (many - few):.2f} ms a step of the first run"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", choices=("all", "commands", "store"), default="all")
    parser.add_argument(
        "--peers", type=Path, metavar="FOLDER", help="an environment for the peers, made there if new"
    )
    parser.add_argument("--most", type=int, default=STEPS[-1], metavar="N", help="no more steps than this")
    options = parser.parse_args()
    if options.parts != "store":
        commands(options.peers and options.peers.absolute(), options.most)
    if options.parts != "commands":
        alone()


def alone() -> None:
    """The store by itself, in wall clock."""
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
