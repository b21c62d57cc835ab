"""Exact evidence of normal models, on the whole data and in order, and their predictions. float64, one model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cholesky, qr, solve_triangular

from gendsl_runtime.problem import Problem

NOISES = (1e-60, 1e60)
"""Standard deviations of noise whose squares, and squares over them, are ordinary numbers."""
LogEvidence = Callable[[np.ndarray], float]
"""`log p` of the examples at these places."""


def needs_noise(noise: float) -> None:
    """Raises Problem for noise whose square or inverse is beyond floating-point numbers."""
    if not NOISES[0] <= noise <= NOISES[1]:
        raise Problem(
            "out-of-range",
            f"noise of {noise:g} is beyond what can be computed with",
            help=f"take noise from {NOISES[0]:g} to {NOISES[1]:g}, in units of the targets",
        )


class Regression(NamedTuple):
    """`y = X w + noise e` with `w ~ N(0, I / precision)`."""

    design: np.ndarray
    """X `(rows, size)`."""
    targets: np.ndarray
    """`(rows,)`."""
    precision: float
    noise: float

    def factor(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """R `(size, size)` with `R^T R = X^T X / noise^2 + precision I`, the posterior mean, the least sum of squares.

        By QR of `[X / noise; sqrt(precision) I]`: the normal equations, whose condition is the square, are not formed,
        so that priors of variance 1e8 and more still give right digits.
        """
        size = self.design.shape[1]
        stacked = np.vstack([self.design[rows] / self.noise, math.sqrt(self.precision) * np.eye(size)])
        right = np.concatenate([self.targets[rows] / self.noise, np.zeros(size)])
        q, r = qr(stacked, mode="economic")
        turned = q.T @ right
        mean = solve_triangular(r, turned)
        residual = float(((right - q @ turned) ** 2).sum())
        return r, mean, residual

    def log_evidence(self, rows: np.ndarray) -> float:
        """`log N(y; 0, X X^T / precision + noise^2 I)` of some rows."""
        if not len(rows):
            return 0.0
        r, _, residual = self.factor(rows)
        determinant = 2 * float(np.log(np.abs(np.diag(r))).sum()) - r.shape[0] * math.log(self.precision)
        return float(-0.5 * (residual + determinant + len(rows) * math.log(2 * math.pi * self.noise**2)))

    def predicted(self, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances of new targets, noise included."""
        r, mean, _ = self.factor(np.arange(len(self.targets)))
        spread = solve_triangular(r, design.T, trans="T")
        return design @ mean, (spread**2).sum(0) + self.noise**2


class Process(NamedTuple):
    """`y = f(x) + noise e` with f from a Gaussian process of the covariance `kernel` `(rows, rows)`."""

    kernel: np.ndarray
    targets: np.ndarray
    noise: float

    def _factor(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        covariance = self.kernel[np.ix_(rows, rows)] + self.noise**2 * np.eye(len(rows))
        try:
            lower = cholesky(covariance, lower=True)
        except LinAlgError:
            raise Problem(
                "out-of-range",
                f"with noise of {self.noise:g} the covariance of the examples is singular to rounding",
                help="take more noise, a shorter lengthscale or a rougher kernel (`matern32`)",
            ) from None
        return lower, solve_triangular(lower, self.targets[rows], lower=True)

    def log_evidence(self, rows: np.ndarray) -> float:
        """`log N(y; 0, K + noise^2 I)` of some rows (Rasmussen and Williams 2006, equation 2.30)."""
        if not len(rows):
            return 0.0
        lower, z = self._factor(rows)
        return float(
            -0.5 * (z**2).sum() - np.log(np.diag(lower)).sum() - len(rows) / 2 * math.log(2 * math.pi)
        )

    def predicted(self, across: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances of new targets, noise included.

        Args:
            across: covariances `(rows, new)`.
            variance: of the function at the new points `(new,)`.
        """
        lower, z = self._factor(np.arange(len(self.targets)))
        spread = solve_triangular(lower, across, lower=True)
        return spread.T @ z, variance - (spread**2).sum(0) + self.noise**2


class Conditional(NamedTuple):
    """`log p(D_rest | D_first)` averaged over orders, and its standard error over them (NaN for a single order)."""

    mean: float
    error: float
    rest: int
    """Examples in the rest."""


def conditional(
    log_evidence: LogEvidence, *, examples: int, outputs: int, share: float, orders: list[np.ndarray]
) -> Conditional:
    """`log p(D) - log p(D_first)` for each order, the first `share` of the examples conditioned on.

    Rows are examples times outputs, the outputs of an example side by side and never parted.
    """
    count = round(share * examples)
    whole = log_evidence(np.arange(examples * outputs))
    values = []
    for order in orders:
        first = (order[:count, None] * outputs + np.arange(outputs)).ravel()
        values.append(whole - log_evidence(np.sort(first)))
    error = float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan
    return Conditional(float(np.mean(values)), error, examples - count)


def log_normal(targets: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """`log N(y; mean, variance)` of each."""
    values: np.ndarray = -0.5 * ((targets - means) ** 2 / variances + np.log(2 * math.pi * variances))
    return values
