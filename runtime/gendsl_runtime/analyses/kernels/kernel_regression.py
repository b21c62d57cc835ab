"""Regression with the kernel of a network."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, NonNegative, SplitName, analysis
from gendsl_runtime.measures.kernels import first, kernel, members, regression_targets, solved
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "accuracy": "1",
        "mse": "1",
        "train_accuracy": "1",
        "train_mse": "1",
        "condition": "1",
    },
    shares=["accuracy", "train_accuracy"],
    paper=["lee2018deep", "arora2019exact", "lee2020finite"],
)
def kernel_regression(
    runs: Runs,
    *,
    kind: Literal["empirical", "ntk", "nngp"] = "ntk",
    ridge: NonNegative = 1e-6,
    on: SplitName = "train",
    against: SplitName = "test",
    examples: Count = 1000,
) -> dict[str, Tensor | np.ndarray]:
    """How well regression with a network's kernel does on other data.

    `f(x) = K(x, X) (K(X, X) + r m I)^-1 Y` with m the mean of the diagonal of K(X, X). With `nngp` this is
    the mean of the Gaussian process that an infinitely wide network is before training (Lee et al. 2018), r m
    being the variance of its noise; with `ntk` the mean over starts of infinitely wide networks after
    training on squares to the end (Arora et al. 2019; without noise r = 0); with `empirical` the same of this
    network linearised where it is, less its outputs there. Classes are one-hot vectors less 1/C, and the
    largest output is the answer (Lee et al. 2020). Outputs share one kernel (the mean over outputs).
    Evaluation mode.

    Numerical error: by eigenvalues in float64, those below N eps of the largest left out; relative error
    about `condition` times 1e-15. `condition` is that of what is inverted.

    Args:
        kind: `ntk` or `nngp` of infinite width (see `tangent_kernel`), or the run's own, `empirical`.
        ridge: r; Lee et al. (2020) choose it on held-out data.
        on: the split learned from.
        against: the split predicted.
        examples: of each the first ones, or all if there are fewer.

    Returns:
        `accuracy` (NaN in regression) and `mse` (mean over examples and outputs, of one-hot vectors less 1/C)
        on the other split and on the one learned from, each `(members,)`.
    """
    found = [_scores(member, kind, ridge, on, against, examples) for member in members(runs)]
    return {name: torch.tensor([one[name] for one in found], dtype=torch.float64) for name in found[0]}


def _scores(
    member: Runs,
    kind: Literal["empirical", "ntk", "nngp"],
    ridge: float,
    on: str,
    against: str,
    examples: int,
) -> dict[str, float]:
    inputs, labels = first(member, on, examples)
    gram, targets = kernel(member, inputs, kind=kind), regression_targets(member, labels)
    found = solved(gram, targets, ridge=ridge)
    others, truth = first(member, against, examples)
    across = kernel(member, others, inputs, kind=kind)
    return {
        **_judged(across @ found.weights, regression_targets(member, truth), truth, ""),
        **_judged(gram @ found.weights, targets, labels, "train_"),
        "condition": found.condition,
    }


def _judged(outputs: Tensor, targets: Tensor, labels: Tensor, prefix: str) -> dict[str, float]:
    is_right = torch.nan if labels.is_floating_point() else (outputs.argmax(1) == labels[0]).double().mean()
    return {
        f"{prefix}accuracy": float(is_right),
        f"{prefix}mse": float((outputs - targets).square().mean()),
    }
