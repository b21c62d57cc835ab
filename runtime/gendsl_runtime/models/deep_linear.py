"""Deep linear network."""

from __future__ import annotations

from math import prod

from gendsl_runtime.component import Count, Flag, Positive, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.linear import Flatten, Linear


@model(version=1, paper="saxe2014exact")
def deep_linear(
    shape: tuple[int, ...],
    outputs: int,
    *,
    width: Count = 64,
    depth: Count = 3,
    bias: Flag = False,
    scale: Positive = 1.0,
) -> Network:
    """A product of matrices on the flattened input: linear in what it computes, not in how it learns.

    `f(x) = W_depth ... W_1 x`, studied by Saxe, McClelland and Ganguli (2014). Weights start normal with
    standard deviation `scale / sqrt(fan in)`, so that with `scale = 1` the size of a signal is kept from
    layer to layer.

    Args:
        width: width of all hidden layers.
        depth: number of matrices; 1 is a linear model.
        bias: whether layers have offsets, uniform in `+-1/sqrt(fan in)` at the start.
        scale: factor on the weights at the start; a small one gives the stepwise learning of the paper.
    """
    widths = [prod(shape), *[width] * (depth - 1), outputs]
    layers: list[Layer] = [Flatten()]
    for name, inputs, units in zip(prefixes(depth, "layer"), widths[:-1], widths[1:], strict=True):
        layers.append(Linear(name, inputs, units, bias, scale, law="normal"))
    return Layered(shape, outputs, tuple(layers))
