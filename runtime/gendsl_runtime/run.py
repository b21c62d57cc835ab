"""One experiment from its file to its report."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from time import perf_counter

from gendsl.check import Options
from gendsl.plan import Plan, plan
from gendsl_runtime.archive import save
from gendsl_runtime.claims import decide
from gendsl_runtime.device import chosen_device
from gendsl_runtime.execute.local import Executor, InProcess, Workers
from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Outcome, Task
from gendsl_runtime.numerics import numerics
from gendsl_runtime.problem import Problem
from gendsl_runtime.reading import file_digest, read_spec
from gendsl_runtime.record import Failure, RunRecord, StepRecord
from gendsl_runtime.report import render_report
from gendsl_runtime.results import Results, collect
from gendsl_runtime.schedule import DamageError, Scheduler
from gendsl_runtime.store import Damaged, Store
from gendsl_runtime.store.faults import told
from gendsl_runtime.store.payload import unpack
from gendsl_runtime.store.place import store_place

REPAIRS = 3
"""How often a run starts over because a stored result turned out damaged."""
DISTRIBUTIONS = ("gendsl", "torch", "numpy", "scipy", "scikit-learn", "xarray", "altair", "vl-convert-python")


@dataclass(frozen=True)
class RunOptions:
    """How a spec is carried out; nothing here changes what its results are, but for `check` and `device`."""

    check: Options = field(default_factory=Options)
    device: str = "auto"
    workers: int = 1
    max_runs: int = 1000
    store: Path | None = None
    command: tuple[str, ...] = ()


class Watch:
    """What a run tells while it goes on; a front end overrides what it shows."""

    def planned(self, plan: Plan, missing: int) -> None:
        """The plan is made; `missing` of its nodes must be computed."""

    def part(self, task: Task, share: float) -> None:
        """A share of a task is done."""

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        """A task is done."""

    def stage(self, name: str) -> None:
        """What comes next: `claims`, `report`."""


@dataclass(frozen=True)
class Finished:
    """A run that came to its end; `folder` holds the report and the data."""

    results: Results
    folder: Path


def run(path: str | Path, options: RunOptions | None = None, watch: Watch | None = None) -> Finished:
    """Checks, plans and carries out a spec, decides its claims and writes its report.

    Raises:
        DiagnosticError: the file is wrong, or its plan is over the limit.
        Problem: the store or the device cannot be used.
    """
    options, watch = options or RunOptions(), watch or Watch()
    start, started = perf_counter(), datetime.now(UTC)
    spec = read_spec(str(path), options.check)
    device = chosen_device(options.device)
    planned = plan(spec, numerics=numerics(device), max_runs=options.max_runs, file_digest=file_digest)
    with Store.open(store_place(Path(path), options.store)) as store:
        scheduler, results = _computed(planned, store, device, options, watch)
        watch.stage("claims")
        seconds = perf_counter() - start
        with new_folder(store.path / "runs", spec.name) as draft:
            folder = draft.with_name(draft.name[1:])
            record = _record(planned, scheduler, folder.name, started, seconds, device, options.command)
            results = replace(results, record=record, failures=record.failures)
            results = replace(results, verdicts=decide(results))
            save(results, draft)
            watch.stage("report")
            render_report(results, draft)
    return Finished(results, folder)


def _computed(
    planned: Plan, store: Store, device: str, options: RunOptions, watch: Watch
) -> tuple[Scheduler, Results]:
    """Everything the plan names, computed or read; starts over where a stored result is damaged."""
    performer = Performer(store.read)
    executor: Executor = Workers(options.workers, store.path) if options.workers > 1 else InProcess(performer)
    try:
        for _ in range(REPAIRS):
            scheduler = Scheduler(planned, store, performer, executor, device=device)
            watch.planned(planned, scheduler.missing())
            try:
                scheduler.run(watch.part, watch.done)
                return scheduler, _collected(planned, scheduler, store)
            except (Damaged, DamageError):
                continue
    finally:
        executor.close()
    raise Problem(
        "store-damaged",
        f"stored results in {store.path} turn out damaged as often as they are computed",
        help="check the disk, or use another store with `--store PATH`",
    )


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


def _record(
    planned: Plan,
    scheduler: Scheduler,
    name: str,
    started: datetime,
    seconds: float,
    device: str,
    command: tuple[str, ...],
) -> RunRecord:
    progress = scheduler.progress
    failures = tuple(
        Failure(
            step,
            planned[step].labels(i),
            fault.broken.reason,
            code=fault.broken.code,
            help=fault.broken.help,
            began=fault.began,
        )
        for (step, i), fault in sorted(progress.broken.items(), key=lambda item: item[0])
    )
    return RunRecord(
        run=name,
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        command=command,
        device=device,
        versions={"python": platform.python_version(), **{d: metadata.version(d) for d in DISTRIBUTIONS}},
        machine={
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": str(os.cpu_count()),
        },
        steps=tuple(_step_record(planned, scheduler, step) for step in planned.steps),
        failures=failures,
    )


def _step_record(planned: Plan, scheduler: Scheduler, name: str) -> StepRecord:
    step = planned.steps[name]
    digests, tally = scheduler.progress.digests[name], scheduler.progress.tallies[name]
    failed = digests.count(None)
    return StepRecord(
        name=name,
        kind=step.step.kind,
        component=step.step.component,
        total=step.count,
        computed=tally.computed,
        cached=step.count - tally.computed - failed,
        failed=failed,
        seconds=tally.seconds,
        inputs=tuple(sorted(planned.graph.predecessors(name))),
        digest=hashlib.sha256("".join(digest or "-" for digest in digests).encode()).hexdigest(),
    )


@contextmanager
def new_folder(runs: Path, name: str) -> Iterator[Path]:
    """A fresh folder `NAME-001` for a run: reserved at once, there when all of it is written.

    Yields the draft; its name without the leading dot is the run's.

    Raises:
        Problem: `disk-full` or `store-unwritable`; nothing half-written is left.
    """
    with told(runs):
        runs.mkdir(parents=True, exist_ok=True)
        taken = [int(p.name.rpartition("-")[2]) for p in runs.glob(f"*{name}-[0-9]*")]
        draft = _reserved(runs, name, 1 + max(taken, default=0))
        try:
            yield draft
            draft.rename(runs / draft.name[1:])
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise


def _reserved(runs: Path, name: str, number: int) -> Path:
    """The draft folder of the first free number: two runs at once get two."""
    while True:
        draft = runs / f".{name}-{number:03d}"
        try:
            draft.mkdir()
        except FileExistsError:
            number += 1
            continue
        return draft


def command_line() -> tuple[str, ...]:
    """The command as typed, for provenance."""
    return ("gen", *sys.argv[1:])
