"""Named axes: `sweep` and `seeds`, their labels, and their values once it is known what they are used as."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gendsl import tree
from gendsl.catalogue.types import Type
from gendsl.check import names, numbers, values
from gendsl.check.faults import Broken, Place
from gendsl.check.scope import Declared, Given, World
from gendsl.check.slots import Slot
from gendsl.quantity import written
from gendsl.spec import Axis, Choice, Coordinate, Flag, Items, Number, Text, Value
from gendsl.spec.looks import doubling

Label = str | int | float
MOST = 10_000_000
"""Labels an axis may have."""
MOST_SEEDS = 100_000
"""Replicates that are looked at one by one: more are a slip of the hand, and it is told at once."""
SEEDS = "`seeds`"
LARGEST = 2**63 - 1
"""The largest whole number that a label may be: what tables keep."""


@dataclass(eq=False)
class AxisDraft:
    """An axis while it is not known what its values are used as. Each of `items` has one element a part."""

    name: str
    declared: Declared
    parts: tuple[str, ...]
    items: list[tuple[Given, ...]]
    labels: list[tuple[Label, ...]]
    units: list[str]
    typed: list[list[Value] | None] = field(default_factory=list)
    used_as: list[Type | None] = field(default_factory=list)

    def part_of(self, name: str) -> int | None:
        return self.parts.index(name) if self.parts else None


def name_of(declared: Declared) -> str:
    """The axis's name: that of the sweep, or the names of a tuple joined."""
    assert isinstance(declared.node, tree.Sweep)
    return declared.scope.prefix + "_".join(name.id for name in declared.node.names)


def draft(world: World, declared: Declared) -> AxisDraft:
    """The axis a `sweep` declares, with its labels."""
    name = name_of(declared)
    if name in world.axes:
        known = world.axes[name]
        if known is None:
            raise Broken
        return known
    world.axes[name] = None
    with world.within(declared, declared.place):
        made = _made(world, declared, name)
    world.axes[name] = made
    return made


def _made(world: World, declared: Declared, name: str) -> AxisDraft:
    node = declared.node
    assert isinstance(node, tree.Sweep) and declared.given is not None
    parts = tuple(part.id for part in node.names) if len(node.names) > 1 else ()
    items = [_parts(world, item, len(node.names)) for item in listed(world, declared.given, "a sweep")]
    if not items:
        world.faults.fail("empty-sweep", f"the axis `{name}` has no values", declared.given.place)
    labels: list[tuple[Label, ...]] = []
    units = [""] * len(node.names)
    with world.faults.gathered() as gathering:
        for place, item in enumerate(items):
            with gathering.part():
                pairs = [_label(world, part) for part in item]
                labels.append(tuple(label for label, _ in pairs))
                for at, (_, unit) in enumerate(pairs):
                    if place and units[at] != unit:
                        _mixed_units(world, item[at], items[0][at])
                    units[at] = unit
    _distinct(world, labels, items)
    return AxisDraft(name, declared, parts, items, labels, units, [None] * len(units), [None] * len(units))


def _mixed_units(world: World, given: Given, first: Given) -> None:
    world.faults.fail(
        "wrong-unit",
        "the values of one axis have one unit",
        given.place,
        also=((first.place, "this one has another"),),
    )


def _distinct(world: World, labels: list[tuple[Label, ...]], items: list[tuple[Given, ...]]) -> None:
    seen: dict[tuple[Label, ...], Given] = {}
    for label, item in zip(labels, items):
        if any(isinstance(part, int) and abs(part) > LARGEST for part in label):
            world.faults.fail("out-of-range", "this label has too many digits", item[0].place)
        if label in seen:
            world.faults.fail(
                "duplicate-label",
                f"`{', '.join(map(str, label))}` is on this axis twice",
                item[0].place,
                also=((seen[label].place, "first here"),),
            )
        seen[label] = item[0]


def listed(world: World, given: Given, what: str) -> list[Given]:
    """The items of a list or a range, also by way of a `param` or `let`."""
    expr = given.expr
    match expr:
        case tree.List(items=items):
            return [part for item in items for part in _spread(world, given.at(item), what)]
        case tree.Range():
            return _expanded(world, given, expr, what)
        case tree.Group(inner=inner):
            return listed(world, given.at(inner), what)
        case tree.Name() | tree.Dot():
            declared, rest = names.find(world, given, legal=(), expected="a list or a range")
            if not rest and declared.word in ("param", "let") and declared.given is not None:
                with world.within(declared, given.place):
                    return listed(world, declared.given, what)
    world.faults.fail(
        "wrong-type",
        f"{what} runs over a list or a range",
        given.place,
        help=f"write `[{given.text}]`",
    )


def _spread(world: World, given: Given, what: str) -> list[Given]:
    """A range inside a list stands for its numbers: `[1..4, 8]`."""
    return _expanded(world, given, given.expr, what) if isinstance(given.expr, tree.Range) else [given]


def _expanded(world: World, given: Given, expr: tree.Range, what: str) -> list[Given]:
    low, high, unit, step = ends(world, given, expr, what)
    if step is None:
        if not (isinstance(low, int) and isinstance(high, int)):
            world.faults.fail(
                "missing-step",
                "a range of fractions needs a step",
                given.place,
                help=f"write `{given.text} by {10 ** math.floor(math.log10((high - low) / 2)):g}`"
                if high > low
                else None,
            )
        step = 1
    if step <= 0 or high < low:
        world.faults.fail(
            "empty-sweep",
            f"{what} over nothing",
            given.place,
            note="the step is above 0" if step <= 0 else "the range runs upwards, from low to high",
        )
    count = int((high - low) / step + 1e-9) + 1
    if count > (MOST_SEEDS if what == SEEDS else MOST):
        message = f"{count:,} labels are too many for one axis"
        note = f"at most {MOST_SEEDS:,} seeds" if what == SEEDS else ""
        world.faults.fail("out-of-range", message, given.place, note=note)
    return [given.at(_literal(expr, low + place * step, unit)) for place in range(count)]


def _literal(expr: tree.Range, value: float, unit: str) -> tree.Expr:
    # Sums of steps such as 0.1 carry rounding: 0.30000000000000004 was meant as 0.3.
    value = value if isinstance(value, int) else float(f"{value:.12g}")
    return tree.Quantity(expr.span, value, unit, expr.span) if unit else tree.Number(expr.span, value)


def ends(
    world: World, given: Given, expr: tree.Range, what: str
) -> tuple[int | float, int | float, str, int | float | None]:
    """Low, high, unit and step of a range, in the base unit; `1..4000 epochs` means epochs at both ends."""
    slot = Slot("the end of a range", what)
    found = [numbers.loose(world, given.at(part), slot) for part in (expr.low, expr.high, expr.step) if part]
    if not all(isinstance(part, Number) for part in found):
        world.faults.fail("wrong-type", "the ends of a range are fixed numbers", given.place)
    parts = [part for part in found if isinstance(part, Number)]
    units = {part.unit for part in parts if part.unit}
    if len(units) > 1:
        world.faults.fail("wrong-unit", "the ends of a range have one unit", given.place)
    unit = units.pop() if units else ""
    return parts[0].value, parts[1].value, unit, parts[2].value if len(parts) > 2 else None


def _parts(world: World, given: Given, count: int) -> tuple[Given, ...]:
    if count == 1:
        return (given,)
    if isinstance(given.expr, tree.Tuple) and len(given.expr.items) == count:
        return tuple(given.at(item) for item in given.expr.items)
    world.faults.fail("wrong-type", f"each value of this axis is a tuple of {count}", given.place)


def _label(world: World, given: Given) -> tuple[Label, str]:
    """What people see of a value, and its unit."""
    match given.expr:
        case tree.Name() | tree.Dot() | tree.Call() | tree.Constant():
            if (number := _constant(world, given)) is not None:
                return number.value, number.unit
            return given.text, ""
        case tree.Text(value=text):
            return text, ""
        case tree.Group(inner=inner):
            return _label(world, given.at(inner))
    value = numbers.loose(world, given, Slot("a value of a sweep, if it is no name or component,", ""))
    if isinstance(value, Number):
        return value.value, value.unit
    return given.text, ""


def _constant(world: World, given: Given) -> Number | None:
    """The number a parameter stands for."""
    if not isinstance(given.expr, tree.Name):
        return None
    declared = given.scope.names.get(given.expr.id)
    if declared is None or declared.word not in ("param", "let") or declared.given is None:
        return None
    if not isinstance(declared.given.expr, tree.Number | tree.Quantity):
        return None
    declared.is_used = True
    return numbers.quantity(world, declared.given)


def coordinate(world: World, declared: Declared, want: Type, slot: Slot) -> Coordinate:
    """An axis where a value is wanted: each of its values must be one that the slot takes."""
    axis = draft(world, declared)
    part = axis.part_of(declared.name)
    at = part or 0
    if want is numbers.ANY and axis.typed[at] is not None:
        return Coordinate(axis=axis.name, part=part)
    found: list[Value] = []
    mentioned = slot.used or declared.place
    with world.within(declared, mentioned), world.faults.gathered() as gathering:
        for place, item in enumerate(axis.items):
            with gathering.part():
                found.append(values.value(world, item[at], want, _slot(axis, slot, place)))
    known, before = axis.typed[at], axis.used_as[at]
    if known is not None and before is not numbers.ANY:
        if known != found and slot.used is not None:
            _two_uses(world, axis, slot.used)
        # Whole numbers stay whole where one use wants them so: 4 and 4.0 are equal labels.
        if not want.is_integer:
            return Coordinate(axis=axis.name, part=part)
    axis.typed[at], axis.used_as[at] = found, want
    return Coordinate(axis=axis.name, part=part)


def _slot(axis: AxisDraft, slot: Slot, place: int) -> Slot:
    return Slot(slot.what, f"{axis.name}.{place}", slot.splits, slot.used)


def _two_uses(world: World, axis: AxisDraft, place: Place) -> None:
    world.faults.fail(
        "wrong-kind",
        f"`{axis.name}` is used as two different things",
        place,
        also=((axis.declared.place, "one axis has one kind of values"),),
    )


def finished(world: World, name: str) -> Axis:
    """The axis as the spec has it; values that nothing uses are kept as they are written."""
    if name == "seed":
        return seeds(world)
    if name == "epoch" and world.epochs is not None:
        found = world.epochs[0]
        numbers_ = tuple(Number(value=epoch, unit="epochs") for epoch in found)
        return Axis(name="epoch", kind="epoch", values=numbers_, labels=found, unit="epochs")
    axis = world.axes[name]
    if axis is None:
        raise Broken
    columns = [
        typed if typed is not None else [_written(item[at], axis.labels[place][at], axis.units[at])
                                         for place, item in enumerate(axis.items)]
        for at, typed in enumerate(axis.typed)
    ]  # fmt: skip
    is_tuple = bool(axis.parts)
    rows = tuple(Items(items=row) if is_tuple else row[0] for row in zip(*columns))
    return Axis(
        name=axis.name,
        kind="sweep",
        values=rows,
        labels=tuple(label if is_tuple else label[0] for label in axis.labels),
        parts=axis.parts,
        unit="" if is_tuple else axis.units[0],
        caption=axis.declared.caption,
    )


def _written(given: Given, label: Label, unit: str) -> Value:
    if not isinstance(label, str):
        return Number(value=label, unit=unit)
    if isinstance(given.expr, tree.Constant) and given.expr.value is not None:
        return Flag(value=given.expr.value)
    return Text(value=label) if isinstance(given.expr, tree.Text) else Choice(name=label)


def seeds(world: World) -> Axis:
    """The replicate axis."""
    declared = world.seeds
    if declared is None or declared.given is None:
        raise Broken
    if not world.seed_axis:
        world.seed_axis.append(None)
        world.seed_axis[0] = _seeds(world, declared)
    axis = world.seed_axis[0]
    if axis is None:
        raise Broken
    return axis


def _seeds(world: World, declared: Declared) -> Axis:
    assert declared.given is not None
    want = Type("Seed", low=0)
    slot = Slot("a seed", "seed")
    given, most = _limited(world, declared.given)
    items = listed(world, given, SEEDS)
    found = [numbers.number(world, item, want, slot) for item in items]
    labels = [number.value for number in found if isinstance(number, Number)]
    if len(labels) < len(found) or not labels:
        world.faults.fail("empty-sweep", "there are no seeds in this", given.place)
    _distinct(world, [(label,) for label in labels], [(item,) for item in items])
    return Axis(
        name="seed",
        kind="seeds",
        values=tuple(found),
        labels=tuple(labels),
        caption=declared.caption,
        looks=() if most is None else _looks(world, given, most, len(found)),
    )


def _limited(world: World, given: Given) -> tuple[Given, Given | None]:
    """The seeds to begin with, and the most there may be of those that go on until claims are decided."""
    if not isinstance(given.expr, tree.Until):
        return given, None
    values = given.at(given.expr.values)
    inner = values.expr
    while isinstance(inner, tree.Group):
        inner = inner.inner
    if not isinstance(inner, tree.Range):
        world.faults.fail(
            "wrong-type",
            "seeds that go on begin with a range",
            values.place,
            note="the seeds that follow continue it",
            help="write `seeds 0..9 until decided, at most 80`",
        )
    return values, given.at(given.expr.most)


def _looks(world: World, given: Given, most: Given, first: int) -> tuple[int, ...]:
    """The seeds at each look."""
    found = numbers.number(
        world, most, Type("Count", low=1, high=MOST_SEEDS), Slot("the most seeds", "seeds")
    )
    if not isinstance(found, Number):
        world.faults.fail("wrong-type", "the most seeds are a fixed number", most.place)
    if found.value <= first:
        message = f"{first} seeds to begin with, and at most {found.value}: nothing could be added"
        world.faults.fail(
            "out-of-range",
            message,
            most.place,
            also=((given.place, f"{first} seeds"),),
            help=f"write `at most {8 * first}`, or leave `until decided` out",
        )
    return doubling(first, int(found.value))


def shown(label: Label | tuple[Label, ...], unit: str = "") -> str:
    """A label in a message."""
    if isinstance(label, tuple):
        return ", ".join(map(str, label))
    return written(label, unit) if isinstance(label, int | float) else label
