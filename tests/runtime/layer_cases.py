"""Every layer on vectors and images, with the torch.nn module of one member: a new layer is added here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gendsl_runtime.network import State
from gendsl_runtime.noise import Noise, kept_share, noise
from gendsl_runtime.train.layers.activation import FUNCTIONS, Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer, Layered
from gendsl_runtime.train.layers.layer_norm import LayerNorm
from gendsl_runtime.train.layers.linear import Flatten, Linear, Scaled
from gendsl_runtime.train.layers.norm import BatchNorm, GroupNorm
from gendsl_runtime.train.layers.pool import GlobalAverage, Pool
from gendsl_runtime.train.layers.residual import Residual
from gendsl_runtime.train.layers.transposed import Transposed


class Function(nn.Module):
    """A function without parameters, as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, inputs: Tensor) -> Tensor:
        return self.function(inputs)


class Tangent(nn.Linear):
    """The neural tangent parametrisation with gain 1.5."""

    def forward(self, inputs: Tensor) -> Tensor:
        return 1.5 / math.sqrt(self.in_features) * inputs @ self.weight.T + 0.1 * self.bias


class Added(nn.Module):
    """Body plus shortcut."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.body(inputs) + self.shortcut(inputs)
        return found


class Tied(nn.Module):
    """A matrix there and back."""

    def __init__(self) -> None:
        super().__init__()
        self.there, self.offset = nn.Linear(5, 3), nn.ParameterList([torch.zeros(5)])

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.there(inputs) @ self.there.weight + self.offset[0]
        return found


class Dropped(nn.Module):
    """The member's own mask."""

    def __init__(self, seed: int, share: float) -> None:
        super().__init__()
        self.seed, self.share = seed, share

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training:
            return inputs
        shape = (*inputs.shape[1:], len(inputs))
        mask = drawn_noise([self.seed]).kept("d", self.share, shape)[0].movedim(-1, 0)
        return inputs * mask / kept_share(self.share)


@dataclass(frozen=True)
class Case:
    """Layers in a row on examples of a shape. The parameters of `module(seed)` come in their order."""

    layers: tuple[Layer, ...]
    shape: tuple[int, ...]
    module: Callable[[int], nn.Module]

    @property
    def network(self) -> Layered:
        return Layered(self.shape, 1, self.layers)

    def state(self, seeds: range, dtype: torch.dtype) -> State:
        """Values of members, those that start constant moved."""
        state = self.network.init(seeds)
        chance = torch.Generator().manual_seed(0)
        parameters = {
            name: value + 0.3 * torch.randn(value.shape, generator=chance)
            for name, value in state.parameters.items()
        }
        return State(parameters, state.buffers).to("cpu", dtype)


def drawn_noise(seeds: list[int]) -> Noise:
    """The noise of step 3."""
    values = noise(seeds, device="cpu")
    values.step.fill_(3)
    return values


def _conv(inputs: int, outputs: int, size: int, side: int, stride: int = 1, *, bias: bool = True) -> Case:
    layer = Conv("c", inputs, outputs, size, stride, size // 2, bias)
    shape = (inputs, side, side + 1)
    return Case((layer,), shape, lambda _: nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=bias))


def _linear(inputs: int, outputs: int, *, bias: bool = True) -> Case:
    return Case((Linear("l", inputs, outputs, bias),), (inputs,), lambda _: nn.Linear(inputs, outputs, bias))


ACTIVATIONS = {
    "relu": nn.ReLU(),
    "gelu": nn.GELU(),
    "tanh": nn.Tanh(),
    "erf": Function(torch.erf),
    "quadratic": Function(lambda x: x * x),
    "identity": nn.Identity(),
    "leaky_relu": nn.LeakyReLU(0.01),
    "sin": Function(torch.sin),
    "cos": Function(torch.cos),
}
assert set(ACTIVATIONS) == set(FUNCTIONS)

CASES = {
    **{name: Case((Pointwise(name),), (7,), lambda _, f=f: f) for name, f in ACTIVATIONS.items()},
    "linear": _linear(7, 3),
    "linear_of_one": _linear(1, 1),
    "linear_without_bias": _linear(5, 1, bias=False),
    "tangent": Case((Linear("l", 5, 4, True, 1.5, "ntk"),), (5,), lambda _: Tangent(5, 4)),
    "scaled": Case((Scaled(0.3),), (5,), lambda _: Function(lambda x: 0.3 * x)),
    "flatten": Case((Flatten(),), (2, 3, 4), lambda _: nn.Flatten()),
    "tied": Case((Linear("l", 5, 3), Transposed("t", "l", 3, 5)), (5,), lambda _: Tied()),
    "conv": _conv(3, 5, 3, 6),
    "conv_of_one": _conv(1, 1, 3, 4),
    "conv_of_two": _conv(1, 8, 3, 8),
    "conv_of_a_pixel": _conv(4, 6, 1, 5, 2, bias=False),
    "conv_with_stride": _conv(2, 3, 3, 7, 2),
    "conv_of_even_size": _conv(2, 3, 2, 5),
    "large_conv": _conv(16, 15, 3, 7),
    "large_conv_with_stride": _conv(17, 16, 3, 14, 2, bias=False),
    "convs_down_to_a_pixel": Case(
        (Conv("c", 1, 3, 3, padding=1), Pool(2), Conv("d", 3, 4, 3, padding=1), Pool(2), Conv("e", 4, 2, 1)),
        (1, 4, 5),
        lambda _: nn.Sequential(
            *(nn.Conv2d(1, 3, 3, 1, 1), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3, 1, 1), nn.MaxPool2d(2)),
            nn.Conv2d(4, 2, 1),
        ),
    ),
    "convs_apart_down_to_a_pixel": Case(
        (
            *(Conv("c", 1, 3, 3, padding=1, is_apart=True), Pool(2), BatchNorm("n", 3), Pool(2)),
            *(Conv("d", 3, 17, 3, padding=1, is_apart=True), GroupNorm("m", 17, 1, is_apart=True)),
            Conv("e", 17, 1, 3, padding=1, is_apart=True),
        ),
        (1, 4, 5),
        lambda _: nn.Sequential(
            *(nn.Conv2d(1, 3, 3, 1, 1), nn.MaxPool2d(2), nn.BatchNorm2d(3), nn.MaxPool2d(2)),
            *(nn.Conv2d(3, 17, 3, 1, 1), nn.GroupNorm(1, 17), nn.Conv2d(17, 1, 3, 1, 1)),
        ),
    ),
    "max": Case((Pool(2),), (3, 5, 6), lambda _: nn.MaxPool2d(2)),
    "average": Case((Pool(2, "average"),), (3, 6, 5), lambda _: nn.AvgPool2d(2)),
    "global": Case(
        (GlobalAverage(),), (5, 3, 4), lambda _: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    ),
    "layer_norm": Case((LayerNorm("n", 7),), (7,), lambda _: nn.LayerNorm(7)),
    "batch_norm": Case((BatchNorm("n", 7),), (7,), lambda _: nn.BatchNorm1d(7)),
    "batch_norm_of_images": Case((BatchNorm("n", 5),), (5, 4, 3), lambda _: nn.BatchNorm2d(5)),
    "group_norm": Case((GroupNorm("n", 6, 2),), (6, 3, 4), lambda _: nn.GroupNorm(2, 6)),
    "group_norm_apart": Case((GroupNorm("n", 6, 2, is_apart=True),), (6, 3, 4), lambda _: nn.GroupNorm(2, 6)),
    "conv_apart": Case(
        (Conv("c", 3, 5, 3, padding=1, is_apart=True),), (3, 5, 6), lambda _: nn.Conv2d(3, 5, 3, 1, 1)
    ),
    "dropout": Case((Dropout("d", 0.3),), (7,), lambda seed: Dropped(seed, 0.3)),
    "dropout_of_images": Case((Dropout("d", 0.6),), (2, 3, 4), lambda seed: Dropped(seed, 0.6)),
    "residual": Case(
        (Residual((Linear("l", 6, 6), Pointwise("tanh"))),),
        (6,),
        lambda _: Added(nn.Sequential(nn.Linear(6, 6), nn.Tanh()), nn.Identity()),
    ),
    "residual_of_images": Case(
        (Residual((Conv("c", 3, 4, 3, padding=1),), (Conv("s", 3, 4, 1),)),),
        (3, 4, 5),
        lambda _: Added(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1)),
    ),
    "large_block": Case(
        (
            Conv("c", 16, 16, 3, padding=1, bias=False),
            *(BatchNorm("n", 16), Pointwise("relu"), Pool(2), Conv("d", 16, 4, 3), GlobalAverage()),
        ),
        (16, 8, 8),
        lambda _: nn.Sequential(
            nn.Conv2d(16, 16, 3, padding=1, bias=False),
            *(nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 4, 3)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        ),
    ),
}
