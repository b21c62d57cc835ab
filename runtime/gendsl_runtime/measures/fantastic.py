"""The measures of Jiang et al. (2020) and Dziugaite et al. (2020) as functions of what is known about one network.

Products over layers are told as logarithms: they overflow, and an order does not see the difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

CONSTANT = 10.0
"""Added to PAC-Bayes measures by Jiang et al. (2020), appendix C.2, for the constants of the bound."""
FLOOR = 1e-3
"""Their epsilon: the least noise of a weight in magnitude-aware measures."""


@dataclass(frozen=True)
class Layers:
    """Norms of each linear map W, and of what it has moved from its start V: `(layers,)` each."""

    spectral: np.ndarray
    """`|W|_2`."""
    frobenius: np.ndarray
    """`|W|_F`."""
    moved: np.ndarray
    """`|W - V|_F`."""
    moved_spectral: np.ndarray
    """`|W - V|_2`."""


@dataclass(frozen=True)
class Weights:
    """All parameters of a network as one vector."""

    values: np.ndarray
    """`w`, `(parameters,)`."""
    moved: np.ndarray
    """`w - v` with v the start."""


@dataclass(frozen=True)
class Flatness:
    """Standard deviations of the noise that the training error withstands."""

    sigma: float
    magnitude: float
    """Relative to the magnitude of each weight."""


def norm_measures(layers: Layers, *, margin: float, path_norm: float) -> dict[str, float]:
    """Measures made of norms (Jiang et al. 2020, appendices C.2 to C.5); `margin` is gamma."""
    depth = len(layers.spectral)
    gamma = math.log(margin) if margin > 0 else math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        spectral, frobenius = (2 * float(np.log(norm).sum()) for norm in (layers.spectral, layers.frobenius))
        ratio = float(np.square(layers.frobenius / layers.spectral).sum())
        moved_ratio = float(np.square(layers.moved / layers.spectral).sum())
        log_ratio, log_moved = float(np.log(ratio)), float(np.log(moved_ratio))
    return {
        "inverse_margin": math.exp(-2 * gamma),
        "log_spectral_product": spectral,
        "log_spectral_product_margin": spectral - 2 * gamma,
        "log_spectral_sum": math.log(depth) + spectral / depth,
        "log_spectral_sum_margin": math.log(depth) + (spectral - 2 * gamma) / depth,
        "log_spectral_original": spectral + log_ratio - 2 * gamma,
        "log_spectral_distance": spectral + log_moved - 2 * gamma,
        "frobenius_over_spectral": ratio,
        "distance_over_spectral": moved_ratio,
        "log_frobenius_product": frobenius,
        "log_frobenius_product_margin": frobenius - 2 * gamma,
        "log_frobenius_sum": math.log(depth) + frobenius / depth,
        "log_frobenius_sum_margin": math.log(depth) + (frobenius - 2 * gamma) / depth,
        "parameter_norm": float(np.square(layers.frobenius).sum()),
        "frobenius_distance": float(np.square(layers.moved).sum()),
        "spectral_distance": float(np.square(layers.moved_spectral).sum()),
        "path_norm": path_norm,
        "path_norm_margin": path_norm * math.exp(-2 * gamma),
    }


def flatness_measures(weights: Weights, flatness: Flatness, *, examples: int) -> dict[str, float]:
    """PAC-Bayes measures (Jiang et al. 2020, appendix C.6, equations for `pac-bayes` and `pac-bayes-mag`)."""
    references = {"start": weights.moved, "origin": weights.values}
    found = {"flatness": _inverse_square(flatness.sigma)}
    found["flatness_magnitude"] = _inverse_square(flatness.magnitude)
    for name, reference in references.items():
        square = float(np.square(reference).sum())
        rest = _log(examples / flatness.sigma) if flatness.sigma else math.inf
        found[f"pac_bayes_{name}"] = _inverse_square(flatness.sigma) * square / 4 + rest + CONSTANT
        found[f"pac_bayes_magnitude_{name}"] = _by_magnitude(
            square, weights.moved, flatness.magnitude, examples=examples
        )
    return found


def _by_magnitude(square: float, moved: np.ndarray, sigma: float, *, examples: int) -> float:
    if not sigma:
        return math.inf
    top = FLOOR**2 + (sigma**2 + 1) * square / len(moved)
    bottom = FLOOR**2 + sigma**2 * np.square(moved)
    return float(np.log(top / bottom).sum() / 4) + _log(examples / sigma) + CONSTANT


def _inverse_square(sigma: float) -> float:
    return 1 / sigma**2 if sigma else math.inf


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def scaled(name: str, value: float, *, examples: int) -> float:
    """`sqrt(C / m)` of a measure C on m examples, as a bound would have it (Dziugaite et al. 2020); of a logarithm the
    logarithm of that."""
    if name.startswith("log_"):
        return (value - math.log(examples)) / 2
    return math.sqrt(value / examples) if value >= 0 else math.nan
