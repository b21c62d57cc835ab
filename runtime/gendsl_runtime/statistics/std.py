"""Standard deviation."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.mean import mean


@statistic(version=1, reduces="over", unit="same")
def std(values: np.ndarray) -> np.ndarray:
    """The sample standard deviation, `sqrt(sum_i (x_i - mean)^2 / (n - 1))`.

    Interval: over seeds, against a number, t with a bootstrap standard error on the logarithm; it falls short for
    skewed values and heavy tails, and `gen validate` warns.

    Args:
        values: `(..., n)`; NaN is a missing value and is left out.

    Returns:
        `(...)`, in the unit of the values; NaN where fewer than two values are present.

    Example:
        >>> float(std(np.array([1.0, 3.0]))) == 2**0.5
        True
    """
    count = (~np.isnan(values)).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        variance = mean((values - mean(values)[..., None]) ** 2)
    factor = np.divide(count, count - 1, out=np.full(count.shape, np.nan), where=count > 1)
    return np.asarray(np.sqrt(variance * factor))
