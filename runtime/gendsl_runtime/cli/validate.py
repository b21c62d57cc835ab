"""`gen validate`: every mistake of a spec, before anything runs."""

from __future__ import annotations

import argparse
import sys

from gendsl.diagnostic import Diagnostic, DiagnosticError
from gendsl_runtime.cli.options import add_changes, exit_code, is_coloured, spec_options

HELP = "find every mistake of a spec without running anything"
EXAMPLES = """\
examples:
  gen validate first.gen
  gen validate first.gen --set width=32
  gen validate specs/*.gen --format sarif > mistakes.sarif
"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help=".gen files")
    parser.add_argument(
        "--format", choices=("text", "json", "sarif"), default="text", help="how mistakes are told (text)"
    )
    add_changes(parser)
    parser.set_defaults(only=[])


def main(arguments: argparse.Namespace) -> int:
    found: list[Diagnostic] = []
    for path in arguments.files:
        found += faults(path, arguments)
    sys.stdout.write(_shown(found, arguments))
    return exit_code(found)


def faults(path: str, arguments: argparse.Namespace) -> list[Diagnostic]:
    """All diagnostics of one file.

    What could not be read may have declared or used anything, so after a syntax error nothing else is said:
    one fault, one diagnostic. Checking, and with it pydantic, is imported only for what can be read.
    """
    from gendsl.parse import parse
    from gendsl.source import Source

    try:
        source = Source.read(path)
        file, syntax = parse(source)
        if syntax:
            return syntax
        from gendsl.check import check
        from gendsl_runtime.components import catalogue

        return list(check(source, file, catalogue(), spec_options(arguments)).diagnostics)
    except DiagnosticError as error:
        return list(error.diagnostics)


def _shown(found: list[Diagnostic], arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from gendsl.sarif import to_json

        return to_json(found)
    if arguments.format == "sarif":
        from gendsl.sarif import to_sarif

        return to_sarif(found)
    if found:
        from gendsl.render import render

        return render(found, color=is_coloured(sys.stdout))
    return "".join(f"{path}: no mistakes\n" for path in arguments.files)
