"""Granulated Kendall's coefficient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.mean import mean


@statistic(version=2, reduces="grid", unit="1", paper=["jiang2020fantastic", "kendall1938new"])
def granulated_kendall(x: np.ndarray, y: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Kendall's correlation along one axis at a time, all others fixed: `Psi = sum_i psi_i / k`.

    `psi_i` is the mean, over all settings of the other axes, of `tau` along axis i, and
    `tau = sum over pairs of sign(x_a - x_b) sign(y_a - y_b) / number of pairs` (tied pairs count 0, as do two
    values that are infinite alike). A measure
    that only follows one axis, such as the depth, is ordered well along that axis alone and has a small Psi.
    Axes of one label are left out. The seed is never one of the axes: each seed has its own coefficient.

    Interval: Student's t of the seeds' coefficients.

    Args:
        x: the measure, `(..., n_1 ... n_k)`; NaN is a missing value, and its pairs are left out.
        y: what it is to follow (a generalisation gap), alike.
        shape: `n_1, ..., n_k`, the length of each axis.

    Returns:
        `(...)`, from -1 to 1; NaN where no pair is present.

    Y. Jiang, B. Neyshabur, H. Mobahi, D. Krishnan, S. Bengio, "Fantastic generalization measures and where to
    find them", ICLR 2020, section 2.2.

    Example:
        >>> x = np.array([1.0, 2.0, 3.0, 4.0])
        >>> float(granulated_kendall(x, np.array([1.0, 2.0, 1.0, 2.0]), (2, 2)))
        0.5
    """
    x, y = np.broadcast_arrays(x, y)
    if x.shape[-1] == 0:
        return np.full(x.shape[:-1], np.nan)
    front, count = x.shape[:-1], len(shape)
    grids = [values.reshape(*front, *shape) for values in (x, y)]
    along = []
    for axis in range(count):
        lines = [np.moveaxis(grid, axis - count, -1).reshape(*front, -1, shape[axis]) for grid in grids]
        along.append(mean(_tau(*lines)))
    return mean(np.stack(along, axis=-1))


def _tau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Kendall's first coefficient over the pairs that are present, `(..., n) -> (...)`."""
    first, second = np.triu_indices(x.shape[-1], k=1)
    orders = [order(values[..., first], values[..., second]) for values in (x, y)]
    return mean(orders[0] * orders[1])


def order(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1, 0 or -1 as one is above, the same as or below the other, also where both are infinite; NaN where one is."""
    is_missing = np.isnan(one) | np.isnan(other)
    return np.where(is_missing, np.nan, 1.0 * (one > other) - (one < other))
