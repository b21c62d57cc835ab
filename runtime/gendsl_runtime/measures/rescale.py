"""Networks of the same function with other weights: layers multiplied by numbers that cancel."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from gendsl_runtime.network import Network, State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer, Layered
from gendsl_runtime.train.layers.linear import Flatten, Linear
from gendsl_runtime.train.layers.pool import GlobalAverage, Pool

HOMOGENEOUS = {"relu", "leaky_relu", "identity"}
"""Activations with `f(a x) = a f(x)` for a > 0."""


def weighted(network: Network) -> list[Linear | Conv]:
    """The layers with weights of a network in which multiplying one by a > 0 multiplies what the next one sees.

    Raises Problem for any other network.
    """
    if not isinstance(network, Layered):
        raise _unfit("its layers are not known")
    for layer in network.layers:
        if isinstance(layer, Pointwise) and layer.name not in HOMOGENEOUS:
            raise _unfit(f"`{layer.name}` is not homogeneous")
        if not isinstance(layer, Linear | Conv | Pointwise | Flatten | Pool | GlobalAverage | Dropout):
            raise _unfit(f"it has a layer of the kind `{type(layer).__name__.lower()}`")
    found = [layer for layer in network.layers if isinstance(layer, Linear | Conv)]
    if len(found) < 2:
        raise _unfit("it has one layer with weights only")
    return found


def rescaled(runs: Runs, *, layer: int, factor: float) -> Runs:
    """The alpha-scale transformation of Dinh et al. (2017): weights and bias of `layer` (from 0) times `factor`, the
    weights of the next one divided by it. The function is the same up to rounding."""
    layers = weighted(runs.network)
    if layer >= len(layers) - 1:
        raise Problem(
            "out-of-range",
            f"layer {layer} of {len(layers)} has no next one",
            help=f"layer=0 to {len(layers) - 2}",
        )
    parameters = dict(runs.state.parameters)
    for name in _names(layers[layer]):
        parameters[name] = parameters[name] * factor
    after = f"{layers[layer + 1].name}.weight"
    parameters[after] = parameters[after] / factor
    return replace(runs, state=State(parameters, runs.state.buffers))


def _names(*layers: Layer) -> list[str]:
    return list(chain.from_iterable(layer.parameters() for layer in layers))


def _unfit(why: str) -> Problem:
    return Problem(
        "not-homogeneous",
        f"layers of this network cannot be rescaled without changing its function: {why}",
        help="use an `mlp` or `cnn` with `activation = relu` and `norm = none`",
    )
