"""Sharpness-aware minimisation."""

from __future__ import annotations

from torch import Tensor

from gendsl_runtime.component import Flag, NonNegative, Optimizer, PerMember, Positive, optimizer
from gendsl_runtime.train.optimizer import There, corrected, norms

TINY = 1e-12
"""Keeps a gradient of zero from dividing by zero."""


@optimizer(version=1, paper=("foret2021sharpness", "kwon2021asam"))
def sam(
    base: Optimizer,
    *,
    rho: PerMember[Positive] = 0.05,  # type: ignore[assignment]
    adaptive: Flag = False,
    eta: NonNegative = 0.01,
) -> Optimizer:
    """SAM: each step takes the gradient where a step uphill leads (Foret et al. 2021, algorithm 1).

    `e = rho g / |g|` with `g` the gradient of the batch at `w`; then `base` steps from `w` with the gradient of the
    same batch at `w + e`. Adaptive (ASAM, Kwon et al. 2021, equation 9), `e = rho T^2 g / |T g|` with `T = |w| + eta`,
    for each weight by itself, which does not change when weights are rescaled. `|.|` is the Euclidean norm over all
    parameters. Running statistics, losses and errors are those at `w`; dropout is the same in both passes. Clipping
    and weight decay are the business of `base`: neither enters `e`. A step costs two.

    Args:
        base: the optimizer that takes the step, with its learning rate and schedule.
        rho: how far uphill, the radius of the neighbourhood.
        adaptive: whether the neighbourhood follows the size of each weight.
        eta: added to the size of a weight; used by the adaptive form only.
    """
    radius = rho[:, None]

    def correction(parameters: Tensor, gradients: Tensor, there: There, rate: Tensor) -> Tensor:
        if not adaptive:
            return there(gradients.mul_(radius / (norms(gradients)[:, None] + TINY)))
        size = parameters.abs().add_(eta)
        gradients.mul_(size)
        scale = radius / (norms(gradients)[:, None] + TINY)
        return there(gradients.mul_(size).mul_(scale))

    return corrected(base, correction)
