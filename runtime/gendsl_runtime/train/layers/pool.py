"""Pooling of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from gendsl_runtime.network import Tensors
from gendsl_runtime.train.layers.image import apart, channels_last, wide
from gendsl_runtime.train.layers.layer import Pass, Plain
from gendsl_runtime.train.layers.written import Room, Trace


@dataclass(frozen=True)
class Pool(Plain):
    """The largest or the mean value of every `size` x `size` patch; a rest at the border is dropped."""

    size: int
    kind: Literal["max", "average"] = "max"

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        pool = max_pool2d if self.kind == "max" else avg_pool2d
        return apart(pool(wide(inputs), self.size), len(inputs))

    @property
    def is_scratch(self) -> bool:
        return True

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        """Images in the memory of `PatchConv`, their examples in the place of channels."""
        images = _by_example(inputs)
        sides = [side // self.size for side in inputs.shape[2:4]]
        shape = (*inputs.shape[:2], *sides, inputs.shape[4])
        outputs = room.shaped("outputs", inputs, shape)
        if self.kind == "max":
            places = room.shaped("places", inputs, shape, dtype=torch.int64)
            found = {"out": _by_example(outputs), "indices": _by_example(places)}
            torch.ops.aten.max_pool2d_with_indices.out(images, [self.size] * 2, **found)
        else:
            torch.ops.aten.avg_pool2d.out(images, [self.size] * 2, out=_by_example(outputs))
        return outputs

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        found = room.shaped("slopes", slopes, trace.inputs.shape)
        size, own, images = [self.size] * 2, _by_example(slopes), _by_example(trace.inputs)
        grad = _by_example(found)
        if self.kind == "max":
            torch.ops.aten.max_pool2d_with_indices_backward.grad_input(
                own,
                images,
                size,
                size,
                [0, 0],
                [1, 1],
                False,
                _by_example(room.kept["places"]),
                grad_input=grad,
            )
        else:
            torch.ops.aten.avg_pool2d_backward.grad_input(
                own, images, size, size, [0, 0], False, True, None, grad_input=grad
            )
        return found


def _by_example(images: Tensor) -> Tensor:
    """Images `(M, C, H, W, B)` as `(M * C, B, H, W)` in channels-last memory; a view where they lie in the order of
    their sides."""
    return channels_last(images.flatten(0, 1).permute(0, 3, 1, 2))


@dataclass(frozen=True)
class GlobalAverage(Plain):
    """The mean over all places, `(members, channels, examples)`."""

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return apart(avg_pool2d(wide(inputs), tuple(inputs.shape[2:4])), len(inputs))[:, :, 0, 0]
