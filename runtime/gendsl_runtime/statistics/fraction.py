"""The share of values for which something holds."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.mean import mean


@statistic(version=1, reduces="over", unit="1")
def fraction(values: np.ndarray) -> np.ndarray:
    """The share of values for which a condition holds: `fraction(acc.test > 90%)`.

    Interval: over seeds, against a number, Clopper and Pearson's exact binomial; else Student's t of the seeds' own
    fractions.

    Args:
        values: `(..., n)`, a condition: 1 where it holds, 0 where not; NaN is missing and left out.

    Returns:
        `(...)`, a share from 0 to 1; NaN where every value is missing.

    Example:
        >>> fraction(np.array([1.0, 0.0, np.nan]))
        array(0.5)
    """
    return mean(np.where(np.isnan(values), np.nan, values != 0))
