"""Norms of the linear maps that layers are, on inputs of the size that they get, and of the network they make up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer, Layered, Pass, feature_major
from gendsl_runtime.train.layers.linear import FixedLinear, Flatten, Linear, Scaled
from gendsl_runtime.train.layers.norm import EPSILON, BatchNorm
from gendsl_runtime.train.layers.pool import GlobalAverage, Pool
from gendsl_runtime.train.layers.residual import Residual

STEEPEST = {
    "relu": 1.0,
    "leaky_relu": 1.0,
    "identity": 1.0,
    "tanh": 1.0,
    "sin": 1.0,
    "cos": 1.0,
    "erf": 2 / math.sqrt(math.pi),
    # At x = sqrt(2), where gelu'' = phi(x) (2 - x^2) is zero.
    "gelu": 0.5 * (1 + math.erf(1)) + math.exp(-1) / math.sqrt(math.pi),
}
"""Largest slopes of activations; what is not here has none."""


@dataclass(frozen=True)
class Map:
    """The linear map of one layer of one member: `kernel` `(outputs, inputs)`, or `(outputs, inputs, size, size)` of a
    convolution with zero padding on images of `sides`; float64."""

    name: str
    kernel: Tensor
    sides: tuple[int, int] | None = None
    stride: int = 1
    padding: int = 0

    def spectral(self) -> tuple[float, float]:
        """The largest singular value s, and the residual `|A^T A v - s^2 v| / (2 s)`, to first order the error of s.

        A matrix is decomposed. Of a convolution the largest eigenvalue of `A^T A` is found by Lanczos' method
        from a start that depends on its size alone.
        """
        if self.sides is None:
            return float(torch.linalg.svdvals(self.kernel)[0]), 0.0
        size = self.kernel.shape[1] * math.prod(self.sides)
        if not self.kernel.any():
            return 0.0, 0.0
        if size < 3:
            columns = torch.stack([self.apply(one) for one in torch.eye(size, dtype=torch.float64)], 1)
            return float(torch.linalg.svdvals(columns)[0]), 0.0
        operator = LinearOperator((size, size), matvec=self._gram, dtype=np.float64)
        start = generator("norms", 0).standard_normal(size)
        if not self._gram(start).any():  # only the zeros around the image are seen
            return 0.0, 0.0
        values, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=1e-10)
        square, vector = float(values[0]), vectors[:, 0]
        root = math.sqrt(max(square, 0.0))
        residual = float(np.linalg.norm(self._gram(vector) - square * vector))
        return root, residual / (2 * root) if root > 0 else residual

    def apply(self, vector: Tensor) -> Tensor:
        """The map of an input `(inputs * height * width,)`, as a vector."""
        assert self.sides is not None
        image = vector.view(1, self.kernel.shape[1], *self.sides)
        return conv2d(image, self.kernel, stride=self.stride, padding=self.padding).flatten()

    def _gram(self, vector: np.ndarray) -> np.ndarray:
        assert self.sides is not None
        image = torch.from_numpy(np.ascontiguousarray(vector)).view(1, self.kernel.shape[1], *self.sides)
        given = conv2d(image, self.kernel, stride=self.stride, padding=self.padding)
        sides = (
            side - ((out - 1) * self.stride - 2 * self.padding + self.kernel.shape[2])
            for side, out in zip(self.sides, given.shape[2:], strict=True)
        )
        back = conv_transpose2d(
            given, self.kernel, stride=self.stride, padding=self.padding, output_padding=tuple(sides)
        )
        found: np.ndarray = back.flatten().numpy()
        return found

    def rows(self) -> Tensor:
        """The length of each row of the map: of a convolution fewer pixels are seen at the border."""
        squares = self.kernel.square()
        if self.sides is None:
            return squares.sum(1).sqrt()
        ones = torch.ones(1, self.kernel.shape[1], *self.sides, dtype=torch.float64)
        return conv2d(ones, squares, stride=self.stride, padding=self.padding).flatten().sqrt()


def maps(runs: Runs) -> list[list[Map]]:
    """The maps of the linear layers and convolutions of each member, from the input on; of a residual block those of
    its body and then those of its shortcut.

    Raises:
        Problem: the layers of the network are not known.
    """
    seen: list[tuple[Layer, Tensor]] = []
    network = runs.network
    if not isinstance(network, Layered):
        raise Problem(
            "unknown-layers",
            "the layers of this network are not known",
            help="use one of the models that `gen list model` names",
        )
    one = runs.select([0])
    values = Pass(
        one.state.parameters,
        one.state.buffers,
        training=False,
        watch=lambda layer, taken, given: seen.append((layer, taken)),
    )
    kind = (
        torch.int64 if runs.data[0].vocabulary is not None else next(iter(values.parameters.values())).dtype
    )
    with torch.no_grad():
        stack = feature_major(torch.zeros(1, 1, *network.shape, dtype=kind, device=runs.device))
        for layer in network.layers:
            stack = values.through(layer, stack)
    places = [(layer, taken) for layer, taken in seen if isinstance(layer, Linear | FixedLinear | Conv)]
    return [[_map(runs, layer, taken, member) for layer, taken in places] for member in range(runs.members)]


def _map(runs: Runs, layer: Layer, taken: Tensor, member: int) -> Map:
    values = {**runs.state.parameters, **runs.state.buffers}
    assert isinstance(layer, Linear | FixedLinear | Conv)
    kernel = values[f"{layer.name}.weight"][member].detach().double().cpu()
    if isinstance(layer, Conv):
        sides = int(taken.shape[2]), int(taken.shape[3])
        return Map(layer.name, kernel, sides, layer.stride, layer.padding)
    return Map(layer.name, kernel * (layer.factor if isinstance(layer, Linear) else 1.0))


def lipschitz(runs: Runs, spectral: list[dict[str, float]]) -> np.ndarray:
    """A bound of the l2 Lipschitz constant of each member `(members,)`: the product over layers, the sum over the two
    ways of a residual block.

    Normalisation by running statistics is a linear map; by the input's own statistics it has no bound, nor
    have activations that grow faster than linearly, attention and recurrent cells: infinite.

    Args:
        spectral: for each member the norms of its maps by name.
    """
    network = runs.network
    assert isinstance(network, Layered)
    return np.array(
        [
            math.prod(_growth(layer, runs, member, norms) for layer in network.layers)
            for member, norms in enumerate(spectral)
        ]
    )


def _growth(layer: Layer, runs: Runs, member: int, norms: dict[str, float]) -> float:
    """How much longer a layer can make a difference of its inputs."""
    if isinstance(layer, Linear | FixedLinear | Conv):
        return norms[layer.name]
    if isinstance(layer, Residual):
        ways = [
            math.prod(_growth(part, runs, member, norms) for part in way)
            for way in (layer.body, layer.shortcut)
        ]
        return math.fsum(ways)
    if isinstance(layer, BatchNorm):
        scale = runs.state.parameters[f"{layer.name}.weight"][member].double()
        variance = runs.state.buffers[f"{layer.name}.running_var"][member].double()
        return float((scale.abs() / (variance + EPSILON).sqrt()).amax())
    return _fixed(layer)


def _fixed(layer: Layer) -> float:
    """The same of layers without values. A mean over n places of its own shrinks by sqrt(n); over all places of an
    image, whose number is not known here, it does not grow."""
    if isinstance(layer, Pointwise):
        return STEEPEST.get(layer.name, math.inf)
    if isinstance(layer, Scaled):
        return abs(layer.factor)
    if isinstance(layer, Pool):
        return 1.0 if layer.kind == "max" else 1 / layer.size
    return 1.0 if isinstance(layer, Flatten | Dropout | GlobalAverage) else math.inf
