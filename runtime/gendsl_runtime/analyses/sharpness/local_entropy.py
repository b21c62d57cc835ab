"""Local entropy."""

from __future__ import annotations

from typing import Literal

import numpy as np

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.anneal import annealed
from gendsl_runtime.measures.copies import level
from gendsl_runtime.measures.curvature import curvature_product, gradient, parts, rounding
from gendsl_runtime.measures.probes import check_probes, rademacher
from gendsl_runtime.measures.quadrature import rules
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "local_entropy": "nats",
        "error": "nats",
        "effective_chains": "1",
        "acceptance": "1",
        "centre": "1",
    },
    shares=["acceptance"],
    paper=[
        "chaudhari2017entropy",
        "baldassi2016unreasonable",
        "neal2001annealed",
        "cotter2013mcmc",
        "ubaru2017fast",
    ],
)
def local_entropy(
    runs: Runs,
    *,
    gamma: Positive = 100.0,
    beta: Positive = 1.0,
    of: Literal["loss", "error"] = "loss",
    method: Literal["annealed", "quadratic"] = "annealed",
    chains: Count = 32,
    temperatures: Count = 20,
    moves: Count = 6,
    steps: Count = 60,
    probes: Count = 10,
    on: SplitName = "train",
) -> dict[str, np.ndarray]:
    """Free energy of the weights around the trained ones: how much of the neighbourhood has a low loss.

    `F = log E_u[exp(-beta L(w + u))]` over `u ~ N(0, 1 / gamma)` in every parameter, L the mean training loss: the
    local entropy of Chaudhari et al. (2017), `log integral exp(-L(w') - gamma |w - w'|^2 / 2) dw'`, less that of the
    Gaussian alone, `n/2 log(2 pi / gamma)`, which is the same for all networks of n parameters. With `of=error` L
    is the share of wrong examples and beta counts them (Baldassi et al. 2016). F <= 0 for losses above 0; the
    larger gamma, the nearer to -beta L(w). beta = N, the number of examples, makes it a log-likelihood.

    - `annealed`: annealed importance sampling (Neal 2001) in `chains` independent chains over `temperatures` powers
      of the factor, with `moves` Metropolis moves at each that leave the Gaussian as it is (Cotter et al. 2013).
      exp F is unbiased, F low by about error^2 / 2. `temperatures=1` is plain importance sampling.
    - `quadratic`: the closed form for the second-order Taylor expansion of L at w, gradient g and Hessian H:
      `-beta L + beta^2 g^T (beta H + gamma)^-1 g / 2 - log det(1 + beta H / gamma) / 2`, the last two by Lanczos
      quadrature (Ubaru, Chen and Saad 2017). Infinite where beta H + gamma has an eigenvalue below 0: then
      the quadratic has no integral.

    Evaluation mode (BatchNorm by its running statistics, no dropout), no weight decay.

    Numerical error: `error` is the standard error over chains (delta method; to be distrusted where
    `effective_chains` is below about 10) or, for `quadratic`, over the probes of the determinant; how far the
    loss is from its expansion is not in it.

    Args:
        gamma: precision of the neighbourhood.
        beta: inverse temperature.
        of: the training `loss`, or the `error`, the share of examples classified wrongly (`annealed` alone).
        method: `annealed` or `quadratic`.
        chains: chains, at least 2.
        temperatures: powers of the factor.
        moves: moves at each power.
        steps: Lanczos steps of `quadratic`.
        probes: random start vectors of `quadratic`, at least 2.
        on: the split; `fit` is everything the run was trained on.

    Returns:
        `local_entropy` and its standard error; `effective_chains` (all of them for `quadratic`), the share of moves
        taken `acceptance` (1 for `quadratic`), and `centre`, L(w), `(members,)` each.
    """
    check_probes(min(probes, chains))
    centre = level(runs, on, of).cpu().numpy()
    if method == "quadratic":
        if of == "error":
            raise Problem("out-of-range", "shares of wrong examples have no Hessian", help="method=annealed")
        values, errors = _quadratic(runs, on, gamma, beta, steps, probes, centre)
        effective, acceptance = np.full(runs.members, float(chains)), np.ones(runs.members)
    else:
        found = [
            annealed(
                runs.select([member]),
                on=on,
                of=of,
                gamma=gamma,
                beta=beta,
                chains=chains,
                temperatures=temperatures,
                moves=moves,
            )
            for member in range(runs.members)
        ]
        values, errors = (np.array([getattr(one, name) for one in found]) for name in ("value", "error"))
        effective = np.array([one.effective_chains for one in found])
        acceptance = np.array([one.acceptance for one in found])
    return {
        "local_entropy": values,
        "error": errors,
        "effective_chains": effective,
        "acceptance": acceptance,
        "centre": centre,
    }


def _quadratic(
    runs: Runs, on: str, gamma: float, beta: float, steps: int, probes: int, centre: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Values and standard errors `(members,)`."""
    size, lifts, halves = vectors.size(runs.state.parameters), [], []

    def inverse(eigenvalues: np.ndarray) -> np.ndarray:
        total = beta * eigenvalues + gamma
        return np.asarray(np.where(total > 0, 1 / np.where(total > 0, total, 1.0), np.inf))

    def volume(eigenvalues: np.ndarray) -> np.ndarray:
        ratio = 1 + beta * eigenvalues / gamma
        return np.asarray(np.where(ratio > 0, np.log(np.where(ratio > 0, ratio, 1.0)), -np.inf))

    for part in parts(runs, on=on, rows=min(steps, size)):
        product = curvature_product(part, on=on, operator="hessian")
        slopes = [gradient(part.select([member]), on=on)[0] for member in range(part.members)]
        along = rules(product, slopes, steps=steps, rounding=rounding(part))
        lifts += [beta**2 * rule.norm * rule.mean(inverse) / 2 if rule.norm else 0.0 for rule in along]
        drawn = []
        for index in range(probes):
            starts = rademacher("local_entropy", part.seeds, size, index).to(part.device)
            every = rules(product, starts, steps=steps, rounding=rounding(part))
            drawn.append([-size * rule.mean(volume) / 2 for rule in every])
        halves += [np.array(own) for own in zip(*drawn, strict=True)]
    values = [-beta * low + lift + half.mean() for low, lift, half in zip(centre, lifts, halves, strict=True)]
    errors = [half.std(ddof=1) / np.sqrt(probes) if np.isfinite(half).all() else np.inf for half in halves]
    return np.array(values), np.array(errors)
