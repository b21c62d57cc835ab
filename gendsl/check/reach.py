"""What a value reaches: the axes it varies along, the steps, runs and data behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gendsl.check.scope import Scope, World
from gendsl.check.sweeps import name_of
from gendsl.spec import (
    Along,
    Component,
    Coordinate,
    Items,
    Moment,
    Operation,
    Quantity,
    Split,
    Statistic,
    Use,
    Value,
    Where,
)


def labels(world: World, coordinate: Coordinate) -> Iterator[Value]:
    """The values an axis has, as far as they are known to be anything but labels."""
    axis = world.axes.get(coordinate.axis)
    if axis is not None:
        yield from axis.typed[coordinate.part or 0] or ()


def inside(value: Value) -> Iterable[Value]:
    """The parts of a value that it varies with."""
    match value:
        case Items(items=items):
            return items
        case Component(arguments=arguments):
            return arguments.values()
        case Moment(run=run, epoch=epoch):
            return (run, epoch)
        case Split(dataset=dataset):
            return (dataset,)
        case Operation(operands=operands):
            return operands
        case Where(subject=subject) | Along(subject=subject):
            return (subject,)
        case Statistic(values=values):
            return values
        case _:
            return ()


def axes_of(world: World, value: Value, *, own: bool = True) -> set[str]:
    """Every axis a value varies along, directly or through what it uses.

    `own` says whether own axes of quantities count; a step that is given scores has used them up.
    """
    found: set[str] = set()
    match value:
        case Use(step=step):
            return set(world.steps[step].axes)
        case Quantity(step=step, axes=axes):
            return {*world.steps[step].axes, *(axes if own else ())}
        case Coordinate(axis=axis):
            found = {axis}.union(*(axes_of(world, label, own=own) for label in labels(world, value)))
        case Split(dataset=Use(step=step)):
            return set(world.steps[step].axes)
    found = found.union(*(axes_of(world, part, own=own) for part in inside(value)))
    if isinstance(value, Where):
        found -= {*value.fixed, *value.picked}
    if isinstance(value, Along):
        found -= {value.axis}
    if isinstance(value, Statistic):
        found -= {*value.over, value.along or ""}
    return found


def own_axes(value: Value) -> set[str]:
    """The axes that quantities in a value have of their own."""
    found = set(value.axes) if isinstance(value, Quantity) else set()
    return found.union(*(own_axes(part) for part in inside(value)))


def order(scope: Scope) -> Iterator[str]:
    """Axis names in file order, those of an import where it stands."""
    for declared in scope.names.values():
        if declared.module is not None:
            yield from order(declared.module)
        elif declared.word == "sweep":
            yield name_of(declared)


def ordered(world: World, axes: set[str]) -> tuple[str, ...]:
    """Axes in the order of the file, then own axes, the replicate axis last."""
    known = dict.fromkeys(order(world.main))
    first = [name for name in known if name in axes]
    own = sorted(axes - known.keys() - {"seed"})
    return (*first, *own, *(["seed"] if "seed" in axes else []))


def steps_of(world: World, value: Value) -> set[str]:
    """Every step a value depends on, with what those depend on."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        waiting += inside(part)
        if isinstance(part, Coordinate):
            waiting += labels(world, part)
        if isinstance(part, Use | Quantity) and part.step not in found:
            found.add(part.step)
            waiting += world.steps[part.step].arguments.values()
    return found
