"""Linear regressions whose loss is a known quadratic in the weights."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.models.linear import linear
from gendsl_runtime.network import State
from gendsl_runtime.runs import Runs


def quadratic(
    scales: list[float], *, weights: list[float] | None = None, seeds: tuple[int, ...] = (0,)
) -> Runs:
    """Loss exactly `sum_j (scale_j (w_j - 1))^2`, Hessian `diag(2 scale^2)`; the weights are 1 where not given.

    Example j is n^(1/2) scale_j e_j with target n^(1/2) scale_j, so that the mean over n examples is the sum.
    """
    n = len(scales)
    inputs = torch.diag(torch.tensor(scales, dtype=torch.float64)) * n**0.5
    data = Dataset({"train": Split(inputs, inputs.sum(1, keepdim=True))}, "regression", (n,), 1)
    own = torch.tensor(weights or [1.0] * n, dtype=torch.float64).expand(len(seeds), 1, n).clone()

    def squares(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs[:, 0] - targets[:, :, 0]).square()

    return Runs(
        linear((n,), 1, bias=False), State({"output.weight": own}, {}), (data,) * len(seeds), seeds, squares
    )
