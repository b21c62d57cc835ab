"""Which nodes become one task: stacks of trainings and of what is measured on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gendsl.spec import Moment, Step, Use
from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Node, Task
from gendsl_runtime.train.fuse import stacks

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
        self._performer, self._device, self._workers = performer, device, workers
        self._fuse = fuse

    def of(self, ready: Iterable[Ready]) -> Iterator[Batch]:
        """Tasks for nodes that can be computed now."""
        groups: dict[tuple[str, str, str], list[Ready]] = defaultdict(list)
        for one in ready:
            step = one.step
            groups[step.kind, step.component, _shared(one.node, step.kind)].append(one)
        for (kind, component, _), group in groups.items():
            for rows, seconds in self._cut(kind, [one.node for one in group]):
                chosen = [group[row] for row in rows]
                nodes = tuple(one.node for one in chosen)
                task = Task(kind=kind, component=component, nodes=nodes, device=self._device)
                yield Batch(task, [one.places for one in chosen], seconds)

    def _cut(self, kind: str, nodes: Sequence[Node]) -> Iterator[tuple[Sequence[int], float]]:
        if kind == "dataset" or not self._fuse:
            yield from (([row], 0.0) for row in range(len(nodes)))
            return
        members = [self._performer.outline(node if kind == "train" else _run(node)) for node in nodes]
        yield from ((rows, 0.0) for rows in stacks(members))


def _run(node: Node) -> Node:
    """The training that an analysis node looks at."""
    return next(source.trained for source in node.inputs.values() if source.trained is not None)


def _shared(node: Node, kind: str) -> str:
    """What analyses must share to be computed together: their arguments, but for the run and its moment."""
    if kind != "analysis":
        return ""
    own = {name: value for name, value in node.arguments.items() if not isinstance(value, Use | Moment)}
    return str(sorted((name, value.model_dump_json()) for name, value in own.items()))
