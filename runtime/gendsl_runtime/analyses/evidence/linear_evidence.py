"""Exact evidence of a linear regression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.linalg import qr
from torch import Tensor

from gendsl_runtime.component import Count, Positive, Share, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.evidence import Regression, conditional, log_normal, needs_noise
from gendsl_runtime.measures.gauss_newton import jacobians
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

LARGEST = 2**26
"""Numbers of a Jacobian that is formed."""


@analysis(
    version=2,
    needs="regression",
    gives={
        "log_evidence": "nats",
        "per_example": "nats",
        "conditional": "nats",
        "conditional_error": "nats",
        "conditional_per_example": "nats",
        "test_log_likelihood": "nats",
        "test_loss": "1",
        "parameters": "1",
        "nonlinearity": "1",
    },
    paper=["mackay1992bayesian", "lotfi2022bayesian", "rasmussen2006gaussian"],
)
def linear_evidence(
    runs: Runs,
    *,
    on: SplitName = "train",
    test: SplitName = "test",
    prior_precision: Positive = 1.0,
    noise: Positive = 0.2,
    share: Share = 0.8,
    orders: Count = 20,
) -> dict[str, np.ndarray]:
    """Exact log marginal likelihood of a regression that is linear in what it learns, and the conditional one.

    `y = X w + noise e` with prior `w ~ N(0, I / a)`; X is the Jacobian of the outputs in the weights. Of `linear`,
    `random_features` and `basis` it is the same at all weights, and what they were trained to is without effect: the
    posterior is known. Of any other network this is the exact evidence of its linearisation at the trained weights,
    `f(w) + X (w' - w)` with the prior on w'; `nonlinearity` tells (rounding, about 1e-15, for a linear one).

        log p(D) = log N(y; 0, X X^T / a + noise^2 I)

    The conditional marginal likelihood `log p(D_rest | D_first) = log p(D) - log p(D_first)`, with a share of the
    examples first, is averaged over random orders (Lotfi et al. 2022); share 0 is the evidence itself. By QR of
    `[X / noise; sqrt(a) I]` in float64: relative error about 1e-16 times the condition of that matrix. More weights
    than examples are first turned into a basis of what examples and test points see.

    Args:
        on: the split that is the data D.
        test: the split predicted from the posterior given all of D.
        prior_precision: a.
        noise: standard deviation of the noise.
        share: how much of D is conditioned on.
        orders: random orders, drawn from the run's seed.

    Returns:
        `log_evidence` and `conditional` (nats, whole), each also for an example that is predicted; the standard error
        of `conditional` over orders (NaN for one); mean `test_log_likelihood` of an example, `test_loss`, the mean
        squared error of the posterior mean; the number of weights; and how far outputs at other, standard normal
        weights are from linear, relative to the largest of them.
    """
    needs_noise(noise)
    rows = []
    for place in range(runs.members):
        one = runs.select([place])
        one = replace(one, state=one.state.to(runs.device, torch.float64))
        inputs, targets = one.split(on)
        design, offset = _linear(one, inputs)
        new, aims_new = one.split(test)
        design_new, offset_new = _linear(one, new)
        seen, seen_new = _seen(design, design_new)
        model = Regression(seen, _flat(targets) - offset, prior_precision, noise)
        examples, outputs = inputs.shape[1], one.network.outputs
        stream = generator("linear_evidence", one.seeds[0])
        drawn = [stream.permutation(examples) for _ in range(orders)]
        rest = conditional(model.log_evidence, examples=examples, outputs=outputs, share=share, orders=drawn)
        whole = model.log_evidence(np.arange(examples * outputs))
        means, variances = model.predicted(seen_new)
        aims = _flat(aims_new) - offset_new
        likelihood = log_normal(aims, means, variances).sum() / new.shape[1]
        rows.append(
            (
                whole,
                whole / examples,
                rest.mean,
                rest.error,
                rest.mean / max(rest.rest, 1),
                likelihood,
                ((aims - means) ** 2).mean(),
                design.shape[1],
                _nonlinearity(one, inputs, design, offset),
            )
        )
    names = (
        "log_evidence",
        "per_example",
        "conditional",
        "conditional_error",
        "conditional_per_example",
        "test_log_likelihood",
        "test_loss",
        "parameters",
        "nonlinearity",
    )
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _flat(targets: Tensor) -> np.ndarray:
    found: np.ndarray = targets[0].cpu().numpy().ravel()
    return found


def _seen(design: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same two matrices for weights `Q^T w` with Q a basis of what their rows span, where these are fewer than the
    weights: the prior is alike in all bases, and what no row sees has no effect."""
    both = np.vstack([design, new])
    if both.shape[1] <= len(both):
        return design, new
    (r,) = qr(both.T, mode="r")
    turned: np.ndarray = r[: len(both)].T
    return turned[: len(design)], turned[len(design) :]


def _linear(one: Runs, inputs: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """X `(examples * outputs, size)` and what the targets are counted from, `f(w) - X w` at the weights at hand."""
    rows = inputs.shape[1] * one.network.outputs
    size = vectors.size(one.state.parameters)
    if rows * size > LARGEST:
        raise Problem(
            "too-large",
            f"a Jacobian of {rows} x {size} numbers is not formed",
            help="take fewer examples, or `laplace_evidence`, which needs none",
        )
    design: np.ndarray = torch.cat(list(jacobians(one, inputs))).flatten(0, 1).cpu().numpy()
    weights = vectors.flat(one.state.parameters)[0].cpu().numpy()
    with torch.no_grad():
        outputs: np.ndarray = one.outputs(inputs)[0].T.cpu().numpy().ravel()
    return design, outputs - design @ weights


def _nonlinearity(one: Runs, inputs: Tensor, design: np.ndarray, offset: np.ndarray) -> float:
    """How far outputs at other weights are from those of the linear model, relative to the largest."""
    stream = generator("linear_evidence.check", one.seeds[0])
    moved = {
        name: torch.from_numpy(stream.standard_normal(value.shape)).to(value)
        for name, value in one.state.parameters.items()
    }
    weights = vectors.flat(moved)[0].cpu().numpy()
    with torch.no_grad():
        outputs = one.outputs(inputs, moved)[0].T.cpu().numpy().ravel()
    return float(np.abs(outputs - offset - design @ weights).max() / np.abs(outputs).max())
