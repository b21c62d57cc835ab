"""Path norm of a dense network."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from gendsl_runtime.component import analysis
from gendsl_runtime.measures.matrices import matrices
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(version=1, gives={"path_norm": "1"}, paper="neyshabur2015norm")
def path_norm(runs: Runs) -> dict[str, Tensor]:
    """The l2 path norm: root of the sum over all paths from an input to an output of the squared product of
    weights.

    `path_norm = sqrt( 1^T (W_L)^2 ... (W_1)^2 1 )` with elementwise squares (Neyshabur, Tomioka and Srebro
    2015, "Norm-Based Capacity Control", with p = 2): the sum over exponentially many paths is a product of
    matrices. Paths that start at a bias are left out. Unchanged when a hidden ReLU unit's incoming weights
    are multiplied by a > 0 and its outgoing ones divided by it. Exact (float64), for networks that are a
    chain of dense layers.

    Raises:
        Problem: the network has convolutions or layers that do not follow one another.
    """
    layers = list(matrices(runs).values())
    kernels = [weight for weight in runs.state.parameters.values() if weight.ndim > 3]
    chained = all(later.shape[2] == earlier.shape[1] for earlier, later in pairwise(layers))
    if kernels or not layers or not chained:
        raise Problem(
            "not-a-dense-network",
            "`path_norm` is defined here for networks that are a chain of dense layers",
            help="use it on `mlp`, `linear` or `deep_linear`; `weight_norms` takes any network",
        )
    paths = torch.ones(runs.members, layers[0].shape[2], 1, dtype=torch.float64, device=runs.device)
    for layer in layers:
        paths = (layer.square() * paths.mT).sum(2, keepdim=True)
    return {"path_norm": paths.sum((1, 2)).sqrt()}
