"""From a plan to stored results: what is there already is looked up, the rest becomes tasks as it gets ready.

A node is ready once its inputs are there. Nothing else waits, with one exception: trainings wait until all
data that can be made without them are made, so that those of all declarations that share a static key are
trained as one stack, however long the way to their data.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from gendsl.plan import Plan, PlanStep
from gendsl_runtime.execute.batch import Batch, Batches, Place, Ready
from gendsl_runtime.execute.local import Executor
from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Broken, Input, Node, Outcome, Task
from gendsl_runtime.execute.turns import PAUSE, Turns
from gendsl_runtime.store import Damaged, Entry, Failed, Store
from gendsl_runtime.train.glimpse import Glimpse

DAMAGED = "damaged"
RANKS = {"dataset": 0, "analysis": 1, "train": 2}
"""What begins first. An analysis goes before trainings: these end with the short ones, which even out."""


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


@dataclass(frozen=True)
class Standing:
    """How a step stands: nodes in all, with a result, computed by this run, being computed, without a result."""

    total: int
    stored: int
    computed: int = 0
    running: int = 0
    failed: int = 0
    seconds: float = 0.0
    """Of computing, in all."""


@dataclass
class Progress:
    """What is known so far: digests of what is stored, reasons of what has none."""

    digests: dict[str, list[str | None]]
    broken: dict[Place, Fault] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)


class Scheduler:
    """Carries out one plan against one store."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        performer: Performer,
        executor: Executor,
        turns: Turns,
        *,
        device: str,
        fuse: bool,
    ) -> None:
        self.plan, self._store, self._executor, self._turns = plan, store, executor, turns
        self._batches = Batches(performer, device=device, workers=executor.workers, fuse=fuse)
        self._actions: dict[bytes, bytes] = {}
        """Action keys of what is being computed, by recipe key."""
        self._equal: dict[bytes, list[bytes]] = defaultdict(list)
        """Recipe keys of nodes whose inputs have equal contents, by action key: the first is being computed for all."""
        self.progress = self._looked_up()
        self._waiting = self._missing_inputs()
        self._ready = deque(key for key, missing in self._waiting.items() if not missing)
        self._queue: list[tuple[int, float, int, Batch]] = []
        """What can begin, best first: data, analyses, then trainings with the longest first."""
        self._running: dict[int, Batch] = {}
        self._freed: list[Ready] = []
        """What other runs were computing and do not any more."""
        self._count = 0

    def _looked_up(self) -> Progress:
        keys = {
            name: [step.recipe_key(i) for i in range(step.count)] for name, step in self.plan.steps.items()
        }
        found = self._store.lookup([key for column in keys.values() for key in column])
        digests = {name: [found.get(key) for key in column] for name, column in keys.items()}
        return Progress(digests, tallies={name: Tally() for name in digests})

    def _missing_inputs(self) -> dict[bytes, set[bytes]]:
        """For each missing node, by recipe key, the inputs it waits for; equal nodes are computed once."""
        self._places: dict[bytes, list[Place]] = defaultdict(list)
        self._users: dict[bytes, list[bytes]] = defaultdict(list)
        waiting: dict[bytes, set[bytes]] = {}
        for name, step in self.plan.steps.items():
            for i, digest in enumerate(self.progress.digests[name]):
                if digest is not None:
                    continue
                key = step.recipe_key(i)
                self._places[key].append((name, i))
                if key not in waiting:
                    waiting[key] = self._sources(step, i) & waiting.keys()
                    for source in waiting[key]:
                        self._users[source].append(key)
        return waiting

    def _sources(self, step: PlanStep, i: int) -> set[bytes]:
        """What a node needs; where that is a run, also what the run needs: its data, for an analysis."""
        found: set[bytes] = set()
        for name, j in step.inputs(i).values():
            source = self.plan.steps[name]
            found.add(source.recipe_key(j))
            if source.step.kind == "train":
                found |= self._sources(source, j)
        return found

    def standing(self) -> dict[str, Standing]:
        """How each step stands; may be asked from another thread."""
        failed = Counter(name for name, _ in list(self.progress.broken))
        running = Counter(
            name for batch in list(self._running.values()) for places in batch.places for name, _ in places
        )
        return {
            name: Standing(
                total=len(column),
                stored=len(column) - column.count(None),
                computed=self.progress.tallies[name].computed,
                running=running[name],
                failed=failed[name],
                seconds=self.progress.tallies[name].seconds,
            )
            for name, column in self.progress.digests.items()
        }

    def places_of(self, task: Task) -> list[Place]:
        """The places of the plan that a running task computes."""
        batch = self._running.get(id(task))
        return [places[0] for places in batch.places] if batch else []

    def missing(self) -> int:
        """Nodes that have neither a result nor a reason for having none."""
        return sum(
            digest is None and (name, i) not in self.progress.broken
            for name, column in self.progress.digests.items()
            for i, digest in enumerate(column)
        )

    def run(
        self,
        watch: Callable[[Task, float | Glimpse], None],
        done: Callable[[Task, Sequence[Outcome]], None],
        queued: Callable[[Task, float], None],
    ) -> None:
        """Computes what is missing; `queued` hears of each task and the seconds it is expected to take, `watch`
        of shares of tasks, `done` of each finished one.

        Raises:
            DamageError: stored results could not be read; run a new scheduler over the same plan.
        """
        damaged: set[str] = set()
        while True:
            if not damaged:
                try:
                    self._enqueue(queued)
                except Damaged as damage:
                    damaged.add(damage.message)
            self._begin(watch, queued)
            if not self._running and (damaged or not (self._turns or self._ready)):
                break
            ended = self._executor.ended(PAUSE if self._turns else None) if self._running else None
            if self._turns:
                self._hear(waits=not self._running)
            if ended is None:
                continue
            task, outcomes, seconds = ended
            batch = self._running.pop(id(task))
            if self._executor.workers > 1:
                self._begin(watch, queued)  # nobody is idle while the results are written down
            damaged |= {one.reason for one in outcomes if isinstance(one, Broken) and one.code == DAMAGED}
            self._commit(batch, outcomes, seconds)
            done(task, outcomes)
        # Not before the queue is empty: what else it computes is kept, and no worker is left at work.
        if damaged:
            raise DamageError(damaged)

    def _begin(
        self, watch: Callable[[Task, float | Glimpse], None], queued: Callable[[Task, float], None]
    ) -> None:
        """Hands out work that no other run is computing to whoever is idle."""
        while self._queue and len(self._running) < self._executor.workers:
            *_, batch = heappop(self._queue)
            own, found = self._turns.taken(batch, self.plan, self._action)
            self._arrived(found)
            if own is not None:
                if own is not batch:
                    queued(own.task, own.seconds)
                self._running[id(own.task)] = own
                self._executor.submit(own.task, watch)

    def _action(self, place: Place) -> bytes:
        name, i = place
        return self._actions[self.plan.steps[name].recipe_key(i)]

    def _hear(self, *, waits: bool) -> None:
        """Takes over what other runs have computed, or have left."""
        found, free = self._turns.news(waits=waits)
        self._arrived(found)
        self._freed += free

    def _arrived(self, found: Mapping[bytes, str]) -> None:
        """Results of other runs, by action key."""
        if not found:
            return
        digests = {key: digest for action, digest in found.items() for key in self._equal.pop(action)}
        known = self._store.lookup(digests)
        self._store.alias({key: digest for key, digest in digests.items() if key not in known})
        for key, digest in digests.items():
            self._release(key, digest)

    def _enqueue(self, queued: Callable[[Task, float], None]) -> None:
        """Makes tasks of what is ready. Trainings wait for all data that can be made without them, so that
        those of a kind come together."""
        freed, self._freed = self._freed, []
        self._batch(freed, queued)
        while self._ready:
            chosen = self._chosen()
            if not chosen:
                return
            self._batch(self._cut_off(chosen), queued)

    def _batch(self, ready: Sequence[Ready], queued: Callable[[Task, float], None]) -> None:
        idle = max(0, self._executor.workers - len(self._running) - len(self._queue))
        for batch in self._batches.of(ready, idle=idle):
            self._count += 1
            queued(batch.task, batch.seconds)
            rank = RANKS[batch.task.kind]
            heappush(self._queue, (rank, -batch.seconds, self._count, batch))

    def _chosen(self) -> list[bytes]:
        """Takes what is to be made into tasks now out of what is ready."""
        kinds = {key: self._kind(key) for key in self._ready}
        chosen = [key for key, kind in kinds.items() if kind != "train"]
        if not chosen and not self._is_making_data():
            chosen = list(self._ready)
        self._ready = deque(key for key in self._ready if key not in set(chosen))
        return chosen

    def _kind(self, key: bytes) -> str:
        return self.plan.steps[self._places[key][0][0]].step.kind

    def _is_making_data(self) -> bool:
        batches = [*self._running.values(), *(entry[-1] for entry in self._queue)]
        return self._turns.is_making_data or any(batch.task.kind == "dataset" for batch in batches)

    def _cut_off(self, keys: Sequence[bytes]) -> list[Ready]:
        """Those of the nodes whose result is neither known by the contents of their inputs nor being computed."""
        actions = {
            key: self.plan.steps[name].action_key(i, self._digest)
            for key in keys
            for name, i in self._places[key][:1]
        }
        self._actions |= actions
        found = self._store.lookup(list(actions.values()))
        hits = {key: found[action] for key, action in actions.items() if action in found}
        self._store.alias(hits)
        for key, digest in hits.items():
            self._release(key, digest)
        rest = []
        for key in keys:
            if key not in hits:
                equal = self._equal[actions[key]]
                equal.append(key)
                rest += [self._places[key]] if len(equal) == 1 else []
        return [
            Ready(self.plan.steps[places[0][0]].step, self._ready_node(*places[0]), places) for places in rest
        ]

    def _release(self, key: bytes, digest: str) -> None:
        """A node has its result, and what waited for that can go on."""
        for name, i in self._places[key]:
            self.progress.digests[name][i] = digest
        for user in self._users[key]:
            missing = self._waiting[user]
            missing.discard(key)
            if not missing and self._places[user][0] not in self.progress.broken:
                self._ready.append(user)

    def _break(self, key: bytes, fault: Fault) -> None:
        """A node has no result, nor has anything that needs it."""
        broken = dict.fromkeys([key])
        for one in (growing := list(broken)):
            for user in self._users[one]:
                if user not in broken:
                    broken[user] = None
                    growing.append(user)
        for one in broken:
            for place in self._places[one]:
                self.progress.broken.setdefault(place, fault)

    def _digest(self, name: str, i: int) -> bytes:
        digest = self.progress.digests[name][i]
        assert digest is not None
        return bytes.fromhex(digest)

    def _node(self, name: str, i: int) -> Node:
        step = self.plan.steps[name]
        inputs = {}
        for path, (source, j) in step.inputs(i).items():
            kind = self.plan.steps[source].step.kind
            trained = self._node(source, j) if kind == "train" else None
            inputs[path] = Input(kind=kind, digest=self._digest(source, j).hex(), trained=trained)
        return Node(arguments=step.arguments(i), inputs=inputs)

    def _ready_node(self, name: str, i: int) -> Node:
        """A node as it goes into a task; a training with the key that checkpoints know it by."""
        step, node = self.plan.steps[name], self._node(name, i)
        if step.step.kind != "train":
            return node
        return node.model_copy(update={"key": self._actions[step.recipe_key(i)].hex()})

    def _commit(self, batch: Batch, outcomes: Sequence[Outcome], seconds: float) -> None:
        each, task = seconds / len(outcomes), batch.task
        entries, failures, equal = [], [], []
        for places, outcome in zip(batch.places, outcomes, strict=True):
            name, i = places[0]
            alike = self._equal.pop(self._actions[self.plan.steps[name].recipe_key(i)])
            equal.append(alike)
            if isinstance(outcome, Broken):
                told = (task.kind, task.component, outcome.code, outcome.reason)
                failures += [Failed(key, *told) for key in alike]
            else:
                entries.append(self._entry(name, i, outcome, each))
        digests = iter(self._store.commit(entries))
        self._store.note_failures(failures)
        found: dict[bytes, str] = {}
        for places, alike, outcome in zip(batch.places, equal, outcomes, strict=True):
            name, _ = places[0]
            tally = self.progress.tallies[name]
            tally.seconds += each
            if isinstance(outcome, Broken):
                for key in alike:
                    self._break(key, Fault(name, outcome))
            else:
                tally.computed += 1
                found |= dict.fromkeys(alike, next(digests))
        self._store.alias({key: found[key] for alike in equal for key in alike[1:] if key in found})
        self._turns.given_back([self._action(places[0]) for places in batch.places])
        for key, digest in found.items():
            self._release(key, digest)

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
            step=name,
            place=i,
        )
