"""Fingerprints of code: equal while a component computes the same, as far as its text can tell.

A fingerprint is made from the normalised syntax tree of a function or class and of every function, class and
constant of the project that it reaches, of the statements that importing their files carries out, and of the
versions of the distributions they import. Nothing is run. GenDSL itself is not among the distributions: what
it computes is known by versions of its own.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gendsl.fingerprint.distributions import STANDARD, version
from gendsl.fingerprint.modules import Imported, Module, Project, UnreadableError, imported, stars
from gendsl.fingerprint.normal import below, digest, dotted, inside

OPAQUE = frozenset({"exec", "eval", "globals", "__import__", "import_module"})
"""Names through which code reaches what its text does not say."""
EXEMPT = frozenset({"gendsl", "gendsl_runtime", "__future__", ""})


@dataclass(frozen=True)
class Part:
    """One thing that a fingerprint is made from. `what` is `function`, `class`, `constant`, `statements`, `file`
    or `distribution`."""

    what: str
    name: str
    digest: str
    path: Path | None = None
    line: int = 0


@dataclass(frozen=True)
class Doubt:
    """Where the text does not say what is reached; the whole file counts from there on."""

    reason: str
    path: Path
    line: int
    column: int = 0


@dataclass(frozen=True)
class Fingerprint:
    """`parts` by a name that neither the place of the file nor of a line is in: `function normalise`."""

    digest: str
    parts: dict[str, Part]
    doubts: tuple[Doubt, ...] = ()


def fingerprint(path: Path, name: str, *, project: Project | None = None) -> Fingerprint:
    """The fingerprint of a function or class of a file; `project` where its files were read already.

    Raises:
        UnreadableError: a file that it reaches is no Python.
        KeyError: there is nothing of that name in the file.
    """
    walk = _Walk(project or Project(path))
    main = walk.project.main
    if name not in main.items:
        raise KeyError(name)
    walk.enter(main)
    walk.item(main, name)
    told = sorted(f"{key}\0{part.digest}\n" for key, part in walk.parts.items())
    whole = sha256(f"{name}\n{''.join(told)}".encode()).hexdigest()
    return Fingerprint(whole, dict(sorted(walk.parts.items())), tuple(walk.doubts))


class _Walk:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.parts: dict[str, Part] = {}
        self.doubts: list[Doubt] = []
        self._seen: set[tuple[str, str]] = set()

    def _add(self, what: str, name: str, found: str, path: Path | None = None, line: int = 0) -> None:
        self.parts[f"{what} {name}"] = Part(what, name, found, path, line)

    def _is_new(self, module: str, name: str) -> bool:
        is_new = (module, name) not in self._seen
        self._seen.add((module, name))
        return is_new

    def _doubt(self, module: Module, reason: str, node: ast.AST) -> None:
        place = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        doubt = Doubt(reason, module.path, *place)
        if doubt not in self.doubts:
            self.doubts.append(doubt)
        self.whole(module)

    def enter(self, module: Module) -> None:
        """What importing a module does, whatever is wanted of it."""
        if not self._is_new(module.name, ""):
            return
        if module.effects:
            line = module.effects[0].lineno
            self._add("statements", module.name, digest(*module.effects), module.path, line)
            for statement in module.effects:
                self.mentions(module, statement)
        mentioned = {node.id for node in below(module.tree) if isinstance(node, ast.Name)}
        for name, found in module.imports.items():
            if (local := self.project.module(found.module)) is not None:
                self.enter(local)
            elif name not in mentioned:
                # Imported for what that does.
                self.distribution(found.module, module, module.tree)
        for source in module.stars:
            self.star(source, module)

    def star(self, source: str, module: Module) -> None:
        local = self.project.module(source)
        if local is None:
            self.distribution(source, module, module.tree)
        else:
            self.enter(local)
            self.whole(local)
            node = next((n for n in ast.walk(module.tree) if isinstance(n, ast.ImportFrom)), module.tree)
            self._doubt(module, f"everything is imported from `{source}`", node)

    def whole(self, module: Module) -> None:
        """Everything in a module."""
        if self._is_new(module.name, "*"):
            self._add("file", module.name, digest(module.tree), module.path, 1)
            self.enter(module)
            for name in module.items:
                self.item(module, name)

    def item(self, module: Module, name: str) -> None:
        """A function, class or constant of a module, and what it reaches."""
        if not self._is_new(module.name, name):
            return
        statements = module.items[name]
        first = statements[0]
        what = "class" if isinstance(first, ast.ClassDef) else "constant"
        what = "function" if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef) else what
        shown = f"{module.name}.{name}" if module.name else name
        self._add(what, shown, digest(*statements), module.path, first.lineno)
        if len(statements) > 1:
            self._doubt(module, f"`{name}` is bound more than once", statements[1])
        for statement in statements:
            self.mentions(module, statement)

    def mentions(self, module: Module, node: ast.stmt) -> None:
        """Whatever the names in a statement stand for."""
        own: dict[str, Imported] = {}
        for inner in below(node):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                own.update(imported(inner, module))
                for source in stars(inner, module):
                    self.star(source, module)
        for found in own.values():
            if (local := self.project.module(found.module)) is not None:
                self.enter(local)
        self._visit(module, node, own)

    def _visit(self, module: Module, node: ast.AST, own: dict[str, Imported]) -> None:
        todo: list[ast.AST] = [node]
        while todo:
            node = todo.pop()
            names = dotted(node)
            if names is None:
                todo += inside(node)
            else:
                self.resolve(module, names, own, node)

    def resolve(
        self, module: Module, names: tuple[str, ...], own: dict[str, Imported], node: ast.AST
    ) -> None:
        first, *rest = names
        found = own.get(first) or module.imports.get(first)
        if first in module.items:
            self.item(module, first)
        if found is not None:
            self.reach(found, rest, module, node)
        is_opaque = (first in OPAQUE and first not in module.items) or names[-1] == "import_module"
        if is_opaque or names[:2] == ("sys", "modules"):
            self._doubt(module, f"`{'.'.join(names)}` reaches what the text does not name", node)

    def reach(self, found: Imported, rest: list[str], module: Module, node: ast.AST) -> None:
        """What an imported name and the attributes after it stand for."""
        path = [*([] if found.name is None else [found.name]), *rest]
        local = self._package(found.module)
        if local is None and not self.project.is_folder(found.module or "."):
            self.distribution(found.module, module, node)
            return
        place = found.module
        while path:
            name, *path = path
            if local is not None and (name in local.items or name in local.imports or name in local.bound):
                if name in local.items:
                    self.item(local, name)
                if name in local.imports:
                    self.reach(local.imports[name], path, local, node)
                return
            place = f"{place}.{name}" if place else name
            inner = self._package(place)
            if inner is None and not self.project.is_folder(place):
                break
            local = inner
        if local is not None:
            self.whole(local)
            if place == local.name:
                self._doubt(module, f"the module `{place}` is used as a value", node)

    def _package(self, name: str) -> Module | None:
        """A module of the project; the packages it lies in are imported with it."""
        above = name.split(".")
        for length in range(1, len(above) + 1):
            if (found := self.project.module(".".join(above[:length]))) is not None:
                self.enter(found)
        return self.project.module(name) if name else None

    def distribution(self, name: str, module: Module, node: ast.AST) -> None:
        """What is installed, by its version."""
        top = name.partition(".")[0]
        if top in EXEMPT or top in STANDARD or not self._is_new(top, "distribution"):
            return
        found = version(top)
        if found is None:
            self._doubt(module, f"nothing says which version of `{top}` is installed", node)
        self._add("distribution", top, sha256((found or "").encode()).hexdigest())


__all__ = ["Doubt", "Fingerprint", "Part", "Project", "UnreadableError", "fingerprint"]
