"""Frobenius norm of the Hessian."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.component import Count, Natural, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import curvature_product, parts
from gendsl_runtime.measures.probes import check_probes, columns, dots, images, mean
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"norm": "1", "error": "1"},
    paper=["hutchinson1990stochastic", "schraudolph2002fast", "kunstner2019limitations"],
)
def hessian_norm(
    runs: Runs,
    *,
    on: SplitName = "train",
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    method: Literal["hutchinson", "exact"] = "hutchinson",
    probes: Count = 32,
    samples: Natural = 0,
) -> dict[str, Tensor]:
    """Frobenius norm of the Hessian of the training loss over a whole split, or of what stands for it.

    `|A|_F = sqrt(sum_ij A_ij^2) = sqrt(tr A^2)`, with `tr A^2 = E[|A v|^2]` for random signs v (Hutchinson
    1990). `exact` sums the squares of all columns, one product a parameter: for small networks. The matrices,
    the loss, BatchNorm and dropout (evaluation mode) are those of `hessian_top`.

    Numerical error: `error` is the standard error over probes by the delta method, 0 for `exact`. The square of
    the norm is unbiased, the norm itself low by about error^2 / (2 norm).

    Args:
        on: the split; `fit` is everything the run was trained on.
        operator: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        method: `hutchinson` or `exact`.
        probes: matrix-vector products, at least 2; `exact` takes no notice.
        samples: labels drawn for each example for `fisher`; 0 is the exact expectation.

    Returns:
        `norm` and its standard error `error`, `(members,)`.
    """
    check_probes(probes)
    size, norms, errors = vectors.size(runs.state.parameters), [], []
    for part in parts(runs, on=on, rows=3):
        product = curvature_product(part, on=on, operator=operator, samples=samples)
        if method == "exact":
            total = torch.zeros(part.members, dtype=torch.float64, device=part.device)
            for column in columns(product, part.members, size, part.device):
                total += dots(column, column)
            norms.append(total.sqrt())
            errors.append(torch.zeros_like(total))
            continue
        seen = images(product, "hessian_norm", part.seeds, size, probes, part.device)
        square = mean(torch.stack([dots(image, image) for _, image in seen], dim=1))
        norms.append(square.value.sqrt())
        errors.append(square.error / (2 * norms[-1]).clamp_min(torch.finfo(torch.float64).tiny))
    return {"norm": torch.cat(norms), "error": torch.cat(errors)}
