"""The largest value."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic


@statistic(version=1, reduces="over", unit="same")
def highest(values: np.ndarray) -> np.ndarray:
    """The largest of the values.

    Over seeds it speaks about the runs that were made, not about all seeds: the largest of n values bounds
    a new one with probability `n / (n + 1)` only.

    Interval: none over seeds, the verdict is on the runs that were made; of a mean curve,
    `highest(mean(acc.test, over=seed))`, simultaneous t of its points.

    Args:
        values: `(..., n)`; NaN is a missing value and is left out.

    Returns:
        `(...)`, in the unit of the values; NaN where every value is missing.

    Example:
        >>> float(highest(np.array([2.0, np.nan])))
        2.0
    """
    return np.asarray(np.fmax.reduce(values, axis=-1, initial=np.nan))
