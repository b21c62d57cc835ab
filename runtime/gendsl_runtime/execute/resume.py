"""Checkpoints of the trainings of one run: what is kept when it is left, and removed when it is not needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from gendsl_runtime.execute.task import Broken, Outcome, Task
from gendsl_runtime.store import Store
from gendsl_runtime.store.checkpoints import Checkpoints

LEFT = "stopped; what was finished is kept, {under_way}the same command goes on from there"
FINAL = ("diverged", "nothing-found")
"""Faults of a training that it would have again."""

Heard = Callable[[Task, Sequence[Outcome]], None]


class Trainings:
    """The trainings of a run, by their keys: those that are to be done, and those that need no checkpoint."""

    def __init__(self, store: Store, checkpoints: Checkpoints) -> None:
        self._store, self._checkpoints = store, checkpoints
        self._queued: set[str] = set()
        self._settled: set[str] = set()

    def queued(self, task: Task) -> None:
        """A task will be done."""
        self._queued |= {node.key for node in task.nodes if node.key}

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        """A task is done and its results are committed; what failed may go on another time, but for what
        would fail again."""
        if task.kind == "train":
            for node, outcome in zip(task.nodes, outcomes, strict=True):
                if not isinstance(outcome, Broken) or outcome.code in FINAL:
                    self._settled.add(node.key)
            self._checkpoints.forget(self._are_settled)

    def left(self) -> str:
        """What to say when the run is left before its end."""
        done = self._checkpoints.done(self._queued - self._settled)
        share = sum(one.steps for one in done.values()) / max(1, sum(one.of for one in done.values()))
        some = f"{len(done):,} trainings are" if len(done) != 1 else "a training is"
        under_way = f"{some} kept at {share:.0%} of the way, " if done else ""
        return LEFT.format(under_way=under_way)

    def _are_settled(self, keys: Collection[str]) -> bool:
        rest = [key for key in keys if key not in self._settled]
        return len(self._store.lookup(bytes.fromhex(key) for key in rest)) == len(rest)
