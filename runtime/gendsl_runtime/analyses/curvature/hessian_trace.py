"""Trace of the Hessian."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.component import Count, Natural, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import Operator, curvature_product, parts
from gendsl_runtime.measures.probes import Estimate, check_probes, columns, dots, hutch_pp, images, mean
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"trace": "1", "error": "1", "mean_eigenvalue": "1"},
    paper=["hutchinson1990stochastic", "meyer2021hutch", "schraudolph2002fast", "kunstner2019limitations"],
)
def hessian_trace(
    runs: Runs,
    *,
    on: SplitName = "train",
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    method: Literal["hutchinson", "hutch_pp", "exact"] = "hutchinson",
    probes: Count = 32,
    samples: Natural = 0,
) -> dict[str, Tensor]:
    """Trace of the Hessian of the training loss over a whole split, or of what stands for it.

    `tr A = E[v^T A v]` for random signs v (Hutchinson 1990), the mean over `probes` of them. The estimate is
    unbiased, its variance `2 (|A|_F^2 - sum_i A_ii^2) / probes`. `hutch_pp` (Meyer et al. 2021) spends the same
    number of products better where few eigenvalues carry the trace: two thirds on the range of A, where the
    trace is exact, the rest on the remainder. `exact` sums the diagonal, one product a parameter: for small
    networks. The matrices, the loss, BatchNorm and dropout (evaluation mode) are those of `hessian_top`.

    Numerical error: `error` is the standard error over probes, 0 for `exact`; products are in the precision of
    the parameters and summed in float64. With `hutch_pp` it is the error of the remainder.

    Args:
        on: the split; `fit` is everything the run was trained on.
        operator: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        method: `hutchinson`, `hutch_pp` or `exact`.
        probes: matrix-vector products, at least 2; `exact` takes no notice.
        samples: labels drawn for each example for `fisher`; 0 is the exact expectation.

    Returns:
        `trace` with its standard error `error`, and `mean_eigenvalue`, the trace divided by the number of
        parameters, `(members,)` each.
    """
    size = vectors.size(runs.state.parameters)
    check_probes(probes)
    rows = 3 + probes if method == "hutch_pp" else 3
    found = [_trace(part, on, operator, method, probes, samples) for part in parts(runs, on=on, rows=rows)]
    trace = torch.cat([one.value for one in found])
    return {
        "trace": trace,
        "error": torch.cat([one.error for one in found]),
        "mean_eigenvalue": trace / size,
    }


def _trace(runs: Runs, on: str, operator: Operator, method: str, probes: int, samples: int) -> Estimate:
    size = vectors.size(runs.state.parameters)
    product = curvature_product(runs, on=on, operator=operator, samples=samples)
    if method == "hutch_pp":
        return hutch_pp(product, "hessian_trace", runs.seeds, size, probes, runs.device)
    if method == "hutchinson":
        seen = images(product, "hessian_trace", runs.seeds, size, probes, runs.device)
        return mean(torch.stack([dots(probe, image) for probe, image in seen], dim=1))
    total = torch.zeros(runs.members, dtype=torch.float64, device=runs.device)
    for place, column in enumerate(columns(product, runs.members, size, runs.device)):
        total += column[:, place]
    return Estimate(total, torch.zeros_like(total))
