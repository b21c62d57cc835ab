"""Intervals from whole seeds: Student's t, exact binomial, and Student's t with a bootstrap standard error.

Everything is vectorised over cells (the coordinates of the axes that a claim has left). One-sided p-values
come with each interval and agree with it: the interval of level L excludes 0 exactly where a p-value is at
most (1 - L) / 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import special

from gendsl_runtime.random import generator

Functional: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From draws of places `(resamples, seeds)` to values `(resamples, cells)`."""

RESAMPLES = 10_000
WORK = 4e8
"""The most numbers that all resamples of one claim may touch; beyond it there are fewer of them."""
CHUNK = 2**22
"""Numbers touched at a time, 32 MiB."""


@dataclass(frozen=True)
class Interval:
    """Bounds of a difference for each cell, and the p-values against "at most 0" and "at least 0"."""

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_above: np.ndarray
    p_below: np.ndarray
    kind: str
    is_constant: np.ndarray
    """Where no replicate (or no resample) differed: the interval has no width, for better or worse."""
    is_directed: bool = False
    """Whether the p-values are those against "the claim is false" and "the claim is true" already."""
    lost: np.ndarray | None = None
    """The share of resamples in which the statistic has no value."""

    def times(self, sign: int) -> Interval:
        """The interval of the same difference, or with `sign` -1 of its opposite."""
        if sign == 1:
            return self
        p_values = (self.p_above, self.p_below) if self.is_directed else (self.p_below, self.p_above)
        above, below = p_values
        turned = replace(self, estimate=-self.estimate, low=-self.high, high=-self.low)
        return replace(turned, p_above=above, p_below=below)


@dataclass(frozen=True)
class Scale:
    """A monotone map on which a statistic is nearer to normal, and its inverse.

    `floor` is the standard error on that scale where the resamples do not vary; 0 where none is known.
    """

    forward: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray]
    floor: float = 0.0


def student(values: np.ndarray, *, level: float) -> Interval:
    """Student's t for the mean of one value a seed; of differences within seeds that is the paired t.

    `mean +- t_{n-1} s / sqrt(n)`, exact for normal values (Student, "The probable error of a mean",
    Biometrika 6(1), 1908).

    Args:
        values: `(seeds, cells)`.
    """
    n = len(values)
    with np.errstate(invalid="ignore"):
        error = values.std(axis=0, ddof=1) / np.sqrt(n)
        is_constant = (values == values[0]).all(axis=0)
        # The mean of equal numbers may differ from them by rounding.
        estimate = np.where(is_constant, values[0], values.mean(axis=0))
    return _t_interval(estimate, error, n, level, "t", is_constant)


def skewness(values: np.ndarray) -> np.ndarray:
    """The skewness of one value a seed, `m_3 / m_2^{3/2}` m_k the k-th central moment; 0 without variation.

    Args:
        values: `(seeds, cells)`.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = values - values.mean(axis=0)
        skew = (deviations**3).mean(axis=0) / (deviations**2).mean(axis=0) ** 1.5
    return np.asarray(np.nan_to_num(skew, posinf=0.0, neginf=0.0))


def studentised(
    functional: Functional,
    n: int,
    *,
    level: float,
    threshold: np.ndarray,
    scale: Scale | None = None,
    size: int = 1,
    resamples: int = RESAMPLES,
) -> Interval:
    """Student's t for any statistic of n seeds, its standard error from resampling whole seeds.

    `g(T) +- t_{n-1} sqrt(n / (n-1)) sd(g(T*))`, mapped back by the inverse of the scale g, T* the statistic
    of seeds drawn with replacement. The factor undoes the bootstrap's narrowness for few replicates
    (Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69(4), 2015). It
    covers better than the percentile bootstrap at 5 to 30 seeds; docs/statistics.md has the measurement.

    Args:
        functional: the statistic of drawn seeds.
        threshold: `(cells,)`, what it is compared with, on the statistic's own scale.
        scale: where the statistic is nearer to normal.
        size: numbers that one drawn seed touches, which bounds memory and the number of resamples.
        resamples: the most draws to make.
    """
    scale = scale or Scale(np.asarray, np.asarray)
    estimate = functional(np.arange(n)[None])[0]
    centre, middle, square = scale.forward(estimate), np.zeros(estimate.shape), np.zeros(estimate.shape)
    total = 0
    low, high = np.full(estimate.shape, np.inf), np.full(estimate.shape, -np.inf)
    count = np.zeros(estimate.shape)
    for draws in _chunks(n, size, resamples):
        values = functional(draws)
        total += len(draws)
        low, high = np.fmin(low, np.fmin.reduce(values)), np.fmax(high, np.fmax.reduce(values))
        with np.errstate(invalid="ignore"):
            deviations = scale.forward(values) - centre
        present = np.isfinite(deviations)
        deviations = np.where(present, deviations, 0.0)
        count, middle = count + present.sum(axis=0), middle + deviations.sum(axis=0)
        square += (deviations**2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.maximum(square / count - (middle / count) ** 2, 0.0)
    is_constant = low == high
    error = np.where(is_constant, 0.0, np.sqrt(variance * n / (n - 1)))
    if scale.floor:
        error, is_constant = np.where(is_constant, scale.floor, error), np.zeros_like(is_constant)
    with np.errstate(invalid="ignore", divide="ignore"):
        zero = scale.forward(threshold)
        found = _t_interval(centre - zero, error, n, level, "studentised bootstrap of seeds", is_constant)
        low, high = (scale.inverse(end + zero) - threshold for end in (found.low, found.high))
    # Resamples of equal seeds have no correlation; the floor stands for what is known of those.
    lost = None if scale.floor else 1 - count / total
    return replace(found, estimate=estimate - threshold, low=low, high=high, lost=lost)


def binomial(successes: np.ndarray, n: int, *, level: float, threshold: np.ndarray) -> Interval:
    """Clopper and Pearson's exact interval for a share, less the threshold.

    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26(4), 1934.

    Args:
        successes: `(cells,)`, of n seeds.
    """
    tail = (1 - level) / 2
    k = np.asarray(successes, dtype=np.float64)
    low = np.where(k > 0, special.betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
    high = np.where(k < n, special.betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    share = np.clip(threshold, 0.0, 1.0)
    # P(X >= k) and P(X <= k) where the true share is the threshold.
    p_above = np.where(k > 0, special.betainc(np.maximum(k, 1), n - k + 1, share), 1.0)
    p_below = np.where(k < n, 1 - special.betainc(k + 1, np.maximum(n - k, 1), share), 1.0)
    is_constant = np.zeros(k.shape, dtype=bool)
    ends = (k / n - threshold, low - threshold, high - threshold)
    return Interval(*ends, p_above, p_below, "exact binomial", is_constant)


def fisher(n: int) -> Scale:
    """Fisher's z for correlations of n seeds.

    `z = artanh r` (Fisher, "On the probable error of a coefficient of correlation deduced from a small
    sample", Metron 1, 1921). Coefficients nearer to 1 than half the least step of Spearman's are taken as
    that near. Where every resample agrees, as for perfectly ordered seeds, the standard error is Fisher's `1
    / sqrt(n - 3)`.
    """
    nearest = 1 - 6 / (n * (n**2 - 1))
    return Scale(lambda r: np.arctanh(np.clip(r, -nearest, nearest)), np.tanh, 1 / np.sqrt(max(n - 3, 1)))


def logarithmic() -> Scale:
    """The logarithm, for standard deviations."""
    return Scale(np.log, np.exp)


def _t_interval(
    estimate: np.ndarray, error: np.ndarray, n: int, level: float, kind: str, is_constant: np.ndarray
) -> Interval:
    half = special.stdtrit(n - 1, (1 + level) / 2) * error
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.where(is_constant, np.copysign(np.inf, estimate), estimate / error)
        t = np.where(is_constant & (estimate == 0), 0.0, t)
    p_above, p_below = special.stdtr(n - 1, -t), special.stdtr(n - 1, t)
    half = np.where(is_constant, 0.0, half)
    return Interval(estimate, estimate - half, estimate + half, p_above, p_below, kind, is_constant)


def _chunks(n: int, size: int, most: int) -> list[np.ndarray]:
    """The draws: always the same for the same n, so that a verdict is the same whenever it is reached."""
    resamples = min(most, int(np.clip(WORK / (size * n), 500, RESAMPLES)))
    draws = generator("claims.resample", 0, n).integers(0, n, size=(resamples, n))
    return np.array_split(draws, max(1, int(np.ceil(resamples * n * size / CHUNK))))
