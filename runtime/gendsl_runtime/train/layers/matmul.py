"""Products of matrices whose bits do not depend on how many members are multiplied at once."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def matmul(
    left: Tensor,
    right: Tensor,
    bias: Tensor | None = None,
    *,
    scale: float = 1.0,
    bias_scale: float = 1.0,
    out: Tensor | None = None,
) -> Tensor:
    """`scale * left @ right + bias_scale * bias` for each member: `(M, m, k)`, `(M, k, n)`, `(M, m)` to `(M,
    m, n)`.

    Always `bmm` or `baddbmm`, also for M = 1, and never with a side of length 1: those take other kernels
    (dot and matrix-vector products), whose sums run in another order. A side of 1 is padded with a row of
    zeros, which also covers the two products of the backward pass. `out` must be contiguous: into anything
    else torch multiplies members one by one.
    """
    rows, inner, columns = left.shape[1], left.shape[2], right.shape[2]
    if min(rows, inner, columns) < 2:
        left = pad(left, (0, max(0, 2 - inner), 0, max(0, 2 - rows)))
        right = pad(right, (0, max(0, 2 - columns), 0, max(0, 2 - inner)))
        bias = None if bias is None else pad(bias, (0, max(0, 2 - rows)))
        whole = _product(left, right, bias, scale, bias_scale, None)[:, :rows, :columns]
        return whole if out is None else out.copy_(whole)
    return _product(left, right, bias, scale, bias_scale, out)


def added(total: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """`total + left @ right` for each member, written over `total`, which must be contiguous."""
    if min(*left.shape[1:], right.shape[2]) < 2:
        return total.add_(matmul(left, right))
    return total.baddbmm_(left, right)


def _product(
    left: Tensor, right: Tensor, bias: Tensor | None, scale: float, bias_scale: float, out: Tensor | None
) -> Tensor:
    if bias is not None:
        return torch.baddbmm(bias.unsqueeze(2), left, right, beta=bias_scale, alpha=scale, out=out)
    product = torch.bmm(left, right, out=out)
    if scale == 1.0:
        return product
    return product * scale if out is None else product.mul_(scale)
