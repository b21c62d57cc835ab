"""Overlap of the top subspaces of two runs."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.component import Count, Flag, Natural, Positive, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import is_converged, rounding, top_spaces
from gendsl_runtime.measures.lanczos import Krylov, Search
from gendsl_runtime.measures.pairs import same_parameters
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"overlap": "1", "by_chance": "1", "converged": "1"},
    shares=["overlap", "by_chance"],
    paper=["gurari2018gradient", "lanczos1950iteration"],
)
def top_overlap(
    runs: Runs,
    *,
    other: Runs,
    count: Count = 10,
    on: SplitName = "train",
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    tolerance: Positive = 1e-3,
    iterations: Count = 200,
    repeated: Flag = True,
    samples: Natural = 0,
) -> dict[str, Tensor]:
    """How far the top eigenvectors of the Hessian span the same subspace in two runs or at two epochs.

    `tr(P P') / k` with the projections P and P' on the eigenvectors of the k largest eigenvalues of the two runs'
    Hessians (Gur-Ari, Roberts and Dyer 2018, equation 4): 1 for equal subspaces, 0 for orthogonal ones, k / P
    parameters for random ones, `by_chance`. `top_overlap(fit.at(epoch=[1, 5, 20]), other=fit)` follows the
    subspace through training. The matrices, the loss, BatchNorm and dropout (evaluation mode) are those of
    `hessian_top`, each run on its own data.

    Numerical error: as of the Ritz vectors, see `gradient_share`; `converged` is 1 where both runs' are.

    Args:
        other: the run to compare with, of the same architecture.
        count: k.
        on: the split; `fit` is everything the run was trained on.
        operator: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        tolerance: residual at which an eigenvector counts as converged, relative to the largest modulus.
        iterations: matrix-vector products at most, for each run.
        repeated: search for further copies of an eigenvalue, as in `hessian_top`.
        samples: labels drawn for each example for `fisher`; 0 is the exact expectation.

    Returns:
        `overlap` between 0 and 1, `by_chance` and `converged`, `(members,)` each.
    """
    same_parameters(runs, other, "top_overlap")
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

    def spaces(stack: Runs) -> list[Krylov]:
        return top_spaces(stack, search, on=on, operator=operator, samples=samples, purpose="top_overlap")

    pairs = list(zip(spaces(runs), spaces(other), strict=True))
    shared = [(one.pairs.vectors @ two.pairs.vectors.T).square().sum() / count for one, two in pairs]
    ended = [torch.minimum(*(is_converged(space, search).amin() for space in pair)) for pair in pairs]
    return {
        "overlap": torch.stack(shared),
        "by_chance": torch.full((runs.members,), count / size, dtype=torch.float64),
        "converged": torch.stack(ended),
    }
