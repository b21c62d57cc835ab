"""What a layer is: values it owns, with the law they are drawn from, and a function of a stack.

Between layers, a stack of activations is `(members, features, examples)`, or `(members, channels, height,
width, examples)` for images: feature-major, so that every member's product is one plain GEMM. The memory of
images is ordered `(examples, height, width, members, channels)`, which makes a convolution of the whole
stack one grouped channels-last convolution without moving a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.network import State, Tensors
from gendsl_runtime.noise import Noise
from gendsl_runtime.random import generator


class Rates(NamedTuple):
    """Factors of the learning rate of a value, by how the optimizer's steps scale with the gradient."""

    proportional: float = 1.0
    """Where they are as long as it is: gradient descent."""
    adaptive: float = 1.0
    """Where they hardly depend on its length: Adam."""


PLAIN_RATES = Rates()


@dataclass(frozen=True)
class Fresh:
    """How a value starts: its shape (no member axis) and law, `scale * N(0, 1)`, `U(-scale, scale)` or
    `scale`; and how fast it learns."""

    shape: tuple[int, ...]
    law: Literal["normal", "uniform", "constant"]
    scale: float
    rates: Rates = PLAIN_RATES

    def draw(self, name: str, seed: int) -> np.ndarray:
        """float32 values of the stream `init.<name>` of `seed`."""
        if self.law == "constant":
            return np.full(self.shape, self.scale, dtype=np.float32)
        stream = generator(f"init.{name}", seed)
        if self.law == "normal":
            return stream.standard_normal(self.shape, dtype=np.float32) * np.float32(self.scale)
        return (stream.random(self.shape, dtype=np.float32) * np.float32(2) - np.float32(1)) * np.float32(
            self.scale
        )


@dataclass(frozen=True)
class Pass:
    """One forward pass: the values at hand, and where layers leave their new buffers."""

    parameters: Tensors
    buffers: Tensors
    training: bool
    updates: Tensors = field(default_factory=dict)
    noise: Noise | None = None
    """Random numbers of the step; there in training where a layer is noisy."""
    watch: Callable[[Layer, Tensor, Tensor], None] | None = None
    """Sees each layer, what it takes and what it gives, also within other layers; there in analyses alone."""

    def through(self, layer: Layer, inputs: Tensor) -> Tensor:
        """The outputs of a layer, seen by who watches."""
        outputs = layer.apply(self, inputs)
        if self.watch is not None:
            self.watch(layer, inputs, outputs)
        return outputs


class Layer(Protocol):
    """One step of a network. Names of values are unique in the network (`hidden.0.weight`)."""

    def parameters(self) -> Mapping[str, Fresh]:
        """What it learns."""
        ...

    def buffers(self) -> Mapping[str, Fresh]:
        """What it keeps without learning: running statistics, fixed random weights."""
        ...

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        """The stack of outputs."""
        ...


@runtime_checkable
class Noisy(Protocol):
    """A layer that may draw random numbers while it is trained; one that says nothing draws none."""

    @property
    def is_noisy(self) -> bool: ...


def is_noisy(layers: Sequence[Layer]) -> bool:
    """Whether one of the layers needs `Pass.noise` in training."""
    return any(isinstance(layer, Noisy) and layer.is_noisy for layer in layers)


class Plain:
    """A layer that owns nothing."""

    def parameters(self) -> Mapping[str, Fresh]:
        return {}

    def buffers(self) -> Mapping[str, Fresh]:
        return {}


@runtime_checkable
class Rated(Protocol):
    """A network whose parameters may have learning rates of their own."""

    def rates(self) -> dict[str, Rates]:
        """Factors of the learning rate of each parameter."""
        ...


@dataclass(frozen=True)
class Layered:
    """A network that applies its layers in order."""

    shape: tuple[int, ...]
    outputs: int
    layers: tuple[Layer, ...]

    @property
    def is_noisy(self) -> bool:
        """Whether training draws random numbers."""
        return is_noisy(self.layers)

    def rates(self) -> dict[str, Rates]:
        """Factors of the learning rate of each parameter."""
        return {name: fresh.rates for layer in self.layers for name, fresh in layer.parameters().items()}

    def init(self, seeds: Sequence[int]) -> State:
        """Fresh states: each value has a stream of its own, so adding a layer leaves the others' weights
        alone."""
        return State(
            {
                name: _drawn(name, fresh, seeds)
                for layer in self.layers
                for name, fresh in layer.parameters().items()
            },
            {
                name: _drawn(name, fresh, seeds)
                for layer in self.layers
                for name, fresh in layer.buffers().items()
            },
        )

    def apply(
        self,
        parameters: Tensors,
        buffers: Tensors,
        inputs: Tensor,
        *,
        training: bool,
        noise: Noise | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Outputs `(members, outputs, examples)` for inputs `(members, examples, *shape)`, and the new
        buffers."""
        values = Pass(parameters, buffers, training, noise=noise)
        stack = feature_major(inputs)
        for layer in self.layers:
            stack = layer.apply(values, stack)
        return stack, ({**buffers, **values.updates} if values.updates else buffers)


def feature_major(inputs: Tensor) -> Tensor:
    """Inputs `(members, examples, *shape)` as layers take them, the examples last."""
    return inputs.transpose(1, 2) if inputs.ndim == 3 else inputs.movedim(1, -1)


def _drawn(name: str, fresh: Fresh, seeds: Sequence[int]) -> Tensor:
    return torch.from_numpy(np.stack([fresh.draw(name, seed) for seed in seeds]))


def prefixes(count: int, name: str) -> Iterator[str]:
    """`name.0`, `name.1` ... for `count` layers of one sort."""
    return (f"{name}.{index}" for index in range(count))
