"""How many directions a spectrum has."""

from __future__ import annotations

import torch
from torch import Tensor


def effective_rank(values: Tensor) -> Tensor:
    """`exp(-sum p log p)` with `p = values / sum` along the last axis (Roy and Vetterli 2007); rounding below
    zero counts as zero, and so does a spectrum that is zero."""
    values = values.clamp_min(0)
    total = values.sum(-1, keepdim=True)
    shares = values / torch.where(total > 0, total, 1.0)
    return torch.where(total[..., 0] > 0, torch.special.entr(shares).sum(-1).exp(), 0.0)


def participation(values: Tensor) -> Tensor:
    """`(sum l)^2 / sum l^2` along the last axis; zero for a spectrum that is zero."""
    squares = values.square().sum(-1)
    return torch.where(squares > 0, values.sum(-1).square() / torch.where(squares > 0, squares, 1.0), 0.0)
