"""`gen why`: why a step's results are stored or not, field by field."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl_runtime.cli.amounts import age, duration
from gendsl_runtime.cli.options import UsageError, add_changes, add_store
from gendsl_runtime.cli.verdicts import folded

if TYPE_CHECKING:
    from gendsl.plan import PlanStep
    from gendsl_runtime.changes import Change
    from gendsl_runtime.why import Reason

HELP = "tell why a step is computed again: what differs from the nearest earlier result"
EXAMPLES = """\
Fields of the steps that feed this one stand under the argument they feed: `dataset.noise`.

examples:
  gen why first.gen fit
  gen why first.gen fit width=64 seed=0
  gen why first.gen gap --set 'fit.optimizer.lr=0.1' --json
"""
PAIRS = 3
"""Old and new values shown of one field."""
WORDS = {
    "=": "stored",
    "+": "new: nothing like it was computed here",
    "~": "to compute",
    "?": "to compute, unless its inputs turn out the same",
    "!": "damaged",
    "x": "failed",
}


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen why`."""
    parser.add_argument("file", metavar="FILE", help="a .gen file")
    parser.add_argument("step", metavar="STEP", help="a dataset, training or analysis of it")
    parser.add_argument("at", nargs="*", metavar="AXIS=LABEL", help="only there")
    add_changes(parser)
    add_store(parser)
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="the device a run would use (auto)"
    )
    parser.add_argument("--json", action="store_true", help="the same as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Prints the reasons."""
    from gendsl_runtime.cli.planned import planned, refuse_unknown
    from gendsl_runtime.saved import last_spec
    from gendsl_runtime.states import states
    from gendsl_runtime.store import Store
    from gendsl_runtime.store.place import store_place
    from gendsl_runtime.why import reasons

    made = planned(arguments, max_runs=sys.maxsize)
    refuse_unknown(made, [arguments.step])
    step = made[arguments.step]
    nodes = list(_chosen(step, arguments.at))
    place = store_place(Path(arguments.file), arguments.store)
    with Store.open(place, create=False) as store:
        state = states(made, store, last_spec(made.spec.name, place))[arguments.step]
        found = reasons(made, state, store, nodes)
    if arguments.json:
        import json

        print(json.dumps([_data(step, reason) for reason in found], indent=1, ensure_ascii=False))
        return 0
    width = shutil.get_terminal_size((100, 24)).columns
    print(f"{step.name} ({step.step.component}): {len(nodes):,} of {step.count:,} results")
    looked_at = sum(len(reason.nodes) for reason in found)
    if looked_at < len(nodes):
        print(f"(looked at {looked_at:,} of them, evenly spread)")
    for reason in found:
        print("\n".join(_lines(step, reason, width)))
    return 0


def _chosen(step: PlanStep, at: Sequence[str]) -> Iterator[int]:
    """The nodes at the labels that are asked for."""
    wanted = dict(text.partition("=")[::2] for text in at)
    for axis in wanted:
        if axis not in step.axes:
            raise UsageError(f"`{step.name}` has no axis `{axis}`; it has: {', '.join(step.axes) or 'none'}")
    nodes = [
        i for i in range(step.count) if all(str(step.labels(i)[axis]) == wanted[axis] for axis in wanted)
    ]
    if not nodes:
        raise UsageError(f"`{step.name}` has no result at {', '.join(at)}")
    yield from nodes


def _lines(step: PlanStep, reason: Reason, width: int) -> list[str]:
    head = f"{reason.mark} {len(reason.nodes):,} {WORDS[reason.mark]}{_about(reason)}"
    at = ", ".join(f"{axis}={label}" for axis, label in step.labels(reason.nodes[0]).items())
    more = f" and {len(reason.nodes) - 1:,} more" if len(reason.nodes) > 1 else ""
    lines = ["", *folded(head, width, first=2, indent=4)]
    if at:
        lines += folded(f"at {at}{more}", width, first=4, indent=6)
    columns = list(zip(*reason.changes))
    paths = [column[0].path for column in columns]
    for column in columns:
        if any(path.startswith(f"{column[0].path}.") and column[0].path.endswith("code") for path in paths):
            continue  # the parts that changed say more than the fingerprint of all
        lines += folded(_changed(column, reason), width, first=6, indent=8)
    return lines


def _changed(column: Sequence[Change], reason: Reason) -> str:
    """One field of all nodes: its old and new values; of a part of user code, where it stands."""
    from gendsl_runtime.changes import ABSENT

    path, _, part = f".{column[0].path}".partition(".code.")
    if part:
        what, _, name = part.partition(" ")
        place = f" at {reason.lines[part]}" if part in reason.lines else ""
        how = {column[0].old: "is new", column[0].new: "is gone"}.get(ABSENT, "changed")
        return f"{path[1:]}: {what} `{name}`{place} {how}".removeprefix(": ")
    pairs = list(dict.fromkeys(f"{change.old} -> {change.new}" for change in column))
    others = f" ({len(pairs) - PAIRS:,} more)" if len(pairs) > PAIRS else ""
    return f"{column[0].path}: {', '.join(pairs[:PAIRS])}{others}"


def _about(reason: Reason) -> str:
    near = reason.near
    if reason.said:
        return f": {reason.said}"
    if near is None:
        return ""
    origin = f"`{near.step}` of {near.experiment}" if near.experiment else "an earlier experiment"
    if reason.mark == "=":
        return f": computed for {origin} {age(near.created)} on {near.host}, {duration(near.seconds)}"
    same = "; nothing that is kept differs" if not reason.changes[0] else ""
    return f"; the nearest earlier result is of {origin}, {age(near.created)}{same}"


def _data(step: PlanStep, reason: Reason) -> dict[str, Any]:
    near = asdict(reason.near) if reason.near else None
    nodes: list[dict[str, Any]] = [
        {"at": step.labels(i), "key": step.recipe_key(i).hex()} for i in reason.nodes
    ]
    for node, changed in zip(nodes, reason.changes):
        node["changes"] = [change._asdict() for change in changed]
    return {"state": reason.mark, "nodes": nodes, "reason": reason.said or None, "nearest": near}
