"""`gen fmt`: the one layout."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from pathlib import Path

from gendsl_runtime.cli.options import is_coloured

HELP = "write specs in the one layout"
EXAMPLES = """\
examples:
  gen fmt first.gen
  gen fmt --check specs/*.gen
"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help=".gen files")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit code 1 where a file would change"
    )


def main(arguments: argparse.Namespace) -> int:
    from gendsl.diagnostic import DiagnosticError
    from gendsl.render import render

    changed = wrong = 0
    for path in arguments.files:
        try:
            is_changed = formatted(path, only_check=arguments.check)
        except DiagnosticError as error:
            sys.stdout.write(render(error.diagnostics, color=is_coloured(sys.stdout)))
            wrong += 1
            continue
        if is_changed:
            print(f"{path}: would change" if arguments.check else f"{path}: formatted")
        changed += is_changed
    same = len(arguments.files) - changed - wrong
    if same:
        print(f"{same} file{'s' * (same != 1)} already in the one layout")
    return 1 if wrong or (changed and arguments.check) else 0


def formatted(path: str, *, only_check: bool) -> bool:
    """Formats one file; whether its text changes. Written whole or not at all."""
    from gendsl.format import format
    from gendsl.source import Source

    source = Source.read(path)
    text = format(source)
    if not Path(path).is_file():
        _refuse(path, OSError(errno.EINVAL, "it is a pipe or a device"))
    file = Path(path).resolve()
    is_changed = file.read_bytes() != text.encode("utf-8")
    if is_changed and not only_check:
        part = file.with_name(f".{file.name}.{os.getpid()}.part")
        try:
            part.write_bytes(text.encode("utf-8"))
            part.chmod(file.stat().st_mode & 0o777)
            part.replace(file)
        except OSError as error:
            part.unlink(missing_ok=True)
            _refuse(path, error)
    return is_changed


def _refuse(path: str, error: OSError) -> None:
    from gendsl.diagnostic import Diagnostic, DiagnosticError
    from gendsl.source import Source, Span

    message = f"this file cannot be written: {(error.strerror or str(error)).lower()}"
    raise DiagnosticError(Diagnostic("unwritable-file", message, Source("", path), Span(0, 0))) from error
