"""The file's own parameters: their types and ranges."""

from __future__ import annotations

import math

from gendsl import tree
from gendsl.catalogue.types import COMPONENTS, SCALARS, Type
from gendsl.check import names, numbers, python, references, sweeps, values
from gendsl.check.faults import Place
from gendsl.check.scope import Declared, Given, World
from gendsl.check.slots import Slot, shape
from gendsl.quantity import DIMENSIONS, written
from gendsl.spec import Choice, Component, Flag, Items, Nothing, Number, Text, Use, Value

TYPES: dict[str, Type] = {
    "int": Type("Integer"),
    "number": Type("Real"),
    "share": SCALARS["Share"],
    "flag": Type("Flag"),
    "text": Type("Text"),
    "file": Type("InputFile"),
    "length": SCALARS["Length"],
    **{kind: Type(type_) for type_, kind in COMPONENTS.items()},
}
"""The words a `param` may give as its type."""
PLURAL = {
    "bool": "flag",
    "float": "number",
    "real": "number",
    "str": "text",
    "string": "text",
    "integer": "int",
}
"""What other languages call them."""


def checked(world: World, declared: Declared) -> Value:
    """The value of a parameter, of its type and in its range."""
    node = declared.node
    assert isinstance(node, tree.Param) and declared.given is not None
    return fitting(world, declared, declared.given)


def holds_component(declared: Declared, given: Given) -> bool:
    """Whether a parameter stands for a dataset, model, optimizer, schedule or loss."""
    node = declared.node
    assert isinstance(node, tree.Param)
    is_kind = node.type is not None and node.type.id in COMPONENTS.values()
    return is_kind or isinstance(given.expr, tree.Call)


def fitting(world: World, declared: Declared, given: Given) -> Value:
    """A value for a parameter: the one in the file, or one from a preset or `--set`."""
    node = declared.node
    assert isinstance(node, tree.Param)
    value = _value(world, declared, node, given)
    if given.expr is not node.value:
        _like_the_first(world, declared, node, given, value)
    if node.domain is not None:
        _in_domain(world, declared, declared.scope.given(node.domain), given, value)
    return value


def _value(world: World, declared: Declared, node: tree.Param, given: Given) -> Value:
    if node.type is not None and node.type.id in COMPONENTS.values():
        slot = Slot(f"`{declared.full}`", declared.full)
        return references.through(world, declared, given, TYPES[node.type.id], slot)
    with world.within(declared, declared.place):
        if node.type is None:
            return inferred(world, given, declared.full)
        return _typed(world, declared, node.type, given)


def _typed(world: World, declared: Declared, name: tree.Name, given: Given) -> Value:
    want = TYPES.get(name.id)
    if want is None:
        near = PLURAL.get(name.id)
        world.faults.fail(
            "unknown-type",
            f"there is no type `{name.id}`",
            Place(declared.scope.source, name.span),
            note=f"expected one of {', '.join(TYPES)}",
            help=f"did you mean `{near}`?" if near else names.meant(name.id, TYPES),
        )
    return values.value(world, given, want, Slot(f"`{declared.full}`", declared.full))


def inferred(world: World, given: Given, step: str = "") -> Value:
    """The value of an expression that nothing says the type of; `step` names a dataset made in it."""
    expr = given.expr
    match expr:
        case tree.Group(inner=inner):
            return inferred(world, given.at(inner), step)
        case tree.Text(value=text):
            return Text(value=text)
        case tree.Constant(value=None):
            return Nothing()
        case tree.Constant(value=bool(flag)):
            return Flag(value=flag)
        case tree.List(items=items):
            return Items(items=tuple(inferred(world, given.at(item)) for item in items))
        case tree.Name(id=name) if name not in given.scope.names | dict.fromkeys(given.scope.broken):
            return Choice(name=name)
        case tree.Name() | tree.Dot():
            declared, rest = names.find(world, given, legal=(), expected="a value")
            if not rest and declared.word in ("param", "let") and declared.given is not None:
                with world.within(declared, given.place):
                    return inferred(world, declared.given)
            names.wrong_kind(world, declared, given.place, expected="a fixed value")
        case tree.Call(callee=tree.Name() | tree.Dot() as callee):
            for kind in python.kinds_of(world, given.at(callee)):
                if kind in COMPONENTS.values():
                    want = Type({kind_: type_ for type_, kind_ in COMPONENTS.items()}[kind])
                    return references.component(world, given, want, Slot("this", step or given.text))
        case tree.Number() | tree.Quantity() | tree.Unary() | tree.Binary():
            value = numbers.loose(world, given, Slot("this", "param"))
            if isinstance(value, Number):
                return value
    world.faults.fail(
        "wrong-type", "a parameter is one fixed value", given.place, note=f"found {shape(expr)}"
    )


def _like_the_first(world: World, declared: Declared, node: tree.Param, given: Given, value: Value) -> None:
    """A new value is of the sort and dimension of the one in the file."""
    first = declared.scope.given(node.value)
    known = inferred(world, first) if node.type is None else value
    if isinstance(known, Component | Use | Nothing) or isinstance(value, Nothing):
        return
    also = ((first.place, f"`{declared.name}` is {shape(first.expr)} in the file"),)
    if type(known) is not type(value):
        note = f"found {shape(given.expr)}"
        world.faults.fail(
            "wrong-type", f"`{declared.full}` is another sort of value", given.place, note=note, also=also
        )
    if not isinstance(known, Number) or not isinstance(value, Number) or known.unit == value.unit:
        return
    if {known.unit, value.unit} == {"epochs", "steps"}:
        return
    code = "wrong-unit" if value.unit else "missing-unit"
    help = f"write `{written(value.value, known.unit)}`"
    world.faults.fail(
        code,
        f"`{declared.full}` is {DIMENSIONS.get(known.unit, known.unit)}",
        given.place,
        also=also,
        help=help,
    )


def _in_domain(world: World, declared: Declared, domain: Given, given: Given, value: Value) -> None:
    also = ((domain.place, "allowed are these"),)
    match domain.expr:
        case tree.Range() as range_:
            low, high, unit, step = sweeps.ends(world, domain, range_, f"the range of `{declared.name}`")
            if not isinstance(value, Number):
                world.faults.fail(
                    "wrong-type", f"`{declared.full}` is no number, and it has a range", domain.place
                )
            if value.unit != unit:
                world.faults.fail(
                    "wrong-unit",
                    f"`{declared.full}` and its range have different units",
                    given.place,
                    note=f"found {DIMENSIONS[value.unit]}",
                    also=also,
                )
            steps = (value.value - low) / step if step else 0
            if not low <= value.value <= high or not math.isclose(steps, round(steps), abs_tol=1e-9):
                world.faults.fail(
                    "out-of-range",
                    f"`{declared.full}` is out of its range",
                    given.place,
                    note=f"{written(value.value, value.unit)} is not in {domain.text}",
                    also=also,
                )
        case tree.List(items=items):
            allowed = [inferred(world, domain.at(item)) for item in items]
            if value not in allowed:
                words = [domain.at(item).text for item in items]
                world.faults.fail(
                    "out-of-range",
                    f"`{declared.full}` cannot be `{given.text}`",
                    given.place,
                    also=also,
                    help=names.meant(given.text, words),
                )
        case _:
            world.faults.fail("wrong-type", "a parameter is in a range or a list", domain.place)
