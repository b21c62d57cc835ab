"""Arguments that several commands share: which spec, and what is changed in it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl.check import Options


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
        "--max-runs", type=int, default=1000, metavar="N", help="refuse plans of more trainings (1000)"
    )
    parser.add_argument("--store", metavar="FOLDER", help="where results are kept (.gendsl of the project)")


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
