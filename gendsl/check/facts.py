"""What is known about data before it is made: task, shape, outputs, splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from gendsl.check.scope import World
from gendsl.spec import Along, Choice, Component, Coordinate, Moment, Nothing, Number, Use, Value, Where

OTHERS = "*"
"""Among the splits that a component names: all others of the data it is given, whose sizes it may change."""


@dataclass(frozen=True)
class Facts:
    """None stands for what is not known before the run."""

    step: str
    task: str | None = None
    shape: tuple[int | None, ...] | None = None
    outputs: int | None = None
    splits: dict[str, int | None] | None = None
    inputs: str | None = None
    """`numbers` or `tokens`."""


def labels(world: World, value: Value) -> Iterator[Value]:
    """The things that a value may be: itself, or each value of the axis it is."""
    match value:
        case Coordinate(axis=name, part=part):
            axis = world.axes.get(name)
            for label in (axis.typed[part or 0] if axis else None) or ():
                yield from labels(world, label)
        case Where(subject=subject) | Along(subject=subject):
            yield from labels(world, subject)
        case Moment(run=run):
            yield from labels(world, run)
        case _:
            yield value


def components(world: World, value: Value) -> Iterator[Component]:
    """The components that a value may be."""
    return (label for label in labels(world, value) if isinstance(label, Component))


def trainings(world: World, run: Value) -> list[str]:
    """The training steps that a value of type `Runs` may be."""
    found = [label.step for label in labels(world, run) if isinstance(label, Use)]
    return [step for step in found if world.steps[step].kind == "train"]


def of(world: World, value: Value) -> list[Facts]:
    """Facts of the data behind a dataset or a run, one for each thing that the value may be."""
    found: list[Facts] = []
    for label in labels(world, value):
        if not isinstance(label, Use):
            return [Facts("")]
        step = world.steps[label.step]
        if step.kind == "train":
            found += of(world, step.arguments["dataset"])
        else:
            found += _of_step(world, label.step)
    return found


def _of_step(world: World, name: str) -> list[Facts]:
    step = world.steps[name]
    facts = world.description(step).facts
    like = facts.get("like")
    bases = of(world, step.arguments[like]) if like else [None]
    return [made(name, facts, step.arguments, base) for base in bases]


def made(name: str, facts: Mapping[str, Any], arguments: Mapping[str, Value], base: Facts | None) -> Facts:
    """Facts of what a dataset component makes of its arguments, and of data of which `base` is known."""
    base = base or Facts(name, splits={}, inputs="numbers")
    own = {word: _fact(facts.get(word), arguments) for word in ("task", "outputs")}
    sides = facts.get("shape")
    shape = _shape(sides, arguments, base.shape) if sides is not None else base.shape
    outputs = own["outputs"] if own["outputs"] is not None else base.outputs
    if outputs == "shape":
        known = [side for side in shape or (None,) if side is not None]
        outputs = prod(known) if len(known) == len(shape or (None,)) else None
    return Facts(
        name,
        own["task"] if own["task"] is not None else base.task,
        shape,
        outputs,
        _merged(base.splits, _sizes(facts.get("splits"), arguments), is_new="like" not in facts),
        _inputs(facts.get("inputs"), arguments) or base.inputs,
    )


def _shape(
    sides: list[Any], arguments: Mapping[str, Value], base: tuple[int | None, ...] | None
) -> tuple[int | None, ...]:
    """Sides that are said, and where nothing is, those of the data that a transformation is given."""
    kept = base if base is not None and len(base) == len(sides) else (None,) * len(sides)
    return tuple(
        old if side is None else _fact(side, arguments) for side, old in zip(sides, kept, strict=True)
    )


def _merged(
    base: dict[str, int | None] | None, added: dict[str, int | None] | None, *, is_new: bool
) -> dict[str, int | None] | None:
    if base is None or (is_new and added is None):
        return None
    if added and OTHERS in added:
        added = {name: size for name, size in added.items() if name != OTHERS}
        base = dict.fromkeys(base)
    return {name: size for name, size in {**base, **(added or {})}.items() if size != 0}


def _fact(fact: Any, arguments: Mapping[str, Value]) -> Any:
    """A fact as it is, or the value of the parameter that it names."""
    if not isinstance(fact, str) or fact not in arguments:
        return fact
    match arguments[fact]:
        case Number(value=value):
            return value
        case Choice(name=name):
            return name
        case _:
            return None


def _inputs(fact: str | None, arguments: Mapping[str, Value]) -> str | None:
    """`numbers` or `tokens`, also where that hangs on whether a parameter is given."""
    if fact is None or fact not in arguments:
        return fact
    return "numbers" if isinstance(arguments[fact], Nothing) else "tokens"


def _sizes(splits: Any, arguments: Mapping[str, Value]) -> dict[str, int | None] | None:
    """Sizes of splits by name; one of size 0 is not there. Its name may itself be a parameter's value."""
    if splits is None:
        return None
    return {
        name: 0 if _is_absent(size, arguments) else _fact(size, arguments) for name, size in splits.items()
    }


def _is_absent(size: Any, arguments: Mapping[str, Value]) -> bool:
    return isinstance(size, str) and isinstance(arguments.get(size), Nothing)


def splits(world: World, value: Value) -> tuple[str, ...] | None:
    """Splits that all the data behind a value has; None where one is not known before the run."""
    found = [facts.splits for facts in of(world, value)]
    known = [names for names in found if names is not None]
    if not known or len(known) < len(found):
        return None
    return tuple(name for name in known[0] if all(name in names for names in known))
