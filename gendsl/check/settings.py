"""Values from outside the declarations: presets, `--set` and `--seeds`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import NoReturn

from gendsl import tree
from gendsl.check import drafts, names, params
from gendsl.check.faults import Broken, Place
from gendsl.check.scope import Declared, Edit, Given, Scope, World
from gendsl.check.sweeps import name_of
from gendsl.source import Source, Span

PICKED = ("dataset", "model", "optimizer", "analysis", "plot")
"""Words of declarations that `=` picks a component for."""
SETTABLE = ("param", "sweep", "seeds", "let", "train", *PICKED)


@dataclass(frozen=True)
class Options:
    """What the command line changes: pairs of path and expression, a preset, seeds, and what to keep."""

    overrides: tuple[tuple[str, str], ...] = ()
    preset: str | None = None
    seeds: str | None = None
    only: tuple[str, ...] = ()


def apply(world: World, options: Options) -> None:
    """Change what is declared: the preset first, then each `--set`, then `--seeds`."""
    presets = {d.name: d for d in world.main.names.values() if d.word == "preset"}
    with world.faults.gathered() as gathering:
        for declared in presets.values():
            with gathering.part():
                edits = _entries(world, declared)
                for edit in edits:
                    with gathering.part():
                        _set(world, edit, trying=declared.name != options.preset)
        with gathering.part():
            if options.preset is not None and options.preset not in presets:
                _no_preset(world, options.preset, list(presets))
        for path, text in options.overrides:
            with gathering.part():
                _set(world, _override(world, path, text), trying=False)
        with gathering.part():
            if options.seeds is not None:
                _set(world, _override(world, "seeds", options.seeds, option="--seeds"), trying=False)


def _no_preset(world: World, name: str, presets: list[str]) -> NoReturn:
    if name in world.main.broken:
        raise Broken
    source = Source(name, "--preset")
    has = f"it has {', '.join(presets)}" if presets else "it has none"
    world.faults.fail(
        "unknown-preset",
        f"this file has no preset `{name}`",
        Place(source, Span(0, len(name))),
        note=has,
        help=names.meant(name, presets),
    )


def _entries(world: World, declared: Declared) -> list[Edit]:
    """The settings of a preset, after those of the one it extends."""
    node = declared.node
    if not isinstance(node, tree.Form):
        world.faults.fail("wrong-form", "a preset is a form: `preset smoke { width = 16 }`", declared.place)
    edits: list[Edit] = []
    if node.base is not None:
        given = declared.scope.given(node.base)
        other, rest = names.find(world, given, legal=["preset"], expected="a preset")
        if other.word != "preset" or rest:
            names.wrong_kind(world, other, given.place, expected="a preset")
        with world.within(declared, given.place):
            edits += _entries(world, other)
    seen: dict[tuple[str, ...], Place] = {}
    for entry in node.entries:
        edit = Edit(entry.path, declared.scope.given(entry.value))
        path = tuple(name.id for name in entry.path)
        if path in seen:
            world.faults.fail(
                "duplicate-field",
                f"`{'.'.join(path)}` is given twice",
                edit.place,
                also=((seen[path], "first given here"),),
            )
        seen[path] = edit.place
        edits.append(edit)
    return edits


def _override(world: World, path: str, text: str, option: str = "--set") -> Edit:
    """A `--set path=value`, read by the language's own grammar; the shown text is what was typed."""
    from gendsl.parse import parse_expression

    prefix = f"{path}=" if option == "--set" else ""
    source = Source(text, f"{option} {path}" if prefix else option)
    whole = Source(f"{prefix}{text}", option)
    ends = list(accumulate(len(part) + 1 for part in path.split(".")))
    words = [(Span(end - len(part) - 1, end - 1), part.strip()) for part, end in zip(path.split("."), ends)]
    if not all(re.fullmatch(r"[A-Za-z_]\w*", word) for _, word in words):
        message = "a path is made of names and dots: `clean.optimizer.lr`"
        world.faults.fail("unknown-setting", message, Place(whole, Span(0, max(1, len(path)))))
    expr, faults = parse_expression(source, start="seeding" if path == "seeds" else "expr")
    world.faults.add(*faults)
    if expr is None or faults:
        raise Broken
    keys = tuple(tree.Name(span, word) for span, word in words)
    return Edit(keys, Given(expr, world.main, source), whole)


def _set(world: World, edit: Edit, *, trying: bool) -> None:
    """Carry out one setting; `trying` only looks whether it could be."""
    declared, rest = _target(world, edit)
    if declared.word == "param" and not rest:
        if not trying:
            declared.given = edit.value
        if not params.holds_component(declared, edit.value):
            # A component is looked at where it is used: only one of its values may become a step.
            params.fitting(world, declared, edit.value)
    elif declared.word in ("sweep", "seeds", "let") and not rest:
        if not trying:
            for part in _parts(declared):
                part.given = edit.value
    elif declared.word in PICKED and not rest:
        _replace(world, declared, edit, trying=trying)
    elif declared.word in (*PICKED, "train") and rest:
        _change(world, declared, rest, edit, trying=trying)
    else:
        is_form = declared.word == "train"
        message = f"`{declared.full}` is {names.A_WORD[declared.word]}" + (
            ": set one of its fields" if is_form else f": it has no field `{rest[0].id}`"
        )
        help = f"write `{declared.full}.FIELD`" if is_form else None
        world.faults.fail("unknown-setting", message, edit.place, help=help)


def _parts(declared: Declared) -> list[Declared]:
    """All names of a tuple axis share one value."""
    return [d for d in declared.scope.names.values() if d.node is declared.node]


def _replace(world: World, declared: Declared, edit: Edit, *, trying: bool) -> None:
    if isinstance(declared.node, tree.Form):
        message = f"`{declared.full}` extends another: set one of its fields"
        world.faults.fail("unknown-setting", message, edit.place, help=f"write `{declared.full}.FIELD`")
    if not trying:
        declared.given = edit.value


def _change(
    world: World, declared: Declared, rest: tuple[tree.Name, ...], edit: Edit, *, trying: bool
) -> None:
    if not trying:
        declared.edits.append(edit._replace(path=rest))
        return
    # Only the path is looked at: what the value does is known where the preset is chosen.
    found = drafts.of(world, declared, edit.place)
    if isinstance(found, drafts.Draft):
        drafts.edited(world, found, rest, edit._replace(path=rest))
    world.drafts.clear()


def _target(world: World, edit: Edit) -> tuple[Declared, tuple[tree.Name, ...]]:
    """The declaration that a path begins with, and the fields that follow."""
    scope, path = world.main, edit.path
    while True:
        word = "seed" if path[0].id == "seeds" and scope is world.main else path[0].id
        declared = scope.names.get(word) or _tuple_axis(scope, word)
        if declared is None or declared.word not in (*SETTABLE, "import"):
            _no_target(world, scope, path[0], edit)
        declared.is_used |= declared.word == "import"
        if declared.module is None:
            return declared, path[1:]
        scope, path = declared.module, path[1:]
        if not path:
            world.faults.fail("unknown-setting", f"`{declared.full}` is an imported file", edit.place)


def _tuple_axis(scope: Scope, name: str) -> Declared | None:
    """A tuple axis by its joined name, `lr_batch`."""
    sweeps = (d for d in scope.names.values() if d.word == "sweep")
    return next((d for d in sweeps if name_of(d) == scope.prefix + name), None)


def _no_target(world: World, scope: Scope, name: tree.Name, edit: Edit) -> NoReturn:
    if name.id in scope.broken or (name.id == "seeds" and "seed" in scope.broken):
        raise Broken
    candidates = ["seeds" if word == "seed" else word for word in names.visible(scope, SETTABLE)]
    place = Place(edit.place.source, name.span)
    if name.id == "seeds":
        world.faults.fail(
            "unknown-setting",
            "this file declares no seeds to replace",
            place,
            help="add `seeds 0..9` to the file",
        )
    world.faults.fail(
        "unknown-setting",
        f"there is nothing called `{name.id}` to set",
        place,
        note="expected a parameter, an axis, `seeds`, or a field of a declaration",
        help=names.meant(name.id, candidates),
    )
