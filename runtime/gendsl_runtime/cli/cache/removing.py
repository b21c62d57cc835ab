"""What the commands that remove results have in common: a preview, and what is said of it."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gendsl_runtime.cli.amounts import age, duration, size
from gendsl_runtime.cli.cache import add_place, said

if TYPE_CHECKING:
    from gendsl_runtime.store import Store


def add_removing(parser: argparse.ArgumentParser) -> None:
    """Whether to remove at all, and which store."""
    parser.add_argument("--yes", action="store_true", help="remove; without it only say what would go")
    add_place(parser)


def carried_out(
    store: Store,
    arguments: argparse.Namespace,
    digests: Collection[bytes],
    *,
    keys: Collection[bytes] = (),
    stray: Sequence[Path] = (),
) -> int:
    """Says what goes and what it costs to compute again; with `--yes` removes it."""
    from gendsl_runtime.cli.cache.ls import lines
    from gendsl_runtime.store.inventory import removal, remove

    found = removal(store, digests, stray)
    if arguments.yes and (digests or keys or stray):
        remove(store, digests, keys, stray)
    if arguments.json:
        said({"store": str(store.path), "removed": arguments.yes, **asdict(found)})
        return 0
    import shutil

    for line in lines(found.groups, width=shutil.get_terminal_size((100, 24)).columns):
        print(line)
    if not (digests or keys or stray):
        print("there is nothing to remove")
        return 0
    verb = "removed" if arguments.yes else "would remove"
    results = max(found.results, len(keys) // 2)
    print(f"{verb} {results:,} results, {size(found.size)}", end="")
    print(
        f"; {duration(found.seconds)} to compute again, last used {age(found.used)}" if found.results else ""
    )
    if found.stray:
        print(f"{verb} {found.stray:,} files that belong to no result, {size(found.stray_size)}")
    if not arguments.yes:
        print("this is a preview; `--yes` removes")
    return 0
