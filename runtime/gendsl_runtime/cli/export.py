"""`gen export`: figures of a run as files, without a browser."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from gendsl_runtime.cli.options import count
from gendsl_runtime.cli.report import add_run, chosen

HELP = "write figures of a run as SVG, PNG, PDF or Vega-Lite"
EXAMPLES = """\
examples:
  gen export first error_by_width --format pdf
  gen export first.gen --format svg --output figures/
"""
ENDINGS = ("svg", "png", "pdf", "json")
SCALES = 8
"""The finest PNG: so many pixels for each of the figure's."""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen export`."""
    add_run(parser)
    parser.add_argument(
        "figures", nargs="*", metavar="FIGURE", help="names of plots; all of them without any"
    )
    parser.add_argument(
        "--format",
        action="append",
        choices=ENDINGS,
        help="may be given several times; what the output's name says, else svg",
    )
    parser.add_argument(
        "--output", type=Path, metavar="PATH", help="a file for one figure, or a folder (this one)"
    )
    parser.add_argument("--scale", type=count, default=2, metavar="N", help="PNG pixels for each pixel (2)")


def main(arguments: argparse.Namespace) -> int:
    """Writes the files and prints their paths."""
    from gendsl_runtime.archive import load
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.draft import write_whole
    from gendsl_runtime.report.figure import figure, vega_lite
    from gendsl_runtime.report.files import encoded, stem

    if arguments.scale > SCALES:
        raise UsageError(f"--scale is at most {SCALES}")
    results = load(chosen(arguments))
    plots = {plot.name: plot for plot in results.spec.plots}
    unknown = [name for name in arguments.figures if name not in plots]
    if unknown:
        there = f"there are: {', '.join(plots)}" if plots else "it has none"
        raise UsageError(f"there is no plot `{unknown[0]}` in this run; {there}")
    names = list(dict.fromkeys(arguments.figures)) or list(plots)
    for name, paths in _targets(arguments, names, stem).items():
        contents = encoded(vega_lite(figure(plots[name], results)), list(paths), scale=arguments.scale)
        for ending, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, contents[ending])
            print(path)
    return 0


def _targets(
    arguments: argparse.Namespace, names: Sequence[str], stem: Callable[[str], str]
) -> dict[str, dict[str, Path]]:
    """For each figure its files by format."""
    from gendsl_runtime.cli.options import UsageError

    output: Path = arguments.output or Path()
    ending = output.suffix[1:].lower()
    is_file = ending in ENDINGS and not output.is_dir()
    endings = list(dict.fromkeys(arguments.format or ([ending] if is_file else ["svg"])))
    if is_file and (len(names) > 1 or endings != [ending]):
        raise UsageError(f"{output} is one file of format {ending}; for several give a folder")
    return {
        name: {one: output if is_file else output / f"{stem(name)}.{one}" for one in endings}
        for name in names
    }
