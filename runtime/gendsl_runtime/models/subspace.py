"""A network trained in a random subspace."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Count, Model, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.subspace import Subspace


@model(version=1, paper=["li2018measuring", "lotfi2022compression", "le2013fastfood"])
def subspace(
    shape: tuple[int, ...],
    outputs: int,
    net: Model,
    *,
    dimension: Count = 100,
    projection: Literal["kronecker", "dense", "fastfood"] = "kronecker",
) -> Network:
    """A network of which only d coordinates in a random subspace are trained: `theta = theta_0 + P w`.

    `theta_0` is how `net` starts, P a random matrix `(parameters, d)` of the run's seed, w starts at zero (Li et
    al. 2018, "Measuring the Intrinsic Dimension of Objective Landscapes"). Neither `theta_0` nor P is trained. A
    network in few coordinates can be written down in few bits: `compression_bound`. Columns of P have expected
    length 1:

    - `dense`: normal entries of variance 1 / parameters. Memory parameters x d for each run.
    - `kronecker`: `P = A (x) B` with normal A and B of about sqrt(parameters) x sqrt(d) (Lotfi et al. 2022,
      section 4.1), cut to size; memory 2 sqrt(parameters d).
    - `fastfood`: `S H G P H B` with Walsh-Hadamard transforms H (Le, Sarlos and Smola 2013); memory 4 parameters.

    With `init = run` in a training, where `run` trained `net` itself, `theta_0` is that run's final weights
    (transfer; a data-dependent prior); running statistics come along.

    Args:
        net: the network whose parameters these are.
        dimension: d.
        projection: `kronecker`, `dense` or `fastfood`.

    Example:
        model small = subspace(cnn(), dimension=400)
    """
    inner = net(shape, outputs)
    if not hasattr(inner, "init"):
        raise Problem(
            "wrong-kind",
            "`subspace` takes a model that comes with GenDSL",
            help="give `mlp`, `cnn` or another of `gen list models`",
        )
    if isinstance(inner, Subspace):
        raise Problem(
            "wrong-kind",
            "`subspace` takes a network, and this is one in a subspace already",
            help="use `subspace` once, with the smaller `dimension`",
        )
    return Subspace(inner, dimension, projection)
