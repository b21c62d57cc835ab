"""Intrinsic dimension from two neighbours."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Share, SplitName, analysis
from gendsl_runtime.measures.features import examples_of, features, labels
from gendsl_runtime.measures.neighbours import nearest
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"twonn": "1 [layer]", "error": "1 [layer]", "used": "1 [layer]"},
    axes={"layer": "layer of the network, after `inputs`, the examples themselves"},
    paper=["facco2017estimating", "ansuini2019intrinsic"],
)
def twonn(
    runs: Runs,
    *,
    on: SplitName = "test",
    examples: Count = 1000,
    estimator: Literal["fit", "likelihood"] = "fit",
    left_out: Share = 0.1,
) -> dict[str, Tensor | np.ndarray]:
    """The dimension of the set that a layer's representations lie on, from the distances to two neighbours.

    With the ratio `mu_i = r_2 / r_1` of the distances of example i to its second and its first neighbour,
    which has the law `P(mu > m) = m^-d` on a set of dimension d that is sampled evenly as far as two
    neighbours go. `fit`: the slope through the origin of `-log(1 - F(mu))` against `log mu`, `F = rank / N`,
    without the largest `left_out` of the ratios (Facco et al. 2017). `likelihood`: `d = (n - 1) / sum log mu`
    of all, which is unbiased. `error` is the standard error `d / sqrt(n)` of the likelihood, and about that
    of the fit; it leaves out the bias that grows with curvature, noise and d (few examples in many dimensions
    give too little). Unchanged by rotations, offsets and a factor.

    Layers as in `cka`; evaluation mode; float64 distances of representations in the precision of the network.
    Examples at the same place as another one have no ratio and are left out; `used` is how many are left. NaN
    where fewer than 4 are.

    Args:
        on: the split.
        examples: its first ones, or all if there are fewer.
        estimator: `fit`, as in the paper, or `likelihood`.
        left_out: share of the largest ratios that the fit leaves out.

    Returns:
        `twonn`, `error` and `used`, `(members, layer)`.
    """
    inputs = examples_of(runs, on, examples)
    if inputs.shape[1] < 4:
        raise Problem("out-of-range", f"a dimension from {inputs.shape[1]} examples", help="take at least 4")
    values = {"inputs": inputs.flatten(2).mT.double(), **features(runs, inputs)}
    found = [[_dimension(own, estimator, left_out) for own in value] for value in values.values()]
    table = torch.tensor(found, dtype=torch.float64).permute(2, 1, 0)
    return {"twonn": table[0], "error": table[1], "used": table[2], "layer": labels(values)}


def _dimension(value: Tensor, estimator: str, left_out: float) -> tuple[float, float, int]:
    """Estimate, standard error and examples used, of `(features, N)`."""
    first, second = nearest(value, 2).unbind(1)
    is_apart = first > 0
    logs = torch.log(second[is_apart] / first[is_apart]).sort().values
    count = len(logs)
    if count < 4 or not logs.sum() > 0:
        return torch.nan, torch.nan, count
    if estimator == "likelihood":
        found = float((count - 1) / logs.sum())
        return found, found / count**0.5, count
    kept = max(2, min(count - 1, int(count * (1 - left_out))))
    ranks = torch.arange(1, kept + 1, dtype=logs.dtype, device=logs.device) / count
    x, y = logs[:kept], -torch.log1p(-ranks)
    if not x.sum() > 0:
        return torch.nan, torch.nan, count
    found = float((x * y).sum() / x.square().sum())
    return found, found / kept**0.5, count
