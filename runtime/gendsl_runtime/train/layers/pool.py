"""Pooling of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from gendsl_runtime.train.layers.image import apart, wide
from gendsl_runtime.train.layers.layer import Pass, Plain


@dataclass(frozen=True)
class Pool(Plain):
    """The largest or the mean value of every `size` x `size` patch; a rest at the border is dropped."""

    size: int
    kind: Literal["max", "average"] = "max"

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        pool = max_pool2d if self.kind == "max" else avg_pool2d
        return apart(pool(wide(inputs), self.size), len(inputs))


@dataclass(frozen=True)
class GlobalAverage(Plain):
    """The mean over all places, `(members, channels, examples)`."""

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return apart(avg_pool2d(wide(inputs), tuple(inputs.shape[2:4])), len(inputs))[:, :, 0, 0]
