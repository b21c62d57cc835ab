"""Fully connected network."""

from __future__ import annotations

from math import prod
from typing import Literal

from gendsl_runtime.component import Count, Flag, Positive, Share, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.layer_norm import LayerNorm
from gendsl_runtime.train.layers.linear import Flatten, Linear
from gendsl_runtime.train.layers.norm import BatchNorm
from gendsl_runtime.train.layers.residual import Residual


@model(
    version=1,
    paper=["jacot2018neural", "ba2016layer", "ioffe2015batch", "he2016deep", "srivastava2014dropout"],
)
def mlp(
    shape: tuple[int, ...],
    outputs: int,
    *,
    hidden: list[Count] = (64,),  # type: ignore[assignment]
    activation: Literal[
        "relu", "gelu", "tanh", "erf", "quadratic", "identity", "leaky_relu", "sin", "cos"
    ] = "relu",
    bias: Flag = True,
    norm: Literal["none", "layer", "batch"] = "none",
    skip: Flag = False,
    dropout: Share = 0.0,
    scale: Positive = 1.0,
    parametrisation: Literal["standard", "ntk"] = "standard",
) -> Network:
    """A multilayer perceptron on the flattened input.

    `h_0 = x`, `h_{l+1} = drop(phi(norm(W_l h_l + b_l)))`, plus `h_l` with `skip`, and a linear output layer.
    In the `standard` parametrisation weights and biases start uniform in `+-1/sqrt(fan in)`, as in
    `torch.nn.Linear`; in the neural tangent parametrisation (Jacot, Gabriel and Hongler 2018, "Neural Tangent
    Kernel", section 2) all start standard normal and a layer is `W h / sqrt(fan in) + 0.1 b`.

    Args:
        hidden: widths of the hidden layers; an empty list is a linear model.
        activation: phi, applied after each hidden layer.
        bias: whether layers have offsets.
        norm: before each activation `layer` (over features; Ba et al. 2016), `batch` (over the batch, running
            statistics in evaluation; Ioffe and Szegedy 2015) or `none`, with a learnt scale and offset.
        skip: whether a hidden layer as wide as its input adds its input to its output (He et al. 2016).
        dropout: share of hidden units that are zero at each step of training (Srivastava et al. 2014),
            rounded to 1/65536.
        scale: factor on the weights at the start (standard) or throughout (ntk).
        parametrisation: `standard` or `ntk`.
    """
    layers: list[Layer] = [Flatten()]
    width = prod(shape)
    for name, units in zip(prefixes(len(hidden), "hidden"), hidden, strict=True):
        block: list[Layer] = [Linear(name, width, units, bias, scale, parametrisation)]
        if norm != "none":
            block.append((LayerNorm if norm == "layer" else BatchNorm)(f"{name}.norm", units))
        block.append(Pointwise(activation))
        if dropout:
            block.append(Dropout(f"{name}.dropout", dropout))
        layers += [Residual(tuple(block))] if skip and units == width else block
        width = units
    layers.append(Linear("output", width, outputs, bias, scale, parametrisation))
    return Layered(shape, outputs, tuple(layers))
