"""What `import gendsl` offers in Python: run an experiment, load the results of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl_runtime.results import Results

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from gendsl_runtime.execute.watch import Watch


@dataclass(frozen=True, repr=False)
class Run(Results):
    """A finished run: `run["gap"]` is the `xarray.Dataset` of the analysis `gap`."""

    folder: Path = Path()
    """Where its report and data are."""

    @property
    def claims(self) -> list[dict[str, Any]]:
        """Every verdict as a record of plain values: name, text, outcome, estimate, low, high, p_value ..."""
        return [asdict(verdict) for verdict in self.verdicts]

    @property
    def figures(self) -> dict[str, alt.TopLevelMixin]:
        """Every figure as an Altair chart, by its name.

        Raises:
            Problem: one of them cannot be drawn.
        """
        from gendsl_runtime.report.figure import figure

        return {plot.name: figure(plot, self) for plot in self.spec.plots}

    def to_dataframe(self, name: str) -> pd.DataFrame:
        """The analysis as a tidy table: a row for each coordinate, its axes and quantities as columns."""
        return self[name].to_dataframe().reset_index()

    def __repr__(self) -> str:
        found = ", ".join(f"{verdict.name} {verdict.outcome}" for verdict in self.verdicts)
        return f"<run {self.folder.name}: {found or 'no claims'}; analyses {', '.join(self)}>"

    def _repr_html_(self) -> str:
        """Verdicts and figures, for notebooks."""
        from gendsl_runtime.report.notebook import cell

        return cell(self, str(self.folder / "report.html"))


def found_in(folder: Path, results: Results) -> Run:
    """The results of a run together with its folder."""
    return Run(**{one.name: getattr(results, one.name) for one in fields(Results)}, folder=folder)


def load(run: str | Path, *, store: str | Path | None = None) -> Run:
    """The results of a finished run: a mapping from each analysis to its `xarray.Dataset`.

    Args:
        run: name of the run or of its experiment, spec file, or path of the run's folder.
        store: the store to look in.

    >>> results = gendsl.load("quickstart")  # doctest: +SKIP
    >>> results["gap"].error.mean("seed")  # doctest: +SKIP
    """
    from gendsl_runtime.archive import load as read
    from gendsl_runtime.saved import run_folder

    folder = run_folder(run, Path(store) if store else None)
    return found_in(folder, read(folder))


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
    watch: Watch | None = None,
) -> Run:
    """Carries out a spec, as `gen run` does, and returns its results.

    Args:
        path: a spec file, or the text of a spec (whatever has more than one line). A text is kept in the store
            and read from there: files that it names relative to itself must be named in full.
        set: values that replace parameters or fields, as in `--set`: `{"width": 32, "length": "5 epochs"}`.
        preset: a preset of the file.
        seeds: replaces the seeds, `"0..4"`.
        allow_python: whether Python files that the spec imports may run; they do so in worker processes.
        watch: hears how the run gets on.

    Raises:
        DiagnosticError: the spec is wrong.
        Problem: it cannot be run here.
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
    finished = carry_out(_file(path, options.store), options, watch)
    return found_in(finished.folder, finished.results)


def _file(path: str | Path, store: Path | None) -> Path:
    """The file of a spec; a text gets one of its own in the store, named after its digest."""
    if isinstance(path, Path) or "\n" not in path:
        return Path(path)
    from gendsl_runtime.store.place import store_place

    digest = sha256(path.encode()).hexdigest()[:12]
    file = store_place(Path.cwd() / "cell.gen", store) / "cells" / digest / "cell.gen"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(path, encoding="utf-8")
    return file


def _written(value: object) -> str:
    """A Python value as the language writes it; text stands as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    return "none" if value is None else str(value)


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext gendsl` does: the cell magic `%%gen`."""
    from gendsl_runtime.face.magic import Magic

    shell.register_magics(Magic)
