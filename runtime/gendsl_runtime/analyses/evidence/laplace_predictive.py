"""Predictions of Laplace's approximation."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from scipy.special import logsumexp
from torch import Tensor

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.laplace import Laplace, check_loss, laplace, output_variances, sampled_outputs
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "log_likelihood": "nats",
        "map_log_likelihood": "nats",
        "error": "1",
        "joint": "nats",
        "joint_error": "nats",
        "variance": "1",
        "prior_precision": "1",
    },
    shares=["error"],
    paper=["immer2021improving", "daxberger2021laplace", "lotfi2022bayesian"],
)
def laplace_predictive(
    runs: Runs,
    *,
    on: SplitName = "test",
    trained: SplitName = "train",
    structure: Literal["full", "kronecker", "diagonal", "last_layer"] = "kronecker",
    link: Literal["probit", "samples"] = "probit",
    samples: Count = 100,
    prior_precision: Positive = 1.0,
    noise: Positive = 1.0,
    tune: Literal["none", "prior", "both"] = "none",
) -> dict[str, np.ndarray]:
    """Predictions averaged over Laplace's posterior of the linearised network, and the conditional evidence.

    Outputs are `f(x) + J(x) (w' - w)` with `w' ~ N(w, (H + a I)^-1)` (Immer, Korzepa and Bauer 2021; H and a as in
    `laplace_evidence`, from the split `trained`); sampling the weights of the network itself instead collapses for
    small a. Classes: `probit`, `softmax(f / sqrt(1 + pi v / 8))` with the variances v of the outputs (MacKay 1992), or
    the mean softmax over `samples` draws. Numbers: normal with variance `v + noise^2`.

    `joint` is the log-likelihood of the whole split by functions drawn from the posterior,

        log (1 / S) sum_s prod_i p(y_i | f_s(x_i)),

    the conditional marginal likelihood `log p(D_rest | D_trained)` of Lotfi et al. (2022) where the split was not
    trained on. `joint_error` is its standard error by the delta method (NaN for one draw); where it is near 1 one draw
    has all the weight, and the value is too low. BatchNorm has its running statistics, dropout is off.

    Args:
        on: the split predicted.
        trained: the split whose curvature is taken.
        structure: of H.
        link: from outputs to probabilities; without effect for numbers.
        samples: draws S.
        prior_precision: a, where it is not tuned.
        noise: standard deviation of the noise of a regression.
        tune: `none`, or `prior` (and noise: `both`) by the largest evidence on `trained`.

    Returns:
        mean `log_likelihood` of an example (nats), that of the trained weights alone, the share of errors (NaN for
        numbers), `joint` with its error (nats, of the whole split), the mean variance of an output, and a.
    """
    check_loss(runs, measure="laplace_predictive")
    found = laplace(runs, on=trained, structure=structure, precision=prior_precision, noise=noise)
    rows = [
        _predicted(runs.select([place]), posterior.tuned(tune), on, link, samples)
        for place, posterior in enumerate(found)
    ]
    names = [
        "log_likelihood",
        "map_log_likelihood",
        "error",
        "joint",
        "joint_error",
        "variance",
        "prior_precision",
    ]
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _predicted(one: Runs, posterior: Laplace, on: str, link: str, samples: int) -> tuple[float, ...]:
    """The quantities of one member, in their order."""
    is_classes = one.data[0].task == "classification"
    mean, best, wrong, spread = 0.0, 0.0, 0.0, 0.0
    joint = np.zeros(samples)
    examples = one.split(on)[0].shape[1]
    for inputs, targets in one.chunks(on):
        with torch.no_grad():
            outputs = one.outputs(inputs)[0].double()
        variances = output_variances(one, inputs, posterior)
        drawn = sampled_outputs(one, inputs, posterior, samples=samples)
        each = (
            _class_likelihoods(outputs, variances, drawn, targets[0], link)
            if is_classes
            else _normal_likelihoods(outputs, variances, drawn, targets[0].T, posterior.noise)
        )
        mean, best = mean + float(each[0].sum()), best + float(each[1].sum())
        joint += each[2].sum(1).cpu().numpy()
        wrong += float(each[3].sum())
        spread += float(variances.mean(0).sum())
    weights = np.exp(joint - joint.max())
    effective = weights.sum() ** 2 / (weights**2).sum()
    spare = samples - 1
    error = math.sqrt(max(0.0, samples / effective - 1) / spare) if spare else math.nan
    return (
        mean / examples,
        best / examples,
        wrong / examples if is_classes else math.nan,
        float(logsumexp(joint) - math.log(samples)),
        error,
        spread / examples,
        posterior.precision,
    )


def _class_likelihoods(
    outputs: Tensor, variances: Tensor, drawn: Tensor, labels: Tensor, link: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Log-likelihoods of each example: averaged, of the trained weights, of each draw; and whether it is wrong."""
    place = labels[None]
    of_draws = torch.log_softmax(drawn, 1)
    if link == "probit":
        averaged = torch.log_softmax(outputs / torch.sqrt(1 + math.pi / 8 * variances), 0)
    else:
        averaged = torch.logsumexp(of_draws, 0) - math.log(len(drawn))
    plain = torch.log_softmax(outputs, 0).gather(0, place)[0]
    each = of_draws.gather(1, place[None].expand(len(drawn), 1, -1))[:, 0]
    return averaged.gather(0, place)[0], plain, each, averaged.max(0).indices != labels


def _normal_likelihoods(
    outputs: Tensor, variances: Tensor, drawn: Tensor, targets: Tensor, noise: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    def normal(means: Tensor, variance: Tensor | float) -> Tensor:
        whole = torch.as_tensor(variance, dtype=torch.float64).expand_as(means)
        return (-0.5 * ((targets.double() - means).square() / whole + torch.log(2 * math.pi * whole))).sum(-2)

    nothing = torch.zeros(outputs.shape[1])
    return normal(outputs, variances + noise**2), normal(outputs, noise**2), normal(drawn, noise**2), nothing
