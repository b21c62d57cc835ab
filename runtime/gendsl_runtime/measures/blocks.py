"""Blocks of a symmetric matrix over some of a network's parameters, by their eigenvectors.

A Gaussian with the precision `scale H + precision I` on the parameters of a block has the variance
`1 / (scale e + precision)` along each eigenvector. All float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Protocol

import torch
from torch import Tensor

from gendsl_runtime.measures.layers import Record
from gendsl_runtime.network import Tensors

Shapes = dict[str, tuple[int, ...]]
"""Parameters of a block, without the member axis, in their order."""


class Block(Protocol):
    """Part of a matrix over the parameters `shapes`."""

    @property
    def shapes(self) -> Shapes: ...

    @property
    def values(self) -> Tensor:
        """Eigenvalues `(size,)`, none below 0."""
        ...

    def turned(self, rows: Tensor) -> Tensor:
        """Rows `(n, size)` in the basis of eigenvectors."""
        ...

    def back(self, rows: Tensor) -> Tensor:
        """The inverse of `turned`."""
        ...


@dataclass(frozen=True)
class DenseBlock:
    """A matrix as it is: eigenvectors are the columns of `basis` `(size, size)`."""

    shapes: Shapes
    values: Tensor
    basis: Tensor

    @classmethod
    def of(cls, shapes: Shapes, matrix: Tensor) -> DenseBlock:
        """The block of a matrix `(size, size)`; eigenvalues below 0 are rounding."""
        values, basis = torch.linalg.eigh((matrix + matrix.T) / 2)
        return cls(shapes, values.clamp_min(0), basis)

    def turned(self, rows: Tensor) -> Tensor:
        return rows @ self.basis

    def back(self, rows: Tensor) -> Tensor:
        return rows @ self.basis.T


@dataclass(frozen=True)
class DiagonalBlock:
    """A diagonal matrix."""

    shapes: Shapes
    values: Tensor

    def turned(self, rows: Tensor) -> Tensor:
        return rows

    def back(self, rows: Tensor) -> Tensor:
        return rows


@dataclass(frozen=True)
class KroneckerBlock:
    """`left (x) right` on a weight `(outputs, inputs)`: `left` over outputs, `right` over inputs."""

    shapes: Shapes
    left: DenseBlock
    right: DenseBlock

    @property
    def values(self) -> Tensor:
        return torch.outer(self.left.values, self.right.values).flatten()

    def turned(self, rows: Tensor) -> Tensor:
        return (self.left.basis.T @ self._matrices(rows) @ self.right.basis).flatten(1)

    def back(self, rows: Tensor) -> Tensor:
        return (self.left.basis @ self._matrices(rows) @ self.right.basis.T).flatten(1)

    def _matrices(self, rows: Tensor) -> Tensor:
        return rows.reshape(len(rows), len(self.left.values), len(self.right.values))


def size(block: Block) -> int:
    """Parameters of a block."""
    return sum(prod(shape) for shape in block.shapes.values())


def log_determinant(blocks: list[Block], *, scale: float, precision: float) -> float:
    """`log det(scale H + precision I)` over all blocks."""
    return float(sum((scale * block.values + precision).log().sum() for block in blocks))


def draw(block: Block, noise: Tensor, *, scale: float, precision: float) -> Tensors:
    """Offsets from the mean `(draws, ...)` of standard normal numbers `(draws, size)`."""
    rows = block.back(noise / (scale * block.values + precision).sqrt())
    pieces = torch.split(rows, [prod(shape) for shape in block.shapes.values()], dim=1)
    return {
        name: piece.reshape(len(rows), *shape)
        for (name, shape), piece in zip(block.shapes.items(), pieces, strict=True)
    }


def variances(block: Block, rows: Tensor, *, scale: float, precision: float) -> Tensor:
    """`g^T (scale H + precision I)^-1 g` for each row g `(n, size)`."""
    return (block.turned(rows).square() / (scale * block.values + precision)).sum(1)


def dense_layer_variances(block: Block, record: Record, *, scale: float, precision: float) -> Tensor | None:
    """The same for the gradients `factor d x^T` of a weight in a dense layer, without forming them; None where the
    block or the layer is of another kind.

    With x and d turned into the bases of both factors it is `sum_o d_o^2 sum_i x_i^2 / (scale l_o r_i + precision)`.
    """
    if record.is_gain or record.slopes.shape[2] != 1 or isinstance(block, DenseBlock):
        return None
    d, x = record.slopes[0, :, 0].double(), record.inputs[0, :, 0].double() * record.factor
    if isinstance(block, KroneckerBlock):
        d, x = block.left.basis.T @ d, block.right.basis.T @ x
    inverse = (1 / (scale * block.values + precision)).reshape(len(d), len(x))
    return (d.square() * (inverse @ x.square())).sum(0)
