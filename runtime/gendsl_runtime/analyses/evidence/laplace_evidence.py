"""Laplace's approximation of the evidence."""

from __future__ import annotations

from typing import Literal

import numpy as np

from gendsl_runtime.component import Positive, SplitName, analysis
from gendsl_runtime.measures.laplace import check_loss, laplace
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "log_evidence": "nats",
        "log_likelihood": "nats",
        "per_example": "nats",
        "prior_precision": "1",
        "noise": "1",
        "effective_parameters": "1",
        "parameters": "1",
    },
    paper=[
        "mackay1992bayesian",
        "immer2021scalable",
        "daxberger2021laplace",
        "martens2015optimizing",
        "grosse2016kronecker",
    ],
)
def laplace_evidence(
    runs: Runs,
    *,
    on: SplitName = "train",
    structure: Literal["full", "kronecker", "diagonal", "last_layer"] = "kronecker",
    prior_precision: Positive = 1.0,
    noise: Positive = 1.0,
    tune: Literal["none", "prior", "both"] = "none",
) -> dict[str, np.ndarray]:
    """Laplace's approximation of the log marginal likelihood at the trained weights.

        log p(D) = log p(D | w) - a |w|^2 / 2 + (P log a - log det(H + a I)) / 2

    with the prior `N(0, I / a)` on the P weights and the generalised Gauss-Newton matrix H of the negative
    log-likelihood, summed over the split (MacKay 1992; Immer et al. 2021). Classes have the likelihood of the softmax
    (train with `cross_entropy`), numbers normal noise of standard deviation `noise` (train with `mse`; H is then
    `J^T J / noise^2`). The formula is exact for a linear regression at its posterior mean; the weights given here
    are taken as they are, so that weight decay should be `a` in the units of the summed log-likelihood.

    H is `full` (at most 5000 parameters), its exact `diagonal`, Kronecker-factored layer by layer (Martens and Grosse
    2015; convolutions by Grosse and Martens 2016, "expand"; a bias has a block of its own, as in Daxberger et al.
    2021; gains and offsets of norms their exact block), or the exact one of the `last_layer` alone, whose weights then
    are all that has a prior. BatchNorm has its running statistics, dropout is off.

    `tune` takes the a of the largest evidence (and, with `both`, the noise of a regression), the weights held: the one
    zero of its slope, to 1e-12 in the logarithm, with a (with `both`, a noise^2) within 1e-12 to 1e12, of which an end
    is taken where the weights are zero or a regression is fitted perfectly. All in float64 but for products in the
    precision of the weights (relative error about 1e-6).

    Args:
        on: the split; `fit` is everything the run was trained on.
        structure: of H.
        prior_precision: a, where it is not tuned.
        noise: standard deviation of the noise of a regression; without effect for classes.
        tune: `none`, `prior` or `both`.

    Returns:
        `log_evidence` and `log_likelihood` (nats, of the whole split), the evidence `per_example`, a, the noise
        (as given for classes), MacKay's number of well-determined parameters `sum e / (e + a)`, and P.
    """
    check_loss(runs, measure="laplace_evidence")
    found = laplace(runs, on=on, structure=structure, precision=prior_precision, noise=noise)
    members = [one.tuned(tune) for one in found]
    examples = runs.split(on)[0].shape[1]
    evidence = np.array([one.log_evidence for one in members])
    return {
        "log_evidence": evidence,
        "log_likelihood": np.array([one.log_likelihood for one in members]),
        "per_example": evidence / examples,
        "prior_precision": np.array([one.precision for one in members]),
        "noise": np.array([one.noise for one in members]),
        "effective_parameters": np.array([one.effective for one in members]),
        "parameters": np.array([one.parameters for one in members]),
    }
