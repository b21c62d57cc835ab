"""Networks of dense layers that are affine in their input on all data, and how far their weights may move so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gendsl_runtime.measures.dense import Dense

NARROW = 1e-6
"""Bracket of a radius, relative."""


class Piece(NamedTuple):
    """A hidden layer at work on all examples, each of its units on (or off) for every one of them."""

    rows: np.ndarray
    """Norms of the weight's rows `(units, 1)`, of inputs that are on."""
    gain: float
    """Spectral norm of the weight, of inputs and units that are on."""
    heights: np.ndarray
    """Pre-activations `(units, examples)`, their signs taken off: all above zero."""
    taken: np.ndarray
    """Norms `(examples,)` of `(h, 1)` with the layer's inputs h."""


def affine_radius(layers: Sequence[Dense], scales: Sequence[float], inputs: np.ndarray) -> float:
    """A radius r within which no ReLU switches on any example, whatever all layers do at once; 0 where some switch.

    Each layer's weights and bias together move by at most r in the Frobenius norm. Let `e` bound how far the layer's
    inputs h move; its pre-activations then move by at most, with `W_i` the columns that are on,

        |dz_i| <= |W_i| e + s r (|(h, 1)| + e)    and    e <- |W_on|_2 e + s r (|(h, 1)| + e),

    `s` the factor that weights act with, |W_on|_2 the spectral norm of the rows that are on: units that stay off pass
    on nothing. r is the largest for which no bound exceeds `|z_i|`, for no unit and example, found by bisection from
    below. Infinite where nothing can switch.

    Args:
        layers: in order, the last one without activation.
        scales: s of each layer, 0 for one that is not trained.
        inputs: `(examples, inputs)`, float64.
    """
    pieces = _pieces(layers, inputs)
    if pieces is None:
        return 0.0
    if not pieces or not any(scales[: len(pieces)]):
        return np.inf

    def is_safe(radius: float) -> bool:
        moved = np.zeros(len(inputs))
        for piece, scale in zip(pieces, scales, strict=False):
            noise = scale * radius * (piece.taken + moved)
            if not bool((piece.rows * moved + noise < piece.heights).all()):
                return False
            moved = piece.gain * moved + noise
        return True

    return _largest(is_safe)


def _pieces(layers: Sequence[Dense], inputs: np.ndarray) -> list[Piece] | None:
    """The hidden layers; None where a unit switches between examples, or bends otherwise."""
    found: list[Piece] = []
    hidden, is_live = inputs.T, np.ones(inputs.shape[1], dtype=bool)
    for layer in layers[:-1]:
        heights = layer.weight @ hidden + layer.bias[:, None]
        taken = np.sqrt((hidden**2).sum(0) + 1)
        is_on = (heights > 0).all(1)
        if layer.activation == "identity":
            is_on[:], height, hidden = True, np.full_like(heights, np.inf), heights
        elif layer.activation == "relu" and bool((is_on | (heights < 0).all(1)).all()):
            height, hidden = abs(heights), np.where(is_on[:, None], heights, 0.0)
        else:
            return None
        weight = layer.weight[:, is_live]
        gain = float(np.linalg.norm(weight[is_on], 2)) if weight[is_on].size else 0.0
        found.append(Piece(np.linalg.norm(weight, axis=1)[:, None], gain, height, taken))
        is_live = is_on
    return found


def _largest(is_safe: Callable[[float], bool]) -> float:
    """The largest number that is safe, from below."""
    low, high = 0.0, 1.0
    while is_safe(high):
        low, high = high, 2 * high
        if high > 1e12:
            return np.inf
    while high - low > NARROW * high and high > 1e-300:
        middle = (low + high) / 2
        low, high = (middle, high) if is_safe(middle) else (low, middle)
    return low


def affine_loss(inputs: np.ndarray, targets: np.ndarray) -> float:
    """The least mean squared error of an affine map, `min |X A + b - Y|^2 / (N C)`, by singular values in float64.

    Args:
        inputs: X, `(examples, inputs)`.
        targets: Y, `(examples, outputs)`.
    """
    middle = inputs - inputs.mean(0)
    aims = targets - targets.mean(0)
    left, values, _ = np.linalg.svd(middle, full_matrices=False)
    floor = max(middle.shape) * np.finfo(np.float64).eps * values.max(initial=0.0)
    span = left[:, values > floor]
    rest = aims - span @ (span.T @ aims)
    return float((rest**2).mean())
