"""Claims whose interval is known to be too narrow: which, at how many seeds, and what to write instead.

The figures are those of docs/statistics.md, from `benchmarks/claims.py`: a stated 95 % held the truth less often.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gendsl.check import reach, sweeps
from gendsl.check.scope import Given, World
from gendsl.spec import Number, Quantity, Statistic, Value, Where

FEW = 5
"""Fewer seeds than this have a warning of their own."""


class Narrow(NamedTuple):
    """The seeds from which a statistic over seeds holds its level, what was measured, and the way out."""

    seeds: int | None
    measured: str
    instead: str
    is_alone: bool = True
    """Whether it falls short only alone against a number: differences within seeds are symmetric."""


NARROW = {
    "mean": Narrow(
        10,
        "with 5 seeds a stated 95% holds 82% for skewed values, 87% for shares near their end",
        "10 seeds or more, a difference of two runs, or the median",
    ),
    "auc": Narrow(
        10,
        "with 5 seeds a stated 95% holds 88% for skewed values, 92% for shares near their end",
        "10 seeds or more, or a difference of two runs",
    ),
    "threshold": Narrow(
        10,
        "with 5 seeds a stated 95% holds 89% for skewed values, 92% for shares near their end",
        "10 seeds or more, or a difference of two runs",
    ),
    "quantile": Narrow(
        30,
        "for a quantile of 90% a stated 95% holds 62 to 77% with 5 seeds, 78 to 87% with 10",
        "30 seeds or more, or the median",
        is_alone=False,
    ),
    "pearson": Narrow(None, "a stated 95% holds 84 to 93% for skewed values", "`spearman`, which holds it"),
    "std": Narrow(
        None,
        "a stated 95% holds 69 to 86% for skewed values, 73 to 96% for heavy tails",
        "a mean or a median of what varies",
    ),
}
"""Statistics over seeds, or of a curve averaged over them, by name."""
CURVES = ("auc", "threshold")
MIDDLE = (0.25, 0.75)
"""Quantiles between these hold their level, as the median does."""


def narrow(world: World, given: Given, left: Value, right: Value) -> None:
    """Warns where a claim rests on an interval that falls short at the number of seeds there is."""
    if world.seeds is None or "seed" in world.main.broken:
        return
    count = len(sweeps.seeds(world).values)
    found = [*_over_seeds(left), *_over_seeds(right)]
    random = [statistic for statistic in found if _is_random(world, statistic)]
    curves = [
        side for side in map(_inner, (left, right)) if isinstance(side, Statistic) and side.name in CURVES
    ]
    if len(random) == 1 and curves:
        random = curves
    alone = len(random) == 1 and any(_inner(side) is random[0] for side in (left, right))
    for statistic in random:
        known = NARROW.get(statistic.name)
        if (
            known is None
            or (known.is_alone and known.seeds is not None and not alone)
            or _is_middle(statistic)
        ):
            continue
        if known.seeds is not None and not FEW <= count < known.seeds:
            continue
        world.faults.report(
            "narrow-interval",
            f"the interval of `{statistic.name}` over {count} seeds may be too narrow",
            given.place,
            note=known.measured,
            help=f"better: {known.instead}",
            severity="warning",
            once=("narrow", statistic.name) if known.seeds is not None else None,
        )
        return


def _is_middle(statistic: Statistic) -> bool:
    """Whether it is a quantile that is no far one."""
    level = statistic.arguments.get("level") if statistic.name == "quantile" else None
    return isinstance(level, Number) and MIDDLE[0] <= level.value <= MIDDLE[1]


def _over_seeds(value: Value) -> Iterator[Statistic]:
    """Every statistic over seeds in a value."""
    if isinstance(value, Statistic) and "seed" in value.over:
        yield value
    for part in reach.inside(value):
        yield from _over_seeds(part)


def _inner(value: Value) -> Value:
    """What stands inside of `where`s."""
    return _inner(value.subject) if isinstance(value, Where) else value


def _is_random(world: World, value: Value) -> bool:
    """Whether a value is about trained networks, with seeds that are not fixed."""
    if isinstance(value, Quantity):
        return any(world.steps[step].kind == "train" for step in reach.steps_of(world, value))
    if isinstance(value, Where) and "seed" in value.fixed:
        return False
    return any(_is_random(world, part) for part in reach.inside(value))
