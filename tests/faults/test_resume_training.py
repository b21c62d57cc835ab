"""Trainings that are killed in their middle: the same command ends with the digests of a run nobody disturbed.

`GENDSL_KILLS` is the number of kills of the long form (`make faults`).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gendsl_runtime.store.checkpoints import Checkpoints

KILLS = int(os.environ.get("GENDSL_KILLS", "1"))
SECONDS = 60.0
SPEC = """
experiment slow { title = "A training that is killed" }
seeds 0..3
sweep lr in [0.01, 0.1]
dataset moons = two_moons(train=300, test=40, noise=0.2, seed=seed)
train fit {
    model = mlp(hidden=[8], dropout=20%, norm=batch)
    dataset = moons
    optimizer = sam(base=adam(lr=lr, schedule=cosine))
    batch = 10
    budget = 610 steps
    checkpoints = [1 epochs, 15 epochs]
}
analysis gap = generalization_gap(fit)
"""
EAGER = """
import os, sys, time
if "gendsl_runtime.execute.worker" in " ".join(sys.orig_argv) or "gendsl_runtime.cli" in " ".join(sys.orig_argv):
    import gendsl_runtime
    from gendsl_runtime.train import checkpoint
    from gendsl_runtime.train.stack import Stack
    checkpoint.INTERVAL, checkpoint.SHARE, checkpoint.PACE = 0.1, 0.5, 1e12
    run = Stack.run
    def slow(stack, end, *, pause):
        def paused():
            time.sleep(0.001)
            return pause()
        before = stack.steps
        with open(os.environ["STRETCHES"], "a") as file:
            file.write(f"{len(stack.members)} {before}\\n")
        run(stack, end, pause=paused)
    Stack.run = slow
"""
"""Checkpoints every tenth of a second, steps of a millisecond at least, and a note of where stretches begin."""


def begun(folder: Path, *options: str) -> subprocess.Popen[str]:
    """`gen run` in a process group of its own."""
    (folder / "slow.gen").write_text(SPEC)
    (folder / "sitecustomize.py").write_text(EAGER)
    code = "import sys; from gendsl_runtime.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "run", "slow.gen", "--store", "store", *options]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(folder),
        "STRETCHES": str(folder / "stretches"),
    }
    return subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ended(running: subprocess.Popen[str]) -> str:
    _, error = running.communicate(timeout=SECONDS)
    assert running.returncode == 0, error
    return error


def first_steps(folder: Path) -> list[int]:
    """Where the stretches of training began since the last time this was asked."""
    path = folder / "stretches"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [int(line.split()[1]) for line in lines]


def digests(folder: Path) -> object:
    (newest,) = sorted((folder / "store" / "runs").glob("slow-*/slow.lock"))[-1:]
    return json.loads(newest.read_text())


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.01)


def steps(folder: Path) -> int:
    """The most steps that any checkpoint has."""
    return max((slot.steps for slot in Checkpoints(folder / "store").slots()), default=0)


def killed(running: subprocess.Popen[str], folder: Path, reached: int, seconds: float) -> bool:
    """Kills a run some time after it came so far; whether it was still there."""
    until(lambda: steps(folder) > reached or running.poll() is not None)
    time.sleep(seconds)
    is_there = running.poll() is None
    if is_there:
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    return is_there


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("undisturbed")
    ended(begun(folder))
    assert not list((folder / "store" / "checkpoints").iterdir())
    return digests(folder)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_at_random_moments(tmp_path: Path, undisturbed: object, workers: str) -> None:
    """Each life begins where a checkpoint of the one before ended, and no checkpoint is lost."""
    chance = random.Random(int(workers))
    behind, lives, rounds = 0, 0, 0
    while lives < KILLS:
        running = begun(tmp_path, "--workers", workers)
        lives += killed(running, tmp_path, steps(tmp_path) + chance.randint(1, 100), chance.uniform(0, 0.15))
        starts = first_steps(tmp_path)
        assert behind == 0 or not starts or max(starts[: int(workers)]) >= behind
        behind = steps(tmp_path)
        if running.returncode == 0:
            assert digests(tmp_path) == undisturbed
            (tmp_path / "store").rename(tmp_path / f"store-{rounds}")
            behind, rounds = 0, rounds + 1
    ended(begun(tmp_path))
    assert behind == 0 or min(first_steps(tmp_path)) > 0
    assert digests(tmp_path) == undisturbed
    assert not list((tmp_path / "store" / "checkpoints").iterdir())


def truncated(slots: list[Path]) -> None:
    slots[0].write_bytes(slots[0].read_bytes()[: slots[0].stat().st_size // 2])


def flipped(slots: list[Path]) -> None:
    """One bit in the middle, with the times it had."""
    content, times = bytearray(slots[0].read_bytes()), slots[0].stat()
    content[len(content) // 2] ^= 4
    slots[0].write_bytes(content)
    os.utime(slots[0], ns=(times.st_atime_ns, times.st_mtime_ns))


def deleted(slots: list[Path]) -> None:
    slots[0].unlink()


def both(slots: list[Path]) -> None:
    truncated(slots)
    flipped(slots[1:])


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a run that was killed when it had written both slots."""
    folder = tmp_path_factory.mktemp("half")
    running = begun(folder)
    until(lambda: len(Checkpoints(folder / "store").slots()) == 2)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    return folder / "store"


@pytest.mark.parametrize("harm", [truncated, flipped, deleted, both])
def test_a_slot_that_is_damaged(
    tmp_path: Path, undisturbed: object, half_done: Path, harm: Callable[[list[Path]], None]
) -> None:
    shutil.copytree(half_done, tmp_path / "store")
    slots = sorted(Checkpoints(tmp_path / "store").slots(), key=lambda slot: -slot.steps)
    harm([slot.path for slot in slots])
    ended(begun(tmp_path))
    assert first_steps(tmp_path)[0] == (0 if harm is both else slots[1].steps)
    assert digests(tmp_path) == undisturbed


@pytest.mark.parametrize(("workers", "number"), [("1", signal.SIGTERM), ("2", signal.SIGINT)])
def test_asked_to_end(tmp_path: Path, undisturbed: object, workers: str, number: signal.Signals) -> None:
    """The step it is in becomes the last; other workers, or other company, go on from there."""
    running = begun(tmp_path, "--workers", workers)
    until(lambda: steps(tmp_path) > 50)
    before = steps(tmp_path)
    os.kill(running.pid, number)
    _, error = running.communicate(timeout=SECONDS)
    assert running.returncode == 130 and "Traceback" not in error
    assert "8 trainings are kept at " in error.splitlines()[-1]
    first_steps(tmp_path)
    assert steps(tmp_path) >= before
    ended(begun(tmp_path, "--workers", "2" if workers == "1" else "1"))
    assert min(first_steps(tmp_path)) >= 50 * (workers == "1")
    assert digests(tmp_path) == undisturbed


def test_asked_twice(tmp_path: Path, undisturbed: object) -> None:
    running = begun(tmp_path, "--workers", "2")
    until(lambda: steps(tmp_path) > 0)
    for _ in range(3):
        os.kill(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=SECONDS)
    assert running.returncode == 130 and "Traceback" not in error
    first_steps(tmp_path)
    ended(begun(tmp_path))
    assert max(first_steps(tmp_path)[:1]) > 0
    assert digests(tmp_path) == undisturbed
