"""Units: what `300 epochs`, `20%` and `8 GiB` mean as numbers.

A quantity is brought to the base unit of its dimension: percent to a share, GiB to bytes, minutes to seconds.
Epochs and steps are dimensions of their own, since how many steps make an epoch depends on the dataset.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple


class Unit(NamedTuple):
    """`base` is the base unit of the dimension ('' for plain numbers); a value times `factor` is in it."""

    base: str
    factor: float


def _units() -> dict[str, Unit]:
    table: dict[str, Unit] = {
        "%": Unit("", 0.01),
        "percent": Unit("", 0.01),
        "1": Unit("", 1),
        "share": Unit("", 1),
    }
    families: tuple[tuple[str, float, tuple[str, ...]], ...] = (
        ("epochs", 1, ("epochs", "epoch")),
        ("steps", 1, ("steps", "step")),
        ("s", 1, ("s", "second", "seconds")),
        ("s", 1e-3, ("ms",)),
        ("s", 60, ("min", "minute", "minutes")),
        ("s", 3600, ("h", "hour", "hours")),
        ("s", 86400, ("d", "day", "days")),
        ("bytes", 1, ("B", "byte", "bytes")),
        ("px", 1, ("px", "pixel", "pixels")),
        ("nats", 1, ("nat", "nats")),
        ("nats", math.log(2), ("bit", "bits")),
        ("deg", 1, ("deg", "degree", "degrees")),
        ("deg", 180 / math.pi, ("rad", "radian", "radians")),
    )
    for base, factor, words in families:
        table.update(dict.fromkeys(words, Unit(base, factor)))
    for power, (decimal, binary) in enumerate(
        (("kB", "KiB"), ("MB", "MiB"), ("GB", "GiB"), ("TB", "TiB")), start=1
    ):
        table[decimal] = Unit("bytes", 1000**power)
        table[binary] = Unit("bytes", 1024**power)
    return table


UNITS: Mapping[str, Unit] = _units()
"""Every unit word a file may use."""

DIMENSIONS: Mapping[str, str] = {
    "": "a plain number",
    "epochs": "a length in epochs",
    "steps": "a length in steps",
    "s": "a time",
    "bytes": "a size in bytes",
    "px": "a length in pixels",
    "nats": "an amount of information",
    "deg": "an angle",
}
"""What a quantity in each base unit is called."""


def in_base(value: int | float, unit: str) -> tuple[int | float, str]:
    """The value in the base unit, and that unit; raises KeyError for an unknown unit.

    >>> in_base(20, "%"), in_base(8, "KiB"), in_base(300, "epoch")
    ((0.2, ''), (8192, 'bytes'), (300, 'epochs'))
    """
    base, factor = UNITS[unit]
    if factor == 1:
        return value, base
    # Dividing keeps 7% equal to the literal 0.07; multiplying by 0.01 does not.
    return (value / 100 if factor == 0.01 else value * factor), base


def base_of(unit: str) -> str:
    """The base unit of a unit that a component declares; its own units stand for themselves."""
    return UNITS[unit].base if unit in UNITS else unit


def written(value: int | float, unit: str = "") -> str:
    """A quantity as one would write it: `300 epochs`, `1 epoch`, `0.2`."""
    number = f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)
    if not unit:
        return number
    singular = {"epochs": "epoch", "steps": "step", "nats": "nat"}
    return f"{number} {singular.get(unit, unit) if value == 1 else unit}"
