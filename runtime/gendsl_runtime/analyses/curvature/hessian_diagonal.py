"""Diagonal of the Hessian."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Natural, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import Operator, curvature_product, parts
from gendsl_runtime.measures.diagonals import exact_diagonal
from gendsl_runtime.measures.probes import check_probes, columns, images
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"diagonal": "1 [parameter]", "error": "1 [parameter]"},
    axes={"parameter": "place in the vector of all parameters, from 1, tensors in the order of the network"},
    paper=["bekas2007estimator", "schraudolph2002fast", "kunstner2019limitations"],
)
def hessian_diagonal(
    runs: Runs,
    *,
    on: SplitName = "train",
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    method: Literal["hutchinson", "exact"] = "hutchinson",
    probes: Count = 32,
    samples: Natural = 0,
) -> dict[str, Tensor | np.ndarray]:
    """Second derivatives of the training loss by each parameter, or the diagonal of what stands for the Hessian.

    `A_ii = E[v_i (A v)_i]` for random signs v, the mean over `probes` of them (Bekas, Kokiopoulou and Saad 2007
    without their normalisation, which signs do not need): unbiased, with variance `sum_{j != i} A_ij^2` a probe.
    `exact`: of `ggn`, `fisher` and `empirical_fisher` one backward pass for each output (for the last, one in
    all) and squares of per-example gradients from the layers' own factors, for networks of dense layers,
    convolutions and norms; of `hessian` one product for each parameter, for small networks. The matrices, the
    loss, BatchNorm and dropout (evaluation mode) are those of `hessian_top`.

    Numerical error: `error` is the standard error over probes, 0 for `exact`.

    Args:
        on: the split; `fit` is everything the run was trained on.
        operator: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        method: `hutchinson` or `exact`.
        probes: matrix-vector products, at least 2; `exact` takes no notice.
        samples: labels drawn for each example for `fisher`; 0 is the exact expectation.

    Returns:
        `diagonal` and its standard error `error`, `(members, parameter)`.
    """
    check_probes(probes)
    size = vectors.size(runs.state.parameters)
    if method == "exact" and operator != "hessian":
        values = exact_diagonal(runs, on=on, operator=operator, samples=samples)
        errors = torch.zeros_like(values)
    else:
        count = None if method == "exact" else probes
        found = [_diagonal(part, on, operator, count, samples) for part in parts(runs, on=on, rows=5)]
        values, errors = (torch.cat(each) for each in zip(*found, strict=True))
    return {"diagonal": values, "error": errors, "parameter": np.arange(1, size + 1)}


def _diagonal(
    runs: Runs, on: str, operator: Operator, probes: int | None, samples: int
) -> tuple[Tensor, Tensor]:
    """Values and standard errors; without probes from all columns."""
    size = vectors.size(runs.state.parameters)
    product = curvature_product(runs, on=on, operator=operator, samples=samples)
    if probes is None:
        every = enumerate(columns(product, runs.members, size, runs.device))
        whole = torch.stack([column[:, place] for place, column in every], dim=1)
        return whole, torch.zeros_like(whole)
    first = second = torch.zeros(runs.members, size, dtype=torch.float64, device=runs.device)
    for count, (v, image) in enumerate(
        images(product, "hessian_diagonal", runs.seeds, size, probes, runs.device)
    ):
        # Welford's recurrence: the sum of squares would lose what is small beside the mean.
        step = v * image - first
        first = first + step / (count + 1)
        second = second + step * (v * image - first)
    return first, (second / (probes - 1) / probes).sqrt()
