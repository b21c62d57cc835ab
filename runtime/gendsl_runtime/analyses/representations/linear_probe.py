"""Linear probes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import one_hot

from gendsl_runtime.component import Count, NonNegative, SplitName, analysis
from gendsl_runtime.measures.features import Features, examples_of, features, labels
from gendsl_runtime.runs import Runs

GRADIENT = 1e-7
"""Largest slope at which a logistic probe counts as found."""


@analysis(
    version=1,
    needs="classification",
    gives={"accuracy": "1 [layer]", "train_accuracy": "1 [layer]", "slope": "1 [layer]"},
    shares=["accuracy", "train_accuracy"],
    axes={"layer": "layer of the network, after `inputs`, the examples themselves"},
    paper="alain2017understanding",
)
def linear_probe(
    runs: Runs,
    *,
    kind: Literal["logistic", "ridge"] = "logistic",
    ridge: NonNegative = 1e-3,
    on: SplitName = "train",
    against: SplitName = "test",
    examples: Count = 1000,
    iterations: Count = 500,
) -> dict[str, Tensor | np.ndarray]:
    """How well a linear classifier of each layer's representation does on other examples.

    Alain and Bengio (2017). Features are standardised on the examples that the probe learns from (constant
    ones are zero), and offsets are not penalised. `logistic`: the minimum of `mean_i l_i + ridge / 2 |W|_F^2`
    with cross-entropy l, by L-BFGS with line search from zero; `slope` is the largest partial derivative left
    (converged below 1e-7). `ridge`: the minimum of `mean_i |W x_i + b - y_i|^2 + ridge |W|_F^2` with one-hot
    vectors y, in closed form, whose slope is zero. No chance is involved. Layers as in `cka`, and `inputs`,
    the examples themselves; evaluation mode, float64.

    Args:
        kind: `logistic` or `ridge`.
        ridge: the penalty, per example.
        on: the split that probes learn from.
        against: the split they are judged on.
        examples: of each the first ones, or all if there are fewer.
        iterations: of L-BFGS, at most.

    Returns:
        `accuracy` on the other split, `train_accuracy` and `slope`, `(members, layer)`.
    """
    sets = [examples_of(runs, split, examples) for split in (on, against)]
    wanted = [runs.split(split)[1][:, :examples].cpu() for split in (on, against)]
    values = [_on_cpu({"inputs": part.flatten(2).mT.double(), **features(runs, part)}) for part in sets]
    fit = (
        partial(_ridge, ridge=ridge) if kind == "ridge" else partial(_logistic, ridge=ridge, most=iterations)
    )
    found = [
        [
            _probed(
                fit,
                *_standard(own, values[1][name][member]),
                *(part[member] for part in wanted),
                classes=runs.network.outputs,
            )
            for member, own in enumerate(learned)
        ]
        for name, learned in values[0].items()
    ]
    table = torch.tensor(found, dtype=torch.float64).permute(2, 1, 0)
    return {"accuracy": table[0], "train_accuracy": table[1], "slope": table[2], "layer": labels(values[0])}


def _on_cpu(values: Features) -> Features:
    """Where the search runs, whatever computed the features."""
    return {name: value.cpu() for name, value in values.items()}


Fit = Callable[[Tensor, Tensor, int], tuple[Tensor, float]]
"""From standardised features with a column of ones `(N, features + 1)`, labels and the number of classes to
the weights `(features + 1, classes)` and the largest slope left."""


def _standard(learned: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Both `(features, N)` as `(N, features + 1)`, standardised by the first, with ones in the last column."""
    mean, spread = learned.mean(1, keepdim=True), learned.std(1, correction=0, keepdim=True)
    floor = 1e-12 * learned.abs().amax(1, keepdim=True)
    scale = torch.where(spread > floor, 1 / torch.where(spread > floor, spread, 1.0), 0.0)
    one, two = (((part - mean) * scale).T for part in (learned, others))
    return torch.cat([one, one.new_ones(len(one), 1)], 1), torch.cat([two, two.new_ones(len(two), 1)], 1)


def _probed(
    fit: Fit, learned: Tensor, others: Tensor, labels: Tensor, truth: Tensor, *, classes: int
) -> tuple[float, float, float]:
    """Accuracy on others, on what was learned from, and the slope left."""
    weights, slope = fit(learned, labels, classes)
    shares = [
        float(((x @ weights).argmax(1) == y).double().mean()) for x, y in ((others, truth), (learned, labels))
    ]
    return shares[0], shares[1], slope


def _ridge(x: Tensor, labels: Tensor, classes: int, *, ridge: float) -> tuple[Tensor, float]:
    """Features have mean zero, so the offsets are the means of the targets."""
    targets = one_hot(labels, classes).double()
    features = x[:, :-1]
    values, vectors = torch.linalg.eigh(features.T @ features / len(x))
    shifted = values + ridge
    kept = shifted > len(values) * torch.finfo(x.dtype).eps * shifted.amax()
    inverse = torch.where(kept, 1 / torch.where(kept, shifted, 1.0), 0.0)
    weights = vectors @ (inverse[:, None] * (vectors.T @ (features.T @ targets / len(x))))
    return torch.cat([weights, targets.mean(0, keepdim=True)]), 0.0


def _logistic(x: Tensor, labels: Tensor, classes: int, *, ridge: float, most: int) -> tuple[Tensor, float]:
    targets, rows = one_hot(labels, classes).double(), x.T.contiguous()
    penalty = torch.full((x.shape[1], 1), ridge, dtype=x.dtype)
    penalty[-1] = 0

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = torch.from_numpy(flat).view(-1, classes)
        logs = torch.log_softmax(x @ weights, 1)
        pulled = penalty * weights
        value = (weights * pulled).sum() / 2 - (logs * targets).sum() / len(x)
        slopes = torch.addmm(pulled, rows, logs.exp_().sub_(targets), alpha=1 / len(x))
        return float(value), slopes.numpy().reshape(-1)

    found = minimize(
        loss,
        np.zeros(x.shape[1] * classes),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": most, "maxfun": 2 * most, "gtol": GRADIENT, "ftol": 0.0, "maxcor": 20},
    )
    weights = torch.from_numpy(np.array(found.x)).view(-1, classes)
    return weights, float(np.abs(found.jac).max())
