"""Weights near those of a network at which its loss is high, found by the gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.matrices import is_weight
from gendsl_runtime.network import Tensors
from gendsl_runtime.runs import Runs

Norm = Literal["l2", "linf"]
Scaling = Literal["none", "elementwise", "filter"]
"""T of a neighbourhood `|T^-1 e| <= radius`: 1; the size of each weight; or of each filter, the incoming weights of one
output of a convolution or dense layer (biases, gains and offsets by their own size)."""


def scales(parameters: Tensors, kind: Scaling, eta: float) -> Tensor:
    """T plus eta as vectors `(members, size)`; ones for `none`."""
    if kind == "none":
        return torch.ones_like(vectors.flat(parameters))
    found = {}
    for name, tensor in parameters.items():
        if kind == "filter" and is_weight(tensor):
            norms = torch.linalg.vector_norm(tensor.double().flatten(2), dim=2)
            size = norms.reshape(*tensor.shape[:2], *[1] * (tensor.ndim - 2)).expand_as(tensor).to(tensor)
        else:
            size = tensor.abs()
        found[name] = size + eta
    return vectors.flat(found)


@dataclass(frozen=True)
class Neighbourhood:
    """Weights `w + T d` with `|d| <= radius`, one radius for each member."""

    norm: Norm
    radius: Tensor
    """`(members,)`, float64."""
    scale: Tensor
    """T, `(members, size)`."""

    def steepest(self, slopes: Tensor) -> Tensor:
        """The direction d of length 1 along which the loss rises fastest; 0 where the slopes are all 0."""
        rise = self.scale * slopes
        if self.norm == "linf":
            return rise.sign()
        return rise / lengths(rise).clamp_min(torch.finfo(rise.dtype).tiny)[:, None]

    def nearest(self, places: Tensor) -> Tensor:
        """Each d pulled into the ball."""
        radius = self.radius.to(places)[:, None]
        if self.norm == "linf":
            return places.clamp(-radius, radius)
        return places * (
            radius / lengths(places).clamp_min(torch.finfo(places.dtype).tiny)[:, None]
        ).clamp_max(1)


def lengths(rows: Tensor) -> Tensor:
    """Euclidean lengths of the rows, member by member: a sum of a stack may round by its size."""
    return torch.stack([row.clone().norm() for row in rows])


Pieces = Sequence[tuple[Tensor, Tensor]]
"""Inputs `(members, n, *shape)` and targets."""


def slopes(runs: Runs, pieces: Pieces, parameters: Tensors) -> tuple[Tensor, Tensor]:
    """Mean loss `(members,)`, float64, and its gradient `(members, size)`, in the precision of the parameters."""
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in parameters.items()}
    total, examples = None, 0
    losses = torch.zeros(runs.members, dtype=torch.float64, device=runs.device)
    for inputs, targets in pieces:
        with torch.enable_grad():
            each = runs.losses(inputs, targets, leaves)
            found = torch.autograd.grad(
                each.sum(), list(leaves.values()), allow_unused=True, materialize_grads=True
            )
        piece = vectors.flat(dict(zip(leaves, found, strict=True))).double()
        total = piece if total is None else total + piece
        losses += each.detach().double().sum(1)
        examples += inputs.shape[1]
    assert total is not None, "a split has examples"
    return losses / examples, (total / examples).to(next(iter(parameters.values())).dtype)


def moved(parameters: Tensors, offset: Tensor) -> Tensors:
    """The parameters plus offsets `(members, size)`."""
    steps = vectors.shaped(offset, parameters)
    return {name: tensor + steps[name] for name, tensor in parameters.items()}


def climb(
    runs: Runs, pieces: Pieces, around: Neighbourhood, *, steps: int, start: Tensor | None = None
) -> Iterator[Tensors]:
    """The weights at every step of projected ascent on the loss, from the network itself or from `start`.

    Step t of k goes `1 - t / k` of the radius along the steepest direction, t from 0: a single step goes all the way
    to the boundary (Foret et al. 2021), and of many the long ones turn towards the steep side as power iteration
    does, the short ones settle.
    """
    own = runs.state.parameters
    place = torch.zeros_like(around.scale) if start is None else around.nearest(start)
    radius = around.radius.to(place)[:, None]
    for step in range(steps):
        here = moved(own, around.scale * place)
        _, gradient = slopes(runs, pieces, here)
        place = around.nearest(place + radius * (1 - step / steps) * around.steepest(gradient))
        yield moved(own, around.scale * place)


def cut(runs: Runs, on: str, batch: int | None) -> Iterator[Pieces]:
    """The batches of a split, in its order, each in pieces; without `batch` the whole split."""
    if batch is None:
        yield list(runs.chunks(on))
        return
    inputs, targets = runs.split(on)
    for index in range(math.ceil(inputs.shape[1] / batch)):
        part = slice(index * batch, (index + 1) * batch)
        yield [(inputs[:, part], targets[:, part])]
