"""The user's own Python in worker processes: whatever it does, only its own task fails."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from gendsl.fingerprint import fingerprint
from gendsl.spec import Code, Number
from gendsl_runtime import python
from gendsl_runtime.data import Dataset
from gendsl_runtime.execute.local import Workers
from gendsl_runtime.execute.python import analysis
from gendsl_runtime.execute.task import Broken, Node, Task
from gendsl_runtime.problem import Problem
from gendsl_runtime.store import Store

FILE = """
import ctypes, os, sys, time
import numpy as np
import torch
from gendsl_runtime.component import Count, analysis, dataset
from gendsl_runtime.data import Dataset, Split

@dataset(version=1, task="classification", shape=(2,), outputs=2, splits={"train": "train"})
def points(*, train: Count = 8):
    BODY
    inputs = torch.from_numpy(np.random.randn(train, 2).astype(np.float32)) + torch.rand(1)
    return Dataset({"train": Split(inputs, torch.arange(train) % 2)}, "classification", (2,), 2)

@analysis(version=1, gives={"size": "1", "curve": "1 [place]"}, axes={"place": "a place"})
def measured(runs, *, scale=1.0):
    good = {"size": np.ones(2), "curve": np.ones((2, 3)), "place": np.arange(3)}
    RESULT
"""


def code(folder: Path, body: str = "pass", result: str = "return good", name: str = "points") -> Code:
    text = FILE.replace("BODY", body).replace("RESULT", result)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = folder / f"own_{digest[:8]}.py"
    path.write_text(text)
    return Code(path=str(path), name=name, fingerprint=fingerprint(path, name).digest)


def task(one: Code, **arguments: float) -> Task:
    given = {name: Number(value=value) for name, value in arguments.items()}
    return Task(kind="dataset", component=one.name, code=one, nodes=(Node(arguments=given),))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("store")
    Store.open(place).close()
    return place


@pytest.fixture(scope="module")
def workers(store: Path):
    made = Workers(1, store, is_allowed=True, patience=2.5)
    yield made
    made.close()


def outcome(workers: Workers, one: Task) -> bytes | Broken:
    workers.submit(one, lambda *_: None)
    return workers.ended()[1][0]


HARM = {
    "an exception": ("raise RuntimeError('no <b>good</b>\\x1b[31m')", "component-failed", "(own_"),
    "an error of its own": (
        "class E(Exception):\n        __str__ = None\n    raise E()",
        "component-failed",
        "raised E",
    ),
    "leaving": ("sys.exit(0)", "component-failed", "raised SystemExit"),
    "leaving at once": ("os._exit(3)", "worker-died", "ended with status 3"),
    "a crash": ("os.kill(os.getpid(), 11)", "worker-died", "ended by SIGSEGV"),
    "a wild pointer": ("ctypes.string_at(0)", "worker-died", "ended by SIGSEGV"),
    "recursion": ("return points(train=train)", "component-failed", "RecursionError"),
    "too much memory": ("return torch.empty(10**15)", "out-of-memory", "memory"),
    "an endless loop": ("while True: pass", "time-limit", "no progress for 2.5 s"),
    "a child that stays": ("os.fork(); time.sleep(60)", "time-limit", "no progress"),
    "nothing": ("return None", "component-failed", "not a `Dataset`"),
    "other data": ("train = train + 1", "component-failed", "its decorator says 8"),
    "tokens": (
        "return Dataset({'train': Split(torch.zeros(train, 2).long(), torch.arange(train) % 2)}, "
        "'classification', (2,), 2, vocabulary=3)",
        "component-failed",
        "has inputs that are tokens, and its decorator says numbers",
    ),
}


@pytest.mark.parametrize(("body", "kind", "said"), HARM.values(), ids=HARM)
def test_only_its_own_task_fails(workers: Workers, tmp_path: Path, body: str, kind: str, said: str) -> None:
    broken = outcome(workers, task(code(tmp_path, body), train=8))
    assert isinstance(broken, Broken)
    assert broken.code == kind and said in broken.reason, broken
    assert broken.reason.isprintable()
    assert not isinstance(outcome(workers, task(code(tmp_path), train=8)), Broken)


def test_prints_reads_and_chance_change_nothing(workers: Workers, tmp_path: Path) -> None:
    loud = "print('{\"outcomes\": []}'); sys.stdout.flush(); assert sys.stdin.read() == ''"
    made = [
        outcome(workers, task(code(tmp_path, body), train=8)) for body in ("pass", loud, "np.random.seed()")
    ]
    assert made[0] == made[1]
    assert isinstance(made[0], bytes) and made[0] != made[2]
    assert len(Dataset.unpack(made[0]).splits["train"]) == 8


def test_a_file_that_is_edited_during_a_run_is_refused(workers: Workers, tmp_path: Path) -> None:
    one = code(tmp_path)
    path = Path(one.path)
    path.write_text(path.read_text() + "\n# a comment is no change\n")
    assert not isinstance(outcome(workers, task(one, train=8)), Broken)
    other = code(tmp_path, "train = train * 1")
    path = Path(other.path)
    path.write_text(path.read_text().replace("train * 1", "train * 2"))
    broken = outcome(workers, task(other, train=8))
    assert isinstance(broken, Broken) and broken.code == "code-changed"


def test_a_worker_that_is_not_allowed_imports_nothing(store: Path, tmp_path: Path) -> None:
    made = Workers(1, store)
    try:
        mark = tmp_path / "mark"
        broken = outcome(made, task(code(tmp_path, f"open({str(mark)!r}, 'w')"), train=8))
    finally:
        made.close()
    assert isinstance(broken, Broken) and broken.code == "python-not-allowed"
    assert not mark.exists()


def test_a_worker_that_will_not_end_is_ended(store: Path, tmp_path: Path) -> None:
    """Code that ignores SIGTERM keeps nobody waiting for longer than a few seconds."""
    made = Workers(1, store, is_allowed=True)
    mark = tmp_path / "pid"
    body = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"    open({str(mark)!r}, 'w').write(str(os.getpid()))\n    time.sleep(60)"
    )
    made.submit(task(code(tmp_path, body), train=8), lambda *_: None)
    while not (mark.exists() and mark.read_text()):
        time.sleep(0.05)
    made.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("return None", "gives a NoneType, not a dictionary"),
        ("del good['size']; return good", "promises `size` and does not give it"),
        ("return good | {'more': np.ones(2)}", "gives `more`, which its decorator does not promise"),
        ("return good | {'size': np.ones(3)}", "`size` of shape (3,), not (members,)"),
        ("return good | {'size': 1.0}", "`size` of shape (), not (members,)"),
        ("return good | {'curve': np.ones((2, 4))}", "the axis `place` two lengths"),
        ("return good | {'size': np.array([1, np.nan])}", "not finite"),
        ("return good | {'size': np.array(['a', 'b'])}", "not numbers"),
        ("return good | {'size': torch.ones(2, requires_grad=True) * 1j}", "not numbers"),
    ],
)
def test_what_an_analysis_returns_is_checked(tmp_path, monkeypatch, result, said):
    monkeypatch.setattr(python, "_allowed", [True])
    one = code(tmp_path, result=result, name="measured")
    with pytest.raises(Problem) as found:
        analysis(one, {"runs": None}, members=2)
    assert said in found.value.message and f"({Path(one.path).name}:14)" in found.value.message


def test_what_is_right_passes(tmp_path, monkeypatch):
    monkeypatch.setattr(python, "_allowed", [True])
    result, gives = analysis(code(tmp_path, name="measured"), {"runs": None}, members=2)
    assert gives == ("size", "curve") and set(result) == {"size", "curve", "place"}
