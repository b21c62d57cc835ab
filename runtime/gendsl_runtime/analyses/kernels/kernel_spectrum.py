"""Eigenvalues of a network's kernel."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.kernels import first, kernel, members
from gendsl_runtime.measures.spectra import effective_rank, participation
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "eigenvalue": "1 [rank]",
        "condition": "1",
        "effective_rank": "1",
        "participation_ratio": "1",
        "trace": "1",
    },
    axes={"rank": "place in the order of eigenvalues, from 1"},
    paper=["jacot2018neural", "roy2007effective", "xiao2020disentangling"],
)
def kernel_spectrum(
    runs: Runs,
    *,
    kind: Literal["empirical", "ntk", "nngp"] = "empirical",
    of: Literal["trace", "sum", "full"] = "trace",
    on: SplitName = "train",
    examples: Count = 256,
    count: Count | None = None,
) -> dict[str, Tensor | np.ndarray]:
    """Eigenvalues of the tangent kernel on a split, its condition and its effective rank.

    Eigenvalues `l_1 >= ... >= l_N` of K on the examples (not divided by their number); `condition = l_1 /
    l_N` (Xiao, Pennington and Schoenholz 2020: gradient descent learns direction k at the rate l_k);
    `effective_rank = exp(-sum_k p_k log p_k)` with `p_k = l_k / sum l` (Roy and Vetterli 2007);
    `participation_ratio = (sum l)^2 / sum l^2`; `trace = sum l`. Kernels as in `tangent_kernel`; `full` is
    the one of every pair of an example and an output. Evaluation mode.

    Numerical error: eigenvalues in float64, within N eps l_1 (3e-14 l_1 of 256 examples); `condition` is
    infinite where the smallest one is below that.

    Args:
        kind: `empirical`, or `ntk` or `nngp` for those of infinite width.
        of: of an empirical kernel `trace`, `sum` or `full`, see `tangent_kernel`.
        on: the split.
        examples: its first ones, or all if there are fewer.
        count: eigenvalues given, from the largest; all if left out.

    Returns:
        `eigenvalue`, `(members, rank)`; the others `(members,)`.
    """
    if of == "full" and kind != "empirical":
        raise Problem(
            "out-of-range",
            "a kernel of infinite width is the same for every output and zero between two",
            help="leave out `of=full`",
        )
    found = [
        _eigenvalues(kernel(member, first(member, on, examples)[0], kind=kind, of=of))
        for member in members(runs)
    ]
    values = torch.stack(found)
    largest, smallest = values[:, 0], values[:, -1]
    is_regular = smallest > values.shape[1] * torch.finfo(values.dtype).eps * largest
    ratio = largest / torch.where(is_regular, smallest, 1.0)
    given = values[:, :count]
    return {
        "eigenvalue": given,
        "condition": torch.where(is_regular, ratio, torch.inf),
        "effective_rank": effective_rank(values),
        "participation_ratio": participation(values),
        "trace": values.sum(1),
        "rank": np.arange(1, given.shape[1] + 1),
    }


def _eigenvalues(gram: Tensor) -> Tensor:
    values: Tensor = torch.linalg.eigvalsh(gram)
    return values.flip(0)
