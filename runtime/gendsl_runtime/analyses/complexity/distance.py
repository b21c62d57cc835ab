"""Distance between two runs in weight space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Flag, analysis
from gendsl_runtime.measures.pairs import same_parameters
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "l2": "1",
        "relative": "1",
        "cosine": "1",
        "norm": "1",
        "other_norm": "1",
        "l2_by_tensor": "1 [tensor]",
        "relative_by_tensor": "1 [tensor]",
        "cosine_by_tensor": "1 [tensor]",
    },
    axes={"tensor": "parameter tensor, by name, in the order of the network"},
    paper=["nagarajan2017role", "neyshabur2019role"],
)
def distance(runs: Runs, *, other: Runs, biases: Flag = True) -> dict[str, np.ndarray]:
    """How far apart the weights of two runs of one architecture are.

    With all parameters as one vector w, and v of `other`: `l2 = |w - v|_2`, `relative = |w - v| / |v|`,
    `cosine = w.v / (|w| |v|)`; the same for each parameter tensor. `distance(fit, other=fit.at(epoch=0))` is the
    distance from initialisation (Nagarajan and Kolter 2017; Neyshabur et al. 2019).

    Sums in float64. Weights as they are: neither permutations of hidden units nor rescalings of layers are taken
    out, so two runs of different seeds are about orthogonal; see `barrier(..., align=...)`. Statistics of
    normalisation are no parameters. `relative` and `cosine` are NaN where a vector is 0 (biases before training).

    Args:
        other: the run to compare with; `fit.at(epoch=0)` is the initialisation.
        biases: whether biases and the gains and offsets of normalisation count.

    Raises:
        Problem: nothing is left to compare (`subspace` without `biases`).
    """
    same_parameters(runs, other, "distance")
    own = {name: _flat(value) for name, value in runs.state.parameters.items() if biases or value.ndim > 2}
    if not own:
        raise Problem(
            "unknown-layers", "the network learns no weights of layers to compare", help="leave out `biases`"
        )
    its = {name: _flat(other.state.parameters[name]) for name in own}
    tensors = _compared(torch.stack([_products(own[name], its[name]) for name in own]))
    whole = _compared(torch.stack([_products(own[name], its[name]) for name in own]).sum(0))
    return {
        **whole,
        **{f"{name}_by_tensor": tensors[name].T for name in ("l2", "relative", "cosine")},
        "tensor": np.array(list(own)),
    }


def _flat(tensor: Tensor) -> Tensor:
    return tensor.flatten(1).double()


def _products(w: Tensor, v: Tensor) -> Tensor:
    """`|w - v|^2`, `w.v`, `|w|^2` and `|v|^2`, `(M, 4)`."""
    return torch.stack([(w - v).square().sum(1), (w * v).sum(1), w.square().sum(1), v.square().sum(1)], dim=1)


def _compared(products: Tensor) -> dict[str, np.ndarray]:
    """The distances of sums `(..., 4)`."""
    apart, inner, w, v = products.cpu().numpy().T
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {
            "l2": np.sqrt(apart),
            "relative": np.where(v > 0, np.sqrt(apart / v), np.nan),
            "cosine": np.where(w * v > 0, inner / np.sqrt(w * v), np.nan),
            "norm": np.sqrt(w),
            "other_norm": np.sqrt(v),
        }
    return {name: value.T for name, value in found.items()}
