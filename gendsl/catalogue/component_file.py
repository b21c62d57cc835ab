"""Reads one component file: the decorated function's signature, decorator and docstring."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gendsl.catalogue import types
from gendsl.catalogue.description import Description, Parameter
from gendsl.catalogue.types import Type
from gendsl.quantity import UNITS

FACTS: dict[str, frozenset[str]] = {
    "dataset": frozenset(
        {"version", "neutral", "task", "shape", "outputs", "splits", "like", "inputs", "needs", "paper"}
    ),
    "model": frozenset({"version", "neutral", "takes", "smallest", "answers", "paper"}),
    "optimizer": frozenset({"version", "neutral", "batch", "paper"}),
    "schedule": frozenset({"version", "neutral", "paper"}),
    "loss": frozenset({"version", "neutral", "needs", "paper"}),
    "train": frozenset({"version", "neutral", "paper"}),
    "analysis": frozenset({"version", "neutral", "gives", "shares", "differences", "needs", "axes", "paper"}),
    "statistic": frozenset({"version", "reduces", "unit", "needs", "paper"}),
    "plot": frozenset({"version", "paper"}),
}
"""What the decorator of each kind may say."""
REQUIRED = {"analysis": ("version", "gives"), "statistic": ("version", "reduces")}


class MalformedError(Exception):
    """Why a file is not a component, and where (line from 1, column from 0)."""

    def __init__(self, message: str, line: int = 1, column: int = 0) -> None:
        super().__init__(message)
        self.line, self.column = line, column


def at(message: str, node: ast.expr | ast.stmt | ast.arg) -> MalformedError:
    """A fault of a piece of the file."""
    return MalformedError(message, node.lineno, node.col_offset)


def describe(content: bytes, path: str, kind: str) -> Description | None:
    """The component in a file; None where nothing in it is marked as one. Raises MalformedError."""
    if f"@{kind}".encode() not in content and f"{kind} as ".encode() not in content:
        return None
    try:
        module = ast.parse(content, path)
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        raise MalformedError(f"not valid Python: {getattr(error, 'msg', error)}", line, column - 1) from None
    name, words = Path(path).stem, _words(module, kind)
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and (mark := _mark(node, words)) is not None:
            if node.name != name:
                raise at(
                    f"the component `{node.name}` must stand in a file of its name, `{node.name}.py`", node
                )
            return _description(node, mark, path, kind)
    return None


def _words(module: ast.Module, kind: str) -> set[str]:
    """What the decorator is called in a file: `train` itself, or `form` after `import train as form`."""
    imports = (node for node in module.body if isinstance(node, ast.ImportFrom))
    return {kind} | {a.asname for node in imports for a in node.names if a.name == kind and a.asname}


def _mark(function: ast.FunctionDef, words: set[str]) -> ast.expr | None:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Name | ast.Attribute) and ast.unparse(called).split(".")[-1] in words:
            return decorator
    return None


def _description(function: ast.FunctionDef, mark: ast.expr, path: str, kind: str) -> Description:
    if not isinstance(mark, ast.Call) or mark.args:
        raise at(f"`@{kind}` takes named literals: `@{kind}(version=1)`", mark)
    facts = {keyword.arg: fact(keyword, kind) for keyword in mark.keywords}
    for needed in REQUIRED.get(kind, ("version",)):
        if needed not in facts:
            raise at(f"`@{kind}` lacks `{needed}`", mark)
    version = facts.pop("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise at(f"`version` is {version!r}, expected a whole number from 1", mark)
    if kind == "analysis" and not (isinstance(facts["gives"], dict) and facts["gives"]):
        raise at("`gives` names no quantity: an analysis gives at least one", mark)
    if kind == "analysis":
        check_gives(facts["gives"], mark)
    doc = inspect.cleandoc(ast.get_docstring(function, clean=False) or "")
    if not doc:
        raise at(f"`{function.name}` has no docstring: it is the component's only documentation", function)
    summary, _, body = doc.partition("\n\n")
    parameters = {p.name: p for p in _parameters(function, kind)}
    check_neutral(facts.get("neutral", {}), parameters, mark)
    if kind == "analysis":
        check_groups(parameters, mark)
    return Description(
        kind=kind,
        name=function.name,
        file=path,
        line=function.lineno,
        version=version,
        parameters=parameters,
        facts={str(key): value for key, value in facts.items()},
        summary=" ".join(summary.split()),
        body=body.strip(),
        arity=_arity(function, facts),
    )


def check_neutral(neutral: Any, parameters: Mapping[str, Parameter], mark: ast.expr) -> None:
    """Neutral values are of parameters with a default. Raises MalformedError."""
    if not isinstance(neutral, dict):
        raise at("`neutral` maps parameters to values: `neutral={'norm': 'none'}`", mark)
    for name in neutral:
        if name not in parameters or parameters[name].required:
            raise at(f"`neutral` names `{name}`, which is no parameter with a default", mark)


def check_gives(gives: Mapping[str, Any], mark: ast.expr) -> None:
    """Quantities are in base units: what is returned is shown as it is, never multiplied. Raises MalformedError."""
    for name, text in gives.items():
        if not isinstance(text, str):
            raise at(f"`gives` has no unit for `{name}`: write text, such as `'nats [epoch]'`", mark)
        unit = text.partition("[")[0].strip()
        known = UNITS.get(unit)
        if known is not None and known.factor != 1:
            base = known.base or "1"
            raise at(
                f"`{name}` is given in `{unit}`, and results are kept in base units: "
                f"return {known.factor:.6g} times the number and write `{base}`",
                mark,
            )


def check_groups(parameters: Mapping[str, Parameter], mark: ast.expr) -> None:
    """Runs are taken together along one axis that the spec names. Raises MalformedError."""
    names = [parameter.type.name for parameter in parameters.values()]
    groups, axes, runs = (names.count(word) for word in ("Groups", "AxisName", "Runs"))
    if groups != axes or groups > 1 or (groups and runs):
        raise at("`Groups` and an `AxisName` belong together, one of each and no `Runs` beside them", mark)


def fact(keyword: ast.keyword, kind: str) -> Any:
    """A literal of a decorator. Raises MalformedError."""
    if keyword.arg not in FACTS[kind]:
        raise at(
            f"`@{kind}` knows no `{keyword.arg}`: it has {', '.join(sorted(FACTS[kind]))}", keyword.value
        )
    try:
        return _json(ast.literal_eval(keyword.value))
    except ValueError:
        raise at(
            f"`{keyword.arg}` must be a literal: it is read without running the file", keyword.value
        ) from None


def _json(value: Any) -> Any:
    """Tuples become lists, so that a description is the same read from its file or from the cache."""
    if isinstance(value, tuple | list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    return value


def _arity(function: ast.FunctionDef, facts: dict[str | None, Any]) -> int:
    if "reduces" not in facts:
        return 0
    if function.args.vararg is not None:
        return -1
    positional = len(function.args.posonlyargs) + len(function.args.args)
    return positional - int(facts["reduces"] in ("along", "grid"))


def _parameters(function: ast.FunctionDef, kind: str) -> list[Parameter]:
    found = []
    positional = [] if kind == "statistic" else [*function.args.posonlyargs, *function.args.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(function.args.defaults))
    for argument, default in zip(positional, [*defaults, *function.args.defaults]):
        # Other positional arguments are the engine's: shapes, tensors, the table of a plot.
        if argument.annotation is not None and (type_ := _known(argument.annotation)) is not None:
            found.append(parameter(argument, type_, default, positional=True))
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults):
        if argument.annotation is None:
            raise at(f"the parameter `{argument.arg}` has no type", argument)
        try:
            type_ = types.read(argument.annotation)
        except (types.UnknownTypeError, SyntaxError, ValueError) as error:
            raise at(
                f"the parameter `{argument.arg}` has a type that specs cannot give: {error}", argument
            ) from None
        found.append(parameter(argument, type_, default, positional=False))
    return found


def _known(annotation: ast.expr) -> Type | None:
    words = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    if not words & types.KNOWN.keys():
        return None
    try:
        return types.read(annotation)
    except (types.UnknownTypeError, SyntaxError, ValueError):
        return None


def parameter(argument: ast.arg, type_: Type, default: ast.expr | None, *, positional: bool) -> Parameter:
    """A parameter whose type is known. Raises MalformedError."""
    name = argument.arg.rstrip("_")
    keyword = argument.arg if name != argument.arg else ""
    if default is None:
        return Parameter(name, type_, True, None, positional, keyword)
    try:
        value = _json(ast.literal_eval(default))
    except ValueError:
        raise at(
            f"the default of `{name}` must be a literal: it is read without running the file", default
        ) from None
    return Parameter(name, type_, False, value, positional, keyword)
