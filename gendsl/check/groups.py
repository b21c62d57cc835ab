"""Analyses that take several runs at once: all along an axis (`over=seed`), or each with another (`other=narrow`)."""

from __future__ import annotations

from typing import NoReturn

from gendsl.catalogue.description import Description
from gendsl.check import facts, reach
from gendsl.check.drafts import Draft
from gendsl.check.faults import Place
from gendsl.check.scope import Given, World
from gendsl.spec import Along, Choice, Component, Coordinate, Quantity, Use, Value


def subject(described: Description) -> str | None:
    """The parameter whose runs are taken together; None for an analysis of one run at a time."""
    return next((p.name for p in described.parameters.values() if p.type.name == "Groups"), None)


def together(world: World, draft: Draft, arguments: dict[str, Value]) -> dict[str, Value]:
    """The arguments, the runs taken together along the axis that is named; as they are for other analyses."""
    described = draft.description
    runs = subject(described)
    if runs is None:
        return arguments
    over = next(p.name for p in described.parameters.values() if p.type.name == "AxisName")
    chosen = arguments[over]
    assert isinstance(chosen, Choice)
    axes = reach.axes_of(world, arguments[runs])
    if chosen.name not in axes:
        _no_axis(world, draft, over, chosen.name, axes)
    for name, value in arguments.items():
        if name != runs and chosen.name in reach.axes_of(world, value):
            world.faults.fail(
                "axis-taken",
                f"`{name}` varies along `{chosen.name}`, and `{draft.what}` takes all of that axis together",
                place(draft, name),
                also=((place(draft, over), "taken together here"),),
            )
    _one_network(world, draft, arguments[runs], chosen.name, place(draft, over))
    return {**arguments, runs: Along(subject=arguments[runs], axis=chosen.name)}


def place(draft: Draft, name: str) -> Place:
    """Where an argument stands, or the component that has it by default."""
    field = draft.fields.get(name)
    return field.value.place if field is not None and isinstance(field.value, Given) else draft.place


def _no_axis(world: World, draft: Draft, over: str, axis: str, axes: set[str]) -> NoReturn:
    along = ", ".join(reach.ordered(world, axes))
    message = f"what `{draft.what}` is of does not vary along `{axis}`"
    note = f"it varies along {along}" if along else "it varies along nothing"
    world.faults.fail("missing-axis", message, place(draft, over), note=note)


def _one_network(world: World, draft: Draft, runs: Value, axis: str, here: Place) -> None:
    """Runs that are taken together have one network: only what members of a stack may differ in varies."""
    for step in facts.trainings(world, runs):
        model = world.steps[step].arguments["model"]
        if isinstance(model, Coordinate) and model.axis == axis:
            _networks(world, draft, axis, "the model", here)
        for found in facts.components(world, model):
            for name in _varying(world, found, axis):
                _networks(world, draft, axis, f"`{name}` of `{found.name}`", here)


def _varying(world: World, model: Component, axis: str) -> list[str]:
    described = world.description(model)
    return [
        name
        for name, value in model.arguments.items()
        if axis in reach.axes_of(world, value) and not described.parameters[name].type.per_member
    ]


def _networks(world: World, draft: Draft, axis: str, what: str, here: Place) -> NoReturn:
    world.faults.fail(
        "different-networks",
        f"`{draft.what}` takes runs of one network together",
        here,
        note=f"along `{axis}` {what} varies",
        help="compare two of them with an analysis that has `other`",
    )


def takes_seeds(world: World, value: Value) -> str | None:
    """A step behind a value that took all seeds together: its numbers have no replicates.

    What is trained with seeds of its own, on data that were chosen by such numbers, has replicates again.
    """
    waiting, seen = [value], set()
    while waiting:
        part = waiting.pop()
        waiting += reach.inside(part)
        if isinstance(part, Coordinate):
            waiting += reach.labels(world, part)
        if not isinstance(part, Use | Quantity) or part.step in seen:
            continue
        seen.add(part.step)
        step = world.steps[part.step]
        if any(isinstance(one, Along) and one.axis == "seed" for one in step.arguments.values()):
            return part.step
        if step.kind != "train" or "seed" not in step.axes:
            waiting += step.arguments.values()
    return None
