"""The names of a file and of the files it imports."""

from __future__ import annotations

from pathlib import Path

from gendsl import tree
from gendsl.check import python
from gendsl.check.faults import Faults, Place
from gendsl.check.scope import Declared, Scope, World
from gendsl.diagnostic import DiagnosticError
from gendsl.source import Source

Chain = tuple[tuple[str, Place], ...]
"""Resolved paths of the files being imported, with where each was asked for."""
EXPERIMENT = "the experiment"
OWN = ("experiment", "claim", "plot", "report", "preset", "seeds")
"""What stays in its own file when that is imported."""


def scope(world: World, source: Source, file: tree.File, prefix: str = "", chain: Chain = ()) -> Scope:
    """The names a file declares; the first of two equal ones counts."""
    made = world.main if not prefix else Scope(source, prefix)
    made.broken |= file.broken
    for node in file.declarations:
        for declared in _declared(made, node):
            # An experiment's name is that of the file: nothing can mention it, so it is no name here.
            key = EXPERIMENT if declared.word == "experiment" else declared.name
            first = made.names.get(key)
            if first is not None:
                _twice(world.faults, declared, first)
                made.broken.add(key)
            elif not (prefix and declared.word in OWN):
                made.names[key] = declared
                if isinstance(node, tree.Import):
                    _follow(world, declared, node, chain)
    return made


def _declared(scope: Scope, node: tree.Declaration) -> list[Declared]:
    """What a declaration binds: one name, or one for each part of a tuple axis."""

    def make(name: tree.Name, word: str, value: tree.Expr | None) -> Declared:
        given = None if value is None else scope.given(value)
        return Declared(name.id, word, node, scope, Place(scope.source, name.span), given)

    match node:
        case tree.Import():
            return [make(node.name, "import", None)]
        case tree.Param():
            return [make(node.name, "param", node.value)]
        case tree.Sweep():
            return [make(name, "sweep", node.values) for name in node.names]
        case tree.Seeds():
            return [make(tree.Name(node.values.span, "seed"), "seeds", node.values)]
        case tree.Claim():
            return [make(node.name, "claim", None)]
        case tree.Bind():
            return [make(node.name, node.kind, node.value)]
        case tree.Form():
            return [make(node.name, node.kind, None)]


def _twice(faults: Faults, declared: Declared, first: Declared) -> None:
    message = f"the name `{declared.name}` is taken"
    if declared.word == first.word == "seeds":
        message = "seeds are declared twice"
    elif declared.word == first.word == "experiment":
        message = "a file holds one experiment"
    elif "seeds" in (declared.word, first.word):
        message = "the name `seed` is that of the replicate axis"
    faults.report("duplicate-name", message, declared.place, also=((first.place, "first declared here"),))


def _follow(world: World, declared: Declared, node: tree.Import, chain: Chain) -> None:
    """Read an imported file; where that fails, its name is broken and stays silent."""
    here = Place(declared.scope.source, node.path.span)
    path = Path(declared.scope.source.path).parent / node.path.value
    declared.scope.broken.add(declared.name)
    if path.suffix == ".py":
        components = python.read(world, path, here)
        if components is not None:
            prefix = f"{declared.scope.prefix}{declared.name}."
            declared.module = Scope(components.source, prefix, python=components)
            declared.scope.broken.discard(declared.name)
        return
    key = str(path.resolve())
    chain = chain or ((str(Path(world.main.source.path).resolve()), here),)
    if key in (other for other, _ in chain):
        world.faults.report("import-cycle", f"`{node.path.value}` imports itself, by way of this", here)
        return
    source = _read(world, path, node, here)
    if source is None:
        return
    from gendsl.parse import parse

    file, faults = parse(source)
    world.faults.add(*faults)
    prefix = f"{declared.scope.prefix}{declared.name}."
    declared.module = scope(world, source, file, prefix, (*chain, (key, here)))
    declared.scope.broken.discard(declared.name)


def _read(world: World, path: Path, node: tree.Import, here: Place) -> Source | None:
    try:
        return Source.read(str(path))
    except DiagnosticError as error:
        for found in error.diagnostics:
            world.faults.report(found.code, found.message, here, note=found.note, help=found.help)
    return None
