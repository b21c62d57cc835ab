"""Numbers: units, ranges, and arithmetic, also on what varies along an axis."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import NoReturn

from gendsl import tree
from gendsl.catalogue.types import Type, described
from gendsl.check import names, sweeps
from gendsl.check.faults import Place
from gendsl.check.scope import Given, World
from gendsl.check.slots import Slot, mismatch
from gendsl.quantity import DIMENSIONS, UNITS, in_base, written
from gendsl.spec import Coordinate, Number, Value
from gendsl.spec.mentions import axes_of
from gendsl.spec.substitute import folded, substituted

ANY = Type("Real")
"""What arithmetic takes: any number of any unit; range and unit of the outcome are looked at afterwards."""
LOOKED_AT = 10_000
"""Coordinates of an arithmetic expression whose values are checked one by one."""


def quantity(world: World, given: Given) -> Number:
    """A literal in its base unit; fails for an unknown unit."""
    expr = given.expr
    if isinstance(expr, tree.Number):
        return Number(value=expr.value)
    assert isinstance(expr, tree.Quantity)
    if expr.unit not in UNITS:
        world.faults.fail(
            "unknown-unit",
            f"there is no unit `{expr.unit}`",
            given.spot(expr.unit_span),
            help=names.meant(expr.unit, UNITS),
        )
    value, unit = in_base(expr.value, expr.unit)
    return Number(value=value, unit=unit)


def loose(world: World, given: Given, slot: Slot) -> Value:
    """A number of any size and unit: a Number, or an Operation or Coordinate where it varies along axes."""
    match given.expr:
        case tree.Number() | tree.Quantity():
            return quantity(world, given)
        case tree.Group(inner=inner):
            return loose(world, given.at(inner), slot)
        case tree.Unary(op="-", operand=operand):
            return _folded(world, given, "neg", (loose(world, given.at(operand), slot),))
        case tree.Binary(op="+" | "-" | "*" | "/" | "**" as op, left=left, right=right):
            operands = (loose(world, given.at(left), slot), loose(world, given.at(right), slot))
            return _folded(world, given, op, operands)
        case tree.Name() | tree.Dot():
            return _named(world, given, slot)
        case _:
            mismatch(world, given, ANY, slot)


def _named(world: World, given: Given, slot: Slot) -> Value:
    declared, rest = names.find(world, given, legal=(), expected="a number")
    if rest or declared.word not in names.VALUES:
        names.wrong_kind(world, declared, given.place, expected="a number")
    if declared.word == "sweep":
        return sweeps.coordinate(world, declared, ANY, slot.by_name(given.place))
    if declared.word == "seeds":
        return Coordinate(axis="seed")
    assert declared.given is not None
    with world.within(declared, given.place):
        return loose(world, declared.given, slot.by_name(given.place))


def _folded(world: World, given: Given, op: str, operands: tuple[Value, ...]) -> Value:
    numbers = [operand for operand in operands if isinstance(operand, Number)]
    units = {number.unit for number in numbers}
    if len(numbers) == 2 and len(units) == 2 and (op in "+-" or "" not in units):
        first, second = (DIMENSIONS[number.unit] for number in numbers)
        world.faults.fail("wrong-unit", f"{first} and {second} do not go together with `{op}`", given.place)
    try:
        return folded(op, operands)
    except (ArithmeticError, ValueError):
        world.faults.fail(
            "no-such-number", "this has no value", given.place, note="division by zero or overflow"
        )


def number(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """A number of the type wanted, at every coordinate it varies along."""
    expr = given.expr
    if isinstance(expr, tree.Name | tree.Dot):
        return _of_name(world, given, want, slot)
    value = loose(world, given, slot)
    if isinstance(value, Number):
        return fitting(world, value, given.place, want, slot)
    for at, found in along(world, value):
        fitting(world, found, given.place, want, slot, at=at)
    return value


def _of_name(world: World, given: Given, want: Type, slot: Slot) -> Value:
    declared, rest = names.find(world, given, legal=(), expected=described(want))
    if rest or declared.word not in names.VALUES:
        names.wrong_kind(world, declared, given.place, expected=described(want))
    if declared.word == "sweep":
        return sweeps.coordinate(world, declared, want, slot.by_name(given.place))
    if declared.word == "seeds":
        return Coordinate(axis="seed")
    assert declared.given is not None
    with world.within(declared, given.place):
        return number(world, declared.given, want, slot.by_name(given.place))


def along(world: World, value: Value) -> Iterator[tuple[str, Number]]:
    """The numbers an expression takes along its axes, with the coordinate in words."""
    axes = {name: sweeps.finished(world, name) for name in dict.fromkeys(axes_of(value))}
    places = product(*(range(len(axis.values)) for axis in axes.values()))
    for place in islice(places, LOOKED_AT):
        at = dict(zip(axes, place))
        words = ", ".join(f"{name} = {axes[name].labels[index]}" for name, index in at.items())
        try:
            found = substituted(value, axes, at)
        except (ArithmeticError, ValueError):
            continue
        if isinstance(found, Number):
            yield words, found


def fitting(world: World, value: Number, place: Place, want: Type, slot: Slot, *, at: str = "") -> Number:
    """The number with the unit and type of the slot; fails where it does not fit."""
    unit = _unit(world, value, place, want, slot)
    amount = value.value
    where = f" where {at}" if at else ""
    if want.is_integer or unit in ("epochs", "steps"):
        if isinstance(amount, float) and not amount.is_integer() and want.is_integer:
            world.faults.fail(
                "wrong-type",
                f"{slot.what} is {described(want)}",
                place,
                note=f"found {written(amount, value.unit)}{where}",
                also=slot.also,
            )
        amount = int(amount) if amount == int(amount) else amount
    elif not unit:
        amount = float(amount)
    if not want.accepts(amount):
        world.faults.fail(
            "out-of-range",
            f"{slot.what} is {described(want)}",
            place,
            note=f"found {written(amount, unit)}{where}",
            also=slot.also,
        )
    return Number(value=amount, unit=unit)


def _unit(world: World, value: Number, place: Place, want: Type, slot: Slot) -> str:
    if want.name == "Length":
        if value.unit in ("epochs", "steps"):
            return value.unit
        if not value.unit:
            _missing_unit(world, value, place, "epochs", slot, f"{slot.what} is a length in epochs or steps")
    elif value.unit == want.unit:
        return want.unit
    elif not value.unit:
        if want.unit in ("epochs", "steps"):
            return want.unit
        _missing_unit(world, value, place, want.unit, slot, f"{slot.what} is in {want.unit}")
    message = f"{slot.what} is {described(want)}"
    is_plain = not want.unit and want.name != "Length" and want.low <= value.value <= want.high
    help = f"write `{written(value.value)}`" if is_plain else None
    world.faults.fail(
        "wrong-unit",
        message,
        place,
        note=f"found {DIMENSIONS[value.unit]}",
        also=slot.also,
        help=help,
    )


def _missing_unit(world: World, value: Number, place: Place, unit: str, slot: Slot, message: str) -> NoReturn:
    world.faults.fail(
        "missing-unit",
        message,
        place,
        note="found a plain number",
        also=slot.also,
        help=f"write `{written(value.value, unit)}`",
    )
