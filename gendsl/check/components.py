"""Components with every parameter given: steps of their own, or parts of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from gendsl import tree
from gendsl.catalogue.description import Description, Parameter
from gendsl.catalogue.types import RUNS, Type
from gendsl.check import facts, fits, groups, python, reach, values
from gendsl.check.drafts import Draft, Field, kinds_of, listed
from gendsl.check.scope import Given, World
from gendsl.check.slots import Slot
from gendsl.quantity import in_base
from gendsl.source import Span
from gendsl.spec import (
    Choice,
    Component,
    Coordinate,
    Flag,
    Items,
    Nothing,
    Number,
    Plot,
    Step,
    Text,
    Use,
    Value,
)

STEPS = ("dataset", "train", "analysis")
"""Kinds whose components are computed and stored by themselves."""


def description(world: World, step: str) -> Description:
    """The component of a step."""
    return world.description(world.steps[step])


def built(world: World, draft: Draft, *, step: str, caption: str = "") -> Value:
    """The value of a component: a Use of its own step, or a Component."""
    described = draft.description
    arguments = _arguments(world, draft, step)
    if described.kind == "train":
        fits.train(world, draft, arguments)
    if described.kind == "analysis":
        fits.analysis(world, draft, arguments)
        arguments = groups.together(world, draft, arguments)
    if described.kind == "dataset":
        fits.dataset(world, draft, arguments)
    if described.kind not in STEPS:
        return Component(
            kind=described.kind,
            name=described.name,
            version=described.version,
            arguments=arguments,
            code=python.code(world, draft),
            neutral=_neutral(world, draft, step),
        )
    axes = reach.ordered(
        world, set().union(*(reach.axes_of(world, v, own=False) for v in arguments.values()))
    )
    if described.kind == "analysis":
        fits.own_axes(world, draft, axes)
    world.steps[step] = Step(
        name=step,
        kind=described.kind,
        component=described.name,
        version=described.version,
        arguments=arguments,
        axes=axes,
        caption=caption,
        span=draft.place.span if draft.place.source is world.main.source else Span(0, 0),
        code=python.code(world, draft),
        neutral=_neutral(world, draft, step),
    )
    return Use(step=step)


def _neutral(world: World, draft: Draft, step: str) -> dict[str, Value]:
    """What keys leave out: arguments that change nothing while they have these values."""
    described = draft.description
    return {
        name: literal(world, value, described.parameters[name].type, draft, f"{step}.{name}")
        for name, value in described.facts.get("neutral", {}).items()
    }


def figure(world: World, draft: Draft, *, name: str, caption: str, span: Span) -> Plot:
    """A plot with every parameter given."""
    arguments = _arguments(world, draft, name)
    found = draft.description
    return Plot(
        name=name,
        component=found.name,
        version=found.version,
        arguments=arguments,
        lets={key: called for key, field in draft.fields.items() if (called := _let(field))},
        caption=caption,
        span=span,
    )


def _let(field: Field) -> str:
    """The name of the `let` that an argument is; none where it is anything else."""
    if not isinstance(field.value, Given) or not isinstance(field.value.expr, tree.Name):
        return ""
    declared = field.value.scope.names.get(field.value.expr.id)
    return declared.name if declared is not None and declared.word == "let" else ""


def _arguments(world: World, draft: Draft, step: str) -> dict[str, Value]:
    described = draft.description
    missing = [p.name for p in described.parameters.values() if p.required and p.name not in draft.fields]
    found: dict[str, Value] = {}
    with world.faults.gathered() as gathering:
        for parameter in _in_turn(described):
            with gathering.part():
                slot = Slot(
                    _what(described, parameter), f"{step}.{parameter.name}", _splits(world, described, found)
                )
                field = draft.fields.get(parameter.name)
                if field is not None:
                    found[parameter.name] = _given(world, field, parameter, slot)
                elif not parameter.required:
                    found[parameter.name] = _default(world, described, parameter, step, draft)
        with gathering.part():
            if missing:
                _missing(world, draft, missing)
    return {name: found[name] for name in described.parameters}


def _what(described: Description, parameter: Parameter) -> str:
    owner = "a training run" if described.kind == "train" else f"`{described.name}`"
    return f"`{parameter.name}` of {owner}"


def _in_turn(described: Description) -> Iterator[Parameter]:
    """Splits come last: which there are depends on the data given beside them."""
    yield from (p for p in described.parameters.values() if p.type.name != "SplitName")
    yield from (p for p in described.parameters.values() if p.type.name == "SplitName")


def _splits(world: World, described: Description, found: dict[str, Value]) -> tuple[str, ...] | None:
    """The splits of the data that the arguments so far speak about; of several runs, those that all have."""
    data = [
        facts.splits(world, value)
        for name, value in found.items()
        if described.parameters[name].type.name in ("Dataset", *RUNS) and not isinstance(value, Nothing)
    ]
    known = [names for names in (data if described.kind == "analysis" else data[:1]) if names is not None]
    return tuple(name for name in known[0] if all(name in names for names in known)) if known else None


def _missing(world: World, draft: Draft, missing: list[str]) -> NoReturn:
    is_form = draft.description.kind == "train"
    world.faults.fail(
        "missing-field" if is_form else "missing-argument",
        f"{'this training run' if is_form else f'`{draft.what}`'} lacks {listed(missing)}",
        draft.place,
        help=f"add `{missing[0]} = ...`" if is_form else _axis_help(draft, missing),
    )


def _axis_help(draft: Draft, missing: list[str]) -> str | None:
    """What to write where the axis is missing along which runs are taken together."""
    named = [name for name in missing if draft.description.parameters[name].type.name == "AxisName"]
    return f"add `{named[0]}=seed`, or another axis that the runs vary along" if named else None


def _given(world: World, field: Field, parameter: Parameter, slot: Slot) -> Value:
    if isinstance(field.value, Given):
        return values.value(world, field.value, parameter.type, slot)
    return built(world, field.value, step=slot.step)


def _default(world: World, described: Description, parameter: Parameter, step: str, draft: Draft) -> Value:
    if described.kind == "train" and parameter.name == "seed" and world.seeds is not None:
        return Coordinate(axis="seed")
    return literal(world, parameter.default, parameter.type, draft, f"{step}.{parameter.name}")


def literal(world: World, default: Any, want: Type, draft: Draft, step: str) -> Value:
    """A default from a signature as a value; a component by name gets its own defaults."""
    if default is None:
        return Nothing()
    if isinstance(default, bool):
        return Flag(value=default)
    if isinstance(default, list):
        inner = want.items or want
        return Items(items=tuple(literal(world, item, inner, draft, step) for item in default))
    if isinstance(default, str):
        return _word(world, default, want, draft, step)
    alternatives = [t for t in (want, *want.others) if t.is_number]
    is_whole = bool(alternatives) and alternatives[0].is_integer
    unit = alternatives[0].unit if alternatives else ""
    return Number(value=default if is_whole or unit else float(default), unit=unit)


def _word(world: World, default: str, want: Type, draft: Draft, step: str) -> Value:
    for kind in kinds_of(want):
        found = world.catalogue.find(kind, default)
        if found is not None:
            return built(world, Draft(found, draft.place, {}), step=step)
    if want.name in ("Length", "Epochs", "Steps"):
        number, _, unit = default.partition(" ")
        value, base = in_base(float(number) if "." in number else int(number), unit)
        return Number(value=value, unit=base)
    return Text(value=default) if want.name in ("Text", "InputFile") else Choice(name=default)
