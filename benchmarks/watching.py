"""What it costs to watch a run: the record in the store, the terminal's view, the losses of each epoch.

`python benchmarks/watching.py [SPEC]` runs a spec once in a fresh store and compares processor times within that run.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from gendsl_runtime.cli.progress import REFRESH
from gendsl_runtime.cli.screen import screen
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.progress import journal, sofar
from gendsl_runtime.progress.live import Live
from gendsl_runtime.run import RunOptions, run
from gendsl_runtime.train import glimpse, loop

SPEC = Path(__file__).parents[1] / "specs" / "quickstart.gen"


class Viewer(Watch):
    """Draws as a terminal does, and adds up what that takes."""

    def __init__(self) -> None:
        self.console = Console(width=80, height=24, file=io.StringIO(), force_terminal=True)
        self.live: Live | None = None
        self.pictures, self.seconds = 0, 0.0

    def lives(self, live: Live) -> None:
        self.live = live

    def done(self, task, outcomes) -> None:
        start = time.thread_time()
        self.console.print(screen(self.live, width=80, height=23))
        self.seconds += time.thread_time() - start
        self.pictures += 1


def timed(owner: object, name: str) -> list[float]:
    """Replaces a function by one that notes the processor time of each call."""
    function, found = getattr(owner, name), []

    def called(*given, **more):
        start = time.thread_time()
        result = function(*given, **more)
        found.append(time.thread_time() - start)
        return result

    setattr(owner, name, called)
    return found


def main() -> None:
    spec = Path(sys.argv[1]) if sys.argv[1:] else SPEC
    writes = timed(journal.Journal, "_write")
    points = timed(loop, "point")
    told = timed(glimpse.Glimpses, "heard")
    looks = timed(sofar.SoFar, "verdicts")
    viewer = Viewer()
    with tempfile.TemporaryDirectory() as store:
        run(spec, RunOptions(store=Path(store) / "warm"), Watch())  # imports, caches, trials of speed
        for costs in (writes, points, told, looks):
            costs.clear()
        start, wall = time.process_time(), time.perf_counter()
        run(spec, RunOptions(store=Path(store) / "store"), viewer)
        whole, wall = time.process_time() - start, time.perf_counter() - wall
    print(f"{spec.name}: {whole:.1f} s of processor time in {wall:.1f} s")
    for what, costs in {
        "record in the store": writes,
        "losses of an epoch": points,
        "glimpses": told,
        "claims so far": looks,
    }.items():
        each = 1e6 * sum(costs) / max(1, len(costs))
        print(f"{what:24} {len(costs):6,} times, {each:9,.0f} µs each, {sum(costs) / whole:7.3%}")
    each = viewer.seconds / viewer.pictures
    print(
        f"{'view of a terminal':24} {REFRESH:6.0f} a second, {1e6 * each:5,.0f} µs each, {REFRESH * each:7.3%}"
    )


if __name__ == "__main__":
    main()
