"""The command line: `gen COMMAND ...`, one module a command.

Each module here has `HELP` (one line), `add(parser)` (its arguments) and `main(arguments) -> exit code`, and
imports what it needs when called, so that `gen validate` stays light. Exit codes: 0 fine, 1 the file is wrong,
2 the command line is wrong, 3 a run failed, 4 a claim was refuted with `--require-claims`.
"""

from __future__ import annotations

import argparse
import codecs
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType

COMMANDS = (
    "validate",
    "fmt",
    "plan",
    "run",
    "why",
    "report",
    "show",
    "export",
    "compare",
    "gallery",
    "serve",
    "cache",
    "list",
    "explain",
    "new",
)
PLAIN = {"−": "-", "±": "+-", "×": "x", "∞": "inf", "…": "...", "·": ".", "–": "-", "’": "'"}
"""How the signs of messages are spelt where the terminal's encoding lacks them; other letters become `?`."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code. Whatever goes wrong ends as a message, never as a traceback."""
    _ready_streams()
    interrupts = _heard_interrupts()
    try:
        code = _commanded(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        return _interrupted(*map(str, interrupt.args))
    except BrokenPipeError:
        _give_up_output()
        return 0
    except Exception as error:
        return _interrupted() if interrupts else _explained(error)
    return code


def _heard_interrupts() -> list[int]:
    """A list that is no longer empty once Ctrl-C was pressed, or SIGTERM came, which is heard like it: some libraries
    make another error of it."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        raise KeyboardInterrupt

    with suppress(ValueError):  # not in the main thread: then nobody else hears it either
        signal.signal(signal.SIGINT, hear)
        signal.signal(signal.SIGTERM, hear)
    return heard


def _interrupted(
    told: str = "stopped; what was finished is kept, the same command goes on from there",
) -> int:
    print(told, file=sys.stderr)
    return 130


def _commanded(argv: list[str]) -> int:
    # Only the command at hand is loaded, where one is named.
    whole = parser(argv[:1] if argv[:1] and argv[0] in COMMANDS else COMMANDS)
    if not argv:
        whole.print_help(sys.stderr)
        return 2
    arguments = whole.parse_args(argv)
    command = importlib.import_module(f"gendsl_runtime.cli.{arguments.command}")
    code: int = command.main(arguments)
    return code


def parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The command line with these commands."""
    whole = argparse.ArgumentParser(
        prog="gen",
        description="Declarative experiments on why deep networks generalise.",
        epilog="Start with `gen new first`, then `gen run first.gen`. `gen COMMAND --help` tells more.",
    )
    whole.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        module = importlib.import_module(f"gendsl_runtime.cli.{name}")
        added = commands.add_parser(
            name,
            help=module.HELP,
            description=f"{module.HELP[0].upper()}{module.HELP[1:]}.",
            epilog=getattr(module, "EXAMPLES", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add(added)
    return whole


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        print(f"gen {metadata.version('gendsl')}")
        parser.exit()


def _ready_streams() -> None:
    """Output that is closed is thrown away, and characters its encoding lacks are spelt."""
    codecs.register_error("gendsl.plain", _spelt)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 (lives as long as we)
        with suppress(AttributeError, ValueError):
            getattr(sys, name).reconfigure(errors="gendsl.plain")


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN.get(sign, "?") for sign in lacking), error.end


def _give_up_output() -> None:
    """Sends what is still buffered nowhere, or Python would complain about it at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: Exception) -> int:
    """Prints what went wrong in the user's terms; an unexpected error goes to a file, whole."""
    from gendsl.diagnostic import DiagnosticError
    from gendsl_runtime.cli.options import UsageError, exit_code, is_coloured
    from gendsl_runtime.problem import Problem

    if isinstance(error, DiagnosticError):
        from gendsl.render import render

        print(render(error.diagnostics, color=is_coloured(sys.stderr)), file=sys.stderr)
        return exit_code(error.diagnostics)
    if isinstance(error, UsageError):
        print(f"gen: {error}", file=sys.stderr)
        return 2
    if isinstance(error, Problem):
        print(
            f"error[{error.code}]: {error}" + (f"\n  = help: {error.help}" if error.help else ""),
            file=sys.stderr,
        )
        return 3
    if isinstance(error, OSError):
        _give_up_output()
        what = error.filename or "the output"
        print(f"gen: {what} cannot be read or written: {error.strerror or error}", file=sys.stderr)
        return 3
    if isinstance(error, MemoryError):
        print("gen: this needs more memory than there is", file=sys.stderr)
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
