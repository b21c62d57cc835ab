"""`gen list`: the components there are."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap

HELP = "list the components there are, of one kind or all"
EXAMPLES = """\
examples:
  gen list
  gen list analysis
"""
KEY = 4
"""Parameters shown of each component."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", metavar="KIND", help="dataset, model, optimizer, analysis ...")


def main(arguments: argparse.Namespace) -> int:
    from gendsl.words import nearest
    from gendsl_runtime.components import FOLDERS

    kinds = [kind for kind in FOLDERS if kind != "train"]
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
    sys.stdout.write(table(kind))
    return 0


def table(kind: str) -> str:
    """One line a component: its name, what it is, its first parameters."""
    from gendsl_runtime.components import FOLDERS, catalogue

    components = catalogue()
    names = components.names(kind)
    if not names:
        return f"{FOLDERS[kind]}\n  none yet\n"
    width = max(map(len, names)) + 2
    line = max(60, min(140, shutil.get_terminal_size((110, 24)).columns))
    rows = []
    for name in names:
        found = components.components[kind, name]
        keys = [p.name for p in found.parameters.values()]
        shown = ", ".join(keys[:KEY]) + (", ..." if len(keys) > KEY else "")
        summary = textwrap.shorten(found.summary.replace("`", ""), line - width - 2, placeholder=" ...")
        rows.append(f"  {name:{width}}{summary}\n" + (f"  {'':{width}}({shown})\n" if shown else ""))
    return f"{FOLDERS[kind]}\n{''.join(rows)}"
