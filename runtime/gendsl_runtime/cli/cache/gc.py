"""`gen cache gc`: removes results that nobody has had use for."""

from __future__ import annotations

import argparse
import time

from gendsl_runtime.cli.amounts import span
from gendsl_runtime.cli.cache import opened
from gendsl_runtime.cli.cache.removing import add_removing, carried_out
from gendsl_runtime.cli.options import count

HELP = "remove results that no recent run uses (a preview without --yes)"
EXAMPLES = """\
Goes: results that no run used for 30 days and that the last 3 runs of no experiment refer to; files that belong to
no result; checkpoints that no training can go on from; what was set aside as damaged. Stays: every report. What is
needed again is computed again.

examples:
  gen cache gc
  gen cache gc --older-than 2w --keep-runs 1 --yes
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen cache gc`."""
    parser.add_argument(
        "--older-than",
        type=span,
        default=span("30d"),
        metavar="TIME",
        help="not used for so long: 12h, 30d, 4w (30d)",
    )
    parser.add_argument(
        "--keep-runs",
        type=count,
        default=3,
        metavar="N",
        help="keep what the last N runs of each experiment use (3)",
    )
    add_removing(parser)


def main(arguments: argparse.Namespace) -> int:
    """Says what would go; with `--yes` removes it."""
    from gendsl_runtime.lock import pinned_digests
    from gendsl_runtime.saved import last_folders
    from gendsl_runtime.store.inventory import orphans, stray_checkpoints, stray_files, unused

    with opened(arguments) as store:
        folders = last_folders(store.path, arguments.keep_runs)
        kept = {
            digest for folder in folders for file in folder.glob("*.lock") for digest in pinned_digests(file)
        }
        raw = {bytes.fromhex(digest) for digest in kept}
        before = time.time() - arguments.older_than
        going = unused(store, before=before, kept=raw) | orphans(store)
        stray = [*stray_files(store), *stray_checkpoints(store, before=before)]
        return carried_out(store, arguments, going, stray=stray)
