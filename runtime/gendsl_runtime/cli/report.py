"""`gen report`: makes the report of a finished run anew, from what it kept."""

from __future__ import annotations

import argparse
from pathlib import Path

from gendsl_runtime.cli.options import add_store

HELP = "make the report of a finished run anew, and say where it is"
EXAMPLES = """\
examples:
  gen report first
  gen report first-002
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen report`."""
    add_run(parser)


def add_run(parser: argparse.ArgumentParser) -> None:
    """Which run, and the store it is in."""
    parser.add_argument(
        "run", metavar="RUN", help="a run, its experiment or spec file (the latest run), or its folder"
    )
    add_store(parser)


def main(arguments: argparse.Namespace) -> int:
    """Writes `report.html` and the figures into the run's folder; prints the page's path."""
    from gendsl_runtime.archive import load
    from gendsl_runtime.report.render import render_report

    folder = chosen(arguments)
    print(render_report(load(folder), folder))
    return 0


def chosen(arguments: argparse.Namespace) -> Path:
    """The folder of the run that is meant; a usage error where there is none."""
    return named(arguments.run, arguments.store)


def named(run: str, store: Path | None) -> Path:
    """The folder of a run; a usage error where there is none."""
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.saved import UnknownRunError, run_folder

    try:
        return run_folder(run, store)
    except UnknownRunError as error:
        raise UsageError(str(error)) from None
