"""Spec values into the Python values a component takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from gendsl.spec import (
    Choice,
    Flag,
    InputFile,
    Items,
    Nothing,
    Number,
    Operation,
    Text,
    Value,
)
from gendsl_runtime.length import Length


def refused(value: Value, path: str) -> NoReturn:
    """Nothing but literals is meant here."""
    raise TypeError(f"a {value.is_} cannot be the argument `{path}`")


def plain(value: Value, path: str, other: Callable[[Value, str], Any] = refused) -> Any:
    """The Python value of the argument `path`; `other` gives that of components and of what steps made."""
    match value:
        case Number(unit="epochs" | "steps" as unit):
            return Length(value.value, unit)
        case Number() | Flag() | Text():
            return value.value
        case Choice():
            return value.name
        case Nothing():
            return None
        case InputFile():
            return Path(value.path)
        case Items():
            return [plain(item, f"{path}.{place}", other) for place, item in enumerate(value.items)]
        case Operation(op="and"):
            return tuple(plain(part, path, other) for part in value.operands)
        case Operation(operands=(Choice() as metric, bound)):
            return metric.name, value.op, plain(bound, path, other)
        case _:
            return other(value, path)


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Calls a component; a parameter that would be a Python keyword has a trailing underscore (`from_`)."""
    known = inspect.signature(function).parameters
    return function(**{name if name in known else f"{name}_": value for name, value in arguments.items()})
