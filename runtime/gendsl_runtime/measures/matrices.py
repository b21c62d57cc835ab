"""The weights of a network as matrices, one for each layer that has any."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor

from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.linear import Linear


def is_weight(tensor: Tensor) -> bool:
    """Whether a parameter is a weight `(members, outputs, inputs, ...)`; biases and gains have two axes."""
    return tensor.ndim >= 3


def weights(parameters: Tensors) -> Tensors:
    """The parameters that are weights, in the order of the network."""
    return {name: tensor for name, tensor in parameters.items() if is_weight(tensor)}


def matrices(runs: Runs) -> Tensors:
    """The weight of each layer as the matrix it acts with, `(members, outputs, inputs)`, float64.

    A convolution's kernel `(outputs, channels, height, width)` is flattened to `(outputs, channels * height *
    width)`, the matrix that acts on one patch. A factor of the parametrisation (`W / sqrt(inputs)` of `ntk`)
    is part of the matrix.

    Raises:
        Problem: the network learns no weights of layers, as one in a subspace.
    """
    if not weights(runs.state.parameters):
        raise Problem(
            "unknown-layers",
            "the network learns no weights of layers",
            help="use a model whose own weights are trained, such as `mlp` or `cnn`",
        )
    factors = _factors(runs.network)
    return {
        name: weight.flatten(2).double() * factors.get(name, 1.0)
        for name, weight in weights(runs.state.parameters).items()
    }


def _factors(network: object) -> dict[str, float]:
    """Factors of the weights of all layers, also of those within a residual block."""
    found: dict[str, float] = {}
    parts = (getattr(network, part, ()) for part in ("layers", "body", "shortcut"))
    for layer in chain.from_iterable(parts):
        if isinstance(layer, Linear):
            found[f"{layer.name}.weight"] = layer.factor
        found |= _factors(layer)
    return found


def spectral_norms(runs: Runs) -> Tensor:
    """Largest singular value of each layer's matrix, `(members, layers)`, float64."""
    norms = [_largest_singular_value(matrix) for matrix in matrices(runs).values()]
    return torch.stack(norms, dim=1)


def _largest_singular_value(matrix: Tensor) -> Tensor:
    """One member at a time: a batched decomposition may round by the size of the batch."""
    return torch.stack([torch.linalg.svdvals(one)[0] for one in matrix])
