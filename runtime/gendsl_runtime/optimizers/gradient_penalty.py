"""Gradient descent with a penalty on the gradient norm of blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from torch import Tensor

from gendsl_runtime.component import Count, NonNegative, Optimizer, PerMember, Positive, optimizer
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.optimizer import There, corrected, norms

TINY = 1e-12
"""Keeps a gradient of zero from dividing by zero."""
SMALLEST = 1e-7
"""About the rounding of a float32 of size 1."""


@optimizer(
    version=1, paper=("geiping2022stochastic", "smith2021origin", "barrett2021implicit", "liu2019darts")
)
def gradient_penalty(
    base: Optimizer,
    *,
    strength: PerMember[NonNegative] = 0.5,  # type: ignore[assignment]
    blocks: Count = 8,
    epsilon: Positive = 0.01,
    scale: Literal["rate", "constant"] = "rate",
) -> Optimizer:
    """A penalty on the gradients of blocks of examples: what SGD does, without its noise (Geiping et al. 2022).

    The examples of a step, all of them under `gd`, are cut in their order into blocks `b` as equal as can be, and

        L(w) + a/4 mean_b |g_b|^2,    g_b = grad L_b(w)

    is descended, where a mean over blocks counts each example alike. For `a` equal to the learning rate this is the
    loss that SGD on these blocks, in random order, follows in the mean up to terms of third order (Smith et al. 2021;
    with one block that of gradient descent, Barrett and Dherin 2021). With `scale=rate`, `a` is `strength` times the
    learning rate of the step, warm-up and schedule included; with `scale=constant` it is `strength` itself.

    The gradient of the penalty, `a/2 mean_b H_b g_b`, is taken by forward differences of gradients,

        H_b g_b = |g_b| [grad L_b(w + e_b) - g_b] / epsilon + O(epsilon),    e_b = epsilon g_b / |g_b|

    with the rule for the length of `e_b` of Liu et al. (2019, section 2.3). The error is at most `a/4 |g_b| epsilon`
    times the largest third derivative of `L_b` on the way. In single precision much smaller an `epsilon` loses to
    rounding. The authors' code leaves out the factor 2 in the derivative of a square when it takes differences: its
    `block_strength=0.5` is `strength=0.25` here.

    Each block is a pass of its own, so norms over the batch see one block at a time and move their running statistics
    after each, in the order of the blocks, as there; both passes of a block have the same dropout, those of different
    blocks have different ones. Losses, errors and running statistics are those at `w`. Clipping sees the whole
    corrected gradient; it and weight decay are the business of `base`: the decay is no part of `g_b`. A step costs two,
    and one with `strength=0`, which takes the gradient of `base` block by block: a batch of any size needs the memory
    of one block.

    Args:
        base: the optimizer that takes the step, with its learning rate and schedule.
        strength: `a`, or `a` over the learning rate.
        blocks: how many, or one for each example where there are fewer.
        epsilon: Euclidean length of the step of the differences, over all parameters.
        scale: whether the penalty follows the learning rate.
    """
    if epsilon < SMALLEST:
        raise Problem(
            "out-of-range",
            f"`epsilon` is {epsilon:g}, and in single precision weights do not feel so short a step",
            help=f"write `epsilon = 0.01`, or at least {SMALLEST:g}",
        )
    made = replace(base, blocks=blocks)
    if not bool(strength.any()):
        return made
    half = strength[:, None] / 2

    def correction(parameters: Tensor, gradients: Tensor, there: There, rate: Tensor) -> Tensor:
        here, lengths = gradients.clone(), norms(gradients)[:, None]
        elsewhere = there(gradients.mul_(epsilon / (lengths + TINY)))
        factor = half * lengths / epsilon
        return here.addcmul_(elsewhere.sub_(here), factor * rate if scale == "rate" else factor)

    return corrected(made, correction)
