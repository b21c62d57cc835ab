"""The results of a plan: computed where they are missing, collected, and told with their provenance."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from datetime import datetime

from gendsl.plan import Plan
from gendsl_runtime.environment import versions
from gendsl_runtime.execute.guard import PATIENCE
from gendsl_runtime.execute.local import Executor, InProcess, Workers
from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.resume import Trainings
from gendsl_runtime.execute.schedule import DAMAGED, DamageError, Scheduler
from gendsl_runtime.execute.task import Broken, Outcome, Task
from gendsl_runtime.execute.turns import Turns
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.problem import Problem
from gendsl_runtime.python import codes
from gendsl_runtime.record import Failure, RunRecord, StepRecord
from gendsl_runtime.results import Results, collect
from gendsl_runtime.saved import whole
from gendsl_runtime.store import Damaged, Store
from gendsl_runtime.store.checkpoints import Checkpoints
from gendsl_runtime.store.leases import Leases
from gendsl_runtime.store.payload import unpack
from gendsl_runtime.train.glimpse import Glimpse


def computed(
    planned: Plan,
    store: Store,
    *,
    device: str,
    workers: int,
    fuse: bool = True,
    watch: Watch,
    fail_fast: bool = False,
    patience: float = PATIENCE,
) -> tuple[Scheduler, Results]:
    """Everything the plan names, computed or read; starts over where stored results are damaged.

    Python of the user's runs in worker processes, also where there is one: what it does there harms nobody else.

    Raises:
        Problem: the store cannot be written, or a result is damaged again after it was computed anew.
        KeyboardInterrupt: Ctrl-C or SIGTERM, with what to say about it; trainings under way have left checkpoints.
    """
    checkpoints = Checkpoints(store.path)
    performer, trainings = Performer(store.read, checkpoints), Trainings(store, checkpoints)
    has_code = any(codes((planned.spec.steps, planned.spec.axes)))
    executor: Executor = InProcess(performer)
    if workers > 1 or has_code:
        executor = Workers(workers, store.path, is_allowed=has_code, patience=patience)
    leases = Leases(store.path)
    try:
        seen: set[str] = set()
        while True:
            turns = Turns(store, leases, watch)
            scheduler = Scheduler(planned, store, performer, executor, turns, device=device, fuse=fuse)
            watch.planned(planned, scheduler.missing())
            watch.follows(scheduler)
            try:
                heard = _Heard(watch, trainings)
                scheduler.run(heard.part, _ending(heard.done) if fail_fast else heard.done, heard.queued)
                return scheduler, _collected(planned, scheduler, store)
            except Damaged as damage:
                found = {damage.message}
            except DamageError as damage:
                found = damage.results
            if found & seen:
                raise Problem(
                    "store-damaged",
                    f"results in {store.path} are damaged again right after they were computed anew",
                    help="check the disk, or use another store with `--store PATH`",
                )
            seen |= found
    except KeyboardInterrupt:
        executor.close()
        raise KeyboardInterrupt(trainings.left()) from None
    finally:
        executor.close()
        leases.close()


class _Heard:
    """Tells both the front end and what looks after checkpoints."""

    def __init__(self, watch: Watch, trainings: Trainings) -> None:
        self._watch, self._trainings = watch, trainings

    def queued(self, task: Task, seconds: float) -> None:
        self._trainings.queued(task)
        self._watch.queued(task, seconds)

    def part(self, task: Task, sign: float | Glimpse) -> None:
        if isinstance(sign, Glimpse):
            self._watch.seen(task, sign)
        else:
            self._watch.part(task, sign)

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        self._trainings.done(task, outcomes)
        self._watch.done(task, outcomes)


def _ending(done: Callable[[Task, Sequence[Outcome]], None]) -> Callable[[Task, Sequence[Outcome]], None]:
    """Hears of finished tasks as `done` does, and ends everything at the first node that failed."""

    def heard(task: Task, outcomes: Sequence[Outcome]) -> None:
        done(task, outcomes)
        for outcome in outcomes:
            if isinstance(outcome, Broken) and outcome.code != DAMAGED:
                what = "a training" if task.kind == "train" else f"`{task.component}`"
                raise Problem(
                    outcome.code,
                    f"{what} failed, and nothing is begun after that: {outcome.reason}",
                    help=outcome.help,
                )

    return heard


def _collected(planned: Plan, scheduler: Scheduler, store: Store) -> Results:
    nodes = {
        name: [
            None if digest is None else unpack(store.read(digest))[0]
            for digest in scheduler.progress.digests[name]
        ]
        for name, step in planned.steps.items()
        if step.step.kind == "analysis"
    }
    return collect(planned.spec, nodes)


def recorded(
    scheduler: Scheduler,
    *,
    earlier: Sequence[Scheduler] = (),
    name: str,
    started: datetime,
    seconds: float,
    device: str,
    command: tuple[str, ...],
) -> RunRecord:
    """How the run went: what was computed and what failed, with what, and where.

    Args:
        earlier: those of the looks before, where seeds went on; what they have computed counts as computed now.
    """
    planned = scheduler.plan
    return RunRecord(
        run=name,
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        command=command,
        device=device,
        versions=versions(),
        machine={
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": str(os.cpu_count()),
        },
        steps=tuple(_step_record(planned, scheduler, earlier, step) for step in planned.steps),
        failures=failures(scheduler),
    )


def failures(scheduler: Scheduler) -> tuple[Failure, ...]:
    """Every node without a result, and why."""
    return tuple(
        Failure(
            step,
            scheduler.plan[step].labels(i),
            fault.broken.reason,
            code=fault.broken.code,
            help=fault.broken.help,
            began=fault.began,
        )
        for (step, i), fault in sorted(scheduler.progress.broken.items(), key=lambda item: item[0])
    )


def _step_record(planned: Plan, scheduler: Scheduler, earlier: Sequence[Scheduler], name: str) -> StepRecord:
    step = planned.steps[name]
    digests = scheduler.progress.digests[name]
    tallies = [one.progress.tallies[name] for one in (*earlier, scheduler)]
    failed = digests.count(None)
    # What takes all seeds together is computed anew at each look.
    computed = min(sum(tally.computed for tally in tallies), step.count - failed)
    return StepRecord(
        name=name,
        kind=step.step.kind,
        component=step.step.component,
        total=step.count,
        computed=computed,
        cached=step.count - computed - failed,
        failed=failed,
        seconds=sum(tally.seconds for tally in tallies),
        inputs=tuple(sorted(planned.graph.predecessors(name))),
        digest=whole(digests),
    )
