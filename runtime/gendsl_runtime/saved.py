"""The folders of runs that are kept in a store: finding one, making one."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from gendsl.plan import Plan
from gendsl.spec import Spec
from gendsl.spec.looks import adaptive
from gendsl_runtime.store import Store
from gendsl_runtime.store.faults import told
from gendsl_runtime.store.owned import held
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


def times(store: Path) -> dict[str, str]:
    """What the latest whole run of each experiment took that trained all its networks, by the experiment's name."""
    found: dict[str, str] = {}
    for run in run_names(store):
        try:
            content = json.loads((store / "runs" / run / RESULTS).read_text(encoding="utf-8"))
            record, preset = content["record"], content["spec"]["preset"]
            trained = [step for step in record["steps"] if step["kind"] == "train"]
            is_whole = not content["failures"] and not any(step["cached"] for step in trained)
            if is_whole:
                with_preset = f" with preset {preset}" if preset else ""
                found[str(content["spec"]["name"])] = f"{float(record['seconds']):.0f} s{with_preset}"
        except (OSError, ValueError, KeyError, TypeError):
            continue  # written by another version
    return found


def last_folders(store: Path, number: int) -> list[Path]:
    """The folders of the last `number` runs of every experiment."""
    by_name: dict[str, list[str]] = {}
    for run in run_names(store):
        by_name.setdefault(run.rpartition("-")[0], []).append(run)
    return [store / "runs" / run for own in by_name.values() for run in sorted(own, key=_number)[-number:]]


def last_spec(name: str, store: Path) -> Spec | None:
    """The experiment `name` as it was when it last ran with the store in this folder; None if never."""
    try:
        content = json.loads((_latest(name, store) / RESULTS).read_text(encoding="utf-8"))
        return Spec.model_validate(content["spec"])
    except (OSError, ValueError, KeyError, TypeError, UnknownRunError):
        return None  # none, or written by another version: then there is nothing to compare with


def last_seeds(name: str, store: Path) -> int:
    """How many seeds the latest run of an experiment had, where they went on until claims were decided; else 0."""
    spec = last_spec(name, store)
    axis = adaptive(spec) if spec is not None else None
    return len(axis.values) if axis is not None else 0


def current_run(store: Store, planned: Plan) -> tuple[Path, dict[str, Any]] | None:
    """The latest run of this spec, where it holds all that a run would find now: its folder and `results.json`.

    That is: the same text and parameters, every result in the store, none failed, made by this version, and every
    file as it was written.
    """
    try:
        folder = _latest(planned.spec.name, store.path)
        content: dict[str, Any] = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
        record, spec = content["record"], content["spec"]
        steps = {step["name"]: step["digest"] for step in record["steps"]}
        if content["failures"] or record["versions"]["gendsl"] != metadata.version("gendsl"):
            return None
        if any(file_digest(folder / name) != digest for name, digest in content["files"].items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UnknownRunError):
        return None  # none yet, or written by another version
    if spec != planned.spec.model_dump(mode="json") or not (folder / "report.html").is_file():
        return None
    for step in planned:
        keys = [step.recipe_key(i) for i in range(step.count)]
        found = store.lookup(keys)
        if steps.get(step.name) != whole([found.get(key) for key in keys]):
            return None
    return folder, content


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole(digests: Sequence[str | None]) -> str:
    """One digest for all nodes of a step, in order; a node without a result counts as such."""
    return sha256("".join(digest or "-" for digest in digests).encode()).hexdigest()


@contextmanager
def new_folder(runs: Path, name: str) -> Iterator[Path]:
    """A fresh folder `NAME-001` for a run: reserved at once, there when all of it is written.

    Yields the draft; its name without the leading dot is the run's.

    Raises:
        Problem: `disk-full` or `store-unwritable`; nothing half-written is left.
    """
    number = re.compile(rf"\.?{re.escape(name)}-(\d+)")
    with told(runs):
        runs.mkdir(parents=True, exist_ok=True)
        taken = [int(found[1]) for path in runs.iterdir() if (found := number.fullmatch(path.name))]
        with _reserved(runs, name, 1 + max(taken, default=0)) as draft:
            try:
                yield draft
                draft.rename(runs / draft.name[1:])
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise


@contextmanager
def _reserved(runs: Path, name: str, number: int) -> Iterator[Path]:
    """The draft folder of the first free number: two runs at once get two. Held until its process ends."""
    while True:
        draft = runs / f".{name}-{number:03d}"
        try:
            draft.mkdir()
        except FileExistsError:
            number += 1
            continue
        with held(draft) as is_there:
            if is_there:
                yield draft
                return


def _latest(name: str, store: Path) -> Path:
    names = run_names(store)
    # By number, not by time: a clock may have been set back.
    own = [run for run in names if run.rpartition("-")[0] == name]
    if own:
        return store / "runs" / max(own, key=_number)
    raise UnknownRunError(f"there is no run `{name}` in {store}; {_meant(name, names)}")


def _number(run: str) -> int:
    """The number of a run: `quickstart-002` is 2. A folder that a person has renamed comes first."""
    digits = run.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0


def _meant(name: str, names: list[str]) -> str:
    from gendsl.words import nearest

    if not names:
        return "it holds no runs yet: make one with `gen run FILE`"
    near = nearest(name, [*names, *(run.rpartition("-")[0] for run in names)])
    return f"did you mean `{near}`?" if near else f"the latest are {', '.join(names[-5:])}"
