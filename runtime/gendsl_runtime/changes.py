"""What a spec changed since it was last run: the old and the new value of each argument of a step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gendsl.quantity import written
from gendsl.spec import (
    Choice,
    Component,
    Coordinate,
    Flag,
    InputFile,
    Items,
    Moment,
    Nothing,
    Number,
    Operation,
    Quantity,
    Spec,
    Split,
    Step,
    Text,
    Use,
    Value,
    Where,
)

ABSENT = "-"


class Change(NamedTuple):
    """An argument that differs, as people write it: `optimizer.lr`, `0.1`, `0.2`."""

    path: str
    old: str
    new: str


def last_run(store: Path, name: str) -> Spec | None:
    """The experiment `name` as it was when it last ran with the store in this folder; None if never."""
    folders = sorted(
        (folder for folder in (store / "runs").glob(f"{name}-*") if (folder / "results.json").is_file()),
        key=lambda folder: (folder / "results.json").stat().st_mtime_ns,
    )
    if not folders:
        return None
    try:
        content = json.loads((folders[-1] / "results.json").read_text(encoding="utf-8"))
        return Spec.model_validate(content["spec"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # written by another version, or cut: then there is nothing to compare with


def changes(old: Step, new: Step) -> tuple[Change, ...]:
    """The arguments of a step that differ, nested ones by their path."""
    before, after = ({"": step.component} | dict(_leaves(step.arguments, "")) for step in (old, new))
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    changed = [
        Change(path or "component", before.get(path, ABSENT), after.get(path, ABSENT)) for path in paths
    ]
    if old.version != new.version:
        changed.append(Change("version", str(old.version), str(new.version)))
    return tuple(changed)


def _leaves(arguments: dict[str, Value], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in arguments.items():
        path = f"{prefix}{name}"
        if isinstance(value, Component):
            yield path, f"{value.name} (version {value.version})" if value.version > 1 else value.name
            yield from _leaves(value.arguments, f"{path}.")
        else:
            yield path, shown(value)


def shown(value: Value) -> str:
    """An argument as one would write it."""
    match value:
        case Number():
            return written(value.value, value.unit)
        case Flag():
            return "true" if value.value else "false"
        case Text():
            return f'"{value.value}"'
        case Choice():
            return value.name
        case Nothing():
            return "none"
        case InputFile():
            return f'"{value.path}"'
        case Items():
            return f"[{', '.join(map(shown, value.items))}]"
        case Component():
            inside = ", ".join(f"{name}={shown(inner)}" for name, inner in value.arguments.items())
            return f"{value.name}({inside})"
        case _:
            return _mention(value)


def _mention(value: Value) -> str:
    match value:
        case Use():
            return value.step
        case Quantity():
            return f"{value.step}.{value.name}"
        case Coordinate():
            return value.axis if value.part is None else f"{value.axis}.{value.part}"
        case Split():
            return f"{shown(value.dataset)}.{value.name}"
        case Moment():
            return f"{shown(value.run)}.at(epoch={shown(value.epoch)})"
        case Where():
            return f"{shown(value.subject)} where {shown(value.condition)}"
        case Operation(operands=(operand,)):
            return f"{'-' if value.op == 'neg' else value.op + ' '}{shown(operand)}"
        case Operation():
            return f" {value.op} ".join(map(shown, value.operands))
        case _:
            return value.is_
