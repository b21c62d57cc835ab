"""How far the tangent kernel moved."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.kernels import alignment, centred, first, members
from gendsl_runtime.measures.tangent import tangent_kernel
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"distance": "1", "relative_change": "1", "centred_distance": "1"},
    paper=["fort2020deep", "chizat2019lazy", "cortes2012algorithms"],
)
def kernel_movement(
    runs: Runs,
    *,
    other: Runs,
    of: Literal["trace", "sum", "full"] = "trace",
    on: SplitName = "train",
    examples: Count = 256,
) -> dict[str, Tensor]:
    """How far the tangent kernel of a run is from that of another, such as of its own start.

    With the kernels K of the run and L of the other on the same examples: `distance = 1 - <K, L>_F / (|K|_F
    |L|_F)`, the kernel distance of Fort et al. (2020), which no factor on either changes; `relative_change =
    |K - L|_F / |L|_F` (Chizat, Oyallon and Bach 2019: small in lazy training); `centred_distance`, the first
    of `H K H` and `H L H`, one minus the CKA of gradients. `kernel_movement(fit, other=fit.at(epoch=0))` is
    the movement in training. Kernels as in `tangent_kernel`; evaluation mode, each network with its own
    running statistics. Float64: error of about 1e-12. NaN where a kernel (centred, for the last: that of one example
    always) is all zero.

    Args:
        other: the run compared with; it sees the examples of the first.
        of: `trace`, `sum`, or `full` for every pair of outputs.
        on: the split of the first run's data.
        examples: its first ones, or all if there are fewer.

    Returns:
        Each `(members,)`.
    """
    found: dict[str, list[Tensor]] = {"distance": [], "relative_change": [], "centred_distance": []}
    for mine, theirs in zip(members(runs), members(other), strict=True):
        seen, _ = first(mine, on, examples)
        now, before = (tangent_kernel(member, seen, of=of) for member in (mine, theirs))
        found["distance"].append(1 - alignment(now, before))
        found["relative_change"].append((now - before).norm() / before.norm())
        found["centred_distance"].append(1 - alignment(centred(now), centred(before)))
    return {name: torch.stack(values) for name, values in found.items()}
