"""Results as a table that people read: one row for each coordinate, its mean over seeds with an interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from gendsl_runtime.chart.interval import mean_interval
from gendsl_runtime.claims.evaluate import replicate_axis
from gendsl_runtime.claims.exact import coordinates
from gendsl_runtime.claims.verdict import Label
from gendsl_runtime.results import Results


@dataclass(frozen=True)
class Row:
    """One quantity at one coordinate of all axes but the seeds."""

    coordinate: dict[str, Label]
    quantity: str
    unit: str
    mean: float
    """Over the seeds that have a value; the value itself where there are no seeds."""
    low: float
    high: float
    """Student's t interval of the mean; NaN for fewer than two values."""
    n: int
    missing: int
    """Seeds without a value (a diverged run, a failed analysis)."""


def summary(results: Results, name: str, *, level: float = 0.95, own_axes: bool = False) -> tuple[Row, ...]:
    """The rows of one analysis, quantity by quantity, coordinates in C order.

    Args:
        level: of the intervals.
        own_axes: also quantities with axes of their own (a row for each epoch, ray ...).
    """
    return tuple(_rows(results, name, level=level, own_axes=own_axes))


def _rows(results: Results, name: str, *, level: float, own_axes: bool) -> Iterator[Row]:
    seed = replicate_axis(results.spec)
    axes = results.spec.steps[name].axes
    for variable, array in results[name].data_vars.items():
        if not own_axes and any(dim not in axes for dim in array.dims):
            continue
        table = averaged(array, seed, level=level)
        columns = [table[column].values.reshape(-1) for column in ("mean", "low", "high", "n", "missing")]
        unit = str(array.attrs.get("unit", ""))
        for k, coordinate in enumerate(coordinates(table["mean"])):
            mean, low, high = (float(column[k]) for column in columns[:3])
            n, missing = (int(column[k]) for column in columns[3:])
            yield Row(coordinate, str(variable), unit, mean, low, high, n, missing)


def averaged(array: xr.DataArray, seed: str | None, *, level: float = 0.95) -> xr.Dataset:
    """`mean`, `low`, `high`, `n` and `missing` over the seeds of an array, with Student's interval.

    An array without seeds is its own mean, with n = 1 and no interval.
    """
    values = array.astype(np.float64)
    if seed is None or seed not in values.dims:
        values, seed = values.expand_dims("seed"), "seed"
    found = mean_interval(values, over=seed, level=level)
    return xr.Dataset(
        {
            "mean": found.centre,
            "low": found.low,
            "high": found.high,
            "n": found.replicates,
            "missing": values.sizes[seed] - found.replicates,
        }
    )
