"""Sharpness of SAM and ASAM."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.component import Count, NonNegative, Positive, SplitName, analysis
from gendsl_runtime.measures.ascent import Neighbourhood, Pieces, climb, cut, scales
from gendsl_runtime.network import Tensors
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"sharpness": "1", "highest_loss": "1", "loss": "1"},
    paper=["foret2021sharpness", "kwon2021asam", "andriushchenko2022towards"],
)
def sam_sharpness(
    runs: Runs,
    *,
    radius: Positive = 0.05,
    adaptive: Literal["none", "elementwise", "filter"] = "none",
    norm: Literal["l2", "linf"] = "l2",
    steps: Count = 1,
    batch: Count | None = None,
    eta: NonNegative = 0.01,
    on: SplitName = "train",
) -> dict[str, Tensor]:
    """How far the loss rises in a neighbourhood of the weights, as sharpness-aware minimisation sees it.

    `max_{|T^-1 e| <= radius} L(w + e) - L(w)` with the mean training loss L. SAM (Foret et al. 2021): T = 1, the
    maximum taken at one step `e = radius g / |g|` along the gradient g (equation 2, p = 2; `linf`: `radius
    sign(g)`). ASAM (Kwon et al. 2021): `e = radius T^2 g / |T g|` with `T = |w| + eta`, elementwise, or the norm of
    each filter (incoming weights of one output; biases and norms by their own size). Their radii differ by
    orders of magnitude: 0.05 is SAM's usual one, 0.5 to 2 ASAM's.

    Conventions: with `steps` > 1, projected ascent in steps that shrink from the radius to nothing, and the highest
    loss on the way (Andriushchenko and Flammarion 2022). The whole split is one batch; `batch` m gives their
    m-sharpness, the mean over batches of m examples, in the order of the split, of each batch's own rise.
    Evaluation mode (BatchNorm by its running statistics, no dropout), no weight decay.

    Numerical error: none beyond rounding for the paper's one-step number; as an estimate of the maximum every
    value is a lower bound, the closer the more steps. Where the gradient is 0 no step is taken: 0. A step may
    lower the loss, and a sharpness of one step be below 0.

    Args:
        radius: size of the neighbourhood, rho.
        adaptive: T: `none` (SAM), `elementwise` or `filter` (ASAM).
        norm: `l2` or `linf`.
        steps: gradient steps.
        batch: examples in a batch, m; all by default.
        eta: added to T; used by the adaptive forms only.
        on: the split; `fit` is everything the run was trained on.

    Returns:
        `sharpness`, `highest_loss` L(w + e) and `loss` L(w), `(members,)`, in units of the training loss.
    """
    scale = scales(runs.state.parameters, adaptive, eta)
    around = Neighbourhood(
        norm, torch.full((runs.members,), radius, dtype=torch.float64, device=runs.device), scale
    )
    examples = runs.split(on)[0].shape[1]
    highest = torch.zeros(runs.members, dtype=torch.float64, device=runs.device)
    centre = torch.zeros_like(highest)
    for pieces in cut(runs, on, batch):
        size = sum(inputs.shape[1] for inputs, _ in pieces)
        found = [_loss(runs, pieces, weights) for weights in climb(runs, pieces, around, steps=steps)]
        highest += torch.stack(found).amax(0) * size / examples
        centre += _loss(runs, pieces, runs.state.parameters) * size / examples
    return {"sharpness": highest - centre, "highest_loss": highest, "loss": centre}


@torch.no_grad()
def _loss(runs: Runs, pieces: Pieces, weights: Tensors) -> Tensor:
    total = torch.zeros(runs.members, dtype=torch.float64, device=runs.device)
    for inputs, targets in pieces:
        total += runs.losses(inputs, targets, weights).double().sum(1)
    return total / sum(inputs.shape[1] for inputs, _ in pieces)
