"""Adam with decoupled weight decay."""

from __future__ import annotations

from torch import Tensor

from gendsl_runtime.component import NonNegative, PerMember, Positive, Schedule, Share, optimizer
from gendsl_runtime.train.count import Count, correction
from gendsl_runtime.train.moments import moments
from gendsl_runtime.train.optimizer import Optimizer


@optimizer(version=1, paper="loshchilov2019decoupled")
def adamw(
    *,
    lr: PerMember[Positive] = 1e-3,  # type: ignore[assignment]
    beta1: Share = 0.9,
    beta2: Share = 0.999,
    eps: Positive = 1e-8,
    weight_decay: PerMember[NonNegative] = 0.01,  # type: ignore[assignment]
    schedule: Schedule = "constant",
    clip: PerMember[Positive] | None = None,
) -> Optimizer:
    """AdamW: `w <- (1 - lr * weight_decay) w`, then Adam's step (Loshchilov and Hutter 2019, algorithm 2).

    As in `torch.optim.AdamW`, the decay follows learning rate and schedule.

    Args:
        lr: learning rate.
        beta1: decay of the first moment.
        beta2: decay of the second moment.
        eps: added to the denominator.
        weight_decay: share of the weights, times the learning rate, that is lost at each step.
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
            parameters.mul_(1 - rate * decay)
        corrected = rate / correction(beta1, step)
        moments(parameters, gradients, slots, corrected, step, beta1=beta1, beta2=beta2, eps=eps)

    return Optimizer(lr, schedule, clip, slots=2, update=update, is_pointwise=True, is_adaptive=True)
