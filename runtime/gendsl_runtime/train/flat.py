"""Parameters of a stack as one matrix, a member a row: what optimizers, clipping and compaction work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from gendsl_runtime.network import Tensors


@dataclass(frozen=True)
class Layout:
    """Where each named value lies in a row."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def width(self) -> int:
        return sum(prod(shape) for shape in self.shapes)

    def blocks(self, like: Tensor) -> Tensors:
        """Memory for the same values, each contiguous `(M, ...)`: what products are written into."""
        members = len(like)
        return {
            name: torch.empty((members, *shape), dtype=like.dtype, device=like.device)
            for name, shape in zip(self.names, self.shapes, strict=True)
        }

    def columns(self, rows: Tensor) -> tuple[Tensor, ...]:
        """The columns of `rows` `(M, P)` that each value fills, as views."""
        return torch.split(rows, [prod(shape) for shape in self.shapes], 1)

    def views(self, rows: Tensor) -> Tensors:
        """The values `(M, ...)` as views of `rows` `(M, P)`."""
        return {
            name: part.view(len(rows), *shape)
            for name, shape, part in zip(self.names, self.shapes, self.columns(rows), strict=True)
        }


def layout(parameters: Tensors) -> Layout:
    """The layout of these values, in their order."""
    return Layout(tuple(parameters), tuple(tuple(value.shape[1:]) for value in parameters.values()))


def rows(values: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Values `(M, ...)` side by side, `(M, P)`."""
    return torch.cat([value.flatten(1) for value in values], 1, out=out)
