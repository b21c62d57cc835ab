"""Loss over a random plane around a run."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.planes import cosine, direction, surface
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"loss": "1 [x, y]", "error": "1 [x, y]", "cosine": "1"},
    shares=["error"],
    axes={
        "x": "distance along the first direction, 1 a change as large as the weights",
        "y": "distance along the second direction",
    },
    paper="li2018visualizing",
)
def loss_surface(
    runs: Runs,
    *,
    on: SplitName = "train",
    points: Annotated[Count, "2..2001"] = 25,
    reach: Positive = 1.0,
    directions: Literal["filter", "layer", "none"] = "filter",
    biases: Literal["ignored", "included"] = "ignored",
    statistics: Literal["own", "reset"] = "own",
) -> dict[str, np.ndarray]:
    """Training loss and error at `w + x d + y e`, on a grid over a plane spanned by two random directions.

    Directions are Gaussian and scaled to the network, since a ReLU network may be rescaled layer by layer without
    changing what it computes (Li et al. 2018): with `filter` every filter, the incoming weights of one output, gets
    the norm of the network's own at its place, `d_ij <- d_ij |w_ij| / |d_ij|`; with `layer` every weight tensor as a
    whole; `none` leaves them standard normal.

    Biases and the gains and offsets of norms stay where they are, as in the paper (`ignored`). `included`: a bias
    belongs to its filter, both being scaled as one vector, and gains and offsets of a norm are scaled as one vector
    each; scaling a single bias to its own length would leave nothing of it to chance but its sign.

    x and y run evenly from `-reach` to `reach`; an odd number of `points` has the run itself in the middle. Mean loss
    over a split, evaluation mode, no dropout; BatchNorm keeps the run's running statistics (`own`, as the paper's
    code does) or has at each point those of its own network over all training data (`reset`). Directions depend on
    the run's seed alone and are not made orthogonal: see `cosine`. `error` is NaN in a regression.

    A random plane shows a projection: what looks convex there need not be, and curvature along it is about the mean
    over all directions.

    Args:
        on: the split; `fit` is everything the run was trained on.
        points: places along each direction.
        reach: largest x and y.
        directions: how directions are scaled.
        biases: whether biases and norms move.
        statistics: running statistics of BatchNorm; `reset` holds in the middle too.

    Raises:
        Problem: the network learns no weights of layers (`subspace`) and `biases` are ignored.

    Returns:
        `loss`, `error` `(x, y)`; `cosine` of the angle between the two directions, NaN where all weights are 0.
    """
    positions = np.linspace(-reach, reach, points)
    found = []
    for place in range(runs.members):
        member, stream = runs.select([place]), generator("loss_surface", runs.seeds[place])
        own = member.state.parameters
        first, second = (direction(own, stream, normalised=directions, biases=biases) for _ in range(2))
        heights = surface(member, (first, second), positions, positions, on=on, statistics=statistics)
        found.append((heights.loss, heights.error, cosine(first, second)))
    losses, errors, angles = (np.stack(column) for column in zip(*found, strict=True))
    return {"loss": losses, "error": errors, "cosine": angles, "x": positions, "y": positions}
