"""Centred kernel alignment of layers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.alike import Centred, hsic, linear, rbf
from gendsl_runtime.measures.features import Features, labels, sides
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"cka": "1 [layer, other_layer]"},
    axes={"layer": "layer of the run", "other_layer": "layer of the other run, or again of the same"},
    paper=["kornblith2019similarity", "song2012feature", "nguyen2021wide", "gretton2005measuring"],
)
def cka(
    runs: Runs,
    *,
    other: Runs | None = None,
    kernel: Literal["linear", "rbf"] = "linear",
    estimator: Literal["biased", "unbiased", "minibatch"] = "biased",
    on: SplitName = "test",
    examples: Count = 512,
    bandwidth: Positive = 0.4,
    batch: Count = 64,
) -> dict[str, Tensor | np.ndarray]:
    """How alike the representations of two layers are, up to rotations and a common factor.

    `CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))` with the kernels K and L of both layers on the same N
    examples. Linear: `K = X^T X`, with the biased HSIC `|X_c Y_c^T|_F^2 / (|X_c X_c^T|_F |Y_c Y_c^T|_F)` of
    centred features (Kornblith et al. 2019). `rbf`: `K = exp(-|x - y|^2 / (2 s^2))` with s the `bandwidth`
    times the median distance.

    Estimators of HSIC: `biased`, `tr(K H L H) / (N - 1)^2` (Gretton et al. 2005; the one in Kornblith et
    al.), which tends to 1 for any two layers with more features than examples; `unbiased` (Song et al. 2012,
    equation 5), which does not, and which may be below zero; `minibatch`, the mean of the unbiased estimate
    over batches of `batch` examples, in the numerator and under the root (Nguyen, Raghu and Kornblith 2021,
    equation 2). A mean of biased batches is none of these. The ratio of unbiased estimates is not unbiased
    itself.

    What a layer is: its outputs after norm, activation and pooling, images flattened, the last one the
    outputs of the network. Evaluation mode, float64 on representations in the precision of the network
    (float32: error about 1e-6). NaN where a layer is constant on all examples, or where the unbiased HSIC of
    a layer with itself is not positive.

    Args:
        other: a second run on the same inputs; without it every layer with every one of the same run.
        kernel: `linear` or `rbf`.
        estimator: `biased`, `unbiased` or `minibatch`.
        on: the split of the first run's data.
        examples: its first ones, or all if there are fewer; at least 4, and as many in a batch.
        bandwidth: of `rbf`, in median distances.
        batch: examples of a minibatch; a rest is left out.

    Returns:
        `cka`, `(members, layer, other_layer)`.
    """
    left, right = sides(runs, other, on, examples)
    count = next(iter(left.values())).shape[2]
    size = min(batch, count) if estimator == "minibatch" else count
    if size < 4:
        raise Problem("out-of-range", f"CKA of {size} examples", help="take at least 4")
    is_biased = estimator == "biased"
    total = [torch.zeros((), dtype=torch.float64, device=runs.device)] * 3
    for start in range(0, count - size + 1, size):
        mine = _kernels(left, start, size, kernel, bandwidth)
        theirs = mine if right is left else _kernels(right, start, size, kernel, bandwidth)
        parts = _sums(mine, theirs, is_biased=is_biased)
        total = [done + part for done, part in zip(total, parts, strict=True)]
    across, own, others = total
    is_there = (own > 0) & (others > 0)
    found = torch.where(is_there, across / torch.where(is_there, own * others, 1.0).sqrt(), torch.nan)
    return {"cka": found, "layer": labels(left), "other_layer": labels(right)}


def _kernels(of: Features, start: int, size: int, kernel: str, bandwidth: float) -> list[Centred]:
    batches = [value[:, :, start : start + size] for value in of.values()]
    return [linear(value) if kernel == "linear" else rbf(value, bandwidth) for value in batches]


def _sums(left: list[Centred], right: list[Centred], *, is_biased: bool) -> tuple[Tensor, Tensor, Tensor]:
    """HSIC of every pair `(M, layers, other layers)`, and of each layer with itself, laid out alike."""
    if right is left:
        # Symmetric: half of the pairs, and those of a layer with itself.
        known = {
            (i, j): hsic(left[i], left[j], is_biased=is_biased)
            for i in range(len(left))
            for j in range(i + 1)
        }
        own = torch.stack([known[i, i] for i in range(len(left))], 1)
        rows = [[known[max(i, j), min(i, j)] for j in range(len(left))] for i in range(len(left))]
        return _table(rows), own[:, :, None], own[:, None]
    rows = [[hsic(one, two, is_biased=is_biased) for two in right] for one in left]
    own, others = (
        torch.stack([hsic(one, one, is_biased=is_biased) for one in part], 1) for part in (left, right)
    )
    return _table(rows), own[:, :, None], others[:, None]


def _table(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row, 1) for row in rows], 1)
