"""`gen cache verify`: reads every result and compares it with its digest."""

from __future__ import annotations

import argparse

from gendsl_runtime.cli.amounts import size
from gendsl_runtime.cli.cache import add_place, opened, said

HELP = "read every stored result and compare it with its digest"
EXAMPLES = """\
What is damaged is moved to `quarantine/`, and computed again by the next run that needs it. Runs check each result
they read anyway; this is for looking after a disk.

exit code: 0 where everything is whole, 3 where something was damaged

examples:
  gen cache verify
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen cache verify`."""
    add_place(parser)


def main(arguments: argparse.Namespace) -> int:
    """Verifies all; 3 where something was damaged."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    from gendsl_runtime.store.inventory import damaged, total

    console = Console(stderr=True)
    bar = Progress(
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with opened(arguments) as store, bar:
        contents, whole = total(store)
        task = bar.add_task("verifying", total=whole)
        found = damaged(store, lambda read: bar.advance(task, read))
    if arguments.json:
        said({"store": str(store.path), "contents": contents, "bytes": whole, "damaged": found})
    elif found:
        print(f"{len(found):,} of {contents:,} were damaged and are set aside in {store.path / 'quarantine'}")
    else:
        print(f"{contents:,} contents, {size(whole)}: all whole")
    return 3 if found else 0
