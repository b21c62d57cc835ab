"""Full-batch gradient descent."""

from __future__ import annotations

from gendsl_runtime.component import NonNegative, PerMember, Positive, Schedule, Share, optimizer
from gendsl_runtime.optimizers.sgd import sgd
from gendsl_runtime.train.optimizer import Optimizer


@optimizer(version=1, batch="all", paper="geiping2022stochastic")
def gd(
    *,
    lr: PerMember[Positive] = 0.1,  # type: ignore[assignment]
    momentum: PerMember[Share] = 0.0,  # type: ignore[assignment]
    weight_decay: PerMember[NonNegative] = 0.0,  # type: ignore[assignment]
    schedule: Schedule = "constant",
    clip: PerMember[Positive] | None = None,
) -> Optimizer:
    """Gradient descent on the whole training set: one step an epoch, no chance in it.

    `v <- m v + g`, `w <- w - lr v`, `g` the gradient of the mean loss over all examples plus `weight_decay *
    w`. With a schedule and clipping it can generalise as well as SGD (Geiping et al. 2022).

    Args:
        lr: learning rate.
        momentum: m.
        weight_decay: strength of the L2 penalty `weight_decay / 2 * |w|^2`.
        schedule: factor of the learning rate, step by step.
        clip: largest norm of the gradient; a longer one is scaled down.
    """
    return sgd(lr=lr, momentum=momentum, weight_decay=weight_decay, schedule=schedule, clip=clip)
