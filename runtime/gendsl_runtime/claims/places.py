"""Where a mean curve is lowest or highest, and whether it goes one way only, decided by t-tests of its points.

A bootstrap of such a value is wrong in level: with few seeds every resample may agree on a place, or on a curve
that rises, although chance alone made it so. What is claimed is a statement about differences of points, and
those have tests that keep the level.
"""

from __future__ import annotations

import numpy as np

from gendsl.spec.operators import COMPARISONS
from gendsl_runtime.claims.resample import Interval, student

PLACES = ("argmin", "argmax")


def place(
    name: str, values: np.ndarray, points: np.ndarray, *, op: str, level: float, threshold: np.ndarray
) -> Interval:
    """Where K averages over seeds are lowest (or highest), less the threshold.

    For each point i let `q_i = (K - 1) min_j p_ij`, p_ij the one-sided p-value of the paired t-test that shows
    point j to lie below point i (Bonferroni). The true place has `q_i <= a` with probability at most a, so the
    places with `q_i > (1 - level) / 2` hold it with the confidence stated, and "the place is not in A" has the
    p-value `max over i in A of q_i`. The interval reaches from the least to the largest place that is left.

    Args:
        name: `argmin` or `argmax`.
        values: one value a seed, `(seeds, points, cells)`.
        points: the coordinates, `(points,)`.
        op: how the claim compares the place with the threshold.
        threshold: `(cells,)`.
    """
    n, count, cells = values.shape
    values = -values if name == "argmax" else values
    beaten = np.zeros((count, cells))
    for at in range(count):
        others = np.delete(values, at, axis=1)
        tests = student((values[:, at : at + 1] - others).reshape(n, -1), level=level)
        least = tests.p_above.reshape(count - 1, cells).min(axis=0, initial=1.0)
        beaten[at] = np.minimum(1.0, (count - 1) * least)
    mean = values.mean(axis=0)
    estimate = points[mean.argmin(axis=0)] - threshold
    is_left = beaten > (1 - level) / 2
    offsets = points[:, None] - threshold
    low = np.where(is_left, offsets, np.inf).min(axis=0)
    high = np.where(is_left, offsets, -np.inf).max(axis=0)
    holds = COMPARISONS[op](offsets, 0.0)
    p_true, p_false = (np.where(against, beaten, 0.0).max(axis=0) for against in (~holds, holds))
    none = np.zeros(cells, dtype=bool)
    return Interval(estimate, low, high, p_true, p_false, "simultaneous paired t", none, is_directed=True)


def one_way(values: np.ndarray, *, rising: bool, op: str, level: float, threshold: np.ndarray) -> Interval:
    """Whether K averages over seeds never go against a direction (1) or do (0), less the threshold.

    They never do if no step does: the largest p-value of the steps' one-sided t-tests is one against their not
    being monotone (intersection-union, Berger 1982). They do if some step does (Bonferroni).

    Args:
        values: one value a seed, `(seeds, points, cells)`, points in order.
        rising: the direction.
        op: how the claim compares 1 or 0 with the threshold.
        threshold: `(cells,)`.
    """
    n, count, cells = values.shape
    steps = np.diff(values, axis=1) * (1 if rising else -1)
    tests = student(steps.reshape(n, -1), level=level)
    above, below, flat = (
        array.reshape(count - 1, cells) for array in (tests.p_above, tests.p_below, tests.is_constant)
    )
    mean = steps.mean(axis=0)
    above = np.where(flat, np.where(mean >= 0, 0.0, 1.0), above)
    below = np.where(flat, np.where(mean < 0, 0.0, 1.0), below)
    p_is = above.max(axis=0, initial=0.0)
    p_is_not = np.minimum(1.0, (count - 1) * below.min(axis=0, initial=1.0))
    share = (1 - level) / 2
    low, high = np.where(p_is <= share, 1.0, 0.0), np.where(p_is_not <= share, 0.0, 1.0)
    yes, no = COMPARISONS[op](1.0 - threshold, 0.0), COMPARISONS[op](0.0 - threshold, 0.0)
    # The statement holds of a monotone curve, of one that is not, of both or of neither.
    p_true = np.where(yes, np.where(no, 0.0, p_is), np.where(no, p_is_not, 1.0))
    p_false = np.where(yes, np.where(no, 1.0, p_is_not), np.where(no, p_is, 0.0))
    estimate = (mean >= 0).all(axis=0) - threshold
    ends = (estimate, low - threshold, high - threshold, p_true, p_false)
    return Interval(*ends, "simultaneous t", np.zeros(cells, dtype=bool), is_directed=True)
