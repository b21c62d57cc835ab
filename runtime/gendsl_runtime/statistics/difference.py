"""The mean difference of pairs."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.mean import mean


@statistic(version=1, reduces="over", unit="same")
def difference(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The mean of the differences within pairs, `sum_i (x_i - y_i) / n`.

    Interval: Student's t of the differences, which is the paired t over seeds.

    Args:
        x: `(..., n)`; a pair in which either value is missing (NaN) is left out.
        y: `(..., n)`, in the unit of x.

    Returns:
        `(...)`, in the unit of x; NaN where every pair is missing.

    Example:
        >>> float(difference(np.array([3.0, 5.0]), np.array([1.0, np.nan])))
        2.0
    """
    with np.errstate(invalid="ignore"):
        return mean(x - y)
