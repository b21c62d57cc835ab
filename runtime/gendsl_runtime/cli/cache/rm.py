"""`gen cache rm`: removes the results of some steps of a spec."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gendsl_runtime.cli.cache.removing import add_removing, carried_out
from gendsl_runtime.cli.options import add_changes

if TYPE_CHECKING:
    from gendsl_runtime.states import StepState

HELP = "remove the stored results of a spec's steps (a preview without --yes)"
EXAMPLES = """\
Only what the spec, as it is now, would take from the store goes; results that other experiments share by content stay
for them. The next run computes again what it needs.

examples:
  gen cache rm first.gen fit
  gen cache rm first.gen fit gap --yes
  gen cache rm first.gen fit --seeds 7 --yes
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen cache rm`."""
    parser.add_argument("file", metavar="FILE", help="a .gen file")
    parser.add_argument("steps", nargs="+", metavar="STEP", help="a dataset, training or analysis of it")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="the device they were made for (auto)",
    )
    add_changes(parser)
    add_removing(parser)


def main(arguments: argparse.Namespace) -> int:
    """Says what would go; with `--yes` removes it."""
    from gendsl_runtime.cli.planned import planned, refuse_unknown
    from gendsl_runtime.states import states
    from gendsl_runtime.store import Store
    from gendsl_runtime.store.inventory import led_to
    from gendsl_runtime.store.place import store_place

    made = planned(arguments, max_runs=sys.maxsize, is_whole=True)
    refuse_unknown(made, arguments.steps)
    with Store.open(store_place(Path(arguments.file), arguments.store), create=False) as store:
        told = states(made, store)
        keys = {key for name in arguments.steps for key in _keys(told[name], told)}
        digests, keys = led_to(store, keys)
        return carried_out(store, arguments, digests, keys=keys)


def _keys(state: StepState, told: dict[str, StepState]) -> set[bytes]:
    """Both keys of every node of a step that has a result."""

    def digest_of(name: str, index: int) -> bytes:
        return bytes.fromhex(told[name].digests[index] or "")

    step = state.step
    return {
        key
        for index, digest in enumerate(state.digests)
        if digest is not None
        for key in (step.recipe_key(index), step.action_key(index, digest_of))
    }
