"""Which work goes together and when it begins; nothing of it changes a result."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from gendsl_runtime.execute import gathered, local, perform
from gendsl_runtime.execute.task import Broken, Outcome, Task
from gendsl_runtime.run import Finished, RunOptions, Watch, run

SPEC = """
seeds 0..2
dataset moons = two_moons(train=40, test=20, seed=seed)
train near {
    model = mlp(hidden=[4])
    dataset = moons
    optimizer = sgd(lr=0.1)
    batch = 10
    budget = 2 epochs
}
train far extends near { dataset = shuffled_labels(with_label_noise(moons, share=20%, seed=seed), seed=seed) }
train wide extends near { model = mlp(hidden=[8]) }
sweep run in [near, far, wide]
analysis gap = generalization_gap(run)
analysis top = hessian_top(near)
"""


class Tasks(Watch):
    """Keeps the tasks in the order in which they end."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, int]] = []

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        self.tasks.append((task.kind if task.kind != "analysis" else task.component, len(task.nodes)))


def finished(folder: Path, text: str, *, name: str = "t", **options: object) -> tuple[Finished, Tasks]:
    path = folder / f"{name}.gen"
    path.write_text(text)
    watch = Tasks()
    return run(path, RunOptions(store=folder / f"{name}-store", **options), watch), watch  # type: ignore[arg-type]


def digests(run: Finished) -> list[str]:
    assert run.results.record is not None
    return [step.digest for step in run.results.record.steps]


def test_trainings_stack_across_declarations_however_far_their_data(tmp_path: Path) -> None:
    found, watch = finished(tmp_path, SPEC)
    assert found.results.failures == ()
    assert sorted(watch.tasks) == sorted(
        [("dataset", 1)] * 9
        + [("train", 6), ("train", 3)]  # near and far; wide
        + [("generalization_gap", 6), ("generalization_gap", 3), ("hessian_top", 3)]
    )


def test_without_stacks_the_results_are_the_same(tmp_path: Path) -> None:
    alone, watch = finished(tmp_path, SPEC, name="alone", fuse=False)
    assert {size for _, size in watch.tasks} == {1}
    together, _ = finished(tmp_path, SPEC, name="together")
    shared, _ = finished(tmp_path, SPEC, name="shared", workers=2)
    assert digests(alone) == digests(together) == digests(shared)


def test_analyses_do_not_wait_for_other_trainings(tmp_path: Path) -> None:
    """The long stack begins first and ends first; what is measured on it comes before the short one is trained."""
    text = SPEC.replace("train wide extends near {", "train wide extends near { budget = 3 epochs")
    _, watch = finished(tmp_path, text)
    kinds = [kind for kind, _ in watch.tasks]
    first, second = (place for place, kind in enumerate(kinds) if kind == "train")
    assert "generalization_gap" in kinds[first:second]


def test_what_becomes_ready_late_is_computed(tmp_path: Path) -> None:
    """Runs that start from runs, and data that are chosen by an analysis of a run."""
    text = """
    seeds 0..1
    dataset moons = two_moons(train=40, test=20, seed=seed)
    train first { model = mlp(hidden=[4]) dataset = moons optimizer = sgd() batch = 10 budget = 1 epochs }
    train second extends first { init = first }
    analysis scores = el2n(first)
    train kept extends first { dataset = keep(moons, share=50%, by=scores.el2n) }
    analysis gap = generalization_gap(kept)
    analysis last = generalization_gap(second)
    """
    for workers in (1, 2):
        found, watch = finished(tmp_path, text, name=f"w{workers}", workers=workers)
        assert found.results.failures == ()
        assert sum(size for _, size in watch.tasks) == 16


def test_no_more_workers_are_started_than_there_is_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    real = local.Workers._start
    monkeypatch.setattr(
        local.Workers, "_start", lambda self, place: started.append(place) or real(self, place)
    )
    text = SPEC.replace("0..2", "0..0").replace("sweep run in [near, far, wide]", "sweep run in [near]")
    finished(tmp_path, text, workers=5, name="one")
    assert 1 <= len(started) <= 4  # near, and what it needs, has never more than so many tasks at once
    started.clear()
    finished(tmp_path, text, workers=5, name="one")
    assert started == []  # all is stored


def too_large(limit: int):
    """Lets stacks of more than `limit` members run out of memory, each in its own way."""
    errors = [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory"),
    ]

    def check(members: int) -> None:
        if members > limit:
            raise errors[members % 3]

    return check


@pytest.mark.parametrize("limit", [2, 1])
def test_a_stack_that_does_not_fit_is_halved(
    limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm, _ = finished(tmp_path, SPEC, name="calm")
    check, train, runs = too_large(limit), perform.train, gathered.arguments
    sizes: list[int] = []

    def small(members, **given):
        check(len(members))
        sizes.append(len(members))
        return train(members, **given)

    def few(task, performer):
        check(len(task.nodes))
        return runs(task, performer)

    monkeypatch.setattr(perform, "train", small)
    monkeypatch.setattr(gathered, "arguments", few)
    tight, watch = finished(tmp_path, SPEC, name="tight")
    assert tight.results.failures == () and digests(tight) == digests(calm)
    assert max(sizes) == limit and sum(sizes) == 9
    assert ("train", 6) in watch.tasks


def test_only_a_member_that_does_not_fit_alone_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = perform.train

    def without_seed_1(members, **given):
        if any(member.seed == 1 for member in members):
            raise MemoryError
        return train(members, **given)

    monkeypatch.setattr(perform, "train", without_seed_1)
    found, _ = finished(tmp_path, SPEC)
    roots = [failure for failure in found.results.failures if failure.step == failure.began]
    assert {(failure.code, failure.coordinate["seed"]) for failure in roots} == {("out-of-memory", 1)}
    assert len(roots) == 3


LIMITED = """
import resource, sys
import torch
from tests.runtime.test_schedule import limited
limited()
"""


def limited() -> None:
    """In a process of its own: a stack of 8 needs more than the process may have, one of 4 does not."""
    import resource

    from gendsl_runtime.numerics import settle, single_thread

    settle()
    single_thread()
    performer = perform.Performer(lambda digest: b"")
    task = Task(kind="train", component="train", nodes=tuple(_node(seed) for seed in range(8)))
    sizes: list[int] = []

    def hungry(members, *, device, dtype, tell, keeper, glimpses):
        sizes.append(len(members))
        torch.ones(len(members) * 50_000_000 // 4)  # 50 MB a member
        raise ValueError("enough")

    perform.train = hungry  # type: ignore[assignment]
    perform.Performer.member = lambda self, node: _Member()  # type: ignore[assignment, method-assign, return-value]
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000, resource.RLIM_INFINITY))
    outcomes = performer.perform(task, lambda share: None)
    assert sizes == [8, 4, 4], sizes
    assert all(isinstance(one, Broken) and one.code == "component-failed" for one in outcomes), outcomes
    alone = task.model_copy(update={"nodes": task.nodes[:1]})
    resource.setrlimit(resource.RLIMIT_AS, (used + 30_000_000, resource.RLIM_INFINITY))
    (outcome,) = performer.perform(alone, lambda share: None)
    assert isinstance(outcome, Broken) and outcome.code == "out-of-memory", outcome
    print("halved")


class _Member:
    steps = 1


def _node(seed: int):
    from gendsl.spec import Number
    from gendsl_runtime.execute.task import Node

    return Node(arguments={"seed": Number(value=seed)})


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory in use is read from /proc")
def test_a_real_limit_of_memory_halves_the_stack() -> None:
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", LIMITED], cwd=root, capture_output=True, text=True, check=False
    )
    assert found.stdout == "halved\n", found.stderr
