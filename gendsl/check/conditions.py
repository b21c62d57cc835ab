"""`where`: which coordinates of which axes a value is restricted to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product
from typing import NoReturn

from gendsl import tree
from gendsl.check import names, numbers, reach, sweeps
from gendsl.check.faults import Place
from gendsl.check.scope import Given, World
from gendsl.check.selection import Axes, holds, matches
from gendsl.check.slots import Slot
from gendsl.quantity import DIMENSIONS
from gendsl.spec import (
    Axis,
    Coordinate,
    Items,
    Label,
    Number,
    Operation,
    Range,
    Text,
    Value,
    Where,
)
from gendsl.spec.mentions import axes_of

COMPARISONS = ("<", "<=", "==", "!=", ">=", ">")
FLIPPED = {"<": ">", "<=": ">=", "==": "==", "!=": "!=", ">=": "<=", ">": "<"}
LOOKED_AT = 100_000
"""Coordinates that are tried to see whether a condition leaves any."""


@dataclass(frozen=True)
class Ref:
    """A mention of an axis; `axis` is None for an own axis of an analysis, whose labels the run will tell."""

    name: str
    part: int | None
    axis: Axis | None
    unit: str

    @property
    def labels(self) -> list[sweeps.Label]:
        assert self.axis is not None
        return [
            label if not isinstance(label, tuple) else label[self.part or 0] for label in self.axis.labels
        ]

    @property
    def is_numeric(self) -> bool:
        return self.axis is None or all(isinstance(label, int | float) for label in self.labels)


@dataclass(frozen=True)
class About:
    """What a condition restricts: its text, its axes, and those that come from the results alone.

    An own axis of an analysis has the labels of the results, also where `epoch` is an axis of the file as well.
    """

    text: str
    axes: set[str]
    own: set[str]


@dataclass
class Selection:
    """A condition: `equal` are, for each axis set equal to labels, the places where that holds."""

    value: Value
    equal: dict[str, set[int]] = field(default_factory=dict)
    picked: dict[str, float | str] = field(default_factory=dict)


def where(world: World, given: Given, subject: Value, condition: Given, axes: set[str], text: str) -> Where:
    """`subject` restricted; fails where the condition names an axis it does not have, or leaves nothing."""
    about = About(text, axes, reach.own_axes(subject))
    found = _selection(world, condition, about)
    mentioned = {
        name: sweeps.finished(world, name)
        for name in dict.fromkeys(axes_of(found.value))
        if _is_static(world, name, about)
    }
    _not_empty(world, found.value, mentioned, condition)
    fixed = {name: next(iter(places)) for name, places in found.equal.items() if len(places) == 1}
    return Where(subject=subject, condition=found.value, fixed=fixed, picked=found.picked)


def _is_static(world: World, name: str, about: About) -> bool:
    if name == "epoch" and world.epochs is not None:
        return name not in about.own
    return name == "seed" or name in world.axes


def _not_empty(world: World, condition: Value, axes: Axes, given: Given) -> None:
    sizes = [len(axis.values) for axis in axes.values()]
    if set(axes_of(condition)) != axes.keys() or math.prod(sizes) > LOOKED_AT:
        return
    for place in product(*map(range, sizes)):
        if holds(condition, axes, dict(zip(axes, place))):
            return
    world.faults.fail("empty-selection", "nothing is left: this holds nowhere on the axes", given.place)


def _selection(world: World, given: Given, about: About) -> Selection:
    match given.expr:
        case tree.Group(inner=inner):
            return _selection(world, given.at(inner), about)
        case tree.Unary(op="not", operand=operand):
            inner_ = _selection(world, given.at(operand), about)
            return Selection(Operation(op="not", operands=(inner_.value,)))
        case tree.Binary(op="and" | "or" as op, left=left, right=right):
            return _joined(op, *_both(world, given.at(left), given.at(right), about))
        case tree.Binary(op=op) as binary if op in COMPARISONS or op == "in":
            return _comparison(world, given, binary, about)
    world.faults.fail(
        "not-a-condition",
        "`where` takes conditions on axes",
        given.place,
        help="write such as `run == clean` or `width in 16..64`",
    )


def _both(world: World, left: Given, right: Given, about: About) -> list[Selection]:
    found = []
    with world.faults.gathered() as gathering:
        for side in (left, right):
            with gathering.part():
                found.append(_selection(world, side, about))
    return found


def _joined(op: str, left: Selection, right: Selection) -> Selection:
    value = Operation(op=op, operands=(left.value, right.value))
    if op == "or":
        return Selection(value)
    equal = dict(left.equal)
    for name, places in right.equal.items():
        equal[name] = equal[name] & places if name in equal else places
    return Selection(value, equal, {**left.picked, **right.picked})


def _comparison(world: World, given: Given, binary: tree.Binary, about: About) -> Selection:
    op, left, right = binary.op, given.at(binary.left), given.at(binary.right)
    ref = _ref(world, left, about)
    if ref is None and op != "in" and (ref := _ref(world, right, about)) is not None:
        op, left, right = FLIPPED[op], right, left
    if ref is None:
        _not_an_axis(world, left, about)
    if ref.name not in about.axes:
        names.absent(world, ref.name, left, about.axes, f"`{about.text}` does not vary along `{left.text}`")
    if ref.axis is not None and ref.axis.parts and ref.part is None:
        world.faults.fail(
            "not-a-condition",
            f"`{ref.name}` is an axis of several parts",
            left.place,
            help=f"compare one of them, such as `{ref.axis.parts[0]} == ...`",
        )
    if op == "in":
        return _among(world, ref, right)
    if op in ("==", "!=") and ref.axis is not None:
        return _equal(world, ref, op, right)
    label = _own_label(world, ref, right) if op in ("==", "!=") else _number(world, ref, right)
    wanted = label.value if isinstance(label, Text) else float(label.value)
    coordinate = Coordinate(axis=ref.name, part=ref.part)
    picked = {ref.name: wanted} if op == "==" else {}
    return Selection(Operation(op=op, operands=(coordinate, label)), picked=picked)


def _not_an_axis(world: World, given: Given, about: About) -> NoReturn:
    if names.chain(given.expr) is None:
        world.faults.fail("not-a-condition", "a condition compares an axis with a label", given.place)
    declared, _ = names.find(world, given, legal=["sweep", "seeds"], others=about.axes, expected="an axis")
    names.wrong_kind(world, declared, given.place, expected="an axis")


def _ref(world: World, given: Given, about: About) -> Ref | None:
    """The axis an expression names; None where it names none."""
    chain = names.chain(given.expr)
    if chain is None:
        return None
    scope, rest = given.scope, chain
    while len(rest) > 1 and rest[0].id in scope.names and (inner := scope.names[rest[0].id].module):
        scope.names[rest[0].id].is_used = True
        scope, rest = inner, rest[1:]
    name = rest[0].id
    declared = scope.names.get(name) or (world.main.names.get("seed") if name == "seed" else None)
    if len(rest) > 1:
        return None
    if declared is None:
        if name in about.axes:
            axis = sweeps.finished(world, name) if _is_static(world, name, about) else None
            return Ref(name, None, axis, axis.unit if axis else "")
        return None
    if declared.word == "seeds":
        return Ref("seed", None, sweeps.seeds(world), "")
    if declared.word != "sweep":
        return None
    draft = sweeps.draft(world, declared)
    part = draft.part_of(declared.name)
    return Ref(draft.name, part, sweeps.finished(world, draft.name), draft.units[part or 0])


def _equal(world: World, ref: Ref, op: str, given: Given) -> Selection:
    places = _places(world, ref, given)
    labels = tuple(Label(axis=ref.name, index=place) for place in sorted(places))
    coordinate = Coordinate(axis=ref.name)
    if len(labels) == 1:
        value = Operation(op=op, operands=(coordinate, labels[0]))
    else:
        # One part of a tuple axis may have the same label at several places.
        value = Operation(op="in", operands=(coordinate, Items(items=labels)))
        value = value if op == "==" else Operation(op="not", operands=(value,))
    return Selection(value, {ref.name: places} if op == "==" else {})


def _places(world: World, ref: Ref, given: Given) -> set[int]:
    """Where on its axis a label stands; fails where it does not."""
    if ref.is_numeric:
        wanted = _number(world, ref, given).value
        found = {
            place
            for place, label in enumerate(ref.labels)
            if math.isclose(float(label), wanted, rel_tol=1e-12)
        }
    else:
        found = set(matches(world, given, [str(label) for label in ref.labels]))
    if not found:
        words = [sweeps.shown(label, ref.unit) for label in ref.labels]
        world.faults.fail(
            "unknown-label",
            f"`{given.text}` is not on the axis `{ref.name}`",
            given.place,
            note=f"its labels are {', '.join(words[:8])}{' ...' if len(words) > 8 else ''}",
            also=_declaration(world, ref),
            help=names.meant(given.text, words) if not ref.is_numeric else None,
            once=(ref.name, given.text),
        )
    return found


def _declaration(world: World, ref: Ref) -> tuple[tuple[Place, str], ...]:
    axis = world.axes.get(ref.name)
    declared = world.seeds if ref.name == "seed" else axis and axis.declared
    return ((declared.given.place, "these are its labels"),) if declared and declared.given else ()


def _number(world: World, ref: Ref, given: Given) -> Number:
    if not ref.is_numeric:
        world.faults.fail(
            "wrong-type",
            f"the labels of `{ref.name}` have no order",
            given.place,
            note="`==`, `!=` and `in` apply",
        )
    value = numbers.loose(world, given, Slot(f"a label of `{ref.name}`", ref.name))
    if not isinstance(value, Number):
        world.faults.fail("wrong-type", f"a label of `{ref.name}` is a fixed number", given.place)
    if value.unit != ref.unit and value.unit and ref.axis is not None:
        world.faults.fail(
            "wrong-unit",
            f"the labels of `{ref.name}` are {DIMENSIONS.get(ref.unit, ref.unit)}",
            given.place,
            note=f"found {DIMENSIONS[value.unit]}",
        )
    return value


def _own_label(world: World, ref: Ref, given: Given) -> Number | Text:
    """A label of an own axis: a number, or a text such as the name of a layer."""
    match given.expr:
        case tree.Group(inner=inner):
            return _own_label(world, ref, given.at(inner))
        case tree.Text(value=value) if ref.axis is None:
            return Text(value=value)
    return _number(world, ref, given)


def _among(world: World, ref: Ref, given: Given) -> Selection:
    coordinate = Coordinate(axis=ref.name, part=ref.part)
    match given.expr:
        case tree.Group(inner=inner):
            return _among(world, ref, given.at(inner))
        case tree.Range() as range_:
            low, high, unit, step = sweeps.ends(world, given, range_, "the range of a condition")
            _number(world, ref, given.at(tree.Quantity(given.expr.span, low, unit, given.expr.span) if unit
                                         else tree.Number(given.expr.span, low)))  # fmt: skip
            value = Range(low=low, high=high, step=step)
            return Selection(Operation(op="in", operands=(coordinate, value)))
        case tree.List(items=items) if ref.axis is not None:
            places: set[int] = set()
            with world.faults.gathered() as gathering:
                for item in items:
                    with gathering.part():
                        places |= _places(world, ref, given.at(item))
            labels = Items(items=tuple(Label(axis=ref.name, index=place) for place in sorted(places)))
            return Selection(Operation(op="in", operands=(Coordinate(axis=ref.name), labels)))
        case tree.List(items=items):
            found = Items(items=tuple(_own_label(world, ref, given.at(item)) for item in items))
            return Selection(Operation(op="in", operands=(coordinate, found)))
        case tree.Name(id=name) if (declared := given.scope.names.get(name)) and declared.given:
            declared.is_used = True
            with world.within(declared, given.place):
                return _among(world, ref, declared.given)
    world.faults.fail(
        "wrong-type", "`in` takes a range or a list", given.place, help=f"write `[{given.text}]`"
    )
