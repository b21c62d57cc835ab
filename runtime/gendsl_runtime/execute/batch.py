"""Which nodes become one task: stacks of trainings and of what is measured on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gendsl import spec
from gendsl.spec import Code, Moment, Step, Use, Value
from gendsl_runtime.execute.balance import Group, balanced
from gendsl_runtime.execute.gathered import trainings
from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Node, Task
from gendsl_runtime.train.fuse import Cost, groups, known_cost, static_key
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.speed import speed

TRIALS = 0.5
"""Seconds that a run may spend on trials of stacks, while its workers start."""

Place = tuple[str, int]
"""A node of the plan: its step, and its flat place in the step's axes."""


@dataclass(frozen=True)
class Ready:
    """A node whose inputs are there, and all places of the plan it stands for: equal nodes are one."""

    step: Step
    node: Node
    places: Sequence[Place]


@dataclass(frozen=True)
class Batch:
    """A task, the places of each of its nodes, and the seconds it is expected to take."""

    task: Task
    places: Sequence[Sequence[Place]]
    seconds: float = 0.0


class Batches:
    """Puts nodes together into tasks."""

    def __init__(self, performer: Performer, *, device: str, workers: int, fuse: bool) -> None:
        self._performer, self._device, self._workers, self._fuse = performer, device, workers, fuse
        self._speed = speed(budget=TRIALS if workers > 1 else 0.0)
        self._costs: dict[Hashable, Cost | None] = {}

    def of(self, ready: Iterable[Ready], *, idle: int) -> Iterator[Batch]:
        """Tasks for nodes that can be computed now, for so many workers that have nothing to do."""
        found: dict[tuple[str, str, Code | None, str], list[Ready]] = defaultdict(list)
        for one in ready:
            step = one.step
            found[step.kind, step.component, step.code, _shared(one.node, step.kind)].append(one)
        for (kind, component, code, _), alike in found.items():
            for rows, seconds in self._pieces(kind, code, [one.node for one in alike], idle):
                chosen = [alike[row] for row in rows]
                nodes = tuple(one.node for one in chosen)
                task = Task(kind=kind, component=component, code=code, nodes=nodes, device=self._device)
                yield Batch(task, [one.places for one in chosen], seconds)
        self._speed.save()

    def _pieces(
        self, kind: str, code: Code | None, nodes: Sequence[Node], idle: int
    ) -> Iterator[tuple[Sequence[int], float]]:
        """The rows of each task of one component, and the seconds that a training is expected to take."""
        # The user's own code is not relied on to treat members apart: each is a task of its own. So is what takes
        # several runs together, which is a stack already.
        if kind == "dataset" or code is not None or any(map(_is_group, nodes[0].arguments.values())):
            yield from (([row], 0.0) for row in range(len(nodes)))
            return
        found = self._trainings(nodes) if kind == "train" else self._analyses(nodes, idle)
        for group in found:
            yield from group.pieces()

    def _trainings(self, nodes: Sequence[Node]) -> list[Group]:
        members, done = [self._performer.outline(node) for node in nodes], self._steps(nodes)
        found = [self._group(members, rows, done) for rows in level(groups(members), done)]
        return balanced(found, workers=self._workers) if self._workers > 1 else found

    def _analyses(self, nodes: Sequence[Node], idle: int) -> list[Group]:
        """Stacks of alike runs; where each is compared with another, the others are alike as well."""
        columns = [
            [self._performer.outline(run) for run in column]
            for column in zip(*map(trainings, nodes), strict=True)
        ]
        rows: dict[Hashable, list[int]] = {}
        for row, company in enumerate(zip(*columns, strict=True)):
            rows.setdefault(tuple(map(static_key, company)), []).append(row)
        fresh = [0] * len(nodes)
        found = [
            max((self._group(column, own, fresh) for column in columns), key=lambda group: group.count)
            for own in rows.values()
        ]
        share = -(-idle // len(found))
        return [replace(group, count=min(len(group.rows), max(group.count, share))) for group in found]

    def _steps(self, nodes: Sequence[Node]) -> list[int]:
        """Steps that are behind each training, of which a checkpoint knows."""
        done = self._performer.done(nodes)
        return [done[node.key].steps if node.key in done else 0 for node in nodes]

    def _group(self, members: Sequence[Member], rows: Sequence[int], done: Sequence[int]) -> Group:
        """Members of one static key, in as few stacks as the device allows."""
        first = members[rows[0]]
        key = static_key(first)
        if key not in self._costs:
            self._costs[key] = known_cost(first)
        cost = self._costs[key]
        size = cost.most(self._device) if cost is not None and self._fuse else 1
        count = -(-len(rows) // size)
        widest = -(-len(rows) // count)

        def seconds(piece: Sequence[int]) -> float:
            if cost is None:
                return 0.0
            steps = [members[row].steps - done[row] for row in piece]
            return self._speed.training(first, cost, steps, widest=widest)

        return Group(rows, count, seconds)


def level(groups: Iterable[Sequence[int]], done: Sequence[int]) -> Iterator[list[int]]:
    """The groups, those parted whose members go on from different steps: a stack is in lockstep."""
    for group in groups:
        found: dict[int, list[int]] = defaultdict(list)
        for row in group:
            found[done[row]].append(row)
        yield from found.values()


def _is_group(value: Value) -> bool:
    return isinstance(value, spec.Group)


def _shared(node: Node, kind: str) -> str:
    """What analyses must share to be computed together: their arguments, but for the run and its moment."""
    if kind != "analysis":
        return ""
    own = {name: value for name, value in node.arguments.items() if not isinstance(value, Use | Moment)}
    return str(sorted((name, value.model_dump_json()) for name, value in own.items()))
