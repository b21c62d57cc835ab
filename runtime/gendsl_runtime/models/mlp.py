"""Fully connected network."""

from __future__ import annotations

from math import prod
from typing import Literal

from gendsl_runtime.component import Count, Flag, Positive, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.linear import Flatten, Linear


@model(version=1, paper="jacot2018neural")
def mlp(
    shape: tuple[int, ...],
    outputs: int,
    *,
    hidden: list[Count] = (64,),  # type: ignore[assignment]
    activation: Literal[
        "relu", "gelu", "tanh", "erf", "quadratic", "identity", "leaky_relu", "sin", "cos"
    ] = "relu",
    bias: Flag = True,
    scale: Positive = 1.0,
    parametrisation: Literal["standard", "ntk"] = "standard",
) -> Network:
    """A multilayer perceptron on the flattened input.

    `h_0 = x`, `h_{l+1} = phi(W_l h_l + b_l)`, and a linear output layer. In the `standard` parametrisation
    weights and biases start uniform in `+-1/sqrt(fan in)`, as in `torch.nn.Linear`; in the neural tangent
    parametrisation (Jacot, Gabriel and Hongler 2018, "Neural Tangent Kernel", section 2) all start standard
    normal and a layer is `W h / sqrt(fan in) + 0.1 b`.

    Args:
        hidden: widths of the hidden layers; an empty list is a linear model.
        activation: phi, applied after each hidden layer.
        bias: whether layers have offsets.
        scale: factor on the weights at the start (standard) or throughout (ntk).
        parametrisation: `standard` or `ntk`.
    """
    layers: list[Layer] = [Flatten()]
    width = prod(shape)
    for name, units in zip(prefixes(len(hidden), "hidden"), hidden, strict=True):
        layers += [Linear(name, width, units, bias, scale, parametrisation), Pointwise(activation)]
        width = units
    layers.append(Linear("output", width, outputs, bias, scale, parametrisation))
    return Layered(shape, outputs, tuple(layers))
