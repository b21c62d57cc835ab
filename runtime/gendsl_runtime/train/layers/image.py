"""The two views of a stack of images: `(members, channels, height, width, examples)` and one wide image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def wide(images: Tensor) -> Tensor:
    """`(M, C, H, W, B)` as `(B, M * C, H, W)` in channels-last memory; free where it already lies so."""
    members, channels, height, width, examples = images.shape
    merged = images.permute(4, 0, 1, 2, 3).reshape(examples, members * channels, height, width)
    return channels_last(merged)


def channels_last(images: Tensor) -> Tensor:
    """Images `(B, C, H, W)` in channels-last memory, also where a side of one leaves open what that
    is: the library chooses its kernel by the strides, and those of single numbers are a matter of the past."""
    examples, channels, height, width = images.shape
    if min(images.shape) > 1:
        return images.contiguous(memory_format=torch.channels_last)
    flat = images.permute(0, 2, 3, 1).reshape(-1)
    return flat.view(examples, height, width, channels).permute(0, 3, 1, 2)


def apart(images: Tensor, members: int) -> Tensor:
    """`(B, M * C, H, W)` as `(M, C, H, W, B)`, a view."""
    examples, channels, height, width = images.shape
    return images.view(examples, members, channels // members, height, width).permute(1, 2, 3, 4, 0)


def members_of(images: Tensor) -> list[Tensor]:
    """Each member's images `(B, C, H, W)` in channels-last memory."""
    own = images.permute(0, 4, 1, 2, 3).unbind(0)
    return [channels_last(member) for member in own]


def together(members: Sequence[Tensor]) -> Tensor:
    """Images `(B, C, H, W)` of each member as `(M, C, H, W, B)`; members lie one behind the other."""
    members = [with_gradient_alike(member) for member in members]
    if len(members) == 1:
        return members[0].permute(1, 2, 3, 0)[None]
    return torch.stack([member.permute(0, 2, 3, 1) for member in members]).permute(0, 4, 2, 3, 1)


def with_gradient_alike(images: Tensor) -> Tensor:
    """Images `(B, C, H, W)` whose gradient arrives in channels-last memory, by which kernels are chosen."""
    found: Tensor = _GradientAlike.apply(images)  # type: ignore[no-untyped-call]
    return found


class _GradientAlike(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, images: Tensor) -> Tensor:
        return images.view_as(images)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return channels_last(gradients[0])
