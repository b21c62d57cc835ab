"""Random directions in the space of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.matrices import is_weight
from gendsl_runtime.network import Tensors

Directions = Literal["filter", "plain"]


def dimension(parameters: Tensors, kind: Directions) -> int:
    """How many coordinates directions move: `filter` leaves biases and normalisation gains alone."""
    return sum(tensor[0].numel() for tensor in parameters.values() if kind == "plain" or is_weight(tensor))


def draws(
    parameters: Tensors, stream: np.random.Generator, *, kind: Directions, count: int
) -> Iterator[Tensors]:
    """`count` random directions for one member, one after the other, from its stream, each `(1, ...)`.

    `plain`: uniform on the sphere of radius 1 in all parameters. `filter` (Li et al. 2018, section 4):
    Gaussian, then every filter, the incoming weights of one output, is given the norm of the member's own
    filter; biases and normalisation gains get no change.

    The first n directions do not depend on `count`.
    """
    for _ in range(count):
        gaussian = {
            name: torch.from_numpy(
                stream.standard_normal(tuple(tensor.shape[1:]), dtype=np.float32)
            ).unsqueeze(0)
            for name, tensor in parameters.items()
            if kind == "plain" or is_weight(tensor)
        }
        if kind == "plain":
            norm = torch.stack([tensor.double().square().sum() for tensor in gaussian.values()]).sum().sqrt()
            yield {name: (tensor / norm).to(parameters[name]) for name, tensor in gaussian.items()}
        else:
            yield {
                name: _as_long_as(tensor.to(parameters[name]), parameters[name])
                for name, tensor in gaussian.items()
            }


def _as_long_as(direction: Tensor, weight: Tensor) -> Tensor:
    """Each filter of `direction` scaled to the norm of the filter of `weight` at its place."""
    return direction * (_filter_norms(weight) / _filter_norms(direction)).to(direction.dtype)


def _filter_norms(weight: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(weight.double().flatten(2), dim=2)
    return norms.reshape(*weight.shape[:2], *[1] * (weight.ndim - 2))


def noises(
    parameters: Tensors,
    stream: np.random.Generator,
    *,
    kind: Literal["normal", "magnitude", "sphere", "filter"],
    count: int,
) -> Iterator[Tensors]:
    """`count` random changes of one member's weights, one after the other, each `(1, ...)`.

    `normal`: standard normal; `magnitude`: the same times the size of each weight; `sphere` and `filter` are the
    directions `plain` and `filter` of `draws`.
    """
    if kind in {"sphere", "filter"}:
        yield from draws(parameters, stream, kind="plain" if kind == "sphere" else "filter", count=count)
        return
    for _ in range(count):
        gaussian = {
            name: torch.from_numpy(stream.standard_normal(tuple(tensor.shape[1:]))).unsqueeze(0).to(tensor)
            for name, tensor in parameters.items()
        }
        if kind == "normal":
            yield gaussian
        else:
            yield {name: value * parameters[name].abs() for name, value in gaussian.items()}
