"""Fully connected network."""

from __future__ import annotations

from math import prod
from typing import Literal

from gendsl_runtime.component import Count, Flag, Positive, Share, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.layer_norm import LayerNorm
from gendsl_runtime.train.layers.linear import Flatten, Growth, Linear
from gendsl_runtime.train.layers.norm import BatchNorm
from gendsl_runtime.train.layers.residual import Residual


@model(
    version=1,
    paper=[
        "jacot2018neural",
        "yang2021tensor",
        "ba2016layer",
        "ioffe2015batch",
        "he2016deep",
        "srivastava2014dropout",
    ],
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
    parametrisation: Literal["standard", "ntk", "mup"] = "standard",
    base_width: Count = 64,
) -> Network:
    """A multilayer perceptron on the flattened input.

    `h_0 = x`, `h_{l+1} = drop(phi(norm(W_l h_l + b_l)))`, plus `h_l` with `skip`, and a linear output layer.
    In the `standard` parametrisation weights and biases start uniform in `+-1/sqrt(fan in)`, as in
    `torch.nn.Linear`; in the neural tangent parametrisation (Jacot, Gabriel and Hongler 2018, "Neural Tangent
    Kernel", section 2) all start standard normal and a layer is `W h / sqrt(fan in) + 0.1 b`.

    In the maximal update parametrisation `mup` (Yang et al. 2021, "Tensor Programs V", table 8) layers at the base
    width are standard ones, and learning rates found there are good at any other: with m = width / base width, the
    output layer is `W h / m + b`, weights of hidden layers start as usual, those of the output layer and all biases as
    at the base width, and learning rates are multiplied by m (SGD) for values that are not hidden weights, the
    output bias excepted, and by 1 / m (Adam) for hidden weights. Only without `norm`.

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
        parametrisation: `standard`, `ntk` or `mup`.
        base_width: width of the hidden layers at which `mup` is the standard parametrisation.
    """
    if parametrisation == "mup" and norm != "none":
        raise Problem(
            "out-of-range",
            "`mup` says nothing about the scales and offsets of norms",
            help="write `norm = none`, or another parametrisation",
        )
    form: Literal["standard", "ntk"] = "ntk" if parametrisation == "ntk" else "standard"
    unit = base_width if parametrisation == "mup" else None
    layers: list[Layer] = [Flatten()]
    width, wide = prod(shape), 1.0
    for name, units in zip(prefixes(len(hidden), "hidden"), hidden, strict=True):
        wider = Growth(wide, units / unit) if unit else Growth()
        block: list[Layer] = [Linear(name, width, units, bias, scale, form, growth=wider)]
        if norm != "none":
            block.append((LayerNorm if norm == "layer" else BatchNorm)(f"{name}.norm", units))
        block.append(Pointwise(activation))
        if dropout:
            block.append(Dropout(f"{name}.dropout", dropout))
        layers += [Residual(tuple(block))] if skip and units == width else block
        width, wide = units, wider.outputs
    wider = Growth(wide, is_readout=True)
    layers.append(Linear("output", width, outputs, bias, scale, form, growth=wider))
    return Layered(shape, outputs, tuple(layers))
