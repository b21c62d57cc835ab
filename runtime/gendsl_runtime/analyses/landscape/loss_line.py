"""Loss along random lines through a run."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.planes import direction
from gendsl_runtime.measures.points import Heights, heights
from gendsl_runtime.measures.restate import Statistics
from gendsl_runtime.network import State
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"loss": "1 [x]", "error": "1 [x]", "spread": "1 [x]"},
    shares=["error"],
    axes={"x": "distance along random directions, 1 a change as large as the weights"},
    paper=["li2018visualizing", "geiping2022stochastic"],
)
def loss_line(
    runs: Runs,
    *,
    on: SplitName = "train",
    points: Annotated[Count, "2..100001"] = 51,
    reach: Positive = 1.0,
    rays: Count = 1,
    directions: Literal["filter", "layer", "none"] = "filter",
    biases: Literal["ignored", "included"] = "ignored",
    statistics: Literal["own", "reset"] = "own",
) -> dict[str, np.ndarray]:
    """Training loss and error at `w + x d`, a mean over random directions d scaled to the network.

    The picture of a minimum in one dimension (Li et al. 2018; Geiping et al. 2022, figure 1, with 51 points of one
    direction, filters scaled, biases and norms left alone, as here). Directions are Gaussian; with `filter` every
    filter, the incoming weights of one output, gets the norm of the network's own at its place, with `layer` every
    weight tensor as a whole, `none` leaves them standard normal; `biases` are as in `loss_surface`.

    A direction depends on the run's seed and its number among the rays alone: networks of one seed and shape are seen
    along the same directions, each scaled to the network. One line says little: `spread` is the standard deviation
    of the loss over rays. Curvature along a random direction is about the mean over all directions, not that of the
    sharpest.

    x runs evenly from `-reach` to `reach`; an odd number of `points` has the run itself in the middle. Mean loss over a
    split, evaluation mode, no dropout; BatchNorm keeps the run's running statistics (`own`, as the papers' code does)
    or has at each point those of its own network over all training data (`reset`). `error` is NaN in a regression.

    Args:
        on: the split; `fit` is everything the run was trained on.
        points: places along each line.
        reach: largest x.
        rays: random directions.
        directions: how they are scaled.
        biases: whether biases and norms move.
        statistics: running statistics of BatchNorm; `reset` holds in the middle too.

    Raises:
        Problem: the network learns no weights of layers (`subspace`) and `biases` are ignored.

    Returns:
        `loss`, `error`, means over the rays, and `spread` `(x)`; `spread` is NaN with one ray.
    """
    positions = np.linspace(-reach, reach, points)
    found = []
    for place in range(runs.members):
        member, stream = runs.select([place]), generator("loss_line", runs.seeds[place])
        own = member.state.parameters
        drawn = [State(direction(own, stream, normalised=directions, biases=biases), {}) for _ in range(rays)]
        along = _heights(member, drawn, positions, on=on, statistics=statistics)
        spread = along.loss.std(0, ddof=1) if rays > 1 else np.full(points, np.nan)
        found.append((along.loss.mean(0), along.error.mean(0), spread))
    losses, errors, spreads = (np.stack(column) for column in zip(*found, strict=True))
    return {"loss": losses, "error": errors, "spread": spreads, "x": positions}


def _heights(
    member: Runs, drawn: list[State], positions: np.ndarray, *, on: str, statistics: Statistics
) -> Heights:
    """At all positions along all directions, `(rays, points)`."""
    lines = []
    for way in drawn:
        table = np.stack([np.ones_like(positions), positions], axis=1)
        lines.append(heights(member, (member.state, way), table, on=on, statistics=statistics))
    return Heights(np.stack([line.loss for line in lines]), np.stack([line.error for line in lines]))
