"""Stochastic gradient descent."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.component import Flag, NonNegative, PerMember, Positive, Schedule, Share, optimizer
from gendsl_runtime.train.count import Count
from gendsl_runtime.train.optimizer import Optimizer


@optimizer(version=1, paper="sutskever2013importance")
def sgd(
    *,
    lr: PerMember[Positive] = 0.1,  # type: ignore[assignment]
    momentum: PerMember[Share] = 0.0,  # type: ignore[assignment]
    nesterov: Flag = False,
    weight_decay: PerMember[NonNegative] = 0.0,  # type: ignore[assignment]
    schedule: Schedule = "constant",
    clip: PerMember[Positive] | None = None,
) -> Optimizer:
    """Gradient descent on batches, with momentum.

    `v <- m v + g`, `w <- w - lr v`; with Nesterov's momentum `w <- w - lr (g + m v)`. `g` is the gradient of
    the mean loss of the batch plus `weight_decay * w`. The form of `torch.optim.SGD`, where the velocity is
    not multiplied by the learning rate (Sutskever et al. 2013 write it the other way round).

    Args:
        lr: learning rate.
        momentum: m.
        nesterov: whether the step looks ahead.
        weight_decay: strength of the L2 penalty `weight_decay / 2 * |w|^2`, on all parameters.
        schedule: factor of the learning rate, step by step.
        clip: largest norm of the gradient; a longer one is scaled down.
    """
    inertia, decay = momentum[:, None], weight_decay[:, None]
    has_momentum, has_decay = bool(momentum.any()), bool(weight_decay.any())

    def update(
        parameters: Tensor,
        gradients: Tensor,
        slots: tuple[Tensor, ...],
        rate: Tensor,
        step: int | Count,
    ) -> None:
        if has_decay:
            gradients.addcmul_(parameters, decay)
        direction = gradients
        if has_momentum:
            velocity = torch.addcmul(gradients, slots[0], inertia, out=slots[0])
            direction = gradients.addcmul_(velocity, inertia) if nesterov else velocity
        parameters.addcmul_(direction, rate, value=-1)

    return Optimizer(lr, schedule, clip, slots=int(has_momentum), update=update, is_pointwise=True)
