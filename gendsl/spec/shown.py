"""Values as one would write them in a spec."""

from __future__ import annotations

from gendsl.quantity import written
from gendsl.spec import (
    Along,
    Choice,
    Component,
    Coordinate,
    Flag,
    Group,
    InputFile,
    Items,
    Moment,
    Nothing,
    Number,
    Operation,
    Quantity,
    Split,
    Text,
    Use,
    Value,
    Where,
)


def shown(value: Value) -> str:
    """An argument as one would write it."""
    match value:
        case Number():
            return written(value.value, value.unit)
        case Flag():
            return "true" if value.value else "false"
        case Text():
            return f'"{value.value}"'
        case Choice():
            return value.name
        case Nothing():
            return "none"
        case InputFile():
            return f'"{value.path}"'
        case Items():
            return f"[{', '.join(map(shown, value.items))}]"
        case Component():
            inside = ", ".join(f"{name}={shown(inner)}" for name, inner in value.arguments.items())
            return f"{value.name}({inside})"
        case _:
            return _mention(value)


def _mention(value: Value) -> str:
    match value:
        case Use():
            return value.step
        case Quantity():
            return f"{value.step}.{value.name}"
        case Coordinate():
            return value.axis if value.part is None else f"{value.axis}.{value.part}"
        case Split():
            return f"{shown(value.dataset)}.{value.name}"
        case Moment():
            return f"{shown(value.run)}.at(epoch={shown(value.epoch)})"
        case Along():
            return shown(value.subject)
        case Group():
            return f"[{', '.join(map(shown, value.runs))}]"
        case Where():
            return f"{shown(value.subject)} where {shown(value.condition)}"
        case Operation(operands=(operand,)):
            return f"{'-' if value.op == 'neg' else value.op + ' '}{shown(operand)}"
        case Operation():
            return f" {value.op} ".join(map(shown, value.operands))
        case _:
            return value.is_
