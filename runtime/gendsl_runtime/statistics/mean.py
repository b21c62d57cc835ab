"""Arithmetic mean."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic


@statistic(version=1, reduces="over", unit="same")
def mean(values: np.ndarray) -> np.ndarray:
    """The arithmetic mean, `sum_i x_i / n`.

    Interval: over seeds Student's t, of differences within seeds the paired t; over other axes it has that of what it
    is part of.

    Args:
        values: `(..., n)`; NaN is a missing value and is left out of sum and n.

    Returns:
        `(...)`, in the unit of the values; NaN where every value is missing.

    Example:
        >>> mean(np.array([1.0, 2.0, np.nan, 6.0]))
        array(3.)
    """
    present = ~np.isnan(values)
    count = present.sum(axis=-1)
    total = np.where(present, values, 0.0).sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0))
