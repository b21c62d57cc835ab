"""What a second worker gains: wall clock of whole specs with one process and with `--workers N`.

    python benchmarks/workers.py [--workers 2] [SPEC ...]

Each run is a process of its own with an empty store. `busy` is the share of the workers' time that is spent on
tasks, from the first one to the last: what is left is waiting, for a start or for work. On a machine that does other
things at the same time the ratio of wall clocks says little; `if quiet` is workers * busy * (CPU seconds of one
process / CPU seconds of all), the ratio to expect where every process has a core.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPECS = ("specs/scaling/double_descent.gen", "specs/minima/flat_minima.gen")


def child(spec: str, workers: int) -> None:
    """Runs a spec; prints wall seconds, and for each task the seconds it took and when it ended."""
    from time import perf_counter

    from gendsl_runtime.execute import schedule
    from gendsl_runtime.run import RunOptions, run

    ended: list[tuple[float, float]] = []
    commit = schedule.Scheduler._commit

    def noted(self, batch, outcomes, seconds):
        ended.append((perf_counter() - start, seconds))
        commit(self, batch, outcomes, seconds)

    schedule.Scheduler._commit = noted
    with tempfile.TemporaryDirectory() as store:
        start = perf_counter()
        run(spec, RunOptions(store=Path(store), workers=workers))
        wall = perf_counter() - start
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in used)
    print(json.dumps({"wall": wall, "cpu": cpu, "tasks": ended}))


def measured(spec: str, workers: int) -> dict:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--child", str(workers), spec]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=os.environ)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("specs", nargs="*", default=SPECS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--child", type=int)
    given = parser.parse_args()
    if given.child:
        child(given.specs[0], given.child)
        return
    print("| spec | 1 process: s | CPU s | workers | s | CPU s | ratio | busy | if quiet |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    for spec in given.specs:
        alone, shared = measured(spec, 1), measured(spec, given.workers)
        tasks = shared["tasks"]
        first = min(end - seconds for end, seconds in tasks)
        span = max(end for end, _ in tasks) - first
        busy = sum(seconds for _, seconds in tasks) / (given.workers * span)
        ratio = alone["wall"] / shared["wall"]
        quiet = given.workers * busy * alone["cpu"] / shared["cpu"]
        print(
            f"| {Path(spec).stem} | {alone['wall']:.1f} | {alone['cpu']:.1f} "
            f"| {given.workers} | {shared['wall']:.1f} | {shared['cpu']:.1f} "
            f"| {ratio:.2f} | {busy:.0%} | {quiet:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
