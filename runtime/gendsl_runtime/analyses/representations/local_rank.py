"""Rank of the Jacobians of layers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.features import examples_of
from gendsl_runtime.measures.kernels import members
from gendsl_runtime.measures.layers import graph_of, layer_names
from gendsl_runtime.measures.spectra import effective_rank
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="numbers",
    gives={"local_rank": "1 [layer]", "error": "1 [layer]", "effective": "1 [layer]"},
    axes={"layer": "layer of the network"},
    paper=["patel2024learning", "roy2007effective"],
)
def local_rank(
    runs: Runs, *, on: SplitName = "test", examples: Count = 32, tolerance: Positive = 1e-3
) -> dict[str, Tensor | np.ndarray]:
    """In how many directions a layer's representation moves when its input does, on average over examples.

    The rank of the Jacobian `dh(x) / dx` of the representation h of a layer at each example: singular values
    above `tolerance` times the largest one (Patel and Shwartz-Ziv 2024, "Learning to Compress"; they take an
    absolute threshold on pre-activations), and `effective`, their effective rank `exp(-sum p log p)`, `p = s
    / sum s`, which needs no threshold (Roy and Vetterli 2007). The dimension of the representation where the
    layer is smooth. Zero where it does not move at all (dead units).

    Layers as in `cka`; evaluation mode; Jacobians and singular values in float64 by one backward pass a
    feature.

    Args:
        on: the split.
        examples: its first ones, or all if there are fewer.
        tolerance: relative to the largest singular value of the same Jacobian.

    Returns:
        `local_rank` and `effective`, means over examples `(members, layer)`; `error`, the standard error of
        the first.
    """
    names = layer_names(runs.network)
    found = [_ranks(member, on, examples, tolerance) for member in members(runs)]
    means, errors, smooth = (torch.stack(part) for part in zip(*found, strict=True))
    return {
        "local_rank": means,
        "error": errors,
        "effective": smooth,
        "layer": np.array(names, dtype=np.str_),
    }


def _ranks(member: Runs, on: str, examples: int, tolerance: float) -> tuple[Tensor, Tensor, Tensor]:
    inputs = examples_of(member, on, examples).clone().requires_grad_()
    means, errors, smooth = [], [], []
    for values in graph_of(member, inputs).values():
        sizes = torch.linalg.svdvals(_jacobian(values[0], inputs))
        largest = sizes[:, :1]
        ranks = ((sizes > tolerance * largest) & (largest > 0)).sum(1).double()
        means.append(ranks.mean())
        errors.append(ranks.std(correction=min(1, len(ranks) - 1)) / len(ranks) ** 0.5)
        smooth.append(effective_rank(sizes).mean())
    return torch.stack(means), torch.stack(errors), torch.stack(smooth)


def _jacobian(values: Tensor, inputs: Tensor) -> Tensor:
    """`(N, features, inputs)`: examples do not see each other, so one pass gives a row of each."""
    rows = []
    for feature in values:
        if not feature.requires_grad:
            rows.append(torch.zeros_like(inputs))
            continue
        rows += torch.autograd.grad(
            feature.sum(), inputs, retain_graph=True, allow_unused=True, materialize_grads=True
        )
    return torch.stack([row[0].flatten(1) for row in rows], 1)
