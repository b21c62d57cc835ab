"""RMSprop."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.component import Flag, NonNegative, PerMember, Positive, Schedule, Share, optimizer
from gendsl_runtime.train.count import Count
from gendsl_runtime.train.optimizer import Optimizer


@optimizer(version=1, paper=("tieleman2012rmsprop", "graves2013generating"))
def rmsprop(
    *,
    lr: PerMember[Positive] = 0.01,  # type: ignore[assignment]
    decay: Share = 0.99,
    eps: Positive = 1e-8,
    momentum: PerMember[Share] = 0.0,  # type: ignore[assignment]
    centered: Flag = False,
    weight_decay: PerMember[NonNegative] = 0.0,  # type: ignore[assignment]
    schedule: Schedule = "constant",
    clip: PerMember[Positive] | None = None,
) -> Optimizer:
    """RMSprop: the gradient divided by its running root mean square (Tieleman and Hinton 2012, lecture 6.5).

    `s <- decay s + (1 - decay) g^2`, `d = g / (sqrt(s) + eps)`, `u <- momentum u + d`, `w <- w - lr u`. Centered, the
    square of the running mean of `g` is taken from `s` first (Graves 2013, equations 38 to 40). `weight_decay * w` is
    added to the gradient. The form of `torch.optim.RMSprop`, whose `alpha` is `decay`.

    Args:
        lr: learning rate.
        decay: decay of the running mean of squares.
        eps: added to the denominator.
        momentum: share of the last step that is kept.
        centered: whether the running variance stands in place of the running mean of squares.
        weight_decay: strength of the L2 penalty `weight_decay / 2 * |w|^2`.
        schedule: factor of the learning rate, step by step.
        clip: largest norm of the gradient; a longer one is scaled down.
    """
    inertia, penalty = momentum[:, None], weight_decay[:, None]
    has_momentum, has_penalty = bool(momentum.any()), bool(weight_decay.any())

    def update(
        parameters: Tensor,
        gradients: Tensor,
        slots: tuple[Tensor, ...],
        rate: Tensor,
        step: int | Count,
    ) -> None:
        squares, *rest = slots
        if has_penalty:
            gradients.addcmul_(parameters, penalty)
        squares.mul_(decay).addcmul_(gradients, gradients, value=1 - decay)
        if centered:
            mean = rest[0].lerp_(gradients, 1 - decay)
            scale = squares.addcmul(mean, mean, value=-1).sqrt_().add_(eps)
        else:
            scale = squares.sqrt().add_(eps)
        direction = gradients.div_(scale)
        if has_momentum:
            direction = torch.addcmul(direction, rest[-1], inertia, out=rest[-1])
        parameters.addcmul_(direction, rate, value=-1)

    slots = 1 + centered + has_momentum
    return Optimizer(lr, schedule, clip, slots=slots, update=update, is_pointwise=True, is_adaptive=True)
