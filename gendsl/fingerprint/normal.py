"""Syntax trees without what changes nothing: comments, layout, docstrings and annotations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

SKIPPED = frozenset({"annotation", "returns", "type_comment", "type_params", "type_ignores", "ctx", "kind"})
"""Fields of tree nodes that do not count."""


def digest(*nodes: ast.AST) -> str:
    """SHA-256, in hex, of trees in their order."""
    out: list[str] = []
    for node in nodes:
        _write(node, out)
    return sha256("".join(out).encode("utf-8", "surrogatepass")).hexdigest()


def _write(value: Any, out: list[str]) -> None:
    match value:
        case ast.AnnAssign():
            # The annotation of a class attribute is gone, that there is one stays: dataclasses are made of them.
            out.append("Assign(" if value.value else "Declare(")
            _write([value.target], out)
            _write(value.value, out)
            out.append(")")
        case ast.Constant(value=constant):
            text = repr(constant)
            out.append(f"{type(constant).__name__}{len(text)}:{text}")
        case ast.AST():
            out.append(f"{type(value).__name__}(")
            for name, field in ast.iter_fields(value):
                if name not in SKIPPED:
                    _write(field, out)
            out.append(")")
        case list():
            out.append("[")
            for item in value:
                if not _says_nothing(item):
                    _write(item, out)
            out.append("]")
        case None:
            out.append("-")
        case _:
            text = repr(value)
            out.append(f"{len(text)}:{text}")


def _says_nothing(node: Any) -> bool:
    """A docstring, or any other constant on a line of its own."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes right below one, as far as they count."""
    for name, field in ast.iter_fields(node):
        if name in SKIPPED:
            continue
        for item in field if isinstance(field, list) else [field]:
            if isinstance(item, ast.AST) and not _says_nothing(item):
                yield item


def below(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all that count below it."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo += inside(node)


def dotted(node: ast.AST) -> tuple[str, ...] | None:
    """The names of `a.b.c`; None for any other expression."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else None
