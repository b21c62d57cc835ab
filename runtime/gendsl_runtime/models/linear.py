"""Linear model."""

from __future__ import annotations

from math import prod

from gendsl_runtime.component import Flag, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.linear import Flatten, Linear


@model(version=1)
def linear(shape: tuple[int, ...], outputs: int, *, bias: Flag = True) -> Network:
    """A linear map of the flattened input: softmax or linear regression.

    `f(x) = W x + b` with `W` of shape `(outputs, inputs)`. Weights and biases start uniform in
    `+-1/sqrt(inputs)`, as in `torch.nn.Linear`.

    Args:
        bias: whether there is an offset `b`.
    """
    return Layered(shape, outputs, (Flatten(), Linear("output", prod(shape), outputs, bias)))
