"""Arguments that several commands share: which spec, and what is changed in it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from gendsl.check import Options
    from gendsl.diagnostic import Diagnostic


LONGEST = 1e7
"""Seconds that may be waited for: no system's clock waits for ever."""


def exit_code(diagnostics: Iterable[Diagnostic]) -> int:
    """0 without errors, 2 where all of them are about what the command line says, else 1."""
    wrong = [found for found in diagnostics if found.severity == "error"]
    if not wrong:
        return 0
    return 2 if all(found.source.path.startswith("--") for found in wrong) else 1


def is_coloured(stream: TextIO) -> bool:
    """Whether colours are wanted there: a terminal, and no NO_COLOR (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def count(text: str) -> int:
    """A whole number from 1, as an argument."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"takes a whole number, at least 1; found `{text}`")
    return int(text)


def duration(text: str) -> float:
    """Seconds, from a length of time such as `10 min`, as an argument."""
    from gendsl.quantity import in_base

    written = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", text)
    try:
        value, unit = in_base(float(written[1]), written[2]) if written else (0.0, "")
    except (KeyError, ValueError):
        value, unit = 0.0, ""
    if unit != "s" or not 0 < value < LONGEST:
        raise argparse.ArgumentTypeError(
            f'takes a length of time, "90 s" or "10 min" or "2 h"; found `{text}`'
        )
    return float(value)


def folder(text: str) -> Path:
    """A folder that is there or can be made, as an argument."""
    path = Path(text).expanduser()
    try:
        is_wrong = not text or (path.exists() and not path.is_dir())
    except (OSError, ValueError):
        is_wrong = True
    if is_wrong:
        raise argparse.ArgumentTypeError(f"takes a folder; `{text}` is none")
    return path


def add_spec(parser: argparse.ArgumentParser) -> None:
    """The spec file, what replaces parts of it, and what of it is wanted."""
    parser.add_argument("file", metavar="FILE", help="a .gen file")
    add_changes(parser)
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this declaration and what it needs"
    )


def add_changes(parser: argparse.ArgumentParser) -> None:
    """What replaces parts of a spec."""
    parser.add_argument("--preset", metavar="NAME", help="use a preset of the file")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="replace a parameter or a field, e.g. --set width=32 --set 'fit.optimizer.lr=0.1'",
    )
    parser.add_argument("--seeds", metavar="RANGE", help="replace the seeds, e.g. --seeds 0..4")


def add_limits(parser: argparse.ArgumentParser) -> None:
    """The limit on the plan, and where the store is."""
    parser.add_argument(
        "--max-runs", type=count, default=1000, metavar="N", help="refuse plans of more trainings (1000)"
    )
    add_store(parser)


def add_store(parser: argparse.ArgumentParser) -> None:
    """Where the store is."""
    parser.add_argument(
        "--store", type=folder, metavar="FOLDER", help="where results are kept (.gendsl of the project)"
    )


def spec_options(arguments: argparse.Namespace) -> Options:
    """What the shared arguments say, for `check`."""
    from gendsl.check import Options

    overrides = []
    for text in arguments.set:
        path, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set takes PATH=VALUE, found `{text}`")
        overrides.append((path.strip(), value.strip()))
    return Options(
        overrides=tuple(overrides), preset=arguments.preset, seeds=arguments.seeds, only=tuple(arguments.only)
    )


class UsageError(Exception):
    """The command line itself is wrong: exit code 2."""
