"""Where a curve is lowest."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic


@statistic(version=1, reduces="along", unit="coordinate")
def argmin(values: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The coordinate at which a curve is lowest; of equal values the one with the smallest coordinate.

    Interval: of a mean curve, `argmin(mean(err.test, over=seed), along=width) < 64`, the set of places that no other
    place beats significantly (paired t-tests of all pairs, Bonferroni); a place of each seed is averaged with
    Student's t.

    Args:
        values: the curve y, `(..., n)`; NaN is a missing point and is skipped.
        coordinates: the axis, `(n,)`.

    Returns:
        `(...)`, in the unit of the axis; NaN where every point is missing.

    Example:
        >>> float(argmin(np.array([3.0, 1.0, 2.0]), np.array([16, 32, 64])))
        32.0
    """
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    order = np.argsort(coordinates, kind="stable")
    curve = values[..., order]
    absent = np.isnan(curve)
    lowest = np.fmin.reduce(curve, axis=-1)[..., None]
    place = np.argmax((curve == lowest) & ~absent, axis=-1)
    found = np.asarray(coordinates, dtype=np.float64)[order][place]
    return np.where(absent.all(axis=-1), np.nan, found)
