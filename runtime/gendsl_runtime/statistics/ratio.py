"""The ratio of two means."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.mean import mean


@statistic(version=1, reduces="over", unit="ratio")
def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The ratio of the means, `sum_i x_i / sum_i y_i`, which no single small y_i can dominate.

    Interval: t with a bootstrap standard error, from whole seeds. A mean of y that is near 0 beside its own
    spread leaves the claim undecided at best.

    Args:
        x: `(..., n)`; a pair in which either value is missing (NaN) is left out.
        y: `(..., n)`.

    Returns:
        `(...)`, the unit of x per unit of y; NaN where every pair is missing, infinite where y sums to 0.

    Example:
        >>> float(ratio(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
        2.0
    """
    absent = np.isnan(x) | np.isnan(y)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(mean(np.where(absent, np.nan, x)) / mean(np.where(absent, np.nan, y)))
