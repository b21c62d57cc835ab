"""Tasks and what performs them: faults stay with their own nodes, and are told in the user's words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gendsl.spec import Choice, Items, Nothing, Number, Operation, Use
from gendsl_runtime.arguments import call, plain
from gendsl_runtime.execute import perform
from gendsl_runtime.execute.local import Executor, InProcess, Workers
from gendsl_runtime.execute.perform import Performer, payloads
from gendsl_runtime.execute.task import Broken, Node, Outcome, Task
from gendsl_runtime.length import Length
from gendsl_runtime.problem import Problem
from gendsl_runtime.store import Store
from gendsl_runtime.store.payload import unpack

MOONS = {"train": Number(value=8), "held_back": Number(value=0), "test": Number(value=4)}
MOONS |= {"noise": Number(value=0.1), "seed": Number(value=0)}


def moons(**changes: Number) -> Task:
    return Task(kind="dataset", component="two_moons", nodes=(Node(arguments={**MOONS, **changes}),))


def performed(executor: Executor, tasks: Sequence[Task]) -> dict[int, list[Outcome]]:
    """The outcomes of tasks, by identity."""
    for task in tasks:
        executor.submit(task, lambda task, share: None)
    return {id(task): outcomes for task, outcomes, _ in (executor.ended() for _ in tasks)}


def nothing(digest: str) -> bytes:
    raise AssertionError(digest)


def unfed(value: object, path: str) -> object:
    raise AssertionError(path)


def test_values_become_python() -> None:
    stop = Operation(op="==", operands=(Choice(name="train_error"), Number(value=0)))
    assert plain(Number(value=3, unit="epochs"), "budget", unfed) == Length(3, "epochs")
    assert plain(Items(items=(Number(value=1), Nothing())), "x", unfed) == [1, None]
    assert plain(stop, "stop", unfed) == ("train_error", "==", 0)
    assert plain(Items(items=(Use(step="a"), Use(step="b"))), "x", lambda value, path: path) == ["x.0", "x.1"]


def test_a_parameter_named_like_a_keyword_is_reached() -> None:
    def poison(*, from_: str) -> str:
        return from_

    assert call(poison, {"from": "held_back"}) == "held_back"


def test_a_fault_breaks_every_node_of_its_task_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(kind: str, name: str):
        def fails(**arguments: object) -> None:
            raise (
                ZeroDivisionError("by zero")
                if name == "bad"
                else Problem("bad-data", "no such column", help="look")
            )

        return fails

    monkeypatch.setattr(perform.components, "load", load)
    performer = Performer(nothing)
    bad = Task(kind="dataset", component="bad", nodes=(Node(arguments={}), Node(arguments={})))
    outcomes = performer.perform(bad, lambda share: None)
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Broken)] == ["component-failed"] * 2
    assert "ZeroDivisionError: by zero" in outcomes[0].reason  # type: ignore[union-attr]
    wrong = Task(kind="dataset", component="wrong", nodes=(Node(arguments={}),))
    assert performer.perform(wrong, lambda share: None) == [
        Broken(code="bad-data", reason="no such column", help="look")
    ]


def test_an_analysis_that_breaks_its_promise_is_told() -> None:
    values = {"a": np.zeros(2), "ray": np.arange(5)}
    first, second = (
        unpack(p)[0] for p in payloads("x", values, gives=["a"], members=2) if isinstance(p, bytes)
    )
    assert first["a"].shape == () and second["ray"].shape == (5,)
    with pytest.raises(Problem, match="promises b"):
        payloads("x", values, gives=["a", "b"], members=2)
    with pytest.raises(Problem, match="2 values of a for 3 runs"):
        payloads("x", values, gives=["a"], members=3)


def test_workers_and_this_process_give_the_same_bytes(tmp_path: Path) -> None:
    tasks = [moons(seed=Number(value=seed)) for seed in range(3)]
    with Store.open(tmp_path / "store") as store:
        workers = Workers(2, store.path)
        try:
            apart = performed(workers, tasks)
        finally:
            workers.close()
        assert performed(InProcess(Performer(store.read)), tasks) == apart
        assert list((tmp_path / "store").glob("attempts-*")) == []


def test_a_worker_that_dies_breaks_its_task_and_is_replaced(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        workers = Workers(1, store.path)
        try:
            ((first,),) = performed(workers, [moons()]).values()
            assert isinstance(first, bytes)
            workers._processes[0].kill()
            ((died,),) = performed(workers, [moons()]).values()
            assert isinstance(died, Broken) and died.code == "worker-died"
            ((alive,),) = performed(workers, [moons()]).values()
            assert alive == first
        finally:
            workers.close()


def test_a_dataset_is_in_memory_once_and_the_last_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perform, "KEPT", 2)
    (stored,) = Performer(nothing).perform(moons(), lambda share: None)
    assert isinstance(stored, bytes)
    fetched: list[str] = []

    def fetch(digest: str) -> bytes:
        fetched.append(digest)
        return stored

    performer = Performer(fetch)
    held = performer.dataset("a")
    for digest in "bcd":
        performer.dataset(digest)
    assert performer.dataset("a") is held and performer.dataset("d") is performer.dataset("d")
    assert fetched == ["a", "b", "c", "d"]
    performer.dataset("b")  # held by nobody, and not among the last two
    assert fetched[4:] == ["b"]
