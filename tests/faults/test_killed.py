"""Runs killed at random moments: the same command then ends with the digests of a run that nobody disturbed.

`GENDSL_FAULTS=all pytest tests/faults/test_killed.py` (`make faults`) is the long form: 200 kills of the whole process
group and 20 of a worker alone. Runs are forked from a process that has imported everything: the moments fall into the
run and not into the start of Python.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gendsl_runtime.store import Store
from gendsl_runtime.store.inventory import damaged

IS_LONG = os.environ.get("GENDSL_FAULTS") == "all"
KILLS = {"1": 160, "2": 40} if IS_LONG else {"1": 3, "2": 1}
START = 4.0
"""Seconds in which a worker is at work, also on a busy machine."""
ALONE = 20 if IS_LONG else 1
SPEC = """
experiment killed { title = "A run that is killed" }
seeds 0..1
sweep width in [2, 3, 4]
dataset digits = sklearn_digits(train=300, test=200, seed=seed)
train fit {
    model = mlp(hidden=[width])
    dataset = digits
    optimizer = sgd(lr=0.1)
    batch = 20
    budget = 20 epochs
}
analysis gap = generalization_gap(fit)
analysis top = hessian_top(fit, count=1)
"""


SERVER = """
import json, os, sys
import torch
from gendsl_runtime.cli import main
import gendsl_runtime.run, gendsl_runtime.archive, gendsl_runtime.claims.decide, gendsl_runtime.execute.compute
import gendsl_runtime.report.render
for line in sys.stdin:
    asked = json.loads(line)
    if isinstance(asked, int):
        _, status = os.waitpid(asked, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
        continue
    child = os.fork()
    if child == 0:
        os.setsid()
        out = os.open(asked["told"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, handle in enumerate((nothing, out, out)):
            os.dup2(handle, number)
        os.chdir(asked["folder"])
        code = 99
        try:
            code = main(asked["words"])
        except SystemExit as end:
            code = end.code
        finally:
            sys.stderr.flush()
            sys.stdout.flush()
            os._exit(code)
    print(child, flush=True)
"""


class Server:
    """Forks runs."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", SERVER]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, what: object) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def begun(self, folder: Path, *options: str) -> Run:
        """`gen run` in a process group of its own."""
        (folder / "killed.gen").write_text(SPEC)
        words = ["run", "killed.gen", "--store", "store", *options]
        told = folder / "told"
        told.write_text("")  # may be read before the run has written anything
        return Run(self, self.ask({"folder": str(folder), "words": words, "told": str(told)}), told)


class Run:
    """A forked run."""

    def __init__(self, server: Server, pid: int, told: Path) -> None:
        self.server, self.pid, self.told = server, pid, told

    def code(self) -> int:
        return self.server.ask(self.pid)

    def ended(self) -> int:
        """Waits for the end; how many results were stored when it began, all of them where it says nothing."""
        code, text = self.code(), self.told.read_text()
        assert code == 0, text
        return stored(text) if "results stored" in text else sys.maxsize


def stored(error: str) -> int:
    found = re.search(r"([\d,]+) of [\d,]+ results stored", error)
    return int(found[1].replace(",", "")) if found else 0


def lock(folder: Path) -> object:
    (newest,) = sorted((folder / "store" / "runs").glob("killed-*/killed.lock"))[-1:]
    return json.loads(newest.read_text())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    assert made.process.stdin is not None
    made.process.stdin.close()
    made.process.wait()


@pytest.fixture(scope="module")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[object, float]:
    """The lock of a run that nobody disturbs, and how long that takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    server.begun(folder).ended()
    (folder / "store").rename(folder / "first")
    start = time.monotonic()
    server.begun(folder).ended()
    return lock(folder), time.monotonic() - start


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_that_is_killed_loses_nothing_that_was_finished(
    server: Server, tmp_path: Path, undisturbed: tuple[object, float], workers: str
) -> None:
    reference, seconds = undisturbed
    moments = random.Random(20_261_121 + int(workers))
    kept = recovered = 0
    for attempt in range(KILLS[workers]):
        running = server.begun(tmp_path, "--workers", workers)
        time.sleep(moments.uniform(0.0, 0.8) * (seconds + (START if workers == "2" else 0.0)))
        os.killpg(running.pid, signal.SIGKILL)
        running.code()
        before = stored(running.told.read_text())
        assert before == 0 or before >= kept, "something that was finished was computed again"
        kept = max(kept, before)
        if attempt % 5 == 4 or attempt == KILLS[workers] - 1:
            assert server.begun(tmp_path).ended() >= kept
            assert lock(tmp_path) == reference
            assert_clean(tmp_path / "store")
            (tmp_path / "store").rename(tmp_path / f"store-{attempt}")
            recovered += attempt % 5 + 1
            kept = 0
            print(
                f"{workers} workers: {attempt + 1} kills, {recovered} recovered, 0 results computed again",
                flush=True,
            )


def test_workers_that_are_killed_alone_are_replaced_or_told(
    server: Server, tmp_path: Path, undisturbed: tuple[object, float]
) -> None:
    reference, _ = undisturbed
    moments, hit = random.Random(20_261_124), 0
    for attempt in range(ALONE):
        running = server.begun(tmp_path, "--workers", "2")
        while not (found := children(running.pid)) and "computed" not in running.told.read_text():
            time.sleep(0.05)
        time.sleep(moments.uniform(0.0, 1.0) * START)
        for child in found[:1]:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
                hit += 1
        code, text = running.code(), running.told.read_text()
        assert code in (0, 3), text
        assert code == 0 or "worker-died" in text
        server.begun(tmp_path).ended()
        assert lock(tmp_path) == reference
        assert_clean(tmp_path / "store")
        (tmp_path / "store").rename(tmp_path / f"store-{attempt}")
    print(f"{hit} workers killed alone in {ALONE} runs, all recovered")


def children(parent: int) -> list[int]:
    """The processes that a process has started and that still run."""
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def assert_clean(store: Path) -> None:
    """Nothing of the dead is left, and everything stored is whole."""
    assert [
        path.name for path in (*store.glob("attempts-*"), *store.glob("tmp/*"), *store.glob("runs/.*"))
    ] == []
    with Store.open(store) as opened:
        assert damaged(opened) == []
