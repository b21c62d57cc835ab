"""Accuracy under adversarial attack."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Natural, NonNegative, Positive, Real, SplitName, analysis
from gendsl_runtime.measures.attacks import Attack, Ball, check_range
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"accuracy": "1 [radius]", "error": "1 [radius]", "flat": "1 [radius]"},
    shares=["accuracy", "error", "flat"],
    axes={"radius": "size of the perturbation, in units of the inputs"},
    paper=["goodfellow2015explaining", "madry2018towards", "carlini2019evaluating"],
)
def adversarial(
    runs: Runs,
    *,
    radius: list[NonNegative] = (0.1,),  # type: ignore[assignment]
    norm: Literal["linf", "l2"] = "linf",
    attack: Literal["fgsm", "pgd"] = "pgd",
    steps: Count = 20,
    step: Positive = 2.5,
    restarts: Natural = 1,
    objective: Literal["cross_entropy", "margin"] = "cross_entropy",
    low: Real | None = None,
    high: Real | None = None,
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """Share of examples that stay right when each is changed by at most a radius to make the network wrong.

    `fgsm` takes one step to the edge, `x + r sign(g)` or `x + r g / |g|_2`, g the gradient of the objective in x
    (Goodfellow, Shlens and Szegedy 2015). `pgd` starts at a point drawn uniformly from the ball and repeats steps of
    `step * r / steps`, each followed by the projection onto the ball (Madry et al. 2018). An example counts as broken
    if any point on the way is classified wrongly, the start included; of equal outputs the first one counts.

    An attack finds an upper bound of the robust accuracy, never the thing itself: a weak one flatters the network
    (Carlini et al. 2019). `flat` is the share of examples at which the gradient was exactly zero in every start, where
    no attack of this kind can work; the `margin` objective has a gradient also where the softmax is saturated. Radii
    are attacked apart, so accuracy may rise by chance with the radius. Evaluation mode: running statistics, no
    dropout.

    Args:
        radius: sizes of the perturbation, in units of the inputs.
        norm: `linf`, the largest change of one number, or `l2`, the Euclidean length of the change.
        attack: `fgsm` or `pgd`.
        steps: of pgd.
        step: length of one of them, as a multiple of `radius / steps`; 2.5 as in Madry et al.
        restarts: drawn starts of pgd; 0 starts at the input itself.
        objective: what the attack raises: `cross_entropy`, or the `margin`, best wrong output minus right one.
        low: smallest value an input number may take.
        high: largest value an input number may take.
        on: the split.
    """
    check_range(runs, on, low, high)
    examples = runs.split(on)[0].shape[1]
    broken, flat = [], []
    for size in radius:
        ball = Ball(norm, float(size), low, high)
        way = (
            Attack(ball, 1, float(size), 0, objective)
            if attack == "fgsm"
            else Attack(ball, steps, step * size / steps, restarts, objective)
        )
        counts = [
            torch.stack([part.sum(1) for part in way.broken(runs, x, y, block=block)])
            for block, (x, y) in enumerate(runs.chunks(on))
        ]
        wrong, none = torch.stack(counts).sum(0).double()
        broken.append(wrong)
        flat.append(none)
    errors = torch.stack(broken, 1)
    return {
        "accuracy": (examples - errors) / examples,
        "error": errors / examples,
        "flat": torch.stack(flat, 1) / examples,
        "radius": np.array(radius, dtype=float),
    }
