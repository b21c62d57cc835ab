"""Intervals of the largest of several averages over seeds: peaks, troughs and rises of a mean curve.

The largest of noisy numbers lies above the largest of their true values, so a bootstrap of it is wrong in
level. But "the largest is above c" says that some of them is, and "below c" that all are, and those have
tests that keep it.
"""

from __future__ import annotations

import numpy as np

from gendsl_runtime.claims.resample import Interval, student

PEAKS = ("rise", "highest", "lowest")


def peak(name: str, values: np.ndarray, *, level: float, threshold: np.ndarray) -> Interval:
    """The interval of `rise`, `highest` or `lowest` of K averages over seeds, less the threshold.

    For `highest`: the lower bound is the largest lower bound of the K averages at level `1 - (1 - level) / K`
    (Bonferroni), the upper bound the largest upper bound at the level itself (intersection-union, Berger
    1982). For `rise` the averages are those of all differences of a later and an earlier point, `lowest` is
    the mirror image.

    Args:
        name: one of `PEAKS`.
        values: one value a seed, `(seeds, points, cells)`, points in order.
        threshold: `(cells,)`.
    """
    if name == "lowest":
        return peak("highest", -values, level=level, threshold=-threshold).times(-1)
    if name == "rise":
        first, second = np.triu_indices(values.shape[1], k=1)
        values = values[:, second] - values[:, first]
    n, count, cells = values.shape
    flat = (values - threshold).reshape(n, -1)
    plain, strict = (student(flat, level=one) for one in (level, 1 - (1 - level) / count))

    def each(array: np.ndarray) -> np.ndarray:
        return array.reshape(count, cells)

    return Interval(
        each(plain.estimate).max(axis=0),
        each(strict.low).max(axis=0),
        each(plain.high).max(axis=0),
        np.minimum(1.0, count * each(plain.p_above).min(axis=0)),
        each(plain.p_below).max(axis=0),
        "simultaneous t",
        np.asarray(each(plain.is_constant).all(axis=0)),
    )
