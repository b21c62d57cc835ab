"""Neural tangent and NNGP kernels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.kernels import first, kernel, members
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"kernel": "1 [first, second]"},
    axes={"first": "place of the example in its split", "second": "place of the other example"},
    paper=["jacot2018neural", "lee2018deep", "novak2022fast", "mohamadi2023fast"],
)
def tangent_kernel(
    runs: Runs,
    *,
    kind: Literal["empirical", "ntk", "nngp"] = "empirical",
    of: Literal["trace", "sum"] = "trace",
    on: SplitName = "train",
    examples: Count = 256,
) -> dict[str, Tensor | np.ndarray]:
    """The kernel of a network between examples: its own tangent kernel, or those of infinite width.

    `empirical`: `K(x, x') = (1/C) sum_c <df_c(x)/dw, df_c(x')/dw>` over all parameters w at the trained
    values (Jacot, Gabriel and Hongler 2018; `of=trace`), or `K = (1/C) <d sum_c f_c(x)/dw, d sum_c
    f_c(x')/dw>` (`of=sum`; Mohamadi, Bae and Sutherland 2023, C times cheaper). By layer-wise contraction
    (Novak, Sohl-Dickstein and Schoenholz 2022), never through the Jacobian; evaluation mode. `ntk`, `nngp`:
    the closed forms for an infinitely wide network with the layers, variances and widths of this one (chains
    of dense layers; relu, leaky_relu, erf, identity, quadratic, sin, cos), which do not depend on the trained
    values. In the standard parametrisation the `ntk` is the leading order in the width, and weights that
    start uniform count as normal ones: exact for many inputs.

    Float64: relative error of about 1e-12 (of infinitely wide relu 1e-8 between inputs nearly parallel).
    Parameters are those of the network's own parametrisation, and factors on their learning rates (`mup`) are
    left out.

    Args:
        kind: `empirical`, `ntk` or `nngp`.
        of: of an empirical kernel, the mean over outputs or the kernel of their sum.
        on: the split.
        examples: its first ones, or all if there are fewer.

    Returns:
        `kernel`, `(members, first, second)`.
    """
    found = [kernel(member, first(member, on, examples)[0], kind=kind, of=of) for member in members(runs)]
    places = np.arange(len(found[0]))
    return {"kernel": torch.stack(found), "first": places, "second": places}
