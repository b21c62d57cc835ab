"""Bound by counting the ways to classify (VC theory)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gendsl_runtime.component import Share, SplitName, analysis
from gendsl_runtime.measures.norms import maps
from gendsl_runtime.measures.priors import delta
from gendsl_runtime.measures.uniform import LINEAR_PIECES, layer_norms, no_max_pooling
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.layer import Layered


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"bound": "1", "is_vacuous": "1", "error": "1", "log_growth": "nats", "vc_dimension": "1"},
    shares=["error"],
    paper="bartlett2019nearly",
)
def vc_bound(runs: Runs, *, on: SplitName = "train", confidence: Share = 0.95) -> dict[str, np.ndarray]:
    """Bound on the error by the number of ways in which networks of this architecture can classify the examples.

    With probability `confidence`, for all weights,

        R <= error + sqrt(8 (log G(2 N) + log(4 / delta)) / N),
        log G(n) <= sum_l min(m_l log 2, log 2 + W_l log(2 e m_l l / W_l))

    (Vapnik and Chervonenkis; the sum is the proof of theorem 6 in Bartlett, Harvey, Liaw and Mehrabian 2019): within a
    cell of the weights where all earlier units are on one side of their bends, units of layer l are polynomials of
    degree l in the W_l weights up to there, and Warren's theorem counts the cells they cut. m_l is n times units times
    bends of the activation; at the output n times the pairs of classes, whose comparisons make the class. G is at most
    C^n. `vc_dimension` is the largest n at which the sum, for two classes, still allows 2^n. Exact counts; nothing
    depends on what the weights are, and the bound is vacuous for almost any network, which is given as it is. For
    chains of dense layers and convolutions with `relu`, `leaky_relu` or `identity` and without max pooling.

    Args:
        on: the split; what was trained on it does not matter.
        confidence: probability with which the bound holds, below 1.

    Returns:
        `bound`; whether it is 1 or more; the share of errors; `log G(2 N)`; and the bound of the VC dimension of one
        output of the network.
    """
    stages = _stages(runs)
    examples, classes = runs.split(on)[0].shape[1], runs.network.outputs
    growth = min(
        log_growth(stages, 2 * examples, pairs=classes * (classes - 1) // 2), 2 * examples * math.log(classes)
    )
    error = runs.error(on).cpu().numpy()
    bound = error + math.sqrt(8 * (growth + math.log(4 / delta(confidence))) / examples)
    return {
        "bound": bound,
        "is_vacuous": (bound >= 1).astype(np.int64),
        "error": error,
        "log_growth": np.full(runs.members, growth),
        "vc_dimension": np.full(runs.members, dimension(stages)),
    }


class Stage(NamedTuple):
    """One layer: its units, the bends of each, and the weights up to it."""

    units: int
    bends: int
    weights: int


def log_growth(stages: list[Stage], examples: int, *, pairs: int) -> float:
    """The logarithm of the number of ways to classify so many examples, at most."""
    total = 0.0
    for depth, stage in enumerate(stages, start=1):
        is_last = depth == len(stages)
        count = examples * (pairs if is_last else stage.units * stage.bends)
        if count:
            warren = math.log(2) + stage.weights * math.log(2 * math.e * count * depth / stage.weights)
            total += (
                warren if count >= stage.weights and warren < count * math.log(2) else count * math.log(2)
            )
    return total


def dimension(stages: list[Stage]) -> int:
    """The largest n with `log G(n) >= n log 2` for one output: no more points can be shattered."""
    low, high = 1, 2
    while log_growth(stages, high, pairs=1) >= high * math.log(2):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if log_growth(stages, middle, pairs=1) >= middle * math.log(2):
            low = middle
        else:
            high = middle
    return low


def _stages(runs: Runs) -> list[Stage]:
    one = runs.select([0])
    layer_norms(one, measure="vc_bound", activations=frozenset(LINEAR_PIECES))
    assert isinstance(runs.network, Layered)
    parts = runs.network.layers
    no_max_pooling(runs, measure="vc_bound")
    activations = [part.name for part in parts if isinstance(part, Pointwise)]
    bends = LINEAR_PIECES[activations[0]] - 1 if activations else 0
    found, weights = [], 0
    for layer in maps(one)[0]:
        names = (f"{layer.name}.weight", f"{layer.name}.bias")
        weights += sum(
            one.state.parameters[name][0].numel() for name in names if name in one.state.parameters
        )
        found.append(Stage(len(layer.rows()), bends, weights))
    return found
