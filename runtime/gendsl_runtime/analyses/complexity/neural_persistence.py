"""Neural persistence."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Positive, analysis
from gendsl_runtime.measures.matrices import matrices
from gendsl_runtime.measures.persistence import merging_weights
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"mean": "1", "persistence": "1 [layer]", "total": "1 [layer]"},
    shares=["mean", "persistence"],
    axes={"layer": "place of the layer with weights, from the input, from 1"},
    paper="rieck2019neural",
)
def neural_persistence(runs: Runs, *, power: Positive = 2.0) -> dict[str, np.ndarray]:
    """How long the connected components of each layer live as its weak connections join the strong ones.

    A layer is a complete bipartite graph with the weights `w' = |w| / max |w|`, the largest taken over all
    layers. Edges join from 1 downwards; all units are there at 1, and each of the `n - 1` edges of a largest
    spanning tree ends a component after `1 - w'`. `total = ( sum (1 - w')^power )^(1/power)` and `persistence
    = total / (n - 1)^(1/power)`, from 0 to 1 (Rieck et al. 2019, equations 1 and 3); `mean` is its mean over
    layers.

    The component that never ends is left out, as in the paper. A convolution is its matrix `(outputs,
    channels * height * width)` on one patch. Unchanged when units are permuted within a layer, when signs are
    flipped, or when all weights are multiplied by one number; biases and norms do not enter. A network whose
    weights are all zero has persistence 1. Exact up to float64 rounding.

    Args:
        power: p of the norm.
    """
    sizes = [matrix.abs().cpu().numpy() for matrix in matrices(runs).values()]
    largest = np.max([size.max(axis=(1, 2)) for size in sizes], axis=0)
    scale = np.where(largest > 0, largest, 1.0)
    lives = [
        np.stack([1 - merging_weights(one / unit) for one, unit in zip(size, scale, strict=True)])
        for size in sizes
    ]
    total = np.stack([(life**power).sum(1) ** (1 / power) for life in lives], axis=1)
    highest = np.array([float(life.shape[1]) ** (1 / power) for life in lives])
    persistence = total / highest
    return {
        "mean": persistence.mean(1),
        "persistence": persistence,
        "total": total,
        "layer": np.arange(1, len(lives) + 1),
    }
