"""Normalised conditional mutual information of orderings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from gendsl_runtime.component import Natural, statistic


@statistic(version=1, reduces="grid", unit="1", paper=["jiang2020fantastic", "verma1991equivalence"])
def conditional_information(
    x: np.ndarray, y: np.ndarray, shape: Sequence[int], *, given: Natural = 2
) -> np.ndarray:
    """How much the order of x tells of that of y, whatever is known of up to `given` axes.

    For ordered pairs of settings `(a, b)` let `V_x = sign(x_a - x_b)`, `V_y` alike, and `U_S` the labels of both
    settings on the axes in S. The result is `min over S of I(V_x, V_y | U_S) / H(V_y | U_S)`, S up to `given`
    axes, the empty set included: 1 where x orders y fully (or in exactly the opposite way), 0 where it adds
    nothing to some axes. Pairs that are tied in x or y have no sign and are left out; so is an S whose axes fix
    the order of y by themselves. Of finitely many pairs it is above 0 even for unrelated x and y, so compare
    two measures with each other rather than one with 0.

    Interval: Student's t of the seeds' values. The seed is never one of the axes.

    Args:
        x: the measure, `(..., n_1 ... n_k)`; NaN is a missing value, and its pairs are left out.
        y: what it is to follow (a generalisation gap), alike.
        shape: `n_1, ..., n_k`, the length of each axis.
        given: the most axes that are conditioned on at a time; 2 in the paper.

    Returns:
        `(...)`, from 0 to 1; NaN where no pair is left.

    Y. Jiang, B. Neyshabur, H. Mobahi, D. Krishnan, S. Bengio, "Fantastic generalization measures and where to
    find them", ICLR 2020, section 2.2; the minimum over conditions is that of T. Verma, J. Pearl, "Equivalence
    and synthesis of causal models", UAI 1991.

    Example:
        >>> x = np.array([1.0, 2.0, 3.0, 4.0])
        >>> float(conditional_information(x, -x, (4,), given=0))
        1.0
    """
    x, y = np.broadcast_arrays(x, y)
    if x.shape[-1] == 0:
        return np.full(x.shape[:-1], np.nan)
    labels = np.indices(tuple(shape)).reshape(len(shape), -1)
    chosen = [
        axes
        for size in range(min(given, len(shape)) + 1)
        for axes in itertools.combinations(range(len(shape)), size)
    ]
    conditions = [_pair_codes(labels[list(axes)], [shape[axis] for axis in axes]) for axes in chosen]
    rows = zip(x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1]), strict=True)
    found = [_least(_signs(first), _signs(second), conditions) for first, second in rows]
    return np.array(found, dtype=np.float64).reshape(x.shape[:-1])


def _signs(values: np.ndarray) -> np.ndarray:
    """Signs of all ordered differences, `(n, n)` flattened; 0 for ties and for missing values."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nan_to_num(np.sign(values[:, None] - values))).reshape(-1)


def _pair_codes(labels: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """One whole number for the labels of both settings of each ordered pair, flattened."""
    one = np.zeros(labels.shape[1], dtype=np.int64)
    for label, size in zip(labels, sizes, strict=True):
        one = one * size + label
    return (one[:, None] * int(np.prod(sizes, dtype=np.int64)) + one).reshape(-1)


def _least(x: np.ndarray, y: np.ndarray, conditions: Sequence[np.ndarray]) -> float:
    is_used = (x != 0) & (y != 0)
    cells = 2 * (x[is_used] > 0) + (y[is_used] > 0)
    found = [_normalised(cells, codes[is_used]) for codes in conditions]
    return float(np.fmin.reduce(found, initial=np.nan))


def _normalised(cells: np.ndarray, codes: np.ndarray) -> float:
    """`I(V_x, V_y | U) / H(V_y | U)` from the four outcomes of each pair and its code U."""
    _, places = np.unique(codes, return_inverse=True)
    counts = np.bincount(places * 4 + cells, minlength=4 * (places.max(initial=-1) + 1)).reshape(-1, 2, 2)
    h_y, h_x = _entropy(counts.sum(axis=1)), _entropy(counts.sum(axis=2))
    together = _entropy(counts.reshape(-1, 4))
    return float(np.clip((h_x + h_y - together) / h_y, 0.0, 1.0)) if h_y > 1e-12 else np.nan


def _entropy(counts: np.ndarray) -> float:
    """`sum over U of n_U H(outcome | U)` in nats, the common factor `1 / n` left out; counts `(U, outcomes)`."""
    each = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(counts > 0, counts * np.log(counts / each), 0.0)
    return float(-terms.sum())
