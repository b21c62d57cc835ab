"""`gen gallery`: runs the experiments that come with GenDSL and shows them side by side."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from gendsl_runtime.cli.options import add_store, count, folder

if TYPE_CHECKING:
    from gendsl_runtime.report.gallery import Exhibit
    from gendsl_runtime.run import Finished
    from gendsl_runtime.shipped import Shipped

HELP = "run the experiments that come with GenDSL and show them side by side"
EXAMPLES = """\
What is stored is not computed again, so that a second time takes seconds.

exit codes: 0 fine, 2 the command line is wrong, 3 an experiment failed (the page says which, and why),
            130 stopped with Ctrl-C: the same command goes on

examples:
  gen gallery --preset smoke
  gen gallery --only flat_minima --only double_descent --workers 2
  gen gallery --only mine.gen --only yours.gen --output ours
"""
OUTPUT = Path("gallery")
OWN = "your own"
"""The family of the user's files."""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen gallery`."""
    parser.add_argument("--preset", metavar="NAME", help="use this preset of every experiment, e.g. smoke")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="SPEC",
        help="only this shipped experiment or .gen file; may be given several times",
    )
    parser.add_argument(
        "--output", type=folder, default=OUTPUT, metavar="FOLDER", help=f"where the page goes ({OUTPUT})"
    )
    parser.add_argument(
        "--workers", type=count, default=1, metavar="N", help="worker processes (1: this one)"
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute (auto)"
    )
    parser.add_argument(
        "--allow-python", action="store_true", help="run Python that your own files import (shipped: always)"
    )
    add_store(parser)


def main(arguments: argparse.Namespace) -> int:
    """Writes the page and a folder for each experiment; 3 where one of them failed."""
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.report.gallery import GENERATOR, INDEX, render_gallery, tally

    output: Path = arguments.output
    if (output / INDEX).exists() and f'content="{GENERATOR}"'.encode() not in (output / INDEX).read_bytes():
        raise UsageError(
            f"{output / INDEX} is a page of another kind, and is left as it is; give another --output"
        )
    specs = _chosen(arguments.only)
    _made(output)
    exhibits: list[Exhibit] = []
    for place, one in enumerate(specs, 1):
        print(f"[{place}/{len(specs)}] {one.name}", file=sys.stderr, flush=True)
        exhibits.append(_exhibited(one, arguments))
        if exhibits[-1].fault:
            print(f"  failed: {exhibits[-1].fault}", file=sys.stderr)
        # Written after each, so that what is there can be looked at while the rest runs.
        page = render_gallery(exhibits, output, preset=arguments.preset)
    said = ", ".join(f"{number} {word}" for word, number in tally(exhibits).items())
    lost = [one.name for one in exhibits if one.fault or one.failures]
    print(
        f"{len(exhibits)} experiment{'s' * (len(exhibits) != 1)}: {said or 'no claims'}"
        + (f"; failed: {', '.join(lost)}" if lost else "")
    )
    print(f"gallery: {page}")
    return 3 if lost else 0


def _chosen(names: Sequence[str]) -> list[Shipped]:
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.report.gallery import INDEX
    from gendsl_runtime.shipped import Shipped, UnknownSpecError, named, shipped

    found: list[Shipped] = []
    for name in names:
        path = Path(name)
        try:
            found.append(
                Shipped(path.stem, path) if path.suffix == ".gen" and path.is_file() else named(name)
            )
        except UnknownSpecError as error:
            missing = f"there is no file {path}, and " if path.suffix == ".gen" else ""
            raise UsageError(f"{missing}{error}") from None
    found = list(dict.fromkeys(found)) if names else list(shipped())
    twice = [one.name for k, one in enumerate(found) if one.name in [other.name for other in found[:k]]]
    if twice:
        raise UsageError(f"two of these files are called `{twice[0]}`: a gallery has room for one")
    strange = [one.path for one in found if one.name in (".", "..", INDEX)]
    if strange:
        raise UsageError(f"{strange[0]} has no name that a folder of the gallery can have; give it another")
    if not found:
        raise UsageError(
            "no experiments come with this installation; name files of your own: --only FILE.gen"
        )
    return found


def _made(folder: Path) -> None:
    """The folder is there and can be written to, before anything is computed for it."""
    from gendsl_runtime.cli.options import UsageError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{folder} cannot be written to: {reason}; give another --output") from None


def _exhibited(one: Shipped, arguments: argparse.Namespace) -> Exhibit:
    """One experiment, run where it is not stored. Whatever goes wrong is its fault, and the others go on."""
    from gendsl.diagnostic import DiagnosticError
    from gendsl.render import render
    from gendsl_runtime.problem import Problem
    from gendsl_runtime.report.gallery import Exhibit, exhibit
    from gendsl_runtime.report.render import PAGE

    family = one.family if _is_shipped(one) else OWN
    try:
        finished = _run(one, arguments)
        _copied(finished.folder, arguments.output / one.name)
        report = f"{quote(one.name)}/{PAGE}"
        return exhibit(finished.results, finished.folder, name=one.name, family=family, report=report)
    except DiagnosticError as error:
        wrong = [found for found in error.diagnostics if found.severity == "error"]
        fault = render(wrong or error.diagnostics, color=False)
    except Problem as error:
        fault = f"{error} ({error.code})"
    except Exception as error:
        # An unexpected error is shown like any other: the experiments that follow do not depend on it.
        fault = f"{type(error).__name__}: {error}"
    return Exhibit(name=one.name, family=family, title=_title(one), fault=fault.strip())


def _run(one: Shipped, arguments: argparse.Namespace) -> Finished:
    from gendsl.check import Options
    from gendsl_runtime.cli.progress import View
    from gendsl_runtime.run import RunOptions, command_line, run
    from gendsl_runtime.store.place import store_place

    options = RunOptions(
        check=Options(preset=arguments.preset),
        device=arguments.device,
        workers=arguments.workers,
        # The user's store, not one beside the files that came with GenDSL.
        store=store_place(Path("here.gen"), arguments.store),
        # Python that comes with GenDSL is trusted like the rest of it.
        allow_python=arguments.allow_python or _is_shipped(one),
        command=command_line(),
    )
    with View() as view:
        return run(one.path, options, view)


def _is_shipped(one: Shipped) -> bool:
    from gendsl_runtime.shipped import shipped

    return one in shipped()


def _title(one: Shipped) -> str:
    from gendsl.diagnostic import DiagnosticError

    try:
        return one.title
    except (DiagnosticError, OSError, ValueError):
        return one.short


def _copied(run: Path, target: Path) -> None:
    """The run's folder with its report, figures and data; what is there already is not written again."""
    for path in (path for path in run.rglob("*") if path.is_file()):
        copy = target / path.relative_to(run)
        old, new = (copy.stat() if copy.exists() else None), path.stat()
        if old is None or (old.st_size, old.st_mtime_ns) != (new.st_size, new.st_mtime_ns):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
