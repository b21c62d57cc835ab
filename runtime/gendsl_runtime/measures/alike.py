"""How alike two representations are: HSIC in its three estimates, and canonical correlations.

Representations are `(features, examples)`, float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.train.layers.matmul import matmul


@dataclass(frozen=True)
class Centred:
    """Centred kernels `H K H` of a stack of representations."""

    values: Tensor
    """`(M, N, N)`, or for a linear kernel the centred features `(M, rows, N)` it is made of."""
    diagonal: Tensor
    """`(M, N)`."""
    is_linear: bool

    def inner(self, other: Centred) -> Tensor:
        """`tr(H K H L)`, `(M,)`."""
        if self.is_linear:
            return matmul(self.values, other.values.mT).flatten(1).square().sum(1)
        return (self.values * other.values).flatten(1).sum(1)


def linear(values: Tensor) -> Centred:
    """The kernel `X^T X` of `(M, features, N)`. Where features are more than examples, they are turned into
    as many rows as examples, member by member: the kernel stays."""
    middle = values - values.mean(2, keepdim=True)
    if middle.shape[1] > middle.shape[2]:
        middle = torch.stack([torch.linalg.qr(own, mode="r").R for own in middle])
    return Centred(middle, middle.square().sum(1), is_linear=True)


def rbf(values: Tensor, bandwidth: float) -> Centred:
    """`exp(-|x - y|^2 / (2 s^2))` of `(M, features, N)`, with s the bandwidth times the median distance of
    two different examples; a layer that is constant has a kernel of ones."""
    places = torch.triu_indices(values.shape[2], values.shape[2], 1, device=values.device)
    found = []
    for own in values:
        rows = own.T.contiguous()
        distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
        scale = bandwidth * distances[places[0], places[1]].median()
        kernel = torch.exp(-(distances / torch.where(scale > 0, scale, 1.0)).square() / 2)
        mean = kernel.mean(1)
        found.append(kernel - mean[:, None] - mean[None] + mean.mean())
    stack = torch.stack(found)
    return Centred(stack, stack.diagonal(dim1=1, dim2=2), is_linear=False)


def hsic(left: Centred, right: Centred, *, is_biased: bool) -> Tensor:
    """The Hilbert-Schmidt independence criterion `(M,)` of two kernels on N examples.

    Biased: `tr(K H L H) / (N - 1)^2` (Gretton et al. 2005). Unbiased (Song et al. 2012, equation 5), with the
    diagonals of K and L set to zero:

        [tr(K L) + (1'K 1)(1'L 1) / ((N - 1)(N - 2)) - 2 / (N - 2) 1'K L 1] / (N (N - 3))

    What is added to a row and the column of it changes neither, so K and L may be centred: the sums of their
    rows without the diagonal are then the diagonal with the other sign.
    """
    size = left.diagonal.shape[1]
    inner = left.inner(right)
    if is_biased:
        return inner / (size - 1) ** 2
    both = (left.diagonal * right.diagonal).sum(1)
    totals = left.diagonal.sum(1) * right.diagonal.sum(1) / ((size - 1) * (size - 2))
    return (inner - both + totals - both * (2 / (size - 2))) / (size * (size - 3))


def basis(values: Tensor, share: float) -> Tensor:
    """An orthonormal basis `(rank, N)` of the leading directions of centred features `(features, N)`, as many
    as hold this share of their variance; directions within rounding of none are left out."""
    middle = values - values.mean(1, keepdim=True)
    rows: Tensor
    _, sizes, rows = torch.linalg.svd(middle, full_matrices=False)
    variances = sizes.square()
    total = variances.sum()
    if not total > 0:
        return rows[:0]
    floor = max(middle.shape) * torch.finfo(values.dtype).eps * sizes[0]
    kept = int((variances.cumsum(0) < share * total * (1 - 1e-12)).sum()) + 1
    return rows[: min(kept, int((sizes > floor).sum()))]


def correlations(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Canonical correlations of two bases `(rank, N)`, from the largest down, and the canonical variables of
    the first `(number, N)`, each of length one."""
    turned, sizes, _ = torch.linalg.svd(left @ right.T, full_matrices=False)
    return sizes.clamp(max=1.0), turned.T @ left
