"""Names: what they stand for, and which one was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from gendsl import tree
from gendsl.check.faults import Broken, Place
from gendsl.check.scope import Declared, Given, Scope, World
from gendsl.words import nearest

A_WORD = {
    "param": "a parameter",
    "sweep": "an axis",
    "seeds": "the replicate axis",
    "let": "a `let`",
    "dataset": "a dataset",
    "model": "a model",
    "optimizer": "an optimizer",
    "schedule": "a schedule",
    "loss": "a loss",
    "train": "a training run",
    "analysis": "an analysis",
    "statistic": "a statistic",
    "plot": "a plot",
    "claim": "a claim",
    "report": "a report",
    "preset": "a preset",
    "import": "an imported file",
    "experiment": "the experiment",
}
"""What a thing declared with each word is called in a message."""
VALUES = ("param", "let", "sweep", "seeds")
"""Words whose names may stand for a value of any type."""


def chain(expr: tree.Expr) -> tuple[tree.Name, ...] | None:
    """The names of `a.b.c`; None for any other expression."""
    names = []
    while isinstance(expr, tree.Dot):
        names.append(expr.key)
        expr = expr.base
    return (expr, *reversed(names)) if isinstance(expr, tree.Name) else None


def meant(word: str, candidates: Iterable[str]) -> str | None:
    """The help that names the nearest candidate."""
    near = nearest(word, candidates)
    return None if near is None else f"did you mean `{near}`?"


def visible(scope: Scope, words: Iterable[str]) -> list[str]:
    """Names of a file that are declared with one of the words, those of its imports with their prefix."""
    words = set(words)
    found = [name for name, declared in scope.names.items() if declared.word in words]
    for name, declared in scope.names.items():
        if declared.module is not None:
            found += [f"{name}.{inner}" for inner in visible(declared.module, words)]
    return found


def find(
    world: World, given: Given, *, legal: Iterable[str], others: Iterable[str] = (), expected: str = "this"
) -> tuple[Declared, tuple[tree.Name, ...]]:
    """What `a.b.c` begins with, and the names that are left; fails for a name that is not there.

    `legal` are the declaring words whose names may stand here and `others` further names; both only help to
    find what was meant.
    """
    names = chain(given.expr)
    assert names is not None
    scope, rest = given.scope, names
    while True:
        declared = _one(world, rest[0], scope, given)
        if declared is None:
            _not_a_value(world, rest[0], scope, given, expected)
            candidates = [*visible(scope, (*legal, *VALUES)), *others]
            unknown(world, rest[0], given, candidates, scope, expected=expected)
        declared.is_used = True
        rest = rest[1:]
        if declared.module is None or not rest:
            return declared, rest
        scope = declared.module


def _one(world: World, name: tree.Name, scope: Scope, given: Given) -> Declared | None:
    if name.id in scope.broken:
        raise Broken
    if name.id == "seed" and scope is given.scope and name.id not in scope.names:
        # An imported file follows the replicates of the file that imports it.
        if "seed" in world.main.broken:
            raise Broken
        return world.main.names.get("seed")
    return scope.names.get(name.id)


def _not_a_value(world: World, name: tree.Name, scope: Scope, given: Given, expected: str) -> None:
    """Fails where a name of a Python file is that of a component, and something else is wanted."""
    if scope.python is not None and name.id in scope.python.components:
        kind = scope.python.components[name.id].kind
        message = f"`{scope.prefix}{name.id}` is {A_WORD[kind]}, expected {expected}"
        world.faults.fail("wrong-kind", message, given.spot(name.span))


def unknown(
    world: World,
    name: tree.Name,
    given: Given,
    candidates: Iterable[str],
    scope: Scope,
    *,
    expected: str,
) -> NoReturn:
    """Fails: nothing has that name here."""
    if name.id == "seed":
        world.faults.fail(
            "unknown-name",
            "`seed` stands for the replicate axis, and there is none",
            given.spot(name.span),
            help="declare replicates: `seeds 0..9`",
            once="seed",
        )
    where = f" in `{scope.prefix.rstrip('.')}`" if scope is not given.scope else ""
    world.faults.fail(
        "unknown-name",
        f"nothing here is called `{name.id}`{where}",
        given.spot(name.span),
        note=f"expected {expected}",
        help=meant(name.id, candidates),
        once=(scope.prefix, name.id),
    )


def wrong_kind(
    world: World, declared: Declared, place: Place, *, expected: str, help: str | None = None
) -> NoReturn:
    """Fails: the name stands for something else than what is wanted here."""
    world.faults.fail(
        "wrong-kind",
        f"`{declared.full}` is {A_WORD[declared.word]}, expected {expected}",
        place,
        also=((declared.place, f"`{declared.name}` is declared here"),),
        help=help,
    )


def absent(world: World, axis: str, given: Given, axes: Iterable[str], message: str) -> NoReturn:
    """Fails: what is spoken about does not have this axis. Said once of an axis that nothing varies along."""
    draft = world.axes.get(axis)
    if draft is not None and not any(draft.typed):
        world.faults.fail(
            "missing-axis",
            f"nothing varies along `{given.text}`",
            given.place,
            note="no step mentions this axis",
            also=((draft.declared.place, "declared here, and no argument uses it"),),
            once=("nothing varies", axis),
        )
    along = ", ".join(sorted(axes))
    note = f"it varies along {along}" if along else "it varies along nothing"
    world.faults.fail("missing-axis", message, given.place, note=note)
