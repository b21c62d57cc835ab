"""Result expressions of claims and plots: quantities, axes, arithmetic, statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from gendsl import tree
from gendsl.check import conditions, names, numbers, python, reach, references, statistics, sweeps
from gendsl.check.scope import Declared, Given, World
from gendsl.check.slots import shape
from gendsl.quantity import DIMENSIONS
from gendsl.spec import Coordinate, Quantity, Use, Value
from gendsl.spec.substitute import folded

COMPARISONS = ("<", "<=", "==", "!=", ">=", ">")


@dataclass(frozen=True)
class Result:
    """A value known after the run, its unit and axes; `is_literal` for a number as written."""

    value: Value
    unit: str
    axes: frozenset[str]
    is_literal: bool = False


def result(world: World, given: Given) -> Result:
    """What an expression over results stands for."""
    expr = given.expr
    match expr:
        case tree.Group(inner=inner):
            return result(world, given.at(inner))
        case tree.Number() | tree.Quantity():
            number = numbers.quantity(world, given)
            return Result(number, number.unit, frozenset(), True)
        case tree.Name() | tree.Dot():
            return _named(world, given)
        case tree.Call():
            return statistics.statistic(world, given, expr)
        case tree.Where(subject=subject, condition=condition):
            inner_ = result(world, given.at(subject))
            text = given.at(subject).text
            found = conditions.where(world, given, inner_.value, given.at(condition), set(inner_.axes), text)
            return Result(found, inner_.unit, inner_.axes - {*found.fixed, *found.picked})
        case tree.Unary(op="-" | "not" as op, operand=operand):
            inner_ = result(world, given.at(operand))
            word = "neg" if op == "-" else "not"
            return Result(_folded(world, given, word, inner_), inner_.unit, inner_.axes, inner_.is_literal)
        case tree.Binary(op="and" | "or"):
            _not_a_result(world, given)
        case tree.Binary():
            return _binary(world, given, expr)
    _not_a_result(world, given)


def _not_a_result(world: World, given: Given) -> NoReturn:
    world.faults.fail(
        "wrong-type",
        "expected a result: a quantity of an analysis, a statistic, or arithmetic on them",
        given.place,
        note=f"found {shape(given.expr)}",
    )


def _folded(world: World, given: Given, op: str, *parts: Result) -> Value:
    try:
        return folded(op, tuple(part.value for part in parts))
    except (ArithmeticError, ValueError):
        world.faults.fail(
            "no-such-number", "this has no value", given.place, note="division by zero or overflow"
        )


def _binary(world: World, given: Given, expr: tree.Binary) -> Result:
    if expr.op == "in":
        _not_a_result(world, given)
    found: list[Result] = []
    with world.faults.gathered() as gathering:
        for side in (expr.left, expr.right):
            with gathering.part():
                found.append(result(world, given.at(side)))
    left, right = found
    if expr.op in ("+", "-", *COMPARISONS):
        unit = same_unit(world, given, expr, left, right)
    else:
        unit = combined(expr.op, left.unit, right.unit)
    unit = "" if expr.op in COMPARISONS else unit
    value = _folded(world, given, expr.op, left, right)
    return Result(value, unit, left.axes | right.axes, left.is_literal and right.is_literal)


def same_unit(world: World, given: Given, expr: tree.Binary, left: Result, right: Result) -> str:
    """The unit of both sides; a plain number as written takes that of the other side."""
    if left.unit == right.unit or (right.is_literal and not right.unit):
        return left.unit
    if left.is_literal and not left.unit:
        return right.unit
    world.faults.fail(
        "wrong-unit",
        f"the two sides of `{expr.op}` have different units",
        given.spot(expr.op_span),
        also=(
            (given.spot(expr.left.span), of_unit(left.unit)),
            (given.spot(expr.right.span), of_unit(right.unit)),
        ),
    )


def of_unit(unit: str) -> str:
    """`in nats`, or what a plain number is called."""
    return f"in {unit}" if unit else DIMENSIONS[""]


def combined(op: str, left: str, right: str) -> str:
    """The unit of a product, a quotient or a power."""
    if op == "/":
        return "" if left == right else f"{left or '1'}/{right}" if right else left
    if op == "*":
        return f"{left}*{right}" if left and right else left or right
    return left


def _named(world: World, given: Given) -> Result:
    chain = names.chain(given.expr)
    if chain is None:
        _not_a_result(world, given)
    own = own_axes(world)
    if len(chain) == 1 and chain[0].id in own and chain[0].id not in given.scope.names:
        return Result(Coordinate(axis=chain[0].id), "", frozenset({chain[0].id}))
    joined = _tuple_axis(world, chain[0].id) if len(chain) == 1 else None
    if joined is not None:
        return Result(Coordinate(axis=joined), "", frozenset({joined}))
    declared, rest = names.find(world, given, legal=["analysis"], others=own, expected="a result")
    if declared.word == "analysis":
        return _of_analysis(world, declared, rest, given)
    if rest or declared.word not in names.VALUES:
        _a_run(world, declared, given)
    if declared.word == "seeds":
        return Result(Coordinate(axis="seed"), "", frozenset({"seed"}))
    if declared.word == "sweep":
        return _axis(world, declared)
    assert declared.given is not None
    with world.within(declared, given.place):
        return result(world, declared.given)


def _tuple_axis(world: World, name: str) -> str | None:
    """A tuple axis by its joined name, `lr_batch`; None where nothing or something else is called so."""
    if name in world.main.names:
        return None
    for declared in world.main.names.values():
        if declared.word == "sweep" and sweeps.name_of(declared) == name:
            declared.is_used = True
            return sweeps.draft(world, declared).name
    return None


def _axis(world: World, declared: Declared) -> Result:
    axis = sweeps.draft(world, declared)
    part = axis.part_of(declared.name)
    return Result(Coordinate(axis=axis.name, part=part), axis.units[part or 0], frozenset({axis.name}))


def _of_analysis(world: World, declared: Declared, rest: tuple[tree.Name, ...], given: Given) -> Result:
    if len(rest) == 1:
        use = references.bound(world, declared, given)
        assert isinstance(use, Use)
        step = world.steps[use.step]
        described = world.description(step)
        own = {axis for gives in described.gives.values() for axis in gives.axes}
        own |= {"epoch"} & set(step.axes)
        if rest[0].id in own and rest[0].id not in described.gives:
            return Result(Coordinate(axis=rest[0].id), "", frozenset({rest[0].id}))
    quantity: Quantity = references.quantity(world, declared, rest, given)
    return Result(quantity, quantity.unit, frozenset(reach.axes_of(world, quantity)))


def _a_run(world: World, declared: Declared, given: Given) -> NoReturn:
    help = None
    if declared.word == "train":
        help = "measure it: `analysis gap = generalization_gap(...)`, then use `gap.error`"
    names.wrong_kind(world, declared, given.place, expected="a result", help=help)


def own_axes(world: World) -> set[str]:
    """Axes that the analyses of the file have of their own, and `epoch` where `at` makes it."""
    found = {"epoch"} if world.epochs is not None else set()
    for declared in world.main.names.values():
        node = declared.node
        if declared.word == "analysis" and isinstance(node, tree.Bind) and isinstance(node.value, tree.Call):
            callee = node.value.callee
            given = declared.scope.given(callee)
            described = (
                world.catalogue.find("analysis", callee.id)
                if isinstance(callee, tree.Name)
                else python.named(given)
            )
            for gives in described.gives.values() if described else ():
                found.update(gives.axes)
    return found
