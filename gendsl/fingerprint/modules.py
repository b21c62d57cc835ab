"""The modules of a project as their text says, without running them: what each name is bound to."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gendsl.fingerprint.normal import dotted


class UnreadableError(Exception):
    """A file that is no Python; line from 1, column from 0."""

    def __init__(self, path: Path, message: str, line: int = 1, column: int = 0) -> None:
        super().__init__(message)
        self.path, self.line, self.column = path, line, column


class Imported(NamedTuple):
    """What an import binds: a module, or a name in one."""

    module: str
    name: str | None = None


@dataclass(frozen=True)
class Module:
    """One file. `name` is how others import it; empty for the file that a component stands in."""

    name: str
    path: Path
    tree: ast.Module
    is_package: bool
    items: dict[str, list[ast.stmt]] = field(default_factory=dict)
    """Statements that do nothing but bind a name: functions, classes, constants."""
    imports: dict[str, Imported] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)
    """All other statements, in order: they act when the file is imported, whoever asks for what."""
    bound: set[str] = field(default_factory=set)
    """Names that the effects bind."""
    stars: list[str] = field(default_factory=list)
    """Modules of which everything is imported."""


def parsed(text: str | bytes, path: Path) -> ast.Module:
    """The tree of a Python text. Raises UnreadableError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        message = f"not valid Python: {getattr(error, 'msg', None) or error or 'nested too deeply'}"
        raise UnreadableError(path, message, line, max(0, column - 1)) from None


def module(name: str, path: Path, tree: ast.Module) -> Module:
    """A file whose statements are told apart."""
    made = Module(name, path, tree, is_package=path.name == "__init__.py")
    for statement in _run(tree.body):
        _sort(made, statement)
    return made


def _run(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that an import carries out: not those for type checkers, nor those for the command line."""
    for statement in body:
        if isinstance(statement, ast.If) and _never(statement.test):
            yield from _run(statement.orelse)
        else:
            yield statement


def _never(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name):
        return test.left.id == "__name__" and isinstance(test.ops[0], ast.Eq)
    return (dotted(test) or ("",))[-1] == "TYPE_CHECKING"


def _sort(made: Module, statement: ast.stmt) -> None:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            made.items.setdefault(name, []).append(statement)
        case ast.Import() | ast.ImportFrom():
            made.imports.update(imported(statement, made))
            made.stars.extend(stars(statement, made))
        case ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
            pass
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() if (names := _plain(statement)) is not None:
            for name in names:
                made.items.setdefault(name, []).append(statement)
        case _:
            made.effects.append(statement)
            for node in ast.walk(statement):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    made.imports.update(imported(node, made))
                    made.stars.extend(stars(node, made))
                elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    made.bound.add(node.name)
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    made.bound.add(node.id)


def _plain(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[str] | None:
    """The names that an assignment binds; None where it changes something else, `TABLE["a"] = 1`."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    parts = [part for target in targets for part in _parts(target)]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    return names if len(names) == len(parts) else None


def _parts(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        return [part for item in target.elts for part in _parts(item)]
    return _parts(target.value) if isinstance(target, ast.Starred) else [target]


def imported(node: ast.Import | ast.ImportFrom, within: Module) -> dict[str, Imported]:
    """The names an import binds."""
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.partition(".")[0]: Imported(
                alias.name if alias.asname else alias.name.partition(".")[0]
            )
            for alias in node.names
        }
    source = _source(node, within)
    if source == "__future__":
        return {}
    return {a.asname or a.name: Imported(source, a.name) for a in node.names if a.name != "*"}


def stars(node: ast.Import | ast.ImportFrom, within: Module) -> list[str]:
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        return [_source(node, within)]
    return []


def _source(node: ast.ImportFrom, within: Module) -> str:
    """The absolute name of the module that `from . import x` speaks of."""
    if not node.level:
        return node.module or ""
    above = within.name.split(".") if within.name else []
    dropped = node.level - (1 if within.is_package else 0)
    above = above[: max(0, len(above) - dropped)]
    return ".".join([*above, *([node.module] if node.module else [])])


class Project:
    """The files beside one: what Python would import from its folder."""

    def __init__(self, path: Path, tree: ast.Module | None = None) -> None:
        self.path, self.folder = path, path.parent
        self._known: dict[str, Module | None] = {}
        if tree is not None:
            self._known[""] = module("", path, tree)

    @property
    def main(self) -> Module:
        found = self.module("")
        assert found is not None
        return found

    def module(self, name: str) -> Module | None:
        """A module of the project by its full name; None for any other. Raises UnreadableError."""
        if name not in self._known:
            path = self.path if not name else self._find(name)
            self._known[name] = None if path is None else _read(name, path)
        return self._known[name]

    def _find(self, name: str) -> Path | None:
        base = self.folder.joinpath(*name.split("."))
        for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if path.is_file():
                return path
        return None

    def is_folder(self, name: str) -> bool:
        """Whether a name is that of a folder of modules without an `__init__.py`."""
        base = self.folder.joinpath(*name.split("."))
        return base.is_dir() and any(base.rglob("*.py"))


def _read(name: str, path: Path) -> Module:
    try:
        return module(name, path, parsed(path.read_bytes(), path))
    except OSError as error:
        raise UnreadableError(path, f"the file cannot be read: {error.strerror}") from None
