"""The plan: what is to be computed, known in full before anything runs.

A step of the spec stands for one node at each coordinate of its axes. Nodes are not objects: a step holds the
recipe keys of all its nodes as one byte string, and tells anything else about a node when asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from heapq import heappop, heappush
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from gendsl.plan.fragments import Fragment, constant, fixed, hashed, joined, of_keys, strides
from gendsl.plan.keys import (
    ACTION,
    RECIPE,
    SIZE,
    Arguments,
    Hole,
    Part,
    encode,
    named,
    node,
    parts,
    together,
)
from gendsl.plan.limit import refuse_too_large, refused
from gendsl.spec import (
    Along,
    Axis,
    Coordinate,
    InputFile,
    Moment,
    Operation,
    Quantity,
    Spec,
    Step,
    Use,
    Value,
    Where,
)
from gendsl.spec.mentions import axes_of, inside, steps_of
from gendsl.spec.substitute import along, at, label, labels, substituted

if TYPE_CHECKING:
    import networkx as nx

MAX_RUNS = 1000
NO_VALUE = "an argument has no value everywhere along its axes"

Digests = Callable[[str, int], bytes]
"""The content digest of a node's result, by step and index."""


@dataclass(frozen=True, eq=False)
class PlanStep:
    """One step of a plan: `count` nodes, in C order over `axes`."""

    name: str
    step: Step
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    keys: bytes = field(repr=False)
    """The recipe keys of all nodes, 32 bytes each."""
    _frame: _Frame = field(repr=False)

    @cached_property
    def count(self) -> int:
        return prod(self.shape)

    def recipe_key(self, index: int) -> bytes:
        """The key that is known before anything runs: two nodes with equal keys are the same computation."""
        return self.keys[SIZE * index : SIZE * (index + 1)]

    def coordinate(self, index: int) -> dict[str, int]:
        """For each axis the place of its label."""
        place = {}
        for axis, size in zip(reversed(self.axes), reversed(self.shape)):
            index, place[axis] = divmod(index, size)
        return {axis: place[axis] for axis in self.axes}

    def index(self, coordinate: Mapping[str, int]) -> int:
        """The flat index of the node at a coordinate; axes the step does not have are left aside."""
        apart = strides(self.axes, self._frame.sizes)
        return sum(apart[axis] * coordinate[axis] for axis in self.axes)

    def labels(self, index: int) -> dict[str, str | int | float]:
        """For each axis its label; that of a tuple axis as text."""
        return {axis: label(self._frame.axes[axis], place) for axis, place in self.coordinate(index).items()}

    def arguments(self, index: int) -> dict[str, Value]:
        """The node's arguments, with no coordinate left in them."""
        place = self.coordinate(index)
        return {
            name: substituted(value, self._frame.axes, place) for name, value in self.step.arguments.items()
        }

    def inputs(self, index: int) -> dict[str, tuple[str, int]]:
        """The nodes that feed this one, by argument path: `dataset`, `test.dataset` (a split), `shares.0`."""
        place = self.coordinate(index)
        return {
            path: source
            for name, value in self.step.arguments.items()
            for path, source in self._frame.sources(value, name, place)
        }

    def action_key(self, index: int, digests: Digests) -> bytes:
        """The key by the contents of the inputs: equal contents, equal keys, whatever made them."""
        return self._frame.action_key(self, index, digests)


@dataclass(frozen=True, eq=False)
class Plan:
    """An experiment ready to be run: `steps` in topological order."""

    spec: Spec
    numerics: str
    steps: Mapping[str, PlanStep]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The content digest of each file that the spec names."""

    def __getitem__(self, name: str) -> PlanStep:
        return self.steps[name]

    def __iter__(self) -> Iterator[PlanStep]:
        return iter(self.steps.values())

    @cached_property
    def graph(self) -> nx.DiGraph:
        """The steps, with edges from input to user."""
        import networkx as nx  # 60 ms that a run that computes nothing need not spend

        graph: nx.DiGraph = nx.DiGraph()
        graph.add_nodes_from(self.steps)
        graph.add_edges_from((source, name) for name, own in _sources(self.spec).items() for source in own)
        return graph

    @cached_property
    def trainings(self) -> int:
        """How many runs are trained; runs that two steps share count twice."""
        return sum(step.count for step in self if step.step.kind == "train")


def plan(spec: Spec, *, numerics: str, max_runs: int = MAX_RUNS, file_digest: Callable[[str], bytes]) -> Plan:
    """The plan of a checked experiment.

    Args:
        numerics: what else the results depend on, such as `cpu;float32;torch2.13;engine1`; part of every key.
        max_runs: the most trainings allowed.
        file_digest: the content digest of a file that the user names.

    Raises:
        DiagnosticError: `plan-too-large`, before any key is computed; `no-such-number` where arithmetic on an
            axis fails.
    """
    sizes = {name: len(axis.values) for name, axis in spec.axes.items()}
    most = {name: axis.looks[-1] for name, axis in spec.axes.items() if axis.looks}
    refuse_too_large(spec, sizes | most, max_runs=max_runs)
    frame = _Frame(spec.axes, sizes, numerics, file_digest)
    for name in _in_order(spec):
        step = spec.steps[name]
        shape = tuple(sizes[axis] for axis in step.axes)
        try:
            keys = frame.recipe_keys(step)
        except ArithmeticError as error:
            raise refused(spec, name, code="no-such-number", message=NO_VALUE, note=str(error)) from error
        frame.steps[name] = PlanStep(name, step, step.axes, shape, keys, frame)
    return Plan(spec, numerics, frame.steps, frame.files)


@dataclass(frozen=True, eq=False)
class _Frame:
    """What the steps of one plan share."""

    axes: Mapping[str, Axis]
    sizes: Mapping[str, int]
    numerics: str
    file_digest: Callable[[str], bytes]
    steps: dict[str, PlanStep] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def file(self, path: str) -> bytes:
        if path not in self.files:
            self.files[path] = self.file_digest(path)
        return self.files[path]

    def recipe_keys(self, step: Step) -> bytes:
        """The recipe keys of all nodes: every axis label is encoded once, then one hash a node."""
        return hashed(RECIPE, self._fragments(node(step, numerics=self.numerics)), step.axes, self.sizes)

    def _fragments(self, encoding: Iterator[Part]) -> list[Fragment]:
        return [
            fragment
            for part in encoding
            for fragment in ([constant(part)] if isinstance(part, bytes) else self._filled(part))
        ]

    def _filled(self, hole: Hole) -> list[Fragment]:
        match hole:
            case Use():
                return [of_keys(self.steps[hole.step].axes, self.steps[hole.step].keys)]
            case InputFile():
                return [constant(self.file(hole.path))]
            case Coordinate():
                return [self._selected(hole)]
            case Operation():
                return [self._computed(hole)]
            case Where():
                inner = self._fragments(parts(hole.subject))
                return [fixed(fragment, hole.fixed, self.sizes) for fragment in inner]
            case Along():
                return self._together(hole)
            case Arguments():
                return [self._told(hole)]

    def _together(self, hole: Along) -> list[Fragment]:
        """All runs along an axis, one after the other."""
        inner = self._fragments(parts(hole.subject))
        places = along(hole, self.axes, {})
        return [
            constant(together(labels(self.axes[hole.axis]))),
            *(fixed(fragment, place, self.sizes) for place in places for fragment in inner),
        ]

    def _selected(self, coordinate: Coordinate) -> Fragment:
        """Along the axis its values; where these are runs or datasets, also along the axes of those."""
        axis = coordinate.axis
        return self._chosen(
            (axis,),
            [
                self._fragments(parts(at(coordinate, self.axes, {axis: place})))
                for place in range(self.sizes[axis])
            ],
        )

    def _told(self, hole: Arguments) -> Fragment:
        """Arguments of which some are left out at some coordinates."""
        choices = []
        for at_ in product(*(range(self.sizes[axis]) for axis in hole.axes)):
            place = dict(zip(hole.axes, at_))
            settled = {name: substituted(hole.arguments[name], self.axes, place) for name in hole.neutral}
            choices.append(self._fragments(named({**hole.arguments, **settled}, hole.neutral)))
        return self._chosen(hole.axes, choices)

    def _chosen(self, axes: tuple[str, ...], choices: Sequence[list[Fragment]]) -> Fragment:
        """One choice of fragments for each place of the axes, in C order; they may vary along others, or the same."""
        found = dict.fromkeys(a for choice in choices for f in choice for a in f.axes)
        others = tuple(axis for axis in found if axis not in axes)
        places = product(*(range(self.sizes[axis]) for axis in axes))
        settled = (
            [fixed(fragment, dict(zip(axes, place)), self.sizes) for fragment in choice]
            for place, choice in zip(places, choices)
        )
        table = [value for choice in settled for value in joined(choice, others, self.sizes)]
        return Fragment((*axes, *others), table)

    def _computed(self, operation: Operation) -> Fragment:
        """The values of arithmetic on coordinates, along all axes it mentions."""
        axes = tuple(dict.fromkeys(axes_of(operation)))
        table = []
        for at_ in product(*(range(self.sizes[axis]) for axis in axes)):
            value = self._number(operation, dict(zip(axes, at_)))
            table.append(b"".join(f.table[0] for f in self._fragments(parts(value))))
        return Fragment(axes, table)

    def _number(self, operation: Operation, place: Mapping[str, int]) -> Value:
        try:
            return substituted(operation, self.axes, place)
        except (ArithmeticError, ValueError) as error:
            labels = (f"{axis} = {self.axes[axis].labels[at_]}" for axis, at_ in place.items())
            raise ArithmeticError(f"division by zero or overflow where {', '.join(labels)}") from error

    def action_key(self, step: PlanStep, index: int, digests: Digests) -> bytes:
        is_analysis = step.step.kind == "analysis"

        def contents(name: str, at_: int) -> bytes:
            source = self.steps[name]
            # An analysis sees more of a run than the trained state: its network, data and loss.
            seen = is_analysis and source.step.kind == "train"
            return digests(name, at_) + (self.action_key(source, at_, digests) if seen else b"")

        def fill(hole: Hole, place: Mapping[str, int]) -> bytes:
            match hole:
                case Use():
                    return contents(hole.step, self.steps[hole.step].index(place))
                case InputFile():
                    return self.file(hole.path)
                case Coordinate():
                    inner, where = at(hole, self.axes, place), place
                case Operation():
                    inner, where = substituted(hole, self.axes, place), place
                case Where():
                    inner, where = hole.subject, {**place, **hole.fixed}
                case Along():
                    runs = (filled(hole.subject, one) for one in along(hole, self.axes, place))
                    return together(labels(self.axes[hole.axis])) + b"".join(runs)
                case Arguments():
                    settled = {n: substituted(hole.arguments[n], self.axes, place) for n in hole.neutral}
                    told = named({**hole.arguments, **settled}, hole.neutral)
                    return encode(told, lambda nested: fill(nested, place))
            return filled(inner, where)

        def filled(value: Value, at_: Mapping[str, int]) -> bytes:
            return encode(parts(value), lambda nested: fill(nested, at_))

        place = step.coordinate(index)
        encoding = node(step.step, numerics=self.numerics)
        return sha256(ACTION + encode(encoding, lambda hole: fill(hole, place))).digest()

    def sources(
        self, value: Value, path: str, place: Mapping[str, int]
    ) -> Iterator[tuple[str, tuple[str, int]]]:
        """Path, step and index of each node that an argument mentions, at a place."""
        match value:
            case Use() | Quantity():
                yield path, (value.step, self.steps[value.step].index(place))
            case Moment():
                yield from self.sources(value.run, path, place)
            case Where():
                yield from self.sources(value.subject, path, {**place, **value.fixed})
            case Along():
                for number, one in enumerate(along(value, self.axes, place)):
                    yield from self.sources(value.subject, f"{path}.{number}", one)
            case Coordinate():
                yield from self.sources(at(value, self.axes, place), path, place)
            case _:
                for name, inner in inside(value):
                    yield from self.sources(inner, f"{path}.{name}", place)


def _sources(spec: Spec) -> dict[str, set[str]]:
    """For each step those that feed it."""
    return {
        name: {source for value in step.arguments.values() for source in steps_of(value, spec.axes)}
        for name, step in spec.steps.items()
    }


def _in_order(spec: Spec) -> list[str]:
    """Inputs before their users, else as in the file."""
    at_ = {name: place for place, name in enumerate(spec.steps)}
    waits = _sources(spec)
    users: dict[str, list[str]] = {name: [] for name in waits}
    for name, own in waits.items():
        for source in own:
            users[source].append(name)
    ready = [at_[name] for name, own in waits.items() if not own]
    names, order = list(spec.steps), []
    while ready:
        name = names[heappop(ready)]
        order.append(name)
        for user in users[name]:
            waits[user].remove(name)
            if not waits[user]:
                heappush(ready, at_[user])
    if len(order) < len(names):
        raise ValueError("steps of a checked experiment feed each other in a circle")
    return order
