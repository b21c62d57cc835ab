"""The two views of a stack of images: `(members, channels, height, width, examples)` and one wide image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def wide(images: Tensor) -> Tensor:
    """`(M, C, H, W, B)` as `(B, M * C, H, W)` in channels-last memory; free where it already lies so."""
    members, channels, height, width, examples = images.shape
    merged = images.permute(4, 0, 1, 2, 3).reshape(examples, members * channels, height, width)
    return merged.contiguous(memory_format=torch.channels_last)


def apart(images: Tensor, members: int) -> Tensor:
    """`(B, M * C, H, W)` as `(M, C, H, W, B)`, a view."""
    examples, channels, height, width = images.shape
    return images.view(examples, members, channels // members, height, width).permute(1, 2, 3, 4, 0)


def members_of(images: Tensor) -> list[Tensor]:
    """Each member's images `(B, C, H, W)` in channels-last memory."""
    own = images.permute(0, 4, 1, 2, 3).unbind(0)
    return [member.contiguous(memory_format=torch.channels_last) for member in own]


def together(members: Sequence[Tensor]) -> Tensor:
    """Images `(B, C, H, W)` of each member as `(M, C, H, W, B)`; members lie one behind the other."""
    if len(members) == 1:
        return members[0].permute(1, 2, 3, 0)[None]
    return torch.stack([member.permute(0, 2, 3, 1) for member in members]).permute(0, 4, 2, 3, 1)
