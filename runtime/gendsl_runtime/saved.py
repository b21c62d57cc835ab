"""Finding the folder of a run that is kept in a store."""

from __future__ import annotations

from pathlib import Path

from gendsl_runtime.store.place import store_place

RESULTS = "results.json"


class UnknownRunError(LookupError):
    """There is no such run; the message says which there are."""


def run_folder(run: str | Path, store: Path | None = None) -> Path:
    """The folder of a run.

    Args:
        run: its name (`quickstart-002`), the name of its experiment (`quickstart`, the latest run of it), a
            spec file (the latest run of it), or the path of its folder, or of a file in that.
        store: the store to look in; by default the one of the spec, or of the working folder.

    Raises:
        UnknownRunError: there is none.
        DiagnosticError: the spec file cannot be read.
    """
    path = Path(run)
    for folder in (path, path.parent):
        if (folder / RESULTS).is_file() and (path.is_dir() or path.is_file()) and path.suffix != ".gen":
            return folder
    if path.suffix == ".gen":
        return _latest(experiment_name(path), store_place(path, store))
    place = store_place(Path("here.gen"), store)
    if path.name == str(run) and (place / "runs" / path.name / RESULTS).is_file():
        return place / "runs" / path.name
    return _latest(str(run), place)


def experiment_name(path: Path) -> str:
    """The name of the experiment in a file; the file's own where it gives none."""
    from gendsl.parse import parse
    from gendsl.source import Source
    from gendsl.tree import Form

    file, _ = parse(Source.read(str(path)))
    heads = [item for item in file.declarations if isinstance(item, Form) and item.kind == "experiment"]
    return heads[0].name.id if heads else path.stem


def run_names(store: Path) -> list[str]:
    """Every run kept in a store, the latest last."""
    found = [folder for folder in (store / "runs").glob("[!.]*") if (folder / RESULTS).is_file()]
    return [folder.name for folder in sorted(found, key=lambda folder: (folder / RESULTS).stat().st_mtime_ns)]


def _latest(name: str, store: Path) -> Path:
    names = run_names(store)
    own = [run for run in names if run.rpartition("-")[0] == name]
    if own:
        return store / "runs" / own[-1]
    raise UnknownRunError(f"there is no run `{name}` in {store}; {_meant(name, names)}")


def _meant(name: str, names: list[str]) -> str:
    from gendsl.words import nearest

    if not names:
        return "it holds no runs yet: make one with `gen run FILE`"
    near = nearest(name, [*names, *(run.rpartition("-")[0] for run in names)])
    return f"did you mean `{near}`?" if near else f"the latest are {', '.join(names[-5:])}"
