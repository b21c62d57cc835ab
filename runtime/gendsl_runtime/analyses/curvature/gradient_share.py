"""Share of the gradient in the top subspace."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Flag, Natural, Positive, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import gradient, is_converged, rounding, top_spaces
from gendsl_runtime.measures.lanczos import Search
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "share": "1",
        "by_rank": "1 [rank]",
        "by_chance": "1",
        "gradient_norm": "1",
        "converged": "1",
    },
    shares=["share", "by_rank", "by_chance"],
    axes={"rank": "number of top eigenvectors, from 1"},
    paper=["gurari2018gradient", "lanczos1950iteration"],
)
def gradient_share(
    runs: Runs,
    *,
    count: Count = 10,
    on: SplitName = "train",
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    tolerance: Positive = 1e-3,
    iterations: Count = 200,
    repeated: Flag = True,
    samples: Natural = 0,
) -> dict[str, Tensor | np.ndarray]:
    """Share of the gradient that lies in the span of the top eigenvectors of the Hessian.

    `|P_k g|^2 / |g|^2` with the gradient g of the mean training loss over a whole split and the projection P_k
    on the eigenvectors of the k largest eigenvalues (Gur-Ari, Roberts and Dyer 2018, who take k as the number of
    classes). A vector that knows nothing of the Hessian has the share k / P, `by_chance`. The matrices, the
    loss, BatchNorm and dropout (evaluation mode) are those of `hessian_top`.

    Numerical error: the eigenvectors are Ritz vectors with residuals below `tolerance` of the largest modulus
    where `converged` is 1; the span errs by at most residual / gap to the next eigenvalue. Each share of an
    unconverged span is a true share of a subspace, just not of the top one. NaN where the gradient is 0.

    Args:
        count: k.
        on: the split; `fit` is everything the run was trained on.
        operator: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        tolerance: residual at which an eigenvector counts as converged, relative to the largest modulus.
        iterations: matrix-vector products at most.
        repeated: search for further copies of an eigenvalue, as in `hessian_top`.
        samples: labels drawn for each example for `fisher`; 0 is the exact expectation.

    Returns:
        `share` for k = `count`; `by_rank` `(members, rank)` for every k up to it; `gradient_norm` `|g|`;
        `converged`, 1 where all eigenvectors are.
    """
    size = vectors.size(runs.state.parameters)
    if count > size:
        raise Problem(
            "out-of-range", f"{count} eigenvectors of a network with {size} parameters", help=f"count={size}"
        )
    search = Search(
        count,
        iterations=max(count, iterations),
        tolerance=tolerance,
        repeated=repeated,
        rounding=rounding(runs),
    )
    spaces = top_spaces(runs, search, on=on, operator=operator, samples=samples, purpose="gradient_share")
    slopes = [gradient(runs.select([member]), on=on)[0] for member in range(runs.members)]
    shares = torch.stack(
        [
            (space.pairs.vectors @ slope).square().cumsum(0) / slope.square().sum()
            for space, slope in zip(spaces, slopes, strict=True)
        ]
    )
    return {
        "share": shares[:, -1],
        "by_rank": shares,
        "by_chance": torch.full((runs.members,), count / size, dtype=torch.float64),
        "gradient_norm": torch.stack([slope.norm() for slope in slopes]),
        "converged": torch.stack([is_converged(space, search).amin() for space in spaces]),
        "rank": np.arange(1, count + 1),
    }
