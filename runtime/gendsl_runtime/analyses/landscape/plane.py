"""Loss over the plane through three runs."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch

from gendsl_runtime.component import AxisName, Count, NonNegative, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.planes import grid
from gendsl_runtime.measures.points import Heights, evenly, heights
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    gives={
        "loss": "1 [x, y]",
        "error": "1 [x, y]",
        "foot": "1",
        "base": "1",
        "height": "1",
        "corner_loss": "1 [corner]",
        "corner_error": "1 [corner]",
    },
    shares=["error", "corner_error"],
    axes={
        "x": "place along the line from the first run, 0, to the second, 1",
        "y": "place across it: 0 on the line, 1 at the third run",
        "corner": "one of the three runs, by its label along `over`",
    },
    paper=["garipov2018loss", "izmailov2018averaging"],
)
def plane(
    groups: Groups,
    *,
    over: AxisName,
    on: SplitName = "train",
    points: Annotated[Count, "2..2001"] = 25,
    margin: NonNegative = 0.2,
    statistics: Literal["reset", "own"] = "reset",
) -> dict[str, np.ndarray]:
    """Training loss and error on the plane through three runs, which lie at (0, 0), (1, 0) and (foot, 1).

    With the weights `w_1, w_2, w_3` and `u = w_2 - w_1` the place (x, y) is `w_1 + x u + y v`, where
    `v = w_3 - w_1 - foot u` is orthogonal to u: `foot = u.(w_3 - w_1) / |u|^2` (Garipov et al. 2018, appendix;
    Izmailov et al. 2018). `base = |u|` and `height = |v|` are Euclidean lengths over all parameters, so that a figure
    in true proportions has `x base` and `y height`.

    The grid holds x from `-margin` to `1 + margin` and y alike; whichever corner lies on it is exactly the run. Mean
    loss over a split of the first run's data, with its training loss; evaluation mode, no dropout. BatchNorm: `reset`
    gives each place but the corners the statistics of its own network over all training data, `own` combines running
    statistics like weights. `error` is NaN in a regression.

    Args:
        over: the axis of three labels that the runs lie along; three that do not lie on one line.
        on: the split; `fit` is everything the first run was trained on.
        points: places along each side.
        margin: how far the grid goes beyond the runs.
        statistics: running statistics of BatchNorm off the corners.

    Returns:
        `loss`, `error` `(x, y)`; `foot`, `base`, `height`; `corner_loss`, `corner_error` `(corner)`.
    """
    positions = evenly(-margin, 1 + margin, points)
    found = [_found(runs, positions, over, on, statistics) for runs in groups.runs]
    columns = {name: np.stack([one[name] for one in found]) for name in found[0]}
    return {**columns, "x": positions, "y": positions, "corner": np.array(groups.labels)}


def _found(
    runs: Runs, positions: np.ndarray, over: str, on: str, statistics: Literal["reset", "own"]
) -> dict[str, np.ndarray]:
    if runs.members != 3:
        raise Problem(
            "out-of-range",
            f"`plane` goes through three runs, and there are {runs.members} along `{over}`",
            help="take three: `sweep run in [first, second, third]`",
        )
    foot, base, height = _triangle(vectors.flat(runs.state.parameters).double())
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [foot, 1.0]])
    places = grid(positions, positions)
    member, terms = runs.select([0]), [runs.state.member(place) for place in range(3)]
    # (x, y) is (1 - x - (1 - foot) y) w_1 + (x - foot y) w_2 + y w_3.
    x, y = places.T
    table = np.stack([1 - x - (1 - foot) * y, x - foot * y, y], axis=1)
    is_corner = (table[:, None] == np.eye(3)).all(2).any(1)
    whole = np.empty(len(places)), np.empty(len(places))
    for rows, how in ((is_corner, "own"), (~is_corner, statistics)):
        if rows.any():
            _put(
                whole,
                rows,
                heights(member, terms, table[rows], on=on, statistics="own" if how == "own" else "reset"),
            )
    ends = heights(member, terms, np.eye(3), on=on)
    sides = len(positions), len(positions)
    return {
        "loss": whole[0].reshape(sides),
        "error": whole[1].reshape(sides),
        "foot": corners[2, 0],
        "base": np.array(base),
        "height": np.array(height),
        "corner_loss": ends.loss,
        "corner_error": ends.error,
    }


def _put(whole: tuple[np.ndarray, np.ndarray], rows: np.ndarray, found: Heights) -> None:
    whole[0][rows], whole[1][rows] = found.loss, found.error


def _triangle(weights: torch.Tensor) -> tuple[float, float, float]:
    """Where the height stands on the base, and the lengths of both, of three points `(3, size)`."""
    u, third = weights[1] - weights[0], weights[2] - weights[0]
    base = float(u.norm())
    foot = float(u @ third) / base**2 if base else 0.0
    height = float((third - foot * u).norm())
    if not height > 1e-6 * base:
        raise Problem(
            "out-of-range",
            "the three runs lie on one line, and no plane is told by them",
            help="take three different runs, or `interpolation` along the line",
        )
    return foot, base, height
