"""`gen cache`: what is stored, whether it is whole, and how to be rid of it; one module a subcommand."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl_runtime.cli.options import add_store

if TYPE_CHECKING:
    from gendsl_runtime.store import Store

HELP = "look at stored results, verify them, remove them"
EXAMPLES = """\
A result is stored by what it was computed from, so nothing here can make a later run wrong: what is removed is
computed again when it is next needed.

examples:
  gen cache ls
  gen cache verify
  gen cache gc --older-than 60d          (a preview; --yes removes)
  gen cache rm first.gen fit --yes
"""
COMMANDS = ("ls", "verify", "why", "rm", "gc", "reindex")


def add(parser: argparse.ArgumentParser) -> None:
    """The subcommands."""
    commands = parser.add_subparsers(dest="cache_command", metavar="WHAT", required=True)
    for name in COMMANDS:
        module = _module(name)
        added = commands.add_parser(
            name,
            help=module.HELP,
            description=f"{module.HELP[0].upper()}{module.HELP[1:]}.",
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add(added)


def main(arguments: argparse.Namespace) -> int:
    """Runs the subcommand."""
    code: int = _module(arguments.cache_command).main(arguments)
    return code


def add_place(parser: argparse.ArgumentParser) -> None:
    """Which store, and in which form the answer is wanted."""
    add_store(parser)
    parser.add_argument("--json", action="store_true", help="the same as JSON")


def place(arguments: argparse.Namespace) -> Path:
    """The store that is meant: the one of the working folder, unless named."""
    from gendsl_runtime.store.place import store_place

    return store_place(Path("here.gen"), arguments.store)


def opened(arguments: argparse.Namespace) -> Store:
    """That store; one that is not there is empty and stays so."""
    from gendsl_runtime.store import Store

    return Store.open(place(arguments), create=False)


def said(data: object) -> None:
    """Prints an answer for programs."""
    import json

    json.dump(data, sys.stdout, indent=1, ensure_ascii=False)
    print()


def _module(name: str) -> Any:
    where = "cli.why" if name == "why" else f"cli.cache.{name}"
    return importlib.import_module(f"gendsl_runtime.{where}")
