"""Convolutions that keep the size of what they see, without bias, zeros around the border.

Weights are `(members, outputs, rows * columns * inputs)`. There are several ways of computing `relu(W * state + plus)`,
all called alike; what a state is, each knows itself: `enter` makes one of a stack `(members, channels, height, width,
examples)`, `leave` is the reverse. Here are torch's convolution, for much work, and products, for little; `tape` has
the same products in memory that is used again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from gendsl_runtime.train.layers.image import channels_last, members_of, together
from gendsl_runtime.train.layers.layer import Fresh, Pass
from gendsl_runtime.train.layers.matmul import added, matmul

Size = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """What a convolution learns. `size` is the odd height and width of the kernel; a sequence has height 1.

    Weights start uniform in `+-1/sqrt(fan in)`, as in `torch.nn.Conv2d`.
    """

    name: str
    inputs: int
    outputs: int
    size: Size

    def parameters(self) -> Mapping[str, Fresh]:
        taken = self.inputs * math.prod(self.size)
        return {f"{self.name}.weight": Fresh((self.outputs, taken), "uniform", 1 / math.sqrt(taken))}

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        weight = values.parameters[f"{self.name}.weight"]
        return Products(self.size).convolve(weight, inputs, is_cut=False)


Held = Any
"""What a way of computing convolutions makes of a stack."""


class Way(Protocol):
    """A way of computing convolutions."""

    def enter(self, stack: Tensor) -> Held:
        """The state of `(members, channels, height, width, examples)`."""
        ...

    def leave(self, state: Held) -> Tensor:
        """A state's stack."""
        ...

    def convolve(self, weight: Tensor, state: Held, plus: Held | None = None, *, is_cut: bool = True) -> Held:
        """The state `relu(weight * state + plus)`; without the relu unless `is_cut`."""
        ...


@dataclass(frozen=True)
class Library:
    """torch's convolution of the images of one member, `(examples, channels, height, width)` in channels-last memory.

    Nothing here sees another member, and nothing needs the values that are overwritten to find a gradient.
    """

    size: Size

    def enter(self, stack: Tensor) -> Tensor:
        return members_of(stack)[0]

    def leave(self, state: Tensor) -> Tensor:
        return together([state])

    def convolve(
        self, weight: Tensor, state: Tensor, plus: Tensor | None = None, *, is_cut: bool = True
    ) -> Tensor:
        rows, columns = self.size
        kernel = weight.view(weight.shape[1], rows, columns, -1).permute(0, 3, 1, 2)
        found = conv2d(state, channels_last(kernel), padding=(rows // 2, columns // 2))
        if plus is not None:
            found = found.add_(plus)
        return found.relu_() if is_cut else found


@dataclass(frozen=True)
class Grid:
    """Places with a border of zeros, in memory `(members, channels, total)`: row after row, all examples of a place
    side by side. What a place of the kernel sees of all places is then one stretch of the memory, so a convolution is a
    product for each place of the kernel, and copies nothing. Between two rows a stretch passes places of the border;
    what is found there is left out.
    """

    size: Size
    height: int
    width: int
    examples: int

    @property
    def across(self) -> int:
        """Places of a row with its border."""
        return self.width + self.size[1] - 1

    @property
    def total(self) -> int:
        return (self.height + self.size[0] - 1) * self.across * self.examples

    @property
    def stretch(self) -> int:
        """From the first place within the border to the last."""
        return ((self.height - 1) * self.across + self.width) * self.examples

    @property
    def shifts(self) -> list[int]:
        """Where the stretch of each place of the kernel begins."""
        rows, columns = self.size
        return [
            (row * self.across + column) * self.examples for row in range(rows) for column in range(columns)
        ]

    def inside(self, memory: Tensor) -> Tensor:
        """The places within the border, `(members, channels, height, width, examples)`."""
        rows, columns = self.size
        whole = memory.view(*memory.shape[:2], self.height + rows - 1, self.across, self.examples)
        return whole[:, :, rows // 2 : rows // 2 + self.height, columns // 2 : columns // 2 + self.width]

    def product(self, weight: Tensor, memory: Tensor) -> Tensor:
        """The convolution `(members, outputs, stretch)`."""
        first, *others = zip(weight.chunk(math.prod(self.size), 2), self.shifts, strict=True)
        found = matmul(first[0], memory.narrow(2, first[1], self.stretch))
        for part, shift in others:
            found = added(found, part, memory.narrow(2, shift, self.stretch))
        return found

    def places(self, found: Tensor) -> Tensor:
        """The places of a product `(members, outputs, height, width, examples)`."""
        members, outputs, _ = found.shape
        if self.height > 1:
            found = pad(found, (0, self.height * self.across * self.examples - self.stretch))
            return found.view(members, outputs, self.height, self.across, self.examples)[
                :, :, :, : self.width
            ]
        return found.view(members, outputs, 1, self.width, self.examples)


@dataclass(frozen=True)
class Products:
    """The convolution of a whole stack as products, differentiable as often as one likes."""

    size: Size

    def enter(self, stack: Tensor) -> Tensor:
        return stack

    def leave(self, state: Tensor) -> Tensor:
        return state

    def convolve(
        self, weight: Tensor, state: Tensor, plus: Tensor | None = None, *, is_cut: bool = True
    ) -> Tensor:
        rows, columns = self.size
        grid = Grid(self.size, *state.shape[2:])
        memory = pad(state, (0, 0, columns // 2, columns // 2, rows // 2, rows // 2)).flatten(2)
        found = grid.places(grid.product(weight, memory))
        if plus is not None:
            found = found + plus
        return torch.relu(found) if is_cut else found
