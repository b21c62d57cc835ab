"""Convolutions of little work as products with a matrix of patches, with their gradient written out.

Images lie in memory as `(members, channels, height, width, examples)` here, and so does all that comes after
them: patches are copied in long runs, products are those of a linear layer, and no kernel that could look at
the number of members adds anything up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.network import Tensors
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.layer import Pass
from gendsl_runtime.train.layers.matmul import matmul
from gendsl_runtime.train.layers.written import Room, Trace


@dataclass(frozen=True)
class PatchConv(Conv):
    """A convolution that knows its gradient.

    With the patches `P` `(members, inputs * size^2, places * examples)` of its images it is `y = W P + b`, and
    `dW = dy P^T`, `db = sum dy`, `dP = W^T dy`; the slope of a pixel is the sum over the patches it is in.
    """

    @property
    def is_scratch(self) -> bool:
        return True

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        spread = self._spread(self._padded(inputs, room))
        patches = room.shaped("patches", inputs, spread.shape).copy_(spread)
        members, sides = len(inputs), spread.shape[4:]
        outputs = room.shaped("outputs", inputs, (members, self.outputs, *sides))
        matrix = patches.view(members, -1, sides.numel())
        weight = values.parameters[f"{self.name}.weight"].flatten(2)
        offset = values.parameters[f"{self.name}.bias"] if self.bias else None
        matmul(weight, matrix, offset, out=outputs.flatten(2))
        return outputs

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        matrix, patches = slopes.flatten(2), room.kept["patches"]
        if self.bias:
            torch.sum(matrix, 2, out=into[f"{self.name}.bias"])
        seen = patches.view(len(patches), -1, matrix.shape[2])
        matmul(matrix, seen.transpose(1, 2), out=into[f"{self.name}.weight"].flatten(2))
        if trace.is_first:
            return slopes
        weight = values.parameters[f"{self.name}.weight"].flatten(2)
        found = matmul(weight.transpose(1, 2), matrix, out=room("patch slopes", seen))
        return self._gathered(found.view_as(patches), trace.inputs, room)

    def _padded(self, inputs: Tensor, room: Room) -> Tensor:
        """The images with a border of zeros, which nothing ever writes to."""
        if self.padding == 0:
            return inputs
        padded = room.shaped("padded", inputs, self._padded_shape(inputs))
        self._within(padded, inputs).copy_(inputs)
        return padded

    def _padded_shape(self, images: Tensor) -> tuple[int, ...]:
        members, channels, height, width, examples = images.shape
        return members, channels, height + 2 * self.padding, width + 2 * self.padding, examples

    def _within(self, padded: Tensor, images: Tensor) -> Tensor:
        """The part of padded images that `images` fill."""
        for dim in (2, 3):
            padded = padded.narrow(dim, self.padding, images.shape[dim])
        return padded

    def _spread(self, padded: Tensor) -> Tensor:
        """The patches `(members, channels, size, size, height, width, examples)` of padded images, a view."""
        for dim in (2, 3):
            padded = padded.unfold(dim, self.size, self.stride)
        return padded.permute(0, 1, 5, 6, 2, 3, 4)

    def _gathered(self, slopes: Tensor, inputs: Tensor, room: Room) -> Tensor:
        """The slopes of the images, from those of their patches: added up in the order of the kernel."""
        padded = room.shaped("padded slopes", inputs, self._padded_shape(inputs)).zero_()
        for into, row in zip(self._spread(padded).unbind(2), slopes.unbind(2), strict=True):
            for pixels, added in zip(into.unbind(2), row.unbind(2), strict=True):
                pixels.add_(added)
        return room.shaped("slopes", inputs, inputs.shape).copy_(self._within(padded, inputs))


def written_out(conv: Conv, height: int, width: int) -> Conv:
    """The same convolution, with its gradient written out where images of this size are little work.

    With much work, a matrix of patches takes two to five times as long as the library's convolution.
    """
    return conv if conv.is_alone(height, width) else PatchConv(**vars(conv))
