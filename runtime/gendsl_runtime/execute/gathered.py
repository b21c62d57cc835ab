"""The trained runs that a task's nodes analyse, as stacks, and the other arguments of the analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gendsl.spec import Component, Group, Moment, Number, Split, Use, Value
from gendsl_runtime.arguments import plain
from gendsl_runtime.data import Dataset
from gendsl_runtime.data import Split as Examples
from gendsl_runtime.execute.task import Input, Node, Task
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups, Runs
from gendsl_runtime.train import artifact
from gendsl_runtime.train.fuse import difference
from gendsl_runtime.train.member import Member

if TYPE_CHECKING:
    from gendsl_runtime.execute.perform import Performer


@dataclass(frozen=True)
class Stack:
    """Trained members that one analysis sees as one `Runs`; `rows` are the nodes they belong to."""

    members: Sequence[Member]
    stored: Sequence[bytes]
    epochs: Sequence[int | None]
    rows: Sequence[int]

    def runs(self, extra: Sequence[dict[str, Examples]], *, device: str) -> Runs:
        """The stack as analyses see it, with splits of other data joined to its own."""
        # Shared data stay shared: a stack holds them once.
        made: dict[tuple[int, ...], Dataset] = {}
        data = []
        for member, row in zip(self.members, self.rows, strict=True):
            key = (id(member.data), *map(id, extra[row].values()))
            if key not in made:
                made[key] = member.data.with_splits(**extra[row]) if extra[row] else member.data
            data.append(made[key])
        return artifact.runs(self.members, self.stored, epochs=self.epochs, data=data, device=device)


def arguments(task: Task, performer: Performer) -> dict[str, Any]:
    """All arguments of the analysis that a task is: runs as `Runs` or `Groups`, the rest as Python values."""
    first = task.nodes[0]
    stacks = {name: list(_stacks(task, name, performer)) for name in runs_of(first)}
    extra: list[dict[str, Examples]] = [{} for _ in task.nodes]

    def feed(value: Value, path: str) -> Any:
        if path in stacks or isinstance(value, Component):
            return value
        assert isinstance(value, Split)
        # A split of the runs' own dataset is known by its name; one of another joins the runs' data.
        others = [performer.dataset(node.inputs[f"{path}.dataset"].digest) for node in task.nodes]
        if all(_is_own(stack, others) for each in stacks.values() for stack in each):
            return value.name
        name = f"{path}.{value.name}"
        for row, other in enumerate(others):
            extra[row][name] = other.split(value.name)
        return name

    found = {name: plain(value, name, feed) for name, value in first.arguments.items()}
    for name, own in stacks.items():
        runs = tuple(stack.runs(extra, device=task.device) for stack in own)
        value = first.arguments[name]
        found[name] = Groups(runs, value.labels) if isinstance(value, Group) else runs[0]
    return found


def runs_of(node: Node) -> list[str]:
    """The arguments of an analysis that are trained runs."""
    return [
        name
        for name, value in node.arguments.items()
        if isinstance(value, Group) or (isinstance(value, Use | Moment) and node.inputs[name].kind == "train")
    ]


def trainings(node: Node) -> list[Node]:
    """The trainings that an analysis node looks at, one for each argument that is a run; of a group the first."""
    inputs = [_inputs(node, name)[0] for name in runs_of(node)]
    return [source.trained for source in inputs if source.trained is not None]


def _inputs(node: Node, name: str) -> list[Input]:
    value = node.arguments[name]
    if isinstance(value, Group):
        return [node.inputs[f"{name}.{place}"] for place in range(len(value.runs))]
    return [node.inputs[name]]


def _stacks(task: Task, name: str, performer: Performer) -> Iterator[Stack]:
    """One stack of all nodes' runs; where runs are taken together, one for each node."""
    is_group = isinstance(task.nodes[0].arguments[name], Group)
    rows = [[row] for row in range(len(task.nodes))] if is_group else [list(range(len(task.nodes)))]
    for own in rows:
        sources = [(source, row) for row in own for source in _inputs(task.nodes[row], name)]
        members = [performer.trained(source) for source, _ in sources]
        stored = [performer.fetch(source.digest) for source, _ in sources]
        epochs = [epoch for row in own for epoch in _epochs(task.nodes[row].arguments[name])]
        if is_group:
            _of_a_kind(members, task.component)
        yield Stack(members, stored, epochs, [row for _, row in sources])


def _of_a_kind(members: Sequence[Member], component: str) -> None:
    differing = difference(members)
    if differing is not None:
        raise Problem(
            "different-networks",
            f"`{component}` takes runs of one network together, and these have different {differing}",
            help="compare two of them with an analysis that has `other`",
        )


def _is_own(stack: Stack, others: Sequence[Dataset]) -> bool:
    return all(others[row] is member.data for member, row in zip(stack.members, stack.rows, strict=True))


def _epochs(value: Value) -> list[int | None]:
    return [epoch(one) for one in value.runs] if isinstance(value, Group) else [epoch(value)]


def epoch(value: Value) -> int | None:
    """The epoch after which a run is looked at; None after its last."""
    if isinstance(value, Moment):
        assert isinstance(value.epoch, Number)
        return int(value.epoch.value)
    return None
