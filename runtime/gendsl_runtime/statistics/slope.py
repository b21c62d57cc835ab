"""Least-squares slope."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.mean import mean


@statistic(version=1, reduces="along", unit="per")
def slope(values: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The slope of the least-squares line, `sum_i (x_i - mean x)(y_i - mean y) / sum_i (x_i - mean x)^2`.

    Interval: linear in the values, so that averages over seeds get Student's t, of the seeds' own slopes and of
    the mean curve alike.

    Args:
        values: y, `(..., n)`; NaN is a missing point and is skipped.
        coordinates: x, `(n,)`.

    Returns:
        `(...)`, the unit of the values per unit of the axis; NaN where fewer than two different x are left.

    Example:
        >>> slope(np.array([1.0, 3.0, np.nan, 7.0]), np.array([0, 1, 2, 3]))
        array(2.)
    """
    x = np.where(np.isnan(values), np.nan, coordinates.astype(np.float64))
    with np.errstate(invalid="ignore"):
        x = x - mean(x)[..., None]
        products = mean(x * (values - mean(values)[..., None]))
        squares = mean(x**2)
    return np.asarray(np.divide(products, squares, out=np.full(squares.shape, np.nan), where=squares > 0))
