"""Labels that a condition names, and whether a condition holds at a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gendsl import tree
from gendsl.check.scope import Given, World
from gendsl.spec import Axis, Coordinate, Items, Label, Number, Operation, Range, Value
from gendsl.spec.operators import COMPARISONS

Axes = Mapping[str, Axis]


def matches(world: World, given: Given, labels: list[str]) -> Iterator[int]:
    """Places of the labels that an expression names: `clean`, `small.test`, `sgd` for the only `sgd(...)`."""
    expr = given.expr
    text = expr.value if isinstance(expr, tree.Text) else given.text
    exact = [place for place, label in enumerate(labels) if label == text]
    if exact:
        yield from exact
        return
    if isinstance(expr, tree.Name):
        declared = given.scope.names.get(expr.id)
        if declared is not None and declared.word in ("param", "let") and declared.given is not None:
            declared.is_used = True
            with world.within(declared, given.place):
                yield from matches(world, declared.given, labels)
            return
        calls = [place for place, label in enumerate(labels) if label.startswith(f"{expr.id}(")]
        if len(calls) == 1:
            yield from calls


def holds(condition: Value, axes: Axes, place: Mapping[str, int]) -> bool:
    """Whether a condition holds at a place, a label index for each axis."""
    assert isinstance(condition, Operation)
    op, operands = condition.op, condition.operands
    if op == "not":
        return not holds(operands[0], axes, place)
    if op in ("and", "or"):
        return (all if op == "and" else any)(holds(part, axes, place) for part in operands)
    coordinate, other = operands
    assert isinstance(coordinate, Coordinate)
    index = place[coordinate.axis]
    if isinstance(other, Label):
        return (index == other.index) == (op == "==")
    if isinstance(other, Items):
        return any(isinstance(item, Label) and item.index == index for item in other.items)
    return _number_holds(op, _label(axes[coordinate.axis], index, coordinate.part), other)


def _label(axis: Axis, index: int, part: int | None) -> float:
    label = axis.labels[index]
    value = label[part or 0] if isinstance(label, tuple) else label
    assert not isinstance(value, str)
    return value


def _number_holds(op: str, label: float, other: Value) -> bool:
    if isinstance(other, Range):
        if not other.low <= label <= other.high:
            return False
        if other.step is None:
            return True
        steps = (label - other.low) / other.step
        return abs(steps - round(steps)) < 1e-9
    assert isinstance(other, Number)
    return bool(COMPARISONS[op](label, other.value))
