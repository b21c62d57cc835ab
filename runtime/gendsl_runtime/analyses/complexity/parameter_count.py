"""Number of parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.component import analysis
from gendsl_runtime.measures import matrices, vectors
from gendsl_runtime.runs import Runs


@analysis(version=1, gives={"parameters": "1", "weights": "1", "biases": "1"})
def parameter_count(runs: Runs) -> dict[str, Tensor]:
    """How many numbers a network learns.

    `parameters = weights + biases`; weights are the entries of matrices and convolution kernels, biases all
    the rest (offsets, gains of normalisation layers). Running statistics and fixed random features are not
    learned and not counted.
    """
    total = vectors.size(runs.state.parameters)
    weights = vectors.size(matrices.weights(runs.state.parameters))
    counts = {"parameters": total, "weights": weights, "biases": total - weights}
    return {name: torch.full((runs.members,), count, dtype=torch.int64) for name, count in counts.items()}
