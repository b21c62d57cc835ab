"""Components of the user's own: what a Python file offers, read without running it."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gendsl.catalogue import types
from gendsl.catalogue.component_file import (
    FACTS,
    MalformedError,
    at,
    check_gives,
    check_groups,
    check_neutral,
    fact,
    parameter,
)
from gendsl.catalogue.description import Description, Parameter
from gendsl.fingerprint.modules import Imported, Module, Project, parsed
from gendsl.fingerprint.normal import dotted
from gendsl.source import Source

DECORATORS = "gendsl_runtime.component"
HANDED = {"model": ("shape", "inputs", "outputs", "vocabulary")}
"""Parameters that the engine gives, by name."""
LEADING = {"loss": 2, "schedule": 2}
"""How many positional parameters the engine gives: outputs and targets, steps and steps per epoch."""
KINDS = frozenset({"dataset", "model", "optimizer", "schedule", "loss", "analysis"})

Def = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class PythonFile:
    """A Python file: its components by name, and why others in it cannot be any."""

    source: Source
    project: Project
    components: dict[str, Description] = field(default_factory=dict)
    faults: dict[str, MalformedError] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.project.path

    def names(self, kinds: list[str]) -> list[str]:
        return [name for name, found in self.components.items() if found.kind in kinds]


def read(path: str) -> PythonFile:
    """A file of components. `path` is as the user would write it.

    Raises:
        DiagnosticError: the file cannot be read as text.
        UnreadableError: it is no Python, or a module beside it that it needs is none.
    """
    source = Source.read(path)
    where = Path(path).resolve()
    project = Project(where, parsed(source.text, where))
    file = PythonFile(source, project)
    for name, statements in project.main.items.items():
        node = statements[-1]
        if not isinstance(node, Def) or name.startswith("_"):
            continue
        try:
            found = _described(node, project, str(where))
        except MalformedError as error:
            file.faults[name] = error
        else:
            if found is not None:
                file.components[name] = found
    return file


def _described(node: Def, project: Project, path: str) -> Description | None:
    if isinstance(node, ast.ClassDef):
        return _class(node, project, path) if _is_network(node, project.main, project, set()) else None
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        kind = _kind(called, project.main)
        if kind is None:
            continue
        if kind not in KINDS:
            raise at(
                f"a file of one's own cannot hold a {kind}: it can hold {', '.join(sorted(KINDS))}", node
            )
        if not isinstance(decorator, ast.Call) or decorator.args:
            raise at(f"`@{kind}` needs brackets, and takes named literals: `@{kind}()`", decorator)
        return _function(node, decorator, kind, path)
    return None


def _kind(called: ast.expr, module: Module) -> str | None:
    """The kind that a decorator marks, wherever its name was imported from."""
    full = _full(called, module)
    if full is None or not full.startswith(f"{DECORATORS}."):
        return None
    kind = full.removeprefix(f"{DECORATORS}.")
    return kind if kind in FACTS else None


def _full(expr: ast.expr, module: Module) -> str | None:
    """The full name of what an expression names through an import: `torch.nn.Module`."""
    names = dotted(expr)
    if names is None or names[0] not in module.imports:
        return None
    found = module.imports[names[0]]
    return ".".join([found.module, *([found.name] if found.name else []), *names[1:]])


def _is_network(node: ast.ClassDef, module: Module, project: Project, seen: set[int]) -> bool:
    """Whether a class is a `torch.nn.Module`, directly or by way of classes of the project."""
    seen.add(id(node))
    for base in node.bases:
        full = _full(base, module)
        if full is not None and full.startswith("torch.nn.") and full.rpartition(".")[2][:1].isupper():
            return True
        above = _base(base, module, project)
        if above is not None and id(above[0]) not in seen and _is_network(*above, project, seen):
            return True
    return False


def _base(expr: ast.expr, module: Module, project: Project) -> tuple[ast.ClassDef, Module] | None:
    """The class of the project that a base names, and the file it stands in."""
    names = dotted(expr)
    if names is None:
        return None
    found = module.imports.get(names[0])
    path = list(names)
    for _ in range(100):
        if found is None:
            node = module.items.get(path[0], [None])[-1] if len(path) == 1 else None
            return (node, module) if isinstance(node, ast.ClassDef) else None
        whole = [*found.module.split("."), *([found.name] if found.name else []), *path[1:]]
        for length in range(len(whole) - 1, 0, -1):
            inner = project.module(".".join(whole[:length]))
            if inner is not None:
                module, path = inner, whole[length:]
                break
        else:
            return None
        found = None if path[0] in module.items else module.imports.get(path[0], Imported("", None))
        if found == ("", None):
            return None
    return None


def _class(node: ast.ClassDef, project: Project, path: str) -> Description:
    start = _constructor(node, project.main, project, set())
    parameters = {} if start is None else _parameters(start, "model", skipped=1)
    facts: dict[str, Any] = {"takes": "unknown"}
    return _made(node, "model", path, parameters, facts, version=0)


def _constructor(
    node: ast.ClassDef, module: Module, project: Project, seen: set[int]
) -> ast.FunctionDef | None:
    """`__init__` of a class, or of the first of its bases that has one."""
    seen.add(id(node))
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return inner
    for base in node.bases:
        above = _base(base, module, project)
        if above is not None and id(above[0]) not in seen:
            found = _constructor(*above, project, seen)
            if found is not None:
                return found
    return None


def _function(node: ast.FunctionDef, mark: ast.Call, kind: str, path: str) -> Description:
    facts = {str(keyword.arg): fact(keyword, kind) for keyword in mark.keywords}
    version = facts.pop("version", 0)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise at(f"`version` is {version!r}, expected a whole number", mark)
    if kind == "analysis" and not (isinstance(facts.get("gives"), dict) and facts["gives"]):
        raise at('`@analysis` lacks what it gives: `@analysis(gives={"height": "1"})`', mark)
    if kind == "analysis":
        check_gives(facts["gives"], mark)
    parameters = _parameters(node, kind)
    check_neutral(facts.get("neutral", {}), parameters, mark)
    if kind == "analysis":
        check_groups(parameters, mark)
    return _made(node, kind, path, parameters, facts, version=0)


def _made(
    node: Def, kind: str, path: str, parameters: dict[str, Parameter], facts: dict[str, Any], *, version: int
) -> Description:
    doc = inspect.cleandoc(ast.get_docstring(node, clean=False) or "")
    summary, _, body = doc.partition("\n\n")
    return Description(
        kind=kind,
        name=node.name,
        file=path,
        line=node.lineno,
        version=version,
        parameters=parameters,
        facts=facts,
        summary=" ".join(summary.split()),
        body=body.strip(),
        is_own=True,
    )


def _parameters(function: ast.FunctionDef, kind: str, *, skipped: int = 0) -> dict[str, Parameter]:
    """The schema: every parameter but those that the engine gives has a type and at most a literal default."""
    given = function.args
    for star, argument in (("*", given.vararg), ("**", given.kwarg)):
        if argument is not None:
            raise at(f"`{star}{argument.arg}` has no schema: name each parameter, with its type", argument)
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + [*given.defaults]
    every = [(a, d, True) for a, d in zip(positional, defaults)][skipped + LEADING.get(kind, 0) :]
    every += [(a, d, False) for a, d in zip(given.kwonlyargs, given.kw_defaults)]
    found = {}
    for argument, default, is_positional in every:
        if argument.arg in HANDED.get(kind, ()):
            continue
        if argument.annotation is None:
            raise at(f"the parameter `{argument.arg}` has no type", argument)
        try:
            type_ = types.read(argument.annotation)
        except (types.UnknownTypeError, SyntaxError, ValueError) as error:
            message = f"the parameter `{argument.arg}` has a type that specs cannot give: {error}"
            raise at(message, argument.annotation) from None
        made = parameter(argument, type_, default, positional=is_positional)
        found[made.name] = made
    return found
