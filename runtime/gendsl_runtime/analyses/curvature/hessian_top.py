"""Top eigenvalues of the Hessian."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Flag, Natural, Positive, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import is_converged, rounding, top_spaces
from gendsl_runtime.measures.lanczos import Search
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=2,
    gives={
        "eigenvalue": "1 [rank]",
        "residual": "1 [rank]",
        "converged": "1 [rank]",
        "products": "1",
    },
    axes={"rank": "place in the order of eigenvalues, from 1"},
    neutral={"operator": "hessian", "samples": 0},
    paper=[
        "lanczos1950iteration",
        "ghorbani2019investigation",
        "schraudolph2002fast",
        "kunstner2019limitations",
    ],
)
def hessian_top(
    runs: Runs,
    *,
    count: Count = 5,
    on: SplitName = "train",
    which: Literal["largest", "smallest", "magnitude"] = "largest",
    tolerance: Positive = 1e-3,
    iterations: Count = 200,
    repeated: Flag = True,
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    samples: Natural = 0,
) -> dict[str, Tensor | np.ndarray]:
    """Largest eigenvalues of the Hessian of the training loss over a whole split, or of what stands for it.

    Eigenvalues of `H = d^2/dw^2 (1/N) sum_i l(f_w(x_i), y_i)` over all parameters w, with the training loss l
    in evaluation mode (BatchNorm by its running statistics, no dropout) and without weight decay; all N
    examples count equally, however they are cut into chunks. Lanczos iteration with full
    re-orthogonalisation and Rayleigh-Ritz in float64 on products in the precision of the parameters (Lanczos
    1950; Ghorbani, Krishnan and Xiao 2019 for networks).

    Instead of H, `operator` may be `ggn`, `J^T (d^2 l/df^2) J` with J = df/dw (Schraudolph 2002); `fisher`,
    `E_y[s s^T]` with s = d/dw log p(y | f) and y from the model itself (softmax of the outputs; for a
    regression the normal distribution whose -log p is the mean squared error), the expectation exact or over
    labels drawn; or `empirical_fisher`, the mean of `g g^T` with the gradient g of each example's loss, which
    is no Fisher matrix (Kunstner, Balles and Hennig 2019).

    Numerical error: an eigenvalue lies within `residual = |H v - eigenvalue v|_2` of each value given (v of
    length 1), and, where it is well apart from the others, within residual^2 / gap; float32 products add
    about 1e-6 of the largest. Unconverged values are given with their residual and `converged` 0, never left
    out.

    Args:
        count: how many eigenvalues.
        on: the split; `fit` is everything the run was trained on.
        which: from the largest down, from the smallest up, or by modulus.
        tolerance: residual at which an eigenvalue counts as converged, relative to the largest modulus.
        iterations: matrix-vector products at most.
        repeated: search further directions, orthogonal to all earlier ones, until they add nothing; a single
            Lanczos run finds one copy of an eigenvalue only. About twice the products.
        operator: the matrix: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        samples: labels drawn for each example for `fisher`, the same in every product; 0 is the exact
            expectation. Other operators take no notice.

    Returns:
        `eigenvalue`, `residual`, `converged` (1 or 0) `(members, rank)`; `products`, matrix-vector products
        used.
    """
    size = vectors.size(runs.state.parameters)
    if count > size:
        raise Problem(
            "out-of-range", f"{count} eigenvalues of a network with {size} parameters", help=f"count={size}"
        )
    search = Search(
        count,
        iterations=max(count, iterations),
        tolerance=tolerance,
        which=which,
        repeated=repeated,
        rounding=rounding(runs),
    )
    spaces = top_spaces(runs, search, on=on, operator=operator, samples=samples)
    return {
        "eigenvalue": torch.stack([space.pairs.values for space in spaces]),
        "residual": torch.stack([space.pairs.residuals for space in spaces]),
        "converged": torch.stack([is_converged(space, search) for space in spaces]),
        "products": torch.tensor([space.products for space in spaces]),
        "rank": np.arange(1, count + 1),
    }
