"""Loss along the straight line between two runs."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from gendsl_runtime.component import Count, Real, SplitName, analysis
from gendsl_runtime.measures.pairs import same_parameters
from gendsl_runtime.measures.paths import straight_line
from gendsl_runtime.measures.points import evenly
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"loss": "1 [position]", "error": "1 [position]"},
    shares=["error"],
    axes={"position": "place on the line: 0 at the run, 1 at the other"},
    paper=["goodfellow2015qualitatively", "lucas2021monotonic"],
)
def interpolation(
    runs: Runs,
    *,
    other: Runs,
    on: SplitName = "train",
    points: Annotated[Count, "2..100000"] = 25,
    low: Real = 0.0,
    high: Real = 1.0,
    statistics: Literal["reset", "own"] = "reset",
) -> dict[str, np.ndarray]:
    """Training loss and error at `(1 - t) w + t v`, from the weights w of a run to those v of another.

    `interpolation(fit.at(epoch=0), other=fit)` is the line from initialisation to the end (Goodfellow, Vinyals and
    Saxe 2015); between two trained runs it shows whether they share a basin (`barrier` gives its height). Mean loss
    over a split of the first run's data with its training loss; t runs evenly from `low` to `high`, and may go
    beyond both ends.

    Weights are interpolated as they are, in the precision of training; t = 0 and t = 1 are exactly the two networks.
    Evaluation mode, no dropout. BatchNorm: `reset` gives every point but the two ends the statistics of its own
    network over all training data, `own` interpolates the running statistics like weights. `error` is NaN in a
    regression.

    Args:
        other: the run at t = 1.
        on: the split; `fit` is everything the run was trained on.
        points: number of places, both ends among them.
        low: first t.
        high: last t.
        statistics: running statistics of BatchNorm between the ends.
    """
    same_parameters(runs, other, "interpolation")
    positions = evenly(low, high, points)
    found = [
        straight_line(runs.select([member]), other.select([member]), positions, on=on, statistics=statistics)
        for member in range(runs.members)
    ]
    losses, errors = (np.stack(column) for column in zip(*found, strict=True))
    return {"loss": losses, "error": errors, "position": positions}
