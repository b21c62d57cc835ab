"""Keys: equal experiments have equal keys, and nothing else does.

A value is encoded as a type tag and its content: numbers as IEEE bits, text as NFC UTF-8 with its length
before it, containers with their count before them and their names sorted. The encoding is prefix-free, so no
two values share one. A key is the SHA-256 of a domain prefix and such an encoding.
"""

from __future__ import annotations

import math
import struct
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gendsl.spec import (
    Along,
    Choice,
    Code,
    Component,
    Coordinate,
    Flag,
    InputFile,
    Items,
    Moment,
    Nothing,
    Number,
    Operation,
    Quantity,
    Split,
    Step,
    Text,
    Use,
    Value,
    Where,
)
from gendsl.spec.mentions import axes_of

SIZE = 32
"""Bytes of a key and of a digest."""

RECIPE = b"gendsl recipe 1\0"
ACTION = b"gendsl action 1\0"
"""Domain prefixes. A recipe key knows inputs by their recipe keys, an action key by their contents."""


class Arguments(NamedTuple):
    """Arguments of which some are left out at some coordinates, having their neutral value there."""

    arguments: Mapping[str, Value]
    neutral: Mapping[str, Value]
    axes: tuple[str, ...]
    """What those vary along."""


Hole: TypeAlias = Use | InputFile | Coordinate | Operation | Where | Along | Arguments
"""What an encoding leaves open: the key or digest of an input, or whatever depends on a coordinate."""

Part: TypeAlias = bytes | Hole


def number(value: int | float) -> bytes:
    """Equal numbers give equal bytes: 1 and 1.0, 0.0 and -0.0. NaN has no key.

    A number that a double holds exactly is its IEEE bits, big-endian; any other integer its two's complement.
    """
    try:
        double = float(value)
    except OverflowError:
        double = math.inf
    if math.isnan(double):
        raise ValueError("NaN has no key")
    if double == value:
        return b"d" + struct.pack(">d", double + 0.0)
    assert isinstance(value, int)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
    return b"i" + len(raw).to_bytes(8, "big") + raw


def text(value: str) -> bytes:
    """NFC text with its length before it."""
    raw = unicodedata.normalize("NFC", value).encode("utf-8", "surrogatepass")
    return len(raw).to_bytes(8, "big") + raw


def count(value: int) -> bytes:
    return value.to_bytes(8, "big")


def parts(value: Value) -> Iterator[Part]:
    """The encoding of a value in order: bytes, and holes for what they do not tell."""
    match value:
        case Number():
            yield b"n" + number(value.value) + text(value.unit)
        case Flag():
            yield b"true" if value.value else b"false"
        case Text():
            yield b"t" + text(value.value)
        case Choice():
            yield b"c" + text(value.name)
        case Nothing():
            yield b"0"
        case InputFile():
            yield b"file"
            yield value
        case Items():
            yield b"l" + count(len(value.items))
            for item in value.items:
                yield from parts(item)
        case Component():
            yield b"k" + text(value.kind) + text(value.name) + number(value.version) + own(value.code)
            yield from named(value.arguments, value.neutral)
        case _:
            yield from _referring(value)


def _referring(value: Value) -> Iterator[Part]:
    """The encoding of what mentions a step or an axis."""
    match value:
        case Use():
            yield b"u"
            yield value
        case Quantity():
            yield b"q" + text(value.name)
            yield Use(step=value.step)
        case Split():
            yield b"s" + text(value.name)
            yield from parts(value.dataset)
        case Moment():
            yield b"m"
            yield from parts(value.epoch)
            yield from parts(value.run)
        case Operation() if has_coordinate(value):
            yield value
        case Operation():
            yield b"o" + text(value.op) + count(len(value.operands))
            for operand in value.operands:
                yield from parts(operand)
        case Coordinate() | Where() | Along():
            yield value
        case _:
            raise TypeError(f"{type(value).__name__} is no argument of a step")


def together(labels: Sequence[str | int | float]) -> bytes:
    """What stands before runs that are taken together: how many, and their labels in order."""
    return (
        b"g"
        + count(len(labels))
        + b"".join(b"t" + text(label) if isinstance(label, str) else number(label) for label in labels)
    )


def own(code: Code | None) -> bytes:
    """Code of the user's by its fingerprint, wherever its file lies; nothing for a built-in component."""
    return b"" if code is None else b"p" + text(code.fingerprint)


def named(arguments: Mapping[str, Value], neutral: Mapping[str, Value]) -> Iterator[Part]:
    """The encoding of arguments, in the order of their names, without those that have their neutral value."""
    axes = tuple(dict.fromkeys(axis for name in neutral for axis in axes_of(arguments[name])))
    if axes:
        yield Arguments(arguments, neutral, axes)
        return
    told = sorted(name for name in arguments if name not in neutral or arguments[name] != neutral[name])
    yield count(len(told))
    for name in told:
        yield text(name)
        yield from parts(arguments[name])


def node(step: Step, *, numerics: str) -> Iterator[Part]:
    """The encoding of a step's nodes: component and arguments, not name, caption or place in the file."""
    yield text(step.kind) + text(step.component) + number(step.version) + own(step.code) + text(numerics)
    yield from named(step.arguments, step.neutral)


def encode(encoding: Iterator[Part], fill: Callable[[Hole], bytes]) -> bytes:
    """The bytes of an encoding, its holes filled."""
    return b"".join(part if isinstance(part, bytes) else fill(part) for part in encoding)


def has_coordinate(value: Value) -> bool:
    """Whether an operation mentions an axis anywhere."""
    match value:
        case Coordinate():
            return True
        case Operation():
            return any(has_coordinate(operand) for operand in value.operands)
        case _:
            return False
