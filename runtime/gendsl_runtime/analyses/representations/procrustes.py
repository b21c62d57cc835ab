"""Procrustes distance of layers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.features import centred, prepared_pairs, sides
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"procrustes": "1 [layer, other_layer]"},
    axes={"layer": "layer of the run", "other_layer": "layer of the other run, or again of the same"},
    paper=["ding2021grounding", "schonemann1966generalized"],
)
def procrustes(
    runs: Runs, *, other: Runs | None = None, on: SplitName = "test", examples: Count = 512
) -> dict[str, Tensor | np.ndarray]:
    """How far two layers are apart once one is turned onto the other.

    `min_R |X - R Y|_F^2 = |X|_F^2 + |Y|_F^2 - 2 |X Y^T|_*` over orthogonal R, with representations centred
    and of Frobenius norm 1 (Ding, Denain and Steinhardt 2021, section 3; Schoenemann 1966); `|.|_*` is the
    sum of singular values. From 0, the same up to a rotation and a factor, to 2; its root is a metric. Layers
    of different width count as padded with zeros. Layers as in `cka`; evaluation mode, float64. NaN where a
    layer is constant.

    Args:
        other: a second run on the same inputs; without it every layer with every one of the same run.
        on: the split of the first run's data.
        examples: its first ones, or all if there are fewer.

    Returns:
        `procrustes`, `(members, layer, other_layer)`.
    """
    left, right = sides(runs, other, on, examples)
    found = prepared_pairs(left, right, lambda value: [_normed(value)], _distance)
    return {"procrustes": found.values, "layer": found.layers, "other_layer": found.others}


def _normed(value: Tensor) -> Tensor:
    """Centred, of norm 1; with fewer examples than features turned into as many rows as examples."""
    middle = centred(value)
    if len(middle) > middle.shape[1]:
        middle = torch.linalg.qr(middle, mode="r").R
    return middle / middle.square().sum().sqrt()


def _distance(left: Tensor, right: Tensor) -> Tensor:
    product = left @ right.T
    if not bool(product.isfinite().all()):
        return torch.tensor(torch.nan, dtype=left.dtype, device=left.device)
    sizes: Tensor = torch.linalg.svdvals(product)
    return (2 - 2 * sizes.sum()).clamp_min(0)
