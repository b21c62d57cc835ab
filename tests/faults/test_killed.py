"""Runs killed at random moments: the same command then ends with the digests of a run that nobody disturbed.

`GENDSL_KILLS=200 pytest tests/faults/test_killed.py` (`make faults`) is the long form.
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
from pathlib import Path

import pytest

from gendsl_runtime.store import Store
from gendsl_runtime.store.inventory import damaged

KILLS = int(os.environ.get("GENDSL_KILLS", "1"))
SPEC = """
experiment killed { title = "A run that is killed" }
seeds 0..3
sweep width in [2, 3, 4, 5, 6, 7]
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


def begun(folder: Path, *options: str) -> subprocess.Popen[str]:
    """`gen run` in a process group of its own."""
    (folder / "killed.gen").write_text(SPEC)
    code = "import sys; from gendsl_runtime.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "run", "killed.gen", "--store", "store", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ended(running: subprocess.Popen[str]) -> int:
    """Waits for the end of a run; how many results were stored when it began, all of them where it says nothing."""
    _, error = running.communicate(timeout=300)
    assert running.returncode == 0, error
    return stored(error) if "results stored" in error else sys.maxsize


def stored(error: str) -> int:
    found = re.search(r"([\d,]+) of [\d,]+ results stored", error)
    return int(found[1].replace(",", "")) if found else 0


def lock(folder: Path) -> object:
    (newest,) = sorted((folder / "store" / "runs").glob("killed-*/killed.lock"))[-1:]
    return json.loads(newest.read_text())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, float]:
    """The lock of a run that nobody disturbs, and how long that takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    start = time.monotonic()
    ended(begun(folder))
    return lock(folder), time.monotonic() - start


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_that_is_killed_loses_nothing_that_was_finished(
    tmp_path: Path, undisturbed: tuple[object, float], workers: str
) -> None:
    reference, seconds = undisturbed
    moments = random.Random(20_261_121 + int(workers))
    kept = 0
    for attempt in range(KILLS):
        running = begun(tmp_path, "--workers", workers)
        time.sleep(moments.uniform(0.2, 1.0) * seconds)
        os.killpg(running.pid, signal.SIGKILL)
        _, error = running.communicate()
        before = stored(error)
        assert before == 0 or before >= kept, "something that was finished was computed again"
        kept = max(kept, before)
        if attempt % 5 == 4 or attempt == KILLS - 1:
            assert ended(begun(tmp_path)) >= kept
            assert lock(tmp_path) == reference
            assert_clean(tmp_path / "store")
            (tmp_path / "store").rename(tmp_path / f"store-{attempt}")
            kept = 0


def test_workers_that_are_killed_alone_are_replaced_or_told(
    tmp_path: Path, undisturbed: tuple[object, float]
) -> None:
    reference, seconds = undisturbed
    running = begun(tmp_path, "--workers", "2")
    time.sleep(0.7 * seconds)
    for child in children(running.pid)[:1]:
        os.kill(child, signal.SIGKILL)
    _, error = running.communicate(timeout=300)
    assert running.returncode in (0, 3), error
    assert running.returncode == 0 or "worker-died" in error
    ended(begun(tmp_path))
    assert lock(tmp_path) == reference
    assert_clean(tmp_path / "store")


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
