"""Products of the Hessian of the mean loss with vectors, for a whole stack at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.lanczos import Product
from gendsl_runtime.network import Tensors
from gendsl_runtime.runs import Runs

RETAINED = 2**30
"""Bytes of saved activations up to which the graph of the gradient is kept from product to product."""


@dataclass(frozen=True)
class Gradient:
    """The gradient over one chunk of a split, with its graph."""

    leaves: Tensors
    gradients: tuple[Tensor, ...]
    saved: int
    """Bytes that its graph keeps."""

    def product(self, directions: Tensors) -> tuple[Tensor, ...]:
        """Derivative of `<gradient, direction>` by each parameter: by symmetry, Hessian times direction."""
        # A loss that is piecewise linear in some parameters has a gradient there that depends on nothing.
        pairs = [(g, d) for g, d in zip(self.gradients, directions.values(), strict=True) if g.requires_grad]
        if not pairs:
            return tuple(torch.zeros_like(leaf) for leaf in self.leaves.values())
        return torch.autograd.grad(
            [gradient for gradient, _ in pairs],
            list(self.leaves.values()),
            [direction for _, direction in pairs],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )


def hessian_product(runs: Runs, *, on: str) -> Product:
    """The map `v -> H v` with `H = d^2/dw^2 (1/N) sum_i l(f_w(x_i), y_i)` over all N examples of a split.

    The loss is the training loss, in evaluation mode. Sums over chunks are weighted exactly (a sum of sums,
    divided by N once) and accumulated in float64. A product is computed in the precision of the parameters
    (float32: error about 1e-6 of the largest eigenvalue). The graph of the gradient is kept where it fits in
    memory, else made anew.
    """
    pieces = list(runs.chunks(on))
    examples = sum(inputs.shape[1] for inputs, _ in pieces)
    first = _gradient(runs, *pieces[0])
    kept = (
        [first, *(_gradient(runs, *piece) for piece in pieces[1:])]
        if first.saved * len(pieces) <= RETAINED
        else []
    )
    del first

    def product(direction: Tensor) -> Tensor:
        directions = vectors.shaped(direction, runs.state.parameters)
        total = torch.zeros_like(direction, dtype=torch.float64)
        places = torch.split(total, [value[0].numel() for value in directions.values()], dim=1)
        for gradient in kept or (_gradient(runs, *piece) for piece in pieces):
            for place, change in zip(places, gradient.product(directions), strict=True):
                place += change.flatten(1)
        return total.div_(examples)

    return product


def graph_size(runs: Runs, *, on: str) -> int:
    """Bytes that the graphs of one member's gradient keep for a product, over all chunks of a split."""
    one = runs.select([0])
    return sum(_gradient(one, *piece).saved for piece in one.chunks(on))


def _gradient(runs: Runs, inputs: Tensor, targets: Tensor) -> Gradient:
    sizes: list[int] = []

    def seen(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel() * tensor.element_size())
        return tensor

    leaves = {name: tensor.detach().requires_grad_() for name, tensor in runs.state.parameters.items()}
    with torch.enable_grad(), saved_tensors_hooks(seen, lambda tensor: tensor):
        total = runs.losses(inputs, targets, leaves).sum()
        gradients = torch.autograd.grad(
            total, list(leaves.values()), create_graph=True, allow_unused=True, materialize_grads=True
        )
    return Gradient(leaves, gradients, sum(sizes))
