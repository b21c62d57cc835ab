"""One experiment from its file to its report."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from gendsl.check import Options
from gendsl.diagnostic import DiagnosticError
from gendsl.plan import Plan, plan
from gendsl_runtime.device import chosen_device
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.numerics import numerics
from gendsl_runtime.problem import Problem
from gendsl_runtime.reading import file_digest, read_checked
from gendsl_runtime.recipe import Recipe
from gendsl_runtime.saved import current_folder, new_folder
from gendsl_runtime.store import Store
from gendsl_runtime.store.owned import cleared
from gendsl_runtime.store.place import store_place

if TYPE_CHECKING:
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
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finished:
    """A run that came to its end; `folder` holds the report and the data, `seconds` is what it took now."""

    results: Results
    folder: Path
    seconds: float
    is_new: bool = True
    """False where the latest run of the spec already says all that this one would."""


def run(path: str | Path, options: RunOptions | None = None, watch: Watch | None = None) -> Finished:
    """Checks, plans and carries out a spec, decides its claims and writes its report.

    Where nothing is to be computed and the latest run of the spec was of the same text with the same results,
    that run is the answer: no new report is written.

    Raises:
        DiagnosticError: the file is wrong, or its plan is over the limit.
        Problem: the store or the device cannot be used.
    """
    from gendsl_runtime.archive import load  # xarray and pyarrow: not before the file is known to be right

    options, watch = options or RunOptions(), watch or Watch()
    start = perf_counter()
    checked = read_checked(str(path), options.check)
    if checked.spec is None:
        raise DiagnosticError(*checked.diagnostics)
    watch.warned(checked.diagnostics)
    device = chosen_device(options.device)
    planned = plan(
        checked.spec, numerics=numerics(device), max_runs=options.max_runs, file_digest=file_digest
    )
    with Store.open(store_place(Path(path), options.store)) as store:
        cleared(store.path)
        folder = current_folder(store, planned)
        if folder is not None:
            with suppress(Problem):  # a run whose files are damaged is written anew
                return Finished(load(folder), folder, perf_counter() - start, is_new=False)
        results, folder = _carried_out(planned, store, device, options, watch)
    return Finished(results, folder, perf_counter() - start)


def _carried_out(
    planned: Plan, store: Store, device: str, options: RunOptions, watch: Watch
) -> tuple[Results, Path]:
    from gendsl_runtime.archive import save
    from gendsl_runtime.claims import decide
    from gendsl_runtime.execute.compute import computed, recorded
    from gendsl_runtime.report import render_report

    start, started = perf_counter(), datetime.now(UTC)
    store.begin(planned.spec.name, Recipe.of(planned).text())
    scheduler, results = computed(
        planned, store, device=device, workers=options.workers, fuse=options.fuse, watch=watch
    )
    seconds = perf_counter() - start
    store.touch(digest for column in scheduler.progress.digests.values() for digest in column if digest)
    watch.stage("claims")
    with new_folder(store.path / "runs", planned.spec.name) as draft:
        folder = draft.with_name(draft.name[1:])
        record = recorded(
            scheduler,
            name=folder.name,
            started=started,
            seconds=seconds,
            device=device,
            command=options.command,
        )
        results = replace(results, record=record, failures=record.failures)
        results = replace(results, verdicts=decide(results))
        save(results, draft)
        watch.stage("report")
        render_report(results, draft)
    return results, folder


def command_line() -> tuple[str, ...]:
    """The command as typed, for provenance."""
    return ("gen", *sys.argv[1:])
