"""What is known of a run while it goes on: gathered here, drawn by the terminal, written down for the live page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from gendsl.diagnostic import Diagnostic
from gendsl.plan import Plan
from gendsl.spec import Spec
from gendsl_runtime.claims.verdict import Verdict
from gendsl_runtime.execute.batch import Place
from gendsl_runtime.execute.schedule import Scheduler, Standing
from gendsl_runtime.execute.task import Broken, Outcome, Task
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.progress.estimate import Estimate
from gendsl_runtime.progress.sofar import SoFar
from gendsl_runtime.report.words import spelt
from gendsl_runtime.store import Store
from gendsl_runtime.store.leases import Holder
from gendsl_runtime.train.glimpse import Glimpse, Point, thinned

POINTS = 96
"""Points of a curve that are kept."""
TRAININGS = 24
"""Stacks that are told of: those under way, then the latest."""
SMOOTH = 0.5
"""Weight of the latest rate in the mean of rates."""


@dataclass
class Training:
    """A stack of trainings, under way or over."""

    steps: tuple[str, ...]
    """The declarations its members belong to."""
    where: str
    """What they have in common: `width is 64`."""
    members: int
    number: int = 0
    """Its place among the stacks of the run, counted from 1."""
    state: str = "running"
    """`running`, `done` or `failed` (all of its members)."""
    active: int = 0
    """Members still trained."""
    share: float = 0.0
    rate: float = 0.0
    """Steps a second, of all members together."""
    points: list[Point] = field(default_factory=list)
    _steps: int = 0
    _time: float = 0.0

    def saw(self, glimpse: Glimpse) -> None:
        """Takes in how it gets on."""
        now = time.monotonic()
        passed, made = now - self._time, glimpse.steps - self._steps
        if self._time and passed > 0.05 and made > 0:
            self.rate = made / passed if not self.rate else SMOOTH * made / passed + (1 - SMOOTH) * self.rate
        self._steps, self._time, self.active = glimpse.steps, now, glimpse.members
        self.points = thinned([*self.points, *glimpse.points], POINTS)


class Live(Watch):
    """Hears how a run gets on and remembers it. Workers are heard from threads of their own."""

    def __init__(
        self, spec: Spec, store: Store, front: Watch, *, warnings: Sequence[Diagnostic] = ()
    ) -> None:
        """The front end hears all that this does, after it."""
        self._front = front
        self.spec, self.warnings = spec, [warning.message for warning in warnings]
        self.started, self.stage_name = time.time(), "planning"
        self.plan: Plan | None = None
        self.scheduler: Scheduler | None = None
        self.missing = 0
        self.holders: Sequence[Holder] = ()
        self.claims: list[Verdict] = []
        """Provisional verdicts of the claims that have all they need; at the end all verdicts."""
        self.looks: tuple[int, ...] = ()
        """Seeds after which claims were looked at, of seeds that go on until all are decided."""
        self.run = ""
        """The name of the folder of the run, once it came to its end."""
        self._sofar = SoFar(store)
        self._estimate = Estimate()
        self._running: dict[int, Training] = {}
        self._over: list[Training] = []
        self._earlier: dict[str, Standing] = {}
        self._count = 0
        self._lock = Lock()

    def planned(self, plan: Plan, missing: int) -> None:
        with self._lock:
            self.plan, self.spec, self.missing, self.stage_name = plan, plan.spec, missing, "computing"
            self._estimate, self._running = Estimate(), {}
        self._front.planned(plan, missing)

    def follows(self, scheduler: Scheduler) -> None:
        self._earlier, self.scheduler = self.standing(), scheduler
        self._sofar.follow(scheduler)
        self._front.follows(scheduler)

    def queued(self, task: Task, seconds: float) -> None:
        with self._lock:
            self._estimate.queued(id(task), seconds)
        self._front.queued(task, seconds)

    def given(self, task: Task) -> None:
        with self._lock:
            self._estimate.dropped(id(task))
        self._front.given(task)

    def waiting(self, holders: Sequence[Holder], nodes: int, arrived: int) -> None:
        self.holders = tuple(holders)
        self._front.waiting(holders, nodes, arrived)

    def part(self, task: Task, share: float) -> None:
        with self._lock:
            self._estimate.part(id(task), share)
            if task.kind == "train":
                self._training(task).share = share
        self._front.part(task, share)

    def seen(self, task: Task, glimpse: Glimpse) -> None:
        with self._lock:
            self._training(task).saw(glimpse)
        self._front.seen(task, glimpse)

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            self._estimate.done(id(task))
            training = self._running.pop(id(task), None)
            if training is not None:
                has_failed = all(isinstance(outcome, Broken) for outcome in outcomes)
                training.state, training.share = ("failed" if has_failed else "done"), 1.0
                self._over = [*self._over, training][-TRAININGS:]
        if not self.is_adaptive:
            self.claims = self._sofar.verdicts(elapsed=self.seconds)
        self._front.done(task, outcomes)

    def stage(self, name: str) -> None:
        self.stage_name = name
        self._front.stage(name)

    def looked(self, looks: Sequence[int], number: int, verdicts: Sequence[Verdict]) -> None:
        self.looks, self.claims = tuple(looks[: number + 1]), list(verdicts)
        self._front.looked(looks, number, verdicts)

    def finished(self, run: str, verdicts: Sequence[Verdict]) -> None:
        """The run came to its end: the name of its folder, and what became of all claims."""
        self.run, self.claims = run, list(verdicts)

    @property
    def is_adaptive(self) -> bool:
        """Whether seeds go on until claims are decided: then claims are told at the looks alone."""
        return any(axis.looks for axis in self.spec.axes.values())

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.time() - self.started

    @property
    def left(self) -> float | None:
        """Seconds that are left; None while nothing is known."""
        with self._lock:
            return self._estimate.seconds() if self.stage_name == "computing" else None

    def standing(self) -> dict[str, Standing]:
        """How each step stands; what earlier looks of this run have computed counts as computed by it."""
        now = {} if self.scheduler is None else self.scheduler.standing()
        for name, before in self._earlier.items():
            if name in now:
                computed = min(now[name].stored, now[name].computed + before.computed)
                seconds = now[name].seconds + before.seconds
                now[name] = replace(now[name], computed=computed, seconds=seconds)
        return now

    def trainings(self) -> list[Training]:
        """Stacks under way, and before them the latest that are over."""
        with self._lock:
            running = list(self._running.values())[:TRAININGS]
            room = TRAININGS - len(running)
            return [*(self._over[-room:] if room else []), *running]

    def _training(self, task: Task) -> Training:
        if id(task) not in self._running:
            self._count += 1
            places = self.scheduler.places_of(task) if self.scheduler else []
            self._running[id(task)] = Training(
                steps=tuple(dict.fromkeys(name for name, _ in places)),
                where=self._shared(places),
                members=len(task.nodes),
                number=self._count,
                active=len(task.nodes),
            )
        return self._running[id(task)]

    def _shared(self, places: Sequence[Place]) -> str:
        """Where all of some places lie, as far as that is one label of an axis: `width is 64`."""
        if self.plan is None or not places:
            return ""
        each = [self.plan[name].labels(i) for name, i in places]
        common = {
            axis: label for axis, label in each[0].items() if all(one.get(axis) == label for one in each)
        }
        return ", ".join(f"{axis} is {spelt(axis, label, self.spec)}" for axis, label in common.items())
