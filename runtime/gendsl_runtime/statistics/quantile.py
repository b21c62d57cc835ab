"""A quantile by linear interpolation."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Share, statistic


@statistic(version=1, reduces="over", unit="same", paper="hyndman1996sample")
def quantile(values: np.ndarray, *, level: Share) -> np.ndarray:
    """The value below which a share `level` of the values lies.

    With the values in order `x_(0) <= ... <= x_(n-1)` and `h = level (n - 1)` it is
    `x_(i) + (h - i) (x_(i+1) - x_(i))`, i the whole part of h: definition 7 of Hyndman and Fan, "Sample
    quantiles in statistical packages", The American Statistician 50(4), 1996, as in numpy and R.

    Interval: over seeds t with a bootstrap standard error, from whole seeds; far out, where few seeds lie, it is too
    narrow, and `gen validate` warns.

    Args:
        values: `(..., n)`; NaN is a missing value and is left out.
        level: from 0 (lowest) to 1 (highest).

    Returns:
        `(...)`, in the unit of the values; NaN where every value is missing.

    Example:
        >>> quantile(np.array([4.0, 1.0, np.nan, 2.0]), level=0.5)
        array(2.)
    """
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)
    last = np.maximum((~np.isnan(values)).sum(axis=-1, keepdims=True) - 1, 0)
    place = level * last
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, last)
    low, high = (np.take_along_axis(ordered, index, axis=-1) for index in (below, above))
    share = place - below
    # Without the choice, a share of 0 of an infinite step would be NaN.
    with np.errstate(invalid="ignore"):
        step = np.where((share == 0) | (low == high), 0.0, share * (high - low))
    return np.asarray((low + step)[..., 0])
