"""Estimators of mutual information from samples, in nats."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist, squareform
from scipy.special import digamma, logsumexp


def entropy(counts: np.ndarray) -> float:
    """Entropy of the shares of counts (the plug-in estimate)."""
    counts = counts[counts > 0].astype(np.float64)
    total = counts.sum()
    return float(np.log(total) - (counts * np.log(counts)).sum() / total)


def binned(points: np.ndarray, *, bins: int) -> np.ndarray:
    """The cell of each point `(n, features)` in a grid of equal bins between the least and the largest coordinate of
    all, as a number `(n,)`; one cell where all coordinates are equal."""
    low, high = points.min(), points.max()
    if low == high:
        return np.zeros(len(points), dtype=np.int64)
    cells = np.minimum(((points - low) / (high - low) * bins).astype(np.int64), bins - 1)
    number: np.ndarray = np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)
    return number


def discrete(first: np.ndarray, second: np.ndarray) -> float:
    """Plug-in estimate of `I(first; second)` of two sequences of whole numbers `(n,)`: `H(1) + H(2) - H(1, 2)`."""
    joint = np.unique(np.stack([first, second], 1), axis=0, return_counts=True)[1]
    single = [np.unique(values, return_counts=True)[1] for values in (first, second)]
    return max(0.0, entropy(single[0]) + entropy(single[1]) - entropy(joint))


def mixture_bound(squares: np.ndarray, variance: float) -> float:
    """`-1/n sum_i log 1/n sum_j exp(-|x_i - x_j|^2 / (2 variance))`, from squared distances `(n, n)`.

    With the variance of the noise an upper bound of the information that noisy points hold of which point
    they are, with four times that variance a lower bound (Kolchinsky and Tracey 2017, equations 10 and 11).
    """
    n = len(squares)
    return float(np.log(n) - logsumexp(-squares / (2 * variance), axis=1).mean())


def squared_distances(points: np.ndarray) -> np.ndarray:
    """Between all pairs of points `(n, features)`, `(n, n)`."""
    found: np.ndarray = squareform(pdist(points, "sqeuclidean"))
    return found


def nearest(first: np.ndarray, second: np.ndarray, *, neighbours: int) -> float:
    """`I(first; second)` of points `(n, d)` and `(n, e)` by nearest neighbours (Kraskov, Stoegbauer and Grassberger
    2004, algorithm 1, equation 8).

    `psi(k) + psi(n) - <psi(a_i + 1) + psi(b_i + 1)>`, with a_i and b_i the numbers of points nearer to i in
    either space than its k-th neighbour in both, in the maximum norm. May be below zero. Points that coincide
    bias it; the caller sees to that.
    """
    joint = np.concatenate([first, second], axis=1)
    distance = cKDTree(joint).query(joint, k=neighbours + 1, p=np.inf)[0][:, -1]
    psi = digamma(neighbours) + digamma(len(joint))
    for part in (first, second):
        psi = psi - digamma(_nearer(part, distance) + 1)
    return float(np.mean(psi))


def nearest_classes(points: np.ndarray, labels: np.ndarray, *, neighbours: int) -> float:
    """`I(points; labels)` by nearest neighbours for labels of classes (Ross 2014).

    `psi(n) - <psi(n_y)> + <psi(k)> - <psi(m_i)>`, with n_y the size of the class, k at most n_y - 1 and m_i
    the number of points, i included, nearer to it than its k-th neighbour of its own class, in the maximum
    norm. Points that are alone in their class are left out.
    """
    distance, used = np.full(len(points), np.nan), np.zeros(len(points))
    sizes = np.zeros(len(points))
    for kind in np.unique(labels):
        own = np.flatnonzero(labels == kind)
        if len(own) > 1:
            k = min(neighbours, len(own) - 1)
            distance[own] = cKDTree(points[own]).query(points[own], k=k + 1, p=np.inf)[0][:, -1]
            used[own], sizes[own] = k, len(own)
    kept = np.isfinite(distance)
    if not kept.any():
        return float("nan")
    near = _nearer(points[kept], distance[kept]) + 1
    return float(digamma(kept.sum()) - np.mean(digamma(sizes[kept]) - digamma(used[kept]) + digamma(near)))


def _nearer(points: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """How many other points are strictly nearer to each than its distance, in the maximum norm."""
    found = cKDTree(points).query_ball_point(points, np.nextafter(distance, 0), p=np.inf, return_length=True)
    # A point is found itself, unless the distance is zero and the next number below it is zero as well.
    others: np.ndarray = np.maximum(found - 1, 0)
    return others


def neighbour_distance(points: np.ndarray, *, neighbours: int) -> float:
    """Median distance of points `(n, features)` to their k-th neighbour, in the maximum norm."""
    return float(np.median(cKDTree(points).query(points, k=neighbours + 1, p=np.inf)[0][:, -1]))
