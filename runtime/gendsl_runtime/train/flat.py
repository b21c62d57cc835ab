"""Parameters of a stack as one matrix, a member a row: what optimizers, clipping and compaction work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
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

    def views(self, rows: Tensor) -> Tensors:
        """The values `(M, ...)` as views of `rows` `(M, P)`."""
        sizes = [prod(shape) for shape in self.shapes]
        starts = accumulate(sizes[:-1], initial=0)
        return {
            name: rows[:, start : start + size].view(len(rows), *shape)
            for name, shape, start, size in zip(self.names, self.shapes, starts, sizes, strict=True)
        }


def layout(parameters: Tensors) -> Layout:
    """The layout of these values, in their order."""
    return Layout(tuple(parameters), tuple(tuple(value.shape[1:]) for value in parameters.values()))


def rows(values: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Values `(M, ...)` side by side, `(M, P)`."""
    return torch.cat([value.flatten(1) for value in values], 1, out=out)
