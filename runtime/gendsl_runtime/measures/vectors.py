"""Parameters of a stack as one vector a member, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.network import State, Tensors


def size(tensors: Tensors) -> int:
    """Numbers one member has."""
    return sum(tensor[0].numel() for tensor in tensors.values())


def state_size(state: State) -> int:
    """Numbers a copy of one member takes, buffers too: of a network in a subspace they are the most."""
    return size(state.parameters) + size(state.buffers)


def flat(tensors: Tensors) -> Tensor:
    """`(members, size)`, the tensors one after the other in their order, each in C order."""
    return torch.cat([tensor.flatten(1) for tensor in tensors.values()], dim=1)


def shaped(vectors: Tensor, like: Tensors) -> Tensors:
    """The inverse of `flat`: vectors `(members, size)` as tensors of the shapes and types of `like`."""
    pieces = torch.split(vectors, [tensor[0].numel() for tensor in like.values()], dim=1)
    return {
        name: piece.reshape(len(vectors), *tensor.shape[1:]).to(tensor.dtype)
        for (name, tensor), piece in zip(like.items(), pieces, strict=True)
    }
