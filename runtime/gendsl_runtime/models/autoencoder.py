"""Fully connected autoencoder."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Literal

from gendsl_runtime.component import Count, Flag, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.linear import Flatten, Linear
from gendsl_runtime.train.layers.transposed import Transposed


@model(version=1, paper=["hinton2006reducing", "baldi1989neural"])
def autoencoder(
    shape: tuple[int, ...],
    outputs: int,
    *,
    hidden: list[Count] = (64,),  # type: ignore[assignment]
    bottleneck: Count = 8,
    activation: Literal[
        "relu", "gelu", "tanh", "erf", "quadratic", "identity", "leaky_relu", "sin", "cos"
    ] = "relu",
    tied: Flag = False,
) -> Network:
    """A network that passes its flattened input through a bottleneck (Hinton and Salakhutdinov 2006).

    The encoder has the `hidden` layers and a linear one to the bottleneck, the decoder the same widths the
    other way round and a linear output: `f(x) = decode(encode(x))`. Train it on `reconstruction(data)`, whose
    targets are its inputs, with the loss `mse`. With `activation = identity` and no hidden layer it finds the
    subspace of the leading principal components (Baldi and Hornik 1989). Weights and biases start uniform in
    `+-1/sqrt(fan in)`, as in torch.nn; tied weights by the fan in of the encoder.

    Args:
        hidden: widths of the encoder's hidden layers, from the input on.
        bottleneck: width of the code.
        activation: applied after each hidden layer of encoder and decoder; code and output are linear.
        tied: whether the decoder's matrices are those of the encoder transposed; its offsets are its own.
    """
    inputs = prod(shape)
    if tied and outputs != inputs:
        raise Problem(
            "wrong-shape",
            f"a tied autoencoder gives back its {inputs} inputs, and the data have {outputs} outputs",
            help="train on `reconstruction(...)` of the data, or untie the weights",
        )
    widths = [inputs, *hidden, bottleneck]
    there = list(zip(prefixes(len(widths) - 1, "encoder"), pairwise(widths), strict=True))
    layers: list[Layer] = [Flatten()]
    for name, (wide, narrow) in there:
        layers += [Linear(name, wide, narrow), Pointwise(activation)]
    layers.pop()
    for name, (back, (wide, narrow)) in zip(prefixes(len(there), "decoder"), reversed(there), strict=True):
        units = outputs if back == "encoder.0" else wide
        layers.append(Transposed(name, back, narrow, wide) if tied else Linear(name, narrow, units))
        layers.append(Pointwise(activation))
    layers.pop()
    return Layered(shape, outputs, tuple(layers))
