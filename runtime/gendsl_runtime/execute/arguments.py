"""Spec values into the Python values a component takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gendsl.spec import (
    Choice,
    Component,
    Flag,
    InputFile,
    Items,
    Nothing,
    Number,
    Operation,
    Text,
    Value,
)
from gendsl_runtime.train.length import Length


def plain(value: Value, path: str, feed: Callable[[Value, str], Any]) -> Any:
    """The Python value of an argument; `feed(value, path)` supplies what comes from another step."""
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
            return [plain(item, f"{path}.{place}", feed) for place, item in enumerate(value.items)]
        case Component():
            return value
        case Operation(operands=(Choice() as metric, bound)):
            return metric.name, value.op, plain(bound, path, feed)
        case _:
            return feed(value, path)


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Calls a component; a parameter that would be a Python keyword has a trailing underscore (`from_`)."""
    known = inspect.signature(function).parameters
    return function(**{name if name in known else f"{name}_": value for name, value in arguments.items()})
