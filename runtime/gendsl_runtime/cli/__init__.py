"""The command line: `gen COMMAND ...`, one module a command.

Each module here has `HELP` (one line), `add(parser)` (its arguments) and `main(arguments) -> exit code`, and imports
what it needs when called, so that `gen validate` stays light. Exit codes: 0 fine, 1 the file is wrong, 2 the command
line is wrong, 3 a run failed, 4 a claim was refuted with `--require-claims`.
"""

from __future__ import annotations

import argparse
import importlib
import sys

COMMANDS = ("validate", "fmt", "plan", "run", "report", "show", "list", "explain", "new")


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="gen",
        description="Declarative experiments on why deep networks generalise.",
        epilog="Start with `gen new first`, then `gen run first.gen`. `gen COMMAND --help` tells more.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        # Only the command at hand is imported in full: the others contribute their name to `gen --help`.
        module = importlib.import_module(f"gendsl_runtime.cli.{name}")
        module.add(commands.add_parser(name, help=module.HELP, description=module.HELP))
    arguments = parser.parse_args(argv)
    code: int = importlib.import_module(f"gendsl_runtime.cli.{arguments.command}").main(arguments)
    return code
