"""Connected components of weighted graphs and clouds of points as a threshold moves."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.problem import Problem


def merging_weights(weights: np.ndarray) -> np.ndarray:
    """Weights of the edges of a largest spanning tree of a complete bipartite graph, `(rows + columns - 1,)`.

    As edges join from the heaviest down, these are the weights at which two components become one. By Prim's
    algorithm, `(rows + columns)^2` operations; the multiset is the same for all largest spanning trees.

    Args:
        weights: `(rows, columns)`, one edge between each row and each column.
    """
    rows, columns = weights.shape
    total = rows + columns
    best = np.full(total, -np.inf)
    best[rows:] = weights[0]
    is_open = np.ones(total, dtype=bool)
    is_open[0] = False
    found = np.empty(total - 1)
    for step in range(total - 1):
        new = int(np.argmax(np.where(is_open, best, -np.inf)))
        found[step] = best[new]
        is_open[new] = False
        if new < rows:
            best[rows:] = np.maximum(best[rows:], weights[new])
        else:
            best[:rows] = np.maximum(best[:rows], weights[:, new - rows])
    return found


def merging_distances(points: np.ndarray) -> np.ndarray:
    """Lengths of the edges of a shortest spanning tree of points `(n, features)`, ascending, `(n - 1,)`.

    The deaths of the components of the Vietoris-Rips filtration, where an edge is there from the distance of
    its ends on.
    """
    count = len(points)
    best = np.linalg.norm(points - points[0], axis=1)
    is_open = np.ones(count, dtype=bool)
    is_open[0] = False
    found = np.empty(count - 1)
    for step in range(count - 1):
        new = int(np.argmin(np.where(is_open, best, np.inf)))
        found[step] = best[new]
        is_open[new] = False
        best = np.minimum(best, np.linalg.norm(points - points[new], axis=1))
    return np.sort(found)


def bars(points: np.ndarray, *, dimension: int) -> np.ndarray:
    """Births and deaths `(bars, 2)` of the finite bars of points `(n, features)` under the Vietoris-Rips filtration.

    Raises:
        Problem: a dimension above 0 where gudhi is not installed.
    """
    if dimension == 0:
        deaths = merging_distances(points)
        return np.stack([np.zeros_like(deaths), deaths], axis=1)
    try:
        import gudhi  # an optional extra
    except ImportError:
        raise Problem(
            "missing-extra",
            f"homology in dimension {dimension} is computed by `gudhi`, which is not installed",
            help='`pip install "gendsl[topology]"`, or `dimension=0`',
        ) from None
    tree = gudhi.RipsComplex(points=points).create_simplex_tree(max_dimension=dimension + 1)
    tree.compute_persistence(homology_coeff_field=2)
    found: np.ndarray = np.asarray(tree.persistence_intervals_in_dimension(dimension)).reshape(-1, 2)
    finite: np.ndarray = found[np.isfinite(found[:, 1])]
    return finite
