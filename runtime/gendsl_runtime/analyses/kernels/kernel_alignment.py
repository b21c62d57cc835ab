"""Alignment of a network's kernel with its targets."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.kernels import alignment, centred, first, kernel, members, regression_targets
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"centred": "1", "alignment": "1"},
    paper=["cortes2012algorithms", "cristianini2001kernel", "baratin2021implicit"],
)
def kernel_alignment(
    runs: Runs,
    *,
    kind: Literal["empirical", "ntk", "nngp"] = "empirical",
    on: SplitName = "train",
    examples: Count = 256,
) -> dict[str, Tensor]:
    """How much a network's kernel is the one of the targets.

    `alignment = <K, Y Y^T>_F / (|K|_F |Y Y^T|_F)` (Cristianini et al. 2001), and `centred` the same of `H K
    H` and `H Y Y^T H` with `H = I - 1/N` (Cortes, Mohri and Rostamizadeh 2012), which a constant added to the
    kernel or to the targets leaves alone. Classes are one-hot vectors less 1/C, for two classes the `+-1` of
    the papers; regression takes targets as they are. Kernels as in `tangent_kernel` (the mean over outputs);
    evaluation mode, float64. Both lie from 0 to 1. NaN where the targets (less their mean) or the kernel are
    all zero.

    Args:
        kind: `empirical`, or `ntk` or `nngp` for those of infinite width.
        on: the split.
        examples: its first ones, or all if there are fewer.

    Returns:
        `centred` and `alignment`, `(members,)`.
    """
    plain, middle = [], []
    for member in members(runs):
        inputs, labels = first(member, on, examples)
        gram, targets = kernel(member, inputs, kind=kind), regression_targets(member, labels)
        ideal = targets @ targets.T
        plain.append(alignment(gram, ideal))
        middle.append(alignment(centred(gram), centred(ideal)))
    return {"centred": torch.stack(middle), "alignment": torch.stack(plain)}
