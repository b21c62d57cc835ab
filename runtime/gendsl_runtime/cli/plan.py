"""`gen plan`: what a run would compute and what it would take from the store."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl_runtime.cli.options import add_limits, add_spec, exit_code, is_coloured, spec_options

if TYPE_CHECKING:
    from gendsl.plan import Plan
    from gendsl_runtime.states import StepState

HELP = "show what a run would compute, and what is stored already"
EXAMPLES = """\
exit code: 0 where nothing is to be done, 2 where there is

examples:
  gen plan first.gen
  gen plan first.gen --set 'fit.optimizer.lr=0.1' --json
"""
LEGEND = "= stored  + new  ~ changed  ? if its inputs differ  ! damaged  x failed before"
MARKS = "x!~+?="
"""The marks of nodes, the most telling one first: it stands for the line."""
WORDS = {"=": "stored", "+": "new", "~": "changed", "?": "perhaps", "!": "damaged", "x": "failed before"}
PLURALS = {"train": "trainings", "dataset": "datasets", "analysis": "analyses"}


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen plan`."""
    add_spec(parser)
    add_limits(parser)
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="the device a run would use (auto)"
    )
    parser.add_argument("--json", action="store_true", help="the same as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Prints the plan; 0 where nothing is to be done, 2 where there is."""
    from gendsl.plan import plan
    from gendsl.render import render
    from gendsl_runtime.device import chosen_device
    from gendsl_runtime.numerics import numerics
    from gendsl_runtime.reading import file_digest, read_checked
    from gendsl_runtime.saved import last_spec
    from gendsl_runtime.states import states
    from gendsl_runtime.store import Store
    from gendsl_runtime.store.place import store_place

    checked = read_checked(arguments.file, spec_options(arguments))
    if checked.diagnostics:
        print(render(checked.diagnostics, color=is_coloured(sys.stderr)), file=sys.stderr)
    if checked.spec is None:
        return exit_code(checked.diagnostics)
    made = plan(
        checked.spec,
        numerics=numerics(chosen_device(arguments.device)),
        max_runs=arguments.max_runs,
        file_digest=file_digest,
    )
    place = store_place(Path(arguments.file), arguments.store)
    with Store.open(place, create=False) as store:
        told = states(made, store, last_spec(made.spec.name, place))
    if arguments.json:
        import json

        print(json.dumps(data(made, told, place), indent=1, ensure_ascii=False))
    else:
        print("\n".join(lines(made, told)))
    is_done = all(state.marks.count("=") == len(state.marks) for state in told.values())
    return 0 if is_done else 2


def lines(plan: Plan, told: Mapping[str, StepState]) -> list[str]:
    """The plan for people: a line a step, its axes folded into counts."""
    rows = [_row(plan, state) for state in told.values()]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(4)]
    text = [plan.spec.title or plan.spec.name, ""]
    for row, state in zip(rows, told.values()):
        cells = [
            f"{cell:{'>' if at == 2 else '<'}{width}}" for at, (cell, width) in enumerate(zip(row, widths))
        ]
        text.append("  ".join([f"  {_mark(state)} {cells[0]}", *cells[1:], row[-1]]).rstrip())
        text += [f"      {change.path}: {change.old} -> {change.new}" for change in state.changes]
    return [*text, "", f"  {LEGEND}", summary(told)]


def summary(told: Mapping[str, StepState]) -> str:
    """One line: how much of each kind is to be computed. Equal nodes of several steps are computed once."""
    parts = []
    for kind, plural in PLURALS.items():
        of_kind = [state for state in told.values() if state.step.step.kind == kind]
        nodes = {state.step.recipe_key(i): mark for state in of_kind for i, mark in enumerate(state.marks)}
        if nodes:
            stored = sum(mark == "=" for mark in nodes.values())
            noun = plural if len(nodes) != 1 else kind.replace("train", "training")
            parts.append(f"{len(nodes):,} {noun}: {_of(stored, len(nodes))}")
    return "; ".join(parts) or "nothing to compute"


def data(plan: Plan, told: Mapping[str, StepState], store: Path) -> dict[str, Any]:
    """The plan for programs."""
    steps = [
        {
            "name": name,
            "kind": state.step.step.kind,
            "component": state.step.step.component,
            "axes": dict(zip(state.step.axes, state.step.shape)),
            "nodes": state.step.count,
            "states": {WORDS[mark]: state.count(mark) for mark in MARKS if state.count(mark)},
            "changes": [change._asdict() for change in state.changes],
            "inputs": sorted(plan.graph.predecessors(name)),
        }
        for name, state in told.items()
    ]
    return {
        "experiment": plan.spec.name,
        "store": str(store),
        "numerics": plan.numerics,
        "trainings": plan.trainings,
        "to_compute": sum(len(state.marks) - state.count("=") for state in told.values()),
        "steps": steps,
    }


def _row(plan: Plan, state: StepState) -> Sequence[str]:
    step = state.step
    axes = " x ".join(f"{size} {axis}" for axis, size in zip(step.axes, step.shape))
    counts = [f"{state.count(mark):,} {WORDS[mark]}" for mark in MARKS if state.count(mark)]
    return step.name, _component(state), f"{step.count:,}", axes, ", ".join(counts) if len(counts) > 1 else ""


def _component(state: StepState) -> str:
    """The component; of a training its model and optimizer."""
    from gendsl.spec import Component

    step = state.step.step
    nested = [value.name for value in step.arguments.values() if isinstance(value, Component)]
    return f"train {', '.join(nested)}".rstrip() if step.kind == "train" else step.component


def _mark(state: StepState) -> str:
    return next((mark for mark in MARKS if mark in state.marks), "=")


def _of(stored: int, whole: int) -> str:
    if stored == whole:
        return "all stored" if whole > 1 else "stored"
    if stored == 0:
        return "to compute"
    return f"{whole - stored:,} to compute, {stored:,} stored"
