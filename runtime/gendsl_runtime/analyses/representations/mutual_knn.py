"""Shared neighbours in layers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.features import prepared_pairs, sides
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"mutual_knn": "1 [layer, other_layer]", "chance": "1"},
    shares=["mutual_knn", "chance"],
    axes={"layer": "layer of the run", "other_layer": "layer of the other run, or again of the same"},
    paper="huh2024platonic",
)
def mutual_knn(
    runs: Runs,
    *,
    other: Runs | None = None,
    neighbours: Count = 10,
    on: SplitName = "test",
    examples: Count = 512,
) -> dict[str, Tensor | np.ndarray]:
    """The share of an example's nearest neighbours that it has in both layers.

    `(1/N) sum_i |S(x_i) n S'(x_i)| / k` with the k nearest other examples in each layer, by the inner product
    of feature vectors of length 1 (Huh et al. 2024, appendix A). `chance` is what unrelated layers share, `k
    / (N - 1)`. Of equally near examples the first ones count. Unchanged by rotations and by a factor on any
    example's features. Layers as in `cka`; evaluation mode, float64. An example whose features are all zero
    has the first k others for neighbours.

    Args:
        other: a second run on the same inputs; without it every layer with every one of the same run.
        neighbours: k, less than the number of examples.
        on: the split of the first run's data.
        examples: its first ones, or all if there are fewer.

    Returns:
        `mutual_knn`, `(members, layer, other_layer)`; `chance`, `(members,)`.
    """
    left, right = sides(runs, other, on, examples)
    count = next(iter(left.values())).shape[2]
    if count <= neighbours:
        raise Problem(
            "out-of-range", f"{neighbours} neighbours among {count} examples", help=f"neighbours={count - 1}"
        )
    found = prepared_pairs(left, right, lambda value: [_near(value, neighbours)], lambda a, b: _shared(a, b))
    chance = torch.full((runs.members,), neighbours / (count - 1), dtype=torch.float64)
    return {
        "mutual_knn": found.values / neighbours,
        "chance": chance,
        "layer": found.layers,
        "other_layer": found.others,
    }


def _near(value: Tensor, neighbours: int) -> Tensor:
    """Whether an example is among the nearest of another one, `(N, N)`."""
    lengths = value.square().sum(0, keepdim=True).sqrt()
    rows = (value / torch.where(lengths > 0, lengths, 1.0)).T
    near = (rows @ rows.T).fill_diagonal_(-torch.inf)
    order = torch.sort(near, dim=1, descending=True, stable=True).indices[:, :neighbours]
    return torch.zeros_like(near).scatter_(1, order, 1.0)


def _shared(left: Tensor, right: Tensor) -> Tensor:
    return (left * right).sum(1).mean()
