"""Representational similarity analysis of layers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.features import prepared_pairs, sides
from gendsl_runtime.measures.ranks import average_ranks
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"rsa": "1 [layer, other_layer]"},
    axes={"layer": "layer of the run", "other_layer": "layer of the other run, or again of the same"},
    paper="kriegeskorte2008representational",
)
def rsa(
    runs: Runs,
    *,
    other: Runs | None = None,
    distance: Literal["correlation", "euclidean", "cosine"] = "correlation",
    by: Literal["spearman", "pearson"] = "spearman",
    on: SplitName = "test",
    examples: Count = 256,
) -> dict[str, Tensor | np.ndarray]:
    """Correlation of how two layers tell examples apart.

    Each layer has a matrix of dissimilarities of all pairs of examples, `1 - r` with Pearson's correlation r
    of their two feature vectors (the default; or 1 less their cosine, or their Euclidean distance); `rsa` is
    the rank correlation of the N (N - 1) / 2 dissimilarities of both layers, ties sharing the mean of their
    ranks (Kriegeskorte, Mur and Bandettini 2008). Between -1 and 1. Unchanged by rotations for `euclidean`
    and `cosine`, not for `correlation`. Layers as in `cka`; evaluation mode, float64. NaN where all
    dissimilarities are the same, and with `correlation` or `cosine` where an example has no direction (all
    features equal, or zero).

    Args:
        other: a second run on the same inputs; without it every layer with every one of the same run.
        distance: `correlation`, `euclidean` or `cosine`.
        by: `spearman`, or `pearson` of the dissimilarities themselves.
        on: the split of the first run's data.
        examples: its first ones, or all if there are fewer.

    Returns:
        `rsa`, `(members, layer, other_layer)`.
    """
    left, right = sides(runs, other, on, examples)
    found = prepared_pairs(left, right, lambda value: [_standard(_apart(value, distance), by)], torch.dot)
    return {"rsa": found.values, "layer": found.layers, "other_layer": found.others}


def _apart(value: Tensor, distance: str) -> Tensor:
    """Dissimilarities of all pairs, one after the other."""
    rows = value.T.contiguous()
    if distance == "euclidean":
        found = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    else:
        rows = rows - rows.mean(1, keepdim=True) if distance == "correlation" else rows
        lengths = rows.square().sum(1, keepdim=True).sqrt()
        floor = 100 * torch.finfo(rows.dtype).eps * value.abs().max()
        rows = rows / torch.where(lengths > floor, lengths, torch.nan)
        found = 1 - rows @ rows.T
    first, second = torch.triu_indices(len(rows), len(rows), 1, device=value.device)
    return found[first, second]


def _standard(apart: Tensor, by: str) -> Tensor:
    """Ranks or values, centred and of length 1; NaN where they are all the same."""
    if by == "spearman" and bool(apart.isfinite().all()):
        apart = torch.from_numpy(average_ranks(apart.cpu().numpy())).to(apart)
    middle = apart - apart.mean()
    length = middle.square().sum().sqrt()
    return middle / torch.where(length > 0, length, torch.nan)
