"""`gen compare`: runs side by side."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gendsl_runtime.cli.options import add_store, is_coloured
from gendsl_runtime.cli.report import named
from gendsl_runtime.cli.verdicts import COLOURS, folded

if TYPE_CHECKING:
    from gendsl_runtime.report.comparison import Comparison

HELP = "show runs side by side: fields that differ, verdicts and results that changed"
EXAMPLES = """\
examples:
  gen compare first-001 first-002
  gen compare first.gen second.gen --output both.html
"""
NARROWEST = 40


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen compare`."""
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="runs, experiments or spec files (their latest run), or folders",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where the page goes (the folder of the first run)"
    )
    add_store(parser)


def main(arguments: argparse.Namespace) -> int:
    """Prints what differs, writes the page and says where it is."""
    from gendsl_runtime.archive import load
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.report.compared import render_comparison
    from gendsl_runtime.report.comparison import compare

    folders = [named(run, arguments.store) for run in arguments.runs]
    if len({folder.resolve() for folder in folders}) < 2:
        raise UsageError("a comparison takes at least two different runs")
    names = [folder.name for folder in folders]
    found = compare(names, [load(folder) for folder in folders])
    width = max(shutil.get_terminal_size((100, 24)).columns, NARROWEST)
    print("\n".join(lines(found, is_coloured=is_coloured(sys.stdout), width=width)))
    path = arguments.output or folders[0] / f"compared-with-{'-'.join(names[1:])}.html"
    print(f"\ncomparison: {render_comparison(found, path)}")
    return 0


def lines(found: Comparison, *, is_coloured: bool, width: int) -> list[str]:
    """The comparison for a terminal no wider than `width`."""

    def bold(text: str) -> str:
        return f"\033[1m{text}\033[0m" if is_coloured else text

    said = [f"{place}  {name}" for place, name in enumerate(found.names, 1)]
    for part in ("Specification", "Environment"):
        rows = [(field.path, *field.values) for field in found.fields if field.part == part]
        said += ["", bold(part)]
        said += _table(_headed("field", found), rows, width) if rows else ["  the same in every field"]
    if found.claims:
        said += ["", bold("Verdicts")]
        for claim in found.claims:
            mark = "changed  " if claim.is_changed else ""
            said += folded(f"{claim.name}  {mark}".rstrip(), width, first=2)
            for place, card in enumerate(claim.cards, 1):
                outcome = str(card.verdict.outcome) if card else "not stated"
                text = f"{place}  {outcome:<10}  {card.estimate if card else ''}".rstrip()
                own = folded(text, width, first=4, indent=19)
                tint = f"\033[{COLOURS[outcome]}m{outcome}\033[0m" if is_coloured and card else outcome
                said += [line.replace(outcome, tint, 1) for line in own]
    rows = [(row.name, *row.means, row.change, row.note) for row in found.measured]
    if rows:
        head = [*_headed("mean of", found), "change", "over"]
        said += ["", bold("Results"), *_table(head, rows, width)]
    return said


def _headed(first: str, found: Comparison) -> list[str]:
    return [first, *(str(place) for place in range(1, len(found.names) + 1))]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Columns side by side where they fit; else a block for each row."""
    wide = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    if 2 + sum(wide) + 2 * (len(wide) - 1) <= width:
        return [
            "  " + "  ".join(text.ljust(wide[k]) for k, text in enumerate(row)).rstrip()
            for row in [head, *rows]
        ]
    found: list[str] = []
    for row in rows:
        found += folded(row[0], width, first=2, indent=4)
        for name, text in zip(head[1:], row[1:]):
            if text:
                found += folded(f"{name}  {text}", width, first=4, indent=8)
    return found
