"""Layers whose gradient is written out: a step without autograd's bookkeeping.

A network of such layers in a row is trained by `push`, layer after layer, and `pull` on the way back. Both
write into memory that is kept from step to step, so that a small step costs little but its products. What
they compute is what autograd computes, for any number of members by the same operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from gendsl_runtime.network import Network, Tensors
from gendsl_runtime.train.layers.layer import Layered, Pass, feature_major


@dataclass(frozen=True)
class Room:
    """Memory for one layer and one size of batch, that steps of one stack use again."""

    keeps_outputs: bool = True
    kept: dict[str, Tensor] = field(default_factory=dict)

    def __call__(self, use: str, like: Tensor, features: int | None = None) -> Tensor:
        """Memory of the kind and the shape of `like`, with another number of features if one is given."""
        found = self.kept.get(use)
        if found is None:
            shape = like.shape if features is None else (like.shape[0], features, *like.shape[2:])
            found = self.shaped(use, like, shape)
        return found

    def shaped(
        self, use: str, like: Tensor, shape: Sequence[int], *, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Memory of the kind of `like` in another shape, and of another type if one is given; zero at first."""
        found = self.kept.get(use)
        if found is None:
            found = torch.zeros(tuple(shape), dtype=dtype or like.dtype, device=like.device)
            if self.keeps_outputs or use != "outputs":
                self.kept[use] = found
        return found


class Trace(NamedTuple):
    """What the way there left for the way back."""

    inputs: Tensor
    """Where inputs were free they may hold the outputs by now."""
    outputs: Tensor
    is_first: bool


@runtime_checkable
class Written(Protocol):
    """A layer that knows its own gradient."""

    @property
    def is_scratch(self) -> bool:
        """Whether its outputs are memory of their own that its `pull` does not read."""
        ...

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        """The outputs; they may lie where the inputs lay if those are free to be overwritten."""
        ...

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        """Gradients of the layer's own values go `into` their places; the slopes of its inputs are returned.

        The slopes of the outputs may be overwritten. The slopes of the inputs of the first layer are not
        looked at, so it may return anything.
        """
        ...


@dataclass(frozen=True)
class Chain:
    """Written layers in a row."""

    layers: tuple[Written, ...]
    first: int
    """Place of the first layer that learns: slopes are pulled no further."""
    rooms: dict[int, tuple[Room, ...]] = field(default_factory=dict)
    """For each size of batch, the memory of each layer."""

    def push(self, values: Pass, inputs: Tensor) -> list[Tensor]:
        """What each layer was given, and last the outputs `(members, outputs, examples)`, in new memory."""
        stacks, is_free = [feature_major(inputs)], False
        for layer, room in zip(self.layers, self._rooms(inputs.shape[1]), strict=True):
            stacks.append(layer.push(values, stacks[-1], room, is_free=is_free))
            is_free = layer.is_scratch
        return stacks

    def pull(self, values: Pass, stacks: Sequence[Tensor], slopes: Tensor, into: Tensors) -> None:
        """Gradients of all values, from the slopes of the outputs."""
        rooms = self._rooms(slopes.shape[2])
        for place in range(len(self.layers) - 1, self.first - 1, -1):
            trace = Trace(stacks[place], stacks[place + 1], place == self.first)
            slopes = self.layers[place].pull(values, trace, slopes, into, rooms[place])

    def _rooms(self, size: int) -> tuple[Room, ...]:
        if size not in self.rooms:
            kept = (Room() for _ in self.layers[1:])
            self.rooms[size] = (*kept, Room(keeps_outputs=False))
        return self.rooms[size]


def chain(network: Network) -> Chain | None:
    """A network's layers as a chain; None where one of them leaves its gradient to autograd.

    The last layer must learn: its outputs are memory of its own, and may be kept.
    """
    if not isinstance(network, Layered):
        return None
    layers = tuple(layer for layer in network.layers if isinstance(layer, Written))
    learning = [place for place, layer in enumerate(network.layers) if layer.parameters()]
    if len(layers) < len(network.layers) or learning[-1:] != [len(layers) - 1]:
        return None
    return Chain(layers, learning[0])
