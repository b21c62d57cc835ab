"""Means over seeds with their intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import stats

from gendsl_runtime.chart.table import Kind


class Interval(NamedTuple):
    """Arrays without the replicate axis; `low` and `high` are NaN for fewer than two replicates."""

    centre: xr.DataArray
    low: xr.DataArray
    high: xr.DataArray
    replicates: xr.DataArray
    """How many have a value."""


def mean_interval(array: xr.DataArray, *, over: str, level: float, is_log: bool = False) -> Interval:
    """Student's interval of the mean over replicates.

    `mean +- t((1 + level) / 2, n - 1) s / sqrt(n)`, pointwise, over the n replicates that have a value. With
    `is_log` it is taken of the logarithm: the geometric mean, for axes on a log scale, of positive values.

    Args:
        array: `(..., over, ...)`; missing values are NaN.
    """
    with np.errstate(all="ignore"):
        return _interval(array.astype(np.float64), over, level, is_log)


def _interval(values: xr.DataArray, over: str, level: float, is_log: bool) -> Interval:
    if is_log:
        values = values.copy(data=np.log(np.where(values.values > 0, values.values, np.nan)))
    count = values.count(over)
    centre = values.mean(over)
    spread = values.std(over, ddof=1) if values.sizes[over] > 1 else centre * np.nan
    several = count.where(count > 1)
    quantile = several.copy(data=stats.t.ppf((1 + level) / 2, several.values - 1))
    half = spread * quantile / several**0.5
    ends = [centre, centre - half, centre + half]
    if is_log:
        ends = [end.copy(data=np.exp(end.values)) for end in ends]
    return Interval(ends[0], ends[1], ends[2], count)


def within(interval: Interval, kind: Kind) -> tuple[Interval, str]:
    """The interval as it is drawn, and a note: that of a share ends at 0 and 1, where a t interval may not."""
    if kind != "share" or not bool(((interval.low < 0) | (interval.high > 1)).any()):
        return interval, ""
    return interval._replace(
        low=interval.low.clip(0, 1), high=interval.high.clip(0, 1)
    ), " Cut at 0% and 100%."
