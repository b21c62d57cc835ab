"""Adam."""

from __future__ import annotations

from torch import Tensor

from gendsl_runtime.component import NonNegative, PerMember, Positive, Schedule, Share, optimizer
from gendsl_runtime.train.count import Count, correction
from gendsl_runtime.train.moments import moments
from gendsl_runtime.train.optimizer import Optimizer


@optimizer(version=1, paper="kingma2015adam")
def adam(
    *,
    lr: PerMember[Positive] = 1e-3,  # type: ignore[assignment]
    beta1: Share = 0.9,
    beta2: Share = 0.999,
    eps: Positive = 1e-8,
    weight_decay: PerMember[NonNegative] = 0.0,  # type: ignore[assignment]
    schedule: Schedule = "constant",
    clip: PerMember[Positive] | None = None,
) -> Optimizer:
    """Adam: steps scaled by running moments of the gradient (Kingma and Ba 2015, algorithm 1).

    `m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`,
    `w <- w - lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)`. `weight_decay * w` is added to the
    gradient; `adamw` keeps it apart.

    Args:
        lr: learning rate.
        beta1: decay of the first moment.
        beta2: decay of the second moment.
        eps: added to the denominator.
        weight_decay: strength of the L2 penalty `weight_decay / 2 * |w|^2`.
        schedule: factor of the learning rate, step by step.
        clip: largest norm of the gradient; a longer one is scaled down.
    """
    decay, has_decay = weight_decay[:, None], bool(weight_decay.any())

    def update(
        parameters: Tensor,
        gradients: Tensor,
        slots: tuple[Tensor, ...],
        rate: Tensor,
        step: int | Count,
    ) -> None:
        if has_decay:
            gradients.addcmul_(parameters, decay)
        corrected = rate / correction(beta1, step)
        moments(parameters, gradients, slots, corrected, step, beta1=beta1, beta2=beta2, eps=eps)

    return Optimizer(lr, schedule, clip, slots=2, update=update, is_pointwise=True, is_adaptive=True)
