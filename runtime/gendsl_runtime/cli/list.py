"""`gen list`: the components there are."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl.catalogue.description import Description

HELP = "list the components there are, of one kind or all"
EXAMPLES = """\
examples:
  gen list
  gen list analysis
  gen list --from nets.py
"""
KEY = 4
"""Parameters shown of each component."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", metavar="KIND", help="dataset, model, optimizer, analysis ...")
    parser.add_argument("--from", dest="file", metavar="FILE.py", help="components of a Python file")


def main(arguments: argparse.Namespace) -> int:
    from gendsl.words import nearest
    from gendsl_runtime.components import FOLDERS

    kinds = [kind for kind in FOLDERS if kind != "train"]
    if arguments.file is not None and arguments.kind is None:
        from gendsl_runtime.cli import python

        return python.show(arguments.file)
    if arguments.kind is None:
        sys.stdout.write("\n".join(table(kind) for kind in kinds))
        return 0
    kind = arguments.kind.lower()
    plurals = {folder: word for word, folder in FOLDERS.items()}
    kind = plurals.get(kind, kind)
    if kind not in kinds:
        near = nearest(kind, kinds)
        help = f"did you mean `{near}`?" if near else f"there are {', '.join(kinds)}"
        sys.stderr.write(f"gen list: there is no kind `{arguments.kind}`; {help}\n")
        return 2
    if arguments.file is not None:
        from gendsl_runtime.cli import python

        return python.show(arguments.file, kind)
    sys.stdout.write(table(kind))
    return 0


def table(kind: str) -> str:
    """One line a component: its name, what it is, its first parameters."""
    from gendsl_runtime.components import catalogue, families

    return "\n".join(
        tabled(kind, {name: catalogue().components[kind, name] for name in names}, family)
        for family, names in families(kind).items()
    )


def tabled(kind: str, components: Mapping[str, Description], family: str = "") -> str:
    """The components of one kind, or of a family of it."""
    from gendsl_runtime.components import FOLDERS

    if not components:
        return f"{FOLDERS[kind]}\n  none yet\n"
    width = max(map(len, components)) + 2
    line = max(60, min(140, shutil.get_terminal_size((110, 24)).columns))
    rows = []
    for name, found in components.items():
        keys = [p.name for p in found.parameters.values()]
        shown = ", ".join(keys[:KEY]) + (", ..." if len(keys) > KEY else "")
        summary = textwrap.shorten(found.summary.replace("`", ""), line - width - 2, placeholder=" ...")
        rows.append(
            f"  {name:{width}}{summary}".rstrip() + "\n" + (f"  {'':{width}}({shown})\n" if shown else "")
        )
    head = f"{FOLDERS[kind]}: {family}" if family else FOLDERS[kind]
    return f"{head}\n{''.join(rows)}"
