"""Damage between two runs, a clock that is set back, faults inside a stack.

The same command ends with the digests of an undisturbed run or with a diagnostic, and computes nothing without need.
`GENDSL_FAULTS=all` damages every stored result in every way. Components of the user's that raise, hang or return
something wrong are tested in `tests/runtime/test_python_workers.py`, stacks that do not fit in
`tests/runtime/test_schedule.py`.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gendsl_runtime.problem import Problem
from gendsl_runtime.run import Finished, RunOptions, run
from gendsl_runtime.store import Store, index
from gendsl_runtime.store.inventory import damaged
from gendsl_runtime.store.leases import Leases

IS_LONG = os.environ.get("GENDSL_FAULTS") == "all"
SPEC = """
experiment damaged { title = "Results that are damaged" }
seeds 0..1
sweep lr in [0.01, 0.1]
dataset digits = sklearn_digits(train=1000, test=500, seed=seed)
train fit { model = mlp(hidden=[4]) dataset = digits optimizer = sgd(lr=lr) batch = 100 budget = 1 epochs }
analysis gap = generalization_gap(fit)
"""
NODES = 2 + 4 + 4


def carried_out(folder: Path, spec: str = SPEC) -> Finished:
    path = folder / "damaged.gen"
    path.write_text(spec)
    return run(path, RunOptions(store=folder / "store"))


def told(finished: Finished) -> tuple[list[str], int]:
    """The digest of each step, and how many nodes were computed."""
    record = finished.results.record
    assert record is not None
    return [step.digest for step in record.steps], sum(step.computed for step in record.steps)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A store after a run that nobody disturbed, without its report, and the digests of the run."""
    folder = tmp_path_factory.mktemp("kept")
    digests, computed = told(carried_out(folder))
    assert computed == NODES
    shutil.rmtree(folder / "store" / "runs")
    return folder / "store", digests


@pytest.fixture
def copied(kept: tuple[Path, list[str]], tmp_path: Path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        shutil.copytree(kept[0], tmp_path / name / "store")
        return tmp_path / name

    return copy


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def harm(store: Path, digest: bytes, how: str, chance: random.Random) -> None:
    """Damages a stored result, in its file or in the index."""
    path = store / "objects" / digest.hex()[:2] / digest.hex()
    if path.exists():
        content, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
        if how == "deleted":
            path.unlink()
            return
        place = chance.randrange(len(content))
        path.chmod(0o644)
        path.write_bytes(content[:place] if how == "truncated" else flipped(content, place))
        os.utime(path, ns=times)
        return
    with sqlite3.connect(store / "index.sqlite") as rows:
        (content,) = rows.execute("SELECT data FROM blobs WHERE digest = ?", [digest]).fetchone()
        place = chance.randrange(len(content))
        new = {"truncated": content[:place], "deleted": None, "flipped": flipped(content, place)}[how]
        rows.execute("UPDATE blobs SET data = ? WHERE digest = ?", [new, digest])
    rows.close()


@pytest.mark.parametrize("how", ["truncated", "flipped", "deleted"])
def test_any_result_that_is_damaged(
    how: str, kept: tuple[Path, list[str]], copied: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(kept[0] / "index.sqlite") as rows:
        digests = [digest for (digest,) in rows.execute("SELECT digest FROM blobs ORDER BY size, digest")]
    rows.close()
    assert len(digests) == NODES
    chance, again = random.Random(how), 0
    for digest in digests if IS_LONG else [digests[0], digests[NODES // 2], digests[-1]]:
        folder = copied(digest.hex()[:8])
        harm(folder / "store", digest, how, chance)
        found, computed = told(carried_out(folder))
        assert found == kept[1]
        assert (
            computed <= 1
        )  # the damaged one; not even that where nothing read it, as data whose runs are stored
        said = capfd.readouterr().err.count("is damaged or missing; it is computed again")
        assert said == computed
        with Store.open(folder / "store", warn=lambda text: None) as store:
            left = damaged(store)
            assert left == [] or (how == "flipped" and computed == 0)
        again += computed
        shutil.rmtree(folder)
    with capfd.disabled():
        print(f"results {how}: {again} computed again, one each")


@pytest.mark.parametrize("how", ["truncated", "deleted", "zeroed", "in the middle"])
def test_an_index_that_is_damaged(
    how: str, kept: tuple[Path, list[str]], copied: Callable[[str], Path]
) -> None:
    folder = copied("t")
    place = folder / "store" / "index.sqlite"
    for other in folder.glob("store/index.sqlite-*"):
        other.unlink()
    content = place.read_bytes()
    match how:
        case "truncated":
            place.write_bytes(content[: len(content) // 2])
        case "deleted":
            place.unlink()
        case "zeroed":
            place.write_bytes(bytes(len(content)))
        case _:
            place.write_bytes(content[:8192] + bytes(4096) + content[12288:])
    try:
        found, computed = told(carried_out(folder))
    except Problem as problem:
        assert problem.code == "store-damaged" and problem.help and "gen cache reindex" in problem.help
        from gendsl_runtime.cli import main

        assert main(["cache", "reindex", "--store", str(folder / "store")]) == 0
        found, computed = told(carried_out(folder))
    assert found == kept[1] and computed == 0


LOCKED = """
import sqlite3, sys, time
index = sqlite3.connect(sys.argv[1], isolation_level=None)
index.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("seconds", [1.0, 100.0])
def test_an_index_that_another_process_keeps_locked(
    seconds: float, copied: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied("t")
    monkeypatch.setattr(index, "BUSY_SECONDS", 3.0)
    more = SPEC.replace("[0.01, 0.1]", "[0.01, 0.1, 0.2]")
    command = [sys.executable, "-c", LOCKED, str(folder / "store/index.sqlite"), str(seconds)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "locked\n"
    if seconds < 3.0:
        assert told(carried_out(folder, more))[1] == 2 + 2
    else:
        with pytest.raises(Problem) as caught:
            carried_out(folder, more)
        assert caught.value.code == "store-busy"
    other.kill()
    other.wait()
    assert told(carried_out(folder, more))[1] in (0, 2 + 2)


def test_a_clock_that_is_set_back(
    kept: tuple[Path, list[str]], copied: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten years back, between two runs and while a third one, with leases from after, goes on."""
    folder = copied("t")
    later = Leases(folder / "store")
    later.claim([b"x" * 32])
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 10 * 365 * 86400.0)
    assert told(carried_out(folder)) == (kept[1], 0)
    found, computed = told(carried_out(folder, SPEC.replace("0..1", "0..2")))
    assert computed == 1 + 2 + 2
    assert told(carried_out(folder, SPEC.replace("0..1", "0..2"))) == (
        found,
        computed,
    )  # that run is the answer
    later.close()


def test_a_nan_inside_a_stack(kept: tuple[Path, list[str]], tmp_path: Path) -> None:
    """One member of a stack diverges: it is told, the others have their results, and it is tried again."""
    wild = SPEC.replace("[0.01, 0.1]", "[0.01, 0.1, 1e30]")
    first = carried_out(tmp_path, wild)
    assert told(first)[1] == NODES
    assert {(one.code, one.coordinate["lr"]) for one in first.results.failures} == {("diverged", 1e30)}
    assert told(carried_out(tmp_path)) == (kept[1], 0)
