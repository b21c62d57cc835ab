"""What a spec changed since it was last run: the old and the new value of each argument of a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gendsl.spec import Component, Step, Value
from gendsl.spec.shown import shown

ABSENT = "-"


class Change(NamedTuple):
    """An argument that differs, as people write it: `optimizer.lr`, `0.1`, `0.2`."""

    path: str
    old: str
    new: str


def changes(old: Step, new: Step) -> tuple[Change, ...]:
    """The arguments of a step that differ, nested ones by their path."""
    before, after = ({"": step.component} | dict(leaves(step.arguments, "")) for step in (old, new))
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    changed = [
        Change(path or "component", before.get(path, ABSENT), after.get(path, ABSENT)) for path in paths
    ]
    if old.version != new.version:
        changed.append(Change("version", str(old.version), str(new.version)))
    return tuple(changed)


def leaves(arguments: dict[str, Value], prefix: str) -> Iterator[tuple[str, str]]:
    """Path and value of every argument, those of components after them."""
    for name, value in arguments.items():
        path = f"{prefix}{name}"
        if isinstance(value, Component):
            yield path, f"{value.name} (version {value.version})" if value.version > 1 else value.name
            yield from leaves(value.arguments, f"{path}.")
        else:
            yield path, shown(value)
