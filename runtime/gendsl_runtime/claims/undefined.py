"""Statistics that have no value although their inputs are there: found, counted and said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from gendsl import spec
from gendsl_runtime.claims.evaluate import evaluate, restrict
from gendsl_runtime.components import catalogue
from gendsl_runtime.measures.steps import steps
from gendsl_runtime.results import Results
from gendsl_runtime.statistics.threshold import crossed

NEEDS = {
    "positive": "takes values and coordinates above 0 only",
    "crossing": "has a value only where the curve crosses the level",
}
"""When a statistic has a value, for those that say so (`needs` of the decorator)."""


def statistics(
    value: spec.Value, wheres: tuple[spec.Where, ...] = ()
) -> Iterator[tuple[spec.Statistic, tuple[spec.Where, ...]]]:
    """Every statistic in an expression, with the `where`s around it, the innermost first."""
    match value:
        case spec.Statistic(values=parts):
            yield value, wheres
            for part in parts:
                yield from statistics(part, wheres)
        case spec.Where(subject=subject, condition=condition):
            yield from statistics(subject, (value, *wheres))
            yield from statistics(condition, wheres)
        case spec.Operation(operands=parts) | spec.Items(items=parts):
            for part in parts:
                yield from statistics(part, wheres)


def why(value: spec.Value) -> str:
    """What may have kept an expression from having a value; empty where nothing in it says so."""
    found = {statistic.name: _need(statistic.name) for statistic, _ in statistics(value)}
    return "; ".join(f"`{name}` {need}" for name, need in found.items() if need)


def _need(name: str) -> str:
    return next(
        (NEEDS[need] for need in catalogue().components["statistic", name].needs if need in NEEDS), ""
    )


def undefined(
    statistic: spec.Statistic, wheres: tuple[spec.Where, ...], results: Results, seed: str
) -> xr.DataArray | None:
    """Where a statistic that leaves seeds has no value though some of its inputs are there: 1, else 0.

    NaN where the `where`s choose nothing; None for a statistic that does not leave seeds.
    """
    if seed in (*statistic.over, statistic.along):
        return None
    array = evaluate(statistic, results)
    if seed not in array.dims or not bool(array.isnull().any()):
        return None
    inputs = xr.broadcast(*xr.align(*(evaluate(part, results) for part in statistic.values), join="inner"))
    gone = [dim for dim in inputs[0].dims if dim not in array.dims]
    is_there = xr.concat([part.notnull() for part in inputs], "input").all("input").any(gone)
    state = (array.isnull() & is_there).astype(np.float64)
    for where in wheres:
        state = restrict(state, where, results)
    return state if seed in state.dims else None


def several(value: spec.Value, results: Results) -> str:
    """A sentence on curves that cross their level more than once; empty where none does."""
    for statistic, _ in statistics(value):
        if statistic.name != "threshold":
            continue
        curve = evaluate(statistic.values[0], results).transpose(..., str(statistic.along))
        points = evaluate(spec.Coordinate(axis=str(statistic.along)), results)
        level, direction = (statistic.arguments[name] for name in ("level", "direction"))
        assert isinstance(level, spec.Number) and isinstance(direction, spec.Choice)
        found = crossed(steps(curve.values, points.values), level=level.value, direction=direction.name)
        counts = np.isfinite(found).sum(axis=-1).reshape(-1)
        if (counts > 1).any():
            which = statistic.arguments["which"]
            assert isinstance(which, spec.Choice)
            return (
                f"{int((counts > 1).sum())} of {counts.size} curves cross the level several times: "
                f"the {which.name} crossing is taken"
            )
    return ""
