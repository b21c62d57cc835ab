"""PAC-Bayes and test-set bounds on the risk of a classifier, as functions of numbers.

All hold with probability `1 - delta` over an i.i.d. sample of n examples and losses in [0, 1], for all posteriors Q
at once, where the prior P does not depend on the sample. `risk` is the empirical Gibbs risk `E_Q r`, `kl` is
`KL(Q || P)` in nats. Nothing is clipped: a value of 1 or more says nothing (only the inverse of the binary
divergence cannot exceed 1 by itself).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import rel_entr
from scipy.stats import beta

HALVINGS = 64
"""Each halves the bracket of an inverse, which begins no longer than 1."""


def binary_kl(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """`kl(q || p) = q log(q / p) + (1 - q) log((1 - q) / (1 - p))` of two coins, in nats."""
    value: np.ndarray = rel_entr(first, second) + rel_entr(1 - first, 1 - second)
    return value


def kl_inverse(risk: np.ndarray | float, level: np.ndarray | float) -> np.ndarray:
    """The largest p with `kl(risk || p) <= level`.

    Bisection; the upper end of the last bracket is returned, so that the value is on the safe side. The bracket is
    at most one unit in the last place, and rounding of the divergence (about 1e-16) moves the root by no more than
    `1e-16 p (1 - p) / (p - risk)`. In closed form where the risk is 0 (`1 - exp(-level)`).
    """
    q, c = np.broadcast_arrays(np.asarray(risk, dtype=np.float64), np.asarray(level, dtype=np.float64))
    low, high = q.copy(), np.ones_like(q)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_below = binary_kl(q, middle) <= c
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    inverse: np.ndarray = np.where(q <= 0, -np.expm1(-c), np.where(q >= 1, 1.0, high))
    return inverse


def maurer_level(kl: np.ndarray | float, *, examples: int, delta: float) -> np.ndarray:
    """`(KL + log(2 sqrt(n) / delta)) / n`, a bound on `kl(E_Q r || E_Q R)` (Maurer 2004, theorem 5)."""
    return (np.asarray(kl, dtype=np.float64) + math.log(2 * math.sqrt(examples) / delta)) / examples


def maurer(risk: np.ndarray | float, kl: np.ndarray | float, *, examples: int, delta: float) -> np.ndarray:
    """The Langford-Seeger bound with Maurer's constant: `kl^-1(E_Q r, (KL + log(2 sqrt(n) / delta)) / n)`."""
    return kl_inverse(risk, maurer_level(kl, examples=examples, delta=delta))


def mcallester(
    risk: np.ndarray | float, kl: np.ndarray | float, *, examples: int, delta: float
) -> np.ndarray:
    """`E_Q r + sqrt((KL + log(n / delta) + 2) / (2 n - 1))` (McAllester 1999, theorem 1)."""
    room = (np.asarray(kl, dtype=np.float64) + math.log(examples / delta) + 2) / (2 * examples - 1)
    return np.asarray(risk) + np.sqrt(room)


def quadratic(risk: np.ndarray | float, kl: np.ndarray | float, *, examples: int, delta: float) -> np.ndarray:
    """`(sqrt(E_Q r + e) + sqrt(e))^2` with `e = (KL + log(2 sqrt(n) / delta)) / (2 n)` (Perez-Ortiz et al. 2021,
    theorem 1)."""
    room = maurer_level(kl, examples=examples, delta=delta) / 2
    bound: np.ndarray = (np.sqrt(np.asarray(risk) + room) + np.sqrt(room)) ** 2
    return bound


def catoni_grid(examples: int) -> np.ndarray:
    """Values of Catoni's parameter C that a bound chooses from, set before the data: 64 from `1 / sqrt(n)` to 50 in
    equal ratios."""
    return np.geomspace(1 / math.sqrt(examples), 50.0, 64)


def catoni(
    risk: np.ndarray | float,
    kl: np.ndarray | float,
    *,
    examples: int,
    delta: float,
    grid: np.ndarray | None = None,
) -> np.ndarray:
    """The least over C of `(1 - exp(-C E_Q r - (KL + log(K / delta)) / n)) / (1 - exp(-C))` (Catoni 2007, theorem
    1.2.6). The K values of C share delta: that is the `log K`."""
    values = catoni_grid(examples) if grid is None else np.asarray(grid, dtype=np.float64)
    q, k = np.asarray(risk, dtype=np.float64)[..., None], np.asarray(kl, dtype=np.float64)[..., None]
    exponent = values * q + (k + math.log(len(values) / delta)) / examples
    bound: np.ndarray = (np.expm1(-exponent) / np.expm1(-values)).min(axis=-1)
    return bound


def sampled(mean: np.ndarray | float, *, draws: int, delta: float) -> np.ndarray:
    """An upper bound on `E_Q r` from the mean over independent draws from Q, with probability `1 - delta`:
    `kl^-1(mean, log(2 / delta) / draws)` (Langford and Caruana 2002; Dziugaite and Roy 2017, theorem 2.5)."""
    return kl_inverse(mean, math.log(2 / delta) / draws)


def clopper_pearson(errors: np.ndarray | int, *, examples: int, delta: float) -> np.ndarray:
    """The largest p at which a binomial of n trials still has `P(X <= errors) >= delta` (Clopper and Pearson 1934;
    Langford 2005, theorem 3.3): the `1 - delta` quantile of `Beta(errors + 1, n - errors)`."""
    k = np.asarray(errors, dtype=np.float64)
    rest = np.maximum(examples - k, 0.5)
    return np.where(k >= examples, 1.0, beta.ppf(1 - delta, k + 1, rest))


def isotropic_kl(distance: np.ndarray, *, size: int, deviation: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """`KL(N(w, s^2 I) || N(v, t^2 I)) = (size (s^2 / t^2 - 1 - log(s^2 / t^2)) + |w - v|^2 / t^2) / 2`.

    Args:
        distance: `|w - v|`.
        deviation: s.
        prior: t.
    """
    ratio = (deviation / prior) ** 2
    divergence: np.ndarray = (size * (ratio - 1 - np.log(ratio)) + (distance / prior) ** 2) / 2
    return divergence


def all_bounds(risk: np.ndarray, kl: np.ndarray, *, examples: int, delta: float) -> dict[str, np.ndarray]:
    """Each bound under its name. One of them may be believed at `1 - delta`, not the least of them."""
    return {
        "bound": maurer(risk, kl, examples=examples, delta=delta),
        "mcallester": mcallester(risk, kl, examples=examples, delta=delta),
        "quadratic": quadratic(risk, kl, examples=examples, delta=delta),
        "catoni": catoni(risk, kl, examples=examples, delta=delta),
    }
