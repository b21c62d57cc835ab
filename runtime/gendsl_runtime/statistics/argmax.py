"""Where a curve is highest."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.argmin import argmin


@statistic(version=1, reduces="along", unit="coordinate")
def argmax(values: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The coordinate at which a curve is highest; of equal values the one with the smallest coordinate.

    Interval: of a mean curve, `argmax(mean(acc.test, over=seed), along=width) > 64`, the set of places that no other
    place beats significantly (paired t-tests of all pairs, Bonferroni); a place of each seed is averaged with
    Student's t.

    Args:
        values: the curve y, `(..., n)`; NaN is a missing point and is skipped.
        coordinates: the axis, `(n,)`.

    Returns:
        `(...)`, in the unit of the axis; NaN where every point is missing.

    Example:
        >>> float(argmax(np.array([3.0, 1.0, 2.0]), np.array([16, 32, 64])))
        16.0
    """
    return argmin(-values, coordinates)
