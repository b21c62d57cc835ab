"""`gen show`: what a finished run found, on the terminal."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gendsl_runtime.cli.options import is_coloured
from gendsl_runtime.cli.report import add_run, chosen
from gendsl_runtime.cli.verdicts import folded, verdict_lines

if TYPE_CHECKING:
    from gendsl_runtime.report.tables import Sheet
    from gendsl_runtime.results import Results

HELP = "show the verdicts and results of a finished run"
EXAMPLES = """\
examples:
  gen show first
  gen show first gap --all
"""
ROWS = 40
"""Rows shown of one table without `--all`."""
NARROWEST = 40


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen show`."""
    add_run(parser)
    parser.add_argument("names", nargs="*", metavar="ANALYSIS", help="only these analyses")
    parser.add_argument(
        "--all", action="store_true", help="every seed and every row, not the means over seeds"
    )


def main(arguments: argparse.Namespace) -> int:
    """Prints verdicts, failures and one table for each analysis."""
    from gendsl_runtime.archive import load
    from gendsl_runtime.cli.options import UsageError

    results = load(chosen(arguments))
    unknown = [name for name in arguments.names if name not in results]
    if unknown:
        raise UsageError(f"there is no analysis `{unknown[0]}` in this run; there are: {', '.join(results)}")
    width = max(shutil.get_terminal_size((100, 24)).columns, NARROWEST)
    is_terminal = is_coloured(sys.stdout)
    lines = [
        *_head(results, is_terminal, width=width),
        *_tables(results, arguments.names, whole=arguments.all, width=width),
    ]
    print("\n".join(lines))
    return 0


def _head(results: Results, is_coloured: bool, *, width: int) -> list[str]:
    from gendsl_runtime.report.failures import groups

    record = results.record
    lines = [_bold(line, is_coloured) for line in folded(results.spec.title, width)]
    if record is not None:
        lines += folded(f"{record.run}, {record.started}, {record.device}", width)
    verdicts = verdict_lines(results.spec, results.verdicts, is_coloured=is_coloured, width=width)
    if verdicts:
        lines += ["", _bold("Verdicts", is_coloured), *verdicts]
    failures = groups(results)
    if failures:
        lines += ["", _bold("Failures", is_coloured)]
    for group in failures:
        text = f"{', '.join(group.steps)}: {group.reason} ({len(group.places)} of {group.total})"
        lines += folded(text, width, first=2, indent=4)
    return lines


def _tables(results: Results, names: Sequence[str], *, whole: bool, width: int) -> list[str]:
    from gendsl_runtime.report.tables import blocks

    lines: list[str] = []
    for block in blocks(results, limit=sys.maxsize if whole else ROWS):
        if names and block.name not in names:
            continue
        caption = f": {block.caption}" if block.caption else ""
        lines += ["", *folded(f"{block.name} ({block.component}){caption}", width)]
        for sheet in block.sheets[-1:] if whole else block.sheets[:1]:
            lines += [f"  {line}".rstrip() for line in laid_out(sheet, width=width - 2)]
        for text in block.curves:
            lines += folded(text, width, first=2, indent=4)
    return lines


def laid_out(sheet: Sheet, *, width: int) -> list[str]:
    """A table as lines no wider than `width`: columns that do not fit go into further parts.

    The columns before the first quantity (the axes) are repeated in each part.
    """
    heads = [heading for heading, _ in sheet.columns]
    columns = [
        [_cut(text, width // 2) for text in (head, *(row[k].text for row in sheet.rows))]
        for k, head in enumerate(heads)
    ]
    wide = [max(map(len, column)) for column in columns]
    lines: list[str] = []
    for part in _parts(wide, sheet.axes, width):
        aligned = [
            [cell.rjust(wide[k]) if sheet.columns[k][1] else cell.ljust(wide[k]) for cell in columns[k]]
            for k in part
        ]
        lines += [*([""] if lines else []), *("  ".join(cells).rstrip() for cells in zip(*aligned))]
    if sheet.total > len(sheet.rows):
        lines += folded(f"... {sheet.total - len(sheet.rows):,} more rows; --all shows them", width)
    return [*folded(sheet.title, width), *lines]


def _parts(wide: Sequence[int], axes: int, width: int) -> list[list[int]]:
    fixed = list(range(axes))
    taken = sum(wide[k] + 2 for k in fixed)
    parts: list[list[int]] = [[]]
    used = taken
    for k in range(axes, len(wide)):
        if parts[-1] and used + wide[k] > width:
            parts.append([])
            used = taken
        parts[-1].append(k)
        used += wide[k] + 2
    return [fixed + part for part in parts]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _bold(text: str, is_coloured: bool) -> str:
    return f"\033[1m{text}\033[0m" if is_coloured else text
