"""The exponent of a power law."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.slope import slope


@statistic(version=1, reduces="along", unit="1", needs="positive")
def exponent(values: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The exponent a of a power law `y = c x^a`: the least-squares slope of `log y` over `log x`.

    Values and coordinates must be above 0. A curve with any other value has no exponent: nothing is skipped,
    since the points that a logarithm cannot take are the most telling ones. In a claim such a seed is left out
    and counted; `where` leaves out a coordinate of 0.

    Interval: one exponent a seed is averaged with Student's t; the exponent of a mean curve gets t with a
    bootstrap standard error.

    Args:
        values: y, `(..., n)`; NaN is a missing point and is skipped.
        coordinates: x, `(n,)`.

    Returns:
        `(...)`, without a unit; NaN where fewer than two different x are left or anything is 0 or less.

    Example:
        >>> round(float(exponent(np.array([8.0, 4.0, 2.0]), np.array([1.0, 4.0, 16.0]))), 4)
        -0.5
    """
    present = ~np.isnan(values)
    is_taken = ((values > 0) & (coordinates > 0) | ~present).all(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = slope(np.log(values), np.log(np.asarray(coordinates, dtype=np.float64)))
    return np.where(is_taken, found, np.nan)
