"""What `import gendsl` offers in Python: run an experiment, load the results of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl_runtime.results import Results


def load(run: str | Path, *, store: str | Path | None = None) -> Results:
    """The results of a finished run: a mapping from each analysis to its `xarray.Dataset`.

    Args:
        run: name of the run or of its experiment, spec file, or path of the run's folder.
        store: the store to look in.

    >>> results = gendsl.load("quickstart")  # doctest: +SKIP
    >>> results["gap"].error.mean("seed")  # doctest: +SKIP
    """
    from gendsl_runtime.archive import load as read
    from gendsl_runtime.saved import run_folder

    return read(run_folder(run, Path(store) if store else None))


def run(
    path: str | Path,
    *,
    set: Mapping[str, object] | None = None,
    preset: str | None = None,
    seeds: str | None = None,
    device: str = "auto",
    workers: int = 1,
    max_runs: int = 1000,
    store: str | Path | None = None,
    allow_python: bool = False,
) -> Results:
    """Carries out a spec, as `gen run` does, and returns its results.

    Args:
        set: values that replace parameters or fields, as in `--set`: `{"width": 32, "length": "5 epochs"}`.
        preset: a preset of the file.
        seeds: replaces the seeds, `"0..4"`.
        allow_python: whether Python files that the spec imports may run; they do so in worker processes.
    """
    from gendsl.check import Options
    from gendsl_runtime.run import RunOptions
    from gendsl_runtime.run import run as carry_out

    changes = tuple((name, _written(value)) for name, value in (set or {}).items())
    options = RunOptions(
        check=Options(overrides=changes, preset=preset, seeds=seeds),
        device=device,
        workers=workers,
        max_runs=max_runs,
        store=Path(store) if store else None,
        allow_python=allow_python,
    )
    return carry_out(path, options).results


def _written(value: object) -> str:
    """A Python value as the language writes it; text stands as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    return "none" if value is None else str(value)
