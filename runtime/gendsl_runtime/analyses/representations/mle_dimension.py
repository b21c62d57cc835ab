"""Intrinsic dimension by maximum likelihood."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.features import examples_of, features, labels
from gendsl_runtime.measures.neighbours import nearest
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"mle_dimension": "1 [layer]", "error": "1 [layer]", "used": "1 [layer]"},
    axes={"layer": "layer of the network, after `inputs`, the examples themselves"},
    paper=["levina2004maximum", "mackay2005comments"],
)
def mle_dimension(
    runs: Runs,
    *,
    on: SplitName = "test",
    examples: Count = 1000,
    neighbours: Count = 20,
    average: Literal["dimensions", "inverses"] = "dimensions",
) -> dict[str, Tensor | np.ndarray]:
    """The dimension of the set that a layer's representations lie on, by likelihood from k neighbours.

    At each example `m(x) = [1/(k - 1) sum_{j<k} log(T_k / T_j)]^-1` with the distance T_j to its j-th
    neighbour (Levina and Bickel 2004, equation 8). `dimensions`: their mean, as in that paper; too large by a
    factor of about (k - 1) / (k - 2). `inverses`: one over the mean of `1 / m(x)`, the likelihood of all
    examples together (MacKay and Ghahramani 2005), which is not. `error` is the standard error of the mean
    over examples, as if they were independent: neighbours share distances, so it is too small by a factor
    that stays below sqrt(k). Bias with curvature and few examples as in `twonn`. Unchanged by rotations,
    offsets and a factor.

    Layers as in `cka`; evaluation mode; float64 distances of representations in the precision of the network.
    Examples whose first neighbour lies at the same place, or whose k neighbours are all equally far, have no
    estimate; `used` is how many have. NaN where fewer than 2 do.

    Args:
        on: the split.
        examples: its first ones, or all if there are fewer; more than `neighbours`.
        neighbours: k, at least 3 (the paper averages over 10 to 20).
        average: of the `dimensions`, or of their `inverses`.

    Returns:
        `mle_dimension`, `error` and `used`, `(members, layer)`.
    """
    inputs = examples_of(runs, on, examples)
    count = min(neighbours, inputs.shape[1] - 1)
    if count < 3:
        raise Problem(
            "out-of-range",
            f"a dimension from {count} neighbours",
            help="take at least 3 neighbours, and more examples",
        )
    values = {"inputs": inputs.flatten(2).mT.double(), **features(runs, inputs)}
    found = [[_dimension(own, count, average) for own in value] for value in values.values()]
    table = torch.tensor(found, dtype=torch.float64).permute(2, 1, 0)
    return {"mle_dimension": table[0], "error": table[1], "used": table[2], "layer": labels(values)}


def _dimension(value: Tensor, neighbours: int, average: str) -> tuple[float, float, int]:
    """Estimate, standard error and examples used, of `(features, N)`."""
    apart = nearest(value, neighbours)
    apart = apart[(apart[:, 0] > 0) & (apart[:, -1] > apart[:, 0])]
    inverse = torch.log(apart[:, -1:] / apart[:, :-1]).mean(1)
    count = len(inverse)
    if count < 2:
        return torch.nan, torch.nan, count
    if average == "inverses":
        found = float(1 / inverse.mean())
        return found, float(inverse.std() / count**0.5) * found**2, count
    dimensions = 1 / inverse
    return float(dimensions.mean()), float(dimensions.std() / count**0.5), count
