"""Path norm of a dense network."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.component import analysis
from gendsl_runtime.measures.dense import CHAIN
from gendsl_runtime.measures.matrices import matrices
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.layer import Layered


@analysis(version=2, gives={"path_norm": "1"}, paper="neyshabur2015norm")
def path_norm(runs: Runs) -> dict[str, Tensor]:
    """The l2 path norm: root of the sum over all paths from an input to an output of the squared product of
    weights.

    `path_norm = sqrt( 1^T (W_L)^2 ... (W_1)^2 1 )` with elementwise squares (Neyshabur, Tomioka and Srebro
    2015, "Norm-Based Capacity Control", with p = 2): the sum over exponentially many paths is a product of
    matrices. Paths that start at a bias are left out. Unchanged when a hidden ReLU unit's incoming weights
    are multiplied by a > 0 and its outgoing ones divided by it. Exact (float64), for networks that are a
    chain of dense layers without norms, skips or tied weights. Of `random_features` the paths are those of the
    readout.

    Raises:
        Problem: the network is more than dense layers that follow one another.
    """
    layers = list(matrices(runs).values())
    parts = runs.network.layers if isinstance(runs.network, Layered) else ()
    if not layers or not parts or not all(isinstance(part, CHAIN) for part in parts):
        raise Problem(
            "not-a-dense-network",
            "`path_norm` is defined here for networks that are a chain of dense layers",
            help="use it on `deep_linear`, or `mlp` without `norm` and `skip`; `weight_norms` takes any network",
        )
    paths = torch.ones(runs.members, layers[0].shape[2], 1, dtype=torch.float64, device=runs.device)
    for layer in layers:
        paths = (layer.square() * paths.mT).sum(2, keepdim=True)
    return {"path_norm": paths.sum((1, 2)).sqrt()}
