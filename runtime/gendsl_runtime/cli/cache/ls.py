"""`gen cache ls`: what is stored, folded by experiment and step."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from gendsl_runtime.cli.amounts import age, duration, size
from gendsl_runtime.cli.cache import add_place, opened, said
from gendsl_runtime.cli.verdicts import folded

if TYPE_CHECKING:
    from gendsl_runtime.store.inventory import Group

HELP = "list what is stored: results, bytes, last use and compute time of each step"
EXAMPLES = """\
examples:
  gen cache ls
  gen cache ls first --json
"""
HEADS = ("experiment", "step", "component", "results", "size", "computed in", "used")
RIGHT = {3, 4, 5, 6}


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen cache ls`."""
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="only these experiments")
    add_place(parser)


def main(arguments: argparse.Namespace) -> int:
    """Prints a line a step."""
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.store.inventory import groups, total

    with opened(arguments) as store:
        found = groups(store)
        contents, whole = total(store)
    names = {group.experiment for group in found}
    for name in arguments.experiments:
        if name not in names:
            raise UsageError(
                f"nothing of `{name}` is stored in {store.path}; there is: {', '.join(sorted(names))}"
            )
    chosen = [
        group for group in found if not arguments.experiments or group.experiment in arguments.experiments
    ]
    if arguments.json:
        said(
            {
                "store": str(store.path),
                "contents": contents,
                "bytes": whole,
                "steps": [asdict(g) for g in chosen],
            }
        )
        return 0
    width = shutil.get_terminal_size((100, 24)).columns
    for line in [
        *lines(chosen, width=width),
        *folded(_last(chosen, contents, whole, str(store.path)), width),
    ]:
        print(line)
    return 0


def lines(found: Sequence[Group], *, width: int) -> list[str]:
    """The groups as a table; columns that do not fit are left out, the least telling ones first."""
    rows = [HEADS, *(_cells(group) for group in found)] if found else []
    columns = list(range(len(HEADS)))
    wide = [max((len(row[k]) for row in rows), default=0) for k in columns]
    for least in (2, 6, 5, 0):
        if sum(wide[k] + 2 for k in columns) - 2 > width and least in columns:
            columns.remove(least)
    return [
        "  ".join(f"{row[k]:>{wide[k]}}" if k in RIGHT else f"{row[k]:<{wide[k]}}" for k in columns).rstrip()[
            :width
        ]
        for row in rows
    ]


def _cells(group: Group) -> tuple[str, ...]:
    experiment, step = group.experiment or "(earlier)", group.step or f"({group.kind})"
    amounts = size(group.size), duration(group.seconds), age(group.used)
    return experiment, step, group.component, f"{group.results:,}", *amounts


def _last(found: Sequence[Group], contents: int, whole: int, store: str) -> str:
    seconds = duration(sum(group.seconds for group in found))
    results = sum(group.results for group in found)
    return f"{results:,} results computed in {seconds}; {contents:,} different contents, {size(whole)} in {store}"
