"""PAC-Bayes bound of a Gaussian around the weights."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Positive, Share, SplitName, analysis
from gendsl_runtime.measures import pac_bayes, priors, vectors
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import BLOCK, CACHE, Runs

PRIORS = np.geomspace(1e-4, 10.0, 64)
"""Standard deviations that the prior is chosen from; the choice costs log 64 nats."""


@analysis(
    version=1,
    needs="classification",
    gives={
        "bound": "1",
        "mcallester": "1",
        "quadratic": "1",
        "catoni": "1",
        "is_vacuous": "1",
        "kl": "nats",
        "risk": "1",
        "risk_bound": "1",
        "error": "1",
        "deviation": "1",
        "prior_deviation": "1",
        "distance": "1",
        "bound_at": "1 [sigma]",
        "risk_at": "1 [sigma]",
        "kl_at": "nats [sigma]",
    },
    shares=["risk", "error"],
    axes={"sigma": "standard deviation of the posterior"},
    paper=[
        "dziugaite2017computing",
        "maurer2004note",
        "mcallester1999pac",
        "perezortiz2021tighter",
        "catoni2007pac",
    ],
)
def pac_bayes_bound(
    runs: Runs,
    *,
    on: SplitName = "train",
    other: Runs | None = None,
    prior: Literal["start", "zero"] = "start",
    samples: Count = 150,
    sigmas: list[Positive] = (0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2),  # type: ignore[assignment]
    confidence: Share = 0.95,
    sampling: Share = 0.2,
) -> dict[str, np.ndarray]:
    """Bound on the risk of a network whose weights are drawn from a Gaussian around the trained ones.

    Posterior `Q = N(w, s^2 I)`, prior `P = N(v, t^2 I)`; with probability `confidence` over the N examples and the
    draws, and for all s of the list at once,

        kl(E_Q r || E_Q R) <= (KL(Q || P) + log 64 + log(2 sqrt(N) / delta)) / N       (Maurer 2004)

    for the share of errors r on the split and the risk R. `bound` inverts this exactly; `mcallester` (1999, theorem
    1), `quadratic` (Perez-Ortiz et al. 2021) and `catoni` (2007, union over 64 values of C) are relaxations and
    alternatives: choose one before looking. t is the best of 64 values from 1e-4 to 10, set beforehand: log 64.
    The posterior may be chosen freely, so s costs nothing there, but each s has its own draws: `E_Q r` is bounded by
    `kl^-1(mean over m draws, log(2 G / delta') / m)`, G the number of s (Dziugaite and Roy 2017, theorem 2.5);
    `delta' = sampling (1 - confidence)`, and the rest is delta.

    The prior's mean v is how the network starts, zero, or the weights of `other`, one run for each: `fit.at(epoch=0)`
    or a run trained on other examples (Dziugaite et al. 2021). A prior whose training examples meet the split is
    refused. Only what `other` was trained on itself is looked at, not what a run in its `init` saw.

    A bound of 1 or more is vacuous and is given as it is. Evaluation mode without dropout; buffers that learnt from
    the data (BatchNorm) have no prior and are refused.

    Args:
        on: the split of the bound; all its examples must be independent of the prior.
        other: runs whose weights are the prior's means.
        prior: the prior's mean without `other`: `start`, the weights as first drawn, or `zero`.
        samples: draws m for each s.
        sigmas: values of s.
        confidence: probability with which the bound holds, below 1.
        sampling: share of the failures left for the draws.

    Returns:
        the bounds at the s where `bound` is least, with `kl` (nats, without log 64), the mean `risk` of the draws and
        its `risk_bound`, s, t and `distance` `|w - v|`; `error` of the trained weights themselves; and bound, risk
        and divergence for each s.
    """
    failure = priors.delta(confidence)
    if not 0 < sampling < 1:
        raise Problem(
            "out-of-range", "the draws need a share of the failures between 0 and 1", help="sampling=20%"
        )
    priors.no_data_in_buffers(runs, other=other, on=on, measure="pac_bayes_bound")
    distance = (priors.weights(runs) - _centre(runs, other, prior)).norm(dim=1).cpu().numpy()
    deviations = np.array(sigmas, dtype=np.float64)
    risks = np.stack([_risks(runs.select([one]), deviations, samples, on) for one in range(runs.members)])
    kl, chosen = _divergences(distance, deviations, vectors.size(runs.state.parameters))
    above = pac_bayes.sampled(risks, draws=samples, delta=sampling * failure / len(deviations))
    found = pac_bayes.all_bounds(
        above,
        kl + math.log(len(PRIORS)),
        examples=runs.split(on)[0].shape[1],
        delta=(1 - sampling) * failure,
    )
    best = found["bound"].argmin(axis=1)[:, None]

    def pick(values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(np.broadcast_to(values, risks.shape), best, axis=1)[:, 0]

    return {
        **{name: pick(values) for name, values in found.items()},
        "is_vacuous": (pick(found["bound"]) >= 1).astype(np.int64),
        "kl": pick(kl),
        "risk": pick(risks),
        "risk_bound": pick(above),
        "error": runs.error(on).cpu().numpy(),
        "deviation": pick(deviations),
        "prior_deviation": pick(chosen),
        "distance": distance,
        "bound_at": found["bound"],
        "risk_at": risks,
        "kl_at": kl,
        "sigma": deviations,
    }


def _centre(runs: Runs, other: Runs | None, prior: str) -> Tensor:
    """The prior's means `(members, size)`."""
    if other is not None:
        shapes = {name: value.shape for name, value in other.state.parameters.items()}
        if shapes != {name: value.shape for name, value in runs.state.parameters.items()}:
            raise Problem(
                "wrong-shape",
                "`pac_bayes_bound` needs runs and `other` with the same weights",
                help="give both the same model and data of the same shape",
            )
        return priors.weights(other)
    found = vectors.flat(priors.fresh(runs).parameters).double()
    return torch.zeros_like(found) if prior == "zero" else found


def _divergences(distance: np.ndarray, deviations: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The least divergence over the prior's deviations `(members, sigmas)`, and where it is."""
    kl = pac_bayes.isotropic_kl(
        distance[:, None, None], size=size, deviation=deviations[:, None], prior=PRIORS[None, :]
    )
    return kl.min(axis=2), PRIORS[kl.argmin(axis=2)]


def _risks(member: Runs, deviations: np.ndarray, samples: int, on: str) -> np.ndarray:
    """Mean error of draws around one member, for each deviation; all deviations share the directions."""
    parameters = member.state.parameters
    size = vectors.size(parameters)
    stream = generator("pac_bayes_bound", member.seeds[0])
    examples = min(BLOCK, member.split(on)[0].shape[1])
    widest = max(tensor.shape[1] for tensor in parameters.values())
    step = int(np.clip(CACHE / (8 * size + 8 * examples * widest), 1, 64))
    totals = np.zeros(len(deviations))
    for start in range(0, samples, step):
        count = min(step, samples - start)
        noise = torch.from_numpy(stream.standard_normal((count, size)))
        copies = member.repeated(count)
        centre = vectors.flat(copies.state.parameters).double()
        for place, deviation in enumerate(deviations):
            moved = vectors.shaped(centre + deviation * noise.to(centre.device), copies.state.parameters)
            totals[place] += float(copies.error(on, moved).sum())
    return totals / samples
