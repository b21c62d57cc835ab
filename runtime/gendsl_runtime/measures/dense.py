"""Networks that are a chain of dense layers, as matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.linear import NTK_BIAS, FixedLinear, Flatten, Linear, Scaled

CHAIN = (Flatten, Linear, FixedLinear, Scaled, Pointwise, Dropout)
"""Layers of which a network of dense layers, one behind the other, is made."""


@dataclass(frozen=True)
class Dense:
    """`phi(W x + b)` of one member, float64: `weight` `(outputs, inputs)`, `bias` `(outputs,)`."""

    weight: np.ndarray
    bias: np.ndarray
    activation: str
    """`identity` where there is none."""


def dense_layers(runs: Runs, *, measure: str) -> list[list[Dense]]:
    """The layers of each member, in order; factors of the parametrisation are part of the matrices.

    Raises:
        Problem: the network is more than dense layers that follow one another.
    """
    parts = runs.network.layers if isinstance(runs.network, Layered) else ()
    if not parts or not all(isinstance(part, CHAIN) for part in parts):
        raise Problem(
            "not-a-dense-network",
            f"`{measure}` is defined here for networks that are a chain of dense layers",
            help="use it on `deep_linear`, or `mlp` without `norm` and `skip`",
        )
    return [_layers(runs, parts, member) for member in range(runs.members)]


def factors(runs: Runs) -> list[float]:
    """What trained values are at most multiplied by when they act, layer by layer as above; 0 where none is trained."""
    found = []
    for part in runs.network.layers if isinstance(runs.network, Layered) else ():
        if isinstance(part, Linear):
            scale = NTK_BIAS if part.parametrisation == "ntk" else 1.0
            found.append(max(part.factor, scale) if part.bias else part.factor)
        elif isinstance(part, FixedLinear | Scaled):
            found.append(0.0)
    return found


def _layers(runs: Runs, parts: tuple[object, ...], member: int) -> list[Dense]:
    found: list[Dense] = []
    for part in parts:
        if isinstance(part, Linear):
            found.append(_linear(runs, part, member))
        elif isinstance(part, FixedLinear):
            weight, bias = (
                _numbers(runs.state.buffers[f"{part.name}.{value}"], member) for value in ("weight", "bias")
            )
            found.append(Dense(weight, bias, "identity"))
        elif isinstance(part, Scaled):
            width = len(found[-1].bias) if found else int(np.prod(runs.network.shape))
            found.append(Dense(np.eye(width) * part.factor, np.zeros(width), "identity"))
        elif isinstance(part, Pointwise):
            last = found.pop()
            found.append(Dense(last.weight, last.bias, part.name))
    return found


def _linear(runs: Runs, part: Linear, member: int) -> Dense:
    weight = _numbers(runs.state.parameters[f"{part.name}.weight"], member) * part.factor
    if not part.bias:
        return Dense(weight, np.zeros(len(weight)), "identity")
    scale = NTK_BIAS if part.parametrisation == "ntk" else 1.0
    bias = _numbers(runs.state.parameters[f"{part.name}.bias"], member) * scale
    return Dense(weight, bias, "identity")


def _numbers(tensor: Tensor, member: int) -> np.ndarray:
    numbers: np.ndarray = tensor[member].detach().double().cpu().numpy()
    return numbers
