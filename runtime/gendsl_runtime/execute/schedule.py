"""From a plan to stored results: what is there already is looked up, the rest becomes tasks, wave by wave.

A wave is one topological generation of the plan: trainings of different declarations that share a static
key are trained as one stack.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import networkx as nx

from gendsl.plan import Plan
from gendsl.spec import Moment, Use
from gendsl_runtime.execute.local import Executor
from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Broken, Input, Node, Outcome, Task
from gendsl_runtime.store import Entry, Failed, Store
from gendsl_runtime.train.fuse import stacks

Place = tuple[str, int]
"""A node of the plan: its step, and its flat place in the step's axes."""
DAMAGED = "damaged"


class DamageError(Exception):
    """Stored results turned out damaged; they are set aside, and the plan must be looked up again."""

    def __init__(self, results: set[str]) -> None:
        super().__init__("; ".join(sorted(results)))
        self.results = results


@dataclass(frozen=True)
class Fault:
    """Why a node has no result, and the step in which that began."""

    began: str
    broken: Broken


@dataclass
class Tally:
    """How a step went."""

    computed: int = 0
    seconds: float = 0.0


@dataclass
class Progress:
    """What is known so far: digests of what is stored, reasons of what has none."""

    digests: dict[str, list[str | None]]
    broken: dict[Place, Fault] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))


class Scheduler:
    """Carries out one plan against one store."""

    def __init__(
        self, plan: Plan, store: Store, performer: Performer, executor: Executor, *, device: str
    ) -> None:
        self.plan, self._store, self._performer, self._executor = plan, store, performer, executor
        self._device = device
        self._actions: dict[bytes, bytes] = {}
        """Action keys of what is being computed, by recipe key."""
        self.progress = self._looked_up()

    def _looked_up(self) -> Progress:
        keys = {
            name: [step.recipe_key(i) for i in range(step.count)] for name, step in self.plan.steps.items()
        }
        found = self._store.lookup([key for column in keys.values() for key in column])
        return Progress({name: [found.get(key) for key in column] for name, column in keys.items()})

    def missing(self) -> int:
        """Nodes that have neither a result nor a reason for having none."""
        return sum(
            digest is None and (name, i) not in self.progress.broken
            for name, column in self.progress.digests.items()
            for i, digest in enumerate(column)
        )

    def run(
        self, watch: Callable[[Task, float], None], done: Callable[[Task, Sequence[Outcome]], None]
    ) -> None:
        """Computes what is missing; `watch` hears of shares of tasks, `done` of each finished one.

        Raises:
            DamageError: stored results could not be read; run a new scheduler over the same plan.
        """
        for wave in nx.topological_generations(self.plan.graph):
            damaged: set[str] = set()
            pending = self._pending(wave)
            tasks = list(self._tasks(pending))
            for (task, places), (_, outcomes, seconds) in self._performed(tasks, watch):
                damaged |= {one.reason for one in outcomes if isinstance(one, Broken) and one.code == DAMAGED}
                self._commit(task, places, outcomes, seconds)
                done(task, outcomes)
            # Not before the wave is over: what else it computes is kept, and no worker is left at work.
            if damaged:
                raise DamageError(damaged)

    def _performed(
        self, tasks: list[tuple[Task, list[list[Place]]]], watch: Callable[[Task, float], None]
    ) -> Iterator[tuple[tuple[Task, list[list[Place]]], tuple[Task, list[Outcome], float]]]:
        by_identity = {id(task): (task, places) for task, places in tasks}
        for result in self._executor.perform([task for task, _ in tasks], watch):
            yield by_identity[id(result[0])], result

    def _pending(self, wave: Sequence[str]) -> dict[bytes, list[Place]]:
        """Nodes of a wave that must be computed, by recipe key: equal nodes are computed once."""
        pending: dict[bytes, list[Place]] = defaultdict(list)
        for name in wave:
            step = self.plan.steps[name]
            for i in range(step.count):
                if self.progress.digests[name][i] is not None:
                    continue
                reason = self._broken_input(name, i)
                if reason is not None:
                    self.progress.broken[name, i] = reason
                    continue
                pending[step.recipe_key(i)].append((name, i))
        return self._cut_off(pending)

    def _cut_off(self, pending: dict[bytes, list[Place]]) -> dict[bytes, list[Place]]:
        """Drops the nodes whose result is known by the contents of their inputs, whatever made those."""
        actions = {
            key: self.plan.steps[name].action_key(i, self._digest) for key, ((name, i), *_) in pending.items()
        }
        self._actions |= actions
        found = self._store.lookup(list(actions.values()))
        hits = {key: found[action] for key, action in actions.items() if action in found}
        self._store.alias(hits)
        for key, digest in hits.items():
            for name, i in pending.pop(key):
                self.progress.digests[name][i] = digest
        return pending

    def _digest(self, name: str, i: int) -> bytes:
        digest = self.progress.digests[name][i]
        assert digest is not None
        return bytes.fromhex(digest)

    def _broken_input(self, name: str, i: int) -> Fault | None:
        for source in self.plan.steps[name].inputs(i).values():
            if source in self.progress.broken:
                return self.progress.broken[source]
        return None

    def _node(self, name: str, i: int) -> Node:
        step = self.plan.steps[name]
        inputs = {}
        for path, (source, j) in step.inputs(i).items():
            kind = self.plan.steps[source].step.kind
            trained = self._node(source, j) if kind == "train" else None
            inputs[path] = Input(kind=kind, digest=self._digest(source, j).hex(), trained=trained)
        return Node(arguments=step.arguments(i), inputs=inputs)

    def _tasks(self, pending: dict[bytes, list[Place]]) -> Iterator[tuple[Task, list[list[Place]]]]:
        """Tasks with the places each of their nodes stands for."""
        groups: dict[tuple[str, str, str], list[tuple[Node, list[Place]]]] = defaultdict(list)
        for places in pending.values():
            step = self.plan.steps[places[0][0]].step
            node = self._node(*places[0])
            groups[step.kind, step.component, _shared(node, step.kind)].append((node, places))
        for (kind, component, _), members in groups.items():
            for stack in self._stacks(kind, [node for node, _ in members]):
                nodes = tuple(members[k][0] for k in stack)
                task = Task(kind=kind, component=component, nodes=nodes, device=self._device)
                yield task, [members[k][1] for k in stack]

    def _stacks(self, kind: str, nodes: list[Node]) -> list[list[int]]:
        if kind == "dataset":
            return [[k] for k in range(len(nodes))]
        trained = nodes if kind == "train" else [_run(node) for node in nodes]
        return stacks([self._performer.member(node) for node in trained])

    def _commit(self, task: Task, places: list[list[Place]], outcomes: list[Outcome], seconds: float) -> None:
        entries, failures = [], []
        for equal, outcome in zip(places, outcomes, strict=True):
            name, i = equal[0]
            if isinstance(outcome, Broken):
                self.progress.broken |= {(step, j): Fault(step, outcome) for step, j in equal}
                key = self.plan.steps[name].recipe_key(i)
                failures.append(Failed(key, task.kind, task.component, outcome.code, outcome.reason))
                continue
            entries.append(self._entry(name, i, outcome, seconds / len(places)))
        digests = iter(self._store.commit(entries))
        self._store.note_failures(failures)
        for equal, outcome in zip(places, outcomes, strict=True):
            tally = self.progress.tallies[equal[0][0]]
            tally.seconds += seconds / len(places)
            if isinstance(outcome, Broken):
                continue
            tally.computed += 1
            digest = next(digests)
            for name, i in equal:
                self.progress.digests[name][i] = digest

    def _entry(self, name: str, i: int, payload: bytes, seconds: float) -> Entry:
        step = self.plan.steps[name]
        key = step.recipe_key(i)
        return Entry(
            recipe_key=key,
            action_key=self._actions[key],
            payload=payload,
            kind=step.step.kind,
            component=step.step.component,
            seconds=seconds,
        )


def _run(node: Node) -> Node:
    """The training that an analysis node looks at."""
    return next(source.trained for source in node.inputs.values() if source.trained is not None)


def _shared(node: Node, kind: str) -> str:
    """What analyses must share to be computed together: their arguments, but for the run and its moment."""
    if kind != "analysis":
        return ""
    own = {name: value for name, value in node.arguments.items() if not isinstance(value, Use | Moment)}
    return str(sorted((name, value.model_dump_json()) for name, value in own.items()))
