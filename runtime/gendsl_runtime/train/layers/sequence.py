"""Sequences: `(members, features, steps, examples)`, so that all steps of a stack are one product.

Examples are last, as everywhere in the engine, and steps before them: a layer that treats every step alike
sees `steps * examples` columns, and what one step does to another runs along whole rows of examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.layer import Fresh, Layer, Pass, Plain


@dataclass(frozen=True)
class Rows(Plain):
    """Numbers as a sequence: `(members, steps, features, examples)`, or an image read row by row from the
    top, `(members, channels, height, width, examples)` as `height` steps of `channels * width` numbers."""

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        if inputs.ndim == 4:
            return inputs.transpose(1, 2)
        return inputs.transpose(2, 3).flatten(1, 2)


def sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Steps and numbers of a step for examples of this shape. Raises Problem for a vector."""
    if len(shape) not in (2, 3):
        raise Problem(
            "wrong-shape",
            f"examples of {' x '.join(map(str, shape))} numbers are no sequences",
            help="use tokens, steps of numbers `(steps, numbers)`, or images, which are read row by row",
        )
    return (shape[0], shape[1]) if len(shape) == 2 else (shape[1], shape[0] * shape[2])


@dataclass(frozen=True)
class EachStep:
    """A layer on vectors, applied to every step by itself."""

    layer: Layer

    def parameters(self) -> Mapping[str, Fresh]:
        return self.layer.parameters()

    def buffers(self) -> Mapping[str, Fresh]:
        return self.layer.buffers()

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        found = values.through(self.layer, inputs.flatten(2))
        return found.view(*found.shape[:2], *inputs.shape[2:])


@dataclass(frozen=True)
class LastStep(Plain):
    """The last step as a sequence of one."""

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return inputs[:, :, -1:]


@dataclass(frozen=True)
class Read(Plain):
    """A sequence as one vector `(members, features, examples)`: its last step, or the mean of all."""

    of: Literal["last", "mean"]

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return inputs[:, :, -1] if self.of == "last" else inputs.mean(2)
