"""Kendall's rank correlation."""

from __future__ import annotations

import numpy as np
from scipy.stats import kendalltau

from gendsl_runtime.component import statistic

DENSE = 128
"""Up to so many values all pairs are compared at once, beyond them one sample at a time in O(n log n)."""
CHUNK = 2**22
"""Pairs compared at a time: 32 MiB of signs."""


@statistic(version=1, reduces="over", unit="1", paper="kendall1945treatment")
def kendall(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Kendall's tau-b, `(C - D) / sqrt((P - T_x)(P - T_y))`.

    Of all P pairs of points, C are ordered alike by x and y, D are ordered oppositely, T_x and T_y are tied
    in x and in y.

    Interval: over seeds, against a number, t with a bootstrap standard error on Fisher's z. Over other axes Student's t
    of the seeds' own correlations.

    Args:
        x: `(..., n)`; a point of which either value is missing (NaN) is left out.
        y: `(..., n)`.

    Returns:
        `(...)`, from -1 to 1; NaN where fewer than two points are present or one side does not vary.

    M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33(3), 1945.

    Example:
        >>> round(float(kendall(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))), 4)
        0.3333
    """
    x, y = np.broadcast_arrays(x, y)
    absent = np.isnan(x) | np.isnan(y)
    n = x.shape[-1]
    if n == 0:
        return np.full(x.shape[:-1], np.nan)
    rows = [np.where(absent, np.nan, values).reshape(-1, n) for values in (x, y)]
    size = max(1, CHUNK // max(1, n * n)) if n <= DENSE else 1
    compare = _all_pairs if n <= DENSE else _one_sample
    taus = [compare(*(row[at : at + size] for row in rows)) for at in range(0, len(rows[0]), size)]
    return np.concatenate(taus or [np.empty(0)]).reshape(x.shape[:-1])


def _all_pairs(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """tau-b of `(samples, n)` from the signs of all differences; those with a missing point count as 0."""
    first, second = np.triu_indices(x.shape[-1], k=1)
    with np.errstate(invalid="ignore"):
        signs = [(v[:, first] > v[:, second]) * 1.0 - (v[:, first] < v[:, second]) for v in (x, y)]
        return np.asarray(
            (signs[0] * signs[1]).sum(axis=-1)
            / np.sqrt((signs[0] ** 2).sum(axis=-1) * (signs[1] ** 2).sum(axis=-1))
        )


def _one_sample(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    present = ~np.isnan(x[0])
    return np.array([kendalltau(x[0, present], y[0, present]).statistic])
