"""Values at one coordinate: axes give way to their labels, and arithmetic on numbers is carried out."""

from __future__ import annotations

from collections.abc import Mapping

from gendsl.spec import (
    Along,
    Axis,
    Component,
    Coordinate,
    Group,
    Items,
    Moment,
    Number,
    Operation,
    Split,
    Value,
    Where,
)
from gendsl.spec.operators import ARITHMETIC


def at(coordinate: Coordinate, axes: Mapping[str, Axis], place: Mapping[str, int]) -> Value:
    """The value of an axis at a place; of a tuple axis one part, where `part` says so."""
    value = axes[coordinate.axis].values[place[coordinate.axis]]
    if coordinate.part is None:
        return value
    assert isinstance(value, Items)
    return value.items[coordinate.part]


def along(value: Along, axes: Mapping[str, Axis], place: Mapping[str, int]) -> list[dict[str, int]]:
    """The places of the runs that are taken together, in the order of their axis."""
    return [{**place, value.axis: at_} for at_ in range(len(axes[value.axis].values))]


def label(axis: Axis, place: int) -> str | int | float:
    """A label of an axis, that of a tuple axis as text."""
    found = axis.labels[place]
    return ", ".join(map(str, found)) if isinstance(found, tuple) else found


def labels(axis: Axis) -> tuple[str | int | float, ...]:
    """All of them, in order."""
    return tuple(label(axis, place) for place in range(len(axis.labels)))


def substituted(value: Value, axes: Mapping[str, Axis], place: Mapping[str, int]) -> Value:
    """`value` at the place, a label index for each axis: no coordinate and no `where` is left in it."""

    def inner(part: Value) -> Value:
        return substituted(part, axes, place)

    match value:
        case Coordinate():
            return inner(at(value, axes, place))
        case Items():
            return Items(items=tuple(map(inner, value.items)))
        case Component():
            arguments = {name: inner(argument) for name, argument in value.arguments.items()}
            return value.model_copy(update={"arguments": arguments})
        case Moment():
            return Moment(run=inner(value.run), epoch=inner(value.epoch))
        case Along():
            runs = tuple(substituted(value.subject, axes, one) for one in along(value, axes, place))
            return Group(runs=runs, labels=labels(axes[value.axis]))
        case Split():
            return Split(dataset=inner(value.dataset), name=value.name)
        case Operation():
            return folded(value.op, tuple(map(inner, value.operands)))
        case Where():
            return substituted(value.subject, axes, {**place, **value.fixed})
        case _:
            return value


def folded(op: str, operands: tuple[Value, ...]) -> Value:
    """The number that arithmetic on numbers gives; any other operation stays.

    A whole result is a whole number: `width / 2` and `0.5 * width` are counts. Raises ArithmeticError or ValueError
    where there is no such number.
    """
    numbers = [operand for operand in operands if isinstance(operand, Number)]
    if op not in ARITHMETIC or len(numbers) < len(operands):
        return Operation(op=op, operands=operands)
    values = [number.value for number in numbers]
    result = ARITHMETIC[op](*values)
    if isinstance(result, float) and result.is_integer():
        result = int(result)
    units = [number.unit for number in numbers]
    is_ratio = op == "/" and len(set(units)) == 1
    return Number(value=result, unit="" if is_ratio else next(filter(None, units), ""))
