"""Plots, the report, and the head of the experiment."""

from __future__ import annotations

from pathlib import Path

from gendsl import tree
from gendsl.check import components, drafts, names, reach
from gendsl.check.faults import Place
from gendsl.check.scope import Declared, Given, World
from gendsl.check.slots import shape
from gendsl.spec import Coordinate, Nothing, Plot, Value

SHOWN = ("plot", "claim", "analysis")
"""What a report can show."""


def plot(world: World, declared: Declared) -> Plot:
    """A figure with every parameter given; the axes it speaks about are axes of what it shows."""
    draft = drafts.of(world, declared, declared.place)
    if not isinstance(draft, drafts.Draft):
        world.faults.fail(
            "wrong-type", "a plot is a component", draft.place, note=f"found {shape(draft.expr)}"
        )
    with world.within(declared, declared.place):
        made = components.figure(
            world, draft, name=declared.full, caption=declared.caption, span=declared.node.span
        )
    _axes_are_there(world, draft, made)
    return made


def _axes_are_there(world: World, draft: drafts.Draft, made: Plot) -> None:
    shown = [value for value in made.arguments.values() if not isinstance(value, Coordinate | Nothing)]
    axes: set[str] = set().union(*(reach.axes_of(world, value) for value in shown))
    if not any(_is_result(value) for value in shown):
        return
    for name, value in made.arguments.items():
        if isinstance(value, Coordinate) and value.axis not in axes:
            field = draft.fields[name]
            assert isinstance(field.value, Given)
            message = f"nothing in this plot varies along `{value.axis}`"
            names.absent(world, value.axis, field.value, axes, message)


def _is_result(value: Value) -> bool:
    return value.is_ in ("quantity", "statistic", "where", "operation")


def report(world: World, declared: Declared) -> tuple[str, ...]:
    """The names a report shows, in order."""
    for entry in _entries(world, declared, ("show",)):
        given = declared.scope.given(entry.value)
        if not isinstance(given.expr, tree.List):
            world.faults.fail(
                "wrong-type", "`show` is a list of names", given.place, help=f"write `[{given.text}]`"
            )
        found = []
        with world.faults.gathered() as gathering:
            for item in given.expr.items:
                with gathering.part():
                    found.append(_shown(world, given.at(item)))
        return tuple(found)
    world.faults.fail("missing-field", "this report lacks `show`", declared.place, help="add `show = [...]`")


def _shown(world: World, given: Given) -> str:
    if names.chain(given.expr) is None:
        world.faults.fail("wrong-type", "a report shows plots, claims and analyses by name", given.place)
    declared, rest = names.find(world, given, legal=SHOWN, expected="a plot, claim or analysis")
    if rest or declared.word not in SHOWN:
        names.wrong_kind(world, declared, given.place, expected="a plot, a claim or an analysis")
    return declared.full


def _entries(world: World, declared: Declared, legal: tuple[str, ...]) -> list[tree.Entry]:
    """The fields of a form that is no component; each must be one of `legal` and stand once."""
    node = declared.node
    where = names.A_WORD.get(declared.word, "the experiment")
    if not isinstance(node, tree.Form) or node.base is not None:
        message = f"{where} is a form of its own: `{declared.word} {declared.name} {{ ... }}`"
        world.faults.fail("wrong-form", message, declared.place)
    seen: dict[str, Place] = {}
    with world.faults.gathered() as gathering:
        for entry in node.entries:
            with gathering.part():
                key = entry.path[0]
                place = Place(declared.scope.source, key.span)
                if key.id not in legal or len(entry.path) > 1:
                    world.faults.fail(
                        "unknown-field",
                        f"{where} has no field `{'.'.join(name.id for name in entry.path)}`",
                        place,
                        help=names.meant(key.id, legal) or f"it has {drafts.listed(legal)}",
                    )
                if key.id in seen:
                    world.faults.fail(
                        "duplicate-field",
                        f"`{key.id}` is given twice",
                        place,
                        also=((seen[key.id], "first given here"),),
                    )
                seen[key.id] = place
    return list(node.entries)


def head(world: World, declared: Declared | None) -> dict[str, object]:
    """Name, title, paper, about and catalogue of the experiment; from the file's name where there is none."""
    stem = Path(world.main.source.path).stem
    found: dict[str, object] = {"name": declared.name if declared else stem}
    found["title"] = str(found["name"]).replace("_", " ")
    if declared is None:
        return found
    for entry in _entries(world, declared, ("title", "paper", "about", "catalogue")):
        key = entry.path[0].id
        given = declared.scope.given(entry.value)
        found[key] = _texts(world, given) if key in ("paper", "catalogue") else _text(world, given, key)
    return found


def _text(world: World, given: Given, key: str) -> str:
    if isinstance(given.expr, tree.Text):
        return given.expr.value
    note = f"found {shape(given.expr)}"
    world.faults.fail("wrong-type", f"`{key}` is text in quotes", given.place, note=note)


def _texts(world: World, given: Given) -> tuple[str, ...]:
    if isinstance(given.expr, tree.List):
        return tuple(_text(world, given.at(item), "each of these") for item in given.expr.items)
    return (_text(world, given, "this"),)
