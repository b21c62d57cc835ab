"""What is written, as a value of the type that is wanted there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from gendsl import tree
from gendsl.catalogue.types import COMPONENTS, RUNS, Type, described
from gendsl.check import fixed, names, numbers, references, results, sweeps
from gendsl.check.scope import Declared, Given, World
from gendsl.check.slots import Slot, mismatch
from gendsl.spec import Choice, Flag, InputFile, Items, Nothing, Number, Operation, Text, Value
from gendsl.spec.operators import COMPARISONS

METRICS = {"train_error": Type("Share", low=0, high=1), "train_accuracy": Type("Share", low=0, high=1)}
METRICS["train_loss"] = Type("NonNegative", low=0)
"""What a run can be stopped by, and the type of the bound."""
FLIPPED = {"<": ">", "<=": ">=", "==": "==", ">=": "<=", ">": "<"}
"""How a share is compared where one minus it is compared."""


def value(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """The value of an expression in a slot of type `want`; fails with a diagnostic where it is not one."""
    expr = given.expr
    if isinstance(expr, tree.Group):
        return value(world, given.at(expr.inner), want, slot)
    if isinstance(expr, tree.Constant) and expr.value is None:
        if want.optional:
            return Nothing()
        word = _word(given, "none", want, slot)
        return word if word is not None else mismatch(world, given, want, slot)
    if want.name == "Values":
        return results.result(world, given).value
    if isinstance(expr, tree.Where):
        return fixed.argument(world, given, expr, want, slot)
    if isinstance(expr, tree.Name):
        word = _word(given, expr.id, want, slot)
        if word is not None:
            return word
    chosen = _alternative(world, given, want)
    if chosen.is_number:
        return numbers.number(world, given, chosen, slot)
    if isinstance(expr, tree.Name | tree.Dot) and chosen.name not in READERS:
        return _named(world, given, chosen, slot)
    return (READERS.get(chosen.name) or _plain)(world, given, chosen, slot)


def _word(given: Given, name: str, want: Type, slot: Slot) -> Value | None:
    """A bare word that the type itself knows: a choice, or a split of the data at hand."""
    for type_ in (want, *want.others):
        if name in type_.choices:
            return Choice(name=name)
        if type_.name == "SplitName":
            is_known = name in slot.splits if slot.splits is not None else name not in given.scope.names
            if is_known or name == "fit":
                return Choice(name=name)
    return None


def _alternative(world: World, given: Given, want: Type) -> Type:
    """The member of a union that the written form is most like."""
    if not want.others:
        return want
    alternatives = (want._replace(others=()), *want.others)
    match given.expr:
        case tree.Number() | tree.Quantity() | tree.Unary() | tree.Binary():
            fits: Callable[[Type], bool] = lambda t: t.is_number  # noqa: E731
        case tree.Text():
            fits = lambda t: t.name in ("Text", "InputFile")  # noqa: E731
        case tree.Constant():
            fits = lambda t: t.name == "Flag"  # noqa: E731
        case tree.List():
            fits = lambda t: t.name == "List"  # noqa: E731
        case tree.Call():
            fits = lambda t: t.name in COMPONENTS or t.name == "Runs"  # noqa: E731
        case tree.Name(id=name) if (declared := given.scope.names.get(name)) is not None:
            return _of_declared(world, given, declared, alternatives)
        case _:
            return want
    return next(filter(fits, alternatives), want)


def _of_declared(world: World, given: Given, declared: Declared, alternatives: tuple[Type, ...]) -> Type:
    if declared.word in ("param", "let") and declared.given is not None:
        with world.within(declared, given.place):
            return _alternative(world, declared.given, alternatives[0]._replace(others=alternatives[1:]))
    if declared.word == "sweep":
        axis = sweeps.draft(world, declared)
        first = axis.items[0][axis.part_of(declared.name) or 0]
        return _alternative(world, first, alternatives[0]._replace(others=alternatives[1:]))
    kinds = {"train": "Runs", **{kind: type_ for type_, kind in COMPONENTS.items()}}
    return next((t for t in alternatives if t.name == kinds.get(declared.word)), alternatives[0])


def _named(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """A plain value by way of a `param`, `let` or axis."""
    declared, rest = names.find(
        world,
        given,
        legal=(),
        others=want.choices or (slot.splits or () if want.name == "SplitName" else ()),
        expected=described(want),
    )
    if rest or declared.word not in ("param", "let", "sweep"):
        names.wrong_kind(world, declared, given.place, expected=described(want))
    if declared.word == "sweep":
        return sweeps.coordinate(world, declared, want, slot.by_name(given.place))
    assert declared.given is not None
    with world.within(declared, given.place):
        return value(world, declared.given, want, slot.by_name(given.place))


def _plain(world: World, given: Given, want: Type, slot: Slot) -> Value:
    match given.expr, want.name:
        case tree.Constant(value=bool(flag)), "Flag":
            return Flag(value=flag)
        case tree.Text(value=text), "Text":
            return Text(value=text)
        case tree.Text(value=text), "Choice" if text in want.choices:
            mismatch(world, given, want, slot, help=f"write `{text}` without quotes")
        case tree.Text(value=text), "InputFile":
            return _file(world, given, text)
        case tree.List(items=items), "List" if want.items is not None:
            return _list(world, [given.at(item) for item in items], want.items, slot)
        case tree.Range(), "List" if want.items is not None and want.items.is_number:
            return _list(world, sweeps.listed(world, given, "a list"), want.items, slot)
        case _, "List":
            mismatch(world, given, want, slot, help=f"write `[{given.text}]`")
    mismatch(world, given, want, slot)


def _list(world: World, items: list[Given], want: Type, slot: Slot) -> Items:
    found: list[Value] = []
    with world.faults.gathered() as gathering:
        for place, item in enumerate(items):
            with gathering.part():
                found.append(value(world, item, want, slot.item(place)))
    return Items(items=tuple(found))


def _file(world: World, given: Given, text: str) -> InputFile:
    """Paths are relative to the file that says them; a `--set` speaks for the main file."""
    path = Path(given.scope.source.path).parent / text
    if not path.is_file():
        other = "is a pipe or a device" if path.exists() else "does not exist"
        reason = "is a folder" if path.is_dir() else other
        world.faults.fail("missing-file", f"the file `{path}` {reason}", given.place)
    return InputFile(path=str(path.resolve()))


def _stop(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """One condition on a metric, or several joined by `and`."""
    expr = given.expr
    if isinstance(expr, tree.Binary) and expr.op == "and":
        one = want._replace(optional=False)
        sides = [value(world, given.at(side), one, slot) for side in (expr.left, expr.right)]
        parts = [part for side in sides for part in conditions(side)]
        if not _can_hold(parts):
            world.faults.fail(
                "empty-selection",
                "nothing can meet this `stop`: its conditions exclude each other",
                given.place,
                help="leave one of them out, or turn its sign round",
            )
        return Operation(op="and", operands=tuple(parts))
    if isinstance(expr, tree.Name | tree.Dot) and not (isinstance(expr, tree.Name) and expr.id in METRICS):
        return _named(world, given, want, slot)
    if not isinstance(expr, tree.Binary) or expr.op not in ("<", "<=", "==", ">=", ">"):
        mismatch(world, given, want, slot, help="write `train_error == 0%`")
    metric = expr.left.id if isinstance(expr.left, tree.Name) else ""
    if metric not in METRICS:
        world.faults.fail(
            "unknown-choice",
            "a run stops by one of its training metrics",
            given.spot(expr.left.span),
            note=f"expected one of {', '.join(METRICS)}",
            help=names.meant(metric, METRICS),
        )
    bound = numbers.number(
        world, given.at(expr.right), METRICS[metric], Slot(f"the bound of `{metric}`", slot.step)
    )
    return Operation(op=expr.op, operands=(Choice(name=metric), bound))


def conditions(stop: Value) -> tuple[Value, ...]:
    """The conditions of a stop that must all hold."""
    return stop.operands if isinstance(stop, Operation) and stop.op == "and" else (stop,)


def _can_hold(parts: list[Value]) -> bool:
    """Whether some error and some loss meet all conditions; those with bounds that vary are taken to be met."""
    fixed = [
        (part.operands[0].name, part.op, part.operands[1].value)
        for part in parts
        if isinstance(part, Operation)
        and isinstance(part.operands[0], Choice)
        and isinstance(part.operands[1], Number)
    ]
    losses = [(op, bound) for name, op, bound in fixed if name == "train_loss"]
    shares = [(op, bound) for name, op, bound in fixed if name == "train_error"]
    shares += [(FLIPPED[op], round(1 - bound, 12)) for name, op, bound in fixed if name == "train_accuracy"]
    highest = max((bound for _, bound in losses), default=0) + 1
    return _is_met(losses, highest) and _is_met(shares, 1)


def _is_met(conditions: list[tuple[str, float]], highest: float) -> bool:
    """Whether a number from 0 to `highest` meets all; only bounds and what lies between two need be tried."""
    edges = sorted({0.0, highest, *(bound for _, bound in conditions)})
    tried = [*edges, *((low + high) / 2 for low, high in pairwise(edges))]
    return any(all(COMPARISONS[op](number, bound) for op, bound in conditions) for number in tried)


def _choice(world: World, given: Given, want: Type, slot: Slot) -> Value:
    expr = given.expr
    if isinstance(expr, tree.Name) and expr.id not in given.scope.names and expr.id not in given.scope.broken:
        candidates = [*want.choices, *names.visible(given.scope, names.VALUES)]
        world.faults.fail(
            "unknown-choice",
            f"{slot.what} cannot be `{expr.id}`",
            given.place,
            note=f"expected {described(want)}",
            also=slot.also,
            help=names.meant(expr.id, candidates),
        )
    return (_named if isinstance(expr, tree.Name | tree.Dot) else _plain)(world, given, want, slot)


Reader = Callable[[World, Given, Type, Slot], Value]
READERS: dict[str, Reader] = {
    "Choice": _choice,
    "Stop": _stop,
    "SplitName": references.split,
    "AxisName": references.axis_name,
    "Scores": references.scores,
    **dict.fromkeys(RUNS, references.runs),
    **dict.fromkeys(COMPONENTS, references.component),
}
"""Types that more than one form of expression may give."""
