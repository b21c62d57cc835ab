"""Ctrl-C and workers that are killed: one line, no process and no half result left, and the run goes on later."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SPEC = """
seeds 0..1
dataset moons = two_moons(train=200, test=40, noise=0.2, seed=seed)
train fit { model = mlp(hidden=[8]) dataset = moons optimizer = sgd(lr=0.01) batch = 1 budget = BUDGET epochs }
train wide extends fit { model = mlp(hidden=[16]) }
analysis gap = generalization_gap(fit)
analysis other = generalization_gap(wide)
"""
LONG, SHORT = "100000", "1"
SECONDS = 30.0


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "t.gen"
    path.write_text(SPEC.replace("BUDGET", LONG))
    return path


def started(spec: Path, *, workers: int) -> subprocess.Popen[str]:
    code = "import sys; from gendsl_runtime.cli import main; sys.exit(main())"
    store = str(spec.parent / "st")
    command = [sys.executable, "-c", code, "run", str(spec), "--store", store, "--workers", str(workers)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.02)


def is_training(spec: Path) -> Callable[[], bool]:
    """Whether both datasets are kept, so that trainings are under way."""
    import sqlite3

    def found() -> bool:
        try:
            with sqlite3.connect(f"file:{spec.parent / 'st/index.sqlite'}?mode=ro", uri=True) as index:
                return bool(index.execute("SELECT count(*) FROM results").fetchone()[0] == 2)
        except sqlite3.Error:
            return False

    return found


def children(pid: int) -> list[int]:
    """The worker processes of a run."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        pytest.skip("this system does not say which processes another one started")
    return [int(word) for word in text.split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run(spec: Path, workers: int) -> None:
    run = started(spec, workers=workers)
    until(is_training(spec))
    time.sleep(0.2)
    helpers = children(run.pid)
    assert len(helpers) == (workers if workers > 1 else 0)
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=SECONDS)
    assert run.returncode == 130 and out == ""
    # On a busy machine no training may have begun yet.
    assert re.fullmatch(
        r"stopped; what was finished is kept, (\d trainings are kept at 0% of the way, )?"
        "the same command goes on from there",
        "\n".join(err.splitlines()[1:]),
    )
    assert not any(map(is_alive, helpers))
    store = spec.parent / "st"
    assert list(store.glob("attempts-*")) == [] and list((store / "runs").glob("*")) == []
    if workers > 1:
        return  # how it goes on does not depend on who began
    spec.write_text(SPEC.replace("BUDGET", SHORT))
    again = started(spec, workers=1)
    out, err = again.communicate(timeout=SECONDS)
    assert again.returncode == 0 and "2 of 10 results stored" in err and "8 computed" in out


def test_a_worker_that_is_killed(spec: Path) -> None:
    run = started(spec, workers=2)
    until(is_training(spec))
    time.sleep(0.2)
    helpers = children(run.pid)
    for helper in helpers:
        os.kill(helper, signal.SIGKILL)
    _, err = run.communicate(timeout=SECONDS)
    assert run.returncode == 3 and "Traceback" not in err
    assert "[worker-died]: the worker process ended by SIGKILL" in err
    assert not list((spec.parent / "st").glob("attempts-*"))
