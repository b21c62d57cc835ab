"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.network import Tensors
from gendsl_runtime.noise import kept_share
from gendsl_runtime.train.layers.layer import Pass, Plain
from gendsl_runtime.train.layers.written import Room, Trace


@dataclass(frozen=True)
class Dropout(Plain):
    """In training each value is zero with probability `share`, else divided by the probability that it stays.

    Srivastava et al. (2014), in the inverted form of `torch.nn.Dropout`; in evaluation the identity. Which values
    are dropped depends on the member's seed, the layer's name and the step alone; `share` is rounded to 1/65536.
    """

    name: str
    share: float
    is_noisy = True

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        if not values.training:
            return inputs
        return inputs * self._factors(values, inputs)

    @property
    def is_scratch(self) -> bool:
        return True

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        factors = room.kept["factors"] = self._factors(values, inputs)
        return torch.mul(inputs, factors, out=inputs if is_free else room("outputs", inputs))

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        return slopes.mul_(room.kept["factors"])

    def _factors(self, values: Pass, inputs: Tensor) -> Tensor:
        """Zero for what is dropped, else what makes up for it."""
        assert values.noise is not None, "a noisy network is trained with noise"
        stays = kept_share(self.share)
        kept = values.noise.kept(self.name, self.share, inputs.shape[1:])
        return kept.to(inputs.dtype) * (1 / stays if stays else 0.0)
