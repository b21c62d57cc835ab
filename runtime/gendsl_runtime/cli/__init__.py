"""The command line: `gen COMMAND ...`, one module a command.

Each module here has `HELP` (one line), `add(parser)` (its arguments) and `main(arguments) -> exit code`, and
imports what it needs when called, so that `gen validate` stays light. Exit codes: 0 fine, 1 the file is wrong,
2 the command line is wrong, 3 a run failed, 4 a claim was refuted with `--require-claims`.
"""

from __future__ import annotations

import argparse
import importlib
import sys

COMMANDS = ("validate", "fmt", "plan", "run", "report", "show", "list", "explain", "new")


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code. Whatever goes wrong ends as a message, never as a traceback."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = parser().parse_args(argv)
    command = importlib.import_module(f"gendsl_runtime.cli.{arguments.command}")
    try:
        code: int = command.main(arguments)
    except KeyboardInterrupt:
        print("stopped; what was finished is kept, the same command goes on from there", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        return _explained(error)
    return code


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(
        prog="gen",
        description="Declarative experiments on why deep networks generalise.",
        epilog="Start with `gen new first`, then `gen run first.gen`. `gen COMMAND --help` tells more.",
    )
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"gendsl_runtime.cli.{name}")
        module.add(commands.add_parser(name, help=module.HELP, description=module.HELP))
    return whole


def _explained(error: Exception) -> int:
    """Prints what went wrong in the user's terms; an unexpected error goes to a file, whole."""
    from gendsl.diagnostic import DiagnosticError
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.problem import Problem

    if isinstance(error, DiagnosticError):
        from gendsl.render import render

        print(render(error.diagnostics, color=sys.stderr.isatty()), file=sys.stderr)
        return 1
    if isinstance(error, UsageError):
        print(f"gen: {error}", file=sys.stderr)
        return 2
    if isinstance(error, Problem):
        print(
            f"error[{error.code}]: {error}" + (f"\n  = help: {error.help}" if error.help else ""),
            file=sys.stderr,
        )
        return 3
    print(f"gen: an internal error, please report it with {_kept(error)}: {error!r}", file=sys.stderr)
    return 70


def _kept(error: Exception) -> str:
    """Writes the traceback to a file of its own; returns its path."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="gendsl-error-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    return file.name
