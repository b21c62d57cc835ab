"""Robust sign error."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.statistics.granulated_kendall import order
from gendsl_runtime.statistics.mean import mean


@statistic(version=1, reduces="grid", unit="1", paper="dziugaite2020robust")
def robust_sign_error(x: np.ndarray, y: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """How often x orders two settings against y, in the worst environment.

    An environment is an axis and two of its labels, a and b. Its sign error is the mean over all settings of the other
    axes of `(1 - sign(x_a - x_b) sign(y_a - y_b)) / 2`: 0 where x always goes the way of y, 1 where it never does, 1/2
    where it says nothing. The result is the largest over environments: a measure that fails in one of them is no
    explanation, however well it does on the whole.

    Dziugaite et al. (2020) average each environment also over seeds and leave out pairs whose gaps differ by no more
    than sampling noise; here every seed has a value of its own, pairs with equal y are left out, and the seeds are
    what the interval is made of. The largest of noisy means is larger than the largest mean: with few settings to an
    environment the value is biased upwards.

    Interval: Student's t of the seeds' values. The seed is never one of the axes.

    Args:
        x: the measure, `(..., n_1 ... n_k)`; NaN is a missing value, and its pairs are left out.
        y: what it is to follow (a generalisation gap), alike.
        shape: `n_1, ..., n_k`, the length of each axis.

    Returns:
        `(...)`, from 0 to 1; NaN where no pair is left.

    G. K. Dziugaite, A. Drouin, B. Neal, N. Rajkumar, E. Caballero, L. Wang, I. Mitliagkas, D. M. Roy, "In search of
    robust measures of generalization", NeurIPS 2020.

    Example:
        >>> x = np.array([1.0, 2.0, 3.0])
        >>> float(robust_sign_error(x, np.array([1.0, 3.0, 2.0]), (3,)))
        1.0
    """
    x, y = np.broadcast_arrays(x, y)
    if x.shape[-1] == 0:
        return np.full(x.shape[:-1], np.nan)
    front, count = x.shape[:-1], len(shape)
    grid_x, grid_y = x.reshape(*front, *shape), y.reshape(*front, *shape)
    errors = []
    for axis, length in enumerate(shape):
        of_x, of_y = (np.moveaxis(grid, axis - count, -1) for grid in (grid_x, grid_y))
        lines = of_x.reshape(*front, -1, length), of_y.reshape(*front, -1, length)
        errors += [_sign_error(lines[0], lines[1], a, b) for a, b in itertools.combinations(range(length), 2)]
    if not errors:
        return np.full(front, np.nan)
    return np.asarray(np.fmax.reduce(np.stack(errors, axis=-1), axis=-1, initial=np.nan))


def _sign_error(x: np.ndarray, y: np.ndarray, a: int, b: int) -> np.ndarray:
    """The mean over settings `(..., settings, labels)` that have values and differ in y."""
    signs = [order(values[..., a], values[..., b]) for values in (x, y)]
    return mean(np.where(signs[1] == 0, np.nan, (1 - signs[0] * signs[1]) / 2))
