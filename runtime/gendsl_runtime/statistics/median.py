"""Median."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.quantile import quantile


@statistic(version=1, reduces="over", unit="same")
def median(values: np.ndarray) -> np.ndarray:
    """The middle value; the mean of the two middle ones where their number is even.

    Interval: over seeds t with a bootstrap standard error, from whole seeds; of seeds' own medians (over other axes)
    Student's t of their mean.

    Args:
        values: `(..., n)`; NaN is a missing value and is left out.

    Returns:
        `(...)`, in the unit of the values; NaN where every value is missing.

    Example:
        >>> median(np.array([5.0, 1.0, 2.0]))
        array(2.)
    """
    return quantile(values, level=0.5)
