"""A `where` in an argument of a step: what varies along an axis, at one of its labels."""

from __future__ import annotations

from gendsl import tree
from gendsl.catalogue.types import Type
from gendsl.check import conditions, reach, sweeps, values
from gendsl.check.scope import Given, World
from gendsl.check.slots import Slot
from gendsl.spec import Component, Coordinate, Items, Moment, Operation, Split, Value, Where
from gendsl.spec.mentions import axes_of
from gendsl.spec.substitute import folded


def argument(world: World, given: Given, expr: tree.Where, want: Type, slot: Slot) -> Value:
    """A `where` in an argument of a step: it must leave one label of each axis it speaks about."""
    subject = values.value(world, given.at(expr.subject), want, slot)
    axes = reach.axes_of(world, subject)
    text = given.at(expr.subject).text
    found = conditions.where(world, given, subject, given.at(expr.condition), axes, text)
    loose = set(axes_of(found.condition)) - found.fixed.keys()
    if loose:
        world.faults.fail(
            "open-where",
            f"this leaves several labels of `{min(loose)}`",
            given.spot(expr.condition.span),
            note="what a step is made from has one value at each coordinate",
            help="select in the claim or the plot instead, or fix each axis with `==`",
        )
    return _at_labels(world, subject, found.fixed, found.condition)


def _at_labels(world: World, subject: Value, fixed: dict[str, int], condition: Value) -> Value:
    """The subject with axes replaced by their labels; a Where is left for what other steps vary along."""
    value = _substituted(world, subject, fixed)
    left = {name: place for name, place in fixed.items() if name in reach.axes_of(world, value)}
    return Where(subject=value, condition=condition, fixed=left) if left else value


def _substituted(world: World, value: Value, fixed: dict[str, int]) -> Value:
    match value:
        case Coordinate(axis=axis, part=part) if axis in fixed:
            label = sweeps.finished(world, axis).values[fixed[axis]]
            return label.items[part] if part is not None and isinstance(label, Items) else label
        case Items(items=items):
            return Items(items=tuple(_substituted(world, item, fixed) for item in items))
        case Component():
            changed = {name: _substituted(world, part, fixed) for name, part in value.arguments.items()}
            return value.model_copy(update={"arguments": changed})
        case Moment():
            return Moment(
                run=_substituted(world, value.run, fixed), epoch=_substituted(world, value.epoch, fixed)
            )
        case Split():
            return Split(dataset=_substituted(world, value.dataset, fixed), name=value.name)
        case Operation():
            operands = tuple(_substituted(world, part, fixed) for part in value.operands)
            return folded(value.op, operands)
        case _:
            return value
