"""Exact evidence of a Gaussian process."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.spatial.distance import cdist

from gendsl_runtime.component import Count, Positive, Share, SplitName, analysis
from gendsl_runtime.data import Split
from gendsl_runtime.measures.evidence import Process, conditional, log_normal, needs_noise
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["regression", "numbers"],
    gives={
        "log_evidence": "nats",
        "per_example": "nats",
        "conditional": "nats",
        "conditional_error": "nats",
        "conditional_per_example": "nats",
        "test_log_likelihood": "nats",
        "test_loss": "1",
    },
    paper=["rasmussen2006gaussian", "lotfi2022bayesian"],
)
def gp_evidence(
    runs: Runs,
    *,
    on: SplitName = "train",
    test: SplitName = "test",
    kernel: Literal["rbf", "matern12", "matern32", "matern52"] = "rbf",
    lengthscale: Positive = 1.0,
    variance: Positive = 1.0,
    noise: Positive = 0.2,
    share: Share = 0.8,
    orders: Count = 20,
) -> dict[str, np.ndarray]:
    """Exact log marginal likelihood of Gaussian-process regression on the run's data, and the conditional one.

    `log p(D) = log N(y; 0, K + noise^2 I)` (Rasmussen and Williams 2006, equation 2.30), each output a process of its
    own with the same kernel: `rbf` is `variance exp(-r^2 / 2)`, `matern12`, `matern32` and `matern52` are `variance
    exp(-r)`, `variance (1 + sqrt(3) r) exp(-sqrt(3) r)` and `variance (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r)` in
    `r = |x - x'| / lengthscale` of the flattened inputs. Only the data of the runs are used, not their networks. The
    conditional marginal likelihood is `log p(D) - log p(D_first)` averaged over random orders (Lotfi et al. 2022). By
    Cholesky in float64: relative error about 1e-16 times the condition of `K + noise^2 I`.

    Args:
        on: the split that is the data D.
        test: the split predicted from D.
        kernel: of the process.
        lengthscale: in units of the inputs.
        variance: of the function.
        noise: standard deviation of the noise.
        share: how much of D is conditioned on.
        orders: random orders, drawn from the run's seed.

    Returns:
        `log_evidence` and `conditional` (nats, whole), each also for an example that is predicted; the standard error
        of `conditional` over orders (NaN for one); mean `test_log_likelihood` of an example; `test_loss`, the mean
        squared error of the posterior mean.
    """
    needs_noise(noise)
    rows = []
    for data, seed in zip(runs.data, runs.seeds, strict=True):
        x, y = _numbers(data.split(on))
        new, aims = _numbers(data.split(test))
        inner, across = (variance * _correlation(cdist(x, z) / lengthscale, kernel) for z in (x, new))
        processes = [Process(inner, column, noise) for column in y.T]
        stream = generator("gp_evidence", seed)
        drawn = [stream.permutation(len(x)) for _ in range(orders)]

        def whole(rows: np.ndarray, processes: list[Process] = processes) -> float:
            return sum(process.log_evidence(rows) for process in processes)

        rest = conditional(whole, examples=len(x), outputs=1, share=share, orders=drawn)
        evidence = whole(np.arange(len(x)))
        likelihood, squares = 0.0, 0.0
        for process, column in zip(processes, aims.T, strict=True):
            means, spread = process.predicted(across, np.full(len(new), variance))
            likelihood += float(log_normal(column, means, spread).mean())
            squares += float(((column - means) ** 2).mean()) / aims.shape[1]
        rows.append(
            (
                evidence,
                evidence / len(x),
                rest.mean,
                rest.error,
                rest.mean / max(rest.rest, 1),
                likelihood,
                squares,
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
    )
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _numbers(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Inputs `(examples, numbers)` and targets `(examples, outputs)`, float64."""
    inputs, targets = split.inputs, split.targets
    return inputs.flatten(1).double().numpy(), targets.double().numpy()


def _correlation(r: np.ndarray, kernel: str) -> np.ndarray:
    if kernel == "rbf":
        found: np.ndarray = np.exp(-(r**2) / 2)
    elif kernel == "matern12":
        found = np.exp(-r)
    elif kernel == "matern32":
        found = (1 + math.sqrt(3) * r) * np.exp(-math.sqrt(3) * r)
    else:
        found = (1 + math.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-math.sqrt(5) * r)
    return found
