"""The two views of a stack of images: `(members, channels, height, width, examples)` and one wide image."""

from __future__ import annotations

from typing import Any

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


def channel_rows(images: Tensor) -> Tensor:
    """`(M, C, H, W, B)` as `(M * C, H * W * B)` in plain memory, where a sum over a row has one order."""
    members, channels = images.shape[:2]
    return images.reshape(members * channels, -1).contiguous()


def from_channel_rows(values: Tensor, shape: torch.Size) -> Tensor:
    """The images `(M, C, H, W, B)` back; gradients arrive in plain memory too."""
    plain: Tensor = _PlainGradient.apply(values)  # type: ignore[no-untyped-call]
    return plain.view(shape)


class _PlainGradient(torch.autograd.Function):
    """The identity, whose gradient lies in plain memory: the order of a sum follows the memory of its
    operand."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].contiguous()
