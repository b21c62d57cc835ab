"""Several runs on one store: everything is computed once, and a run that dies or stands still holds nobody up."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gendsl_runtime.store import leases
from gendsl_runtime.store.leases import Leases

IS_LONG = os.environ.get("GENDSL_FAULTS") == "all"
SPEC = """
experiment shared { title = "Several runs of one spec" }
seeds 0..2
sweep width in [2, 3]
dataset moons = two_moons(train=40, test=20, noise=0.2, seed=seed)
train fit { model = mlp(hidden=[width]) dataset = moons optimizer = sgd(lr=0.1) batch = 20 budget = EPOCHS epochs }
analysis gap = generalization_gap(fit)
"""
NODES = 3 + 6 + 6
SHORT, LONG = "5", "4000"
SECONDS = 100.0
KEYS = [bytes([number]) * 32 for number in range(5)]


def test_a_key_is_held_by_one(tmp_path: Path) -> None:
    one, two = Leases(tmp_path), Leases(tmp_path)
    assert one.claim(KEYS[:3]) == {}
    taken = two.claim(KEYS[1:4])
    assert set(taken) == set(KEYS[1:3]) and {holder.pid for holder in taken.values()} == {os.getpid()}
    assert one.claim(KEYS[:3]) == {}  # one's own
    assert set(one.held(KEYS)) == {KEYS[3]}
    one.release(KEYS[:2])
    assert set(two.claim(KEYS[:3])) == {KEYS[2]}
    one.close()
    assert two.held(KEYS) == {} and two.claim(KEYS) == {}
    two.close()
    assert [path.name for path in (tmp_path / "leases").glob("run-*")] == []


def test_a_run_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from gendsl_runtime.store.leases import Leases;"
        "Leases(Path(sys.argv[1])).claim([bytes([1]) * 32]); print('held', flush=True); time.sleep(100)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    mine = Leases(tmp_path)
    assert [holder.pid for holder in mine.claim(KEYS[:3]).values()] == [other.pid]
    other.kill()
    other.wait()
    assert mine.held(KEYS) == {} and mine.claim(KEYS) == {}
    mine.close()


def test_a_run_without_a_sign_of_life_is_waited_for_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own clock the waiting run counts, so it does not matter what the time of the day does."""
    now = [0.0]
    monkeypatch.setattr(leases.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(leases.time, "time", lambda: 1e9 - now[0])  # and goes backwards
    still, mine = Leases(tmp_path), Leases(tmp_path)
    still.claim(KEYS)
    assert set(mine.claim(KEYS)) == set(KEYS)
    now[0] = leases.EXPIRES - 1
    assert set(mine.claim(KEYS)) == set(KEYS)
    still._index.execute("UPDATE runners SET beat = beat + 1 WHERE name = ?", [still._name])  # type: ignore[union-attr]
    now[0] = leases.EXPIRES + 1
    assert set(mine.claim(KEYS)) == set(KEYS)  # it lives
    now[0] = 2 * leases.EXPIRES + 2
    assert mine.claim(KEYS) == {} and set(still.claim(KEYS)) == set(KEYS)
    still.close()
    mine.close()


@pytest.mark.parametrize("damage", ["no database", "a folder"])
def test_leases_that_cannot_be_kept_hold_nobody_up(tmp_path: Path, damage: str) -> None:
    place = tmp_path / "leases" / "held.sqlite"
    if damage == "a folder":
        place.mkdir(parents=True)
    else:
        place.parent.mkdir()
        place.write_bytes(b"\xff" * 8192)
    one, two = Leases(tmp_path), Leases(tmp_path)
    assert one.claim(KEYS) == {}
    assert set(two.claim(KEYS)) == (set(KEYS) if damage == "no database" else set())
    one.close()
    two.close()


def begun(folder: Path, name: str, *options: str, epochs: str = SHORT) -> subprocess.Popen[str]:
    """A run that takes others for dead after two seconds."""
    (folder / "shared.gen").write_text(SPEC.replace("EPOCHS", epochs))
    code = (
        "import sys; from gendsl_runtime.store import leases; leases.EXPIRES = 2.0;"
        "from gendsl_runtime.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "run", "shared.gen", "--store", "store", *options]
    with (folder / f"{name}.err").open("w") as told:
        return subprocess.Popen(
            command, cwd=folder, stdout=told, stderr=told, text=True, start_new_session=True
        )


def finished(folder: Path, *running: subprocess.Popen[str]) -> None:
    for one in running:
        one.wait(timeout=SECONDS)
    told = {path.name: path.read_text() for path in folder.glob("*.err")}
    assert [one.returncode for one in running] == [0] * len(running), told


def computed(folder: Path) -> int:
    """Nodes that were computed, over the records of all runs."""
    records = [json.loads(path.read_text())["record"] for path in folder.glob("store/runs/*/results.json")]
    return sum(step["computed"] for record in records for step in record["steps"])


def locks(folder: Path) -> set[str]:
    return {path.read_text() for path in folder.glob("store/runs/*/shared.lock")}


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.02)


def is_holding(folder: Path) -> Callable[[], bool]:
    """Whether a stack of trainings is leased."""

    def found() -> bool:
        place = folder / "store/leases/held.sqlite"
        if not place.exists():
            return False
        try:
            with sqlite3.connect(f"file:{place}?mode=ro", uri=True) as index:
                return bool(index.execute("SELECT count(*) FROM leases").fetchone()[0] == 3)
        except sqlite3.Error:
            return False

    return found


@pytest.mark.parametrize("runners", [2, 8] if IS_LONG else [2])
def test_runs_at_once_compute_everything_once(tmp_path: Path, runners: int) -> None:
    options = [("--workers", "2") if number == 1 else () for number in range(runners)]
    finished(tmp_path, *[begun(tmp_path, f"r{number}", *given) for number, given in enumerate(options)])
    assert computed(tmp_path) == NODES
    assert len(locks(tmp_path)) == 1


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_run_that_waits_takes_over(tmp_path: Path, how: str) -> None:
    first = begun(tmp_path, "first", epochs=LONG)
    until(is_holding(tmp_path))
    second = begun(tmp_path, "second", epochs=LONG)
    waits = lambda: f"waiting for another run: pid {first.pid} since" in (tmp_path / "second.err").read_text()  # noqa: E731
    until(lambda: waits() or first.poll() is not None)
    if first.poll() is not None:
        pytest.skip("the first run was at its end before the second one began")
    os.killpg(first.pid, signal.SIGKILL if how == "killed" else signal.SIGSTOP)
    with sqlite3.connect(f"file:{tmp_path / 'store/index.sqlite'}?mode=ro", uri=True) as index:
        kept = index.execute("SELECT count(*) FROM results").fetchone()[0]
    finished(tmp_path, second)
    if how == "killed":
        first.wait()
        assert computed(tmp_path) == NODES - kept  # what the dead one had finished is used
    else:
        os.killpg(first.pid, signal.SIGCONT)
        finished(tmp_path, first)  # commits what is there already, and nothing breaks
        assert computed(tmp_path) <= NODES + 6
    assert len(locks(tmp_path)) == 1
