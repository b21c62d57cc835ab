"""Pearson's correlation."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.mean import mean


@statistic(version=1, reduces="over", unit="1", paper="pearson1895note")
def pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pearson's correlation, `sum dx dy / sqrt(sum dx^2 sum dy^2)`, d the deviation from the mean.

    Interval: over seeds, against a number, t with a bootstrap standard error on Fisher's z; it falls short for skewed
    values, and `gen validate` warns. Over other axes Student's t of the seeds' own correlations.

    Args:
        x: `(..., n)`; a pair in which either value is missing (NaN) is left out.
        y: `(..., n)`.

    Returns:
        `(...)`, from -1 to 1; NaN where fewer than two pairs are present or one side does not vary.

    K. Pearson, "Note on regression and inheritance in the case of two parents", Proc. R. Soc. Lond. 58, 1895.

    Example:
        >>> round(float(pearson(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))), 4)
        0.982
    """
    absent = np.isnan(x) | np.isnan(y)
    x, y = _centred(x, absent), _centred(y, absent)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        r = mean(x * y) / np.sqrt(mean(x**2) * mean(y**2))
    return np.where(np.isfinite(r), np.clip(r, -1.0, 1.0), np.nan)


def _centred(values: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """Deviations from the mean over the largest of them, exactly 0 where the values are all equal."""
    values = np.where(absent, np.nan, values)
    if values.shape[-1] == 0:
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        is_constant = np.fmax.reduce(values, axis=-1) == np.fmin.reduce(values, axis=-1)
        values = np.where(is_constant[..., None], values - values, values - mean(values)[..., None])
        largest = np.fmax.reduce(np.abs(values), axis=-1)[..., None]
        return np.where(largest > 0, values / largest, values)
