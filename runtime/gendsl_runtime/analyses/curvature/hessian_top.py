"""Top eigenvalues of the Hessian."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Flag, Positive, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.hessian import graph_size, hessian_product
from gendsl_runtime.measures.lanczos import Krylov, Search, Start, extreme_pairs
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import CACHE, Runs

MEMORY = 2**30
"""Bytes of basis vectors kept at once; larger stacks are taken in parts."""


@analysis(
    version=1,
    gives={
        "eigenvalue": "1 [rank]",
        "residual": "1 [rank]",
        "converged": "1 [rank]",
        "products": "1",
    },
    axes={"rank": "place in the order of eigenvalues, from 1"},
    paper=["lanczos1950iteration", "ghorbani2019investigation"],
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
) -> dict[str, Tensor | np.ndarray]:
    """Largest eigenvalues of the Hessian of the training loss over a whole split.

    Eigenvalues of `H = d^2/dw^2 (1/N) sum_i l(f_w(x_i), y_i)` over all parameters w, with the training loss l
    in evaluation mode and without weight decay; all N examples count equally, however they are cut into
    chunks. Lanczos iteration with full re-orthogonalisation and Rayleigh-Ritz in float64 on Hessian-vector
    products in the precision of the parameters (Lanczos 1950; Ghorbani, Krishnan and Xiao 2019 for networks).

    Numerical error: an eigenvalue lies within `residual = |H v - eigenvalue v|_2` of each value given (v of
    length 1), and, where it is well apart from the others, within residual^2 / gap; float32 products add
    about 1e-6 of the largest. Unconverged values are given with their residual and `converged` 0, never left
    out.

    Args:
        count: how many eigenvalues.
        on: the split; `fit` is everything the run was trained on.
        which: from the largest down, from the smallest up, or by modulus.
        tolerance: residual at which an eigenvalue counts as converged, relative to the largest modulus.
        iterations: Hessian-vector products at most.
        repeated: search further directions, orthogonal to all earlier ones, until they add nothing; a single
            Lanczos run finds one copy of an eigenvalue only. About twice the products.

    Returns:
        `eigenvalue`, `residual`, `converged` (1 or 0) `(members, rank)`; `products`, Hessian-vector products
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
        rounding=_rounding(runs),
    )
    spaces = [space for part in _parts(runs, search, size, on) for space in _spectra(part, search, size, on)]
    values = torch.stack([space.pairs.values for space in spaces])
    residuals = torch.stack([space.pairs.residuals for space in spaces])
    return {
        "eigenvalue": values,
        "residual": residuals,
        "converged": torch.stack([_converged(space, search) for space in spaces]),
        "products": torch.tensor([space.products for space in spaces]),
        "rank": np.arange(1, count + 1),
    }


def _parts(runs: Runs, search: Search, size: int, on: str) -> list[Runs]:
    """The stack in parts whose basis vectors and their images, in float64, fit the memory set aside, and whose
    graphs fit the cache.

    Second derivatives of grouped convolutions round by the number of groups: there each member goes alone.
    """
    step = max(
        1, min(MEMORY // (16 * size * min(search.iterations, size)), int(CACHE // graph_size(runs, on=on)))
    )
    if any(tensor.ndim > 3 for tensor in runs.state.parameters.values()):
        step = 1
    return [runs.select(range(i, min(i + step, runs.members))) for i in range(0, runs.members, step)]


def _spectra(runs: Runs, search: Search, size: int, on: str) -> list[Krylov]:
    starts = [_start(seed, size, runs.device) for seed in runs.seeds]
    return extreme_pairs(
        lambda members: hessian_product(runs.select(members), on=on),
        starts,
        size=size,
        search=search,
        device=runs.device,
    )


def _start(seed: int, size: int, device: torch.device) -> Start:
    return lambda sweep: torch.from_numpy(generator("hessian_top", seed, sweep).standard_normal(size)).to(
        device
    )


def _rounding(runs: Runs) -> float:
    """A hundred units in the last place: what a product may be wrong by."""
    return 100 * max(torch.finfo(tensor.dtype).eps for tensor in runs.state.parameters.values())


def _converged(space: Krylov, search: Search) -> Tensor:
    """1 where the residual is small and, if copies are searched for, the search ended."""
    small = space.pairs.residuals <= search.tolerance * space.scale
    return (small & (space.is_complete or not search.repeated)).long()
