"""The path of a training in its principal plane."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import AxisName, Count, NonNegative, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.planes import surface
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    gives={
        "explained": "1 [component]",
        "place": "1 [state, component]",
        "span": "1 [component]",
        "loss": "1 [x, y]",
        "error": "1 [x, y]",
        "path_loss": "1 [state]",
        "length": "1",
        "straight": "1",
    },
    shares=["explained", "error"],
    axes={
        "component": "principal component, from 1",
        "state": "one state of the path, by its label along `over`",
        "x": "place along the first component, in units of `span`, 0 at the last state",
        "y": "place along the second component, in units of `span`, 0 at the last state",
    },
    paper=["li2018visualizing", "lorch2016visualizing", "antognini2018pca"],
)
def trajectory(
    groups: Groups,
    *,
    over: AxisName,
    on: SplitName = "train",
    points: Annotated[Count, "2..2001"] = 25,
    margin: NonNegative = 0.2,
    statistics: Literal["own", "reset"] = "reset",
) -> dict[str, np.ndarray]:
    """Principal components of the states of a training, its path along the first two, and the loss over their plane.

    `trajectory(fit.at(epoch=[0, 1, 2, 5, 10]), over=epoch)`. With the weights `w_1 ... w_K` of the states, the
    components are those of the matrix of rows `w_k - w_K` after its mean is taken off (Li et al. 2018, section 7;
    Lorch 2016): unit vectors `u_1, u_2, ...` in the space of all parameters, from the eigenvectors of the K x K matrix
    of inner products in float64. `explained` is the share of the variance along each; `place` is `u_c . (w_k - w_K)`,
    so that the last state is at 0. Signs are such that the first state has no negative place.

    A random walk in many dimensions has most of its variance in two components as well (Antognini and
    Sohl-Dickstein 2018): `explained` alone is no sign of structure.

    The loss is given over the plane `w_K + x span_1 u_1 + y span_2 u_2`, where `span` is the largest distance of any
    state from the last along each component, so that the path lies within x and y from -1 to 1; the grid goes `margin`
    beyond. States lie near the plane, not on it: `path_loss` is the loss of the states themselves. Mean loss over a
    split with the training loss; evaluation mode, no dropout; BatchNorm as in `interpolation`. `error` is NaN in a
    regression.

    Args:
        over: the axis that the states lie along, in their order, often `epoch`; at least three states.
        on: the split; `fit` is everything the run was trained on.
        points: places along each component.
        margin: how far the grid goes beyond the path.
        statistics: running statistics of BatchNorm on the plane: of the network there, or those of the last state.

    Returns:
        `explained`, `span` `(component)`, of all K - 1 components; `place` `(state, component)`; `loss`, `error`
        `(x, y)`; `path_loss` `(state)`; `length`, the sum of the distances of neighbours, and `straight`, the distance
        of the first state from the last.
    """
    positions = np.linspace(-1 - margin, 1 + margin, points)
    found = [_found(runs, positions, over, on, statistics) for runs in groups.runs]
    columns = {name: np.stack([one[name] for one in found]) for name in found[0]}
    own = {"component": np.arange(1, len(groups.labels)), "state": np.array(groups.labels)}
    return {**columns, **own, "x": positions, "y": positions}


def _found(
    runs: Runs, positions: np.ndarray, over: str, on: str, statistics: Literal["own", "reset"]
) -> dict[str, np.ndarray]:
    if runs.members < 3:
        raise Problem(
            "out-of-range",
            f"`trajectory` needs three states or more, and there are {runs.members} along `{over}`",
            help="give more: `fit.at(epoch=[0, 1, 2, 5, 10])`",
        )
    weights = vectors.flat(runs.state.parameters).double()
    steps = weights - weights[-1]
    shares, axes = components(steps)
    places = (steps @ axes.T).cpu().numpy()
    span = np.abs(places).max(0)
    like = runs.select([runs.members - 1])
    first, second = (
        vectors.shaped(axes[row : row + 1] * float(span[row] or 1.0), like.state.parameters)
        for row in range(2)
    )
    heights = surface(like, (first, second), positions, positions, on=on, statistics=statistics)
    return {
        "explained": shares,
        "place": places,
        "span": span,
        "loss": heights.loss,
        "error": heights.error,
        "path_loss": runs.mean_loss(on).cpu().numpy(),
        "length": np.array(float((steps[1:] - steps[:-1]).norm(dim=1).sum())),
        "straight": np.array(float(steps[0].norm())),
    }


def components(steps: Tensor) -> tuple[np.ndarray, Tensor]:
    """Shares of the variance `(K - 1,)` and unit components `(K - 1, size)` of the rows `(K, size)`, float64.

    A component without variance is a zero vector.
    """
    centred = steps - steps.mean(0)
    values, weights = torch.linalg.eigh(centred @ centred.T)
    values, weights = values.flip(0)[:-1].clamp_min(0), weights.flip(1)[:, :-1]
    total = float(values.sum())
    axes = weights.T @ centred
    norms = axes.norm(dim=1, keepdim=True)
    # What is left of a rank that is not there is rounding of inner products.
    is_there = values[:, None] > 1e-12 * max(total, torch.finfo(values.dtype).tiny)
    axes = torch.where(is_there, axes / norms.clamp_min(torch.finfo(norms.dtype).tiny), 0.0)
    signs = torch.where(axes @ steps[0] < 0, -1.0, 1.0).to(axes)
    shares = (values / total if total else values).cpu().numpy()
    return shares, axes * signs[:, None]
