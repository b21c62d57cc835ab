"""Components of the user's own Python: found by name, and their code by fingerprint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gendsl import tree
from gendsl.check import names
from gendsl.check.faults import Broken, Place
from gendsl.check.scope import Given, Scope, World
from gendsl.diagnostic import DiagnosticError
from gendsl.source import Source, Span
from gendsl.spec import Code

if TYPE_CHECKING:
    from gendsl.catalogue.description import Description
    from gendsl.catalogue.python import PythonFile
    from gendsl.check.drafts import Draft

_HELP = "a component is a `torch.nn.Module` class or a decorated function; `gen explain import` tells more"


def read(world: World, path: Path, here: Place) -> PythonFile | None:
    """The components of a Python file; None where it has none, with the reason reported at the import."""
    from gendsl.catalogue import python
    from gendsl.fingerprint import UnreadableError

    try:
        file = python.read(str(path))
    except DiagnosticError as error:
        for found in error.diagnostics:
            world.faults.report(found.code, found.message, here, note=found.note, help=found.help)
        return None
    except UnreadableError as error:
        text = _text(error.path, _shown(error.path, path))
        also = ((_place(text, error.line, error.column), "here"),)
        world.faults.report("bad-component", str(error), here, also=also)
        return None
    if not file.components:
        if not file.faults:
            message = f"`{path.name}` has no components"
            world.faults.report("bad-component", message, here, help=_HELP)
            return None
        reason = next(iter(file.faults.values()))
        place = _place(file.source, reason.line, reason.column, characters=False)
        world.faults.report("bad-component", str(reason), here, also=((place, "here"),))
        return None
    world.files[str(file.path)] = file
    return file


def _shown(path: Path, beside: Path) -> str:
    """The path of a module of the project as one would write it who wrote `beside`."""
    folder = beside.resolve().parent
    return str(beside.parent / path.relative_to(folder) if path.is_relative_to(folder) else path)


def _text(path: Path, shown: str) -> Source:
    try:
        return Source(path.read_bytes().decode(errors="replace").replace("\r\n", "\n"), shown)
    except OSError:
        return Source("", shown)


def _place(source: Source, line: int, column: int, *, characters: bool = True) -> Place:
    """From a place to the end of its line; `ast` counts columns in bytes, syntax errors in characters."""
    line = min(line, len(source.line_starts))
    text = source.line(line)
    if not characters:
        column = len(text.encode()[:column].decode(errors="ignore"))
    column = min(column, len(text.rstrip()))
    start = source.line_starts[line - 1]
    return Place(source, Span(start + column, max(start + column, start + len(text.rstrip()))))


def _found(given: Given) -> tuple[Scope, tuple[tree.Name, ...]] | None:
    """The Python file that `a.b.c` leads into, and the names after it; None where it leads elsewhere."""
    path = names.chain(given.expr)
    scope = given.scope
    while path is not None and len(path) > 1:
        if path[0].id in scope.broken:
            raise Broken
        declared = scope.names.get(path[0].id)
        if declared is None or declared.module is None:
            return None
        declared.is_used = True
        scope, path = declared.module, path[1:]
        if scope.python is not None:
            return scope, path
    return None


def named(given: Given) -> Description | None:
    """The component that `nets.WideNet` is, if it is one."""
    try:
        found = _found(given)
    except Broken:
        return None
    if found is None or found[0].python is None or len(found[1]) > 1:
        return None
    return found[0].python.components.get(found[1][0].id)


def kinds_of(world: World, given: Given) -> list[str]:
    """The kinds of component that a name stands for."""
    if isinstance(given.expr, tree.Name):
        return world.catalogue.kinds_of(given.expr.id)
    found = named(given)
    return [] if found is None else [found.kind]


def component(world: World, given: Given, kinds: list[str]) -> Description | None:
    """The component that `nets.WideNet` names; None where the names do not lead into a Python file."""
    found = _found(given)
    if found is None:
        return None
    scope, path = found
    file, name, place = scope.python, path[0], given.spot(path[0].span)
    assert file is not None
    whole = f"{scope.prefix}{name.id}"
    expected = " or ".join(names.A_WORD[kind] for kind in kinds)
    known = file.components.get(name.id)
    if name.id in file.faults:
        fault = file.faults[name.id]
        where = _place(file.source, fault.line, fault.column, characters=False)
        world.faults.fail("bad-component", str(fault), place, also=((where, f"`{name.id}`"),), once=whole)
    if known is None:
        world.faults.fail(
            "unknown-component",
            f"`{file.path.name}` has no {kinds[0]} called `{name.id}`",
            place,
            help=names.meant(name.id, file.names(kinds))
            or (f"it has {', '.join(f'`{one}`' for one in file.components)}"),
            once=whole,
        )
    if known.kind not in kinds:
        where = _place(file.source, known.line, 0)
        message = f"`{whole}` is {names.A_WORD[known.kind]}, expected {expected}"
        world.faults.fail("wrong-kind", message, place, also=((where, "it stands here"),))
    if len(path) > 1:
        world.faults.fail("unknown-name", f"`{whole}` has no parts to name", given.spot(path[1].span))
    return known


def code(world: World, draft: Draft) -> Code | None:
    """What stands for user code in keys; None for a built-in component."""
    found = draft.description
    if not found.is_own:
        return None
    from gendsl.fingerprint import UnreadableError, fingerprint

    file = world.files[found.file]
    try:
        made = fingerprint(file.path, found.name, project=file.project)
    except UnreadableError as error:
        text = _text(error.path, _shown(error.path, Path(file.source.path)))
        also = ((_place(text, error.line, error.column), "here"),)
        message = f"`{found.name}` needs `{error.path.name}`: {error}"
        world.faults.fail("bad-component", message, draft.place, also=also, once=error.path)
    for doubt in made.doubts:
        shown = _shown(doubt.path, Path(file.source.path))
        source = file.source if doubt.path == file.path else _text(doubt.path, shown)
        world.faults.report(
            "whole-file",
            f"all of `{doubt.path.name}` counts as code of `{found.name}`: {doubt.reason}",
            draft.place,
            also=((_place(source, doubt.line, doubt.column, characters=False), "here"),),
            severity="warning",
            once=(found.file, doubt.path, doubt.reason),
        )
    return Code(path=found.file, name=found.name, fingerprint=made.digest)
