"""Singular vector canonical correlations of layers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Share, SplitName, analysis
from gendsl_runtime.measures.alike import basis, correlations
from gendsl_runtime.measures.features import prepared_pairs, sides
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"svcca": "1 [layer, other_layer]"},
    axes={"layer": "layer of the run", "other_layer": "layer of the other run, or again of the same"},
    paper="raghu2017svcca",
)
def svcca(
    runs: Runs,
    *,
    other: Runs | None = None,
    share: Share = 0.99,
    on: SplitName = "test",
    examples: Count = 512,
) -> dict[str, Tensor | np.ndarray]:
    """Mean canonical correlation of the leading directions of two layers.

    Each layer's centred representation is cut to the singular directions that hold `share` of its variance;
    `svcca` is the mean of the canonical correlations `rho_1 >= ... >= rho_k` of what is left, k the smaller
    number of directions (Raghu et al. 2017, section 2). Unchanged by rotations and a common factor of either;
    with `share` 1 by every invertible linear map. As many directions as examples correlate perfectly whatever
    they are: take several times as many examples as features. Layers as in `cka`; evaluation mode, float64.
    NaN where a layer is constant.

    Args:
        other: a second run on the same inputs; without it every layer with every one of the same run.
        share: of the variance that is kept.
        on: the split of the first run's data.
        examples: its first ones, or all if there are fewer.

    Returns:
        `svcca`, `(members, layer, other_layer)`.
    """
    left, right = sides(runs, other, on, examples)
    found = prepared_pairs(left, right, lambda value: [basis(value, share)], _mean)
    return {"svcca": found.values, "layer": found.layers, "other_layer": found.others}


def _mean(left: Tensor, right: Tensor) -> Tensor:
    if min(len(left), len(right)) == 0:
        return torch.tensor(torch.nan, dtype=left.dtype, device=left.device)
    return correlations(left, right)[0].mean()
