"""`gen run`: carries out a spec and writes its report."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import TYPE_CHECKING

from gendsl_runtime.cli.options import add_limits, add_spec, count, duration, is_coloured, spec_options
from gendsl_runtime.cli.verdicts import verdict_lines

if TYPE_CHECKING:
    from gendsl.diagnostic import Diagnostic
    from gendsl_runtime.run import Finished

NARROWEST = 40
HELP = "run an experiment and write its report"
EXAMPLES = """\
exit codes: 0 fine, 1 the file is wrong, 2 the command line is wrong, 3 a run failed,
            4 a claim was refuted with --require-claims, 130 stopped with Ctrl-C: the same command goes on

examples:
  gen run first.gen
  gen run first.gen --preset smoke
  gen run first.gen --set width=32 --seeds 0..4 --only gap
  gen run first.gen --workers 4 --store /data/results
  gen run own.gen --allow-python --time-limit "10 min"
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen run`."""
    add_spec(parser)
    add_limits(parser)
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute (auto)"
    )
    parser.add_argument(
        "--workers", type=count, default=1, metavar="N", help="worker processes (1: this one)"
    )
    parser.add_argument(
        "--no-fuse", action="store_true", help="train one by one what could share a stack; the same results"
    )
    parser.add_argument(
        "--locked", action="store_true", help="refuse to run where anything differs from FILE's lock"
    )
    parser.add_argument("--fail-fast", action="store_true", help="end at the first run that fails")
    parser.add_argument(
        "--allow-python", action="store_true", help="run the Python files that FILE imports, in workers"
    )
    parser.add_argument(
        "--time-limit",
        type=duration,
        default=3600.0,
        metavar="TIME",
        help='end code of such a file after "10 min" without progress (1 h)',
    )
    parser.add_argument("--require-claims", action="store_true", help="exit with 4 if a claim was refuted")


def main(arguments: argparse.Namespace) -> int:
    """Runs the spec; 3 where a run failed, 4 where a claim was refuted and claims are required."""
    from gendsl_runtime.cli.progress import View
    from gendsl_runtime.run import RunOptions, command_line, run

    options = RunOptions(
        check=spec_options(arguments),
        device=arguments.device,
        workers=arguments.workers,
        fuse=not arguments.no_fuse,
        max_runs=arguments.max_runs,
        store=arguments.store,
        is_locked=arguments.locked,
        fail_fast=arguments.fail_fast,
        allow_python=arguments.allow_python,
        patience=arguments.time_limit,
        command=command_line(),
    )
    with View() as view:
        finished = run(arguments.file, options, view)
    tell(finished, view.computed)
    if finished.made is not None and finished.made.failures:
        return 3
    refuted = any(verdict.outcome == "refuted" for verdict in finished.verdicts)
    return 4 if refuted and arguments.require_claims else 0


def tell(finished: Finished, computed: int) -> None:
    """What was found, on the terminal."""
    has_failed = finished.made is not None and finished.made.failures
    if has_failed:
        from gendsl.render import render

        print(render(faults(finished), color=is_coloured(sys.stderr)), file=sys.stderr)
    width = max(shutil.get_terminal_size((200, 24)).columns, NARROWEST)
    shown = verdict_lines(finished.spec, finished.verdicts, is_coloured=is_coloured(sys.stdout), width=width)
    for line in shown:
        print(line)
    missing = "nothing computed" if has_failed else "nothing to compute"
    work = f"{computed:,} computed" if computed else missing
    print(f"{finished.folder.name}: {work}, {finished.seconds:.1f} s")
    print(f"report: {finished.folder / 'report.html'}")


def faults(finished: Finished) -> list[Diagnostic]:
    """What went wrong, once for each step in which it began and each cause, at its place in the spec."""
    from gendsl.diagnostic import Diagnostic
    from gendsl.source import Source

    results = finished.results
    spec, record = results.spec, results.record
    assert record is not None
    totals = {step.name: step.total for step in record.steps}
    groups: dict[tuple[str, str], list[str]] = {}
    for failure in results.failures:
        if failure.step == failure.began:
            groups.setdefault((failure.began, failure.code), []).append(failure.reason)
    helps = {(failure.began, failure.code): failure.help for failure in results.failures}
    return [
        Diagnostic(
            code,
            reasons[0] if totals[step] == 1 else f"{reasons[0]} ({len(reasons)} of {totals[step]} failed)",
            Source(spec.text, spec.path),
            spec.steps[step].span,
            help=helps[step, code],
        )
        for (step, code), reasons in groups.items()
    ]
