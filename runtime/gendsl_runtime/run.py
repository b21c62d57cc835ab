"""One experiment from its file to its report."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from gendsl.check import Options
from gendsl.diagnostic import DiagnosticError
from gendsl.plan import Plan, plan
from gendsl.spec import Spec
from gendsl.spec.looks import adaptive, with_seeds
from gendsl_runtime.claims.verdict import Verdict
from gendsl_runtime.device import chosen_device
from gendsl_runtime.execute.guard import PATIENCE
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.json_numbers import loose
from gendsl_runtime.lock import found_lock, hold, lock, pinned_seeds, written
from gendsl_runtime.numerics import numerics
from gendsl_runtime.permission import has_code
from gendsl_runtime.reading import file_digest, read_checked
from gendsl_runtime.recipe import Recipe
from gendsl_runtime.saved import current_run, last_seeds, new_folder
from gendsl_runtime.store import Store
from gendsl_runtime.store.owned import cleared
from gendsl_runtime.store.place import store_place

if TYPE_CHECKING:
    from gendsl_runtime.execute.schedule import Scheduler
    from gendsl_runtime.results import Results


@dataclass(frozen=True)
class RunOptions:
    """How a spec is carried out; nothing here changes what its results are, but for `check` and `device`."""

    check: Options = field(default_factory=Options)
    device: str = "auto"
    workers: int = 1
    fuse: bool = True
    """Whether trainings that can share a stack do; the results are the same to the bit."""
    max_runs: int = 1000
    store: Path | None = None
    is_locked: bool = False
    """Refuses to run where anything differs from the lock of the spec."""
    fail_fast: bool = False
    """Ends at the first node that fails."""
    allow_python: bool = False
    """Whether Python files that the spec imports may run; `gendsl.toml` may say so as well."""
    patience: float = PATIENCE
    """Seconds without progress after which the user's own Python is ended."""
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finished:
    """A run that came to its end; `folder` holds the report and the data, `seconds` is what it took now."""

    folder: Path
    seconds: float
    spec: Spec
    verdicts: tuple[Verdict, ...]
    made: Results | None = None
    """None where the latest run of the spec already says all that this one would."""

    @property
    def is_new(self) -> bool:
        """Whether there is a new report."""
        return self.made is not None

    @cached_property
    def results(self) -> Results:
        """What was found; read from the folder where nothing was computed."""
        from gendsl_runtime.archive import load

        return load(self.folder) if self.made is None else self.made


def run(path: str | Path, options: RunOptions | None = None, watch: Watch | None = None) -> Finished:
    """Checks, plans and carries out a spec, decides its claims and writes its report.

    Where nothing is to be computed and the latest run of the spec was of the same text with the same results,
    that run is the answer: no new report is written.

    Raises:
        DiagnosticError: the file is wrong, its plan is over the limit, or it imports Python that may not run.
        Problem: the store or the device cannot be used, the run is not what its lock pins, or a node failed with
            `fail_fast`.
    """
    options, watch = options or RunOptions(), watch or Watch()
    start = perf_counter()
    checked = read_checked(str(path), options.check)
    if checked.spec is None:
        raise DiagnosticError(*checked.diagnostics)
    watch.warned(checked.diagnostics)
    has_code(checked.spec, is_allowed=options.allow_python)
    device = chosen_device(options.device)
    plans = _Plans(checked.spec, numerics(device), options.max_runs)
    first = plans.of(0)
    with Store.open(store_place(Path(path), options.store)) as store:
        cleared(store.path)
        pinned = found_lock(Path(path), store.path) if options.is_locked else None
        if pinned:
            hold(pinned, lock(plans.of(pinned_seeds(pinned))))
        latest = plans.of(last_seeds(first.spec.name, store.path))
        current = current_run(store, latest)
        if current is not None:
            folder, content = current
            verdicts = tuple(Verdict.restored(verdict) for verdict in loose(content["verdicts"]))
            return Finished(folder, perf_counter() - start, latest.spec, verdicts)
        from gendsl_runtime.progress.journal import followed

        warnings = checked.diagnostics
        with followed(first.spec, store, watch, warnings=warnings, command=options.command) as live:
            results, folder = _carried_out(plans, store, device, options, live, pinned)
            live.finished(folder.name, results.verdicts)
    return Finished(folder, perf_counter() - start, results.spec, results.verdicts, results)


@dataclass(frozen=True)
class _Plans:
    """The plans of a spec, one for each look at its claims; where seeds are fixed there is one."""

    spec: Spec
    numerics: str
    max_runs: int
    _made: dict[int, Plan] = field(default_factory=dict)

    @property
    def looks(self) -> tuple[int, ...]:
        """The seeds of each look; a single 0 where they are fixed."""
        axis = adaptive(self.spec)
        return (0,) if axis is None else axis.looks

    def of(self, seeds: int) -> Plan:
        """The plan of the look with so many seeds; of the first where none has."""
        seeds = seeds if seeds in self.looks else self.looks[0]
        if seeds not in self._made:
            spec = with_seeds(self.spec, seeds)
            self._made[seeds] = plan(
                spec, numerics=self.numerics, max_runs=self.max_runs, file_digest=file_digest
            )
        return self._made[seeds]


def _decided(
    plans: _Plans, store: Store, device: str, options: RunOptions, watch: Watch
) -> tuple[Results, list[Scheduler]]:
    """Computes what is missing and decides the claims, with more seeds until all of them are, where seeds go on."""
    from gendsl_runtime.claims.decide import decide
    from gendsl_runtime.claims.looks import is_open
    from gendsl_runtime.execute.compute import computed, failures

    schedulers: list[Scheduler] = []
    verdicts: tuple[Verdict, ...] = ()
    for number, seeds in enumerate(plans.looks):
        planned = plans.of(seeds)
        store.begin(planned.spec.name, Recipe.of(planned).text())
        scheduler, results = computed(
            planned,
            store,
            device=device,
            workers=options.workers,
            fuse=options.fuse,
            watch=watch,
            fail_fast=options.fail_fast,
            patience=options.patience,
        )
        schedulers.append(scheduler)
        watch.stage("claims")
        verdicts = decide(replace(results, failures=failures(scheduler)), verdicts)
        if seeds:
            watch.looked(plans.looks, number, verdicts)
        if not any(is_open(verdict) for verdict in verdicts):
            break
    return replace(results, verdicts=verdicts), schedulers


def _carried_out(
    plans: _Plans, store: Store, device: str, options: RunOptions, watch: Watch, pinned: Path | None
) -> tuple[Results, Path]:
    from gendsl_runtime.archive import save
    from gendsl_runtime.execute.compute import recorded
    from gendsl_runtime.report.render import render_report

    start, started = perf_counter(), datetime.now(UTC)
    results, (*earlier, scheduler) = _decided(plans, store, device, options, watch)
    seconds, planned = perf_counter() - start, scheduler.plan
    locked = lock(planned, scheduler.progress.digests)
    if pinned:
        hold(pinned, locked)
    store.touch(digest for column in scheduler.progress.digests.values() for digest in column if digest)
    with new_folder(store.path / "runs", planned.spec.name) as draft:
        folder = draft.with_name(draft.name[1:])
        record = recorded(
            scheduler,
            earlier=earlier,
            name=folder.name,
            started=started,
            seconds=seconds,
            device=device,
            command=options.command,
        )
        results = replace(results, record=record, failures=record.failures)
        save(results, draft)
        (draft / f"{planned.spec.name}.lock").write_text(written(locked), encoding="utf-8")
        watch.stage("report")
        render_report(results, draft)
    return results, folder


def command_line() -> tuple[str, ...]:
    """The command as typed, for provenance."""
    return ("gen", *sys.argv[1:])
