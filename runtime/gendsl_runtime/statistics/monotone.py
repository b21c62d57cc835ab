"""Whether a curve goes one way only."""

from __future__ import annotations

from typing import Literal

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.rise import rise


@statistic(version=1, reduces="along", unit="1")
def monotone(
    values: np.ndarray, coordinates: np.ndarray, *, direction: Literal["rising", "falling"] = "rising"
) -> np.ndarray:
    """1 where a curve never goes against its direction along an ordered axis, else 0; level steps are allowed.

    Interval: of a mean curve, `monotone(mean(acc.test, over=seed), along=width) == 1`, t-tests of its steps: it is
    monotone if every step is (intersection-union), it is not if some step goes the other way (Bonferroni). Of
    seeds, `fraction(monotone(acc.test, along=width) == 1, over=seed) > 50%`, exact binomial.

    Args:
        values: the curve y, `(..., n)`; NaN is a missing point and is skipped.
        coordinates: the axis, `(n,)`.
        direction: rising never falls, falling never rises.

    Returns:
        `(...)`, 1 or 0; NaN where fewer than two points are present.

    Example:
        >>> float(monotone(np.array([1.0, 2.0, 2.0]), np.arange(3)))
        1.0
    """
    against = rise(-values if direction == "rising" else values, coordinates)
    return np.where(np.isnan(against), np.nan, against <= 0)
