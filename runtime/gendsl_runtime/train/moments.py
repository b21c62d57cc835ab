"""Steps scaled by running moments of the gradient."""

from __future__ import annotations

from torch import Tensor

from gendsl_runtime.train.count import Count, correction_root


def moments(
    parameters: Tensor,
    gradients: Tensor,
    slots: tuple[Tensor, ...],
    rate: Tensor,
    step: int | Count,
    *,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """Adam's step without weight decay; `rate` `(M, 1)` has the first moment's correction in it."""
    first, second = slots
    first.lerp_(gradients, 1 - beta1)
    second.mul_(beta2).addcmul_(gradients, gradients, value=1 - beta2)
    scale = second.sqrt().div_(correction_root(beta2, step)).add_(eps)
    parameters.addcmul_(first / scale, rate, value=-1)
