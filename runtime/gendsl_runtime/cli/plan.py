"""`gen plan`: what a run would compute and what it would take from the store."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl_runtime.cli.options import add_limits, add_spec

if TYPE_CHECKING:
    from gendsl.plan import Plan
    from gendsl_runtime.execute.forecast import Stacks
    from gendsl_runtime.states import StepState
    from gendsl_runtime.store import Store

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
SHOWN = 8
"""Lines of stacks on a screen; the others are counted."""
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
    from gendsl.spec.looks import adaptive
    from gendsl_runtime.cli.planned import planned
    from gendsl_runtime.saved import last_spec
    from gendsl_runtime.states import states
    from gendsl_runtime.store import Store
    from gendsl_runtime.store.place import store_place

    made = planned(arguments, max_runs=arguments.max_runs)
    place = store_place(Path(arguments.file), arguments.store)
    with Store.open(place, create=False) as store:
        decided = decided_plan(made, store, max_runs=arguments.max_runs)
        made = decided or made
        told = states(made, store, last_spec(made.spec.name, place))
        stacks = forecast_of(made, told, store)
    if arguments.json:
        import json

        print(json.dumps(data(made, told, place, stacks), indent=1, ensure_ascii=False))
    else:
        print("\n".join([*lines(made, told, stacks), *look_lines(made, is_decided=decided is not None)]))
    is_stored = all(state.marks.count("=") == len(state.marks) for state in told.values())
    is_decided = decided is not None or adaptive(made.spec) is None
    return 0 if is_stored and is_decided else 2


def decided_plan(first: Plan, store: Store, *, max_runs: int) -> Plan | None:
    """Where seeds go on until claims are decided, the plan of the latest run if nothing is to be done after it."""
    from gendsl.plan import plan
    from gendsl.spec.looks import adaptive, with_seeds
    from gendsl_runtime.reading import file_digest
    from gendsl_runtime.saved import current_run, last_seeds

    axis = adaptive(first.spec)
    seeds = last_seeds(first.spec.name, store.path)
    if axis is None or seeds not in axis.looks:
        return None
    spec = with_seeds(first.spec, seeds)
    made = plan(spec, numerics=first.numerics, max_runs=max_runs, file_digest=file_digest)
    return made if current_run(store, made) is not None else None


def look_lines(plan: Plan, *, is_decided: bool) -> list[str]:
    """How far seeds may go on; nothing where they are fixed."""
    from gendsl.spec.looks import adaptive

    axis = adaptive(plan.spec)
    if axis is None:
        return []
    count, most, looks = len(axis.values), axis.looks[-1], len(axis.looks)
    if is_decided:
        reached = "as many as there may be" if count == most else "enough to decide every claim"
        return [f"{count:,} seeds: {reached}"]
    return [f"first look: {count:,} seeds, up to {most:,} in {looks} looks, until every claim is decided"]


def forecast_of(plan: Plan, told: Mapping[str, StepState], store: Store) -> list[Stacks]:
    """The stacks of the trainings to compute. Looking at them takes torch, which nothing else here needs."""
    trainings = [state for state in told.values() if state.step.step.kind == "train"]
    if all(state.count("=") == len(state.marks) for state in trainings):
        return []
    from gendsl_runtime.execute.forecast import forecast
    from gendsl_runtime.train.speed import speed

    return forecast(plan, told, store, speed())


def lines(plan: Plan, told: Mapping[str, StepState], stacks: Sequence[Stacks] = ()) -> list[str]:
    """The plan for people: a line a step, its axes folded into counts; then the stacks."""
    rows = [_row(plan, state) for state in told.values()]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(4)]
    text = [plan.spec.title or plan.spec.name, ""]
    for row, state in zip(rows, told.values()):
        cells = [
            f"{cell:{'>' if at == 2 else '<'}{width}}" for at, (cell, width) in enumerate(zip(row, widths))
        ]
        text.append("  ".join([f"  {_mark(state)} {cells[0]}", *cells[1:], row[-1]]).rstrip())
        text += [f"      {change.path}: {change.old} -> {change.new}" for change in state.changes]
    return [*text, "", f"  {LEGEND}", *stack_lines(stacks), summary(told)]


def stack_lines(stacks: Sequence[Stacks]) -> list[str]:
    """How trainings are put together, the longest first, and what all of it takes in one process."""
    if not stacks:
        return []
    ranked = sorted(stacks, key=lambda one: -(one.seconds or 0.0))
    rows = [_stack_row(one) for one in ranked[:SHOWN]]
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    text = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in rows]
    if len(ranked) > SHOWN:
        text.append(f"and {sum(one.count for one in ranked[SHOWN:]):,} more")
    return ["", *(f"    {line}" for line in text), "", f"  {_expected(stacks)}", ""]


def _stack_row(stacks: Stacks) -> tuple[str, str, str]:
    many = "stacks" if stacks.count != 1 else "stack"
    what = (
        f"{stacks.count:,} {many} of {stacks.members:,}" if stacks.members > 1 else f"{stacks.count:,} alone"
    )
    if stacks.seconds is None:
        return what, ", ".join(stacks.names), "unknown until its data are made"
    return what, ", ".join(stacks.names), _duration(stacks.seconds, is_most=stacks.is_most)


def _expected(stacks: Sequence[Stacks]) -> str:
    known = [one for one in stacks if one.seconds is not None]
    if not known:
        return "expected: unknown until the data are made"
    seconds = sum(one.seconds or 0.0 for one in known)
    size = max(one.bytes or 0.0 for one in known)
    rest = "" if len(known) == len(stacks) else ", and what is unknown"
    length = _duration(seconds, is_most=any(one.is_most for one in known))
    return f"expected: training takes {length} in one process{rest}; stacks of up to {size / 1e6:,.0f} MB"


def _duration(seconds: float, *, is_most: bool) -> str:
    """Seconds in words, no more exact than a forecast is."""
    from gendsl_runtime.report.words import duration

    return f"{'at most' if is_most else 'about'} {duration(seconds)}"


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


def data(
    plan: Plan, told: Mapping[str, StepState], store: Path, stacks: Sequence[Stacks] = ()
) -> dict[str, Any]:
    """The plan for programs."""
    from gendsl.spec.looks import adaptive

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
        "looks": list(axis.looks) if (axis := adaptive(plan.spec)) is not None else [],
        "to_compute": sum(len(state.marks) - state.count("=") for state in told.values()),
        "steps": steps,
        "stacks": [
            {
                "steps": list(one.names),
                "stacks": one.count,
                "members": one.members,
                "seconds": one.seconds,
                "bytes": one.bytes,
                "may_end_sooner": one.is_most,
            }
            for one in stacks
        ],
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
