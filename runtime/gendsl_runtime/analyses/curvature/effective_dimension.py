"""Effective dimension."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Natural, Positive, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import curvature_product, parts, rounding
from gendsl_runtime.measures.lanczos import Product
from gendsl_runtime.measures.probes import check_probes, columns, rademacher
from gendsl_runtime.measures.quadrature import rules
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"effective_dimension": "1", "error": "1"},
    paper=["mackay1992bayesian", "maddox2020rethinking", "ubaru2017fast", "schraudolph2002fast"],
)
def effective_dimension(
    runs: Runs,
    *,
    on: SplitName = "train",
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    regularisation: Positive = 1.0,
    scale: Literal["sum", "mean"] = "sum",
    method: Literal["slq", "exact"] = "slq",
    steps: Count = 60,
    probes: Count = 10,
    samples: Natural = 0,
) -> dict[str, np.ndarray]:
    """Number of directions that the data determine, beside a prior of a given precision.

    `N_eff = sum_i lambda_i / (lambda_i + z)` over the eigenvalues of the Hessian of the training loss (MacKay
    1992, there gamma; Maddox, Benton and Wilson 2020) or of what stands for it, by stochastic Lanczos
    quadrature (Ubaru, Chen and Saad 2017) or, for small networks, from all eigenvalues. With `scale=sum` the
    loss is summed over examples, as in a log-likelihood, so that z is the precision of a normal prior; with
    `mean` it is their mean. Negative eigenvalues count as zero. The matrices, the loss, BatchNorm and dropout
    (evaluation mode) are those of `hessian_top`; weight decay is no part of the loss.

    Numerical error: `error` is the standard error over probes, 0 for `exact`.

    Args:
        on: the split; `fit` is everything the run was trained on.
        operator: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        regularisation: z.
        scale: `sum` or `mean` over examples.
        method: `slq`, or `exact`, one product a parameter.
        steps: Lanczos steps for each probe.
        probes: random start vectors, at least 2.
        samples: labels drawn for each example for `fisher`; 0 is the exact expectation.

    Returns:
        `effective_dimension`, between 0 and the number of parameters, and its standard error, `(members,)`.
    """
    check_probes(probes)
    factor = runs.split(on)[0].shape[1] if scale == "sum" else 1
    size, values, errors = vectors.size(runs.state.parameters), [], []

    def share(eigenvalues: np.ndarray) -> np.ndarray:
        positive = factor * np.maximum(eigenvalues, 0.0)
        return np.asarray(positive / (positive + regularisation))

    for part in parts(runs, on=on, rows=size if method == "exact" else min(steps, size)):
        product = curvature_product(part, on=on, operator=operator, samples=samples)
        if method == "exact":
            values += [float(share(own).sum()) for own in spectra(product, part.members, size, part.device)]
            errors += [0.0] * part.members
            continue
        found = []
        for index in range(probes):
            starts = rademacher("effective_dimension", part.seeds, size, index).to(part.device)
            at = rules(product, starts, steps=steps, rounding=rounding(part))
            found.append([size * rule.mean(share) for rule in at])
        for own in np.array(found).T.copy():
            values.append(float(own.mean()))
            errors.append(float(own.std(ddof=1) / np.sqrt(probes)))
    return {"effective_dimension": np.array(values), "error": np.array(errors)}


def spectra(product: Product, members: int, size: int, device: torch.device) -> list[np.ndarray]:
    """All eigenvalues of each member's matrix, ascending."""
    whole: Tensor = torch.stack(list(columns(product, members, size, device)), dim=2)
    return [np.linalg.eigvalsh((one + one.T).cpu().numpy() / 2) for one in whole]
