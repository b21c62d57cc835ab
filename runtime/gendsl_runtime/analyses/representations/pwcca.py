"""Projection weighted canonical correlations of layers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.alike import basis, correlations
from gendsl_runtime.measures.features import centred, prepared_pairs, sides
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"pwcca": "1 [layer, other_layer]"},
    axes={"layer": "layer of the run", "other_layer": "layer of the other run, or again of the same"},
    paper="morcos2018insights",
)
def pwcca(
    runs: Runs, *, other: Runs | None = None, on: SplitName = "test", examples: Count = 512
) -> dict[str, Tensor | np.ndarray]:
    """Canonical correlations of two layers, weighted by how much of the first one they explain.

    `pwcca = sum_i a_i rho_i / sum_i a_i` with the canonical correlations rho_i, the canonical variables h_i
    of the first layer and `a_i = sum_j |<h_i, x_j>|` over its centred features x_j (Morcos, Raghu and Bengio
    2018, section 3). Not symmetric: the layer along `layer` gives the weights. No direction is cut but those
    within rounding of nothing. A rotation of the second layer, and any invertible linear map of it, changes
    nothing; of the first layer a rotation changes the weights. As many features as examples correlate
    perfectly whatever they are; and where the directions of both layers together are more than the examples, several
    correlations are 1, whose variables, and so their weights, are not unique. Layers as in `cka`; evaluation mode,
    float64. NaN where a layer is constant.

    Args:
        other: a second run on the same inputs; without it every layer with every one of the same run.
        on: the split of the first run's data.
        examples: its first ones, or all if there are fewer.

    Returns:
        `pwcca`, `(members, layer, other_layer)`.
    """
    left, right = sides(runs, other, on, examples)
    found = prepared_pairs(left, right, lambda value: [basis(value, 1.0), centred(value)], _weighted)
    return {"pwcca": found.values, "layer": found.layers, "other_layer": found.others}


def _weighted(left: Tensor, features: Tensor, right: Tensor, others: Tensor) -> Tensor:
    if min(len(left), len(right)) == 0:
        return torch.tensor(torch.nan, dtype=left.dtype, device=left.device)
    sizes, variables = correlations(left, right)
    weights = (variables @ features.T).abs().sum(1)
    return (weights * sizes).sum() / weights.sum()
