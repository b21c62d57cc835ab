"""What a value mentions: axes, and steps that feed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gendsl.spec import (
    Along,
    Axis,
    Component,
    Coordinate,
    Items,
    Moment,
    Operation,
    Quantity,
    Split,
    Use,
    Value,
    Where,
)


def inside(value: Value) -> list[tuple[str, Value]]:
    """The parts of a value, with the names that argument paths give them."""
    match value:
        case Items():
            return [(str(at_), item) for at_, item in enumerate(value.items)]
        case Component():
            return list(value.arguments.items())
        case Split():
            return [("dataset", value.dataset)]
        case Operation():
            return [(str(at_), operand) for at_, operand in enumerate(value.operands)]
        case _:
            return []


def axes_of(value: Value) -> Iterator[str]:
    """The axes whose coordinates a value mentions."""
    if isinstance(value, Coordinate):
        yield value.axis
    if isinstance(value, Along):
        yield from (axis for axis in axes_of(value.subject) if axis != value.axis)
    for _, inner in inside(value):
        yield from axes_of(inner)


def steps_of(value: Value, axes: Mapping[str, Axis]) -> Iterator[str]:
    """The steps that a value mentions, also as labels of an axis."""
    match value:
        case Use() | Quantity():
            yield value.step
        case Moment():
            yield from steps_of(value.run, axes)
        case Where() | Along():
            yield from steps_of(value.subject, axes)
        case Coordinate():
            for label in axes[value.axis].values:
                yield from steps_of(label, axes)
        case _:
            for _, inner in inside(value):
                yield from steps_of(inner, axes)
