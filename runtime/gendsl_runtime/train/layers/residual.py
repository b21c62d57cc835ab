"""Residual blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from gendsl_runtime.train.layers.layer import Fresh, Layer, Pass, is_noisy


@dataclass(frozen=True)
class Residual:
    """`y = body(x) + shortcut(x)`; an empty shortcut is the identity."""

    body: tuple[Layer, ...]
    shortcut: tuple[Layer, ...] = ()

    @property
    def is_noisy(self) -> bool:
        return is_noisy((*self.body, *self.shortcut))

    def parameters(self) -> Mapping[str, Fresh]:
        layers = (*self.body, *self.shortcut)
        return {name: fresh for layer in layers for name, fresh in layer.parameters().items()}

    def buffers(self) -> Mapping[str, Fresh]:
        layers = (*self.body, *self.shortcut)
        return {name: fresh for layer in layers for name, fresh in layer.buffers().items()}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        straight = inputs
        for layer in self.shortcut:
            straight = values.through(layer, straight)
        for layer in self.body:
            inputs = values.through(layer, inputs)
        return inputs + straight
