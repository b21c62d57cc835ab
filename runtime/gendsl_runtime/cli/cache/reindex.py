"""`gen cache reindex`: makes the index again from the journal and the files."""

from __future__ import annotations

import argparse

from gendsl_runtime.cli.cache import add_place, place, said

HELP = "make the index again from the journal and the files of the store"
EXAMPLES = """\
The index (`index.sqlite`) says which key has which result. All it knows stands in `journal.jsonl` too, small results
included. The old index is moved to `quarantine/`.

examples:
  gen cache reindex
  gen cache reindex --store /data/results
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen cache reindex`."""
    add_place(parser)


def main(arguments: argparse.Namespace) -> int:
    """Makes the index again; says what came back."""
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.store.faults import told
    from gendsl_runtime.store.rebuild import rebuild

    store = place(arguments)
    if not any((store / name).exists() for name in ("index.sqlite", "journal.jsonl")):
        raise UsageError(f"there is no store in {store}")
    with told(store):
        made = rebuild(store)
    if arguments.json:
        said({"store": str(store), **made._asdict()})
        return 0
    print(f"{made.results:,} results are indexed in {store}")
    if made.lost:
        print(
            f"{made.lost:,} contents that the journal names are not there any more; they are computed again"
        )
    if made.damaged:
        print(f"{made.damaged:,} lines of the journal were damaged and are left out")
    return 0
